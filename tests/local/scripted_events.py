"""
A user's own events for a local run: payments, replies, receipts and the like, a line of JSON each.

    {"at": "2026-12-03T10:00:00+08:00", "event": "InstalmentPaid", "detail": {"customer_id": "C1", ...}}
    {"at": "2026-12-03T10:05:00+08:00", "reply": {"from": "+886912345678", "text": "退訂"}}
    {"at": "2026-12-03T10:06:00+08:00", "receipt": {"to": "+886912345678", "response": "Phone has blocked SMS"}}

What the detail of an event has to hold is in `events/schemas/`; `schema_version` and `at` may be left out, they are
added. A number is written with + or as people write it where its owner lives. A receipt is about the last text to that
number; one without a `response` says that it has arrived.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dunning.contracts.erasure_round import parse_lender_message
from dunning.contracts.lender_event import EVENTS
from dunning.domain.errors import DunningError
from tests.local.portfolio import Portfolio, UnknownError

_MAX_LINES_REPORTED = 10
"""So many bad lines are told: whoever has more corrects these first."""

_FIELD_OF = {"reply": "from", "receipt": "to"}
"""Where the number stands."""


class ScriptedEventsError(DunningError):
    """Lines of the file are not what they should be; the message names file, line, field and fix, a line for each."""


@dataclass(frozen=True, slots=True)
class ScriptedEvent:
    """Something that happens during a run, when, and where it is written: `mine.jsonl:3`."""

    at: datetime
    kind: str
    detail: Mapping[str, Any]
    where: str = ""


def read_scripted_events(body: bytes, name: str, portfolio: Portfolio | None = None) -> list[ScriptedEvent]:
    """
    Read a file of events, earliest first.

    Args:
        body: the file, JSON lines.
        name: what it is called.
        portfolio: the customers whom it may speak of; without it their ids and numbers are not looked up.

    Raises:
        SaidError: lines cannot be read, or speak of nobody; nothing of the file is used then.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScriptedEventsError(f"{name}: is not UTF-8. Save it as UTF-8.") from None
    scripted: list[ScriptedEvent] = []
    wrong: list[str] = []
    for where, line in _lines(text, name):
        try:
            scripted.append(_read(line, where, portfolio))
        except DunningError as error:
            wrong.append(f"{where}: {error}")
    wrong += _unknown_instalments(scripted, portfolio)
    if len(wrong) > _MAX_LINES_REPORTED:
        wrong[_MAX_LINES_REPORTED:] = [f"{name}: {len(wrong) - _MAX_LINES_REPORTED} more lines are wrong"]
    if wrong:
        raise ScriptedEventsError("\n".join(wrong))
    return sorted(scripted, key=lambda event: event.at)


def outside_run(scripted: Iterable[ScriptedEvent], begin: datetime, end: datetime) -> list[ScriptedEvent]:
    """Return the events that lie before or after a run, and therefore do not happen."""
    return [event for event in scripted if not begin <= event.at < end]


def _lines(text: str, name: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{name}:{number}", line


def _read(line: str, where: str, portfolio: Portfolio | None) -> ScriptedEvent:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise ScriptedEventsError(f"is not JSON: {error.msg} at column {error.colno}") from None
    except (RecursionError, ValueError):
        raise ScriptedEventsError("is nested too deeply, or holds a number of thousands of digits") from None
    if not isinstance(fields, dict) or sorted(fields) not in (
        ["at", "detail", "event"],
        ["at", "reply"],
        ["at", "receipt"],
    ):
        raise ScriptedEventsError('write "at" and one of "event" with "detail", "reply" or "receipt"')
    try:
        at = datetime.fromisoformat(fields["at"])
    except (TypeError, ValueError):
        raise ScriptedEventsError('at: write an instant such as "2026-12-03T10:00:00+08:00"') from None
    if at.tzinfo is None:
        raise ScriptedEventsError("at: add Z or an offset, such as +08:00")
    if "event" in fields:
        kind = str(fields["event"])
        detail = _event(kind, fields["detail"], at)
        _check_ids(detail, portfolio)
    else:
        kind = "reply" if "reply" in fields else "receipt"
        detail = _with_its_number(kind, _of(kind, fields[kind]), portfolio)
    return ScriptedEvent(at, kind, detail, where)


def _check_ids(detail: Mapping[str, Any], portfolio: Portfolio | None) -> None:
    if portfolio is None:
        return
    try:
        portfolio.check_customer(detail["customer_id"])
    except UnknownError as error:
        raise ScriptedEventsError(f"detail.customer_id: {error}") from None
    if "account_id" in detail:
        try:
            portfolio.check_account(detail["customer_id"], detail["account_id"])
        except UnknownError as error:
            raise ScriptedEventsError(f"detail.account_id: {error}") from None


def _unknown_instalments(scripted: Iterable[ScriptedEvent], portfolio: Portfolio | None) -> Iterator[str]:
    """Yield what is wrong with payments of instalments that neither the accounts nor another event know."""
    if portfolio is None:
        return
    changed = {_instalment(event) for event in scripted if event.kind == "InstalmentChanged"}
    for event in scripted:
        if event.kind == "InstalmentPaid" and _instalment(event) not in changed:
            try:
                portfolio.check_instalment(*_instalment(event))
            except UnknownError as error:
                yield f"{event.where}: detail.instalment_no: {error}"


def _instalment(event: ScriptedEvent) -> tuple[str, str, int]:
    return event.detail["customer_id"], event.detail["account_id"], event.detail["instalment_no"]


def _with_its_number(kind: str, fields: Mapping[str, Any], portfolio: Portfolio | None) -> Mapping[str, Any]:
    if portfolio is None:
        return fields
    field = _FIELD_OF[kind]
    try:
        return {**fields, field: portfolio.number(fields[field])}
    except UnknownError as error:
        raise ScriptedEventsError(f"{kind}.{field}: {error}") from None


def _event(kind: str, detail: object, at: datetime) -> Mapping[str, Any]:
    if kind not in EVENTS:
        near = difflib.get_close_matches(kind, EVENTS, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise ScriptedEventsError(f"event: there is none of this name; {meant}There are: {', '.join(EVENTS)}")
    if not isinstance(detail, dict):
        raise ScriptedEventsError(f"detail: write an object; events/schemas/{kind}.json says what it holds")
    whole = {"schema_version": 1, "at": at.isoformat(), **detail}
    # The very reader that lender_events uses, so that nothing is found out in the middle of a run.
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
    try:
        parse_lender_message(json.dumps(envelope), at)
    except DunningError as error:
        fields = str(error).removeprefix("not a lender's event: ")
        raise ScriptedEventsError(f"{fields}: events/schemas/{kind}.json says what it holds") from None
    return whole


def _of(kind: str, fields: object) -> Mapping[str, Any]:
    needed, possible = ({"from", "text"}, {"from", "text"}) if kind == "reply" else ({"to"}, {"to", "response"})
    if not isinstance(fields, dict) or not needed <= fields.keys() <= possible:
        fields_of_it = " and ".join(f'"{name}"' for name in sorted(needed))
        others = "".join(f', and perhaps "{name}"' for name in sorted(possible - needed))
        raise ScriptedEventsError(f"{kind}: write an object with {fields_of_it}{others}")
    if not all(isinstance(value, str) for value in fields.values()):
        raise ScriptedEventsError(f"{kind}: all values are text")
    for name, value in fields.items():
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ScriptedEventsError(f"{kind}.{name}: holds half a character: write \\ud83d\\ude00 as a pair")
    return fields
