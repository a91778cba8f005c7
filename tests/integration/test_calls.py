"""What a reminder costs in calls, and that every role allows what its function calls and nothing else."""

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from fnmatch import fnmatch
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
import pytest

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.items import lender_record_item
from dunning.domain.customer.facts import Facts
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from dunning.ports.contacts import ContactKey
from tests.integration.conftest import House, batch, job_for
from tests.local import ROOT
from tests.local.cloud import LocalCloud
from tests.local.providers import services_needed
from tests.local.template import translate
from tests.support.aws_requests import error, watched
from tests.support.builders import a_lender_record, the_policies
from tests.support.fakes import FakeTelemetry
from tests.support.lender_files import CHEN, WANG, csv_of, row
from tests.support.people import NOW, someone

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")

CUSTOMERS = 500
MOST_CALLS_A_REMINDER = 2.6

_POLLING = {"sqs.ReceiveMessage", "sqs.DeleteMessageBatch"}
"""What AWS's event source mapping does, not the functions."""


@pytest.mark.slow(reason="500 reminders on moto: the share of calls that serve a batch shows only over many")
def test_a_reminder_takes_no_more_calls_than_agreed(house: House) -> None:
    people = [someone(number) for number in range(CUSTOMERS)]
    house.add(*people)
    house.requests.clear()
    house.scan()
    house.cloud.drain()
    calls = Counter({name: count for name, count in house.requests.sent.items() if name not in _POLLING})
    assert len(house.cloud.outbox) == CUSTOMERS
    assert len(house.contacts()) == CUSTOMERS
    assert calls["sns.Publish"] == CUSTOMERS
    assert calls["dynamodb.PutItem"] == CUSTOMERS
    assert (
        calls["dynamodb.BatchWriteItem"] == calls["dynamodb.BatchGetItem"] == CUSTOMERS / house.cloud.stack.batch_size
    )
    assert calls.total() / CUSTOMERS <= MOST_CALLS_A_REMINDER


OF_CHANNEL: Mapping[str, Mapping[str, Any]] = {
    "sms by sns": {},
    "sms by eum": {"lender": "demo-channels"},
    "mail": {"lender": "demo-channels", "email": "c{}@example.com", "channel_consents": {Channel.EMAIL: NOW}},
    "line": {"lender": "demo-channels", "line_user_id": "U{:032x}", "channel_consents": {Channel.LINE: NOW}},
}
"""What makes a customer be reached on a channel."""

OF_GATEWAY = {
    "sms by sns": "sns.Publish",
    "sms by eum": "pinpoint-sms-voice-v2.SendTextMessage",
    "mail": "sesv2.SendEmail",
    "line": "LINE",
}


def _reached_by(channel: str, number: int) -> Facts:
    fields: dict[str, Any] = {
        field: value.format(number) if isinstance(value, str) else value for field, value in OF_CHANNEL[channel].items()
    }
    return someone(number, **fields)


@pytest.mark.slow(reason="100 messages on moto: the share of calls that serve a batch shows only over many")
@pytest.mark.parametrize("channel", OF_CHANNEL)
def test_a_message_takes_as_many_calls_on_every_channel(channel: str, at_the_preferred_hour: None) -> None:
    del at_the_preferred_hour
    people = [_reached_by(channel, number) for number in range(100)]
    with LocalCloud(NOW, services=services_needed(the_policies())) as cloud, watched() as requests:
        house = House(cloud, requests, FakeTelemetry(), io.StringIO())
        house.add(*people)
        requests.clear()
        house.scan()
        cloud.drain()
        calls = Counter(name for name, _ in requests.calls if name not in _POLLING)
        calls["LINE"] = cloud.providers.line.requests
        assert {contact.state for contact in house.contacts()} == {ContactState.SENT}
        assert calls[OF_GATEWAY[channel]] == len(people) == len(cloud.outbox)
        assert sum(calls[name] for name in OF_GATEWAY.values()) == len(people)
        # One more for each secret, which is read every five minutes: not for each message.
        assert calls["ssm.GetParameter"] <= 3
        assert calls.total() / len(people) <= MOST_CALLS_A_REMINDER


@pytest.mark.parametrize("channel", ["sms by eum", "mail"])
def test_a_report_finds_its_record_by_key(channel: str, at_the_preferred_hour: None) -> None:
    del at_the_preferred_hour
    facts = _reached_by(channel, 1)
    with LocalCloud(NOW, services=services_needed(the_policies())) as cloud, watched() as requests:
        house = House(cloud, requests, FakeTelemetry(), io.StringIO())
        house.add(facts)
        house.scan()
        cloud.drain()
        requests.clear()
        if channel == "mail":
            cloud.service_reports("SesTopic", cloud.providers.mails.reported(0, "Delivery", None, timedelta(seconds=3)))
        else:
            report = cloud.providers.texts.reported(0, "DELIVERED", after=timedelta(seconds=3))
            cloud.service_reports("EumTopic", report)
        (contact,) = house.contacts()
        assert contact.state is ContactState.DELIVERED
        asked = [(name, call) for name, call in requests.calls if name.startswith("dynamodb.")]
        assert 0 < len(asked) <= 4
        assert not [call for _, call in asked if "IndexName" in call]
        assert not {"dynamodb.Query", "dynamodb.Scan"} & {name for name, _ in asked}


