"""
Contracts: the shapes of what travels between functions, and of what comes in from outside; one module a message.

Unknown fields are refused in what is ours. What a carrier sends may grow one: no opt-out is lost over it.
"""
