"""``docs/explanation/the-house.md`` shows the rooms and their libraries as they are."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "steelyard"
PAGE = (REPOSITORY / "docs" / "explanation" / "the-house.md").read_text(encoding="utf-8")
ROOMS = {
    name: set() if libraries == "none" else set(libraries.split(", "))
    for name, libraries in re.findall(r"^\| `(\w+)` \| .* \| ([\w, ]+) \|$", PAGE, re.MULTILINE)
}
PLACES = sorted(set(re.findall(r"`(steelyard[\w.]+):(\w+)`", PAGE)))


def libraries_of(room: str) -> set[str]:
    """The third-party packages that a room's files import, anywhere in them."""
    files = (SOURCE / room).rglob("*.py") if (SOURCE / room).is_dir() else [SOURCE / f"{room}.py"]
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"steelyard"}


def test_the_rooms_stand_in_the_order_that_imports_may_take() -> None:
    """The table lists the layers of the import contract, from the top down."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    assert list(ROOMS) == layers


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_the_libraries_that_its_row_names(room: str) -> None:
    """The table names every third-party package that a room imports, and no other."""
    assert libraries_of(room) == ROOMS[room]


@pytest.mark.parametrize(("module", "name"), PLACES)
def test_the_walk_names_what_there_is(module: str, name: str) -> None:
    """Each place on the walk of a price is a module and a name in it."""
    assert hasattr(importlib.import_module(module), name)


def test_the_walk_is_understood() -> None:
    """The page names enough places for the test above to mean something."""
    assert len(PLACES) > 15
