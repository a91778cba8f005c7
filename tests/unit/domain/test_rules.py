"""Rules: what follows from the law and the policy once they are put together."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from dunning.domain.decision.rules import Cap, ChannelRules, ContactHours, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import SILENCE, TEXTED, Layer
from dunning.domain.effect.trial_control import TrialControl
from tests.support.arms import a_holdout, a_trial
from tests.support.builders import a_customer, rules_of

USUAL = rules_of(a_customer())
SMS = ChannelRules(channel=Channel.SMS, gateway="sns")
HOURS, OVERDUE_HOURS = ContactHours(((),) * 7), ContactHours(((),) * 7)


def with_channels(*channels: ChannelRules) -> Rules:
    return replace(USUAL, channels=dict.fromkeys(USUAL.ladder, channels))


@pytest.mark.parametrize(
    ("ladder", "notice_stages", "needed"),
    [
        pytest.param((-3, 0, 3, 7, 15, 30), {30}, False, id="a later stage needs one: the first goes without"),
        pytest.param((-3, 0, 3, 7), {3, 7}, True, id="every overdue stage needs one"),
        pytest.param((-3, 0, 3, 7), {3}, True, id="the first overdue stage needs one"),
        pytest.param((-3, 0, 3, 7), {1}, True, id="stages from before the first need one"),
        pytest.param((0, 1, 7), {7}, False, id="the first of them comes the day after the due date, and goes without"),
        pytest.param((-3, 0, 1), {2}, False, id="none up to the first needs one"),
        pytest.param((-3, 0, 3, 7), (), False, id="no stage needs one"),
        pytest.param((-3, 0), {30}, False, id="there is no overdue stage"),
        pytest.param((-3, 0), (), False, id="there is none, and none would need one"),
    ],
)
def test_the_first_overdue_stage_needs_a_notice_if_no_stage_comes_without(
    ladder: tuple[int, ...],
    notice_stages: set[int],
    needed: bool,  # noqa: FBT001 - the expected answer
) -> None:
    rules = replace(USUAL, ladder=ladder, notice_stages=frozenset(notice_stages))
    assert rules.first_overdue_needs_notice is needed


def test_each_trial_stands_with_those_of_its_layer() -> None:
    holdout = a_holdout(0.1)
    texts = a_trial(Layer.TEXT, (("usual", 0.5), ("other", 0.5)))
    hours = a_trial(Layer.HOUR, (("usual", 0.5), ("hour-12", 0.5)))
    rules = replace(USUAL, trials=(texts, hours, holdout))
    assert (rules.holdouts, rules.trials_of_texts, rules.trials_of_hours) == ((holdout,), (texts,), (hours,))


def test_what_may_be_drawn_is_what_the_control_leaves_and_nothing_without_one() -> None:
    holdout = a_holdout(0.1)
    for control, left in (
        (None, {}),
        (TrialControl(lender=""), {"holdout": (TEXTED, SILENCE)}),
        (TrialControl(lender="", paused={"holdout": frozenset({SILENCE})}), {"holdout": (TEXTED,)}),
        (TrialControl(lender="", stopped=frozenset({"holdout"})), {"holdout": ()}),
    ):
        assert replace(USUAL, trials=(holdout,), trial_control=control).arms_left == left


@pytest.mark.parametrize(
    ("channels", "is_plain"),
    [
        pytest.param((SMS,), True, id="SMS by SNS"),
        pytest.param((), False, id="none at all"),
        pytest.param((SMS, SMS), False, id="two"),
        pytest.param((replace(SMS, gateway="eum"),), False, id="by another gateway"),
        pytest.param((ChannelRules(channel=Channel.EMAIL, gateway="sns"),), False, id="another channel"),
        pytest.param((replace(SMS, hours=HOURS),), False, id="hours of its own"),
        pytest.param((replace(SMS, overdue_hours=HOURS),), False, id="hours of its own once overdue"),
        pytest.param((replace(SMS, caps=(Cap(1, timedelta(days=1)),)),), False, id="a cap of its own"),
        pytest.param((replace(SMS, consent_required=True),), False, id="a consent of its own"),
    ],
)
def test_only_sms_by_sns_without_limits_of_its_own_needs_no_choice_of_a_channel(
    channels: tuple[ChannelRules, ...],
    is_plain: bool,  # noqa: FBT001 - the expected answer
) -> None:
    assert with_channels(*channels).is_sms_only is is_plain


def test_a_single_stage_with_another_channel_needs_a_choice() -> None:
    mixed = replace(USUAL, channels={**USUAL.channels, 3: (replace(SMS, gateway="eum"),)})
    assert not mixed.is_sms_only


def test_a_channel_has_its_own_hours_for_each_side_of_the_due_date_or_those_of_the_customer() -> None:
    rules = replace(USUAL, hours=ContactHours(((),) * 7), overdue_hours=ContactHours(((),) * 7))
    own = replace(SMS, hours=HOURS, overdue_hours=OVERDUE_HOURS)
    for stage, of_customer, of_channel in (
        (None, rules.hours, HOURS),
        (-3, rules.hours, HOURS),
        (0, rules.hours, HOURS),
        (1, rules.overdue_hours, OVERDUE_HOURS),
    ):
        assert SMS.hours_for(rules, stage) is of_customer
        assert own.hours_for(rules, stage) is of_channel


def test_notifications_of_line_go_to_the_number_and_other_messages_to_the_address_of_their_channel() -> None:
    facts = a_customer(line_user_id="U1", email="ming@example.com")
    line = ChannelRules(channel=Channel.LINE, gateway="line")
    assert line.address_in(facts) == "U1"
    assert replace(line, gateway="line_notification").address_in(facts) == facts.phone
    assert ChannelRules(channel=Channel.EMAIL, gateway="ses").address_in(facts) == "ming@example.com"


@pytest.mark.parametrize(
    ("cap", "words"),
    [
        (Cap(1, timedelta(hours=24)), "1 text in 24 hours"),
        (Cap(2, timedelta(hours=36)), "2 texts in 36 hours"),
        (Cap(3, timedelta(hours=48)), "3 texts in 2 days"),
        (Cap(3, timedelta(days=7)), "3 texts in 7 days"),
        (Cap(1, timedelta(hours=6)), "1 text in 6 hours"),
    ],
)
def test_a_cap_is_said_in_whole_days_where_there_is_more_than_one_and_else_in_hours(cap: Cap, words: str) -> None:
    assert str(cap) == words


def test_what_a_policy_need_not_say_is_off() -> None:
    off: dict[str, object] = {
        "channel_words": {},
        "failover_after": None,
        "fatigue": None,
        "trials": (),
        "variants": {},
        "segment_rules": (),
        "amount_bands": {},
        "lists_closed_accounts": False,
        "trial_control": TrialControl(lender=""),
    }
    given = {each.name: getattr(USUAL, each.name) for each in fields(Rules) if each.init and each.name not in off}
    rules = Rules(**given)
    assert {name: getattr(rules, name) for name in off} == off
