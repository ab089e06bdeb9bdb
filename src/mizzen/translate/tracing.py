"""The tracing block of an HTTP connection manager (rows MC-08 to MC-11, TR-02 to TR-09).

The service's name in a span is a proxy's own, so it is in no resource: Zipkin takes the node's cluster, the others
environment variables that the agent sets (``agent/node.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from envoy.config.core.v3 import base_pb2, extension_pb2, grpc_service_pb2, http_service_pb2
from envoy.config.trace.v3 import datadog_pb2, http_tracer_pb2, opentelemetry_pb2, skywalking_pb2, zipkin_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.tracers.opentelemetry.resource_detectors.v3 import (
    dynatrace_resource_detector_pb2,
    environment_resource_detector_pb2,
)
from envoy.extensions.tracers.opentelemetry.samplers.v3 import dynatrace_sampler_pb2
from envoy.type.tracing.v3 import custom_tag_pb2
from google.protobuf.message import Message

from mizzen.api.mesh_config import CustomTag
from mizzen.api.meta import Duration
from mizzen.model.provider import Call, Tracer, TracerKind, Tracing
from mizzen.translate import names
from mizzen.translate.exchange import FIELDS
from mizzen.translate.filters import Direction
from mizzen.translate.messages import any_of
from mizzen.translate.scalars import duration

_Tag: TypeAlias = custom_tag_pb2.CustomTag
_TIMEOUT = Duration(5_000_000_000)
_OWN_TAGS = {
    "istio.canonical_revision": (FIELDS["canonical-revision"], "latest"),
    "istio.canonical_service": (FIELDS["canonical-name"], "unknown"),
    "istio.cluster_id": (FIELDS["cluster"], "unknown"),
    "istio.mesh_id": ("ISTIO_META_MESH_ID", "unknown"),
    "istio.namespace": (FIELDS["namespace"], "default"),
}
"""Tag to the variable of the proxy that holds its value, and what stands for none (row TR-07)."""
_DRY_RUN = {
    f"istio.authorization.dry_run.{action}_policy.{tag}": f"istio_dry_run_{action}_shadow_{key}"
    for action in ("allow", "deny")
    for tag, key in (("name", "effective_policy_id"), ("result", "engine_result"))
}
_NO_PROPAGATION = bytes([13 << 3, 1])
"""The field ``no_context_propagation`` (number 13, true), which Envoy 1.40 has and the classes at hand do not."""
SERVICE = "istio-proxy"
"""Stands where Datadog's configuration wants a name; the variable ``DD_SERVICE`` goes before it."""


def block(tracing: Tracing, direction: Direction) -> hcm_pb2.HttpConnectionManager.Tracing:
    """What the connection manager is told. Client and overall sampling are 100 %: a trace that came is gone on with."""
    found = hcm_pb2.HttpConnectionManager.Tracing()
    found.client_sampling.value = found.overall_sampling.value = 100
    found.random_sampling.value = tracing.sampling
    if tracing.path_length:
        found.max_path_tag_length.value = tracing.path_length
    found.custom_tags.extend(sorted(_tags(tracing), key=lambda tag: tag.tag))
    if direction is Direction.GATEWAY or tracing.tracer.kind is TracerKind.SKYWALKING:
        found.spawn_upstream_span.value = True
    found.provider.CopyFrom(_provider(tracing.tracer))
    if not tracing.propagation:
        found.MergeFromString(_NO_PROPAGATION)
    return found


def _tags(tracing: Tracing) -> Iterator[_Tag]:
    own = {name for name, _ in tracing.tags}
    for name, tag in tracing.tags:
        yield _custom(name, tag)
    if not tracing.istio_tags:
        return
    for name, (variable, default) in _OWN_TAGS.items():
        if name not in own:
            yield _Tag(tag=name, environment=_Tag.Environment(name=variable, default_value=default))
    for name, key in _DRY_RUN.items():
        found = _Tag(tag=name)
        found.metadata.kind.request.SetInParent()
        found.metadata.metadata_key.key = "envoy.filters.http.rbac"
        found.metadata.metadata_key.path.add(key=key)
        yield found


def _custom(name: str, tag: CustomTag) -> _Tag:
    if tag.literal is not None:
        return _Tag(tag=name, literal=_Tag.Literal(value=tag.literal.value))
    if tag.formatter is not None:
        return _Tag(tag=name, value=tag.formatter.value)
    if tag.environment is not None:
        variable = _Tag.Environment(name=tag.environment.name, default_value=tag.environment.default_value)
        return _Tag(tag=name, environment=variable)
    header = tag.header
    found = _Tag(tag=name)
    found.request_header.name = header.name if header else ""
    found.request_header.default_value = header.default_value if header else ""
    return found


