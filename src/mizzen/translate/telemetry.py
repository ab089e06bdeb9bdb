"""The ``istio_*`` metrics, from Envoy's stats access logger (rows ME-01 to ME-11; labels of table 5.1.1).

Envoy prints them as ``envoy_istio_…``; the agent takes the prefix off (row ME-13). A label whose operator finds nothing
is empty, and Prometheus would drop it, so such labels carry a rule that turns empty into ``unknown``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.data.accesslog.v3 import accesslog_pb2 as data_pb2
from google.protobuf import any_pb2
from google.protobuf.message import Message
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2

from mizzen.model.report import DEFAULT_METRICS, Metrics
from mizzen.model.service import Service
from mizzen.proto import stats_logger_pb2 as pb
from mizzen.translate import exchange, grpc_messages, metric_tags
from mizzen.translate.filters import Direction

SCOPE = "istio"
"""The prefix of the stats' scope: ``istio.requests_total`` becomes ``envoy_istio_requests_total``."""

_NAME = "envoy.access_loggers.stats"
_LOGGER = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
_ACTION = "type.googleapis.com/envoy.extensions.matching.actions.transform_stat.v3.TransformStat"
_INPUT = "type.googleapis.com/envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput"

_Histogram = pb.Config.Histogram


@dataclass(frozen=True)
class Chain:
    """What is known of the requests before the first of them: the side, the service that an inbound port serves
    (None on a port that no service names) and whether the chain ends mTLS."""

    direction: Direction
    service: Service | None = None
    mtls: bool = False


@dataclass(frozen=True)
class _Label:
    """``rules`` maps a value (by longest prefix when ``by_prefix``) to what is printed in its place."""

    name: str
    value: str
    rules: tuple[tuple[str, str], ...] = ()
    by_prefix: bool = False


def http_metrics(
    chain: Chain, metrics: Metrics | None = DEFAULT_METRICS, *, grpc: bool = False
) -> list[accesslog_pb2.AccessLog]:
    """The loggers of an HTTP connection manager; entries other than the end of a request do not count (row ME-01).

    ``grpc``: there is the filter that counts messages (row ME-04)."""
    if metrics is None:
        return []
    stats = _Stats(chain, metrics, http=True)
    config = pb.Config(
        counters=stats.counters(("requests_total", "")),
        histograms=stats.histograms(
            ("request_duration_milliseconds", _Histogram.MILLISECONDS, "%DURATION%"),
            ("request_bytes", _Histogram.BYTES, "%DOWNSTREAM_WIRE_BYTES_RECEIVED%"),
            ("response_bytes", _Histogram.BYTES, "%DOWNSTREAM_WIRE_BYTES_SENT%"),
        ),
    )
    messages = ("request_messages_total", grpc_messages.REQUESTS), ("response_messages_total", grpc_messages.RESPONSES)
    calls = pb.Config(counters=stats.counters(*messages) if grpc else [])
    ended = accesslog_pb2.AccessLogFilter()
    ended.and_filter.filters.extend([_types(data_pb2.DownstreamEnd), grpc_messages.counted()])
    return _loggers((config, _types(data_pb2.DownstreamEnd)), (calls, ended))


def tcp_metrics(chain: Chain, metrics: Metrics | None = DEFAULT_METRICS) -> list[accesslog_pb2.AccessLog]:
    """The loggers of a TCP proxy (row ME-05). Bytes count at the end only: periodic entries hold running totals."""
    if metrics is None:
        return []
    stats = _Stats(chain, metrics, http=False)
    opened = pb.Config(counters=stats.counters(("tcp_connections_opened_total", "")))
    closed = pb.Config(
        counters=stats.counters(
            ("tcp_connections_closed_total", ""),
            ("tcp_sent_bytes_total", "%BYTES_SENT%"),
            ("tcp_received_bytes_total", "%BYTES_RECEIVED%"),
        )
    )
    failed = accesslog_pb2.AccessLogFilter()
    failed.response_flag_filter.flags.extend(["UF", "UH", "UO", "NC"])
    never = accesslog_pb2.AccessLogFilter()
    never.and_filter.filters.extend([_types(data_pb2.TcpConnectionEnd), failed])
    either = accesslog_pb2.AccessLogFilter()
    either.or_filter.filters.extend([_types(data_pb2.TcpUpstreamConnected), never])
    return _loggers((opened, either), (closed, _types(data_pb2.TcpConnectionEnd)))


_EARLY = frozenset({"request_messages_total", "response_messages_total"})
_LATE = frozenset(
    {"request_protocol", "response_code", "grpc_response_status", "response_flags", "connection_security_policy"}
)
"""Labels that Istio's count of messages, which goes on while a call runs, does not have (row ME-04)."""


