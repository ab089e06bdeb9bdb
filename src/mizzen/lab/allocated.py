"""The addresses that hosts of ServiceEntries are given, written into their status as Istio's controller does (row SE-14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mizzen.api.decode import decode
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.lab.dns import DOMAIN
from mizzen.resolve.services import services

Raw = dict[str, Any]
_NEVER: tuple[Any, ...] = ()
_VARIABLE = "PILOT_ENABLE_IP_AUTOALLOCATE"


class Allocation:
    """Computes what the control plane computes, from the same objects, and only when one of these has changed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._on = environment.get(_VARIABLE, "").lower() not in ("false", "0", "f")
        self._seen: tuple[Any, ...] = _NEVER
        self._given: dict[tuple[str, str], str] = {}

    def statuses(self, entries: Sequence[Raw], others: Sequence[Raw]) -> list[tuple[Raw, Raw]]:
        """The entries whose status is another one now, with that status. ``others`` are the Kubernetes Services."""
        seen = tuple(_mark(raw) for raw in (*entries, *others))
        if seen != self._seen:
            self._given = _given(entries, others) if self._on else {}
            self._seen = seen
        found = []
        for raw in entries:
            status = _status(raw, self._given)
            if status != (raw.get("status") or {}):
                found.append((raw, status))
        return found


def _mark(raw: Raw) -> tuple[str, str, int, str]:
    """Changes with what allocation reads: specification and labels, but not with the status."""
    meta = raw["metadata"]
    return raw["kind"], meta.get("uid", ""), int(meta.get("generation", 0)), repr(meta.get("labels"))


def _given(entries: Sequence[Raw], others: Sequence[Raw]) -> dict[tuple[str, str], str]:
    """By namespace and host."""
    found = services(_objects(others), _objects(entries), {}, MeshConfig(), DOMAIN)
    return {(service.namespace, service.hostname): service.auto_address for service in found if service.auto_address}


def _objects(documents: Sequence[Raw]) -> dict[tuple[str, str], Object]:
    decoded = (decode(raw).object for raw in documents)
    return {(obj.namespace, obj.name): obj for obj in decoded if obj is not None}


def _status(raw: Raw, given: Mapping[tuple[str, str], str]) -> Raw:
    namespace, hosts = raw["metadata"].get("namespace", ""), (raw.get("spec") or {}).get("hosts") or []
    addresses = [{"value": given[(namespace, host)], "host": host} for host in hosts if (namespace, host) in given]
    rest = {name: value for name, value in (raw.get("status") or {}).items() if name != "addresses"}
    return {**rest, "addresses": addresses} if addresses else rest
