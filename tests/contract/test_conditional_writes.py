"""Conditional writes: how often they are tried, what of a failure counts, and by what a transaction knows itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dunning.adapters.dynamodb.writing import if_read, put_if_read, transact, write_conditionally
from dunning.domain.errors import ServiceCallError
from tests.support.schedules import SteppedClient, SteppedTable

ITEM: dict[str, Any] = {"customer_id": {"S": "C1"}, "item": {"S": "facts"}, "revision": {"N": "1"}}
OTHER = {**ITEM, "revision": {"N": "2"}}

LONGEST_TOKEN = 36
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html, ClientRequestToken."""


def _refused(code: str, *reasons: str) -> ClientError:
    """Return an error of DynamoDB; with reasons, that of a cancelled transaction."""
    answer: Any = {"Error": {"Code": code, "Message": ""}}
    if reasons:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(answer, "PutItem")


CANCELLED = "TransactionCanceledException"
BUSY = [
    _refused("TransactionConflictException"),
    _refused(CANCELLED, "None", "TransactionConflict"),
    _refused(CANCELLED, "ThrottlingError", "ProvisionedThroughputExceeded"),
]


class Write:
    """A write that fails with one error after the other, and then is done; and the pauses between its tries."""

    def __init__(self, *errors: ClientError) -> None:
        self._errors: Iterator[ClientError] = iter(errors)
        self.tries = 0
        self.pauses: list[float] = []

    def __call__(self) -> None:
        self.tries += 1
        failed = next(self._errors, None)
        if failed:
            raise failed

    def outcome(self) -> object:
        """Make the write, and return what it stands for: what is stored in its place, or `None`."""
        return write_conditionally("PutItem", self, self.pauses.append)


@pytest.mark.parametrize("busy", BUSY)
def test_a_write_that_meets_another_writer_is_tried_five_times_and_each_pause_is_twice_the_last(
    busy: ClientError,
) -> None:
    write = Write(*[busy] * 4)
    assert write.outcome() is None
    assert (write.tries, write.pauses) == (5, [0.02, 0.04, 0.08, 0.16])
    write = Write(*[busy] * 5)
    with pytest.raises(ServiceCallError):
        write.outcome()
    assert (write.tries, write.pauses) == (5, [0.02, 0.04, 0.08, 0.16])


@pytest.mark.parametrize(
    "error",
    [
        _refused("AccessDeniedException"),
        _refused(CANCELLED),
        _refused(CANCELLED, "None", "ValidationError"),
        _refused(CANCELLED, "TransactionConflict", "ItemCollectionSizeLimitExceeded"),
    ],
)
def test_a_write_that_is_refused_for_another_reason_is_an_error_at_once(error: ClientError) -> None:
    write = Write(error)
    with pytest.raises(ServiceCallError):
        write.outcome()
    assert (write.tries, write.pauses) == (1, [])


@pytest.mark.parametrize("before", [[], BUSY[:1]])
def test_a_write_whose_condition_fails_says_what_is_stored_and_is_not_tried_again(before: list[ClientError]) -> None:
    answer: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": OTHER}
    write = Write(*before, ClientError(answer, "PutItem"))
    assert write.outcome() == [OTHER]
    assert write.tries == len(before) + 1


def test_a_cancelled_transaction_says_for_each_item_whose_condition_failed_what_is_stored() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": OTHER}, {"Code": "ConditionalCheckFailed"}]
    answer: Any = {"Error": {"Code": CANCELLED}, "CancellationReasons": reasons}
    assert Write(ClientError(answer, "TransactWriteItems")).outcome() == [None, OTHER, {}]


class Asked:
    """A client of transactions that keeps their tokens, and is busy at first."""

    def __init__(self, busy: int = 0) -> None:
        self._busy = busy
        self.tokens: list[str] = []

    def transact_write_items(self, *, TransactItems: object, ClientRequestToken: str) -> None:  # noqa: N803 - as boto3
        del TransactItems
        self.tokens.append(ClientRequestToken)
        if len(self.tokens) <= self._busy:
            raise BUSY[1]


def _put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": "customers", "Item": item, **if_read("revision", 0)}}


def test_a_transaction_keeps_its_token_however_often_it_is_tried_and_no_other_has_it() -> None:
    asked: Any = Asked(busy=2)
    transact(asked, [_put(ITEM)], lambda _: None)
    transact(asked, [_put(OTHER)], lambda _: None)
    transact(asked, [_put(ITEM), _put(OTHER)], lambda _: None)
    first, again, once_more, other, both = asked.tokens
    assert first == again == once_more
    assert len({first, other, both}) == 3
    assert {len(token) for token in asked.tokens} == {LONGEST_TOKEN}


def test_a_token_says_what_is_written_in_whatever_order_it_is_named() -> None:
    asked: Any = Asked()
    backwards = dict(reversed(ITEM.items()))
    for item in (ITEM, backwards, ITEM):
        transact(asked, [_put(item)])
    assert len(set(asked.tokens)) == 1


def test_a_transaction_that_comes_again_is_written_once_and_answered_as_before() -> None:
    client: Any = SteppedClient(SteppedTable(), 0)
    assert transact(client, [_put(ITEM)]) is None
    assert transact(client, [_put(ITEM)]) is None
    assert transact(client, [_put(OTHER)]) == [{}]
    assert client.table.of("C1", "facts") == ITEM


def test_a_put_that_meets_itself_is_written_and_one_that_meets_another_is_not() -> None:
    client: Any = SteppedClient(SteppedTable(), 0)
    of_nobody, of_the_first = if_read("revision", 0), if_read("revision", 1)
    assert put_if_read(client, "customers", ITEM, of_nobody)
    assert put_if_read(client, "customers", ITEM, of_nobody)
    assert not put_if_read(client, "customers", OTHER, of_nobody)
    assert client.table.of("C1", "facts") == ITEM
    assert put_if_read(client, "customers", OTHER, of_the_first)
    assert not put_if_read(client, "customers", ITEM, of_the_first)
    assert not put_if_read(client, "customers", {**ITEM, "customer_id": {"S": "C2"}}, of_the_first)
    assert client.table.of("C1", "facts") == OTHER


class Refusing:
    """A client that refuses every write."""

    def put_item(self, **_: object) -> None:
        raise _refused("AccessDeniedException")

    def transact_write_items(self, **_: object) -> None:
        raise _refused("AccessDeniedException")


def test_an_error_names_the_operation_that_failed() -> None:
    client: Any = Refusing()
    with pytest.raises(ServiceCallError, match=r"^PutItem: AccessDeniedException$"):
        put_if_read(client, "customers", ITEM, if_read("revision", 0))
    with pytest.raises(ServiceCallError, match=r"^TransactWriteItems: AccessDeniedException$"):
        transact(client, [_put(ITEM)])
