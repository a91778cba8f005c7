"""Acts: cases are taken, noted and closed; outcomes go out as the lender's events; each act is written down first."""

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from dunning.console.views.act_pages import position_read, position_written
from dunning.contracts.console_event import CONSOLE_SOURCE, subject_written, write_console_event
from dunning.contracts.lender_event import ErasureRequest, GivenLabel, parse_lender_event
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    EventTime,
    RecordedEvent,
    erase_record,
)
from dunning.domain.customer.standing import OpenReview, ReplyLabel
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import ReviewReason
from dunning.evidence.customer_evidence import Unreadable
from dunning.ports.attention import WaitingCustomer
from dunning.ports.case_book import Case
from dunning.ports.lender_bus import WrittenEvent
from dunning.ports.sessions import Role, Viewer
from dunning.services.console.audited import audit_row
from dunning.services.console.erase_by_two import CONFIRMED_WITHIN
from dunning.services.console.outcomes import HOLD_REASONS, LONGEST_NOTE, Outcome
from dunning.services.console.shown import CodeShown, SentenceShown
from dunning.services.console.waiting_list import (
    PAGE,
    SUGGESTIONS,
    suggestion,
)
from tests.support.console import Office, a_reply
from tests.support.fakes import FakeCustomers
from tests.support.people import NOW, someone, waking

AGENT, COLLEAGUE = Viewer("jun.li", Role.AGENT), Viewer("li.wang", Role.AGENT)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = date(2026, 12, 1)


def waits(
    office: Office,
    number: int = 1,
    *,
    why: str = "question",
    since: datetime = NOW,
    reply_id: str = "reply-1",
    **changes: Any,  # noqa: ANN401 - fields of the facts
) -> str:
    """Store a customer who waits for a person, and return the id."""
    facts = someone(number, **changes)
    standing = waking(facts, lender_id=facts.lender, attention=(OpenReview(why, since, reply_id),))
    office.keep(facts, standing, replies=[a_reply(facts, "請打給我")] if reply_id else [])
    return facts.customer_id


def an_office(role: Role = Role.AGENT, subject: str = "jun.li", **changes: Any) -> Office:  # noqa: ANN401 - of `waits`
    """Return a console in which C0001 waits, and somebody has logged in."""
    office = Office()
    waits(office, **changes)
    office.log_in(role, subject=subject)
    return office


def deeds(office: Office) -> list[tuple[str, str]]:
    """Return what is written down of acts, without looks."""
    return [
        (entry.act, entry.subject_matter) for entry in office.table.entries if entry.act not in {"looked", "listed"}
    ]


def put(office: Office) -> list[tuple[str, dict[str, Any]]]:
    """Return what came on the bus, without what every event has."""
    common = {"schema_version", "customer_id", "at", "sequence"}
    return [
        (event.kind, {name: value for name, value in json.loads(event.detail).items() if name not in common})
        for event in office.bus.events
    ]


