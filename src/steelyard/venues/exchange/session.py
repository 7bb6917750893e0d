"""The connections to an exchange: to its real hosts, or all of them to a rehearsal on loopback.

The URLs that ccxt requests stay those of production, because ccxt chooses its errors by them, and
because a rehearsal then runs exactly the production code. A rehearsal differs only in name
resolution and in the certificate authority: the session's resolver sends every host to loopback,
so no request can reach a real one.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from steelyard.errors import InputError

__all__ = ["HEARD", "Heard", "Rehearsal", "open_session", "read_rehearsal"]

LOOPBACK = "127.0.0.1"
ADDRESS_FILE = "address.json"


@dataclass(slots=True)
class Heard:
    """What one call was seen to send and receive on the wire."""

    is_sent: bool = False
    """Whether the head of the request was sent."""
    status: int | None = None
    """The status of the answer; None: there was none."""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


HEARD: ContextVar[Heard] = ContextVar("HEARD")
"""The record of the call made in this context, since calls share one session concurrently."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The port of a rehearsal exchange on this machine, and its certificate authority."""

    port: int
    authority: ssl.SSLContext


def read_rehearsal(folder: Path) -> Rehearsal:
    """Read what ``steelyard rehearsal serve`` wrote into its folder.

    Raises:
        InputError: it is missing or cannot be read.
    """
    try:
        said = json.loads((folder / ADDRESS_FILE).read_text(encoding="utf-8"))
        authority = ssl.create_default_context(cafile=str(folder / said["certificate"]))
        return Rehearsal(int(said["port"]), authority)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = (
            f"{folder}: expected the folder of a running rehearsal exchange ({ADDRESS_FILE} and "
            f"its certificate), but it cannot be read ({type(error).__name__}). Start it with "
            '"steelyard rehearsal serve".'
        )
        raise InputError(message, folder=str(folder)) from error


class Redirected(aiohttp.ClientError):
    """The answer was a redirection to another address."""


class Loopback(AbstractResolver):
    """A resolver that sends every host to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 (the resolver's signature)
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 (the same)
    ) -> list[ResolveResult]:
        """The loopback address and port, whatever the host."""
        found = ResolveResult(
            hostname=host,
            host=LOOPBACK,
            port=self._port,
            family=socket.AF_INET,
            proto=0,
            flags=0,
        )
        return [found]

    async def close(self) -> None:
        """Do nothing, since it holds no resources."""


async def _note_sent(*_: object) -> None:
    heard = HEARD.get(None)
    if heard is not None:
        heard.is_sent = True


async def _refuse_redirect(*_: object) -> None:
    """Refuse a redirection: a signed request is sent once, and to no other address."""
    raise Redirected("redirected")


def open_session(
    rehearsal: Rehearsal | None, check: Callable[[], None] | None = None
) -> aiohttp.ClientSession:
    """Open a session, inside a running event loop, that records what it sends.

    Args:
        rehearsal: the rehearsal that every host resolves to; None: the real hosts.
        check: is called before each request, including one that opens a stream. If it raises, the
            error is raised and nothing is sent.
    """
    trace = aiohttp.TraceConfig()
    if check is not None:

        async def checked(*_: object) -> None:
            check()

        trace.on_request_start.append(checked)
    trace.on_request_headers_sent.append(_note_sent)
    trace.on_request_redirect.append(_refuse_redirect)
    if rehearsal is None:
        connector = aiohttp.TCPConnector()
    else:
        resolver = Loopback(rehearsal.port)
        connector = aiohttp.TCPConnector(resolver=resolver, ssl=rehearsal.authority)
    return aiohttp.ClientSession(connector=connector, trust_env=False, trace_configs=[trace])
