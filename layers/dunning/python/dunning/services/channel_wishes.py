"""
Channel wishes: who has blocked us on a channel, and who can be reached there again.

    address ──> customers who have it now ──> standing (version = :read) ──> outbound events

A block ends the messages to its address, and to no other. Of a block and its end the later counts, whatever the order
in which they arrive, so that a wish that is delivered again changes nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing, with_address_refused, with_address_usable
from dunning.domain.decision.rules import Policies
from dunning.domain.delivery.channel_events import ChannelWish, Wish
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.domain.outbound_events import NumberUnreachable, OutboundEvent
from dunning.ports.clock import Clock
from dunning.ports.customers import AddressIndex, Customer, CustomerStore
from dunning.ports.gateways import EventPublisher
from dunning.ports.telemetry import LogEvent, Telemetry
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.planning import log_planned_decision, replan, told_again
from dunning.services.suspended_addresses import new_suspensions


class ChannelWishService:
    """Applies blocks, and their ends, to the customers who have the address."""

    def __init__(
        self,
        *,
        store: CustomerStore,
        addresses: AddressIndex,
        publisher: EventPublisher,
        policies: Policies,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._addresses = addresses
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry

    def apply(self, wishes: Sequence[ChannelWish]) -> Mapping[str, DunningError]:
        """
        Apply wishes, and return the error of each address whose wishes have to come again.

        Raises:
            ServiceCallError: nobody knows whose addresses they are: all have to come again.
        """
        if not wishes:
            return {}
        having = self._addresses.customers_with({wish.address for wish in wishes})
        found = self._store.load(sorted({customer_id for ids in having.values() for customer_id in ids}))
        wishes_of: defaultdict[str, list[ChannelWish]] = defaultdict(list)
        for wish in wishes:
            for customer_id in having[wish.address]:
                wishes_of[customer_id].append(wish)
        failures: dict[str, DunningError] = {}
        events: list[OutboundEvent] = []
        for customer_id, of_customer in sorted(wishes_of.items()):
            try:
                events += self._apply_to(customer_id, found[customer_id], of_customer)
            except DunningError as error:
                failures |= {wish.address: error for wish in of_customer}
                self._telemetry.log_event(
                    LogEvent.CHANNEL_EVENT_FAILED, customer_id=customer_id, error=type(error).__name__
                )
        if events:
            self._publisher.publish(events)
        return failures

    def _apply_to(
        self, customer_id: str, found: Customer | UnreadableRecordError, wishes: Sequence[ChannelWish]
    ) -> Sequence[OutboundEvent]:
        first: list[Standing] = []
        tried: list[OutboundEvent] = []

        def attempt(customer: Customer) -> Sequence[OutboundEvent] | Conflict:
            facts, before = customer.facts, customer.standing or Standing(customer_id=customer_id)
            if facts is None:
                return ()
            after = before
            for wish in wishes:
                after = apply_wish(facts, after, wish)
            now = self._clock.now()
            first.append(before)
            again = told_again(tried, before)
            if after == before:
                return (*self._new_suspensions(facts, first[0], before, now), *again)
            planned = replan(facts, before, after, self._policies, now)
            if not self._store.save_standing(planned.standing, expected_version=before.version):
                tried[:] = [*again, *planned.events]
                return CONFLICT
            for wish in wishes:
                self._telemetry.log_event(
                    LogEvent.CHANNEL_WISH, customer_id=customer_id, channel=wish.channel.value, wish=wish.wish.value
                )
            log_planned_decision(self._telemetry, customer_id, planned.decision, now)
            return (*self._new_suspensions(facts, first[0], planned.standing, now), *again, *planned.events)

        return write_optimistically(customer_id, found, lambda: self._store.load([customer_id])[customer_id], attempt)

    def _new_suspensions(
        self, facts: Facts, before: Standing, after: Standing, now: datetime
    ) -> Sequence[NumberUnreachable]:
        return new_suspensions(self._telemetry, facts, before, after, Wish.BLOCKED.value, now)


def apply_wish(facts: Facts, standing: Standing, wish: ChannelWish) -> Standing:
    """Return the standing after a block or its end; the same standing if the address is not the customer's any more."""
    if not wish.address or facts.address_of(wish.channel) != wish.address:
        return standing
    match wish.wish:
        case Wish.BLOCKED:
            return with_address_refused(standing, wish.channel, wish.address, wish.at)
        case Wish.FOLLOWED:
            return with_address_usable(standing, wish.channel, wish.address, wish.at)
        case Wish.COMPLAINED | Wish.UNSUBSCRIBED:
            return standing  # as good as words: the replies have them
