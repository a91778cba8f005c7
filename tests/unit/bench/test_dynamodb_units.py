"""What DynamoDB bills, by the examples and rules of its developer guide."""

import pytest

from dunning.adapters.dynamodb.items import standing_item
from dunning.domain.customer.standing import Standing, Wake
from tests.bench.dynamodb_units import (
    Attributes,
    Index,
    failed_write_units,
    index_units,
    item_size,
    read_units,
    stored_bytes,
    write_units,
)
from tests.support.people import NOW

DUE = Index("due", ("shard", "wake_key"), ("customer_id", "item"))
BY_PHONE = Index("by_phone", ("phone",), ("customer_id", "item"))


def _sized(size: int) -> Attributes:
    item = {"id": {"S": "x" * (size - 2)}}
    assert item_size(item) == size
    return item


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "王小明"}, 9),
        ({"N": "0"}, 2),
        ({"N": "1"}, 2),
        ({"N": "1700"}, 2),
        ({"N": "12345"}, 4),
        ({"N": "-12345"}, 5),
        ({"N": "1769565600"}, 5),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"B": b"1234"}, 4),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 3 + 3 + 2),
        ({"M": {"a": {"S": "bc"}}}, 3 + 1 + 1 + 2),
    ],
    ids=str,
)
def test_an_item_is_as_large_as_its_names_and_values(value: dict[str, object], size: int) -> None:
    assert item_size({"名": value}) == 3 + size


def test_an_unknown_type_of_value_has_no_size() -> None:
    with pytest.raises(ValueError, match="no such type"):
        item_size({"a": {"X": "1"}})


@pytest.mark.parametrize(
    ("size", "strong", "eventual", "transactional"),
    [(0, 1, 0.5, 2), (1, 1, 0.5, 2), (4096, 1, 0.5, 2), (4097, 2, 1, 4), (8192, 2, 1, 4), (10_240, 3, 1.5, 6)],
)
def test_a_read_is_billed_by_4_kb(size: int, strong: float, eventual: float, transactional: float) -> None:
    assert read_units(size, consistent=True) == strong
    assert read_units(size, consistent=False) == eventual
    assert read_units(size, consistent=True, transactional=True) == transactional


def test_items_of_a_batch_are_rounded_up_each_by_itself() -> None:
    # The guide's example: 1.5 KB and 6.5 KB are 4 KB + 8 KB, not 8 KB.
    assert sum(read_units(size, consistent=True) for size in (1536, 6656)) == 3


@pytest.mark.parametrize(("size", "units"), [(3, 1), (1024, 1), (1025, 2), (3 * 1024, 3)])
def test_a_write_is_billed_by_1_kb(size: int, units: float) -> None:
    assert write_units(None, _sized(size)) == units
    assert write_units(None, _sized(size), transactional=True) == 2 * units


def test_a_write_costs_the_larger_item_of_before_and_after() -> None:
    assert write_units(_sized(2000), _sized(100)) == 2
    assert write_units(_sized(100), _sized(2000)) == 2
    assert write_units(_sized(2000), None) == 2


def test_a_write_that_fails_its_condition_is_billed_all_the_same() -> None:
    assert failed_write_units(_sized(1025)) == 2
    assert failed_write_units(None) == 1


def test_a_moved_wake_is_two_writes_to_the_due_index() -> None:
    asleep = standing_item(Standing(customer_id="C1", version=1), 4)
    awake = standing_item(Standing(customer_id="C1", version=1, wake=Wake(NOW, 0)), 4)
    later = standing_item(Standing(customer_id="C1", version=2, wake=Wake(NOW, 1)), 4)
    assert index_units(asleep, awake, DUE) == 1
    assert index_units(awake, later, DUE) == 2
    assert index_units(later, asleep, DUE) == 1
    assert index_units(awake, {**awake, "reason": {"S": "due"}}, DUE) == 0
    assert index_units(None, asleep, DUE) == 0


def test_a_claim_is_one_write_to_the_table_and_two_to_its_index() -> None:
    before = standing_item(Standing(customer_id="C1", version=1, wake=Wake(NOW, 0)), 4)
    after = standing_item(Standing(customer_id="C1", version=2, wake=Wake(NOW, 1)), 4)
    assert write_units(before, after, [DUE, BY_PHONE]) == 3


def test_storage_adds_a_hundred_bytes_for_each_item_and_each_entry_of_an_index() -> None:
    item = {"customer_id": {"S": "C1"}, "item": {"S": "facts"}, "phone": {"S": "+1"}, "name": {"S": "x"}}
    entry = item_size({name: item[name] for name in ("phone", "customer_id", "item")})
    assert stored_bytes([item], [DUE, BY_PHONE]) == item_size(item) + 100 + entry + 100
