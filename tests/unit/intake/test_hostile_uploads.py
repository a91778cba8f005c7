"""Hostile uploads: formulas, names of files that play tricks, nesting, and a file of a gigabyte."""

import re

import pytest

from dunning.services.intake.file_order import FileOrder
from dunning.services.intake.intake import rejects_key
from dunning.services.intake.refusals import EXPLANATIONS, REJECT_COLUMNS, Refusal, Refused, reject_cells
from dunning.services.intake.rows import COLUMNS
from dunning.services.optimistic import ContestedError
from tests.support.fakes import FakeCustomers
from tests.support.lender_files import CHEN, NOW, UPLOADED_AT, WANG, Office, csv_of, row
from tests.support.peak_memory import needs_proc, run_alone

FORMULAS = (
    '=HYPERLINK("http://x","a")', "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1+1", "＠A1", "'=1+1",
    '"=1+1"', " =1+1", "\u200b=1", "\u202e=1", "=cmd|' /C calc'!A0", "a;=1+1", "a|=1+1",
)  # fmt: skip
_CELL_OF_A_SPREADSHEET = re.compile(r"[\s\"`\u200b-\u200f\u202a-\u202e]*[=+@＝＋＠－-]")


def assert_no_formula(office: Office) -> None:
    """No cell of a reject file begins as a formula, whether a spreadsheet parts cells at commas or at semicolons."""
    for lines in office.uploads.rejects.values():
        for cells in lines[1:]:
            for cell in cells:
                for part in re.split(r"[;|\t]", cell):
                    assert not _CELL_OF_A_SPREADSHEET.match(part), cells
                assert cell.replace("\n", " ").isprintable(), cells


# ------------------------------------------------------------------ formulas


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_formula_in_any_cell_reaches_no_reject_file(column: str, formula: str) -> None:
    office = Office()
    office.load_rows(row(WANG, **{column: formula}), row(CHEN, due_on="soon"))
    assert "C-1002" in {customer_id for _, customer_id, *_ in office.rejects}
    assert_no_formula(office)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_a_heading_reaches_no_reject_file(formula: str) -> None:
    written = '"' + formula.replace('"', '""') + '"'
    for heading in (
        ",".join(COLUMNS) + f",{written}",
        ",".join(COLUMNS[:-6]) + f",{written}",
        ",".join(COLUMNS).replace("hold_until", written),
        ",".join(COLUMNS) + f',"{formula[:1].replace(chr(34), chr(39))}name"',
        ",".join([written] * 12),
    ):
        office = Office()
        office.load(f"{heading}\r\n{','.join(['x'] * (heading.count(',') + 1))}\r\n")
        assert office.rejects
        assert_no_formula(office)


def test_an_id_that_begins_as_a_formula_is_written_as_text_and_is_still_that_id() -> None:
    office = Office()
    office.load_rows(row(WANG, customer_id="-A1", due_on="soon"))
    ((_, shown, field, _),) = office.rejects
    assert (shown, field) == ("'-A1", "due_on")
    office.load_rows(row(WANG, customer_id=shown))
    assert "-A1" in office.store.facts


def test_only_what_begins_as_a_formula_gets_an_apostrophe() -> None:
    assert reject_cells(Refused(2, "C-1", "phone", Refusal.PHONE_INVALID))[1] == "C-1"
    assert reject_cells(Refused(2, "", "", Refusal.NO_ROWS))[1] == ""


def test_no_explanation_of_ours_is_a_formula() -> None:
    assert not [text for text in (*EXPLANATIONS.values(), *REJECT_COLUMNS) if _CELL_OF_A_SPREADSHEET.match(text)]


# ------------------------------------------------------------------ names of files

TRICKS = (
    "accounts/../complete/demo-tw/x.csv", "accounts/./x.csv", "accounts//x.csv", "accounts//etc/passwd",
    "accounts/..\\..\\x.csv", "accounts/C:\\x.csv", "accounts/\x00.csv", "accounts/\u202evsc.x", "accounts/a\nb.csv",
    "accounts/%2e%2e%2fx.csv", "accounts/a+b c.csv", "accounts/e\u0301.csv", "accounts/\u00e9.csv",
    "accounts/complete/demo-tw/x.csv", "Complete/demo-tw/x.csv", "complete\\demo-tw\\x.csv", "ｃomplete/demo-tw/x.csv",
    " complete/demo-tw/x.csv", "/complete/demo-tw/x.csv", "./complete/demo-tw/x.csv",
)  # fmt: skip


@pytest.mark.parametrize("key", TRICKS)
def test_a_name_is_a_name_and_no_path_and_only_what_lies_below_complete_is_a_whole_list(key: str) -> None:
    office = Office()
    office.load_rows(row(CHEN), at=UPLOADED_AT)
    office.uploads.rejects.clear()
    office.uploads.files[key] = csv_of([row(WANG), row(CHEN, due_on="soon")]).encode()
    summary = office.service.load("bucket", key, NOW)
    assert (summary.refused, summary.customers_loaded, summary.not_in_list) == ("", 1, 0)
    assert list(office.uploads.rejects) == [f"rejects/{key.removeprefix('accounts/')}"]
    assert office.store.facts["C-1002"].not_in_list_since is None


