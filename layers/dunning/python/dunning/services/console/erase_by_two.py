"""
Erasure by two people: a manager asks, and compliance confirms within a week. Then the lender's own event erases.

A request holds ids and codes alone: it outlives nothing that is erased.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dunning.domain.customer.lender_record import project_facts
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.asked_erasures import AskedErasure, AskedErasures
from dunning.ports.clock import Clock
from dunning.ports.customers import CustomerStore
from dunning.ports.lender_bus import LenderBus
from dunning.ports.sessions import Viewer
from dunning.services.console.audited import AuditService, DeedAct
from dunning.services.console.outcomes import ERASURE_REASONS, ActRefusedError, put_on_bus
from dunning.services.console.shown import CodeShown, SentenceShown

CONFIRMED_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRow:
    """A request. `version` names it in a form, so that what is confirmed is what was read."""

    customer_id: str
    reason: CodeShown
    asked_by: str
    asked_at: datetime
    ends_at: datetime
    is_own: bool
    version: str


class ErasureService:
    """Asks, confirms, and withdraws."""

    def __init__(
        self,
        *,
        requests: AskedErasures,
        customers: CustomerStore,
        bus: LenderBus,
        audit: AuditService,
        clock: Clock,
        is_id: Callable[[str], bool],
    ) -> None:
        self._requests = requests
        self._customers = customers
        self._bus = bus
        self._audit = audit
        self._clock = clock
        self._is_id = is_id

    def rows(self, viewer: Viewer) -> tuple[AskedRow, ...]:
        """Return the requests that have not ended, oldest first."""
        now = self._clock.now()
        return tuple(_asked_row(asked, viewer) for asked in self._requests.pending() if asked.ends_at > now)

    def ask(self, viewer: Viewer, customer_id: str, reason: str) -> None:
        """
        Ask for an erasure.

        Raises:
            ActRefusedError: there is no such customer or reason, or somebody has asked already.
        """
        if reason not in ERASURE_REASONS:
            raise ActRefusedError(SentenceShown("refused.no_reason"))
        stored = self._customers.load_stored([customer_id])[customer_id] if self._is_id(customer_id) else None
        # What cannot be read can be erased. Who is erased already is nobody.
        if stored is None or (
            not isinstance(stored, UnreadableRecordError) and project_facts(stored.lender_record) is None
        ):
            raise ActRefusedError(SentenceShown("refused.nobody"))
        now = self._clock.now()
        asked = AskedErasure(
            customer_id=customer_id, asked_by=viewer, asked_at=now, ends_at=now + CONFIRMED_WITHIN, reason=reason
        )
        with self._audit.doing(viewer, DeedAct.ASKED_ERASURE, customer_id, reason):
            if not self._requests.ask(asked):
                raise ActRefusedError(SentenceShown("refused.asked_already"))

    def confirm(self, viewer: Viewer, customer_id: str, version: str, *, is_sure: bool) -> None:
        """
        Have a customer erased whom somebody else has asked to erase. It cannot be undone.

        Raises:
            ActRefusedError: there is no such request any more, it is their own, they have not said that they are sure,
                or the event did not go out.
        """
        asked = self._asked(customer_id, version)
        if asked.asked_by.subject == viewer.subject:
            raise ActRefusedError(SentenceShown("refused.second_person"))
        if not is_sure:
            raise ActRefusedError(SentenceShown("refused.not_sure"))
        # The models of events are imported when somebody acts: a cold start for a page is spared.
        from dunning.contracts.console_event import write_console_event  # noqa: PLC0415
        from dunning.contracts.lender_event import ErasureRequest  # noqa: PLC0415

        event = write_console_event(customer_id, ErasureRequest(self._clock.now(), viewer.subject))
        with self._audit.doing(viewer, DeedAct.CONFIRMED_ERASURE, customer_id, asked.reason):
            put_on_bus(self._bus, [event])
        self._requests.take_away(asked)

    def withdraw(self, viewer: Viewer, customer_id: str, version: str) -> None:
        """
        Take a request back, or refuse it.

        Raises:
            ActRefusedError: there is no such request any more.
        """
        asked = self._asked(customer_id, version)
        with self._audit.doing(viewer, DeedAct.WITHDREW_ERASURE, customer_id, asked.reason):
            self._requests.take_away(asked)

    def _asked(self, customer_id: str, version: str) -> AskedErasure:
        asked = self._requests.find_asked(customer_id)
        if asked is None or asked.ends_at <= self._clock.now() or _version(asked) != version:
            raise ActRefusedError(SentenceShown("refused.no_request"))
        return asked


def _asked_row(asked: AskedErasure, viewer: Viewer) -> AskedRow:
    return AskedRow(
        customer_id=asked.customer_id,
        reason=CodeShown("erasure_reason", asked.reason),
        asked_by=asked.asked_by.subject,
        asked_at=asked.asked_at,
        ends_at=asked.ends_at,
        is_own=asked.asked_by.subject == viewer.subject,
        version=_version(asked),
    )


def _version(asked: AskedErasure) -> str:
    return asked.asked_at.isoformat()
