"""Envoy's rate-limit messages, from and to the wire (envoy.service.ratelimit.v3, numbers of its ``rls.proto``)."""

from dataclasses import dataclass

from mizzen.samples.echo import grpc
from mizzen.samples.ratelimit.limits import UNITS, Entry, Limit

OK, OVER_LIMIT = 1, 2
_UNIT_NUMBERS = {"second": 1, "minute": 2, "hour": 3, "day": 4, "month": 5, "year": 6, "week": 7}
_UNIT_NAMES = {number: name for name, number in _UNIT_NUMBERS.items()}


@dataclass(frozen=True)
class Descriptor:
    """``override`` is a limit that the proxy itself brings along; ``hits`` None is the request's own."""

    entries: list[Entry]
    override: Limit | None = None
    hits: int | None = None


@dataclass(frozen=True)
class Question:
    """A RateLimitRequest. ``hits`` is what it counts as."""

    domain: str
    descriptors: list[Descriptor]
    hits: int = 1


@dataclass(frozen=True)
class Status:
    """What became of one descriptor. ``reset`` is in seconds. Without a limit only ``code`` counts."""

    code: int
    limit: Limit | None = None
    remaining: int = 0
    reset: int = 0


def question(message: bytes) -> Question:
    """A RateLimitRequest off the wire."""
    domain, descriptors, hits = "", [], 0
    for number, value in grpc.fields(message):
        if number == 1 and isinstance(value, bytes):
            domain = value.decode("utf-8", "replace")
        elif number == 2 and isinstance(value, bytes):
            descriptors.append(_descriptor(value))
        elif number == 3 and isinstance(value, int):
            hits = value
    return Question(domain, descriptors, hits or 1)


def _descriptor(message: bytes) -> Descriptor:
    entries: list[Entry] = []
    override, hits = None, None
    for number, value in grpc.fields(message):
        if number == 1 and isinstance(value, bytes):
            pair = grpc.texts(value)
            entries.append((_text(pair.get(1)), _text(pair.get(2))))
        elif number == 2 and isinstance(value, bytes):
            override = _override(value)
        elif number == 3 and isinstance(value, bytes):
            hits = next((v for n, v in grpc.fields(value) if n == 1 and isinstance(v, int)), 0)
    return Descriptor(entries, override, hits)


def _override(message: bytes) -> Limit | None:
    numbers = {number: value for number, value in grpc.fields(message) if isinstance(value, int)}
    unit = _UNIT_NAMES.get(numbers.get(2, 0))
    return Limit(numbers.get(1, 0), unit) if unit in UNITS else None


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def answer(overall: int, statuses: list[Status]) -> bytes:
    """A RateLimitResponse for the wire."""
    return grpc.field(1, overall) + b"".join(grpc.field(2, _status(status)) for status in statuses)


def _status(status: Status) -> bytes:
    message = grpc.field(1, status.code)
    if status.limit is None or status.limit.unlimited:
        return message
    limit = grpc.field(1, status.limit.requests) + grpc.field(2, _UNIT_NUMBERS[status.limit.unit])
    if status.limit.name:
        limit += grpc.field(3, status.limit.name.encode())
    message += grpc.field(2, limit)
    if status.remaining:
        message += grpc.field(3, status.remaining)
    return message + grpc.field(4, grpc.field(1, status.reset))
