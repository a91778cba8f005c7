"""Today: what happened on a day, by lender or in all, each number with its last 30 days and the list behind it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dunning.ports.clock import Clock
from dunning.ports.gateways import SendingSwitch
from dunning.services.console.day_tally import (
    COUNTED_BY,
    CountedCustomers,
    CountedDay,
    DayTally,
    NightlyCount,
    counter_label,
)
from dunning.services.console.shown import AmountShown, CodeShown, StageShown

CURVE_DAYS = 30
"""The days of a curve, the day itself included."""

SUMS = frozenset({"segments", "price_micros", "billed_segments", "billed_micros"})
"""Counters that add up amounts: there is no list behind them."""

_LATE_AFTER = timedelta(minutes=15)
_THOUSAND = 1000
_TILES = ("sent", "delivered", "failed", "replies", "needs_person", "opt_out", "promise_kept", "promise_broken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of the day. `counter` names the list behind it, or as `#kind` a group; `curve` ends with the day."""

    label: CodeShown | StageShown
    number: float
    counter: str = ""
    unit: str = "count"
    """`count`, `per_thousand`, or `usd_micros`."""
    curve: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """The figures of one kind, the largest first."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class AmountRow:
    """Amounts of a currency, as of the nightly count."""

    overdue: AmountShown
    promised: AmountShown
    paid: AmountShown


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayView:
    """The page of a day. `lender` is empty for all. Local times and the day are those of `zone`."""

    lender: str
    lenders: tuple[str, ...]
    day: date
    zone: ZoneInfo
    is_today: bool
    as_of: datetime | None
    is_late: bool
    sending: bool
    tiles: tuple[Figure, ...]
    groups: tuple[FigureGroup, ...]
    first_day: date
    delivered: tuple[float, ...]
    failed: tuple[float, ...]
    other: tuple[float, ...]
    amounts: tuple[AmountRow, ...]
    amounts_as_of: datetime | None
    amounts_are_whole: bool
    overdue_customers: int
    customers: int

    @property
    def day_before(self) -> date:
        """The day before."""
        return self.day - timedelta(days=1)

    @property
    def day_after(self) -> date:
        """The day after."""
        return self.day + timedelta(days=1)

    @property
    def most(self) -> float:
        """The most texts of a day in the chart."""
        return max(sum(figures) for _, *figures in self.days())

    def days(self) -> Iterable[tuple[date, float, float, float]]:
        """Yield the days of the chart, newest first, with the texts delivered, not delivered, and not reported on."""
        for back in range(CURVE_DAYS):
            number = CURVE_DAYS - 1 - back
            yield (
                self.first_day + timedelta(days=number),
                self.delivered[number],
                self.failed[number],
                self.other[number],
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindView:
    """The customers behind a number of a day: ids alone."""

    lender: str
    day: date
    counter: str
    kind: CodeShown | None
    label: CodeShown | StageShown
    customer_ids: tuple[str, ...]
    next_page: str


class TodayService:
    """
    Reads the tally.

    Args:
        tally: the counters.
        switch: whether sending is on.
        clock: the time.
        zones: the zone of each lender, in the order of the lenders.
    """

    def __init__(
        self, tally: DayTally, switch: SendingSwitch, clock: Clock, zones: Callable[[], Mapping[str, ZoneInfo]]
    ) -> None:
        self._tally = tally
        self._switch = switch
        self._clock = clock
        self._zones = zones

    def view(self, lender: str, day: date | None) -> TodayView:
        """Return the page of a day; without a day, or with one that has not come, that of today."""
        zones = self._zones()
        chosen = [lender] if lender in zones else list(zones)
        zone = zones[chosen[0]] if chosen else ZoneInfo("UTC")
        now = self._clock.now()
        today = now.astimezone(zone).date()
        day = min(day or today, today)
        first = day - timedelta(days=CURVE_DAYS - 1)
        by_day: defaultdict[date, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        as_of: datetime | None = None
        for each in chosen:
            for counted in self._tally.days(each, first, day):
                _count_in(by_day[counted.day], counted)
                as_of = max(filter(None, (as_of, counted.as_of)))
        days = [by_day[first + timedelta(days=number)] for number in range(CURVE_DAYS)]
        censuses = [count for each in chosen for count in self._tally.censuses(each, day, day)]
        sent = _curve(days, "sent")
        delivered, failed = _curve(days, "delivered"), _curve(days, "failed")
        return TodayView(
            lender=lender if lender in zones else "",
            lenders=tuple(zones),
            day=day,
            zone=zone,
            is_today=day == today,
            as_of=as_of,
            is_late=day == today and as_of is not None and now - as_of > _LATE_AFTER,
            sending=self._switch.is_on(),
            tiles=tuple(_tiles(days)),
            groups=tuple(_groups(days)),
            first_day=first,
            delivered=delivered,
            failed=failed,
            other=tuple(
                max(0.0, all_sent - arrived - lost)
                for all_sent, arrived, lost in zip(sent, delivered, failed, strict=True)
            ),
            amounts=tuple(_amounts(censuses)),
            amounts_as_of=min((count.as_of for count in censuses), default=None),
            amounts_are_whole=len(censuses) == len(chosen) and all(count.is_whole for count in censuses),
            overdue_customers=sum(count.overdue_customers for count in censuses),
            customers=sum(count.customers for count in censuses),
        )

    def behind(self, lender: str, day: date, counter: str, page: str) -> BehindView | None:
        """Return a page of the list behind a number; `None` if there is no such lender or number."""
        if lender not in self._zones() or counter.partition(":")[0] in SUMS or not counter:
            return None
        found: CountedCustomers = self._tally.customers_behind(lender, day, counter, page)
        return BehindView(
            lender=lender,
            day=day,
            counter=counter,
            kind=CodeShown("number", counter.partition(":")[0]) if ":" in counter else None,
            label=counter_label(counter),
            customer_ids=found.customer_ids,
            next_page=found.next_page,
        )


def _count_in(counters: defaultdict[str, int], counted: CountedDay) -> None:
    for name, number in counted.counters.items():
        counters[name] += number


def _total(counters: Mapping[str, int], kind: str) -> int:
    """Return a counter, or the sum of all counters of a kind."""
    return sum(number for name, number in counters.items() if name == kind or name.startswith(f"{kind}:"))


def _curve(days: Sequence[Mapping[str, int]], kind: str) -> tuple[float, ...]:
    return tuple(float(_total(counters, kind)) for counters in days)


def _tiles(days: Sequence[Mapping[str, int]]) -> Iterable[Figure]:
    today = days[-1]
    for kind in _TILES:
        is_listed = kind in today
        yield Figure(
            label=CodeShown("number", kind),
            number=_total(today, kind),
            counter=kind if is_listed else f"#{kind}" if kind in COUNTED_BY else "",
            curve=_curve(days, kind),
        )
    sent = _curve(days, "sent")
    for name, kind in (("opt_outs_per_thousand", "opt_out"), ("complaints_per_thousand", "reply:complaint")):
        curve = tuple(
            _THOUSAND * number / texts if texts else 0.0 for number, texts in zip(_curve(days, kind), sent, strict=True)
        )
        yield Figure(label=CodeShown("number", name), number=curve[-1], unit="per_thousand", curve=curve)
    yield Figure(
        label=CodeShown("number", "segments"), number=_total(today, "segments"), curve=_curve(days, "segments")
    )
    yield Figure(
        label=CodeShown("number", "price"),
        number=_total(today, "price_micros"),
        unit="usd_micros",
        curve=_curve(days, "price_micros"),
    )


def _groups(days: Sequence[Mapping[str, int]]) -> Iterable[FigureGroup]:
    today = days[-1]
    for kind in COUNTED_BY:
        figures = [
            Figure(
                label=counter_label(name),
                number=number,
                counter=name,
                curve=tuple(float(counters.get(name, 0)) for counters in days),
            )
            for name, number in today.items()
            if name.startswith(f"{kind}:") and number
        ]
        yield FigureGroup(kind, tuple(sorted(figures, key=lambda figure: (-figure.number, figure.counter))))


def _amounts(censuses: Sequence[NightlyCount]) -> Iterable[AmountRow]:
    currencies = sorted({each for count in censuses for each in (*count.overdue, *count.promised, *count.paid)})
    for currency in currencies:
        yield AmountRow(
            overdue=AmountShown(sum(count.overdue.get(currency, 0) for count in censuses), currency),
            promised=AmountShown(sum(count.promised.get(currency, 0) for count in censuses), currency),
            paid=AmountShown(sum(count.paid.get(currency, 0) for count in censuses), currency),
        )
