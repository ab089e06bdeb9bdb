from __future__ import annotations

import pytest

from tests.scenes import Scene, route

TEXT = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["./a.com", "other/b.com", "c.com"], tls: {httpsRedirect: true}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec: {hosts: [a.com, b.com], gateways: [gw], http: [{route: [{destination: {host: reviews}}]}]}
"""


@pytest.mark.row("GW-06", "GW-10")
def test_a_server_admits_only_the_namespaces_it_names_and_redirects_every_host() -> None:
    hosts = {h.name: h for h in route(Scene(TEXT).edge(), "http.8080").virtual_hosts}
    assert sorted(hosts) == ["a.com:80", "b.com:80", "c.com:80"]
    assert [len(hosts[name].routes) for name in sorted(hosts)] == [1, 0, 0]
    assert all(host.require_tls == host.ALL for host in hosts.values())


CLAIMS = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: older, namespace: shop, creationTimestamp: "2020-01-01T00:00:00Z"}
spec: {hosts: [a.com], gateways: [gw], http: [{name: rest, route: [{destination: {host: reviews}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: younger, namespace: shop, creationTimestamp: "2021-01-01T00:00:00Z"}
spec:
  hosts: [a.com]
  gateways: [gw]
  http: [{name: claim, match: [{headers: {"@request.auth.claims.groups": {exact: x}}}], route: [{destination: {host: reviews}}]}]
"""


@pytest.mark.row("VS-07", "VS-19")
def test_a_condition_on_a_claim_alone_is_no_catch_all() -> None:
    (host,) = route(Scene(CLAIMS).edge(), "http.8080").virtual_hosts
    assert [r.name for r in host.routes] == ["claim", "rest"]
