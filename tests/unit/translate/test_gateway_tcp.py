from __future__ import annotations

import pytest
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER
from tests.scenes import Scene, cluster, endpoints, listener, unpacked

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw, namespace: shop}}
spec: {{selector: {{istio: ingressgateway}}, servers: [{{port: {{number: 443, name: tls, protocol: TLS}}, hosts: ["{host}"], tls: {{mode: {mode}}}}}]}}
"""
ROUTES = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec:
  hosts: ["*.example.com"]
  gateways: [gw]
  tls:
    - {match: [{sniHosts: [a.example.com]}, {sniHosts: ["*.example.com"]}], route: [{destination: {host: reviews}, weight: 90}, {destination: {host: ratings}, weight: 10}, {destination: {host: web}, weight: 0}]}
    - {match: [{sniHosts: [a.example.com]}], route: [{destination: {host: ratings}}]}
"""


def proxy_of(chain: object) -> tcp_proxy_pb2.TcpProxy:
    found: tcp_proxy_pb2.TcpProxy = unpacked(chain.filters[-1].typed_config, tcp_proxy_pb2.TcpProxy)  # type: ignore[attr-defined]
    return found


@pytest.mark.row("GW-14", "VS-53", "VS-57")
def test_tls_passes_by_sni_and_a_name_counts_once() -> None:
    made = Scene(GATEWAY.format(mode="PASSTHROUGH", host="*.example.com") + ROUTES).edge()
    chains = listener(made, "0.0.0.0_8443").filter_chains
    assert [list(c.filter_chain_match.server_names) for c in chains] == [["a.example.com"], ["*.example.com"]]
    shares = proxy_of(chains[0]).weighted_clusters.clusters
    assert [(c.name, c.weight) for c in shares] == [
        ("outbound|80||reviews.shop.svc.cluster.local", 90),
        ("outbound|80||ratings.shop.svc.cluster.local", 10),
    ]
    assert not chains[0].HasField("transport_socket")


@pytest.mark.row("VS-53", "VS-54")
def test_at_a_sidecar_the_first_of_two_matches_with_the_same_names_counts() -> None:
    routes = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: far, namespace: shop}
