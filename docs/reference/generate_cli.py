"""Writes ``cli.md`` from the commands themselves: ``python docs/reference/generate_cli.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mizzen.cli.main import ALIASES, cli

PAGE = Path(__file__).with_name("cli.md")

HEAD = """\
# Command line

Generated from the commands by `docs/reference/generate_cli.py`; do not edit.

`--mesh NAME` (default: `default`) works before and after every verb. Data goes to standard output, everything else to
standard error. Exit codes: 0 done, 1 error or an object refused, 2 wrong usage, 3 a check failed, 4 not ready in time,
5 disagreement; `exec` and `run` return the command's own code, or 125 if it could not start.
"""


def walk(command: click.Command, context: click.Context, path: str) -> Iterator[tuple[str, str]]:
    """(what the user types, its help) of a command and everything below it."""
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                below = click.Context(child, info_name=name, parent=context, terminal_width=100)
                yield from walk(child, below, f"{path} {name}")


def page() -> str:
    """The whole page as it should be."""
    context = click.Context(cli, info_name="mizzen", terminal_width=100, help_option_names=["-h", "--help"])
    parts = [HEAD]
    for path, text in walk(cli, context, "mizzen"):
        aliases = [alias for alias, verb in ALIASES.items() if path == f"mizzen {verb}"]
        also = f"Also: `mizzen {aliases[0]}`.\n\n" if aliases else ""
        parts.append(f"## {path}\n\n{also}```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
