"""
A carrier behind the embedded SNS: what becomes of texts, told in delivery logs as SNS writes them.

What a number does is drawn from the number itself, so that two runs of one file read the same. Without `unhappy` every
text is delivered: of a user's own customers nothing is made up.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from dunning.domain.texts.segments import count_segments

_FATES: tuple[tuple[float, str], ...] = (
    (0.012, "Invalid phone number"),
    (0.010, "Phone has blocked SMS"),
    (0.012, "Phone is currently unreachable/unavailable"),
    (0.010, "Phone carrier is currently unreachable/unavailable"),
    (0.008, "Blocked as spam by phone carrier"),
    (0.006, "Unknown error attempting to reach phone"),
    (0.012, "Phone number is opted out"),
)
"""Shares of numbers that cannot be reached, and why, in SNS's words. The rest can."""

_NOW_AND_THEN = frozenset(
    {"Phone is currently unreachable/unavailable", "Phone carrier is currently unreachable/unavailable"}
)
_OPTED_OUT = "Phone number is opted out"
_THROTTLED = 0.01
"""So much of what is published is turned away at first."""


@dataclass(frozen=True, slots=True)
class DeliveryLog:
    """A log, and the instant at which SNS writes it."""

    at: datetime
    log: Mapping[str, Any]


class Carrier:
    """What becomes of texts. `wants_none` tells whether a number is on the list of those that want no texts."""

    def __init__(self, *, unhappy: bool, wants_none: Callable[[str], bool], prices: Callable[[str, int], int]) -> None:
        self._unhappy = unhappy
        self._wants_none = wants_none
        self._prices = prices
        self._texts: Counter[str] = Counter()
        self._published: Counter[str] = Counter()

    def turns_away(self, phone: str) -> bool:
        """Tell whether SNS says that it is too busy for a text. By number: in what order threads ask is chance."""
        self._published[phone] += 1
        return self._unhappy and Random(f"busy {phone} {self._published[phone]}").random() < _THROTTLED

    def deliver(self, phone: str, text: str, message_id: str, at: datetime) -> DeliveryLog:
        """Take a text, and return the log of what became of it: most within seconds, some after hours or days."""
        self._texts[phone] += 1
        random = Random(f"{phone} {self._texts[phone]}")
        waited = timedelta(
            seconds=random.choices((random.uniform(1, 9), random.uniform(60, 7200), 250_000), (95, 4, 1))[0]
        )
        log = self._log(phone, text, message_id, at, self._response(phone), waited)
        return DeliveryLog(at + waited, log)

    def _log(
        self, phone: str, text: str, message_id: str, published: datetime, response: str, waited: timedelta
    ) -> dict[str, Any]:
        parts = count_segments(text).parts
        delivery: dict[str, Any] = {
            "mcc": 466,
            "mnc": 92,
            "destination": phone,
            "priceInUSD": self._prices(phone, parts) / 1_000_000,
            "smsType": "Transactional",
            "numberOfMessageParts": parts,
            "providerResponse": response or "Message has been accepted by phone",
            "dwellTimeMs": int(waited.total_seconds() * 1000),
        }
        if not response:
            delivery["phoneCarrier"] = "A Phone Carrier"
        return {
            "notification": {"messageId": message_id, "timestamp": published.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]},
            "delivery": delivery,
            "status": "FAILURE" if response else "SUCCESS",
        }

    def receipt(self, phone: str, text: str, message_id: str, published: datetime, response: str) -> Mapping[str, Any]:
        """Return the log of a text that has met this fate; without a response it has arrived."""
        return self._log(phone, text, message_id, published, response, timedelta(seconds=5))

    def _response(self, phone: str) -> str:
        """Return why a text to a number fails, or nothing."""
        if self._wants_none(phone):
            return _OPTED_OUT
        if not self._unhappy:
            return ""
        drawn = Random(f"number {phone}").random()
        for share, response in _FATES:
            if drawn < share:
                # Who is out of reach comes back: the second text arrives.
                return "" if response in _NOW_AND_THEN and self._texts[phone] > 1 else response
            drawn -= share
        return ""
