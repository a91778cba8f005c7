"""
Effect rates: opt-outs, complaints, wrong persons and hardship per thousand reminders, from the counters of days. Pure.

Rates stand by stage, local hour, wording and payer segment, each with the reminders it is of and the interval that the
numbers allow. They say where to look and not why: at another stage or hour other customers are texted. Whether a row
differs from all others of its table is asked of many rows at once, so the level is divided by their number, and of a
row with few reminders it is not asked: three opt-outs of forty are no finding.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.effect.intervals import DEFAULT_ALPHA, Interval, newcombe, wilson
from dunning.domain.text_effects import NO_REMINDER, NOT_KNOWN, TextEffect, TextPart, name_of_effect

LEAST_REMINDERS = 200
"""Of fewer reminders, in a row or in all others together, it is not asked whether they differ; as of an arm's harm."""

HOURS_A_BAND = 2
"""The hours of a row."""

JOINED = "&"
"""Stands for several rows that are shown as one."""

_WITHOUT_VALUE = (JOINED, NOT_KNOWN, NO_REMINDER)
"""The rows at the end of a table, in this order. They are compared with nothing."""

_REMINDERS_BY: Mapping[TextPart, str] = {
    TextPart.STAGE: "sent",
    TextPart.HOUR: "hour",
    TextPart.WORDING: "text",
    TextPart.PAYER: "payer",
}
_CONFIRMATION = "confirmation"


class CountedDay(NamedTuple):
    """The counters of a lender's day."""

    day: date
    counters: Mapping[str, int]


class Differs(StrEnum):
    """How a row differs from all others of its table together."""

    HIGHER = "higher"
    LOWER = "lower"
    NOT_FOUND = "not_found"
    NOT_ASKED = "not_asked"
    """The reminders are too few, or it is no row that others are compared with."""


@dataclass(frozen=True, slots=True)
class EffectRate:
    """How many reminders something followed: as a number, as a share of 1, and the shares that the numbers allow."""

    count: int
    rate: float | None
    """`None` without reminders."""
    interval: Interval | None
    """`None` without reminders, and if there are fewer of them than effects: they were sent before the first day."""
    differs: Differs = Differs.NOT_ASKED

    @property
    def stands_out(self) -> bool:
        """Whether it differs from that of all others together by more than chance allows."""
        return self.differs in {Differs.HIGHER, Differs.LOWER}


@dataclass(frozen=True, slots=True)
class RateRow:
    """
    The rates of some reminders, by effect.

    `value` is the stage, the first hour of a band, the template or the payer segment; `NOT_KNOWN` where it is not on
    record, and `NO_REMINDER` for what follows no reminder: it has counts and no rate.
    """

    value: str
    reminders: int
    rates: Mapping[TextEffect, EffectRate]

    @property
    def has_value(self) -> bool:
        """Whether it is known what its reminders have in common."""
        return self.value not in _WITHOUT_VALUE


