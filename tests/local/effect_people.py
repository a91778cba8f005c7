"""
People on whom texts have an effect that is known, because it is planted here. The same for the same seed.

Each instalment of somebody is paid on a day that habit and chance decide. Some of those that would be late are paid a
day after a text, if one comes. So both lives of everybody can be told: with texts and without. What a trial ought to
find is worked out from the two (`planted_in_trial`), and by nothing of the product.

People hear words and hours, and never what a trial has drawn.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from random import Random
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.customer.standing import progress_key

BEGIN = date(2026, 6, 1)
"""The first day, a Monday: the trials of `trial_policies` begin on it."""

LENDER = "demo-trials"

PERIOD = timedelta(days=30)
PAID_BEFORE = 6
"""The instalments that are paid when the play begins: how they were paid is known."""

CURT = "-curt"
"""What the names of the curt wordings have in common."""

_COMING = 9
_FIRST_DUE = range(4, 34)
_PAYS_FROM = 19
_PAYS_UNTIL = 23
_NAMES = ("王小明", "陳美麗", "歐陽大文", "林志")
_RANGE_OF_LIFTS = 0.9
_SEARCH_STEPS = 16
_PEOPLE_ASKED = 4_000


class Home(NamedTuple):
    """Where people live, which trial runs there, and how many of ten live there."""

    country: str
    trial: str
    of_ten: int
    currency: str
    language: str
    phone: str
    zone: ZoneInfo
    can_answer: bool
    """Whether texts come from a number that can be answered."""


HOMES = (
    Home("TW", "quiet", 5, "TWD", "zh-Hant", "+8869{:08d}", ZoneInfo("Asia/Taipei"), can_answer=True),
    Home("HK", "tone", 3, "HKD", "zh-Hant", "+8525{:07d}", ZoneInfo("Asia/Hong_Kong"), can_answer=True),
    Home("SG", "hour", 2, "SGD", "en", "+658{:07d}", ZoneInfo("Asia/Singapore"), can_answer=False),
)


class Habit(StrEnum):
    """How somebody pays who hears nothing."""

    PUNCTUAL = "punctual"
    """Always on time, with texts or without."""
    FORGETFUL = "forgetful"
    LATE = "late"


_OF_TWENTY: Mapping[Habit, int] = {Habit.PUNCTUAL: 9, Habit.FORGETFUL: 7, Habit.LATE: 4}
_ON_TIME: Mapping[Habit, float] = {Habit.PUNCTUAL: 1.0, Habit.FORGETFUL: 0.45, Habit.LATE: 0.15}
_LATE_DAYS: Mapping[Habit, tuple[int, int]] = {Habit.FORGETFUL: (4, 24), Habit.LATE: (8, 25)}
"""The first and the last of the days by which a late instalment is late. The next one is not asked for before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedEffects:
    """What texts do to people. Nothing else of a text does anything."""

    moved: float
    """The share of late instalments that a text moves: they are paid on the day after it."""
    moved_at_best_hour: float
    """The same for a text that is heard in the evening, from 17:00 on."""
    opt_outs: float = 0.003
    """The probability that somebody opts out because of a text."""
    opt_outs_if_curt: float = 0.03
    """The same for a curt wording."""
    complaints: float = 0.001
    complaints_if_curt: float = 0.01

    def moves(self, hour: int) -> float:
        """Return the share of late instalments that a text of an hour moves."""
        return self.moved_at_best_hour if hour >= _EVENING else self.moved


_EVENING = 17


class Person(NamedTuple):
    """Somebody: who, where, with which habit, and when the first instalment of the play is due."""

    number: int
    customer_id: str
    home: Home
    habit: Habit
    first_due: date


class Fate(NamedTuple):
    """What becomes of an instalment: the days from its due day to the payment without a text, and who is moved."""

    offset: int
    position: float
    """From 0 on and below 1: a text moves the payment if the share that it moves is above."""
    minute: int
    """The minute of the day of the payment: in the evening, after the last hour of a text."""


