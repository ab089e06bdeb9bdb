"""Cluster DNS: names of services and pods; every other name is asked of the host's own resolver.

Records follow the Kubernetes DNS specification 1.1.0: ``svc.ns.svc.cluster.local`` (A, the cluster address or, headless,
every ready pod), ``hostname.svc.ns.svc.cluster.local``, ``1-2-3-4.ns.pod.cluster.local``, SRV of named ports, PTR.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

from dnslib import AAAA, CNAME, PTR, QTYPE, RCODE, RR, SRV, A, DNSError, DNSRecord  # type: ignore[attr-defined, unused-ignore]

_TTL_SECONDS = 5
_FORWARD_SECONDS = 3.0
"""For all of the host's resolvers together: clients give up after 5 s."""
_SMALLEST_DATAGRAM = 512
"""What a client takes over UDP that does not say more (RFC 1035 4.2.1, RFC 6891 6.2.3)."""
DOMAIN = "cluster.local"


class Records:
    """What the mesh's zone answers. Names are lower case without a final dot."""

    def __init__(self) -> None:
        self.addresses: dict[str, tuple[str, ...]] = {}
        self.aliases: dict[str, str] = {}
        self.ports: dict[str, tuple[tuple[int, str], ...]] = {}
        self.names: dict[str, str] = {}

    def answer(self, request: Any) -> Any | None:
        """The reply to one question, or None when the name is not ours."""
        name, kind = _name(request), QTYPE[request.q.qtype]
        if kind == "PTR" and name in self.names:
            return _reply(request, [RR(request.q.qname, QTYPE.PTR, rdata=PTR(self.names[name]), ttl=_TTL_SECONDS)])
        pod = _pod_address(name)
        found = (pod,) if pod else self.addresses.get(name)
        ours = name == DOMAIN or name.endswith("." + DOMAIN)
        if found is None and name not in self.aliases and name not in self.ports and not ours:
            return None
        answers = []
        if name in self.aliases and kind == "CNAME":
            answers.append(_alias(name, self.aliases[name]))
        if kind in ("A", "AAAA", "ANY"):
            answers += [_address(request, value) for value in found or () if (":" in value) == (kind == "AAAA")]
        if kind == "SRV":
            answers += [
                RR(request.q.qname, QTYPE.SRV, rdata=SRV(0, 100, port, host), ttl=_TTL_SECONDS)
                for port, host in self.ports.get(name, ())
            ]
        reply = _reply(request, answers)
        if not answers and found is None and name not in self.ports and not self._has_below(name):
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def _has_below(self, name: str) -> bool:
        return any(other.endswith("." + name) for other in self.addresses)

    def chain(self, name: str) -> list[str]:
        """``name`` and what its ExternalNames stand for, to the first that is none; a loop ends where it begins again."""
        found = [name]
        while (target := self.aliases.get(found[-1], "").rstrip(".").lower()) and target not in found:
            found.append(target)
        return found


def _alias(name: str, target: str) -> Any:
    return RR(name, QTYPE.CNAME, rdata=CNAME(target), ttl=_TTL_SECONDS)


def _name(request: Any) -> str:
    return str(request.q.qname).rstrip(".").lower()


def _behind(request: Any, chain: list[str], answer: Any) -> Any:
    """``answer`` about the last name of ``chain``, as one about its first."""
    aliases = [_alias(name, target) for name, target in itertools.pairwise(chain)]
    reply = _reply(request, [*aliases, *answer.rr])
    reply.header.rcode = answer.header.rcode
    return reply


def _packed(request: Any, reply: Any, *, datagram: bool = False) -> bytes:
    packed: bytes = reply.pack()
    if datagram and len(packed) > room(request):
        packed = reply.truncate().pack()
    return packed


def _address(request: Any, value: str) -> Any:
    data = AAAA(value) if ":" in value else A(value)
    return RR(request.q.qname, QTYPE.AAAA if ":" in value else QTYPE.A, rdata=data, ttl=_TTL_SECONDS)


def _reply(request: Any, answers: list[Any]) -> Any:
    reply = request.reply(ra=1, aa=1)
    for answer in answers:
        reply.add_answer(answer)
    return reply


def _pod_address(name: str) -> str:
    parts = name.split(".")
    if len(parts) != 5 or parts[2:] != ["pod", "cluster", "local"]:
        return ""
    numbers = parts[0].split("-")
    return ".".join(numbers) if len(numbers) == 4 and all(n.isdigit() and int(n) < 256 for n in numbers) else ""


