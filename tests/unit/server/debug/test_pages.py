"""Every page by its name, and what each needs to be told."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from mizzen.model.resources import CLUSTER
from mizzen.server.debug.page import NoAnswer, Question
from tests.fakes.authorities import Ca
from tests.meshes import NETWORKING, new
from tests.unit.server.debug.world import EDGE, TELLER, WEB, pages, still, world


def ask(page: str, namespace: str | None = None, **parameters: str) -> Any:
    return json.loads(msgspec.json.encode(pages(still()).answer(Question(page, parameters, namespace)), enc_hook=str))


def refused(page: str, namespace: str | None = None, **parameters: str) -> int:
    with pytest.raises(NoAnswer) as error:
        ask(page, namespace, **parameters)
    return error.value.status


AUTHORITY = Ca("edge")
PAIR = {"tls.crt": AUTHORITY.pem, "tls.key": AUTHORITY.key_pem}
ABOUT_ONE = ("config_dump", "edsz", "ecdsz", "ndsz", "sidecarz")


ISTIOS = [
    "adsz",
    "authorizationz",
    "cachez",
    "clusterz",
    "config_dump",
    "configz",
    "connections",
    "ecdsz",
    "edsz",
    "endpointShardz",
    "endpointz",
    "inject",
    "instancesz",
    "list",
    "mcsz",
    "mesh",
    "ndsz",
    "networkz",
    "push_status",
    "pushcontext",
    "registryz",
    "resourcesz",
    "sidecarz",
    "syncz",
    "telemetryz",
]


@pytest.mark.row("DBG-03", "DBG-04", "DBG-05", "DBG-06", "DBG-07")
def test_each_page_answers() -> None:
    assert set(ISTIOS) <= set(pages(still()).names)
    for name in pages(still()).names:
        json.dumps(ask(name, proxyID="web-0.shop"))
    assert {f"/debug/{name}" for name in pages(still()).names} == set(ask("list"))
    assert refused("no-such-page") == 404


@pytest.mark.row("DBG-06", "DBG-07")
@pytest.mark.parametrize("page", ABOUT_ONE)
def test_a_page_about_one_proxy_wants_to_know_which(page: str) -> None:
    assert refused(page) == 400
    assert refused(page, proxyID="nobody.shop") == 404


@pytest.mark.row("DBG-06")
@pytest.mark.parametrize("name", ["web-0.shop", WEB])
def test_a_proxy_is_named_by_its_pod_or_its_node(name: str) -> None:
    found = ask("config_dump", proxyID=name)
    assert [each["@type"].rpartition(".")[2] for each in found["configs"]][:2] == [
        "ClustersConfigDump",
        "ListenersConfigDump",
    ]
    assert found["configs"][0]["version_info"] == "1"
    assert "EndpointsConfigDump" in json.dumps(ask("config_dump", proxyID=name, include_eds=""))
    bare = ask("config_dump", proxyID=name, types="cds")
    assert {each["@type"] for each in bare["configs"]} == {CLUSTER}
    assert refused("config_dump", proxyID=name, types="nonsense") == 400


@pytest.mark.row("DBG-02")
def test_others_see_three_pages_about_their_own_proxies() -> None:
    assert ask("config_dump", "shop", proxyID="web-0.shop")["configs"]
    assert ask("edsz", "shop", proxyID="web-0.shop")["configs"]
    assert ask("ndsz", "shop", proxyID="web-0.shop") == {"configs": []}
    assert refused("config_dump", "bank", proxyID="web-0.shop") == 404, "as if it were not connected"
    for page in sorted(set(pages(still()).names) - {"config_dump", "edsz", "ndsz"}):
        assert refused(page, "shop", proxyID="web-0.shop") == 403


@pytest.mark.row("DBG-03", "DBG-07")
def test_who_is_connected() -> None:
    assert [each["proxy"] for each in ask("syncz")] == ["edge-0.istio-system", "teller-0.bank", "web-0.shop"]
    found = pages(still()).answer(Question("syncz", {"namespace": "bank"}))
    assert [each["proxy"] for each in found] == ["teller-0.bank"]
    assert ask("adsz")["totalClients"] == 3
    assert [each["connectionId"] for each in ask("connections")["clients"]] == [EDGE, TELLER, WEB]


@pytest.mark.row("DBG-04")
def test_a_proxys_own_services() -> None:
    found = ask("instancesz")
    assert found["edge-0.istio-system"] == []
    assert found["web-0.shop"] == [{"service": "shop/web.shop.svc.cluster.local", "port": 8080, "protocol": "HTTP"}]


@pytest.mark.row("DBG-05")
def test_what_a_proxy_may_see_and_its_telemetry() -> None:
    assert ask("sidecarz", proxyID="teller-0.bank")["services"] == ["bank/teller.bank.svc.cluster.local"]
    web = ask("sidecarz", proxyID="web-0.shop")
    assert {"shop/web.shop.svc.cluster.local", "bank/teller.bank.svc.cluster.local"} <= set(web["services"])
    assert web["destinationRules"] == ["shop/web"]
    assert ask("telemetryz", proxyID="web-0.shop")
    assert [each["metadata"]["name"] for each in ask("telemetryz")] == ["quiet"]
    assert ask("mesh")["rootNamespace"] == "istio-system"


@pytest.mark.row("DBG-08")
def test_a_push_resolves_everything_again() -> None:
    hub = world()
    assert hub.current is not None
    before = hub.current.number
    assert pages(hub).answer(Question("adsz", {"push": "true"})) == {"pushed": 3}
    assert hub.current.number == before + 1


@pytest.mark.row("DBG-07")
def test_caches_are_counted_and_cleared() -> None:
    hub = world()
    assert pages(hub).answer(Question("cachez", {"sizes": "true"}))["resourceSets"] >= 2
    assert pages(hub).answer(Question("cachez", {"clear": "true"})) == {"resourceSets": 0}


@pytest.mark.row("DBG-06")
def test_secrets_of_a_caller_that_is_no_pod_we_know_are_not_there() -> None:
    tls = {"mode": "SIMPLE", "credentialName": "cert"}
    server = {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*"], "tls": tls}
    gateway = new(NETWORKING, "Gateway", "istio-system", "g", {"selector": {"app": "edge"}, "servers": [server]})
    held = new("v1", "Secret", "istio-system", "cert", {}, stringData=PAIR)
    hub = world(gateway, held)

    def secrets() -> list[Any]:
        found = pages(hub).answer(Question("config_dump", {"proxyID": EDGE}))
        (part,) = [each for each in found["configs"] if each["@type"].endswith("SecretsConfigDump")]
        return [entry["name"] for entry in part["dynamic_active_secrets"]]

    assert secrets() == ["kubernetes://cert"]
    hub.connections[EDGE].secrets = False
    assert secrets() == []
