"""Frequency caps: sliding windows over the ledger, with exact waits."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from dunning.domain.decision.rules import Cap


class CapInTheWay(NamedTuple):
    """The cap that frees last, and the earliest instant at which one more contact breaks no cap."""

    cap: Cap
    frees_at: datetime


def cap_in_the_way(caps: Iterable[Cap], contacts: Sequence[datetime]) -> CapInTheWay | None:
    """
    Return the cap that a further contact has to wait for, or `None` if the contacts fill no cap.

    `contacts` are the past contacts that the caps count, in time order. A contact that is exactly a window old no
    longer counts: a third text within seven days waits until the first text is seven days old.
    """
    found = None
    past = len(contacts)
    for cap in caps:
        if past >= cap.count:
            free = contacts[past - cap.count] + cap.window
            if found is None or free > found.frees_at:
                found = CapInTheWay(cap, free)
    return found
