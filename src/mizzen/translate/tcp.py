"""The network filters of a chain that carries bytes (row IL-11)."""

from __future__ import annotations

from collections.abc import Sequence

from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

from mizzen.api.destination_rule import TunnelSettings
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Duration
from mizzen.model.conduct import DEFAULT_CONDUCT, Conduct
from mizzen.model.extension import Phase
from mizzen.model.view import Policies
from mizzen.translate import access_log, extensions, rbac, telemetry
from mizzen.translate import filters as f
from mizzen.translate.filters import Direction

NO_POLICIES = Policies()
_NAME = "envoy.filters.network.tcp_proxy"


def filters(
    *,
    direction: Direction,
    stat_prefix: str,
    mesh: MeshConfig,
    clusters: Sequence[tuple[str, int]],
    conduct: Conduct = DEFAULT_CONDUCT,
    policies: Policies = NO_POLICIES,
    idle_timeout: Duration | None = None,
    longest: Duration | None = None,
    source_ip_hash: bool = False,
    tunnel: TunnelSettings | None = None,
    chain: telemetry.Chain | None = None,
    plugins: extensions.Placed = (),
) -> list[f.NetworkFilter]:
    """The filters of a TCP chain in Istio's order; ``clusters`` are (name, weight), of which one alone needs no weight.

    ``idle_timeout`` None: the one of the proxy's metadata, if any (row IL-09). ``longest`` ends a connection whatever it carries. ``source_ip_hash``: the cluster hashes (row DR-13). ``tunnel``: the
    bytes go inside a CONNECT or POST request (row DR-53). ``chain`` is what metrics may say of an inbound chain. A sidecar's outbound side has no policies (row IL-11).
    ``plugins`` are the extensions of this chain.
    """
    proxy = tcp_proxy_pb2.TcpProxy(stat_prefix=stat_prefix)
    if len(clusters) == 1:
        proxy.cluster = clusters[0][0]
    else:
        for name, weight in clusters:
            proxy.weighted_clusters.clusters.add(name=name, weight=weight)
    idle_timeout = conduct.connections.idle if idle_timeout is None else idle_timeout
    if idle_timeout is not None:
        proxy.idle_timeout.FromNanoseconds(idle_timeout.nanos)
    if longest is not None:
        proxy.max_downstream_connection_duration.FromNanoseconds(longest.nanos)
    if source_ip_hash:
        proxy.hash_policy.add().source_ip.SetInParent()
    if tunnel is not None:
        proxy.tunneling_config.hostname = f"{tunnel.target_host}:{tunnel.target_port}"
        proxy.tunneling_config.use_post = tunnel.protocol.upper() == "POST"
    report = conduct.server if direction is Direction.INBOUND else conduct.client
    proxy.access_log.extend(access_log.connection_logs(mesh, report))
    proxy.access_log.extend(telemetry.tcp_metrics(chain or telemetry.Chain(direction), report.metrics))
    # Without an entry at connect a connection would count as opened only when it closes (row ME-05).
    proxy.access_log_options.flush_access_log_on_connected = True
    return [
        *_preamble(direction, policies, mesh, plugins),
        f.network_marker(f.STATS),
        f.network(_NAME, proxy),
    ]


def _preamble(
    direction: Direction, policies: Policies, mesh: MeshConfig, plugins: extensions.Placed
) -> list[f.NetworkFilter]:
    """What stands before ``istio.stats``: the peer exchange of an inbound chain, policies and extensions (row WP-06)."""
    judges = direction is not Direction.OUTBOUND
    return [
        *([f.network_marker(f.METADATA_EXCHANGE)] if direction is Direction.INBOUND else []),
        *(rbac.custom_network_filters(policies, mesh) if judges else []),
        *extensions.network(plugins, Phase.AUTHN),
        *extensions.network(plugins, Phase.AUTHZ),
        *(rbac.network_filters(policies, mesh) if judges else []),
        *extensions.network(plugins, Phase.STATS),
        *extensions.network(plugins, Phase.UNSPECIFIED),
    ]
