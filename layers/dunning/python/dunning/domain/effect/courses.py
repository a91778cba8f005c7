"""
Courses: what would be sent to customers under a policy, summed up, and how two policies differ. Pure.

A course says what would be sent. It says nothing of what would be paid: the payments in it are assumed.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.channels import Channel

EXAMPLES = 20
"""Customers who are shown with both traces."""

_TOP_SHARE = 0.01


class AssumedPayment(NamedTuple):
    """A payment that is taken for granted: from `at` on, `paid` of an instalment is paid, in minor units."""

    at: datetime
    account_id: str
    number: int
    paid: int


class CourseText(NamedTuple):
    """
    A text that would be sent. `local_at` is the customer's time, `place` the law that applies.

    `price` is estimated, in millionths of a US dollar.
    """

    at: datetime
    local_at: datetime
    stage: int
    channel: str
    template: str
    encoding: str
    parts: int
    price: int
    place: str
    text: str


class TracedDecision(NamedTuple):
    """A decision with its trace, a line for each gate."""

    at: datetime
    reason: str
    trace: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Course:
    """What would happen to a customer until an end."""

    customer_id: str
    texts: list[CourseText] = field(default_factory=list)
    waits: Counter[str] = field(default_factory=Counter)
    """Decisions to wait, by the reason of the first gate in the way, and stages that chance left out (`held_out`)."""
    caps: Counter[str] = field(default_factory=Counter)
    """Decisions to wait with a cap in the way, by the cap."""
    handed_over: list[str] = field(default_factory=list)
    """Why a person is told, or was told before and has not acted yet (`ReviewReason`), each reason once, in order."""
    ended: str = ""
    """The reason of the last decision."""
    traces: list[TracedDecision] = field(default_factory=list)
    """All decisions, if they were asked for."""

    def is_like(self, other: "Course") -> bool:
        """Tell whether a customer would notice no difference, and nobody else either."""
        return self.texts == other.texts and self.handed_over == other.handed_over and self.ended == other.ended


@dataclass(slots=True, kw_only=True)
class CourseSums:
    """The courses of many customers, summed up."""

    customers: int = 0
    texts: int = 0
    segments: int = 0
    """Segments of SMS."""
    price: int = 0
    """Estimated fees of carriers, in millionths of a US dollar."""
    by_stage: Counter[int] = field(default_factory=Counter)
    by_hour: Counter[int] = field(default_factory=Counter)
    """By the hour of the customer's day."""
    by_place: Counter[str] = field(default_factory=Counter)
    by_channel: Counter[str] = field(default_factory=Counter)
    caps: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    handed_over: Counter[str] = field(default_factory=Counter)
    """Customers about whom a person is told, by reason."""
    to_people: int = 0
    """Customers about whom a person is told, for whatever reason."""
    ended: Counter[str] = field(default_factory=Counter)
    """Customers by the reason of the last decision."""
    by_texts: Counter[int] = field(default_factory=Counter)
    """Customers by the number of their texts."""

    def add(self, course: Course) -> None:
        """Take a customer in."""
        self.customers += 1
        self.texts += len(course.texts)
        self.by_texts[len(course.texts)] += 1
        for text in course.texts:
            self.price += text.price
            if text.channel == Channel.SMS:
                self.segments += text.parts
            self.by_stage[text.stage] += 1
            self.by_hour[text.local_at.hour] += 1
            self.by_place[text.place] += 1
            self.by_channel[text.channel] += 1
        self.waits.update(course.waits)
        self.caps.update(course.caps)
        if course.handed_over:
            self.to_people += 1
            self.handed_over.update(course.handed_over)
        self.ended[course.ended] += 1

    def merge(self, other: "CourseSums") -> None:
        """Take the sums of other customers in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def texted(self) -> int:
        """Customers who would get a text."""
        return self.customers - self.by_texts[0]

    def most_texted(self) -> "MostTexted":
        """Return how many texts the one per cent gets that gets most."""
        left = customers = math.ceil(self.customers * _TOP_SHARE)
        texts = least = 0
        for each, how_many in sorted(self.by_texts.items(), reverse=True):
            taken = min(left, how_many)
            if not taken:
                break
            texts, least, left = texts + taken * each, each, left - taken
        return MostTexted(customers, texts, least, max(self.by_texts, default=0))


class MostTexted(NamedTuple):
    """The one per cent of the customers who get the most texts: how many texts, and the fewest and most of anybody."""

    customers: int
    texts: int
    least: int
    most: int


class NextText(StrEnum):
    """How a customer's next text differs under the changed policy."""

    SAME = "same"
    EARLIER = "earlier"
    LATER = "later"
    NEW = "new"
    """There was none."""
    NONE = "none"
    """There is none any more."""
    OTHER_WORDS = "other_words"
    """At the same moment, but of another stage, channel or wording."""


