"""Sidecar. Rows SC-01 to SC-08."""

from __future__ import annotations

from mizzen.api.gateway import Port
from mizzen.api.sidecar import IstioEgressListener, IstioIngressListener, Sidecar
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.check.validators import server_tls
from mizzen.check.validators.http_route_destination import destination
from mizzen.check.validators.traffic_policy import connection_pool

_LOCAL = ("127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104 (compared with, not bound to)
_UNIX = ("unix://", "/", "@")


def validate(spec: Sidecar, notes: Notes) -> None:
    rules.selector(notes, "spec.workloadSelector", spec.workload_selector)
    empty = not (spec.ingress or spec.egress or spec.outbound_traffic_policy or spec.inbound_connection_pool)
    notes.need(not empty, "spec", "one of ingress, egress, outboundTrafficPolicy and inboundConnectionPool is required")
    for index, listener in enumerate(spec.ingress):
        _ingress(listener, f"spec.ingress[{index}]", notes)
    numbers = [listener.port.number for listener in spec.ingress if listener.port is not None]
    rules.unique(notes, "spec.ingress", numbers, "ports must differ")
    _egress(spec, notes)
    if spec.inbound_connection_pool is not None:
        connection_pool(spec.inbound_connection_pool, "spec.inboundConnectionPool", notes)
    policy = spec.outbound_traffic_policy
    if policy is not None:
        fits = policy.mode != "ALLOW_ANY_DYNAMIC_DNS"
        notes.need(fits, "spec.outboundTrafficPolicy.mode", "ALLOW_ANY_DYNAMIC_DNS is for the whole mesh only")
        if policy.egress_proxy is not None:
            destination(policy.egress_proxy, "spec.outboundTrafficPolicy.egressProxy", notes)


def _ingress(listener: IstioIngressListener, path: str, notes: Notes) -> None:
    if listener.port is None:
        notes.error(f"{path}.port", "a port is required")
    else:
        _port(listener.port, f"{path}.port", notes)
    if listener.bind:
        notes.need(rules.is_ip(listener.bind), f"{path}.bind", f"{listener.bind!r} is no address")
    if listener.default_endpoint:
        _default_endpoint(listener.default_endpoint, f"{path}.defaultEndpoint", notes)
    if listener.connection_pool is not None:
        connection_pool(listener.connection_pool, f"{path}.connectionPool", notes)
        plain = listener.port is not None and listener.port.protocol.upper() in (
            "TCP",
            "TLS",
            "MONGO",
            "MYSQL",
            "REDIS",
        )
        if plain and listener.connection_pool.http is not None:
            notes.warn(f"{path}.connectionPool.http", "http settings have no effect on a TCP port")
    if listener.tls is not None:
        _ingress_tls(listener, f"{path}.tls", notes)


def _ingress_tls(listener: IstioIngressListener, path: str, notes: Notes) -> None:
    tls = listener.tls
    if tls is None:
        return
    notes.need(not tls.https_redirect, f"{path}.httpsRedirect", "not supported on a sidecar")
    notes.need(not tls.credential_name, f"{path}.credentialName", "not supported on a sidecar; mount files")
    notes.need(not tls.credential_names, f"{path}.credentialNames", "not supported on a sidecar; mount files")
    notes.need(
        not tls.tls_certificates, f"{path}.tlsCertificates", "not supported on a sidecar; one pair of files only"
    )
    if tls.mode in ("ISTIO_MUTUAL", "PASSTHROUGH", "AUTO_PASSTHROUGH"):
        notes.error(f"{path}.mode", f"{tls.mode} is not supported on a sidecar: SIMPLE, MUTUAL or OPTIONAL_MUTUAL")
    else:
        server_tls.validate(tls, path, notes)
    protocol = listener.port.protocol.upper() if listener.port is not None else ""
    if protocol not in ("HTTPS", "TLS"):
        notes.warn(path, f"a port of protocol {protocol or '(none)'} ends no TLS; use HTTPS or TLS", codes.NO_EFFECT)


def _default_endpoint(endpoint: str, path: str, notes: Notes) -> None:
    if endpoint.startswith("unix://"):
        socket = endpoint.removeprefix("unix://")
        notes.need(len(socket) > 1 and socket.startswith(("/", "@")), path, "a unix address is an absolute path")
        rules.unix_path(notes, path, endpoint)
        return
    host, _, port = endpoint.rpartition(":")
    known = host.strip("[]") in _LOCAL
    notes.need(known, path, f"{endpoint!r} must be 127.0.0.1:PORT, [::1]:PORT, 0.0.0.0:PORT, [::]:PORT or unix:///PATH")
    if notes.need(port.isascii() and port.isdecimal() and len(port) < 6, path, f"{port!r} is no port"):
        rules.port(notes, path, int(port))


def _port(port: Port, path: str, notes: Notes, unix: bool = False) -> None:
    if unix:
        notes.need(port.number == 0, f"{path}.number", "a unix path takes port 0")
    else:
        rules.port(notes, f"{path}.number", port.number)
    notes.need(bool(port.protocol), f"{path}.protocol", "a protocol is required")
    rules.protocol(notes, f"{path}.protocol", port.protocol, extra=("HTTP_PROXY",))
    notes.need(not port.target_port, f"{path}.targetPort", "targetPort has no effect here; leave it out")


def _egress(spec: Sidecar, notes: Notes) -> None:
    catch_all = 0
    binds: list[object] = []
    for index, listener in enumerate(spec.egress):
        path = f"spec.egress[{index}]"
        _egress_listener(listener, path, notes)
        if listener.port is None:
            catch_all += 1
            last = index == len(spec.egress) - 1
            notes.need(last, path, "a listener without port takes all others, so it must be the last one")
        else:
            binds.append((listener.bind, listener.port.number))
    notes.need(catch_all <= 1, "spec.egress", "only one listener may have no port")
    rules.unique(notes, "spec.egress", binds, "bind and port must differ")


def _egress_listener(listener: IstioEgressListener, path: str, notes: Notes) -> None:
    unix = listener.bind.startswith(_UNIX)
    if listener.port is not None:
        _port(listener.port, f"{path}.port", notes, unix)
    elif listener.bind:
        notes.error(f"{path}.bind", "bind needs a port")
    if listener.bind:
        notes.need(
            unix or rules.is_ip(listener.bind), f"{path}.bind", f"{listener.bind!r} is no address and no unix path"
        )
    if unix:
        rules.unix_path(notes, f"{path}.bind", listener.bind)
        notes.need(listener.capture_mode in ("DEFAULT", "NONE"), f"{path}.captureMode", "a unix path is not captured")
    if notes.need(bool(listener.hosts), f"{path}.hosts", "at least one host is required"):
        for index, host in enumerate(listener.hosts):
            _egress_host(host, f"{path}.hosts[{index}]", notes)
    wide = {host.partition("/")[0] for host in listener.hosts if host.endswith("/*")}
    for host in listener.hosts:
        namespace, _, name = host.partition("/")
        if name != "*" and (namespace in wide or "*" in wide) and not namespace.startswith("~"):
            notes.warn(f"{path}.hosts", f"{host!r} is covered by a wider entry")
            break


def _egress_host(host: str, path: str, notes: Notes) -> None:
    """``NAMESPACE/HOST``; a leading ``~`` excludes (row SC-02)."""
    namespace, slash, name = host.partition("/")
    if not notes.need(bool(slash), path, f"{host!r} must be NAMESPACE/HOST"):
        return
    excluded = namespace.startswith("~")
    bare = namespace.removeprefix("~")
    ok = bare in (".", "*") or rules.DNS_LABEL.fullmatch(bare) is not None or (excluded and not bare)
    notes.need(ok, path, f"{namespace!r} is no namespace, '.', '*' or '~'")
    rules.wildcard_host(notes, path, name)
