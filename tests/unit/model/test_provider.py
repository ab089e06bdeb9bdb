"""Providers say which services they need, and do not show what may be secret."""

import pytest

from mizzen.model.provider import Call, Header, Logger, LoggerKind, Sampler, Tracer, TracerKind


@pytest.mark.row("MC-10")
def test_the_services_that_a_proxy_needs_clusters_of() -> None:
    sampler = Sampler("t", 1, "sampler.example", 80, 5, Call())
    tracer = Tracer(name="t", kind=TracerKind.OPENTELEMETRY, hostname="sink.example", port=1, sampler=sampler)
    assert tracer.hostnames == ("sink.example", "sampler.example")
    assert Tracer(name="t", kind=TracerKind.ZIPKIN, cluster="zipkin").hostnames == ()
    assert Logger(name="l", kind=LoggerKind.FILE, path="/log").hostnames == ()
    assert Logger(name="l", kind=LoggerKind.HTTP_ALS, hostname="als.example").hostnames == ("als.example",)


def test_headers_are_not_shown() -> None:
    assert "secret" not in repr(Call("/", None, (Header("authorization", "secret"),)))
