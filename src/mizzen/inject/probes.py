"""Probes of the app go through the agent, because Envoy would refuse them without a certificate (row IP-13)."""

from __future__ import annotations

import json
from typing import Any

from mizzen.inject.facts import PROXY
from mizzen.inject.merge import Json

_PROBES = {"livenessProbe": "livez", "readinessProbe": "readyz", "startupProbe": "startupz"}
_HOOKS = {"preStop": "prestopz", "postStart": "poststartz"}
_HANDLERS = {
    "httpGet": ("path", "port", "host", "scheme", "httpHeaders"),
    "tcpSocket": ("port", "host"),
    "grpc": ("port", "service"),
}
HTTP_GET = "httpGet"


def rewrite(containers: list[Json], port: int) -> tuple[list[Json], Json]:
    """``containers`` with their probes pointed at the agent's ``port``, and what the agent has to ask instead, by path."""
    asked: Json = {}
    return [c if c.get("name") == PROXY else _container(c, port, asked) for c in containers], asked


def encode(asked: Json) -> str:
    """ISTIO_KUBE_APP_PROBERS: compact JSON, keys in order."""
    return json.dumps(dict(sorted(asked.items())), separators=(",", ":"))


def _container(container: Json, port: int, asked: Json) -> Json:
    name, changed = container.get("name", ""), dict(container)
    for field, suffix in _PROBES.items():
        if isinstance(container.get(field), dict):
            path = f"/app-health/{name}/{suffix}"
            changed[field] = _handler(container, container[field], path, port, asked, tuple(_HANDLERS))
    hooks = container.get("lifecycle")
    if isinstance(hooks, dict):
        changed["lifecycle"] = dict(hooks)
        for field, suffix in _HOOKS.items():
            if isinstance(hooks.get(field), dict):
                path = f"/app-lifecycle/{name}/{suffix}"
                changed["lifecycle"][field] = _handler(
                    container, hooks[field], path, port, asked, (HTTP_GET, "tcpSocket")
                )
    return changed


def _handler(container: Json, probe: Json, path: str, port: int, asked: Json, sorts: tuple[str, ...]) -> Json:
    sort = next((s for s in sorts if isinstance(probe.get(s), dict)), None)
    if sort is None or (sort == HTTP_GET and _number(container, probe[sort].get("port")) == port):
        return probe
    original = {key: probe[sort][key] for key in _HANDLERS[sort] if key in probe[sort]}
    original["port"] = _number(container, original.get("port"))
    entry: Json = {sort: original}
    if probe.get("timeoutSeconds"):
        entry["timeoutSeconds"] = probe["timeoutSeconds"]
    asked[path] = entry
    get: Json = {**(probe[sort] if sort == HTTP_GET else {}), "path": path, "port": port}
    if str(get.get("scheme", "")).upper() == "HTTPS":
        get["scheme"] = "HTTP"
    rest = {key: value for key, value in probe.items() if key != sort}
    return {**rest, HTTP_GET: get}


def _number(container: Json, port: Any) -> Any:
    """A named port as its number; a name that the container does not have stays, and the agent refuses it."""
    for candidate in container.get("ports") or []:
        if isinstance(port, str) and candidate.get("name") == port:
            return candidate.get("containerPort")
    return int(port) if isinstance(port, str) and port.isdigit() else port
