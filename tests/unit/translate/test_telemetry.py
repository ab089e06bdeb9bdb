from __future__ import annotations

import pytest

from mizzen.model.service import Service
from mizzen.proto import stats_logger_pb2 as pb
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
