"""What a leveraged token is: pure functions, the one source of every decision and every figure.

They use ``+ - * /``, comparisons and one injected ``sqrt``, so that the very same source runs on
``float`` in the simulator (interpreted or compiled), on ``Decimal`` in the keeper's books, and on
``Fraction`` as the exact truth that contracts are held to.
"""
