"""Restoring customers from a recovered table without texting anybody twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing, Wake
from dunning.services.restore import QUIET, RestoreOutcome, RestoreService
from tests.support.builders import store_facts
from tests.support.fakes import FakeClock, FakeCustomers
from tests.support.people import NOW, paid_up, someone, texted, waking

YESTERDAY = NOW - timedelta(days=1)


class Office:
    """A table in use, and yesterday's."""

    def __init__(self) -> None:
        self.live, self.backup = FakeCustomers(), FakeCustomers()
        self.service = RestoreService(live=self.live, backup=self.backup, clock=FakeClock(NOW))
        store_facts(self.backup, someone(as_of=YESTERDAY))
        self.backup.save_standing(waking(someone(), None), expected_version=0)

    def damaged(self) -> Standing:
        """Put a bad file's facts there, and a standing that has sent a text since."""
        store_facts(self.live, paid_up(someone()))
        standing = replace(waking(someone(), None), version=5, ledger=(texted(someone(), NOW),))
        self.live.standings["C0001"] = standing
        return standing

    def restore(self, *ids: str, change: bool = True) -> RestoreOutcome:
        """Restore a customer."""
        (outcome,) = self.service.restore(ids or ("C0001",), change=change)
        return outcome


def test_facts_come_from_the_backup_as_of_now() -> None:
    office = Office()
    office.damaged()
    assert office.restore() is RestoreOutcome.FACTS
    assert office.live.facts["C0001"] == someone(as_of=NOW, paid_as_of=NOW)


def test_a_standing_that_is_there_stays_with_every_text_sent_since_and_is_judged_afresh() -> None:
    office = Office()
    standing = office.damaged()
    office.restore()
    after = office.live.standings["C0001"]
    assert after.ledger == standing.ledger
    assert after.version == standing.version + 1
    assert after.wake == Wake(NOW, 9)
    assert after.planned_for != standing.planned_for
    assert not after.holds


def test_a_lost_standing_comes_back_silent_for_longer_than_a_weeks_caps() -> None:
    office = Office()
    assert office.restore() is RestoreOutcome.BOTH
    (hold,) = office.live.standings["C0001"].holds
    assert hold.until == (NOW + QUIET).date()
    assert timedelta(days=7) < QUIET


def test_a_standing_that_cannot_be_read_is_left_to_a_person() -> None:
    office = Office()
    office.damaged()
    office.live.unreadable.add("C0001")
    assert office.restore() is RestoreOutcome.CONTESTED


def test_a_customer_is_restored_once_and_then_unchanged() -> None:
    office = Office()
    office.damaged()
    assert office.restore() is RestoreOutcome.FACTS
    writes = office.live.writes
    assert office.restore() is RestoreOutcome.SAME
    assert office.live.writes == writes


def test_a_look_says_what_would_be_and_writes_nothing() -> None:
    office = Office()
    office.damaged()
    writes = office.live.writes
    assert office.restore(change=False) is RestoreOutcome.FACTS
    assert office.live.writes == writes


@pytest.mark.parametrize(
    ("spoil", "outcome"), [(True, RestoreOutcome.UNREADABLE), (False, RestoreOutcome.NOT_IN_BACKUP)]
)
def test_a_customer_the_backup_does_not_know_is_left_alone(spoil: bool, outcome: RestoreOutcome) -> None:  # noqa: FBT001
    office = Office()
    store_facts(office.live, someone(2))
    if spoil:
        office.backup.unreadable.add("C0002")
    assert office.restore("C0002") is outcome
    assert office.live.facts["C0002"] == someone(2)


def test_many_are_counted_by_what_became_of_them() -> None:
    office = Office()
    office.damaged()
    everybody = [f"C{number:04d}" for number in range(1, 121)]
    counted = office.service.restore(everybody, change=True)
    assert counted == {RestoreOutcome.FACTS: 1, RestoreOutcome.NOT_IN_BACKUP: 119}


def test_a_customer_who_was_erased_since_the_backup_stays_erased() -> None:
    office = Office()
    office.live.lender_records["C0001"] = LenderRecord(customer_id="C0001", revision=3, erased_at=NOW)
    assert office.restore() is RestoreOutcome.ERASED
    assert office.live.lender_records["C0001"] == LenderRecord(customer_id="C0001", revision=3, erased_at=NOW)
    assert office.live.standings == {}


def test_a_customer_who_has_consented_anew_is_restored_with_the_erasure_on_record() -> None:
    office = Office()
    earlier = YESTERDAY - timedelta(days=2)
    store_facts(office.backup, someone(consented_at=YESTERDAY - timedelta(days=1), as_of=YESTERDAY))
    office.live.lender_records["C0001"] = LenderRecord(customer_id="C0001", revision=3, erased_at=earlier)
    assert office.restore() is RestoreOutcome.BOTH
    after = office.live.lender_records["C0001"]
    assert (after.erased_at, after.revision) == (earlier, 4)
    assert office.live.facts["C0001"].name == someone().name
