"""What the template promises, read from its translation: what CloudFormation would be asked to create."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.adapters.dynamodb.items import (
    FILE_LOADS,
    LENDER_RECORD,
    SNAPSHOT,
    STANDING_FIELDS,
    contact_item,
    lender_record_item,
    standing_item,
)
from dunning.adapters.dynamodb.keys import STANDING
from dunning.adapters.dynamodb.split_load_table import SPLIT_LOAD
from dunning.adapters.dynamodb.trial_control_table import CONTROL
from dunning.adapters.dynamodb.trial_result_table import KEEP_RESULTS
from dunning.adapters.ssm import parse_switch
from dunning.console.routes import PROGRAM_PREFIX, PROGRAM_ROUTES
from dunning.contracts.ses_event import MAIL_EVENTS, NOT_TRACKED
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import (
    AddressSince,
    LedgerEntry,
    OpenReview,
    Outage,
    Progress,
    RecentDecision,
    ReplyLabel,
    Standing,
    Wake,
    label_key,
)
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.payer_segments import PaymentHistory
from dunning.domain.text_effects import TextDetails
from dunning.services.console.programs import ProgramScope
from dunning.services.erasure.erase import PART_MAY_BE_LOADING, ROUND_INTERVAL, UNDER_WAY
from dunning.services.erasure.purge import QUEUES_KEEP
from dunning.services.intake.file_order import REMEMBERED
from dunning.services.send import claims
from dunning.services.send.sender import workers_for
from dunning.settings import (
    ConsoleSettings,
    DeliveryReceiptsSettings,
    EffectSettings,
    HousekeepingSettings,
    IntakeSettings,
    LenderEventsSettings,
    ReplanSettings,
    RepliesSettings,
    ScannerSettings,
    SenderSettings,
    Settings,
    TallySettings,
    WebhookSettings,
)
from ops.decision_logs import DECIDING
from tests.bench.cost import Machine
from tests.local import ROOT
from tests.local.template import parse_rate, translate
from tests.support.builders import a_lender_record, promised
from tests.support.people import NOW, someone

type Resource = Mapping[str, Any]

SETTINGS: dict[str, type[Settings]] = {
    "ScannerFunction": ScannerSettings,
    "SenderFunction": SenderSettings,
    "IntakeFunction": IntakeSettings,
    "LenderEventsFunction": LenderEventsSettings,
    "DeliveryReceiptsFunction": DeliveryReceiptsSettings,
    "RepliesFunction": RepliesSettings,
    "HousekeepingFunction": HousekeepingSettings,
    "ReplanFunction": ReplanSettings,
    "TallyFunction": TallySettings,
    "EffectFunction": EffectSettings,
    "ConsoleFunction": ConsoleSettings,
    "WebhooksFunction": WebhookSettings,
}
QUEUES = {
    "Reminders": "SenderFunction",
    "LenderEvents": "LenderEventsFunction",
    "Replies": "RepliesFunction",
    "DeliveryReceipts": "DeliveryReceiptsFunction",
    "Replan": "ReplanFunction",
    "FileParts": "IntakeFunction",
    "ChannelEvents": "DeliveryReceiptsFunction",
}
"""Each queue and the function it feeds; each has its dead letters."""

WITH_NUMBERS = {
    "Replies", "RepliesDeadLetters", "DeliveryReceiptsDeadLetters", "ChannelEvents", "ChannelEventsDeadLetters"
}  # fmt: skip
"""Queues that hold numbers, other addresses and texts."""
OF_WEBHOOKS = {
    "WebhookApi",
    "WebhookStage",
    "WebhookIntegration",
    "LineRoute",
    "UnsubscribeRoute",
    "UnsubscribePageRoute",
}
"""What API Gateway has of the webhooks."""

_OF_THE_LIBRARIES = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "PYDANTIC_DISABLE_PLUGINS"}


@pytest.fixture(scope="module")
def template() -> Resource:
    return translate(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def resources(template: Resource) -> Mapping[str, Resource]:
    found: Mapping[str, Resource] = template["Resources"]
    return found


def _properties(resources: Mapping[str, Resource], name: str) -> Resource:
    properties: Resource = resources[name]["Properties"]
    return properties


def _of_type(resources: Mapping[str, Resource], kind: str) -> dict[str, Resource]:
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def _target(reference: Resource) -> str:
    """Return the logical id a reference leads to."""
    return str(reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0])


def _environment(resources: Mapping[str, Resource], function: str) -> Resource:
    variables: Resource = _properties(resources, function)["Environment"]["Variables"]
    return variables


def _statements(resources: Mapping[str, Resource]) -> list[Resource]:
    """Return the statements of all roles, and of the policies beside them."""
    inline = [
        policy
        for role in _of_type(resources, "AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", ())
    ]
    beside = [policy["Properties"] for policy in _of_type(resources, "AWS::IAM::Policy").values()]
    return [statement for policy in inline + beside for statement in policy["PolicyDocument"]["Statement"]]


def _mapping(resources: Mapping[str, Resource], function: str, queue: str = "") -> Resource:
    """Return how a queue feeds a function; a function that several feed has to be asked for one of them."""
    (found,) = (
        mapping["Properties"]
        for mapping in _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        if _target(mapping["Properties"]["FunctionName"]) == function
        and queue in ("", _target(mapping["Properties"]["EventSourceArn"]))
    )
    properties: Resource = found
    return properties


def _schedule(resources: Mapping[str, Resource]) -> Resource:
    """Return the scanner's schedule."""
    (found,) = (
        schedule["Properties"]
        for schedule in _of_type(resources, "AWS::Scheduler::Schedule").values()
        if _target(schedule["Properties"]["Target"]["Arn"]) == "ScannerFunction"
    )
    properties: Resource = found
    return properties


def _everything(value: object) -> Iterator[object]:
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _everything(part)


class TestTheQueues:
    """Nothing is lost, nothing circles, nothing lies open."""

    @pytest.mark.parametrize(("queue", "function"), QUEUES.items())
    def test_a_message_stays_hidden_for_six_times_the_functions_time_and_the_batching_window(
        self, resources: Mapping[str, Resource], queue: str, function: str
    ) -> None:
        mapping = _mapping(resources, function, queue)
        timeout = _properties(resources, function)["Timeout"]
        window = mapping.get("MaximumBatchingWindowInSeconds", 0)
        assert _properties(resources, queue)["VisibilityTimeout"] >= 6 * timeout + window

    @pytest.mark.parametrize(("queue", "function"), QUEUES.items())
    def test_a_message_is_received_often_enough_and_the_function_knows_how_often(
        self, resources: Mapping[str, Resource], queue: str, function: str
    ) -> None:
        redrive = _properties(resources, queue)["RedrivePolicy"]
        assert redrive["maxReceiveCount"] >= 5
        assert _target(redrive["deadLetterTargetArn"]) == f"{queue}DeadLetters"
        environment = _environment(resources, function)
        assert environment.get("MAX_RECEIVE_COUNT", str(redrive["maxReceiveCount"])) == str(redrive["maxReceiveCount"])
        if "DEAD_LETTER_URL" in environment and queue != "ChannelEvents":
            assert _target(environment["DEAD_LETTER_URL"]) == f"{queue}DeadLetters"

    def test_every_queue_is_encrypted_and_those_with_numbers_by_our_key(
        self, resources: Mapping[str, Resource]
    ) -> None:
        with_key = set()
        for name, queue in _of_type(resources, "AWS::SQS::Queue").items():
            if "KmsMasterKeyId" in queue["Properties"]:
                assert _target(queue["Properties"]["KmsMasterKeyId"]) == "DataKey"
                with_key.add(name)
            else:
                assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert with_key == WITH_NUMBERS

    def test_dead_letters_are_kept_as_long_as_sqs_can_but_numbers_only_over_a_weekend(
        self, resources: Mapping[str, Resource]
    ) -> None:
        days = {
            name: queue["Properties"]["MessageRetentionPeriod"] / 86400
            for name, queue in _of_type(resources, "AWS::SQS::Queue").items()
        }
        for name, kept in days.items():
            if name in WITH_NUMBERS:
                # The age of a dead letter counts from the reply: after a day of tries a person has four days.
                assert kept == (5 if name == "RepliesDeadLetters" else 4)
            elif name.endswith("DeadLetters"):
                assert kept == 14
        assert (days["Reminders"], days["Replan"]) == (1, 1)
        assert days["LenderEvents"] == 14  # a payment that is lost is a wrong text

    def test_an_erasure_remembers_numbers_for_longer_than_anything_of_them_is_under_way(
        self, resources: Mapping[str, Resource]
    ) -> None:
        replies = _properties(resources, "Replies")
        load = timedelta(seconds=_properties(resources, "IntakeFunction")["Timeout"])
        assert load + ROUND_INTERVAL <= UNDER_WAY
        # A reply that fails longer than that is waited for: the queue is not idle.
        tries = timedelta(seconds=replies["VisibilityTimeout"] * replies["RedrivePolicy"]["maxReceiveCount"])
        assert tries + UNDER_WAY <= QUEUES_KEEP
        for name in WITH_NUMBERS:
            assert timedelta(seconds=_properties(resources, name)["MessageRetentionPeriod"]) <= QUEUES_KEEP
        # What is looked at is hidden for a minute, which no look outlasts.
        assert _properties(resources, "LenderEventsFunction")["Timeout"] <= 60

    def test_an_erasure_looks_through_all_dead_letters_that_may_name_somebody(
        self, resources: Mapping[str, Resource]
    ) -> None:
        environment = _environment(resources, "LenderEventsFunction")
        urls = [url for name, url in environment.items() if name.endswith("DEAD_LETTER_URL")]
        looked_at = {_target(url["Fn::If"][1] if "Fn::If" in url else url) for url in urls}
        numbered = {name for name in WITH_NUMBERS if name.endswith("DeadLetters")}
        # What the lender sends may hold what it should not: that is why it was refused.
        assert looked_at == numbered | {"LenderEventsDeadLetters"}

    def test_nobody_speaks_to_a_queue_without_tls(self, resources: Mapping[str, Resource]) -> None:
        guarded = set()
        for policy in _of_type(resources, "AWS::SQS::QueuePolicy").values():
            (queue,) = policy["Properties"]["Queues"]
            statement, *others = policy["Properties"]["PolicyDocument"]["Statement"]
            assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
            assert _target(statement["Resource"]) == _target(queue)
            for other in others:
                # Who else may put something there: the bus and the topic, and only ours.
                assert other["Action"] == "sqs:SendMessage"
                assert other["Principal"]["Service"] in {"events.amazonaws.com", "sns.amazonaws.com"}
                if _target(queue).startswith("ChannelEvents"):
                    arn = other["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"]
                    assert arn.endswith(":sns:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*")
                    continue
                assert _target(other["Condition"]["ArnEquals"]["aws:SourceArn"]) in {"LenderEventsRule", "InboundTopic"}
            guarded.add(_target(queue))
        assert guarded == _of_type(resources, "AWS::SQS::Queue").keys()

    def test_each_way_in_has_its_dead_letter_queue(self, resources: Mapping[str, Resource]) -> None:
        for schedule in _of_type(resources, "AWS::Scheduler::Schedule").values():
            assert _target(schedule["Properties"]["Target"]["DeadLetterConfig"]["Arn"]) == "TickDeadLetters"
        for name in ("Intake", "DeliveryReceipts"):
            invoked = _properties(resources, f"{name}FunctionEventInvokeConfig")
            assert _target(invoked["FunctionName"]) == f"{name}Function"
            assert _target(invoked["DestinationConfig"]["OnFailure"]["Destination"]) == f"{name}DeadLetters"
        (target,) = _properties(resources, "LenderEventsRule")["Targets"]
        assert _target(target["DeadLetterConfig"]["Arn"]) == "LenderEventsDeadLetters"
        redrive = _properties(resources, "InboundSubscription")["RedrivePolicy"]
        assert _target(redrive["deadLetterTargetArn"]) == "RepliesDeadLetters"


