"""Files: whoever uploaded one sees what came of it, and nobody sees rejects without its being written down first."""

import csv
import io
import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from dunning.ports.file_reports import LoadUnderWay
from dunning.ports.sessions import Role
from dunning.services.console.file_history import FILES_SHOWN, REJECTS_A_DOWNLOAD, REJECTS_SHOWN
from tests.support.console import REJECTS, Office
from tests.support.people import NOW


def in_front_of(role: Role = Role.MANAGER) -> Office:
    office = Office()
    office.log_in(role)
    return office


def test_a_file_that_was_refused_whole_says_why_where_and_what_to_do() -> None:
    office = in_front_of()
    office.keep_report(refused="missing_columns", line=1, field="due_on", hint="Looks like Big5.", rows_refused=0)
    page = office.get("/files").body
    assert "The whole file was refused, and nothing was changed." in page
    assert "Add those named here" in page
    assert "Line 1." in page
    assert "<bdi>due_on</bdi>" in page
    assert "Looks like Big5." in page
    assert "12 rows" not in page


def test_counts_that_are_nought_are_left_out_and_the_others_have_words() -> None:
    office = in_front_of(Role.ENGINEER)
    office.keep_report(erased=3)
    page = office.get("/files").body
    assert "12 rows · customers loaded <b>9</b> · rows refused <b>2</b> · erased customers refused <b>3</b>" in page
    assert "unchanged" not in page


def test_a_name_that_may_say_who_somebody_is_is_on_no_page_and_in_no_address() -> None:
    office = in_front_of()
    office.keep_report("", rejects_key="rejects/王小明.csv")
    office.reports.loading = [LoadUnderWay("accounts/0912345678.csv", NOW)]
    page = office.get("/files").body
    assert page.count("a file whose name may say who somebody is") == 2
    assert "王小明" not in page
    assert "0912345678" not in page


def test_what_is_being_loaded_says_how_far_it_is_and_since_when_too_long() -> None:
    office = in_front_of()
    office.reports.loading = [
        LoadUnderWay("accounts/large.csv", NOW - timedelta(minutes=50), NOW - timedelta(minutes=49), 4, 3, 1_200_000)
    ]
    page = office.get("/files").body
    assert "3 of 4 parts, 1,200,000 rows in all" in page
    assert "an engineer has to look" not in page
    office.reports.loading = [LoadUnderWay("accounts/lost.csv", NOW - timedelta(minutes=61))]
    assert "an engineer has to look" in office.get("/files").body


def test_the_files_come_page_by_page_newest_first() -> None:
    office = in_front_of()
    for number in range(FILES_SHOWN + 1):
        office.keep_report(
            f"accounts/n{number}.csv", uploaded_at=NOW - timedelta(hours=number), file_id=f"{number:032}"
        )
    first = office.get("/files").body
    assert first.index("accounts/n0.csv") < first.index(f"accounts/n{FILES_SHOWN - 1}.csv")
    assert f"accounts/n{FILES_SHOWN}.csv" not in first
    last = office.files.view("").next_page
    second = office.get("/files", page=last).body
    assert f"accounts/n{FILES_SHOWN}.csv" in second
    assert "Being loaded" not in second


@pytest.mark.parametrize("path", ["rejects", "csv"])
def test_rejects_are_shown_only_after_it_was_written_down_who_looks_and_why(path: str) -> None:
    office = in_front_of()
    report = office.keep_report()
    office.table.broken = True
    answer = office.post(f"/files/{report.report_id}/{path}", purpose="complaint")
    assert (answer.status, "C0003" in answer.body) == (503, False)
    office.table.broken = False
    answer = office.post(f"/files/{report.report_id}/{path}", purpose="complaint")
    assert (answer.status, "C0003" in answer.body) == (200, True)
    (entry,) = office.table.entries
    assert (entry.act, entry.subject_matter, entry.purpose) == ("opened_rejects", report.file_id, "complaint")


@pytest.mark.parametrize(
    ("language", "why"),
    [
        ("en", "<td>Write the date. <code"),
        ("zh-Hant", "<td>日期格式不對，請寫 YYYY-MM-DD <code"),
        ("zh-Hans", "<td>日期格式不对，请写 YYYY-MM-DD <code"),
    ],
)
def test_why_a_line_was_refused_is_read_in_the_language_of_the_page(language: str, why: str) -> None:
    office = in_front_of()
    report = office.keep_report()
    office.post("/language", language=language)
    assert why in office.post(f"/files/{report.report_id}/rejects", purpose="call").body


