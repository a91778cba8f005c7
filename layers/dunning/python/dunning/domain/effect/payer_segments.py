"""
Payer segments: how a customer has paid so far, and the rules that tell customers apart by it.

The rules are data of a lender's policy, a dozen at most, and the first that fits counts. They see how somebody pays and
how large the debt is, and never who somebody is.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Self

from dunning.domain.effect.draws import is_name

MOST_SEGMENTS = 12
"""The rules that a policy may have: more segments than people can name are too small to learn from."""

UNKNOWN_PAYER = "unknown"
"""The segment of a customer whom no rule fits, such as one without a history."""

_MOST_COUNTED = 999
"""Counts stop here: more makes no difference to a rule, and the record stays small."""

_HISTORY_FIELDS = 5


class PaymentHistory(NamedTuple):
    """How a customer has paid so far, as far as the days of payment are known. What is not known is not counted."""

    on_time: int = 0
    """Instalments that were paid by their due date."""
    late: int = 0
    """Instalments that were paid later."""
    last_late_days: int = 0
    """The days by which the last late instalment was late; 0 if none was."""
    streak: int = 0
    """The instalments in a row that were paid on time, up to the last one."""
    silent_run: int = 0
    """The texts since the customer last paid or replied, or since a text failed to arrive."""

    @property
    def is_known(self) -> bool:
        """Whether a single instalment was settled on a known day."""
        return self.on_time + self.late > 0

    @classmethod
    def from_list(cls, values: Sequence[int]) -> Self:
        """
        Return the history that a record keeps as a list; values that an older record lacks are 0.

        Raises:
            ValueError: a value is no count, or there are too many.
        """
        if len(values) > _HISTORY_FIELDS:
            raise ValueError(f"history: {len(values)} values; a record has at most {_HISTORY_FIELDS}")
        for position, value in enumerate(values):
            if type(value) is not int or not 0 <= value <= _MOST_COUNTED:
                raise ValueError(f"history: value {position + 1} is no whole number from 0 to {_MOST_COUNTED}")
        return cls(*values)


NO_HISTORY = PaymentHistory()
"""What is known of a customer of whom nothing is known."""


def with_instalment_settled(history: PaymentHistory, due_on: date, paid_on: date) -> PaymentHistory:
    """
    Return the history after an instalment was paid in full, on a known local day.

    A payment ends a silent run, whether it was on time or late.
    """
    late_days = (paid_on - due_on).days
    if late_days <= 0:
        return history._replace(
            on_time=_limited(history.on_time + 1), streak=_limited(history.streak + 1), silent_run=0
        )
    return history._replace(late=_limited(history.late + 1), last_late_days=_limited(late_days), streak=0, silent_run=0)


def with_text_sent(history: PaymentHistory) -> PaymentHistory:
    """Return the history after a text: the silent run is longer by one."""
    return history._replace(silent_run=_limited(history.silent_run + 1))


def with_silence_broken(history: PaymentHistory) -> PaymentHistory:
    """Return the history after a payment in part, a reply, or a text that did not arrive: nobody ignored that text."""
    return history._replace(silent_run=0)


def _limited(count: int) -> int:
    return min(count, _MOST_COUNTED)


class PayerFeatures(NamedTuple):
    """All that a rule may see of a customer. What is not known fits no rule that asks for it."""

    history: PaymentHistory
    amount_band: int | None
    """The band of what is open, by the policy's bounds: 0 is the lowest (`amount_band_of`); `None` without bounds."""
    is_first_loan: bool | None
    """Whether the customer never had another loan; `None` if the lender's data do not say."""
    channel: str


def amount_band_of(amount: int, bounds: Sequence[int]) -> int:
    """Return the band of an amount in minor units: how many of the ascending bounds it reaches."""
    return bisect_right(bounds, amount)


_COUNTS = frozenset({"on_time", "late", "last_late_days", "streak", "silent_run", "amount_band"})
ALLOWED_FEATURES = frozenset({*_COUNTS, "first_loan", "channel"})
"""What a rule may tell customers apart by."""

FORBIDDEN_FEATURES = frozenset(
    {
        "name", "surname", "first_name", "sex", "gender", "age", "birthday", "birth_date", "nationality", "region",
        "country", "place", "language", "religion", "ethnicity", "phone", "address", "postcode",
    }
)  # fmt: skip
"""What a person is. A rule that names any of these is refused for that reason."""


@dataclass(frozen=True, slots=True)
class CountRange:
    """Whole numbers from `at_least` to `at_most`, both included."""

    at_least: int
    at_most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRule:
    """A payer segment, and all that has to hold of a customer in it. Without conditions it holds of everybody known."""

    name: str
    counts: Mapping[str, CountRange]
    """The range of each count that matters, by feature."""
    is_first_loan: bool | None = None
    channels: frozenset[str] = frozenset()
    """The channels; empty for all."""

    def fits(self, features: PayerFeatures) -> bool:
        """Tell whether a customer belongs to the segment."""
        if self.is_first_loan is not None and features.is_first_loan is not self.is_first_loan:
            return False
        if self.channels and features.channel not in self.channels:
            return False
        for feature, span in self.counts.items():
            if feature == "amount_band":
                if features.amount_band is None:
                    return False
                value = features.amount_band
            elif features.history.is_known or feature == "silent_run":
                value = getattr(features.history, feature)
            else:
                return False  # unknown is not zero
            if not span.at_least <= value <= span.at_most:
                return False
        return True


