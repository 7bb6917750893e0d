"""A paper venue: real prices from files on a virtual clock, modelled fills, and its own accounts.

``account_feed`` is the path of the price, ``pace`` the speed of its clock, ``paper_fills`` the fill
of an order, ``orders`` its acceptance, ``history`` the events of an account, ``account_state`` its
state, ``account_file`` its storage in SQLite, and ``venue`` the asynchronous protocol.
"""
