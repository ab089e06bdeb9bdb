"""A fake mesh, and the command line run in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from mizzen.cli import main
from tests.unit.cli.fake_mesh import FakeMesh


class Result(NamedTuple):
    code: int
    out: str
    err: str


Mizzen = Callable[..., Result]


@pytest.fixture
def state() -> Iterator[Path]:
    """A directory whose sockets have short names."""
    with tempfile.TemporaryDirectory(prefix="mz") as directory:
        yield Path(directory)


@pytest.fixture
def mesh(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMesh]:
    """A mesh named default that the command line finds."""
    monkeypatch.setenv("MIZZEN_STATE", str(state))
    fake = FakeMesh(state / "default")
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def mizzen(capfd: pytest.CaptureFixture[str], state: Path, monkeypatch: pytest.MonkeyPatch) -> Mizzen:
    """Run one command: its exit code, standard output and standard error."""
    monkeypatch.setenv("MIZZEN_STATE", str(state))

    def run(*arguments: str) -> Result:
        capfd.readouterr()
        code = main.run(list(arguments))
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run
