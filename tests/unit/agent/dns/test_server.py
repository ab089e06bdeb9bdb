"""The proxy on real sockets: whose names it answers, and what it asks of others."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from dnslib import EDNS0, QTYPE, RCODE, RR, A, DNSRecord

from mizzen.agent.dns import message
from mizzen.agent.dns.counters import Counters
from mizzen.agent.dns.names import Names
from mizzen.agent.dns.server import Server, bound
from mizzen.agent.dns.upstream import Upstream
from tests.fakes.name_server import NameServer, address, name_server

MANY = tuple(f"10.0.1.{n}" for n in range(100))
TABLE = {
    "web.shop.svc.cluster.local": {
        "ips": ["10.0.0.1"],
        "registry": "Kubernetes",
        "shortname": "web",
        "namespace": "shop",
    },
    "many.test": {"ips": list(MANY), "registry": "External"},
}
NAMES = Names(TABLE, "shop.svc.cluster.local", "shop", "shop.svc.cluster.local")


@dataclass
class Proxy:
    server: Server
    port: int
    counters: Counters
    others: NameServer

    async def raw(self, data: bytes, *, tcp: bool = False) -> bytes:
        async with asyncio.timeout(5):
            if tcp:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(len(data).to_bytes(2, "big") + data)
                found = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                writer.close()
                return found
            loop = asyncio.get_running_loop()
            with socket.socket(type=socket.SOCK_DGRAM) as client:
                client.setblocking(False)
                client.connect(("127.0.0.1", self.port))
                await loop.sock_sendall(client, data)
                return await loop.sock_recv(client, 65535)

    async def ask(self, name: str, kind: str = "A", *, tcp: bool = False, room: int = 0) -> DNSRecord:
        question = DNSRecord.question(name, kind)
        if room:
            question.add_ar(EDNS0(udp_len=room))
        return DNSRecord.parse(await self.raw(question.pack(), tcp=tcp))


@asynccontextmanager
async def proxy(names: Names | None = NAMES, *, early: bool = False, value: str = "192.0.2.1") -> AsyncIterator[Proxy]:
    counters = Counters()
    async with name_server(address(value)) as others, asyncio.TaskGroup() as tasks:
        server = Server(Upstream([others.place], counters, timeout=2), counters, tasks, early=early)
        server.names = names
        port = await server.start("127.0.0.1", 0)
        try:
            yield Proxy(server, port, counters, others)
        finally:
            await server.close()


def values(reply: DNSRecord) -> list[str]:
    return [str(r.rdata) for r in reply.rr]


@pytest.mark.parametrize("tcp", [False, True])
async def test_names_of_the_mesh_are_answered_here_and_others_asked(tcp: bool) -> None:
    async with proxy() as it:
        assert values(await it.ask("WEB.shop.svc.cluster.local", tcp=tcp)) == ["10.0.0.1"]
        assert it.others.asked == []
        assert values(await it.ask("far.test", tcp=tcp)) == ["192.0.2.1"]
        assert it.others.asked == [("tcp" if tcp else "udp", "far.test.")]
        assert (it.counters.requests, it.counters.upstream) == (2, 1)


async def test_only_addresses_are_answered_here() -> None:
    async with proxy() as it:
        nothing = await it.ask("web.shop", "AAAA")
        assert (nothing.header.rcode, nothing.rr) == (RCODE.NOERROR, [])
        assert it.others.asked == []
        for kind in ("SRV", "TXT", "PTR"):
            await it.ask("web.shop", kind)
        assert len(it.others.asked) == 3


async def test_the_first_search_domain_is_an_alias() -> None:
    async with proxy() as it:
        reply = await it.ask("web.shop.shop.svc.cluster.local")
        assert [QTYPE[r.rtype] for r in reply.rr] == ["CNAME", "A"]
        assert values(reply) == ["web.shop.", "10.0.0.1"]


async def test_long_answers_are_cut_over_udp_shuffled_and_whole_over_tcp() -> None:
    async with proxy() as it:
        short = await it.ask("many.test")
        assert (short.header.tc, len(short.rr) < 100) == (1, True)
        roomy = await it.ask("many.test", room=4000)
        assert (roomy.header.tc, len(roomy.rr)) == (0, 100)
        orders = {tuple(values(await it.ask("many.test", tcp=True))) for _ in range(3)}
        assert len(orders) > 1
        assert all(sorted(order) == sorted(MANY) for order in orders)


async def test_an_answer_of_others_that_is_too_long_is_cut_too() -> None:
    def long(request: DNSRecord) -> DNSRecord:
        reply = request.reply()
        for value in MANY:
            reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(value), ttl=7))
        return reply

    counters = Counters()
    async with name_server(long) as others, asyncio.TaskGroup() as tasks:
        server = Server(Upstream([others.place], counters), counters, tasks)
        server.names = NAMES
        it = Proxy(server, await server.start("127.0.0.1", 0), counters, others)
        cut = await it.ask("far.test")
        assert (cut.header.tc, cut.rr) == (1, [])
        assert len((await it.ask("far.test", tcp=True)).rr) == 100
        await server.close()


async def test_before_the_first_table_everything_fails_unless_others_may_answer_early() -> None:
    async with proxy(None) as it:
        assert (await it.ask("far.test")).header.rcode == RCODE.SERVFAIL
        assert it.others.asked == []
        it.server.names = NAMES
        assert values(await it.ask("web")) == ["10.0.0.1"]
    async with proxy(None, early=True) as it:
        assert values(await it.ask("far.test")) == ["192.0.2.1"]


async def test_when_nobody_answers_the_client_is_told() -> None:
    counters = Counters()
    async with asyncio.TaskGroup() as tasks, name_server(address("192.0.2.1")) as others:
        server = Server(Upstream([("127.0.0.1", 9)], counters, timeout=0.2), counters, tasks)
        server.names = NAMES
        it = Proxy(server, await server.start("127.0.0.1", 0), counters, others)
        for tcp in (False, True):
            assert (await it.ask("far.test", tcp=tcp)).header.rcode == RCODE.SERVFAIL
        await server.close()
    assert counters.failures == 2


@pytest.mark.parametrize("tcp", [False, True])
async def test_rubbish_is_answered_and_harms_nobody(tcp: bool) -> None:
    async with proxy() as it:
        broken = DNSRecord.parse(await it.raw(DNSRecord.question("web.shop").pack()[:-2], tcp=tcp))
        assert broken.header.rcode == RCODE.FORMERR
        odd = DNSRecord.question("web.shop").pack()
        assert values(DNSRecord.parse(await it.raw(odd[:12] + b"\x08web.shop\0\0\x01\0\x01", tcp=tcp))) == ["192.0.2.1"]
        assert values(await it.ask("web", tcp=tcp)) == ["10.0.0.1"]


async def test_questions_beyond_the_limit_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mizzen.agent.dns.server.MOST", 0)
    async with proxy() as it:
        assert (await it.ask("far.test")).header.rcode == RCODE.SERVFAIL
        assert values(await it.ask("web")) == ["10.0.0.1"]


async def test_several_questions_on_one_connection() -> None:
    async with proxy() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        for name in ("web", "far.test", "web.shop"):
            data = DNSRecord.question(name).pack()
            writer.write(len(data).to_bytes(2, "big") + data)
            async with asyncio.timeout(5):
                found = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            assert message.answers_to(found, message.parse(data).id, message.parse(data))
        writer.close()


@pytest.mark.parametrize("taken", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_that_one_protocol_cannot_have_leaves_nothing_open(taken: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, taken) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        if taken is socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(OSError, match="in use"):
            bound("127.0.0.1", port)
    udp, tcp = bound("127.0.0.1", port)
    assert udp.getsockname() == tcp.getsockname() == ("127.0.0.1", port)
    udp.close()
    tcp.close()


def test_any_port_is_one_that_both_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = socket.socket.bind, []

    class Grudging(socket.socket):
        def bind(self, address: Any) -> None:
            if self.type is socket.SOCK_DGRAM and len(refused) < 3:
                refused.append(address)
                raise OSError(98, "Address already in use")
            real(self, address)

    monkeypatch.setattr(socket, "socket", Grudging)
    udp, tcp = bound("127.0.0.1", 0)
    assert len(refused) == 3
    assert udp.getsockname() == tcp.getsockname()
    udp.close()
    tcp.close()
