"""The documentation as something to run: its ```console blocks, and the files that it tells the reader to write."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.e2e.mesh import ROOT

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs" / "tutorial").glob("*.md")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"[Ww]rite (?:this to )?`([\w.-]+\.yaml)`:\s*$")


class Block(NamedTuple):
    """One fenced block. ``file`` is the name under which the page tells to write it, "" for none."""

    language: str
    text: str
    file: str
    line: int


class Command(NamedTuple):
    """A line after ``$``, and the lines that the page shows as its output (``…`` stands for any that are left out)."""

    text: str
    shown: list[str]
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        named = _FILE.search(text[: found.start()])
        line = text[: found.start()].count("\n") + 1
        yield Block(found[1], found[2], named[1] if named else "", line)


def commands(block: Block) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            found.append(Command(line[2:], [], number))
        elif found:
            found[-1].shown.append(line)
    return found
