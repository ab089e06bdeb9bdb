"""The mesh's ProxyConfig with the pod's own over it, and which tracer and loggers are in force."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from mizzen.api.decode import decode, decode_mesh
from mizzen.model.conduct import Conduct
from mizzen.model.config import Config
from mizzen.model.provider import LoggerKind
from mizzen.resolve import build
from mizzen.resolve.conduct import conduct, key, overlaid
from tests.meshes import service, sidecar

SINK = service("sink", "watch", 9, [{"name": "http", "port": 9411}])
HOST = "sink.watch.svc.cluster.local"
ZIPKIN = {"name": "z", "zipkin": {"service": HOST, "port": 9411}}


def of(mesh: dict[str, Any], environment: dict[str, str] | None = None, **proxy: Any) -> Conduct:
    config, problems = decode_mesh(mesh)
    assert not problems
    snapshot = build(Config(mesh=config, environment=environment or {}).with_objects([SINK]))
    return conduct(snapshot, replace(sidecar(), **proxy))


@pytest.mark.row("PC-02")
def test_the_pods_own_goes_over_the_meshs_field_by_field() -> None:
    mesh, _ = decode_mesh(
        {
            "defaultConfig": {
                "proxyHeaders": {"server": {"value": "a"}, "attemptCount": {"disabled": True}},
                "gatewayTopology": {"numTrustedProxies": 2, "forwardClientCertDetails": "SANITIZE"},
            }
        }
    )
    found = overlaid(
        mesh.default_config, {"proxyHeaders": {"server": {"value": "b"}}, "gatewayTopology": {"numTrustedProxies": 1}}
    )
    assert found.proxy_headers == {"server": {"value": "b"}, "attemptCount": {"disabled": True}}
    assert found.gateway_topology == {"numTrustedProxies": 1}
    assert overlaid(mesh.default_config, {}) is mesh.default_config


@pytest.mark.row("PC-02")
def test_pods_of_equal_resources_share_them_whatever_else_they_say() -> None:
    snapshot, proxy = build(Config()), sidecar()
    assert key(snapshot, replace(proxy, config={"concurrency": 2})) == key(snapshot, proxy)
    assert key(snapshot, replace(proxy, config={"tracing": {"sampling": 5}})) != key(snapshot, proxy)


@pytest.mark.row("MC-05", "TR-06")
def test_the_default_provider_then_the_bootstraps_collector_if_tracing_is_enabled() -> None:
    provider = {"extensionProviders": [ZIPKIN], "defaultProviders": {"tracing": ["Z"]}}
    found = of(provider, bootstrap_tracer="datadog_agent").client.tracing
    assert found is not None
    assert (found.tracer.hostname, found.tracer.port) == (HOST, 9411)
    old = of({}, bootstrap_tracer="datadog_agent").client.tracing
    assert old is not None
    assert (old.tracer.kind, old.tracer.cluster) == ("datadog", "datadog_agent")
    assert of({"enableTracing": False}, bootstrap_tracer="zipkin").client.tracing is None
    assert of({"extensionProviders": [ZIPKIN]}).client.tracing is None
    # A named provider that cannot be used is not replaced by another.
    assert of({"defaultProviders": {"tracing": ["gone"]}}, bootstrap_tracer="zipkin").client.tracing is None


@pytest.mark.row("MC-05", "PC-06", "TR-06")
@pytest.mark.parametrize(
    ("sampling", "environment", "expected"),
    [(None, {}, 1.0), (0, {}, 1.0), (25.5, {}, 25.5), (101, {}, 1.0), (None, {"PILOT_TRACE_SAMPLING": "40"}, 40.0)],
)
def test_sampling(sampling: float | None, environment: dict[str, str], expected: float) -> None:
    mesh = {"extensionProviders": [ZIPKIN], "defaultProviders": {"tracing": ["z"]}}
    own = {"tracing": {"sampling": sampling}} if sampling is not None else {}
    found = of(mesh, environment, config=own).client.tracing
    assert found is not None
    assert found.sampling == expected


@pytest.mark.row("PC-06", "TR-09")
def test_tags_and_lengths_are_the_pods_own() -> None:
    mesh = {"extensionProviders": [ZIPKIN], "defaultProviders": {"tracing": ["z"]}}
    own = {"maxPathTagLength": 77, "customTags": {"a": {"literal": {"value": "b"}}}, "enableIstioTags": False}
    found = of(mesh, config={"tracing": own}).client.tracing
    assert found is not None
    assert (found.path_length, [name for name, _ in found.tags], found.istio_tags) == (77, ["a"], False)


@pytest.mark.row("TR-09")
def test_a_tag_that_envoy_would_refuse_is_left_out() -> None:
    tags = {"good": {"literal": {"value": "b"}}, "bad": {"formatter": {"value": "%OOPS%"}}, "none": {}}
    mesh = {
        "extensionProviders": [ZIPKIN],
        "defaultProviders": {"tracing": ["z"]},
        "defaultConfig": {"tracing": {"customTags": tags}},
    }
    for found in (of(mesh).client.tracing, of(mesh, config={"tracing": {"customTags": tags}}).client.tracing):
        assert found is not None
        assert [name for name, _ in found.tags] == ["good"]


@pytest.mark.row("MC-12")
def test_loggers_by_name_and_none_of_them_usable_leaves_the_mesh_setting() -> None:
    files = [{"name": name, "envoyFileAccessLog": {"path": f"/{name}"}} for name in ("b", "a")]
    found = of({"extensionProviders": files, "defaultProviders": {"accessLogging": ["b", "envoy", "a"]}})
    assert [logger.name for logger in found.client.loggers or ()] == ["a", "b", "envoy"]
    assert of({"defaultProviders": {"accessLogging": ["gone"]}}).client.loggers is None


@pytest.mark.row("MC-04")
def test_the_log_service_of_the_bootstrap() -> None:
    mesh = {"enableEnvoyAccessLogService": True, "accessLogFile": "/dev/stdout"}
    assert of(mesh).client.loggers is None
    found = of(mesh, bootstrap_logger=True).client.loggers
    assert found is not None
    assert [logger.kind for logger in found] == [LoggerKind.FILE, LoggerKind.HTTP_ALS, LoggerKind.TCP_ALS]


@pytest.mark.row("MC-06")
def test_what_is_wrong_is_told_about_the_config_map() -> None:
    text = "extensionProviders: [{name: z, zipkin: {service: gone, port: 1}}]\ndefaultProviders: {tracing: [z, y]}"
    raw = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": text},
    }
    obj = decode(raw).object
    assert obj is not None
    mesh, _ = decode_mesh(
        {
            "extensionProviders": [{"name": "z", "zipkin": {"service": "gone", "port": 1}}],
            "defaultProviders": {"tracing": ["z", "y"]},
        }
    )
    texts = [finding.message for finding in build(Config(mesh=mesh).with_objects([obj])).findings]
    assert any("no service 'gone'" in text for text in texts)
    assert any("'y' is defined" in text for text in texts)
    assert any("only the first" in text for text in texts)


@pytest.mark.row("PC-02")
def test_an_annotation_of_another_shape_does_no_harm() -> None:
    odd = {
        "proxyHeaders": {"server": date(2026, 1, 1)},
        "gatewayTopology": 5,
        "tracing": [1],
        "connectionSettings": "x",
    }
    assert of({}, config=odd).client.tracing is None


@pytest.mark.row("IL-09")
def test_flags_about_connections_are_part_of_the_key() -> None:
    snapshot, proxy = build(Config()), sidecar()
    for flag, value in (
        ("IDLE_TIMEOUT", "5s"),
        ("INBOUND_LISTENER_EXACT_BALANCE", "true"),
        ("OUTBOUND_LISTENER_EXACT_BALANCE", "true"),
    ):
        assert key(snapshot, replace(proxy, flags={flag: value})) != key(snapshot, proxy)
        assert key(snapshot, replace(proxy, flags={flag: "nonsense"})) == key(snapshot, proxy)
    found = of({}, flags={"IDLE_TIMEOUT": "5s", "OUTBOUND_LISTENER_EXACT_BALANCE": "true"}).connections
    assert found.idle is not None
    assert (found.idle.seconds, found.balance_inbound, found.balance_outbound) == (5, False, True)
