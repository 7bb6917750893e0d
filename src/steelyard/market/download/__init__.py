"""Download of an exchange's history into a file: requests, pages, partial and finished files.

`steelyard.market.fetch` combines the parts. ccxt is imported only in `ccxt_exchange` and
`retrying`, inside the functions that need it.
"""
