"""The verbs of the command line on one real mesh, as a person uses them."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mizzen.api.kinds import KINDS
from tests.e2e.mesh import Document, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

VOLATILE = ("last_updated", "version_info", "address", "health_status", "locality", "load_balancing_weight")


@contextmanager
def running(mesh: Mesh, *arguments: str, cwd: str | Path = "/", **more: Any) -> Iterator[subprocess.Popen[str]]:
    """``mizzen`` in the background; killed at the end. Ctrl-C reaches it also where these tests run in the background."""
    pipe = subprocess.PIPE
    environment = {**mesh.environment, **more}
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits what is ignored
    try:
        process = subprocess.Popen(
            mesh.command(*arguments), env=environment, cwd=cwd, stdout=pipe, stderr=pipe, text=True
        )
    finally:
        signal.signal(signal.SIGINT, ignored)
    with process:
        try:
            yield process
        finally:
            process.kill()


def processes(marker: str) -> list[int]:
    """The processes that have ``marker`` as a word of their command line and are no ``mizzen``."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if marker.encode() in words and b"mizzen" not in words:
            found.append(int(directory.name))
    return found


def test_get_knows_every_kind(mesh: Mesh) -> None:
    for words in zip(*((info.singular, info.plural) for info in KINDS.values()), strict=True):
        lines = mesh.run("get", ",".join(words), "-A", "-o", "name").out.splitlines()
        assert {line.partition("/")[0].partition(".")[0] for line in lines} >= {"pod", "service", "virtualservice"}
    for word, kind in ((word, info.kind) for info in KINDS.values() for word in info.short_names):
        if kind in ("VirtualService", "Deployment", "ReplicaSet", "Namespace"):
            assert mesh.run("get", word, "-A", "-o", "json").json()["items"][0]["kind"] == kind
    items = mesh.run("get", "pods,svc", "-n", "istio-system", "-o", "json").json()["items"]
    assert {item["kind"] for item in items} == {"Pod", "Service"}
    assert mesh.run("get", "pods", "-o", "wide").out.splitlines()[0].split()[-2:] == ["IP", "NODE"]
    assert 'virtualservices.networking.istio.io "none" not found' in mesh.run("get", "vs/none", expect=1).err
    assert "there is no kind 'nonsense'" in mesh.run("get", "nonsense", expect=1).err


@pytest.mark.row("IX-06", "IA-01")
def test_analyze_has_nothing_to_say_of_bookinfo_but_finds_a_planted_fault(mesh: Mesh) -> None:
    # Istio's destination-rule-all names versions of ratings that its bookinfo.yaml has no pods of.
    known = ["-S", "IST0173=DestinationRule default/ratings"]
    clean = mesh.run("analyze", "-A", "--output-threshold", "Warning", *known)
    assert (clean.out, "No validation issues found" in clean.err) == ("", True)
    route = {"route": [{"destination": {"host": "reviews", "subset": "v9"}}]}
    meta = {"name": "reviews", "namespace": "default"}
    fault = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": meta}
    fault["spec"] = {"hosts": ["reviews"], "http": [route]}
    told = mesh.run("analyze", "-", "-o", "json", *known, text=json.dumps(fault, indent=1), expect=3).json()
    assert [(found["code"], found["origin"]) for found in told] == [("IST0101", "VirtualService default/reviews")]
    assert told[0]["message"].endswith('"reviews+v9"')


def test_edit_applies_what_the_editor_wrote_and_keeps_what_is_refused(mesh: Mesh) -> None:
    def edit(script: str, expect: int = 0) -> str:
        mesh.environment["EDITOR"] = f"sed -i {script}"
        done = mesh.run("edit", "vs", "bookinfo", "--wait", expect=expect)
        return done.out + done.err

    try:
        assert "no changes made" in edit("s/x/x/")
        assert "edited" in edit("s/bookinfo-gateway$/nothere/")
        told = edit("s/number:/nmber:/", expect=1)
        assert "unknown field 'nmber'" in told
        kept = re.findall(r"kept in (\S+\.yaml)", told)[0]
        assert "nmber" in Path(kept).read_text()
        os.unlink(kept)
        assert "proxies concerned have acknowledged" in edit("s/nothere$/bookinfo-gateway/")
    finally:
        del mesh.environment["EDITOR"]


