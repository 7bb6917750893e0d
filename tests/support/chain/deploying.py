"""Puts contracts on the chain of the moment: boa's in-process one, or anvil (see `anvil`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import boa
from boa.contracts.abi.abi_contract import ABIContractFactory, ABIFunction

from support.chain.counterparties import ADDRESS, Code, code, libraries

DOUBLES = Path(__file__).resolve().parents[2] / "contracts" / "doubles"


def deploy_code(name: str, compiled: Code, *args: Any, sender: Any = None) -> Any:
    """Deploy ABI and creation code with the constructor's arguments."""
    constructors = [entry for entry in compiled.abi if entry["type"] == "constructor"]
    calldata = b""
    if constructors:
        calldata = ABIFunction(constructors[0], name).prepare_calldata(*args)
    address, _ = boa.env.deploy_code(bytecode=compiled.bytecode + calldata, sender=sender)
    return at(name, compiled.abi, address)


def at(name: str, abi: list[dict[str, Any]], address: Any) -> Any:
    """The contract at an address, spoken to by an ABI; its events are decoded too."""
    contract = ABIContractFactory.from_abi_dict(abi, name=name).at(address)
    boa.env.register_contract(contract.address, contract)
    return contract


def deploy(name: str, *args: Any, sender: Any = None) -> Any:
    """Deploy a counterparty by its Solidity name, and the libraries that it calls before it."""
    abi, bytecode = code(name)
    for library, starts in libraries(name).items():
        linked = deploy(library, sender=sender).address.canonical_address
        for start in starts:
            bytecode = bytecode[:start] + linked + bytecode[start + ADDRESS :]
    return deploy_code(name, Code(abi, bytecode), *args, sender=sender)


@cache
def source(path: Path) -> Any:
    """A Vyper contract, compiled once in a session."""
    return boa.load_partial(str(path))


def deploy_source(path: Path, *args: Any, sender: Any = None) -> Any:
    """Compile a Vyper file and deploy it."""
    return source(path).deploy(*args, sender=sender)


def deploy_double(name: str, *args: Any, sender: Any = None) -> Any:
    """Deploy one of tests/contracts/doubles: ``deploy_double("PriceFeed", 8, 2_000 * 10**8)``."""
    return deploy_source(DOUBLES / f"{name}.vy", *args, sender=sender)
