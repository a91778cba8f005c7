"""
The lender record: everything a lender has said of a customer, by file and by event, and the facts that follow.

A file is a snapshot of the whole customer as of a moment. An event reports one change. Events come late, twice and out
of order, so each carries the lender's own time. Of two events about the same subject the newer event counts, whichever
arrived first. A snapshot replaces older snapshots and older events. The facts are worked out from both, so that they
depend on the lender's statements and never on the order of arrival.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import NamedTuple

from dunning.domain.customer.facts import EVERY_HOLD, Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.delivery.channels import AddressKind, Channel

FILE_LAG = timedelta(days=1)
"""
A file without an `as_of` of its own is believed about payments only up to a day before it arrived.

The file may have been written last night, and must not take back a payment of this morning.
"""


END_OF_DAY = time_of_day(23, 59, 59)
"""The time, in UTC, of a consent that a file dates by its day."""

_FARTHEST_EAST = timedelta(hours=14)
"""Days begin first where clocks are this far ahead of UTC."""

PAYMENTS_REMEMBERED = 12
"""The newest payment events kept for one instalment, until a snapshot knows them. More would let the item grow."""


class EventTime(NamedTuple):
    """The lender's own time of an event; `sequence` orders events of the same moment."""

    at: datetime
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class InstalmentPaid:
    """The amount paid of an instalment so far, in minor units: a total, which is lower after a reversal."""

    account_id: str
    number: int
    paid: int
    currency: str

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return f"paid:{self.account_id}#{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentChanged:
    """An instalment has a new due date or amount, or is new itself."""

    account_id: str
    number: int
    due_on: date
    amount: int
    currency: str
    late_fee: int = 0
    written_notice_on: date | None = None

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return f"changed:{self.account_id}#{self.number}"


@dataclass(frozen=True, slots=True)
class AccountClosed:
    """Nothing is left to pay on this account."""

    account_id: str

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return f"closed:{self.account_id}"


@dataclass(frozen=True, slots=True)
class CustomerHold:
    """The lender wants silence, up to and including a local day, or until the hold is lifted."""

    reason: HoldReason
    until: date | None = None

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return f"held:{self.reason}"


@dataclass(frozen=True, slots=True)
class CustomerReleased:
    """A person has looked at the customer: all holds of this reason end, or all holds, the customer's own included."""

    reason: HoldReason | None = None

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return f"released:{self.reason or EVERY_HOLD}"


@dataclass(frozen=True, slots=True)
class CustomerAttended:
    """A person has attended to what waited for one; `outcome` is a code. It changes no fact and lifts no hold."""

    outcome: str = ""

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return "attended"


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """The customer has another e-mail address or LINE user id; an empty `address` says that there is none any more."""

    kind: AddressKind
    address: str

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return f"address:{self.kind}"


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """The customer has consented to a channel at `consented_at`; `None` if the consent is withdrawn."""

    channel: Channel
    consented_at: datetime | None = None

    @property
    def subject(self) -> str:
        """The subject of the event. Of two events about one subject the newer counts."""
        return f"consent:{self.channel}"


type LenderEvent = (
    InstalmentPaid
    | InstalmentChanged
    | AccountClosed
    | CustomerHold
    | CustomerReleased
    | CustomerAttended
    | AddressChanged
    | ConsentChanged
)


class RecordedEvent(NamedTuple):
    """An event, the lender's time of it, and who said so: the id of a person or a system, or empty."""

    time: EventTime
    event: LenderEvent
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LenderRecord:
    """
    All that a lender has said of one customer.

    Statements from before an erasure stay gone. A later snapshot counts only with a consent given after the erasure.
    """

    customer_id: str
    revision: int = 0
    """Raised by one with every change: the condition of every write."""
    snapshot: Facts | None = None
    """The newest file of accounts."""
    events: Mapping[str, RecordedEvent] = field(default_factory=dict)
    """
    The events that the snapshot may not know of, by `event_key`.

    Of most subjects the newest event is kept. Of payments and closed accounts several are, for their times matter.
    """
    phones: tuple[str, ...] = ()
    """All numbers the customer has had or is about to have, so that an erasure finds them in the phone index."""
    erased_at: datetime | None = None
    """The time at which the lender had the customer erased."""
    phones_until: datetime | None = None
    """The time until which messages that name the numbers may be under way."""
    next_phone: str = ""
    """The number that a load under way gives the customer, or empty."""
    indexed_accounts: tuple[str, ...] = field(default=(), compare=False)
    """
    The accounts by which the customer is found, former ones too, so that an erasure finds them in the account index.

    Whoever stores the record keeps them. Nothing is decided by them.
    """

    addresses: tuple[str, ...] = ()
    """All e-mail addresses and LINE user ids the customer has had or is about to have, as `phones`."""
    next_addresses: tuple[str, ...] = ()
    """The e-mail address and LINE user id that a load or an event under way gives the customer."""

    def has_or_gets(self, address: str) -> bool:
        """Tell whether an address is the customer's, or is about to be."""
        return address in {self.next_phone, *self.next_addresses} or address in present_addresses(self)