def test_scale_and_rollout(mesh: Mesh) -> None:
    try:
        assert "scaled" in mesh.run("scale", "deploy/httpbin", "--replicas", "2", "--wait").out
        before = {pod["name"] for pod in mesh.pods("httpbin")}
        assert len(before) == 2
        mesh.run("rollout", "restart", "deploy/httpbin")
        assert "2 of 2 pods ready" in mesh.run("rollout", "status", "deploy/httpbin").out
        assert not before & {pod["name"] for pod in mesh.pods("httpbin") if pod["ready"]}
    finally:
        mesh.run("scale", "deployment", "httpbin", "--replicas=1", "--wait")
    assert mesh.run("scale", "deploy/none", "--replicas=1", expect=1).err.startswith("Error: ")


def test_run_is_a_member_of_the_mesh_in_the_callers_directory(mesh: Mesh, tmp_path: Path) -> None:
    # Only its owner may enter the parent; the directory itself is everybody's.
    directory = tmp_path / "closed" / "shop"
    directory.mkdir(parents=True)
    directory.parent.chmod(0o700)
    directory.chmod(0o777)
    (directory / "hello.txt").write_text("good morning")
    server = ["run", "--name", "shop", "--port", "8000:http", "--label", "version=v1"]
    with running(mesh, *server, "--", "python3", "-m", "http.server", "8000", cwd=directory) as shop:
        answer = eventually(lambda: mesh.curl("http://shop:8000/hello.txt"), lambda reply: reply.code == 200, 20)
        assert answer.body == "good morning"
        pod = mesh.run("get", "pod", "shop", "-o", "json").json()
        assert pod["metadata"]["labels"]["version"] == "v1"
        writer = running(mesh, "run", "--", "sh", "-c", 'echo "$WORD" > said; exit 9', cwd=directory, WORD="evening")
        with writer as caller:
            assert caller.wait(20) == 9
        assert (directory / "said").read_text() == "evening\n"
        assert mesh.run("run", "--", "curl", "-s", "http://shop:8000/said").out == "evening\n"
        assert "already" in mesh.run("run", "--name", "shop", "--", "true", expect=125).err
        shop.send_signal(signal.SIGTERM)
        assert shop.wait(20) == 130
    assert "/shop" not in mesh.run("get", "svc,sa", "-o", "name").out
    # The pod still drains its connections for a moment.
    eventually(lambda: mesh.run("get", "pods", "-o", "name").out, lambda names: "/shop" not in names)
    assert "not found in PATH" in mesh.run("run", "--", "no-such-command", expect=125).err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_hanging_command_ends_with_its_client(mesh: Mesh, number: signal.Signals) -> None:
    marker = f"86400.{os.getpid()}{int(number)}"
    with running(mesh, "exec", "deploy/curl", "--", "sh", "-c", f"sleep {marker}; true") as client:
        eventually(lambda: processes(marker), bool)
        client.send_signal(number)
        client.wait(20)
        eventually(lambda: processes(marker), lambda found: not found, 20)


def test_exec_gives_the_commands_own_code(mesh: Mesh) -> None:
    assert mesh.exec("curl", "sh", "-c", "exit 7").code == 7
    assert mesh.exec("curl", "no-such-command").code == 125
    assert mesh.run("exec", "deploy/none", "--", "true", expect=125).err.startswith("Error: ")
    assert mesh.run("exec", "deploy/curl", expect=2).err.startswith("Error: ")


def test_logs_follow(mesh: Mesh) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "talker", "labels": {"sidecar.istio.io/inject": "false"}},
        "spec": {"containers": [{"name": "app", "image": "any", "command": ["sh", "-c", TALK]}]},
    }
    mesh.apply([pod])
    with running(mesh, "logs", "-f", "talker") as follower:
        assert follower.stdout is not None
        guard = threading.Timer(20, follower.kill)
        guard.start()
        assert follower.stdout.readline() == "first\n"
        mesh.run("exec", "talker", "--", "touch", "/tmp/go")
        assert follower.stdout.readline() == "second\n"
        guard.cancel()
    assert mesh.run("logs", "talker", "--tail", "1").out == "second\n"
    assert "has no container 'none'" in mesh.run("logs", "talker", "-c", "none", expect=1).err


