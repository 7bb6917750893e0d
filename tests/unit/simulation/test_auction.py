"""Rebalances by auction, and what acts inside the band of a move to the edge."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.market import Feed, sample_prices
from steelyard.rules.auction import AuctionTerms, premium_at
from steelyard.rules.describe import cost_words, rule_sentence
from steelyard.rules.numbers import DECIMAL, FRACTION
from steelyard.rules.reserve_account import CommonPart, ReserveAccount, settle_calm
from steelyard.rules.series import Band, Costs, Daily, Fallback, Reserve, Series
from steelyard.simulation.run import simulate
from support.page_figures import RESERVES, stated
from support.same_runs import assert_same_run, both_ways
from support.situations import Situation, situations
from support.tokens import DAY_S, closes, token

AUCTION = Costs(
    taker_fee_bps=5.0,
    half_spread_bps=1.0,
    impact="auction",
    auction_start_bps=50.0,
    auction_top_bps=80.0,
    auction_duration_s=1_200,
    taker_delay_s=24,
)
BEYOND = Fraction(130) * 24 / 1_200
"""2.6 bps: what the premium rises by in 24 s."""
BAND = Band(2.5, 3.5)


def test_a_rebalance_pays_the_premium_at_which_it_is_taken() -> None:
    """Fee, spread and impact add up to the auction's premium when a taker that waits acts."""
    terms = AuctionTerms(
        *map(FRACTION.of, (50, 80, 80)), 1_200, 0, 0, -1, *map(FRACTION.of, (0, 1, 0))
    )
    reached_s = Fraction(1_200 * 56, 130)
    late = premium_at(terms, int(reached_s) + 24, Fraction(0))
    assert abs(late - 6 - BEYOND) < Fraction(130, 1_200)
    run = simulate(token(costs=AUCTION, band=BAND), closes(100, 92), number=FRACTION)
    rows = run.rebalances
    assert rows.impact.to_numpy() == pytest.approx(rows.notional * float(BEYOND) / 1e4, rel=1e-14)
    whole = rows.fee + rows.spread + rows.impact
    assert whole.to_numpy() == pytest.approx(rows.notional * float(6 + BEYOND) / 1e4, rel=1e-14)
    assert rows.leverage_after.tolist() == [3.0, 3.0]


def test_a_premium_does_not_rise_beyond_its_top() -> None:
    """However late takers are, the whole costs no more than the top."""
    late = replace(AUCTION, taker_delay_s=100_000)
    run = simulate(token(costs=late, band=BAND), closes(100, 90), number=FRACTION)
    rows = run.rebalances
    whole = rows.fee + rows.spread + rows.impact
    assert whole.to_numpy() == pytest.approx(rows.notional * 80 / 1e4, rel=1e-14)


@pytest.mark.parametrize("number", [DECIMAL, FRACTION])
def test_an_auction_costs_the_same_in_every_kind_of_number(number: object) -> None:
    """To the last digits that a float has."""
    series = token(costs=AUCTION, band=BAND, reserve=Reserve(initial_units=1.0))
    history = closes(100, 90, 85, 99, 120, 118)
    exact = simulate(series, history, number=number)
    plain = simulate(series, history)
    assert float(exact.state.cash) == pytest.approx(plain.state.cash, rel=1e-12)
    assert float(exact.state.totals.impact) == pytest.approx(plain.state.totals.impact, rel=1e-12)


@settings(max_examples=60)
@given(situations(), st.sampled_from([0, 60, 5_000]), st.sampled_from(["nothing", "target"]))
def test_the_fast_run_tells_of_auctions_what_the_reference_tells(
    case: Situation, delay_s: int, inside: str
) -> None:
    """Any series and history, at an auction's premium, acting inside the band or not."""
    series = replace(case.series, costs=replace(AUCTION, taker_delay_s=delay_s))
    how = series.rebalance
    if inside == "target" and how.move_to == "edge":
        series = replace(series, rebalance=replace(how, inside_band=inside))
    expected, found = both_ways(series, case.bars, **case.options)
    assert_same_run(found, expected)


def test_a_reserve_may_bear_what_goes_beyond_a_takers_cost() -> None:
    """As any impact: what it bears is not taken from nav."""
    reserve = Reserve(initial_units=1_000.0, bears=("fee", "spread", "impact"))
    run = simulate(token(costs=AUCTION, band=BAND, reserve=reserve), closes(100, 90))
    assert run.rebalances.paid_by_reserve.to_numpy() == pytest.approx(
        run.rebalances.notional.to_numpy() * float(6 + BEYOND) / 1e4
    )


LONG, SHORT = (3.0, 2.6, 3.4), (-1.0, 0.8, 1.25)
"""Target and band."""
OF_BTC = "absorbs at K = 0.10 % {part:.0f} % of the premiums of a 3x token"


