"""The real handlers on the embedded AWS, and hands that look in from all sides."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from dunning import compiled_policies, wiring
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_of
from dunning.contracts.job import job_body
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.ports.customers import Customer
from dunning.ports.queues import Job
from tests.local import ROOT
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, watched
from tests.support.builders import store_customer, the_policies
from tests.support.fakes import FakeTelemetry
from tests.support.people import NOW, waking

type Event = dict[str, Any]


def event_file(name: str) -> Event:
    """Read one of the events that come with the project."""
    event: Event = json.loads((ROOT / "events" / name).read_text("utf-8"))
    return event


@dataclass
class House:
    """A deployed stack at ten in the morning, with nobody in it."""

    cloud: LocalCloud
    requests: Requests
    telemetry: FakeTelemetry
    log: io.StringIO

    @property
    def store(self) -> DynamoCustomers:
        """The customers' table, beside the handlers."""
        shards = int(self.cloud.stack.sender.environment["DUE_SHARDS"])
        return DynamoCustomers(boto3.client("dynamodb"), self.cloud.stack.customers_table, shards)

    def add(self, *people: Facts, wake_at: datetime | None = NOW, **changes: Any) -> None:  # noqa: ANN401 - fields of it
        """Put customers with their standing into the table."""
        for facts in people:
            store_customer(self.store, facts, waking(facts, wake_at, **changes))

    def standing(self, facts: Facts) -> Standing:
        """Read a customer's standing."""
        found = self.store.load([facts.customer_id])[facts.customer_id]
        assert isinstance(found, Customer)
        assert found.standing is not None
        return found.standing

    def contacts(self) -> list[Contact]:
        """Read all audit records."""
        return [contact_of(item) for item in self.cloud.items(self.cloud.stack.contacts_table)]

    def scan(self, **environment: str) -> dict[str, int]:
        """Start the scanner with the tick that comes with the project; its environment is read the first time."""
        function = self.cloud.stack.scanner
        function = replace(function, environment={**function.environment, **environment})
        answer: dict[str, int] = self.cloud.invoke(function, event_file("scanner/tick.json"))
        return answer

    def turn(self, value: str) -> None:
        """Turn the switch for all sending."""
        name = self.cloud.stack.sender.environment["SENDING_PARAMETER"]
        self.cloud.ssm.put_parameter(Name=name, Value=value, Overwrite=True)

    def send(self, event: Event, *, seconds: int = 60) -> list[str]:
        """Start the sender with so much time, and return what is to come back."""
        function = replace(self.cloud.stack.sender, timeout=timedelta(seconds=seconds))
        answer = self.cloud.invoke(function, event)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def bodies(self, queue: str) -> list[str]:
        """Take everything off a queue, named by the sender's variable."""
        found: list[str] = []
        url = self.cloud.stack.sender.environment[queue]
        while messages := self.cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return found

    def lines(self) -> list[dict[str, Any]]:
        """Return what the functions have logged, metrics included."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def metric(self, name: str) -> float:
        """Add a metric up over all that was put out."""
        return sum(
            sum(line[name]) if isinstance(line[name], list) else line[name] for line in self.lines() if name in line
        )


def batch(*bodies: str, receives: int = 1) -> Event:
    """Build an SQS event of such messages, in the shape of the file; their ids are their places."""
    (shape, *_) = event_file("sender/jobs.json")["Records"]
    return {
        "Records": [
            shape
            | {
                "messageId": f"message-{place}",
                "body": body,
                "attributes": shape["attributes"] | {"ApproximateReceiveCount": str(receives)},
            }
            for place, body in enumerate(bodies)
        ]
    }


def job_for(facts: Facts, wake_at: datetime = NOW) -> str:
    """Write the job that judges a customer."""
    return job_body(Job(facts.customer_id, wake_at))


@pytest.fixture
def at_the_preferred_hour() -> Iterator[None]:
    """Let everybody's turn come at the preferred hour: the policies of the package without their spread."""
    wiring.policy_book.cache_clear()
    with patch.object(compiled_policies, "policies", the_policies):
        yield
    wiring.policy_book.cache_clear()


@pytest.fixture
def house(at_the_preferred_hour: None) -> Iterator[House]:
    del at_the_preferred_hour
    telemetry, log = FakeTelemetry(), io.StringIO()
    with LocalCloud(NOW, listener=telemetry, log=log) as cloud, watched() as requests:
        yield House(cloud, requests, telemetry, log)
