"""One rule of ``validate.rules`` as a function from a value to the reasons why it is not allowed (protoc-gen-validate)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

import re2
from google.protobuf.descriptor import FieldDescriptor

Check = Callable[[Any], Iterator[str]]
_HEADER_NAME = re2.compile(r"^:?[0-9a-zA-Z!#$%&'*+-.^_|~\x60]+$")
_HEADER_VALUE = re2.compile("^[^\u0000-\u0008\u000a-\u001f\u007f]*$")
_HEADER = re2.compile("^[^\u0000\u000a\u000d]*$")
_ORDERS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("const", "must be", lambda value, limit: value == limit),
    ("lt", "must be less than", lambda value, limit: value < limit),
    ("lte", "must be at most", lambda value, limit: value <= limit),
    ("gt", "must be more than", lambda value, limit: value > limit),
    ("gte", "must be at least", lambda value, limit: value >= limit),
)


def check_of(rules: Any, field: FieldDescriptor) -> Check | None:
    """What ``rules`` ask of the values of ``field``; None when that is nothing that is looked at here."""
    kind = rules.WhichOneof("type")
    if kind is None:
        return None
    if kind not in _KINDS:
        return _number(getattr(rules, kind)) if kind in _NUMBERS else None
    return _KINDS[kind](getattr(rules, kind), field)


def _against(holds: Callable[[Any, Any], bool], limit: Any) -> Callable[[Any], bool]:
    return lambda value: holds(value, limit)


def _in(rule: Any) -> Iterator[tuple[Callable[[Any], bool], str]]:
    for name, wanted in (("in", True), ("not_in", False)):
        words = frozenset(getattr(rule, name, ()))
        if words:
            text = ", ".join(map(str, sorted(words)))
            yield (words.__contains__ if wanted else _against(_is_outside, words)), f"must {'' if wanted else 'not '}be one of {text}"


def _is_outside(value: Any, words: frozenset[Any]) -> bool:
    return value not in words


def _judge(tests: list[tuple[Callable[[Any], bool], str]], skip_empty: bool) -> Check | None:
    if not tests:
        return None

    def check(value: Any) -> Iterator[str]:
        if skip_empty and not value:
            return
        for holds, text in tests:
            if not holds(value):
                yield text

    return check


def _wrapped(check: Check | None) -> Check | None:
    """The same for messages that wrap one plain value, such as UInt32Value."""
    if check is None:
        return None
    return lambda value: check(value.value if hasattr(value, "DESCRIPTOR") else value)


def _number(rule: Any) -> Check | None:
    tests: list[tuple[Callable[[Any], bool], str]] = [
        (_against(holds, getattr(rule, name)), f"{words} {getattr(rule, name)}")
        for name, words, holds in _ORDERS
        if rule.HasField(name)
    ]
    return _wrapped(_judge([*tests, *_in(rule)], rule.ignore_empty))


def _text(rule: Any, _field: FieldDescriptor) -> Check | None:
    tests: list[tuple[Callable[[Any], bool], str]] = []
    for name, measure, words, at_least in (
        ("min_len", len, "characters", True),
        ("max_len", len, "characters", False),
        ("min_bytes", _bytes, "bytes", True),
        ("max_bytes", _bytes, "bytes", False),
    ):
        if rule.HasField(name):
            tests.append(_length(measure, getattr(rule, name), at_least, words))
    for name, words, holds in (
        ("const", "must be", lambda value, wanted: value == wanted),
        ("prefix", "must begin with", lambda value, wanted: value.startswith(wanted)),
        ("suffix", "must end with", lambda value, wanted: value.endswith(wanted)),
        ("contains", "must contain", lambda value, wanted: wanted in value),
        ("not_contains", "must not contain", lambda value, wanted: wanted not in value),
    ):
        if rule.HasField(name):
            wanted = getattr(rule, name)
            tests.append((_against(holds, wanted), f"{words} {wanted!r}"))
    tests += [*_in(rule), *_form(rule)]
    return _wrapped(_judge(tests, rule.ignore_empty))


def _form(rule: Any) -> Iterator[tuple[Callable[[Any], bool], str]]:
    if rule.HasField("pattern"):
        pattern = re2.compile(rule.pattern)
        yield (lambda value: pattern.search(value) is not None), f"must match {rule.pattern}"
    if rule.HasField("ip"):
        yield _is_address, "must be an address"
    if rule.HasField("well_known_regex"):
        name = rule.well_known_regex == 1
        strict = rule.strict or not rule.HasField("strict")
        known = _HEADER if not strict else _HEADER_NAME if name else _HEADER_VALUE
        what = "the name of a header" if name else "the value of a header"
        yield (lambda value: known.search(value) is not None), f"must be {what}"


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _bytes(value: str) -> int:
    return len(value.encode())


def _length(
    measure: Callable[[Any], int], limit: int, at_least: bool, words: str
) -> tuple[Callable[[Any], bool], str]:
    if at_least:
        return (lambda value: measure(value) >= limit), f"must have at least {limit} {words}"
    return (lambda value: measure(value) <= limit), f"must have at most {limit} {words}"


def _raw(rule: Any, _field: FieldDescriptor) -> Check | None:
    tests = [
        _length(len, getattr(rule, name), name == "min_len", "bytes")
        for name in ("min_len", "max_len")
        if rule.HasField(name)
    ]
    return _judge(tests, rule.ignore_empty)


def _enum(rule: Any, field: FieldDescriptor) -> Check | None:
    tests: list[tuple[Callable[[Any], bool], str]] = list(_in(rule))
    if rule.defined_only and field.enum_type is not None:
        known = frozenset(field.enum_type.values_by_number)
        tests.append(((lambda value: value in known), "must be a value that Envoy knows"))
    return _judge(tests, False)


def _list(rule: Any, field: FieldDescriptor) -> Check | None:
    tests: list[tuple[Callable[[Any], bool], str]] = [
        _length(len, getattr(rule, name), name == "min_items", "entries")
        for name in ("min_items", "max_items")
        if rule.HasField(name)
    ]
    if rule.unique and field.message_type is None:
        tests.append(((lambda values: len(set(values)) == len(values)), "must not hold an entry twice"))
    of_list = _judge(tests, rule.ignore_empty)
    of_item = check_of(rule.items, field) if rule.HasField("items") else None
    return _each(of_list, of_item)


def _each(of_all: Check | None, of_one: Check | None) -> Check | None:
    if of_one is None:
        return of_all

    def check(values: Any) -> Iterator[str]:
        if of_all is not None:
            yield from of_all(values)
        for index, value in enumerate(values):
            yield from (f"entry {index} {reason}" for reason in of_one(value))

    return check


def _map(rule: Any, field: FieldDescriptor) -> Check | None:
    tests = [
        _length(len, getattr(rule, name), name == "min_pairs", "entries")
        for name in ("min_pairs", "max_pairs")
        if rule.HasField(name)
    ]
    assert field.message_type is not None  # a map is a list of entries
    entry = field.message_type.fields_by_name
    of_key = check_of(rule.keys, entry["key"]) if rule.HasField("keys") else None
    of_value = check_of(rule.values, entry["value"]) if rule.HasField("values") else None
    of_all = _each(_judge(tests, rule.ignore_empty), of_key)
    if of_value is None:
        return of_all

    def check(values: Any) -> Iterator[str]:
        if of_all is not None:
            yield from of_all(values)
        for key in values:
            yield from (f"entry {key!r} {reason}" for reason in of_value(values[key]))

    return check


def _packed(rule: Any, _field: FieldDescriptor) -> Check | None:
    tests: list[tuple[Callable[[Any], bool], str]] = list(_in(rule))
    of_type = _judge(tests, False)
    return None if of_type is None else lambda value: of_type(value.type_url)


def _duration(rule: Any, _field: FieldDescriptor) -> Check | None:
    tests: list[tuple[Callable[[Any], bool], str]] = []
    for name, words, holds in _ORDERS:
        if rule.HasField(name):
            limit = getattr(rule, name).ToNanoseconds()
            text = f"{words} {limit / 1e9:g}s"
            tests.append((_against(holds, limit), text))
    of_nanos = _judge(tests, False)
    return None if of_nanos is None else lambda value: of_nanos(value.seconds * 10**9 + value.nanos)


_NUMBERS = frozenset(
    f"{kind}{bits}" for kind in ("int", "uint", "sint", "fixed", "sfixed") for bits in (32, 64)
) | {"float", "double"}
_KINDS: dict[str, Callable[[Any, FieldDescriptor], Check | None]] = {
    "string": _text,
    "bytes": _raw,
    "enum": _enum,
    "repeated": _list,
    "map": _map,
    "any": _packed,
    "duration": _duration,
}
