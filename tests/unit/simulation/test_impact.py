"""Runs whose impact comes from a pool, from a book, or from what the market did before."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import DataError, InputError
from steelyard.market import Feed, Prices, sample_prices
from steelyard.rules.numbers import DECIMAL, FRACTION
from steelyard.rules.series import Band, Costs, Daily, Interval, Reserve, Series
from steelyard.simulation.conditions import market_conditions
from steelyard.simulation.run import simulate
from support.tokens import DAY_S, T0, bars, closes, observed, token

HOUR_S = 3_600
POOL = Costs(impact="amm", amm_liquidity=5e6, amm_fee_bps=5.0)
MARKET = Costs(impact="square_root", impact_coefficient="realised", daily_volume="file")
BAND = Band(2.5, 3.5)


def book_file(folder: Path, *levels: tuple[float, float, float]) -> str:
    """A book in a file of that folder."""
    rows = "".join(f"{bps!r},{bid!r},{ask!r}\n" for bps, bid, ask in levels)
    path = folder / "book.csv"
    path.write_text(f"bps_from_mid,bid_notional,ask_notional\n{rows}")
    return str(path)


def on_book(folder: Path, *levels: tuple[float, float, float]) -> Costs:
    """Costs of nothing but that book."""
    return Costs(impact="book", book=book_file(folder, *levels))


def hours(rows: int, *, seed: int = 7, calm: float = 0.004) -> Prices:
    """Hourly bars of a random walk with volume, every third day five times as wild."""
    random = np.random.default_rng(seed)
    wild = np.where(np.arange(rows) // 24 % 3 == 2, 5.0, 1.0)
    close = 100 * np.exp(np.cumsum(random.normal(0, calm, rows) * wild))
    opening = np.concatenate([[100.0], close[:-1]])
    spread = np.abs(random.normal(0, calm, rows))
    return Prices(
        time=T0 + HOUR_S * np.arange(rows, dtype=np.int64),
        open=opening,
        high=np.maximum(opening, close) * (1 + spread),
        low=np.minimum(opening, close) * (1 - spread),
        close=close,
        volume=random.uniform(1e4, 1e6, rows) * wild,
        step_s=HOUR_S,
    )


# -- over the bundled history --------------------------------------------------------------------


@pytest.mark.parametrize("target", [3.0, -1.0])
def test_a_pool_over_the_bundled_history(target: float) -> None:
    """Every trade pays what the pool takes on its side, and it is all of the kind impact."""
    series = token(target, costs=POOL, daily=Daily(0))
    run = simulate(series, Feed(sample_prices(), end="2020-07-01"))
    trades, pool, kept = run.rebalances, 5e6, 1 - 5e-4
    size = trades.notional.to_numpy()
    bought = pool * size / ((pool - size) * kept) - size
    sold = size - pool * size * kept / (pool + size * kept)
    expected = np.where(trades.side == "buy", bought, sold)
    assert len(trades) > 70
    assert trades.impact.to_numpy() == pytest.approx(expected, rel=1e-9)
    assert run.summary["costs"]["fee"] == 0


def test_a_book_over_the_bundled_history(tmp_path: Path) -> None:
    """Buys walk the asks and sells the bids, and no trade takes more than is there."""
    costs = on_book(tmp_path, (1.0, 20_000.0, 10_000.0), (20.0, 30_000.0, 400_000.0))
    run = simulate(token(costs=costs, daily=Daily(0)), Feed(sample_prices(), end="2020-07-01"))
    trades = run.rebalances
    near = np.where(trades.side == "buy", 10_000.0, 20_000.0)
    size = trades.notional.to_numpy()
    expected = (np.minimum(size, near) + np.maximum(size - near, 0) * 20) / 1e4
    assert trades.impact.to_numpy() == pytest.approx(expected, rel=1e-12)
    assert trades.notional[trades.side == "sell"].max() == 50_000.0


def test_the_volume_of_the_bundled_history() -> None:
    """On daily bars the last day's volume, in quote, is the trailing 24 hours."""
    history = replace(sample_prices(), volume=np.linspace(1e3, 9e3, len(sample_prices())))
    costs = Costs(impact="square_root", impact_coefficient=100.0, daily_volume="file")
    run = simulate(
        token(costs=costs, daily=Daily(0)), Feed(history, end="2020-04-01"), intrabar="close"
    )
    place = (run.rebalances.time.astype("int64").to_numpy() - T0) // DAY_S
    size, price = run.rebalances.notional, run.rebalances.price
    volume = np.asarray(history.volume)[place % len(history) - 1 + (place == 0)]
    assert len(run.rebalances) > 50
    expected = size * 100 * np.sqrt(size / (volume * price)) / 1e4
    assert run.rebalances.impact.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)


