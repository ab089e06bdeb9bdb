"""Format strings of access logs and of tags, read as Envoy 1.40 reads them: an operator that it does not know makes it
refuse the whole listener (row LG-04). The operators were tried one by one against Envoy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mizzen.api import cel

_COMMAND = re.compile(r"%([A-Z0-9_]+)(?:\((.*?)\))?(?::([0-9]+))?%", re.DOTALL)

_BARE = frozenset(
    [
        "ACCESS_LOG_TYPE",
        "BYTES_RECEIVED",
        "BYTES_RETRANSMITTED",
        "BYTES_SENT",
        "CONNECTION_ID",
        "CONNECTION_TERMINATION_DETAILS",
        "CUSTOM_FLAGS",
        "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
        "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
        "DOWNSTREAM_DETECTED_CLOSE_TYPE",
        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS",
        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID",
        "DOWNSTREAM_DIRECT_LOCAL_PORT",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
        "DOWNSTREAM_DIRECT_REMOTE_PORT",
        "DOWNSTREAM_HANDSHAKE_DURATION",
        "DOWNSTREAM_HEADER_BYTES_RECEIVED",
        "DOWNSTREAM_HEADER_BYTES_SENT",
        "DOWNSTREAM_LOCAL_ADDRESS",
        "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID",
        "DOWNSTREAM_LOCAL_CLOSE_REASON",
        "DOWNSTREAM_LOCAL_DNS_SAN",
        "DOWNSTREAM_LOCAL_EMAIL_SAN",
        "DOWNSTREAM_LOCAL_IP_SAN",
        "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
        "DOWNSTREAM_LOCAL_PORT",
        "DOWNSTREAM_LOCAL_SUBJECT",
        "DOWNSTREAM_LOCAL_URI_SAN",
        "DOWNSTREAM_PEER_CERT",
        "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1",
        "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256",
        "DOWNSTREAM_PEER_CHAIN_SERIALS",
        "DOWNSTREAM_PEER_DNS_SAN",
        "DOWNSTREAM_PEER_EMAIL_SAN",
        "DOWNSTREAM_PEER_FINGERPRINT_1",
        "DOWNSTREAM_PEER_FINGERPRINT_256",
        "DOWNSTREAM_PEER_IP_SAN",
        "DOWNSTREAM_PEER_ISSUER",
        "DOWNSTREAM_PEER_OTHERNAME_SAN",
        "DOWNSTREAM_PEER_SERIAL",
        "DOWNSTREAM_PEER_SUBJECT",
        "DOWNSTREAM_PEER_URI_SAN",
        "DOWNSTREAM_REMOTE_ADDRESS",
        "DOWNSTREAM_REMOTE_PORT",
        "DOWNSTREAM_TLS_CIPHER",
        "DOWNSTREAM_TLS_GROUP",
        "DOWNSTREAM_TLS_SESSION_ID",
        "DOWNSTREAM_TLS_VERSION",
        "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
        "DOWNSTREAM_WIRE_BYTES_RECEIVED",
        "DOWNSTREAM_WIRE_BYTES_SENT",
        "DURATION",
        "FILTER_CHAIN_NAME",
        "GRPC_STATUS_NUMBER",
        "HOSTNAME",
        "LOCAL_REPLY_BODY",
        "PACKETS_RETRANSMITTED",
        "PROTOCOL",
        "REQUESTED_SERVER_NAME",
        "REQUEST_DURATION",
        "REQUEST_HEADERS_BYTES",
        "REQUEST_TX_DURATION",
        "RESPONSE_CODE",
        "RESPONSE_DURATION",
        "RESPONSE_FLAGS",
        "RESPONSE_FLAGS_LONG",
        "RESPONSE_HEADERS_BYTES",
        "RESPONSE_TRAILERS_BYTES",
        "RESPONSE_TX_DURATION",
        "ROUNDTRIP_DURATION",
        "ROUTE_NAME",
        "SPAN_ID",
        "STREAM_ID",
        "TLS_JA3_FINGERPRINT",
        "TLS_JA4_FINGERPRINT",
        "TRACE_ID",
        "UNIQUE_ID",
        "UPSTREAM_CLUSTER",
        "UPSTREAM_CLUSTER_RAW",
        "UPSTREAM_CONNECTION_ID",
        "UPSTREAM_CONNECTION_IDS_ATTEMPTED",
        "UPSTREAM_CONNECTION_POOL_READY_DURATION",
        "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
        "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
        "UPSTREAM_DETECTED_CLOSE_TYPE",
        "UPSTREAM_HEADER_BYTES_RECEIVED",
        "UPSTREAM_HEADER_BYTES_SENT",
        "UPSTREAM_HOST",
        "UPSTREAM_HOSTS_ATTEMPTED",
        "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT",
        "UPSTREAM_HOST_NAME",
        "UPSTREAM_HOST_NAMES_ATTEMPTED",
        "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT",
        "UPSTREAM_HOST_NAME_WITHOUT_PORT",
        "UPSTREAM_LOCAL_ADDRESS",
        "UPSTREAM_LOCAL_CLOSE_REASON",
        "UPSTREAM_LOCAL_DNS_SAN",
        "UPSTREAM_LOCAL_IP_SAN",
        "UPSTREAM_LOCAL_PORT",
        "UPSTREAM_LOCAL_URI_SAN",
        "UPSTREAM_PEER_CERT",
        "UPSTREAM_PEER_DNS_SAN",
        "UPSTREAM_PEER_IP_SAN",
        "UPSTREAM_PEER_ISSUER",
        "UPSTREAM_PEER_SUBJECT",
        "UPSTREAM_PEER_URI_SAN",
        "UPSTREAM_PROTOCOL",
        "UPSTREAM_REMOTE_ADDRESS",
        "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID",
        "UPSTREAM_REMOTE_PORT",
        "UPSTREAM_REQUEST_ATTEMPT_COUNT",
        "UPSTREAM_SERVER_NAME",
        "UPSTREAM_TLS_CIPHER",
        "UPSTREAM_TLS_GROUP",
        "UPSTREAM_TLS_SESSION_ID",
        "UPSTREAM_TLS_VERSION",
        "UPSTREAM_TRANSPORT_FAILURE_REASON",
        "UPSTREAM_WIRE_BYTES_RECEIVED",
        "UPSTREAM_WIRE_BYTES_SENT",
        "VIRTUAL_CLUSTER_NAME",
    ]
)


@dataclass(frozen=True)
class _Operator:
    """``arguments``: what may stand in the brackets, an empty string for no brackets; ``cut``: whether a length may follow."""

    arguments: str
    cut: bool = False


_ANYTHING = _Operator(r"[^\n]*")
_SOMETHING = _Operator(r"[^\n]+")
_SOMETHING_CUT = _Operator(r"[^\n]+", cut=True)
_HEADER_NAME = r":?[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_HEADER = _Operator(rf"{_HEADER_NAME}(\?({_HEADER_NAME})?)?", cut=True)
_STATE = _Operator(r"[^:]+(:(PLAIN|TYPED|FIELD:[^:]+))?", cut=True)
_METADATA = "DYNAMIC|CLUSTER|ROUTE|UPSTREAM_HOST|LISTENER|VIRTUAL_HOST|LISTENER_FILTER_CHAIN"

_OPERATORS: Mapping[str, _Operator] = {
    **dict.fromkeys(_BARE, _Operator("")),
    **dict.fromkeys(
        [
            "START_TIME",
            "START_TIME_LOCAL",
            "EMIT_TIME",
            "RESPONSE_CODE_DETAILS",
            "DOWNSTREAM_PEER_CERT_V_START",
            "DOWNSTREAM_PEER_CERT_V_END",
            "UPSTREAM_PEER_CERT_V_START",
            "UPSTREAM_PEER_CERT_V_END",
            "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
            "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
        ],
        _ANYTHING,
    ),
    **dict.fromkeys(("REQ", "RESP", "TRAILER", "REQUEST_HEADER", "RESPONSE_HEADER", "RESPONSE_TRAILER"), _HEADER),
    "REQ_WITHOUT_QUERY": _HEADER,
    **dict.fromkeys(("FILTER_STATE", "UPSTREAM_FILTER_STATE"), _STATE),
    **dict.fromkeys(("ENVIRONMENT", "DYNAMIC_METADATA", "QUERY_PARAM"), _SOMETHING_CUT),
    **dict.fromkeys(("CLUSTER_METADATA", "UPSTREAM_METADATA"), _SOMETHING),
    "METADATA": _Operator(rf"({_METADATA}):[^\n]+", cut=True),
    "CEL": _Operator(r".+", cut=True),
    "COMMON_DURATION": _Operator(r"[^:?]+:[^:?]+(:(ms|us|ns))?"),
    "GRPC_STATUS": _Operator(r"(CAMEL_STRING|SNAKE_STRING|NUMBER)?"),
    "PATH": _Operator(r"((WQ|NQ)(:(PATH|ORIG|ORIG_OR_PATH))?)?", cut=True),
    "QUERY_PARAMS": _Operator(r"(ORIG|DECODED)?", cut=True),
}


def problem(text: str) -> str:
    """Why Envoy would refuse ``text`` as a format; empty: it takes it."""
    place = 0
    while (place := text.find("%", place)) >= 0:
        if text.startswith("%%", place):
            place += 2
            continue
        command = _COMMAND.match(text, place)
        if command is None:
            return f"no operator begins at {text[place : place + 20]!r}; a percent sign is written %%"
        found = _command(*command.groups())
        if found:
            return found
        place = command.end()
    return ""


def problem_in_value(text: str) -> str:
    """As :func:`problem`, of a header or a tag: what needs the formatter of access logs is no operator there."""
    if "%REQ_WITHOUT_QUERY" in text:
        return "REQ_WITHOUT_QUERY is an operator of access logs only"
    return problem(text)


def is_header_name(name: str) -> bool:
    """Of a header, or of one of Envoy's own such as ``:path``."""
    return re.fullmatch(_HEADER_NAME, name) is not None


def problem_in(fields: Any) -> str:
    """As :func:`problem`, of the first faulty text in the values of a JSON object, however deep."""
    values = fields.values() if isinstance(fields, Mapping) else fields if isinstance(fields, list | tuple) else ()
    if isinstance(fields, str):
        return problem(fields)
    return next(filter(None, map(problem_in, values)), "")


def _command(name: str, arguments: str | None, length: str | None) -> str:
    operator = _OPERATORS.get(name)
    if operator is None:
        return f"{name} is no operator that a proxy knows"
    if not re.fullmatch(operator.arguments, arguments or "", re.DOTALL):
        return f"{name} does not take the arguments {arguments!r}" if arguments else f"{name} needs arguments"
    if length is not None and not operator.cut:
        return f"{name} cannot be cut to a length"
    if name == "CEL" and (wrong := cel.problem(arguments or "")):
        return f"CEL expression {arguments!r}: {wrong}"
    return ""