class _Stats:
    """The metrics of one chain, as its Telemetry objects change them (row TM-04)."""

    def __init__(self, chain: Chain, metrics: Metrics, *, http: bool) -> None:
        self._labels = [*_labels(chain, http), _Label("connection_security_policy", _security(chain))]
        self._direction, self._metrics = chain.direction, metrics

    def counters(self, *wanted: tuple[str, str]) -> list[pb.Config.Counter]:
        """Of (name, format of the value), where an empty one counts by one; those that are switched off are left out."""
        on = ((name, value) for name, value in wanted if not self._metrics.of(name).disabled)
        return [_counter(name, self._tags(name), value) for name, value in on]

    def histograms(self, *wanted: tuple[str, pb.Config.Histogram.Unit, str]) -> list[pb.Config.Histogram]:
        """Of (name, unit, format of the value)."""
        on = (item for item in wanted if not self._metrics.of(item[0]).disabled)
        return [_histogram(name, self._tags(name), unit, value) for name, unit, value in on]

    def _tags(self, metric: str) -> list[pb.Config.Tag]:
        changes = {tag.name: tag.expression for tag in self._metrics.of(metric).tags}
        early = metric in _EARLY
        tags = [
            _tag(label) for label in self._labels if label.name not in changes and not (early and label.name in _LATE)
        ]
        for name, expression in changes.items():
            if expression:
                tags.append(_tag(_Label(name, metric_tags.value(expression, self._direction), _UNKNOWN)))
        return tags


def _labels(chain: Chain, http: bool) -> Iterable[_Label]:
    if chain.direction is Direction.INBOUND:
        yield from _destination_side(chain, http)
    else:
        yield from _source_side(chain, http)
    if http:
        yield _Label("request_protocol", "%REQ(CONTENT-TYPE)%", _PROTOCOLS, by_prefix=True)
        yield _Label("response_code", "%RESPONSE_CODE%")
        yield _Label("grpc_response_status", "%GRPC_STATUS_NUMBER%")
    else:
        yield _Label("request_protocol", "tcp")
    yield _Label("response_flags", "%RESPONSE_FLAGS%")


_UNKNOWN = (("", "unknown"),)
_LATEST = (("", "latest"),)
_PROTOCOLS = (("", "http"), ("application/grpc", "grpc"), ("application/grpc-web", "http"))


def _own(name: str) -> str:
    return f"%ENVIRONMENT({exchange.FIELDS[name]})%"


def _source_side(chain: Chain, http: bool) -> Iterable[_Label]:
    """What a client's sidecar or a gateway says: itself from its environment, the server from endpoint metadata."""
    yield _Label("reporter", "source")
    yield _Label("source_workload", _own("workload"))
    yield _Label("source_canonical_service", _own("canonical-name"))
    yield _Label("source_canonical_revision", _own("canonical-revision"))
    yield _Label("source_workload_namespace", _own("namespace"))
    yield _Label("source_principal", "%UPSTREAM_LOCAL_URI_SAN%", _UNKNOWN)
    yield _Label("source_app", _own("app"))
    yield _Label("source_version", _own("version"))
    yield _Label("source_cluster", _own("cluster"))
    yield _Label("destination_workload", _endpoint("workload_name"), _UNKNOWN)
    yield _Label("destination_workload_namespace", _endpoint("workload_namespace"), _UNKNOWN)
    yield _Label("destination_principal", "%UPSTREAM_PEER_URI_SAN%", _UNKNOWN)
    yield _Label("destination_app", _endpoint("app"), _UNKNOWN)
    yield _Label("destination_version", _endpoint("version"), _UNKNOWN)
    host = "request.host" if http and chain.direction is Direction.OUTBOUND else "''"
    yield _Label("destination_service", _service_cel("host", host), _UNKNOWN)
    yield _Label("destination_canonical_service", _endpoint("canonical_name"), _UNKNOWN)
    yield _Label("destination_canonical_revision", _endpoint("canonical_revision"), _LATEST)
    yield _Label("destination_service_name", _service_name_cel(host), _UNKNOWN)
    yield _Label("destination_service_namespace", _namespace_cel(), _UNKNOWN)
    yield _Label("destination_cluster", _endpoint("cluster"), _UNKNOWN)


def _destination_side(chain: Chain, http: bool) -> Iterable[_Label]:
    """What a server's sidecar says: the client as it introduced itself, which over TCP it cannot, and itself.

    A chain that ends mTLS has let nobody in without a SPIFFE id, so principals need no rule.
    """
    service = chain.service

    def peer(name: str, default: str) -> str:
        return f"%FILTER_STATE({exchange.STATE[name]}:PLAIN)%" if http else default

    yield _Label("reporter", "destination")
    yield _Label("source_workload", peer("workload", "unknown"))
    yield _Label("source_canonical_service", peer("canonical-name", "unknown"))
    yield _Label("source_canonical_revision", peer("canonical-revision", "latest"))
    yield _Label("source_workload_namespace", peer("namespace", "unknown"))
    yield _Label("source_principal", "%DOWNSTREAM_PEER_URI_SAN%" if chain.mtls else "unknown")
    yield _Label("source_app", peer("app", "unknown"))
    yield _Label("source_version", peer("version", "unknown"))
    yield _Label("source_cluster", peer("cluster", "unknown"))
    yield _Label("destination_workload", _own("workload"))
    yield _Label("destination_workload_namespace", _own("namespace"))
    yield _Label("destination_principal", "%DOWNSTREAM_LOCAL_URI_SAN%" if chain.mtls else "unknown")
    yield _Label("destination_app", _own("app"))
    yield _Label("destination_version", _own("version"))
    yield _Label("destination_service", service.hostname if service else _own("canonical-name"))
    yield _Label("destination_canonical_service", _own("canonical-name"))
    yield _Label("destination_canonical_revision", _own("canonical-revision"))
    yield _Label("destination_service_name", service.name if service else "InboundPassthroughCluster")
    yield _Label("destination_service_namespace", _own("namespace"))
    yield _Label("destination_cluster", _own("cluster"))


