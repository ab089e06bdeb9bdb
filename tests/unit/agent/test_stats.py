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


@pytest.mark.row("ME-15")
def test_what_istio_always_counts() -> None:
    assert [p["prefix"] for p in patterns() if "prefix" in p] == [
        "reporter=",
        "cluster_manager",
        "listener_manager",
        "server",
        "cluster.xds-grpc",
        "wasm",
        "component",
        "istio",
    ]
    assert [p["safe_regex"]["regex"] for p in patterns() if "safe_regex" in p] == [r"vhost\..*\.route\..*"]


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
        ("http.inbound_[fd00::1]_80;.rq_total", "http_conn_manager_prefix", "inbound_[fd00::1]_80", "http.rq_total"),
        ("listener.0.0.0.0_80.http.0.0.0.0_80.rq", "listener_address", "0.0.0.0_80", "listener.http.0.0.0.0_80.rq"),
        (
            "listener.0.0.0.0_80.http.0.0.0.0_80.rq",
            "http_conn_manager_listener_prefix",
            "0.0.0.0_80",
            "listener.0.0.0.0_80.http.rq",
        ),
        ("server.worker_1.watchdog_miss", "thread_name", "worker_1", "server.watchdog_miss"),
        ("tcp.outbound.downstream_cx_total", "tcp_prefix", "outbound", "tcp.downstream_cx_total"),
        ("mongo.db.cmd.insert", "mongo_prefix", "cmd", "mongo..cmd.insert"),
        ("cache.hot.hits", "cache", "hot", "hits"),
        ("component.proxy.build", "component", "proxy", "build"),
        ("istio.tag.1.32;.build", "tag", "1.32", "istio.build"),
        ("wasm_filter.mine.hits", "wasm_filter", "mine", "hits"),
    ],
)
def test_names_become_tags(stat: str, tag: str, value: str, rest: str) -> None:
    """As Envoy reads them: the first group is cut out of the name, the second is the tag's value."""
    config = stats_config(Settings())
    assert config["use_all_default_tags"] is False
    tags = {entry["tag_name"]: entry["regex"].replace("[:digit:]", "0-9") for entry in config["stats_tags"]}
    assert len(tags) == 16
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
