"""The audit trail of the console: who looked at what, or did what. It is written before anything is shown or done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from dunning.ports.sessions import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """
    One look or act. `entry_id` is random; `act` is a code, and `subject_matter` says of which field or list.

    No entry holds what was looked at.
    """

    at: datetime
    entry_id: str
    viewer: Viewer
    act: str
    customer_id: str = ""
    subject_matter: str = ""
    purpose: str = ""


class AuditPage(NamedTuple):
    """Some entries, newest first; `next_page` is empty at the end."""

    entries: tuple[AuditEntry, ...]
    next_page: str


class AuditTrail(Protocol):
    """All entries, for five years."""

    def write(self, entry: AuditEntry) -> None:
        """
        Write a new entry. An entry is never replaced.

        Raises:
            ServiceCallError: it is not written, so nothing may be shown or done.
        """
        ...

    def of_day(self, day: date, limit: int, page: str = "", subject: str = "") -> AuditPage:
        """Return entries of a day (UTC), of everybody or of a person, newest first, strongly consistent."""
        ...

    def between(self, first: datetime, last: datetime) -> Iterator[AuditEntry]:
        """Yield all entries from a moment to before another, of one day (UTC), oldest first."""
        ...

    def page_of_customer(self, customer_id: str, limit: int, page: str = "") -> AuditPage:
        """Return entries about a customer, newest first, strongly consistent."""
        ...

    def of_customer(
        self, customer_id: str, limit: int | None = None, before: datetime | None = None
    ) -> Sequence[AuditEntry]:
        """Return entries about a customer, from before a moment if one is given, newest first; all without a limit."""
        ...

    def count(self, subject: str, act: str, since: datetime, now: datetime) -> int:
        """Count a person's acts of a kind from a moment up to now, both within two days, strongly consistent."""
        ...
