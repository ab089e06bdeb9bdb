from typing import Any

import pytest
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import regex_pb2
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from envoy.type.v3.range_pb2 import Int64Range

from mizzen.simulate import matchers

REGEX = regex_pb2.RegexMatcher(regex="v[0-9]+")


@pytest.mark.parametrize(
    ("matcher", "text", "fits", "words"),
    [
        (StringMatcher(exact="a"), "a", True, "is 'a'"),
        (StringMatcher(exact="a"), "A", False, "is 'a'"),
        (StringMatcher(exact="a", ignore_case=True), "A", True, "is 'a' in any case"),
        (StringMatcher(prefix="a"), "ab", True, "starts with 'a'"),
        (StringMatcher(suffix="b"), "ab", True, "ends with 'b'"),
        (StringMatcher(suffix="a"), "ab", False, "ends with 'a'"),
        (StringMatcher(contains="b"), "abc", True, "contains 'b'"),
        (StringMatcher(safe_regex=REGEX), "v12", True, "fits the expression 'v[0-9]+'"),
        (StringMatcher(safe_regex=REGEX), "v12x", False, "fits the expression 'v[0-9]+'"),
        (StringMatcher(), "", True, "is empty"),
    ],
)
def test_texts(matcher: StringMatcher, text: str, fits: bool, words: str) -> None:
    assert matchers.fits_text(matcher, text) is fits
    assert matchers.describe_text(matcher) == words


EXACT = StringMatcher(exact="1")


@pytest.mark.parametrize(
    ("fields", "value", "fits"),
    [
        ({}, "x", True),
        ({}, None, False),
        ({"present_match": True}, None, False),
        ({"present_match": False}, None, True),
        ({"present_match": True, "invert_match": True}, None, True),
        ({"present_match": True, "invert_match": True}, "x", False),
        ({"string_match": EXACT}, "1", True),
        ({"string_match": EXACT}, None, False),
        ({"string_match": EXACT, "invert_match": True}, None, False),
        ({"string_match": EXACT, "invert_match": True, "treat_missing_header_as_empty": True}, None, True),
        ({"string_match": EXACT, "invert_match": True}, "2", True),
        ({"range_match": Int64Range(start=-1, end=3)}, "2", True),
        ({"range_match": Int64Range(start=-1, end=3)}, "-1", True),
        ({"range_match": Int64Range(start=-1, end=3)}, "3", False),
        ({"range_match": Int64Range(start=-1, end=3)}, "x", False),
        ({"safe_regex_match": REGEX}, "v1", True),
        ({"exact_match": "a"}, "a", True),
        ({"prefix_match": "a"}, "ab", True),
        ({"suffix_match": "b"}, "ab", True),
        ({"contains_match": "x"}, "ab", False),
    ],
)
def test_headers(fields: dict[str, Any], value: str | None, fits: bool) -> None:
    headers = {} if value is None else {"x-a": value}
    assert matchers.fits_header(route.HeaderMatcher(name="X-A", **fields), headers) is fits


def test_headers_in_words() -> None:
    told = [
        route.HeaderMatcher(name="a"),
        route.HeaderMatcher(name="a", present_match=True, invert_match=True),
        route.HeaderMatcher(name="a", string_match=EXACT, invert_match=True),
        route.HeaderMatcher(name="a", prefix_match="x"),
    ]
    assert [matchers.describe_header(m) for m in told] == ["a is there", "a is missing", "a not: is '1'", "a fits x"]


@pytest.mark.parametrize(
    ("fields", "path", "fits"),
    [
        ({}, "/?a", True),
        ({}, "/", False),
        ({"present_match": True}, "/?a=", True),
        ({"present_match": False}, "/?a=1", False),
        ({"present_match": False}, "/?b=1", True),
        ({"string_match": EXACT}, "/?b&a=1", True),
        ({"string_match": EXACT}, "/?a=2&a=1", False),
        ({"string_match": EXACT}, "/?a=%31", False),
        ({"string_match": EXACT}, "/?b=1", False),
    ],
)
def test_query_parameters(fields: dict[str, Any], path: str, fits: bool) -> None:
    matcher = route.QueryParameterMatcher(name="a", **fields)
    assert matchers.fits_query(matcher, matchers.query_parameters(path)) is fits


def test_query_parameters_in_words() -> None:
    told = [
        route.QueryParameterMatcher(name="a"),
        route.QueryParameterMatcher(name="a", present_match=False),
        route.QueryParameterMatcher(name="a", string_match=EXACT),
    ]
    assert [matchers.describe_query(m) for m in told] == [
        "query parameter a is there",
        "query parameter a is missing",
        "query parameter a is '1'",
    ]


def test_every_fit_is_replaced() -> None:
    assert matchers.replaced("/v([0-9])", r"/\1", "/v1/v2") == "/1/2"
