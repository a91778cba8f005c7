"""
A million customers for 30 days, over ports in memory, in several processes.

    python -m tests.bench.scale [--customers 1000000] [--days 30] [--rate 50] [--processes 2] [--sample 10]

The portfolio is cut into slices, which the processes play one after the other. So no process holds more than one slice.
A slice has its share of the customers and of the account's rate. Its customers share nothing else with each other: a
life depends on no other life.

Everybody is played with the pure core: plan, decide, claim. A sample of the slices is played a second time with the
real services, from the load's settling to the sender's batches, and each customer must be sent the same texts.

Not played: reading files, replies and receipts (benchmarks of their own), AWS and its failures (`make prove`), and the
order of customers of different slices. Each text is checked by rules that are written down here a second time.
"""

import argparse
import math
import os
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as wall
from heapq import heappop, heappush
from itertools import batched, count
from random import Random
from typing import NamedTuple

import tests.local  # noqa: F401 - puts the layer on the path
from dunning.contracts.job import job_body
from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send
from dunning.ports.customers import DueCustomer
from dunning.ports.queues import Job, QueueMessage
from dunning.services.intake.settle import Candidate
from dunning.services.planning import plan, wake_after
from dunning.services.scan import ScanService
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.sender import SendService
from tests.bench import decisions
from tests.bench.portfolio import sending, waiting
from tests.support.accepting_carrier import AcceptingCarrier
from tests.support.builders import after, the_policies
from tests.support.fakes import FakeClock, FakeContacts, FakeQueue, FakeSwitch
from tests.support.office import Office, event_body

BEGIN = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
"""Midnight of 1 December in Taipei, Hong Kong and Shanghai, where all customers live."""

SLICE = 20_000
"""Customers played together."""

PAYMENT, HOLD = "payment", "hold"

_ZONE = timezone(timedelta(hours=8))
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_PERIOD = 30
_BATCH = 25
_TICK_SECONDS = 60
_INSTALMENTS = 12

_POPULAR_DAYS = (4, 9, 14, 24)
"""Days after the first on which a tenth of all instalments falls due each: the 5th, 10th, 15th and 25th."""

_PAYS_AFTER_DAYS: tuple[tuple[int, int | None], ...] = ((8, -1), (13, 2), (16, 5), (18, 10), (20, None))
"""Of twenty customers eight pay the day before, five two days late, and so on, as `usage` has it; two do not pay."""

_HELD_OF_A_THOUSAND = 20
"""How many customers the lender orders left in peace, at some moment of the month."""

LADDER = (-3, 0, 3, 7, 15)
"""The stages of the sample policies that need no written notice."""

CAPS = ((1, _DAY), (3, 7 * _DAY))
OPENS, CLOSES = wall(9), wall(20, 30)
SUNDAYS_CLOSED_TO_OVERDUE = frozenset({"HK"})
HOLIDAYS_CLOSED_TO_OVERDUE = {"HK": frozenset({date(2026, 12, 25), date(2026, 12, 26)})}
"""The rules of TW, HK and CN, in the plainest way."""


class Slice(NamedTuple):
    """A part of the portfolio: its number, its customers, the days played, its share of the texts a second."""

    number: int
    customers: int
    days: int
    per_second: float


@dataclass(slots=True)
class Life:
    """A customer as the checks know it: who, when something is due, what silences the customer, what was sent."""

    country: str
    due_on: date
    pays_at: datetime | None
    held_at: datetime | None
    accounts: int
    sent: list[tuple[datetime, int]] = field(default_factory=list)


@dataclass
class Played:
    """
    What came of slices.

    `expected` counts the texts that have to come on a certain day, `on_their_day` those that did. `decisions` are those
    to wait or stop. `late_by` counts texts by the whole minutes between wake and claim.
    """

    customers: int = 0
    texts: int = 0
    expected: int = 0
    on_their_day: int = 0
    news: int = 0
    ticks: int = 0
    decisions: int = 0
    late_by: Counter[int] = field(default_factory=Counter)
    by_day: Counter[date] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    memory_mb: float = 0.0

    def add(self, other: "Played") -> None:
        """Take another slice in."""
        self.customers += other.customers
        self.texts += other.texts
        self.expected += other.expected
        self.on_their_day += other.on_their_day
        self.news += other.news
        self.ticks += other.ticks
        self.decisions += other.decisions
        self.late_by += other.late_by
        self.by_day += other.by_day
        self.violations += other.violations
        for what, seconds in other.seconds.items():
            self.seconds[what] = self.seconds.get(what, 0.0) + seconds
        self.memory_mb = max(self.memory_mb, other.memory_mb)

    def late_minutes(self, share: float) -> int:
        """Return the minutes within which so great a share of the texts was claimed after the wake."""
        wanted = math.ceil(share * self.late_by.total())
        for minutes, texts in sorted(self.late_by.items()):
            wanted -= texts
            if wanted <= 0:
                return minutes
        return 0


