"""A shelf: a set of tokens in their present state, given by their books or by published figures.

``Shelf.load`` reads a file of ``[[token]]`` tables; ``shelf_file`` defines its keys.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from steelyard.analysis.shelf_token import Token
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
    """Tokens on one underlying, in their states at one price.

    Attributes:
        tokens: the tokens; their names differ.
        underlying: the underlying of all of them.
        quote: the currency of all amounts.
        price: price of the underlying; None where it is not known.
        time: time of the states, epoch s; None where it is not known.
        source: path of the file as it was given, or ``shelf``.
    """

    tokens: tuple[Token, ...]
    underlying: str
    quote: str = "USDT"
    price: float | None = None
    time: int | None = None
    source: str = "shelf"

    @classmethod
    def load(cls, path: str | Path) -> Shelf:
        """Read a shelf file; paths of series files are relative to its folder, presets go by name.

        Raises:
            InputError: the file cannot be read or its content is invalid; the message names the
                file, the token, the key, what was found and what is allowed.
        """
        from steelyard.analysis.shelf_file import shelf_in

        return _checked(cls(**shelf_in(path)))

    @classmethod
    def loads(cls, text: str, name: str = "shelf") -> Shelf:
        """Read a shelf from TOML text; paths of series files are relative to the working directory.

        Raises:
            InputError: as ``load`` raises it.
        """
        from steelyard.analysis.shelf_file import shelf_values

        return _checked(cls(**shelf_values(text, name)))

    @classmethod
    def of_runs(cls, runs: Sequence[Run]) -> Shelf:
        """The tokens of several runs in their final states, at the last price of the first run.

        Raises:
            InputError: there is no run; an element is not a run; a token has ended or was not
                simulated in floats; two tokens have one name; or their underlyings differ.
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
        """Tokens of the given series as at launch: at target, with their initial assets.

        Raises:
            InputError: there is no series, or their names or underlyings do not fit together.
        """
        if not series:
            raise InputError("shelf: expected at least one series, found none.")
        from steelyard.simulation.series_argument import series_of

        found = [series_of(each) for each in series]
        tokens = tuple(
            Token(each.symbol, each, assets=each.initial_nav * each.initial_tokens)
            for each in found
        )
        return _checked(cls(tokens, found[0].underlying, found[0].quote))

    def at(self, price: float | None = None, time: int | None = None) -> Shelf:
        """A copy of the shelf at another price or time; None keeps the present value."""
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
    """The shelf that was given, or the shelf of a file, of runs, or of series at their launch.

    Raises:
        InputError: the argument is none of these, or ``Shelf`` refuses it.
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
    """Return the shelf after checking that its tokens fit together and trade on a market.

    Raises:
        InputError: two tokens have one name; or a token has another underlying or quote, has ended,
            was not simulated in floats, or has its reserve as the counterparty.
    """
    names: set[str] = set()
    for token in shelf.tokens:
        series = token.series
        place = f"{shelf.source}: {token.name}"
        if token.name in names:
            message = (
                f"{place}: expected tokens of different names, found this name twice; rename one."
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
            message = f"{place}: expected a token that is still running, found one that has ended."
            raise InputError(message, token=token.name, file=shelf.source)
        # a run that was simulated with number= has another type here than is declared
        cash: object = None if token.state is None else token.state.cash
        if cash is not None and not isinstance(cash, float):
            kind = type(cash).__name__
            message = (
                f"{place}: expected a token that was simulated in floats, as a forecast requires, "
                f"found its books in {kind}; simulate it without number=."
            )
            raise InputError(message, token=token.name, file=shelf.source)
    return shelf
