"""A name server on loopback, UDP and TCP on one port, that answers as a function says and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from dnslib import QTYPE, RR, A, DNSRecord

from mizzen.agent.dns.server import bound

Answer = Callable[[DNSRecord], "DNSRecord | bytes | None"]


def address(value: str) -> Answer:
    """Every name has this address."""

    def answer(request: DNSRecord) -> DNSRecord:
        reply = request.reply()
        reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(value), ttl=7))
        return reply

    return answer


@dataclass
class NameServer:
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(protocol, name)."""

    @property
    def place(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)


@asynccontextmanager
async def name_server(answer: Answer) -> AsyncIterator[NameServer]:
    """``answer`` gives a reply, the raw bytes of one, or None for silence."""
    server = NameServer()

    def reply_to(data: bytes, protocol: str) -> bytes | None:
        request = DNSRecord.parse(data)
        server.asked.append((protocol, str(request.q.qname)))
        reply = answer(request)
        return reply if reply is None or isinstance(reply, bytes) else bytes(reply.pack())

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            reply = reply_to(data, "udp")
            if reply is not None:
                self.transport.sendto(reply, addr)

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        reply = reply_to(data, "tcp")
        if reply is not None:
            writer.write(len(reply).to_bytes(2, "big") + reply)
            await writer.drain()
        writer.close()

    udp, tcp = bound("127.0.0.1", 0)
    server.port = udp.getsockname()[1]
    listener = await asyncio.start_server(stream, sock=tcp)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, sock=udp)
    try:
        yield server
    finally:
        transport.close()
        listener.close()