# ------------------------------------------------------------------ the portfolio


def lives(part: Slice) -> Iterator[tuple[Facts, Life]]:
    """Make up the customers of a slice: twelve instalments, three of them paid; one in ten has a second account."""
    chance = Random(part.number)
    first = part.number * SLICE
    for number in range(first, first + part.customers):
        country = ("TW",) * 8 + ("HK", "CN")
        where = country[chance.randrange(10)]
        popular = chance.random() < len(_POPULAR_DAYS) / 10
        ahead = chance.choice(_POPULAR_DAYS) if popular else chance.randrange(3, _PERIOD)
        due_on = BEGIN.astimezone(_ZONE).date() + timedelta(days=ahead)
        habit = chance.randrange(20)
        after = next(days for below, days in _PAYS_AFTER_DAYS if habit < below)
        pays_at = None
        if after is not None:
            paid_on = datetime.combine(due_on + timedelta(days=after), wall(), _ZONE)
            pays_at = (paid_on + timedelta(minutes=chance.randrange(24 * 60))).astimezone(UTC)
        held_at = None
        if chance.randrange(1000) < _HELD_OF_A_THOUSAND:
            held_at = BEGIN + timedelta(minutes=chance.randrange(part.days * 24 * 60))
        accounts = 2 if chance.randrange(10) == 0 else 1
        yield _facts(number, where, due_on, accounts), Life(where, due_on, pays_at, held_at, accounts)


_PLACES = {
    "TW": ("TWD", "zh-Hant", "demo-tw", "+8869{:08d}"),
    "HK": ("HKD", "zh-Hant", "demo-tw", "+8525{:07d}"),
    "CN": ("CNY", "zh-Hans", "demo-cn", "+86138{:08d}"),
}
_NAMES = ("王小明", "陳美麗", "歐陽大文", "林志", "John Smith")
_PAID_BEFORE = 3


def _facts(number: int, country: str, due_on: date, accounts: int) -> Facts:
    currency, language, lender, phone = _PLACES[country]
    amount = 325_000 + number % 70_000
    days = [due_on + timedelta(days=_PERIOD * (period - _PAID_BEFORE)) for period in range(_INSTALMENTS)]
    return Facts(
        customer_id=f"C{number:07d}",
        name=_NAMES[number % len(_NAMES)],
        phone=phone.format(number),
        phone_country=country,
        country=country,
        region="",
        language=language,
        time_zone="",
        lender=lender,
        consented_at=None,
        accounts=tuple(
            Account(
                account_id=f"A{number:07d}-{account}",
                tail=f"{number % 10_000:04d}",
                currency=currency,
                instalments=tuple(
                    Instalment(
                        number=period + 1,
                        due_on=days[period],
                        amount=amount,
                        paid=amount if period < _PAID_BEFORE else 0,
                    )
                    for period in range(_INSTALMENTS)
                ),
            )
            for account in range(accounts)
        ),
        as_of=BEGIN,
        paid_as_of=BEGIN,
    )


# ------------------------------------------------------------------ the checks


