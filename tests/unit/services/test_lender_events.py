"""What a lender says as it happens, on fakes: what is kept, what follows from it, and what an erasure leaves."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import chain, repeat
from typing import Any

import pytest

from dunning.contracts.erasure_round import erasure_round_body
from dunning.contracts.instants import instant
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.lender_record import (
    CustomerAttended,
    EventTime,
    InstalmentPaid,
    LenderRecord,
    RecordedEvent,
    record_event,
)
from dunning.domain.customer.returning import BEFORE_ERASURE
from dunning.domain.customer.standing import OpenReview, Standing, Wake
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import CustomerNeedsPerson, PromiseBroken, ReminderStopped, ReviewReason
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.erasure import StoredUpload
from dunning.ports.queues import QueueMessage
from dunning.services.erasure.erase import ROUND_INTERVAL, SECOND_ROUND, UNDER_WAY, EraseService
from dunning.services.erasure.purge import PurgeService
from dunning.services.intake.settle import Candidate, Settler
from dunning.services.lender_events import LenderEventService
from dunning.services.planning import fingerprint
from tests.support.builders import (
    a_lender_record,
    an_account,
    an_instalment,
    promised,
    rules_of,
    store_facts,
    the_policies,
)
from tests.support.fakes import (
    FakeBacklog,
    FakeClock,
    FakeContacts,
    FakeCustomers,
    FakeDeadLetters,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeNews,
    FakeQueue,
    FakeTelemetry,
    FakeUploadErasure,
)
from tests.support.people import NOW, someone, texted, waking

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SAID_AT = NOW - MINUTE


class Customers(FakeCustomers):
    """Customers that somebody else writes too: each of `meanwhile` happens before one of the next writes."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], None]] = []
        self.loads = 0

    def load_stored(self, customer_ids: Any) -> Any:  # noqa: ANN401 - as the fake
        self.loads += 1
        return super().load_stored(customer_ids)

    def save_customer(
        self, lender_record: LenderRecord, standing: Standing, *, expected_revision: int, expected_version: int
    ) -> bool:
        self._let_others()
        return super().save_customer(
            lender_record, standing, expected_revision=expected_revision, expected_version=expected_version
        )

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool:
        self._let_others()
        return super().save_lender_record(lender_record, expected_revision=expected_revision)

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        self._let_others()
        return super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)

    def _let_others(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()


class Office:
    """The service for events of the lender with everything it touches."""

    def __init__(self) -> None:
        self.store = Customers()
        self.contacts = FakeContacts()
        self.uploads = FakeUploadErasure()
        self.queue = FakeQueue()
        self.later = FakeDelayQueue()
        self.publisher = FakeEventPublisher()
        self.clock = FakeClock(NOW)
        self.telemetry = FakeTelemetry()
        self.news = FakeNews()
        self.replies, self.reply_dead_letters = FakeBacklog(), FakeDeadLetters("replies")
        erasing = EraseService(
            customers=self.store,
            contacts=self.contacts,
            uploads=self.uploads,
            clock=self.clock,
            telemetry=self.telemetry,
        )
        self.service = LenderEventService(
            store=self.store,
            phones=self.store,
            replies=self.contacts,
            erasing=erasing,
            purging=PurgeService(
                customers=self.store,
                erasing=erasing,
                replies=self.replies,
                dead_letters=[self.reply_dead_letters],
                clock=self.clock,
                telemetry=self.telemetry,
            ),
            dead_letters=self.queue,
            delay_queue=self.later,
            failures=self.news,
            publisher=self.publisher,
            policies=the_policies(),
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def add(self, facts: Facts, standing: Standing | None = None) -> Facts:
        """Put a customer there whose wake fits the facts."""
        self.store.lender_records[facts.customer_id] = a_lender_record(facts)
        self.store.standings[facts.customer_id] = replace(standing or waking(facts), planned_for=fingerprint(facts))
        self.store.phones[facts.phone] = frozenset({facts.customer_id})
        return facts

    def load(self, facts: Facts) -> None:
        """Load a file with one customer."""
        Settler(self.store, self.store, the_policies()).settle_batch([Candidate(facts, 2)], NOW)

    def receive(self, *bodies: str, receives: int = 1, seconds: float = 60) -> list[str]:
        """Deliver messages in one batch, and return the places of those that come back."""
        deliveries = [QueueMessage(str(place), body, receives) for place, body in enumerate(bodies)]
        return self.service.handle_batch(deliveries, lambda: seconds)

    def standing(self, customer_id: str = "C0001") -> Standing:
        return self.store.standings[customer_id]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [fields for event, fields in self.telemetry.events if event == name]


@pytest.fixture
def office() -> Office:
    return Office()


def event(kind: str, customer: str = "C0001", at: datetime = SAID_AT, sequence: int = 0, **detail: object) -> str:
    inside = {"schema_version": 1, "customer_id": customer, "at": at.isoformat(), "sequence": sequence, **detail}
    return json.dumps({"detail-type": kind, "detail": inside})


def paid(amount: int = 325_000, number: int = 1, account: str = "A0001-0", **more: Any) -> str:  # noqa: ANN401 - of event
    return event("InstalmentPaid", account_id=account, instalment_no=number, paid=amount, currency="TWD", **more)


def erased(**more: Any) -> str:  # noqa: ANN401 - of event
    return event("CustomerErased", **more)


def three_instalments() -> Facts:
    """Describe a customer with one instalment overdue, one due soon and one later."""
    due = ("2026-11-25", "2026-12-04", "2027-01-04")
    instalments = [an_instalment(day, 100_000, number=number) for number, day in enumerate(due, start=1)]
    return someone(accounts=1) and replace(someone(), accounts=(an_account(*instalments, account_id="A0001-0"),))


class TestAPayment:
    """Counts from the moment it is known."""

    def test_of_all_that_is_open_ends_the_reminders_and_says_so(self, office: Office) -> None:
        office.add(someone())
        assert office.receive(paid()) == []
        assert (office.standing().wake, office.standing().reason) == (None, "nothing_open")
        assert office.publisher.published == [ReminderStopped("C0001", NOW, "nothing_open")]
        ((_, decision, at),) = office.telemetry.decisions
        assert (decision.reason, at) == ("nothing_open", NOW)
        assert office.telemetry.counts["LenderEventsRecorded"] == 1

    def test_is_logged_once_by_its_ids_for_a_later_file_makes_the_record_forget_it(self, office: Office) -> None:
        office.add(someone())
        office.receive(paid(), paid())
        expected = {"customer_id": "C0001", "at": instant(SAID_AT), "subject": "paid:A0001-0#1"}
        assert office.events("lender_event") == [expected]
        office.receive(paid())
        assert len(office.events("lender_event")) == 1

    def test_counts_for_a_job_that_is_queued_already_for_no_older_claim_passes(self, office: Office) -> None:
        facts = office.add(someone())
        before = office.standing()
        office.receive(paid())
        late_claim = replace(before, version=before.version + 1, ledger=(texted(facts, NOW),))
        assert not office.store.save_standing(late_claim, expected_version=before.version)

    def test_of_the_earliest_moves_the_ladder_to_the_next(self, office: Office) -> None:
        office.add(three_instalments())
        office.receive(paid(100_000))
        # Three days before the second is today at ten, which is now.
        assert office.standing().wake == Wake(NOW, 0)
        office.receive(paid(100_000, number=2))
        wake = office.standing().wake
        assert wake is not None
        assert wake.at == datetime.fromisoformat("2027-01-01T10:00:00+08:00")

    def test_in_part_leaves_the_rest_due(self, office: Office) -> None:
        office.add(someone())
        office.receive(paid(100_000))
        (account,) = office.store.facts["C0001"].accounts
        assert account.instalments[0].open == 225_000
        assert office.standing().wake == Wake(NOW, 0)
        assert office.publisher.published == []

    def test_beyond_an_instalment_lessens_the_next(self, office: Office) -> None:
        office.add(three_instalments())
        office.receive(paid(200_000))
        wake = office.standing().wake
        assert wake is not None
        assert wake.at == datetime.fromisoformat("2027-01-01T10:00:00+08:00")

    def test_that_comes_early_ends_reminders_that_have_not_begun(self, office: Office) -> None:
        office.add(someone(due_in=20), waking(someone(), NOW + 17 * DAY, reason="next_stage"))
        office.receive(paid())
        assert office.standing().wake is None

    def test_that_is_reversed_brings_the_reminders_back(self, office: Office) -> None:
        office.add(someone())
        office.receive(paid())
        office.receive(paid(0, at=NOW))
        assert office.standing().wake == Wake(NOW, 0)
        assert office.store.facts["C0001"].accounts[0].instalments[0].open == 325_000

    def test_that_comes_twice_is_taken_once(self, office: Office) -> None:
        office.add(someone())
        office.receive(paid(), paid())
        before, writes = office.standing(), office.store.writes
        assert office.receive(paid()) == []
        assert (office.standing(), office.store.writes) == (before, writes)
        assert len(office.publisher.published) == 1

    @pytest.mark.parametrize("together", [True, False])
    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_that_comes_behind_its_own_reversal_changes_nothing(
        self,
        office: Office,
        order: tuple[int, int],
        together: bool,  # noqa: FBT001
    ) -> None:
        office.add(someone())
        both = [paid(at=SAID_AT, sequence=1), paid(0, at=SAID_AT, sequence=2)]
        bodies = [both[place] for place in order]
        for batch in [bodies] if together else [[body] for body in bodies]:
            office.receive(*batch)
        assert office.store.facts["C0001"].accounts[0].instalments[0].paid == 0
        assert office.standing().wake == Wake(NOW, 0)

    def test_from_before_the_last_statement_is_known_to_it(self, office: Office) -> None:
        facts = office.add(someone())
        assert facts.as_of is not None
        before = office.standing()
        assert office.receive(paid(at=facts.as_of - MINUTE)) == []
        assert office.standing() == before

    def test_in_another_currency_than_the_accounts_stops_everything(self, office: Office) -> None:
        office.add(someone())
        office.receive(event("InstalmentPaid", account_id="A0001-0", instalment_no=1, paid=1, currency="USD"))
        assert office.standing().reason == "unknown_currency"

    def test_that_keeps_a_promise_is_noted_by_when_it_was_said(self, office: Office) -> None:
        broken = promised(NOW - 5 * DAY, date(2026, 11, 30), "A0001-0#1", kept=False)
        office.add(someone(as_of=NOW - 9 * DAY), waking(someone(), **broken))
        office.receive(paid(at=datetime.fromisoformat("2026-11-30T23:00:00+08:00")))
        assert office.standing().promises["A0001-0#1"].kept is True

    def test_of_something_else_finds_a_promise_that_is_broken(self, office: Office) -> None:
        office.add(three_instalments(), waking(someone(), **promised(NOW - 5 * DAY, date(2026, 11, 30), "A0001-0#1")))
        office.receive(paid(100_000, number=2))
        assert office.publisher.published == [
            PromiseBroken(customer_id="C0001", at=NOW, account_id="A0001-0", number=1, promised_on=date(2026, 11, 30))
        ]
        assert office.standing().promises["A0001-0#1"].kept is False


class TestOtherNews:
    """What else a lender may say of a customer."""

    def test_an_instalment_that_is_put_off_moves_the_wake(self, office: Office) -> None:
        office.add(someone())
        moved: dict[str, Any] = {"account_id": "A0001-0", "instalment_no": 1, "due_on": "2026-12-20"}
        office.receive(event("InstalmentChanged", amount=325_000, currency="TWD", **moved))
        wake = office.standing().wake
        assert wake is not None
        assert wake.at == datetime.fromisoformat("2026-12-17T10:00:00+08:00")

    def test_an_account_that_is_closed_is_not_spoken_of_any_more(self, office: Office) -> None:
        office.add(someone(accounts=2))
        office.receive(event("AccountClosed", account_id="A0001-0"))
        assert office.standing().wake == Wake(NOW, 0)
        office.receive(event("AccountClosed", account_id="A0001-1"))
        assert (office.standing().wake, office.standing().reason) == (None, "nothing_open")

    def test_a_hold_silences_up_to_its_last_day(self, office: Office) -> None:
        office.add(someone(due_in=0))
        office.receive(event("CustomerHold", reason="hardship", until="2026-12-09"))
        assert office.standing().reason == "on_hold"
        wake = office.standing().wake
        assert wake is not None
        assert wake.at >= datetime.fromisoformat("2026-12-10T00:00:00+08:00")

    def test_a_hold_for_a_reason_we_do_not_know_silences_and_is_counted(self, office: Office) -> None:
        office.add(someone())
        office.receive(event("CustomerHold", reason="on vacation"))
        assert (office.standing().wake, office.standing().reason) == (None, "on_hold")
        assert office.telemetry.counts["HoldsNotUnderstood"] == 1

    @pytest.mark.parametrize("reason", [None, "hardship"])
    def test_a_release_lifts_the_lenders_hold_and_the_customers_own(self, office: Office, reason: str | None) -> None:
        own = Hold(HoldReason.HARDSHIP, None, NOW - HOUR)
        office.add(someone(), waking(someone(), None, holds=(own,), reason="on_hold"))
        office.receive(event("CustomerHold", reason="hardship", at=NOW - HOUR))
        assert office.standing().wake is None
        office.receive(event("CustomerReleased", reason=reason))
        assert office.standing().wake == Wake(NOW, 0)

    def test_a_label_lifts_what_the_reply_has_led_to_and_acts_in_its_place(self, office: Office) -> None:
        facts = someone(due_in=0)
        in_doubt = Hold(HoldReason.DOUBT, date(2026, 12, 4), NOW - HOUR)
        office.add(facts, waking(facts, None, holds=(in_doubt,), reason="on_hold"))
        office.contacts.keep(_reply("in-1"))
        labelled = event("ReplyLabelled", reply_id="in-1", intents=["acknowledged"])
        office.receive(labelled)
        standing = office.standing()
        assert (standing.holds, standing.wake) == ((), Wake(NOW, 0))
        (reply,) = office.contacts.replies.values()
        assert (reply.labels, reply.labelled_at) == (("acknowledged",), SAID_AT)
        assert office.telemetry.counts["RepliesLabelled"] == 1
        office.receive(labelled)
        assert office.standing() is standing

    def test_of_several_labels_the_newest_counts_in_whatever_order_they_come(self, office: Office) -> None:
        office.add(someone())
        office.contacts.keep(_reply("in-1"))
        older = event("ReplyLabelled", reply_id="in-1", intents=["dispute"], at=SAID_AT - MINUTE)
        newer = event("ReplyLabelled", reply_id="in-1", intents=["hardship"])
        office.receive(newer)
        office.receive(older)
        assert [hold.reason for hold in office.standing().holds] == [HoldReason.HARDSHIP]
        (reply,) = office.contacts.replies.values()
        assert reply.labels == ("hardship",)

    def test_a_label_acts_on_a_customer_whose_load_has_not_finished_and_gives_no_wake(self, office: Office) -> None:
        facts = someone()
        unplanned = replace(waking(facts, None), reason="", planned_for="")
        office.add(facts, unplanned)
        office.contacts.keep(_reply("in-1"))
        office.receive(event("ReplyLabelled", reply_id="in-1", intents=["dispute"]))
        assert [hold.reason for hold in office.standing().holds] == [HoldReason.DISPUTE]
        assert (office.standing().wake, office.standing().is_planned) == (None, False)

    def test_a_label_acts_on_a_customer_who_has_no_standing_yet(self, office: Office) -> None:
        facts = office.add(someone())
        del office.store.standings[facts.customer_id]
        office.contacts.keep(_reply("in-1"))
        office.receive(event("ReplyLabelled", reply_id="in-1", intents=["dispute"]))
        assert [hold.reason for hold in office.standing().holds] == [HoldReason.DISPUTE]
        assert (office.standing().version, office.standing().wake) == (1, None)

    def test_a_label_of_somebody_who_is_erased_changes_nothing(self, office: Office) -> None:
        office.add(someone())
        office.contacts.keep(_reply("in-1"))
        office.receive(erased(), event("ReplyLabelled", reply_id="in-1", intents=["dispute"]))
        assert "C0001" not in office.store.standings
        assert office.telemetry.counts["LabelsOfUnknownReply"] == 1

    def test_a_label_of_a_reply_we_do_not_have_is_counted_and_changes_nothing(self, office: Office) -> None:
        office.add(someone())
        before = office.standing()
        office.receive(event("ReplyLabelled", reply_id="in-9", intents=["dispute"]))
        assert office.standing() is before
        assert office.telemetry.counts == {"LabelsOfUnknownReply": 1}

    def test_a_release_lifts_no_hold_of_another_reason_and_none_placed_since(self, office: Office) -> None:
        since = Hold(HoldReason.HARDSHIP, None, NOW)
        office.add(someone(), waking(someone(), None, holds=(since,), reason="on_hold"))
        office.receive(event("CustomerReleased", reason="dispute"), event("CustomerReleased", reason="hardship"))
        assert office.standing().wake is None

    def test_a_release_lifts_a_hold_that_comes_behind_it_but_was_placed_before(self, office: Office) -> None:
        office.add(someone())
        office.receive(event("CustomerReleased", at=SAID_AT))
        office.receive(event("CustomerHold", reason="dispute", at=SAID_AT - MINUTE))
        assert office.standing().wake == Wake(NOW, 0)

    def test_the_end_of_the_ladder_is_handed_to_a_person(self, office: Office) -> None:
        facts = replace(
            someone(),
            accounts=(
                an_account(an_instalment("2026-06-01", stage_reached=60), account_id="A0001-0"),
                an_account(an_instalment("2026-12-04"), account_id="A0001-1"),
            ),
        )
        office.add(facts)
        office.receive(event("AccountClosed", account_id="A0001-1"))
        assert office.standing().reason == "ladder_finished"
        assert office.publisher.published == [
            ReminderStopped("C0001", NOW, "ladder_finished"),
            CustomerNeedsPerson("C0001", NOW, ReviewReason.LADDER_FINISHED),
        ]


class TestNewsThatOvertakeAFile:
    """Are kept until it comes."""

    def test_of_a_customer_nobody_has_stated_leave_no_standing(self, office: Office) -> None:
        assert office.receive(paid()) == []
        assert office.store.standings == {}
        assert office.events("lender_event_of_unknown_customer") == [{"customer_id": "C0001"}]
        store_facts(office.store, someone())
        assert office.store.facts["C0001"].accounts[0].instalments[0].open == 0

    def test_of_an_account_no_snapshot_names_are_logged_and_kept(self, office: Office) -> None:
        office.add(someone())
        before = office.standing()
        assert office.receive(paid(account="A0009-9")) == []
        assert office.events("lender_event_of_unknown_account") == [{"customer_id": "C0001", "account_id": "A0009-9"}]
        assert office.telemetry.counts["LenderEventsOfUnknownAccount"] == 1
        assert [recorded.event.subject for recorded in office.store.lender_records["C0001"].events.values()] == [
            "paid:A0009-9#1"
        ]
        assert office.standing() == before

    def test_repeated_are_not_logged_again(self, office: Office) -> None:
        office.add(someone())
        office.receive(paid(account="A0009-9"))
        office.receive(paid(account="A0009-9"))
        assert office.telemetry.counts["LenderEventsOfUnknownAccount"] == 1


class TestABatch:
    """Many customers, read together, each for itself."""

    def test_is_one_write_a_customer_however_much_is_said_of_them(self, office: Office) -> None:
        office.add(three_instalments())
        office.receive(
            paid(100_000), paid(100_000, number=2), event("CustomerHold", reason="dispute"), paid(1, number=3)
        )
        assert office.store.writes == 1
        assert office.store.loads == 1

    def test_reads_fifty_customers_a_call(self, office: Office) -> None:
        people = [office.add(someone(number)) for number in range(120)]
        bodies = [paid(customer=person.customer_id, account=person.accounts[0].account_id) for person in people]
        assert office.receive(*bodies) == []
        assert office.store.loads == 3
        assert all(standing.wake is None for standing in office.store.standings.values())
        assert len(office.publisher.published) == 120

    def test_what_is_no_event_is_parked_at_once_and_the_rest_goes_on(self, office: Office) -> None:
        office.add(someone())
        poison = event("InstalmentPaid", account_id="A0001-0")
        assert office.receive(poison, paid()) == []
        assert office.queue.parked == [poison]
        assert office.standing().wake is None
        (logged,) = office.events("event_parked")
        assert logged["message_id"] == "0"
        assert logged["why"] == "not a lender's event: detail.instalment_no, detail.paid, detail.currency"
        assert office.telemetry.counts["EventsRefused"] == 1

    def test_what_cannot_be_parked_comes_back_alone(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        office.add(someone())

        def fails(*_: str) -> None:
            raise ServiceCallError("SendMessage", "AccessDenied")

        monkeypatch.setattr(office.queue, "park", fails)
        assert office.receive("?", paid()) == ["0"]
        assert office.standing().wake is None
        assert "EventsRefused" not in office.telemetry.counts

    def test_a_record_that_cannot_be_read_comes_back_alone_and_is_logged_by_id(self, office: Office) -> None:
        office.add(someone(1))
        office.add(someone(2))
        office.store.unreadable.add("C0001")
        assert office.receive(paid(), paid(customer="C0002", account="A0002-0"), paid(1), receives=3) == ["0", "2"]
        (logged,) = office.events("lender_event_failed")
        assert (logged["customer_id"], logged["error"], logged["receives"]) == ("C0001", "UnreadableRecordError", 3)
        assert office.telemetry.counts["LenderEventsFailed"] == 2
        assert office.standing("C0002").wake is None
        assert office.news.failures == 0, "nobody else's texts wait for it"

    @pytest.mark.parametrize("port", ["load_stored", "save_customer"])
    def test_a_call_that_fails_is_noted_so_that_nothing_is_sent_before_the_event_has_come_back(
        self, office: Office, monkeypatch: pytest.MonkeyPatch, port: str
    ) -> None:
        office.add(someone())

        def fails(*_: object, **__: object) -> None:
            raise ServiceCallError("PutItem", "Throttling")

        with monkeypatch.context() as outage:
            outage.setattr(office.store, port, fails)
            assert office.receive(paid(), paid(1)) == ["0", "1"]
        assert office.news.failures == 1
        assert office.receive(paid(), receives=2) == []
        assert office.news.failures == 1

    def test_a_bug_that_one_customer_brings_out_touches_nobody_else_and_quotes_nothing(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.add(someone(1))
        office.add(someone(2))
        real = office.store.save_customer

        def buggy(lender_record: LenderRecord, standing: Standing, **expected: int) -> bool:
            if lender_record.customer_id == "C0001":
                raise ZeroDivisionError("王小明")
            return real(lender_record, standing, **expected)

        monkeypatch.setattr(office.store, "save_customer", buggy)
        assert office.receive(paid(), paid(customer="C0002", account="A0002-0")) == ["0"]
        assert "王小明" not in repr(office.telemetry.events)
        assert office.standing("C0002").wake is None

    def test_a_table_that_cannot_be_read_lets_all_come_back(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: object) -> None:
            raise ServiceCallError("BatchGetItem", "Throttling")

        monkeypatch.setattr(office.store, "load_stored", fails)
        assert office.receive(paid(), "?") == ["0"]
        assert office.queue.parked == ["?"]

    def test_that_has_no_time_left_comes_back_and_has_changed_nothing(self, office: Office) -> None:
        office.add(someone())
        assert office.receive(paid(), seconds=4) == ["0"]
        assert office.store.writes == 0


class TestWhoeverWritesFirst:
    """Facts and standing are one write, under what was read of both."""

    def test_other_events_in_between_are_kept_too(self, office: Office) -> None:
        office.add(three_instalments())

        def others() -> None:
            assert office.receive(paid(100_000, number=2)) == []

        office.store.meanwhile = [others]
        assert office.receive(paid(100_000)) == []
        (account,) = office.store.facts["C0001"].accounts
        assert [instalment.paid for instalment in account.instalments] == [100_000, 100_000, 0]
        assert office.standing().planned_for == fingerprint(office.store.facts["C0001"])

    def test_a_text_that_is_claimed_in_between_stays_in_the_ledger(self, office: Office) -> None:
        facts = office.add(someone())

        def claim() -> None:
            stored = office.standing()
            office.store.standings["C0001"] = replace(stored, version=2, ledger=(texted(facts, NOW),))

        office.store.meanwhile = [claim]
        assert office.receive(paid()) == []
        assert len(office.standing().ledger) == 1
        assert (office.standing().version, office.standing().wake) == (3, None)

    def test_a_write_that_fails_leaves_both_as_they_were_and_the_event_that_comes_again_writes_both(
        self, office: Office
    ) -> None:
        facts = office.add(someone())

        def crash() -> None:
            raise ServiceCallError("TransactWriteItems", "InternalServerError")

        office.store.meanwhile = [crash]
        assert office.receive(paid()) == ["0"]
        assert (office.store.facts["C0001"], office.standing().wake) == (facts, Wake(NOW, 0))
        assert office.receive(paid(), receives=2) == []
        assert office.standing().wake is None

    def test_a_customer_whom_an_older_release_has_stored_by_half_is_planned_by_the_event_that_comes_again(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        payment = RecordedEvent(EventTime(SAID_AT), InstalmentPaid("A0001-0", 1, 325_000, "TWD"))
        office.store.lender_records["C0001"] = record_event(a_lender_record(facts), payment)
        assert office.receive(paid(), receives=2) == []
        assert office.standing().wake is None

    @pytest.mark.parametrize(
        "standing", [None, Standing(customer_id="C0001", version=1, opted_out_at=NOW)], ids=["none", "an opt-out only"]
    )
    def test_a_customer_whose_load_has_not_come_to_its_end_is_left_to_it_and_what_was_said_is_kept(
        self, office: Office, standing: Standing | None
    ) -> None:
        office.store.lender_records["C0001"] = a_lender_record(someone())
        if standing:
            office.store.standings["C0001"] = standing
        assert office.receive(paid()) == []
        assert office.store.standings.get("C0001") == standing
        assert office.store.facts["C0001"].accounts[0].instalments[0].open == 0

    def test_a_customer_whom_others_keep_changing_comes_back(self, office: Office) -> None:
        office.add(someone())

        def touch() -> None:
            stored = office.standing()
            office.store.standings["C0001"] = replace(stored, version=stored.version + 1)

        office.store.meanwhile = [touch] * 99
        assert office.receive(paid()) == ["0"]
        assert office.events("lender_event_failed")[0]["error"] == "ContestedError"


def _record(number: int, at: datetime = NOW - DAY) -> Contact:
    return Contact(
        customer_id="C0001",
        send_id=f"s{number}",
        claim_id="c",
        at=at,
        state=ContactState.SENT,
        stage=0,
        account_ids=("A0001-0",),
        channel="sms",
        expires_at=NOW + DAY,
        phone="+886900000001",
        text="text",
    )


def _reply(text_id: str, customer: str = "C0001", at: datetime = NOW - HOUR) -> Reply:
    return Reply(
        customer_id=customer,
        inbound=InboundSms(inbound_id=text_id, phone="+886900000001", text="王小明", at=at),
        intents=(),
        promised_on=None,
        expires_at=NOW + DAY,
    )


class TestAnErasure:
    """Leaves an id and a moment, and the skeleton of the audit records."""

    @pytest.fixture
    def office(self) -> Office:
        office = Office()
        office.add(someone(phone="+886900000002"))
        store_facts(office.store, someone(as_of=NOW - HOUR))
        office.store.phones["+886900000001"] = frozenset({"C0001", "C0002"})
        office.contacts.write([_record(1), _record(2)])
        office.contacts.keep(_reply("r1"))
        office.contacts.keep(_reply("r2", customer=""))
        return office

    def later(self, office: Office) -> list[str]:
        """Let time pass until what was ordered for later comes."""
        messages, office.later.messages = office.later.messages, []
        office.clock.sleep(max(delay.total_seconds() for _, delay in messages))
        return office.receive(*(body for body, _ in messages))

    def test_takes_facts_standing_numbers_texts_and_replies(self, office: Office) -> None:
        assert office.receive(erased()) == []
        assert office.store.facts == {}
        assert office.store.standings == {}
        assert office.store.phones == {"+886900000001": frozenset({"C0002"})}
        assert all(not record.phone and not record.text for record in office.contacts.records.values())
        assert len(office.contacts.records) == 2
        assert office.contacts.replies == {}
        assert office.telemetry.counts["CustomersErased"] == 1
        assert office.events("customer_erased") == [{"customer_id": "C0001", "items": 2, "records": 2, "replies": 2}]

    def test_is_looked_after_until_nothing_is_under_way_and_then_leaves_only_an_id_and_a_moment(
        self, office: Office
    ) -> None:
        office.receive(erased())
        assert office.later.messages == [(erasure_round_body("C0001"), SECOND_ROUND)]
        for _ in range(3):
            assert self.later(office) == []
            searched = office.clock.now() - HOUR
            assert office.later.messages == [(erasure_round_body("C0001", searched), ROUND_INTERVAL)]
            assert office.store.lender_records["C0001"].phones
        assert self.later(office) == []
        tombstone = office.store.lender_records["C0001"]
        assert tombstone == LenderRecord(customer_id="C0001", revision=tombstone.revision, erased_at=SAID_AT)
        assert office.store.stored_items("C0001") == 0
        assert office.later.messages == []

    def test_takes_with_the_second_round_what_was_under_way_in_the_first(self, office: Office) -> None:
        office.receive(erased())
        office.contacts.write([_record(3, NOW)])
        office.contacts.keep(_reply("r3", at=NOW))
        office.store.add_address("+886900000001", "C0001")
        office.store.standings["C0001"] = waking(someone())
        self.later(office)
        assert not any(record.text for record in office.contacts.records.values())
        assert office.contacts.replies == {}
        assert office.store.phones == {"+886900000001": frozenset({"C0002"})}
        assert office.store.standings == {}

    def test_takes_a_reply_that_comes_again_half_an_hour_later_and_dead_letters_too(self, office: Office) -> None:
        office.store.phones.clear()
        office.receive(erased())
        self.later(office)
        self.later(office)
        office.contacts.keep(_reply("late", customer=""))
        office.reply_dead_letters.bodies.append("from +886900000001")
        self.later(office)
        assert office.contacts.replies == {}
        assert office.reply_dead_letters.bodies == []

    def test_outlives_a_crash_at_any_moment_and_misses_no_number(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object, **__: object) -> int:
            raise ServiceCallError("UpdateItem", "Throttling")

        for port, name in (
            (office.store, "erase_items"), (office.store, "remove_address"), (office.contacts, "redact"),
            (office.contacts, "erase_replies"),
        ):  # fmt: skip
            with monkeypatch.context() as broken:
                broken.setattr(port, name, fails)
                assert office.receive(erased()) == ["0"]
                assert office.store.facts == {}
        assert office.receive(erased()) == []
        assert office.store.phones == {"+886900000001": frozenset({"C0002"})}
        assert not any(record.text for record in office.contacts.records.values())

    def test_that_cannot_order_its_second_round_has_not_begun(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object) -> None:
            raise ServiceCallError("SendMessageBatch", "AccessDenied")

        monkeypatch.setattr(office.later, "send_with_delay", fails)
        assert office.receive(erased()) == ["0"]
        assert "C0001" in office.store.facts

    def test_that_comes_again_does_nothing_new(self, office: Office) -> None:
        office.receive(erased())
        for _ in range(4):
            self.later(office)
        before = office.store.lender_records["C0001"]
        assert office.receive(erased(), erased(at=SAID_AT - DAY)) == []
        self.later(office)
        assert office.store.lender_records["C0001"] == before
        assert office.telemetry.counts["CustomersErased"] == 1

    def test_is_not_undone_by_events_of_before_or_after(self, office: Office) -> None:
        office.receive(erased(), paid(at=NOW))
        self.later(office)
        assert office.receive(paid(at=SAID_AT - MINUTE), event("CustomerHold", reason="dispute", at=NOW)) == []
        assert office.store.lender_records["C0001"].events == {}
        assert office.store.standings == {}

    def test_of_somebody_nobody_knows_keeps_a_file_from_bringing_them(self, office: Office) -> None:
        office.receive(erased(customer="C0777"))
        with pytest.raises(ValueError, match="erased"):
            store_facts(office.store, someone(777, as_of=NOW))

    def test_of_a_record_that_cannot_be_read_erases_it_and_says_that_its_numbers_are_not_known(
        self, office: Office
    ) -> None:
        office.store.unreadable.add("C0001")
        # The batch is read with it: the erasure itself asks for nothing that may be unreadable.
        assert office.receive(erased()) == []
        assert office.store.facts == {}
        assert office.store.standings == {}
        assert office.events("phones_not_known") == [{"customer_id": "C0001"}]

    def test_keeps_no_other_customer_waiting(self, office: Office) -> None:
        office.add(someone(2))
        office.receive(erased(), paid(customer="C0002", account="A0002-0"))
        assert office.standing("C0002").wake is None


class TestAnErasureOfOneWhoHasConsentedAnew:
    """Takes what is older than that, and nothing newer."""

    @pytest.fixture
    def office(self) -> Office:
        office = Office()
        back = someone(consented_at=NOW - HOUR, as_of=NOW - 30 * MINUTE)
        office.add(back, waking(back, ledger=(texted(back, NOW - MINUTE),)))
        office.store.lender_records["C0001"] = replace(
            office.store.lender_records["C0001"], phones=("+886911", back.phone)
        )
        office.store.phones["+886911"] = frozenset({"C0001"})
        office.contacts.write([_record(1, NOW - DAY), _record(2, NOW - MINUTE)])
        office.contacts.keep(_reply("old", at=NOW - DAY))
        office.contacts.keep(_reply("new", at=NOW - MINUTE))
        return office

    def test_leaves_facts_and_what_they_were_sent_since_and_no_claim_decided_before(self, office: Office) -> None:
        before = office.standing()
        office.receive(erased(at=NOW - 2 * HOUR))
        office.clock.move_to(NOW + UNDER_WAY)
        office.receive(erasure_round_body("C0001"))
        after = office.standing()
        assert after.version > before.version
        assert replace(after, version=before.version) == before
        assert sorted(record.send_id for record in office.contacts.records.values() if record.text) == ["s2"]
        assert [inbound_id for _, _, inbound_id in office.contacts.replies] == ["new"]
        assert office.store.phones == {"+886900000001": frozenset({"C0001"})}
        assert office.store.lender_records["C0001"].phones == ("+886900000001",)

    def test_takes_older_events_and_plans_anew(self, office: Office) -> None:
        office.receive(event("CustomerHold", reason="dispute", at=NOW - 3 * HOUR))
        assert office.standing().wake is None
        office.receive(erased(at=NOW - 2 * HOUR))
        after = office.standing()
        assert (after.wake is not None, len(after.ledger)) == (True, 1)
        office.receive(event("CustomerHold", reason="dispute", at=NOW - 3 * HOUR))
        assert office.standing() == after


class TestACustomerWhoComesBack:
    """Is a new one, but the caps still hold."""

    def test_is_taken_to_have_been_texted_to_the_limit(self, office: Office) -> None:
        office.receive(erased(at=NOW - DAY))
        back = someone(consented_at=NOW - HOUR, as_of=NOW - MINUTE, due_in=0)
        office.load(back)
        rules = rules_of(back)
        wake = office.standing().wake
        assert wake is not None
        assert wake.at >= NOW + max(cap.window for cap in rules.person_caps)
        assert {(entry.send_id, entry.at, entry.stage) for entry in office.standing().ledger} == {
            (BEFORE_ERASURE, NOW, None)
        }
        assert office.standing().progress == {}

    def test_long_after_is_one_like_any_other(self, office: Office) -> None:
        office.receive(erased(at=NOW - 400 * DAY))
        office.load(someone(consented_at=NOW - HOUR, as_of=NOW - MINUTE))
        assert office.standing().ledger == ()

    def test_and_wrote_before_the_load_came_to_its_end_likewise(self, office: Office) -> None:
        office.receive(erased(at=NOW - DAY))
        office.store.standings["C0001"] = Standing(customer_id="C0001", version=1, opted_in_at=NOW)
        office.load(someone(consented_at=NOW - HOUR, as_of=NOW - MINUTE, due_in=0))
        assert {entry.send_id for entry in office.standing().ledger} == {BEFORE_ERASURE}
        assert office.standing().opted_in_at == NOW


def _file(*customers: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (HEADER, *(_line(customer) for customer in customers))).encode()


HEADER = (
    "customer_id,name,phone,country,region,language,time_zone,lender,consented_at,account_id,account_number,product,"
    "instalment_no,due_on,amount,currency,paid_on,paid_amount,hold,hold_until,stage_reached"
)


def _line(customer: str) -> str:
    return f"{customer},王小明,0900000001,TW,,zh-TW,,demo-tw,,A-{customer},9001-1234-5678,,1,2026-12-05,3250,TWD,,,,,"


class TestUploads:
    """Files that name an erased customer go, in every version; those that may still be loading a little later."""

    @pytest.fixture
    def office(self) -> Office:
        office = Office()
        office.add(someone())
        return office

    def read_files(self, office: Office) -> list[str]:
        """Return a list that names each file as it is read."""
        read: list[str] = []
        real = office.uploads.read

        def reading(upload: StoredUpload) -> AbstractContextManager[Iterator[bytes]]:
            read.append(upload.key)
            return real(upload)

        office.uploads.read = reading  # type: ignore[method-assign,assignment]
        return read

    def again(self, office: Office) -> list[str]:
        office.receive(erased())
        office.later.messages.clear()
        return office.receive(erasure_round_body("C0001"))

    def test_every_version_that_names_them_goes_and_no_other(self, office: Office) -> None:
        named = [office.uploads.put("accounts/a.csv", _file("C0002", "C0001"), NOW - days * DAY) for days in (1, 2)]
        others = [
            office.uploads.put("accounts/a.csv", _file("C0002", "C00011", "XC0001"), NOW - 3 * DAY),
            office.uploads.put("accounts/b.csv", _file("C0003"), NOW - DAY),
        ]
        assert named
        assert self.again(office) == []
        assert list(office.uploads.versions) == others
        assert office.events("uploads_erased") == [{"files": 2, "waiting": 0}]

    @pytest.mark.parametrize("cell", ["Ｃ０００１", " C0001 ", '"C0001"'])
    def test_an_id_is_found_however_intake_reads_it(self, office: Office, cell: str) -> None:
        office.uploads.put("accounts/a.csv", _file(cell), NOW - DAY)
        self.again(office)
        assert office.uploads.versions == {}

    @pytest.mark.parametrize(
        "body",
        [
            b"PK\x03\x04 who knows",
            "王小明;C0001;0900000001".encode("utf-16-le"),
            "王小明\tC0001".encode("big5"),
            _file("C0002") + b'"C0001',
            _file("C0002") + b"\xff",
            b"",
        ],
        ids=["a workbook", "without its mark", "another encoding", "an open quote", "broken at its end", "empty"],
    )
    def test_what_intake_cannot_read_goes_for_nobody_can_say_whom_it_names(self, office: Office, body: bytes) -> None:
        office.uploads.put("accounts/a", body, NOW - DAY)
        young = office.uploads.put("accounts/b", body, NOW - 10 * MINUTE)
        assert self.again(office) == []
        assert list(office.uploads.versions) == [young]
        assert len(office.later.messages) == 1

    def test_a_file_in_another_format_is_not_read_to_its_end(self, office: Office) -> None:
        upload = office.uploads.put("accounts/backup.zip", b"PK\x03\x04", NOW - DAY)
        served: list[bytes] = []

        @contextmanager
        def endless(_: StoredUpload) -> Iterator[Iterator[bytes]]:
            def chunks() -> Iterator[bytes]:
                for _ in range(1000):
                    served.append(b"PK\x03\x04" * 256)
                    yield served[-1]

            yield chunks()

        office.uploads.read = endless  # type: ignore[method-assign,assignment]
        self.again(office)
        assert upload not in office.uploads.versions
        assert len(served) == 1

    def test_one_that_may_still_be_loading_is_left_until_it_is_not(self, office: Office) -> None:
        office.uploads.put("accounts/a.csv", _file("C0001", "C0002"), NOW - 10 * MINUTE)
        self.again(office)
        for _ in range(4):
            assert len(office.uploads.versions) == 1
            ((body, delay),) = office.later.messages
            assert (body, delay) == (erasure_round_body("C0001", office.clock.now() - HOUR), 15 * MINUTE)
            office.later.messages.clear()
            office.clock.sleep(15 * 60)
            assert office.receive(body) == []
        assert office.uploads.versions == {}
        assert office.later.messages == []

    def test_one_that_names_them_long_after_is_not_waited_for(self, office: Office) -> None:
        office.receive(erased())
        office.later.messages.clear()
        office.clock.move_to(NOW + DAY)
        office.uploads.put("accounts/a.csv", _file("C0001"), NOW + DAY)
        assert office.receive(erasure_round_body("C0001")) == []
        assert office.later.messages == []

    def test_one_of_a_customer_who_has_consented_anew_stays(self, office: Office) -> None:
        back = someone(consented_at=NOW - 2 * DAY, as_of=NOW - 2 * DAY)
        office.add(back)
        office.uploads.put("accounts/a.csv", _file("C0001"), NOW - 3 * DAY)
        kept = office.uploads.put("accounts/a.csv", _file("C0001"), NOW - DAY)
        office.receive(erased(at=NOW - 4 * DAY))
        office.receive(erasure_round_body("C0001"))
        assert list(office.uploads.versions) == [kept]

    def test_each_is_read_once_for_all_who_are_erased(self, office: Office) -> None:
        office.add(someone(2))
        office.uploads.put("accounts/a.csv", _file("C0001", "C0002"), NOW - DAY)
        office.receive(erased(), erased(customer="C0002"))
        read = self.read_files(office)
        assert office.receive(erasure_round_body("C0001"), erasure_round_body("C0002")) == []
        assert read == ["accounts/a.csv"]

    def test_the_next_round_reads_no_file_again_that_an_earlier_one_has_read(self, office: Office) -> None:
        for days in (1, 2, 3):
            office.uploads.put(f"accounts/{days}.csv", _file("C0002"), NOW - days * DAY)
        office.uploads.put("accounts/new.csv", _file("C0001"), NOW - MINUTE)
        read = self.read_files(office)
        self.again(office)
        assert read == ["accounts/3.csv", "accounts/2.csv", "accounts/1.csv", "accounts/new.csv"]
        read.clear()
        ((body, _),) = office.later.messages
        office.receive(body)
        assert read == ["accounts/new.csv"]

    def test_a_round_without_time_for_all_files_goes_on_where_it_stopped(self, office: Office) -> None:
        office.receive(erased())
        office.later.messages.clear()
        for days in (1, 2, 3):
            office.uploads.put(f"accounts/{days}.csv", _file("C0002"), NOW - days * DAY)
        read = self.read_files(office)
        left = iter([60.0, 60.0, 60.0, 20.0, 4.0])
        deliveries = [QueueMessage("send_with_delay", erasure_round_body("C0001"), 1)]
        assert office.service.handle_batch(deliveries, lambda: next(left)) == []
        assert read == ["accounts/3.csv", "accounts/2.csv"]
        ((body, delay),) = office.later.messages
        assert (body, delay) == (erasure_round_body("C0001", NOW - 2 * DAY), SECOND_ROUND)
        assert office.receive(body) == []
        assert read == ["accounts/3.csv", "accounts/2.csv", "accounts/2.csv", "accounts/1.csv"]

    @pytest.mark.parametrize(("age", "is_left"), [(DAY, False), (MINUTE, True)], ids=["goes", "may be loading"])
    def test_a_file_too_long_for_a_whole_round_does_not_stop_the_erasure(
        self,
        office: Office,
        age: timedelta,
        is_left: bool,  # noqa: FBT001
    ) -> None:
        office.receive(erased())
        office.later.messages.clear()
        office.uploads.put("accounts/a.csv", _file("C0002") * 100, NOW - age)
        left = chain([60.0, 60.0, 60.0], repeat(4.0))
        deliveries = [QueueMessage("send_with_delay", erasure_round_body("C0001"), 1)]
        assert office.service.handle_batch(deliveries, lambda: next(left)) == []
        assert bool(office.uploads.versions) is is_left

    def test_a_round_that_has_no_time_for_any_file_comes_back(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.receive(erased())
        office.uploads.put("accounts/a.csv", _file("C0002") * 100, NOW - DAY)
        left = iter([60.0, 20.0, 4.0])
        deliveries = [QueueMessage("send_with_delay", erasure_round_body("C0001"), 1)]
        assert office.service.handle_batch(deliveries, lambda: next(left)) == ["send_with_delay"]
        assert office.events("erasure_failed") == [{"error": "ErasureOutOfTimeError", "customers": 1}]

        def fails() -> None:
            raise ServiceCallError("ListObjectVersions", "AccessDenied")

        monkeypatch.setattr(office.uploads, "uploads", fails)
        assert office.receive(erasure_round_body("C0001")) == ["0"]


def attended(at: datetime = SAID_AT, **detail: str) -> str:
    """Write that a person has attended to the customer."""
    more: dict[str, Any] = dict(detail)
    return event("CustomerAttended", at=at, **more)


class TestAttendance:
    """Ends the wait for a person, and nothing else."""

    def _waiting(self, office: Office) -> Facts:
        facts = someone()
        reviews = (OpenReview("dispute", SAID_AT, "r1"), OpenReview("question", NOW + timedelta(days=1), "r2"))
        return office.add(facts, waking(facts, attention=reviews, holds=(Hold(HoldReason.DISPUTE, None, SAID_AT),)))

    def test_ends_what_has_waited_up_to_then_and_leaves_every_silence(self, office: Office) -> None:
        self._waiting(office)
        before = office.standing()
        assert office.receive(attended(outcome="called_back", by="u-1")) == []
        after = office.standing()
        assert [review.reply_id for review in after.attention] == ["r2"]
        assert (after.attended_at, after.holds) == (SAID_AT, before.holds)
        assert after.version == before.version + 1
        recorded = office.store.lender_records["C0001"].events["attended"]
        assert (recorded.event, recorded.by) == (CustomerAttended("called_back"), "u-1")

    def test_changes_no_fact(self, office: Office) -> None:
        facts = self._waiting(office)
        office.receive(attended())
        assert office.store.facts["C0001"] == facts

    def test_that_comes_again_or_is_older_than_the_wait_ends_nothing_more(self, office: Office) -> None:
        self._waiting(office)
        office.receive(attended(SAID_AT - timedelta(hours=1)))
        assert len(office.standing().attention) == 2
        office.receive(attended(), attended())
        once = office.standing()
        office.receive(attended())
        assert office.standing() == once

    def test_is_logged_with_who_said_so(self, office: Office) -> None:
        self._waiting(office)
        office.receive(attended(by="u-1"))
        assert [(line["subject"], line["by"]) for line in office.events("lender_event")] == [("attended", "u-1")]

    def test_is_in_a_release_and_in_a_label_too(self, office: Office) -> None:
        self._waiting(office)
        office.receive(event("CustomerReleased", reason="dispute"))
        assert [review.why for review in office.standing().attention] == ["question"]
        office.receive(event("CustomerReleased"))
        assert office.standing().attended_at == SAID_AT


def moved(address: str | None, channel: str = "email", **more: Any) -> str:  # noqa: ANN401 - of event
    return event("AddressChanged", channel=channel, address=address, **more)


class TestAnotherAddress:
    """Is indexed and looked up before it is the customer's."""

    def test_is_in_the_facts_and_in_the_index_and_raises_the_version(self, office: Office) -> None:
        office.add(someone())
        version = office.standing().version
        assert office.receive(moved("Wang@example.com")) == []
        assert office.store.facts["C0001"].email == "wang@example.com"
        assert office.store.customers_with(["wang@example.com"]) == {"wang@example.com": {"C0001"}}
        assert office.standing().version == version + 1
        record = office.store.lender_records["C0001"]
        assert (record.addresses, record.next_addresses) == (("wang@example.com",), ())

    def test_that_comes_twice_is_taken_once(self, office: Office) -> None:
        office.add(someone())
        office.receive(moved("wang@example.com"))
        before, writes = office.standing(), office.store.writes
        assert office.receive(moved("wang@example.com"), moved("wang@example.com")) == []
        assert (office.standing(), office.store.writes) == (before, writes)

    def test_that_comes_late_does_not_take_back_a_later_one(self, office: Office) -> None:
        office.add(someone())
        office.receive(moved("new@example.com", at=SAID_AT + timedelta(seconds=1)))
        office.receive(moved("old@example.com"))
        assert office.store.facts["C0001"].email == "new@example.com"
        assert office.store.customers_with(["old@example.com"]) == {"old@example.com": frozenset()}

    @pytest.mark.parametrize("channel", ["email", "line"])
    def test_of_another_customer_holds_both_and_announces_both(self, office: Office, channel: str) -> None:
        address = "home@example.com" if channel == "email" else "U" + "0" * 32
        for number in (1, 2):
            office.add(someone(number))
        assert office.receive(moved(address, channel)) == []
        assert office.publisher.published == []
        assert office.receive(moved(address, channel, customer="C0002")) == []
        for customer_id in ("C0001", "C0002"):
            facts, standing = office.store.facts[customer_id], office.standing(customer_id)
            assert [each.value for each in Channel if standing.shares_address(facts, each)] == [channel]
            assert [review.why for review in standing.attention] == ["shared_phone"]
            assert standing.wake is not None
        announced = [event for event in office.publisher.published if isinstance(event, CustomerNeedsPerson)]
        assert sorted((event.customer_id, event.why.value) for event in announced) == [
            ("C0001", "shared_phone"), ("C0002", "shared_phone"),
        ]  # fmt: skip

    def test_that_is_corrected_lets_the_other_customer_go_on(self, office: Office) -> None:
        for number in (1, 2):
            office.add(someone(number))
        office.receive(moved("home@example.com"), moved("home@example.com", customer="C0002"))
        office.receive(moved("own@example.com", customer="C0002", at=NOW))
        for customer_id in ("C0001", "C0002"):
            facts, standing = office.store.facts[customer_id], office.standing(customer_id)
            assert not standing.shares_address(facts, Channel.EMAIL)
            assert not standing.attention

    def test_of_whom_no_file_has_named_waits_for_the_file(self, office: Office) -> None:
        office.receive(moved("wang@example.com"))
        assert office.store.customers_with(["wang@example.com"]) == {"wang@example.com": frozenset()}
        office.load(replace(someone(), as_of=NOW))
        assert office.store.facts["C0001"].email == "wang@example.com"
        assert office.store.customers_with(["wang@example.com"]) == {"wang@example.com": {"C0001"}}

    def test_of_an_erased_customer_is_forgotten(self, office: Office) -> None:
        office.add(someone())
        office.receive(moved("wang@example.com"))
        office.receive(erased(at=NOW))
        office.receive(moved("late@example.com"))
        assert office.store.customers_with(["wang@example.com", "late@example.com"]) == {
            "wang@example.com": frozenset(), "late@example.com": frozenset(),
        }  # fmt: skip

    def test_is_logged_without_the_address(self, office: Office) -> None:
        office.add(someone())
        office.receive(moved("wang@example.com"))
        assert "wang@example.com" not in str(office.telemetry.events)
        assert office.events("lender_event")[0]["subject"] == "address:email"


def test_a_consent_to_a_channel_is_a_fact_until_it_is_withdrawn(office: Office) -> None:
    office.add(someone())
    given = SAID_AT - timedelta(hours=1)
    office.receive(event("ConsentChanged", channel="line", consented_at=given.isoformat()))
    assert office.store.facts["C0001"].channel_consents == {"line": given}
    office.receive(event("ConsentChanged", channel="line", consented_at=None, at=NOW))
    assert not office.store.facts["C0001"].has_consented_to(Channel.LINE, NOW)
