"""Today: what happened on a day, by lender or in all, each number with its last 30 days and the list behind it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.census import NOT_PLANNED, Census, summed
from dunning.domain.counters import NAMES, OF_TEXTS, is_listed
from dunning.domain.customer.standing import Standing
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.attention import AttentionList
from dunning.ports.clock import Clock
from dunning.ports.customers import DueIndex, StandingReader
from dunning.ports.gateways import SendingSwitch
from dunning.ports.tallies import LenderDay, TallyReader
from dunning.services.console.concerns import Concern, concerns_of
from dunning.services.console.counter_labels import COUNTED_BY, counter_label, counters_of_kind, total_of_kind
from dunning.services.console.shown import AmountShown, CodeShown, SentenceShown, StageShown, rounded_age

CURVE_DAYS = 30
"""The days of a curve, the day itself included."""

DAYS_BACK = 34
"""How far back a day may be: with today as many days as lists are kept."""

_OLD_AFTER = timedelta(minutes=2)
"""Counters younger than that are of now: the tally waits two minutes for more changes."""
_MAY_LAG_AFTER = timedelta(minutes=15)
_CENSUS_OLD_AFTER = timedelta(hours=26)
_DUE_READ_FOR = timedelta(seconds=30)
"""The due index is read so often at most, however many pages are open."""
_MOST_URGENT = 25
"""So many who cannot wait are counted of a lender: more would not be read more calmly."""
_LONGEST_COUNTER = 200
"""No counter has a name as long: what is longer names none."""

_THOUSAND = 1000
_TILES = ("sent", "delivered", "failed", "replies", "needs_person", "opt_out", "promise_kept", "promise_broken")
_SUMS = ("segments", "price_micros")
_GROUPS = ("wait", "stop", "sent", "failed", "reply", "needs_person")
RATES: Mapping[str, str] = {"opt_outs_per_thousand": "opt_out", "complaints_per_thousand": "reply:complaint"}
"""Rates by a thousand texts, and the counter of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """
    A number of the day.

    `counter` names the list behind it, or as `#kind` a group on the page; it is empty if there is neither. `curve` ends
    with the day.
    """

    label: CodeShown | StageShown | SentenceShown
    number: float
    counter: str = ""
    unit: str = "count"
    """`count`, `per_thousand`, or `usd_micros`."""
    curve: tuple[float, ...] = ()

    @property
    def day_before(self) -> float:
        """The number of the day before."""
        return self.curve[-2]


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """The figures of one kind, the largest first; without figures if there was none on the day."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class LenderRow:
    """A lender's figures among those of all."""

    lender: str
    figures: tuple[Figure, ...]


