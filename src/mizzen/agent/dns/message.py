"""As much of the DNS wire format as a proxy needs: one question read, answers written (RFC 1035, RFC 6891). Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

A, CNAME, AAAA, OPT = 1, 5, 28, 41
INTERNET = 1
NOERROR, FORMERR, SERVFAIL = 0, 1, 2
TTL = 30
"""Seconds that an answer of ours may be kept (row DN-02)."""
SMALLEST = 512
"""Bytes that every client takes in one datagram (RFC 1035 4.2.1)."""
_OURS = 1232
"""Bytes that we say we take: what crosses every path unfragmented."""
_HEADER = struct.Struct("!6H")
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _AVAILABLE = 0x8000, 0x0400, 0x0200, 0x0080
_KEPT = 0x7910  # opcode, recursion desired, checking disabled: an answer repeats them
_QUESTION_AT = 0xC000 | _HEADER.size


class BadMessage(ValueError):
    """No question that can be read. ``id`` is None when there is nobody to tell: no header, or an answer."""

    def __init__(self, reason: str, id: int | None = None) -> None:
        super().__init__(reason)
        self.id = id


@dataclass(frozen=True, slots=True)
class Question:
    """``name`` is in lower case without a final dot; ``section`` is the question as it was sent; ``room`` is how many
    bytes the client takes in a datagram, ``edns`` whether it said so."""

    id: int
    flags: int
    name: str
    kind: int
    section: bytes
    room: int = SMALLEST
    edns: bool = False
    internet: bool = True


def parse(data: bytes) -> Question:
    """Read a question. Raises BadMessage."""
    if len(data) < _HEADER.size:
        raise BadMessage("shorter than a header")
    number, flags, questions, answers, authorities, extras = _HEADER.unpack_from(data)
    if flags & _RESPONSE:
        raise BadMessage("an answer")
    if questions != 1:
        raise BadMessage(f"{questions} questions", number)
    try:
        name, end = _name(data, _HEADER.size)
        kind, family = struct.unpack_from("!2H", data, end)
        room = _room(data, end + 4, answers + authorities + extras)
    except (struct.error, IndexError):
        raise BadMessage("cut off", number) from None
    section = data[_HEADER.size : end + 4]
    return Question(number, flags, name, kind, section, max(room or 0, SMALLEST), room is not None, family == INTERNET)


def answer(question: Question, addresses: Sequence[bytes], alias: str = "", *, limit: int = 65535) -> bytes:
    """The addresses (packed, of the family asked for) of the name, or of ``alias`` that the name stands for.

    What does not fit into ``limit`` bytes is left out, and the answer says so.
    """
    body, owner = b"", struct.pack("!H", _QUESTION_AT)
    records = []
    if alias:
        target = _encoded(alias)
        records.append(owner + struct.pack("!2HIH", CNAME, INTERNET, TTL, len(target)) + target)
        # Its name is written once: in the alias, behind header, question and the alias' own 12 bytes.
        owner = struct.pack("!H", 0xC000 | (_HEADER.size + len(question.section) + 12))
    for packed in addresses:
        kind = A if len(packed) == 4 else AAAA
        records.append(owner + struct.pack("!2HIH", kind, INTERNET, TTL, len(packed)) + packed)
    tail = _extra(question)
    left = limit - _HEADER.size - len(question.section) - len(tail)
    fitting = 0
    for record in records:
        if len(body) + len(record) > left:
            break
        body += record
        fitting += 1
    cut = _TRUNCATED if fitting < len(records) else 0
    head = _head(question, _AUTHORITATIVE | cut | NOERROR, fitting, bool(tail))
    return head + question.section + body + tail


def failure(question: Question, code: int = SERVFAIL) -> bytes:
    """An answer without records that says ``code``."""
    tail = _extra(question)
    return _head(question, code, 0, bool(tail)) + question.section + tail


def malformed(number: int) -> bytes:
    """The answer to what cannot be read."""
    return _HEADER.pack(number, _RESPONSE | FORMERR, 0, 0, 0, 0)


def cut(question: Question, data: bytes) -> bytes:
    """The head of somebody's answer that is too long for a datagram: the client asks again over TCP."""
    (flags,) = struct.unpack_from("!H", data, 2)
    tail = _extra(question)
    head = _HEADER.pack(question.id, flags | _TRUNCATED, 1, 0, 0, 1 if tail else 0)
    return head + question.section + tail


def answers_to(data: bytes, number: int, question: Question) -> bool:
    """Whether ``data`` is the answer to ``question`` asked under ``number``: anything else may be forged (RFC 5452 9.1)."""
    if len(data) < _HEADER.size:
        return False
    found, flags, questions, *_ = _HEADER.unpack_from(data)
    if found != number or not flags & _RESPONSE:
        return False
    if questions == 0:
        return bool(flags & 0x000F != NOERROR)  # some servers refuse without repeating the question
    try:
        name, end = _name(data, _HEADER.size)
    except (IndexError, BadMessage):
        return False
    return name == question.name and data[end : end + 4] == question.section[-4:]


def renumbered(data: bytes, number: int) -> bytes:
    """The same message under another id."""
    return struct.pack("!H", number) + data[2:]


def _head(question: Question, flags: int, answers: int, extra: bool) -> bytes:
    flags |= _RESPONSE | _AVAILABLE | (question.flags & _KEPT)
    return _HEADER.pack(question.id, flags, 1, answers, 0, 1 if extra else 0)


def _extra(question: Question) -> bytes:
    """Who is told of EDNS(0) answers with it (RFC 6891 6.1.1)."""
    return b"\0" + struct.pack("!2HIH", OPT, _OURS, 0, 0) if question.edns else b""


def _name(data: bytes, at: int) -> tuple[str, int]:
    """The name at ``at``, and where what follows it begins. A question's name is never compressed."""
    labels, size = [], 0
    while length := data[at]:
        size += length + 1
        if length > 63 or size > 254:
            raise BadMessage("a bad name", struct.unpack_from("!H", data)[0])
        label = data[at + 1 : at + 1 + length]
        if len(label) < length:
            raise IndexError
        labels.append(label.decode("latin-1").lower().replace(".", "\\."))
        at += 1 + length
    return ".".join(labels), at + 1


def _skipped(data: bytes, at: int) -> int:
    """Behind the name of a record, which may be compressed."""
    while length := data[at]:
        if length >= 0xC0:
            return at + 2
        at += 1 + length
    return at + 1


def _room(data: bytes, at: int, records: int) -> int | None:
    """What EDNS(0) says of the client's room; None without it."""
    for _ in range(records):
        at = _skipped(data, at)
        kind, size, _, length = struct.unpack_from("!2HIH", data, at)
        if kind == OPT:
            return int(size)
        at += 10 + length
    return None


def _encoded(name: str) -> bytes:
    labels = [label.encode("latin-1") for label in name.split(".")]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
