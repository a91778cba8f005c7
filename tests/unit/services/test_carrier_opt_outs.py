"""The nightly look at the carrier's list: who is on it is opted out, unless they opted in a short while ago."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import ReminderStopped
from dunning.domain.replies.carrier_opt_out import STILL_OPTING_IN
from dunning.services.carrier_opt_outs import OptOutService, Synced, SyncError
from tests.support.builders import a_lender_record, the_policies
from tests.support.fakes import ContestedCustomers, FakeClock, FakeEventPublisher, FakeOptOutList, FakeTelemetry
from tests.support.people import NOW, someone, texted, waking

DAY = timedelta(days=1)


class Customers(ContestedCustomers):
    """Customers that somebody else writes too, and who are asked for by number in batches."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_for = ""
        self.asked: list[int] = []

    def customers_with(self, phones: Collection[str]) -> Mapping[str, frozenset[str]]:
        self.asked.append(len(phones))
        return super().customers_with(phones)

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        if standing.customer_id == self.fails_for:
            raise ServiceCallError("PutItem", "InternalServerError")
        return super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)


class Office:
    """The service with everything it touches."""

    def __init__(self) -> None:
        self.store = Customers()
        self.carrier = FakeOptOutList()
        self.publisher = FakeEventPublisher()
        self.telemetry = FakeTelemetry()
        self.service = OptOutService(
            store=self.store,
            phones=self.store,
            opt_out_list=self.carrier,
            publisher=self.publisher,
            policies=the_policies(),
            clock=FakeClock(NOW),
            telemetry=self.telemetry,
        )

    def add(self, facts: Facts, standing: Standing | None = None, *, listed: bool = True) -> Facts:
        self.store.lender_records[facts.customer_id] = a_lender_record(facts)
        self.store.standings[facts.customer_id] = standing or waking(facts)
        self.store.add_address(facts.phone, facts.customer_id)
        if listed:
            self.carrier.numbers.append(facts.phone)
        return facts

    def standing(self, facts: Facts) -> Standing:
        return self.store.standings[facts.customer_id]


@pytest.fixture
def office() -> Office:
    return Office()


def test_customers_on_the_carriers_list_are_opted_out_from_now_on_and_others_are_not(office: Office) -> None:
    on_it, not_on_it = office.add(someone()), office.add(someone(2), listed=False)
    assert office.service.sync() == Synced(1, 1, 0)
    standing = office.standing(on_it)
    assert (standing.opted_out_at, standing.wake, standing.reason, standing.version) == (NOW, None, "opted_out", 2)
    assert office.standing(not_on_it) == waking(not_on_it)
    assert office.publisher.published == [ReminderStopped("C0001", NOW, "opted_out")]
    assert office.telemetry.counts == {"OptOuts": 1, "CarrierOptOuts": 1}
    assert office.telemetry.events == [("carrier_opt_out", {"customer_id": "C0001"})]


def test_another_night_changes_nothing(office: Office) -> None:
    facts = office.add(someone())
    office.service.sync()
    once = office.standing(facts)
    assert office.service.sync() == Synced(1, 0, 0)
    assert office.standing(facts) is once


def test_an_opt_out_that_we_know_of_keeps_its_moment(office: Office) -> None:
    facts = office.add(someone(), waking(someone(), None, opted_out_at=NOW - 9 * DAY))
    assert office.service.sync() == Synced(1, 0, 0)
    assert office.standing(facts).opted_out_at == NOW - 9 * DAY


def test_a_number_that_somebody_only_had_opts_nobody_out(office: Office) -> None:
    facts = office.add(someone(), listed=False)
    office.store.add_address("+886977777777", facts.customer_id)
    office.carrier.numbers = ["+886977777777", "+886988888888"]
    assert office.service.sync() == Synced(2, 0, 0)
    assert office.standing(facts) == waking(facts)


def test_two_who_have_the_number_are_both_opted_out(office: Office) -> None:
    people = office.add(someone()), office.add(someone(2, phone="+886900000001"), listed=False)
    assert office.service.sync() == Synced(1, 2, 0)
    assert all(office.standing(facts).is_opted_out for facts in people)


def test_a_customer_who_was_never_planned_gets_a_standing(office: Office) -> None:
    facts = office.add(someone())
    del office.store.standings[facts.customer_id]
    assert office.service.sync() == Synced(1, 1, 0)
    assert office.standing(facts).is_opted_out


