from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mizzen.inject import InjectSettings
from mizzen.lab.gateways import GatewayController, options_of, wanted
from mizzen.lab.store import Store
from mizzen.model.features import GatewayApi

Raw = dict[str, Any]
GATEWAY: Raw = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "gw", "namespace": "shop"},
    "spec": {"gatewayClassName": "istio", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
}
ISTIO: Raw = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "gw", "namespace": "shop"},
    "spec": {"servers": []},
}
ROUTE: Raw = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "r", "namespace": "shop"},
    "spec": {"parentRefs": [{"name": "gw"}]},
}
KEY = ("Gateway.gateway.networking.k8s.io", "shop", "gw")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def controller(store: Store) -> GatewayController:
    return GatewayController(store, InjectSettings)


def kinds(store: Store) -> list[str]:
    return [raw["kind"] for raw in store.list("", "shop") if raw["metadata"]["name"] == "gw-istio"]


def held(store: Store, kind: str = "Service", name: str = "gw-istio") -> Raw:
    found = store.get(kind, "shop", name)
    assert found is not None
    return found


def conditions(raw: Raw) -> dict[str, str]:
    return {c["type"]: f"{c['status']} {c['reason']}" for c in raw["status"]["conditions"]}


@pytest.mark.row("GA-02")
def test_the_classes_are_there_and_come_back(store: Store, controller: GatewayController) -> None:
    controller.step()
    istio = store.get("GatewayClass", "", "istio")
    assert istio is not None
    assert conditions(istio) == {"Accepted": "True Accepted"}
    assert "lastTransitionTime" in istio["status"]["conditions"][0]
    store.put({**istio, "spec": {"controllerName": "example.com/mine"}})
    controller.step()
    assert (store.get("GatewayClass", "", "istio") or {})["spec"]["controllerName"] == "example.com/mine"
    store.delete("GatewayClass", "", "istio")
    controller.step()
    assert store.get("GatewayClass", "", "istio") is not None


@pytest.mark.row("GA-03")
def test_a_gateway_is_deployed_and_goes_with_all_that_was_made(store: Store, controller: GatewayController) -> None:
    store.put(GATEWAY)
    controller.step()
    assert kinds(store) == ["Deployment", "Service", "ServiceAccount"]
    store.delete(*KEY)
    controller.step()
    assert kinds(store) == []


@pytest.mark.row("GA-03")
def test_what_somebody_else_made_is_left_alone(store: Store, controller: GatewayController) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "gw-istio", "namespace": "shop"},
        "spec": {"ports": []},
    }
    store.put(theirs)
    store.put(GATEWAY)
    controller.step()
    assert held(store)["spec"] == {"ports": []}
    store.delete(*KEY)
    controller.step()
    assert kinds(store) == ["Service"]


@pytest.mark.row("GA-19")
def test_statuses_and_the_time_of_their_last_change(store: Store, controller: GatewayController) -> None:
    store.put(GATEWAY)
    store.put(ROUTE)
    controller.step()
    before = held(store, *KEY[::2])["status"]
    assert conditions(held(store, *KEY[::2]))["Programmed"] == "False AddressNotUsable"
    store.put_status(held(store), {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})
    controller.step()
    after = held(store, *KEY[::2])["status"]
    assert after["addresses"] == [{"type": "IPAddress", "value": "192.0.2.1"}]
    assert after["conditions"][0] == before["conditions"][0]
    assert after["conditions"][1]["lastTransitionTime"] > before["conditions"][1]["lastTransitionTime"]
    assert after["listeners"][0]["attachedRoutes"] == 1


@pytest.mark.row("GA-19")
def test_an_address_that_was_told_once_stays(store: Store, controller: GatewayController) -> None:
    store.put(GATEWAY)
    controller.step()
    store.put_status(held(store), {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})
    controller.step()
    store.put_status(held(store), {"loadBalancer": {}})
    controller.step()
    assert conditions(held(store, *KEY[::2]))["Programmed"] == "False AddressNotAssigned"
    assert held(store, *KEY[::2])["status"]["addresses"] == [{"type": "IPAddress", "value": "192.0.2.1"}]
    store.put_status(held(store), {"loadBalancer": {"ingress": [{"ip": "192.0.2.2"}]}})
    controller.step()
    assert held(store, *KEY[::2])["status"]["addresses"] == [{"type": "IPAddress", "value": "192.0.2.2"}]


@pytest.mark.row("GA-19")
def test_entries_of_other_controllers_are_kept_and_stale_ones_of_ours_go(
    store: Store, controller: GatewayController
) -> None:
    theirs = {"parentRef": {"name": "x"}, "controllerName": "example.com/c", "conditions": []}
    stale = {"parentRef": {"name": "y"}, "controllerName": "istio.io/gateway-controller", "conditions": []}
    store.put(GATEWAY)
    _, stored = store.put(ROUTE)
    store.put_status(stored, {"parents": [theirs, stale]})
    controller.step()
    parents = held(store, "HTTPRoute", "r")["status"]["parents"]
    assert [p["parentRef"].get("name") for p in parents] == ["x", "gw"]


def test_nothing_is_done_again_while_nothing_changes(store: Store, controller: GatewayController) -> None:
    store.put(GATEWAY)
    controller.step()
    controller.step()
    revision = store.revision
    controller.step()
    assert store.revision == revision


