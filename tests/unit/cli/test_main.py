from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mizzen.cli.main import ALIASES, COMMANDS, cli, run

HEAVY = ("aiohttp", "asyncio", "cryptography", "google.protobuf", "grpclib", "msgspec", "rich", "yaml", "http.client")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from mizzen.cli.main import run; run(['--help']); "
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src", "PATH": "/usr/bin"},
    )
    assert done.stdout.rstrip().endswith("LOADED []")


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {verb} " in text for verb in COMMANDS)


@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb != "controlplane"])
def test_every_verb_has_help_and_takes_the_mesh(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: mizzen {verb}")
    assert verb == "completion" or "--mesh" in text


@pytest.mark.row("IC-04")
def test_aliases_lead_to_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    for alias, verb in ALIASES.items():
        assert run([alias, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"Usage: mizzen {verb}")


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["get"], ["apply"], ["apply", "-f", "x", "--timeout", "soon"], ["get", "pods", "--mesh", "../etc"]],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().out == ""


def test_no_mesh_is_an_error_with_the_next_step(mizzen: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = mizzen("ps", "--mesh", "nobody")
    assert (code, out) == (1, "")
    assert "mesh nobody is not running" in err
    assert "next: start it with `mizzen up`" in err


def test_the_context_is_accepted_with_a_warning(mizzen: Callable[..., tuple[int, str, str]]) -> None:
    _, _, err = mizzen("ps", "--context", "prod")
    assert "Warning: --context prod has no effect" in err


def test_the_mesh_may_stand_before_the_verb(mizzen: Callable[..., tuple[int, str, str]], state: Path) -> None:
    _, _, err = mizzen("--mesh", "early", "ps")
    assert str(state / "early") in err


def test_the_command_group_is_named_mizzen() -> None:
    assert cli.name == "cli"
    assert run(["--version-that-is-not"]) == 2
