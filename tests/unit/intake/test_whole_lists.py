"""Whole lists: who is missing in a file below complete/ gets no text until a file names them again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import ReminderStopped
from dunning.services.planning import fingerprint
from tests.support.lender_files import CHEN, UPLOADED_AT, WANG, Office, csv_of, row

DAY = timedelta(days=1)
OTHERS = tuple(
    row(customer_id=f"C-{n}", account_id=f"A-{n}", phone=f"09123400{n:02}", due_on="2026-12-15") for n in range(10, 29)
)
"""Nineteen more customers: with one of twenty missing a list may be whole."""


@pytest.fixture
def office() -> Office:
    return Office()


def silent(office: Office) -> set[str]:
    return {customer_id for customer_id, standing in office.store.standings.items() if standing.reason == "not_in_list"}


def test_a_customer_whom_the_whole_list_lacks_gets_no_text_and_is_told(office: Office) -> None:
    office.load_rows(WANG, *OTHERS)
    version = office.store.standings["C-1001"].version
    summary = office.load_list(*OTHERS, at=UPLOADED_AT + DAY)
    standing = office.store.standings["C-1001"]
    assert (silent(office), standing.wake, standing.version) == ({"C-1001"}, None, version + 1)
    assert (summary.not_in_list, summary.refused) == (1, "")
    assert office.rejects == [("", "C-1001", "customer_id", "not_in_list")]
    assert office.telemetry.counts["CustomersNotInList"] == 1
    assert [event.reason for event in office.publisher.published if isinstance(event, ReminderStopped)] == [
        "not_in_list"
    ]


def test_a_file_of_changes_silences_nobody(office: Office) -> None:
    office.load_rows(WANG, *OTHERS)
    summary = office.load_rows(CHEN, at=UPLOADED_AT + DAY)
    assert (silent(office), summary.not_in_list) == (set(), 0)


@pytest.mark.parametrize("is_list", [True, False])
def test_a_customer_who_is_seen_again_is_texted_again(office: Office, is_list: bool) -> None:  # noqa: FBT001
    office.load_rows(WANG, *OTHERS)
    office.load_list(*OTHERS, at=UPLOADED_AT + DAY)
    again = office.load_list if is_list else office.load_rows
    again(WANG, *(OTHERS if is_list else ()), at=UPLOADED_AT + 2 * DAY)
    assert silent(office) == set()
    assert office.store.standings["C-1001"].wake is not None
    assert office.store.facts["C-1001"].not_in_list_since is None


def test_an_older_file_that_comes_late_does_not_end_the_silence(office: Office) -> None:
    office.load_rows(WANG, *OTHERS)
    office.load_list(*OTHERS, at=UPLOADED_AT + 2 * DAY)
    summary = office.load_rows(row(amount="1"), at=UPLOADED_AT + DAY)
    assert (silent(office), summary.older) == ({"C-1001"}, 1)


def test_an_older_list_that_comes_late_silences_nobody_whom_a_newer_file_names(office: Office) -> None:
    office.load_rows(*OTHERS)
    office.load_rows(WANG, at=UPLOADED_AT + 2 * DAY)
    office.load_list(*OTHERS, at=UPLOADED_AT + DAY)
    assert silent(office) == set()


def test_the_same_list_twice_changes_nothing_and_tells_the_same(office: Office) -> None:
    office.load_rows(WANG, *OTHERS)
    office.load_list(*OTHERS, at=UPLOADED_AT + DAY)
    writes = office.store.writes
    summary = office.load_list(*OTHERS, at=UPLOADED_AT + DAY)
    assert (office.store.writes, summary.not_in_list) == (writes, 1)


def test_a_customer_who_is_named_in_a_row_that_is_refused_is_not_missing(office: Office) -> None:
    office.load_rows(WANG, *OTHERS)
    office.load_list(row(due_on="05/12/2026"), *OTHERS, at=UPLOADED_AT + DAY)
    assert silent(office) == set()


def test_customers_of_other_lenders_are_not_asked_for(office: Office) -> None:
    office.load_rows(row(CHEN, lender="demo-cn"), WANG, *OTHERS)
    office.load_list(WANG, *OTHERS, at=UPLOADED_AT + DAY)
    assert silent(office) == set()


def test_a_list_that_lacks_more_than_a_tenth_is_refused_whole(office: Office) -> None:
    office.load_rows(WANG, CHEN, *OTHERS[:18])
    writes = office.store.writes
    summary = office.load_list(*OTHERS[:17], row(CHEN, amount="100"), at=UPLOADED_AT + DAY)
    assert summary.refused == ""
    summary = office.load_list(*OTHERS[:15], at=UPLOADED_AT + 2 * DAY)
    assert summary.refused == "too_many_missing"
    (reject,) = office.uploads.rejects["rejects/complete/demo-tw/file.csv"][1:]
    assert "It lacks 3 of 18; at most 10% may be missing." in reject[4]
    assert office.store.writes > writes
    assert silent(office) == {"C-1001", OTHERS[17]["customer_id"]}


def test_customers_who_have_paid_everything_may_leave_the_list(office: Office) -> None:
    paid = [row(other, paid_on="2026-11-30") for other in OTHERS[:10]]
    office.load_rows(WANG, *paid, *OTHERS[10:])
    summary = office.load_list(WANG, *OTHERS[10:], at=UPLOADED_AT + DAY)
    assert (summary.refused, summary.not_in_list, office.rejects) == ("", 10, [])


@pytest.mark.parametrize("key", ["complete/file.csv", "complete/nobody/file.csv"])
def test_a_list_has_to_lie_in_the_folder_of_its_lender(office: Office, key: str) -> None:
    summary = office.load_list(WANG, key=key)
    assert summary.refused == "unknown_list"
    assert office.store.writes == 0


def test_a_row_of_another_lender_is_refused(office: Office) -> None:
    office.load_list(row(lender="demo-cn"), *OTHERS)
    assert office.rejects == [("2", "C-1001", "lender", "not_the_lender_of_the_list")]


def test_a_list_that_failed_half_way_is_finished_by_the_next_try(office: Office) -> None:
    many = [row(customer_id=f"D-{n}", account_id=f"B-{n}", phone=f"0912{n:06}") for n in range(60)]
    office.load_rows(WANG, CHEN, *many)
    save, calls = office.store.save_customer, iter(range(100))

    def failing(*arguments: object, **named: object) -> bool:
        if next(calls) == 1:
            raise ServiceCallError("TransactWriteItems", "Throttling")
        return save(*arguments, **named)  # type: ignore[arg-type]

    office.store.save_customer = failing  # type: ignore[method-assign]
    with pytest.raises(ServiceCallError):
        office.load_list(*many, at=UPLOADED_AT + DAY)
    summary = office.load_list(*many, at=UPLOADED_AT + DAY)
    assert summary.not_in_list == 2
    assert [cells[1] for cells in office.rejects] == ["C-1001", "C-1002"], "the report tells of both"
    missing = {customer_id for customer_id, facts in office.store.facts.items() if facts.not_in_list_since}
    assert missing == {"C-1001", "C-1002"}


def test_a_record_that_cannot_be_read_stops_no_list(office: Office) -> None:
    office.load_rows(WANG, *OTHERS)
    office.store.unreadable.add("C-1001")
    assert office.load_list(*OTHERS, at=UPLOADED_AT + DAY).refused == ""


def test_a_list_is_read_as_every_file(office: Office) -> None:
    content = csv_of([WANG]).replace(",", ";").encode("utf-16")
    office.uploads.files["complete/demo-tw/a.csv"] = content
    assert office.service.load("bucket", "complete/demo-tw/a.csv", UPLOADED_AT).customers_loaded == 1


def test_facts_change_when_a_customer_is_missing(office: Office) -> None:
    office.load_rows(WANG)
    facts = office.store.facts["C-1001"]
    assert fingerprint(facts) != fingerprint(replace(facts, not_in_list_since=UPLOADED_AT))


def test_an_older_file_does_not_bring_in_whom_a_newer_whole_list_lacks(office: Office) -> None:
    office.load_rows(*OTHERS)
    office.load_list(*OTHERS, at=UPLOADED_AT + 2 * DAY)
    summary = office.load_rows(WANG, at=UPLOADED_AT + DAY)
    assert (silent(office), summary.not_in_list) == ({"C-1001"}, 1)
    assert office.rejects == [("", "C-1001", "customer_id", "not_in_list")]
    assert office.store.facts["C-1001"].not_in_list_since == UPLOADED_AT + 2 * DAY


def test_an_older_file_brings_in_another_lenders_customer_whom_no_list_of_that_lender_lacks(office: Office) -> None:
    office.load_rows(*OTHERS)
    office.load_list(*OTHERS, at=UPLOADED_AT + 2 * DAY)
    office.load_rows(row(lender="demo-cn"), at=UPLOADED_AT + DAY)
    assert silent(office) == set()


def test_a_list_that_was_refused_whole_overtakes_no_payment(office: Office) -> None:
    office.load_rows(WANG, *OTHERS)
    assert office.load_list(WANG, at=UPLOADED_AT + 2 * DAY).refused == "too_many_missing"
    office.load_rows(row(paid_amount="3250", paid_on="2026-12-01"), at=UPLOADED_AT + DAY)
    assert office.store.facts["C-1001"].accounts[0].instalments[0].open == 0
    assert silent(office) == set()


def test_a_list_that_began_while_an_older_file_was_loading_counts(office: Office) -> None:
    office.load_rows(*OTHERS)
    begun = office.uploads.open

    def open_and_load_a_list(bucket: str, key: str) -> object:
        office.uploads.open = begun  # type: ignore[method-assign]
        office.load_list(*OTHERS, at=UPLOADED_AT + 2 * DAY)
        return begun(bucket, key)

    office.uploads.open = open_and_load_a_list  # type: ignore[assignment,method-assign]
    office.load_rows(WANG, at=UPLOADED_AT + DAY)
    assert silent(office) == {"C-1001"}
