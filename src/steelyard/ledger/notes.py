"""Signed heads: the head of a journal at one time, as a checkpoint of a transparency log.

    example.com/btc3l
    20852
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/btc3l Az3grl...

The first line is the origin, which is the name of the key; the second is the number of events; the
third is the base64 of the last event's hash. After a blank line each signature has one line: an em
dash, the key's name, and the base64 of the key's ID and the Ed25519 signature of the three lines.
The formats are https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint, with one
difference: a journal is a chain and not a Merkle tree, so the third line is the last hash of the
chain and not the root of a tree.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from steelyard.errors import InputError
from steelyard.ledger.event_rows import Head
from steelyard.ledger.keys import ID_BYTES, PublicKey, SigningKey

__all__ = ["SignedHead", "open_head", "sign_head"]

DASH = "\u2014"
MAX_NOTE_BYTES = 100_000
HASH_BYTES = 32
SIGNATURE_BYTES = 64

_LINE = re.compile(rf"{DASH} ([^\s+]+) ([A-Za-z0-9+/]+=*)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class SignedHead(NamedTuple):
    """A head with the name of its journal."""

    origin: str
    head: Head


def sign_head(head: Head, key: SigningKey) -> str:
    """The checkpoint of a journal whose name is that of the key."""
    root = base64.b64encode(head.hash).decode("ascii")
    text = f"{key.name}\n{head.size}\n{root}\n"
    signed = base64.b64encode(key.public.id + key.sign(text.encode())).decode("ascii")
    return f"{text}\n{DASH} {key.name} {signed}\n"


def open_head(note: str, key: PublicKey) -> SignedHead:
    """The content of a checkpoint, after the signature of ``key`` has been checked.

    Raises:
        InputError: the text is not a checkpoint, this key did not sign it, or it was changed later.
    """
    text, signatures = _split(note)
    mine = [raw for name, raw in signatures if (name, raw[:ID_BYTES]) == (key.name, key.id)]
    if not mine:
        names = ", ".join(f"{name}+{raw[:ID_BYTES].hex()}" for name, raw in signatures)
        message = (
            f"head: expected one signed by {key.name}+{key.id.hex()}, found one signed by {names}: "
            "it is another journal's, or another key's."
        )
        raise InputError(message, found=names)
    for raw in mine:
        signature = raw[ID_BYTES:]
        is_signed = len(signature) == SIGNATURE_BYTES and key.is_signature(signature, text.encode())
        if not is_signed:
            message = (
                f"head: the signature of {key.name} is not of this text: the head was changed "
                "after it was signed; download it again from where it was published."
            )
            raise InputError(message)
    origin, head = _checkpoint(text)
    if origin != key.name:
        message = f"head: expected the origin {key.name} (the key's name), found {origin!r}."
        raise InputError(message, found=origin)
    return SignedHead(origin, head)


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text, and the signatures with the names of their keys.

    Raises:
        InputError: the note is not a signed note.
    """
    text, blank, rest = note.rpartition("\n\n")
    is_note = blank and rest.endswith("\n") and len(note) <= MAX_NOTE_BYTES
    if not is_note or any(one < " " and one != "\n" for one in note):
        raise _no_head("a text, a blank line and lines of signatures")
    signatures = []
    for line in rest[:-1].split("\n"):
        match = _LINE.fullmatch(line)
        raw = b""
        if match is not None:
            try:
                raw = base64.b64decode(match[2], validate=True)
            except binascii.Error:
                raw = b""
        if match is None or len(raw) <= ID_BYTES:
            raise _no_head(f"lines of signatures ({DASH} NAME BASE64)")
        signatures.append((match[1], raw))
    return text + "\n", signatures


def _checkpoint(text: str) -> SignedHead:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):  # noqa: PLR2004 (origin, size, hash)
        raise _no_head("three lines: origin, size, hash")
    origin, size, root = lines[:3]
    try:
        digest = base64.b64decode(root, validate=True)
    except binascii.Error:
        digest = b""
    if not _SIZE.fullmatch(size) or len(digest) != HASH_BYTES:
        raise _no_head("a whole number as size and the base64 of 32 bytes as hash")
    return SignedHead(origin, Head(int(size), digest))


def _no_head(expected: str) -> InputError:
    message = (
        f"head: expected {expected}, found another text: a head is what "
        '"steelyard journal head" prints.'
    )
    return InputError(message)
