"""What resolv.conf says to a DNS proxy: whom to ask, and which name a client most likely tries first (rows DN-01 to DN-03)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

EVERYWHERE = Path("/etc/resolv.conf")
BEFORE_US = Path("/var/lib/istio/resolv.conf")
"""The machine's file as it was, where the proxy itself stands in resolv.conf."""
DNS = 53


@dataclass(frozen=True)
class Resolv:
    """``servers`` are addresses in the file's order; ``search`` is the first search domain, or empty."""

    servers: tuple[str, ...] = ()
    search: str = ""


def read(text: str) -> Resolv:
    """Lines that cannot be read are passed over, as resolvers do. The last ``search`` or ``domain`` counts."""
    servers, search = [], ""
    for words in (line.split() for line in text.splitlines()):
        if len(words) < 2:
            continue
        if words[0] == "nameserver" and _is_address(words[1]):
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            search = words[1]
    return Resolv(tuple(dict.fromkeys(servers)), search.rstrip("."))


def load(port: int, paths: Iterable[Path] = (BEFORE_US, EVERYWHERE)) -> Resolv:
    """The file for a proxy on ``port``: one on 53 may be what resolv.conf names, so the file of before comes first."""
    before, everywhere = paths
    for path in (before, everywhere) if port == DNS else (everywhere,):
        try:
            return read(path.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
    return Resolv()


def listening(address: str, servers: Iterable[str]) -> tuple[list[str], int]:
    """Hosts and port of ``DNS_PROXY_ADDR``; ``localhost`` is loopback of each family that the servers are of.

    Raises ValueError when it is no host and port.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ValueError(f"DNS_PROXY_ADDR={address!r} is not host:port")
    if host not in ("localhost", ""):
        return [host.strip("[]")], int(port)
    families = {":" in server for server in servers} or {False}
    return ["::1" if six else "127.0.0.1" for six in sorted(families)], int(port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
