"""What an earlier injection left in a pod: taken out before the pod is injected again (row IJ-07)."""

from __future__ import annotations

import json
from typing import Any

from mizzen.inject.facts import PROXY
from mizzen.inject.merge import Json

STATUS = "sidecar.istio.io/status"
OVERRIDES = "proxy.istio.io/overrides"
_LISTS = ("initContainers", "containers", "volumes", "imagePullSecrets")
_KEPT_ENV = ("ISTIO_PROMETHEUS_ANNOTATIONS", "ISTIO_KUBE_APP_PROBERS")


def stripped(pod: Json) -> tuple[Json, dict[str, str]]:
    """``pod`` without what its status annotation lists, the user's own parts back in place, and the
    environment of the old proxy that cannot be worked out anew (what the app's probes and metrics were)."""
    annotations = dict((pod.get("metadata") or {}).get("annotations") or {})
    status = _json(annotations.pop(STATUS, None))
    if status is None:
        return pod, {}
    spec = dict(pod.get("spec") or {})
    kept = _environment(spec)
    for name in _LISTS:
        gone = set(status.get(name) or [])
        if gone and isinstance(spec.get(name), list):
            spec[name] = [item for item in spec[name] if item.get("name") not in gone]
            if not spec[name]:
                del spec[name]
    overrides = _json(annotations.pop(OVERRIDES, None)) or {}
    for name in ("containers", "initContainers"):
        if mine := overrides.get(name):
            names = {item.get("name") for item in mine}
            spec[name] = [item for item in spec.get(name) or [] if item.get("name") not in names] + list(mine)
    return {**pod, "metadata": {**pod["metadata"], "annotations": annotations}, "spec": spec}, kept


def status(template: Json, revision: str) -> str:
    """The annotation that says what ``template`` added; empty lists are null."""
    spec = template.get("spec") or {}
    lists: dict[str, Any] = {name: [item["name"] for item in spec.get(name) or []] or None for name in _LISTS}
    return json.dumps({**lists, "revision": revision}, separators=(",", ":"))


def overrides(found: dict[str, list[Json]]) -> str:
    """The annotation that keeps the user's own parts of istio-proxy and istio-init."""
    return json.dumps({name: items for name, items in found.items() if items}, separators=(",", ":"))


def _environment(spec: Json) -> dict[str, str]:
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    proxy: Json = next((c for c in containers if c.get("name") == PROXY), {})
    return {
        item["name"]: item["value"]
        for item in proxy.get("env") or []
        if item.get("name") in _KEPT_ENV and "value" in item
    }


def _json(text: str | None) -> Json | None:
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
