from __future__ import annotations

import pytest

from mizzen.errors import LabError
from mizzen.lab import commands


async def test_a_command_gets_text_and_gives_its_output() -> None:
    assert await commands.run("cat", text="hello") == "hello"


async def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(LabError, match="sh -c echo no >&2; exit 3: no"):
        await commands.run("sh", "-c", "echo no >&2; exit 3")
    with pytest.raises(LabError, match="exit code 3"):
        await commands.run("sh", "-c", "exit 3")


async def test_a_missing_command_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabError, match="the command nft is missing") as error:
        await commands.run("nft", "list")
    assert error.value.hint == "apt-get install nftables"


def test_work_in_a_namespace_that_is_not_there_raises_here() -> None:
    with pytest.raises(FileNotFoundError):
        commands.within("/proc/self/ns/none", lambda: 1)
