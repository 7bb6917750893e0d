"""A history comes whole, each row once, however the exchange deals it out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import Unavailable
from steelyard.market import check_report, format_time, read_funding, read_prices
from steelyard.market.fetch import Fetched, fetch_funding
from support.exchange_server import HOUR_S, SINCE_S, Answer, ExchangeServer

DAY_S = 86_400
EVER = 1 << 33


def expected(server: ExchangeServer, end_s: int = EVER, start_s: int = SINCE_S) -> str:
    """Hours of BTC as a file must hold them."""
    return server.expected_csv("BTCUSDT", HOUR_S, start_s, end_s)


def test_a_file_holds_what_the_exchange_has(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """Every candle, every digit, in the layout that `read_prices` takes; nothing is left beside."""
    done = fetch()
    text = (tmp_path / "btc.csv").read_text()
    assert text == expected(server)
    assert (done.added, done.corrected) == (240, 0)
    report = check_report(read_prices(tmp_path / "btc.csv"))
    assert report == check_report(done.content)
    assert (report["step_s"], report["path"], report["volume"]) == (HOUR_S, True, True)
    assert [path.name for path in tmp_path.iterdir()] == ["btc.csv"]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_all_formats_hold_the_same(
    fetch: Callable[..., Fetched], tmp_path: Path, ending: str
) -> None:
    """CSV, packed or not, and Parquet read back as the same prices, and as what was returned."""
    plain = read_prices(fetch(path=tmp_path / "plain.csv").path)
    done = fetch(path=tmp_path / f"other{ending}")
    read = read_prices(done.path)
    for name in ("time", "open", "high", "low", "close", "volume"):
        assert getattr(read, name).tolist() == getattr(plain, name).tolist()
        assert getattr(done.content, name).tolist() == getattr(plain, name).tolist()
    assert done.content.source == str(tmp_path / f"other{ending}")


@pytest.mark.parametrize("now_s", [-1, 0, 1, HOUR_S // 2])
def test_a_candle_that_is_not_closed_is_not_written(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, now_s: int
) -> None:
    """The exchange shows the current candle too; by its clock, not ours, it is not closed yet."""
    server.now_s = SINCE_S + 48 * HOUR_S + now_s
    fetch()
    rows = 47 if now_s < 0 else 48
    assert (tmp_path / "btc.csv").read_text() == expected(server, SINCE_S + rows * HOUR_S)
    shown = server.answer("klines", {"interval": "1h", "symbol": "BTCUSDT"})
    assert shown[-1][0] // 1000 >= SINCE_S + rows * HOUR_S, "there was one to leave out"


@pytest.mark.parametrize(
    ("since", "until", "first", "rows"),
    [
        ("2024-01-02", "2024-01-03", 24, 24),
        ("2024-01-01T00:00:01Z", "2024-01-01T05:00:01Z", 1, 5),
        ("2024-01-01T23:59:59Z", "2024-01-02T03:00:00Z", 24, 3),
        ("2023-06-01", "2024-01-01T02:00:00Z", 0, 2),
    ],
)
def test_since_is_in_and_until_is_out(
    fetch: Callable[..., Fetched], since: str, until: str, first: int, rows: int
) -> None:
    """Candles that open at or after the one and before the other."""
    content = fetch(since=since, until=until).content
    assert content.time.tolist() == [SINCE_S + HOUR_S * (first + row) for row in range(rows)]


@pytest.mark.parametrize("page_rows", [2, 7, 60, 239, 240, 241])
@pytest.mark.parametrize("windowed", [False, True])
def test_pages_of_any_size_are_put_together(
    server: ExchangeServer,
    fetch: Callable[..., Fetched],
    tmp_path: Path,
    page_rows: int,
    windowed: bool,
) -> None:
    """An exchange may give fewer rows than it is asked for."""
    server.page_rows, server.windowed = page_rows, windowed
    server.now_s = SINCE_S + (10 if page_rows > 7 else 2) * DAY_S
    fetch()
    assert (tmp_path / "btc.csv").read_text() == expected(server)


def shuffled(rows: list[Any]) -> list[Any]:
    """Backwards."""
    return rows[::-1]


def doubled(rows: list[Any]) -> list[Any]:
    """Each row twice."""
    return rows * 2


def with_older(rows: list[Any]) -> list[Any]:
    """Rows that were not asked for, in front."""
    older = [[row[0] - 50 * 3_600_000, *row[1:]] for row in rows[:50]]
    return older + rows


@pytest.mark.parametrize("twist", [shuffled, doubled, with_older])
def test_order_and_repetition_do_not_matter(
    server: ExchangeServer,
    fetch: Callable[..., Fetched],
    tmp_path: Path,
    twist: Callable[[list[Any]], list[Any]],
) -> None:
    """Rows come backwards, twice, or with others in front: the file is the same."""
    server.twist = twist
    fetch()
    assert (tmp_path / "btc.csv").read_text() == expected(server)


@pytest.mark.parametrize("windowed", [False, True])
def test_gaps_are_walked_across_in_few_questions(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, windowed: bool
) -> None:
    """Listed after the start, silent for a month, delisted: all that is there, nothing made up."""
    server.windowed = windowed
    server.listed_s = SINCE_S + 400 * DAY_S + 5 * HOUR_S
    server.gaps = [(server.listed_s + DAY_S, server.listed_s + 31 * DAY_S + 1800)]
    server.delisted_s = server.listed_s + 40 * DAY_S
    server.now_s = server.delisted_s + 500 * DAY_S
    done = fetch()
    assert (tmp_path / "btc.csv").read_text() == expected(server)
    assert len(done.content.gaps) == 1
    assert len(server.history_asked) < 100, "a span without rows is skipped, not tried bar by bar"


def test_minutes_missing_in_the_middle_of_a_page_are_a_gap(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """Gaps are reported and never filled."""
    server.gaps = [(SINCE_S + 10 * HOUR_S, SINCE_S + 12 * HOUR_S)]
    done = fetch(until="2024-01-03")
    assert [tuple(gap) for gap in done.content.gaps] == [(10, 2 * HOUR_S)]


def test_weeks_and_minutes(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """Any bar of one length, from Mondays to minutes."""
    server.now_s = SINCE_S + 20 * 7 * DAY_S
    server.listed_s = 0
    weeks = fetch(timeframe="1w").content
    assert weeks.step_s == 7 * DAY_S
    server.now_s = SINCE_S + 2 * HOUR_S + 59
    minutes = partial(fetch, timeframe="1m", path=tmp_path / "minutes.csv")
    assert len(minutes(since="2024-01-01T01:00").content) == 60


def test_an_empty_page_is_asked_for_twice_before_it_is_believed(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """An exchange under load may answer with nothing; that is no gap."""
    server.faults.append(Answer(body="[]"))
    fetch()
    assert (tmp_path / "btc.csv").read_text() == expected(server)


def test_a_page_that_does_not_connect_is_no_gap(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """Exchanges that give the last rows of a span, not the first, would leave holes: refused."""
    server.page_rows = 48
    server.twist = lambda rows: rows[-10:]
    with pytest.raises(Unavailable, match="a page that begins with the last row of the one before"):
        fetch()
    assert len(server.history_asked) < 10


@pytest.mark.parametrize("rows", [1, 2, 20, 200])
def test_an_exchange_that_repeats_itself_is_stopped(
    server: ExchangeServer, fetch: Callable[..., Fetched], rows: int
) -> None:
    """The same page whatever is asked for: an error after a few questions, no endless loop."""
    first = server.answer("klines", {"interval": "1h", "symbol": "BTCUSDT", "startTime": "0"})
    server.twist = lambda _: first[:rows]
    with pytest.raises(Unavailable, match=r"the same page again|none of them asked for"):
        fetch()
    assert len(server.history_asked) < 12


def test_the_last_candle_may_be_corrected_between_pages(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path
) -> None:
    """A candle that has just closed is settled a moment later: the later word holds."""
    end_ms = (SINCE_S + 99 * HOUR_S) * 1_000

    def unsettled(rows: list[Any]) -> list[Any]:
        if len(server.history_asked) > 1:
            return rows
        return [[*row[:5], "0.001", *row[6:]] if row[0] == end_ms else row for row in rows]

    server.page_rows, server.twist = 100, unsettled
    done = fetch()
    assert (tmp_path / "btc.csv").read_text() == expected(server)
    assert done.corrected == 1


def test_the_day_s_candles_are_not_needed_where_there_is_no_gap(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """One question for every page, and no other."""
    fetch()
    assert [asked.what for asked in server.asked] == ["exchangeInfo", "time", "klines", "klines"]
    assert {asked.params["interval"] for asked in server.history_asked} == {"1h"}


def test_progress_is_told_as_it_goes(
    server: ExchangeServer, fetch: Callable[..., Fetched], quick: Any
) -> None:
    """From 0 to 1, never backwards."""
    server.page_rows = 40
    fetch()
    assert quick.shares == sorted(quick.shares)
    assert len(quick.shares) == 8
    assert 0 < quick.shares[0] < 0.2
    assert quick.shares[-1] == 1.0
    assert quick.remarks == []


def test_the_rate_limit_is_kept(server: ExchangeServer, fetch: Callable[..., Fetched]) -> None:
    """Ccxt spaces the questions as the exchange's own limits have it."""
    from steelyard.market.fetch import open_exchange

    exchange = open_exchange("binanceusdm", api_url=server.url)
    assert exchange.enableRateLimit
    fetch(exchange=exchange, until="2024-01-10")
    times = [asked.at for asked in server.history_asked]
    assert len(times) == 2
    weight = 5  # of a page of 500
    assert times[1] - times[0] >= 0.9 * weight * exchange.rateLimit / 1_000


def test_funding_is_cut_to_seconds(
    server: ExchangeServer, exchange: Any, quick: Any, tmp_path: Path
) -> None:
    """Rates of a perpetual, stamped as they were paid, in the layout that `read_funding` takes."""
    server.page_rows = 13
    done = fetch_funding(
        exchange, "BTC/USDT:USDT", tmp_path / "f.csv", since="2023-12-01", asking=quick
    )
    assert (tmp_path / "f.csv").read_text() == server.expected_funding_csv("BTCUSDT", SINCE_S, EVER)
    read = read_funding(tmp_path / "f.csv")
    assert read.rate.tolist() == done.content.rate.tolist()
    assert format_time(read.time[1]) == "2024-01-01T08:00:00Z"
    assert len(read) == 31
