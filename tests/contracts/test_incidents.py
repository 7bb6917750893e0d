"""Crashes: a fall of 30 % in 300 s, with a griefer around each call, and one jump too far."""

from __future__ import annotations

import os
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

import boa
import pytest

from support.chain.attacking import INCENTIVE
from support.chain.series import LOST, OPEN, WAD, Fund, Series, Terms, new_transaction
from support.chain.takers import Griefer, PatientTaker, PoolTaker
from support.chain.world import Setting, World
from support.page_figures import said, stated

FALL, STEPS, SECONDS = Fraction(7, 10), 30, 10
THRESHOLD = Fraction(86, 100)
LAGS = [Fraction(0), Fraction(1, 100), Fraction(2, 100)]
EMERGENCY_TOP = Fraction(325, 10_000)
WHOLE = 2**256 - 1


def prices(start: Fraction) -> list[Fraction]:
    """The market's prices, evenly in logarithms."""
    return [start * Fraction(float(FALL) ** (step / STEPS)) for step in range(1, STEPS + 1)]


def crash(series: Series, taker: Any, griefer: Griefer, lag: Fraction, *, pool: bool) -> Fraction:
    """Let the market fall; the largest loan-to-value at which anybody could have acted."""
    world, worst = series.world, Fraction(0)
    series.fund.begin()
    for price in prices(world.feed_price):
        world.set_feed(price * (1 + lag))
        if pool:
            world.pool.move(price)
        new_transaction()
        series.accrue()
        worst = max(worst, series.ltv)
        griefer.before(price)
        new_transaction()
        taker.act(price)
        griefer.after(price)
        worst = max(worst, series.ltv)
        boa.env.time_travel(seconds=SECONDS)
    return worst


def launched(depth: int) -> Series:
    """A 3x long of 10 WETH of nav, at its target, with a pool so deep."""
    world = World(Setting(liquidity=Fraction(depth)))
    series = Fund(world, Terms(long=True)).series[0]
    series.arrive()
    series.fund.ready = boa.env.timestamp
    return series


@pytest.fixture(scope="module")
def shallow() -> Series:
    """Beside a pool of 500 WETH a side."""
    return launched(DEPTHS["shallow"])


@pytest.fixture(scope="module")
def deep() -> Series:
    """Beside a pool of 5,000 WETH a side."""
    return launched(DEPTHS["deep"])


GRIEFERS: dict[str, dict[str, Any]] = {
    "alone": {},
    "pushed": {"push": Fraction(5, 100)},
    "least part": {"takes_least": True},
    "gifts": {"gifts": True},
}
DEPTHS = {"shallow": 500, "deep": 5_000}
"""WETH a side."""
STATES = ("moving", "dead", "drained", "at half")
"""Of the pool: arbitrageurs move it with the market, nobody does, it is empty, it is at half."""
EVERY = os.environ.get("STEELYARD_CRASHES") == "all"


class Cell(NamedTuple):
    """One crash of the matrix: who takes, beside which pool, against whom, behind which feed."""

    taker: str
    depth: str
    state: str
    griefer: str
    lag: Fraction

    def __str__(self) -> str:
        """As its test is called."""
        lag = float(self.lag) * 100
        return f"{self.taker}, {self.depth}, {self.state}, {self.griefer}, {lag:.0f} % behind"


NEAREST = Cell("pool", "shallow", "moving", "least part", LAGS[1])
"""What comes nearest to the threshold of the whole matrix."""


def is_short(cell: Cell) -> bool:
    """Whether CI plays it: each value of each column, and what came nearest to the threshold."""
    late = cell.lag == LAGS[-1]
    if cell == NEAREST:
        return True
    if cell.taker == "inventory":
        if cell.depth == "deep":
            return cell.state == "drained" and cell.griefer == "pushed" and late
        return cell.state == "moving" or (cell.griefer == "alone" and late)
    if cell.depth == "deep":
        return cell.state == "moving" and cell.griefer == "pushed" and late
    if cell.state == "moving":
        return cell.griefer in ("alone", "pushed") or late
    return cell.griefer == "alone" and late


MATRIX = [
    Cell(*each)
    for each in product(("inventory", "pool"), DEPTHS, STATES, GRIEFERS, LAGS)
    # who has nothing but a pool that is empty finds the asset nowhere: a test of its own
    if (each[0], each[2]) != ("pool", "drained")
]
PLAYED = [cell for cell in MATRIX if EVERY or is_short(cell)]


def set_up(series: Series, state: str) -> None:
    """Bring the pool into a state."""
    world = series.world
    if state == "drained":
        world.pool.remove()
    if state == "at half":
        world.pool.move(world.feed_price / 2)


