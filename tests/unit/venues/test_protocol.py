"""The words that every venue and the keeper share."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from steelyard.errors import InputError, Rejected, Unavailable, Unknown
from steelyard.venues.protocol import CallOutcome, Failure, OrderRequest, failure_of

REQUEST = OrderRequest("sy-BTC3L-7-1", Decimal("0.5"), Decimal(68_000), False, 1_000, 2_000)


def test_the_last_instant_of_acceptance_is_stamp_plus_window() -> None:
    """What is stored before sending says until when anything can come of it."""
    assert REQUEST.last_ms == 3_000


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"client_id": ""}, "client id"),
        ({"client_id": "x" * 37}, "client id"),
        ({"client_id": "sy BTC"}, "client id"),
        ({"client_id": "sy-BTC\n"}, "client id"),
        ({"units": Decimal(0)}, "units"),
        ({"units": Decimal("nan")}, "units"),
        ({"limit": Decimal(0)}, "limit price"),
        ({"limit": Decimal("inf")}, "limit price"),
        ({"window_ms": 0}, "window"),
    ],
)
def test_a_request_that_no_venue_could_take_is_refused(change: dict[str, Any], told: str) -> None:
    """It is named before anything is stored or sent."""
    with pytest.raises(InputError, match=told):
        replace(REQUEST, **change)


@pytest.mark.parametrize("outcome", list(CallOutcome))
def test_a_failure_and_its_error_say_the_same(outcome: CallOutcome) -> None:
    """A failure survives the way through the error, with its code and the end of a ban."""
    failure = Failure(outcome, "Way too many requests", "-1003", 90_000)
    assert failure_of(failure.error()) == failure


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Rejected("no"), CallOutcome.REJECTED),
        (Unavailable("no way there"), CallOutcome.UNAVAILABLE),
        (Unknown("no answer"), CallOutcome.UNKNOWN),
        (TimeoutError(), CallOutcome.UNKNOWN),
        (KeyError("status"), CallOutcome.UNKNOWN),
    ],
)
def test_whatever_is_not_proved_is_unknown(error: Exception, outcome: CallOutcome) -> None:
    """Only a venue's own refusals say that nothing happened."""
    assert failure_of(error).outcome is outcome
