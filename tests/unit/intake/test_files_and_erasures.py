"""Files and erasures: whoever is found by a number is known to have it, so that an erasure finds it too."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing
from dunning.domain.errors import ServiceCallError
from dunning.services.erasure.erase import EraseService
from tests.support.fakes import FakeContacts, FakeUploadErasure
from tests.support.lender_files import CHEN, NOW, POLICIES, UPLOADED_AT, WANG, Office, csv_of, row


@pytest.fixture
def office() -> Office:
    return Office()


def _erasing(office: Office, uploads: FakeUploadErasure | None = None) -> EraseService:
    return EraseService(
        customers=office.store,
        contacts=FakeContacts(),
        uploads=uploads or FakeUploadErasure(),
        clock=office.clock,
        telemetry=office.telemetry,
        headings=lambda: POLICIES.headings,
        encoding="big5",
    )


CONSENTED_ANEW = row(consented_at="2026-12-01T09:45:00+08:00")
LONG_AGO = NOW - timedelta(days=2)
BACK_AT = UPLOADED_AT + timedelta(hours=1)


def _before_writes(office: Office, monkeypatch: pytest.MonkeyPatch, do: Callable[[LenderRecord], object]) -> None:
    """Have something happen before each time that a lender record is written, alone or with a standing."""
    save, save_both = office.store.save_lender_record, office.store.save_customer

    def saving(lender_record: LenderRecord, *, expected_revision: int) -> bool:
        do(lender_record)
        return save(lender_record, expected_revision=expected_revision)

    def saving_both(lender_record: LenderRecord, standing: Standing, **expected: int) -> bool:
        do(lender_record)
        return save_both(lender_record, standing, **expected)

    monkeypatch.setattr(office.store, "save_lender_record", saving)
    monkeypatch.setattr(office.store, "save_customer", saving_both)


@pytest.mark.parametrize("known", [False, True], ids=["of a new customer", "of one with a new number"])
def test_a_load_that_dies_before_the_facts_leaves_no_number_that_an_erasure_does_not_find(
    office: Office, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    if known:
        office.load_rows(row(phone="0911111111"), at=UPLOADED_AT - timedelta(hours=1))

    def die(lender_record: LenderRecord) -> None:
        if lender_record.snapshot is not None and lender_record.snapshot.phone == "+886912345678":
            raise ServiceCallError("PutItem", "InternalServerError")

    with monkeypatch.context() as dying:
        _before_writes(office, dying, die)
        with pytest.raises(ServiceCallError):
            office.load_rows(WANG)
    assert office.store.phones["+886912345678"] == {"C-1001"}
    _erasing(office).erase("C-1001", NOW)
    assert office.store.phones == {}


def test_a_load_that_dies_before_the_facts_is_made_up_for_by_the_same_file(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(lender_record: LenderRecord) -> None:
        if lender_record.snapshot is not None:
            raise ServiceCallError("PutItem", "InternalServerError")

    with monkeypatch.context() as dying:
        _before_writes(office, dying, die)
        with pytest.raises(ServiceCallError):
            office.load_rows(WANG)
    office.store.phones.clear()  # or it died even before the number was entered
    assert office.load_rows(WANG).customers_loaded == 1
    assert office.store.phones == {"+886912345678": {"C-1001"}}


def test_a_customer_who_returns_to_a_purged_number_is_found_by_it_again(office: Office) -> None:
    office.load_rows(WANG)
    _erasing(office).erase("C-1001", UPLOADED_AT)
    office.load_rows(row(CONSENTED_ANEW, phone="0911111111"), at=BACK_AT)
    office.load_rows(CONSENTED_ANEW, at=BACK_AT + timedelta(minutes=1))
    assert office.store.phones["+886912345678"] == {"C-1001"}


def test_a_customer_who_returns_while_the_number_is_purged_is_found_by_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.load_rows(WANG)
    erasing = _erasing(office)
    erasing.erase("C-1001", UPLOADED_AT)
    # Just before the facts are written, and just after.
    _before_writes(office, monkeypatch, lambda _: office.store.remove_address("+886912345678", "C-1001"))
    office.load_rows(CONSENTED_ANEW, at=BACK_AT)
    assert office.store.phones == {"+886912345678": {"C-1001"}}


def test_a_purge_of_the_number_of_a_customer_who_has_just_returned_is_put_right(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.load_rows(WANG)
    erasing = _erasing(office)
    remove = office.store.remove_address

    def purging(phone: str, customer_id: str) -> None:
        office.load_rows(CONSENTED_ANEW, at=BACK_AT)
        remove(phone, customer_id)

    monkeypatch.setattr(office.store, "remove_address", purging)
    erasing.erase("C-1001", UPLOADED_AT)
    assert "C-1001" in office.store.facts
    assert office.store.phones == {"+886912345678": {"C-1001"}}


@pytest.mark.parametrize(
    ("key", "codec", "separator"),
    [
        ("accounts/a.csv", "cp950", ","),
        ("accounts/a.csv", "utf-16", "\t"),
        ("complete/demo-tw/a.csv", "utf-8-sig", ";"),
    ],
)
def test_an_erasure_looks_into_files_as_the_intake_reads_them(
    office: Office, key: str, codec: str, separator: str
) -> None:
    office.load_rows(WANG, CHEN)
    uploads = FakeUploadErasure()
    content = csv_of([row(customer_id="\uff23-1001"), CHEN]).replace("customer_id", "客戶編號").replace(",", separator)
    uploads.put(key, content.encode(codec), LONG_AGO)
    kept = uploads.put(key, csv_of([CHEN]).encode(), LONG_AGO)
    erasing = _erasing(office, uploads)
    erasing.erase("C-1001", NOW)
    assert erasing.erase_uploads({"C-1001": None}, lambda: 60.0).deleted == 1
    assert list(uploads.versions) == [kept]