class Checks:
    """
    Looks at each text as it goes out, and at each customer at the end. Nothing here calls the code that decides.

    Args:
        by_id: the customers.
        end: when the play ends.
    """

    def __init__(self, by_id: dict[str, Life], end: datetime) -> None:
        self._by_id = by_id
        self._end = end
        self._send_ids: set[str] = set()
        self.violations: list[str] = []

    def text(self, customer_id: str, send_id: str, stage: int, at: datetime) -> None:
        """Look at one text."""
        life = self._by_id[customer_id]
        if send_id in self._send_ids:
            self._broken("a second text for a send_id", customer_id, at)
        self._send_ids.add(send_id)
        local = at.astimezone(_ZONE)
        if not OPENS <= local.time() < CLOSES:
            self._broken("a text outside the hours", customer_id, at)
        if stage > 0:
            if life.country in SUNDAYS_CLOSED_TO_OVERDUE and local.isoweekday() == 7:
                self._broken("an overdue text on a Sunday", customer_id, at)
            if local.date() in HOLIDAYS_CLOSED_TO_OVERDUE.get(life.country, ()):
                self._broken("an overdue text on a holiday", customer_id, at)
        for most, window in CAPS:
            if sum(at - window < before for before, _ in life.sent) >= most:
                self._broken(f"more than {most} texts within {window}", customer_id, at)
        if life.held_at is not None and at > life.held_at + _MINUTE:
            self._broken("a text during a hold", customer_id, at)
        following = life.due_on + timedelta(days=_PERIOD + LADDER[0])
        if life.pays_at is not None and at > life.pays_at + _MINUTE and local.date() < following:
            self._broken("a text after the payment", customer_id, at)
        life.sent.append((at, stage))

    def finish(self, standings: dict[str, Standing], played: Played) -> None:
        """Look at everybody: who was due was texted on the day, and has a wake or a reason to have none."""
        for customer_id, life in self._by_id.items():
            expected = expected_days(life, self._end)
            sent = {at.astimezone(_ZONE).date() for at, _ in life.sent}
            played.expected += len(expected)
            played.on_their_day += len(expected & sent)
            standing = standings.get(customer_id)
            held = life.held_at is not None and life.held_at < self._end
            if standing is None or not standing.reason:
                self._broken("nobody planned the customer", customer_id, self._end)
            elif standing.wake is None and not held and standing.reason not in {"no_written_notice", "ladder_finished"}:
                self._broken(f"no wake, for the reason {standing.reason}", customer_id, self._end)
            elif standing.wake is not None and standing.wake.at < self._end - _DAY:
                self._broken("a wake that nobody answered", customer_id, self._end)
        played.violations = self.violations

    def _broken(self, rule: str, customer_id: str, at: datetime) -> None:
        self.violations.append(f"{rule}: {customer_id} at {at.isoformat()}")


def expected_days(life: Life, end: datetime) -> set[date]:
    """
    Return the days on which a customer has to be texted: each stage of the ladder until something silences it.

    The days of a payment and of a hold are left out, for they have texts or not, depending on the hour. So is what a
    Sunday or a holiday puts off, and the stage that comes too soon after what was put off.
    """
    last = end.astimezone(_ZONE).date()
    silent = [at.astimezone(_ZONE).date() for at in (life.pays_at, life.held_at) if at is not None]
    if life.country in SUNDAYS_CLOSED_TO_OVERDUE:
        silent.append(life.due_on + _DAY)
    days = {life.due_on + timedelta(days=stage) for stage in LADDER}
    first = BEGIN.astimezone(_ZONE).date()
    return {day for day in days if first <= day < last and all(day < silence for silence in silent)}


# ------------------------------------------------------------------ the stack in memory


class Wakes(dict[str, Standing]):
    """The standings, and the due index over their wakes: what is read of it follows what is due."""

    def __init__(self) -> None:
        super().__init__()
        self._heap: list[tuple[Wake, str]] = []

    def __setitem__(self, customer_id: str, standing: Standing) -> None:
        super().__setitem__(customer_id, standing)
        if standing.wake is not None:
            heappush(self._heap, (standing.wake, customer_id))

    def first(self) -> datetime | None:
        """Return the earliest wake."""
        while self._heap:
            wake, customer_id = self._heap[0]
            if self[customer_id].wake == wake:
                return wake.at
            heappop(self._heap)
        return None

    def due(self, now: datetime, limit: int) -> Iterator[DueCustomer]:
        """Yield the customers whose wake has come, earliest first; they stay in the index."""
        found: list[tuple[Wake, str]] = []
        while self._heap and self._heap[0][0].at <= now and len(found) < limit:
            entry = heappop(self._heap)
            if self[entry[1]].wake == entry[0] and (not found or found[-1] != entry):
                found.append(entry)
        for entry in found:
            heappush(self._heap, entry)
        return (DueCustomer(customer_id, wake) for wake, customer_id in found)


