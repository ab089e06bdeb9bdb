"""Clusters of the bootstrap for collectors that ProxyConfig names by address."""

from typing import Any

import pytest

from mizzen.agent.bootstrap import bootstrap
from mizzen.agent.collectors import clusters, sinks
from mizzen.agent.settings import Settings


def of(**config: Any) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in clusters(Settings(proxy_config=config, host_ip="10.9.9.9"))}


def target(cluster: dict[str, Any]) -> tuple[str, int]:
    (group,) = cluster["load_assignment"]["endpoints"]
    socket = group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    return socket["address"], socket["port_value"]


@pytest.mark.row("PC-06")
def test_trace_collectors() -> None:
    (found,) = of(tracing={"zipkin": {"address": "zipkin.istio-system:9411"}}).values()
    assert (found["name"], found["type"], target(found)) == ("zipkin", "STRICT_DNS", ("zipkin.istio-system", 9411))
    (dog,) = of(tracing={"datadog": {"address": "$(HOST_IP):8126"}}).values()
    assert (dog["name"], dog["type"], target(dog)) == ("datadog_agent", "STATIC", ("10.9.9.9", 8126))
    assert of(tracing={"zipkin": {"address": "no-port"}}) == of(tracing={"sampling": 5}) == of() == {}


@pytest.mark.row("PC-12")
def test_log_and_metrics_services_and_statsd() -> None:
    config = {
        "envoyAccessLogService": {"address": "als:15000", "tlsSettings": {"mode": "SIMPLE", "caCertificates": "/ca"}},
        "envoyMetricsService": {"address": "ms:15000"},
        "statsdUdpAddress": "10.0.0.1:8125",
    }
    found = of(**config)
    assert found.keys() == {"envoy_accesslog_service", "envoy_metrics_service"}
    tls = found["envoy_accesslog_service"]["transport_socket"]["typed_config"]
    assert tls["common_tls_context"]["validation_context"]["trusted_ca"] == {"filename": "/ca"}
    assert "transport_socket" not in found["envoy_metrics_service"]
    names = [sink["name"] for sink in sinks(Settings(proxy_config=config))]
    assert names == ["envoy.stat_sinks.metrics_service", "envoy.stat_sinks.statsd"]
    assert sinks(Settings(proxy_config={"statsdUdpAddress": "a-name:8125"})) == []


@pytest.mark.row("PC-08")
def test_runtime_values_go_over_ours() -> None:
    values = {"a.b": "1", "re2.max_program_size.error_level": "7"}
    layers = bootstrap(Settings(proxy_config={"runtimeValues": values}))["layered_runtime"]["layers"]
    assert values.items() <= layers[0]["static_layer"].items()
