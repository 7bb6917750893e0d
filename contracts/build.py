"""Compiles the contracts into the artifacts that the package ships: ``make contracts``.

Each CamelCase.vy here becomes src/steelyard/chain/artifacts/CamelCase.json: a standard-JSON input
with every source in it (for block explorers to verify), and what the compiler makes of that very
input. The same sources give the same bytes on any machine: no path or time of this one is kept.
Needs the extra ``contracts``; the package itself reads artifacts without a compiler.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ARTIFACTS = HERE.parent / "src" / "steelyard" / "chain" / "artifacts"
DEPLOYED = re.compile(r"[A-Z][A-Za-z0-9]*\.vy")
LICENCE = "AGPL-3.0-only"
EVM_VERSION = "cancun"
# Vyper's default pipeline; the experimental one (Venom) makes smaller code, but is not what audits
# and other deployed contracts of this version stand on. A contract that would be larger than
# 20,000 bytes says "# pragma optimize codesize".
OPTIMIZE = "gas"
OPTIMIZE_PRAGMA = re.compile(r"^# pragma optimize (gas|codesize)$", re.MULTILINE)
# So that what tests run, compiled from the file alone, is what is shipped.
PRAGMAS = {
    "version": re.compile(r"^# pragma version (\d+\.\d+\.\d+)$", re.MULTILINE),
    "evm-version": re.compile(r"^# pragma evm-version (\w+)$", re.MULTILINE),
}
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"]


class BuildError(Exception):
    """A contract cannot be built; the message says which, and what to do."""


def check_pragmas(path: Path) -> None:
    """A deployable names its compiler and its EVM, as this command will compile it."""
    from vyper import __version__

    expected = {"version": __version__, "evm-version": EVM_VERSION}
    source = path.read_text(encoding="utf-8")
    for name, pattern in PRAGMAS.items():
        found = pattern.search(source)
        if found is None or found[1] != expected[name]:
            raise BuildError(
                f"{path.name}: expected the line '# pragma {name} {expected[name]}', "
                f"found {f'{found[0]!r}' if found else 'none'}"
            )


def optimize_of(path: Path) -> str:
    """What a deployable is optimized for: as its pragma says, or gas."""
    found = OPTIMIZE_PRAGMA.search(path.read_text(encoding="utf-8"))
    return found[1] if found else OPTIMIZE


def standard_json(path: Path) -> dict[str, Any]:
    """All sources of a contract under paths that mean the same everywhere, and the settings."""
    from vyper.cli.vyper_compile import compile_files

    # Its warnings come again from the input that is made here, and are read there.
    with contextlib.chdir(path.parent.parent), warnings.catch_warnings(action="ignore"):
        relative = Path(path.parent.name) / path.name
        (bundle,) = compile_files([str(relative)], ["solc_json"], paths=["."]).values()
    bundle = bundle["solc_json"]
    if isinstance(bundle, str):
        bundle = json.loads(bundle)
    # Libraries come under the folder they are installed in; that folder is this machine's.
    own = {".", path.parent.name}
    folders = [found for found in bundle["settings"]["search_paths"] if found not in own]
    sources = {}
    for name, source in bundle["sources"].items():
        short = next((name[len(f) + 1 :] for f in folders if name.startswith(f"{f}/")), name)
        if short.startswith(("0/", "/", "..")):
            raise BuildError(f"{path.name} imports {name}: outside of contracts/ and of libraries")
        sources[short] = source
    return {
        "language": "Vyper",
        "sources": {name: {"content": sources[name]["content"]} for name in sorted(sources)},
        "settings": {
            "evmVersion": EVM_VERSION,
            "optimize": optimize_of(path),
            "search_paths": ["."],
            "outputSelection": {relative.as_posix(): OUTPUTS},
        },
        "compiler_version": bundle["compiler_version"],
        "integrity": bundle["integrity"],
    }


def immutables_size(asked: dict[str, Any]) -> int:
    """Bytes that the constructor appends to the runtime code: eth_getCode has them too."""
    from vyper.cli.vyper_json import compile_json

    (main,) = asked["settings"]["outputSelection"]
    settings = asked["settings"] | {"outputSelection": {main: ["layout"]}}
    found = compile_json(asked | {"settings": settings})["contracts"][main]
    layout = found[Path(main).stem]["layout"].get("code_layout", {})

    def end(entries: dict[str, Any]) -> int:
        if isinstance(entries.get("offset"), int):
            return entries["offset"] + entries["length"]
        return max((end(entry) for entry in entries.values()), default=0)

    return end(layout)


def artifact(path: Path) -> dict[str, Any]:
    """What is shipped of one contract: compiled from the standard-JSON input that is in it."""
    from vyper.cli.vyper_json import compile_json

    check_pragmas(path)
    asked = standard_json(path)
    (main,) = asked["settings"]["outputSelection"]
    compiled = compile_json(asked)
    if complaints := [entry["message"] for entry in compiled.get("errors", [])]:
        raise BuildError(f"{path.name}: the compiler warns: {'; '.join(complaints)}")
    made = compiled["contracts"][main][path.stem]
    evm = made["evm"]
    runtime = evm["deployedBytecode"]["object"]
    immutables = immutables_size(asked)
    return {
        "name": path.stem,
        "licence": LICENCE,
        "compiler": f"vyper {asked['compiler_version'].removeprefix('v')}",
        "evm_version": EVM_VERSION,
        "optimize": optimize_of(path),
        "source_hash": asked["integrity"],
        "deployed_size": len(runtime.removeprefix("0x")) // 2 + immutables,
        "immutables_size": immutables,
        "method_ids": dict(sorted(evm["methodIdentifiers"].items())),
        "abi": made["abi"],
        "bytecode": evm["bytecode"]["object"],
        "runtime_bytecode": runtime,
        "standard_json": asked,
    }


def text_of(made: dict[str, Any]) -> str:
    """An artifact as it is written."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def build(folder: Path, to: Path) -> list[str]:
    """Write every artifact of a folder of contracts, and remove those of contracts that are gone.

    Gives one line a contract: its name and the bytes of code that a chain will hold.
    """
    paths = sorted(path for path in folder.glob("*.vy") if DEPLOYED.fullmatch(path.name))
    made = [artifact(path.resolve()) for path in paths]
    to.mkdir(parents=True, exist_ok=True)
    for old in to.glob("*.json"):
        if old.stem not in {entry["name"] for entry in made}:
            old.unlink()
    for entry in made:
        (to / f"{entry['name']}.json").write_text(text_of(entry), encoding="utf-8", newline="\n")
    return [f"{entry['name']:<20} {entry['deployed_size']:>7,} bytes" for entry in made]


def main(arguments: list[str] | None = None) -> int:
    """Build, and say what was built."""
    parser = argparse.ArgumentParser(description="Compile the contracts into their artifacts.")
    parser.add_argument("--contracts", type=Path, default=HERE, help="folder of the .vy files")
    parser.add_argument("--to", type=Path, default=ARTIFACTS, help="folder of the artifacts")
    asked = parser.parse_args(arguments)
    try:
        import vyper
    except ImportError:
        print("contracts are compiled by Vyper: pip install -e '.[contracts]'", file=sys.stderr)
        return 1
    try:
        lines = build(asked.contracts, asked.to)
    except (BuildError, vyper.exceptions.VyperException) as error:
        print(f"not built: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines) or f"{asked.contracts} has no CamelCase.vy: nothing to build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
