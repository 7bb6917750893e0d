"""The exchange's refusals: one table of HTTP status, code and message."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["REFUSALS", "Refused", "Words"]


class Words(NamedTuple):
    """The answer of a refusal."""

    status: int
    code: int
    message: str


REFUSALS = {
    "unknown_path": Words(404, -5000, "Path {path}, Method {method} is invalid"),
    "missing": Words(
        400, -1102, "Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    ),
    "bad_value": Words(400, -1130, "Data sent for parameter '{name}' is not valid."),
    "combination": Words(400, -1128, "Combination of optional parameters invalid."),
    "interval": Words(400, -4165, "Maximum time interval is {days} days."),
    "bad_symbol": Words(400, -1121, "Invalid symbol."),
    "bad_interval": Words(400, -1120, "Invalid interval."),
    "bad_side": Words(400, -1117, "Invalid side."),
    "bad_type": Words(400, -1116, "Invalid orderType."),
    "bad_tif": Words(400, -1115, "Invalid timeInForce."),
    "algo_order": Words(
        400,
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints "
        "instead.",
    ),
    "bad_client_id": Words(400, -4015, "Client order id length should be less than 36 chars"),
    "no_key": Words(401, -2014, "API-key format invalid."),
    "bad_key": Words(
        401,
        -2015,
        "Invalid API-key, IP, or permissions for action, request ip: {ip}",
    ),
    "bad_signature": Words(400, -1022, "Signature for this request is not valid."),
    "too_early": Words(
        400, -1021, "Timestamp for this request was 1000ms ahead of the server's time."
    ),
    "too_late": Words(400, -1021, "Timestamp for this request is outside of the recvWindow."),
    "bad_window": Words(400, -1131, "recvWindow must be less than 60000"),
    "precision": Words(400, -1111, "Precision is over the maximum defined for this asset."),
    "price_step": Words(400, -4014, "Price not increased by tick size."),
    "too_small": Words(400, -4003, "Quantity less than or equal to zero."),
    "most_units": Words(400, -4005, "Quantity greater than max quantity."),
    "least_price": Words(400, -4013, "Price less than min price."),
    "most_price": Words(400, -4002, "Price greater than max price."),
    "least_notional": Words(
        400,
        -4164,
        "Order's notional must be no smaller than {notional} (unless you choose reduce only).",
    ),
    "percent_price": Words(
        400,
        -4131,
        "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    ),
    "price_too_high": Words(400, -4016, "Limit price can't be higher than {price}."),
    "price_too_low": Words(400, -4024, "Limit price can't be lower than {price}."),
    "margin": Words(400, -2019, "Margin is insufficient."),
    "reduce_only": Words(400, -2022, "ReduceOnly Order is rejected."),
    "post_only": Words(
        400,
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    ),
    "fill_or_kill": Words(
        400,
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected. "
        "The order will not be recorded in the order history",
    ),
    "above_tier": Words(400, -2027, "Exceeded the maximum allowable position at current leverage."),
    "no_such_order": Words(400, -2013, "Order does not exist."),
    "cancel_unknown": Words(400, -2011, "Unknown order sent."),
    "same_client_id": Words(400, -4116, "ClientOrderId is duplicated."),
    "position_side": Words(400, -4061, "Order's position side does not match user's setting."),
    "bad_position_side": Words(400, -4060, "Invalid position side."),
    "not_required": Words(400, -1106, "Parameter '{name}' sent when not required."),
    "leverage_cut": Words(
        400,
        -4161,
        "Leverage reduction is not supported in Isolated Margin Mode with open positions",
    ),
    "isolated_symbols": Words(
        400,
        -4167,
        "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under "
        "isolated-margin mode.",
    ),
    "multi_assets": Words(
        400, -4168, "Unable to adjust to isolated-margin mode under the Multi-Assets mode."
    ),
    "multi_assets_margin": Words(
        400,
        -4169,
        "Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures",
    ),
    "same_margin_type": Words(400, -4046, "No need to change margin type."),
    "same_position_side": Words(400, -4059, "No need to change position side."),
    "same_assets_mode": Words(400, -4171, "No need to change Multi-Assets mode."),
    "open_orders": Words(
        400, -4067, "Position side cannot be changed if there exists open orders."
    ),
    "open_position": Words(400, -4068, "Position side cannot be changed if there exists position."),
    "open_orders_margin": Words(
        400, -4047, "Margin type cannot be changed if there exists open orders."
    ),
    "open_position_margin": Words(
        400, -4048, "Margin type cannot be changed if there exists position."
    ),
    "bad_leverage": Words(400, -4028, "Leverage {leverage} is not valid"),
    "leverage_too_high": Words(
        400, -2028, "Leverage is smaller than permitted: insufficient margin balance"
    ),
    "no_listen_key": Words(400, -1125, "This listenKey does not exist."),
    "too_many_requests": Words(
        429,
        -1003,
        "Too many requests; current limit of IP({ip}) is {limit} requests per minute. Please use "
        "the websocket for live updates to avoid polling the API.",
    ),
    "banned": Words(
        418,
        -1003,
        "Way too many requests; IP({ip}) banned until {until}. Please use the websocket for live "
        "updates to avoid bans.",
    ),
    "too_many_orders": Words(
        429, -1015, "Too many new orders; current limit is {limit} orders per {interval}."
    ),
}


class Refused(Exception):
    """The exchange refuses a request, and nothing has changed."""

    def __init__(self, name: str, /, **facts: object) -> None:
        status, code, message = REFUSALS[name]
        self.name, self.status, self.code = name, status, code
        self.message = message.format(**facts)
        self.retry_after_s: int | None = None
        super().__init__(self.message)
