"""The workloads that every case finds, as documents."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Document = dict[str, Any]

PORTS = (
    ("http", 8000, "http"),
    ("http2", 8001, "http"),
    ("grpc", 8002, "http"),
    ("svc-auto", 8003, "http"),
    ("https", 8443, "https"),
    ("tcp", 9000, "tcp"),
    ("svc-raw", 9001, "tcp"),
    ("tcp-first", 9002, "first"),
    ("http-inst", 8010, "http"),
    ("http-lo", 8011, "http"),
)
"""Service port name, number (the same at the pod), what listens there."""
UNNAMED = (("http", 8020), ("tcp", 9020))
BOUND = {8010: "@pod", 8011: "@127.0.0.1"}
LISTEN = tuple(f"{kind}:{port}{BOUND.get(port, '')}" for _, port, kind in PORTS) + tuple(
    f"{kind}:{port}" for kind, port in UNNAMED
)
MESH: Document = {"accessLogFile": "/dev/stdout", "defaultConfig": {"drainDuration": "1s"}}
"""The drain is short so that no connection of before a change is left when a case begins (``quiet.py``)."""


@dataclass
class Fixture:
    """``hosts`` are names that the lab's name server answers, with the names that these stand for."""

    documents: list[Document]
    hosts: dict[str, str]
    mesh: Document = field(default_factory=lambda: dict(MESH))
    namespace: str = "shop"
    documents_url: str = "http://naked.plain.svc.cluster.local:8000/documents"
    """Where an echo server serves the run's documents over HTTP."""
    late: list[Document] = field(default_factory=list)
    """What needs addresses of pods (``${ip:…}``), so that it comes when the rest is ready."""


def namespace(name: str, injected: bool) -> Document:
    labels = {"istio-injection": "enabled"} if injected else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def workload(
    name: str,
    place: str,
    version: str = "v1",
    *,
    deployment: str = "",
    ledger: Path,
    listen: tuple[str, ...] = LISTEN,
    inject: bool = True,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    service: str = "",
) -> list[Document]:
    """ServiceAccount and Deployment of one version. ``service`` is what the server calls itself, ``name`` unless told."""
    marks = {"app": name, "version": version, **(labels or {})}
    if not inject:
        marks["sidecar.istio.io/inject"] = "false"
    listening = [word for item in listen for word in ("--listen", item)]
    container = {
        "name": "app",
        "image": "echo",
        "args": [
            *listening,
            "--service",
            service or name,
            "--version",
            version,
            "--ledger",
            "/var/echo/ledger",
            "--certificate",
            "/var/echo/tls/server.pem",
            "--authorities",
            "/var/echo/tls/authorities.pem",
        ],
        "env": [{"name": "INSTANCE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "volumeMounts": [
            {"name": "ledger", "mountPath": "/var/echo/ledger"},
            {"name": "tls", "mountPath": "/var/echo/tls"},
        ],
    }
    spec = {
        "serviceAccountName": name,
        "terminationGracePeriodSeconds": 3,
        "containers": [container],
        "volumes": [
            {"name": "ledger", "hostPath": {"path": str(ledger)}},
            {"name": "tls", "secret": {"secretName": "echo-tls"}},
        ],
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": place}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": deployment or name, "namespace": place, "labels": {"app": name}},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": name, "version": version}},
                "template": {"metadata": {"labels": marks, "annotations": dict(annotations or {})}, "spec": spec},
            },
        },
    ]


def service(
    name: str,
    place: str,
    *,
    headless: bool = False,
    hidden: bool = False,
    ports: tuple[tuple[str, int, int], ...] = tuple((name, port, port) for name, port, _ in PORTS),
) -> Document:
    spec: Document = {
        "selector": {"app": name},
        "ports": [{"name": port, "port": number, "targetPort": target} for port, number, target in ports],
    }
    if headless:
        spec["clusterIP"] = "None"
    notes = {"networking.istio.io/exportTo": "~"} if hidden else {}
    meta = {"name": name, "namespace": place, "labels": {"app": name}, "annotations": notes}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def secret(place: str, server: str, authorities: str) -> Document:
    data = {"server.pem": server, "authorities.pem": authorities}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "echo-tls", "namespace": place},
        "stringData": data,
    }


def caller(name: str, place: str) -> list[Document]:
    """A pod that only calls: without a sidecar and without a service."""
    marks = {"app": name, "sidecar.istio.io/inject": "false"}
    spec = {"containers": [{"name": "app", "image": "pause"}], "terminationGracePeriodSeconds": 1}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": place},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": marks}, "spec": spec},
            },
        }
    ]


def mesh_config(patch: Document) -> Document:
    """The ConfigMap with this mesh config."""
    import yaml

    meta = {"name": "istio", "namespace": "istio-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"mesh": yaml.safe_dump(patch)}}


def authorizer() -> list[Document]:
    """The external authorizer that a case may need."""
    meta = {"name": "authz", "namespace": "shop"}
    spec = {"containers": [{"name": "app", "image": "ext-authz"}]}
    ports = [{"name": "http", "port": 8000}, {"name": "grpc", "port": 9000}]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "authz"}},
                "template": {"metadata": {"labels": {"app": "authz"}}, "spec": spec},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": {"app": "authz"}, "ports": ports},
        },
    ]


def shop(ledger: Path, server: str, authorities: str) -> Fixture:
    """Namespaces shop, bank (injected), plain, outside (not). ``server`` and ``authorities`` are PEM texts."""
    places = {"shop": True, "bank": True, "plain": False, "outside": False}
    documents = [mesh_config(MESH)]
    for place, injected in places.items():
        documents += [namespace(place, injected), secret(place, server, authorities)]
    for name in ("client", "cart", "legacy", "hl"):
        documents += workload(name, "shop", ledger=ledger, inject=name != "legacy")
        documents.append(service(name, "shop", headless=name == "hl"))
    for version in ("v1", "v2", "v3"):
        documents += workload("web", "shop", version, deployment=f"web-{version}", ledger=ledger)
    documents.append(service("web", "shop"))
    for name, place in (("teller", "bank"), ("vault", "bank"), ("naked", "plain"), ("ext", "outside")):
        documents += workload(name, place, ledger=ledger)
        documents.append(service(name, place, hidden=place == "outside"))
    pod = service("ext-pod", "outside", headless=True, hidden=True)
    pod["spec"]["selector"] = {"app": "ext"}
    documents += [pod, *caller("gateway-client", "outside")]
    return Fixture(documents, {"ext.test": "ext-pod.outside.svc.cluster.local"})
