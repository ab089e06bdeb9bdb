"""What a step of ``then`` changes: objects, replicas, labels, probes, keys, the life of certificates."""

import json
import re
from typing import Any

from tests.conformance.fixture import Document
from tests.conformance.material import Material
from tests.conformance.vocabulary import as_list
from tests.conformance.world import Refused, World, key_of

PROBE_SECONDS = 30.0
_PORTS = {"http": 8000, "tcp": 9000, "grpc": 8002}
"""Where a probe goes that names no port."""
_ACTIONS = {"http": "httpGet", "tcp": "tcpSocket", "grpc": "grpc"}
_AT_CREATION = ("sidecar.istio.io/inject", "istio.io/rev")
"""Labels that are looked at when a pod is made, not later: these need new pods."""


def change(world: World, material: Material, step: Document) -> list[str]:
    """Does what the step says and waits for it (:func:`lifetime` apart, which has to come before everything else).

    What a probe found is returned; raises Refused, LookupError, ValueError for the rest.
    """
    if step.get("apply"):
        world.apply([world.place(document) for document in as_list(step["apply"])])
    if step.get("delete"):
        world.delete([_named(world, document) for document in as_list(step["delete"])])
    for workload, number in (step.get("scale") or {}).items():
        for namespace, name in deployments(world, workload):
            world.patch("Deployment", namespace, name, {"spec": {"replicas": int(number)}})
    for workload, labels in (step.get("label") or {}).items():
        label(world, workload, labels)
    if "rotate_jwks" in step:
        material.rotate(*rotation(step["rotate_jwks"]))
    problems = probe(world, step["probe"], float(step.get("within_s") or PROBE_SECONDS)) if "probe" in step else []
    if step.get("apply") or step.get("delete") or step.get("label"):
        world.settle()
    if step.get("scale") and "call" not in step:
        world.ready()
    return problems


def _named(world: World, document: Document) -> tuple[str, str, str]:
    """``{kind, name, namespace}`` will do where nothing else is needed."""
    if "metadata" not in document:
        document = {**document, "metadata": {k: document[k] for k in ("name", "namespace") if k in document}}
    return key_of(world.place(document))


def deployments(world: World, workload: str) -> list[tuple[str, str]]:
    """(namespace, name) of the workload's Deployments. Raises LookupError when there is none."""
    found = world.deployments_of(workload)
    if not found:
        raise LookupError(f"no Deployment {workload}")
    return found


def label(world: World, workload: str, labels: Document) -> None:
    """As ``kubectl label`` does it: the pods that run get the labels (None takes one away); new pods only where a label needs these."""
    if any(name in _AT_CREATION for name in labels):
        relabel(world, workload, labels)
        return
    for pod in world.pods_of(workload):
        world.label(pod, labels)


def relabel(world: World, workload: str, labels: Document) -> None:
    """New pods with these labels, ready."""
    for namespace, name in deployments(world, workload):
        world.patch("Deployment", namespace, name, {"spec": {"template": {"metadata": {"labels": labels}}}})
    world.ready()


def lifetime(world: World, seconds: float) -> None:
    """New pods whose agents ask for certificates of this life (``SECRET_TTL``, as Istio's agent reads it)."""
    if seconds <= 0:
        raise ValueError(f"workload_cert_ttl_s is a length of time, not {seconds:g}")
    text = json.dumps({"proxyMetadata": {"SECRET_TTL": f"{seconds:g}s"}})
    world.restart({"proxy.istio.io/config": text})
    world.settle()


def probe(world: World, asked: Document, seconds: float) -> list[str]:
    """Gives the workload's app this readiness probe; its new pods must become ready by it."""
    action = probe_action(asked)
    for namespace, name in deployments(world, asked["of"]):
        _, (document,) = world.client.objects("Deployment", namespace, name)
        containers = [
            {**container, "readinessProbe": {**action, "periodSeconds": 1}} if container["name"] == "app" else container
            for container in document["spec"]["template"]["spec"]["containers"]
        ]
        world.patch("Deployment", namespace, name, {"spec": {"template": {"spec": {"containers": containers}}}})
    try:
        world.ready(seconds)
    except Refused as error:
        return [f"probe: expected ready, seen {error}"]
    return []


def probe_action(asked: Document) -> Document:
    """``{http|tcp|grpc: port, "port/path", "/path", true or the Kubernetes action}`` as a probe has it. Raises ValueError."""
    kind = next((name for name in _ACTIONS if asked.get(name)), "")
    if not kind or "of" not in asked:
        raise ValueError(f"a probe is {{http|tcp|grpc, of}}, not {asked}")
    value = asked[kind]
    if isinstance(value, dict):
        return {_ACTIONS[kind]: {"port": _PORTS[kind], **value}}
    text = "" if value is True else str(value)
    match = re.fullmatch(r":?(\d*)(/.*)?", text)
    if match is None:
        raise ValueError(f"a probe's port and path cannot be read from {text!r}")
    action: Document = {"port": int(match[1] or _PORTS[kind])}
    if kind == "http":
        action["path"] = match[2] or "/"
    return {_ACTIONS[kind]: action}


def rotation(value: Any) -> tuple[str, str]:
    """``"NAME to KEY"``, ``[NAME, KEY]``, ``{NAME: KEY}`` or ``{name: NAME, to: KEY}``."""
    if isinstance(value, str):
        name, to, key = value.partition(" to ")
        if not to:
            raise ValueError(f"rotate_jwks is NAME to KEY, not {value!r}")
        return name.strip(), key.strip()
    if isinstance(value, list):
        return str(value[0]), str(value[1])
    if "to" in value:
        return str(value["name"]), str(value["to"])
    ((name, key),) = value.items()
    return str(name), str(key)
