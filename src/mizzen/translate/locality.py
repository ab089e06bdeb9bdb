"""Locality failover and distribution (rows DR-16 to DR-18, DR-20)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mizzen.api.destination_rule import LocalityLoadBalancerSetting
from mizzen.model.service import Locality

_OTHER_REGION = 3


class Priorities:
    """Priorities of localities as seen from ``client``. They differ only with outlier detection (``failover``)."""

    def __init__(self, setting: LocalityLoadBalancerSetting | None, client: Locality, *, failover: bool) -> None:
        self._setting = setting
        self._client = client
        off = setting is not None and setting.enabled is False
        distributed = setting is not None and bool(setting.distribute)
        self._active = failover and not off and not distributed

    def of(self, localities: Collection[Locality]) -> dict[Locality, int]:
        """Priorities without gaps, 0 the closest."""
        if not self._active:
            return {}
        raw = {locality: self._distance(locality) for locality in localities}
        ranks = {value: rank for rank, value in enumerate(sorted(set(raw.values())))}
        return {locality: ranks[value] for locality, value in raw.items()}

    def _distance(self, locality: Locality) -> int:
        mine = (self._client.region, self._client.zone, self._client.subzone)
        same = [a == b for a, b in zip(mine, (locality.region, locality.zone, locality.subzone), strict=True)]
        if same[0]:
            return 2 if not same[1] else 1 if not same[2] else 0
        target = (
            next((f.to for f in self._setting.failover if f.from_ == self._client.region), None)
            if self._setting
            else None
        )
        return _OTHER_REGION + 1 if target is not None and locality.region != target else _OTHER_REGION


def distributes(setting: LocalityLoadBalancerSetting | None) -> bool:
    """True when Envoy has to weigh whole localities (``locality_weighted_lb_config``, row DR-17)."""
    return setting is not None and setting.enabled is not False and bool(setting.distribute)


def fails_over(setting: LocalityLoadBalancerSetting | None, *, outlier: bool) -> bool:
    """True when a named failover acts, which needs outlier detection; whole localities are weighed then too (row DR-20)."""
    return setting is not None and setting.enabled is not False and outlier and bool(setting.failover)


def weights(
    setting: LocalityLoadBalancerSetting | None, client: Locality, sizes: Mapping[Locality, int]
) -> dict[Locality, int]:
    """The weight of each locality; one that the matching ``distribute`` does not name gets no traffic (row DR-17)."""
    if setting is None or not distributes(setting):
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
