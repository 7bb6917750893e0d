"""The key and the secret of a venue account: where a keeper file says they are, never shown.

A keeper file holds neither. It says ``env:MAIN`` for the variables ``MAIN_KEY`` and
``MAIN_SECRET``, or ``file:PATH`` for a TOML file with ``key`` and ``secret`` that nobody but its
owner may read. No message here repeats what was found: it may be a secret in the wrong place.
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
OTHERS = 0o077
"""The bits of a file's mode that let anyone but its owner at it."""
LARGEST_FILE = 10_000
LONGEST = 1_000


class Secrets:
    """A key and a secret, which are shown nowhere by accident.

    Args:
        key: names the account to the venue.
        secret: signs what is asked of it.
    """

    __slots__ = ("key", "secret")

    def __init__(self, key: str, secret: str) -> None:
        self.key, self.secret = key, secret

    def __repr__(self) -> str:
        return f"Secrets({HIDDEN})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not copied or written")

    def hide(self, text: str) -> str:
        """A text that may hold them, such as a venue's own error, without them."""
        for each in sorted((self.key, self.secret), key=len, reverse=True):
            text = text.replace(each, HIDDEN)
        return text


def is_source(found: object) -> bool:
    """Whether this says where secrets are."""
    return isinstance(found, str) and found.isprintable() and bool(SOURCE.fullmatch(found))


def read_secrets(source: str, folder: Path, variables: Mapping[str, str] = os.environ) -> Secrets:
    """Read the key and the secret that a keeper file names.

    Args:
        source: ``env:NAME`` or ``file:PATH``.
        folder: of the keeper file; a path that is not absolute starts there.
        variables: the environment.

    Raises:
        InputError: one of them is missing, or the file may be read by others.
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
    path = folder / name
    with contextlib.suppress(RuntimeError):  # there is no such home
        path = folder / Path(name).expanduser()
    content = _content(path)
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        values = {}  # the parser's own error would show a part of it
    if set(values) != {"key", "secret"} or not all(map(_is_secret, values.values())):
        message = (
            f'{path}: expected two lines, key = "..." and secret = "...", found something else '
            "(not shown: it may hold a secret)."
        )
        raise InputError(message, file=str(path))
    return Secrets(values["key"], values["secret"])


def _content(path: Path) -> bytes:
    try:
        # a pipe without a writer would be waited for
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{path}: expected a file with key and secret, but it cannot be read: {reason}."
        raise InputError(message, file=str(path)) from error
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            message = f"{path}: expected a file with key and secret, found no regular file."
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
