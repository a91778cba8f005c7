"""The page of a customer: the present decision in words, the ladder, the timeline, and what each role sees of it."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from dunning.console import render
from dunning.console.translations import Translation
from dunning.domain.customer.facts import EVERY_HOLD, Facts, Hold, HoldReason
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    LenderRecord,
    RecordedEvent,
)
from dunning.domain.customer.standing import (
    AddressSince,
    LedgerEntry,
    Progress,
    PromiseToPay,
    RecentDecision,
    Standing,
    progress_key,
)
from dunning.domain.decision.gates import GATES
from dunning.domain.delivery.contact import ContactState
from dunning.evidence.customer_evidence import Evidence, Unreadable
from dunning.ports.sessions import Role, Viewer
from dunning.services.console.audited import ActsRead, revealed_value
from dunning.services.console.customer_view import (
    CustomerView,
    masked_email,
    masked_line_user_id,
    masked_phone,
    view_of,
)
from dunning.services.console.life_entries import LifePage, life_of
from dunning.services.console.shown import CodeShown
from tests.support.builders import a_text, the_policies
from tests.support.console import TAIPEI, Office, a_contact, a_reply
from tests.support.people import NOW, someone, waking

WORDS = Translation("en", TAIPEI)
PAGES = Path(render.__file__).parent / "pages"


def seen(
    standing: Standing | None = None,
    role: Role = Role.MANAGER,
    *,
    sending: bool = True,
    due_in: int = 3,
    **changes: Any,  # noqa: ANN401 - fields of the facts
) -> CustomerView:
    """Return the page of a customer with this standing."""
    facts = someone(due_in=due_in, **changes)
    return seen_of(facts, standing, role, sending=sending)


def seen_of(
    facts: Facts, standing: Standing | None = None, role: Role = Role.MANAGER, *, sending: bool = True
) -> CustomerView:
    """Return the page of a customer with a text and a reply."""
    office = Office()
    office.keep(facts, standing or waking(facts), [a_contact(facts, "請繳款")], [a_reply(facts, "請打給我")])
    evidence = office.evidence.stored[facts.customer_id]
    return as_seen(evidence, role, sending=sending)


def as_seen(evidence: Evidence, role: Role = Role.MANAGER, *, sending: bool = True) -> CustomerView:
    """Return the page of what is stored, as of now."""
    life = life_of(evidence, ActsRead([]), LifePage(), shows_texts=role is not Role.ENGINEER)
    return view_of(evidence, life, Viewer("mei.chen", role), the_policies(), NOW, sending=sending)


def ledger(*days_ago: float) -> tuple[LedgerEntry, ...]:
    return tuple(
        a_text(NOW - timedelta(days=days), "A0001-0", stage=-3, claim_id=f"claim-{days}")
        for days in sorted(days_ago)[::-1]
    )


def text_of(page: str) -> str:
    """Return a page as it reads."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_wait_says_until_when_and_why_in_words_that_a_manager_reads() -> None:
    """Three texts in the last seven days are the limit: the oldest was sent on Thursday at ten."""
    view = seen(waking(someone(), ledger=ledger(5, 4, 3)), due_in=-4)
    assert view.decision
    assert WORDS.write(view.decision.headline) == "Waits until Thu 3 Dec 2026, 10:00."
    assert WORDS.write(view.decision.why) == (
        "3 texts in 7 days are the limit for one person; the oldest leaves the window on Thu 3 Dec 2026, 10:00."
    )
    assert view.decision.until == ()
    assert [gate.state for gate in view.decision.gates] == ["open"] * 8 + ["shut"] + ["not_asked"] * (len(GATES) - 9)


