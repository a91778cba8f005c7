"""
Each port three times: the fake in memory, the adapter on the embedded AWS, and the adapter on a stand-in for AWS.

Both engines have what the template declares. The stand-in is a process that is asked over HTTP; `make contract` starts
it. Where the three disagree, the documentation of AWS decides: the test names it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import boto3
import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.contact_table import WRITE_ONCE, DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_of
from dunning.adapters.dynamodb.tally_table import DynamoTally
from dunning.adapters.sqs import SqsQueue
from dunning.domain.delivery.contact import Contact
from dunning.ports.attention import AttentionList
from dunning.ports.contacts import ContactArchive, ReplyLog, SentTexts
from dunning.ports.customers import (
    AccountIndex,
    AddressIndex,
    CustomerLooks,
    CustomerScan,
    CustomerStore,
    DueIndex,
    LenderScan,
    StandingReader,
    WholeScan,
)
from dunning.ports.file_loads import FileLoads
from dunning.ports.queues import JobQueue
from dunning.ports.tallies import TallyReader, TallySealing, TallyWriter
from tests.local import ROOT
from tests.local.cloud import LocalCloud
from tests.local.console import create_console_table
from tests.support.aws_requests import Requests, watched
from tests.support.damage import write_attribute
from tests.support.fakes import FakeContacts, FakeCustomers, FakeQueue, FakeTally
from tests.support.people import NOW
from tests.support.stand_in import Aws, Engine, StandInProcess

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARDS = 4

STAND_IN = pytest.param("stand_in", marks=pytest.mark.stand_in)
ENGINES = ["moto", STAND_IN]
BACKENDS = ["fake", *ENGINES]


class Customers(
    CustomerStore,
    StandingReader,
    CustomerLooks,
    DueIndex,
    AttentionList,
    CustomerScan,
    WholeScan,
    LenderScan,
    AddressIndex,
    AccountIndex,
    FileLoads,
    Protocol,
):
    """Eleven ports that are one table."""


class Records(ContactArchive, SentTexts, ReplyLog, Protocol):
    """Three ports that are one table."""


class Tally(TallyReader, TallyWriter, TallySealing, Protocol):
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


@pytest.fixture(scope="session")
def stand_in_process() -> Iterator[StandInProcess]:
    with StandInProcess(ROOT / ".local" / "contract") as process:
        yield process


@pytest.fixture
def stand_in(stand_in_process: StandInProcess) -> Iterator[Engine]:
    """Hand out the stand-in, empty."""
    with stand_in_process.reached():
        yield stand_in_process.engine.anew()


def engine_of(request: pytest.FixtureRequest) -> Aws:
    """Return the engine that a parameter names, empty."""
    found: Aws = request.getfixturevalue("stand_in" if request.param == "stand_in" else "cloud")
    return found


def deviates(request: pytest.FixtureRequest, engine: str, why: str) -> None:
    """Expect a test to fail on an engine that does not do what the documentation says; to pass would fail, too."""
    if engine in request.node.callspec.params.values():
        request.applymarker(pytest.mark.xfail(reason=f"{engine}: {why}", strict=True))


@pytest.fixture(params=ENGINES)
def aws(request: pytest.FixtureRequest) -> Aws:
    """Hand out each engine, for what only an engine can do."""
    return engine_of(request)


def customers_in(aws: Aws) -> DynamoCustomers:
    """Return the adapter on an engine's table of customers."""
    return DynamoCustomers(boto3.client("dynamodb", config=LEAN), aws.stack.customers_table, SHARDS)


def a_console_table_on(aws: Aws) -> tuple["DynamoDBClient", str]:
    """Create a table of the console on an engine, and return a client and the name of the table."""
    client, name = boto3.client("dynamodb", config=LEAN), f"{aws.stack.tally_table}-console-{uuid4().hex}"
    create_console_table(client, name)
    return client, name


def contacts_in(aws: Aws) -> DynamoContacts:
    """Return the adapter on an engine's audit table."""
    once = boto3.client("dynamodb", config=WRITE_ONCE)
    return DynamoContacts(boto3.client("dynamodb", config=LEAN), aws.stack.contacts_table, once=once)


def jobs_in(aws: Aws) -> SqsQueue:
    """Return the adapter on an engine's queue of jobs."""
    return SqsQueue(boto3.client("sqs", config=LEAN), aws.queue_url, dead_letter_url(aws))


def dead_letter_url(aws: Aws) -> str:
    """Return the queue of the jobs that wait for a person."""
    return aws.stack.sender.environment["DEAD_LETTER_URL"]


@pytest.fixture
def dynamo(cloud: LocalCloud) -> DynamoCustomers:
    return customers_in(cloud)


@pytest.fixture
def contacts_table(cloud: LocalCloud) -> DynamoContacts:
    return contacts_in(cloud)


@pytest.fixture
def sqs(cloud: LocalCloud) -> SqsQueue:
    return jobs_in(cloud)


def bodies(aws: Aws, url: str) -> list[str]:
    """Take everything off a queue."""
    found: list[str] = []
    while messages := aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Office:
    if request.param == "fake":
        fake = FakeCustomers()
        return Office(fake, fake.unreadable.add)
    aws = engine_of(request)
    return Office(
        customers_in(aws), lambda customer_id: write_attribute(aws, customer_id, "standing", ledger={"S": "?"})
    )


@pytest.fixture(params=BACKENDS)
def tally(request: pytest.FixtureRequest) -> Tally:
    if request.param == "fake":
        return FakeTally()
    aws = engine_of(request)
    return DynamoTally(boto3.client("dynamodb", config=LEAN), aws.stack.tally_table)


@pytest.fixture(params=BACKENDS)
def post(request: pytest.FixtureRequest) -> Post:
    if request.param == "fake":
        fake = FakeQueue()
        return Post(fake, fake.bodies, lambda: fake.parked)
    aws = engine_of(request)
    return Post(jobs_in(aws), lambda: bodies(aws, aws.queue_url), lambda: bodies(aws, dead_letter_url(aws)))


@pytest.fixture(params=BACKENDS)
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "fake":
        fake = FakeContacts()
        return Archive(fake, lambda: list(fake.records.values()))
    aws = engine_of(request)
    return Archive(contacts_in(aws), lambda: [contact_of(item) for item in aws.items(aws.stack.contacts_table)])
