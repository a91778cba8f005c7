"""
Half a year of people with planted effects, under a policy with trials: the real services over ports in memory.

    file ─> settle ─> wakes ─> scan ─> send (decide, draw, claim, publish, record) ─> people hear, pay, write back
                                  ^                                                        │
                                  └───────────── lender events and replies <───────────────┘

People react to the words and the hour of what was published, and to nothing that the trial wrote down.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from itertools import batched, count
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.contracts.job import job_body
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.errors import DunningError
from dunning.domain.replies.local_reader import LocalReader
from dunning.ports.queues import QueueMessage
from dunning.ports.trial_nights import DrawClaim
from dunning.services.intake.settle import Candidate
from dunning.services.scan import ScanService
from dunning.services.send.claims import PricedPolicies
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.sender import SendService
from dunning.services.tally import rungs_of_change
from tests.bench.scale import Wakes, inline
from tests.local.effect_people import (
    BEGIN,
    PAID_BEFORE,
    Answered,
    HeardText,
    Person,
    PlantedEffects,
    answer_to_text,
    due_day,
    facts_of,
    fate_of,
    is_moved,
    paid_at,
    people,
)
from tests.support.accepting_carrier import AcceptingCarrier
from tests.support.fakes import FakeClock, FakeQueue, FakeSwitch
from tests.support.office import Contacts, Customers, Office, event_body, message

TICK = timedelta(minutes=10)
"""What comes within so many minutes is worked off together."""

ZONE = ZoneInfo("Asia/Taipei")
"""All homes have its clock."""

_NIGHT = time(2, 30)
_BATCH = 25
_PER_SECOND = 50
_ANSWERED_AFTER = timedelta(minutes=25)
_WRITES: dict[Answered, str] = {Answered.OPTS_OUT: "退訂", Answered.COMPLAINS: "我要投訴你們"}


class PlayError(DunningError):
    """A service failed where none may."""


class Changes:
    """What the change streams of both tables tell of rungs, by the tally's own reading of a change."""

    def __init__(self) -> None:
        self._entries: list[DrawnRung | DrawClaim] = []
        self.claimed: set[str] = set()
        """The send ids of all claims with a draw."""

    def note(self, old: Standing | None, new: Standing | Contact) -> None:
        """Note a change."""
        entries = rungs_of_change(old, new)
        self._entries += entries
        for entry in entries:
            if isinstance(entry, DrawClaim):
                (self.claimed.discard if entry.is_released else self.claimed.add)(entry.send_id)

    def taken(self) -> list[DrawnRung | DrawClaim]:
        """Return what was told since the last night."""
        taken, self._entries = self._entries, []
        return taken


class Records(Contacts):
    """The audit table, by customer, with the records that nobody has reacted to yet."""

    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self.fresh: list[Contact] = []
        self._changes = changes
        self._of: dict[str, list[Contact]] = {}

    def write(self, contacts: Sequence[Contact]) -> None:
        """Keep records."""
        super().write(contacts)
        self.fresh += contacts
        for contact in contacts:
            self._changes.note(None, contact)
            self._of.setdefault(contact.customer_id, []).append(contact)

    def recent(self, customer_id: str, since: datetime) -> Sequence[Contact]:
        """Return the records of a customer: those of all customers are too many to look through."""
        return [record for record in self._of.get(customer_id, ()) if record.at >= since]


class Claims(Customers):
    """The customers, whose claims with a draw are told of."""

    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self._changes = changes

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        """Write a standing, and tell of a ledger that has changed."""
        before = self.standings.get(standing.customer_id)
        is_saved = super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)
        if is_saved and (before is None or before.ledger is not standing.ledger):
            self._changes.note(before, standing)
        return is_saved


class _News(NamedTuple):
    """What is to come from outside: when, of whom, the instalment that is paid, or what is written."""

    at: datetime
    order: int
    customer_id: str
    instalment: int = -1
    written: Answered | None = None


@dataclass(kw_only=True)
class Happened:
    """What happened, counted by the people and the carrier: nothing of it comes from a trial."""

    texts: int = 0
    held_out: int = 0
    payments: int = 0
    opt_outs: int = 0
    complaints: int = 0
    texts_by_habit: Counter[str] = field(default_factory=Counter)
    texts_by_week: dict[date, Counter[str]] = field(default_factory=dict)


