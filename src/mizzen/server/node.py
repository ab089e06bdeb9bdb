"""The node of an xDS request -> :class:`mizzen.model.proxy.Proxy` (row XD-09)."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any

from envoy.config.core.v3 import base_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.api import inline_yaml
from mizzen.api.meta import Object
from mizzen.errors import ProtocolError
from mizzen.model import locality
from mizzen.model.config import Config
from mizzen.model.identity import Identity
from mizzen.model.proxy import BOTH_FAMILIES, IPV6_ONLY, PROXY_FLAGS, Proxy, ProxyType
from mizzen.model.service import Locality
from mizzen.resolve.registration import Registrant, entry_name

PROXY_CONFIG = "proxy.istio.io/config"
_TRACERS = {"zipkin": "zipkin", "datadog": "datadog_agent"}


@dataclass(frozen=True)
class Node:
    """A proxy as it describes itself: ``id`` is ``type~address~pod.namespace~namespace.svc.domain``."""

    id: str
    type: ProxyType
    address: str
    name: str
    namespace: str
    locality: Locality
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, node: base_pb2.Node) -> Node:
        """Raises ProtocolError when the id has another form or the type is not served."""
        parts = node.id.split("~")
        if len(parts) != 4 or not all(parts):
            raise ProtocolError(f"the node id {node.id!r} is not type~address~pod.namespace~domain")
        try:
            kind = ProxyType(parts[0])
        except ValueError as error:
            raise ProtocolError(f"proxies of type {parts[0]!r} are not served") from error
        metadata = MessageToDict(node.metadata)
        name, dot, namespace = parts[2].rpartition(".")
        if not dot:
            name, namespace = parts[2], ""
        namespace = _text(metadata, "NAMESPACE") or namespace
        if not namespace:
            raise ProtocolError(f"the node id {node.id!r} names no namespace")
        said = Locality(node.locality.region, node.locality.zone, node.locality.sub_zone)
        return cls(node.id, kind, parts[1], _text(metadata, "NAME") or name, namespace, said, metadata)

    @property
    def proxy_id(self) -> str:
        """``name.namespace``, by which people and Istio's tools name a proxy."""
        return f"{self.name}.{self.namespace}"

    @property
    def comes_and_goes(self) -> bool:
        """A program's own xDS client: when its channel closes there is nobody who works by an old configuration."""
        return _text(self.metadata, "GENERATOR") == "grpc"

    @property
    def boot(self) -> str:
        """Which life of an agent of ours is beside it; empty without one that fetches modules."""
        return _text(self.metadata, "MIZZEN_BOOT")

    @property
    def version(self) -> str:
        return _text(self.metadata, "ISTIO_VERSION")

    @property
    def service_account(self) -> str:
        return _text(self.metadata, "SERVICE_ACCOUNT")

    def account_of_pod(self, config: Config | None) -> str:
        """The service account of the pod that this says it is; empty when no such pod is known."""
        pod = config.of("Pod").get((self.namespace, self.name)) if config is not None else None
        return pod.body.spec.service_account_name or "default" if pod is not None else ""

    def spoken_for_by(self, identity: Identity, config: Config | None) -> bool:
        """Namespace and service account must be those of the identity, as the node names them and as its pod has
        them, each where it is known (row XD-06)."""
        known = {self.service_account, self.account_of_pod(config)} - {""}
        return identity.namespace == self.namespace and known <= {identity.service_account}

    @property
    def registration_group(self) -> str:
        """The WorkloadGroup that its workload is to be registered under; empty for none (row VM-03)."""
        return _text(self.metadata, "AUTO_REGISTER_GROUP")

    @property
    def entry_name(self) -> str:
        """The WorkloadEntry that stands for it: one made by registration, or the one it names; empty for none."""
        group = self.registration_group
        if not group:
            return _text(self.metadata, "WORKLOAD_ENTRY")
        return entry_name(group, self._first_address, _text(self.metadata, "NETWORK"))

    @property
    def registrant(self) -> Registrant:
        """What an entry is made of, beside its group."""
        config = self.metadata.get("PROXY_CONFIG")
        return Registrant(
            group=self.registration_group,
            namespace=self.namespace,
            address=self._first_address,
            network=_text(self.metadata, "NETWORK"),
            locality=self.locality,
            labels=_labels(self.metadata),
            probed=isinstance(config, dict) and bool(config.get("readinessProbe")),
        )

    @property
    def _first_address(self) -> str:
        return _text(self.metadata, "INSTANCE_IPS").split(",")[0].strip() or self.address

    def proxy(self, config: Config) -> Proxy:
        """With what the pod, or else its workload entry, says of itself, where the config knows it."""
        pod = config.of("Pod").get((self.namespace, self.name))
        labels = dict(pod.meta.labels) if pod is not None else self._labels_outside(config)
        return Proxy(
            id=self.id,
            type=self.type,
            address=self.address,
            name=self.name,
            namespace=self.namespace,
            labels=labels,
            service_account=self._account(pod),
            cluster_id=_text(self.metadata, "CLUSTER_ID") or config.cluster_id,
            network=_text(self.metadata, "NETWORK"),
            locality=self._locality(config, pod, labels),
            node_name=pod.body.spec.node_name if pod is not None else _text(self.metadata, "NODE_NAME"),
            workload_name=_text(self.metadata, "WORKLOAD_NAME"),
            pod_ports=self._ports(pod),
            flags=self._flags(),
            version=self.version,
            fetches=bool(self.boot),
            config=_own_config(_annotations(pod, self.metadata).get(PROXY_CONFIG, "")),
            bootstrap_tracer=_bootstrap_tracer(self.metadata.get("PROXY_CONFIG")),
            bootstrap_logger=_has_address(self.metadata.get("PROXY_CONFIG"), "envoyAccessLogService"),
            metadata={key: value for key, value in self.metadata.items() if isinstance(value, str)},
        )

    def _labels_outside(self, config: Config) -> dict[str, str]:
        name = self.entry_name
        entry = config.of("WorkloadEntry").get((self.namespace, name)) if name else None
        return {**entry.meta.labels, **entry.body.labels} if entry is not None else _labels(self.metadata)

    def _flags(self) -> dict[str, str]:
        sent = {key: _text(self.metadata, key) for key in PROXY_FLAGS if key in self.metadata}
        sent.pop("IP_FAMILIES", None)
        families = self._families()
        return {**sent, "IP_FAMILIES": families} if families else sent

    def _families(self) -> str:
        """By ``INSTANCE_IPS`` (comma separated), else by the address in the id; nothing for IPv4 alone (row XD-09)."""
        listed = [text.strip() for text in _text(self.metadata, "INSTANCE_IPS").split(",") if text.strip()]
        versions = {_version(text) for text in listed or [self.address]} - {0}
        if 6 not in versions:
            return ""
        return BOTH_FAMILIES if 4 in versions else IPV6_ONLY

    def _account(self, pod: Object | None) -> str:
        if pod is not None:
            return pod.body.spec.service_account_name or "default"
        return self.service_account

    def _ports(self, pod: Object | None) -> tuple[int, ...]:
        if pod is not None:
            return tuple(
                sorted({port.container_port for container in pod.body.spec.containers for port in container.ports})
            )
        try:
            ports = json.loads(_text(self.metadata, "POD_PORTS") or "[]")
            return tuple(sorted({int(port["containerPort"]) for port in ports}))
        except (ValueError, TypeError, KeyError, RecursionError):
            return ()

    def _locality(self, config: Config, pod: Object | None, labels: dict[str, str]) -> Locality:
        """Labels of the pod, else labels of its machine, else what the proxy says (row XD-10)."""
        own = locality.of_machine(labels) if labels.get(locality.REGION) else locality.of_labels(labels)
        if own is not None:
            return own
        machine = config.of("Node").get(("", pod.body.spec.node_name)) if pod is not None else None
        found = locality.of_machine(machine.meta.labels) if machine is not None else Locality()
        return found if found.region else self.locality


