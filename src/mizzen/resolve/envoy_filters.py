"""Which EnvoyFilter patches are for a proxy, and in which order (rows EF-01, EF-02, EF-09, EF-10)."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from mizzen.api.envoy_filter import EnvoyConfigObjectPatch, EnvoyFilter
from mizzen.api.meta import Object
from mizzen.model.generated import GATEWAY_NAME
from mizzen.model.proxy import Proxy, ProxyType
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import NO_PATCHES, FilterPatch, Patches

_LONGEST_PATTERN = 1024
_CONTEXTS = {
    ProxyType.ROUTER: frozenset({"ANY", "GATEWAY"}),
    ProxyType.SIDECAR: frozenset({"ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND"}),
}


def patches(snapshot: Snapshot, proxy: Proxy) -> Patches:
    """Lower priority first; then the root namespace's, then the older; those of one object in their own order."""
    root = snapshot.mesh.root_namespace
    selected = [o for o in snapshot.envoy_filters if o.namespace in (root, proxy.namespace) and _selects(o, proxy)]
    selected.sort(key=lambda o: (o.body.priority, o.namespace != root, o.age_key))
    found = tuple(p for obj in selected for p in _of(obj, proxy))
    if not found:
        return NO_PATCHES
    return Patches(tuple((p.owner.namespace, p.owner.name, p.index) for p in found), found)


def _selects(obj: Object, proxy: Proxy) -> bool:
    body: EnvoyFilter = obj.body
    if body.target_refs:
        wanted = proxy.labels.get(GATEWAY_NAME)
        return any(
            ref.kind == "Gateway" and ref.name == wanted and obj.namespace == proxy.namespace
            for ref in body.target_refs
        )
    return body.workload_selector is None or body.workload_selector.matches(proxy.labels)


def _of(obj: Object, proxy: Proxy) -> Iterator[FilterPatch]:
    for index, patch in enumerate(obj.body.config_patches):
        context = patch.match.context if patch.match else "ANY"
        by_context = context in _CONTEXTS[proxy.type] or patch.apply_to == "EXTENSION_CONFIG"
        if by_context and _fits(patch, proxy):
            yield FilterPatch(obj, index, patch)


def _fits(patch: EnvoyConfigObjectPatch, proxy: Proxy) -> bool:
    wanted = patch.match.proxy if patch.match else None
    if wanted is None:
        return True
    if wanted.proxy_version and not _version_fits(wanted.proxy_version, proxy.version):
        return False
    known = {"NAMESPACE": proxy.namespace, "NAME": proxy.name, "CLUSTER_ID": proxy.cluster_id, **proxy.metadata}
    return all(known.get(key) == value for key, value in wanted.metadata.items())


def _version_fits(pattern: str, version: str) -> bool:
    """The pattern may match anywhere; a proxy without a version never fits (row EF-10)."""
    if not version or len(pattern) > _LONGEST_PATTERN:
        return False
    try:
        return re2.search(pattern, version) is not None
    except re2.error:
        return False
