"""The reverts that a stateful test accepts: what was called, the reason, and why it had to be.

`ACCEPTED` is the whole list. A revert that is not on it, or whose condition does not hold in what
was there before the call, fails the test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa

from support.chain.book import HAIR, ONE_TICK, Book, Facts
from support.chain.series import WAD

NEARLY = 1 - HAIR
DAY = 86_400
DUST = 10_000
"""Units of the coarser asset, as many as a launch locks."""


@dataclass(frozen=True)
class Asked:
    """A call: what it was, the facts before it, and what it was called with."""

    book: Book
    before: Facts
    tokens: int = 0
    bounded: bool = False
    """Whether it was called with a bound that it cannot keep."""

    @property
    def debt(self) -> Fraction:
        """The tokens' share of the debt."""
        return self.before.debt * self.tokens / self.before.supply

    @property
    def collateral(self) -> int:
        """The tokens' share of the collateral."""
        return self.before.collateral * self.tokens // self.before.supply


def reason(contract: Any) -> str:
    """Why the last call of a contract was reverted; empty where it did not say."""
    output = bytes(contract._computation.output)
    if output[:4] != bytes.fromhex("08c379a0"):
        return ""
    length = int.from_bytes(output[36:68])
    return output[68 : 68 + length].decode()


def is_bounded(asked: Asked) -> bool:
    """The caller named a bound that could not be kept."""
    return asked.bounded


def is_closed(asked: Asked) -> bool:
    """Minting was closed, for good."""
    return asked.book.token.state.minting_closed


def is_dust_to_mint(asked: Asked) -> bool:
    """So few tokens draw no debt, or there is none to draw."""
    shares = asked.before.shares * asked.tokens // asked.before.supply
    return shares * asked.before.total_assets // asked.before.total_shares == 0


def is_dust_to_redeem(asked: Asked) -> bool:
    """So few tokens are no unit of collateral."""
    return asked.collateral == 0


def is_over_the_cap(asked: Asked) -> bool:
    """The debt would be more than the pool's depth allows."""
    before = asked.before
    if before.supply == 0:
        return launched(asked)[1] >= asked.book.debt_cap(before) * NEARLY - 2
    return before.debt + asked.debt >= asked.book.debt_cap(before) * NEARLY - 2


def launched(asked: Asked) -> tuple[Fraction, Fraction]:
    """What a first mint locks, in tokens, and the debt that it draws."""
    book, price = asked.book, asked.book.told_price
    whole = Fraction(str({True: "0.01", False: "20"}[book.long]))
    nav = whole * 10 ** book.token.collateral.decimals()
    coarse = max(Fraction(10_000), 10_000 * (1 / price if book.long else price))
    debt = asked.tokens * nav / WAD * (book.target - 1 if book.long else book.target)
    return coarse * WAD / nav, debt * (price if book.long else 1 / price)


def is_too_few(asked: Asked) -> bool:
    """The first mint is less than what it locks."""
    return asked.tokens <= launched(asked)[0] * (1 + HAIR) + WAD // 10**6


def is_stale(asked: Asked) -> bool:
    """The feed's answer is not one to act on."""
    return not asked.book.feed_is_good()


def cannot_be_lent(asked: Asked) -> bool:
    """Morpho has not got what a mint wants to borrow."""
    debt = asked.debt if asked.before.supply else launched(asked)[1]
    return debt > asked.before.lendable * NEARLY - 2


def is_liquidatable(asked: Asked) -> bool:
    """Morpho itself refuses: above its liquidation threshold at the price that it is told."""
    book = asked.book
    return asked.before.ltv(book.told_price) > book.lltv * NEARLY - Fraction(1, 10**6)


