"""
Dead letters: messages as they lie in the dead-letter queues, and their contents without certain people.

A reply belongs to its sender, whatever numbers or ids it mentions. Delivery logs of several people lie in one message:
the packed logs of CloudWatch Logs, inside Lambda's record of the failed invocation. So do the events of a webhook of
LINE. All other messages belong to a person if they hold the person's number, however it is written, an address of the
person, or the person's id as that of their customer.
"""

import base64
import gzip
import json
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from dunning.contracts.channel_message import is_channel_message, parse_channel_message
from dunning.contracts.claim_marks import escaped_id
from dunning.contracts.delivery_log import A_NUMBER, unpacked
from dunning.contracts.inbound_sms import parse_inbound
from dunning.domain.errors import UnreadableRecordError

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Any time will do, because the time of a reply does not matter here."""

_COUNTRY_CODES = (1, 2, 3)
"""How many digits a country's code has."""

_SHORTEST_NATIONAL = 7
_BETWEEN_DIGITS = re.compile(r"\D+")

type _Finder = Callable[[str], bool]
"""Tells whether a text names one of the people."""


def without_people(
    body: str, phones: Collection[str], customer_ids: Collection[str] = (), addresses: Collection[str] = ()
) -> str:
    """
    Return a message without the parts about people with these numbers (E.164), ids, or other addresses.

    A number is found without the plus, with anything between its digits, and as people write it in their own country.
    Other addresses are mail addresses and LINE user ids, found in capitals, too. An id is found as gateways hand it to
    their services.

    The message is the same if no part is about them, and empty if no part about other people is left.
    """
    if is_channel_message(body):
        return "" if _is_channel_message_of(body, phones, customer_ids, addresses) else body
    try:
        return "" if parse_inbound(body, _SOME_TIME).phone in phones else body
    except UnreadableRecordError:
        pass
    is_about = _finder(phones, customer_ids, addresses)
    left = _without_webhook_events(body, is_about, addresses)
    if left is not None:
        return left
    return "" if is_about(body) else _without_logs(body, is_about)


def _is_channel_message_of(
    body: str, phones: Collection[str], customer_ids: Collection[str], addresses: Collection[str]
) -> bool:
    """Tell whether one of the people has sent a channel message; of one that cannot be read, whether it names them."""
    try:
        inbound = parse_channel_message(body)
    except UnreadableRecordError:
        return _finder(phones, customer_ids, addresses)(body)
    lower = {address.lower() for address in addresses}
    return inbound.phone in phones or inbound.customer_id in customer_ids or inbound.address.lower() in lower


def _finder(phones: Collection[str], customer_ids: Collection[str], addresses: Collection[str]) -> _Finder:
    numbers = [phone.removeprefix("+") for phone in phones]
    written = sorted({spelling for customer_id in customer_ids for spelling in (customer_id, escaped_id(customer_id))})
    ids = "|".join(map(re.escape, written))
    # Beside its key only: elsewhere an id of figures may be an amount. JSON may stand in JSON, with its quotes escaped.
    # SES writes each tag as a list; a tag of LINE is a claim, a stroke and the id.
    beside_key = rf'(?i:customer_?id)\\*"\s*:\s*(?:\[\s*)?\\*"(?:{ids})\\*"'
    ids_written = re.compile(rf'{beside_key}|"[0-9a-f]{{32}}/(?:{ids})\\*"') if ids else None
    named = "|".join(map(re.escape, addresses))
    # Whole: an address may be the end of another's.
    addresses_written = re.compile(rf"(?i)(?<![\w.%+-])(?:{named})(?![\w-]|\.\w)") if named else None

    def is_about(text: str) -> bool:
        if any(pattern is not None and pattern.search(text) for pattern in (ids_written, addresses_written)):
            return True
        return any(_is_written(run[0], number) for run in A_NUMBER.finditer(text) for number in numbers)

    return is_about


def _is_written(run: str, number: str) -> bool:
    """Tell whether a run of digits is a number: whole, or without the country's code and perhaps with a zero."""
    digits = _BETWEEN_DIGITS.sub("", run).lstrip("0")
    if digits == number or any(digits == f"{number[:code]}0{number[code:]}" for code in _COUNTRY_CODES):
        return True
    missing = len(number) - len(digits)
    return len(digits) >= _SHORTEST_NATIONAL and missing in _COUNTRY_CODES and number.endswith(digits)


def _without_webhook_events(body: str, is_about: _Finder, addresses: Collection[str]) -> str | None:
    """
    Return a webhook of LINE without the events about somebody, empty if none is left; `None` if it is no webhook.

    What a person writes belongs to that person, whatever numbers or addresses it mentions.
    """
    try:
        webhook = json.loads(body)
        events = webhook["events"]
        people = [event.get("source", {}).get("userId") for event in events]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    if not isinstance(events, list) or "destination" not in webhook:
        return None
    left = [
        event
        for event, person in zip(events, people, strict=True)
        if (person not in addresses if isinstance(person, str) else not is_about(json.dumps(event, ensure_ascii=False)))
    ]
    if len(left) == len(events):
        return body
    return json.dumps(webhook | {"events": left}, ensure_ascii=False, separators=(",", ":")) if left else ""


def _without_logs(body: str, is_about: _Finder) -> str:
    """Return a message without the delivery logs that name somebody; as it is, if it holds none."""
    try:
        failure = json.loads(body)
        packed: dict[str, Any] = failure["requestPayload"]["awslogs"]
        logs = json.loads(unpacked(packed["data"]))
        left = [event for event in logs["logEvents"] if not is_about(_log_words(event))]
    except (KeyError, TypeError, ValueError, RecursionError, UnreadableRecordError):
        return body
    if len(left) == len(logs["logEvents"]):
        return body
    if not left:
        return ""
    text = json.dumps(logs | {"logEvents": left}, ensure_ascii=False, separators=(",", ":"))
    packed["data"] = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return json.dumps(failure, ensure_ascii=False, separators=(",", ":"))


def _log_words(event: object) -> str:
    """Return what a log says, with whatever stands beside it."""
    if isinstance(event, dict) and isinstance(message := event.get("message"), str):
        return message
    return json.dumps(event, ensure_ascii=False)
