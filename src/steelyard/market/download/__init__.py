"""Download of an exchange's history into a file: requests, pages, partial and finished files.

`steelyard.market.fetch` combines the parts. ccxt is imported only in `exchange` and `asking`,
inside the functions that need it.
"""
