"""Requests to erase a customer: a first person asks, a second confirms. No request holds personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dunning.ports.sessions import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedErasure:
    """A request: who asked for the erasure of whom, when and why (a code), and until when it can be confirmed."""

    customer_id: str
    asked_by: Viewer
    asked_at: datetime
    ends_at: datetime
    reason: str


class AskedErasures(Protocol):
    """All requests that nobody has confirmed or withdrawn."""

    def ask(self, asked: AskedErasure) -> bool:
        """Keep a request, unless there is one for the customer that has not ended. Return whether it was kept."""
        ...

    def pending(self) -> Sequence[AskedErasure]:
        """Return all requests, oldest first, strongly consistent. Whoever asks looks at when they end."""
        ...

    def find_asked(self, customer_id: str) -> AskedErasure | None:
        """Return the request for a customer, strongly consistent."""
        ...

    def take_away(self, asked: AskedErasure) -> None:
        """Delete a request. If it was replaced by a newer one, that stays."""
        ...