class TestTheBatches:
    """How messages reach the functions."""

    @pytest.mark.parametrize(("queue", "function"), QUEUES.items())
    def test_only_the_failed_messages_of_a_batch_come_back(
        self, resources: Mapping[str, Resource], queue: str, function: str
    ) -> None:
        assert _mapping(resources, function, queue)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_the_events_of_a_batch_fit_one_read(self, resources: Mapping[str, Resource]) -> None:
        assert 2 * _mapping(resources, "LenderEventsFunction")["BatchSize"] <= 100  # keys of a BatchGetItem
        assert 2 * _mapping(resources, "DeliveryReceiptsFunction", "ChannelEvents")["BatchSize"] <= 100

    def test_a_reply_does_not_wait_for_others(self, resources: Mapping[str, Resource]) -> None:
        assert "MaximumBatchingWindowInSeconds" not in _mapping(resources, "RepliesFunction")

    def test_a_batch_fits_one_read_and_one_write(self, resources: Mapping[str, Resource]) -> None:
        size = _mapping(resources, "SenderFunction")["BatchSize"]
        assert 2 * size <= 100  # keys of a BatchGetItem
        assert size <= 25  # items of a BatchWriteItem

    def test_no_more_senders_work_than_share_the_rate(self, resources: Mapping[str, Resource]) -> None:
        most = _mapping(resources, "SenderFunction")["ScalingConfig"]["MaximumConcurrency"]
        assert most == {"Fn::FindInMap": ["Senders", {"Ref": "SmsPerSecond"}, "AtWork"]}
        assert _environment(resources, "SenderFunction")["SENDER_CONCURRENCY"] == most

    def test_there_are_senders_for_every_rate_that_can_be_chosen(self, template: Resource) -> None:
        rates = template["Parameters"]["SmsPerSecond"]["AllowedValues"]
        assert template["Mappings"]["Senders"].keys() == {str(rate) for rate in rates}
        assert template["Parameters"]["SmsPerSecond"]["Default"] in rates

    def test_at_every_rate_a_sender_keeps_its_pace_and_ends_its_batch(self, template: Resource) -> None:
        size = _mapping(template["Resources"], "SenderFunction")["BatchSize"]
        for_new_texts = _properties(template["Resources"], "SenderFunction")["Timeout"] - claims.SECONDS_TO_FINISH
        for rate, senders in template["Mappings"]["Senders"].items():
            assert int(senders["AtWork"]) >= 2  # the least SQS can be limited to
            pace = int(rate) / int(senders["AtWork"])
            assert pace * 0.4 <= workers_for(pace)  # not more than the threads can keep up with
            assert size / pace <= for_new_texts

    def test_at_every_rate_a_sender_computes_for_half_of_its_time_at_most(self, template: Resource) -> None:
        machine = Machine(sender_cpu=0.0018, scanner_cpu=0, intake_cpu=0)  # measured: `make cost`
        sizes = {rate: int(senders["MemoryMb"]) for rate, senders in template["Mappings"]["Senders"].items()}
        for rate, senders in template["Mappings"]["Senders"].items():
            a_text = int(senders["AtWork"]) / int(rate)
            assert machine.computing(machine.sender_cpu, sizes[rate]) <= a_text / 2
        assert min(sizes.values()) >= 256  # three times what its process holds
        memory = _properties(template["Resources"], "SenderFunction")["MemorySize"]
        assert memory == {"Fn::FindInMap": ["Senders", {"Ref": "SmsPerSecond"}, "MemoryMb"]}

    def test_at_every_rate_a_tick_ends_before_the_next(self, template: Resource) -> None:
        timeout = _properties(template["Resources"], "ScannerFunction")["Timeout"]
        for rate in template["Mappings"]["Senders"]:
            calls = int(rate) * 60 / 10  # of SendMessageBatch
            assert calls * 0.02 <= timeout / 2  # at 20 ms a call, and half of the time to spare

    def test_scanner_and_senders_share_one_rate(self, resources: Mapping[str, Resource]) -> None:
        rates = [_environment(resources, name)["SMS_PER_SECOND"] for name in ("ScannerFunction", "SenderFunction")]
        assert rates == [{"Ref": "SmsPerSecond"}] * 2


class TestTheStreams:
    """What has changed in both tables goes to the tally, and names stay out."""

    @pytest.fixture
    def streams(self, resources: Mapping[str, Resource]) -> dict[str, Resource]:
        found = {
            _target(mapping["Properties"]["EventSourceArn"]): mapping["Properties"]
            for mapping in _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
            if "StartingPosition" in mapping["Properties"]
        }
        assert found.keys() == {"CustomersTable", "ContactsTable"}
        return found

    def test_name_the_shard_by_which_a_repeat_is_known(self, streams: dict[str, Resource]) -> None:
        for stream in streams.values():
            assert stream["TumblingWindowInSeconds"] <= 120  # how old the numbers are
            assert "ParallelizationFactor" not in stream  # the changes of a shard come in order

    def test_a_batch_that_fails_is_halved_and_what_is_given_up_is_told(self, streams: dict[str, Resource]) -> None:
        for stream in streams.values():
            assert stream["BisectBatchOnFunctionError"] is True
            assert _target(stream["DestinationConfig"]["OnFailure"]["Destination"]) == "TallyDeadLetters"
            assert stream["MaximumRecordAgeInSeconds"] < 24 * 3600  # as long as a stream keeps changes

    def test_facts_and_what_expires_stay_out(self, streams: dict[str, Resource]) -> None:
        patterns = {
            table: [json.loads(each["Pattern"]) for each in stream["FilterCriteria"]["Filters"]]
            for table, stream in streams.items()
        }
        assert patterns["CustomersTable"] == [
            {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"item": {"S": [STANDING]}}}}
        ]
        assert patterns["ContactsTable"] == [{"eventName": ["INSERT", "MODIFY"]}]

    def test_the_tally_reads_streams_and_a_few_details_of_texts_and_writes_its_own_alone(
        self, resources: Mapping[str, Resource]
    ) -> None:
        (policy,) = _properties(resources, "TallyRole")["Policies"]
        reading, writing, details, *others = policy["PolicyDocument"]["Statement"]
        assert [arn["Fn::GetAtt"] for arn in reading["Resource"]] == [
            ["CustomersTable", "StreamArn"], ["ContactsTable", "StreamArn"],
        ]  # fmt: skip
        assert _target(writing["Resource"]) == "TallyTable"
        assert set(writing["Action"]) == {"dynamodb:PutItem", "dynamodb:UpdateItem"}
        assert (_target(details["Resource"]), details["Action"]) == ("ContactsTable", "dynamodb:BatchGetItem")
        attributes = details["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
        assert set(attributes) == {"customer_id", "contact", *TextDetails._fields}
        assert details["Condition"]["Null"] == {"dynamodb:Attributes": "false"}, "who names none would read all"
        assert not [grant for grant in others if "dynamodb" in json.dumps(grant["Action"])]


class TestTheSchedule:
    """Ticks."""

    def test_starts_disabled(self, template: Resource) -> None:
        for schedule in _of_type(template["Resources"], "AWS::Scheduler::Schedule").values():
            assert schedule["Properties"]["State"] == {"Ref": "ScheduleState"}
        assert template["Parameters"]["ScheduleState"]["Default"] == "DISABLED"
        assert template["Parameters"]["ScheduleState"]["AllowedValues"] == ["ENABLED", "DISABLED"]

    def test_says_its_time_zone_and_does_not_wander(self, resources: Mapping[str, Resource]) -> None:
        for schedule in _of_type(resources, "AWS::Scheduler::Schedule").values():
            assert schedule["Properties"]["ScheduleExpressionTimezone"] == "UTC"
            assert schedule["Properties"]["FlexibleTimeWindow"] == {"Mode": "OFF"}

    def test_may_start_its_function_park_its_ticks_and_nothing_else(self, resources: Mapping[str, Resource]) -> None:
        for schedule in _of_type(resources, "AWS::Scheduler::Schedule").values():
            role = _properties(resources, _target(schedule["Properties"]["Target"]["RoleArn"]))
            (policy,) = role["Policies"]
            allowed = {
                (statement["Action"], _target(statement["Resource"]))
                for statement in policy["PolicyDocument"]["Statement"]
            }
            function = _target(schedule["Properties"]["Target"]["Arn"])
            assert allowed == {("lambda:InvokeFunction", function), ("sqs:SendMessage", "TickDeadLetters")}
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}

    def test_the_house_is_kept_with_tasks_the_housekeeping_knows(self, resources: Mapping[str, Resource]) -> None:
        tasks = {
            json.loads(schedule["Properties"]["Target"]["Input"])["task"]
            for schedule in _of_type(resources, "AWS::Scheduler::Schedule").values()
            if _target(schedule["Properties"]["Target"]["Arn"]) == "HousekeepingFunction"
        }
        assert tasks == {"close_unknown", "sync_opt_outs", "take_census"}
        source = (ROOT / "functions" / "housekeeping" / "app.py").read_text("utf-8")
        assert all(f'"{task}"' in source for task in tasks)

    def test_ticks_as_often_as_the_scanner_believes_and_never_two_at_once(
        self, resources: Mapping[str, Resource]
    ) -> None:
        schedule = _schedule(resources)
        interval = parse_rate(schedule["ScheduleExpression"]).total_seconds()
        assert _environment(resources, "ScannerFunction")["TICK_SECONDS"] == str(int(interval))
        scanner = _properties(resources, "ScannerFunction")
        assert scanner["Timeout"] < interval
        assert scanner["ReservedConcurrentExecutions"] == 1

    def test_a_late_tick_is_dropped_not_repeated(self, resources: Mapping[str, Resource]) -> None:
        schedule = _schedule(resources)
        once_and_within_the_minute = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
        assert schedule["Target"]["RetryPolicy"] == once_and_within_the_minute
        invocation = _properties(resources, "ScannerFunctionEventInvokeConfig")
        assert _target(invocation["FunctionName"]) == "ScannerFunction"
        assert once_and_within_the_minute.items() <= invocation.items()
        assert "<aws.scheduler.scheduled-time>" in schedule["Target"]["Input"]


