"""The names of the mesh as this pod may say them (row DN-02). Pure."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One host: packed addresses of both families. ``shortname`` and ``namespace`` are a Kubernetes service's, else empty."""

    addresses: tuple[bytes, ...]
    registry: str = ""
    shortname: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """``alias`` is the name that has the addresses, when it is another one than was asked for."""

    addresses: tuple[bytes, ...]
    alias: str = ""


class Names:
    """``table`` is the control plane's, by host; ``domain`` the proxy's, such as ``shop.svc.cluster.local``; ``search``
    the first search domain of resolv.conf."""

    def __init__(self, table: Mapping[str, Mapping[str, Any]], domain: str, namespace: str, search: str = "") -> None:
        self._entries = dict(_read(table))
        self._namespace = namespace
        self._domain = domain.removeprefix(f"{namespace}.").lower()
        self._first, _, self._rest = self._domain.partition(".")
        self._search = "." + search.rstrip(".").lower() if search else ""

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: str) -> Found | None:
        """What ``name`` (lower case, no final dot) stands for; None when it is not one of the mesh's.

        A resolver's first try often is the name with the first search domain behind it: that is answered as an alias,
        which saves the client every other try. An exact name beats a wildcard, a longer wildcard a shorter one.
        """
        entry = self._exact(name)
        if entry is not None:
            return Found(entry.addresses)
        stem = name.removesuffix(self._search) if self._search else name
        if stem and stem != name and (entry := self._exact(stem) or self._wildcard(stem)) is not None:
            return Found(entry.addresses, stem)
        entry = self._wildcard(name)
        return Found(entry.addresses) if entry is not None else None

    def document(self) -> dict[str, Any]:
        """The table as the control plane sent it."""
        return {
            host: {"ips": [_text(a) for a in entry.addresses], "registry": entry.registry}
            | ({"shortname": entry.shortname, "namespace": entry.namespace} if entry.shortname else {})
            for host, entry in sorted(self._entries.items())
        }

    def _exact(self, name: str) -> Entry | None:
        return self._entries.get(name) or next(self._short(name), None)

    def _short(self, name: str) -> Iterator[Entry]:
        """``name.ns.svc``, ``name.ns`` and, of the own namespace, ``name``: only hosts of the proxy's own domain."""
        if name.endswith("." + self._first):
            full = self._entries.get(f"{name}.{self._rest}")
            if full is not None and full.shortname:
                yield full
            return
        for full, place in (
            (self._entries.get(f"{name}.{self._domain}"), ""),
            (self._entries.get(f"{name}.{self._namespace}.{self._domain}"), f".{self._namespace}"),
        ):
            if full is not None and f"{full.shortname}.{full.namespace}" == name + place:
                yield full

    def _wildcard(self, name: str) -> Entry | None:
        while (dot := name.find(".")) >= 0:
            name = name[dot + 1 :]
            if (entry := self._entries.get("*." + name)) is not None:
                return entry
        return None


def _read(table: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Entry]]:
    for host, info in table.items():
        addresses = tuple(packed for text in info.get("ips") or () if (packed := _packed(str(text))))
        if addresses:
            # Thousands of entries share a few namespaces and one registry.
            registry, namespace = sys.intern(str(info.get("registry", ""))), sys.intern(str(info.get("namespace", "")))
            yield host.lower(), Entry(addresses, registry, str(info.get("shortname", "")), namespace)


def _packed(text: str) -> bytes:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_pton(family, text)
    except OSError:
        return b""


def _text(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
