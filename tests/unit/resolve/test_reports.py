"""What a side reports: entries of several levels over the mesh's defaults."""

from typing import Any

import pytest
from msgspec.structs import replace

from mizzen.api.decode import decode_mesh
from mizzen.api.mesh_config import ProxyConfig
from mizzen.api.mesh_config import Tracing as TracingConfig
from mizzen.model.config import Config
from mizzen.model.provider import Logger
from mizzen.model.provider import Tracing as TracingReport
from mizzen.model.report import Report
from mizzen.resolve import build
from mizzen.resolve.reports import CLIENT, SERVER, report
from tests.meshes import new, service, sidecar

HOST = "sink.watch.svc.cluster.local"
SINK = service("sink", "watch", 9, [{"name": "http", "port": 9411}])
PROVIDERS = [
    {"name": "z", "zipkin": {"service": HOST, "port": 9411}},
    {"name": "dog", "datadog": {"service": HOST, "port": 9411}},
    {"name": "dyna", "opentelemetry": {"service": HOST, "port": 9411, "dynatraceSampler": {
        "tenant": "t", "clusterId": 1, "httpService": {"service": HOST, "port": 9411, "http": {"path": "/s"}}}}},
    {"name": "file", "envoyFileAccessLog": {"path": "/dev/stderr"}},
    {"name": "other", "envoyFileAccessLog": {"path": "/log"}},
]  # fmt: skip


def of(*levels: dict[str, Any], side: str = CLIENT, own: TracingConfig | None = None, **mesh: Any) -> Report:
    """The report under Telemetries of these specs, wide to narrow."""
    config, problems = decode_mesh({"extensionProviders": PROVIDERS, **mesh})
    assert not problems
    snapshot = build(Config(mesh=config).with_objects([SINK]))
    objects = [new("telemetry.istio.io/v1", "Telemetry", "bar", f"t{i}", spec) for i, spec in enumerate(levels)]
    proxy = replace(sidecar(), bootstrap_tracer="zipkin")
    return report(snapshot, proxy, ProxyConfig(tracing=own), objects, side)


def traces(*levels: list[dict[str, Any]], **more: Any) -> TracingReport | None:
    return of(*({"tracing": entries} for entries in levels), **more).tracing


def logs(*levels: list[dict[str, Any]], **more: Any) -> tuple[Logger, ...] | None:
    return of(*({"accessLogging": entries} for entries in levels), **more).loggers


def named(*names: str, **more: Any) -> dict[str, Any]:
    return {"providers": [{"name": name} for name in names], **more}


@pytest.mark.row("TM-07")
def test_the_narrowest_provider_then_the_default_one() -> None:
    default = {"defaultProviders": {"tracing": ["dog"]}}
    found = traces([named("dog")], [named("Z", "dog")])
    assert found is not None
    assert found.tracer.name == "z"
    found = traces([{"randomSamplingPercentage": 5}], **default)
    assert found is not None
    assert (found.tracer.name, found.sampling) == ("dog", 5)
    # With a Telemetry about traces the bootstrap's collector is no longer asked, even if no provider is found.
    assert traces([{"randomSamplingPercentage": 5}]) is None
    assert traces([named("typo")], **default) is None
    found = traces()
    assert found is not None
    assert found.tracer.cluster == "zipkin"


@pytest.mark.row("TM-08")
def test_sampling() -> None:
    def sampled(*levels: list[dict[str, Any]], **more: Any) -> float:
        found = traces([named("z")], *levels, **more)
        assert found is not None
        return found.sampling

    assert sampled() == 1
    assert sampled(own=TracingConfig(sampling=30)) == 30
    assert sampled([{"randomSamplingPercentage": 0}], own=TracingConfig(sampling=30)) == 0
    assert sampled([{"randomSamplingPercentage": 10}], [{"randomSamplingPercentage": 20}]) == 20
    assert sampled([named("dyna", randomSamplingPercentage=10)]) == 100


@pytest.mark.row("TM-09")
def test_spans_switched_off_and_on_again() -> None:
    off, on = {"disableSpanReporting": True}, {"disableSpanReporting": False}
    assert traces([named("z")], [off]) is None
    assert traces([named("z")], [off], [on]) is not None


