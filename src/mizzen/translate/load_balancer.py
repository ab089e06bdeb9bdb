"""``loadBalancer`` of a DestinationRule on a cluster (rows DR-12 to DR-14, DR-21, DR-22)."""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2

from mizzen.api.destination_rule import ConsistentHashLB, LoadBalancerSettings, ZoneAwareLbSetting
from mizzen.translate.scalars import duration

_Cluster = cluster_pb2.Cluster
_SIMPLE = {"RANDOM": _Cluster.RANDOM, "ROUND_ROBIN": _Cluster.ROUND_ROBIN}
_DEFAULT_RING = 1024


def apply(cluster: cluster_pb2.Cluster, settings: LoadBalancerSettings | None) -> None:
    """Set the policy; an ORIGINAL_DST cluster is always balanced by the cluster itself (row DR-12)."""
    if cluster.type == _Cluster.ORIGINAL_DST:
        cluster.lb_policy = _Cluster.CLUSTER_PROVIDED
        return
    if settings is not None and settings.consistent_hash is not None:
        _hash(cluster, settings.consistent_hash)
        return
    simple = settings.simple if settings and settings.simple else "LEAST_REQUEST"
    cluster.lb_policy = _SIMPLE.get(simple, _Cluster.LEAST_REQUEST)
    if settings is not None:
        _slow_start(cluster, settings)


def prefer_zone(cluster: cluster_pb2.Cluster, setting: ZoneAwareLbSetting) -> None:
    """Let Envoy keep to its own zone while enough endpoints are there; it acts where Envoy knows its own cluster (DR-21)."""
    config = cluster.common_lb_config.zone_aware_lb_config
    config.SetInParent()
    if setting.enabled is False:
        config.routing_enabled.value = 0.0
    if setting.min_cluster_size is not None:
        config.min_cluster_size.value = setting.min_cluster_size


def is_passthrough(settings: LoadBalancerSettings | None) -> bool:
    return settings is not None and settings.simple == "PASSTHROUGH"


def _hash(cluster: cluster_pb2.Cluster, settings: ConsistentHashLB) -> None:
    if settings.maglev is not None:
        cluster.lb_policy = _Cluster.MAGLEV
        if settings.maglev.table_size:
            cluster.maglev_lb_config.table_size.value = settings.maglev.table_size
        return
    cluster.lb_policy = _Cluster.RING_HASH
    ring = settings.ring_hash.minimum_ring_size if settings.ring_hash else settings.minimum_ring_size or _DEFAULT_RING
    if ring:
        cluster.ring_hash_lb_config.minimum_ring_size.value = ring


def _slow_start(cluster: cluster_pb2.Cluster, settings: LoadBalancerSettings) -> None:
    config: Any = (
        cluster.round_robin_lb_config if cluster.lb_policy == _Cluster.ROUND_ROBIN else cluster.least_request_lb_config
    )
    if cluster.lb_policy not in (_Cluster.ROUND_ROBIN, _Cluster.LEAST_REQUEST):
        return
    warmup = settings.warmup
    if warmup is not None and warmup.duration is not None:
        slow = config.slow_start_config
        slow.slow_start_window.CopyFrom(duration(warmup.duration))
        slow.min_weight_percent.value = 10.0 if warmup.minimum_percent is None else warmup.minimum_percent
        slow.aggression.default_value = 1.0 if warmup.aggression is None else warmup.aggression
        slow.aggression.runtime_key = ""
    elif settings.warmup_duration_secs is not None:
        config.slow_start_config.slow_start_window.CopyFrom(duration(settings.warmup_duration_secs))
