"""Uploads: what the ports promise, of the fakes and of S3 alike."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
import pytest
from moto import mock_aws

from dunning.adapters.s3 import S3Uploads
from dunning.ports.gateways import Uploads
from tests.support.fakes import FakeUploads

BUCKET = "uploads"
KEY = "accounts/2026-12-01 分期.csv"


@dataclass
class Bucket:
    """A bucket seen through the port, and beside it."""

    uploads: Uploads
    put: Callable[[str, bytes], object]
    rejects: Callable[[str], list[list[str]]]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)

        def rejects(key: str) -> list[list[str]]:
            body = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            assert body.startswith(b"\xef\xbb\xbf")
            return list(csv.reader(body.decode("utf-8-sig").splitlines()))

        yield Bucket(S3Uploads(client), lambda key, body: client.put_object(Bucket=BUCKET, Key=key, Body=body), rejects)


@pytest.fixture
def fake() -> Bucket:
    uploads = FakeUploads()
    return Bucket(uploads, uploads.files.__setitem__, uploads.rejects.__getitem__)


@pytest.fixture(params=["fake", "s3"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    found: Bucket = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("size", [0, 1, 3 * 1024 * 1024 + 17])
def test_a_file_comes_as_the_chunks_it_is_made_of(bucket: Bucket, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    bucket.put(KEY, content)
    with bucket.uploads.open(BUCKET, KEY) as chunks:
        assert b"".join(chunks) == content


def test_a_file_need_not_be_read_to_its_end(bucket: Bucket) -> None:
    bucket.put(KEY, b"x" * 3_000_000)
    with bucket.uploads.open(BUCKET, KEY) as chunks:
        assert next(chunks).startswith(b"x")


def test_rejects_are_written_as_a_spreadsheet_reads_them(bucket: Bucket) -> None:
    rows = [["line", "reason"], ["2", 'say "分期", please']]
    bucket.uploads.write_rejects(BUCKET, "rejects/file.csv", iter(rows))
    assert bucket.rejects("rejects/file.csv") == rows


def test_rejects_replace_those_of_an_earlier_file_of_the_name(bucket: Bucket) -> None:
    bucket.uploads.write_rejects(BUCKET, "rejects/file.csv", [["old"]])
    bucket.uploads.write_rejects(BUCKET, "rejects/file.csv", [["new"]])
    assert bucket.rejects("rejects/file.csv") == [["new"]]