spec: {hosts: [a.far.example], addresses: [10.200.0.1], ports: [{number: 443, name: tls, protocol: TLS}], resolution: STATIC, endpoints: [{address: 10.1.9.9}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec:
  hosts: [a.far.example]
  tls:
    - {match: [{sniHosts: [a.far.example], sourceLabels: {app: other}}], route: [{destination: {host: web}}]}
    - {match: [{sniHosts: [a.far.example], port: 444}], route: [{destination: {host: web}}]}
    - {match: [{sniHosts: [a.far.example], port: 443, sourceLabels: {app: web}}], route: [{destination: {host: reviews, port: {number: 80}}}]}
    - {match: [{sniHosts: [a.far.example]}], route: [{destination: {host: ratings, port: {number: 80}}}]}
    - {match: [{sniHosts: [a.far.example], destinationSubnets: [10.9.0.0/16]}], route: [{destination: {host: ratings, port: {number: 80}}}]}
"""
    chains = listener(Scene(routes).resources(), "10.200.0.1_443").filter_chains
    found = [
        (
            list(c.filter_chain_match.server_names),
            [r.address_prefix for r in c.filter_chain_match.prefix_ranges],
            proxy_of(c).cluster,
        )
        for c in chains
        if c.filter_chain_match.server_names
    ]
    assert found == [
        (["a.far.example"], [], "outbound|80||reviews.shop.svc.cluster.local"),
        (["a.far.example"], ["10.9.0.0"], "outbound|80||ratings.shop.svc.cluster.local"),
    ]


@pytest.mark.row("VS-55")
def test_tls_routes_mean_nothing_where_the_gateway_ends_tls() -> None:
    gateway = GATEWAY.format(mode="SIMPLE, credentialName: c", host="*.example.com")
    assert not Scene(gateway + ROUTES).edge().get(LISTENER)
    tcp = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: w, namespace: shop}
spec: {hosts: [x.example.com], gateways: [gw], tcp: [{route: [{destination: {host: reviews, port: {number: 80}}}]}]}
"""
    (chain,) = listener(Scene(gateway + ROUTES + tcp).edge(), "0.0.0.0_8443").filter_chains
    assert proxy_of(chain).cluster == "outbound|80||reviews.shop.svc.cluster.local"


@pytest.mark.row("GW-27", "GW-14")
def test_without_a_route_a_tls_port_has_no_listener() -> None:
    assert not Scene(GATEWAY.format(mode="PASSTHROUGH", host="*.example.com")).edge().get(LISTENER)


@pytest.mark.row("GW-15", "PO-17", "SE-04")
def test_auto_passthrough_leads_to_meshed_endpoints_by_the_name_in_the_sni() -> None:
    external = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ext, namespace: shop}
spec: {hosts: [x.shop.svc.cluster.local], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
"""
    made = Scene(GATEWAY.format(mode="AUTO_PASSTHROUGH", host="*.shop.svc.cluster.local") + external).edge()
    name = "outbound_.80_._.reviews.shop.svc.cluster.local"
    chains = {c.filter_chain_match.server_names[0]: c for c in listener(made, "0.0.0.0_8443").filter_chains}
    assert sorted(n.rpartition("_.")[2] for n in chains) == [
        f"{service}.shop.svc.cluster.local" for service in ("ratings", "reviews", "web")
    ]
    match = chains[name].filter_chain_match
    assert set(match.application_protocols) == {
        "istio",
        "istio-peer-exchange",
        "istio-http/1.0",
        "istio-http/1.1",
        "istio-h2",
    }
    assert proxy_of(chains[name]).cluster == name
    assert not cluster(made, name).transport_socket_matches
    addresses = [
        e.endpoint.address.socket_address.address for g in endpoints(made, name).endpoints for e in g.lb_endpoints
    ]
    assert addresses == ["10.1.0.2"], "the pod without sidecar is left out"
    assert "outbound_.80_._.x.shop.svc.cluster.local" not in made.get(CLUSTER)
    assert "outbound|80||reviews.shop.svc.cluster.local" in made.get(ENDPOINT)


@pytest.mark.row("GW-16", "VS-55")
def test_a_mesh_client_may_talk_tcp_through_a_gateway() -> None:
    routes = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec: {hosts: [x.example.com], gateways: [gw], tcp: [{route: [{destination: {host: reviews, port: {number: 80}}}]}]}
"""
    made = Scene(GATEWAY.format(mode="ISTIO_MUTUAL", host="x.example.com") + routes).edge()
    (chain,) = listener(made, "0.0.0.0_8443").filter_chains
    assert chain.filters[0].name == "istio.metadata_exchange"
    assert proxy_of(chain).cluster == "outbound|80||reviews.shop.svc.cluster.local"
    assert chain.transport_socket.name == "envoy.transport_sockets.tls"
    assert chain.transport_socket_connect_timeout.seconds == 15


@pytest.mark.row("AP-25")
@pytest.mark.parametrize(("mode", "judged"), [("PASSTHROUGH", True), ("AUTO_PASSTHROUGH", False)])
def test_policies_of_a_gateway_judge_tls_that_passes_but_not_the_way_between_meshes(mode: str, judged: bool) -> None:
    policy = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: istio-system}
spec: {action: DENY, rules: [{}]}
"""
    host = "*.example.com" if judged else "*.shop.svc.cluster.local"
    made = Scene(GATEWAY.format(mode=mode, host=host) + ROUTES + policy).edge()
    for chain in listener(made, "0.0.0.0_8443").filter_chains:
        assert ("envoy.filters.network.rbac" in [filter_.name for filter_ in chain.filters]) == judged
