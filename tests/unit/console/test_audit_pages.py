"""The audit trail as people read it: by day, by colleague, by customer, and as a file no spreadsheet runs."""

import csv
import io
from datetime import timedelta

import pytest

from dunning.ports.audit_trail import AuditEntry
from dunning.ports.sessions import Role, Viewer
from dunning.services.console import audited
from dunning.services.console.audited import AUDIT_PAGE, EXPORTED_COLUMNS, LookAct
from tests.support.console import Office, an_office_with
from tests.support.people import NOW

DAY = NOW.date().isoformat()
LONGEST_PAGE = 30 * 1024


def an_entry(number: int, **changes: object) -> AuditEntry:
    fields: dict[str, object] = {
        "at": NOW - timedelta(seconds=number),
        "entry_id": f"e{number:06}",
        "viewer": Viewer("jun.li", Role.AGENT),
        "act": "looked",
        "customer_id": f"C{number:04}",
        **changes,
    }
    return AuditEntry(**fields)  # type: ignore[arg-type]


def in_front_of(role: Role = Role.COMPLIANCE) -> Office:
    office, _ = an_office_with()
    office.log_in(role)
    return office


def test_compliance_sees_what_a_colleague_did_and_others_see_their_own_alone() -> None:
    office = in_front_of()
    for entry in (an_entry(1), an_entry(2, viewer=Viewer("mei.chen", Role.MANAGER))):
        office.table.write(entry)
    page = office.post("/audit", day=DAY, colleague="jun.li").body
    assert ("C0001" in page, "C0002" in page) == (True, False)
    office.log_in(Role.MANAGER)
    page = office.get("/audit", day=DAY).body
    assert ("C0001" in page, "C0002" in page) == (False, True)
    assert "Download as CSV" not in page


def test_who_looked_at_a_customer_has_an_address_without_the_name_of_a_colleague() -> None:
    office = in_front_of()
    office.table.write(an_entry(1, at=NOW - timedelta(days=90)))
    answer = office.post("/audit", customer="C0001", day=DAY)
    assert (answer.status, answer.headers["Location"]) == (303, "/audit/customers/C0001")
    page = office.get("/audit/customers/C0001").body
    assert "jun.li (agent) looked at the customer" in page
    assert "Nobody has looked" in office.get("/audit/customers/C0002").body


def test_a_long_day_is_read_page_by_page_by_day_and_by_colleague() -> None:
    office = in_front_of()
    for number in range(AUDIT_PAGE + 3):
        office.table.write(an_entry(number))
    pages = ("", str(AUDIT_PAGE))
    by_day = [office.get("/audit", day=DAY, page=page).body for page in pages]
    by_colleague = [office.post("/audit", day=DAY, colleague="jun.li", page=page).body for page in pages]
    for first, last in (by_day, by_colleague):
        assert first.count("looked at the customer") == AUDIT_PAGE
        assert last.count("looked at the customer") == 3
        assert ("More" in first, ">More<" in last) == (True, False)


@pytest.mark.parametrize(
    ("act", "about", "words"),
    [
        ("listed", "waiting", "Waiting for a person"),
        ("listed", "wait:quiet_hours", "outside contact hours"),
        ("exported_audit", "2026-11-30T00:00+00:00", "Mon 30 Nov 2026, 00:00"),
    ],
)
def test_what_an_entry_is_about_stands_in_words(act: str, about: str, words: str) -> None:
    office = in_front_of()
    office.table.write(an_entry(1, act=act, subject_matter=about))
    assert f'<span class="badge">{words}</span>' in office.get("/audit", day=DAY).body


def test_a_full_page_of_the_trail_is_no_longer_than_thirty_kilobytes() -> None:
    office = in_front_of()
    for number in range(AUDIT_PAGE):
        office.table.write(an_entry(number, act="revealed", subject_matter="reply#1", purpose="access_request"))
    office.post("/language", language="zh-Hant")
    for page in (office.get("/audit", day=DAY), office.get("/audit/customers/C0001")):
        assert len(page.body.encode()) <= LONGEST_PAGE


def test_an_act_that_is_younger_than_the_words_is_shown_by_its_code() -> None:
    office = in_front_of()
    office.table.write(an_entry(1, act="teleported", subject_matter="moon"))
    page = office.get("/audit", day=DAY).body
    assert "jun.li (agent): teleported" in page
    assert "moon" in page


def test_every_look_has_words_of_its_own() -> None:
    office = in_front_of()
    for number, act in enumerate(LookAct):
        office.table.write(an_entry(number, act=act.value))
    page = office.get("/audit", day=DAY).body
    assert not any(f": {act.value}" in page for act in LookAct)


def test_who_reveals_sees_how_many_are_left_within_the_hour() -> None:
    office = in_front_of(Role.MANAGER)
    office.post("/customers/C0001/reveal", field="phone", purpose="call")
    assert "You have seen 1 of at most 30 hidden values within the last hour." in office.get("/audit").body
    office.log_in(Role.ENGINEER, "wei.wu")
    assert "hidden values" not in office.get("/audit").body


def test_the_export_holds_every_entry_of_the_day_and_no_formula_and_is_written_down_first() -> None:
    office = in_front_of()
    office.table.write(an_entry(2, at=NOW.replace(hour=1), viewer=Viewer("=cmd|x", Role.AGENT), purpose="call"))
    office.table.write(an_entry(1, at=NOW - timedelta(days=1)))
    answer = office.post("/audit/csv", day=DAY)
    assert (answer.status, answer.content_type) == (200, "text/csv; charset=utf-8")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="audit-{DAY}.csv"'
    heading, first, *others = csv.reader(io.StringIO(answer.body.removeprefix("\ufeff")))
    assert tuple(heading) == EXPORTED_COLUMNS
    assert first == ["2026-12-01T01:00:00.000+00:00", "'=cmd|x", "agent", "looked", "C0002", "", "call"]
    assert [row[3] for row in others] == ["exported_audit"]


def test_an_hour_can_be_exported_by_itself() -> None:
    office = in_front_of()
    for hour in (0, 1):
        office.table.write(an_entry(hour, at=NOW.replace(hour=hour, minute=30)))
    answer = office.post("/audit/csv", day=DAY, hour="1")
    assert ("C0001" in answer.body, "C0000" in answer.body) == (True, False)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="audit-{DAY}-01.csv"'


def test_half_an_export_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audited, "MOST_EXPORTED", 2)
    office = in_front_of()
    for number in range(3):
        office.table.write(an_entry(number))
    answer = office.post("/audit/csv", day=DAY)
    assert (answer.status, "C0001" in answer.body) == (413, False)
    assert "Choose an hour of the day" in answer.body


def test_nothing_is_exported_that_is_not_written_down() -> None:
    office = in_front_of()
    office.table.write(an_entry(1))
    office.table.broken = True
    answer = office.post("/audit/csv", day=DAY)
    assert (answer.status, "C0001" in answer.body) == (503, False)
