"""VirtualService: hosts, gateways, and the tls and tcp lists; ``http_route`` judges the http list. Rows VS-01 to VS-58."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mizzen.api.virtual_service import L4MatchAttributes, RouteDestination, TLSMatchAttributes, VirtualService
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.check.validators import http_route, route_order
from mizzen.check.validators.http_route_destination import destination

_SNI_NAME = re.compile(r"outbound_\.\d+_\..*_\..+")
_LONGEST_NAME = 255


def validate(spec: VirtualService, notes: Notes) -> None:
    if not spec.hosts:
        _delegate(spec, notes)
    else:
        _root(spec, notes)
    applies_to_mesh = not spec.gateways or "mesh" in spec.gateways
    for index, route in enumerate(spec.http):
        http_route.validate(route, f"spec.http[{index}]", notes, delegate=not spec.hosts, mesh=applies_to_mesh)
    hosts = frozenset(spec.hosts)
    for index, tls in enumerate(spec.tls):
        _tls_matches(tls.match, hosts, f"spec.tls[{index}].match", notes)
        _weighted(tls.route, f"spec.tls[{index}].route", notes)
    for index, tcp in enumerate(spec.tcp):
        for position, match in enumerate(tcp.match):
            _l4_match(match, f"spec.tcp[{index}].match[{position}]", notes)
        _weighted(tcp.route, f"spec.tcp[{index}].route", notes)
    rules.export_to(notes, "spec.exportTo", spec.export_to)
    route_order.validate(spec, notes)


def _delegate(spec: VirtualService, notes: Notes) -> None:
    """Row VS-36: without hosts it can only be named by another VirtualService."""
    notes.need(not spec.gateways, "spec.gateways", "a delegate VirtualService has no gateways")
    notes.need(not spec.tls, "spec.tls", "a delegate VirtualService has only http routes")
    notes.need(not spec.tcp, "spec.tcp", "a delegate VirtualService has only http routes")
    notes.need(bool(spec.http), "spec.http", "at least one route is required")


def _root(spec: VirtualService, notes: Notes) -> None:
    for index, gateway in enumerate(spec.gateways):
        _gateway(gateway, f"spec.gateways[{index}]", notes)
    mesh = not spec.gateways or "mesh" in spec.gateways
    for index, host in enumerate(spec.hosts):
        path = f"spec.hosts[{index}]"
        if host == "*" and mesh:
            notes.error(path, "'*' needs gateways without mesh: it would take over every host of the mesh")
        elif not (_SNI_NAME.fullmatch(host) and not mesh):
            rules.host_or_ip(notes, path, host)
    _overlap(spec.hosts, notes)
    notes.need(bool(spec.http or spec.tls or spec.tcp), "spec", "one of http, tls and tcp is required")


def _overlap(hosts: Sequence[str], notes: Notes) -> None:
    """Row VS-01: hosts of one VirtualService may not overlap. Each is told once, with one of the others."""
    first: dict[str, int] = {}
    for index, host in enumerate(hosts):
        first.setdefault(host, index)
    told: dict[int, int] = {}
    for index, host in enumerate(hosts):
        if first[host] != index:
            told[index] = first[host]
            continue
        for wide in _wider(host):
            other = first.get(wide, index)
            if other != index:
                told.setdefault(max(index, other), min(index, other))
    for later, earlier in sorted(told.items()):
        notes.error(f"spec.hosts[{later}]", f"{hosts[later]!r} overlaps with {hosts[earlier]!r}")


def _wider(host: str) -> Iterator[str]:
    """Every wildcard that covers a host, itself included if it is one."""
    return (f"*{host[start:]}" for start in range(max(1, len(host) - _LONGEST_NAME), len(host) + 1))


def _gateway(name: str, path: str, notes: Notes) -> None:
    if name == "mesh":
        return
    namespace, slash, short = name.rpartition("/")
    if slash:
        ok = namespace == "." or rules.DNS_LABEL.fullmatch(namespace) is not None
        notes.need(ok and rules.fqdn(short), path, f"{name!r} is no gateway: NAME, NAMESPACE/NAME or mesh")
    elif notes.need(rules.fqdn(name), path, f"{name!r} is no gateway: NAME, NAMESPACE/NAME or mesh") and "." in name:
        notes.warn(path, "this form is old; write NAMESPACE/NAME", codes.DEPRECATED)


def _tls_matches(matches: Sequence[TLSMatchAttributes], hosts: frozenset[str], path: str, notes: Notes) -> None:
    notes.need(bool(matches), path, "a tls route needs a match with sniHosts")
    for position, match in enumerate(matches):
        where = f"{path}[{position}]"
        notes.need(bool(match.sni_hosts), f"{where}.sniHosts", "sniHosts is required")
        for number, sni in enumerate(match.sni_hosts):
            _sni(sni, hosts, f"{where}.sniHosts[{number}]", notes)
        _l4_match(match, where, notes)


def _sni(sni: str, hosts: frozenset[str], path: str, notes: Notes) -> None:
    if _SNI_NAME.fullmatch(sni):
        return
    if rules.is_ip(sni):
        notes.warn(path, "clients send no SNI for an address")
    elif rules.wildcard_host(notes, path, sni):
        covered = sni in hosts or any(wide in hosts for wide in _wider(sni))
        notes.need(covered, path, f"{sni!r} is none of the hosts of this VirtualService")


def _l4_match(match: L4MatchAttributes | TLSMatchAttributes, path: str, notes: Notes) -> None:
    for index, subnet in enumerate(match.destination_subnets):
        notes.need(rules.is_cidr(subnet), f"{path}.destinationSubnets[{index}]", f"{subnet!r} is no subnet")
    if match.port:
        rules.port(notes, f"{path}.port", match.port)
    http_route.source(match, path, notes)
    if isinstance(match, L4MatchAttributes) and match.source_subnet:
        notes.warn(f"{path}.sourceSubnet", "sourceSubnet has no effect")


def _weighted(routes: Sequence[RouteDestination], path: str, notes: Notes) -> None:
    if not notes.need(bool(routes), path, "a route is required"):
        return
    for index, route in enumerate(routes):
        destination(route.destination, f"{path}[{index}].destination", notes)
    http_route.weights([route.weight for route in routes], path, notes)
