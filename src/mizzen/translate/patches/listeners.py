"""LISTENER, LISTENER_FILTER, FILTER_CHAIN, NETWORK_FILTER and HTTP_FILTER patches (rows EF-02 to EF-04, EF-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.model.resources import LISTENER, Resource
from mizzen.translate.messages import any_of, resource
from mizzen.translate.patches.change import ADDS, MERGES, Change, edit_named, number
from mizzen.translate.patches.merge import merge, merge_packed
from mizzen.translate.patches.routes import INLINE, patch_inline

_Listener = listener_pb2.Listener
_Hcm = hcm_pb2.HttpConnectionManager
_HCM = "envoy.filters.network.http_connection_manager"
_ROUTER = "envoy.filters.http.router"
_KINDS = ("LISTENER", "LISTENER_FILTER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER")
_CAPTURING = ("virtualInbound", "virtualOutbound")
_Act = Callable[[Change, listener_pb2.Listener], bool]


def patched(listeners: Mapping[str, Resource], changes: Iterable[Change], *, router: bool) -> Iterator[Resource]:
    """Every listener with its patches, from outside in, then those that are added."""
    own = [c for c in changes if c.apply_to in _KINDS or c.apply_to in INLINE]
    seen: set[str] = set()
    for original in listeners.values():
        found = _Patching(original, own, router=router).result() if own else original
        if found is not None:
            seen.add(found.name)
            yield found
    for change in own:
        if change.apply_to != "LISTENER" or change.operation not in ADDS:
            continue
        added = change.value(_Listener)
        if added is not None and added.name not in seen:
            seen.add(added.name)
            change.applied()
            yield resource(LISTENER, added.name, added)


class _Patching:
    """One listener while patches are applied to it. A patch that fails leaves the message as it was before it."""

    def __init__(self, original: Resource, changes: Iterable[Change], *, router: bool) -> None:
        self._original = original
        self._message = _Listener.FromString(original.body)
        self._router = router
        context = "GATEWAY" if router else "SIDECAR_OUTBOUND"
        if not router and self._message.traffic_direction == base_pb2.INBOUND:
            context = "SIDECAR_INBOUND"
        self._changes = [c for c in changes if c.context in ("ANY", context)]
        self._inbound = context == "SIDECAR_INBOUND"
        self._touched = False

    def result(self) -> Resource | None:
        if self._removed():
            return None
        self._run("LISTENER", _merge_listener)
        self._run("LISTENER_FILTER", _listener_filter)
        self._run("FILTER_CHAIN", _filter_chain)
        self._run("NETWORK_FILTER", _network_filters)
        self._run("HTTP_FILTER", _http_filters)
        for kind in INLINE if self._inbound else ():
            self._run(kind, _inline_routes)
        return resource(LISTENER, self._original.name, self._message) if self._touched else self._original

    def _removed(self) -> bool:
        for change in self._of("LISTENER"):
            if change.operation == "REMOVE" and self._matches_listener(change, below=False):
                change.applied()
                return True
        return False

    def _run(self, kind: str, act: _Act) -> None:
        """Within a filter list what adds and removes runs before what merges (row EF-02)."""
        filters = kind in ("NETWORK_FILTER", "HTTP_FILTER")
        for change in sorted(self._of(kind), key=lambda c: filters and c.operation in MERGES):
            if kind in INLINE or self._matches_listener(change, below=kind != "LISTENER"):
                self._apply(change, act)

    def _of(self, kind: str) -> Iterator[Change]:
        return (c for c in self._changes if c.apply_to == kind and c.usable)

    def _apply(self, change: Change, act: _Act) -> None:
        copy = _Listener()
        copy.CopyFrom(self._message)
        if change.attempt(lambda: act(change, copy)):
            self._message, self._touched = copy, True

    def _matches_listener(self, change: Change, *, below: bool) -> bool:
        """The port is the socket's; below a capturing listener it is the chain's and judged there (row EF-03)."""
        wanted = change.listener
        if wanted.get("name") and wanted["name"] != self._message.name:
            return False
        port = wanted.get("portNumber")
        if not port or (below and self._message.name in _CAPTURING):
            return True
        return bool(number(port) == self._message.address.socket_address.port_value)


def _merge_listener(change: Change, listener: listener_pb2.Listener) -> bool:
    value = change.value(_Listener) if change.operation in MERGES else None
    if value is None:
        return False
    merge(listener, value, replace_lists=change.operation == "MERGE_AND_REPLACE_LIST")
    return True


def _listener_filter(change: Change, listener: listener_pb2.Listener) -> bool:
    wanted = str(change.listener.get("listenerFilter") or "")
    if change.operation in MERGES:
        return bool(wanted) and _merge_filters(listener.listener_filters, change, components.ListenerFilter, wanted)
    return edit_named(
        listener.listener_filters,
        change,
        components.ListenerFilter,
        lambda item: bool(item.name == wanted),
        named=bool(wanted),
    )


def _filter_chain(change: Change, listener: listener_pb2.Listener) -> bool:
    if change.operation in ADDS:
        value = change.value(components.FilterChain)
        if value is not None:
            listener.filter_chains.append(value)
        return value is not None
    hits = [c for c in _chains(listener) if _matches_chain(change, c, listener)]
    if change.operation == "REMOVE":
        kept = [c for c in listener.filter_chains if c not in hits]
        if any(c is listener.default_filter_chain for c in hits):
            listener.ClearField("default_filter_chain")
        del listener.filter_chains[:]
        listener.filter_chains.extend(kept)
    elif change.operation in MERGES:
        value = change.value(components.FilterChain)
        if value is None:
            return False
        for chain in hits:
            merge(chain, value, replace_lists=change.operation == "MERGE_AND_REPLACE_LIST")
    else:
        return False
    return bool(hits)


def _network_filters(change: Change, listener: listener_pb2.Listener) -> bool:
    wanted = _filter_match(change).get("name") or ""
    done = False
    for chain in _chains(listener):
        if not _matches_chain(change, chain, listener):
            continue
        if change.operation in MERGES:
            done |= _merge_filters(chain.filters, change, components.Filter, wanted)
        else:
            done |= edit_named(
                chain.filters, change, components.Filter, lambda item: bool(item.name == wanted), named=bool(wanted)
            )
    return done


def _http_filters(change: Change, listener: listener_pb2.Listener) -> bool:
    """In every HTTP connection manager that matches; ``filter.name`` may only name the manager."""
    outer = _filter_match(change)
    if outer.get("name") and outer["name"] != _HCM:
        return False
    wanted = (outer.get("subFilter") or {}).get("name") or ""
    done = False
    for chain in _chains(listener):
        if not _matches_chain(change, chain, listener):
            continue
        for item in chain.filters:
            if item.name == _HCM:
                done |= _in_manager(item, change, wanted)
    return done


def _in_manager(item: components.Filter, change: Change, wanted: str) -> bool:
    manager = _Hcm()
    item.typed_config.Unpack(manager)
    if change.operation in MERGES:
        done = _merge_filters(manager.http_filters, change, hcm_pb2.HttpFilter, wanted)
    else:
        done = edit_named(
            manager.http_filters,
            change,
            hcm_pb2.HttpFilter,
            lambda one: bool(one.name == wanted),
            named=bool(wanted),
        )
    if done:
        _router_last(manager)
        item.typed_config.CopyFrom(any_of(manager))
    return done


def _router_last(manager: hcm_pb2.HttpConnectionManager) -> None:
    """Envoy refuses a whole listener for a filter behind the router, so the patch is refused instead (row EF-16)."""
    behind = [item.name for item in manager.http_filters]
    if _ROUTER in behind and behind[-1] != _ROUTER:
        raise ValueError(f"{behind[-1]} would stand behind the router, where Envoy takes no filter; use INSERT_BEFORE")


def _inline_routes(change: Change, listener: listener_pb2.Listener) -> bool:
    """The route configurations of inbound chains stand in the connection manager itself (row EF-05)."""
    done = False
    for chain in _chains(listener):
        for item in chain.filters:
            if item.name != _HCM:
                continue
            manager = _Hcm()
            item.typed_config.Unpack(manager)
            if manager.HasField("route_config") and patch_inline(change, manager.route_config):
                item.typed_config.CopyFrom(any_of(manager))
                done = True
    return done


def _merge_filters(items: Iterable[Any], change: Change, kind: Any, wanted: str) -> bool:
    """Without a filter match every filter in scope is merged with (row EF-11)."""
    value = change.value(kind)
    if value is None:
        return False
    hits = [item for item in items if not wanted or item.name == wanted]
    for item in hits:
        if value.HasField("typed_config"):
            merge_packed(item.typed_config, value.typed_config)
        rest = kind()
        rest.CopyFrom(value)
        rest.ClearField("typed_config")
        merge(item, rest)
    return bool(hits)


def _filter_match(change: Change) -> dict[str, Any]:
    found = (change.listener.get("filterChain") or {}).get("filter")
    return found if isinstance(found, dict) else {}


def _chains(listener: listener_pb2.Listener) -> list[Any]:
    default = [listener.default_filter_chain] if listener.HasField("default_filter_chain") else []
    return [*listener.filter_chains, *default]


def _matches_chain(change: Change, chain: Any, listener: listener_pb2.Listener) -> bool:
    wanted = change.listener.get("filterChain") or {}
    match = chain.filter_chain_match
    port = change.listener.get("portNumber")
    if port and listener.name in _CAPTURING and match.destination_port.value != number(port):
        return False
    protocols = [p.strip() for p in str(wanted.get("applicationProtocols") or "").split(",") if p.strip()]
    destination = wanted.get("destinationPort")
    return (
        (not wanted.get("name") or wanted["name"] == chain.name)
        and (not wanted.get("sni") or wanted["sni"] in match.server_names)
        and (not wanted.get("transportProtocol") or wanted["transportProtocol"] == match.transport_protocol)
        and all(protocol in match.application_protocols for protocol in protocols)
        and (not destination or match.destination_port.value == number(destination))
    )
