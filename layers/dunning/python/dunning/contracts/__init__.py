"""
Contracts: the messages that travel between functions or come from outside, a module each.

Unknown fields are refused in our own messages and in a lender's. A carrier's message may gain a field, because no
opt-out may be lost over it.
"""
