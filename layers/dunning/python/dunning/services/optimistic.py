"""
Optimistic writes: read, decide, write under the version that was read, and start over if another writer was first.

Every write of a customer is conditional on the version it was decided on, so that no decision overrules what another
writer has stored meanwhile. The services differ in what they read, decide and write, and in nothing else.
"""

from collections.abc import Callable
from enum import Enum, auto

from dunning.domain.errors import DunningError, UnreadableRecordError

MAX_ATTEMPTS = 5
"""Two writers rarely meet. Five in a row mean a fault, or a storm that is over when the message comes back."""


class Conflict(Enum):
    """The answer of an attempt whose write came too late."""

    CONFLICT = auto()


CONFLICT = Conflict.CONFLICT


class ContestedError(DunningError):
    """Other writers kept changing a customer. What is done stays done: try again later."""


def write_optimistically[S, R](
    customer_id: str,
    first: S | UnreadableRecordError,
    reread: Callable[[], S | UnreadableRecordError],
    attempt: Callable[[S], R | Conflict],
) -> R:
    """
    Decide on what is stored and write it, again from the start as long as another writer was first.

    Args:
        customer_id: whose record it is, for the error.
        first: what has been read already.
        reread: reads it again, strongly consistently.
        attempt: decides and writes under the version it was given; `CONFLICT` if that version is no longer stored.

    Raises:
        ContestedError: another writer was first, `MAX_ATTEMPTS` times.
        UnreadableRecordError: what is stored cannot be read.
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