@pytest.mark.parametrize(
    "key",
    ["complete/x.csv", "complete//x.csv", "complete/demo-tw", "complete/DEMO-TW/x.csv", "complete/demo-tw /x.csv",
     "complete/demo-tw\u200b/x.csv", "complete/../demo-tw/x.csv", "complete/demo‐tw/x.csv", "complete/demo-tw%2Fx.csv"],
)  # fmt: skip
def test_a_whole_list_of_a_lender_who_is_not_exactly_ours_silences_nobody(key: str) -> None:
    office = Office()
    office.load_rows(row(CHEN))
    before = dict(office.store.lender_records)
    office.uploads.files[key] = csv_of([row(WANG)]).encode()
    assert office.service.load("bucket", key, NOW).refused == "unknown_list"
    assert office.store.lender_records == before


@pytest.mark.parametrize(
    "key",
    ["complete/demo-tw/" + "a" * 1007, "complete/demo-tw/" + "長" * 335, "x" * 1024, "長" * 341],
    ids=["list", "chinese list", "elsewhere", "chinese"],
)
def test_the_refusals_of_the_longest_name_have_a_name_that_s3_takes(key: str) -> None:
    assert len(key.encode()) <= 1024
    written = rejects_key(key)
    assert written.startswith("rejects/")
    assert len(written.encode()) <= 1024
    other = f"{key[:-1]}b"
    assert rejects_key(other) != written, "two files would share their refusals"


def test_the_name_of_a_file_reaches_no_error() -> None:
    class Contested(FakeCustomers):
        def save_loads(self, *_: object, **__: object) -> bool:
            return False

    with pytest.raises(ContestedError) as contested:
        FileOrder(Contested()).begin("accounts/王小明 0912345678.csv", UPLOADED_AT, NOW)
    assert "王小明" not in str(contested.value)
    assert "0912345678" not in str(contested.value)


# ------------------------------------------------------------------ a gigabyte

_LOAD_ALONE = """
from contextlib import contextmanager
from tests.support.lender_files import UPLOADED_AT, WANG, Office, row
from tests.support.peak_memory import peak_mb
from tests.support.split_loads import SplitOffice
from dunning.services.intake.rows import COLUMNS
from dunning.services.intake.split_load import number_of_parts

def chunks(megabytes):
    yield (",".join(COLUMNS) + ",remark\\r\\n").encode()
    written = number = 0
    while written < megabytes << 20:
        number += 1
        person = row(WANG, customer_id=f"C-{number % 40:03d}", instalment_no=str(number // 40 + 1),
                     account_id=f"A-{number % 40:03d}", phone=f"09{12000000 + number % 40}")
        line = (",".join(person[column] for column in COLUMNS) + "," + "r" * 60_000 + "\\r\\n").encode()
        written += len(line)
        yield line

def opening(megabytes):
    @contextmanager
    def opened(bucket, key):
        yield chunks(megabytes)
    return opened

def whole(megabytes):
    office = Office()
    office.uploads.open = opening(megabytes)
    summary = office.service.load("bucket", "accounts/large.csv", UPLOADED_AT)
    assert summary.refused == "", summary
    return summary

def in_parts(megabytes):
    office = SplitOffice(number_of_parts(megabytes << 20))
    office.uploads.open = opening(megabytes)
    office.service(megabytes << 20).split("bucket", "accounts/large.csv", UPLOADED_AT, megabytes << 20)
    office.drain()
    (loaded,) = office.events
    assert loaded.parts == number_of_parts(megabytes << 20)
    return loaded

def measure(load, megabytes):
    loaded = load(megabytes)
    assert (loaded.customers_loaded, loaded.customers_refused, loaded.rows_refused) == (40, 0, 0), loaded
    return loaded.rows, peak_mb()

print(*measure(LOAD, 64), *measure(LOAD, 1024))
"""
MOST_GROWTH_MB = 64
LAMBDA_MB = 1769
"""What the function has: MemorySize in template.yaml."""


@needs_proc
@pytest.mark.slow(reason="a gigabyte is read, in a process whose memory is measured")
@pytest.mark.parametrize("load", ["whole", "in_parts"])
def test_a_gigabyte_takes_hardly_more_memory_than_a_sixteenth_of_it(load: str) -> None:
    printed = run_alone(_LOAD_ALONE.replace("measure(LOAD,", f"measure({load},"))
    small_rows, small_mb, rows, mb = map(int, printed.split())
    assert rows > 15 * small_rows
    assert mb - small_mb <= MOST_GROWTH_MB, printed
    assert mb < LAMBDA_MB / 4, printed
