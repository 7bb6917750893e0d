"""The rules as a compiler sees them.

Every function of the rules is compiled from its own code object: no source is copied, and nothing
is rewritten. One namespace serves them all, since a compiled function finds its globals when it is
first called; so each name may stand for one thing only, which is checked here.
"""

from __future__ import annotations

import math
from types import FunctionType
from typing import TYPE_CHECKING, Any

from steelyard.rules import (
    accruals,
    auction,
    auction_clock,
    auction_plan,
    auction_size,
    costs,
    decide,
    flows,
    futures,
    leverage,
    liquidation,
    pool,
    reserve,
    reserve_account,
    sizing,
    supply_mean,
    triggers,
)
from support import price_loop

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = (
    accruals,
    auction,
    auction_clock,
    auction_plan,
    auction_size,
    costs,
    decide,
    flows,
    futures,
    leverage,
    liquidation,
    pool,
    reserve,
    reserve_account,
    sizing,
    supply_mean,
    triggers,
)


def functions_of_the_rules() -> dict[str, FunctionType]:
    """Every function that the rules define, private ones included, by name."""
    found: dict[str, FunctionType] = {}
    for module in (*RULES, price_loop):
        for name, thing in vars(module).items():
            if isinstance(thing, FunctionType) and thing.__module__ == module.__name__:
                assert name not in found, f"two functions of the rules are called {name}"
                found[name] = thing
    return found


def compile_rules() -> dict[str, Any]:
    """A namespace in which each function of the rules, and the loop over prices, is compiled."""
    import numba

    namespace: dict[str, Any] = {}
    for module in (*RULES, price_loop):
        for name, thing in vars(module).items():
            if name.startswith("__") or isinstance(thing, FunctionType):
                continue
            # one thing imported by two modules is fine; two things of one name would mix up
            assert namespace.setdefault(name, thing) is thing, f"two globals are called {name}"
    for name, function in functions_of_the_rules().items():
        same = FunctionType(function.__code__, namespace, name, function.__defaults__)
        namespace[name] = numba.njit(same)
    return namespace


def compiled_sqrt() -> Callable[[float], float]:
    """The square root to inject into compiled rules."""
    import numba

    def sqrt(x: float) -> float:
        return math.sqrt(x)

    return numba.njit(sqrt)
