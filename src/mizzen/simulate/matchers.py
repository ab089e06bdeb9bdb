"""Conditions on texts, headers and query parameters, as Envoy judges them."""

from __future__ import annotations

from collections.abc import Mapping

import re2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import string_pb2


def fits_text(matcher: string_pb2.StringMatcher, text: str) -> bool:
    """Envoy's StringMatcher. A regular expression has to fit the whole text."""
    kind = matcher.WhichOneof("match_pattern")
    if kind == "safe_regex":
        return fits_regex(matcher.safe_regex.regex, text)
    wanted: str = getattr(matcher, kind) if kind else ""
    if matcher.ignore_case:
        wanted, text = wanted.lower(), text.lower()
    if kind == "prefix":
        return text.startswith(wanted)
    if kind == "suffix":
        return text.endswith(wanted)
    if kind == "contains":
        return wanted in text
    return text == wanted


def fits_regex(pattern: str, text: str) -> bool:
    """RE2, the whole text: the engine that Envoy has too."""
    return re2.fullmatch(pattern, text) is not None


def fits_header(matcher: route.HeaderMatcher, headers: Mapping[str, str]) -> bool:
    """Envoy's HeaderMatcher. A header that is missing fits nothing, inverted or not, unless it is to count as empty."""
    value = headers.get(matcher.name.lower())
    kind = matcher.WhichOneof("header_match_specifier")
    if kind in (None, "present_match"):
        wanted = matcher.present_match if kind else True
        present = value is not None or matcher.treat_missing_header_as_empty
        return bool((present == wanted) != matcher.invert_match)
    if value is None:
        if not matcher.treat_missing_header_as_empty:
            return False
        value = ""
    return bool(_fits_value(matcher, kind, value) != matcher.invert_match)


def _fits_value(matcher: route.HeaderMatcher, kind: str, value: str) -> bool:
    if kind == "string_match":
        return fits_text(matcher.string_match, value)
    if kind == "range_match":
        first, end = matcher.range_match.start, matcher.range_match.end
        return bool(_is_integer(value) and first <= int(value) < end)
    if kind == "safe_regex_match":
        return fits_regex(matcher.safe_regex_match.regex, value)
    wanted: str = getattr(matcher, kind)
    return {
        "exact_match": value == wanted,
        "prefix_match": value.startswith(wanted),
        "suffix_match": value.endswith(wanted),
        "contains_match": wanted in value,
    }[kind]


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def fits_query(matcher: route.QueryParameterMatcher, parameters: Mapping[str, str]) -> bool:
    """Envoy's QueryParameterMatcher, on the values as they are written: not decoded."""
    if matcher.name not in parameters:
        return matcher.HasField("present_match") and not matcher.present_match
    kind = matcher.WhichOneof("query_parameter_match_specifier")
    if kind == "string_match":
        return fits_text(matcher.string_match, parameters[matcher.name])
    return kind is None or bool(matcher.present_match)


def query_parameters(path: str) -> dict[str, str]:
    """The parameters of a path; of several with one name the first counts."""
    found: dict[str, str] = {}
    for part in path.partition("?")[2].partition("#")[0].split("&"):
        name, _, value = part.partition("=")
        if part:
            found.setdefault(name, value)
    return found


def describe_text(matcher: string_pb2.StringMatcher) -> str:
    """A StringMatcher in words."""
    kind = matcher.WhichOneof("match_pattern")
    if kind is None:
        return "is empty"
    value = matcher.safe_regex.regex if kind == "safe_regex" else getattr(matcher, kind)
    verb = {
        "exact": "is",
        "prefix": "starts with",
        "suffix": "ends with",
        "contains": "contains",
        "safe_regex": "fits the expression",
    }
    return f"{verb.get(kind, kind)} {value!r}{' in any case' if matcher.ignore_case else ''}"


def describe_header(matcher: route.HeaderMatcher) -> str:
    """A HeaderMatcher in words."""
    kind = matcher.WhichOneof("header_match_specifier")
    if kind in (None, "present_match"):
        present = (matcher.present_match if kind else True) != matcher.invert_match
        return f"{matcher.name} is {'there' if present else 'missing'}"
    told = describe_text(matcher.string_match) if kind == "string_match" else f"fits {getattr(matcher, kind)}".strip()
    return f"{matcher.name} {'not: ' if matcher.invert_match else ''}{told}"


def describe_query(matcher: route.QueryParameterMatcher) -> str:
    """A QueryParameterMatcher in words."""
    if matcher.WhichOneof("query_parameter_match_specifier") == "string_match":
        return f"query parameter {matcher.name} {describe_text(matcher.string_match)}"
    wanted = not matcher.HasField("present_match") or matcher.present_match
    return f"query parameter {matcher.name} is {'there' if wanted else 'missing'}"


def replaced(pattern: str, substitution: str, text: str) -> str:
    """``text`` with every fit of ``pattern`` replaced, as RE2's GlobalReplace does it (Envoy, RegexMatchAndSubstitute)."""
    return str(re2.sub(pattern, substitution, text))
