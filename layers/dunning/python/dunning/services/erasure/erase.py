"""
Erase: what we hold of a customer goes, and of the audit records what says who it was and what they were told.

What stays is the skeleton: that a text of some template was claimed at some moment for an id, and what became of it;
and a tombstone, the id and the moment of the erasure, so that no old file and no repeated event brings them back.

    erase ──> tombstone, which keeps the numbers for now ──> standing, phone index, records, replies
                 from here on no text can be decided on          │
                                                                 ├── 90 s later: erase_again, the same once more,
                                                                 │   and uploaded files
                                                                 ├── and each quarter of an hour, until nothing is
                                                                 │   under way any more (`purge.py`)
                                                                 └── then the numbers go too: purge_numbers

The later rounds are for what was under way in the first: a text that was being published leaves a record with number
and text, a file that was being loaded puts its number into the index, and a reply that a queue delivers again, up to
half an hour later, is kept below its number, for nobody has that any more. All of it can be repeated at will.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple, Protocol

from dunning.domain.customer.lender_record import LenderRecord, erase_record, forget_former_phones, former_phones
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.ports.clock import Clock
from dunning.ports.customers import PhoneIndex
from dunning.ports.erasure import ContactErasure, CustomerErasure, StoredUpload, UploadErasure
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically

SECOND_ROUND = timedelta(seconds=90)
"""By then a text that was under way has left its record: the sender's timeout is 60 s."""

MAY_BE_LOADING = timedelta(hours=1)
"""A file is left alone so long after its upload: the others in it may not be loaded yet, tries again included."""

ROUND_INTERVAL = timedelta(minutes=15)
"""The rounds after the second are so far apart, which is as far ahead as SQS delays a message."""

UNDER_WAY = timedelta(minutes=45)
"""
By then whatever was under way has ended, if nothing stands still: a load takes a quarter of an hour at most, and a
reply is delivered five times in half an hour before it is given up.
"""

SECONDS_TO_FINISH = 5.0
"""With less time left nothing more of a file or a queue is read."""


class ErasureOutOfTimeError(DunningError):
    """The invocation has too little time left to read the uploads to their end."""


class _Stored(NamedTuple):
    """A lender record, or `None` if it cannot be read: an erasure writes over it."""

    lender_record: LenderRecord | None


