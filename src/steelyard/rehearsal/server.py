"""The exchange on loopback: HTTPS for requests and streams, and a control port beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from steelyard.errors import InputError
from steelyard.rehearsal.address import address_of, leave, leave_accounts, tls
from steelyard.rehearsal.answering import HttpAnswer, HttpRequest, answer
from steelyard.rehearsal.control import Control
from steelyard.rehearsal.credentials import credentials_of
from steelyard.rehearsal.exchange import Exchange
from steelyard.rehearsal.fault_rules import Fault, FaultRules, Rule
from steelyard.rehearsal.streams import Streams

__all__ = ["serve"]

HOST = "127.0.0.1"
TICK_S = 0.25
STREAM_PATHS = ("/ws", "/market/ws", "/public/ws", "/private/ws")


class Front:
    """Receives requests from the network, and applies the faults to them."""

    def __init__(self, exchange: Exchange, faults: FaultRules) -> None:
        self.exchange, self.faults = exchange, faults

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        asked = HttpRequest(
            request.method,
            request.path,
            request.query_string,
            await request.text(),
            request.headers.get("X-MBX-APIKEY", ""),
            request.remote or HOST,
        )
        is_reduce_only = asked.params.get("reduceOnly", "").lower() == "true"
        struck = self.faults.strike(asked.method, asked.path, is_reduce_only=is_reduce_only)
        if struck is None:
            return _response(answer(self.exchange, asked))
        return await self._fail(request, asked, *struck)

    async def _fail(
        self, request: web.Request, asked: HttpRequest, fault: Fault, rule: Rule
    ) -> web.StreamResponse:
        if fault.waits_before:
            await asyncio.sleep(rule.wait_ms / 1_000)
        if fault.bans:
            self.exchange.throttle.ban(self.exchange.now_ms() + rule.wait_ms)
        given = None
        if fault.is_carried_out:
            world = self.exchange.world
            before, world.lag_ms = world.lag_ms, rule.wait_ms if fault.lags else world.lag_ms
            given = answer(self.exchange, asked)
            world.lag_ms = before
        if fault.waits_after:
            await asyncio.sleep(rule.wait_ms / 1_000)
        if fault.status == 0:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault.status is None and given is not None:
            return _response(given)
        headers = {"Retry-After": "1"} if fault.status == 429 else {}  # noqa: PLR2004 (HTTP's)
        headers |= self.exchange.throttle.headers(None, self.exchange.now_ms())
        return _response(HttpAnswer(fault.status or 500, fault.body, headers, fault.kind))


def _response(given: HttpAnswer) -> web.Response:
    return web.Response(
        status=given.status, body=given.body, headers=given.headers, content_type=given.kind
    )


async def serve(
    exchange: Exchange,
    faults: FaultRules,
    folder: Path,
    port: int,
    say: Callable[[dict[str, Any]], None],
) -> None:
    """Serve until the process is asked to stop.

    Args:
        exchange: the exchange to serve.
        faults: the rules of faults.
        folder: the folder for its address, certificate and keys.
        port: the HTTPS port; 0: the last one used, or any free port.
        say: is called once with its address, when it listens.

    Raises:
        InputError: the port is taken.
    """
    streams = Streams(exchange)
    exchange.listeners.append(streams.tell)
    front = Front(exchange, faults)
    app = web.Application()
    for path in STREAM_PATHS:
        app.router.add_get(path, streams.handle)
        app.router.add_get(path + "/{name:.*}", streams.handle)
    app.router.add_get("/stream", streams.handle)
    app.router.add_route("*", "/{path:.*}", front.handle)
    control = Control(exchange, faults, streams)
    known = address_of(folder) or {}
    control_port = int(str(known.get("control", ":0")).rpartition(":")[2])
    async with contextlib.AsyncExitStack() as stack:
        main_port = await _listen(stack, app, port or known.get("port", 0), folder)
        side_port = await _listen(stack, control.app(), control_port, None)
        accounts = {
            name: credentials_of(name, exchange.set_up.seed) for name in exchange.world.accounts
        }
        leave_accounts(folder, accounts)
        say(leave(folder, main_port, side_port))
        tick = asyncio.ensure_future(_tick(exchange, streams))
        stack.callback(tick.cancel)
        await _until_stopped(tick)
        await streams.close()


async def _listen(
    stack: contextlib.AsyncExitStack, app: web.Application, port: int, folder: Path | None
) -> int:
    """Serve an application, with TLS if a folder is given. Returns its port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, HOST, port, ssl_context=tls(folder) if folder else None)
    try:
        await site.start()
    except OSError as error:
        message = f"port {port}: expected a free port, found: {error.strerror or error}."
        raise InputError(message, port=port) from error
    return int(runner.addresses[0][1])


async def _tick(exchange: Exchange, streams: Streams) -> None:
    """Move prices and report them, whether or not requests arrive."""
    while True:
        now = exchange.advance()
        streams.tick(now)
        await asyncio.sleep(TICK_S)


async def _until_stopped(tick: asyncio.Future[None]) -> None:
    """Wait for a signal; an error in the tick ends the exchange."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tick.add_done_callback(lambda _: stop.set())
    await stop.wait()
    if tick.done():
        tick.result()