class _Statement(NamedTuple):
    """A statement of a role; a resource reads `CustomersTable/index/due`."""

    effect: str
    actions: list[str]
    resource: str
    condition: dict[str, Any]


def _statements(function: str) -> list[_Statement]:
    """Return each statement of a function's role, of the policies beside it too."""
    resources = translate(ROOT / "template.yaml")["Resources"]
    role = resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    policies = [
        *resources[role]["Properties"]["Policies"],
        *(
            resource["Properties"]
            for resource in resources.values()
            if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]
        ),
    ]
    return [
        _Statement(
            statement["Effect"],
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"],
            _name(resource),
            statement.get("Condition", {}),
        )
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    ]


def _name(resource: Any) -> str:  # noqa: ANN401 - an expression of CloudFormation
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    text = str(resource["Fn::Sub"])
    for expression, name in (
        ("${UploadsBucket.Arn}", "UploadsBucket"),
        ("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${SendingParameter}", "SendingParameter"),
        ("${CustomersTable.Arn}", "CustomersTable"),
    ):
        text = text.replace(expression, name)
    return text


_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "eventbridge:PutEvents": "events:PutEvents",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObject": "s3:DeleteObjectVersion",
}
"""Where IAM knows an operation by another name: objects are deleted by their version."""


def _needed(house: House) -> set[tuple[str, str]]:
    """Return the actions the recorded calls need, each with the resource it is needed on."""
    stack = house.cloud.stack
    environment = stack.sender.environment
    names = {
        stack.customers_table: "CustomersTable",
        stack.contacts_table: "ContactsTable",
        environment["QUEUE_URL"]: "Reminders",
        environment["DEAD_LETTER_URL"]: "RemindersDeadLetters",
        environment["SENDING_PARAMETER"]: "SendingParameter",
        environment["REPLIES_QUEUE_URL"]: "Replies",
        environment["LENDER_EVENTS_QUEUE_URL"]: "LenderEvents",
        environment["NEWS_FAILURES_QUEUE_URL"]: "NewsFailures",
        stack.intake.environment["QUEUE_URL"]: "FileParts",
        stack.uploads_bucket: "UploadsBucket",
    }
    needed: set[tuple[str, str]] = set()
    for operation, call in house.requests.calls:
        action = operation.replace(".", ":")
        on = [
            *call.get("RequestItems", {}),
            *(call[key] for key in ("TableName", "QueueUrl", "Bucket", "Name") if key in call),
        ]
        below = f"/index/{call['IndexName']}" if "IndexName" in call else ""
        below = f"/{call['Key']}" if {"Bucket", "Key"} <= call.keys() else below
        if operation == "eventbridge.PutEvents":
            targets = ["LenderBus" for entry in call["Entries"] if entry["EventBusName"] == stack.bus_name]
        else:
            targets = ["*"] if "PhoneNumber" in call else [names[target] + below for target in on]
        needed |= {(_ACTIONS.get(action, action), target) for target in targets}
    return needed


def _three_customers(house: House) -> None:
    """Put three customers into the table, the first with a record that cannot be read."""
    house.add(someone(1), someone(2), someone(3))
    boto3.client("dynamodb").update_item(
        TableName=house.cloud.stack.customers_table,
        Key={"customer_id": {"S": "C0001"}, "item": {"S": "standing"}},
        UpdateExpression="SET ledger = :broken",
        ExpressionAttributeValues={":broken": {"S": "?"}},
    )
    house.requests.clear()


def _scans(house: House) -> None:
    house.scan()


def _sends(house: House) -> None:
    unreadable, accepted, died = someone(1), someone(2), someone(3)
    house.send(batch("poison", job_for(accepted)))
    house.send(batch(job_for(unreadable), receives=5))
    house.requests.answer("dynamodb.BatchWriteItem", error("AccessDeniedException"))
    house.send(batch(job_for(died)))
    house.requests.let_all_through()
    house.send(batch(job_for(died), receives=2))
    assert len(house.contacts()) == 2


def _loads(house: House) -> None:
    shared = row(customer_id="C-3", account_id="A-3")
    answer = house.cloud.upload("accounts/file.csv", csv_of([WANG, row(CHEN, phone="none"), shared]).encode())
    (loaded,) = answer["files"]
    assert (loaded["customers_loaded"], loaded["customers_refused"], loaded["phones_shared"]) == (2, 1, 1)
    answer = house.cloud.upload("complete/demo-tw/list.csv", csv_of([WANG, row(CHEN), shared]).encode())
    assert answer["files"][0]["refused"] == "too_many_missing"
    with patch.dict(os.environ, SPLIT_ABOVE_BYTES="400"):
        house.cloud.upload("accounts/large.csv", csv_of([WANG, row(CHEN), shared]).encode())
    assert [line["parts"] for line in house.lines() if line.get("message") == "file_split"] == [8]


