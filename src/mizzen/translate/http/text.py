"""Conditions on one text."""

from __future__ import annotations

from envoy.type.matcher.v3 import regex_pb2, string_pb2

from mizzen.api.match import StringMatch


def is_presence(condition: StringMatch) -> bool:
    """Whether the text only has to be there."""
    return condition.regex == "*" or (condition.exact is None and condition.prefix is None and condition.regex is None)


def string_match(condition: StringMatch) -> string_pb2.StringMatcher:
    if condition.exact is not None:
        return string_pb2.StringMatcher(exact=condition.exact)
    if condition.prefix is not None:
        return string_pb2.StringMatcher(prefix=condition.prefix)
    return string_pb2.StringMatcher(safe_regex=regex_pb2.RegexMatcher(regex=condition.regex or ""))
