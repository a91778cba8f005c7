"""File reports: what the ports promise, of the fake and of DynamoDB alike."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple, Protocol

import boto3
import pytest
from moto import mock_aws

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.file_report_table import DynamoFileReports
from dunning.adapters.dynamodb.split_load_table import DynamoSplitLoads
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.file_loads import FileLoad, FileReport
from dunning.ports.file_reports import FileReports, LoadUnderWay, ReportPage
from dunning.ports.split_loads import SplitLoad
from tests.contract.conftest import BACKENDS, customers_in, engine_of
from tests.support.console import FakeFileReports
from tests.support.people import NOW

REPORT = FileReport(
    file_id="f" * 32,
    uploaded_at=NOW,
    ended_at=NOW + timedelta(seconds=9),
    expires_at=NOW + timedelta(days=35),
    name="accounts/a.csv",
    refused="missing_columns",
    line=1,
    field="due_on",
    hint="Looks like Big5.",
    rejects_key="rejects/a.csv",
    parts=3,
    seconds=9,
)


class Keeper(Protocol):
    """What the intake has of it."""

    def keep_report(self, report: FileReport) -> None:
        """Keep a report."""
        ...


class Desk(NamedTuple):
    """Whoever writes reports, and whoever reads them."""

    keeper: Keeper
    reports: FileReports


@pytest.fixture(params=BACKENDS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    if request.param == "fake":
        fake = FakeFileReports()
        yield Desk(fake, fake)
        return
    if request.param == "stand_in":
        aws = engine_of(request)
        table = aws.stack.customers_table
        yield Desk(customers_in(aws), DynamoFileReports(boto3.client("dynamodb", config=LEAN), table))
        return
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_customers(client)
        yield Desk(DynamoCustomers(client, "customers", 4), DynamoFileReports(client, "customers"))


def create_customers(client: object) -> None:
    client.create_table(  # type: ignore[attr-defined]
        TableName="customers",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "customer_id", "AttributeType": "S"},
            {"AttributeName": "item", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "customer_id", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
    )


def uploaded(number: int) -> FileReport:
    return replace(REPORT, uploaded_at=NOW + timedelta(hours=number), file_id=f"{number:032}")


def test_a_report_is_read_as_it_was_kept(desk: Desk) -> None:
    desk.keeper.keep_report(REPORT)
    assert desk.reports.newest(5) == ReportPage((REPORT,), "")
    assert list(desk.reports.since(REPORT.report_id)) == [REPORT]


def test_reports_come_page_by_page_newest_first_whatever_was_loaded_first(desk: Desk) -> None:
    for number in (2, 0, 4, 1, 3):
        desk.keeper.keep_report(uploaded(number))
    first = desk.reports.newest(2)
    assert first.reports == (uploaded(4), uploaded(3))
    second = desk.reports.newest(2, first.next_page)
    assert second.reports == (uploaded(2), uploaded(1))
    assert desk.reports.newest(2, second.next_page) == ReportPage((uploaded(0),), "")


def test_a_report_comes_with_all_newer_ones_and_one_that_is_not_there_comes_with_nothing(desk: Desk) -> None:
    for number in range(3):
        desk.keeper.keep_report(uploaded(number))
    assert list(desk.reports.since(uploaded(1).report_id)) == [uploaded(1), uploaded(2)]
    assert list(desk.reports.since(replace(uploaded(1), file_id="0").report_id)) == []


def test_what_is_under_way_is_what_has_begun_and_not_ended_with_its_parts() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_customers(client)
        customers, reports = DynamoCustomers(client, "customers", 4), DynamoFileReports(client, "customers")
        assert list(reports.under_way()) == []
        customers.keep_report(REPORT)
        loads = [
            FileLoad("accounts/large.csv", NOW + timedelta(hours=1)),
            FileLoad("accounts/small.csv", NOW),
            FileLoad("accounts/done.csv", NOW, is_finished=True),
        ]
        assert customers.save_loads(loads, expected_version=0)
        split = SplitLoad(
            split_id="s1",
            bucket="uploads",
            key="accounts/large.csv",
            uploaded_at=NOW + timedelta(hours=1),
            begun_at=NOW + timedelta(hours=1, minutes=1),
            expires_at=NOW + timedelta(days=8),
            parts=4,
            rows=1_000_000,
            done=(0, 2),
        )
        DynamoSplitLoads(client, "customers").save_split(split)
        assert list(reports.under_way()) == [
            LoadUnderWay("accounts/small.csv", NOW),
            LoadUnderWay("accounts/large.csv", split.uploaded_at, split.begun_at, 4, 2, 1_000_000),
        ]


def test_a_report_that_cannot_be_read_is_no_reason_to_quote_the_name_of_a_file() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_customers(client)
        DynamoCustomers(client, "customers", 4).keep_report(REPORT)
        (item,) = client.scan(TableName="customers")["Items"]
        client.put_item(TableName="customers", Item={**item, "rows": {"S": "accounts/a.csv"}})
        with pytest.raises(UnreadableRecordError) as raised:
            DynamoFileReports(client, "customers").newest(5)
        assert "accounts" not in str(raised.value)
