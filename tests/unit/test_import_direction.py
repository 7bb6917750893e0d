"""Imports go up the list of packages only, and rules need nothing but Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def lint_imports(source: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in `source`, with the project's contracts."""
    run = "import importlinter.cli as c; c.lint_imports_command()"
    command = [sys.executable, "-c", run, "--no-cache"]
    command += ["--config", str(REPOSITORY / "pyproject.toml")]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


def test_imports_go_up_the_list_only() -> None:
    """No module imports one from a package above its own, and every package has its place."""
    result = lint_imports(REPOSITORY / "src")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("market/downhill.py", "import steelyard.cli"),
        ("rules/impure.py", "import numpy"),
        ("newcomer/__init__.py", ""),
    ],
)
def test_a_broken_contract_is_noticed(tmp_path: Path, module: str, line: str) -> None:
    """An import downhill, a library in the rules and a package without a place each fail."""
    shutil.copytree(REPOSITORY / "src" / "steelyard", tmp_path / "steelyard")
    added = tmp_path / "steelyard" / module
    added.parent.mkdir(exist_ok=True)
    added.write_text(line + "\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout or "Missing layer" in result.stdout, result.stdout
