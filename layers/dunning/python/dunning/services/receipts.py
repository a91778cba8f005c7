"""
Receipts: what carriers report of our texts, brought to the audit records and acted upon.

    delivery logs ──> numbers ──> customers ──> claims of about that time ──> records, a hundred a call
                                                   │                             │ by message id, else the only
                                                   │                             v unknown one that fits
                                                   │                          advance, one write a record
                                                   ├── no record yet: looked at again a minute later, by ids
                                                   └── a failure that changes the standing (version = :read)

The logs are the account's: a text that no claim of ours fits is somebody else's, counted and left alone. A receipt that
comes again changes nothing, but mends what a crash left undone.
"""

import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from dunning.contracts.receipts import LaterReceipt, Reported, later_body, parse_later, parse_reported
from dunning.domain.announcement import Announcement, NumberUnreachable
from dunning.domain.contact import Contact, ContactState
from dunning.domain.errors import DunningError
from dunning.domain.facts import Facts
from dunning.domain.receipt import Receipt, Verdict, settled, verdict_of
from dunning.domain.rules import Policies
from dunning.domain.standing import Standing
from dunning.domain.unheard import with_failed
from dunning.ports import (
    Announcer,
    Clock,
    ContactArchive,
    ContactKey,
    Customer,
    CustomerStore,
    Journal,
    LaterQueue,
    PhoneIndex,
    UnreadableRecordError,
)
from dunning.services.claims import ATTEMPTS, ContestedError, record_of_the_dead
from dunning.services.delivery import Delivery
from dunning.services.planning import replan

CUSTOMERS_A_READ = 50
"""Both items of 50 customers are the 100 keys of one BatchGetItem."""

_NEAR = timedelta(minutes=15)
"""A claim and SNS's taking of its text are seconds apart; a sender that waits for its pace may take a minute."""

_AT_ONCE = timedelta(minutes=1)
"""So near is a text of which only number and time are known."""

_LOOK_AGAIN = timedelta(minutes=1)
_SENDER_IS_DONE = timedelta(minutes=15)
"""By then a sender has written its records, or died: a batch takes one minute, and its jobs come back after six."""

_WORKERS = 8


class ReceiptsFailedError(DunningError):
    """Receipts that could not be acted upon, so many customers: they are to be handed over again."""


def reported_in(event: Mapping[str, Any]) -> Reported:
    """
    Read the event of a subscription.

    Raises:
        UnreadableRecordError: it is none.
    """
    return parse_reported(event)


@dataclass(frozen=True, slots=True)
class _Match:
    """A receipt and the claim it is about, with the record if there is one already."""

    receipt: Receipt
    key: ContactKey
    contact: Contact | None


