"""Colours that can be told apart from what is behind them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from steelyard.report.palette import DARK, LIGHT, css_variables, resolve

WORDS = ("ink", "muted", "accent", "good", "bad")
BACKGROUNDS = ("page", "card", "raised")
NOT_DRAWN = {*BACKGROUNDS, *WORDS, "rule", "grid"}
THEMES = [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")]


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_words_can_be_read(theme: Mapping[str, str], background: str) -> None:
    """Every colour of text has at least 4.5:1 against every background it may stand on."""
    assert min(contrast(theme[word], theme[background]) for word in WORDS) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_lines_can_be_seen(theme: Mapping[str, str]) -> None:
    """Every curve and marker has at least 3:1 against the card it is drawn on."""
    drawn = set(theme) - NOT_DRAWN
    assert min(contrast(theme[name], theme["card"]) for name in drawn) >= 3.0


def test_both_themes_have_the_same_names() -> None:
    """A figure described once can be drawn in either."""
    assert list(LIGHT) == list(DARK)
    assert css_variables({"ink": "#000000"}) == "--ink:#000000;"


def test_a_token_becomes_its_colour() -> None:
    """With or without an opacity; what is no token stays as it is."""
    assert resolve("$nav", {"nav": "#0a1420"}) == "#0a1420"
    assert resolve("$nav@0.5", {"nav": "#0a1420"}) == "rgba(10,20,32,0.5)"
    assert resolve("red", {}) == "red"
