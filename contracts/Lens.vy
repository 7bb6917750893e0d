# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Lens
@custom:contract-name Lens
@license GNU Affero General Public License v3.0 only
@notice How series and their reserves stand, with interest up to now, and what a mint, a
        redemption or a taker would find. It speaks ERC-4626's words for reading: "assets" are
        the underlying, "shares" are tokens. The tokens themselves are no ERC-4626 vaults. One
        Lens serves every series. It has no state and no rights.
@dev A contract that answers as a series does is described as it describes itself: ask about
     series that a factory names.
"""


from .interfaces import IDecision
from .interfaces import IOracle
from .interfaces import ISeries

from . import auction
from . import auction_clock
from . import in_kind
from . import lens_cover
from . import lens_distances
from . import lens_readings
initializes: in_kind
initializes: lens_readings[in_kind := in_kind]


# @dev All of it. Leverage, shares, premiums times 1e18; amounts raw.
struct Overview:
    ok: bool                   # false: the address does not answer as a series
    series: address
    name: bytes32              # as in `config`: a text, its length in the last byte
    symbol: bytes32
    underlying: address
    quote: address
    long: bool
    price: uint256             # raw quote per raw underlying, times 1e36
    updated: uint256           # of the feeds' older answer; 0: nothing may be acted on
    supply: uint256
    collateral: uint256
    debt: uint256
    fees: uint256
    total_assets: uint256      # nav in the underlying
    total_quote: uint256       # nav in the quote asset
    token_assets: uint256      # nav of a whole token in the underlying
    token_quote: uint256
    leverage: uint256
    loan_to_value: uint256
    lendable: uint256          # loan asset
    mint_open: bool            # a mint would not be refused for feed, band or nav
    plan: IDecision.Plan       # what is due, and at which premium now
    premium_end: int256        # at the auction's end (one opened now, if none runs), at this price and without a jump
    full_at: uint256           # when that is; 0: no auction runs
    fallback_at: uint256
    daily_at: uint256          # the next daily rebalance; the greatest number: none
    distances: lens_distances.Distances
    cover: lens_cover.Cover


NEVER: constant(uint256) = max_value(uint256)
WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36

# @dev Series of one `overviews`.
MOST_SERIES: constant(uint256) = 32

# @dev Bytes of an Overview: 25 words, 14 of the plan, 4 of distances, 6 of the cover.
SIZE: constant(uint256) = 32 * 50

# @dev Gas for one series of `overviews`, so that one that eats it all starves no other.
GAS_EACH: constant(uint256) = 1_000_000


@deploy
def __init__(morpho: address):
    """
    @param morpho Morpho Blue on this chain.
    """
    in_kind.__init__(morpho)


@external
@view
def asset(series: address) -> address:
    """
    @notice The underlying: what "assets" are counted in.
    @param series The series.
    """
    return lens_readings._sides(staticcall ISeries(series).config())[0]


@external
@view
def totalAssets(series: address) -> uint256:
    """
    @notice Nav in the underlying at the price that Morpho is told, fees not counted.
    @param series The series.
    @return uint256 Rounded down.
    """
    return lens_readings._standing(series)[1]


@external
@view
def convertToAssets(series: address, tokens: uint256) -> uint256:
    """
    @notice The nav of so many tokens, in the underlying, without fees of a redemption.
    @param series The series.
    @param tokens Raw tokens.
    @return uint256 Rounded down.
    """
    supply: uint256 = 0
    nav: uint256 = 0
    supply, nav = lens_readings._standing(series)
    return nav * tokens // supply if supply > 0 else 0


@external
@view
def convertToShares(series: address, assets: uint256) -> uint256:
    """
    @notice How many tokens have so much nav, without fees of a mint.
    @param series The series.
    @param assets Raw underlying.
    @return uint256 Rounded down; 0 where there is no nav.
    """
    supply: uint256 = 0
    nav: uint256 = 0
    supply, nav = lens_readings._standing(series)
    return assets * supply // nav if nav > 0 else 0


@external
@view
def previewMint(series: address, tokens: uint256) -> (uint256, uint256, uint256, uint256):
    """
    @notice What `mint` exchanges in this block, to the unit.
    @param series The series.
    @param tokens Raw tokens.
    @return uint256 Collateral to bring, the fee included.
    @return uint256 The fee in it.
    @return uint256 Debt that is given.
    @return uint256 What both are worth to the minter, in the underlying; rounded up.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    position: in_kind.Position = in_kind._position(series, config.market)
    collateral: uint256 = 0
    fee: uint256 = 0
    debt: uint256 = 0
    collateral, fee, debt = in_kind._minted(position, config, tokens)
    price: uint256 = staticcall IOracle(config.market.oracle).price()
    worth: uint256 = auction._div_up(collateral * price, SCALE)
    worth -= min(worth, debt)
    if config.terms.long:
        worth = auction._div_up(worth * SCALE, price)
    return collateral, fee, debt, worth


