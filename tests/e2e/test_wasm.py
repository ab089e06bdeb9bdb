"""Plugins in real proxies: modules from a registry of the mesh, which only the pods' agents ask."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Callable
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
HTTPBIN = "http://httpbin.default:8000/status/200"
WHERE = "registry.plain:5000"
"""A Service without sidecars; the agents' own traffic is not captured."""


def content() -> registry.Content:
    made = registry.Content()
    made.files["marks.wasm"] = MARKS
    made.files["env.wasm"] = TELLS_ENV
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


def soon(probe: Callable[[], Any], wanted: Any) -> None:
    """One answer is enough where the answer before was another; connections of before may be draining."""
    deadline = time.monotonic() + 15
    while (found := probe()) != wanted:
        assert time.monotonic() < deadline, f"{wanted!r} is wanted, and the last answer was {found!r}"


@pytest.mark.row("AG-12", "WP-01", "WP-02", "WP-03", "WP-04", "WP-05", "WP-07", "WP-08", "WP-10")
def test_the_life_of_a_plugin(mesh: Mesh) -> None:
    """One test, because its pods take longer than each of its parts."""
    docker = json.dumps({"auths": {WHERE: {"auth": "bWU6cHc="}}})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull", "namespace": "default"},
        "data": {".dockerconfigjson": base64.b64encode(docker.encode()).decode()},
    }
    mesh.apply([*registry_of_the_mesh(), secret])
    mesh.apply(
        [plugin("some", f"http://{WHERE}/files/marks.wasm", sha256=digest(MARKS), pluginConfig={"from": "http"})]
    )
    mesh.apply(documents_of(APP))
    assert mark(mesh) == '{"from":"http"}', "a pod is ready when its plugins are"
    modules_of_every_source(mesh)
    fetched_again_when_the_object_changes(mesh)
    callers = {caller for caller, path, _ in asked(mesh) if path != "/log"}
    assert callers == {mesh.pod("tagged")["ip"]}, "the control plane asks no registry"
    without_a_module_and_with_a_broken_one(mesh)
    bytes_and_variables(mesh)
    the_control_plane_ends(mesh)


def modules_of_every_source(mesh: Mesh) -> None:
    sources: dict[str, tuple[str, dict[str, Any]]] = {
        "artifact": (f"oci://{WHERE}/team/marks:v1", {}),
        "compat": (f"{WHERE}/team/compat:v1", {}),
        "private": (f"oci://{WHERE}/team/private:v1", {"imagePullSecret": "pull"}),
        "file": (f"file:///var/lib/istio/data/{digest(MARKS)}.wasm", {}),
    }
    for name, (url, more) in sources.items():
        mesh.apply([plugin("some", url, pluginConfig={"from": name}, **more)])
        soon(lambda: mark(mesh), f'{{"from":"{name}"}}')
    shown = mesh.run("proxy-config", "ecds", "deploy/tagged", "-o", "json").out
    assert f"/var/lib/istio/data/{digest(MARKS)}.wasm" in shown
    assert "bWU6cHc" not in shown, "no password in Envoy"
    assert mark(mesh, HTTPBIN) is None, "it is not selected"


def fetched_again_when_the_object_changes(mesh: Mesh) -> None:
    for number in (1, 2):
        spec: dict[str, Any] = {"pluginConfig": {"n": number}, "imagePullPolicy": "Always"}
        mesh.apply([plugin("some", f"oci://{WHERE}/team/compat:v1", **spec)])
        soon(lambda: mark(mesh), f'{{"n":{number}}}')
    manifests = [path for _, path, _ in asked(mesh) if path.startswith("/v2/team/compat/manifests/")]
    assert len(manifests) == 3, "once if not present, then for each change of the object"


def without_a_module_and_with_a_broken_one(mesh: Mesh) -> None:
    wrong = mesh.apply([plugin("some", f"http://{WHERE}/files/marks.wasm", sha256="0" * 64)])
    assert f"its sha256 is {digest(MARKS)}" in wrong.err
    soon(lambda: mesh.curl(TAGGED).code, 403)
    traps = f"http://{WHERE}/files/traps.wasm"
    mesh.apply([plugin("some", traps)])
    soon(lambda: mesh.curl(TAGGED).code, 503)
    mesh.apply([plugin("some", traps, failStrategy="FAIL_OPEN")])
    soon(lambda: mesh.curl(TAGGED).code, 200)


def bytes_and_variables(mesh: Mesh) -> None:
    env = [{"name": "MODE", "valueFrom": "HOST"}, {"name": "LEVEL", "value": "high"}]
    mesh.apply([plugin("some", f"http://{WHERE}/files/env.wasm", vmConfig={"env": env})])
    soon(lambda: mesh.curl(TAGGED).headers.get("x-env"), "MODE=strict;LEVEL=high")
    # The registry reads {} before the request line.
    match = [{"mode": "CLIENT", "ports": [{"number": 5000}]}]
    prepends = plugin("bytes", f"http://{WHERE}/files/prepends.wasm", type="NETWORK", pluginConfig={}, match=match)
    mesh.apply([prepends])
    call = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{WHERE}/log")
    soon(lambda: mesh.exec("tagged", *call).out, "501")


def the_control_plane_ends(mesh: Mesh) -> None:
    url = f"http://{WHERE}/files/marks.wasm"
    mesh.apply([plugin("some", url, pluginConfig={})])
    soon(lambda: mark(mesh), "{}")
    with mesh.load(TAGGED) as load:
        before = mesh.status()["controlplane"]["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: mesh.status()["controlplane"], lambda now: now["ready"] and now["pid"] != before, 20)
        mesh.apply([plugin("some", url, pluginConfig={"again": 1})])
        soon(lambda: mark(mesh), '{"again":1}')
    assert load.failures == []
