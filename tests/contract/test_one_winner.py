"""
Of several who write at once one wins: what each conditional write promises, of fakes and engines alike.

The threads here show it for one process. `make races` shows it for several, and the embedded AWS could not: it is
atomic only because its handlers are serialised (`tests/local/moto_patches.py`).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.customers import Customer
from dunning.ports.file_loads import FileLoad
from tests.contract.conftest import Archive, Office
from tests.support.builders import a_lender_record
from tests.support.people import NOW, someone, waking

WRITERS = 24


def _at_once[Answer](write: Callable[[int], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(write, range(WRITERS)))


def _winner(won: list[bool]) -> int:
    assert sum(won) == 1
    return won.index(True)


@pytest.mark.parametrize("before", [0, 1])
def test_of_many_writes_of_facts_and_standing_one_wins_with_both(office: Office, before: int) -> None:
    def save(number: int) -> bool:
        facts = someone(name=f"王{number}明")
        return office.customers.save_customer(
            replace(a_lender_record(facts), revision=before + 1),
            waking(facts, version=before + 1, planned_for=f"facts {number}"),
            expected_revision=before,
            expected_version=before,
        )

    if before:
        office.customers.save_customer(
            a_lender_record(someone()), waking(someone()), expected_revision=0, expected_version=0
        )
    number = _winner(_at_once(save))
    stored = office.customers.load(["C0001"])["C0001"]
    assert isinstance(stored, Customer)
    assert stored.facts is not None
    assert stored.standing is not None
    assert (stored.facts.name, stored.standing.planned_for) == (f"王{number}明", f"facts {number}")


def test_of_many_first_lender_records_one_wins(office: Office) -> None:
    def save(number: int) -> bool:
        return office.customers.save_lender_record(a_lender_record(someone(name=f"王{number}明")), expected_revision=0)

    number = _winner(_at_once(save))
    assert office.customers.load(["C0001"]) == {"C0001": Customer(someone(name=f"王{number}明"), None)}


def test_of_many_lists_of_file_loads_one_wins(office: Office) -> None:
    def save(number: int) -> bool:
        return office.customers.save_loads([FileLoad(f"accounts/{number}.csv", NOW)], expected_version=0)

    number = _winner(_at_once(save))
    assert [load.key for load in office.customers.read_loads().loads] == [f"accounts/{number}.csv"]


def test_of_many_who_are_added_to_a_number_each_is_kept_and_the_later_sees_the_earlier(office: Office) -> None:
    seen = _at_once(lambda number: office.customers.add_address("+886900000001", f"C{number:04d}"))
    assert sorted(map(len, seen)) == list(range(1, WRITERS + 1))
    in_order = sorted(seen, key=len)
    assert all(earlier < later for earlier, later in pairwise(in_order))


def test_of_many_who_are_taken_from_a_number_none_is_left_and_none_comes_back(office: Office) -> None:
    for number in range(WRITERS):
        office.customers.add_address("+886900000001", f"C{number:04d}")
    _at_once(lambda number: office.customers.remove_address("+886900000001", f"C{number:04d}"))
    assert office.customers.customers_with(["+886900000001"]) == {"+886900000001": frozenset()}


def _contact(state: ContactState, message_id: str = "") -> Contact:
    return Contact(
        customer_id="C0001",
        send_id="send",
        claim_id="claim",
        at=NOW,
        state=state,
        stage=-3,
        account_ids=("A1",),
        channel="sms",
        expires_at=NOW + timedelta(days=90),
        message_id=message_id,
    )


def test_of_many_records_of_one_message_one_is_written_and_all_hear_that_its_state_is_stored(archive: Archive) -> None:
    answers = _at_once(lambda number: archive.log.write_if_absent(_contact(ContactState.SENT, f"message-{number}")))
    assert all(answers)
    (stored,) = archive.stored()
    assert stored in [_contact(ContactState.SENT, f"message-{number}") for number in range(WRITERS)]


def test_of_many_receipts_one_brings_a_record_forward(archive: Archive) -> None:
    archive.log.write([_contact(ContactState.UNKNOWN)])

    def advance(number: int) -> bool:
        after = _contact(ContactState.DELIVERED, f"message-{number}")
        return archive.log.advance(after, expected=ContactState.UNKNOWN)

    number = _winner(_at_once(advance))
    assert archive.stored() == [_contact(ContactState.DELIVERED, f"message-{number}")]


def test_of_many_deliveries_of_a_reply_one_is_kept(archive: Archive) -> None:
    inbound = InboundSms(inbound_id="inbound", phone="+886900000001", text="STOP", at=NOW)
    reply = Reply(customer_id="C0001", inbound=inbound, intents=(), promised_on=None, expires_at=NOW)
    _winner(_at_once(lambda _: archive.log.keep(reply)))
