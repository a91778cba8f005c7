"""
Erase: what we hold of a customer goes, and of the audit records what says who it was and what they were told.

What stays is the skeleton: that a text of some template was claimed at some moment for an id, and what became of it.
Facts go first: from then on no text can be decided on. A text that is being published at that very moment still
writes its record, so that erasing again a little later leaves nothing. Both can be repeated at will.
"""

from dataclasses import dataclass

from dunning.ports import Clock, ContactErasure, CustomerErasure, Journal


@dataclass(frozen=True, slots=True)
class Erased:
    """How many items of a customer, and how many records that still told who it was."""

    items: int
    records: int

    @property
    def nothing(self) -> bool:
        """Whether there was nothing left to erase."""
        return not self.items and not self.records


class EraseService:
    """Erases customers, one at a time. It knows no policy: who asks for it, and when, is the caller's business."""

    def __init__(self, *, customers: CustomerErasure, contacts: ContactErasure, clock: Clock, journal: Journal) -> None:
        self._customers = customers
        self._contacts = contacts
        self._clock = clock
        self._journal = journal

    def look(self, customer_id: str) -> Erased:
        """Tell what there is to erase, and change nothing."""
        return Erased(self._customers.stored_items(customer_id), self._contacts.telling_records(customer_id))

    def erase(self, customer_id: str) -> Erased:
        """
        Erase a customer and tell what there was.

        Raises:
            OutsideError: a call failed. What is done stays done: erase again.
        """
        items = self._customers.erase_items(customer_id)
        records = self._contacts.redact(customer_id, self._clock.now())
        if items or records:
            self._journal.event("customer_erased", customer_id=customer_id, items=items, records=records)
            self._journal.count("CustomersErased")
        return Erased(items, records)
