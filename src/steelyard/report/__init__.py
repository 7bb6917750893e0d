"""Documents and figures from plain results: for terminals, as text, as HTML.

A result builds one ``Document`` of blocks (``document``); ``terminal``, ``lines`` and ``html`` show
it. Charts are described once (``panels``) for pages and notebooks. Nothing here knows a run.
"""