def people(count: int, seed: int, countries: Collection[str] = ()) -> Iterator[Person]:
    """Yield so many people, who live in these countries, or in all of them."""
    habits = [habit for habit, share in _OF_TWENTY.items() for _ in range(share)]
    homes = [home for home in HOMES if not countries or home.country in countries for _ in range(home.of_ten)]
    for number in range(count):
        chance = Random(f"{seed} person {number}")
        yield Person(
            number,
            f"C{number:06d}",
            homes[number % len(homes)],
            chance.choice(habits),
            BEGIN + timedelta(days=chance.choice(_FIRST_DUE)),
        )


def fate_of(person: Person, instalment: int, seed: int) -> Fate:
    """Return what becomes of an instalment of the play, the first of which has the number 0."""
    chance = Random(f"{seed} fate {person.number} {instalment}")
    offset = -chance.randrange(3)
    if chance.random() >= _ON_TIME[person.habit]:
        offset = chance.randint(*_LATE_DAYS[person.habit])
    return Fate(offset, chance.random(), chance.randrange(_PAYS_FROM * 60, _PAYS_UNTIL * 60))


def is_moved(person: Person, fate: Fate, share: float) -> bool:
    """Tell whether a text that moves a share of late instalments moves this one."""
    return person.habit is not Habit.PUNCTUAL and fate.offset > 0 and fate.position < share


def due_day(person: Person, instalment: int) -> date:
    """Return the day on which an instalment of the play is due."""
    return person.first_due + instalment * PERIOD


