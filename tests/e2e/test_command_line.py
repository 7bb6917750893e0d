"""The real command as a user meets it: output, exit codes, signals, pipes, colours, imports."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard import __version__
from steelyard.cli.command_reference import all_commands
from steelyard.rules.presets import preset, preset_names
from steelyard.simulation.daily_tracking import FIGURES
from support.command import SCRIPT, command, environment
from support.keeper_command import keeper_file, running

REQUESTS = {
    f"steelyard keeper {name}" for name in ("launch", "pause", "resume", "inject", "winddown")
}
COMMANDS = {context.command_path: context.command for context in all_commands()}

NUMBER = (int, float)
SHAPE: dict[str, Any] = {
    "schema": int,
    "symbol": str,
    "start": str,
    "end": str,
    "bars": int,
    "gaps": int,
    "intrabar": str,
    "nav": {"initial": float, "final": float, "return": float},
    "underlying": {"initial": float, "final": float, "return": float},
    "rebalances": {
        "count": int,
        "clips": int,
        "by_trigger": dict,
        "blocked": int,
        "turnover": float,
    },
    "costs": dict.fromkeys(
        (
            "fee",
            "spread",
            "impact",
            "gas",
            "funding",
            "interest",
            "management",
            "paid_by_reserve",
        ),
        float,
    ),
    "tracking": dict.fromkeys(FIGURES, float),
    "leverage": {"min": float, "max": float, "mean": float},
    "reserve": {
        **dict.fromkeys(("initial", "final", "min", "paid", "received", "injected"), float),
        "suspended_s": int,
        **dict.fromkeys(("level", "utilisation", "buffer_depth", "runway_days", "capacity"), float),
    },
    "max_drawdown": float,
    "wiped_out": {"time": str, "price": float, "reason": str},
}
MAY_BE_NULL = {
    *("tracking." + key for key in SHAPE["tracking"]),
    "reserve",
    *("reserve." + key for key in ("level", "utilisation", "buffer_depth")),
    "reserve.runway_days",
    "reserve.capacity",
    "wiped_out",
}


def hold_to_shape(found: Any, shape: Any, place: str = "") -> None:
    """Keys in the order of the specification, values of its types, null only where undefined."""
    if found is None:
        assert place in MAY_BE_NULL, place
        return
    if isinstance(shape, dict):
        assert list(found) == list(shape), place
        for key, inner in shape.items():
            hold_to_shape(found[key], inner, f"{place}.{key}" if place else key)
        return
    assert type(found) is shape, f"{place}: {found!r}"


# -- output ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("asset", ["BTC", "ETH"])
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_runs_and_its_json_has_the_shape_of_the_specification(
    name: str, asset: str, tmp_path: Path
) -> None:
    """One object on standard output, SPEC 6 key by key; every configured trigger is listed."""
    result = command("simulate", name, "--prices", asset, "--json", cwd=tmp_path, check=True)
    figures = json.loads(result.stdout)
    # every preset is of BTC: prices of another asset are noted
    said = figures.pop("notes", [])
    assert any("BTC" in each for each in said) == (asset == "ETH")
    hold_to_shape(figures, SHAPE)
    assert list(figures["rebalances"]["by_trigger"]) == list(preset(name).rebalance.trigger_names)
    by_trigger = figures["rebalances"]["by_trigger"].values()
    assert figures["rebalances"]["count"] == sum(by_trigger) > 0
    assert (figures["reserve"] is None) == (preset(name).reserve is None)
    assert (figures["bars"], figures["gaps"], figures["intrabar"]) == (1096, 0, "path")
    assert figures["start"] == "2020-01-01T00:00:00Z"
    assert figures["end"] == "2022-12-31T00:00:00Z"
    assert figures["nav"]["final"] > 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_undefined_is_null_and_a_wiped_out_token_says_when(tmp_path: Path) -> None:
    """Two closes: no deviation, no slope; a fall of 40 % ends a 3x long."""
    (tmp_path / "prices.csv").write_text("time,close\n2020-01-01,100\n2020-01-02,60\n")
    (tmp_path / "b.toml").write_text(
        'symbol = "B"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
        '[[rebalance.trigger]]\nwhen = "fallback"\nafter = "30d"\n'
    )
    result = command(
        "simulate", "b.toml", "--prices", "prices.csv", "--json", cwd=tmp_path, check=True
    )
    figures = json.loads(result.stdout)
    hold_to_shape(figures, SHAPE)
    assert figures["tracking"]["slope"] is None
    assert figures["tracking"]["difference"] is None
    assert figures["rebalances"]["by_trigger"] == {"fallback": 0}
    assert figures["wiped_out"] == {
        "time": "2020-01-03T00:00:00Z",
        "price": 60.0,
        "reason": "nav",
    }
    assert figures["nav"]["final"] == 0.0


def test_files_of_out_have_what_json_says(tmp_path: Path) -> None:
    """Rows a bar, rebalances and the launch, and the summary itself."""
    import pyarrow.parquet as pq

    words = ["simulate", "oracle-3l", "--prices", "BTC", "--start", "2020-03-01"]
    words += ["--end", "2020-04-01", "--out", "deep/run", "--json"]
    figures = json.loads(command(*words, cwd=tmp_path, check=True).stdout)
    nav = pq.read_table(tmp_path / "deep/run/nav.parquet")
    assert nav.num_rows == figures["bars"] == 31
    assert nav["nav"][-1].as_py() == figures["nav"]["final"]
    assert float(np.mean(nav["leverage"].to_numpy())) == pytest.approx(figures["leverage"]["mean"])
    trades = pq.read_table(tmp_path / "deep/run/rebalances.parquet")
    assert trades.num_rows == figures["rebalances"]["clips"] + 1
    assert trades["fee"].to_numpy().sum() == pytest.approx(figures["costs"]["fee"])
    assert json.loads((tmp_path / "deep/run/summary.json").read_text()) == figures


def test_a_written_nav_is_the_same_whatever_the_prices_came_as(tmp_path: Path) -> None:
    """CSV, gzip and Parquet of one history give one run."""
    import gzip

    import pyarrow as pa
    import pyarrow.parquet as pq

    from steelyard.market import sample_prices

    bars = sample_prices().slice(0, 90)
    rows = zip(
        bars.time.tolist(),
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        strict=True,  # type: ignore[arg-type]
    )
    text = "time,open,high,low,close\n" + "".join(
        ",".join(repr(float(x)) if i else str(x) for i, x in enumerate(row)) + "\n" for row in rows
    )
    (tmp_path / "p.csv").write_text(text)
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(text.encode()))
    columns = {"open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
    times = pa.array(bars.time, pa.timestamp("s", "UTC"))
    pq.write_table(pa.table({"time": times, **columns}), tmp_path / "p.parquet")
    outputs = {
        command("simulate", "bybit-3l", "--prices", name, "--json", cwd=tmp_path, check=True).stdout
        for name in ("p.csv", "p.csv.gz", "p.parquet")
    }
    assert len(outputs) == 1


def write_what_examples_name(folder: Path) -> None:
    """The files of a person's own that the examples of the helps take."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, target in (("long", 3.0), ("short", -1.0)):
        (folder / f"{name}.toml").write_text(
            f'symbol = "{name}"\nunderlying = "BTC"\ntarget_leverage = {target}\n'
            '[venue]\nkind = "pool"\n'
        )
    (folder / "reserve.toml").write_text("[reserve]\ninitial_units = 500.0\n")
    market = {"venue": ["binance_usdm_perp"] * 2, "symbol": ["BTCUSDT"] * 2, "level": [0, 1]}
    bids = {"bid_px": [61_000.0, 60_990.0], "bid_qty": [2.0, 9.0]}
    asks = {"ask_px": [61_001.0, 61_010.0], "ask_qty": [3.0, 8.0]}
    instant = pa.array([1_723_161_255] * 2, pa.timestamp("s", "UTC"))
    table = pa.table({"time": instant, **market, **bids, **asks})
    pq.write_table(table, folder / "snapshots.parquet")
    write_journal_examples(folder)
    # the folder that an example of simulate writes, and one of explain reads
    arguments = ("steelyard-3l", "--prices", "ETH", "--out", "run")
    command("simulate", *arguments, cwd=folder, check=True)


