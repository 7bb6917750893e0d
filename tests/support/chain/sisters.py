"""Series of one reserve of which some are their creator's trap: own feed, own quote, own refunds.

`Sisters` launches what it is given by the deployer, whatever was changed in the factory's words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boa

from support.chain.series import (
    PLACES,
    ZERO,
    Fund,
    Launch,
    Terms,
    launch_words,
    new_transaction,
)

MOST = 2**256 - 1


class Sisters(Fund):
    """A fund whose series differ in more than their terms."""

    def __init__(
        self,
        fund: Fund,
        *terms: Terms,
        changes: tuple[dict[str, Any], ...] = (),
        common: int = 0,
        native_oracle: str = ZERO,
        salt: bytes = b"\7" * 32,
        lent: int = 10**9,
    ) -> None:
        """Launch on the world and with the contracts of another fund.

        A change names a field of the factory's Series; `feed` is the base feed alone.
        """
        new_transaction()
        self.world, self.terms, self.protocol = fund.world, terms, fund.protocol
        self.factory, world = fund.factory, fund.world
        self.feeds = [world.feed] * len(terms)
        words = [launch_words(world, each) for each in terms]
        for place, change in enumerate(changes):
            self._change(place, words[place], change)
        self.launch = Launch(
            words, world.underlying.address, native_oracle=native_oracle, common=common, salt=salt
        )
        self._launch()
        if lent:
            for each in self.series:
                each.lend(lent)
        self.ready = boa.env.timestamp

    def _change(self, place: int, words: list[Any], change: dict[str, Any]) -> None:
        for name, value in change.items():
            if name == "feed":
                self.feeds[place] = value
                words[PLACES.index("feeds")] = (value.address, *words[PLACES.index("feeds")][1:])
            else:
                words[PLACES.index(name)] = value

    def sleep(self, seconds: int) -> None:
        """Time passes, and every feed answers as before at its end."""
        super().sleep(seconds)
        for feed in self.feeds:
            if feed is not self.world.feed:
                feed.update(feed.answer())

    def answers(self, place: int, price: Any, seconds: int = 72) -> None:
        """A series' own feed says a price of the underlying; then time passes."""
        self.feeds[place].update(int(price * 10**8))
        self.sleep(seconds)


def winning(world: Any, who: Any, act: Callable[[], None]) -> int:
    """The raw underlying that an act brings somebody."""
    before = world.underlying.balanceOf(who)
    act()
    return int(world.underlying.balanceOf(who) - before)
