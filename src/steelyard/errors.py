"""Every error that Steelyard raises on purpose, branched by who must act.

SteelyardError
├── InputError          the caller: a series file, an argument, a combination that cannot work
├── DataError           the feed: a file of prices, funding, rates, injections or a book
├── JournalError        whoever runs the machine: a journal could not be written, as on a full disk
│   └── Fenced          another writer took the journal over: this one must stop
├── InvariantError      nobody can go on: a law of the program broke, stop everything
└── VenueError          the place where the position lives
    ├── Rejected        it said no: nothing happened there
    ├── Unknown         it did not say: something may have happened there
    └── Unavailable     it could not be asked: nothing was sent

A message says what was expected, what was found and what to do; the same facts are in
``details`` for a program to read.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "DataError",
    "Fenced",
    "InputError",
    "InvariantError",
    "JournalError",
    "Rejected",
    "SteelyardError",
    "Unavailable",
    "Unknown",
    "VenueError",
]


class SteelyardError(Exception):
    """The root: ``except SteelyardError`` catches all that Steelyard raises on purpose.

    Args:
        message: one sentence or two, ready to be shown to a person.
        **details: the facts in the message (file, key, found, allowed, row, ...).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class InputError(SteelyardError):
    """What the caller asked for cannot be done as it was asked."""

    exit_code = 3


class DataError(SteelyardError):
    """A file of market data is missing, unreadable or not what it should be."""

    exit_code = 3


class JournalError(SteelyardError):
    """The journal's store did not take what was written, such as on a full disk."""


class Fenced(JournalError):
    """Another writer has taken the journal over: this one must stop."""


class VenueError(SteelyardError):
    """The place where the position lives did not do what was asked."""

    exit_code = 4


class Rejected(VenueError):
    """The venue refused the request: nothing happened there."""


class Unknown(VenueError):
    """The venue did not answer: the request may or may not have been carried out."""


class Unavailable(VenueError):
    """The venue could not be reached: the request was not sent."""


class InvariantError(SteelyardError):
    """A law that must hold did not: the program stops before it does harm."""

    exit_code = 5
