"""One command line, from its arguments to its exit code; the only place where errors end.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad or missing data or series file, 4 exchange or
chain unavailable, 5 an invariant broke; beside these 130 after Ctrl-C and 141 where the reader of
standard output went away, as other programs have it.
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
    """Run one command line and give its exit code; what went wrong is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_on_a_letter(stream)
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _invoke(list(words))  # click takes the words out of its list
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
            _say("A law of the program broke: please report it with the files that show it.")
        return _failed(words, error, error.exit_code, str(error))
    except (click.Abort, KeyboardInterrupt):
        _say("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return READER_GONE
    except SystemExit as error:
        # rich leaves this way when the reader of a pipe has gone
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
    """The exit code; with ``--json`` the error is the one object on standard output."""
    before_dashes = words[: words.index("--")] if "--" in words else words
    if "--json" in before_dashes:
        with contextlib.suppress(OSError):
            kind = type(error).__name__
            emit_json({"schema": 1, "error": {"kind": kind, "message": message, "exit_code": code}})
    return code


def _invoke(arguments: list[str]) -> int:
    """Call the command; what goes wrong comes out as it was raised."""
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
    # One sentence on one line: a file may have put anything into it.
    line = "".join(letter if letter.isprintable() else " " for letter in message)
    click.echo(f"Error: {line}" if message != "Interrupted." else line, err=True)


def _let_go_of_stdout() -> None:
    """Nobody reads any more: what Python still wants to write goes nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]  # None raises
    except (AttributeError, OSError, ValueError):
        return


def _never_fail_on_a_letter(stream: TextIO | None) -> None:
    """On a terminal that knows only ASCII another letter becomes a question mark."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