def test_gates_that_are_in_the_way_one_after_another_each_say_until_when() -> None:
    view = seen(due_in=-4, holds=(Hold(HoldReason.DISPUTE, date(2026, 12, 1)),))
    assert view.decision
    assert WORDS.write(view.decision.headline) == "Waits until Wed 2 Dec 2026, 10:00."
    assert [WORDS.write(step) for step in view.decision.until] == [
        "Until Wed 2 Dec 2026, 00:00: a hold.",
        "Until Wed 2 Dec 2026, 09:00: outside contact hours.",
        "Until Wed 2 Dec 2026, 10:00: the customer's turn of the day has not come.",
    ]
    assert [WORDS.write(silence) for silence in view.silences] == ["dispute, through Tue 1 Dec 2026"]
    assert WORDS.write(view.decision.why) == "No reminders for now: dispute, through Tue 1 Dec 2026."


@pytest.mark.parametrize(
    ("changes", "headline", "gate"),
    [
        ({}, "A text is due now: 3 days before the due date.", len(GATES) + 1),
        ({"opted_out": True}, "No text.", 3),
        ({"holds": (Hold(HoldReason.DECEASED),)}, "No text.", 3),
        ({"holds": (Hold(HoldReason.DISPUTE),)}, "No text.", 5),
        ({"lender": "nobody"}, "No text; the next look is on Wed 2 Dec 2026, 02:00.", 6),
    ],
)
def test_a_decision_names_the_gate_that_is_shut(changes: dict[str, Any], headline: str, gate: int) -> None:
    view = seen(**changes)
    assert view.decision
    assert Translation("en", view.zone).write(view.decision.headline) == headline
    states = [each.state for each in view.decision.gates]
    numbers = range(1, len(GATES) + 1)
    assert states == ["open" if number < gate else "shut" if number == gate else "not_asked" for number in numbers]
    WORDS.write(view.decision.why)


def test_sending_that_is_off_is_said() -> None:
    view = seen(sending=False)
    assert view.decision
    assert WORDS.write(view.decision.headline) == "Waits."
    assert view.decision.reason.code == "sending_off"


def ladder_of(view: CustomerView, account: int = 0) -> list[tuple[int | None, str]]:
    return [(step.stage.days, step.state) for step in view.accounts[account].ladder]


def test_the_ladder_tells_stages_that_were_sent_from_those_left_out_and_those_to_come() -> None:
    facts = someone(due_in=-4)
    due_on = facts.accounts[0].instalments[0].due_on
    key = progress_key("A0001-0", 1)
    sent = seen(waking(facts, progress={key: Progress(3, NOW.date(), due_on)}), due_in=-4)
    assert ladder_of(sent) == [
        (-3, "skipped"), (0, "skipped"), (3, "done"), (7, "next"), (15, "later"), (30, "later"),
    ]  # fmt: skip
    unsent = [("skipped", -3), ("skipped", 0), ("next", 3), ("later", 7), ("later", 15), ("later", 30)]
    facts = someone(due_in=-4)
    office = Office()
    office.keep(facts)
    assert [(state, days) for days, state in ladder_of(as_seen(office.evidence.stored["C0001"]))] == unsent


def test_a_stage_that_another_system_has_sent_is_told_from_our_own() -> None:
    facts = someone(due_in=-9)
    account = facts.accounts[0]
    reached = replace(account.instalments[0], stage_reached=3)
    office = Office()
    office.keep(replace(facts, accounts=(replace(account, instalments=(reached,)),)))
    view = as_seen(office.evidence.stored["C0001"])
    assert ladder_of(view)[:4] == [(-3, "elsewhere"), (0, "elsewhere"), (3, "elsewhere"), (7, "next")]


def test_a_stage_that_needs_a_written_notice_is_told_from_one_that_is_next() -> None:
    facts = someone(due_in=-40)
    account = facts.accounts[0]
    reached = replace(account.instalments[0], stage_reached=15)
    office = Office()
    office.keep(replace(facts, accounts=(replace(account, instalments=(reached,)),)))
    assert ladder_of(as_seen(office.evidence.stored["C0001"]))[-1] == (30, "no_notice")


