"""The key and the secret of a venue account: where they are read from, and how they stay hidden.

A keeper file holds neither. It names their source: ``env:MAIN`` for the variables ``MAIN_KEY`` and
``MAIN_SECRET``, or ``file:PATH`` for a TOML file that only its owner may read. That file has
``key`` and one means of signing: ``secret`` (HMAC), or an Ed25519 private key in PEM, as text
(``private_key``) or in its own file (``private_key_file``). No message of this module repeats what
was found, since it may be a secret in the wrong place.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from steelyard.errors import InputError

__all__ = ["EXPECTED", "HIDDEN", "Secrets", "is_source", "read_secrets"]

EXPECTED = '"env:NAME" (the variables NAME_KEY and NAME_SECRET) or "file:PATH"'
HIDDEN = "***"
SOURCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.*[^\s/]")
SIGNATURE = re.compile(
    r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])"
    r"|(?:[A-Za-z0-9+/_-]|%2[BbFf]){86}(?:==|%3[Dd]%3[Dd])"
)
"""Of a request: HMAC-SHA256 in hex, or Ed25519 in base 64, as text or in an address."""
OTHERS = 0o077
"""The bits of a file's mode that give anyone except its owner access."""
SIGNS = frozenset({"secret", "private_key", "private_key_file"})
LARGEST_FILE = 10_000
LONGEST = 1_000


class Secrets:
    """A key and a secret, which cannot be shown by accident.

    Args:
        key: identifies the account to the venue.
        secret: signs requests; an Ed25519 key is given as its PEM.
    """

    __slots__ = ("key", "secret")

    def __init__(self, key: str, secret: str) -> None:
        self.key, self.secret = key, secret

    def __repr__(self) -> str:
        return f"Secrets({HIDDEN})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not copied or written")

    def hide(self, text: str) -> str:
        """A text that may contain them, such as a venue's error, without them and any signature.

        Each is replaced by ``***``.
        """
        lines = [each for each in self.secret.splitlines() if each and not each.startswith("---")]
        for each in sorted({self.key, self.secret, *lines}, key=len, reverse=True):
            text = text.replace(each, HIDDEN)
        return SIGNATURE.sub(HIDDEN, text)


def is_source(found: object) -> bool:
    """Whether ``found`` is a valid source of secrets."""
    return isinstance(found, str) and found.isprintable() and bool(SOURCE.fullmatch(found))


def read_secrets(source: str, folder: Path, variables: Mapping[str, str] = os.environ) -> Secrets:
    """Read the key and the secret that a keeper file names.

    Args:
        source: ``env:NAME`` or ``file:PATH``.
        folder: the folder of the keeper file, where relative paths start.
        variables: the environment variables.

    Raises:
        InputError: the key or the secret is missing, or others may read the file.
    """
    kind, _, name = source.partition(":")
    if kind == "env":
        return Secrets(*(_variable(f"{name}_{each}", variables) for each in ("KEY", "SECRET")))
    return _of_file(folder, name)


def _variable(name: str, variables: Mapping[str, str]) -> str:
    found = variables.get(name)
    if found is None or not _is_secret(found):
        what = "nothing" if not found else "a text with blanks, or a very long one (not shown)"
        message = f"{name}: expected a key or secret in this environment variable, found {what}."
        raise InputError(message, variable=name)
    return found


def _of_file(folder: Path, name: str) -> Secrets:
    path = _beside(folder, name)
    content = _content(path, "key and secret", path)
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        values = {}  # the parser's own error would show part of the file
    signs = SIGNS & values.keys()
    is_whole = set(values) == {"key", *signs} and len(signs) == 1
    if not is_whole or not _is_secret(values["key"]) or not _signs(values):
        message = (
            f'{path}: expected two lines, key = "..." and secret = "...", or, of an Ed25519 key, '
            'key = "..." and private_key_file = "PATH" (or its PEM as private_key), found '
            "something else (not shown: it may hold a secret)."
        )
        raise InputError(message, file=str(path))
    if "private_key" in values:
        return Secrets(values["key"], _ed25519(values["private_key"].strip().encode(), path))
    if "private_key_file" in values:
        beside = _beside(path.parent, values["private_key_file"])
        content = _content(beside, "a private key (private_key_file, not shown)", path)
        return Secrets(values["key"], _ed25519(content, beside))
    return Secrets(values["key"], values["secret"])


def _signs(values: Mapping[str, object]) -> bool:
    """Whether the means of signing has the form that its name requires."""
    if "secret" in values:
        return _is_secret(values["secret"])
    text = values.get("private_key", values.get("private_key_file"))
    return isinstance(text, str) and 0 < len(text) <= LARGEST_FILE


def _beside(folder: Path, name: str) -> Path:
    with contextlib.suppress(RuntimeError):  # there is no such home folder
        return folder / Path(name).expanduser()
    return folder / name


def _ed25519(content: bytes, path: Path) -> str:
    """An Ed25519 private key as PEM, in the one form that ccxt tells from an RSA key.

    Raises:
        InputError: the content is another kind of key, is locked by a passphrase, or is no key.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            load_pem_private_key,
        )
    except ImportError as error:
        message = f"{path}: an Ed25519 key needs cryptography, which comes with ccxt."
        raise InputError(message, missing="cryptography") from error
    found = "something else (not shown: it may hold a secret)"
    try:
        key = load_pem_private_key(content, None)
    except TypeError:
        found = "one that is locked by a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        pass
    else:
        if isinstance(key, Ed25519PrivateKey):
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return pem.decode().strip()
        found = "a private key of another kind"
    message = f"{path}: expected an Ed25519 private key in PEM, found {found}."
    raise InputError(message, file=str(path))


def _content(path: Path, what: str, shown: Path) -> bytes:
    """The content of a file that only its owner may access.

    Errors name ``shown`` if the file cannot be opened, since the given path may itself be a secret.
    """
    try:
        # without O_NONBLOCK, opening a pipe without a writer would wait for ever
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a file"
        message = f"{shown}: expected a file with {what}, but it cannot be read: {reason}."
        raise InputError(message, file=str(shown)) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            message = f"{path}: expected a file with {what}, found no regular file."
            raise InputError(message, file=str(path))
        if os.name == "posix" and found.st_mode & OTHERS:
            mode = f"{stat.S_IMODE(found.st_mode):03o}"
            message = (
                f"{path}: expected a file that its owner alone may read and write, found mode "
                f"{mode}: it holds a secret. Say: chmod 600 {path}"
            )
            raise InputError(message, file=str(path), found=mode)
        return os.read(handle, LARGEST_FILE)
    finally:
        os.close(handle)


def _is_secret(found: object) -> bool:
    return (
        isinstance(found, str)
        and 0 < len(found) <= LONGEST
        and found.isprintable()
        and not any(map(str.isspace, found))
    )
