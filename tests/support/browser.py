"""A page in a real browser, from a file, with no network.

The page itself marks what went wrong (``data-error`` on the root: a script's error, a broken
promise, a breach of its own policy).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

__all__ = ["BROWSER", "dom_of", "root"]

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
"""Chromium or Chrome; None where neither is installed."""


def dom_of(page: str, folder: Path, where: str = "", *, then: str = "", width: int = 1280) -> str:
    """Open a page from a file in ``folder`` and give back its DOM once its scripts have rested."""
    script = f"<script>{then}</script></body>"
    path = folder / "report.html"
    path.write_text(page.replace("</body>", script) if then else page, encoding="utf-8")
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},2000", "--virtual-time-budget=8000", "--dump-dom",
        path.as_uri() + where,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, encoding="utf-8"
    )
    return done.stdout


def root(dom: str) -> dict[str, str]:
    """The attributes of the page's root."""
    element = re.search(r"<html[^>]*>", dom)
    assert element is not None
    return dict(re.findall(r'([\w-]+)="([^"]*)"', element[0]))
