"""The live keeper: a core without input or output, and a thin shell around it.

``core.step(keeper, event)`` is told what happened and says what is to be done. It reads no clock,
no file and no random number, so that a simulator can carry out the very same commands under a seed.
"""
