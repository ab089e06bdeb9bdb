"""WorkloadEntry and WorkloadGroup. Rows WE-01 to WE-06."""

from __future__ import annotations

from mizzen.api.service_entry import ReadinessProbe, WorkloadEntry, WorkloadGroup
from mizzen.check import rules
from mizzen.check.notes import Notes

UNIX = "unix://"


def validate_entry(spec: WorkloadEntry, notes: Notes) -> None:
    entry(spec, "spec", notes, needs_address=True)


def validate_group(spec: WorkloadGroup, notes: Notes) -> None:
    if not notes.need(spec.template is not None, "spec.template", "a template is required") or spec.template is None:
        return
    entry(spec.template, "spec.template", notes, needs_address=False)
    if spec.metadata is not None:
        rules.labels(notes, "spec.metadata.labels", spec.metadata.labels)
    if spec.probe is not None:
        probe(spec.probe, "spec.probe", notes)


def entry(spec: WorkloadEntry, path: str, notes: Notes, needs_address: bool) -> None:
    """The fields of an entry, wherever it stands."""
    address(spec, path, notes, needs_address)
    for name, number in spec.ports.items():
        notes.need(rules.DNS_LABEL.fullmatch(name) is not None, f"{path}.ports", f"{name!r} is no port name")
        rules.port(notes, f"{path}.ports.{name}", number)
    rules.labels(notes, f"{path}.labels", spec.labels)
    notes.need(spec.weight >= 0, f"{path}.weight", "must be 0 or more")
    locality(spec.locality, f"{path}.locality", notes)


def address(spec: WorkloadEntry, path: str, notes: Notes, needed: bool) -> None:
    where = f"{path}.address"
    if not spec.address:
        notes.need(bool(spec.network) or not needed, where, "an address is required, unless a network is given")
    elif spec.address.startswith(UNIX):
        socket = spec.address.removeprefix(UNIX)
        notes.need(socket.startswith(("/", "@")), where, "a unix address is an absolute path")
        rules.unix_path(notes, where, spec.address)
        notes.need(not spec.ports, f"{path}.ports", "a unix address has no ports")
    elif not rules.is_ip(spec.address):
        notes.need(rules.fqdn(spec.address), where, f"{spec.address!r} is no address and no host name")


def locality(text: str, path: str, notes: Notes) -> None:
    parts = text.split("/")
    if text:
        notes.need(len(parts) <= 3 and bool(parts[0]), path, f"{text!r} is no locality: region/zone/subzone")


def probe(spec: ReadinessProbe, path: str, notes: Notes) -> None:
    handlers = (spec.http_get, spec.tcp_socket, spec.exec, spec.grpc)
    notes.need(any(h is not None for h in handlers), path, "a probe needs one of httpGet, tcpSocket, exec and grpc")
    for name in (
        "initial_delay_seconds",
        "timeout_seconds",
        "period_seconds",
        "success_threshold",
        "failure_threshold",
    ):
        notes.need(getattr(spec, name) >= 0, path, f"{name.replace('_', ' ')} must be 0 or more")
    if spec.http_get is not None:
        _http_get(spec, path, notes)
    if spec.tcp_socket is not None:
        rules.port(notes, f"{path}.tcpSocket.port", spec.tcp_socket.port)
    if spec.grpc is not None:
        rules.port(notes, f"{path}.grpc.port", spec.grpc.port)
    if spec.exec is not None:
        notes.need(bool(spec.exec.command), f"{path}.exec.command", "a command is required")


def _http_get(spec: ReadinessProbe, path: str, notes: Notes) -> None:
    if spec.http_get is None:
        return
    rules.port(notes, f"{path}.httpGet.port", spec.http_get.port)
    scheme = spec.http_get.scheme
    notes.need(scheme in ("", "http", "https", "HTTP", "HTTPS"), f"{path}.httpGet.scheme", f"{scheme!r} is no scheme")
    for index, header in enumerate(spec.http_get.http_headers):
        rules.header_name(notes, f"{path}.httpGet.httpHeaders[{index}].name", header.name)
