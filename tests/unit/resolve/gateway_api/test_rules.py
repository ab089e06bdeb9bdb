from __future__ import annotations

import pytest

from mizzen.api.virtual_service import HTTPRoute
from mizzen.resolve.gateway_api import rules
from tests.gateway_world import gateway, made, route

BACKEND = "backendRefs: [{name: web, port: 80}]"


def converted(spec: str, kind: str = "HTTPRoute", port: int = 0, mesh: bool = False) -> rules.Converted:
    found = made(gateway() + route(spec, kind))
    assert found.world is not None
    convert = rules.http if kind == "HTTPRoute" else rules.grpc
    return convert(found.routes[0].route, found.world, mesh=mesh, port=port)


def ordered(spec: str, kind: str = "HTTPRoute") -> list[HTTPRoute]:
    return [ranked.route for ranked in sorted(converted(spec, kind).routes, key=lambda r: r.rank)]


def rule(matches: str = "", rest: str = BACKEND) -> str:
    return f"{{{f'matches: [{matches}], ' if matches else ''}{rest}}}"


@pytest.mark.row("GA-12")
def test_every_match_is_a_route_of_its_own_named_by_rule_or_by_number() -> None:
    found = ordered(
        f"rules: [{rule('{path: {value: /a}}, {path: {value: /bb}}')}, {rule(rest='name: mine, ' + BACKEND)}]"
    )
    assert [(r.name, r.match[0].uri.prefix if r.match and r.match[0].uri else "") for r in found] == [
        ("shop.r.0", "/bb"),
        ("shop.r.0", "/a"),
        ("mine", ""),
    ]


@pytest.mark.row("GA-12")
def test_the_order_of_matches() -> None:
    listed = [
        "{path: {value: /}}",
        "{headers: [{name: a, value: b}]}",
        "{path: {type: RegularExpression, value: /longest.*}}",
        "{path: {value: /long}, queryParams: [{name: q, value: '1'}]}",
        "{path: {value: /long}, headers: [{name: a, value: b}]}",
        "{path: {value: /long}, method: GET}",
        "{path: {type: Exact, value: /x}}",
    ]
    found = ordered("rules: [" + ", ".join(f"{{name: n{i}, {rule(m)[1:]}" for i, m in enumerate(listed)) + "]")
    assert [r.name for r in found] == ["n6", "n5", "n4", "n3", "n1", "n2", "n0"]


@pytest.mark.row("GF-05")
def test_matches_of_headers_parameters_and_methods() -> None:
    text = "{headers: [{name: X-A, value: '1'}, {name: x-a, value: '2'}], queryParams: [{name: q, type: RegularExpression, value: a+}], method: POST}"
    match = ordered(f"rules: [{rule(text)}]")[0].match[0]
    assert {name: value.exact for name, value in match.headers.items()} == {"x-a": "1"}
    assert match.query_params["q"].regex == "a+"
    assert match.method is not None
    assert match.method.exact == "POST"


@pytest.mark.row("GA-24")
def test_weights_and_backends_of_weight_zero() -> None:
    text = "backendRefs: [{name: web, port: 80, weight: 90}, {name: reviews, port: 80, weight: 10}, {name: ratings, port: 80, weight: 0}]"
    assert [d.weight for d in ordered(f"rules: [{{{text}}}]")[0].route] == [90, 10]


@pytest.mark.row("GA-20")
@pytest.mark.parametrize("backends", ["", "backendRefs: [{name: web, port: 80, weight: 0}]"])
def test_nothing_to_send_to_answers_500(backends: str) -> None:
    found = ordered(f"rules: [{{{backends}}}]")[0]
    assert found.direct_response is not None
    assert found.direct_response.status == 500


@pytest.mark.row("GA-20")
def test_a_missing_backend_keeps_its_share() -> None:
    text = "rules: [{backendRefs: [{name: web, port: 80}, {name: absent, port: 80, weight: 3}]}]"
    found = converted(text)
    assert found.problem is not None
    assert found.problem.reason == "BackendNotFound"
    assert [d.weight for d in found.routes[0].route.route] == [1, 3]


