"""Intake: customers are loaded whole or not at all, once or again, and refusals give nobody away."""

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.customer.lender_record import (
    END_OF_DAY,
    FILE_LAG,
    LenderRecord,
    erase_record,
    forget_former_addresses,
)
from dunning.domain.customer.standing import AddressSince, LedgerEntry, Progress, Standing, Wake
from dunning.domain.decision.decisions import Send
from dunning.domain.errors import DunningError, RecordTooLargeError, ServiceCallError, UnreadableRecordError
from dunning.ports.customers import StoredCustomer
from dunning.services.intake.cells import read_instant
from dunning.services.intake.intake import MOST_ROWS_A_CUSTOMER, rejects_key
from dunning.services.intake.refusals import EXPLANATIONS, REJECT_COLUMNS, Refusal
from dunning.services.intake.rows import COLUMNS
from tests.support.builders import policies_with_lender, store_facts
from tests.support.lender_files import CHEN, NOW, UPLOADED_AT, WANG, Office, csv_of, row

LATER = UPLOADED_AT + timedelta(days=1)


# ------------------------------------------------------------------ loading


def test_rows_of_a_customer_anywhere_in_the_file_become_one_customer(office: Office) -> None:
    summary = office.load_rows(
        row(instalment_no="2", due_on="2027-01-05"),
        CHEN,
        row(account_id="A-0", account_number="9001-0000-1111", amount="100", hold="dispute"),
        row(paid_on="2026-11-30", stage_reached="3"),
    )
    assert (summary.rows, summary.customers_loaded, summary.customers_refused) == (4, 2, 0)
    assert office.store.facts["C-1001"] == Facts(
        customer_id="C-1001",
        name="王小明",
        phone="+886912345678",
        phone_country="TW",
        country="TW",
        region="",
        language="zh-Hant",
        time_zone="Asia/Taipei",
        lender="demo-tw",
        consented_at=datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
        accounts=(
            Account(
                account_id="A-0",
                tail="1111",
                currency="TWD",
                instalments=(Instalment(number=1, due_on=date(2026, 12, 5), amount=10000),),
                product="機車分期",
            ),
            Account(
                account_id="A-1",
                tail="5678",
                currency="TWD",
                instalments=(
                    Instalment(number=1, due_on=date(2026, 12, 5), amount=325000, paid=325000, stage_reached=3),
                    Instalment(number=2, due_on=date(2027, 1, 5), amount=325000),
                ),
                product="機車分期",
            ),
        ),
        holds=(Hold(HoldReason.DISPUTE),),
        as_of=UPLOADED_AT,
        paid_as_of=UPLOADED_AT - FILE_LAG,
    )


def test_only_the_last_digits_of_an_account_number_are_kept(office: Office) -> None:
    office.load_rows(WANG)
    assert "1234" not in repr(office.store.facts["C-1001"].accounts)


def test_a_customer_is_given_the_wake_of_the_next_stage(office: Office) -> None:
    office.load_rows(row(due_on="2026-12-15"))
    standing = office.store.standings["C-1001"]
    assert standing.wake is not None
    assert standing.wake.at == datetime(2026, 12, 12, 2, 0, tzinfo=UTC)  # 10 a.m. in Taipei, three days before
    assert (standing.version, standing.reason) == (1, "next_stage")


def test_a_customer_whose_text_is_due_wakes_at_once_and_the_sender_tells_why(office: Office) -> None:
    office.load_rows(row(due_on="2026-12-01"))
    assert office.store.standings["C-1001"].wake == Wake(NOW, 0)
    assert office.telemetry.decisions == []


def test_a_written_notice_that_arrives_wakes_a_customer_who_could_not_be_written_to_without_one(office: Office) -> None:
    late = row(due_on="2026-10-20", stage_reached="15")
    office.load_rows(late)
    standing = office.store.standings["C-1001"]
    assert (standing.wake, standing.reason) == (None, "no_written_notice")
    ((_, decision, _),) = office.telemetry.decisions
    assert decision.reason == "no_written_notice"
    office.load_rows(row(late, written_notice_on="2026-11-25"), at=LATER)
    assert office.store.standings["C-1001"].wake == Wake(NOW, 0)


def test_a_customer_with_nothing_open_has_no_wake(office: Office) -> None:
    office.load_rows(row(paid_on="2026-11-30"))
    assert office.store.standings["C-1001"].wake is None
    ((customer_id, decision, at),) = office.telemetry.decisions
    assert (customer_id, decision.reason, at) == ("C-1001", "nothing_open", NOW)


def test_a_customer_who_consents_today_is_judged_once_the_day_is_over(office: Office) -> None:
    office.load_rows(
        row(country="US", phone="2015550123", time_zone="", language="en", currency="USD", consented_at="2026-12-01")
    )
    standing = office.store.standings["C-1001"]
    assert standing.reason == "no_consent"
    assert standing.wake is not None
    assert standing.wake.at == datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC)


