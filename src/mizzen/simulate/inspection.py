"""What the listener filters find out about a connection before a filter chain is chosen.

``tls_inspector`` tells TLS from plain text and reads SNI and ALPN from the client's hello; ``http_inspector`` looks at
plain text only and sets ``http/1.0``, ``http/1.1`` or ``h2c`` as if it were ALPN. A filter that is disabled for a port
finds nothing there, and without a TLS inspector TLS counts as plain bytes (Envoy, listener filters).
"""

from __future__ import annotations

from dataclasses import dataclass

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2

from mizzen.simulate.call import Call, Speech
from mizzen.simulate.outcome import Candidate, Stage, Step

TLS = "tls"
PLAIN = "raw_buffer"
_TLS_INSPECTOR = "envoy.filters.listener.tls_inspector"
_HTTP_INSPECTOR = "envoy.filters.listener.http_inspector"
_HTTP_AS_ALPN = {Speech.HTTP10: "http/1.0", Speech.HTTP1: "http/1.1", Speech.HTTP2: "h2c"}
_ENVOYS_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Detected:
    """What filter chains are matched against. ``waits``: an inspector waits for bytes, and no timeout ends that."""

    transport: str = PLAIN
    server_name: str = ""
    protocols: tuple[str, ...] = ()
    waits: bool = False


def inspect(listener: listener_pb2.Listener, call: Call) -> tuple[Detected, Step]:
    """What is known of ``call`` after the listener filters of ``listener``."""
    active, off = _filters(listener, call.port)
    if call.speech is Speech.SILENT and not call.encrypted and active & {_TLS_INSPECTOR, _HTTP_INSPECTOR}:
        return _silence(listener, off)
    detected, why = _found(active, call)
    return detected, Step(Stage.INSPECTION, detected.transport, why, off)


def _found(active: set[str], call: Call) -> tuple[Detected, str]:
    if call.encrypted:
        if _TLS_INSPECTOR not in active:
            return Detected(), "the client speaks TLS, but nothing inspects it: to this listener it is bytes"
        name = call.sni.lower()
        said = f"TLS for {name or 'no name'}, offering {', '.join(call.alpn) or 'no protocol'}"
        return Detected(TLS, name, call.alpn), said
    if _HTTP_INSPECTOR in active and call.speech in _HTTP_AS_ALPN:
        protocol = _HTTP_AS_ALPN[call.speech]
        return Detected(protocols=(protocol,)), f"plain text; the bytes are HTTP ({protocol})"
    looked = "nothing looks whether it is HTTP" if _HTTP_INSPECTOR not in active else "the bytes are no HTTP"
    return Detected(), f"plain text; {looked}"


def _silence(listener: listener_pb2.Listener, off: tuple[Candidate, ...]) -> tuple[Detected, Step]:
    """An inspector and a client that waits for the server: only the timeout gets the connection on (row PR-06)."""
    given = listener.HasField("listener_filters_timeout")
    seconds = listener.listener_filters_timeout.ToTimedelta().total_seconds() if given else _ENVOYS_TIMEOUT_SECONDS
    if not seconds:
        return Detected(waits=True), Step(Stage.INSPECTION, "", "an inspector waits for the client, without end", off)
    if not listener.continue_on_listener_filters_timeout:
        return Detected(waits=True), Step(Stage.INSPECTION, "", f"the connection is closed after {seconds:g} s", off)
    return Detected(), Step(Stage.INSPECTION, PLAIN, f"the client said nothing for {seconds:g} s", off)


def _filters(listener: listener_pb2.Listener, port: int) -> tuple[set[str], tuple[Candidate, ...]]:
    active, off = set(), []
    for entry in listener.listener_filters:
        if entry.HasField("filter_disabled") and _fits(entry.filter_disabled, port):
            off.append(Candidate(entry.name, f"switched off for port {port}"))
        else:
            active.add(entry.name)
    return active, tuple(off)


def _fits(rule: components.ListenerFilterChainMatchPredicate, port: int) -> bool:
    kind = rule.WhichOneof("rule")
    if kind == "destination_port_range":
        return bool(rule.destination_port_range.start <= port < rule.destination_port_range.end)
    if kind == "not_match":
        return not _fits(rule.not_match, port)
    if kind == "or_match":
        return any(_fits(one, port) for one in rule.or_match.rules)
    if kind == "and_match":
        return all(_fits(one, port) for one in rule.and_match.rules)
    return bool(rule.any_match)
