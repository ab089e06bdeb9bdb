"""Which network an endpoint is in, and which Services and settings are gateways of one."""

from typing import Any

import pytest
import yaml

from mizzen.api.decode import decode_mesh_networks
from mizzen.api.mesh_networks import MeshNetworks
from mizzen.model.networks import NetworkGateway
from mizzen.model.snapshot import Snapshot
from mizzen.resolve import build
from mizzen.resolve.networks import NO_GATEWAY, Placement, network_findings, networks
from tests.golden import runner

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: eastwest, namespace: istio-system, labels: {topology.istio.io/network: east}}
spec: {type: LoadBalancer, clusterIP: 10.96.0.77, externalIPs: [9.9.9.9], ports: [{name: tls, port: 15443}]}
status: {loadBalancer: {ingress: [{ip: 5.5.5.5}]}}
"""
NODES = """
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {role: edge}}
spec: {}
status: {addresses: [{type: InternalIP, address: 172.16.0.1}, {type: ExternalIP, address: 7.7.7.7}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {role: worker}}
spec: {}
status: {addresses: [{type: InternalIP, address: 172.16.0.2}]}
"""


def settings(raw: Any) -> MeshNetworks:
    found, problems = decode_mesh_networks({"networks": raw})
    assert not problems
    return found


def gateways(
    text: str, raw: Any = None, *, cluster: str = "Kubernetes", **addresses: tuple[str, ...]
) -> list[tuple[str, str, str, int]]:
    config = config_of(text)
    known = {name.replace("_", "."): found for name, found in addresses.items()}
    found = networks(settings(raw or {}), config.of("Service"), config.of("Node"), {}, known, cluster, "cluster.local")
    return [(g.network, g.cluster, g.address, g.port) for g in found.gateways]


def config_of(*texts: str) -> Any:
    documents = [d for text in texts for d in yaml.safe_load_all(text) if d]
    return runner.config_of({"config": documents})


def service(**changes: Any) -> str:
    raw = yaml.safe_load(SERVICE)
    for path, value in changes.items():
        block, _, key = path.partition("__")
        raw[block][key] = value
    return yaml.safe_dump(raw)


@pytest.mark.row("MN-02", "PO-17")
def test_a_service_with_the_label_of_a_network_is_its_gateway() -> None:
    assert gateways(SERVICE) == [
        ("east", "Kubernetes", "5.5.5.5", 15443),
        ("east", "Kubernetes", "9.9.9.9", 15443),
    ]


@pytest.mark.row("MN-02", "PO-17")
def test_a_label_names_another_port() -> None:
    labels = {"topology.istio.io/network": "east", "networking.istio.io/gatewayPort": "443"}
    ports = [{"name": "tls", "port": 15443}, {"name": "https", "port": 443}]
    assert {g[3] for g in gateways(service(metadata__labels=labels, spec__ports=ports))} == {443}


def faults(*texts: str) -> list[str]:
    config = config_of(*texts)
    found = network_findings(config.of("Service"), config.of("Node"), {})
    assert {finding.code for finding in found} <= {NO_GATEWAY}
    return [finding.message for finding in found]


@pytest.mark.row("MN-02", "PO-17")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"spec__ports": [{"name": "x", "port": 80}]}, "no port 15443"),
        ({"spec__ports": [{"name": "x", "port": 15008}]}, "15008 is one of ambient mode"),
        ({"status__loadBalancer": {}, "spec__externalIPs": []}, "no address that other networks"),
        ({"status__loadBalancer": {"ingress": [{"hostname": "lb.example"}]}, "spec__externalIPs": []}, "lb.example"),
    ],
)
def test_one_that_cannot_be_a_gateway_is_told(changes: dict[str, Any], said: str) -> None:
    assert gateways(service(**changes)) == []
    [message] = faults(service(**changes))
    assert "no gateway of network east" in message
    assert said in message


@pytest.mark.row("MN-02")
def test_names_count_by_the_addresses_that_were_found_for_them() -> None:
    text = service(status__loadBalancer={"ingress": [{"hostname": "lb.example"}]}, spec__externalIPs=[])
    raw = {"west": {"gateways": [{"address": "far.example", "port": 443}]}}
    found = gateways(text, raw, lb_example=("1.1.1.1", "1.1.1.2"), far_example=("2.2.2.2",))
    assert [(network, address) for network, _, address, _ in found] == [
        ("east", "1.1.1.1"),
        ("east", "1.1.1.2"),
        ("west", "2.2.2.2"),
    ]
    config = config_of(text)
    assert network_findings(config.of("Service"), config.of("Node"), {"lb.example": ("1.1.1.1",)}) == ()
    snapshot = build(config)
    assert (snapshot.networks.gateways, snapshot.networks.names) == ((), ("lb.example",))


@pytest.mark.row("PO-17")
def test_a_label_that_is_no_port_is_told_and_the_usual_port_counts() -> None:
    labels = {"topology.istio.io/network": "east", "networking.istio.io/gatewayPort": "tls"}
    assert {g[3] for g in gateways(service(metadata__labels=labels))} == {15443}
    assert "'tls' is no port" in faults(service(metadata__labels=labels))[0]
    assert faults(SERVICE) == []


@pytest.mark.row("MN-02")
@pytest.mark.parametrize(
    ("selector", "addresses"),
    [("{}", {"7.7.7.7", "172.16.0.2"}), ('{"role": "worker"}', {"172.16.0.2"}), ("", set()), ("role=edge", set())],
)
def test_a_node_port_counts_on_the_nodes_that_an_annotation_selects(selector: str, addresses: set[str]) -> None:
    annotations = {"traffic.istio.io/nodeSelector": selector} if selector else {}
    ports = [{"name": "tls", "port": 15443, "nodePort": 32443}]
    text = service(spec__type="NodePort", spec__ports=ports, metadata__annotations=annotations)
    found = gateways(text + "---" + NODES)
    assert {g[2] for g in found} == addresses
    assert {g[3] for g in found} <= {32443}


@pytest.mark.row("MN-02", "MC-30")
def test_settings_name_addresses_and_services_of_their_clusters() -> None:
    plain = service(metadata__labels={})
    raw = {
        "west": {"gateways": [{"address": "4.4.4.4", "port": 443}, {"address": "not.resolved", "port": 443}]},
        "east": {
            "endpoints": [{"fromRegistry": "c1"}],
            "gateways": [{"registryServiceName": "eastwest.istio-system.svc.cluster.local", "port": 15443}],
        },
    }
    assert gateways(plain, raw, cluster="c1") == [
        ("east", "c1", "5.5.5.5", 15443),
        ("east", "c1", "9.9.9.9", 15443),
        ("west", "", "4.4.4.4", 443),
    ]
    assert gateways(plain, raw, cluster="c2") == [("west", "", "4.4.4.4", 443)]


@pytest.mark.row("MN-01")
def test_the_label_comes_before_the_namespace_and_that_before_the_ranges() -> None:
    ranges = settings(
        {
            "wide": {"endpoints": [{"fromCidr": "10.0.0.0/8"}]},
            "narrow": {"endpoints": [{"fromCidr": "10.1.0.0/16"}]},
            "mine": {"endpoints": [{"fromRegistry": "c1"}]},
        }
    )
    assert Placement(ranges, "home", "c1").of("10.1.0.1", "labelled") == "labelled"
    assert Placement(ranges, "home", "c1").of("10.1.0.1", "") == "home"
    assert Placement(ranges, "", "c1").of("10.1.0.1", "") == "mine"
    elsewhere = Placement(ranges, "", "c2")
    assert elsewhere.of("10.1.0.1", "") == "narrow"
    assert elsewhere.of("10.2.0.1", "") == "wide"
    assert elsewhere.of("11.0.0.1", "") == elsewhere.of("a.name", "") == ""
    assert Placement(ranges, "home", "c1") == Placement(ranges, "home", "c1") != Placement(ranges, "", "c1")


MEMBERS = """
apiVersion: v1
kind: Namespace
metadata: {name: istio-system, labels: {topology.istio.io/network: home}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.50, selector: {app: db}, ports: [{name: tcp, port: 90}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: tcp, port: 90, protocol: TCP}]
endpoints: [{addresses: [10.9.0.1]}, {addresses: [10.9.0.2]}]
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db, topology.istio.io/network: east}}
spec: {containers: [{name: a, image: x}]}
status: {podIP: 10.9.0.2, phase: Running}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: far, namespace: shop}
spec: {network: west, labels: {app: db}, serviceAccount: db}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: further, namespace: shop}
spec: {network: west, labels: {app: db}, serviceAccount: db}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out, namespace: shop}
spec:
  hosts: [out.example]
  resolution: STATIC
  ports: [{number: 90, name: tcp, protocol: TCP}]
  endpoints: [{address: 8.8.8.8}]
