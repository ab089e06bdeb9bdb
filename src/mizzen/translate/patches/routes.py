"""ROUTE_CONFIGURATION, VIRTUAL_HOST and HTTP_ROUTE patches (row EF-05)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from envoy.config.route.v3 import route_components_pb2, route_pb2

from mizzen.model.resources import ROUTE, Resource
from mizzen.translate.messages import resource
from mizzen.translate.patches.change import ADDS, MERGES, Change, edit_named, number
from mizzen.translate.patches.merge import merge

_Config = route_pb2.RouteConfiguration
_Host = route_components_pb2.VirtualHost
_Route = route_components_pb2.Route
INLINE = ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE")
_ACTIONS = {"ROUTE": "route", "REDIRECT": "redirect", "DIRECT_RESPONSE": "direct_response"}


def patched(
    routes: Mapping[str, Resource], changes: Iterable[Change], *, router: bool, ports: Mapping[int, int]
) -> Iterator[Resource]:
    """Every route configuration with its patches. ``ports``: a gateway's ports as written to those it listens on."""
    context = "GATEWAY" if router else "SIDECAR_OUTBOUND"
    own = [c for c in _ordered(changes) if c.context in ("ANY", context)]
    for original in routes.values():
        hits = [c for c in own if c.usable and _matches(c, original.name, router=router, ports=ports)]
        message = _Config.FromString(original.body) if hits else _Config()
        touched = False
        for change in hits:
            copy = _Config()
            copy.CopyFrom(message)
            if change.attempt(lambda c=change, m=copy: _apply(c, m)):  # type: ignore[misc]
                message, touched = copy, True
        yield resource(ROUTE, original.name, message) if touched else original


def patch_inline(change: Change, config: route_pb2.RouteConfiguration) -> bool:
    """Apply to the configuration of an inbound chain, named ``inbound|<container port>||``."""
    parts = config.name.split("|")
    port = change.route.get("portNumber")
    if port and (len(parts) != 4 or parts[1] != str(port)):
        return False
    if change.route.get("name") and change.route["name"] != config.name:
        return False
    return _apply(change, config)


def _ordered(changes: Iterable[Change]) -> list[Change]:
    """From outside in; within virtual hosts and routes removals and merges come before what is added (row EF-02)."""
    own = [c for c in changes if c.apply_to in INLINE]
    return sorted(own, key=lambda c: (INLINE.index(c.apply_to), c.operation in ADDS))


def _matches(change: Change, name: str, *, router: bool, ports: Mapping[int, int]) -> bool:
    wanted = change.route
    if wanted.get("name") and wanted["name"] != name:
        return False
    port = wanted.get("portNumber")
    if not router:
        return not port or name == str(port)
    return _matches_gateway(wanted, name, ports)


def _matches_gateway(wanted: Mapping[str, Any], name: str, ports: Mapping[int, int]) -> bool:
    """``http.<port>`` or ``https.<port as written>.<port name>.<gateway>.<namespace>`` (row GW-04)."""
    parts = name.split(".")
    port = number(wanted.get("portNumber"))
    if parts[0] == "https" and len(parts) >= 5:
        return (
            (not port or parts[1] == str(port))
            and (not wanted.get("portName") or wanted["portName"] == parts[2])
            and (not wanted.get("gateway") or wanted["gateway"] == f"{parts[4]}/{parts[3]}")
        )
    if wanted.get("portName") or wanted.get("gateway"):
        return False
    return not port or (len(parts) > 1 and parts[1] == str(ports.get(port, port)))


def _apply(change: Change, config: route_pb2.RouteConfiguration) -> bool:
    if change.apply_to == "ROUTE_CONFIGURATION":
        value = change.value(_Config) if change.operation in MERGES else None
        if value is not None:
            merge(config, value, replace_lists=change.operation == "MERGE_AND_REPLACE_LIST")
        return value is not None
    wanted = change.route.get("vhost") or {}
    if change.apply_to == "VIRTUAL_HOST":
        return _virtual_hosts(change, config, wanted)
    done = False
    for host in config.virtual_hosts:
        if _matches_host(wanted, host):
            done |= _routes(change, host, wanted.get("route") or {})
    return done


def _virtual_hosts(change: Change, config: route_pb2.RouteConfiguration, wanted: Mapping[str, Any]) -> bool:
    if change.operation in ADDS:
        value = change.value(_Host)
        if value is not None:
            config.virtual_hosts.append(value)
        return value is not None
    hits = [host for host in config.virtual_hosts if _matches_host(wanted, host)]
    if not hits:
        return False
    if change.operation == "REMOVE":
        kept = [host for host in config.virtual_hosts if not _matches_host(wanted, host)]
        del config.virtual_hosts[:]
        config.virtual_hosts.extend(kept)
        return True
    value = change.value(_Host)
    if value is None:
        return False
    for host in hits:
        if change.operation == "REPLACE":
            host.CopyFrom(value)
        else:
            merge(host, value, replace_lists=change.operation == "MERGE_AND_REPLACE_LIST")
    return True


def _routes(change: Change, host: route_components_pb2.VirtualHost, wanted: Mapping[str, Any]) -> bool:
    if change.operation in MERGES:
        value = change.value(_Route)
        hits = [route for route in host.routes if _matches_route(wanted, route)]
        for route in hits if value is not None else ():
            assert value is not None
            merge(route, value, replace_lists=change.operation == "MERGE_AND_REPLACE_LIST")
        return bool(hits) and value is not None
    named = bool(wanted.get("name")) or str(wanted.get("action") or "ANY") in _ACTIONS
    if change.operation == "INSERT_FIRST" and named and not any(_matches_route(wanted, r) for r in host.routes):
        return False
    if change.operation == "REPLACE":
        return False
    return edit_named(host.routes, change, _Route, lambda route: _matches_route(wanted, route), named=named)


def _matches_host(wanted: Mapping[str, Any], host: route_components_pb2.VirtualHost) -> bool:
    return (not wanted.get("name") or wanted["name"] == host.name) and (
        not wanted.get("domainName") or wanted["domainName"] in host.domains
    )


def _matches_route(wanted: Mapping[str, Any], route: route_components_pb2.Route) -> bool:
    action = _ACTIONS.get(str(wanted.get("action") or "ANY"))
    return (not wanted.get("name") or wanted["name"] == route.name) and (
        action is None or route.WhichOneof("action") == action
    )
