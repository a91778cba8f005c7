"""The sender: each job judged afresh, claimed before it is sent, sent once, and recorded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import AddressSince, OpenReview, Standing, Wake, progress_key
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.contact import ContactState
from dunning.services.send import sender
from tests.integration.conftest import House, batch, event_file, job_for
from tests.support.aws_requests import Work, error, first, no_answer
from tests.support.builders import store_facts
from tests.support.people import NOW, paid_up, someone, waking

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")

LATER = timedelta(days=1)
LOST = ReadTimeoutError(endpoint_url="aws")


def _spoil(house: House, facts: Facts) -> None:
    """Damage a standing so that it cannot be read."""
    boto3.client("dynamodb").update_item(
        TableName=house.cloud.stack.customers_table,
        Key={"customer_id": {"S": facts.customer_id}, "item": {"S": "standing"}},
        UpdateExpression="SET ledger = :broken",
        ExpressionAttributeValues={":broken": {"S": "[["}},
    )


def _fail_for(monkeypatch: pytest.MonkeyPatch, facts: Facts) -> None:
    """Let the program have a bug that only one customer brings out."""

    def buggy(of: Facts, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 - as decide
        if of.customer_id == facts.customer_id:
            raise ZeroDivisionError(f"{of.name} {of.phone}")
        return decide(of, *rest, **more)

    monkeypatch.setattr(sender, "decide", buggy)


class TestAJob:
    """From the queue to the audit record."""

    def test_is_sent_claimed_and_recorded(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        assert house.send(batch(job_for(facts))) == []
        (sms,) = house.cloud.outbox
        (contact,) = house.contacts()
        standing = house.standing(facts)
        (entry,) = standing.ledger
        assert (sms.to, sms.text) == (facts.phone, contact.text)
        assert contact.state is ContactState.SENT
        assert contact.message_id == sms.message_id
        assert (contact.send_id, contact.claim_id, contact.at) == (entry.send_id, entry.claim_id, entry.at)
        assert (contact.phone, contact.lender, contact.jurisdiction) == (facts.phone, "demo-tw", "TW")
        assert contact.expires_at == NOW + timedelta(days=1827)
        assert contact.reasons
        assert entry.for_wake == NOW
        assert standing.version == 2
        assert standing.progress[progress_key("A0001-0", 1)].stage == -3
        assert standing.wake is not None
        assert standing.wake.at == NOW + timedelta(days=3)

    def test_the_batch_of_the_event_file_is_worked_off(self, house: House) -> None:
        people = [someone(number) for number in (1, 2, 3)]
        house.add(*people)
        assert house.send(event_file("sender/jobs.json")) == []
        assert sorted(sms.to for sms in house.cloud.outbox) == [facts.phone for facts in people]
        assert [contact.state for contact in house.contacts()] == [ContactState.SENT] * 3

    def test_the_records_of_a_batch_are_one_write(self, house: House) -> None:
        people = [someone(number) for number in range(25)]
        house.add(*people)
        house.requests.clear()
        assert house.send(batch(*map(job_for, people))) == []
        assert house.requests.sent == {
            "dynamodb.BatchGetItem": 1,
            "ssm.GetParameter": 1,
            "sqs.GetQueueAttributes": 3,
            "dynamodb.PutItem": 25,
            "sns.Publish": 25,
            "dynamodb.BatchWriteItem": 1,
            "eventbridge.PutEvents": 1,
        }

    def test_that_comes_twice_sends_once(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        assert house.send(batch(job_for(facts), job_for(facts))) == []
        assert house.send(batch(job_for(facts))) == []
        assert house.send(batch(job_for(facts), receives=2)) == []
        assert len(house.cloud.outbox) == 1
        assert [contact.state for contact in house.contacts()] == [ContactState.SENT]

    def test_for_somebody_who_has_paid_since_sends_nothing(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.scan()
        store_facts(house.store, paid_up(facts))
        house.cloud.drain()
        assert house.cloud.outbox == []
        assert house.standing(facts) == waking(facts, None, version=2, reason="nothing_open")

    def test_for_somebody_who_is_not_due_any_more_only_moves_the_wake(self, house: House) -> None:
        facts = someone(1, due_in=5)
        house.add(facts)
        assert house.send(batch(job_for(facts))) == []
        assert house.cloud.outbox == []
        assert house.standing(facts).wake == Wake(NOW + timedelta(days=2), 1)
        assert house.standing(facts).reason == "next_stage"

    def test_for_a_customer_nobody_knows_is_done_and_leaves_nothing_behind(self, house: House) -> None:
        assert house.send(batch(job_for(someone(1)))) == []
        assert list(house.cloud.items(house.cloud.stack.customers_table)) == []

    def test_of_a_customer_without_facts_takes_the_wake_away(self, house: House) -> None:
        house.store.save_standing(waking(someone(1)), expected_version=0)
        assert house.send(batch(job_for(someone(1)))) == []
        assert house.standing(someone(1)) == waking(someone(1), None, version=2, reason="nothing_open")


class TestBetweenDecisionAndClaim:
    """Of two writers of a standing the first counts."""

    def _meanwhile(self, house: House, written: Standing) -> None:
        """Write the standing at the moment at which the sender tries to."""

        def write_first(_: object, work: Work) -> AWSResponse | None:
            assert house.store.save_standing(written, expected_version=1)
            return work()

        house.requests.answer("dynamodb.PutItem", first(write_first))

    def test_an_opt_out_is_obeyed(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        self._meanwhile(house, waking(facts, version=2, opted_out_at=NOW))
        assert house.send(batch(job_for(facts))) == []
        assert house.cloud.outbox == []
        assert house.contacts() == []
        assert house.standing(facts) == waking(facts, None, version=3, opted_out_at=NOW, reason="opted_out")

    def test_somebody_who_only_touched_the_standing_does_not_stop_the_text(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        self._meanwhile(house, waking(facts, version=2, planned_for="newer facts"))
        assert house.send(batch(job_for(facts))) == []
        assert len(house.cloud.outbox) == 1
        assert house.standing(facts).version == 3
        assert house.standing(facts).planned_for == "newer facts"


class TestAMessageThatIsNoJob:
    """It is parked at once and holds nobody up."""

    POISON = '{"customer":"C0001"}'

    def test_is_parked_while_the_rest_goes_on(self, house: House) -> None:
        people = [someone(number) for number in (1, 2)]
        house.add(*people)
        assert house.send(batch(job_for(people[0]), self.POISON, job_for(people[1]))) == []
        assert house.bodies("DEAD_LETTER_URL") == [self.POISON]
        assert len(house.cloud.outbox) == 2
        assert house.metric("JobsParked") == 1

    def test_comes_back_alone_if_it_cannot_be_parked(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.requests.answer("sqs.SendMessage", error("AccessDenied", 403))
        assert house.send(batch(self.POISON, job_for(facts))) == ["message-0"]
        assert len(house.cloud.outbox) == 1

    def test_alone_in_its_batch_reads_nothing(self, house: House) -> None:
        assert house.send(batch(self.POISON)) == []
        assert house.requests.sent["dynamodb.BatchGetItem"] == 0


class TestASenderThatDies:
    """What was claimed is never sent again."""

    def test_after_publishing_leaves_a_job_that_is_settled_as_unknown_and_never_sent_again(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.scan()
        house.requests.answer("dynamodb.BatchWriteItem", no_answer(SystemExit()))  # type: ignore[arg-type]
        with pytest.raises(SystemExit):
            house.cloud.drain()
        house.requests.let_all_through()
        assert len(house.cloud.outbox) == 1
        assert house.contacts() == []
        house.cloud.run_until(NOW + timedelta(minutes=20))
        assert len(house.cloud.outbox) == 1
        (contact,) = house.contacts()
        assert (contact.state, contact.code) == (ContactState.UNKNOWN, "sender_crashed")
        assert contact.claim_id == house.standing(facts).ledger[0].claim_id
        assert house.metric("SmsUnknown") == 1
        assert house.cloud.next_visible() is None

    def test_after_claiming_leaves_a_claim_that_counts_against_every_cap(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.requests.answer("sns.Publish", no_answer(KeyError("died")))
        assert house.send(batch(job_for(facts))) == ["message-0"]
        house.requests.let_all_through()
        assert house.send(batch(job_for(facts), receives=2)) == []
        assert house.cloud.outbox == []
        assert [contact.state for contact in house.contacts()] == [ContactState.UNKNOWN]
        assert len(house.standing(facts).ledger) == 1

    def test_before_its_records_were_written_has_them_settled_and_not_those_that_were(self, house: House) -> None:
        people = [someone(1), someone(2)]
        house.add(*people)
        house.requests.answer("dynamodb.BatchWriteItem", error("AccessDeniedException"))
        assert sorted(house.send(batch(*map(job_for, people)))) == ["message-0", "message-1"]
        house.requests.let_all_through()
        assert house.send(batch(*map(job_for, people), receives=2)) == []
        assert len(house.cloud.outbox) == 2
        assert [contact.state for contact in house.contacts()] == [ContactState.UNKNOWN] * 2

    def test_does_not_turn_a_text_that_is_known_to_be_sent_into_an_unknown_one(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.requests.answer("dynamodb.BatchWriteItem", no_answer(SystemExit(), worked_on=True))  # type: ignore[arg-type]
        with pytest.raises(SystemExit):
            house.send(batch(job_for(facts)))
        house.requests.let_all_through()
        assert house.send(batch(job_for(facts), receives=2)) == []
        assert [contact.state for contact in house.contacts()] == [ContactState.SENT]
        assert house.metric("SmsUnknown") == 0


class TestAnAnswer:
    """What is done about it."""

    def test_that_was_lost_is_recorded_as_unknown_and_the_claim_stays(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.requests.answer("sns.Publish", no_answer(LOST, worked_on=True))
        assert house.send(batch(job_for(facts))) == []
        (contact,) = house.contacts()
        assert (contact.state, contact.code, contact.message_id) == (ContactState.UNKNOWN, "ReadTimeoutError", "")
        assert len(house.standing(facts).ledger) == 1
        assert house.requests.sent["sns.Publish"] == 1

    @pytest.mark.parametrize(
        ("code", "status", "wait"),
        [("Throttling", 400, timedelta(minutes=1)), ("AuthorizationError", 403, timedelta(hours=1))],
    )
    def test_that_refuses_for_now_gives_the_claim_back_and_wakes_again(
        self, house: House, code: str, status: int, wait: timedelta
    ) -> None:
        facts = someone(1)
        house.add(facts, urgency=3)
        house.requests.answer("sns.Publish", error(code, status))
        assert house.send(batch(job_for(facts))) == []
        assert house.contacts() == []
        assert house.standing(facts) == waking(facts, NOW + wait, urgency=3, version=3, reason="carrier_busy")
        house.requests.let_all_through()
        house.cloud.run_until(NOW + wait + timedelta(minutes=5))
        assert len(house.cloud.outbox) == 1

    def test_that_refuses_the_number_suspends_it_until_it_is_corrected(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.requests.answer("sns.Publish", error("InvalidParameter", 400, "Invalid parameter: PhoneNumber"))
        assert house.send(batch(job_for(facts))) == []
        (contact,) = house.contacts()
        assert (contact.state, contact.code) == (ContactState.REFUSED, "InvalidParameter")
        assert house.standing(facts) == waking(
            facts,
            None,
            version=3,
            reason="number_refused",
            suspended={"sms": AddressSince(facts.phone, NOW)},
            announced=("number_refused",),
            attention=(OpenReview("number_refused", NOW),),
        )
        house.requests.let_all_through()
        assert house.send(batch(job_for(facts))) == []
        assert house.cloud.outbox == []
        store_facts(house.store, replace(facts, phone="+886912345678", as_of=NOW))
        assert house.send(batch(job_for(facts))) == []
        assert [sms.to for sms in house.cloud.outbox] == ["+886912345678"]

    def test_that_refuses_one_number_does_not_touch_the_others(self, house: House) -> None:
        people = [someone(number) for number in (1, 2, 3)]
        house.add(*people)
        house.requests.answer("sns.Publish", first(error("Throttling")))
        assert house.send(batch(*map(job_for, people))) == []
        assert len(house.cloud.outbox) == 2
        assert sum(house.standing(facts).reason == "carrier_busy" for facts in people) == 1


class TestTheSwitch:
    """One switch stops all sending."""

    def test_when_off_claims_nothing_and_leaves_every_wake(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        house.turn("off")
        assert house.send(batch(job_for(facts))) == []
        assert house.cloud.outbox == []
        assert house.standing(facts) == waking(facts)
        assert house.metric("WaitSendingOff") == 1

    def test_when_unreadable_counts_as_off(self, house: House) -> None:
        house.add(someone(1))
        house.requests.answer("ssm.GetParameter", error("AccessDeniedException"))
        assert house.send(batch(job_for(someone(1)))) == []
        assert house.cloud.outbox == []
        assert house.metric("SwitchUnreadable") == 1

    def test_when_on_again_the_wakes_are_still_there(self, house: House) -> None:
        house.add(someone(1))
        house.turn("off")
        house.send(batch(job_for(someone(1))))
        house.turn("on")
        house.cloud.clock.move_to(NOW + timedelta(minutes=1))
        house.scan()
        house.cloud.drain()
        assert len(house.cloud.outbox) == 1


class TestTimeThatRunsOut:
    """A claim is only made while there is time to publish and to record."""

    def test_sends_the_jobs_back_unclaimed(self, house: House) -> None:
        people = [someone(1), someone(2)]
        house.add(*people)
        assert sorted(house.send(batch(*map(job_for, people)), seconds=14)) == ["message-0", "message-1"]
        assert house.cloud.outbox == []
        assert [house.standing(facts) for facts in people] == [waking(facts) for facts in people]
        assert house.metric("JobsOutOfTime") == 2

    def test_sets_nobody_aside_not_even_at_the_last_receive(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        assert house.send(batch(job_for(facts), receives=5), seconds=14) == ["message-0"]
        assert house.standing(facts) == waking(facts)

    def test_does_not_hold_up_a_decision_that_sends_nothing(self, house: House) -> None:
        facts = someone(1, due_in=9)
        house.add(facts)
        assert house.send(batch(job_for(facts)), seconds=1) == []


class TestACustomerWhoKeepsFailing:
    """Touches nobody else, and steps aside for a day: at once if the record cannot be read, else at last."""

    def test_touches_nobody_else(self, house: House) -> None:
        people = [someone(number) for number in (1, 2, 3)]
        house.add(*people)
        _spoil(house, people[1])
        assert house.send(batch(*map(job_for, people))) == []
        assert len(house.cloud.outbox) == 2
        assert house.metric("JobsFailed") == 1

    def test_comes_back_with_every_copy_of_the_job(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        house.add(someone(1))
        _fail_for(monkeypatch, someone(1))
        assert house.send(batch(job_for(someone(1)), job_for(someone(1)))) == ["message-0", "message-1"]

    def test_steps_aside_for_a_day_at_once_if_the_record_cannot_be_read_and_is_listed(self, house: House) -> None:
        facts = someone(1)
        house.add(facts)
        _spoil(house, facts)
        assert house.send(batch(job_for(facts))) == []
        assert [due.wake for due in house.store.due(NOW + LATER, 9)] == [Wake(NOW + LATER, 9)]
        assert list(house.store.due(NOW, 9)) == []
        (decided,) = house.telemetry.decisions
        assert decided[0] == facts.customer_id
        assert decided[1].reason is Reason.UNREADABLE_RECORD
        assert house.metric("CustomersQuarantined") == 1
        assert house.metric("StopUnreadableRecord") == 1

    def test_never_reaches_the_dead_letter_queue(self, house: House) -> None:
        house.add(someone(1), someone(2))
        _spoil(house, someone(1))
        house.cloud.run_until(NOW + timedelta(hours=2))
        assert house.cloud.dead_letters() == 0
        assert len(house.cloud.outbox) == 1
        next_wake = house.cloud.next_wake()
        assert next_wake is not None
        assert next_wake >= NOW + LATER

    def test_comes_back_if_it_cannot_even_be_quarantined(self, house: House) -> None:
        house.add(someone(1))
        _spoil(house, someone(1))
        house.requests.answer("dynamodb.UpdateItem", error("AccessDeniedException"))
        assert house.send(batch(job_for(someone(1)), receives=5)) == ["message-0"]

    def test_because_of_a_bug_in_the_program_does_not_touch_the_others(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        people = [someone(number) for number in (1, 2, 3)]
        house.add(*people)
        _fail_for(monkeypatch, people[0])
        assert house.send(batch(*map(job_for, people))) == ["message-0"]
        assert sorted(sms.to for sms in house.cloud.outbox) == [people[1].phone, people[2].phone]
        assert len(house.contacts()) == 2
        (event,) = (fields for name, fields in house.telemetry.events if name == "job_failed")
        assert event["error"] == "ZeroDivisionError"
        assert str(event["where"]).startswith("buggy:")


class TestABusyTable:
    """DynamoDB throttles: the SDK tries again, then the jobs come back."""

    def test_that_cannot_be_read_sends_the_whole_batch_back(self, house: House) -> None:
        house.add(someone(1))
        house.requests.answer("dynamodb.BatchGetItem", error("AccessDeniedException"))
        with pytest.raises(Exception, match="BatchGetItem: AccessDeniedException"):
            house.send(batch(job_for(someone(1))))
        assert house.cloud.outbox == []

    def test_that_does_not_take_a_claim_sends_its_job_back_and_publishes_nothing(self, house: House) -> None:
        house.add(someone(1), someone(2))
        house.requests.answer("dynamodb.PutItem", first(error("AccessDeniedException")))
        assert len(house.send(batch(job_for(someone(1)), job_for(someone(2))))) == 1
        assert len(house.cloud.outbox) == 1

    def test_whose_answer_to_a_claim_is_lost_does_not_cost_the_text(self, house: House) -> None:
        house.add(someone(1))
        house.requests.answer("dynamodb.PutItem", first(no_answer(LOST, worked_on=True)))
        assert house.send(batch(job_for(someone(1)))) == []
        assert len(house.cloud.outbox) == 1
        assert len(house.standing(someone(1)).ledger) == 1
