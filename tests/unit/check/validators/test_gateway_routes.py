from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.check import validate
from mizzen.model.finding import Level

BACKEND = {"name": "web", "port": 80}


def said(kind: str, spec: dict[str, Any]) -> list[tuple[str, str]]:
    raw = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    decoded = decode(raw)
    assert decoded.object is not None, decoded.problems
    return [("!" if f.level is Level.ERROR else "", f.field) for f in validate(decoded.object)]


def rule(**more: Any) -> dict[str, Any]:
    return {"parentRefs": [{"name": "gw"}], "rules": [{"backendRefs": [BACKEND], **more}]}


def matching(**match: Any) -> dict[str, Any]:
    return rule(matches=[match])


def filtered(*filters: dict[str, Any]) -> dict[str, Any]:
    return rule(filters=list(filters))


REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
REWRITE = {"type": "URLRewrite", "urlRewrite": {"hostname": "a"}}
MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": BACKEND}}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        rule(),
        matching(path={"type": "RegularExpression", "value": "/a.*"}, method="GET"),
        matching(headers=[{"name": "a", "value": "b"}], queryParams=[{"name": "q[]", "value": "b"}]),
        filtered(REDIRECT),
        filtered(REWRITE, MIRROR, MIRROR),
        rule(timeouts={"request": "0s", "backendRequest": "5s"}, retry={"codes": [503], "backoff": "100ms"}),
    ],
)
def test_what_is_good(spec: dict[str, Any]) -> None:
    assert said("HTTPRoute", spec) == []


RULE = "spec.rules[0]"
MATCH = f"{RULE}.matches[0]"
FILTER = f"{RULE}.filters[0]"


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({"parentRefs": [{}]}, [("!", "spec.parentRefs[0].name")]),
        ({"parentRefs": [{"name": "a", "port": 70000}]}, [("!", "spec.parentRefs[0].port")]),
        ({"hostnames": ["192.0.2.1"]}, [("!", "spec.hostnames[0]")]),
        ({"hostnames": ["*"]}, [("!", "spec.hostnames[0]")]),
        ({"hostnames": ["a_b*"]}, [("!", "spec.hostnames[0]")]),
        ({"useDefaultGateways": "All"}, [("", "spec.useDefaultGateways")]),
        ({"rules": [{"name": "a"}, {"name": "a"}]}, [("!", "spec.rules")]),
        (rule(backendRefs=[{"port": 80}]), [("!", f"{RULE}.backendRefs[0].name")]),
        (rule(backendRefs=[{**BACKEND, "port": 70000}]), [("!", f"{RULE}.backendRefs[0].port")]),
        (rule(backendRefs=[{**BACKEND, "weight": -1}]), [("!", f"{RULE}.backendRefs[0].weight")]),
        (
            rule(backendRefs=[{**BACKEND, "filters": [{"type": "X"}]}]),
            [("!", f"{RULE}.backendRefs[0].filters[0].type")],
        ),
        (matching(path={"value": "a"}), [("!", f"{MATCH}.path.value")]),
        (matching(path={"value": "/a//b"}), [("!", f"{MATCH}.path.value")]),
        (matching(path={"type": "Odd", "value": "/a"}), [("!", f"{MATCH}.path.type")]),
        (matching(path={"type": "RegularExpression", "value": "("}), [("!", f"{MATCH}.path.value")]),
        (matching(method="get"), [("!", f"{MATCH}.method")]),
        (matching(headers=[{"name": "a b", "value": "c"}]), [("!", f"{MATCH}.headers[0].name")]),
        (matching(headers=[{"name": "a", "type": "Odd", "value": "c"}]), [("!", f"{MATCH}.headers[0].type")]),
        (
            matching(queryParams=[{"name": "a", "type": "RegularExpression", "value": "["}]),
            [("!", f"{MATCH}.queryParams[0].value")],
        ),
        (filtered(REDIRECT, REWRITE), [("!", f"{RULE}.filters")]),
        (filtered(REDIRECT, REDIRECT), [("!", f"{RULE}.filters")]),
        (filtered({"type": "CORS"}), [("!", FILTER)]),
        (filtered({**MIRROR, "cors": {}}), [("!", FILTER)]),
        (
            filtered({"type": "RequestRedirect", "requestRedirect": {"statusCode": 418}}),
            [("!", f"{FILTER}.requestRedirect.statusCode")],
        ),
        (
            filtered({"type": "RequestRedirect", "requestRedirect": {"scheme": "ftp"}}),
            [("!", f"{FILTER}.requestRedirect.scheme")],
        ),
        (
            filtered({"type": "RequestRedirect", "requestRedirect": {"port": 70000}}),
            [("!", f"{FILTER}.requestRedirect.port")],
        ),
        (filtered({"type": "URLRewrite", "urlRewrite": {"hostname": "*.a"}}), [("!", f"{FILTER}.urlRewrite.hostname")]),
        (
            filtered(
                {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replacePrefixMatch": "/"}}}
            ),
            [("!", f"{FILTER}.urlRewrite.path")],
        ),
        (
            filtered({"type": "URLRewrite", "urlRewrite": {"path": {"type": "X"}}}),
            [("!", f"{FILTER}.urlRewrite.path.type")],
        ),
        (filtered({"type": "RequestMirror", "requestMirror": {}}), [("!", f"{FILTER}.requestMirror.backendRef")]),
        (
            filtered(
                {
                    "type": "RequestMirror",
                    "requestMirror": {"backendRef": BACKEND, "percent": 101, "fraction": {"numerator": 200}},
                }
            ),
            [
                ("!", f"{FILTER}.requestMirror"),
                ("!", f"{FILTER}.requestMirror.percent"),
                ("!", f"{FILTER}.requestMirror.fraction"),
            ],
        ),
        (
            filtered(
                {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "a b", "value": "c"}]}}
            ),
            [("!", f"{FILTER}.requestHeaderModifier.set[0].name")],
        ),
        (rule(timeouts={"request": "1s", "backendRequest": "2s"}), [("!", f"{RULE}.timeouts.backendRequest")]),
        (rule(retry={"codes": [200]}), [("!", f"{RULE}.retry.codes")]),
        (rule(sessionPersistence={"type": "Cookie"}), [("", f"{RULE}.sessionPersistence")]),
    ],
)
def test_what_is_not(spec: dict[str, Any], fields: list[tuple[str, str]]) -> None:
    assert said("HTTPRoute", spec) == fields


