from __future__ import annotations

import pytest

from mizzen.model.resources import CLUSTER, LISTENER, ROUTE
from tests.scenes import Scene, listener, route

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: shop}
spec:
  hosts: [db.example]
  ports: [{number: 7000, name: tcp, protocol: TCP}]
  resolution: DNS
---
"""


def scene(*egress: str) -> Scene:
    listed = ", ".join(egress)
    return Scene(
        ENTRY
        + f"""
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: default, namespace: shop}}
spec: {{egress: [{listed}]}}
"""
    )


HTTP = "port: {number: 80, name: http, protocol: HTTP}"
TCP = "port: {number: 7000, name: tcp, protocol: TCP}"


@pytest.mark.row("SC-04")
def test_an_entry_with_a_port_has_its_listener_where_it_would_be_anyway() -> None:
    made = scene(f"{{{HTTP}, hosts: [./reviews.shop.svc.cluster.local]}}").resources()
    assert list(made.get(LISTENER)) == ["0.0.0.0_80", "virtualOutbound", "virtualInbound"]
    assert not listener(made, "0.0.0.0_80").bind_to_port.value
    assert [v.name for v in route(made, "80").virtual_hosts] == ["reviews.shop.svc.cluster.local:80", "allow_any"]
    assert [n for n in made.get(CLUSTER) if n.startswith("outbound|")] == [
        "outbound|80||reviews.shop.svc.cluster.local"
    ]


@pytest.mark.row("SC-04")
@pytest.mark.parametrize(
    ("more", "name", "address", "opened"),
    [
        ("captureMode: NONE", "127.0.0.1_7000", "127.0.0.1", True),
        ("bind: 10.9.9.9", "10.9.9.9_7000", "10.9.9.9", False),
        ("bind: 127.0.0.9, captureMode: NONE", "127.0.0.9_7000", "127.0.0.9", True),
    ],
)
def test_where_a_listener_listens(more: str, name: str, address: str, opened: bool) -> None:
    message = listener(scene(f"{{{TCP}, {more}, hosts: [./*]}}").resources(), name)
    assert message.address.socket_address.address == address
    assert (message.bind_to_port.value or not message.HasField("bind_to_port")) is opened
    assert message.filter_chains[0].filters[-1].name == "envoy.filters.network.tcp_proxy"


@pytest.mark.row("SC-04")
def test_a_unix_path_names_listener_and_routes_and_takes_every_port() -> None:
    port = "port: {number: 0, name: http, protocol: HTTP}"
    made = scene(f"{{{port}, bind: 'unix:///var/run/mesh.sock', hosts: [./*]}}").resources()
    message = listener(made, "unix:///var/run/mesh.sock")
    assert message.address.pipe.path == "/var/run/mesh.sock"
    config = route(made, "unix:///var/run/mesh.sock")
    assert not config.ignore_port_in_host_matching
    reviews = next(v for v in config.virtual_hosts if v.name == "reviews.shop.svc.cluster.local:80")
    assert {"reviews:80", "reviews"} <= set(reviews.domains)


@pytest.mark.row("SC-04")
def test_a_catch_all_adds_nothing_to_what_is_taken() -> None:
    made = scene(f"{{{HTTP}, hosts: [./reviews.shop.svc.cluster.local]}}", "{hosts: ['*/*']}").resources()
    assert [v.name for v in route(made, "80").virtual_hosts] == ["reviews.shop.svc.cluster.local:80", "allow_any"]
    assert "0.0.0.0_7000" in made.get(LISTENER)
    assert "outbound|80||ratings.shop.svc.cluster.local" in made.get(CLUSTER)


@pytest.mark.row("SC-04")
def test_without_a_sidecar_routes_are_as_ever() -> None:
    assert list(Scene(ENTRY).resources().get(ROUTE)) == ["80"]
