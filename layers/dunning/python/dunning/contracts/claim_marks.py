"""
Claim marks: the claim of a message, as it travels through a service and comes back.

End User Messaging hands back any text, SES only letters, digits, `-` and `_`, LINE a tag of a hundred characters. Ids
only, no personal data. What comes back is checked as anything from outside is.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from dunning.contracts.job import CUSTOMER_ID
from dunning.domain.delivery.receipt import ClaimKey
from dunning.ports.outgoing import Outgoing

_CUSTOMER = re.compile(CUSTOMER_ID)
_OUR_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MICROSECONDS = re.compile(r"[0-9]{15,16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TO_ESCAPE = re.compile(r"[_.:]")
_ESCAPED = re.compile(r"_([0-9A-F]{2})")

_TAG_SEPARATOR = "/"
"""No customer id and no claim id has it."""


def claim_marks(outgoing: Outgoing) -> dict[str, str]:
    """Return the marks of a message. An erasure finds a customer's id beside this name in what services bring back."""
    return {
        "customer_id": outgoing.customer_id,
        "send_id": outgoing.send_id,
        "claim_id": outgoing.claim_id,
        "claimed_at": str((outgoing.claimed_at - _EPOCH) // timedelta(microseconds=1)),
    }


def claim_labels(outgoing: Outgoing) -> dict[str, str]:
    """Return the marks of a message in letters, digits, `-` and `_`, which is all that SES takes."""
    marks = claim_marks(outgoing)
    return marks | {"customer_id": escaped_id(outgoing.customer_id)}


def escaped_id(customer_id: str) -> str:
    """Return a customer's id in letters, digits, `-` and `_`."""
    return _TO_ESCAPE.sub(lambda sign: f"_{ord(sign[0]):02X}", customer_id)


def claim_of_marks(marks: Mapping[str, object]) -> ClaimKey | None:
    """Read what `claim_marks` wrote; `None` if a mark is missing or damaged: the message is not ours."""
    written = [marks.get(name) for name in ("customer_id", "send_id", "claim_id", "claimed_at")]
    if not all(isinstance(mark, str) for mark in written):
        return None
    customer_id, send_id, claim_id, claimed = map(str, written)
    ids = _CUSTOMER.fullmatch(customer_id) and _OUR_ID.fullmatch(send_id) and _OUR_ID.fullmatch(claim_id)
    if not ids or not _MICROSECONDS.fullmatch(claimed):
        return None
    return ClaimKey(customer_id, claim_id, send_id, _EPOCH + timedelta(microseconds=int(claimed)))


def claim_of_labels(labels: Mapping[str, object]) -> ClaimKey | None:
    """Read what `claim_labels` wrote; `None` if a label is missing or damaged."""
    customer = labels.get("customer_id")
    if not isinstance(customer, str):
        return None
    return claim_of_marks({**labels, "customer_id": _ESCAPED.sub(lambda sign: chr(int(sign[1], 16)), customer)})


def claim_tag(outgoing: Outgoing) -> str:
    """Return customer and claim in at most a hundred characters, and at least sixteen."""
    return f"{outgoing.claim_id}{_TAG_SEPARATOR}{outgoing.customer_id}"


def claim_of_tag(tag: str) -> ClaimKey | None:
    """Read what `claim_tag` wrote; `None` if it is something else."""
    claim_id, separator, customer_id = tag.partition(_TAG_SEPARATOR)
    if not separator or not _OUR_ID.fullmatch(claim_id) or not _CUSTOMER.fullmatch(customer_id):
        return None
    return ClaimKey(customer_id, claim_id)
