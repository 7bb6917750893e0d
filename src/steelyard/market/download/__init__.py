"""History from an exchange into a file: asking, paging, the partial file, the finished one.

`steelyard.market.fetch` puts the parts together. ccxt is imported nowhere but in `exchange` and
`asking`, inside the functions that need it.
"""
