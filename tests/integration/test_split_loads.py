"""A large file over the real handlers: its parts, its rejects, its event, and an erasure meanwhile."""

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dunning.adapters.dynamodb.items import lender_record_of
from dunning.adapters.s3 import S3UploadErasure
from dunning.domain.customer.lender_record import LenderRecord
from dunning.ports.erasure import StoredUpload
from dunning.services.erasure.erase import PART_MAY_BE_LOADING, ROUND_INTERVAL
from tests.local.cloud import LenderEvent, LocalCloud, PublishedEvent
from tests.support.fakes import FakeTelemetry
from tests.support.lender_files import WANG, csv_of, row
from tests.support.people import NOW

ROWS = [
    row(WANG, customer_id=f"C-{number}", account_id=f"A-{number}", phone=f"09{12000000 + number}")
    for number in range(1, 40)
]
ROWS[10] = ROWS[10] | {"due_on": "soon"}
ERASED = LenderEvent("CustomerErased", {"schema_version": 1, "customer_id": "C-4", "at": NOW.isoformat()})
FILE = csv_of([*ROWS, row(ROWS[3], instalment_no="2", due_on="2027-01-05")]).encode()


PARTS = 6


class Town:
    """A stack that splits files above a size, or does not."""

    def __init__(self, split_above: int) -> None:
        self.log = io.StringIO()
        self.cloud = LocalCloud(
            NOW, listener=FakeTelemetry(), log=self.log, parameters={"SplitAbove": str(split_above)}
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the lines that were logged of an event."""
        return [line for line in map(json.loads, self.log.getvalue().splitlines()) if line.get("message") == event]

    def records(self) -> dict[str, LenderRecord]:
        """Return what is stored of each customer."""
        found = (item for item in self.cloud.items(self.cloud.stack.customers_table) if item["item"]["S"] == "facts")
        return {record.customer_id: record for record in map(lender_record_of, found)}

    def upload_and_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Upload the file, whose parts stay on the queue."""
        with monkeypatch.context() as idle:
            idle.setattr(self.cloud, "drain", lambda _: 0)
            self.cloud.upload("accounts/file.csv", FILE)

    def event(self) -> PublishedEvent:
        """Return the event about the file."""
        (event,) = (event for event in self.cloud.published_events if event.kind == "FileLoaded")
        return event

    def uploads(self) -> list[StoredUpload]:
        """Return all files with customers in the bucket."""
        return list(self.erasure.uploads())

    @property
    def erasure(self) -> S3UploadErasure:
        """The bucket as an erasure sees it."""
        return S3UploadErasure(boto3.client("s3"), self.cloud.stack.uploads_bucket)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    town = Town(split_above=4000)
    # S3 tells when a file was uploaded; moto takes the machine's clock for that.
    monkeypatch.setattr("moto.s3.models.utcnow", lambda: town.cloud.clock.now().replace(tzinfo=None))
    with town.cloud:
        yield town


def test_a_large_file_leaves_the_same_customers_and_rejects_as_the_file_loaded_whole() -> None:
    left = []
    for split_above, parts in ((10**9, 1), (4000, PARTS)):
        town = Town(split_above)
        with town.cloud as cloud:
            cloud.upload("accounts/file.csv", FILE)
            detail = town.event().detail
            assert (detail["parts"], detail["customers_loaded"], detail["rows"]) == (parts, 38, 40)
            assert (detail["rows_refused"], detail["rejects_key"]) == (1, "rejects/file.csv")
            (summary,) = town.lines("intake_finished")
            assert summary["customers_loaded"] == 38
            assert not [*cloud.objects("parts/"), *cloud.objects("outcomes/")]
            left.append((town.records(), dict(cloud.objects("rejects/"))))
    assert left[0] == left[1]


def test_a_whole_list_in_parts_silences_who_is_missing(large: Town) -> None:
    large.cloud.upload("complete/demo-tw/monday.csv", FILE)
    large.cloud.clock.move_to(NOW + timedelta(days=1))
    large.cloud.upload("complete/demo-tw/tuesday.csv", csv_of(ROWS[1:]).encode())
    missing = [
        record.customer_id
        for record in large.records().values()
        if record.snapshot is not None and record.snapshot.not_in_list_since is not None
    ]
    assert missing == ["C-1"]
    assert [line["not_in_list"] for line in large.lines("intake_finished")] == [0, 1]


def test_the_name_of_a_file_that_may_be_personal_stays_in_the_stack(large: Town) -> None:
    large.cloud.upload("accounts/王小明 0912345678.csv", FILE)
    detail = large.event().detail
    assert (detail["has_rejects"], detail["rejects_key"]) == (True, "")
    words = large.log.getvalue() + json.dumps([dict(event.detail) for event in large.cloud.published_events])
    assert not re.search("0912345678|王|\\\\u738b", words)


def test_an_erasure_finds_a_customer_in_a_part_and_lets_it_be_loaded_first(
    large: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    large.upload_and_wait(monkeypatch)
    large.cloud.lender_says(ERASED)
    large.cloud.clock.move_to(NOW + timedelta(hours=2))
    large.cloud.drain("lender_events")
    assert [upload.key.partition("/")[0] for upload in large.uploads()] == ["parts"] * PARTS
    large.cloud.drain("intake")
    assert not large.uploads()
    records = large.records()
    assert records["C-4"].snapshot is None
    assert records["C-5"].snapshot is not None
    assert large.event().detail["customers_erased"] == 1


def test_a_part_that_is_never_loaded_goes_with_an_erased_customer_and_the_other_parts_stay(
    large: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    large.upload_and_wait(monkeypatch)
    large.cloud.lender_says(ERASED)
    end = NOW + PART_MAY_BE_LOADING + 2 * ROUND_INTERVAL
    while large.cloud.clock.now() < end:
        large.cloud.clock.move_to(large.cloud.clock.now() + ROUND_INTERVAL + timedelta(seconds=1))
        large.cloud.drain("lender_events")
    left = large.uploads()
    assert len(left) == PARTS - 1
    for upload in left:
        with large.erasure.read(upload) as chunks:
            assert b",C-4," not in b"".join(chunks)
