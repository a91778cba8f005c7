"""The gates, in their order: what shuts one, until when, and which of two shut ones is named."""

import inspect
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.domain.customer.facts import FINAL_HOLDS, Facts, Hold, HoldReason
from dunning.domain.customer.standing import AddressSince, Standing
from dunning.domain.decision import decide as decide_module
from dunning.domain.decision.decide import decide, zones_of
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop, Wait, trace_of
from dunning.domain.decision.gates import GATES
from dunning.domain.decision.rules import Cap, ChannelRules, ContactHours, FatigueLimits, Policies, Rules, Scope
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import Layer
from dunning.ports.telemetry import Metric, metric_of_decision
from tests.support.arms import a_holdout, a_trial
from tests.support.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    OnlyRules,
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    day,
    instant,
    policies_with,
    progress_at,
    rules_of,
    taipei,
    texted_ago,
    the_policies,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

DUE_DAY = taipei("2026-12-01 10:00")
"""Tuesday at ten: the due-day text of the usual customer may go out."""

IN_A_DAY = DUE_DAY + DAY


@dataclass(frozen=True)
class Case:
    """Somebody to decide about. `rules` are changes to what holds for them; the place's own hold otherwise."""

    facts: Facts = field(default_factory=a_customer)
    standing: Standing = field(default_factory=a_standing)
    now: datetime = DUE_DAY
    sending: bool = True
    rules: dict[str, Any] = field(default_factory=dict)
    stored_elsewhere: bool = False

    def decision(self) -> Decision:
        policies: Policies = the_policies()
        rules = policies.rules_for(self.facts, self.now)
        if self.stored_elsewhere:
            policies = OnlyRules(Reason.STORED_ELSEWHERE)
        elif isinstance(rules, Rules):
            policies = OnlyRules(replace(rules, **self.rules))
        return decide(self.facts, self.standing, policies, self.now, sending=self.sending)


type Change = Callable[[Case], Case]


def with_facts(**changes: Any) -> Change:  # noqa: ANN401 - fields
    return lambda case: replace(case, facts=replace(case.facts, **changes))


def with_standing(**changes: Any) -> Change:  # noqa: ANN401 - fields
    return lambda case: replace(case, standing=replace(case.standing, **changes))


def with_rules(**changes: Any) -> Change:  # noqa: ANN401 - fields
    return lambda case: replace(case, rules=case.rules | changes)


def at(now: datetime) -> Change:
    return lambda case: replace(case, now=now)


def with_hours(**changes: Any) -> Change:  # noqa: ANN401 - fields
    def change(case: Case) -> Case:
        hours = case.rules.get("hours") or rules_of(a_customer()).hours
        return with_rules(hours=replace(hours, **changes))(case)

    return change


def all_paid(case: Case) -> Case:
    return with_facts(accounts=(an_account(an_instalment(paid=325_000)),))(case)


def sending_off(case: Case) -> Case:
    return replace(case, sending=False)


calendar_ended = with_hours(covered_until=day("2026-11-30"))
closed_today = with_hours(special={day("2026-12-01"): ()})
opted_out = with_facts(opted_out=True)
no_consent = with_rules(consent_required=True)
held_for_good = with_facts(holds=(Hold(HoldReason.DISPUTE),))
on_hold = with_facts(holds=(Hold(HoldReason.PROMISE, day("2026-12-10")),))
ladder_finished = with_facts(accounts=(an_account(an_instalment(stage_reached=30)),))
no_notice = with_facts(accounts=(an_account(an_instalment("2026-11-01", stage_reached=15)),))
next_stage = with_standing(progress=progress_at(0, "2026-12-01"))
not_yet_ten = at(taipei("2026-12-01 09:30"))
unknown_zone = with_facts(time_zone="Mars/Olympus")


def stored_elsewhere(case: Case) -> Case:
    return replace(case, stored_elsewhere=True)


quiet = at(taipei("2026-12-01 22:00"))
capped = with_standing(ledger=(a_text(DUE_DAY - HOUR, "A9"),))
account_capped = with_rules(account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),), person_caps=())
texted_about_it = with_standing(ledger=(a_text(DUE_DAY - 2 * DAY),))
too_long = with_rules(max_parts=0)
not_registered = with_rules(registered={})
without_texts = with_rules(texts={})
held_out = with_rules(trials=(a_holdout(),))


def only_on(**limits: Any) -> Change:  # noqa: ANN401 - fields
    """Let all stages go out on one channel alone."""
    only = (ChannelRules(**limits),)
    return with_rules(channels=dict.fromkeys(rules_of(a_customer()).ladder, only))


mail_alone = only_on(channel=Channel.EMAIL, gateway="ses")
EVENINGS = ContactHours((((18 * 60, 19 * 60),),) * 7)
texts_in_the_evening = only_on(channel=Channel.SMS, gateway="sns", hours=EVENINGS, overdue_hours=EVENINGS)


def all_of(*changes: Change) -> Change:
    def change(case: Case) -> Case:
        for step in changes:
            case = step(case)
        return case

    return change


def unanswered(case: Case) -> Case:
    """Let three reminders go unheard, and a person take over after so many."""
    ledger = tuple(a_text(DUE_DAY - days * DAY, "A9") for days in (26, 18, 10))
    case = with_standing(ledger=(*ledger, *case.standing.ledger))(case)
    return with_rules(fatigue=FatigueLimits(after=2, stop_after=3))(case)


SHUT: dict[Reason, Change] = {
    Reason.NOTHING_OPEN: all_paid,
    Reason.SENDING_OFF: sending_off,
    Reason.OPTED_OUT: opted_out,
    Reason.NUMBER_REFUSED: with_standing(suspended={"sms": AddressSince("+886900000001")}),
    Reason.SHARED_PHONE: with_standing(shared={"number": AddressSince("+886900000001")}),
    Reason.NO_CHANNEL: mail_alone,
    Reason.BANKRUPT: with_facts(holds=(Hold(HoldReason.BANKRUPT),)),
    Reason.DECEASED: with_facts(holds=(Hold(HoldReason.DECEASED),)),
    Reason.REPRESENTED: with_facts(holds=(Hold(HoldReason.REPRESENTED),)),
    Reason.WRONG_PERSON: with_facts(holds=(Hold(HoldReason.WRONG_PERSON),)),
    Reason.NO_CONSENT: no_consent,
    Reason.ON_HOLD: with_standing(holds=(Hold(HoldReason.HARDSHIP, day("2026-12-10"), DUE_DAY - DAY),)),
    Reason.UNKNOWN_LENDER: with_facts(lender="nobody"),
    Reason.UNKNOWN_JURISDICTION: with_facts(country="", phone_country=""),
    Reason.COUNTRY_NOT_ALLOWED: with_facts(country="JP", phone_country="JP"),
    Reason.STORED_ELSEWHERE: stored_elsewhere,
    Reason.UNKNOWN_TIME_ZONE: unknown_zone,
    Reason.NEXT_STAGE: next_stage,
    Reason.LADDER_FINISHED: ladder_finished,
    Reason.NO_WRITTEN_NOTICE: no_notice,
    Reason.UNANSWERED: unanswered,
    Reason.CALENDAR_NOT_COVERED: calendar_ended,
    Reason.QUIET_HOURS: quiet,
    Reason.CLOSED_DAY: closed_today,
    Reason.NO_LAWFUL_MOMENT: with_hours(week=((),) * 7),
    Reason.PERSON_CAP: capped,
    Reason.ACCOUNT_CAP: all_of(account_capped, texted_about_it),
    Reason.CHANNEL_SHUT: texts_in_the_evening,
    Reason.NO_TEXT: without_texts,
    Reason.UNKNOWN_CURRENCY: with_facts(accounts=(an_account(an_instalment(), currency="XXX"),)),
    Reason.TEXT_TOO_LONG: too_long,
    Reason.TEMPLATE_NOT_REGISTERED: not_registered,
    Reason.HELD_OUT: held_out,
}
"""A change that shuts the gate of each reason, and no other."""

