from __future__ import annotations

import pytest

from mizzen.model.resources import LISTENER
from tests.scenes import listener
from tests.unit.translate.patches.patching import HCM, LUA, patch, patched, statuses

ADDED = {"name": "extra", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 9999}}}


@pytest.mark.row("EF-03", "EF-12")
def test_listeners_are_added_merged_and_removed() -> None:
    made = patched(
        patch("LISTENER", "ADD", ADDED),
        patch("LISTENER", "MERGE", {"tcp_backlog_size": 7}, listener={"portNumber": 80}),
        patch("LISTENER", "REMOVE", listener={"name": "virtualOutbound"}),
        patch("LISTENER", "REPLACE", ADDED, listener={"portNumber": 80}),
    )
    assert list(made.get(LISTENER)) == ["0.0.0.0_80", "10.96.0.20_443", "virtualInbound", "extra"]
    assert listener(made, "0.0.0.0_80").tcp_backlog_size.value == 7
    assert statuses(made) == ["applied", "applied", "applied", "matched nothing"]


@pytest.mark.row("EF-03")
@pytest.mark.parametrize(
    ("match", "names"),
    [
        ({"portNumber": 8080}, {"0.0.0.0_8080"}),
        ({"name": "virtualInbound", "filterChain": {"name": "virtualInbound-blackhole"}}, {"virtualInbound-blackhole"}),
        ({"filterChain": {"destinationPort": 15006}}, {"virtualInbound-blackhole"}),
        ({"portNumber": "none"}, set()),
        ({"portNumber": 8080, "filterChain": {"transportProtocol": "raw_buffer"}}, {"0.0.0.0_8080"}),
        ({"filterChain": {"sni": "nobody"}}, set()),
    ],
)
def test_below_a_capturing_listener_the_port_is_the_chains(match: dict[str, object], names: set[str]) -> None:
    made = patched(
        patch(
            "FILTER_CHAIN",
            "MERGE",
            {"metadata": {"filter_metadata": {"hit": {}}}},
            context="SIDECAR_INBOUND",
            listener=match,
        )
    )
    chains = listener(made, "virtualInbound").filter_chains
    assert {c.name for c in chains if "hit" in c.metadata.filter_metadata} == names


@pytest.mark.row("EF-03")
def test_chains_and_listener_filters_come_and_go() -> None:
    inspector = "envoy.filters.listener.http_inspector"
    made = patched(
        patch("FILTER_CHAIN", "ADD", {"name": "mine"}, listener={"name": "virtualOutbound"}),
        patch(
            "FILTER_CHAIN", "REMOVE", listener={"name": "virtualOutbound", "filterChain": {"destinationPort": 15001}}
        ),
        patch("LISTENER_FILTER", "REMOVE", listener={"name": "virtualInbound", "listenerFilter": inspector}),
        patch("LISTENER_FILTER", "MERGE", {"name": "x"}, listener={"name": "virtualInbound"}),
    )
    names = [c.name for c in listener(made, "virtualOutbound").filter_chains]
    assert names == ["virtualOutbound-catchall-tcp", "mine"]
    assert inspector not in [f.name for f in listener(made, "virtualInbound").listener_filters]
    assert statuses(made) == ["applied", "applied", "applied", "matched nothing"]


@pytest.mark.row("EF-04", "EF-13")
def test_an_http_filter_goes_into_every_manager_that_matches() -> None:
    where = {"filterChain": {"filter": {"name": HCM, "subFilter": {"name": "envoy.filters.http.router"}}}}
    made = patched(
        patch("HTTP_FILTER", "INSERT_BEFORE", {**LUA, "name": "mine.alone"}, context="SIDECAR_INBOUND", listener=where),
        patch("HTTP_FILTER", "INSERT_BEFORE", LUA, listener={"filterChain": {"filter": {"name": "envoy.router"}}}),
        patch("NETWORK_FILTER", "REMOVE", listener={"filterChain": {"filter": {"name": "istio.stats"}}}),
    )
    assert statuses(made) == ["applied", "matched nothing", "applied"]
    assert b"mine.alone" in made.get(LISTENER)["virtualInbound"].body
    assert b"mine.alone" not in made.get(LISTENER)["0.0.0.0_80"].body
    names = [f.name for c in listener(made, "virtualOutbound").filter_chains for f in c.filters]
    assert "istio.stats" not in names


@pytest.mark.row("EF-02")
def test_merges_come_after_what_adds() -> None:
    merge = patch(
        "HTTP_FILTER",
        "MERGE",
        {"disabled": True},
        context="SIDECAR_OUTBOUND",
        listener={"filterChain": {"filter": {"name": HCM, "subFilter": {"name": "lua"}}}},
    )
    made = patched(merge, patch("HTTP_FILTER", "INSERT_FIRST", LUA, context="SIDECAR_OUTBOUND"))
    assert statuses(made) == ["applied", "applied"]


@pytest.mark.row("EF-17")
def test_one_bad_patch_leaves_all_others_and_is_found() -> None:
    bad = {"name": "b", "typed_config": {"@type": "type.googleapis.com/nope"}}
    made = patched(
        patch("HTTP_FILTER", "INSERT_FIRST", bad),
        patch("LISTENER", "MERGE", {"tcp_backlog_size": 7}, listener={"portNumber": 80}),
        patch("LISTENER_FILTER", "INSERT_FIRST", {"name": "f"}, listener={"filterChain": "no mapping"}),
        patch("HTTP_FILTER", "INSERT_FIRST", LUA, listener={"filterChain": ["no mapping"]}),
    )
    assert statuses(made)[:2] == ["refused", "applied"]
    assert statuses(made)[3] == "refused"
    assert made.findings[0].field == "spec.configPatches[0]"
    assert "nope" in made.findings[0].message
