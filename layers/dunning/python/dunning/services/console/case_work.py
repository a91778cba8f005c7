"""
Case work: what a person does about a customer who waits for one.

    take ──> held by one person ──> note, label a reply ──> close with an outcome ──> events on the lender's bus
      ^             │ give back                                   │ the bus does not take them: the case stays open
      └─────────────┘

An outcome goes out as the lender's own events, so that it takes effect by the one way that everything takes. Each act
is in the audit trail before it is done.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dunning.domain.customer.facts import Facts, HoldReason
from dunning.domain.customer.lender_record import (
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    EventTime,
    LenderEvent,
    RecordedEvent,
    project_facts,
)
from dunning.domain.customer.standing import ReplyLabel, Standing, holds_now
from dunning.domain.decision.open_reviews import reviews_that_wait
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.intents import ReplyIntent
from dunning.evidence.customer_evidence import Evidence
from dunning.ports.case_book import Case, CaseBook, CaseNote
from dunning.ports.clock import Clock
from dunning.ports.customers import CustomerStore, StoredCustomer
from dunning.ports.lender_bus import LenderBus, WrittenEvent
from dunning.ports.sessions import Role, Viewer
from dunning.services.console.audited import AuditService, DeedAct
from dunning.services.console.outcomes import (
    DATED,
    FARTHEST,
    HOLD_REASONS,
    LONGEST_NOTE,
    ActRefusedError,
    Outcome,
    OutcomeForm,
    put_on_bus,
)
from dunning.services.console.shown import CodeShown, SentenceShown
from dunning.services.optimistic import CONFLICT, Conflict, ContestedError, write_optimistically

_SENT_TWICE = timedelta(minutes=1)


_HOLD_OF = {
    Outcome.WRONG_PERSON: HoldReason.WRONG_PERSON,
    Outcome.DECEASED: HoldReason.DECEASED,
    Outcome.REPRESENTED: HoldReason.REPRESENTED,
    Outcome.HARDSHIP: HoldReason.HARDSHIP,
    Outcome.DISPUTE: HoldReason.DISPUTE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """A note, as colleagues read it."""

    at: datetime
    author: str
    role: CodeShown
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToRead:
    """A reply about which something waits: its id, and why."""

    reply_id: str
    why: CodeShown
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActsView:
    """What somebody may do about a customer, and what colleagues did."""

    customer_id: str
    is_known: bool
    """Whether there is a customer to act on, whose data can be read and is not erased."""
    holder: str
    is_mine: bool
    taken_at: datetime | None
    closed: CodeShown | None
    closed_by: str
    closed_at: datetime | None
    waits: tuple[CodeShown, ...]
    since: datetime | None
    replies: tuple[ReplyToRead, ...]
    holds: tuple[CodeShown, ...]
    """The holds that run, each reason once."""
    may_release: bool
    may_give_back: bool
    notes: tuple[NoteView, ...]


class _Labelling(NamedTuple):
    """A label, and the reply that it is for."""

    reply_id: str
    label: ReplyLabel


class _ActedOn(NamedTuple):
    """A customer on whom somebody acts."""

    standing: Standing
    reply_ids: frozenset[str]
    """The replies about which something waits."""
    holds: tuple[HoldReason, ...]
    local_day: date


class CaseService:
    """
    Takes, notes, labels and closes; holds and releases.

    Args:
        cases: the cases and notes.
        customers: all customers.
        bus: the lender's bus.
        audit: the audit trail.
        clock: the time.
        new_id: returns a random id.
        day_of: returns the local day of a moment, by lender.
    """

    def __init__(
        self,
        *,
        cases: CaseBook,
        customers: CustomerStore,
        bus: LenderBus,
        audit: AuditService,
        clock: Clock,
        new_id: Callable[[], str],
        day_of: Callable[[str, datetime], date],
    ) -> None:
        self._cases = cases
        self._customers = customers
        self._bus = bus
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._day_of = day_of

    def acts(self, viewer: Viewer, evidence: Evidence) -> ActsView:
        """
        Return what somebody may do about a customer, as the page that shows it has read the customer.

        The look at the customer is written down by whoever asks.
        """
        customer_id = evidence.customer_id
        case, notes = self._cases.case_with_notes(customer_id)
        facts = evidence.facts if evidence.is_readable else None
        found = self._acted_on(facts, evidence.standing or Standing(customer_id=customer_id)) if facts else None
        waiting = reviews_that_wait(found.standing) if found else ()
        is_mine = case.is_held_by(viewer)
        return ActsView(
            customer_id=customer_id,
            is_known=found is not None,
            holder=case.holder.subject if case.holder else "",
            is_mine=is_mine,
            taken_at=case.taken_at,
            closed=CodeShown("outcome", case.outcome) if case.outcome else None,
            closed_by=case.closed_by,
            closed_at=case.closed_at,
            waits=tuple(dict.fromkeys(CodeShown("review", review.why) for review in waiting)),
            since=min((review.since for review in waiting), default=None),
            replies=tuple(
                ReplyToRead(reply_id=review.reply_id, why=CodeShown("review", review.why), since=review.since)
                for review in {review.reply_id: review for review in waiting if review.reply_id}.values()
            ),
            holds=tuple(CodeShown("hold", reason.value) for reason in found.holds) if found else (),
            may_release=viewer.role is not Role.AGENT or is_mine,
            may_give_back=is_mine or (case.holder is not None and viewer.role is Role.MANAGER),
            notes=tuple(
                NoteView(
                    at=note.at,
                    author=note.author.subject,
                    role=CodeShown("role", note.author.role.value),
                    text=note.text,
                )
                for note in notes
            ),
        )

    # ------------------------------------------------------------ the case

    def take(self, viewer: Viewer, customer_id: str) -> None:
        """
        Give a case to whoever takes it.

        Raises:
            ActRefusedError: a colleague has it, who is named.
        """
        case = self._case(customer_id)
        if case.is_held_by(viewer):
            return
        _check_free(case, viewer)
        self._find(customer_id)
        now = self._clock.now()
        taken = replace(case, version=case.version + 1, holder=viewer, taken_at=now, touched_at=now)
        with self._audit.doing(viewer, DeedAct.TOOK, customer_id):
            if not self._cases.save_case(taken, expected_version=case.version):
                _check_free(self._case(customer_id), viewer)
                raise ContestedError(f"the case of {customer_id} kept changing")

    def give_back(self, viewer: Viewer, customer_id: str) -> None:
        """
        Put a case back into the list. A manager does that with a colleague's case, too: people fall ill.

        Raises:
            ActRefusedError: it is not theirs.
        """
        _check_may_give_back(self._case(customer_id), viewer)
        with self._audit.doing(viewer, DeedAct.GAVE_BACK, customer_id):
            self._change(customer_id, lambda case, now: _without_holder(_check_may_give_back(case, viewer), now))

    def note(self, viewer: Viewer, customer_id: str, text: str) -> None:
        """
        Write a note for colleagues.

        Raises:
            ActRefusedError: there is nothing in it, it is too long, or there is no customer to write about.
        """
        text = text.strip()
        if not text or len(text) > LONGEST_NOTE:
            raise ActRefusedError(SentenceShown("refused.note", {"most": LONGEST_NOTE}))
        self._find(customer_id)
        with self._audit.doing(viewer, DeedAct.NOTED, customer_id):
            self._cases.add_note(customer_id, CaseNote(self._clock.now(), self._new_id(), viewer, text))
        self._change(customer_id, _touched)

    def close(self, viewer: Viewer, customer_id: str, form: OutcomeForm) -> None:
        """
        Close a case with an outcome. The outcome goes out first: if it does not, the case stays open.

        A form that a browser sends twice closes once.

        Raises:
            ActRefusedError: the case is not theirs, or the form is not as it should be.
            ServiceCallError: the outcome is not out, or not written down.
        """
        case, now = self._case(customer_id), self._clock.now()
        if _is_closed_so(case, viewer, form, now):
            return
        _check_own(case, viewer)
        found = self._find(customer_id)
        outcome = _checked_outcome(form, found.local_day)
        events = [*_effect(form, outcome, found, now), CustomerAttended(outcome.value)]
        written = _written_events(viewer, customer_id, now, events)
        with self._audit.doing(
            viewer, DeedAct.CLOSED, customer_id, _dated(outcome.value, _day_of_outcome(form, outcome))
        ):
            put_on_bus(self._bus, written)
        # Out of what is audited: from here on the outcome counts, whatever becomes of the case.
        self._change(
            customer_id,
            lambda case, at: replace(
                _without_holder(case, at), closed_at=now, closed_by=viewer.subject, outcome=outcome.value
            ),
        )

    # ------------------------------------------------------------ acts on the customer

    def label(
        self, viewer: Viewer, customer_id: str, reply_id: str, intents: Sequence[str], promised_on: date | None
    ) -> None:
        """
        Say what a reply means that waits for a person. The label is kept with the reply.

        Raises:
            ActRefusedError: nothing waits about the reply, a colleague has the case, or there is no such meaning.
        """
        _check_free(self._case(customer_id), viewer)
        found = self._find(customer_id)
        if reply_id not in found.reply_ids:
            raise ActRefusedError(SentenceShown("refused.no_reply"))
        if not intents or not set(intents) <= set(ReplyIntent):
            raise ActRefusedError(SentenceShown("refused.no_meaning"))
        if promised_on is not None:
            _check_day(promised_on, found.local_day)
        now = self._clock.now()
        label = ReplyLabel(
            at=now,
            intents=tuple(intents),
            promised_on=promised_on if ReplyIntent.PROMISE in intents else None,
        )
        written = _written_events(viewer, customer_id, now, [_Labelling(reply_id, label)])
        with self._audit.doing(viewer, DeedAct.LABELLED, customer_id, _dated(",".join(intents), label.promised_on)):
            put_on_bus(self._bus, written)
        self._change(customer_id, _touched)

    def hold(self, viewer: Viewer, customer_id: str, reason: str, until: date | None) -> None:
        """
        Ask for silence, up to and including a day, or until a person releases the customer.

        Raises:
            ActRefusedError: a person cannot give that reason, or the day has passed or is too far off.
        """
        found = self._find(customer_id)
        if reason not in HOLD_REASONS:
            raise ActRefusedError(SentenceShown("refused.no_reason"))
        if until is not None:
            _check_day(until, found.local_day)
        event = CustomerHold(HoldReason(reason), until)
        written = _written_events(viewer, customer_id, self._clock.now(), [event])
        with self._audit.doing(viewer, DeedAct.HELD, customer_id, _dated(reason, until)):
            put_on_bus(self._bus, written)

    def release(self, viewer: Viewer, customer_id: str, reason: str) -> None:
        """
        End the holds of a reason, or all of them if it is empty. An agent does that to whose case the agent has.

        Raises:
            ActRefusedError: no hold of the reason runs, or the case is not the agent's.
        """
        if viewer.role is Role.AGENT:
            _check_own(self._case(customer_id), viewer)
        found = self._find(customer_id)
        if reason and reason not in found.holds:
            raise ActRefusedError(SentenceShown("refused.no_hold"))
        event = CustomerReleased(HoldReason(reason) if reason else None)
        written = _written_events(viewer, customer_id, self._clock.now(), [event])
        with self._audit.doing(viewer, DeedAct.RELEASED, customer_id, reason):
            put_on_bus(self._bus, written)

    # ------------------------------------------------------------ inside

    def _case(self, customer_id: str) -> Case:
        return self._cases.cases([customer_id]).get(customer_id, Case(customer_id=customer_id))

    def _find(self, customer_id: str) -> _ActedOn:
        """Return the customer, if there is somebody to act on."""
        stored = self._customers.load_stored([customer_id])[customer_id]
        if isinstance(stored, UnreadableRecordError):
            raise ActRefusedError(SentenceShown("refused.unreadable"))
        facts = project_facts(stored.lender_record) if isinstance(stored, StoredCustomer) else None
        if facts is None:
            raise ActRefusedError(SentenceShown("refused.nobody"))
        return self._acted_on(facts, stored.standing or Standing(customer_id=customer_id))

    def _acted_on(self, facts: Facts, standing: Standing) -> _ActedOn:
        holds = tuple(dict.fromkeys(hold.reason for hold in holds_now(facts, standing)))
        replies = frozenset(review.reply_id for review in reviews_that_wait(standing) if review.reply_id)
        return _ActedOn(standing, replies, holds, self._day_of(facts.lender, self._clock.now()))

    def _change(self, customer_id: str, change: Callable[[Case, datetime], Case]) -> None:
        """Change a case under its version, again if a colleague was first."""

        def attempt(case: Case) -> bool | Conflict:
            after = replace(change(case, self._clock.now()), version=case.version + 1)
            return self._cases.save_case(after, expected_version=case.version) or CONFLICT

        write_optimistically(customer_id, self._case(customer_id), lambda: self._case(customer_id), attempt)


def _written_events(
    viewer: Viewer, customer_id: str, now: datetime, events: Iterable[LenderEvent | _Labelling]
) -> list[WrittenEvent]:
    # The models of events are imported when somebody acts: a cold start for a page is spared.
    from dunning.contracts.console_event import write_console_event  # noqa: PLC0415
    from dunning.contracts.lender_event import GivenLabel  # noqa: PLC0415

    by = viewer.subject
    try:
        return [
            write_console_event(
                customer_id,
                GivenLabel(event.reply_id, event.label, by)
                if isinstance(event, _Labelling)
                else RecordedEvent(EventTime(now), event, by),
            )
            for event in events
        ]
    except ValueError:
        raise ActRefusedError(SentenceShown("refused.no_event")) from None


def is_being_closed(case: Case, since: datetime, now: datetime) -> bool:
    """Tell whether a case was closed just now: what waited until then is about to leave the list."""
    closed_at = case.closed_at
    return closed_at is not None and since <= closed_at and now - closed_at <= timedelta(minutes=10)


def _is_closed_so(case: Case, viewer: Viewer, form: OutcomeForm, now: datetime) -> bool:
    """Tell whether somebody has closed a case with an outcome just now."""
    is_recent = case.closed_at is not None and now - case.closed_at <= _SENT_TWICE
    return is_recent and case.holder is None and (case.closed_by, case.outcome) == (viewer.subject, form.outcome)


def _check_free(case: Case, viewer: Viewer) -> None:
    if case.holder is not None and not case.is_held_by(viewer):
        values: Mapping[str, object] = {"who": case.holder.subject, "at": case.taken_at or case.touched_at or ""}
        raise ActRefusedError(SentenceShown("refused.taken", values))


def _check_own(case: Case, viewer: Viewer) -> Case:
    _check_free(case, viewer)
    if case.holder is None:
        raise ActRefusedError(SentenceShown("refused.not_taken"))
    return case


def _check_may_give_back(case: Case, viewer: Viewer) -> Case:
    return case if case.holder is not None and viewer.role is Role.MANAGER else _check_own(case, viewer)


def _check_day(day: date, today: date) -> None:
    if not today <= day <= today + FARTHEST:
        raise ActRefusedError(SentenceShown("refused.day", {"first": today, "last": today + FARTHEST}))


def _without_holder(case: Case, now: datetime) -> Case:
    return replace(case, holder=None, taken_at=None, touched_at=now)


def _touched(case: Case, now: datetime) -> Case:
    return replace(case, touched_at=now)


def _dated(code: str, day: date | None) -> str:
    return f"{code}#{day.isoformat()}" if day else code


def _day_of_outcome(form: OutcomeForm, outcome: Outcome) -> date | None:
    takes_day = outcome in DATED or outcome in {Outcome.HARDSHIP, Outcome.DISPUTE}
    return form.until if takes_day else None


def _checked_outcome(form: OutcomeForm, today: date) -> Outcome:
    """Return the outcome of a form that is as it should be."""
    if form.outcome not in Outcome:
        raise ActRefusedError(SentenceShown("refused.no_outcome"))
    outcome = Outcome(form.outcome)
    day = _day_of_outcome(form, outcome)
    if outcome in DATED and day is None:
        raise ActRefusedError(SentenceShown("refused.no_day"))
    if day is not None:
        _check_day(day, today)
    return outcome


def _effect(form: OutcomeForm, outcome: Outcome, found: _ActedOn, now: datetime) -> Iterator[LenderEvent | _Labelling]:
    """
    Yield the events of an outcome, but for the one that closes the case.

    What a customer wrote counts as the customer's own word: a promise or an opt-out in a reply is a label of it. The
    policy may not believe a promise up to its day, and an earlier promise may count: so it gets a hold as well.
    """
    reply_id = form.reply_id if form.reply_id in found.reply_ids else ""
    day = _day_of_outcome(form, outcome)

    def labelled(intent: ReplyIntent, promised_on: date | None = None) -> _Labelling:
        return _Labelling(reply_id, ReplyLabel(at=now, intents=(intent.value,), promised_on=promised_on))

    match outcome:
        case Outcome.RELEASED:
            yield CustomerReleased()
        case Outcome.HOLD_UNTIL:
            reason = HoldReason(form.reason) if form.reason in HOLD_REASONS else HoldReason.OTHER
            yield CustomerHold(reason, day)
        case Outcome.PROMISE_UNTIL:
            if reply_id:
                yield labelled(ReplyIntent.PROMISE, day)
            yield CustomerHold(HoldReason.PROMISE, day)
        case Outcome.OPTED_OUT if reply_id:
            yield labelled(ReplyIntent.OPT_OUT)
        case Outcome.OPTED_OUT:
            yield CustomerHold(HoldReason.CEASED)
        case Outcome.ATTENDED:
            return
        case _:
            yield CustomerHold(_HOLD_OF[outcome], day)