ACCOUNTS_A_WRITE = 90
"""The accounts that are indexed with one write, which takes a hundred items at most. More wait for the next write."""


def with_accounts_indexed(lender_record: LenderRecord) -> tuple[LenderRecord, tuple[str, ...]]:
    """Return the record that names the accounts of its snapshot as indexed, and those that are to be indexed for it."""
    snapshot, indexed = lender_record.snapshot, lender_record.indexed_accounts
    if snapshot is None:
        return lender_record, ()
    new = dict.fromkeys(account.account_id for account in snapshot.accounts if account.account_id not in indexed)
    added = tuple(new)[:ACCOUNTS_A_WRITE]
    return replace(lender_record, indexed_accounts=(*indexed, *added)), added


def with_accounts_to_index(lender_record: LenderRecord) -> LenderRecord:
    """Return the record of a customer who may be missing in the index: its next write indexes the snapshot anew."""
    snapshot = lender_record.snapshot
    present = {account.account_id for account in snapshot.accounts} if snapshot else ()
    former = tuple(each for each in lender_record.indexed_accounts if each not in present)
    return replace(lender_record, indexed_accounts=former)


def record_event(lender_record: LenderRecord, recorded: RecordedEvent) -> LenderRecord:
    """Return the lender record with an event; the same record if the event is outdated, or the customer is erased."""
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
    # Those of one subject are of different times.
    alike = sorted(entry for entry in events.values() if entry.event.subject == recorded.event.subject)
    for entry in alike[:-PAYMENTS_REMEMBERED]:
        del events[event_key(entry)]
    return (
        lender_record
        if events == lender_record.events
        else replace(lender_record, revision=lender_record.revision + 1, events=events)
    )


def event_key(recorded: RecordedEvent) -> str:
    """Return the key under which an event is kept: of two events with one key the newer counts."""
    subject, time = recorded.event.subject, recorded.time
    if isinstance(recorded.event, InstalmentPaid | AccountClosed):
        return f"{subject}@{time.at.isoformat()}#{time.sequence}"
    return subject


def record_snapshot(lender_record: LenderRecord, facts: Facts) -> LenderRecord:
    """
    Return the record with a snapshot of the whole customer; the same record if it holds a newer snapshot.

    Raises:
        ValueError: the snapshot has no `as_of`, or the customer is erased (`is_barred_by_erasure`).
    """
    if facts.as_of is None:
        raise ValueError("a snapshot without as_of cannot be ordered")
    if is_barred_by_erasure(lender_record, facts):
        raise ValueError("the customer is erased")
    known = lender_record.snapshot
    if known is not None and known.stated_at is not None and known.stated_at > facts.as_of:
        return lender_record
    events = {subject: recorded for subject, recorded in lender_record.events.items() if not _is_past(recorded, facts)}
    return replace(
        lender_record,
        revision=lender_record.revision + 1,
        snapshot=facts,
        events=events,
        phones=_with_each(lender_record.phones, [facts.phone]),
        next_phone="",
        addresses=_with_each(lender_record.addresses, _others_than_numbers(facts.addresses)),
        next_addresses=(),
    )


def record_missing(lender_record: LenderRecord, since: datetime) -> LenderRecord:
    """
    Return the record of a customer whom the lender's whole list lacks.

    The same record if the customer is unknown or missing already, or a file named the customer after the list.
    """
    known = lender_record.snapshot
    if known is None or known.not_in_list_since is not None or (known.as_of is not None and known.as_of >= since):
        return lender_record
    missing = replace(known, not_in_list_since=since)
    return replace(lender_record, revision=lender_record.revision + 1, snapshot=missing)


def with_next_addresses(lender_record: LenderRecord, addresses: Sequence[str]) -> LenderRecord:
    """Return the record with addresses the customer is about to have; the same record if it says so already."""
    others = _others_than_numbers(addresses)
    number = next((address for address in addresses if address not in others), "")
    after = replace(
        lender_record,
        phones=_with_each(lender_record.phones, [number] if number else []),
        next_phone=number or lender_record.next_phone,
        addresses=_with_each(lender_record.addresses, others),
        next_addresses=_with_each(lender_record.next_addresses, others),
    )
    return lender_record if after == lender_record else replace(after, revision=lender_record.revision + 1)


def with_addresses_given(lender_record: LenderRecord) -> LenderRecord:
    """Return the record in whose facts the addresses are that an event was about to give the customer."""
    return replace(lender_record, next_addresses=())


