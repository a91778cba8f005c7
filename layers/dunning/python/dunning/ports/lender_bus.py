"""The lender's bus, for the events that people make in the console: the lender's own events, with who said so."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class WrittenEvent(NamedTuple):
    """An event as it goes on the bus: its `detail-type`, and its `detail` in JSON."""

    kind: str
    detail: str


class LenderBus(Protocol):
    """The way on to the bus."""

    def put(self, events: Sequence[WrittenEvent]) -> None:
        """
        Put events on the bus, one after another: none follows an event that the bus did not take.

        Raises:
            ServiceCallError: an event was not taken, nor were those behind it. Those before it count.
        """
        ...
