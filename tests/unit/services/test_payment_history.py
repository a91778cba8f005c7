"""How a customer pays is kept with what else is known, by whoever is told of it first."""

from dataclasses import replace
from datetime import timedelta

from dunning.domain.customer.standing import Standing
from dunning.domain.effect.payer_segments import NO_HISTORY, PaymentHistory
from tests.support import lender_files
from tests.support.builders import a_text
from tests.support.people import NOW, someone, waking
from tests.unit.services import test_lender_events, test_replies, test_send


def test_an_event_tells_that_an_instalment_was_paid_in_time() -> None:
    office = test_lender_events.Office()
    facts = office.add(someone(), waking(someone(), history=PaymentHistory(on_time=2, streak=2, silent_run=3)))
    office.receive(test_lender_events.paid())
    assert office.standing(facts.customer_id).history == PaymentHistory(on_time=3, streak=3)
    office.receive(test_lender_events.paid())
    assert office.standing(facts.customer_id).history == PaymentHistory(on_time=3, streak=3), "told twice"


def test_an_event_tells_that_an_instalment_was_paid_late() -> None:
    office = test_lender_events.Office()
    facts = office.add(someone(due_in=-5))
    office.receive(test_lender_events.paid())
    assert office.standing(facts.customer_id).history == PaymentHistory(late=1, last_late_days=5)


def test_a_file_tells_by_its_days_of_payment_and_the_next_file_adds_nothing() -> None:
    office = lender_files.Office()
    old = lender_files.row(instalment_no="1", due_on="2026-11-05", paid_on="2026-11-09", paid_amount="3250")
    late = lender_files.row(instalment_no="2", due_on="2026-12-05")
    office.load_rows(old, late)
    assert office.store.standings["C-1001"].history == PaymentHistory(late=1, last_late_days=4)
    paid = {"paid_on": "2026-12-01", "paid_amount": "3250"}
    for hours in (1, 2):
        office.load_rows(old, {**late, **paid}, at=lender_files.UPLOADED_AT + timedelta(hours=hours))
        assert office.store.standings["C-1001"].history == PaymentHistory(1, 1, 4, 1)


def test_the_file_of_the_night_adds_nothing_to_what_an_event_has_told() -> None:
    office = lender_files.Office()
    rows = [lender_files.row(due_on="2026-12-05")]
    office.load_rows(*rows)
    known = office.store.standings["C-1001"]
    office.store.standings["C-1001"] = replace(known, history=PaymentHistory(on_time=1, streak=1))
    paid = lender_files.row(due_on="2026-12-05", paid_on="2026-12-01", paid_amount="3250")
    office.load_rows(paid, at=lender_files.UPLOADED_AT + timedelta(hours=1))
    office.load_rows(paid, at=lender_files.UPLOADED_AT + timedelta(hours=2))
    assert office.store.standings["C-1001"].history == PaymentHistory(on_time=2, streak=2)


def test_a_text_is_counted_until_somebody_answers() -> None:
    sending = test_send.Office()
    sending.handle_batch(sending.add(someone()))
    assert sending.store.standings["C0001"].history == PaymentHistory(silent_run=1)


def test_a_reply_that_asks_for_nothing_ends_the_silence_too() -> None:
    office = test_replies.Office()
    ledger = (a_text(NOW - timedelta(days=2)), a_text(NOW - timedelta(days=1)))
    office.add(someone(), waking(someone(), ledger=ledger, history=PaymentHistory(silent_run=2)))
    office.receive("OK")
    standing: Standing = office.store.standings["C0001"]
    assert standing.history == NO_HISTORY
