"""Who a proxy says that it is."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.core.v3 import base_pb2

from mizzen.api.decode import decode
from mizzen.errors import ProtocolError
from mizzen.model.config import Config
from mizzen.model.proxy import ProxyType
from mizzen.model.service import Locality
from mizzen.server.node import Node
from tests.meshes import new


def node(id_: str = "sidecar~10.1.0.9~web-0.shop~shop.svc.cluster.local", **metadata: Any) -> Node:
    message = base_pb2.Node(id=id_)
    message.metadata.update(metadata)
    message.locality.region = "own"
    return Node.parse(message)


def pod(**meta: Any) -> Any:
    return new(
        "v1",
        "Pod",
        "shop",
        "web-0",
        {
            "nodeName": "n1",
            "serviceAccountName": "seller",
            "containers": [{"name": "c", "ports": [{"containerPort": 80}]}],
        },
        meta=meta,
    )


def test_the_id_says_kind_address_pod_and_namespace() -> None:
    found = node()
    assert (found.type, found.address, found.name, found.namespace) == (ProxyType.SIDECAR, "10.1.0.9", "web-0", "shop")
    assert node(NAME="other", NAMESPACE="n").name == "other"


@pytest.mark.parametrize("bad", ["", "sidecar", "sidecar~a~b", "waypoint~a~b.c~d", "sidecar~~b.c~d", "sidecar~a~b~d"])
def test_an_id_of_another_form_is_refused(bad: str) -> None:
    with pytest.raises(ProtocolError):
        node(bad)


def test_what_the_pod_is_beats_what_the_proxy_says() -> None:
    claimed = node(LABELS={"app": "admin"}, SERVICE_ACCOUNT="admin", POD_PORTS='[{"containerPort": 1}]')
    known = claimed.proxy(Config().with_objects([pod(labels={"app": "web"})]))
    assert (dict(known.labels), known.service_account, known.pod_ports) == ({"app": "web"}, "seller", (80,))
    alone = claimed.proxy(Config())
    assert (dict(alone.labels), alone.service_account, alone.pod_ports) == ({"app": "admin"}, "admin", (1,))


@pytest.mark.parametrize("ports", ["[", "{}", '[{"port": 1}]', '[{"containerPort": "x"}]'])
def test_ports_that_are_none_are_none(ports: str) -> None:
    assert node(POD_PORTS=ports).proxy(Config()).pod_ports == ()


@pytest.mark.row("XD-10")
def test_locality_of_a_label_then_of_the_machine_then_of_the_proxy() -> None:
    zone = {
        "topology.kubernetes.io/region": "r",
        "topology.kubernetes.io/zone": "z",
        "topology.istio.io/subzone": "s",
    }
    machine = new("v1", "Node", "", "n1", {}, meta={"labels": zone})

    def of(*objects: Any) -> Locality:
        return node().proxy(Config().with_objects(list(objects))).locality

    assert of() == Locality("own")
    assert of(pod()) == Locality("own")
    assert of(pod(), machine) == Locality("r", "z", "s")
    assert of(pod(labels={"istio-locality": "a.b.c"}), machine) == Locality("a", "b", "c")
    assert of(
        pod(labels={**zone, "topology.kubernetes.io/region": "own", "istio-locality": "a.b"}), machine
    ) == Locality("own", "z", "s")
    both = {"istio-locality": "a.b.c", "topology.istio.io/locality": "d/e"}
    assert of(pod(labels=both), machine) == Locality("d", "e")


@pytest.mark.row("XD-09")
@pytest.mark.parametrize(
    ("address", "listed", "families"),
    [
        ("10.1.0.9", "", None),
        ("fd00::9", "", "IPv6"),
        ("10.1.0.9", "10.1.0.9,fd00::9", "IPv4,IPv6"),
        ("10.1.0.9", "10.1.0.9, bad", None),
        ("fd00::9", "fd00::9", "IPv6"),
    ],
)
def test_the_families_of_its_addresses(address: str, listed: str, families: str | None) -> None:
    said = node(f"sidecar~{address}~web-0.shop~shop.svc.cluster.local", INSTANCE_IPS=listed, IP_FAMILIES="x")
    assert said.proxy(Config()).flags.get("IP_FAMILIES") == families


@pytest.mark.row("MN-01", "MN-03")
def test_the_networks_that_a_proxy_asks_for_come_as_text_or_as_a_list() -> None:
    found = node(NETWORK="east", REQUESTED_NETWORK_VIEW=["east", "west"]).proxy(Config())
    assert (found.network, found.flags["REQUESTED_NETWORK_VIEW"]) == ("east", "east,west")
    assert node(REQUESTED_NETWORK_VIEW="east").proxy(Config()).flags["REQUESTED_NETWORK_VIEW"] == "east"


@pytest.mark.row("VM-03", "VM-04")
def test_a_proxy_without_a_pod_has_the_labels_of_its_entry() -> None:
    raw = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {"name": "db-10.0.0.9-n1", "namespace": "vms", "labels": {"a": "meta", "b": "meta"}},
        "spec": {"address": "10.0.0.9", "labels": {"a": "spec"}},
    }
    found = decode(raw).object
    assert found is not None
    config = Config().with_objects([found])
    message = base_pb2.Node(id="sidecar~10.0.0.9~vm-1.vms~vms.svc.cluster.local")
    message.metadata.update({"AUTO_REGISTER_GROUP": "db", "NETWORK": "n1", "LABELS": {"own": "x"}})
    node = Node.parse(message)
    assert (node.registration_group, node.entry_name) == ("db", "db-10.0.0.9-n1")
    assert node.proxy(config).labels == {"a": "spec", "b": "meta"}
    assert node.proxy(Config()).labels == {"own": "x"}  # not written yet
    message.metadata.update({"AUTO_REGISTER_GROUP": "", "WORKLOAD_ENTRY": "mine", "INSTANCE_IPS": "10.0.0.8,::1"})
    assert Node.parse(message).entry_name == "mine"
    assert Node.parse(message).registrant.address == "10.0.0.8"
