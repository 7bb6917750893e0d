"""Make the pictures of the case studies from real history, light and dark.

    python docs/images/make_case_images.py [march-2020 | may-2021 | may-2022 | november-2022 ...]

Reads the files that docs/case-studies/files.md names, in ``../shared/data`` beside the project or
where ``STEELYARD_DATA`` says. Needs Chromium (or Chrome) on the path, or in the variable CHROMIUM.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from make_images import BROWSERS, shoot

import steelyard as sy
from steelyard.report.figure_encoding import plain
from steelyard.report.html import island
from steelyard.report.palette import DARK, LIGHT
from steelyard.rules.presets import preset
from steelyard.rules.series import Series
from steelyard.simulation.run import Run

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
DATA = Path(os.environ.get("STEELYARD_DATA") or REPOSITORY.parent / "shared" / "data")
WIDTH = 1240
LARGEST = 150_000
HOUR_US = 3_600_000_000
COSTS = "[costs]\ntaker_fee_bps = 5.0\nhalf_spread_bps = 1.0\n[venue]\nmaintenance_margin = 0.005\n"
PAGE = """<!doctype html><html><head><meta charset="utf-8"><style>
body {{ margin: 0; background: {page}; color: {ink}; font: 15px/1.45 system-ui, "Liberation Sans",
Arial, sans-serif; }} main {{ padding: 18px 26px 0; }} h1 {{ font-size: 23px; margin: 0; }}
p {{ margin: 2px 0 0; color: {muted}; }}
</style></head><body><main><h1>{title}</h1><p>{words}</p></main><div id="chart"></div>
<script>{plotly}</script><script type="application/json" id="data">{data}</script><script>
const figure = JSON.parse(document.getElementById("data").textContent);
Plotly.newPlot("chart", figure.data, figure.layout, {{ staticPlot: true }});
</script></body></html>"""
Figure = tuple[str, str, list[dict[str, Any]], dict[str, Any]]


def rule(text: str, *, symbol: str = "T", target: float = 3.0, more: str = "") -> Series:
    """A series with the costs of the presets; ``text`` is its table of rebalances."""
    head = f'symbol = "{symbol}"\nunderlying = "X/USDT"\ntarget_leverage = {target}\n'
    return Series.loads(f"{head}[rebalance]\n{text}\n{COSTS}{more}")


BAND = '[[rebalance.trigger]]\nwhen = "band"\nlower = 2.5\nupper = 3.5'
DAILY = rule('[[rebalance.trigger]]\nwhen = "daily"\nat = "00:00"')
TARGET = rule(BAND)
EDGE = rule('move_to = "edge"\n' + BAND)


def prices(name: str) -> str:
    """A file of prices."""
    return str(DATA / "prices" / f"{name}.parquet")


def march_2020() -> Figure:
    """Two days of hours: bitcoin, a daily reset, a band and FTX's rule; below, FTX's leverage."""
    hours = sy.Feed(prices("BTC-USDT-spot-1h"), start="2020-03-12", end="2020-03-14")
    runs = {
        "reset each midnight": (sy.simulate(DAILY, hours), "$ideal", "dash"),
        "FTX's rule": (sy.simulate(preset("ftx-bull"), hours), "$nav", "solid"),
        "to the edge of 2.5x to 3.5x": (sy.simulate(EDGE, hours), "$good", "solid"),
    }
    ftx = runs["FTX's rule"][0]
    data = [*growth(runs, "bitcoin"), *leverage(ftx, "FTX's rule", "$nav")]
    return (
        "12 and 13 March 2020: only the token that waits for midnight dies",
        (
            "Above: what 100 USDT became, hour by hour. Below: leverage of FTX's rule; each sale, "
            "marked, brings it from 4x back to 3x."
        ),
        data,
        two_rows("100 = midnight of 12 March, log", "leverage", [3.0, 4.0]),
    )


def may_2021() -> Figure:
    """Two days of hours: ether and four rules; below, the leverage of target and edge."""
    hours = sy.Feed(prices("ETH-USDT-spot-1h"), start="2021-05-19", end="2021-05-21")
    runs = {
        "reset each midnight": (sy.simulate(DAILY, hours), "$ideal", "dash"),
        "FTX's rule": (sy.simulate(preset("ftx-bull"), hours), "$nav", "solid"),
        "band to target": (sy.simulate(TARGET, hours), "$impact", "solid"),
        "band to edge": (sy.simulate(EDGE, hours), "$good", "solid"),
    }
    data = growth(runs, "ether")
    for name in ("FTX's rule", "band to target", "band to edge"):
        run, color, _ = runs[name]
        data += leverage(run, name, color, marks=name == "FTX's rule")
    return (
        "19 and 20 May 2021: a V costs who sells in it, and kills who does not",
        (
            "Above: what 100 USDT became, hour by hour. Below: leverage; FTX's sales and purchases "
            "are marked, the bands' are too many."
        ),
        data,
        two_rows("100 = midnight of 19 May, log", "leverage", [2.5, 3.5]),
    )


def may_2022() -> Figure:
    """Days after LUNA: what was held at each step, and the steps as a waterfall."""
    feed = sy.Feed(
        prices("ETH-USDT-perp-1m"),
        funding=str(DATA / "funding" / "ETH-USDT-perp-binance.parquet"),
        start="2022-05-13",
        end="2022-06-01",
    )
    found = sy.explain(EDGE, feed)
    time = found.time.astype("datetime64[s]").astype(str).tolist()
    multiple = 100 * (1 + 3 * (found.asset / found.asset[0] - 1))
    lines = {
        "3 times ether": (multiple, "$asset", "solid"),
        "a daily reset, no costs": (found.held["compounding"], "$ideal", "dash"),
        "the band, no costs": (found.held["rule"], "$good", "dot"),
        "the token": (found.held[list(found.held)[-1]], "$nav", "solid"),
    }
    data: list[dict[str, Any]] = [
        line(name, time, np.asarray(values).tolist(), color, dash)
        for name, (values, color, dash) in lines.items()
    ]
    steps = {name: 100 * share for name, share in found.steps.items() if share}
    total = 100 * found.run.summary["nav"]["return"]
    shares = [total - sum(steps.values()), *steps.values(), total]
    data.append(
        {
            "type": "waterfall",
            "x": ["3 × ether", *steps, "token"],
            "y": shares,
            "measure": ["absolute", *["relative"] * len(steps), "total"],
            "text": [f"{share:+.1f}" for share in shares],
            "textposition": "outside",
            "cliponaxis": False,
            "xaxis": "x2",
            "yaxis": "y2",
            "showlegend": False,
            "increasing": {"marker": {"color": "$good"}},
            "decreasing": {"marker": {"color": "$bad"}},
            "totals": {"marker": {"color": "$nav"}},
            "connector": {"line": {"color": "$rule", "width": 1}},
        }
    )
    layout = base(560)
    layout |= {
        "xaxis": {**AXIS, "domain": [0.0, 0.52], "anchor": "y", "tickformat": "%-d %B"},
        "yaxis": {**AXIS, "title": {"text": "100 = 13 May"}, "anchor": "x"},
        "xaxis2": {**AXIS, "domain": [0.61, 1.0], "anchor": "y2", "showgrid": False},
        "yaxis2": {**AXIS, "title": {"text": "points of return"}, "anchor": "x2"},
    }
    return (
        "13 to 31 May 2022: ether went nowhere, a 3x token lost 8 %",
        (
            "Left: what 100 USDT became at the end of each day. Right: the difference between the "
            "grey line and the blue one, in steps that add up."
        ),
        data,
        layout,
    )


def november_2022() -> Figure:
    """A month of hours: SOL and its short with and without a reserve, leverage, the reserve."""
    hours = sy.Feed(prices("SOL-USDT-spot-1h"), start="2022-11-01", end="2022-12-01")
    text = (
        'move_to = "edge"\nedge_slack = 0.01\nemergency_leverage = 1.5\n[[rebalance.trigger]]\n'
        'when = "band"\nlower = 0.8467\nupper = 1.1533'
    )
    pool = '[reserve]\ninitial_units = 500.0\nbears = ["spread", "impact", "gas"]\n'
    runs = {
        "1x short, no reserve": (
            sy.simulate(rule(text, target=-1.0), hours),
            "$nav",
            "solid",
        ),
        "1x short on a reserve of 500 SOL": (
            sy.simulate(rule(text, target=-1.0, more=pool), hours),
            "$suspended",
            "solid",
        ),
    }
    data = growth(runs, "SOL")
    for name, (run, color, _) in runs.items():
        data += leverage(run, name, color, marks=False)
    run = runs["1x short on a reserve of 500 SOL"][0]
    columns = run.nav_columns
    level = 100 * columns["reserve"] * columns["price"] / (columns["nav"] * columns["tokens"])
    data.append(line("reserve", times(run), level.tolist(), "$management", "solid", row=3))
    layout = base(760)
    layout |= {
        "xaxis": {**AXIS, "anchor": "y3", "tickformat": "%-d %B"},
        "yaxis": {**AXIS, "domain": [0.56, 1.0], "title": {"text": "100 = 1 November"}},
        "yaxis2": {**AXIS, "domain": [0.28, 0.50], "title": {"text": "leverage"}},
        "yaxis3": {
            **AXIS,
            "domain": [0.0, 0.22],
            "title": {"text": "reserve, % of nav"},
            "rangemode": "tozero",
        },
        "shapes": [level_line(-1.0, "y2"), level_line(10.0, "y3"), level_line(12.0, "y3")],
    }
    return (
        "November 2022: the reserve of a short is smallest when the short is largest",
        (
            "Above: what 100 USDT became. Middle: leverage, and its target. Below: the reserve "
            "against nav, its floor of 10 % and the 12 % at which a suspension ends."
        ),
        data,
        layout,
    )


CASES: Mapping[str, Callable[[], Figure]] = {
    "march-2020": march_2020,
    "may-2021": may_2021,
    "may-2022": may_2022,
    "november-2022": november_2022,
}
AXIS: Mapping[str, Any] = {
    "gridcolor": "$grid",
    "zerolinecolor": "$rule",
    "linecolor": "$rule",
    "automargin": True,
}


def growth(runs: Mapping[str, tuple[Run, str, str]], asset: str) -> list[dict[str, Any]]:
    """The asset and what 100 became in each run."""
    first = next(iter(runs.values()))[0]
    price = 100 * first.nav_columns["price"] / first.summary["underlying"]["initial"]
    found = [line(asset, times(first), price.tolist(), "$asset", "solid")]
    for name, (run, color, dash) in runs.items():
        values = [value or None for value in run.nav_columns["nav"].tolist()]
        found.append(line(name, times(run), values, color, dash))
    return found


def leverage(run: Run, name: str, color: str, *, marks: bool = True) -> list[dict[str, Any]]:
    """Leverage at closes and, with ``marks``, on both sides of each trade, spread over its bar."""
    columns, trades = run.nav_columns, run.rebalance_columns
    ends = columns["time"].astype("datetime64[us]").astype(np.int64) + run.prices.step_s * 10**6
    points = list(zip(ends.tolist(), columns["leverage"].tolist(), strict=True))
    marked = []
    when = trades["time"].astype("datetime64[us]").astype(np.int64).tolist()
    for place in range(1, len(when)) if marks else ():
        together = [other for other in range(1, len(when)) if when[other] == when[place]]
        share = (together.index(place) + 1) / (len(together) + 1)
        at = when[place] + int(share * run.prices.step_s * 10**6)
        points += [
            (at, float(trades["leverage_before"][place])),
            (at + 1, float(trades["leverage_after"][place])),
        ]
        marked.append((at, float(trades["leverage_after"][place]), str(trades["side"][place])))
    points.sort()
    shown = [value or None for _, value in points]
    found = [
        line(name, stamps([at for at, _ in points]), shown, color, "solid", row=2, legend=False)
    ]
    for side, symbol in (("sell", "triangle-down"), ("buy", "triangle-up")):
        found.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": stamps([at for at, _, way in marked if way == side]),
                "y": [value for _, value, way in marked if way == side],
                "marker": {"symbol": symbol, "color": f"${side}", "size": 11},
                "xaxis": "x",
                "yaxis": "y2",
                "showlegend": False,
            }
        )
    return found


def line(
    name: str,
    x: Sequence[str],
    y: Sequence[float | None],
    color: str,
    dash: str,
    *,
    row: int = 1,
    legend: bool | None = None,
) -> dict[str, Any]:
    """One line in a row of charts that share their times."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": color, "width": 2, "dash": dash},
        "xaxis": "x",
        "yaxis": "y" if row == 1 else f"y{row}",
        "showlegend": row == 1 if legend is None else legend,
    }