def played(series: Series, taker: Any, cell: Cell) -> Fraction:
    """Play a cell, and show what it was."""
    set_up(series, cell.state)
    griefer = Griefer(series, **GRIEFERS[cell.griefer])
    worst = crash(series, taker, griefer, cell.lag, pool=cell.state == "moving")
    print(f"crash | {cell} | {float(worst):.4f} | {taker.fills} fills")
    if cell in MATRIX:
        (nearest,) = said("The largest loan-to-value of all is #", page="index.md")
        found = round(worst, 4)
        assert found == nearest if cell == NEAREST else found <= nearest
    return worst


def test_the_page_says_how_many_crashes_are_played() -> None:
    """All of the matrix by hand, and a part of it in CI, in which each value of a column is."""
    short = [cell for cell in MATRIX if is_short(cell)]
    stated(f"The whole matrix is {len(MATRIX)} crashes", page="index.md")
    stated(f"CI plays {len(short)} of them", page="index.md")
    for column in range(len(NEAREST)):
        assert {cell[column] for cell in short} == {cell[column] for cell in MATRIX}


def cells_of(taker: str) -> Any:
    """The cells of a taker that are played."""
    cells = [cell for cell in PLAYED if cell.taker == taker]
    return pytest.mark.parametrize("cell", cells, ids=str)


@cells_of("inventory")
def test_a_taker_from_inventory_keeps_a_crash_below_the_threshold(
    shallow: Series, deep: Series, cell: Cell
) -> None:
    """Scenario: -30 % in 300 s, a lagging feed, a taker with inventory, a griefer before it.

    The taker waits for the emergency's top premium. The pool holds 5,000 or 500 WETH a side and
    follows the market, is dead, is empty, or is at half.

    Property: never liquidatable, before the taker's call or after it; no pool decides it.
    """
    series = {"shallow": shallow, "deep": deep}[cell.depth]
    taker = PatientTaker(series, EMERGENCY_TOP)
    assert played(series, taker, cell) < THRESHOLD
    # a griefer that takes the auctions itself may leave nothing to the taker
    assert taker.fills >= (0 if cell.griefer == "least part" else 1)


@cells_of("pool")
def test_a_taker_with_nothing_but_the_pool_survives_a_crash(
    shallow: Series, deep: Series, cell: Cell
) -> None:
    """Scenario: the taker sells in the pool what it gets, and takes only what pays there.

    The pool holds 5,000 or 500 WETH a side; it follows the market, or the taker itself brings it
    back from where it was left. A griefer pushes it by 5 % before each call, gives, or takes.

    Property: a series of 10 WETH of nav is never liquidatable, and the taker loses in no call, at
    the market's price of that call; what it bought of a pushed pool is its own to keep or to sell.
    """
    series = {"shallow": shallow, "deep": deep}[cell.depth]
    taker = PoolTaker(series, spares_moves=True)
    assert played(series, taker, cell) < THRESHOLD
    assert taker.fills
    assert taker.worst == 0
    assert taker.won > 0


def test_who_finds_the_asset_nowhere_does_not_come(shallow: Series) -> None:
    """Scenario: the crash, feed level, beside a pool that is empty; takers have nothing but it.

    Property: nobody fills, since no part pays, and the position passes Morpho's threshold. One
    with inventory keeps it below, in the same crash: the pool decides nothing, the asset does.
    """
    cell = Cell("pool", "shallow", "drained", "alone", Fraction(0))
    taker = PoolTaker(shallow, spares_moves=True)
    worst = played(shallow, taker, cell)
    assert taker.fills == 0
    assert worst > THRESHOLD
    stated(f"reaches a loan-to-value of {float(worst):.2f}", page="index.md")


def jumped(series: Series) -> tuple[Fraction, Fraction]:
    """From 3.5x by -17 % in one answer: loan-to-value and nav in whole quote."""
    series.fund.begin()
    series.go("3.5", 0)
    series.world.move(series.world.feed_price * Fraction(83, 100))
    series.accrue()
    return series.ltv, Fraction(series.nav, 10**6)


