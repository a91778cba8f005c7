"""All services on fakes, as one stack: what is said to them comes late, twice, out of order, and in between."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from dunning.contracts.delivery_log import Reported
from dunning.contracts.job import job_body
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import FILE_LAG, LenderRecord
from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.errors import ServiceCallError
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.ports.gateways import Published, PublishOutcome, ReplyReader
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import InboundMessage, Job, QueueMessage
from dunning.services.close_unknown import CloseUnknownService
from dunning.services.delivery_receipts import DeliveryReceiptService
from dunning.services.erasure.erase import EraseService
from dunning.services.erasure.purge import PurgeService
from dunning.services.intake.settle import Candidate, Settler
from dunning.services.intake.settle import LoadOutcome as Settlement
from dunning.services.lender_events import LenderEventService
from dunning.services.replan import ReplanService
from dunning.services.replies import ReplyService
from dunning.services.scan import ScanService
from dunning.services.send.claims import PricedPolicies
from dunning.services.send.confirmations import OptOutConfirmations
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.sender import SendService
from tests.support.builders import the_policies
from tests.support.fakes import (
    FakeBacklog,
    FakeClock,
    FakeContacts,
    FakeCustomers,
    FakeDeadLetters,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeGateway,
    FakeNews,
    FakeOptOutList,
    FakeQueue,
    FakeSwitch,
    FakeTelemetry,
    FakeUploadErasure,
)

MINUTE = timedelta(minutes=1)
ATTEMPTS = 3


class Reader:
    """
    Understands what a reply's text spells out: intents, digits, and how many days ahead money is promised.

    Intents behind a question mark are only likely.
    """

    def parse(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = (), customer_name: str = ""
    ) -> ParsedReply:
        del phone_country, our_texts, customer_name
        intents, digits, ahead = text.split("|")
        on = said_on + timedelta(days=int(ahead)) if ahead else None
        sure, _, likely = intents.partition("?")
        return ParsedReply(_intents(sure), on, digits, _intents(likely))


def _intents(spelled: str) -> tuple[ReplyIntent, ...]:
    return tuple(ReplyIntent(intent) for intent in spelled.split(",") if intent)


class Customers(FakeCustomers):
    """
    The table, which others write too: what is in `meanwhile` happens just before a write, and a write may fail.

    A load may die before the facts, when all that comes before them is done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], None]] = []
        self.fails = 0
        self.dies_before_facts = False

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        self._before_a_write()
        return super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)

    def save_customer(
        self, lender_record: LenderRecord, standing: Standing, *, expected_revision: int, expected_version: int
    ) -> bool:
        if self.dies_before_facts:
            raise ServiceCallError("TransactWriteItems", "InternalServerError")
        self._before_a_write()
        return super().save_customer(
            lender_record, standing, expected_revision=expected_revision, expected_version=expected_version
        )

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool:
        self._before_a_write()
        return super().save_lender_record(lender_record, expected_revision=expected_revision)

    def _before_a_write(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop()()
        if self.fails:
            self.fails -= 1
            raise ServiceCallError("PutItem", "InternalServerError")


class Contacts(FakeContacts):
    """The audit table, whose next write may fail."""

    fails = False

    def write(self, contacts: Sequence[Contact]) -> None:
        if self.fails:
            self.fails = False
            raise ServiceCallError("BatchWriteItem", "InternalServerError")
        super().write(contacts)


@dataclass(frozen=True)
class Text:
    """A text that the carrier took, or may have taken, and the claim it was sent under."""

    at: datetime
    customer_id: str
    sms: Outgoing
    entry: LedgerEntry
    message_id: str


class Carrier(FakeGateway):
    """Answers as told, remembers whose text it was, and has everything looked at that it takes."""

    def __init__(self, customers: Customers, clock: FakeClock) -> None:
        super().__init__()
        self.texts: list[Text] = []
        self.violations: list[str] = []
        self.look: Callable[[Text], None] = lambda _: None
        self.refused: Callable[[str, datetime], None] = lambda *_: None
        self._customers = customers
        self._clock = clock
        self._claims: set[str] = set()

    def publish(self, sms: Outgoing) -> Published:
        answer = super().publish(sms)
        new = [
            (customer_id, entry)
            for customer_id, standing in self._customers.standings.items()
            for entry in standing.ledger
            if entry.claim_id and entry.claim_id not in self._claims and not entry.send_id.startswith("before_")
        ]
        self._claims |= {entry.claim_id for _, entry in new}
        try:
            assert len(new) == 1, "a text without a claim of its own"
            ((customer_id, entry),) = new
            text = Text(self._clock.now(), customer_id, sms, entry, answer.message_id)
            if answer.outcome in {PublishOutcome.ACCEPTED, PublishOutcome.UNKNOWN}:
                self.look(text)
                self.texts.append(text)
            elif answer.outcome is PublishOutcome.REFUSED_FOR_GOOD:
                self.refused(sms.address, text.at)
        except AssertionError as error:
            # Raised in a sender's thread it would count as that customer's failure, and be tried again.
            self.violations.append(str(error))
        return answer


@dataclass
class Office:
    """The stack. What replies mean is spelled out in them, unless there is a reader."""

    clock: FakeClock = field(default_factory=FakeClock)
    policies: PricedPolicies = field(default_factory=the_policies)
    reader: ReplyReader = field(default_factory=Reader)
    store: Customers = field(default_factory=Customers)
    contacts: Contacts = field(default_factory=Contacts)

    def __post_init__(self) -> None:
        self.telemetry, self.publisher = FakeTelemetry(), FakeEventPublisher()
        self.jobs, self.dead_letters, self.later, self.waiting_receipts = (
            FakeQueue(), FakeQueue(), FakeDelayQueue(), FakeDelayQueue(),
        )  # fmt: skip
        self.parts = FakeDelayQueue()
        self.carrier = Carrier(self.store, self.clock)
        self._ids = count(1)
        self._handed: set[Job] = set()
        policies = self.policies
        common: dict[str, Any] = {
            "store": self.store,
            "publisher": self.publisher,
            "policies": policies,
            "clock": self.clock,
            "telemetry": self.telemetry,
        }
        self.settler = Settler(self.store, self.store, policies)
        self.scanner = ScanService(
            index=self.store,
            queue=self.jobs,
            switch=FakeSwitch(),
            clock=self.clock,
            telemetry=self.telemetry,
            capacity=100,
        )
        self.sender = SendService(
            **common, contacts=self.contacts, queue=self.jobs, gateways=GatewaysByName(self.carrier),
            switch=FakeSwitch(), new_id=self._new_id, per_second=10, max_receive_count=ATTEMPTS,
        )  # fmt: skip
        erasing = EraseService(
            customers=self.store, contacts=self.contacts, uploads=FakeUploadErasure(), clock=self.clock,
            telemetry=self.telemetry,
        )  # fmt: skip
        self.reply_backlog, self.reply_dead_letters = FakeBacklog(), FakeDeadLetters("replies")
        purging = PurgeService(
            customers=self.store, erasing=erasing, replies=self.reply_backlog, dead_letters=[self.reply_dead_letters],
            clock=self.clock, telemetry=self.telemetry,
        )  # fmt: skip
        self.lender_events = LenderEventService(
            **common, phones=self.store, replies=self.contacts, erasing=erasing, purging=purging,
            dead_letters=self.dead_letters, delay_queue=self.later, failures=FakeNews(),
        )  # fmt: skip
        confirmations = OptOutConfirmations(
            store=self.store, contacts=self.contacts, gateways=GatewaysByName(self.carrier),
            switch=FakeSwitch(), policies=policies,
            clock=self.clock, telemetry=self.telemetry, new_id=self._new_id,
        )  # fmt: skip
        self.replies = ReplyService(
            **common, phones=self.store, replies=self.contacts, contacts=self.contacts, reader=self.reader,
            confirmations=confirmations, opt_out_list=FakeOptOutList(), queue=self.dead_letters,
            failures=FakeNews(), receives_before_person=ATTEMPTS,
        )  # fmt: skip
        self.receipts = DeliveryReceiptService(
            **common, phones=self.store, contacts=self.contacts, delay_queue=self.waiting_receipts
        )  # fmt: skip
        self.replanning = ReplanService(**common, scan=self.store, queue=self.parts)
        self.closing = CloseUnknownService(contacts=self.contacts, clock=self.clock, telemetry=self.telemetry)

    def _new_id(self) -> str:
        return f"id-{next(self._ids)}"

    def load(self, facts: Facts, uploaded_at: datetime) -> bool | None:
        """Load a file with one customer, as intake does; tell whether it counts, `None` if it is to be loaded again."""
        stated = Candidate(replace(facts, as_of=uploaded_at, paid_as_of=uploaded_at - FILE_LAG), 2)
        try:
            (settled,) = self.settler.settle_batch([stated], self.clock.now())
        except ServiceCallError:
            return None
        if settled.failure is not None:
            return None
        return settled.outcome in {Settlement.LOADED, Settlement.UNCHANGED}

    def pay(self, body: str) -> bool:
        """Hand an event of the lender over; tell whether it was worked off."""
        return not self.lender_events.handle_batch([QueueMessage("p", body, 1)], lambda: math.inf)

    def receive_reply(self, inbound_id: str, phone: str, text: str, at: datetime) -> bool:
        """Hand a reply over; tell whether it was worked off."""
        return not self.replies.handle_batch([message(inbound_id, phone, text, at)], lambda: math.inf)

    def report(self, receipt: DeliveryReceipt) -> bool:
        """Hand a delivery log over; tell whether it was worked off. If not, CloudWatch Logs hands it over again."""
        try:
            self.receipts.handle_batch(Reported((receipt,), 0))
        except ServiceCallError:
            return False
        return True

    def report_again(self) -> None:
        """Deliver the receipts that were put on the queue for later."""
        taken, self.waiting_receipts.messages = self.waiting_receipts.messages, []
        deliveries = [QueueMessage(f"r{place}", body, 1) for place, (body, _) in enumerate(taken)]
        failed = self.receipts.handle_waiting(deliveries)
        self.waiting_receipts.messages += [
            (delivery.body, MINUTE) for delivery in deliveries if delivery.message_id in failed
        ]

    def send(self, place: int, *, keep: bool = False) -> None:
        """Hand one of the waiting jobs to the sender; `keep`: it is delivered once more later on."""
        job = self.jobs.jobs.pop(place % len(self.jobs.jobs))
        receives = 2 if job in self._handed else 1
        failed = self.sender.handle_batch([QueueMessage("job", job_body(job), receives)], lambda: math.inf)
        self._handed.add(job)
        if failed or keep:
            self.jobs.jobs.append(job)

    def replan(self) -> None:
        """Plan everybody anew."""
        self.replanning.start(1)
        taken, self.parts.messages = self.parts.messages, []
        assert not self.replanning.handle_batch([QueueMessage("part", body, 1) for body, _ in taken], lambda: math.inf)

    def erase_again(self) -> None:
        """Deliver what erasures have put on the queue for later."""
        taken, self.later.messages = self.later.messages, []
        self.later.messages += [(body, delay) for body, delay in taken if not self.pay(body)]


def message(inbound_id: str, phone: str, text: str, at: datetime) -> InboundMessage:
    """Write a reply as the topic hands it over."""
    sms = {"originationNumber": phone, "messageBody": text, "inboundMessageId": inbound_id}
    body = {"Type": "Notification", "Message": json.dumps(sms), "Timestamp": at.isoformat()}
    return InboundMessage(f"sqs-{inbound_id}", json.dumps(body), 1, at)


def event_body(kind: str, customer_id: str, at: datetime, sequence: int, **detail: object) -> str:
    """Write an event of the lender as the bus hands it over."""
    body = {"schema_version": 1, "customer_id": customer_id, "at": at.isoformat(), "sequence": sequence, **detail}
    return json.dumps({"detail-type": kind, "source": "lender.core", "detail": body})
