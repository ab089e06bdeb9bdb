"""Pods to inject, and what injection made of them."""

from __future__ import annotations

import copy
from typing import Any

from mizzen.inject import InjectNamespace, InjectSettings, inject

Json = dict[str, Any]

NAMESPACE = InjectNamespace("shop", {"istio-injection": "enabled"})


def pod(annotations: dict[str, str] | None = None, labels: dict[str, str] | None = None, **spec: Any) -> Json:
    """A web pod of a ReplicaSet, as the API server gets it."""
    container = {"name": "web", "image": "shop/web", "ports": [{"name": "http", "containerPort": 8080}]}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d4b9c", "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "web-7d4b9c-",
            "labels": {"app": "web", "pod-template-hash": "7d4b9c", **(labels or {})},
            "annotations": annotations or {},
            "ownerReferences": [owner],
        },
        "spec": {"containers": [container], **spec},
    }


def run(document: Json, settings: InjectSettings | None = None) -> Json:
    """The injected pod; injecting changes nothing of its argument, and a second time nothing at all."""
    before = copy.deepcopy(document)
    done = inject(document, NAMESPACE, settings or InjectSettings())
    assert document == before, "the argument was changed"
    assert done.injected, done
    assert inject(done.pod, NAMESPACE, settings or InjectSettings()).pod == done.pod, "injecting twice differs"
    return done.pod


def container(document: Json, name: str) -> Json:
    spec = document["spec"]
    return next(c for c in [*spec.get("initContainers", []), *spec["containers"]] if c["name"] == name)


def env(document: Json, name: str = "istio-proxy") -> Json:
    """A container's variables by name."""
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container(document, name)["env"]}


def refusal(annotations: dict[str, str], settings: InjectSettings | None = None) -> str:
    """The first error of a pod that is refused."""
    done = inject(pod(annotations), NAMESPACE, settings or InjectSettings())
    assert not done.injected
    assert done.errors
    return str(done.errors[0])
