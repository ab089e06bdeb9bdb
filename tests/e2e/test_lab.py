"""Real pods without the mesh's own parts: names, service addresses, exec, logs, crash safety."""

import contextlib
import os
import signal
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mizzen.lab import cleanup, launch
from mizzen.lab.client import LabClient

pytestmark = pytest.mark.lab

SERVER = ["python3", "-m", "http.server", "8080", "--directory", "/etc/mizzen-test"]


def objects() -> list[dict[str, Any]]:
    volume = {"name": "v", "configMap": {"name": "page"}}
    container = {
        "name": "web",
        "image": "example/unknown",
        "command": SERVER,
        "volumeMounts": [{"name": "v", "mountPath": "/etc/mizzen-test"}],
        "readinessProbe": {"httpGet": {"path": "/index.txt", "port": 8080}},
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], "volumes": [volume]}}
    client = {"name": "c", "image": "curl", "command": ["/bin/sleep", "infinity"]}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"index.txt": "hello"}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": {"containers": [client]}},
    ]


class Lab:
    def __init__(self, state: Path) -> None:
        self.mesh = f"t{uuid.uuid4().hex[:8]}"
        self.state = state / self.mesh
        self.client = LabClient(self.state)

    def start(self) -> None:
        launch.start(self.mesh, self.state, None)

    def apply(self) -> None:
        self.client.apply([{"object": raw, "origin": {"file": "test.yaml", "line": 1}} for raw in objects()])
        for kind, name in (("Deployment", "web"),):
            assert self.client.rollout(kind, "default", name, 30)["done"]

    def call(self, *words: str, pod: str = "client") -> tuple[int, str]:
        read, write = os.pipe()
        try:
            code = self.client.execute("default", pod, "", words, fds=(0, write, write))
        finally:
            os.close(write)
        with os.fdopen(read) as output:
            return code, output.read()

    def kill_everything(self) -> None:
        for pid in cleanup.processes(self.mesh, self.state):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def lab(machine: None, tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    try:
        yield made
    finally:
        cleanup.clean(made.mesh, made.state, purge=True)


def test_names_addresses_exec_and_logs(lab: Lab) -> None:
    lab.start()
    lab.apply()
    assert lab.call("curl", "-sS", "-m", "5", "http://web/index.txt") == (0, "hello")
    assert lab.call("curl", "-sS", "-m", "5", "http://web.default.svc.cluster.local/index.txt") == (0, "hello")
    assert lab.call("curl", "-s", "-m", "5", "http://web:81/")[0] == 7  # refused at once, not after a time-out
    assert lab.call("id", "-u")[1].strip() != "0"
    assert lab.call("sh", "-c", "exit 7")[0] == 7
    _, pods = lab.client.objects("Pod", "default")
    web = next(p["metadata"]["name"] for p in pods if p["metadata"]["name"].startswith("web-"))
    assert lab.call("curl", "-sS", "-m", "5", "http://web/index.txt", pod=web) == (0, "hello")
    assert b"GET /index.txt" in b"".join(lab.client.logs("default", web, "", follow=False))


def test_the_host_reaches_a_service_and_is_given_back_as_it_was(lab: Lab) -> None:
    lab.start()
    lab.apply()
    _, found = lab.client.objects("Service", "default", "web")
    with socket.create_connection((found[0]["spec"]["clusterIP"], 80), timeout=5) as connection:
        connection.sendall(b"GET /index.txt HTTP/1.0\r\n\r\n")
        assert b"200" in connection.recv(64)
    assert cleanup.leftovers(lab.mesh, lab.state)
    lab.client.down()
    cleanup.clean(lab.mesh, lab.state, purge=False)
    assert cleanup.leftovers(lab.mesh, lab.state) == []


def test_objects_and_identity_survive_the_death_of_everything(lab: Lab) -> None:
    lab.start()
    lab.apply()
    _, before = lab.client.objects("Service", "default", "web")
    lab.kill_everything()
    lab.start()
    assert lab.client.rollout("Deployment", "default", "web", 30)["done"]
    _, after = lab.client.objects("Service", "default", "web")
    assert after[0]["metadata"]["uid"] == before[0]["metadata"]["uid"]


def test_death_in_the_middle_of_a_start_leaves_nothing(lab: Lab) -> None:
    lab.start()
    lab.client.apply([{"object": raw, "origin": None} for raw in objects()])
    lab.kill_everything()
    cleanup.clean(lab.mesh, lab.state, purge=False)
    assert cleanup.leftovers(lab.mesh, lab.state) == []


def test_nothing_is_written_outside_the_state_directory(lab: Lab) -> None:
    before = set(os.listdir("/run")) | {f"tmp/{name}" for name in os.listdir("/etc")}
    lab.start()
    lab.apply()
    after = set(os.listdir("/run")) | {f"tmp/{name}" for name in os.listdir("/etc")}
    assert after - before <= {"mizzen", "netns"}


def test_a_command_that_does_not_exist_is_that_pods_problem_alone(lab: Lab) -> None:
    lab.start()
    broken = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "broken"},
        "spec": {"containers": [{"name": "c", "image": "x", "command": ["/no/such"]}]},
    }
    lab.client.apply([{"object": broken, "origin": None}])
    lab.apply()
    waiting = "\n".join(lab.client.ready(1)["waiting"])
    assert "default/broken" in waiting
    assert "/no/such" in waiting