class EffectWorld:
    """
    A portfolio being played. `policies` decide; `on_night` is called after each night with the local day that begins.

    The same arguments give the same lives, whatever the machine.
    """

    def __init__(
        self,
        *,
        customers: int,
        days: int,
        seed: int,
        effects: PlantedEffects,
        policies: PricedPolicies,
        reader: LocalReader,
        countries: Collection[str] = (),
        on_night: Callable[[date], None] = lambda _day: None,
    ) -> None:
        self.days = days
        self.seed = seed
        self.effects = effects
        self.begin = datetime.combine(BEGIN, time(), ZONE).astimezone(UTC)
        self.end = datetime.combine(BEGIN + timedelta(days=days), time(), ZONE).astimezone(UTC)
        self.people = {person.customer_id: person for person in people(customers, seed, countries)}
        self.happened = Happened()
        self.clock = FakeClock(self.begin)
        self.changes = Changes()
        self.store, self.records = Claims(self.changes), Records(self.changes)
        self.office = Office(self.clock, policies, reader, self.store, self.records)
        self.wakes = Wakes()
        self.store.standings = self.wakes
        self._on_night = on_night
        self._queue = FakeQueue()
        self._ids = count(1)
        self._order = count()
        self._news: list[_News] = []
        self.paid_on: dict[tuple[str, int], date] = {}
        self._heard: Counter[str] = Counter()
        self._scanner = ScanService(
            index=self.wakes,
            queue=self._queue,
            switch=FakeSwitch(),
            clock=self.clock,
            telemetry=self.office.telemetry,
            capacity=10_000,
        )
        self._sender = SendService(
            store=self.store,
            publisher=self.office.publisher,
            policies=policies,
            clock=self.clock,
            telemetry=self.office.telemetry,
            contacts=self.records,
            queue=self._queue,
            gateways=GatewaysByName(AcceptingCarrier()),
            switch=FakeSwitch(),
            new_id=lambda: f"id-{next(self._ids)}",
            per_second=_PER_SECOND,
            max_receive_count=5,
        )
        for service in (self._sender, self.office.lender_events, self.office.replies):
            inline(service)

    def play(self) -> Happened:
        """
        Load everybody, and play all days.

        Raises:
            PlayError: a service has failed.
        """
        self._load()
        nights = self._nights()
        night = next(nights, None)
        while (moment := self._next_moment(night)) is not None:
            self.clock.move_to(max(self.clock.now(), moment))
            if night is not None and moment >= night:
                self._on_night(night.astimezone(ZONE).date())
                night = next(nights, None)
                continue
            self._hear_news(moment)
            self._tick(moment)
        return self.happened

    def _nights(self) -> Iterator[datetime]:
        """Yield a moment of each night, the last of them after the last day."""
        for number in range(1, self.days + 1):
            yield datetime.combine(BEGIN + timedelta(days=number), _NIGHT, ZONE).astimezone(UTC)

    def _next_moment(self, night: datetime | None) -> datetime | None:
        """Return the next moment at which there is something to do; `None` after the last night."""
        if night is None:
            return None
        coming = [moment for moment in (self.wakes.first(),) if moment is not None]
        if self._news:
            coming.append(self._news[0].at)
        ahead = max(min(coming, default=night), self.clock.now()) - self.begin
        return min(night, self.begin + math.ceil(ahead / TICK) * TICK)

    # ------------------------------------------------------------------ what the lender and the people do

    def _load(self) -> None:
        """Settle everybody, as intake does once it has read a file."""
        for batch in batched(self.people.values(), 50, strict=False):
            candidates = []
            for person in batch:
                facts, paid_on = facts_of(person, self.seed)
                stated = replace(facts, as_of=self.begin, paid_as_of=self.begin)
                candidates.append(Candidate(stated, 2, paid_on))
                self._expect_payments(person)
            self.office.settler.settle_batch(candidates, self.clock.now())

    def _expect_payments(self, person: Person) -> None:
        for instalment in range(self.days // 30 + 2):
            fate = fate_of(person, instalment, self.seed)
            day = due_day(person, instalment) + timedelta(days=fate.offset)
            self._expect(paid_at(person, day, fate), person, instalment=instalment)

    def _expect(self, at: datetime, person: Person, *, instalment: int = -1, written: Answered | None = None) -> None:
        if self.begin <= at < self.end:
            heappush(self._news, _News(at, next(self._order), person.customer_id, instalment, written))

    def _hear_news(self, moment: datetime) -> None:
        """Hand over the payments and replies that have come."""
        paid: list[QueueMessage] = []
        while self._news and self._news[0].at <= moment:
            news = heappop(self._news)
            if news.written is not None:
                self._write_back(news)
            elif (news.customer_id, news.instalment) not in self.paid_on:
                self.paid_on[news.customer_id, news.instalment] = news.at.astimezone(ZONE).date()
                paid.append(QueueMessage(str(news.order), self._payment(news), 1))
        self.happened.payments += len(paid)
        for batch in batched(paid, 50, strict=False):
            if self.office.lender_events.handle_batch(batch, lambda: math.inf):
                raise PlayError(f"a payment failed at {moment.isoformat()}")

    def _payment(self, news: _News) -> str:
        facts = self.store.lender_records[news.customer_id].snapshot
        assert facts is not None, news.customer_id
        (account,) = facts.accounts
        return event_body(
            "InstalmentPaid",
            news.customer_id,
            news.at,
            0,
            account_id=account.account_id,
            instalment_no=PAID_BEFORE + news.instalment + 1,
            paid=account.instalments[PAID_BEFORE + news.instalment].amount,
            currency=account.currency,
        )

    def _write_back(self, news: _News) -> None:
        assert news.written is not None
        self.happened.opt_outs += news.written is Answered.OPTS_OUT
        self.happened.complaints += news.written is Answered.COMPLAINS
        person = self.people[news.customer_id]
        phone = person.home.phone.format(person.number)
        reply = message(f"reply-{news.order}", phone, _WRITES[news.written], news.at)
        if self.office.replies.handle_batch([reply], lambda: math.inf):
            raise PlayError(f"a reply failed at {news.at.isoformat()}")

    # ------------------------------------------------------------------ what the product does

    def _tick(self, moment: datetime) -> None:
        """Let the scanner fill the queue and the sender empty it, and let people hear what was published."""
        self._scanner.tick()
        jobs = self._queue.jobs
        for batch in batched(jobs, _BATCH, strict=False):
            messages = [QueueMessage(str(place), job_body(job), 1) for place, job in enumerate(batch)]
            if self._sender.handle_batch(messages, lambda: math.inf):
                raise PlayError(f"a job failed at {moment.isoformat()}")
        jobs.clear()
        for record in self.records.fresh:
            self._hear(record)
        self.records.fresh.clear()
        # What is kept in memory would grow with every decision.
        self.office.telemetry.decisions.clear()
        self.office.telemetry.events.clear()
        self.office.publisher.published.clear()

    def _hear(self, record: Contact) -> None:
        """Let somebody hear a text: it may move the payments that are open, and be answered."""
        if record.stage is None:
            return
        person = self.people[record.customer_id]
        is_silent = record.state is ContactState.HELD_OUT
        self.happened.held_out += is_silent
        week = self.happened.texts_by_week.setdefault(_monday(record.at), Counter())
        week["held_out" if is_silent else person.home.trial] += 1
        if is_silent:
            return
        self.happened.texts += 1
        self.happened.texts_by_habit[person.habit] += 1
        local = record.at.astimezone(person.home.zone)
        for instalment in self._open_instalments(person, local.date(), record.stage):
            fate = fate_of(person, instalment, self.seed)
            if is_moved(person, fate, self.effects.moves(local.hour)):
                self._expect(paid_at(person, local.date() + timedelta(days=1), fate), person, instalment=instalment)
        text = HeardText(record.at, record.template, self._heard[person.customer_id])
        self._heard[person.customer_id] += 1
        answer = answer_to_text(person, text, self.effects, self.seed)
        if answer is not None and person.home.can_answer:
            self._expect(record.at + _ANSWERED_AFTER, person, written=answer)

    def _open_instalments(self, person: Person, today: date, stage: int) -> Iterator[int]:
        """Yield the instalments that a text of today may have asked for: due by now, or by the day it speaks of."""
        last = max(today, today - timedelta(days=stage))
        for instalment in range((last - person.first_due).days // 30 + 1):
            if (person.customer_id, instalment) not in self.paid_on:
                yield instalment


def _monday(at: datetime) -> date:
    day = at.astimezone(ZONE).date()
    return day - timedelta(days=day.weekday())