def test_many_customers_are_written_by_several_threads(office: Office) -> None:
    rows = [
        row(customer_id=f"C-{n}", account_id=f"A-{n}", phone=f"09123{n:05d}", instalment_no=str(i))
        for i in (1, 2)
        for n in range(500)
    ]
    summary = office.load_rows(*rows)
    assert (summary.rows, summary.customers_loaded) == (1000, 500)
    assert all(len(facts.accounts[0].instalments) == 2 for facts in office.store.facts.values())


@pytest.mark.slow(reason="it takes more than 20,000 rows to be told twice")
def test_progress_is_logged_every_ten_thousand_rows(office: Office) -> None:
    office.load_rows(*(row(customer_id=f"C-{n}", account_id=f"A-{n}", phone=f"09123{n:05d}") for n in range(20_500)))
    progress = [fields["rows"] for name, fields in office.telemetry.events if name == "intake_progress"]
    assert progress == [10_000, 20_000]


def test_a_load_is_logged_in_counts(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, hold="on vacation"), row(customer_id="C-3", account_id="A-3", phone="12"))
    name, fields = office.telemetry.events[-1]
    assert name == "intake_finished"
    assert fields == {
        "rows": 3,
        "customers_loaded": 2,
        "customers_unchanged": 0,
        "customers_refused": 1,
        "rows_refused": 1,
        "older": 0,
        "phones_shared": 0,
        "erased": 0,
        "holds_not_understood": 1,
        "columns_ignored": 0,
        "rows_noted": 1,
        "not_in_list": 0,
        "seconds": 0.0,
        "refused": "",
    }
    assert office.telemetry.counts == {"RowsRefused": 1, "CustomersLoaded": 2, "PhonesShared": 0}


# ------------------------------------------------------------------ refusing


def test_a_customer_with_one_bad_row_is_refused_whole_and_the_others_load(office: Office) -> None:
    summary = office.load_rows(WANG, CHEN, row(instalment_no="2", due_on="05/01/2027"))
    assert set(office.store.facts) == set(office.store.standings) == {"C-1002"}
    assert office.rejects == [("4", "C-1001", "due_on", "not_a_date")]
    assert (summary.customers_refused, summary.rows_refused, summary.customers_loaded) == (1, 1, 1)


def test_a_refused_customer_keeps_what_is_stored(office: Office) -> None:
    office.load_rows(WANG)
    before = office.store.facts["C-1001"], office.store.standings["C-1001"]
    office.load_rows(row(amount="9,99"), at=LATER)
    assert (office.store.facts["C-1001"], office.store.standings["C-1001"]) == before


def test_rejects_have_a_header_and_a_sentence_and_come_in_order_of_lines(office: Office) -> None:
    office.load_rows(row(CHEN, phone="12"), WANG, row(CHEN, name="1", instalment_no="2"), row(customer_id=""))
    cells = office.uploads.rejects["rejects/file.csv"]
    assert cells[0] == list(REJECT_COLUMNS)
    assert [int(line) for line, *_ in cells[1:]] == sorted(int(line) for line, *_ in cells[1:])
    assert cells[1] == ["2", "C-1002", "phone", "phone_invalid", EXPLANATIONS[Refusal.PHONE_INVALID]]


def test_where_nothing_is_refused_there_is_no_reject_file(office: Office) -> None:
    office.load_rows(WANG)
    assert office.uploads.rejects == {}


def test_a_reject_file_has_the_name_of_its_file() -> None:
    assert rejects_key("accounts/2026/12 分期.csv") == "rejects/2026/12 分期.csv"
    assert rejects_key("complete/demo-tw/12.csv") == "rejects/complete/demo-tw/12.csv"


@pytest.mark.parametrize(
    "column", ["name", "phone", "country", "region", "language", "time_zone", "lender", "consented_at"]
)
def test_rows_of_a_customer_must_agree_on_the_person(office: Office, column: str) -> None:
    other = {
        "name": "王大明", "phone": "0987654321", "country": "HK", "region": "TPE", "language": "en",
        "time_zone": "Asia/Hong_Kong", "lender": "demo-cn", "consented_at": "2026-02-01",
    }[column]  # fmt: skip
    office.load_rows(
        WANG,
        row(instalment_no="2", phone="+886912345678"),
        row(instalment_no="3", phone="+886912345678") | {column: other},
    )
    assert office.rejects == [("4", "C-1001", column, "disagrees_with_other_rows")]
    assert office.store.facts == {}


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("account_number", "9001-9999-9999"),
        ("currency", "USD"),
        ("product", "手機分期"),
        ("pay_account", "822-12345678901234"),
    ],
)
def test_rows_of_an_account_must_agree_on_the_account(office: Office, column: str, other: str) -> None:
    office.load_rows(WANG, row(instalment_no="2") | {column: other})
    assert office.rejects == [("3", "C-1001", column, "disagrees_with_other_rows")]


