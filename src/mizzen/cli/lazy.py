"""A click group that imports a command when it runs, so that ``mizzen --help`` reads no more than this package's table."""

from __future__ import annotations

from importlib import import_module

import click


class LazyGroup(click.Group):
    """``commands_at`` maps a verb to (module, short help); the module's attribute ``command`` is the click command."""

    def __init__(
        self,
        *args: object,
        commands_at: dict[str, tuple[str, str]],
        aliases: dict[str, str] | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.commands_at = commands_at
        self.aliases = aliases or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = self.aliases.get(cmd_name, cmd_name)
        if name not in self.commands_at:
            return None
        command = import_module(self.commands_at[name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.commands_at[name][0]}.command is no click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return (command.name if command is not None else name), command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.commands_at.items()])
