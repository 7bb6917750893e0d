"""The words for effects in messages."""

from __future__ import annotations

from typing import Any

from steelyard.fund.effects import Accrued, Decided, Effect, PriceSettled, Seen
from steelyard.ledger.fund_kinds import kind_name
from steelyard.rules.triggers import Trigger

__all__ = ["effect_words", "kind_words"]


def kind_words(effect: Effect[Any]) -> str:
    """The kind of an effect in words: ``clock moved``."""
    return kind_name(type(effect)).replace("_", " ")


def effect_words(effect: Effect[Any]) -> str:
    """An effect in words with its figures: ``a rebalance by band of 120 at a price of 30``."""
    if isinstance(effect, Decided):
        intent = effect.intent
        return (
            f"a rebalance by {Trigger(intent.trigger).name.lower()} of {intent.notional} at a "
            f"price of {intent.price} (leverage {intent.leverage})"
        )
    kind = kind_words(effect)
    if isinstance(effect, (Accrued, Seen, PriceSettled)):
        return f"{kind} at {effect.price}"
    price = getattr(effect, "price", None)
    why = getattr(effect, "why", None) or getattr(effect, "reason", None)
    return kind + (f" ({why})" if why else "") + ("" if price is None else f" at {price}")
