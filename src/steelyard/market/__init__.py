"""Market data in: prices, funding, rates and injections, read and checked."""