def paid_at(person: Person, day: date, fate: Fate) -> datetime:
    """Return the moment of a payment on a day."""
    return datetime.combine(day, time(fate.minute // 60, fate.minute % 60), person.home.zone).astimezone(UTC)


def facts_of(person: Person, seed: int) -> tuple[Facts, Mapping[str, date]]:
    """Return what the lender's first file says of somebody, and the days of the payments before."""
    amount = 325_000 + person.number % 70_000
    account_id = f"A{person.number:06d}"
    instalments, days = [], {}
    for position in range(PAID_BEFORE + _COMING):
        coming = position - PAID_BEFORE
        due_on = due_day(person, coming)
        instalments.append(
            Instalment(number=position + 1, due_on=due_on, amount=amount, paid=amount if coming < 0 else 0)
        )
        if coming < 0:
            paid_on = due_on + timedelta(days=fate_of(person, coming, seed).offset)
            days[progress_key(account_id, position + 1)] = min(paid_on, BEGIN - timedelta(days=1))
    account = Account(
        account_id=account_id,
        tail=f"{person.number % 10_000:04d}",
        currency=person.home.currency,
        instalments=tuple(instalments),
    )
    facts = Facts(
        customer_id=person.customer_id,
        name=_NAMES[person.number % len(_NAMES)],
        phone=person.home.phone.format(person.number),
        phone_country=person.home.country,
        country=person.home.country,
        region="",
        language=person.home.language,
        time_zone="",
        lender=LENDER,
        consented_at=None,
        accounts=(account,),
    )
    return facts, MappingProxyType(days)


class HeardText(NamedTuple):
    """A text as somebody hears it: when, and in which words."""

    at: datetime
    template: str
    number: int
    """How many texts the person has heard before."""


class Answered(StrEnum):
    """What somebody writes back to a text."""

    OPTS_OUT = "opts_out"
    COMPLAINS = "complains"


def answer_to_text(person: Person, text: HeardText, effects: PlantedEffects, seed: int) -> Answered | None:
    """Return what somebody writes back, mostly nothing."""
    is_curt = CURT in text.template
    opt_outs = effects.opt_outs_if_curt if is_curt else effects.opt_outs
    complaints = effects.complaints_if_curt if is_curt else effects.complaints
    chance = Random(f"{seed} answer {person.number} {text.number}").random()
    if chance < opt_outs:
        return Answered.OPTS_OUT
    return Answered.COMPLAINS if chance < opt_outs + complaints else None


# ------------------------------------------------------------------ what a trial ought to find


@dataclass(slots=True)
class BothLives:
    """The rungs and the cures of people of whom all are texted, and of the same people if nobody is."""

    rungs: dict[str, int] = field(default_factory=lambda: {"text": 0, "silence": 0})
    cures: dict[str, int] = field(default_factory=lambda: {"text": 0, "silence": 0})

    @property
    def lift(self) -> float:
        """The cure rate with texts less that without; 0 if there is nobody."""
        if not all(self.rungs.values()):
            return 0.0
        return self.cures["text"] / self.rungs["text"] - self.cures["silence"] / self.rungs["silence"]

    def add(self, arm: str, offset: int, stages: Iterable[int], goal_days: int) -> None:
        """Count an instalment that is paid so many days after its due day, from the first stage that it reaches."""
        first = min(stages)
        if offset >= first:
            self.rungs[arm] += 1
            self.cures[arm] += offset <= first + goal_days


class HoldoutTerms(NamedTuple):
    """What a holdout compares: its stages, those of the whole ladder, and the days to a cure."""

    stages: tuple[int, ...]
    ladder: tuple[int, ...]
    goal_days: int

    @property
    def heard_if_silent(self) -> tuple[int, ...]:
        """The stages that somebody held out hears all the same."""
        return tuple(stage for stage in self.ladder if stage not in self.stages)


def planted_in_trial(
    everybody: Iterable[Person], moved: float, terms: HoldoutTerms, instalments: int, seed: int
) -> BothLives:
    """
    Return both lives of people: what a holdout at some stages compares, an instalment at a time.

    Whoever is held out hears the stages that no trial may leave out. So the lift of a trial is not the share that is
    moved.
    """
    return _both_lives(_fates(everybody, instalments, seed), moved, terms)


def _fates(everybody: Iterable[Person], instalments: int, seed: int) -> list[tuple[Person, Fate]]:
    return [(person, fate_of(person, each, seed)) for person in everybody for each in range(instalments)]


def _both_lives(fates: Iterable[tuple[Person, Fate]], moved: float, terms: HoldoutTerms) -> BothLives:
    lives = BothLives()
    for person, fate in fates:
        can_move = is_moved(person, fate, moved)
        for arm, stages_heard in (("text", terms.ladder), ("silence", terms.heard_if_silent)):
            offset = _offset_after(stages_heard, fate.offset) if can_move else fate.offset
            lives.add(arm, offset, terms.stages, terms.goal_days)
    return lives


def _offset_after(stages_heard: Iterable[int], offset: int) -> int:
    """Return the day of payment of somebody who is moved by the first text that is stages_heard."""
    first = min((stage for stage in stages_heard if stage <= offset), default=offset)
    return min(offset, first + 1)


@cache
def share_to_move(lift: float, terms: HoldoutTerms, instalments: int) -> float:
    """
    Return the share of late instalments that a text has to move for a trial to find a lift, as a share of 1.

    Raises:
        ValueError: no share does.
    """
    if lift == 0:
        return 0.0
    fates = _fates(people(_PEOPLE_ASKED, 0), instalments, 0)
    low, high = 0.0, _RANGE_OF_LIFTS

    def lift_of(moved: float) -> float:
        return _both_lives(fates, moved, terms).lift

    if not 0 < lift <= lift_of(high):
        raise ValueError(f"a lift of {lift * 100:g} points cannot be planted; plant 0 to {lift_of(high) * 100:.0f}")
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if lift_of(middle) < lift else (low, middle)
    return high


def effects_for(lift: float, terms: HoldoutTerms, instalments: int) -> PlantedEffects:
    """Return effects of which a holdout finds a lift; in the evening a text moves a quarter of all more."""
    moved = share_to_move(lift, terms, instalments)
    return PlantedEffects(moved=moved, moved_at_best_hour=min(1.0, moved + _MORE_IN_THE_EVENING))


_MORE_IN_THE_EVENING = 0.25


def without_effect(effects: PlantedEffects) -> PlantedEffects:
    """Return effects of which nothing is planted: all texts, words and hours are alike."""
    return replace(
        effects,
        moved=0.0,
        moved_at_best_hour=0.0,
        opt_outs_if_curt=effects.opt_outs,
        complaints_if_curt=effects.complaints,
    )
