"""What ``get`` prints of each kind: kubectl's columns, and the printer columns of Istio's kinds (row CM-02)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mizzen.cli.output import age
from mizzen.cli.targets import is_ready

Json = dict[str, Any]


class Column(NamedTuple):
    """``wide`` columns are printed by ``-o wide`` only."""

    header: str
    cell: Callable[[Json], str]
    wide: bool = False


def at(*path: str) -> Callable[[Json], str]:
    """The text at ``path``; lists and maps as JSON, as the API server prints them; empty when absent."""

    def cell(obj: Json) -> str:
        value: Any = obj
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    return cell


def none_if_empty(cell: Callable[[Json], str], text: str = "<none>") -> Callable[[Json], str]:
    return lambda obj: cell(obj) or text


def _age(obj: Json) -> str:
    return age(at("metadata", "creationTimestamp")(obj))


def _ready_pods(obj: Json) -> str:
    statuses = (obj.get("status") or {}).get("containerStatuses") or []
    spec = obj.get("spec") or {}
    total = len(spec.get("containers") or [])
    ready = sum(1 for status in statuses if status.get("ready"))
    if not statuses and is_ready(obj):
        # Pods that were made from files alone have a condition and no containers that run.
        ready = total
    for container in spec.get("initContainers") or []:
        # A native sidecar counts as a container of the pod.
        if container.get("restartPolicy") == "Always":
            total += 1
            started = (obj.get("status") or {}).get("initContainerStatuses") or []
            ready += sum(1 for status in started if status.get("name") == container.get("name") and status.get("ready"))
    return f"{ready}/{total}"


def pod_status(obj: Json) -> str:
    """The reason that a container waits or ended for, else the phase, as in kubectl's STATUS."""
    if (obj.get("metadata") or {}).get("deletionTimestamp"):
        return "Terminating"
    status = obj.get("status") or {}
    for container in status.get("initContainerStatuses") or []:
        reason = _bad_state(container.get("state") or {})
        if reason:
            return f"Init:{reason}"
    for container in status.get("containerStatuses") or []:
        reason = _bad_state(container.get("state") or {})
        if reason:
            return reason
    return str(status.get("reason") or status.get("phase") or "Unknown")


def _bad_state(state: Json) -> str:
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    if waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return str(waiting["reason"])
    return str(ended.get("reason") or "Error") if ended and ended.get("exitCode", 0) != 0 else ""


def _restarts(obj: Json) -> str:
    statuses = (obj.get("status") or {}).get("containerStatuses") or []
    return str(sum(int(status.get("restartCount", 0)) for status in statuses))


def _service_ports(obj: Json) -> str:
    ports = (obj.get("spec") or {}).get("ports") or []
    return ",".join(f"{port.get('port')}/{port.get('protocol', 'TCP')}" for port in ports)


def _external_ip(obj: Json) -> str:
    spec = obj.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    found = [str(entry.get("ip") or entry.get("hostname")) for entry in ingress] + [
        str(ip) for ip in spec.get("externalIPs") or []
    ]
    return ",".join(found) or ("<pending>" if spec.get("type") == "LoadBalancer" else "<none>")


def _labels(*path: str) -> Callable[[Json], str]:
    def cell(obj: Json) -> str:
        value: Any = obj
        for key in path:
            value = (value or {}).get(key)
        return ",".join(f"{key}={label}" for key, label in sorted((value or {}).items())) or "<none>"

    return cell


def _count(*path: str) -> Callable[[Json], str]:
    return lambda obj: at(*path)(obj) or "0"


def _ready_of(ready: str, wanted: str) -> Callable[[Json], str]:
    def cell(obj: Json) -> str:
        return f"{(obj.get('status') or {}).get(ready, 0)}/{(obj.get('spec') or {}).get(wanted, 1)}"

    return cell


