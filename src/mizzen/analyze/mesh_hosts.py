"""Hosts of the mesh that several VirtualServices define (IST0109)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.hosts import EVERYWHERE, full, scopes
from mizzen.analyze.routed_gateways import MESH
from mizzen.api.virtual_service import VirtualService
from mizzen.model.finding import Finding
from mizzen.model.hosts import covers, is_wildcard


def conflicting_hosts(estate: Estate) -> Iterator[Finding]:
    claims: dict[tuple[str, str], list[Subject]] = defaultdict(list)
    for subject in estate.decoded("VirtualService"):
        body: VirtualService = subject.body
        if body.gateways and MESH not in body.gateways:
            continue
        for scope in scopes(body.export_to, subject.namespace):
            for host in body.hosts:
                claims[(scope, full(host, subject.namespace))].append(subject)
    public = _Public(claims)
    for (scope, host), own in claims.items():
        together = own if scope == EVERYWHERE else [*own, *public.overlapping(host)]
        if len(together) > 1:
            involved = list(dict.fromkeys(together))
            names = ",".join(sorted(subject.full_name for subject in involved))
            for subject in involved:
                yield subject.finding("IST0109", "metadata.name", names=names, host=f"{scope}/{host}")


class _Public:
    """The hosts that are claimed everywhere."""

    def __init__(self, claims: dict[tuple[str, str], list[Subject]]) -> None:
        self._by_host = {host: own for (scope, host), own in claims.items() if scope == EVERYWHERE}
        self._wild = [host for host in self._by_host if is_wildcard(host)]

    def overlapping(self, host: str) -> list[Subject]:
        """Who claims this host, or a wildcard over or under it."""
        candidates = self._by_host if is_wildcard(host) else [host, *self._wild]
        return [
            subject
            for other in dict.fromkeys(candidates)
            if covers(other, host) or covers(host, other)
            for subject in self._by_host.get(other, ())
        ]
