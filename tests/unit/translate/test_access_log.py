from __future__ import annotations

import json
from typing import Any

import pytest
from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.provider import Logger, LoggerKind
from mizzen.model.report import Report
from mizzen.translate import access_log


def config(log: accesslog_pb2.AccessLog) -> dict[str, Any]:
    unpacked = file_pb2.FileAccessLog()
    assert log.typed_config.Unpack(unpacked)
    return MessageToDict(unpacked)


def mesh(**fields: Any) -> MeshConfig:
    return MeshConfig(access_log_file="/dev/stdout", **fields)


@pytest.mark.row("LG-01")
def test_off_until_a_file_is_named() -> None:
    assert access_log.request_logs(MeshConfig()) == access_log.listener_logs(MeshConfig()) == []
    (log,) = access_log.request_logs(mesh())
    assert config(log)["path"] == "/dev/stdout"


@pytest.mark.row("LG-04")
def test_a_custom_line_ends_and_gets_the_formatter_it_needs() -> None:
    (log,) = access_log.request_logs(mesh(access_log_format="%REQ_WITHOUT_QUERY(:PATH)%"))
    log_format = config(log)["logFormat"]
    assert log_format["textFormatSource"]["inlineString"] == "%REQ_WITHOUT_QUERY(:PATH)%\n"
    assert [f["name"] for f in log_format["formatters"]] == ["envoy.formatter.req_without_query"]


@pytest.mark.row("LG-04")
@pytest.mark.parametrize(("value", "needed"), [("%PROTOCOL%", 0), ("%REQ_WITHOUT_QUERY(:PATH)%", 1)])
def test_json_keeps_its_nesting_and_gets_the_formatter_wherever_it_is_needed(value: str, needed: int) -> None:
    fields = {"a": "%RESPONSE_CODE%", "b": {"c": value}}
    (log,) = access_log.request_logs(mesh(access_log_encoding="JSON", access_log_format=json.dumps(fields)))
    found = config(log)["logFormat"]
    assert found["jsonFormat"] == fields
    assert len(found.get("formatters", ())) == needed


@pytest.mark.row("LG-03", "LG-04")
@pytest.mark.parametrize("text", ["", "no json", "[1]", "{}"])
def test_json_that_is_no_object_gives_the_default(text: str) -> None:
    (log,) = access_log.request_logs(mesh(access_log_encoding="JSON", access_log_format=text))
    assert config(log)["logFormat"]["jsonFormat"] == access_log.JSON


@pytest.mark.row("LG-05")
def test_a_listener_logs_what_found_no_chain() -> None:
    (log,) = access_log.listener_logs(mesh())
    assert list(log.filter.response_flag_filter.flags) == ["NR"]
    assert access_log.listener_logs(mesh(disable_envoy_listener_log=True)) == []


def provided(**fields: Any) -> file_pb2.FileAccessLog:
    conduct = Report(loggers=(Logger(name="l", kind=LoggerKind.FILE, path="/log", **fields),))
    (log,) = access_log.request_logs(MeshConfig(access_log_file="/dev/stdout", access_log_encoding="JSON"), conduct)
    config = file_pb2.FileAccessLog()
    assert log.typed_config.Unpack(config)
    assert config.path == "/log"
    return config


@pytest.mark.row("MC-12")
def test_a_file_provider_has_its_own_format() -> None:
    assert provided().log_format.text_format_source.inline_string == access_log.TEXT
    assert provided(text="%PROTOCOL%").log_format.text_format_source.inline_string == "%PROTOCOL%\n"
    nested = provided(labels=(("a", {"b": "%REQ_WITHOUT_QUERY(:PATH)%"}), ("c", "%REQ_WITHOUT_QUERY(:PATH)%")))
    assert nested.log_format.json_format["a"]["b"] == "%REQ_WITHOUT_QUERY(:PATH)%"
    assert len(nested.log_format.formatters) == 1
    assert set(provided(labels=(("", None),)).log_format.json_format) == set(access_log.JSON)
    assert provided(omit_empty=True).log_format.omit_empty_values


@pytest.mark.row("MC-04", "MC-06", "MC-12")
def test_the_built_in_provider_follows_the_mesh_and_no_provider_writes_nothing() -> None:
    assert provided(follows_mesh=True).log_format.HasField("json_format")
    on = MeshConfig(access_log_file="/dev/stdout")
    assert access_log.request_logs(on, Report(loggers=())) == access_log.listener_logs(on, Report(loggers=())) == []


@pytest.mark.row("LG-05", "LG-06")
def test_a_filter_goes_beside_the_condition_of_its_place() -> None:
    report = Report(loggers=(Logger(name="l", kind=LoggerKind.FILE, path="/log", filter="response.code >= 400"),))
    (request,), (connection,), (listener,) = (
        logs(MeshConfig(), report)
        for logs in (access_log.request_logs, access_log.connection_logs, access_log.listener_logs)
    )
    config = cel_pb2.ExpressionFilter()
    assert request.filter.extension_filter.typed_config.Unpack(config)
    assert config.expression == "response.code >= 400"
    assert config.cel_config.enable_string_functions
    for log, condition in ((connection, "log_type_filter"), (listener, "response_flag_filter")):
        first, second = log.filter.and_filter.filters
        assert first.HasField(condition)
        assert second == request.filter


@pytest.mark.row("LG-04")
def test_a_format_that_envoy_would_refuse_is_not_sent() -> None:
    (log,) = access_log.request_logs(mesh(access_log_format="%OOPS%"))
    assert config(log)["logFormat"]["textFormatSource"]["inlineString"] == access_log.TEXT
    (log,) = access_log.request_logs(mesh(access_log_encoding="JSON", access_log_format='{"a": {"b": "%OOPS%"}}'))
    assert set(config(log)["logFormat"]["jsonFormat"]) == set(access_log.JSON)
