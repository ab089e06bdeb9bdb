"""``mizzen controlplane``: what its options become."""

from __future__ import annotations

from pathlib import Path

import pytest

from mizzen import controlplane
from mizzen.errors import MeshError
from tests.unit.cli.conftest import Mizzen

NEEDED = ["--socket", "/s", "--state", "/t", "--debug-socket", "/d", "--token-jwks", "/j"]


def started(
    mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, list[controlplane.Options]]:
    told: list[controlplane.Options] = []
    monkeypatch.setattr(controlplane, "run", told.append)
    done = mizzen("controlplane", *NEEDED, *arguments)
    return done.code, done.err, told


@pytest.mark.row("CR-06")
def test_a_certificate_to_serve_with_comes_with_its_key(mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, told = started(mizzen, monkeypatch, "--tls-cert-file", "/c", "--tls-key-file", "/k")
    assert (code, told[0].certificate) == (0, (Path("/c"), Path("/k")))
    assert started(mizzen, monkeypatch)[2][0].certificate is None
    code, output, told = started(mizzen, monkeypatch, "--tls-cert-file", "/c")
    assert (code, told) == (2, [])
    assert "go together" in output


@pytest.mark.row("XD-08")
def test_streams_have_an_age_only_if_that_is_said(mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, age in ((["--keepaliveMaxServerConnectionAge", "30m"], 1800.0), ([], 0.0)):
        assert started(mizzen, monkeypatch, *arguments)[2][0].connection_age == age


def test_what_prevents_the_start_is_one_line(mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: controlplane.Options) -> None:
        raise MeshError("the CA files cannot be read")

    monkeypatch.setattr(controlplane, "run", fail)
    done = mizzen("controlplane", *NEEDED)
    assert done.code == 1
    assert "the CA files cannot be read" in done.err
    assert "Traceback" not in done.err


def test_without_its_files_it_is_a_usage_error_that_names_the_first(mizzen: Mizzen) -> None:
    result = mizzen("controlplane")
    assert (result.code, "--socket" in result.err) == (2, True)
