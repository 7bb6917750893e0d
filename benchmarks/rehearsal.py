"""What a look-up costs the keeper's venue and the rehearsal exchange together, in processor time.

The exchange is a process of its own on loopback, with TLS; the venue is the keeper's, over
unmodified ccxt. A look-up is two requests, the exchange's clock and the order, as the keeper makes
it. The order alone and the clock alone are measured beside it. Processor time is that of both
processes. On a machine whose cores are all busy it was up to three times as much.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

from steelyard.venues.exchange.binanceusdm import BINANCE_USDM
from steelyard.venues.exchange.client import Client, open_client
from steelyard.venues.exchange.session import read_rehearsal
from steelyard.venues.exchange.venue import ExchangeVenue, open_exchange
from steelyard.venues.protocol import OrderRequest
from steelyard.venues.secrets import Secrets

MOST_MS = 2.0
LEAST_A_SECOND = 300
ID = "sy-BTC3L-1-1"
WINDOW_MS = 10_000
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
STARTS_WITHIN_S = 60.0


def cpu_of(process: int) -> float:
    """Processor time of a process so far, s."""
    parts = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) * TICK_S


async def cost(
    server: int, times: int, ask: Callable[[], Awaitable[object]]
) -> tuple[float, float]:
    """Processor time of one call, s: the client's and the exchange's."""
    await ask()
    own, other = time.process_time(), cpu_of(server)
    for _ in range(times):
        await ask()
    return (time.process_time() - own) / times, (cpu_of(server) - other) / times


async def measure(venue: ExchangeVenue, client: Client, server: int, times: int) -> bool:
    """Print the table; whether the bars were held."""
    await venue.warm_up()
    stamp = await venue.time()
    await venue.place(OrderRequest(ID, Decimal("0.01"), None, False, stamp, 5_000))  # noqa: FBT003

    async def order_alone() -> None:
        params = {"symbol": "BTCUSDT", "origClientOrderId": ID, "recvWindow": WINDOW_MS}
        stamp = time.time_ns() // 1_000_000
        await client.call("fapiPrivateGetOrder", {**params, "timestamp": stamp})

    rows = {}
    for name, requests, ask in (
        ("look-up (clock and order)", 2, lambda: venue.look_up(ID)),
        ("the order alone", 1, order_alone),
        ("the clock alone", 1, venue.time),
    ):
        rows[name] = (requests, *await cost(server, times, ask))
    print(f"{'call':<28}{'venue ms':>10}{'exchange ms':>13}{'together':>10}{'requests/s':>12}")
    for name, (requests, own, other) in rows.items():
        each = (own * 1_000, other * 1_000, (own + other) * 1_000)
        a_second = requests / max(other, 1e-9)
        print(f"{name:<28}{each[0]:>10.2f}{each[1]:>13.2f}{each[2]:>10.2f}{a_second:>12,.0f}")
    requests, own, other = rows["look-up (clock and order)"]
    together, a_second = (own + other) * 1_000, requests / max(other, 1e-9)
    is_held = together <= MOST_MS and a_second >= LEAST_A_SECOND
    print(
        f"bar: a look-up at most {MOST_MS:g} ms together, {LEAST_A_SECOND} requests in a "
        f"second of the exchange's processor: {'held' if is_held else 'missed'}"
    )
    return is_held


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "exchange"
        command = [sys.executable, "-m", "steelyard", "rehearsal", "serve", str(folder)]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + STARTS_WITHIN_S
            while not (folder / "address.json").exists() and time.monotonic() < until:
                time.sleep(0.1)
            said = json.loads((folder / "address.json").read_text(encoding="utf-8"))
            limits = {"weight_limit": 10**9}
            ask_control(said["control"], limits)
            keys = json.loads((folder / "accounts.json").read_text(encoding="utf-8"))[0]
            secrets = Secrets(keys["apiKey"], keys["secret"])

            async def run() -> bool:
                venue = open_exchange("BTC/USDT:USDT", "USDT", secrets, rehearsal=folder)
                client = open_client(BINANCE_USDM, secrets, read_rehearsal(folder))
                try:
                    return await measure(venue, client, server.pid, given.times)
                finally:
                    await client.close()
                    await venue.close()

            is_held = asyncio.run(run())
        finally:
            server.terminate()
            server.wait()
    sys.exit(0 if is_held else 1)


def ask_control(url: str, limits: dict[str, int]) -> None:
    """Lift the limits of requests: what is measured is one request, not how many may come."""
    body = json.dumps(limits).encode()
    request = urllib.request.Request(f"{url}/limits", body, method="POST")  # noqa: S310 (loopback)
    with urllib.request.urlopen(request):  # noqa: S310 (loopback)
        return


if __name__ == "__main__":
    main()
