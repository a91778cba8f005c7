"""The upload bucket on S3."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CHUNK = 1 << 20


class S3Uploads:
    """Uploaded files as streams, and reject files beside them."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        """Open an uploaded file as a stream of byte chunks."""
        with closing(self._client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
            yield body.iter_chunks(_CHUNK)

    def write_rejects(self, bucket: str, key: str, rows: Iterable[Sequence[str]]) -> None:
        """Write a reject file (CSV, UTF-8 with BOM so that Excel reads it)."""
        with TemporaryFile() as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            csv.writer(text).writerows(rows)
            text.flush()
            file.seek(0)
            self._client.put_object(Bucket=bucket, Key=key, Body=file, ContentType="text/csv; charset=utf-8")