def test_each_account_has_a_ladder_of_its_own_with_its_own_next_stage_and_currency_the_most_overdue_first() -> None:
    facts = someone(due_in=-4)
    first = facts.accounts[0]
    later = replace(first.instalments[0], due_on=NOW.date() + timedelta(days=2))
    second = replace(first, account_id="A0001-9", currency="HKD", instalments=(later,))
    view = seen_of(replace(facts, accounts=(second, first)))
    assert [account.account_id for account in view.accounts] == ["A0001-0", "A0001-9"]
    assert [next(stage for stage, state in ladder_of(view, number) if state == "next") for number in (0, 1)] == [3, 0]
    amounts = [account.instalments[0].open for account in view.accounts]
    assert [amount.currency for amount in amounts if amount] == ["TWD", "HKD"]


def test_instalments_say_what_is_left_and_since_when() -> None:
    facts = someone(due_in=-4)
    promises = {progress_key("A0001-0", 1): PromiseToPay(NOW, date(2026, 12, 5))}
    (account,) = seen(waking(facts, promises=promises), due_in=-4).accounts
    (instalment,) = account.instalments
    assert (instalment.days_overdue, instalment.promised_on) == (4, date(2026, 12, 5))
    assert instalment.open
    assert WORDS.write(instalment.open) == "TWD 3,250"


def test_an_engineer_sees_ids_and_decisions_and_neither_texts_nor_amounts_nor_the_person() -> None:
    view = seen(role=Role.ENGINEER)
    assert (view.person, view.may_reveal) == (None, False)
    assert {entry.quote for entry in view.life.entries} == {""}
    assert {entry.reveals for entry in view.life.entries} == {""}
    assert view.accounts[0].instalments[0].open is None
    assert view.decision


def test_everybody_who_calls_customers_sees_the_masked_person_and_the_texts_but_no_reply() -> None:
    view = seen(role=Role.AGENT)
    assert view.person
    assert view.person.phone == "+886 *** 001"
    assert "請繳款" in {entry.quote for entry in view.life.entries}
    assert "請打給我" not in {entry.quote for entry in view.life.entries}
    assert "reply#reply-1" in {entry.reveals for entry in view.life.entries}


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("+886912345678", "+886 *** 678"), ("+12015550123", "+1 *** 123"), ("+85261234567", "+852 *** 567"), ("x", "***")],
)
def test_of_a_number_the_country_and_three_digits_are_shown(phone: str, masked: str) -> None:
    assert masked_phone(phone) == masked


def test_an_account_to_pay_to_is_shortened_in_a_text() -> None:
    facts = someone()
    accounts = tuple(replace(account, pay_account="98765432109876") for account in facts.accounts)
    facts = replace(facts, accounts=accounts)
    office = Office()
    office.keep(facts, contacts=[a_contact(facts, "請繳至 98765432109876。")])
    office.log_in(Role.MANAGER)
    page = text_of(office.get("/customers/C0001").body)
    assert "請繳至 …9876。" in page
    assert "98765432109876" not in page