def text_of(page: str) -> str:
    """Return a page as it reads."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


# ------------------------------------------------------------------ taking and giving back


def test_who_takes_a_case_has_it_and_comes_to_it() -> None:
    office = an_office()
    answer = office.post("/waiting/C0001/take")
    assert (answer.status, answer.headers["Location"]) == (303, "/waiting/C0001")
    assert office.cases.stored["C0001"] == Case(
        customer_id="C0001", version=1, holder=AGENT, taken_at=NOW, touched_at=NOW
    )
    assert deeds(office) == [("took", "")]
    assert "Yours since" in text_of(office.get("/waiting").body)


@pytest.mark.parametrize("path", ["/waiting/C0001", "/customers/C0001"])
def test_a_customer_is_read_once_for_a_page(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    office = an_office()
    monkeypatch.delattr(FakeCustomers, "load_stored")
    page = text_of(office.get(path).body)
    assert "Take the case" in page
    assert (office.evidence.reads, office.errors) == (["C0001"], [])


@pytest.mark.parametrize("kind", ["facts", "standing"])
def test_on_a_customer_who_cannot_be_read_no_act_is_offered(kind: str) -> None:
    office = an_office()
    damaged = replace(office.evidence.stored["C0001"], unreadable=(Unreadable(kind, None, "damaged"),))
    office.evidence.stored["C0001"] = damaged
    assert not office.acts.cases.acts(AGENT, damaged).is_known
    assert office.acts.cases.acts(AGENT, replace(damaged, unreadable=())).is_known


def test_who_takes_a_case_that_a_colleague_has_is_told_the_colleagues_name() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    office.log_in(Role.AGENT, subject="li.wang")
    answer = office.post("/waiting/C0001/take")
    assert answer.status == 409
    assert "jun.li has had this case since Tue 1 Dec 2026, 10:00" in text_of(answer.body)
    assert office.cases.stored["C0001"].holder == AGENT
    assert deeds(office) == [("took", "")]


def test_of_two_who_take_a_case_in_the_same_moment_one_gets_it_and_the_other_is_told_who() -> None:
    office = an_office()
    save = office.cases.save_case

    def colleague_is_first(case: Case, *, expected_version: int) -> bool:
        office.cases.save_case = save  # type: ignore[method-assign]
        assert save(replace(case, holder=COLLEAGUE), expected_version=expected_version)
        return save(case, expected_version=expected_version)

    office.cases.save_case = colleague_is_first  # type: ignore[method-assign]
    answer = office.post("/waiting/C0001/take")
    assert (answer.status, "li.wang has had" in text_of(answer.body)) == (409, True)
    assert deeds(office) == [("took", ""), ("failed", "took")]


def test_a_case_given_back_is_anybodys() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    assert office.post("/waiting/C0001/give-back").headers["Location"] == "/waiting?done=gave_back"
    office.log_in(Role.AGENT, subject="li.wang")
    assert office.post("/waiting/C0001/take").status == 303
    assert office.cases.stored["C0001"].holder == COLLEAGUE


def test_a_manager_gives_back_the_case_of_a_colleague_who_is_away() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    assert "/give-back" not in office.get("/waiting/C0001").body
    assert office.post("/waiting/C0001/give-back").status == 409
    office.log_in(Role.MANAGER)
    assert "/give-back" in office.get("/waiting/C0001").body
    assert office.post("/waiting/C0001/give-back").status == 303
    assert office.cases.stored["C0001"].holder is None
    assert (office.table.entries[-1].act, office.table.entries[-1].viewer.subject) == ("gave_back", "mei.chen")


def test_nobody_gives_back_or_closes_what_they_have_not_taken() -> None:
    office = an_office()
    for path in ("give-back", "close"):
        answer = office.post(f"/waiting/C0001/{path}", outcome="attended")
        assert (answer.status, "Take the case first" in text_of(answer.body)) == (409, True)
    office.post("/waiting/C0001/take")
    office.log_in(Role.AGENT, subject="li.wang")
    for path in ("give-back", "close"):
        assert "jun.li has had" in text_of(office.post(f"/waiting/C0001/{path}", outcome="attended").body)
    assert deeds(office) == [("took", "")]
    assert office.bus.events == []


# ------------------------------------------------------------------ notes


def test_a_note_is_read_by_colleagues_as_text_and_its_words_are_in_no_trail() -> None:
    office = an_office()
    answer = office.post("/waiting/C0001/note", text=" <b>ruft</b> am Freitag an ")
    assert answer.headers["Location"] == "/waiting/C0001?done=noted#notes"
    office.log_in(Role.MANAGER)
    page = office.get("/waiting/C0001").body
    assert "&lt;b&gt;ruft&lt;/b&gt; am Freitag an" in page
    assert "jun.li" in page
    assert deeds(office) == [("noted", "")]
    assert "Freitag" not in repr(office.table.entries)


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST_NOTE + 1)])
def test_a_note_of_nothing_or_of_too_much_is_refused(text: str) -> None:
    office = an_office()
    assert office.post("/waiting/C0001/note", text=text).status == 409
    assert (office.cases.notes, deeds(office)) == ({}, [])


def test_of_an_erased_customer_nobody_writes_and_does_anything() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    record = office.customers.lender_records["C0001"]
    office.customers.lender_records["C0001"] = erase_record(record, NOW)
    for path, form in (
        ("/waiting/C0001/note", {"text": "a note"}),
        ("/waiting/C0001/close", {"outcome": "attended"}),
        ("/waiting/C0001/label", {"reply": "reply-1", "intent": "paid"}),
        ("/customers/C0001/hold", {"reason": "dispute"}),
    ):
        answer = office.post(path, headers=None, **form)
        assert (answer.status, "the customer is erased" in text_of(answer.body)) == (409, True)
    assert (office.bus.events, office.cases.notes, deeds(office)) == ([], {}, [("took", "")])


# ------------------------------------------------------------------ closing

HOLD = "CustomerHold"
WITHOUT_REPLY: dict[str, tuple[dict[str, str], list[tuple[str, dict[str, Any]]], str]] = {
    "released": ({}, [("CustomerReleased", {})], "released"),
    "hold_until": (
        {"until": "2026-12-09", "reason": "vulnerable"},
        [(HOLD, {"reason": "vulnerable", "until": "2026-12-09"})],
        "hold_until#2026-12-09",
    ),
    "promise_until": (
        {"until": "2026-12-09"},
        [(HOLD, {"reason": "promise", "until": "2026-12-09"})],
        "promise_until#2026-12-09",
    ),
    "opted_out": ({}, [(HOLD, {"reason": "ceased"})], "opted_out"),
    "wrong_person": ({}, [(HOLD, {"reason": "wrong_person"})], "wrong_person"),
    "deceased": ({"until": "2026-12-09"}, [(HOLD, {"reason": "deceased"})], "deceased"),
    "represented": ({}, [(HOLD, {"reason": "represented"})], "represented"),
    "hardship": (
        {"until": "2026-12-09"},
        [(HOLD, {"reason": "hardship", "until": "2026-12-09"})],
        "hardship#2026-12-09",
    ),
    "dispute": ({}, [(HOLD, {"reason": "dispute"})], "dispute"),
    "attended": ({"until": "2026-12-09"}, [], "attended"),
}
"""What each outcome puts on the bus where no reply waits, beside the event that closes, and what is written down."""


def test_every_outcome_is_known_to_this_table() -> None:
    assert set(WITHOUT_REPLY) == set(Outcome)


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_goes_out_as_the_lenders_own_events_and_ends_with_the_one_that_closes(outcome: Outcome) -> None:
    form, events, written_down = WITHOUT_REPLY[outcome]
    office = an_office(why="ladder_finished", reply_id="")
    office.post("/waiting/C0001/take")
    answer = office.post("/waiting/C0001/close", outcome=outcome.value, headers=None, **form)
    day = f"&until={form['until']}" if "until" in form else ""
    assert (answer.status, answer.headers["Location"]) == (303, f"/waiting?closed={outcome}{day}")
    closing = ("CustomerAttended", {"outcome": outcome.value})
    assert put(office) == [(kind, {**detail, "by": "jun.li"}) for kind, detail in (*events, closing)]
    assert deeds(office) == [("took", ""), ("closed", written_down)]
    case = office.cases.stored["C0001"]
    assert (case.holder, case.closed_by, case.outcome, case.closed_at) == (None, "jun.li", outcome.value, NOW)
    page = text_of(office.get("/waiting", closed=outcome.value).body)
    assert "Closed just now" in page


def test_a_form_that_a_browser_sends_twice_closes_once() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    answers = [office.post("/waiting/C0001/close", outcome="attended") for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == ["/waiting?closed=attended"] * 2
    assert (len(office.bus.events), deeds(office)) == (1, [("took", ""), ("closed", "attended")])
    assert office.post("/waiting/C0001/close", outcome="dispute").status == 409
    office.clock.move_to(NOW + timedelta(minutes=2))
    assert office.post("/waiting/C0001/close", outcome="attended").status == 409


@pytest.mark.parametrize(
    ("outcome", "form", "events"),
    [
        ("opted_out", {}, [("ReplyLabelled", {"reply_id": "reply-1", "intents": ["opt_out"]})]),
        (
            "promise_until",
            {"until": "2026-12-09"},
            [
                ("ReplyLabelled", {"reply_id": "reply-1", "intents": ["promise"], "promised_on": "2026-12-09"}),
                (HOLD, {"reason": "promise", "until": "2026-12-09"}),
            ],
        ),
    ],
)
def test_what_a_customer_wrote_counts_as_the_customers_own_word(
    outcome: str, form: dict[str, str], events: list[tuple[str, dict[str, Any]]]
) -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    office.post("/waiting/C0001/close", outcome=outcome, reply="reply-1", headers=None, **form)
    assert put(office)[:-1] == [(kind, {**detail, "by": "jun.li"}) for kind, detail in events]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({}, "Choose an outcome"),
        ({"outcome": "paid"}, "Choose an outcome"),
        ({"outcome": "hold_until"}, "needs a day"),
        ({"outcome": "promise_until"}, "needs a day"),
        ({"outcome": "hold_until", "until": "2026-11-30"}, "between Tue 1 Dec 2026 and Thu 2 Dec 2027"),
        ({"outcome": "hardship", "until": "2028-01-01"}, "between"),
    ],
)
def test_a_form_that_is_not_as_it_should_be_closes_nothing_and_says_what_to_do(form: dict[str, str], why: str) -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    answer = office.post("/waiting/C0001/close", headers=None, **form)
    assert (answer.status, why in text_of(answer.body)) == (409, True)
    assert (office.bus.events, deeds(office)) == ([], [("took", "")])
    assert office.cases.stored["C0001"].holder == AGENT


def test_a_form_that_is_refused_comes_back_with_what_was_written_in_it() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    form = {"outcome": "hold_until", "until": "2026-11-30", "reason": "hardship"}
    page = office.post("/waiting/C0001/close", headers=None, **form).body
    assert 'role="alert">The day has to lie between' in page
    assert 'value="hold_until" required checked' in page
    assert 'name="until" value="2026-11-30"' in page
    assert '<option value="hardship" selected>' in page
    note = "請打給我" * LONGEST_NOTE
    assert f">{note}</textarea>" in office.post("/waiting/C0001/note", headers=None, text=note).body
    office.log_in(Role.MANAGER)
    page = office.post("/sending/pause", headers=None, reason="no").body
    assert 'role="alert">Say why' in page
    assert 'name="reason" value="no"' in page


def test_a_day_that_is_none_closes_nothing_as_if_no_day_had_been_meant() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    answer = office.post("/waiting/C0001/close", headers=None, outcome="hardship", until="soon")
    assert (answer.status, "This is no date" in text_of(answer.body)) == (400, True)
    assert office.bus.events == []


def test_a_case_says_what_the_system_suggests_as_the_list_does() -> None:
    office = an_office(why="distress")
    assert "Call at once: a life may depend on it." in office.get("/waiting").body
    assert "Call at once: a life may depend on it." in office.get("/waiting/C0001").body


def test_the_acts_on_a_customer_stand_on_the_page_once() -> None:
    page = an_office(holds=(Hold(HoldReason.DISPUTE),)).get("/customers/C0001").body
    ids = re.findall(r' id="([^"]+)"', page)
    assert "acts" in ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("takes", [0, 1])
def test_a_case_whose_outcome_the_bus_does_not_take_stays_open_and_all_of_it_is_written_down(takes: int) -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    office.bus.takes = takes
    answer = office.post("/waiting/C0001/close", outcome="dispute")
    assert (answer.status, "Nothing is closed" in text_of(answer.body)) == (503, True)
    assert [event.kind for event in office.bus.events] == ["CustomerHold"][:takes]
    case = office.cases.stored["C0001"]
    assert (case.holder, case.closed_at) == (AGENT, None)
    assert deeds(office)[1:] == [("closed", "dispute"), ("failed", "closed")]
    assert [type(error) for error in office.errors] == [ServiceCallError]


def test_an_outcome_that_is_out_is_not_written_down_as_failed_though_the_case_cannot_be_saved() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")

    def broken(case: Case, *, expected_version: int) -> bool:
        raise ServiceCallError("PutItem", f"{case.customer_id} {expected_version}")

    office.cases.save_case = broken  # type: ignore[method-assign]
    assert office.post("/waiting/C0001/close", outcome="attended").status == 503
    assert (len(office.bus.events), deeds(office)[1:]) == (1, [("closed", "attended")])


# ------------------------------------------------------------------ labels


def test_a_reply_is_labelled_with_one_click_and_the_label_goes_out_for_that_reply() -> None:
    office = an_office(why="not_understood")
    page = office.get("/waiting/C0001").body
    assert '<button name="intent" value="paid">' in page
    answer = office.post("/waiting/C0001/label", reply="reply-1", intent="paid")
    assert answer.headers["Location"] == "/waiting/C0001?done=labelled"
    assert put(office) == [("ReplyLabelled", {"reply_id": "reply-1", "intents": ["paid"], "by": "jun.li"})]
    assert deeds(office) == [("labelled", "paid")]


def test_a_reader_who_was_right_is_told_so_with_one_click() -> None:
    office = an_office(why="not_understood")
    (value,) = re.findall(r'<button class="main" name="intent" value="([^"]+)"', office.get("/waiting/C0001").body)
    office.post("/waiting/C0001/label", reply="reply-1", intent=value)
    assert put(office)[0][1]["intents"] == ["question"]
    office.post("/waiting/C0001/label", reply="reply-1", intent="promise,hardship")
    assert set(put(office)[1][1]["intents"]) == {"promise", "hardship"}


@pytest.mark.parametrize(("sure", "is_offered"), [(("question",), False), ((), True)])
def test_a_label_is_offered_at_once_where_the_reader_was_unsure_and_behind_a_word_where_not(
    sure: tuple[str, ...], *, is_offered: bool
) -> None:
    office = an_office()
    evidence = office.evidence.stored["C0001"]
    replies = [replace(reply, sure=sure, likely=()) for reply in evidence.replies]
    office.evidence.stored["C0001"] = replace(evidence, replies=replies)
    page = office.get("/waiting/C0001").body
    assert ("The reading is wrong" not in page) is is_offered
    assert 'name="intent" value="paid"' in page


@pytest.mark.parametrize(
    ("outcome", "until", "follows"),
    [
        ("hold_until", "2026-12-09", "No text up to and including Wed 9 Dec 2026. Then the reminders go on."),
        ("promise_until", "2026-12-09", "If it is not paid by then"),
        ("dispute", "", "No text until a person releases the hold."),
        ("hardship", "2026-12-09", "Wed 9 Dec 2026"),
        ("released", "", "All holds end."),
        ("opted_out", "", "until the customer asks for texts again"),
        ("attended", "2026-12-09", "Nothing else changes"),
    ],
)
def test_whoever_closes_a_case_is_told_what_follows(outcome: str, until: str, follows: str) -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    answer = office.post("/waiting/C0001/close", outcome=outcome, until=until)
    query = dict(pair.split("=") for pair in answer.headers["Location"].partition("?")[2].split("&"))
    assert follows in text_of(office.get("/waiting", **query).body)


def test_the_day_of_a_promise_goes_with_a_promise_and_with_nothing_else() -> None:
    office = an_office(why="not_understood")
    office.post("/waiting/C0001/label", reply="reply-1", intent="promise", promised_on="2026-12-09")
    office.post("/waiting/C0001/label", reply="reply-1", intent="hardship", promised_on="2026-12-09")
    assert [detail.get("promised_on") for _, detail in put(office)] == ["2026-12-09", None]


@pytest.mark.parametrize(
    "form",
    [
        {"reply": "reply-2", "intent": "paid"},
        {"reply": "", "intent": "paid"},
        {"reply": "reply-1", "intent": ""},
        {"reply": "reply-1", "intent": "rich"},
        {"reply": "reply-1", "intent": "promise", "promised_on": "2020-01-01"},
    ],
)
def test_what_is_no_label_of_a_reply_that_waits_is_refused(form: dict[str, str]) -> None:
    office = an_office(why="not_understood")
    assert office.post("/waiting/C0001/label", headers=None, **form).status == 409
    assert (office.bus.events, deeds(office)) == ([], [])


def test_nobody_labels_in_a_case_of_a_colleague() -> None:
    office = an_office(why="not_understood")
    office.post("/waiting/C0001/take")
    office.log_in(Role.AGENT, subject="li.wang")
    assert office.post("/waiting/C0001/label", reply="reply-1", intent="paid").status == 409
    assert office.bus.events == []
    assert 'name="intent"' not in office.get("/waiting/C0001").body


# ------------------------------------------------------------------ hold and release


@pytest.mark.parametrize("until", ["", "2026-12-09"])
def test_a_hold_goes_out_with_its_reason_and_its_day(until: str) -> None:
    office = an_office()
    assert office.post("/customers/C0001/hold", reason="dispute", until=until).status == 303
    day = {"until": until} if until else {}
    assert put(office) == [(HOLD, {"reason": "dispute", "by": "jun.li", **day})]
    assert deeds(office) == [("held", f"dispute#{until}" if until else "dispute")]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"reason": ""}, 409),
        ({"reason": "doubt"}, 409),
        ({"reason": "dispute", "until": "2026-11-30"}, 409),
        ({"reason": "dispute", "until": "Friday"}, 400),
    ],
)
def test_a_hold_without_a_reason_or_with_a_day_that_is_none_is_refused(form: dict[str, str], status: int) -> None:
    office = an_office()
    assert office.post("/customers/C0001/hold", headers=None, **form).status == status
    assert (office.bus.events, deeds(office)) == ([], [])


def test_people_give_reasons_of_their_own_and_never_those_of_the_system() -> None:
    assert set(HoldReason) - set(HOLD_REASONS) == {
        HoldReason.SAYS_PAID, HoldReason.QUESTION, HoldReason.REFUSAL, HoldReason.DISTRESS, HoldReason.SUSPICION,
        HoldReason.UNCONFIRMED, HoldReason.DOUBT, HoldReason.SHARED_PHONE, HoldReason.NUMBER_REFUSED,
    }  # fmt: skip


def test_an_agent_releases_a_customer_whose_case_is_theirs_and_a_manager_any() -> None:
    office = an_office(holds=(Hold(HoldReason.DISPUTE),))
    assert "Take the case first" in text_of(office.post("/customers/C0001/release").body)
    office.post("/waiting/C0001/take")
    assert office.post("/customers/C0001/release", reason="dispute").status == 303
    office.log_in(Role.MANAGER)
    assert office.post("/customers/C0001/release").status == 303
    assert put(office) == [
        ("CustomerReleased", {"reason": "dispute", "by": "jun.li"}),
        ("CustomerReleased", {"by": "mei.chen"}),
    ]
    assert deeds(office)[1:] == [("released", "dispute"), ("released", "")]


@pytest.mark.parametrize("reason", ["hardship", "nonsense"])
def test_a_hold_that_does_not_run_is_not_released(reason: str) -> None:
    office = an_office(Role.MANAGER, holds=(Hold(HoldReason.DISPUTE),))
    assert office.post("/customers/C0001/release", reason=reason).status == 409
    assert office.bus.events == []


def test_the_customers_page_says_who_has_the_case_and_offers_what_the_role_may_do() -> None:
    office = an_office(holds=(Hold(HoldReason.DISPUTE),))
    office.post("/waiting/C0001/take")
    page = office.get("/customers/C0001").body
    assert "Yours since" in page
    assert '<option value="dispute">dispute</option>' in page
    assert "Ask for the erasure" not in page
    office.log_in(Role.MANAGER)
    page = office.get("/customers/C0001", done="held").body
    assert "jun.li has had the case since" in page
    assert "Ask for the erasure" in page
    assert "The hold is on its way" in page
    office.log_in(Role.ENGINEER)
    assert 'id="acts"' not in office.get("/customers/C0001").body


@pytest.mark.parametrize("done", ["<b>", "unknown", "closed"])
def test_an_address_puts_no_words_into_a_page(done: str) -> None:
    office = an_office()
    for path in ("/waiting", "/waiting/C0001", "/customers/C0001"):
        page = office.get(path, done=done, closed=done)
        assert (page.status, 'role="status"' in page.body) == (200, False)


# ------------------------------------------------------------------ pause and resume


def test_sending_is_paused_at_once_with_a_reason_and_the_page_says_who_when_and_why() -> None:
    office = Office()
    for role, subject in ((Role.ENGINEER, "sam.okafor"), (Role.COMPLIANCE, "ana.costa"), (Role.MANAGER, "mei.chen")):
        office.log_in(role, subject=subject)
        office.switch.on = True
        assert office.post("/sending/pause", reason="  wrong  amounts ").status == 303
        assert not office.switch.on
        page = text_of(office.get("/sending").body)
        assert f"Paused by {subject} ({role.value}) on Tue 1 Dec 2026, 10:00:" in page
        assert "wrong amounts" in page
    assert [(entry.act, entry.purpose) for entry in office.table.entries] == [("paused", "wrong amounts")] * 3


def test_sending_is_resumed_by_a_manager_who_types_the_word() -> None:
    office = Office()
    office.switch.on = False
    office.log_in(Role.MANAGER)
    for typed in ("", "resum", "yes"):
        assert office.post("/sending/resume", reason="amounts mended", typed=typed).status == 409
    assert (office.switch.on, office.table.entries) == (False, [])
    assert office.post("/sending/resume", reason="amounts mended", typed=" resume ").status == 303
    assert office.switch.on
    assert "Resumed by mei.chen" in text_of(office.get("/sending").body)


@pytest.mark.parametrize("reason", ["", "why", "x" * 201])
def test_nobody_turns_the_switch_without_saying_why(reason: str) -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    assert office.post("/sending/pause", reason=reason).status == 409
    assert office.switch.on


def test_a_switch_that_does_not_turn_is_not_said_to_have_turned() -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    office.switch.stuck = True
    answer = office.post("/sending/pause", reason="wrong amounts")
    assert (answer.status, "did not turn" in text_of(answer.body)) == (503, True)
    assert deeds(office) == [("paused", ""), ("failed", "paused")]
    page = text_of(office.get("/sending").body)
    assert "Sending is on." in page
    assert "Paused by" not in page


def test_a_switch_that_was_turned_elsewhere_names_nobody() -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    office.post("/sending/resume", reason="amounts mended", typed="RESUME")
    office.switch.on = False
    page = text_of(office.get("/sending").body)
    assert "It was not turned off here" in page
    assert "mei.chen (manager) on" not in page


# ------------------------------------------------------------------ erasure by two


def test_a_manager_asks_and_compliance_confirms_and_then_the_lenders_event_erases() -> None:
    office = an_office(Role.MANAGER, "mei.chen")
    assert office.post("/customers/C0001/erase", reason="own_request").headers["Location"] == (
        "/erasures?done=asked_erasure"
    )
    assert office.bus.events == []
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    page = office.get("/erasures").body
    (version,) = set(re.findall(r'name="version" value="([^"]+)"', page))
    assert office.post("/erasures/C0001/confirm", version=unescape(version), sure="yes").status == 303
    assert put(office) == [("CustomerErased", {"by": "ana.costa"})]
    assert office.cases.asked == {}
    assert deeds(office) == [("asked_erasure", "own_request"), ("confirmed_erasure", "own_request")]
    assert "There is no request." in text_of(office.get("/erasures").body)


def asked(office: Office) -> str:
    """Ask for the erasure of C0001, and return the version of the request."""
    office.log_in(Role.MANAGER)
    assert office.post("/customers/C0001/erase", reason="own_request").status == 303
    return office.cases.asked["C0001"].asked_at.isoformat()


def test_nobody_confirms_what_they_asked_for_whatever_their_role_is_now() -> None:
    office = an_office()
    version = asked(office)
    office.log_in(Role.COMPLIANCE, subject="mei.chen")
    answer = office.post("/erasures/C0001/confirm", version=version, sure="yes")
    assert (answer.status, "it takes a second person" in text_of(answer.body)) == (409, True)
    assert "Confirm the erasure" not in text_of(office.get("/erasures").body)
    assert office.bus.events == []


def test_nothing_is_erased_for_whoever_does_not_say_that_they_are_sure() -> None:
    office = an_office()
    version = asked(office)
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    answer = office.post("/erasures/C0001/confirm", version=version)
    assert (answer.status, "Tick the box" in text_of(answer.body)) == (409, True)
    assert office.bus.events == []


def test_a_request_ends_after_seven_days() -> None:
    office = an_office()
    version = asked(office)
    office.clock.move_to(NOW + CONFIRMED_WITHIN)
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    assert "There is no request." in text_of(office.get("/erasures").body)
    assert office.post("/erasures/C0001/confirm", version=version, sure="yes").status == 409
    assert office.bus.events == []


def test_a_request_that_was_made_anew_is_not_confirmed_with_the_page_of_the_old_one() -> None:
    office = an_office()
    version = asked(office)
    office.clock.move_to(NOW + HOUR)
    office.log_in(Role.MANAGER)
    office.post("/erasures/C0001/withdraw", version=version)
    asked(office)
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    assert office.post("/erasures/C0001/confirm", version=version, sure="yes").status == 409
    assert office.bus.events == []


def test_a_request_is_withdrawn_by_who_asked_and_refused_by_compliance() -> None:
    office = an_office()
    for role, subject in ((Role.MANAGER, "mei.chen"), (Role.COMPLIANCE, "ana.costa")):
        version = asked(office)
        office.log_in(role, subject=subject)
        assert office.post("/erasures/C0001/withdraw", version=version).status == 303
        assert office.cases.asked == {}
    assert office.bus.events == []


def test_a_confirmation_that_the_bus_does_not_take_leaves_the_request() -> None:
    office = an_office()
    version = asked(office)
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    office.bus.takes = 0
    assert office.post("/erasures/C0001/confirm", version=version, sure="yes").status == 503
    assert set(office.cases.asked) == {"C0001"}
    assert deeds(office)[-1] == ("failed", "confirmed_erasure")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/customers/C0001/erase", {"reason": "王小明 asks for it"}),
        ("/customers/C9999/erase", {"reason": "own_request"}),
        ("/customers/<script>/erase", {"reason": "own_request"}),
    ],
)
def test_a_request_needs_a_customer_and_a_reason_of_the_list(path: str, form: dict[str, str]) -> None:
    office = an_office(Role.MANAGER)
    assert office.post(path, headers=None, **form).status == 409
    assert (office.cases.asked, deeds(office)) == ({}, [])


def test_a_customer_who_cannot_be_read_can_be_erased_and_one_who_was_asked_for_already_not_again() -> None:
    office = an_office(Role.MANAGER)
    office.customers.unreadable.add("C0001")
    assert office.post("/customers/C0001/erase", reason="own_request").status == 303
    assert "asked for already" in text_of(office.post("/customers/C0001/erase", reason="own_request").body)


# ------------------------------------------------------------------ the list


def rows(office: Office, viewer: Viewer = AGENT) -> list[str]:
    return [row.customer_id for row in office.acts.waiting.view(viewer, "", None).rows]


def test_the_urgent_come_first_then_who_lies_about_then_the_oldest_and_last_what_colleagues_have() -> None:
    office = Office(NOW + 7 * DAY)
    waits(office, 1, since=NOW + 6 * DAY)
    waits(office, 2, since=NOW + 6 * DAY + HOUR)
    waits(office, 3, since=NOW + 6 * DAY + 2 * HOUR, why="distress")
    waits(office, 4, since=NOW)
    waits(office, 5, since=NOW + HOUR)
    waits(office, 6, since=NOW + 6 * DAY - HOUR)
    for customer_id, viewer in (("C0005", AGENT), ("C0001", COLLEAGUE), ("C0002", AGENT)):
        office.acts.cases.take(viewer, customer_id)
    assert rows(office) == ["C0003", "C0004", "C0005", "C0006", "C0002", "C0001"]


@pytest.mark.parametrize(
    ("since", "holidays", "untouched_from"),
    [
        ("2026-12-01T17:00", [], "2026-12-03T17:00"),
        ("2026-12-04T09:00", [], "2026-12-08T09:00"),
        ("2026-12-05T12:00", [], "2026-12-08T12:00"),
        ("2026-12-01T17:00", ["2026-12-02"], "2026-12-04T17:00"),
    ],
)
def test_two_working_days_are_those_of_the_lender_without_weekends_and_holidays(
    since: str, holidays: list[str], untouched_from: str
) -> None:
    office = Office()
    office.holidays |= {date.fromisoformat(day) for day in holidays}
    waits(office, since=datetime.fromisoformat(f"{since}+08:00"))
    end = datetime.fromisoformat(f"{untouched_from}+08:00")
    for moment, is_untouched in ((end - timedelta(seconds=1), False), (end, True)):
        office.clock.move_to(moment)
        (row,) = office.acts.waiting.view(AGENT, "", None).rows
        assert row.is_untouched is is_untouched


def test_who_touches_a_case_has_two_working_days_more() -> None:
    office = Office(NOW + 2 * DAY)
    waits(office)
    assert office.acts.waiting.view(AGENT, "", None).untouched == 1
    office.acts.cases.note(AGENT, "C0001", "nobody answers")
    assert office.acts.waiting.view(AGENT, "", None).untouched == 0
    office.clock.move_to(NOW + 7 * DAY)
    assert office.acts.waiting.view(AGENT, "", None).untouched == 1


def test_a_case_closed_whose_outcome_does_not_arrive_comes_back_and_says_so() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    office.post("/waiting/C0001/close", outcome="attended")
    assert "Closed just now: Attended" in text_of(office.get("/waiting").body)
    office.clock.move_to(NOW + timedelta(minutes=11))
    page = text_of(office.get("/waiting").body)
    assert "it has not arrived" in page
    assert "Take the case" in page


def test_a_customer_who_waits_anew_after_a_case_was_closed_is_a_new_case() -> None:
    office = an_office()
    office.post("/waiting/C0001/take")
    office.post("/waiting/C0001/close", outcome="attended")
    waits(office, since=NOW + HOUR)
    office.clock.move_to(NOW + HOUR)
    office.log_in(Role.AGENT, subject="jun.li")
    page = text_of(office.get("/waiting").body)
    assert "Closed" not in page
    assert "Take the case" in page


def test_the_list_is_read_page_by_page_and_of_all_lenders_only_the_first() -> None:
    office = Office()
    for number in range(PAGE + 7):
        waits(office, number, since=NOW + timedelta(minutes=number))
    first = office.acts.waiting.view(AGENT, "demo-tw", None)
    assert first.after
    assert position_read(position_written(first.after)) == first.after
    second = office.acts.waiting.view(AGENT, "demo-tw", first.after)
    found = [row.customer_id for row in (*first.rows, *second.rows)]
    assert (len(first.rows), len(found), len(set(found)), second.after) == (PAGE, PAGE + 7, PAGE + 7, None)
    office.log_in(Role.AGENT)
    assert "after=" in office.get("/waiting", lender="demo-tw").body


def test_a_full_page_of_the_list_is_no_larger_than_thirty_kilobytes_in_any_language() -> None:
    office = Office(NOW + 9 * DAY)
    for number in range(PAGE + 1):
        waits(office, number, since=NOW + timedelta(minutes=number), why="promise_unclear")
    office.log_in(Role.AGENT)
    for language in ("en", "zh-Hant", "zh-Hans"):
        office.post("/language", language=language)
        size = len(office.get("/waiting", lender="demo-tw").body.encode())
        assert size <= 30 * 1024, (language, size)


@pytest.mark.parametrize("written", ["", "x", "0.5", "2.5.C1", "0.x.C1", "0.99999999999999999.C1", "0.1."])
def test_an_address_that_names_no_place_in_the_list_begins_at_its_head(written: str) -> None:
    assert position_read(written) is None
    assert an_office().get("/waiting", after=written).status == 200


def test_every_reason_to_wait_has_a_suggestion_and_the_most_pressing_is_shown() -> None:
    assert set(SUGGESTIONS) == {*ReviewReason, "not_understood"}
    assert suggestion(["ladder_finished", "distress"]) == "call_at_once"
    assert suggestion(["of another release"]) == "call_engineer"
    assert suggestion([]) == "call_engineer"


def test_who_cannot_be_read_stands_in_the_list_and_nobody_whom_nothing_holds_there_any_more() -> None:
    office = Office()
    for number in (1, 2, 3):
        waits(office, number)
    office.customers.unreadable.add("C0001")
    office.customers.lender_records["C0003"] = erase_record(office.customers.lender_records["C0003"], NOW)
    index = [WaitingCustomer(f"C000{number}", NOW) for number in (1, 2, 3)]
    office.customers.standings["C0002"] = replace(office.customers.standings["C0002"], attention=())
    office.customers.waiting_customers = lambda *_: index  # type: ignore[method-assign]
    (row,) = office.acts.waiting.view(AGENT, "", None).rows
    assert (row.customer_id, row.suggestion.code) == ("C0001", "call_engineer")


def test_what_the_customer_wrote_is_shown_from_the_list_after_it_is_written_down() -> None:
    office = an_office()
    page = office.get("/waiting").body
    assert "請打給我" not in page
    assert '<button form="f" name="field" value="reply#reply-1" formaction="/customers/C0001/reveal"' in page
    answer = office.post("/customers/C0001/reveal", field="reply#reply-1", purpose="attend")
    assert "請打給我" in answer.body
    assert office.table.entries[-1].purpose == "attend"


def test_an_engineer_sees_the_list_and_neither_takes_nor_reads() -> None:
    office = an_office(Role.ENGINEER)
    page = office.get("/waiting").body
    assert "C0001" in page
    assert "/take" not in page
    assert "/reveal" not in page


def test_every_page_of_acts_reads_in_every_language() -> None:
    office = an_office(Role.MANAGER, "mei.chen", why="not_understood", holds=(Hold(HoldReason.DISPUTE),))
    office.post("/waiting/C0001/note", text="a note")
    office.post("/waiting/C0001/take")
    office.post("/customers/C0001/erase", reason="legal_duty")
    for is_on in (True, False):
        office.switch.on = is_on
        for language in ("en", "zh-Hant", "zh-Hans"):
            office.post("/language", language=language)
            for path in ("/waiting", "/waiting/C0001", "/customers/C0001", "/erasures", "/sending", "/audit"):
                page = office.get(path)
                assert (page.status, office.errors) == (200, [])
                assert "None" not in page.body


# ------------------------------------------------------------------ the trail in words


@pytest.mark.parametrize(
    ("act", "subject_matter", "shown"),
    [
        ("closed", "attended", (CodeShown("outcome", "attended"),)),
        (
            "held",
            "dispute#2026-12-09",
            SentenceShown("audit.until", {"what": (CodeShown("hold", "dispute"),), "day": date(2026, 12, 9)}),
        ),
        ("labelled", "paid,hardship", (CodeShown("intent", "paid"), CodeShown("intent", "hardship"))),
        ("failed", "closed", (CodeShown("deed", "closed"),)),
        ("revealed", "reply#r1", CodeShown("field", "reply")),
        ("took", "", None),
    ],
)
def test_the_trail_says_what_an_act_was_about(act: str, subject_matter: str, shown: object) -> None:
    office = Office()
    office.audit.take_down(AGENT, act, "C0001", subject_matter)
    assert audit_row(office.table.entries[0]).subject_matter == shown


# ------------------------------------------------------------------ what goes out comes in


def received(event: WrittenEvent) -> object:
    """Read an event as the handler does."""
    envelope = {"detail-type": event.kind, "source": CONSOLE_SOURCE, "detail": json.loads(event.detail)}
    return parse_lender_event(json.dumps(envelope), NOW, [CONSOLE_SOURCE])


@pytest.mark.parametrize(
    "event",
    [
        RecordedEvent(EventTime(NOW), CustomerHold(HoldReason.DISPUTE), "jun.li"),
        RecordedEvent(EventTime(NOW), CustomerHold(HoldReason.OTHER, TODAY), "jun.li"),
        RecordedEvent(EventTime(NOW), CustomerReleased(), "jun.li"),
        RecordedEvent(EventTime(NOW), CustomerReleased(HoldReason.DOUBT), "jun.li"),
        RecordedEvent(EventTime(NOW), CustomerAttended("attended"), "jun.li"),
        GivenLabel("r-1", ReplyLabel(at=NOW, intents=("paid", "promise"), promised_on=TODAY), "jun.li"),
        GivenLabel("r-1", ReplyLabel(at=NOW, intents=("chat",)), "jun.li"),
        ErasureRequest(NOW, "jun.li"),
    ],
)
def test_an_event_that_the_console_writes_is_read_as_it_was_meant(
    event: RecordedEvent | GivenLabel | ErasureRequest,
) -> None:
    written = write_console_event("C0001", event)
    assert received(written) == ("C0001", event, True)


def test_an_event_that_its_own_model_refuses_is_not_written() -> None:
    with pytest.raises(ValueError, match="reply_id"):
        write_console_event("C0001", GivenLabel("a reply with spaces", ReplyLabel(at=NOW, intents=("paid",))))
    with pytest.raises(ValueError, match="AccountClosed"):
        write_console_event("C0001", RecordedEvent(EventTime(NOW), AccountClosed("A1")))


@pytest.mark.parametrize(
    ("subject", "is_plain"),
    [("auth0|5f7c", True), ("a-b_c.d:e", True), ("päivi", False), ("a/b=", False), ("x" * 81, False), ("", False)],
)
def test_a_subject_that_an_event_cannot_have_is_written_as_its_hash(subject: str, *, is_plain: bool) -> None:
    written = subject_written(subject)
    assert (written == subject) is is_plain
    assert re.fullmatch(r"[A-Za-z0-9._:|-]{1,80}", written)


def test_a_channel_that_is_stopped_by_name_is_named_while_all_others_go_on() -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    assert "Stopped by name" not in office.get("/sending").body
    office.switch.stopped = frozenset({Channel.LINE, Channel.VOICE})
    assert "Stopped by name, while all others go on: LINE, call." in office.get("/sending").body
    office.switch.on = False
    assert "Stopped by name" not in office.get("/sending").body
