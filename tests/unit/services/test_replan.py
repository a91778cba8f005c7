"""Planning everybody anew after a policy has changed: what moves, what does not, how it is left and resumed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from dunning.contracts.replan_part import ReplanPart, parse_replan_part, replan_body
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.outbound_events import ReminderStopped
from dunning.ports.queues import QueueMessage
from dunning.services.planning import replan
from dunning.services.replan import Counted, ReplanService
from tests.support.builders import a_lender_record, promised, the_policies
from tests.support.fakes import ContestedCustomers, FakeClock, FakeDelayQueue, FakeEventPublisher, FakeTelemetry
from tests.support.people import NOW, paid_up, someone, texted, waking

POLICIES = the_policies()
WHOLE = ReplanPart(0, 1, "")


class Office:
    """The service, and everything it touches."""

    def __init__(self) -> None:
        self.store, self.queue = ContestedCustomers(), FakeDelayQueue()
        self.publisher, self.telemetry, self.clock = FakeEventPublisher(), FakeTelemetry(), FakeClock(NOW)
        self.service = ReplanService(
            store=self.store,
            scan=self.store,
            queue=self.queue,
            publisher=self.publisher,
            policies=POLICIES,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def add(self, facts: Facts, standing: Standing | None) -> Facts:
        self.store.lender_records[facts.customer_id] = a_lender_record(facts)
        if standing is not None:
            self.store.standings[facts.customer_id] = standing
        return facts

    def replan(self, part: ReplanPart = WHOLE, *, seconds: Sequence[float] = (), change: bool = True) -> Counted:
        left = list(seconds)
        return self.service.replan_part(part, lambda: left.pop(0) if left else 600, change=change)


@pytest.fixture
def office() -> Office:
    return Office()


def planned(facts: Facts) -> Standing:
    """Return the standing as today's policies make it."""
    return replan(facts, waking(facts, None, version=0), waking(facts, None), POLICIES, NOW).standing


def test_a_wake_of_an_older_policy_is_moved_to_where_todays_puts_it(office: Office) -> None:
    facts = someone(due_in=10)
    office.add(facts, replace(planned(facts), version=4, wake=Wake(NOW + timedelta(days=9), 5)))
    assert office.replan() == Counted(customers=1, changed=1)
    after = office.store.standings["C0001"]
    assert after == replace(planned(facts), version=5)


def test_a_wake_that_is_moved_is_logged_with_the_decision_behind_it_and_a_look_is_not(office: Office) -> None:
    facts = someone(due_in=10)
    office.add(facts, replace(planned(facts), version=4, wake=Wake(NOW + timedelta(days=9), 5)))
    assert office.replan(change=False).changed == 1
    assert not office.telemetry.decisions
    assert office.replan().changed == 1
    ((customer_id, decision, at),) = office.telemetry.decisions
    assert (customer_id, decision.kind, at) == ("C0001", "wait", NOW)
    office.replan()
    assert len(office.telemetry.decisions) == 1, "what stays as it is has been logged already"


def test_doing_it_again_writes_nothing(office: Office) -> None:
    for number in range(1, 8):
        office.add(someone(number, due_in=number), waking(someone(number, due_in=number), None))
    assert office.replan().changed == 7
    writes = office.store.writes
    assert office.replan() == Counted(customers=7)
    assert office.store.writes == writes


def test_a_text_that_has_been_due_for_an_hour_stays_where_it_is_in_the_queue(office: Office) -> None:
    facts = someone()
    standing = office.add(facts, replace(planned(facts), wake=Wake(NOW - timedelta(hours=1), 2), reason="next_stage"))
    assert office.replan().changed == 0
    assert standing


def test_a_customer_whose_wake_was_lost_gets_one(office: Office) -> None:
    office.add(someone(), waking(someone(), None))
    assert office.replan().changed == 1
    assert office.store.standings["C0001"].wake == Wake(NOW, 0)


@pytest.mark.parametrize(
    "standing", [None, Standing(customer_id="C0001", version=1, opted_out_at=NOW)], ids=["none", "an opt-out only"]
)
def test_a_customer_whose_load_has_not_come_to_its_end_is_left_to_it(office: Office, standing: Standing | None) -> None:
    """Who else has the number has not been looked at."""
    office.add(someone(), standing)
    assert office.replan().changed == 0
    assert office.store.standings.get("C0001") == standing


def test_the_end_of_reminders_is_published_for_a_customer_who_owes_nothing(office: Office) -> None:
    facts = paid_up(someone())
    office.add(facts, waking(facts))
    office.replan()
    assert office.store.standings["C0001"].wake is None
    assert office.publisher.published == [ReminderStopped("C0001", NOW, "nothing_open")]


