"""Close unknown: texts without a delivery receipt after three days count as unconfirmed for good."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import batched

from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.ports.clock import Clock
from dunning.ports.contacts import ContactArchive
from dunning.ports.telemetry import Metric, Telemetry, message_metrics

NOTHING_COMES_AFTER = timedelta(hours=72)
"""Delivery logs come up to 72 hours late (Amazon SNS, delivery status of SMS)."""

_KEYS_A_READ = 100


class CloseUnknownService:
    """Closes records without a receipt. The texts stay claimed: they count against caps and are not sent again."""

    def __init__(self, *, contacts: ContactArchive, clock: Clock, telemetry: Telemetry) -> None:
        self._contacts = contacts
        self._clock = clock
        self._telemetry = telemetry

    def close(self) -> int:
        """
        Mark old unknown records as unconfirmed and return their number. It can be repeated, and stopped in the middle.

        Raises:
            ServiceCallError: a call failed; records closed before stay closed.
        """
        closed: Counter[Metric] = Counter({Metric.SMS_UNCONFIRMED: 0})
        keys = self._contacts.unknown_before(self._clock.now() - NOTHING_COMES_AFTER)
        for page in batched(keys, _KEYS_A_READ, strict=False):
            for contact in self._contacts.find(page).values():
                # A record that cannot be read, or has been settled meanwhile, is left as it is.
                if isinstance(contact, Contact) and contact.state is ContactState.UNKNOWN:
                    after = replace(contact, state=ContactState.UNCONFIRMED)
                    is_closed = self._contacts.advance(after, expected=ContactState.UNKNOWN)
                    closed[message_metrics(Channel(contact.channel)).unconfirmed] += is_closed
        for metric, count in closed.items():
            self._telemetry.count(metric, count)
        return closed.total()
