"""The worst moves of a history, what they wipe out, and series that a history kills."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steelyard as sy
from steelyard.analysis.gaps import SPANS, gaps, killed_by, wiped_out_from
from steelyard.errors import InputError
from steelyard.market import Prices
from steelyard.rules.liquidation import VenueTerms
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Band, Move, Venue
from support.random_runs import random_bars
from support.situations import walks
from support.tokens import DAY_S, T0, bars, closes, token


def slowly(prices: Prices, span_s: int, side: str) -> float | None:
    """The worst move by its definition, bar by bar."""
    if not 0 < prices.step_s <= span_s or len(prices) < 2:
        return None
    assert prices.open is not None
    assert prices.low is not None
    assert prices.high is not None
    worst = 0.0
    ends = prices.end_times.tolist()
    for first in range(len(prices)):
        last = first
        while last < len(prices) and ends[last] <= prices.time[first] + span_s:
            reached = prices.low[last] if side == "fall" else prices.high[last]
            move = float(reached / prices.open[first] - 1)
            worst = min(worst, move) if side == "fall" else max(worst, move)
            last += 1
    return worst or None


@given(st.sampled_from([60, 900, 3_600, 18_000]).flatmap(lambda step: walks(step, 60, calm=False)))
def test_worst_moves_are_those_of_every_window(prices: Prices) -> None:
    """Each is what a look at every window finds, gaps and all, and where it is said to be."""
    found = gaps(prices)
    for span, seconds in SPANS.items():
        for side in ("fall", "rise"):
            row = found.worst(span, side)
            assert row.move == slowly(prices, seconds, side)
            if row.move is not None:
                assert row.start in prices.time
                assert row.price_after is not None
                assert row.price_before is not None
                assert row.price_after / row.price_before - 1 == row.move


@pytest.mark.parametrize("block", [7, 500, 16_384])
def test_blocks_of_bars_find_what_all_bars_find(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many bars are looked at together: windows reach from a block into the next ones."""
    whole = random_bars(20_000, seed=4, step_s=60)
    there = np.flatnonzero(np.random.default_rng(4).random(20_000) > 0.05)
    names = ("time", "open", "high", "low", "close")
    prices = replace(whole, **{name: getattr(whole, name)[there] for name in names})
    monkeypatch.setattr("steelyard.analysis.gaps.BLOCK", 10**9)
    expected = gaps(prices).rows
    monkeypatch.setattr("steelyard.analysis.gaps.BLOCK", block)
    assert gaps(prices).rows == expected


def test_what_the_bars_do_not_tell_is_not_known() -> None:
    """Spans shorter than a bar, opens of closes alone, spans of prices without a length."""
    daily = gaps(closes(100.0, 90.0, 95.0))
    assert [row.move is None for row in daily.rows] == [True] * 4 + [False] * 2 + [True] * 2
    assert daily.worst("1d", "fall").move == pytest.approx(-0.1)
    assert daily.worst("1d", "fall").start == T0
    observed = Prices(time=np.array([T0, T0 + 9]), close=np.array([1.0, 2.0]))
    assert all(row.move is None for row in gaps(observed).rows)


def test_a_jump_from_a_close_to_the_next_open_is_found() -> None:
    """Across a weekend too."""
    prices = bars((100, 101, 99, 100), (90, 92, 89, 91), (93, 94, 90, 92))
    fall, rise = (gaps(prices).worst("close_to_open", side) for side in ("fall", "rise"))
    assert fall.move == pytest.approx(-0.1)
    assert (fall.start, fall.price_before, fall.price_after) == (T0, 100, 90)
    assert rise.move == pytest.approx(93 / 91 - 1)
    assert rise.start == T0 + DAY_S


VENUES = {
    "perpetual": Venue(maintenance_margin=0.01),
    "bare": Venue(),
    "spot": Venue(kind="spot", liquidation_threshold=0.8),
}


@given(st.sampled_from([*VENUES]), st.floats(-0.9, 3.0).filter(lambda move: abs(move) > 1e-3))
def test_the_leverage_that_a_move_wipes_out_is_the_closed_form(name: str, move: float) -> None:
    """FORMULAS 1 turned round: nav at the price is the margin there, or the loan its limit."""
    terms: VenueTerms[float] = token(1.0, venue=VENUES[name]).terms(FLOAT).venue
    found = wiped_out_from(terms, move)
    side = -np.sign(move)
    price = 1 + move
    if name == "spot":
        # debt (L - 1) over collateral L (1 + r); a short owes |L| (1 + r) against 1 + |L|
        expected = 1 / (1 - 0.8 * price) if side > 0 else 0.8 / (price - 0.8)
    else:
        margin = VENUES[name].maintenance_margin
        expected = 1 / (margin * price - move) if side > 0 else 1 / (margin * price + move)
    assert found is not None
    assert found == pytest.approx(side * expected, rel=1e-6)


def test_a_series_is_held_against_its_own_side() -> None:
    """A long dies of falls: at its target, or only at the highest leverage that its rule allows."""
    prices = closes(100.0, 70.0, 90.0)
    calm, stretched, bold = (
        gaps(prices, series).worst("1d", "fall")
        for series in (token(2.0), token(3.0, band=Band(2.0, 4.0)), token(4.0))
    )
    assert (calm.target_survives, calm.highest_survives) == (True, True)
    assert (stretched.target_survives, stretched.highest_survives) == (True, False)
    assert (bold.target_survives, bold.highest_survives) == (False, False)
    for slack, lives in ((1e-9, True), (0.2, False)):
        # what lets leverage go farther than the band before it trades counts too
        series = token(2.0, band=Band(1.5, 3.2), move_to="edge", edge_slack=slack)
        assert gaps(prices, series).worst("1d", "fall").highest_survives is lives
    # a move of 15 % lets 3x become 4.64x, and a fall by 22 % takes all of that
    moved = gaps(closes(100.0, 78.0), token(3.0, move=Move(0.15))).worst("1d", "fall")
    assert (moved.target_survives, moved.highest_survives) == (True, False)
    assert gaps(prices, token(2.0)).worst("1d", "rise").target_survives is None
    assert gaps(prices, token(-2.0)).worst("1d", "rise").target_survives is True


def test_what_a_history_kills_is_said_with_time_and_price() -> None:
    """By the simulation itself; None where the token lives."""
    crash = closes(100.0, 100.0, 60.0, 100.0)
    killed = killed_by(token(3.0), crash)
    assert killed is not None
    assert (killed.time, killed.price, killed.reason) == (T0 + 3 * DAY_S, 60.0, "nav")
    assert killed_by(token(2.0), crash) is None


def test_what_is_no_series_is_refused() -> None:
    """A preset's name is one; a name that no preset has is not, and neither is a number."""
    found = gaps(closes(100.0, 90.0), "ftx-bull").series
    assert found is not None
    assert found.symbol == "FTX-BULL"
    with pytest.raises(InputError, match=r'Did you mean "ftx-bull"'):
        gaps(closes(100.0, 90.0), "ftx-bul")
    with pytest.raises(InputError, match=r"series: expected what Series.load gives.* found a int"):
        gaps(closes(100.0, 90.0), 3)  # type: ignore[arg-type]


def test_a_table_can_be_looked_at() -> None:
    """A frame, a repr, HTML and a figure."""
    found = sy.gaps(closes(100.0, 90.0, 95.0))
    assert list(found.table.columns) == list(found.figures[0])
    assert repr(found) == "<GapTable of frame: 1d -10.0 %, 1d +5.6 %>"
    assert "<table" in found._repr_html_()
    assert [trace.name for trace in found.plot().data] == ["fall", "rise"]
