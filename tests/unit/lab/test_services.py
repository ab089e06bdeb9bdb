"""Service addresses, EndpointSlices and names."""

from ipaddress import IPv4Network
from typing import Any

from mizzen.lab import services
from mizzen.lab.vip import Backend, Virtual

Raw = dict[str, Any]
NETWORK = IPv4Network("10.9.128.0/17")


def service(name: str = "web", **spec: Any) -> Raw:
    ports = [{"name": "http", "port": 80, "targetPort": "web"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": ports, **spec},
    }


def pod(name: str, address: str, ready: bool = True, port: int = 8080, **meta: Any) -> Raw:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": name, "labels": {"app": "web"}, **meta},
        "spec": {"containers": [{"name": "c", "ports": [{"name": "web", "containerPort": port}]}]},
        "status": {"phase": "Running", "podIP": address, "conditions": conditions},
    }


def test_addresses_in_the_order_of_names_and_kept_ones_stay() -> None:
    kept = service("z", clusterIP="10.9.128.10")
    assert services.assign([service("b"), service("a"), kept], NETWORK) == {
        ("default", "a"): "10.9.128.11",
        ("default", "b"): "10.9.128.12",
    }


def test_an_address_of_an_earlier_network_is_replaced() -> None:
    assert services.assign([service(clusterIP="10.8.128.10")], NETWORK) == {("default", "web"): "10.9.128.10"}


def test_headless_and_external_services_have_no_address() -> None:
    assert services.assign([service(clusterIP="None"), service("e", type="ExternalName")], NETWORK) == {}


def test_named_ports_resolve_per_pod_into_a_slice_each() -> None:
    slices = services.endpoint_slices(service(), [pod("a", "10.9.1.1"), pod("b", "10.9.1.2", port=9090)])
    assert [(s["ports"][0]["port"], [e["addresses"][0] for e in s["endpoints"]]) for s in slices] == [
        (8080, ["10.9.1.1"]),
        (9090, ["10.9.1.2"]),
    ]


def test_a_pod_that_leaves_takes_no_new_calls_but_still_serves() -> None:
    slices = services.endpoint_slices(service(), [pod("a", "10.9.1.1", deletionTimestamp="2026-01-01T00:00:00Z")])
    assert slices[0]["endpoints"][0]["conditions"] == {"ready": False, "serving": True, "terminating": True}


def test_only_ready_endpoints_become_backends() -> None:
    whole = service(clusterIP="10.9.128.10")
    slices = services.endpoint_slices(whole, [pod("a", "10.9.1.1"), pod("b", "10.9.1.2", ready=False)])
    assert services.virtuals(whole, slices) == [Virtual("10.9.128.10", 80, "tcp", (Backend("10.9.1.1", 8080),))]


def test_names_of_plain_headless_and_external_services() -> None:
    headless, plain = service("h", clusterIP="None"), service(clusterIP="10.9.128.10")
    external = service("e", type="ExternalName", externalName="example.com")
    member = pod("h-0", "10.9.1.1")
    member["spec"] |= {"hostname": "h-0", "subdomain": "h"}
    slices = services.of_service(services.endpoint_slices(headless, [member]))
    found = services.records([headless, plain, external], slices)
    assert found.addresses["web.default.svc.cluster.local"] == ("10.9.128.10",)
    assert found.addresses["h.default.svc.cluster.local"] == ("10.9.1.1",)
    assert found.addresses["h-0.h.default.svc.cluster.local"] == ("10.9.1.1",)
    assert found.aliases["e.default.svc.cluster.local"] == "example.com"
    assert found.ports["_http._tcp.web.default.svc.cluster.local"] == ((80, "web.default.svc.cluster.local"),)
