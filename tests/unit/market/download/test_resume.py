"""A file goes on from its last row, whatever stopped it, or says why it cannot."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import DataError, InputError, Unavailable
from steelyard.market import read_prices
from steelyard.market.download.partial import Partial
from steelyard.market.fetch import (
    Asking,
    Fetched,
    Patience,
    fetch_candles,
    fetch_funding,
    open_exchange,
)
from support.exchange_server import HOUR_S, SINCE_S, Answer, ExchangeServer, serving

BTC = "BTC/USDT:USDT"
ETH = "ETH/USDT:USDT"
DAY_S = 86_400
EVER = 1 << 33
ENDINGS = (".csv", ".csv.gz", ".parquet")


def expected(server: ExchangeServer, end_s: int = EVER) -> str:
    """Hours of BTC as a file must hold them."""
    return server.expected_csv("BTCUSDT", HOUR_S, SINCE_S, end_s)


@pytest.fixture(scope="module")
def lasting() -> Iterator[tuple[ExchangeServer, Any]]:
    """One exchange for many examples, each of which sets it up anew."""
    with pytest.MonkeyPatch.context() as patch, serving() as server:
        patch.setenv("NO_PROXY", "127.0.0.1")
        exchange = open_exchange("binanceusdm", api_url=server.url)
        exchange.rateLimit = 0
        yield server, exchange


@settings(max_examples=15)
@given(data=st.data())
def test_law_any_interruptions_end_in_the_same_bytes(
    lasting: tuple[ExchangeServer, Any], data: st.DataObject
) -> None:
    """However the history is dealt out, with whatever gaps, stopped anywhere, continued later.

    The file of many runs is, byte for byte, the file of one run: every row that there is, once.
    """
    server, exchange = lasting
    hour = st.integers(0, 120)
    server.gaps = [
        (SINCE_S + HOUR_S * start, SINCE_S + HOUR_S * (start + length))
        for start, length in data.draw(st.lists(st.tuples(hour, st.integers(1, 60)), max_size=3))
    ]
    rows = data.draw(st.integers(8, 60))
    server.windowed = data.draw(st.booleans())
    # A span that is asked for is answered whole; where none is, answers may be short.
    server.page_rows = 1_000 if server.windowed else rows
    server.now_s = SINCE_S + HOUR_S * data.draw(st.integers(60, 130))
    ending = data.draw(st.sampled_from(ENDINGS))
    asking = Asking(rows if server.windowed else None, Patience(0))

    def fetch(path: Path) -> bool:
        try:
            fetch_candles(exchange, BTC, "1h", path, since="2024-01-01", asking=asking)
        except Unavailable:
            return False
        except InputError as error:
            assert "expected 2 candles or more" in str(error)  # noqa: PT017 (gaps may take all)
        return True

    with tempfile.TemporaryDirectory() as folder:
        often, once = Path(folder, f"often{ending}"), Path(folder, f"once{ending}")
        for answers in data.draw(st.lists(st.integers(0, 5), max_size=5)):
            server.faults.extend([*[None] * answers, Answer(0)])
            if fetch(often):
                server.faults.clear()
            server.now_s += HOUR_S * data.draw(st.integers(0, 5))
        assert fetch(often)
        assert fetch(once)
        assert often.exists() == once.exists()
        if once.exists():
            assert often.read_bytes() == once.read_bytes()
            assert [path.name for path in Path(folder).iterdir() if "part" in path.name] == []
            fetch_candles(
                exchange, BTC, "1h", Path(folder, "plain.csv"), since="2024-01-01", asking=asking
            )
            assert Path(folder, "plain.csv").read_text() == expected(server)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_finished_file_is_continued(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, ending: str
) -> None:
    """The next day adds a day, without ``since``, and asks only for what it needs."""
    path = tmp_path / f"btc{ending}"
    fetch(path=path)
    asked = len(server.history_asked)
    server.now_s += DAY_S
    done = fetch(path=path, since=None)
    assert (done.added, done.corrected) == (24, 0)
    assert len(server.history_asked) - asked == 2, "one page to compare, one to add"
    once = fetch(path=tmp_path / f"once{ending}")
    assert path.read_bytes() == once.path.read_bytes()


def test_nothing_new_changes_nothing(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """A file that holds all there is stays the very file that it was."""
    before = fetch().path.stat()
    server.now_s += HOUR_S // 2
    done = fetch()
    assert (done.added, len(done.content)) == (0, 240)
    after = done.path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [path.name for path in tmp_path.iterdir()] == ["btc.csv"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_last_candle_that_was_corrected_since_is_replaced(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, ending: str
) -> None:
    """What was settled after the file was written is put right when it is continued."""
    path = tmp_path / f"btc{ending}"
    last_ms = (server.now_s - HOUR_S) * 1_000

    def unsettled(rows: list[Any]) -> list[Any]:
        return [[*row[:5], "0.001", *row[6:]] if row[0] == last_ms else row for row in rows]

    server.twist = unsettled
    fetch(path=path)
    server.twist = list
    server.now_s += DAY_S
    done = fetch(path=path)
    assert (done.added, done.corrected) == (24, 1)
    assert path.read_bytes() == fetch(path=tmp_path / f"once{ending}").path.read_bytes()


def other_symbol(fetch: Callable[..., Fetched]) -> Fetched:
    """Continue with ETH."""
    return fetch(symbol=ETH)


def other_market(fetch: Callable[..., Fetched]) -> Fetched:
    """Continue with BTC in another coin."""
    return fetch(symbol="BTC/USDC:USDC")


def finer(fetch: Callable[..., Fetched]) -> Fetched:
    """Continue with minutes."""
    return fetch(timeframe="5m")


def coarser(fetch: Callable[..., Fetched]) -> Fetched:
    """Continue with four hours."""
    return fetch(timeframe="4h")


@pytest.mark.parametrize("other", [other_symbol, other_market, finer, coarser])
@pytest.mark.parametrize("interrupted", [False, True])
def test_something_else_is_not_added(
    server: ExchangeServer,
    fetch: Callable[..., Fetched],
    tmp_path: Path,
    other: Callable[..., Fetched],
    interrupted: bool,
) -> None:
    """Another symbol or timeframe is told by the rows that are there, finished file or not."""
    path = tmp_path / "btc.csv"
    if interrupted:
        path = tmp_path / "btc.csv.part"
        server.faults.extend([None, *[Answer(0)] * 4])
        with pytest.raises(Unavailable):
            fetch()
    else:
        fetch()
    before = path.read_bytes()
    server.now_s += 2 * DAY_S
    with pytest.raises(InputError, match="of another symbol, timeframe or exchange") as caught:
        other(fetch)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert fetch().path.read_text() == expected(server)


def test_a_candle_that_is_there_and_that_the_exchange_does_not_know_is_refused(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """A history that was changed in the middle is not continued as if it had not been."""
    fetch()
    server.now_s += DAY_S
    server.gaps = [(SINCE_S + 9 * DAY_S, SINCE_S + 9 * DAY_S + HOUR_S)]
    with pytest.raises(InputError, match=r"row of 2024-01-10T00:00:00Z .* has no row then"):
        fetch()


def test_an_exchange_that_forgot_it_all_is_refused(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """Where nothing can be compared, nothing is added."""
    fetch()
    server.now_s += 100 * DAY_S
    server.gaps = [(0, SINCE_S + 99 * DAY_S)]
    with pytest.raises(InputError, match=r"row of 2024-01-02T16:00:00Z .* has no row then"):
        fetch()
    server.gaps = [(0, EVER)]
    with pytest.raises(InputError, match=r"row of 2024-01-02T16:00:00Z .* has nothing"):
        fetch()


def test_a_file_is_continued_at_its_end_only(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """An earlier start is refused if there is an earlier row, and is no matter if there is none."""
    server.page_rows = 100
    fetch(since="2024-01-03", until="2024-01-05")
    with pytest.raises(InputError, match="has candles from 2024-01-01T00:00:00Z on"):
        fetch(since="2023-12-01")
    server.listed_s = SINCE_S + 2 * DAY_S
    assert fetch(since="2023-12-01").added == 240 - 4 * 24
    assert fetch(since="2024-01-09").added == 0


@pytest.mark.parametrize(
    "text",
    [
        "time,open,high,low,close\n2024-01-01,1,1,1,1\n2024-01-02,1,1,1,1\n",
        "open_time,open,high,low,close,volume,close_time\n0,1,1,1,1,1,1\n1,1,1,1,1,1,1\n",
        "1704067200000,1,1,1,1,1\n1704070800000,1,1,1,1,1\n",
        "time,rate\n2024-01-01,0.1\n",
    ],
)
def test_a_file_of_another_layout_is_not_continued(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, text: str
) -> None:
    """It is refused before the exchange is asked for anything, and left as it is."""
    (tmp_path / "btc.csv").write_text(text)
    with pytest.raises(InputError, match="expected columns time,open,high,low,close,volume"):
        fetch()
    assert (tmp_path / "btc.csv").read_text() == text
    assert server.asked == []


def test_funding_is_not_added_to_candles(
    exchange: Any, fetch: Callable[..., Fetched], quick: Any
) -> None:
    """Nor the other way round."""
    path = fetch().path
    with pytest.raises(InputError, match="expected columns time,rate"):
        fetch_funding(exchange, BTC, path, asking=quick)


def test_funding_is_continued(
    server: ExchangeServer, exchange: Any, quick: Any, tmp_path: Path
) -> None:
    """Rates go on like candles; another symbol's are refused."""
    path = tmp_path / "f.csv"
    fetch_funding(exchange, BTC, path, since="2024-01-01", asking=quick)
    server.now_s += 5 * DAY_S
    with pytest.raises(InputError, match="of another symbol"):
        fetch_funding(exchange, ETH, path, asking=quick)
    assert fetch_funding(exchange, BTC, path, asking=quick).added == 15
    assert path.read_text() == server.expected_funding_csv("BTCUSDT", SINCE_S, EVER)


