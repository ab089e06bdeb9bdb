"""How a delegate's matches join those of its root (row VS-37)."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.virtual_service import HTTPRoute
from mizzen.model.config import Config
from mizzen.resolve import build
from tests.meshes import routes, service

WEB = service("web", "a", 1, [{"name": "http", "port": 80}])
TO_WEB = [{"destination": {"host": "web"}}]


def _merged(root: dict[str, Any], child: dict[str, Any]) -> tuple[HTTPRoute, ...]:
    outer = routes(
        "root", "a", hosts=["web"], gateways=["mesh", "gw", "g2"], http=[{"delegate": {"name": "sub"}, **root}]
    )
    inner = routes("sub", "a", http=[{"route": TO_WEB, **child}])
    [found] = build(Config().with_objects([WEB, outer, inner])).virtual_services
    return tuple(found.body.http)


@pytest.mark.row("VS-37")
@pytest.mark.parametrize(
    ("root", "child", "fits"),
    [
        ({"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/a/b"}}, True),
        ({"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}, False),
        ({"uri": {"prefix": "/a"}}, {"uri": {"exact": "/a/b"}}, True),
        ({"uri": {"prefix": "/a"}}, {"uri": {"exact": "/b"}}, False),
        ({"uri": {"exact": "/a"}}, {"uri": {"exact": "/a"}}, True),
        ({"uri": {"exact": "/a"}}, {"uri": {"exact": "/a/b"}}, False),
        ({"uri": {"exact": "/a"}}, {"uri": {"prefix": "/a"}}, False),
        ({"uri": {"regex": "/a"}}, {"uri": {"regex": "/a"}}, False),
        ({"uri": {"prefix": "/a"}}, {"uri": {"regex": "/a.*"}}, False),
        ({"uri": {"regex": "/a.*"}}, {"headers": {"x": {"exact": "1"}}}, True),
        ({"uri": {"prefix": "/a"}, "ignoreUriCase": True}, {"uri": {"prefix": "/a/b"}}, False),
        ({"uri": {"prefix": "/a"}, "ignoreUriCase": True}, {"uri": {"prefix": "/a/b"}, "ignoreUriCase": True}, True),
        ({"method": {"exact": "GET"}}, {"method": {"exact": "GET"}}, True),
        ({"method": {"exact": "GET"}}, {"method": {"exact": "POST"}}, False),
        ({"headers": {"x": {"prefix": "a"}}}, {"headers": {"x": {"exact": "ab"}}}, True),
        ({"headers": {"x": {"prefix": "a"}}}, {"headers": {"x": {"exact": "b"}}}, False),
        ({"queryParams": {"q": {"exact": "1"}}}, {"queryParams": {"q": {"exact": "2"}}}, False),
        ({"withoutHeaders": {"x": {"exact": "1"}}}, {"withoutHeaders": {"y": {"exact": "2"}}}, True),
        ({"port": 80}, {"port": 80}, True),
        ({"port": 80}, {"port": 81}, False),
        ({"sourceLabels": {"app": "x"}}, {"sourceLabels": {"app": "x", "v": "1"}}, True),
        ({"sourceLabels": {"app": "x"}}, {"sourceLabels": {"app": "y"}}, False),
        ({"gateways": ["gw", "g2"]}, {"gateways": ["gw"]}, True),
        ({"gateways": ["gw"]}, {"gateways": ["g2"]}, False),
        ({"sourceNamespace": "a"}, {"sourceNamespace": "a"}, True),
        ({"sourceNamespace": "a"}, {"uri": {"prefix": "/"}}, False),
    ],
)
def test_a_match_of_the_delegate_has_to_fit(root: dict[str, Any], child: dict[str, Any], fits: bool) -> None:
    assert bool(_merged({"match": [root]}, {"match": [child]})) is fits


@pytest.mark.row("VS-37")
def test_each_fitting_pair_is_one_match_of_both() -> None:
    root = {"name": "r", "match": [{"name": "a", "uri": {"prefix": "/a"}}, {"name": "b", "uri": {"prefix": "/b"}}]}
    child = {
        "name": "c",
        "match": [{"name": "x", "headers": {"x": {"exact": "1"}}}, {"name": "y", "uri": {"prefix": "/b/y"}}],
    }
    [merged] = _merged(root, child)
    assert merged.name == "r-c"
    assert [(m.name, m.uri.prefix, sorted(m.headers)) for m in merged.match if m.uri] == [
        ("a-x", "/a", ["x"]),
        ("b-x", "/b", ["x"]),
        ("b-y", "/b/y", []),
    ]


@pytest.mark.row("VS-37")
def test_what_the_delegate_leaves_unset_comes_from_the_root() -> None:
    root = {
        "timeout": "1s",
        "retries": {"attempts": 3},
        "fault": {"abort": {"httpStatus": 500, "percentage": {"value": 1}}},
        "rewrite": {"uri": "/r"},
        "corsPolicy": {"allowOrigins": [{"exact": "x"}]},
        "headers": {"request": {"set": {"a": "b"}}},
        "mirrors": [{"destination": {"host": "web"}}],
    }
    [merged] = _merged(root, {"timeout": "2s"})
    assert merged.timeout is not None
    assert merged.timeout.seconds == 2
    assert merged.retries is not None
    assert merged.retries.attempts == 3
    assert merged.rewrite is not None
    assert all((merged.fault, merged.cors_policy, merged.headers, merged.mirrors))


@pytest.mark.row("VS-36")
def test_a_delegate_that_is_not_there_costs_its_route_alone_and_is_told() -> None:
    rest = {"route": TO_WEB}
    outer = routes(
        "root", "a", hosts=["web"], http=[{"delegate": {"name": "gone"}, "match": [{"uri": {"prefix": "/a"}}]}, rest]
    )
    made = build(Config().with_objects([WEB, outer]))
    assert len(made.virtual_services[0].body.http) == 1
    assert [(f.code, f.field) for f in made.findings] == [("IST0101", "spec.http[0].delegate")]
