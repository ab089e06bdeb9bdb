"""Locality failover, distribution and zones: which endpoints come first (rows DR-16 to DR-21, LO-02 to LO-06)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from mizzen.api.destination_rule import (
    DestinationRule,
    Failover,
    LoadBalancerSettings,
    LocalityLoadBalancerSetting,
    TrafficPolicy,
    ZoneAwareLbSetting,
)
from mizzen.api.mesh_config import MeshConfig
from mizzen.model.locality import HOSTNAME, NETWORK, REGION, SUBZONE, ZONE, labels_of, topology
from mizzen.model.service import Endpoint, Locality, Service

_OTHER_REGION = 3
_CLOSE = (NETWORK, REGION, ZONE)
_DISTRIBUTION = {"PreferClose": _CLOSE, "PreferSameZone": _CLOSE, "PreferSameNode": (*_CLOSE, SUBZONE, HOSTNAME)}
"""What ``trafficDistribution`` of a Service compares (rows LO-02, OL-15)."""


@dataclass(frozen=True)
class Client:
    """Where the client runs, and those of its labels that the config reads."""

    locality: Locality
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preference:
    """The one setting that counts for a cluster, taken whole. ``forced``: it acts without outlier detection too."""

    setting: LocalityLoadBalancerSetting | None = None
    zones: ZoneAwareLbSetting | None = None
    forced: bool = False

    @property
    def failover(self) -> tuple[Failover, ...]:
        return (self.zones or self.setting or LocalityLoadBalancerSetting()).failover

    @property
    def failover_priority(self) -> tuple[str, ...]:
        return (self.zones or self.setting or LocalityLoadBalancerSetting()).failover_priority

    @property
    def keeps_unready(self) -> bool:
        """A Service's own distribution needs the endpoints that are not ready to know when to go elsewhere (DR-40)."""
        return self.forced and self.setting is not None

    @property
    def distributes(self) -> bool:
        """``distribute`` is in force (row DR-17)."""
        return self.setting is not None and bool(self.setting.distribute)


def preference(policy: TrafficPolicy, service: Service, mesh: MeshConfig) -> Preference:
    """The first of: the rule's zones, the rule's locality, the Service's distribution, the mesh's zones, the mesh's locality.

    Without ``setting`` and ``zones`` places do not matter (row LO-02).
    """
    balancer = policy.load_balancer
    if balancer is not None and balancer.zone_aware_lb_setting is not None:
        return _zones(balancer.zone_aware_lb_setting)
    if balancer is not None and balancer.locality_lb_setting is not None:
        return _locality(balancer.locality_lb_setting)
    if service.traffic_distribution in _DISTRIBUTION:
        keys = _DISTRIBUTION[service.traffic_distribution]
        return Preference(LocalityLoadBalancerSetting(failover_priority=keys), forced=True)
    if mesh.zone_aware_lb_setting is not None:
        return _zones(mesh.zone_aware_lb_setting)
    return _locality(mesh.locality_lb_setting or LocalityLoadBalancerSetting())


def _locality(setting: LocalityLoadBalancerSetting) -> Preference:
    return Preference() if setting.enabled is False else Preference(setting)


def _zones(setting: ZoneAwareLbSetting) -> Preference:
    return Preference(zones=setting, forced=True)