SAME_FACT = [
    # An account is paid, or at a stage, or in a currency: the later change would take the earlier back.
    {Reason.NOTHING_OPEN, Reason.LADDER_FINISHED, Reason.NO_WRITTEN_NOTICE, Reason.UNKNOWN_CURRENCY},
    # A place without rules has no consent to require.
    {Reason.NO_CONSENT, Reason.UNKNOWN_LENDER},
    {Reason.NO_CONSENT, Reason.UNKNOWN_JURISDICTION},
    {Reason.NO_CONSENT, Reason.COUNTRY_NOT_ALLOWED},
    {Reason.NO_CONSENT, Reason.STORED_ELSEWHERE},
    # Where data may be stored is asked last of what makes rules.
    *(
        {Reason.STORED_ELSEWHERE, reason}
        for reason in (Reason.UNKNOWN_LENDER, Reason.UNKNOWN_JURISDICTION, Reason.COUNTRY_NOT_ALLOWED)
    ),
    # Both are the channels of the rules, and a place without rules has none.
    *(
        {Reason.NO_CHANNEL, reason}
        for reason in (
            Reason.CHANNEL_SHUT,
            Reason.UNKNOWN_LENDER,
            Reason.UNKNOWN_JURISDICTION,
            Reason.COUNTRY_NOT_ALLOWED,
            Reason.STORED_ELSEWHERE,
        )
    ),
    # All are the texts in the ledger.
    {Reason.PERSON_CAP, Reason.ACCOUNT_CAP, Reason.UNANSWERED},
    # A cap's window is over by the day of the next stage, and what was last sent before it moves the stage.
    {Reason.NO_WRITTEN_NOTICE, Reason.PERSON_CAP, Reason.ACCOUNT_CAP},
]


def pairs_of_gates() -> list[tuple[Reason, Reason]]:
    """Return a reason of every gate with a reason of every later gate."""
    return [
        (earlier, later)
        for place, gate in enumerate(GATES)
        for following in GATES[place + 1 :]
        for earlier in sorted(gate.reasons & SHUT.keys())
        for later in sorted(following.reasons & SHUT.keys())
        if not any({earlier, later} <= same for same in SAME_FACT)
    ]


@pytest.mark.parametrize("reason", SHUT)
def test_a_shut_gate_is_named(reason: Reason) -> None:
    assert Case().decision().reason is Reason.DUE
    assert SHUT[reason](Case()).decision().reason is reason


@pytest.mark.parametrize("reason", SHUT)
def test_a_decision_of_every_reason_is_counted(reason: Reason) -> None:
    assert metric_of_decision(SHUT[reason](Case()).decision()) in Metric


@pytest.mark.parametrize(("earlier", "later"), pairs_of_gates())
def test_of_two_gates_that_are_shut_the_earlier_in_the_list_is_named(earlier: Reason, later: Reason) -> None:
    assert SHUT[later](SHUT[earlier](Case())).decision().reason is earlier


def test_every_reason_belongs_to_one_gate() -> None:
    named = [reason for gate in GATES for reason in gate.reasons]
    assert sorted(named) == sorted(set(Reason) - {Reason.DUE} - OF_SERVICES)


def test_a_hold_is_answered_before_an_unknown_lender_or_zone_is_complained_of() -> None:
    for unknown in (Reason.UNKNOWN_LENDER, Reason.UNKNOWN_TIME_ZONE):
        for held in (held_for_good, on_hold):
            assert SHUT[unknown](held(Case())).decision().reason is Reason.ON_HOLD


def test_where_the_zone_is_unknown_a_hold_ends_when_its_day_is_over_everywhere() -> None:
    held = unknown_zone(on_hold(Case()))
    assert held.decision().until == datetime(2026, 12, 11, 12, tzinfo=UTC)
    assert at(datetime(2026, 12, 11, 12, tzinfo=UTC))(held).decision().reason is Reason.UNKNOWN_TIME_ZONE


def test_the_docstring_names_every_gate_in_order() -> None:
    documented = inspect.getdoc(decide_module) or ""
    numbers = [int(number) for number in re.findall(r"(?:^|· | {4})(\d+) ", documented, re.MULTILINE)]
    assert numbers == list(range(1, len(GATES) + 1))


def in_place(place: dict[str, Any], due: str, now: datetime) -> Case:
    return Case(facts=a_customer(an_account(an_instalment(due), currency="HKD"), **place), now=now)


SUNDAY_IN_HONG_KONG = taipei("2026-12-06 12:00")
NEW_YEAR_IN_CHINA = instant("2027-01-01 12:00", "Asia/Shanghai")

