"""Cases: who of the lender's people has taken a customer who waits for a person, and what they noted for colleagues."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.ports.sessions import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    What the lender's people have done about a customer. No personal data of the customer.

    `version` is raised by one with every change; 0 means that nobody has done anything. `holder` has the case, since
    `taken_at`. `touched_at` is the time of the last act of any kind. `outcome` is a code, and says with `closed_at` and
    `closed_by` how the case was closed the last time.
    """

    customer_id: str
    version: int = 0
    holder: Viewer | None = None
    taken_at: datetime | None = None
    touched_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    outcome: str = ""

    def is_held_by(self, viewer: Viewer) -> bool:
        """Tell whether somebody has the case."""
        return self.holder is not None and self.holder.subject == viewer.subject


class CaseNote(NamedTuple):
    """A note for colleagues. The text is personal data. `note_id` is random."""

    at: datetime
    note_id: str
    author: Viewer
    text: str


class CaseBook(Protocol):
    """All cases, and the notes."""

    def cases(self, customer_ids: Collection[str]) -> Mapping[str, Case]:
        """Return the cases of customers, strongly consistent; whoever has none is not in the answer."""
        ...

    def case_with_notes(self, customer_id: str) -> tuple[Case, Sequence[CaseNote]]:
        """Return a customer's case and the notes, newest first, strongly consistent."""
        ...

    def save_case(self, case: Case, *, expected_version: int) -> bool:
        """
        Write a case if the stored one still has the version that was read (0: there is none).

        Returns False if another writer was first: of two people who take a case at once one gets it. A case that is
        stored as it is to be written counts as written.
        """
        ...

    def add_note(self, customer_id: str, note: CaseNote) -> None:
        """
        Write a new note. It is deleted after a year, or with the customer's erasure.

        Raises:
            ServiceCallError: it is not written.
        """
        ...


class CaseErasure(Protocol):
    """What an erasure deletes of cases."""

    def stored_notes(self, customer_id: str) -> int:
        """Return the number of notes about a customer."""
        ...

    def erase_case(self, customer_id: str, *, until: datetime | None = None) -> int:
        """
        Delete the notes about a customer, and return their number. The case itself goes, too.

        `until`: limits the deletion to notes written by then; the case stays.
        """
        ...
