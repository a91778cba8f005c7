"""Rates, for people: what follows reminders, per thousand of them, and what stands out. Nothing is estimated here."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.contracts.rates_document import rates_document
from dunning.domain.effect_rates import (
    HOURS_A_BAND,
    JOINED,
    LEAST_REMINDERS,
    CountedDay,
    Differs,
    EffectRate,
    EffectRates,
    RateRow,
    effect_rates,
    with_few_rows,
)
from dunning.domain.text_effects import NO_REMINDER, NOT_KNOWN, TextEffect, TextPart
from dunning.ports.clock import Clock
from dunning.ports.tallies import TallyReader
from dunning.services.console.shown import CodeShown, MeasureShown, SentenceShown, StageShown
from dunning.services.console.trials_read import segment_shown

WEEKS = (4, 13, 26)
"""The windows that can be chosen, the shortest first: it is shown if none is chosen."""

_WRITTEN_WEEKS = {"": WEEKS[0], **{str(weeks): weeks for weeks in WEEKS}}

ROWS_SHOWN = 12
"""Rows of a table; those of the fewest reminders are joined, so that the page stays below 30 KB."""

_THOUSAND = 1000
_WITHOUT_VALUE = {JOINED: "rates.others", NOT_KNOWN: "rates.not_known", NO_REMINDER: "rates.no_reminder"}


class RateCell(NamedTuple):
    """How often an effect followed the reminders of a row; `between` and `differs` are said if there is something."""

    number: int
    per_thousand: MeasureShown
    between: SentenceShown | None
    differs: CodeShown | None


class RateLine(NamedTuple):
    """The rates of some reminders, an effect each."""

    name: object
    reminders: int
    cells: tuple[RateCell, ...]


class RatePart(NamedTuple):
    """The rates by one thing that reminders are told apart by."""

    name: CodeShown
    lines: tuple[RateLine, ...]


class RateFinding(NamedTuple):
    """A row of which more follows than of the others, and what."""

    name: object
    rates: tuple[SentenceShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesView:
    """
    The rates of a window of weeks. `lender` is empty for all, and `begins_late` says so if the window is shorter.

    `stands_out` are the rows of which more follows than of the others; `nothing_found` is said if there are none.
    """

    lender: str
    lenders: tuple[str, ...]
    weeks: int
    choices: tuple[int, ...]
    first: date
    last: date
    begins_late: SentenceShown | None
    effects: tuple[CodeShown, ...]
    whole: RateLine
    parts: tuple[RatePart, ...]
    has_segments: bool
    stands_out: tuple[RateFinding, ...]
    nothing_found: SentenceShown | None


class RatesService:
    """
    Reads rates from the tally. `zones` gives the zone of each lender, in which its days are counted.

    Days of several lenders are added up, from the first day on that is counted for all of them.
    """

    def __init__(self, tally: TallyReader, clock: Clock, zones: Callable[[], Mapping[str, ZoneInfo]]) -> None:
        self._tally = tally
        self._clock = clock
        self._zones = zones

    def view(self, lender: str = "", written_weeks: str = "") -> RatesView:
        """
        Return the rates of the last weeks, today included; of all lenders if there is none of that name.

        `written_weeks` are the weeks as an address has them; the shortest window is shown if they are none.
        """
        lenders = tuple(self._zones())
        chosen = lender if lender in lenders else ""
        weeks = _WRITTEN_WEEKS.get(written_weeks, WEEKS[0])
        first, rates = self._rates(chosen, weeks)
        tables = rates.tables_with_values
        return RatesView(
            lender=chosen,
            lenders=lenders,
            weeks=weeks,
            choices=WEEKS,
            first=rates.first,
            last=rates.last,
            begins_late=SentenceShown("rates.begins_late", {"day": rates.first}) if rates.first > first else None,
            effects=tuple(CodeShown("rates_effect", effect.value) for effect in TextEffect),
            whole=_rate_line(SentenceShown("rates.all"), rates.whole),
            parts=tuple(
                RatePart(
                    CodeShown("rates_by", table.part.value),
                    tuple(
                        _rate_line(_value_shown(table.part, row.value), row)
                        for row in with_few_rows(table, ROWS_SHOWN).rows
                    ),
                )
                for table in tables
            ),
            has_segments=any(table.part is TextPart.PAYER for table in tables),
            stands_out=tuple(_stands_out(rates)),
            nothing_found=_nothing_found(rates),
        )

    def document(self, lender: str = "", written_weeks: str = "") -> str | None:
        """Return the JSON of the rates, as programs read it (`rates.json`); `None` without such lender or window."""
        weeks = _WRITTEN_WEEKS.get(written_weeks)
        if weeks is None or lender not in {"", *self._zones()}:
            return None
        _, rates = self._rates(lender, weeks)
        return rates_document(lender, weeks, rates)

    def _rates(self, lender: str, weeks: int) -> tuple[date, EffectRates]:
        """Return the first day that is asked for, and the rates from then on or from the first day that is counted."""
        zones = self._zones()
        zone = zones.get(lender) or next(iter(zones.values()), ZoneInfo("UTC"))
        last = self._clock.now().astimezone(zone).date()
        first = last - timedelta(days=7 * weeks - 1)
        found = [day for day in self._tally.days(lender, first, last) if day.lender in zones]
        return first, effect_rates([CountedDay(day.day, day.counters) for day in found], first, last)


def _rate_line(name: object, row: RateRow) -> RateLine:
    return RateLine(name, row.reminders, tuple(_cell(row.rates[effect]) for effect in TextEffect))


def _cell(rate: EffectRate) -> RateCell:
    return RateCell(
        rate.count,
        _per_thousand(rate.rate),
        SentenceShown(
            "trial.between", {"low": _per_thousand(rate.interval.low), "high": _per_thousand(rate.interval.high)}
        )
        if rate.interval
        else None,
        CodeShown("rates_differs", rate.differs.value) if rate.stands_out else None,
    )


def _per_thousand(rate: float | None) -> MeasureShown:
    return MeasureShown(None if rate is None else _THOUSAND * rate, "per_thousand")


def _value_shown(part: TextPart, value: str) -> object:
    if value in _WITHOUT_VALUE:
        return SentenceShown(_WITHOUT_VALUE[value])
    match part:
        case TextPart.STAGE:
            return StageShown(int(value))
        case TextPart.HOUR:
            return SentenceShown("rates.hours", {"first": f"{value}:00", "end": f"{int(value) + HOURS_A_BAND}:00"})
        case TextPart.PAYER:
            return segment_shown(value)
        case TextPart.WORDING:
            return value


def _stands_out(rates: EffectRates) -> Iterator[RateFinding]:
    for table in rates.tables:
        for row in table.rows:
            higher = tuple(
                SentenceShown(
                    "rates.stands_out",
                    {
                        "effect": CodeShown("rates_effect", effect.value),
                        "rate": _per_thousand(rate.rate),
                        "usual": _per_thousand(rates.whole.rates[effect].rate),
                    },
                )
                for effect, rate in row.rates.items()
                if rate.differs is Differs.HIGHER
            )
            if higher:
                yield RateFinding(_value_shown(table.part, row.value), higher)


def _nothing_found(rates: EffectRates) -> SentenceShown | None:
    """Return what is said if no row stands out: that none does, or that nobody can tell yet."""
    if any(_stands_out(rates)):
        return None
    if not rates.compared:
        return SentenceShown("rates.too_few", {"least": LEAST_REMINDERS})
    return SentenceShown("rates.none_stands_out")
