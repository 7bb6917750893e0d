"""A request to an exchange, repeated until it is answered or the retries are used up.

Errors that may pass are retried: no connection, a timeout, an overloaded server, a rate limit (429,
418: after the pause that the exchange asks for), an answer that makes no sense. A refusal is not
retried. ccxt itself keeps the rate limit between requests.
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
_SHOWN = 200  # characters of a server's text that a message repeats: it may be a whole page
# The errors of ccxt's parsers when an answer is not in the form that the exchange documents.
_MISSHAPEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class BadAnswer(Exception):
    """An answer that cannot be what was requested; a second request may succeed."""


@dataclass(frozen=True)
class Patience:
    """How often and how long a request is retried.

    Attributes:
        retries: how often a request is repeated.
        first_wait_s: pause before the first retry, in seconds; it doubles before each further one.
        longest_wait_s: if the exchange asks for a longer pause than this, the request fails at
            once.
        sleep: the function that waits, given seconds.
    """

    retries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 300.0
    sleep: Callable[[float], None] = time.sleep


class Asker:
    """Sends requests to an exchange and retries those that fail for a reason that may pass.

    Args:
        exchange: an exchange of ccxt.
        patience: how often and how long to retry.
        remark: called with a sentence about every pause.
    """

    def __init__(
        self, exchange: CcxtExchange, patience: Patience, remark: Callable[[str], None]
    ) -> None:
        self.exchange = exchange
        self.patience = patience
        self.remark = remark

    def __call__(self, question: Callable[[], _T]) -> _T:
        """Send a request until it is answered.

        Raises:
            Unavailable: the exchange did not answer, in all tries.
            Rejected: the exchange refused the request.
            DataError: each answer contained values that are impossible in a history.
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
        """Send the request once; errors of ccxt become errors of ours."""
        from ccxt.base.errors import BaseError, OperationFailed

        name = self.exchange.id
        self.exchange.last_http_response = None  # ccxt answers some requests by itself
        try:
            answer = question()
        except OperationFailed as error:
            raise _Failure(_said(error), _retry_after_s(self.exchange, error)) from error
        except BaseError as error:
            if error.__cause__ is not None:  # from the connection: certificate, proxy, redirect
                cause = f"{_said(error)} ({error.__cause__})"
                raise Unavailable(f"{name}: {_line(cause)}.", exchange=name) from error
            raise Rejected(f"{name} refused: {_line(_said(error))}.", exchange=name) from error
        except OSError as error:  # an error of the connection that ccxt does not convert
            raise _Failure(f"{name}: {error}", 0.0) from error
        except _MISSHAPEN as error:
            raise BadAnswer(
                f"{name} answered in a form that ccxt cannot read ({type(error).__name__})"
            ) from error
        text = _text(self.exchange)
        if text is not None and self.exchange.parse_json(text) is None:
            # ccxt treats text that is cut or not JSON as an answer without rows.
            raise BadAnswer(f"{name} answered with text that is not JSON: {_line(text)!r}")
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
    """ccxt's OperationFailed with a message of ours."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def _text(exchange: CcxtExchange) -> str | None:
    """The exchange's last answer as text; None if no request was sent."""
    return exchange.last_http_response


def _retry_after_s(exchange: CcxtExchange, error: Exception) -> float:
    """The pause that the exchange asks for, in seconds; 0 if it asks for none."""
    from ccxt.base.errors import DDoSProtection, ExchangeNotAvailable, RateLimitExceeded

    # After any other error the headers that ccxt holds belong to an earlier answer.
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
    """The message of ccxt, its class of error, and the operating system's reason, if any."""
    root: BaseException = error
    while root.__cause__ or root.__context__:
        root = root.__cause__ or root.__context__ or root
    reason = f": {root.strerror}" if isinstance(root, OSError) and root.strerror else ""
    return f"{error} [{type(error).__name__}]{reason}"


def _line(text: str) -> str:
    """A server's text on one line, short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
