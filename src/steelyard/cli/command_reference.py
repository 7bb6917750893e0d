"""The reference of the command line, written from the commands themselves.

    python -m steelyard.cli.command_reference > docs/reference/command-line.md

A test fails when the page differs from this output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from steelyard.cli.app import app

__all__ = ["all_commands", "reference_page"]

HEAD = """\
# The command line

This page is written by `python -m steelyard.cli.command_reference`. To change it, change the
commands.

Results go to standard output; messages, notes and progress go to standard error. With `--json`
standard output holds exactly one JSON object. Times are ISO 8601 in UTC. `NO_COLOR` switches
colours off, and `STEELYARD_TRACEBACK=1` shows where an error came from.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | failure |
| 2 | wrong usage |
| 3 | bad or missing data or series file |
| 4 | exchange or chain unavailable |
| 5 | broken invariant |
| 130 | interrupted with Ctrl-C |
| 141 | the reader of standard output has gone |
"""


def all_commands() -> Iterator[click.Context]:
    """The context of each command; a group comes before its commands."""
    yield from _walk(click.Context(app, info_name="steelyard", **app.context_settings))


def reference_page() -> str:
    """The page, as Markdown."""
    return "\n".join([HEAD, *map(_section, all_commands())])


def _walk(context: click.Context) -> Iterator[click.Context]:
    yield context
    group = context.command
    if isinstance(group, click.Group):
        for word in group.list_commands(context):
            command = group.get_command(context, word)
            if command is not None:
                yield from _walk(click.Context(command, parent=context, info_name=word))


def _section(context: click.Context) -> str:
    name, command = context.command_path, context.command
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## {name}", "", "```text", usage, "```", "", _paragraphs(command.help or ""), ""]
    if isinstance(command, click.Group):
        lines += [f"- `{name} {word}`" for word in command.list_commands(context)] + [""]
    params = command.get_params(context)
    lines += ["| option | |", "|---|---|"]
    lines += [_option(param, context) for param in params if isinstance(param, click.Option)]
    examples: tuple[str, ...] = getattr(command, "examples", ())
    return "\n".join([*lines, "", "```console", *(f"$ {line}" for line in examples), "```", ""])


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {option.make_metavar(context)}"
    helps = (option.help or "").replace("|", "\\|")
    if option.required:
        helps += " Required."
    if option.show_default and option.default:
        helps += f" Default: `{option.default}`."
    return f"| {names}{value.replace('|', chr(92) + '|')} | {helps} |"


def _paragraphs(text: str) -> str:
    """Help text with each paragraph on one line, which the viewer wraps."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in paragraphs)


if __name__ == "__main__":
    sys.stdout.write(reference_page())