def test_the_timeline_has_everything_newest_first_and_reads_in_every_language() -> None:
    facts = someone()
    events: list[LenderEvent] = [
        InstalmentPaid("A0001-0", 1, 100_000, "TWD"),
        InstalmentChanged(account_id="A0001-0", number=2, due_on=date(2026, 12, 9), amount=5, currency="TWD"),
        AccountClosed("A0001-9"),
        CustomerHold(HoldReason.DISPUTE),
        CustomerHold(HoldReason.PROMISE, date(2026, 12, 9)),
        CustomerReleased(),
        CustomerReleased(HoldReason.DISPUTE),
    ]
    office = Office()
    office.keep(
        facts,
        waking(
            facts,
            recent=(RecentDecision(NOW, "quiet_hours", NOW), RecentDecision(NOW, "opted_out")),
            holds=(Hold(HoldReason.DOUBT, None, NOW), Hold(HoldReason.QUESTION, date(2026, 12, 3), NOW)),
            opted_out_at=NOW,
            opted_in_at=NOW - timedelta(days=9),
            suspended={"sms": AddressSince(facts.phone, NOW)},
            shared={"number": AddressSince(facts.phone, NOW)},
            opted_out_accounts={"A0001-0": NOW},
        ),
        [
            replace(a_contact(facts, "一"), state=state, reported_at=None, stage=None, at=NOW - timedelta(days=number))
            for number, state in enumerate(ContactState)
        ],
        [replace(a_reply(facts, "字"), labelled_at=NOW, labels=("paid",), sure=(), likely=("paid",))],
    )
    evidence = office.evidence.stored["C0001"]
    assert evidence.lender_record
    recorded = {str(number): RecordedEvent(EventTime(NOW), event) for number, event in enumerate(events)}
    office.evidence.stored["C0001"] = replace(
        evidence,
        lender_record=replace(evidence.lender_record, events=recorded),
        unreadable=(Unreadable("contact", NOW, "broken"),),
    )
    office.log_in(Role.COMPLIANCE)
    for language in ("en", "zh-Hant", "zh-Hans"):
        office.post("/language", language=language)
        page = office.get("/customers/C0001")
        assert (page.status, office.errors) == (200, [])
        assert "None" not in page.body
    view = as_seen(office.evidence.stored["C0001"], Role.COMPLIANCE)
    assert [entry.at for entry in view.life.entries] == sorted((entry.at for entry in view.life.entries), reverse=True)
    assert Counter(entry.kind for entry in view.life.entries) == {
        "lender": 7 + 1, "decision": 2, "silence": 2 + 4, "text": len(ContactState), "reply": 1,
    }  # fmt: skip


def test_what_is_left_of_an_erased_customer_says_so() -> None:
    office = Office()
    record = LenderRecord(customer_id="C0001", revision=3, erased_at=NOW)
    office.evidence.stored["C0001"] = Evidence(customer_id="C0001", lender_record=record)
    office.log_in(Role.COMPLIANCE)
    page = text_of(office.get("/customers/C0001").body)
    assert "was erased on" in page
    assert office.errors == []
    assert "nothing to show" in office.post("/customers/C0001/reveal", field="name", purpose="audit").body


def test_a_field_that_there_is_not_has_no_value() -> None:
    assert revealed_value(Evidence(customer_id="C1"), "password") is None
    assert revealed_value(Evidence(customer_id="C1"), "reply#x") is None
    assert EVERY_HOLD == "*"


def test_a_wait_names_the_text_that_comes_then() -> None:
    view = seen(due_in=10)
    assert view.decision
    assert view.decision.then
    assert WORDS.write(view.decision.then) == "What comes then: the text 3 days before the due date."
    stopped = seen(opted_out=True).decision
    assert stopped
    assert stopped.then is None


def test_a_promise_that_was_broken_is_said_to_be() -> None:
    facts = someone(due_in=-9)
    office = Office()
    broken = {progress_key("A0001-0", 1): PromiseToPay(NOW, date(2026, 11, 28), kept=False)}
    office.keep(facts, waking(facts, promises=broken))
    office.log_in(Role.AGENT)
    assert "promised by Sat 28 Nov 2026, and not kept" in office.get("/customers/C0001").body


def test_what_others_wrote_is_text_on_a_page_and_no_page_says_that_anything_is_safe() -> None:
    facts = someone()
    accounts = tuple(replace(account, product="<i>phone</i>") for account in facts.accounts)
    office = Office()
    office.keep(replace(facts, accounts=accounts), contacts=[a_contact(facts, "<b>字</b> & more")])
    office.log_in(Role.MANAGER)
    page = office.get("/customers/C0001").body
    assert "<blockquote>&lt;b&gt;字&lt;/b&gt; &amp; more</blockquote>" in page
    assert "<i>" not in page
    for path in PAGES.glob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape", path.read_text("utf-8")), path


