"""Everything that is particular to Binance USD-M futures: names, limits, outcomes and records.

The outcome of a call is found in ``OUTCOMES`` from the HTTP status, the exchange's own code and its
message; the first row that fits counts. Sources: Binance's "USD-M general information" and "error
codes". An order is answered with its result (``newOrderRespType``); only ``userTrades`` lists fees.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from steelyard.errors import Unknown
from steelyard.venues.exchange.client import ExchangeAnswer
from steelyard.venues.exchange.parsing import amount_of, amount_text
from steelyard.venues.protocol import (
    Balance,
    BookLevels,
    CallOutcome,
    Failure,
    Limits,
    Mark,
    Movement,
    MovementKind,
    OrderRequest,
    OrderState,
    OrderStatus,
    Position,
    Trade,
    TradeCause,
)

__all__ = ["BINANCE_USDM", "OUTCOMES", "BinanceUsdm", "OutcomeRow"]

QUOTE_STEP = Decimal("1e-8")
LAG_MS = 3_000
"""How late its lists and look-ups may show a change; Binance itself promises no limit."""
LATE_MS = 60_000
"""How late funding may appear in the list of money movements, which takes some seconds."""
LONGEST_BAN_MS = 3 * 86_400_000
"""The longest ban of an address, as Binance states it; a later end is not believed."""
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
BANNED_UNTIL = re.compile(r"banned until (\d{13})")
NOTHING = Decimal(0)


# -- outcomes of calls -----------------------------------------------------------------------------


class OutcomeRow(NamedTuple):
    """One kind of answer and its outcome; a field that is None or empty fits every answer."""

    outcome: CallOutcome
    statuses: Container[int] | None
    codes: Container[int] | None
    says: str
    """The beginning of its message, in lower case."""

    def fits(self, status: int, code: int | None, message: str) -> bool:
        """Whether an answer is of this kind."""
        return (
            (self.statuses is None or status in self.statuses)
            and (self.codes is None or code in self.codes)
            and message.lower().startswith(self.says)
        )


REFUSING = (400, 401, 404)
OUTCOMES: tuple[OutcomeRow, ...] = (
    # status 503 has three meanings, which the message distinguishes, before any code
    OutcomeRow(CallOutcome.UNKNOWN, None, None, "unknown error, please check your request"),
    OutcomeRow(CallOutcome.UNAVAILABLE, (503,), None, "service unavailable."),
    OutcomeRow(CallOutcome.UNAVAILABLE, (503,), None, "internal error; unable to process"),
    OutcomeRow(CallOutcome.UNAVAILABLE, None, (-1001,), "internal error; unable to process"),
    OutcomeRow(CallOutcome.UNKNOWN, (408,), None, ""),
    # the exchange's backend did not answer: "execution status unknown"
    OutcomeRow(CallOutcome.UNKNOWN, None, (-1000, -1006, -1007), ""),
    # an order of this id is open: it may be the one that was sent
    OutcomeRow(CallOutcome.UNKNOWN, None, (-4116,), ""),
    # overloaded
    OutcomeRow(CallOutcome.UNAVAILABLE, None, (-1008,), ""),
    # too many requests or orders, and the ban that follows
    OutcomeRow(CallOutcome.UNAVAILABLE, (418, 429), None, ""),
    OutcomeRow(CallOutcome.UNAVAILABLE, None, (-1003, -1015), ""),
    # the firewall, or a location that Binance does not serve: both act before the exchange
    OutcomeRow(CallOutcome.UNAVAILABLE, (403, 451), None, ""),
    # the sender and the time of the request: key, signature, timestamp
    OutcomeRow(CallOutcome.REJECTED, REFUSING, (-1002, -1021, -1022, -2014, -2015), ""),
    # the request itself, including its path
    OutcomeRow(CallOutcome.REJECTED, REFUSING, range(-1136, -1099), ""),
    OutcomeRow(CallOutcome.REJECTED, REFUSING, (-1013, -1014, -1020, -1023, -5000), ""),
    # the order, because of the account: no margin, nothing to reduce, in liquidation
    OutcomeRow(CallOutcome.REJECTED, REFUSING, range(-2028, -2009), ""),
    # the order, because of the filters or the account's settings
    OutcomeRow(CallOutcome.REJECTED, REFUSING, range(-4999, -3999), ""),
    # immediate orders that could not be filled
    OutcomeRow(CallOutcome.REJECTED, REFUSING, (-5021, -5022), ""),
)
"""The first row that fits counts; an answer without a row is unknown, unless its status is 200."""
NO_SUCH_ORDER = "-2013"


def _said(content: object) -> tuple[int | None, str]:
    """The exchange's own code and message in an answer."""
    if not isinstance(content, Mapping):
        return None, ""
    code, message = content.get("code"), content.get("msg")
    is_code = isinstance(code, int) and not isinstance(code, bool)
    return code if is_code else None, message if isinstance(message, str) else ""


