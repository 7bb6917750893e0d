"""``steelyard journal verify``: prove that a journal, or an export of one, was not changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.history_options import fund_options, history_options_of_a_run
from steelyard.cli.output import emit_json, show_document
from steelyard.cli.progress import counting, progress_bar
from steelyard.errors import InputError, InvariantError

if TYPE_CHECKING:
    from steelyard.ledger import Head, Verdict

__all__ = ["verified", "verify"]

SAID_BY_THE_JOURNAL = ("start", "end", "intrabar")


@click.command(
    cls=Command,
    examples=[
        "steelyard journal verify btc3l.journal",
        "steelyard journal verify btc3l.jsonl --json",
        "steelyard journal verify btc3l.journal --head monday.txt --key btc3l.key.pub",
        "steelyard journal verify btc3l.journal --prices BTC",
    ],
)
@click.argument("journal")
@click.option(
    "--head",
    "note_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A signed head, which detects a truncated or rewritten journal.",
)
@click.option(
    "--key", metavar="KEY", help="The public key that signed the head, or a file that holds it."
)
@history_options_of_a_run
@fund_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
@click.pass_context
def verify(
    context: click.Context,
    /,
    journal: str,
    note_file: Path | None,
    key: str | None,
    as_json: bool,
    prices: str | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Prove that a journal is whole, that its books add up and that the rules were kept.

    JOURNAL is a file, a URL, or an export in JSON lines. Events that are changed, missing,
    repeated or out of order are listed with their number and the reason, and the exit code is
    then 5. Only a signed head detects a truncated journal, or one whose hashes were all computed
    again. With --prices and the other inputs of "steelyard simulate", the run is repeated and
    compared event by event. Without them, the rules are checked against the observations that the
    journal records.
    """
    if prices is None and any(options.values()):
        raise click.UsageError("expected --prices together with the other inputs of a simulation.")
    for option in SAID_BY_THE_JOURNAL:
        if options.pop(option) is not None:
            raise click.UsageError(f"--{option}: expected none: the journal determines it.")
    if (note_file is None) != (key is None):
        raise click.UsageError("--head and --key go together: the key proves who signed the head.")
    head = None if note_file is None or key is None else _opened_head(note_file, key)
    verdict = verified(journal, head)
    if prices is not None:
        verdict = _with_prices(verdict, journal, prices, options)
    if as_json:
        emit_json(verdict.as_json())
    else:
        from steelyard.cli.journal_table import verdict_document

        show_document(verdict_document(journal, verdict))
    if not verdict.ok:
        context.exit(InvariantError.exit_code)


def _with_prices(verdict: Verdict, journal: str, name: str, options: dict[str, Any]) -> Verdict:
    """The verdict with the comparison of each row of a fund with a new simulation."""
    from steelyard.cli.input_lookup import by_symbol, find_feed
    from steelyard.ledger import Journal
    from steelyard.ledger.exports import is_export, read_export
    from steelyard.simulation.journal_anew import compare_anew, left_out, span_of

    if not verdict.proofs["chain"].ok:
        return verdict  # rows that cannot be trusted are not compared
    path = Path(journal)
    if is_export(path):
        rows = list(read_export(path))
    else:
        with Journal.open(journal) as opened:
            rows = list(opened.events())
    symbols = [row.fund for row in rows if row.kind == "series"]
    for each in ("flows", "splits", "wind_down"):
        option = f"--{each.replace('_', '-')}"
        options[each] = by_symbol(options[each], symbols, option) if symbols else {}
    found = compare_anew(rows, find_feed(name, options))
    return verdict.with_found("rules", found, span_of(rows), left=left_out(rows))


def verified(journal: str, head: Head | None = None) -> Verdict:
    """Verify a journal, or an export of one, from its rows alone."""
    from steelyard.ledger import Journal, verify_rows
    from steelyard.ledger.audit import Audit
    from steelyard.ledger.exports import is_export, read_export
    from steelyard.ledger.store import Damaged
    from steelyard.simulation.fills import ModelFills

    path = Path(journal)
    if is_export(path):
        return verify_rows(read_export(path), head=head, checks=[Audit(ModelFills())])
    with Journal.open(journal) as opened:
        try:
            total = opened.head().size
            snapshots = opened.snapshots()
        except Damaged:  # the proof reports it, with the last event that can be read
            total, snapshots = 0, []
        checks = [Audit(ModelFills(), snapshots)]
        with progress_bar("verifying", total) as bar:
            return verify_rows(counting(opened.all_rows(), bar), head=head, checks=checks)


def _opened_head(note_file: Path, key: str) -> Head:
    from steelyard.ledger import open_head, read_public_key

    public = read_public_key(key)
    try:
        text = note_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not valid UTF-8"
        message = f"{note_file}: expected a signed head, found nothing that can be read ({why})."
        raise InputError(message) from error
    return open_head(text, public).head
