"""The listener filters of ``virtualInbound``: one inspector of each sort, switched off where it would do harm.

A TLS inspector on a port whose mTLS mode is DISABLE would break an app that brings its own TLS (row PA-03), an HTTP
inspector on a declared port would make a server-first protocol wait.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

from envoy.config.listener.v3 import listener_components_pb2 as pb
from envoy.extensions.filters.listener.http_inspector.v3 import http_inspector_pb2
from envoy.extensions.filters.listener.original_dst.v3 import original_dst_pb2
from envoy.extensions.filters.listener.original_src.v3 import original_src_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2

from mizzen.model.protocol import Protocol
from mizzen.model.view import Inbound, MtlsMode
from mizzen.translate.chains import sniffs_http
from mizzen.translate.messages import any_of

TPROXY_MARK = 1337
"""As capture sets it by default (``istio-iptables -t``)."""

Predicate: TypeAlias = pb.ListenerFilterChainMatchPredicate


def listener_filters(inbound: Inbound) -> list[pb.ListenerFilter]:
    """original_dst, then tls_inspector and http_inspector where a chain needs what they find."""
    found = [
        pb.ListenerFilter(
            name="envoy.filters.listener.original_dst", typed_config=any_of(original_dst_pb2.OriginalDst())
        )
    ]
    if inbound.interception == "TPROXY":
        found.append(_original_source())
    modes = dict(inbound.unlisted) | {port.port: port.mtls for port in inbound.ports}
    protocols = {port.port: port.protocol for port in inbound.ports}
    ended = {port.port for port in inbound.ports if port.tls is not None}
    tls = {port: mode is not MtlsMode.DISABLE or port in ended for port, mode in modes.items()}
    http = {port: sniffs_http(mode, protocols.get(port, Protocol.UNSUPPORTED)) for port, mode in modes.items()}
    own = inbound.mesh.proxy_inbound_listen_port

    inspector = tls_inspector_pb2.TlsInspector()
    inspector.initial_read_buffer_size.value = 512
    tls_filter = pb.ListenerFilter(name="envoy.filters.listener.tls_inspector", typed_config=any_of(inspector))
    http_filter = pb.ListenerFilter(
        name="envoy.filters.listener.http_inspector", typed_config=any_of(http_inspector_pb2.HttpInspector())
    )
    for listener_filter, elsewhere, by_port in (
        (tls_filter, inbound.mtls is not MtlsMode.DISABLE, tls),
        (http_filter, sniffs_http(inbound.mtls, Protocol.UNSUPPORTED), http),
    ):
        if _switch(listener_filter, elsewhere, by_port, own):
            found.append(listener_filter)
    return found


def _original_source() -> pb.ListenerFilter:
    """Envoy calls the app from the client's address; the mark keeps these packets out of capture (row TC-07)."""
    config = original_src_pb2.OriginalSrc(mark=TPROXY_MARK)
    return pb.ListenerFilter(name="envoy.filters.listener.original_src", typed_config=any_of(config))


def _switch(listener_filter: pb.ListenerFilter, elsewhere: bool, by_port: Mapping[int, bool], own: int) -> bool:
    """Set on which ports the filter is disabled; false when no port needs it at all."""
    if elsewhere:
        off = [port for port, needed in by_port.items() if not needed]
        listener_filter.filter_disabled.CopyFrom(_any_of_ports({*off, own}))
        return True
    on = {port for port, needed in by_port.items() if needed}
    if on:
        listener_filter.filter_disabled.not_match.CopyFrom(_any_of_ports(on))
    return bool(on)


def _any_of_ports(ports: Collection[int]) -> Predicate:
    """Envoy wants at least two rules in an ``or_match``."""
    rules = []
    for port in sorted(ports):
        rule = Predicate()
        rule.destination_port_range.start, rule.destination_port_range.end = port, port + 1
        rules.append(rule)
    return rules[0] if len(rules) == 1 else Predicate(or_match=Predicate.MatchSet(rules=rules))