class NightlyAmount(NamedTuple):
    """An amount of the last census, and that of each night of the curve that has one."""

    amount: AmountShown
    curve: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CurrencyRow:
    """What is overdue, promised, and paid since the first text, in a currency."""

    currency: str
    overdue: NightlyAmount
    promised: NightlyAmount
    paid: NightlyAmount


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusView:
    """Where all customers stood at the last census. `notes` say what has to be known before it is relied on."""

    as_of: datetime | None
    customers: int
    overdue_customers: int
    amounts: tuple[CurrencyRow, ...]
    reasons: FigureGroup
    notes: tuple[SentenceShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayView:
    """The page of a day. `lender` is empty for all. Local times and the day are those of `zone`."""

    lender: str
    lenders: tuple[str, ...]
    day: date
    earliest: date
    latest: date
    zone: ZoneInfo
    has_other_zones: bool
    as_of: datetime | None
    age: timedelta | None
    """How old the numbers of today are; `None` if they are of now, or of a day that is over."""
    may_lag: bool
    """Whether so much time has gone by that either nothing has happened, or the tally is behind."""
    sending: bool
    concerns: tuple[Concern, ...]
    oldest_due: datetime | None
    """The earliest wake that has come and led to no decision yet, of all lenders."""
    oldest_due_age: timedelta | None
    tiles: tuple[Figure, ...]
    groups: tuple[FigureGroup, ...]
    by_lender: tuple[LenderRow, ...]
    first_day: date
    delivered: tuple[float, ...]
    failed: tuple[float, ...]
    other: tuple[float, ...]
    census: CensusView

    @property
    def is_today(self) -> bool:
        """Whether the day has not ended."""
        return self.day == self.latest

    @property
    def day_before(self) -> date | None:
        """The day before, unless there are no lists of it any more."""
        return self.day - timedelta(days=1) if self.day > self.earliest else None

    @property
    def day_after(self) -> date | None:
        """The day after, if it has begun."""
        return None if self.is_today else self.day + timedelta(days=1)

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
class BehindRow:
    """A customer behind a number, as things stand now: the stage reached, what is decided, why, and until when."""

    customer_id: str
    stage: StageShown | None = None
    reason: CodeShown | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindView:
    """
    The customers behind a number of a day. `shown` is the lender whose customers these are, one at a time.

    `next_lender` and `next_page` say where the list goes on; both are empty at the end.
    """

    lender: str
    shown: str
    day: date
    zone: ZoneInfo
    counter: str
    kind: CodeShown | None
    label: CodeShown | StageShown
    rows: tuple[BehindRow, ...]
    next_lender: str
    next_page: str
    is_first_page: bool


class TodayService:
    """
    Reads the tally.

    Args:
        tally: the counters.
        due: the customers whose wake has come.
        standings: where a customer stands now.
        attention: who waits for a person.
        switch: whether sending is on.
        clock: the time.
        zones: the zone of each lender, in the order of the lenders.
    """

    def __init__(
        self,
        *,
        tally: TallyReader,
        due: DueIndex,
        standings: StandingReader,
        attention: AttentionList,
        switch: SendingSwitch,
        clock: Clock,
        zones: Callable[[], Mapping[str, ZoneInfo]],
    ) -> None:
        self._tally = tally
        self._due = due
        self._standings = standings
        self._attention = attention
        self._switch = switch
        self._clock = clock
        self._zones = zones
        self._due_read: tuple[datetime, datetime | None] | None = None

    def view(self, lender: str, asked: date | None) -> TodayView:
        """Return the page of a day, by default of today; of all lenders if there is none of that name."""
        zones, now = self._zones(), self._clock.now()
        chosen = [lender] if lender in zones else list(zones)
        zone = zones[chosen[0]] if chosen else ZoneInfo("UTC")
        today = now.astimezone(zone).date()
        earliest = today - timedelta(days=DAYS_BACK)
        day = min(max(asked or today, earliest), today)
        first = day - timedelta(days=CURVE_DAYS - 1)
        known = [
            found for found in self._tally.days(lender if lender in zones else "", first, day) if found.lender in chosen
        ]
        days = _by_day(known, first)
        as_of = max((found.as_of for found in known if found.as_of), default=None)
        age = now - as_of if as_of and day == today else None
        sending = self._switch.is_on()
        oldest = self._oldest_due(now) if day == today else None
        urgent = sum(self._urgent(each) for each in chosen) if day == today else None
        concerns = concerns_of(days[-1], days[:-1], oldest_due=oldest, now=now, sending=sending, urgent=urgent)
        sent = _curve(days, "sent")
        delivered, failed = _curve(days, "delivered"), _curve(days, "failed")
        return TodayView(
            lender=lender if lender in zones else "",
            lenders=tuple(zones),
            day=day,
            earliest=earliest,
            latest=today,
            zone=zone,
            has_other_zones=len({zones[each].key for each in chosen}) > 1,
            as_of=as_of,
            age=rounded_age(age) if age and age >= _OLD_AFTER else None,
            may_lag=age is not None and age > _MAY_LAG_AFTER,
            sending=sending,
            concerns=concerns,
            oldest_due=oldest,
            oldest_due_age=rounded_age(now - oldest) if oldest else None,
            tiles=tuple(_tiles(days)),
            groups=tuple(_groups(days)),
            by_lender=tuple(_by_lender(known, chosen, day)) if len(chosen) > 1 else (),
            first_day=first,
            delivered=delivered,
            failed=failed,
            other=tuple(
                max(0.0, all_sent - arrived - lost)
                for all_sent, arrived, lost in zip(sent, delivered, failed, strict=True)
            ),
            census=_census_view(known, chosen, now if day == today else None),
        )

    def _oldest_due(self, now: datetime) -> datetime | None:
        """Return the earliest wake that has come; the index is asked anew every half minute."""
        if self._due_read is None or not self._due_read[0] <= now < self._due_read[0] + _DUE_READ_FOR:
            head = next(iter(self._due.due(now, 1)), None)
            self._due_read = (now, head.wake.at if head else None)
        return self._due_read[1]

    def _urgent(self, lender: str) -> int:
        """Count the customers of a lender who wait, and whose life may depend on it: they head the list."""
        return sum(waiting.urgent for waiting in self._attention.waiting_customers(lender, _MOST_URGENT))

    def behind(self, lender: str, day: date, counter: str, page: str, shown: str = "") -> BehindView | None:
        """
        Return a page of the list behind a number; `None` if there is no such lender, or no list.

        An empty `lender` is for all: their lists follow one another, and `shown` is the lender to go on with.
        """
        zones = self._zones()
        chosen = [lender] if lender else list(zones)
        is_counter = 0 < len(counter) <= _LONGEST_COUNTER and is_listed(counter)
        if not (is_counter and chosen and {*chosen, shown or chosen[0]} <= zones.keys()):
            return None
        for place in range(chosen.index(shown) if shown in chosen else 0, len(chosen)):
            found = self._tally.customers_behind(chosen[place], day, counter, page)
            if found.customer_ids:
                break
            page = ""
        following = chosen[place + 1] if place + 1 < len(chosen) else ""
        standings = self._standings.read_standings(found.customer_ids) if found.customer_ids else {}
        return BehindView(
            lender=lender,
            shown=chosen[place],
            day=day,
            zone=zones[chosen[place]],
            counter=counter,
            kind=CodeShown("number", counter.partition(":")[0]) if ":" in counter else None,
            label=counter_label(counter),
            rows=tuple(_behind_row(each, standings.get(each)) for each in found.customer_ids),
            next_lender=chosen[place] if found.next_page else following,
            next_page=found.next_page,
            is_first_page=not page and not shown,
        )


def _behind_row(customer_id: str, standing: Standing | UnreadableRecordError | None) -> BehindRow:
    match standing:
        case None:
            return BehindRow(customer_id=customer_id)
        case UnreadableRecordError():
            return BehindRow(customer_id=customer_id, reason=CodeShown("reason", "unreadable_record"))
    last = max(standing.progress.values(), key=lambda reached: (reached.on, reached.stage), default=None)
    return BehindRow(
        customer_id=customer_id,
        stage=StageShown(last.stage) if last else None,
        reason=CodeShown("reason", standing.reason) if standing.reason else None,
        until=standing.wake.at if standing.wake else None,
    )


def _by_day(known: Iterable[LenderDay], first: date) -> list[Mapping[str, int]]:
    """Return the counters of each day of the curve, those of all lenders together."""
    by_day: defaultdict[date, list[Mapping[str, int]]] = defaultdict(list)
    for found in known:
        by_day[found.day].append(found.counters)
    return [summed(by_day[first + timedelta(days=number)]) for number in range(CURVE_DAYS)]


def _curve(days: Sequence[Mapping[str, int]], kind: str) -> tuple[float, ...]:
    return tuple(float(total_of_kind(counters, kind)) for counters in days)


def _tiles(days: Sequence[Mapping[str, int]]) -> Iterator[Figure]:
    for kind in _TILES:
        yield _total_figure(days, kind)
    for name in RATES:
        yield _rate_figure(days, name)
    for name in _SUMS:
        yield _total_figure(days, name)


def _total_figure(days: Sequence[Mapping[str, int]], kind: str) -> Figure:
    return Figure(
        label=CodeShown("number", kind),
        number=total_of_kind(days[-1], kind),
        counter=f"#{kind}" if kind in COUNTED_BY else kind if is_listed(kind) else "",
        unit=_unit(kind),
        curve=_curve(days, kind),
    )


def _rate_figure(days: Sequence[Mapping[str, int]], name: str) -> Figure:
    sent, counted = _curve(days, "sent"), _curve(days, RATES[name])
    curve = tuple(_THOUSAND * number / texts if texts else 0.0 for number, texts in zip(counted, sent, strict=True))
    return Figure(
        label=CodeShown("number", name), number=curve[-1], counter=RATES[name], unit="per_thousand", curve=curve
    )


def _unit(counter: str) -> str:
    return "usd_micros" if counter.endswith("_micros") else "count"


def _groups(days: Sequence[Mapping[str, int]]) -> Iterator[FigureGroup]:
    today = days[-1]
    for kind in _GROUPS:
        yield FigureGroup(kind, _largest_first(days, counters_of_kind(today, kind)))
    # What has no place of its own, such as a counter of a later version.
    placed = {*_GROUPS, *_TILES, *_SUMS, "text", *OF_TEXTS}
    others = {name: number for name, number in today.items() if number and name.partition(":")[0] not in placed}
    yield FigureGroup("more", _largest_first(days, others))
    yield FigureGroup("text", _largest_first(days, counters_of_kind(today, "text")))


def _largest_first(days: Sequence[Mapping[str, int]], counters: Mapping[str, int]) -> tuple[Figure, ...]:
    figures = [
        Figure(
            label=counter_label(name),
            number=number,
            unit=_unit(name),
            counter=name if name.partition(":")[0] in NAMES and is_listed(name) else "",
            curve=tuple(float(counted.get(name, 0)) for counted in days),
        )
        for name, number in counters.items()
    ]
    return tuple(sorted(figures, key=lambda figure: (-figure.number, str(figure.label))))


def _by_lender(known: Iterable[LenderDay], lenders: Sequence[str], day: date) -> Iterator[LenderRow]:
    of_today = {found.lender: found.counters for found in known if found.day == day}
    for lender in lenders:
        days = [of_today.get(lender, {})]
        figures = [_total_figure(days, kind) for kind in ("sent", "delivered", "failed", "replies", "needs_person")]
        rates = [_rate_figure(days, name) for name in RATES]
        yield LenderRow(lender, (*figures, *rates, _total_figure(days, "price_micros")))


# ------------------------------------------------------------------ the census


def _census_view(known: Sequence[LenderDay], lenders: Sequence[str], now: datetime | None) -> CensusView:
    """Show the last census of each lender. `now` is given for today, of which the census must not be old."""
    nights = [found.census for found in known if found.census is not None]
    last = {census.lender: census for census in sorted(nights, key=lambda census: census.day)}
    latest = list(last.values())
    as_of = min((census.as_of for census in latest), default=None)
    reasons = summed(census.reasons for census in latest)
    by_day: defaultdict[date, list[Census]] = defaultdict(list)
    for census in nights:
        by_day[census.day].append(census)
    figures = [
        Figure(
            label=SentenceShown("census.not_planned") if reason == NOT_PLANNED else CodeShown("reason", reason),
            number=number,
        )
        for reason, number in reasons.items()
    ]
    return CensusView(
        as_of=as_of,
        customers=sum(census.customers for census in latest),
        overdue_customers=sum(census.overdue_customers for census in latest),
        amounts=tuple(_amounts(latest, [night for _, night in sorted(by_day.items())])),
        reasons=FigureGroup("stood", tuple(sorted(figures, key=lambda figure: (-figure.number, str(figure.label))))),
        notes=tuple(_census_notes(latest, lenders, as_of, now)),
    )


def _amounts(latest: Sequence[Census], nights: Sequence[Sequence[Census]]) -> Iterator[CurrencyRow]:
    def nightly(currency: str, amounts_of: Callable[[Census], Mapping[str, int]]) -> NightlyAmount:
        def amount(night: Sequence[Census]) -> int:
            return sum(amounts_of(census).get(currency, 0) for census in night)

        return NightlyAmount(AmountShown(amount(latest), currency), tuple(float(amount(night)) for night in nights))

    for currency in sorted({each for census in latest for each in (*census.overdue, *census.promised, *census.paid)}):
        yield CurrencyRow(
            currency,
            overdue=nightly(currency, lambda census: census.overdue),
            promised=nightly(currency, lambda census: census.promised),
            paid=nightly(currency, lambda census: census.paid),
        )


def _census_notes(
    latest: Sequence[Census], lenders: Sequence[str], as_of: datetime | None, now: datetime | None
) -> Iterator[SentenceShown]:
    if as_of is None:
        yield SentenceShown("census.missing")
        return
    if now is not None and now - as_of > _CENSUS_OLD_AFTER:
        yield SentenceShown("census.old", {"age": rounded_age(now - as_of)})
    partial = tuple(census.lender for census in latest if not census.is_whole)
    if partial:
        yield SentenceShown("census.partial", {"lenders": partial})
    without = tuple(lender for lender in lenders if lender not in {census.lender for census in latest})
    if without:
        yield SentenceShown("census.without", {"lenders": without})
