"""The rules of a leveraged token: pure functions that make every decision and every figure.

They use ``+ - * /``, comparisons and one injected ``sqrt``, so the same source runs on ``float`` in
the simulator (interpreted or compiled), on ``Decimal`` in the keeper's books, and on ``Fraction``,
whose exact results the contracts are tested against.
"""
