"""Two meshes on one machine as two clusters of one mesh: each has its network, and one root signs for both."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.mesh import MANIFESTS, Mesh, documents_of
from tests.e2e.test_authority import secret
from tests.e2e.test_networks import ENTRANCE, GATEWAY
from tests.e2e.waiting import eventually
from tests.fakes.authorities import Ca, files

pytestmark = pytest.mark.lab

SPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: istio-system, labels: {topology.istio.io/network: %s}}
---
apiVersion: v1
kind: Service
metadata: {name: helloworld}
spec: {selector: {app: helloworld}, ports: [{name: http, port: 5000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: helloworld}
spec:
  replicas: 1
  selector: {matchLabels: {app: helloworld}}
  template:
    metadata: {labels: {app: helloworld, version: %s}}
    spec:
      containers: [{name: helloworld, image: examples-helloworld-%s, ports: [{containerPort: 5000}]}]
"""
URL = "http://helloworld:5000/hello"


def start(mesh: Mesh, name: str, version: str, peer: Mesh, text: str, authority: dict[str, str], path: Path) -> None:
    settings = {"peers": {"meshes": [peer.name]}, "controlPlane": {"env": {"CLUSTER_ID": name}}}
    path.write_text(yaml.safe_dump(settings))
    documents = [*secret(authority), *documents_of(SPACES % (name, version, version)), *documents_of(text)]
    written = yaml.safe_dump_all(documents)
    mesh.run("up", "--detach", "--config", str(path), "-f", "-", seconds=90, text=written)


def answers(mesh: Mesh) -> set[str]:
    """Which versions answer, of thirty calls."""
    return set(re.findall(r"version: (v\d)", "\n".join(mesh.lines(URL, 30))))


@pytest.mark.row("MCL-01", "MCL-03", "MN-05", "PO-17")
def test_a_service_of_two_clusters_is_served_by_both_while_one_root_signs_for_them(
    new_mesh: Callable[[], Mesh], tmp_path: Path
) -> None:
    root = Ca("root")
    west, east = new_mesh(), new_mesh()
    way_in = GATEWAY + "---" + ENTRANCE.partition("---")[0]
    start(west, "west", "v2", east, way_in, files(Ca("west", root), root), tmp_path / "west.yaml")
    curl = (MANIFESTS / "curl.yaml").read_text()
    start(east, "east", "v1", west, curl, files(Ca("east", root), root), tmp_path / "east.yaml")
    eventually(lambda: answers(east), lambda found: found == {"v1"}, 20)

    told = west.run("create-remote-secret", "--name", "west").out
    east.apply(told)
    eventually(lambda: answers(east), lambda found: found == {"v1", "v2"}, 30)
    assert [line.split()[0] for line in east.run("remote-clusters").out.splitlines()[1:]] == ["east", "west"]

    # A caller of another root does not believe the servers of the other cluster.
    east.apply(secret(files(Ca("stranger", other := Ca("other")), other)), wait=False)
    east.run("scale", "deploy/helloworld", "--replicas", "0")
    east.run("rollout", "restart", "deploy/curl")
    east.run("rollout", "status", "deploy/curl", "--timeout", "40s", seconds=50)
    failed = eventually(lambda: east.curl(URL), lambda reply: reply.code == 503 and "TLS" in reply.body, 40)
    assert "CERTIFICATE_VERIFY_FAILED" in failed.body

    east.delete(told)
    assert len(east.run("remote-clusters").out.splitlines()) == 2
