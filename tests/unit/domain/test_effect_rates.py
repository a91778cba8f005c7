"""Effect rates: opt-outs and complaints per thousand reminders, with the numbers behind them, and nothing left out."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from dunning.domain.effect.intervals import wilson
from dunning.domain.effect_rates import (
    JOINED,
    CountedDay,
    Differs,
    EffectRate,
    EffectRates,
    RateRow,
    RateTable,
    effect_rates,
    with_few_rows,
)
from dunning.domain.text_effects import NO_REMINDER, NOT_KNOWN, TextEffect, TextPart

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 28)
DAY = timedelta(days=1)


def reminders(
    number: int, *, stage: int = 7, hour: object = 18, template: str = "due@3", payer: str = "punctual"
) -> Mapping[str, int]:
    return {f"sent:{stage}": number, f"hour:{hour}": number, f"text:{template}": number, f"payer:{payer}": number}


def effects(
    effect: str, number: int, *, stage: object = 7, hour: object = 18, template: str = "due@3", payer: str = "punctual"
) -> Mapping[str, int]:
    values = {"stage": stage, "hour": hour, "text": template, "payer": payer}
    return {f"{effect}_by_{part}:{value}": number for part, value in values.items()}


def rates_of(*counters: Mapping[str, int], day: date = FIRST) -> EffectRates:
    together: Counter[str] = Counter()
    for each in counters:
        together.update(each)
    return effect_rates([CountedDay(day, together)], FIRST, LAST)


def rows_of(rates: EffectRates, part: TextPart) -> dict[str, RateRow]:
    (table,) = [table for table in rates.tables if table.part is part]
    return {row.value: row for row in table.rows}


def counts(row: RateRow) -> tuple[int, int, int]:
    return row.reminders, row.rates[TextEffect.OPT_OUT].count, row.rates[TextEffect.COMPLAINT].count


def test_rates_stand_by_each_part_with_the_reminders_and_the_interval() -> None:
    rates = rates_of(reminders(1000), effects("opt_out", 5), effects("complaint", 2))
    assert counts(rates.whole) == (1000, 5, 2)
    for part, value in zip(TextPart, ["7", "18", "due@3", "punctual"], strict=True):
        (row,) = rows_of(rates, part).values()
        assert (row.value, *counts(row)) == (value, 1000, 5, 2)
        assert row.rates[TextEffect.OPT_OUT].rate == 0.005
        assert row.rates[TextEffect.OPT_OUT].interval == wilson(5, 1000)
        assert row.rates[TextEffect.HARDSHIP].interval == wilson(0, 1000)


def test_hours_stand_in_bands_of_two_and_stages_and_hours_in_their_order() -> None:
    rates = rates_of(
        *[reminders(10, hour=hour, stage=stage) for hour, stage in ((9, 7), (10, -3), (11, 14), (20, 0))],
        effects("opt_out", 1, hour=11, stage=14),
    )
    assert {value: row.reminders for value, row in rows_of(rates, TextPart.HOUR).items()} == {
        "8": 10,
        "10": 20,
        "20": 10,
    }
    assert rows_of(rates, TextPart.HOUR)["10"].rates[TextEffect.OPT_OUT].count == 1
    assert list(rows_of(rates, TextPart.HOUR)) == ["8", "10", "20"]
    assert list(rows_of(rates, TextPart.STAGE)) == ["-3", "0", "7", "14"]


def test_wordings_and_payer_segments_stand_by_the_number_of_their_reminders() -> None:
    rates = rates_of(reminders(5, template="a@1", payer="new"), reminders(9, template="b@1"))
    assert list(rows_of(rates, TextPart.WORDING)) == ["b@1", "a@1"]
    assert list(rows_of(rates, TextPart.PAYER)) == ["punctual", "new"]


def test_the_confirmation_of_an_opt_out_is_no_reminder() -> None:
    confirmed = {"sent:confirmation": 4, "text:bye@1": 4, "confirmation:bye@1": 4}
    rates = rates_of(reminders(10), confirmed)
    assert rates.whole.reminders == 10
    assert list(rows_of(rates, TextPart.WORDING)) == ["due@3"]


def test_what_is_not_known_of_reminders_stands_in_a_row_of_its_own_and_is_in_the_whole() -> None:
    without_wording = {"sent:7": 3, "hour:?": 3, "payer:?": 3}
    followed = effects("opt_out", 2, hour="?", template="?", payer="?")
    rates = rates_of(reminders(10), without_wording, effects("opt_out", 1), followed)
    assert counts(rates.whole) == (13, 3, 0)
    for part in TextPart:
        rows = rows_of(rates, part)
        assert sum(row.reminders for row in rows.values()) == 13
        assert sum(row.rates[TextEffect.OPT_OUT].count for row in rows.values()) == 3
        if part is not TextPart.STAGE:
            assert counts(rows[NOT_KNOWN]) == (3, 2, 0)
            assert list(rows)[-1] == NOT_KNOWN


def test_what_follows_no_reminder_stands_last_as_a_number_and_is_in_no_rate() -> None:
    after_none = {f"opt_out_by_{part}:{NO_REMINDER}": 2 for part in TextPart}
    unknown = {"sent:7": 1, "hour:?": 1, "payer:?": 1}
    rates = rates_of(reminders(10), unknown, effects("opt_out", 1), after_none)
    assert counts(rates.whole) == (11, 1, 0)
    for part in TextPart:
        rows = rows_of(rates, part)
        assert list(rows)[-1] == NO_REMINDER
        found = rows[NO_REMINDER].rates[TextEffect.OPT_OUT]
        assert (rows[NO_REMINDER].reminders, found.count, found.rate, found.interval) == (0, 2, None, None)


def test_more_opt_outs_than_reminders_have_a_rate_and_no_interval() -> None:
    row = rows_of(rates_of(reminders(1), effects("opt_out", 2)), TextPart.STAGE)["7"]
    assert (row.rates[TextEffect.OPT_OUT].rate, row.rates[TextEffect.OPT_OUT].interval) == (2.0, None)


def test_what_is_taken_back_leaves_and_never_makes_a_number_negative() -> None:
    kept = rates_of(reminders(100), effects("complaint", 3), effects("complaint", -1))
    assert kept.whole.rates[TextEffect.COMPLAINT].count == 2
    earlier = rates_of(reminders(100), effects("complaint", -1))
    assert counts(earlier.whole) == (100, 0, 0)


def test_what_was_counted_and_taken_back_leaves_no_row() -> None:
    rates = rates_of(reminders(100), effects("complaint", 1, stage=30), effects("complaint", -1, stage=30))
    assert list(rows_of(rates, TextPart.STAGE)) == ["7"]


def test_days_before_all_was_counted_are_left_out_and_the_first_day_says_so() -> None:
    days = [
        CountedDay(FIRST - DAY, {"sent:7": 50}),
        CountedDay(FIRST, {"sent:7": 100, "text:due@3": 100}),
        CountedDay(FIRST + 2 * DAY, Counter({"sent:7": 40}) + Counter(reminders(60))),
        CountedDay(FIRST + 5 * DAY, Counter(reminders(30)) + Counter(effects("opt_out", 1))),
        CountedDay(FIRST + 6 * DAY, effects("opt_out", 1)),
        CountedDay(LAST + DAY, reminders(70)),
    ]
    rates = effect_rates(days, FIRST, LAST)
    assert (rates.first, rates.last) == (FIRST + 3 * DAY, LAST)
    assert counts(rates.whole) == (30, 2, 0)
    assert effect_rates(days[3:], FIRST, LAST).first == FIRST


def test_the_first_and_the_last_day_are_among_the_days() -> None:
    days = [CountedDay(day, reminders(1)) for day in (FIRST - DAY, FIRST, LAST, LAST + DAY)]
    assert effect_rates(days, FIRST, LAST).whole.reminders == 2


def test_no_days_are_no_reminders_and_no_rate() -> None:
    rates = effect_rates([], FIRST, LAST)
    assert counts(rates.whole) == (0, 0, 0)
    assert rates.whole.rates[TextEffect.OPT_OUT].rate is None
    assert [table.rows for table in rates.tables] == [()] * len(TextPart)


def test_of_reminders_that_were_all_followed_the_interval_is_known_too() -> None:
    row = rows_of(rates_of(reminders(2), effects("opt_out", 2)), TextPart.STAGE)["7"]
    assert row.rates[TextEffect.OPT_OUT].interval == wilson(2, 2)


def test_values_with_as_many_reminders_stand_in_the_order_of_their_names() -> None:
    names = [f"t{number}@1" for number in range(1, 9)]
    rates = rates_of(*(reminders(5, template=name) for name in reversed(names)))
    assert list(rows_of(rates, TextPart.WORDING)) == names


def test_a_single_reminder_that_is_not_named_stands_among_what_is_not_known() -> None:
    rates = rates_of(reminders(10), {"sent:7": 1, "hour:18": 1, "text:due@3": 1})
    assert counts(rows_of(rates, TextPart.PAYER)[NOT_KNOWN]) == (1, 0, 0)
    assert NOT_KNOWN not in rows_of(rates, TextPart.WORDING)


def test_where_more_reminders_are_named_than_there_are_none_is_not_known() -> None:
    rates = rates_of(reminders(10), {"payer:new": 2}, effects("opt_out", 1, payer="?"))
    assert counts(rows_of(rates, TextPart.PAYER)[NOT_KNOWN]) == (0, 1, 0)


def test_the_name_of_a_value_may_hold_a_colon() -> None:
    rates = rates_of(reminders(10, payer="early:often"))
    assert list(rows_of(rates, TextPart.PAYER)) == ["early:often"]


def test_the_whole_has_no_value_of_its_own() -> None:
    assert rates_of(reminders(10)).whole.value == ""


@pytest.mark.parametrize("differs", Differs)
def test_a_rate_stands_out_that_is_higher_or_lower_than_that_of_all_others(differs: Differs) -> None:
    assert EffectRate(1, 0.1, None, differs).stands_out is (differs in {"higher", "lower"})


@pytest.mark.parametrize(
    ("values", "without_payers"),
    [
        pytest.param((), True, id="no rows"),
        pytest.param((NOT_KNOWN, NO_REMINDER), True, id="nothing on record"),
        pytest.param(("new", NOT_KNOWN), False, id="a segment on record"),
    ],
)
def test_a_table_of_payers_is_one_that_has_a_segment_on_record(
    values: tuple[str, ...], *, without_payers: bool
) -> None:
    rows = tuple(RateRow(value, 1, {}) for value in values)
    tables = tuple(RateTable(part, rows) for part in TextPart)
    rates = EffectRates(first=FIRST, last=LAST, whole=RateRow("", 1, {}), tables=tables, compared=0)
    left = [table for table in tables if rows and not (without_payers and table.part is TextPart.PAYER)]
    assert list(rates.tables_with_values) == left


class TestARow:
    """Whether it differs from all others of its table together."""

    def test_that_is_higher_beyond_chance_says_so_and_the_others_are_lower(self) -> None:
        rates = rates_of(
            reminders(3000), effects("opt_out", 6), reminders(1000, stage=30), effects("opt_out", 40, stage=30)
        )
        stages = rows_of(rates, TextPart.STAGE)
        assert stages["30"].rates[TextEffect.OPT_OUT].differs is Differs.HIGHER
        assert stages["7"].rates[TextEffect.OPT_OUT].differs is Differs.LOWER
        assert stages["30"].rates[TextEffect.COMPLAINT].differs is Differs.NOT_FOUND
        assert rows_of(rates, TextPart.HOUR)["18"].rates[TextEffect.OPT_OUT].differs is Differs.NOT_ASKED, "alone"
        assert rates.compared == 2 * len(TextEffect)

    @pytest.mark.parametrize(("number", "differs"), [(199, "not_asked"), (200, "higher")])
    def test_of_few_reminders_is_not_asked(self, number: int, differs: str) -> None:
        rates = rates_of(
            reminders(3000), effects("opt_out", 3), reminders(number, stage=30), effects("opt_out", 60, stage=30)
        )
        assert rows_of(rates, TextPart.STAGE)["30"].rates[TextEffect.OPT_OUT].differs == differs

    def test_of_three_opt_outs_of_forty_is_no_finding(self) -> None:
        rates = rates_of(
            reminders(3000), effects("opt_out", 30), reminders(40, stage=30), effects("opt_out", 3, stage=30)
        )
        rate = rows_of(rates, TextPart.STAGE)["30"].rates[TextEffect.OPT_OUT]
        assert rate.differs is Differs.NOT_ASKED
        assert rate.interval
        assert rate.interval.low < 0.03
        assert rate.interval.high > 0.19

    def test_of_what_is_not_known_is_compared_with_nothing(self) -> None:
        rates = rates_of(
            reminders(3000), effects("opt_out", 3), reminders(900, hour="?"), effects("opt_out", 90, hour="?")
        )
        hours = rows_of(rates, TextPart.HOUR)
        assert hours[NOT_KNOWN].rates[TextEffect.OPT_OUT].differs is Differs.NOT_ASKED
        assert hours["18"].rates[TextEffect.OPT_OUT].differs is Differs.NOT_ASKED

    def test_differs_less_easily_the_more_rows_are_asked(self) -> None:
        two = (reminders(3000), effects("opt_out", 12), reminders(1000, stage=30), effects("opt_out", 12, stage=30))
        assert rows_of(rates_of(*two), TextPart.STAGE)["30"].rates[TextEffect.OPT_OUT].differs is Differs.HIGHER
        many = [reminders(250, stage=stage, template=f"t{stage}@1") for stage in range(8, 29)]
        rates = rates_of(*two, *many, *[effects("opt_out", 1, stage=stage) for stage in range(8, 29)])
        assert rates.compared > 150
        assert rows_of(rates, TextPart.STAGE)["30"].rates[TextEffect.OPT_OUT].differs is Differs.NOT_FOUND


def test_of_many_values_those_with_the_fewest_reminders_are_one_row_before_what_is_not_known() -> None:
    rates = rates_of(
        *[reminders(100 * number, template=f"t{number}@1") for number in (1, 2, 3, 4)],
        effects("opt_out", 2, template="t1@1"),
        effects("opt_out", 3, template="t2@1"),
        {"sent:7": 9, "hour:?": 9, "payer:?": 9},
    )
    (table,) = [table for table in rates.tables if table.part is TextPart.WORDING]
    assert with_few_rows(table, 4) == table
    joined = {row.value: counts(row) for row in with_few_rows(table, 2).rows}
    assert joined == {"t4@1": (400, 0, 0), "t3@1": (300, 0, 0), JOINED: (300, 5, 0), NOT_KNOWN: (9, 0, 0)}
    assert with_few_rows(table, 2).rows[2].rates[TextEffect.OPT_OUT].interval == wilson(5, 300)
    assert [row.value for row in with_few_rows(table, 2).rows if not row.has_value] == [JOINED, NOT_KNOWN]


def test_few_rows_are_those_with_the_most_reminders_in_the_order_of_the_table() -> None:
    rates = rates_of(*(reminders(100 * number, stage=number) for number in (1, 2, 3)), reminders(150, stage=0))
    (table,) = [table for table in rates.tables if table.part is TextPart.STAGE]
    assert [(row.value, row.reminders) for row in with_few_rows(table, 2).rows] == [
        ("2", 200), ("3", 300), (JOINED, 250),
    ]  # fmt: skip