class _ErasableCustomers(CustomerErasure, PhoneIndex, Protocol):
    """Several ports that are one table."""

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Erased:
    """How many items of a customer, records that still told who it was, and replies."""

    items: int
    records: int
    replies: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there was nothing left to erase."""
        return not self.items and not self.records and not self.replies


@dataclass(frozen=True, slots=True)
class ErasedUploads:
    """How many versions of files were deleted, and which customers are named in one that may still be loading."""

    deleted: int
    waiting: frozenset[str]


class EraseService:
    """Erases customers, one at a time. It knows no policy: who asks for it, and when, is the caller's business."""

    def __init__(
        self,
        *,
        customers: _ErasableCustomers,
        contacts: ContactErasure,
        uploads: UploadErasure,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._customers = customers
        self._contacts = contacts
        self._uploads = uploads
        self._clock = clock
        self._telemetry = telemetry

    def look(self, customer_id: str) -> Erased:
        """Tell what there is to erase, and change nothing. Uploaded files are not looked into."""
        return Erased(
            self._customers.stored_items(customer_id),
            self._contacts.identifying_records(customer_id),
            self._contacts.stored_replies(customer_id),
        )

    def keeps_numbers(self, customer_id: str) -> bool:
        """Tell whether the numbers of an erased customer are still kept, to find what comes late."""
        lender_record = self._customers.lender_record(customer_id)
        return isinstance(lender_record, LenderRecord) and lender_record.phones_until is not None

    def erase(self, customer_id: str, at: datetime) -> Erased:
        """
        Erase a customer as of a moment and tell what there was.

        `erase_again` has to follow after `SECOND_ROUND`, and `purge_numbers` once nothing is under way any more.

        One who has consented anew since keeps what is newer than that.

        Raises:
            ContestedError, ServiceCallError: it is not done. What is done stays done: erase again.
        """
        there = self.look(customer_id)
        lender_record, is_new = self._write_tombstone(customer_id, at)
        if is_new:
            self._telemetry.count(Metric.CUSTOMERS_ERASED)
        gone = self._clean(lender_record)
        erased = Erased(there.items if lender_record.snapshot is None else gone.items, gone.records, gone.replies)
        if is_new or not gone.nothing:
            self._log_erased(customer_id, erased)
        return erased

    def erase_again(self, customer_id: str) -> Erased:
        """
        Erase what was under way when a customer was erased.

        Raises:
            ServiceCallError, UnreadableRecordError: it is not done. What is done stays done.
        """
        lender_record = self._read(customer_id)
        return self._clean_again(lender_record) if lender_record.erased_at else Erased(0, 0)

    def purge_numbers(self, customer_id: str) -> Erased:
        """
        Erase what has come since, and the numbers that an erased customer was found by.

        Raises:
            ContestedError, ServiceCallError, UnreadableRecordError: it is not done. What is done stays done.
        """

        def attempt(lender_record: LenderRecord) -> Erased | Conflict:
            if lender_record.erased_at is None:
                return Erased(0, 0)
            gone = self._clean_again(lender_record)
            after = forget_former_phones(lender_record)
            if after is lender_record:
                return gone
            is_saved = self._customers.save_lender_record(after, expected_revision=lender_record.revision)
            return gone if is_saved else CONFLICT

        def read() -> LenderRecord | UnreadableRecordError:
            return self._customers.lender_record(customer_id)

        return write_optimistically(customer_id, read(), read, attempt)

    def erase_uploads(self, customer_ids: Collection[str], seconds_left: Callable[[], float]) -> ErasedUploads:
        """
        Delete the uploaded files that name one of these erased customers: each is read once for all of them.

        A file that may still be loading is left; its customers are told, so that they are asked for again.

        Raises:
            ErasureOutOfTimeError, ServiceCallError: not all were read. Those that are deleted stay so.
        """
        wanted = {customer_id: found for customer_id in customer_ids if (found := self._erased(customer_id))}
        now = self._clock.now()
        deleted = 0
        waiting: set[str] = set()
        for upload in self._uploads.uploads() if wanted else ():
            named = {
                customer_id
                for customer_id in self._named(upload, wanted, seconds_left)
                if (until := _until(wanted[customer_id])) is None or upload.uploaded_at <= until
            }
            if not named:
                continue
            if upload.uploaded_at <= now - MAY_BE_LOADING:
                self._uploads.delete(upload)
                deleted += 1
            else:
                waiting |= {customer_id for customer_id in named if _is_waited_for(upload, wanted[customer_id])}
        if deleted or waiting:
            self._telemetry.log_event(LogEvent.UPLOADS_ERASED, files=deleted, waiting=len(waiting))
        return ErasedUploads(deleted, frozenset(waiting))

    def _write_tombstone(self, customer_id: str, at: datetime) -> tuple[LenderRecord, bool]:
        """Write the tombstone, and tell whether it says anything new."""

        def attempt(found: _Stored) -> tuple[LenderRecord, bool] | Conflict:
            stored = found.lender_record
            if stored is None:
                # The numbers are lost with it, and the index keeps an id that leads to nobody.
                self._telemetry.log_event(LogEvent.PHONES_NOT_KNOWN, customer_id=customer_id)
                tombstone = LenderRecord(customer_id, revision=1, erased_at=at)
                self._customers.write_tombstone(tombstone)
                return tombstone, True
            after = erase_record(stored, at, self._clock.now() + UNDER_WAY)
            if after is stored:
                return stored, False
            is_saved = self._customers.save_lender_record(after, expected_revision=stored.revision)
            return (after, True) if is_saved else CONFLICT

        def read() -> _Stored:
            stored = self._customers.lender_record(customer_id)
            return _Stored(None if isinstance(stored, UnreadableRecordError) else stored)

        return write_optimistically(customer_id, read(), read, attempt)

    def _read(self, customer_id: str) -> LenderRecord:
        lender_record = self._customers.lender_record(customer_id)
        if isinstance(lender_record, UnreadableRecordError):
            raise lender_record
        return lender_record

    def _clean_again(self, lender_record: LenderRecord) -> Erased:
        gone = self._clean(lender_record)
        if not gone.nothing:
            self._log_erased(lender_record.customer_id, gone)
        return gone

    def _clean(self, lender_record: LenderRecord) -> Erased:
        """Delete what hangs on a customer; of one who came back only what is older than that."""
        customer_id, snapshot, until = lender_record.customer_id, lender_record.snapshot, _until(lender_record)
        items = 0 if snapshot else self._customers.erase_items(customer_id)
        phones = former_phones(lender_record)
        for phone in phones:
            self._customers.remove_phone(phone, customer_id)
        if phones:
            self._find_again(customer_id, phones)
        records = self._contacts.redact(customer_id, self._clock.now(), until=until)
        replies = self._contacts.erase_replies(customer_id, phones, until=until)
        return Erased(items, records, replies)

    def _find_again(self, customer_id: str, forgotten: Collection[str]) -> None:
        """Have a customer found who came back with one of these numbers just before it was forgotten."""
        lender_record = self._customers.lender_record(customer_id)
        snapshot = None if isinstance(lender_record, UnreadableRecordError) else lender_record.snapshot
        if snapshot is not None and snapshot.phone in forgotten:
            self._customers.add_phone(snapshot.phone, customer_id)

    def _log_erased(self, customer_id: str, erased: Erased) -> None:
        self._telemetry.log_event(
            LogEvent.CUSTOMER_ERASED,
            customer_id=customer_id,
            items=erased.items,
            records=erased.records,
            replies=erased.replies,
        )

    def _erased(self, customer_id: str) -> LenderRecord | None:
        lender_record = self._customers.lender_record(customer_id)
        return lender_record if isinstance(lender_record, LenderRecord) and lender_record.erased_at else None

    def _named(
        self, upload: StoredUpload, wanted: Mapping[str, LenderRecord], seconds_left: Callable[[], float]
    ) -> set[str]:
        """Return which of these customers a file names: as intake reads it or, if it is no table, anywhere in it."""
        # Here, for what it needs of phone numbers is slow to import.
        from dunning.services.intake.refusals import FileRefusedError  # noqa: PLC0415
        from dunning.services.intake.table import Table  # noqa: PLC0415

        named: set[str] = set()
        try:
            with self._uploads.read(upload) as chunks:
                for row in Table(_in_time(chunks, seconds_left)):
                    if row.customer_id in wanted:
                        named.add(row.customer_id)
        except FileRefusedError:
            for customer_id in wanted.keys() - named:
                with self._uploads.read(upload) as chunks:
                    if is_in(_in_time(chunks, seconds_left), customer_id):
                        named.add(customer_id)
        return named


def _until(lender_record: LenderRecord) -> datetime | None:
    """Return up to when what is held of an erased customer goes; `None`: all, for they have not come back."""
    snapshot = lender_record.snapshot
    if snapshot is None:
        return None
    # A consent that is dated by its day is taken for the end of it, which may be yet to come.
    return min(moment for moment in (snapshot.consented_at, snapshot.as_of) if moment is not None)


def _is_waited_for(upload: StoredUpload, lender_record: LenderRecord) -> bool:
    """Tell whether a file was under way when its customer was erased. Later ones the bucket deletes in their time."""
    return lender_record.erased_at is not None and upload.uploaded_at <= lender_record.erased_at + MAY_BE_LOADING


def _in_time(chunks: Iterable[bytes], seconds_left: Callable[[], float]) -> Iterator[bytes]:
    for chunk in chunks:
        if seconds_left() < SECONDS_TO_FINISH:
            raise ErasureOutOfTimeError
        yield chunk


_OF_AN_ID = b"[A-Za-z0-9]"
"""What makes another id of one that stands in it. Of no table, from which nothing was loaded, rather one too many."""


def is_in(chunks: Iterable[bytes], customer_id: str) -> bool:
    """Tell whether bytes name a customer, in UTF-8 or UTF-16, and not only one whose id contains this one."""
    patterns = []
    for encoding, unit in (("utf-8", rb""), ("utf-16-le", rb"\x00"), ("utf-16-be", rb"")):
        high = rb"\x00" if encoding == "utf-16-be" else b""
        of_an_id = high + _OF_AN_ID + unit
        wanted = re.escape(customer_id.encode(encoding))
        patterns.append(re.compile(b"(?<!" + of_an_id + b")" + wanted + b"(?!" + of_an_id + b")"))
    kept = 2 * len(customer_id) + 2
    # What stands before and behind has to be seen: nothing is looked for in the first two bytes, nor at the very end.
    window = b"\n\n"
    for chunk in chain(chunks, [b"\n\n"]):
        window += chunk
        for pattern in patterns:
            if any(found.end() + 2 <= len(window) for found in pattern.finditer(window, 2)):
                return True
        window = window[-kept - 2 :]
    return False
