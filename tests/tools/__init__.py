"""Tools for those who write policies: `make calendars`, `make policy-check`, `make preview`."""

import tests.local  # noqa: F401 - puts the layer on the path
