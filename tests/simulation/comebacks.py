"""What comes back: the reports of the services that send, as they write them, and what of them is a failure."""

import base64
import hmac
import json
from datetime import datetime, timedelta
from typing import Any, Final

from dunning.contracts.claim_marks import claim_labels, claim_marks
from dunning.contracts.http_call import HttpCall
from dunning.ports.outgoing import Outgoing
from dunning.ports.secret_store import line_secret
from tests.support.fakes import FakeSecrets

FOR_GOOD: Final = frozenset({"bounce", "invalid", "Invalid phone number"})
"""Reports that a message has failed because of its address."""

FOR_NOW: Final = frozenset({"full", "unreachable", "Phone is currently unreachable/unavailable"})
"""Reports that a message has failed, and that its address is good."""

_LATER = timedelta(seconds=5)

_MAILS: Final[dict[str, tuple[str, str, dict[str, str]]]] = {
    "send": ("Send", "send", {}),
    "delivery": ("Delivery", "delivery", {}),
    "bounce": ("Bounce", "bounce", {"bounceType": "Permanent", "bounceSubType": "General"}),
    "full": ("Bounce", "bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),
    "complaint": ("Complaint", "complaint", {"feedbackId": "feedback-1"}),
}
"""By report: the kind of the event of SES, the member with its details, and these."""

_TEXTS: Final = {
    "delivered": "TEXT_DELIVERED",
    "pending": "TEXT_PENDING",
    "invalid": "TEXT_INVALID",
    "unreachable": "TEXT_UNREACHABLE",
}
"""By report: the kind of the event of End User Messaging."""


def event_of(report: str, outgoing: Outgoing, message_id: str, at: datetime) -> str:
    """Return the event by which a service reports what came of a message, as its topic hands it over."""
    at += _LATER
    if report in _TEXTS:
        return _notified({
            "eventType": _TEXTS[report],
            "eventTimestamp": int(at.timestamp() * 1000),
            "isFinal": report != "pending",
            "messageId": message_id,
            "context": claim_marks(outgoing),
        })  # fmt: skip
    kind, member, details = _MAILS[report]
    mail = {
        "messageId": message_id,
        "timestamp": at.isoformat(),
        "destination": [outgoing.address],
        "tags": {name: [mark] for name, mark in claim_labels(outgoing).items()},
    }
    return _notified({"eventType": kind, "mail": mail, member: {"timestamp": at.isoformat(), **details}})


def line_body(*events: tuple[str, str, datetime], user: str) -> str:
    """Return a webhook of LINE: what a person did or wrote there (`message:` and the words), with an id and a time."""
    return json.dumps({
        "destination": "U" + "0" * 32,
        "events": [
            {
                "type": kind,
                "timestamp": int(at.timestamp() * 1000),
                "webhookEventId": event_id,
                "source": {"type": "user", "userId": user},
                **({"message": {"type": "text", "id": event_id, "text": words}} if words else {}),
            }
            for event, event_id, at in events
            for kind, _, words in [event.partition(":")]
        ],
    })  # fmt: skip


LINE_LENDER: Final = "lender"
_LINE_SECRET: Final = "the channel's secret"


def known_secrets() -> FakeSecrets:
    """Return the secret by which a webhook of LINE is known."""
    return FakeSecrets(**{line_secret(LINE_LENDER): _LINE_SECRET})


def signed_call(body: bytes) -> HttpCall:
    """Return a webhook as LINE calls it in."""
    signature = base64.b64encode(hmac.digest(_LINE_SECRET.encode(), body, "sha256")).decode()
    return HttpCall(
        "POST", "/line", {"x-line-signature": signature}, body, "POST /line/{lender}", {"lender": LINE_LENDER}
    )


def _notified(event: dict[str, Any]) -> str:
    """Return an event in what SNS puts around it."""
    return json.dumps({"Type": "Notification", "Message": json.dumps(event), "Timestamp": "2026-12-01T02:00:05.000Z"})