def absorbed(
    asset: str, band: tuple[float, float, float], rate: float, costs: Costs
) -> tuple[float, float, int]:
    """What an account of 12 % of nav absorbs of the premiums, in per cent; these; how many."""
    target, lower, upper = band
    series = token(target, costs=costs, band=Band(lower, upper))
    run = simulate(series, sample_prices(asset))
    account, common = ReserveAccount(0.12, 0.0, 0.0, 0, 0.0, 0), CommonPart(0.0, 0.0, 0)
    paid = charged = 0.0
    for row in run.rebalances.iloc[1:].itertuples():
        premium = (row.fee + row.spread + row.impact) / (row.nav_before * series.initial_tokens)
        time_s = int(row.time.timestamp())
        account = account._replace(held=0.12)
        made = settle_calm(account, common, premium, 1.0, 1.0, rate, time_s)
        account, paid, charged = made.account, paid + made.paid, charged + premium
    return 100 * paid / charged, charged, len(run.rebalances) - 1


@pytest.mark.parametrize(
    ("asset", "band", "rate", "sentence"),
    [
        ("BTC", LONG, 0.001, f"{OF_BTC} with the band 2.6 to 3.4 ({{count}} rebalances)"),
        ("BTC", SHORT, 0.001, "and {part:.0f} % of those of a 1x short."),
        ("ETH", LONG, 0.001, "Of ether it is {part:.1f} % ({count} rebalances)"),
        ("ETH", SHORT, 0.001, "rebalances) and {part:.0f} %, and"),
        ("ETH", (3.0, 2.0, 4.0), 0.001, "and {part:.0f} % with the band 2 to 4."),
        ("ETH", LONG, 0.005, "allows K = 0.50 %, and that absorbs {part:.0f} %."),
    ],
)
def test_what_an_account_absorbs_of_the_premiums_over_the_bundled_history(
    asset: str, band: tuple[float, float, float], rate: float, sentence: str
) -> None:
    """At K = 0.10 % or 0.50 %, of three years with March 2020 in them: the caps, not its size.

    Takers act 24 s after the premium has reached their 6 bps; the account is kept at 12 % of nav.
    The pages say what comes out.
    """
    part, charged, count = absorbed(asset, band, rate, AUCTION)
    stated(sentence.format(part=part, count=count), page=RESERVES)
    if (asset, band, rate) == ("ETH", LONG, 0.001):
        days = len(sample_prices(asset).close)
        stated(f"its premiums are {100 * charged / days:.3f} % of nav a day", page=RESERVES)
        stated(f"Of a 3x ether series' premiums {part:.1f} % over three years", page="index.md")


def allowed(fee: float, band: tuple[float, float, float]) -> float:
    """The largest K that the factory launches where all fees are the reserve's."""
    target, lower, _ = band
    return 2 * fee * 0.8 * lower / target


@pytest.mark.parametrize(
    ("band", "minutes", "pool_bps", "fee", "rate"),
    [
        (LONG, 20, 5, 0.001, 0.001),
        (LONG, 20, 5, 0.001, None),
        (LONG, 60, 5, 0.001, None),
        (LONG, 60, 1, 0.001, None),
        ((3.0, 2.0, 4.0), 60, 5, 0.001, None),
        (LONG, 20, 5, 0.002, None),
        (LONG, 60, 5, 0.002, None),
        (LONG, 60, 1, 0.002, None),
        (LONG, 20, 5, 0.003, None),
        (LONG, 60, 5, 0.003, None),
    ],
)
def test_what_an_account_absorbs_by_an_issuers_parameters(
    band: tuple[float, float, float], minutes: int, pool_bps: int, fee: float, rate: float | None
) -> None:
    """Ether's 3x token with the feed level, by what an issuer chooses: the page has each row.

    Without a K it is the largest that the factory allows.
    """
    costs = replace(AUCTION, auction_duration_s=60 * minutes, taker_fee_bps=float(pool_bps))
    rate = allowed(fee, band) if rate is None else rate
    assert rate <= allowed(fee, band)
    part, charged, _ = absorbed("ETH", band, rate, costs)
    days = len(sample_prices("ETH").close)
    row = (
        f"{band[1]:g} to {band[2]:g} | {minutes} min | {pool_bps} bp | {fee:.2%} | {rate:.3%} | "
        f"{rate / 7:.3%} | {charged / days:.3%} | {part:.1f}% |"
    )
    stated(row.replace("%", " %"), page=RESERVES)
    if (minutes, fee) == (60, 0.003):
        stated(f"0.30 % with an auction of an hour absorbs {part:.1f} %", page="index.md")


