"""Funding, rates and injections: what is read, and what is refused by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steelyard.market import read_funding, read_injections, read_rates
from support.tables import bars_text, file_of, packed, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_funding(tmp_path: Path) -> None:
    """Rates are fractions of either sign, at instants cut to whole seconds."""
    text = "time,rate\n1577836800008,0.0001\n1577865600000,-0.00375\n1577894400001,0\n"
    for content in (text, packed(text)):
        funding = read_funding(file_of(tmp_path, content))
        assert funding.time.tolist() == [1577836800, 1577865600, 1577894400]
        assert funding.rate.tolist() == [0.0001, -0.00375, 0.0]
        assert len(funding) == 3
    assert read_funding(funding) is funding


@pytest.mark.parametrize(
    "header",
    [
        "symbol,fundingTime,fundingRate",
        "symbol,calc_time,last_funding_rate",
        "symbol,Date,Funding Rate",
        "mark,timestamp,rate",
    ],
)
def test_exchanges_names(tmp_path: Path, header: str) -> None:
    """The columns that exchanges call otherwise are known."""
    funding = read_funding(file_of(tmp_path, header + "\nX,1577836800000,0.0001\n"))
    assert funding.rate.tolist() == [0.0001]


def test_rates(tmp_path: Path) -> None:
    """Rates per year are fractions; below zero they have been."""
    rates = read_rates(file_of(tmp_path, "date,rate\n2020-01-01,0.0155\n2020-03-25,-0.0005\n"))
    assert rates.rate.tolist() == [0.0155, -0.0005]
    assert read_rates(rates) is rates


def test_injections(tmp_path: Path) -> None:
    """Both kinds may come at one instant, and one row may be all."""
    text = "time,quote,kind\n100,5000,capital\n100,12.5,trading_fees\n200,1,capital\n"
    injections = read_injections(file_of(tmp_path, text))
    assert injections.time.tolist() == [100, 100, 200]
    assert injections.quote.tolist() == [5000, 12.5, 1]
    assert injections.kind == ("capital", "trading_fees", "capital")
    assert len(injections) == 3
    assert read_injections(injections) is injections


@pytest.mark.parametrize("reader", [read_funding, read_rates])
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1,0.1\n1,0.2", "row 2 (line 3), time"),
        ("2,0.1\n1,0.2", "row 2 (line 3), time"),
        ("1,0.1\n2,nan", "row 2 (line 3), rate"),
        ("1,0.1\n2,inf", "row 2 (line 3), rate"),
        ("1,0.1\n2,5.14", "divide percent by 100"),
        ("1,0.1\n2,-1.01", "divide percent by 100"),
        ("1,0.1\n2,0.01%", "row 2 (line 3), rate"),
        ("1,0.1\n2,", "an empty cell"),
        ("", "no rows"),
    ],
)
def test_rates_that_are_refused(
    tmp_path: Path, reader: Callable[[Any], object], rows: str, words: str
) -> None:
    """Out of order, duplicate, not finite, or so large that it is percent: the row is named."""
    assert words in str(refusal(file_of(tmp_path, f"time,rate\n{rows}\n"), reader))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1,5,capital\n1,6,capital", "row 2 (line 3), kind"),
        ("2,5,capital\n1,6,capital", "row 2 (line 3), time"),
        ("1,0,capital", "row 1 (line 2), quote"),
        ("1,-5,capital", "row 1 (line 2), quote"),
        ("1,inf,capital", "row 1 (line 2), quote"),
        ("1,nan,capital", "row 1 (line 2), quote"),
        ("1,5,gift", "capital or trading_fees; found 'gift'"),
        ("1,5,Capital", "capital or trading_fees; found 'Capital'"),
        ("1,5,", "an empty cell"),
        ("1,5,capital\nx,5,capital", "row 2 (line 3), time"),
        ("1,5,capital\n2,5,capital\n2,0,gift", "row 3 (line 4), kind"),
        ("", "no rows"),
    ],
)
def test_injections_that_are_refused(tmp_path: Path, rows: str, words: str) -> None:
    """Only amounts above 0, of a known kind, in order and once."""
    assert words in str(refusal(file_of(tmp_path, f"time,quote,kind\n{rows}\n"), read_injections))


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (read_funding, "time,rate"),
        (read_rates, "time,rate (rate per year"),
        (read_injections, "time,quote,kind"),
    ],
)
def test_other_tables_are_refused(
    tmp_path: Path, reader: Callable[[Any], object], expected: str
) -> None:
    """A price file, a file without a header and a missing one say which columns are expected."""
    assert expected in str(refusal(file_of(tmp_path, bars_text()), reader))
    assert expected in str(refusal(file_of(tmp_path, "1,2,3\n"), reader))
    assert "no such file" in str(refusal(tmp_path / "absent", reader))
