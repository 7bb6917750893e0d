"""Raw logs of a chain, and what they say by the ABIs that the package ships.

``with recorded() as raw:`` keeps every log of every transaction, as a node would give them:
address, topics, data, and the block's time. `read` gives those that are known a name and fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import boa
from boa.util.abi import Address
from eth_abi import decode
from eth_utils import keccak

from steelyard.chain import load_artifact
from support.chain.counterparties import code

OURS = ("LeveragedToken", "Reserve", "Oracle", "Factory")
FEED = {
    "type": "event",
    "name": "AnswerUpdated",
    "inputs": [
        {"name": "current", "type": "int256", "indexed": True},
        {"name": "roundId", "type": "uint256", "indexed": True},
        {"name": "updatedAt", "type": "uint256", "indexed": False},
    ],
}
"""What a Chainlink aggregator says of each answer."""


class Raw(NamedTuple):
    """One log, as a node gives it; `transaction` counts the calls that were made."""

    time: int
    transaction: int
    address: str
    topics: tuple[bytes, ...]
    data: bytes


class Event(NamedTuple):
    """One log that is known."""

    time: int
    transaction: int
    address: str
    name: str
    fields: dict[str, Any]


@contextmanager
def recorded() -> Iterator[list[Raw]]:
    """Keep the logs of all that is done meanwhile on the chain of the moment."""
    env, seen, calls = boa.env, [], iter(range(10**9))
    act = env.execute_code

    def keep(*args: Any, **kwargs: Any) -> Any:
        outcome = act(*args, **kwargs)
        number = next(calls)
        if not outcome.is_error:
            for _, address, topics, data in outcome.get_raw_log_entries():
                words = tuple(topic.to_bytes(32, "big") for topic in topics)
                seen.append(Raw(env.timestamp, number, str(Address(address)), words, data))
        return outcome

    env.execute_code = keep
    try:
        yield seen
    finally:
        del env.execute_code


def _kind(field: dict[str, Any]) -> str:
    """A type as it stands in a signature."""
    if not field["type"].startswith("tuple"):
        return str(field["type"])
    inner = ",".join(_kind(each) for each in field["components"])
    return f"({inner}){field['type'][5:]}"


def _value(field: dict[str, Any], value: Any) -> Any:
    """A tuple by its names, an address as it is usually written."""
    if field["type"] == "tuple":
        pairs = zip(field["components"], value, strict=True)
        return {each["name"]: _value(each, part) for each, part in pairs}
    return str(Address(value)) if field["type"] == "address" else value


class Reader:
    """Knows the events of series, reserves, oracles, factory, Morpho Blue and the feeds."""

    def __init__(self) -> None:
        """By their ABIs."""
        abis = [load_artifact(name).abi for name in OURS]
        abis += [code("Morpho").abi, [FEED]]
        self.known: dict[bytes, dict[str, Any]] = {}
        for entry in (each for abi in abis for each in abi if each["type"] == "event"):
            kinds = ",".join(_kind(each) for each in entry["inputs"])
            self.known[keccak(text=f"{entry['name']}({kinds})")] = entry

    def read(self, logs: Iterable[Raw]) -> Iterator[Event]:
        """The logs that are known, in their order."""
        for log in logs:
            entry = self.known.get(log.topics[0])
            if entry is None:
                continue
            told = [each for each in entry["inputs"] if not each["indexed"]]
            values = iter(decode([_kind(each) for each in told], log.data))
            topics = iter(log.topics[1:])
            fields = {
                each["name"]: _value(
                    each,
                    decode([_kind(each)], next(topics))[0] if each["indexed"] else next(values),
                )
                for each in entry["inputs"]
            }
            yield Event(log.time, log.transaction, log.address, entry["name"], fields)
