"""What runs contracts in these tests is py-evm, to the last unit of gas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from boa.environment import Env
from boa.util.abi import Address
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chain import quick_evm

CALLED = Address("0x" + 38 * "0" + "aa")
SIMPLE = [*quick_evm.EXPRESSIONS, 0x35, 0x50, 0x51, 0x52, 0x56, 0x57, 0x58, 0x5B]
OTHERS = [0x00, 0x0A, 0x0C, 0x30, 0x33, 0x34, 0x36, 0x37, 0x3D, 0x53, 0x54]
OTHERS += [0x59, 0x5A, 0x5C, 0x5D, 0x5E, 0xA1, 0xF3, 0xFD, 0xFE]
WORDS = st.one_of(
    st.integers(0, 40),
    st.sampled_from([2**255, 2**255 - 1, 2**256 - 1, 2**128, 31, 32, 256, 255]),
    st.integers(0, 2**256 - 1),
)


def pushed(word: int) -> bytes:
    """The opcode that pushes a word, and the word."""
    size = (word.bit_length() + 7) // 8
    return bytes([0x5F + size]) + word.to_bytes(size, "big")


PIECES = st.one_of(
    WORDS.map(pushed),
    st.sampled_from(SIMPLE).map(lambda opcode: bytes([opcode])),
    st.sampled_from(OTHERS).map(lambda opcode: bytes([opcode])),
    st.integers(0x80, 0x9F).map(lambda opcode: bytes([opcode])),
    # a small number ahead, so that memory and jumps are within reach
    st.tuples(st.integers(0, 70), st.sampled_from([0x51, 0x52, 0x56, 0x57])).map(
        lambda pair: pushed(pair[0]) + bytes([pair[1]])
    ),
    # titanoboa reads two words ahead of a hash and of a store, whether there are two or not
    st.tuples(st.integers(0, 70), st.integers(0, 2), st.sampled_from([0x20, 0x55])).map(
        lambda some: pushed(some[0]) + pushed(some[1]) + bytes([some[2]])
    ),
    st.tuples(WORDS, WORDS, st.sampled_from(list(quick_evm.EXPRESSIONS))).map(
        lambda some: pushed(some[0]) + pushed(some[1]) + bytes([some[2]])
    ),
)
CODES = st.tuples(st.lists(WORDS.map(pushed), max_size=6), st.lists(PIECES, max_size=60)).map(
    lambda some: b"".join([*some[0], *some[1]])
)


@contextmanager
def slow() -> Iterator[None]:
    """Py-evm alone."""
    quick_evm.uninstall()
    try:
        yield
    finally:
        quick_evm.install()


@pytest.fixture(autouse=True)
def quick() -> None:
    """Here whatever the session was told: the two are compared."""
    quick_evm.install()


ENV = Env()
"""One for all: titanoboa wraps the opcode of hashes once more with each environment."""


def outcome(code: bytes, data: bytes, gas: int) -> tuple[object, ...]:
    """All that a run leaves: error, gas, output, stack, memory, logs, the opcodes that ran."""
    with ENV.anchor():
        ran = ENV.execute_code(
            to_address=CALLED,
            data=data,
            gas=gas,
            override_bytecode=code,
        )
        words = [int.from_bytes(w, "big") if isinstance(w, bytes) else w for w in ran._stack.values]
        kept = [ENV.get_storage(CALLED, slot) for slot in range(3)]
        return (
            type(ran._error),
            ran._gas_meter.gas_remaining,
            ran.output,
            words if not ran.is_error else None,
            bytes(ran._memory._bytes) if not ran.is_error else None,
            ran.get_raw_log_entries(),
            kept,
            ran.code._trace if not ran.is_error else None,
        )


@settings(max_examples=400, deadline=None)
@given(code=CODES, data=st.binary(max_size=70), gas=st.sampled_from([150, 400, 3_000, 100_000]))
def test_any_code_ends_alike(code: bytes, data: bytes, gas: int) -> None:
    """Random code with random input, with much gas and with little, and with loops."""
    quick = outcome(code, data, gas)
    with slow():
        assert outcome(code, data, gas) == quick


@pytest.mark.parametrize("opcode", quick_evm.EXPRESSIONS)
@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORDS, min_size=3, max_size=3))
def test_an_opcode_reckons_alike(opcode: int, words: list[int]) -> None:
    """Each opcode that was written anew, on small words and on those at the ends."""
    code = b"".join(map(pushed, words)) + bytes([opcode])
    quick = outcome(code, b"", 10_000)
    with slow():
        assert outcome(code, b"", 10_000) == quick
    assert quick[0] is type(None)
