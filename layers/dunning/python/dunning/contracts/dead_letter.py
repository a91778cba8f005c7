"""
What was given up: messages as they lie among the dead letters, and what is left of one without certain people.

A reply is the one's who wrote it, whoever it mentions. Delivery logs of several people lie in one message, packed by
CloudWatch Logs in what Lambda wrote down of its failure. Of anything else nobody can tell whose it is but by a number.
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
"""When a reply was sent is not asked here."""


def without_numbers(body: str, phones: Collection[str]) -> str:
    """
    Return a message without what is about these numbers (E.164, found without the plus as well).

    It is the same if nothing is, and empty if nothing of anybody else is left.
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
