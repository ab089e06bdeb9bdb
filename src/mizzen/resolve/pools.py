"""The connection pool of a server's own sidecar towards its app (rows DR-09, DR-36, SC-06)."""

from __future__ import annotations

from msgspec.structs import replace

from mizzen.api.destination_rule import ConnectionPoolSettings, DestinationRule, TrafficPolicy
from mizzen.api.meta import Object
from mizzen.api.sidecar import Sidecar
from mizzen.model.service import Service
from mizzen.model.snapshot import Snapshot
from mizzen.resolve.destination_rules import by_namespace, rule_for


class Pools:
    """Whole pools, never merged: the ingress entry's, the Sidecar's, the rule's of the service, the mesh's."""

    def __init__(self, snapshot: Snapshot, sidecar: Sidecar | None) -> None:
        self._snapshot = snapshot
        self._own = sidecar.inbound_connection_pool if sidecar is not None else None

    def of(self, service: Service, port: int, entry: ConnectionPoolSettings | None = None) -> TrafficPolicy | None:
        """What holds on the service port ``port``; a rule's protocol upgrade is for clients only. None: no limits."""
        rule = self._rule(service)
        top = rule.traffic_policy if rule is not None else None
        settings = (
            next((e for e in top.port_level_settings if e.port is not None and e.port.number == port), None)
            if top
            else None
        )
        ruled = settings.connection_pool if settings is not None else top.connection_pool if top is not None else None
        default = self._snapshot.mesh.default_traffic_policy
        pool = entry or self._own or ruled or (default.connection_pool if default is not None else None)
        budget = top.retry_budget if top is not None and settings is None else None
        if pool is None and budget is None:
            return None
        return TrafficPolicy(connection_pool=_inbound(pool), retry_budget=budget)

    def _rule(self, service: Service) -> DestinationRule | None:
        """As a client in the service's own namespace finds it; a rule that selects clients never counts."""
        plain = tuple(r for r in self._rules().get(service.namespace, ()) if r.body.workload_selector is None)
        root = self._snapshot.mesh.root_namespace
        rules = (
            {service.namespace: plain, root: self._rules().get(root, ())}
            if service.namespace != root
            else {root: plain}
        )
        found = rule_for(rules, service, service.namespace, {}, root)
        body: DestinationRule | None = found.body if found is not None else None
        return body

    def _rules(self) -> dict[str, tuple[Object, ...]]:
        known = self._snapshot.interned.get("rules by namespace")
        if known is None:
            known = self._snapshot.interned["rules by namespace"] = by_namespace(self._snapshot.destination_rules)
        assert isinstance(known, dict)
        return known


def _inbound(pool: ConnectionPoolSettings | None) -> ConnectionPoolSettings | None:
    if pool is None or pool.http is None:
        return pool
    return replace(pool, http=replace(pool.http, h2_upgrade_policy="DO_NOT_UPGRADE"))
