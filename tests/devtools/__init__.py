"""
The development tools: files that a program writes, the check of the template, the check of what was built.

`make calendars`, `make schemas`, `make characters`; `make check`, `make nag`, `make build`.
"""

import tests.local  # noqa: F401 - it puts the layer on the path