class _Inline(Executor):
    """A pool without threads: each piece of work is done when it is handed in."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as a pool's thread does
            future.set_exception(error)
        return future


def inline(service: object) -> None:
    """Let a service do in this thread what it would hand to threads: nothing here waits for an answer."""
    for name, value in list(vars(service).items()):
        if isinstance(value, ThreadPoolExecutor):
            setattr(service, name, _Inline())


class Play(ABC):
    """
    A slice being played: its clock, its index, and what its customers do. Two ways to play it are below.

    Each minute the lender's news is heard, and then as many due customers are taken as the pace allows.
    """

    def __init__(self, part: Slice) -> None:
        self.part = part
        self.end = BEGIN + timedelta(days=part.days)
        self.clock = FakeClock(BEGIN)
        self.standings = Wakes()
        self.by_id: dict[str, Life] = {}
        self.played = Played(customers=part.customers)
        self.checks = Checks(self.by_id, self.end)
        self.capacity = max(1, math.floor(part.per_second * _TICK_SECONDS))
        self._news: list[tuple[datetime, str, str]] = []

    @abstractmethod
    def load(self, customers: Sequence[Facts]) -> None:
        """Take new customers in, and plan each."""

    @abstractmethod
    def hear(self, news: Sequence[tuple[datetime, str, str]]) -> None:
        """Take in what the lender says: when, of whom, and whether it is a payment or a hold."""

    @abstractmethod
    def tick(self, minute: datetime) -> None:
        """Work on the customers who are due, for a minute at most."""

    def play(self) -> Played:
        """Load everybody, and play the days."""
        started = time.process_time()
        for batch in batched(lives(self.part), 50, strict=False):
            for facts, life in batch:
                self.by_id[facts.customer_id] = life
                if life.pays_at is not None:
                    self._news.append((life.pays_at, facts.customer_id, PAYMENT))
                if life.held_at is not None:
                    self._news.append((life.held_at, facts.customer_id, HOLD))
            self.load([facts for facts, _ in batch])
        self._news.sort(reverse=True)
        loaded = time.process_time()
        minute = BEGIN
        while (following := self._next_minute(minute)) is not None:
            minute = following
            self._hear_until(minute)
            self.clock.move_to(max(self.clock.now(), minute))
            self.tick(minute)
            self.played.ticks += 1
        self.checks.finish(self.standings, self.played)
        self.played.seconds = {"loading": loaded - started, "the days": time.process_time() - loaded}
        self.played.memory_mb = peak_mb()
        return self.played

    def sent(self, customer_id: str, send_id: str, stage: int, at: datetime, woken_at: datetime) -> None:
        """Check and count a text."""
        self.checks.text(customer_id, send_id, stage, at)
        self.played.texts += 1
        self.played.late_by[(at - woken_at) // _MINUTE] += 1
        self.played.by_day[at.astimezone(_ZONE).date()] += 1

    def _next_minute(self, minute: datetime) -> datetime | None:
        """Return the next minute in which there is something to do; the ticks in between find nothing due."""
        moments = [moment for moment in (self.standings.first(),) if moment is not None]
        if self._news:
            moments.append(self._news[-1][0])
        if not moments:
            return None
        ahead = max(min(moments) - BEGIN, minute + _MINUTE - BEGIN)
        following = BEGIN + math.ceil(ahead / _MINUTE) * _MINUTE
        return following if following < self.end else None

    def _hear_until(self, minute: datetime) -> None:
        news: list[tuple[datetime, str, str]] = []
        while self._news and self._news[-1][0] <= minute:
            news.append(self._news.pop())
        self.clock.move_to(max(self.clock.now(), minute))
        if news:
            self.hear(news)
        self.played.news += len(news)


class WithServices(Play):
    """All of a slice's work done by the real services: settling, scanner, queue, sender, lender events."""

    def __init__(self, part: Slice) -> None:
        super().__init__(part)
        self._office = Office(self.clock)
        self._office.store.standings = self.standings
        self._queue = FakeQueue()
        self._contacts = FakeContacts()
        ids = count(1)
        self._scanner = ScanService(
            index=self.standings,
            queue=self._queue,
            switch=FakeSwitch(),
            clock=self.clock,
            telemetry=self._office.telemetry,
            capacity=self.capacity,
        )
        self._sender = SendService(
            store=self._office.store,
            publisher=self._office.publisher,
            policies=the_policies(),
            clock=self.clock,
            telemetry=self._office.telemetry,
            contacts=self._contacts,
            queue=self._queue,
            gateways=GatewaysByName(AcceptingCarrier()),
            switch=FakeSwitch(),
            new_id=lambda: f"id-{next(ids)}",
            per_second=part.per_second,
            max_receive_count=5,
        )
        for service in (self._sender, self._office.lender_events):
            inline(service)

    def load(self, customers: Sequence[Facts]) -> None:
        """Settle customers, as intake does once it has read them."""
        self._office.settler.settle_batch([Candidate(facts, 2) for facts in customers], self.clock.now())
        self._note_decisions()

    def hear(self, news: Sequence[tuple[datetime, str, str]]) -> None:
        """Hand the news over in batches, as the queue does."""
        bodies = [body for at, customer_id, kind in news for body in self._bodies(at, customer_id, kind)]
        for batch in batched(bodies, 50, strict=False):
            messages = [QueueMessage(str(place), body, 1) for place, body in enumerate(batch)]
            if self._office.lender_events.handle_batch(messages, lambda: math.inf):
                self.played.violations.append(f"an event failed at {self.clock.now().isoformat()}")

    def _bodies(self, at: datetime, customer_id: str, kind: str) -> list[str]:
        if kind == HOLD:
            return [event_body("CustomerHold", customer_id, at, 0, reason="dispute")]
        facts = self._office.store.lender_records[customer_id].snapshot
        if facts is None:
            raise AssertionError(customer_id)
        return [
            event_body(
                "InstalmentPaid",
                customer_id,
                at,
                place,
                account_id=account.account_id,
                instalment_no=_PAID_BEFORE + 1,
                paid=account.instalments[_PAID_BEFORE].amount,
                currency=account.currency,
            )
            for place, account in enumerate(facts.accounts)
        ]

    def tick(self, minute: datetime) -> None:
        """Let the scanner fill the queue, and the sender empty it."""
        self._scanner.tick()
        while self._queue.jobs and self.clock.now() < minute + _MINUTE:
            jobs: list[Job] = self._queue.jobs[:_BATCH]
            del self._queue.jobs[:_BATCH]
            messages = [QueueMessage(str(place), job_body(job), 1) for place, job in enumerate(jobs)]
            if self._sender.handle_batch(messages, lambda: math.inf):
                self.played.violations.append(f"a job failed at {self.clock.now().isoformat()}")
            woken = {job.customer_id: job.wake_at for job in jobs}
            for record in self._contacts.records.values():
                self.sent(record.customer_id, record.send_id, record.stage or 0, record.at, woken[record.customer_id])
            self._contacts.records.clear()
        self._note_decisions()

    def _note_decisions(self) -> None:
        """Count what was decided, and forget it: what is kept in memory would grow with every decision."""
        telemetry = self._office.telemetry
        self.played.decisions += sum(not isinstance(decision, Send) for _, decision, _ in telemetry.decisions)
        telemetry.decisions.clear()
        telemetry.events.clear()
        self._office.publisher.published.clear()


