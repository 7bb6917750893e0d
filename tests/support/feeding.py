"""Options drawn or listed together, told apart: what goes into a feed, and what a run takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steelyard.market import Feed
from steelyard.market.price_feed import INPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["fed", "inputs_in", "others_in"]

OF_A_FEED = (*INPUTS, "start", "end")


def inputs_in(options: Mapping[str, Any]) -> dict[str, Any]:
    """Of options those that a feed takes."""
    return {name: given for name, given in options.items() if name in OF_A_FEED}


def others_in(options: Mapping[str, Any]) -> dict[str, Any]:
    """Of options those that a run takes beside its feed."""
    return {name: given for name, given in options.items() if name not in OF_A_FEED}


def fed(prices: object, options: Mapping[str, Any], **more: Any) -> Feed:
    """The feed of prices and of those options that go into one."""
    return Feed(prices, **{**inputs_in(options), **more})
