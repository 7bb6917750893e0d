"""The lines that point an unmodified ccxt at the exchange of a folder.

ccxt chooses its errors by the beginning of a URL, so the URLs stay those of Binance. A resolver
sends its hosts to loopback, and the folder's own authority certifies them.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["ccxt_lines"]

LINES = """\
import aiohttp, json, pathlib, ssl
import ccxt.pro as ccxt

folder = pathlib.Path({folder!r})
address = json.loads((folder / "address.json").read_text())
account = json.loads((folder / "accounts.json").read_text())[0]

class Loopback(aiohttp.abc.AbstractResolver):
    async def resolve(self, host, port=0, family=0):
        there = dict(host=address["host"], port=address["port"], family=2, proto=0, flags=0)
        return [dict(hostname=host, **there)]
    async def close(self):
        pass

async def open_exchange():
    trust = ssl.create_default_context(cafile=folder / address["certificate"])
    connector = aiohttp.TCPConnector(resolver=Loopback(), ssl=trust)
    session = aiohttp.ClientSession(connector=connector)
    keys = {{"apiKey": account["apiKey"], "secret": account["secret"]}}
    exchange = ccxt.binanceusdm({{**keys, "session": session}})
    exchange.tcp_connector = connector  # for the streams
    return exchange, session  # when done, close both
"""


def ccxt_lines(folder: Path) -> str:
    """The lines for the exchange of a folder."""
    return LINES.format(folder=str(folder))
