"""A series over history.

This module can be called: ``steelyard.simulate(series, feed)`` runs the function `simulate` of
`steelyard.simulate.one_or_several`. Python binds a subpackage to its name in the parent whenever
anything imports it, so a function of the same name there would come and go with the order of
imports. A module that is the function as well cannot.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any


class _CallableModule(ModuleType):
    """The module as the function; the heavy part is imported by the first call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (forwarded as they are)
        from steelyard.simulate.one_or_several import simulate

        return simulate(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        # What `help`, editors and notebooks show.
        from steelyard.simulate.one_or_several import simulate

        return inspect.signature(simulate)


sys.modules[__name__].__class__ = _CallableModule