class WithTheCore(Play):
    """The pure core alone: decide, plan and claim over dictionaries, as `tests/property/test_lives.py` plays a life."""

    def __init__(self, part: Slice) -> None:
        super().__init__(part)
        self._facts: dict[str, Facts] = {}
        self._gap = timedelta(seconds=1 / part.per_second)
        self._turn = BEGIN

    def load(self, customers: Sequence[Facts]) -> None:
        """Plan new customers."""
        for facts in customers:
            self._plan(facts, Standing(customer_id=facts.customer_id))

    def hear(self, news: Sequence[tuple[datetime, str, str]]) -> None:
        """Change the facts, and plan anew."""
        for _, customer_id, kind in news:
            facts = self._facts[customer_id]
            changed = (
                replace(facts, holds=(Hold(HoldReason.DISPUTE),))
                if kind == HOLD
                else replace(facts, accounts=tuple(map(_paid, facts.accounts)))
            )
            self._plan(changed, self.standings[customer_id])

    def _plan(self, facts: Facts, standing: Standing) -> None:
        self._facts[facts.customer_id] = facts
        following = plan(facts, standing, the_policies(), self.clock.now())
        self.played.decisions += not isinstance(following.decision, Send)
        self.standings[facts.customer_id] = replace(
            standing, version=standing.version + 1, wake=following.wake, reason=following.reason
        )

    def tick(self, minute: datetime) -> None:
        """Decide for each due customer when the pace allows a text, and claim it."""
        policies = the_policies()
        for customer_id, wake in self.standings.due(self.clock.now(), self.capacity):
            now = max(self.clock.now(), self._turn)
            if now >= minute + _MINUTE:
                break
            facts, standing = self._facts[customer_id], self.standings[customer_id]
            decision = decide(facts, standing, policies, now)
            if isinstance(decision, Send):
                self.clock.move_to(now)
                self._turn = now + self._gap
                self.sent(customer_id, decision.reminder.send_id, decision.reminder.stage, now, wake.at)
                self._plan(facts, after(standing, facts, decision.reminder, now))
            else:
                self.played.decisions += 1
                self.standings[customer_id] = replace(
                    standing,
                    version=standing.version + 1,
                    wake=wake_after(decision),
                    reason=decision.reason.value,
                )