def _template(field: str) -> Callable[[Json], str]:
    def cell(obj: Json) -> str:
        containers = (((obj.get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or []
        return ",".join(str(container.get(field, "")) for container in containers)

    return cell


def _entries(obj: Json) -> str:
    return str(len(obj.get("data") or {}) + len(obj.get("binaryData") or {}) + len(obj.get("stringData") or {}))


def _node_status(obj: Json) -> str:
    conditions = (obj.get("status") or {}).get("conditions") or []
    return "Ready" if any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions) else "NotReady"


def _slice_ports(obj: Json) -> str:
    return ",".join(str(port.get("port", "")) for port in obj.get("ports") or []) or "<unset>"


def _slice_addresses(obj: Json) -> str:
    found = [address for endpoint in obj.get("endpoints") or [] for address in endpoint.get("addresses") or []]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return ",".join(found[:3]) + more if found else "<unset>"


def _ingress_hosts(obj: Json) -> str:
    return ",".join(rule.get("host", "*") for rule in (obj.get("spec") or {}).get("rules") or []) or "*"


def _condition(name: str) -> Callable[[Json], str]:
    """Whether a condition of the status holds; empty while nothing is said."""

    def cell(obj: Json) -> str:
        conditions = (obj.get("status") or {}).get("conditions") or []
        return next((str(c.get("status", "")) for c in conditions if c.get("type") == name), "")

    return cell


def _gateway_address(obj: Json) -> str:
    return next((str(entry.get("value", "")) for entry in (obj.get("status") or {}).get("addresses") or []), "")


_AGE = Column("AGE", _age)
_HOSTNAMES = Column("HOSTNAMES", at("spec", "hostnames"))

_WORKLOAD_WIDE = (
    Column("CONTAINERS", _template("name"), True),
    Column("IMAGES", _template("image"), True),
    Column("SELECTOR", _labels("spec", "selector", "matchLabels"), True),
)

COLUMNS: dict[str, Sequence[Column]] = {
    "VirtualService": (Column("GATEWAYS", at("spec", "gateways")), Column("HOSTS", at("spec", "hosts")), _AGE),
    "DestinationRule": (Column("HOST", at("spec", "host")), _AGE),
    "ServiceEntry": (
        Column("HOSTS", at("spec", "hosts")),
        Column("LOCATION", at("spec", "location")),
        Column("RESOLUTION", at("spec", "resolution")),
        _AGE,
    ),
    "WorkloadEntry": (_AGE, Column("ADDRESS", at("spec", "address"))),
    "WorkloadGroup": (_AGE,),
    "AuthorizationPolicy": (Column("ACTION", at("spec", "action")), _AGE),
    "PeerAuthentication": (Column("MODE", at("spec", "mtls", "mode")), _AGE),
    "Pod": (
        Column("READY", _ready_pods),
        Column("STATUS", pod_status),
        Column("RESTARTS", _restarts),
        _AGE,
        Column("IP", none_if_empty(at("status", "podIP")), True),
        Column("NODE", none_if_empty(at("spec", "nodeName")), True),
    ),
    "Service": (
        Column("TYPE", none_if_empty(at("spec", "type"), "ClusterIP")),
        Column("CLUSTER-IP", none_if_empty(at("spec", "clusterIP"))),
        Column("EXTERNAL-IP", _external_ip),
        Column("PORT(S)", none_if_empty(_service_ports)),
        _AGE,
        Column("SELECTOR", _labels("spec", "selector"), True),
    ),
    "Deployment": (
        Column("READY", _ready_of("readyReplicas", "replicas")),
        Column("UP-TO-DATE", _count("status", "updatedReplicas")),
        Column("AVAILABLE", _count("status", "availableReplicas")),
        _AGE,
        *_WORKLOAD_WIDE,
    ),
    "ReplicaSet": (
        Column("DESIRED", _count("spec", "replicas")),
        Column("CURRENT", _count("status", "replicas")),
        Column("READY", _count("status", "readyReplicas")),
        _AGE,
        *_WORKLOAD_WIDE,
    ),
    "StatefulSet": (Column("READY", _ready_of("readyReplicas", "replicas")), _AGE, *_WORKLOAD_WIDE[:2]),
    "DaemonSet": (
        Column("DESIRED", _count("status", "desiredNumberScheduled")),
        Column("CURRENT", _count("status", "currentNumberScheduled")),
        Column("READY", _count("status", "numberReady")),
        _AGE,
    ),
    "Job": (Column("COMPLETIONS", _ready_of("succeeded", "completions")), _AGE, *_WORKLOAD_WIDE[:2]),
    "Namespace": (Column("STATUS", none_if_empty(at("status", "phase"), "Active")), _AGE),
    "Node": (
        Column("STATUS", _node_status),
        Column("ROLES", lambda _: "<none>"),
        _AGE,
        Column("VERSION", at("status", "nodeInfo", "kubeletVersion")),
    ),
    "ServiceAccount": (Column("SECRETS", lambda obj: str(len(obj.get("secrets") or []))), _AGE),
    "ConfigMap": (Column("DATA", _entries), _AGE),
    "Secret": (Column("TYPE", none_if_empty(at("type"), "Opaque")), Column("DATA", _entries), _AGE),
    "EndpointSlice": (
        Column("ADDRESSTYPE", at("addressType")),
        Column("PORTS", _slice_ports),
        Column("ENDPOINTS", _slice_addresses),
        _AGE,
    ),
    "Gateway.gateway.networking.k8s.io": (
        Column("CLASS", at("spec", "gatewayClassName")),
        Column("ADDRESS", _gateway_address),
        Column("PROGRAMMED", _condition("Programmed")),
        _AGE,
    ),
    "GatewayClass": (
        Column("CONTROLLER", at("spec", "controllerName")),
        Column("ACCEPTED", _condition("Accepted")),
        _AGE,
    ),
    "ListenerSet": (
        Column("ACCEPTED", _condition("Accepted")),
        Column("PROGRAMMED", _condition("Programmed")),
        _AGE,
    ),
    "HTTPRoute": (_HOSTNAMES, _AGE),
    "GRPCRoute": (_HOSTNAMES, _AGE),
    "TLSRoute": (_HOSTNAMES, _AGE),
    "Ingress": (
        Column("CLASS", none_if_empty(at("spec", "ingressClassName"))),
        Column("HOSTS", _ingress_hosts),
        Column("ADDRESS", lambda obj: _external_ip(obj).replace("<none>", "")),
        Column("PORTS", lambda obj: "80, 443" if (obj.get("spec") or {}).get("tls") else "80"),
        _AGE,
    ),
}

_DEFAULT: Sequence[Column] = (_AGE,)


def columns_of(kind: str, wide: bool) -> list[Column]:
    """The columns of a kind (by its key) after NAME; kinds without their own have AGE alone, as kubectl shows them."""
    return [column for column in COLUMNS.get(kind, _DEFAULT) if wide or not column.wide]