def times(run: Run) -> list[str]:
    """The ends of a run's bars."""
    ends = run.nav_columns["time"].astype("datetime64[us]").astype(np.int64)
    return stamps((ends + run.prices.step_s * 10**6).tolist())


def stamps(times_us: Sequence[int]) -> list[str]:
    """Times as plotly reads them."""
    return np.asarray(times_us, dtype="datetime64[us]").astype(str).tolist()


def base(height: int) -> dict[str, Any]:
    """What all pictures share."""
    return {
        "width": WIDTH,
        "height": height,
        "paper_bgcolor": "$page",
        "plot_bgcolor": "$page",
        "font": {"color": "$ink", "size": 14},
        "margin": {"l": 74, "r": 26, "t": 46, "b": 40},
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        "separators": ".,",
    }


def two_rows(top: str, bottom: str, levels: Sequence[float]) -> dict[str, Any]:
    """A chart of growth, logarithmic, above one of leverage with lines at ``levels``."""
    return base(660) | {
        "xaxis": {**AXIS, "anchor": "y2", "tickformat": "%-d %B\n%H:%M"},
        "yaxis": {
            **AXIS,
            "type": "log",
            "domain": [0.40, 1.0],
            "title": {"text": top},
            "tickvals": [0.5, 1, 2, 5, 10, 20, 50, 100],
        },
        "yaxis2": {**AXIS, "domain": [0.0, 0.33], "title": {"text": bottom}},
        "shapes": [level_line(value, "y2") for value in levels],
    }


