"""What the package ships of the contracts is what their sources compile to, anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import boa
import pytest

from steelyard.chain import artifact, artifact_names, load_artifact
from steelyard.errors import InputError
from support.chain.anvil import anvil, unavailable
from support.chain.counterparties import Code
from support.chain.deploying import deploy_code, deploy_source
from support.chain.series import Protocol
from support.chain.world import Setting, World

REPOSITORY = Path(__file__).resolve().parents[2]
CONTRACTS = REPOSITORY / "contracts"
SHIPPED = REPOSITORY / "src" / "steelyard" / "chain" / "artifacts"
PRAGMAS = "# pragma version 0.4.3\n# pragma evm-version cancun\n"
COUNTER = f"""{PRAGMAS}
from snekmate.auth import ownable
from . import stepping

initializes: ownable
exports: ownable.owner

STEP: immutable(uint256)
count: public(uint256)


@deploy
def __init__(step: uint256):
    ownable.__init__()
    STEP = step


@external
def advance():
    self.count = stepping._after(self.count, STEP)
"""
STEPPING = """# pragma version 0.4.3

@internal
@pure
def _after(count: uint256, step: uint256) -> uint256:
    return count + step
"""


def build(contracts: Path, to: Path) -> subprocess.CompletedProcess[str]:
    """Run the build command on a folder of contracts."""
    command = [sys.executable, str(CONTRACTS / "build.py")]
    command += ["--contracts", str(contracts), "--to", str(to)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A folder with one small contract that imports a library and a module beside it."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "Counter.vy").write_text(COUNTER)
    (folder / "stepping.vy").write_text(STEPPING)
    return folder


@pytest.fixture
def shipped(contracts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small contract, compiled, in the place of what the package ships."""
    done = build(contracts, tmp_path / "artifacts")
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(artifact, "_folder", lambda: tmp_path / "artifacts")
    return tmp_path / "artifacts"


def test_committed_artifacts_are_those_of_the_sources(tmp_path: Path) -> None:
    """Compiled again, every contract gives the committed file, byte for byte, and there are all."""
    done = build(CONTRACTS, tmp_path)
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.json")}
    committed = {path.name: path.read_text(encoding="utf-8") for path in SHIPPED.glob("*.json")}
    assert sorted(made) == sorted(committed), "run make contracts"
    for name, text in made.items():
        assert text == committed[name], f"{name} is not its source's: run make contracts"


MOST_BYTES = 20_000


def test_every_contract_fits_a_chain() -> None:
    """No contract is above 20,000 bytes of the 24,576 that a chain takes, immutables included."""
    sizes = {name: load_artifact(name).deployed_size for name in artifact_names()}
    assert sizes
    assert not {name: size for name, size in sizes.items() if size > MOST_BYTES}


def all_deployed() -> dict[str, list[Any]]:
    """Every contract of ours, compiled of its source, on the chain of the moment."""
    world = World(Setting())
    protocol, morpho = Protocol(world), world.morpho.address
    return {
        "Decision": [protocol.decision],
        "LeveragedToken": [protocol.token],
        "Reserve": [protocol.reserve],
        "Oracle": [protocol.oracle],
        "Factory": [protocol.factory],
        "Router": [deploy_source(CONTRACTS / "Router.vy", morpho)],
        "Keeper": [deploy_source(CONTRACTS / "Keeper.vy")],
        "Lens": [deploy_source(CONTRACTS / "Lens.vy", morpho)],
    }


@pytest.mark.parametrize("chain", ["in process", "a node"])
def test_what_the_chain_holds_is_the_artifact(chain: str) -> None:
    """Each contract by `eth_getCode`: the artifact's bytes, and at most 20,000 of them.

    So what every other test compiles and runs is what is shipped.
    """
    if chain == "a node" and unavailable() is not None:
        pytest.skip(str(unavailable()))
    with anvil() if chain == "a node" else boa.env.anchor():
        deployed = all_deployed()
        assert sorted(deployed) == list(artifact_names())
        for name, contracts in deployed.items():
            artifact_ = load_artifact(name)
            for contract in contracts:
                code = boa.env.get_code(contract.address)
                assert code.startswith(artifact_.runtime_bytecode), name
                assert len(code) == artifact_.deployed_size <= MOST_BYTES


