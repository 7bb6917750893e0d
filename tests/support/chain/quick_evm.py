"""Py-evm, several times faster: runs of simple opcodes are compiled to Python functions.

Py-evm calls a Python function for each opcode. Nine tenths of the opcodes of a contract only move
the stack, reckon or read and write memory: `install` makes titanoboa run each stretch of them,
from one jump to the next, as one compiled function. All other opcodes (calls, storage, hashes,
logs, gas, halts) are still py-evm's own, and so are stretches that would run out of gas or break
the bounds of the stack. `tests/contracts/test_quick_evm.py` holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from boa.vm import py_evm
from eth.constants import GAS_MEMORY
from eth.constants import GAS_MEMORY_QUADRATIC_DENOMINATOR as QUADRATIC
from eth.exceptions import InvalidJumpDestination
from eth.vm.opcode import _FastOpcode as StaticOpcode

__all__ = ["install", "uninstall"]

WORD = 2**256 - 1
SIGN = 2**255
MOST_STACK = 1024
MOST_OPCODES = 400
"""In one function: a longer stretch goes on in another."""
STOP, JUMP, JUMPI, PC, JUMPDEST, PUSH0, PUSH32 = 0x00, 0x56, 0x57, 0x58, 0x5B, 0x5F, 0x7F
POP, MLOAD, MSTORE, CALLDATALOAD = 0x50, 0x51, 0x52, 0x35
DUP1, SWAP1, SWAP16 = 0x80, 0x90, 0x9F

EXPRESSIONS = {
    0x01: (2, f"({{0}} + {{1}}) & {WORD}"),
    0x02: (2, f"({{0}} * {{1}}) & {WORD}"),
    0x03: (2, f"({{0}} - {{1}}) & {WORD}"),
    0x04: (2, "{0} // {1} if {1} else 0"),
    0x05: (2, "sdiv({0}, {1})"),
    0x06: (2, "{0} % {1} if {1} else 0"),
    0x07: (2, "smod({0}, {1})"),
    0x08: (3, "({0} + {1}) % {2} if {2} else 0"),
    0x09: (3, "({0} * {1}) % {2} if {2} else 0"),
    0x0B: (2, "signextend({0}, {1})"),
    0x10: (2, "1 if {0} < {1} else 0"),
    0x11: (2, "1 if {0} > {1} else 0"),
    0x12: (2, f"1 if {{0}} ^ {SIGN} < {{1}} ^ {SIGN} else 0"),
    0x13: (2, f"1 if {{0}} ^ {SIGN} > {{1}} ^ {SIGN} else 0"),
    0x14: (2, "1 if {0} == {1} else 0"),
    0x15: (1, "0 if {0} else 1"),
    0x16: (2, "{0} & {1}"),
    0x17: (2, "{0} | {1}"),
    0x18: (2, "{0} ^ {1}"),
    0x19: (1, f"{{0}} ^ {WORD}"),
    0x1A: (2, "({1} >> (248 - 8 * {0})) & 255 if {0} < 32 else 0"),
    0x1B: (2, f"({{1}} << {{0}}) & {WORD} if {{0}} < 256 else 0"),
    0x1C: (2, "{1} >> {0} if {0} < 256 else 0"),
    0x1D: (2, "sar({0}, {1})"),
}
"""Opcode: how many words it takes from the stack, and what it leaves there."""


def signed(word: int) -> int:
    """A word as a number in two's complement."""
    return word - 2**256 if word & SIGN else word


def sdiv(a: int, b: int) -> int:
    """Towards zero; 0 by zero."""
    a, b = signed(a), signed(b)
    if not b:
        return 0
    size = abs(a) // abs(b)
    return (size if (a < 0) == (b < 0) else -size) & WORD


def smod(a: int, b: int) -> int:
    """With the sign of the first; 0 by zero."""
    a, b = signed(a), signed(b)
    if not b:
        return 0
    size = abs(a) % abs(b)
    return (-size if a < 0 else size) & WORD


def signextend(last: int, value: int) -> int:
    """The byte of that number, from the lowest, holds the sign."""
    if last > 30:
        return value
    sign = 1 << (8 * last + 7)
    return value | (WORD + 1 - sign) if value & sign else value & (sign - 1)


def sar(by: int, value: int) -> int:
    """A shift to the right that keeps the sign."""
    return (signed(value) >> min(by, 256)) & WORD


def call_data(data: bytes, start: int) -> int:
    """32 bytes of what the call was given, zeros beyond its end."""
    return int.from_bytes(data[start : start + 32].ljust(32, b"\0"), "big")


