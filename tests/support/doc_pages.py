"""The examples in README and docs: found, run, compared with what the page says they print.

A page is a small program. All its examples run in order, in one empty folder:

- a ``python`` block is run, in a namespace that the page's blocks share; what it prints stands in
  the ``text`` block right after it;
- a ``console`` block holds lines that start with ``$ ``, run by the shell with ``steelyard`` on the
  path, each with what it prints, both streams as on a terminal. A line that shows nothing is only
  run. One that fails must be followed by ``$ echo $?``;
- a ``python network`` or ``console network`` block asks an exchange: it is run by a test of its
  own, which has one on loopback, and not with the rest of its page;
- a ``python history`` or ``console history`` block reads real history in a folder ``history``,
  which is not the project's to give away: it has a test of its own too, run where that folder is;
- a ``python chain`` block speaks to contracts on a chain, which a test of its own gives it;
- a ``console processes`` block has lines that end with ``&`` and run on while the others do; it
  has a test of its own, in the group of those that start processes;
- a ``toml`` or ``csv`` block with a file's name after the word is written to that file.

``...`` stands for anything, on a line of its own for any number of lines. ``sh`` blocks hold what
only a person types (make, pip); ``mermaid`` and a ``text`` block on its own are shown, not run. Any
other kind of block is refused, so that nothing looks like an example and is none.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.doc_numbers import figures_within_a_unit, signed_zeros

REPOSITORY = Path(__file__).resolve().parents[2]
GENERATED = REPOSITORY / "docs" / "reference" / "command-line.md"
"""Written by ``steelyard.cli.command_reference``, whose own test runs the examples in it."""
WIDTH = 92
FENCE = re.compile(r"^```(.*)$")
SHELL_WORDS = ("make", "pip", "python -m venv", "git clone", "cd ", "source ", ". ")
RUN = ("python", "console")
WRITTEN = ("toml", "csv")
NETWORK = ("python network", "console network")
HISTORY = ("python history", "console history")
CHAIN = ("python chain",)
PROCESSES = ("console processes",)
APART = (*NETWORK, *HISTORY, *CHAIN, *PROCESSES)
"""Run by tests of their own."""
SHOWN = ("text", "sh", "mermaid", "json", "math", *APART)
Shell = Callable[[str, Path, list[str]], tuple[str, int]]
"""What runs a line of a session: the line, the folder, and what the page says it prints."""


@dataclass
class Block:
    """A fenced block: its kind, what follows the kind, its lines, and where they stand."""

    page: Path
    kind: str
    argument: str
    first_line: int
    lines: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """``docs/tutorial.md:17``."""
        return _place(self.page, self.first_line)

    @property
    def text(self) -> str:
        """Its lines, each with its end."""
        return "".join(line + "\n" for line in self.lines)


@dataclass
class Outcome:
    """What an example really printed, and the lines of the page that say what it prints."""

    place: str
    expected: list[str]
    found: list[str]
    first: int
    """Index of the first expected line in the page's lines; they may be none."""

    @property
    def agrees(self) -> bool:
        """Whether the page tells the truth, to a unit of the last printed place."""
        return agrees(self.expected, self.found)

    @property
    def is_exact(self) -> bool:
        """Whether the page says the same to the last digit."""
        return agrees(self.expected, self.found, exactly=True)


class ExampleError(AssertionError):
    """An example cannot be run, or fails."""


def _place(page: Path, line: int) -> str:
    return f"{os.path.relpath(page, REPOSITORY)}:{line}"


def pages() -> list[Path]:
    """README and everything under docs, in order."""
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The page's fenced blocks, in order."""
    found: list[Block] = []
    inside: Block | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        match = FENCE.match(line)
        if match is None:
            if inside is not None:
                inside.lines.append(line)
        elif inside is None:
            kind, _, argument = match[1].strip().partition(" ")
            if f"{kind} {argument}" in APART:
                kind, argument = f"{kind} {argument}", ""
            inside = Block(page, kind, argument, number + 1)
        else:
            found.append(inside)
            inside = None
    if inside is not None:
        raise ExampleError(f"{inside.place}: a block that never ends")
    return found


def agrees(expected: list[str], found: list[str], *, exactly: bool = False) -> bool:
    """Whether what was printed is what the page says, blank ends and trailing blanks aside.

    Figures may be one unit of their last printed place apart, unless ``exactly``; a negative zero
    is never right.
    """
    printed = "\n".join(_trimmed(found))
    spelled = re.escape if exactly else figures_within_a_unit
    pieces = [spelled(piece) for piece in "\n".join(_trimmed(expected)).split("...")]
    same = re.fullmatch(".*?".join(pieces), printed, re.DOTALL) is not None
    return same and not signed_zeros(printed)


