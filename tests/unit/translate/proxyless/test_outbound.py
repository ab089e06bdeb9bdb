from __future__ import annotations

import pytest
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.model.resources import LISTENER, ROUTE
from mizzen.translate.proxyless.outbound import destinations
from tests.scenes import listener, route, unpacked
from tests.unit.translate.proxyless.scene import made

TABLE = "outbound|80||reviews.shop.svc.cluster.local"
ROUTES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
    - match: [{queryParams: {a: {exact: b}}}]
      route: [{destination: {host: ratings}}]
    - match: [{uri: {prefix: /slow}}]
      timeout: 3s
      corsPolicy: {allowOrigins: [{exact: a}]}
      fault: {delay: {fixedDelay: 1s, percentage: {value: 50}}}
      route: [{destination: {host: reviews}}]
    - route: [{destination: {host: reviews}, weight: 90}, {destination: {host: ratings}, weight: 10}]
"""


@pytest.mark.row("XD-20")
def test_a_listener_per_name_and_port_leads_to_the_route_table() -> None:
    held = made()
    for name in ("reviews:80", "reviews.shop:80", "reviews.shop.svc:80", "reviews.shop.svc.cluster.local:80"):
        manager = unpacked(listener(held, name).api_listener.api_listener, hcm_pb2.HttpConnectionManager)
        assert manager.rds.route_config_name == TABLE
        assert [f.name for f in manager.http_filters] == ["envoy.filters.http.fault", "envoy.filters.http.router"]
    assert "virtualOutbound" not in held.get(LISTENER)


@pytest.mark.row("XD-20")
def test_domains_have_the_port_too() -> None:
    host = route(made(), TABLE).virtual_hosts[0]
    assert {"reviews", "reviews:80", "reviews.shop.svc.cluster.local:80"} <= set(host.domains)
    assert len(host.domains) == len(set(host.domains))


@pytest.mark.row("XD-20")
def test_routes_keep_what_grpc_reads() -> None:
    slow, split = route(made(ROUTES), TABLE).virtual_hosts[0].routes
    assert list(slow.typed_per_filter_config) == ["envoy.filters.http.fault"]
    assert slow.route.max_stream_duration.max_stream_duration.seconds == 3
    assert [(c.name, c.weight.value) for c in split.route.weighted_clusters.clusters] == [
        (TABLE, 90),
        ("outbound|80||ratings.shop.svc.cluster.local", 10),
    ]


def test_destinations_are_the_clusters_of_all_tables() -> None:
    held = made(ROUTES)
    assert destinations(held.get(ROUTE).values()) >= {TABLE, "outbound|80||ratings.shop.svc.cluster.local"}
