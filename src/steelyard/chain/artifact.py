"""Compiled contracts, read from the package, so that deploying or verifying needs no compiler.

``make contracts`` writes the artifacts. A test compiles the sources again and compares the results.
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
    """One compiled contract, ready to be deployed.

    Attributes:
        name: name of the contract.
        licence: SPDX identifier of the licence of its source.
        compiler: version of the compiler.
        evm_version: EVM version for which it was compiled.
        optimize: optimisation mode of the compiler.
        source_hash: the compiler's checksum over all sources.
        deployed_size: size of the deployed code in bytes, as ``eth_getCode`` returns it, including
            the immutables.
        immutables_size: size of the immutables in bytes.
        method_ids: selector of each external function, by its signature.
        abi: the ABI of the contract.
        bytecode: the code of the deployment transaction, without constructor arguments.
        runtime_bytecode: the deployed code, without the immutables.
        standard_json: the complete input of the compiler with all sources, from which a block
            explorer verifies the contract.
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
