"""Plugins in real proxies: modules from a registry of the mesh, which only the pods' agents ask."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mesh import Mesh, documents_of
from tests.e2e.waiting import eventually
from tests.fakes import registry
from tests.fakes.wasm import MARKS, PREPENDS, TELLS_ENV, TRAPS, digest

pytestmark = pytest.mark.lab

TAGGED = "http://tagged.default:8000/status/200"
APP = """
apiVersion: v1
kind: Service
metadata: {name: tagged, namespace: default}
spec: {selector: {app: tagged}, ports: [{name: http, port: 8000, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: tagged, namespace: default}
spec:
  selector: {matchLabels: {app: tagged}}
  template:
    metadata:
      labels: {app: tagged}
      annotations:
        proxy.istio.io/config: '{"proxyMetadata": {"WASM_INSECURE_REGISTRIES": "registry.plain:5000", "MODE": "strict"}}'
    spec: {containers: [{name: app, image: go-httpbin, ports: [{containerPort: 8080}]}]}
"""
REVIEWS = "http://reviews.default:9080/reviews/0"
WHERE = "registry.plain:5000"
"""A Service without sidecars; the agents' own traffic is not captured."""


def content() -> registry.Content:
    made = registry.Content()
    made.files["marks.wasm"] = MARKS
    made.files["late.wasm"] = TELLS_ENV
    made.files["traps.wasm"] = TRAPS
    made.files["prepends.wasm"] = PREPENDS
    made.artifact("team/marks:v1", MARKS)
    made.compat("team/compat:v1", MARKS)
    made.docker("team/private:v1", MARKS)
    made.passwords["team/private"] = "me:pw"
    return made


def registry_of_the_mesh() -> list[dict[str, Any]]:
    script = Path(registry.__file__).read_text()
    command = ["python3", "/etc/registry/registry.py", "5000", "/etc/registry/content.json"]
    container = {
        "name": "registry",
        "image": "registry",
        "command": command,
        "ports": [{"containerPort": 5000}],
        "volumeMounts": [{"name": "c", "mountPath": "/etc/registry"}],
        "readinessProbe": {"tcpSocket": {"port": 5000}},
    }
    meta, labels = {"name": "registry", "namespace": "plain"}, {"app": "registry"}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta,
            "data": {"registry.py": script, "content.json": content().write()},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": {"app": "registry"}, "ports": [{"name": "tcp", "port": 5000}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [container], "volumes": [{"name": "c", "configMap": {"name": "registry"}}]},
                },
            },
        },
    ]


def plugin(name: str, url: str, namespace: str = "default", app: str = "tagged", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": app}}, "url": url, **spec},
    }


def mark(mesh: Mesh, url: str = TAGGED) -> str | None:
    return mesh.curl(url).headers.get("x-plugin")


def asked(mesh: Mesh) -> list[list[str]]:
    found: list[list[str]] = json.loads(mesh.curl(f"http://{WHERE}/log").body)
    return found


@pytest.mark.row("AG-12", "WP-01", "WP-02", "WP-03", "WP-04", "WP-05", "IX-15")
def test_modules_come_from_a_registry_that_only_agents_ask(mesh: Mesh) -> None:
    mesh.apply([*registry_of_the_mesh(), *documents_of(APP)])
    docker = json.dumps({"auths": {WHERE: {"auth": "bWU6cHc="}}})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull", "namespace": "default"},
        "data": {".dockerconfigjson": base64.b64encode(docker.encode()).decode()},
    }
    sources = {
        "http": (f"http://{WHERE}/files/marks.wasm", {"sha256": digest(MARKS)}),
        "artifact": (f"oci://{WHERE}/team/marks:v1", {}),
        "compat": (f"{WHERE}/team/compat:v1", {}),
        "private": (f"oci://{WHERE}/team/private:v1", {"imagePullSecret": "pull"}),
    }
    mesh.apply([secret])
    for name, (url, more) in sources.items():
        mesh.apply([plugin("mark", url, pluginConfig={"from": name}, **more)])
        eventually(lambda: mark(mesh), lambda value, name=name: value == f'{{"from":"{name}"}}')
    shown = json.loads(mesh.run("proxy-config", "ecds", "deploy/tagged", "-o", "json").out)
    assert f"/var/lib/istio/data/{digest(MARKS)}.wasm" in json.dumps(shown)
    assert "bWU6cHc" not in json.dumps(shown), "no password in Envoy"
    callers = {caller for caller, path, _ in asked(mesh) if path != "/log"}
    assert callers == {mesh.pod("tagged")["ip"]}
    eventually(lambda: mark(mesh, REVIEWS), lambda value: value is None)


@pytest.mark.row("WP-03", "WP-07", "WP-08")
def test_what_happens_without_a_module_and_with_a_broken_one(mesh: Mesh) -> None:
    mesh.apply([*registry_of_the_mesh(), *documents_of(APP)])
    gone, traps = f"http://{WHERE}/files/none.wasm", f"http://{WHERE}/files/traps.wasm"
    cases: list[tuple[str, dict[str, Any], int]] = [
        (gone, {}, 403),
        (gone, {"failStrategy": "FAIL_OPEN"}, 200),
        (f"http://{WHERE}/files/marks.wasm", {"sha256": "0" * 64}, 403),
        (traps, {}, 503),
        (traps, {"failStrategy": "FAIL_OPEN"}, 200),
    ]
    for url, spec, code in cases:
        mesh.apply([plugin("some", url, **spec)])
        eventually(lambda: mesh.curl(TAGGED).code, lambda found, code=code: found == code)
    env = [{"name": "MODE", "valueFrom": "HOST"}, {"name": "LEVEL", "value": "high"}]
    mesh.apply([plugin("some", f"http://{WHERE}/files/late.wasm", vmConfig={"env": env})])
    eventually(lambda: mesh.curl(TAGGED).headers.get("x-env"), lambda found: found == "MODE=strict;LEVEL=high")


@pytest.mark.row("WP-10")
def test_a_network_plugin_sees_the_bytes(mesh: Mesh) -> None:
    mesh.apply([*registry_of_the_mesh(), *documents_of(APP)])
    body = {"type": "NETWORK", "pluginConfig": {}, "match": [{"mode": "CLIENT", "ports": [{"number": 5000}]}]}
    mesh.apply([plugin("bytes", f"http://{WHERE}/files/prepends.wasm", app="tagged", **body)])
    # The registry reads {} before the request line.
    call = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{WHERE}/log")

    def code() -> str:
        return mesh.exec("tagged", *call).out

    eventually(code, lambda found: found in ("400", "501"))
    mesh.delete([plugin("bytes", "")])
    eventually(code, lambda found: found == "200")


@pytest.mark.row("WP-07", "AG-12")
def test_a_pod_that_starts_and_a_control_plane_that_ends_never_lose_a_plugin(mesh: Mesh) -> None:
    url = f"http://{WHERE}/files/marks.wasm"
    mesh.apply(registry_of_the_mesh())
    mesh.apply([plugin("some", url, pluginConfig={})])
    mesh.apply(documents_of(APP))
    eventually(lambda: mark(mesh), lambda found: found == "{}")
    with mesh.load(TAGGED) as load:
        before = mesh.status()["controlplane"]["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: mesh.status()["controlplane"], lambda now: now["ready"] and now["pid"] != before, 20)
        mesh.apply([plugin("some", url, pluginConfig={"again": 1})])
        eventually(lambda: mark(mesh), lambda found: found == '{"again":1}')
    assert load.failures == []