_ALLOWED_BESIDE = {
    # The event source mapping works under the function's role.
    ("sqs:ReceiveMessage", "Reminders"),
    ("sqs:DeleteMessage", "Reminders"),
    ("sqs:ReceiveMessage", "FileParts"),
    ("sqs:DeleteMessage", "FileParts"),
    # What failed asynchronously is put there by Lambda.
    ("sqs:SendMessage", "IntakeDeadLetters"),
    # What holds for trials is read only where there are some (tests/integration/test_trial_control.py).
    ("dynamodb:GetItem", "TallyTable"),
}


@pytest.mark.parametrize(
    ("function", "work"), [("ScannerFunction", _scans), ("SenderFunction", _sends), ("IntakeFunction", _loads)]
)
def test_a_role_allows_what_its_function_calls_and_nothing_else(
    house: House, function: str, work: Callable[[House], None]
) -> None:
    _three_customers(house)
    work(house)
    needed = _needed(house)
    assert needed
    statements = [
        statement for statement in _statements(function) if not statement.actions[0].startswith(("logs:", "kms:"))
    ]
    allowed = {
        (action, statement.resource)
        for statement in statements
        if statement.effect == "Allow"
        for action in statement.actions
    }
    for action, target in needed:
        assert any(action == a and fnmatch(target, r) for a, r in allowed), (action, target)
    unused = {
        (action, resource)
        for action, resource in allowed - _ALLOWED_BESIDE
        # What a gateway needs is there with its parameter alone: the tests of the template hold it.
        if not action.startswith(("sms-voice:", "ses:", "social-messaging:")) and "/secrets/" not in resource
        if not any(action == a and fnmatch(target, resource) for a, target in needed)
    }
    # Polling asks for the depth too, which the sender itself does not.
    assert unused <= {("sqs:GetQueueAttributes", "Reminders"), ("sqs:GetQueueAttributes", "FileParts")}


def test_the_senders_role_lets_it_write_what_it_writes_and_nothing_of_the_facts(house: House) -> None:
    _three_customers(house)
    _sends(house)
    written: set[str] = set()
    for operation in ("dynamodb.PutItem", "dynamodb.UpdateItem"):
        for call in house.requests.of(operation):
            if call["TableName"] == house.cloud.stack.customers_table:
                written |= _attributes(call)
    (statement,) = (
        statement
        for statement in _statements("SenderFunction")
        if statement.resource == "CustomersTable" and statement.condition
    )
    assert statement.actions == ["dynamodb:PutItem", "dynamodb:UpdateItem"]
    allowed = set(statement.condition["ForAllValues:StringEquals"]["dynamodb:Attributes"])
    assert written
    assert written <= allowed
    assert allowed & set(lender_record_item(a_lender_record(someone(1)))) == {
        "customer_id",
        "item",
        "schema",
    }  # the key both items share, and the number of their layouts


def test_the_tallys_role_lets_it_read_what_it_asks_of_a_record_and_nothing_else(house: House) -> None:
    table = house.cloud.stack.contacts_table
    contacts = DynamoContacts(boto3.client("dynamodb"), table)
    contacts.details_of([ContactKey("C0001", NOW, "send-1")])
    (call,) = house.requests.of("dynamodb.BatchGetItem")
    asked = call["RequestItems"][table]
    (statement,) = (each for each in _statements("TallyFunction") if "dynamodb:BatchGetItem" in each.actions)
    allowed = statement.condition["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert set(asked["ExpressionAttributeNames"].values()) | set(asked["Keys"][0]) == set(allowed)
    assert statement.condition["Null"] == {"dynamodb:Attributes": "false"}


def _attributes(call: dict[str, Any]) -> set[str]:
    """Return the attributes a write names, as IAM counts them: in the item, in the key, in expressions."""
    expressions = " ".join(call.get(name, "") for name in ("UpdateExpression", "ConditionExpression"))
    names = call.get("ExpressionAttributeNames", {})
    # Keywords are in capitals, values begin with a colon, functions end with a bracket: the rest are attributes.
    words = re.findall(r"(?<![:\w])#?[a-z_]+\b(?!\()", expressions)
    return {*call.get("Item", {}), *call.get("Key", {}), *(names.get(word, word) for word in words)}


def test_metrics_go_out_under_the_stacks_name(house: House) -> None:
    house.scan()
    (line,) = (line for line in house.lines() if "_aws" in line)
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Dunning"
    assert metrics["Dimensions"] == [["service"]]
    assert line["service"] == "dunning"  # the local stack's name, not the program's


def test_a_line_says_nothing_that_is_so_of_every_line(house: House) -> None:
    house.scan()
    lines = [line for line in house.lines() if "_aws" not in line]
    assert lines
    for line in lines:
        assert line["level"]
        assert line["message"]
        assert not line.keys() & {"location", "timestamp", "service"}
