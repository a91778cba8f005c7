"""The change stream: a shard's changes as a window hands them over, and nothing that does not name its shard."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dunning.contracts.change_stream import ChangeRecord, ShardChanges, parse_shard_changes
from dunning.domain.errors import UnreadableRecordError

AT = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
IMAGE = {"customer_id": {"S": "C1"}, "item": {"S": "standing"}}


def event(**change: object) -> dict[str, Any]:
    record = {
        "eventName": "MODIFY",
        "dynamodb": {"SequenceNumber": "111", "ApproximateCreationDateTime": AT.timestamp() + 0.7, **change},
    }
    return {"Records": [record], "shardId": "shardId-1", "state": {}, "isFinalInvokeForWindow": False}


def refusal(found: dict[str, Any]) -> str:
    with pytest.raises(UnreadableRecordError) as caught:
        parse_shard_changes(found)
    assert caught.value.__cause__ is None
    return str(caught.value).removeprefix("no changes of a table: ")


def test_a_change_has_its_place_its_time_and_both_images() -> None:
    changes = parse_shard_changes(event(OldImage=IMAGE, NewImage=IMAGE))
    assert changes == ShardChanges("shardId-1", (ChangeRecord(111, AT, IMAGE, IMAGE),))
    (first,) = parse_shard_changes(event(NewImage=IMAGE)).records
    assert (first.old, first.new) == (None, IMAGE)


def test_a_window_that_ends_brings_no_changes() -> None:
    assert parse_shard_changes({"shardId": "s", "isFinalInvokeForWindow": True}) == ShardChanges("s", ())


@pytest.mark.parametrize("shard", [None, "", "x" * 129])
def test_without_its_shard_no_change_could_be_told_from_a_repeat(shard: str | None) -> None:
    named = {} if shard is None else {"shardId": shard}
    assert refusal({"Records": [], **named}) == "shardId"


@pytest.mark.parametrize("sequence", ["", "a1", "1" * 41, 111])
def test_a_change_without_a_place_is_refused(sequence: object) -> None:
    assert refusal(event(SequenceNumber=sequence)) == "Records.0.dynamodb.SequenceNumber"


def test_the_error_of_an_image_that_is_none_quotes_nothing() -> None:
    why = refusal(event(NewImage={"name": "王小明"}))
    assert "王小明" not in why
    assert why.startswith("Records.0.dynamodb.NewImage")
