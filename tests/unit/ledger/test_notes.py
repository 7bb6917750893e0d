"""Signed heads: the form of transparency logs, and nobody else's signature."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.ledger import (
    Head,
    PublicKey,
    SignedHead,
    new_key,
    open_head,
    read_key,
    read_public_key,
    sign_head,
    write_key,
)

NAME = "example.com/btc3l"
KEY = new_key(NAME)
HEAD = Head(1234, hashlib.sha256(b"x").digest())
NOTE = sign_head(HEAD, KEY)

# The published example key of https://pkg.go.dev/golang.org/x/mod/sumdb/note, both halves.
OTHER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # noqa: S105 (published)
OTHER_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_head_is_a_signed_note() -> None:
    """Byte by byte as https://c2sp.org/signed-note and tlog-checkpoint say."""
    text, signature = NOTE.split("\n\n")
    root = base64.b64encode(HEAD.hash).decode()
    assert text == f"{NAME}\n1234\n{root}"
    dash, name, encoded = signature.split(" ")
    assert (dash, name) == ("—", NAME)
    assert encoded.endswith("\n")
    raw = base64.b64decode(encoded[:-1], validate=True)
    public = KEY.public.key
    assert raw[:4] == hashlib.sha256(NAME.encode() + b"\n\x01" + public).digest()[:4]
    Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{text}\n".encode())


def test_the_keys_of_other_programs_are_read(tmp_path: Path) -> None:
    """A key pair of Go's package is read as it is written, and its halves belong together."""
    path = tmp_path / "other.key"
    path.write_text(f"{OTHER_SECRET}\n")
    path.chmod(0o600)
    key = read_key(path)
    assert key.secret_line() == OTHER_SECRET
    assert str(key.public) == OTHER_PUBLIC
    assert PublicKey.parse(OTHER_PUBLIC) == key.public
    assert open_head(sign_head(HEAD, key), key.public) == SignedHead("PeterNeumann", HEAD)


@given(st.integers(0, 10**17), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_opened(size: int, digest: bytes) -> None:
    """By the public key, as it is written."""
    head = Head(size, digest)
    key = PublicKey.parse(str(KEY.public))
    assert open_head(sign_head(head, KEY), key) == SignedHead(NAME, head)


def test_a_head_of_another_key_is_refused() -> None:
    """Another name, the same name with another key; the message says which was found."""
    for other in (new_key("example.com/other"), new_key(NAME)):
        with pytest.raises(InputError, match="another key's") as caught:
            open_head(NOTE, other.public)
        assert f"{NAME}+{KEY.public.id.hex()}" in str(caught.value)


def test_signatures_of_others_beside_ours_are_ignored() -> None:
    """A witness may have signed too, before or after."""
    other = sign_head(HEAD, new_key("witness.example")).rpartition("\n\n")[2]
    text, _, ours = NOTE.rpartition("\n\n")
    for lines in (ours + other, other + ours):
        assert open_head(f"{text}\n\n{lines}", KEY.public).head == HEAD


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_no_letter_of_a_head_can_be_changed(place: int, letter: str) -> None:
    """A head with another letter anywhere says nothing."""
    changed = NOTE[:place] + letter + NOTE[place + 1 :]
    if changed != NOTE:
        try:
            found = open_head(changed, KEY.public)
        except InputError:
            return
        # Base64 has spare bits at its end: another letter there may mean the same bytes.
        assert place == len(NOTE) - 3
        assert found.head == HEAD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        NOTE.rstrip("\n"),
        NOTE.replace("—", "--"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("\n", "\r\n"),
        "x" * 200_000,
        NOTE + "\n",
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    """The message says what a head is and where it comes from."""
    with pytest.raises(InputError, match=r"^head: expected"):
        open_head(text, KEY.public)


@pytest.mark.parametrize("text", [f"{NAME}\n1\n", f"{NAME}\n01\nAA==\n", f"{NAME}\n-1\nAAAA\n"])
def test_what_was_signed_must_be_a_checkpoint(text: str) -> None:
    """Our own signature under another text makes no head of it."""
    signed = base64.b64encode(KEY.public.id + KEY.sign(text.encode())).decode()
    with pytest.raises(InputError, match=r"^head: expected"):
        open_head(f"{text}\n— {NAME} {signed}\n", KEY.public)


def test_the_origin_is_the_keys_name() -> None:
    """A key signs for its own journal only."""
    root = base64.b64encode(HEAD.hash).decode()
    text = f"example.com/other\n1\n{root}\n"
    signed = base64.b64encode(KEY.public.id + KEY.sign(text.encode())).decode()
    with pytest.raises(InputError, match="origin"):
        open_head(f"{text}\n— {NAME} {signed}\n", KEY.public)


def test_a_key_file_is_its_owners(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask, the key comes back, and no file is ever replaced."""
    path = tmp_path / "a.key"
    mask = os.umask(0)
    try:
        write_key(path, KEY)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path).public == KEY.public
    assert path.read_text().startswith(f"PRIVATE+KEY+{NAME}+{KEY.public.id.hex()}+")
    with pytest.raises(InputError, match="never replaced"):
        write_key(path, new_key("b"))
    assert read_key(path).public == KEY.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """By anybody but its owner, in any way."""
    path = tmp_path / "a.key"
    write_key(path, KEY)
    path.chmod(mode)
    with pytest.raises(InputError, match=f"{mode:04o}"):
        read_key(path)


def test_wrong_key_files(tmp_path: Path) -> None:
    """None, a folder, another text, a changed letter."""
    path = tmp_path / "a.key"
    with pytest.raises(InputError, match="journal key new"):
        read_key(path)
    with pytest.raises(InputError, match="key file"):
        read_key(tmp_path)
    write_key(path, KEY)
    line = path.read_text()
    for text in (
        "hello",
        str(KEY.public),
        line.replace(NAME, "example.com/x"),
        line[:-9],
        line[:12],
    ):
        path.write_text(text)
        with pytest.raises(InputError):
            read_key(path)


def test_a_secret_is_not_shown() -> None:
    """Neither ``repr`` nor a public key holds it."""
    seed = base64.b64encode(b"\x01" + KEY._seed).decode()
    assert seed in KEY.secret_line()
    assert seed not in repr(KEY) + str(KEY) + str(KEY.public)
    assert repr(KEY._seed) not in repr(KEY)


def test_a_public_key_by_text_or_file(tmp_path: Path) -> None:
    """As text, in a file of its own, or from the key file; a changed letter is found."""
    path = tmp_path / "a.key"
    write_key(path, KEY)
    public = tmp_path / "a.key.pub"
    public.write_text(f"{KEY.public}\n")
    for text in (str(KEY.public), str(public), str(path)):
        assert read_public_key(text) == KEY.public
    for wrong in ("nowhere", f"x{KEY.public}", str(KEY.public)[:-4], "a+b", "a++AAAA"):
        with pytest.raises(InputError):
            read_public_key(wrong)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\u00a0b", "\u2028"])
def test_a_name_that_no_note_can_hold(name: str) -> None:
    """Empty, with a space of any kind or a plus sign."""
    with pytest.raises(InputError, match="key name"):
        new_key(name)