@pytest.mark.parametrize(
    ("role", "purpose", "status"),
    [(Role.ENGINEER, "call", 403), (Role.AGENT, "call", 403), (Role.MANAGER, "", 400), (Role.MANAGER, "mood", 400)],
)
def test_without_the_role_or_a_purpose_no_reject_is_shown(role: Role, purpose: str, status: int) -> None:
    office = in_front_of(role)
    report = office.keep_report()
    for path in ("rejects", "csv"):
        answer = office.post(f"/files/{report.report_id}/{path}", purpose=purpose)
        assert (answer.status, "C0003" in answer.body) == (status, False)
    assert office.table.entries == []


def test_rejects_that_a_newer_upload_of_the_name_has_replaced_are_not_taken_for_those_of_the_older() -> None:
    office = in_front_of()
    older = office.keep_report(uploaded_at=NOW - timedelta(days=1), file_id="0" * 32)
    newer = office.keep_report()
    assert office.post(f"/files/{older.report_id}/rejects", purpose="call").status == 404
    assert office.table.entries == []
    assert office.post(f"/files/{newer.report_id}/rejects", purpose="call").status == 200


def test_rejects_that_are_gone_and_files_that_never_were_are_no_fault_of_ours() -> None:
    office = in_front_of()
    report = office.keep_report()
    office.uploads.files.clear()
    answer = office.post(f"/files/{report.report_id}/rejects", purpose="call")
    assert (answer.status, "they are kept for a week" in answer.body) == (404, True)
    assert office.post("/files/20260101T000000000000Z-ffff/rejects", purpose="call").status == 404
    assert office.errors == []


def test_an_address_of_a_file_needs_no_escapes_and_holds_nothing_of_its_name() -> None:
    office = in_front_of()
    report = office.keep_report("accounts/秘密.csv")
    assert quote(report.report_id, safe="") == report.report_id
    assert re.findall(r'action="(/files/[^"]+)"', office.get("/files").body) == [f"/files/{report.report_id}/rejects"]


def test_rejects_are_offered_for_a_week_and_to_whoever_may_open_them() -> None:
    office = in_front_of()
    office.keep_report(ended_at=NOW - timedelta(days=7), rejects_key="rejects/a.csv")
    assert "Show what was refused" not in office.get("/files").body
    engineer = in_front_of(Role.ENGINEER)
    engineer.keep_report()
    page = engineer.get("/files").body
    assert "Show what was refused" not in page
    assert "A manager or compliance can open what was refused." in page


def test_a_long_reject_file_is_shown_in_part_and_says_so_and_is_whole_in_the_downloads() -> None:
    office = in_front_of()
    report = office.keep_report()
    heading = REJECTS.partition("\r\n")[0]
    count = REJECTS_A_DOWNLOAD + 5
    lines = [f"{number},C{number},phone,phone_invalid,Write it anew." for number in range(count)]
    office.uploads.files["rejects/a.csv"] = "\r\n".join([heading, *lines, ""]).encode("utf-8-sig")
    page = office.post(f"/files/{report.report_id}/rejects", purpose="audit").body
    assert f"The first {REJECTS_SHOWN} of 10,005 lines." in page
    assert page.count('<td class="num">') == REJECTS_SHOWN + 1
    rows: list[list[str]] = []
    for part in ("1", "2"):
        answer = office.post(f"/files/{report.report_id}/csv", purpose="audit", part=part)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="rejects-20261201-{part}.csv"'
        assert len(answer.body.encode()) < 6_000_000
        first, *rest = csv.reader(io.StringIO(answer.body.removeprefix("\ufeff")))
        assert first == heading.split(",")
        rows += rest
    assert [row[1] for row in rows] == [f"C{number}" for number in range(count)]


def test_what_the_intake_has_made_safe_for_spreadsheets_stays_as_it_is() -> None:
    office = in_front_of()
    report = office.keep_report()
    answer = office.post(f"/files/{report.report_id}/csv", purpose="audit")
    assert answer.body == "\ufeff" + REJECTS
