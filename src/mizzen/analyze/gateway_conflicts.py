"""Gateways that get into each other's way (IST0138, IST0145)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.selection import expression, selects
from mizzen.api.gateway import Gateway, Server
from mizzen.model.finding import Finding


def duplicate_certificates(estate: Estate) -> Iterator[Finding]:
    """One certificate at two gateways of the same pods."""
    gateways = estate.decoded("Gateway")
    by_certificate: dict[tuple[str, ...], list[Subject]] = defaultdict(list)
    for gateway in gateways:
        for certificate in _certificates(gateway.body):
            by_certificate[certificate].append(gateway)
    for gateway in gateways:
        rivals = {id(other): other for c in _certificates(gateway.body) for other in by_certificate[c]}
        for other in gateways if len(rivals) > 1 else ():
            if other is not gateway and id(other) in rivals and selects(gateway.body.selector, other.body.selector):
                both = f"{gateway.full_name}, {other.full_name}"
                yield gateway.finding("IST0138", "metadata.name", gateways=both)


def _certificates(body: Gateway) -> list[tuple[str, ...]]:
    """What the servers show, each once: the name of a secret, or two files."""
    found: list[tuple[str, ...]] = []
    for server in body.servers:
        tls = server.tls
        if tls is not None and tls.credential_name:
            found.append((tls.credential_name,))
        elif tls is not None and tls.server_certificate and tls.private_key:
            found.append((tls.server_certificate, tls.private_key))
    return list(dict.fromkeys(found))


_Place = tuple[int, str]
"""Port number and bind."""


def conflicting_gateways(estate: Estate) -> Iterator[Finding]:
    """Servers of two gateways that claim one host of one port, where some pod may belong to both."""
    by_place: dict[_Place, dict[str, list[Subject]]] = defaultdict(lambda: defaultdict(list))
    gateways = estate.decoded("Gateway")
    for gateway in gateways:
        for place, server in _last_servers(gateway.body).items():
            for host in dict.fromkeys(server.hosts):
                by_place[place][host].append(gateway)
    meeting = _Meeting(estate)
    for gateway in gateways:
        for index, server in enumerate(gateway.body.servers):
            claimed = by_place.get(_place(server), {})
            rivals = {
                id(other): other
                for host in server.hosts
                for other in claimed.get(host, ())
                if other is not gateway and meeting.of(gateway.body.selector, other.body.selector)
            }
            if rivals:
                yield gateway.finding(
                    "IST0145",
                    f"spec.servers[{index}].port.number",
                    gateways=",".join(sorted(other.full_name for other in rivals.values())),
                    selector=expression(gateway.body.selector),
                    port=_place(server)[0],
                    hosts=",".join(server.hosts),
                )


def _place(server: Server) -> _Place:
    return (server.port.number if server.port is not None else 0), server.bind


def _last_servers(body: Gateway) -> dict[_Place, Server]:
    """Of several servers at one place Istio compares the last one only."""
    return {_place(server): server for server in body.servers}


class _Meeting:
    """Whether two selectors can mean the same gateway pods; each pair is looked at once."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[str, str], bool] = {}

    def of(self, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
        names = expression(one), expression(other)
        if names[0] == names[1]:
            return True
        if names not in self._known:
            within = names[0] in names[1] or names[1] in names[0]
            both = {**one, **other}
            alike = all(one.get(key, value) == value for key, value in other.items())
            self._known[names] = within and alike and bool(self._estate.pods_with(both))
        return self._known[names]
