"""Payments that come during a run."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from dunning.services.intake.table import file_form
from tests.local.payments import Payment, count_customers, lenders_in, with_lender
from tests.local.payments import split as split_by
from tests.support.builders import the_policies
from tests.support.lender_files import csv_of, row

BEGIN = datetime(2026, 11, 30, 16, tzinfo=UTC)
"""Midnight of 1 December in UTC+8."""


def split(body: bytes) -> tuple[bytes, list[Payment]]:
    return split_by(body, begin=BEGIN, places=the_policies().places)


HEADER = ("customer_id", "country", "time_zone", "account_id", "paid_on", "paid_amount")
ALIKE = ("instalment_no", "amount", "currency")


def _file(*rows: Sequence[str], header: Sequence[str] = HEADER) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([(*header, *ALIKE), *((*row, "1", "3250", "TWD") for row in rows)])
    return text.getvalue().encode()


def _rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    ("codec", "encoding", "separator"),
    [("utf-8-sig", "", ","), ("utf-16", "", "\t"), ("cp950", "big5", ","), ("utf-8", "", ";")],
)
def test_a_file_is_split_as_the_intake_reads_it_and_stays_in_its_encoding(
    codec: str, encoding: str, separator: str
) -> None:
    form = file_form(the_policies().headings, encoding)
    text = "報表\r\n" + csv_of([row(paid_on="115/12/09")]).replace("paid_on", "實繳日").replace(",", separator)
    first, (payment,) = split_by(text.encode(codec), begin=BEGIN, places=the_policies().places, form=form)
    assert payment.at == datetime(2026, 12, 8, 16, tzinfo=UTC)
    assert first.decode(codec) == text.replace("115/12/09", "")
    assert lenders_in(first, form) == {"demo-tw"}


def test_what_was_paid_before_the_run_stays_in_the_first_file() -> None:
    body = _file(("C1", "TW", "", "A1", "2026-11-30", "100"), ("C2", "TW", "", "A2", "", ""))
    assert split(body) == (body, [])


def test_a_payment_on_the_first_day_is_known_at_its_beginning() -> None:
    body = _file(("C1", "TW", "", "A1", "2026-12-01", "100"))
    assert split(body) == (body, [])


def test_the_first_day_has_not_begun_yet_in_america() -> None:
    _, messages = split(_file(("C1", "US", "", "A1", "2026-12-01", "100")))
    assert [message.at for message in messages] == [datetime(2026, 12, 1, 5, tzinfo=UTC)]


def test_a_later_payment_is_blanked_and_comes_as_an_event_at_the_start_of_its_day() -> None:
    first, (payment,) = split(_file(("C1", "TW", "", "A1", "2026-12-04", "100")))
    assert _rows(first)[0]["paid_on"] == _rows(first)[0]["paid_amount"] == ""
    assert payment == Payment(datetime(2026, 12, 3, 16, tzinfo=UTC), "C1", "A1", 1, 10_000, "TWD")


def test_a_day_without_an_amount_is_a_payment_in_full() -> None:
    _, (payment,) = split(_file(("C1", "TW", "", "A1", "2026-12-04", "")))
    assert payment.paid == 325_000


def test_a_payment_comes_as_the_event_the_lenders_systems_publish() -> None:
    _, (payment,) = split(_file(("C1", "TW", "", "A1", "2026-12-04", "100")))
    event = payment.event()
    assert (event.kind, event.detail["paid"], event.detail["at"]) == (
        "InstalmentPaid",
        10_000,
        "2026-12-03T16:00:00+00:00",
    )


@pytest.mark.parametrize("written", ["2026/12/4", "２０２６-12-04", " 2026-12-04 "])
def test_days_are_read_as_the_intake_reads_them(written: str) -> None:
    _, payments = split(_file(("C1", "TW", "", "A1", written, "100")))
    assert [payment.at for payment in payments] == [datetime(2026, 12, 3, 16, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("country", "time_zone", "hour"),
    [
        ("TW", "", 16),
        ("HK", "", 16),
        ("US", "", 5),
        ("US", "America/Los_Angeles", 8),
        ("us", "no such zone", 5),
        ("GB", "", 0),
        ("??", "", 0),
    ],
)
def test_a_day_begins_where_the_customer_lives(country: str, time_zone: str, hour: int) -> None:
    _, (message,) = split(_file(("C1", country, time_zone, "A1", "2026-12-04", "9")))
    assert message.at.hour == hour
    assert message.at.day == (3 if hour == 16 else 4)


def test_payments_come_in_the_order_of_their_days_whatever_the_order_of_the_rows() -> None:
    first, payments = split(
        _file(
            ("C1", "TW", "", "A1", "2026-12-09", "2"),
            ("C1", "TW", "", "A1", "2026-12-04", "1"),
            ("C2", "TW", "", "A2", "", ""),
            ("C1", "TW", "", "A3", "2026-11-02", "3"),
        )
    )
    assert [row["paid_amount"] for row in _rows(first)] == ["", "", "", "3"]
    assert [payment.paid for payment in payments] == [100, 200]


def test_lines_of_the_first_file_stay_where_they_are() -> None:
    body = (
        b"customer_id,country,paid_on,instalment_no,amount,currency,name\r\n\r\n"
        b'C1,TW,2026-12-04,1,9,TWD,"a\nb"\r\nC2,TW\r\n\r\nC3,TW,,1,9,TWD,x,y\r\n'
    )
    first, _ = split(body)
    assert first == body.replace(b"2026-12-04", b"")


def test_a_byte_order_mark_stays() -> None:
    first, payments = split(b"\xef\xbb\xbf" + _file(("C1", "TW", "", "A1", "2026-12-04", "1")))
    assert first.startswith(b"\xef\xbb\xbf")
    assert len(payments) == 1


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04\xff", "分期".encode("big5"), b"a,b\n", b"no header at all"])
def test_what_cannot_be_read_is_left_to_the_intake(body: bytes) -> None:
    assert split(body) == (body, [])


def test_customers_and_rows_are_counted() -> None:
    rows = [("C1", "TW", "", "A1", "", ""), ("C1", "TW", "", "A2", "", ""), ("C2", "TW", "", "A3", "", "")]
    assert count_customers(_file(*rows)) == (2, 3)
    assert count_customers(b"\xff") == (0, 0)


@pytest.mark.parametrize("amount", ["-5", "0", "0.00", "ten"])
def test_a_payment_that_cannot_be_is_left_for_the_intake_to_refuse(amount: str) -> None:
    body = _file(("C1", "TW", "", "A1", "2026-12-04", amount))
    assert split(body) == (body, [])


def test_a_day_begins_where_the_region_is() -> None:
    header = ("customer_id", "country", "region", "account_id", "paid_on", "paid_amount")
    _, (message,) = split(_file(("C1", "US", "HI", "A1", "2026-12-04", ""), header=header))
    assert message.at == datetime(2026, 12, 4, 10, tzinfo=UTC)


def test_a_lender_is_put_into_every_row_and_lines_stay_where_they_are() -> None:
    body = b'customer_id,lender,name\r\nC1,demo-tw,"a\nb"\r\n\r\nC2,x\r\n'
    assert with_lender(body, "mine") == b'customer_id,lender,name\r\nC1,mine,"a\nb"\r\n\r\nC2,x\r\n'


def test_a_file_without_a_column_for_the_lender_gets_one() -> None:
    assert with_lender(b"customer_id\r\nC1\r\n", "mine") == b"customer_id,lender\r\nC1,mine\r\n"


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04\xff"])
def test_a_lender_changes_nothing_of_what_is_no_csv(body: bytes) -> None:
    assert with_lender(body, "mine") == body
