"""Make the picture of decay across assets from the real hours of five of them.

    python docs/images/make_decay_image.py FOLDER

FOLDER holds the price files that docs/explanation/decay-across-assets.md reads. Needs Chromium, as
make_images.py does.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from make_images import BROWSERS, FOLDER, LARGEST, shoot

import steelyard as sy

NAMES = ("BTC", "ETH", "SOL", "AVAX", "DOGE")


def main() -> int:
    """Write the picture; 1 where there is no browser or it came out too large."""
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or len(sys.argv) != 2:  # noqa: PLR2004 (one argument)
        print("needs the folder of prices, and Chromium on the path or in CHROMIUM")
        return 1
    prices = {name: Path(sys.argv[1]) / f"{name}-USDT-spot-1h.parquet" for name in NAMES}
    figure = sy.decay_across(prices, against=["BTC", "ETH"]).plot()
    figure.update_layout(width=1_200, height=1_080)
    picture = FOLDER / "decay-across-assets.png"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "figure.html"
        figure.write_html(page, config={"displayModeBar": False})
        shoot(browser, page.as_uri(), picture, Path(folder) / "profile")
    print(f"{picture.name}: {picture.stat().st_size:,} bytes")
    return int(picture.stat().st_size > LARGEST)


if __name__ == "__main__":
    sys.exit(main())
