"""How long `steelyard --help` takes, against a hello-world of click, the library it is built on.

Both are started afresh by the same Python, in turn, so that a busy machine slows both alike; the
medians are compared. The bar: at most 1.5 times the hello-world (exit 1 above it).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BAR = 1.5

HELLO = """
import click


@click.command()
@click.argument("name", default="world")
def main(name: str) -> None:
    \"\"\"Say hello to NAME.\"\"\"
    click.echo(f"Hello, {name}!")


if __name__ == "__main__":
    main()
"""

# What the installed `steelyard` script does, without depending on where it was installed.
STEELYARD = """
import sys

from steelyard.cli import main

if __name__ == "__main__":
    sys.argv[0] = "steelyard"
    sys.exit(main())
"""


def seconds(script: Path) -> float:
    """Wall-clock time of one whole process that prints the help of `script`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, str(script), "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(runs: int) -> dict[str, list[float]]:
    """Times of both, `runs` of each, taken in turn after one start of each that is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        scripts = {"hello-world (click)": HELLO, "steelyard --help": STEELYARD}
        paths = {}
        for number, (name, source) in enumerate(scripts.items()):
            paths[name] = Path(folder) / f"start_{number}.py"
            paths[name].write_text(source)
            seconds(paths[name])
        times: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(runs):
            for name, path in paths.items():
                times[name].append(seconds(path))
    return times


def main() -> int:
    """Print the table; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=21, help="starts of each (default: 21)")
    parser.add_argument("--no-bar", action="store_true", help="measure only, never fail")
    arguments = parser.parse_args()

    times = measure(arguments.runs)
    peer, ours = (statistics.median(values) for values in times.values())
    print(f"{'':22}{'median ms':>10}{'fastest ms':>12}{'ratio':>8}")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:22}{median * 1e3:10.1f}{min(values) * 1e3:12.1f}{median / peer:8.2f}")
    passed = ours / peer <= BAR
    print(f"bar: {BAR} times the hello-world; {'held' if passed else 'MISSED'}")
    return 0 if passed or arguments.no_bar else 1


if __name__ == "__main__":
    sys.exit(main())
