"""Reading of TOML files that people write, with one form of message for all errors.

A message names the file, the key, the value found and the values allowed, and suggests a key in
place of a misspelt one. The keys of each kind of file are listed in the module that reads it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from steelyard.arguments import text_of
from steelyard.errors import InputError
from steelyard.rules.series_keys import Reader

__all__ = ["TomlFile", "toml_content", "toml_document"]

LARGEST_FILE = 1_000_000
LONGEST_SHOWN = 80


def toml_content(path: Path, kind: str) -> str:
    """The text of the file at ``path``; ``kind`` names what it should be, as ``a series file``.

    Raises:
        InputError: the file cannot be read, is larger than a megabyte, or is not valid UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: the path contains a NUL
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{path}: expected {kind} (TOML), but it cannot be read: {reason}."
        raise InputError(message, file=str(path)) from error
    if len(raw) > LARGEST_FILE:
        message = f"{path}: expected {kind} (TOML), found more than a megabyte."
        raise InputError(message, file=str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path}: expected {kind} (TOML in UTF-8), found invalid UTF-8."
        raise InputError(message, file=str(path)) from error


def toml_document(content: str, name: str, kind: str) -> dict[str, Any]:
    """Parse TOML text; ``name`` stands for the file in messages.

    Raises:
        InputError: the text is not valid TOML.
    """
    try:
        return tomllib.loads(text_of("text", content))
    except (ValueError, RecursionError) as error:  # ValueError: also an int of 4,300 digits
        message = f"{name}: expected {kind} (TOML), but it cannot be parsed: {error}."
        raise InputError(message, file=name) from error


class TomlFile:
    """One file that is being read; its name appears in every message."""

    def __init__(self, name: str) -> None:
        self.name = name

    def refuse(self, key: str, expected: str, found: object) -> NoReturn:
        """Raise an error that says what was expected of a key and what was found.

        Raises:
            InputError: always.
        """
        message = f"{self.name}: {key}: expected {expected}, found {_as_toml(found)}."
        raise InputError(message, file=self.name, key=key, found=found, allowed=expected)

    def check_version(self, document: Mapping[str, Any]) -> None:
        """Refuse a file whose format version is not known.

        Raises:
            InputError: the version is not 1.
        """
        version = document.get("schema", 1)
        if type(version) is not int or version != 1:
            self.refuse("schema", "1, the only version", document["schema"])

    def only_known(self, table: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
        """Refuse keys that are not known, with a suggestion in place of a misspelt one.

        Raises:
            InputError: the table has an unknown key.
        """
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f' Did you mean "{close[0]}"?' if close else ""
                message = (
                    f'{self.name}: unknown key "{place}{_printable(key)}".{hint} '
                    f"Allowed here: {', '.join(known)}."
                )
                raise InputError(message, file=self.name, key=place + key, allowed=known)

    def read(
        self, table: Mapping[str, Any], readers: Mapping[str, Reader], place: str
    ) -> dict[str, Any]:
        """The values of a table whose keys are those of ``readers``.

        Raises:
            InputError: a key is not known, or its value is not allowed.
        """
        self.only_known(table, tuple(readers), place)
        values = {}
        for key, found in table.items():
            try:
                values[key] = readers[key](found)
            except ValueError as error:
                self.refuse(place + key, str(error), found)
        return values


def _printable(found: str) -> str:
    """A text from the file that is safe to show: short, and without control characters."""
    shown = found if found.isprintable() else ascii(found)[1:-1]
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 3] + "..."


def _as_toml(found: object) -> str:
    """A value roughly as the file writes it, safe to show in a message."""
    if found is None:
        return "nothing"
    if isinstance(found, str):
        return f'"{_printable(found)}"'
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, Mapping):
        return "a table"
    try:
        return _printable(str(found))
    except (ValueError, RecursionError):
        return "something too long to show"
