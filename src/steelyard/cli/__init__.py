"""The command line; the only place that wires everything together.

The console script ``steelyard`` calls ``main``. No heavy module is imported before a command runs,
so that ``steelyard --help`` answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: ``sys.argv[1:]``) and return its exit code."""
    from steelyard.cli.command_line import run

    return run(arguments)
