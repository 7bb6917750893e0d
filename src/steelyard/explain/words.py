"""An explanation in words and rows: for a terminal, for a notebook, for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from steelyard.explain.shown import ShownExplanation, ShownTracking

__all__ = [
    "HORIZON_HEADING",
    "MEANINGS",
    "Line",
    "aligned",
    "as_html",
    "as_text",
    "headline",
    "horizon_cells",
    "lines",
    "points",
    "quoted",
    "rounded",
    "share_words",
    "tracking_html",
    "tracking_text",
]

MEANINGS: Mapping[str, str] = {
    "compounding": "a daily reset without costs, less that",
    "rule": "this rule without costs, less the daily reset",
    "fee": "exchange fees, on the run so far",
    "spread": "half spreads",
    "impact": "price impact of its own trades",
    "gas": "gas",
    "basis": "the future's basis, paid or earned as it runs down",
    "funding": "funding",
    "interest": "interest",
    "management": "the management fee",
    "reserve": "what the reserve paid, and what its suspensions changed",
}
"""What each step is, in short."""

HORIZON_HEADING = ("days", "spans", "slope", "R2", "error", "difference")


class Line(NamedTuple):
    """A line of the table: a name, its share of nav and its quote, and what it is."""

    name: str
    share: float
    quote: float
    meaning: str


def lines(found: ShownExplanation) -> list[Line]:
    """L times the underlying, each step that is there, and the token, over the whole life."""
    life = {name: values[0] for name, values in found.columns().items()}
    assets = float(life["assets"])
    series = found.run.series
    times = f"{found.target:g} x {series.underlying}"
    told = [Line(times, float(life["multiple"]), 0.0, f"{points(life['underlying'])} x L")]
    for name, share in found.steps.items():
        if share or name in ("compounding", "rule"):
            told.append(Line(name, share, 0.0, MEANINGS[name]))
    told.append(Line(series.symbol, float(life["token"]), 0.0, "what a holder had, the sum"))
    return [line._replace(quote=line.share * assets) for line in told]


def headline(found: ShownExplanation) -> str:
    """One sentence: what the underlying did and what the token did."""
    figures = found.figures()
    asset, token = figures["underlying"]["return"], figures["token"]["return"]
    series = found.run.series
    return (
        f"{series.underlying} {_moved(asset)} and {series.symbol} {_moved(token)}, from "
        f"{figures['start'][:10]} to {figures['end'][:10]}: {_apart(figures['total']['return'])} "
        f"{found.target:g} times the underlying."
    )


def points(share: float) -> str:
    """A share in points of return, signed: ``-12.34``; a step of nothing is ``0``."""
    return "0" if share == 0 else rounded(share * 100, 2, signed=True)


def rounded(value: float, decimals: int, *, signed: bool = False) -> str:
    """A figure with thousands separators; what rounds to zero has no sign."""
    text = f"{value:{'+' if signed else ''}z,.{decimals}f}"
    return text if any(digit in text for digit in "123456789") else text.lstrip("+")


def quoted(line: Line) -> str:
    """A line's amount of quote, whole."""
    return rounded(line.quote, 0, signed=True)


def as_text(found: ShownExplanation) -> str:
    """The table as plain text."""
    told = lines(found)
    quote = found.run.series.quote
    rows = [("", "points", quote, "")]
    rows += [(line.name, points(line.share), quoted(line), line.meaning) for line in told]
    return "\n".join([headline(found), "", *aligned(rows, words=1)])


def as_html(found: ShownExplanation) -> str:
    """The table for a notebook."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(line.name)}</th><td>{points(line.share)}</td>"
        f"<td>{quoted(line)}</td><td style='text-align:left'>{escape(line.meaning)}</td></tr>"
        for line in lines(found)
    )
    quote = escape(found.run.series.quote)
    return (
        f"<p>{escape(headline(found))}</p><table><thead><tr><th></th><th>points</th>"
        f"<th>{quote}</th><th></th></tr></thead><tbody>{rows}</tbody></table>"
    )


def tracking_text(found: ShownTracking) -> str:
    """The horizons as plain text."""
    return "\n".join([*aligned(_horizon_rows(found)), *_near_words(found)])


def tracking_html(found: ShownTracking) -> str:
    """The horizons for a notebook."""
    heading, *rows = _horizon_rows(found)
    head = "".join(f"<th>{cell}</th>" for cell in heading)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{'<br>'.join(_near_words(found))}</p>"
    )


def _horizon_rows(found: ShownTracking) -> list[tuple[str, ...]]:
    """A heading, and a row a horizon."""
    rows = found.figures["horizons"].items()
    return [
        HORIZON_HEADING,
        *((days, *horizon_cells(row)) for days, row in rows),
    ]


def _near_words(found: ShownTracking) -> list[str]:
    """Time outside the band, and how near to L times the day the days were."""
    figures = found.figures
    near = ", ".join(
        f"{float(share) * 100:g}: {share_words(met)}" for share, met in figures["within"].items()
    )
    outside = share_words(figures["outside_band"])
    return [f"outside the band: {outside}", f"days within points {near}"]


def horizon_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The figures of one horizon as text; what is undefined is a dash."""
    return (
        f"{row['spans']:,}",
        "-" if row["slope"] is None else f"{row['slope']:z.3f}",
        "-" if row["r2"] is None else f"{row['r2']:z.4f}",
        share_words(row["error"]),
        share_words(row["difference"], signed=True),
    )


def share_words(share: float | None, *, signed: bool = False) -> str:
    """A share in percent, or a dash."""
    if share is None:
        return "-"
    return rounded(share * 100, 2, signed=signed) + " %"


def _apart(share: float) -> str:
    return f"{abs(share) * 100:,.2f} points {'below' if share < 0 else 'above'}"


def _moved(share: float) -> str:
    word = "rose" if share > 0 else "fell" if share < 0 else "stood still"
    return f"{word} {abs(share) * 100:,.1f} %" if share else word


def aligned(rows: Sequence[Sequence[str]], *, first: int = 1, words: int = 0) -> list[str]:
    """Columns of one width; the ``first`` ones and the last ``words`` stand to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[:first] = [
            cell.ljust(width) for cell, width in zip(row, widths[:first], strict=False)
        ]
        cells[len(row) - words :] = row[len(row) - words :]
        told.append("  ".join(cells).rstrip())
    return told
