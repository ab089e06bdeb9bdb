"""Objects that every mesh has: the node, the control plane's Service, the two gateways; and the sample images."""

from __future__ import annotations

from typing import Any

from mizzen.lab import access
from mizzen.lab.images import Sample
from mizzen.model.access import AuthorizationMode
from mizzen.samples.images import IMAGES, PROGRAMS

Raw = dict[str, Any]
LOCALHOST_PORTS = {80: 8080, 443: 8443}
"""Ports of the ingress gateway and where on 127.0.0.1 the search for a free port begins."""

GATEWAYS = ("istio-ingressgateway", "istio-egressgateway")
_INGRESS_PORTS = (
    ("status-port", 15021, 15021),
    ("http2", 80, 8080),
    ("https", 443, 8443),
    ("tcp", 31400, 31400),
    ("tls", 15443, 15443),
)
_EGRESS_PORTS = (("http2", 80, 8080), ("https", 443, 8443))


def sample_images() -> dict[str, Sample]:
    """The sample programs by image name."""
    return {name: (image.command, image.env, PROGRAMS.get(name, {})) for name, image in IMAGES.items()}


def objects(node: str, address: str, authorization: AuthorizationMode = AuthorizationMode.ALWAYS_ALLOW) -> list[Raw]:
    """To be stored at each start of the mesh."""
    return [
        *(access.objects(GATEWAYS) if authorization is AuthorizationMode.RBAC else ()),
        _node(node, address),
        _istiod_service(),
        *gateway(GATEWAYS[0], _INGRESS_PORTS, "LoadBalancer"),
        *gateway(GATEWAYS[1], _EGRESS_PORTS, "ClusterIP"),
    ]


def istiod_pod(name: str, node: str) -> Raw:
    """The control plane's Pod object: in the node's own network."""
    labels = {"app": "istiod", "istio": "pilot", "istio.io/rev": "default", "sidecar.istio.io/inject": "false"}
    ports = [{"containerPort": number, "protocol": "TCP"} for number in (8080, 15010, 15012, 15014, 15017)]
    spec = {
        "hostNetwork": True,
        "nodeName": node,
        "serviceAccountName": "istiod",
        "containers": [{"name": "discovery", "image": "mizzen/pilot", "ports": ports}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "istio-system", "labels": labels},
        "spec": spec,
    }


def _node(name: str, address: str) -> Raw:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": "local",
        "topology.kubernetes.io/zone": "local-a",
    }
    status = {
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {},
        "status": status,
    }


def _istiod_service() -> Raw:
    ports = (
        ("grpc-xds", 15010, 15010),
        ("https-dns", 15012, 15012),
        ("https-webhook", 443, 15017),
        ("http-monitoring", 15014, 15014),
    )
    labels = {"app": "istiod", "istio": "pilot"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": labels},
        "spec": {"type": "ClusterIP", "selector": labels, "ports": _ports(ports)},
    }


def _ports(ports: tuple[tuple[str, int, int], ...]) -> list[Raw]:
    return [{"name": name, "port": port, "targetPort": target, "protocol": "TCP"} for name, port, target in ports]


def gateway(name: str, ports: tuple[tuple[str, int, int], ...], kind: str) -> list[Raw]:
    """ServiceAccount, Deployment and Service of a gateway, as Istio's gateway chart makes them: injection fills in the proxy."""
    labels = {"app": name, "istio": name.removeprefix("istio-")}
    account = f"{name}-service-account"
    pod = {
        "metadata": {
            "labels": {
                **labels,
                "sidecar.istio.io/inject": "true",
                "service.istio.io/canonical-name": name,
                "service.istio.io/canonical-revision": "latest",
            },
            "annotations": {"inject.istio.io/templates": "gateway"},
        },
        "spec": {
            "serviceAccountName": account,
            "containers": [
                {
                    "name": "istio-proxy",
                    "image": "auto",
                    "ports": [{"containerPort": target, "protocol": "TCP"} for _, _, target in ports],
                }
            ],
        },
    }
    meta = {"namespace": "istio-system", "labels": labels}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**meta, "name": account}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {**meta, "name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**meta, "name": name},
            "spec": {"type": kind, "selector": labels, "ports": _ports(ports)},
        },
    ]
