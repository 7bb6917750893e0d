# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A token whose nav a test sets, and which asks its reserve for what a test says
@notice A double of LeveragedToken, as its reserve sees it.
"""


interface Reserve:
    def settle(receiver: address, amount: uint256) -> uint256: nonpayable


nav_underlying: public(uint256)


@external
def set_nav(nav: uint256):
    self.nav_underlying = nav


@external
def settle(reserve: address, receiver: address, amount: uint256) -> uint256:
    return extcall Reserve(reserve).settle(receiver, amount)


@external
def collect_fees() -> uint256:
    return 0
