"""From plain values (what YAML or JSON gave) to frozen types, with every problem and its field path.

A reader is made once per type. It never raises: what does not fit is recorded, and the field keeps its default.
Rules of protobuf's JSON form (row CM-04): ``null`` is unset, whole floats are integers, durations are text.
"""

from __future__ import annotations

import difflib
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec.structs import FieldInfo, fields

from mizzen.api.meta import Duration
from mizzen.api.vocabulary import ALIASES, ENUMS, NOT_EMPTY, ONEOFS, RETIRED, UNSIGNED

MAX_DEPTH = 100
_MIN_INT, _MAX_INT = -(2**31), 2**32 - 1
_MAX_DURATION = 315_576_000_000 * 1_000_000_000

Unknown = Literal["refuse", "warn", "ignore"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with a document. ``path``: ``spec.http[0].timeout``; ``fatal``: the object is refused;
    ``code``: an IST or MZ code of a finding."""

    path: str
    message: str
    fatal: bool = True
    code: str = "IST0106"


@dataclass
class Report:
    """What a reading found. ``unknown`` says what to do with fields that a type lacks; ``lenient`` takes snake_case
    names and numbers in text, where no schema stands in front (mesh config)."""

    unknown: Unknown = "refuse"
    lenient: bool = False
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: str, message: str) -> None:
        self.problems.append(Problem(path=path, message=message))

    def warn(self, path: str, message: str, code: str) -> None:
        self.problems.append(Problem(path=path, message=message, fatal=False, code=code))


class _Bad:
    """The value could not be read; the problem is already recorded."""


BAD = _Bad()
Reader = Callable[[Any, str, Report], Any]


def child(path: str, key: str) -> str:
    """The path of a field or map key below ``path``; keys that are no plain word are quoted in brackets."""
    if key and all(c.isalnum() or c in "_-" for c in key):
        return f"{path}.{key}" if path else key
    return f'{path}["{key}"]'


def name_of(value: object) -> str:
    """The kind of a value in the words of a person who writes YAML."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a map"
        case None:
            return "nothing"
    return type(value).__name__


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(value: Any, path: str, report: Report) -> Any:
    if isinstance(value, str):
        return value
    if report.lenient and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    hint = " (put it in quotes)" if isinstance(value, bool | int | float) else ""
    report.refuse(path, f"must be text, not {name_of(value)}{hint}: {shown(value)}")
    return BAD


def _boolean(value: Any, path: str, report: Report) -> Any:
    if isinstance(value, bool):
        return value
    if report.lenient and value in ("true", "false"):
        return value == "true"
    report.refuse(path, f"must be true or false, not {shown(value)}")
    return BAD


def _integer(value: Any, path: str, report: Report) -> Any:
    if report.lenient and isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        report.refuse(path, f"must be a whole number, not {shown(value)}")
        return BAD
    if not _MIN_INT <= value <= _MAX_INT:
        report.refuse(path, "the number does not fit in 32 bits")
        return BAD
    return value


def _unsigned(value: Any, path: str, report: Report) -> Any:
    number = _integer(value, path, report)
    if number is not BAD and number < 0:
        report.refuse(path, f"must be 0 or more, not {number}")
        return BAD
    return number


def _number(value: Any, path: str, report: Report) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    report.refuse(path, f"must be a finite number, not {shown(value)}")
    return BAD


def _duration(value: Any, path: str, report: Report) -> Any:
    if not isinstance(value, str):
        report.refuse(path, f"must be a duration such as 5s or 200ms, not {name_of(value)}: {shown(value)}")
        return BAD
    try:
        duration = Duration.parse(value[:64])
        too_long = len(value) > 64 or abs(duration.nanos) > _MAX_DURATION
    except (ValueError, OverflowError):
        report.refuse(path, f"{shown(value)} is not a duration such as 5s or 200ms")
        return BAD
    if too_long:
        report.refuse(path, f"{shown(value)} is longer than ten thousand years")
        return BAD
    return duration


def _anything(value: Any, path: str, report: Report) -> Any:
    return value


_SCALARS: dict[Any, Reader] = {
    str: _text,
    bool: _boolean,
    int: _integer,
    float: _number,
    Duration: _duration,
    Any: _anything,
    object: _anything,
}


@cache
def reader(kind: Any) -> Reader:
    """The reader for a type: a scalar, ``Duration``, a Struct, ``tuple[T, ...]``, ``dict[str, T]`` or a union."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _Struct(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _list(arguments[0])
    if origin is dict:
        return _map(arguments[1])
    if origin in (typing.Union, types.UnionType):
        return _union(tuple(a for a in arguments if a is not type(None)))
    raise TypeError(f"no reader for {kind}")


def _union(members: tuple[Any, ...]) -> Reader:
    if len(members) == 1:
        return reader(members[0])
    scalars = tuple(m for m in members if isinstance(m, type))

    def read(value: Any, path: str, report: Report) -> Any:
        if isinstance(value, scalars) and not isinstance(value, bool):
            return value
        report.refuse(path, f"may not be {name_of(value)}")
        return BAD

    return read


def _list(item: Any) -> Reader:
    read_item = reader(item)

    def read(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, list | tuple):
            report.refuse(path, f"must be a list, not {name_of(value)}: {shown(value)}")
            return BAD
        entries = []
        for index, entry in enumerate(value):
            where = f"{path}[{index}]"
            if entry is None:
                report.refuse(where, "an entry of a list may not be null")
                continue
            got = read_item(entry, where, report)
            if got is not BAD:
                entries.append(got)
        return tuple(entries)

    return read


def _map(item: Any) -> Reader:
    read_item = reader(item)

    def read(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, Mapping):
            report.refuse(path, f"must be a map, not {name_of(value)}: {shown(value)}")
            return BAD
        entries: dict[str, Any] = {}
        for key, entry in value.items():
            name = key if isinstance(key, str) else key_text(key)
            where = child(path, name)
            if entry is None and read_item is not _anything:
                report.refuse(where, "may not be null")
                continue
            got = read_item(entry, where, report)
            if got is not BAD:
                entries[name] = got
        return entries

    return read


def key_text(key: object) -> str:
    """A map key that YAML read as a number or boolean, as JSON writes it."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


def _reader_of(kind: type[msgspec.Struct], info: FieldInfo) -> Reader:
    words = ENUMS.get(kind, {}).get(info.name)
    if words is not None:
        return _enum(words)
    return _unsigned if info.name in UNSIGNED.get(kind, ()) else reader(info.type)


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


class _Struct:
    """The reader of one Struct type: its fields by the names that users write."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self.kind = kind
        self.table: dict[str, tuple[FieldInfo, Reader]] = {
            info.encode_name: (info, _reader_of(kind, info)) for info in fields(kind)
        }
        self.oneofs = ONEOFS.get(kind, ())
        self.filled = NOT_EMPTY.get(kind, ())
        self.retired = RETIRED.get(kind, {})
        self.aliases = ALIASES.get(kind, {})
        self.snake = {_snake(name): name for name in self.table}

    def __call__(self, value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, Mapping):
            report.refuse(path, f"must be a map, not {name_of(value)}: {shown(value)}")
            return BAD
        given: dict[str, Any] = {}
        for key, entry in value.items():
            name = self._name(key if isinstance(key, str) else key_text(key), report)
            if name in self.retired:
                report.warn(child(path, name), f"{name} has no effect: {self.retired[name]}", "IST0002")
            elif name not in self.table:
                _unknown(key_text(key), path, tuple(self.table), report)
            elif entry is not None:
                self._field(name, entry, path, report, given)
        self._exclusive(given, path, report)
        return self.kind(**given)

    def _name(self, name: str, report: Report) -> str:
        if name in self.table:
            return name
        name = self.aliases.get(name, name)
        return self.snake.get(name, name) if report.lenient else name

    def _field(self, name: str, entry: Any, path: str, report: Report, given: dict[str, Any]) -> None:
        info, read_field = self.table[name]
        got = read_field(entry, child(path, name), report)
        if got is BAD:
            return
        given[info.name] = got
        if info.name in self.filled and not got:
            report.refuse(child(path, name), "may not be empty; leave it out instead")

    def _exclusive(self, given: dict[str, Any], path: str, report: Report) -> None:
        for group in self.oneofs:
            present = [
                shown_name for shown_name, (info, _) in self.table.items() if info.name in group and info.name in given
            ]
            if len(present) > 1:
                report.refuse(path, f"only one of {', '.join(present)} may be set")


def _enum(words: tuple[str, ...]) -> Reader:
    known = frozenset(words)

    def read(value: Any, path: str, report: Report) -> Any:
        if isinstance(value, str) and value in known:
            return value
        close = closest(str(value).upper(), words)
        hint = f"; did you mean {close}?" if close else ""
        report.refuse(path, f"{shown(value)} is none of {', '.join(words)}{hint}")
        return BAD

    return read


def closest(word: str, known: tuple[str, ...]) -> str:
    """The known word that ``word`` most likely was meant to be, or an empty text."""
    for name in known:
        if name.lower() == word.replace("_", "").lower():
            return name
    found = difflib.get_close_matches(word[:64], known, n=1, cutoff=0.7)
    return found[0] if found else ""


def _unknown(name: str, path: str, known: tuple[str, ...], report: Report) -> None:
    if report.unknown == "ignore":
        return
    close = closest(name, known)
    hint = f"; did you mean {close}?" if close else ""
    if report.unknown == "warn":
        report.warn(child(path, name), f"unknown field {name!r} has no effect{hint}", "MZ0003")
    else:
        report.refuse(child(path, name), f"unknown field {name!r}{hint}")
