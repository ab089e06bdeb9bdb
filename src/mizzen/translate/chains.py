"""Which filter chains one inbound port has, by mTLS mode and protocol (rows PA-01 to PA-03, IL-01; order is binding)."""

from __future__ import annotations

from dataclasses import dataclass

from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode

ALPN_MESH_HTTP = ("istio-http/1.0", "istio-http/1.1", "istio-h2")
ALPN_MESH_TCP = ("istio-peer-exchange", "istio")
ALPN_MESH = ("istio", "istio-peer-exchange", *ALPN_MESH_HTTP)
ALPN_PLAIN_HTTP = ("http/1.1", "h2c")

TLS = "tls"
RAW = "raw_buffer"


@dataclass(frozen=True)
class Shape:
    """One chain: its match, whether it reads HTTP, and whether it ends mTLS."""

    transport: str
    http: bool
    mtls: bool = False
    alpn: tuple[str, ...] = ()


_MTLS_ANY_HTTP = Shape(TLS, http=True, mtls=True)
_MTLS_ANY_TCP = Shape(TLS, http=False, mtls=True)
_MTLS_HTTP = Shape(TLS, http=True, mtls=True, alpn=ALPN_MESH_HTTP)
_MTLS_TCP = Shape(TLS, http=False, mtls=True, alpn=ALPN_MESH_TCP)
_OWN_TLS = Shape(TLS, http=False)
_PLAIN_HTTP = Shape(RAW, http=True)
_PLAIN_TCP = Shape(RAW, http=False)
_SNIFFED_HTTP = Shape(RAW, http=True, alpn=ALPN_PLAIN_HTTP)

_HTTP = {
    MtlsMode.PERMISSIVE: (Shape(TLS, http=True, mtls=True, alpn=ALPN_MESH), _PLAIN_HTTP),
    MtlsMode.STRICT: (_MTLS_ANY_HTTP,),
    MtlsMode.DISABLE: (_PLAIN_HTTP,),
}
_TCP = {
    MtlsMode.PERMISSIVE: (Shape(TLS, http=False, mtls=True, alpn=ALPN_MESH), _OWN_TLS, _PLAIN_TCP),
    MtlsMode.STRICT: (_MTLS_ANY_TCP,),
    MtlsMode.DISABLE: (_PLAIN_TCP,),
}
_DETECTED = {
    MtlsMode.PERMISSIVE: (_MTLS_HTTP, _SNIFFED_HTTP, _MTLS_TCP, _PLAIN_TCP, _OWN_TLS),
    MtlsMode.STRICT: (_MTLS_HTTP, _MTLS_ANY_TCP),
    MtlsMode.DISABLE: (_SNIFFED_HTTP, _PLAIN_TCP),
}


def shapes(mode: MtlsMode, protocol: Protocol) -> tuple[Shape, ...]:
    """The chains of a port of this protocol, in the order in which they are generated."""
    if protocol.is_http:
        return _HTTP[mode]
    return _DETECTED[mode] if protocol is Protocol.UNSUPPORTED else _TCP[mode]


def own_tls(protocol: Protocol) -> Shape:
    """The one chain of a port on which the proxy ends TLS of the user's own (row SC-05)."""
    return Shape(TLS, http=protocol is Protocol.HTTPS)


def sniffs_http(mode: MtlsMode, protocol: Protocol) -> bool:
    """Whether one of the port's chains needs the HTTP inspector."""
    return _SNIFFED_HTTP in shapes(mode, protocol)
