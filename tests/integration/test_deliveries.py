"""
Two hundred deliveries of the same jobs over fifty threads: at most one SMS for each send_id, no cap broken.

The embedded AWS works its calls off one at a time, so that a conditional write is as atomic as DynamoDB's.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Lock
from uuid import uuid4

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.sns import SnsGateway
from dunning.adapters.sqs import SqsQueue
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from dunning.ports.gateways import Gateway, Published, PublishOutcome
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import QueueMessage
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.sender import SendService
from tests.integration.conftest import House, job_for
from tests.support.builders import the_policies
from tests.support.fakes import FakeEventPublisher, FakeSwitch, FakeTelemetry
from tests.support.people import someone

CUSTOMERS = [someone(number, accounts=1 + number % 2) for number in range(20)]
DELIVERIES = 200
THREADS = 50
SENDERS = 4


class RandomCarrier:
    """A carrier that answers at random, and remembers what it said of each number."""

    channel = Channel.SMS
    name = "sns"
    repeatable = False

    def __init__(self, seed: int, carrier: Gateway) -> None:
        self.answered: list[tuple[str, PublishOutcome]] = []
        self._random = Random(seed)
        self._carrier = carrier
        self._lock = Lock()

    def publish(self, sms: Outgoing) -> Published:
        with self._lock:
            outcome = self._random.choice(
                (
                    PublishOutcome.ACCEPTED,
                    PublishOutcome.ACCEPTED,
                    PublishOutcome.REFUSED_FOR_NOW,
                    PublishOutcome.REFUSED_FOR_NOW,
                    PublishOutcome.UNKNOWN,
                )
            )
        answer = Published(outcome, code="mood")
        if outcome is PublishOutcome.ACCEPTED or (outcome is PublishOutcome.UNKNOWN and self._random.random() < 0.5):
            # Of an unknown one nobody knows whether it was taken: half of them were.
            taken = self._carrier.publish(sms)
            answer = taken if outcome is PublishOutcome.ACCEPTED else answer
        with self._lock:
            self.answered.append((sms.address, answer.outcome))
        return answer

    def count(self, phone: str, *outcomes: PublishOutcome) -> int:
        return sum(answered in outcomes for number, answered in self.answered if number == phone)


def _senders(house: House, gateway: Gateway) -> Iterator[SendService]:
    """Build senders as the functions' instances are: each with clients of its own, all on the same tables."""
    environment = house.cloud.stack.sender.environment
    policies = the_policies()
    for _ in range(SENDERS):
        dynamodb = boto3.Session().client("dynamodb", config=LEAN)
        yield SendService(
            store=DynamoCustomers(dynamodb, environment["CUSTOMERS_TABLE"], 4),
            contacts=DynamoContacts(dynamodb, environment["CONTACTS_TABLE"]),
            queue=SqsQueue(house.cloud.sqs, environment["QUEUE_URL"], environment["DEAD_LETTER_URL"]),
            gateways=GatewaysByName(gateway),
            switch=FakeSwitch(),
            publisher=FakeEventPublisher(),
            policies=policies,
            clock=house.cloud.clock,
            telemetry=FakeTelemetry(),
            new_id=lambda: uuid4().hex,
            per_second=1000,
            max_receive_count=5,
        )


def _deliver(house: House, gateway: Gateway, seed: int) -> None:
    """Hand every job over ten times, in small batches of a random order, on all threads at once."""
    random = Random(seed)
    deliveries = [
        QueueMessage(f"message-{copy}-{facts.customer_id}", job_for(facts), 1)
        for copy in range(DELIVERIES // len(CUSTOMERS))
        for facts in CUSTOMERS
    ]
    random.shuffle(deliveries)
    batches = [deliveries[start : start + 4] for start in range(0, DELIVERIES, 4)]
    assert len(batches) == THREADS
    senders = list(_senders(house, gateway))
    with ThreadPoolExecutor(THREADS) as pool:
        back = list(
            pool.map(
                lambda numbered: senders[numbered[0] % SENDERS].handle_batch(numbered[1], lambda: 60.0),
                enumerate(batches),
            )
        )
    by_id = {delivery.message_id: delivery for delivery in deliveries}
    # Contested ones come back: once more, one after the other, with nobody in the way.
    for message_id in (message_id for ids in back for message_id in ids):
        again = by_id[message_id]
        assert senders[0].handle_batch([QueueMessage(again.message_id, again.body, 2)], lambda: 60.0) == []


def _check(house: House) -> None:
    """Hold ledger, audit records and what was published against each other."""
    contacts = house.contacts()
    sent = {contact.message_id: contact for contact in contacts if contact.state is ContactState.SENT}
    published = {sms.message_id: sms for sms in house.cloud.outbox}
    assert max(Counter(contact.send_id for contact in contacts).values()) == 1
    for message_id, contact in sent.items():
        assert (published[message_id].to, published[message_id].text) == (contact.phone, contact.text)
    for facts in CUSTOMERS:
        ledger = house.standing(facts).ledger
        assert len(ledger) <= 1  # the cap of a day
        assert sum(sms.to == facts.phone for sms in published.values()) <= 1
        claims = {(entry.send_id, entry.claim_id) for entry in ledger}
        assert claims == {(c.send_id, c.claim_id) for c in contacts if c.customer_id == facts.customer_id}


@pytest.mark.slow(reason="all customers on moto, each job delivered more than once")
def test_every_customer_gets_one_sms(house: House) -> None:
    house.add(*CUSTOMERS)
    _deliver(house, SnsGateway(boto3.Session().client("sns", config=PUBLISH_ONCE)), seed=1)
    _check(house)
    assert sorted(sms.to for sms in house.cloud.outbox) == [facts.phone for facts in CUSTOMERS]
    assert house.requests.sent["sns.Publish"] == len(CUSTOMERS)
    assert [contact.state for contact in house.contacts()] == [ContactState.SENT] * len(CUSTOMERS)
    for facts in CUSTOMERS:
        assert house.standing(facts).version == 2


@pytest.mark.slow(reason="all customers on moto, each job delivered more than once")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_the_carrier_answers_no_customer_gets_two_texts(house: House, seed: int) -> None:
    house.add(*CUSTOMERS)
    carrier = RandomCarrier(seed, SnsGateway(boto3.Session().client("sns", config=PUBLISH_ONCE)))
    _deliver(house, carrier, seed)
    _check(house)
    assert carrier.answered
    states = Counter(contact.state for contact in house.contacts())
    outcomes = Counter(outcome for _, outcome in carrier.answered)
    assert states[ContactState.SENT] == outcomes[PublishOutcome.ACCEPTED]
    assert states[ContactState.UNKNOWN] == outcomes[PublishOutcome.UNKNOWN]
    assert states[ContactState.REFUSED] == 0
    for facts in CUSTOMERS:
        claimed = carrier.count(facts.phone, PublishOutcome.ACCEPTED, PublishOutcome.UNKNOWN)
        assert claimed <= 1
        standing = house.standing(facts)
        assert len(standing.ledger) == claimed
        if not claimed:
            # Every refusal gave its claim back: no cap is used, no stage is marked, and the wake is soon.
            assert standing.progress == {}
            assert standing.wake is not None
            assert standing.reason == "carrier_busy"