@external
@view
def previewRedeem(series: address, tokens: uint256) -> (uint256, uint256, uint256, uint256):
    """
    @notice What `redeem` exchanges in this block, to the unit.
    @param series The series.
    @param tokens Raw tokens.
    @return uint256 Collateral that is given.
    @return uint256 The fee that stays.
    @return uint256 Debt to bring.
    @return uint256 What both are worth to the redeemer, in the underlying; rounded down.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    position: in_kind.Position = in_kind._position(series, config.market)
    collateral: uint256 = 0
    fee: uint256 = 0
    debt: uint256 = 0
    collateral, fee, debt = in_kind._redeemed(position, config, tokens)
    price: uint256 = staticcall IOracle(config.market.oracle).price()
    worth: uint256 = collateral * price // SCALE
    worth -= min(worth, debt)
    return collateral, fee, debt, worth * SCALE // price if config.terms.long else worth


@external
@view
def maxMint(series: address) -> uint256:
    """
    @notice The most tokens that one `mint` takes now by the debt cap and what can be lent, to
            the unit; 0 where minting is closed.
    @param series The series.
    @return uint256 Raw tokens.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    position: in_kind.Position = in_kind._position(series, config.market)
    price: uint256 = 0
    updated: uint256 = 0
    jump: uint256 = 0
    price, updated, jump = staticcall IOracle(config.market.oracle).latest(False)
    if not lens_readings._mint_is_open(config, position, price, updated):
        return 0
    if position.shares == 0:
        return NEVER
    room: uint256 = config.debt_cap - min(config.debt_cap, position.debt)
    room = min(room, position.lendable)
    # the most shares whose debt, rounded down, is not above the room; then the tokens for them
    shares: uint256 = (
        (room + 1) * position.total_shares - 1
    ) // position.total_assets
    return ((shares + 1) * position.supply - 1) // position.shares


@external
@view
def plan(series: address) -> IDecision.Plan:
    """
    @notice What is due and on sale now, a suspension by the reserve included.
    @param series The series.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    return lens_readings._plan(series, config, lens_readings._facts(series, config))


@external
@view
def premiums(series: address, after: DynArray[uint256, 32]) -> DynArray[int256, 32]:
    """
    @notice The premium of the auction that runs, so many seconds from now, at this price and
            without a jump of the feed. Empty where nothing is on sale.
    @param series The series.
    @param after Seconds from now.
    @return DynArray[int256, 32] Times 1e18; above 0 they go to the taker.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    facts: IDecision.Facts = lens_readings._facts(series, config)
    plan_: IDecision.Plan = lens_readings._plan(series, config, facts)
    found: DynArray[int256, 32] = []
    if plan_.state < 2 or plan_.state > 3:
        return found
    for seconds: uint256 in after:
        found.append(lens_readings._premium(config.terms, plan_, block.timestamp + seconds))
    return found


@external
@view
def overview(series: address) -> Overview:
    """
    @notice All of a series. Refuses what does not answer as a series.
    @param series The series.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    facts: IDecision.Facts = lens_readings._facts(series, config)
    position: in_kind.Position = in_kind._position(series, config.market)
    seen: Overview = empty(Overview)
    seen.ok = True
    seen.series = series
    seen.name = config.name
    seen.symbol = config.symbol
    seen.long = config.terms.long
    seen.underlying, seen.quote = lens_readings._sides(config)
    price: uint256 = facts.price
    jump: uint256 = 0
    price, seen.updated, jump = staticcall IOracle(config.market.oracle).latest(False)
    seen.price = price if seen.long else SCALE * SCALE // price
    seen.supply = position.supply
    seen.collateral = position.collateral
    seen.debt = position.debt
    seen.fees = (staticcall ISeries(series).state()).fees
    seen.lendable = position.lendable
    seen.mint_open = lens_readings._mint_is_open(config, position, price, seen.updated)
    seen.plan = lens_readings._plan(series, config, facts)
    seen.leverage = seen.plan.leverage
    value: uint256 = position.collateral * price // SCALE
    nav: uint256 = value - min(value, position.debt)
    seen.loan_to_value = position.debt * WAD // value if value > 0 else 0
    seen.total_assets = nav * SCALE // price if seen.long else nav
    seen.total_quote = nav if seen.long else nav * SCALE // price
    if seen.supply > 0:
        seen.token_assets = seen.total_assets * WAD // seen.supply
        seen.token_quote = seen.total_quote * WAD // seen.supply
    duration: uint256 = config.terms.duration
    if seen.plan.began > 0:
        seen.full_at = seen.plan.began + duration
    if seen.plan.trigger > 0:
        asked: IDecision.Plan = seen.plan
        if asked.began == 0:
            asked.began = block.timestamp
        seen.premium_end = lens_readings._premium(config.terms, asked, asked.began + duration)
    seen.fallback_at = facts.arrived + config.terms.fallback_after
    seen.daily_at = auction_clock._daily_due(config.terms.daily_at, facts.arrived)
    seen.distances = lens_distances._distances(config, position)
    seen.cover = lens_cover._cover(series, config.reserve, seen.total_assets, position.supply)
    return seen


@external
@view
def overviews(series: DynArray[address, MOST_SERIES]) -> DynArray[Overview, MOST_SERIES]:
    """
    @notice All of several series. One that does not answer is not `ok` and stops no other. Give
            a million gas for each.
    @param series The series.
    """
    seen: DynArray[Overview, MOST_SERIES] = []
    for each: address in series:
        success: bool = False
        response: Bytes[SIZE + 32] = b""
        success, response = raw_call(
            self,
            abi_encode(each, method_id=method_id("overview(address)")),
            max_outsize=SIZE + 32,
            gas=GAS_EACH,
            is_static_call=True,
            revert_on_failure=False,
        )
        one: Overview = empty(Overview)
        if success and len(response) == SIZE:
            one = abi_decode(slice(response, 0, SIZE), Overview)
        one.series = each
        seen.append(one)
    return seen
