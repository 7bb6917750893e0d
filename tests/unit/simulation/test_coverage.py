"""What inputs beside the prices cover: nothing is refused, and what there is is said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import steelyard as sy
from steelyard.market import read_funding, read_prices, sample_prices
from steelyard.rules.presets import preset
from support.tables import refusal

BTC = sample_prices("BTC").between("2020-01-01", "2020-07-01")
DAYS = ["2020-02-01", "2020-02-02", "2020-02-03"]
LATE = ["2035-01-01", "2035-01-02", "2035-01-03"]
PERPETUAL, RESERVED = preset("ftx-bull"), preset("oracle-3l")
SPOT = preset("toros-3l")


def given(option: str, days: list[str]) -> Any:
    """An input of this kind at these days."""
    tables: dict[str, Any] = {
        "funding": {"time": days, "rate": [0.0001, 0.0001, 0.0001]},
        "rates": {"time": days, "rate": [0.05, 0.06, 0.07]},
        "injections": {"time": days, "quote": [1.0, 2.0, 3.0], "kind": ["capital"] * 3},
        "flows": {"time": days, "tokens": [1.0, 2.0, -1.0]},
        "splits": {"time": days, "ratio": [2.0, 3.0, 0.5]},
        "outages": {"from": days, "to": [f"{day}T06:00:00" for day in days]},
        "wind_down": days[0],
    }
    return tables[option]


SERIES = {"rates": SPOT, "injections": RESERVED}
OPTIONS = ("funding", "rates", "injections", "flows", "splits", "outages", "wind_down")


@pytest.mark.parametrize("option", OPTIONS)
def test_an_input_that_covers_nothing_is_refused(option: str) -> None:
    """Each of them: with the history that is run, what was found, and what to do."""
    series = SERIES.get(option, PERPETUAL)
    with pytest.raises(sy.SteelyardError) as caught:
        sy.simulate(series, sy.Feed(BTC, **{option: given(option, LATE)}))
    message = str(caught.value)
    assert isinstance(caught.value, sy.InputError if option == "wind_down" else sy.DataError)
    assert "2020-01-01 to 2020-07-01 UTC" in message
    assert "2035-01-01" in message
    assert f"leave {option} out" in message


@pytest.mark.parametrize("option", OPTIONS)
def test_what_an_input_covers_is_said(option: str) -> None:
    """In the summary's notes, for all that is given; without inputs there are none."""
    series = SERIES.get(option, PERPETUAL)
    assert "notes" not in sy.simulate(series, BTC).summary
    feed = sy.Feed(BTC, **{option: given(option, DAYS)})
    notes = sy.simulate(series, feed).summary.get("notes", [])
    if option == "wind_down":
        assert notes == []
        return
    assert len(notes) == 1
    assert notes[0].startswith(option)
    assert "3" in notes[0]


def test_half_of_a_history_is_said() -> None:
    """Funding that ends in the middle says until when, and what it comes to in a year."""
    (note,) = sy.simulate(PERPETUAL, sy.Feed(BTC, funding=given("funding", DAYS))).summary["notes"]
    assert "2020-02-01 to 2020-02-03 UTC: 3 payments" in note
    assert "+3.65 % of notional a year" in note
    assert "no funding is charged outside the payments" in note


def test_rates_that_begin_late_name_the_rate_before() -> None:
    """Until the first of them the series' own holds."""
    (note,) = sy.simulate(SPOT, sy.Feed(BTC, rates=given("rates", DAYS))).summary["notes"]
    assert "before 2020-02-01 UTC the series' own" in note


def test_a_run_that_goes_on_takes_the_same_files() -> None:
    """They were used before: a part of the history for which they hold nothing is no error."""
    flows = given("flows", DAYS)
    first = sy.simulate(PERPETUAL, sy.Feed(BTC, flows=flows, end="2020-04-01"))
    second = sy.simulate(
        PERPETUAL, sy.Feed(BTC, flows=flows, start="2020-04-01"), state=first.state
    )
    whole = sy.simulate(PERPETUAL, sy.Feed(BTC, flows=flows))
    assert second.summary["nav"]["final"] == whole.summary["nav"]["final"]


def test_a_file_that_reaches_across_is_no_mistake() -> None:
    """Of flows before and after a stretch none falls into it: that is said, and not refused."""
    flows = {"time": ["2020-01-05", "2020-06-01"], "tokens": [1.0, 1.0]}
    run = sy.simulate(PERPETUAL, sy.Feed(BTC, flows=flows, start="2020-02-01", end="2020-03-01"))
    assert run.summary["notes"] == ["flows: the history holds 0 of 2 creations and redemptions."]


