"""No file of the package stands in a circle of imports, and no arrow runs up the list of layers.

import-linter sees what Python's grammar calls an import at the head of a file and in functions.
This also follows imports by text: ``import_module`` with a name, tables of names that are loaded
when first asked for, and places such as ``module:function``. Imports under ``TYPE_CHECKING`` count
too: they never run, but a file that names another's types cannot be read or changed without it.

A package's own file counts where a name is asked of it, and not because Python runs it before any
module of the package.
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
    """One file reaches another, from a line on."""

    start: str
    end: str
    line: int

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
            yield Arrow(name, end, node.lineno)


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


def runs_up(arrows: Iterable[Arrow], layers: list[str]) -> list[Arrow]:
    """The arrows from a layer to one above it, or to the root package, which is above all."""
    height = {layer: len(layers) - place for place, layer in enumerate(layers)}

    def height_of(module: str) -> int:
        _, _, inner = module.partition(".")
        return height[inner.split(".")[0]] if inner else len(layers) + 1

    return [arrow for arrow in arrows if height_of(arrow.end) > height_of(arrow.start)]


def layers_of_project() -> list[str]:
    """The layers of import-linter's contract, from the top."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (found,) = (each["layers"] for each in contracts if each["type"] == "layers")
    return list(found)


@pytest.fixture(scope="module")
def arrows() -> list[Arrow]:
    """The arrows between the package's own files."""
    return arrows_of(REPOSITORY / "src")


def test_no_file_stands_in_a_circle(arrows: list[Arrow]) -> None:
    """No file reaches itself, however the imports on the way are written."""
    found = circles(arrows)
    assert not found, "\n".join(f"{len(group)}: {', '.join(group)}" for group in found)


def test_no_arrow_runs_up(arrows: list[Arrow]) -> None:
    """No file reaches or names one of a layer above its own, nor the root package."""
    found = runs_up(arrows, layers_of_project())
    assert not found, "\n".join(map(str, found))


# --- The test, tested -------------------------------------------------------------------------


def made(folder: Path, **files: str) -> list[Arrow]:
    """The arrows of a package ``p``; ``a_b`` is the module ``p.a.b``, and packages are empty."""
    for name, text in files.items():
        path = folder / "p" / Path(*name.split("_")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text)
    (folder / "p" / "__init__.py").touch()
    return arrows_of(folder)


WAYS = {
    "at the head": "from p.high.b import x",
    "a module of a package": "from p.high import b",
    "relative": "from ..high.b import x",
    "in a function": "def f():\n    from p.high.b import x",
    "for a type checker": "if TYPE_CHECKING:\n    import p.high.b",
    "by text": "import_module('p.high.b')",
    "from a table": "T = {'x': 'p.high.b'}\ndef __getattr__(name):\n    import_module(T[name])",
    "as a place": "WHERE = 'p.high.b:x'",
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_reach_a_file_is_followed(tmp_path: Path, way: str) -> None:
    """However it is written, an arrow up is one, and with one back there is a circle."""
    arrows = made(tmp_path, low_a=WAYS[way], high_b="import p.low.a")
    up = runs_up(arrows, ["high", "low"])
    assert [(each.start, each.end) for each in up] == [("p.low.a", "p.high.b")]
    assert circles(arrows) == [("p.high.b", "p.low.a")]
    assert not circles(up)


def test_a_table_of_a_package_names_its_own_modules(tmp_path: Path) -> None:
    """A name that a package loads when it is asked for is followed to where it lives."""
    table = "T = {'X': 'b'}\ndef __getattr__(name):\n    return import_module(f'p.low.{T[name]}')"
    made(tmp_path, low_b="from p.low import X", low_a="b = 'b'")
    (tmp_path / "p" / "low" / "__init__.py").write_text(table)
    assert circles(arrows_of(tmp_path)) == [("p.low", "p.low.b")]


def test_words_are_no_imports(tmp_path: Path) -> None:
    """A text that names no module, and one that stands where nothing is loaded by text."""
    assert made(tmp_path, low_a="W = ('b', 'p', 'low.b', 'p.none')", low_b="'It is p.low.a.'") == []
