"""
The lender's events that the console writes: the models that read them write them, so that what goes out comes in.

`by` is the subject of whoever acts. A subject with characters that an event cannot have is written as its hash.
"""

import hashlib
import json
import re
from datetime import datetime

from dunning.contracts.instants import instant
from dunning.contracts.lender_event import EVENTS, ErasureRequest, GivenLabel
from dunning.domain.customer.lender_record import (
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    LenderEvent,
    RecordedEvent,
)
from dunning.ports.lender_bus import WrittenEvent

CONSOLE_SOURCE = "dunning.console"
"""The source of the console's events on the bus. `LenderSources` has to let it in."""

_PLAIN_SUBJECT = re.compile(r"[A-Za-z0-9._:|-]{1,80}")


def subject_written(subject: str) -> str:
    """Return the subject of a person as `by` can have it."""
    if _PLAIN_SUBJECT.fullmatch(subject):
        return subject
    return f"sha256:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


def write_console_event(customer_id: str, event: RecordedEvent | GivenLabel | ErasureRequest) -> WrittenEvent:
    """
    Write an event.

    Raises:
        ValueError: its own model refuses it; the message names the fields, and may quote them.
    """
    match event:
        case RecordedEvent(time, lender_event, by):
            kind, own = _statement_of(lender_event)
            at, sequence = time
        case GivenLabel(reply_id, label, by):
            kind, at, sequence = "ReplyLabelled", label.at, label.sequence
            own = {"reply_id": reply_id, "intents": list(label.intents)}
            if label.promised_on:
                own["promised_on"] = label.promised_on.isoformat()
        case ErasureRequest(at, by):
            kind, sequence, own = "CustomerErased", 0, {}
    return _checked(kind, {**_common(customer_id, at, sequence, by), **own})


def _statement_of(event: LenderEvent) -> tuple[str, dict[str, object]]:
    match event:
        case CustomerHold(reason, until):
            return "CustomerHold", {"reason": reason.value, **({"until": until.isoformat()} if until else {})}
        case CustomerReleased(released):
            return "CustomerReleased", {"reason": released.value} if released else {}
        case CustomerAttended(outcome):
            return "CustomerAttended", {"outcome": outcome}
        case _:
            raise ValueError(f"the console writes no {type(event).__name__}")


def _common(customer_id: str, at: datetime, sequence: int, by: str) -> dict[str, object]:
    return {
        "schema_version": 2,
        "customer_id": customer_id,
        "at": instant(at),
        "sequence": sequence,
        "by": subject_written(by),
    }


def _checked(kind: str, detail: dict[str, object]) -> WrittenEvent:
    written = json.dumps(detail, ensure_ascii=True)
    EVENTS[kind].model_validate_json(written)
    return WrittenEvent(kind, written)