def grow(computation: Any, end: int) -> None:
    """Memory reaches there, and its growth is paid for, as in py-evm."""
    memory = computation._memory
    before, after = len(memory._bytes) // 32, (end + 31) // 32
    cost = GAS_MEMORY * (after - before)
    cost += after * after // QUADRATIC - before * before // QUADRATIC
    computation._gas_meter.consume_gas(cost, "memory")
    memory.extend(0, end)


NAMES = {
    "grow": grow,
    "sdiv": sdiv,
    "smod": smod,
    "signextend": signextend,
    "sar": sar,
    "call_data": call_data,
    "word_of": int.from_bytes,
    "InvalidJumpDestination": InvalidJumpDestination,
}


class Stretch(NamedTuple):
    """Opcodes that run as one: what they cost, what they need and where they stand."""

    run: Callable[[list[Any], Any], int]
    """Given the stack's words and the computation: where to go on."""
    gas: int
    """Without what memory costs that grows."""
    needs: int
    """Words that have to be on the stack."""
    grows: int
    """By at most so many words."""
    places: list[int]


class Writer:
    """The Python source of a stretch: the stack's words are variables until its end."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        """On top of what is left of the stack as it was."""
        self.taken = 0
        """How many words of the stack as it was became variables."""
        self.numbers: set[str] = set()
        self.count = 0
        self.tallest = 0

    def _name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def reach(self, depth: int) -> None:
        """Have at least so many words as variables."""
        while len(self.words) < depth:
            self.taken += 1
            name = f"s{self.taken}"
            self.lines.append(f"{name} = stack[-{self.taken}]")
            self.words.insert(0, name)

    def pop(self) -> str:
        """The topmost word, as a number: py-evm may have left it as bytes."""
        self.reach(1)
        word = self.words.pop()
        if word not in self.numbers and not word.isdigit():
            self.numbers.add(word)
            self.lines.append(f"if {word}.__class__ is bytes: {word} = word_of({word}, 'big')")
        return word

    def push(self, word: str) -> None:
        """A variable, or a number as it is written."""
        self.words.append(word)
        self.tallest = max(self.tallest, len(self.words) - self.taken)

    def keep(self, expression: str) -> None:
        """Push what an expression gives."""
        name = self._name()
        self.numbers.add(name)
        self.lines.append(f"{name} = {expression}")
        self.push(name)

    def settle(self) -> None:
        """Write the variables back."""
        if self.taken:
            self.lines.append(f"stack[-{self.taken}:] = ({''.join(w + ', ' for w in self.words)})")
        elif self.words:
            self.lines.append(f"stack += ({''.join(word + ', ' for word in self.words)})")

    def move(self, opcode: int) -> None:
        """DUP or SWAP."""
        if opcode < SWAP1:
            depth = opcode - DUP1 + 1
            self.reach(depth)
            self.push(self.words[-depth])
        else:
            depth = opcode - SWAP1 + 2
            self.reach(depth)
            self.words[-1], self.words[-depth] = self.words[-depth], self.words[-1]

    def act(self, opcode: int) -> None:
        """Arithmetic, POP, memory or the data of the call; a JUMPDEST does nothing."""
        if opcode in EXPRESSIONS:
            takes, text = EXPRESSIONS[opcode]
            self.keep(text.format(*[self.pop() for _ in range(takes)]))
        elif opcode == POP:
            self.reach(1)
            self.words.pop()
        elif opcode == CALLDATALOAD:
            self.keep(f"call_data(computation.msg.data_as_bytes, {self.pop()})")
        elif opcode == MLOAD:
            where = self._reached()
            self.keep(f"word_of(memory._bytes[{where} : {where} + 32], 'big')")
        elif opcode == MSTORE:
            where, value = self._reached(), self.pop()
            stored = f"({value}).to_bytes(32, 'big')"
            self.lines.append(f"memory._bytes[{where} : {where} + 32] = {stored}")

    def _reached(self) -> str:
        """Where in memory: it reaches there afterwards, and what it grows by is paid."""
        where = self.pop()
        self.lines.append(f"if {where} + 32 > len(memory._bytes): grow(computation, {where} + 32)")
        return where

    def jump(self, opcode: int, following: int) -> None:
        """The end of a stretch: where to go on, on a condition or without one."""
        target = self.pop()
        condition = self.pop() if opcode == JUMPI else ""
        self.settle()
        if condition:
            self.lines.append(f"if not {condition}: return {following}")
        self.lines += [
            f"if {target} in targets: return {target}",
            f"computation.code.program_counter = {target}",
            "raise InvalidJumpDestination('Invalid Jump Destination')",
        ]


class Program:
    """The code of a contract, its stretches compiled when they first run."""

    def __init__(self, code: bytes, opcodes: dict[int, Any]) -> None:
        self.code, self.opcodes = code, opcodes
        self.stretches: dict[int, Stretch | None] = {}
        self.targets = set()
        place = 0
        while place < len(code):
            if code[place] == JUMPDEST:
                self.targets.add(place)
            place += 1 + max(0, code[place] - PUSH0) * (code[place] <= PUSH32)

    def at(self, start: int) -> Stretch | None:
        """The stretch that begins there; None where py-evm has to run the opcode itself."""
        if start not in self.stretches:
            self.stretches[start] = self._compiled(start)
        return self.stretches[start]

    def _compiled(self, start: int) -> Stretch | None:
        writer, place, gas, places = Writer(), start, 0, []
        code, ended = self.code, False
        while place < len(code) and len(places) < MOST_OPCODES and not ended:
            opcode = code[place]
            cost = self._cost(opcode)
            if cost is None:
                break
            places.append(place)
            gas += cost
            size = max(0, opcode - PUSH0) if opcode <= PUSH32 else 0
            if opcode in {JUMP, JUMPI}:
                writer.jump(opcode, place + 1)
                ended = True
            elif PUSH0 <= opcode <= PUSH32:
                raw = code[place + 1 : place + 1 + size].ljust(size, b"\0")
                writer.push(str(int.from_bytes(raw, "big")))
            elif opcode == PC:
                writer.push(str(place))
            elif opcode > PUSH32:
                writer.move(opcode)
            else:
                writer.act(opcode)
            place += 1 + size
        if not places:
            return None
        if not ended:
            writer.settle()
            writer.lines.append(f"return {place}")
        body = "\n    ".join(("memory = computation._memory", *writer.lines))
        names: dict[str, Any] = {**NAMES, "targets": self.targets}
        exec(f"def run(stack, computation):\n    {body}\n", names)  # noqa: S102 (written above)
        return Stretch(names["run"], gas, writer.taken, writer.tallest, places)

    def _cost(self, opcode: int) -> int | None:
        """What an opcode costs that stretches are made of; None of all others."""
        simple = (
            opcode in EXPRESSIONS
            or PUSH0 <= opcode <= SWAP16
            or opcode in {POP, MLOAD, MSTORE, JUMP, JUMPI, PC, JUMPDEST, CALLDATALOAD}
        )
        known = self.opcodes.get(opcode)
        return known.gas_cost if simple and isinstance(known, StaticOpcode) else None


PROGRAMS: dict[bytes, Program] = {}
MOST_PROGRAMS = 400
"""More are forgotten, so that memory stays bounded: each series has a code of its own."""


class QuickCodeStream(py_evm.TracingCodeStream):
    """The opcodes of a contract that py-evm runs itself; on the way to each, all others run."""

    computation: Any = None

    def __iter__(self) -> Iterator[int]:
        """Each opcode that is left, as py-evm reads them."""
        computation, code, trace = self.computation, self._raw_code_bytes, self._trace
        self.computation = None  # a circle of the two would wait for the collector
        program = PROGRAMS.get(code)
        if program is None:
            if len(PROGRAMS) == MOST_PROGRAMS:
                PROGRAMS.clear()
            program = PROGRAMS[code] = Program(code, computation.opcodes)
        at, known = program.at, program.stretches
        stack, meter, length = computation._stack.values, computation._gas_meter, len(code)
        place = self.program_counter
        while place < length:
            stretch = known[place] if place in known else at(place)
            if stretch is not None:
                run, gas, needs, grows, places = stretch
                if (
                    gas <= meter.gas_remaining
                    and needs <= len(stack)
                    and len(stack) + grows <= MOST_STACK
                ):
                    meter.gas_remaining -= gas
                    trace += places
                    place = run(stack, computation)
                    continue
            trace.append(place)
            self.program_counter = place + 1
            yield code[place]
            place = self.program_counter
        self.program_counter = place
        yield STOP


ORIGINAL = py_evm.titanoboa_computation.__init__
SLOW_STREAM = py_evm.TracingCodeStream


def _made(computation: Any, *args: Any, **more: Any) -> None:
    ORIGINAL(computation, *args, **more)
    computation.code.computation = computation


def install() -> None:
    """From now on titanoboa runs contracts this way."""
    py_evm.TracingCodeStream = QuickCodeStream
    py_evm.titanoboa_computation.__init__ = _made


def uninstall() -> None:
    """From now on titanoboa runs contracts as it did."""
    py_evm.TracingCodeStream = SLOW_STREAM
    py_evm.titanoboa_computation.__init__ = ORIGINAL
