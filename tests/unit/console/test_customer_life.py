"""The timeline of a long life: pages, filters, the size of a page, what is printed, and the document in full."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from dunning.domain.customer.facts import Facts, HoldReason
from dunning.domain.customer.lender_record import CustomerHold, EventTime, InstalmentPaid, RecordedEvent
from dunning.domain.customer.standing import RecentDecision
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply import Reply
from dunning.ports.audit_trail import AuditEntry
from dunning.ports.sessions import Role, Viewer
from dunning.services.console.audited import ENTRIES_OF_A_CUSTOMER, EXPORTS_AN_HOUR
from dunning.services.console.life_entries import ENTRIES_A_PAGE, KINDS
from tests.support.console import Office, a_contact, a_reply
from tests.support.people import NOW, someone, waking

LONGEST_PAGE = 30_000
TEXT = (
    "【示範分期】王○明您好，您本期分期款NT$3,250已於12/1到期。若您已繳款，請忽略本訊息。"
    "客服02-1234-5678，回覆「停」即不再通知。"
)


def a_life(texts: int, replies: int, facts: Facts | None = None) -> Office:
    """Return an office that knows a customer with so many texts and replies, one after the other."""
    facts = facts or someone()
    office = Office()
    contacts: list[Contact] = [
        replace(a_contact(facts, TEXT, NOW - timedelta(hours=7 * number)), send_id=f"s{number}")
        for number in range(texts)
    ]
    answers: list[Reply] = []
    for number in range(replies):
        reply = a_reply(facts, f"第{number}封", NOW - timedelta(hours=11 * number, minutes=3))
        answers.append(replace(reply, inbound=replace(reply.inbound, inbound_id=f"reply-{number}")))
    recent = tuple(RecentDecision(NOW - timedelta(days=day), "person_cap", NOW) for day in range(6))
    office.keep(facts, waking(facts, recent=recent), contacts, answers)
    evidence = office.evidence.stored[facts.customer_id]
    assert evidence.lender_record
    events = {
        "paid": RecordedEvent(EventTime(NOW - timedelta(days=2)), InstalmentPaid("A0001-0", 1, 100, "TWD"), "core"),
        "held": RecordedEvent(EventTime(NOW - timedelta(days=1)), CustomerHold(HoldReason.DISPUTE), "u-7f3a"),
    }
    office.evidence.stored[facts.customer_id] = replace(
        evidence, lender_record=replace(evidence.lender_record, events=events)
    )
    return office


def pages_of(office: Office, path: str = "/customers/C0001", **query: str) -> list[str]:
    """Follow the links to earlier entries, as a reader without script does."""
    pages = [office.get(path, **query).body]
    while found := re.search(r'class="button" href="[^"?]*\?([^"#]*)#life"', pages[-1]):
        asked = dict(pair.split("=") for pair in unescape(found.group(1)).split("&"))
        pages.append(
            office.get(
                path, **{name: value.replace("%3A", ":").replace("%2B", "+") for name, value in asked.items()}
            ).body
        )
    return pages


def entries_in(page: str) -> list[tuple[str, str]]:
    """Return the moment and the kind of each entry of a page."""
    found = re.findall(r'<li class="(\w+)"><div class="when"><time datetime="([^"]+)"', page)
    return [(at, kind) for kind, at in found]


def test_a_thousand_texts_and_replies_are_all_there_page_by_page_newest_first_and_each_once() -> None:
    office = a_life(texts=700, replies=300)
    office.log_in(Role.COMPLIANCE)
    pages = pages_of(office)
    shown = [entry for page in pages for entry in entries_in(page) if entry[1] != "colleague"]
    assert [at for at, _ in shown] == sorted((at for at, _ in shown), reverse=True)
    assert len(shown) == 700 + 300 + 6 + 3
    assert len(pages) == pytest.approx(len(shown) / ENTRIES_A_PAGE, abs=3)
    assert office.errors == []


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
@pytest.mark.parametrize(("texts", "replies"), [(1000, 0), (0, 1000), (500, 500)])
def test_no_page_of_a_long_life_is_longer_than_thirty_kilobytes(texts: int, replies: int, language: str) -> None:
    office = a_life(texts, replies)
    office.log_in(Role.COMPLIANCE)
    office.post("/language", language=language)
    first = office.get("/customers/C0001")
    assert len(first.body.encode()) <= LONGEST_PAGE
    assert len(entries_in(first.body)) == ENTRIES_A_PAGE


def looked_often(office: Office, times: int) -> None:
    """Let colleagues have looked so often, ten times an hour, and somebody have closed the case before that."""
    closed = AuditEntry(
        at=NOW - timedelta(days=90), entry_id="e", viewer=Viewer("ana.costa", Role.AGENT), act="closed",
        customer_id="C0001", subject_matter="dispute",
    )  # fmt: skip
    office.table.entries.append(closed)
    for number in range(times):
        at = NOW - timedelta(minutes=6 * number + 1)
        looked = replace(closed, at=at, entry_id=f"e{number}", act="looked", subject_matter="")
        office.table.entries.append(looked)


@pytest.mark.parametrize("kind", ["", "colleague"])
def test_what_a_colleague_did_is_in_the_life_however_often_others_have_looked_since(kind: str) -> None:
    office = a_life(texts=40, replies=0)
    looked_often(office, 5 * ENTRIES_OF_A_CUSTOMER)
    office.log_in(Role.COMPLIANCE)
    pages = pages_of(office, **({"kind": kind} if kind else {}))
    assert [number for number, page in enumerate(pages) if "ana.costa (agent) closed the case" in page] == [
        len(pages) - 1
    ]
    shown = [entry for page in pages for entry in entries_in(page)]
    assert [at for at, _ in shown] == sorted((at for at, _ in shown), reverse=True)
    assert len([entry for entry in shown if entry[1] == "text"]) == (0 if kind else 40)


def test_a_print_and_a_document_have_all_that_colleagues_did() -> None:
    office = a_life(texts=1, replies=0)
    looked_often(office, 2 * ENTRIES_OF_A_CUSTOMER)
    office.log_in(Role.COMPLIANCE)
    assert "ana.costa (agent) closed the case" in office.get("/customers/C0001/print").body
    document = json.loads(office.post("/customers/C0001/document", purpose="regulator").body)
    assert {"closed", "looked"} <= {look["act"] for look in document["looks"]}


def test_a_kind_is_chosen_by_a_link_and_the_pages_stay_with_it() -> None:
    office = a_life(texts=70, replies=50)
    office.log_in(Role.MANAGER)
    for kind in KINDS:
        assert f'href="/customers/C0001?kind={kind}#life"' in office.get("/customers/C0001").body
        pages = pages_of(office, kind=kind)
        shown = [entry for page in pages for entry in entries_in(page)]
        assert {each for _, each in shown} == {kind} or (kind == "silence" and not shown)
    assert len([entry for page in pages_of(office, kind="text") for entry in entries_in(page)]) == 70
    assert len(pages_of(office, kind="reply")) == 2


def test_nonsense_in_an_address_is_passed_over() -> None:
    office = a_life(texts=3, replies=1)
    office.log_in(Role.MANAGER)
    plain = entries_in(office.get("/customers/C0001", kind="text").body)
    for query in ({"kind": "secrets"}, {"before": "yesterday"}, {"before": "2026-12-01"}):
        shown = entries_in(office.get("/customers/C0001", **query).body)
        assert [entry for entry in shown if entry[1] == "text"] == plain


def test_an_earlier_page_has_the_timeline_and_a_way_back_and_no_decision_of_now() -> None:
    office = a_life(texts=70, replies=0)
    office.log_in(Role.MANAGER)
    first, second, *_ = pages_of(office)
    assert 'class="headline"' in first
    assert 'class="headline"' not in second
    assert "Back to the present" in second


def test_one_choice_of_a_purpose_serves_all_hidden_values_of_a_page() -> None:
    office = a_life(texts=1, replies=3)
    office.log_in(Role.AGENT)
    page = office.get("/customers/C0001").body
    assert page.count('name="purpose" required') == 1
    assert page.count('<button form="purpose" name="field"') == 3 + 2
    assert "第2封" in office.post("/customers/C0001/reveal", field="reply#reply-2", purpose="call").body


def test_an_early_reply_of_a_long_life_can_be_revealed() -> None:
    office = a_life(texts=0, replies=200)
    office.log_in(Role.AGENT)
    assert "第199封" in office.post("/customers/C0001/reveal", field="reply#reply-199", purpose="call").body


def test_who_sent_an_event_stands_with_it_and_a_carriers_report_stands_with_its_text() -> None:
    office = a_life(texts=1, replies=0)
    office.log_in(Role.AGENT)
    page = office.get("/customers/C0001").body
    assert "by: <bdi>u-7f3a</bdi>" in page
    assert "The carrier reports on Tue 1 Dec 2026, 10:00: arrived" in page


def test_a_mail_is_spoken_of_as_a_mail_and_a_button_as_a_button() -> None:
    facts = someone(email="wang@example.com", line_user_id="U" + "a1" * 16)
    bounced: dict[str, Any] = {"state": ContactState.FAILED, "delivery_status": "permanent_failure", "reported_at": NOW}
    mail = replace(
        a_contact(facts, "您好", NOW), channel="email", phone="", address="wang@example.com", parts=1, **bounced
    )
    pressed = a_reply(facts, "", NOW)
    pressed = replace(pressed, inbound=replace(pressed.inbound, channel=Channel.LINE, button="opt_out"))
    wrote = a_reply(facts, "停", NOW)
    wrote = replace(wrote, inbound=replace(wrote.inbound, channel=Channel.LINE, inbound_id="r2"))
    office = Office()
    office.keep(facts, waking(facts), [mail], [pressed, wrote])
    office.log_in(Role.AGENT)
    page = office.get("/customers/C0001").body
    assert "Reported on Tue 1 Dec 2026, 10:00: the address cannot be reached" in page
    assert "by: <bdi>e-mail</bdi>" in page
    assert "The customer pressed a button: LINE" in page
    assert "The customer wrote by LINE" in page
    assert page.count('value="reply#') == 1
    assert "carrier" not in page.partition('<ol class="timeline">')[2]
    assert "segments" not in page


# ------------------------------------------------------------------ to print


def test_what_is_printed_has_everything_opened_from_the_beginning_and_no_form() -> None:
    office = a_life(texts=100, replies=50)
    office.log_in(Role.COMPLIANCE)
    page = office.get("/customers/C0001/print").body
    shown = entries_in(page)
    assert len(shown) == 100 + 50 + 6 + 3
    assert [at for at, _ in shown] == sorted(at for at, _ in shown)
    for left_out in ("<form", "<button", "<details", "<script", "hx-"):
        assert left_out not in page
    assert "第0封" not in page
    assert office.table.entries[-1].act == "printed"


def test_nothing_is_printed_if_it_cannot_be_written_down() -> None:
    office = a_life(texts=1, replies=0)
    office.log_in(Role.MANAGER)
    office.table.broken = True
    answer = office.get("/customers/C0001/print")
    assert answer.status == 503
    assert "示範分期" not in answer.body


def test_of_nobody_nothing_is_printed_and_nothing_handed_over() -> None:
    office = a_life(texts=1, replies=0)
    office.log_in(Role.COMPLIANCE)
    assert office.get("/customers/C9999/print").status == 404
    assert office.post("/customers/C9999/document", purpose="complaint").status == 404


# ------------------------------------------------------------------ in full


def document_of(office: Office, purpose: str = "access_request") -> dict[str, object]:
    answer = office.post("/customers/C0001/document", purpose=purpose, made_as="json")
    assert answer.content_type == "application/json; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="customer-C0001.json"'
    found = json.loads(answer.body)
    assert isinstance(found, dict)
    return found


def test_compliance_takes_everything_in_full_after_it_is_written_down() -> None:
    office = a_life(texts=80, replies=40)
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    found = document_of(office)
    entry = office.table.entries[-1]
    assert (entry.act, entry.purpose, entry.viewer.subject) == ("exported", "access_request", "ana.costa")
    written = json.dumps(found, ensure_ascii=False)
    for value in (someone().name, someone().phone, "第39封", TEXT):
        assert value in written
    stored = found["stored"]
    assert isinstance(stored, dict)
    assert (len(stored["contacts"]), len(stored["replies"])) == (80, 40)
    assert found["because"] == "access_request"
    assert found["looks"]


def test_the_page_in_full_reads_as_the_printed_one_with_name_number_and_replies() -> None:
    office = a_life(texts=3, replies=2)
    office.log_in(Role.COMPLIANCE)
    page = office.post("/customers/C0001/document", purpose="complaint", made_as="page").body
    for value in (someone().name, someone().phone, "第1封"):
        assert value in page
    assert "In full, for: a complaint." in page
    assert "<form" not in page


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.COMPLIANCE])
def test_nobody_else_takes_everything_in_full(role: Role) -> None:
    office = a_life(texts=3, replies=2)
    office.log_in(role)
    assert "/document" not in office.get("/customers/C0001").body
    reads = len(office.evidence.reads)
    answer = office.post("/customers/C0001/document", purpose="complaint")
    assert (answer.status, len(office.evidence.reads)) == (403, reads)
    assert someone().phone not in answer.body


@pytest.mark.parametrize("purpose", ["", "curiosity"])
def test_without_a_purpose_nothing_is_read_or_written_down(purpose: str) -> None:
    office = a_life(texts=3, replies=2)
    office.log_in(Role.COMPLIANCE)
    answer = office.post("/customers/C0001/document", purpose=purpose)
    assert (answer.status, office.evidence.reads, office.table.entries) == (403, [], [])
    assert "Choose what you need the whole of it for." in answer.body


def test_an_hour_has_so_many_documents_and_no_more() -> None:
    office = a_life(texts=1, replies=0)
    office.log_in(Role.COMPLIANCE)
    for _ in range(EXPORTS_AN_HOUR):
        document_of(office)
    assert office.post("/customers/C0001/document", purpose="complaint").status == 429


def test_if_it_cannot_be_written_down_nothing_is_handed_over() -> None:
    office = a_life(texts=1, replies=0)
    office.log_in(Role.COMPLIANCE)
    office.table.broken = True
    answer = office.post("/customers/C0001/document", purpose="complaint")
    assert (answer.status, office.evidence.reads) == (503, [])


def test_a_document_that_the_function_cannot_answer_with_is_left_to_the_engineer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dunning.console.views.customer_pages.MOST_BYTES", 1000)
    office = a_life(texts=1, replies=0)
    office.log_in(Role.COMPLIANCE)
    answer = office.post("/customers/C0001/document", purpose="complaint")
    assert answer.status == 413
    assert "make customer" in answer.body
    assert someone().phone not in answer.body


# ------------------------------------------------------------------ what cannot be read


def test_of_who_cannot_be_read_no_text_is_said_to_be_due_and_no_ladder_drawn() -> None:
    from dunning.evidence.customer_evidence import Unreadable  # noqa: PLC0415

    office = a_life(texts=1, replies=0)
    evidence = office.evidence.stored["C0001"]
    office.evidence.stored["C0001"] = replace(
        evidence, standing=None, unreadable=(Unreadable("standing", None, "broken"),)
    )
    office.log_in(Role.MANAGER)
    page = office.get("/customers/C0001").body
    assert "What is stored of the customer cannot be read. An engineer has to look." in page
    assert "A text is due" not in page
    assert 'class="rungs"' not in page
