"""The venues where positions are held, and the one protocol that all of them implement.

``protocol`` defines the terms. A venue object is one account, which holds one fund.
"""
