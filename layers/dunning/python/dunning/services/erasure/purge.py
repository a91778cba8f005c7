"""
Purge: deletes the addresses of erased customers, once no message that names them is under way.

    each round ──> dead letters: messages about these people are taken out of the dead-letter queues
                     │ nothing is under way: time has passed, no reply is waiting, all queues are read
                     v
                   the erasure once more, and the addresses go ──> only the tombstone is left

A number is kept only to find late messages. A reply that is delivered again is kept below its number, because no
customer has the number any more. Messages that fail end among the dead letters. Other people's data stays in place.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Protocol

from dunning.domain.customer.lender_record import LenderRecord, former_addresses
from dunning.domain.delivery.channels import AddressKind
from dunning.domain.errors import DunningError
from dunning.ports.clock import Clock
from dunning.ports.customers import AddressIndex
from dunning.ports.erasure import CustomerErasure, DeadLetterErasure
from dunning.ports.queues import Backlog
from dunning.ports.telemetry import LogEvent, Telemetry
from dunning.services.erasure.erase import SECONDS_TO_FINISH, EraseService, ErasureOutOfTimeError

QUEUES_KEEP = timedelta(days=5)
"""The retention of the queues. After it they have deleted all messages with the number, even unread ones."""

_LOOK_FOR = timedelta(seconds=45)
"""The time for one queue. A message that was read stays hidden from other readers for a minute."""


class _PurgeableCustomers(CustomerErasure, AddressIndex, Protocol):
    """The ports of the customers table that a purge needs."""


class PurgeService:
    """Ends erasures."""

    def __init__(
        self,
        *,
        customers: _PurgeableCustomers,
        erasing: EraseService,
        replies: Backlog,
        dead_letters: Sequence[DeadLetterErasure],
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._customers = customers
        self._erasing = erasing
        self._replies = replies
        self._dead_letters = dead_letters
        self._clock = clock
        self._telemetry = telemetry

    def purge(self, customer_ids: Collection[str], seconds_left: Callable[[], float]) -> frozenset[str]:
        """
        Continue the erasures of customers, and return the customers who need another round.

        Raises:
            ContestedError, ServiceCallError, UnreadableRecordError: the purge is not finished. It can be repeated.
        """
        remembered = {
            customer_id: lender_record
            for customer_id in customer_ids
            if isinstance(lender_record := self._customers.lender_record(customer_id), LenderRecord)
            and lender_record.phones_until
        }
        if not remembered:
            return frozenset()
        # The order matters: a message that leaves the replies queue in between ends among the dead letters.
        idle = self._replies.depth() == 0
        gone = {customer_id for customer_id, lender_record in remembered.items() if lender_record.snapshot is None}
        through = self._take_out(self._addresses_of(remembered.values()), gone, seconds_left)
        now = self._clock.now()
        waiting = set()
        for customer_id, lender_record in remembered.items():
            until = lender_record.phones_until or now
            if now >= until + (timedelta() if idle and through else QUEUES_KEEP):
                self._erasing.purge_numbers(customer_id)
            else:
                waiting.add(customer_id)
        return frozenset(waiting)

    def _addresses_of(self, lender_records: Collection[LenderRecord]) -> set[str]:
        """Return the addresses of these customers alone: messages about a shared one may be about another customer."""
        former = {address for lender_record in lender_records for address in former_addresses(lender_record)}
        if not former:
            return set()
        return {address for address, ids in self._customers.customers_with(former).items() if not ids}

    def _take_out(
        self, addresses: Collection[str], customer_ids: Collection[str], seconds_left: Callable[[], float]
    ) -> bool:
        """Take the messages about these people out of all queues. Return whether each queue was read to its end."""
        through = True
        for queue in self._dead_letters if addresses or customer_ids else ():
            try:
                taken = self._take_out_of(queue, addresses, customer_ids, seconds_left)
            except DunningError as error:
                # Messages taken out so far are gone. The next round tries again.
                self._telemetry.log_event(
                    LogEvent.DEAD_LETTERS_NOT_ERASED, queue=queue.name, error=type(error).__name__
                )
                through = False
            else:
                if taken:
                    self._telemetry.log_event(LogEvent.DEAD_LETTERS_ERASED, queue=queue.name, messages=taken)
        return through

    def _take_out_of(
        self,
        queue: DeadLetterErasure,
        addresses: Collection[str],
        customer_ids: Collection[str],
        seconds_left: Callable[[], float],
    ) -> int:
        # Imported here, because its models are slow to import.
        from dunning.contracts.dead_letter import without_people  # noqa: PLC0415

        phones = [address for address in addresses if AddressKind.of_address(address) is AddressKind.NUMBER]
        others = [address for address in addresses if address not in phones]
        end = self._clock.now() + _LOOK_FOR
        taken = 0
        for letter in queue.scan():
            if seconds_left() < SECONDS_TO_FINISH or self._clock.now() > end:
                raise ErasureOutOfTimeError
            rest = without_people(letter.body, phones, customer_ids, others)
            if rest != letter.body:
                queue.replace(letter, rest)
                taken += 1
        return taken
