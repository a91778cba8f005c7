"""
Erase: deletes everything held of a customer, and removes the personal data from the audit records.

An audit record keeps its skeleton: the id, the time of the claim, the template, and the outcome. A tombstone keeps the
id and the time of the erasure, so that no old file and no repeated event re-creates the customer.

What a customer drew in trials is taken away by the nightly run alone: each round marks the customer for it.

    erase ──> tombstone, which keeps the addresses for now, and no standing ──> index, records, replies
                 from here on no text can be decided on          │
                                                                 ├── 90 s later: erase_again, the same once more,
                                                                 │   and uploaded files
                                                                 ├── and each quarter of an hour, until nothing is
                                                                 │   under way any more (`purge.py`)
                                                                 └── then the addresses go too: purge_numbers

The later rounds erase the data of work under way in the first round. A text that was being published leaves a record
with address and text. A file that was being loaded puts its addresses into the index. A reply may be delivered again
up to half an hour later, and is then kept below its number, because no customer has the number. All rounds can be
repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from dunning.domain.customer.lender_record import (
    LenderRecord,
    erase_record,
    forget_former_addresses,
    former_addresses,
    present_addresses,
)
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.ports.case_book import CaseErasure
from dunning.ports.clock import Clock
from dunning.ports.customers import AddressIndex
from dunning.ports.erasure import ContactErasure, CustomerErasure, DrawErasure, StoredUpload, UploadErasure
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically

SECOND_ROUND = timedelta(seconds=90)
"""By then a text that was under way has left its record: the sender's timeout is 60 s."""

MAY_BE_LOADING = timedelta(hours=1)
"""A file stays for this time after its upload: its other customers may not be loaded yet, retries included."""

PART_MAY_BE_LOADING = timedelta(hours=12)
"""A part of a large file waits for the parts before it, and for its own retries. It goes once all are loaded."""

ROUND_INTERVAL = timedelta(minutes=15)
"""The time between the rounds after the second: the longest delay of an SQS message."""

UNDER_WAY = timedelta(minutes=45)
"""
By then all work under way has ended, unless a queue stands still.

A load takes a quarter of an hour at most. A reply that still fails is on its queue, which is then not idle.
"""

SECONDS_TO_FINISH = 5.0
"""With less time left no more of a file or a queue is read."""


_SECONDS_FOR_A_FILE = 40.0
"""In this time a file of some five million rows is read. A file that takes longer cannot be looked through."""


class ErasureOutOfTimeError(DunningError):
    """The invocation has too little time left to read the uploads to their end."""


class _StoredLenderRecord(NamedTuple):
    """A lender record, or `None` if it cannot be read: an erasure writes over it."""

    lender_record: LenderRecord | None


