"""``steelyard journal export`` and ``head``: write a journal's events to a file; print its head."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.cli.command_types import Command
from steelyard.cli.input_lookup import OutType
from steelyard.cli.output import emit_json, note
from steelyard.cli.overwriting import check_out, force_option
from steelyard.cli.progress import counting, progress_bar
from steelyard.errors import InputError, JournalError
from steelyard.report.number_format import counted

__all__ = ["export", "head"]


@click.command(
    cls=Command,
    examples=[
        "steelyard journal export btc3l.journal --out btc3l-2020.jsonl",
        "steelyard journal export btc3l.journal --out btc3l.parquet",
    ],
)
@click.argument("journal")
@click.option(
    "--out",
    required=True,
    type=OutType(),
    metavar="FILE",
    help="File to write: .jsonl (which can be verified), .csv or .parquet.",
)
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def export(journal: str, out: Path, as_json: bool) -> None:
    """Write all events of a journal to a file, one row for each event.

    JOURNAL is a file or a URL. Each line of JSON holds the exact bytes that were hashed, so that
    "steelyard journal verify", or a short script, can check the hash chain of the file.
    """
    from steelyard.ledger import Journal
    from steelyard.ledger.exports import export_format, write_export
    from steelyard.report.writing import written_whole

    try:
        how = export_format(out)
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--out") from error
    check_out(out, "--out", "table")
    with Journal.open(journal) as opened:
        total = opened.head().size
        try:
            with written_whole(out) as stage, progress_bar("writing", total) as bar:
                written = write_export(counting(opened.events(), bar), stage, how)
        except OSError as error:
            message = f"{out}: cannot be written: {error.strerror}. No part of it was kept."
            raise JournalError(message, place=str(out)) from error
    if as_json:
        report = {"schema": 1, "out": str(out), "format": how, "events": written.size}
        emit_json({**report, "head": written.hash.hex()})
    else:
        click.echo(f"{out}: {counted(written.size, 'event')}")


@click.command(
    cls=Command,
    examples=[
        "steelyard journal head btc3l.journal",
        "steelyard journal head btc3l.journal --key btc3l.key",
    ],
)
@click.argument("journal")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Sign the head with this key file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def head(journal: str, key: Path | None, as_json: bool) -> None:
    """Print the head of a journal: the number of its events and the hash of the last one.

    JOURNAL is a file or a URL. With --key the head is a signed note, as transparency logs publish
    them. Whoever keeps it can prove later that the journal was truncated or rewritten. "steelyard
    journal key new" creates a key.
    """
    from steelyard.ledger import Journal, read_key, sign_head

    signing = None if key is None else read_key(key)
    with Journal.open(journal) as opened:
        end = opened.head()
    signed = None if signing is None else sign_head(end, signing)
    if as_json:
        origin = None if signing is None else signing.name
        report = {"schema": 1, "origin": origin, "size": end.size, "hash": end.hash.hex()}
        emit_json({**report, "note": signed})
    elif signed is not None:
        click.echo(signed, nl=False)
    else:
        click.echo(f"{end.size}\n{end.hash.hex()}")
        note("the head is not signed: --key FILE signs it")
