from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as pb
from envoy.extensions.request_id.uuid.v3 import uuid_pb2

from mizzen.api.mesh_config import MeshConfig, PathNormalization, ProxyConfig
from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import AuthorizationPolicy, JWTRule, Provider, RequestAuthentication, Rule
from mizzen.model.authorizer import Authorizer
from mizzen.model.conduct import Conduct
from mizzen.model.provider import Tracer, TracerKind, Tracing
from mizzen.model.report import Report
from mizzen.model.view import Policies
from mizzen.resolve.extensions import extensions
from mizzen.translate.hcm import Direction, http_connection_manager
from tests.meshes import new

H = pb.HttpConnectionManager
DENY = Object(
    kind="AuthorizationPolicy", meta=ObjectMeta(name="d"), body=AuthorizationPolicy(rules=(Rule(),), action="DENY")
)


def manager(direction: Direction, mesh: MeshConfig | None = None, **more: Any) -> pb.HttpConnectionManager:
    config = pb.HttpConnectionManager()
    built = http_connection_manager(direction=direction, stat_prefix="s;", mesh=mesh or MeshConfig(), rds="80", **more)
    assert built.typed_config.Unpack(config)
    return config


@pytest.mark.row("IL-10")
@pytest.mark.parametrize(("direction", "guarded"), [(Direction.OUTBOUND, False), (Direction.GATEWAY, True)])
def test_filters_of_the_callers_side(direction: Direction, guarded: bool) -> None:
    names = [f.name for f in manager(direction, policies=Policies(deny=(DENY,))).http_filters]
    rbac = ["envoy.filters.http.rbac"] if guarded else []
    rest = [
        "istio.alpn",
        "envoy.filters.http.fault",
        "envoy.filters.http.cors",
        "istio.stats",
        "envoy.filters.http.router",
    ]
    assert names == ["istio.metadata_exchange", *rbac, "envoy.filters.http.grpc_stats", *rest]


@pytest.mark.row("ME-04")
def test_messages_are_counted_before_the_grpc_filter_where_such_calls_are_declared() -> None:
    names = [f.name for f in manager(Direction.OUTBOUND, grpc=True).http_filters]
    place = names.index("mizzen.grpc_messages")
    assert names[place + 1] == "envoy.filters.http.grpc_stats"
    silent = Conduct(client=Report(metrics=None))
    assert "mizzen.grpc_messages" not in [
        f.name for f in manager(Direction.OUTBOUND, grpc=True, conduct=silent).http_filters
    ]


@pytest.mark.row("TM-11", "TM-13")
def test_each_side_traces_as_its_own_report_says() -> None:
    tracer = Tracer(name="t", kind=TracerKind.ZIPKIN, cluster="zipkin")
    client, server = Tracing(tracer, 10, by_request_id=False), Tracing(tracer, 20)
    conduct = Conduct(client=Report(tracing=client), server=Report(tracing=server))
    for direction, share in ((Direction.OUTBOUND, 10), (Direction.GATEWAY, 10), (Direction.INBOUND, 20)):
        found = manager(direction, conduct=conduct)
        assert found.tracing.random_sampling.value == share
        assert found.HasField("request_id_extension") is (share == 10)
    extension = uuid_pb2.UuidRequestIdConfig()
    assert manager(Direction.OUTBOUND, conduct=conduct).request_id_extension.typed_config.Unpack(extension)
    assert not extension.use_request_id_for_trace_sampling.value
    assert extension.HasField("use_request_id_for_trace_sampling")


def policy(action: str, name: str, provider: str = "") -> Object:
    body = AuthorizationPolicy(rules=(Rule(),), action=action, provider=Provider(name=provider) if provider else None)
    return Object(kind="AuthorizationPolicy", meta=ObjectMeta(name=name), body=body)


