"""A chain of anvil's, spoken to over loopback as boa's is: what gas costs is read from receipts.

``with anvil() as env:`` makes it the chain of the moment: `World` and all the helpers deploy and
act there. titanoboa's own network environment runs each transaction a second time in process; this
one only sends it, and keeps what the node says.
"""

from __future__ import annotations

import platform
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boa

from support.chain.anvil_env import BASE_FEE, BLOCK_GAS, AnvilEnv, Reverted
from support.chain.counterparties import HOW, MODULES
from support.chain.world import START

__all__ = ["AnvilEnv", "Reverted", "anvil", "unavailable"]

PROGRAM = MODULES / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
HARDFORK = "prague"
STARTS_WITHIN_S = 20


def unavailable() -> str | None:
    """Why there is no anvil here, or None where it can be started."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "needs anvil, which is pinned for Linux on x86-64 alone: run this test there"
    place = PROGRAM.relative_to(MODULES.parent)
    return (
        None if PROGRAM.is_file() else f"needs anvil, and {place} is missing; bring it by `{HOW}`"
    )


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def anvil() -> Iterator[AnvilEnv]:
    """Start a node on a free port of loopback, make it boa's chain, and end it afterwards."""
    port = _free_port()
    command = [str(PROGRAM), "--host", "127.0.0.1", "--port", str(port), "--silent"]
    command += ["--hardfork", HARDFORK, "--timestamp", str(START), "--auto-impersonate"]
    command += ["--gas-limit", str(BLOCK_GAS), "--accounts", "1", "--base-fee", str(BASE_FEE)]
    process = subprocess.Popen(command)
    env = AnvilEnv(port)
    try:
        _await(env, process)
        env.ask("anvil_setBlockTimestampInterval", 1)
        with boa.set_env(env):
            yield env
    finally:
        env.close()
        process.terminate()
        process.wait(timeout=STARTS_WITHIN_S)


def _await(env: AnvilEnv, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        try:
            env.ask("eth_chainId")
        except OSError:
            env.close()
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"anvil did not start within {STARTS_WITHIN_S} s: {process.poll()}")
