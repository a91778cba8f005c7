"""Uploads that go with a customer: what the port promises, of the fake and of S3 alike."""

from collections.abc import Callable
from dataclasses import dataclass

import boto3
import pytest

from dunning.adapters.s3 import S3UploadErasure
from dunning.domain.errors import ServiceCallError
from dunning.ports.erasure import StoredUpload, UploadErasure
from tests.contract.conftest import BACKENDS
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error
from tests.support.fakes import FakeUploadErasure
from tests.support.people import NOW
from tests.support.stand_in import Engine

KEY = "accounts/2026-12-01 分期.csv"


@dataclass
class Bucket:
    """The bucket seen through the port, and a hand that puts files there."""

    erasure: UploadErasure
    put: Callable[[str, bytes], object]

    def contents(self) -> list[tuple[str, bytes]]:
        """Read every version through the port."""
        found = []
        for upload in self.erasure.uploads():
            with self.erasure.read(upload) as chunks:
                found.append((upload.key, b"".join(chunks)))
        return sorted(found)


@pytest.fixture
def s3(cloud: LocalCloud) -> Bucket:
    name = cloud.stack.uploads_bucket
    client = boto3.client("s3")
    # The template says so, too, but moto's CloudFormation does not listen.
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for kind in ("Versions", "DeleteMarkers"):
        for version in client.list_object_versions(Bucket=name).get(kind, []):  # type: ignore[attr-defined]
            client.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    return Bucket(S3UploadErasure(client, name), lambda key, body: client.put_object(Bucket=name, Key=key, Body=body))


@pytest.fixture
def fake() -> Bucket:
    fake = FakeUploadErasure()
    return Bucket(fake, lambda key, body: fake.put(key, body, NOW))


@pytest.fixture(params=BACKENDS)
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "stand_in":
        engine: Engine = request.getfixturevalue("stand_in")
        name = engine.stack.uploads_bucket
        return Bucket(
            S3UploadErasure(engine.s3, name), lambda key, body: engine.s3.put_object(Bucket=name, Key=key, Body=body)
        )
    found: Bucket = request.getfixturevalue("fake" if request.param == "fake" else "s3")
    return found


def test_an_empty_bucket_has_no_uploads(bucket: Bucket) -> None:
    assert bucket.contents() == []


@pytest.mark.parametrize("size", [0, 3 * 1024 * 1024 + 17])
def test_every_version_of_every_file_is_there_and_read_to_its_end(bucket: Bucket, size: int) -> None:
    large = bytes(number % 251 for number in range(size))
    for key, body in ((KEY, b"old"), (KEY, large), ("accounts/other.csv", b"other")):
        bucket.put(key, body)
    assert bucket.contents() == sorted([(KEY, b"old"), (KEY, large), ("accounts/other.csv", b"other")])


def test_whole_lists_are_uploads_too(bucket: Bucket) -> None:
    bucket.put("complete/demo-tw/list.csv", b"list")
    assert bucket.contents() == [("complete/demo-tw/list.csv", b"list")]


def test_a_version_of_a_file_is_deleted_for_good_and_no_other(bucket: Bucket) -> None:
    bucket.put(KEY, b"old")
    (old,) = bucket.erasure.uploads()
    bucket.put(KEY, b"new")
    bucket.erasure.delete(old)
    assert bucket.contents() == [(KEY, b"new")]
    bucket.erasure.delete(old)
    assert bucket.contents() == [(KEY, b"new")]


def test_a_version_that_is_gone_cannot_be_read(bucket: Bucket) -> None:
    """S3 answers 404 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, NoSuchVersion)."""
    bucket.put(KEY, b"old")
    (old,) = bucket.erasure.uploads()
    bucket.erasure.delete(old)
    with pytest.raises(ServiceCallError, match=r"^GetObject: NoSuch(Version|Key)$"), bucket.erasure.read(old):
        pass


class TestOnS3:
    """What only a bucket can do."""

    def test_only_account_files_are_looked_at_and_no_marks_of_deletion(self, cloud: LocalCloud, s3: Bucket) -> None:
        s3.put(KEY, b"accounts")
        s3.put("rejects/2026-12-01 分期.csv", b"rejects")
        boto3.client("s3").delete_object(Bucket=cloud.stack.uploads_bucket, Key=KEY)
        assert s3.contents() == [(KEY, b"accounts")]

    def test_when_a_file_was_uploaded_is_told_with_its_zone(self, s3: Bucket) -> None:
        s3.put(KEY, b"accounts")
        (upload,) = s3.erasure.uploads()
        assert upload.uploaded_at.utcoffset() is not None

    def test_an_error_tells_its_code_and_no_name(self, s3: Bucket, requests: Requests) -> None:
        for operation in ("ListObjectVersions", "GetObject", "DeleteObject"):
            requests.answer(f"s3.{operation}", error("AccessDenied", 403, KEY))
        upload = StoredUpload(KEY, "v1", NOW)

        def read() -> None:
            with s3.erasure.read(upload):
                pass

        for call in (lambda: list(s3.erasure.uploads()), read, lambda: s3.erasure.delete(upload)):
            with pytest.raises(ServiceCallError, match=r"^[A-Za-z]+: (AccessDenied|403)$") as caught:
                call()
            assert caught.value.__cause__ is None