def rest(store: Store, controller: GatewayController) -> None:
    """Until a step changes nothing."""
    before = -1
    while before != store.revision:
        before = store.revision
        controller.step()


def test_each_change_is_seen_also_when_several_come_at_once(store: Store, controller: GatewayController) -> None:
    """What is in the store now may lie where a version that was looked at lay in memory."""
    store.put(GATEWAY)
    rest(store, controller)
    place, number = id(held(store, *KEY[::2])), 80
    for number in range(81, 200):
        listener = {"name": "http", "port": number, "protocol": "HTTP"}
        store.put({**GATEWAY, "spec": {"gatewayClassName": "istio", "listeners": [listener]}})
        if id(held(store, *KEY[::2])) == place:
            break
    controller.step()
    assert [port["port"] for port in held(store)["spec"]["ports"]] == [15021, number]


@pytest.mark.row("GA-03")
@pytest.mark.parametrize("kind", ["Deployment", "Service", "ServiceAccount"])
def test_what_was_made_comes_back_when_somebody_deletes_it(
    store: Store, controller: GatewayController, kind: str
) -> None:
    store.put(GATEWAY)
    rest(store, controller)
    store.delete(kind, "shop", "gw-istio")
    controller.step()
    assert kinds(store) == ["Deployment", "Service", "ServiceAccount"]


def test_two_kinds_of_gateway_of_one_name_live_side_by_side(store: Store, controller: GatewayController) -> None:
    store.put(ISTIO)
    store.put(GATEWAY)
    controller.step()
    assert held(store, "Gateway", "gw")["spec"] == {"servers": []}
    assert held(store, *KEY[::2])["spec"]["gatewayClassName"] == "istio"
    assert len(store.list("Gateway", "shop", "gw")) == 2
    assert len(store.list(KEY[0])) == 1


@pytest.mark.row("GA-04")
def test_what_cannot_be_rendered_is_told_in_the_status() -> None:
    bad = {**GATEWAY, "metadata": {**GATEWAY["metadata"], "annotations": {"proxy.istio.io/config": "["}}}
    found = wanted([bad], InjectSettings())
    assert found.objects == ()
    assert found.statuses[KEY]["conditions"][0]["reason"] == "InvalidParameters"


def annotated(version: str) -> Raw:
    return {
        **GATEWAY,
        "metadata": {**GATEWAY["metadata"], "annotations": {"gateway.istio.io/controller-version": version}},
    }


@pytest.mark.row("GA-03")
def test_the_gateway_says_who_deployed_it_also_after_it_is_applied_again(
    store: Store, controller: GatewayController
) -> None:
    store.put(GATEWAY)
    controller.step()
    assert held(store, *KEY[::2])["metadata"]["annotations"] == {"gateway.istio.io/controller-version": "5"}
    assert store.compare(GATEWAY) == "unchanged"
    assert "annotations" not in held(store)["metadata"] or not held(store)["metadata"]["annotations"]


@pytest.mark.row("GA-03")
def test_gateways_of_a_newer_controller_or_another_revision_are_not_deployed(
    store: Store, controller: GatewayController
) -> None:
    store.put(annotated("6"))
    controller.step()
    assert kinds(store) == []
    store.put({**annotated("4"), "metadata": {**annotated("4")["metadata"], "labels": {"istio.io/rev": "canary"}}})
    controller.step()
    assert kinds(store) == []
    store.put(annotated("4"))
    controller.step()
    assert kinds(store) != []


@pytest.mark.row("GA-25")
def test_changed_settings_of_the_proxy_change_the_deployment(store: Store, controller: GatewayController) -> None:
    store.put(GATEWAY)
    controller.step()
    before = held(store, "Deployment")["spec"]["template"]
    controller = GatewayController(store, lambda: InjectSettings(mesh_id="other"))
    controller.step()
    assert held(store, "Deployment")["spec"]["template"] != before


def test_a_gateway_api_that_is_switched_off(store: Store) -> None:
    store.put(GATEWAY)
    GatewayController(store, InjectSettings, GatewayApi(enabled=False)).step()
    assert kinds(store) == []
    assert store.list("GatewayClass") == []


@pytest.mark.row("GA-02")
def test_another_name_of_the_built_in_class(store: Store) -> None:
    GatewayController(store, InjectSettings, GatewayApi(default_class="mine")).step()
    assert [raw["metadata"]["name"] for raw in store.list("GatewayClass")] == ["istio-remote", "mine"]


def test_the_environment() -> None:
    assert options_of({"ENABLE_GATEWAY_API_MANUAL_DEPLOYMENT": "false"}) == GatewayApi(manual=False)
    assert options_of({"PILOT_ENABLE_GATEWAY_API": "nonsense"}) == GatewayApi()


@pytest.mark.row("GA-02")
def test_a_class_of_ones_own_is_accepted_before_any_gateway_is_of_it(
    store: Store, controller: GatewayController
) -> None:
    for name, owner in (("mine", "istio.io/gateway-controller"), ("theirs", "example.com/c")):
        store.put(
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "GatewayClass",
                "metadata": {"name": name},
                "spec": {"controllerName": owner},
            }
        )
    controller.step()
    mine, theirs = store.get("GatewayClass", "", "mine"), store.get("GatewayClass", "", "theirs")
    assert mine is not None
    assert conditions(mine) == {"Accepted": "True Accepted"}
    assert theirs is not None
    assert "status" not in theirs
