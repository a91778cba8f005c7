"""A file that is loaded in parts leaves behind what the same file leaves that is loaded whole, whatever happens."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from dunning.contracts.file_part import FilePart, file_part_body
from dunning.ports.telemetry import LogEvent, Metric
from dunning.services.intake.file_ids import part_of_customer
from dunning.services.intake.file_order import MOST_REMEMBERED
from dunning.services.intake.intake import file_id
from dunning.services.intake.part_files import part_key, parts_folder
from dunning.services.intake.split_load import MOST_PARTS, PART_BYTES, number_of_parts
from tests.support.lender_files import CHEN, UPLOADED_AT, WANG, csv_of, row
from tests.support.split_loads import KEY, LIST_KEY, Calls, End, SplitOffice

PARTS = 3
LATER = UPLOADED_AT + timedelta(minutes=5)


def person(number: int, **changes: str) -> dict[str, str]:
    """Return a row of one of many customers."""
    base = WANG if number % 2 else CHEN
    ids = {"customer_id": f"C-{number}", "account_id": f"A-{number}", "phone": f"09{12000000 + number}"}
    return row(base, **(ids | changes))


BEFORE = [person(number) for number in (1, 2, 9)]
"""A file from the day before: customers 1, 2 and 9 are known."""

ROWS = [
    person(1),  # unchanged
    person(2, amount="999"),  # changed
    person(3, due_on="5.12.26"),  # refused
    person(4),
    person(5, account_id="A-77"),  # the account of two customers
    person(6, hold="opted_out"),
    person(7, account_id="A-77"),
    row(customer_id="", account_id="A-99", name="林大同"),  # nobody's row
    row(customer_id="", account_id="", name=""),  # and one that seems to belong to the row above it
    person(8, phone="0912000004"),  # shares the number of 4
    person(4, instalment_no="2", due_on="2027-01-05"),  # stands far from the other row of 4
    person(10, hold="on vacation"),  # a word that is noted
]
LIST = [row for row in ROWS if row["customer_id"] != "C-9"] + [person(number) for number in range(20, 32)]
KNOWN_TO_LIST = [*BEFORE, *(person(number) for number in range(20, 32))]


def office(parts: int, before: Sequence[dict[str, str]] = BEFORE) -> SplitOffice:
    """Return an office that has loaded the file of the day before, whole."""
    made = SplitOffice()
    made.load(csv_of(before), "accounts/before.csv", UPLOADED_AT - timedelta(days=1))
    made.parts = parts
    made.publisher.published.clear()
    made.telemetry.counts.clear()
    made.uploads.rejects.clear()
    made.calls = Calls()
    return made


def loaded(parts: int, key: str = KEY, rows: Sequence[dict[str, str]] = ROWS) -> SplitOffice:
    made = office(parts, KNOWN_TO_LIST if key == LIST_KEY else BEFORE)
    made.load(csv_of(rows), key)
    return made


@pytest.mark.parametrize("parts", [2, PARTS, 7, 40])
def test_a_file_loaded_in_parts_comes_to_the_same_as_the_file_loaded_whole(parts: int) -> None:
    whole, split = loaded(1), loaded(parts)
    assert split.outcome() == whole.outcome()
    assert split.telemetry.counts == whole.telemetry.counts
    (of_whole,), (of_split,) = whole.events, split.events
    assert (of_split.parts, of_whole.parts) == (parts, 1)
    assert {name: getattr(of_split, name) for name in COUNTS} == {name: getattr(of_whole, name) for name in COUNTS}
    assert split.is_put_away()


COUNTS = (
    "rows", "rows_refused", "customers_loaded", "customers_unchanged", "customers_refused", "customers_older",
    "customers_erased", "customers_not_in_list", "phones_shared", "rejects_key", "refused",
)  # fmt: skip


@pytest.mark.parametrize("parts", [2, PARTS])
def test_a_whole_list_loaded_in_parts_silences_whom_all_parts_lack(parts: int) -> None:
    whole, split = loaded(1, LIST_KEY, LIST), loaded(parts, LIST_KEY, LIST)
    assert split.outcome() == whole.outcome()
    assert split.store.facts["C-9"].not_in_list_since == UPLOADED_AT
    assert split.telemetry.counts == whole.telemetry.counts
    assert split.is_put_away(LIST_KEY)


@pytest.mark.parametrize("parts", [1, PARTS])
def test_a_whole_list_that_lacks_too_many_is_refused_before_anything_of_it_is_loaded(parts: int) -> None:
    made = office(parts, KNOWN_TO_LIST)
    known = made.store.facts
    made.load(csv_of([person(1, amount="5"), person(50)]), LIST_KEY)
    assert made.store.facts == known
    (event,) = made.events
    assert event.refused == "too_many_missing"
    assert [line[3] for line in made.uploads.rejects["rejects/complete/demo-tw/file.csv"][1:]] == ["too_many_missing"]
    assert made.telemetry.counts[Metric.FILES_REFUSED] == 1
    assert made.is_put_away(LIST_KEY)
    assert not [load for load in made.store.file_loads.loads if load.key == LIST_KEY]


@pytest.mark.parametrize("content", [csv_of(ROWS) + '"a quote that never ends', "PK\x03\x04", "customer_id,name\n1,2"])
def test_a_file_that_is_refused_whole_leaves_no_parts_and_puts_nothing_on_the_queue(content: str) -> None:
    whole, split = office(1), office(PARTS)
    for made in (whole, split):
        made.upload(content)
    assert not split.queue.messages
    assert split.outcome() == whole.outcome()
    assert split.events[0].refused
    assert split.is_put_away()


def all_ends(key: str, rows: Sequence[dict[str, str]]) -> list[tuple[int, End]]:
    calls = loaded(PARTS, key, rows).calls.made
    return [(number, how) for number in range(1, calls + 1) for how in End]


@pytest.mark.slow(reason="each call of splitter, loader and finisher dies or fails once, before its effect or after it")
@pytest.mark.parametrize(("key", "rows"), [(KEY, ROWS), (LIST_KEY, LIST)], ids=["file", "whole list"])
def test_wherever_a_process_dies_or_a_call_fails_the_next_delivery_repairs_it(
    key: str, rows: Sequence[dict[str, str]]
) -> None:
    expected = loaded(1, key, rows).outcome()
    ends = all_ends(key, rows)
    assert len(ends) > 200
    for number, how in ends:
        made = office(PARTS, KNOWN_TO_LIST if key == LIST_KEY else BEFORE)
        made.calls = Calls(number, how)
        made.load(csv_of(rows), key)
        assert made.calls.how is None, "the call was not made"
        where = f"{how} at call {number}, {made.calls.last}"
        assert made.outcome() == expected, where
        assert made.is_put_away(key), where
        # Only whoever told of the load and then died tells of it twice.
        tells_twice = how in {End.DIES_AFTER, End.FAILS_AFTER} and made.calls.last == "publish"
        assert len(made.events) == 1 or tells_twice or made.calls.last in AFTER_THE_EVENT, where


AFTER_THE_EVENT = {"save_split", "read_split", "remove", "save_loads", "read_loads"}
"""Calls that may come after `FileLoaded`: the load is then brought to its end, and told of, once more."""


def test_the_same_event_twice_changes_nothing_and_its_parts_are_put_away() -> None:
    made = loaded(PARTS)
    expected, written = made.outcome(), made.store.writes
    made.load(csv_of(ROWS))
    assert (made.outcome(), made.store.writes) == (expected, written)
    assert len(made.events) == 1
    assert made.is_put_away()


def test_the_same_file_uploaded_again_changes_no_customer() -> None:
    made = loaded(PARTS)
    facts, standings = made.store.facts, dict(made.store.standings)
    made.load(csv_of(ROWS), at=LATER)
    assert made.store.standings == standings
    assert made.store.facts == facts
    assert made.events[-1].customers_loaded == 0
    assert made.is_put_away(at=LATER)


def test_a_split_that_is_handed_over_again_while_parts_are_loaded_loads_no_part_again() -> None:
    made = office(PARTS)
    made.upload(csv_of(ROWS))
    first, *others = made.take()
    made.deliver(first)
    made.upload(csv_of(ROWS))
    assert sorted(made.queue.messages) == sorted((body, timedelta()) for body in others)
    made.drain()
    assert made.outcome() == loaded(1).outcome()


def test_messages_that_come_twice_and_late_end_the_load_once() -> None:
    made = office(PARTS)
    made.upload(csv_of(ROWS))
    messages = made.take()
    for body in [*messages, *messages, *messages]:
        assert made.deliver(body)
    assert made.outcome() == loaded(1).outcome()
    assert len(made.events) == 1


def test_of_two_last_parts_that_end_at_the_same_moment_one_ends_the_load() -> None:
    made = office(2)
    made.upload(csv_of(ROWS))
    first, second = made.take()
    save = made.splits.save_split

    def meanwhile(split: object) -> bool:
        made.splits.save_split = save  # type: ignore[method-assign]
        assert made.deliver(second)  # the other part ends between this one's read and its write
        return save(split)  # type: ignore[arg-type]

    made.splits.save_split = meanwhile  # type: ignore[method-assign]
    assert made.deliver(first)
    assert len(made.events) == 1
    assert made.outcome() == loaded(1).outcome()


def test_a_part_that_fails_is_named_and_the_others_are_loaded_and_nothing_is_told_before_it_is() -> None:
    made = office(PARTS)
    made.upload(csv_of(ROWS))
    split_id = file_id(KEY, UPLOADED_AT)
    body = made.work.files.pop(part_key(split_id, 1))
    results = {message: made.deliver(message) for message in made.take()}
    failed = file_part_body(FilePart(split_id, 1))
    assert [message for message, worked in results.items() if not worked] == [failed]
    (fields,) = [fields for event, fields in made.telemetry.events if event == LogEvent.FILE_PART_FAILED]
    assert (fields["split_id"], fields["part"], fields["code"]) == (split_id, 1, "NoSuchKey")
    assert made.telemetry.counts[Metric.FILE_PARTS_FAILED] == 1
    expected = loaded(1)
    others = {found for found in expected.store.facts if part_of_customer(found, PARTS) != 1}
    assert {found: made.store.facts[found] for found in others} == {
        found: expected.store.facts[found] for found in others
    }
    assert not made.events
    made.work.files[part_key(split_id, 1)] = body
    assert made.deliver(failed)  # the redrive of the dead letters
    assert made.outcome() == expected.outcome()
    assert len(made.events) == 1


def test_a_message_that_is_no_part_is_named_and_comes_back() -> None:
    made = office(PARTS)
    assert not made.deliver('{"schema_version": 1, "split_id": "x"}')
    assert not made.deliver(file_part_body(FilePart("0" * 32, 0)))
    errors = [fields["error"] for event, fields in made.telemetry.events if event == LogEvent.FILE_PART_FAILED]
    assert errors == ["UnreadableRecordError", "SplitForgottenError"]


@pytest.mark.parametrize("delivered", range(PARTS + 1))
def test_a_newer_file_that_comes_while_parts_are_loaded_is_not_overwritten_by_the_older(delivered: int) -> None:
    newer = [person(1, amount="1"), person(2), person(4, amount="2")]
    made = office(PARTS)
    made.upload(csv_of([person(number, amount="777") for number in (1, 2, 4)]))
    messages = made.take()
    for body in messages[:delivered]:
        made.deliver(body)
    made.parts = 1
    made.load(csv_of(newer), "accounts/newer.csv", LATER)
    for body in messages[delivered:]:
        assert made.deliver(body)
    asked = {found: made.store.facts[f"C-{found}"].accounts[0].instalments[0].amount // 100 for found in (1, 2, 4)}
    assert asked == {1: 1, 2: 3250, 4: 2}


@pytest.mark.parametrize("newer_parts", [1, 2])
def test_an_older_file_that_is_split_after_a_newer_one_leaves_out_whom_the_newer_names(newer_parts: int) -> None:
    whole, split = office(1), office(PARTS)
    for made, newer_in in ((whole, 1), (split, newer_parts)):
        parts, made.parts = made.parts, newer_in
        made.load(csv_of([person(1), person(3), person(5)]), "accounts/newer.csv", LATER)
        made.parts = parts
        made.publisher.published.clear()
        made.load(csv_of(ROWS))
    assert split.outcome() == whole.outcome()
    assert split.events[0].customers_older == whole.events[0].customers_older > 0


def test_a_newer_list_silences_whom_it_lacks_of_an_older_file_in_parts() -> None:
    whole, split = office(1, KNOWN_TO_LIST), office(PARTS, KNOWN_TO_LIST)
    for made in (whole, split):
        parts, made.parts = made.parts, 1
        made.load(csv_of(LIST), LIST_KEY, LATER)
        made.parts = parts
        made.publisher.published.clear()
        made.load(csv_of([*ROWS, person(60)]))
    assert split.outcome() == whole.outcome()
    assert split.store.facts["C-60"].not_in_list_since == LATER


def test_a_file_that_a_deleted_file_has_overtaken_is_refused_before_it_is_split() -> None:
    made = office(PARTS)
    made.load(csv_of([person(1)]), "accounts/newer.csv", LATER)
    del made.uploads.files["accounts/newer.csv"]
    made.publisher.published.clear()
    made.upload(csv_of(ROWS))
    assert [event.refused for event in made.events] == ["overtaken"]
    assert not made.queue.messages


def test_a_part_whose_newer_file_is_deleted_meanwhile_is_refused_and_told_of() -> None:
    made = office(2)
    made.parts = 1
    made.load(csv_of([person(1)]), "accounts/newer.csv", LATER)
    made.parts = 2
    made.publisher.published.clear()
    made.upload(csv_of(ROWS))
    first, second = made.take()
    assert made.deliver(first)
    del made.uploads.files["accounts/newer.csv"]
    assert made.deliver(second)
    assert [event.refused for event in made.events] == ["overtaken"]
    assert "overtaken" in {line[3] for line in made.uploads.rejects["rejects/file.csv"][1:]}
    assert made.telemetry.counts[Metric.FILES_REFUSED] == 1


def test_a_file_has_as_many_parts_as_it_has_pieces_of_sixteen_megabytes_up_to_five_hundred() -> None:
    assert [number_of_parts(size * PART_BYTES) for size in (0, 1, 160)] == [1, 1, 160]
    assert number_of_parts(PART_BYTES + 1) == 2
    assert number_of_parts(10**12) == MOST_PARTS


def test_a_load_is_forgotten_later_than_its_parts_and_its_messages() -> None:
    made = office(PARTS)
    made.upload(csv_of(ROWS))
    (split,) = made.splits.splits.values()
    assert split.expires_at - split.begun_at >= timedelta(days=8)
    assert MOST_REMEMBERED > len(split.overtaken_by) == 0
    assert all(key.startswith((parts_folder(split.split_id), "outcomes/")) for key in made.work.files)
