"""The virtual hosts of a gateway's route configurations (rows GW-06, GW-10, GW-27, VS-07)."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.model import generated
from mizzen.translate.catalog import Catalog
from mizzen.translate.gateway_server import BoundServer, attached
from mizzen.translate.http.routes import Place, routes
from mizzen.translate.virtual_hosts import counted


def virtual_hosts(catalog: Catalog, servers: list[BoundServer]) -> list[route.VirtualHost]:
    """One virtual host per host and number. Routes of several VirtualServices join, catch-alls behind (row VS-07)."""
    hosts: dict[tuple[str, int], list[route.Route]] = {}
    redirected: set[tuple[str, int]] = set()
    for bound in servers:
        place = Place(catalog, bound.number, frozenset({bound.owner}), tls=bound.terminates)
        redirects = bound.redirects
        if generated.of_gateway_api(bound.gateway):
            # A listener keeps its host to itself, also while no route has attached to it (row GA-07).
            hosts |= {
                (host, bound.number): hosts.get((host, bound.number), []) for _, host in bound.hosts if host != "*"
            }
        if redirects:
            redirected |= {(host, bound.number) for _, host in bound.hosts}
        for obj, names_ in attached(catalog, bound):
            found = routes(obj, place) if obj.body.http else []
            for host in names_ if found else ():
                known = hosts.setdefault((host, bound.number), [])
                known += [r for r in found if r not in known]
                if redirects:
                    redirected.add((host, bound.number))
    for key in redirected:
        hosts.setdefault(key, [])
    made = [_virtual_host(host, number, found, (host, number) in redirected) for (host, number), found in hosts.items()]
    if not made:
        return [route.VirtualHost(name=f"blackhole:{servers[0].number}", domains=["*"])]
    return counted(catalog, _distinct(sorted(made, key=lambda v: v.name)))


def _virtual_host(host: str, number: int, found: list[route.Route], redirect: bool) -> route.VirtualHost:
    ordered = sorted(found, key=_is_catch_all)
    message = route.VirtualHost(
        name=f"{host}:{number}", domains=[host], routes=ordered, include_request_attempt_count=True
    )
    if redirect:
        message.require_tls = route.VirtualHost.ALL
    return message


def _distinct(hosts: list[route.VirtualHost]) -> list[route.VirtualHost]:
    """Two server numbers may lead to one listener port: a domain may then occur once only."""
    found: dict[str, route.VirtualHost] = {}
    for host in hosts:
        found.setdefault(host.domains[0], host)
    return list(found.values())


def _is_catch_all(entry: route.Route) -> bool:
    match = entry.match
    everything = match.prefix == "/" or match.safe_regex.regex in (".*", "*")
    return everything and not (match.headers or match.query_parameters or match.dynamic_metadata)
