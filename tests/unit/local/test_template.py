"""What a run uses is what the template declares."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.local import ROOT
from tests.local.cloud import LocalCloud
from tests.local.template import TemplateError, parse_rate, translate

pytestmark = pytest.mark.slow(reason="translates the whole template")

BEGIN = datetime(2026, 12, 1, tzinfo=UTC)
TEMPLATE = ROOT / "template.yaml"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(BEGIN, wire=lambda *_: None) as local:
        yield local


@pytest.mark.parametrize(
    ("expression", "tick"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(2 hours)", timedelta(hours=2)),
    ],
)
def test_a_rate_is_read(expression: str, tick: timedelta) -> None:
    assert parse_rate(expression) == tick


def test_another_kind_of_schedule_is_refused() -> None:
    with pytest.raises(TemplateError, match="not a rate"):
        parse_rate("cron(0 9 * * ? *)")


def test_functions_have_the_environment_the_template_gives_them(cloud: LocalCloud) -> None:
    stack = cloud.stack
    declared = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]  # type: ignore[no-untyped-call]
    for function, logical_id in ((stack.scanner, "ScannerFunction"), (stack.sender, "SenderFunction")):
        named = set(declared[logical_id]["Properties"]["Environment"]["Variables"])
        assert named - {"UNSUBSCRIBE_ORIGIN"} <= set(function.environment)  # of an API, which is not made here
        assert function.timeout == timedelta(seconds=declared[logical_id]["Properties"]["Timeout"])
    assert stack.scanner.environment["QUEUE_URL"] == cloud.queue_url
    assert stack.scanner.environment["SENDING_PARAMETER"] == "/dunning/sending"
    assert stack.sender.handler == "functions.sender.app.lambda_handler"


def test_tables_have_the_declared_keys_and_indexes(cloud: LocalCloud) -> None:
    table = boto3.client("dynamodb").describe_table(TableName=cloud.stack.customers_table)["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["customer_id", "item"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"due", "attention"}
    assert "StreamSpecification" not in table  # nobody reads one, unless asked for


def test_the_queue_redrives_as_declared(cloud: LocalCloud) -> None:
    declared = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]["Reminders"]["Properties"]  # type: ignore[no-untyped-call]
    attributes = cloud.sqs.get_queue_attributes(QueueUrl=cloud.queue_url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == str(declared["VisibilityTimeout"])
    assert f'"maxReceiveCount": {declared["RedrivePolicy"]["maxReceiveCount"]}' in attributes["RedrivePolicy"]


def test_the_event_sources_are_those_declared(cloud: LocalCloud) -> None:
    assert cloud.stack.tick == timedelta(minutes=1)
    assert cloud.stack.batch_size == 25
    assert cloud.stack.upload_prefixes == ("accounts/", "complete/")


def test_parameters_can_be_overridden() -> None:
    with LocalCloud(BEGIN, parameters={"SmsPerSecond": "200", "DueShards": "2"}, wire=lambda *_: None) as cloud:
        assert cloud.stack.sender.environment["SMS_PER_SECOND"] == "200"
        assert cloud.stack.sender.environment["SENDER_CONCURRENCY"] == "4"
        assert cloud.stack.intake.environment["DUE_SHARDS"] == "2"


def test_a_template_sam_refuses_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    broken = tmp_path / "template.yaml"
    broken.write_text(
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: app.f}}}\n"
    )
    with pytest.raises(TemplateError, match=r"template\.yaml: .*\[F\]"):
        translate(broken)
