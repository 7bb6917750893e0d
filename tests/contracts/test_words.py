"""Words that are packed or read as they lie in storage, and unchecked sums, at their extremes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import boa
import pytest
from eth_abi import encode
from eth_utils import keccak

from support.chain.deploying import source
from support.chain.series import CONTRACTS, MOST, WAD, ZERO, Series, new_transaction

if TYPE_CHECKING:
    from pathlib import Path

HALF = 2**128 - 1
TIME, TRIGGER, LEVERAGE, SHARE, SHORT_TIME = 2**40 - 1, 2**8 - 1, 2**80 - 1, 2**64 - 1, 2**32 - 1
HIGHEST = "0x" + "ff" * 20
EXPOSED = """# pragma version 0.4.3
# pragma evm-version cancun
from . import auction
from . import clock_slot
from . import series_words
from . import supply_mean
initializes: clock_slot
initializes: supply_mean

@external
def dirty(word: uint256):
    clock_slot._slot = word
    supply_mean._slot = word

@external
def clock(clock: clock_slot.Clock) -> (clock_slot.Clock, uint256):
    clock_slot._write(clock)
    return clock_slot._read(), clock_slot._slot

@external
def config(config: series_words.Config) -> (series_words.Config, uint256[12]):
    words: uint256[12] = series_words._pack(config)
    return series_words._unpack(words), words

@external
def fees() -> (uint256, uint256):
    return supply_mean._take_fees(), supply_mean._slot

@external
@view
def means(supply: uint256) -> (uint256, uint256):
    return supply_mean._means(supply)

@external
@pure
def div_up(above: uint256, below: uint256) -> uint256:
    return auction._div_up(above, below)
"""


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A contract that lets a test call what the series keeps to itself."""
    folder: Path = tmp_path_factory.mktemp("words") / "contracts"
    shutil.copytree(CONTRACTS, folder)
    (folder / "Words.vy").write_text(EXPOSED, encoding="utf-8")
    return source(folder / "Words.vy").deploy()


CLOCK = (TIME, TIME, True, TIME, TRIGGER, TIME)
"""The most of each field of a clock: a bit more of one would be a bit of its neighbour."""
CONFIG = (
    (HIGHEST, HIGHEST, HIGHEST, HIGHEST, SHARE),
    (
        *(True, LEVERAGE, LEVERAGE, LEVERAGE, LEVERAGE, True, LEVERAGE, SHARE, SHARE, SHARE),
        *(SHORT_TIME, SHORT_TIME, SHORT_TIME, SHORT_TIME, HALF, SHARE),
    ),
    *(HIGHEST, SHARE, SHARE, HIGHEST, HALF, HALF, b"\xff" * 32, b"\xff" * 32),
)
"""Likewise of a series' configuration."""


def flat(words: Any) -> list[Any]:
    """The leaves of nested tuples, addresses as they are written in lower case."""
    if isinstance(words, (tuple, list)):
        return [leaf for each in words for leaf in flat(each)]
    return [words.lower() if isinstance(words, str) else words]


def only(most: Any, place: int) -> Any:
    """The same shape with the most in one leaf alone, and nothing in the others."""
    count = iter(range(len(flat(most))))

    def leaf(each: Any) -> Any:
        if isinstance(each, tuple):
            return tuple(leaf(one) for one in each)
        if next(count) == place:
            return each
        nothing: Any = {str: ZERO, bytes: bytes(32), bool: False, int: 0}
        return nothing[type(each)]

    return leaf(most)


@pytest.mark.parametrize(("name", "most"), [("clock", CLOCK), ("config", CONFIG)])
def test_each_field_comes_back_alone(exposed: Any, name: str, most: Any) -> None:
    """Scenario: all fields at their most, and each at its most with nothing in the others.

    Property: what is unpacked is what was packed: no bit of a field is another's or is lost.
    """
    for shape in (most, *(only(most, place) for place in range(len(flat(most))))):
        back, _ = getattr(exposed, name)(shape)
        assert flat(back) == flat(shape)


def test_a_day_of_fees_leaves_the_means(exposed: Any) -> None:
    """Scenario: every bit of the slot is set. Property: fees leave, and nothing else does."""
    exposed.dirty(MOST)
    boa.env.timestamp = 2**32 - 1
    fees, left = exposed.fees()
    assert (fees, left) == (2**96 - 1, 2**160 - 1)
    # both means at their most, of a supply of nothing and of more than they hold
    assert tuple(exposed.means(0)) == ((2**64 - 1) * 10**9,) * 2
    assert tuple(exposed.means(MOST)) == ((2**64 - 1) * 10**9,) * 2


def test_rounding_up_refuses_no_divisor_and_nothing_else_in_range(exposed: Any) -> None:
    """Property: the exact quotient at every extreme.

    A division by nothing and a sum beyond a word are refused, not wrapped.
    """
    for above in (0, 1, 2, HALF, HALF + 1, MOST - 1, MOST):
        for below in (1, 2, HALF, HALF + 1, MOST - 1, MOST):
            if above + below - 1 > MOST:
                with boa.reverts():
                    exposed.div_up(above, below)
            else:
                assert exposed.div_up(above, below) == -(-above // below)
        with boa.reverts():
            exposed.div_up(above, 0)


WORDS = [0, 1, 7 << 128, HALF - 10**9, (HALF - 10**9) << 128, 5 << 128 | HALF >> 40, MOST >> 20]
"""For Morpho's slots: nothing, one half alone, and bits in both."""


@pytest.mark.parametrize("debt", [0, 3, 10**30, HALF >> 8])
def test_a_series_reads_what_morpho_says(series: Series, debt: int) -> None:
    """Scenario: Morpho's slots hold words of any size, with bits in every field.

    Property: what a series reads of them is what Morpho's own functions say, halves not mixed up,
    and the supply shares, the last accrual and the fee of the market are no part of it.
    """
    morpho, me, id_ = series.world.morpho, series.address, series.market.id
    inner = keccak(encode(["bytes32", "uint256"], [id_, 2]))
    held = int.from_bytes(keccak(encode(["address", "bytes32"], [me, inner])), "big")
    market = int.from_bytes(keccak(encode(["bytes32", "uint256"], [id_, 3])), "big")
    for place, word in enumerate(WORDS):
        boa.env.set_storage(morpho.address, held, MOST)
        boa.env.set_storage(morpho.address, held + 1, (word >> 128 << 128) | min(debt, HALF))
        boa.env.set_storage(morpho.address, market, WORDS[-place])
        boa.env.set_storage(morpho.address, market + 1, (HALF >> 3) << 128 | word & (HALF >> 1))
        _, shares, collateral = morpho.position(id_, me)
        lent, _, borrowed, all_shares, _, _ = morpho.market(id_)
        state, facts = series.contract.state(), series.contract.facts()
        owed = -(-shares * (borrowed + 1) // (all_shares + 10**6))
        assert (state.collateral, state.shares, state.debt) == (collateral, shares, owed)
        assert (facts.collateral, facts.debt) == (collateral, owed)
        assert facts.lendable == max(0, lent - borrowed)


def test_a_refusal_after_morpho_was_read_says_why(series: Series) -> None:
    """Scenario: a mint is refused for its price, after the position was read.

    Property: the calls of the trace can be decoded by who is strict: none is longer than its array.
    """
    who = series.world.roles.holder
    new_transaction()
    with pytest.raises(boa.BoaError, match="more than most"):
        series.contract.mint(WAD, 1, who, sender=who)
