"""``steelyard data``: what a price file holds."""

from __future__ import annotations

from typing import Any

import click

from steelyard.cli.commands import Command
from steelyard.cli.inputs import find_prices
from steelyard.cli.output import emit_json

__all__ = ["check"]


@click.command(
    cls=Command,
    examples=["steelyard data check BTC", "steelyard data check ETH --json"],
)
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def check(file: str, as_json: bool) -> None:
    """Say what a price file holds, or what is wrong with it.

    FILE is CSV (also .gz) or Parquet; where there is no such file, BTC or ETH, the bundled daily
    history of 2020 to 2022.
    """
    prices = find_prices(file)
    from steelyard.market import check_report

    report: dict[str, Any] = {"schema": 1, **check_report(prices)}
    if as_json:
        emit_json(report)
    else:
        from steelyard.cli.data_table import print_report

        print_report(report)