REASONS = [
    pytest.param(Reason.DUE, Case(), Send, None, id="a due text is sent"),
    pytest.param(Reason.NOTHING_OPEN, all_paid(Case()), Stop, None, id="paid: nothing to write about"),
    pytest.param(Reason.NOTHING_OPEN, with_facts(accounts=())(Case()), Stop, None, id="no accounts: nothing either"),
    pytest.param(Reason.SENDING_OFF, sending_off(Case()), Wait, None, id="switched off: the wake stays as it is"),
    pytest.param(Reason.OPTED_OUT, opted_out(Case()), Stop, None, id="the lender says they opted out"),
    pytest.param(
        Reason.NOT_IN_LIST,
        with_facts(not_in_list_since=DUE_DAY - HOUR)(Case()),
        Stop,
        None,
        id="the lender's whole list lacks them",
    ),
    pytest.param(
        Reason.OPTED_OUT, with_standing(opted_out_at=DUE_DAY - HOUR)(Case()), Stop, None, id="they told us to stop"
    ),
    pytest.param(Reason.NO_CONSENT, no_consent(Case()), Stop, None, id="the place demands a consent and there is none"),
    pytest.param(
        Reason.NO_CONSENT,
        with_facts(consented_at=IN_A_DAY)(no_consent(Case())),
        Stop,
        IN_A_DAY,
        id="a consent that begins tomorrow: look again then",
    ),
    pytest.param(
        Reason.NUMBER_REFUSED,
        with_standing(suspended={"sms": AddressSince("+886900000001")})(Case()),
        Stop,
        None,
        id="the carrier refused the number for good",
    ),
    pytest.param(
        Reason.OPTED_OUT,
        with_standing(opted_out_accounts={"A1": DUE_DAY - HOUR})(Case()),
        Stop,
        None,
        id="they want nothing about the only account",
    ),
    pytest.param(
        Reason.SHARED_PHONE,
        with_standing(shared={"number": AddressSince("+886900000001")})(Case()),
        Stop,
        None,
        id="another customer has the same number",
    ),
    *(
        pytest.param(
            Reason(final.value),
            with_facts(holds=(Hold(final, day("2026-11-01")),))(Case()),
            Stop,
            None,
            id=f"{final.value}: for good, whatever date stands beside it",
        )
        for final in sorted(FINAL_HOLDS)
    ),
    pytest.param(Reason.ON_HOLD, held_for_good(Case()), Stop, None, id="a hold without an end: until it is lifted"),
    pytest.param(
        Reason.ON_HOLD,
        with_facts(holds=(Hold(HoldReason.PROMISE, day("2026-12-03")),))(Case()),
        Wait,
        taipei("2026-12-04 10:00"),
        id="a promise to pay by Thursday: the day after that, when +3 is due",
    ),
    pytest.param(
        Reason.ON_HOLD,
        with_standing(holds=(Hold(HoldReason.HARDSHIP, day("2026-12-10")),))(Case()),
        Wait,
        taipei("2026-12-11 10:00"),
        id="a hold of ours counts as much",
    ),
    pytest.param(
        Reason.NEXT_STAGE, not_yet_ten(Case()), Wait, taipei("2026-12-01 10:00"), id="due today, at the preferred hour"
    ),
    pytest.param(Reason.NEXT_STAGE, next_stage(Case()), Wait, taipei("2026-12-04 10:00"), id="sent today: +3 is next"),
    pytest.param(Reason.LADDER_FINISHED, ladder_finished(Case()), Stop, None, id="the last stage was sent"),
    pytest.param(Reason.NO_WRITTEN_NOTICE, no_notice(Case()), Stop, None, id="+30 is due and no notice was written"),
    pytest.param(Reason.UNANSWERED, unanswered(Case()), Stop, None, id="three reminders without an answer"),
    pytest.param(
        Reason.UNKNOWN_LENDER, with_facts(lender="nobody")(Case()), Stop, IN_A_DAY, id="a lender without a policy"
    ),
    pytest.param(
        Reason.UNKNOWN_JURISDICTION, with_facts(country="XX")(Case()), Stop, IN_A_DAY, id="a country that is none"
    ),
    pytest.param(
        Reason.UNKNOWN_JURISDICTION,
        with_facts(phone_country="001")(Case()),
        Stop,
        IN_A_DAY,
        id="a number that belongs to no country",
    ),
    pytest.param(
        Reason.COUNTRY_NOT_ALLOWED,
        with_facts(country="JP")(Case()),
        Stop,
        IN_A_DAY,
        id="a country in which the lender texts nobody",
    ),
    pytest.param(
        Reason.COUNTRY_NOT_ALLOWED,
        with_facts(phone_country="CN")(Case()),
        Stop,
        IN_A_DAY,
        id="a number of a country in which the lender texts nobody",
    ),
    pytest.param(
        Reason.STORED_ELSEWHERE,
        stored_elsewhere(Case()),
        Stop,
        IN_A_DAY,
        id="a place whose data may not be stored in this Region",
    ),
    pytest.param(Reason.UNKNOWN_TIME_ZONE, unknown_zone(Case()), Stop, IN_A_DAY, id="a time zone that is none"),
    pytest.param(
        Reason.UNKNOWN_TIME_ZONE,
        with_facts(time_zone="Asia")(Case()),
        Stop,
        IN_A_DAY,
        id="a folder of the time zone database",
    ),
    pytest.param(
        Reason.UNKNOWN_TIME_ZONE,
        with_facts(time_zone="x" * 300)(Case()),
        Stop,
        IN_A_DAY,
        id="a time zone too long to be a file's name",
    ),
    pytest.param(
        Reason.CALENDAR_NOT_COVERED,
        in_place(IN_MAINLAND_CHINA, "2026-12-20", NEW_YEAR_IN_CHINA),
        Stop,
        NEW_YEAR_IN_CHINA + 7 * DAY,
        id="China's calendar has ended: look again in a week",
    ),
    pytest.param(
        Reason.QUIET_HOURS,
        Case(now=taipei("2026-12-05 08:00")),
        Wait,
        taipei("2026-12-05 10:00"),
        id="+3 since yesterday, and not yet nine: at the preferred hour",
    ),
    pytest.param(
        Reason.CLOSED_DAY,
        in_place(IN_HONG_KONG, "2026-12-02", SUNDAY_IN_HONG_KONG),
        Wait,
        taipei("2026-12-07 10:00"),
        id="overdue on a Sunday in Hong Kong: Monday at the preferred hour",
    ),
    pytest.param(
        Reason.PERSON_CAP,
        Case(now=taipei("2026-12-04 10:00"), standing=a_standing(a_text(taipei("2026-12-03 15:00"), "A9"))),
        Wait,
        taipei("2026-12-04 15:00"),
        id="texted at three yesterday, about anything: at three today",
    ),
    pytest.param(
        Reason.ACCOUNT_CAP,
        Case(
            now=taipei("2026-12-04 10:00"),
            standing=a_standing(a_text(taipei("2026-11-28 12:00"))),
            rules={"account_caps": (Cap(1, 7 * DAY, Scope.ACCOUNT),), "person_caps": ()},
        ),
        Wait,
        taipei("2026-12-05 12:00"),
        id="texted about the account six days ago, once in seven is allowed",
    ),
    pytest.param(
        Reason.NO_LAWFUL_MOMENT,
        with_facts(**IN_THE_UNITED_STATES | {"country": "DE", "lender": "demo-world"})(Case()),
        Stop,
        IN_A_DAY,
        id="in Germany with an American number: no hour suits both Berlin and Honolulu",
    ),
    pytest.param(Reason.NO_CHANNEL, mail_alone(Case()), Stop, None, id="by mail alone, and no address on record"),
    pytest.param(
        Reason.CHANNEL_SHUT,
        texts_in_the_evening(Case()),
        Wait,
        taipei("2026-12-01 18:00"),
        id="the only channel has hours of its own: when they begin",
    ),
    pytest.param(Reason.HELD_OUT, held_out(Case()), Send, None, id="everybody is held out: claimed at once"),
    pytest.param(Reason.NO_TEXT, without_texts(Case()), Stop, IN_A_DAY, id="no text for the stage"),
    pytest.param(
        Reason.TEMPLATE_NOT_REGISTERED,
        not_registered(Case()),
        Stop,
        IN_A_DAY,
        id="a place that demands registered texts, and this one is not",
    ),
    pytest.param(
        Reason.UNKNOWN_CURRENCY,
        with_facts(accounts=(an_account(currency="XAU"),))(Case()),
        Stop,
        IN_A_DAY,
        id="a currency whose decimals nobody knows",
    ),
    pytest.param(
        Reason.TEXT_REFUSED,
        with_facts(accounts=(an_account(tail=""),))(Case()),
        Stop,
        IN_A_DAY,
        id="no digits of the account to show",
    ),
    pytest.param(Reason.TEXT_TOO_LONG, too_long(Case()), Stop, IN_A_DAY, id="more segments than are allowed"),
    pytest.param(
        Reason.TEXT_TOO_LONG,
        with_rules(max_parts=100, pay={"zh-Hant": "字" * 600})(Case()),
        Stop,
        IN_A_DAY,
        id="more bytes than SNS takes",
    ),
]

