"""The evidence of one customer: all that is stored, and what the functions logged. Personal data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord, project_facts
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.replies.reply import Reply
from dunning.ports.telemetry import LogEvent

OLDER_TEXTS, OLDER_REPLIES = "older texts", "older replies"
"""The gaps of evidence of which only the newest part was read."""

_OF_DECISIONS = frozenset({"facts", "standing"})


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
    def is_readable(self) -> bool:
        """Whether facts and standing can be read: without them nothing can be decided."""
        return _OF_DECISIONS.isdisjoint(each.kind for each in self.unreadable)

    @property
    def facts(self) -> Facts | None:
        """The facts as they stand now; `None` before a first file, after an erasure, or if they cannot be read."""
        return project_facts(self.lender_record) if self.lender_record else None


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
