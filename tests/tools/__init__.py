"""
Tools for those who write policies, and for those who run a stack.

`make calendars`, `make policy-check`, `make preview`; `make sms-settings`, `make erase`, `make restore`.
"""

import tests.local  # noqa: F401 - it puts the layer on the path
