"""
The lender record: everything a lender has said of a customer, by file and by event, and what it comes to.

A file is a snapshot of the whole customer as of a moment; an event reports one change. Events come late, twice and out
of order, so each carries the lender's own time, and of two events about the same subject the newer counts, whichever
came first. A snapshot replaces older snapshots, and older events. The facts that decisions are made
from are worked out from both, so that they depend on what was said, never on the order in which it arrived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dunning.domain.customer.facts import EVERY_HOLD, Account, Facts, Hold, HoldReason, Instalment

FILE_LAG = timedelta(days=1)
"""
A file that does not say as of when it speaks is believed about payments only up to a day before it came: it may have
been written last night, and must not take back what was paid this morning.
"""


PAYMENTS_REMEMBERED = 12
"""So many of what was said of the payment of one instalment are kept, the newest, until a snapshot knows them."""


class EventTime(NamedTuple):
    """When the lender said something; `sequence` orders what was said at the same moment."""

    at: datetime
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class InstalmentPaid:
    """So much of an instalment is paid by now, in minor units: an absolute amount, lower after a reversal."""

    account_id: str
    number: int
    paid: int
    currency: str

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"paid:{self.account_id}#{self.number}"


@dataclass(frozen=True, slots=True)
class InstalmentChanged:
    """An instalment is now due then, and comes to so much; or there is a new one."""

    account_id: str
    number: int
    due_on: date
    amount: int
    currency: str
    late_fee: int = 0
    written_notice_on: date | None = None

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"changed:{self.account_id}#{self.number}"


@dataclass(frozen=True, slots=True)
class AccountClosed:
    """Nothing of this account is to be paid any more."""

    account_id: str

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"closed:{self.account_id}"


@dataclass(frozen=True, slots=True)
class CustomerHold:
    """The lender wants silence, up to and including a local day, or until it is lifted."""

    reason: HoldReason
    until: date | None = None

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"held:{self.reason}"


@dataclass(frozen=True, slots=True)
class CustomerReleased:
    """A person has looked at it: holds of this reason, or all, whoever placed them, end here."""

    reason: HoldReason | None = None

    @property
    def subject(self) -> str:
        """What it is about."""
        return f"released:{self.reason or EVERY_HOLD}"


type LenderEvent = InstalmentPaid | InstalmentChanged | AccountClosed | CustomerHold | CustomerReleased


class RecordedEvent(NamedTuple):
    """An event and when it was said."""

    time: EventTime
    event: LenderEvent


@dataclass(frozen=True, slots=True)
class LenderRecord:
    """
    What a lender has said of one customer. `revision` is bumped with every change.

    `events` holds what a snapshot may yet not know of, by `event_key`: the newest of each subject, and of payments and
    closed accounts all, for it matters since when. `phones` are all numbers the customer had or is about to have:
    whoever is found by a number knows of it here, so that an erasure does. `erased_at` is when the customer was erased
    at the lender's word: what was said up to then is gone and stays gone, and a later snapshot counts only with a
    consent given since. Until `phones_until` something that names the numbers may be under way.
    """

    customer_id: str
    revision: int = 0
    snapshot: Facts | None = None
    events: Mapping[str, RecordedEvent] = field(default_factory=dict)
    phones: tuple[str, ...] = ()
    erased_at: datetime | None = None
    phones_until: datetime | None = None


def record_event(lender_record: LenderRecord, recorded: RecordedEvent) -> LenderRecord:
    """Return the lender record with an event; the same one if it knows better already, or the customer is erased."""
    if lender_record.erased_at is not None and (
        lender_record.snapshot is None or recorded.time.at <= lender_record.erased_at
    ):
        return lender_record
    if lender_record.snapshot is not None and _is_past(recorded, lender_record.snapshot):
        return lender_record
    known = lender_record.events.get(event_key(recorded))
    if known is not None and _order(known) >= _order(recorded):
        return lender_record
    events = {**lender_record.events, event_key(recorded): recorded}
    alike = sorted((entry for entry in events.values() if entry.event.subject == recorded.event.subject), key=_order)
    for entry in alike[:-PAYMENTS_REMEMBERED]:
        del events[event_key(entry)]
    return (
        lender_record
        if events == lender_record.events
        else replace(lender_record, revision=lender_record.revision + 1, events=events)
    )


def event_key(recorded: RecordedEvent) -> str:
    """Return what an event is kept by: of two with one key the newer counts."""
    subject, time = recorded.event.subject, recorded.time
    if isinstance(recorded.event, InstalmentPaid | AccountClosed):
        return f"{subject}@{time.at.isoformat()}#{time.sequence}"
    return subject


def record_snapshot(lender_record: LenderRecord, facts: Facts) -> LenderRecord:
    """
    Return the record with a snapshot of the whole customer; the same record if it holds a newer snapshot.

    Raises:
        ValueError: the snapshot does not say as of when it speaks, or the customer is erased (`is_barred_by_erasure`).
    """
    if facts.as_of is None:
        raise ValueError("a snapshot without as_of cannot be ordered")
    if is_barred_by_erasure(lender_record, facts):
        raise ValueError("the customer is erased")
    known = lender_record.snapshot
    if known is not None and known.as_of is not None and known.as_of > facts.as_of:
        return lender_record
    events = {subject: recorded for subject, recorded in lender_record.events.items() if not _is_past(recorded, facts)}
    phones = lender_record.phones if facts.phone in lender_record.phones else (*lender_record.phones, facts.phone)
    return replace(lender_record, revision=lender_record.revision + 1, snapshot=facts, events=events, phones=phones)


def with_phone(lender_record: LenderRecord, phone: str) -> LenderRecord:
    """Return the record with a number the customer is about to have; the same record if the number is known."""
    if phone in lender_record.phones:
        return lender_record
    return replace(lender_record, revision=lender_record.revision + 1, phones=(*lender_record.phones, phone))


def erase_record(lender_record: LenderRecord, at: datetime, phones_until: datetime | None = None) -> LenderRecord:
    """
    Return the lender record after the lender had the customer erased; the same one if that is done already.

    An id, a moment and the numbers are left; the numbers until nothing that names them is under way, not before
    `phones_until` (`forget_former_phones`). A customer who consented anew since keeps what is newer than the erasure.
    """
    erased_at = max(at, lender_record.erased_at or at)
    snapshot = lender_record.snapshot
    if snapshot is not None and _is_from_before(snapshot, erased_at):
        snapshot = None
    events = (
        {}
        if snapshot is None
        else {key: recorded for key, recorded in lender_record.events.items() if recorded.time.at > erased_at}
    )
    after = replace(lender_record, snapshot=snapshot, events=events, erased_at=erased_at)
    if after == lender_record:
        return lender_record
    is_left = bool(former_phones(after))
    return replace(after, revision=lender_record.revision + 1, phones_until=phones_until if is_left else None)


def former_phones(lender_record: LenderRecord) -> tuple[str, ...]:
    """Return the numbers that the customer had, and no longer has."""
    return tuple(
        phone
        for phone in lender_record.phones
        if lender_record.snapshot is None or phone != lender_record.snapshot.phone
    )


def forget_former_phones(lender_record: LenderRecord) -> LenderRecord:
    """Return the lender record without the numbers the customer no longer has; the same one if there are none."""
    phones = (lender_record.snapshot.phone,) if lender_record.snapshot else ()
    after = replace(lender_record, phones=phones, phones_until=None)
    return lender_record if after == lender_record else replace(after, revision=lender_record.revision + 1)


def is_barred_by_erasure(lender_record: LenderRecord, facts: Facts) -> bool:
    """Tell whether a snapshot must not bring a customer back: erased, and no consent has been given since."""
    return lender_record.erased_at is not None and _is_from_before(facts, lender_record.erased_at)


def _is_from_before(facts: Facts, erased_at: datetime) -> bool:
    """
    Tell whether a snapshot is none of a customer who came back.

    A consent may be dated by its day, whose end it is taken for: a snapshot from before the erasure knows of none
    that was given after it, whatever it says.
    """
    if facts.consented_at is None or facts.consented_at <= erased_at:
        return True
    return facts.as_of is not None and facts.as_of <= erased_at


def project_facts(lender_record: LenderRecord) -> Facts | None:
    """Work out the facts: the newest snapshot, and the events it does not know of. `None` before any snapshot."""
    facts = lender_record.snapshot
    if facts is None or not lender_record.events:
        return facts
    about: dict[str, list[RecordedEvent]] = {}
    closed: dict[str, datetime] = {}
    released: dict[str, datetime] = {}
    held: dict[HoldReason, RecordedEvent] = {}
    for recorded in lender_record.events.values():
        if _is_known_to(facts, recorded):
            continue
        match recorded.event:
            case InstalmentPaid(account_id=account_id) | InstalmentChanged(account_id=account_id):
                about.setdefault(account_id, []).append(recorded)
            case AccountClosed(account_id=account_id):
                closed[account_id] = min(recorded.time.at, closed.get(account_id, recorded.time.at))
            case CustomerReleased(reason=reason):
                released[reason or EVERY_HOLD] = recorded.time.at
            case CustomerHold(reason=reason):
                held[reason] = recorded
    accounts = tuple(
        _closed(
            _with_events_about(account, about.get(account.account_id, ()), facts.as_of), closed.get(account.account_id)
        )
        for account in facts.accounts
    )
    now = replace(facts, accounts=accounts, released=released)
    return replace(now, holds=_project_holds(facts, held, now)) if released or held else now


def _project_holds(facts: Facts, held: Mapping[HoldReason, RecordedEvent], now: Facts) -> tuple[Hold, ...]:
    """Return the holds of the snapshot and of events, without those that were lifted since."""
    stated = [
        hold
        for hold in facts.holds
        if hold.reason not in held and not (facts.as_of and now.is_released(hold.reason, facts.as_of))
    ]
    placed = [
        Hold(recorded.event.reason, recorded.event.until)
        for recorded in held.values()
        if isinstance(recorded.event, CustomerHold) and not now.is_released(recorded.event.reason, recorded.time.at)
    ]
    return tuple(sorted((*stated, *placed), key=lambda hold: (hold.reason.value, hold.until or date.max)))


def _with_events_about(account: Account, events: list[RecordedEvent] | tuple[()], as_of: datetime | None) -> Account:
    """
    Return an account with what is newer than the snapshot. Amounts in another currency make it unreadable.

    Of a payment from the day before the snapshot nobody can tell which of the two knows more. The one counts that asks
    for less: a text too few is mended by the next file, one too many is not.
    """
    instalments = {instalment.number: instalment for instalment in account.instalments}
    currency = account.currency
    paid_of: dict[int, list[tuple[EventTime, int]]] = {}
    # What an instalment is comes before what was paid of it, and of that the newest is the last.
    for recorded in sorted(events, key=lambda entry: (isinstance(entry.event, InstalmentPaid), _order(entry))):
        match recorded.event:
            case InstalmentChanged() as changed:
                known = instalments.get(changed.number)
                changed_to = Instalment(
                    changed.number,
                    changed.due_on,
                    changed.amount,
                    known.paid if known else 0,
                    known.stage_reached if known else None,
                    changed.written_notice_on,
                    changed.late_fee,
                )
                if changed_to.open <= 0 and (known is None or known.open > 0):
                    changed_to = replace(changed_to, paid_at=recorded.time.at)
                instalments[changed.number] = changed_to
            case InstalmentPaid() as paid if paid.number in instalments:
                paid_of.setdefault(paid.number, []).append((recorded.time, paid.paid))
            case _:
                continue
        if recorded.event.currency != account.currency:
            currency = ""
    for number, payments in paid_of.items():
        stated = instalments[number]
        last, amount = payments[-1]
        if as_of is None or last.at > as_of or amount > stated.paid:
            instalments[number] = replace(stated, paid=amount, paid_at=_paid_since(stated, payments))
    ordered = tuple(sorted(instalments.values(), key=lambda instalment: (instalment.due_on, instalment.number)))
    return replace(account, currency=currency, instalments=ordered)


def _paid_since(stated: Instalment, payments: list[tuple[EventTime, int]]) -> datetime | None:
    """
    Return when the lender first said of what is paid that it is; `None`: it was stated, and never taken back.

    What is said again, as of a later moment, was paid all the same. `payments` are ordered, the newest is the last.
    """
    enough = min(payments[-1][1], stated.amount)
    since = None
    for time, paid in reversed(payments):
        if paid < enough:
            return since
        since = time.at
    return None if stated.paid >= enough and stated.open <= 0 else since


def _closed(account: Account, at: datetime | None) -> Account:
    """
    Return an account as it is once it is closed: nothing is open, as if all had been paid then.

    It is not left out: a reply that comes late may still speak of it.
    """
    if at is None:
        return account
    instalments = tuple(
        replace(instalment, paid=instalment.amount, paid_at=at) if instalment.open > 0 else instalment
        for instalment in account.instalments
    )
    return replace(account, instalments=instalments)


def _is_known_to(facts: Facts, recorded: RecordedEvent) -> bool:
    """
    Tell whether a snapshot already knows an event.

    It never does of holds and releases: a file that does not mention a dispute does not end it, a person does.
    """
    match recorded.event:
        case InstalmentPaid():
            known_until = facts.paid_as_of or facts.as_of
        case InstalmentChanged() | AccountClosed():
            known_until = facts.as_of
        case _:
            return False
    return known_until is not None and recorded.time.at <= known_until


def _is_past(recorded: RecordedEvent, facts: Facts) -> bool:
    """
    Tell whether an event is no longer needed: this snapshot knows it, and so does every newer one.

    A newer snapshot may know less of payments: each up to a day before it, at the earliest.
    """
    lag = FILE_LAG if isinstance(recorded.event, InstalmentPaid) else timedelta()
    return _is_known_to(facts, recorded) and (facts.as_of is None or recorded.time.at <= facts.as_of - lag)


def _order(recorded: RecordedEvent) -> tuple[EventTime, str]:
    """The newer counts; of two that were said at the same moment always the same one."""
    return recorded.time, repr(recorded.event)