OF_SERVICES = {Reason.CARRIER_BUSY, Reason.UNREADABLE_RECORD}
"""Not decided here: an answer of the carrier, and a record that cannot be read."""


@pytest.mark.parametrize(("reason", "case", "kind", "until"), REASONS)
def test_a_gate_that_is_shut_says_why_and_until_when(
    reason: Reason, case: Case, kind: type[Decision], until: datetime | None
) -> None:
    decision = case.decision()
    assert decision.reason is reason
    assert isinstance(decision, kind)
    assert decision.kind == kind.__name__.lower()
    assert decision.until == until


def test_every_reason_is_reached() -> None:
    reached = {parameters.values[0] for parameters in REASONS}
    assert reached == set(Reason) - OF_SERVICES


def test_a_number_put_right_is_no_longer_refused() -> None:
    case = with_standing(suspended={"sms": AddressSince("+886911111111")})(Case())
    assert case.decision().reason is Reason.DUE


@pytest.mark.parametrize("reason", sorted(set(HoldReason) - FINAL_HOLDS))
def test_every_hold_with_a_date_ends_the_day_after_it(reason: HoldReason) -> None:
    until = day("2026-12-03")
    held = with_facts(holds=(Hold(reason, until),))(Case())
    assert at(taipei("2026-12-03 20:00"))(held).decision().reason is Reason.ON_HOLD
    assert at(taipei("2026-12-04 10:00"))(held).decision().reason is Reason.DUE


def test_of_several_holds_the_longest_counts() -> None:
    held = all_of(
        with_facts(holds=(Hold(HoldReason.PROMISE, day("2026-12-20")), Hold(HoldReason.DISPUTE, day("2026-12-04")))),
        with_standing(holds=(Hold(HoldReason.HARDSHIP, day("2026-12-07")),)),
    )
    assert held(Case()).decision().until == taipei("2026-12-21 10:00")


def test_a_hold_in_an_unknown_state_ends_when_its_day_is_over_everywhere() -> None:
    held = a_customer(
        an_account(an_instalment("2026-12-01"), currency="USD"),
        holds=(Hold(HoldReason.PROMISE, day("2026-12-07")),),
        **IN_THE_UNITED_STATES,
    )
    midnight_in_new_york = instant("2026-12-08 00:00", "America/New_York")
    assert decide(held, a_standing(), the_policies(), midnight_in_new_york).reason is Reason.ON_HOLD


def test_a_second_text_within_a_day_waits_until_the_first_is_a_day_old() -> None:
    now = taipei("2026-12-05 10:00")
    decision = decide(a_customer(), texted_ago(now, 20 * HOUR), the_policies(), now)
    assert (decision.reason, decision.until) == (Reason.PERSON_CAP, now + 4 * HOUR)


def test_a_fourth_text_within_seven_days_waits_until_the_first_is_seven_days_old() -> None:
    now = taipei("2026-12-05 10:00")
    standing = texted_ago(now, 6 * DAY + 20 * HOUR, 5 * DAY, 2 * DAY)
    decision = decide(a_customer(), standing, the_policies(), now)
    assert (decision.reason, decision.until) == (Reason.PERSON_CAP, now + 4 * HOUR)
    assert isinstance(decide(a_customer(), standing, the_policies(), now + 4 * HOUR), Send)


def test_a_wait_for_a_cap_that_ends_at_night_goes_on_until_the_morning() -> None:
    now = taipei("2026-12-05 10:00")
    standing = texted_ago(now, 13 * HOUR)
    decision = decide(a_customer(), standing, the_policies(), now)
    assert (decision.reason, decision.until) == (Reason.PERSON_CAP, taipei("2026-12-06 10:00"))


def test_an_account_that_has_had_its_texts_does_not_silence_the_others() -> None:
    two = a_customer(an_account(account_id="A1"), an_account(account_id="A2", tail="4321"))
    rules = replace(rules_of(two), account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),), person_caps=())
    decision = decide(two, a_standing(a_text(DUE_DAY - 2 * DAY, "A1")), OnlyRules(rules), DUE_DAY)
    assert isinstance(decision, Send)
    assert decision.reminder.account_ids == ("A2",)


def test_of_accounts_up_to_their_due_date_that_have_had_their_texts_the_first_to_be_free_ends_the_wait() -> None:
    now = taipei("2026-12-01 10:00")
    soon = an_instalment("2026-12-10")
    two = a_customer(an_account(soon, account_id="A1"), an_account(soon, account_id="A2", tail="4321"))
    rules = replace(rules_of(two), account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),), person_caps=())
    standing = a_standing(a_text(now - 20 * HOUR, "A1"), a_text(now - 19 * HOUR, "A2"))
    decision = decide(two, standing, OnlyRules(rules), taipei("2026-12-07 10:00"))
    assert (decision.reason, decision.until) == (Reason.ACCOUNT_CAP, taipei("2026-12-07 14:00"))


def test_an_overdue_text_waits_until_no_account_that_it_has_to_name_is_capped() -> None:
    now = taipei("2026-12-04 10:00")
    two = a_customer(an_account(account_id="A1"), an_account(account_id="A2", tail="4321"))
    rules = replace(rules_of(two), account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),), person_caps=())
    standing = a_standing(a_text(now - 3 * DAY, "A1"), a_text(now - 2 * DAY, "A2"))
    decision = decide(two, standing, OnlyRules(rules), now)
    assert (decision.reason, decision.until) == (Reason.ACCOUNT_CAP, now + 5 * DAY)
    then = decide(two, standing, OnlyRules(rules), now + 5 * DAY)
    assert isinstance(then, Send)
    assert then.reminder.account_ids == ("A1", "A2")


@pytest.mark.parametrize("first", ["overdue", "due today"])
def test_of_accounts_that_come_due_on_a_day_the_first_whose_hours_open_ends_the_wait(first: str) -> None:
    of_stage = {
        "overdue": an_account(an_instalment("2026-12-01"), account_id="A1"),
        "due today": an_account(an_instalment("2026-12-04"), account_id="A2"),
    }
    accounts = sorted(of_stage, key=lambda name: name != first)
    both = a_customer(*[of_stage[name] for name in accounts])
    afternoons = ContactHours((((14 * 60, 20 * 60),),) * 7)
    standing = a_standing(
        progress=progress_at(0, "2026-12-01") | progress_at(-3, "2026-12-01", due="2026-12-04", account="A2")
    )
    rules = OnlyRules(replace(rules_of(both), overdue_hours=afternoons))
    assert decide(both, standing, rules, taipei("2026-12-03 12:00")).until == taipei("2026-12-04 10:00")