def next_text_moves(today: Course, changed: Course) -> NextText:
    """Tell how a customer's next text differs."""
    before, after = (course.texts[0] if course.texts else None for course in (today, changed))
    if before is None or after is None:
        if before is after:
            return NextText.SAME
        return NextText.NEW if before is None else NextText.NONE
    if after.at != before.at:
        return NextText.EARLIER if after.at < before.at else NextText.LATER
    return NextText.SAME if after == before else NextText.OTHER_WORDS


class DifferingCustomer(NamedTuple):
    """A customer whose course differs, with all that it takes to play the course again."""

    facts: Facts
    standing: Standing
    payments: Sequence[AssumedPayment]


@dataclass(slots=True, kw_only=True)
class PolicyComparison:
    """Two policies over the same customers, with the same assumed payments."""

    today: CourseSums = field(default_factory=CourseSums)
    changed: CourseSums = field(default_factory=CourseSums)
    next_texts: Counter[NextText] = field(default_factory=Counter)
    differing: int = 0
    """Customers whose course differs in any way."""
    kinds: dict[str, list[DifferingCustomer]] = field(default_factory=dict)
    """The first customers of each kind of difference."""

    def add(self, today: Course, changed: Course, customer: Callable[[], DifferingCustomer]) -> None:
        """Take a customer in; `customer` is asked for only if it may be an example."""
        self.today.add(today)
        self.changed.add(changed)
        if today.is_like(changed):
            self.next_texts[NextText.SAME] += 1
            return
        self.differing += 1
        moves = next_text_moves(today, changed)
        self.next_texts[moves] += 1
        found = self.kinds.setdefault(_kind_of_difference(today, changed, moves), [])
        if len(found) < EXAMPLES:
            found.append(customer())

    def merge(self, other: "PolicyComparison") -> None:
        """Take other customers in, who come after these."""
        self.today.merge(other.today)
        self.changed.merge(other.changed)
        self.next_texts.update(other.next_texts)
        self.differing += other.differing
        for kind, found in other.kinds.items():
            self.kinds[kind] = [*self.kinds.get(kind, []), *found][:EXAMPLES]

    @property
    def moved(self) -> int:
        """Customers whose next text comes at another time, or comes or goes."""
        return self.next_texts.total() - self.next_texts[NextText.SAME] - self.next_texts[NextText.OTHER_WORDS]

    def examples(self) -> list[tuple[str, DifferingCustomer]]:
        """Return customers whose courses differ, of all kinds in turn: the same for the same customers."""
        return list(_in_turn(self.kinds))[:EXAMPLES]


def _kind_of_difference(today: Course, changed: Course, moves: NextText) -> str:
    """Name the difference, so that examples show each kind."""
    more = len(changed.texts) - len(today.texts)
    texts = "more texts" if more > 0 else "fewer texts" if more else "as many texts"
    people = ", over to a person" if changed.handed_over and not today.handed_over else ""
    return f"{texts}, next text: {moves.value.replace('_', ' ')}{people}"


def _in_turn(kinds: Mapping[str, Sequence[DifferingCustomer]]) -> Iterator[tuple[str, DifferingCustomer]]:
    for place in range(EXAMPLES):
        for kind in sorted(kinds):
            if place < len(kinds[kind]):
                yield kind, kinds[kind][place]
