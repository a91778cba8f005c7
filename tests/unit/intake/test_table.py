"""Table: which files are tables of accounts, and the one clear reason why the others are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.services.intake.refusals import FileRefusedError, Refusal
from dunning.services.intake.rows import COLUMNS
from dunning.services.intake.table import RawRow, Table
from tests.support.lender_files import CHEN, WANG, csv_of, row

HEADER = ",".join(COLUMNS)


def rows_of(content: bytes | str, chunk: int = 7) -> list[RawRow]:
    data = content.encode() if isinstance(content, str) else content
    return list(Table(data[start : start + chunk] for start in range(0, len(data), chunk)))


def refused(content: bytes | str) -> tuple[Refusal, int, str]:
    with pytest.raises(FileRefusedError) as error:
        rows_of(content)
    return error.value.reason, error.value.line, error.value.field


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_file_may_have_a_bom_and_any_line_end(mark: bytes, end: str) -> None:
    rows = rows_of(mark + csv_of([WANG, CHEN], end=end).encode())
    assert [(r.line, r.customer_id, r.account_id) for r in rows] == [(2, "C-1001", "A-1"), (3, "C-1002", "A-2")]


def test_the_last_line_needs_no_end() -> None:
    assert len(rows_of(csv_of([WANG, CHEN]).rstrip())) == 2


def test_quoted_commas_quotes_and_newlines_belong_to_the_cell() -> None:
    (found,) = rows_of(csv_of([row(name='Wang, "Ming"\r\nJr.')]))
    assert found.cells
    assert found.cells[COLUMNS.index("name")] == 'Wang, "Ming"\r\nJr.'


def test_a_row_is_known_by_the_line_of_the_file_it_begins_in() -> None:
    rows = rows_of(csv_of([row(name="Wang\n\nMing"), CHEN]))
    assert [r.line for r in rows] == [2, 5]


def test_columns_may_be_in_any_order_any_case_and_with_others_between() -> None:
    columns = [*reversed(COLUMNS), "remarks"]
    table = Table([csv_of([row(remarks="x")], columns).replace("phone", " Phone ").encode()])
    (found,) = table
    assert found.cells == list(WANG.values()) or found.cells == tuple(WANG.values())
    assert table.columns_ignored == 1


@pytest.mark.parametrize("absent", [("late_fee",), ("written_notice_on",), ("written_notice_on", "late_fee")])
def test_a_file_from_before_there_were_notices_and_fees_still_loads(absent: tuple[str, ...]) -> None:
    known = [column for column in COLUMNS if column not in absent]
    noticed = WANG | {"written_notice_on": "2026-12-20", "late_fee": "100"}
    table = Table([csv_of([{column: noticed[column] for column in known}], known).encode()])
    (found,) = table
    assert found.cells is not None
    assert dict(zip(COLUMNS, found.cells, strict=True)) == noticed | dict.fromkeys(absent, "")
    assert table.columns_ignored == 0


def test_empty_lines_mean_nothing() -> None:
    assert len(rows_of(f"\r\n{csv_of([WANG])}\r\n{',' * 20}\r\n \r\n")) == 1


def test_a_line_with_too_few_or_too_many_cells_keeps_its_customer() -> None:
    short, long = rows_of(f"{HEADER}\nC-1001,Wang\n{','.join([*WANG.values(), ''])}\n")
    assert (short.customer_id, short.cells) == ("C-1001", None)
    assert (long.customer_id, long.cells) == ("C-1001", None)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b" "])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert refused(content) == (Refusal.EMPTY_FILE, 1, "")


def test_a_file_with_a_header_only_is_refused() -> None:
    assert refused(HEADER) == (Refusal.NO_ROWS, 1, "")


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1", b"\x1f\x8b\x08\x00", b"%PDF-1.7", b'{"customers": []}',
     b"<html><body>", b"C-1001,Wang,0912345678\n"],
)  # fmt: skip
def test_what_is_no_csv_of_accounts_is_refused(content: bytes) -> None:
    assert refused(content) == (Refusal.NOT_A_CSV, 1, "")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_named_as_the_reason(separator: str) -> None:
    assert refused(csv_of([WANG]).replace(",", separator)) == (Refusal.WRONG_SEPARATOR, 1, "")


def test_missing_columns_are_all_named() -> None:
    content = csv_of([WANG]).replace("phone", "mobile").replace("stage_reached", "stage")
    assert refused(content) == (Refusal.MISSING_COLUMNS, 1, "phone stage_reached")


def test_a_column_named_twice_is_refused() -> None:
    content = csv_of([row(remarks="")], [*COLUMNS, "remarks"]).replace("remarks", "phone")
    assert refused(content) == (Refusal.DUPLICATE_COLUMN, 1, "phone")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused_as_the_wrong_encoding(encoding: str) -> None:
    reason, line, _ = refused(csv_of([WANG]).encode(encoding))
    assert (reason, line) == (Refusal.WRONG_ENCODING, 1)


@pytest.mark.parametrize("encoding", ["big5", "gbk"])
def test_an_old_chinese_encoding_is_refused_naming_the_first_line_it_shows_in(encoding: str) -> None:
    english = row(name="Wang Ming", product="scooter")
    reason, line, _ = refused(csv_of([english] * 300 + [WANG]).encode(encoding))
    assert (reason, line) == (Refusal.WRONG_ENCODING, 302)


def test_a_nul_in_the_middle_is_refused() -> None:
    content = csv_of([WANG, row(CHEN, product="a\0b")])
    assert refused(content) == (Refusal.WRONG_ENCODING, 3, "")


@pytest.mark.parametrize("cell", ['"Wang', '"Wang"Ming'])
def test_broken_quoting_is_refused_naming_the_line_it_begins_in(cell: str) -> None:
    content = csv_of([WANG, row(CHEN, name="NAME")]).replace("NAME", cell)
    assert refused(content) == (Refusal.BROKEN_QUOTING, 3, "")


def test_a_quote_that_never_ends_does_not_fill_the_memory() -> None:
    content = csv_of([row(name="NAME")]).replace("NAME", '"Wang') + csv_of([CHEN] * 2000)
    assert refused(content) == (Refusal.BROKEN_QUOTING, 2, "")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(FileRefusedError):
        rows_of(content)


@given(st.lists(st.text(alphabet='王a,"\r\n', max_size=8), min_size=1, max_size=8), st.integers(1, 50))
def test_names_come_out_as_they_went_in_however_the_bytes_are_cut(names: list[str], chunk: int) -> None:
    content = "\ufeff" + csv_of([row(name=name) for name in names])
    assert [r.cells and r.cells[1] for r in rows_of(content, chunk)] == names
