"""A seeded simulator of the live keeper: production core, codec and journal in a world that fails.

``world`` is time, chance and processes; ``disk`` is the journal's database; ``laws`` says what must
hold after every step; ``plants`` are faults of a keeper that the laws have to find.
"""
