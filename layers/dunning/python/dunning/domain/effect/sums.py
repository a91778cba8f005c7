"""
Sums: what is kept of outcomes, and the estimate that two arms make.

The customer is the unit, because the customer is what was drawn: all rungs of a customer under one key make one entry.
So sums of different customers may be added, in any order, and each night adds them anew from the books.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from operator import add, attrgetter
from typing import NamedTuple, Self

from dunning.domain.effect.intervals import (
    ClusterSums,
    Interval,
    RateEstimate,
    confidence_sequence,
    customers_needed,
    difference_of,
    newcombe,
    normal_interval,
    rate_by_customer,
    weeks_needed,
)
from dunning.domain.effect.settling import OutcomeState, Spell, SpellOutcome

LEAST_IN_A_GROUP = 100
"""Customers of each arm before an interval is stated: below, it would promise what it does not hold."""

LIFT_WORTH_FINDING = 0.02
"""The lift that a trial is planned for: what the literature lets expect of a text is 1 to 4 points."""


class SumKey(NamedTuple):
    """What sums are kept by. `None` stands for all: such sums are made from outcomes, not by adding others."""

    trial: str
    arm: str
    stage: int | None = None
    payer_segment: str | None = None
    place: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSums:
    """Sums over the customers of an arm. Each customer has k rungs, of which y were cured. Prices in USD millionths."""

    customers: int = 0
    y: int = 0
    k: int = 0
    yy: int = 0
    yk: int = 0
    kk: int = 0
    texts: int = 0
    parts: int = 0
    price_usd_micros: int = 0
    paid_in_part: int = 0
    opt_outs: int = 0
    complaints: int = 0
    wrong_persons: int = 0
    hardship: int = 0
    promises: int = 0
    broken_promises: int = 0
    next_late: int = 0
    next_known: int = 0
    """The rungs of which it is known whether the next instalment was late."""
    lost: int = 0
    """The rungs whose outcome cannot be read. They are in no other sum."""
    erased: int = 0
    """The rungs of customers who were erased. They are in no other sum."""

    def __add__(self, other: Self) -> Self:
        """Return the sums of these customers and of other ones."""
        return type(self)(**dict(zip(_NAMES, map(add, _values(self), _values(other)), strict=True)))

    @property
    def clusters(self) -> ClusterSums:
        """The sums that a rate and its variance need."""
        return ClusterSums(self.customers, self.y, self.k, self.yy, self.yk, self.kk)

    @property
    def drawn(self) -> int:
        """All rungs that were drawn, with those that have no outcome."""
        return self.k + self.lost + self.erased


_NAMES = tuple(field.name for field in fields(ArmSums))
_values = attrgetter(*_NAMES)  # a night adds sums of many parts, and `replace` would take four times as long
_NOTHING = ArmSums()


class SettledSpell(NamedTuple):
    """A spell with its outcome."""

    spell: Spell
    outcome: SpellOutcome


def _rung(settled: SettledSpell) -> tuple[int, ...]:
    """Return what a rung adds, in the order of `_NAMES`: a night adds millions, and objects would take minutes."""
    spell, outcome = settled
    match outcome.state:
        case OutcomeState.SETTLED:
            effects = outcome.side_effects
            return (
                *(0, outcome.cured, 1, 0, 0, 0),
                *((spell.parts > 0) + spell.further_texts, spell.parts, spell.price_usd_micros, outcome.paid_in_part),
                *(effects.opted_out, effects.complained, effects.wrong_person, effects.hardship),
                *(effects.promised, effects.promise_broken),
                *(bool(outcome.next_late), outcome.next_late is not None),
            )
        case OutcomeState.LOST:
            return _LOST
        case OutcomeState.ERASED:
            return _ERASED
        case OutcomeState.RUNNING:
            return ()


_LOST = tuple(int(name == "lost") for name in _NAMES)
_ERASED = tuple(int(name == "erased") for name in _NAMES)


def _add_to(row: list[int], values: Sequence[int]) -> None:
    for index, value in enumerate(values):
        if value:
            row[index] += value


def _with_squares(row: list[int]) -> list[int]:
    """Return the row of one customer as an entry: the customer is counted, if there is a rung, and squares are made."""
    _, y, k, *_ = row
    return [int(k > 0), y, k, y * y, y * k, k * k, *row[6:]]


def _as_sums(row: Sequence[int]) -> ArmSums:
    return ArmSums(**dict(zip(_NAMES, row, strict=True)))


def keys_of(spell: Spell) -> list[SumKey]:
    """
    Return the keys under which a spell counts: those of each layer, with the totals.

    A draw that left nothing to chance counts under no key.
    """
    return [
        key
        for draw in spell.draws
        if draw.propensity < 1
        for key in with_totals(
            SumKey(draw.trial, draw.arm, spell.stage, spell.payer_segment, spell.place, spell.channel)
        )
    ]


@lru_cache(maxsize=4096)  # stages, segments and places, not customers
def with_totals(key: SumKey) -> tuple[SumKey, ...]:
    """
    Return a key, the same without its channel, and the keys of the arm as a whole, by stage, payer segment and place.

    Silence has a channel of its own, so arms are compared without it.
    """
    return (
        key,
        key._replace(channel=None),
        SumKey(key.trial, key.arm),
        SumKey(key.trial, key.arm, stage=key.stage),
        SumKey(key.trial, key.arm, payer_segment=key.payer_segment),
        SumKey(key.trial, key.arm, place=key.place),
    )


def sums_of(settled: Iterable[SettledSpell]) -> dict[SumKey, ArmSums]:
    """
    Return the sums of all outcomes of some customers, by key, with the totals.

    All rungs of each customer are in `settled`. Many customers go in parts, for memory, and the parts are `merged`.
    """
    by_customer: dict[tuple[SumKey, str], list[int]] = {}
    for each in settled:
        rung = _rung(each)
        for key in keys_of(each.spell):
            pair = (key, each.spell.customer_id)
            row = by_customer.get(pair)
            if row is None:
                row = by_customer[pair] = [0] * len(_NAMES)
            _add_to(row, rung)
    rows: dict[SumKey, list[int]] = {}
    for (key, _), row in by_customer.items():
        total = rows.get(key)
        if total is None:
            total = rows[key] = [0] * len(_NAMES)
        _add_to(total, _with_squares(row))
    return {key: _as_sums(row) for key, row in rows.items()}


def merged(*sums: dict[SumKey, ArmSums]) -> dict[SumKey, ArmSums]:
    """Return the sums of several parts that have no customer in common."""
    total: dict[SumKey, ArmSums] = {}
    for part in sums:
        for key, entry in part.items():
            total[key] = total.get(key, _NOTHING) + entry
    return total


class FirstLine(StrEnum):
    """What the first line of an estimate says."""

    TOO_FEW = "too_few"
    """There are too few customers to say anything: it takes `needs_customers`, which lasts `needs_weeks`."""
    NO_DIFFERENCE_FOUND = "no_difference_found"
    """The trial was large enough for the lift it was planned for, and has found none."""
    MORE_PAY = "more_pay"
    FEWER_PAY = "fewer_pay"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """An arm as a reader sees it: never the cures alone. Rates are shares of 1; `None` where nothing is known."""

    customers: int
    rungs: int
    cure_rate: float | None
    paid_in_part_rate: float | None
    opt_outs_per_thousand: float | None
    complaints_per_thousand: float | None
    hardship_per_thousand: float | None
    promises_per_thousand: float | None
    broken_promise_rate: float | None
    """The broken ones of the promises."""
    next_late_rate: float | None
    """The late ones of the next instalments that are known."""
    texts_per_cure: float | None
    price_usd_micros_per_rung: float | None


def summary_of(sums: ArmSums) -> ArmSummary:
    """Return an arm as a reader sees it."""

    def per_thousand(count: int) -> float | None:
        return _ratio(1000 * count, sums.k)

    return ArmSummary(
        customers=sums.customers,
        rungs=sums.k,
        cure_rate=_ratio(sums.y, sums.k),
        paid_in_part_rate=_ratio(sums.paid_in_part, sums.k),
        opt_outs_per_thousand=per_thousand(sums.opt_outs),
        complaints_per_thousand=per_thousand(sums.complaints),
        hardship_per_thousand=per_thousand(sums.hardship),
        promises_per_thousand=per_thousand(sums.promises),
        broken_promise_rate=_ratio(sums.broken_promises, sums.promises),
        next_late_rate=_ratio(sums.next_late, sums.next_known),
        texts_per_cure=_ratio(sums.texts, sums.y),
        price_usd_micros_per_rung=_ratio(sums.price_usd_micros, sums.k),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftEstimate:
    """The cures of an arm less those of another, with all that has to stand beside them. Shares of 1."""

    first_line: FirstLine
    arm: ArmSummary
    other: ArmSummary
    lift: float | None
    """The cure rate of the arm less that of the other; `None` if an arm has no customer."""
    interval: Interval | None
    """The interval that may be looked at every day; `None` if an arm has too few customers to state it."""
    at_the_end: Interval | None
    """The narrower interval that holds if it is looked at once, at the planned end; `None` as above."""
    needs_customers: int | None
    """The customers of both arms that find the planned lift, looked at daily; `None` if no rate is known."""
    needs_weeks: int | None
    """The weeks from now until there are so many; 0 if there are. `None` if nobody is drawn."""
    price_usd_micros_per_additional_cure: float | None
    """The additional price per additional cure; `None` if the arm has no more cures than the other."""
    price_is_at_least: float | None
    """The same at the highest lift of the interval."""
    price_is_at_most: float | None
    """The same at the lowest lift of the interval; `None` if that is zero or less: the price has no bound."""


def estimate_lift(
    arm: ArmSums,
    other: ArmSums,
    *,
    planned_customers: int,
    share_of_other: float,
    customers_a_week: float,
    planned_lift: float = LIFT_WORTH_FINDING,
    alpha: float = 0.05,
) -> LiftEstimate:
    """
    Return the lift of an arm over another: texts over silence, or a wording over another.

    `share_of_other` is the configured share of the other arm among both, and `customers_a_week` counts new customers of
    both. Two numbers of customers are fixed before the start: `planned_customers`, at which the daily interval is
    narrowest, and what follows from `planned_lift`. To compare several arms at once, divide `alpha` by their number.
    """
    price = None if not (arm.k and other.k) else arm.price_usd_micros / arm.k - other.price_usd_micros / other.k
    lift = interval = at_the_end = None
    if arm.k and other.k:
        ours, theirs = rate_by_customer(arm.clusters), rate_by_customer(other.clusters)
        difference = difference_of(ours, theirs)
        lift = difference.rate
        if min(arm.customers, other.customers) >= LEAST_IN_A_GROUP:
            worth = customers_worth(ours, theirs, difference, share_of_other)
            interval = confidence_sequence(difference, worth, planned_customers, alpha)
            at_the_end = (
                newcombe(arm.y, arm.k, other.y, other.k, alpha)
                if _has_one_rung_each(arm) and _has_one_rung_each(other)
                else normal_interval(difference, alpha)
            )
    needs = _needs(other, planned_lift, share_of_other, alpha)
    return LiftEstimate(
        first_line=_first_line(interval, needs, arm.customers + other.customers),
        arm=summary_of(arm),
        other=summary_of(other),
        lift=lift,
        interval=interval,
        at_the_end=at_the_end,
        needs_customers=needs,
        needs_weeks=None
        if needs is None
        else weeks_needed(max(0, needs - arm.customers - other.customers), customers_a_week),
        price_usd_micros_per_additional_cure=_price_per_cure(price, lift),
        price_is_at_least=_price_per_cure(price, interval.high if interval else None),
        price_is_at_most=_price_per_cure(price, interval.low if interval else None),
    )


def customers_worth(ours: RateEstimate, theirs: RateEstimate, difference: RateEstimate, share_of_other: float) -> float:
    """
    Return how many customers with one rung each would give the same standard error of a difference.

    It is the clock of the confidence sequence: the same customers bring further rungs, and a clock that counts
    customers alone would stand still while the data grow.
    """
    own, other = max(ours.rate * (1 - ours.rate), 1e-4), max(theirs.rate * (1 - theirs.rate), 1e-4)
    return float((own / (1 - share_of_other) + other / share_of_other) / difference.error**2)


def _has_one_rung_each(sums: ArmSums) -> bool:
    return sums.kk == sums.customers


def _needs(other: ArmSums, lift: float, share: float, alpha: float) -> int | None:
    if not other.k:
        return None
    base = min(max((other.y + 1) / (other.k + 2), 0.01), 0.99 - lift)
    return customers_needed(base, lift, share, looked_at_daily=True, alpha=alpha)


def _first_line(interval: Interval | None, needs: int | None, customers: int) -> FirstLine:
    if interval is not None and interval.low > 0:
        return FirstLine.MORE_PAY
    if interval is not None and interval.high < 0:
        return FirstLine.FEWER_PAY
    if interval is None or needs is None or customers < needs:
        return FirstLine.TOO_FEW
    return FirstLine.NO_DIFFERENCE_FOUND


def _price_per_cure(price: float | None, lift: float | None) -> float | None:
    return None if price is None or lift is None or lift <= 0 else price / lift