@pytest.mark.row("GA-12", "GF-12")
@pytest.mark.parametrize(
    "bad",
    [
        f"filters: [{{type: ExtensionRef, extensionRef: {{name: x}}}}], {BACKEND}",
        "backendRefs: [{name: web, port: 80, filters: [{type: URLRewrite, urlRewrite: {hostname: h}}]}]",
        "backendRefs: [{name: web, port: 80, filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]",
    ],
)
def test_one_bad_rule_takes_all_of_the_route(bad: str) -> None:
    found = converted(f"rules: [{rule()}, {{{bad}}}]")
    assert found.routes == []
    assert found.hard is not None
    assert found.hard.reason == "InvalidFilter"


@pytest.mark.row("GF-09")
def test_timeouts() -> None:
    whole, each = "timeouts: {request: 5s}", "timeouts: {request: 5s, backendRequest: 1s}"
    retry = "retry: {codes: [500, 503], attempts: 4, backoff: 100ms}"
    for text, timeout, tries in (
        (whole, 5, None),
        (each, 1, None),
        (f"{each}, {retry}", 5, 1),
        ("timeouts: {request: 0s}", None, None),
    ):
        found = ordered(f"rules: [{{{text}, {BACKEND}}}]")[0]
        assert (found.timeout.seconds if found.timeout else None) == timeout
        per_try = found.retries.per_try_timeout if found.retries else None
        assert (per_try.seconds if per_try else None) == tries


@pytest.mark.row("GF-13")
def test_retries() -> None:
    found = ordered(f"rules: [{{retry: {{codes: [500], backoff: 100ms}}, {BACKEND}}}]")[0].retries
    assert found is not None
    assert (found.attempts, found.retry_on.split(",")[-1]) == (2, "500")
    assert found.backoff is not None
    none = ordered(f"rules: [{{retry: {{attempts: 0}}, {BACKEND}}}]")[0].retries
    assert none is not None
    assert none.attempts == 0


def test_filters_of_a_rule() -> None:
    text = (
        "filters: [{type: URLRewrite, urlRewrite: {hostname: h}}, {type: CORS, cors: {allowOrigins: [a]}},"
        " {type: RequestMirror, requestMirror: {backendRef: {name: reviews, port: 80}}}], " + BACKEND
    )
    found = ordered(f"rules: [{{{text}}}]")[0]
    assert found.rewrite is not None
    assert found.cors_policy is not None
    assert [m.destination.host for m in found.mirrors if m.destination] == ["reviews.shop.svc.cluster.local"]
    redirected = ordered("rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]")[0]
    assert redirected.redirect is not None
    assert redirected.direct_response is None


@pytest.mark.row("GF-08")
def test_a_mirror_to_nowhere_harms_only_a_grpc_route() -> None:
    text = (
        "rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: absent, port: 80}}}], "
        + BACKEND
        + "}]"
    )
    http = converted(text)
    assert len(http.routes) == 1
    assert http.problem is not None
    assert converted(text, "GRPCRoute").hard is not None


@pytest.mark.row("GA-23", "GF-10")
def test_the_port_of_the_parent_is_a_condition() -> None:
    assert converted(f"rules: [{rule()}]", port=80, mesh=True).routes[0].route.match[0].port == 80


@pytest.mark.row("GF-14")
@pytest.mark.parametrize(
    ("method", "kind", "value"),
    [
        ("{service: a.B, method: C}", "exact", "/a.B/C"),
        ("{service: a.B}", "prefix", "/a.B"),
        ("{method: C}", "regex", "/[^/]+/C"),
        ("{type: RegularExpression, service: a.*}", "regex", "/a.*/[^/]+"),
    ],
)
def test_methods_of_grpc(method: str, kind: str, value: str) -> None:
    match = ordered(f"rules: [{rule(f'{{method: {method}}}')}]", "GRPCRoute")[0].match[0]
    assert match.uri is not None
    assert getattr(match.uri, kind) == value


@pytest.mark.row("GA-12")
def test_the_order_of_grpc_matches() -> None:
    listed = [
        "{}",
        "{headers: [{name: a, value: b}]}",
        "{method: {method: C}}",
        "{method: {service: a}}",
        "{method: {service: a, method: C}}",
    ]
    found = ordered(
        "rules: [" + ", ".join(f"{{name: n{i}, {rule(m)[1:]}" for i, m in enumerate(listed)) + "]", "GRPCRoute"
    )
    assert [r.name for r in found] == ["n4", "n3", "n1", "n2", "n0"]


@pytest.mark.row("GF-14")
def test_grpc_takes_no_redirect() -> None:
    text = "rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]"
    assert converted(text, "GRPCRoute").hard is not None
