"""The rehearsal exchange: Binance USD-M futures on loopback, to prove a keeper on.

A pure core (contracts, records, book, margin, matching, upkeep) knows neither a clock nor a
network: it is asked at an instant and says what changed. The shell (store, faults, throttle,
server, streams, control) stores what changed before it answers.
"""
