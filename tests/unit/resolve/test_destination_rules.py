from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build, view
from tests.meshes import rule, service, sidecar

WEB = service("web", "server", 1, [{"name": "http", "port": 80}])
HOST = "web.server.svc.cluster.local"


def chosen(*rules: Object, namespace: str = "client", **labels: str) -> str | None:
    """The rule that a client in ``namespace`` uses for ``web``."""
    snapshot = build(Config().with_objects([WEB, *rules]))
    found = view(snapshot, sidecar(1, namespace, **labels)).scope.destination_rules.get(("server", HOST))
    return f"{found.namespace}/{found.name}" if found else None


@pytest.mark.row("DR-02")
def test_the_client_s_namespace_comes_first_then_the_service_s_then_the_root() -> None:
    own, theirs, root = (rule(n, n, host=HOST) for n in ("client", "server", "istio-system"))
    assert chosen(own, theirs, root) == "client/client"
    assert chosen(theirs, root) == "server/server"
    assert chosen(root) == "istio-system/istio-system"


@pytest.mark.row("DR-02", "DR-05")
def test_an_invisible_rule_of_the_most_specific_host_is_not_replaced_by_a_wider_one_beside_it() -> None:
    hidden = rule("hidden", "server", host="web", exportTo=["."])
    wide = rule("wide", "server", host="*.local")
    root = rule("root", "istio-system", host="*.local")
    assert chosen(hidden, wide, root) == "istio-system/root"


@pytest.mark.row("DR-02")
def test_a_client_in_the_root_namespace_skips_its_own_public_rules_at_first() -> None:
    root, theirs = rule("root", "istio-system", host="*.local"), rule("theirs", "server", host="web")
    assert chosen(root, theirs, namespace="istio-system") == "server/theirs"
    private = rule("private", "istio-system", host="*.local", exportTo=["."])
    assert chosen(private, theirs, namespace="istio-system") == "istio-system/private"


@pytest.mark.row("DR-03")
def test_rules_of_one_host_are_merged_into_the_oldest() -> None:
    first = rule("a", "server", host="web", subsets=[{"name": "v1"}, {"name": "v2"}])
    second = rule(
        "b",
        "server",
        host=HOST,
        subsets=[{"name": "v2"}, {"name": "v3"}],
        trafficPolicy={"loadBalancer": {"simple": "RANDOM"}},
    )
    snapshot = build(Config().with_objects([WEB, first, second]))
    [merged] = snapshot.destination_rules
    assert merged.name == "a"
    assert [s.name for s in merged.body.subsets] == ["v1", "v2", "v3"]
    assert merged.body.traffic_policy.load_balancer.simple == "RANDOM"


@pytest.mark.row("DR-03")
def test_of_rules_with_different_exports_the_youngest_visible_one_is_used_alone() -> None:
    unset = rule("a", "server", host="web", subsets=[{"name": "v1"}])
    every = rule("b", "server", host="web", subsets=[{"name": "v2"}], exportTo=["*"])
    assert chosen(unset, every) == "server/b"
    own = rule("b", "server", host="web", subsets=[{"name": "v2"}], exportTo=["."])
    assert chosen(unset, own) == "server/a"
    assert chosen(unset, own, namespace="server") == "server/b"


@pytest.mark.row("DR-04", "DR-05")
def test_a_selector_counts_in_its_own_namespace_only_and_the_oldest_of_several() -> None:
    selects = {"host": HOST, "workloadSelector": {"matchLabels": {"app": "web"}}}
    assert chosen(rule("theirs", "server", **selects), app="web") is None
    both = rule("b", "client", host=HOST, workloadSelector={"matchLabels": {"app": "web", "version": "v1"}})
    assert chosen(rule("a", "client", **selects), both, app="web", version="v1") == "client/a"


@pytest.mark.row("DR-04")
def test_a_rule_with_a_selector_is_used_instead_of_the_plain_one() -> None:
    plain: dict[str, Any] = {"host": HOST}
    rules = (
        rule("plain", "client", **plain),
        rule("own", "client", **plain, workloadSelector={"matchLabels": {"app": "web"}}),
    )
    assert chosen(*rules, app="web") == "client/own"
    assert chosen(*rules, app="other") == "client/plain"


@pytest.mark.row("DR-03")
def test_a_wider_explicit_export_is_merged_into_the_older_rule_and_stands_alone_too() -> None:
    own = rule("a", "server", host="web", subsets=[{"name": "v1"}], exportTo=["."])
    wider = rule("b", "server", host="web", subsets=[{"name": "v2"}], exportTo=[".", "client"])
    merged, alone = build(Config().with_objects([WEB, own, wider])).destination_rules
    assert [s.name for s in merged.body.subsets] == ["v1", "v2"]
    assert [s.name for s in alone.body.subsets] == ["v2"]
    assert chosen(own, wider) == "server/b"


@pytest.mark.row("DR-03")
def test_a_subset_that_is_dropped_is_told_to_its_author() -> None:
    first = rule("a", "server", host="web", subsets=[{"name": "v1"}, {"name": "v2"}])
    second = rule("b", "server", host=HOST, subsets=[{"name": "v3"}, {"name": "v2"}])
    [finding] = build(Config().with_objects([WEB, first, second])).findings
    assert (finding.code, finding.name, finding.field) == ("MZ0006", "b", "spec.subsets[1].name")