@dataclass(frozen=True, slots=True)
class RateTable:
    """The rows of a part, in order, those without a value at the end; all reminders and effects are in them."""

    part: TextPart
    rows: tuple[RateRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRates:
    """
    The rates of some days. `first` is later than asked for if earlier days were not counted in this way.

    `whole` are all reminders, with what follows a reminder.
    """

    first: date
    last: date
    whole: RateRow
    tables: tuple[RateTable, ...]
    compared: int
    """How many comparisons the level is divided by."""

    @property
    def tables_with_values(self) -> tuple[RateTable, ...]:
        """The tables that say anything: where no payer segment is on record there is none of segments."""
        return tuple([
            table
            for table in self.tables
            if table.rows and (table.part is not TextPart.PAYER or any(row.has_value for row in table.rows))
        ])  # fmt: skip


def effect_rates(days: Sequence[CountedDay], first: date, last: date) -> EffectRates:
    """
    Return the rates of the days from the first to the last, both included, of one lender or of several together.

    A day on which reminders were counted by stage and not by hour is of the time before both were counted. Only what
    follows the last such day is used: effects of the days before are not known.
    """
    within = [each for each in days if first <= each.day <= last]
    before = [each.day for each in within if not _is_counted_by_hour(each.counters)]
    if before:
        first = max(before) + timedelta(days=1)
    total: Counter[str] = Counter()
    for each in within:
        if each.day >= first:
            total.update(each.counters)
    reminders = {part: _reminders_by(part, total) for part in TextPart}
    effects = {
        (part, effect): _by_value(total, name_of_effect(effect, part), part)
        for part in TextPart
        for effect in TextEffect
    }
    in_all = reminders[TextPart.STAGE].total()
    by_stage = {effect: effects[TextPart.STAGE, effect] for effect in TextEffect}
    followed = {effect: counts.total() - counts[NO_REMINDER] for effect, counts in by_stage.items()}
    tables = [
        _table(part, reminders[part], {effect: effects[part, effect] for effect in TextEffect}, in_all)
        for part in TextPart
    ]
    compared = sum(_comparisons_in(table) for table in tables)
    return EffectRates(
        first=first,
        last=last,
        whole=_rate_row("", in_all, followed),
        tables=tuple([_with_comparisons(table, compared) for table in tables]),
        compared=compared,
    )


def _is_counted_by_hour(counters: Mapping[str, int]) -> bool:
    by_stage, by_hour = (_reminders_by(part, counters).total() for part in (TextPart.STAGE, TextPart.HOUR))
    return by_stage == by_hour


def _reminders_by(part: TextPart, counters: Mapping[str, int]) -> Counter[str]:
    """Return the reminders by value. Confirmations of opt-outs are no reminders."""
    found = _by_value(counters, _REMINDERS_BY[part], part)
    if part is TextPart.STAGE:
        del found[_CONFIRMATION]
    elif part is TextPart.WORDING:
        found.subtract(_by_value(counters, _CONFIRMATION, part))
    return +found


def _by_value(counters: Mapping[str, int], kind: str, part: TextPart) -> Counter[str]:
    """Return the counters of a kind by what they are counted by; hours by the first hour of their band."""
    found: Counter[str] = Counter()
    for name, number in counters.items():
        counted, _, value = name.partition(":")
        if counted == kind:
            is_hour = part is TextPart.HOUR and value not in _WITHOUT_VALUE
            found[str(int(value) // HOURS_A_BAND * HOURS_A_BAND) if is_hour else value] += number
    return found


def _table(
    part: TextPart, reminders: Mapping[str, int], effects: Mapping[TextEffect, Mapping[str, int]], in_all: int
) -> RateTable:
    """Return the rows of a part; reminders that its counters do not name are among those of which it is not known."""
    missing = in_all - sum(reminders.values())
    values = {*reminders, *(value for by_value in effects.values() for value, count in by_value.items() if count)}
    rows = [
        _rate_row(
            value,
            reminders.get(value, 0) + (max(0, missing) if value == NOT_KNOWN else 0),
            {effect: by_value.get(value, 0) for effect, by_value in effects.items()},
        )
        for value in values | ({NOT_KNOWN} if missing > 0 else set())
    ]
    return RateTable(part, tuple(sorted(rows, key=lambda row: _rank_in_table(part, row))))


def _rank_in_table(part: TextPart, row: RateRow) -> tuple[bool, int, str]:
    """Stages and hours come in their order, wordings and payer segments by their reminders."""
    if not row.has_value:
        return True, _WITHOUT_VALUE.index(row.value), ""
    return False, int(row.value) if part in {TextPart.STAGE, TextPart.HOUR} else -row.reminders, row.value


def with_few_rows(table: RateTable, most: int) -> RateTable:
    """Return a table in which the values with the fewest reminders are one row, if there are more than some."""
    known = [row for row in table.rows if row.has_value]
    kept = sorted(known, key=lambda row: row.reminders, reverse=True)[:most]
    left = [row for row in known if row not in kept]
    joined = [_joined_row(JOINED, left)] if left else []
    return RateTable(
        table.part,
        (*[row for row in known if row in kept], *joined, *[row for row in table.rows if not row.has_value]),
    )


def _joined_row(value: str, rows: Sequence[RateRow]) -> RateRow:
    counts = {effect: sum(row.rates[effect].count for row in rows) for effect in TextEffect}
    return _rate_row(value, sum(row.reminders for row in rows), counts)


def _rate_row(value: str, reminders: int, counts: Mapping[TextEffect, int]) -> RateRow:
    # More may be taken back than was counted: of an effect that was counted before the first day.
    return RateRow(value, reminders, {effect: _rate(max(0, count), reminders) for effect, count in counts.items()})


def _rate(count: int, reminders: int) -> EffectRate:
    if not reminders:
        return EffectRate(count, None, None)
    interval = wilson(count, reminders) if count <= reminders else None
    return EffectRate(count, count / reminders, interval)


def _comparisons_in(table: RateTable) -> int:
    """Return how many comparisons a table makes."""
    return sum(len(row.rates) for row in table.rows if _is_compared(table, row))


def _is_compared(table: RateTable, row: RateRow) -> bool:
    return row.has_value and min(row.reminders, _others(table, row).reminders) >= LEAST_REMINDERS


def _others(table: RateTable, row: RateRow) -> RateRow:
    return _joined_row("", [each for each in table.rows if each.has_value and each.value != row.value])


def _with_comparisons(table: RateTable, compared: int) -> RateTable:
    """Return a table that says of each row whether it differs from all others together."""
    rows = []
    for row in table.rows:
        if _is_compared(table, row):
            others = _others(table, row)
            rates = {
                effect: _rate_beside(rate, row.reminders, others.rates[effect].count, others.reminders, compared)
                for effect, rate in row.rates.items()
            }
            rows.append(RateRow(row.value, row.reminders, rates))
        else:
            rows.append(row)
    return RateTable(table.part, tuple(rows))


def _rate_beside(rate: EffectRate, reminders: int, count: int, others: int, compared: int) -> EffectRate:
    difference = newcombe(min(rate.count, reminders), reminders, min(count, others), others, DEFAULT_ALPHA / compared)
    if difference.low > 0:
        differs = Differs.HIGHER
    elif difference.high < 0:
        differs = Differs.LOWER
    else:
        differs = Differs.NOT_FOUND
    return EffectRate(rate.count, rate.rate, rate.interval, differs)
