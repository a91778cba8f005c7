"""What came of a file is kept for people to look at: what was counted, why it was refused, and no name of a person."""

from datetime import timedelta

import pytest

from dunning.domain.outbound_events import FileLoaded
from dunning.ports.file_loads import FileReport
from dunning.services.intake.intake import tells_of_nobody
from tests.support.lender_files import UPLOADED_AT, WANG, Office, csv_of
from tests.support.people import NOW


@pytest.fixture
def office() -> Office:
    return Office()


def report_of(office: Office) -> FileReport:
    (report,) = office.store.reports.values()
    return report


def test_a_load_is_kept_with_what_was_counted_and_where_its_rejects_are(office: Office) -> None:
    office.load_rows(WANG, WANG | {"customer_id": "C9", "account_id": "A9", "phone": "0911"})
    report = report_of(office)
    assert (report.name, report.uploaded_at, report.ended_at) == ("accounts/file.csv", UPLOADED_AT, NOW)
    assert (report.rows, report.customers_loaded, report.customers_refused, report.rows_refused) == (2, 1, 1, 1)
    assert (report.refused, report.rejects_key) == ("", "rejects/file.csv")
    assert report.expires_at == NOW + timedelta(days=35)


def test_a_file_that_is_refused_whole_is_kept_too_with_line_field_and_what_is_particular(office: Office) -> None:
    columns = [name for name in WANG if name != "due_on"]
    office.load(csv_of([{name: WANG[name] for name in columns}], columns))
    report = report_of(office)
    assert (report.refused, report.line, report.field) == ("missing_columns", 1, "due_on")
    assert report.rejects_key == "rejects/file.csv"
    logged = [fields for _, fields in office.telemetry.events]
    assert not any({"field", "hint", "line"} & fields.keys() - {"line"} for fields in logged)


def test_the_same_load_once_more_takes_the_place_of_its_report(office: Office) -> None:
    office.load_rows(WANG)
    office.load_rows(WANG)
    assert report_of(office).customers_unchanged == 1


def test_a_load_that_cannot_be_kept_tells_nobody_that_it_has_ended(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: FileReport) -> None:
        raise OSError("full")

    monkeypatch.setattr(office.store, "keep_report", refuse)
    with pytest.raises(OSError, match="full"):
        office.load_rows(WANG)
    assert not any(isinstance(event, FileLoaded) for event in office.publisher.published)


def test_a_name_that_may_say_who_somebody_is_is_not_kept_and_its_report_no_longer_than_the_file(
    office: Office,
) -> None:
    office.load(csv_of([WANG]), name="王小明.csv")
    report = report_of(office)
    assert (report.name, report.expires_at) == ("", NOW + timedelta(days=8))
    office.store.reports.clear()
    office.load_list(WANG)
    assert report_of(office).list_of == "demo-tw"


@pytest.mark.parametrize(
    ("key", "may_leave"),
    [
        ("accounts/daily.csv", True),
        ("accounts/accounts-2026-12-01.csv", True),
        ("accounts/20261201T093000.csv", True),
        ("accounts/2026-12-01_09-30.csv", True),
        ("complete/demo-tw/list-12.csv", True),
        ("accounts/0912345678.csv", False),
        ("accounts/list-0912-345-678.csv", False),
        ("accounts/A123456789.csv", False),
        ("accounts/0912345678/list.csv", False),
        ("accounts/202612010912345678.csv", False),
        ("accounts/王小明.csv", False),
        ("accounts/wang@example.com.csv", False),
    ],
)
def test_the_name_of_a_file_leaves_only_if_it_has_no_number_that_may_be_a_persons(key: str, *, may_leave: bool) -> None:
    assert tells_of_nobody(key) is may_leave
