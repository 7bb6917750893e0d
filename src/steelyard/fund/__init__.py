"""What happens to a fund: events in, effects out.

``step(group, event)`` takes one fund, or several on one reserve, and something that happened
outside (a price was observed, an order was filled, ...), and gives back what followed as frozen
effects. Every change of cash, units, tokens and reserve is one of these effects, and is made by
``apply`` alone: so a stored history of effects, applied again, gives the state that wrote it.

This package asks ``steelyard.rules`` what to do and how much, and decides when. It knows no clock,
no file, no venue and no array: the simulation and the live keeper drive the very same code.
"""