def _with_each(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))


def _others_than_numbers(addresses: Iterable[str]) -> list[str]:
    return [address for address in addresses if AddressKind.of_address(address) is not AddressKind.NUMBER]


def erase_record(lender_record: LenderRecord, at: datetime, phones_until: datetime | None = None) -> LenderRecord:
    """
    Return the lender record after an erasure; the same record if the erasure is done already.

    The id, the time of the erasure and the addresses are left. The addresses stay until no message that names them is
    under way, at least until `phones_until` (`forget_former_addresses`). A customer who has consented again keeps
    everything newer than the erasure.
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
    kept = {account.account_id for account in snapshot.accounts} if snapshot else ()
    after = replace(
        lender_record,
        snapshot=snapshot,
        events=events,
        erased_at=erased_at,
        next_phone="",
        next_addresses=(),
        indexed_accounts=tuple(each for each in lender_record.indexed_accounts if each in kept),
    )
    if after == lender_record:
        return lender_record
    is_left = bool(former_addresses(after))
    return replace(after, revision=lender_record.revision + 1, phones_until=phones_until if is_left else None)


def present_addresses(lender_record: LenderRecord) -> tuple[str, ...]:
    """Return the addresses that the customer has by files and events, which the rest of the facts does not change."""
    snapshot = lender_record.snapshot
    if snapshot is None:
        return ()
    # Of addresses no event is kept that the snapshot knows.
    events = lender_record.events.values()
    return _with_ways(snapshot, events).addresses if events else snapshot.addresses


def new_addresses(lender_record: LenderRecord, facts: Facts) -> list[str]:
    """Return the addresses of new facts that the customer does not have yet."""
    present = present_addresses(lender_record)
    return [address for address in facts.addresses if address not in present]


def former_addresses(lender_record: LenderRecord) -> tuple[str, ...]:
    """Return the numbers and other addresses that the customer no longer has."""
    present = present_addresses(lender_record)
    return tuple(address for address in (*lender_record.phones, *lender_record.addresses) if address not in present)


def forget_former_addresses(lender_record: LenderRecord) -> LenderRecord:
    """Return the lender record without the customer's former addresses; the same record if there are none."""
    phones = (lender_record.snapshot.phone,) if lender_record.snapshot else ()
    others = tuple(_others_than_numbers(present_addresses(lender_record)))
    after = replace(lender_record, phones=phones, addresses=others, phones_until=None)
    return lender_record if after == lender_record else replace(after, revision=lender_record.revision + 1)


def is_barred_by_erasure(lender_record: LenderRecord, facts: Facts) -> bool:
    """Tell whether a snapshot must not re-create an erased customer: no consent has been given since the erasure."""
    return lender_record.erased_at is not None and _is_from_before(facts, lender_record.erased_at)


def _is_from_before(facts: Facts, erased_at: datetime) -> bool:
    """
    Tell whether a snapshot is older than the erasure: whether it cannot know of a consent given after it.

    A snapshot does not know of a consent that lies in its future. So a snapshot from before the erasure knows of none.
    """
    if facts.consented_at is None:
        return True
    consented_since = _earliest_moment_of(facts.consented_at)
    return consented_since <= erased_at or (facts.as_of is not None and facts.as_of < consented_since)


def _earliest_moment_of(consented_at: datetime) -> datetime:
    """
    Return the earliest moment at which a consent may have been given.

    A consent dated by its day is kept as the last second of that day in UTC, when it surely holds. Whether it is newer
    than an erasure is the opposite question: here the day counts from its first moment anywhere on earth.
    """
    moment = consented_at.astimezone(UTC)
    if moment.time() != END_OF_DAY:
        return moment
    return datetime.combine(moment.date(), time_of_day(0), UTC) - _FARTHEST_EAST


def project_facts(lender_record: LenderRecord) -> Facts | None:
    """Work out the facts: the newest snapshot, and the events newer than the snapshot. `None` before any snapshot."""
    facts = lender_record.snapshot
    if facts is None or not lender_record.events:
        return facts
    about: dict[str, list[RecordedEvent]] = {}
    closed: dict[str, datetime] = {}
    released: dict[str, datetime] = {}
    held: dict[HoldReason, tuple[Hold, datetime]] = {}
    ways: list[RecordedEvent] = []
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
            case CustomerHold(reason=reason, until=until):
                held[reason] = (Hold(reason, until), recorded.time.at)
            case AddressChanged() | ConsentChanged():
                ways.append(recorded)
    accounts = tuple(
        _closed(
            _with_events_about(account, about.get(account.account_id, ()), facts.as_of), closed.get(account.account_id)
        )
        for account in facts.accounts
    )
    now = replace(facts, accounts=accounts, released=released)
    now = _with_ways(now, ways) if ways else now
    return replace(now, holds=_project_holds(facts, held, now)) if released or held else now


