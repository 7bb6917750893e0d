"""One question to an exchange, asked until it is answered or patience is at its end.

What may pass is tried again: no connection, a timeout, an overloaded server, a limit on requests
(429, 418: as long as the exchange says), an answer that makes no sense. What stays is not: a
refusal. ccxt itself keeps to the rate limit between questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from steelyard.errors import DataError, Rejected, Unavailable
from steelyard.market.download.ccxt_exchange import CcxtExchange
from steelyard.market.times import format_duration

__all__ = ["Asker", "BadAnswer", "Patience"]

_T = TypeVar("_T")
_SHOWN = 200  # characters of what a server says: it may be a whole page
# What ccxt's parsers raise on an answer of another shape than the exchange documents.
_MISSHAPEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class BadAnswer(Exception):
    """An answer that cannot be what was asked for; asking again may help."""


@dataclass(frozen=True)
class Patience:
    """How long to go on asking.

    Attributes:
        retries: how often a question is asked again.
        first_wait_s: before the first time; doubled before each one after.
        longest_wait_s: an exchange that wants a longer pause than this is given up at once.
        sleep: waits, in seconds.
    """

    retries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 300.0
    sleep: Callable[[float], None] = time.sleep


class Asker:
    """Asks an exchange, patiently.

    Args:
        exchange: from ccxt.
        patience: how long to go on.
        remark: told in a sentence of every wait.
    """

    def __init__(
        self, exchange: CcxtExchange, patience: Patience, remark: Callable[[str], None]
    ) -> None:
        self.exchange = exchange
        self.patience = patience
        self.remark = remark

    def __call__(self, question: Callable[[], _T]) -> _T:
        """Ask until there is an answer.

        Raises:
            Unavailable: there was none.
            Rejected: the exchange said no.
            DataError: the answer holds what no history can, each time.
        """
        asked = 0
        while True:
            try:
                return self._once(question)
            except (BadAnswer, DataError, _Failure) as error:
                wait_s = self._wait_s(error, asked)
                if asked >= self.patience.retries or wait_s > self.patience.longest_wait_s:
                    raise self._given_up(error, asked + 1, wait_s) from error
                asked += 1
                pause = f"{wait_s:z.0f} s" if wait_s >= 1 else f"{wait_s:z.1f} s"
                self.remark(
                    f"{_line(str(error))}; asking again in {pause} "
                    f"({asked} of {self.patience.retries})"
                )
                self.patience.sleep(wait_s)

    def _once(self, question: Callable[[], _T]) -> _T:
        """Ask once; ccxt's errors become ours."""
        from ccxt.base.errors import BaseError, OperationFailed

        name = self.exchange.id
        self.exchange.last_http_response = None  # not every question needs the exchange
        try:
            answer = question()
        except OperationFailed as error:
            raise _Failure(_said(error), _retry_after_s(self.exchange, error)) from error
        except BaseError as error:
            if error.__cause__ is not None:  # from the transport: certificates, proxies, redirects
                cause = f"{_said(error)} ({error.__cause__})"
                raise Unavailable(f"{name}: {_line(cause)}.", exchange=name) from error
            raise Rejected(f"{name} refused: {_line(_said(error))}.", exchange=name) from error
        except OSError as error:  # below ccxt, where it has no word for it
            raise _Failure(f"{name}: {error}", 0.0) from error
        except _MISSHAPEN as error:
            raise BadAnswer(
                f"{name} answered in a form that ccxt cannot read ({type(error).__name__})"
            ) from error
        text = _text(self.exchange)
        if text is not None and self.exchange.parse_json(text) is None:
            # ccxt would take text that is cut or is no JSON for an answer without rows.
            raise BadAnswer(f"{name} answered with what is no JSON: {_line(text)!r}")
        return answer

    def _wait_s(self, error: Exception, asked: int) -> float:
        own = min(self.patience.first_wait_s * 2.0**asked, self.patience.longest_wait_s)
        return max(own, error.retry_after_s) if isinstance(error, _Failure) else own

    def _given_up(self, error: Exception, times: int, wait_s: float) -> Exception:
        if isinstance(error, DataError):
            return error
        message = f"{_line(str(error))}; asked {times} time{'s' if times > 1 else ''}"
        details: dict[str, object] = {"exchange": self.exchange.id, "asked": times}
        if wait_s > self.patience.longest_wait_s:
            message += f", and it wants a pause of {format_duration(round(wait_s))}"
            details["retry_after_s"] = wait_s
        return Unavailable(f"{message}.", **details)


class _Failure(Exception):
    """ccxt's OperationFailed in our words."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def _text(exchange: CcxtExchange) -> str | None:
    """What the exchange answered; None where it was not asked."""
    return exchange.last_http_response


def _retry_after_s(exchange: CcxtExchange, error: Exception) -> float:
    """The pause that the exchange asks for; 0 where it asks for none."""
    from ccxt.base.errors import DDoSProtection, ExchangeNotAvailable, RateLimitExceeded

    # After any other error the last headers are those of an earlier answer.
    if not isinstance(error, DDoSProtection | ExchangeNotAvailable | RateLimitExceeded):
        return 0.0
    headers = exchange.last_response_headers or {}
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    if text.strip().isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _said(error: Exception) -> str:
    """What ccxt says, which kind of error it takes it for, and what the system says of it."""
    root: BaseException = error
    while root.__cause__ or root.__context__:
        root = root.__cause__ or root.__context__ or root
    reason = f": {root.strerror}" if isinstance(root, OSError) and root.strerror else ""
    return f"{error} [{type(error).__name__}]{reason}"


def _line(text: str) -> str:
    """One line of what a server said, short enough for a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
