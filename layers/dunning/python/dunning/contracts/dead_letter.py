"""
Dead letters: messages as they lie in the dead-letter queues, and their contents without certain numbers.

A reply belongs to its sender, whatever numbers it mentions. Delivery logs of several people lie in one message: the
packed logs of CloudWatch Logs, inside Lambda's record of the failed invocation. All other messages belong to a person
if they hold the person's number.
"""

import base64
import gzip
import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from dunning.contracts.delivery_log import unpacked
from dunning.contracts.inbound_sms import parse_inbound
from dunning.domain.errors import UnreadableRecordError

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Any time will do, because the time of a reply does not matter here."""


def without_numbers(body: str, phones: Collection[str]) -> str:
    """
    Return a message without the parts about these numbers (E.164, found without the plus as well).

    The message is the same if no part is about them, and empty if no part about other people is left.
    """
    wanted = re.compile("|".join(rf"(?<![0-9]){re.escape(phone.removeprefix('+'))}(?![0-9])" for phone in phones))
    try:
        return "" if parse_inbound(body, _SOME_TIME).phone in phones else body
    except UnreadableRecordError:
        pass
    return "" if wanted.search(body) else _without_logs(body, wanted)


def _without_logs(body: str, wanted: re.Pattern[str]) -> str:
    """Return a message without the delivery logs that name a number; as it is, if it holds none."""
    try:
        failure = json.loads(body)
        packed: dict[str, Any] = failure["requestPayload"]["awslogs"]
        logs = json.loads(unpacked(packed["data"]))
        left = [event for event in logs["logEvents"] if not wanted.search(event["message"])]
    except (KeyError, TypeError, ValueError, RecursionError, UnreadableRecordError):
        return body
    if len(left) == len(logs["logEvents"]):
        return body
    if not left:
        return ""
    text = json.dumps(logs | {"logEvents": left}, ensure_ascii=False, separators=(",", ":"))
    packed["data"] = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return json.dumps(failure, ensure_ascii=False, separators=(",", ":"))
