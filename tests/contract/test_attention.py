"""The attention index: who waits for a person, in which order, of the fake and of DynamoDB alike."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.domain.customer.standing import OpenReview
from dunning.ports.attention import WaitingCustomer
from tests.contract.conftest import Office
from tests.support.people import NOW, someone, waking

HOUR = timedelta(hours=1)


def _wait(office: Office, number: int, since: datetime, why: str = "question", lender: str = "demo-tw") -> str:
    facts = someone(number)
    standing = waking(facts, lender_id=lender, attention=(OpenReview(why, since, f"r{number}"),))
    assert office.customers.save_standing(standing, expected_version=0)
    return facts.customer_id


def _ids(waiting: list[WaitingCustomer]) -> list[str]:
    return [customer.customer_id for customer in waiting]


def test_who_has_waited_longest_comes_first_and_before_them_who_cannot_wait(office: Office) -> None:
    newer, older = _wait(office, 1, NOW), _wait(office, 2, NOW - HOUR)
    urgent = _wait(office, 3, NOW + HOUR, "distress")
    assert list(office.customers.waiting_customers("demo-tw", 10)) == [
        WaitingCustomer(urgent, NOW + HOUR, urgent=True),
        WaitingCustomer(older, NOW - HOUR),
        WaitingCustomer(newer, NOW),
    ]


def test_nobody_waits_who_waits_for_nothing_or_for_another_lender(office: Office) -> None:
    _wait(office, 1, NOW, lender="demo-hk")
    assert office.customers.save_standing(waking(someone(2), lender_id="demo-tw"), expected_version=0)
    assert list(office.customers.waiting_customers("demo-tw", 10)) == []
    assert list(office.customers.waiting_customers("nobody", 10)) == []


def test_whoever_was_attended_is_in_the_list_no_more(office: Office) -> None:
    _wait(office, 1, NOW)
    attended = waking(someone(1), lender_id="demo-tw", version=2)
    assert office.customers.save_standing(attended, expected_version=1)
    assert list(office.customers.waiting_customers("demo-tw", 10)) == []


def test_a_stop_rests_while_nothing_is_open(office: Office) -> None:
    facts = someone(1)
    finished = waking(facts, None, lender_id="demo-tw", attention=(OpenReview("ladder_finished", NOW),))
    paid = replace(finished, reason="nothing_open")
    assert office.customers.save_standing(paid, expected_version=0)
    assert list(office.customers.waiting_customers("demo-tw", 10)) == []
    assert office.customers.save_standing(replace(finished, version=2, reason="ladder_finished"), expected_version=1)
    assert _ids(list(office.customers.waiting_customers("demo-tw", 10))) == [facts.customer_id]


@pytest.mark.parametrize("limit", [1, 4, 7])
def test_the_list_is_read_page_by_page_each_customer_once(office: Office, limit: int) -> None:
    everyone = [_wait(office, number, NOW + number % 3 * HOUR) for number in range(9)]
    found: list[WaitingCustomer] = []
    while page := office.customers.waiting_customers("demo-tw", limit, found[-1] if found else None):
        assert len(page) <= limit
        found += page
    assert sorted(_ids(found)) == sorted(everyone)
    assert [customer.since for customer in found] == sorted(customer.since for customer in found)


def test_a_page_goes_on_behind_a_customer_who_was_attended_meanwhile(office: Office) -> None:
    first, second = _wait(office, 1, NOW), _wait(office, 2, NOW + HOUR)
    (last,) = office.customers.waiting_customers("demo-tw", 1)
    assert last.customer_id == first
    assert office.customers.save_standing(waking(someone(1), lender_id="demo-tw", version=2), expected_version=1)
    assert _ids(list(office.customers.waiting_customers("demo-tw", 5, last))) == [second]
