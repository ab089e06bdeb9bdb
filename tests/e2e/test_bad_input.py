"""Bad input in a real mesh: a clear message with file:line or the next step, nothing lost, everything else working."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.mesh import Done, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

HTTPBIN = "http://httpbin:8000/get"
NOBODY = 65534

BROKEN_YAML = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: broken
 spec: [
---
just text
"""

WRONG_FIELDS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: misspelt}
spec:
  hosts: [httpbin]
  http:
    - timeot: 3s
      route: [{destination: {host: httpbin}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: mistyped}
spec:
  hosts: httpbin
  http:
    - route:
        - destination: {host: httpbin}
          weight: heavy
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: many}
spec:
  replicas: many
  selector: {matchLabels: {app: many}}
  template: {metadata: {labels: {app: many}}, spec: {containers: [{name: a}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
"""

PODS = """\
apiVersion: v1
kind: Pod
metadata: {name: no-program}
spec:
  containers: [{name: app, image: anything, command: [/no/such/program]}]
---
apiVersion: v1
kind: Pod
metadata: {name: no-image}
spec:
  containers: [{name: app, image: example.com/never/seen:1}]
---
apiVersion: v1
kind: Pod
metadata: {name: port-taken}
spec:
  containers:
    - {name: first, image: anything, command: [python3, -m, http.server, "8000"]}
    - name: second
      image: anything
      command: [sh, -c, "until ss -ltn | grep -q :8000; do sleep 0.05; done; exec python3 -m http.server 8000"]
"""


@pytest.fixture
def applied(mesh: Mesh) -> Iterator[Mesh]:
    """The shared mesh, which must still answer at the end of the test."""
    yield mesh
    assert mesh.curl(HTTPBIN).code == 200


def apply(mesh: Mesh, path: Path, *more: str, expect: int) -> Done:
    return mesh.run("apply", "-f", str(path), *more, expect=expect)


def test_broken_yaml_costs_its_own_document(applied: Mesh, write: Callable[[str], Path]) -> None:
    path = write(BROKEN_YAML)
    assert apply(applied, path, "--atomic", expect=1).out == ""
    done = apply(applied, path, expect=1)
    assert f"{path}:9: Error [MZ0001] not YAML" in done.err
    assert f"{path}:11: Error [MZ0001] not an object, but 'just text'" in done.err
    assert "configmap/fine created" in done.out
    applied.run("delete", "cm", "fine")


def test_unknown_fields_and_wrong_types_are_refused_by_line_and_the_rest_is_applied(
    applied: Mesh, write: Callable[[str], Path]
) -> None:
    path = write(WRONG_FIELDS)
    nothing = apply(applied, path, "--atomic", expect=1)
    assert "created" not in nothing.out
    assert applied.run("get", "cm", "fine", expect=1).out == ""
    done = apply(applied, path, expect=1)
    for place in (
        ":7: Error [IST0106] (VirtualService default/misspelt spec.http[0].timeot) unknown field",
        ":14: Error [IST0106] (VirtualService default/mistyped spec.hosts) must be a list",
        ":18: Error [IST0106] (VirtualService default/mistyped spec.http[0].route[0].weight) must be a whole number",
        ":24: Error [IST0106] (Deployment default/many spec.replicas) must be a whole number",
    ):
        assert f"{path}{place}" in done.err
    assert "configmap/fine created" in done.out
    assert "misspelt" not in applied.run("get", "vs").out
    applied.run("validate", "-f", str(path), expect=3)
    applied.run("delete", "cm", "fine")


def test_what_only_the_whole_mesh_can_tell_is_a_warning_with_its_line(
    applied: Mesh, write: Callable[[str], Path]
) -> None:
    path = write(
        "apiVersion: networking.istio.io/v1\n"
        "kind: VirtualService\n"
        "metadata: {name: reviews}\n"
        "spec:\n"
        "  hosts: [reviews]\n"
        "  http:\n"
        "    - match: [{uri: {prefix: /a}}]\n"
        "      route: [{destination: {host: reviews, subset: v9}}]\n"
        "    - route: [{destination: {host: nowhere}}]\n"
    )
    for more in ([], ["--wait"]):
        done = apply(applied, path, *more, expect=0)
        assert f"{path}:8: Warning [IST0101] (VirtualService default/reviews" in done.err
        assert f"{path}:9: Warning [IST0101] (VirtualService default/reviews" in done.err
    assert "reviews.default.svc.cluster.local+v9" in applied.run("up", "-d", "-f", str(path)).err
    rule = applied.run("get", "dr", "reviews", "-o", "yaml").out
    applied.run("delete", "vs", "reviews")

    path = write(path.read_text().replace("v9", "v1").replace("nowhere", "reviews"))
    assert apply(applied, path, "--wait", expect=0).err.count("Warning") == 0
    gone = applied.run("delete", "dr", "reviews")
    assert "Warning [IST0101] (VirtualService default/reviews" in gone.err, "who misses what is deleted is told"
    applied.run("delete", "vs", "reviews")
    applied.run("apply", "--wait", "-f", "-", text=rule)


def unready(mesh: Mesh) -> list[str]:
    """The pods that are not ready; one that an earlier test deleted still drains for a moment."""
    return [pod["name"] for pod in mesh.status()["pods"] if not pod["ready"]]


def test_a_pod_that_cannot_run_says_why_and_is_the_only_one(applied: Mesh, write: Callable[[str], Path]) -> None:
    apply(applied, write(PODS), expect=0)

    def wanted(done: Done) -> bool:
        return all(
            text in done.err
            for text in (
                "pod default/no-program: app: CrashLoopBackOff cannot run /no/such/program: No such file or directory",
                "pod default/no-image: nothing is known about the image 'example.com/never/seen:1'",
                "pod default/port-taken: second: CrashLoopBackOff exit code 1: OSError: [Errno 98] Address already in use",
            )
        )

    try:
        done = eventually(lambda: applied.run("up", "--detach", "--timeout", "1s", expect=4), wanted, 20)
        assert "next: " in done.err
        assert "Address already in use" in applied.run("logs", "port-taken", "-c", "second").out
        eventually(lambda: unready(applied), lambda names: all(name.startswith(("no-", "port-")) for name in names))
    finally:
        applied.run("delete", "pod", "no-program", "no-image", "port-taken")


def test_a_port_of_this_machine_that_is_taken_gives_the_next_free_one(new_mesh: Callable[[], Mesh]) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
        except OSError:
            pass  # another mesh has it, which is as good
        mesh = new_mesh()
        assert "127.0.0.1:8080 is taken" in mesh.run("doctor").out
        up = mesh.run("up", "--detach", seconds=60)
        port = int(mesh.localhost().rpartition(":")[2])
        assert port != 8080
        assert f"127.0.0.1:{port} -> 80" in up.out
        mesh.down()


def as_nobody(mesh: Mesh, *arguments: str) -> Done:
    """``mizzen`` by a user who is not root. The capability to read only lets it load a package below a closed directory."""
    drop = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    keep = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    return finished([*drop, *keep, *mesh.command(*arguments)], mesh.environment)


def finished(command: list[str], environment: dict[str, str]) -> Done:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, cwd="/")
    return Done(done.returncode, done.stdout, done.stderr, 0)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_who_is_not_root_is_told_so_and_can_still_ask_about_files(
    applied: Mesh, write: Callable[[str], Path], tmp_path: Path
) -> None:
    path = write(WRONG_FIELDS)
    for code, *arguments in (
        (1, "up", "--detach"),
        (1, "ps"),
        (1, "get", "pods"),
        (1, "apply", "-f", str(path)),
        (1, "down"),
        (125, "exec", "deploy/curl", "--", "true"),
        (125, "run", "--", "true"),
    ):
        done = as_nobody(applied, *map(str, arguments))
        assert (done.code, done.out) == (code, ""), done
        assert "needs root" in done.err
        assert "  next: run the command with sudo" in done.err
    away = Mesh(tmp_path / "nobody's")
    done = as_nobody(away, "up", "--detach")
    assert done.code == 1
    assert "a mesh needs root" in done.err
    assert not away.state.exists()
    assert as_nobody(applied, "doctor").code == 3
    assert as_nobody(applied, "validate", "-f", str(path)).code == 3


def test_without_iptables_the_package_to_install_is_named_and_nothing_is_left(machine: None, tmp_path: Path) -> None:
    mesh = Mesh(tmp_path / "state")
    program = os.path.realpath(str(shutil.which("iptables")))
    hide = 'mount --bind /dev/null "$0" && exec "$@"'
    done = finished(["unshare", "--mount", "sh", "-c", hide, program, *mesh.command("up", "-d")], mesh.environment)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == ["Error: the command iptables is missing", "  next: apt-get install iptables"]
    assert not mesh.state.exists()
