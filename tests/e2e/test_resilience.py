"""Crashes: of the control plane under load, of everything in mid-start; and two meshes on one machine."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import NAMESPACES, in_namespace
from tests.e2e.mesh import MANIFESTS, Mesh, documents_of, read
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab


@pytest.mark.row("AG-02")
def test_no_request_fails_when_the_control_plane_is_killed(mesh: Mesh) -> None:
    before = mesh.status()["controlplane"]["pid"]
    with mesh.load("http://httpbin:8000/get") as load:
        os.kill(before, signal.SIGKILL)
        eventually(lambda: mesh.status()["controlplane"]["pid"], lambda pid: pid not in (before, None, 0), 1.0)
        after = eventually(
            lambda: mesh.status()["controlplane"], lambda plane: plane["ready"] and plane["pid"] != before, 10
        )
    load.assert_no_failure()
    assert after["pid"] != before
    # --wait speaks of connected proxies; a new control plane does not know whom else the old one served.
    name = mesh.pod("curl")["name"]
    eventually(lambda: mesh.run("proxy-status").out, lambda shown: name in shown, 20)
    mesh.apply(
        """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: httpbin}
spec:
  hosts: [httpbin]
  http: [{fault: {abort: {httpStatus: 418, percentage: {value: 100}}}, route: [{destination: {host: httpbin}}]}]
