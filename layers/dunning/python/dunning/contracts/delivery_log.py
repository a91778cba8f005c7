"""
Delivery logs, as CloudWatch Logs hands them to a subscribed function: gzip in base64, a log each message.

A log may lack fields. A log that cannot be read is counted, and does not affect other logs. A log without a readable
time of its own has the time of its event, else the time at which the function got it.
"""

import base64
import json
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.errors import UnreadableRecordError

_MOST_BYTES = 16 * 1024 * 1024
"""CloudWatch Logs sends at most 1 MB in base64; text like this shrinks to a twentieth. More would fill the memory."""

_MOST_LOGS = 50_000
"""A log has several hundred bytes: so many in so little space are none."""

_MOST_NODES = 1_000_000
"""Signs that part values of JSON. Logs have a dozen each; a megabyte of nothing else would be a hundred in memory."""
_NODES = (b",", b"[", b"{")

_FIRST_MOMENT, _LAST_MOMENT = 946_684_800_000, 4_102_444_800_000  # the years 2000 and 2100, in milliseconds
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MICRO = 1_000_000
MOST_PARTS = 100
MOST_MICROS = 1000 * _MICRO
"""A receipt that bills so many segments, or so much, is read as if it had no bill."""

_LONGEST_RESPONSE = 1000
_PARTS = re.compile(r"[0-9]{1,2}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
A_NUMBER = re.compile(r"\+?\(?\d(?:[\s().,/_\-\u00ad\u2010-\u2015\u2212]{0,3}\d){6,}")
"""Numbers are taken out of the carriers' words, because the words may stay in a record whose number is erased."""
_SUCCESS = frozenset({"SUCCESS", "DELIVERED"})
_FAILURE = frozenset({"FAILURE", "FAILED"})


class _Logs(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["DATA_MESSAGE", "CONTROL_MESSAGE"] = Field(alias="messageType")
    events: list[object] = Field(alias="logEvents")


class _LogNotification(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    message_id: str = Field(alias="messageId", pattern=r"^[!-~]{1,256}$")
    timestamp: object = None


class _Delivery(BaseModel):
    """What is there to be read, if it can be."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    destination: object = None
    response: object = Field(alias="providerResponse", default=None)
    price: object = Field(alias="priceInUSD", default=None)
    parts: object = Field(alias="numberOfMessageParts", default=None)


class _Log(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    notification: _LogNotification
    delivery: object = None
    status: str


class Reported(NamedTuple):
    """The receipts of an event, and how many of its logs cannot be read."""

    receipts: tuple[DeliveryReceipt, ...]
    unreadable: int


def parse_reported(event: Mapping[str, Any], received_at: datetime) -> Reported:
    """
    Read an event of a subscription that a function has got at this time.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    try:
        text = unpacked(event["awslogs"]["data"])
        if text.count(b'"message"') > _MOST_LOGS or sum(map(text.count, _NODES)) > _MOST_NODES:
            raise UnreadableRecordError("no delivery logs: more than CloudWatch Logs sends")
        logs = _Logs.model_validate_json(text)
    except ValidationError as error:
        raise UnreadableRecordError(f"no delivery logs: {wrong_fields(error)}") from None
    except (KeyError, TypeError):
        raise UnreadableRecordError("no delivery logs: awslogs.data") from None
    if logs.kind == "CONTROL_MESSAGE":  # CloudWatch Logs sees whether anybody is there
        return Reported((), 0)
    read = [_receipt(event, received_at) for event in logs.events]
    receipts = tuple(receipt for receipt in read if receipt is not None)
    return Reported(receipts, len(read) - len(receipts))


def unpacked(data: str) -> bytes:
    """
    Unpack the data of CloudWatch Logs.

    Raises:
        UnreadableRecordError: it is something else.
    """
    try:
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        text = unpacking.decompress(base64.b64decode(data, validate=True), _MOST_BYTES)
    except (TypeError, ValueError, zlib.error):
        raise UnreadableRecordError("no delivery logs: awslogs.data") from None
    if not unpacking.eof:
        raise UnreadableRecordError("no delivery logs: larger than CloudWatch Logs sends, or cut off")
    if unpacking.unused_data:
        raise UnreadableRecordError("no delivery logs: more than one member, of which CloudWatch Logs sends one")
    return text


def _receipt(event: object, received_at: datetime) -> DeliveryReceipt | None:
    if not isinstance(event, dict):
        return None
    try:
        log = _Log.model_validate(json.loads(event["message"]))
    except (ValidationError, KeyError, TypeError, ValueError, RecursionError):
        return None
    status = log.status.upper()
    if status not in _SUCCESS | _FAILURE:
        return None
    delivery = _Delivery.model_validate(log.delivery if isinstance(log.delivery, dict) else {})
    return DeliveryReceipt(
        message_id=log.notification.message_id,
        at=_moment(log.notification.timestamp) or moment_of_milliseconds(event.get("timestamp")) or received_at,
        phone=_phone_number(delivery.destination),
        delivered=status in _SUCCESS,
        response=carrier_words(delivery.response),
        billed_parts=segments_billed(delivery.parts),
        billed_price_usd_micros=price_micros(delivery.price),
    )


def _phone_number(text: object) -> str:
    """Return a destination that is whole: SNS's examples have some masked with X."""
    return text if isinstance(text, str) and _E164.fullmatch(text) else ""


def carrier_words(text: object) -> str:
    """Return the carrier's words without numbers, and without halves of characters, which no table accepts."""
    if not isinstance(text, str):
        return ""
    whole = text[:_LONGEST_RESPONSE].encode("utf-8", "replace").decode("utf-8")
    return A_NUMBER.sub("…", whole)


def _moment(text: object) -> datetime | None:
    """Read SNS's timestamps: UTC, with or without saying so, and with any number of decimals."""
    try:
        moment = datetime.fromisoformat(str(text))
        in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return in_utc if _FIRST_YEAR <= in_utc.year < _LAST_YEAR else None


def moment_of_milliseconds(milliseconds: object) -> datetime | None:
    """Read a time in milliseconds, as CloudWatch Logs and End User Messaging write it; `None` if it cannot be."""
    if isinstance(milliseconds, int) and _FIRST_MOMENT <= milliseconds < _LAST_MOMENT:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return None


def segments_billed(parts: object) -> int:
    """Read how many segments were billed: a number, or one in quotes."""
    written = str(parts)
    return int(written) if _PARTS.fullmatch(written) else 0


def price_micros(price: object) -> int:
    """Read a price in US dollars: a number, one in quotes, or nothing."""
    try:
        micros = Decimal(str(price or 0)) * _MICRO
    except ArithmeticError:
        return 0
    return int(micros) if micros.is_finite() and 0 <= micros < MOST_MICROS else 0
