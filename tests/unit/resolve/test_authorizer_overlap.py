"""Two authorizers for one workload are said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mizzen.model.config import Config
from mizzen.model.features import Features
from mizzen.model.finding import Level
from mizzen.resolve.authorizer_overlap import overlap_findings
from mizzen.resolve.build import build
from tests.meshes import SECURITY, new, pod

PODS = [pod("web", "a", 1, {"app": "web"}), pod("db", "a", 2, {"app": "db"})]


def policy(name: str, provider: str, **spec: Any) -> Any:
    body = {"action": "CUSTOM", "provider": {"name": provider}, "rules": [{}], **spec}
    return new(SECURITY, "AuthorizationPolicy", "a", name, body)


def found(*policies: Any, several: bool = False) -> list[tuple[str, str]]:
    config = replace(Config().with_objects(PODS), features=Features(several_authorizers=several))
    snapshot = build(config)
    findings = overlap_findings(policies, snapshot.workloads, "istio-system", config.features)
    assert {(f.code, f.level) for f in findings} <= {("MZ0401", Level.ERROR)}
    return [(finding.name, finding.message) for finding in findings]


@pytest.mark.row("AP-06")
def test_each_of_the_policies_is_named() -> None:
    both = found(policy("one", "p"), policy("two", "q", selector={"matchLabels": {"app": "web"}}))
    assert [name for name, _ in both] == ["one", "two"]
    assert "the providers p, q are named on web.a, and only one may be" in both[0][1]


def test_nothing_is_said_where_they_do_not_meet_or_may() -> None:
    web, db = ({"matchLabels": {"app": name}} for name in ("web", "db"))
    assert found(policy("one", "p", selector=web), policy("two", "q", selector=db)) == []
    assert found(policy("one", "p"), policy("two", "p")) == []
    assert found(policy("one", "p"), policy("two", "q"), several=True) == []


@pytest.mark.row("CM-07")
@pytest.mark.parametrize(("switched", "count"), [(True, 2), (False, 0)])
def test_they_do_not_meet_on_a_gateway_that_takes_neither(switched: bool, count: int) -> None:
    edge = pod("edge", "a", 1, {"gateway.networking.k8s.io/gateway-name": "edge"})
    config = Config(features=Features(gateway_selectors=switched))
    made = build(config.with_objects([edge, policy("one", "p"), policy("two", "q")]))
    assert sum("only one may be" in finding.message for finding in made.findings) == count


def test_the_snapshot_says_it() -> None:
    config = Config().with_objects([*PODS, policy("one", "p"), policy("two", "q")])
    assert any("only one may be" in finding.message for finding in build(config).findings)
