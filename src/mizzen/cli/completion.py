"""``mizzen completion SHELL``."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the shell's completion script: `source <(mizzen completion bash)`."""
    from click.shell_completion import get_completion_class

    from mizzen.cli.main import cli

    chosen = get_completion_class(shell)
    if chosen is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(chosen(cli, {}, "mizzen", "_MIZZEN_COMPLETE").source())
