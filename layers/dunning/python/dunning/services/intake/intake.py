"""
Intake: a file of accounts becomes facts and wakes.

The file is read to its end before anything is written, so that a file which breaks in the middle changes nothing. Then
each customer is judged as a whole: loaded, left alone, or refused because of one bad row. If the same file is loaded
again, after a crash or by a second upload, only the missing writes are made.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import batched, chain, islice
from typing import NamedTuple, Protocol

from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import DunningError, ServiceCallError
from dunning.domain.outbound_events import FileLoaded
from dunning.ports.clock import Clock
from dunning.ports.customers import AddressIndex, CustomerStore
from dunning.ports.file_loads import FileLoad, FileLoads, FileReport
from dunning.ports.gateways import EventPublisher, Uploads
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.intake.cells import is_id
from dunning.services.intake.facts_from_rows import contradictions, days_of_payment, facts_from_rows
from dunning.services.intake.file_order import MOST_REMEMBERED, REMEMBERED, FileOrder, Overtaken
from dunning.services.intake.personal_ids import is_like_a_number, is_personal_id, serial_forms
from dunning.services.intake.refusals import (
    REJECT_COLUMNS,
    FileRefusedError,
    Refusal,
    Refused,
    reject_cells,
)
from dunning.services.intake.rows import PERSON_COLUMNS, Fault, FileTraits, Row, RowReader
from dunning.services.intake.settle import BATCH, Candidate, LoadedCandidate, LoadOutcome, Settler
from dunning.services.intake.spool import Spool, SpooledRow
from dunning.services.intake.table import FileForm, Table, read_file
from dunning.services.intake.whole_list import WholeLists, lender_of_list
from dunning.services.planning import log_planned_decision

MOST_ROWS_A_CUSTOMER = 1000
"""More would not fit into one record, and means that the column customer_id holds something else."""

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "AccessDenied"})
"""S3's answers for a file that was deleted; the last to those who may not list the bucket."""

_REJECTS = "rejects/"
_LONGEST_NAME = 1024 - len(_REJECTS)
"""In bytes: S3 takes keys of 1,024."""
_HASH_DIGITS = 16

_REPORTED_FOR = timedelta(days=35)
_LONGEST_HINT = 400
_NOT_FOR_LOGS = frozenset({"line", "field", "hint"})

_MOST_FAILURES = 100
"""With more failures the table is down: the rest of the file is left to the next try."""

