"""Snapshot and Proxy to ProxyView. Proxies with equal keys get the same Scope and Inbound objects."""

from __future__ import annotations

from collections.abc import Hashable

from mizzen.model.locality import topology
from mizzen.model.proxy import PROXY_FLAGS, Proxy, ProxyType
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import Inbound, ProxyView, Scope
from mizzen.resolve import conduct, extensions
from mizzen.resolve.client_labels import labels_read
from mizzen.resolve.envoy_filters import patches
from mizzen.resolve.inbound import inbound
from mizzen.resolve.policies import policies_of
from mizzen.resolve.scope import scope
from mizzen.resolve.selection import leading


def view(snapshot: Snapshot, proxy: Proxy, previous: ProxyView | None = None) -> ProxyView:
    """What ``proxy`` may see and serves. ``previous`` is its last view: an equal Inbound is kept as the same object."""
    found = _scope(snapshot, proxy)
    own = patches(snapshot, proxy)
    if proxy.type is ProxyType.ROUTER:
        return ProxyView(found, patches=own, plugins=extensions.plugins(snapshot, proxy))
    served = inbound(snapshot, proxy)
    served = snapshot.interned.setdefault(("inbound", served.key), served)
    if previous is not None and previous.inbound is not None and _equal(previous.inbound, served):
        served = snapshot.interned[("inbound", served.key)] = previous.inbound
    return ProxyView(found, served, own, extensions.plugins(snapshot, proxy))


def _scope(snapshot: Snapshot, proxy: Proxy) -> Scope:
    """The Scope of ``proxy``: taken from the table of this snapshot, else made and put there."""
    labels = _relevant_labels(snapshot, proxy)
    key: Hashable = (
        "scope",
        proxy.type,
        proxy.namespace,
        proxy.cluster_id,
        proxy.network,
        proxy.locality,
        tuple(sorted(labels.items())),
        tuple((flag, proxy.flags[flag]) for flag in PROXY_FLAGS if flag in proxy.flags),
        conduct.key(snapshot, proxy),
        snapshot.secret_access.allows(proxy.namespace, proxy.service_account),
        extensions.names(extensions.of_proxy(snapshot, proxy.namespace, proxy.labels)),
        _router_key(snapshot, proxy) if proxy.type is ProxyType.ROUTER else (),
    )
    found = snapshot.interned.get(key)
    if found is None:
        found = snapshot.interned[key] = scope(snapshot, proxy, key, labels)
    assert isinstance(found, Scope)
    return found


def _relevant_labels(snapshot: Snapshot, proxy: Proxy) -> dict[str, str]:
    names = set(labels_read(snapshot))
    if proxy.type is ProxyType.ROUTER:
        names |= {key for obj in snapshot.gateways for key in obj.body.selector}
    labels = {**topology(proxy.network, proxy.cluster_id, proxy.node_name), **proxy.labels}
    return {key: value for key, value in labels.items() if key in names}


def _router_key(snapshot: Snapshot, proxy: Proxy) -> Hashable:
    """What else tells routers apart: the services that lead to them and the policies on them."""
    ports = tuple((service.hostname, port.number, behind) for service, port, behind in leading(snapshot, proxy))
    own = policies_of(snapshot, proxy.namespace, proxy.labels)
    names = tuple(
        (o.kind, o.namespace, o.name)
        for group in (own.custom, own.audit, own.deny, own.allow, own.request_authentications)
        for o in group
    )
    return (ports, names, proxy.service_account)


def _equal(old: Inbound, new: Inbound) -> bool:
    return (
        old.key == new.key
        and old.mesh is new.mesh
        and old.mtls == new.mtls
        and old.ports == new.ports
        and old.unlisted == new.unlisted
        and old.policies == new.policies
        and old.conduct == new.conduct
        and old.extensions == new.extensions
    )
