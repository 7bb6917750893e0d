"""``python -m steelyard``: the command line, where the script ``steelyard`` is not on the path."""

from __future__ import annotations

import sys

from steelyard.cli import main

if __name__ == "__main__":
    sys.exit(main())