def _with_ways(facts: Facts, ways: Iterable[RecordedEvent]) -> Facts:
    """
    Return the facts with the addresses and consents of events; other events change nothing.

    A withdrawal outlives every file: a consent counts again once a file or an event has one that was given later.
    """
    consents = dict(facts.channel_consents or {})
    for time, event, _ in ways:
        match event:
            case AddressChanged(kind=AddressKind.EMAIL):
                facts = replace(facts, email=event.address or None)
            case AddressChanged(kind=AddressKind.LINE):
                facts = replace(facts, line_user_id=event.address or None)
            case ConsentChanged(channel=channel, consented_at=None):
                stated = consents.get(channel)
                if stated is not None and _earliest_moment_of(stated) <= time.at:
                    del consents[channel]
            case ConsentChanged(channel=channel, consented_at=datetime() as given):
                is_newer = facts.as_of is None or time.at > facts.as_of
                consents[channel.value] = given if is_newer else consents.get(channel, given)
            case _:
                pass
    return replace(facts, channel_consents=consents or None)


def _project_holds(facts: Facts, held: Mapping[HoldReason, tuple[Hold, datetime]], now: Facts) -> tuple[Hold, ...]:
    """Return the holds of the snapshot and of events, without the holds that were lifted later."""
    stated = [
        hold
        for hold in facts.holds
        if hold.reason not in held and not (facts.as_of and now.is_released(hold.reason, facts.as_of))
    ]
    placed = [hold for hold, since in held.values() if not now.is_released(hold.reason, since)]
    return tuple(sorted((*stated, *placed), key=lambda hold: (hold.reason.value, hold.until or date.max)))


def _with_events_about(account: Account, events: list[RecordedEvent] | tuple[()], as_of: datetime | None) -> Account:
    """
    Return an account with the events newer than the snapshot. An amount in another currency makes it unreadable.

    A payment event from the day before the snapshot may be known to the snapshot or not. The lower claim counts: the
    next file makes up for a text too few, and nothing makes up for a text too many.
    """
    instalments = {instalment.number: instalment for instalment in account.instalments}
    currency = account.currency
    paid_of: dict[int, list[tuple[EventTime, int]]] = {}
    # Changes come first, so that payments find their instalment. The newest payment is the last.
    for recorded in sorted(events, key=lambda entry: (isinstance(entry.event, InstalmentPaid), _order(entry))):
        match recorded.event:
            case InstalmentChanged() as changed:
                known = instalments.get(changed.number)
                changed_to = Instalment(
                    number=changed.number,
                    due_on=changed.due_on,
                    amount=changed.amount,
                    paid=known.paid if known else 0,
                    stage_reached=known.stage_reached if known else None,
                    written_notice_on=changed.written_notice_on,
                    late_fee=changed.late_fee,
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
    Return the time since which the paid amount has been paid; `None` if the snapshot has it and no event took it back.

    A payment that the lender repeats with a later time counts from the first time. `payments` are ordered, the newest
    is the last.
    """
    enough = min(payments[-1][1], stated.amount)
    since = None
    for time, paid in reversed(payments):
        if paid < enough:
            return since
        since = time.at
    return None if stated.open <= 0 else since


def _closed(account: Account, at: datetime | None) -> Account:
    """
    Return an account as closed at a time: nothing is open, as if everything had been paid then.

    The account stays in the facts, because a late reply may still speak of it.
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

    A snapshot never knows holds, releases and consents: a file without a dispute does not end the dispute, a person
    does. Nor does a file know of an address if it has none: not every system of a lender knows it.
    """
    match recorded.event:
        case InstalmentPaid():
            known_until = facts.paid_as_of or facts.as_of
        case InstalmentChanged() | AccountClosed():
            known_until = facts.as_of
        case AddressChanged(kind=kind) if facts.address_of(kind.channel):
            known_until = facts.as_of
        case _:
            return False
    return known_until is not None and recorded.time.at <= known_until


def _is_past(recorded: RecordedEvent, facts: Facts) -> bool:
    """
    Tell whether an event is no longer needed: this snapshot knows the event, and so does every newer snapshot.

    A newer snapshot may know fewer payments: it may know them only up to a day before its own time.
    """
    lag = FILE_LAG if isinstance(recorded.event, InstalmentPaid) else timedelta()
    return facts.as_of is not None and recorded.time.at <= facts.as_of - lag and _is_known_to(facts, recorded)


def _order(recorded: RecordedEvent) -> tuple[EventTime, str, str]:
    """Order events by time. Of two events of the same moment the same event always counts."""
    return recorded.time, repr(recorded.event), recorded.by