@pytest.mark.parametrize("accounts", [("A1", "A2"), ("A2", "A1")])
def test_a_stage_that_a_wait_makes_late_is_left_out_whichever_account_comes_first(accounts: tuple[str, ...]) -> None:
    """On the last day of November the stage three days before the due date keeps no distance from that of the day."""
    due = {"A1": an_instalment("2026-12-01"), "A2": an_instalment("2026-12-20")}
    both = a_customer(*[an_account(due[account_id], account_id=account_id) for account_id in accounts])
    texted = a_standing(a_text(taipei("2026-11-27 12:00"), "A9"))
    rules = OnlyRules(replace(rules_of(both), person_caps=(Cap(1, 3 * DAY),)))
    decision = decide(both, texted, rules, taipei("2026-11-28 12:00"))
    assert (decision.reason, decision.until) == (Reason.PERSON_CAP, taipei("2026-12-01 10:00"))


@pytest.mark.parametrize("accounts", [("A1", "A2"), ("A2", "A1")])
def test_of_capped_accounts_the_first_to_be_free_ends_the_wait_whichever_comes_first(
    accounts: tuple[str, ...],
) -> None:
    soon = an_instalment("2026-12-10")
    both = a_customer(*[an_account(soon, account_id=account_id) for account_id in accounts])
    rules = replace(rules_of(both), account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),), person_caps=())
    standing = a_standing(a_text(DUE_DAY - 20 * HOUR, "A1"), a_text(DUE_DAY - 19 * HOUR, "A2"))
    decision = decide(both, standing, OnlyRules(rules), taipei("2026-12-07 10:00"))
    assert (decision.reason, decision.until) == (Reason.ACCOUNT_CAP, taipei("2026-12-07 14:00"))


@pytest.mark.parametrize(
    ("accounts", "reason"), [(("late", "today"), Reason.QUIET_HOURS), (("today", "late"), Reason.ACCOUNT_CAP)]
)
def test_of_accounts_that_are_shut_for_different_reasons_the_first_of_the_file_names_its_own(
    accounts: tuple[str, ...], reason: Reason
) -> None:
    due = {"late": an_instalment("2026-11-28"), "today": an_instalment("2026-12-01")}
    both = a_customer(*[an_account(due[name], account_id=name) for name in accounts])
    evenings = {"overdue_hours": EVENINGS, "account_caps": (Cap(1, 7 * DAY, Scope.ACCOUNT),), "person_caps": ()}
    standing = a_standing(a_text(DUE_DAY - 2 * DAY, "today"))
    decision = decide(both, standing, OnlyRules(replace(rules_of(both), **evenings)), DUE_DAY)  # type: ignore[arg-type]
    assert (decision.reason, decision.until) == (reason, taipei("2026-12-01 18:00"))


def test_a_wait_that_another_account_ends_still_names_when_the_cap_in_the_way_frees() -> None:
    both = a_customer(an_account(account_id="A1"), an_account(an_instalment("2026-12-03"), account_id="A2"))
    rules = replace(rules_of(both), account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),), person_caps=())
    decision = decide(both, a_standing(a_text(DUE_DAY - DAY, "A1")), OnlyRules(rules), DUE_DAY)
    assert isinstance(decision, Wait)
    assert (decision.reason, decision.until) == (Reason.ACCOUNT_CAP, taipei("2026-12-03 10:00"))
    assert decision.gates[0].opens_at == DUE_DAY + 6 * DAY


def test_what_chance_held_back_counts_against_no_cap_of_an_account() -> None:
    held_back = replace(a_text(DUE_DAY - 2 * DAY), channel="none")
    ledger = (a_text(DUE_DAY - 20 * DAY, "A9"), held_back)
    assert all_of(account_capped, with_standing(ledger=ledger))(Case()).decision().reason is Reason.DUE


def test_the_hours_of_overdue_texts_hold_from_the_first_day_after_the_due_date() -> None:
    afternoons = ContactHours((((14 * 60, 20 * 60),),) * 7)
    case = with_rules(ladder=(0, 1, 7), urgency=(0, 1, 7), overdue_hours=afternoons)(Case())
    assert case.decision().reason is Reason.DUE
    late = at(IN_A_DAY)(with_rules(min_days_between_stages=1)(case))
    assert (late.decision().reason, late.decision().until) == (Reason.QUIET_HOURS, taipei("2026-12-02 14:00"))


def test_a_calendar_that_ends_tonight_is_looked_at_again_when_its_first_unknown_day_begins() -> None:
    ends_today = all_of(with_hours(covered_until=day("2026-12-01")), quiet)
    decision = ends_today(Case()).decision()
    assert (decision.reason, decision.until) == (Reason.CALENDAR_NOT_COVERED, taipei("2026-12-02 00:00"))


def test_at_the_moment_at_which_the_calendar_ends_it_is_looked_at_again_in_a_week() -> None:
    until_friday = ContactHours((((9 * 60, 20 * 60),),) * 7, covered_until=day("2026-12-04"))
    decision = at(taipei("2026-12-05 00:00"))(with_rules(overdue_hours=until_friday)(Case())).decision()
    assert (decision.reason, decision.until) == (Reason.CALENDAR_NOT_COVERED, taipei("2026-12-12 00:00"))


def test_a_stage_whose_cap_frees_at_night_goes_on_until_the_morning() -> None:
    texted = with_standing(ledger=(a_text(taipei("2026-12-03 22:00"), "A9"),))
    decision = at(taipei("2026-12-03 23:00"))(texted(Case())).decision()
    assert (decision.reason, decision.until) == (Reason.NEXT_STAGE, taipei("2026-12-05 10:00"))


def test_hours_until_midnight_are_those_of_the_day_on_which_they_begin() -> None:
    until_midnight = ContactHours((((18 * 60, 24 * 60),),) * 7)
    hours = with_rules(overdue_hours=until_midnight, preferred_minute_of_day=19 * 60)
    decision = at(taipei("2026-12-05 12:00"))(hours(Case())).decision()
    assert (decision.reason, decision.until) == (Reason.QUIET_HOURS, taipei("2026-12-05 19:00"))


def test_a_stage_waits_for_hours_until_midnight_of_its_own_day() -> None:
    until_midnight = with_rules(overdue_hours=ContactHours((((18 * 60, 24 * 60),),) * 7))
    case = next_stage(until_midnight(Case()))
    assert case.decision().until == taipei("2026-12-04 18:00")
    assert shut_in(case) == [(Reason.NEXT_STAGE, taipei("2026-12-04 18:00"))]


def test_hours_that_never_open_for_a_later_stage_do_not_stop_what_is_due_now() -> None:
    later = an_account(an_instalment("2026-11-29", stage_reached=3), account_id="A2")
    never = ContactHours(((),) * 7)
    case = all_of(with_facts(accounts=(an_account(), later)), with_rules(overdue_hours=never))(Case())
    assert case.decision().reason is Reason.DUE


