"""``mizzen controlplane``: what its options become."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mizzen import controlplane
from mizzen.cli.controlplane import command
from mizzen.errors import MeshError
from tests.unit.cli.conftest import Mizzen

NEEDED = ["--socket", "/s", "--state", "/t", "--debug-socket", "/d", "--token-jwks", "/j"]


def started(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, list[controlplane.Options]]:
    told: list[controlplane.Options] = []
    monkeypatch.setattr(controlplane, "run", told.append)
    done = CliRunner().invoke(command, [*NEEDED, *arguments])
    return done.exit_code, done.output, told


@pytest.mark.row("CR-06")
def test_a_certificate_to_serve_with_comes_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, told = started(monkeypatch, "--tls-cert-file", "/c", "--tls-key-file", "/k")
    assert (code, told[0].certificate) == (0, (Path("/c"), Path("/k")))
    assert started(monkeypatch)[2][0].certificate is None
    code, output, told = started(monkeypatch, "--tls-cert-file", "/c")
    assert (code, told) == (2, [])
    assert "go together" in output


def test_what_prevents_the_start_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: controlplane.Options) -> None:
        raise MeshError("the CA files cannot be read")

    monkeypatch.setattr(controlplane, "run", fail)
    done = CliRunner().invoke(command, NEEDED)
    assert done.exit_code == 1
    assert done.output.strip() == "Error: the CA files cannot be read"


def test_without_its_files_it_is_a_usage_error_that_names_the_first(mizzen: Mizzen) -> None:
    result = mizzen("controlplane")
    assert (result.code, "--socket" in result.err) == (2, True)
