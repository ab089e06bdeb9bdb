"""Which traffic policy counts for a port and for a subset (rows DR-07 to DR-09)."""

from __future__ import annotations

from msgspec.structs import replace

from mizzen.api.destination_rule import DestinationRule, PortTrafficPolicy, Subset, TrafficPolicy
from mizzen.api.mesh_config import MeshConfig

NONE = TrafficPolicy()
_INHERITED = (
    "load_balancer",
    "connection_pool",
    "outlier_detection",
    "tls",
    "tunnel",
    "proxy_protocol",
    "retry_budget",
)
_OF_PORT = ("load_balancer", "connection_pool", "outlier_detection", "tls")


def for_port(policy: TrafficPolicy | None, port: int) -> TrafficPolicy:
    """``policy`` for one service port. A port entry replaces it entirely: what the entry leaves out is default (DR-08)."""
    if policy is None:
        return NONE
    entry = port_entry(policy, port)
    if entry is None:
        return policy
    return TrafficPolicy(**{name: getattr(entry, name) for name in _OF_PORT})


def for_subset(rule: DestinationRule, subset: Subset, port: int) -> TrafficPolicy:
    """The policy of a subset: its blocks replace the inherited ones; its own port entry gives all four of them (DR-07)."""
    base = for_port(rule.traffic_policy, port)
    own = subset.traffic_policy
    if own is None:
        return base
    entry = port_entry(own, port)
    if entry is not None:
        return replace(base, **{name: getattr(entry, name) for name in _OF_PORT})
    return replace(base, **{name: getattr(own, name) for name in _INHERITED if getattr(own, name) is not None})


def with_defaults(policy: TrafficPolicy, mesh: MeshConfig) -> TrafficPolicy:
    """The mesh's ``defaultTrafficPolicy`` in place of a pool or a detection that the rule leaves out (row DR-09)."""
    base = mesh.default_traffic_policy
    if base is None:
        return policy
    return replace(
        policy,
        connection_pool=policy.connection_pool or base.connection_pool,
        outlier_detection=policy.outlier_detection or base.outlier_detection,
    )


def port_entry(policy: TrafficPolicy, port: int) -> PortTrafficPolicy | None:
    return next((e for e in policy.port_level_settings if e.port is not None and e.port.number == port), None)
