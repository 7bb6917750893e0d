"""The live keeper: a core without input or output, and a thin shell around it.

``core.step(keeper, event)`` takes one event and returns the commands that follow from it. It reads
no clock, no file and no random number, so a simulator can carry out the very same commands under a
seed.
"""