"""


def members(hostname: str, snapshot: Snapshot) -> dict[str, str]:
    return {e.address: e.network for e in snapshot.endpoints[("shop", hostname, 90)]}


@pytest.mark.row("MN-01", "WE-01")
def test_every_endpoint_of_the_mesh_has_a_network_and_what_is_outside_has_none() -> None:
    snapshot = build(config_of(MEMBERS))
    assert members("db.shop.svc.cluster.local", snapshot) == {"10.9.0.1": "home", "10.9.0.2": "east", "": "west"}
    assert members("out.example", snapshot) == {"8.8.8.8": ""}
    every = snapshot.endpoints[("shop", "db.shop.svc.cluster.local", 90)]
    assert [e.workload.name for e in every if e.workload and not e.address] == ["far", "further"]


@pytest.mark.row("MN-01")
def test_another_label_of_the_system_namespace_places_them_again() -> None:
    before = build(config_of(MEMBERS))
    changed = before.config.with_objects(
        config_of(MEMBERS.replace("topology.istio.io/network: home", "topology.istio.io/network: moved"))
        .of("Namespace")
        .values()
    )
    after = build(changed, before)
    assert members("db.shop.svc.cluster.local", after)["10.9.0.1"] == "moved"


@pytest.mark.row("MN-02")
def test_a_snapshot_keeps_its_networks_while_they_say_the_same() -> None:
    before = build(config_of(SERVICE, NODES))
    assert before.networks.gateways[0] == NetworkGateway("east", "Kubernetes", "5.5.5.5", 15443)
    after = build(before.config.with_objects(config_of(NODES.replace("172.16.0.2", "172.16.0.3")).of("Node").values()))
    assert build(after.config, before).networks is before.networks