def test_a_jump_past_the_threshold_can_be_rescued(shallow: Series) -> None:
    """Scenario: one answer, -17 % from 3.5x; a taker comes before a liquidator.

    Property: the whole rescue is on sale at once in spite of the jump and arrives near the target.
    It costs nav the premium less 2 % of W from the reserve, and what the page says.
    """
    ltv, nav = jumped(shallow)
    assert THRESHOLD < ltv < Fraction(865, 1_000)
    plan, weight = shallow.plan, rescue_share(shallow)
    assert plan.state == OPEN
    assert plan.premium == int(EMERGENCY_TOP * WAD)
    shallow.rebalance()
    lost = 1 - Fraction(shallow.nav, 10**6) / nav
    premium = EMERGENCY_TOP * plan.whole / 10**6 / nav
    assert abs(lost - (premium - weight / 50)) < Fraction(1, 10**6)
    stated(f"A rescue at once costs {float(lost) * 100:.1f} % of nav", page="index.md")
    assert shallow.leverage < Fraction(13, 4)


def rescue_share(series: Series) -> Fraction:
    """What of the supply counts for its reserve: the square, as payments are scaled once more."""
    state = series.state
    return Fraction(min(state.mean_day, state.supply), state.supply) ** 2


@pytest.mark.parametrize(("ltv", "least"), [("0.88", "26"), ("0.92", "66"), ("0.965", "98")])
def test_a_rescue_past_the_threshold_has_a_least_size(
    shallow: Series, ltv: str, least: str
) -> None:
    """Scenario: the price is past Morpho's threshold, and a taker takes as little as it may.

    Property: that is what the page says of the whole, it ends below the threshold, and at 0.97
    nothing is on sale.
    """
    series = shallow
    series.fund.begin()
    series.go("5")
    for at in (ltv, "0.97"):
        series.go(float(1 / (1 - Fraction(at))))
        series.accrue()
        plan = series.plan
        if at == ltv:
            part = f"{100 * plan.least / plan.whole:.0f}"
            assert part == least == f"{100 * least_part(Fraction(ltv), EMERGENCY_TOP):.0f}"
            with boa.env.anchor():
                series.rebalance(plan.least)
                assert series.ltv <= THRESHOLD + Fraction(1, 10**4)
        else:
            assert plan.state == LOST
    stated(f"{ltv} {'it has to take at least ' if ltv == '0.88' else ''}{least} %", page="index.md")
    stated("From 0.97 nav does not cover the premium", page="index.md")


def least_part(ltv: Fraction, premium: Fraction) -> float:
    """What of all that is due ends at the threshold, from a loan-to-value beyond it.

    A taker that repays `s` gets `s (1 + premium)` of the collateral.
    """
    target = Fraction(2, 3)
    ends = [(ltv - end) / (1 - end * (1 + premium)) for end in (THRESHOLD, target)]
    return float(ends[0] / ends[1])


def test_the_least_size_grows_with_the_premium() -> None:
    """Property: the highest premium that is launched makes it what the page says."""
    highest = Fraction(438, 10_000)
    assert highest < INCENTIVE - 1 < highest + Fraction(1, 10_000)
    parts = [f"{100 * least_part(Fraction(ltv), highest):.0f} %" for ltv in ("0.88", "0.92")]
    stated(
        f"a premium of {float(highest):.2%}".replace("%", " %"),
        f"makes it {' and '.join(parts)},",
        page="index.md",
    )


def test_a_taker_that_would_rather_liquidate_takes_more(shallow: Series) -> None:
    """Scenario: the same jump; the only taker prefers Morpho's incentive.

    Property: it can repay all the debt, and nav loses the incentive on it: what the page says.
    """
    _, nav = jumped(shallow)
    series, who = shallow, shallow.world.roles.attacker
    shares, owed = series.state.shares, Fraction(series.state.debt, 10**6)
    series.world.morpho.liquidate(tuple(series.market), series.address, 0, shares, b"", sender=who)
    lost = 1 - Fraction(series.nav, 10**6) / nav
    assert abs(lost - (INCENTIVE - 1) * owed / nav) < Fraction(1, 10**4)
    stated(f"A taker that liquidates instead takes {float(lost) * 100:.0f} %.", page="index.md")
    # what is left belongs to the holders and can leave
    assert series.state.debt == 0
    given, owes = series.redeem(100, series.world.roles.deployer)
    assert given > 0
    assert owes == 0


def test_with_no_taker_at_all_a_jump_leaves_exits_to_morpho(shallow: Series) -> None:
    """Scenario: the same jump; nobody acts.

    Property: Morpho refuses every exit while the position is past its threshold, and nothing is
    lost to it yet; when the price is back by 3 % exits work again.
    """
    _, nav = jumped(shallow)
    with boa.reverts():
        shallow.redeem(100, shallow.world.roles.deployer)
    assert Fraction(shallow.nav, 10**6) == nav
    shallow.world.move(shallow.world.feed_price * Fraction(103, 100))
    shallow.redeem(100, shallow.world.roles.deployer)
