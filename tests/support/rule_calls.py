"""One strategy of written arguments for every public function of the rules.

``in_kind`` makes the same written arguments into any kind of number; the tests of the number kinds
and of the compiled rules go through this table, and one of them holds that it is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from steelyard.rules.auction_plan import plan_auction
from steelyard.rules.costs import TradeCost, cost_curve, trade_cost
from steelyard.rules.decide import TradeLimits, plan_trade
from steelyard.rules.flows import Flows
from steelyard.rules.numbers import FRACTION
from steelyard.rules.triggers import Trigger
from support.auction_cases import (
    ACCOUNTS,
    COMMONS,
    DAY_S,
    LAUNCHED_S,
    AccountCase,
    Auction,
    CommonCase,
    auctions,
    books,
    clocks,
)
from support.auction_cases import Books as AuctionBooks
from support.rule_cases import (
    Costing,
    Rule,
    Terms,
    any_size,
    costings,
    rules,
    targets,
    venues,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from steelyard.rules.numbers import Number


@dataclass(frozen=True)
class Made:
    """An argument that is made for a kind of number from the written ``source``."""

    source: Any
    make: Callable[[Any, Number[Any]], Any]


SQRT_OF = Made("sqrt", lambda _, number: number.sqrt)
SQRT = st.just(SQRT_OF)


def in_kind(argument: Any, number: Number[Any]) -> Any:
    """The argument in this kind of number; flags, seconds and triggers as they are."""
    if isinstance(argument, Made):
        return argument.make(argument.source, number)
    if isinstance(argument, Rule | Terms | Auction | AuctionBooks | AccountCase | CommonCase):
        return argument.of(number)
    return number.of(argument) if isinstance(argument, Decimal) else argument


def _rates(costing: Costing) -> Made:
    return Made(costing, lambda source, number: source.rates(number))


def _payers(costing: Costing) -> Made:
    return Made(costing, lambda source, number: source.payers(number))


def _curve(costing: Costing, borne: bool) -> Made:
    def make(source: Costing, number: Number[Any]) -> Any:
        return cost_curve(source.rates(number), borne)

    return Made(costing, make)


def _book(costing: Costing) -> Made:
    return Made(costing, lambda source, number: source.book(number))


MODEST = costings("50", reserves=("0", "3", "250", "1e9"))
MONEY = written("1", "200000", 2)
TRADED = written("-200000", "200000", 2).filter(bool)
RATE = written("0", "1", 4)
SIGNED_RATE = written("-0.5", "0.5", 4)
SECONDS = st.integers(0, 40_000_000)
FLAG = st.booleans()
PRICE = written("1", "2000", 2)
MOVE = written("-0.9", "3", 4)
CURVE = st.builds(_curve, MODEST, FLAG)
UNITS = written("-2000", "2000", 3).filter(bool)


@st.composite
def positions(draw: st.DrawFn) -> tuple[Decimal, Decimal, Decimal]:
    """(cash, units, price) of a token whose leverage is of 0.1 to 20, long or short."""
    units, price = draw(UNITS), draw(PRICE)
    notional = units * price
    nav = (abs(notional) / abs(draw(targets()))).quantize(Decimal("0.01")) + Decimal("0.01")
    return nav - notional, units, price


@st.composite
def _moves(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    """A leverage, and a move that leaves it at least a tenth of its nav."""
    leverage = draw(targets())
    return leverage, draw(MOVE.filter(lambda move: 1 + leverage * move > Decimal("0.1")))


@st.composite
def _venue_calls(draw: st.DrawFn, *, priced: bool) -> tuple[Any, ...]:
    """A venue and a position there; or, at a price of its own, one that may be past its end."""
    cash, units, price = draw(positions())
    venue = draw(venues(Decimal(3)))
    if not priced:
        return venue, cash, units
    return venue, cash, units, (price * (1 + draw(MOVE))).quantize(Decimal("0.0001"))


@st.composite
def _crossings(draw: st.DrawFn) -> tuple[Any, ...]:
    """A token near its target, on a way that may cross all that it has."""
    rule = draw(rules())
    start = draw(PRICE)
    nav = draw(MONEY)
    units = (nav * rule.target / start).quantize(Decimal("0.0001")) or Decimal("0.0001")
    cash = nav - units * start
    reference = (start * (1 + draw(written("-0.1", "0.1", 3)))).quantize(Decimal("0.01"))
    end = (start * (1 + draw(MOVE))).quantize(Decimal("0.01"))
    spent = draw(st.sampled_from([0, 1 << Trigger.BAND, 1 << Trigger.MOVE]))
    venue = draw(venues(abs(rule.target)))
    return rule, venue, cash, units, reference, start, end, draw(FLAG), spent


@st.composite
def _gaps(draw: st.DrawFn) -> tuple[Decimal, Decimal, Decimal]:
    """(destination, nav, exposure) of up to 5x, as in a rebalance that is not a rescue."""
    side = draw(st.sampled_from([1, -1]))
    nav = draw(MONEY)
    destination, leverage = draw(written("0.1", "5", 3)), draw(written("0", "6", 3))
    return side * destination, nav, side * leverage * nav


@st.composite
def _sizes(draw: st.DrawFn) -> tuple[Any, ...]:
    return (*draw(_gaps()), _payers(draw(MODEST)), draw(SQRT))


@st.composite
def _plans(draw: st.DrawFn) -> tuple[Any, ...]:
    costing = draw(MODEST)
    destination, nav, exposure = draw(_gaps())
    rule = Rule(destination, largest_clip=draw(st.just(Decimal(0)) | written("10", "90000", 0)))
    trigger = draw(st.sampled_from([Trigger.BAND, Trigger.EMERGENCY, Trigger.LAUNCH]))
    money = (destination, nav, exposure)
    limits = draw(LIMITS)
    return rule, _rates(costing), _payers(costing), limits, trigger, *money, draw(FLAG), draw(SQRT)


def _limits(lot: Decimal, least: Decimal, has_room: bool, room: Decimal) -> Made:
    def make(source: tuple[Decimal, Decimal, bool, Decimal], number: Number[Any]) -> Any:
        lot, least, has_room, room = source
        return TradeLimits(number.of(lot), number.of(least), has_room, number.of(room))

    return Made((lot, least, has_room, room), make)


LIMITS = st.builds(
    _limits,
    st.sampled_from([Decimal(0), Decimal(25), Decimal("130.7")]),
    st.sampled_from([Decimal(0), Decimal(900)]),
    FLAG,
    written("0", "40000", 0),
)


def _all_flows(costing: Costing, notionals: list[Decimal]) -> Made:
    def make(source: list[Decimal], number: Number[Any]) -> Any:
        rates, kinds = costing.rates(number), number.of(0)
        alone = [trade_cost(rates, number.of(abs(x)), kinds, number.sqrt) for x in source]
        total = TradeCost(*(sum(each[1:], each[0]) for each in zip(*alone, strict=True)))
        return Flows(number.of(sum(source)), number.of(sum(map(abs, source))), total)

    return Made(notionals, make)


NOTIONALS = st.lists(written("-40000", "40000", 1).filter(bool), min_size=1, max_size=3)


@st.composite
def _netted(draw: st.DrawFn) -> tuple[Any, ...]:
    costing = draw(MODEST)
    flows = _all_flows(costing, draw(NOTIONALS))
    value = draw(st.sampled_from([Decimal(0), Decimal(7)]) | MONEY)
    return _rates(costing), flows, draw(written("-40000", "40000", 1).filter(bool)), value, SQRT_OF


@st.composite
def _netted_plans(draw: st.DrawFn) -> tuple[Any, ...]:
    costing = draw(MODEST)
    destination, nav, exposure = draw(_gaps())
    rule = Rule(destination, largest_clip=draw(st.just(Decimal(0)) | written("10", "90000", 0)))
    money = (destination, nav, exposure)

    def make(_: object, number: Number[Any]) -> Any:
        return plan_trade(
            rule.of(number),
            costing.rates(number),
            costing.payers(number),
            any_size(number),
            Trigger.BAND,
            *(number.of(x) for x in money),
            False,
            number.sqrt,
        )

    plan = Made("plan", make)
    flows = _all_flows(costing, draw(NOTIONALS))
    return plan, _rates(costing), flows, nav, exposure, costing.reserve_value, SQRT_OF


@st.composite
def _near(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    """A figure near a limit, or on it."""
    limit = draw(written("0.001", "1000", 3))
    off = draw(st.sampled_from(["0", "1e-14", "-1e-14", "1e-10", "-1e-10", "0.1", "-0.1"]))
    return limit * (1 + Decimal(off)), limit


@st.composite
def _buffers(draw: st.DrawFn) -> tuple[Any, ...]:
    """A reserve well above or below its floor: what lies between is the figure that goes in."""
    value, nav, floor = draw(
        st.tuples(written("500", "90000", 2), MONEY, RATE).filter(
            lambda case: abs(case[0] - case[2] * case[1]) > case[0] / 10
        )
    )
    return value, nav, floor, draw(CURVE), draw(SQRT)


@st.composite
def _auction_plans(draw: st.DrawFn) -> tuple[Any, ...]:
    rule, auction = draw(auctions())
    clock, now_s = draw(clocks())
    return rule, auction, clock, draw(books(rule)), draw(FLAG), now_s


@st.composite
def _auction_triggers(draw: st.DrawFn) -> tuple[Any, ...]:
    rule, auction = draw(auctions())
    clock, now_s = draw(clocks())
    return rule, auction, clock, rule.target * (1 + draw(written("-0.5", "0.9", 3))), now_s


def _planned(case: tuple[Any, ...]) -> Made:
    def make(source: tuple[Any, ...], number: Number[Any]) -> Any:
        return plan_auction(*(in_kind(argument, number) for argument in source))

    return Made(case, make)


@st.composite
def _filled(draw: st.DrawFn) -> tuple[Any, ...]:
    case = draw(_auction_plans())
    plan = plan_auction(*(in_kind(argument, FRACTION) for argument in case))
    # not at the 200th of the gap itself, where floats may see another side of it
    size = Decimal(int(plan.most * draw(st.sampled_from([1, 3, 7])))) / 10
    return case[1], case[2], _planned(case), size, case[5]


AUCTION = auctions().map(lambda made: made[1])
CLOCK = clocks().map(lambda made: made[0])
TIME_S = st.integers(LAUNCHED_S + DAY_S, LAUNCHED_S + 9 * DAY_S)
PREMIUM = written("-0.4", "0.04", 4)
LTV = written("0.3", "0.99", 4)
POSITIVE_SHARE = written("0.01", "1", 3)

CALLS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "nav_of": positions(),
    "leverage_of": positions(),
    "leverage_after_move": _moves(),
    "move_to_leverage": st.tuples(
        targets().filter(lambda x: x != 1), targets().filter(lambda x: x != 1)
    ),
    "price_at_leverage": st.tuples(MONEY, UNITS, targets().filter(lambda x: x != 1)),
    "wipeout_move": st.tuples(targets()),
    "feedback_gain": st.tuples(written("0", "0.001", 6), MONEY),
    "amplified_move": st.tuples(MOVE, written("-3", "0.9", 2)),
    "rebalance_demand": st.tuples(MONEY, targets(), MOVE, written("-90000", "90000", 2)),
    "trade_cost": st.tuples(
        st.builds(_rates, MODEST), TRADED, st.sampled_from([Decimal(0), Decimal(7)]) | MONEY, SQRT
    ),
    "no_cost": st.tuples(st.just(Decimal(0))),
    "cost_curve": st.tuples(st.builds(_rates, MODEST), FLAG),
    "curve_cost": st.tuples(CURVE, TRADED, SQRT),
    "curve_slope": st.tuples(CURVE, TRADED, SQRT),
    "is_tradable": st.tuples(CURVE, TRADED | written("-2e9", "2e9", 0)),
    "side_depth": st.tuples(st.builds(_book, MODEST), FLAG),
    "walk_cost": st.tuples(st.builds(_book, MODEST), TRADED),
    "realised_coefficient": st.tuples(RATE),
    "loan_to_value": st.tuples(written("1.01", "20", 2) | written("-20", "-0.1", 2)),
    "collateral_multiple": st.tuples(targets()),
    "danger_at": st.tuples(AUCTION, LTV),
    "top_at": st.tuples(AUCTION, RATE),
    "premium_at": st.tuples(AUCTION, st.integers(0, 5_000), RATE),
    "premium_beyond_cost": st.tuples(
        written("0", "50", 1),
        written("60", "90", 1),
        written("0", "59", 1),
        SECONDS,
        st.just(1_200),
    ),
    "taker_wait": st.tuples(
        written("0", "50", 1),
        written("60", "90", 1),
        written("0", "59", 1),
        SECONDS,
        st.just(1_200),
    ),
    "jump_between": st.tuples(PRICE, PRICE),
    "jump_shift": st.tuples(written("0", "2", 3), st.integers(0, 90)),
    "guarded_premium": st.tuples(AUCTION, PREMIUM, RATE, LTV),
    "liquidation_incentive": st.tuples(LTV),
    "auction_fault": st.tuples(
        AUCTION, targets(), st.sampled_from([1, 2, 12]), written("0", "0.003", 4)
    ),
    "arrived_clock": st.tuples(TIME_S),
    "opened_clock": st.tuples(CLOCK, FLAG, TIME_S),
    "void_clock": st.tuples(CLOCK),
    "filled_clock": st.tuples(
        CLOCK,
        st.just(-1) | TIME_S,
        FLAG,
        st.sampled_from([Trigger.BAND, Trigger.EMERGENCY]),
        st.sampled_from([0, 60]),
        TIME_S,
    ),
    "is_running": clocks().flatmap(
        lambda made: st.tuples(st.just(made[0]), st.just(1_200), FLAG, st.just(made[1]))
    ),
    "is_under_way": clocks().map(lambda made: (made[0], 1_200, made[1])),
    "is_fallback_due": st.builds(lambda terms, made: (terms, *made), AUCTION, clocks()),
    "is_daily_due": st.builds(lambda terms, made: (terms, *made), AUCTION, clocks()),
    "auction_began": st.builds(
        lambda terms, made, raises: (terms, made[0], raises, made[1]), AUCTION, clocks(), FLAG
    ),
    "fill_most": st.tuples(MONEY, written("1.1", "6", 2), PREMIUM, MONEY, FLAG),
    "lendable_size": st.tuples(MONEY, PREMIUM, MONEY),
    "fill_least": st.tuples(MONEY, FLAG),
    "rescue_least": st.builds(
        lambda debt, ltv, threshold, premium, paid: (
            debt,
            (debt / ltv).quantize(Decimal("0.01")),
            threshold,
            premium,
            paid,
        ),
        MONEY,
        written("0.8", "0.99", 4),
        written("0.6", "0.9", 3),
        PREMIUM,
        written("0", "40", 2),
    ),
    "is_fill_taken": st.tuples(MONEY, MONEY, MONEY),
    "has_arrived": st.builds(lambda size, more, gap: (size + more, size, gap), MONEY, MONEY, MONEY),
    "plan_auction": _auction_plans(),
    "auction_trigger": _auction_triggers(),
    "clock_after_call": st.builds(
        lambda made, clock: (clock, _planned(made)), _auction_plans(), CLOCK
    ),
    "clock_after_fill": _filled(),
    "mean_after": st.tuples(MONEY, MONEY, SECONDS, st.sampled_from([DAY_S, 7 * DAY_S])),
    "counted_supply": st.tuples(MONEY, MONEY),
    "remembered": st.tuples(MONEY, MONEY, SECONDS, st.just(7 * DAY_S)),
    "remembered_whole": st.tuples(MONEY, st.integers(0, 2 * DAY_S)),
    "served_worth": st.tuples(MONEY, MONEY, MONEY),
    "served_share": st.tuples(MONEY, MONEY),
    "is_rise_paid": st.tuples(targets(), written("0.5", "5", 2)),
    "most_reserve_cap": st.tuples(RATE, RATE, written("0.5", "5", 2), targets()),
    "settle_calm": st.tuples(
        ACCOUNTS, COMMONS, TRADED, MONEY, POSITIVE_SHARE, written("0.0001", "0.003", 4), TIME_S
    ),
    "settle_rescue": st.tuples(ACCOUNTS, COMMONS, MONEY, MONEY, POSITIVE_SHARE, TIME_S),
    "settle_premium": st.tuples(
        ACCOUNTS,
        COMMONS,
        TRADED,
        MONEY,
        POSITIVE_SHARE,
        written("0.0001", "0.003", 4),
        FLAG,
        TIME_S,
    ),
    "draw_common": st.tuples(COMMONS, MONEY, TIME_S),
    "credit_account": st.tuples(ACCOUNTS, COMMONS, MONEY, MONEY),
    "share_of_common": st.tuples(MONEY, MONEY, MONEY),
    "is_liquidated": _venue_calls(priced=True),
    "is_nav_gone": positions() | st.tuples(MONEY.map(lambda x: -x), UNITS, PRICE),
    "liquidation_price": _venue_calls(priced=False),
    "nav_after_liquidation": _venue_calls(priced=True),
    "funding_payment": st.tuples(UNITS, PRICE, SIGNED_RATE),
    "cash_interest": st.tuples(written("-90000", "90000", 2), SIGNED_RATE, RATE, RATE, SECONDS),
    "idle_cash_interest": st.tuples(written("-90000", "90000", 2), SIGNED_RATE, SECONDS),
    "units_interest": st.tuples(UNITS, RATE, SECONDS),
    "management_fee": st.tuples(MONEY, RATE, SECONDS),
    "gap_to": _gaps(),
    "is_nothing_to_trade": st.tuples(written("-1", "1", 3) | written("-1e-6", "1e-6", 9), MONEY),
    "clip_notional": st.tuples(written("-90000", "90000", 2), st.just(Decimal(0)) | MONEY),
    "size_trade": _sizes(),
    "exceeds": _near(),
    "is_emergency": st.tuples(rules(), targets()),
    "is_outside_band": st.tuples(rules(), targets()),
    "has_moved": st.tuples(rules(), PRICE, PRICE),
    "is_volatile": st.tuples(
        written("0", "1", 5), st.integers(0, 5), st.sampled_from([3600, 86_400]), RATE
    ),
    "next_instant": st.tuples(
        st.integers(1, 90_000), st.integers(0, 86_399), st.integers(0, 2_000_000_000)
    ),
    "first_trigger": st.tuples(rules(), targets(), PRICE, PRICE, FLAG, FLAG, FLAG, FLAG),
    "crossing": _crossings(),
    "destination_of": st.tuples(
        rules(),
        st.sampled_from([Trigger.BAND, Trigger.DAILY, Trigger.EMERGENCY, Trigger.LAUNCH]),
        targets(),
    ),
    "is_all_of_a_book": st.tuples(st.builds(_payers, MODEST), TRADED),
    "smallest_root": st.tuples(
        CURVE, FLAG, st.just(Decimal(1)), written("-4", "4", 2).filter(bool), MONEY, SQRT
    ),
    "is_clip_done": st.tuples(targets(), FLAG, targets()),
    "plan_trade": _plans(),
    "reserve_level": st.tuples(MONEY, MONEY),
    "is_suspended": st.tuples(FLAG, MONEY, MONEY, RATE, RATE),
    "units_left": st.tuples(MONEY, MONEY, PRICE),
    "reserve_share": st.tuples(MONEY, RATE),
    "units_received": st.tuples(MONEY, PRICE),
    "utilisation": st.tuples(MONEY, st.just(Decimal(0)) | MONEY),
    "buffer_depth": st.tuples(MONEY, st.just(Decimal(0)) | MONEY, RATE),
    "runway_days": st.tuples(MONEY, MONEY, RATE, written("-50", "50", 2)),
    "health_figures": st.tuples(
        MONEY,
        st.just(Decimal(0)) | MONEY,
        RATE,
        MONEY,
        st.just(Decimal(0)) | MONEY,
        written("-50", "50", 2),
        FLAG,
        written("-90000", "90000", 2),
    ),
    "capacity": _buffers(),
    "pay": st.tuples(
        st.builds(_rates, MODEST), MONEY, MONEY, MONEY, MONEY, st.just(Decimal(0)) | MONEY
    ),
    "order_units": st.tuples(
        written("-90000", "90000", 2), st.just(Decimal(0)) | MONEY, st.just(Decimal(0)) | MONEY
    ),
    "whole_lots": st.tuples(written("-90000", "90000", 2), st.just(Decimal(0)) | MONEY),
    "flow_exposure": st.tuples(written("-90", "90", 2), MONEY, written("-9000", "9000", 2)),
    "flow_fee": st.tuples(written("-90", "90", 2), MONEY, RATE),
    "is_nothing_sent": st.tuples(written("-9000", "9000", 2), MONEY),
    "netted_kind": st.tuples(MONEY, MONEY, MONEY, MONEY, MONEY),
    "rebalance_cost": _netted(),
    "netted_plan": _netted_plans(),
    "next_expiry": st.tuples(st.integers(0, 4_000_000_000)),
    "contract_at": st.tuples(st.integers(0, 4_000_000_000), st.integers(0, 60 * 86_400)),
    "mark_factor": st.tuples(SIGNED_RATE, SECONDS, SECONDS),
    "price_gain": st.tuples(UNITS, PRICE, PRICE),
    "payable": st.tuples(written("-9000", "9000", 2), MONEY),
    "is_over_capacity": st.builds(
        lambda net, lighter, value, share: (net, abs(net) + 2 * lighter, value, share),
        written("-90000", "90000", 2),
        MONEY,
        MONEY,
        RATE,
    ),
    "capacity_room": st.tuples(
        written("-90000", "90000", 2),
        st.sampled_from([1, -1]),
        MONEY,
        RATE,
        written("0", "0.01", 4),
        CURVE,
        SQRT,
    ),
    "capacity_excess": st.tuples(
        written("-90000", "90000", 2), MONEY, RATE, written("0", "0.01", 4), CURVE, SQRT
    ),
}
