from typing import Any

import pytest
from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import regex_pb2, string_pb2
from envoy.type.v3 import percent_pb2

from mizzen.simulate import Call
from mizzen.simulate.routes import choose


def entry(name: str, **match: Any) -> route.Route:
    sensitive = match.pop("case_sensitive", None)
    message = route.Route(name=name, match=route.RouteMatch(**match))
    if sensitive is not None:
        message.match.case_sensitive.value = sensitive
    return message


REST = entry("rest", prefix="/")


@pytest.mark.parametrize(
    ("match", "path", "fits"),
    [
        ({"prefix": "/a"}, "/ab", True),
        ({"prefix": "/a"}, "/b", False),
        ({"prefix": "/A", "case_sensitive": False}, "/aB", True),
        ({"path": "/a"}, "/a?b=1", True),
        ({"path": "/a"}, "/a/", False),
        ({"path": "/A", "case_sensitive": False}, "/a", True),
        ({"path_separated_prefix": "/a"}, "/a/b", True),
        ({"path_separated_prefix": "/a"}, "/a", True),
        ({"path_separated_prefix": "/a"}, "/ab", False),
        ({"safe_regex": regex_pb2.RegexMatcher(regex="/v[0-9]")}, "/v1?x", True),
        ({"safe_regex": regex_pb2.RegexMatcher(regex="/v[0-9]")}, "/v1/x", False),
        ({"connect_matcher": route.RouteMatch.ConnectMatcher()}, "/", False),
        ({}, "/", False),
    ],
)
def test_paths(match: dict[str, Any], path: str, fits: bool) -> None:
    assert choose([entry("it", **match), REST], Call(port=1, path=path))[1].chosen == ("it" if fits else "rest")


def test_every_condition_has_to_fit() -> None:
    user = route.HeaderMatcher(name="end-user", string_match=string_pb2.StringMatcher(exact="jason"))
    debug = route.QueryParameterMatcher(name="debug", present_match=True)
    jason = entry("jason", prefix="/", headers=[user], query_parameters=[debug])
    found = choose([jason, REST], Call(port=1, path="/?debug", headers={"End-User": "jason"}))
    assert found[1].chosen == "jason"
    assert found[1].why == "the path is /…, end-user is 'jason', query parameter debug is there"
    assert choose([jason, REST], Call(port=1, headers={"end-user": "jason"}))[1].others[0].why_not == (
        "it wants that query parameter debug is there"
    )
    assert choose([jason], Call(port=1))[1].others[0].why_not == "it wants that end-user is 'jason'; it is missing"


def test_a_method_is_a_header() -> None:
    post = route.HeaderMatcher(name=":method", string_match=string_pb2.StringMatcher(exact="POST"))
    routes = [entry("post", prefix="/", headers=[post]), REST]
    assert choose(routes, Call(port=1, method="POST"))[1].chosen == "post"
    assert choose(routes, Call(port=1))[1].others[0].why_not == "it wants that :method is 'POST'; it is 'GET'"


def test_a_share_of_the_requests_is_told() -> None:
    half = entry("half", prefix="/")
    half.match.runtime_fraction.CopyFrom(
        base_pb2.RuntimeFractionalPercent(default_value=percent_pb2.FractionalPercent(numerator=50))
    )
    found, step = choose([half, REST], Call(port=1))
    assert found is half
    assert step.why.endswith("it takes 50.0000% of the requests")
    half.match.runtime_fraction.default_value.numerator = 0
    assert choose([half, REST], Call(port=1))[1].chosen == "rest"


def test_grpc_and_what_a_call_does_not_say() -> None:
    grpc = entry("grpc", prefix="/", grpc=route.RouteMatch.GrpcRouteMatchOptions())
    assert choose([grpc, REST], Call(port=1, headers={"content-type": "application/grpc+proto"}))[1].chosen == "grpc"
    assert choose([grpc, REST], Call(port=1))[1].chosen == "rest"
    claim = entry("claim", prefix="/")
    claim.match.dynamic_metadata.add(filter="x")
    assert choose([claim, REST], Call(port=1))[1].others[0].why_not == (
        "it has conditions on dynamic metadata, which this call does not meet"
    )


def test_no_route_says_what_was_wrong_with_each() -> None:
    found, step = choose([entry("a", path="/a"), entry("b", prefix="/b")], Call(port=1, path="/c"))
    assert found is None
    assert [c.why_not for c in step.others] == ["the path is not /a", "the path is not /b…"]
