"""Writes what each step costs in gas now into gas.json and its page, and shows what changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.chain.gas import SNAPSHOT, measured, text_of
from support.gas_table import rewrite

if __name__ == "__main__":
    before = json.loads(SNAPSHOT.read_text(encoding="utf-8")) if SNAPSHOT.is_file() else {}
    bill = measured()
    SNAPSHOT.write_text(text_of(bill), encoding="utf-8", newline="\n")
    rewrite(bill)
    for name, gas in bill.items():
        was = before.get(name)
        change = "new" if was is None else f"{gas - was:+,}" if gas != was else ""
        print(f"{name:<50} {gas:>9,}  {change}".rstrip())
