"""A machine outside the cluster joins the mesh with Istio's files: it registers itself, is called and calls, and leaves."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mesh import HTTPBIN, Done, Mesh, read
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

MESH = """
apiVersion: v1
kind: Namespace
metadata: {name: vms}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: db, namespace: vms}
---
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata:
  name: db
  namespace: vms
  annotations: {proxy.istio.io/config: "terminationDrainDuration: 1s"}
spec:
  metadata: {labels: {app: db}, annotations: {team: data}}
  template: {serviceAccount: db, ports: {http: 80}, labels: {tier: low}}
  probe: {periodSeconds: 1, exec: {command: [test, "!", -e, /tmp/broken]}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: vms}
spec: {selector: {app: db}, ports: [{name: http, port: 8000, targetPort: 80}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: vms}
spec: {mtls: {mode: STRICT}}
"""

MACHINE = """
apiVersion: v1
kind: Pod
metadata: {name: vm-1, namespace: vms, annotations: {lab.mizzen.io/machine: "true"}}
spec:
  dnsPolicy: None
  dnsConfig: {nameservers: [192.0.2.53]}
  containers:
  - {name: app, image: httpbin}
  - name: mesh
    image: proxyv2
    args: [machine, --dir, /etc/machine]
    securityContext: {runAsUser: 0, capabilities: {add: [NET_ADMIN, NET_RAW]}}
    volumeMounts: [{name: files, mountPath: /etc/machine}]
  volumes: [{name: files, hostPath: {path: DIRECTORY}}]
"""

DB = "http://db.vms:8000/headers"


class Machine:
    """The machine of this test, from outside and inside."""

    def __init__(self, mesh: Mesh, files: Path) -> None:
        self.mesh, self.files = mesh, files

    def configure(self) -> None:
        arguments = ["workload", "entry", "configure", "--name", "db", "-n", "vms", "--autoregister"]
        self.mesh.run("experimental", *arguments, "-o", str(self.files))

    def inside(self, *command: str, container: str = "app") -> Done:
        return self.mesh.run("exec", "-n", "vms", "-c", container, "vm-1", "--", *command, expect=None)

    def entries(self) -> list[dict[str, Any]]:
        return list(self.mesh.run("get", "workloadentry", "-n", "vms", "-o", "json").json()["items"])

    def health(self) -> str:
        """The condition ``Healthy`` of the only entry."""
        (entry,) = self.entries()
        found = (entry.get("status") or {}).get("conditions") or []
        return next((str(c["status"]) for c in found if c["type"] == "Healthy"), "")


@pytest.fixture
def joined(mesh: Mesh, tmp_path: Path) -> Iterator[Machine]:
    mesh.apply(MESH)
    found = Machine(mesh, tmp_path / "files")
    found.configure()
    mesh.apply(MACHINE.replace("DIRECTORY", str(found.files)), wait=False)
    yield found
    mesh.run("delete", "pod", "vm-1", "-n", "vms", "--ignore-not-found")


@pytest.mark.row("WE-06", "VM-01", "VM-02", "VM-03", "VM-04", "VM-05", "VM-06", "AG-13", "IX-34")
def test_a_machine_registers_itself_is_called_and_calls_and_leaves(joined: Machine) -> None:
    machine, mesh = joined, joined.mesh
    # The service has no pod: who answers is the machine, over mutual TLS alone.
    answer = eventually(lambda: mesh.curl(DB), lambda reply: reply.code == 200, seconds=20)
    assert "spiffe://cluster.local/ns/vms/sa/db" in answer.body
    (entry,) = machine.entries()
    meta, spec = entry["metadata"], entry["spec"]
    assert meta["name"] == f"db-{spec['address']}"
    assert (meta["labels"]["app"], meta["labels"]["tier"]) == ("db", "low")
    assert (meta["annotations"]["istio.io/autoRegistrationGroup"], meta["annotations"]["team"]) == ("db", "data")
    assert (meta["ownerReferences"][0]["kind"], meta["ownerReferences"][0]["name"]) == ("WorkloadGroup", "db")
    assert (spec["serviceAccount"], spec["ports"]) == ("db", {"http": 80})
    assert machine.health() == "True"
    # Its resolver knows nothing of the cluster; the agent does.
    own = machine.inside("curl", "-s", "--max-time", "10", HTTPBIN.replace("/status/200", "/headers"))
    assert "URI=spiffe://cluster.local/ns/vms/sa/db" in own.out

    machine.inside("touch", "/tmp/broken")
    eventually(machine.health, lambda word: word == "False", seconds=10)
    eventually(lambda: mesh.curl(DB).code, lambda code: code == 503, seconds=10)
    machine.inside("rm", "/tmp/broken")
    eventually(lambda: mesh.curl(DB).code, lambda code: code == 200, seconds=10)

    # The agent starts again with a token that is worth nothing: its last certificate renews itself, the entry stays.
    (machine.files / "istio-token").write_text("of long ago")
    os.kill(agent(mesh), signal.SIGTERM)
    eventually(lambda: restarts(mesh), lambda count: count == 1, seconds=15)
    eventually(lambda: mesh.curl(DB).code, lambda code: code == 200, seconds=15)
    (again,) = eventually(machine.entries, lambda found: connected(found[0]["metadata"]) > connected(meta), seconds=15)
    assert again["metadata"]["uid"] == meta["uid"]

    mesh.run("delete", "pod", "vm-1", "-n", "vms")
    eventually(machine.entries, lambda found: all(left(entry) for entry in found), seconds=15)


def connected(meta: dict[str, Any]) -> str:
    """When its workload last came, RFC 3339."""
    return str(meta["annotations"]["istio.io/connectedAt"])


def left(entry: dict[str, Any]) -> bool:
    """Whether the entry counts the seconds until it is removed."""
    return "istio.io/disconnectedAt" in entry["metadata"]["annotations"]


def agent(mesh: Mesh) -> int:
    """The pid of the machine's agent."""
    (pid,) = (
        pid
        for pid in mesh.processes()
        if b"mizzen.agent\0proxy" in read(Path(f"/proc/{pid}/cmdline"))
        and b"POD_NAME=vm-1\0" in read(Path(f"/proc/{pid}/environ"))
    )
    return pid


def restarts(mesh: Mesh) -> int:
    return int(next(pod["restarts"] for pod in mesh.status()["pods"] if pod["name"] == "vm-1"))
