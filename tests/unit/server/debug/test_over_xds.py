"""Debug pages as xDS types."""

from __future__ import annotations

import json

import pytest
from envoy.admin.v3 import config_dump_pb2
from envoy.service.discovery.v3 import discovery_pb2
from envoy.service.status.v3 import csds_pb2

from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER
from mizzen.server.debug import OverXds
from tests.unit.server.debug.world import TELLER, pages, still

ROOT, SHOP = Identity("cluster.local", "istio-system", "x"), Identity("cluster.local", "shop", "web")


def ask(type_url: str, *names: str, who: Identity = ROOT, delta: bool = False) -> discovery_pb2.DiscoveryResponse:
    over = OverXds(pages(still()), lambda i: None if i.namespace == "istio-system" else i.namespace, "istiod-1")
    response = over.answer(type_url, names, who, delta=delta)
    kind = discovery_pb2.DeltaDiscoveryResponse if delta else discovery_pb2.DiscoveryResponse
    return kind.FromString(response.encode())


@pytest.mark.row("XD-17")
def test_a_page_is_a_resource_name() -> None:
    response = ask("istio.io/debug", "syncz")
    (found,) = response.resources
    assert found.type_url == "istio.io/debug"
    assert [each["proxy"] for each in json.loads(found.value)] == ["edge-0.istio-system", "teller-0.bank", "web-0.shop"]
    dumped = ask("istio.io/debug", "config_dump?proxyID=web-0.shop&types=cds").resources[0]
    assert {each["@type"] for each in json.loads(dumped.value)["configs"]} == {CLUSTER}


@pytest.mark.row("XD-17")
def test_the_incremental_dialect() -> None:
    response = ask("istio.io/debug", "list", delta=True)
    assert response.type_url == "istio.io/debug"
    assert response.nonce
    assert response.resources[0].name == "list"
    assert "/debug/syncz" in json.loads(response.resources[0].resource.value)


@pytest.mark.row("XD-17", "DBG-02")
def test_the_rule_of_access_is_that_of_http() -> None:
    assert b"may not see" in ask("istio.io/debug", "syncz", who=SHOP).resources[0].value
    assert b"not connected" in ask("istio.io/debug", "edsz?proxyID=teller-0.bank", who=SHOP).resources[0].value
    assert json.loads(ask("istio.io/debug", "edsz?proxyID=web-0.shop", who=SHOP).resources[0].value)["configs"]
    assert b"exactly one" in ask("istio.io/debug", "syncz", "adsz").resources[0].value
    assert b"exactly one" in ask("istio.io/debug").resources[0].value


@pytest.mark.row("XD-18")
def test_the_older_types_answer_with_messages_and_say_who_answers() -> None:
    response = ask("istio.io/debug/syncz")
    about = json.loads(response.control_plane.identifier)
    assert (about["Component"], about["ID"]) == ("istiod", "istiod-1")
    states = [csds_pb2.ClientConfig.FromString(each.value) for each in response.resources]
    assert [state.node.id.split("~")[2] for state in states] == ["edge-0.istio-system", "teller-0.bank", "web-0.shop"]
    assert {config.type_url for config in states[0].generic_xds_configs} > {CLUSTER}
    synced = {config.type_url: config.config_status for config in states[2].generic_xds_configs}
    assert synced[CLUSTER] == csds_pb2.SYNCED
    own = ask("istio.io/debug/syncz", who=SHOP).resources
    assert [csds_pb2.ClientConfig.FromString(each.value).node.id.split("~")[2] for each in own] == ["web-0.shop"]
    dumped = config_dump_pb2.ConfigDump.FromString(ask("istio.io/debug/config_dump", TELLER).resources[0].value)
    assert dumped.configs[0].type_url.endswith("ClustersConfigDump")
    assert not ask("istio.io/connect").resources
