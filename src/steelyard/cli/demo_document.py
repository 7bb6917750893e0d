"""The presets' runs as a document: a table per asset, the crash of March 2020, and each run."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.cli.preset_runs import ASSETS, SOURCE, PresetRun, crash_of, way_of
from steelyard.report.document import Block, Document, Paragraph, Section
from steelyard.report.number_format import counted, multiple, number, percent
from steelyard.rules.presets import preset_title
from steelyard.simulation.report_input import report_run
from steelyard.simulation.runs_document import runs_document, runs_table

__all__ = ["demo_document"]

CRASHED = ("ftx-bull", "ftx-hedge")
RESET = (
    "The column of the daily reset shows another rule beside each token's own: it returns to the "
    "same target at each close and trades without cost. At 3x a day of -33.3 % wipes it out."
)


def demo_document(runs: Sequence[PresetRun]) -> Document:
    """The document of all presets over the bundled history."""
    crashes = [_crash(each) for each in runs if each.name in CRASHED and each.asset == "BTC"]
    blocks: list[Block] = [_of_asset([each for each in runs if each.asset == a]) for a in ASSETS]
    blocks.append(Section("12 March 2020", [Paragraph(words) for words in crashes]))
    blocks.append(Paragraph(f"{RESET} {SOURCE}.", "small"))
    return runs_document(
        [each.run for each in runs],
        [each.run.series.symbol for each in runs],
        title="Leveraged tokens, 2020 to 2022",
        titles=[f"{preset_title(each.name)} on {each.asset}" for each in runs],
        blocks=blocks,
    )


def _of_asset(runs: Sequence[PresetRun]) -> Section:
    told = [Paragraph(_way(each)) for each in runs if each.name == CRASHED[0]]
    table = runs_table(
        [report_run(each.run) for each in runs],
        [each.name for each in runs],
        [each.run.series.symbol for each in runs],
    )
    return Section(_heading(runs[0]), [*told, table])


def _heading(each: PresetRun) -> str:
    figures = each.run.summary["underlying"]
    change = percent(figures["return"], signed=True)
    ends = f"{number(figures['initial'], 0)} to {number(figures['final'], 0)}"
    return f"{each.asset}, daily, 2020 to 2022: {ends} USD, {change}"


def _way(each: PresetRun) -> str:
    """How the underlying's return became the token's."""
    way, figures = way_of(each), each.run.summary["underlying"]
    change, target = percent(figures["return"], signed=True), each.run.series.target_leverage
    if way is None:
        return f"{each.name} was wiped out."
    became = percent(way.final / 100 - 1, signed=True)
    even, swung, final = number(way.even, 0), number(way.without_costs, 2), number(way.final, 2)
    return (
        f"{each.asset}'s {change} became {became} for {each.name}, which turned 100 into {final}. "
        f"If {each.asset} had risen evenly, {multiple(target)} would have turned 100 into {even}. "
        f"Its swings left {swung}, because a {multiple(target)} token buys after rises and sells "
        f"after falls; trading costs left {final}."
    )


def _crash(each: PresetRun) -> str:
    found = crash_of(each.run)
    if found is None:
        return f"{each.name} was wiped out before that day."
    times = counted(found.rebalances, "rebalance")
    return (
        f"{each.name}: {percent(found.token, signed=True)} with {times} in the day; "
        f"{multiple(each.run.series.target_leverage)} BTC's "
        f"{percent(found.underlying, signed=True)} would be {percent(found.naive, signed=True)}."
    )
