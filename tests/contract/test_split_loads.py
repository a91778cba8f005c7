"""How far large files have come, and their work files: what the ports promise, of the fakes and of AWS alike."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.split_load_table import DynamoSplitLoads
from dunning.adapters.s3 import S3WorkFiles
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.file_loads import FileLoad
from dunning.ports.split_loads import PartCounts, SplitLoad, SplitLoads, WorkFiles
from tests.contract.conftest import BACKENDS, engine_of
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests
from tests.support.damage import write_attribute
from tests.support.fakes import FakeSplitLoads, FakeWorkFiles
from tests.support.people import NOW

SPLIT = SplitLoad(
    split_id="a" * 32,
    bucket="uploads",
    key="accounts/2026-12-01 分期.csv",
    uploaded_at=NOW,
    begun_at=NOW + timedelta(seconds=3),
    expires_at=NOW + timedelta(days=8),
    parts=3,
    rows=10,
)
FULL = replace(
    SPLIT,
    version=1,
    columns_ignored=2,
    list_of="demo-tw",
    decimal_comma=True,
    long_numbers_are_exact=True,
    serials=("CN", "TW"),
    older_under_way=True,
    overtaken_by=(FileLoad("accounts/newer.csv", NOW + timedelta(hours=1), is_finished=True),),
    is_compared=False,
    done=(0, 2),
    counts=PartCounts(customers_loaded=1, phones_shared=2, refused="overtaken"),
    completed_by=2,
    is_finished=True,
)


@pytest.fixture(params=BACKENDS)
def splits(request: pytest.FixtureRequest) -> SplitLoads:
    if request.param == "fake":
        return FakeSplitLoads()
    table = engine_of(request).stack.customers_table  # first: it says where the client finds the engine
    return DynamoSplitLoads(boto3.client("dynamodb", config=LEAN), table)


@pytest.mark.parametrize("split", [SPLIT, FULL], ids=["new", "with all fields"])
def test_a_split_load_is_read_as_it_was_written(splits: SplitLoads, split: SplitLoad) -> None:
    assert splits.read_split(split.split_id) is None
    assert splits.save_split(split)
    assert splits.read_split(split.split_id) == split


def test_of_two_writers_of_a_version_the_first_wins(splits: SplitLoads) -> None:
    assert splits.save_split(SPLIT)
    assert not splits.save_split(replace(SPLIT, parts=9))
    first, second = (replace(SPLIT, version=2, done=(part,)) for part in (0, 1))
    assert splits.save_split(first)
    assert not splits.save_split(second)
    assert splits.read_split(SPLIT.split_id) == first


def test_a_write_that_meets_itself_is_written(splits: SplitLoads) -> None:
    assert splits.save_split(SPLIT)
    assert splits.save_split(SPLIT)


def test_a_split_load_expires_by_the_attribute_of_the_table_and_is_no_customer(cloud: LocalCloud) -> None:
    table = cloud.stack.customers_table
    DynamoSplitLoads(boto3.client("dynamodb", config=LEAN), table).save_split(SPLIT)
    (item,) = boto3.client("dynamodb").scan(TableName=table)["Items"]
    assert item["expires_at"] == {"N": str(int(SPLIT.expires_at.timestamp()))}
    assert "#" in item["customer_id"]["S"]


def test_a_split_load_that_cannot_be_read_is_refused_without_its_words(cloud: LocalCloud) -> None:
    table = cloud.stack.customers_table
    splits = DynamoSplitLoads(boto3.client("dynamodb", config=LEAN), table)
    splits.save_split(FULL)
    write_attribute(cloud, "files#", f"split#{FULL.split_id}", done={"S": "?"})
    with pytest.raises(UnreadableRecordError, match=r"^split load: \w+$"):
        splits.read_split(FULL.split_id)


@dataclass
class Bucket:
    """The work files seen through the port, and the keys of all versions beside it."""

    files: WorkFiles
    name: str
    keys: Callable[[], list[str]]


@pytest.fixture(params=BACKENDS)
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "fake":
        fake = FakeWorkFiles()
        return Bucket(fake, "uploads", lambda: sorted(fake.files))
    name, client = engine_of(request).stack.uploads_bucket, boto3.client("s3")
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def keys() -> list[str]:
        answer = client.list_object_versions(Bucket=name)
        return sorted({version["Key"] for version in [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]})

    files = S3WorkFiles(client)
    for key in keys():
        files.remove(name, key)
    return Bucket(files, name, keys)


def read(bucket: Bucket, key: str) -> bytes:
    with bucket.files.open(bucket.name, key) as chunks:
        return b"".join(chunks)


def test_a_work_file_is_read_as_it_was_written_last(bucket: Bucket) -> None:
    for body in (b"first", b"x" * 3000):
        bucket.files.put(bucket.name, "parts/a/0001.csv", io.BytesIO(body))
    assert read(bucket, "parts/a/0001.csv") == b"x" * 3000


def test_a_work_file_is_written_from_where_its_file_stands(bucket: Bucket) -> None:
    body = io.BytesIO(b"abcdef")
    body.seek(2)
    bucket.files.put(bucket.name, "parts/a/0001.csv", body)
    assert read(bucket, "parts/a/0001.csv") == b"cdef"


def test_work_files_below_a_prefix_go_in_all_versions_and_no_others_do(bucket: Bucket) -> None:
    for key in ("parts/a/0001.csv", "parts/a/0001.csv", "parts/a/0002.csv", "parts/b/0001.csv"):
        bucket.files.put(bucket.name, key, io.BytesIO(b"x"))
    assert bucket.files.remove(bucket.name, "parts/a/") >= 2
    assert bucket.keys() == ["parts/b/0001.csv"]
    assert bucket.files.remove(bucket.name, "parts/a/") == 0


def test_a_work_file_that_is_gone_is_an_error_with_its_code(bucket: Bucket) -> None:
    with pytest.raises(ServiceCallError) as caught:
        read(bucket, "parts/a/0009.csv")
    assert caught.value.code == "NoSuchKey"


def test_a_body_is_put_without_being_read_into_memory_by_us(cloud: LocalCloud, requests: Requests) -> None:
    S3WorkFiles(boto3.client("s3")).put(cloud.stack.uploads_bucket, "parts/a/0001.csv", io.BytesIO(b"x"))
    (call,) = requests.of("s3.PutObject")
    assert hasattr(call["Body"], "read")
