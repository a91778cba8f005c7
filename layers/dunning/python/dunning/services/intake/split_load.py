"""
Split load: a file too large for one invocation is split, loaded in parts side by side, and summed up once.

    upload ──> split ──> [compare] ──> part ┐
                                       part ├──> the last part to end finishes: rejects, summary, `FileLoaded`
                                       part ┘

What holds for the file as a whole is decided while it is split, and kept with the state of the load: nothing is on the
queue before the file was read to its end. All rows of a customer are in one part, so that parts do not meet. A part is
loaded by the same service as a small file.

Each step can be repeated. The split writes the same parts again; a part that is loaded already changes nothing; of all
parts one is written down as the one that completed the load, under the version of the state, and only its messages
finish it. So a crash costs time, and at worst a second `FileLoaded` with the same id. A part that fails for good stays
among the dead letters: the load has then no end, and no `FileLoaded`, until its message is sent again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta

from dunning.contracts.file_part import FilePart, file_part_body, parse_file_part
from dunning.domain.errors import DunningError, ServiceCallError, error_location
from dunning.ports.clock import Clock
from dunning.ports.file_loads import FileLoads
from dunning.ports.gateways import EventPublisher, Uploads
from dunning.ports.queues import DelayQueue, QueueMessage
from dunning.ports.split_loads import PartCounts, SplitLoad, SplitLoads, WorkFiles
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.intake.file_ids import FileIds, part_of_customer
from dunning.services.intake.file_order import REMEMBERED, FileOrder
from dunning.services.intake.intake import FileUnderLoad, IntakeService, IntakeSummary, file_id, traits_of
from dunning.services.intake.part_files import (
    PartRows,
    PartWriter,
    ids_of,
    missing_key,
    outcomes_folder,
    part_key,
    parts_folder,
    refused_as_records,
    refused_key,
    refused_of,
    written_csv,
)
from dunning.services.intake.refusals import FileRefusedError, Refused
from dunning.services.intake.rows import FileTraits
from dunning.services.intake.spool import Spool
from dunning.services.intake.table import FileForm, Table, read_file
from dunning.services.intake.whole_list import WholeLists, lender_of_list
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically

PART_BYTES = 16 << 20
"""
The size of a part.

Some 60,000 rows, which are written in a minute or two: a seventh of the time there is, also if the table is slow.
"""

MOST_PARTS = 500
"""Each is an open file while a file is split, of which Lambda allows 1,024. A larger file has larger parts."""

_SEGMENTS = 8
"""The table is read in so many segments at once, to find out whom a whole list lacks."""

_COUNTS = tuple(field.name for field in fields(PartCounts) if field.name != "refused")


class SplitForgottenError(DunningError):
    """Nothing is known of a split load any more: its time has passed. Upload the file again."""


def number_of_parts(size: int, part_bytes: int = PART_BYTES) -> int:
    """Return in how many parts a file of so many bytes is loaded."""
    return max(1, min(MOST_PARTS, -(-size // part_bytes)))


class _Share:
    """What concerns one part, of a file that is not split or split otherwise."""

    def __init__(self, part: int, parts: int) -> None:
        self._part = part
        self._parts = parts

    def read(self, table: Table, spool: Spool) -> tuple[int, Sequence[str]]:
        """Store the rows of the part's customers. Return the number of all rows, and ids of the whole file."""
        rows = 0

        def of_the_part(ids: FileIds) -> Iterator[object]:
            nonlocal rows
            for part, row in ids.watch(table):
                rows += 1
                if part == self._part:
                    yield row

        with FileIds(self._parts) as ids:
            spool.fill(of_the_part(ids))  # type: ignore[arg-type]
            spool.contest(account_id for part, account_id in ids.contested() if part == self._part)
            return rows, ids.some_ids()