class ReceiptService:
    """Brings receipts to the records."""

    def __init__(
        self,
        *,
        store: CustomerStore,
        phones: PhoneIndex,
        contacts: ContactArchive,
        later: LaterQueue,
        announcer: Announcer,
        policies: Policies,
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._store = store
        self._phones = phones
        self._contacts = contacts
        self._later = later
        self._announcer = announcer
        self._policies = policies
        self._clock = clock
        self._journal = journal
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="receipts")

    def work(self, reported: Reported) -> None:
        """
        Work off what a subscription hands over.

        Raises:
            OutsideError: a call failed. Lambda hands the logs over again; what is done changes nothing then.
            ContestedError: others kept writing a customer; likewise.
            ReceiptsFailedError: something else went wrong with customers; likewise.
        """
        if reported.unreadable:
            self._journal.event("receipts_unreadable", logs=reported.unreadable)
            self._journal.count("ReceiptsUnreadable", reported.unreadable)
        customers = self._customers_of({receipt.phone for receipt in reported.receipts if receipt.phone})
        matches = self._match(reported.receipts, customers)
        self._act(matches)

    def again(self, deliveries: Sequence[Delivery]) -> list[str]:
        """Work off receipts whose records were not there yet, and return the message ids that are to come back."""
        failed: list[str] = []
        matches: list[_Match] = []
        for delivery in deliveries:
            try:
                later = parse_later(delivery.body)
            except UnreadableRecordError as error:
                self._journal.event("receipt_unreadable", message_id=delivery.message_id, why=str(error))
                self._journal.count("ReceiptsUnreadable")
                failed.append(delivery.message_id)  # ends with the dead letters
                continue
            matches.append(_Match(later.receipt, later.key, None))
        try:
            found = self._contacts.find({match.key for match in matches})
            recorded = [_with_record(match, found) for match in matches]
            for match in filter(_is_anothers, recorded):
                self._not_ours(match.receipt)
            self._act([match for match in recorded if not _is_anothers(match)])
        except DunningError as error:
            self._journal.event("receipts_failed", error=type(error).__name__, receipts=len(matches))
            return [delivery.message_id for delivery in deliveries]
        return failed

    def _customers_of(self, phones: set[str]) -> Mapping[str, list[tuple[str, Customer]]]:
        """Return who has or had each number; whoever cannot be read has nothing that could be settled."""
        owners = self._phones.customers_with(phones)
        everybody = sorted({customer_id for ids in owners.values() for customer_id in ids})
        known: dict[str, Customer] = {}
        for some in batched(everybody, CUSTOMERS_A_READ, strict=False):
            loaded = self._store.load(some).items()
            known |= {one: found for one, found in loaded if not isinstance(found, UnreadableRecordError)}
        return {
            phone: [(customer_id, known[customer_id]) for customer_id in sorted(ids) if customer_id in known]
            for phone, ids in owners.items()
        }

    def _match(self, receipts: Iterable[Receipt], customers: Mapping[str, list[tuple[str, Customer]]]) -> list[_Match]:
        """Find the claim that each receipt is about; the rest is counted."""
        candidates: list[tuple[Receipt, list[ContactKey]]] = []
        for receipt in receipts:
            keys = [
                ContactKey(customer_id, entry.at, entry.send_id)
                for customer_id, customer in customers.get(receipt.phone, ())
                for entry in (customer.standing.ledger if customer.standing else ())
                if abs(entry.at - receipt.at) <= _NEAR
            ]
            if keys:
                candidates.append((receipt, keys))
            else:
                self._not_ours(receipt)
        found = self._contacts.find({key for _, keys in candidates for key in keys})
        matches = []
        for receipt, keys in candidates:
            match = _fitting(receipt, keys, found)
            if match is None:
                self._not_ours(receipt)
            else:
                matches.append(match)
        return matches

    def _not_ours(self, receipt: Receipt) -> None:
        # A message id is not personal data; the number is.
        self._journal.event("receipt_without_contact", message_id=receipt.message_id)
        self._journal.count("ReceiptsWithoutContact")

    def _act(self, matches: Sequence[_Match]) -> None:
        """Write what receipts say, first of the records, then of those whose standing follows."""
        waiting = [match for match in matches if match.contact is None]
        too_early = [match for match in waiting if self._clock.now() - match.key.at < _SENDER_IS_DONE]
        if too_early:
            bodies = [later_body(LaterReceipt(match.key, match.receipt)) for match in too_early]
            self._later.again(bodies, _LOOK_AGAIN)
        dead = [self._recorded(match) for match in waiting if match not in too_early]
        by_record: defaultdict[ContactKey, list[_Match]] = defaultdict(list)
        for match in [*matches, *dead]:
            if match is not None and match.contact is not None:
                by_record[match.key].append(match)
        settling = self._pool.map(self._settle, by_record.values())
        following: defaultdict[str, list[_Match]] = defaultdict(list)
        for (key, same), recovered in zip(by_record.items(), settling, strict=True):
            following[key.customer_id] += [one for one in same if recovered or verdict_of(one.receipt) in _FOLLOWED]
        running = {
            customer_id: self._pool.submit(self._follow, (customer_id, some))
            for customer_id, some in following.items()
            if some
        }
        self._told_of(running)

    def _told_of(self, running: Mapping[str, Future[Sequence[Announcement]]]) -> None:
        """Tell what followed for each customer. One's failure touches nobody else; then all are handed over again."""
        wait(running.values())
        told: list[Announcement] = []
        failures: list[BaseException] = []
        for customer_id, future in running.items():
            error = future.exception()
            if error is None:
                told += future.result()
                continue
            failures.append(error)
            frames = traceback.extract_tb(error.__traceback__)
            # Not the error's own words: they might quote what must not be logged.
            self._journal.event(
                "receipt_not_followed",
                customer_id=customer_id,
                error=type(error).__name__,
                where=f"{frames[-1].name}:{frames[-1].lineno}" if frames else "",
            )
        if told:
            self._announcer.announce(told)
        if failures:
            raise next((one for one in failures if isinstance(one, DunningError)), ReceiptsFailedError(len(failures)))

    def _recorded(self, match: _Match) -> _Match | None:
        """Write the record of a claim whose sender died before it could; `None` if the customer has been erased."""
        customer_id = match.key.customer_id
        found = self._store.load([customer_id])[customer_id]
        if isinstance(found, UnreadableRecordError):
            raise found
        ledger = found.standing.ledger if found.standing else ()
        entry = next((one for one in ledger if (one.at, one.send_id) == (match.key.at, match.key.send_id)), None)
        if entry is None:
            self._not_ours(match.receipt)
            return None
        contact = record_of_the_dead(customer_id, found.facts, entry, self._policies)
        self._contacts.write_if_absent(contact)
        return replace(match, contact=contact)

    def _settle(self, matches: Sequence[_Match]) -> bool:
        """Bring one record forward by all its receipts, in one write; tell whether one that had failed has arrived."""
        contact = matches[0].contact
        for _ in range(ATTEMPTS):
            if contact is None:
                return False
            after = contact
            for match in matches:
                after = settled(after, match.receipt)
            if after is contact:
                return False
            if self._contacts.advance(after, expected=contact.state):
                self._count(contact, after, matches)
                return contact.state is ContactState.FAILED and after.state is ContactState.DELIVERED
            found = self._contacts.find([matches[0].key]).get(matches[0].key)
            contact = found if isinstance(found, Contact) else None
        raise ContestedError

    def _count(self, before: Contact, after: Contact, matches: Sequence[_Match]) -> None:
        if after.state is ContactState.DELIVERED and before.state is not ContactState.DELIVERED:
            self._journal.count("SmsDelivered")
        if after.state is ContactState.FAILED and before.state is not ContactState.FAILED:
            self._journal.count("SmsFailed")
            verdicts = {verdict_of(match.receipt) for match in matches}
            if Verdict.OUR_FAULT in verdicts:
                self._journal.count("SmsOurFault")
            if Verdict.UNCLASSED in verdicts:
                self._journal.count("SmsFailedUnclassed")
        if after.billed_parts and not before.billed_parts and before.parts:
            self._journal.count("SegmentsEstimated", before.parts)
            self._journal.count("SegmentsBilled", after.billed_parts)
            if after.billed_parts != before.parts:
                self._journal.count("SegmentsUnexpected")
        self._journal.event(
            "receipt",
            customer_id=after.customer_id,
            send_id=after.send_id,
            state=after.state.value,
            response=after.response if verdict_of(matches[-1].receipt) is not Verdict.UNCLASSED else "unclassed",
        )

    def _follow(self, case: tuple[str, Sequence[_Match]]) -> Sequence[Announcement]:
        """Change the standing of a customer by what became of texts, if anything follows that is not there yet."""
        customer_id, matches = case
        for _ in range(ATTEMPTS):
            found = self._store.load([customer_id])[customer_id]
            if isinstance(found, UnreadableRecordError):
                raise found
            facts, before = found
            if facts is None or before is None:
                return ()  # erased meanwhile
            records = self._contacts.find({match.key for match in matches})
            after = before
            for match in matches:
                record = records.get(match.key)
                if isinstance(record, Contact):
                    after = _followed(facts, after, match.receipt, record)
            if after == before:
                return ()
            now = self._clock.now()
            replanned = replan(facts, before, after, self._policies, now)
            if not self._store.save_standing(replanned.standing, expected_version=before.version):
                continue
            told: list[Announcement] = []
            if after.is_opted_out and not before.is_opted_out:
                self._journal.count("OptOuts")
            if after.is_suspended(facts) and not before.is_suspended(facts):
                self._journal.count("NumbersSuspended")
                told.append(NumberUnreachable(customer_id, now, Verdict.DEAD.value))
            return (*told, *replanned.announcements)
        raise ContestedError


