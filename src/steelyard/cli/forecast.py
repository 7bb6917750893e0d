"""``steelyard forecast``: the order flow that tokens will send at other prices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import presets
from steelyard.cli.input_lookup import InstantType, OutType, find_series
from steelyard.cli.output import emit_json, note, show_document
from steelyard.cli.overwriting import check_out, force_option, is_read

if TYPE_CHECKING:
    from steelyard.analysis.forecast_result import Forecast
    from steelyard.analysis.shelf import Shelf

    _PercentBase = click.ParamType[float]
else:
    _PercentBase = click.ParamType  # generic only from click 8.4 on

__all__ = ["forecast"]


class PercentType(_PercentBase):
    """A move in percent, ``-20`` or ``-20%``, read as a fraction."""

    name = "percent"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the percentage; anything else is wrong usage."""
        if isinstance(value, float):
            return value
        try:
            return float(str(value).strip().removesuffix("%")) / 100
        except ValueError:
            self.fail(f"expected a move in percent such as -20, found {value!r}.", param, ctx)


@click.command(
    cls=Command,
    examples=[
        "steelyard forecast ftx-bull --price 64000 --daily-volume 2e10",
        "steelyard forecast oracle-3l --price 64000 --ladder -10 10 21 --out flow.html",
    ],
)
@click.argument("shelf", metavar="SHELF.toml", shell_complete=presets)
@click.option(
    "--price", type=float, metavar="P", help="The price now. Default: the price in the shelf file."
)
@click.option(
    "--time",
    type=InstantType(),
    metavar="T",
    help="The time now. Default: the time in the shelf file, or else the clock of this machine.",
)
@click.option(
    "--ladder",
    type=(PercentType(), PercentType(), int),
    metavar="FROM TO STEPS",
    default=None,
    help="Prices to show: two moves in percent and the number of steps. Default: -20 20 17.",
)
@click.option(
    "--daily-volume",
    type=float,
    metavar="QUOTE",
    help="The market's volume in a day, to show flows as a share of it.",
)
@click.option(
    "--impact",
    type=float,
    metavar="BPS",
    help="How far a trade of one million quote moves the price, for the feedback.",
)
@click.option(
    "--book",
    type=click.Path(),
    metavar="BOOK",
    help='An order book, to show flows as a share of its depth (see "steelyard data book").',
)
@click.option("--out", type=OutType(), metavar="FILE", help="Write a page with the ladder drawn.")
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def forecast(
    shelf: str,
    price: float | None,
    time: int | None,
    ladder: tuple[float, float, int] | None,
    daily_volume: float | None,
    impact: float | None,
    book: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Forecast what leveraged tokens will trade as the price moves, and at their next resets.

    SHELF.toml lists tokens in their present state: their series or target, and their books or
    assets. Where no such file exists, it is the name of a preset, in its state at launch.

    For each price on a ladder the forecast shows what bands, moves and emergencies trade on the
    way there and what the venue liquidates. It also shows what each token's next scheduled reset
    trades if the price is then at that level. The rules are the same as in a simulation, to the
    last digit.
    """
    if out is not None:
        check_out(out, "--out", "page")
    from steelyard.analysis.forecast import LADDER
    from steelyard.analysis.forecast import forecast as forecast_shelf

    found = forecast_shelf(
        _find_shelf(shelf),
        price=price,
        time=time,
        ladder=LADDER if ladder is None else ladder,
        daily_volume=daily_volume,
        impact=impact,
        book=book,
    )
    if out is not None:
        found.save(out)
    for remark in _remarks(found):
        note(f"note: {remark}")
    if as_json:
        emit_json({**found.figures, "report": None if out is None else str(out)})
    else:
        show_document(found.document())
    if out is not None:
        note(f"wrote {out}: open it in a browser")


def _find_shelf(name: str) -> Shelf:
    """The shelf file ``name``, or a shelf that holds only the preset of that name."""
    from steelyard.analysis.shelf import Shelf
    from steelyard.rules.presets import preset, preset_names

    if not os.path.lexists(name) and name in preset_names():
        return Shelf.of_series(preset(name))
    shelf = Shelf.load(name)
    _say_what_is_read(Path(name))
    return shelf


def _say_what_is_read(shelf: Path) -> None:
    """Register the series files and books that a shelf names, so that they are not overwritten."""
    import tomllib

    tables = tomllib.loads(shelf.read_text(encoding="utf-8-sig"))["token"]
    for name in {table["series"] for table in tables if "series" in table}:
        file = shelf.parent / name
        if file.is_file():
            is_read(file)
            find_series(str(file))


def _remarks(found: Forecast) -> Iterator[str]:
    """What the figures do not include, with the tokens that it concerns."""
    concerns: dict[str, list[str]] = {}

    def about(remark: str, name: str) -> None:
        concerns.setdefault(remark, []).append(name)

    for token in found.tokens:
        how = token.series.rebalance
        if how.volatility is not None:
            about(
                "the forecast leaves out a volatility trigger, which depends on the path.",
                token.name,
            )
        if how.max_trade_notional > 0:
            about("only the first clip of a rebalance is shown on the way to a price.", token.name)
        if token.series.execution.delay_s:
            about("orders are shown at the price of the decision, not at their fill.", token.name)
        if token.series.follows_the_market:
            about("trade sizes leave out an impact that depends on the market.", token.name)
        if any(flow.trigger == "liquidation" for flow in token.now):
            about(
                "is liquidated at once: such a position cannot exist at the present price.",
                token.name,
            )
        elif token.now:
            about("trades at once: a trigger is already met at the present price.", token.name)
    for remark, names in concerns.items():
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""  # noqa: PLR2004 (as shown)
        yield f"{', '.join(names[:3])}{more}: {remark}"
