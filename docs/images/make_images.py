"""Make the README's pictures: the report page of a real run on the bundled history, light and dark.

    python docs/images/make_images.py

Needs Chromium (or Chrome) on the path, or in the variable CHROMIUM. Figures, tiles and charts are
the page's own; what does not fit into a picture (header, tables, other charts) is hidden.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import steelyard as sy
from steelyard.market import sample_prices
from steelyard.rules.presets import preset

FOLDER = Path(__file__).resolve().parent
PRESET, START, END = "bybit-3l", "2020-01-01", "2020-07-01"
WIDTH, HEIGHT = 1240, 1118
LARGEST = 250_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HIDE = """<style>
.bar, .intro, .lead, .terms, .groups, .spans, .trades, footer,
figcaption p, .panel:not([data-panel="nav"], [data-panel="leverage"]) { display: none !important; }
main { padding-top: 8px !important; }
</style></head>"""


def main() -> int:
    """Write both pictures; 1 where there is no browser or one came out too large."""
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("needs Chromium: install it, or name it in the variable CHROMIUM", file=sys.stderr)
        return 1
    run = sy.simulate(preset(PRESET), sy.Feed(sample_prices("BTC"), start=START, end=END))
    with tempfile.TemporaryDirectory() as folder:
        run.save(Path(folder) / "run")
        page = Path(folder) / "picture.html"
        report = (Path(folder) / "run" / "report.html").read_text(encoding="utf-8")
        page.write_text(report.replace("</head>", HIDE, 1), encoding="utf-8")
        for theme in ("light", "dark"):
            picture = FOLDER / f"report-{theme}.png"
            shoot(browser, f"{page.as_uri()}?theme={theme}", picture, Path(folder) / theme)
            print(f"{picture.name}: {picture.stat().st_size:,} bytes")
            if picture.stat().st_size > LARGEST:
                print(f"expected at most {LARGEST:,} bytes", file=sys.stderr)
                return 1
    return 0


def shoot(
    browser: str,
    address: str,
    picture: Path,
    profile: Path,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> None:
    """Take one picture of a page, drawn to its end."""
    command = [
        browser,
        "--headless=new",
        "--no-sandbox",
        "--hide-scrollbars",
        f"--user-data-dir={profile}",
        f"--window-size={size[0]},{size[1]}",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--virtual-time-budget=8000",
        f"--screenshot={picture}",
        address,
    ]
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120
    )


if __name__ == "__main__":
    sys.exit(main())
