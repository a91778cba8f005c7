"""Frequency caps: sliding windows over the ledger, with exact waits."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from dunning.domain.decision.rules import Cap


def cap_frees_at(caps: Iterable[Cap], contacts: Sequence[datetime]) -> datetime | None:
    """
    Return the earliest instant at which one more contact breaks no cap, or `None` if no cap is in the way.

    `contacts` are the past contacts that the caps count, in time order. A contact that is exactly a window old no
    longer counts: a third text within seven days waits until the first text is seven days old.
    """
    frees_at = None
    past = len(contacts)
    for cap in caps:
        if past >= cap.count:
            free = contacts[past - cap.count] + cap.window
            if frees_at is None or free > frees_at:
                frees_at = free
    return frees_at
