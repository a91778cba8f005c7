"""
Spread: a customer's turn within a day, so that not all texts of a day leave in the same minute.

The turn follows from the customer and the day alone: to plan again moves nobody.
"""

from datetime import datetime, timedelta
from functools import cache
from zlib import crc32

_BITS = 32
_WHOLE = 0xFFFFFFFF
_MIXED = 0x9E3779B1
"""An odd number: the sums of ids that follow one another are spread evenly over all values (Fibonacci hashing)."""


def turn_in(
    window: tuple[datetime, datetime], preferred: datetime, spread: timedelta, customer_id: str, day: int
) -> datetime:
    """
    Return the moment of a window, open at its start and shut at its end, from which a customer is texted.

    The spread begins at the preferred moment, or at the start of a window in which that moment does not lie. Where less
    of the window is left than the spread, the turns are closer together. A turn is always inside the window. `day` is
    the local day as an ordinal.
    """
    start, end = window
    begins = preferred if start < preferred < end else start
    seconds = seconds_of_turns(begins, end, spread)
    return turn_of(begins, seconds, customer_id, day) if seconds else begins


def seconds_of_turns(begins: datetime, end: datetime, spread: timedelta) -> int:
    """Return the seconds over which turns are spread: never beyond the end of the window."""
    return int(min(spread, end - begins).total_seconds()) if spread else 0


def turn_of(begins: datetime, seconds: int, customer_id: str, day: int) -> datetime:
    """Return a customer's turn among those that begin at a moment and take some seconds."""
    return begins + _seconds(seconds * _share(customer_id, day) >> _BITS)


@cache  # at most the seconds of a day
def _seconds(count: int) -> timedelta:
    return timedelta(seconds=count)


def _share(customer_id: str, day: int) -> int:
    """Return a number of `_BITS` bits that is the same for the same customer and day, on every machine."""
    return crc32(f"{customer_id}#{day}".encode()) * _MIXED & _WHOLE
