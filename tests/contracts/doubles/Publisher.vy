# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A publisher of several reserves
@notice A double. It publishes all of them in one transaction, and keeps the refunds.
"""

interface IReserve:
    def publish() -> uint256: nonpayable


@external
def publish(reserves: DynArray[address, 8]):
    for each: address in reserves:
        extcall IReserve(each).publish()
