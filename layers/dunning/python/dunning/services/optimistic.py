"""
Optimistic writes: read, decide, write under the version read, and start over if another writer was first.

Every write of a customer is conditional on the version of its decision, so that no decision overrules a later write.
The services differ in their reads, decisions and writes, and share this loop.
"""

from collections.abc import Callable
from enum import Enum, auto

from dunning.domain.errors import DunningError, UnreadableRecordError

MAX_ATTEMPTS = 5
"""Two writers rarely meet. Five conflicts in a row mean a fault, or a storm that ends before the message returns."""


class Conflict(Enum):
    """The result of an attempt whose write came too late."""

    CONFLICT = auto()


CONFLICT = Conflict.CONFLICT


class ContestedError(DunningError):
    """Other writers kept changing a customer. Earlier writes stay in place: try again later."""


def write_optimistically[S, R](
    customer_id: str,
    first: S | UnreadableRecordError,
    reread: Callable[[], S | UnreadableRecordError],
    attempt: Callable[[S], R | Conflict],
) -> R:
    """
    Decide on the stored record and write the result. Start over as long as another writer was first.

    Args:
        customer_id: the customer of the record, for the error.
        first: the record as read already.
        reread: reads the record again, strongly consistently.
        attempt: decides and writes under the version of the record it gets; `CONFLICT` if that version is outdated.

    Raises:
        ContestedError: another writer was first, `MAX_ATTEMPTS` times.
        UnreadableRecordError: the stored record cannot be read.
    """
    stored = first
    for number in range(MAX_ATTEMPTS):
        if number:
            stored = reread()
        if isinstance(stored, UnreadableRecordError):
            raise stored
        result = attempt(stored)
        if not isinstance(result, Conflict):
            return result
    raise ContestedError(f"customer {customer_id} kept changing")
