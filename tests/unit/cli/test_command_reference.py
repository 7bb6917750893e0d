"""Every command and option is documented, and every command's help has an example."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from steelyard.cli.app import app
from steelyard.cli.command_reference import all_commands, reference_page
from steelyard.cli.command_types import CommandGroup

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "command-line.md"
COMMANDS = {context.command_path: context for context in all_commands()}


def test_the_page_is_what_the_commands_say() -> None:
    """What ``python -m steelyard.cli.command_reference`` prints is the page, letter for letter."""
    assert PAGE.read_text(encoding="utf-8") == reference_page()


def test_the_commands_are_those_of_the_specification() -> None:
    """No command is missing, and none is there that nobody knows of."""
    assert list(COMMANDS) == [
        "steelyard",
        "steelyard demo",
        "steelyard simulate",
        "steelyard compare",
        "steelyard explain",
        "steelyard tearsheet",
        "steelyard decay",
        "steelyard forecast",
        "steelyard keeper",
        "steelyard keeper demo",
        "steelyard keeper run",
        "steelyard keeper once",
        "steelyard keeper status",
        "steelyard keeper doctor",
        "steelyard keeper launch",
        "steelyard keeper pause",
        "steelyard keeper resume",
        "steelyard keeper inject",
        "steelyard keeper winddown",
        "steelyard rehearsal",
        "steelyard rehearsal serve",
        "steelyard journal",
        "steelyard journal show",
        "steelyard journal verify",
        "steelyard journal export",
        "steelyard journal head",
        "steelyard journal key",
        "steelyard journal key new",
        "steelyard data",
        "steelyard data check",
        "steelyard data fetch",
        "steelyard data book",
        "steelyard series",
        "steelyard series list",
        "steelyard series show",
        "steelyard series check",
        "steelyard series new",
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_on_the_page_with_its_help(name: str) -> None:
    """Nothing that can be typed is undocumented."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert section
    command = COMMANDS[name].command
    assert command.help
    for param in command.get_params(COMMANDS[name]):
        if isinstance(param, click.Option):
            assert param.help, f"{name} {param.name} has no help"
            assert all(f"`{option}`" in section for option in param.opts)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_ends_with_examples_of_that_command(name: str) -> None:
    """Each is a whole command line for the very command, one to a line."""
    examples = COMMANDS[name].command.examples
    assert examples
    written = COMMANDS[name].get_help().rpartition("Example")[2].splitlines()[1:]
    assert [line.strip() for line in written] == list(examples)
    assert all(example.startswith(name) for example in examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_prints_a_result_prints_it_as_json(name: str) -> None:
    """``--json`` is there on all commands, and on no group."""
    command = COMMANDS[name].command
    has_json = any("--json" in param.opts for param in command.params)
    assert has_json != isinstance(command, click.Group)


def test_help_in_short_is_said_once() -> None:
    """What a group says of a command fits on a line at 80 columns."""
    groups = [context.command for context in COMMANDS.values()]
    for group in groups:
        if isinstance(group, CommandGroup):
            longest = max(map(len, group.places))
            for place in group.places.values():
                assert len(place.help) + longest + 4 <= 80
                assert place.help.endswith(".")


def test_a_group_loads_only_the_command_that_is_called() -> None:
    """What is not in the table is no command."""
    context = click.Context(app)
    assert app.get_command(context, "nothing") is None
    groups = ["demo", "simulate", "compare", "explain", "tearsheet", "decay", "forecast"]
    groups += ["keeper", "rehearsal", "journal", "data", "series"]
    assert app.list_commands(context) == groups
