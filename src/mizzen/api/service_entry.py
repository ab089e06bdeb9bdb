"""networking.istio.io ServiceEntry, WorkloadEntry and WorkloadGroup. Rows SE-*, WE-*."""

from __future__ import annotations

from msgspec import Struct

from mizzen.api.gateway import Port
from mizzen.api.meta import Duration, WorkloadSelector


class WorkloadEntry(Struct, frozen=True, kw_only=True, rename="camel"):
    address: str = ""
    ports: dict[str, int] = {}
    labels: dict[str, str] = {}
    network: str = ""
    locality: str = ""
    weight: int = 0
    service_account: str = ""


class Condition(Struct, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""


class WorkloadEntryStatus(Struct, frozen=True, kw_only=True):
    """What a health check of the workload came to; written by the control plane, or by whoever checks instead of it."""

    conditions: tuple[Condition, ...] = ()

    @property
    def healthy(self) -> bool:
        return any(c.type == "Healthy" and c.status.lower() == "true" for c in self.conditions)


class ServiceEntry(Struct, frozen=True, kw_only=True, rename="camel"):
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    location: str = "MESH_EXTERNAL"
    resolution: str = "NONE"
    endpoints: tuple[WorkloadEntry, ...] = ()
    workload_selector: WorkloadSelector | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()


class WorkloadGroupMetadata(Struct, frozen=True, kw_only=True):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class HTTPHeader(Struct, frozen=True, kw_only=True):
    name: str = ""
    value: str = ""


class HTTPHealthCheck(Struct, frozen=True, kw_only=True, rename="camel"):
    http_headers: tuple[HTTPHeader, ...] = ()
    path: str = ""
    port: int = 0
    host: str = ""
    scheme: str = ""


class TCPHealthCheck(Struct, frozen=True, kw_only=True):
    host: str = ""
    port: int = 0


class ExecHealthCheck(Struct, frozen=True, kw_only=True):
    command: tuple[str, ...] = ()


class GrpcHealthCheck(Struct, frozen=True, kw_only=True):
    port: int = 0
    service: str = ""


class ReadinessProbe(Struct, frozen=True, kw_only=True, rename="camel"):
    initial_delay_seconds: int = 0
    timeout_seconds: int = 0
    period_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    http_get: HTTPHealthCheck | None = None
    tcp_socket: TCPHealthCheck | None = None
    exec: ExecHealthCheck | None = None
    grpc: GrpcHealthCheck | None = None
    timeout: Duration | None = None


class WorkloadGroup(Struct, frozen=True, kw_only=True):
    metadata: WorkloadGroupMetadata | None = None
    template: WorkloadEntry | None = None
    probe: ReadinessProbe | None = None
