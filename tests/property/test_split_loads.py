"""Any file in any number of parts comes to what it comes to as a whole: each customer, each reject, each count."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.services.intake.file_ids import FileIds
from dunning.services.intake.part_files import PartRows, PartWriter
from dunning.services.intake.refusals import FileRefusedError
from dunning.services.intake.spool import Spool
from dunning.services.intake.table import RawRow, Table
from tests.support.lender_files import CHEN, UPLOADED_AT, WANG, csv_of, row
from tests.support.split_loads import KEY, SplitOffice

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
NUMBERS = st.integers(1, 6)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from(["5", "1,000", "?", ""]),
        "due_on": st.sampled_from(["2026-12-20", "soon", "115/12/05"]),
        "name": st.sampled_from(["王小明", "", "王小明(已故)"]),
        "hold": st.sampled_from(["dispute", "opted_out", "later"]),
        "instalment_no": st.sampled_from(["1", "2", "3"]),
        "pay_account": st.sampled_from(["12345678901234567890", "12345678901234500000"]),
        "customer_id": st.sampled_from(["", "A123456789", "0912345678"]),
    },
)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, str]:
    """Draw a row of one of few customers, whose accounts and numbers others may have, too."""
    customer, account, phone = draw(NUMBERS), draw(NUMBERS), draw(NUMBERS)
    own = draw(st.booleans())
    changes = {
        "customer_id": f"C-{customer}",
        "account_id": f"A-{customer if own else account}",
        "phone": f"0912000{customer if own else phone:03d}",
        "account_number": f"9001-{customer if own else account:04d}",
    }
    return row(draw(st.sampled_from([WANG, CHEN])), **(changes | draw(CHANGES)))


@pytest.mark.slow(reason="two offices load each of a hundred files")
@given(st.lists(rows(), min_size=1, max_size=14), st.lists(rows(), max_size=6), st.integers(2, 9))
def test_a_split_file_comes_to_the_same_as_the_whole_file(
    file: list[dict[str, str]], before: list[dict[str, str]], parts: int
) -> None:
    left = []
    for number in (1, parts):
        office = SplitOffice()
        if before:
            office.load(csv_of(before), "accounts/before.csv", UPLOADED_AT - timedelta(days=1))
        office.parts = number
        office.publisher.published.clear()
        office.load(csv_of(file), KEY)
        counts = asdict(office.events[0]) | {"parts": 0}
        left.append((office.outcome(), counts, office.telemetry.counts))
    assert left[0] == left[1]


@given(st.lists(st.lists(CELLS, min_size=24, max_size=26), max_size=8), st.integers(1, 5))
def test_a_row_is_read_from_its_part_as_it_was_read_from_the_file(lines: list[list[str]], parts: int) -> None:
    heading = csv_of([])
    body = heading + "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\r\n" for cells in lines
    )
    try:
        table = [RawRow(*found) for found in Table([body.encode()])]
    except FileRefusedError:
        return
    with PartWriter(parts) as writer, FileIds(parts) as ids:
        assert writer.write(ids.watch(table)) == len(table)
        writer.contest(ids.contested())
        found = [(part, PartRows([body.read()])) for part, body in writer.finished()]
        read = sorted((number, part) for part, part_rows in found for number in part_rows)
        with Spool() as spool:
            spool.fill(table)
            assert ids.some_ids() == spool.some_ids()
    as_lists = [(number.line, *number[1:3], list(number.cells or []), number.fault) for number, _ in read]
    assert as_lists == [(given.line, *given[1:3], list(given.cells or []), given.fault) for given in table]
    homes: dict[str, set[int]] = {}
    for number, part in read:
        homes.setdefault(number.customer_id, set()).add(part)
    assert all(len(places) == 1 for customer_id, places in homes.items() if customer_id)
