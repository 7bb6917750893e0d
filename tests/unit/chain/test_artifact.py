"""The compiled contracts are read without a compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest

from steelyard.chain import artifact_names, load_artifact
from steelyard.errors import InputError


def test_every_shipped_contract_can_be_loaded() -> None:
    """Each name gives code that a chain would take: at most 24,576 bytes, a name of its own."""
    for name in artifact_names():
        found = load_artifact(name)
        assert found.name == name
        assert found.bytecode
        assert 0 < found.deployed_size <= 24_576
        assert found.deployed_size == len(found.runtime_bytecode) + found.immutables_size


def test_a_name_that_is_not_there_is_refused() -> None:
    """The message says what was found, and the error holds all names for a program."""
    with pytest.raises(InputError, match='found "Ponzi"') as refused:
        load_artifact("Ponzi")
    assert refused.value.details == {"found": "Ponzi", "allowed": artifact_names()}


def test_reading_contracts_needs_no_compiler() -> None:
    """Every artifact is read with none of the libraries that compile or run contracts."""
    heavy = "{'vyper', 'boa', 'eth_abi', 'web3', 'numpy', 'pandas'}"
    code = "import sys, steelyard.chain as c; "
    code += "assert all([c.load_artifact(name).bytecode for name in c.artifact_names()]); "
    code += f"print({heavy} & {{*sys.modules}})"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
