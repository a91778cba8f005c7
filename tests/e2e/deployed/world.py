"""The deployed stack, and the hands of those who live with it: a manager, an engineer, and the clock."""

import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from dunning.adapters.dynamodb.items import contact_of, standing_of
from dunning.adapters.dynamodb.keys import REPLY, STANDING
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from tests.e2e.deployed.deployment import STACK, Deployer, Key
from tests.e2e.deployed.identity import Provider
from tests.e2e.deployed.standin import ACCOUNT, REGION, Folders, StandIn, StandInError
from tests.support.lender_files import WANG, csv_of, row

_AMERICAN = WANG | {
    "name": "Ann Example",
    "country": "US",
    "region": "TX",
    "language": "en",
    "time_zone": "America/Chicago",
    "product": "scooter plan",
    "currency": "USD",
    "amount": "85",
}

BEGINS = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
"""
What the functions take for the time at which the run begins: a Tuesday, one in the afternoon in Taipei. Every turn of
the day has come.

The schedule, the queue and the signatures live in real time; only our own clock is moved, or the run could only be
started in office hours.
"""

TODAY = date(2026, 12, 1)
"""Where the customers live."""

TICK = 60.0
"""Seconds between two ticks, and what the stand-in's own look at its schedules adds at most."""
TICK_AT_MOST = TICK + 15.0

FUNCTIONS = (
    "ScannerFunction",
    "SenderFunction",
    "IntakeFunction",
    "LenderEventsFunction",
    "DeliveryReceiptsFunction",
    "RepliesFunction",
    "HousekeepingFunction",
    "ReplanFunction",
    "TallyFunction",
    "EffectFunction",
    "ConsoleFunction",
)

type Statements = Sequence[Mapping[str, object]]

