"""The present decision in words: every reason and every state of the wake, in every language."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.console.translations import LANGUAGES, Translation, words_in
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import AddressSince, Standing, Wake
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop, Wait
from dunning.domain.decision.gates import GATES
from dunning.services.console.present_decision import (
    DecisionView,
    present_decision,
    silences_of,
    unreadable_decision,
    wake_in_words,
)
from tests.support.builders import a_customer, a_standing, day, taipei
from tests.support.console import TAIPEI
from tests.unit.domain.test_gates import DUE_DAY, SHUT, Case, Change, with_facts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

WAYS: dict[Reason, Change] = {
    **SHUT,
    Reason.NOT_IN_LIST: with_facts(not_in_list_since=DUE_DAY - DAY),
    Reason.CEASED: with_facts(holds=(Hold(HoldReason.CEASED),)),
    Reason.DUE: lambda case: case,
}
"""How a decision comes to each reason; the others cannot be brought about by what a customer has."""

SENTENCES: dict[Reason, tuple[str, str]] = {
    Reason.NOTHING_OPEN: (
        "No text.",
        "Everything is paid. A new instalment starts the reminders again.",
    ),
    Reason.SENDING_OFF: (
        "Waits.",
        "Somebody has switched all sending off. Nothing goes out until it is switched on again.",
    ),
    Reason.OPTED_OUT: (
        "No text.",
        "The customer wants no texts. Only the customer can change that.",
    ),
    Reason.NUMBER_REFUSED: (
        "No text.",
        "The carrier says that the number does not exist or takes no texts. It needs another number, or a release.",
    ),
    Reason.SHARED_PHONE: (
        "No text.",
        "Another customer has the same number: a text might reach the wrong person. Somebody has to look.",
    ),
    Reason.BANKRUPT: (
        "No text.",
        "There are insolvency proceedings. There is no contact any more.",
    ),
    Reason.DECEASED: (
        "No text.",
        "The customer has died. There is no contact any more.",
    ),
    Reason.REPRESENTED: (
        "No text.",
        "A lawyer or adviser speaks for the customer, who must not be contacted directly.",
    ),
    Reason.WRONG_PERSON: (
        "No text.",
        "The number belongs to somebody else. There is no contact any more.",
    ),
    Reason.NO_CONSENT: (
        "No text.",
        "The law of the place wants a consent on record, and there is none. The lender has to ask for it.",
    ),
    Reason.ON_HOLD: (
        "Waits until Fri 11 Dec 2026, 10:00.",
        "No reminders for now: hardship, through Thu 10 Dec 2026.",
    ),
    Reason.UNKNOWN_LENDER: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "There is no policy for this lender. The file has to be corrected.",
    ),
    Reason.UNKNOWN_JURISDICTION: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "There are no rules for the place where the customer lives. Nobody is texted without rules.",
    ),
    Reason.COUNTRY_NOT_ALLOWED: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "The lender's policy does not cover this country.",
    ),
    Reason.STORED_ELSEWHERE: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "By its law, data of this place may not be stored in this Region.",
    ),
    Reason.UNKNOWN_TIME_ZONE: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "It is not known what time it is where the customer lives.",
    ),
    Reason.NEXT_STAGE: (
        "Waits until Fri 4 Dec 2026, 10:00.",
        "The next stage is not due before Fri 4 Dec 2026, 10:00.",
    ),
    Reason.LADDER_FINISHED: (
        "No text.",
        "All reminders of the open instalments were sent. A person takes over.",
    ),
    Reason.NO_WRITTEN_NOTICE: (
        "No text.",
        "Before the next stage a written notice is needed, and none is on record for account A1 no. 1.",
    ),
    Reason.UNANSWERED: (
        "No text.",
        "Several reminders in a row were left without a payment or a reply. A person takes over.",
    ),
    Reason.CALENDAR_NOT_COVERED: (
        "No text; the next look is on Tue 8 Dec 2026, 10:00.",
        "The holiday calendar of the place ends before that day. It needs a new calendar.",
    ),
    Reason.QUIET_HOURS: (
        "Waits until Fri 4 Dec 2026, 10:00.",
        "It is outside the hours in which this customer may be contacted; they open on Wed 2 Dec 2026, 09:00.",
    ),
    Reason.CLOSED_DAY: (
        "Waits until Fri 4 Dec 2026, 10:00.",
        "On this day nobody is contacted; the next hours open on Wed 2 Dec 2026, 09:00.",
    ),
    Reason.NO_LAWFUL_MOMENT: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "The contact hours never open. The policy has to be changed.",
    ),
    Reason.PERSON_CAP: (
        "Waits until Fri 4 Dec 2026, 10:00.",
        "One text in 24 hours is the limit for one person; the last one leaves the window on Wed 2 Dec 2026, 09:00.",
    ),
    Reason.ACCOUNT_CAP: (
        "Waits until Sun 6 Dec 2026, 10:00.",
        "One text in 7 days is the limit for one account; the last one leaves the window on Sun 6 Dec 2026, 10:00.",
    ),
    Reason.NO_TEXT: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "There is no wording for this stage and language.",
    ),
    Reason.UNKNOWN_CURRENCY: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "It is not known how amounts of this currency are written.",
    ),
    Reason.TEXT_TOO_LONG: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "The text would take more segments than the policy allows.",
    ),
    Reason.TEMPLATE_NOT_REGISTERED: (
        "No text; the next look is on Wed 2 Dec 2026, 10:00.",
        "The wording is not registered with the carriers of the country.",
    ),
    Reason.NOT_IN_LIST: (
        "No text.",
        (
            "The lender's whole list of Mon 30 Nov 2026, 10:00 does not name this customer. "
            "A file that does ends the silence."
        ),
    ),
    Reason.NO_CHANNEL: (
        "No text.",
        ("Nothing reaches the customer: each channel lacks an address that works, or a consent. Somebody has to look."),
    ),
    Reason.CHANNEL_SHUT: (
        "Waits until Tue 1 Dec 2026, 18:00.",
        "No channel that reaches the customer is open now.",
    ),
    Reason.CEASED: (
        "No text.",
        "The customer has refused to pay, and by the law of the place contact has to end.",
    ),
    Reason.HELD_OUT: (
        "Nothing is sent, by lot, in a trial: on the due date.",
        "All was open. A lot left this stage out, to learn what texts do. Nothing is wrong. Later stages may follow.",
    ),
    Reason.DUE: (
        "A text is due now: on the due date.",
        "Every question was answered with yes.",
    ),
}
"""What stands on the page for each reason: the headline, and why."""


def seen(case: Case, *, sending: bool = True) -> DecisionView:
    standing = replace(case.standing, reason="due", wake=Wake(case.now + HOUR, 0))
    return present_decision(case.decision(), case.facts, standing, case.now, day("2026-12-01"), sending=sending)


def read(view: DecisionView, language: str) -> str:
    """Return all that a person reads of a decision."""
    words = Translation(language, TAIPEI)
    parts = [view.headline, view.why, view.wake, *view.until, view.reason, *([view.then] if view.then else [])]
    return " ".join(words.write(part) for part in parts)


def test_every_reason_that_a_customer_can_have_is_in_this_table_and_the_rest_come_from_elsewhere() -> None:
    assert set(Reason) - WAYS.keys() == {Reason.TEXT_REFUSED, Reason.CARRIER_BUSY, Reason.UNREADABLE_RECORD}
    assert SENTENCES.keys() == WAYS.keys()


@pytest.mark.parametrize("reason", WAYS)
def test_a_reason_is_said_in_whole_sentences(reason: Reason) -> None:
    view = seen(WAYS[reason](Case()), sending=reason is not Reason.SENDING_OFF)
    english = Translation("en", TAIPEI)
    assert view.reason.code == reason.value
    assert (english.write(view.headline), english.write(view.why)) == SENTENCES[reason]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_reads_well_in_every_language(reason: Reason, language: str) -> None:
    case = WAYS[reason](Case()) if reason in WAYS else Case()
    decision: Decision = case.decision() if reason in WAYS else Stop(reason, ())
    view = present_decision(decision, case.facts, case.standing, case.now, day("2026-12-01"), sending=True)
    words = read(view, language)
    assert not re.search(r"[{}]|None|  |\.\.|。。|datetime", words), words
    assert all(mark in ".。" for mark in (Translation(language, TAIPEI).write(view.why)[-1],))
    if language != "en":
        latin = set(re.findall(r"[A-Za-z]+", words)) - {"A"}
        assert latin == set(), words


def test_a_promise_is_named_as_what_is_waited_for_with_its_day() -> None:
    case = with_facts(holds=(Hold(HoldReason.PROMISE, day("2026-12-04")),))(Case())
    assert read(seen(case), "en").startswith(
        "Waits until Sat 5 Dec 2026, 10:00. No reminders for now: promise to pay, through Fri 4 Dec 2026."
    )
    lifted = with_facts(holds=(Hold(HoldReason.DISPUTE), Hold(HoldReason.HARDSHIP, day("2026-12-04"))))(Case())
    assert "dispute, until a person releases it, hardship, through Fri 4 Dec 2026." in read(seen(lifted), "en")


def test_a_turn_that_has_not_come_is_told_from_a_stage_that_is_not_due() -> None:
    early = replace(Case(), now=taipei("2026-12-01 09:30"))
    assert "The next stage is not due before Tue 1 Dec 2026, 10:00." in read(seen(early), "en")


def test_a_consent_that_begins_later_is_not_called_missing() -> None:
    case = with_facts(consented_at=DUE_DAY + DAY)(SHUT[Reason.NO_CONSENT](Case()))
    assert "The one on record holds from Wed 2 Dec 2026, 10:00 on." in read(seen(case), "en")


def test_the_gate_that_is_shut_is_the_one_of_the_reason_and_a_text_passes_all() -> None:
    for reason, way in WAYS.items():
        states = [gate.state for gate in seen(way(Case())).gates]
        shut = next((number for number, gate in enumerate(GATES) if reason in gate.reasons), len(GATES))
        assert states == ["open"] * shut + ["shut", *["not_asked"] * (len(GATES) - shut - 1)][: len(GATES) - shut]


# ------------------------------------------------------------------ the wake


NOW = DUE_DAY
AFTER, BEFORE = Wake(NOW + HOUR, 0), Wake(NOW - timedelta(minutes=2), 0)
WAITING: Decision = Wait(NOW + HOUR, Reason.NEXT_STAGE, ())
STOPPED: Decision = Stop(Reason.OPTED_OUT, ())
WAKES = [
    pytest.param("wake.at", AFTER, WAITING, {}, id="it lies ahead"),
    pytest.param("wake.now", BEFORE, WAITING, {}, id="it has just come"),
    pytest.param(
        "wake.late", Wake(NOW - HOUR, 0), WAITING, {}, id="it is past: the queue is behind, or news is held up"
    ),
    pytest.param("wake.switched_off", BEFORE, WAITING, {"sending": False}, id="it is past, and sending is off"),
    pytest.param("wake.later", Wake(NOW + 5 * HOUR, 0), WAITING, {}, id="it is later than the rules of now want"),
    pytest.param("wake.none", None, STOPPED, {}, id="a stop has none"),
    pytest.param("wake.none_yet", None, WAITING, {}, id="a wait lacks it"),
    pytest.param("wake.not_planned", None, WAITING, {"reason": ""}, id="nobody has planned the customer yet"),
    pytest.param("wake.put_aside", AFTER, None, {"reason": "unreadable_record"}, id="quarantined"),
    pytest.param("wake.carrier_busy", AFTER, WAITING, {"reason": "carrier_busy"}, id="the carrier was busy"),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("key", "wake", "decision", "changes"), WAKES)
def test_the_wake_is_said_with_what_is_odd_about_it(
    key: str, wake: Wake | None, decision: Decision | None, changes: dict[str, Any], language: str
) -> None:
    standing = replace(a_standing(), wake=wake, reason=changes.get("reason", "due"))
    shown = wake_in_words(standing, NOW, decision, sending=changes.get("sending", True))
    assert shown.key == key
    words = Translation(language, TAIPEI).write(shown)
    assert not re.search(r"[{}]|None", words)


def test_every_sentence_of_the_wake_has_a_case() -> None:
    there = {key for key in words_in("en") if key.startswith("wake.")}
    assert {str(case.values[0]) for case in WAKES} == there - {"wake.not_readable"}


def test_a_text_that_is_due_with_a_wake_that_lies_ahead_says_so() -> None:
    decision = Case().decision()
    assert isinstance(decision, Send)
    standing = replace(a_standing(), wake=Wake(NOW + HOUR, 0), reason="due")
    assert wake_in_words(standing, NOW, decision, sending=True).key == "wake.later"
    assert wake_in_words(standing, NOW, decision, sending=False).key == "wake.at"


# ------------------------------------------------------------------ what cannot be read, and what else silences


def test_of_a_record_that_cannot_be_read_no_text_is_said_to_be_due() -> None:
    put_aside = replace(a_standing(), wake=AFTER, reason="unreadable_record")
    assert "put the customer aside, and tries again on Tue 1 Dec 2026, 11:00" in read(
        unreadable_decision(put_aside, NOW, sending=True), "en"
    )
    lost = unreadable_decision(None, NOW, sending=True)
    assert (lost.kind, lost.headline.key, lost.wake.key) == ("unreadable", "headline.stop", "wake.not_readable")


@pytest.mark.parametrize(
    ("facts", "standing", "key"),
    [
        ({"opted_out": True}, {}, "silence.opted_out"),
        ({"not_in_list_since": NOW}, {}, "silence.not_in_list"),
        ({}, {"opted_out_at": NOW}, "silence.opted_out"),
        ({}, {"opted_out_accounts": {"A1": NOW}}, "silence.opted_out_account"),
        ({}, {"suspended": {"sms": AddressSince("+886900000001")}}, "silence.number_refused"),
        ({}, {"shared": {"number": AddressSince("+886900000001")}}, "silence.shared_phone"),
        ({"holds": (Hold(HoldReason.LEGAL),)}, {}, "hold_line.lifted"),
        ({"holds": (Hold(HoldReason.LEGAL, day("2026-12-01")),)}, {}, "hold_line.until"),
        ({"holds": (Hold(HoldReason.LEGAL, day("2026-11-30")),)}, {}, None),
    ],
)
def test_all_that_silences_a_customer_is_listed(
    facts: dict[str, Any], standing: dict[str, Any], key: str | None
) -> None:
    customer: Facts = replace(a_customer(), **facts)
    known: Standing = replace(a_standing(), **standing)
    assert [each.key for each in silences_of(customer, known, day("2026-12-01"))] == ([key] if key else [])
