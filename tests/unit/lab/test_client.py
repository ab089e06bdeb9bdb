from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.errors import LabError
from mizzen.lab.client import ApiError, ControlPlaneClient, LabClient, NotRunning
from tests.unit.cli.fake_mesh import FakeMesh, virtual_service


@pytest.fixture
def mesh() -> Iterator[FakeMesh]:
    with tempfile.TemporaryDirectory(prefix="mz") as directory:
        fake = FakeMesh(Path(directory) / "m")
        fake.start()
        yield fake
        fake.stop()


def test_nobody_listens(tmp_path: Path) -> None:
    client = LabClient(tmp_path)
    assert not client.running()
    with pytest.raises(NotRunning, match="is not running") as failure:
        client.status()
    assert "mizzen up" in failure.value.hint


def test_the_control_plane_is_named_when_it_is_the_one_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="control plane of mesh"):
        ControlPlaneClient(tmp_path).syncz()


def test_objects_come_with_their_revision_and_filters_are_sent(mesh: FakeMesh) -> None:
    mesh.put(virtual_service("a"))
    mesh.put(virtual_service("b"))
    revision, items = LabClient(mesh.state).objects("VirtualService", "default", "b")
    assert (revision, [item["metadata"]["name"] for item in items]) == (2, ["b"])


def test_an_error_of_the_server_is_told_in_its_words(mesh: FakeMesh) -> None:
    with pytest.raises(ApiError, match="Deployment x not found") as failure:
        LabClient(mesh.state).patch("Deployment", "default", "x", {})
    assert failure.value.status == 404


def test_logs_arrive_in_pieces(mesh: FakeMesh) -> None:
    mesh.logs = [b"one\n", b"two\n"]
    assert b"".join(LabClient(mesh.state).logs("default", "p", "c", tail=5)) == b"one\ntwo\n"
    assert mesh.requests[-1][2] == {"namespace": "default", "pod": "p", "container": "c", "follow": "0", "tail": "5"}


def test_a_command_runs_on_the_descriptors_that_were_passed(mesh: FakeMesh, tmp_path: Path) -> None:
    with (tmp_path / "in").open("w+b") as stdin, (tmp_path / "out").open("w+b") as stdout:
        stdin.write(b"hello")
        stdin.seek(0)
        fds = (stdin.fileno(), stdout.fileno(), stdout.fileno())
        code = LabClient(mesh.state).execute("default", "p", "c", ["sh", "-c", "cat; exit 3"], fds=fds)
    assert code == 3
    assert (tmp_path / "out").read_bytes() == b"hello"


def test_a_command_that_cannot_start_is_an_error(mesh: FakeMesh) -> None:
    with pytest.raises(LabError, match="/no/such: No such file"):
        LabClient(mesh.state).execute("default", "p", "c", ["/no/such"])


def test_a_state_directory_with_a_long_path_is_reached(mesh: FakeMesh, tmp_path: Path) -> None:
    long = tmp_path / ("d" * 120)
    os.symlink(mesh.state, long)
    assert LabClient(long).running()
