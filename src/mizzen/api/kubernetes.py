"""The part of Kubernetes' own kinds that Mizzen's core reads. The body of each is the whole document."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

from msgspec import Struct, field

from mizzen.api.meta import LabelSelector


class ServicePort(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    port: int = 0
    protocol: str = "TCP"
    target_port: int | str | None = None
    app_protocol: str | None = None
    node_port: int = 0


class ServiceSpec(Struct, frozen=True, kw_only=True, rename="camel"):
    ports: tuple[ServicePort, ...] = ()
    selector: dict[str, str] = {}
    cluster_ip: str = field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] = field(default=(), name="clusterIPs")
    type: str = "ClusterIP"
    external_name: str = ""
    external_ips: tuple[str, ...] = field(default=(), name="externalIPs")
    publish_not_ready_addresses: bool = False
    internal_traffic_policy: str = ""
    session_affinity: str = ""
    traffic_distribution: str = ""


class Service(Struct, frozen=True, kw_only=True):
    spec: ServiceSpec = ServiceSpec()
    status: dict[str, Any] = {}

    @property
    def balancer(self) -> list[tuple[str, str]]:
        """Address and host name of each entry of its load balancer; either may be empty. What has no such form is left out."""
        block = self.status.get("loadBalancer")
        entries = block.get("ingress") if isinstance(block, dict) else None
        found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        return [(str(entry.get("ip") or ""), str(entry.get("hostname") or "")) for entry in found]


class ContainerPort(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    container_port: int = 0
    protocol: str = "TCP"


class Container(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    image: str = ""
    ports: tuple[ContainerPort, ...] = ()


class PodSpec(Struct, frozen=True, kw_only=True, rename="camel"):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    service_account_name: str = ""
    node_name: str = ""
    hostname: str = ""
    subdomain: str = ""
    host_network: bool = False


class PodTemplateMeta(Struct, frozen=True, kw_only=True):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class PodTemplate(Struct, frozen=True, kw_only=True):
    metadata: PodTemplateMeta = PodTemplateMeta()
    spec: PodSpec = PodSpec()


class ControllerSpec(Struct, frozen=True, kw_only=True, rename="camel"):
    replicas: int | None = None
    parallelism: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None


class Controller(Struct, frozen=True, kw_only=True):
    """What makes pods of a template: Deployment, StatefulSet, DaemonSet, Job."""

    spec: ControllerSpec = ControllerSpec()


class PodCondition(Struct, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""


class PodStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    phase: str = ""
    pod_ip: str = field(default="", name="podIP")
    host_ip: str = field(default="", name="hostIP")
    conditions: tuple[PodCondition, ...] = ()

    @property
    def ready(self) -> bool:
        return any(c.type == "Ready" and c.status == "True" for c in self.conditions)


class NodeAddress(Struct, frozen=True, kw_only=True):
    type: str = ""
    address: str = ""


class NodeStatus(Struct, frozen=True, kw_only=True):
    addresses: tuple[NodeAddress, ...] = ()


class Node(Struct, frozen=True, kw_only=True):
    status: NodeStatus = NodeStatus()


class Pod(Struct, frozen=True, kw_only=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ObjectReference(Struct, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""


class EndpointConditions(Struct, frozen=True, kw_only=True):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class SliceEndpoint(Struct, frozen=True, kw_only=True, rename="camel"):
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    hostname: str = ""
    node_name: str = ""
    zone: str = ""
    target_ref: ObjectReference | None = None


class SlicePort(Struct, frozen=True, kw_only=True):
    name: str = ""
    port: int = 0
    protocol: str = "TCP"


class EndpointSlice(Struct, frozen=True, kw_only=True, rename="camel"):
    """Its Service is named by the label ``kubernetes.io/service-name``."""

    address_type: str = "IPv4"
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[SlicePort, ...] = ()


class Secret(Struct, frozen=True, kw_only=True, rename="camel"):
    """``data`` is base64 text as in the document; ``repr`` hides it."""

    type: str = ""
    data: dict[str, str] = {}
    string_data: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Secret(type={self.type!r}, keys={sorted({*self.data, *self.string_data})})"

    @property
    def held(self) -> dict[str, bytes]:
        """By key; ``stringData`` goes first, as in Kubernetes. What is no base64 is left out."""
        found: dict[str, bytes] = {}
        for key, value in self.data.items():
            with contextlib.suppress(ValueError):
                found[key] = base64.b64decode(value, validate=True)
        return found | {key: value.encode() for key, value in self.string_data.items()}


class ConfigMap(Struct, frozen=True, kw_only=True):
    data: dict[str, str] = {}

    @property
    def held(self) -> dict[str, bytes]:
        """By key, as of a Secret."""
        return {key: value.encode() for key, value in self.data.items()}


class BackendPort(Struct, frozen=True, kw_only=True):
    name: str = ""
    number: int = 0


class ServiceBackend(Struct, frozen=True, kw_only=True):
    name: str = ""
    port: BackendPort | None = None


class IngressBackend(Struct, frozen=True, kw_only=True):
    service: ServiceBackend | None = None
    resource: dict[str, Any] | None = None


class IngressPath(Struct, frozen=True, kw_only=True, rename="camel"):
    path: str = ""
    path_type: str = ""
    backend: IngressBackend | None = None


class IngressPaths(Struct, frozen=True, kw_only=True):
    paths: tuple[IngressPath, ...] = ()


class IngressRule(Struct, frozen=True, kw_only=True):
    host: str = ""
    http: IngressPaths | None = None


class IngressTLS(Struct, frozen=True, kw_only=True, rename="camel"):
    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class IngressSpec(Struct, frozen=True, kw_only=True, rename="camel"):
    ingress_class_name: str = ""
    default_backend: IngressBackend | None = None
    tls: tuple[IngressTLS, ...] = ()
    rules: tuple[IngressRule, ...] = ()


class Ingress(Struct, frozen=True, kw_only=True):
    spec: IngressSpec = IngressSpec()


class IngressClassSpec(Struct, frozen=True, kw_only=True):
    controller: str = ""


class IngressClass(Struct, frozen=True, kw_only=True):
    spec: IngressClassSpec = IngressClassSpec()


class Opaque(Struct, frozen=True, kw_only=True):
    """A kind that the core carries but does not look into (Namespace, Node, ServiceAccount, Ingress, …)."""