def test_other_spellings_of_the_same_do_not_disagree(office: Office) -> None:
    office.load_rows(
        WANG, row(instalment_no="2", phone="＋886 912345678", language="zh_Hant", name="王小明\u200b", country="tw")
    )
    assert office.rejects == []


def test_an_instalment_given_twice_is_refused_even_if_the_rows_are_the_same(office: Office) -> None:
    office.load_rows(WANG, WANG)
    assert office.rejects == [("3", "C-1001", "instalment_no", "duplicate_instalment")]


def test_an_account_of_two_customers_refuses_both(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, account_id="A-1"), row(CHEN, instalment_no="2"))
    assert office.rejects == [
        ("2", "C-1001", "account_id", "account_of_two_customers"),
        ("3", "C-1002", "account_id", "account_of_two_customers"),
    ]
    assert office.store.facts == {}


def test_a_row_without_a_customer_refuses_the_customer_of_its_account(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, customer_id="", account_id="A-1"), row(CHEN))
    assert office.rejects == [
        ("2", "C-1001", "account_id", "account_of_two_customers"),
        ("3", "", "customer_id", "missing"),
        ("3", "", "account_id", "account_of_two_customers"),
    ]
    assert set(office.store.facts) == {"C-1002"}


def test_a_line_with_the_wrong_number_of_cells_refuses_its_customer(office: Office) -> None:
    office.load(csv_of([WANG, CHEN]) + "C-1001,Wang, Ming,0912345678\r\n")
    assert office.rejects == [("4", "C-1001", "", "wrong_field_count")]
    assert set(office.store.facts) == {"C-1002"}


def test_a_customer_with_more_rows_than_a_record_holds_is_refused_in_one_line(office: Office) -> None:
    many = [row(instalment_no=str(n + 1)) for n in range(MOST_ROWS_A_CUSTOMER + 1)]
    summary = office.load_rows(*many, CHEN)
    assert office.rejects == [("2", "C-1001", "customer_id", "too_many_rows")]
    assert (summary.rows, summary.customers_loaded) == (MOST_ROWS_A_CUSTOMER + 2, 1)


def test_a_customer_whose_stored_record_cannot_be_read_is_refused_and_left_alone(office: Office) -> None:
    office.store.unreadable.add("C-1001")
    summary = office.load_rows(WANG, CHEN)
    assert office.rejects == [("2", "C-1001", "customer_id", "stored_record_unreadable")]
    assert set(office.store.facts) == {"C-1002"}
    assert (summary.customers_refused, summary.rows_refused) == (1, 1)


SECRETS = ("0912345678", "912345678", "王小明", "9001-1234", "9.0011234", "3250", "Wang")


@pytest.mark.parametrize(
    "changes",
    [
        {"customer_id": "0912345678"},
        {"customer_id": "王小明"},
        {"account_id": "A 0912345678"},
        {"phone": "0912345678/0987654321", "customer_id": "C-0912345678"},
        {"phone": "0912345678x"},
        {"name": "Wang" * 30},
        {"amount": "3250美元"},
        {"paid_amount": "-3250"},
        {"account_number": "9.0011234E+11"},
        {"language": "王小明"},
        {"hold_until": "0912345678"},
        {"lender": "Wang"},
    ],
)
def test_neither_refusals_nor_logs_hold_what_stood_in_a_cell(office: Office, changes: dict[str, str]) -> None:
    office.load_rows(row(**changes), row(instalment_no="2", **changes))
    printed = repr((office.uploads.rejects, office.telemetry.events, office.telemetry.counts))
    printed = printed.replace("3250, 3250.00 or 3,250.00", "").replace("3250 or 3250.00", "")  # examples of our own
    assert not [secret for secret in SECRETS if secret in printed]
    assert office.rejects
    assert office.store.facts == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"PK\x03\x04 a workbook", "not_a_csv"),
        (csv_of([WANG]).encode("utf-16-le"), "wrong_encoding"),
        (csv_of([row(name="NAME"), WANG]).encode().replace(b"NAME", "王".encode("big5")), "wrong_encoding"),
        (csv_of([WANG]).replace(",", "~").encode(), "no_heading"),
        (csv_of([WANG]).replace("phone", "tel").encode(), "missing_columns"),
        (csv_of([]).encode(), "no_rows"),
        (csv_of([CHEN, row(name="NAME")]).encode().replace(b"NAME", b'"Wang'), "broken_quoting"),
    ],
)
def test_a_file_that_is_no_table_of_accounts_is_one_clear_reject_and_changes_nothing(
    office: Office, content: bytes, reason: str
) -> None:
    summary = office.load(content)
    assert [cells[3] for cells in office.uploads.rejects["rejects/file.csv"][1:]] == [reason]
    assert summary.refused == reason
    assert office.store.writes == 0
    assert office.telemetry.counts == {"FilesRefused": 1}
    assert [name for name, _ in office.telemetry.events] == ["intake_refused"]