TALK = "echo first; until [ -e /tmp/go ]; do sleep 0.05; done; echo second; exec sleep 1000"


def test_version_and_doctor(mesh: Mesh) -> None:
    document = mesh.run("version", "-o", "json").json()
    assert document["meshVersion"][0]["Info"]["version"] == document["clientVersion"]["version"]
    assert (
        sum(entry["count"] for entry in document["dataPlaneVersion"])
        == len(mesh.run("proxy-status").out.splitlines()) - 1
    )
    checks = mesh.run("doctor", "-o", "json").json()
    assert len(checks) == 5
    assert all(check["ok"] for check in checks)


def test_a_proxys_configuration_has_the_same_form_online_and_from_files(mesh: Mesh, tmp_path: Path) -> None:
    files = tmp_path / "mesh.yaml"
    names = mesh.run("get", "ns,sa,svc,deploy,vs,dr,gw", "-A", "-o", "json").json()["items"]
    own = [item for item in names if item["metadata"].get("namespace") not in ("istio-system", "kube-system")]
    files.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [stripped(item) for item in own]}))
    online = mesh.run("proxy-config", "all", "deploy/httpbin", "-o", "json").json()
    offline = mesh.run("proxy-config", "all", "deploy/httpbin", "-f", str(files), "-o", "json").json()
    for part, entries, entry in (
        ("ListenersConfigDump", "dynamic_listeners", "active_state"),
        ("ClustersConfigDump", "dynamic_active_clusters", "cluster"),
        ("RoutesConfigDump", "dynamic_route_configs", "route_config"),
        ("EndpointsConfigDump", "dynamic_endpoint_configs", "endpoint_config"),
    ):
        live, pure = (named(dump, part, entries, entry) for dump in (online, offline))
        common = live.keys() & pure.keys()
        # Listeners of services have their address in the name, which the lab allots; Envoy adds its own clusters' endpoints.
        odd = live.keys() ^ pure.keys()
        if part == "EndpointsConfigDump":
            odd = {name for name in odd if name.startswith("outbound|")}
        assert {name for name in odd if not re.match(r"\d+\.\d+", name)} == set(), part
        assert len(common) >= 3, part
        for name in common:
            assert form(pure[name]) == form(live[name]), f"{part} {name}"


def stripped(item: Document) -> Document:
    """An object as a user would have written it: without what the mesh allotted."""
    spec = {key: value for key, value in item.get("spec", {}).items() if not key.startswith("clusterIP")}
    metadata = {key: item["metadata"][key] for key in ("name", "namespace", "labels") if key in item["metadata"]}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata, "spec": spec}


def named(dump: Document, part: str, entries: str, entry: str) -> dict[str, Any]:
    found = next(config for config in dump["configs"] if config["@type"].endswith(f".{part}"))
    return {name_of(item[entry]): item[entry] for item in found[entries]}


def name_of(resource: Document) -> str:
    return str(resource.get("name") or resource.get("cluster_name") or name_of(resource["listener"]))


def form(value: Any) -> Any:
    """A message without addresses, versions and times."""
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [form(item) for item in value if not (isinstance(item, str) and re.match(r"\d+\.\d+\.\d+\.\d+", item))]
    return value


def test_kube_inject_gives_what_the_mesh_runs(mesh: Mesh, tmp_path: Path) -> None:
    deployment = mesh.run("get", "deploy", "curl", "-o", "json").json()
    path = tmp_path / "curl.json"
    path.write_text(json.dumps(stripped(deployment)))
    mesh.run("kube-inject", "-f", str(path), "-o", str(tmp_path / "injected.yaml"))
    offline = mesh.run("get", "deploy", "-f", str(tmp_path / "injected.yaml"), "-o", "json").json()
    spec = (offline["items"][0] if "items" in offline else offline)["spec"]["template"]["spec"]
    live = mesh.run("get", "pods", mesh.pod("curl")["name"], "-o", "json").json()["spec"]
    for field in ("containers", "initContainers"):
        assert [c["name"] for c in spec[field]] == [c["name"] for c in live[field]]
