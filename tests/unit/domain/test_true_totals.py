"""An overdue text says what is true: all that is overdue, nothing that is not, in words that fit every account."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide, send_id_of
from dunning.domain.decision.decisions import ReachedStage, Reason, Reminder, Send, Stop, trace_of
from dunning.domain.decision.rules import Cap, ChannelRules, FatigueLimits, Policies, Scope
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import SILENCE, Layer
from tests.support.arms import OTHER_TEXT, a_holdout, forced
from tests.support.builders import (
    a_customer,
    a_standing,
    a_text,
    after,
    an_account,
    an_instalment,
    day,
    policies_with,
    progress_at,
    rules_of,
    taipei,
    the_policies,
)

DAY = timedelta(days=1)


def reminder(
    facts: Facts, now: datetime, standing: Standing | None = None, policies: Policies | None = None
) -> Reminder:
    decision = decide(facts, standing or a_standing(), policies or the_policies(), now)
    assert isinstance(decision, Send), trace_of(decision)
    return decision.reminder


def owing(account_id: str, due: str, amount: int, *, tail: str = "5678", notice: str = "") -> Account:
    return an_account(an_instalment(due, amount, notice=notice), account_id=account_id, tail=tail)


def test_what_falls_due_that_very_day_is_not_overdue() -> None:
    account = an_account(an_instalment("2026-12-01", number=1), an_instalment("2026-12-16", number=2))
    sent = reminder(a_customer(account), taipei("2026-12-16 10:00"), a_standing(progress=progress_at(7, "2026-12-08")))
    assert sent.stage == 15
    assert "NT$3,250" in sent.text
    assert "NT$6,500" not in sent.text
    on_the_next_day = reminder(
        a_customer(account), taipei("2026-12-17 10:00"), a_standing(progress=progress_at(7, "2026-12-08"))
    )
    assert "NT$6,500" in on_the_next_day.text


def test_an_account_whose_own_stage_is_not_due_is_named_and_not_marked() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000, tail="1111"), owing("A2", "2026-12-03", 200_000, tail="2222"))
    sent = reminder(facts, taipei("2026-12-04 10:00"))
    assert "NT$3,000" in sent.text
    assert sent.account_ids == ("A1", "A2")
    assert sent.also_named == ("A2",)
    assert [reached.account_id for reached in sent.reached_stages] == ["A1"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(an_instalment("2026-11-01", 200_000, stage_reached=15), id="its notice is missing"),
        pytest.param(an_instalment("2026-11-01", 200_000, stage_reached=30, notice="2026-11-20"), id="it is finished"),
        pytest.param(an_instalment("2026-11-01", 200_000, stage_reached=30), id="it is finished elsewhere, unnoticed"),
    ],
)
def test_an_account_that_hears_no_more_stages_is_still_overdue_and_still_named(other: object) -> None:
    facts = a_customer(
        owing("A1", "2026-12-01", 100_000, tail="1111"),
        an_account(other, account_id="A2", tail="2222"),  # type: ignore[arg-type]
    )
    sent = reminder(facts, taipei("2026-12-04 10:00"))
    assert (sent.stage, sent.also_named) == (3, ("A2",))
    assert "NT$3,000" in sent.text


def test_no_words_about_a_letter_where_one_of_the_accounts_has_had_none() -> None:
    noticed = an_account(an_instalment("2026-12-01", stage_reached=15, notice="2026-12-20"), account_id="A1")
    unnoticed = an_account(an_instalment("2026-12-01", stage_reached=30), account_id="A2")
    sent = reminder(a_customer(noticed, unnoticed), taipei("2027-01-02 12:00"))
    assert sent.stage == 15
    assert [(reached.account_id, reached.stage) for reached in sent.reached_stages] == [("A1", 30)]


def noticed_and_unnoticed() -> Facts:
    """Describe a customer with two overdue accounts, of which the second has had no letter."""
    return a_customer(
        an_account(an_instalment("2026-12-01", notice="2026-12-20"), account_id="A1"),
        an_account(an_instalment("2026-12-20"), account_id="A2"),
    )


@pytest.mark.parametrize("stage", [1, 30])
def test_where_every_stage_refers_to_a_letter_nobody_is_texted_about_a_debt_without_one(stage: int) -> None:
    facts = noticed_and_unnoticed()
    texts = {("zh-Hant", stage, False): the_policies().texts["zh-Hant", 30, False]}
    only_a_letter = policies_with(
        facts, ladder=(stage,), urgency=(stage,), notice_stages=frozenset({stage}), texts=texts
    )
    decision = decide(facts, a_standing(), only_a_letter, taipei("2027-01-22 12:00"))
    assert decision.reason is Reason.NO_WRITTEN_NOTICE
    alone = decide(a_customer(facts.accounts[0]), a_standing(), only_a_letter, taipei("2027-01-22 12:00"))
    assert isinstance(alone, Send)


def test_where_every_stage_that_reaches_the_customer_refers_to_a_letter_nobody_is_texted_about_a_debt_without_one() -> (
    None
):
    """The words of +3 would be true, but go out by mail alone, and no address is on record."""
    facts = noticed_and_unnoticed()
    mail, sms = ChannelRules(channel=Channel.EMAIL, gateway="ses"), ChannelRules(channel=Channel.SMS, gateway="sns")
    policies = policies_with(facts, ladder=(3, 30), urgency=(3, 30), channels={3: (mail,), 30: (sms,)})
    decision = decide(facts, a_standing(), policies, taipei("2027-01-22 12:00"))
    assert decision.reason is Reason.NO_WRITTEN_NOTICE
    reached = replace(facts, email="ming@example.com")
    assert decide(reached, a_standing(), policies, taipei("2027-01-22 12:00")).reason is Reason.DUE


def test_an_account_that_the_customer_has_opted_out_of_is_not_named() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-01", 200_000))
    out = a_standing(opted_out_accounts={"A2": taipei("2026-12-02 10:00")})
    sent = reminder(facts, taipei("2026-12-04 10:00"), out)
    assert sent.account_ids == ("A1",)
    assert "NT$1,000" in sent.text


def test_other_accounts_texts_do_not_push_an_accounts_own_stage_back() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-03", 200_000))
    now = taipei("2026-12-04 10:00")
    first = reminder(facts, now)
    standing = after(a_standing(), facts, first, now)
    assert standing.ledger[-1].also_named == ("A2",)
    second = reminder(facts, taipei("2026-12-06 10:00"), standing)
    assert [(reached.account_id, reached.stage) for reached in second.reached_stages] == [("A2", 3)]
    assert second.account_ids == ("A2", "A1")


def test_a_text_that_names_an_account_counts_for_the_accounts_own_cap() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-03", 200_000))
    once_a_week = policies_with(facts, account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),))
    now = taipei("2026-12-04 10:00")
    standing = after(a_standing(), facts, reminder(facts, now, policies=once_a_week), now)
    decision = decide(facts, standing, once_a_week, taipei("2026-12-06 10:00"))
    assert (decision.reason, decision.until) == (Reason.ACCOUNT_CAP, now + 7 * DAY)
    assert "cap: 1 text in 7 days for the account, free at 2026-12-11 10:00+08:00" in trace_of(decision)


def test_a_cap_that_waits_names_itself() -> None:
    now = taipei("2026-12-04 10:00")
    texts = [a_text(now - days * DAY, "A9") for days in (6, 4, 2)]
    decision = decide(a_customer(), a_standing(*texts), the_policies(), now)
    assert trace_of(decision)[-1] == "cap: 3 texts in 7 days for the person, free at 2026-12-05 10:00+08:00"


def test_a_trace_names_the_stage_that_is_sent() -> None:
    late = an_account(an_instalment("2026-11-01", 100_000, stage_reached=7), account_id="A1")
    facts = a_customer(late, owing("A2", "2026-12-01", 200_000))
    decision = decide(facts, a_standing(), the_policies(), taipei("2026-12-04 10:00"))
    assert decision.stage == 3
    assert "stage: +3, due since 2026-12-04" in trace_of(decision)
    not_yet = replace(facts.accounts[1], instalments=(an_instalment("2026-12-03", 200_000),))
    milder = decide(a_customer(late, not_yet), a_standing(), the_policies(), taipei("2026-12-04 10:00"))
    assert milder.stage == 3
    assert "stage: +3, the mildest of the 2 accounts that are overdue" in trace_of(milder)
    at_night = decide(facts, a_standing(), the_policies(), taipei("2026-12-04 22:00"))
    assert "stage: +3, due since 2026-12-04" in trace_of(at_night)


def test_without_any_words_there_is_a_stop_and_no_search() -> None:
    facts = a_customer(an_account(an_instalment("2026-11-01", stage_reached=15)))
    decision = decide(facts, a_standing(), the_policies(), taipei("2026-12-02 10:00"))
    assert isinstance(decision, Stop)
    assert decision.lacking_notice == ("A1#1",)


def test_the_late_fee_of_what_falls_due_today_is_not_in_the_text() -> None:
    account = an_account(
        an_instalment("2026-12-01", number=1, late_fee=10_000), an_instalment("2026-12-08", number=2, late_fee=20_000)
    )
    standing = a_standing(progress=progress_at(3, "2026-12-04"))
    sent = reminder(a_customer(account), taipei("2026-12-08 10:00"), standing)
    assert (sent.stage, day("2026-12-08")) == (7, sent.on)
    assert "NT$100" in sent.text
    assert "NT$300" not in sent.text


def test_a_debt_that_still_has_days_of_grace_is_not_named_as_overdue() -> None:
    account = an_account(
        an_instalment("2026-12-01", 100_000, number=1), an_instalment("2026-12-08", 300_000, number=2), account_id="A1"
    )
    facts = a_customer(account, owing("A2", "2026-12-09", 200_000))
    with_grace = policies_with(facts, ladder=(15, 30), urgency=(15, 30), first_overdue_day=10)
    sent = reminder(facts, taipei("2026-12-16 10:00"), policies=with_grace)
    assert sent.account_ids == ("A1",)
    assert "NT$1,000" in sent.text
    later = reminder(facts, taipei("2026-12-18 10:00"), policies=with_grace)
    assert "NT$4,000" in later.text


def test_an_account_that_is_named_beside_others_counts_with_the_stage_that_it_has_heard() -> None:
    facts = a_customer(owing("A1", "2026-11-20", 100_000), owing("A2", "2026-11-22", 200_000))
    stages = progress_at(7, "2026-11-29", due="2026-11-22", account="A2")
    sent = reminder(
        facts, taipei("2026-12-05 10:00"), a_standing(progress=stages | progress_at(7, "2026-11-27", due="2026-11-20"))
    )
    assert (sent.stage, sent.also_named) == (7, ("A2",))


@pytest.mark.parametrize(("notice", "stage"), [("2027-01-02", 30), ("2027-01-03", 15), ("", 15)])
def test_words_about_a_letter_are_true_once_the_last_of_the_letters_has_been_written(notice: str, stage: int) -> None:
    noticed = an_account(an_instalment("2026-12-01", stage_reached=15, notice="2026-12-20"), account_id="A1")
    other = an_account(an_instalment("2026-12-01", stage_reached=30, notice=notice), account_id="A2")
    assert reminder(a_customer(noticed, other), taipei("2027-01-02 12:00")).stage == stage


def test_words_of_the_first_day_are_true_of_an_account_without_a_letter() -> None:
    noticed = an_account(an_instalment("2026-12-01", stage_reached=1, notice="2026-12-20"), account_id="A1")
    unnoticed = an_account(an_instalment("2026-12-01", stage_reached=30), account_id="A2")
    facts = a_customer(noticed, unnoticed)
    texts = dict(the_policies().texts)
    texts["zh-Hant", 1, True] = texts["zh-Hant", 3, True]
    policies = policies_with(facts, ladder=(1, 30), urgency=(1, 30), texts=texts)
    assert reminder(facts, taipei("2027-01-22 12:00"), policies=policies).stage == 1


def test_an_account_that_has_heard_nothing_counts_with_the_first_overdue_stage() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-03", 200_000))
    texts = dict(the_policies().texts)
    texts["zh-Hant", 1, True] = texts["zh-Hant", 3, True]
    policies = policies_with(facts, ladder=(1, 3), urgency=(1, 3), texts=texts)
    standing = a_standing(a_text(taipei("2026-12-03 10:00"), "A2"), progress=progress_at(1, "2026-12-02"))
    sent = reminder(facts, taipei("2026-12-05 10:00"), standing, policies)
    assert (sent.stage, sent.also_named) == (1, ("A2",))


def test_words_without_a_letter_are_those_of_the_last_stage_before_any_that_needs_one() -> None:
    noticed = an_account(an_instalment("2026-12-01", stage_reached=15, notice="2026-12-20"), account_id="A1")
    unnoticed = an_account(an_instalment("2026-12-01", stage_reached=30), account_id="A2")
    facts = a_customer(noticed, unnoticed)
    letters = policies_with(facts, notice_stages=frozenset({15, 30}))
    assert reminder(facts, taipei("2027-01-02 12:00"), policies=letters).stage == 7


@pytest.mark.parametrize(("urgency", "account_id"), [((0, 1, 7), "A2"), ((1, 0, 7), "A1")])
def test_what_is_a_day_late_is_never_in_one_text_with_what_falls_due_today(
    urgency: tuple[int, ...], account_id: str
) -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-02", 200_000))
    texts = dict(the_policies().texts)
    texts["zh-Hant", 1, False] = texts["zh-Hant", 3, False]
    policies = policies_with(facts, ladder=(0, 1, 7), urgency=urgency, texts=texts)
    assert reminder(facts, taipei("2026-12-02 10:00"), policies=policies).account_ids == (account_id,)


NEVER_TIRED = FatigueLimits(after=99, stop_after=None)


@pytest.mark.parametrize(
    ("other", "is_marked"),
    [
        pytest.param(an_instalment("2026-12-03"), True, id="its +3 comes in two days"),
        pytest.param(an_instalment("2026-11-05", stage_reached=30, notice="2026-11-20"), False, id="it is finished"),
        pytest.param(an_instalment("2026-11-05", stage_reached=15), False, id="its +30 lacks a notice"),
        pytest.param(an_instalment("2026-11-05", stage_reached=15, notice="2026-12-05"), False, id="or has it later"),
        pytest.param(an_instalment("2026-11-05", stage_reached=15, notice="2026-12-04"), True, id="or has it today"),
    ],
)
def test_under_limits_of_fatigue_a_text_marks_each_account_that_it_names_and_that_comes_to_a_further_stage(
    other: Instalment,
    is_marked: bool,  # noqa: FBT001 - the expected answer
) -> None:
    """Ladders of their own would pull apart, after a delay, the texts that go as one without the limits."""
    facts = a_customer(an_account(account_id="A1"), an_account(other, account_id="A2"))
    for limits, marked in ((NEVER_TIRED, is_marked), (None, False)):
        sent = reminder(facts, taipei("2026-12-04 10:00"), policies=policies_with(facts, fatigue=limits))
        assert set(sent.account_ids) == {"A1", "A2"}
        assert sent.also_named == (() if marked else ("A2",))
        assert sent.stage == 3


def test_accounts_of_one_due_date_are_named_in_the_order_of_their_ids_whatever_the_order_of_the_file() -> None:
    first, second = owing("A1", "2026-12-01", 100_000, tail="1111"), owing("A2", "2026-12-01", 200_000, tail="2222")
    sent = [reminder(a_customer(*both), taipei("2026-12-04 10:00")) for both in ((first, second), (second, first))]
    assert [each.account_ids for each in sent] == [("A1", "A2")] * 2
    assert sent[0] == sent[1]


@pytest.mark.parametrize(("paid", "names_a_fee"), [((0, 0), True), ((10_000, 0), False), ((0, 10_000), False)])
def test_once_any_instalment_is_paid_in_part_no_late_fee_is_named(
    paid: tuple[int, int],
    names_a_fee: bool,  # noqa: FBT001 - the expected answer
) -> None:
    account = an_account(*[
        an_instalment(due, 100_000, number=number, paid=paid[number - 1], late_fee=10_000)
        for number, due in ((1, "2026-12-01"), (2, "2026-12-02"))
    ])  # fmt: skip
    sent = reminder(a_customer(account), taipei("2026-12-08 10:00"), a_standing(progress=progress_at(3, "2026-12-04")))
    assert sent.stage == 7
    assert ("NT$200" in sent.text.replace("NT$2,000", "")) is names_a_fee


def test_the_id_of_a_text_tells_its_stage_its_channel_and_the_stages_that_it_marks_in_any_order() -> None:
    marked = [ReachedStage("A1", 1, day("2026-12-01"), 3), ReachedStage("A2", 1, day("2026-12-02"), 3)]
    usual = send_id_of("C1", marked, 3, "sms")
    assert send_id_of("C1", marked[::-1], 3, "sms") == usual
    others = [
        send_id_of("C2", marked, 3, "sms"),
        send_id_of("C1", marked, 7, "sms"),
        send_id_of("C1", marked, 3, "email"),
        send_id_of("C1", marked[:1], 3, "sms"),
        send_id_of("C", marked, 3, "1sms"),
        *[
            send_id_of("C1", [marked[0]._replace(**change), marked[1]], 3, "sms")
            for change in ({"account_id": "A3"}, {"number": 2}, {"due_on": day("2026-12-03")}, {"stage": 7})
        ],
    ]
    assert len({usual, *others}) == len(others) + 1
    assert {len(send_id) for send_id in (usual, *others)} == {32}


def test_what_chance_holds_back_marks_and_names_what_the_text_would_have_and_has_no_words() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-03", 200_000))
    usual = reminder(facts, taipei("2026-12-04 10:00"))
    held_back = reminder(facts, taipei("2026-12-04 10:00"), policies=policies_with(facts, trials=(a_holdout(),)))
    assert held_back.is_held_out
    assert (held_back.reached_stages, held_back.also_named) == (usual.reached_stages, ("A2",))
    assert (held_back.stage, held_back.on, held_back.would_go_by) == (usual.stage, usual.on, usual.channel)
    assert {held_back.text, held_back.encoding, held_back.template, held_back.registered_template} == {""}
    assert held_back.parts == 0


def test_a_text_of_the_first_day_asks_for_all_that_is_overdue() -> None:
    owed = an_account(an_instalment("2026-11-01", 100_000), an_instalment("2026-12-01", 200_000, number=2))
    facts = a_customer(owed)
    texts = {("zh-Hant", 1, True): the_policies().texts["zh-Hant", 3, True]}
    policies = policies_with(facts, ladder=(1,), urgency=(1,), texts=texts)
    assert "NT$3,000" in reminder(facts, taipei("2026-12-05 10:00"), policies=policies).text


def test_the_words_of_a_text_belong_to_the_stages_of_which_a_trial_has_to_run_for_all() -> None:
    """The text marks +7 of an account in the words of +3, which another has heard, and of +3 nothing is left out."""
    facts = a_customer(owing("A1", "2026-11-28", 100_000), owing("A2", "2026-12-01", 200_000))
    both_at_three = progress_at(3, "2026-12-01", due="2026-11-28") | progress_at(3, "2026-12-04", account="A2")
    for stages, is_held_out in (({3, 7}, True), ({7}, False)):
        policies = policies_with(facts, trials=(a_holdout(stages=frozenset(stages)),))
        sent = reminder(facts, taipei("2026-12-05 10:00"), a_standing(progress=both_at_three), policies)
        assert (sent.stage, sent.also_named) == (3, ("A2",))
        assert sent.is_held_out is is_held_out


@pytest.mark.parametrize(("starts_on", "is_drawn"), [("2026-12-03", True), ("2026-12-04", False)])
def test_of_a_text_about_several_accounts_chance_asks_when_the_stage_of_the_earliest_came_due(
    starts_on: str,
    *,
    is_drawn: bool,
) -> None:
    facts = a_customer(owing("A1", "2026-11-30", 100_000), owing("A2", "2026-12-01", 200_000))
    rules = rules_of(facts)
    for layer, arm in ((Layer.HOLDOUT, SILENCE), (Layer.TEXT, OTHER_TEXT)):
        drawing = forced(rules, layer, arm)
        trials = tuple([replace(trial, starts_on=day(starts_on)) for trial in drawing.trials])
        policies = policies_with(facts, trials=trials, variants=drawing.variants)
        sent = reminder(facts, taipei("2026-12-04 10:00"), policies=policies)
        assert sent.account_ids == ("A1", "A2")
        assert [draw.arm for draw in sent.draws] == ([arm] if is_drawn else [])
