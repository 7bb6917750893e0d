"""A progress bar on standard error for long runs, shown on a terminal after one second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["counting", "progress_bar"]

QUIET_S = 1.0
WORTH_IT_S = 1.0
SHOWN_EVERY = 1_000

Item = TypeVar("Item")


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None] | None]:
    """A function to call with the number of steps done, or None without a terminal.

    The bar appears after one second, if at least another second is expected.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(what, total)
    try:
        yield bar.show
    finally:
        bar.stop()


def counting(items: Iterable[Item], bar: Callable[[int], None] | None) -> Iterable[Item]:
    """The same items; every thousandth updates the bar."""
    return items if bar is None else _counted(items, bar)


def _counted(items: Iterable[Item], bar: Callable[[int], None]) -> Iterator[Item]:
    for done, item in enumerate(items):
        if done % SHOWN_EVERY == 0:
            bar(done)
        yield item


class _Bar:
    def __init__(self, what: str, total: int) -> None:
        self.what = what
        self.total = total
        self.begun = time.monotonic()
        self.progress: Progress | None = None
        self.task: TaskID | None = None

    def show(self, done: int) -> None:
        if self.progress is None:
            passed = time.monotonic() - self.begun
            if passed < QUIET_S or passed * (self.total - done) < WORTH_IT_S * done:
                return
            self._start()
        if self.progress is not None and self.task is not None:
            self.progress.update(self.task, completed=done)

    def stop(self) -> None:
        if self.progress is not None:
            self.progress.stop()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.progress.add_task(self.what, total=self.total)
        self.progress.start()
