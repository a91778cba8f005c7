"""
Evidence: all that is stored of one customer, and what the functions logged of them, read by the adapters' readers.

What cannot be read is named by its kind and key, and never in its own words.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dunning.adapters.dynamodb.items import contact_of, lender_record_of, reply_of, standing_of
from dunning.adapters.dynamodb.keys import FACTS, REPLY, STANDING, parse_instant
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord, project_facts
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import Reply
from dunning.ports.telemetry import LogEvent


class Unreadable(NamedTuple):
    """A stored item that cannot be read: its kind, its moment if its key has one, and the kind of the error."""

    kind: str
    at: datetime | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedLine:
    """
    A line that a function logged of the customer.

    `at` is the decision's own time or, for other lines, the log's. `function` is empty where the log does not say.
    """

    at: datetime
    message: str
    function: str
    fields: Mapping[str, Any]

    @property
    def is_decision(self) -> bool:
        """Whether the line is a decision."""
        return self.message == LogEvent.DECISION


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a customer. `gaps` say what could not be read, or is no longer kept, in words."""

    customer_id: str
    lender_record: LenderRecord | None = None
    standing: Standing | None = None
    contacts: Sequence[Contact] = ()
    replies: Sequence[Reply] = ()
    logged: Sequence[LoggedLine] = ()
    unreadable: Sequence[Unreadable] = ()
    gaps: Sequence[str] = ()

    @property
    def facts(self) -> Facts | None:
        """The facts as they stand now; `None` before a first file, after an erasure, or if they cannot be read."""
        return project_facts(self.lender_record) if self.lender_record else None


def read_evidence(
    customer_id: str,
    items: Iterable[Mapping[str, Any]],
    logged: Sequence[LoggedLine] = (),
    gaps: Sequence[str] = (),
) -> Evidence:
    """Read the stored items of a customer, of both tables, in any order."""
    lender_record: LenderRecord | None = None
    standing: Standing | None = None
    contacts: list[Contact] = []
    replies: list[Reply] = []
    unreadable: list[Unreadable] = []
    for item in items:
        kind, at = _kind_of(item)
        try:
            match kind:
                case "facts":
                    lender_record = lender_record_of(item)
                case "standing":
                    standing = standing_of(item)
                case "reply":
                    replies.append(reply_of(item))
                case "contact":
                    contacts.append(contact_of(item))
                case _:
                    unreadable.append(Unreadable(kind, at, "of no known kind"))
        except UnreadableRecordError as error:
            unreadable.append(Unreadable(kind, at, str(error)))
    return Evidence(
        customer_id=customer_id,
        lender_record=lender_record,
        standing=standing,
        contacts=tuple(contacts),
        replies=tuple(replies),
        logged=tuple(logged),
        unreadable=tuple(unreadable),
        gaps=tuple(gaps),
    )


def _kind_of(item: Mapping[str, Any]) -> tuple[str, datetime | None]:
    """Return the kind of an item by its key, and the moment in the key."""
    kind = str(item.get("item", {}).get("S", ""))
    if kind:
        return kind if kind in {FACTS, STANDING} else "item", None
    key = str(item.get("contact", {}).get("S", ""))
    kind = "reply" if key.startswith(REPLY) else "contact"
    try:
        return kind, parse_instant(key.removeprefix(REPLY).partition("#")[0])
    except ValueError:
        return kind, None


def read_logged_line(text: str, customer_id: str, function: str, logged_at: datetime) -> LoggedLine | None:
    """Read a line of a log; `None` if it is not about the customer, or is none of ours."""
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    if not isinstance(fields, dict) or fields.pop("customer_id", None) != customer_id:
        return None
    fields.pop("level", None)
    message = str(fields.pop("message", LogEvent.DECISION))
    written_at = fields.pop("at", None)
    at = logged_at
    if isinstance(written_at, str):
        try:
            at = datetime.fromisoformat(written_at)
        except ValueError:
            fields["at"] = written_at
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return LoggedLine(at=at, message=message, function=function, fields=fields)
