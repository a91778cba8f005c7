"""The books of trials on S3: `books/<lender>/<trial>/<part>.jsonl.gz`, an object for each part, gzip, JSON lines."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import aws_call, error_code
from dunning.adapters.trial_book_lines import book_lines, spells_of_lines
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.errors import UnreadableRecordError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_FOLDER = "books/"
_IN_MEMORY = 16 << 20
_LEVEL = 5
"""Higher levels take twice the time for a few per cent."""


class S3TrialBooks:
    """Implements `TrialBooks` and `KnownBooks`. The bucket keeps no versions: what is written over is gone."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read_part(self, lender: str, trial: str, part: int) -> Iterator[SettledSpell]:
        """Get the part, and read it line by line."""
        key = _book_key(lender, trial, part)
        packed = self._packed(key)
        if packed is None:
            return
        try:
            with gzip.open(io.BytesIO(packed), "rt", encoding="utf-8") as lines:
                yield from spells_of_lines(lines, key)
        except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
            raise UnreadableRecordError(f"{key}: {type(error).__name__}") from None

    def _packed(self, key: str) -> bytes | None:
        """Return the object, packed as it is; `None` if there is none."""
        with aws_call("GetObject"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) in {"NoSuchKey", "404"}:
                    return None
                raise

    def write_part(self, lender: str, trial: str, part: int, spells: Iterable[SettledSpell]) -> None:
        """Put the part. The same spells make the same bytes."""
        with SpooledTemporaryFile(_IN_MEMORY) as file:
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0, filename="") as packed:
                for line in book_lines(spells):
                    packed.write(line.encode())
            file.seek(0)
            with aws_call("PutObject"):
                self._client.put_object(
                    Bucket=self._bucket, Key=_book_key(lender, trial, part), Body=file, ContentType="application/gzip"
                )

    def books(self) -> Iterator[tuple[str, str]]:
        """List the objects, and yield each book once."""
        found: dict[tuple[str, str], None] = {}
        with aws_call("ListObjectsV2"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_FOLDER):
                for stored in page.get("Contents", []):
                    _, lender, trial, _ = stored["Key"].split("/")
                    found[lender, trial] = None
        yield from found


def _book_key(lender: str, trial: str, part: int) -> str:
    return f"{_FOLDER}{lender}/{trial}/{part:02d}.jsonl.gz"
