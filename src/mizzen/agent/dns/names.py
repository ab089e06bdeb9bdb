"""The names of the mesh as this pod may say them (row DN-02). Pure."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KUBERNETES, EXTERNAL = "Kubernetes", "External"
_KINDS = (EXTERNAL, KUBERNETES)
_SERVICES = ".svc."


def packed(info: dict[str, Any]) -> Any:
    """One host's entry as bytes: its registry, then each address behind its length. Any other dict stays as it is.

    As ``json``'s object hook it keeps a table of ten thousand hosts from ever being ten thousand dicts.
    """
    if not isinstance(info.get("ips"), list):
        return info
    addresses = [found for text in info["ips"] if (found := _address(str(text)))]
    return bytes((info.get("registry") == KUBERNETES,)) + b"".join(bytes((len(a),)) + a for a in addresses)


@dataclass(frozen=True, slots=True)
class Found:
    """``alias`` is the name that has the addresses, when it is another one than was asked for."""

    addresses: tuple[bytes, ...]
    alias: str = ""


class Names:
    """``table`` is the control plane's, by host, each entry a dict or :func:`packed`; ``domain`` the proxy's, such as
    ``shop.svc.cluster.local``; ``search`` the first search domain of resolv.conf."""

    def __init__(self, table: Mapping[str, Any], domain: str, namespace: str, search: str = "") -> None:
        self._entries: dict[str, bytes] = {}
        for host, info in table.items():
            entry = packed(info) if isinstance(info, dict) else info
            if isinstance(entry, bytes) and len(entry) > 1:
                self._entries[host.lower()] = entry
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
            return Found(_addresses(entry))
        stem = name.removesuffix(self._search) if self._search else name
        if stem and stem != name and (entry := self._exact(stem) or self._wildcard(stem)) is not None:
            return Found(_addresses(entry), stem)
        entry = self._wildcard(name)
        return Found(_addresses(entry)) if entry is not None else None

    def document(self) -> dict[str, Any]:
        """The table as the control plane sent it."""
        return {host: _document(host, entry) for host, entry in sorted(self._entries.items())}

    def _exact(self, name: str) -> bytes | None:
        return self._entries.get(name) or next(self._short(name), None)

    def _short(self, name: str) -> Iterator[bytes]:
        """``name.ns.svc``, ``name.ns`` and, of the own namespace, ``name``: only services of the proxy's own domain."""
        if name.endswith("." + self._first):
            hosts = [f"{name}.{self._rest}"]
        else:
            hosts = [f"{name}.{self._domain}", f"{name}.{self._namespace}.{self._domain}"]
        for host in hosts:
            entry = self._entries.get(host)
            if entry is not None and entry[0]:
                yield entry

    def _wildcard(self, name: str) -> bytes | None:
        while (dot := name.find(".")) >= 0:
            name = name[dot + 1 :]
            if (entry := self._entries.get("*." + name)) is not None:
                return entry
        return None


def _addresses(entry: bytes) -> tuple[bytes, ...]:
    found, at = [], 1
    while at < len(entry):
        found.append(entry[at + 1 : at + 1 + entry[at]])
        at += 1 + entry[at]
    return tuple(found)


def _document(host: str, entry: bytes) -> dict[str, Any]:
    """A Kubernetes service's short name and namespace are those of its host."""
    found: dict[str, Any] = {"ips": [_text(a) for a in _addresses(entry)], "registry": _KINDS[entry[0]]}
    if entry[0]:
        found["shortname"], _, found["namespace"] = host.partition(_SERVICES)[0].rpartition(".")
    return found


def _address(text: str) -> bytes:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except OSError:
        return b""


def _text(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
