"""Compiled contracts, read from the package: no compiler is needed to deploy or to verify one.

``make contracts`` writes them, and a test compiles the sources again and compares.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from steelyard.errors import InputError

__all__ = ["Artifact", "artifact_names", "load_artifact"]

SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract, as it is deployed.

    `deployed_size` counts the bytes that ``eth_getCode`` gives, the immutables among them.
    `standard_json` is the whole input of the compiler, every source in it: what a block explorer
    asks for to verify the contract. `source_hash` is the compiler's own sum over all sources.
    """

    name: str
    licence: str
    compiler: str
    evm_version: str
    optimize: str
    source_hash: str
    deployed_size: int
    immutables_size: int
    method_ids: dict[str, str]
    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime_bytecode: bytes
    standard_json: dict[str, Any]


def _folder() -> Traversable:
    return resources.files(__package__) / "artifacts"


def artifact_names() -> tuple[str, ...]:
    """The names of all contracts that the package ships, sorted."""
    names = (file.name for file in _folder().iterdir()) if _folder().is_dir() else iter(())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)))


def load_artifact(name: str) -> Artifact:
    """The compiled contract of this name: ``load_artifact("LeveragedToken")``.

    Raises:
        InputError: there is no contract of that name.
    """
    known = artifact_names()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f' Did you mean "{close[0]}"?' if close else ""
        message = (
            f'expected the name of a contract, found "{name}".{hint} '
            f"There are: {', '.join(known) or 'none'}."
        )
        raise InputError(message, found=name, allowed=known)
    fields = json.loads((_folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    for code in ("bytecode", "runtime_bytecode"):
        fields[code] = bytes.fromhex(fields[code].removeprefix("0x"))
    return Artifact(**fields)
