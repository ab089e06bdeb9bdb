"""Gateway. Rows GW-01 to GW-24; ``server_tls`` judges the TLS settings."""

from __future__ import annotations

from mizzen.api.gateway import Gateway, Server
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.check.validators import server_tls

_PLAIN_HTTP = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
_SECURE = ("HTTPS", "TLS")


def validate(spec: Gateway, notes: Notes) -> None:
    if not spec.servers:
        notes.error("spec.servers", "at least one server is required")
        return
    for key, value in spec.selector.items():
        notes.need(bool(key), "spec.selector", "a label needs a key")
        notes.need("*" not in key + value, "spec.selector", "wildcard is not supported in selector")
    for index, server in enumerate(spec.servers):
        _server(server, f"spec.servers[{index}]", notes)
    names = [server.port.name for server in spec.servers if server.port is not None and server.port.name]
    rules.unique(notes, "spec.servers", names, "port names must differ inside a Gateway")


def _server(server: Server, path: str, notes: Notes) -> None:
    if not notes.need(bool(server.hosts), f"{path}.hosts", "at least one host is required"):
        return
    for index, host in enumerate(server.hosts):
        _host(host, f"{path}.hosts[{index}]", notes)
    _port(server, path, notes)
    if server.bind:
        unix = server.bind.startswith(("unix://", "/", "@"))
        notes.need(unix or rules.is_ip(server.bind), f"{path}.bind", f"{server.bind!r} is no address and no unix path")
        rules.unix_path(notes, f"{path}.bind", server.bind)
    if server.default_endpoint:
        notes.warn(f"{path}.defaultEndpoint", "defaultEndpoint has no effect", codes.NO_EFFECT)
    _tls(server, path, notes)


def _host(host: str, path: str, notes: Notes) -> None:
    namespace, slash, name = host.rpartition("/")
    if slash:
        ok = namespace in (".", "*") or rules.DNS_LABEL.fullmatch(namespace) is not None
        notes.need(ok, path, f"{namespace!r} is no namespace, '.' or '*'")
    rules.host_or_ip(notes, path, name)


def _port(server: Server, path: str, notes: Notes) -> None:
    where = f"{path}.port"
    if server.port is None:
        notes.error(where, "a port is required")
        return
    notes.need(bool(server.port.name), f"{where}.name", "a port needs a name: it is part of the names of routes")
    if notes.need(bool(server.port.protocol), f"{where}.protocol", "a protocol is required"):
        rules.protocol(notes, f"{where}.protocol", server.port.protocol)
    unix = server.bind.startswith(("unix://", "/", "@"))
    if unix:
        notes.need(server.port.number == 0, f"{where}.number", "a unix path takes port 0")
    else:
        rules.port(notes, f"{where}.number", server.port.number)
    notes.need(not server.port.target_port, f"{where}.targetPort", "targetPort has no effect here; leave it out")


def _tls(server: Server, path: str, notes: Notes) -> None:
    """Row GW-03: HTTPS and TLS need a tls block; of the others only the HTTP family may redirect."""
    protocol = server.port.protocol.upper() if server.port is not None else ""
    if protocol in _SECURE:
        if notes.need(server.tls is not None, f"{path}.tls", f"{protocol} needs tls") and server.tls is not None:
            server_tls.validate(server.tls, f"{path}.tls", notes)
            if server.tls.https_redirect:
                notes.warn(f"{path}.tls.httpsRedirect", "httpsRedirect belongs to an HTTP server")
        return
    if server.tls is None:
        return
    if protocol in _PLAIN_HTTP:
        bare = server.tls.mode == "PASSTHROUGH" and not server_tls.certificates(server.tls)
        notes.need(bare, f"{path}.tls", f"{protocol} has no TLS but httpsRedirect; use protocol HTTPS")
    else:
        notes.error(f"{path}.tls", f"{protocol or 'a port without protocol'} has no TLS; use protocol TLS")
