"""The environment of an anvil node: what titanoboa's contracts ask is asked of the node."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from boa.environment import Env
from boa.util.abi import Address

BLOCK_GAS = 30_000_000
BASE_FEE = 10**9
ENOUGH_FOR_GAS = 10**18
"""Ether that each sender is topped up to, as in process nobody needs any."""
ANSWERS_WITHIN_S = 60


class Reverted(Exception):
    """A transaction or a call was reverted by the node; the message is the node's."""


@dataclass
class Outcome:
    """What a node tells of a call, in the form in which titanoboa's contracts read it."""

    output: bytes
    receipt: dict[str, Any] | None = None
    is_error: bool = False
    beneficiaries: tuple[()] = ()
    logs: list[tuple[int, bytes, list[int], bytes]] = field(default_factory=list)

    def get_raw_log_entries(self) -> list[tuple[int, bytes, list[int], bytes]]:
        """All events of the transaction, in their order."""
        return self.logs

    _log_entries = property(get_raw_log_entries)
    _gas_meter_class = None


class AnvilEnv(Env):
    """The environment of an anvil node: each call is a transaction of its own, in its own block.

    Any address can send: the node impersonates it. `receipt` is the last transaction's.
    """

    def __init__(self, port: int) -> None:
        """Speak to the node on a port of this machine; nothing is sent yet."""
        super().__init__()
        # Of its own, so that addresses, and the price of their zeros, are the same in any run.
        self.set_random_seed("steelyard")
        self.eoa = self.generate_address("eoa")
        self.port = port
        self.nickname = "anvil"
        self.receipt: dict[str, Any] = {}
        self._ids = itertools.count(1)
        self._line: http.client.HTTPConnection | None = None

    @property
    def gas_used(self) -> int:
        """Gas of the last transaction, all of it: the 21,000 and the calldata are in it."""
        return int(self.receipt["gasUsed"], 16)

    def ask(self, method: str, *params: Any) -> Any:
        """One question to the node; raises Reverted with its message where it refuses."""
        if self._line is None:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWERS_WITHIN_S)
            self._line = line
        asked = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        body, headers = json.dumps(asked), {"Content-Type": "application/json"}
        self._line.request("POST", "/", body, headers)
        answer = json.loads(self._line.getresponse().read())
        if "error" in answer:
            raise Reverted(answer["error"]["message"])
        return answer["result"]

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _payer(self, sender: Any, value: int) -> str:
        who = str(self._get_sender(sender))
        if self.get_balance(who) < ENOUGH_FOR_GAS + value:
            self.set_balance(who, ENOUGH_FOR_GAS + value)
        return who

    def _send(self, sender: Any, to: Any, gas: int | None, value: int, data: bytes) -> dict:
        asked = {
            "from": self._payer(sender, value),
            "value": hex(value),
            "data": "0x" + data.hex(),
            "gas": hex(gas or BLOCK_GAS // 2),
            "maxFeePerGas": hex(10 * BASE_FEE),
            "maxPriorityFeePerGas": "0x0",
        }
        if to is not None:
            asked["to"] = str(Address(to))
        sent = self.ask("eth_sendTransaction", asked)
        until = time.monotonic() + ANSWERS_WITHIN_S
        while (receipt := self.ask("eth_getTransactionReceipt", sent)) is None:
            if time.monotonic() > until:
                raise AssertionError(f"transaction {sent} was not mined")
            time.sleep(0.001)
        self.receipt = receipt
        if self.receipt["status"] != "0x1":
            # Asked again on the state before, the node says why.
            before = hex(int(self.receipt["blockNumber"], 16) - 1)
            self.ask("eth_call", asked, before)
            raise Reverted(f"transaction {sent} failed, and does not when it is called again")
        return self.receipt

    def deploy(  # noqa: D102 (as titanoboa's)
        self,
        sender: Any = None,
        gas: int | None = None,
        value: int = 0,
        bytecode: bytes = b"",
        **_: Any,
    ) -> tuple[Address, Outcome]:
        receipt = self._send(sender, None, gas, value, bytecode)
        address = Address(receipt["contractAddress"])
        return address, Outcome(self.get_code(address), receipt)

    def execute_code(  # noqa: D102 (as titanoboa's)
        self,
        to_address: Any = None,
        sender: Any = None,
        gas: int | None = None,
        value: int = 0,
        data: bytes = b"",
        is_modifying: bool = True,
        simulate: bool = False,
        **_: Any,
    ) -> Outcome:
        asked = {
            "from": self._payer(sender, value),
            "to": str(Address(to_address)),
            "value": hex(value),
            "data": "0x" + data.hex(),
        }
        # What a transaction gives back is in no receipt: it is called first, on the same state
        # and at the same time.
        output = bytes.fromhex(self.ask("eth_call", asked, "pending")[2:])
        if simulate or not is_modifying:
            return Outcome(output)
        receipt = self._send(sender, to_address, gas, value, data)
        logs = [
            (
                int(entry["logIndex"], 16),
                Address(entry["address"]).canonical_address,
                [int(topic, 16) for topic in entry["topics"]],
                bytes.fromhex(entry["data"][2:]),
            )
            for entry in receipt["logs"]
        ]
        return Outcome(output, receipt, logs=logs)

    def get_code(self, address: Any) -> bytes:  # noqa: D102
        return bytes.fromhex(self.ask("eth_getCode", str(Address(address)), "latest")[2:])

    def get_balance(self, addr: Any) -> int:  # noqa: D102
        return int(self.ask("eth_getBalance", str(Address(addr)), "latest"), 16)

    def set_balance(self, addr: Any, value: int) -> None:  # noqa: D102
        self.ask("anvil_setBalance", str(Address(addr)), hex(value))

    @property
    def timestamp(self) -> int:
        """The time of the next block, as in process: it is 1 s after the last one's."""
        return int(self.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16) + 1

    @timestamp.setter
    def timestamp(self, value: int) -> None:
        if value > self.timestamp:
            self.ask("evm_setNextBlockTimestamp", value - 1)
            self.ask("evm_mine")

    def time_travel(  # noqa: D102 (as titanoboa's)
        self, seconds: int | None = None, blocks: int | None = None, block_delta: int = 12
    ) -> None:
        self.timestamp += seconds if seconds is not None else (blocks or 0) * block_delta

    @property
    def anchor(self) -> Any:
        """Undo what is done inside, as in process."""
        return self._snapshot

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        taken = self.ask("evm_snapshot")
        try:
            yield
        finally:
            self.ask("evm_revert", taken)
