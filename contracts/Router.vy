# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Router
@custom:contract-name Router
@license GNU Affero General Public License v3.0 only
@notice Into a series with one of its two assets, and out of it into one. The series calls back
        between giving and taking, so neither a loan nor a preview is needed. Outside the core,
        with no rights in it: what it does can be done with the token itself.

        What must hold:
        1. It holds nothing between two calls.
        2. The sender pays at most `most` and gets at least `least`. Nobody but the sender pays:
           the payer is kept by this contract, never read from a callback's data.
        3. Only the series that the sender named may call back, once a call.
@dev Series and pools are whatever the sender names; a dishonest one can take what the sender
     lets this call spend, and nothing of anybody else.
"""


from ethereum.ercs import IERC20

from .interfaces import IMorpho
from .interfaces import ISeries
from .interfaces import ITaker
implements: ITaker

from . import in_kind
from . import v3_path
initializes: in_kind
initializes: v3_path


exports: v3_path.uniswapV3SwapCallback


# @dev An ERC-2612 permit of what comes in, for this contract; a deadline of 0: none.
struct Permit:
    amount: uint256
    deadline: uint256
    v: uint8
    r: bytes32
    s: bytes32


# @dev Emitted for each mint: `spent` of the asset came from the sender.
event Entered:
    sender: indexed(address)
    series: indexed(address)
    receiver: indexed(address)
    asset: address
    spent: uint256
    tokens: uint256


# @dev Emitted for each redemption: `amount` of the asset went to the receiver.
event Left:
    sender: indexed(address)
    series: indexed(address)
    receiver: indexed(address)
    asset: address
    amount: uint256
    tokens: uint256


# @dev What the callback is for.
NOTHING: constant(uint256) = 0
MINT: constant(uint256) = 1
REDEEM: constant(uint256) = 2

# @dev So that a series calls back. It says nothing: all that counts is kept here.
CALL_BACK: constant(Bytes[512]) = b"\x01"


# @dev Of the call under way: who may call back and for what, the sender's asset, and who gets
# what is left. Afterwards what was left.
_series: transient(address)
_does: transient(uint256)
_asset: transient(address)
_receiver: transient(address)
_left: transient(uint256)


@deploy
def __init__(morpho: address):
    """
    @param morpho Morpho Blue on this chain.
    """
    in_kind.__init__(morpho)


@external
@nonreentrant
def mint(
    series: address,
    tokens: uint256,
    asset: address,
    most: uint256,
    pools: DynArray[address, v3_path.MOST_POOLS],
    receiver: address,
    deadline: uint256,
    permit: Permit = empty(Permit),
) -> uint256:
    """
    @notice Mints exactly so many tokens with one asset.
    @param series The series.
    @param tokens Raw tokens.
    @param asset Its collateral or its loan asset; of the sender, who allowed this contract.
    @param most The most of it to pay.
    @param pools Uniswap v3 pools from the loan asset to the collateral.
    @param receiver Who gets the tokens.
    @param deadline The last second at which this may happen.
    @param permit Of the asset, if there is no allowance.
    @return uint256 What was paid.
    """
    self._permit(asset, permit, deadline)
    v3_path._begin(pools, msg.sender, most)
    self._mint(series, tokens, asset, receiver)
    spent: uint256 = most - v3_path._most
    log Entered(
        sender=msg.sender,
        series=series,
        receiver=receiver,
        asset=asset,
        spent=spent,
        tokens=tokens,
    )
    return spent


@external
@nonreentrant
def redeem(
    series: address,
    tokens: uint256,
    asset: address,
    least: uint256,
    pools: DynArray[address, v3_path.MOST_POOLS],
    receiver: address,
    deadline: uint256,
    permit: Permit = empty(Permit),
) -> uint256:
    """
    @notice Redeems exactly so many tokens for one asset.
    @param series The series.
    @param tokens Raw tokens of the sender, who allowed this contract.
    @param asset Its collateral or its loan asset.
    @param least The least of it to get.
    @param pools Uniswap v3 pools from the collateral to the loan asset.
    @param receiver Who gets the asset.
    @param deadline The last second at which this may happen.
    @param permit Of the tokens, if there is no allowance.
    @return uint256 What the receiver got.
    """
    self._permit(series, permit, deadline)
    v3_path._begin(pools, empty(address), 0)
    self._expect(series, REDEEM, asset, receiver)
    assert extcall IERC20(series).transferFrom(
        msg.sender, self, tokens, default_return_value=True
    ), "router: tokens"
    collateral: uint256 = (
        extcall ISeries(series).redeem(tokens, max_value(uint256), self, CALL_BACK)
    )[0]
    if self._does == REDEEM:
        # no debt, no callback: what came is all there is
        market: IMorpho.MarketParams = (staticcall ISeries(series).config()).market
        self._go_out(market.collateralToken, collateral, market.loanToken, 0)
    amount: uint256 = self._left
    assert amount >= least, "router: less than least"
    log Left(
        sender=msg.sender,
        series=series,
        receiver=receiver,
        asset=asset,
        amount=amount,
        tokens=tokens,
    )
    return amount


@external
def on_given(given: address, amount: uint256, owed: address, owes: uint256, data: Bytes[512]):
    """
    @notice The series' callback. Only the one that this contract has just called, and once.
    @param given What came here.
    @param amount How much.
    @param owed What has to be at the series afterwards.
    @param owes How much.
    @param data Not used.
    """
    assert msg.sender == self._series and self._does != NOTHING, "router: foreign callback"
    if self._does == REDEEM:
        self._go_out(given, amount, owed, owes)
        return
    self._does = NOTHING
    if self._asset == owed:
        got: uint256 = v3_path._sell(given, amount, owed, msg.sender)
        # a pool at which the debt alone buys more than all the collateral: it would be a gift
        assert got < owes, "router: pool"
        v3_path._pull(owed, msg.sender, owes - got)
    else:
        assert self._asset == given, "router: asset"
        v3_path._buy(given, amount, owed, owes, msg.sender)
        assert v3_path._held == 0, "router: pool"


@external
@nonreentrant
def preview_mint(
    series: address,
    tokens: uint256,
    asset: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
) -> uint256:
    """
    @notice What `mint` would ask of the sender in this block, to the unit: it is carried out and
            reverted before the payment. Refused as it would be. For eth_call.
    @param series The series.
    @param tokens Raw tokens.
    @param asset Its collateral or its loan asset.
    @param pools As for `mint`.
    @return uint256 Of the asset.
    """
    success: bool = False
    response: Bytes[320] = b""
    success, response = raw_call(
        self,
        abi_encode(
            series,
            tokens,
            asset,
            pools,
            method_id=method_id("dry_mint(address,uint256,address,address[])"),
        ),
        max_outsize=320,
        revert_on_failure=False,
    )
    return v3_path._figure(response)


@external
@nonreentrant
def preview_redeem(
    series: address,
    tokens: uint256,
    asset: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
) -> uint256:
    """
    @notice What `redeem` would give in this block, to the unit, over pools that are different
            ones. For eth_call.
    @param series The series.
    @param tokens Raw tokens.
    @param asset Its collateral or its loan asset.
    @param pools As for `redeem`.
    @return uint256 Of the asset.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    collateral: uint256 = 0
    debt: uint256 = 0
    fee: uint256 = 0
    collateral, fee, debt = in_kind._redeemed(
        in_kind._position(series, config.market), config, tokens
    )
    given: address = config.market.collateralToken
    owed: address = config.market.loanToken
    if asset == given:
        if debt == 0:
            return collateral
        paid: uint256 = self._dry_swap(pools, given, owed, debt, True)
        assert paid <= collateral, "router: pool"
        return collateral - paid
    assert asset == owed, "router: asset"
    # pool by pool: this contract has nothing to sell
    assert len(pools) > 0, "v3_path: no pool"
    got: uint256 = collateral
    sells: address = given
    for pool: address in pools:
        buys: address = v3_path._other(pool, sells)
        got = self._dry_swap([pool], sells, buys, got, False)
        sells = buys
    assert got >= debt, "router: pool"
    return got - debt


