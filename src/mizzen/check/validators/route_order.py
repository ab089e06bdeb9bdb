"""Rules of a VirtualService that an earlier rule leaves nothing to (rows VS-52, IM-18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec

from mizzen.api.match import StringMatch
from mizzen.api.virtual_service import HTTPMatchRequest, HTTPRoute, TCPRoute, TLSRoute, VirtualService
from mizzen.check.notes import Notes

UNREACHABLE = "IST0130"
INEFFECTIVE = "IST0131"
SHADOWED = "MZ0020"
"""Ours: a rule behind one that takes every request by a match such as ``prefix: /``, which Istio does not tell."""
_MANY = 100
"""How many lengths of prefixes are tried for a match, and how many earlier matches; beyond them the time would grow squared."""


def validate(spec: VirtualService, notes: Notes) -> None:
    """The http, tls and tcp lists, each by itself."""
    for section, rules in (("http", spec.http), ("tls", spec.tls), ("tcp", spec.tcp)):
        _duplicates(section, rules, notes)
    _shadowed(spec.http, notes)


def _duplicates(section: str, rules: Sequence[HTTPRoute | TLSRoute | TCPRoute], notes: Notes) -> None:
    seen: dict[bytes, int] = {}
    earlier = _Prefixes()
    open_rule = -1
    for index, rule in enumerate(rules):
        path, name = f"spec.{section}[{index}]", _called(rule, index)
        if open_rule >= 0:
            reason = f"rule {_called(rules[open_rule], open_rule)} has no match, so it takes everything"
            _unreachable(notes, path, name, reason)
        if not rule.match:
            open_rule = index
            continue
        repeated = 0
        for position, match in enumerate(rule.match):
            written = _written(match)
            first = seen.get(written, -1)
            if first >= 0:
                repeated += 1
            else:
                seen[written] = index
                first = earlier.wider(match)
            if first >= 0:
                where = f"{path}.match[{position}]"
                _ineffective(notes, where, name, _called(match, position), _called(rules[first], first))
            earlier.add(match, index)
        if repeated == len(rule.match):
            _unreachable(notes, path, name, "earlier rules have all its matches")


def _unreachable(notes: Notes, path: str, rule: str, reason: str) -> None:
    notes.warn(path, f"rule {rule} is never used: {reason}", UNREACHABLE)


def _ineffective(notes: Notes, path: str, rule: str, match: str, first: str) -> None:
    notes.inform(path, f"match {match} of rule {rule} is never used: rule {first} matches that before", INEFFECTIVE)


def _called(thing: msgspec.Struct, index: int) -> str:
    name = getattr(thing, "name", "")
    return f'"{name}"' if name else f"#{index}"


def _written(match: msgspec.Struct) -> bytes:
    """The match as text, without its name."""
    plain = msgspec.structs.replace(match, name="") if isinstance(match, HTTPMatchRequest) else match
    return msgspec.json.encode(plain, enc_hook=str, order="sorted")


class _Prefixes:
    """The matches by a prefix of the path so far, found by what must be equal in a wider one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, *tuple[object, ...]], list[tuple[HTTPMatchRequest, int]]] = {}
        self._lengths: dict[int, None] = {}

    def add(self, match: msgspec.Struct, rule: int) -> None:
        if isinstance(match, HTTPMatchRequest) and (prefix := _prefix(match)) is not None:
            known = self._found.setdefault((prefix, *_alike(match)), [])
            if len(known) < _MANY:
                known.append((match, rule))
            if len(self._lengths) < _MANY:
                self._lengths[len(prefix)] = None

    def wider(self, match: msgspec.Struct) -> int:
        """The first rule with a match by a shorter prefix that leaves nothing to this one; -1 when there is none."""
        if not isinstance(match, HTTPMatchRequest) or (prefix := _prefix(match)) is None:
            return -1
        alike = _alike(match)
        candidates = (
            candidate
            for length in self._lengths
            if length < len(prefix)
            for candidate in self._found.get((prefix[:length], *alike), ())
        )
        return min((rule for other, rule in islice(candidates, _MANY) if _covers(other, match)), default=-1)


def _prefix(match: HTTPMatchRequest) -> str | None:
    return match.uri.prefix if match.uri is not None else None


def _alike(match: HTTPMatchRequest) -> tuple[object, ...]:
    names = (match.headers, match.query_params, match.without_headers)
    return (match.port, *(frozenset(each) for each in names))


def _covers(wide: HTTPMatchRequest, narrow: HTTPMatchRequest) -> bool:
    """Whether the conditions beside the path are met alike; Istio leaves scheme, gateways and sources out of this."""
    if not _starts(_method(wide), _method(narrow)) or not _starts(_plain(wide.authority), _plain(narrow.authority)):
        return False
    pairs: tuple[tuple[Mapping[str, StringMatch], Mapping[str, StringMatch]], ...] = (
        (wide.headers, narrow.headers),
        (wide.query_params, narrow.query_params),
        (wide.without_headers, narrow.without_headers),
    )
    return all(_starts(_plain(ours[key]), _plain(theirs[key])) for ours, theirs in pairs for key in ours)


def _starts(wide: str, narrow: str) -> bool:
    return wide.startswith(narrow)


def _method(match: HTTPMatchRequest) -> str:
    return "exactGET" if match.method is None else _plain(match.method)


def _plain(condition: StringMatch | None) -> str:
    if condition is None:
        return ""
    if condition.exact is not None:
        return "exact" + condition.exact
    return "prefix" + condition.prefix if condition.prefix is not None else ""


def _catches_all(match: HTTPMatchRequest) -> bool:
    uri = match.uri
    whole = uri is None or uri.prefix == "/" or uri.regex in (".*", "*")
    others = (match.scheme, match.method, match.authority, match.headers, match.without_headers, match.query_params)
    narrowed = (match.port, match.source_labels, match.source_namespace, match.gateways)
    return whole and not any(others) and not any(narrowed)


def _shadowed(routes: Sequence[HTTPRoute], notes: Notes) -> None:
    taken_by = -1
    for index, route in enumerate(routes):
        if taken_by >= 0:
            by = _called(routes[taken_by], taken_by)
            notes.warn(f"spec.http[{index}]", f"never reached: rule {by} takes every request", SHADOWED)
        elif any(_catches_all(match) for match in route.match):
            taken_by = index
