"""VirtualServices with every name made full, and delegates merged in (rows VS-01, VS-02, VS-27)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.api.virtual_service import (
    Destination,
    HTTPMatchRequest,
    HTTPRoute,
    HTTPRouteDestination,
    L4MatchAttributes,
    RouteDestination,
    TLSMatchAttributes,
    VirtualService,
)
from mizzen.model.config import ObjectKey
from mizzen.model.finding import Finding
from mizzen.model.hosts import full_name
from mizzen.resolve import exports
from mizzen.resolve.delegates import merged

MESH = "mesh"
_Match = TypeVar("_Match", HTTPMatchRequest, L4MatchAttributes, TLSMatchAttributes)
_Weighted = TypeVar("_Weighted", HTTPRouteDestination, RouteDestination)


def virtual_services(
    objects: Mapping[ObjectKey, Object], mesh: MeshConfig, domain: str
) -> tuple[tuple[Object, ...], tuple[Finding, ...]]:
    """All root VirtualServices, oldest first. Those without hosts are delegates and serve through their root only."""
    resolved = {key: _resolve(obj, mesh, domain) for key, obj in objects.items()}
    roots: list[Object] = []
    findings: list[Finding] = []
    for obj in sorted(resolved.values(), key=lambda o: o.age_key):
        if obj.body.hosts:
            root, problems = merged(obj, resolved)
            roots.append(root)
            findings += problems
    return tuple(roots), tuple(findings)


def gateway_name(written: str, namespace: str) -> str:
    """``mesh``, or ``namespace/name``; the old form ``name.namespace[.svc.domain]`` is read too (row VS-02)."""
    if written == MESH:
        return MESH
    if "/" in written:
        where, _, name = written.partition("/")
        return f"{namespace if where == '.' else where}/{name}"
    if "." in written:
        name, where = written.split(".")[:2]
        return f"{where}/{name}"
    return f"{namespace}/{written}"


def _resolve(obj: Object, mesh: MeshConfig, domain: str) -> Object:
    body: VirtualService = obj.body
    namespace = obj.namespace
    return replace(
        obj,
        body=replace(
            body,
            hosts=tuple(full_name(host.lower(), namespace, domain) for host in body.hosts),
            gateways=_gateways(body.gateways, namespace) or ((MESH,) if body.hosts else ()),
            http=tuple(_http(route, namespace, domain) for route in body.http),
            tls=tuple(
                replace(r, match=_matches(r.match, namespace), route=_weighted(r.route, namespace, domain))
                for r in body.tls
            ),
            tcp=tuple(
                replace(r, match=_matches(r.match, namespace), route=_weighted(r.route, namespace, domain))
                for r in body.tcp
            ),
            export_to=exports.resolved(body.export_to, mesh.default_virtual_service_export_to, namespace),
        ),
    )


def _http(route: HTTPRoute, namespace: str, domain: str) -> HTTPRoute:
    return replace(
        route,
        match=_matches(route.match, namespace),
        route=_weighted(route.route, namespace, domain),
        mirror=_destination(route.mirror, namespace, domain),
        mirrors=tuple(replace(m, destination=_destination(m.destination, namespace, domain)) for m in route.mirrors),
    )


def _matches(matches: tuple[_Match, ...], namespace: str) -> tuple[_Match, ...]:
    return tuple(replace(match, gateways=_gateways(match.gateways, namespace)) for match in matches)


def _gateways(names: Iterable[str], namespace: str) -> tuple[str, ...]:
    return tuple(gateway_name(name, namespace) for name in names)


def _weighted(routes: tuple[_Weighted, ...], namespace: str, domain: str) -> tuple[_Weighted, ...]:
    return tuple(replace(route, destination=_destination(route.destination, namespace, domain)) for route in routes)


def _destination(destination: Destination | None, namespace: str, domain: str) -> Destination | None:
    return replace(destination, host=full_name(destination.host, namespace, domain)) if destination else None