def test_what_an_account_absorbs_where_the_feed_is_off_each_time() -> None:
    """Ether's 3x token, with takers who ask for all of `start` beside their own 6 bps.

    That is the worst case: the feed is off against them at each rebalance. What nav pays at the
    oracle's price it has at the market's.
    """
    level = absorbed("ETH", LONG, 0.001, AUCTION)
    costs = replace(AUCTION, taker_fee_bps=AUCTION.taker_fee_bps + AUCTION.auction_start_bps)
    off = absorbed("ETH", LONG, 0.001, costs)
    times = round(off[1] / level[1])
    stated(f"premiums are {times} times as large, and {off[0]:.0f} % of", page=RESERVES)


# -- inside the band -----------------------------------------------------------------------------


@pytest.mark.parametrize(("inside", "after"), [("nothing", None), ("target", 3.0)])
@pytest.mark.parametrize("when", [{"daily": Daily(0)}, {"fallback": Fallback(DAY_S)}])
def test_inside_the_band_a_clock_does_nothing_or_goes_to_the_target(
    inside: str, after: float | None, when: dict[str, object]
) -> None:
    """With a move to the edge: nothing unless told; the band itself goes to its edge either way."""
    series = token(band=BAND, move_to="edge", inside_band=inside, **when)
    run = simulate(series, closes(100, 103, 103))
    rows = run.rebalances.iloc[1:]
    assert rows.leverage_after.tolist() == ([after] if after else [])
    fallen = simulate(series, closes(100, 90))
    assert fallen.rebalances.trigger.tolist() == ["launch", "band"]
    assert fallen.rebalances.leverage_after.iloc[1] == pytest.approx(3.5)


def test_a_clock_that_acts_inside_the_band_over_the_bundled_history() -> None:
    """It resets what a silent one leaves, and is told fast as by the reference."""
    series = token(band=BAND, move_to="edge", fallback=Fallback(DAY_S))
    acting = replace(series, rebalance=replace(series.rebalance, inside_band="target"))
    expected, found = both_ways(acting, sample_prices(), end="2020-07-01")
    assert_same_run(found, expected)
    silent = simulate(series, Feed(sample_prices(), end="2020-07-01"))
    errors = [run.summary["tracking"]["error"] for run in (found, silent)]
    assert errors[0] < errors[1] * 0.7
    assert found.summary["rebalances"]["by_trigger"]["fallback"] > 50
    # the silent one acts in the slack, between the edge and where the band does
    assert silent.summary["rebalances"]["by_trigger"]["fallback"] < 5


# -- series files --------------------------------------------------------------------------------

TEXT = """
symbol = "ETH3L"
underlying = "ETH/USDC"
target_leverage = 3.0
[rebalance]
move_to = "edge"
inside_band = "target"
[[rebalance.trigger]]
when = "band"
lower = 2.6
upper = 3.4
[[rebalance.trigger]]
when = "daily"
at = "00:02"
[costs]
taker_fee_bps = 5.0
half_spread_bps = 1.0
impact = "auction"
auction_start_bps = 50
auction_top_bps = 80
auction_duration = "20m"
taker_delay = "24s"
"""


def test_an_auction_is_read_from_a_series_file() -> None:
    """With its durations in seconds, and told in words."""
    series = Series.loads(TEXT)
    assert series.costs == AUCTION
    assert series.rebalance.inside_band == "target"
    assert series.terms(FRACTION).rates.impact_flat == BEYOND
    assert cost_words(series) == (
        "fee 5 bps, half spread 1 bp, auction from -50 bps to 80 bps within 20 min, taken 541 s "
        "after it begins, 2.6 bps above a taker's own cost"
    )
    assert "and from inside the band to its target" in rule_sentence(series)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('auction_duration = "20m"\n', "", "costs.auction_duration"),
        ("auction_top_bps = 80", "auction_top_bps = 5", "costs.auction_top_bps"),
        ("auction_top_bps = 80", "auction_top_bps = 0", "costs.auction_top_bps"),
        ('impact = "auction"', 'impact = "none"', "costs.auction_start_bps"),
        ('move_to = "edge"', 'move_to = "target"', "rebalance.inside_band"),
    ],
)
def test_an_auction_that_cannot_be_is_refused(old: str, new: str, key: str) -> None:
    """One that nobody would take, one without a duration, keys without their impact."""
    with pytest.raises(InputError) as caught:
        Series.loads(TEXT.replace(old, new))
    assert caught.value.details["key"] == key


def test_a_run_without_an_auction_has_no_flat_impact() -> None:
    """Every other impact is what it was: the figure is exactly zero."""
    for impact in ("none", "linear"):
        series = token(costs=Costs(taker_fee_bps=5.0, impact=impact))
        assert series.terms(FRACTION).rates.impact_flat == 0
