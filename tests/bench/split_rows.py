"""
Rows a second and memory of the split of a large file, and of the load of a part, beside `csv` alone on the same file.

As for the intake of a whole file, each measurement is a process of its own, and the store answers at once. The parts
are on disk, where they are in the bucket otherwise.

    python -m tests.bench.split_rows [rows]
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from dunning.policy import load_policies
from dunning.ports.queues import QueueMessage
from dunning.services.intake import IntakeService
from dunning.services.intake.split_load import SplitLoadService
from dunning.services.intake.whole_list import WholeLists
from tests.bench.intake_rows import LENDER, Folder, Nobody, QuietTelemetry, bare, measure, write_file
from tests.support.fakes import (
    FakeClock,
    FakeCustomers,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeSplitLoads,
)

UPLOADED_AT = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)


class _WorkFolder:
    """Work files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        del bucket
        with Path(self._folder, key).open("rb") as file:
            yield iter(lambda: file.read(1 << 20), b"")

    def put(self, bucket: str, key: str, body: BinaryIO) -> None:
        del bucket
        path = Path(self._folder, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(body, file, 1 << 20)

    def remove(self, bucket: str, prefix: str) -> int:
        del bucket, prefix
        return 0


def _split(path: Path, queue: FakeDelayQueue) -> tuple[SplitLoadService, int]:
    nobody, policies, loads = Nobody(), load_policies(), FakeCustomers()
    clock, telemetry, publisher, uploads = FakeClock(), QuietTelemetry(), FakeEventPublisher(), Folder(path)
    lists = WholeLists(nobody, nobody, policies)
    service = SplitLoadService(
        intake=IntakeService(
            store=nobody, phones=nobody, loads=loads, uploads=uploads, publisher=publisher, policies=policies,
            lenders=frozenset({LENDER}), clock=clock, telemetry=telemetry, whole_lists=lists, writers=8,
        ),
        splits=FakeSplitLoads(), work=_WorkFolder(path.with_suffix(".work")), queue=queue, loads=loads,
        uploads=uploads, whole_lists=lists, publisher=publisher, lenders=frozenset({LENDER}), clock=clock,
        telemetry=telemetry,
    )  # fmt: skip
    return service, service.split("bucket", "accounts/bench.csv", UPLOADED_AT, path.stat().st_size).rows


def split(path: Path) -> Callable[[], int]:
    """Prepare the split of a file, which tells its rows."""
    return lambda: _split(path, FakeDelayQueue())[1]


def split_and_load_a_part(path: Path) -> Callable[[], int]:
    """Prepare the split and the load of the first part, which tell the rows of both."""

    def work() -> int:
        queue = FakeDelayQueue()
        service, rows = _split(path, queue)
        (body, _), *others = queue.messages
        if service.handle_batch([QueueMessage("m", body, 1)]):
            raise SystemExit("the part was not loaded")
        return rows + rows // (len(others) + 1)

    return work


def main() -> None:
    """Measure a tenth and the whole, so that memory which grows with the file shows."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        for count in (rows // 10, rows):
            path = Path(folder, f"{count}.csv")
            write_file(path, count)
            measure("csv.DictReader alone", bare, path)
            measure("split", split, path)
            measure("split, and a part", split_and_load_a_part, path)


if __name__ == "__main__":
    main()