def write_journal_examples(folder: Path) -> None:
    """A journal, an export of it, a key and a head that the key has signed."""
    from steelyard.ledger import Journal, new_key, sign_head, write_key
    from steelyard.ledger.exports import write_export
    from steelyard.rules.presets import preset

    series = preset("kucoin-3l").text.replace('"KUCOIN-3L"', '"BTC3L"')
    (folder / "kucoin.toml").write_text(series, encoding="utf-8")
    key = new_key("example.com/btc3l")
    write_key(folder / "btc3l.key", key)
    (folder / "btc3l.key.pub").write_text(f"{key.public}\n")
    span = ("--start", "2020-03-10", "--end", "2020-03-14")
    history = ("--prices", "BTC", *span, "--journal", "btc3l.journal")
    command("simulate", "kucoin.toml", *history, cwd=folder, check=True)
    with Journal.open(folder / "btc3l.journal") as journal:
        head = journal.head()
        write_export(journal.all_rows(), folder / "btc3l.jsonl", "jsonl")
    (folder / "monday.txt").write_text(sign_head(head, key), encoding="utf-8")


OTHERS_SERVERS = ("network", "a keeper file and an account")
"""What a command needs that talks to somebody's server."""


def beside(name: str, folder: Path) -> AbstractContextManager[object]:
    """What runs beside an example: for requests a keeper, which adopts them."""
    if "keeper" not in name.split():
        return nullcontext()
    command_name = name.rsplit(maxsplit=1)[-1]
    series = preset("oracle-3l").text.replace('"ORACLE-3L"', '"BTC3L"')
    (folder / "btc3l.toml").write_text(series, encoding="utf-8")
    if name in REQUESTS:
        keeper_file(folder, "btc3l.toml", speed=86_400.0)
        return running(folder, *([] if command_name == "launch" else ["--launch"]))
    keeper_file(folder, "btc3l.toml", end="2020-02-10")
    if command_name == "status":
        command("keeper", "once", "keeper.toml", "--launch", cwd=folder, check=True)
    return nullcontext()


