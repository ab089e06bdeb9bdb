from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from mizzen.model import generated
from mizzen.model.features import Features
from mizzen.model.finding import REJECTED
from mizzen.model.snapshot import Snapshot
from mizzen.resolve import view
from mizzen.resolve.gateways import bound_ports, gateway_ports, gateways_of, merged
from mizzen.translate import resources
from tests.scenes import Scene


def bound(name: str, services: str) -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: istio-system, annotations: {{internal.istio.io/gateway-service: "{services}"}}}}
spec: {{servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}]}}
"""


MINE = "edge.istio-system.svc.cluster.local"
SECOND = """
---
apiVersion: v1
kind: Service
metadata: {name: second, namespace: istio-system}
spec: {clusterIP: 10.96.0.99, selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 8888}]}
"""
SELECTED = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: selected, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""


@pytest.mark.row("GW-02")
def test_a_gateway_is_served_by_label_or_by_the_services_it_names() -> None:
    scene = Scene(bound("mine", f"other, {MINE}") + bound("theirs", "edge.elsewhere.svc.cluster.local") + SELECTED)
    proxy = scene.proxy("istio-system/edge-0")
    assert [obj.name for obj in gateways_of(scene.snapshot, proxy)] == ["mine", "selected"]
    assert list(gateways_of(scene.snapshot, scene.proxy())) == []


@pytest.mark.row("GW-02")
def test_ports_are_those_of_the_services_that_a_gateway_names() -> None:
    scene = Scene(SECOND + bound("first", MINE) + bound("other", "second.istio-system.svc.cluster.local"))
    proxy = scene.proxy("istio-system/edge-0")
    gateways = list(gateways_of(scene.snapshot, proxy))
    assert bound_ports(scene.snapshot, proxy, gateways) == {
        "istio-system/first": {80: 8080, 443: 8443},
        "istio-system/other": {80: 8888},
    }
    assert gateway_ports(scene.snapshot, proxy)[443] == 8443


def deployed(scene: Scene, account: str) -> Snapshot:
    """The scene's mesh where the Gateway ``mine`` is what one of the Gateway API became, with proxies of ``account``."""
    marked = []
    for obj in scene.snapshot.gateways:
        if obj.name == "mine":
            notes = {**obj.meta.annotations, generated.ACCOUNT: account}
            meta = structs.replace(obj.meta, name=f"mine{generated.INFIX}-http", annotations=notes)
            marked.append(structs.replace(obj, meta=meta))
        else:
            marked.append(obj)
    return replace(scene.snapshot, gateways=tuple(marked), interned={})


OWN = SELECTED.replace("name: selected, namespace: shop", "name: own, namespace: istio-system")


@pytest.mark.row("GW-26")
def test_what_was_deployed_for_a_gateway_serves_none_of_another_namespace() -> None:
    scene = Scene(bound("mine", MINE) + SELECTED + OWN)
    proxy = scene.proxy("istio-system/edge-0")

    def names(snapshot: Snapshot) -> tuple[list[str], list[str]]:
        served, foreign = merged(snapshot, proxy)
        return sorted(o.name for o in served), [o.name for o in foreign]

    mine = f"mine{generated.INFIX}-http"
    assert names(deployed(scene, "edge-istio")) == ([mine, "own"], ["selected"])
    assert names(deployed(scene, "")) == ([mine, "own", "selected"], []), "proxies that were there already"
    assert names(scene.snapshot) == (["mine", "own", "selected"], [])
    lenient = replace(scene.snapshot.config, features=Features(strict_gateways=False))
    assert names(replace(deployed(scene, "edge-istio"), config=lenient)) == ([mine, "own", "selected"], [])
    made = resources(view(deployed(scene, "edge-istio"), proxy))
    (finding,) = [f for f in made.findings if f.name == "selected"]
    assert (finding.code, finding.namespace, finding.field) == (REJECTED, "shop", "spec.selector")
    assert "serves no Gateway of another namespace" in finding.message
