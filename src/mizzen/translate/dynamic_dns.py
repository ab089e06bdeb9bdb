"""Names below a wildcard that are resolved when somebody asks for them: ServiceEntries of DYNAMIC_DNS (row SE-09).

A cluster and the filters in front of it share one cache of names, ``<host>_dfp_dns_cache``. Envoy wants every mention
of a cache to be the same, so nothing of a port or a proxy may be in it.
"""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.clusters.dynamic_forward_proxy.v3 import cluster_pb2 as dynamic_pb2
from envoy.extensions.common.dynamic_forward_proxy.v3 import dns_cache_pb2
from envoy.extensions.filters.http.dynamic_forward_proxy.v3 import dynamic_forward_proxy_pb2
from envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3 import sni_dynamic_forward_proxy_pb2

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.protocol import Protocol
from mizzen.translate import connection_pool, names, upstream_tls
from mizzen.translate import filters as f
from mizzen.translate.messages import any_of
from mizzen.translate.scalars import duration
from mizzen.translate.traffic_policy import NONE, with_defaults

_CLUSTER = "envoy.clusters.dynamic_forward_proxy"
_HTTP = "envoy.filters.http.dynamic_forward_proxy"
_SNI = "envoy.extensions.filters.network.sni_dynamic_forward_proxy"


def apply(cluster: cluster_pb2.Cluster, host: str, mesh: MeshConfig) -> None:
    """Make ``cluster`` one whose endpoints are the names that were asked for."""
    config = dynamic_pb2.ClusterConfig(dns_cache_config=_cache(host, mesh), allow_insecure_cluster_options=True)
    cluster.cluster_type.name = _CLUSTER
    cluster.cluster_type.typed_config.CopyFrom(any_of(config))
    cluster.lb_policy = cluster_pb2.Cluster.CLUSTER_PROVIDED


def any_name(mesh: MeshConfig) -> cluster_pb2.Cluster:
    """``names.ANY_NAME``: it goes where Host says, by the mesh's own TLS settings if it has some for that."""
    cluster = cluster_pb2.Cluster(name=names.ANY_NAME)
    tls = mesh.outbound_traffic_policy.tls
    connection_pool.apply(cluster, with_defaults(NONE, mesh), mesh, Protocol.UNSUPPORTED, sidecar=True, tls=tls)
    apply(cluster, names.ANY_NAME, mesh)
    socket = None
    if tls is not None and tls.mode in ("SIMPLE", "MUTUAL"):
        socket = upstream_tls.socket_of(
            tls, sni="", sans=(), entry_sans=(), offered=(), http2=False, defaults=mesh.tls_defaults
        )
    if socket is not None:
        cluster.transport_socket.CopyFrom(socket)
    return cluster


def http_filter(host: str, mesh: MeshConfig) -> f.HttpFilter:
    """Resolves the Host of a request that a route sends to such a cluster; others pass untouched."""
    return f.http(_HTTP, dynamic_forward_proxy_pb2.FilterConfig(dns_cache_config=_cache(host, mesh)))


def sni_filter(host: str, port: int, mesh: MeshConfig) -> f.NetworkFilter:
    """Resolves the SNI of a connection; ``port`` is where it goes on to."""
    config = sni_dynamic_forward_proxy_pb2.FilterConfig(dns_cache_config=_cache(host, mesh), port_value=port)
    return f.network(_SNI, config)


def _cache(host: str, mesh: MeshConfig) -> dns_cache_pb2.DnsCacheConfig:
    config = dns_cache_pb2.DnsCacheConfig(name=f"{host}_dfp_dns_cache", dns_lookup_family=cluster_pb2.Cluster.V4_ONLY)
    config.dns_refresh_rate.CopyFrom(duration(mesh.dns_refresh_rate))
    return config