def _security(chain: Chain) -> str:
    if chain.direction is not Direction.INBOUND:
        return "unknown"
    return "mutual_tls" if chain.mtls else "none"


def _endpoint(key: str) -> str:
    return f"%UPSTREAM_METADATA(istio:{key})%"


_SERVICE = "xds.cluster_metadata.filter_metadata['istio']['services'][0]"
_HAS_SERVICE = "has(xds.cluster_metadata) && 'istio' in xds.cluster_metadata.filter_metadata && 'services' in xds.cluster_metadata.filter_metadata['istio']"


def _service_cel(key: str, otherwise: str) -> str:
    return f"%CEL({_HAS_SERVICE} ? {_SERVICE}['{key}'] : {otherwise})%"


def _service_name_cel(otherwise: str) -> str:
    """Row ME-10: what nobody serves goes by the name of where it went."""
    special = "xds.cluster_name == 'PassthroughCluster' || xds.cluster_name == 'BlackHoleCluster' ? xds.cluster_name : "
    by_route = (
        "xds.route_name == 'block_all' ? 'BlackHoleCluster' : xds.route_name == 'allow_any' ? 'PassthroughCluster' : "
    )
    return f"%CEL({by_route}{special}{_HAS_SERVICE} ? {_SERVICE}['name'] : {otherwise})%"


def _namespace_cel() -> str:
    endpoint = "xds.upstream_host_metadata.filter_metadata['istio']['workload_namespace']"
    return f"%CEL({_HAS_SERVICE} ? {_SERVICE}['namespace'] : {endpoint})%"


def _counter(name: str, tags: list[pb.Config.Tag], value: str = "") -> pb.Config.Counter:
    counter = pb.Config.Counter(stat=pb.Config.Stat(name=name, tags=tags), value_format=value)
    if not value:
        counter.value_fixed.value = 1
    return counter


def _histogram(name: str, tags: list[pb.Config.Tag], unit: pb.Config.Histogram.Unit, value: str) -> pb.Config.Histogram:
    return pb.Config.Histogram(stat=pb.Config.Stat(name=name, tags=tags), unit=unit, value_format=value)


def _loggers(*wanted: tuple[pb.Config, accesslog_pb2.AccessLogFilter]) -> list[accesslog_pb2.AccessLog]:
    """Without those that have nothing to count, which Envoy would refuse."""
    return [_logger(config, condition) for config, condition in wanted if config.counters or config.histograms]


def _logger(config: pb.Config, filter_: accesslog_pb2.AccessLogFilter) -> accesslog_pb2.AccessLog:
    config.stats_scope.prefix = SCOPE
    return accesslog_pb2.AccessLog(name=_NAME, filter=filter_, typed_config=_any(_LOGGER, config))


def _types(*types: int) -> accesslog_pb2.AccessLogFilter:
    result = accesslog_pb2.AccessLogFilter()
    result.log_type_filter.types.extend(types)
    return result


@cache
def _tag(label: _Label) -> pb.Config.Tag:
    rules = _matcher(dict(label.rules), label.by_prefix) if label.rules else b""
    return pb.Config.Tag(name=label.name, value_format=label.value, rules=rules)


def _matcher(rules: Mapping[str, str], by_prefix: bool) -> bytes:
    tree = matcher_pb2.Matcher.MatcherTree(
        input=extension_pb2.TypedExtensionConfig(name="value", typed_config=_any(_INPUT, pb.StatTagValueInput()))
    )
    found = tree.prefix_match_map if by_prefix else tree.exact_match_map
    for value, printed in rules.items():
        action = pb.TransformStat()
        action.update_tag.new_tag_value = printed
        found.map[value].action.name = "print"
        found.map[value].action.typed_config.CopyFrom(_any(_ACTION, action))
    serialised: bytes = matcher_pb2.Matcher(matcher_tree=tree).SerializeToString(deterministic=True)
    return serialised


def _any(type_url: str, message: Message) -> any_pb2.Any:
    return any_pb2.Any(type_url=type_url, value=message.SerializeToString(deterministic=True))
