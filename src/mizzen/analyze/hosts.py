"""Host names of the mesh as the analysis sees them (rules R1 and R2 of the rows)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import blocks, number

EVERYWHERE = "*"
_EXPORT = "networking.istio.io/exportTo"
_DOMAIN = "svc.cluster.local"


def full(host: str, namespace: str) -> str:
    """Rule R1: a short name belongs to ``namespace``; everything else stays as it is."""
    if "." in host or host.startswith("*"):
        return host
    return f"{host}.{namespace}.{_DOMAIN}"


def scopes(export_to: Sequence[str], namespace: str) -> list[str]:
    """Where an object is visible: ``*`` for everywhere, else namespaces."""
    if not export_to or EVERYWHERE in export_to:
        return [EVERYWHERE]
    return [namespace if entry == "." else entry for entry in export_to]


@dataclass
class Known:
    """One host: its ports by number, and the objects that declare it."""

    ports: list[int] = field(default_factory=list)
    subjects: list[Subject] = field(default_factory=list)


class Hosts:
    """Every host of Services and ServiceEntries, by where it is visible."""

    def __init__(self, estate: Estate) -> None:
        self._known: dict[tuple[str, str], Known] = {}
        self._wild: dict[str, list[str]] = {}
        for service in estate.of("Service"):
            exported = [part.strip() for part in service.annotations.get(_EXPORT, "").split(",") if part.strip()]
            ports = [number(port, "port") for port in blocks(service.raw, "spec", "ports")]
            self._add(f"{service.name}.{service.namespace}.{_DOMAIN}", exported, ports, service)
        for entry in estate.decoded("ServiceEntry"):
            ports = [port.number for port in entry.body.ports]
            for host in entry.body.hosts:
                self._add(full(host, entry.namespace), entry.body.export_to, ports, entry)

    def _add(self, host: str, export_to: Sequence[str], ports: Iterable[int], subject: Subject) -> None:
        for scope in scopes(export_to, subject.namespace):
            known = self._known.setdefault((scope, host), Known())
            known.ports += [port for port in ports if port not in known.ports]
            known.subjects.append(subject)
            if host.startswith("*"):
                self._wild.setdefault(scope, []).append(host)

    def find(self, host: str, namespace: str, export_to: Sequence[str] = ()) -> Known | None:
        """Rule R2: the host that an object in ``namespace`` with this ``exportTo`` means."""
        name = full(host, namespace)
        asking = [namespace if entry == "." else entry for entry in export_to] or [namespace]
        for scope in (EVERYWHERE, *asking):
            known = self._known.get((scope, name))
            if known is not None:
                return known
        ending = host.removeprefix("*")
        for scope in (EVERYWHERE, namespace):
            for wild in self._wild.get(scope, ()):
                if ending.endswith(wild[1:]):
                    return self._known[(scope, wild)]
        return None


def hosts_of(estate: Estate) -> Hosts:
    """The hosts of an estate, computed once for it."""
    found = estate.memo.get("hosts")
    if not isinstance(found, Hosts):
        found = estate.memo["hosts"] = Hosts(estate)
    return found
