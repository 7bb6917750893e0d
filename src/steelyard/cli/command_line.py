"""One command line, from its arguments to its exit code; the only place where errors end.

The exit code is 0 for success, 1 for a failure, 2 for wrong usage, 3 for a bad or missing data or
series file, 4 for an exchange or chain that is unavailable, and 5 for a broken invariant. As in
other programs, it is 130 after Ctrl-C and 141 when the reader of standard output has gone.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from steelyard.cli.app import app
from steelyard.cli.output import emit_json
from steelyard.errors import InvariantError, SteelyardError

__all__ = ["run"]

FAILED = 1
INTERRUPTED = 130
READER_GONE = 141
COMPLETION = "_STEELYARD_COMPLETE"


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; an error is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_on_a_letter(stream)
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _invoke(list(words))  # click removes the words from its list
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return _failed(words, error, error.exit_code, error.format_message())
    except SteelyardError as error:
        if _wants_traceback():
            raise
        _say(str(error))
        if isinstance(error, InvariantError):
            _say("An invariant of the program broke: please report it with the files that show it.")
        return _failed(words, error, error.exit_code, str(error))
    except (click.Abort, KeyboardInterrupt):
        _say("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return READER_GONE
    except SystemExit as error:
        # rich exits like this when the reader of a pipe has gone
        if isinstance(error.__context__, BrokenPipeError):
            _let_go_of_stdout()
            return READER_GONE
        raise
    except Exception as error:
        if _wants_traceback():
            raise
        _say(_unexpected(error))
        return _failed(words, error, FAILED, _unexpected(error))
    return code


def _failed(words: Sequence[str], error: Exception, code: int, message: str) -> int:
    """Return the exit code; with ``--json``, print the error as the one object on stdout."""
    before_dashes = words[: words.index("--")] if "--" in words else words
    if "--json" in before_dashes:
        with contextlib.suppress(OSError):
            kind = type(error).__name__
            emit_json({"schema": 1, "error": {"kind": kind, "message": message, "exit_code": code}})
    return code


def _invoke(arguments: list[str]) -> int:
    """Call the command; its exceptions are not caught here."""
    if COMPLETION in os.environ:
        app.main(arguments, prog_name="steelyard", complete_var=COMPLETION)
    try:
        with app.make_context("steelyard", arguments) as context:
            app.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return 0


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'reading or writing failed'}: {error.strerror}."
    what = f"something unexpected happened ({type(error).__name__}: {error})"
    if isinstance(error, MemoryError):
        what = "there is not enough memory for this"
    return f"{what}. Set STEELYARD_TRACEBACK=1 to see where."


def _wants_traceback() -> bool:
    return bool(os.environ.get("STEELYARD_TRACEBACK"))


def _say(message: str) -> None:
    # A message may quote a file's text: only printable letters keep it on one line.
    line = "".join(letter if letter.isprintable() else " " for letter in message)
    click.echo(f"Error: {line}" if message != "Interrupted." else line, err=True)


def _let_go_of_stdout() -> None:
    """Discard what Python still has to write, because nobody reads standard output any more."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]  # None raises
    except (AttributeError, OSError, ValueError):
        return


def _never_fail_on_a_letter(stream: TextIO | None) -> None:
    """Replace letters that the terminal cannot encode by question marks."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
