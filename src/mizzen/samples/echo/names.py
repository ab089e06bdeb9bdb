"""Questions to a name server: one name, both address families, over UDP or TCP."""

import asyncio
import contextlib
import socket

from dnslib import QTYPE, RCODE, DNSError, DNSRecord  # type: ignore[attr-defined, unused-ignore]

_SECONDS = 4.0


def configured(text: str) -> tuple[str, list[str], int]:
    """Name server, search domains and ndots of a resolv.conf."""
    server, search, ndots = "127.0.0.1", [], 1
    for line in reversed(text.splitlines()):
        words = line.split()
        if len(words) < 2:
            continue
        if words[0] == "nameserver":
            server = words[1]
        elif words[0] == "search":
            search = words[1:]
        for word in words[1:] if words[0] == "options" else ():
            if word.startswith("ndots:"):
                ndots = int(word.removeprefix("ndots:"))
    return server, search, ndots


def candidates(name: str, search: list[str], ndots: int) -> list[str]:
    """The names to ask for, in the order a resolver tries them."""
    if name.endswith("."):
        return [name]
    expanded = [f"{name}.{domain}" for domain in search]
    return [name, *expanded] if name.count(".") >= ndots else [*expanded, name]


async def addresses(name: str, proto: str = "udp", server: str = "") -> list[str]:
    """The sorted addresses of a name; empty when it has none. Raises OSError when nobody answers."""
    with open("/etc/resolv.conf", encoding="utf-8") as file:  # noqa: ASYNC230 - a few hundred bytes
        default, search, ndots = configured(file.read())
    for candidate in candidates(name, search, ndots):
        found: set[str] = set()
        for kind in ("A", "AAAA"):
            found |= await _ask(candidate, kind, proto, server or default)
        if found:
            return sorted(found)
    return []


async def _ask(name: str, kind: str, proto: str, server: str) -> set[str]:
    question = bytes(DNSRecord.question(name, kind).pack())
    host, _, port = server.partition(":") if server.count(":") == 1 else (server, "", "")
    ask = _tcp if proto.lower() == "tcp" else _udp
    try:
        async with asyncio.timeout(_SECONDS):
            reply = DNSRecord.parse(await ask(question, host, int(port or 53)))
    except (DNSError, asyncio.IncompleteReadError) as error:
        raise OSError(f"the name server's answer is malformed: {error}") from None
    if reply.header.rcode not in (RCODE.NOERROR, RCODE.NXDOMAIN):
        raise OSError(f"the name server answered {RCODE.get(reply.header.rcode)}")
    return {str(answer.rdata) for answer in reply.rr if QTYPE[answer.rtype] == kind}


async def _udp(question: bytes, host: str, port: int) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        for _ in range(2):
            await loop.sock_sendall(sock, question)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS / 2 - 0.1):
                    return await loop.sock_recv(sock, 65535)
    raise OSError("no answer from the name server")


async def _tcp(question: bytes, host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(len(question).to_bytes(2, "big") + question)
        size = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(size)
    finally:
        writer.close()