def test_a_trial_of_hours_says_nothing_of_an_account_that_has_heard_the_last_stage() -> None:
    hours = a_trial(Layer.HOUR, (("usual", 0.5), ("hour-12", 0.5)))
    assert with_rules(trials=(hours,))(ladder_finished(Case())).decision().reason is Reason.LADDER_FINISHED


def test_a_wait_that_ends_where_the_calendar_ends_names_no_stage() -> None:
    """By then there may be a new calendar: what is due then is not known."""
    soon = with_facts(accounts=(an_account(an_instalment("2026-12-04")),))
    decision = all_of(soon, capped, with_hours(covered_until=day("2026-12-01")))(Case()).decision()
    assert isinstance(decision, Wait)
    assert (decision.reason, decision.until) == (Reason.PERSON_CAP, taipei("2026-12-04 10:00"))
    assert (decision.stage, decision.urgency) == (None, 0)


def test_a_search_in_which_gates_keep_shutting_each_other_out_is_given_up_for_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decide_module, "_MAX_ITERATIONS", 0)
    decision = quiet(Case()).decision()
    assert isinstance(decision, Stop)
    assert (decision.reason, decision.until) == (Reason.NO_LAWFUL_MOMENT, taipei("2026-12-02 22:00"))
    assert trace_of(decision) == [*NO_OBJECTION, "no lawful moment found"]


def test_where_several_zones_are_possible_the_first_of_the_place_tells_the_day_and_the_times_of_the_trace() -> None:
    owing = an_account(an_instalment("2026-12-01", stage_reached=3), currency="USD")
    somebody = a_customer(owing, **IN_THE_UNITED_STATES)
    finished = an_account(an_instalment("2026-12-01", stage_reached=30), currency="USD")
    first, *others = rules_of(somebody).zones
    assert others
    for account in (owing, finished):
        decision = decide(replace(somebody, accounts=(account,)), a_standing(), the_policies(), DUE_DAY + 3 * DAY)
        assert isinstance(decision, Wait | Stop)
        assert decision.zone is first


def test_a_stage_that_comes_after_the_end_of_the_calendar_is_waited_for_as_any_other() -> None:
    case = all_of(with_hours(covered_until=day("2026-11-25")), at(taipei("2026-11-20 12:00")))(Case())
    decision = case.decision()
    assert isinstance(decision, Wait)
    assert (decision.reason, decision.until) == (Reason.NEXT_STAGE, taipei("2026-11-28 10:00"))


def test_massachusetts_counts_texts_about_each_account() -> None:
    account = an_account(an_instalment("2026-11-20"), currency="USD")
    somebody = a_customer(account, region="MA", **IN_THE_UNITED_STATES)
    now = instant("2026-12-03 12:00", "America/New_York")
    standing = a_standing(a_text(now - 5 * DAY), a_text(now - 3 * DAY))
    decision = decide(somebody, standing, the_policies(), now)
    assert (decision.reason, decision.until) == (Reason.ACCOUNT_CAP, now + 2 * DAY)


def test_a_closed_day_for_overdue_texts_does_not_stop_what_is_due_today() -> None:
    overdue, today = an_instalment("2026-12-01"), an_instalment("2026-12-06")
    both = a_customer(
        an_account(overdue, account_id="A1", currency="HKD"),
        an_account(today, account_id="A2", currency="HKD"),
        **IN_HONG_KONG,
    )
    decision = decide(both, a_standing(), the_policies(), SUNDAY_IN_HONG_KONG)
    assert isinstance(decision, Send)
    assert (decision.stage, decision.reminder.account_ids) == (0, ("A2",))


def test_consent_given_is_enough_where_it_is_demanded() -> None:
    asked = with_facts(consented_at=datetime(2026, 1, 1, tzinfo=UTC))(no_consent(Case()))
    assert asked.decision().reason is Reason.DUE


def test_the_customers_own_time_zone_counts_if_it_is_known() -> None:
    in_honolulu = a_customer(
        an_account(an_instalment("2026-12-01"), currency="USD"), time_zone="Pacific/Honolulu", **IN_THE_UNITED_STATES
    )
    evening = instant("2026-12-01 19:30", "Pacific/Honolulu")
    assert isinstance(decide(in_honolulu, a_standing(), the_policies(), evening), Send)
    somewhere = replace(in_honolulu, time_zone="")
    assert decide(somewhere, a_standing(), the_policies(), evening).reason is Reason.NEXT_STAGE


def test_clocks_that_no_zone_of_the_country_shows_do_not_move_the_laws_night() -> None:
    # 20:20 in Urumqi, whose clocks are custom and not law; 22:20 by the one legal time of the mainland.
    owing = an_account(an_instalment("2026-12-01", 32_550), currency="CNY")
    in_xinjiang = a_customer(owing, **IN_MAINLAND_CHINA, time_zone="Asia/Urumqi")
    night = instant("2026-12-01 22:20", "Asia/Shanghai")
    assert decide(in_xinjiang, a_standing(), the_policies(), night).reason is Reason.QUIET_HOURS
    noon = instant("2026-12-01 12:00", "Asia/Shanghai")
    assert isinstance(decide(in_xinjiang, a_standing(), the_policies(), noon), Send)
    # A column in the wrong place: Taiwan, and clocks of New York. At two in the afternoon there it is night here.
    astray = a_customer(an_account(an_instalment("2026-12-01")), time_zone="America/New_York")
    assert not isinstance(decide(astray, a_standing(), the_policies(), taipei("2026-12-02 03:00")), Send)


def test_where_the_clocks_contradict_the_country_a_text_is_lawful_in_both() -> None:
    """Two in the afternoon in Taiwan is one at night in New York, where the lender says that the customer is."""
    astray = a_customer(an_account(an_instalment("2026-12-01")), time_zone="America/New_York")
    afternoon = taipei("2026-12-05 14:00")
    assert decide(astray, a_standing(), the_policies(), afternoon).reason is not Reason.DUE
    assert isinstance(decide(replace(astray, time_zone=""), a_standing(), the_policies(), afternoon), Send)


def test_where_the_clocks_contradict_the_country_the_preferred_hour_is_that_of_a_day_of_the_customers_own() -> None:
    """At nine of the second in Taipei it is eight in the evening of the first in New York."""
    astray = a_customer(an_account(an_instalment("2026-11-20")), time_zone="America/New_York")
    hours = ContactHours((((9 * 60, 21 * 60),),) * 7)
    policies = policies_with(astray, overdue_hours=hours, preferred_minute_of_day=20 * 60 + 30)
    for asked_at in ("2026-12-01 12:00", "2026-12-01 20:10"):
        decision = decide(astray, a_standing(), policies, instant(asked_at, "America/New_York"))
        assert decision.until == instant("2026-12-01 20:30", "America/New_York")