# ------------------------------------------------------------------ again, later, out of order


def test_the_same_file_twice_changes_nothing(office: Office) -> None:
    office.load_rows(WANG, CHEN)
    writes = office.store.writes
    summary = office.load_rows(WANG, CHEN)
    assert office.store.writes == writes
    assert (summary.customers_loaded, summary.customers_unchanged) == (0, 2)


def test_the_same_content_in_another_order_and_a_newer_file_changes_nothing(office: Office) -> None:
    second = row(instalment_no="2", due_on="2027-01-05")
    office.load_rows(WANG, second, CHEN)
    writes = office.store.writes
    office.load_rows(CHEN, second, row(phone="+886912345678"), at=LATER)
    assert office.store.writes == writes


def test_an_unchanged_customer_of_an_earlier_release_is_found_by_account_from_the_next_file_on(office: Office) -> None:
    office.load_rows(WANG)
    (account,) = office.store.facts["C-1001"].accounts
    record = office.store.lender_records["C-1001"]
    office.store.lender_records["C-1001"] = replace(record, indexed_accounts=())
    office.store.accounts.clear()
    standing = office.store.standings["C-1001"]
    summary = office.load_rows(WANG)
    assert office.store.customers_of_account(account.account_id) == {"C-1001"}
    assert (summary.customers_loaded, summary.customers_unchanged) == (0, 1)
    assert office.store.standings["C-1001"].wake == standing.wake
    writes = office.store.writes
    office.load_rows(WANG)
    assert office.store.writes == writes


def with_history(office: Office) -> Standing:
    """A customer who has been texted and has objected to one thing or another."""
    standing = replace(
        office.store.standings["C-1001"],
        version=7,
        ledger=(
            LedgerEntry(
                send_id="send-1", claim_id="claim-1", at=NOW, stage=-3, accounts=("A-1",), channel="sms", for_wake=NOW
            ),
        ),
        progress={"A-1#1": Progress(-3, date(2026, 12, 1), date(2026, 12, 5))},
        suspended={"sms": AddressSince("+886900000000")},
        holds=(Hold(HoldReason.HARDSHIP, date(2026, 12, 3)),),
    )
    office.store.standings["C-1001"] = standing
    return standing


def test_a_newer_file_updates_facts_and_keeps_the_standing(office: Office) -> None:
    office.load_rows(WANG)
    before = with_history(office)
    summary = office.load_rows(row(amount="4000"), at=LATER)
    assert summary.customers_loaded == 1
    assert office.store.facts["C-1001"].accounts[0].instalments[0].amount == 400000
    assert office.store.facts["C-1001"].as_of == LATER
    after = office.store.standings["C-1001"]
    assert after == replace(before, version=8, wake=after.wake, reason=after.reason, planned_for=after.planned_for)
    assert after.planned_for != before.planned_for


def test_a_newer_file_that_says_paid_ends_the_wake(office: Office) -> None:
    office.load_rows(WANG)
    office.load_rows(row(paid_on="2026-12-02"), at=LATER)
    assert office.store.standings["C-1001"].wake is None


def test_an_older_file_that_arrives_late_changes_nothing(office: Office) -> None:
    office.load_rows(row(amount="4000"), at=LATER)
    writes = office.store.writes
    summary = office.load_rows(WANG)
    assert office.store.writes == writes
    assert (summary.older, summary.customers_loaded) == (1, 0)


def test_a_crash_between_facts_and_wake_is_repaired_by_the_same_file(office: Office) -> None:
    office.load_rows(WANG)
    whole = office.store.standings["C-1001"]
    office.load_rows(row(amount="4000"), at=LATER)
    office.store.standings["C-1001"] = whole  # as if only the facts had been written
    summary = office.load_rows(row(amount="4000"), at=LATER)
    assert summary.customers_loaded == 1
    assert office.store.standings["C-1001"].planned_for != whole.planned_for
    assert office.store.standings["C-1001"].version == whole.version + 1


def test_a_customer_without_a_standing_is_given_one_though_the_facts_are_known(office: Office) -> None:
    office.load_rows(WANG)
    office.store.standings.clear()
    office.load_rows(WANG)
    assert office.store.standings["C-1001"].version == 1


