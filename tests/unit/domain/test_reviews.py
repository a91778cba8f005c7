"""Stops that only a person can end: each is announced once, and again only after it has ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop, Wait
from dunning.domain.decision.gates import GATES
from dunning.domain.decision.reviews import STOPS, announce
from dunning.domain.outbound_events import CustomerNeedsPerson, OutboundEvent, ReviewReason
from dunning.services.planning import replan, replan_as_told
from tests.support.builders import (
    a_customer,
    a_lender_record,
    a_standing,
    an_account,
    an_instalment,
    taipei,
    the_policies,
)

NOW = taipei("2027-01-02 12:00")
WITHOUT_NOTICE = a_customer(an_account(an_instalment(stage_reached=15)))
NOTICED = a_customer(an_account(an_instalment(stage_reached=15, notice="2026-12-20")))
PLANNED = a_standing(reason="next_stage")
WAITS_ONLY = {
    Reason.SENDING_OFF,
    Reason.NEXT_STAGE,
    Reason.QUIET_HOURS,
    Reason.CLOSED_DAY,
    Reason.PERSON_CAP,
    Reason.ACCOUNT_CAP,
    Reason.CHANNEL_SHUT,
}
CLAIMED = {Reason.DUE, Reason.HELD_OUT}
BY_SERVICES = {Reason.UNREADABLE_RECORD}


def reviews(events: tuple[OutboundEvent, ...]) -> list[ReviewReason]:
    return [event.why for event in events if isinstance(event, CustomerNeedsPerson)]


def planned(facts: Facts, standing: Standing) -> tuple[Standing, list[ReviewReason]]:
    result = replan(facts, standing, standing, the_policies(), NOW)
    return result.standing, reviews(result.events)


def test_every_reason_to_stop_is_in_the_table() -> None:
    of_gates = {reason for gate in GATES for reason in gate.reasons}
    assert set(STOPS) == (of_gates - WAITS_ONLY - CLAIMED) | BY_SERVICES


def test_a_review_is_called_what_its_stop_is_called() -> None:
    announced = {reason: row.review for reason, row in STOPS.items() if row.review}
    assert {reason.value for reason in announced} == {review.value for review in announced.values()}


@pytest.mark.parametrize("reason", sorted(reason for reason, row in STOPS.items() if row.review))
def test_a_stop_is_announced_once_and_again_only_after_a_decision_has_passed_its_gate(reason: Reason) -> None:
    stop = Stop(reason, ())
    first = announce((), stop)
    assert [review.value for review in first.new] == [reason.value]
    assert announce(first.stops, stop).new == ()
    earlier = announce(first.stops, Stop(Reason.NOTHING_OPEN, ()))
    assert announce(earlier.stops, stop).new == (), "an earlier gate says nothing about this one"
    passed = announce(first.stops, Wait(None, Reason.PERSON_CAP, ()))
    if reason in next(gate for gate in GATES if Reason.NO_TEXT in gate.reasons).reasons:
        assert passed.stops == first.stops, "the text has not been tried"
        return
    assert passed.stops == ()
    assert announce(passed.stops, stop).new == first.new


def test_a_consent_that_begins_by_itself_needs_nobody() -> None:
    assert announce((), Stop(Reason.NO_CONSENT, (), NOW)).new == ()
    assert announce((), Stop(Reason.NO_CONSENT, ())).new == (ReviewReason.NO_CONSENT,)


def test_what_another_release_has_announced_does_no_harm() -> None:
    for decision in (Stop(Reason.NOTHING_OPEN, ()), Stop(Reason.UNREADABLE_RECORD, ())):
        assert announce(("of_another_release",), decision) == ((), ())


OBJECTIONS = (
    Reason.OPTED_OUT,
    Reason.NOT_IN_LIST,
    Reason.NUMBER_REFUSED,
    Reason.SHARED_PHONE,
    Reason.NO_CHANNEL,
    Reason.BANKRUPT,
)
"""The questions of the gate of objections, in their order; the holds for good come last."""


@pytest.mark.parametrize("asked", [reason for reason in OBJECTIONS if STOPS[reason].review])
def test_a_stop_lasts_while_earlier_questions_of_its_gate_end_the_decision_and_ends_once_a_later_one_does(
    asked: Reason,
) -> None:
    for reason in OBJECTIONS:
        lasts = OBJECTIONS.index(reason) <= OBJECTIONS.index(asked)
        after = announce((asked.value,), Stop(reason, ())).stops
        assert (asked.value in after) is lasts, reason


IN_ORDER: tuple[set[Reason], ...] = (
    {Reason.NOTHING_OPEN},
    {Reason.SENDING_OFF},
    {*OBJECTIONS, Reason.DECEASED, Reason.REPRESENTED, Reason.WRONG_PERSON, Reason.CEASED},
    {Reason.NO_CONSENT},
    {Reason.ON_HOLD},
    {
        Reason.UNKNOWN_LENDER,
        Reason.UNKNOWN_JURISDICTION,
        Reason.COUNTRY_NOT_ALLOWED,
        Reason.STORED_ELSEWHERE,
        Reason.UNKNOWN_TIME_ZONE,
    },
    {Reason.NEXT_STAGE, Reason.LADDER_FINISHED, Reason.NO_WRITTEN_NOTICE, Reason.UNANSWERED},
    {Reason.CALENDAR_NOT_COVERED, Reason.QUIET_HOURS, Reason.CLOSED_DAY, Reason.NO_LAWFUL_MOMENT},
    {Reason.PERSON_CAP, Reason.ACCOUNT_CAP},
    {Reason.CHANNEL_SHUT},
    {
        Reason.NO_TEXT,
        Reason.UNKNOWN_CURRENCY,
        Reason.TEXT_REFUSED,
        Reason.TEXT_TOO_LONG,
        Reason.TEMPLATE_NOT_REGISTERED,
    },
    {Reason.HELD_OUT},
)
"""The reasons of each gate."""


def test_a_stop_lasts_until_a_decision_has_come_to_a_later_gate() -> None:
    assert tuple([set(gate.reasons) for gate in GATES]) == IN_ORDER
    for place, stops in enumerate(IN_ORDER):
        for stop in sorted(stops & {reason for reason, row in STOPS.items() if row.review}):
            for other, ends in enumerate(IN_ORDER):
                for reason in sorted(ends) if other != place else ():
                    after = announce((stop.value,), Wait(None, reason, ())).stops
                    assert (stop.value in after) is (other < place), (stop, reason)


def test_what_could_not_be_decided_ends_no_stop() -> None:
    assert announce(("no_text", "shared_phone"), Stop(Reason.UNREADABLE_RECORD, ())) == (
        ("no_text", "shared_phone"),
        (),
    )


def test_a_stop_of_an_instalment_ends_although_another_instalment_stops_at_the_same_gate() -> None:
    decision = Stop(Reason.NO_WRITTEN_NOTICE, (), lacking_notice=("A3#1", "A2#1"))
    assert announce(("no_written_notice:A1#1", "no_written_notice:A2#1"), decision) == (
        ("no_written_notice:A2#1", "no_written_notice:A3#1"),
        (ReviewReason.NO_WRITTEN_NOTICE,),
    )


def test_a_stop_that_is_looked_at_again_by_itself_needs_a_person_all_the_same() -> None:
    assert announce((), Stop(Reason.UNKNOWN_LENDER, (), NOW)) == (("unknown_lender",), (ReviewReason.UNKNOWN_LENDER,))


@pytest.mark.parametrize("reason", sorted(reason for reason, row in STOPS.items() if not row.review))
def test_a_stop_that_needs_nobody_is_not_remembered(reason: Reason) -> None:
    assert announce((), Stop(reason, ())) == ((), ())


def test_a_missing_notice_is_announced_at_the_first_load_and_at_no_replan() -> None:
    loaded = replan_as_told(a_lender_record(WITHOUT_NOTICE), WITHOUT_NOTICE, None, the_policies(), NOW)
    assert reviews(loaded.events) == [ReviewReason.NO_WRITTEN_NOTICE]
    standing, again = planned(WITHOUT_NOTICE, loaded.standing)
    assert again == []
    standing, ended = planned(NOTICED, standing)
    assert (ended, standing.announced) == ([], ())
    assert planned(WITHOUT_NOTICE, standing)[1] == [ReviewReason.NO_WRITTEN_NOTICE]


def test_a_missing_notice_is_announced_although_other_accounts_go_on() -> None:
    going_on = an_account(an_instalment("2026-12-29", 100_000), account_id="A2")
    facts = replace(WITHOUT_NOTICE, accounts=(*WITHOUT_NOTICE.accounts, going_on))
    decision = decide(facts, a_standing(), the_policies(), NOW)
    assert isinstance(decision, Send)
    standing, first = planned(facts, PLANNED)
    assert first == [ReviewReason.NO_WRITTEN_NOTICE]
    assert standing.announced == ("no_written_notice:A1#1",)
    assert planned(facts, standing)[1] == []


def test_an_account_that_has_heard_the_last_stage_is_announced_although_other_accounts_go_on() -> None:
    finished = an_account(an_instalment("2026-11-01", stage_reached=30, notice="2026-11-20"), account_id="A1")
    standing, alone = planned(a_customer(finished), PLANNED)
    assert alone == [ReviewReason.LADDER_FINISHED]
    beside = a_customer(finished, an_account(an_instalment("2027-02-01"), account_id="A2"))
    assert planned(beside, PLANNED)[1] == [ReviewReason.LADDER_FINISHED]
    standing, again = planned(beside, standing)
    assert again == [], "a further account does not announce it anew"
    both = a_customer(
        finished, an_account(an_instalment("2026-11-15", stage_reached=30, notice="2026-12-01"), account_id="A2")
    )
    assert planned(both, standing)[1] == [ReviewReason.LADDER_FINISHED]


def test_a_second_instalment_without_a_notice_is_another_stop() -> None:
    standing, _ = planned(WITHOUT_NOTICE, PLANNED)
    both = replace(
        WITHOUT_NOTICE,
        accounts=(*WITHOUT_NOTICE.accounts, an_account(an_instalment("2026-11-01", stage_reached=15), account_id="A2")),
    )
    assert planned(both, standing)[1] == [ReviewReason.NO_WRITTEN_NOTICE]


def test_a_hold_in_between_does_not_announce_anew() -> None:
    standing, _ = planned(WITHOUT_NOTICE, PLANNED)
    opted_out, none = planned(replace(WITHOUT_NOTICE, opted_out=True), standing)
    assert none == []
    assert planned(WITHOUT_NOTICE, opted_out)[1] == []


def test_who_is_not_loaded_yet_is_announced_by_the_load() -> None:
    unplanned = Standing(customer_id="C1")
    result = replan(WITHOUT_NOTICE, unplanned, unplanned, the_policies(), NOW)
    assert (reviews(result.events), result.standing.announced) == ([], ())


def test_a_decision_that_needs_nobody_announces_nothing() -> None:
    decisions: list[Decision] = [
        decide(a_customer(), a_standing(), the_policies(), taipei("2026-12-01 10:00") + timedelta(hours=hours))
        for hours in (-48, 0, 12)
    ]
    assert [announce((), decision).new for decision in decisions] == [(), (), ()]
