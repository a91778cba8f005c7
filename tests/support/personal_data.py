"""What says who somebody is, and where it may be found: tables, queues, files, logs and events of the embedded AWS."""

import base64
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from tests.local.cloud import LocalCloud
from tests.support.fakes import FakeTelemetry

type Places = dict[str, str]
"""What stands in each place, by its name."""


def patterns(names: Iterable[str], numbers: Iterable[str], texts: Iterable[str]) -> list[re.Pattern[str]]:
    """Return what finds them, however they are written: national or E.164, digits with something in between."""
    found = [
        re.compile("|".join(re.escape(form) for form in {text: 0, json.dumps(text)[1:-1]: 0}))
        for text in (*names, *texts)
    ]
    for number in numbers:
        digits = re.sub(r"\D", "", number).removeprefix("886")
        found.append(re.compile(r"[^0-9A-Za-z]{0,2}".join(digits)))
    return found


def tail(digits: str) -> re.Pattern[str]:
    """Return what finds the last digits of an account number where they stand alone."""
    return re.compile(rf"(?<![0-9A-Za-z.]){digits}(?![0-9A-Za-z])")


def found_in(places: Places, wanted: Iterable[re.Pattern[str]]) -> set[tuple[str, str]]:
    """Return which of the patterns are found where."""
    return {(place, pattern.pattern) for place, text in places.items() for pattern in wanted if pattern.search(text)}


def stored(cloud: LocalCloud) -> Places:
    """Return what is in each table's item, queue (dead letters too) and version of a file."""
    return dict([*_items(cloud), *_messages(cloud), *_files(cloud)])


def _items(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    for table in (cloud.stack.customers_table, cloud.stack.contacts_table):
        for number, item in enumerate(cloud.items(table)):
            yield f"item {number} of {table}", _written(item)


def _messages(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    backend: Any = sqs_backends[cloud.stack.account][cloud.stack.region]
    for name, queue in backend.queues.items():
        # All there are: visible, delayed, or received and not deleted yet.
        for number, message in enumerate(queue._messages):  # noqa: SLF001 - moto has no other way in
            attributes = {key: str(value) for key, value in message.message_attributes.items()}
            yield f"message {number} of {name}", _unpacked(message.body) + _written(attributes)


def _unpacked(body: str) -> str:
    """Return a message with the delivery logs that are packed in it, if there are any."""
    for packed in re.findall(r'"data": ?"([A-Za-z0-9+/=]+)"', body):
        body += gzip.decompress(base64.b64decode(packed)).decode()
    return body


def _files(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    backend: Any = s3_backends[cloud.stack.account]["aws"]
    for bucket in backend.buckets.values():
        for key in bucket.keys:
            for version in bucket.keys.getlist(key):
                yield f"{bucket.name}/{key} {version.version_id}", version.value.decode("utf-8", "replace") + key


def logged_and_published(cloud: LocalCloud, log: io.StringIO, telemetry: FakeTelemetry) -> Places:
    """Return what the functions have logged and published."""
    return {
        "log lines and metrics": log.getvalue(),
        "published events": _written([[event.kind, event.detail] for event in cloud.published_events]),
        "the telemetry": repr((telemetry.events, telemetry.counts)),
    }


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
