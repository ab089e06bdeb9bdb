"""The zone of the mesh."""

import asyncio
import socket
from typing import Any

import pytest
from dnslib import EDNS0, QTYPE, RCODE, RR, A, DNSRecord

from mizzen.lab.dns import Records, Server, resolvers, room


def records() -> Records:
    found = Records()
    found.addresses["web.default.svc.cluster.local"] = ("10.9.0.1",)
    found.aliases["e.default.svc.cluster.local"] = "example.com"
    found.ports["_http._tcp.web.default.svc.cluster.local"] = ((80, "web.default.svc.cluster.local"),)
    found.names["1.0.9.10.in-addr.arpa"] = "web.default.svc.cluster.local"
    return found


def ask(name: str, kind: str = "A") -> Any:
    return records().answer(DNSRecord.question(name, kind))


def test_a_service_in_any_case() -> None:
    assert [str(r.rdata) for r in ask("Web.Default.svc.cluster.local").rr] == ["10.9.0.1"]


def test_no_ipv6_address_is_an_empty_answer_not_an_unknown_name() -> None:
    answer = ask("web.default.svc.cluster.local", "AAAA")
    assert (answer.header.rcode, answer.rr) == (RCODE.NOERROR, [])


def test_unknown_names_of_the_zone_end_here() -> None:
    assert ask("nobody.default.svc.cluster.local").header.rcode == RCODE.NXDOMAIN


def test_other_names_are_somebody_elses() -> None:
    assert ask("example.com") is None


def test_pod_names_aliases_ports_and_reverse_names() -> None:
    assert str(ask("10-9-1-7.default.pod.cluster.local").rr[0].rdata) == "10.9.1.7"
    assert str(ask("e.default.svc.cluster.local", "CNAME").rr[0].rdata).startswith("example.com")
    assert ask("_http._tcp.web.default.svc.cluster.local", "SRV").rr[0].rdata.port == 80
    reverse = ask("1.0.9.10.in-addr.arpa", "PTR").rr[0]
    assert QTYPE[reverse.rtype] == "PTR"


def test_resolvers_of_the_host() -> None:
    assert resolvers("search x\nnameserver 1.2.3.4\n# no\nnameserver ::1\n") == ["1.2.3.4", "::1"]


def test_a_client_says_how_much_it_takes_in_one_datagram() -> None:
    question = DNSRecord.question("web.default.svc.cluster.local")
    assert room(question) == 512
    question.add_ar(EDNS0(udp_len=1232))
    assert room(DNSRecord.parse(question.pack())) == 1232


async def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp() -> None:
    loop = asyncio.get_running_loop()
    udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
    for each in (udp, tcp):
        each.bind(("127.0.0.1", 0))
        each.setblocking(False)
    question = DNSRecord.question("many.default.svc.cluster.local").pack()
    async with asyncio.TaskGroup() as tasks:
        server = Server({}, tasks)
        server.records.addresses["many.default.svc.cluster.local"] = tuple(f"10.9.1.{n}" for n in range(100))
        await server.start(udp, tcp)
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.connect(udp.getsockname())
            await loop.sock_sendall(client, question)
            short = DNSRecord.parse(await asyncio.wait_for(loop.sock_recv(client, 4096), 5))
        reader, writer = await asyncio.open_connection(*tcp.getsockname())
        writer.write(len(question).to_bytes(2, "big") + question)
        size = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 5), "big")
        whole = DNSRecord.parse(await reader.readexactly(size))
        writer.close()
        await writer.wait_closed()
        server.close()
    assert (short.header.tc, len(short.rr)) == (1, 0)
    assert (whole.header.tc, len(whole.rr)) == (0, 100)


async def test_a_name_of_the_settings_is_an_address_or_follows_a_service() -> None:
    async with asyncio.TaskGroup() as tasks:
        server = Server(
            {"fixed.test": "192.0.2.1", "moving.test": "web.default.svc.cluster.local", "gone.test": "x.y"}, tasks
        )
        server.records = records()

        def answers(name: str) -> list[str]:
            packed = server._local(DNSRecord.question(name).pack())
            return [str(r.rdata) for r in DNSRecord.parse(packed or b"").rr]

        assert answers("fixed.test") == ["192.0.2.1"]
        assert answers("moving.test") == ["10.9.0.1"]
        assert answers("gone.test") == []


def answered(server: Server, name: str, kind: str = "A") -> Any:
    return DNSRecord.parse(server._local(DNSRecord.question(name, kind).pack()) or b"")


async def test_an_external_name_brings_the_addresses_of_its_target_along() -> None:
    async with asyncio.TaskGroup() as tasks:
        server = Server({"far.test": "192.0.2.7"}, tasks)
        server.records = records()
        server.records.aliases |= {
            "near.default.svc.cluster.local": "Web.default.svc.cluster.local.",
            "next.default.svc.cluster.local": "near.default.svc.cluster.local",
            "far.default.svc.cluster.local": "far.test",
            "one.default.svc.cluster.local": "other.default.svc.cluster.local",
            "other.default.svc.cluster.local": "one.default.svc.cluster.local",
            "lost.default.svc.cluster.local": "nobody.default.svc.cluster.local",
        }
        found = [
            (str(r.rname), QTYPE[r.rtype], str(r.rdata)) for r in answered(server, "next.default.svc.cluster.local").rr
        ]
        assert found == [
            ("next.default.svc.cluster.local.", "CNAME", "near.default.svc.cluster.local."),
            ("near.default.svc.cluster.local.", "CNAME", "web.default.svc.cluster.local."),
            ("web.default.svc.cluster.local.", "A", "10.9.0.1"),
        ]
        assert [str(r.rdata) for r in answered(server, "far.default.svc.cluster.local").rr] == [
            "far.test.",
            "192.0.2.7",
        ]
        assert answered(server, "one.default.svc.cluster.local").header.rcode == RCODE.SERVFAIL
        assert answered(server, "lost.default.svc.cluster.local").header.rcode == RCODE.NXDOMAIN
        other_family = answered(server, "near.default.svc.cluster.local", "AAAA")
        assert (other_family.header.rcode, len(other_family.rr)) == (RCODE.NOERROR, 1)


async def test_an_external_name_outside_the_mesh_is_asked_of_the_hosts_resolver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def forward(data: bytes) -> bytes:
        request = DNSRecord.parse(data)
        asked.append(str(request.q.qname))
        reply = request.reply()
        reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A("192.0.2.9"), ttl=60))
        packed: bytes = reply.pack()
        return packed

    monkeypatch.setattr("mizzen.lab.dns.forward", forward)
    question = DNSRecord.question("E.default.svc.cluster.local")
    async with asyncio.TaskGroup() as tasks:
        server = Server({}, tasks)
        server.records = records()
        assert server._local(question.pack()) is None
        reply = DNSRecord.parse(await server._elsewhere(question.pack()))
    assert asked == ["example.com."]
    assert [str(r.rdata) for r in reply.rr] == ["example.com.", "192.0.2.9"]
    assert reply.header.id == question.header.id
