"""Each port twice: the fake in memory, and the adapter on the embedded AWS with what the template declares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import boto3
import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_of
from dunning.adapters.sqs import SqsQueue
from dunning.domain.delivery.contact import Contact
from dunning.ports.contacts import ContactArchive, ReplyLog
from dunning.ports.customers import CustomerScan, CustomerStore, DueIndex, LenderScan, PhoneIndex
from dunning.ports.file_loads import FileLoads
from dunning.ports.queues import JobQueue
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, watched
from tests.support.damage import write_attribute
from tests.support.fakes import FakeContacts, FakeCustomers, FakeQueue
from tests.support.people import NOW

SHARDS = 4


class Customers(CustomerStore, DueIndex, CustomerScan, LenderScan, PhoneIndex, FileLoads, Protocol):
    """Six ports that are one table."""


class Records(ContactArchive, ReplyLog, Protocol):
    """Two ports that are one table."""


@dataclass
class Office:
    """The customers, and a hand that damages a record."""

    customers: Customers
    spoil: Callable[[str], None]


@dataclass
class Post:
    """The queue seen through the port and beside it; `receive` takes jobs off without finishing them."""

    queue: JobQueue
    waiting: Callable[[], list[str]]
    parked: Callable[[], list[str]]


@dataclass
class Archive:
    """The audit table seen through the port and beside it."""

    log: Records
    stored: Callable[[], list[Contact]]


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[tuple[LocalCloud, Requests]]:
    with LocalCloud(NOW) as cloud, watched() as requests:
        yield cloud, requests


@pytest.fixture
def cloud(shared_cloud: tuple[LocalCloud, Requests]) -> LocalCloud:
    """Hand out the embedded AWS, empty."""
    cloud, _ = shared_cloud
    for table in dynamodb_backends[cloud.stack.account][cloud.stack.region].tables.values():
        table.items.clear()
    for queue in sqs_backends[cloud.stack.account][cloud.stack.region].queues.values():
        for messages in (queue._messages, queue.pending_messages, queue.deleted_messages):  # noqa: SLF001
            messages.clear()
    cloud.outbox.clear()
    return cloud


@pytest.fixture
def requests(shared_cloud: tuple[LocalCloud, Requests], cloud: LocalCloud) -> Iterator[Requests]:
    """Watch what is asked of AWS, from now on."""
    del cloud
    _, requests = shared_cloud
    requests.clear()
    yield requests
    requests.let_all_through()


@pytest.fixture
def dynamo(cloud: LocalCloud) -> DynamoCustomers:
    return DynamoCustomers(boto3.client("dynamodb", config=LEAN), cloud.stack.customers_table, SHARDS)


@pytest.fixture
def contacts_table(cloud: LocalCloud) -> DynamoContacts:
    return DynamoContacts(boto3.client("dynamodb", config=LEAN), cloud.stack.contacts_table)


@pytest.fixture
def sqs(cloud: LocalCloud) -> SqsQueue:
    return SqsQueue(cloud.sqs, cloud.queue_url, cloud.stack.sender.environment["DEAD_LETTER_URL"])


def bodies(cloud: LocalCloud, url: str) -> list[str]:
    """Take everything off a queue."""
    found: list[str] = []
    while messages := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


@pytest.fixture(params=["fake", "moto"])
def office(request: pytest.FixtureRequest) -> Office:
    if request.param == "fake":
        fake = FakeCustomers()
        return Office(fake, fake.unreadable.add)
    cloud: LocalCloud = request.getfixturevalue("cloud")
    return Office(
        request.getfixturevalue("dynamo"),
        lambda customer_id: write_attribute(cloud, customer_id, "standing", ledger={"S": "?"}),
    )


@pytest.fixture(params=["fake", "moto"])
def post(request: pytest.FixtureRequest) -> Post:
    if request.param == "fake":
        fake = FakeQueue()
        return Post(fake, fake.bodies, lambda: fake.parked)
    cloud: LocalCloud = request.getfixturevalue("cloud")
    dead_letters = cloud.stack.sender.environment["DEAD_LETTER_URL"]
    return Post(
        request.getfixturevalue("sqs"), lambda: bodies(cloud, cloud.queue_url), lambda: bodies(cloud, dead_letters)
    )


@pytest.fixture(params=["fake", "moto"])
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "fake":
        fake = FakeContacts()
        return Archive(fake, lambda: list(fake.records.values()))
    cloud: LocalCloud = request.getfixturevalue("cloud")
    return Archive(
        request.getfixturevalue("contacts_table"),
        lambda: [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)],
    )
