"""No file of the package stands in a circle of imports, and no arrow runs up the list of layers.

import-linter sees what Python's grammar calls an import. This follows every way in which one file
reaches another: imports at the head of a file and inside functions, ``import_module`` with a name,
tables of names that are loaded when first asked for, and places such as ``module:function``.

Imports under ``TYPE_CHECKING`` never run. They count as arrows between layers, since a lower layer
that names a type of an upper one knows of it. They do not count in circles: a function that draws
a result names the result's type in its annotation, and the result's method ``plot`` calls that
function; only the second of these ever runs.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)(:[A-Za-z_]\w*)?")
"""A module by its name, or what is in it: ``package.module:function``."""


@dataclass(frozen=True)
class Arrow:
    """One file reaches another; ``runs`` is false where only a type checker follows it."""

    start: str
    end: str
    line: int
    runs: bool

    def __str__(self) -> str:
        return f"{self.start}:{self.line} -> {self.end}"


# --- Reading the tree -------------------------------------------------------------------------


def modules_of(source: Path) -> dict[str, Path]:
    """Every file below ``source`` by the name under which it is imported."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows_of(source: Path) -> list[Arrow]:
    """Every arrow between files below ``source``."""
    modules = modules_of(source)
    return [arrow for name, path in modules.items() for arrow in _arrows_from(name, path, modules)]


def _arrows_from(name: str, path: Path, modules: Mapping[str, Path]) -> Iterator[Arrow]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    unrun = set(_under_type_checking(tree))
    loads_by_text = any(_is_load_by_text(node) for node in ast.walk(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = list(_targets_from(node, package, modules))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            targets = _targets_of_text(node.value, package if loads_by_text else None, modules)
        else:
            continue
        ends = {_file_of(target, modules) for target in targets} - {None, name}
        for end in sorted(map(str, ends)):
            yield Arrow(name, end, node.lineno, node not in unrun)


def _under_type_checking(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for statement in node.body:
                yield from ast.walk(statement)


def _is_load_by_text(node: ast.AST) -> bool:
    """Whether it is a call that imports by name; then texts in its file may be such names."""
    if not isinstance(node, ast.Call):
        return False
    return ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__")


def _targets_from(node: ast.ImportFrom, package: str, modules: Mapping[str, Path]) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        above = ".".join(parts[: len(parts) - node.level + 1])
        base = f"{above}.{base}" if base else above
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield inner if inner in modules else base


def _targets_of_text(text: str, package: str | None, modules: Mapping[str, Path]) -> list[str]:
    """The modules that a text names: in full, or within its package where a file loads by text."""
    match = PLACE.fullmatch(text)
    if match is None:
        return []
    named = [match["module"], f"{package}.{match['module']}"]
    # the name of the whole program is an everyday word in it
    return [module for module in named if module in modules and "." in module]


def _file_of(target: str, modules: Mapping[str, Path]) -> str | None:
    """The file that a target is in, which may be a name in it; None: not one of ours."""
    while target and target not in modules:
        target = target.rpartition(".")[0]
    return target or None


# --- What must not be -------------------------------------------------------------------------


def circles(arrows: Iterable[Arrow]) -> list[tuple[str, ...]]:
    """The groups of files each of which reaches all others of its group, largest first."""
    ends: dict[str, set[str]] = {}
    for arrow in arrows:
        ends.setdefault(arrow.start, set()).add(arrow.end)
        ends.setdefault(arrow.end, set())
    reached = {start: _reached(start, ends) for start in ends}
    groups = {
        tuple(sorted({start} | {end for end in reached[start] if start in reached[end]}))
        for start in ends
        if start in reached[start]
    }
    return sorted(groups, key=lambda group: (-len(group), group))


def _reached(start: str, ends: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = [start]
    while left:
        new = ends[left.pop()] - found
        found |= new
        left.extend(new)
    return found


def runs_up(arrows: Iterable[Arrow], layers: list[list[str]]) -> list[Arrow]:
    """The arrows from a layer to one above it, or to the root package, which is above all."""
    height = {
        package: len(layers) - place for place, layer in enumerate(layers) for package in layer
    }

    def height_of(module: str) -> int:
        _, _, inner = module.partition(".")
        return height[inner.split(".")[0]] if inner else len(layers) + 1

    return [arrow for arrow in arrows if height_of(arrow.end) > height_of(arrow.start)]


def layers_of_project() -> list[list[str]]:
    """The layers of import-linter's contract, from the top."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (found,) = (each["layers"] for each in contracts if each["type"] == "layers")
    return [layer.split(" | ") for layer in found]


@pytest.fixture(scope="module")
def arrows() -> list[Arrow]:
    """The arrows between the package's own files."""
    return arrows_of(REPOSITORY / "src")


def test_no_file_stands_in_a_circle(arrows: list[Arrow]) -> None:
    """No file reaches itself by imports that run, however they are written."""
    found = circles(arrow for arrow in arrows if arrow.runs)
    assert not found, "\n".join(f"{len(group)}: {', '.join(group)}" for group in found)


def test_no_arrow_runs_up(arrows: list[Arrow]) -> None:
    """No file reaches or names one of a layer above its own, nor the root package."""
    found = runs_up(arrows, layers_of_project())
    assert not found, "\n".join(map(str, found))
