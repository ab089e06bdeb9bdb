"""The scripts behind the make targets say what they need before they do anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "packaging"


@pytest.fixture
def nobody(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who is not root, on a machine without any package."""
    called = "echo called >&2; exit 9"
    programs = {"id": "echo 1000", "dpkg-query": "exit 1", "apt-get": called, "python3": called, "python3.11": called}
    for name, answer in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("script", "says"), [("demo.sh", "run: sudo make demo"), ("setup.sh", "run: sudo apt-get install python3-venv")]
)
def test_who_is_not_root_is_told_what_to_run(nobody: dict[str, str], script: str, says: str) -> None:
    done = subprocess.run(["bash", SCRIPTS / script], env=nobody, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "called" not in done.stderr
