"""Each provider of MeshConfig is checked by itself; a faulty one is a text that says why."""

from typing import Any

import pytest

from mizzen.api.decode import decode_mesh
from mizzen.api.meta import Duration
from mizzen.model.config import Config
from mizzen.model.protocol import Protocol
from mizzen.model.provider import Call, Header, Logger, LoggerKind, NotFound, Tracer, TracerKind
from mizzen.model.service import Port, Service
from mizzen.model.snapshot import Snapshot
from mizzen.resolve import build
from mizzen.resolve.providers import providers, usable

HOST = "sink.watch.svc.cluster.local"
PORTS = (Port("http", 9411, Protocol.HTTP), Port("grpc", 4317, Protocol.GRPC))


def service(namespace: str, hostname: str = HOST) -> Service:
    return Service(hostname=hostname, name="sink", namespace=namespace, ports=PORTS)


HOSTS = {HOST: (service("watch"),), "out.example": (service("a", "out.example"), service("b", "out.example"))}


def one(kind: str, environment: dict[str, str] | None = None, **fields: Any) -> Any:
    raw = {"name": "Mine", kind: {"service": HOST, "port": 9411, **fields}}
    mesh, problems = decode_mesh({"extensionProviders": [raw]})
    assert not problems
    return providers(mesh, HOSTS, environment or {})["mine"]


@pytest.mark.row("MC-08")
def test_zipkin() -> None:
    found = one("zipkin")
    assert found == Tracer(name="Mine", kind=TracerKind.ZIPKIN, hostname=HOST, port=9411, http=Call("/api/v2/spans"))
    more = one(
        "zipkin",
        {"TOKEN": "secret"},
        enable64bitTraceId=True,
        maxTagLength=40,
        path="/spans",
        timeout="2s",
        traceContextOption="USE_B3_WITH_W3C_PROPAGATION",
        headers=[{"name": "a", "value": "1"}, {"name": "b", "envName": "TOKEN"}],
    )
    assert (more.long_ids, more.w3c, more.max_tag_length) == (False, True, 40)
    assert more.http == Call("/spans", Duration.parse("2s"), (Header("a", "1"), Header("b", "secret")))
    assert "secret" not in repr(more)


@pytest.mark.row("MC-09", "MC-10", "MC-11")
def test_the_other_tracers() -> None:
    assert one("datadog", maxTagLength=9).max_tag_length == 9
    assert one("opentelemetry").http is None
    assert one("opentelemetry", http={"path": "/v1/traces"}).http == Call("/v1/traces")
    assert one("opentelemetry", grpc={"timeout": "1s"}).grpc.timeout == Duration.parse("1s")
    assert one("opentelemetry", resourceDetectors={"dynatrace": {}}).detectors == ("dynatrace",)
    assert one("skywalking", accessToken="x").kind is TracerKind.SKYWALKING
    sampler = {
        "tenant": "t",
        "clusterId": 7,
        "rootSpansPerMinute": 5,
        "httpService": {"service": HOST, "port": 9411, "http": {"path": "/sampler"}},
    }
    found = one("opentelemetry", dynatraceSampler=sampler)
    assert (found.sampler.cluster_id, found.sampler.call.path) == (7, "/sampler")
    assert found.hostnames == (HOST, HOST)


@pytest.mark.row("MC-06", "MC-10", "MC-11", "TR-05")
@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        ("zipkin", {"service": "gone"}, "no service 'gone'"),
        ("zipkin", {"service": f"other/{HOST}"}, "no service"),
        ("zipkin", {"service": "out.example"}, "several namespaces"),
        ("zipkin", {"port": 1}, "no port 1"),
        ("zipkin", {"port": 0}, "a port is required"),
        ("zipkin", {"path": "spans"}, "slash"),
        ("zipkin", {"traceContextOption": "USE_ALL"}, "USE_ALL"),
        ("zipkin", {"headers": [{"name": "a", "envName": "GONE"}]}, "GONE"),
        ("zipkin", {"headers": [{"value": "x"}]}, "no name"),
        ("opentelemetry", {"http": {"path": "/"}, "grpc": {}}, "only one"),
        ("opentelemetry", {"resourceDetectors": {"moon": {}}}, "moon"),
        ("opentelemetry", {"dynatraceSampler": {"tenant": "t"}}, "clusterId"),
        ("lightstep", {}, "Lightstep"),
        ("opencensus", {}, "OpenCensus"),
        ("stackdriver", {}, "Stackdriver"),
        ("envoyFileAccessLog", {}, "path"),
        ("envoyHttpAls", {"additionalRequestHeadersToLog": "x"}, "list"),
    ],
)
def test_a_faulty_one_says_why_and_harms_no_other(kind: str, fields: dict[str, Any], why: str) -> None:
    bad = {"name": "bad", kind: {"service": HOST, "port": 9411, **fields}}
    good = {"name": "good", "datadog": {"service": HOST, "port": 9411}}
    mesh, _ = decode_mesh({"extensionProviders": [bad, good]})
    found = providers(mesh, HOSTS, {})
    assert why in str(found["bad"])
    assert isinstance(found["good"], Tracer)