TOKENS = Object(
    kind="RequestAuthentication",
    meta=ObjectMeta(name="t"),
    body=RequestAuthentication(jwt_rules=(JWTRule(issuer="i", jwks="{}"),)),
)
ALL = Policies(
    custom=(policy("CUSTOM", "c", "p"),),
    authorizers={"p": Authorizer("p", "authz", 9000)},
    request_authentications=(TOKENS,),
    audit=(policy("AUDIT", "a"),),
    deny=(DENY,),
    allow=(policy("ALLOW", "w"),),
)


@pytest.mark.row("AP-01", "IL-10", "RA-17")
def test_the_authorizer_then_tokens_then_rules_and_none_for_clients() -> None:
    guards = ["rbac", "ext_authz", "jwt_authn", "rbac", "rbac", "rbac"]
    for direction in (Direction.INBOUND, Direction.GATEWAY):
        names = [f.name.removeprefix("envoy.filters.http.") for f in manager(direction, policies=ALL).http_filters]
        assert names[0] == "istio.metadata_exchange"
        assert names[1:7] == guards
        assert names[7] == "grpc_stats"
    names = [f.name.removeprefix("envoy.filters.http.") for f in manager(Direction.OUTBOUND, policies=ALL).http_filters]
    assert not set(guards) & set(names)


@pytest.mark.row("WP-06")
def test_plugins_that_authenticate_stand_behind_the_authorizer() -> None:
    spec = {"url": "file:///x", "phase": "AUTHN"}
    obj = new("extensions.istio.io/v1alpha1", "WasmPlugin", "a", "p", spec)
    plugins = extensions({("a", "p"): obj}, {}, "root")
    names = [f.name for f in manager(Direction.INBOUND, policies=ALL, plugins=plugins).http_filters]
    asked, own, tokens = (
        names.index(name) for name in ("envoy.filters.http.ext_authz", plugins[0].name, "envoy.filters.http.jwt_authn")
    )
    assert (own, tokens) == (asked + 1, asked + 2)


def test_routes_by_name_over_ads_without_a_limit_on_waiting() -> None:
    rds = manager(Direction.OUTBOUND).rds
    assert rds.route_config_name == "80"
    assert rds.config_source.HasField("ads")
    assert rds.config_source.HasField("initial_fetch_timeout")
    assert rds.config_source.initial_fetch_timeout.ToNanoseconds() == 0


@pytest.mark.row("IL-08")
def test_the_server_header() -> None:
    assert manager(Direction.INBOUND).server_name == "istio-envoy"
    assert manager(Direction.GATEWAY).server_name == "istio-envoy"
    assert manager(Direction.OUTBOUND).server_name == ""
    off = Conduct(ProxyConfig(proxy_headers={"server": {"disabled": True}}))
    assert all(manager(d, conduct=off).server_header_transformation == H.PASS_THROUGH for d in Direction)
    named = Conduct(ProxyConfig(proxy_headers={"server": {"value": "mine"}}))
    assert {manager(d, conduct=named).server_name for d in Direction} == {"mine"}


@pytest.mark.row("IL-06")
def test_the_client_certificate_header() -> None:
    config = manager(Direction.INBOUND)
    assert config.forward_client_cert_details == H.APPEND_FORWARD
    details = config.set_current_client_cert_details
    assert (details.subject.value, details.uri, details.dns, details.cert, details.chain) == (
        True,
        True,
        True,
        False,
        False,
    )
    assert manager(Direction.GATEWAY).forward_client_cert_details == H.SANITIZE_SET
    assert not manager(Direction.OUTBOUND).HasField("set_current_client_cert_details")
    changed = {"forwardedClientCert": "SANITIZE", "setCurrentClientCertDetails": {"cert": True, "uri": False}}
    config = manager(Direction.INBOUND, conduct=Conduct(ProxyConfig(proxy_headers=changed)))
    assert config.forward_client_cert_details == H.SANITIZE
    assert (config.set_current_client_cert_details.cert, config.set_current_client_cert_details.uri) == (True, False)


