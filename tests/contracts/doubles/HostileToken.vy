# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
"""
@title An ERC-20 that lies, takes a fee, or calls back
@notice A double. By default it is an honest token; a test turns on one vice at a time.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256


name: public(constant(String[12])) = "Hostile Coin"
symbol: public(constant(String[4])) = "HOST"
decimals: public(immutable(uint8))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])

fee_bps: public(uint256)
returns_false: public(bool)
refuses_approval: public(bool)
hook_target: public(address)
hook_data: public(Bytes[4096])
hook_victim: public(address)
hook_calls: public(uint256)
hook_succeeded: public(uint256)
hook_response: public(Bytes[512])
_in_hook: bool


@deploy
def __init__(decimals_: uint8):
    decimals = decimals_


@external
def mint(to: address, amount: uint256):
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log Transfer(sender=empty(address), receiver=to, amount=amount)


@external
def set_fee_bps(fee_bps: uint256):
    """
    @notice From now on the receiver gets less than was sent; the rest is burnt.
    """
    self.fee_bps = fee_bps


@external
def set_balance(who: address, amount: uint256):
    """
    @notice What an account holds is this from now on, as by a rebase or by an issuer's hand.
    """
    self.totalSupply = self.totalSupply + amount - self.balanceOf[who]
    self.balanceOf[who] = amount


@external
def set_returns_false(returns_false: bool):
    """
    @notice From now on transfers move nothing, do not revert, and return False.
    """
    self.returns_false = returns_false


@external
def set_refuses_approval(refuses_approval: bool):
    """
    @notice From now on approvals set nothing, do not revert, and return False.
    """
    self.refuses_approval = refuses_approval


@external
def set_hook(victim: address, target: address, data: Bytes[4096]):
    """
    @notice From now on every transfer from or to `victim` first calls `target` with `data`, as
            this token; whether that went through is counted, and never stops the transfer.
    """
    self.hook_victim = victim
    self.hook_target = target
    self.hook_data = data
    self.hook_calls = 0
    self.hook_succeeded = 0


@internal
def _call_back(sender: address, to: address):
    if self.hook_target == empty(address) or self._in_hook:
        return
    if sender != self.hook_victim and to != self.hook_victim:
        return
    self._in_hook = True
    success: bool = False
    response: Bytes[512] = b""
    success, response = raw_call(
        self.hook_target, self.hook_data, max_outsize=512, revert_on_failure=False
    )
    self.hook_calls += 1
    self.hook_response = response
    if success:
        self.hook_succeeded += 1
    self._in_hook = False


@internal
def _move(sender: address, to: address, amount: uint256) -> bool:
    self._call_back(sender, to)
    if self.returns_false:
        return False
    fee: uint256 = amount * self.fee_bps // 10_000
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount - fee
    self.totalSupply -= fee
    log Transfer(sender=sender, receiver=to, amount=amount - fee)
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
    if self.refuses_approval:
        return False
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)
    return True
