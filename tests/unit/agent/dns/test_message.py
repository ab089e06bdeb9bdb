"""Questions and answers on the wire, with another implementation as the judge."""

import socket

import pytest
from dnslib import CLASS, EDNS0, QTYPE, RCODE, DNSHeader, DNSQuestion, DNSRecord

from mizzen.agent.dns import message
from mizzen.agent.dns.message import BadMessage, Question


def asked(name: str, kind: str = "A", room: int = 0) -> bytes:
    question = DNSRecord.question(name, kind)
    if room:
        question.add_ar(EDNS0(udp_len=room))
    packed: bytes = question.pack()
    return packed


def v4(*texts: str) -> list[bytes]:
    return [socket.inet_aton(text) for text in texts]


def test_a_question_is_read_in_lower_case_and_repeated_as_it_was_sent() -> None:
    data = asked("Web.Shop.svc.Cluster.Local", "AAAA")
    question = message.parse(data)
    assert (question.name, question.kind, question.room, question.edns) == (
        "web.shop.svc.cluster.local",
        28,
        512,
        False,
    )
    assert str(DNSRecord.parse(message.answer(question, [])).q.qname) == "Web.Shop.svc.Cluster.Local."


def test_what_the_client_takes_in_a_datagram() -> None:
    question = message.parse(asked("a.b", room=1400))
    assert (question.room, question.edns) == (1400, True)
    assert message.parse(asked("a.b", room=100)).room == 512
    reply = DNSRecord.parse(message.answer(question, v4("10.0.0.1")))
    assert [QTYPE[r.rtype] for r in reply.ar] == ["OPT"]
    assert DNSRecord.parse(message.answer(message.parse(asked("a.b")), v4("10.0.0.1"))).ar == []


def test_an_answer_is_authoritative_and_lives_30_seconds() -> None:
    data = asked("web.shop")
    reply = DNSRecord.parse(message.answer(message.parse(data), v4("10.0.0.1", "10.0.0.2")))
    assert reply.header.id == DNSRecord.parse(data).header.id
    assert (reply.header.qr, reply.header.aa, reply.header.ra, reply.header.rd, reply.header.tc) == (1, 1, 1, 1, 0)
    found = [(str(r.rname), CLASS[r.rclass], QTYPE[r.rtype], r.ttl, str(r.rdata)) for r in reply.rr]
    assert found == [("web.shop.", "IN", "A", 30, "10.0.0.1"), ("web.shop.", "IN", "A", 30, "10.0.0.2")]


def test_an_alias_stands_before_the_addresses_it_leads_to() -> None:
    question = message.parse(asked("web.bank.shop.svc.cluster.local", "AAAA"))
    reply = DNSRecord.parse(message.answer(question, [socket.inet_pton(socket.AF_INET6, "2001:db8::1")], "web.bank"))
    assert [(str(r.rname), QTYPE[r.rtype], str(r.rdata)) for r in reply.rr] == [
        ("web.bank.shop.svc.cluster.local.", "CNAME", "web.bank."),
        ("web.bank.", "AAAA", "2001:db8::1"),
    ]


def test_nothing_of_this_family_is_an_answer_without_data() -> None:
    reply = DNSRecord.parse(message.answer(message.parse(asked("web.shop", "AAAA")), []))
    assert (reply.header.rcode, reply.rr) == (RCODE.NOERROR, [])


@pytest.mark.parametrize(("room", "whole"), [(0, False), (4000, True)])
def test_what_does_not_fit_is_left_out_and_said(room: int, whole: bool) -> None:
    question = message.parse(asked("web.shop", room=room))
    packed = message.answer(question, v4(*(f"10.0.0.{n}" for n in range(100))), limit=question.room)
    reply = DNSRecord.parse(packed)
    assert len(packed) <= question.room
    assert (reply.header.tc, len(reply.rr) == 100) == (not whole, whole)
    assert len(reply.rr) > 20


def test_failures() -> None:
    question = message.parse(asked("web.shop"))
    assert DNSRecord.parse(message.failure(question)).header.rcode == RCODE.SERVFAIL
    refused = DNSRecord.parse(message.malformed(7))
    assert (refused.header.id, refused.header.rcode) == (7, RCODE.FORMERR)


@pytest.mark.parametrize("data", [b"", b"\0" * 11, DNSRecord.question("a.b").reply().pack()])
def test_nobody_is_told_about_an_answer_or_a_fragment(data: bytes) -> None:
    with pytest.raises(BadMessage) as caught:
        message.parse(data)
    assert caught.value.id is None


def test_whoever_asks_badly_is_told() -> None:
    two = DNSRecord(DNSHeader(id=9, qr=0))
    two.add_question(DNSQuestion("a.b"), DNSQuestion("c.d"))
    long = asked("a.b")[:12] + b"\x40" + b"x" * 64 + b"\0\0\x01\0\x01"
    for data in (two.pack(), asked("a.b")[:-3], asked("a.b")[:12], long, DNSRecord(DNSHeader(qr=0)).pack()):
        with pytest.raises(BadMessage) as caught:
            message.parse(data)
        assert caught.value.id is not None


def test_every_cut_of_a_question_is_refused_and_none_breaks_the_reader() -> None:
    data = asked("web.shop.svc.cluster.local", room=1232)
    for size in range(len(data)):
        with pytest.raises(BadMessage):
            message.parse(data[:size])


def test_only_the_answer_to_this_question_under_this_number_counts() -> None:
    data = asked("Web.shop")
    question = message.parse(data)
    reply = DNSRecord.parse(data).reply().pack()
    assert message.answers_to(reply, question.id, question)
    assert not message.answers_to(reply, question.id ^ 1, question)
    assert not message.answers_to(data, question.id, question)
    assert not message.answers_to(reply[:11], question.id, question)
    for other in (asked("web.bank"), asked("web.shop", "AAAA")):
        forged = message.renumbered(DNSRecord.parse(other).reply().pack(), question.id)
        assert not message.answers_to(forged, question.id, question)
    assert message.answers_to(message.malformed(question.id), question.id, question)


def test_an_answer_too_long_is_cut_to_its_head() -> None:
    question = message.parse(asked("web.shop"))
    reply = DNSRecord.parse(message.cut(question, DNSRecord.parse(asked("web.shop")).reply().pack()))
    assert (reply.header.tc, reply.header.id, str(reply.q.qname)) == (1, question.id, "web.shop.")


def test_names_with_dots_inside_a_label_are_nobodys() -> None:
    data = asked("x.shop")
    odd = data[:12] + b"\x03a.b\x04shop\0\0\x01\0\x01"
    assert message.parse(odd).name == "a\\.b.shop"
    assert isinstance(message.parse(odd), Question)
