"""The sample portfolio is what it says it is."""

import csv
import io
from collections import Counter
from datetime import date

import phonenumbers
import pytest

from dunning.services.intake.rows import COLUMNS
from tests.local.sample import Row, bad_rows, sample_file, sample_rows

START = date(2026, 11, 16)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(sample_rows(START))


@pytest.fixture(scope="module")
def people(rows: list[Row]) -> list[Row]:
    return list({row.customer_id: row for row in rows}.values())


def test_some_have_other_addresses_most_of_them_with_a_consent_and_nobody_shares_one() -> None:
    people = {row.customer_id: row for row in sample_rows(START)}.values()
    mailboxes = [person.email for person in people if person.email]
    assert 0.4 < len(mailboxes) / len(people) < 0.6
    assert len(set(mailboxes)) == len(mailboxes)
    friends = [person for person in people if person.line_user_id]
    assert {person.country for person in friends} == {"TW"}
    assert 20 < len({person.line_user_id for person in friends}) == len(friends)
    without = [person for person in people if person.email and not person.email_consented_at]
    assert 0 < len(without) < len(mailboxes) / 2


def test_there_are_enough_customers_of_every_place_and_language(people: list[Row]) -> None:
    assert len(people) >= 240
    assert {"TW", "CN", "HK", "US"} == {person.country for person in people}
    assert min(Counter(person.language for person in people).values()) >= 20


@pytest.mark.parametrize("seed", range(5))
def test_every_number_is_a_mobile_one(seed: int) -> None:
    textable = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    for row in sample_rows(START, seed=seed):
        number = phonenumbers.parse(row.phone, row.country)
        assert phonenumbers.is_valid_number(number), row.phone
        assert phonenumbers.number_type(number) in textable
        assert phonenumbers.region_code_for_number(number) == row.country


def test_american_numbers_are_those_kept_for_fiction(people: list[Row]) -> None:
    for person in people:
        if person.country == "US":
            assert "55501" in "".join(filter(str.isdigit, person.phone))


def test_everybody_has_one_to_three_accounts_with_one_to_twelve_instalments(rows: list[Row]) -> None:
    accounts = Counter((row.customer_id, row.account_id) for row in rows)
    assert set(accounts.values()) <= set(range(1, 13))
    assert set(Counter(customer_id for customer_id, _ in accounts).values()) == {1, 2, 3}


def test_all_ways_to_pay_or_not_are_there(rows: list[Row]) -> None:
    during = {row.account_id for row in rows if row.paid_on > START.isoformat()}
    before = {row.account_id for row in rows if row.paid_on and row.paid_on < START.isoformat()}
    partly = {row.account_id for row in rows if row.paid_amount and not row.paid_on}
    overdue = {row.account_id for row in rows if row.due_on < "2026-09-16" and not row.paid_amount}
    with_stage = {row.account_id for row in rows if row.stage_reached}
    credit = {row.account_id for row in rows if row.paid_amount and _amount(row.paid_amount) > _amount(row.amount)}
    assert min(map(len, (during, before, partly, overdue, with_stage, credit))) >= 5


def test_some_of_the_late_have_a_written_notice_and_a_few_a_late_fee(rows: list[Row]) -> None:
    due_for_a_person = [row for row in rows if row.due_on < "2026-10-10" and not row.paid_on and not row.paid_amount]
    noticed = [row for row in due_for_a_person if row.written_notice_on]
    assert 5 <= len(noticed) <= len(due_for_a_person) - 5
    with_fee = [row for row in rows if row.late_fee]
    assert 5 <= len(with_fee) <= len(rows) / 10
    for row in rows:
        assert not row.written_notice_on or row.due_on < row.written_notice_on < START.isoformat()
        assert not row.late_fee or (row.due_on < START.isoformat() and _amount(row.late_fee) < _amount(row.amount))


def test_some_are_to_be_left_alone(people: list[Row]) -> None:
    assert {"opted_out", "dispute", "promise", "hardship", "deceased"} <= {person.hold for person in people}
    assert any(not person.consented_at for person in people if person.country == "US")


def test_the_same_seed_gives_the_same_file() -> None:
    assert sample_file(START) == sample_file(START)
    assert sample_file(START) != sample_file(START, seed=8)


def test_the_file_has_the_intakes_columns_and_bad_rows_among_good_ones() -> None:
    header, *lines = csv.reader(io.StringIO(sample_file(START).decode("utf-8-sig"), newline=""))
    assert tuple(header) == COLUMNS
    bad = [number for number, line in enumerate(lines) if line in [row.values() for row in bad_rows(START)]]
    assert len(bad) == 6
    assert bad == list(range(bad[0], bad[0] + 6))
    assert 100 < bad[0] < len(lines) - 100


def _amount(written: str) -> float:
    return float(written.replace(",", ""))
