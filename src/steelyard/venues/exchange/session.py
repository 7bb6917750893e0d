"""The connections to an exchange: to its own hosts, or all of them to a rehearsal on loopback.

The addresses that ccxt asks stay those of production, because ccxt chooses its errors by them and
because what is rehearsed is then what runs. A rehearsal is another way to find the hosts, and
another authority that vouches for them: the session's resolver sends every host to loopback, so
that nothing can reach the real one.
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
    """What was seen of one call on the wire."""

    is_sent: bool = False
    """The head of the request went out."""
    status: int | None = None
    """Of the answer; None: none came."""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


HEARD: ContextVar[Heard] = ContextVar("HEARD")
"""Of the call that is made in this context: calls run side by side on one session."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Where a rehearsal exchange listens on this machine, and who vouches for it."""

    port: int
    authority: ssl.SSLContext


def read_rehearsal(folder: Path) -> Rehearsal:
    """What ``steelyard rehearsal serve`` left in its folder.

    Raises:
        InputError: it is not there, or cannot be read.
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
    """The answer named another address."""


class Loopback(AbstractResolver):
    """Sends every host to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 (the resolver's signature)
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 (the same)
    ) -> list[ResolveResult]:
        """The one place."""
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
        """Nothing is held."""


async def _note_sent(*_: object) -> None:
    heard = HEARD.get(None)
    if heard is not None:
        heard.is_sent = True


async def _refuse_redirect(*_: object) -> None:
    """No request is sent on to another address: it was sent once, and it is signed."""
    raise Redirected("redirected")


def open_session(
    rehearsal: Rehearsal | None, check: Callable[[], None] | None = None
) -> aiohttp.ClientSession:
    """A session that notes what it sent; to be opened where a loop runs.

    Args:
        rehearsal: where every host is sent to; None: the real ones.
        check: called before each request, also one that opens a stream: what it raises is raised,
            and nothing is sent.
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
