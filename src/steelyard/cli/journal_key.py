"""``steelyard journal key new``: a key that signs the heads of a journal."""

from __future__ import annotations

import os
from pathlib import Path

import click

from steelyard.cli.command_types import Command
from steelyard.cli.output import emit_json, note
from steelyard.cli.overwriting import check_out

__all__ = ["new"]


@click.command(
    cls=Command,
    examples=["steelyard journal key new fund.key --name example.com/fund"],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--name",
    required=True,
    metavar="NAME",
    help="The journal's name, preferably a URL without https://.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def new(file: Path, name: str, as_json: bool) -> None:
    """Create a key in FILE, which only its owner can read, and print its public half.

    The public key is also written to FILE.pub. Publish it, because holders check heads with it.
    Keep FILE itself secret and keep a copy, because a lost key cannot be recovered.
    """
    from steelyard.ledger import new_key, write_key

    beside = Path(f"{file}.pub")
    if not os.path.lexists(file):  # write_key refuses a FILE that exists
        check_out(beside, "FILE", "table")
    key = new_key(name)
    public = str(key.public)
    write_key(file, key)
    beside.write_text(f"{public}\n", encoding="utf-8")
    if as_json:
        emit_json({"schema": 1, "file": str(file), "name": name, "public": public})
        return
    click.echo(public)
    note(f"wrote {file} (keep it secret) and {beside} (publish it)")
