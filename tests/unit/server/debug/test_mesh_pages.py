"""Configuration, services and endpoints as pages."""

from __future__ import annotations

import dataclasses
import json

import pytest

from mizzen.model.networks import NetworkGateway, Networks
from mizzen.model.remote import Remote, Sync
from mizzen.server.debug import mesh_pages
from tests.meshes import new
from tests.unit.server.debug.world import still


def snapshot():  # type: ignore[no-untyped-def]
    hub = still()
    assert hub.current is not None
    return hub.current.snapshot


@pytest.mark.row("DBG-05")
def test_configz_has_istios_objects_as_they_were_written_and_no_secret() -> None:
    found = mesh_pages.configz(snapshot().config)
    assert {(each["kind"], each["metadata"]["name"]) for each in found} == {
        ("DestinationRule", "web"),
        ("Sidecar", "default"),
        ("AuthorizationPolicy", "deny"),
        ("Telemetry", "quiet"),
    }
    (rule,) = [each for each in found if each["kind"] == "DestinationRule"]
    assert rule["apiVersion"] == "networking.istio.io/v1"
    assert rule["spec"] == {"host": "web", "trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": "3s"}}}}
    assert "c2VjcmV0" not in json.dumps(found)


@pytest.mark.row("DBG-05")
def test_mesh_config_policies_and_kinds() -> None:
    config = snapshot().config
    assert mesh_pages.mesh(config)["rootNamespace"] == "istio-system"
    policies = mesh_pages.authorizationz(config)
    assert policies["rootNamespace"] == "istio-system"
    assert [each["metadata"]["name"] for each in policies["authorizationpolicies"]["shop"]] == ["deny"]
    others = [
        new("security.istio.io/v1", "PeerAuthentication", "shop", "m", {"mtls": {"mode": "STRICT"}}),
        new("security.istio.io/v1", "RequestAuthentication", "bank", "t", {"jwtRules": [{"issuer": "i"}]}),
    ]
    policies = mesh_pages.authorizationz(config.with_objects(others))
    assert [list(policies[kind]) for kind in ("peerauthentications", "requestauthentications")] == [["shop"], ["bank"]]
    kinds = mesh_pages.resourcesz()
    assert "networking.istio.io/v1/VirtualService" in kinds
    assert "v1/Service" in kinds
    assert "v1/Event" not in kinds, "what has no effect is not read"


@pytest.mark.row("DBG-04")
def test_services_and_their_endpoints() -> None:
    services = {each["hostname"]: each for each in mesh_pages.registryz(snapshot())}
    assert services["web.shop.svc.cluster.local"]["addresses"] == ["10.96.0.1"]
    assert [port["number"] for port in services["web.shop.svc.cluster.local"]["ports"]] == [80]
    found = mesh_pages.endpoints(snapshot())
    assert {(each["namespace"], each["port"]) for each in found} == {("shop", 80), ("bank", 80)}
    (web,) = [each for each in found if each["hostname"] == "web.shop.svc.cluster.local"]
    assert [each["address"] for each in web["endpoints"]] == ["10.1.0.1"]


@pytest.mark.row("DBG-07")
def test_the_state_of_the_newest_push() -> None:
    hub = still()
    assert hub.current is not None
    status = mesh_pages.push_status(hub, hub.current.snapshot)
    assert (status["push"], status["revision"], status["error"]) == (1, 7, "")
    context = mesh_pages.push_context(hub.current.snapshot)
    assert (context["services"], context["objects"]["Pod"]) == (2, 3)


@pytest.mark.row("DBG-07")
def test_templates_and_clusters() -> None:
    config = snapshot().config
    assert mesh_pages.inject(config)["templates"] == ["gateway", "sidecar"]


@pytest.mark.row("IX-22", "MCL-01")
def test_the_clusters_are_listed_with_their_state() -> None:
    config = dataclasses.replace(
        snapshot().config, cluster_id="a", remotes={"b": Remote(secret="s", status=Sync.TIMEOUT)}
    )
    assert mesh_pages.clusters(config) == [
        {"id": "a", "secretName": "", "syncStatus": "synced"},
        {"id": "b", "secretName": "s", "syncStatus": "timeout"},
    ]


@pytest.mark.row("MN-02", "DBG-07")
def test_the_gateways_of_networks_are_listed() -> None:
    of = dataclasses.replace(snapshot(), networks=Networks((NetworkGateway("east", "c1", "5.5.5.5", 15443),)))
    assert mesh_pages.networks(of) == [{"Network": "east", "Cluster": "c1", "Addr": "5.5.5.5", "Port": 15443}]
