from __future__ import annotations

import pytest

from mizzen.model.gateway_plan import GatewayPlan
from mizzen.resolve.gateway_api import plan
from mizzen.resolve.gateway_api.classes import served
from mizzen.resolve.gateway_api.conditions import Problem
from tests.gateway_world import gateway, made

MAP = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, namespace: %s, labels: {%s}}
data: {%s}
"""


def planned(text: str) -> GatewayPlan | Problem | None:
    found = made(text)
    assert found.world is not None
    return plan(served(found.world)[0], found.listeners, found.world, "istio-system")


def good(text: str) -> GatewayPlan:
    found = planned(text)
    assert isinstance(found, GatewayPlan), found
    return found


def with_spec(more: str, meta: str = "") -> str:
    text = gateway(
        "[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP, hostname: b.com}, {name: c, port: 443, protocol: UDP}]"
    )
    text = text.replace("gatewayClassName: istio", f"gatewayClassName: istio\n  {more}")
    return text.replace("metadata: {name: gw,", f"metadata: {{name: gw, {meta}", 1)


@pytest.mark.row("GA-03")
def test_the_plan_of_a_gateway() -> None:
    found = good(with_spec(""))
    assert (found.name, found.class_name, found.service_type) == ("gw-istio", "istio", "LoadBalancer")
    assert [(p.name, p.number, p.protocol) for p in found.ports] == [("a", 80, "HTTP")]
    assert found.owner["name"] == "gw"


@pytest.mark.row("GA-04")
def test_labels_and_annotations_are_copied_unless_infrastructure_has_its_own() -> None:
    meta = "labels: {a: b, gateway.networking.k8s.io/x: y}, annotations: {c: d, networking.istio.io/service-type: ClusterIP},"
    found = good(with_spec("", meta))
    assert found.labels == {"a": "b"}
    assert found.annotations["c"] == "d"
    assert found.service_type == "ClusterIP"
    found = good(with_spec("infrastructure: {labels: {e: f}, annotations: {}}", meta))
    assert (found.labels, found.annotations) == ({"e": "f"}, {})


def test_an_account_that_is_there_already() -> None:
    found = good(with_spec("", "annotations: {gateway.istio.io/service-account: mine},"))
    assert found.service_account == "mine"


@pytest.mark.row("GA-06")
def test_one_address_goes_to_the_service() -> None:
    assert good(with_spec("addresses: [{value: 192.0.2.7}]")).address == "192.0.2.7"
    assert planned(with_spec("addresses: [{type: Hostname, value: web}]")) is None


PARAMETERS = "infrastructure: {parametersRef: {group: '', kind: ConfigMap, name: p}}"


@pytest.mark.row("GA-04")
def test_patches_of_the_class_then_of_the_gateway() -> None:
    own = MAP % ("p", "shop", "", "deployment: 'spec: {replicas: 3}'")
    wide = MAP % (
        "d",
        "istio-system",
        "gateway.istio.io/defaults-for-class: istio",
        "service: 'spec: {type: ClusterIP}'",
    )
    assert good(with_spec(PARAMETERS) + own + wide).overlays == (
        {"service": {"spec": {"type": "ClusterIP"}}},
        {"deployment": {"spec": {"replicas": 3}}},
    )


@pytest.mark.row("GA-04")
@pytest.mark.parametrize(
    ("spec", "data"),
    [
        (PARAMETERS, None),
        (PARAMETERS.replace("ConfigMap", "Secret"), "deployment: '{}'"),
        (PARAMETERS, "other: '{}'"),
        (PARAMETERS, "deployment: '['"),
        (PARAMETERS, "deployment: '3'"),
    ],
)
def test_parameters_that_cannot_be_used(spec: str, data: str | None) -> None:
    found = planned(with_spec(spec) + (MAP % ("p", "shop", "", data) if data else ""))
    assert isinstance(found, Problem)
    assert found.reason == "InvalidParameters"


@pytest.mark.row("GA-04")
def test_copies_can_be_switched_off() -> None:
    from dataclasses import replace

    from mizzen.model.features import GatewayApi

    found = made(with_spec("", "labels: {a: b},"))
    assert found.world is not None
    world = replace(found.world, options=GatewayApi(copies=False))
    planned_ = plan(served(world)[0], found.listeners, world, "istio-system")
    assert isinstance(planned_, GatewayPlan)
    assert planned_.labels == {}


@pytest.mark.row("GA-03", "GA-11")
def test_a_listener_set_opens_ports_too() -> None:
    text = gateway().replace(
        "gatewayClassName: istio", "gatewayClassName: istio\n  allowedListeners: {namespaces: {from: Same}}"
    )
    more = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: shop}
spec: {parentRef: {name: gw}, listeners: [{name: extra, port: 8081, protocol: HTTP}]}
"""
    assert [(p.name, p.number) for p in good(text + more).ports] == [("http", 80), ("extra", 8081)]


@pytest.mark.row("GA-04")
def test_the_oldest_defaults_of_the_class_count_and_only_in_the_root_namespace() -> None:
    def defaults(name: str, namespace: str, replicas: int, day: int) -> str:
        label = "gateway.istio.io/defaults-for-class: istio"
        text = MAP % (name, namespace, label, f"deployment: 'spec: {{replicas: {replicas}}}'")
        return text.replace("metadata: {", f'metadata: {{creationTimestamp: "2026-01-0{day}T00:00:00Z", ')

    every = defaults("young", "istio-system", 5, 3) + defaults("old", "istio-system", 4, 2)
    found = good(with_spec("") + every + defaults("foreign", "shop", 6, 1))
    assert found.overlays == ({"deployment": {"spec": {"replicas": 4}}},)


@pytest.mark.row("GA-06", "GF-02")
def test_an_address_without_a_value_is_any() -> None:
    assert good(with_spec("addresses: [{type: IPAddress}]")).address == ""


@pytest.mark.row("GA-04")
def test_the_name_is_the_users_where_an_annotation_says_so() -> None:
    assert good(with_spec("", "annotations: {gateway.istio.io/name-override: edge},")).name == "edge"
