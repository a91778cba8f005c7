"""Payer segments beside a what-if: who is in which, and whether a segment stands for who somebody is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.effect.payer_segments import CountRange, PaymentHistory, SegmentRule
from dunning.services.what_if import CustomerAtStart
from tests.local.what_if_segments import segments_report
from tests.support.builders import a_customer, the_policies

AT = datetime(2026, 12, 1, tzinfo=UTC)
PUNCTUAL = SegmentRule(name="punctual", counts={"streak": CountRange(3, 999)})


class WithSegments:
    """Policies whose rules tell punctual payers apart."""

    def __init__(self, rules: Sequence[SegmentRule]) -> None:
        self._rules = tuple(rules)
        self._policies: Policies = the_policies()

    def rules_for(self, facts: Facts, at: datetime) -> Rules | object:
        found = self._policies.rules_for(facts, at)
        assert isinstance(found, Rules)
        return replace(found, segment_rules=self._rules)


def customers(streaks: Sequence[tuple[str, int]]) -> list[CustomerAtStart]:
    return [
        CustomerAtStart(
            replace(a_customer(customer_id=f"C{number}"), language=language),
            Standing(customer_id=f"C{number}", history=PaymentHistory(on_time=streak, late=1, streak=streak)),
        )
        for number, (language, streak) in enumerate(streaks)
    ]


def report(streaks: Sequence[tuple[str, int]], rules: Sequence[SegmentRule] = (PUNCTUAL,)) -> list[str]:
    return list(segments_report(customers(streaks), WithSegments(rules), AT))  # type: ignore[arg-type]


def test_customers_are_counted_by_segment() -> None:
    lines = report([("zh-Hant", 5)] * 3 + [("en", 0)] * 2)
    assert [line.split() for line in lines if "punctual" in line or "unknown" in line] == [
        ["punctual", "3"],
        ["unknown", "2"],
    ]


def test_segments_that_stand_for_a_language_are_pointed_out() -> None:
    told_apart = report([("zh-Hant", 5)] * 50 + [("en", 0)] * 50)
    assert any("With the language they go together by 1.00" in line and "LOOK" in line for line in told_apart)
    alike = report([("zh-Hant", 5), ("zh-Hant", 0), ("en", 5), ("en", 0)] * 25)
    assert any("With the language they go together by 0.00" in line and "LOOK" not in line for line in alike)
    assert not any("place" in line and "LOOK" in line for line in told_apart), "all live in one place"


def test_without_rules_nothing_is_said() -> None:
    assert report([("zh-Hant", 5)], ()) == []
