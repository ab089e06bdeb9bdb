"""Bookinfo as a mesh: start, readiness, one change, the agents' memory, end. Needs root; a minute.

Each number is measured from outside, with the command line, and printed beside its limit. Exit code 1 when one is missed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.mesh import NAMESPACE, Measured, Mesh, memory

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = ROOT / "src" / "mizzen" / "samples" / "manifests"
MESH = "benchmark"
CHANGES = 20
ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: ratings}}
spec:
  hosts: [ratings]
  http: [{{timeout: {seconds}s, route: [{{destination: {{host: ratings}}}}]}}]
"""


def agents() -> Iterator[float]:
    """Proportional set size in MB of each agent process of the mesh."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
            named = MESH.encode() in (directory / "mountinfo").read_bytes()
            if b"mizzen.agent" in words and named:
                yield memory(int(directory.name))
        except OSError:  # it ended, or is a kernel thread
            continue


def measure(mesh: Mesh) -> Iterator[Measured]:
    """All numbers, in the order in which they are taken."""
    bookinfo = (MANIFESTS / "bookinfo.yaml").read_text()
    seconds, _ = mesh.run("up", "--detach", "-f", "-", text=f"{NAMESPACE}---\n{bookinfo}")
    yield Measured("mizzen up of Bookinfo: 6 sidecars and 2 gateways ready", seconds, 15, "s")
    sizes = list(agents())
    yield Measured(f"memory (PSS) of an agent, the largest of {len(sizes)}", max(sizes, default=float("inf")), 20, "MB")
    mesh.run("apply", "--wait", "--timeout", "60s", "-f", "-", text=_four_more())
    mesh.run("rollout", "status", "deploy/extra", "--timeout", "60s")
    took = [
        mesh.run("apply", "--wait", "-f", "-", text=ROUTE.format(seconds=number))[0] * 1000
        for number in range(1, CHANGES + 1)
    ]
    yield Measured(
        f"apply --wait of a VirtualService, 10 sidecars, median of {CHANGES}", statistics.median(took), 500, "ms"
    )
    yield Measured(f"apply --wait of a VirtualService, 10 sidecars, slowest of {CHANGES}", max(took), 500, "ms")
    seconds, _ = mesh.run("down", "--purge", "--verify")
    yield Measured("mizzen down --verify of that mesh", seconds, 5, "s")


def _four_more() -> str:
    """A Deployment of four pods, which makes ten sidecars with Bookinfo's six."""
    return """
apiVersion: apps/v1
kind: Deployment
metadata: {name: extra}
spec:
  replicas: 4
  selector: {matchLabels: {app: extra}}
  template:
    metadata: {labels: {app: extra}}
    spec: {containers: [{name: c, image: curl, command: [/bin/sleep, infinity]}]}
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as state:
        mesh = Mesh(MESH, state)
        try:
            found = []
            for measured in measure(mesh):
                print(measured.line(), flush=True)
                found.append(measured)
        finally:
            mesh.run("down", "--purge")
    return int(any(not each.good for each in found))


if __name__ == "__main__":
    sys.exit(main())