def _price_to_repay(asked: Asked) -> int | None:
    """The collateral that the pool asks for the tokens' debt; None: it has not got that much."""
    book = asked.book
    world = book.world
    debt = -(-asked.debt.numerator // asked.debt.denominator)
    pair = (book.token.collateral.address, book.token.loan.address)
    try:
        return world.quoter.quoteExactOutputSingle((*pair, debt, world.pool.fee, 0))[0]
    except boa.BoaError:
        return None


def is_thin(asked: Asked) -> bool:
    """The pool does not hold the debt that is to be repaid."""
    return _price_to_repay(asked) is None


def is_not_launched(asked: Asked) -> bool:
    """There is nothing that could be redeemed."""
    return asked.before.supply == 0


def is_worth_nothing(asked: Asked) -> bool:
    """At the pool's price the tokens' debt costs more than their collateral, or there are none."""
    if is_not_launched(asked):
        return True
    price = _price_to_repay(asked)
    return price is None or price >= asked.collateral


def is_idle(asked: Asked) -> bool:
    """By the rules there is nothing to do, or it is too near a threshold to say."""
    price = asked.book.told_price
    name, destination = asked.book.decide(asked.before, price)
    if name in {None, "idle"}:
        return True
    # a gap of 1e-12 of nav, or of less than a unit, is nothing to trade
    nav, exposure = asked.before.nav(price), asked.before.exposure(price)
    unit = 4 * max(Fraction(1), price) * (1 + destination)
    return abs(destination * nav - exposure) <= nav / 10**12 + unit


def is_not_to_be_raised(asked: Asked) -> bool:
    """Leverage would rise, and the reserve is under its floor or Morpho has little to lend."""
    book, before = asked.book, asked.before
    price = book.told_price
    _, destination = book.decide(before, price)
    nav, exposure = before.nav(price), before.exposure(price)
    if exposure >= destination * nav:
        return False
    wanted = (destination * nav - exposure) / (1 if book.long else price)
    if book.terms.max_trade_notional:
        quote = book.terms.max_trade_notional * 10**book.world.quote_decimals
        wanted = min(wanted, quote / (1 if book.long else price))
    return book.token.fund.reserve.suspended() or before.lendable * 9 <= wanted


def is_guarded(asked: Asked) -> bool:
    """The feed is bad, or the pool's price, of now or of a minute, is too far from it."""
    book, before = asked.book, asked.before
    if not book.feed_is_good():
        return True
    price, raw = book.feed_price, Fraction(10**book.world.quote_decimals)
    mean = book.world.pool.twap(60) * raw / 10**book.world.underlying_decimals
    if abs(mean / price - 1) >= book.widened(before, price, "deviation") - ONE_TICK:
        return True
    ends = [book.limit(before, price, up=up) for up in (True, False)]
    low, high = min(ends) * (1 + HAIR), max(ends) * NEARLY
    return not low < before.pool_price < high


def is_tiny(asked: Asked) -> bool:
    """No emergency, and the pool fills under a tenth of it inside the tolerance."""
    book, before = asked.book, asked.before
    price, world = book.told_price, book.world
    name, destination = book.decide(before, price)
    nav, exposure = before.nav(price), before.exposure(price)
    up = exposure < destination * nav
    end = book.limit(before, price, up=up) * 10**world.underlying_decimals
    held = world.quote.balanceOf(world.pool.address)
    with boa.env.anchor():
        world.pool.move(end / 10**world.quote_decimals)
        moved = abs(world.quote.balanceOf(world.pool.address) - held)
    wanted = abs(destination * nav - exposure)
    if book.terms.max_trade_notional:
        wanted = min(wanted, book.terms.max_trade_notional * 10**world.quote_decimals)
    return name != "emergency" and moved * 10 <= wanted * (1 + Fraction(1, 100)) + 100


def is_dust_to_move(asked: Asked) -> bool:
    """Of the coarser asset so few units are left that a part of them is none."""
    price = asked.book.told_price
    return asked.before.nav(price) < DUST * max(Fraction(1), price)


def is_stuck(asked: Asked) -> bool:
    """Above Morpho's threshold, where costs are more than what they save; or dust."""
    return is_liquidatable(asked) or is_dust_to_move(asked)


def is_not_wiped_out(asked: Asked) -> bool:
    """Nav is left, or nobody can say so."""
    if asked.before.supply == 0 or not asked.book.feed_is_good():
        return True
    return asked.before.nav(asked.book.feed_price) > -2 * max(Fraction(1), asked.book.feed_price)


def is_too_early_to_publish(asked: Asked) -> bool:
    """Less than an hour ago."""
    return boa.env.timestamp < asked.book.token.fund.reserve.health().time + 3_600


def is_too_early_to_allocate(asked: Asked) -> bool:
    """Less than a day ago."""
    return boa.env.timestamp < asked.book.token.fund.reserve.last_allocation() + DAY


ACCEPTED: dict[tuple[str, str], Callable[[Asked], bool]] = {
    ("launch", "leveraged_token: too few"): is_too_few,
    ("launch", "leveraged_token: supply cap"): is_over_the_cap,
    ("launch", "leveraged_token: slippage"): is_bounded,
    ("launch", "oracle_guard: refused"): is_stale,
    ("launch", "insufficient liquidity"): cannot_be_lent,
    ("mint", "leveraged_token: mint closed"): is_closed,
    ("mint", "leveraged_token: dust"): is_dust_to_mint,
    ("mint", "leveraged_token: supply cap"): is_over_the_cap,
    ("mint", "leveraged_token: slippage"): is_bounded,
    ("mint", "insufficient liquidity"): cannot_be_lent,
    ("mint", "insufficient collateral"): is_liquidatable,
    ("redeem", "leveraged_token: dust"): is_dust_to_redeem,
    ("redeem", "leveraged_token: slippage"): is_bounded,
    ("redeem", "leveraged_token: thin pool"): is_thin,
    ("redeem", "insufficient collateral"): is_liquidatable,
    ("redeem", ""): is_worth_nothing,
    ("redeem", "ERC20: transfer amount exceeds balance"): is_worth_nothing,
    ("redeem_in_kind", ""): is_not_launched,
    ("redeem_in_kind", "leveraged_token: dust"): is_dust_to_redeem,
    ("redeem_in_kind", "leveraged_token: slippage"): is_bounded,
    ("redeem_in_kind", "insufficient collateral"): is_liquidatable,
    ("rebalance", "leveraged_token: nothing to do"): is_idle,
    ("rebalance", "leveraged_token: not to be raised"): is_not_to_be_raised,
    ("rebalance", "leveraged_token: tiny fill"): is_tiny,
    ("rebalance", "leveraged_token: not nearer"): is_stuck,
    ("rebalance", "leveraged_token: across"): is_dust_to_move,
    ("rebalance", "AS"): is_dust_to_move,
    ("rebalance", "oracle_guard: refused"): is_guarded,
    ("rebalance", "insufficient collateral"): is_liquidatable,
    ("close_minting", "leveraged_token: not wiped out"): is_not_wiped_out,
    ("publish_health", "reserve: once an hour"): is_too_early_to_publish,
    ("allocate", "reserve: not yet"): is_too_early_to_allocate,
}


def judge(rule: str, said: str, asked: Asked) -> None:
    """Raise unless this revert is on the list and had to be."""
    justified = ACCEPTED.get((rule, said))
    if justified is None:
        raise AssertionError(f"{rule} reverted, and no such revert is accepted: {said!r}")
    if not justified(asked):
        why = justified.__doc__
        raise AssertionError(f"{rule} reverted with {said!r}, but not because: {why}")