MANAGER_MAY: Statements = [
    {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": [f"arn:aws:s3:::{STACK}-uploadsbucket-*/{folder}/*" for folder in ("accounts", "complete")],
    },
    {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{STACK}-uploadsbucket-*/rejects/*",
    },
    {
        "Effect": "Allow",
        "Action": ["ssm:PutParameter", "ssm:GetParameter"],
        "Resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/sending",
    },
]
"""A collections manager: uploads files, reads refusals, turns sending off and on."""

LENDER_MAY: Statements = [
    {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{STACK}",
    },
]
"""The lender's own systems: tell what happens as it happens."""

ENGINEER_MAY: Statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


@dataclass
class World:
    """A stack in the stand-in."""

    stand_in: StandIn
    manager: Key
    engineer: Key
    lender: Key
    deployer: Deployer
    parameters: dict[str, str] = field(default_factory=dict)
    deployments: list[datetime] = field(default_factory=list)
    provider: Provider = field(init=False)
    """Where people of the console log in."""
    _replies: int = 0
    _streams: int = 0
    _americans: int = 99  # and 100 more: numbers kept for fiction in the USA end with 0100 to 0199
    _people: int = 199

    # ------------------------------------------------------------------ users

    def as_manager(self, service: str) -> Any:  # noqa: ANN401 - a client of any service
        """Make a client of a collections manager."""
        return client(self.stand_in, self.manager, service)

    def as_engineer(self, service: str) -> Any:  # noqa: ANN401 - a client of any service
        """Make a client of the engineer who has deployed."""
        return client(self.stand_in, self.engineer, service)

    def as_lender(self, service: str) -> Any:  # noqa: ANN401 - a client of any service
        """Make a client of the lender's own systems."""
        return client(self.stand_in, self.lender, service)

    # ------------------------------------------------------------- what there is

    @property
    def folders(self) -> Folders:
        """Where this run writes."""
        return self.stand_in.folders

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """Physical names, by logical id."""
        found = self.as_engineer("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """What the stack tells those who use it: the bucket to drop files into, and where everything else is."""
        (stack,) = self.as_engineer("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def sms_to(self, phone: str) -> list[Mapping[str, Any]]:
        """Return the texts SNS took for a number."""
        return self.stand_in.sms().get(phone, [])

    def contacts(self) -> dict[str, list[Contact]]:
        """Return the audit records, by customer, in their order."""
        found = defaultdict(list)
        for item in self.items("ContactsTable"):
            if item["contact"]["S"].startswith(REPLY):
                continue
            contact = contact_of(item)
            found[contact.customer_id].append(contact)
        return {customer_id: sorted(of, key=lambda contact: contact.at) for customer_id, of in found.items()}

    def standings(self) -> dict[str, Standing]:
        """Return all standings."""
        items = [item for item in self.items("CustomersTable") if item["item"]["S"] == STANDING]
        return {item["customer_id"]["S"]: standing_of(item) for item in items}

    def counted(self) -> set[str]:
        """Return the names of all counters that the tally has."""
        return {name for item in self.items("TallyTable") if item["tally"]["S"] == "counts" for name in item}

    def everything(self) -> dict[str, Any]:
        """Return all that must outlive a deployment."""
        return {
            "customers": sorted(map(_frozen, self.items("CustomersTable"))),
            "contacts": sorted(map(_frozen, self.items("ContactsTable"))),
            "objects": self.uploads(),
            "dead letters": sorted(message["Body"] for message in self.messages("RemindersDeadLetters")),
            "switch": self.as_manager("ssm").get_parameter(Name=self.ids["SendingParameter"])["Parameter"]["Value"],
            "names": {
                name: self.ids[name]
                for name in ("CustomersTable", "ContactsTable", "UploadsBucket", "Reminders", "RemindersDeadLetters")
            },
        }

    def uploads(self) -> list[str]:
        """Return the names of the files in the bucket."""
        found = self.as_engineer("s3").list_objects_v2(Bucket=self.ids["UploadsBucket"])
        return [file["Key"] for file in found.get("Contents", [])]

    def messages(self, queue: str) -> list[Mapping[str, Any]]:
        """Return what is on a queue, visible or not, without receiving it."""
        return self.messages_at(self.queue_arn(queue))

    def messages_at(self, arn: str) -> list[Mapping[str, Any]]:
        """Return what is on a queue that is known by its ARN."""
        name = arn.rpartition(":")[2]
        answer = self.stand_in.ask(f"{self.stand_in.url}/_ministack/sqs/messages?account={ACCOUNT}&region={REGION}")
        held = answer["messages"][ACCOUNT][REGION]
        (found,) = (messages for url, messages in held.items() if url.rpartition("/")[2] == name)
        return list(found)

    def logged(self, function: str, message: str = "") -> list[dict[str, Any]]:
        """Return the JSON lines of a function's log group: those of a message, or the first 10,000 of all."""
        pages = self.as_engineer("logs").get_paginator("filter_log_events")
        lines = [
            event["message"].strip()
            for page in pages.paginate(logGroupName=f"/{STACK}/{function}", filterPattern=message)
            for event in page["events"]
        ]
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if message in {"", line.get("message")}]

    def rejects(self, name: str) -> str:
        """Read a reject file as the manager does."""
        s3 = self.as_manager("s3")
        try:
            answer = s3.get_object(Bucket=self.outputs["UploadsBucket"], Key=f"rejects/{name}")
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return ""
            raise
        return str(answer["Body"].read().decode("utf-8-sig"))

    def calls(self) -> Iterator[dict[str, Any]]:
        """Yield the calls the functions have made."""
        for path in sorted(self.folders.calls.glob("*.jsonl")):
            for line in path.read_text("utf-8").splitlines():
                yield json.loads(line)

    # ------------------------------------------------------------------ what is done

    def people(
        self, count: int, *, due_on: date = TODAY, american: bool = False, **changes: str
    ) -> list[dict[str, str]]:
        """Make up customers who are not stored yet, in Taiwan or in Texas."""
        made = []
        for _ in range(count):
            if american:
                self._americans += 1
            else:
                self._people += 1
            number = f"{self._americans if american else self._people:04d}"
            made.append(
                row(
                    _AMERICAN if american else WANG,
                    customer_id=f"C-{number}",
                    account_id=f"A-{number}",
                    account_number=f"9001-0000-{number}",
                    phone=f"+1214555{number}" if american else f"091000{number}",
                    due_on=due_on.isoformat(),
                    **changes,
                )
            )
        return made

    def upload(self, name: str, rows: Iterable[Mapping[str, str]], *, folder: str = "accounts") -> None:
        """Drop a file into the bucket as the manager does."""
        self.as_manager("s3").put_object(
            Bucket=self.outputs["UploadsBucket"], Key=f"{folder}/{name}", Body=csv_of(rows).encode()
        )

    def load(self, name: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Upload a file, and wait until the intake has planned everybody in it."""
        self.upload(name, rows)
        wanted = {person["customer_id"] for person in rows}
        self.until(f"{name} is loaded", lambda: wanted <= self.standings().keys())

    def set_in_standing(self, customer_id: str, attribute: str, value: str) -> None:
        """Change a standing by hand, behind everybody's back."""
        self.as_engineer("dynamodb").update_item(
            TableName=self.ids["CustomersTable"],
            Key={"customer_id": {"S": customer_id}, "item": {"S": STANDING}},
            UpdateExpression="SET #attribute = :value",
            ExpressionAttributeNames={"#attribute": attribute},
            ExpressionAttributeValues={":value": {"S": value}},
        )

    def turn(self, value: str) -> None:
        """Turn the switch for all sending."""
        self.as_manager("ssm").put_parameter(Name=self.ids["SendingParameter"], Value=value, Overwrite=True)

    def deploy(self, *, change: Callable[[dict[str, Any]], None] | None = None, **parameters: str) -> None:
        """Deploy the stack, the first time or again."""
        self.parameters |= parameters
        self.deployer.deploy(self.parameters, change=change)
        self.deployments.append(datetime.now(UTC))
        for learned in ("ids", "outputs"):
            self.__dict__.pop(learned, None)

    def queue_arn(self, queue: str) -> str:
        """Return the ARN of a queue."""
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.ids[queue].rpartition('/')[2]}"

    def has_key(self, queue_arn: str) -> bool:
        """Tell whether a queue is encrypted with a key of ours."""
        sqs = self.as_engineer("sqs")
        url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId"])
        return "KmsMasterKeyId" in asked.get("Attributes", {})

    def layers(self) -> set[str]:
        """Return the versions of the layer that the functions run."""
        functions = self.as_engineer("lambda")
        return {
            layer["Arn"]
            for name in FUNCTIONS
            for layer in functions.get_function_configuration(FunctionName=self.ids[name])["Layers"]
        }

    def tick(self) -> dict[str, int]:
        """Start the scanner by hand, as an engineer may, where a test need not wait for the schedule."""
        functions = self.as_engineer("lambda")
        answer: dict[str, int] = {}

        def invoked() -> bool:
            try:
                done = functions.invoke(FunctionName=self.ids["ScannerFunction"], Payload=b"{}")
            except functions.exceptions.TooManyRequestsException:
                return False  # the schedule's own tick is at work: one at a time
            if "FunctionError" in done:
                raise StandInError(f"the scanner failed: {done['Payload'].read()!r}")
            answer.update(json.loads(done["Payload"].read()))
            return True

        self.until("the scanner is free", invoked)
        return answer

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever it answers
        """
        Invoke a function as an engineer may, and return its answer.

        Raises:
            StandInError: it failed.
        """
        done = self.as_engineer("lambda").invoke(FunctionName=self.ids[function], Payload=json.dumps(event).encode())
        answer = json.loads(done["Payload"].read() or b"null")
        if "FunctionError" in done:
            raise StandInError(f"{function} failed: {answer}")
        return answer

    def tell(self, what: str, **detail: object) -> None:
        """Put an event on the bus as the lender's systems do; it happens now."""
        body = {"schema_version": 1, "at": self.now().isoformat(), **detail}
        entry = {
            "EventBusName": self.outputs["LenderBus"],
            "Source": "lender.core",
            "DetailType": what,
            "Detail": json.dumps(body),
        }
        answer = self.as_lender("events").put_events(Entries=[entry])
        assert not answer["FailedEntryCount"]

    def reply(self, person: Mapping[str, str], text: str) -> None:
        """Publish what a customer writes, as two-way SMS does."""
        self._replies += 1
        sms = {
            "originationNumber": phone_of(person),
            "destinationNumber": "+18005550100",
            "messageKeyword": f"KEYWORD_{ACCOUNT}",
            "messageBody": text,
            "inboundMessageId": f"inbound-{self._replies}",
        }
        self.as_engineer("sns").publish(TopicArn=self.outputs["InboundTopic"], Message=json.dumps(sms))

    def report(self, *logs: Mapping[str, object], failed: bool = False) -> None:
        """Write delivery logs where SNS writes them."""
        client = self.as_engineer("logs")
        group = self.ids["UndeliveredLogs" if failed else "DeliveredLogs"]
        self._streams += 1
        stream = f"stream-{self._streams}"
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        now = int(datetime.now(UTC).timestamp() * 1000)  # CloudWatch Logs takes nothing from the future
        events = [{"timestamp": now, "message": json.dumps(log)} for log in logs]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def settle(self, *, within: float = 40.0) -> None:
        """Wait until the queue is empty: every job was judged, and its message deleted."""
        self.until("the queue is empty", lambda: not self.messages("Reminders"), within=within)

    @contextmanager
    def impatient_queue(self) -> Iterator[None]:
        """
        Let jobs whose sender has died come back after seconds.

        Declared are six minutes, six times what a sender may take; a run cannot wait for that.
        """
        sqs, queue = self.as_engineer("sqs"), self.ids["Reminders"]
        declared = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "10"})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes=declared)

    def ticks(self, message: str = "tick") -> int:
        """Return how often the scanner has said that it worked, or that it was told not to."""
        return sum(line.get("message") == message for line in self.logged("scanner"))

    def scheduled(self) -> list[datetime]:
        """Return when the schedule itself has fired: what is started by hand is not told by this line."""
        log = (self.folders.logs / "ministack.log").read_text("utf-8", errors="replace")
        return [
            datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            for line in log.splitlines()
            if f"EventBridge → Lambda {self.ids['ScannerFunction']}" in line
        ]

    def advance(self, by: timedelta) -> None:
        """Let the functions' clock jump on."""
        offset = float(self.folders.clock.read_text("utf-8")) + by.total_seconds()
        self._set_clock(offset)

    def now(self) -> datetime:
        """Return what the functions take for the time."""
        return datetime.now(UTC) + timedelta(seconds=float(self.folders.clock.read_text("utf-8")))

    def advance_to(self, hour: int) -> None:
        """Let the functions' clock jump on to an hour, UTC, the next time it strikes."""
        now = self.now()
        then = now.replace(hour=hour, minute=0, second=0, microsecond=0)
        self.advance((then if then > now else then + timedelta(days=1)) - now)

    def advance_until(self, then: datetime) -> None:
        """Let the functions' clock jump on to a moment, unless it is past."""
        self.advance(max(then - self.now(), timedelta()))

    def begin(self) -> None:
        """Set the functions' clock to where the run begins."""
        self._set_clock((BEGINS - datetime.now(UTC)).total_seconds())

    def kill(self, function: str) -> int:
        """Let the processes of a function die at once, as an out-of-memory or a lost host does."""
        pids = self.stand_in.processes_of(self.ids[function])
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return len(pids)

    def until(self, what: str, holds: Callable[[], bool], *, within: float = 40.0) -> None:
        """
        Wait until something holds.

        Raises:
            StandInError: it did not, in time; the message names the logs.
        """
        end = time.monotonic() + within
        while not holds():
            if time.monotonic() > end:
                raise StandInError(f"not within {within:.0f} s: {what}; see {self.folders.logs}")
            time.sleep(0.2)

    def say(self, what: str) -> None:
        """Tell whoever waits for the run what it is at."""
        sys.stderr.write(f"\n    {datetime.now(UTC):%H:%M:%S} {what} ")
        sys.stderr.flush()

    # ------------------------------------------------------------------ the inside

    def _set_clock(self, offset: float) -> None:
        # Replaced as a whole: a function may read it at any moment.
        fresh = self.folders.clock.with_suffix(".new")
        fresh.write_text(repr(offset), "utf-8")
        fresh.replace(self.folders.clock)

    def items(self, table: str) -> Iterator[Any]:
        """Yield the items of a table."""
        pages = self.as_engineer("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self.ids[table], ConsistentRead=True):
            yield from page["Items"]


def client(stand_in: StandIn, key: Key, service: str) -> Any:  # noqa: ANN401 - a client of any service
    """Make a client of the stand-in."""
    session = boto3.Session(key.access_key_id, key.secret_access_key, region_name=REGION)
    return session.client(
        service,  # type: ignore[call-overload]
        endpoint_url=stand_in.url,
        verify=str(stand_in.certificate),
        config=Config(retries={"total_max_attempts": 2, "mode": "standard"}, connect_timeout=5, read_timeout=60),
    )


def make_user(stand_in: StandIn, name: str, may: Statements) -> Key:
    """Let the account's root make a user with a policy of its own."""
    iam = client(stand_in, Key("test", "test"), "iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name,
        PolicyName=name,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(may)}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Key(key["AccessKeyId"], key["SecretAccessKey"])


def phone_of(person: Mapping[str, str]) -> str:
    """Return a customer's number as it is dialled from abroad."""
    phone = person["phone"]
    return phone if phone.startswith("+") else f"+886{phone.removeprefix('0')}"


def _frozen(item: Mapping[str, Any]) -> str:
    return json.dumps(item, sort_keys=True)
