"""What a side reports."""

from mizzen.model.provider import Logger, LoggerKind, Tracer, TracerKind, Tracing
from mizzen.model.report import DEFAULT_REPORT, MetricChange, Metrics, Report


def test_services_that_it_goes_to() -> None:
    tracing = Tracing(Tracer(name="t", kind=TracerKind.ZIPKIN, hostname="zipkin.example", port=9411), 1.0)
    logger = Logger(name="l", kind=LoggerKind.OTEL_ALS, hostname="otel.example", port=4317)
    assert Report(tracing=tracing, loggers=(logger,)).hostnames == ("zipkin.example", "otel.example")
    assert DEFAULT_REPORT.hostnames == ()


def test_the_change_of_a_metric() -> None:
    change = MetricChange("requests_total", disabled=True)
    assert Metrics((change,)).of("requests_total") is change
    assert Metrics((change,)).of("request_bytes") == MetricChange("request_bytes")
