"""
A user's own events for a local run: payments, replies, receipts and the like, a line of JSON each.

    {"at": "2026-12-03T10:00:00+08:00", "event": "InstalmentPaid", "detail": {"customer_id": "C1", ...}}
    {"at": "2026-12-03T10:05:00+08:00", "reply": {"from": "+886912345678", "text": "退訂"}}
    {"at": "2026-12-03T10:06:00+08:00", "receipt": {"to": "+886912345678", "response": "Phone has blocked SMS"}}

What the detail of an event has to hold is in `events/schemas/`; `schema_version` and `at` may be left out, they are
added. A receipt is about the last text to that number; one without a `response` says that it has arrived.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dunning.contracts.lender_event import parse_lender_message
from dunning.domain.errors import DunningError

_KINDS = ("event", "reply", "receipt")


class SaidError(DunningError):
    """A line of the file is not what it should be; the message names file, line and fix."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that happens during a run, and when."""

    at: datetime
    kind: str
    detail: Mapping[str, Any]


def read_said(body: bytes, name: str) -> list[Said]:
    """
    Read a file of events, earliest first.

    Raises:
        SaidError: a line cannot be read; nothing of the file is used then.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SaidError(f"{name}: is not UTF-8. Save it as UTF-8.") from None
    return sorted(_lines(text, name), key=lambda one: one.at)


def _lines(text: str, name: str) -> Iterator[Said]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _read(line)
        except (SaidError, DunningError) as error:
            raise SaidError(f"{name}:{number}: {error}") from None


def _read(line: str) -> Said:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise SaidError(f"is not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(fields, dict) or sorted(fields) not in (
        ["at", "detail", "event"],
        ["at", "reply"],
        ["at", "receipt"],
    ):
        raise SaidError('write "at" and one of "event" with "detail", "reply" or "receipt"')
    try:
        at = datetime.fromisoformat(fields["at"])
    except (TypeError, ValueError):
        raise SaidError('at: write an instant such as "2026-12-03T10:00:00+08:00"') from None
    if at.tzinfo is None:
        raise SaidError("at: add Z or an offset, such as +08:00")
    if "event" in fields:
        return Said(at, str(fields["event"]), _event(str(fields["event"]), fields["detail"], at))
    kind = "reply" if "reply" in fields else "receipt"
    return Said(at, kind, _of(kind, fields[kind]))


def _event(kind: str, detail: object, at: datetime) -> Mapping[str, Any]:
    if not isinstance(detail, dict):
        raise SaidError("detail: write an object; events/schemas/ says what it holds")
    whole = {"schema_version": 1, "at": at.isoformat(), **detail}
    # The very reader that the payments use, so that nothing is found out in the middle of a run.
    envelope = {
        "version": "0",
        "id": "0",
        "detail-type": kind,
        "source": "lender.core",
        "account": "0",
        "time": at.isoformat(),
        "region": "local",
        "resources": [],
        "detail": whole,
    }
    parse_lender_message(json.dumps(envelope), at)
    return whole


def _of(kind: str, fields: object) -> Mapping[str, Any]:
    needed, possible = ({"from", "text"}, {"from", "text"}) if kind == "reply" else ({"to"}, {"to", "response"})
    if not isinstance(fields, dict) or not needed <= fields.keys() <= possible:
        raise SaidError(f"{kind}: write an object with {' and '.join(sorted(possible))}")
    if not all(isinstance(value, str) for value in fields.values()):
        raise SaidError(f"{kind}: all values are text")
    return fields