def stopped(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What a command prints that serves until it is ended; being ended so is no failure."""
    serving = subprocess.Popen(
        [SCRIPT, *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert serving.stdout is not None
    first = serving.stdout.readline()
    serving.send_signal(signal.SIGTERM)
    rest, _ = serving.communicate(timeout=300)
    code = 0 if serving.returncode == -signal.SIGTERM else serving.returncode
    return subprocess.CompletedProcess(arguments, code, first + rest, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_of_every_help_runs(name: str, tmp_path: Path) -> None:
    """What a help shows can be typed as it stands; ``--help`` itself prints it and exits with 0."""
    write_what_examples_name(tmp_path)
    shown = command(*name.split()[1:], "--help", cwd=tmp_path, check=True)
    assert shown.stderr == ""
    for example in COMMANDS[name].examples:
        assert f"  {example}\n" in shown.stdout
        if getattr(COMMANDS[name], "needs", "") in OTHERS_SERVERS:
            continue  # run against servers of our own in test_data_fetch.py, test_keeper_doctor.py
        line, _, target = example.partition(" > ")
        words = shlex.split(line)[1:]
        with beside(name, tmp_path):
            serves = words[:2] == ["rehearsal", "serve"]
            result = (stopped if serves else command)(*words, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert result.stdout
        if name in REQUESTS:
            assert result.stdout.endswith(": done\n")
        if "--json" in example:
            json.loads(result.stdout)
        if target:
            (tmp_path / target).write_text(result.stdout)
            command("series", "check", target, cwd=tmp_path, check=True)


def test_the_version_is_the_package_s(tmp_path: Path) -> None:
    """``--version`` and ``-V``."""
    for flag in ("--version", "-V"):
        assert command(flag, cwd=tmp_path).stdout == f"steelyard {__version__}\n"


def test_without_a_command_help_is_shown_and_usage_is_wrong(tmp_path: Path) -> None:
    """Exit code 2, help on standard error, nothing on standard output."""
    result = command(cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Commands:" in result.stderr


# -- the demo -------------------------------------------------------------------------------------


def test_the_demo_runs_from_end_to_end(tmp_path: Path) -> None:
    """A table of every preset on both assets, the crash, the worst order, and one page."""
    result = command("demo", cwd=tmp_path, check=True, COLUMNS="80")
    assert result.stderr.startswith("Simulating 14 tokens on BTC and ETH")
    assert "wrote steelyard-demo.html" in result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for name in preset_names():
        rows = [line.split() for line in lines if line.startswith(f"{name} ")]
        assert len(rows) == 2, name
    assert any(line.startswith("BTC, daily, 2020 to 2022") for line in lines)
    assert any(line.startswith("ETH, daily, 2020 to 2022") for line in lines)
    words = " ".join(result.stdout.split())
    assert "ftx-bull: -8" in words
    assert "rebalances in the day; 3x BTC's -39.0 % would be -116.9 %." in words
    assert "note: daily bars do not say in which order prices came inside a day" in result.stderr
    assert "the worst order is assumed" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["steelyard-demo.html"]
    page = (tmp_path / "steelyard-demo.html").read_text(encoding="utf-8")
    for name in preset_names():
        assert preset(name).symbol + "-BTC" in page
        assert preset(name).symbol + "-ETH" in page


def test_the_demo_as_json_has_a_summary_a_run(tmp_path: Path) -> None:
    """The same shape as ``simulate``; a wide table names each rule instead."""
    result = command("demo", "--out", "page.html", "--json", cwd=tmp_path, check=True)
    figures = json.loads(result.stdout)
    assert figures["report"] == "page.html"
    assert [(run["series"], run["asset"]) for run in figures["runs"]] == [
        (name, asset) for asset in ("BTC", "ETH") for name in preset_names()
    ]
    for run in figures["runs"]:
        hold_to_shape(run["summary"], SHAPE)
    bull = figures["runs"][0]
    assert bull["ideal_return"] is None, "three times a day of -39 % is more than everything"
    assert bull["worst_day"]["day"] == "2020-03-12"
    assert bull["summary"]["symbol"] == "FTX-BULL-BTC"
    wide = command("demo", cwd=tmp_path, check=True, COLUMNS="160")
    assert "above 4, daily 00:02" in wide.stdout
    assert "daily reset" in wide.stdout


def test_the_demo_needs_a_place_for_its_page_before_it_starts(tmp_path: Path) -> None:
    """A folder that is not there, or a folder in its place: wrong usage, nothing written."""
    for out in ("nowhere/page.html", "."):
        result = command("demo", "--out", out, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert "expected a file to write" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_preset_on_ether_has_a_reserve_of_the_same_worth(tmp_path: Path) -> None:
    """Of the demo's two oracles, each starts well above its floor."""
    result = command("demo", "--json", cwd=tmp_path, check=True)
    reserves = [
        run["summary"]["reserve"]["initial"] * run["summary"]["underlying"]["initial"]
        for run in json.loads(result.stdout)["runs"]
        if run["series"] == "oracle-3l"
    ]
    assert reserves[0] == pytest.approx(reserves[1], rel=0.02)


# -- terminals, pipes, signals --------------------------------------------------------------------


def on_a_terminal(*words: str, cwd: Path, **more: str) -> str:
    """Run with a terminal as standard output; give what it showed."""
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        [SCRIPT, *words],
        cwd=cwd,
        env=environment(TERM="xterm-256color", COLUMNS="90", **more),
        stdin=subprocess.DEVNULL,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    shown = b""
    while True:
        try:
            block = os.read(terminal, 65_536)
        except OSError:
            break
        if not block:
            break
        shown += block
    os.close(terminal)
    assert process.wait() == 0
    return shown.decode()


def test_colours_are_for_terminals_and_no_color_switches_them_off(tmp_path: Path) -> None:
    """Escapes on a terminal, none with NO_COLOR, none in a pipe."""
    words = ["simulate", "ftx-bull", "--prices", "BTC"]
    assert "\x1b[31m" in on_a_terminal(*words, cwd=tmp_path)
    plain = on_a_terminal(*words, cwd=tmp_path, NO_COLOR="1")
    assert "\x1b[3" not in plain
    assert "token return" in plain
    assert "\x1b" not in command(*words, cwd=tmp_path, check=True).stdout


def test_a_pipe_is_not_cut_at_80_columns(tmp_path: Path) -> None:
    """Without any terminal a wide table stays whole."""
    result = command("demo", cwd=tmp_path, check=True)
    assert "daily reset" in result.stdout
    assert "…" not in result.stdout


def test_an_ascii_terminal_gets_ascii(tmp_path: Path) -> None:
    """No letter that it does not know makes the command fail."""
    for words in (["series", "list"], ["simulate", "oracle-3l", "--prices", "BTC"]):
        result = command(*words, cwd=tmp_path, PYTHONIOENCODING="ascii")
        assert result.returncode == 0, result.stderr
        assert result.stdout.isascii()


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "series show oracle-3l",
        "series list",
        "simulate oracle-3l --prices BTC",
        "simulate oracle-3l --prices BTC --json",
    ],
)
def test_a_reader_that_goes_away_is_no_error(words: str, tmp_path: Path) -> None:
    """``steelyard ... | head -1``: quiet, and the exit code of a broken pipe."""
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [SCRIPT, *words.split()],
        cwd=tmp_path,
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert result.returncode == 141
    for word in ("Traceback", "Error", "Exception"):
        assert word not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_standard_output_is_told(tmp_path: Path) -> None:
    """Exit code 1 and one sentence."""
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [SCRIPT, "series", "list"],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr == "Error: reading or writing failed: No space left on device.\n"