def interrupted(server: ExchangeServer, fetch: Callable[..., Fetched]) -> None:
    """Stop after a page of 200."""
    server.faults.extend([None, *[Answer(0)] * 4])
    with pytest.raises(Unavailable):
        fetch()
    server.faults.clear()


@pytest.mark.parametrize("cut", [1, 5, 30, 40, 12_000])
def test_a_line_that_was_torn_is_written_again(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, cut: int
) -> None:
    """A crash in the middle of writing loses what was not whole, and nothing else."""
    interrupted(server, fetch)
    part = tmp_path / "btc.csv.part"
    content = part.read_bytes()
    part.write_bytes(content[: max(3, len(content) - cut)])
    assert fetch().path.read_text() == expected(server)
    assert not part.exists()


def test_a_damaged_partial_file_is_found_out(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """A broken disk is not continued: the message names the row and what to do."""
    interrupted(server, fetch)
    part = tmp_path / "btc.csv.part"
    lines = part.read_text().splitlines(keepends=True)
    lines[50] = lines[50].replace(",", ",9", 1)
    part.write_text("".join(lines))
    with pytest.raises(DataError, match=r"btc\.csv\.part: row 50 .* Delete it to start again"):
        fetch()
    part.unlink()
    assert fetch().path.read_text() == expected(server)


def test_a_crash_between_the_last_page_and_the_last_rename(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """The partial file is whole, the file is there or not: the next run only finishes."""
    done = fetch(path=tmp_path / "btc.parquet")
    good = done.path.read_bytes()
    (tmp_path / "btc.parquet.part").write_text(expected(server))
    assert fetch(path=done.path).path.read_bytes() == good
    (tmp_path / "btc.parquet.part").write_text(expected(server))
    done.path.unlink()
    assert fetch(path=done.path).path.read_bytes() == good
    assert [path.name for path in tmp_path.iterdir()] == ["btc.parquet"]


def test_a_crash_while_the_finished_file_was_copied(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """A partial file that holds less than the file itself is begun again."""
    path = fetch(until="2024-01-08").path
    (tmp_path / "btc.csv.part").write_bytes(path.read_bytes()[:3_000])
    assert fetch().added == 72
    assert path.read_text() == expected(server)


def test_a_partial_file_of_something_else_does_not_take_a_file_s_place(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """A file that came from elsewhere meanwhile is not overwritten by what was begun before."""
    interrupted(server, fetch)
    other = fetch(path=tmp_path / "other.csv", symbol=ETH).path.read_bytes()
    (tmp_path / "btc.csv").write_bytes(other)
    with pytest.raises(InputError, match="Delete one of the two files"):
        fetch()
    assert (tmp_path / "btc.csv").read_bytes() == other


def test_two_programs_do_not_write_into_one_file(
    fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """The second is refused, and the first goes on undisturbed."""
    with (
        Partial(tmp_path / "btc.csv.part"),
        pytest.raises(InputError, match="another program is downloading into it"),
    ):
        fetch()
    assert fetch().added == 240


def test_a_packed_file_names_neither_itself_nor_a_time(
    fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """So that the same rows are the same bytes under any name, on any day."""
    one, two = (fetch(path=tmp_path / name).path for name in ("a.csv.gz", "b.csv.gz"))
    assert one.read_bytes() == two.read_bytes()
    assert gzip.decompress(one.read_bytes())[4:8] == b",ope"
    assert one.read_bytes()[4:8] == bytes(4)


def test_what_cannot_be_written(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """What cannot be written is one sentence; the file stays readable, and is continued later."""
    path = fetch().path
    server.now_s += DAY_S
    in_the_way = tmp_path / "btc.csv.part"
    in_the_way.mkdir()
    with pytest.raises(InputError, match="expected a file that can be written"):
        fetch()
    assert len(read_prices(path)) == 240
    in_the_way.rmdir()
    assert fetch().added == 24
