"""What a Conduct needs in the way of services."""

from mizzen.model.conduct import DEFAULT_CONDUCT, Conduct
from mizzen.model.provider import Logger, LoggerKind, Tracer, TracerKind, Tracing
from mizzen.model.report import Report


def test_services_of_tracer_and_loggers() -> None:
    tracing = Tracing(Tracer(name="t", kind=TracerKind.ZIPKIN, hostname="zipkin.example", port=9411), 1.0)
    logger = Logger(name="l", kind=LoggerKind.OTEL_ALS, hostname="otel.example", port=4317)
    assert Conduct(client=Report(tracing=tracing), server=Report(tracing=tracing, loggers=(logger,))).hostnames == (
        "zipkin.example",
        "otel.example",
    )
    assert DEFAULT_CONDUCT.hostnames == ()
