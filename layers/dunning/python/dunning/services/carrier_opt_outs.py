"""
Carrier opt-outs: the carrier's own list of opted-out numbers, compared every night.

The rule is in `domain/replies/carrier_opt_out.py`. SNS takes a number off the list once in 30 days and refuses a second
time, so that this service has nothing to remember.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import Enum, auto
from itertools import batched
from typing import NamedTuple

from dunning.domain.customer.standing import Standing
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.carrier_opt_out import CarrierOptOut, carrier_opt_out
from dunning.ports.clock import Clock
from dunning.ports.customers import AddressIndex, Customer, CustomerStore
from dunning.ports.gateways import EventPublisher, OptOutList
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.planning import log_planned_decision, replan, told_again

_NUMBERS_A_READ = 100
"""One page of the list, and one read of the phone index."""


class SyncError(DunningError):
    """Some customers could not be brought in line with the list. All others were. The next run tries again."""


class Synced(NamedTuple):
    """The result of a run: numbers on the list, customers opted out, numbers taken off."""

    numbers: int
    opted_out: int
    opted_in: int


class _Done(Enum):
    """The outcome for one customer."""

    NOTHING = auto()
    OPTED_OUT = auto()
    OPTED_IN = auto()


class OptOutService:
    """Compares the customers' opt-outs with the carrier's list, every night."""

    def __init__(
        self,
        *,
        store: CustomerStore,
        phones: AddressIndex,
        opt_out_list: OptOutList,
        publisher: EventPublisher,
        policies: Policies,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._phones = phones
        self._list = opt_out_list
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry

    def sync(self) -> Synced:
        """
        Bring every customer whose number is on the list in line with it.

        Raises:
            SyncError: some customers failed.
        """
        numbers = failed = 0
        done: Counter[_Done] = Counter()
        for batch in batched(self._list.opted_out(), _NUMBERS_A_READ, strict=False):
            numbers += len(batch)
            events: list[OutboundEvent] = []
            for customer_id, found in self._customers_of(batch).items():
                try:
                    done[self._settle(customer_id, frozenset(batch), found, events)] += 1
                except DunningError as error:
                    failed += 1
                    self._not_settled(customer_id, error)
            if events:
                self._publisher.publish(events)
        self._telemetry.gauge(Metric.CARRIER_OPT_OUTS, numbers)
        if failed:
            raise SyncError(f"{failed} customers")
        return Synced(numbers, done[_Done.OPTED_OUT], done[_Done.OPTED_IN])

    def _customers_of(self, numbers: Collection[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        """Return all customers who have or had one of these numbers."""
        having = self._phones.customers_with(numbers).values()
        return self._store.load(sorted({customer_id for ids in having for customer_id in ids}))

    def _settle(
        self,
        customer_id: str,
        numbers: Collection[str],
        found: Customer | UnreadableRecordError,
        events: list[OutboundEvent],
    ) -> _Done:
        """Bring one customer in line with the list."""
        tried: list[OutboundEvent] = []

        def attempt(customer: Customer) -> _Done | Conflict:
            facts, before = customer.facts, customer.standing or Standing(customer_id=customer_id)
            if facts is None or facts.phone not in numbers:
                return _Done.NOTHING
            events.extend(told_again(tried, before))
            tried.clear()  # told of
            now = self._clock.now()
            match carrier_opt_out(before, now):
                case CarrierOptOut.NOTHING:
                    return _Done.NOTHING
                case CarrierOptOut.TAKE_OFF_THE_LIST:
                    return self._opt_in(customer_id, facts.phone)
                case CarrierOptOut.OPT_OUT:
                    pass
            planned = replan(facts, before, replace(before, opted_out_at=now), self._policies, now)
            if not self._store.save_standing(planned.standing, expected_version=before.version):
                tried.extend(planned.events)
                return CONFLICT
            events.extend(planned.events)
            self._telemetry.log_event(LogEvent.CARRIER_OPT_OUT, customer_id=customer_id)
            self._telemetry.count(Metric.OPT_OUTS)
            log_planned_decision(self._telemetry, customer_id, planned.decision, now)
            return _Done.OPTED_OUT

        try:
            return write_optimistically(
                customer_id, found, lambda: self._store.load([customer_id])[customer_id], attempt
            )
        except UnreadableRecordError as error:
            # A customer whose record cannot be read is not texted. The next run may be able to read it.
            self._not_settled(customer_id, error)
            return _Done.NOTHING

    def _opt_in(self, customer_id: str, phone: str) -> _Done:
        """Take a number off the list. SNS may refuse a number taken off recently: the customer can wait."""
        allowed = self._list.opt_in(phone)
        self._telemetry.log_event(LogEvent.CARRIER_OPT_IN, customer_id=customer_id, allowed="yes" if allowed else "no")
        self._telemetry.count(Metric.CARRIER_OPT_INS if allowed else Metric.CARRIER_OPT_INS_REFUSED)
        return _Done.OPTED_IN if allowed else _Done.NOTHING

    def _not_settled(self, customer_id: str, error: DunningError) -> None:
        self._telemetry.log_event(LogEvent.OPT_OUT_NOT_SYNCED, customer_id=customer_id, error=type(error).__name__)
        self._telemetry.count(Metric.OPT_OUTS_NOT_SYNCED)
