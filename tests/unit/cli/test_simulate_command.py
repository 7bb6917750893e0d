"""``simulate``: the table, the remarks and the options, inside the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.cli import progress as progress_module
from steelyard.cli.progress import progress_bar
from steelyard.market import Feed
from steelyard.rules.series import Band, Daily, Interval, Reserve, Volatility
from steelyard.simulation.run import simulate
from steelyard.simulation.run_notes import order_note, run_notes
from support.tokens import T0, bars, closes, observed, token

Steelyard = Callable[..., Any]

SPRING = ("--prices", "BTC", "--start", "2020-03-01", "--end", "2020-04-01")


def test_a_person_gets_a_table_and_remarks_beside_it(steelyard: Steelyard) -> None:
    """The rule in words, results, rebalances by trigger, costs by kind, tracking, reserve."""
    result = steelyard("simulate", "oracle-3l", *SPRING)
    assert result.code == 0
    for words in (
        "ORACLE-3L aims at 3x long",
        "31 bars of 24 h, 2020-03-01 to 2020-03-31 UTC, no gaps",
        "token return",
        "by band",
        "by fallback",
        "fee",
        "% of initial assets",
        "paid by the reserve",
        "mean leverage",
        "Reserve",
        "suspended",
    ):
        assert words in result.out
    assert "the worst order is assumed" in result.err
    assert "no funding was given" in result.err
    assert max(map(len, result.out.splitlines())) <= 100
    assert not any(line.endswith(" ") for line in result.out.splitlines())


def test_json_is_one_object_and_equals_python(steelyard: Steelyard) -> None:
    """``--json`` prints the very summary of ``sy.simulate``, whole and alone."""
    from steelyard.market import sample_prices
    from steelyard.rules.presets import preset

    result = steelyard("simulate", "oracle-3l", *SPRING, "--json")
    run = simulate(preset("oracle-3l"), Feed(sample_prices(), start="2020-03-01", end="2020-04-01"))
    assert json.loads(result.out) == run.summary


def test_intrabar_close_reads_no_path(steelyard: Steelyard) -> None:
    """Closes only: the remark on the order inside a day goes away."""
    result = steelyard("simulate", "bybit-3l", *SPRING, "--intrabar", "close", "--json")
    assert json.loads(result.out)["intrabar"] == "close"
    assert "worst order" not in result.err


def test_out_writes_the_run_and_says_so(steelyard: Steelyard, tmp_path: Path) -> None:
    """Six files; where they are is on standard error."""
    result = steelyard("simulate", "bybit-3l", *SPRING, "--out", "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "nav.parquet",
        "rebalances.parquet",
        "summary.json",
        "report.html",
        "series.toml",
        "run.json",
    }
    assert "wrote run/nav.parquet" in result.err


USAGE = [
    (["--start", "soon"], "expected a time such as 2020-03-12"),
    (["--start", "2021-01-01", "--end", "2021-01-01"], "--end: expected a time after --start"),
    (["--intrabar", "open"], "'open' is not one of 'close', 'path'"),
    (["--out", "file"], "it is a file"),
    (["--out", ""], "expected a name, found nothing"),
    (["extra"], "several series: expected --reserve"),
    (["--engine", "slow"], "'slow' is not one of 'fast', 'reference'"),
    (["--flows", "TEST=a.csv", "--flows", "b.csv"], "expected it once for"),
]


@pytest.mark.parametrize(("options", "said"), USAGE)
def test_wrong_usage_is_exit_code_2(
    steelyard: Steelyard, tmp_path: Path, options: list[str], said: str
) -> None:
    """Before anything is read or written."""
    (tmp_path / "file").write_text("")
    result = steelyard("simulate", "ftx-bull", "--prices", "BTC", *options)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


WRONG = [
    (["--rates", "rates.csv"], 'rates: expected a series with venue.kind = "spot"'),
    (["--injections", "in.csv"], "injections: expected a series with a table [reserve]"),
    (["--funding", "nothing.csv"], "nothing.csv: expected a CSV file"),
    (["--start", "2030-01-01"], "expected prices from 2030-01-01"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_data_that_does_not_go_with_the_series_is_exit_code_3(
    steelyard: Steelyard, tmp_path: Path, options: list[str], said: str
) -> None:
    """One sentence, nothing on standard output, nothing written."""
    result = steelyard("simulate", "ftx-bull", "--prices", "BTC", *options, "--out", "run")
    assert (result.code, result.out) == (3, "")
    assert said in result.err
    assert list(tmp_path.iterdir()) == []


def said_of(series: object, prices: object) -> str:
    """All notes on a run, in one text."""
    return "\n".join(run_notes(simulate(series, prices)))


def test_remarks_say_what_the_data_cannot_show() -> None:
    """Clocks that are finer than bars, windows that hold too few, gaps that were not filled."""
    three = bars(*[(1.0, 1.1, 0.9, 1.0)] * 3)
    assert "a rebalance that is due at 00:02 UTC waits for the next one" in said_of(
        token(daily=Daily(120)), three
    )
    assert "waits" not in said_of(token(daily=Daily(0)), three)
    assert "it acts once a bar" in said_of(token(interval=Interval(3_600)), three)
    assert "acts once" not in said_of(token(interval=Interval(86_400)), three)
    window = token(volatility=Volatility(86_400, 1.5))
    assert "holds fewer than two bars" in said_of(window, three)
    two_days = token(volatility=Volatility(172_800, 1.5))
    assert "fewer than two" not in said_of(two_days, three)
    unfunded = "no funding was given: the perpetual neither pays nor receives any."
    assert said_of(token(daily=Daily(120)), observed(1.0, 1.0)) == unfunded
    assert said_of(token(daily=Daily(120)), closes(1.0, 1.0)).startswith(
        "the clock is read at closes"
    )


def test_a_clock_that_acts_late_is_said_with_how_late() -> None:
    """More than five minutes: of 00:02 on hourly bars 58, of 23:55 five, which is on time."""
    hours = closes(*[1.0] * 30, step_s=3_600)
    late = said_of(token(daily=Daily(120)), hours)
    assert (
        'due at 00:02 UTC waits for the next one, at 01:00, 58 min late; with at = "00:00"' in late
    )
    assert "waits" not in said_of(token(daily=Daily(86_100)), hours)
    early = said_of(token(daily=Daily(84_600)), hours)
    assert 'at 00:00, 30 min late; with at = "00:00" it acts at the nearest one' in early
    days = said_of(token(daily=Daily(120)), closes(*[1.0] * 4))
    assert 'at 00:00, 23 h 58 min late; with at = "00:00"' in days
    # bars that begin at half past are read at half past
    shifted = closes(*[1.0] * 30, step_s=3_600, start=T0 + 1_800)
    assert 'at 00:30, 28 min late; with at = "00:30"' in said_of(token(daily=Daily(120)), shifted)
    anchored = token(interval=Interval(8 * 3_600, anchor_s=600))
    assert "interval of 8 h from 00:10 UTC are made up to 50 min late" in said_of(anchored, hours)
    assert "late" not in said_of(token(interval=Interval(8 * 3_600)), hours)


def test_remarks_say_that_bars_are_missing() -> None:
    """How many gaps, how long in all, and where to read more."""
    prices = closes(1.0, 1.0, 1.0, 1.0)
    days = np.array([0, 1, 2, 5], dtype=np.int64) * 86_400
    assert "frame has 1 gap, 2 d in all. Gaps are not filled in" in said_of(
        token(), replace(prices, time=days)
    )


def test_remarks_say_how_a_token_ended() -> None:
    """The end comes first, with its day."""
    words = said_of(token(), closes(1.0, 0.6))
    assert words.startswith(
        "TEST was left without nav at 2020-01-03 UTC, at a price of 0.6, and is flat from then on."
    )


def test_remarks_say_that_a_reserve_ran_low() -> None:
    """How long it was suspended, and what that kept from being done."""
    series = token(
        band=Band(2.8, 3.2), reserve=Reserve(50_000.0, floor_ratio=0.4, resume_ratio=0.5)
    )
    words = said_of(series, closes(1.0, 1.5, 1.5, 1.5))
    assert "the reserve was below its floor for 2 d in all, and 3 rebalances that" in words


def test_the_order_inside_a_bar_is_said_for_its_length() -> None:
    """Days are called days."""
    assert order_note(86_400).startswith("daily bars do not say")
    assert order_note(60).startswith("bars do not say")


class Terminal:
    """A standard error that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take the text."""
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def test_no_bar_is_drawn_where_no_one_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a file or a pipe there is nothing to call."""
    with progress_bar("testing", 10) as advance:
        assert advance is None
    monkeypatch.setattr(progress_module.sys, "stderr", None)
    with progress_bar("testing", 10) as advance:
        assert advance is None


def test_a_bar_appears_only_where_a_wait_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second, and only if another second is to be expected."""
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress_module.sys, "stderr", Terminal())
    with progress_bar("testing", 100) as advance:
        assert advance is not None
        bar = advance.__self__
        now[0] = 0.5
        advance(1)
        assert bar.progress is None, "too early"
        now[0] = 2.0
        advance(99)
        assert bar.progress is None, "nearly done"
        advance(10)
        assert bar.progress is not None
        advance(20)
        assert bar.progress.tasks[0].completed == 20


def test_injections_go_into_a_shared_reserve(steelyard: Steelyard, tmp_path: Path) -> None:
    """No series has a reserve of its own there; the file is for the one that they share."""
    (tmp_path / "reserve.toml").write_text("[reserve]\ninitial_units = 80\n")
    (tmp_path / "in.csv").write_text("time,quote,kind\n2020-03-05,1000,capital\n")
    shared = ("--reserve", "reserve.toml", "--injections", "in.csv")
    result = steelyard("simulate", "bybit-3l", "bybit-3s", *SPRING, *shared, "--json")
    assert result.code == 0
    assert json.loads(result.out)["reserve"]["injected"] == 1_000.0
