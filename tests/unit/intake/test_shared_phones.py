"""Two customers with one number: a text read by the wrong one discloses a debt, so a person looks at both first."""

from datetime import timedelta

import pytest

from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.lender_record import CustomerReleased, EventTime, RecordedEvent, record_event
from dunning.domain.delivery.channels import Channel
from dunning.domain.outbound_events import CustomerNeedsPerson, ReviewReason
from dunning.ports.customers import StoredCustomer
from tests.support.lender_files import CHEN, NOW, UPLOADED_AT, WANG, Office, row

LATER = UPLOADED_AT + timedelta(days=1)
SAME = WANG["phone"]


@pytest.fixture
def office() -> Office:
    return Office()


def held(office: Office) -> set[str]:
    """Return who is silent because of a shared number."""
    return {
        customer_id for customer_id, standing in office.store.standings.items() if standing.reason == "shared_phone"
    }


def needing_a_person(office: Office) -> list[str]:
    return [
        event.customer_id
        for event in office.publisher.published
        if isinstance(event, CustomerNeedsPerson) and event.why is ReviewReason.SHARED_PHONE
    ]


def test_two_customers_of_a_file_with_one_number_are_both_held_and_reported(office: Office) -> None:
    summary = office.load_rows(WANG, row(CHEN, phone=SAME))
    assert held(office) == {"C-1001", "C-1002"}
    assert sorted(set(needing_a_person(office))) == ["C-1001", "C-1002"]
    assert summary.phones_shared == 1
    assert office.telemetry.counts["PhonesShared"] == 1


def test_a_new_customer_with_a_known_number_puts_the_known_customer_on_hold_too(office: Office) -> None:
    office.load_rows(WANG)
    assert not held(office)
    version = office.store.standings["C-1001"].version
    office.load_rows(row(CHEN, phone=SAME), at=LATER)
    assert held(office) == {"C-1001", "C-1002"}
    assert office.store.standings["C-1001"].version == version + 1, "a claim decided before it must not pass"
    assert office.store.standings["C-1001"].wake is None


def test_three_with_one_number_are_all_held(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, phone=SAME), row(customer_id="C-3", account_id="A-3"))
    assert held(office) == {"C-1001", "C-1002", "C-3"}


def test_a_number_made_up_for_many_customers_holds_each_of_those_customers(office: Office) -> None:
    office.load_rows(*(row(customer_id=f"C-{n}", account_id=f"A-{n}") for n in range(60)))
    assert len(held(office)) == 60


def test_the_same_number_of_the_same_customer_is_nobody_elses(office: Office) -> None:
    office.load_rows(WANG, row(WANG, instalment_no="2", due_on="2027-01-05"))
    office.load_rows(row(amount="4000"), at=LATER)
    assert not held(office)


def test_a_number_corrected_lets_both_go_on(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, phone=SAME))
    office.load_rows(CHEN, at=LATER)
    assert not held(office)
    assert office.store.standings["C-1001"].wake is not None


def test_of_three_customers_the_two_who_still_share_a_number_stay_on_hold(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, phone=SAME), row(customer_id="C-3", account_id="A-3"))
    office.load_rows(CHEN, at=LATER)
    assert held(office) == {"C-1001", "C-3"}


USER = "U" + "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("column", "address", "channel"),
    [("email", "wang@example.com", Channel.EMAIL), ("line_user_id", USER, Channel.LINE)],
)
def test_a_mailbox_or_line_account_of_two_is_used_for_neither_and_each_waits_for_a_person(
    office: Office, column: str, address: str, channel: Channel
) -> None:
    summary = office.load_rows(row(**{column: address}), row(CHEN, **{column: address}))
    assert summary.phones_shared == 1
    assert sorted(set(needing_a_person(office))) == ["C-1001", "C-1002"]
    for customer_id in ("C-1001", "C-1002"):
        facts, standing = office.store.facts[customer_id], office.store.standings[customer_id]
        assert facts.address_of(channel) == address
        assert [each for each in Channel if standing.shares_address(facts, each)] == [channel]
        assert [review.why for review in standing.attention] == ["shared_phone"]
        assert standing.wake is not None, "the number is nobody else's"