class Server(asyncio.DatagramProtocol):
    """Answers over UDP and TCP. Questions that are not ours go to the resolvers of the host's resolv.conf.

    ``hosts`` of mizzen.yaml maps a name to an address, or to the cluster's own name of a service.
    """

    def __init__(self, hosts: Mapping[str, str], tasks: asyncio.TaskGroup) -> None:
        self.records = Records()
        self._hosts = {name.rstrip(".").lower(): address for name, address in hosts.items()}
        self._tasks = tasks
        self._transport: asyncio.DatagramTransport | None = None
        self._listener: asyncio.Server | None = None

    async def start(self, udp: socket.socket, tcp: socket.socket) -> None:
        """Serve on two sockets that were bound in the node namespace."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=udp)
        self._listener = await asyncio.start_server(self._stream, sock=tcp)

    def close(self) -> None:
        """Answer nobody any more."""
        if self._transport is not None:
            self._transport.close()
        if self._listener is not None:
            self._listener.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        local = self._local(data, datagram=True)
        if local is not None:
            self._send(local, addr)
        else:
            self._tasks.create_task(self._relay(data, addr))

    async def _relay(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._send(await self._elsewhere(data, datagram=True), addr)

    async def _elsewhere(self, data: bytes, *, datagram: bool = False) -> bytes:
        """The host's resolver's answer; for an ExternalName, its target's behind the aliases that lead there.

        Resolvers in programs do not follow an alias themselves: the server that they ask must (RFC 1034 5.3.1).
        """
        request = DNSRecord.parse(data)
        chain = self.records.chain(_name(request))
        if len(chain) == 1:
            return await forward(data)
        answer = await forward(DNSRecord.question(chain[-1], QTYPE[request.q.qtype]).pack())
        return _packed(request, _behind(request, chain, DNSRecord.parse(answer)), datagram=datagram)

    def _send(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)

    def _local(self, data: bytes, *, datagram: bool = False) -> bytes | None:
        """Our answer; empty for what is no question; None when somebody else must be asked.

        A ``datagram`` longer than the client takes says only that it is truncated: the client asks again over TCP.
        """
        try:
            request = DNSRecord.parse(data)
            if request.header.qr or not request.questions:
                return b""
            reply = self._known(request)
        except (DNSError, ValueError, KeyError, IndexError):
            return b""
        return None if reply is None else _packed(request, reply, datagram=datagram)

    def _known(self, request: Any) -> Any | None:
        name, wanted = _name(request), QTYPE[request.q.qtype]
        if name in self._hosts:
            found = [value for value in self._named(name) if wanted == ("AAAA" if ":" in value else "A")]
            return _reply(request, [_address(request, value) for value in found])
        chain = [name] if wanted == "CNAME" else self.records.chain(name)
        if len(chain) == 1:
            return self.records.answer(request)
        asked = DNSRecord.question(chain[-1], wanted)
        answer = _failure(asked) if chain[-1] in self.records.aliases else self._known(asked)
        return None if answer is None else _behind(request, chain, answer)

    def _named(self, name: str) -> tuple[str, ...]:
        """The addresses of a name of mizzen.yaml: one that is written there, or those of the service it names."""
        value = self._hosts[name]
        return (
            self.records.addresses.get(value.rstrip(".").lower(), ())
            if ":" not in value and value[-1:].isalpha()
            else (value,)
        )

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            while True:
                async with asyncio.timeout(10):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    data = await reader.readexactly(size)
                local = self._local(data)
                answer = local if local is not None else await self._elsewhere(data)
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        writer.close()


def room(request: Any) -> int:
    """How many bytes the client takes in one datagram: what it says in EDNS(0), else 512."""
    said = [int(extra.rclass) for extra in request.ar if extra.rtype == QTYPE.OPT]
    return max([_SMALLEST_DATAGRAM, *said])


def resolvers(text: str) -> list[str]:
    """The nameserver addresses of a resolv.conf, in order."""
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]


async def forward(data: bytes) -> bytes:
    """Ask the host's resolvers in turn; SERVFAIL when none answers in 3 s, so that the client does not hang."""
    try:
        servers = resolvers(Path("/etc/resolv.conf").read_text(encoding="utf-8"))
    except OSError:
        servers = []
    loop = asyncio.get_running_loop()
    for server in servers:
        with contextlib.suppress(OSError, TimeoutError):
            answer: asyncio.Future[bytes] = loop.create_future()
            question = _Question(data, answer)
            transport, _ = await loop.create_datagram_endpoint(partial(_same, question), remote_addr=(server, 53))
            try:
                return await asyncio.wait_for(answer, _FORWARD_SECONDS / len(servers))
            finally:
                transport.close()
    try:
        reply = _failure(DNSRecord.parse(data))
    except DNSError:
        return b""
    packed: bytes = reply.pack()
    return packed


def _failure(request: Any) -> Any:
    reply = request.reply()
    reply.header.rcode = RCODE.SERVFAIL
    return reply


def _same(question: _Question) -> _Question:
    return question


class _Question(asyncio.DatagramProtocol):
    def __init__(self, data: bytes, answer: asyncio.Future[bytes]) -> None:
        self._data = data
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.DatagramTransport", transport).sendto(self._data)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if not self._answer.done() and data[:2] == self._data[:2]:
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)
