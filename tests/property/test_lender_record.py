"""What a lender says may come late, twice, in any order and in any bundles: what it comes to is the same."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import batched

from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.lender_record import (
    FILE_LAG,
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    LenderRecord,
    RecordedEvent,
    erase_record,
    forget_former_addresses,
    is_barred_by_erasure,
    present_addresses,
    project_facts,
    record_event,
    record_snapshot,
)
from dunning.domain.delivery.channels import AddressKind, Channel
from tests.support.builders import a_customer, an_account, an_instalment

START = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

type Word = Facts | RecordedEvent
"""One thing a lender says: a snapshot about the whole customer, or an event."""

HOURS = st.integers(0, 96)
MOMENTS = HOURS.map(lambda hours: START + hours * HOUR)
REASONS = st.sampled_from([HoldReason.DISPUTE, HoldReason.HARDSHIP])
ACCOUNTS = st.sampled_from(["A1", "A2", "A9"])
NUMBERS = st.integers(1, 3)

events: st.SearchStrategy[LenderEvent] = st.one_of(
    st.builds(InstalmentPaid, ACCOUNTS, NUMBERS, st.integers(0, 3), st.just("TWD")),
    st.builds(
        InstalmentChanged,
        account_id=ACCOUNTS,
        number=NUMBERS,
        due_on=st.sampled_from([date(2026, 12, 20), date(2026, 12, 24)]),
        amount=st.integers(1, 3),
        currency=st.just("TWD"),
    ),
    st.builds(AccountClosed, ACCOUNTS),
    st.builds(CustomerHold, REASONS, st.none() | st.just(date(2026, 12, 31))),
    st.builds(CustomerReleased, st.none() | REASONS),
    st.builds(AddressChanged, st.just(AddressKind.EMAIL), st.sampled_from(["", "a@example.com", "b@example.com"])),
    st.builds(ConsentChanged, st.sampled_from([Channel.EMAIL, Channel.LINE]), st.none() | MOMENTS),
)  # fmt: skip
recorded_events = st.builds(RecordedEvent, st.builds(EventTime, MOMENTS, st.integers(0, 1)), events)


@st.composite
def statements(draw: st.DrawFn) -> list[Facts]:
    """Draw up to three statements, each of another moment; some know of payments only up to a day before."""
    drawn = []
    for hours in draw(st.lists(HOURS, max_size=3, unique=True)):
        as_of = START + hours * HOUR
        lag = draw(st.sampled_from([None, timedelta(), FILE_LAG / 2, FILE_LAG]))
        account = an_account(
            *(
                an_instalment(f"2026-12-{10 + number}", 3, number=number, paid=draw(st.integers(0, 3)))
                for number in (1, 2)
            ),
            account_id=draw(st.sampled_from(["A1", "A2"])),
        )
        facts = a_customer(account, as_of=as_of, paid_as_of=None if lag is None else as_of - lag)
        holds = draw(st.lists(st.builds(Hold, REASONS), max_size=1))
        drawn.append(replace(facts, phone=draw(st.sampled_from(["+886911", "+886922"])), holds=tuple(holds)))
    return drawn


def record_all(lender_record: LenderRecord, *words: Word) -> LenderRecord:
    """Tell a lender record one thing after the other, as services do."""
    for word in words:
        if isinstance(word, RecordedEvent):
            lender_record = record_event(lender_record, word)
        elif not is_barred_by_erasure(lender_record, word):
            lender_record = record_snapshot(lender_record, word)
    return lender_record


def what_it_comes_to(*words: Word) -> Facts | None:
    """Work out the facts after all these words."""
    return project_facts(record_all(LenderRecord(customer_id="C1"), *words))


@st.composite
def repeated(draw: st.DrawFn) -> tuple[list[Word], list[Word]]:
    """Draw what a lender says in two orders; in the second some of it is repeated."""
    words: list[Word] = [*draw(statements()), *draw(st.lists(recorded_events, max_size=8))]
    repeated = draw(st.lists(st.sampled_from(words), max_size=4)) if words else []
    return words, draw(st.permutations([*words, *repeated]))


@given(repeated())
def test_in_any_order_and_however_often_repeated_it_comes_to_the_same(both: tuple[list[Word], list[Word]]) -> None:
    first, other = both
    assert what_it_comes_to(*first) == what_it_comes_to(*other)


@given(repeated(), st.integers(1, 5))
def test_in_bundles_it_comes_to_the_same_and_each_that_says_something_is_a_revision(
    both: tuple[list[Word], list[Word]], size: int
) -> None:
    words, _ = both
    lender_record = LenderRecord(customer_id="C1")
    for bundle in batched(words, size, strict=False):
        after = record_all(lender_record, *bundle)
        assert (after is lender_record) is (after.revision == lender_record.revision)
        lender_record = after
    assert project_facts(lender_record) == what_it_comes_to(*words)


@given(repeated())
def test_a_repeated_history_changes_nothing(both: tuple[list[Word], list[Word]]) -> None:
    words, again = both
    lender_record = record_all(LenderRecord(customer_id="C1"), *words)
    events_again = [word for word in again if isinstance(word, RecordedEvent)]
    assert record_all(lender_record, *events_again) is lender_record
    assert project_facts(record_all(lender_record, *again)) == project_facts(lender_record)


@given(st.lists(recorded_events, max_size=6), recorded_events, recorded_events)
def test_an_older_word_never_overwrites_a_newer_about_the_same(
    others: list[RecordedEvent], first: RecordedEvent, other: RecordedEvent
) -> None:
    other = RecordedEvent(other.time, first.event)
    newer, older = (first, other) if first.time >= other.time else (other, first)
    lender_record = record_all(LenderRecord(customer_id="C1"), *others, newer)

    def newest(after: LenderRecord) -> RecordedEvent:
        return max(known for known in after.events.values() if known.event.subject == newer.event.subject)

    assert newest(record_all(lender_record, older)).time == newest(lender_record).time >= newer.time


@given(statements(), st.lists(recorded_events, max_size=8))
def test_no_older_statement_takes_the_place_of_a_newer(stated: list[Facts], recorded: list[RecordedEvent]) -> None:
    lender_record = record_all(LenderRecord(customer_id="C1"), *stated, *recorded)
    if stated:
        assert lender_record.snapshot == max(stated, key=lambda facts: facts.as_of or START)
        assert set(lender_record.phones) <= {facts.phone for facts in stated}
        assert lender_record.snapshot is not None
        assert lender_record.snapshot.phone in lender_record.phones
        facts = project_facts(lender_record)
        assert facts is not None
        assert present_addresses(lender_record) == facts.addresses


@given(statements(), st.lists(recorded_events, max_size=8), MOMENTS, st.data())
def test_after_an_erasure_nothing_of_before_comes_back_by_any_replay(
    stated: list[Facts], recorded: list[RecordedEvent], erased_at: datetime, data: st.DataObject
) -> None:
    words: list[Word] = [*stated, *recorded]
    cut = data.draw(st.integers(0, len(words)))
    erased = erase_record(record_all(LenderRecord(customer_id="C1"), *words[:cut]), erased_at)
    again = data.draw(st.lists(st.sampled_from(words), max_size=8)) if words else []
    # None of these statements has a consent from after the erasure, whatever was said later.
    after = record_all(erased, *words[cut:], *again)
    assert project_facts(after) is None
    assert after.events == {}
    assert forget_former_addresses(after) == LenderRecord(
        customer_id="C1", revision=forget_former_addresses(after).revision, erased_at=erased_at
    )


@given(st.lists(recorded_events, max_size=8), MOMENTS, st.data())
def test_a_customer_who_consents_anew_returns_without_any_earlier_event_in_any_order(
    recorded: list[RecordedEvent], erased_at: datetime, data: st.DataObject
) -> None:
    consented_at = erased_at + HOUR
    back = a_customer(an_account(account_id="A1"), consented_at=consented_at, as_of=consented_at + HOUR)
    before = [word for word in recorded if word.time.at <= erased_at]
    since = [word for word in recorded if word.time.at > consented_at + HOUR]
    expected = what_it_comes_to(back, *since)
    lender_record = LenderRecord(customer_id="C1")
    waiting = list(since)
    for step in data.draw(st.permutations(["erased", "back", *before])):
        match step:
            case "erased":
                lender_record = erase_record(lender_record, erased_at)
            case "back":
                lender_record = record_all(lender_record, back)
            case RecordedEvent():
                lender_record = record_all(lender_record, step)
            case _:
                raise AssertionError(step)
    assert project_facts(record_all(lender_record, *waiting)) == expected
    assert project_facts(record_all(lender_record, *waiting, *before)) == expected


@given(statements(), st.lists(recorded_events, max_size=8), st.lists(MOMENTS, min_size=1, max_size=3))
def test_erased_twice_is_erased_as_of_the_later_whichever_comes_first(
    stated: list[Facts], recorded: list[RecordedEvent], moments: list[datetime]
) -> None:
    lender_record = record_all(LenderRecord(customer_id="C1"), *stated, *recorded)
    in_order = other = lender_record
    for moment in moments:
        in_order = erase_record(in_order, moment)
    for moment in reversed(moments):
        other = erase_record(other, moment)
    assert replace(in_order, revision=0) == replace(other, revision=0)
    assert in_order.erased_at == max(moments)
    assert erase_record(in_order, min(moments)) is in_order


def test_a_file_that_was_written_last_night_does_not_take_back_what_was_paid_this_morning() -> None:
    paid = RecordedEvent(EventTime(START), InstalmentPaid("A1", 1, 325_000, "TWD"))
    known_exactly = a_customer(as_of=START + HOUR, paid_as_of=START + HOUR)
    last_nights = a_customer(as_of=START + 2 * HOUR, paid_as_of=START + 2 * HOUR - FILE_LAG)
    orders: list[list[Word]] = [
        [known_exactly, paid, last_nights],
        [last_nights, known_exactly, paid],
        [paid, known_exactly],
    ]
    for order in orders:
        facts = what_it_comes_to(*order)
        assert facts is not None
        (instalment,) = facts.accounts[0].instalments
        assert instalment.open == (325_000 if order[-1] is known_exactly else 0)


def test_payments_are_dropped_once_every_newer_file_knows_them() -> None:
    paid = RecordedEvent(EventTime(START), InstalmentPaid("A1", 1, 325_000, "TWD"))
    soon = record_all(LenderRecord(customer_id="C1"), paid, a_customer(as_of=START + FILE_LAG / 2))
    later = record_all(soon, a_customer(as_of=START + FILE_LAG))
    assert list(soon.events.values()) == [paid]
    assert later.events == {}
    assert record_all(later, paid) is later
