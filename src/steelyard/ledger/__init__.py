"""The journal: an append-only, hash-chained record of the events of any number of funds.

``events`` defines an event, with ``kinds``, ``canonical_json`` and ``amounts``. ``sqlite_store``
and ``postgres_store`` store events, each over its own connection module. ``writer`` appends events
and ``journal`` reads them. The other modules verify, sign and export: ``proofs``, ``notes``,
``keys``, ``exports``.
"""

from __future__ import annotations

import steelyard.ledger.fund_kinds
import steelyard.ledger.keeper_kinds  # noqa: F401 (their kinds are in the table from here on)
from steelyard.errors import Fenced, JournalError
from steelyard.ledger.amounts import amount_text, decimal_of, float_of
from steelyard.ledger.canonical_json import canonical, parsed
from steelyard.ledger.event_rows import GENESIS, Event, Head, Row, link
from steelyard.ledger.journal import Journal, Snapshot
from steelyard.ledger.keys import (
    PublicKey,
    SigningKey,
    new_key,
    read_key,
    read_public_key,
    write_key,
)
from steelyard.ledger.kinds import Kind, all_kinds, kind_of, register_kind
from steelyard.ledger.notes import SignedHead, open_head, sign_head
from steelyard.ledger.proofs import Check, Finding, Proof, Verdict, verify_rows
from steelyard.ledger.writer import Writer, open_writer

__all__ = [
    "GENESIS",
    "Check",
    "Event",
    "Fenced",
    "Finding",
    "Head",
    "Journal",
    "JournalError",
    "Kind",
    "Proof",
    "PublicKey",
    "Row",
    "SignedHead",
    "SigningKey",
    "Snapshot",
    "Verdict",
    "Writer",
    "all_kinds",
    "amount_text",
    "canonical",
    "decimal_of",
    "float_of",
    "kind_of",
    "link",
    "new_key",
    "open_head",
    "open_writer",
    "parsed",
    "read_key",
    "read_public_key",
    "register_kind",
    "sign_head",
    "verify_rows",
    "write_key",
]
