"""The installed command, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["SCRIPT", "command", "environment"]

SCRIPT = Path(sys.executable).with_name("steelyard")


def environment(**more: str) -> dict[str, str]:
    """The environment without what changes how a terminal looks."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM", "STEELYARD_TRACEBACK"}
    }
    return {**kept, **more}


def command(
    *arguments: str | Path, cwd: Path, check: bool = False, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run ``steelyard`` in a process of its own; ``more`` are variables of its environment."""
    return subprocess.run(
        [SCRIPT, *map(str, arguments)],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=check,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