def test_a_mailbox_is_the_same_in_capitals(office: Office) -> None:
    office.load_rows(row(email="Wang@Example.com"))
    office.load_rows(row(CHEN, email="WANG@example.COM"), at=LATER)
    assert sorted(needing_a_person(office)) == ["C-1001", "C-1002"]


def test_a_mailbox_corrected_lets_both_use_theirs_and_nobody_waits(office: Office) -> None:
    office.load_rows(row(email="home@example.com"), row(CHEN, email="home@example.com"))
    office.load_rows(row(CHEN, email="chen@example.com"), at=LATER)
    for customer_id in ("C-1001", "C-1002"):
        facts, standing = office.store.facts[customer_id], office.store.standings[customer_id]
        assert not standing.shares_address(facts, Channel.EMAIL)
        assert not standing.attention


def test_a_mailbox_that_is_shared_goes_on_waiting_for_a_person_whatever_else_changes(office: Office) -> None:
    office.load_rows(row(email="home@example.com"), row(CHEN, email="home@example.com"))
    office.load_rows(row(email="home@example.com", amount="4000"), at=LATER)
    assert [review.why for review in office.store.standings["C-1001"].attention] == ["shared_phone"]
    assert len(needing_a_person(office)) == 2


def test_whoever_shares_number_and_mailbox_is_announced_once(office: Office) -> None:
    office.load_rows(row(email="home@example.com"))
    office.load_rows(row(CHEN, phone=SAME, email="home@example.com"), at=LATER)
    assert sorted(needing_a_person(office)) == ["C-1001", "C-1002"]


def test_whose_number_it_was_does_not_share_it(office: Office) -> None:
    office.load_rows(WANG)
    office.load_rows(row(phone="0911111111"), at=LATER)
    office.load_rows(row(CHEN, phone=SAME), at=LATER)
    assert not held(office)


def test_a_customer_who_takes_a_shared_number_again_is_on_hold_again_with_the_other(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, phone=SAME))
    office.load_rows(CHEN, at=LATER)
    assert not held(office)
    office.load_rows(row(CHEN, phone=SAME), at=LATER + timedelta(hours=1))
    assert held(office) == {"C-1001", "C-1002"}


def test_a_customer_whom_a_person_has_released_stays_released_until_a_new_customer_shares_the_number(
    office: Office,
) -> None:
    office.load_rows(WANG, row(CHEN, phone=SAME))
    for customer_id in ("C-1001", "C-1002"):
        stored = office.store.load_stored([customer_id])[customer_id]
        assert isinstance(stored, StoredCustomer)
        release = RecordedEvent(EventTime(NOW + timedelta(hours=1)), CustomerReleased(HoldReason.SHARED_PHONE))
        assert office.store.save_lender_record(
            record_event(stored.lender_record, release), expected_revision=stored.lender_record.revision
        )
    office.clock.move_to(NOW + timedelta(hours=2))
    office.load_rows(row(amount="4000"), row(CHEN, phone=SAME, amount="4000"), at=LATER)
    assert not held(office)
    office.load_rows(row(customer_id="C-3", account_id="A-3"), at=LATER)
    assert held(office) == {"C-1001", "C-1002", "C-3"}


def test_a_crash_after_the_facts_is_made_up_for_by_the_same_file(office: Office) -> None:
    office.load_rows(WANG)
    add_address = office.store.add_address

    def crash(address: str, customer_id: str) -> frozenset[str]:
        del address, customer_id
        raise RuntimeError

    office.store.add_address = crash  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        office.load_rows(row(CHEN, phone=SAME))
    office.store.add_address = add_address  # type: ignore[method-assign]
    assert not held(office)
    office.load_rows(row(CHEN, phone=SAME))
    assert held(office) == {"C-1001", "C-1002"}
