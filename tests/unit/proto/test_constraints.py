"""Limits inside Envoy's messages: which values count, in whole messages and in parts."""

from typing import Any

import pytest

from mizzen.proto.constraints import broken
from mizzen.proto.envoy_json import decode, message_type

ROUTE = "envoy.config.route.v3.Route"
HOST = "envoy.config.route.v3.VirtualHost"
FILTER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"
BUCKET = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"


def reasons(name: str, value: dict[str, Any], whole: bool = True) -> list[str]:
    kind = message_type(name)
    assert kind is not None
    return list(broken(decode(kind, value), whole=whole))


@pytest.mark.parametrize(("name", "value", "wrong"), [
    (ROUTE, {"match": {"prefix": "/"}, "direct_response": {"status": 200}}, []),
    (ROUTE, {"match": {"prefix": "/"}, "direct_response": {"status": 8000}}, ["direct_response.status: must be less than 600"]),
    (ROUTE, {"match": {"prefix": "/"}}, ["Route: one of action is required"]),
    (ROUTE, {"direct_response": {"status": 200}}, ["match: is required"]),
    (ROUTE, {"match": {}, "direct_response": {"status": 200}}, ["match: one of path_specifier is required"]),
    (HOST, {"name": "x", "domains": ["a"]}, []),
    (HOST, {"name": "x"}, ["domains: must have at least 1 entries"]),
    (HOST, {"name": "x", "domains": ["a"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 99}}]},
     ["routes[0].direct_response.status: must be at least 200"]),
    (HOST, {"name": "x", "domains": ["a"], "request_headers_to_remove": ["bad\nname"]},
     ["request_headers_to_remove: entry 0 must be the name of a header"]),
])  # fmt: skip
def test_a_whole_message(name: str, value: dict[str, Any], wrong: list[str]) -> None:
    assert reasons(name, value) == wrong


@pytest.mark.parametrize(("value", "wrong"), [
    ({}, []),
    ({"direct_response": {"status": 8000}}, ["direct_response.status: must be less than 600"]),
    ({"match": {}}, []),
])  # fmt: skip
def test_of_a_part_only_what_is_there_counts(value: dict[str, Any], wrong: list[str]) -> None:
    assert reasons(ROUTE, value, whole=False) == wrong


def test_what_a_part_appends_to_a_list_is_whole() -> None:
    assert reasons(HOST, {"routes": [{"match": {"prefix": "/"}}]}, whole=False) == [
        "routes[0]: one of action is required"
    ]


def test_packed_messages_are_looked_into() -> None:
    bucket = {"max_tokens": 0, "fill_interval": "0s"}
    value = {"name": "x", "typed_config": {"@type": BUCKET, "stat_prefix": "x", "token_bucket": bucket}}
    assert reasons(FILTER, value) == [
        "typed_config.token_bucket.max_tokens: must be more than 0",
        "typed_config.token_bucket.fill_interval: must be more than 0s",
    ]
    assert reasons(FILTER, {"typed_config": {"@type": BUCKET}}, whole=False) == []
