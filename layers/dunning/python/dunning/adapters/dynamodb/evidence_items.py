"""
Reads a customer's stored items, of both tables, as evidence.

What cannot be read is named by its kind and key, and never in its own words.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dunning.adapters.dynamodb.items import contact_of, lender_record_of, reply_of, standing_of
from dunning.adapters.dynamodb.keys import FACTS, REPLY, STANDING, parse_instant
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import Reply
from dunning.evidence.customer_evidence import Evidence, LoggedLine, Unreadable


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
