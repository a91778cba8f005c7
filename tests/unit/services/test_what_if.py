"""What if: customers are played by the decisions made in earnest, under two policies, with the same payments."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.courses import AssumedPayment, NextText, PolicyComparison
from dunning.services.what_if import CustomerAtStart, PlayedUnder, compare, course_of
from tests.support.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    taipei,
    texts_sent,
    the_policies,
)

BEGIN = taipei("2026-11-16 00:00")
END = BEGIN + timedelta(days=45)
TODAY = PlayedUnder(the_policies(), BEGIN, END)
NOBODY_PAYS: Sequence[AssumedPayment] = ()


class Changed:
    """The sample's policies with other rules."""

    def __init__(self, **changes: object) -> None:
        self._changes = changes

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        rules = the_policies().rules_for(facts, at)
        return replace(rules, **self._changes) if isinstance(rules, Rules) else rules  # type: ignore[arg-type]

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        return the_policies().price(country, parts, channel)


def under(**changes: object) -> PlayedUnder:
    return PlayedUnder(Changed(**changes), BEGIN, END)


def customer(facts: Facts, standing: Standing | None = None) -> CustomerAtStart:
    return CustomerAtStart(facts, standing or replace(a_standing(), customer_id=facts.customer_id))


def somebody(number: int, due: str = "2026-12-01", **changes: object) -> Facts:
    account = an_account(an_instalment(due), an_instalment("2026-12-20", number=2), account_id=f"A{number}")
    return replace(a_customer(account), customer_id=f"C{number}", **changes)  # type: ignore[arg-type]


PORTFOLIO = [
    customer(facts)
    for facts in (
        somebody(1),
        somebody(2, "2026-11-10"),
        somebody(3, "2026-10-01", **IN_HONG_KONG),
        somebody(4, "2026-11-20", **IN_MAINLAND_CHINA),
        somebody(5, holds=(Hold(HoldReason.DISPUTE),)),
        somebody(6, lender="nobody"),
        somebody(7, opted_out=True),
        replace(a_customer(an_account(an_instalment("2026-11-14")), an_account(an_instalment(), account_id="A2"))),
    )
]


def test_a_course_has_the_texts_that_a_customer_is_sent_who_is_woken_at_every_moment() -> None:
    for each in PORTFOLIO:
        course = course_of(each, NOBODY_PAYS, TODAY)
        sent = [(f"{text.local_at:%Y-%m-%d}", text.stage) for text in course.texts]
        assert sent == texts_sent(each.facts, BEGIN, END, standing=each.standing)


def test_a_text_leaves_at_the_tick_after_the_wake_and_keeps_its_words_and_price() -> None:
    course = course_of(PORTFOLIO[0], NOBODY_PAYS, TODAY)
    assert [text.stage for text in course.texts] == [-3, 0, 3, 7, 15]
    first = course.texts[0]
    assert (first.at.second, first.at.microsecond) == (0, 0)
    assert taipei("2026-11-28 10:00") <= first.at < taipei("2026-11-28 13:01")
    assert (first.place, first.channel, first.parts) == ("TW", "sms", 1)
    assert first.price == the_policies().price("TW", 1) > 0
    assert "NT$3,250" in first.text


@pytest.mark.parametrize("when", ["2026-12-05 18:00", "2026-12-03 09:00"])
def test_a_payment_ends_the_reminders_of_what_is_paid_and_the_next_instalment_follows(when: str) -> None:
    payment = AssumedPayment(taipei(when), "A1", 1, 325_000)
    course = course_of(PORTFOLIO[0], [payment], TODAY)
    before = [text.stage for text in course.texts if text.at < payment.at]
    assert before == ([-3, 0, 3] if when > "2026-12-04" else [-3, 0])
    assert [text.stage for text in course.texts[len(before) :]] == [-3, 0, 3, 7]


def test_of_a_payment_and_a_text_at_the_same_moment_the_payment_is_first() -> None:
    at = course_of(PORTFOLIO[0], NOBODY_PAYS, TODAY).texts[1].at
    course = course_of(PORTFOLIO[0], [AssumedPayment(at, "A1", 1, 325_000)], TODAY)
    assert [text.stage for text in course.texts] == [-3, -3, 0, 3, 7]


def test_a_payment_after_the_end_changes_nothing() -> None:
    late = [AssumedPayment(END, "A1", 1, 325_000)]
    assert course_of(PORTFOLIO[0], late, TODAY).is_like(course_of(PORTFOLIO[0], NOBODY_PAYS, TODAY))


def test_a_known_customer_is_planned_anew_at_the_beginning_whatever_the_old_wake_says() -> None:
    old = replace(a_standing(), customer_id="C1", version=7, reason="next_stage", wake=Wake(END, 0))
    course = course_of(customer(somebody(1), old), NOBODY_PAYS, TODAY)
    assert course.is_like(course_of(PORTFOLIO[0], NOBODY_PAYS, TODAY))


