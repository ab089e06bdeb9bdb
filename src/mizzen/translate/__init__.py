"""ProxyView to ResourceSet: what Envoy is to be told. Pure; nothing in a resource is about one proxy."""

from __future__ import annotations

from collections.abc import Hashable

from mizzen.model.finding import Finding
from mizzen.model.proxy import ProxyType
from mizzen.model.resources import CLUSTER, LISTENER, Resource, ResourceSet
from mizzen.model.view import Inbound, Plugins, ProxyView, Scope
from mizzen.translate import (
    clusters,
    extension_configs,
    gateway,
    gateway_conflicts,
    inbound,
    listener_conflicts,
    name_table,
    outbound,
    patches,
    proxyless,
    routes,
    secrets,
)
from mizzen.translate.catalog import Catalog
from mizzen.translate.memo import Memo
from mizzen.translate.messages import resource

__all__ = ["Memo", "resources"]


def resources(view: ProxyView, memo: Memo | None = None) -> ResourceSet:
    """Everything that the proxies of ``view`` get, in CDS and LDS order (section 2.6).

    ``memo`` is kept by the caller from call to call. With it, each Scope and each Inbound is translated once, and two
    views that share both get the same ResourceSet object; without it the result is the same.
    """
    memo = memo or Memo()
    scope, served = view.scope, view.inbound
    key: Hashable = ("set", scope.key, served.key if served else None)
    base = memo.get(key, (scope, served), lambda: _set(scope, served, memo))
    if proxyless.asked(scope):
        return base
    plugins = view.plugins
    if plugins.entries:
        items = tuple(item for item, _ in plugins.entries)
        base = memo.get(("plugins", key, plugins.key), (base, *items), lambda: _extended(base, plugins))
    if not view.patches.patches:
        return base
    owners = tuple(patch.owner for patch in view.patches.patches)
    return memo.get(("patched", view.key), (base, *owners), lambda: patches.apply(base, view))


def _extended(base: ResourceSet, plugins: Plugins) -> ResourceSet:
    made = [*(held for of in base.types.values() for held in of.values()), *extension_configs.resources(plugins)]
    return ResourceSet.of(made, (*base.findings, *extension_configs.findings(plugins)))


def _set(scope: Scope, served: Inbound | None, memo: Memo) -> ResourceSet:
    if proxyless.asked(scope):
        return ResourceSet.of(proxyless.resources(scope, served))
    client, findings = memo.get(("scope", scope.key), (scope,), lambda: _client(scope, memo))
    if served is None:
        return ResourceSet.of(client, (*findings, *gateway_conflicts.findings(Catalog(scope))))
    key = ("inbound", served.key)
    told = (*findings, *listener_conflicts.inbound(served))
    return ResourceSet.of([*client, *memo.get(key, (served,), lambda: _server(served))], told)


def _client(scope: Scope, memo: Memo) -> tuple[list[Resource], tuple[Finding, ...]]:
    catalog = Catalog(scope)
    certificates, findings = secrets.served(scope)
    found = [*clusters.outbound(catalog, memo), *certificates, *name_table.resources(catalog)]
    if scope.proxy_type is ProxyType.ROUTER:
        return [*found, *gateway.resources(catalog)], findings
    listeners, conflicts = outbound.listeners(catalog)
    return [*found, *listeners, *routes.outbound(catalog)], (*findings, *conflicts)


def _server(served: Inbound) -> list[Resource]:
    found = [resource(CLUSTER, cluster.name, cluster) for cluster in inbound.clusters(served)]
    listeners = (resource(LISTENER, listener.name, listener) for listener in inbound.listeners(served))
    return [*found, *secrets.of_inbound(served), *listeners]