@pytest.mark.row("TR-10")
@pytest.mark.parametrize(("service", "lost"), [("gone", True), ("out.example", True), (HOST, False)])
def test_one_whose_service_cannot_be_told_is_known_as_such(service: str, lost: bool) -> None:
    mesh, _ = decode_mesh({"extensionProviders": [{"name": "bad", "zipkin": {"service": service, "port": 1}}]})
    bad = providers(mesh, HOSTS, {})["bad"]
    assert isinstance(bad, NotFound) is lost
    assert not isinstance(bad, NotFound) or bad.kind == "zipkin"


@pytest.mark.row("TR-10")
def test_one_that_becomes_of_another_sort_is_lost_as_that() -> None:
    def after(kind: str, previous: Snapshot | None = None) -> Any:
        mesh, _ = decode_mesh({"extensionProviders": [{"name": "bad", kind: {"service": "gone", "port": 1}}]})
        return build(Config(mesh=mesh), previous)

    assert after("datadog", after("zipkin")).providers["bad"].kind == "datadog"


@pytest.mark.row("LG-04")
@pytest.mark.parametrize("form", [{"text": "%OOPS%"}, {"labels": {"a": {"b": "%OOPS%"}}}])
def test_a_format_that_envoy_would_refuse_gives_way_to_the_default(form: dict[str, Any]) -> None:
    file = one("envoyFileAccessLog", path="/dev/stdout", logFormat=form)
    assert "OOPS is no operator" in file.format_fault
    assert (file.text, file.labels) == ("", (("", None),) if "labels" in form else ())
    otel = one("envoyOtelAls", port=4317, logFormat=form)
    assert (otel.text, otel.labels, bool(otel.format_fault)) == ("", (), True)
    assert one("envoyFileAccessLog", path="/dev/stdout", logFormat={"text": "%PROTOCOL%"}).format_fault == ""


@pytest.mark.row("MC-12", "MC-13", "MC-14")
def test_loggers() -> None:
    file = one("envoyFileAccessLog", path="/dev/stdout", logFormat={"labels": {"b": "2", "a": {"c": 1}}})
    assert (file.path, file.labels) == ("/dev/stdout", (("a", {"c": 1}), ("b", "2")))
    assert one("envoyHttpAls").log_name == "http_envoy_accesslog"
    assert one("envoyTcpAls", logName="mine").log_name == "mine"
    otel = one("envoyOtelAls", port=4317, logFormat={"text": "%PROTOCOL%"})
    assert (otel.kind, otel.log_name, otel.text) == (LoggerKind.OTEL_ALS, "otel_envoy_accesslog", "%PROTOCOL%")


@pytest.mark.row("MC-06")
def test_envoy_is_known_undeclared_and_may_be_replaced() -> None:
    mesh, _ = decode_mesh({})
    found = providers(mesh, HOSTS, {})
    (built_in,) = usable(found, ["Envoy", "gone"], Logger)
    assert (built_in.path, built_in.follows_mesh) == ("/dev/stdout", True)
    assert usable(found, ["envoy"], Tracer) == []
    mesh, _ = decode_mesh({"extensionProviders": [{"name": "envoy", "envoyFileAccessLog": {"path": "/tmp/log"}}]})
    (own,) = usable(providers(mesh, HOSTS, {}), ["envoy"], Logger)
    assert own.path == "/tmp/log"