_PROGRESS_EVERY = 10_000
_DATE = re.compile(
    r"(?<![0-9A-Za-z])20[0-9]{2}([-._]?)[01][0-9]\1[0-3][0-9]([-._T]?[0-2][0-9][-._]?[0-5][0-9]([-._]?[0-5][0-9])?)?"
    r"(?![0-9A-Za-z])"
)
_NUMBER_IN_NAME = re.compile(r"([0-9][-._ ]?){7}")
_PLAINLY_AN_ID = re.compile(r"(?=.*[0-9])(?!(?:[^0-9]*[0-9]){7}).*")
_REFUSED = {
    LoadOutcome.UNREADABLE: Refusal.STORED_RECORD_UNREADABLE,
    LoadOutcome.ERASED: Refusal.CUSTOMER_ERASED,
    LoadOutcome.TOO_LARGE: Refusal.STORED_RECORD_TOO_LARGE,
    LoadOutcome.KEPT_CHANGING: Refusal.KEPT_CHANGING,
}
_MAY_BE_MERGED = frozenset({"customer_id", *PERSON_COLUMNS, "account_id", "account_number", "currency"})
_ID_NOT_TO_BE_SHOWN = frozenset({Refusal.MALFORMED_ID, Refusal.PERSONAL_DATA_IN_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSummary:
    """
    The counts of a load. `refused` is the reason if the whole file was refused, or empty.

    `line`, `field` and `hint` say more of that, and are for whoever uploaded the file, not for logs.
    """

    rows: int = 0
    customers_loaded: int = 0
    customers_unchanged: int = 0
    customers_refused: int = 0
    rows_refused: int = 0
    older: int = 0
    phones_shared: int = 0
    erased: int = 0
    holds_not_understood: int = 0
    columns_ignored: int = 0
    rows_noted: int = 0
    not_in_list: int = 0
    seconds: float = 0.0
    refused: str = ""
    line: int = 0
    field: str = ""
    hint: str = ""


class ShareOfFile(Protocol):
    """Reads from a file that is not split what concerns one part of a file that is."""

    def read(self, table: Table, spool: Spool) -> tuple[int, Sequence[str]]:
        """Store the rows of the part's customers. Return the number of all rows, and ids of the whole file."""
        ...


class _WholeFile:
    """All of a file."""

    @staticmethod
    def read(table: Table, spool: Spool) -> tuple[int, Sequence[str]]:
        return spool.fill(table), spool.some_ids()


WHOLE_FILE: ShareOfFile = _WholeFile()


class FileUnderLoad(NamedTuple):
    """
    A file, or a part of one, whose customers are judged.

    `list_of` is the lender of a whole list, or nothing, and `missing` are the customers whom that list lacks.
    `named_since` are those whom a newer file names.
    """

    bucket: str
    uploaded_at: datetime
    list_of: str
    traits: FileTraits
    named_since: frozenset[str]
    missing: Sequence[str] = ()
    older_under_way: bool = False
    share: ShareOfFile = WHOLE_FILE


class _Tally:
    """The counts of a load so far."""

    def __init__(self) -> None:
        self.rows_judged = 0
        self.customers_refused = 0
        self.holds_not_understood = 0
        self.phones_shared = 0
        self.outcomes = dict.fromkeys(LoadOutcome, 0)
        self.failures: list[DunningError] = []

    def without_older(self, candidates: Iterable[Candidate], named_since: frozenset[str]) -> Iterator[Candidate]:
        """Leave out, and count, the customers whom a newer file names."""
        for candidate in candidates:
            if candidate.facts.customer_id in named_since:
                self.outcomes[LoadOutcome.OLDER] += 1
            else:
                yield candidate


class IntakeService:
    """Loads files of accounts."""

    def __init__(  # noqa: PLR0913 - its ports and its limit
        self,
        *,
        store: CustomerStore,
        phones: AddressIndex,
        loads: FileLoads,
        uploads: Uploads,
        publisher: EventPublisher,
        policies: Policies,
        lenders: frozenset[str],
        clock: Clock,
        telemetry: Telemetry,
        whole_lists: WholeLists,
        writers: int,
        form: FileForm | None = None,
        roc_lenders: frozenset[str] = frozenset(),
    ) -> None:
        self._settler = Settler(store, phones, policies)
        self._loads = loads
        self._order = FileOrder(loads)
        self._whole_lists = whole_lists
        self._uploads = uploads
        self._publisher = publisher
        self._policies = policies
        self._lenders = lenders
        self._clock = clock
        self._telemetry = telemetry
        self._writers = writers
        self._form = form or FileForm()
        self._roc_lenders = roc_lenders

    def load(self, bucket: str, key: str, uploaded_at: datetime) -> IntakeSummary:
        """
        Load one file, and write its refused rows below `rejects/` under the same name.

        Args:
            bucket: the bucket of the file.
            key: its key, below `accounts/` or, if it is a lender's whole list, below `complete/<lender>/`.
            uploaded_at: an aware instant; the lender's snapshot is of this moment.

        Raises:
            ServiceCallError: some customers could not be read or written; the others are loaded. Load the file again.
            ContestedError: other loads began all the time. Load the file again.
        """
        started = self._clock.now()
        overtaken = self._order.begin(key, uploaded_at, started)
        summary = self._load(bucket, key, uploaded_at, overtaken)
        if summary.refused:
            self._order.withdraw(key, uploaded_at)
        else:
            self._order.finish(key, uploaded_at)
        self.tell(key, uploaded_at, summary)
        return summary

    def _load(self, bucket: str, key: str, uploaded_at: datetime, overtaken: Overtaken) -> IntakeSummary:
        started = self._clock.now()
        with Spool() as spool:
            try:
                list_of = lender_of_list(key, self._lenders)
                named_since = self.named_since(bucket, overtaken.by)
                table, rows, ids = self._read(bucket, key, spool)
                missing = self._whole_lists.missing(list_of, uploaded_at, spool.has) if list_of else []
            except FileRefusedError as error:
                return self.refuse_file(bucket, key, error)
            spool.refuse(table.notes)
            file = FileUnderLoad(
                bucket,
                uploaded_at,
                list_of,
                traits_of(table, ids, list_of),
                named_since,
                missing,
                older_under_way=overtaken.older_under_way,
            )
            counts, failures = self.load_customers(spool, file)
            rows_refused, rows_noted = self.write_rejects(bucket, key, spool)
        for first in failures:
            raise first
        summary = replace(
            counts,
            rows=rows,
            rows_refused=rows_refused,
            columns_ignored=table.columns_ignored,
            rows_noted=rows_noted,
            seconds=(self._clock.now() - started).total_seconds(),
        )
        self.report(summary, list_of)
        return summary

    def load_customers(self, spool: Spool, file: FileUnderLoad) -> tuple[IntakeSummary, Sequence[DunningError]]:
        """
        Judge and write the customers of a spool, and keep there what was refused.

        Returns the counts of customers, and why some could not be read or written: then load all once more.
        """
        # A newer file that names a customer has overtaken a list that does not. The others are silenced before
        # anybody else is written.
        lacking = [customer_id for customer_id in file.missing if customer_id not in file.named_since]
        not_in_list = self._mark_missing(file.list_of, lacking, file.uploaded_at, spool)
        tally = self._judge_and_write(spool, file)
        not_in_list += self._mark_whom_newer_lists_lack(file.bucket, file.uploaded_at, spool, file.share)
        counts = IntakeSummary(
            customers_loaded=tally.outcomes[LoadOutcome.LOADED],
            customers_unchanged=tally.outcomes[LoadOutcome.UNCHANGED],
            customers_refused=tally.customers_refused,
            older=tally.outcomes[LoadOutcome.OLDER],
            phones_shared=tally.phones_shared,
            erased=tally.outcomes[LoadOutcome.ERASED],
            holds_not_understood=tally.holds_not_understood,
            not_in_list=not_in_list,
        )
        return counts, tally.failures

    def report(self, summary: IntakeSummary, list_of: str) -> None:
        """Log and count what the load of a file has come to."""
        counts = {name: count for name, count in asdict(summary).items() if name not in _NOT_FOR_LOGS}
        self._telemetry.log_event(LogEvent.INTAKE_FINISHED, **counts)
        self._telemetry.count(Metric.ROWS_REFUSED, summary.rows_refused)
        self._telemetry.count(Metric.CUSTOMERS_LOADED, summary.customers_loaded)
        self._telemetry.count(Metric.PHONES_SHARED, summary.phones_shared)
        if 2 * summary.rows_refused >= summary.rows:
            self._telemetry.count(Metric.FILES_MOSTLY_REFUSED)
        if list_of:
            self._telemetry.count(Metric.CUSTOMERS_NOT_IN_LIST, summary.not_in_list)
        if summary.erased:
            self._telemetry.count(Metric.ERASED_CUSTOMERS_REFUSED, summary.erased)

    def tell(self, key: str, uploaded_at: datetime, summary: IntakeSummary, parts: int = 1) -> None:
        """
        Keep for people, and tell other systems, what the load of a file has come to.

        Raises:
            ServiceCallError: it is not kept, so nobody is told either. Load the file again.
        """
        now = self._clock.now()
        self._loads.keep_report(self._report(key, uploaded_at, now, summary, parts))
        self._publisher.publish([_file_loaded(key, uploaded_at, now, summary, parts)])

    def _report(self, key: str, uploaded_at: datetime, now: datetime, summary: IntakeSummary, parts: int) -> FileReport:
        """Return what people read of a load. One whose file has a personal name is kept no longer than the file."""
        is_harmless = tells_of_nobody(key)
        try:
            list_of = lender_of_list(key, self._lenders)
        except FileRefusedError:
            list_of = ""
        return FileReport(
            file_id=file_id(key, uploaded_at),
            uploaded_at=uploaded_at,
            ended_at=now,
            expires_at=now + (_REPORTED_FOR if is_harmless else REMEMBERED),
            name=key if is_harmless else "",
            list_of=list_of,
            refused=summary.refused,
            line=summary.line,
            field=summary.field,
            hint=summary.hint[:_LONGEST_HINT],
            rejects_key=_rejects_of(key, summary),
            rows=summary.rows,
            rows_refused=summary.rows_refused,
            rows_noted=summary.rows_noted,
            customers_loaded=summary.customers_loaded,
            customers_unchanged=summary.customers_unchanged,
            customers_refused=summary.customers_refused,
            older=summary.older,
            erased=summary.erased,
            not_in_list=summary.not_in_list,
            phones_shared=summary.phones_shared,
            holds_not_understood=summary.holds_not_understood,
            columns_ignored=summary.columns_ignored,
            parts=parts,
            seconds=round(summary.seconds),
        )

    def _read(
        self, bucket: str, key: str, spool: Spool, share: ShareOfFile = WHOLE_FILE
    ) -> tuple[Table, int, Sequence[str]]:
        """Store the rows of a file, and return its table, their number, and ids that show of what form all are."""

        def take(table: Table) -> tuple[Table, int, Sequence[str]]:
            spool.clear()
            return table, *share.read(table, spool)

        return read_file(lambda: self._uploads.open(bucket, key), self._form, take)

    def _mark_whom_newer_lists_lack(self, bucket: str, uploaded_at: datetime, spool: Spool, share: ShareOfFile) -> int:
        """
        Silence customers of this file whom a newer whole list lacks: before, they were not known, or another lender's.

        It follows the writing of customers, so that a list that has begun meanwhile counts, too.
        """
        marked = 0
        for newer in self._order.newer_than(uploaded_at):
            with Spool() as newer_spool:
                try:
                    list_of = lender_of_list(newer.key, self._lenders)
                    if not list_of:
                        continue
                    self._read(bucket, newer.key, newer_spool, share)
                except FileRefusedError:
                    continue  # it changes nothing
                lacking = [customer_id for customer_id in spool.customer_ids() if not newer_spool.has(customer_id)]
            marked += self._mark_missing(list_of, lacking, newer.uploaded_at, spool)
        return marked

    def _mark_missing(self, lender: str, missing: Sequence[str], since: datetime, spool: Spool) -> int:
        """Silence the customers of a lender whom a whole list lacks, and return their number."""
        now = self._clock.now()
        marked = 0
        for customer_id, decision, events in self._whole_lists.mark(lender, missing, since, now):
            marked += 1
            self._publisher.publish(events)
            if decision is None or decision.reason is not Reason.NOTHING_OPEN:
                shown = customer_id if _may_be_shown(customer_id, ()) else ""
                spool.refuse([Refused(0, shown, "customer_id", Refusal.NOT_IN_LIST)])
            if decision is not None:
                log_planned_decision(self._telemetry, customer_id, decision, now)
        return marked

    def refuse_file(self, bucket: str, key: str, error: FileRefusedError) -> IntakeSummary:
        """Refuse a whole file: it changes nothing, and its reject file gives the reason in one line."""
        self._write_refused(bucket, key, [Refused(error.line, "", error.field, error.reason, error.hint)])
        self._telemetry.log_event(LogEvent.INTAKE_REFUSED, reason=error.reason.value, line=error.line)
        self._telemetry.count(Metric.FILES_REFUSED)
        return IntakeSummary(refused=error.reason.value, line=error.line, field=error.field, hint=error.hint)

    def write_rejects(self, bucket: str, key: str, spool: Spool) -> tuple[int, int]:
        """Write the reject file if there is anything to say. Return how many lines were refused, and how many noted."""
        refused, noted = spool.rows_refused(), spool.rows_noted()
        if refused or noted:
            self._write_refused(bucket, key, spool.refused())
        return refused, noted

    def _write_refused(self, bucket: str, key: str, refused: Iterable[Refused]) -> None:
        rows = chain([REJECT_COLUMNS], map(reject_cells, refused))
        self._uploads.write_rejects(bucket, rejects_key(key), rows)

    def look_for_newer(self, bucket: str, overtaken_by: Sequence[FileLoad]) -> None:
        """
        See to it that the newer files are there to compare.

        Raises:
            FileRefusedError: a newer file is gone, or there are too many.
        """
        _see_that_few_enough(overtaken_by)
        for newer in overtaken_by:
            with _there_to_compare(), self._uploads.open(bucket, newer.key):
                pass

    def named_since(
        self, bucket: str, overtaken_by: Sequence[FileLoad], share: ShareOfFile = WHOLE_FILE
    ) -> frozenset[str]:
        """
        Return the customers of whom a newer file says something that can be loaded.

        Raises:
            FileRefusedError: a newer file is gone, or there are too many.
        """
        _see_that_few_enough(overtaken_by)
        named: set[str] = set()
        for newer in overtaken_by:
            with Spool() as spool:
                with _there_to_compare():
                    try:
                        list_of = lender_of_list(newer.key, self._lenders)
                        table, _, ids = self._read(bucket, newer.key, spool, share)
                    except FileRefusedError:
                        continue  # it changes nothing
                candidates = self._candidates(spool, newer.uploaded_at, traits_of(table, ids, list_of), _Tally())
                named |= {candidate.facts.customer_id for candidate in candidates}
        return frozenset(named)

    def _judge_and_write(self, spool: Spool, file: FileUnderLoad) -> _Tally:
        """Judge customers here and write them in batches on several threads, with few batches under way."""
        tally = _Tally()
        now = self._clock.now()
        under_way: set[Future[list[LoadedCandidate]]] = set()
        pool = ThreadPoolExecutor(self._writers)
        try:
            candidates = self._candidates(spool, file.uploaded_at, file.traits, tally)
            current = tally.without_older(candidates, file.named_since) if file.named_since else candidates
            dated = file.older_under_way
            for batch in batched(current, BATCH, strict=False):
                under_way.add(pool.submit(self._settler.settle_batch, batch, now, dates_unchanged=dated))
                if len(under_way) >= 2 * self._writers:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    self._note(done, now, spool, tally)
                    if len(tally.failures) >= _MOST_FAILURES:
                        break
            self._note(wait(under_way).done, now, spool, tally)
        finally:
            pool.shutdown(cancel_futures=True)
        return tally

    def _candidates(
        self, spool: Spool, uploaded_at: datetime, traits: FileTraits, tally: _Tally
    ) -> Iterator[Candidate]:
        """Yield the customers without a fault, and keep the refusals of all others."""
        reader = RowReader(self._lenders, uploaded_at, traits, roc_lenders=self._roc_lenders)
        for customer_id, spooled in spool.customers():
            if not customer_id:  # rows without a customer: each is judged by itself
                for spooled_row in spooled:
                    self._count_rows(1, tally)
                    spool.refuse(_judge([spooled_row], reader)[1])
                continue
            few = list(islice(spooled, MOST_ROWS_A_CUSTOMER + 1))
            self._count_rows(len(few) + sum(1 for _ in spooled), tally)
            rows, refused = _judge(few, reader)
            if refused:
                tally.customers_refused += 1
                spool.refuse(refused)
            else:
                facts = facts_from_rows(rows, uploaded_at)
                if self._policies.rules_for(facts, uploaded_at) is Reason.STORED_ELSEWHERE:
                    tally.customers_refused += 1
                    spool.refuse([Refused(rows[0].line, facts.customer_id, "country", Refusal.STORED_ELSEWHERE)])
                    continue
                tally.holds_not_understood += sum(row.hold_not_understood for row in rows)
                if notes := _notes(rows):
                    spool.refuse(notes)
                yield Candidate(facts, rows[0].line, days_of_payment(rows))

    def _count_rows(self, rows: int, tally: _Tally) -> None:
        before = tally.rows_judged // _PROGRESS_EVERY
        tally.rows_judged += rows
        if tally.rows_judged // _PROGRESS_EVERY > before:
            self._telemetry.log_event(LogEvent.INTAKE_PROGRESS, rows=tally.rows_judged)

    def _note(self, done: Iterable[Future[list[LoadedCandidate]]], now: datetime, spool: Spool, tally: _Tally) -> None:
        """Count the outcomes of customers, and publish their events."""
        for future in done:
            try:
                settled = future.result()
            except ServiceCallError as error:
                tally.failures.append(error)
                continue
            self._publisher.publish([event for loaded in settled for event in loaded.events])
            for (facts, line, _), outcome, decision, opts_out, shares_phone, _, failure in settled:
                if failure is not None:
                    tally.failures.append(failure)
                tally.outcomes[outcome] += 1
                tally.phones_shared += shares_phone
                if opts_out:
                    self._telemetry.count(Metric.OPT_OUTS)
                if decision is not None:
                    log_planned_decision(self._telemetry, facts.customer_id, decision, now)
                if outcome in _REFUSED:
                    tally.customers_refused += 1
                    spool.refuse([Refused(line, facts.customer_id, "customer_id", _REFUSED[outcome])])


def _see_that_few_enough(overtaken_by: Sequence[FileLoad]) -> None:
    if len(overtaken_by) >= MOST_REMEMBERED:
        raise FileRefusedError(Refusal.OVERTAKEN)


@contextmanager
def _there_to_compare() -> Iterator[None]:
    try:
        yield
    except ServiceCallError as error:
        if error.code not in _GONE:
            raise
        raise FileRefusedError(Refusal.OVERTAKEN) from None


def traits_of(table: Table, ids: Sequence[str], list_of: str) -> FileTraits:
    """Return what a file as a whole tells of its cells."""
    return FileTraits(
        decimal_comma=table.decimal_comma,
        long_numbers_are_exact=table.long_numbers_are_exact,
        serials=serial_forms(ids),
        list_of=list_of,
    )


def file_id(key: str, uploaded_at: datetime) -> str:
    """Return the id of an upload: the same for each try. The name cannot be read from it, which may be personal."""
    named = f"{key}\n{uploaded_at.astimezone(UTC).isoformat()}"
    return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _file_loaded(key: str, uploaded_at: datetime, now: datetime, summary: IntakeSummary, parts: int) -> FileLoaded:
    """Return the event that tells other systems what the load of a file has come to."""
    rejects = _rejects_of(key, summary)
    return FileLoaded(
        file_id=file_id(key, uploaded_at),
        at=now,
        uploaded_at=uploaded_at,
        refused=summary.refused,
        rows=summary.rows,
        rows_refused=summary.rows_refused,
        customers_loaded=summary.customers_loaded,
        customers_unchanged=summary.customers_unchanged,
        customers_refused=summary.customers_refused,
        customers_older=summary.older,
        customers_erased=summary.erased,
        customers_not_in_list=summary.not_in_list,
        phones_shared=summary.phones_shared,
        parts=parts,
        seconds=summary.seconds,
        has_rejects=bool(rejects),
        rejects_key=rejects if tells_of_nobody(rejects) else "",
    )


def _rejects_of(key: str, summary: IntakeSummary) -> str:
    """Return where the rejects of a load are; empty if there are none."""
    return rejects_key(key) if summary.refused or summary.rows_refused or summary.rows_noted else ""


def tells_of_nobody(key: str) -> bool:
    """
    Tell whether a key may leave for other systems: the rule is that of customers' ids, for each of its folders.

    A date or a time is let pass, which has as many digits as a number; no other seven digits are, wherever they stand.
    """
    bare = _DATE.sub("", key)
    return not _NUMBER_IN_NAME.search(bare) and all(not name or _may_be_shown(name, ()) for name in bare.split("/"))


def rejects_key(key: str) -> str:
    """
    Return the key for the refusals of a file: the same name below `rejects/`.

    A name for which S3 has no room there ends with a hash of the whole name.
    """
    name = key.removeprefix("accounts/").encode()
    if len(name) > _LONGEST_NAME:
        end = f"~{sha256(name).hexdigest()[:_HASH_DIGITS]}.csv".encode()
        name = name[: _LONGEST_NAME - len(end)] + end
    return f"{_REJECTS}{name.decode('utf-8', 'ignore')}"


def _judge(spooled: Sequence[SpooledRow], reader: RowReader) -> tuple[list[Row], list[Refused]]:
    """Return the rows of one customer, and all faults of the rows, by themselves and together."""
    first = spooled[0].raw
    if len(spooled) > MOST_ROWS_A_CUSTOMER:
        shown = first.customer_id if _may_be_shown(first.customer_id, ()) else ""
        return [], [Refused(first.line, shown, "customer_id", Refusal.TOO_MANY_ROWS)]
    rows: list[Row] = []
    faulty: list[tuple[int, Fault]] = []
    for number, (raw, contested) in enumerate(spooled):
        faults: list[Fault] = []
        if raw.cells is None:
            faults.append(raw.fault or Fault("", Refusal.WRONG_FIELD_COUNT))
        else:
            read = reader.read(raw.line, raw.cells)
            if isinstance(read, Row):
                rows.append(read)
            else:
                is_further = bool(raw.customer_id) and (number > 0 or not raw.cells[0].strip())
                faults += map(_as_merged, read) if is_further else read
        if contested:
            faults.append(Fault("account_id", Refusal.ACCOUNT_OF_TWO_CUSTOMERS))
        faulty += [(raw.line, fault) for fault in faults]
    faulty += contradictions(rows)
    if not faulty:
        return rows, []
    shown = first.customer_id if _may_be_shown(first.customer_id, [fault for _, fault in faulty]) else ""
    return rows, [Refused(line, shown, *fault) for line, fault in faulty]


def _notes(rows: Iterable[Row]) -> list[Refused]:
    """Return what somebody has to look at in the rows of a customer who is loaded."""
    return [
        Refused(row.line, row.customer_id if _may_be_shown(row.customer_id, ()) else "", *note)
        for row in rows
        for note in row.notes
    ]


def _as_merged(fault: Fault) -> Fault:
    """Say of a cell that names person or account, and is empty in a customer's further row, why it may be empty."""
    if fault.reason is Refusal.MISSING and fault.field in _MAY_BE_MERGED:
        return Fault(fault.field, Refusal.MERGED_CELLS)
    return fault


def _may_be_shown(customer_id: str, faults: Iterable[Fault]) -> bool:
    """
    Tell whether the first cell of refused rows may be printed: it should be an id, but may be anything.

    If columns have slipped, or the phone cannot be read for comparison, a cell like a name or a number is not printed.
    """
    if not is_id(customer_id) or is_like_a_number(customer_id) or is_personal_id(customer_id, ""):
        return False
    doubtful = False
    for fault in faults:
        if fault.field == "customer_id" and fault.reason in _ID_NOT_TO_BE_SHOWN:
            return False
        doubtful = doubtful or fault.field == "phone" or fault.reason is Refusal.WRONG_FIELD_COUNT
    return not doubtful or _PLAINLY_AN_ID.fullmatch(customer_id) is not None