def payer_segment_of(features: PayerFeatures, rules: Sequence[SegmentRule]) -> str:
    """Return the segment of the first rule that fits; `unknown` if none does."""
    return next((rule.name for rule in rules if rule.fits(features)), UNKNOWN_PAYER)


def segment_rules_from(tables: Sequence[Mapping[str, object]]) -> tuple[SegmentRule, ...]:
    """
    Return the rules that a policy's tables say, in their order.

    A table has a `name`, and a value for each feature that matters: a table with `at_least` and `at_most` for a count,
    true or false for `first_loan`, and a list of channels.

    Raises:
        ValueError: a rule is not of this form, or sees who somebody is. The message names the rule, the field and the
            fix.
    """
    if len(tables) > MOST_SEGMENTS:
        raise ValueError(f"segments: {len(tables)} rules; give {MOST_SEGMENTS} at most, and join the smallest")
    rules = tuple(_rule_from(number, table) for number, table in enumerate(tables, 1))
    names = [rule.name for rule in rules]
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            raise ValueError(f"segments[{number}].name: {name} stands twice; give each rule a name of its own")
    return rules


def _rule_from(number: int, table: Mapping[str, object]) -> SegmentRule:
    place = f"segments[{number}]"
    name = table.get("name")
    if not isinstance(name, str) or not is_name(name) or name == UNKNOWN_PAYER:
        raise ValueError(f"{place}.name: use 1 to 16 of a-z, 0-9, _ and -, and not {UNKNOWN_PAYER}")
    for feature in table.keys() - {"name"}:
        if feature in FORBIDDEN_FEATURES:
            raise ValueError(f"{place}.{feature}: nobody is told apart by it; use how customers pay instead")
        if feature not in ALLOWED_FEATURES:
            raise ValueError(f"{place}.{feature}: unknown feature; use one of {', '.join(sorted(ALLOWED_FEATURES))}")
    first_loan = table.get("first_loan")
    if first_loan is not None and not isinstance(first_loan, bool):
        raise ValueError(f"{place}.first_loan: use true or false")
    return SegmentRule(
        name=name,
        counts={each: _range_from(f"{place}.{each}", table[each]) for each in sorted(_COUNTS & table.keys())},
        is_first_loan=first_loan,
        channels=_channels_from(f"{place}.channel", table["channel"]) if "channel" in table else frozenset(),
    )


def _range_from(place: str, written: object) -> CountRange:
    form = "use a table with at_least, at_most or both, whole numbers from 0 on"
    if not isinstance(written, Mapping) or not written or not written.keys() <= {"at_least", "at_most"}:
        raise ValueError(f"{place}: {form}")
    if not all(type(value) is int and value >= 0 for value in written.values()):
        raise ValueError(f"{place}: {form}")
    span = CountRange(written.get("at_least", 0), written.get("at_most", math.inf))
    if span.at_most < span.at_least:
        raise ValueError(f"{place}: at_most is below at_least, and nobody fits; raise it")
    return span


def _channels_from(place: str, written: object) -> frozenset[str]:
    if not isinstance(written, list | tuple) or not written or not all(isinstance(each, str) for each in written):
        raise ValueError(f"{place}: use a list of channels")
    return frozenset(written)


class ProxyCheck(NamedTuple):
    """
    How closely payer segments go with a trait that no rule sees, such as the language or the place.

    `association` is Cramer's V with Bergsma's correction (2013): 0 means that the segments tell nothing of the trait, 1
    that they are the trait under another name.
    """

    customers: int
    association: float
    shares: Mapping[str, Mapping[str, float]]
    """The share of each segment among the customers with a trait, by trait and segment."""

    @property
    def is_proxy(self) -> bool:
        """Whether somebody should look: the segments stand for the trait to an extent that counts."""
        return self.association >= _MEDIUM_ASSOCIATION


_MEDIUM_ASSOCIATION = 0.3
"""What J. Cohen (1988) calls a medium association."""


def proxy_check(counts: Mapping[tuple[str, str], int]) -> ProxyCheck:
    """Return how closely segments go with a trait, from the number of customers by (trait, segment)."""
    traits = sorted({trait for trait, _ in counts})
    segments = sorted({segment for _, segment in counts})
    by_trait = {trait: sum(counts.get((trait, segment), 0) for segment in segments) for trait in traits}
    by_segment = {segment: sum(counts.get((trait, segment), 0) for trait in traits) for segment in segments}
    total = sum(by_trait.values())
    shares = {
        trait: {segment: counts.get((trait, segment), 0) / by_trait[trait] for segment in segments}
        for trait in traits
        if by_trait[trait]
    }
    rows = sum(1 for count in by_trait.values() if count)
    columns = sum(1 for count in by_segment.values() if count)
    if total < 2 or min(rows, columns) < 2:  # noqa: PLR2004 - nothing to go together
        return ProxyCheck(total, 0.0, shares)
    squared = sum(
        (counts.get((trait, segment), 0) - expected) ** 2 / expected
        for trait in traits
        for segment in segments
        if (expected := by_trait[trait] * by_segment[segment] / total)
    )
    # Chance alone makes the association larger than 0; the correction takes that away.
    corrected = max(0.0, squared / total - (rows - 1) * (columns - 1) / (total - 1))
    sides = (rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1))
    return ProxyCheck(total, min(1.0, math.sqrt(corrected / max(min(sides) - 1, 1e-9))), shares)
