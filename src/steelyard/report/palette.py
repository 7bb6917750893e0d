"""The colours of pages and figures, for the light and the dark theme.

The palette is based on that of Okabe and Ito, whose colours can be distinguished with the common
kinds of colour blindness. Each colour was adjusted until it contrasts with its background (tests
require 4.5:1 for text and 3:1 for lines). No meaning depends on colour alone: sides differ in
shape, thresholds in dash pattern, and curves have names.

In the description of a figure, a colour is written ``$name`` or ``$name@opacity``. It is replaced
by a value where the theme is known: in the browser for pages, and in ``resolve`` for notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["DARK", "LIGHT", "css_variables", "resolve"]

LIGHT: Mapping[str, str] = {
    "page": "#f7f5f0",
    "card": "#ffffff",
    "raised": "#f2efe8",
    "ink": "#1d2129",
    "muted": "#5c6370",
    "rule": "#e3dfd5",
    "grid": "#ece9e1",
    "accent": "#8a5a0b",
    "good": "#00694b",
    "bad": "#b3380a",
    "nav": "#0067a5",
    "ideal": "#c05000",
    "asset": "#7c828e",
    "band": "#0067a5",
    "target": "#5c6370",
    "emergency": "#b3380a",
    "buy": "#00805c",
    "sell": "#c05000",
    "total": "#1d2129",
    "fee": "#0072b2",
    "spread": "#d55e00",
    "impact": "#7a4fa0",
    "gas": "#7c828e",
    "funding": "#00896a",
    "interest": "#9a7400",
    "management": "#b8528c",
    "relief": "#00694b",
    "suspended": "#b8528c",
}

DARK: Mapping[str, str] = {
    "page": "#121419",
    "card": "#1a1d24",
    "raised": "#23272f",
    "ink": "#e9e6df",
    "muted": "#a4a9b4",
    "rule": "#30343d",
    "grid": "#292d35",
    "accent": "#e0ad55",
    "good": "#4fcfa3",
    "bad": "#ff9466",
    "nav": "#5cb8f0",
    "ideal": "#f5a04c",
    "asset": "#8d94a1",
    "band": "#5cb8f0",
    "target": "#a4a9b4",
    "emergency": "#ff9466",
    "buy": "#3fcf9d",
    "sell": "#f5a04c",
    "total": "#e9e6df",
    "fee": "#5cb8f0",
    "spread": "#ff8f4a",
    "impact": "#b996dd",
    "gas": "#98a0ae",
    "funding": "#3fcf9d",
    "interest": "#dfc14e",
    "management": "#e893c0",
    "relief": "#4fcfa3",
    "suspended": "#e893c0",
}

_TOKEN = re.compile(r"^\$([a-z]+)(?:@([0-9.]+))?$")


def css_variables(palette: Mapping[str, str]) -> str:
    """The palette as CSS declarations: ``--nav:#0067a5;...``."""
    return "".join(f"--{name}:{value};" for name, value in palette.items())


def resolve(colour: str, palette: Mapping[str, str]) -> str:
    """``$name`` or ``$name@opacity`` as a CSS colour; any other text is returned unchanged."""
    match = _TOKEN.match(colour)
    if match is None:
        return colour
    value = palette[match[1]]
    if match[2] is None:
        return value
    red, green, blue = (int(value[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{match[2]})"
