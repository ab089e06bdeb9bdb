"""Endpoints of Kubernetes Services: what is ready, what leaves, and who is behind a written address."""

import pytest

from mizzen.model.service import Endpoint
from tests.scenes import Scene

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec:
  clusterIP: 10.96.0.50
  publishNotReadyAddresses: %s
  ports: [{name: tcp, port: 90, targetPort: 9000}, {name: more, port: 91}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: tcp, port: 9000, protocol: TCP}]
endpoints:
- {addresses: [10.9.0.1], conditions: {ready: true}}
- {addresses: [10.9.0.2], conditions: {ready: false}}
- {addresses: [10.9.0.3], conditions: {ready: false, serving: true, terminating: true}}
- {addresses: [10.1.0.1]}
"""


def members(publish: str) -> dict[str, Endpoint]:
    snapshot = Scene(SERVICE % publish).snapshot
    assert ("shop", "db.shop.svc.cluster.local", 91) not in snapshot.endpoints
    return {e.address: e for e in snapshot.endpoints[("shop", "db.shop.svc.cluster.local", 90)]}


@pytest.mark.row("OL-18")
def test_what_is_not_ready_is_kept_as_unhealthy_and_what_leaves_is_left_out() -> None:
    found = members("false")
    assert {address: e.healthy for address, e in found.items()} == {
        "10.9.0.1": True,
        "10.9.0.2": False,
        "10.1.0.1": True,
    }


@pytest.mark.row("OL-13")
def test_a_service_that_publishes_them_has_them_all_healthy() -> None:
    found = members("true")
    assert {address: e.healthy for address, e in found.items()} == dict.fromkeys(
        ("10.9.0.1", "10.9.0.2", "10.9.0.3", "10.1.0.1"), True
    )


@pytest.mark.row("OL-12")
def test_a_written_address_has_an_identity_only_where_a_pod_is_behind_it() -> None:
    found = members("false")
    stranger, pod = found["10.9.0.1"], found["10.1.0.1"]
    assert (stranger.port, stranger.workload, stranger.tls_mode, stranger.identity) == (9000, None, "disabled", None)
    assert pod.workload is not None
    assert (pod.workload.name, pod.tls_mode) == ("web-0", "istio")
