"""Rate limits by EnvoyFilter, as Istio documents them: one count for the whole mesh, and one for each proxy."""

import json
from collections.abc import Callable

import pytest

from tests.e2e.mesh import MANIFESTS, Document, Mesh, documents_of, has_istio_samples, istio_sample
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

LIMITS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: ratelimit-config, namespace: default}
data:
  gateway.yaml: |
    domain: ratelimit
    descriptors:
    - key: PATH
      value: /productpage
      rate_limit: {unit: year, requests_per_unit: 2}
    - key: PATH
      rate_limit: {unit: year, requests_per_unit: 1000}
  sidecar.yaml: |
    domain: httpbin-limits
    descriptors:
    - key: header_match
      value: status
      descriptors:
      - key: caller
        rate_limit: {unit: year, requests_per_unit: 3}
  sample.yaml: |
    domain: productpage-ratelimit
    descriptors:
    - key: PATH
      value: /api/v1/products
      rate_limit: {unit: year, requests_per_unit: 1}
"""
GATEWAY = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: filter-ratelimit, namespace: istio-system}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener:
        filterChain:
          filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.ratelimit
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
          domain: ratelimit
          failure_mode_deny: true
          timeout: 10s
          rate_limit_service:
            grpc_service:
              envoy_grpc:
                cluster_name: outbound|8081||ratelimit.default.svc.cluster.local
                authority: ratelimit.default.svc.cluster.local
            transport_api_version: V3
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: filter-ratelimit-svc, namespace: istio-system}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: VIRTUAL_HOST
    match: {context: GATEWAY, routeConfiguration: {vhost: {name: "", route: {action: ANY}}}}
    patch:
      operation: MERGE
      value:
        rate_limits:
        - actions: [{request_headers: {header_name: ":path", descriptor_key: PATH}}]
"""
SIDECAR = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: httpbin-limits, namespace: default}
spec:
  workloadSelector: {labels: {app: httpbin}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener:
        filterChain:
          filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.ratelimit
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
          domain: httpbin-limits
          failure_mode_deny: true
          timeout: 10s
          enable_x_ratelimit_headers: DRAFT_VERSION_03
          rate_limit_service:
            grpc_service:
              envoy_grpc:
                cluster_name: outbound|8081||ratelimit.default.svc.cluster.local
                authority: ratelimit.default.svc.cluster.local
            transport_api_version: V3
  - applyTo: HTTP_ROUTE
    match: {context: SIDECAR_INBOUND, routeConfiguration: {vhost: {name: "inbound|http|8000", route: {action: ANY}}}}
    patch:
      operation: MERGE
      value:
        route:
          rate_limits:
          - actions:
            - header_value_match:
                descriptor_value: status
                headers: [{name: ":path", string_match: {prefix: /status}}]
            - request_headers: {header_name: x-caller, descriptor_key: caller}
"""
LOCAL = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: filter-local-ratelimit-svc, namespace: istio-system}
spec:
  workloadSelector: {labels: {app: productpage}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.local_ratelimit
        typed_config:
          "@type": type.googleapis.com/udpa.type.v1.TypedStruct
          type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
          value: {stat_prefix: http_local_rate_limiter}
  - applyTo: HTTP_ROUTE
    match: {context: SIDECAR_INBOUND, routeConfiguration: {vhost: {name: "inbound|http|9080", route: {action: ANY}}}}
    patch:
      operation: MERGE
      value:
        typed_per_filter_config:
          envoy.filters.http.local_ratelimit:
            "@type": type.googleapis.com/udpa.type.v1.TypedStruct
            type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
            value:
              stat_prefix: http_local_rate_limiter
              token_bucket: {max_tokens: 4, tokens_per_fill: 4, fill_interval: 3600s}
              filter_enabled:
                runtime_key: local_rate_limit_enabled
                default_value: {numerator: 100, denominator: HUNDRED}
              filter_enforced:
                runtime_key: local_rate_limit_enforced
                default_value: {numerator: 100, denominator: HUNDRED}
              response_headers_to_add:
              - append_action: OVERWRITE_IF_EXISTS_OR_ADD
                header: {key: x-local-rate-limit, value: "true"}
"""


def service() -> list[Document]:
    """Istio's own file unchanged where it is at hand, else ours."""
    if has_istio_samples():
        return istio_sample("ratelimit/rate-limit-service.yaml")
    return documents_of(MANIFESTS / "ratelimit.yaml")


@pytest.fixture
def limited(mesh: Mesh) -> Mesh:
    """The mesh with the rate-limit service running, with counts of its own."""
    mesh.apply([*documents_of(LIMITS), *service()])
    mesh.run("wait", "deploy/ratelimit", "--timeout", "60s", seconds=70, expect=None)
    call = lambda: mesh.curl("http://ratelimit.default:8080/healthcheck").code  # noqa: E731
    eventually(call, lambda code: code == 200, 30)
    return mesh


@pytest.mark.row("EF-20")
def test_the_mesh_counts_together_at_the_gateway(limited: Mesh) -> None:
    assert limited.browse("/productpage").code == 200
    limited.apply(GATEWAY)
    codes = [limited.browse("/productpage").code for _ in range(5)]
    assert codes == [200, 200, 429, 429, 429]
    refused = limited.browse("/productpage")
    assert refused.headers["x-envoy-ratelimited"] == "true"
    assert limited.browse("/api/v1/products").code == 200, "another path has another count"


@pytest.mark.row("EF-20")
def test_a_sidecar_asks_the_service_for_what_its_routes_say(limited: Mesh) -> None:
    limited.apply(SIDECAR)

    def call(caller: str, path: str = "/status/200") -> tuple[int, str]:
        reply = limited.curl(f"http://httpbin.default:8000{path}", "-H", f"x-caller: {caller}")
        return reply.code, reply.headers.get("x-ratelimit-remaining", "")

    eventually(lambda: call("probe"), lambda answer: answer[0] == 429)
    assert [call("ann") for _ in range(4)] == [(200, "2"), (200, "1"), (200, "0"), (429, "0")]
    assert call("bob") == (200, "2"), "each caller has a count of its own"
    assert call("ann", "/headers") == (200, ""), "a path without descriptor is not limited"


@pytest.mark.row("EF-20")
def test_istios_sample_with_its_own_cluster(limited: Mesh, istio_samples: Callable[[str], list[Document]]) -> None:
    limited.apply(istio_samples("bookinfo/policy/productpage_envoy_ratelimit.yaml"))
    eventually(lambda: limited.browse("/api/v1/products").code, lambda code: code == 429)
    assert limited.browse("/productpage").code == 200
    clusters = limited.run(
        "proxy-config", "clusters", "deploy/istio-ingressgateway", "-n", "istio-system", "-o", "json"
    )
    assert "rate_limit_cluster" in json.dumps(clusters.json())


@pytest.mark.row("EF-20")
def test_without_the_service_the_recipe_denies(limited: Mesh) -> None:
    limited.apply(GATEWAY)
    limited.run("scale", "deploy/ratelimit", "--replicas=0")
    eventually(lambda: limited.browse("/api/v1/products").code, lambda code: code == 500, 20)


@pytest.mark.row("EF-19")
def test_each_proxy_counts_for_itself_by_route(mesh: Mesh) -> None:
    mesh.apply(LOCAL)
    replies = [mesh.browse("/productpage") for _ in range(14)]
    refused = [reply for reply in replies if reply.code == 429]
    assert {reply.code for reply in replies[:4]} == {200}
    # Connections that were open before the change may carry one more request each under the old rules.
    assert len(refused) >= 7
    assert {reply.headers.get("x-local-rate-limit") for reply in refused} == {"true"}
    assert {reply.code for reply in replies[-4:]} == {429}
