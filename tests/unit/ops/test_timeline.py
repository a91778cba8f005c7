"""The timeline: everything that is kept of a customer, by time, in the customer's own time, and harmless to show."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.adapters.dynamodb.evidence_items import read_evidence
from dunning.adapters.dynamodb.items import contact_item, lender_record_item, reply_item, standing_item
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    RecordedEvent,
    erase_record,
    record_event,
)
from dunning.domain.customer.standing import AddressSince, OpenReview, RecentDecision, ReplyLabel, Standing, label_key
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.evidence.customer_evidence import Evidence, LoggedLine, read_logged_line
from dunning.evidence.timeline import EntryKind, Timeline, build_timeline, timeline_document
from dunning.evidence.words import REASONS
from ops.columns import WIDTH, width_of
from ops.timeline_page import timeline_page
from ops.timeline_text import timeline_text, visible
from tests.support.builders import a_lender_record, a_text, promised
from tests.support.people import NOW, someone, waking

TAIPEI = ZoneInfo("Asia/Taipei")
MINUTE = timedelta(minutes=1)
WORDS = "我失業了<b>可以分期嗎</b>"


def a_contact(**changes: Any) -> Contact:  # noqa: ANN401 - fields
    contact = Contact(
        customer_id="C0001",
        send_id="s1",
        claim_id="c1",
        at=NOW,
        state=ContactState.DELIVERED,
        stage=-3,
        account_ids=("A0001-0",),
        channel="sms",
        expires_at=NOW + timedelta(days=1827),
        phone="+886900000001",
        text="【示範分期】王*明您好",
        encoding="UCS-2",
        parts=1,
        template="zh-Hant/before-3@2",
        price_usd_micros=41_700,
        reasons=("hold: none is running",),
        reported_at=NOW + MINUTE,
        response="Message has been accepted by phone",
        delivery_status="delivered",
        billed_parts=1,
    )
    return replace(contact, **changes)


def a_reply(text: str = WORDS, at: datetime = NOW + 2 * MINUTE) -> Reply:
    inbound = InboundSms(inbound_id="r1", phone="+886900000001", text=text, at=at)
    return Reply(
        customer_id="C0001",
        inbound=inbound,
        intents=("hardship",),
        promised_on=None,
        expires_at=NOW + timedelta(days=90),
        likely=("hardship",),
        why=("hardship 0.71: 失業", "hardship 0.71: 失業"),
    )


def a_decision(at: datetime = NOW, **changes: object) -> LoggedLine:
    fields = {"decision": "wait", "reason": "on_hold", "stage": 0, "until": "2026-12-04T01:00:00Z", "trace": ["hold"]}
    return LoggedLine(at=at, message="decision", function="replies", fields={**fields, **changes})


def timeline_of(evidence: Evidence, zone: ZoneInfo = TAIPEI) -> Timeline:
    return build_timeline(evidence, zone, NOW + timedelta(days=1))


def stored(**changes: Any) -> Evidence:  # noqa: ANN401 - fields
    facts = someone()
    evidence = Evidence(customer_id="C0001", lender_record=a_lender_record(facts), standing=waking(facts))
    return replace(evidence, **changes)


def titles(timeline: Timeline, kind: EntryKind) -> list[str]:
    return [entry.title for entry in timeline.entries if entry.kind is kind]


def test_entries_stand_by_time_and_what_led_to_something_stands_before_it() -> None:
    timeline = timeline_of(
        stored(
            contacts=[a_contact(at=NOW + 9 * MINUTE, reported_at=NOW + 9 * MINUTE), a_contact(claim_id="c2")],
            replies=[a_reply(at=NOW + 9 * MINUTE)],
            logged=[a_decision(NOW + 9 * MINUTE)],
        )
    )
    moments = [entry.at for entry in timeline.entries]
    assert moments == sorted(moments)
    last = [entry.kind.value for entry in timeline.entries if entry.at == NOW + 9 * MINUTE]
    assert last == ["reply", "decision", "text", "receipt"]


def test_a_decision_not_to_send_stands_with_its_reason_in_words_even_without_the_logs() -> None:
    recent = (
        RecentDecision(NOW, "person_cap", NOW + timedelta(days=3)),
        RecentDecision(NOW + MINUTE, "no_consent"),
    )
    timeline = timeline_of(stored(standing=waking(someone(), recent=recent)))
    wait, stop = [entry for entry in timeline.entries if entry.kind is EntryKind.DECISION]
    assert wait.title == f"wait: {REASONS['person_cap']} (person_cap)"
    assert ("until", "2026-12-04 10:00") in wait.details
    assert stop.title == f"no text: {REASONS['no_consent']} (no_consent)"


def test_a_decision_that_the_logs_have_too_stands_once_and_with_its_gates() -> None:
    recent = (RecentDecision(NOW, "on_hold", NOW + MINUTE),)
    logged = [a_decision(NOW.replace(microsecond=987_000))]
    timeline = timeline_of(stored(standing=waking(someone(), recent=recent), logged=logged))
    (only,) = [entry for entry in timeline.entries if entry.kind is EntryKind.DECISION]
    assert ("gate", "hold") in only.details


def test_who_waits_for_a_person_is_said_with_why_and_since_when_and_who_has_acted_with_the_act() -> None:
    standing = waking(someone(), attention=(OpenReview("dispute", NOW, "r1"), OpenReview("number_refused", NOW)))
    record = record_event(
        a_lender_record(someone()), RecordedEvent(EventTime(NOW), CustomerAttended("called_back"), "u-7f3a")
    )
    timeline = timeline_of(stored(standing=standing, lender_record=record))
    assert "Waits for a person since 2026-12-01 10:00: dispute, reply r1." in timeline.now
    assert "Waits for a person since 2026-12-01 10:00: number_refused." in timeline.now
    (act,) = [entry for entry in timeline.entries if "attended" in entry.title]
    assert act.details == (("outcome", "called_back"), ("by", "u-7f3a"))


def test_nothing_that_is_kept_is_left_out() -> None:
    standing = waking(
        someone(),
        opted_out_at=NOW,
        opted_in_at=NOW + MINUTE,
        opted_out_accounts={"A0001-0": NOW},
        suspended={"sms": AddressSince("+886900000001", NOW)},
        shared={"number": AddressSince("+886900000001", NOW)},
        holds=(Hold(HoldReason.HARDSHIP, None, NOW),),
        reply_labels={label_key(NOW - MINUTE): ReplyLabel(at=NOW, intents=("paid",))},
        ledger=(a_text(NOW, "A0001-0", claim_id="c1"), a_text(NOW, "A0001-0", claim_id="unrecorded")),
        **promised(NOW, date(2026, 12, 4), "A0001-0#1", kept=False),
    )
    timeline = timeline_of(
        stored(
            standing=standing,
            contacts=[a_contact()],
            replies=[replace(a_reply(), labels=("promise",), labelled_at=NOW, label_promised_on=date(2026, 12, 9))],
            logged=[
                a_decision(),
                LoggedLine(at=NOW, message="sms_unknown", function="sender", fields={"send_id": "s1"}),
            ],
        )
    )
    silences = titles(timeline, EntryKind.SILENCE)
    for words in (
        "no text any more: the customer opted out",
        "texts again: the customer opted in",
        "no text about A0001-0 any more: the customer opted out of it",
        "the number is suspended: the carrier refused it",
        "the number is found to be another customer's, too",
        "silent until a person releases it (hardship)",
        "a promise for A0001-0 no. 1 by 2026-12-04: broken",
    ):
        assert words in silences
    assert any(title.startswith("the customer promises to pay: silent through") for title in silences)
    assert len(titles(timeline, EntryKind.LABEL)) == 2
    assert titles(timeline, EntryKind.LOG) == ["sms_unknown"]
    assert len(titles(timeline, EntryKind.DECISION)) == len(titles(timeline, EntryKind.RECEIPT)) == 1
    assert titles(timeline, EntryKind.TEXT) == [
        "on the due date: a text was claimed that has no record; whether it was sent is not known",
        "3 days before: arrived (delivered)",
    ]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (InstalmentPaid("A0001-0", 1, 325_000, "TWD"), "A0001-0 no. 1 is paid up to TWD 3,250"),
        (
            InstalmentChanged(account_id="A0001-0", number=1, due_on=date(2026, 12, 9), amount=100, currency="XXX"),
            "A0001-0 no. 1 is changed, or new",
        ),
        (AccountClosed("A0001-0"), "A0001-0 is closed: nothing is left to pay"),
        (CustomerHold(HoldReason.DISPUTE), "the lender wants silence until it is released (dispute)"),
        (CustomerHold(HoldReason.DISPUTE, date(2026, 12, 9)), "the lender wants silence through 2026-12-09 (dispute)"),
        (CustomerReleased(), "a person has looked: all holds end"),
        (CustomerReleased(HoldReason.DISPUTE), "a person has looked: holds for dispute end"),
    ],
)
def test_each_event_of_the_lender_stands_at_the_lenders_own_time(event: LenderEvent, says: str) -> None:
    record = record_event(a_lender_record(someone()), RecordedEvent(EventTime(NOW), event))
    timeline = timeline_of(stored(lender_record=record))
    assert [entry.title for entry in timeline.entries if entry.at == NOW] == [says]


def test_the_newest_file_says_what_is_owed_and_the_consent_has_its_own_moment() -> None:
    facts = someone(
        consented_at=NOW - timedelta(days=90), opted_out=True, holds=(Hold(HoldReason.DISPUTE),), paid_as_of=NOW
    )
    timeline = timeline_of(stored(lender_record=a_lender_record(facts)))
    consent, file = (entry for entry in timeline.entries if entry.kind is EntryKind.FACT)
    assert (consent.at, file.at) == (facts.consented_at, facts.as_of)
    assert file.details[0] == (
        "account",
        "A0001-0 (ends in 5678): no. 1 due 2026-12-04: TWD 3,250, paid TWD 0",
    )
    assert {name for name, _ in file.details} == {"account", "hold", "opted out", "payments"}


def test_an_instalment_tells_its_fee_its_notice_and_what_another_system_has_sent() -> None:
    facts = someone()
    (account,) = facts.accounts
    (instalment,) = account.instalments
    changed = replace(instalment, late_fee=5_000, written_notice_on=date(2026, 12, 1), stage_reached=3)
    facts = replace(facts, accounts=(replace(account, instalments=(changed,)),))
    (words,) = timeline_of(stored(lender_record=a_lender_record(facts))).still_open
    assert words.endswith(
        "TWD 3,250, paid TWD 0, TWD 50 of it a late fee, written notice on 2026-12-01, "
        "another system had sent 3 days after"
    )


def test_a_reply_stands_word_for_word_with_what_was_understood_and_each_reason_once() -> None:
    (entry,) = (e for e in timeline_of(stored(replies=[a_reply()])).entries if e.kind is EntryKind.REPLY)
    assert entry.quote == WORDS
    assert ("understood", "hardship (likely)") in entry.details
    assert ("certainty", "likely: silence, and a person confirms it") in entry.details
    assert [value for name, value in entry.details if name == "why"] == ["hardship 0.71: 失業"]


def test_the_gates_of_a_text_stand_once_with_the_decision_or_else_with_the_text() -> None:
    def gates(*logged: LoggedLine) -> list[tuple[str, str]]:
        timeline = timeline_of(stored(contacts=[a_contact()], logged=logged))
        return [
            (entry.kind.value, value) for entry in timeline.entries for name, value in entry.details if name == "gate"
        ]

    assert gates() == [("text", "hold: none is running")]
    recorded = a_decision(decision="send", reason="due", trace=None, until=None, send_id="s1")
    assert gates(recorded) == [("text", "hold: none is running")]
    assert gates(replace(recorded, fields={**recorded.fields, "trace": ["hold"]})) == [("decision", "hold")]


def test_a_decision_says_its_reason_until_when_and_which_function_made_it() -> None:
    (entry,) = (e for e in timeline_of(stored(logged=[a_decision()])).entries if e.kind is EntryKind.DECISION)
    assert entry.title == "wait: a dispute, promise, hardship or other hold (on_hold)"
    assert entry.details == (
        ("stage", "on the due date"),
        ("until", "2026-12-04 09:00"),
        ("gate", "hold"),
        ("decided by", "replies"),
    )


def test_an_event_that_a_later_file_knows_is_still_told_by_its_line_of_log() -> None:
    fields = {"subject": "paid:A0001-0#1"}
    line = LoggedLine(at=NOW, message="lender_event", function="lender_events", fields=fields)
    timeline = timeline_of(stored(logged=[line]))
    assert "the lender's systems reported: paid A0001-0 no. 1" in titles(timeline, EntryKind.FACT)


def test_what_is_erased_is_told_with_what_is_left() -> None:
    record = erase_record(a_lender_record(someone()), NOW, NOW + timedelta(hours=1))
    redacted = a_contact(phone="", text="", response="", erased_at=NOW)
    timeline = timeline_of(stored(lender_record=record, standing=None, contacts=[redacted]))
    assert timeline.erased_at == NOW
    assert timeline.person == (("other numbers", "+886900000001"),)
    assert timeline.now[0] == "The customer was erased at 2026-12-01 10:00."
    assert timeline.now[1].startswith("What is left:")
    assert "the lender had the customer erased" in titles(timeline, EntryKind.FACT)
    (text,) = (entry for entry in timeline.entries if entry.kind is EntryKind.TEXT)
    assert not text.quote
    assert text.details[0] == ("erased", "address, text and the carrier's words were erased at 2026-12-01T02:00:00Z")


def test_an_item_that_cannot_be_read_is_told_by_its_kind_and_moment_and_never_in_its_words() -> None:
    facts = someone()
    spoilt = {**contact_item(a_contact()), "state": {"S": "王小明"}}
    strange = {"customer_id": {"S": "C0001"}, "item": {"S": "王小明"}}
    keyless = {**reply_item(a_reply()), "contact": {"S": "reply#王小明"}, "at": {"S": "soon"}}
    items: list[Mapping[str, Any]] = [
        {**lender_record_item(a_lender_record(facts)), "revision": {"S": "x"}},
        standing_item(waking(facts), 4),
        *(spoilt, strange, keyless),
    ]
    evidence = read_evidence("C0001", items)
    assert [item.kind for item in evidence.unreadable] == ["facts", "contact", "item", "reply"]
    timeline = timeline_of(evidence)
    assert titles(timeline, EntryKind.UNREADABLE) == ["a contact is stored that cannot be read"]
    assert timeline.gaps[0] == "The stored facts cannot be read (facts: KeyError). It is not shown."
    assert len(timeline.gaps) == 4
    shown = json.dumps(timeline_document(timeline), ensure_ascii=False) + timeline_page(timeline, {})
    assert "王小明" not in shown


def test_stored_items_are_read_as_they_were_written() -> None:
    facts = someone()
    record, standing, contact, reply = a_lender_record(facts), waking(facts), a_contact(), a_reply()
    items = [contact_item(contact), reply_item(reply), standing_item(standing, 4), lender_record_item(record)]
    assert read_evidence("C0001", items) == Evidence(
        customer_id="C0001", lender_record=record, standing=standing, contacts=(contact,), replies=(reply,)
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"message": "decision", "customer_id": "C2", "at": "2026-12-01T02:00:00Z"}', None),
        ("START RequestId", None),
        ("[1]", None),
        (
            '{"level": "INFO", "message": "decision", "customer_id": "C1", "at": "2026-12-01T02:00:00Z", "stage": 3}',
            LoggedLine(at=NOW, message="decision", function="sender", fields={"stage": 3}),
        ),
        (
            '{"message": "receipt", "customer_id": "C1"}',
            LoggedLine(at=NOW + MINUTE, message="receipt", function="sender", fields={}),
        ),
        (
            '{"message": "decision", "customer_id": "C1", "at": "soon"}',
            LoggedLine(at=NOW + MINUTE, message="decision", function="sender", fields={"at": "soon"}),
        ),
        (
            '{"message": "decision", "customer_id": "C1", "at": "2026-12-01T02:00:00"}',
            LoggedLine(at=NOW, message="decision", function="sender", fields={}),
        ),
    ],
)
def test_a_line_of_a_log_is_read_if_it_is_about_the_customer(line: str, expected: LoggedLine | None) -> None:
    assert read_logged_line(line, "C1", "sender", NOW + MINUTE) == expected


def test_the_document_has_each_instant_in_utc_and_in_the_customers_time() -> None:
    timeline = timeline_of(stored(contacts=[a_contact()]))
    document = timeline_document(timeline, because="complaint")
    (text,) = (entry for entry in document["entries"] if entry["kind"] == "text")
    assert (text["at"], text["local_at"]) == ("2026-12-01T02:00:00Z", "2026-12-01T10:00:00+08:00")
    assert text["quote"] == "【示範分期】王*明您好"
    assert (document["because"], document["time_zone"]) == ("complaint", "Asia/Taipei")
    assert document["person"]["name"] == "王小明"
    assert len(document["entries"]) == len(timeline.entries)


def test_page_and_terminal_show_local_time_and_utc_also_where_the_day_differs() -> None:
    late = datetime(2026, 12, 1, 20, 30, tzinfo=UTC)
    timeline = timeline_of(stored(contacts=[a_contact(at=late, reported_at=None)]))
    assert "  2026-12-02 04:30:00  (12-01 20:30:00Z)  text        " in "\n".join(timeline_text(timeline, "it"))
    page = timeline_page(timeline, {})
    assert "<h3>Wednesday, 2026-12-02</h3>" in page
    assert '04:30:00<br><span class="utc">12-01 20:30:00Z</span>' in page


def test_on_the_terminal_no_name_runs_into_its_value_and_no_line_is_wider_than_the_terminal() -> None:
    evidence = stored(
        contacts=[a_contact(text="末四碼7676分期" * 40)],
        replies=[a_reply("please " * 60)],
        standing=waking(someone(), None, reason="opted_out", opted_out_at=NOW),
        gaps=("The log of sender is not there: none of its decisions is shown. " * 3,),
    )
    lines = list(timeline_text(timeline_of(evidence), "it"))
    assert max(map(width_of, lines)) <= WIDTH
    shown = "\n".join(lines)
    assert "something new: the customer wants" in shown
    assert "no texts (opted_out)." in shown
    assert "WHAT COULD NOT BE READ, OR IS NOT KEPT" in shown
    assert "      why             hardship 0.71: 失業\n" in shown


def test_a_customer_of_whom_nothing_is_known_has_a_page() -> None:
    timeline = timeline_of(Evidence(customer_id="C0001", standing=Standing(customer_id="C0001", version=1)))
    assert timeline.now == (
        "No decision is planned before the lender or the customer says something new: not planned yet (-).",
    )
    assert "TIMELINE (0)\n  nothing" in "\n".join(timeline_text(timeline, "it"))
    assert "<li>Nothing.</li>" in timeline_page(timeline, {})


class _Tags(HTMLParser):
    """Collects the tags of a page, with their attributes, and the words of its quotes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.quotes: list[str] = []
        self._in_quote = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        self._in_quote = tag == "blockquote"
        if self._in_quote:
            self.quotes.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_quote = self._in_quote and tag != "blockquote"

    def handle_data(self, data: str) -> None:
        if self._in_quote:
            self.quotes[-1] += data


