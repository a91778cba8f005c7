"""Cases, requests to erase, the lender's bus and the switch in memory, each of which can be broken."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from dunning.domain.errors import ServiceCallError
from dunning.ports.asked_erasures import AskedErasure
from dunning.ports.case_book import Case, CaseNote
from dunning.ports.lender_bus import WrittenEvent
from dunning.ports.sending_control import SwitchTurned


class FakeCases:
    """Cases, notes, requests and the last turn of the switch."""

    def __init__(self) -> None:
        self.stored: dict[str, Case] = {}
        self.notes: dict[str, list[CaseNote]] = {}
        self.asked: dict[str, AskedErasure] = {}
        self.turned: SwitchTurned | None = None
        self.broken = False

    def cases(self, customer_ids: Collection[str]) -> Mapping[str, Case]:
        self._check("BatchGetItem")
        return {customer_id: self.stored[customer_id] for customer_id in customer_ids if customer_id in self.stored}

    def case_with_notes(self, customer_id: str) -> tuple[Case, Sequence[CaseNote]]:
        self._check("Query")
        notes = sorted(self.notes.get(customer_id, []), key=lambda note: (note.at, note.note_id), reverse=True)
        return self.stored.get(customer_id, Case(customer_id=customer_id)), notes

    def save_case(self, case: Case, *, expected_version: int) -> bool:
        self._check("PutItem")
        known = self.stored.get(case.customer_id)
        if (known.version if known else 0) != expected_version:
            return known == case
        self.stored[case.customer_id] = case
        return True

    def add_note(self, customer_id: str, note: CaseNote) -> None:
        self._check("PutItem")
        notes = self.notes.setdefault(customer_id, [])
        if note in notes:
            return
        if any(known[:2] == note[:2] for known in notes):
            raise ServiceCallError("PutItem", "NoteExists")
        notes.append(note)

    def stored_notes(self, customer_id: str) -> int:
        return len(self.notes.get(customer_id, []))

    def erase_case(self, customer_id: str, *, until: datetime | None = None) -> int:
        notes = self.notes.get(customer_id, [])
        kept = [note for note in notes if until is not None and note.at > until]
        self.notes[customer_id] = kept
        if until is None:
            self.stored.pop(customer_id, None)
        return len(notes) - len(kept)

    def ask(self, asked: AskedErasure) -> bool:
        self._check("PutItem")
        known = self.asked.get(asked.customer_id)
        if known is not None and known.ends_at > asked.asked_at:
            return False
        self.asked[asked.customer_id] = asked
        return True

    def pending(self) -> Sequence[AskedErasure]:
        self._check("Query")
        return sorted(self.asked.values(), key=lambda asked: (asked.asked_at, asked.customer_id))

    def find_asked(self, customer_id: str) -> AskedErasure | None:
        self._check("GetItem")
        return self.asked.get(customer_id)

    def take_away(self, asked: AskedErasure) -> None:
        self._check("DeleteItem")
        known = self.asked.get(asked.customer_id)
        if known is not None and known.asked_at == asked.asked_at:
            del self.asked[asked.customer_id]

    def keep_turn(self, turned: SwitchTurned) -> None:
        self._check("PutItem")
        self.turned = turned

    def last_turn(self) -> SwitchTurned | None:
        self._check("GetItem")
        return self.turned

    def _check(self, operation: str) -> None:
        if self.broken:
            raise ServiceCallError(operation, "Throttled")


class FakeLenderBus:
    """A bus that keeps what is put on it; it takes `takes` more events, and then none."""

    def __init__(self) -> None:
        self.events: list[WrittenEvent] = []
        self.takes = 1_000_000

    def put(self, events: Sequence[WrittenEvent]) -> None:
        for event in events:
            if self.takes <= 0:
                raise ServiceCallError("PutEvents", "InternalFailure")
            self.takes -= 1
            self.events.append(event)