def test_an_opt_out_in_a_file_is_for_good(office: Office) -> None:
    office.load_rows(row(hold="退訂"))
    assert office.store.facts["C-1001"].opted_out
    assert office.store.standings["C-1001"].opted_out_at == NOW
    office.clock.sleep(60)
    office.load_rows(WANG, at=LATER)
    standing = office.store.standings["C-1001"]
    assert standing.opted_out_at == NOW
    assert (standing.wake, standing.reason) == (None, "opted_out")


def test_an_opt_out_is_counted_once_and_only_of_somebody_we_know(office: Office) -> None:
    office.load_rows(WANG, row(CHEN, hold="opted_out"))
    assert "OptOuts" not in office.telemetry.counts
    for amount in ("3000", "4000"):
        office.load_rows(row(amount=amount, hold="opted_out"), row(CHEN, amount=amount, hold="opted_out"), at=LATER)
    assert office.telemetry.counts["OptOuts"] == 1


def test_an_opt_out_by_reply_keeps_its_time(office: Office) -> None:
    office.load_rows(WANG)
    said_no = NOW - timedelta(days=1)
    office.store.standings["C-1001"] = replace(office.store.standings["C-1001"], opted_out_at=said_no)
    office.load_rows(row(hold="opted_out"), at=LATER)
    assert office.store.standings["C-1001"].opted_out_at == said_no


def test_a_hold_that_is_not_understood_silences_and_is_counted(office: Office) -> None:
    summary = office.load_rows(row(hold="in court"), CHEN)
    assert summary.holds_not_understood == 1
    assert office.store.standings["C-1001"].wake is None
    assert office.store.standings["C-1001"].reason == "on_hold"


def _interfere(office: Office, times: int, change: Callable[[], None]) -> None:
    """Let somebody else write just before the intake does."""
    write = office.store.save_customer
    left = iter(range(times))

    def save_customer(lender_record: LenderRecord, standing: Standing, **expected: int) -> bool:
        if next(left, None) is not None:
            change()
        return write(lender_record, standing, **expected)

    office.store.save_customer = save_customer  # type: ignore[method-assign]


def test_a_claim_made_meanwhile_is_not_lost(office: Office) -> None:
    office.load_rows(WANG)

    def claim() -> None:
        with_history(office)

    _interfere(office, 1, claim)
    office.load_rows(row(amount="4000"), at=LATER)
    standing = office.store.standings["C-1001"]
    assert (standing.version, len(standing.ledger)) == (8, 1)


