"""Connections that a proxy takes: shared out among workers, one a turn, closed when idle (row IL-09)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

from mizzen.model.resources import CLUSTER, LISTENER, ResourceSet
from mizzen.resolve import view
from mizzen.translate import resources
from mizzen.translate.accepting import accept
from tests.golden import runner
from tests.scenes import Scene, unpacked

OBJECTS = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.77, ports: [{name: tcp, port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: queue, namespace: shop}
spec: {clusterIP: 10.96.0.78, ports: [{name: tcp, port: 5672}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: queue, namespace: shop}
spec: {host: queue, trafficPolicy: {connectionPool: {tcp: {idleTimeout: 0s}}}}
"""
SCENE = Scene(OBJECTS)
WEB, EDGE = "shop/web-0", "istio-system/edge-0"


def made(where: str = WEB, scene: Scene = SCENE, **flags: str) -> ResourceSet:
    return resources(view(scene.snapshot, msgspec.structs.replace(scene.proxy(where), flags=flags)))


def listeners(where: str = WEB, **flags: str) -> dict[str, listener_pb2.Listener]:
    found = made(where, **flags).get(LISTENER)
    return {name: runner.message_of(found[name]) for name in found}


def exact(found: dict[str, listener_pb2.Listener]) -> set[str]:
    return {name for name, each in found.items() if each.connection_balance_config.HasField("exact_balance")}


def test_a_listener_without_a_socket_takes_from_another_one() -> None:
    plain = accept(listener_pb2.Listener(), exact=False, socket=False)
    assert plain == listener_pb2.Listener()
    assert accept(listener_pb2.Listener(), exact=False).max_connections_to_accept_per_socket_event.value == 1


@pytest.mark.row("IL-09")
def test_balance_is_off_unless_asked_for_and_each_side_has_its_own_switch() -> None:
    assert exact(listeners()) == set()
    assert exact(listeners(INBOUND_LISTENER_EXACT_BALANCE="false")) == set()
    assert exact(listeners(INBOUND_LISTENER_EXACT_BALANCE="true")) == {"virtualInbound"}
    outbound = listeners(OUTBOUND_LISTENER_EXACT_BALANCE="true")
    assert exact(outbound) == outbound.keys() - {"virtualInbound", "virtualOutbound"}
    assert len(exact(outbound)) > 2
    assert exact(listeners(EDGE, OUTBOUND_LISTENER_EXACT_BALANCE="true")) == {"0.0.0.0_8080"}


@pytest.mark.row("IL-09")
def test_without_capture_every_listener_has_a_socket_and_may_be_balanced() -> None:
    both = {"INBOUND_LISTENER_EXACT_BALANCE": "true", "OUTBOUND_LISTENER_EXACT_BALANCE": "true"}
    found = listeners(INTERCEPTION_MODE="NONE", **both)
    assert exact(found) == found.keys()
    assert all(each.max_connections_to_accept_per_socket_event.value == 1 for each in found.values())


@pytest.mark.row("IL-09")
def test_a_worker_takes_one_connection_a_turn_from_each_socket() -> None:
    for where in (WEB, EDGE):
        for name, each in listeners(where).items():
            bound = not each.HasField("bind_to_port") or each.bind_to_port.value
            assert each.max_connections_to_accept_per_socket_event.value == (1 if bound else 0), name


def idle_times(found: dict[str, listener_pb2.Listener]) -> dict[str, set[int | None]]:
    """Seconds by listener, None where there is no limit of ours; chains that lead nowhere are left out."""
    times: dict[str, set[int | None]] = {}
    for name, each in found.items():
        for chain in [*each.filter_chains, each.default_filter_chain]:
            if chain.filters and "blackhole" not in chain.name:
                times.setdefault(name, set()).add(_idle(chain.filters[-1].typed_config))
    return times


def _idle(packed: Any) -> int | None:
    if packed.Is(tcp_proxy_pb2.TcpProxy.DESCRIPTOR):
        proxy = unpacked(packed, tcp_proxy_pb2.TcpProxy)
        return int(proxy.idle_timeout.seconds) if proxy.HasField("idle_timeout") else None
    common = unpacked(packed, hcm.HttpConnectionManager).common_http_protocol_options
    return int(common.idle_timeout.seconds) if common.HasField("idle_timeout") else None


QUEUE = "10.96.0.78_5672"


@pytest.mark.row("IL-09")
@pytest.mark.parametrize("where", [WEB, EDGE])
def test_idle_connections_of_http_and_tcp_end_in_time(where: str) -> None:
    found = idle_times(listeners(where, IDLE_TIMEOUT="90s"))
    rule = found.pop(QUEUE, {0})
    assert rule == {0}, "a rule's own time goes first, also when it is none at all"
    assert set().union(*found.values()) == {90}, found


@pytest.mark.row("IL-09")
@pytest.mark.parametrize("flags", [{}, {"IDLE_TIMEOUT": "soon"}, {"IDLE_TIMEOUT": ""}])
def test_without_an_idle_time_envoys_own_counts(flags: dict[str, str]) -> None:
    found = idle_times(listeners(**flags))
    assert found.pop(QUEUE) == {0}
    assert set().union(*found.values()) == {None}


@pytest.mark.row("IL-09")
def test_proxies_with_the_same_flags_share_their_resources() -> None:
    first, second = (made(WEB, IDLE_TIMEOUT="90s").get(LISTENER)["virtualInbound"] for _ in range(2))
    assert first == second
    assert first != made(WEB, IDLE_TIMEOUT="91s").get(LISTENER)["virtualInbound"]


@pytest.mark.row("IL-09")
def test_the_meshs_keepalive_is_on_the_clusters_of_both_sides() -> None:
    scene = Scene(OBJECTS, tcpKeepalive={"time": "60s", "interval": "5s", "probes": 4})
    found = made(WEB, scene).get(CLUSTER)
    for name in ("outbound|5432||db.shop.svc.cluster.local", "outbound|5672||queue.shop.svc.cluster.local"):
        keepalive = runner.message_of(found[name]).upstream_connection_options.tcp_keepalive
        sent = (keepalive.keepalive_time, keepalive.keepalive_interval, keepalive.keepalive_probes)
        assert [value.value for value in sent] == [60, 5, 4]
    inbound = [name for name in found if name.startswith("inbound|")]
    assert inbound
    for name in inbound:
        assert runner.message_of(found[name]).upstream_connection_options.tcp_keepalive.keepalive_time.value == 60
    plain = runner.message_of(made().get(CLUSTER)["outbound|5432||db.shop.svc.cluster.local"])
    assert not plain.HasField("upstream_connection_options")
