"""Table: which files are tables of accounts, and the one clear reason why the others are not."""

import time
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.services.intake.heading_line import with_own_names
from dunning.services.intake.refusals import FileRefusedError, Refusal
from dunning.services.intake.rows import COLUMNS, Fault
from dunning.services.intake.table import RawRow, Table, file_form, read_file
from tests.support.builders import the_policies
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
    assert found.cells == tuple(WANG.values())
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
    short, long = rows_of(f"{HEADER}\nC-1001,Wang\n{','.join([*WANG.values(), 'x'])}\n")
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
     b"<html><body>"],
)  # fmt: skip
def test_what_is_no_csv_of_accounts_is_refused(content: bytes) -> None:
    assert refused(content) == (Refusal.NOT_A_CSV, 1, "")


def test_a_first_line_without_a_heading_is_named_as_the_reason() -> None:
    assert refused("C-1001,Wang,0912345678\n") == (Refusal.NO_HEADING, 1, "")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep=SIGN\r\n", '"sep=SIGN"\n'])
def test_another_separator_is_read_where_the_heading_shows_it(separator: str, first: str) -> None:
    content = first.replace("SIGN", separator) + csv_of([WANG]).replace(",", separator)
    (found,) = rows_of(content)
    assert found.cells == tuple(WANG.values())
    assert found.line == 2 + bool(first)


def test_missing_columns_are_all_named() -> None:
    content = csv_of([WANG]).replace("phone", "mobile").replace("stage_reached", "stage")
    assert refused(content) == (Refusal.MISSING_COLUMNS, 1, "phone stage_reached")


def test_a_column_named_twice_is_refused() -> None:
    content = csv_of([row(remarks="")], [*COLUMNS, "remarks"]).replace("remarks", "phone")
    assert refused(content) == (Refusal.DUPLICATE_COLUMN, 1, "phone")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_without_its_mark_is_refused_as_the_wrong_encoding(encoding: str) -> None:
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


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    def endless() -> Iterator[bytes]:
        yield csv_of([WANG]).encode()
        for _ in range(1000):
            yield b"x" * 65_536
        raise AssertionError("read on")

    with pytest.raises(FileRefusedError) as error:
        list(Table(endless()))
    assert (error.value.reason, error.value.line) == (Refusal.LINE_TOO_LONG, 3)


def test_a_row_of_many_quoted_lines_does_not_fill_the_memory_either() -> None:
    content = csv_of([WANG]) + '"' + '\n","' * 200_000
    assert refused(content)[0] is Refusal.LINE_TOO_LONG