class _ErasableCustomers(CustomerErasure, AddressIndex, Protocol):
    """The ports of the customers table that an erasure needs."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The number of a customer's items, of audit records with personal data, of replies, and of colleagues' notes."""

    items: int
    records: int
    replies: int = 0
    notes: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there was nothing left to erase."""
        return not (self.items or self.records or self.replies or self.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedUploads:
    """
    The number of file versions deleted, and the customers in files that may still be loading.

    All files from before `searched_before` have been read. If time ran out (`is_finished` is false), files since then
    have not: another round continues there.
    """

    deleted: int
    waiting: frozenset[str]
    searched_before: datetime
    is_finished: bool = True


class EraseService:
    """Erases customers, one at a time. The caller decides on whose request, and when."""

    def __init__(  # noqa: PLR0913 - its ports
        self,
        *,
        customers: _ErasableCustomers,
        contacts: ContactErasure,
        uploads: UploadErasure,
        clock: Clock,
        telemetry: Telemetry,
        headings: Callable[[], Mapping[str, str]] = dict,
        encoding: str = "",
        cases: CaseErasure | None = None,
        draws: DrawErasure | None = None,
    ) -> None:
        """
        Take the ports, and how files are read.

        Args:
            customers: the customers table.
            contacts: the contacts table.
            uploads: the files of accounts.
            clock: the time.
            telemetry: logs and metrics.
            headings: returns the headings of the policies; they are read only for a file.
            encoding: the encoding that files may have besides UTF-8, or nothing.
            cases: what colleagues noted of customers; `None` without a console.
            draws: whose draws the nightly run of trials takes away; `None` where no trial can run.
        """
        self._customers = customers
        self._contacts = contacts
        self._uploads = uploads
        self._clock = clock
        self._telemetry = telemetry
        self._headings = headings
        self._encoding = encoding
        self._cases = cases
        self._draws = draws

    def look(self, customer_id: str) -> Erased:
        """Count the data to erase, and change nothing. Uploaded files are not read."""
        return Erased(
            self._customers.stored_items(customer_id),
            self._contacts.identifying_records(customer_id),
            self._contacts.stored_replies(customer_id),
            self._cases.stored_notes(customer_id) if self._cases else 0,
        )

    def labelled_replies(self, customer_id: str) -> int:
        """Count the replies that hold a person's label beside what was understood."""
        return self._contacts.labelled_replies(customer_id)

    def keeps_numbers(self, customer_id: str) -> bool:
        """Tell whether the numbers of an erased customer are still kept, to find late messages."""
        lender_record = self._customers.lender_record(customer_id)
        return isinstance(lender_record, LenderRecord) and lender_record.phones_until is not None

    def erase(self, customer_id: str, at: datetime) -> Erased:
        """
        Erase a customer as of a moment, and count the data erased.

        `erase_again` has to follow after `SECOND_ROUND`, and `purge_numbers` once nothing is under way any more.

        A customer who has consented again since keeps all data newer than that consent.

        Raises:
            ContestedError, ServiceCallError: the erasure is not finished: erase again.
        """
        there, begun_at = self.look(customer_id), self._clock.now()
        lender_record, is_new = self._write_tombstone(customer_id, at)
        if is_new:
            self._telemetry.count(Metric.CUSTOMERS_ERASED)
        gone = self._clean(lender_record, begun_at)
        erased = replace(gone, items=there.items if lender_record.snapshot is None else gone.items)
        if is_new or not gone.nothing:
            self._log_erased(customer_id, erased)
        return erased

    def erase_again(self, customer_id: str) -> Erased:
        """
        Erase the data of work that was under way when a customer was erased.

        Raises:
            ServiceCallError, UnreadableRecordError: the round is not finished. It can be repeated.
        """
        begun_at = self._clock.now()
        lender_record = self._read(customer_id)
        return self._clean_again(lender_record, begun_at) if lender_record.erased_at else Erased(0, 0)

    def purge_numbers(self, customer_id: str) -> Erased:
        """
        Erase late data, and the numbers of an erased customer.

        Raises:
            ContestedError, ServiceCallError, UnreadableRecordError: the round is not finished. It can be repeated.
        """
        begun_at = self._clock.now()

        def attempt(lender_record: LenderRecord) -> Erased | Conflict:
            if lender_record.erased_at is None:
                return Erased(0, 0)
            gone = self._clean_again(lender_record, begun_at)
            after = forget_former_addresses(lender_record)
            if after is lender_record:
                return gone
            is_saved = self._customers.save_erased(after, expected_revision=lender_record.revision)
            return gone if is_saved else CONFLICT

        def read() -> LenderRecord | UnreadableRecordError:
            return self._customers.lender_record(customer_id)

        return write_optimistically(customer_id, read(), read, attempt)

    def erase_uploads(
        self, searched_before: Mapping[str, datetime | None], seconds_left: Callable[[], float]
    ) -> ErasedUploads:
        """
        Delete the uploaded files that name any of these erased customers. Each file is read once for all customers.

        A file that cannot be read as intake reads it goes, too: intake has refused it, or it is longer than an erasure
        can read, and nobody can say whom it names. By then it is split, and its parts are looked through.

        A file that may still be loading stays. Its customers are returned, so that another round follows for them.

        Args:
            searched_before: the customers, each with the time before which earlier rounds have read all files.
            seconds_left: how long the invocation may still take.

        Raises:
            ErasureOutOfTimeError, ServiceCallError: not even the oldest files were read. It can be repeated.
        """
        wanted = {customer_id: found for customer_id in searched_before if (found := self._erased(customer_id))}
        now = self._clock.now()
        searched, is_finished = now - MAY_BE_LOADING, True
        deleted = 0
        waiting: set[str] = set()
        oldest: datetime | None = None
        for upload in sorted(self._uploads.uploads() if wanted else (), key=lambda version: version.uploaded_at):
            asked = {
                customer_id: lender_record
                for customer_id, lender_record in wanted.items()
                if upload.uploaded_at >= (searched_before[customer_id] or upload.uploaded_at)
            }
            if not asked:
                continue
            oldest = oldest or upload.uploaded_at
            has_time = seconds_left() >= _SECONDS_FOR_A_FILE
            try:
                named = self._named(upload, asked, seconds_left)
            except ErasureOutOfTimeError:
                if not has_time:
                    if upload.uploaded_at == oldest and not deleted:
                        raise
                    searched, is_finished = min(searched, upload.uploaded_at), False
                    break
                named = set(asked)
            named = {
                customer_id
                for customer_id in named
                if (until := _until(asked[customer_id])) is None or upload.uploaded_at <= until
            }
            if named and upload.uploaded_at <= now - _may_be_loading(upload):
                self._uploads.delete(upload)
                deleted += 1
            else:
                awaited = {customer_id for customer_id in named if _is_waited_for(upload, asked[customer_id])}
                waiting |= awaited
                if awaited:
                    searched = min(searched, upload.uploaded_at)  # the next round has to read it again
        if deleted or waiting:
            self._telemetry.log_event(LogEvent.UPLOADS_ERASED, files=deleted, waiting=len(waiting))
        return ErasedUploads(
            deleted=deleted, waiting=frozenset(waiting), searched_before=searched, is_finished=is_finished
        )

    def _write_tombstone(self, customer_id: str, at: datetime) -> tuple[LenderRecord, bool]:
        """Write the tombstone, and return whether it is new."""

        def attempt(found: _StoredLenderRecord) -> tuple[LenderRecord, bool] | Conflict:
            stored = found.lender_record
            if stored is None:
                # The numbers are lost with the record, and the index keeps an id without a customer.
                self._telemetry.log_event(LogEvent.PHONES_NOT_KNOWN, customer_id=customer_id)
                tombstone = LenderRecord(customer_id=customer_id, revision=1, erased_at=at)
                self._customers.save_erased(tombstone, expected_revision=None)
                return tombstone, True
            after = erase_record(stored, at, self._clock.now() + UNDER_WAY)
            if after is stored:
                return stored, False
            former = [each for each in stored.indexed_accounts if each not in after.indexed_accounts]
            is_saved = self._customers.save_erased(after, expected_revision=stored.revision, former_accounts=former)
            return (after, True) if is_saved else CONFLICT

        def read() -> _StoredLenderRecord:
            stored = self._customers.lender_record(customer_id)
            return _StoredLenderRecord(None if isinstance(stored, UnreadableRecordError) else stored)

        return write_optimistically(customer_id, read(), read, attempt)

    def _read(self, customer_id: str) -> LenderRecord:
        lender_record = self._customers.lender_record(customer_id)
        if isinstance(lender_record, UnreadableRecordError):
            raise lender_record
        return lender_record

    def _clean_again(self, lender_record: LenderRecord, begun_at: datetime) -> Erased:
        gone = self._clean(lender_record, begun_at)
        if not gone.nothing:
            self._log_erased(lender_record.customer_id, gone)
        return gone

    def _clean(self, lender_record: LenderRecord, begun_at: datetime) -> Erased:
        """
        Delete all data of a customer from before the round. If the customer has returned, delete only the older data.

        Whoever returns while the round is under way keeps what is written from then on: a later round finds the rest.
        """
        customer_id, snapshot = lender_record.customer_id, lender_record.snapshot
        until = _until(lender_record) or begun_at
        if self._draws is not None:
            self._draws.mark_draws(customer_id, until, self._clock.now())
        items = 0 if snapshot else self._customers.erase_items(customer_id, revision=lender_record.revision)
        addresses = former_addresses(lender_record)
        for address in addresses:
            self._customers.remove_address(address, customer_id)
        if addresses or snapshot:
            self._index_again(customer_id)
        records = self._contacts.redact(customer_id, self._clock.now(), until=until)
        replies = self._contacts.erase_replies(customer_id, addresses, until=until)
        notes = self._cases.erase_case(customer_id, until=_until(lender_record)) if self._cases else 0
        return Erased(items, records, replies, notes)

    def _index_again(self, customer_id: str) -> None:
        """Index the addresses of a customer who has returned: a round, or one that died, may have removed them."""
        lender_record = self._customers.lender_record(customer_id)
        if not isinstance(lender_record, UnreadableRecordError):
            for address in present_addresses(lender_record):
                self._customers.add_address(address, customer_id)

    def _log_erased(self, customer_id: str, erased: Erased) -> None:
        self._telemetry.log_event(
            LogEvent.CUSTOMER_ERASED,
            customer_id=customer_id,
            items=erased.items,
            records=erased.records,
            replies=erased.replies,
            **({"notes": erased.notes} if erased.notes else {}),
        )

    def _erased(self, customer_id: str) -> LenderRecord | None:
        lender_record = self._customers.lender_record(customer_id)
        return lender_record if isinstance(lender_record, LenderRecord) and lender_record.erased_at else None

    def _named(
        self, upload: StoredUpload, asked: Mapping[str, LenderRecord], seconds_left: Callable[[], float]
    ) -> set[str]:
        """Return the customers that a file names, as intake reads it: all of them, if it cannot be read."""
        # Imported here, because the metadata of phone numbers is slow to import.
        from dunning.services.intake.part_files import PARTS_PREFIX, PartRows  # noqa: PLC0415
        from dunning.services.intake.refusals import FileRefusedError  # noqa: PLC0415
        from dunning.services.intake.table import RawRow, file_form, read_file  # noqa: PLC0415

        @contextmanager
        def opened() -> Iterator[Iterator[bytes]]:
            with self._uploads.read(upload) as chunks:
                yield _in_time(chunks, seconds_left)

        def names(rows: Iterable[RawRow]) -> set[str]:
            return {row.customer_id for row in rows if row.customer_id in asked}

        try:
            if upload.key.startswith(PARTS_PREFIX):
                with opened() as chunks:
                    return names(PartRows(chunks))
            return read_file(opened, file_form(self._headings(), self._encoding), names)
        except (FileRefusedError, UnreadableRecordError):
            return set(asked)


def _until(lender_record: LenderRecord) -> datetime | None:
    """Return the time up to which an erased customer's data goes; `None`: all, if the customer has not returned."""
    snapshot = lender_record.snapshot
    if snapshot is None:
        return None
    # A consent dated by its day counts from the end of the day, which may be in the future.
    return min(moment for moment in (snapshot.consented_at, snapshot.as_of) if moment is not None)


def _may_be_loading(upload: StoredUpload) -> timedelta:
    """Return how long a file may still be loading after it was uploaded, or a part after it was written."""
    return PART_MAY_BE_LOADING if upload.key.startswith("parts/") else MAY_BE_LOADING


def _is_waited_for(upload: StoredUpload, lender_record: LenderRecord) -> bool:
    """Tell whether a file was loading when its customer was erased. The bucket itself deletes later files in time."""
    return lender_record.erased_at is not None and upload.uploaded_at <= lender_record.erased_at + _may_be_loading(
        upload
    )


def _in_time(chunks: Iterable[bytes], seconds_left: Callable[[], float]) -> Iterator[bytes]:
    for chunk in chunks:
        if seconds_left() < SECONDS_TO_FINISH:
            raise ErasureOutOfTimeError
        yield chunk
