"""A paper venue: real prices from files on a virtual clock, modelled fills, books of its own.

``feed`` is where the price stands; ``fills`` what an order comes to; ``books`` what happens to the
account; ``store`` keeps it in SQLite; ``venue`` is the asynchronous protocol.
"""
