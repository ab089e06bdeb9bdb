"""Others are asked: one after the other or all at once, over the protocol that the client used."""

import pytest
from dnslib import RCODE, DNSRecord

from mizzen.agent.dns import message
from mizzen.agent.dns.counters import Counters
from mizzen.agent.dns.upstream import Upstream
from tests.fakes.name_server import address, name_server

DATA = DNSRecord.question("far.test").pack()
QUESTION = message.parse(DATA)
NOBODY = ("127.0.0.1", 9)


def first(found: bytes | None) -> str:
    assert found is not None
    return str(DNSRecord.parse(found).rr[0].rdata)


@pytest.mark.parametrize("tcp", [False, True])
async def test_the_answer_comes_under_the_clients_number_by_the_same_protocol(tcp: bool) -> None:
    async with name_server(address("192.0.2.1")) as server:
        found = await Upstream([server.place], Counters()).ask(QUESTION, DATA, tcp=tcp)
    assert first(found) == "192.0.2.1"
    assert found is not None
    assert DNSRecord.parse(found).header.id == QUESTION.id
    assert server.asked == [("tcp" if tcp else "udp", "far.test.")]


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("tcp", [False, True])
async def test_a_server_that_is_not_there_is_passed_over(parallel: bool, tcp: bool) -> None:
    async with name_server(address("192.0.2.1")) as server:
        for _ in range(4):  # the order is random
            upstream = Upstream([NOBODY, server.place], Counters(), timeout=1, parallel=parallel)
            assert first(await upstream.ask(QUESTION, DATA, tcp=tcp)) == "192.0.2.1"


async def test_a_silent_server_costs_its_time_one_by_one_and_nothing_in_parallel() -> None:
    counters = Counters()
    async with name_server(lambda request: None) as silent, name_server(address("192.0.2.1")) as server:
        upstream = Upstream([silent.place, server.place], counters, timeout=30, parallel=True)
        assert first(await upstream.ask(QUESTION, DATA, tcp=False)) == "192.0.2.1"
        assert await Upstream([silent.place], counters, timeout=0.05).ask(QUESTION, DATA, tcp=False) is None
    assert (counters.upstream, counters.failures) == (2, 1)


async def test_that_a_name_does_not_exist_is_an_answer() -> None:
    def unknown(request: DNSRecord) -> DNSRecord:
        reply = request.reply()
        reply.header.rcode = RCODE.NXDOMAIN
        return reply

    counters = Counters()
    async with name_server(unknown) as server:
        found = await Upstream([server.place], counters).ask(QUESTION, DATA, tcp=False)
    assert found is not None
    assert DNSRecord.parse(found).header.rcode == RCODE.NXDOMAIN
    assert counters.failures == 0


@pytest.mark.parametrize("tcp", [False, True])
async def test_an_answer_to_another_question_is_none(tcp: bool) -> None:
    def forged(request: DNSRecord) -> bytes:
        other = DNSRecord.question("evil.test")
        other.header.id = request.header.id
        return bytes(address("6.6.6.6")(other).pack())  # type: ignore[union-attr]

    async with name_server(forged) as server:
        assert await Upstream([server.place], Counters(), timeout=0.2).ask(QUESTION, DATA, tcp=tcp) is None


async def test_without_servers_there_is_no_answer() -> None:
    assert await Upstream([], Counters()).ask(QUESTION, DATA, tcp=False) is None
    assert await Upstream([], Counters(), parallel=True).ask(QUESTION, DATA, tcp=False) is None
