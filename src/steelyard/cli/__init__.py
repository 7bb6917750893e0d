"""The command line; the only place that wires everything together.

``main`` is what the console script ``steelyard`` calls. Nothing heavy is imported before a command
runs, so that ``steelyard --help`` feels instant.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: ``sys.argv[1:]``) and give its exit code."""
    from steelyard.cli.command_line import run

    return run(arguments)
