"""
The document of a customer: one JSON object with the timeline in words, and all that is stored, field by field.

For a complaint, a regulator, or a person who asks what is kept of them. `make customer` and the console write the same
document. Its schema is `events/schemas/customer_document.json`, which a test holds against these functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from dunning.contracts.instants import instant
from dunning.domain.customer.lender_record import (
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    InstalmentChanged,
    InstalmentPaid,
)
from dunning.evidence.customer_evidence import Evidence
from dunning.evidence.timeline import Timeline, timeline_document
from dunning.ports.audit_trail import AuditEntry

DOCUMENT_VERSION = 1
"""Raised when a field is taken away or changes its meaning; new fields may come at any time."""

EVENTS_OF_A_RECORD = (
    InstalmentPaid,
    InstalmentChanged,
    AccountClosed,
    CustomerHold,
    CustomerReleased,
    CustomerAttended,
    AddressChanged,
    ConsentChanged,
)
"""The kinds of events of a lender record: each names its kind in the document."""


def customer_document(
    evidence: Evidence, timeline: Timeline, looks: Sequence[AuditEntry] = (), **about: str
) -> dict[str, Any]:
    """
    Return the document of a customer. Personal data in full.

    Args:
        evidence: all that was read of the customer.
        timeline: the timeline built from it.
        looks: what the audit trail of the console has of the customer.
        about: who made the document, when, from what, and what for.
    """
    return {
        "document_version": DOCUMENT_VERSION,
        **timeline_document(timeline, **about),
        "stored": {
            "lender_record": _as_json(evidence.lender_record),
            "facts_now": _as_json(evidence.facts),
            "standing": _as_json(evidence.standing),
            "contacts": _as_json(evidence.contacts),
            "replies": _as_json(evidence.replies),
        },
        "looks": [
            {
                "at": instant(entry.at),
                "by": entry.viewer.subject,
                "role": entry.viewer.role.value,
                "act": entry.act,
                "about": entry.subject_matter or None,
                "purpose": entry.purpose or None,
            }
            for entry in looks
        ],
    }


def _as_json(value: Any) -> Any:  # noqa: ANN401, PLR0911 - any stored value; one a kind of value
    """Return a value of the domain in JSON: records by their fields' names, instants in UTC, days as `2026-12-01`."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case _ if is_dataclass(value) and not isinstance(value, type):
            # The kind of an event is its class.
            kind = {"event": type(value).__name__} if isinstance(value, EVENTS_OF_A_RECORD) else {}
            return kind | {field.name: _as_json(getattr(value, field.name)) for field in fields(value)}
        case tuple() if hasattr(value, "_asdict"):
            return {name: _as_json(part) for name, part in value._asdict().items()}
        case Mapping():
            return {str(name): _as_json(part) for name, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_as_json(part) for part in (sorted(value) if isinstance(value, set | frozenset) else value)]
        case _:
            return value
