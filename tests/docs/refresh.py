"""Run the examples of README and docs and write what they print into the pages.

    python tests/docs/refresh.py [PAGE ...]

Examples on real history are run where it is at hand (``STEELYARD_DATA``), else left as they are.

Read the difference before committing it: a figure that changed is a claim that changed, and the
words around it may have to follow. Examples that read real history are run where that is there (see
tests/conftest.py).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.doc_pages import GENERATED, HISTORY, Outcome, blocks, histories, pages, run_page


def refresh(page: Path) -> int:
    """Rewrite what the page says its examples print; how many of them were wrong."""
    reads = histories() is not None and any(block.kind in HISTORY for block in blocks(page))
    also = "history" if reads else ""
    with tempfile.TemporaryDirectory() as folder:
        ran = run_page(page, Path(folder) / "page", also=also)
        wrong = [one for one in ran if not one.is_exact]
    lines = page.read_text(encoding="utf-8").splitlines()
    for outcome in reversed(wrong):
        end = outcome.first + len(outcome.expected)
        lines[outcome.first : end] = _spaced(outcome)
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(wrong)


def _spaced(outcome: Outcome) -> list[str]:
    """What was printed, without blank lines at its ends but with the page's own."""
    kept = [line.rstrip() for line in outcome.found]
    while kept and not kept[0]:
        kept.pop(0)
    while kept and not kept[-1]:
        kept.pop()
    blank = outcome.expected and not outcome.expected[-1].strip()
    return [*kept, *([""] if blank else [])]


if __name__ == "__main__":
    chosen = [Path(name).resolve() for name in sys.argv[1:]]
    chosen = chosen or [page for page in pages() if page != GENERATED]
    for each in chosen:
        sys.stdout.write(f"{each.name}: {refresh(each)} outputs rewritten\n")
