"""A venue in process, on virtual time, that fails in every way that its faults ask for.

``simulated_exchange`` is a Binance USD-M account in one-way mode that never fails. ``network``
carries calls to it and answers back, with faults drawn from a seed. ``venue`` is the asynchronous
protocol.
"""