def level_line(value: float, axis: str) -> dict[str, Any]:
    """A dotted line across a chart."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": axis,
        "y0": value,
        "y1": value,
        "line": {"color": "$muted", "width": 1.2, "dash": "dot"},
    }


def main(names: Sequence[str]) -> int:
    """Write the pictures of these cases, or of all; 1 where that cannot be done."""
    from plotly.offline import get_plotlyjs

    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or not DATA.is_dir() or not set(names) <= set(CASES):
        print(f"needs Chromium, real history ({DATA}), and of {', '.join(CASES)}", file=sys.stderr)
        return 1
    plotly = get_plotlyjs().replace("</script", "<\\/script")
    with tempfile.TemporaryDirectory() as folder:
        for name in names or CASES:
            title, words, data, layout = CASES[name]()
            for theme, colors in (("light", LIGHT), ("dark", DARK)):
                drawn = plain({"data": data, "layout": layout}, colors)
                page = Path(folder) / "picture.html"
                page.write_text(
                    PAGE.format(
                        title=title, words=words, plotly=plotly, data=island(drawn), **colors
                    ),
                    encoding="utf-8",
                )
                picture = FOLDER / f"{name}-{theme}.png"
                size = (WIDTH, layout["height"] + 84)
                shoot(browser, page.as_uri(), picture, Path(folder) / f"{name}-{theme}", size)
                print(f"{picture.name}: {picture.stat().st_size:,} bytes")
                if picture.stat().st_size > LARGEST:
                    print(f"expected at most {LARGEST:,} bytes", file=sys.stderr)
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
