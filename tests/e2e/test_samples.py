"""Istio's other public samples run unchanged."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.e2e.mesh import Document, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
Samples = Callable[[str], list[Document]]


def ready(mesh: Mesh, *workloads: str) -> None:
    """Waits until every pod of these workloads is ready, with a sidecar."""

    def all_ready(pods: list[Document]) -> bool:
        return bool(pods) and all(pod["ready"] and pod["pids"]["envoy"] for pod in pods)

    for workload in workloads:
        eventually(partial(mesh.pods, workload), all_ready, 30)


def test_every_pod_of_bookinfo_is_ready_with_its_sidecar_and_identity(mesh: Mesh) -> None:
    for name, account in (
        ("productpage-v1", "bookinfo-productpage"),
        ("details-v1", "bookinfo-details"),
        ("reviews-v1", "bookinfo-reviews"),
        ("reviews-v2", "bookinfo-reviews"),
        ("reviews-v3", "bookinfo-reviews"),
        ("ratings-v1", "bookinfo-ratings"),
    ):
        pod = mesh.pod(name)
        assert pod["ready"], pod
        assert all(pod["pids"][part] for part in ("app", "agent", "envoy")), pod
        assert pod["identity"] == f"spiffe://cluster.local/ns/default/sa/{account}"
        assert pod["restarts"] == 0
    plain = mesh.pod("curl", "plain")
    assert plain["ready"]
    assert not plain["pids"].get("envoy")


def test_helloworld(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("helloworld/helloworld.yaml"))
    ready(mesh, "helloworld-v1", "helloworld-v2")
    lines = mesh.lines("http://helloworld:5000/hello", 40)
    assert len(lines) == 40
    assert {line.partition(",")[0] for line in lines} == {"Hello version: v1", "Hello version: v2"}
    pods = {pod["name"] for name in ("helloworld-v1", "helloworld-v2") for pod in mesh.pods(name)}
    assert {line.rpartition("instance: ")[2] for line in lines} == pods


def test_sleep(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("sleep/sleep.yaml"))
    ready(mesh, "sleep")
    reply = mesh.curl("http://httpbin:8000/headers", workload="sleep")
    assert reply.code == 200
    assert "spiffe://cluster.local/ns/default/sa/sleep" in reply.body


def test_tcp_echo(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("tcp-echo/tcp-echo.yaml"))
    ready(mesh, "tcp-echo")
    # What Istio's TCP task runs with nc.
    script = "exec 3<>/dev/tcp/tcp-echo/9000; echo world >&3; read -t 5 line <&3; echo $line"
    done = mesh.exec("curl", "bash", "-c", script)
    assert done.out == "hello world\n", done


@pytest.mark.parametrize(
    "host", ["httpbin", "httpbin.default", "httpbin.default.svc", "httpbin.default.svc.cluster.local"]
)
def test_httpbin_by_each_of_its_names(mesh: Mesh, host: str) -> None:
    reply = mesh.curl(f"http://{host}:8000/get?a=1")
    assert reply.code == 200
    assert '"a"' in reply.body


@pytest.mark.row("OL-01")
def test_httpbin_status_delay_and_bodies_pass_unchanged(mesh: Mesh) -> None:
    assert mesh.curl("http://httpbin:8000/status/418").code == 418
    slow = mesh.curl("http://httpbin:8000/delay/1")
    assert slow.code == 200
    assert 1.0 <= slow.seconds < 2.0
    assert mesh.curl("http://httpbin:8000/bytes/50000?seed=1", "-o", "/dev/null").code == 200
    posted = mesh.curl("http://httpbin:8000/post", "-d", "field=value")
    assert '"field"' in posted.body


def test_services_are_reached_from_a_pod_without_a_sidecar(mesh: Mesh) -> None:
    reply = mesh.curl("http://httpbin.default:8000/headers", namespace="plain")
    assert reply.code == 200
    assert "X-Forwarded-Client-Cert" not in reply.body


def test_exec_gives_the_commands_own_exit_code(mesh: Mesh) -> None:
    assert mesh.exec("curl", "sh", "-c", "exit 7").code == 7
    assert mesh.exec("curl", "/nothing/here").code == 125