def test_newer_facts_written_meanwhile_are_not_overwritten(office: Office) -> None:
    office.load_rows(WANG)
    newest = replace(office.store.facts["C-1001"], as_of=LATER + timedelta(days=1))
    load = office.store.load_stored

    def load_then_change(customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        found = load(customer_ids)
        office.store.load_stored = load  # type: ignore[method-assign]
        store_facts(office.store, newest)
        return found

    office.store.load_stored = load_then_change  # type: ignore[method-assign]
    summary = office.load_rows(row(amount="4000"), at=LATER)
    assert summary.older == 1
    assert office.store.facts["C-1001"] == newest


def test_a_customer_who_keeps_changing_is_refused_and_the_others_load(office: Office) -> None:
    office.load_rows(WANG)

    def bump() -> None:
        standing = office.store.standings["C-1001"]
        office.store.standings["C-1001"] = replace(standing, version=standing.version + 1)

    _interfere(office, 99, bump)
    summary = office.load_rows(row(amount="4000"), CHEN, at=LATER)
    assert (summary.customers_loaded, summary.customers_refused) == (1, 1)
    assert office.rejects == [("2", "C-1001", "customer_id", "kept_changing")]


def _fails(office: Office, port: str, error: DunningError) -> None:
    """Let a call about the customer Wang fail, by the customer's id or number."""
    real = getattr(office.store, port)

    def failing(written: LenderRecord | str, *more: object, **expected: int) -> object:
        if getattr(written, "customer_id", written) in {"C-1001", "+886912345678"}:
            raise error
        return real(written, *more, **expected)

    setattr(office.store, port, failing)


@pytest.mark.parametrize("port", ["save_lender_record", "add_address", "save_customer"])
def test_a_customer_who_does_not_fit_is_refused_and_the_others_load(office: Office, port: str) -> None:
    _fails(office, port, RecordTooLargeError("PutItem"))
    summary = office.load_rows(WANG, CHEN)
    assert (summary.customers_loaded, summary.customers_refused, summary.rows_refused) == (1, 1, 1)
    assert office.rejects == [("2", "C-1001", "customer_id", "stored_record_too_large")]


def test_a_customer_who_cannot_be_written_now_lets_the_file_come_back_when_the_others_are_loaded(
    office: Office,
) -> None:
    _fails(office, "save_customer", ServiceCallError("TransactWriteItems", "ThrottlingException"))
    with pytest.raises(ServiceCallError, match="Throttling"):
        office.load_rows(WANG, CHEN, row(CHEN, customer_id="C-3", account_id="A-3", phone=""))
    assert office.store.facts.keys() == {"C-1002"}
    assert [reason for *_, reason in office.rejects] == ["missing"], "the refused rows are told all the same"


def test_customers_who_cannot_be_read_now_let_the_file_come_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        del customer_ids
        raise ServiceCallError("BatchGetItem", "InternalServerError")

    monkeypatch.setattr(office.store, "load_stored", down)
    with pytest.raises(ServiceCallError, match="BatchGetItem"):
        office.load_rows(WANG)


def test_a_table_that_is_down_is_not_asked_for_every_customer_of_the_file(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def down(customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        asked.append(len(customer_ids))
        raise ServiceCallError("BatchGetItem", "InternalServerError")

    monkeypatch.setattr(office.store, "load_stored", down)
    monkeypatch.setattr(importlib.import_module("dunning.services.intake.intake"), "_MOST_FAILURES", 3)
    with pytest.raises(ServiceCallError):
        office.load_rows(*(row(customer_id=f"C-{n}", account_id=f"A-{n}") for n in range(1000)))
    assert len(asked) < 20


# ------------------------------------------------------------------ properties

MANY = [
    row(account_id=f"A-{account}", account_number=f"9001-{account}", instalment_no=str(number), hold=hold)
    for account, number, hold in [(1, 1, ""), (1, 2, "dispute"), (1, 3, ""), (2, 1, "legal"), (2, 2, "dispute")]
] + [row(CHEN, instalment_no=str(number)) for number in (1, 2)]


@given(st.permutations(MANY))
def test_any_order_of_the_rows_gives_the_same_facts(rows: list[dict[str, str]]) -> None:
    reference, office = Office(), Office()
    reference.load_rows(*MANY)
    office.load_rows(*rows)
    assert office.store.facts == reference.store.facts
    assert office.store.standings == reference.store.standings


@given(st.integers(0, 2**32))
def test_whatever_is_broken_every_customer_is_loaded_whole_or_not_at_all(seed: int) -> None:
    chance = random.Random(seed)
    rows = [dict(line) for line in MANY]
    for line in rows:
        if chance.random() < 0.2:
            line[chance.choice(list(line))] = chance.choice(
                ["", "?", "0912", "王", "2026-13-01", "1e5", "C-1001", "A-1"]
            )
    office = Office()
    summary = office.load_rows(*rows)
    assert summary.rows == len(rows)
    for customer_id, facts in office.store.facts.items():
        given_rows = sum(line["customer_id"] == customer_id for line in rows)
        assert sum(len(account.instalments) for account in facts.accounts) == given_rows
        assert customer_id in office.store.standings
        assert customer_id not in {cells[1] for cells in office.rejects}
    assert bool(office.rejects) == bool(summary.rows_refused)


def test_a_decision_to_send_is_only_planned(office: Office) -> None:
    office.load_rows(row(due_on="2026-12-01"), row(CHEN, due_on="2026-12-25"))
    assert not any(isinstance(decision, Send) for _, decision, _ in office.telemetry.decisions)
    assert [customer_id for customer_id, *_ in office.telemetry.decisions] == ["C-1002"]


def test_a_cell_that_is_far_too_long_refuses_its_customer_and_no_other(office: Office) -> None:
    office.load_rows(row(name="長" * 40_000), CHEN)
    assert set(office.store.facts) == {"C-1002"}


@pytest.mark.parametrize(
    ("customer_id", "shown"),
    [
        pytest.param("0922000111", "", id="a number"),
        pytest.param("JohnSmith", "", id="a word"),
        pytest.param("C0042", "C0042", id="what can only be an id"),
    ],
)
def test_beside_a_phone_that_cannot_be_read_only_a_plain_id_is_printed(
    office: Office, customer_id: str, shown: str
) -> None:
    office.load_rows(row(customer_id=customer_id, phone="9.22E+08"))
    assert {reject[1] for reject in office.rejects} == {shown}


def test_the_first_cell_of_a_line_whose_columns_slipped_is_not_printed(office: Office) -> None:
    office.load(csv_of([WANG]) + "0933222111,TW\r\nJohnSmith,0912\r\n")
    assert [reject[1] for reject in office.rejects] == ["", ""]


@pytest.mark.parametrize(("bad", "good", "counted"), [(2, 0, 1), (1, 1, 1), (1, 2, 0), (0, 2, 0)])
def test_a_file_of_which_half_is_refused_is_counted_like_a_file_that_is_refused(
    office: Office, bad: int, good: int, counted: int
) -> None:
    rows = [row(customer_id=f"C-{number}", account_id=f"A-{number}") for number in range(bad + good)]
    office.load_rows(*(row(each, due_on="05/12/2026") if place < bad else each for place, each in enumerate(rows)))
    assert office.telemetry.counts.get("FilesMostlyRefused", 0) == counted


# ------------------------------------------------------------------ erased customers


def _erase(office: Office, at: datetime) -> None:
    """Erase a customer as lender_events does when the lender says so."""
    stored = office.store.load_stored(["C-1001"])["C-1001"]
    assert isinstance(stored, StoredCustomer)
    gone = forget_former_addresses(erase_record(stored.lender_record, at))
    assert office.store.save_lender_record(gone, expected_revision=stored.lender_record.revision)
    office.store.erase_items("C-1001")


def test_a_customer_who_was_erased_is_refused_and_the_file_says_what_to_do(office: Office) -> None:
    office.load_rows(WANG)
    _erase(office, UPLOADED_AT + timedelta(minutes=1))
    summary = office.load_rows(WANG, row(instalment_no="2"), CHEN, at=LATER)
    assert (summary.erased, summary.customers_refused, summary.rows_refused, summary.customers_loaded) == (1, 1, 1, 1)
    assert office.rejects == [("2", "C-1001", "customer_id", "customer_erased")]
    assert "consented_at" in EXPLANATIONS[Refusal.CUSTOMER_ERASED]
    assert "C-1001" not in office.store.facts
    assert "C-1001" not in office.store.standings
    assert office.telemetry.counts["ErasedCustomersRefused"] == 1


def test_an_old_file_does_not_bring_an_erased_customer_back_whatever_day_of_consent_it_names(office: Office) -> None:
    _erase(office, UPLOADED_AT)
    summary = office.load_rows(row(consented_at="2026-12-01"), at=UPLOADED_AT - timedelta(hours=1))
    assert summary.erased == 1


@pytest.mark.parametrize(
    "consented_at",
    ["2026-12-01", "2026-12-02", "2062-01-31", "2026-12-01T23:59:59Z", "2026-12-03T10:00:00+08:00"],
    ids=["the day of the erasure", "begins in the east", "a slip", "the last second", "a moment not yet come"],
)
def test_a_consent_that_may_be_older_than_the_erasure_or_lies_in_the_future_brings_nobody_back(
    office: Office, consented_at: str
) -> None:
    office.load_rows(row(consented_at=consented_at))
    _erase(office, UPLOADED_AT + timedelta(hours=11))  # half past eight in the evening in Taipei
    uploaded_again = UPLOADED_AT + timedelta(hours=12)
    assert office.load_rows(row(consented_at=consented_at), at=uploaded_again).customers_loaded == 0
    assert "C-1001" not in office.store.facts


def test_a_consent_of_a_day_that_begins_after_the_erasure_everywhere_brings_a_customer_back(office: Office) -> None:
    office.load_rows(WANG)
    _erase(office, UPLOADED_AT)
    summary = office.load_rows(row(consented_at="2026-12-02"), at=UPLOADED_AT + timedelta(days=2))
    assert summary.customers_loaded == 1


def test_the_last_second_of_a_day_stands_for_a_consent_dated_by_its_day() -> None:
    assert read_instant("2026-12-01").time() == END_OF_DAY


def test_a_customer_who_consents_anew_comes_back_as_a_new_one_and_waits_for_the_caps(office: Office) -> None:
    due = row(due_on="2026-12-01")
    office.load_rows(due)
    opted_out = replace(office.store.standings["C-1001"], opted_out_at=NOW)
    office.store.standings["C-1001"] = opted_out
    _erase(office, UPLOADED_AT)
    consent = "2026-12-01T09:45:00+08:00"
    assert office.load_rows(row(due, consented_at=consent), at=UPLOADED_AT + timedelta(hours=1)).customers_loaded == 1
    standing = office.store.standings["C-1001"]
    assert not standing.is_opted_out
    assert standing.wake is not None
    assert standing.wake.at > NOW + timedelta(days=1)
    assert {entry.at for entry in standing.ledger} == {NOW}


# ------------------------------------------------------------------ data that have to stay in their country


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"country": "IN", "phone": "+919876543210"}, id="somebody in India"),
        pytest.param({"phone": "+919876543210"}, id="an Indian number"),
    ],
)
def test_whose_data_may_not_be_stored_in_this_region_is_refused_before_anything_is_stored(
    changes: dict[str, str],
) -> None:
    taiwan = (files("dunning.policy") / "data" / "lenders/demo-tw.toml").read_text("utf-8")
    indian = 'sender_id = "DEMOFN"\nentity_id = "E"\nmax_price = "0.01"\nregistered = { "en/before-3@3" = "I-1" }'
    policies = policies_with_lender("demo-tw", f"{taiwan}\n[countries.IN]\n{indian}\n")
    office = Office(policies.stored_in("ap-northeast-1"))
    summary = office.load_rows(row(**changes), CHEN)
    assert (summary.customers_refused, summary.customers_loaded, summary.rows_refused) == (1, 1, 1)
    assert office.rejects == [("2", "C-1001", "country", "stored_elsewhere")]
    assert set(office.store.facts) == {"C-1002"}
    assert "+919876543210" not in str(office.uploads.rejects) + str(office.telemetry.events)


