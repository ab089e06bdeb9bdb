"""EnvoyFilter recipes of Istio's documentation, applied to real proxies."""

from __future__ import annotations

import json

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

ECHO = "http://httpbin.default:8000/headers"
LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
FETCHED = f"""
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{name: fetched, namespace: default}}
spec:
  workloadSelector: {{labels: {{app: httpbin}}}}
  configPatches:
  - applyTo: EXTENSION_CONFIG
    match: {{context: SIDECAR_OUTBOUND}}
    patch:
      operation: ADD
      value:
        name: mark-answers
        typed_config:
          "@type": {LUA}
          default_source_code: {{inline_string: "function envoy_on_response(h) h:headers():add('x-fetched', 'yes') end"}}
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener:
        filterChain:
          filter: {{name: envoy.filters.network.http_connection_manager, subFilter: {{name: envoy.filters.http.router}}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: mark-answers
        config_discovery:
          config_source: {{ads: {{}}, initial_fetch_timeout: 0s, resource_api_version: V3}}
          type_urls: [{LUA}]
"""
LOG = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: log, namespace: default}
spec:
  workloadSelector: {labels: {app: httpbin}}
  configPatches:
  - applyTo: NETWORK_FILTER
    match:
      context: SIDECAR_INBOUND
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
    patch:
      operation: MERGE
      value:
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          access_log:
          - name: envoy.access_loggers.stream
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: {text_format_source: {inline_string: "OWN-FORMAT %REQ(:PATH)% %RESPONSE_CODE%\\n"}}
"""
CASE = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: case, namespace: default}
spec:
  configPatches:
  - applyTo: NETWORK_FILTER
    match: {listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
    patch:
      operation: MERGE
      value:
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          http_protocol_options:
            header_key_format:
              stateful_formatter:
                name: preserve_case
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig
  - applyTo: CLUSTER
    match: {context: ANY}
    patch:
      operation: MERGE
      value:
        typed_extension_protocol_options:
          envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
            "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
            use_downstream_protocol_config:
              http_protocol_options:
                header_key_format:
                  stateful_formatter:
                    name: preserve_case
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig
"""
TUNED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: tuned, namespace: default}
data:
  custom_bootstrap.json: |
    {"stats_flush_interval": "1s", "admin": {"ignore_global_conn_limit": true},
     "layered_runtime": {"layers": [{"name": "mine", "static_layer": {"mine.flag": "on"}}]}}
---
apiVersion: v1
kind: Pod
metadata:
  name: tuned
  namespace: default
  labels: {app: tuned}
  annotations: {sidecar.istio.io/bootstrapOverride: tuned}
spec: {containers: [{name: app, image: curl}]}
"""
MIXED = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: mixed, namespace: default}
spec:
  workloadSelector: {labels: {app: httpbin}}
  configPatches:
  - applyTo: CLUSTER
    match: {context: SIDECAR_OUTBOUND, cluster: {name: no-such-cluster}}
    patch: {operation: MERGE, value: {connect_timeout: 1s}}
  - applyTo: HTTP_FILTER
    match: {context: SIDECAR_INBOUND}
    patch: {operation: ADD, filterClass: AUTHZ, value: {name: late, typed_config: {"@type": %s}}}
  - applyTo: VIRTUAL_HOST
    match: {context: SIDECAR_INBOUND}
    patch: {operation: MERGE, value: {response_headers_to_add: [{header: {key: x-mixed, value: "yes"}}]}}
"""


@pytest.mark.row("EF-07")
def test_a_filter_fetches_its_configuration_by_name(mesh: Mesh) -> None:
    mesh.apply(FETCHED)
    eventually(lambda: mesh.curl(ECHO).headers.get("x-fetched"), lambda value: value == "yes")
    shown = mesh.run("proxy-config", "ecds", "deploy/httpbin").out
    assert shown.split() == ["ECDS", "NAME", "TYPE", "mark-answers", LUA]
    mesh.apply(FETCHED.replace("'yes'", "'again'"))
    eventually(lambda: mesh.curl(ECHO).headers.get("x-fetched"), lambda value: value == "again")


@pytest.mark.row("EF-21")
def test_an_access_log_of_ones_own(mesh: Mesh) -> None:
    mesh.apply(LOG)
    assert eventually(lambda: mesh.curl("http://httpbin.default:8000/status/202").code, lambda code: code == 202)
    eventually(lambda: mesh.logs("httpbin", container="istio-proxy"), lambda text: "OWN-FORMAT /status/202 202" in text)


@pytest.mark.row("EF-21")
def test_the_case_of_header_names_is_kept(mesh: Mesh) -> None:
    def answered() -> str:
        url = "http://httpbin.default:8000/response-headers?X-CaMeL-Case=1"
        return mesh.exec("curl", "curl", "-s", "-i", url).out

    assert "x-camel-case: 1" in eventually(answered, lambda text: "200 OK" in text)
    mesh.apply(CASE)
    eventually(answered, lambda text: "X-CaMeL-Case: 1" in text)


@pytest.mark.row("EF-21", "AN-05", "EF-08")
def test_a_bootstrap_is_tuned_by_annotation(mesh: Mesh) -> None:
    mesh.apply(TUNED)
    mesh.run("wait", "pod/tuned", "--timeout", "30s", expect=None)
    shown = eventually(
        lambda: mesh.run("proxy-config", "bootstrap", "tuned", "-o", "json", expect=None).out, lambda out: "{" in out
    )
    bootstrap = json.loads(shown)["bootstrap"]
    assert bootstrap["stats_flush_interval"] == "1s"
    assert [layer["name"] for layer in bootstrap["layered_runtime"]["layers"]][-1] == "mine"
    assert bootstrap["node"]["id"].startswith("sidecar~"), "the rest of the bootstrap is as ever"


@pytest.mark.row("EF-17", "EF-16")
def test_each_patch_says_what_became_of_it_and_a_bad_one_hurts_no_other(mesh: Mesh) -> None:
    mesh.apply(MIXED % LUA)
    eventually(lambda: mesh.curl(ECHO).headers.get("x-mixed"), lambda value: value == "yes")
    outcomes = mesh.run("proxy-config", "patches", "deploy/httpbin", "-o", "json").json()
    told = [(outcome["name"], outcome["apply_to"], outcome["status"]) for outcome in outcomes]
    assert told == [
        ("mixed", "CLUSTER", "matched nothing"),
        ("mixed", "HTTP_FILTER", "refused"),
        ("mixed", "VIRTUAL_HOST", "applied"),
    ]
    assert "behind the router" in outcomes[1]["reason"]
