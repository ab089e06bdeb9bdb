"""Which of a client's labels matter: only these tell proxies of one namespace apart, all others are shared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mizzen.api.destination_rule import DestinationRule, LocalityLoadBalancerSetting, ZoneAwareLbSetting
from mizzen.api.meta import Object
from mizzen.model.locality import HOSTNAME, NETWORK
from mizzen.model.snapshot import Snapshot


def labels_read(snapshot: Snapshot) -> frozenset[str]:
    """The label keys that some client-side selector, ``sourceLabels`` or order of endpoints reads (rows VS-23, DR-19)."""
    found = snapshot.interned.get("labels read")
    if found is None:
        keys = (_of_selectors(snapshot), _of_routes(snapshot.virtual_services), _of_orders(snapshot))
        found = snapshot.interned["labels read"] = frozenset(key for some in keys for key in some)
    assert isinstance(found, frozenset)
    return found


def _of_selectors(snapshot: Snapshot) -> Iterator[str]:
    selecting: Iterable[Object] = (*snapshot.destination_rules, *snapshot.sidecars)
    for obj in selecting:
        if obj.body.workload_selector is not None:
            yield from obj.body.workload_selector.match_labels


def _of_routes(virtual_services: Iterable[Object]) -> Iterator[str]:
    for obj in virtual_services:
        for section in (obj.body.http, obj.body.tls, obj.body.tcp):
            for route in section:
                for match in route.match:
                    yield from match.source_labels


def _of_orders(snapshot: Snapshot) -> Iterator[str]:
    mesh = snapshot.mesh
    settings: list[LocalityLoadBalancerSetting | ZoneAwareLbSetting | None] = [
        mesh.locality_lb_setting,
        mesh.zone_aware_lb_setting,
    ]
    for obj in snapshot.destination_rules:
        settings += _settings(obj.body)
    for setting in settings:
        yield from (entry.partition("=")[0] for entry in (setting.failover_priority if setting else ()))
    distributions = {service.traffic_distribution for service in snapshot.services}
    if distributions - {""}:
        yield NETWORK
    if "PreferSameNode" in distributions:  # else proxies of different nodes would share nothing
        yield HOSTNAME


def _settings(rule: DestinationRule) -> Iterator[LocalityLoadBalancerSetting | ZoneAwareLbSetting | None]:
    policies = [p for p in (rule.traffic_policy, *(s.traffic_policy for s in rule.subsets)) if p is not None]
    for policy in policies:
        for balancer in (policy.load_balancer, *(entry.load_balancer for entry in policy.port_level_settings)):
            if balancer is not None:
                yield balancer.locality_lb_setting
                yield balancer.zone_aware_lb_setting
