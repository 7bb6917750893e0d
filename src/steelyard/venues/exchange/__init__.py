"""A real account at an exchange, reached through ccxt: Binance USD-M futures.

``client`` makes calls, ``binanceusdm`` holds what is particular to the exchange, and ``venue``
implements the protocol.
"""