def _trimmed(lines: list[str]) -> list[str]:
    """Without trailing blanks, and without blank lines at both ends."""
    kept = [line.rstrip() for line in lines]
    while kept and not kept[0]:
        kept.pop(0)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def histories() -> Path | None:
    """The folder of real history: beside the project, or where ``STEELYARD_DATA`` says."""
    folder = Path(os.environ.get("STEELYARD_DATA") or REPOSITORY.parent / "shared" / "data")
    return folder.resolve() if folder.is_dir() else None


def environment_of(folder: Path) -> dict[str, str]:
    """The environment of a page's sessions: ``steelyard`` and ``python`` are on the path."""
    path = folder.parent / f".{folder.name}-bin"
    path.mkdir(exist_ok=True)
    main = "import sys; from steelyard.cli import main; sys.exit(main())"
    for name, arguments in {"steelyard": f'-c "{main}" ', "python": ""}.items():
        (path / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' {arguments}\"$@\"\n")
        (path / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": str(WIDTH),
        "NO_COLOR": "1",
    }


def run_once(command: str, folder: Path, _: list[str]) -> tuple[str, int]:
    """Run a line of a session to its end: what it prints, and its exit code."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment_of(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout, done.returncode


def run_page(
    page: Path,
    folder: Path,
    *,
    also: str = "",
    given: Mapping[str, object] | None = None,
    shell: Shell = run_once,
) -> Iterator[Outcome]:
    """Run the examples of a page in ``folder``; what each printed is yielded.

    Those that ask an exchange are run only where ``also`` is ``network``, those that read real
    history where it is ``history``; that is then the folder ``history``. Those that speak to a
    chain are run where it is ``chain``, with the names that are ``given``, and those with processes
    of their own where it is ``processes``, by a ``shell`` that lets them run on.

    Raises:
        ExampleError: a block is of no known kind, cannot be run, or fails without saying so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = histories()
    if also == "history" and data is not None:
        (folder / "history").symlink_to(data, target_is_directory=True)
    found = blocks(page)
    names: dict[str, object] = {"__name__": "__main__", **(given or {})}
    for place, block in enumerate(found):
        following = found[place + 1] if place + 1 < len(found) else None
        kind = block.kind.removesuffix(f" {also}")
        if kind == "python":
            yield _run_python(block, following, names, folder)
        elif kind == "console":
            yield from _run_console(block, folder, shell)
        elif block.kind in WRITTEN and block.argument:
            (folder / block.argument).write_text(block.text, encoding="utf-8")
        elif block.kind == "sh":
            _refuse_what_could_be_run(block)
        elif block.kind not in (*SHOWN, *WRITTEN):
            raise ExampleError(f'{block.place}: "{block.kind}" is no kind of block; see {__name__}')


def _run_python(
    block: Block, following: Block | None, names: dict[str, object], folder: Path
) -> Outcome:
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        exec(compile(block.text, block.place, "exec"), names)  # noqa: S102 (what is tested here)
    shows = (
        following is not None and following.kind == "text" and _stands_right_after(block, following)
    )
    first = following.first_line - 1 if shows and following else block.first_line
    expected = following.lines if shows and following else []
    return Outcome(block.place, expected, printed.getvalue().splitlines(), first)


def _stands_right_after(block: Block, following: Block) -> bool:
    between = following.page.read_text(encoding="utf-8").splitlines()
    gap = between[block.first_line + len(block.lines) : following.first_line - 2]
    return not any(line.strip() for line in gap)


def _run_console(block: Block, folder: Path, shell: Shell) -> Iterator[Outcome]:
    commands: list[tuple[str, int, list[str]]] = []
    for offset, line in enumerate(block.lines):
        if line.startswith("$ "):
            commands.append((line[2:], block.first_line + offset, []))
        elif commands:
            commands[-1][2].append(line)
        else:
            raise ExampleError(f'{block.place}: expected a line that starts with "$ "')
    if not commands:
        raise ExampleError(f'{block.place}: expected a line that starts with "$ "')
    status = 0
    for command, first, expected in commands:
        place = _place(block.page, first)
        asks = command.strip() == "echo $?"
        if status != 0 and not asks:
            raise ExampleError(f"{place}: the command before it failed ({status}), unsaid")
        line = f"(exit {status}); {command}" if asks else command
        found, status = shell(line, folder, expected)
        shown = expected if _trimmed(expected) else found.splitlines() if status == 0 else expected
        yield Outcome(place, shown, found.splitlines(), first)
    if status != 0:
        raise ExampleError(f"{block.place}: the last command failed ({status}): {found}")


def _refuse_what_could_be_run(block: Block) -> None:
    for line in block.lines:
        if line.strip() and not line.startswith(("#", *SHELL_WORDS)):
            raise ExampleError(f'{block.place}: "{line}" can be run: make it a console block')
