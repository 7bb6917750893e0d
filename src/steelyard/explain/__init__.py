"""Where a token's return went, how well it tracks, and what tokens will trade next.

This module can be called, as `steelyard.simulate` can and for its reason: ``steelyard.explain(
series, feed)`` runs `steelyard.explain.attribution`'s function `explain`.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any


class _CallableModule(ModuleType):
    """The module as the function; the heavy part is imported by the first call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (forwarded as they are)
        from steelyard.explain.attribution import explain

        return explain(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        # What `help`, editors and notebooks show.
        from steelyard.explain.attribution import explain

        return inspect.signature(explain)


sys.modules[__name__].__class__ = _CallableModule