def _provider(tracer: Tracer) -> http_tracer_pb2.Tracing.Http:
    config: Message
    match tracer.kind:
        case TracerKind.ZIPKIN:
            config = _zipkin(tracer)
        case TracerKind.DATADOG:
            config = datadog_pb2.DatadogConfig(
                collector_cluster=_cluster(tracer), service_name=SERVICE, collector_hostname=tracer.hostname
            )
        case TracerKind.OPENTELEMETRY:
            config = _opentelemetry(tracer)
        case TracerKind.SKYWALKING:
            config = skywalking_pb2.SkyWalkingConfig(grpc_service=_grpc(tracer))
    return http_tracer_pb2.Tracing.Http(name=f"envoy.tracers.{tracer.kind}", typed_config=any_of(config))


def _cluster(tracer: Tracer) -> str:
    return tracer.cluster or names.cluster(tracer.port, "", tracer.hostname)


def _zipkin(tracer: Tracer) -> zipkin_pb2.ZipkinConfig:
    config = zipkin_pb2.ZipkinConfig(
        trace_id_128bit=tracer.long_ids, collector_endpoint_version=zipkin_pb2.ZipkinConfig.HTTP_JSON
    )
    config.shared_span_context.value = False
    if tracer.w3c:
        config.trace_context_option = zipkin_pb2.ZipkinConfig.USE_B3_WITH_W3C_PROPAGATION
    if tracer.cluster or tracer.http is None:
        config.collector_cluster, config.collector_endpoint = _cluster(tracer), "/api/v2/spans"
        return config
    uri = f"http://{tracer.hostname}{tracer.http.path}"
    config.collector_service.CopyFrom(_http(_cluster(tracer), uri, tracer.http))
    return config


def _opentelemetry(tracer: Tracer) -> opentelemetry_pb2.OpenTelemetryConfig:
    config = opentelemetry_pb2.OpenTelemetryConfig()
    if tracer.http is None:
        config.grpc_service.CopyFrom(_grpc(tracer))
    else:
        config.http_service.CopyFrom(_http(_cluster(tracer), tracer.hostname + tracer.http.path, tracer.http))
    # Always asked: it carries the proxy's own service.name.
    environment = environment_resource_detector_pb2.EnvironmentResourceDetectorConfig()
    config.resource_detectors.append(_extension("resource_detectors.environment", environment))
    if "dynatrace" in tracer.detectors:
        dynatrace = dynatrace_resource_detector_pb2.DynatraceResourceDetectorConfig()
        config.resource_detectors.append(_extension("resource_detectors.dynatrace", dynatrace))
    if tracer.sampler is not None:
        sampler, call = tracer.sampler, tracer.sampler.call
        service = _http(
            names.cluster(sampler.port, "", sampler.hostname), f"http://{sampler.hostname}{call.path}", call
        )
        chosen = dynatrace_sampler_pb2.DynatraceSamplerConfig(
            tenant=sampler.tenant,
            cluster_id=sampler.cluster_id,
            http_service=service,
            root_spans_per_minute=sampler.root_spans_per_minute,
        )
        config.sampler.CopyFrom(_extension("samplers.dynatrace", chosen))
    return config


def _extension(name: str, config: Message) -> extension_pb2.TypedExtensionConfig:
    return extension_pb2.TypedExtensionConfig(name=f"envoy.tracers.opentelemetry.{name}", typed_config=any_of(config))


def _http(cluster: str, uri: str, call: Call) -> http_service_pb2.HttpService:
    service = http_service_pb2.HttpService()
    service.http_uri.uri, service.http_uri.cluster = uri, cluster
    service.http_uri.timeout.CopyFrom(duration(call.timeout or _TIMEOUT))
    for header in call.headers:
        option = service.request_headers_to_add.add()
        option.header.key, option.header.value = header.name, _literal(header.value)
        option.append_action = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    return service


def _grpc(tracer: Tracer) -> grpc_service_pb2.GrpcService:
    service = grpc_service_pb2.GrpcService()
    service.envoy_grpc.cluster_name, service.envoy_grpc.authority = _cluster(tracer), tracer.hostname
    if tracer.kind is TracerKind.OPENTELEMETRY:
        service.timeout.CopyFrom(duration(tracer.grpc.timeout or _TIMEOUT))
    for header in tracer.grpc.headers:
        service.initial_metadata.add(key=header.name, value=_literal(header.value))
    return service


def _literal(value: str) -> str:
    """Envoy reads ``%`` in such values as the start of a command."""
    return value.replace("%", "%%")
