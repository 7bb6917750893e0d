"""The series that an argument stands for: an object, a file, or the name of a preset.

Python and the command line accept the same: ``"ftx-bull"`` is a preset. A file comes first, so that
a name means a preset only if there is no file of that name. A series that was made in Python must
satisfy the rules of a series file.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from steelyard.errors import InputError
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Series
from steelyard.rules.series_check import check_series

__all__ = ["series_of"]


def series_of(given: object, argument: str = "series") -> Series:
    """Return a series unchanged, or load that of a file or of a preset.

    Args:
        given: a ``Series``, a path, or the name of a preset.
        argument: name of the argument, for messages.

    Raises:
        InputError: it is none of these, or it breaks a rule of series files.
    """
    if isinstance(given, Series):
        check_series(given, argument)
        return given
    if isinstance(given, str | os.PathLike):
        return _load(os.fsdecode(given))
    message = (
        f"{argument}: expected what Series.load gives, a path or the name of a preset, found a "
        f"{type(given).__qualname__}."
    )
    raise InputError(message, argument=argument, found=given)


def _load(name: str) -> Series:
    presets = preset_names()
    if os.path.lexists(name) or "/" in name or name.endswith(".toml"):
        return Series.load(Path(name))
    if name in presets:
        return preset(name)
    close = difflib.get_close_matches(name.lower(), presets, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    message = (
        f"{name}: expected a series file or the name of a preset, found neither.{hint} "
        f'"steelyard series list" lists the presets.'
    )
    raise InputError(message, found=name, allowed=presets)
