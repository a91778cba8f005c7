"""Books of trials: whatever a spell is, its line reads back as the same, and any other line is refused."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dunning.adapters.trial_book_lines import book_lines, spells_of_lines
from dunning.domain.effect.draws import Draw, Layer
from dunning.domain.effect.keeping_books import BOOK_PARTS, book_part_of, without_the_erased
from dunning.domain.effect.settling import Asked, OutcomeState, SideEffects, Spell, SpellOutcome
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.errors import UnreadableRecordError

NAMES = st.text("abcdefghij0123456789_-", min_size=1, max_size=16)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
AMOUNTS = st.integers(-(10**12), 10**12)

DRAWS = st.builds(
    Draw,
    st.sampled_from(Layer),
    NAMES,
    NAMES,
    st.integers(1, 10**6).map(lambda parts: parts / 10**6),
    st.booleans(),
)

SPELLS = st.builds(
    Spell,
    customer_id=TEXTS,
    send_id=TEXTS,
    draws=st.tuples(DRAWS),
    drawn_at=st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    drawn_on=st.dates(date(2020, 1, 1), date(2099, 1, 1)),
    stage=st.integers(-99, 999),
    goal_days=st.integers(1, 60),
    asked=st.lists(st.builds(Asked, TEXTS, st.integers(-9, 999), AMOUNTS), min_size=1, max_size=4).map(tuple),
    payer_segment=NAMES,
    place=TEXTS,
    channel=NAMES,
    parts=st.integers(0, 20),
    price_usd_micros=AMOUNTS,
)
OUTCOMES = st.builds(
    SpellOutcome,
    state=st.sampled_from(OutcomeState),
    cured=st.booleans(),
    days=st.none() | st.integers(0, 90),
    paid_in_part=st.booleans(),
    side_effects=st.builds(SideEffects, *[st.booleans()] * len(SideEffects._fields)),
    next_late=st.none() | st.booleans(),
)
BOOKS = st.lists(st.builds(SettledSpell, SPELLS, OUTCOMES), max_size=6)


@settings(max_examples=40)
@given(BOOKS)
def test_a_book_reads_back_as_it_was_written(book: list[SettledSpell]) -> None:
    lines = list(book_lines(book))
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    assert list(spells_of_lines(lines, "part")) == book


@given(
    st.builds(SettledSpell, SPELLS, OUTCOMES),
    st.integers(0, 18),
    st.sampled_from([None, "?", [], {}, 1.5, True, ["?"]]),
)
def test_a_field_of_another_kind_is_refused_by_its_line_or_means_the_same(
    settled: SettledSpell,
    place: int,
    value: Any,  # noqa: ANN401 - JSON
) -> None:
    heading, line = book_lines([settled])
    row = json.loads(line)
    row[place] = value
    try:
        (read,) = spells_of_lines([heading, json.dumps(row)], "part")
    except UnreadableRecordError as error:
        told_of = str(error)
    else:
        told_of = "part: line 2: " if json.loads(list(book_lines([read]))[1])[place] == value else "read as another"
    assert told_of.startswith("part: line 2: ")


@pytest.mark.parametrize("line", ['{"v":2}', "[]", "", "?", "null"])
def test_another_version_is_refused_by_its_name(line: str) -> None:
    with pytest.raises(UnreadableRecordError, match=r"^books/x/y/07.jsonl.gz: line 1"):
        list(spells_of_lines([line], "books/x/y/07.jsonl.gz"))


@given(st.lists(TEXTS.filter(bool), unique=True, min_size=1, max_size=30))
def test_a_customer_is_always_in_the_same_part(customer_ids: list[str]) -> None:
    parts = [book_part_of(each) for each in customer_ids]
    assert parts == [book_part_of(each) for each in customer_ids]
    assert all(0 <= part < BOOK_PARTS for part in parts)


def test_the_parts_are_of_like_size() -> None:
    counts = [0] * BOOK_PARTS
    for number in range(64_000):
        counts[book_part_of(f"C{number:07d}")] += 1
    assert min(counts) > 800
    assert max(counts) < 1_200


@given(BOOKS, st.data())
def test_nothing_in_a_book_tells_who_was_erased_and_all_draws_are_still_there(
    book: list[SettledSpell], data: st.DataObject
) -> None:
    book = [
        SettledSpell(_of(each.spell, f"customer-{place % 3}", place), each.outcome) for place, each in enumerate(book)
    ]
    erased = data.draw(st.sets(st.sampled_from([f"customer-{place}" for place in range(3)])))
    until = data.draw(st.datetimes(datetime(2019, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    left = without_the_erased(book, [(each, until) for each in erased])
    assert [each.spell.draws for each in left] == [each.spell.draws for each in book]
    for before, after in zip(book, left, strict=True):
        if before.spell.customer_id in erased and before.spell.drawn_at <= until:
            assert after.outcome == SpellOutcome(state=OutcomeState.ERASED)
            assert before.spell.customer_id not in repr(after)
            assert before.spell.send_id not in repr(after)
            assert before.spell.asked[0].account_id not in repr(after)
        else:
            assert after == before
    together = {(before.spell.customer_id, after.spell.customer_id) for before, after in zip(book, left, strict=True)
                if after.outcome.state is OutcomeState.ERASED and after != before}  # fmt: skip
    assert len({new for _, new in together}) == len(together), "two customers do not become one"
    assert without_the_erased(left, [(each, until) for each in erased]) == left


def _of(spell: Spell, customer_id: str, place: int) -> Spell:
    return replace(spell, customer_id=customer_id, send_id=f"send-{place}", asked=(Asked(f"account-{place}", 1, 5),))
