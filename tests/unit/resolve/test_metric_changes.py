"""Overrides of metrics, wide to narrow."""

from typing import Any

import pytest

from mizzen.api.decode import decode_mesh
from mizzen.api.telemetry import METRICS
from mizzen.model.report import MetricChange, Metrics, TagChange
from mizzen.resolve.metric_changes import metrics
from mizzen.resolve.reports import CLIENT, SERVER
from tests.meshes import new


def of(*entries: dict[str, Any], side: str = CLIENT, **mesh: Any) -> Metrics | None:
    config, problems = decode_mesh({"extensionProviders": [{"name": "mine", "prometheus": {}}], **mesh})
    assert not problems
    body = new("telemetry.istio.io/v1", "Telemetry", "bar", "t", {"metrics": list(entries)}).body
    return metrics(config, body.metrics, side)


def override(metric: str | None = None, mode: str | None = None, **more: Any) -> dict[str, Any]:
    match = {name: value for name, value in (("metric", metric), ("mode", mode)) if value}
    return {"overrides": [{**({"match": match} if match else {}), **more}]}


def tag(**values: str | None) -> dict[str, Any]:
    return {name: {"value": value} if value else {"operation": "REMOVE"} for name, value in values.items()}


@pytest.mark.row("TM-04")
def test_a_metric_is_changed_on_the_side_of_the_mode() -> None:
    entry = override("REQUEST_COUNT", "SERVER", tagOverrides=tag(host="request.host", response_flags=None))
    changed = MetricChange("requests_total", False, (TagChange("host", "request.host"), TagChange("response_flags")))
    assert of(entry, side=SERVER) == Metrics((changed,))
    assert of(entry) == Metrics()


@pytest.mark.row("TM-01", "TM-04")
def test_the_narrower_goes_before_tag_by_tag() -> None:
    found = of(
        override("REQUEST_COUNT", tagOverrides=tag(a="1", b="2"), disabled=True),
        override("REQUEST_COUNT", tagOverrides=tag(b="3", c="4"), disabled=False),
    )
    assert found == Metrics(
        (MetricChange("requests_total", False, (TagChange("a", "1"), TagChange("b", "3"), TagChange("c", "4"))),)
    )


@pytest.mark.row("TM-04")
@pytest.mark.parametrize(
    ("metric", "name"),
    [
        ("REQUEST_COUNT", "requests_total"),
        ("REQUEST_DURATION", "request_duration_milliseconds"),
        ("REQUEST_SIZE", "request_bytes"),
        ("RESPONSE_SIZE", "response_bytes"),
        ("TCP_OPENED_CONNECTIONS", "tcp_connections_opened_total"),
        ("TCP_CLOSED_CONNECTIONS", "tcp_connections_closed_total"),
        ("TCP_SENT_BYTES", "tcp_sent_bytes_total"),
        ("TCP_RECEIVED_BYTES", "tcp_received_bytes_total"),
        ("GRPC_REQUEST_MESSAGES", "request_messages_total"),
        ("GRPC_RESPONSE_MESSAGES", "response_messages_total"),
    ],
)
def test_each_metric_by_its_name(metric: str, name: str) -> None:
    assert of(override(metric, disabled=True)) == Metrics((MetricChange(name, True),))


@pytest.mark.row("TM-04")
def test_no_match_is_every_metric() -> None:
    for entry in (override(tagOverrides=tag(a="1")), override("ALL_METRICS", tagOverrides=tag(a="1"))):
        found = of(entry)
        assert found is not None
        assert {change.metric for change in found.changes} == set(METRICS.values())
    found = of({"overrides": [{"match": {"customMetric": "istio_requests_total"}, "disabled": True}]})
    assert found == Metrics((MetricChange("requests_total", True),))


@pytest.mark.row("TM-04")
def test_all_off_and_what_turns_them_on_again() -> None:
    off = override("ALL_METRICS", "CLIENT", disabled=True)
    assert of(off) is None
    assert of(off, side=SERVER) == Metrics()
    assert of(off, override("REQUEST_SIZE", disabled=True)) == Metrics((MetricChange("request_bytes", True),))
    assert of(off, override("REQUEST_SIZE", "SERVER", disabled=True)) is None
    single = of(override(disabled=True))
    assert single is not None
    assert {change.metric for change in single.changes if change.disabled} == set(METRICS.values())


@pytest.mark.row("TM-06")
def test_a_provider_other_than_prometheus_takes_its_place() -> None:
    other = {"providers": [{"name": "stackdriver"}]}
    assert of(other) is None
    assert of(other, {"overrides": []}) is None
    assert of(other, {"providers": [{"name": "Mine"}]}) == Metrics()
    assert of(defaultProviders={"metrics": ["stackdriver"]}) is None
    assert of(defaultProviders={"metrics": ["prometheus", "stackdriver"]}) == Metrics()
    # The overrides of an entry for another provider are not those of Prometheus.
    hidden = {**other, **override(tagOverrides=tag(a="1"))}
    assert of(hidden, {"providers": [{"name": "prometheus"}]}) == Metrics()
