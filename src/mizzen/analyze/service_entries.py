"""ServiceEntries without addresses, and such that contradict each other (IST0134, IST0177)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.hosts import EVERYWHERE, scopes
from mizzen.analyze.reading import items
from mizzen.api.service_entry import ServiceEntry
from mizzen.model.finding import Finding

_CAPTURE, _ALLOCATE = "ISTIO_META_DNS_CAPTURE", "ISTIO_META_DNS_AUTO_ALLOCATE"
_ALLOCATE_AT_CONTROL_PLANE = "PILOT_ENABLE_IP_AUTOALLOCATE"


def addresses_required(estate: Estate) -> Iterator[Finding]:
    said = estate.mesh.default_config.proxy_metadata
    allocated = any(said.get(name) == "true" for name in (_ALLOCATE, _ALLOCATE_AT_CONTROL_PLANE))
    if said.get(_CAPTURE) == "true" and allocated:
        return
    for subject in estate.decoded("ServiceEntry"):
        body: ServiceEntry = subject.body
        if body.addresses or items(subject.raw, "status", "addresses"):
            continue
        for index, port in enumerate(body.ports):
            if port.protocol.upper() in ("", "TCP"):
                yield subject.finding("IST0134", f"spec.ports[{index}].name")


_Spot = tuple[str, int]
"""Host and port number."""


def conflicting_protocols(estate: Estate) -> Iterator[Finding]:
    """Entries that are seen together and give a port different protocols."""
    uses: dict[_Spot, dict[str, list[tuple[Subject, str]]]] = defaultdict(lambda: defaultdict(list))
    for subject in estate.decoded("ServiceEntry"):
        body: ServiceEntry = subject.body
        for host in body.hosts:
            for port in body.ports:
                for scope in scopes(body.export_to, subject.namespace):
                    uses[(host, port.number)][scope].append((subject, port.protocol.upper()))
    for (host, number), by_scope in uses.items():
        yield from _conflict(host, number, by_scope)


def _conflict(host: str, number: int, by_scope: dict[str, list[tuple[Subject, str]]]) -> Iterator[Finding]:
    everywhere = by_scope.get(EVERYWHERE, [])
    told: set[int] = set()
    for scope, own in by_scope.items():
        together = own if scope == EVERYWHERE else [*own, *everywhere]
        protocols = sorted({protocol for _, protocol in together})
        if len(protocols) < 2:
            continue
        names = ", ".join(sorted({subject.full_name for subject, _ in together}))
        for subject, _ in together:
            if id(subject) not in told:
                told.add(id(subject))
                said = ", ".join(protocols)
                yield subject.finding("IST0177", "metadata.name", names=names, host=host, port=number, protocols=said)
