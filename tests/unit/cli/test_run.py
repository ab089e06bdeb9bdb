from __future__ import annotations

import os

import pytest

from mizzen.cli.run import default_name, documents
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh


@pytest.fixture
def ready_mesh(mesh: FakeMesh) -> FakeMesh:
    """A mesh whose pods are ready as soon as they exist."""
    put = mesh.put

    def ready(raw: dict[str, object]) -> dict[str, object]:
        stored = put(raw)
        stored["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        return stored

    mesh.put = ready  # type: ignore[method-assign]
    return mesh


def test_it_runs_here_with_our_environment_and_is_gone_after(
    ready_mesh: FakeMesh, mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "yes")
    result = mizzen(
        "run", "--name", "worker", "--port", "8080:http", "--label", "version=v1", "--", "sh", "-c", "pwd; exit 5"
    )
    assert (result.code, result.out) == (5, os.getcwd() + "\n")
    assert ready_mesh.executed[0]["env"]["MINE"] == "yes"
    assert ready_mesh.objects == {}
    applied = next(body for _, path, body in ready_mesh.requests if path == "/v1/apply")
    assert [document["object"]["kind"] for document in applied["documents"]] == ["ServiceAccount", "Service", "Pod"]


def test_it_returns_when_its_name_is_free_again(ready_mesh: FakeMesh, mizzen: Mizzen) -> None:
    ready_mesh.linger = 3
    assert mizzen("run", "--name", "worker", "--", "true").code == 0
    assert ready_mesh.linger == 0


def test_a_command_that_cannot_start_is_125_and_leaves_nothing(ready_mesh: FakeMesh, mizzen: Mizzen) -> None:
    result = mizzen("run", "--", "/no/such")
    assert result.code == 125
    assert ready_mesh.objects == {}


def test_a_name_that_is_taken_is_refused_and_kept(ready_mesh: FakeMesh, mizzen: Mizzen) -> None:
    ready_mesh.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "worker"}})
    result = mizzen("run", "--name", "worker", "--", "true")
    assert result.code == 125
    assert "choose another with --name" in result.err
    assert ("Pod", "default", "worker") in ready_mesh.objects


def test_detached_the_pod_runs_the_command_itself(ready_mesh: FakeMesh, mizzen: Mizzen) -> None:
    assert mizzen("run", "--name", "w", "-d", "--", "sleep", "1").out == "pod/w created\n"
    container = ready_mesh.objects[("Pod", "default", "w")]["spec"]["containers"][0]
    assert (container["command"], container["workingDir"]) == (["sleep", "1"], os.getcwd())


def test_the_objects_are_meshed_and_a_users_label_does_not_lose_the_service() -> None:
    account, service, pod = documents("w", "shop", (80, "grpc"), {"app": "reviews"})
    assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"] == "w"
    assert service["spec"]["ports"][0]["appProtocol"] == "grpc"
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()


def test_wrong_ports(ready_mesh: FakeMesh, mizzen: Mizzen) -> None:
    for port in ("0", "x", "80:carrier-pigeon", "70000"):
        assert mizzen("run", "--port", port, "--", "true").code == 2


def test_names_come_from_commands() -> None:
    assert [default_name([word]) for word in ("/usr/bin/Python3.11", "...")] == ["python3-11", "process"]
