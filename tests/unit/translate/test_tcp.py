from __future__ import annotations

import pytest
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Duration, Object, ObjectMeta
from mizzen.api.security import AuthorizationPolicy, Provider, Rule
from mizzen.model.authorizer import Authorizer, HttpCheck
from mizzen.model.view import Policies
from mizzen.translate import filters as f
from mizzen.translate import tcp
from mizzen.translate.filters import Direction

DENY = Object(
    kind="AuthorizationPolicy", meta=ObjectMeta(name="d"), body=AuthorizationPolicy(rules=(Rule(),), action="DENY")
)


def proxy(filters: list[f.NetworkFilter]) -> tcp_proxy_pb2.TcpProxy:
    config = tcp_proxy_pb2.TcpProxy()
    assert filters[-1].typed_config.Unpack(config)
    return config


@pytest.mark.row("IL-11")
def test_order_by_direction() -> None:
    def names(direction: Direction) -> list[str]:
        built = tcp.filters(
            direction=direction,
            stat_prefix="s",
            mesh=MeshConfig(),
            clusters=[("c", 1)],
            policies=Policies(deny=(DENY,)),
        )
        return [filter_.name.removeprefix("envoy.filters.network.") for filter_ in built]

    assert names(Direction.INBOUND) == ["istio.metadata_exchange", "rbac", "istio.stats", "tcp_proxy"]
    assert names(Direction.OUTBOUND) == ["istio.stats", "tcp_proxy"]
    assert names(Direction.GATEWAY) == ["rbac", "istio.stats", "tcp_proxy"]


@pytest.mark.row("AP-01", "AP-06", "IL-11")
@pytest.mark.parametrize(("check", "asked"), [(None, ["rbac", "ext_authz"]), (HttpCheck(), [])])
def test_bytes_are_judged_by_a_grpc_provider_before_the_rules(check: HttpCheck | None, asked: list[str]) -> None:
    body = AuthorizationPolicy(rules=(Rule(),), action="CUSTOM", provider=Provider(name="p"))
    custom = Object(kind="AuthorizationPolicy", meta=ObjectMeta(name="c"), body=body)
    policies = Policies(custom=(custom,), authorizers={"p": Authorizer("p", "authz", 9000, http=check)}, deny=(DENY,))
    built = tcp.filters(
        direction=Direction.INBOUND, stat_prefix="s", mesh=MeshConfig(), clusters=[("c", 1)], policies=policies
    )
    names = [filter_.name.removeprefix("envoy.filters.network.") for filter_ in built]
    assert names == ["istio.metadata_exchange", *asked, "rbac", "istio.stats", "tcp_proxy"]


def test_clusters_by_weight_and_idle_timeout() -> None:
    config = proxy(
        tcp.filters(
            direction=Direction.OUTBOUND,
            stat_prefix="s",
            mesh=MeshConfig(),
            clusters=[("a", 90), ("b", 10)],
            idle_timeout=Duration(1_500_000_000),
        )
    )
    assert [(c.name, c.weight) for c in config.weighted_clusters.clusters] == [("a", 90), ("b", 10)]
    assert config.idle_timeout.ToMilliseconds() == 1500


@pytest.mark.row("ME-05")
def test_the_entry_at_connect_is_for_metrics_only() -> None:
    mesh = MeshConfig(access_log_file="/dev/stdout")
    config = proxy(tcp.filters(direction=Direction.OUTBOUND, stat_prefix="s", mesh=mesh, clusters=[("c", 1)]))
    file, opened, closed = config.access_log
    assert config.access_log_options.flush_access_log_on_connected
    for log in (file, closed):
        assert log.filter.HasField("log_type_filter")
        assert len(log.filter.log_type_filter.types) == 1
    assert opened.filter.HasField("or_filter")