# ------------------------------------------------------------------ damage and what is doubtful


def test_a_hold_that_is_not_understood_is_loaded_silent_and_listed_with_its_row(office: Office) -> None:
    office.load_rows(row(hold="on vacation"), CHEN)
    assert office.rejects == [("2", "C-1001", "hold", "hold_not_understood")]
    assert office.store.standings["C-1001"].reason == "on_hold"


def test_a_name_that_says_the_person_has_died_silences_a_customer_who_was_known(office: Office) -> None:
    office.load_rows(WANG)
    office.load_rows(row(name="王小明(已故)"), at=LATER)
    assert office.store.standings["C-1001"].reason == "deceased"
    assert office.store.facts["C-1001"].name == "王小明"
    assert office.rejects == [("2", "C-1001", "name", "name_says_deceased")]


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - {"customer_id"}))
@pytest.mark.parametrize("cell", ["#N/A", "#REF!", "Err:502"])
def test_a_formula_that_failed_refuses_its_row_in_any_cell(office: Office, column: str, cell: str) -> None:
    office.load_rows(row(**{column: cell}), CHEN)
    assert [reject[2:] for reject in office.rejects][:1] == [(column, "spreadsheet_error")]
    assert set(office.store.facts) == {"C-1002"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"due_on": "2099-12-05"}, "date_out_of_range"),
        ({"due_on": "2062-12-05"}, "date_out_of_range"),
        ({"due_on": "2006-12-05"}, "date_out_of_range"),
        ({"paid_on": "2006-12-05"}, "date_out_of_range"),
        ({"consented_at": "2006-01-31"}, "date_out_of_range"),
        ({"consented_at": "2062-01-31"}, "consent_in_future"),
        ({"consented_at": "2026-12-02"}, "consent_in_future"),
        ({"consented_at": "2026-12-01T09:40:00+08:00"}, "consent_in_future"),
    ],
)
def test_dates_that_cannot_be_are_refused(office: Office, changes: dict[str, str], reason: str) -> None:
    office.load_rows(row(**changes))
    assert [reject[3] for reject in office.rejects] == [reason]