def _is_error(code: int | None) -> bool:
    """Whether a code is an error; some successful calls answer with the code 200."""
    return code is not None and code not in {0, 200}


class BinanceUsdm:
    """The traits of this exchange; it has no state."""

    ID = "binanceusdm"
    """The exchange's id in ccxt."""

    # -- answers -----------------------------------------------------------------------------

    def failed(self, answer: ExchangeAnswer) -> Failure | None:
        """How the call with this answer failed; None: it succeeded."""
        code, message = _said(answer.content)
        if answer.status == 200 and not _is_error(code) and answer.content is not None:  # noqa: PLR2004
            return None
        reason = message or "its answer cannot be read"
        if code is not None:
            reason = f"{reason} ({code})"
        reason = f"{self.ID}: {answer.status}: {reason}"
        outcome = CallOutcome.UNKNOWN
        for row in OUTCOMES:
            if row.fits(answer.status, code, message):
                outcome = row.outcome
                break
        return Failure(outcome, reason, "" if code is None else str(code))

    def refused_for_ms(self, answer: ExchangeAnswer, venue_ms: int) -> int | None:
        """The time, ms of its clock, before which it must not be asked again; None: it may be."""
        code, message = _said(answer.content)
        if answer.status not in {418, 429} and code != -1003:  # noqa: PLR2004
            return None
        banned = BANNED_UNTIL.search(message)
        after = answer.headers.get("retry-after", "")
        if banned is not None:
            until_ms = int(banned[1])
        elif re.fullmatch(r"\d{1,7}", after):
            until_ms = venue_ms + int(after) * 1_000
        else:
            until_ms = (venue_ms // MINUTE_MS + 1) * MINUTE_MS
        return min(until_ms, venue_ms + LONGEST_BAN_MS)

    def used(self, answer: ExchangeAnswer) -> tuple[int | None, int | None]:
        """The weight and the orders used in this minute, by the headers; None: not stated."""
        names = ("x-mbx-used-weight-1m", "x-mbx-order-count-1m")
        found = (answer.headers.get(name, "") for name in names)
        weight, orders = (int(each) if re.fullmatch(r"\d{1,9}", each) else None for each in found)
        return weight, orders

    # -- requests ----------------------------------------------------------------------------

    def order_params(self, market: str, request: OrderRequest) -> dict[str, Any]:
        """The parameters of an immediate-or-cancel order; the stamp that was stored is signed."""
        params = {
            "symbol": market,
            "side": "BUY" if request.units > 0 else "SELL",
            "quantity": amount_text(abs(request.units)),
            "newClientOrderId": request.client_id,
            "newOrderRespType": "RESULT",
            "reduceOnly": "true" if request.reduce_only else "false",
            "timestamp": request.stamp_ms,
            "recvWindow": request.window_ms,
        }
        if request.limit is None:
            return {**params, "type": "MARKET"}
        limit = amount_text(request.limit)
        return {**params, "type": "LIMIT", "timeInForce": "IOC", "price": limit}

    # -- records -----------------------------------------------------------------------------

    def row(self, market: str, content: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 (JSON)
        """The row of a market in ``exchangeInfo``; None: there is no market of that name."""
        rows: list[Mapping[str, Any]] = content["symbols"]
        named = [each for each in rows if each["symbol"] == market]
        if not named:
            return None
        (found,) = named
        return found

    def limits(self, market: str, content: Any) -> Limits | None:  # noqa: ANN401 (JSON)
        """The limits, from ``exchangeInfo``; None: there is no such linear perpetual."""
        found = self.row(market, content)
        if found is None or found["contractType"] != "PERPETUAL":
            return None
        if found["marginAsset"] != found["quoteAsset"] or found.get("status") != "TRADING":
            return None
        filters = {each["filterType"]: each for each in found["filters"]}
        size, at_market = filters["LOT_SIZE"], filters.get("MARKET_LOT_SIZE", filters["LOT_SIZE"])
        percent = filters["PERCENT_PRICE"]
        bound = min(
            amount_of(percent["multiplierUp"]) - 1, 1 - amount_of(percent["multiplierDown"])
        )
        per_minute = {
            each["rateLimitType"]: int(each["limit"])
            for each in content.get("rateLimits", [])
            if each.get("interval") == "MINUTE" and each.get("intervalNum") == 1
        }
        return Limits(
            lot=max(amount_of(size["stepSize"]), amount_of(at_market["stepSize"])),
            min_notional=amount_of(filters["MIN_NOTIONAL"]["notional"]),
            max_units=min(amount_of(size["maxQty"]), amount_of(at_market["maxQty"])),
            price_step=amount_of(filters["PRICE_FILTER"]["tickSize"]),
            price_bound=bound,
            quote_step=QUOTE_STEP,
            requests_per_minute=per_minute.get("REQUEST_WEIGHT", 2_400),
            orders_per_minute=per_minute.get("ORDERS", 1_200),
            lag_ms=LAG_MS,
            late_ms=LATE_MS,
        )

    def mark(self, content: Mapping[str, Any]) -> Mark:
        """The mark, from ``premiumIndex``."""
        price, index = amount_of(content["markPrice"]), amount_of(content["indexPrice"])
        return Mark(price, int(content["time"]), index)

    def book(self, content: Mapping[str, Any]) -> BookLevels:
        """The order book, from ``depth``."""
        bids, asks = (
            tuple((amount_of(price), amount_of(units)) for price, units in content[side])
            for side in ("bids", "asks")
        )
        return BookLevels(bids, asks, int(content["T"]))

    def position(self, market: str, content: Sequence[Mapping[str, Any]]) -> Position:
        """The position, from ``positionRisk``: its cost is exactly the notional less the profit.

        The entry price in the answer is rounded; multiplied by the units it would be less exact.
        """
        held = [each for each in listed(content) if each["symbol"] == market]
        held = [each for each in held if amount_of(each["positionAmt"]) != 0]
        if not held:
            return Position(NOTHING, NOTHING, NOTHING)
        if len(held) > 1 or held[0]["positionSide"] != "BOTH":
            raise Unknown(f"{self.ID}: the account is in hedge mode, expected one-way mode")
        (found,) = held
        cost = amount_of(found["notional"]) - amount_of(found["unRealizedProfit"])
        liquidation = amount_of(found["liquidationPrice"])
        return Position(
            amount_of(found["positionAmt"]),
            amount_of(found["entryPrice"]),
            cost,
            liquidation_price=liquidation if liquidation > 0 else None,
        )

    def balance(self, quote: str, content: Sequence[Mapping[str, Any]]) -> Balance:
        """The wallet, from ``balance``."""
        found = [amount_of(each["balance"]) for each in listed(content) if each["asset"] == quote]
        return Balance(quote, sum(found, NOTHING))

    def order(self, content: Mapping[str, Any]) -> OrderState:
        """The order, from an answer or a look-up, which must have an id and a status."""
        status = STATUSES.get(content["status"])
        if status is None or not content["orderId"]:
            raise ValueError("no order id, or a status that is not known")
        sign = 1 if content["side"] == "BUY" else -1
        return OrderState(
            str(content["clientOrderId"]),
            str(content["orderId"]),
            status,
            sign * amount_of(content["origQty"]),
            sign * amount_of(content["executedQty"]),
            int(content["updateTime"]),
            reason=str(content["status"]).lower() if status is OrderStatus.EXPIRED else "",
        )

    def streamed_mark(self, told: Mapping[str, Any]) -> Mark:
        """The mark, from the event ``markPriceUpdate``."""
        return Mark(amount_of(told["p"]), int(told["E"]), amount_of(told["i"]))

    def streamed_order(self, told: Mapping[str, Any]) -> OrderState:
        """The order, from the event ``ORDER_TRADE_UPDATE``."""
        names = {
            "clientOrderId": "c",
            "orderId": "i",
            "status": "X",
            "side": "S",
            "origQty": "q",
            "executedQty": "z",
            "updateTime": "T",
        }
        return self.order({name: told[short] for name, short in names.items()})

    def trade(self, quote: str, client_id: str, content: Mapping[str, Any]) -> Trade:
        """The trade, from ``userTrades``."""
        commission = amount_of(content["commission"])
        if commission != 0 and content["commissionAsset"] != quote:
            asset = content["commissionAsset"]
            message = f"{self.ID}: expected fees in {quote}, found them in {asset}: see the doctor"
            raise Unknown(message)
        sign = 1 if content["side"] == "BUY" else -1
        return Trade(
            str(content["id"]),
            str(content["orderId"]),
            client_id,
            int(content["time"]),
            sign * amount_of(content["qty"]),
            amount_of(content["price"]),
            sign * amount_of(content["quoteQty"]),
            commission,
            amount_of(content["realizedPnl"]),
            cause_of(client_id),
        )

    def movement(self, content: Mapping[str, Any]) -> Movement:
        """The money movement, from ``income``, whose ids are unique only within one kind."""
        kind, time_ms = str(content["incomeType"]), int(content["time"])
        if kind == "FUNDING_FEE" and time_ms % HOUR_MS <= LATE_MS:
            time_ms -= time_ms % HOUR_MS  # it is charged some seconds after its due time
        return Movement(
            f"{kind}:{content['tranId']}",
            KINDS.get(kind, MovementKind.OTHER),
            str(content["asset"]),
            amount_of(content["income"]),
            time_ms,
            str(content.get("tradeId") or ""),
        )


BINANCE_USDM = BinanceUsdm()

STATUSES = {
    "NEW": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.EXPIRED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
CAUSES = (
    ("adl_autoclose", TradeCause.AUTO_DELEVERAGING),
    ("autoclose-", TradeCause.LIQUIDATION),
    ("settlement_autoclose-", TradeCause.EXPIRY),
)
"""The beginnings of the client ids of orders that the exchange itself made."""
KINDS = {
    "TRANSFER": MovementKind.TRANSFER,
    "INTERNAL_TRANSFER": MovementKind.TRANSFER,
    "CROSS_COLLATERAL_TRANSFER": MovementKind.TRANSFER,
    "COIN_SWAP_DEPOSIT": MovementKind.TRANSFER,
    "COIN_SWAP_WITHDRAW": MovementKind.TRANSFER,
    "STRATEGY_UMFUTURES_TRANSFER": MovementKind.TRANSFER,
    "REALIZED_PNL": MovementKind.REALISED,
    "FUNDING_FEE": MovementKind.FUNDING,
    "COMMISSION": MovementKind.COMMISSION,
    "INSURANCE_CLEAR": MovementKind.LIQUIDATION_FEE,
}


def listed(content: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """An answer that is a list: an empty object would say that nothing is held.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(content, list):
        raise ValueError("no list")
    return content


def cause_of(client_id: str) -> TradeCause:
    """The cause of a trade, found from the client id of its order."""
    for begins, cause in CAUSES:
        if client_id.startswith(begins):
            return cause
    return TradeCause.ORDER
