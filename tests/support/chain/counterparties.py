"""The real contracts that ours are tested against, and those of the peers in the bill for gas.

They come by ``python tests/contracts/counterparties/install.py``, which ``make test`` runs; here
they are only found. None of them is committed.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

COUNTERPARTIES = Path(__file__).resolve().parents[2] / "contracts" / "counterparties"
MODULES = COUNTERPARTIES / "node_modules"
HOW = "python tests/contracts/counterparties/install.py"

UNISWAP_CORE = "@uniswap/v3-core/artifacts/contracts"
UNISWAP_PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts"
AAVE = "@aave/core-v3/artifacts/contracts"
PERPETUAL = "@perp/curie-deployments/optimism/core/artifacts/contracts"
WHERE = {
    "UniswapV3Factory": UNISWAP_CORE,
    "UniswapV3Pool": UNISWAP_CORE,
    "NonfungiblePositionManager": UNISWAP_PERIPHERY,
    "SwapRouter": UNISWAP_PERIPHERY,
    "QuoterV2": f"{UNISWAP_PERIPHERY}/lens",
    "WETH9": f"{AAVE}/dependencies/weth",
    "MintableERC20": f"{AAVE}/mocks/tokens",
}
ADDRESS = 20
"""Bytes of one."""
MORPHO = ("Morpho", "IrmMock", "OracleMock")


class Code(NamedTuple):
    """What it takes to deploy a contract: its ABI and its creation code."""

    abi: list[dict[str, Any]]
    bytecode: bytes


def could_not_be_had() -> str | None:
    """Why the install command could not bring them and let tests be skipped; None: it did not."""
    why_not = COUNTERPARTIES / "compiled" / "why-not.txt"
    return why_not.read_text(encoding="utf-8").strip() if why_not.is_file() else None


def missing() -> str | None:
    """Why the counterparties cannot be had, or None where they can."""
    compiled = sorted((COUNTERPARTIES / "compiled").glob("morpho-*.json"))
    if compiled and (MODULES / UNISWAP_CORE).is_dir():
        return None
    said = could_not_be_had() or "not installed yet"
    return f"the contracts' counterparties are not here ({said}); bring them by `{HOW}`"


def _entry(name: str) -> dict[str, Any]:
    if name in MORPHO:
        (compiled,) = (COUNTERPARTIES / "compiled").glob("morpho-*.json")
        return json.loads(compiled.read_text(encoding="utf-8"))[name]
    file = f"{name}.sol/{name}.json"
    if name in WHERE:
        path = MODULES / WHERE[name] / file
    else:
        found = [*(MODULES / AAVE).glob(f"**/{file}"), *(MODULES / PERPETUAL).glob(file)]
        if len(found) != 1:
            raise KeyError(f"expected one counterparty {name}, found {len(found)}")
        path = found[0]
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def libraries(name: str) -> dict[str, tuple[int, ...]]:
    """The libraries that a counterparty's code calls, and where in it their addresses belong."""
    files = _entry(name).get("linkReferences", {}).values()
    return {
        library: tuple(place["start"] for place in places)
        for file in files
        for library, places in file.items()
    }


@cache
def code(name: str) -> Code:
    """ABI and creation code of a counterparty, by its Solidity name; zeros for its libraries."""
    entry = _entry(name)
    digits = entry["bytecode"].removeprefix("0x")
    for starts in libraries(name).values():
        for start in starts:
            digits = digits[: 2 * start] + "00" * ADDRESS + digits[2 * (start + ADDRESS) :]
    return Code(entry["abi"], bytes.fromhex(digits))
