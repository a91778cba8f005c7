"""
The button for no more mail: the address that it calls, and the call.

A mail program calls the address of `List-Unsubscribe` with a POST (RFC 8058). Programs that look through mails for
danger call addresses with a GET, and no GET unsubscribes anybody. The token in the address names the customer and the
claim of the mail. It is signed, so that nobody unsubscribes another, and it holds no address.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from urllib.parse import parse_qs

from dunning.contracts.claim_marks import claim_of_tag
from dunning.domain.delivery.channel_events import ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.errors import UnreadableRecordError

_SIGNATURE_BYTES = 16
_MOST_BYTES = 4096
_MOST_FIELDS = 40
_LONGEST_TOKEN = 400
_FIELD, _VALUE = "List-Unsubscribe", "One-Click"
_PURPOSE = b"dunning unsubscribe 1:"


def unsubscribe_token(customer_id: str, claim_id: str, secret: str) -> str:
    """Return the token of a mail: letters, digits, `-` and `_`."""
    named = f"{claim_id}/{customer_id}".encode()
    return base64.urlsafe_b64encode(_signature(named, secret) + named).decode().rstrip("=")


def parse_unsubscribe(token: str, body: bytes, secret: str, at: datetime) -> ChannelWish:
    """
    Read a call of the button: the token in its address, and the body of the POST.

    Raises:
        UnreadableRecordError: the token is not ours, or the body is not that of the button; the message quotes neither.
    """
    if not secret:
        raise UnreadableRecordError("not the button for no more mail: no secret is set")
    claim = _claim_in(token, secret)
    if claim is None:
        raise UnreadableRecordError("not the button for no more mail: token")
    if len(body) > _MOST_BYTES or _VALUE not in _form_fields(body).get(_FIELD, []):
        raise UnreadableRecordError("not the button for no more mail: body")
    event_id = f"unsubscribe:{claim.claim_id}"
    return ChannelWish(Channel.EMAIL, Wish.UNSUBSCRIBED, event_id, at, claim=claim)


def _claim_in(token: str, secret: str) -> ClaimKey | None:
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        written = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        signature, named = written[:_SIGNATURE_BYTES], written[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(named, secret)):
            return None
        return claim_of_tag(named.decode("ascii"))
    except (UnicodeError, binascii.Error):
        return None


def _signature(named: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), _PURPOSE + named, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _form_fields(body: bytes) -> dict[str, list[str]]:
    """Read the fields of a form; of a form in parts only the lines between them, which is all that is needed."""
    text = body.decode("utf-8", "replace")
    if f'name="{_FIELD}"' in text:
        return {_FIELD: [line.strip() for line in text.splitlines()]}
    return parse_qs(text) if text.count("&") < _MOST_FIELDS else {}
