"""The days that replies name against a search through the calendar, day by day."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dunning.domain.replies.dates import DateKind, day_of, day_of_figures, is_figures

DAY = timedelta(days=1)
HALF_A_YEAR = 183

days = st.integers(0, 5 * 366).map(lambda number: date(2026, 1, 1) + number * DAY)
weekdays = st.integers(0, 6)
months = st.integers(1, 12)
of_a_month = st.integers(1, 31)


def from_day(first: date, count: int = 800) -> Iterator[date]:
    return (first + number * DAY for number in range(count))


def of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def monday_of(day: date) -> date:
    return next(day - number * DAY for number in range(7) if (day - number * DAY).isoweekday() == 1)


def first_of_next_month(day: date) -> date:
    return next(later for later in from_day(day + DAY) if later.day == 1)


def coming(said_on: date, month: int, day: int) -> date | None:
    """Find the day of a month: this year's, or next year's if this year's passed more than half a year ago."""
    this_year = of(said_on.year, month, day)
    if this_year is None or (said_on - this_year).days >= HALF_A_YEAR:
        return of(said_on.year + 1, month, day)
    return this_year if this_year >= said_on else None


@given(days, weekdays)
def test_days_of_the_week_are_those_of_weeks_that_begin_on_monday(said_on: date, weekday: int) -> None:
    first = next(day for day in from_day(said_on + DAY) if day.weekday() == weekday)
    this_week, next_week, week_after = (
        next(day for day in from_day(monday_of(said_on) + 7 * weeks * DAY, 7) if day.weekday() == weekday)
        for weeks in (0, 1, 2)
    )
    assert day_of(DateKind.WEEKDAY, said_on, weekday) == first
    assert day_of(DateKind.WEEKDAY_THIS_WEEK, said_on, weekday) == this_week
    assert day_of(DateKind.WEEKDAY_NEXT_WEEK, said_on, weekday) == next_week
    assert day_of(DateKind.WEEKDAY_IN_2_WEEKS, said_on, weekday) == week_after
    assert day_of(DateKind.WEEKDAY_NEXT, said_on, weekday) == (first if first == next_week else None)
    assert day_of(DateKind.WEEKDAY_AND_WEEK, said_on, weekday) == first + 7 * DAY


@given(days, of_a_month, weekdays)
def test_a_day_of_the_month_is_the_next_with_that_number(said_on: date, day: int, weekday: int) -> None:
    next_month = first_of_next_month(said_on)
    this, following = of(said_on.year, said_on.month, day), of(next_month.year, next_month.month, day)
    expected = this if day >= said_on.day else following
    assert day_of(DateKind.DAY, said_on, day) == expected
    assert day_of(DateKind.DAY_THIS_MONTH, said_on, day) == this
    assert day_of(DateKind.DAY_NEXT_MONTH, said_on, day) == following
    as_weekday = day_of(DateKind.WEEKDAY, said_on, weekday)
    fits = expected is not None and expected.weekday() == weekday
    assert day_of(DateKind.WEEKDAY_DAY, said_on, weekday, day) == (expected if fits else as_weekday)


@given(days, months)
def test_the_end_of_a_month_is_the_day_before_the_next_first(said_on: date, month: int) -> None:
    this = first_of_next_month(said_on)
    assert day_of(DateKind.MONTH_END, said_on) == this - DAY
    assert day_of(DateKind.NEXT_MONTH_END, said_on) == first_of_next_month(this) - DAY
    last_of = next(day for day in from_day(said_on) if day.month == month and (day + DAY).month != month)
    assert day_of(DateKind.MONTH_END_OF, said_on, month) == last_of


@given(days, months, of_a_month)
@example(date(2026, 9, 1), 3, 2)  # 183 days ago
@example(date(2026, 9, 1), 3, 3)
@example(date(2027, 3, 1), 2, 29)
@example(date(2026, 12, 1), 12, 1)
def test_a_day_of_a_month_is_this_years_or_next_years_if_it_is_long_past(said_on: date, month: int, day: int) -> None:
    assert day_of(DateKind.MONTH_DAY, said_on, month, day) == coming(said_on, month, day)
    assert day_of(DateKind.DAY_MONTH, said_on, day, month) == coming(said_on, month, day)
    next_time = (of(year, month, day) for year in (said_on.year, said_on.year + 1))
    assert day_of(DateKind.HOLIDAY, said_on, month, day) == next((on for on in next_time if on and on >= said_on), None)


@given(days, st.integers(1990, 3010), st.integers(0, 13), st.integers(0, 32))
@example(date(2026, 12, 1), 2000, 1, 1)
@example(date(2026, 12, 1), 1999, 12, 31)
@example(date(2026, 12, 1), 2999, 12, 31)
@example(date(2026, 12, 1), 3000, 1, 1)
def test_a_whole_date_is_itself_if_it_exists_in_this_millennium(said_on: date, year: int, month: int, day: int) -> None:
    expected = of(year, month, day) if 2000 <= year < 3000 else None
    assert day_of(DateKind.YEAR_MONTH_DAY, said_on, year, month, day) == expected
    assert day_of(DateKind.DAY_MONTH_YEAR, said_on, day, month, year) == expected
    assert day_of(DateKind.MONTH_DAY_YEAR, said_on, month, day, year) == expected
    assert day_of(DateKind.ROC_YEAR_MONTH_DAY, said_on, year - 1911, month, day) == expected