class TestOptedIn:
    """Who opted in with us, and is on the list all the same."""

    def opted_in(self, office: Office, ago: timedelta) -> Facts:
        return office.add(someone(), waking(someone(), opted_out_at=NOW - 90 * DAY, opted_in_at=NOW - ago))

    def test_a_short_while_ago_is_taken_off_it(self, office: Office) -> None:
        facts = self.opted_in(office, STILL_OPTING_IN - timedelta(seconds=1))
        assert office.service.sync() == Synced(1, 0, 1)
        assert office.carrier.numbers == []
        assert not office.standing(facts).is_opted_out
        assert office.telemetry.events == [("carrier_opt_in", {"customer_id": "C0001", "allowed": "yes"})]

    def test_is_left_as_is_if_the_carrier_does_not_allow_it_yet(self, office: Office) -> None:
        facts = self.opted_in(office, DAY)
        office.carrier.taken_off = [facts.phone]
        assert office.service.sync() == Synced(1, 0, 0)
        assert not office.standing(facts).is_opted_out
        assert office.telemetry.counts["CarrierOptInsRefused"] == 1

    def test_longer_ago_has_opted_out_since(self, office: Office) -> None:
        facts = self.opted_in(office, STILL_OPTING_IN)
        assert office.service.sync() == Synced(1, 1, 0)
        assert office.carrier.taken_off == []
        assert office.standing(facts).is_opted_out

    def test_at_this_very_moment_counts(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.meanwhile = [lambda stored: replace(stored, opted_in_at=NOW)]
        assert office.service.sync() == Synced(1, 0, 1)
        assert not office.standing(facts).is_opted_out


class TestTrouble:
    """A customer's failure touches nobody else."""

    def test_when_somebody_else_was_first_it_is_judged_on_what_they_wrote(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.meanwhile = [lambda stored: replace(stored, ledger=(texted(facts, NOW),))]
        assert office.service.sync() == Synced(1, 1, 0)
        assert len(office.standing(facts).ledger) == 1

    def test_an_opt_out_whose_answer_was_lost_counts_and_is_told_of_once(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.loses_answers = 1
        assert office.service.sync() == Synced(1, 1, 0)
        assert (office.standing(facts).version, office.telemetry.counts["OptOuts"]) == (2, 1)
        assert office.publisher.published == [ReminderStopped("C0001", NOW, "opted_out")]

    def test_an_opt_out_whose_answer_was_lost_is_told_of_even_if_somebody_else_has_written_since(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        office.store.loses_answers = 1
        office.store.meanwhile = [lambda stored: replace(stored, ledger=(texted(facts, NOW),))]
        assert office.service.sync() == Synced(1, 0, 0)
        assert office.publisher.published == [ReminderStopped("C0001", NOW, "opted_out")]

    def test_a_stop_that_somebody_else_has_ended_before_ours_was_written_is_not_told_of(self, office: Office) -> None:
        office.add(someone())
        office.store.meanwhile = [lambda stored: replace(stored, opted_in_at=NOW)]
        assert office.service.sync() == Synced(1, 0, 1)
        assert office.publisher.published == []

    def test_the_others_are_brought_in_line_and_the_run_fails(self, office: Office) -> None:
        people = [office.add(someone(number)) for number in range(1, 4)]
        office.store.fails_for = "C0002"
        with pytest.raises(SyncError, match="1 customers"):
            office.service.sync()
        assert [office.standing(facts).is_opted_out for facts in people] == [True, False, True]
        assert ("opt_out_not_synced", {"customer_id": "C0002", "error": "ServiceCallError"}) in office.telemetry.events
        assert len(office.publisher.published) == 2

    def test_when_others_keep_writing_the_run_fails(self, office: Office) -> None:
        office.add(someone())
        office.store.meanwhile = [lambda stored: stored] * 9
        with pytest.raises(SyncError):
            office.service.sync()

    def test_a_record_that_cannot_be_read_is_logged_and_does_not_fail_every_night(self, office: Office) -> None:
        office.add(someone())
        office.store.unreadable.add("C0001")
        assert office.service.sync() == Synced(1, 0, 0)
        assert office.telemetry.counts["OptOutsNotSynced"] == 1


def test_numbers_are_looked_up_a_hundred_at_a_time(office: Office) -> None:
    people = [office.add(someone(number)) for number in range(1, 251)]
    assert office.service.sync() == Synced(250, 250, 0)
    assert office.store.asked == [100, 100, 50]
    assert all(office.standing(facts).is_opted_out for facts in people)


def test_neither_logs_nor_events_name_a_number(office: Office) -> None:
    office.add(someone())
    office.service.sync()
    assert "900000001" not in repr((office.telemetry.events, office.publisher.published))