@external
def dry_mint(
    series: address,
    tokens: uint256,
    asset: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
):
    """
    @notice A part of `preview_mint`; always reverts.
    """
    assert msg.sender == self, "router: dry"
    v3_path._dry = True
    v3_path._begin(pools, self, 0)
    self._mint(series, tokens, asset, self)
    v3_path._raise(0)


@external
def dry_swap(
    pools: DynArray[address, v3_path.MOST_POOLS],
    sells: address,
    buys: address,
    amount: uint256,
    exact_out: bool,
):
    """
    @notice A part of `preview_redeem`; always reverts.
    """
    assert msg.sender == self, "router: dry"
    v3_path._begin(pools, self, 0)
    v3_path._quote(sells, buys, amount, exact_out)


@internal
def _mint(series: address, tokens: uint256, asset: address, receiver: address):
    self._expect(series, MINT, asset, receiver)
    extcall ISeries(series).mint(tokens, max_value(uint256), receiver, CALL_BACK)
    assert self._does == NOTHING, "router: no callback"


@internal
def _expect(series: address, does: uint256, asset: address, receiver: address):
    self._series = series
    self._does = does
    self._asset = asset
    self._receiver = receiver


@internal
def _go_out(given: address, amount: uint256, owed: address, owes: uint256):
    """
    @notice Pays what is owed to the series and sends the rest, all in the sender's asset.
    """
    self._does = NOTHING
    rest: uint256 = amount
    if self._asset == given:
        if owes > 0:
            v3_path._buy(given, amount, owed, owes, self._series)
            rest = v3_path._held
    else:
        assert self._asset == owed, "router: asset"
        rest = v3_path._sell(given, amount, owed, self)
        assert rest >= owes, "router: pool"
        if owes > 0:
            v3_path._send(owed, self._series, owes)
        rest -= owes
    self._left = rest
    v3_path._send(self._asset, self._receiver, rest)


@internal
def _dry_swap(
    pools: DynArray[address, v3_path.MOST_POOLS],
    sells: address,
    buys: address,
    amount: uint256,
    exact_out: bool,
) -> uint256:
    """
    @notice What the way takes for an exact amount of its last asset, or gives for one of its
            first.
    """
    success: bool = False
    response: Bytes[320] = b""
    success, response = raw_call(
        self,
        abi_encode(
            pools,
            sells,
            buys,
            amount,
            exact_out,
            method_id=method_id("dry_swap(address[],address,address,uint256,bool)"),
        ),
        max_outsize=320,
        revert_on_failure=False,
    )
    return v3_path._figure(response)


@internal
def _permit(token: address, permit: Permit, deadline: uint256):
    """
    @notice The deadline, and a permit. Anyone may have used it before: the allowance counts.
    """
    assert block.timestamp <= deadline, "router: expired"
    if permit.deadline == 0:
        return
    success: bool = raw_call(
        token,
        abi_encode(
            msg.sender,
            self,
            permit.amount,
            permit.deadline,
            permit.v,
            permit.r,
            permit.s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