class SplitLoadService:
    """Splits large files, and loads their parts."""

    def __init__(  # noqa: PLR0913 - its ports and its limits
        self,
        *,
        intake: IntakeService,
        splits: SplitLoads,
        work: WorkFiles,
        queue: DelayQueue,
        loads: FileLoads,
        uploads: Uploads,
        whole_lists: WholeLists,
        publisher: EventPublisher,
        lenders: frozenset[str],
        clock: Clock,
        telemetry: Telemetry,
        form: FileForm | None = None,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._intake = intake
        self._splits = splits
        self._work = work
        self._queue = queue
        self._order = FileOrder(loads)
        self._uploads = uploads
        self._whole_lists = whole_lists
        self._publisher = publisher
        self._lenders = lenders
        self._clock = clock
        self._telemetry = telemetry
        self._form = form or FileForm()
        self._part_bytes = part_bytes

    # ------------------------------------------------------------ the split

    def split(self, bucket: str, key: str, uploaded_at: datetime, size: int) -> IntakeSummary:
        """
        Split a file of so many bytes, and put its parts on the queue.

        Returns the number of its rows, or why the file was refused whole.

        Raises:
            ServiceCallError, ContestedError: it is not split, or not all parts are on the queue. Split it again.
        """
        known = self._splits.read_split(file_id(key, uploaded_at))
        if known is None:
            try:
                known = self._split(bucket, key, uploaded_at, number_of_parts(size, self._part_bytes))
            except FileRefusedError as error:
                return self._refuse(bucket, key, uploaded_at, error)
        if known.is_finished:
            self._put_away(known)
        else:
            self._enqueue(known)
        return IntakeSummary(rows=known.rows, columns_ignored=known.columns_ignored, refused=known.counts.refused)

    def _split(self, bucket: str, key: str, uploaded_at: datetime, parts: int) -> SplitLoad:
        begun_at = self._clock.now()
        split_id = file_id(key, uploaded_at)
        overtaken = self._order.begin(key, uploaded_at, begun_at)
        list_of = lender_of_list(key, self._lenders)
        self._intake.look_for_newer(bucket, overtaken.by)
        with PartWriter(parts) as writer, FileIds(parts) as ids:

            def take(table: Table) -> tuple[Table, int]:
                writer.begin()
                ids.clear()
                return table, writer.write(ids.watch(table))

            table, rows = read_file(lambda: self._uploads.open(bucket, key), self._form, take)
            writer.contest(ids.contested())
            traits = traits_of(table, ids.some_ids(), list_of)
            for part, body in writer.finished():
                self._work.put(bucket, part_key(split_id, part), body)
        self._put_records(bucket, refused_key(split_id, None), refused_as_records(table.notes))
        split = SplitLoad(
            split_id=split_id,
            bucket=bucket,
            key=key,
            uploaded_at=uploaded_at,
            begun_at=begun_at,
            expires_at=begun_at + REMEMBERED,
            parts=parts,
            rows=rows,
            columns_ignored=table.columns_ignored,
            list_of=list_of,
            decimal_comma=traits.decimal_comma,
            long_numbers_are_exact=traits.long_numbers_are_exact,
            serials=tuple(sorted(traits.serials)),
            older_under_way=overtaken.older_under_way,
            overtaken_by=overtaken.by,
            is_compared=not list_of,
        )
        if not self._splits.save_split(split):
            return self._read(split_id)  # the same event was handed over twice, and the other was first
        self._telemetry.log_event(
            LogEvent.FILE_SPLIT,
            split_id=split_id,
            parts=parts,
            rows=rows,
            seconds=(self._clock.now() - begun_at).total_seconds(),
        )
        return split

    def _refuse(self, bucket: str, key: str, uploaded_at: datetime, error: FileRefusedError) -> IntakeSummary:
        """Refuse a whole file, as one that is not split."""
        summary = self._intake.refuse_file(bucket, key, error)
        self._order.withdraw(key, uploaded_at)
        self._intake.tell(key, uploaded_at, summary)
        return summary

    def _enqueue(self, split: SplitLoad) -> None:
        """Put on the queue what is to be done next: for a whole list to compare it, then all parts."""
        steps = [part for part in range(split.parts) if part not in split.done or part == split.completed_by]
        bodies = [file_part_body(FilePart(split.split_id, part)) for part in (steps if split.is_compared else [None])]
        self._queue.send_with_delay(bodies, timedelta())

    # ------------------------------------------------------------ the parts

    def handle_batch(self, messages: Sequence[QueueMessage]) -> list[str]:
        """Do steps, and return the ids of the messages to deliver again. What fails is named in the log."""
        failed = []
        for message in messages:
            step: FilePart | None = None
            try:
                step = parse_file_part(message.body)
                self._do(step)
            except Exception as error:  # noqa: BLE001 - it is named, and delivered again
                self._telemetry.log_event(
                    LogEvent.FILE_PART_FAILED,
                    message_id=message.message_id,
                    split_id=step.split_id if step else "",
                    part=step.part if step else None,
                    receive_count=message.receive_count,
                    error=type(error).__name__,
                    code=error.code if isinstance(error, ServiceCallError) else "",
                    where=error_location(error),
                )
                self._telemetry.count(Metric.FILE_PARTS_FAILED)
                failed.append(message.message_id)
        return failed

    def _do(self, step: FilePart) -> None:
        split = self._read(step.split_id)
        if split.is_finished:
            self._put_away(split)
        elif step.part is None:
            self._compare(split)
        elif step.part not in split.done:
            self._load(split, step.part)
        elif step.part == split.completed_by:
            self._finish(split)

    def _compare(self, split: SplitLoad) -> None:
        """Find out whom a whole list lacks, and refuse the list if it lacks too many. Nothing is loaded before."""
        if not split.is_compared:
            with FileIds(split.parts) as ids:
                for part in range(split.parts):
                    with self._work.open(split.bucket, part_key(split.split_id, part)) as chunks:
                        for _ in ids.watch(PartRows(chunks)):
                            pass
                ids.sort()
                try:
                    missing = self._whole_lists.missing(split.list_of, split.uploaded_at, ids.has, _SEGMENTS)
                except FileRefusedError as error:
                    self._refuse(split.bucket, split.key, split.uploaded_at, error)
                    split = self._change(split.split_id, lambda known: replace(known, is_finished=True))
                    self._put_away(split)
                    return
            of_part: list[list[str]] = [[] for _ in range(split.parts)]
            for customer_id in missing:
                of_part[part_of_customer(customer_id, split.parts)].append(customer_id)
            for part, customer_ids in enumerate(of_part):
                self._put_records(
                    split.bucket, missing_key(split.split_id, part), ((customer_id,) for customer_id in customer_ids)
                )
            split = self._change(split.split_id, lambda known: replace(known, is_compared=True))
        self._enqueue(split)

    def _load(self, split: SplitLoad, part: int) -> None:
        begun_at = self._clock.now()
        with Spool() as spool:
            refused = self._load_rows(split, part, spool)
            self._put_records(split.bucket, refused_key(split.split_id, part), refused_as_records(spool.refused()))
        split = self._change(split.split_id, lambda known: _with_part(known, part, refused))
        self._telemetry.log_event(
            LogEvent.FILE_PART_LOADED,
            split_id=split.split_id,
            part=part,
            done=len(split.done),
            parts=split.parts,
            seconds=(self._clock.now() - begun_at).total_seconds(),
        )
        if split.completed_by == part:
            self._finish(split)

    def _load_rows(self, split: SplitLoad, part: int, spool: Spool) -> PartCounts:
        """
        Load the customers of a part, and return their counts.

        Raises:
            ServiceCallError: some customers could not be read or written; the others are loaded.
        """
        share = _Share(part, split.parts)
        with self._work.open(split.bucket, part_key(split.split_id, part)) as chunks:
            rows = PartRows(chunks)
            spool.fill(rows)
            spool.contest(rows.contested)
        try:
            named_since = self._intake.named_since(split.bucket, split.overtaken_by, share)
        except FileRefusedError as error:
            # The newer file was deleted while this one was being loaded.
            spool.refuse([Refused(error.line, "", error.field, error.reason, error.hint)])
            return PartCounts(refused=error.reason.value)
        file = FileUnderLoad(
            split.bucket,
            split.uploaded_at,
            split.list_of,
            FileTraits(
                decimal_comma=split.decimal_comma,
                long_numbers_are_exact=split.long_numbers_are_exact,
                serials=frozenset(split.serials),
                list_of=split.list_of,
            ),
            named_since,
            self._missing(split, part),
            older_under_way=split.older_under_way,
            share=share,
        )
        counts, failures = self._intake.load_customers(spool, file)
        for first in failures:
            raise first
        return PartCounts(**{name: getattr(counts, name) for name in _COUNTS})

    def _missing(self, split: SplitLoad, part: int) -> list[str]:
        if not split.list_of:
            return []
        with self._work.open(split.bucket, missing_key(split.split_id, part)) as chunks:
            return ids_of(chunks)

    # --------------------------------------------------------------- the end

    def _finish(self, split: SplitLoad) -> None:
        """Gather the rejects, tell of the load, and put the work files away."""
        with Spool() as spool:
            for part in (None, *range(split.parts)):
                with self._work.open(split.bucket, refused_key(split.split_id, part)) as chunks:
                    spool.refuse(refused_of(chunks))
            rows_refused, rows_noted = self._intake.write_rejects(split.bucket, split.key, spool)
        summary = IntakeSummary(
            **asdict(split.counts),
            rows=split.rows,
            rows_refused=rows_refused,
            rows_noted=rows_noted,
            columns_ignored=split.columns_ignored,
            seconds=(self._clock.now() - split.begun_at).total_seconds(),
        )
        self._order.finish(split.key, split.uploaded_at)
        self._intake.report(summary, split.list_of)
        if summary.refused:
            self._telemetry.count(Metric.FILES_REFUSED)
        self._intake.tell(split.key, split.uploaded_at, summary, split.parts)
        self._put_away(self._change(split.split_id, lambda known: replace(known, is_finished=True)))

    def _put_away(self, split: SplitLoad) -> None:
        """Delete the work files of a load that has ended. What a late split has left behind goes, too."""
        for folder in (parts_folder(split.split_id), outcomes_folder(split.split_id)):
            self._work.remove(split.bucket, folder)

    # --------------------------------------------------------------- helpers

    def _read(self, split_id: str) -> SplitLoad:
        split = self._splits.read_split(split_id)
        if split is None:
            raise SplitForgottenError(f"split load {split_id}")
        return split

    def _change(self, split_id: str, change: Callable[[SplitLoad], SplitLoad]) -> SplitLoad:
        """Change the state of a load, and return what is stored."""

        def attempt(known: SplitLoad) -> SplitLoad | Conflict:
            changed = change(known)
            if changed is known:
                return known
            after = replace(changed, version=known.version + 1)
            return after if self._splits.save_split(after) else CONFLICT

        return write_optimistically(split_id, self._read(split_id), lambda: self._read(split_id), attempt)

    def _put_records(self, bucket: str, key: str, records: Iterable[Sequence[object]]) -> None:
        with written_csv(records) as body:
            self._work.put(bucket, key, body)


def _with_part(split: SplitLoad, part: int, counts: PartCounts) -> SplitLoad:
    """Enter that a part is done. Of two loads of a part at the same moment, the first counts."""
    if part in split.done:
        return split
    done = tuple(sorted({*split.done, part}))
    total = PartCounts(
        **{name: getattr(split.counts, name) + getattr(counts, name) for name in _COUNTS},
        refused=split.counts.refused or counts.refused,
    )
    return replace(split, done=done, counts=total, completed_by=part if len(done) == split.parts else None)
