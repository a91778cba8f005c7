"""What the template promises, read from its translation: what CloudFormation would be asked to create."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from dunning.adapters.dynamodb.items import contact_item, facts_item, standing_item
from dunning.domain.contact import Contact, ContactState
from dunning.domain.standing import Standing, Wake
from dunning.settings import IntakeSettings, ScannerSettings, SenderSettings, Settings
from tests.integration.people import NOW, someone
from tests.local import ROOT
from tests.local.template import parse_rate, translate

type Resource = Mapping[str, Any]

SETTINGS: dict[str, type[Settings]] = {
    "ScannerFunction": ScannerSettings,
    "SenderFunction": SenderSettings,
    "IntakeFunction": IntakeSettings,
}
_OF_THE_LOGGER = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}


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


def _everything(value: object) -> Iterator[object]:
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _everything(part)


class TestTheQueues:
    """Nothing is lost, nothing circles, nothing lies open."""

    def test_a_job_stays_hidden_for_six_times_the_senders_time_and_the_batching_window(
        self, resources: Mapping[str, Resource]
    ) -> None:
        (mapping,) = _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        timeout = _properties(resources, "SenderFunction")["Timeout"]
        window = mapping["Properties"]["MaximumBatchingWindowInSeconds"]
        assert _properties(resources, "Reminders")["VisibilityTimeout"] >= 6 * timeout + window

    def test_a_job_is_received_often_enough_and_the_sender_knows_how_often(
        self, resources: Mapping[str, Resource]
    ) -> None:
        redrive = _properties(resources, "Reminders")["RedrivePolicy"]
        assert redrive["maxReceiveCount"] >= 5
        assert _environment(resources, "SenderFunction")["MAX_RECEIVE_COUNT"] == str(redrive["maxReceiveCount"])
        assert _target(redrive["deadLetterTargetArn"]) == "RemindersDeadLetters"
        assert _target(_environment(resources, "SenderFunction")["DEAD_LETTER_URL"]) == "RemindersDeadLetters"

    def test_every_queue_is_encrypted(self, resources: Mapping[str, Resource]) -> None:
        for queue in _of_type(resources, "AWS::SQS::Queue").values():
            assert queue["Properties"]["SqsManagedSseEnabled"] is True

    def test_dead_letters_are_kept_as_long_as_sqs_can_and_longer_than_jobs(
        self, resources: Mapping[str, Resource]
    ) -> None:
        kept = {
            name: queue["Properties"]["MessageRetentionPeriod"]
            for name, queue in _of_type(resources, "AWS::SQS::Queue").items()
        }
        for name in ("RemindersDeadLetters", "TickDeadLetters", "IntakeDeadLetters"):
            assert kept.pop(name) == 14 * 24 * 3600
        assert kept == {"Reminders": 24 * 3600}

    def test_each_way_in_has_its_dead_letter_queue(self, resources: Mapping[str, Resource]) -> None:
        (schedule,) = _of_type(resources, "AWS::Scheduler::Schedule").values()
        assert _target(schedule["Properties"]["Target"]["DeadLetterConfig"]["Arn"]) == "TickDeadLetters"
        assert _target(_properties(resources, "IntakeFunction")["DeadLetterConfig"]["TargetArn"]) == "IntakeDeadLetters"


class TestTheBatches:
    """How jobs reach the sender."""

    def test_only_the_failed_jobs_of_a_batch_come_back(self, resources: Mapping[str, Resource]) -> None:
        (mapping,) = _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_a_batch_fits_one_read_and_one_write(self, resources: Mapping[str, Resource]) -> None:
        (mapping,) = _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        size = mapping["Properties"]["BatchSize"]
        assert 2 * size <= 100  # keys of a BatchGetItem
        assert size <= 25  # items of a BatchWriteItem

    def test_no_more_senders_work_than_share_the_rate(self, resources: Mapping[str, Resource]) -> None:
        (mapping,) = _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        most = mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        assert most == {"Ref": "SenderConcurrency"}
        assert _environment(resources, "SenderFunction")["SENDER_CONCURRENCY"] == most

    def test_scanner_and_senders_share_one_rate(self, resources: Mapping[str, Resource]) -> None:
        rates = [_environment(resources, name)["SMS_PER_SECOND"] for name in ("ScannerFunction", "SenderFunction")]
        assert rates == [{"Ref": "SmsPerSecond"}] * 2


class TestTheSchedule:
    """Ticks."""

    def test_starts_disabled_and_without_a_name_of_its_own(self, template: Resource) -> None:
        (schedule,) = _of_type(template["Resources"], "AWS::Scheduler::Schedule").values()
        assert schedule["Properties"]["State"] == {"Ref": "ScheduleState"}
        assert template["Parameters"]["ScheduleState"]["Default"] == "DISABLED"
        assert "Name" not in schedule["Properties"]

    def test_ticks_as_often_as_the_scanner_believes_and_never_two_at_once(
        self, resources: Mapping[str, Resource]
    ) -> None:
        (schedule,) = _of_type(resources, "AWS::Scheduler::Schedule").values()
        interval = parse_rate(schedule["Properties"]["ScheduleExpression"]).total_seconds()
        assert _environment(resources, "ScannerFunction")["TICK_SECONDS"] == str(int(interval))
        scanner = _properties(resources, "ScannerFunction")
        assert scanner["Timeout"] < interval
        assert scanner["ReservedConcurrentExecutions"] == 1

    def test_a_late_tick_is_dropped_not_repeated(self, resources: Mapping[str, Resource]) -> None:
        (schedule,) = _of_type(resources, "AWS::Scheduler::Schedule").values()
        assert schedule["Properties"]["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
        assert "<aws.scheduler.scheduled-time>" in schedule["Properties"]["Target"]["Input"]


class TestTheTables:
    """Data that must not be lost, and keys the adapters rely on."""

    def test_are_kept_backed_up_encrypted_and_protected(self, resources: Mapping[str, Resource]) -> None:
        tables = _of_type(resources, "AWS::DynamoDB::Table")
        assert tables.keys() == {"CustomersTable", "ContactsTable"}
        for table in tables.values():
            assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
            properties = table["Properties"]
            assert properties["DeletionProtectionEnabled"] is True
            assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
            assert properties["SSESpecification"]["SSEType"] == "KMS"
            assert _target(properties["SSESpecification"]["KMSMasterKeyId"]) == "DataKey"

    def test_have_the_keys_the_items_have(self, resources: Mapping[str, Resource]) -> None:
        standing = standing_item(Standing("C1", 1, Wake(NOW, 0)), 4)
        contact = contact_item(Contact("C1", "s", "c", NOW, ContactState.SENT, 0, (), "sms", NOW))
        customers = _properties(resources, "CustomersTable")
        for schema, item in (
            (customers["KeySchema"], facts_item(someone())),
            (customers["KeySchema"], standing),
            (_properties(resources, "ContactsTable")["KeySchema"], contact),
        ):
            assert {key["AttributeName"] for key in schema} <= item.keys()
        attributes = {one["AttributeName"]: one["AttributeType"] for one in customers["AttributeDefinitions"]}
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
        asleep, awake = standing_item(Standing("C1", 1), 4), standing_item(Standing("C1", 1, Wake(NOW, 0)), 4)
        assert awake.keys() - asleep.keys() == {"shard", "wake_key"}

    def test_a_customer_is_found_by_number_through_the_facts_alone(self, resources: Mapping[str, Resource]) -> None:
        indexes = {
            index["IndexName"]: index for index in _properties(resources, "CustomersTable")["GlobalSecondaryIndexes"]
        }
        assert [key["AttributeName"] for key in indexes["by_phone"]["KeySchema"]] == ["phone"]
        assert "phone" in facts_item(someone())
        assert "phone" not in standing_item(Standing("C1", 1, suspended_phone="+886900000001"), 4)

    def test_audit_records_expire_by_the_attribute_that_is_written(self, resources: Mapping[str, Resource]) -> None:
        expiry = _properties(resources, "ContactsTable")["TimeToLiveSpecification"]
        assert expiry["Enabled"] is True
        until = datetime(2031, 12, 1, 2, 0, 0, 123456, tzinfo=UTC)
        item = contact_item(Contact("C1", "s", "c", NOW, ContactState.SENT, 0, (), "sms", until))
        assert item[expiry["AttributeName"]] == {"N": str(int(until.timestamp()))}
        assert "TimeToLiveSpecification" not in _properties(resources, "CustomersTable")


class TestTheBucket:
    """Account files are personal data."""

    def test_is_private_encrypted_versioned_kept_and_tidied(self, resources: Mapping[str, Resource]) -> None:
        (bucket,) = _of_type(resources, "AWS::S3::Bucket").values()
        properties = bucket["Properties"]
        assert bucket["DeletionPolicy"] == "Retain"
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert _target(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == "DataKey"
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        (expiry,) = properties["LifecycleConfiguration"]["Rules"]
        assert expiry["ExpirationInDays"] <= 90

    def test_talks_tls_only(self, resources: Mapping[str, Resource]) -> None:
        (policy,) = _of_type(resources, "AWS::S3::BucketPolicy").values()
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}

    def test_only_uploads_start_the_intake_and_rejects_do_not(self, resources: Mapping[str, Resource]) -> None:
        (bucket,) = _of_type(resources, "AWS::S3::Bucket").values()
        (notification,) = bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
        rules = notification["Filter"]["S3Key"]["Rules"]
        assert [(rule["Name"].lower(), rule["Value"]) for rule in rules] == [("prefix", "accounts/")]


class TestTheKey:
    """One key for all personal data."""

    def test_is_rotated_and_kept(self, resources: Mapping[str, Resource]) -> None:
        (key,) = _of_type(resources, "AWS::KMS::Key").values()
        assert key["Properties"]["EnableKeyRotation"] is True
        assert key["DeletionPolicy"] == "Retain"


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
            for role in _of_type(resources, "AWS::IAM::Role").values()
            for policy in role["Properties"].get("Policies", ())
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        open_to_all = [one for one in statements if one[2] == '"*"']
        assert open_to_all == [("Allow", "sns:Publish", '"*"')]
        (denied,) = (one for one in statements if one[0] == "Deny")
        assert denied[1] == "sns:Publish"
        assert ":sns:*:*:*" in denied[2]
        actions = [
            action for _, actions, _ in statements for action in ([actions] if isinstance(actions, str) else actions)
        ]
        assert not [action for action in actions if "*" in action]

    def test_only_lambda_and_the_schedule_may_take_a_role(self, resources: Mapping[str, Resource]) -> None:
        for role in _of_type(resources, "AWS::IAM::Role").values():
            for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                services = statement["Principal"]["Service"]
                named = {services} if isinstance(services, str) else set(services)
                assert named <= {"lambda.amazonaws.com", "scheduler.amazonaws.com"}


@pytest.mark.parametrize("function", SETTINGS)
class TestAFunction:
    """Each of them."""

    def test_is_told_what_it_needs_and_nothing_it_does_not_know(
        self, resources: Mapping[str, Resource], function: str
    ) -> None:
        variables = set(_environment(resources, function))
        fields = SETTINGS[function].model_fields
        assert {name.upper() for name, field in fields.items() if field.is_required()} <= variables
        assert variables - _OF_THE_LOGGER <= {name.upper() for name in fields}
        assert variables >= _OF_THE_LOGGER

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

    def test_logs_where_logs_are_not_kept_for_ever(self, resources: Mapping[str, Resource], function: str) -> None:
        logging = _properties(resources, function)["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        assert _properties(resources, _target(logging["LogGroup"]))["RetentionInDays"] > 0

    def test_uses_the_shards_all_others_use(self, resources: Mapping[str, Resource], function: str) -> None:
        assert _environment(resources, function)["DUE_SHARDS"] == {"Ref": "DueShards"}


def test_why_texts_were_sent_is_kept_as_long_as_the_records_are(resources: Mapping[str, Resource]) -> None:
    assert resources["SenderLogs"]["DeletionPolicy"] == "Retain"
    assert _properties(resources, "SenderLogs")["RetentionInDays"] >= 1827


def test_every_log_group_has_a_retention(resources: Mapping[str, Resource]) -> None:
    groups = _of_type(resources, "AWS::Logs::LogGroup")
    assert len(groups) == len(SETTINGS)
    assert all(group["Properties"]["RetentionInDays"] for group in groups.values())


def test_a_new_stack_sends_once_its_schedule_is_enabled(template: Resource) -> None:
    parameter = template["Resources"]["SendingParameter"]["Properties"]
    assert parameter["Value"] == "on"
    assert parameter["AllowedPattern"] == "on|off"


def test_no_account_region_or_address_is_written_down(template: Resource) -> None:
    written = json.dumps(template["Resources"])
    assert not [
        part for part in _everything(template["Resources"]) if isinstance(part, str) and "amazonaws.com/" in part
    ]
    assert "ap-northeast-1" not in written
    assert "123456789012" not in written