@pytest.mark.parametrize(("codec", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")])
def test_utf_16_with_its_mark_is_read(codec: str, mark: bytes) -> None:
    (found,) = rows_of(mark + csv_of([WANG]).encode(codec))
    assert found.cells == tuple(WANG.values())


@pytest.mark.parametrize(
    ("codec", "name", "family"),
    [("cp950", "big5", "Big5"), ("gb18030", "gb18030", "GB18030")],
)
def test_an_encoding_is_read_if_it_is_named_and_guessed_if_not(codec: str, name: str, family: str) -> None:
    rows = [row(name="陳志豪" if name == "big5" else "张伟", product="") for _ in range(3)]
    content = csv_of(rows).encode(codec)
    found = read_file(lambda: nullcontext(iter([content])), file_form({}, name), list)
    assert [r.cells and r.cells[1] for r in found] == [entry["name"] for entry in rows]
    with pytest.raises(FileRefusedError) as error:
        read_file(lambda: nullcontext(iter([content])), file_form({}, ""), list)
    assert (error.value.looks_like, error.value.hint) == (family, f"It looks like {family}.")


def test_a_file_that_plainly_has_another_encoding_than_the_named_is_refused() -> None:
    content = csv_of([row(name="刘建国", product="手机分期付款合同")] * 3).encode("gb18030")
    with pytest.raises(FileRefusedError) as error:
        read_file(lambda: nullcontext(iter([content])), file_form({}, "big5"), list)
    assert error.value.looks_like == "GB18030"


def test_utf_8_is_utf_8_whatever_encoding_is_named() -> None:
    content = csv_of([WANG, CHEN]).encode()
    found = read_file(lambda: nullcontext(iter([content])), file_form({}, "gb18030"), list)
    assert [r.cells and r.cells[1] for r in found] == ["王小明", "陳美玲"]


def test_a_row_with_a_character_the_encoding_lacks_is_refused_alone() -> None:
    content = csv_of([WANG, row(CHEN, name="NAME"), WANG, WANG]).encode().replace(b"NAME", b"\xff\xfe")
    faults = [r.fault for r in rows_of(content)]
    assert faults == [None, Fault("name", Refusal.CHARACTER_LOST), None, None]


def test_headings_of_a_lender_are_read() -> None:
    content = csv_of([WANG]).replace("due_on", "應 繳 日").replace("phone", "Mobile No.").replace("hold,", "停催原因,")
    table = Table([content.encode()], with_own_names(the_policies().headings))
    (found,) = table
    assert found.cells == tuple(WANG.values())


def test_a_unit_in_a_heading_is_not_thrown_away() -> None:
    content = csv_of([WANG]).replace("amount,currency", "金額(千元),currency")
    with pytest.raises(FileRefusedError) as error:
        Table([content.encode()], with_own_names(the_policies().headings))
    assert (error.value.reason, error.value.field) == (Refusal.MISSING_COLUMNS, "amount")
    assert "金額(千元) (like amount)" in error.value.hint


def test_a_heading_that_is_nearly_an_optional_column_is_refused() -> None:
    content = csv_of([WANG]).replace("written_notice_on", "writen_notice_on")
    assert refused(content) == (Refusal.MISSPELT_HEADING, 1, "written_notice_on")


def test_a_line_that_may_be_data_is_not_quoted_as_a_heading() -> None:
    with pytest.raises(FileRefusedError) as error:
        rows_of(",".join(WANG.values()))
    assert "王小明" not in error.value.hint
    assert "0912" not in error.value.hint


def test_lines_that_are_no_rows_are_passed_over_and_named() -> None:
    width = len(COLUMNS)
    lines = ["報表", HEADER, ",".join(WANG.values()), ",".join(["合計", *[""] * (width - 2), "3250"]), HEADER,
             "-----" + ",---" * (width - 1), "製表日期：2026/12/01", ",".join(CHEN.values())]  # fmt: skip
    table = Table(["\r\n".join(lines).encode()])
    assert [r.line for r in table] == [3, 8]
    assert [(note.line, note.reason.value) for note in table.notes] == [
        (1, "title_passed_over"),
        (4, "total_passed_over"),
        (5, "heading_passed_over"),
        (6, "rule_passed_over"),
        (7, "remark_passed_over"),
    ]


@pytest.mark.parametrize("words", ["共2筆", "共 1,200 筆", "2 records", "合計2筆"])
def test_a_line_that_counts_the_rows_is_a_total(words: str) -> None:
    table = Table([f'{csv_of([WANG])}"{words}"{"," * (len(COLUMNS) - 1)}\r\n'.encode()])
    assert [r.line for r in table] == [2]
    assert [note.reason.value for note in table.notes] == ["total_passed_over"]


@pytest.mark.parametrize("more", [1, 2, 40])
@pytest.mark.parametrize("first", ["", "x", "王小明", "合計"])
def test_a_line_with_more_cells_than_a_heading_without_the_optional_columns_ends_no_load(first: str, more: int) -> None:
    columns = [column for column in COLUMNS if column not in {"late_fee", "pay_account"}]
    behind = [first, *["y"] * (len(columns) + more - 1)]
    (good, found) = rows_of(csv_of([{name: WANG[name] for name in columns}], columns) + ",".join(behind) + "\r\n")
    assert good.customer_id == "C-1001"
    assert (found.cells, found.fault) == (None, Fault("", Refusal.WRONG_FIELD_COUNT))


def test_a_heading_line_of_thousands_of_unknown_columns_is_read_in_no_time() -> None:
    form = file_form(the_policies().headings, "")
    unknown = ",".join(f"amo{number}unt" for number in range(3000))
    lines = f"{HEADER},{unknown}\r\n{','.join(WANG.values())}\r\n".encode()
    began = time.process_time()
    table = read_file(lambda: nullcontext(iter([lines])), form, lambda table: table)
    assert table.columns_ignored == 3000
    assert time.process_time() - began < 3


@pytest.mark.parametrize("sign", ["_", " ", "-", "_ -", "\u3000"])
def test_a_total_behind_a_long_gap_is_a_total_and_a_gap_that_ends_in_none_is_soon_read(sign: str) -> None:
    gap = (sign * 180)[:180]
    began = time.process_time()
    table = Table([f'{csv_of([WANG])}"合{gap}total"{"," * (len(COLUMNS) - 1)}\r\n'.encode()])
    assert [r.line for r in table] == [2]
    assert [note.reason.value for note in table.notes] == ["total_passed_over"]
    lines = f'"合{gap}x"{("," + "合" + gap + "x") * (len(COLUMNS) - 1)}\r\n' * 20
    assert len(rows_of(csv_of([WANG]) + lines, 4096)) == 21
    assert time.process_time() - began < 0.5


def test_a_row_that_lost_its_customer_to_merged_cells_belongs_to_the_customer_above() -> None:
    merged = row(customer_id="", name="", phone="", instalment_no="2")
    assert [r.customer_id for r in rows_of(csv_of([WANG, merged, CHEN]))] == ["C-1001", "C-1001", "C-1002"]


def test_a_row_without_a_customer_but_with_a_name_of_its_own_belongs_to_nobody() -> None:
    assert [r.customer_id for r in rows_of(csv_of([WANG, row(CHEN, customer_id="")]))] == ["C-1001", ""]


def test_an_id_that_a_spreadsheet_has_made_a_number_counts_for_the_same_customer() -> None:
    rows = rows_of(csv_of([row(customer_id="1001"), row(customer_id="1001.0", instalment_no="2")]))
    assert [r.customer_id for r in rows] == ["1001", "1001"]


def test_empty_cells_that_a_spreadsheet_leaves_out_at_the_end_are_empty() -> None:
    line = ",".join([*list(WANG.values())[: COLUMNS.index("currency") + 1]])
    (found,) = rows_of(f"{HEADER}\n{line}\n")
    assert found.cells == tuple(WANG.values())
