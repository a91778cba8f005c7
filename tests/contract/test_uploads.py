"""Uploads: what the ports promise, of the fakes and of S3 alike."""

import csv
from collections.abc import Callable
from dataclasses import dataclass

import boto3
import pytest

from dunning.adapters.s3 import S3Uploads
from dunning.domain.errors import ServiceCallError
from dunning.ports.gateways import Uploads
from tests.contract.conftest import BACKENDS, engine_of
from tests.support.fakes import FakeUploads

KEY = "accounts/2026-12-01 分期.csv"


@dataclass
class Bucket:
    """A bucket seen through the port, and beside it."""

    name: str
    uploads: Uploads
    put: Callable[[str, bytes], object]
    rejects: Callable[[str], list[list[str]]]


@pytest.fixture(params=BACKENDS)
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "fake":
        fake = FakeUploads()
        return Bucket("uploads", fake, fake.files.__setitem__, fake.rejects.__getitem__)
    name, client = engine_of(request).stack.uploads_bucket, boto3.client("s3")

    def rejects(key: str) -> list[list[str]]:
        body = client.get_object(Bucket=name, Key=key)["Body"].read()
        assert body.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(body.decode("utf-8-sig").splitlines()))

    return Bucket(
        name, S3Uploads(client), lambda key, body: client.put_object(Bucket=name, Key=key, Body=body), rejects
    )


@pytest.mark.parametrize("size", [0, 1, 3 * 1024 * 1024 + 17])
def test_a_file_comes_as_the_chunks_it_is_made_of(bucket: Bucket, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    bucket.put(KEY, content)
    with bucket.uploads.open(bucket.name, KEY) as chunks:
        assert b"".join(chunks) == content


def test_a_file_need_not_be_read_to_its_end(bucket: Bucket) -> None:
    bucket.put(KEY, b"x" * 3_000_000)
    with bucket.uploads.open(bucket.name, KEY) as chunks:
        assert next(chunks).startswith(b"x")


def test_rejects_are_written_as_a_spreadsheet_reads_them(bucket: Bucket) -> None:
    rows = [["line", "reason"], ["2", 'say "分期", please']]
    bucket.uploads.write_rejects(bucket.name, "rejects/file.csv", iter(rows))
    assert bucket.rejects("rejects/file.csv") == rows


def test_rejects_replace_those_of_an_earlier_file_of_the_name(bucket: Bucket) -> None:
    bucket.uploads.write_rejects(bucket.name, "rejects/file.csv", [["old"]])
    bucket.uploads.write_rejects(bucket.name, "rejects/file.csv", [["new"]])
    assert bucket.rejects("rejects/file.csv") == [["new"]]


def test_a_file_that_is_not_there_is_an_error_of_the_service(bucket: Bucket) -> None:
    """S3 answers `NoSuchKey` (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)."""
    with (
        pytest.raises(ServiceCallError, match=r"^GetObject: NoSuchKey$"),
        bucket.uploads.open(bucket.name, "accounts/nobody.csv"),
    ):
        pass
