"""
LINE: messages to friends of an account, and notification messages to phone numbers. No SDK, one HTTP request each.

LINE knows a retry key, so a push is the one message that may be asked for again. A notification message knows none. Its
delivery tag comes back when it has arrived.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from dunning.contracts.claim_marks import claim_tag
from dunning.contracts.json_objects import objects_in
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import ServiceCallError
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import LineBody, Outgoing

LINE_API = "https://api.line.me"

_PUSH, _NOTIFY = "/v2/bot/message/push", "/bot/pnp/push"
_MOST_BYTES = 64 * 1024
"""An answer has a few hundred bytes."""

_SOON, _AFTER_REPAIR = timedelta(minutes=1), timedelta(hours=1)
_OK, _ACCEPTED, _BAD_REQUEST, _CONFLICT, _UNDELIVERABLE, _TOO_MANY, _SERVER_ERROR = 200, 202, 400, 409, 422, 429, 500
_FIRST_REFUSAL = 400

_ACCESS_TOKEN = re.compile(r"[!-~]+")
_USER_ID = re.compile(r"U[0-9a-f]{32}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CLAIM = re.compile(r"[0-9a-f]{32}")
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_BUTTON_CODE = re.compile(r"[a-z0-9_]{1,40}")

_COUNTRIES_WITH_NOTIFICATIONS = ("+81", "+66", "+886")

_LONGEST_TEXT = 5000
"""In UTF-16 code units, as LINE counts."""
_LONGEST_LABEL = 20
_MOST_BUTTONS = 13

_NOBODY = "Failed to send messages"
"""The words for a user id that the account cannot reach."""
_MONTHLY_LIMIT = "monthly limit"
"""Both a burst and a month that is used up are answered by 429; the words tell them apart."""


class _LineAnswer(NamedTuple):
    """An answer of LINE: status, headers in lower case, and the document, empty if it is none."""

    status: int
    headers: Mapping[str, str]
    document: Mapping[str, Any]

    @property
    def message(self) -> str:
        return str(self.document.get("message", ""))

    @property
    def request_id(self) -> str:
        return _known(self.headers.get("x-line-request-id"))

    @property
    def accepted_request_id(self) -> str:
        return _known(self.headers.get("x-line-accepted-request-id"))

    @property
    def sent_message_id(self) -> str:
        match self.document.get("sentMessages"):
            case [{"id": str(message_id)}, *_]:
                return _known(message_id)
            case _:
                return ""

    def blames_recipient(self) -> bool:
        """Tell whether a bad request is about the recipient and nothing else."""
        properties = {str(detail.get("property")) for detail in objects_in(self.document.get("details"))}
        return properties == {"to"} or "'to'" in self.message or self.message.startswith(_NOBODY)


def _known(written: object) -> str:
    return written if isinstance(written, str) and _REQUEST_ID.fullmatch(written) else ""


class LineApi:
    """
    The way to LINE's API: one attempt, no redirect, short timeouts and short answers. The connections are kept.

    `token` is called for each request with the account that sends, so that a token may change. It may raise a
    `ServiceCallError`: nothing is sent.
    """

    def __init__(
        self,
        token: Callable[[str], str],
        *,
        origin: str = LINE_API,
        connect_seconds: float = 3,
        read_seconds: float = 8,
    ) -> None:
        self._token = token
        self._origin = origin
        timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=timeout)

    def post(
        self, path: str, account: str, document: Mapping[str, Any], headers: Mapping[str, str]
    ) -> _LineAnswer | Published:
        """Make one request. Return the answer, or what is known of a message without one."""
        try:
            token = self._token(account).strip()
        except ServiceCallError as error:
            return _refused_for_now(error.code, _SOON)  # so nothing was sent
        if not _ACCESS_TOKEN.fullmatch(token):
            return _refused_for_now("NoAccessToken", _AFTER_REPAIR)  # an error about a header would quote it
        try:
            response = self._pool.request(
                "POST",
                f"{self._origin}{path}",
                body=json.dumps(document).encode(),
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                    "User-Agent": "dunning",
                    **headers,
                },
                redirect=False,
                preload_content=False,
            )
        except (ConnectTimeoutError, NewConnectionError) as error:
            # No connection, so no request: the message was not accepted.
            return _refused_for_now(type(error).__name__, _SOON)
        except HTTPError as error:
            return Published(PublishOutcome.UNKNOWN, code=type(error).__name__)
        try:
            body = response.read(_MOST_BYTES, decode_content=False)
            if response.read(1, decode_content=False):
                response.close()  # too long for an answer of LINE: the rest stays where it is
        except HTTPError as error:
            return Published(PublishOutcome.UNKNOWN, code=type(error).__name__)
        finally:
            response.release_conn()
        return _LineAnswer(
            response.status, {name.lower(): text for name, text in response.headers.items()}, _document(body)
        )


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


class LinePushGateway:
    """Implements `Gateway`: messages to friends of the account, addressed by user id."""

    channel = Channel.LINE
    name = "line"
    repeatable = True

    def __init__(self, api: LineApi) -> None:
        self._api = api

    def publish(self, outgoing: Outgoing) -> Published:
        """Publish once under the retry key of the claim, and class the answer."""
        body = outgoing.body
        if not isinstance(body, LineBody) or not _CLAIM.fullmatch(outgoing.claim_id):
            return _refused_for_now("NotForLinePush", _AFTER_REPAIR)
        if fault := _fault_of(body):
            return _refused_for_now(fault, _AFTER_REPAIR)
        if not _USER_ID.fullmatch(outgoing.address):
            return Published(PublishOutcome.REFUSED_FOR_GOOD, code="NotAUserId")
        reply = self._api.post(
            _PUSH,
            body.account,
            {"to": outgoing.address, "messages": [_bubble(body)]},
            {"X-Line-Retry-Key": str(uuid.UUID(hex=outgoing.claim_id))},
        )
        return reply if isinstance(reply, Published) else push_outcome(reply)


class LineNotificationGateway:
    """
    Implements `Gateway`: notification messages, addressed by phone number.

    The number leaves as a hash. LINE may hold a message for a day until the person agrees to such messages.
    """

    channel = Channel.LINE
    name = "line_notification"
    repeatable = False

    def __init__(self, api: LineApi) -> None:
        self._api = api

    def publish(self, outgoing: Outgoing) -> Published:
        """Publish once with the delivery tag of the claim, and class the answer."""
        body = outgoing.body
        if not isinstance(body, LineBody) or body.buttons:
            return _refused_for_now("NotForLineNotification", _AFTER_REPAIR)
        if fault := _fault_of(body):
            return _refused_for_now(fault, _AFTER_REPAIR)
        if not outgoing.address.startswith(_COUNTRIES_WITH_NOTIFICATIONS):
            return _refused_for_now("CountryWithoutNotifications", _AFTER_REPAIR)
        if not _E164.fullmatch(outgoing.address):
            return Published(PublishOutcome.REFUSED_FOR_GOOD, code="NotANumber")
        reply = self._api.post(
            _NOTIFY,
            body.account,
            {"to": hashlib.sha256(outgoing.address.encode()).hexdigest(), "messages": [_bubble(body)]},
            {"X-Line-Delivery-Tag": claim_tag(outgoing)},
        )
        return reply if isinstance(reply, Published) else notification_outcome(reply)


def _fault_of(body: LineBody) -> str:
    """Return a code for a message that LINE cannot take; empty if it can."""
    if not body.text.strip() or len(body.text.encode("utf-16-le", "surrogatepass")) > 2 * _LONGEST_TEXT:
        return "TextEmptyOrTooLong"
    labels = [button.label for button in body.buttons]
    if len(labels) > _MOST_BUTTONS or not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        return "ButtonsOfWrongSize"
    return "" if all(_BUTTON_CODE.fullmatch(button.code) for button in body.buttons) else "ButtonsWithoutCode"


def _bubble(body: LineBody) -> dict[str, Any]:
    bubble: dict[str, Any] = {"type": "text", "text": body.text}
    if body.buttons:
        bubble["quickReply"] = {"items": [{"type": "action", "action": _postback(*button)} for button in body.buttons]}
    return bubble


def _postback(label: str, code: str) -> dict[str, str]:
    return {"type": "postback", "label": label, "data": code, "displayText": label}


def push_outcome(reply: _LineAnswer) -> Published:
    """
    Class an answer to a push.

    409 is a yes to an earlier request with the same key. Without LINE's own header neither a yes nor a 409 is LINE's.
    """
    if reply.status == _OK and reply.request_id:
        return Published(PublishOutcome.ACCEPTED, message_id=reply.sent_message_id or reply.request_id)
    if reply.status == _CONFLICT and reply.accepted_request_id:
        return Published(PublishOutcome.ACCEPTED, message_id=reply.sent_message_id or reply.accepted_request_id)
    return _not_accepted(reply)


def notification_outcome(reply: _LineAnswer) -> Published:
    """Class an answer to a notification message. 422: it cannot be delivered to this number."""
    if reply.status in {_OK, _ACCEPTED} and reply.request_id:
        return Published(PublishOutcome.ACCEPTED, message_id=reply.request_id)
    if reply.status == _UNDELIVERABLE:
        return Published(PublishOutcome.REFUSED_FOR_GOOD, code="422")
    return _not_accepted(reply)


def _not_accepted(reply: _LineAnswer) -> Published:
    """
    Class an answer that is no yes.

    A 4xx did not take the message: too many requests, a recipient who is not there, or a fault of ours. All else may
    have been delivered.
    """
    code = str(reply.status)
    if not _FIRST_REFUSAL <= reply.status < _SERVER_ERROR or reply.status == _CONFLICT:
        return Published(PublishOutcome.UNKNOWN, code=code)
    if reply.status == _TOO_MANY:
        is_used_up = _MONTHLY_LIMIT in reply.message
        return _refused_for_now(f"{code} monthly limit" if is_used_up else code, _AFTER_REPAIR if is_used_up else _SOON)
    if reply.status == _BAD_REQUEST and reply.blames_recipient():
        return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code)
    return _refused_for_now(code, _AFTER_REPAIR)


def _refused_for_now(code: str, retry_after: timedelta) -> Published:
    return Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=retry_after)
