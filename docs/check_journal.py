"""Checks the chain of an exported journal with Python's standard library alone.

    python check_journal.py EXPORT.jsonl [--head HEAD.txt]

It shares no code with Steelyard, so that nobody has to trust Steelyard to check a journal. A line
of an export is {"body":{...},"hash":"HEX"}, and the rule of the chain is

    hash = SHA-256(hash of the line before, as 32 bytes || the bytes of the body as they stand)

with 32 zero bytes before the first line. The body's seq counts the lines from 1. The script names
every line that breaks the chain. With --head it also compares the size and the hash in a signed
head, which finds a tail that was cut off and a chain that was made anew; it does not check the
head's signature, because the standard library has no Ed25519.

It prints the number of lines and the last hash. Exit code: 0 if the chain is whole, 1 if not,
2 if the file is no export.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

START = b'{"body":'
MIDDLE = b',"hash":"'
END = b'"}\n'
HEX_DIGITS = 64
END_BYTES = len(MIDDLE) + HEX_DIGITS + len(END)
LARGEST = 2**53


class NotAnExportError(Exception):
    """The file is something else, or a line of it was cut."""


def split_line(line, number):
    """The bytes of the body, and the hash beside them, of one line."""
    tail = line[-END_BYTES:]
    is_whole = line.startswith(START) and tail.startswith(MIDDLE) and tail.endswith(END)
    if not is_whole:
        raise NotAnExportError(f"line {number} is not a whole line of an export")
    text = tail[len(MIDDLE) : len(MIDDLE) + HEX_DIGITS]
    try:
        return line[len(START) : -END_BYTES], bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise NotAnExportError(f"line {number} has no hash in hexadecimal") from error


def read_body(raw):
    """The body as an object; ValueError where it is not written in the one canonical way."""

    def refuse(text):
        raise ValueError(f"it holds {text}, which is no text, whole number, true, false or null")

    body = json.loads(raw, parse_float=refuse, parse_constant=refuse)
    if not isinstance(body, dict) or not isinstance(body.get("seq"), int):
        raise ValueError("it has no seq")
    again = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if again.encode() != raw or not all_fit(body):
        raise ValueError("it is not canonical JSON")
    return body


def all_fit(value):
    """Whether all keys are ASCII and all whole numbers are small enough for any reader."""
    if isinstance(value, dict):
        return all(key.isascii() and all_fit(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(all_fit, value))
    return not isinstance(value, int) or abs(value) < LARGEST


def check(lines):
    """What breaks the chain, the number of lines, and the hash of each line by its place."""
    problems, hashes, expected = [], [bytes(32)], 1
    for number, line in enumerate(lines, start=1):
        raw, stated = split_line(line, number)
        try:
            seq = read_body(raw)["seq"]
        except ValueError as error:
            problems.append(f"line {number}: the body was changed: {error}")
            seq = expected
        if seq != expected:
            what = "an event is missing" if seq > expected else "it is doubled or out of order"
            problems.append(f"line {number}: expected event {expected}, found {seq}: {what}")
        elif hashlib.sha256(hashes[-1] + raw).digest() != stated:
            problems.append(f"line {number}: event {seq} or the one before it was changed")
        hashes.append(stated)
        expected = seq + 1
    return problems, hashes


def compare_head(text, hashes):
    """What a signed head says otherwise: its second line is the size, its third the hash."""
    try:
        size, root = text.split("\n")[1:3]
        size, root = int(size), base64.b64decode(root, validate=True)
    except ValueError as error:
        raise NotAnExportError("the head is not of the form origin, size, hash") from error
    if size >= len(hashes):
        return [f"the head says {size} events, the export has {len(hashes) - 1}: its tail was cut"]
    if hashes[size] != root:
        return [f"the hash of event {size} is not the head's: the journal was written anew"]
    return []


def main():
    """Check the file that the command line names."""
    parser = argparse.ArgumentParser(description="Check the chain of an exported journal.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--head", type=Path, help="a signed head to compare with")
    arguments = parser.parse_args()
    try:
        with arguments.export.open("rb") as lines:
            problems, hashes = check(lines)
        if len(hashes) == 1:
            raise NotAnExportError("the file is empty")
        if arguments.head:
            problems += compare_head(arguments.head.read_text(encoding="utf-8"), hashes)
    except (OSError, NotAnExportError, UnicodeDecodeError) as error:
        print(f"{arguments.export}: {error}", file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    print(f"{len(hashes) - 1} lines, last hash {hashes[-1].hex()}")
    print("the chain is broken" if problems else "the chain is whole")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
