"""The command and group classes: their help ends with examples, and commands load when they run.

A group finds its commands in a static table of module names and short help texts, so that printing
help imports no command.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

__all__ = ["Command", "CommandGroup", "DiscreetCommand", "Place"]


class Place(NamedTuple):
    """The place of a command (``module:name``) and its short help."""

    where: str
    help: str


class Command(click.Command):
    """A command whose help ends with examples, each a complete command line that runs.

    Attributes:
        examples: the command lines.
        needs: what the examples need beside the program, such as ``network``; empty for nothing.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 (click's own)
        examples: Sequence[str] = (),
        needs: str = "",
        **kwargs: Any,  # noqa: ANN401 (click's own)
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.needs = needs

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line of its own that can be copied."""
        _write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class DiscreetCommand(Command):
    """A command that does not print an unexpected argument, which may be a secret."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            UsageError: one of them is not expected.
        """
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if type(error) is click.UsageError and "unexpected extra" in error.message:
                message = (
                    "Got an unexpected extra argument. It is not shown because it may be a secret; "
                    "secrets belong in the place that venue.secrets names."
                )
                raise click.UsageError(message, ctx) from None
            raise


class CommandGroup(click.Group):
    """A group of commands that are imported when they are called."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 (click's own)
        places: Mapping[str, Place] | None = None,
        examples: Sequence[str] = (),
        **kwargs: Any,  # noqa: ANN401 (click's own)
    ) -> None:
        super().__init__(*args, **kwargs)
        self.places = dict(places or {})
        self.examples = tuple(examples)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The commands' names, in the order of their table."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        """Import the command."""
        if cmd_name not in self.places:
            return None
        module, _, name = self.places[cmd_name].where.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        """Write the commands with their short help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in self.places.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line of its own that can be copied."""
        _write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest a similar name for a misspelt one."""
        name = args[0]
        if name not in self.places and not name.startswith("-"):
            close = difflib.get_close_matches(name, self.places, n=1)
            hint = f' Did you mean "{close[0]}"?' if close else ""
            ctx.fail(f'No such command "{name}".{hint}')
        return super().resolve_command(ctx, args)


def _write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    if not examples:
        return
    with formatter.section("Examples" if len(examples) > 1 else "Example"):
        for line in examples:
            formatter.write(f"{'':{formatter.current_indent}}{line}\n")
