"""The tracing block: what is asked of Envoy, per kind of collector."""

from typing import Any

import pytest
from envoy.config.trace.v3 import datadog_pb2, opentelemetry_pb2, skywalking_pb2, zipkin_pb2
from envoy.extensions.tracers.opentelemetry.samplers.v3 import dynatrace_sampler_pb2

from mizzen.api.mesh_config import CustomTag, EnvironmentTag, FormatterTag, HeaderTag, LiteralTag
from mizzen.model.provider import Call, Header, Sampler, Tracer, TracerKind, Tracing
from mizzen.translate import tracing
from mizzen.translate.filters import Direction

HOST = "sink.watch.svc.cluster.local"
CLUSTER = f"outbound|9411||{HOST}"


def tracer(kind: TracerKind, **more: Any) -> Tracer:
    return Tracer(name="t", kind=kind, hostname=HOST, port=9411, **more)


def provider(found: Tracer, message: Any) -> Any:
    built = tracing.block(Tracing(found, 1.0), Direction.INBOUND).provider
    assert built.name == f"envoy.tracers.{found.kind}"
    assert built.typed_config.Unpack(message)
    return message


@pytest.mark.row("MC-08", "TR-02")
def test_zipkin() -> None:
    found = provider(
        tracer(TracerKind.ZIPKIN, http=Call("/spans", None, (Header("a", "50%"),))), zipkin_pb2.ZipkinConfig()
    )
    uri = found.collector_service.http_uri
    assert (uri.uri, uri.cluster, uri.timeout.seconds) == (f"http://{HOST}/spans", CLUSTER, 5)
    assert found.collector_service.request_headers_to_add[0].header.value == "50%%"
    assert found.trace_id_128bit
    assert found.HasField("shared_span_context")
    assert not found.shared_span_context.value
    assert found.trace_context_option == zipkin_pb2.ZipkinConfig.USE_B3
    short = provider(tracer(TracerKind.ZIPKIN, long_ids=False, w3c=True, http=Call("/")), zipkin_pb2.ZipkinConfig())
    assert not short.trace_id_128bit
    assert short.trace_context_option == zipkin_pb2.ZipkinConfig.USE_B3_WITH_W3C_PROPAGATION


@pytest.mark.row("PC-06")
def test_a_collector_of_the_bootstrap() -> None:
    found = provider(Tracer(name="zipkin", kind=TracerKind.ZIPKIN, cluster="zipkin"), zipkin_pb2.ZipkinConfig())
    assert (found.collector_cluster, found.collector_endpoint) == ("zipkin", "/api/v2/spans")


@pytest.mark.row("MC-09", "MC-11", "TR-04")
def test_datadog_and_skywalking() -> None:
    dog = provider(tracer(TracerKind.DATADOG), datadog_pb2.DatadogConfig())
    assert (dog.collector_cluster, dog.collector_hostname, dog.service_name) == (CLUSTER, HOST, "istio-proxy")
    sky = provider(tracer(TracerKind.SKYWALKING), skywalking_pb2.SkyWalkingConfig())
    assert sky.grpc_service.envoy_grpc.cluster_name == CLUSTER
    assert not sky.grpc_service.HasField("timeout")
    assert tracing.block(Tracing(tracer(TracerKind.SKYWALKING), 1), Direction.INBOUND).spawn_upstream_span.value


@pytest.mark.row("MC-10", "TR-03")
def test_opentelemetry_over_grpc_unless_http_is_asked_for() -> None:
    found = provider(tracer(TracerKind.OPENTELEMETRY), opentelemetry_pb2.OpenTelemetryConfig())
    assert (found.grpc_service.envoy_grpc.cluster_name, found.grpc_service.envoy_grpc.authority) == (CLUSTER, HOST)
    assert found.grpc_service.timeout.ToSeconds() == 5
    # The proxy's name comes from its environment.
    assert [d.name for d in found.resource_detectors] == ["envoy.tracers.opentelemetry.resource_detectors.environment"]
    sampler = Sampler("tenant", 7, HOST, 9411, 100, Call("/ask"))
    web = tracer(TracerKind.OPENTELEMETRY, http=Call("/v1/traces"), detectors=("dynatrace",), sampler=sampler)
    found = provider(web, opentelemetry_pb2.OpenTelemetryConfig())
    assert not found.HasField("grpc_service")
    assert found.http_service.http_uri.uri == f"{HOST}/v1/traces"
    assert len(found.resource_detectors) == 2
    asked = dynatrace_sampler_pb2.DynatraceSamplerConfig()
    assert found.sampler.typed_config.Unpack(asked)
    assert (asked.tenant, asked.cluster_id, asked.http_service.http_uri.uri) == ("tenant", 7, f"http://{HOST}/ask")


@pytest.mark.row("MC-05", "PC-06", "TR-06", "TR-07", "TR-09")
def test_sampling_length_and_tags() -> None:
    tags = (
        ("a", CustomTag(literal=LiteralTag(value="1"))),
        ("istio.namespace", CustomTag(environment=EnvironmentTag(name="NS", default_value="x"))),
        ("z", CustomTag(header=HeaderTag(name="x-user", default_value="nobody"))),
    )
    found = tracing.block(Tracing(tracer(TracerKind.DATADOG), 12.5, tags, 64), Direction.OUTBOUND)
    shares = (found.client_sampling.value, found.random_sampling.value, found.overall_sampling.value)
    assert shares == (100, 12.5, 100)
    assert found.max_path_tag_length.value == 64
    assert not found.HasField("spawn_upstream_span")
    names = [tag.tag for tag in found.custom_tags]
    assert names == sorted(names)
    by_name = {tag.tag: tag for tag in found.custom_tags}
    assert by_name["a"].literal.value == "1"
    assert by_name["istio.namespace"].environment.name == "NS"
    header = by_name["z"].request_header
    assert (header.name, header.default_value) == ("x-user", "nobody")
    assert by_name["istio.canonical_service"].environment.default_value == "unknown"
    bare = tracing.block(Tracing(tracer(TracerKind.DATADOG), 1, istio_tags=False), Direction.GATEWAY)
    assert not bare.custom_tags
    assert not bare.HasField("max_path_tag_length")
    assert bare.spawn_upstream_span.value


@pytest.mark.row("TM-10", "TM-11")
def test_a_formatted_tag_and_no_propagation() -> None:
    tags = (("a", CustomTag(formatter=FormatterTag(value="%REQ(key)%"))),)
    found = tracing.block(Tracing(tracer(TracerKind.ZIPKIN), 1, tags, istio_tags=False), Direction.INBOUND)
    assert found.custom_tags[0].value == "%REQ(key)%"
    silent = tracing.block(
        Tracing(tracer(TracerKind.ZIPKIN), 1, tags, istio_tags=False, propagation=False), Direction.INBOUND
    )
    assert silent.SerializeToString() == found.SerializeToString() + b"\x68\x01"