def test_where_the_clocks_contradict_the_country_a_stage_waits_for_the_hours_of_its_day_in_the_customers_own() -> None:
    """Both are awake from eight to nine in the evening of New York, on the day that began in Taipei at noon."""
    astray = a_customer(an_account(an_instalment("2026-12-02", stage_reached=-3)), time_zone="America/New_York")
    hours = ContactHours((((9 * 60, 21 * 60),),) * 7)
    decision = decide(
        astray, a_standing(), policies_with(astray, hours=hours), instant("2026-12-01 22:00", "America/New_York")
    )
    assert isinstance(decision, Wait)
    assert decision.until == instant("2026-12-02 20:00", "America/New_York")
    assert [gate.reason for gate in decision.gates] == [Reason.NEXT_STAGE]


def test_where_the_clocks_contradict_the_country_a_closed_day_is_that_of_the_customers_own() -> None:
    """The preferred hour of the closed second comes when it is the third in Taipei."""
    astray = a_customer(an_account(an_instalment("2026-12-02", stage_reached=-3)), time_zone="America/New_York")
    closed = ContactHours((((9 * 60, 21 * 60),),) * 7, {day("2026-12-02"): ()})
    policies = policies_with(astray, hours=closed, preferred_minute_of_day=20 * 60 + 30)
    decision = decide(astray, a_standing(), policies, instant("2026-12-01 22:00", "America/New_York"))
    assert isinstance(decision, Wait)
    assert [(gate.reason, gate.until) for gate in decision.gates][:2] == [
        (Reason.NEXT_STAGE, instant("2026-12-02 20:30", "America/New_York")),
        (Reason.CLOSED_DAY, instant("2026-12-03 20:30", "America/New_York")),
    ]


def test_a_time_zone_that_nobody_knows_is_none_of_the_place() -> None:
    assert zones_of("Mars/Olympus", rules_of(a_customer()), DUE_DAY) == ()


def test_a_foreign_number_does_not_make_its_clocks_the_customers() -> None:
    abroad = {"phone_country": "US", "phone": "+12025550100", "consented_at": datetime(2026, 1, 1, tzinfo=UTC)}
    astray = a_customer(an_account(an_instalment("2026-12-01")), time_zone="America/New_York", **abroad)
    assert not isinstance(decide(astray, a_standing(), the_policies(), taipei("2026-12-02 03:00")), Send)


@pytest.mark.parametrize("alias", ["US/Hawaii", "Pacific/Johnston"])
def test_another_name_for_a_zone_of_the_place_is_as_good(alias: str) -> None:
    owing = an_account(an_instalment("2026-12-01"), currency="USD")
    in_honolulu = a_customer(owing, time_zone=alias, **IN_THE_UNITED_STATES)
    evening = instant("2026-12-01 19:30", "Pacific/Honolulu")
    assert isinstance(decide(in_honolulu, a_standing(), the_policies(), evening), Send)


def shut_in(case: Case) -> list[tuple[Reason, datetime | None]]:
    """Return the gates in the way of a wait, each with when it opens by itself."""
    decision = case.decision()
    assert isinstance(decision, Wait)
    return [(gate.reason, gate.opens_at or gate.until) for gate in decision.gates]


def test_a_wait_names_each_gate_in_the_way_with_its_reason_and_the_moment_at_which_it_opens() -> None:
    held = with_facts(holds=(Hold(HoldReason.DISPUTE, day("2026-12-03")),))(Case())
    assert shut_in(held) == [
        (Reason.ON_HOLD, taipei("2026-12-04 00:00")),
        (Reason.NEXT_STAGE, taipei("2026-12-04 10:00")),
    ]
    assert shut_in(quiet(Case()))[0] == (Reason.QUIET_HOURS, taipei("2026-12-02 09:00"))
    assert shut_in(closed_today(Case()))[0] == (Reason.CLOSED_DAY, taipei("2026-12-02 09:00"))
    assert shut_in(sending_off(Case())) == []


def test_a_cap_in_the_way_is_named_with_the_moment_at_which_it_frees() -> None:
    for reason in (Reason.PERSON_CAP, Reason.ACCOUNT_CAP):
        decision = SHUT[reason](Case()).decision()
        assert isinstance(decision, Wait)
        gate = decision.gates[0]
        assert gate.cap
        oldest = SHUT[reason](Case()).standing.ledger[-gate.cap.count].at
        assert (gate.reason, gate.until) == (reason, oldest + gate.cap.window)


@pytest.mark.parametrize("reason", SHUT)
def test_no_gate_of_a_wait_opens_after_its_end_and_the_first_is_the_one_that_is_named(reason: Reason) -> None:
    decision = SHUT[reason](Case()).decision()
    if isinstance(decision, Wait) and decision.until is not None:
        assert decision.gates[0].reason is reason
        for gate in decision.gates:
            assert gate.until is not None
            assert gate.until <= decision.until
        assert len({gate.reason for gate in decision.gates[1:]}) == len(decision.gates) - 1


SOMETHING_OPEN = "accounts with something open: 1"
NO_OBJECTION = [SOMETHING_OPEN, "no opt-out, no permanent stop"]
NO_HOLD = [*NO_OBJECTION, "hold: none is running"]
STAGE_DUE = [*NO_HOLD, "stage: +0, due since 2026-12-01"]
GATES_OPEN = [*STAGE_DUE, "hours: open in TW", "caps: 0 texts on record, none in the way"]
THEN_THE_NEXT_STAGE = "then stage: the next one is due 2026-12-04 10:00+08:00"

