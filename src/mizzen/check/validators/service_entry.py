"""ServiceEntry. Rows SE-01 to SE-12."""

from __future__ import annotations

from mizzen.api.gateway import Port
from mizzen.api.service_entry import ServiceEntry, WorkloadEntry
from mizzen.check import rules
from mizzen.check.notes import Notes
from mizzen.check.validators import workload

NO_ADDRESS = "IST0134"
_BY_HOST = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS")
_DYNAMIC = ("HTTP", "HTTP2", "GRPC", "TLS")


def validate(spec: ServiceEntry, notes: Notes) -> None:
    _hosts(spec, notes)
    _addresses(spec, notes)
    _ports(spec, notes)
    _endpoints(spec, notes)
    _resolution(spec, notes)
    rules.selector(notes, "spec.workloadSelector", spec.workload_selector)
    rules.export_to(notes, "spec.exportTo", spec.export_to, none=True)


def _hosts(spec: ServiceEntry, notes: Notes) -> None:
    notes.need(1 <= len(spec.hosts) <= 256, "spec.hosts", "1 to 256 hosts are required")
    for index, host in enumerate(spec.hosts):
        path = f"spec.hosts[{index}]"
        if notes.need(host != "*", path, "hostname cannot be wildcard"):
            rules.wildcard_host(notes, path, host, partial=True)
    rules.unique(notes, "spec.hosts", spec.hosts, "hosts must differ")


def _addresses(spec: ServiceEntry, notes: Notes) -> None:
    for index, address in enumerate(spec.addresses):
        path = f"spec.addresses[{index}]"
        if notes.need(rules.is_cidr(address), path, f"{address!r} is no address and no range") and _is_range(address):
            fits = spec.resolution in ("NONE", "STATIC")
            notes.need(fits, path, f"a range of addresses goes with resolution NONE or STATIC, not {spec.resolution}")
    opaque = [port for port in spec.ports if port.protocol.upper() in ("", "TCP", "MONGO", "MYSQL", "REDIS")]
    if opaque and not spec.addresses and spec.resolution == "NONE":
        notes.warn("spec.addresses", "without addresses a TCP port takes traffic to every address", NO_ADDRESS)


def _is_range(address: str) -> bool:
    prefix = address.partition("/")[2]
    return bool(prefix) and prefix not in ("32", "128")


def _ports(spec: ServiceEntry, notes: Notes) -> None:
    for index, port in enumerate(spec.ports):
        _port(port, f"spec.ports[{index}]", notes)
    rules.unique(notes, "spec.ports", [port.number for port in spec.ports], "port numbers must differ")
    rules.unique(notes, "spec.ports", [port.name for port in spec.ports if port.name], "port names must differ")
    if len(spec.hosts) > 1 and spec.resolution != "NONE":
        for index, port in enumerate(spec.ports):
            named = port.protocol.upper() in _BY_HOST
            notes.need(
                named, f"spec.ports[{index}]", "several hosts need ports whose traffic names the host: HTTP or TLS"
            )


def _port(port: Port, path: str, notes: Notes) -> None:
    rules.port(notes, f"{path}.number", port.number)
    named = rules.DNS_LABEL.fullmatch(port.name) is not None and len(port.name) <= 63
    notes.need(named, f"{path}.name", "a port needs a name: lower-case letters, digits, '-'")
    rules.protocol(notes, f"{path}.protocol", port.protocol)
    if port.target_port:
        rules.port(notes, f"{path}.targetPort", port.target_port)


def _endpoints(spec: ServiceEntry, notes: Notes) -> None:
    if spec.endpoints and spec.workload_selector is not None:
        notes.error("spec.workloadSelector", "only one of endpoints and workloadSelector may be set")
    names = {port.name for port in spec.ports}
    for index, endpoint in enumerate(spec.endpoints):
        path = f"spec.endpoints[{index}]"
        workload.entry(endpoint, path, notes, needs_address=True)
        for name in endpoint.ports:
            notes.need(name in names, f"{path}.ports.{name}", f"the ServiceEntry has no port called {name!r}")
        _endpoint_address(spec, endpoint, path, notes)


def _endpoint_address(spec: ServiceEntry, endpoint: WorkloadEntry, path: str, notes: Notes) -> None:
    where = f"{path}.address"
    if endpoint.address.startswith(workload.UNIX):
        notes.need(spec.resolution == "STATIC", where, "a unix address goes with resolution STATIC")
        notes.need(len(spec.ports) == 1, where, "a unix address goes with exactly one port")
    elif endpoint.address and not rules.is_ip(endpoint.address):
        fits = spec.resolution in ("DNS", "DNS_ROUND_ROBIN")
        notes.need(fits, where, f"a host name goes with resolution DNS, not {spec.resolution}")


def _resolution(spec: ServiceEntry, notes: Notes) -> None:
    path = "spec.resolution"
    wild = any(host.startswith("*") for host in spec.hosts)
    if spec.resolution == "NONE":
        notes.need(not spec.endpoints, "spec.endpoints", "endpoints do not go with resolution NONE")
        if spec.workload_selector is not None and spec.workload_selector.match_labels:
            notes.warn(
                "spec.workloadSelector", "resolution NONE uses the address of the caller, not the selected workloads"
            )
    elif spec.resolution == "DNS_ROUND_ROBIN":
        notes.need(len(spec.endpoints) <= 1, "spec.endpoints", "DNS_ROUND_ROBIN mode cannot have multiple endpoints")
    elif spec.resolution == "DYNAMIC_DNS":
        _dynamic(spec, notes)
    if spec.resolution in ("DNS", "DNS_ROUND_ROBIN") and not spec.endpoints and spec.workload_selector is None:
        notes.need(not wild, path, "a wildcard host cannot be resolved; give endpoints")
    if spec.resolution == "DNS" and len(spec.hosts) > 1 and spec.addresses:
        notes.warn(
            "spec.addresses",
            "one address stands for several hosts; only the host that a request names tells them apart",
        )


def _dynamic(spec: ServiceEntry, notes: Notes) -> None:
    """Row SE-09."""
    notes.need(all(host.startswith("*") for host in spec.hosts), "spec.hosts", "DYNAMIC_DNS takes wildcard hosts only")
    notes.need(not spec.addresses, "spec.addresses", "addresses do not go with DYNAMIC_DNS")
    notes.need(not spec.endpoints, "spec.endpoints", "endpoints do not go with DYNAMIC_DNS")
    notes.need(spec.location == "MESH_EXTERNAL", "spec.location", "DYNAMIC_DNS is for services outside the mesh")
    for index, port in enumerate(spec.ports):
        fits = port.protocol.upper() in _DYNAMIC
        notes.need(fits, f"spec.ports[{index}].protocol", f"DYNAMIC_DNS takes {', '.join(_DYNAMIC)} only")
