"""What resources say of where they came from: people, Kiali and our metrics read it (row XD-23)."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from tests.scenes import Scene, cluster, endpoints, listener, route

RULES = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: versions, namespace: shop}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.70, selector: {app: db}, ports: [{name: tcp, port: 5432}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes, namespace: shop}
spec: {hosts: [db], tcp: [{route: [{destination: {host: db}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: also, namespace: shop, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {clusterIP: 10.96.0.71, selector: {app: web}, ports: [{name: http, port: 81, targetPort: 8080}]}
"""
OBJECTS = "/apis/networking.istio.io/v1/namespaces/shop"


@pytest.fixture(scope="module")
def held() -> Any:
    return Scene(RULES).resources()


def told(message: Any, name: str = "istio") -> Any:
    return MessageToDict(message.metadata)["filterMetadata"][name]


def named(name: str) -> dict[str, str]:
    return {"host": f"{name}.shop.svc.cluster.local", "name": name, "namespace": "shop"}


@pytest.mark.row("XD-23")
def test_a_cluster_tells_service_port_subset_and_rule(held: Any) -> None:
    assert told(cluster(held, "outbound|80|v1|reviews.shop.svc.cluster.local")) == {
        "services": [named("reviews")],
        "default_original_port": 80.0,
        "subset": "v1",
        "config": f"{OBJECTS}/destination-rule/versions",
    }
    assert "subset" not in told(cluster(held, "outbound|80||reviews.shop.svc.cluster.local"))


@pytest.mark.row("XD-23", "IL-03")
def test_an_inbound_cluster_tells_every_service_of_the_port(held: Any) -> None:
    assert told(cluster(held, "inbound|8080||")) == {
        "services": [named("web"), named("also")],
        "default_original_port": 80.0,
    }


@pytest.mark.row("XD-23")
def test_routes_and_chains_tell_their_virtual_service(held: Any) -> None:
    hosts = {host.name: host for host in route(held, "80").virtual_hosts}
    assert told(hosts["reviews.shop.svc.cluster.local:80"].routes[0]) == {"config": f"{OBJECTS}/virtual-service/routes"}
    assert not hosts["ratings.shop.svc.cluster.local:80"].routes[0].HasField("metadata")
    chain = listener(held, "10.96.0.70_5432").filter_chains[0]
    assert told(chain) == {"config": f"{OBJECTS}/virtual-service/bytes"}


@pytest.mark.row("XD-23")
def test_an_endpoint_tells_its_workload_and_whether_it_takes_mtls(held: Any) -> None:
    groups = endpoints(held, "outbound|80||reviews.shop.svc.cluster.local").endpoints
    found = next(e for g in groups for e in g.lb_endpoints if e.endpoint.address.socket_address.address == "10.1.0.2")
    assert told(found)["workload"] == "reviews-v1-0;shop;reviews;v1;Kubernetes"
    assert told(found, "envoy.transport_socket_match") == {"tlsMode": "istio"}
