"""Numbers in what a page says: they may be one unit of their last printed place apart.

A figure that lies halfway between two printed ones falls to either side by its last bit, and the
last bits of statistics differ between processors (docs/decisions/0009). What is not a figure is
strict: text, whole numbers (counts, dates, times, versions), how many decimals there are, and that
a zero has no minus sign.
"""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["figures_within_a_unit", "signed_zeros"]

FIGURE = re.compile(
    r"(?P<pad> *)"
    # no part of a word, of a date, of a time or of a version
    r"(?<![\w.,:/-])(?P<sign>[+-]?)"
    r"(?:(?P<digits>\d[\d,]*\.\d+)(?P<power>e[+-]\d+)?"
    r"|(?P<whole>\d[\d,]*)(?= ?%)|(?<=[+-])(?P<signed>\d[\d,]*)(?!\w))"
    r"(?![\d.,]*\d)"
)
"""What has decimals, and of whole numbers those with a sign and those of percent."""
SIGNED_ZERO = re.compile(r"(?<![\w.,:/-])[-\u2212]0(?:\.0+)?(?![\w.,]*\d)")


def signed_zeros(text: str) -> list[str]:
    """The zeros with a minus before them: a sign of nothing."""
    return SIGNED_ZERO.findall(text)


def figures_within_a_unit(text: str) -> str:
    """A regular expression for the text with each figure as it is, or one unit more or less."""
    pattern, after = "", 0
    for match in FIGURE.finditer(text):
        pattern += re.escape(text[after : match.start()]) + _spellings(match)
        after = match.end()
    return pattern + re.escape(text[after:])


def _spellings(match: re.Match[str]) -> str:
    digits = match["digits"] or match["whole"] or match["signed"]
    power = match["power"] or ""
    value = Decimal((match["sign"] + digits).replace(",", ""))
    unit = Decimal(1).scaleb(int(value.as_tuple().exponent))
    found = [match["sign"] + digits]
    for near in (value - unit, value + unit):
        grouped = "," in digits or abs(value) < 1_000
        size = f"{abs(near):,}" if grouped else str(abs(near))
        if near < 0:
            found.append(f"-{size}")
        else:
            # where a minus stood nothing says whether a plus would
            found += {"+": [f"+{size}"], "": [size], "-": [size, f"+{size}"]}[match["sign"]]
    pad, width = len(match["pad"]), len(found[0])
    spelled = set()
    for each in found:
        # a column on the right has as many blanks less as the figure has digits more
        for blanks in {pad, max(pad + width - len(each), 0)} if pad > 1 else {pad}:
            spelled.add(" " * blanks + re.escape(each + power))
    return f"(?:{'|'.join(sorted(spelled))})"
