# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
"""
@title An ERC-20 whose issuer can freeze an account
@notice A double of assets such as USDC: transfers from and to a frozen account revert.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256


name: public(constant(String[14])) = "Freezable Coin"
symbol: public(constant(String[4])) = "FREE"
decimals: public(immutable(uint8))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
frozen: public(HashMap[address, bool])


@deploy
def __init__(decimals_: uint8):
    decimals = decimals_


@external
def mint(to: address, amount: uint256):
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log Transfer(sender=empty(address), receiver=to, amount=amount)


@external
def freeze(who: address, frozen: bool):
    self.frozen[who] = frozen


@internal
def _move(sender: address, to: address, amount: uint256) -> bool:
    assert not self.frozen[sender] and not self.frozen[to], "freezable: frozen"
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=sender, receiver=to, amount=amount)
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    return self._move(msg.sender, to, amount)


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    if self.allowance[owner][msg.sender] != max_value(uint256):
        self.allowance[owner][msg.sender] -= amount
    return self._move(owner, to, amount)


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)
    return True
