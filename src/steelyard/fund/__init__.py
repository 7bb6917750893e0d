"""The state machine of a fund: it takes events and returns effects.

``step(group, event)`` takes one fund, or several funds that share a reserve, and an event from
outside (a price was observed, an order was filled, ...). It returns the consequences as frozen
effects. Every change of cash, units, tokens and reserve is one of these effects, and only ``apply``
makes it. A stored history of effects, applied again, therefore gives the same state.

This package decides when to act, and calls ``steelyard.rules`` for what to do and in what size. It
uses no clock, file, venue or array, so the simulation and the live keeper run the same code.
"""