def test_of_who_is_stopped_no_stage_comes_next() -> None:
    assert {state for _, state in ladder_of(seen(opted_out=True))} == {"later"}


def test_who_looks_often_stands_once_a_day_in_the_timeline_and_each_time_in_the_audit_trail() -> None:
    office = Office()
    office.keep(someone())
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    for _ in range(3):
        office.get("/customers/C0001")
    assert office.get("/customers/C0001").body.count("looked at the customer") == 1
    assert office.get("/audit").body.count("looked at the customer") == 4


def test_what_silences_for_the_same_reason_and_as_long_stands_once() -> None:
    facts = someone()
    holds = tuple(Hold(HoldReason.QUESTION, date(2026, 12, 3), NOW - timedelta(hours=hour)) for hour in range(3))
    assert len(seen(waking(facts, holds=holds)).silences) == 1


@pytest.mark.parametrize(
    ("address", "masked"), [("wang.xiaoming@example.com", "w***@example.com"), ("w@example.com", "w***@example.com")]
)
def test_of_an_email_address_the_first_letter_and_the_domain_are_shown(address: str, masked: str) -> None:
    assert masked_email(address) == masked


def test_of_a_line_user_id_the_end_is_shown() -> None:
    assert masked_line_user_id("U" + "0" * 29 + "abc") == "U***abc"


WAYS: dict[str, Any] = {
    "email": "wang@example.com",
    "line_user_id": "U" + "0" * 29 + "abc",
    "channel_consents": {"line": NOW, "email": NOW - timedelta(days=1)},
}


def test_addresses_are_masked_and_consents_to_channels_are_shown() -> None:
    person = seen(**WAYS).person
    assert person is not None
    assert (person.email, person.line_user_id) == ("w***@example.com", "U***abc")
    assert person.channel_consents == (
        (CodeShown("channel", "email"), NOW - timedelta(days=1)),
        (CodeShown("channel", "line"), NOW),
    )
    bare = seen().person
    assert bare is not None
    assert (bare.email, bare.line_user_id, bare.channel_consents) == ("", "", ())
    assert seen_of(someone(**WAYS), role=Role.ENGINEER).person is None


def test_each_address_is_revealed_by_its_field() -> None:
    office = Office()
    office.keep(someone(**WAYS))
    evidence = office.evidence.stored["C0001"]
    assert revealed_value(evidence, "email") == WAYS["email"]
    assert revealed_value(evidence, "line_user_id") == WAYS["line_user_id"]
    office.keep(someone())
    assert revealed_value(office.evidence.stored["C0001"], "email") is None


def test_the_channel_of_a_text_is_shown_and_what_happened_to_the_addresses() -> None:
    facts = someone(**WAYS)
    office = Office()
    standing = waking(
        facts,
        suspended={
            "email": AddressSince("wang@example.com", NOW),
            "line": AddressSince(WAYS["line_user_id"], NOW, is_usable=True),
        },
        shared={"line": AddressSince(WAYS["line_user_id"], NOW)},
    )
    office.keep(facts, standing, [a_contact(facts, "請繳款")])
    view = as_seen(office.evidence.stored["C0001"])
    english = Translation("en", TAIPEI)
    titles = [english.write(entry.title) for entry in view.life.entries]
    assert "The address for e-mail was refused: nothing is sent to it" in titles
    assert "Another customer has the same address for LINE" in titles
    assert not [title for title in titles if "LINE was refused" in title]
    (text,) = [entry for entry in view.life.entries if entry.kind == "text"]
    assert dict(text.details)["channel"] == CodeShown("channel", "sms")
    assert [english.write(silence) for silence in view.silences] == [
        "Nothing by e-mail: the address was refused.",
        "Nothing by LINE: another customer has the same address.",
    ]
