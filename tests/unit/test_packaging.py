"""The scripts behind the make targets say what they need before they do anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "packaging"


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


@pytest.mark.parametrize("target", ["e2e", "conformance"])
def test_targets_that_need_root_say_so_before_they_begin(nobody: dict[str, str], target: str) -> None:
    done = make(ROOT, target, nobody)
    assert done.returncode == 2
    assert f"run: sudo make {target}" in done.stderr


def make(directory: Path, target: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What a target does in an environment that is taken for set up."""
    command = ["make", "-s", "-o", ".venv/ready", target]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=60)


def test_clean_removes_what_the_others_make_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "src", "state"):
        (tmp_path / name).mkdir()
    assert make(tmp_path, "clean").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "src", "state"]


def test_the_list_of_targets_has_each(tmp_path: Path) -> None:
    listed = {line.split("\t")[0] for line in make(ROOT, "help").stdout.splitlines()}
    assert listed == {
        "help",
        *["setup", "demo", "test", "unit", "e2e", "envoy", "lint", "rows", "conformance", "clean"],
    }


def test_rows_prints_counts_by_area() -> None:
    told = make(ROOT, "rows").stdout.splitlines()
    numbers = [int(word) for word in told[-1].split()[1:]]
    assert told[-1].startswith("All ")
    assert sum(numbers[:4]) == numbers[-1] > 800, "yes, accepted, refused and not yet are all there are"
