"""Gate 12: what chance decides, for whom, and what it leaves as it was."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise, product
from typing import Any

import pytest

from dunning.domain.customer.standing import Progress, Standing
from dunning.domain.decision.chance import DrawnFor, draw_hour, draw_text, minute_of_hour_arm
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Reminder, Send, Wait, trace_of
from dunning.domain.decision.rules import Cap, ChannelRules, ContactHours, Rules, Scope
from dunning.domain.delivery.channels import NO_CONTACT, Channel
from dunning.domain.effect.draws import SILENCE, TEXTED, USUAL_TEXT, Arm, Draw, Layer, draws_from_text, draws_to_text
from dunning.domain.effect.payer_segments import UNKNOWN_PAYER, PaymentHistory, segment_rules_from
from dunning.domain.effect.settling import Asked
from dunning.domain.effect.strategies import EVERY_SEGMENT, Strategy, TrialWeights, next_week
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.effect.trials import Trial
from dunning.domain.texts.wording import TextVariant, compile_text
from tests.support.arms import BEGINS, OTHER_TEXT, ForcedArm, a_holdout, a_silence_among_texts, a_trial, forced
from tests.support.builders import (
    OnlyRules,
    a_customer,
    a_standing,
    a_text,
    after,
    an_account,
    an_instalment,
    day,
    progress_at,
    rules_of,
    taipei,
    the_policies,
)

DAY = timedelta(days=1)
DUE_DAY = taipei("2026-12-01 10:00")
RULES = rules_of(a_customer())
SILENT = OnlyRules(replace(RULES, trials=(a_holdout(),)))
RUNG = DrawnFor("C1", "A1#1", 0, DUE_DAY.date(), "TWD", lambda _stage, _currency: UNKNOWN_PAYER)


def wording_drawn(rules: Rules, *stages: int, repeats: bool = False) -> Draw | None:
    return draw_text(rules, RUNG, stages, lambda _: True, repeats=repeats, has_variants=True)


def claimed_at(now: datetime, policies: OnlyRules | ForcedArm = SILENT, standing: Standing | None = None) -> Reminder:
    decision = decide(a_customer(), standing or a_standing(), policies, now)
    assert isinstance(decision, Send), trace_of(decision)
    return decision.reminder


class TestAStageThatIsLeftOut:
    """A stage that chance leaves out is claimed, and nobody is contacted."""

    def test_is_claimed_without_text_number_or_channel(self) -> None:
        reminder = claimed_at(DUE_DAY)
        assert reminder.is_held_out
        assert (reminder.channel, reminder.gateway, reminder.would_go_by) == (NO_CONTACT, NO_CONTACT, "sms")
        assert (reminder.text, reminder.parts, reminder.template, reminder.encoding) == ("", 0, "", "")

    def test_says_so_in_reason_and_trace_with_its_probability(self) -> None:
        decision = decide(a_customer(), a_standing(), OnlyRules(replace(RULES, trials=(a_holdout(0.25),))), DUE_DAY)
        drawn = decision.reminder.draws[0] if isinstance(decision, Send) else None
        assert drawn is not None
        assert f"chance: trial holdout drew {drawn.arm}, probability {drawn.propensity:g}" in trace_of(decision)
        assert decide(a_customer(), a_standing(), SILENT, DUE_DAY).reason is Reason.HELD_OUT

    def test_has_an_id_that_no_text_has(self) -> None:
        assert claimed_at(DUE_DAY).send_id != claimed_at(DUE_DAY, OnlyRules(RULES)).send_id

    def test_counts_for_no_cap_of_the_person_or_the_account(self) -> None:
        once = replace(RULES, person_caps=(Cap(1, 7 * DAY),), account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),), trials=())
        policies = OnlyRules(replace(once, trials=(a_holdout(),)))
        standing = after(a_standing(), a_customer(), claimed_at(DUE_DAY, policies), DUE_DAY)
        another = a_customer(an_account(an_instalment("2026-12-02"), account_id="A2"))
        decision = decide(another, standing, OnlyRules(once), DUE_DAY + DAY)
        assert isinstance(decision, Send)

    def test_puts_no_other_instalment_of_the_account_back(self) -> None:
        standing = after(a_standing(), a_customer(), claimed_at(DUE_DAY), DUE_DAY)
        paid = a_customer(an_account(an_instalment("2026-12-01", paid=325_000), an_instalment("2026-11-28", number=2)))
        decision = decide(paid, standing, OnlyRules(RULES), DUE_DAY)
        assert isinstance(decision, Send)
        assert decision.stage == 3

    def test_leaves_the_pace_of_its_ladder_as_a_text_would(self) -> None:
        """Late by ten days: +7 follows four days after +3, and never on the same day, text or none."""
        late = taipei("2026-12-14 10:00")
        for policies in (SILENT, OnlyRules(RULES)):
            facts, standing, now = a_customer(), a_standing(), late
            days: list[tuple[int, date]] = []
            while len(days) < 3:
                decision = decide(facts, standing, policies, now)
                if isinstance(decision, Send):
                    days.append((decision.stage, decision.reminder.on))
                    standing = after(standing, facts, decision.reminder, now)
                else:
                    assert isinstance(decision, Wait)
                    assert decision.until
                    now = decision.until
            assert [stage for stage, _ in days] == [3, 7, 15]
            assert [(later - earlier).days for (_, earlier), (_, later) in pairwise(days)] == [4, 8]

    def test_comes_for_all_who_would_be_texted_now_and_for_nobody_else(self) -> None:
        """Chance is asked last: each other gate that is shut is named, as without a trial."""
        capped = a_standing(a_text(DUE_DAY - timedelta(hours=1), "A9"))
        for standing, now in ((capped, DUE_DAY), (a_standing(), taipei("2026-12-01 22:00"))):
            assert decide(a_customer(), standing, SILENT, now) == decide(a_customer(), standing, OnlyRules(RULES), now)

    def test_is_never_one_whose_text_could_not_be_sent(self) -> None:
        refused = OnlyRules(replace(RULES, texts={}, trials=(a_holdout(),)))
        assert decide(a_customer(), a_standing(), refused, DUE_DAY).reason is Reason.NO_TEXT

    @pytest.mark.parametrize("stage", [15, 30])
    def test_is_none_that_the_trial_does_not_name(self, stage: int) -> None:
        earlier = {15: 7, 30: 15}[stage]
        facts = a_customer(an_account(an_instalment("2026-11-01", stage_reached=earlier, notice="2026-11-20")))
        decision = decide(facts, a_standing(), SILENT, DUE_DAY)
        assert isinstance(decision, Send)
        assert (decision.stage, decision.reason, decision.reminder.draws) == (stage, Reason.DUE, ())

    def test_is_none_of_a_text_that_also_marks_a_stage_that_must_be_heard(self) -> None:
        facts = a_customer(
            an_account(an_instalment("2026-11-28"), account_id="A1"),
            an_account(an_instalment("2026-11-16", stage_reached=7), account_id="A2"),
        )
        decision = decide(facts, a_standing(), SILENT, DUE_DAY)
        assert isinstance(decision, Send)
        assert {reached.stage for reached in decision.reminder.reached_stages} == {3, 15}
        assert decision.reminder.draws == (Draw(Layer.HOLDOUT, "holdout", TEXTED, 1.0),), "nothing was left to chance"
        assert decision.reminder.text

    def test_is_none_that_repeats_a_text_that_did_not_arrive(self) -> None:
        failed = replace(a_text(DUE_DAY - 4 * DAY, stage=3), failed=True)
        standing = a_standing(failed, progress=progress_at(3, "2026-11-27", due="2026-11-24"))
        facts = a_customer(an_account(an_instalment("2026-11-24")))
        decision = decide(facts, standing, SILENT, DUE_DAY)
        assert isinstance(decision, Send)
        assert decision.reminder.send_id.endswith("-again")
        assert decision.reminder.text


class TestADraw:
    """A draw follows from customer and rung alone."""

    def test_is_the_same_for_whoever_asks_again_and_whenever(self) -> None:
        half = OnlyRules(replace(RULES, trials=(a_holdout(0.5), a_trial(Layer.TEXT, ((USUAL_TEXT, 1.0),)))))
        for number in range(50):
            facts = a_customer(customer_id=f"C{number}")
            drawn = set()
            for now in (DUE_DAY, DUE_DAY, DUE_DAY + timedelta(hours=3)):
                decision = decide(facts, a_standing(), half, now)
                assert isinstance(decision, Send)
                drawn.add(decision.reminder.draws)
            assert len(drawn) == 1

    def test_belongs_to_the_day_on_which_the_stage_came_due_and_not_to_the_day_of_the_text(self) -> None:
        ends = OnlyRules(replace(RULES, trials=(a_holdout(ends_on=day("2026-12-04")),)))
        late = taipei("2026-12-06 10:00")
        assert claimed_at(late, ends).is_held_out, "+3 came due on the last day, and was late"
        begins = OnlyRules(replace(RULES, trials=(a_holdout(starts_on=day("2026-12-05")),)))
        assert not claimed_at(late, begins).draws

    def test_is_none_before_the_trial_or_after_or_elsewhere(self) -> None:
        for changes in (
            {"starts_on": day("2026-12-02")},
            {"ends_on": day("2026-11-30")},
            {"places": frozenset({"HK"})},
            {"approved_by": ""},
        ):
            policies = OnlyRules(replace(RULES, trials=(a_holdout(**changes),)))
            assert claimed_at(DUE_DAY, policies) == claimed_at(DUE_DAY, OnlyRules(RULES))

    def test_of_a_share_is_drawn_by_that_share(self) -> None:
        twentieth = OnlyRules(replace(RULES, trials=(a_holdout(0.05),)))
        reasons = Counter(
            decide(a_customer(customer_id=f"C{number}"), a_standing(), twentieth, DUE_DAY).reason
            for number in range(4000)
        )
        assert 0.04 < reasons[Reason.HELD_OUT] / 4000 < 0.06
        assert reasons.keys() == {Reason.HELD_OUT, Reason.DUE}

    def test_can_be_written_into_a_record_and_read_from_it(self) -> None:
        trials = (a_holdout(0.0), a_trial(Layer.TEXT, ((USUAL_TEXT, 1.0),)), a_trial(Layer.HOUR, (("10", 1.0),)))
        draws = claimed_at(DUE_DAY, OnlyRules(replace(RULES, trials=trials))).draws
        assert [draw.layer for draw in draws] == [Layer.HOLDOUT, Layer.TEXT, Layer.HOUR]
        assert draws_from_text(draws_to_text(draws)) == draws


class TestAnArmOfWords:
    """An arm of a trial of texts."""

    def test_is_sent_in_its_own_words_and_named_by_its_own_template(self) -> None:
        decision = decide(a_customer(), a_standing(), ForcedArm(the_policies(), Layer.TEXT, OTHER_TEXT), DUE_DAY)
        assert isinstance(decision, Send)
        assert decision.reminder.template.startswith("other-")
        assert decision.reminder.text == claimed_at(DUE_DAY, OnlyRules(RULES)).text

    def test_that_may_not_be_sent_is_never_drawn_and_the_rest_have_their_true_probability(self) -> None:
        threat = compile_text(
            "zh-Hant/threat@1", "{name}您好，帳號{tail}的{amount}於{date}到期，不繳將查封財產，{pay}，{hotline}"
        )
        variants = {
            "threat": TextVariant({("zh-Hant", 0, False): threat}, {}),
            "kind": TextVariant(RULES.texts, RULES.texts_with_fee),
        }
        arms = (("threat", 0.6), ("kind", 0.3), (USUAL_TEXT, 0.1))
        policies = OnlyRules(replace(RULES, trials=(a_trial(Layer.TEXT, arms),), variants=variants))
        seen = Counter[Draw]()
        for number in range(200):
            decision = decide(a_customer(customer_id=f"C{number}"), a_standing(), policies, DUE_DAY)
            assert isinstance(decision, Send)
            seen.update(decision.reminder.draws)
        assert {draw.arm: draw.propensity for draw in seen} == {"kind": 0.75, USUAL_TEXT: 0.25}

    def test_that_is_missing_in_the_customers_language_is_not_drawn(self) -> None:
        policies = OnlyRules(replace(RULES, trials=(a_trial(Layer.TEXT, (("kind", 1.0),)),),
                                     variants={"kind": TextVariant({}, {})}))  # fmt: skip
        reminder = claimed_at(DUE_DAY, policies)
        assert (reminder.draws, reminder.text) == ((), claimed_at(DUE_DAY, OnlyRules(RULES)).text)


class TestAnArmOfHours:
    """An arm of a trial of hours."""

    @pytest.mark.parametrize(("arm", "turn"), [("09", "09:00"), ("10", "10:00"), ("1830", "18:30")])
    def test_moves_the_preferred_hour(self, arm: str, turn: str) -> None:
        policies = OnlyRules(forced(RULES, Layer.HOUR, arm))
        decision = decide(a_customer(), a_standing(), policies, taipei("2026-11-30 12:00"))
        assert decision.until == taipei(f"2026-12-01 {turn}")
        drawn = claimed_at(taipei(f"2026-12-01 {turn}"), policies).draws
        assert drawn == (Draw(Layer.HOUR, "hour", arm, 1.0),)

    def test_is_held_back_by_the_hours_of_the_place_as_ever(self) -> None:
        policies = OnlyRules(forced(RULES, Layer.HOUR, "07"))
        decision = decide(a_customer(), a_standing(), policies, taipei("2026-11-30 12:00"))
        assert decision.until == taipei("2026-12-01 09:00"), "the place opens at nine"

    def test_after_the_hours_of_the_day_is_not_drawn(self) -> None:
        policies = OnlyRules(forced(RULES, Layer.HOUR, "2200"))
        decision = decide(a_customer(), a_standing(), policies, taipei("2026-11-30 12:00"))
        assert decision.until == DUE_DAY, "the policy's own hour"
        assert claimed_at(DUE_DAY, policies).draws == ()

    def test_tears_no_text_about_two_accounts_apart(self) -> None:
        facts = a_customer(an_account(account_id="A1"), an_account(account_id="A2"))
        policies = OnlyRules(forced(RULES, Layer.HOUR, "1830"))
        decision = decide(facts, a_standing(), policies, taipei("2026-11-30 12:00"))
        assert decision.until == DUE_DAY
        then = decide(facts, a_standing(), policies, DUE_DAY)
        assert isinstance(then, Send)
        assert (set(then.reminder.account_ids), then.reminder.draws) == ({"A1", "A2"}, ())

    @pytest.mark.parametrize("name", ["", "7", "24", "1860", "abc", "0", "12345", "١٢"])
    def test_is_called_by_its_hour_and_nothing_else(self, name: str) -> None:
        assert minute_of_hour_arm(name) is None
        assert minute_of_hour_arm("0930") == 9 * 60 + 30

    def test_can_be_each_minute_of_a_day_and_no_other_number(self) -> None:
        clock = [time(*at) for at in product(range(24), range(60))]
        minutes = {f"{at:%H%M}": minute for minute, at in enumerate(clock)}
        hours = {f"{at:%H}": 60 * at.hour for at in clock}
        names = [f"{number:04}" for number in range(10_000)] + [f"{number:02}" for number in range(100)]
        known = {name: minute for name in names if (minute := minute_of_hour_arm(name)) is not None}
        assert known == minutes | hours

    def test_that_names_no_hour_is_never_drawn(self) -> None:
        rules = replace(RULES, trials=(a_trial(Layer.HOUR, (("soon", 0.5), ("2500", 0.4), ("10", 0.1))),))
        asked: list[int] = []

        def is_open_at(minute: int) -> bool:
            asked.append(minute)
            return True

        assert draw_hour(rules, RUNG, is_open_at) == Draw(Layer.HOUR, "hour", "10", 1.0)
        assert asked == [10 * 60]

    def test_is_drawn_at_the_stages_of_its_trial_alone(self) -> None:
        rules = replace(RULES, trials=(a_trial(Layer.HOUR, (("10", 1.0),), stages=frozenset({3})),))
        for stage, arms in ((0, []), (3, ["10"])):
            draw = draw_hour(rules, RUNG._replace(stage=stage), lambda _: True)
            assert [each.arm for each in (draw,) if each is not None] == arms


def decided_for(
    number: int, policies: OnlyRules, now: datetime = DUE_DAY, standing: Standing | None = None
) -> Decision:
    return decide(a_customer(customer_id=f"C{number}"), standing or a_standing(), policies, now)


def draws_at(policies: OnlyRules, number: int, standing: Standing) -> tuple[Draw, ...]:
    """Return what a customer draws in the evening of the due day, when all hours have passed."""
    decision = decided_for(number, policies, DUE_DAY.replace(hour=12), standing)
    assert isinstance(decision, Send)
    return decision.reminder.draws


def arms_drawn(policies: OnlyRules, customers: int = 200, standing: Standing | None = None) -> Counter[Draw]:
    """Return what so many customers draw at the due day, of whom all get a decision to send."""
    found = Counter[Draw]()
    for number in range(customers):
        decision = decided_for(number, policies, standing=standing)
        assert isinstance(decision, Send)
        found.update(decision.reminder.draws)
    return found


class TestSilenceAmongTexts:
    """A trial of texts that leaves some of them out."""

    def test_is_claimed_as_a_holdout_is(self) -> None:
        reminder = claimed_at(DUE_DAY, OnlyRules(forced(RULES, Layer.TEXT, SILENCE)))
        assert reminder == claimed_at(DUE_DAY)._replace(draws=(Draw(Layer.TEXT, "rest", SILENCE, 1.0),))

    def test_is_drawn_for_each_rung_so_that_nobody_is_silent_for_ever(self) -> None:
        half = OnlyRules(replace(RULES, trials=(a_silence_among_texts(0.5, RULES),)))
        both = 0
        for number in range(60):
            arms = set()
            for stage, now in ((-3, DUE_DAY - 3 * DAY), (0, DUE_DAY)):
                decision = decided_for(number, half, now)
                assert isinstance(decision, Send)
                assert decision.stage == stage
                arms.add(decision.reminder.is_held_out)
            both += len(arms) == 2
        assert 15 < both < 45

    def test_comes_after_the_holdout_of_the_person(self) -> None:
        trials = (a_holdout(), a_silence_among_texts(0.5, RULES))
        draws = arms_drawn(OnlyRules(replace(RULES, trials=trials)), 20)
        assert draws.keys() == {Draw(Layer.HOLDOUT, "holdout", SILENCE, 1.0)}

    def test_is_beside_the_draw_of_the_holdout_in_the_record_of_who_is_texted_there(self) -> None:
        trials = (a_holdout(0.0), a_silence_among_texts(1.0, RULES))
        reminder = claimed_at(DUE_DAY, OnlyRules(replace(RULES, trials=trials)))
        assert reminder.is_held_out
        assert draws_to_text(reminder.draws) == "hholdout.text:1;trest.silence:1"

    def test_leaves_out_no_text_that_repeats_one_which_did_not_arrive(self) -> None:
        for repeats, arm in ((False, SILENCE), (True, USUAL_TEXT)):
            drawn = wording_drawn(forced(RULES, Layer.TEXT, SILENCE), 0, repeats=repeats)
            assert drawn == Draw(Layer.TEXT, "rest", arm, 1.0)

    def test_leaves_out_no_text_that_also_marks_a_stage_of_which_none_may_be_left_out(self) -> None:
        rules = forced(RULES, Layer.TEXT, SILENCE)
        assert wording_drawn(rules, 0, -3) is not None
        assert wording_drawn(rules, 0, 3) is None

    def test_leaves_out_no_overdue_stage(self) -> None:
        decision = decide(a_customer(), a_standing(), OnlyRules(forced(RULES, Layer.TEXT, SILENCE)), DUE_DAY + 3 * DAY)
        assert isinstance(decision, Send)
        assert (decision.stage, decision.reminder.draws) == (3, ())

    def test_is_drawn_on_every_channel_because_it_compares_no_words(self) -> None:
        line = replace(RULES.channels[0][0], channel=Channel.EMAIL, gateway="ses", sender="a@example.com")
        facts = a_customer(email="mei@example.com")
        rules = replace(RULES, channels=dict.fromkeys(RULES.ladder, (line,)))
        silent = decide(facts, a_standing(), OnlyRules(forced(rules, Layer.TEXT, SILENCE)), DUE_DAY)
        assert isinstance(silent, Send)
        assert (silent.reminder.is_held_out, silent.reminder.would_go_by) == (True, "email")
        worded = decide(facts, a_standing(), OnlyRules(forced(rules, Layer.TEXT, OTHER_TEXT)), DUE_DAY)
        assert isinstance(worded, Send)
        assert worded.reminder.draws == ()


RELIABLE = segment_rules_from([{"name": "reliable", "streak": {"at_least": 3}}])
HAS_PAID = a_standing(history=PaymentHistory(on_time=4, streak=4))


class TestWhatADrawRemembers:
    """What was asked for, and how the customer had paid until then: a night that settles the draw must not guess it."""

    def test_is_every_instalment_that_the_text_names_with_what_is_open_of_it(self) -> None:
        facts = a_customer(
            an_account(an_instalment("2026-11-20", paid=1_000), an_instalment("2026-11-28", number=2), account_id="A1"),
            an_account(an_instalment("2026-11-28", number=7), account_id="A2"),
        )
        standing = a_standing(progress=progress_at(7, "2026-11-27", due="2026-11-20"))
        for policies in (SILENT, OnlyRules(replace(RULES, trials=(a_holdout(0.0),)))):
            decision = decide(facts, standing, policies, DUE_DAY)
            assert isinstance(decision, Send)
            assert decision.reminder.asked == (
                Asked("A1", 1, 324_000),
                Asked("A1", 2, 325_000),
                Asked("A2", 7, 325_000),
            )

    def test_is_nothing_where_nothing_was_drawn(self) -> None:
        for policies in (OnlyRules(RULES), OnlyRules(replace(RULES, trials=(a_holdout(ends_on=day("2026-11-30")),)))):
            assert (claimed_at(DUE_DAY, policies).asked, claimed_at(DUE_DAY, policies).payer_segment) == ((), "")

    def test_is_the_payer_segment_where_the_policy_has_any_drawn_or_not(self) -> None:
        assert claimed_at(DUE_DAY, WITHOUT_TRIALS, HAS_PAID).payer_segment == "reliable"
        assert claimed_at(DUE_DAY, WITHOUT_TRIALS, HAS_PAID).asked == ()

    def test_is_the_payer_segment_by_the_rules_of_the_policy(self) -> None:
        policies = OnlyRules(replace(RULES, trials=(a_holdout(),), segment_rules=RELIABLE))
        assert claimed_at(DUE_DAY, policies, HAS_PAID).payer_segment == "reliable"
        assert claimed_at(DUE_DAY, policies).payer_segment == UNKNOWN_PAYER
        assert claimed_at(DUE_DAY, SILENT, HAS_PAID).payer_segment == UNKNOWN_PAYER, "no rules, no segments"

    @pytest.mark.parametrize(
        ("rule", "changes", "accounts", "segment"),
        [
            ({"amount_band": {"at_least": 1}}, {"amount_bands": {"TWD": (325_000,)}}, 1, "it"),
            ({"amount_band": {"at_most": 0}}, {"amount_bands": {"TWD": (325_001,)}}, 1, "it"),
            ({"amount_band": {"at_most": 0}}, {"amount_bands": {"TWD": (325_001,)}}, 2, UNKNOWN_PAYER),
            ({"amount_band": {"at_least": 0}}, {"amount_bands": {"USD": (1,)}}, 1, UNKNOWN_PAYER),
            ({"first_loan": True}, {"lists_closed_accounts": True}, 1, "it"),
            ({"first_loan": True}, {"lists_closed_accounts": True}, 2, UNKNOWN_PAYER),
            ({"first_loan": True}, {}, 1, UNKNOWN_PAYER),
            ({"first_loan": False}, {}, 1, UNKNOWN_PAYER),
            ({"first_loan": False}, {}, 2, "it"),
            ({"channel": ["sms"]}, {}, 1, "it"),
            ({"channel": ["line"]}, {}, 1, UNKNOWN_PAYER),
        ],
    )
    def test_sees_what_is_open_the_first_loan_and_the_channel_and_guesses_nothing(
        self, rule: dict[str, object], changes: dict[str, Any], accounts: int, segment: str
    ) -> None:
        rules = replace(RULES, trials=(a_holdout(),), segment_rules=segment_rules_from([{"name": "it", **rule}]))
        facts = a_customer(*[an_account(account_id=f"A{number}") for number in range(accounts)])
        decision = decide(facts, a_standing(), OnlyRules(replace(rules, **changes)), DUE_DAY)
        assert isinstance(decision, Send)
        assert decision.reminder.payer_segment == segment

    def test_adds_up_what_is_open_in_the_currency_of_the_text_alone(self) -> None:
        bands = {"TWD": (325_000, 325_001), "CNY": (1,)}
        in_band = segment_rules_from([{"name": "it", "amount_band": {"at_least": 1, "at_most": 1}}])
        rules = replace(RULES, trials=(a_holdout(),), segment_rules=in_band, amount_bands=bands)
        other = an_account(an_instalment("2026-12-20"), account_id="A2", currency="CNY")
        facts = a_customer(an_account(account_id="A1"), other)
        decision = decide(facts, a_standing(), OnlyRules(rules), DUE_DAY)
        assert isinstance(decision, Send)
        assert decision.reminder.payer_segment == "it"

    def test_sees_the_first_channel_that_reaches_the_customer_although_it_is_shut_for_now(self) -> None:
        """When a wake is planned nobody knows which channels are open by then: the segment must not change."""
        by_mail = segment_rules_from([{"name": "it", "channel": ["email"]}])
        shut = ContactHours((((18 * 60, 19 * 60),),) * 7)
        line = ChannelRules(channel=Channel.LINE, gateway="line")
        mail = ChannelRules(channel=Channel.EMAIL, gateway="ses", hours=shut, overdue_hours=shut)
        sms = ChannelRules(channel=Channel.SMS, gateway="sns")
        channels = dict.fromkeys(RULES.ladder, (line, mail, sms))
        rules = replace(RULES, trials=(a_holdout(),), segment_rules=by_mail, channels=channels)
        decision = decide(a_customer(email="ming@example.com"), a_standing(), OnlyRules(rules), DUE_DAY)
        assert isinstance(decision, Send)
        assert (decision.reminder.payer_segment, decision.reminder.would_go_by) == ("it", "sms")


class TestATrialOfAPayerSegment:
    """A trial that names the payer segments that take part."""

    def test_draws_for_them_alone(self) -> None:
        trial = a_silence_among_texts(1.0, RULES, segments=frozenset({"reliable"}))
        policies = OnlyRules(replace(RULES, trials=(trial,), segment_rules=RELIABLE))
        assert claimed_at(DUE_DAY, policies, HAS_PAID).is_held_out
        assert claimed_at(DUE_DAY, policies).draws == ()

    def test_may_be_of_those_of_whom_nothing_is_known(self) -> None:
        trial = a_silence_among_texts(1.0, RULES, segments=frozenset({UNKNOWN_PAYER}))
        policies = OnlyRules(replace(RULES, trials=(trial,), segment_rules=RELIABLE))
        assert claimed_at(DUE_DAY, policies).is_held_out
        assert claimed_at(DUE_DAY, policies, HAS_PAID).draws == ()


HOURS = a_trial(Layer.HOUR, (("10", 0.25), ("12", 0.25), ("16", 0.25), ("18", 0.25)), is_learned=True)
WORDS = a_trial(Layer.TEXT, ((USUAL_TEXT, 0.5), (OTHER_TEXT, 0.5)))
OTHER_WORDS = forced(RULES, Layer.TEXT, OTHER_TEXT).variants


WITHOUT_TRIALS = OnlyRules(replace(RULES, segment_rules=RELIABLE))


def controlled(*trials: Trial, control: TrialControl | None, **changes: Any) -> OnlyRules:  # noqa: ANN401 - fields
    rules = replace(RULES, trials=trials, trial_control=control, variants=OTHER_WORDS, segment_rules=RELIABLE)
    return OnlyRules(replace(rules, **changes))


def a_strategy(week: str, trial: Trial, **by_segment: tuple[float, ...]) -> Strategy:
    arms = tuple(arm.name for arm in trial.arms)
    weights = {EVERY_SEGMENT if segment == "others" else segment: of for segment, of in by_segment.items()}
    return Strategy(lender="demo-tw", week=week, trials={trial.trial_id: TrialWeights(arms, weights)})


class TestAControlThatCannotBeRead:
    """Nobody knows which arms are paused: nothing is left to chance."""

    def test_holds_nobody_out(self) -> None:
        draws = arms_drawn(controlled(a_holdout(0.5), control=None), 20)
        assert draws == {Draw(Layer.HOLDOUT, "holdout", TEXTED, 1.0): 20}

    def test_takes_the_first_arm_that_is_not_silent(self) -> None:
        assert arms_drawn(controlled(WORDS, control=None), 20) == {Draw(Layer.TEXT, "text", USUAL_TEXT, 1.0): 20}
        silent_first = replace(a_silence_among_texts(0.5, RULES), arms=(Arm(SILENCE, 0.5), Arm(USUAL_TEXT, 0.5)))
        assert arms_drawn(controlled(silent_first, control=None), 20) == {Draw(Layer.TEXT, "rest", USUAL_TEXT, 1.0): 20}

    def test_takes_the_usual_text_without_a_draw_if_that_arm_may_not_be_sent(self) -> None:
        trial = a_trial(Layer.TEXT, (("gone", 0.5), (USUAL_TEXT, 0.5)))
        policies = controlled(trial, control=None, variants={"gone": TextVariant({}, {})})
        assert claimed_at(DUE_DAY, policies) == claimed_at(DUE_DAY, WITHOUT_TRIALS)

    def test_keeps_the_hour_of_the_policy(self) -> None:
        policies = controlled(HOURS, control=None, preferred_minute_of_day=11 * 60)
        for number in range(20):
            decision = decided_for(number, policies, taipei("2026-11-30 12:00"))
            assert decision.until == taipei("2026-12-01 11:00")
        assert claimed_at(taipei("2026-12-01 11:00"), policies).draws == ()


class TestAControl:
    """What the nightly run says of trials: it takes arms away and moves shares, and nothing else."""

    def test_that_stops_a_trial_ends_its_draws_and_everybody_is_texted_as_usual(self) -> None:
        for trial in (a_holdout(), a_silence_among_texts(1.0, RULES), WORDS, HOURS):
            policies = controlled(trial, control=TrialControl(lender="", stopped=frozenset({trial.trial_id})))
            assert claimed_at(DUE_DAY, policies) == claimed_at(DUE_DAY, WITHOUT_TRIALS)

    def test_that_pauses_an_arm_leaves_it_out_before_the_draw(self) -> None:
        three = replace(WORDS, arms=(Arm(USUAL_TEXT, 0.2), Arm(OTHER_TEXT, 0.3), Arm("third", 0.5)))
        control = TrialControl(lender="", paused={"text": frozenset({"third"})})
        policies = controlled(three, control=control, variants={**OTHER_WORDS, "third": OTHER_WORDS[OTHER_TEXT]})
        draws = arms_drawn(policies)
        assert draws.keys() == {Draw(Layer.TEXT, "text", USUAL_TEXT, 0.4), Draw(Layer.TEXT, "text", OTHER_TEXT, 0.6)}

    def test_that_pauses_silence_texts_everybody(self) -> None:
        paused = {trial: frozenset({SILENCE}) for trial in ("holdout", "rest")}
        trials = (a_holdout(0.5), a_silence_among_texts(0.5, RULES))
        draws = arms_drawn(controlled(*trials, control=TrialControl(lender="", paused=paused)), 20)
        assert {draw.propensity for draw in draws} == {1.0}
        assert not any(draw.arm == SILENCE for draw in draws)

    @pytest.mark.parametrize(
        "trial", [a_holdout(0.5), a_silence_among_texts(0.5, RULES)], ids=lambda each: each.trial_id
    )
    def test_that_pauses_the_text_beside_silence_silences_nobody(self, trial: Trial) -> None:
        paused = {trial.trial_id: frozenset({TEXTED, USUAL_TEXT})}
        policies = controlled(trial, control=TrialControl(lender="", paused=paused))
        assert arms_drawn(policies, 20) == {}

    def test_gives_a_learned_trial_the_weights_of_its_payer_segment(self) -> None:
        weights = a_strategy("2026-W49", HOURS, reliable=(0.7, 0.1, 0.1, 0.1), others=(0.1, 0.1, 0.1, 0.7))
        policies = controlled(HOURS, control=TrialControl(lender="", strategies=(weights,)))
        for standing, hour in ((HAS_PAID, 10), (a_standing(), 18)):
            planned = [decided_for(n, policies, DUE_DAY - DAY, standing).until for n in range(100)]
            at_hour = sum(until == taipei(f"2026-12-01 {hour}:00") for until in planned)
            assert 50 < at_hour < 80
        drawn = {draw for n in range(20) for draw in draws_at(policies, n, HAS_PAID)}
        assert {(draw.arm, draw.propensity) for draw in drawn if draw.arm == "10"} == {("10", 0.655)}

    def test_without_a_strategy_yet_leaves_the_configured_shares(self) -> None:
        later = a_strategy("2026-W50", HOURS, others=(0.7, 0.1, 0.1, 0.1))
        for strategies in ((), (later,)):
            policies = controlled(HOURS, control=TrialControl(lender="", strategies=strategies))
            decision = decided_for(1, policies, taipei("2026-12-01 19:00"))
            assert isinstance(decision, Send)
            (draw,) = decision.reminder.draws
            assert (draw.propensity, draw.is_uniform) == (0.25, False)

    def test_moves_no_share_of_a_trial_that_is_not_learned(self) -> None:
        weights = a_strategy("2026-W49", WORDS, others=(0.9, 0.1))
        draws = arms_drawn(controlled(WORDS, control=TrialControl(lender="", strategies=(weights,))), 20)
        assert {(draw.propensity, draw.is_uniform) for draw in draws} == {(0.5, False)}

    def test_whose_strategy_does_not_know_the_arms_of_a_trial_leaves_the_configured_shares(self) -> None:
        other_trial = a_strategy("2026-W49", replace(HOURS, trial_id="another"), others=(0.7, 0.1, 0.1, 0.1))
        other_arms = a_strategy("2026-W49", replace(HOURS, arms=HOURS.arms[:2]), others=(0.9, 0.1))
        for strategy in (other_trial, other_arms):
            policies = controlled(HOURS, control=TrialControl(lender="", strategies=(strategy,)))
            (draw,) = draws_at(policies, 1, a_standing())
            assert (draw.propensity, draw.is_uniform) == (0.25, False)

    def test_has_its_weights_recorded_as_they_were_published_unless_an_arm_is_taken_away(self) -> None:
        """Weights may sum to a little less than 1. Who audits a record has the published ones alone."""
        weights = a_strategy("2026-W49", HOURS, others=(0.7000004, 0.1, 0.1, 0.0999988))
        recorded = []
        for paused in ({}, {"hour": frozenset({"18"})}):
            control = TrialControl(lender="", strategies=(weights,), paused=paused)
            rules = controlled(HOURS, control=control).rules_for(a_customer(), DUE_DAY)
            assert isinstance(rules, Rules)
            draws = [draw_hour(rules, RUNG._replace(customer_id=f"C{number}"), lambda _: True) for number in range(20)]
            recorded.append({draw.propensity for draw in draws if draw is not None and draw.arm == "10"})
        assert recorded == [{0.655}, {0.733333}]

    def test_moves_no_rung_by_a_strategy_published_between_planning_and_sending_and_does_by_a_pause(self) -> None:
        planned, today = taipei("2026-11-30 08:00"), day("2026-11-30")
        old = a_strategy("2026-W48", HOURS, others=(0.1, 0.1, 0.1, 0.7))
        new = a_strategy(next_week(today), HOURS, others=(0.7, 0.1, 0.1, 0.1))
        before = TrialControl(lender="", version=1, strategies=(old,))
        after_it = TrialControl(lender="", version=2, strategies=(old, new))
        paused = TrialControl(lender="", version=3, strategies=(old,), paused={"hour": frozenset({"18"})})
        moved = 0
        for number in range(40):
            turns = [
                decided_for(number, controlled(HOURS, control=control), planned).until
                for control in (before, after_it, paused)
            ]
            assert turns[0] == turns[1]
            moved += turns[0] != turns[2]
            then = decided_for(number, controlled(HOURS, control=after_it), turns[0] or planned)
            assert isinstance(then, Send), "sent at the hour for which it was planned"
        assert moved > 10

    @pytest.mark.parametrize(
        ("weights", "texted"), [((0.0, 1.0), 0.1), ((0.02, 0.98), 0.1), ((0.5, 0.5), 0.5), ((1.0, 0.0), 0.95)]
    )
    def test_never_silences_more_or_fewer_than_the_floors_allow(
        self, weights: tuple[float, float], texted: float
    ) -> None:
        trial = a_silence_among_texts(0.5, RULES, is_learned=True)
        control = TrialControl(lender="", strategies=(a_strategy("2026-W48", trial, others=weights),))
        draws = arms_drawn(controlled(trial, control=control), 100)
        assert {draw.arm: draw.propensity for draw in draws} == {
            USUAL_TEXT: pytest.approx(texted),
            SILENCE: pytest.approx(1 - texted),
        }


def test_rules_without_a_trial_draw_nothing() -> None:
    assert claimed_at(DUE_DAY, OnlyRules(RULES)).draws == ()
    assert not any("chance" in line for line in trace_of(decide(a_customer(), a_standing(), the_policies(), DUE_DAY)))


def test_who_was_held_out_is_texted_in_the_next_half_year_and_not_analysed() -> None:
    """A stage of the second epoch: with half of all held out, nobody is twice in a row."""
    earlier = replace(RULES, trials=(a_holdout(0.5, starts_on=day("2026-06-01"), ends_on=day("2027-05-30")),))
    first, second = taipei("2026-11-20 10:00"), DUE_DAY + DAY
    assert date(2026, 11, 30) > BEGINS
    twice = 0
    for number in range(60):
        drawn = []
        for due, now in (("2026-11-20", first), ("2026-12-02", second)):
            facts = a_customer(an_account(an_instalment(due)), customer_id=f"C{number}")
            decision = decide(facts, a_standing(), OnlyRules(earlier), now)
            assert isinstance(decision, Send)
            drawn.append(decision.reminder.draws[0])
        if drawn[0].arm == SILENCE:
            assert drawn[1] == Draw(Layer.HOLDOUT, "holdout", TEXTED, 1.0)
            twice += 1
    assert 20 < twice < 40


def test_progress_is_marked_by_a_stage_that_is_left_out() -> None:
    standing = after(a_standing(), a_customer(), claimed_at(DUE_DAY), DUE_DAY)
    assert standing.progress == {"A1#1": Progress(0, day("2026-12-01"), day("2026-12-01"))}
    assert standing.ledger[-1].is_held_out
    assert standing.ledger[-1].draws == "hholdout.silence:1"
    assert isinstance(RULES, Rules)


def test_a_ledger_keeps_what_was_drawn_until_the_next_claim_only() -> None:
    standing = after(a_standing(), a_customer(), claimed_at(DUE_DAY), DUE_DAY)
    then = taipei("2026-12-04 10:00")
    later = after(standing, a_customer(), claimed_at(then, SILENT, standing), then)
    assert [entry.draws for entry in later.ledger] == ["", "hholdout.silence:1"]
