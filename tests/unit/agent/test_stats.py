from __future__ import annotations

import re
from typing import Any

import pytest

from mizzen.agent.settings import Settings
from mizzen.agent.stats import stats_config


def patterns(**settings: Any) -> list[dict[str, Any]]:
    found = stats_config(Settings(**settings))["stats_matcher"]["inclusion_list"]["patterns"]
    assert isinstance(found, list)
    return found


@pytest.mark.row("ME-15", "AP-30")
def test_what_rules_decide_is_always_counted() -> None:
    suffixes = [p["suffix"] for p in patterns() if "suffix" in p]
    assert suffixes == ["rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied"]
    assert {"suffix": "downstream_cx_active"} in patterns(exit_on_zero_connections=True)


@pytest.mark.row("AN-06", "ME-15")
def test_the_annotation_takes_the_place_of_the_list_and_knows_the_pods_address() -> None:
    config = {"proxyStatsMatcher": {"inclusionSuffixes": ["a"], "inclusionRegexps": ["r"]}}
    asked = {"sidecar.istio.io/statsInclusionSuffixes": "b_{pod_ip},"}
    found = patterns(proxy_config=config, annotations=asked, instance_ip="10.0.0.9")
    assert {"suffix": "b_10.0.0.9"} in found
    assert {"suffix": "a"} not in found
    assert {"suffix": ""} not in found
    assert {"safe_regex": {"regex": "r"}} in found


@pytest.mark.row("AP-30", "ME-16")
@pytest.mark.parametrize(
    ("stat", "tag", "value", "rest"),
    [
        ("cluster.outbound|80||a.b;.upstream_rq", "cluster_name", "outbound|80||a.b", "cluster.upstream_rq"),
        ("http.inbound_0.0.0.0_80;.rbac.allowed", "authz_enforce_result", "allowed", "http.inbound_0.0.0.0_80;.rbac"),
        ("x.istio_dry_run_deny_.shadow_denied", "authz_dry_run_action", "deny", "x.shadow_denied"),
        ("x.istio_dry_run_deny_.shadow_denied", "authz_dry_run_result", "denied", "x.istio_dry_run_deny_"),
        ("cluster.a.upstream_rq_503", "response_code", "503", "cluster.a.upstream_rq"),
        ("cluster.a.upstream_rq_5xx", "response_code_class", "5xx", "cluster.a.upstream_rq"),
    ],
)
def test_names_become_tags(stat: str, tag: str, value: str, rest: str) -> None:
    """As Envoy reads them: the first group is cut out of the name, the second is the tag's value."""
    tags = {entry["tag_name"]: entry["regex"] for entry in stats_config(Settings())["stats_tags"]}
    match = re.search(tags[tag], stat)
    assert match is not None
    assert match[2] == value
    assert stat[: match.start(1)] + stat[match.end(1) :] == rest


@pytest.mark.row("PC-09")
def test_tags_of_proxy_config_and_of_the_annotation_are_united() -> None:
    asked = {"sidecar.istio.io/extraStatTags": "b, c"}
    found = stats_config(Settings(proxy_config={"extraStatTags": ["a"]}, annotations=asked))["stats_tags"]
    tags = {tag["tag_name"]: tag["regex"] for tag in found}
    assert {"a", "b", "c"} <= tags.keys()
    match = re.search(tags["b"], "istio_requests_total.a=.=1;.b=.=two;.")
    assert match is not None
    assert match[2] == "two"
