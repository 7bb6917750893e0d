"""The real contracts that ours are tested against: Uniswap v3, Morpho Blue, Aave's tokens.

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
WHERE = {
    "UniswapV3Factory": UNISWAP_CORE,
    "UniswapV3Pool": UNISWAP_CORE,
    "NonfungiblePositionManager": UNISWAP_PERIPHERY,
    "SwapRouter": UNISWAP_PERIPHERY,
    "QuoterV2": f"{UNISWAP_PERIPHERY}/lens",
    "WETH9": f"{AAVE}/dependencies/weth",
    "MintableERC20": f"{AAVE}/mocks/tokens",
}
MORPHO = ("Morpho", "IrmMock", "OracleMock")


class Code(NamedTuple):
    """What it takes to deploy a contract: its ABI and its creation code."""

    abi: list[dict[str, Any]]
    bytecode: bytes


def missing() -> str | None:
    """Why the counterparties cannot be had, or None where they can."""
    compiled = sorted((COUNTERPARTIES / "compiled").glob("morpho-*.json"))
    if compiled and (MODULES / UNISWAP_CORE).is_dir():
        return None
    why_not = COUNTERPARTIES / "compiled" / "why-not.txt"
    said = why_not.read_text(encoding="utf-8").strip() if why_not.is_file() else "never installed"
    return f"the contracts' counterparties are not here ({said}); bring them by `{HOW}`"


def _read(name: str) -> Code:
    if name in MORPHO:
        (compiled,) = (COUNTERPARTIES / "compiled").glob("morpho-*.json")
        entry = json.loads(compiled.read_text(encoding="utf-8"))[name]
    else:
        path = MODULES / WHERE[name] / f"{name}.sol" / f"{name}.json"
        entry = json.loads(path.read_text(encoding="utf-8"))
    return Code(entry["abi"], bytes.fromhex(entry["bytecode"].removeprefix("0x")))


@cache
def code(name: str) -> Code:
    """ABI and creation code of a counterparty, by its Solidity name."""
    return _read(name)