def test_ctrl_c_ends_a_run_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    """Exit code 130, one word, no folder half written."""
    prices = tmp_path / "prices.csv"
    os.mkfifo(prices)
    process = subprocess.Popen(
        [SCRIPT, "simulate", "bybit-3l", "--prices", prices.name, "--out", "run"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with prices.open("w") as feed:  # waits until the command reads
        feed.write("time,close\n2020-01-01,100\n")
        feed.flush()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, errors.strip()) == ("", "Interrupted.")
    assert [path.name for path in tmp_path.iterdir()] == ["prices.csv"]


def test_an_error_can_be_traced_when_asked(tmp_path: Path) -> None:
    """STEELYARD_TRACEBACK=1 shows where an error came from."""
    result = command("series", "show", "nothing", cwd=tmp_path, STEELYARD_TRACEBACK="1")
    assert "Traceback" in result.stderr
    assert "InputError" in result.stderr


# -- imports --------------------------------------------------------------------------------------

HEAVY = {"numpy", "pandas", "pyarrow", "plotly", "rich", "jinja2", "tomllib", "numba"}


def imported(*words: str, cwd: Path) -> set[str]:
    """The top-level modules that a command line loads."""
    code = (
        "import sys; from steelyard.cli import main; code = main(sys.argv[1:]); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); "
        "sys.exit(code)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words", [["--help"], ["series", "--help"], ["simulate", "--help"], ["--version"]], ids=" ".join
)
def test_help_loads_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    """``steelyard --help`` is as quick as a hello-world because it loads as little."""
    assert imported(*words, cwd=tmp_path) & HEAVY == set()


def test_a_run_loads_neither_pandas_nor_plotly_unless_a_report_is_written(tmp_path: Path) -> None:
    """They take longer to load than a year of hours to simulate."""
    words = ["simulate", "bybit-3l", "--prices", "BTC"]
    assert (
        imported(*words, "--json", cwd=tmp_path) & {"pandas", "plotly", "jinja2", "rich"} == set()
    )
    assert imported(*words, cwd=tmp_path) & {"pandas", "plotly", "jinja2"} == set()
    with_report = imported(*words, "--out", "run", cwd=tmp_path)
    assert "pandas" not in with_report
    assert "plotly" in with_report


def test_looking_at_series_loads_no_numpy(tmp_path: Path) -> None:
    """The rules are plain Python, and so is looking at them."""
    assert "numpy" not in imported("series", "check", "oracle-3l", cwd=tmp_path)
    assert "numpy" not in imported("series", "list", "--json", cwd=tmp_path)
