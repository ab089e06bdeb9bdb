"""Locality failover and distribution (rows DR-16 to DR-18, DR-20)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mizzen.api.destination_rule import DestinationRule, LocalityLoadBalancerSetting
from mizzen.model.service import Endpoint, Locality

_OTHER_REGION = 3
_NETWORK = "topology.istio.io/network"
_REGION, _ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
_SUBZONE = "topology.istio.io/subzone"


@dataclass(frozen=True)
class Client:
    """Where the client runs, and those of its labels that the config reads."""

    locality: Locality
    labels: Mapping[str, str] = field(default_factory=dict)


class Priorities:
    """The order of endpoints as seen from ``client``. They differ only with outlier detection (``failover``)."""

    def __init__(self, setting: LocalityLoadBalancerSetting | None, client: Client, *, failover: bool) -> None:
        self._setting = setting or LocalityLoadBalancerSetting()
        self._client = client.locality
        self._wanted = [
            _wanted(entry, _labels(client.labels, client.locality)) for entry in self._setting.failover_priority
        ]
        off = self._setting.enabled is False
        self._active = failover and not off and not self._setting.distribute

    def of(self, endpoints: Collection[Endpoint]) -> list[int]:
        """One priority for each endpoint, without gaps, 0 the closest."""
        if not self._active:
            return [0] * len(endpoints)
        raw = [self._rank(endpoint) for endpoint in endpoints]
        ranks = {value: rank for rank, value in enumerate(sorted(set(raw)))}
        return [ranks[value] for value in raw]

    def _rank(self, endpoint: Endpoint) -> tuple[int, int]:
        """Labels first; the locality counts without them, or beside ``failover`` (rows DR-18, DR-19)."""
        if not self._wanted:
            return (0, self._distance(endpoint.locality))
        return (self._mismatch(endpoint), self._distance(endpoint.locality) if self._setting.failover else 0)

    def _mismatch(self, endpoint: Endpoint) -> int:
        have = _labels(endpoint.labels, endpoint.locality)
        if endpoint.workload is not None and endpoint.workload.network:
            have.setdefault(_NETWORK, endpoint.workload.network)
        size, added = len(self._wanted), 0
        for index, (key, value) in enumerate(self._wanted):
            if have.get(key, "") == value:
                continue
            if index == 0 and key == _NETWORK:
                added = size
                continue
            return added + size - index
        return added

    def _distance(self, locality: Locality) -> int:
        mine = (self._client.region, self._client.zone, self._client.subzone)
        same = [a == b for a, b in zip(mine, (locality.region, locality.zone, locality.subzone), strict=True)]
        if same[0]:
            return 2 if not same[1] else 1 if not same[2] else 0
        target = next((f.to for f in self._setting.failover if f.from_ == self._client.region), None)
        return _OTHER_REGION + 1 if target is not None and locality.region != target else _OTHER_REGION


def label_keys(rule: DestinationRule | None, mesh: LocalityLoadBalancerSetting | None) -> set[str]:
    """The label keys that ``failoverPriority`` reads for the clients of ``rule``."""
    policies = [rule.traffic_policy, *(s.traffic_policy for s in rule.subsets)] if rule else []
    balancers = [p.load_balancer for p in policies if p is not None]
    balancers += [e.load_balancer for p in policies if p is not None for e in p.port_level_settings]
    settings = [mesh, *(b.locality_lb_setting for b in balancers if b is not None)]
    return {entry.partition("=")[0] for s in settings if s is not None for entry in s.failover_priority}


def weighs_localities(setting: LocalityLoadBalancerSetting | None, *, failover: bool) -> bool:
    """True when Envoy has to weigh whole localities (``locality_weighted_lb_config``, row DR-20)."""
    if setting is None or setting.enabled is False:
        return False
    return bool(setting.distribute) or (failover and bool(setting.failover or setting.failover_priority))


def _wanted(entry: str, own: Mapping[str, str]) -> tuple[str, str]:
    key, given, value = entry.partition("=")
    return (key, value if given else own.get(key, ""))


def _labels(labels: Mapping[str, str], locality: Locality) -> dict[str, str]:
    """Labels with those that a locality stands for."""
    return {**labels, _REGION: locality.region, _ZONE: locality.zone, _SUBZONE: locality.subzone}


def _distributes(setting: LocalityLoadBalancerSetting | None) -> bool:
    """True with ``distribute`` in force (row DR-17)."""
    return setting is not None and setting.enabled is not False and bool(setting.distribute)


def weights(
    setting: LocalityLoadBalancerSetting | None, client: Locality, sizes: Mapping[Locality, int]
) -> dict[Locality, int]:
    """The weight of each locality; one that the matching ``distribute`` does not name gets no traffic (row DR-17)."""
    if setting is None or not _distributes(setting):
        return dict(sizes)
    rule = next((d for d in setting.distribute if _fits(d.from_, client)), None)
    if rule is None:
        return dict(sizes)
    found: dict[Locality, int] = {}
    for pattern in sorted(rule.to, key=lambda p: (-len(p), p)):
        members = [locality for locality in sizes if locality not in found and _fits(pattern, locality)]
        total = sum(sizes[locality] for locality in members)
        for locality in members:
            found[locality] = max(1, round(rule.to[pattern] * 100 * sizes[locality] / total))
    return found


def _fits(pattern: str, locality: Locality) -> bool:
    parts = (locality.region, locality.zone, locality.subzone)
    for wanted, have in zip(pattern.split("/"), parts, strict=False):
        if wanted == "*":
            return True
        if wanted != have:
            return False
    return True
