from __future__ import annotations

import pytest

from mizzen.cli.columns import columns_of, pod_status
from tests.unit.cli.fake_mesh import deployment, pod


def cells(kind: str, raw: dict[str, object], wide: bool = False) -> dict[str, str]:
    return {column.header: column.cell(raw) for column in columns_of(kind, wide)}


def test_a_ready_pod() -> None:
    found = cells("Pod", pod("a"), wide=True)
    assert (found["READY"], found["STATUS"], found["RESTARTS"], found["IP"]) == ("2/2", "Running", "0", "10.255.0.1")


def test_a_pods_status_is_the_reason_that_it_waits_for() -> None:
    raw = pod("a", ready=False)
    raw["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    assert pod_status(raw) == "CrashLoopBackOff"
    raw["status"]["initContainerStatuses"] = [{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]
    assert pod_status(raw) == "Init:Error"
    raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert pod_status(raw) == "Terminating"


def test_a_native_sidecar_counts_as_a_container() -> None:
    raw = pod("a", sidecar=False)
    raw["spec"]["initContainers"] = [{"name": "istio-proxy", "restartPolicy": "Always"}, {"name": "istio-init"}]
    raw["status"]["initContainerStatuses"] = [{"name": "istio-proxy", "ready": True, "state": {"running": {}}}]
    assert cells("Pod", raw)["READY"] == "2/2"


def test_a_service() -> None:
    ports = [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    raw = {"spec": {"clusterIP": "10.96.0.1", "ports": ports, "type": "LoadBalancer"}}
    found = cells("Service", raw)
    assert (found["TYPE"], found["CLUSTER-IP"], found["EXTERNAL-IP"], found["PORT(S)"]) == (
        "LoadBalancer",
        "10.96.0.1",
        "<pending>",
        "80/TCP,53/UDP",
    )


def test_a_deployment() -> None:
    raw = {**deployment("a", 3), "status": {"readyReplicas": 2, "updatedReplicas": 3}}
    found = cells("Deployment", raw)
    assert (found["READY"], found["UP-TO-DATE"], found["AVAILABLE"]) == ("2/3", "3", "0")


def test_wide_columns_only_when_asked() -> None:
    assert "SELECTOR" not in cells("Deployment", deployment("a"))
    assert cells("Deployment", deployment("a"), wide=True)["SELECTOR"] == "app=a"


@pytest.mark.row("CM-02")
@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("VirtualService", "GATEWAYS HOSTS AGE"),
        ("DestinationRule", "HOST AGE"),
        ("ServiceEntry", "HOSTS LOCATION RESOLUTION AGE"),
        ("WorkloadEntry", "AGE ADDRESS"),
        ("AuthorizationPolicy", "ACTION AGE"),
        ("PeerAuthentication", "MODE AGE"),
    ],
)
def test_istios_columns(kind: str, headers: str) -> None:
    assert list(cells(kind, {"metadata": {}})) == headers.split()


def test_kinds_without_their_own_columns_have_an_age() -> None:
    assert list(cells("Role", {"metadata": {}})) == ["AGE"]


@pytest.mark.row("GA-02")
def test_the_gateway_api() -> None:
    conditions = [{"type": "Accepted", "status": "True"}, {"type": "Programmed", "status": "False"}]
    raw = {
        "spec": {"gatewayClassName": "istio", "controllerName": "c", "hostnames": ["a", "b"]},
        "status": {"conditions": conditions, "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]},
    }
    found = cells("Gateway.gateway.networking.k8s.io", raw)
    assert (found["CLASS"], found["ADDRESS"], found["PROGRAMMED"]) == ("istio", "192.0.2.1", "False")
    found = cells("GatewayClass", raw)
    assert (found["CONTROLLER"], found["ACCEPTED"]) == ("c", "True")
    assert "a" in cells("HTTPRoute", raw)["HOSTNAMES"]
    assert cells("Gateway.gateway.networking.k8s.io", {"spec": {}})["PROGRAMMED"] == ""
    assert "CLASS" not in cells("Gateway", raw)
