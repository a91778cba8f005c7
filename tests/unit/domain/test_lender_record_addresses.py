"""Addresses and consents: of files and events the later statement counts, and a withdrawal outlives every file."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    AddressChanged,
    ConsentChanged,
    LenderRecord,
    RecordedEvent,
    erase_record,
    forget_former_addresses,
    former_addresses,
    project_facts,
    record_event,
    record_snapshot,
    with_addresses_given,
    with_next_addresses,
)
from dunning.domain.delivery.channels import AddressKind, Channel
from tests.support.builders import a_customer, a_lender_record, by_event, facts_of

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
USER = "U" + "0123456789abcdef" * 2
MAIL = AddressKind.EMAIL


def a_file(at: datetime, **changes: object) -> Facts:
    return replace(a_customer(), as_of=at, **changes)  # type: ignore[arg-type]


def after(*words: Facts | RecordedEvent) -> LenderRecord:
    record = LenderRecord(customer_id="C0001")
    for word in words:
        record = record_snapshot(record, word) if isinstance(word, Facts) else record_event(record, word)
    return record


def facts_after(*words: Facts | RecordedEvent) -> Facts:
    return facts_of(after(*words))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_addresses_by_file_and_event_the_later_statement_counts_in_any_order(order: tuple[int, ...]) -> None:
    words = (
        by_event(NOW - DAY, AddressChanged(MAIL, "first@example.com")),
        a_file(NOW, email="second@example.com"),
        by_event(NOW + DAY, AddressChanged(MAIL, "third@example.com")),
    )
    assert facts_after(*(words[index] for index in order)).email == "third@example.com"
    assert facts_after(*(words[index] for index in order if index < 2)).email == "second@example.com"


def test_a_file_without_the_address_leaves_what_an_event_said() -> None:
    line = by_event(NOW - DAY, AddressChanged(AddressKind.LINE, USER))
    assert facts_after(line, a_file(NOW), a_file(NOW + DAY)).line_user_id == USER
    none = by_event(NOW, AddressChanged(AddressKind.LINE, ""))
    assert facts_after(line, none, a_file(NOW + DAY)).line_user_id is None


def test_a_file_without_the_address_takes_back_what_an_earlier_file_said() -> None:
    assert facts_after(a_file(NOW, email="wang@example.com"), a_file(NOW + DAY)).email is None


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_withdrawn_consent_outlives_every_file_that_still_has_it(order: tuple[int, ...]) -> None:
    words = (by_event(NOW, ConsentChanged(Channel.EMAIL)), a_file(NOW + DAY, channel_consents={"email": NOW - DAY}))
    facts = facts_after(*(words[index] for index in order))
    assert not facts.has_consented_to(Channel.EMAIL, NOW + 9 * DAY)
    assert facts.channel_consents is None


def test_a_consent_of_the_moment_of_the_withdrawal_is_withdrawn() -> None:
    withdrawn = by_event(NOW, ConsentChanged(Channel.EMAIL))
    for given, counts in ((NOW, False), (NOW + SECOND, True)):
        facts = facts_after(withdrawn, a_file(NOW + DAY, channel_consents={"email": given}))
        assert facts.consent_to(Channel.EMAIL) == (given if counts else None)


def test_a_consent_given_after_a_withdrawal_counts() -> None:
    withdrawn = by_event(NOW, ConsentChanged(Channel.EMAIL))
    by_file = a_file(NOW + 3 * DAY, channel_consents={"email": NOW + DAY})
    assert facts_after(withdrawn, by_file).has_consented_to(Channel.EMAIL, NOW + 9 * DAY)
    anew = by_event(NOW + DAY, ConsentChanged(Channel.EMAIL, NOW + DAY))
    assert facts_after(a_file(NOW), withdrawn, anew).has_consented_to(Channel.EMAIL, NOW + 9 * DAY)
    again = by_event(NOW + 2 * DAY, ConsentChanged(Channel.EMAIL))
    assert not facts_after(a_file(NOW), anew, again).has_consented_to(Channel.EMAIL, NOW + 9 * DAY)


def test_a_consent_of_the_day_of_the_withdrawal_may_be_the_one_withdrawn() -> None:
    end_of_day = datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC)
    withdrawn = by_event(NOW, ConsentChanged(Channel.EMAIL))
    facts = facts_after(withdrawn, a_file(NOW + DAY, channel_consents={"email": end_of_day}))
    assert not facts.has_consented_to(Channel.EMAIL, NOW + 9 * DAY)


def test_a_consent_to_one_channel_is_none_to_another() -> None:
    facts = facts_after(a_file(NOW), by_event(NOW, ConsentChanged(Channel.LINE, NOW)))
    assert [channel for channel in Channel if facts.has_consented_to(channel, NOW)] == [Channel.LINE]
    assert not facts.has_consented_to(Channel.LINE, NOW - DAY)


@pytest.mark.parametrize(
    ("by_event_at", "given"),
    [(NOW - HOUR, NOW - 2 * DAY), (NOW, NOW - 2 * DAY), (NOW + HOUR, NOW - HOUR)],
)
@pytest.mark.parametrize("is_file_first", [False, True])
def test_of_consents_by_file_and_event_the_later_statement_counts(
    by_event_at: datetime, given: datetime, *, is_file_first: bool
) -> None:
    words = [
        a_file(NOW, channel_consents={"email": NOW - 2 * DAY}),
        by_event(by_event_at, ConsentChanged(Channel.EMAIL, NOW - HOUR)),
    ]
    facts = facts_after(*(words if is_file_first else reversed(words)))
    assert facts.consent_to(Channel.EMAIL) == given


def test_an_event_counts_against_a_file_of_no_known_time() -> None:
    record = a_lender_record(a_customer(channel_consents={"email": NOW - DAY}, email="wang@example.com"))
    record = record_event(record, by_event(NOW, ConsentChanged(Channel.EMAIL, NOW - HOUR)))
    facts = project_facts(record_event(record, by_event(NOW, AddressChanged(MAIL, ""))))
    assert facts is not None
    assert (facts.consent_to(Channel.EMAIL), facts.email) == (NOW - HOUR, None)


def test_addresses_on_their_way_count_from_when_they_are_noted_until_the_file_that_brings_them() -> None:
    record = after(a_file(NOW, phone="+886911"))
    noted = with_next_addresses(record, ["next@example.com", "+886922"])
    assert (noted.next_phone, noted.next_addresses) == ("+886922", ("next@example.com",))
    assert (noted.phones, noted.addresses) == (("+886911", "+886922"), ("next@example.com",))
    assert noted.has_or_gets("+886922")
    assert noted.has_or_gets("next@example.com")
    assert noted.revision == record.revision + 1
    more = with_next_addresses(noted, [USER])
    assert (more.next_phone, more.next_addresses) == ("+886922", ("next@example.com", USER))
    assert more.phones == ("+886911", "+886922")
    brought = record_snapshot(more, a_file(NOW + DAY, phone="+886911"))
    assert (brought.next_phone, brought.next_addresses) == ("", ())
    assert brought.phones == ("+886911", "+886922")


@pytest.mark.parametrize("addresses", [[], ["+886922"], [USER, "+886922", "next@example.com"]])
def test_addresses_that_are_noted_already_change_nothing(addresses: list[str]) -> None:
    noted = with_next_addresses(after(a_file(NOW)), addresses)
    assert with_next_addresses(noted, addresses) is noted


def test_an_address_that_an_event_has_given_is_no_longer_on_its_way() -> None:
    noted = with_next_addresses(after(a_file(NOW)), [USER, "+886922"])
    given = with_addresses_given(noted)
    assert (given.next_addresses, given.next_phone, given.addresses) == ((), "+886922", (USER,))


def test_all_addresses_a_customer_has_had_are_known_until_the_erasure_has_used_them() -> None:
    record = after(a_file(NOW, email="first@example.com", line_user_id=USER), a_file(NOW + DAY, email="x@example.com"))
    record = with_next_addresses(record, ["next@example.com"])
    assert record.has_or_gets("next@example.com")
    assert record.has_or_gets("x@example.com")
    assert not record.has_or_gets("first@example.com")
    erased = erase_record(record, NOW + 2 * DAY, NOW + 3 * DAY)
    assert set(former_addresses(erased)) == {
        record.phones[0], "first@example.com", USER, "x@example.com", "next@example.com"
    }  # fmt: skip
    assert not erased.has_or_gets("next@example.com")
    bare = forget_former_addresses(erased)
    assert (bare.phones, bare.addresses, bare.events, bare.snapshot) == ((), (), {}, None)


def test_whoever_returns_keeps_the_new_addresses_and_loses_the_former() -> None:
    record = after(a_file(NOW, email="old@example.com"), by_event(NOW, AddressChanged(AddressKind.LINE, USER)))
    erased = erase_record(record, NOW + DAY, NOW + 2 * DAY)
    back = record_snapshot(erased, a_file(NOW + 3 * DAY, email="new@example.com", consented_at=NOW + 2 * DAY))
    facts = project_facts(back)
    assert facts is not None
    assert (facts.email, facts.line_user_id) == ("new@example.com", None)
    assert set(forget_former_addresses(back).addresses) == {"new@example.com"}


def test_a_present_address_is_no_former_one_and_is_not_forgotten() -> None:
    old = a_file(NOW, phone="+886911", email="old@example.com")
    record = after(old, a_file(NOW + DAY, phone="+886922", email="new@example.com"))
    assert former_addresses(record) == ("+886911", "old@example.com")
    bare = forget_former_addresses(record)
    assert (bare.phones, bare.addresses) == (("+886922",), ("new@example.com",))
    assert bare.revision == record.revision + 1
    assert forget_former_addresses(bare) is bare
    assert former_addresses(bare) == ()
