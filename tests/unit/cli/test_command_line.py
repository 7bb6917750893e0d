"""Exit codes, and what is said when something goes wrong: one sentence, never a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import click
import pytest

from steelyard.cli import command_line as run_module
from steelyard.errors import (
    DataError,
    InputError,
    InvariantError,
    Rejected,
    SteelyardError,
    Unavailable,
    Unknown,
)

CODES = [
    (SteelyardError("a thing failed"), 1),
    (InputError("a series is wrong"), 3),
    (DataError("a file is wrong"), 3),
    (Rejected("the venue said no"), 4),
    (Unknown("the venue did not say"), 4),
    (Unavailable("the venue is away"), 4),
    (InvariantError("a law broke"), 5),
    (RuntimeError("nobody thought of this"), 1),
    (OSError(28, "No space left on device"), 1),
    (FileNotFoundError(2, "No such file or directory", "x.toml"), 1),
    (MemoryError(), 1),
    (KeyboardInterrupt(), 130),
    (BrokenPipeError(), 141),
    (click.UsageError("an option is wrong"), 2),
]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Run a command that raises what it is given."""

    def run(error: BaseException) -> int:
        @click.command()
        def broken() -> None:
            raise error

        monkeypatch.setattr(run_module, "app", broken)
        monkeypatch.setattr(run_module, "_let_go_of_stdout", lambda: None)
        return run_module.run([])

    return run


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda value: type(value).__name__)
def test_each_kind_of_failure_has_its_exit_code_and_no_traceback(
    failing: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    """Standard output stays empty; standard error has a sentence that names the matter."""
    assert failing(error) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    if isinstance(error, SteelyardError | click.UsageError):
        assert f"Error: {error}\n" in err
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        assert f"{error.strerror}.\n" in err
    if isinstance(error, RuntimeError):
        assert "nobody thought of this). Set STEELYARD_TRACEBACK=1 to see where." in err
    if code == 130:
        assert err.strip() == "Interrupted."
    if code == 141:
        assert err == ""


@pytest.mark.parametrize("error", [RuntimeError("no one thought of it"), InputError("wrong")])
def test_a_traceback_can_be_asked_for(
    failing: Callable[[BaseException], int],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """With STEELYARD_TRACEBACK=1 the error goes on to Python."""
    monkeypatch.setenv("STEELYARD_TRACEBACK", "1")
    with pytest.raises(type(error)):
        failing(error)


def test_a_message_is_one_line_whatever_a_file_put_into_it(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Line ends and escapes of a terminal do not come through."""
    failing(DataError("row 1: found 'a\nb\x1b[31m'"))
    assert capsys.readouterr().err == "Error: row 1: found 'a b [31m'\n"


def test_a_reader_that_has_gone_is_told_from_a_real_exit(
    failing: Callable[[BaseException], int],
) -> None:
    """Rich and click leave with SystemExit(1) when a pipe breaks; other exits pass through."""
    gone = SystemExit(1)
    gone.__context__ = BrokenPipeError()
    assert failing(gone) == 141
    with pytest.raises(SystemExit):
        failing(SystemExit(7))


def test_a_letter_that_a_terminal_does_not_know_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """With an ASCII terminal another letter becomes a question mark, not an error."""
    path = tmp_path / "out"
    with path.open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        run_module.run(["--version"])
        stream.write("Δ")
    assert path.read_text().endswith("?")


def test_an_invariant_that_broke_asks_to_be_reported(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 5 is nobody's mistake but ours."""
    failing(InvariantError("nav is negative"))
    assert "please report it" in capsys.readouterr().err


@pytest.mark.parametrize("error", [error for error, code in CODES if code < 130], ids=repr)
def test_on_failure_json_is_one_object_with_the_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    """With ``--json`` standard output has the error too; the exit code is what it was."""

    @click.command()
    @click.option("--json", is_flag=True, expose_value=False)
    def broken() -> None:
        raise error

    monkeypatch.setattr(run_module, "app", broken)
    code = run_module.run(["--json"])
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["schema"] == 1
    assert found["error"]["kind"] == type(error).__name__
    assert found["error"]["exit_code"] == code == {id(e): c for e, c in CODES}[id(error)]
    assert found["error"]["message"] in err


def test_a_wrong_option_beside_json_is_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the command line cannot be read; without ``--json`` nothing is on stdout."""
    assert run_module.run(["simulate", "--json", "--nonsense"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "NoSuchOption"
    assert run_module.run(["simulate", "--nonsense"]) == 2
    assert capsys.readouterr().out == ""
    assert run_module.run(["simulate", "nothing", "--prices", "BTC", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)["error"]
    assert found["kind"] == "InputError"
    assert found["message"].startswith("nothing: expected a series file")
