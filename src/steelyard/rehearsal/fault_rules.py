"""Faults between a client and the exchange: a table of them, and rules for when they strike.

A fault decides whether the request is carried out, and what the client gets instead of the answer.
Rules come from a file or, one at a time, from the control port; a seed decides those that strike by
chance. They are tried in order, and the first rule that fits and strikes gives the request's fault.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from steelyard.errors import InputError

__all__ = ["FAULTS", "Fault", "FaultRules", "Rule", "read_rules", "rule_of"]

UNKNOWN = (-1000, "Unknown error, please check your request or try again later.")
LOST = (-1001, "Internal error; unable to process your request. Please try again.")
BUSY = (
    -1008,
    "Server is currently overloaded with other requests. Please try again in a few minutes.",
)
NO_WORD = (
    -1007,
    (
        "Timeout waiting for response from backend server. Send status unknown; execution status "
        "unknown."
    ),
)
UNEXPECTED = (
    -1006,
    ("An unexpected response was received from the message bus. Execution status unknown."),
)
MANY = (
    -1003,
    (
        "Too many requests; current limit of IP(127.0.0.1) is 2400 requests per minute. Please use "
        "the websocket for live updates to avoid polling the API."
    ),
)


class Fault(NamedTuple):
    """One kind of fault."""

    is_carried_out: bool
    status: int | None = None
    """The status that replaces the true one; None: the true answer; 0: the connection is cut."""
    body: bytes = b""
    kind: str = "application/json"
    waits_before: bool = False
    """Whether the request is delayed on its way, by ``wait_ms``."""
    waits_after: bool = False
    """Whether the answer is delayed, by ``wait_ms``."""
    spares_reduce_only: bool = False
    bans: bool = False
    """Whether the address is banned, for ``wait_ms``."""
    lags: bool = False
    """Whether look-ups show the request's changes ``wait_ms`` later."""


def _says(status: int, words: tuple[int, str], *, is_carried_out: bool, **more: Any) -> Fault:  # noqa: ANN401
    code, message = words
    return Fault(is_carried_out, status, orjson.dumps({"code": code, "msg": message}), **more)


PAGE = b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
FAULTS: Mapping[str, Fault] = {
    "drop_before": Fault(is_carried_out=False, status=0),
    "drop_after": Fault(is_carried_out=True, status=0),
    "503_unknown_lost": _says(503, UNKNOWN, is_carried_out=False),
    "503_unknown_filled": _says(503, UNKNOWN, is_carried_out=True),
    "503_unavailable": Fault(
        is_carried_out=False, status=503, body=b'{"code":-1000,"msg":"Service Unavailable."}'
    ),
    "503_internal": _says(503, LOST, is_carried_out=False),
    "503_busy": _says(503, BUSY, is_carried_out=False, spares_reduce_only=True),
    "503_page_lost": Fault(is_carried_out=False, status=503, body=PAGE, kind="text/html"),
    "503_page_filled": Fault(is_carried_out=True, status=503, body=PAGE, kind="text/html"),
    "503_1006_filled": _says(503, UNEXPECTED, is_carried_out=True),
    "408_lost": _says(408, NO_WORD, is_carried_out=False),
    "408_filled": _says(408, NO_WORD, is_carried_out=True),
    "garbled_lost": Fault(is_carried_out=False, status=200, body=b'{"orderId": 12'),
    "garbled_filled": Fault(is_carried_out=True, status=200, body=b'{"orderId": 12'),
    "empty_filled": Fault(is_carried_out=True, status=200),
    "429": _says(429, MANY, is_carried_out=False),
    "ban": Fault(is_carried_out=True, bans=True),
    "held": Fault(is_carried_out=True, waits_before=True),
    "late": Fault(is_carried_out=True, waits_after=True),
    "lag": Fault(is_carried_out=True, lags=True),
}


@dataclass(slots=True)
class Rule:
    """A rule for when a fault strikes."""

    fault: str
    method: str = "POST"
    """The HTTP method; empty: any."""
    path: str = "/fapi/v1/order"
    """The path; empty: any."""
    skip: int = 0
    """The number of fitting requests that are spared first."""
    count: int = 1
    """The number of requests that are struck; 0: all."""
    chance: float = 1.0
    wait_ms: int = 3_000
    struck: int = field(default=0, init=False)

    def fits(self, method: str, path: str) -> bool:
        """Whether the rule applies to a request of this method and path."""
        return self.method in {"", method} and self.path in {"", path}

    @property
    def is_over(self) -> bool:
        """Whether the rule has struck as often as it may."""
        return self.count > 0 and self.struck >= self.count


def rule_of(given: Mapping[str, Any], place: str) -> Rule:
    """A rule from its form in a file or at the control port.

    Raises:
        InputError: a key is unknown or has a wrong type, or there is no such fault.
    """
    usual: dict[str, Any] = {f.name: f.default for f in fields(Rule) if f.init}
    usual["fault"] = ""
    for key, value in given.items():
        kind = (int, float) if key == "chance" else type(usual.get(key))
        if key not in usual or not isinstance(value, kind) or isinstance(value, bool):
            known = ", ".join(usual)
            message = f"{place}: expected keys among {known}, found {key} = {value!r}."
            raise InputError(message, key=key)
    if given.get("fault") not in FAULTS:
        known = ", ".join(FAULTS)
        message = f"{place}: expected a fault among {known}, found {given.get('fault')!r}."
        raise InputError(message, found=given.get("fault"))
    rule = Rule(**given)
    if min(rule.skip, rule.count, rule.wait_ms) < 0 or not 0 <= rule.chance <= 1:
        message = f"{place}: expected counts of 0 or more and a chance from 0 to 1, found {rule}."
        raise InputError(message)
    return rule


def read_rules(path: Path) -> list[Rule]:
    """The rules of a TOML file, each a table ``[[fault]]``.

    Raises:
        InputError: the file cannot be read, or a rule is wrong.
    """
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: expected a TOML file of faults, found: {error}."
        raise InputError(message, file=str(path)) from error
    rows = text.pop("fault", [])
    if text or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = f"{path}: expected tables [[fault]] and nothing else."
        raise InputError(message, file=str(path))
    return [rule_of(row, f"{path}, fault {place}") for place, row in enumerate(rows, 1)]


@dataclass
class FaultRules:
    """The rules that are in force."""

    rules: list[Rule] = field(default_factory=list)
    seed: int = 0

    def __post_init__(self) -> None:
        self._dice = random.Random(f"{self.seed}:faults")  # noqa: S311 (no secret)

    def strike(self, method: str, path: str, *, is_reduce_only: bool) -> tuple[Fault, Rule] | None:
        """The fault that strikes a request, and its rule; None: no fault."""
        for rule in self.rules:
            fault = FAULTS[rule.fault]
            if not rule.fits(method, path) or (fault.spares_reduce_only and is_reduce_only):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.chance < 1 and self._dice.random() >= rule.chance:
                continue
            rule.struck += 1
            self.rules = [one for one in self.rules if not one.is_over]
            return fault, rule
        return None