@pytest.mark.row("AP-24", "IL-12", "MC-21")
@pytest.mark.parametrize(
    ("mode", "normal", "merge", "escaped"),
    [
        ("NONE", False, False, H.KEEP_UNCHANGED),
        ("DEFAULT", True, False, H.KEEP_UNCHANGED),
        ("MERGE_SLASHES", True, True, H.KEEP_UNCHANGED),
        ("DECODE_AND_MERGE_SLASHES", True, True, H.UNESCAPE_AND_FORWARD),
    ],
)
def test_paths_are_made_normal_before_policies_see_them(mode: str, normal: bool, merge: bool, escaped: int) -> None:
    config = manager(Direction.INBOUND, MeshConfig(path_normalization=PathNormalization(normalization=mode)))
    assert (config.normalize_path.value, config.merge_slashes) == (normal, merge)
    assert config.path_with_escaped_slashes_action == escaped


@pytest.mark.row("PR-13")
def test_websockets_upgrade_everywhere() -> None:
    assert all([u.upgrade_type for u in manager(d).upgrade_configs] == ["websocket"] for d in Direction)


@pytest.mark.row("PC-13")
def test_switches_of_headers() -> None:
    off = {
        "requestId": {"disabled": True},
        "envoyDebugHeaders": {"disabled": True},
        "xForwardedPort": {"enabled": True},
    }
    config = manager(Direction.OUTBOUND, conduct=Conduct(ProxyConfig(proxy_headers=off)))
    assert config.HasField("generate_request_id")
    assert not config.generate_request_id.value
    assert config.append_x_forwarded_port
    router = router_pb2.Router()
    assert config.http_filters[-1].typed_config.Unpack(router)
    assert router.suppress_envoy_headers
    plain = manager(Direction.OUTBOUND)
    assert not plain.HasField("generate_request_id")
    assert plain.http_filters[-1].typed_config.Unpack(router)
    assert not router.suppress_envoy_headers


@pytest.mark.row("PC-10")
def test_who_stands_before_a_gateway() -> None:
    topology = {"numTrustedProxies": 2, "forwardClientCertDetails": "ALWAYS_FORWARD_ONLY"}
    config = manager(Direction.GATEWAY, conduct=Conduct(ProxyConfig(gateway_topology=topology)))
    assert config.xff_num_trusted_hops == 2
    assert config.forward_client_cert_details == H.ALWAYS_FORWARD_ONLY
    sidecar = manager(Direction.INBOUND, conduct=Conduct(ProxyConfig(gateway_topology=topology)))
    assert (sidecar.xff_num_trusted_hops, sidecar.forward_client_cert_details) == (0, H.APPEND_FORWARD)


@pytest.mark.row("PC-13")
def test_header_switches_of_another_shape_switch_nothing() -> None:
    odd = dict.fromkeys(
        ("server", "requestId", "envoyDebugHeaders", "setCurrentClientCertDetails", "xForwardedPort"), "x"
    )
    assert manager(Direction.INBOUND, conduct=Conduct(ProxyConfig(proxy_headers=odd))) == manager(Direction.INBOUND)


@pytest.mark.row("IL-12")
@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.OUTBOUND])
def test_a_sidecar_changes_no_more_of_a_request_than_it_must(direction: Direction) -> None:
    config = manager(direction)
    assert not config.use_remote_address.value
    assert config.proxy_100_continue
    assert config.HasField("stream_idle_timeout")
    assert config.stream_idle_timeout.ToNanoseconds() == 0
    headers = config.common_http_protocol_options.headers_with_underscores_action
    assert headers == type(config.common_http_protocol_options).ALLOW
    assert not config.HasField("generate_request_id"), "Envoy's default keeps the id of a caller inside"


@pytest.mark.row("PR-08")
def test_grpc_web_is_translated_before_the_statistics_of_grpc() -> None:
    names = [f.name for f in manager(Direction.OUTBOUND, grpc_web=True).http_filters]
    assert names.index("envoy.filters.http.grpc_web") + 1 == names.index("envoy.filters.http.grpc_stats")
    assert "envoy.filters.http.grpc_web" not in [f.name for f in manager(Direction.OUTBOUND).http_filters]
