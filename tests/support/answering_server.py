"""An HTTPS server on loopback that answers as a test says, for a client of the real hosts."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trustme
from aiohttp import web

from steelyard.venues.exchange.session import Rehearsal

__all__ = ["HOSTS", "Asked", "answering"]

HOSTS = ("fapi.binance.com", "api.binance.com")
Asked = list[tuple[str, str, str]]
"""Method, path, and query or body, of each request."""


@asynccontextmanager
async def answering(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[tuple[Rehearsal, Asked]]:
    """Serve until the end of the block; what was asked, in order."""
    asked: Asked = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append((request.method, request.path, request.query_string + await request.text()))
        return await answer(request)

    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(*HOSTS).configure_cert(server)
    authority.configure_trust(client)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    try:
        yield Rehearsal(int(runner.addresses[0][1]), client), asked
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)
