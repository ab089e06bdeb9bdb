from __future__ import annotations

import pytest

from mizzen.api.gateway_routes import (
    Cors,
    Fraction,
    Header,
    HeaderFilter,
    PathModifier,
    RequestMirror,
    RequestRedirect,
    RouteFilter,
    URLRewrite,
)
from mizzen.api.match import StringMatch
from mizzen.api.virtual_service import Destination
from mizzen.resolve.gateway_api import filters
from mizzen.resolve.gateway_api.backends import Hard, Target
from mizzen.resolve.gateway_api.conditions import Problem


@pytest.mark.row("GF-05")
def test_header_modifiers_in_lower_case_and_the_first_of_a_name_counts() -> None:
    modifier = HeaderFilter(
        set=(Header(name="X-A", value="1"), Header(name="x-a", value="2")),
        add=(Header(name="X-B", value="3"),),
        remove=("X-C",),
    )
    made = filters.headers([RouteFilter(type="RequestHeaderModifier", request_header_modifier=modifier)])
    assert made is not None
    assert made.request is not None
    assert (made.request.set, made.request.add, made.request.remove) == ({"x-a": "1"}, {"x-b": "3"}, ("x-c",))
    answer = filters.headers([RouteFilter(type="ResponseHeaderModifier", response_header_modifier=modifier)])
    assert answer is not None
    assert answer.response is not None
    assert filters.headers([]) is None


def test_a_control_character_in_a_value_is_refused() -> None:
    modifier = HeaderFilter(set=(Header(name="a", value="b\nc"),))
    with pytest.raises(Hard) as error:
        filters.headers([RouteFilter(type="RequestHeaderModifier", request_header_modifier=modifier)])
    assert error.value.problem.reason == "InvalidFilter"


@pytest.mark.row("GF-12")
def test_a_backend_has_no_filters_but_header_modifiers() -> None:
    filters.only_headers([RouteFilter(type="RequestHeaderModifier")], "backend x")
    with pytest.raises(Hard):
        filters.only_headers([RouteFilter(type="URLRewrite")], "backend x")


@pytest.mark.row("GF-06")
@pytest.mark.parametrize(
    ("entry", "port", "derived", "code"),
    [
        (RequestRedirect(), None, "FROM_REQUEST_PORT", 302),
        (RequestRedirect(scheme="https", status_code=301), None, "", 301),
        (RequestRedirect(port=8080, status_code=308), 8080, "", 308),
    ],
)
def test_the_port_of_a_redirect(entry: RequestRedirect, port: int | None, derived: str, code: int) -> None:
    made = filters.redirect(entry, "/")
    assert (made.port, made.derive_port, made.redirect_code) == (port, derived, code)


def test_the_path_of_a_redirect() -> None:
    full = PathModifier(type="ReplaceFullPath", replace_full_path="/all")
    assert filters.redirect(RequestRedirect(path=full), "").uri == "/all"
    prefix = PathModifier(type="ReplacePrefixMatch", replace_prefix_match="/new/")
    assert filters.redirect(RequestRedirect(path=prefix), "/old").prefix_rewrite == "/new"
    gone = PathModifier(type="ReplacePrefixMatch", replace_prefix_match="")
    assert filters.redirect(RequestRedirect(path=gone), "/old").prefix_rewrite == "/"
    with pytest.raises(Hard):
        filters.redirect(RequestRedirect(path=prefix), "")


@pytest.mark.row("GF-07")
@pytest.mark.parametrize(
    ("prefix", "value", "uri", "pattern", "replaced"),
    [
        ("/old", "/new", "/new", "", ""),
        ("/old", "/new/", "/new", "", ""),
        ("/old", "/", "", r"^\/old/*", "/"),
        ("/old", "", "", r"^\/old/*", "/"),
        ("/", "/new", "", "^/*", "/new/"),
        ("/o.d", "", "", r"^\/o\.d/*", "/"),
    ],
)
def test_a_prefix_is_replaced_by_segments(prefix: str, value: str, uri: str, pattern: str, replaced: str) -> None:
    entry = URLRewrite(hostname="h", path=PathModifier(type="ReplacePrefixMatch", replace_prefix_match=value))
    made = filters.rewrite(entry, prefix)
    assert (made.authority, made.uri) == ("h", uri)
    found = made.uri_regex_rewrite
    assert ((found.match, found.rewrite) if found else ("", "")) == (pattern, replaced)


def test_other_rewrites() -> None:
    assert filters.rewrite(URLRewrite(hostname="h"), "").authority == "h"
    whole = URLRewrite(path=PathModifier(type="ReplaceFullPath", replace_full_path="/a\\1"))
    made = filters.rewrite(whole, "").uri_regex_rewrite
    assert made is not None
    assert (made.match, made.rewrite) == ("/.*", r"/a\\1")
    with pytest.raises(Hard):
        filters.rewrite(URLRewrite(path=PathModifier(type="ReplacePrefixMatch")), "")


@pytest.mark.row("GF-08")
def test_the_share_of_a_mirror() -> None:
    good = Target(Destination(host="a"))

    def share(entry: RequestMirror) -> float | None:
        made, _ = filters.mirror(entry, lambda _: good)
        assert made is not None
        return made.percentage.value if made.percentage is not None else None

    assert share(RequestMirror()) is None
    assert share(RequestMirror(percent=40)) == 40
    assert share(RequestMirror(fraction=Fraction(numerator=1, denominator=3))) == pytest.approx(33.333, abs=0.01)
    assert share(RequestMirror(fraction=Fraction(numerator=7))) == 7
    bad = Target(Destination(), Problem("BackendNotFound", ""))
    assert filters.mirror(RequestMirror(), lambda _: bad) == (None, bad)


@pytest.mark.row("GF-10")
def test_origins_and_preflights() -> None:
    entry = Cors(allow_origins=("*", "https://a.com", "https://b*", "https://*.c.com"), max_age=7)
    made = filters.cors(entry)
    assert made.allow_origins == (
        StringMatch(regex=".*"),
        StringMatch(exact="https://a.com"),
        StringMatch(prefix="https://b"),
        StringMatch(regex=r"https\:\/\/.*\.c\.com"),
    )
    assert made.max_age is not None
    assert (made.max_age.seconds, made.unmatched_preflights) == (7, "IGNORE")
    assert made.allow_methods == ("GET", "HEAD", "POST")
