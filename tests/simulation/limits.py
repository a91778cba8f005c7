"""The limits that the promises speak of, from the law and the sample policies, in the plainest form."""

from datetime import time, timedelta
from typing import Final

DAY = timedelta(days=1)

CAPS: Final = {
    "TW": ((1, DAY), (3, 7 * DAY), (8, 30 * DAY)),
    "US": ((1, DAY), (2, 7 * DAY), (8, 30 * DAY)),
}
"""The most texts within a sliding window, by country: the law's file and the sample policy together."""

HOURS: Final = {"TW": (time(9), time(20, 30)), "US": (time(9), time(20))}
"""The hours of texts, local: the first moment, and the first moment after."""

ZONES: Final = {"TW": "Asia/Taipei", "US": "America/New_York"}
"""Where the customers of the simulation live, if their zone is known."""


def country_of(address: str) -> str:
    """Return the country of an address: a number of the United States, or else Taiwan."""
    return "US" if address.startswith("+1") else "TW"
