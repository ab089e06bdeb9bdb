"""One shared Bookinfo mesh for the whole run; each test gives it back as it got it."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.mesh import MANIFESTS, ROOT, Document, Mesh, documents_of, has_istio_samples, istio_sample

NAMESPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain}
---
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {istio-injection: enabled}}
"""


def without_root() -> str:
    """Why tests in real pods cannot run here, or ``""``."""
    if os.geteuid() != 0:
        return "needs root: network namespaces"
    missing = [command for command in ("iptables", "nft", "ip", "curl") if shutil.which(command) is None]
    return f"needs the commands {', '.join(missing)}" if missing else ""


@pytest.fixture(scope="session")
def machine() -> None:
    """Skips where real pods cannot run."""
    if reason := without_root():
        pytest.skip(reason)


@pytest.fixture
def new_mesh(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Mesh]]:
    """Makes meshes of their own, not started; each is taken down at the end of the test, however that ends."""
    with ExitStack() as stack:

        def make() -> Mesh:
            mesh = Mesh(tmp_path_factory.mktemp("state"))
            stack.callback(mesh.end)
            return mesh

        yield make


def in_namespace(documents: list[Document], namespace: str) -> list[Document]:
    """The same documents in another namespace."""
    return [{**document, "metadata": {**document["metadata"], "namespace": namespace}} for document in documents]


def sample(istio: str, ours: str) -> list[Document]:
    """Istio's own file unchanged where it is at hand, else ours of the same names."""
    return istio_sample(istio) if has_istio_samples() else documents_of(MANIFESTS / ours)


@pytest.fixture(scope="session")
def shared(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """Bookinfo with its gateway and subsets, httpbin, and curl with and without a sidecar."""
    mesh = Mesh(tmp_path_factory.mktemp("state"))
    with ExitStack() as stack:
        stack.callback(mesh.end)
        _start(mesh)
        yield mesh


def _start(mesh: Mesh) -> None:
    curl = sample("curl/curl.yaml", "curl.yaml")
    mesh.up(
        [
            *documents_of(NAMESPACES),
            *sample("bookinfo/platform/kube/bookinfo.yaml", "bookinfo.yaml"),
            *sample("bookinfo/networking/bookinfo-gateway.yaml", "bookinfo-gateway.yaml"),
            *sample("bookinfo/networking/destination-rule-all.yaml", "destination-rule-all.yaml"),
            *sample("httpbin/httpbin.yaml", "httpbin.yaml"),
            *curl,
            *in_namespace(curl, "plain"),
        ]
    )


@pytest.fixture
def mesh(shared: Mesh) -> Iterator[Mesh]:
    """The shared mesh; what the test applies is undone after it."""
    yield shared
    shared.restore()


@pytest.fixture
def istio_samples() -> Callable[[str], list[Document]]:
    """Istio's own sample documents by file name; skips the test when they are not at hand."""
    if not has_istio_samples():
        pytest.skip("Istio's sample documents are not at hand (MIZZEN_CONFORMANCE)")
    return istio_sample


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes YAML text to a file."""

    def put(text: str) -> Path:
        path = tmp_path / "objects.yaml"
        path.write_text(text)
        return path

    return put


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A checkout below a directory that only root may enter, with the interpreter's packages reached through it."""
    top = tmp_path / "closed"
    top.mkdir()
    top.chmod(0o700)
    checkout = top / "mizzen"
    for part in ("src", "demo", "packaging"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / ".venv").symlink_to(sys.prefix)
    return checkout
