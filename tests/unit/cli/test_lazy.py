from __future__ import annotations

import sys

import click
import pytest
from click.testing import CliRunner

from mizzen.cli.lazy import LazyGroup


@pytest.fixture
def group() -> LazyGroup:
    table = {"version": ("mizzen.cli.version", "Versions."), "broken": ("mizzen.cli.columns", "No command.")}
    return LazyGroup("mizzen", commands_at=table, aliases={"v": "version"})


def test_help_imports_no_command(group: LazyGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mizzen.cli.version", raising=False)
    result = CliRunner().invoke(group, ["--help"])
    assert result.exit_code == 0
    assert "version  Versions." in result.output
    assert "mizzen.cli.version" not in sys.modules


def test_an_alias_is_the_same_command(group: LazyGroup) -> None:
    context = click.Context(group)
    assert group.get_command(context, "v") is group.get_command(context, "version")
    assert group.resolve_command(context, ["v", "--short"])[0] == "version"


def test_an_unknown_word_is_no_command_and_a_module_without_one_is_a_defect(group: LazyGroup) -> None:
    context = click.Context(group)
    assert group.get_command(context, "nothing") is None
    with pytest.raises(AttributeError):
        group.get_command(context, "broken")
