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
    from steelyard.analysis.attribution import explain
    from steelyard.analysis.decay import decay_across
    from steelyard.analysis.forecast import forecast
    from steelyard.analysis.gaps import gaps
    from steelyard.analysis.shelf import Shelf
    from steelyard.analysis.tear_sheet import tear_sheet
    from steelyard.analysis.tracking import tracking
    from steelyard.market import Feed, read_prices
    from steelyard.report.writing import write_report
    from steelyard.rules.presets import preset
    from steelyard.rules.series import Reserve, Series
    from steelyard.simulation.compare import compare
    from steelyard.simulation.journals import Journal
    from steelyard.simulation.load_run import load_run
    from steelyard.simulation.one_or_several import simulate

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

# Where a name lives. Modules are named as text, so that import-linter sees no import here: the root
# package is above every layer and below none.
_LAZY = {
    "Feed": "steelyard.market",
    "Journal": "steelyard.simulation.journals",
    "Reserve": "steelyard.rules.series",
    "Series": "steelyard.rules.series",
    "Shelf": "steelyard.analysis.shelf",
    "compare": "steelyard.simulation.compare",
    "decay_across": "steelyard.analysis.decay",
    "explain": "steelyard.analysis.attribution",
    "forecast": "steelyard.analysis.forecast",
    "gaps": "steelyard.analysis.gaps",
    "load_run": "steelyard.simulation.load_run",
    "preset": "steelyard.rules.presets",
    "read_prices": "steelyard.market",
    "simulate": "steelyard.simulation.one_or_several",
    "tear_sheet": "steelyard.analysis.tear_sheet",
    "tracking": "steelyard.analysis.tracking",
    "write_report": "steelyard.report.writing",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (PEP 562: any name, any type)
    if name in _LAZY:
        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
