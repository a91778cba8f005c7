"""
Evidence: all that is known of one customer, and its timeline.

The console shows it, and so does `make customer`.
"""
