"""One call to an exchange through ccxt: its answer as the exchange wrote it, or how it failed.

ccxt signs and sends. The outcome of a call is judged by what was seen on the wire, never by the
class of ccxt's error, which is the same for opposite outcomes. ccxt's documented hook
``on_rest_response`` shows status, headers and body of each answer. Without an answer, nothing was
sent if no connection was made, and any other failure is unknown. Each call is sent once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from steelyard.errors import InputError
from steelyard.venues.exchange.budget import Budget
from steelyard.venues.protocol import CallOutcome, Failure
from steelyard.venues.secrets import Secrets

__all__ = ["INSTALL", "Client", "ExchangeAnswer", "ExchangeTraits", "answer_of", "open_client"]

TIMEOUT_MS = 5_000
LONGEST_REASON = 200
INSTALL = "python -m pip install '.[exchange]' in a clone of the project"


class ExchangeAnswer(NamedTuple):
    """An answer of an exchange."""

    status: int
    content: Any
    """The JSON content, with numbers as Decimal; None: it is not JSON."""
    headers: Mapping[str, str]
    """The headers by their names in lower case."""


class ExchangeTraits(Protocol):
    """The traits that differ between exchanges."""

    ID: str

    def failed(self, answer: ExchangeAnswer) -> Failure | None:
        """How the call with this answer failed; None: it succeeded."""

    def refused_for_ms(self, answer: ExchangeAnswer, venue_ms: int) -> int | None:
        """The time, ms of its clock, before which it must not be asked again; None: it may be."""

    def used(self, answer: ExchangeAnswer) -> tuple[int | None, int | None]:
        """The weight and the orders used in this minute; None where the answer does not say."""


class Client:
    """The connection of one account to an exchange.

    Args:
        exchange: the traits of the exchange.
        ccxt_client: ccxt's client, with the session and the keys.
        session: the session that holds its connections.
        secrets: the key and the secret, which no error shows.
    """

    def __init__(
        self,
        exchange: ExchangeTraits,
        ccxt_client: Any,  # noqa: ANN401 (ccxt ships no types)
        session: Any,  # noqa: ANN401 (aiohttp's session, which is imported late)
        secrets: Secrets,
    ) -> None:
        self.exchange, self.budget = exchange, Budget()
        self._ccxt, self._session, self._secrets = ccxt_client, session, secrets

    async def call(
        self, name: str, params: Mapping[str, Any], *, is_urgent: bool = True
    ) -> ExchangeAnswer:
        """Make a call once.

        Args:
            name: the name of ccxt's method for an endpoint, such as ``fapiPrivatePostOrder``.
            params: the parameters of the request.
            is_urgent: whether it may use the part of the rate limit kept for lowering leverage.

        Raises:
            VenueError: the call failed: ``Rejected``, ``Unavailable`` or ``Unknown``.
        """
        from steelyard.venues.exchange.session import HEARD, Heard

        held_back = self.budget.held_back(is_urgent=is_urgent)
        if held_back is not None:
            raise held_back.error()
        heard = Heard()
        token = HEARD.set(heard)
        error: BaseException | None = None
        try:
            await getattr(self._ccxt, name)(dict(params))
        except Exception as found:  # noqa: BLE001 (judged by what was seen on the wire)
            error = found
        finally:
            HEARD.reset(token)
        if heard.status is None:
            # leave out ccxt's own error, whose text contains the signed request
            raise _unanswered(error, is_sent=heard.is_sent).error() from None
        answer = answer_of(heard.status, heard.body, heard.headers)
        failure = self._note(answer)
        if failure is not None:
            reason = self._secrets.hide(failure.reason)[:LONGEST_REASON]
            shown = Failure(failure.outcome, reason, failure.code, failure.until_ms)
            raise shown.error() from None
        return answer

    def note(self, answer: ExchangeAnswer) -> None:
        """Take the rate limits from an answer that another connection received."""
        self._note(answer)

    def _note(self, answer: ExchangeAnswer) -> Failure | None:
        """Take the rate limits from an answer, and return how the call failed, if it did."""
        self.budget.note_used(*self.exchange.used(answer))
        failure = self.exchange.failed(answer)
        if failure is None:
            return None
        until_ms = self.exchange.refused_for_ms(answer, self.budget.venue_ms())
        if until_ms is None:
            return failure
        self.budget.note_refused(until_ms)
        return Failure(failure.outcome, failure.reason, failure.code, until_ms)

    async def close(self) -> None:
        """Close all connections."""
        await self._ccxt.close()
        await self._session.close()


def answer_of(status: int, body: str, headers: Mapping[str, str]) -> ExchangeAnswer:
    """The answer with this status, body and headers."""
    return ExchangeAnswer(
        status, _content(body), {key.lower(): value for key, value in headers.items()}
    )


def _content(body: str) -> Any:  # noqa: ANN401 (whatever JSON holds)
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return None  # also a number whose exponent no Decimal has


def _unanswered(error: BaseException | None, *, is_sent: bool) -> Failure:
    """The failure of a call without an answer; its cause tells whether anything was sent."""
    import aiohttp

    seen, cause = set[int](), error
    kinds = []
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        kinds.append(type(cause).__name__)
        if isinstance(cause, aiohttp.ClientConnectorError) and not is_sent:
            reason = f"no connection was made ({type(cause).__name__}): nothing was sent"
            return Failure(CallOutcome.UNAVAILABLE, reason, is_sent=False)
        cause = cause.__cause__ or cause.__context__
    return Failure(CallOutcome.UNKNOWN, f"no answer came ({kinds[-1] if kinds else 'none'})")


def open_client(
    exchange: ExchangeTraits,
    secrets: Secrets,
    rehearsal: Any = None,  # noqa: ANN401 (its class needs aiohttp, which is imported late)
    timeout_ms: int = TIMEOUT_MS,
) -> Client:
    """Open a client inside a running event loop. It sends nothing yet.

    Args:
        exchange: the traits of the exchange.
        secrets: the key and the secret of the account.
        rehearsal: the result of ``read_rehearsal``; None: the real hosts.
        timeout_ms: the longest time to wait for an answer, ms.

    Raises:
        InputError: ccxt is not installed.
    """
    try:
        import ccxt.async_support as ccxt
    except ImportError as error:
        message = f"a real exchange needs ccxt, which is not installed: {INSTALL}"
        raise InputError(message, missing="ccxt") from error
    from steelyard.venues.exchange.session import HEARD, open_session

    session = open_session(rehearsal)
    settings = {
        "apiKey": secrets.key,
        "secret": secrets.secret,
        "session": session,
        "timeout": timeout_ms,
        "number": str,  # amounts stay as the exchange wrote them
        "enableRateLimit": False,  # the answers' headers are counted instead
        # an order of unknown outcome may have been filled, so nothing is sent a second time
        "options": {"maxRetriesOnFailure": 0, "adjustForTimeDifference": False},
    }
    client = getattr(ccxt, exchange.ID)(settings)

    def on_rest_response(
        code: int,
        _reason: str,
        _url: str,
        _method: str,
        response_headers: Mapping[str, str],
        response_body: str,
        _request_headers: object,
        _request_body: object,
    ) -> str:
        heard = HEARD.get(None)
        if heard is not None:
            heard.status, heard.body = code, response_body
            heard.headers = dict(response_headers)
        return response_body.strip()

    client.on_rest_response = on_rest_response
    # at level DEBUG ccxt logs each request with its key and signature
    logging.getLogger(client.logger.name).setLevel(logging.INFO)
    return Client(exchange, client, session, secrets)
