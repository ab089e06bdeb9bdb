"""What is told of connected proxies."""

from __future__ import annotations

import pytest

from mizzen.model.resources import CLUSTER, EXTENSION_CONFIG, LISTENER
from mizzen.server.debug import clients
from tests.protocol.conversation import delta
from tests.unit.server.debug.world import EDGE, TELLER, WEB, world


@pytest.mark.row("DBG-03")
def test_syncz_has_istios_fields_and_leaves_out_empty_ones() -> None:
    found = clients.sync(world().connections[WEB])
    assert {name: found[name] for name in ("cluster_id", "proxy", "proxy_type", "istio_version")} == {
        "cluster_id": "here",
        "proxy": "web-0.shop",
        "proxy_type": "sidecar",
        "istio_version": "1.32.0",
    }
    assert found["cluster_sent"] == found["cluster_acked"] != ""
    assert found["listener_sent"]
    assert "listener_acked" not in found, "sent, and not acknowledged yet"
    assert not [name for name in found if name.startswith(("route_", "endpoint_", "extensionconfig_"))], "not asked for"
    clusters = found["resources"][CLUSTER]
    assert clusters == {
        "sent": found["cluster_sent"],
        "acked": found["cluster_acked"],
        "sentTime": "2023-11-14T22:13:20.250000Z",
    }
    assert set(found["resources"]) == {CLUSTER, LISTENER}


@pytest.mark.row("DBG-03")
def test_every_type_has_istios_pair_of_nonces() -> None:
    connection = world().connections[WEB]
    asked = {"rds": ["80"], "eds": ["outbound|80||web.shop.svc.cluster.local"], "ecds": ["x"]}
    for short, names in asked.items():
        for response in connection.session.receive(delta(short, add=names)):
            connection.session.receive(delta(short, nonce=response.nonce))
    found = clients.sync(connection)
    for name in ("route", "endpoint"):
        assert found[f"{name}_sent"] == found[f"{name}_acked"] != ""
    assert EXTENSION_CONFIG in found["types"]
    assert clients._PAIRS[EXTENSION_CONFIG] == "extensionconfig"
    assert {f"{name}_sent" for name in ("cluster", "listener", "route", "endpoint")} <= set(found)


@pytest.mark.row("DBG-03")
def test_a_refusal_is_the_last_error() -> None:
    connection = world().connections[TELLER]
    nonce = connection.session.status()[CLUSTER].sent
    connection.session.receive(delta("cds", nonce=nonce, error="Error adding/updating cluster(s) BlackHoleCluster: no"))
    assert "no" in clients.sync(connection)["resources"][CLUSTER]["lastError"]


@pytest.mark.row("DBG-07")
def test_adsz_tells_who_is_there_and_what_each_watches() -> None:
    found = clients.client(world().connections[EDGE])
    assert found["connectionId"] == EDGE
    assert (found["address"], found["proxyType"], found["labels"]) == ("10.1.0.9", "router", {"app": "x"})
    assert found["metadata"]["CLUSTER_ID"] == "here"
    assert found["watches"] == {CLUSTER: ["*"], LISTENER: ["*"]}
    assert set(found["locality"]) == {"region", "zone", "subzone"}
    assert set(clients.brief(world().connections[EDGE])) == {"connectionId", "connectedAt", "address"}


def test_moments_are_rfc_3339() -> None:
    assert clients.moment(0) == "1970-01-01T00:00:00.000000Z"
