"""The rule for what a command may overwrite.

A command never overwrites a file that it reads. Without ``--force`` it overwrites only results of
Steelyard and empty files: a page is recognised by its head (``PAGE``), and the folder of a run by
its ``summary.json``. Every other existing file needs ``--force``. So do tables, exports and series
files, because they look like files that a person wrote.

The file system decides whether two names mean the same file, so that links, relative paths and
other spellings of a name are recognised.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from steelyard.errors import InputError

__all__ = ["check_out", "force_option", "is_read"]

Kind = Literal["page", "run", "table", "continued"]
Called = TypeVar("Called", bound=Callable[..., Any])

PAGE = b'<meta name="generator" content="Steelyard">'
HEAD_BYTES = 4096
FORCED, OUT = "steelyard.force", "steelyard.out"


def force_option(command: Called) -> Called:
    """Add ``--force`` to a command; only ``check_out`` reads it."""
    option = click.option(
        "--force",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Overwrite a file that Steelyard did not write. An input is never overwritten.",
    )
    return option(command)


def check_out(out: Path, hint: str, kind: Kind) -> None:
    """Check before a run that its result may be written; otherwise it is wrong usage.

    Args:
        out: the file or the folder to write.
        hint: the option that names it.
        kind: the kind of the result. A page or the folder of a run may replace an earlier one; a
            table replaces a file with ``--force`` only; a command that continues a file checks the
            existing file itself.
    """
    from steelyard.report.writing import check_file
    from steelyard.simulation.run_folder import check_folder

    context = click.get_current_context()
    try:
        (check_folder if kind == "run" else check_file)(out)
        places = list(_places(out)) if kind == "run" else [out]
        context.meta[OUT] = (places, hint)
        _refuse_inputs(places, _named_inputs(context, hint))
        _refuse_no_file(places)
        if kind == "run" and not context.meta.get(FORCED):
            _refuse_foreign_run(out)
        elif kind != "continued" and not context.meta.get(FORCED):
            _refuse_foreign_file(out, is_page=kind == "page")
    except InputError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error


def is_read(*inputs: str | os.PathLike[str]) -> None:
    """Register other files that the command reads, such as the book that a series names.

    Raises:
        click.BadParameter: the command would overwrite one of them.
    """
    context = click.get_current_context(silent=True)
    if context is None or OUT not in context.meta:
        return
    places, hint = context.meta[OUT]
    try:
        _refuse_inputs(places, inputs)
    except InputError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error


def _remember(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.meta[FORCED] = value


def _named_inputs(context: click.Context, hint: str) -> Iterator[str]:
    """Every name given to the command, except that of its result."""
    for name, value in context.params.items():
        if f"--{name}" == hint or name.upper() == hint:
            continue
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, str | os.PathLike):
                text = os.fspath(each)
                # with several series a file is given as SYMBOL=FILE
                yield from {text, text.partition("=")[2]}


def _places(folder: Path) -> Iterator[Path]:
    """The files of a saved run in a folder, and in its subfolders for a shared reserve."""
    from steelyard.simulation.run_folder import RUN_FILES

    for name in RUN_FILES:
        yield folder / name
    if folder.is_dir():
        for inside in folder.iterdir():
            if inside.is_dir():
                yield from (inside / name for name in RUN_FILES)


def _refuse_inputs(places: Iterable[Path], inputs: Iterable[str | os.PathLike[str]]) -> None:
    there = [place for place in places if os.path.lexists(place)]
    for name in inputs:
        for place in there:
            if _is_same(place, name):
                message = (
                    f"{place}: expected a file that the command does not read, found its input "
                    f"{os.fspath(name)}; choose another."
                )
                raise InputError(message, file=str(place), found=os.fspath(name))


def _is_same(place: Path, name: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samefile(place, name)  # noqa: PTH121 (Path would raise on an empty name)
    except (OSError, ValueError):
        return False


def _refuse_no_file(places: Iterable[Path]) -> None:
    """Refuse a device or a pipe, which the result would replace."""
    for place in places:
        if place.exists() and not place.is_file():
            message = (
                f"{place}: expected a regular file to write, found something else; choose another."
            )
            raise InputError(message, file=str(place))


def _refuse_foreign_file(out: Path, *, is_page: bool) -> None:
    """Refuse to overwrite a file that is not empty; a page may replace a page."""
    try:
        if not out.exists():
            if out.is_symlink():
                raise _foreign(out, "a broken link")
            return
        with out.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"{out}: expected a file to write; it cannot be read: {reason}; choose another."
        raise InputError(message, file=str(out)) from error
    if head and not (is_page and PAGE in head):
        raise _foreign(
            out, "a file that is not a page of Steelyard" if is_page else "an existing file"
        )


def _refuse_foreign_run(folder: Path) -> None:
    """Refuse to overwrite files of a folder that was not written by a run."""
    from steelyard.simulation.run_folder import RUN_FILES

    if _holds_a_run(folder):
        return
    for name in RUN_FILES:
        if (folder / name).exists():
            raise _foreign(folder / name, "a file in a folder without the summary of a run")


def _holds_a_run(folder: Path) -> bool:
    """Whether ``summary.json`` is that of a run, or of several runs on one reserve."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    is_ours = isinstance(summary, dict) and summary.get("schema") == 1
    return is_ours and ("rebalances" in summary or "series" in summary)


def _foreign(place: Path, found: str) -> InputError:
    knows_force = FORCED in click.get_current_context().meta
    way = "choose another, or add --force to overwrite it" if knows_force else "choose another"
    message = f"{place}: expected a new file, found {found}; {way}."
    return InputError(message, file=str(place), found=found)
