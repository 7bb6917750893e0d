"""Presets: series files that follow published rules and are shipped with the package.

The first line of each file is a headline. The comment below it names the rule that the preset
follows and how it simplifies that rule.
"""

from __future__ import annotations

import difflib
from importlib import resources
from importlib.resources.abc import Traversable

from steelyard.errors import InputError
from steelyard.rules.series import Series

__all__ = ["preset", "preset_names", "preset_text", "preset_title"]

# The order in which presets are listed: by issuer, and long before short.
NAMES = (
    "ftx-bull",
    "ftx-bear",
    "ftx-hedge",
    "kucoin-3l",
    "kucoin-3s",
    "bybit-3l",
    "bybit-3s",
    "pionex-2l",
    "toros-3l",
    "index-2x",
    "oracle-3l",
    "oracle-1s",
    "steelyard-3l",
    "steelyard-1s",
)


def preset_names() -> tuple[str, ...]:
    """The names of all presets, by issuer and long before short."""
    return NAMES


def preset_text(name: str) -> str:
    """The text of the preset's file, with its comments.

    Raises:
        InputError: there is no preset of that name.
    """
    if name not in NAMES:
        close = difflib.get_close_matches(name, NAMES, n=1)
        hint = f' Did you mean "{close[0]}"?' if close else ""
        message = (
            f'expected the name of a preset, found "{name}".{hint} '
            f"The presets are: {', '.join(NAMES)}."
        )
        raise InputError(message, found=name, allowed=NAMES)
    return (_folder() / f"{name}.toml").read_text(encoding="utf-8")


def preset(name: str) -> Series:
    """The series of the preset ``name``.

    Raises:
        InputError: there is no preset of that name.
    """
    return Series.loads(preset_text(name), f"preset {name}")


def preset_title(name: str) -> str:
    """The preset's headline: the part of its first line before the colon, ``FTX BULL``.

    Raises:
        InputError: there is no preset of that name.
    """
    headline = preset_text(name).partition("\n")[0]
    return headline.lstrip("# ").partition(":")[0]


def _folder() -> Traversable:
    return resources.files("steelyard.rules") / "presets"
