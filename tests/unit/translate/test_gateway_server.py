from __future__ import annotations

import msgspec
import pytest
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.model.resources import LISTENER, ROUTE
from mizzen.resolve import view
from mizzen.translate import resources
from mizzen.translate.catalog import Catalog
from mizzen.translate.gateway_server import by_address
from tests.scenes import Scene, listener, unpacked


def gateway(name: str, port: int, protocol: str, host: str, **more: object) -> str:
    server = {"port": {"number": port, "name": "p", "protocol": protocol}, "hosts": [host], **more}
    return f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: shop, creationTimestamp: "2026-01-01T00:00:0{name[-1]}Z"}}
spec: {{selector: {{istio: ingressgateway}}, servers: [{server!r}]}}
"""


def kept(*texts: str) -> list[str]:
    scope = Scene("---".join(texts)).view("istio-system/edge-0").scope
    return [bound.gateway.name for _, _, servers in by_address(Catalog(scope)) for bound in servers]


SIMPLE = {"mode": "SIMPLE", "credentialName": "c"}
PASS = {"mode": "PASSTHROUGH"}


@pytest.mark.row("GW-25")
@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([("g1", 443, "HTTPS", "a.com", SIMPLE), ("g2", 443, "HTTPS", "b.com", SIMPLE)], ["g1", "g2"]),
        ([("g1", 443, "HTTPS", "a.com", SIMPLE), ("g2", 443, "TLS", "a.com", PASS)], ["g1"]),
        ([("g1", 80, "HTTP", "a.com", None), ("g2", 80, "TCP", "b.com", None)], ["g1"]),
        ([("g1", 31400, "TCP", "a.com", None), ("g2", 31400, "TCP", "b.com", None)], ["g1"]),
        ([("g1", 80, "HTTP", "a.com", None), ("g2", 80, "HTTPS", "b.com", SIMPLE)], ["g1"]),
        ([("g1", 80, "HTTPS", "a.com", SIMPLE), ("g2", 80, "HTTP", "b.com", None)], ["g1", "g2"]),
        ([("g1", 80, "HTTP", "a.com", None), ("g2", 80, "HTTP2", "a.com", None)], ["g1", "g2"]),
    ],
)
def test_the_younger_of_two_servers_that_collide_is_left_out(
    servers: list[tuple[str, int, str, str, object]], expected: list[str]
) -> None:
    texts = [gateway(n, port, p, host, **({"tls": tls} if tls else {})) for n, port, p, host, tls in servers]
    assert kept(*texts) == expected


@pytest.mark.row("GW-25", "GW-07")
def test_servers_on_different_binds_never_collide() -> None:
    one = gateway("g1", 9000, "TCP", "*", bind="10.0.0.1")
    assert kept(one, gateway("g2", 9000, "TCP", "*", bind="10.0.0.2")) == ["g1", "g2"]


@pytest.mark.row("GW-04", "GW-07")
def test_a_bind_names_the_listener_and_ends_the_names_of_its_routes() -> None:
    plain = gateway("g1", 9000, "HTTP", "a.com", bind="10.0.0.1")
    tls = gateway("g2", 9443, "HTTPS", "a.com", bind="10.0.0.1", tls=SIMPLE)
    made = Scene(plain + "---" + tls).edge()
    assert list(made.get(LISTENER)) == ["10.0.0.1_9000", "10.0.0.1_9443"]
    address = listener(made, "10.0.0.1_9000").address.socket_address
    assert (address.address, address.port_value) == ("10.0.0.1", 9000)
    assert list(made.get(ROUTE)) == ["http.9000.10.0.0.1", "https.9443.p.g2.shop.10.0.0.1"]


@pytest.mark.row("GW-30")
def test_an_unprivileged_gateway_opens_no_low_port() -> None:
    scene = Scene(gateway("g1", 81, "HTTP", "*") + "---" + gateway("g2", 80, "HTTP", "*"))
    assert list(scene.edge().get(LISTENER)) == ["0.0.0.0_81", "0.0.0.0_8080"]
    proxy = msgspec.structs.replace(scene.proxy("istio-system/edge-0"), flags={"UNPRIVILEGED_POD": "true"})
    assert list(resources(view(scene.snapshot, proxy)).get(LISTENER)) == ["0.0.0.0_8080"]


@pytest.mark.row("GW-08")
def test_a_servers_name_is_the_prefix_of_its_statistics_where_it_ends_https() -> None:
    def prefix(port: int, protocol: str, named: bool, **more: object) -> str:
        text = gateway("g1", port, protocol, "a.com", **more)
        text = text.replace("'hosts'", "'name': 'shop-front', 'hosts'") if named else text
        (found,) = (listener(made, n) for made in [Scene(text).edge()] for n in made.get(LISTENER))
        filters = found.filter_chains[0].filters
        return str(unpacked(filters[0].typed_config, hcm_pb2.HttpConnectionManager).stat_prefix)

    assert prefix(443, "HTTPS", True, tls=SIMPLE) == "shop-front"
    assert prefix(443, "HTTPS", False, tls=SIMPLE) == "outbound_0.0.0.0_8443;"
    assert prefix(80, "HTTP", True) == "outbound_0.0.0.0_8080;"


@pytest.mark.row("GW-36")
def test_a_udp_port_of_the_gateways_service_opens_nothing() -> None:
    quic = """
apiVersion: v1
kind: Service
metadata: {name: quic, namespace: istio-system}
spec:
  clusterIP: 10.96.0.21
  selector: {istio: ingressgateway}
  ports: [{name: h3, port: 443, targetPort: 8443, protocol: UDP}]
---
"""
    plain = Scene(gateway("g1", 443, "HTTPS", "a.com", tls=SIMPLE)).edge()
    made = Scene(quic + gateway("g1", 443, "HTTPS", "a.com", tls=SIMPLE)).edge()
    assert list(made.get(LISTENER)) == list(plain.get(LISTENER))


@pytest.mark.row("GW-06")
def test_hosts_have_no_case() -> None:
    scope = Scene(gateway("g1", 80, "HTTP", "shop/A.Example.com")).view("istio-system/edge-0").scope
    (bound,) = [bound for _, _, servers in by_address(Catalog(scope)) for bound in servers]
    assert bound.hosts == [("shop", "a.example.com")]
