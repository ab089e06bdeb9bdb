from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mizzen.lab import cleanup

MESH = "no-such-mesh-here"


def test_a_mesh_that_never_was_left_nothing_and_is_no_error(tmp_path: Path) -> None:
    cleanup.clean(MESH, tmp_path, purge=False)
    assert cleanup.leftovers(MESH, tmp_path) == []


def test_sockets_and_state_go_as_far_as_asked(tmp_path: Path) -> None:
    state = tmp_path / MESH
    (state / "run").mkdir(parents=True)
    (state / "run" / "sock").touch()
    (state / "objects").mkdir()
    assert cleanup.leftovers(MESH, state) == [f"socket {state / 'run' / 'sock'}"]
    cleanup.clean(MESH, state, purge=False)
    assert cleanup.leftovers(MESH, state) == []
    assert (state / "objects").exists()
    cleanup.clean(MESH, state, purge=True)
    assert not state.exists()


def test_a_supervisor_is_found_by_its_command_line_and_ended(tmp_path: Path) -> None:
    # The words of a supervisor, and after them what makes this program a sleeper instead.
    program = tmp_path / "mizzen" / "lab"
    program.mkdir(parents=True)
    for package in (program.parent, program):
        (package / "__init__.py").touch()
    (program / "supervisor.py").write_text("import sys, time\nprint('up', flush=True)\ntime.sleep(60)\n")
    words = ["-m", "mizzen.lab.supervisor", "--mesh", MESH, "--state", str(tmp_path)]
    with (
        subprocess.Popen([sys.executable, *words], cwd=tmp_path, env={}, stdout=subprocess.PIPE) as ours,
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other,
    ):
        assert ours.stdout is not None
        assert ours.stdout.readline() == b"up\n"
        assert cleanup.processes(MESH, tmp_path) == [ours.pid]
        cleanup.clean(MESH, tmp_path, purge=False)
        assert ours.wait(5) == -9
        assert other.poll() is None
        other.kill()
