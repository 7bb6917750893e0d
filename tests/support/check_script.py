"""The stand-alone script that checks an export, run as a holder runs it: without Steelyard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["SCRIPT", "run_check"]

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "check_journal.py"


def run_check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it in isolated mode: no site-packages, no PYTHONPATH."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