def test_daily_bars_have_no_volatility_of_a_day() -> None:
    """Two returns in 24 hours are needed: no impact at all would look like a cheap market."""
    with pytest.raises(DataError, match="bars of at most 12 hours") as caught:
        simulate(token(costs=replace(MARKET, daily_volume=1e9)), sample_prices())
    assert caught.value.details["step_s"] == DAY_S


# -- a book's depth ------------------------------------------------------------------------------


def test_what_a_book_does_not_hold_follows_like_clips(tmp_path: Path) -> None:
    """100,000 at 3x, the price at 90: 60,000 to sell into bids of 25,000, one lot an hour."""
    costs = on_book(tmp_path, (0.0, 25_000.0, 300_000.0))
    run = simulate(token(costs=costs, band=BAND), closes(100, *[90] * 5, step_s=HOUR_S))
    frame = run.rebalances.iloc[1:]
    assert frame.notional.tolist() == pytest.approx([25_000, 25_000, 10_000])
    assert run.summary["rebalances"]["count"] == 1
    assert frame.leverage_after.iloc[-1] == pytest.approx(3.0)
    assert run.state.clips is None


def test_the_cooldown_holds_between_lots_of_a_book(tmp_path: Path) -> None:
    """As between clips."""
    costs = on_book(tmp_path, (0.0, 25_000.0, 300_000.0))
    series = token(costs=costs, band=BAND, cooldown_s=2 * HOUR_S)
    run = simulate(series, closes(100, *[90] * 7, step_s=HOUR_S))
    frame = run.rebalance_columns["time"][1:].astype("int64") - T0
    assert (frame // HOUR_S).tolist() == [2, 4, 6]


def test_an_emergency_too_takes_no_more_than_the_book_holds(tmp_path: Path) -> None:
    """It is one emergency, whose lots go out one an observation though leverage is above it."""
    costs = on_book(tmp_path, (0.0, 25_000.0, 300_000.0))
    series = token(costs=costs, emergency_leverage=4.0, cooldown_s=2 * HOUR_S)
    run = simulate(series, closes(100, *[80] * 6, step_s=HOUR_S))
    # nav 40,000 at a notional of 240,000: 120,000 to sell
    assert run.summary["rebalances"]["by_trigger"] == {"emergency": 1}
    assert run.rebalances.notional.iloc[1:].tolist() == [25_000.0] * 3
    hours_on = (run.rebalance_columns["time"][1:].astype("int64") - T0) // HOUR_S
    assert hours_on.tolist() == [2, 4, 6]


def test_inside_a_bar_an_emergency_takes_the_book_once(tmp_path: Path) -> None:
    """A book does not fill up between two prices of one bar: the rest waits for the next open."""
    costs = on_book(tmp_path, (0.0, 25_000.0, 300_000.0))
    series = token(costs=costs, emergency_leverage=4.0)
    flat = (100.0, 100.0, 100.0, 100.0)
    run = simulate(series, bars(flat, (100.0, 100.0, 80.0, 99.0), (99.0, 99.0, 99.0, 99.0)))
    frame = run.rebalances.iloc[1:]
    assert frame.notional.iloc[0] == 25_000.0
    assert (frame.time.value_counts() == 1).all()
    assert run.summary["rebalances"]["by_trigger"] == {"emergency": 1}


@pytest.mark.parametrize("target", [3.0, -1.0])
def test_a_launch_that_a_book_cannot_fill_is_refused(tmp_path: Path, target: float) -> None:
    """Whichever side it needs; the message says what is there and what to do."""
    levels = (1.0, 1e6, 99_000.0) if target > 0 else (1.0, 99_000.0, 1e6)
    with pytest.raises(InputError, match=r"99,000 to .*; lower initial_nav x initial_tokens"):
        simulate(token(target, costs=on_book(tmp_path, levels)), closes(100.0, 101.0))


def test_a_launch_that_a_pool_cannot_fill_is_refused() -> None:
    """A pool of 300,000 a side cannot sell 300,000; whatever is put in, it can buy."""
    costs = Costs(impact="amm", amm_liquidity=300_000.0)
    with pytest.raises(InputError, match=r"300,000 to buy; .* raise amm_liquidity"):
        simulate(token(3.0, costs=costs), closes(100.0, 101.0))
    simulate(token(-3.0, costs=costs), closes(100.0, 101.0))


def test_a_series_file_names_its_book_from_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file: beside itself. A text: from where the program runs."""
    deep = tmp_path / "deep"
    deep.mkdir()
    book_file(deep, (0.0, 1e6, 1e6))
    text = (
        'symbol = "T"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
        '[costs]\nimpact = "book"\nbook = "book.csv"\n'
    )
    (deep / "t.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    simulate(Series.load("deep/t.toml"), closes(100.0, 101.0))
    with pytest.raises(DataError, match="no such file"):
        simulate(Series.loads(text), closes(100.0, 101.0))
    monkeypatch.chdir(deep)
    simulate(Series.loads(text), closes(100.0, 101.0))


# -- the market of the last 24 hours -------------------------------------------------------------


def naive(history: Prices, intrabar: str, row: int) -> tuple[float, float]:
    """Volatility and volume of the trailing day at a bar, observation by observation."""
    path = intrabar == "path"
    assert history.open is not None
    assert history.volume is not None
    stamps = history.time if path else history.end_times
    prices = history.open if path else history.close
    now = stamps[row]
    window = [k for k in range(row + 1) if stamps[k] >= now - DAY_S]
    squares = [(prices[b] / prices[a] - 1) ** 2 for a, b in itertools.pairwise(window)]
    volatility = 0.0
    if len(squares) >= 2:
        volatility = float(np.sqrt(sum(squares) * DAY_S / (now - stamps[window[0]])))
    past = range(row) if path else range(row + 1)
    held = [k for k in past if history.time[k] >= now - DAY_S]
    covered = sum(
        min(
            history.step_s,
            int(
                (history.end_times if k + 1 == len(history) else history.time)[
                    min(k + 1, len(history) - 1)
                ]
                - history.time[k]
            ),
        )
        for k in held
    )
    traded = sum(history.volume[k] * history.close[k] for k in held)
    return volatility, float(traded * DAY_S / covered) if covered else 0.0


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["close", "path"]),
    st.sampled_from([HOUR_S, 4 * HOUR_S, 7_000]),
    st.lists(st.integers(0, 79), max_size=6),
)
def test_conditions_are_those_of_the_trailing_day(
    seed: int, intrabar: str, step_s: int, missing: list[int]
) -> None:
    """At every bar, gaps and all, what a loop over the observations of the last 24 hours finds."""
    whole = hours(80, seed=seed)
    keep = np.setdiff1d(np.arange(80), np.union1d(missing, [m + 1 for m in missing]))
    history = replace(
        whole,
        time=T0 + step_s * keep,
        open=whole.open[keep],
        high=whole.high[keep],
        low=whole.low[keep],
        close=whole.close[keep],
        volume=whole.volume[keep],
        step_s=step_s,
    )
    found = market_conditions(token(costs=MARKET), history, intrabar)
    assert found is not None
    for row in range(len(history)):
        volatility, volume = naive(history, intrabar, row)
        if volatility == 0 or volume == 0:
            assert found.at(row) == (0.0, 1.0)
        else:
            expected = (volatility * 1e4 * 2 / 3, volume)
            assert found.at(row) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("intrabar", ["close", "path"])
def test_nothing_of_the_future_is_known(intrabar: str) -> None:
    """Whatever comes after a bar, and in path mode in it, its conditions are the same."""
    history = hours(60)
    series = token(costs=MARKET)
    before = market_conditions(series, history, intrabar)
    for row in range(1, 60):
        first = row if intrabar == "path" else row + 1
        changed = {
            name: np.concatenate([getattr(history, name)[:first], np.full(60 - first, 50.0)])
            for name in ("close", "high", "low", "volume")
        }
        opening = np.concatenate([history.open[: row + 1], np.full(59 - row, 50.0)])
        after = market_conditions(series, replace(history, open=opening, **changed), intrabar)
        assert before is not None
        assert after is not None
        assert after.at(row) == before.at(row)


def test_trades_pay_the_impact_of_their_own_bar() -> None:
    """Two thirds of the volatility, times the root of the share of the volume: bar by bar."""
    history = hours(24 * 12)
    run = simulate(token(costs=MARKET, interval=Interval(HOUR_S)), history)
    conditions = market_conditions(run.series, history, "path")
    assert conditions is not None
    rows = (run.rebalance_columns["time"].astype("int64") - T0) // HOUR_S
    size = run.rebalance_columns["notional"]
    expected = [
        n * c * np.sqrt(n / v) / 1e4
        for n, (c, v) in zip(size, map(conditions.at, rows.tolist()), strict=True)
    ]
    assert run.rebalance_columns["impact"] == pytest.approx(np.array(expected), rel=1e-9, abs=1e-12)
    assert len(rows) > 250
    # the launch knows of no market yet
    assert run.rebalance_columns["impact"][0] == 0


@pytest.mark.parametrize("intrabar", ["close", "path"])
def test_what_came_before_the_start_is_known(intrabar: str) -> None:
    """A run from the middle of a file is no blind start; one of a cut file is."""
    history = hours(24 * 6)
    series = token(costs=MARKET, interval=Interval(HOUR_S))
    middle = T0 + 3 * DAY_S
    run = simulate(series, Feed(history, start=middle), intrabar=intrabar)
    blind = simulate(series, history.between(middle, None), intrabar=intrabar)
    assert run.rebalances.impact.iloc[0] > 0
    assert blind.rebalances.impact.iloc[0] == 0


def test_runs_joined_by_their_state_are_one_run() -> None:
    """Each piece of one file knows what came before it, so its trades are those of the whole."""
    history = hours(24 * 4)
    series = token(costs=MARKET, interval=Interval(HOUR_S), reserve=Reserve(initial_units=50.0))
    whole = simulate(series, history)
    cut = T0 + 2 * DAY_S + 5 * HOUR_S
    first = simulate(series, Feed(history, end=cut))
    rest = simulate(series, Feed(history, start=cut), state=first.state)
    joined = np.concatenate([first.rebalance_columns["impact"], rest.rebalance_columns["impact"]])
    assert joined.tolist() == whole.rebalance_columns["impact"].tolist()
    assert rest.summary["reserve"]["capacity"] == whole.summary["reserve"]["capacity"]


@pytest.mark.parametrize("number", [DECIMAL, FRACTION], ids=lambda number: number.name)
@pytest.mark.parametrize("kind", ["pool", "book", "market"])
def test_other_kinds_of_number_tell_the_same_story(
    tmp_path: Path, kind: str, number: object
) -> None:
    """Each impact, with a reserve that bears it: navs and health agree."""
    costs = {"pool": POOL, "market": MARKET}.get(kind) or on_book(
        tmp_path, (0.5, 3e4, 2e4), (9.0, 1e5, 5e5)
    )
    series = token(costs=costs, interval=Interval(6 * HOUR_S), reserve=Reserve(initial_units=300.0))
    floats = simulate(series, hours(60), intrabar="close")
    exact = simulate(series, hours(60), intrabar="close", number=number)
    assert floats.nav.nav.to_numpy() == pytest.approx(exact.nav.nav.to_numpy(), rel=1e-11)
    pools = floats.summary["reserve"], exact.summary["reserve"]
    assert pools[0]["capacity"] > 0
    assert pools[0] == pytest.approx(pools[1], rel=1e-9)


def test_a_file_without_volume_cannot_say_its_volume() -> None:
    """Neither closes alone, nor prices at instants."""
    for history in (closes(100.0, 101.0, step_s=HOUR_S), observed(100.0, 101.0)):
        with pytest.raises(DataError, match='daily_volume = "file": expected a column volume'):
            simulate(token(costs=MARKET), history)


def test_a_day_without_trades_has_no_impact() -> None:
    """No volume at all is no volume known, not an infinite impact."""
    history = replace(hours(60), volume=np.zeros(60))
    run = simulate(token(costs=MARKET, interval=Interval(HOUR_S)), history)
    assert run.summary["costs"]["impact"] == 0