def test_several_series_refuse_what_covers_nothing() -> None:
    """On one reserve as alone."""
    pool = RESERVED.reserve
    assert pool is not None
    token = replace(RESERVED, reserve=None)
    with pytest.raises(sy.DataError, match="injections: expected rows in the time"):
        sy.simulate([token], sy.Feed(BTC, injections=given("injections", LATE)), reserve=pool)


# --- The underlying's name --------------------------------------------------------------------


def test_prices_of_another_asset_are_said() -> None:
    """Where a source names its market, that is held against the series' underlying."""
    run = sy.simulate(PERPETUAL, sample_prices("ETH").between("2020-01-01", "2020-07-01"))
    (note,) = run.summary["notes"]
    assert "underlying of FTX-BULL is BTC/USDT:USDT" in note
    assert "prices of ETH" in note


def test_results_are_called_after_the_prices(tmp_path: Path) -> None:
    """A tear sheet on ETH says that ETH rose, not BTC; the page shows the note."""
    prices = sample_prices("ETH").between("2021-01-01", "2021-04-01")
    found = sy.tear_sheet(preset("kucoin-3s"), prices)
    assert re.search(r"-3x daily +ETH$", repr(found), re.MULTILINE)
    assert "ETH rose" in repr(sy.explain(found.run))
    found.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "prices of ETH" in page
    assert "BTC/USDT:USDT rose" not in page


@pytest.mark.parametrize("symbol", ["BTC", "XBTUSD", "BTC-USD", "BTCUSDT", "btc/usdt", ""])
def test_the_same_asset_by_any_of_its_names_is_no_remark(symbol: str) -> None:
    """Venues write one market in many ways."""
    run = sy.simulate(PERPETUAL, replace(BTC, symbol=symbol))
    assert "notes" not in run.summary


# --- Funding that is percent ------------------------------------------------------------------

HOURS_8 = 28_800


def payments(rate: float, rows: int = 90, step_s: int = HOURS_8) -> dict[str, list[float]]:
    """Funding of one rate."""
    return {"time": [1_577_836_800 + row * step_s for row in range(rows)], "rate": [rate] * rows}


@pytest.mark.parametrize(("rate", "step_s"), [(0.01, HOURS_8), (-0.005, HOURS_8), (0.00125, 3_600)])
def test_funding_that_no_venue_has_charged_is_refused(rate: float, step_s: int) -> None:
    """0.01 that means 0.01 % comes to 1,095 % a year: refused, with that and the way out."""
    source = payments(rate, step_s=step_s)
    message = str(refusal(source, read_funding))
    assert f"{abs(rate) * 3_153_600_000 / step_s:,.0f} % a year" in message
    assert "divide percent by 100" in message
    assert "--high-funding" in message
    assert read_funding(source, high=True).rate[0] == rate
    with pytest.raises(sy.DataError):
        sy.simulate(PERPETUAL, sy.Feed(BTC, funding=source))
    run = sy.simulate(PERPETUAL, sy.Feed(BTC, funding=read_funding(source, high=True)))
    assert "of notional a year" in run.summary["notes"][0]


@pytest.mark.parametrize("rate", [0.0001, -0.0027, 0.0019])
def test_the_dearest_funding_of_real_markets_passes(rate: float) -> None:
    """Three days of ETH in 2021 came to 208 % a year; a single payment may be any."""
    assert read_funding(payments(rate)).per_year == pytest.approx(rate * 1_095)
    assert len(read_funding(payments(0.03, rows=2))) == 2


def test_a_run_with_high_funding_can_be_made_again(tmp_path: Path) -> None:
    """Whoever made it was asked already; the file's name is kept."""
    lines = ["time,rate", *(f"{time},0.01" for time in payments(0.01)["time"])]
    (tmp_path / "f.csv").write_text("\n".join(lines))
    run = sy.simulate(
        PERPETUAL, sy.Feed(BTC, funding=read_funding(str(tmp_path / "f.csv"), high=True))
    )
    run.save(tmp_path / "run")
    again = sy.load_run(tmp_path / "run", prices=BTC)
    assert again.summary == run.summary


def test_a_run_over_a_pattern_of_files_can_be_made_again(tmp_path: Path) -> None:
    """The pattern is what the run's folder remembers."""
    for number, day in enumerate(("01", "02")):
        rows = [
            f"{1_577_836_800 + number * 86_400 + hour * 3600},{100 + hour}" for hour in range(24)
        ]
        (tmp_path / f"p-{day}.csv").write_text("\n".join(["time,close", *rows]))
    run = sy.simulate(PERPETUAL, read_prices(str(tmp_path / "p-*.csv")))
    run.save(tmp_path / "run")
    assert sy.load_run(tmp_path / "run").summary == run.summary
