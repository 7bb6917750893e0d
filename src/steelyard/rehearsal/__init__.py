"""The rehearsal exchange: Binance USD-M futures on loopback, for testing a keeper.

A pure core (contracts, records, book, margin, matching, upkeep) uses neither a clock nor a network:
each function is given the time, and names what it changed. The shell (exchange_file, fault_rules,
throttle, server, streams, control) stores every change before it answers.
"""
