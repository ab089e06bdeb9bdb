from __future__ import annotations

import pytest

from mizzen.model.report import MetricChange, Metrics, TagChange
from mizzen.model.service import Service
from mizzen.proto import stats_logger_pb2 as pb
from mizzen.translate import grpc_messages
from mizzen.translate.filters import Direction
from mizzen.translate.telemetry import Chain, http_metrics, tcp_metrics

LABELS = [
    "reporter",
    "source_workload",
    "source_canonical_service",
    "source_canonical_revision",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_cluster",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_service_name",
    "destination_service_namespace",
    "destination_cluster",
    "request_protocol",
    "response_code",
    "grpc_response_status",
    "response_flags",
    "connection_security_policy",
]
WEB = Service(hostname="web.bar.svc.cluster.local", name="web", namespace="bar", ports=())
CHAINS = [
    Chain(Direction.OUTBOUND),
    Chain(Direction.GATEWAY),
    Chain(Direction.INBOUND, WEB, mtls=True),
    Chain(Direction.INBOUND),
]


@pytest.mark.row("ME-01", "ME-05")
@pytest.mark.parametrize("chain", CHAINS)
def test_every_metric_has_its_labels_in_istios_order(chain: Chain) -> None:
    (http,) = http_metrics(chain)
    for metric in (*_config(http.typed_config.value).counters, *_config(http.typed_config.value).histograms):
        assert [tag.name for tag in metric.stat.tags] == LABELS
    without = [label for label in LABELS if label not in ("response_code", "grpc_response_status")]
    for log in tcp_metrics(chain):
        for counter in _config(log.typed_config.value).counters:
            assert [tag.name for tag in counter.stat.tags] == without


def _config(value: bytes) -> pb.Config:
    return pb.Config.FromString(value)


def test_a_gateway_takes_no_hosts_word_for_a_service() -> None:
    def service(direction: Direction) -> str:
        (log,) = http_metrics(Chain(direction))
        tags = {tag.name: tag.value_format for tag in _config(log.typed_config.value).counters[0].stat.tags}
        return tags["destination_service"]

    assert "request.host" in service(Direction.OUTBOUND)
    assert "request.host" not in service(Direction.GATEWAY)


def test_a_port_without_service_goes_by_the_passthrough_cluster() -> None:
    (log,) = http_metrics(Chain(Direction.INBOUND))
    tags = {tag.name: tag.value_format for tag in _config(log.typed_config.value).counters[0].stat.tags}
    assert tags["destination_service_name"] == "InboundPassthroughCluster"
    assert tags["destination_service"] == "%ENVIRONMENT(MIZZEN_CANONICAL_NAME)%"


@pytest.mark.row("ME-04")
@pytest.mark.parametrize("chain", CHAINS)
def test_messages_have_the_labels_that_are_known_while_a_call_runs(chain: Chain) -> None:
    _, log = http_metrics(chain, grpc=True)
    counters = _config(log.typed_config.value).counters
    assert [counter.stat.name for counter in counters] == ["request_messages_total", "response_messages_total"]
    assert [[tag.name for tag in counter.stat.tags] for counter in counters] == [LABELS[:20], LABELS[:20]]
    assert log.filter.and_filter.filters[1] == grpc_messages.counted()


@pytest.mark.row("TM-04")
def test_changes_reach_the_metrics_that_they_name() -> None:
    changes = Metrics(
        (
            MetricChange("request_bytes", disabled=True),
            MetricChange("requests_total", tags=(TagChange("host", "request.host"), TagChange("source_app"))),
        )
    )
    (log,) = http_metrics(Chain(Direction.OUTBOUND), changes)
    config = _config(log.typed_config.value)
    assert [metric.stat.name for metric in config.histograms] == ["request_duration_milliseconds", "response_bytes"]
    tags = {tag.name: tag for tag in config.counters[0].stat.tags}
    assert "source_app" not in tags
    assert tags["host"].value_format == "%CEL(request.host)%"
    assert tags["host"].rules == tags["destination_app"].rules, "empty becomes unknown"
    assert [tag.name for tag in config.histograms[0].stat.tags] == LABELS


@pytest.mark.row("TM-04", "TM-06")
def test_no_logger_where_nothing_is_counted() -> None:
    assert http_metrics(Chain(Direction.INBOUND), None) == tcp_metrics(Chain(Direction.INBOUND), None) == []
    off = ("requests_total", "request_duration_milliseconds", "request_bytes", "response_bytes")
    assert (
        http_metrics(Chain(Direction.INBOUND), Metrics(tuple(MetricChange(name, disabled=True) for name in off))) == []
    )
    (closed,) = tcp_metrics(Chain(Direction.INBOUND), Metrics((MetricChange("tcp_connections_opened_total", True),)))
    assert closed.filter.log_type_filter.types
