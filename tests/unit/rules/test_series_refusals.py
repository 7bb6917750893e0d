"""What no series can be is refused in one sentence that says what to change.

Each refusal names the file, the key, what was found and what is allowed; a misspelt key gets a
suggestion.
"""

from __future__ import annotations

import pytest

from steelyard.rules.series import Series
from support.series_texts import BAND, LEAST, refused

REFUSALS: dict[str, tuple[str, str, str]] = {
    # name: (text, key, words of the message)
    "target 0": (LEAST.replace("3.0", "0"), "target_leverage", "other than 0, such as 3.0"),
    "no target": (LEAST.replace("target_leverage", "#"), "target_leverage", "add it"),
    "no symbol": (LEAST.replace("symbol", "#"), "symbol", "add it"),
    "no underlying": (LEAST.replace("underlying", "#"), "underlying", "add it"),
    "another schema": ("schema = 2\n" + LEAST, "schema", "expected 1"),
    "schema true": ("schema = true\n" + LEAST, "schema", "expected 1"),
    "lower above upper": (
        LEAST + BAND.replace("2.5", "3.6"),
        "rebalance.trigger (band).lower",
        "below |target_leverage| = 3, found 3.6",
    ),
    "target below its band": (
        LEAST + BAND.replace("2.5", "3.1"),
        "rebalance.trigger (band).lower",
        "below |target_leverage| = 3",
    ),
    "target above its band": (
        LEAST + BAND.replace("3.5", "2.9"),
        "rebalance.trigger (band).upper",
        "above |target_leverage| = 3",
    ),
    "target on its lower edge": (
        LEAST + BAND.replace("2.5", "3"),
        "rebalance.trigger (band).lower",
        "below",
    ),
    "target on its upper edge": (
        LEAST + BAND.replace("3.5", "3"),
        "rebalance.trigger (band).upper",
        "above",
    ),
    "a short outside its band": (
        LEAST.replace("3.0", "-4.0") + BAND,
        "rebalance.trigger (band).upper",
        "above |target_leverage| = 4",
    ),
    "a band without lower": (
        LEAST + BAND.replace("lower = 2.5\n", ""),
        "rebalance.trigger (band).lower",
        "add it",
    ),
    "a band without upper": (
        LEAST + BAND.replace("upper = 3.5\n", ""),
        "rebalance.trigger (band).upper",
        "add it",
    ),
    "edge without a band": (
        LEAST + '[rebalance]\nmove_to = "edge"\n',
        "rebalance.move_to",
        'a trigger of kind "band"',
    ),
    "a slack of 0": (
        LEAST + '[rebalance]\nmove_to = "edge"\nedge_slack = 0\n' + BAND,
        "rebalance.edge_slack",
        "a number above 0, found 0",
    ),
    "a negative slack": (
        LEAST + "[rebalance]\nedge_slack = -0.1\n",
        "rebalance.edge_slack",
        "above 0",
    ),
    "two bands": (LEAST + BAND + BAND, "rebalance.trigger (band)", "at most one"),
    "two dailies": (
        LEAST + 2 * '[[rebalance.trigger]]\nwhen = "daily"\nat = "00:00"\n',
        "rebalance.trigger (daily)",
        "at most one",
    ),
    "an emergency at the edge": (
        LEAST + "[rebalance]\nemergency_leverage = 3.5\n" + BAND,
        "rebalance.emergency_leverage",
        "above 3.5",
    ),
    "an emergency inside the band": (
        LEAST + "[rebalance]\nemergency_leverage = 3.2\n" + BAND,
        "rebalance.emergency_leverage",
        "above 3.5",
    ),
    "an emergency at the target": (
        LEAST + "[rebalance]\nemergency_leverage = 3\n",
        "rebalance.emergency_leverage",
        "above 3",
    ),
    "no kind of trigger": (
        LEAST + "[[rebalance.trigger]]\nlower = 1\n",
        "rebalance.trigger.when",
        "found nothing",
    ),
    "an unknown kind of trigger": (
        LEAST + '[[rebalance.trigger]]\nwhen = "moon"\n',
        "rebalance.trigger.when",
        '"band", "move", "volatility", "interval", "daily", "fallback"',
    ),
    "a trigger that is no table": (
        LEAST + "[rebalance]\ntrigger = [3]\n",
        "rebalance.trigger",
        "[[rebalance.trigger]]",
    ),
    "a speed of 0": (
        LEAST + "[rebalance]\nrecentering_speed = 0\n",
        "rebalance.recentering_speed",
        "from 0.01 to 1",
    ),
    "a resume ratio under the floor": (
        LEAST + "[reserve]\nfloor_ratio = 0.2\n",
        "reserve.resume_ratio",
        "at least floor_ratio = 0.2",
    ),
    "an unknown kind of cost": (
        LEAST + '[reserve]\nbears = ["tax"]\n',
        "reserve.bears",
        '"fee", "spread", "impact", "gas"',
    ),
    "a kind of cost twice": (
        LEAST + '[reserve]\nbears = ["gas", "gas"]\n',
        "reserve.bears",
        "different words",
    ),
    "square root without a volume": (
        LEAST + '[costs]\nimpact = "square_root"\nimpact_coefficient = 5\n',
        "costs.daily_volume",
        "above 0",
    ),
    "a pool without liquidity": (
        LEAST + '[costs]\nimpact = "amm"\n',
        "costs.amm_liquidity",
        "above 0",
    ),
    "a pool of nothing to speak of": (
        LEAST + '[costs]\nimpact = "amm"\namm_liquidity = 1e-40\n',
        "costs.amm_liquidity",
        "from 1e-30",
    ),
    "a pool's fee without a pool": (
        LEAST + "[costs]\namm_fee_bps = 5\n",
        "costs.amm_fee_bps",
        'impact = "amm" in the same table',
    ),
    "a pool beside a book": (
        LEAST + '[costs]\nimpact = "book"\nbook = "b.csv"\namm_liquidity = 5e6\n',
        "costs.amm_liquidity",
        'impact = "amm" in the same table',
    ),
    "a book without a file": (
        LEAST + '[costs]\nimpact = "book"\n',
        "costs.book",
        "the name of a file",
    ),
    "a file without a book": (
        LEAST + '[costs]\nimpact = "linear"\nbook = "b.csv"\n',
        "costs.book",
        'impact = "book" in the same table',
    ),
    "a coefficient for a pool": (
        LEAST + '[costs]\nimpact = "amm"\namm_liquidity = 5e6\nimpact_coefficient = 3\n',
        "costs.impact_coefficient",
        'impact = "square_root" in the same table',
    ),
    "a realised coefficient of a line": (
        LEAST + '[costs]\nimpact = "linear"\nimpact_coefficient = "realised"\n',
        "costs.impact_coefficient",
        'impact = "square_root" in the same table',
    ),
    "a realised coefficient without a volume": (
        LEAST + '[costs]\nimpact = "square_root"\nimpact_coefficient = "realised"\n',
        "costs.daily_volume",
        'or "file"',
    ),
    "a volume from the file for no impact": (
        LEAST + '[costs]\ndaily_volume = "file"\n',
        "costs.daily_volume",
        'impact = "square_root" in the same table',
    ),
    "another word for a coefficient": (
        LEAST + '[costs]\nimpact = "square_root"\nimpact_coefficient = "real"\n',
        "costs.impact_coefficient",
        'or "realised"',
    ),
    "a margin that the target uses up": (
        LEAST + "[venue]\nmaintenance_margin = 0.34\n",
        "venue.maintenance_margin",
        "below 1/|target_leverage|",
    ),
    "a threshold below the debt at target": (
        LEAST + '[venue]\nkind = "spot"\nliquidation_threshold = 0.6\n',
        "venue.liquidation_threshold",
        "0.666667",
    ),
    "another venue's key": (
        LEAST + '[venue]\nkind = "spot"\nmaintenance_margin = 0.1\n',
        "venue.maintenance_margin",
        'one of kind "perpetual"',
    ),
    "an unknown venue": (LEAST + '[venue]\nkind = "otc"\n', "venue.kind", '"perpetual", "spot"'),
    "a venue that is a list": (LEAST + '[venue]\nkind = ["spot"]\n', "venue.kind", '"spot"'),
    "a kind that is a list": (
        LEAST + '[[rebalance.trigger]]\nwhen = ["band"]\n',
        "rebalance.trigger.when",
        '"band"',
    ),
    "a time of day that is none": (
        LEAST + '[[rebalance.trigger]]\nwhen = "daily"\nat = "24:00"\n',
        "rebalance.trigger (daily).at",
        '"00:02"',
    ),
    "a duration without a unit": (
        LEAST + '[rebalance]\ncooldown = "60"\n',
        "rebalance.cooldown",
        '"90s", "30m"',
    ),
    "an interval of no length": (
        LEAST + '[[rebalance.trigger]]\nwhen = "interval"\nevery = "0s"\n',
        "rebalance.trigger (interval).every",
        "longer than zero",
    ),
    "a duration of ages": (
        LEAST + '[rebalance]\ncooldown = "5300w"\n',
        "rebalance.cooldown",
        "at most 100 years",
    ),
    "a negative fee": (LEAST + "[costs]\ntaker_fee_bps = -1\n", "costs.taker_fee_bps", "from 0"),
    "assets beyond any figure": (LEAST + "initial_nav = 1e300\n", "initial_nav", "to 1e+30"),
    "assets of nothing": (LEAST + "initial_tokens = 1e-320\n", "initial_tokens", "from 1e-30"),
    "an integer of a mile": (
        LEAST + "initial_nav = 0x" + "f" * 9000 + "\n",
        "initial_nav",
        "too long to show",
    ),
    "a very long text": (LEAST + f'quote = "{"x" * 9000}"\n', "quote", "at most 64 characters"),
    "control characters": (LEAST + 'quote = "a\\u001b[31m"\n', "quote", "a text in quotes"),
    "a table for a text": (
        "symbol.a.b = 1\nunderlying = 1\ntarget_leverage = 3\n",
        "symbol",
        "a table",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_no_series_can_be_is_refused(name: str) -> None:
    """File, key, what was found, what is allowed: in one sentence."""
    text, key, words = REFUSALS[name]
    error = refused(text)
    assert error.details["key"] == key
    assert key in str(error)
    assert words in str(error)


def test_a_misspelt_trigger_gets_a_suggestion() -> None:
    """The kind of a trigger is helped along as a key is."""
    error = refused(LEAST + '[[rebalance.trigger]]\nwhen = "dayly"\nat = "00:00"\n')
    assert 'did you mean "daily"?' in str(error)


def test_a_schema_is_a_whole_number() -> None:
    """1.0 and true look like 1 to Python, and are none."""
    for found in ("1.0", "true", "2"):
        assert refused(f"schema = {found}\n" + LEAST).details["key"] == "schema"


def test_neutral_execution_is_no_refusal() -> None:
    """Written out as in the example, in any unit of time; but only with the right types."""
    neutral = '[execution]\nlot_units = 0\nmin_notional = 0.0\ndelay = "0m"\n'
    assert Series.loads(LEAST + neutral) == Series.loads(LEAST)
    assert refused(LEAST + '[execution]\nlot_units = "0s"\n').details["key"]
    assert refused(LEAST + "[execution]\ndelay = 0\n").details["key"] == "execution.delay"


@pytest.mark.parametrize(
    ("wrong", "right", "place"),
    [
        ("target_levrage", "target_leverage", ""),
        ("maintenence_margin", "maintenance_margin", "venue."),
        ("taker_fees_bps", "taker_fee_bps", "costs."),
        ("recentring_speed", "recentering_speed", "rebalance."),
        ("managment_per_year", "management_per_year", "fees."),
        ("floor_rate", "floor_ratio", "reserve."),
        ("delays", "delay", "execution."),
        ("uper", "upper", "rebalance.trigger (band)."),
    ],
)
def test_a_misspelt_key_gets_a_suggestion(wrong: str, right: str, place: str) -> None:
    """In every table, with what is allowed there."""
    heading = {"": "", "rebalance.trigger (band).": '[[rebalance.trigger]]\nwhen = "band"\n'}
    text = LEAST + heading.get(place, f"[{place.rstrip('.')}]\n") + f"{wrong} = 1\n"
    error = refused(text)
    assert error.details["key"] == place + wrong
    assert f'unknown key "{place}{wrong}". Did you mean "{right}"?' in str(error)
    assert f"Allowed here: {', '.join(error.details['allowed'])}." in str(error)


def test_an_unknown_key_without_a_likeness_gets_the_list() -> None:
    """Also an unknown table, and a name that could paint on a terminal or fill it."""
    assert refused(LEAST + "[zzz]\n").details["key"] == "zzz"
    assert "Did you mean" not in str(refused(LEAST + "zzz = 1\n"))
    painted = str(refused(LEAST + '"\\u001b[31mred" = 1\n'))
    assert "\x1b" not in painted
    assert len(str(refused(LEAST + "k" * 100_000 + " = 1\n"))) < 500
