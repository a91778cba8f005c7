"""Kept what-ifs: what the ports promise, of the fake and of DynamoDB alike."""

import gzip
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.comparison_table import KEEP_COMPARISONS, DynamoComparisons
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.kept_comparisons import (
    KEPT_A_LENDER,
    LARGEST_COMPARISON,
    ComparisonKeeper,
    ComparisonsToErase,
    KeptComparison,
)
from ops.stack import Deployed
from tests.contract.conftest import BACKENDS, engine_of
from tests.local import what_if
from tests.support.lively_trials import KeptInMemory, a_comparison, keep_a_comparison

AT = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
TABLE = "tally"


class Shelf(ComparisonKeeper, ComparisonsToErase, Protocol):
    """Whoever keeps comparisons, reads them, and takes customers out."""


@pytest.fixture(params=BACKENDS)
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    if request.param == "fake":
        yield KeptInMemory()
        return
    if request.param == "stand_in":
        table = engine_of(request).stack.tally_table
        yield DynamoComparisons(boto3.client("dynamodb", config=LEAN), table)
        return
    with mock_aws():
        yield DynamoComparisons(new_table(), TABLE)


def new_table() -> Any:  # noqa: ANN401 - a client
    client = boto3.client("dynamodb", config=LEAN)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "tally", "AttributeType": "S"},
            {"AttributeName": "part", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "tally", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
    )
    return client


def keep(shelf: ComparisonKeeper, number: int, lender: str = "demo-tw") -> KeptComparison:
    return keep_a_comparison(
        shelf, comparison_id=f"{lender}-{number:02}", lender=lender, kept_at=AT + timedelta(minutes=number)
    )


def test_a_comparison_comes_back_as_it_was_kept(shelf: Shelf) -> None:
    head = keep_a_comparison(shelf, kept_at=AT)
    assert list(shelf.newest_comparisons()) == [head]
    found = shelf.comparison(head.comparison_id)
    assert found is not None
    assert (found.head, found.written) == (head, a_comparison().model_dump_json())


def test_the_newest_comes_first_whoever_the_lender_is(shelf: Shelf) -> None:
    heads = [keep(shelf, 2), keep(shelf, 1, lender=""), keep(shelf, 3, lender="demo-us")]
    assert [each.kept_at for each in shelf.newest_comparisons()] == sorted(
        (each.kept_at for each in heads), reverse=True
    )


def test_of_each_lender_the_newest_twenty_are_kept_and_nothing_of_the_others(shelf: Shelf) -> None:
    other = keep(shelf, 0, lender="demo-us")
    heads = [keep(shelf, number) for number in range(KEPT_A_LENDER + 2)]
    assert list(shelf.newest_comparisons()) == [*reversed(heads[2:]), other]
    assert [shelf.comparison(each.comparison_id) is None for each in heads[:3]] == [True, True, False]


def test_the_same_comparison_replaces_itself(shelf: Shelf) -> None:
    head = keep(shelf, 1)
    assert list(shelf.newest_comparisons()) == [head] == [keep(shelf, 1)]


def test_what_is_not_kept_is_not_there(shelf: Shelf) -> None:
    assert (shelf.comparison("none"), list(shelf.newest_comparisons())) == (None, [])


def test_what_is_rewritten_takes_the_place_of_what_is_kept_and_brings_nothing_back(shelf: Shelf) -> None:
    head = keep(shelf, 1)
    shelf.rewrite_comparison(head, "{}")
    shelf.rewrite_comparison(replace(head, comparison_id="gone"), "{}")
    found = shelf.comparison(head.comparison_id)
    assert found is not None
    assert (found.head, found.written) == (head, "{}")
    assert (list(shelf.newest_comparisons()), shelf.comparison("gone")) == ([head], None)


@mock_aws
def test_whatever_write_fails_each_comparison_that_is_there_has_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    client = new_table()
    shelf = DynamoComparisons(client, TABLE)
    for number in range(KEPT_A_LENDER):
        keep(shelf, number)
    for fails_at in range(1, 5):
        calls = [0]

        def made(write: Any, fails_at: int = fails_at, calls: list[int] = calls) -> Any:  # noqa: ANN401 - a client's
            def call(**arguments: object) -> object:
                calls[0] += 1
                if calls[0] == fails_at:
                    raise ClientError({"Error": {"Code": "InternalServerError"}}, "PutItem")
                return write(**arguments)

            return call

        with monkeypatch.context() as broken:
            broken.setattr(client, "put_item", made(client.put_item))
            broken.setattr(client, "delete_item", made(client.delete_item))
            with pytest.raises(ServiceCallError):
                keep(shelf, 50 + fails_at)
        keys = {(item["tally"]["S"], item["part"]["S"]) for item in client.scan(TableName=TABLE)["Items"]}
        bodies = {tally.removeprefix("whatif#") for tally, _ in keys if tally != "whatif"}
        assert bodies <= {part.split("#")[1] for tally, part in keys if tally == "whatif"}


def test_what_is_too_large_is_refused_and_nothing_of_it_is_kept(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match=f"keep at most {LARGEST_COMPARISON}"):
        keep_a_comparison(shelf, a_comparison(source="x" * LARGEST_COMPARISON))
    assert list(shelf.newest_comparisons()) == []


@mock_aws
def test_a_comparison_of_a_stack_goes_into_the_table_of_its_tally(monkeypatch: pytest.MonkeyPatch) -> None:
    client = new_table()
    stack = Deployed("dunning-prod", {"TallyTable": TABLE}, {})
    monkeypatch.setattr(what_if, "deployed", lambda *_: stack)
    asked = Namespace(stack="dunning-prod", region=None, payments="nobody", who="mei.chen")
    what_if._keep_in_stack(asked, a_comparison(), AT)  # noqa: SLF001
    (head,) = DynamoComparisons(client, TABLE).newest_comparisons()
    assert (head.lender, head.kept_by, head.kept_at) == ("demo-tw", "mei.chen", AT)


@mock_aws
def test_both_items_go_after_ninety_days() -> None:
    client = new_table()
    keep_a_comparison(DynamoComparisons(client, TABLE), kept_at=AT)
    items = client.scan(TableName=TABLE)["Items"]
    assert [int(item["expires_at"]["N"]) for item in items] == [int((AT + KEEP_COMPARISONS).timestamp())] * 2


@mock_aws
@pytest.mark.parametrize(
    "changes",
    [
        {"head": {"S": "{"}},
        {"head": {"S": "{}"}},
        {"body": {"B": b"no gzip"}},
        {"body": {"B": gzip.compress(b"{}")[:10] + b"damaged"}},
        {"body": {"B": gzip.compress(b" " * 50_000_000)}},
        {"body": {"S": "{}"}},
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(changes: dict[str, object]) -> None:
    client = new_table()
    shelf = DynamoComparisons(client, TABLE)
    head = keep_a_comparison(shelf)
    for item in client.scan(TableName=TABLE)["Items"]:
        client.put_item(TableName=TABLE, Item={**item, **changes})
    with pytest.raises(UnreadableRecordError, match="kept comparison"):
        shelf.comparison(head.comparison_id)
