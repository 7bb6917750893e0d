"""``steelyard journal show``: print events of a journal by fund, kind and time."""

from __future__ import annotations

import difflib
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.input_lookup import InstantType
from steelyard.cli.output import emit_json, note, show_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steelyard.ledger import Journal, Row

__all__ = ["show"]

AT_ONCE = 50
MOST_NAMES = 20


@click.command(
    cls=Command,
    examples=[
        "steelyard journal show btc3l.journal --last 20",
        "steelyard journal show btc3l.journal --fund BTC3L --kind series --json",
        "steelyard journal show btc3l.journal --since 2020-03-12 --until 2020-03-13",
    ],
)
@click.argument("journal")
@click.option(
    "--fund", "funds", multiple=True, metavar="F", help="Only events of this fund; repeatable."
)
@click.option(
    "--kind", "kinds", multiple=True, metavar="K", help="Only events of this kind; repeatable."
)
@click.option("--since", type=InstantType(), metavar="T", help="First time, inclusive.")
@click.option("--until", type=InstantType(), metavar="T", help="Last time, exclusive.")
@click.option(
    "--after",
    type=click.IntRange(0),
    default=0,
    metavar="SEQ",
    help="Only events after this number.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=AT_ONCE,
    show_default=True,
    metavar="N",
    help="Print at most N events.",
)
@click.option(
    "--last",
    type=click.IntRange(1),
    metavar="N",
    help="Print the last N events instead of the first.",
)
@click.option("--full", is_flag=True, help="Print the kind and all fields of each event.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def show(
    journal: str,
    funds: tuple[str, ...],
    kinds: tuple[str, ...],
    since: int | None,
    until: int | None,
    after: int,
    limit: int,
    last: int | None,
    full: bool,
    as_json: bool,
) -> None:
    """Print events of a journal.

    JOURNAL is a file or a URL. Without filters the first events are printed; --last 20 prints the
    newest. The fund of an event is a symbol, price:UNDERLYING or reserve:NAME. Each event is one
    line; --full prints its kind and all its fields, and --json prints every digit.
    """
    from steelyard.ledger import Journal

    with Journal.open(journal) as opened:
        _check_funds(funds, opened)
        found = opened.events(
            after,
            fund=funds or None,
            kinds=kinds or None,
            since_ms=None if since is None else since * 1000,
            until_ms=None if until is None else until * 1000,
        )
        rows = list(islice(found, limit + 1)) if last is None else list(deque(found, last))
        place = opened.place
    if not rows:
        _check_kinds(kinds)
    is_cut = last is None and len(rows) > limit
    rows = rows[:limit] if is_cut else rows
    if as_json:
        events = [_event(row) for row in rows]
        emit_json({"schema": 1, "journal": place, "events": events, "more": is_cut})
    else:
        from steelyard.cli.journal_table import events_document

        show_document(events_document(rows, full=full))
    if is_cut:
        note(f"there are more: --after {rows[-1].seq} continues, --last {limit} shows the newest")


def _check_funds(funds: Sequence[str], opened: Journal) -> None:
    """Refuse the name of a fund that is not in the journal, and name those that are.

    Raises:
        click.BadParameter: a name is unknown.
    """
    if not funds:
        return
    there = opened.funds()
    for fund in funds:
        if fund not in there:
            more = f" and {len(there) - MOST_NAMES} more" if len(there) > MOST_NAMES else ""
            known = ", ".join(there[:MOST_NAMES]) or "none: the journal is empty"
            message = f"expected a fund of {opened.place} ({known}{more}), found {fund!r}."
            raise click.BadParameter(message, param_hint="--fund")


def _check_kinds(kinds: Sequence[str]) -> None:
    """Refuse an unknown kind; called where no event was found.

    Raises:
        click.BadParameter: a kind is not registered.
    """
    from steelyard.ledger import all_kinds

    names = sorted(kind.name for kind in all_kinds())
    for kind in kinds:
        if kind not in names:
            close = difflib.get_close_matches(kind, names, n=1)
            hint = f' Did you mean "{close[0]}"?' if close else ""
            message = f"expected one of {', '.join(names)}; found {kind!r}.{hint}"
            raise click.BadParameter(message, param_hint="--kind")


def _event(row: Row) -> dict[str, Any]:
    from steelyard.ledger.instants import time_text

    return {
        "seq": row.seq,
        "time": time_text(row.time_ms),
        "fund": row.fund,
        "kind": row.kind,
        "fields": row.fields,
        "hash": row.hash.hex(),
    }