def test_a_wheel_holds_the_artifacts_and_both_licences(tmp_path: Path) -> None:
    """A wheel built of the tree has every compiled contract, and says under what licences."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        licences = [name for name in names if "/licenses/" in name]
        assert "License-Expression: Apache-2.0 AND AGPL-3.0-only" in wheel.read(metadata).decode()
        texts = {name.partition("/licenses/")[2]: wheel.read(name) for name in licences}
    artifacts = {f"steelyard/chain/artifacts/{file.name}" for file in SHIPPED.glob("*.json")}
    assert artifacts == {name for name in names if "/artifacts/" in name}
    assert texts == {
        "LICENSE": (REPOSITORY / "LICENSE").read_bytes(),
        "contracts/LICENSE": (CONTRACTS / "LICENSE").read_bytes(),
    }
    assert b"GNU AFFERO GENERAL PUBLIC LICENSE" in texts["contracts/LICENSE"]


def test_an_artifact_is_what_is_deployed(contracts: Path, shipped: Path) -> None:
    """Its code, deployed, is the code of the source deployed by the tests, of the size it says."""
    assert artifact_names() == ("Counter",)
    counter = load_artifact("Counter")
    deployed = deploy_code("Counter", Code(counter.abi, counter.bytecode), 7)
    tested = deploy_source(contracts / "Counter.vy", 7)
    code = boa.env.get_code(deployed.address)
    assert code == boa.env.get_code(tested.address)
    assert len(code) == counter.deployed_size
    assert counter.immutables_size == 32
    assert code.startswith(counter.runtime_bytecode)
    deployed.advance()
    assert deployed.count() == 7
    assert counter.method_ids["advance()"] == "0x" + deployed.advance.method_id.hex()
    assert (counter.licence, counter.evm_version) == ("AGPL-3.0-only", "cancun")
    assert counter.compiler.startswith("vyper 0.4.3+commit.")
    assert not list(shipped.glob("stepping*"))


def test_an_artifact_can_be_verified_from_itself(shipped: Path) -> None:
    """Its standard-JSON input alone, given to the compiler, gives its bytecode."""
    counter = load_artifact("Counter")
    asked = shipped / "input.json"
    asked.write_text(json.dumps(counter.standard_json))
    compiler = "from vyper.cli.vyper_json import _parse_cli_args as run; run()"
    done = subprocess.run(
        [sys.executable, "-c", compiler, str(asked)],
        capture_output=True,
        text=True,
        check=True,
        cwd=shipped,
    )
    made = json.loads(done.stdout)["contracts"]["contracts/Counter.vy"]["Counter"]
    assert made["evm"]["bytecode"]["object"] == "0x" + counter.bytecode.hex()
    assert counter.source_hash == counter.standard_json["integrity"]


def test_artifacts_are_the_same_wherever_they_are_built(contracts: Path, shipped: Path) -> None:
    """The same sources in another folder give the same bytes; none of them names a folder."""
    elsewhere = contracts.parent / "some" / "where" / "else" / "contracts"
    elsewhere.mkdir(parents=True)
    for file in contracts.glob("*.vy"):
        (elsewhere / file.name).write_bytes(file.read_bytes())
    assert build(elsewhere, elsewhere.parent / "out").returncode == 0
    text = (elsewhere.parent / "out" / "Counter.json").read_text()
    assert text == (shipped / "Counter.json").read_text()
    sources = load_artifact("Counter").standard_json["sources"]
    assert sorted(sources) == [
        "contracts/Counter.vy",
        "contracts/stepping.vy",
        "snekmate/auth/ownable.vy",
    ]
    assert str(contracts.parent) not in text
    assert "site-packages" not in text


def test_an_artifact_goes_with_its_source(contracts: Path, shipped: Path) -> None:
    """A contract that is gone leaves no artifact behind; a new one has none until it is built."""
    (contracts / "Counter.vy").rename(contracts / "Ticker.vy")
    assert artifact_names() == ("Counter",)
    assert build(contracts, shipped).returncode == 0
    assert artifact_names() == ("Ticker",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("0.4.3", "0.4.0"), "expected the line '# pragma version 0.4.3', found '# pragma"),
        ((PRAGMAS, ""), "expected the line '# pragma version 0.4.3', found none"),
        (("cancun", "prague"), "expected the line '# pragma evm-version cancun'"),
        (("_after", "_before"), "has no member '_before'"),
        (("immutable(uint256)", "immutable(uint257)"), "uint257"),
    ],
)
def test_what_cannot_be_built_is_named(
    contracts: Path, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    """Another compiler, another EVM and a source that does not compile are refused in words."""
    (contracts / "Counter.vy").write_text(COUNTER.replace(*change))
    done = build(contracts, tmp_path / "artifacts")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "artifacts").exists()


def test_an_unknown_contract_is_refused_with_the_known_ones(shipped: Path) -> None:
    """A misspelt name is answered by the nearest one and by all there are."""
    assert (shipped / "Counter.json").is_file()
    expected = r'expected the name of a contract, found "counter"\. Did you mean "Counter"\?'
    with pytest.raises(InputError, match=expected + " There are: Counter"):
        load_artifact("counter")


def test_contracts_are_not_built_without_a_compiler() -> None:
    """Where Vyper is not installed the command says what to install."""
    code = "import sys, runpy; sys.modules['vyper'] = None; sys.argv = ['build.py']; "
    code += f"runpy.run_path({str(CONTRACTS / 'build.py')!r}, run_name='__main__')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install -e '.[contracts]'" in done.stderr
