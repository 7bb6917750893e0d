"""A shelf: tokens as they stand now, one's own by their books, others by what they publish.

``Shelf.load`` reads a file of ``[[token]]`` tables (``shelf_file`` says what may be in it).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from steelyard.analysis.token import Token
from steelyard.arguments import refuse_kind
from steelyard.errors import InputError
from steelyard.rules.series import Series

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from steelyard.simulation.run import Run

__all__ = ["Shelf", "Token", "shelf_of"]


@dataclass(frozen=True)
class Shelf:
    """Tokens on one underlying, as they stand at one price.

    Attributes:
        tokens: of different names.
        underlying: what all of them hold a multiple of.
        quote: what they are counted in.
        price: of the underlying; None where it is not known.
        time: epoch s; None where it is not known.
        source: the file as it was named, or ``shelf``.
    """

    tokens: tuple[Token, ...]
    underlying: str
    quote: str = "USDT"
    price: float | None = None
    time: int | None = None
    source: str = "shelf"

    @classmethod
    def load(cls, path: str | Path) -> Shelf:
        """Read a shelf file; series files are found from where it lies, presets by their names.

        Raises:
            InputError: where the file cannot be read, or says what no shelf can be; the message
                names the file, the token, the key, what was found and what is allowed.
        """
        from steelyard.analysis.shelf_file import shelf_in

        return _checked(cls(**shelf_in(path)))

    @classmethod
    def loads(cls, text: str, name: str = "shelf") -> Shelf:
        """Read a shelf from TOML text; series files are found from the present folder.

        Raises:
            InputError: as ``load`` does.
        """
        from steelyard.analysis.shelf_file import shelf_values

        return _checked(cls(**shelf_values(text, name)))

    @classmethod
    def of_runs(cls, runs: Sequence[Run]) -> Shelf:
        """The tokens of several simulations, at the last price of the first.

        Raises:
            InputError: there is none, or one is no run, has ended or was not made in floats, or two
                have one name, or they differ in their underlying.
        """
        from steelyard.simulation.checks import check_kind, check_several
        from steelyard.simulation.run import Run

        check_several("runs", runs, "runs")
        runs = list(runs)
        if not runs:
            raise InputError("shelf: expected at least one run, found none.")
        for run in runs:
            check_kind("run", run, Run, "sy.simulate")
        first = runs[0]
        made = cls(
            tuple(Token.of_run(run) for run in runs),
            first.series.underlying,
            first.series.quote,
            float(first.prices.close[-1]),
            int(first.prices.end_times[-1]),
        )
        return _checked(made)

    @classmethod
    def of_series(cls, *series: Series | str) -> Shelf:
        """Series as at their launch: at their targets, with their first assets.

        Raises:
            InputError: there is none, or they do not go together.
        """
        if not series:
            raise InputError("shelf: expected at least one series, found none.")
        from steelyard.simulation.named import series_of

        found = [series_of(each) for each in series]
        tokens = tuple(
            Token(each.symbol, each, assets=each.initial_nav * each.initial_tokens)
            for each in found
        )
        return _checked(cls(tokens, found[0].underlying, found[0].quote))

    def at(self, price: float | None = None, time: int | None = None) -> Shelf:
        """The shelf at another price or time; None keeps what it has."""
        return replace(
            self,
            price=self.price if price is None else price,
            time=self.time if time is None else time,
        )

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        names = ", ".join(token.name for token in self.tokens[:4])
        more = f" and {len(self) - 4} more" if len(self) > 4 else ""  # noqa: PLR2004 (as above)
        return f"<Shelf of {self.underlying}: {names}{more}>"


def shelf_of(given: object) -> Shelf:
    """The shelf that was given, or that of a file, of runs, or of series as at their launch.

    Raises:
        InputError: it is none of these, or ``Shelf`` refuses it.
    """
    from steelyard.simulation.run import Run

    if isinstance(given, Shelf):
        return given
    if isinstance(given, Run):
        return Shelf.of_runs([given])
    if isinstance(given, str | os.PathLike):
        return Shelf.load(os.fsdecode(given))
    if not isinstance(given, list | tuple):
        refuse_kind("positions", "a Shelf, the path of its file, runs or series", given)
    is_of_runs = any(isinstance(each, Run) for each in given)
    return Shelf.of_runs(given) if is_of_runs else Shelf.of_series(*given)


def _checked(shelf: Shelf) -> Shelf:
    """The shelf, once its tokens go together and live on a market.

    Raises:
        InputError: two have one name, one is on another underlying or in another quote, has ended,
            was not simulated in floats, or trades with its reserve alone.
    """
    names: set[str] = set()
    for token in shelf.tokens:
        series = token.series
        place = f"{shelf.source}: {token.name}"
        if token.name in names:
            message = (
                f"{place}: expected tokens of different names, found it twice; give each a name."
            )
            raise InputError(message, token=token.name, key="name", file=shelf.source)
        names.add(token.name)
        for key in ("underlying", "quote"):
            found, expected = getattr(series, key), getattr(shelf, key)
            if found != expected:
                message = (
                    f'{place}: {key}: expected that of the shelf, "{expected}", found "{found}".'
                )
                raise InputError(message, token=token.name, key=key, file=shelf.source, found=found)
        if series.venue.kind == "pool":
            message = (
                f"{place}: expected a token that trades on a market, found one whose counterparty "
                f'is its reserve (venue.kind = "pool"); it sends no orders, leave it out.'
            )
            raise InputError(message, token=token.name, key="series", file=shelf.source)
        if token.state is not None and token.state.ended is not None:
            message = f"{place}: expected a token that lives, found one that has ended."
            raise InputError(message, token=token.name, file=shelf.source)
        # of a run that was made with number=, whatever its type says
        cash: object = None if token.state is None else token.state.cash
        if cash is not None and not isinstance(cash, float):
            kind = type(cash).__name__
            message = (
                f"{place}: expected a token that was simulated in floats, in which a forecast is "
                f"made, found its books in {kind}; simulate it without number=."
            )
            raise InputError(message, token=token.name, file=shelf.source)
    return shelf