@given(days, st.integers(0, 40))
def test_days_and_weeks_ahead_are_counted(said_on: date, number: int) -> None:
    ahead = dict(enumerate(from_day(said_on, 281)))
    assert day_of(DateKind.IN_DAYS, said_on, number) == ahead[number]
    assert day_of(DateKind.IN_WEEKS, said_on, number) == ahead[7 * number]
    named = [DateKind.TODAY, DateKind.NOW, DateKind.TOMORROW, DateKind.IN_2_DAYS, DateKind.IN_3_DAYS]
    assert [day_of(kind, said_on) for kind in named] == [ahead[0], ahead[0], ahead[1], ahead[2], ahead[3]]


@given(days)
@example(date(2026, 11, 27))
@example(date(2026, 11, 28))
@example(date(2029, 11, 23))  # November begins on a Thursday in 2029
def test_black_friday_follows_the_fourth_thursday_of_november(said_on: date) -> None:
    found = day_of(DateKind.BLACK_FRIDAY, said_on)
    of_years = [[day for day in from_day(date(year, 11, 1), 30) if day.weekday() == 3] for year in range(2026, 2033)]
    assert found == next(fridays[3] + DAY for fridays in of_years if fridays[3] + DAY >= said_on)


@pytest.mark.parametrize(
    ("said_on", "day", "means"),
    [
        (date(2027, 2, 1), 1, date(2027, 2, 6)),
        (date(2027, 2, 1), 0, date(2027, 2, 5)),
        (date(2027, 2, 1), 15, date(2027, 2, 20)),
        (date(2027, 2, 6), 1, date(2027, 2, 6)),
        (date(2027, 2, 7), 1, None),
        (date(2026, 12, 8), 1, date(2027, 2, 6)),
        (date(2026, 12, 7), 1, None),
    ],
)
def test_a_day_of_the_lunar_new_year_is_one_of_the_next_sixty_days(said_on: date, day: int, means: date | None) -> None:
    assert day_of(DateKind.LUNAR_NEW_YEAR_DAY, said_on, day) == means


def in_figures(figures: str, *, month_first: bool | None, said_on: date) -> date | None:
    """Read figures piece by piece."""
    separator = next(mark for mark in "/.-" if mark in figures)
    pieces = figures.split(separator)
    if len(pieces[0]) == 4:
        year, month, day = map(int, pieces)
        return of(year, month, day) if year >= 2000 else None

    def read(month: int, day: int) -> date | None:
        if len(pieces) == 2:
            return coming(said_on, month, day)
        year = int(pieces[2]) + (2000 if len(pieces[2]) == 2 else 0)
        return of(year, month, day) if 2000 <= year < 3000 else None

    a, b = int(pieces[0]), int(pieces[1])
    readings = [pair for pair in ((a, b), (b, a)) if of(2000, *pair)]
    if len(readings) == 2 and a != b:
        if month_first is None:
            return None
        return read(a, b) if month_first else read(b, a)
    return read(*readings[0]) if readings else None


parts = st.integers(0, 33)
years = st.sampled_from(["2026", "2027", "1999", "2000", "2028"])
figures = st.one_of(
    st.builds("{}/{}".format, parts, parts),
    st.builds("{}/{}/{}".format, parts, parts, years | st.sampled_from(["26", "27", "00", "99"])),
    st.builds("{2}{3}{0}{3}{1}".format, parts, parts, years, st.sampled_from("/.-")),
    st.builds("{0}{3}{1}{3}{2}".format, parts, parts, years, st.sampled_from(".-")),
)


@given(figures, st.none() | st.booleans(), days)
@example("12/5", None, date(2026, 12, 1))
@example("12/5", True, date(2026, 12, 1))  # noqa: FBT003 - as drawn
@example("12/5", False, date(2026, 12, 1))  # noqa: FBT003 - as drawn
@example("12/12", None, date(2026, 12, 1))
@example("31/12", None, date(2026, 12, 1))
@example("12/31", None, date(2026, 12, 1))
@example("29/2", None, date(2028, 2, 1))
@example("30/2", None, date(2028, 2, 1))
@example("1/31/26", None, date(2026, 1, 1))
@example("1.12.2026", False, date(2026, 12, 1))  # noqa: FBT003 - as drawn
@example("0/5", True, date(2026, 12, 1))  # noqa: FBT003 - as drawn
def test_figures_are_read_in_the_order_of_the_country_unless_only_one_is_possible(
    figures: str,
    month_first: bool | None,  # noqa: FBT001 - of three values
    said_on: date,
) -> None:
    expected = in_figures(figures, month_first=month_first, said_on=said_on)
    assert day_of_figures(figures, month_first, said_on) == expected


@pytest.mark.parametrize("word", ["12/5", "12/5/26", "2026-12-05", "5.12.2026"])
def test_figures_with_a_day_are_figures(word: str) -> None:
    assert is_figures(word)


@pytest.mark.parametrize(
    "word", ["1/2", "24/7", "12/5/2", "12/5x", "x12/5", "12.5", "12-5", "2026/12", "125", "十二/5"]
)
def test_fractions_and_other_numbers_are_no_figures(word: str) -> None:
    assert not is_figures(word)
    if word not in {"1/2", "24/7"}:  # days after a word such as "on"
        assert day_of_figures(word, month_first=True, said_on=date(2026, 12, 1)) is None


@pytest.mark.parametrize("kind", [DateKind.VAGUE, DateKind.PAST, DateKind.NO_DAY, DateKind.FIGURES])
def test_what_names_no_day_is_none(kind: DateKind) -> None:
    assert day_of(kind, date(2026, 12, 1)) is None