def test_a_person_is_told_once_for_each_reason_and_who_was_told_before_is_still_with_a_person() -> None:
    overdue = customer(somebody(2, "2026-11-10"))
    assert course_of(overdue, NOBODY_PAYS, TODAY).handed_over == ["no_written_notice"]
    known = replace(overdue.standing, announced=("no_consent", "unknown_lender"))
    strange = customer(somebody(6, lender="nobody"), replace(known, customer_id="C6"))
    assert course_of(strange, NOBODY_PAYS, TODAY).handed_over == ["unknown_lender"]


def test_waits_and_caps_are_counted_by_their_reasons() -> None:
    course = course_of(PORTFOLIO[-1], NOBODY_PAYS, TODAY)
    assert course.waits["next_stage"] > 0
    assert set(course.caps) <= {f"person_cap: {cap}" for cap in ("1 text in 24 hours", "3 texts in 7 days")}
    tight = course_of(PORTFOLIO[-1], NOBODY_PAYS, under(person_caps=()))
    assert not tight.caps


def test_traces_are_kept_only_if_they_are_asked_for() -> None:
    assert course_of(PORTFOLIO[0], NOBODY_PAYS, TODAY).traces == []
    traced = course_of(PORTFOLIO[0], NOBODY_PAYS, TODAY, traced=True).traces
    assert [trace.reason for trace in traced if trace.reason == "due"] == ["due"] * 5
    assert all(trace.trace for trace in traced)


# ------------------------------------------------------------------ two policies


def nobody_pays(facts: Facts) -> Sequence[AssumedPayment]:
    del facts
    return NOBODY_PAYS


def test_the_same_policy_twice_gives_no_difference() -> None:
    comparison = compare(PORTFOLIO, nobody_pays, TODAY, under())
    assert comparison.today == comparison.changed
    assert (comparison.differing, comparison.moved, comparison.examples()) == (0, 0, [])
    assert comparison.next_texts == {NextText.SAME: len(PORTFOLIO)}
    assert comparison.today.texts > 20


def test_a_later_hour_moves_everybodys_next_text_and_takes_none_away() -> None:
    comparison = compare(PORTFOLIO, nobody_pays, TODAY, under(preferred_minute_of_day=14 * 60))
    texted = comparison.today.texted
    assert comparison.next_texts == {NextText.SAME: len(PORTFOLIO) - texted, NextText.LATER: texted}
    assert (comparison.moved, comparison.differing) == (texted, texted)
    assert min(comparison.changed.by_hour) >= 13 > min(comparison.today.by_hour)


def test_a_shorter_ladder_sends_less_and_examples_can_be_played_again() -> None:
    without = under(ladder=(0, 7, 15, 30), urgency=(0, 7, 15, 30))
    comparison = compare(PORTFOLIO, nobody_pays, TODAY, without)
    assert comparison.changed.texts < comparison.today.texts
    assert not comparison.changed.by_stage[-3]
    kind, example = comparison.examples()[0]
    again = course_of(CustomerAtStart(example.facts, example.standing), example.payments, without)
    assert len(again.texts) != len(course_of(CustomerAtStart(*example[:2]), example.payments, TODAY).texts), kind


def test_who_is_known_to_have_nothing_changed_is_played_once_with_the_same_result() -> None:
    class OnlyInTaiwan(Changed):
        def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
            return super().rules_for(facts, at) if facts.lender == "demo-tw" else the_policies().rules_for(facts, at)

    later = PlayedUnder(OnlyInTaiwan(preferred_minute_of_day=14 * 60), BEGIN, END)
    whole = compare(PORTFOLIO, nobody_pays, TODAY, later)
    assert 0 < whole.differing < whole.today.texted
    asked: list[str] = []

    def is_as_today(facts: Facts) -> bool:
        asked.append(facts.customer_id)
        return facts.lender != "demo-tw"

    assert compare(PORTFOLIO, nobody_pays, TODAY, later, is_as_today=is_as_today) == whole
    assert len(asked) == len(PORTFOLIO)


def test_both_policies_get_the_same_payments() -> None:
    asked: list[str] = []

    def pay(facts: Facts) -> Sequence[AssumedPayment]:
        asked.append(facts.customer_id)
        return [AssumedPayment(taipei("2026-11-17 09:00"), each.account_id, 1, 325_000) for each in facts.accounts]

    comparison = compare(PORTFOLIO, pay, TODAY, under())
    assert asked == [each.facts.customer_id for each in PORTFOLIO]
    assert comparison.differing == 0
    assert comparison.today.texts < compare(PORTFOLIO, nobody_pays, TODAY, under()).today.texts


def test_parts_that_are_compared_apart_add_up_to_the_whole() -> None:
    later = under(preferred_minute_of_day=14 * 60)
    whole = compare(PORTFOLIO, nobody_pays, TODAY, later)
    merged = PolicyComparison()
    for part in (PORTFOLIO[:3], PORTFOLIO[3:]):
        merged.merge(compare(part, nobody_pays, TODAY, later))
    assert merged == whole


def test_a_law_stays_a_law_under_any_policy() -> None:
    """Nothing in a what-if goes around the decisions: in the night nobody is texted, whatever hour a policy prefers."""
    comparison = compare(PORTFOLIO, nobody_pays, TODAY, under(preferred_minute_of_day=0))
    assert min(comparison.changed.by_hour) >= 7