@pytest.mark.row("TM-10")
def test_the_narrower_tags_replace_the_wider_and_any_replace_the_proxys() -> None:
    def tags(*maps: dict[str, Any] | None) -> list[str]:
        entries = [[{"customTags": one} if one is not None else {}] for one in maps]
        own = TracingConfig(custom_tags=traced.custom_tags or {})
        found = traces([named("z")], *entries, own=own)
        assert found is not None
        return [name for name, _ in found.tags]

    spec = {"tracing": [{"customTags": {"own": {"literal": {"value": "x"}}}}]}
    traced = new("telemetry.istio.io/v1", "Telemetry", "bar", "t", spec).body.tracing[0]
    literal = {"literal": {"value": "x"}}
    assert tags() == ["own"]
    assert tags({"b": literal, "a": {"formatter": {"value": "%REQ(a)%"}}}) == ["a", "b"]
    assert tags({"a": literal}, {"b": literal}, None) == ["b"]
    assert tags({}) == []


@pytest.mark.row("TM-11")
def test_the_other_switches_have_defaults() -> None:
    found = traces([named("z")])
    assert found is not None
    assert (found.istio_tags, found.by_request_id, found.propagation) == (True, True, True)
    entry = {"enableIstioTags": False, "useRequestIdForTraceSampling": False, "disableContextPropagation": True}
    found = traces([named("z", **entry)])
    assert found is not None
    assert (found.istio_tags, found.by_request_id, found.propagation) == (False, False, False)


@pytest.mark.row("TM-01", "TM-11")
def test_what_a_narrower_entry_leaves_unset_stays() -> None:
    switches = {"enableIstioTags": False, "useRequestIdForTraceSampling": False, "disableContextPropagation": True}
    wide = named("z", randomSamplingPercentage=7, **switches)
    found = traces([wide], [{}])
    assert found is not None
    assert (found.tracer.name, found.sampling) == ("z", 7)
    assert (found.istio_tags, found.by_request_id, found.propagation) == (False, False, False)
    assert traces([named("z", disableSpanReporting=True)], [{}]) is None


@pytest.mark.row("TM-11", "TM-13")
def test_an_entry_is_for_the_side_of_its_mode() -> None:
    entries = [named("z", match={"mode": "CLIENT"}), named("dog", match={"mode": "SERVER"})]
    for side, expected in ((CLIENT, "z"), (SERVER, "dog")):
        found = traces(entries, side=side)
        assert found is not None
        assert found.tracer.name == expected


@pytest.mark.row("TM-01", "TM-02", "TM-03")
@pytest.mark.parametrize(
    ("levels", "defaults", "expected"),
    [
        pytest.param([], [], None, id="nothing said"),
        pytest.param([], ["file"], [("file", "")], id="default alone"),
        pytest.param([[named("ENVOY")]], [], [("envoy", "")], id="built-in in any case"),
        pytest.param([[named("file")], [named("other")]], [], [("other", "")], id="narrower names replace"),
        pytest.param([[named("other"), named("file")]], [], [("file", ""), ("other", "")], id="sorted by name"),
        pytest.param([[named("file")], [{"disabled": True}]], [], [], id="switched off"),
        pytest.param([[named("file")], [{"disabled": True}], [{}]], [], [("file", "")], id="on again"),
        pytest.param([[{"disabled": True}]], ["file"], [], id="the default off"),
        pytest.param([[{"disabled": True}]], [], None, id="nothing in scope to switch off"),
        pytest.param([[named("typo")]], [], None, id="unknown name"),
        pytest.param([[named("typo")]], ["file"], [], id="unknown name for a default one"),
        pytest.param([[named("z")]], [], None, id="of another sort"),
        pytest.param([[named("file", filter={"expression": "a"})]], [], [("file", "a")], id="filter"),
        pytest.param([[{"filter": {"expression": "a"}}]], ["file"], [("file", "a")], id="filter of the default"),
        pytest.param(
            [[named("file", filter={"expression": "a"})], [named("file", filter={"expression": "b"})]],
            [],
            [("file", "b")],
            id="the narrowest filter",
        ),
        pytest.param([[named("file", match={"mode": "SERVER"})]], ["file"], [], id="the other side alone"),
        pytest.param([[{"match": {"mode": "SERVER"}, "disabled": True}]], ["file"], [("file", "")], id="only it off"),
        pytest.param(
            [[named("file")], [named("other", match={"mode": "SERVER"})]], [], [("file", "")], id="another for it"
        ),
    ],
)
def test_logs(levels: list[list[dict[str, Any]]], defaults: list[str], expected: list[tuple[str, str]] | None) -> None:
    found = logs(*levels, accessLogFile="/mesh", defaultProviders={"accessLogging": defaults})
    assert (None if found is None else [(logger.name, logger.filter) for logger in found]) == expected