TRACES: dict[Reason, list[str]] = {
    Reason.NOTHING_OPEN: ["accounts with something open: none"],
    Reason.SENDING_OFF: [SOMETHING_OPEN, "switch: sending is off"],
    Reason.OPTED_OUT: [SOMETHING_OPEN, "opted out"],
    Reason.NUMBER_REFUSED: [SOMETHING_OPEN, "number: refused by the carrier until it is corrected"],
    Reason.SHARED_PHONE: [SOMETHING_OPEN, "number: another customer's too, until a person has looked at it"],
    Reason.NO_CHANNEL: [SOMETHING_OPEN, "channel: none reaches the customer, email: no address"],
    Reason.BANKRUPT: [SOMETHING_OPEN, "hold: bankrupt, for good"],
    Reason.DECEASED: [SOMETHING_OPEN, "hold: deceased, for good"],
    Reason.REPRESENTED: [SOMETHING_OPEN, "hold: represented, for good"],
    Reason.WRONG_PERSON: [SOMETHING_OPEN, "hold: wrong_person, for good"],
    Reason.NO_CONSENT: [SOMETHING_OPEN, "consent: TW requires it, none is on record yet"],
    Reason.ON_HOLD: [
        *NO_OBJECTION,
        "hold: running until 2026-12-11 00:00+08:00",
        "then hours: quiet, open at 2026-12-11 09:00+08:00",
    ],
    Reason.UNKNOWN_LENDER: [*NO_OBJECTION, "rules: unknown_lender"],
    Reason.UNKNOWN_JURISDICTION: [*NO_OBJECTION, "rules: unknown_jurisdiction"],
    Reason.COUNTRY_NOT_ALLOWED: [*NO_OBJECTION, "rules: country_not_allowed"],
    Reason.STORED_ELSEWHERE: [*NO_OBJECTION, "rules: stored_elsewhere"],
    Reason.UNKNOWN_TIME_ZONE: [*NO_OBJECTION, "time zone: not known"],
    Reason.NEXT_STAGE: [*NO_HOLD, "stage: the next one is due 2026-12-04 10:00+08:00"],
    Reason.LADDER_FINISHED: [*NO_HOLD, "stage: the last one has been heard; over to a person"],
    Reason.NO_WRITTEN_NOTICE: [
        *NO_HOLD,
        "stage: +30 needs a written notice, none is on record for 1 of the accounts",
    ],
    Reason.UNANSWERED: [*NO_HOLD, "fatigue: 3 reminders without an answer; over to a person"],
    Reason.CALENDAR_NOT_COVERED: [*STAGE_DUE, "calendar: no data for 2026-12-01"],
    Reason.QUIET_HOURS: [*STAGE_DUE, "hours: quiet, open at 2026-12-02 09:00+08:00", THEN_THE_NEXT_STAGE],
    Reason.CLOSED_DAY: [*STAGE_DUE, "hours: a closed day, open at 2026-12-02 09:00+08:00", THEN_THE_NEXT_STAGE],
    Reason.NO_LAWFUL_MOMENT: [*NO_OBJECTION, "hours: never open in all time zones at once"],
    Reason.PERSON_CAP: [
        *STAGE_DUE,
        "hours: open",
        "cap: 1 text in 24 hours for the person, free at 2026-12-02 09:00+08:00",
        THEN_THE_NEXT_STAGE,
    ],
    Reason.ACCOUNT_CAP: [
        *STAGE_DUE,
        "hours: open",
        "cap: 1 text in 7 days for the account, free at 2026-12-06 10:00+08:00",
    ],
    Reason.CHANNEL_SHUT: [
        *STAGE_DUE,
        "hours: open",
        "channel: sms passed over, its hours open at 2026-12-01 18:00+08:00",
    ],
    Reason.NO_TEXT: [*GATES_OPEN, "text: none for stage +0 in zh-Hant"],
    Reason.UNKNOWN_CURRENCY: [*GATES_OPEN, "text: currency XXX is not known"],
    Reason.TEXT_TOO_LONG: [*GATES_OPEN, "text: zh-Hant/today@3 takes 1 segments, 0 allowed"],
    Reason.TEMPLATE_NOT_REGISTERED: [*GATES_OPEN, "text: zh-Hant/today@3 is not registered where the number is"],
    Reason.HELD_OUT: [*GATES_OPEN, "chance: trial holdout drew silence, probability 1"],
}
"""What a clerk reads of a customer at whom the gate of a reason is shut: what was passed, and what is in the way."""


@pytest.mark.parametrize("reason", SHUT)
def test_a_trace_says_which_gates_were_passed_and_ends_with_those_in_the_way(reason: Reason) -> None:
    assert trace_of(SHUT[reason](Case()).decision()) == TRACES[reason]


def test_the_trace_of_a_text_names_every_gate_that_it_passed() -> None:
    assert trace_of(Case().decision()) == [*GATES_OPEN, "text: zh-Hant/today@3, 1 x UCS-2"]


@pytest.mark.parametrize(
    ("case", "trace"),
    [
        pytest.param(
            with_standing(opted_out_accounts={"A1": DUE_DAY - HOUR})(Case()),
            [SOMETHING_OPEN, "opted out of each account"],
            id="the only account is opted out of",
        ),
        pytest.param(
            with_facts(not_in_list_since=DUE_DAY)(Case()),
            [SOMETHING_OPEN, "not in the lender's whole list of 2026-12-01 02:00+00:00"],
            id="the lender's whole list lacks the customer",
        ),
        pytest.param(
            held_for_good(Case()), [*NO_OBJECTION, "hold: dispute, until it is lifted"], id="a hold has no end"
        ),
        pytest.param(
            unknown_zone(on_hold(Case())),
            [*NO_OBJECTION, "hold: running until 2026-12-11 12:00+00:00"],
            id="a hold ends when its day is over everywhere, for the time zone is not known",
        ),
        pytest.param(not_yet_ten(Case()), [*NO_HOLD, "stage: the next one is due 2026-12-01 10:00+08:00"], id="early"),
    ],
)
def test_a_trace_says_what_is_in_the_way(case: Case, trace: list[str]) -> None:
    assert trace_of(case.decision()) == trace


def test_where_no_zone_is_known_a_trace_is_in_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        trace = trace_of(unknown_zone(on_hold(Case())).decision())
    time.tzset()
    assert trace[-1] == "hold: running until 2026-12-11 12:00+00:00"


def test_a_wait_of_which_no_stage_is_known_comes_with_the_first() -> None:
    for change in (sending_off, all_of(unknown_zone, on_hold)):
        decision = change(Case()).decision()
        assert isinstance(decision, Wait)
        assert (decision.stage, decision.urgency) == (None, 0)


def test_of_several_holds_the_longest_ends_last_also_where_the_zone_is_unknown() -> None:
    holds = (Hold(HoldReason.DISPUTE, day("2026-12-04")), Hold(HoldReason.PROMISE, day("2026-12-10")))
    decision = unknown_zone(with_facts(holds=holds)(Case())).decision()
    assert decision.until == datetime(2026, 12, 11, 12, tzinfo=UTC)
    assert isinstance(decision, Wait)
    assert [(gate.reason, gate.until) for gate in decision.gates] == [(Reason.ON_HOLD, decision.until)]


def test_a_hold_without_an_end_counts_whatever_ends_beside_it_also_where_the_zone_is_unknown() -> None:
    held = with_facts(holds=(Hold(HoldReason.PROMISE, day("2026-12-10")), Hold(HoldReason.DISPUTE)))
    for change in (held, all_of(held, unknown_zone)):
        decision = change(Case()).decision()
        assert (decision.reason, decision.until) == (Reason.ON_HOLD, None)


def test_a_consent_counts_from_its_very_moment() -> None:
    assert with_facts(consented_at=DUE_DAY)(no_consent(Case())).decision().reason is Reason.DUE


def test_a_hold_is_over_at_the_first_moment_of_the_next_day() -> None:
    hours = ContactHours((((0, 24 * 60),),) * 7)
    held = with_rules(hours=hours, overdue_hours=hours, preferred_minute_of_day=0)(
        with_facts(holds=(Hold(HoldReason.PROMISE, day("2026-12-03")),))(Case())
    )
    assert at(taipei("2026-12-03 23:59"))(held).decision().until == taipei("2026-12-04 00:00")
    assert at(taipei("2026-12-04 00:00"))(held).decision().reason is Reason.DUE


def test_every_gate_that_is_shut_says_where_its_times_are_read() -> None:
    """The trace of a wait, and of a stop that its own time zone decides, is in the customer's time."""
    for change in (quiet, capped, calendar_ended, ladder_finished):
        decision = change(Case()).decision()
        assert isinstance(decision, Wait | Stop)
        assert str(decision.zone) == "Asia/Taipei"
