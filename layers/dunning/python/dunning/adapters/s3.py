"""The upload bucket on S3."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from dunning.adapters.aws_call import aws_call
from dunning.ports.erasure import StoredUpload

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CHUNK = 1 << 20


class S3Uploads:
    """Uploaded files as streams, and reject files beside them."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        """Open an uploaded file as a stream of byte chunks."""
        with aws_call("GetObject"), closing(self._client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
            yield body.iter_chunks(_CHUNK)

    def write_rejects(self, bucket: str, key: str, rows: Iterable[Sequence[str]]) -> None:
        """Write a reject file (CSV, UTF-8 with BOM so that Excel reads it)."""
        with TemporaryFile() as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            csv.writer(text).writerows(rows)
            text.flush()
            file.seek(0)
            with aws_call("PutObject"):
                self._client.put_object(Bucket=bucket, Key=key, Body=file, ContentType="text/csv; charset=utf-8")


class S3WorkFiles(S3Uploads):
    """Implements `WorkFiles`."""

    def put(self, bucket: str, key: str, body: BinaryIO) -> None:
        """Put an object from an open file, which is not read into memory."""
        with aws_call("PutObject"):
            self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def remove(self, bucket: str, prefix: str) -> int:
        """Delete all versions and delete markers below a prefix."""
        removed = 0
        with aws_call("ListObjectVersions"):
            pages = list(self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix))
        for page in pages:
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                with aws_call("DeleteObject"):
                    self._client.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
                removed += 1
        return removed


class S3UploadErasure:
    """Implements `UploadErasure` where account files and whole lists are dropped, and where parts of large ones are."""

    def __init__(
        self, client: S3Client, bucket: str, prefixes: Sequence[str] = ("accounts/", "complete/", "parts/")
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefixes = prefixes

    def uploads(self) -> Iterator[StoredUpload]:
        """List all versions; delete markers are listed apart."""
        with aws_call("ListObjectVersions"):
            paginator = self._client.get_paginator("list_object_versions")
            for prefix in self._prefixes:
                for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix):
                    for version in page.get("Versions", []):
                        yield StoredUpload(version["Key"], version["VersionId"], version["LastModified"])

    @contextmanager
    def read(self, upload: StoredUpload) -> Iterator[Iterator[bytes]]:
        """Open one version as a stream of byte chunks."""
        with aws_call("GetObject"):
            answer = self._client.get_object(Bucket=self._bucket, Key=upload.key, VersionId=upload.version_id)
            with closing(answer["Body"]) as body:
                yield body.iter_chunks(_CHUNK)

    def delete(self, upload: StoredUpload) -> None:
        """Delete one version, which leaves no marker."""
        with aws_call("DeleteObject"):
            self._client.delete_object(Bucket=self._bucket, Key=upload.key, VersionId=upload.version_id)
