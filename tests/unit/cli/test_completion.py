from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Mizzen


@pytest.mark.row("IC-06")
@pytest.mark.parametrize("shell", ["zsh", "fish", "bash"])
def test_a_script_for_each_shell(mizzen: Mizzen, shell: str) -> None:
    assert "_MIZZEN_COMPLETE" in mizzen("completion", shell).out


@pytest.mark.row("IC-06")
def test_verbs_are_completed(mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.shell_completion import ShellComplete

    from mizzen.cli.main import cli

    words = ShellComplete(cli, {}, "mizzen", "_MIZZEN_COMPLETE").get_completions([], "proxy")
    assert [item.value for item in words] == ["proxy-status", "proxy-config"]