def test_replanning_keeps_what_a_customer_has_said(office: Office) -> None:
    facts = someone()
    hold = Hold(HoldReason.QUESTION, date(2026, 12, 3), NOW)
    promise = promised(NOW, date(2026, 12, 3), "A0001-0#1")
    office.add(facts, waking(facts, holds=(hold,), opted_out_at=NOW, **promise))
    office.replan()
    after = office.store.standings["C0001"]
    assert (after.holds, after.opted_out_at, after.reason) == ((hold,), NOW, "opted_out")
    assert {"payment_statements": after.payment_statements, "promises": after.promises} == promise


def test_a_look_changes_nothing_and_tells_nobody(office: Office) -> None:
    facts = paid_up(someone())
    office.add(facts, waking(facts))
    assert office.replan(change=False) == Counted(customers=1, changed=1)
    assert office.store.standings["C0001"] == waking(facts)
    assert office.publisher.published == []


def test_a_customer_who_is_written_meanwhile_is_read_again(office: Office) -> None:
    facts = office.add(someone(due_in=10), waking(someone()))
    load = office.store.load

    def load_then_opt_out(customer_ids: Sequence[str]) -> object:
        found = load(customer_ids)
        office.store.load = load  # type: ignore[method-assign]
        office.store.standings["C0001"] = waking(facts, version=2, opted_out_at=NOW)
        return found

    office.store.load = load_then_opt_out  # type: ignore[method-assign, assignment]
    assert office.replan() == Counted(customers=1, changed=1)
    after = office.store.standings["C0001"]
    assert (after.version, after.opted_out_at, after.wake) == (3, NOW, None)


@pytest.mark.parametrize("somebody_else_has_written_since", [False, True])
def test_a_write_whose_answer_was_lost_is_counted_and_told_of_once(
    office: Office, *, somebody_else_has_written_since: bool
) -> None:
    facts = office.add(paid_up(someone()), waking(paid_up(someone())))
    office.store.loses_answers = 1
    if somebody_else_has_written_since:
        office.store.meanwhile = [lambda stored: replace(stored, ledger=(texted(facts, NOW),))]
    assert office.replan() == Counted(customers=1, changed=1)
    assert office.publisher.published == [ReminderStopped("C0001", NOW, "nothing_open")]
    assert [decision.reason for _, decision, _ in office.telemetry.decisions] == ["nothing_open"]


def test_a_customer_who_keeps_changing_is_counted_and_left_to_the_other_writer(office: Office) -> None:
    office.add(someone(due_in=10), waking(someone()))
    office.store.save_standing = lambda *_, **__: False  # type: ignore[method-assign]
    assert office.replan() == Counted(customers=1, contested=1)


def test_a_record_that_cannot_be_read_harms_nobody_else(office: Office) -> None:
    office.add(someone(1), waking(someone(1), None))
    office.add(someone(2), waking(someone(2), None))
    office.store.unreadable.add("C0001")
    assert office.replan() == Counted(customers=2, changed=1, unreadable=1)


class TestAPart:
    """Of the table."""

    def test_all_parts_together_are_everybody_once(self, office: Office) -> None:
        for number in range(60):
            office.add(someone(number), waking(someone(number), None))
        assert office.service.start(7) == 7
        parts = [parse_replan_part(body) for body, _ in office.queue.messages]
        assert [office.replan(part).customers for part in parts].count(0) < 7
        assert len(office.store.standings) == 60
        assert sum(office.replan(part).customers for part in parts) == 60

    def test_that_runs_out_of_time_goes_on_where_it_was_left(self, office: Office) -> None:
        for number in range(120):
            office.add(someone(number), waking(someone(number), None))
        first = office.replan(seconds=[5])
        assert first == Counted(customers=50, changed=50, finished=False)
        ((body, delay),) = office.queue.messages
        assert delay == timedelta()
        assert office.replan(parse_replan_part(body)) == Counted(customers=70, changed=70)
        assert len(office.store.standings) == 120

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{}",
            '{"schema_version": 1, "segment": 3, "segments": 3, "after": ""}',
            replan_body(WHOLE)[:-1] + ', "x": 1}',
        ],
        ids=["nothing", "no fields", "behind the last one", "an unknown field"],
    )
    def test_that_is_none_comes_back_and_ends_with_the_dead_letters(self, office: Office, body: str) -> None:
        with pytest.raises(UnreadableRecordError):
            parse_replan_part(body)
        deliveries = [QueueMessage("bad", body, 1), QueueMessage("good", replan_body(WHOLE), 1)]
        office.add(someone(), waking(someone(), None))
        assert office.service.handle_batch(deliveries, lambda: 600) == ["bad"]
        assert office.telemetry.counts == {"ReplanFailed": 1, "CustomersReplanned": 1, "WakesMoved": 1}

    def test_whose_table_does_not_answer_comes_back(self, office: Office) -> None:
        def nothing(customer_ids: Sequence[str]) -> object:
            raise ServiceCallError("BatchGetItem", str(len(customer_ids)))

        office.add(someone(), waking(someone(), None))
        office.store.load = nothing  # type: ignore[method-assign, assignment]
        assert office.service.handle_batch([QueueMessage("m", replan_body(WHOLE), 1)], lambda: 600) == ["m"]