def headers(**operations: Any) -> dict[str, Any]:
    return filtered({"type": "ResponseHeaderModifier", "responseHeaderModifier": operations})


def replaced(kind: str, value: str) -> dict[str, Any]:
    path = {"type": kind, kind[0].lower() + kind[1:]: value}
    return filtered({"type": "URLRewrite", "urlRewrite": {"path": path}})


MODIFIER = f"{FILTER}.responseHeaderModifier"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (headers(set=[{"name": "x", "value": "50%"}]), f"{MODIFIER}.set[0].value"),
        (
            headers(add=[{"name": "x", "value": "%PROTOCOL%"}, {"name": "x", "value": "%OOPS%"}]),
            f"{MODIFIER}.add[1].value",
        ),
        (headers(set=[{"name": "x", "value": "y" * 16385}]), f"{MODIFIER}.set[0].value"),
        (headers(remove=["x", ""]), f"{MODIFIER}.remove[1]"),
        (headers(remove=["a\nb", ":path"]), f"{MODIFIER}.remove[0]"),
        (
            rule(
                backendRefs=[
                    {
                        **BACKEND,
                        "filters": [
                            {
                                "type": "RequestHeaderModifier",
                                "requestHeaderModifier": {"set": [{"name": "x", "value": "%"}]},
                            }
                        ],
                    }
                ]
            ),
            f"{RULE}.backendRefs[0].filters[0].requestHeaderModifier.set[0].value",
        ),
        (replaced("ReplaceFullPath", "/a\nb"), f"{FILTER}.urlRewrite.path"),
        (replaced("ReplacePrefixMatch", "/a\nb"), f"{FILTER}.urlRewrite.path"),
        (matching(path={"value": "/a?b"}), f"{MATCH}.path.value"),
        (matching(path={"type": "Exact", "value": "/a b"}), f"{MATCH}.path.value"),
        (matching(path={"value": "/a/.."}), f"{MATCH}.path.value"),
        (matching(path={"type": "RegularExpression", "value": ""}), f"{MATCH}.path.value"),
        (matching(headers=[{"name": "x", "type": "RegularExpression"}]), f"{MATCH}.headers[0].value"),
        (matching(queryParams=[{"name": "x" * 1025, "value": "y"}]), f"{MATCH}.queryParams[0].name"),
        (matching(queryParams=[{"value": "y"}]), f"{MATCH}.queryParams[0].name"),
        (rule(backendRefs=[{**BACKEND, "weight": 1_000_000}] * 4295), f"{RULE}.backendRefs"),
    ],
    ids=lambda value: str(value)[-60:],
)
def test_what_envoy_would_refuse_with_all_routes_of_the_port(spec: dict[str, Any], field: str) -> None:
    assert said("HTTPRoute", spec) == [("!", field)]


def test_header_values_as_envoy_reads_them_and_paths_as_crds_do() -> None:
    assert said("HTTPRoute", headers(set=[{"name": "x", "value": "%UPSTREAM_HOST% 5%%"}], remove=["y"])) == []
    assert said("HTTPRoute", matching(path={"value": "/a-b/%C3%A9;v=1/.c"})) == []
    assert said("GRPCRoute", headers(set=[{"name": "x", "value": "%"}])) == [("!", f"{MODIFIER}.set[0].value")]


@pytest.mark.parametrize(
    ("match", "fields"),
    [
        ({"method": {"service": "a.B", "method": "C"}}, []),
        ({"method": {"type": "RegularExpression", "service": "a.*"}}, []),
        ({"method": {}}, [("!", f"{MATCH}.method")]),
        ({"method": {"service": "a/b"}}, [("!", f"{MATCH}.method.service")]),
        ({"method": {"type": "RegularExpression", "method": "("}}, [("!", f"{MATCH}.method.method")]),
        ({"method": {"type": "Odd", "method": "a"}}, [("!", f"{MATCH}.method.type")]),
        ({"headers": [{"name": "", "value": "x"}]}, [("!", f"{MATCH}.headers[0].name")]),
    ],
)
def test_grpc(match: dict[str, Any], fields: list[tuple[str, str]]) -> None:
    assert said("GRPCRoute", matching(**match)) == fields


def test_routes_of_bytes() -> None:
    assert said("TCPRoute", {}) == [("!", "spec.rules")]
    assert said("TLSRoute", {"hostnames": ["*"], "rules": [{"backendRefs": [{}]}]}) == [
        ("!", "spec.hostnames[0]"),
        ("!", f"{RULE}.backendRefs[0].name"),
    ]
