"""DestinationRules with full host names, merged, and found for a client and a service (rows DR-01 to DR-04, DR-53)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from mizzen.api.destination_rule import DestinationRule, Subset, TrafficPolicy
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model import generated
from mizzen.model.config import ObjectKey
from mizzen.model.finding import DUPLICATE_SUBSET, Finding, Level
from mizzen.model.hosts import covers, full_name, specificity
from mizzen.model.service import Service
from mizzen.resolve import exports, problems

RulesByNamespace = Mapping[str, tuple[Object, ...]]


def destination_rules(objects: Mapping[ObjectKey, Object], mesh: MeshConfig, domain: str) -> tuple[Object, ...]:
    """All rules, oldest first; those of one namespace, host, selector and *written* exportTo are one (row DR-03)."""
    merged = (_merge(group.members) for group in _groups(objects.values(), mesh, domain))
    return tuple(sorted(merged, key=lambda o: o.age_key))


def duplicate_subsets(objects: Mapping[ObjectKey, Object], mesh: MeshConfig, domain: str) -> tuple[Finding, ...]:
    """A warning for every subset that is dropped because an older rule of the host has one of that name (row DR-03)."""
    found: dict[tuple[str, str, str], Finding] = {}
    for group in _groups(objects.values(), mesh, domain):
        owners: dict[str, Object] = {}
        for obj in group.members:
            for index, subset in enumerate(obj.body.subsets):
                older = owners.setdefault(subset.name, obj)
                if older is not obj:
                    text = f"DestinationRule {older.name} is older and has a subset {subset.name!r} too: this one is dropped"
                    field = f"spec.subsets[{index}].name"
                    about = problems.about(obj, DUPLICATE_SUBSET, Level.WARNING, text, field)
                    found.setdefault((obj.namespace, obj.name, field), about)
    return tuple(found.values())


@dataclass
class _Group:
    """Rules that become one. ``exported`` is what the oldest of them wrote."""

    exported: frozenset[str]
    members: list[Object]

    def takes(self, written: frozenset[str]) -> bool:
        """A wider explicit set is merged into this one too; an unset one only into its like (row DR-03)."""
        return written == self.exported or bool(self.exported and written > self.exported)


def _groups(objects: Iterable[Object], mesh: MeshConfig, domain: str) -> list[_Group]:
    buckets: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[_Group]] = {}
    # What a BackendTLSPolicy became joins every group of its host: it only says how that host is spoken to.
    for obj in sorted(objects, key=lambda o: (generated.of_gateway_api(o), o.age_key)):
        body: DestinationRule = obj.body
        host = full_name(body.host.lower(), obj.namespace, domain)
        selector = tuple(sorted(body.workload_selector.match_labels.items())) if body.workload_selector else ()
        written = frozenset(body.export_to)
        exported = (
            (obj.namespace,)
            if selector
            else exports.resolved(body.export_to, mesh.default_destination_rule_export_to, obj.namespace)
        )
        full = replace(obj, body=replace(body, host=host, export_to=exported))
        bucket = buckets.setdefault((obj.namespace, host, selector), [])
        for group in bucket:
            if group.takes(written) or generated.of_gateway_api(obj):
                group.members.append(full)
        if not (bucket and generated.of_gateway_api(obj)) and all(group.exported != written for group in bucket):
            bucket.append(_Group(written, [full]))
    return [group for bucket in buckets.values() for group in bucket]


def by_namespace(rules: Iterable[Object]) -> dict[str, tuple[Object, ...]]:
    found: dict[str, list[Object]] = {}
    for rule in rules:
        found.setdefault(rule.namespace, []).append(rule)
    return {namespace: tuple(group) for namespace, group in found.items()}


def rule_for(
    rules: RulesByNamespace, service: Service, client_namespace: str, labels: dict[str, str], root_namespace: str
) -> Object | None:
    """The one rule that this client uses for ``service``: own namespace, then the service's, then the root (row DR-02)."""
    own = [r for r in rules.get(client_namespace, ()) if _counts_at_home(r, client_namespace, root_namespace)]
    found = _pick(own, service.hostname, client_namespace, labels)
    if found is not None:
        return found
    for namespace in dict.fromkeys((service.namespace, root_namespace)):
        found = _pick(rules.get(namespace, ()), service.hostname, client_namespace, labels)
        if found is not None:
            return found
    return None


def _counts_at_home(rule: Object, client_namespace: str, root_namespace: str) -> bool:
    exported: tuple[str, ...] = rule.body.export_to
    if client_namespace == root_namespace:
        return exported == (client_namespace,)
    return exports.visible(exported, client_namespace)


def _pick(rules: Iterable[Object], hostname: str, client_namespace: str, labels: dict[str, str]) -> Object | None:
    """Of the rules of one namespace: the most specific host first, and only then whether the client may see it."""
    fitting = [
        r for r in rules if covers(r.body.host, hostname) and _selects(r.body, r.namespace, client_namespace, labels)
    ]
    if not fitting:
        return None
    best = min((r.body.host for r in fitting), key=specificity)
    seen = [r for r in fitting if r.body.host == best and exports.visible(r.body.export_to, client_namespace)]
    selecting = [r for r in seen if r.body.workload_selector is not None]
    if selecting:
        return selecting[0]
    return seen[-1] if seen else None


def _selects(body: DestinationRule, namespace: str, client_namespace: str, labels: dict[str, str]) -> bool:
    selector = body.workload_selector
    return selector is None or (namespace == client_namespace and selector.matches(labels))


def _merge(group: list[Object]) -> Object:
    if len(group) == 1:
        return group[0]
    oldest = group[0]
    subsets: dict[str, Subset] = {}
    for obj in group:
        for subset in obj.body.subsets:
            subsets.setdefault(subset.name, subset)
    written = [obj for obj in group if not generated.of_gateway_api(obj)]
    policy = next((obj.body.traffic_policy for obj in written if obj.body.traffic_policy is not None), None)
    for obj in group:
        if generated.of_gateway_api(obj):
            policy = _with_tls(policy or TrafficPolicy(), obj.body.traffic_policy)
    return replace(oldest, body=replace(oldest.body, subsets=tuple(subsets.values()), traffic_policy=policy))


def _with_tls(written: TrafficPolicy, made: TrafficPolicy) -> TrafficPolicy:
    """What the user wrote, with the TLS of a BackendTLSPolicy in its place (row GA-15)."""
    ports = {entry.port: entry for entry in written.port_level_settings}
    for entry in made.port_level_settings:
        ports[entry.port] = replace(ports.get(entry.port, entry), tls=entry.tls)
    return replace(written, tls=made.tls or written.tls, port_level_settings=tuple(ports.values()))
