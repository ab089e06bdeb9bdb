from __future__ import annotations

import pytest
from envoy.extensions.clusters.dynamic_forward_proxy.v3 import cluster_pb2 as dynamic_pb2
from envoy.extensions.filters.http.dynamic_forward_proxy.v3 import dynamic_forward_proxy_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3 import sni_dynamic_forward_proxy_pb2

from mizzen.model.resources import CLUSTER
from tests.scenes import Scene, cluster, listener, unpacked

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wild, namespace: shop}
spec:
  hosts: ["*.wild.com"]
  ports:
  - {number: 8080, name: http, protocol: HTTP}
  - {number: 443, name: tls, protocol: TLS, targetPort: 8443}
  resolution: DYNAMIC_DNS
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: wild, namespace: shop}
spec: {host: "*.wild.com", subsets: [{name: v1, labels: {version: v1}}]}
"""
CACHE = "*.wild.com_dfp_dns_cache"


@pytest.mark.row("SE-09")
def test_one_cluster_for_each_port_and_none_for_subsets() -> None:
    made = Scene(ENTRY).resources()
    names = [name for name in made.get(CLUSTER) if "wild.com" in name]
    assert names == ["outbound|8080||*.wild.com", "outbound|443||*.wild.com"]
    found = cluster(made, "outbound|8080||*.wild.com")
    assert found.cluster_type.name == "envoy.clusters.dynamic_forward_proxy"
    assert unpacked(found.cluster_type.typed_config, dynamic_pb2.ClusterConfig).dns_cache_config.name == CACHE
    assert found.lb_policy == found.CLUSTER_PROVIDED


@pytest.mark.row("SE-09")
def test_names_are_resolved_by_host_before_the_router_and_by_sni_before_the_proxy() -> None:
    made = Scene(ENTRY).resources()
    (chain,) = [c for c in listener(made, "0.0.0.0_8080").filter_chains if c.filter_chain_match.application_protocols]
    manager = unpacked(chain.filters[0].typed_config, hcm_pb2.HttpConnectionManager)
    assert [item.name for item in manager.http_filters][-2:] == [
        "envoy.filters.http.dynamic_forward_proxy",
        "envoy.filters.http.router",
    ]
    config = unpacked(manager.http_filters[-2].typed_config, dynamic_forward_proxy_pb2.FilterConfig)
    assert config.dns_cache_config.name == CACHE
    (chain,) = [c for c in listener(made, "0.0.0.0_443").filter_chains if c.filter_chain_match.server_names]
    assert list(chain.filter_chain_match.server_names) == ["*.wild.com"]
    assert [item.name for item in chain.filters] == [
        "istio.stats",
        "envoy.extensions.filters.network.sni_dynamic_forward_proxy",
        "envoy.filters.network.tcp_proxy",
    ]
    sni = unpacked(chain.filters[1].typed_config, sni_dynamic_forward_proxy_pb2.FilterConfig)
    assert (sni.dns_cache_config.name, sni.port_value) == (CACHE, 8443)


def test_without_such_entries_nothing_is_resolved() -> None:
    made = Scene().resources()
    assert all(
        b"dynamic_forward_proxy" not in resource.body for held in made.types.values() for resource in held.values()
    )
