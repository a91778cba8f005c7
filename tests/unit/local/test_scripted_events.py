"""A user's events are read to their end and checked against the accounts before a run begins."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.local.portfolio import Portfolio, read_portfolio
from tests.local.scripted_events import ScriptedEventsError, outside_run, read_scripted_events

AT = "2026-12-01T12:00:00+08:00"
ACCOUNTS = """\
customer_id,account_id,instalment_no,phone,country
C1,A1,1,0933-111-222,TW
C1,A2,1,0933-111-222,TW
C2,B1,1,138 1234 5678,CN
C3,D1,1,not a number,TW
"""
PAID = {"customer_id": "C1", "account_id": "A1", "instalment_no": 1, "paid": 100, "currency": "TWD"}


@pytest.fixture
def portfolio() -> Portfolio:
    found = read_portfolio(ACCOUNTS.encode(), "mine.csv")
    assert found is not None
    return found


def _file(*lines: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps({"at": AT, **line}, ensure_ascii=False) for line in lines).encode()


def _refusal(portfolio: Portfolio | None, *lines: dict[str, Any]) -> str:
    with pytest.raises(ScriptedEventsError) as refused:
        read_scripted_events(_file(*lines), "mine.jsonl", portfolio)
    return str(refused.value)


@pytest.mark.parametrize("written", ["0933111222", "0933-111-222", "+886 933 111 222", "+886933111222"])
def test_a_number_is_understood_as_its_owner_writes_it(written: str, portfolio: Portfolio) -> None:
    reply, receipt = read_scripted_events(
        _file({"reply": {"from": written, "text": "x"}}, {"receipt": {"to": written}}), "mine.jsonl", portfolio
    )
    assert reply.detail == {"from": "+886933111222", "text": "x"}
    assert receipt.detail == {"to": "+886933111222"}


@pytest.mark.parametrize("written", ["0933111223", "+886933111223", "12", "", "+1"])
def test_a_number_of_nobody_is_refused_by_line_and_field(written: str, portfolio: Portfolio) -> None:
    refusal = _refusal(portfolio, {"reply": {"from": "0933111222", "text": "x"}}, {"receipt": {"to": written}})
    assert refusal.startswith("mine.jsonl:2: receipt.to: no customer of mine.csv has this number")


def test_a_number_that_two_countries_write_alike_is_refused_with_the_fix() -> None:
    rows = "C1,A1,91234567,HK\nC2,A2,91234567,SG\n"
    both = read_portfolio(f"customer_id,account_id,phone,country\n{rows}".encode(), "mine.csv")
    refusal = _refusal(both, {"receipt": {"to": "9123 4567"}})
    assert refusal == (
        "mine.jsonl:1: receipt.to: is a number of several countries: write it with + and the country's code"
    )


def test_an_unknown_customer_or_account_is_refused_with_the_nearest(portfolio: Portfolio) -> None:
    refusal = _refusal(
        portfolio,
        {"event": "InstalmentPaid", "detail": {**PAID, "customer_id": "C11"}},
        {"event": "InstalmentPaid", "detail": {**PAID, "account_id": "A11"}},
        {"event": "AccountClosed", "detail": {"customer_id": "C2", "account_id": "A1"}},
    )
    assert refusal.splitlines() == [
        "mine.jsonl:1: detail.customer_id: no customer of mine.csv has this id; did you mean C1?",
        "mine.jsonl:2: detail.account_id: C1 has no such account in mine.csv; did you mean A1?",
        "mine.jsonl:3: detail.account_id: C2 has no such account in mine.csv",
    ]


def test_a_payment_of_an_instalment_that_nothing_knows_is_refused(portfolio: Portfolio) -> None:
    refusal = _refusal(portfolio, {"event": "InstalmentPaid", "detail": {**PAID, "instalment_no": 2}})
    assert refusal == (
        "mine.jsonl:1: detail.instalment_no: A1 has no such instalment in mine.csv, nor by an InstalmentChanged"
    )


def test_a_payment_of_an_instalment_that_another_event_brings_is_fine(portfolio: Portfolio) -> None:
    paid = {"event": "InstalmentPaid", "detail": {**PAID, "instalment_no": 2}}
    known = {name: PAID[name] for name in ("customer_id", "account_id", "currency")}
    detail = {**known, "instalment_no": 2, "due_on": "2026-12-31", "amount": 100}
    assert (
        len(
            read_scripted_events(_file(paid, {"event": "InstalmentChanged", "detail": detail}), "mine.jsonl", portfolio)
        )
        == 2
    )


def test_bad_lines_are_reported_up_to_ten() -> None:
    lines = read_errors(b"x\n" * 9 + _file({"receipt": {}}))
    assert [line.split(": ")[0] for line in lines] == [f"mine.jsonl:{number}" for number in range(1, 11)]
    lines = read_errors(b"x\n" * 12)
    assert len(lines) == 11
    assert lines[-1] == "mine.jsonl: 2 more lines are wrong"


def read_errors(body: bytes) -> list[str]:
    with pytest.raises(ScriptedEventsError) as refused:
        read_scripted_events(body, "mine.jsonl")
    return str(refused.value).splitlines()


@pytest.mark.parametrize("line", ["[" * 100_000, '{"at": ' * 50_000, '{"at": ' + "9" * 10_000 + "}"])
def test_a_line_that_no_reader_of_json_takes_is_refused_like_any_other(line: str) -> None:
    assert read_errors(line.encode()) == [
        "mine.jsonl:1: is nested too deeply, or holds a number of thousands of digits"
    ]


def test_a_separator_of_lines_within_a_text_is_no_end_of_line() -> None:
    (reply,) = read_scripted_events(_file({"reply": {"from": "+886933111222", "text": "a\u2028b"}}), "mine.jsonl")
    assert reply.detail["text"] == "a\u2028b"


def test_events_are_in_order_and_say_where_they_are_written(portfolio: Portfolio) -> None:
    later = {"at": "2026-12-02T00:00:00Z", "receipt": {"to": "0933111222"}}
    events = read_scripted_events(_file(later, {"event": "InstalmentPaid", "detail": PAID}), "mine.jsonl", portfolio)
    assert [(event.kind, event.where) for event in events] == [
        ("InstalmentPaid", "mine.jsonl:2"),
        ("receipt", "mine.jsonl:1"),
    ]


def test_events_before_and_after_a_run_are_found() -> None:
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    moments = (begin - timedelta(seconds=1), begin, begin + timedelta(days=1))
    lines = [{"at": moment.isoformat(), "receipt": {"to": "+886933111222"}} for moment in moments]
    left_out = outside_run(read_scripted_events(_file(*lines), "mine.jsonl"), begin, begin + timedelta(days=1))
    assert [event.where for event in left_out] == ["mine.jsonl:1", "mine.jsonl:3"]


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04\xff", b"customer_id;phone\n", b"a,b\n1,2\n"])
def test_accounts_that_cannot_be_read_are_no_portfolio(body: bytes) -> None:
    assert read_portfolio(body, "mine.csv") is None


def test_an_event_at_the_end_of_all_years_with_a_time_of_its_own_is_read() -> None:
    closed = {"customer_id": "C1", "account_id": "A1", "at": "2026-12-01T00:00:00Z"}
    line = {"at": "9999-12-31T23:59:59+00:00", "event": "AccountClosed", "detail": closed}
    (event,) = read_scripted_events(json.dumps(line).encode(), "mine.jsonl")
    assert event.at.year == 9999


@pytest.mark.parametrize(("kind", "field"), [("reply", "text"), ("reply", "from"), ("receipt", "response")])
def test_half_a_character_is_refused_by_line_and_field(kind: str, field: str) -> None:
    detail = {"reply": {"from": "+886933111222", "text": "x"}, "receipt": {"to": "+886933111222"}}[kind]
    line = {"at": AT, kind: {**detail, field: "x\ud83d"}}
    with pytest.raises(ScriptedEventsError, match=rf"^mine\.jsonl:1: {kind}\.{field}: holds half a character"):
        read_scripted_events(json.dumps(line).encode(), "mine.jsonl")