def _writes(statement: Resource) -> bool:
    actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    return any(action.startswith(("dynamodb:Put", "dynamodb:Update")) for action in actions)


class TestTheTables:
    """Data that must not be lost, and keys the adapters rely on."""

    def test_are_kept_backed_up_encrypted_and_protected(self, resources: Mapping[str, Resource]) -> None:
        tables = _of_type(resources, "AWS::DynamoDB::Table")
        assert tables.keys() == {"CustomersTable", "ContactsTable", "TallyTable", "ConsoleTable"}
        for table in tables.values():
            assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
            properties = table["Properties"]
            assert properties["BillingMode"] == "PAY_PER_REQUEST"
            assert properties["DeletionProtectionEnabled"] is True
            assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
            assert properties["SSESpecification"]["SSEType"] == "KMS"
            assert _target(properties["SSESpecification"]["KMSMasterKeyId"]) == "DataKey"

    def test_have_the_keys_the_items_have(self, resources: Mapping[str, Resource]) -> None:
        standing = standing_item(Standing(customer_id="C1", version=1, wake=Wake(NOW, 0)), 4)
        contact = contact_item(
            Contact(
                customer_id="C1",
                send_id="s",
                claim_id="c",
                at=NOW,
                state=ContactState.SENT,
                stage=0,
                account_ids=(),
                channel="sms",
                expires_at=NOW,
            )
        )
        customers = _properties(resources, "CustomersTable")
        for schema, item in (
            (customers["KeySchema"], lender_record_item(a_lender_record(someone()))),
            (customers["KeySchema"], standing),
            (_properties(resources, "ContactsTable")["KeySchema"], contact),
        ):
            assert {key["AttributeName"] for key in schema} <= item.keys()
        attributes = {
            attribute["AttributeName"]: attribute["AttributeType"] for attribute in customers["AttributeDefinitions"]
        }
        assert set(attributes.values()) == {"S"}

    def test_the_due_index_holds_what_the_scanner_reads_and_no_more(self, resources: Mapping[str, Resource]) -> None:
        indexes = {
            index["IndexName"]: index for index in _properties(resources, "CustomersTable")["GlobalSecondaryIndexes"]
        }
        due = indexes["due"]
        assert [(key["AttributeName"], key["KeyType"]) for key in due["KeySchema"]] == [
            ("shard", "HASH"),
            ("wake_key", "RANGE"),
        ]
        assert due["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        asleep, awake = (
            standing_item(Standing(customer_id="C1", version=1), 4),
            standing_item(Standing(customer_id="C1", version=1, wake=Wake(NOW, 0)), 4),
        )
        assert awake.keys() - asleep.keys() == {"shard", "wake_key"}

    def test_the_attention_index_holds_who_waits_for_a_person_and_nobody_else(
        self, resources: Mapping[str, Resource]
    ) -> None:
        indexes = {
            index["IndexName"]: index for index in _properties(resources, "CustomersTable")["GlobalSecondaryIndexes"]
        }
        attention = indexes["attention"]
        assert [(key["AttributeName"], key["KeyType"]) for key in attention["KeySchema"]] == [
            ("attention_lender", "HASH"),
            ("attention_at", "RANGE"),
        ]
        assert attention["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        calm = Standing(customer_id="C1", version=1, lender_id="demo-tw")
        waiting = replace(calm, attention=(OpenReview("dispute", NOW, "r1"),))
        keys = {"attention_lender", "attention_at"}
        assert keys <= standing_item(waiting, 4).keys()
        assert not keys & standing_item(calm, 4).keys()

    def test_only_texts_of_unknown_fate_are_in_the_index_of_them(self, resources: Mapping[str, Resource]) -> None:
        (index,) = _properties(resources, "ContactsTable")["GlobalSecondaryIndexes"]
        assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
            ("unknown", "HASH"),
            ("contact", "RANGE"),
        ]
        contact = Contact(
            customer_id="C1",
            send_id="s",
            claim_id="c",
            at=NOW,
            state=ContactState.UNKNOWN,
            stage=0,
            account_ids=(),
            channel="sms",
            expires_at=NOW,
        )
        assert "unknown" in contact_item(contact)
        assert "unknown" not in contact_item(replace(contact, state=ContactState.SENT))

    def test_audit_records_expire_by_the_attribute_that_is_written(self, resources: Mapping[str, Resource]) -> None:
        expiry = _properties(resources, "ContactsTable")["TimeToLiveSpecification"]
        assert expiry["Enabled"] is True
        until = datetime(2031, 12, 1, 2, 0, 0, 123456, tzinfo=UTC)
        item = contact_item(
            Contact(
                customer_id="C1",
                send_id="s",
                claim_id="c",
                at=NOW,
                state=ContactState.SENT,
                stage=0,
                account_ids=(),
                channel="sms",
                expires_at=until,
            )
        )
        assert item[expiry["AttributeName"]] == {"N": str(int(until.timestamp()))}

    def test_no_customer_expires_but_the_state_of_a_split_load_does(self, resources: Mapping[str, Resource]) -> None:
        expiry = _properties(resources, "CustomersTable")["TimeToLiveSpecification"]
        assert expiry == {"AttributeName": "expires_at", "Enabled": True}
        layouts = (LENDER_RECORD, SNAPSHOT, STANDING_FIELDS, FILE_LOADS)
        assert not any(expiry["AttributeName"] in layout.names for layout in layouts)
        assert expiry["AttributeName"] in SPLIT_LOAD.names

    def test_parts_of_a_file_are_there_as_long_as_their_messages_may_be_redriven(
        self, resources: Mapping[str, Resource]
    ) -> None:
        queue = _properties(resources, "FileParts")
        tries = timedelta(seconds=queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"])
        (rule, _) = _properties(resources, "UploadsBucket")["LifecycleConfiguration"]["Rules"]
        kept = timedelta(days=rule["ExpirationInDays"])
        assert tries < PART_MAY_BE_LOADING < timedelta(seconds=queue["MessageRetentionPeriod"]) < kept < REMEMBERED

    @pytest.mark.parametrize("loaders", ["2", "4", "8", "16"])
    def test_loaders_of_parts_leave_two_to_files_that_are_no_larger(self, template: Resource, loaders: str) -> None:
        assert int(template["Mappings"]["Loaders"][loaders]["Reserved"]) == int(loaders) + 2
        assert int(loaders) in template["Parameters"]["FileLoaders"]["AllowedValues"]
        mapping = _mapping(template["Resources"], "IntakeFunction")
        assert mapping["ScalingConfig"]["MaximumConcurrency"] == {"Ref": "FileLoaders"}


def test_stops_and_payments_have_a_share_of_the_accounts_capacity_of_their_own(
    resources: Mapping[str, Resource],
) -> None:
    for function in ("RepliesFunction", "LenderEventsFunction"):
        most = _mapping(resources, function)["ScalingConfig"]["MaximumConcurrency"]
        assert _properties(resources, function)["ReservedConcurrentExecutions"] == most


def test_no_queue_of_the_account_can_take_the_dead_letters_of_schedules_and_uploads_for_its_own(
    resources: Mapping[str, Resource],
) -> None:
    for queue in ("TickDeadLetters", "IntakeDeadLetters"):
        assert _properties(resources, queue)["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


@pytest.mark.parametrize(
    ("written", "is_taken"),
    [
        ("", True),
        ("lender.core", True),
        ("lender.core,core.people", True),
        ("lender.core, core.people", False),
        (",", False),
        ("*", False),
    ],
)
def test_sources_of_events_are_named_one_by_one(template: Resource, written: str, is_taken: bool) -> None:  # noqa: FBT001
    assert bool(re.search(template["Parameters"]["LenderSources"]["AllowedPattern"], written)) is is_taken


class TestTheBuckets:
    """Account files are personal data, and so are the books of trials."""

    def test_are_private_encrypted_and_kept(self, resources: Mapping[str, Resource]) -> None:
        buckets = _of_type(resources, "AWS::S3::Bucket")
        assert buckets.keys() == {"UploadsBucket", "BooksBucket"}
        for bucket in buckets.values():
            properties = bucket["Properties"]
            assert bucket["DeletionPolicy"] == "Retain"
            assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
            assert len(properties["PublicAccessBlockConfiguration"]) == 4
            (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            assert _target(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == "DataKey"
            assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}

    def test_uploads_have_versions_and_books_have_none_that_would_keep_whoever_was_erased(
        self, resources: Mapping[str, Resource]
    ) -> None:
        assert _properties(resources, "UploadsBucket")["VersioningConfiguration"] == {"Status": "Enabled"}
        assert "VersioningConfiguration" not in _properties(resources, "BooksBucket")

    def test_a_book_expires_after_as_long_as_its_results(self, resources: Mapping[str, Resource]) -> None:
        expiry, sweeping = _properties(resources, "BooksBucket")["LifecycleConfiguration"]["Rules"]
        assert timedelta(days=expiry["ExpirationInDays"]) == KEEP_RESULTS
        assert sweeping["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1

    def test_only_the_night_opens_a_book(self, resources: Mapping[str, Resource]) -> None:
        roles = {
            name
            for name, role in resources.items()
            if role["Type"] in {"AWS::IAM::Role", "AWS::IAM::Policy"} and "BooksBucket" in json.dumps(role)
        }
        assert roles == {"EffectRole"}

    def test_an_erasure_writes_its_marks_to_the_tally_and_nothing_else(self, resources: Mapping[str, Resource]) -> None:
        (policy,) = _properties(resources, "LenderEventsRole")["Policies"]
        grants = {
            grant["Action"]: grant["Condition"]
            for grant in policy["PolicyDocument"]["Statement"]
            if "TallyTable" in json.dumps(grant["Resource"])
        }
        assert grants == {
            "dynamodb:PutItem": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["draws_erased"]}},
            "dynamodb:GetItem": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [CONTROL]}},
        }

    def test_deletes_records_that_have_expired(self, resources: Mapping[str, Resource]) -> None:
        bucket = resources["UploadsBucket"]
        rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        assert all(rule["Status"] == "Enabled" for rule in rules)
        expiry, sweeping = rules
        assert expiry["ExpirationInDays"] <= 7  # whoever is erased has to be found in all of them
        assert expiry["NoncurrentVersionExpiration"]["NoncurrentDays"] <= 1
        assert sweeping["ExpiredObjectDeleteMarker"] is True
        assert sweeping["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1

    @pytest.mark.parametrize("name", ["UploadsBucket", "BooksBucket"])
    def test_talks_tls_only(self, resources: Mapping[str, Resource], name: str) -> None:
        policy = resources[f"{name}Policy"]
        statement, *_ = policy["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
        bucket, objects = statement["Resource"]
        assert _target(bucket) == name
        assert objects == {"Fn::Sub": f"${{{name}.Arn}}/*"}

    @pytest.mark.parametrize("name", ["UploadsBucket", "BooksBucket"])
    @pytest.mark.parametrize(
        ("headers", "is_denied"),
        [
            ({}, False),
            ({"": "aws:kms"}, False),
            ({"": "aws:kms", "-aws-kms-key-id": "DataKey"}, False),
            ({"": "AES256"}, True),
            ({"": "aws:kms", "-aws-kms-key-id": "another key"}, True),
            ({"-customer-algorithm": "AES256"}, True),
        ],
        ids=["the bucket's own", "KMS", "our key", "S3's key", "another key", "a key of the uploader's"],
    )
    def test_takes_files_under_our_key_only(
        self,
        resources: Mapping[str, Resource],
        name: str,
        headers: Mapping[str, str],
        is_denied: bool,  # noqa: FBT001
    ) -> None:
        policy = resources[f"{name}Policy"]
        _, *statements = policy["Properties"]["PolicyDocument"]["Statement"]
        sent = {f"s3:x-amz-server-side-encryption{header}": value for header, value in headers.items()}

        def denies(statement: Resource) -> bool:
            """As IAM judges it: all operators have to hold, and a value that is not there does not equal another."""
            unequal = statement["Condition"].get("StringNotEquals", {})
            expected = {key: value if isinstance(value, str) else _target(value) for key, value in unequal.items()}
            absent = statement["Condition"]["Null"]
            return all(sent.get(key) != value for key, value in expected.items()) and all(
                (key not in sent) is wanted for key, wanted in absent.items()
            )

        assert all((found["Effect"], found["Action"]) == ("Deny", "s3:PutObject") for found in statements)
        assert any(map(denies, statements)) is is_denied

    def test_starts_the_intake_of_its_own_account_only(self, resources: Mapping[str, Resource]) -> None:
        allowed = {
            permission["Properties"]["Principal"]: permission["Properties"]
            for name, permission in _of_type(resources, "AWS::Lambda::Permission").items()
            if name != "WebhookPermission"
        }
        assert allowed.keys() == {"s3.amazonaws.com", "logs.amazonaws.com", "apigateway.amazonaws.com"}
        through_the_api = allowed.pop("apigateway.amazonaws.com")
        assert _target(through_the_api["FunctionName"]) == "ConsoleFunction"
        assert through_the_api["SourceArn"]["Fn::Sub"].endswith(":${AWS::AccountId}:${ConsoleApi}/*")
        assert all(statement["SourceAccount"] == {"Ref": "AWS::AccountId"} for statement in allowed.values())
        assert _target(allowed["logs.amazonaws.com"]["FunctionName"]) == "DeliveryReceiptsFunction"

    def test_only_uploads_start_the_intake_and_rejects_do_not(self, resources: Mapping[str, Resource]) -> None:
        assert "NotificationConfiguration" not in _properties(resources, "BooksBucket")
        bucket = resources["UploadsBucket"]
        notifications = bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
        rules = [rule for notification in notifications for rule in notification["Filter"]["S3Key"]["Rules"]]
        assert [(rule["Name"].lower(), rule["Value"]) for rule in rules] == [
            ("prefix", "accounts/"),
            ("prefix", "complete/"),
        ]


class TestTheKey:
    """One key for all personal data."""

    @pytest.fixture
    def statements(self, resources: Mapping[str, Resource]) -> dict[str, Resource]:
        (key,) = _of_type(resources, "AWS::KMS::Key").values()
        return {statement["Sid"]: statement for statement in key["Properties"]["KeyPolicy"]["Statement"]}

    def test_is_rotated_and_kept(self, resources: Mapping[str, Resource]) -> None:
        (key,) = _of_type(resources, "AWS::KMS::Key").values()
        assert key["Properties"]["EnableKeyRotation"] is True
        assert key["Properties"]["PendingWindowInDays"] == 30
        assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"

    def test_is_administered_by_the_account_and_used_by_logs_and_alarms(self, statements: dict[str, Resource]) -> None:
        administrator = statements.pop("AccountAdministersThroughIam")
        assert administrator["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
        assert statements.keys() == {
            "LogsOfThisStack", "AlarmsOfThisStack", "RepliesToTheTopic", "RepliesToTheQueue",
            "MailEventsToTheTopic", "WhatsAppEventsToTheTopic",
        }  # fmt: skip
        for statement in statements.values():
            assert not [action for action in statement["Action"] if "*" in action]
            assert statement["Condition"]

    def test_encrypts_the_log_groups_of_this_stack_and_no_others(self, statements: dict[str, Resource]) -> None:
        logs = statements["LogsOfThisStack"]
        assert logs["Principal"] == {"Service": {"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"}}
        own, deliveries = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
        assert logs["Condition"]["ArnLike"].keys() == {"kms:EncryptionContext:aws:logs:arn"}
        assert own["Fn::Sub"].endswith(":${AWS::AccountId}:log-group:/${AWS::StackName}/*")
        assert deliveries["Fn::Sub"].endswith(":${AWS::AccountId}:log-group:sns/${AWS::Region}/*")

    def test_carries_replies_of_this_account_and_no_others(self, statements: dict[str, Resource]) -> None:
        for name, service in (
            ("RepliesToTheTopic", "sms-voice"),
            ("RepliesToTheQueue", "sns"),
            ("MailEventsToTheTopic", "ses"),
            ("WhatsAppEventsToTheTopic", "social-messaging"),
        ):
            assert statements[name]["Principal"] == {"Service": f"{service}.amazonaws.com"}
            assert set(statements[name]["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
            condition = statements[name]["Condition"]
            assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
            assert f":{service}:" in condition["ArnLike"]["aws:SourceArn"]["Fn::Sub"]

    def test_carries_the_alarms_of_this_stack_to_its_topic_and_no_others(self, statements: dict[str, Resource]) -> None:
        alarms = statements["AlarmsOfThisStack"]
        assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert set(alarms["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
        assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        limits = alarms["Condition"]["ArnLike"]
        assert limits["aws:SourceArn"]["Fn::Sub"].endswith(":${AWS::AccountId}:alarm:${AWS::StackName}-*")
        topic = limits["kms:EncryptionContext:aws:sns:topicArn"]["Fn::Sub"]
        assert topic.endswith(":sns:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*")


class TestTheRoles:
    """One a function, with what its code calls. That this is enough is seen where the handlers run."""

    def test_no_function_has_a_managed_policy_or_shares_a_role(self, resources: Mapping[str, Resource]) -> None:
        roles = [_target(_properties(resources, function)["Role"]) for function in SETTINGS]
        assert len(set(roles)) == len(roles)
        for role in roles:
            assert "ManagedPolicyArns" not in _properties(resources, role)

    def test_no_statement_is_about_everything_but_texts_to_phones(self, resources: Mapping[str, Resource]) -> None:
        statements = [
            (statement["Effect"], statement["Action"], json.dumps(statement["Resource"]))
            for statement in _statements(resources)
        ]
        open_to_all = [statement for statement in statements if statement[2] == '"*"']
        # A phone number has no ARN, nor has the carrier's list of those who want no texts.
        assert {(effect, str(action)) for effect, action, _ in open_to_all} == {
            ("Allow", "sns:Publish"),
            ("Allow", "sns:OptInPhoneNumber"),
            ("Allow", "['sns:ListPhoneNumbersOptedOut', 'sns:OptInPhoneNumber']"),
        }
        denied = [statement for statement in statements if statement[0] == "Deny"]
        assert len(denied) == len([statement for statement in open_to_all if statement[1] == "sns:Publish"]) == 2
        assert all(statement[1] == "sns:Publish" and ":sns:*:*:*" in statement[2] for statement in denied)
        actions = [
            action for _, actions, _ in statements for action in ([actions] if isinstance(actions, str) else actions)
        ]
        assert not [action for action in actions if "*" in action]

    @pytest.mark.parametrize("role", ["SenderRole", "RepliesRole"])
    def test_who_may_text_cannot_publish_to_the_alarms_topic_or_any_other(
        self, resources: Mapping[str, Resource], role: str
    ) -> None:
        (policy,) = _properties(resources, role)["Policies"]
        (denied,) = (statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Deny")
        assert denied["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}
        assert "Condition" not in denied
        others = [name for name in _of_type(resources, "AWS::IAM::Role") if name not in {"SenderRole", "RepliesRole"}]
        assert not [name for name in others if "sns:Publish" in json.dumps(resources[name])]

    def test_whoever_writes_no_facts_is_limited_to_the_attributes_of_a_standing(
        self, resources: Mapping[str, Resource]
    ) -> None:
        full = Standing(
            customer_id="C1",
            version=1,
            wake=Wake(NOW, 0),
            ledger=(
                LedgerEntry(send_id="s", claim_id="c", at=NOW, stage=0, accounts=("A",), channel="sms", for_wake=NOW),
            ),
            progress={"A#1": Progress(0, NOW.date(), NOW.date())},
            opted_out_at=NOW,
            opted_in_at=NOW,
            opted_out_accounts={"A": NOW},
            suspended={"sms": AddressSince("+886900000001", NOW), "line": AddressSince("U", NOW)},
            shared={"number": AddressSince("+886900000001", NOW), "email": AddressSince("a@b.tw", NOW)},
            **promised(NOW, NOW.date(), "A#1"),
            holds=(Hold(HoldReason.DISPUTE, None),),
            reply_labels={label_key(NOW): ReplyLabel(at=NOW)},
            announced=("no_written_notice",),
            planned_for="facts",
            facts_revision=1,
            reason="due",
            recent=(RecentDecision(NOW, "on_hold"),),
            lender_id="demo-tw",
            attention=(OpenReview("dispute", NOW, "r1"),),
            attended_at=NOW,
            outages={"line": Outage(NOW, NOW)},
            history=PaymentHistory(on_time=1),
        )
        assert standing_item(full, 4).keys() >= STANDING_FIELDS.names, "an attribute without a value is held by nobody"
        limited = [
            statement
            for statement in _statements(resources)
            if "dynamodb:Attributes" in statement.get("Condition", {}).get("ForAllValues:StringEquals", {})
            and _writes(statement)
        ]
        assert len(limited) == 5
        for statement in limited:
            attributes = statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
            assert set(attributes) == standing_item(full, 4).keys()
        for role in ("Sender", "DeliveryReceipts", "Replies", "Housekeeping", "Replan"):
            (policy,) = _properties(resources, f"{role}Role")["Policies"]
            writing = [
                statement
                for statement in policy["PolicyDocument"]["Statement"]
                if _writes(statement) and "CustomersTable" in json.dumps(statement["Resource"])
            ]
            assert len(writing) == 1
            assert writing[0] in limited

    def test_only_the_replies_ask_a_larger_reader_and_only_where_a_model_is_set(
        self, template: Resource, resources: Mapping[str, Resource]
    ) -> None:
        asking = [name for name, resource in resources.items() if '"bedrock:' in json.dumps(resource)]
        assert asking == ["LargerReaderAccess"]
        access = resources["LargerReaderAccess"]
        assert access["Condition"] == "AsksLargerReader"
        conditions = template["Conditions"]
        assert conditions["AsksLargerReader"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "LargerReaderModel"}, ""]}]}
        assert access["Properties"]["Roles"] == [{"Ref": "RepliesRole"}]

    def test_a_larger_reader_is_one_model_or_the_models_of_one_profile(self, resources: Mapping[str, Resource]) -> None:
        statements = _properties(resources, "LargerReaderAccess")["PolicyDocument"]["Statement"]
        assert {statement["Action"] for statement in statements} == {"bedrock:InvokeModel"}
        model, profile, behind_the_profile = statements
        region = {"Fn::If": ["AsksInThisRegion", {"Ref": "AWS::Region"}, {"Ref": "LargerReaderRegion"}]}
        for statement, resource in ((model, "::foundation-model/"), (profile, ":${AWS::AccountId}:inference-profile/")):
            arn, where = statement["Resource"]["Fn::Sub"]
            assert arn == f"arn:${{AWS::Partition}}:bedrock:${{Region}}{resource}${{LargerReaderModel}}"
            assert where == {"Region": region}
            assert "Condition" not in statement
        through = behind_the_profile["Condition"]["StringEquals"]
        assert through == {"bedrock:InferenceProfileArn": profile["Resource"]}

    def test_the_key_is_used_through_tables_queues_and_the_bucket_only(self, resources: Mapping[str, Resource]) -> None:
        using = [
            statement for statement in _statements(resources) if any(a.startswith("kms:") for a in statement["Action"])
        ]
        # Tables for all but the webhooks, a bucket for intake, lender_events, console and effect, queues for
        # delivery_receipts, replies, lender_events and webhooks, secrets for webhooks and sender.
        assert len(using) == len(SETTINGS) - 1 + 4 + 4 + 2
        for statement in using:
            assert _target(statement["Resource"]) == "DataKey"
            (service,) = statement["Condition"]["StringEquals"]["kms:ViaService"].values()
            assert service in {
                f"{name}.${{AWS::Region}}.${{AWS::URLSuffix}}" for name in ("dynamodb", "s3", "sqs", "ssm")
            }

    @pytest.mark.parametrize(
        "who", ["Sender", "Intake", "LenderEvents", "DeliveryReceipts", "Replies", "Housekeeping", "Replan", "Console"]
    )
    def test_who_decides_may_read_what_holds_for_trials_and_by_that_nothing_else_of_the_tally(
        self, resources: Mapping[str, Resource], who: str
    ) -> None:
        assert _environment(resources, f"{who}Function")["TALLY_TABLE"] == {"Ref": "TallyTable"}
        (policy,) = _properties(resources, f"{who}Role")["Policies"]
        (reading,) = (
            statement
            for statement in policy["PolicyDocument"]["Statement"]
            if "dynamodb:GetItem" in statement["Action"] and "TallyTable" in json.dumps(statement["Resource"])
        )
        assert reading["Action"] == "dynamodb:GetItem"
        assert reading["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [CONTROL]}}

    def test_only_lambda_the_schedule_and_sns_may_take_a_role(self, resources: Mapping[str, Resource]) -> None:
        for role in _of_type(resources, "AWS::IAM::Role").values():
            for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                services = statement["Principal"]["Service"]
                named = {services} if isinstance(services, str) else set(services)
                assert named <= {"lambda.amazonaws.com", "scheduler.amazonaws.com", "sns.amazonaws.com"}
                if "sns.amazonaws.com" in named:
                    (policy,) = role["Properties"]["Policies"]
                    (grant,) = policy["PolicyDocument"]["Statement"]
                    assert all(action.startswith("logs:") for action in grant["Action"])
                    assert grant["Resource"]["Fn::Sub"].endswith(":log-group:sns/*")
                    assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}


@pytest.mark.parametrize("function", SETTINGS)
class TestAFunction:
    """Each of them."""

    def test_is_told_what_it_needs_and_nothing_it_does_not_know(
        self, resources: Mapping[str, Resource], function: str
    ) -> None:
        variables = set(_environment(resources, function))
        fields = SETTINGS[function].model_fields
        assert {name.upper() for name, field in fields.items() if field.is_required()} <= variables
        assert variables - _OF_THE_LIBRARIES <= {name.upper() for name in fields}
        assert variables >= _OF_THE_LIBRARIES

    def test_runs_on_the_python_it_is_tested_on(self, resources: Mapping[str, Resource], function: str) -> None:
        properties = _properties(resources, function)
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert [_target(layer) for layer in properties["Layers"]] == [
            name for name in resources if resources[name]["Type"] == "AWS::Lambda::LayerVersion"
        ]

    def test_has_a_handler_that_exists(self, resources: Mapping[str, Resource], function: str) -> None:
        properties = _properties(resources, function)
        folder = properties["Code"]["S3Key"].strip("/")
        module, _, name = properties["Handler"].rpartition(".")
        source = (ROOT / folder / f"{module}.py").read_text("utf-8")
        assert f"def {name}(event: " in source

    def test_logs_where_logs_are_encrypted_and_not_kept_for_ever(
        self, resources: Mapping[str, Resource], function: str
    ) -> None:
        logging = _properties(resources, function)["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        group = _properties(resources, _target(logging["LogGroup"]))
        assert group["RetentionInDays"] in (90, {"Ref": "DecisionLogDays"})
        assert _target(group["KmsKeyId"]) == "DataKey"

    def test_writes_its_metrics_under_the_stacks_name(self, resources: Mapping[str, Resource], function: str) -> None:
        assert _environment(resources, function)["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
        assert _environment(resources, function)["POWERTOOLS_METRICS_NAMESPACE"] == "Dunning"

    def test_pays_for_no_tracing(self, resources: Mapping[str, Resource], function: str) -> None:
        assert "TracingConfig" not in _properties(resources, function)

    def test_uses_the_shards_all_others_use(self, resources: Mapping[str, Resource], function: str) -> None:
        assert _environment(resources, function)["DUE_SHARDS"] == {"Ref": "DueShards"}


_CLOUDWATCH_KEEPS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
"""The days for which CloudWatch Logs can keep a group."""


def _longest_retention() -> int:
    places = (ROOT / "layers/dunning/python/dunning/policy/data/jurisdictions").glob("*.toml")
    return max(int(tomllib.loads(place.read_text("utf-8"))["retention"]["days"]) for place in places)


def test_every_function_that_decides_keeps_its_decisions_by_one_parameter(resources: Mapping[str, Resource]) -> None:
    kept = {
        function: _properties(resources, _target(_properties(resources, function)["LoggingConfig"]["LogGroup"]))
        for function in SETTINGS
    }
    by_parameter = {name for name, group in kept.items() if group["RetentionInDays"] == {"Ref": "DecisionLogDays"}}
    assert by_parameter == SETTINGS.keys() - {
        "ScannerFunction", "TallyFunction", "EffectFunction", "ConsoleFunction", "WebhooksFunction"
    }  # fmt: skip
    names = {kept[function]["LogGroupName"]["Fn::Sub"] for function in by_parameter}
    assert names == {f"/${{AWS::StackName}}/{function}" for function in DECIDING}
    scan = (ROOT / "layers/dunning/python/dunning/services/scan.py").read_text("utf-8")
    assert "decision" not in scan, "the scanner decides, and its log has to be kept"


def test_decisions_are_kept_as_long_as_the_longest_audit_record(template: Mapping[str, Any]) -> None:
    parameter = template["Parameters"]["DecisionLogDays"]
    allowed = set(parameter["AllowedValues"])
    assert allowed <= _CLOUDWATCH_KEEPS
    assert allowed == {days for days in _CLOUDWATCH_KEEPS if days >= _longest_retention()}
    assert parameter["Default"] == min(allowed)


def test_what_tells_of_decisions_and_looks_outlives_the_stack(resources: Mapping[str, Resource]) -> None:
    groups = _of_type(resources, "AWS::Logs::LogGroup")
    evidence = {
        name for name, group in groups.items() if group["Properties"]["RetentionInDays"] == {"Ref": "DecisionLogDays"}
    }
    assert len(evidence) == len(DECIDING) + 1
    for name in evidence:
        assert groups[name]["DeletionPolicy"] == groups[name]["UpdateReplacePolicy"] == "Retain"


def test_a_record_of_a_place_nobody_knows_is_kept_as_long_as_any() -> None:
    assert _longest_retention() == claims.LONGEST_RETENTION_DAYS


def test_every_log_group_has_a_retention(resources: Mapping[str, Resource]) -> None:
    groups = _of_type(resources, "AWS::Logs::LogGroup")
    assert len(groups) == len(SETTINGS) + 5  # looks, two of deliveries, requests to console and webhooks
    assert all(group["Properties"]["RetentionInDays"] for group in groups.values())
    assert all(group["Properties"]["KmsKeyId"] for group in groups.values())
    for name in ("DeliveredLogs", "UndeliveredLogs"):
        # SNS writes numbers there. A receipt may come three days late, and has to be read again after a weekend.
        assert 3 < groups[name]["Properties"]["RetentionInDays"] <= 7
        assert groups[name]["Condition"] == "MakesDeliveryLogs"


def test_nothing_has_a_name_that_a_second_stack_would_want(resources: Mapping[str, Resource]) -> None:
    names = {
        f"{logical_id}.{name}": value
        for logical_id, resource in resources.items()
        for name, value in resource.get("Properties", {}).items()
        if name in {"Name", f"{resource['Type'].rpartition('::')[2]}Name"}
    }
    assert names.pop("IntakeUploads.PolicyName") == "uploads"  # one of its role's
    assert names.pop("LargerReaderAccess.PolicyName") == "larger-reader"  # likewise
    assert names.pop("NotesErasure.PolicyName") == "notes"  # likewise
    for name in [name for name in names if name.endswith(".PolicyName")]:
        assert re.fullmatch(r"(Eum|Ses|WhatsApp|ChannelEvents|Secrets)\w+\.PolicyName", name)
        assert re.fullmatch(r"[a-z-]+", names.pop(name))  # likewise, each with its channel
    assert names.pop("LenderBus.Name") == {"Ref": "AWS::StackName"}
    for name in ("DeliveredLogs", "UndeliveredLogs"):
        # SNS's own names. That a second stack must not want them is what DeliveryLogGroups is for.
        assert names.pop(f"{name}.LogGroupName")["Fn::Sub"].startswith("sns/${AWS::Region}/${AWS::AccountId}/")
    assert names.pop("ProgramsAuthorizer.Name") == "programs"  # one of its API's
    assert names.pop("ConsoleStage.StageName") == "$default"  # likewise
    assert names.pop("WebhookStage.StageName") == "$default"  # likewise
    assert names.pop("WebhookApi.Name") == {"Fn::Sub": "${AWS::StackName}-webhooks"}
    assert names.pop("ConsoleApi.Name") == {"Fn::Sub": "${AWS::StackName}-console"}
    logs = {f"{function.removesuffix('Function')}Logs" for function in SETTINGS} | {
        "ConsoleAccessLogs",
        "WebhookAccessLogs",
    }
    for name, value in names.items():
        assert name.partition(".")[0] in {"SendingParameter", "LooksLogs"} | logs
        assert value["Fn::Sub"].startswith("/${AWS::StackName}/"), name


class TestTheWaysIn:
    """What the lender's systems and the carrier send us, and by which way."""

    def test_the_bus_carries_the_lenders_events_and_never_our_own(self, resources: Mapping[str, Resource]) -> None:
        rule = _properties(resources, "LenderEventsRule")
        assert _target(rule["EventBusName"]) == "LenderBus"
        assert rule["EventPattern"]["source"] == [{"anything-but": ["dunning"]}]
        (target,) = rule["Targets"]
        assert _target(target["Arn"]) == "LenderEvents"
        schemas = {path.stem for path in (ROOT / "events" / "schemas" / "in").glob("*.json")}
        assert set(rule["EventPattern"]["detail-type"]) == schemas

    def test_replies_come_from_the_carriers_service_encrypted(self, resources: Mapping[str, Resource]) -> None:
        assert _target(_properties(resources, "InboundTopic")["KmsMasterKeyId"]) == "DataKey"
        allowed, denied = _properties(resources, "InboundTopicPolicy")["PolicyDocument"]["Statement"]
        assert allowed["Principal"] == {"Service": "sms-voice.amazonaws.com"}
        assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": False}})
        subscription = _properties(resources, "InboundSubscription")
        assert (_target(subscription["TopicArn"]), _target(subscription["Endpoint"])) == ("InboundTopic", "Replies")

    def test_both_groups_of_delivery_logs_are_subscribed_to_whole(self, resources: Mapping[str, Resource]) -> None:
        filters = _of_type(resources, "AWS::Logs::SubscriptionFilter")
        groups = set()
        for subscription in filters.values():
            assert subscription["Condition"] == "HearsDeliveries"
            assert subscription["Properties"]["FilterPattern"] == ""
            assert _target(subscription["Properties"]["DestinationArn"]) == "DeliveryReceiptsFunction"
            _, made, there = subscription["Properties"]["LogGroupName"]["Fn::If"]
            assert _properties(resources, made["Ref"])["LogGroupName"] == there
            groups.add(there["Fn::Sub"].rpartition("/")[2])
        assert groups == {"DirectPublishToPhoneNumber", "Failure"}


class TestTheConsole:
    """Two doors, and nothing of it without somebody who looks at who comes in."""

    def test_is_not_there_unless_an_identity_provider_a_client_and_groups_are_set(self, template: Resource) -> None:
        wanted = ("ConsoleIssuer", "ConsoleClientId", "ConsoleGroups")
        assert template["Conditions"]["HasConsole"] == {
            "Fn::And": [{"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in wanted]
        }
        assert all(template["Parameters"][name]["Default"] == "" for name in wanted)
        only_then = {"HasConsole", "HasConsoleApi", "HasConsoleDomain", "TellsCompliance"}
        for condition in only_then - {"HasConsole"}:
            assert {"Condition": "HasConsole"} in template["Conditions"][condition]["Fn::And"]
        of_the_console = {
            name
            for name, resource in template["Resources"].items()
            if name.startswith(("Console", "Programs", "People", "Compliance", "TooManyReveals"))
            or (resource["Type"].startswith("AWS::ApiGatewayV2::") and name not in OF_WEBHOOKS)
        }
        assert of_the_console
        conditions = {name: template["Resources"][name].get("Condition") for name in of_the_console}
        assert not {name for name, condition in conditions.items() if condition not in only_then}
        assert {name for name, found in template["Outputs"].items() if found.get("Condition") in only_then} == {
            "ConsoleAddress", "ConsoleDomainTarget", "ConsoleTable",
        }  # fmt: skip

    def test_nothing_that_is_always_there_needs_anything_of_it(self, template: Resource) -> None:
        conditional = {name for name, resource in template["Resources"].items() if "Condition" in resource}
        for name, resource in template["Resources"].items():
            if name in conditional or name == "LenderEventsFunction":  # with an `If`: see below
                continue
            for part in _everything(resource):
                if isinstance(part, dict) and part.keys() & {"Ref", "Fn::GetAtt"} and "Fn::If" not in part:
                    assert _target(part) not in {each for each in conditional if each.startswith("Console")}, name
                if isinstance(part, str):
                    assert not set(re.findall(r"\$\{(\w+)", part)) & conditional, name

    def test_people_come_in_without_an_authorizer_and_nobody_else(self, resources: Mapping[str, Resource]) -> None:
        routes = {
            route["Properties"]["RouteKey"]: route["Properties"]
            for name, route in _of_type(resources, "AWS::ApiGatewayV2::Route").items()
            if name not in OF_WEBHOOKS
        }
        assert {key for key, route in routes.items() if route["AuthorizationType"] == "NONE"} == {"$default"}
        read, audit = {"Ref": "ConsoleReadScope"}, {"Ref": "ConsoleAuditScope"}
        assert {key: route["AuthorizationScopes"] for key, route in routes.items() if key != "$default"} == {
            "GET /api/today": [read],
            "GET /api/customers/{customer_id}": [read],
            "GET /api/rates": [read],
            "GET /api/trials": [read],
            "GET /api/audit": [audit],
            "ANY /api/{rest+}": [read, audit],
        }
        for key, route in routes.items():
            assert route["Target"] == {"Fn::Sub": "integrations/${ConsoleIntegration}"}
            if key != "$default":
                assert (route["AuthorizationType"], _target(route["AuthorizerId"])) == ("JWT", "ProgramsAuthorizer")

    def test_programs_have_the_routes_that_the_function_has_with_the_scopes_that_it_asks_for(
        self, resources: Mapping[str, Resource]
    ) -> None:
        names = {ProgramScope.READ: "ConsoleReadScope", ProgramScope.AUDIT: "ConsoleAuditScope"}
        declared = {
            route["Properties"]["RouteKey"]: route["Properties"].get("AuthorizationScopes")
            for name, route in _of_type(resources, "AWS::ApiGatewayV2::Route").items()
            if name not in OF_WEBHOOKS
        }
        for route in PROGRAM_ROUTES:
            key = f"GET {route.path.replace('<', '{').replace('>', '}')}"
            assert declared.pop(key) == [{"Ref": names[route.scope]}]
        assert declared.keys() == {"$default", f"ANY {PROGRAM_PREFIX}{{rest+}}"}
        environment = _environment(resources, "ConsoleFunction")
        assert environment["READ_SCOPE"] == {"Ref": "ConsoleReadScope"}
        assert environment["AUDIT_SCOPE"] == {"Ref": "ConsoleAuditScope"}

    def test_a_token_is_read_from_its_header_and_is_of_the_same_provider(
        self, resources: Mapping[str, Resource]
    ) -> None:
        authorizer = _properties(resources, "ProgramsAuthorizer")
        assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
        assert authorizer["AuthorizerType"] == "JWT"
        assert authorizer["JwtConfiguration"] == {
            "Issuer": {"Ref": "ConsoleIssuer"},
            "Audience": {"Fn::Split": [",", {"Ref": "ConsoleApiAudience"}]},
        }

    def test_is_throttled_and_open_to_no_page_of_another_origin(self, resources: Mapping[str, Resource]) -> None:
        stage = _properties(resources, "ConsoleStage")
        limits = stage["DefaultRouteSettings"]
        assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (20, 40)
        api = _properties(resources, "ConsoleApi")
        assert "CorsConfiguration" not in api
        assert api["DisableExecuteApiEndpoint"] == {"Fn::If": ["HasConsoleDomain", True, False]}

    def test_logs_who_asked_for_nothing_that_tells_of_a_customer_or_a_visitor(
        self, resources: Mapping[str, Resource]
    ) -> None:
        settings = _properties(resources, "ConsoleStage")["AccessLogSettings"]
        assert _target(settings["DestinationArn"]) == "ConsoleAccessLogs"
        written = json.loads(settings["Format"])
        assert set(written.values()) == {
            "$context.requestId", "$context.requestTime", "$context.httpMethod", "$context.routeKey",
            "$context.status", "$context.responseLatency", "$context.integrationLatency", "$context.responseLength",
        }  # fmt: skip

    def test_ends_before_api_gateway_gives_up(self, resources: Mapping[str, Resource]) -> None:
        assert _properties(resources, "ConsoleFunction")["Timeout"] < 30

    def test_keeps_sessions_and_looks_until_they_expire(self, resources: Mapping[str, Resource]) -> None:
        table = _properties(resources, "ConsoleTable")
        assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
            ("about", "HASH"),
            ("what", "RANGE"),
        ]
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}

    def test_writes_to_its_own_table_and_the_switch_alone(self, resources: Mapping[str, Resource]) -> None:
        (policy,) = _properties(resources, "ConsoleRole")["Policies"]
        writing = [
            (action, json.dumps(statement["Resource"]))
            for statement in policy["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
            if action.partition(":")[2].startswith(("Put", "Update", "Delete", "Batch", "Send", "Publish", "Create"))
            and action not in {"dynamodb:BatchGetItem", "logs:CreateLogStream", "logs:PutLogEvents"}
        ]
        assert {(action, next(w for w in ("ConsoleTable", "SendingParameter", "LenderBus") if w in where))
                for action, where in writing} == {
            ("dynamodb:PutItem", "ConsoleTable"), ("dynamodb:UpdateItem", "ConsoleTable"),
            ("dynamodb:DeleteItem", "ConsoleTable"), ("ssm:PutParameter", "SendingParameter"),
            ("events:PutEvents", "LenderBus"),
        }  # fmt: skip

    def test_nobody_else_knows_its_table_but_an_erasure_and_no_text_asks_it(
        self, resources: Mapping[str, Resource]
    ) -> None:
        knowing = {name for name, resource in resources.items() if "ConsoleTable" in json.dumps(resource)}
        assert knowing == {"ConsoleFunction", "ConsoleRole", "LenderEventsFunction", "NotesErasure"}
        (statement,) = _properties(resources, "NotesErasure")["PolicyDocument"]["Statement"]
        assert statement["Action"] == ["dynamodb:Query", "dynamodb:DeleteItem"]
        assert _properties(resources, "NotesErasure")["Roles"] == [{"Ref": "LenderEventsRole"}]

    def test_speaks_on_the_bus_in_its_own_name_alone(self, resources: Mapping[str, Resource]) -> None:
        (policy,) = _properties(resources, "ConsoleRole")["Policies"]
        (telling,) = (
            statement
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Action"] == "events:PutEvents"
        )
        assert telling["Condition"] == {"ForAllValues:StringEquals": {"events:source": "dunning.console"}}

    def test_its_acts_count_among_the_lenders_events_once_sources_are_named(
        self, resources: Mapping[str, Resource]
    ) -> None:
        assert _environment(resources, "LenderEventsFunction")["LENDER_SOURCES"] == {
            "Fn::If": [
                "NamesSources",
                {"Fn::If": ["HasConsole", {"Fn::Sub": "${LenderSources},dunning.console"}, {"Ref": "LenderSources"}]},
                "",
            ]
        }

    def test_compliance_is_told_of_one_alarm_by_its_name(self, resources: Mapping[str, Resource]) -> None:
        subscription = _properties(resources, "ComplianceSubscription")
        assert subscription["FilterPolicyScope"] == "MessageBody"
        assert subscription["FilterPolicy"] == {"AlarmName": [{"Ref": "TooManyRevealsAlarm"}]}
        assert _target(subscription["TopicArn"]) == "AlarmTopic"

    @pytest.mark.parametrize(
        ("name", "value", "fits"),
        [
            ("ConsoleIssuer", "https://cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_AbCdEf123", True),
            ("ConsoleIssuer", "https://login.microsoftonline.com/0a1b/v2.0", True),
            ("ConsoleIssuer", "http://login.example", False),
            ("ConsoleIssuer", "https://login.example?x=1", False),
            ("ConsoleGroups", "collections=manager,legal=compliance", True),
            ("ConsoleGroups", "Collections Team=manager", True),
            ("ConsoleGroups", "collections=owner", False),
            ("ConsoleGroups", "collections", False),
            ("ConsoleGroups", "collections=manager,", False),
            ("ConsoleGroupClaim", "cognito:groups", True),
            ("ConsoleApiAudience", "7abc,8def", True),
            ("ConsoleApiAudience", "api://dunning", True),
            ("ConsoleApiAudience", "7abc, 8def", False),
            ("ConsoleDomain", "console.lender.example", True),
            ("ConsoleDomain", "https://console.lender.example", False),
            ("ConsoleCertificate", "arn:aws:acm:ap-northeast-1:123456789012:certificate/0a-1b", True),
            ("ConsoleCertificate", "console", False),
        ],
    )
    def test_takes_what_a_provider_gives_and_nothing_that_cannot_work(
        self,
        template: Resource,
        name: str,
        value: str,
        fits: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        assert (re.search(template["Parameters"][name]["AllowedPattern"], value) is not None) is fits


CHANNELS = {"HasEum", "HasEumOptOuts", "HasSes", "HasLine", "HasWhatsApp", "HasWebhooks", "HearsChannels"}
"""The conditions under which there is anything of a channel beside SMS by SNS."""


class TestTheChannels:
    """Beside SMS by SNS: nothing of any is there, or costs anything, before its parameter is set."""

    def test_all_are_off_in_a_new_stack(self, template: Resource) -> None:
        names = ("EumConfigurationSet", "EumOptOutList", "SesConfigurationSet", "SesDomain", "LineLenders")
        assert all(template["Parameters"][name]["Default"] == "" for name in (*names, "EumPool", "WhatsAppNumber"))
        of_channels = {name for name, found in template["Resources"].items() if found.get("Condition") in CHANNELS}
        assert {"ChannelEvents", "ChannelEventsMapping", "EumTopic", "SesTopic", "WhatsAppTopic", "WebhookApi"} <= (
            of_channels
        )
        for name, resource in template["Resources"].items():
            if name in of_channels:
                continue
            for part in _everything(_without_ifs(resource)):
                if isinstance(part, dict) and part.keys() & {"Ref", "Fn::GetAtt"}:
                    assert _target(part) not in of_channels, name

    @pytest.mark.parametrize(
        ("topic", "service", "whose"),
        [
            ("EumTopic", "sms-voice", ":*"),
            ("SesTopic", "ses", ":configuration-set/${SesConfigurationSet}"),
            ("WhatsAppTopic", "social-messaging", ":*"),
        ],
    )
    def test_a_topic_hears_its_service_for_this_account_encrypted_and_puts_it_on_the_queue(
        self, resources: Mapping[str, Resource], topic: str, service: str, whose: str
    ) -> None:
        assert _properties(resources, topic) == {"KmsMasterKeyId": {"Fn::GetAtt": ["DataKey", "Arn"]}}
        allowed, denied = _properties(resources, f"{topic}Policy")["PolicyDocument"]["Statement"]
        assert (allowed["Effect"], allowed["Principal"]) == ("Allow", {"Service": f"{service}.amazonaws.com"})
        assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        arn = allowed["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"]
        assert arn == f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}{whose}"
        assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": False}})
        subscription = _properties(resources, topic.replace("Topic", "Subscription"))
        assert _target(subscription["Endpoint"]) == "ChannelEvents"
        assert _target(subscription["RedrivePolicy"]["deadLetterTargetArn"]) == "ChannelEventsDeadLetters"
        assert "RawMessageDelivery" not in subscription

    def test_ses_reports_what_is_read_and_watches_nobody(self, resources: Mapping[str, Resource]) -> None:
        event_types = _properties(resources, "SesDestination")["EventDestination"]["MatchingEventTypes"]
        spoken = {name.replace(" ", "").lower() for name in MAIL_EVENTS}
        assert {name.lower() for name in event_types} == spoken
        assert not {name.lower() for name in NOT_TRACKED} & set(event_types)

    def test_a_function_may_send_on_a_channel_only_where_its_parameter_is_set(
        self, resources: Mapping[str, Resource]
    ) -> None:
        sending = {}
        for name, policy in _of_type(resources, "AWS::IAM::Policy").items():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
                if any(action.startswith(("sms-voice:Send", "ses:", "social-messaging:")) for action in actions):
                    (role,) = policy["Properties"]["Roles"]
                    sending[name] = (policy["Condition"], _target(role), tuple(actions))
        assert sending == {
            "EumAccess": ("HasEum", "SenderRole", ("sms-voice:SendTextMessage", "sms-voice:SendVoiceMessage")),
            "EumConfirmations": ("HasEum", "RepliesRole", ("sms-voice:SendTextMessage",)),
            "SesAccess": ("HasSes", "SenderRole", ("ses:SendEmail",)),
            "WhatsAppAccess": ("HasWhatsApp", "SenderRole", ("social-messaging:SendWhatsAppMessage",)),
        }
        (mails,) = _properties(resources, "SesAccess")["PolicyDocument"]["Statement"]
        assert mails["Condition"] == {"StringLike": {"ses:FromAddress": {"Fn::Sub": "*@${SesDomain}"}}}

    def test_webhooks_are_throttled_and_their_log_has_no_path_no_token_and_no_caller(
        self, resources: Mapping[str, Resource]
    ) -> None:
        stage = _properties(resources, "WebhookStage")
        assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 50
        written = json.loads(stage["AccessLogSettings"]["Format"])
        assert set(written.values()) <= {
            "$context.requestId", "$context.requestTime", "$context.httpMethod", "$context.routeKey",
            "$context.status", "$context.responseLatency", "$context.integrationLatency", "$context.responseLength",
        }  # fmt: skip

    def test_webhooks_have_the_routes_that_the_service_answers_and_each_with_its_channel(
        self, resources: Mapping[str, Resource]
    ) -> None:
        routes = {
            route["Properties"]["RouteKey"]: route["Condition"]
            for name, route in _of_type(resources, "AWS::ApiGatewayV2::Route").items()
            if name in OF_WEBHOOKS
        }
        assert routes == {
            "POST /line/{lender}": "HasLine",
            "POST /unsubscribe/{token}": "HasSes",
            "GET /unsubscribe/{token}": "HasSes",
        }
        service = (ROOT / "layers/dunning/python/dunning/services/webhooks.py").read_text("utf-8")
        assert all(f'case "{route}":' in service for route in routes)

    def test_webhooks_read_their_secrets_and_no_customer(self, resources: Mapping[str, Resource]) -> None:
        (policy,) = _properties(resources, "WebhooksRole")["Policies"]
        actions = {
            action
            for statement in policy["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }
        assert not {action for action in actions if action.startswith("dynamodb:")}
        (secrets,) = (each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "ssm:GetParameter")
        for resource in secrets["Resource"]:
            assert ":parameter/${AWS::StackName}/secrets/" in resource["Fn::Sub"]


def _without_ifs(value: Any) -> Any:  # noqa: ANN401 - any part of a template
    """Return a part of the template without what depends on a condition."""
    if isinstance(value, dict):
        return {name: _without_ifs(part) for name, part in value.items() if name != "Fn::If"}
    return [_without_ifs(part) for part in value] if isinstance(value, list) else value


class TestTheForm:
    """What the person who deploys is asked and told."""

    def test_every_parameter_says_what_it_is_and_takes_nothing_that_cannot_be(self, template: Resource) -> None:
        for name, parameter in template["Parameters"].items():
            assert parameter["Description"], name
            assert parameter.keys() & {"AllowedValues", "AllowedPattern", "MinValue"}, name
            assert "Default" in parameter, name

    def test_every_parameter_has_a_label_and_a_place_in_the_console(self, template: Resource) -> None:
        interface = template["Metadata"]["AWS::CloudFormation::Interface"]
        grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
        assert sorted(grouped) == sorted(template["Parameters"])
        assert interface["ParameterLabels"].keys() == template["Parameters"].keys()
        assert all(group["Label"]["default"] for group in interface["ParameterGroups"])

    def test_every_output_says_what_it_is_for_and_names_something_of_the_stack(self, template: Resource) -> None:
        for output in template["Outputs"].values():
            assert output["Description"]
            value = output["Value"]
            assert (value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]) in template["Resources"]
            assert "Export" not in output  # names of an account and Region: two stacks would collide

    @pytest.mark.parametrize(
        "number",
        [
            "VisibilityTimeout",
            "maxReceiveCount",
            "Timeout",
            "MemorySize",
            "BatchSize",
            "MaximumBatchingWindowInSeconds",
            "ReservedConcurrentExecutions",
            "EphemeralStorage",
            "PendingWindowInDays",
        ],
    )
    def test_a_number_that_was_chosen_has_its_reason_beside_it(self, number: str) -> None:
        lines = (ROOT / "template.yaml").read_text("utf-8").splitlines()
        chosen = [line for line in lines if line.strip().startswith(f"{number}:")]
        assert chosen
        assert not [line for line in chosen if "#" not in line]


def test_no_reply_leaves_the_account_unless_a_model_is_chosen(template: Resource) -> None:
    parameters = template["Parameters"]
    assert parameters["LargerReaderModel"]["Default"] == parameters["LargerReaderRegion"]["Default"] == ""
    environment = _environment(template["Resources"], "RepliesFunction")
    assert environment["LARGER_READER_MODEL"] == {"Ref": "LargerReaderModel"}
    assert environment["LARGER_READER_REGION"] == {"Ref": "LargerReaderRegion"}


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("LargerReaderModel", "anthropic.claude-haiku-4-5-20251001-v1:0", True),
        ("LargerReaderModel", "jp.anthropic.claude-haiku-4-5-20251001-v1:0", True),
        ("LargerReaderModel", "amazon.nova-lite-v1:0", True),
        ("LargerReaderModel", "*", False),
        ("LargerReaderModel", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x", False),
        ("LargerReaderRegion", "ap-northeast-1", True),
        ("LargerReaderRegion", "us-gov-west-1", True),
        ("LargerReaderRegion", "*", False),
    ],
)
def test_a_larger_reader_has_a_name_that_widens_no_permission(
    template: Resource,
    name: str,
    value: str,
    fits: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert (re.search(template["Parameters"][name]["AllowedPattern"], value) is not None) is fits


def test_a_new_stack_sends_once_its_schedule_is_enabled(template: Resource) -> None:
    parameter = template["Resources"]["SendingParameter"]["Properties"]
    assert parameter["Value"] == "on"
    takes = re.compile(parameter["AllowedPattern"])
    assert all(takes.fullmatch(good) for good in ("on", "off", "off: line, voice", "off:all,line"))
    assert not any(takes.fullmatch(bad) for bad in ("", "onn", "off: fax", "off line", "off:", "on: line"))
    for written in ("off: line, voice", "off:all,line"):
        assert parse_switch(written) != parse_switch("off")


def test_no_account_region_or_address_is_written_down(template: Resource) -> None:
    written = json.dumps(template["Resources"])
    assert not [
        part for part in _everything(template["Resources"]) if isinstance(part, str) and "amazonaws.com/" in part
    ]
    assert "ap-northeast-1" not in written
    assert "123456789012" not in written
