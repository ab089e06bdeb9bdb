"""The protocol of a port from its name, ``appProtocol`` or number (rows PR-01 to PR-05)."""

from __future__ import annotations

from mizzen.model.protocol import SERVER_FIRST, Protocol

_NAMES = {
    "http": Protocol.HTTP,
    "http2": Protocol.HTTP2,
    "https": Protocol.HTTPS,
    "grpc": Protocol.GRPC,
    "tcp": Protocol.TCP,
    "tls": Protocol.TLS,
    "mongo": Protocol.MONGO,
    "redis": Protocol.REDIS,
    "mysql": Protocol.MYSQL,
    "udp": Protocol.UDP,
    "hbone": Protocol.HBONE,
}
_KUBERNETES = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.HTTPS,
}


def named(text: str) -> Protocol:
    """The protocol that ``<protocol>`` or ``<protocol>-suffix`` declares; UNSUPPORTED when it declares none (row PR-02)."""
    lower = text.lower()
    if lower.startswith("grpc-web"):
        return Protocol.GRPC_WEB
    return _NAMES.get(lower.partition("-")[0], Protocol.UNSUPPORTED)


def of_service_port(name: str, number: int, transport: str, app_protocol: str | None) -> Protocol:
    """The protocol of a Kubernetes Service port; ``appProtocol`` beats the name even when unknown (row PR-01)."""
    if transport == "UDP":
        return Protocol.UDP
    declared = name if app_protocol is None else app_protocol
    protocol = _KUBERNETES.get(declared) or named(declared)
    if protocol is Protocol.UNSUPPORTED and number in SERVER_FIRST:
        return Protocol.TCP
    return protocol


def of_field(protocol: str) -> Protocol:
    """The protocol of a ServiceEntry, Sidecar or Gateway port, whose ``protocol`` field alone counts (row SE-03)."""
    if protocol.lower() == "grpc-web":
        return Protocol.GRPC_WEB
    return _NAMES.get(protocol.lower(), Protocol.UNSUPPORTED)