def page_with(words: str) -> _Tags:
    facts = someone(name=words or "x", consented_at=NOW)
    evidence = stored(
        lender_record=a_lender_record(facts),
        contacts=[a_contact(text="text", response=words, template=words)],
        replies=[replace(a_reply(), inbound=replace(a_reply().inbound, text="reply"), why=(words,))],
        logged=[a_decision(trace=[words], reason=words, code=words)],
        gaps=(words,),
    )
    return _Tags(timeline_page(timeline_of(evidence), {"because": words}))


HARMLESS = page_with("x").tags


@pytest.mark.slow(reason="it parses a page for each example")
@given(st.text(st.characters(codec="utf-8"), max_size=40).filter(str.strip))
def test_no_words_of_anybody_become_a_part_of_the_page_itself(words: str) -> None:
    assert page_with(words).tags == HARMLESS


@pytest.mark.parametrize(
    "words",
    [
        "<script>alert(1)</script>",
        "</blockquote><img src=x onerror=y>",
        '" onload="x',
        "&lt;b&gt; &amp;",
        "a\nb",
        "<!--",
    ],
)
def test_words_are_shown_as_they_were_written(words: str) -> None:
    evidence = stored(contacts=[a_contact(text=words)], replies=[a_reply(words)])
    assert _Tags(timeline_page(timeline_of(evidence), {})).quotes == [words, words]


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = timeline_page(
        timeline_of(stored(contacts=[a_contact()], replies=[a_reply()])), {"source": "https://x.example"}
    )
    tags = _Tags(page).tags
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form", "a"})
    names = {name for _, attributes in tags for name, _ in attributes}
    assert names <= {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_print_rules_keep_a_quote_on_one_page_and_number_the_pages() -> None:
    page = timeline_page(timeline_of(stored()), {})
    assert "@page { size: A4;" in page
    assert "counter(page)" in page
    assert "@media print" in page


@given(st.text(max_size=60))
def test_nothing_steers_the_terminal_or_turns_a_line(words: str) -> None:
    shown = visible(words)
    assert not [c for c in shown if unicodedata.category(c) == "Cc"]
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def test_a_reply_that_clears_the_screen_is_shown_and_clears_nothing() -> None:
    evidence = stored(replies=[a_reply("\x1b[2Jgone\u202e")])
    shown = "\n".join(timeline_text(timeline_of(evidence), "it"))
    assert "\N{REPLACEMENT CHARACTER}[2Jgone\N{REPLACEMENT CHARACTER}" in shown
    assert "\x1b" not in shown


def test_each_kind_of_entry_on_a_page_is_explained() -> None:
    page = timeline_page(timeline_of(stored(contacts=[a_contact()])), {})
    assert "word for word as it was handed to" in page
    assert "what the customer wrote" not in page
