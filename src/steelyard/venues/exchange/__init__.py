"""A real account at an exchange, asked through ccxt: Binance USD-M futures.

``client`` carries calls, ``binanceusdm`` knows the exchange, ``venue`` is the protocol.
"""