class Priorities:
    """The order of endpoints as seen from ``client``. ``failover``: there is outlier detection (rows DR-20, LO-03)."""

    def __init__(self, chosen: Preference, client: Client, *, cluster_id: str, failover: bool) -> None:
        self._chosen = chosen
        self._client = client.locality
        self._cluster_id = cluster_id
        mine = {**client.labels, **labels_of(client.locality)}
        self._wanted = [_wanted(entry, mine) for entry in chosen.failover_priority]
        off = chosen.zones.enabled is False if chosen.zones is not None else chosen.setting is None
        self._active = (failover or chosen.forced) and not off and not chosen.distributes

    def of(self, endpoints: Collection[Endpoint]) -> list[int]:
        """One priority for each endpoint, without gaps, 0 the closest."""
        if not self._active:
            return [0] * len(endpoints)
        raw = [self._rank(endpoint) for endpoint in endpoints]
        ranks = {value: rank for rank, value in enumerate(sorted(set(raw)))}
        return [ranks[value] for value in raw]

    def _rank(self, endpoint: Endpoint) -> tuple[int, int]:
        """Labels first; the locality counts without them, or beside ``failover`` (rows DR-18, DR-19, DR-21)."""
        mismatch = self._mismatch(endpoint) if self._wanted else 0
        if self._chosen.zones is not None:
            return (mismatch, self._region(endpoint.locality))
        if self._wanted and not self._chosen.failover:
            return (mismatch, 0)
        return (mismatch, self._distance(endpoint.locality))

    def _mismatch(self, endpoint: Endpoint) -> int:
        workload = endpoint.workload
        cluster = endpoint.cluster or self._cluster_id
        place = topology(endpoint.network, cluster, workload.node_name) if workload is not None else {}
        have = {**place, **endpoint.labels, **labels_of(endpoint.locality)}
        size, added = len(self._wanted), 0
        for index, (key, value) in enumerate(self._wanted):
            if have.get(key, "") == value:
                continue
            if index == 0 and key == NETWORK:
                added = size
                continue
            return added + size - index
        return added

    def _distance(self, locality: Locality) -> int:
        mine = (self._client.region, self._client.zone, self._client.subzone)
        same = [a == b for a, b in zip(mine, (locality.region, locality.zone, locality.subzone), strict=True)]
        if same[0]:
            return 2 if not same[1] else 1 if not same[2] else 0
        return _OTHER_REGION + (self._target() not in (None, locality.region))

    def _region(self, locality: Locality) -> int:
        """With zones: the own region, the one it fails over to, the others (row DR-21)."""
        return 0 if locality.region == self._client.region else 1 if locality.region == self._target() else 2

    def _target(self) -> str | None:
        return next((f.to for f in self._chosen.failover if f.from_ == self._client.region), None)


def label_keys(rule: DestinationRule | None, service: Service, mesh: MeshConfig) -> set[str]:
    """The label keys that may order the endpoints of ``service`` for its clients."""
    settings: list[LocalityLoadBalancerSetting | ZoneAwareLbSetting | None] = [
        mesh.locality_lb_setting,
        mesh.zone_aware_lb_setting,
    ]
    for balancer in _balancers(rule) if rule is not None else ():
        settings += [balancer.locality_lb_setting, balancer.zone_aware_lb_setting]
    named = {entry.partition("=")[0] for s in settings if s is not None for entry in s.failover_priority}
    return named.union(_DISTRIBUTION.get(service.traffic_distribution, ()))


def _balancers(rule: DestinationRule) -> Iterator[LoadBalancerSettings]:
    policies = [p for p in (rule.traffic_policy, *(s.traffic_policy for s in rule.subsets)) if p is not None]
    for policy in policies:
        blocks = (policy.load_balancer, *(entry.load_balancer for entry in policy.port_level_settings))
        yield from (block for block in blocks if block is not None)


def weighs_localities(chosen: Preference, *, failover: bool) -> bool:
    """True when Envoy has to weigh whole localities (``locality_weighted_lb_config``, row DR-20)."""
    if chosen.setting is None:
        return False
    return chosen.distributes or (failover and bool(chosen.failover or chosen.failover_priority))


def _wanted(entry: str, own: Mapping[str, str]) -> tuple[str, str]:
    key, given, value = entry.partition("=")
    return (key, value if given else own.get(key, ""))


def weights(chosen: Preference, client: Locality, sizes: Mapping[Locality, int]) -> dict[Locality, int]:
    """The weight of each locality; one that the first fitting ``distribute`` does not name gets no traffic (row DR-17).

    A weight shared by several localities is split by their own weights, rounded up (row LO-04).
    """
    if chosen.setting is None or not chosen.distributes:
        return dict(sizes)
    rule = next((d for d in chosen.setting.distribute if _fits(d.from_, client)), None)
    if rule is None:
        return dict(sizes)
    found: dict[Locality, int] = {}
    for pattern in sorted(rule.to, key=lambda p: (-len(p), p)):
        members = [locality for locality in sizes if locality not in found and _fits(pattern, locality)]
        total = sum(sizes[locality] for locality in members)
        for locality in members:
            found[locality] = -(-rule.to[pattern] * sizes[locality] // total)
    return found


def _fits(pattern: str, locality: Locality) -> bool:
    parts = (locality.region, locality.zone, locality.subzone)
    for wanted, have in zip(pattern.split("/"), parts, strict=False):
        if wanted == "*":
            return True
        if wanted != have:
            return False
    return True