def _text(metadata: dict[str, Any], key: str) -> str:
    """A list, such as REQUESTED_NETWORK_VIEW of Istio's own agents, with commas between its items."""
    value = metadata.get(key, "")
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else str(value)


def _annotations(pod: Object | None, metadata: dict[str, Any]) -> dict[str, Any]:
    if pod is not None:
        return dict(pod.meta.annotations)
    told = metadata.get("ANNOTATIONS")
    return told if isinstance(told, dict) else {}


def _own_config(text: Any) -> dict[str, Any]:
    """The annotation as a map; one that is no YAML map was refused at injection and says nothing."""
    try:
        found = inline_yaml.load(str(text))
    except ValueError:
        return {}
    return {str(name): value for name, value in found.items()} if isinstance(found, dict) else {}


def _bootstrap_tracer(config: Any) -> str:
    """The cluster that the agent put into the bootstrap for ``tracing``, if any."""
    tracing = config.get("tracing") if isinstance(config, dict) else None
    return next((cluster for kind, cluster in _TRACERS.items() if _has_address(tracing, kind)), "")


def _has_address(block: Any, field: str) -> bool:
    inner = block.get(field) if isinstance(block, dict) else None
    return isinstance(inner, dict) and bool(inner.get("address"))


def _version(address: str) -> int:
    """4 or 6; 0 for what is no address."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def _labels(metadata: dict[str, Any]) -> dict[str, str]:
    labels = metadata.get("LABELS")
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