def _paid(account: Account) -> Account:
    """Return an account with the instalment paid that is due in the month played."""
    instalments = list(account.instalments)
    instalments[_PAID_BEFORE] = replace(instalments[_PAID_BEFORE], paid=instalments[_PAID_BEFORE].amount)
    return replace(account, instalments=tuple(instalments))


def peak_mb() -> float:
    """Return the most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ------------------------------------------------------------------ all slices


def slices(customers: int, days: int, rate: float) -> list[Slice]:
    """Cut a portfolio into slices, each with its share of the rate."""
    return [
        Slice(number, here, days, rate * here / customers)
        for number, first in enumerate(range(0, customers, SLICE))
        for here in (min(SLICE, customers - first),)
    ]


class Outcome(NamedTuple):
    """A slice played with the core and, if it is in the sample, with the services too."""

    core: Played
    services: Played | None


def play_slice(part: Slice, *, in_sample: bool) -> Outcome:
    """Play one slice, and compare the two ways to play it."""
    core = WithTheCore(part)
    played = core.play()
    if not in_sample:
        return Outcome(played, None)
    services = WithServices(part)
    again = services.play()
    for customer_id, life in core.by_id.items():
        texts, others = (_texts_of(each) for each in (life, services.by_id[customer_id]))
        if texts != others:
            again.violations.append(f"core and services differ: {customer_id}: {texts} and {others}")
    return Outcome(played, again)


def _texts_of(life: Life) -> list[tuple[str, int]]:
    return [(at.astimezone(_ZONE).date().isoformat(), stage) for at, stage in life.sent]


@dataclass
class Result:
    """All slices so far, played with the core, and the sample of them played with the services."""

    core: Played = field(default_factory=Played)
    services: Played = field(default_factory=Played)

    @property
    def violations(self) -> list[str]:
        """What was found in both."""
        return self.core.violations + self.services.violations


def play_all(
    parts: Sequence[Slice], *, sample: int, processes: int, progress: Callable[[Result], None] = lambda _: None
) -> Result:
    """Play all slices in so many processes, the first ones of them twice, and tell of the progress after each."""
    result = Result()
    with ProcessPoolExecutor(processes) as pool:
        running = [pool.submit(play_slice, part, in_sample=place < sample) for place, part in enumerate(parts)]
        for future in as_completed(running):
            core, services = future.result()
            result.core.add(core)
            if services is not None:
                result.services.add(services)
            progress(result)
    return result


# ------------------------------------------------------------------ the report


def report(result: Result, *, rate: float, processes: int, elapsed: float) -> Iterator[str]:
    """Yield the lines a manager reads."""
    core, services = result.core, result.services
    share = core.on_their_day / core.expected if core.expected else 1.0
    yield f"{core.customers:,} customers, at {rate:g} texts a second"
    yield _line("texts", core.texts, f"{core.texts / core.customers:.2f} a customer")
    yield _line("  on the day they were due", core.on_their_day, f"{share:.2%} of {core.expected:,}")
    yield _line("payments and holds", core.news)
    yield _line("decisions to wait or stop", core.decisions)
    if core.by_day:
        busiest, texts = max(core.by_day.items(), key=lambda item: (item[1], item[0]))
        yield _line("texts on the busiest day", texts, f"{busiest}: {texts / rate / 60:,.0f} minutes at that rate")
    yield _line(
        "minutes from wake to claim",
        core.late_minutes(0.5),
        f"p50; p99 {core.late_minutes(0.99):,}, at most {max(core.late_by, default=0):,}",
    )
    yield _line("customers played twice", services.customers, "with the core, and with the real services")
    yield ""
    yield "Checked at each text and at the end, by rules stated a second time: caps, hours, closed days, holds,"
    yield "payments, one text for a send_id, nobody left out, core and services send the same texts"
    if result.violations:
        yield f"  {len(result.violations):,} VIOLATIONS, of which the first are"
        yield from (f"    {violation}" for violation in result.violations[:20])
    else:
        yield f"  no violation in {core.texts + services.texts:,} texts"
    yield ""
    yield "The machine"
    yield _line("seconds", elapsed, f"{processes} processes, load {os.getloadavg()[0]:.1f}")
    for name, played in (("core", core), ("services", services)):
        for what, seconds in played.seconds.items():
            each = 1e6 * seconds / played.customers
            yield _line(f"CPU seconds, {name}, {what}", seconds, f"{each:,.0f} µs a customer")
    seconds = sum(core.seconds.values())
    yield _line("customers a second, one core", core.customers / seconds, "whole lives, with the core")
    yield _line("MB of a process, at most", max(core.memory_mb, services.memory_mb), "whatever the portfolio")


def _line(what: str, number: float, more: str = "") -> str:
    return f"  {what:38} {number:12,.0f}   {more}".rstrip()


def rates() -> Iterator[str]:
    """Measure decisions a second on this core, beside their targets."""
    policies = the_policies()

    def run(facts: Facts, standing: Standing, now: datetime) -> object:
        return decide(facts, standing, policies, now)

    for what, cases, target in (("waits and stops", waiting(), 100_000), ("sends, linted", sending(), 30_000)):
        yield _line(f"{what} a second, one core", decisions.per_second(cases, run), f"target {target:,}")


class _Progress:
    """Writes a line for each twentieth that is done."""

    def __init__(self, customers: int) -> None:
        self._customers = customers
        self._started = time.monotonic()
        self._next = 0.05

    def __call__(self, result: Result) -> None:
        played = result.core
        done = played.customers / self._customers
        if done < self._next:
            return
        self._next = math.floor(done * 20 + 1) / 20
        elapsed = time.monotonic() - self._started
        sys.stderr.write(
            f"  {done:4.0%}  {played.customers:11,} customers  {played.texts:11,} texts  "
            f"{len(result.violations):,} violations  {elapsed:4.0f} s, about {elapsed / done - elapsed:,.0f} s to go\n"
        )


def _positive(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Play, print the report, and return 1 if a rule was broken."""
    parser = argparse.ArgumentParser(prog="make scale", description="Play a month of a large portfolio.")
    parser.add_argument("--customers", type=_positive, default=1_000_000, help="how many; 1000000 unless set")
    parser.add_argument("--days", type=_positive, default=30, help="how many days from 1 December 2026; 30 unless set")
    parser.add_argument("--rate", type=_positive, default=50, help="texts a second of the whole account; 50 unless set")
    parser.add_argument(
        "--processes", type=_positive, default=len(os.sched_getaffinity(0)), help="one a core unless set"
    )
    parser.add_argument(
        "--sample", type=int, choices=range(101), default=10, metavar="0..100",
        help="percent of the slices that the real services play, too; 10 unless set",
    )  # fmt: skip
    arguments = parser.parse_args(argv)
    parts = slices(arguments.customers, arguments.days, arguments.rate)
    started = time.monotonic()
    result = play_all(
        parts,
        sample=math.ceil(len(parts) * arguments.sample / 100),
        processes=arguments.processes,
        progress=_Progress(arguments.customers),
    )
    elapsed = time.monotonic() - started
    for line in report(result, rate=arguments.rate, processes=arguments.processes, elapsed=elapsed):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    for line in rates():
        sys.stdout.write(f"{line}\n")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