def test_a_consent_of_the_day_of_the_upload_is_none_of_the_future(office: Office) -> None:
    office.load_rows(row(consented_at="2026-12-01"))
    assert office.rejects == []


def test_one_of_two_instalments_of_merged_cells_is_not_loaded_alone(office: Office) -> None:
    office.load_rows(WANG, row(customer_id="", name="", phone="", instalment_no="2", due_on="2027-01-05"), CHEN)
    assert set(office.store.facts) == {"C-1002"}
    assert {reject[2:] for reject in office.rejects} >= {("customer_id", "merged_cells"), ("name", "merged_cells")}


@pytest.mark.parametrize("customer_id", ["0912-345-678", "0912.345.678", "A123456789", "S1234567D", "a@b.example"])
def test_an_id_that_is_personal_is_refused_and_never_shown(office: Office, customer_id: str) -> None:
    office.load_rows(row(customer_id=customer_id), row(customer_id=customer_id, instalment_no="2", phone="phone"))
    assert office.store.facts == {}
    assert {reject[1] for reject in office.rejects} == {""}
    assert customer_id not in repr((office.uploads.rejects, office.telemetry.events))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"name": "a" + "\u0301" * 20_000 + "\u0327" * 20_000}, id="marks in two orders"),
        pytest.param({"language": "a-" * 20_000}, id="a tag of many parts"),
        pytest.param({"hold": "x;" * 20_000}, id="many words"),
        pytest.param({"customer_id": "C" * 40_000}, id="an id"),
        pytest.param({"customer_id": "", "name": "a" + "\u0301" * 20_000 + "\u0327" * 20_000}, id="without an id"),
        pytest.param({"customer_id": "合計 " * 10_000, "phone": ""}, id="much like a total"),
    ],
)
def test_a_cell_is_measured_before_it_is_read(office: Office, changes: dict[str, str]) -> None:
    office.load_rows(row(**changes), CHEN)
    assert "cell_too_long" in {reject[3] for reject in office.rejects}
    assert set(office.store.facts) == {"C-1002"}