"""
    )
    assert mesh.curl("http://httpbin:8000/get").code == 418, "the new control plane commands the old proxies"


@pytest.mark.parametrize("after", [0.3, 1.5, 4.0])
def test_nothing_is_left_after_sigkill_of_everything_in_mid_start(
    new_mesh: Callable[[], Mesh], tmp_path: Path, after: float
) -> None:
    mesh = new_mesh()
    objects = [
        *documents_of(NAMESPACES),
        *documents_of(MANIFESTS / "curl.yaml"),
        *documents_of(MANIFESTS / "httpbin.yaml"),
    ]
    manifest = tmp_path / "objects.yaml"
    manifest.write_text(yaml.safe_dump_all(objects))
    with subprocess.Popen(
        mesh.command("up", "--detach", "-f", str(manifest)),
        env=mesh.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(after)  # the moment of the crash is the subject
        mesh.kill_all()
        process.wait(10)
    assert not mesh.processes()
    done = mesh.down(verify=True)
    assert done.seconds < 15
    mesh.up(objects)
    assert mesh.curl("http://httpbin:8000/get").code == 200, "the same mesh starts afterwards"
    mesh.down(verify=True)
    assert not mesh.processes()


def test_pods_outlive_the_supervisor_and_the_next_up_replaces_them(new_mesh: Callable[[], Mesh]) -> None:
    mesh = new_mesh()
    objects = [
        *documents_of(NAMESPACES),
        *documents_of(MANIFESTS / "curl.yaml"),
        *documents_of(MANIFESTS / "httpbin.yaml"),
    ]
    mesh.up(objects)
    caller, answerer = mesh.pod("curl"), mesh.pod("httpbin")
    address = mesh.run("get", "service", "httpbin", "-o", "json").json()["spec"]["clusterIP"]

    def call() -> str:
        """A request from the pod's network, without the supervisor that ``mizzen exec`` asks."""
        words = ["nsenter", f"--net=/proc/{caller['pids']['app']}/ns/net", "curl", "-s", "--max-time", "5"]
        words += ["-H", "host: httpbin:8000", f"http://{address}:8000/headers"]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout

    assert "spiffe://" in call(), "through both sidecars"
    os.kill(mesh.supervisor(), signal.SIGKILL)
    eventually(mesh.supervisor, lambda pid: pid == 0)
    assert "spiffe://" in call(), "the pods do not need the supervisor to live"
    mesh.up(objects)
    assert mesh.curl("http://httpbin:8000/get").code == 200
    assert mesh.pod("httpbin")["pids"]["app"] != answerer["pids"]["app"], "replaced"
    assert len(mesh.pods("httpbin")) == 1
    assert not alive(caller["pids"]["app"]), "no pod of the first run is left"
    os.kill(mesh.supervisor(), signal.SIGKILL)
    mesh.down(verify=True)
    assert not mesh.processes()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not reaped does not."""
    return read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()[:1] not in ([], [b"Z"], [b"X"])


def test_two_meshes_side_by_side_do_not_see_each_other(mesh: Mesh, new_mesh: Callable[[], Mesh]) -> None:
    other = new_mesh()
    other.up(
        [*documents_of(NAMESPACES), *documents_of(MANIFESTS / "curl.yaml"), *documents_of(MANIFESTS / "httpbin.yaml")]
    )
    ours, theirs = mesh.pod("details-v1"), other.pod("httpbin")
    assert other.curl("http://httpbin:8000/get").code == 200
    unknown = other.exec("curl", "curl", "-s", "--max-time", "5", "http://details:9080/details/0")
    assert unknown.code == 6, "a name of the other mesh does not resolve"
    # Both meshes may use the same addresses: what counts is who answers.
    limit = ("--connect-timeout", "2", "--max-time", "5")
    assert "publisher" not in other.curl(f"http://{ours['ip']}:9080/details/0", *limit).body
    assert theirs["name"] not in mesh.curl(f"http://{theirs['ip']}:8080/hostname", *limit).body
    names = {pod["name"] for pod in other.status()["pods"]}
    assert not any("reviews" in name for name in names)
    other.down(verify=True)
    assert mesh.curl("http://details:9080/details/0").code == 200, "the first mesh lives on"


def test_a_proxy_that_refuses_is_named_with_envoys_reason_and_harms_no_other(mesh: Mesh) -> None:
    """A file of the proxy's own file system is nothing that a check could know; only that proxy's Envoy can refuse it."""
    mesh.apply(in_namespace(documents_of(MANIFESTS / "curl.yaml"), "other"))
    mesh.run("rollout", "status", "deploy/curl", "-n", "other", "--timeout", "20s")
    rule = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: refused, namespace: other}
spec:
  host: httpbin.default.svc.cluster.local
  exportTo: ["."]
  trafficPolicy: {tls: {mode: SIMPLE, caCertificates: /nothing/here.pem}}
"""
    done = mesh.apply(rule, expect=1)
    told = done.out + done.err
    assert mesh.pod("curl", "other")["name"] in told, told
    assert "/nothing/here.pem" in told, told
    assert mesh.pod("curl")["name"] not in told, told
    assert mesh.curl("http://httpbin:8000/get").code == 200
    refused = mesh.curl("http://httpbin.default:8000/get", namespace="other")
    assert refused.code == 503, "without the authorities there is no connection, as long as the rule stands"
    others = mesh.curl("http://details.default:9080/details/0", namespace="other")
    assert others.code == 200, "the proxy that refused goes on with all other hosts"
    mesh.delete(rule)
    mesh.apply(rule.replace("mode: SIMPLE, caCertificates: /nothing/here.pem", "mode: ISTIO_MUTUAL"))
    assert mesh.curl("http://httpbin.default:8000/get", namespace="other").code == 200, "and takes what is right again"


def test_a_killed_application_is_restarted_and_found_again(mesh: Mesh) -> None:
    before = mesh.pod("httpbin")
    os.kill(before["pids"]["app"], signal.SIGKILL)
    after = eventually(
        lambda: mesh.pod("httpbin"), lambda pod: pod["ready"] and pod["restarts"] > before["restarts"], 20
    )
    assert after["pids"]["app"] != before["pids"]["app"]
    assert eventually(lambda: mesh.curl("http://httpbin:8000/get").code, lambda status: status == 200) == 200


def test_a_pod_whose_command_does_not_exist_harms_no_other(mesh: Mesh) -> None:
    mesh.apply(
        """
apiVersion: apps/v1
kind: Deployment
metadata: {name: broken}
spec:
  selector: {matchLabels: {app: broken}}
  template:
    metadata: {labels: {app: broken}}
    spec: {containers: [{name: broken, image: curl, command: [/nothing/here]}]}
""",
        wait=False,
    )
    pod = eventually(lambda: mesh.pods("broken"), lambda pods: bool(pods) and not pods[0]["ready"])[0]
    assert pod["phase"] != "Running" or not pod["ready"]
    assert mesh.curl("http://httpbin:8000/get").code == 200
