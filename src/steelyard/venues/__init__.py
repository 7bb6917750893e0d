"""Where the position lives: one protocol, and the venues that speak it.

``protocol`` holds the words. A venue belongs to one account that holds one fund.
"""