_FOLLOWED = frozenset({Verdict.OPTED_OUT, Verdict.DEAD, Verdict.LATER})
"""What changes a customer's standing."""


def _followed(facts: Facts, standing: Standing, receipt: Receipt, record: Contact) -> Standing:
    """Return a standing after one receipt. Moments are the later ones, so that their order makes no difference."""
    match verdict_of(receipt):
        case Verdict.OPTED_OUT:
            return replace(standing, opted_out_at=_later(standing.opted_out_at, receipt.at))
        case Verdict.DEAD:
            phone = receipt.phone or record.phone
            if not phone or phone != facts.phone:
                return standing  # a number they no longer have
            since = standing.suspended_at if standing.suspended_phone == phone else None
            return replace(standing, suspended_phone=phone, suspended_at=_later(since, receipt.at))
        case Verdict.LATER | Verdict.DELIVERED:
            # By the record, not by this receipt: of one that failed and one that arrived, the latter counts.
            return with_failed(standing, record.claim_id, failed=record.state is ContactState.FAILED)
        case _:
            return standing


def _fitting(
    receipt: Receipt, keys: Sequence[ContactKey], found: Mapping[ContactKey, Contact | UnreadableRecordError]
) -> _Match | None:
    """
    Return the claim a receipt is about: the one with its message id, else the only one of which nothing is known.

    That is one recorded as `unknown`, or not recorded yet. Two that fit are left to time: nothing is guessed.
    """
    for key in keys:
        contact = found.get(key)
        if isinstance(contact, Contact) and contact.message_id == receipt.message_id:
            return _Match(receipt, key, contact)
    unrecorded = [key for key in keys if key not in found]
    unknown = [
        (key, contact)
        for key in keys
        if isinstance(contact := found.get(key), Contact)
        and contact.state is ContactState.UNKNOWN
        and not contact.message_id
        and abs(key.at - receipt.at) <= _AT_ONCE
    ]
    if len(unrecorded) + len(unknown) != 1:
        return None
    return _Match(receipt, unrecorded[0], None) if unrecorded else _Match(receipt, *unknown[0])


def _with_record(match: _Match, found: Mapping[ContactKey, Contact | UnreadableRecordError]) -> _Match:
    contact = found.get(match.key)
    return replace(match, contact=contact) if isinstance(contact, Contact) else match


def _is_anothers(match: _Match) -> bool:
    """Tell whether the record has turned out to be of another text: what was taken for the claim's is not."""
    return match.contact is not None and match.contact.message_id not in {"", match.receipt.message_id}


def _later(known: datetime | None, said: datetime) -> datetime:
    return said if known is None else max(known, said)
