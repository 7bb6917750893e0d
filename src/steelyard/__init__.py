"""Steelyard simulates leveraged tokens: tokens that hold a multiple of an asset.

    import steelyard as sy

    feed = sy.Feed("btc-1h.parquet", funding="funding.parquet")
    run = sy.simulate(sy.Series.load("btc3l.toml"), feed)
    run.summary

Importing the package costs next to nothing: every name but the errors is loaded when it is first
used, because numpy, pandas and plotly take seconds and `steelyard --help` needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from steelyard.errors import (
    DataError,
    Fenced,
    InputError,
    InvariantError,
    JournalError,
    Rejected,
    SteelyardError,
    Unavailable,
    Unknown,
    VenueError,
)
from steelyard.version import __version__

if TYPE_CHECKING:
    from steelyard.explain.attribution import explain
    from steelyard.explain.decay import decay_across
    from steelyard.explain.forecast import forecast
    from steelyard.explain.gaps import gaps
    from steelyard.explain.shelf import Shelf
    from steelyard.explain.tear_sheet import tear_sheet
    from steelyard.explain.tracking import tracking
    from steelyard.market import Feed, read_prices
    from steelyard.report.writing import write_report
    from steelyard.rules.presets import load_preset as preset
    from steelyard.rules.series import Reserve, Series
    from steelyard.simulate.compare import compare
    from steelyard.simulate.journals import Journal
    from steelyard.simulate.one_or_several import simulate
    from steelyard.simulate.repeat import load_run

__all__ = [
    "DataError",
    "Feed",
    "Fenced",
    "InputError",
    "InvariantError",
    "Journal",
    "JournalError",
    "Rejected",
    "Reserve",
    "Series",
    "Shelf",
    "SteelyardError",
    "Unavailable",
    "Unknown",
    "VenueError",
    "__version__",
    "compare",
    "decay_across",
    "explain",
    "forecast",
    "gaps",
    "load_run",
    "preset",
    "read_prices",
    "simulate",
    "tear_sheet",
    "tracking",
    "write_report",
]

# Where a name lives, and after a colon what it is called there, if otherwise. Named as text, so
# that import-linter sees no import here: the root package is above every layer and below none.
_LAZY = {
    "Feed": "steelyard.market",
    "Journal": "steelyard.simulate.journals",
    "Reserve": "steelyard.rules.series",
    "Series": "steelyard.rules.series",
    "Shelf": "steelyard.explain.shelf",
    "compare": "steelyard.simulate.compare",
    "decay_across": "steelyard.explain.decay",
    "forecast": "steelyard.explain.forecast",
    "gaps": "steelyard.explain.gaps",
    "load_run": "steelyard.simulate.repeat",
    "preset": "steelyard.rules.presets:load_preset",
    "read_prices": "steelyard.market",
    "tear_sheet": "steelyard.explain.tear_sheet",
    "tracking": "steelyard.explain.tracking",
    "write_report": "steelyard.report.writing",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (PEP 562: any name, any type)
    if name in ("explain", "simulate"):
        # The subpackage is itself the function: see steelyard/simulate/__init__.py.
        return import_module(f"steelyard.{name}")
    if name in _LAZY:
        module, _, inside = _LAZY[name].partition(":")
        value = getattr(import_module(module), inside or name)
        globals()[name] = value
        return value
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
