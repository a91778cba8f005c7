"""The sender's rules, on fakes: what each outcome leaves behind, to the last field."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from dunning.contracts.job import job_body
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import (
    PROGRESS_LIMIT,
    OpenReview,
    Progress,
    PromiseToPay,
    RecentDecision,
    Standing,
    Wake,
    progress_key,
)
from dunning.domain.decision.decisions import Reason, Stop
from dunning.domain.decision.rules import ContactHours, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.payer_segments import PaymentHistory, segment_rules_from
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.outbound_events import (
    CustomerNeedsPerson,
    NumberUnreachable,
    PromiseBroken,
    ReminderSent,
    ReminderStopped,
    ReviewReason,
)
from dunning.domain.texts.extras import NO_EXTRAS, Extras
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing, SmsBody
from dunning.ports.queues import Job, QueueMessage
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.messages import message_to
from dunning.services.send.sender import SendService, workers_for
from tests.support.builders import a_lender_record, a_text, an_account, an_instalment, promised, taipei, the_policies
from tests.support.fakes import (
    ContestedCustomers,
    FakeClock,
    FakeContacts,
    FakeEventPublisher,
    FakeGateway,
    FakeQueue,
    FakeSwitch,
    FakeTelemetry,
)
from tests.support.people import NOW, paid_up, someone, texted, waking

POLICIES = the_policies()
BUSY = Published(PublishOutcome.REFUSED_FOR_NOW, code="Throttling")
BROKEN = Published(PublishOutcome.REFUSED_FOR_NOW, code="AuthorizationError", retry_after=timedelta(hours=1))
INVALID = Published(PublishOutcome.REFUSED_FOR_GOOD, code="InvalidParameter")
LOST = Published(PublishOutcome.UNKNOWN, code="ReadTimeoutError")


class Written(NamedTuple):
    """A text as it was put together."""

    text: str
    encoding: str
    parts: int
    template: str
    registered_template: str
    extras: Extras = NO_EXTRAS


class Office:
    """A sender with everything it touches."""

    def __init__(self, **changes: object) -> None:
        self.store = ContestedCustomers()
        self.contacts = FakeContacts()
        self.queue = FakeQueue()
        self.gateway = FakeGateway()
        self.switch = FakeSwitch()
        self.clock = FakeClock(NOW)
        self.telemetry = FakeTelemetry()
        self.publisher = FakeEventPublisher()
        self._ids = 0
        ports: dict[str, Any] = {
            "store": self.store,
            "contacts": self.contacts,
            "queue": self.queue,
            "gateway": self.gateway,
            "switch": self.switch,
            "publisher": self.publisher,
            "policies": POLICIES,
            "clock": self.clock,
            "telemetry": self.telemetry,
            "new_id": self._new_id,
            "per_second": 1e6,
            "max_receive_count": 5,
        }
        ports |= changes
        gateway = ports.pop("gateway")
        ports.setdefault("gateways", GatewaysByName(gateway))
        self.service = SendService(**ports)

    def _new_id(self) -> str:
        self._ids += 1
        return f"claim-{self._ids}"

    def add(self, facts: Facts, standing: Standing | None = None) -> Facts:
        self.store.lender_records[facts.customer_id] = a_lender_record(facts)
        self.store.standings[facts.customer_id] = standing or waking(facts)
        return facts

    def handle_batch(
        self, *people: Facts, receives: int = 1, seconds: float = 60, wake_at: datetime = NOW
    ) -> list[str]:
        """Deliver a job for each, and return what comes back, by customer."""
        deliveries = [
            QueueMessage(facts.customer_id, job_body(Job(facts.customer_id, wake_at)), receives) for facts in people
        ]
        return self.service.handle_batch(deliveries, lambda: seconds)

    @property
    def records(self) -> list[Contact]:
        return list(self.contacts.records.values())

    def events(self, name: str) -> list[dict[str, Any]]:
        return [fields for event, fields in self.telemetry.events if event == name]


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (Published(PublishOutcome.ACCEPTED, "m1"), "SmsAccepted"),
        (LOST, "SmsUnknown"),
        (BUSY, "SmsRefusedForNow"),
        (INVALID, "SmsRefusedForGood"),
    ],
)
def test_every_answer_is_counted(office: Office, answer: Published, counted: str) -> None:
    office.gateway.answers = [answer]
    office.handle_batch(office.add(someone()))
    assert office.telemetry.counts == {counted: 1}


@pytest.mark.parametrize(
    ("answer", "state", "claims", "wake_at", "reason"),
    [
        (Published(PublishOutcome.ACCEPTED, "m1"), ContactState.SENT, 1, NOW + timedelta(days=3), "next_stage"),
        (LOST, ContactState.UNKNOWN, 1, NOW + timedelta(days=3), "next_stage"),
        (BUSY, None, 0, NOW + timedelta(minutes=1), "carrier_busy"),
        (BROKEN, None, 0, NOW + timedelta(hours=1), "carrier_busy"),
        (INVALID, ContactState.REFUSED, 0, None, "number_refused"),
    ],
)
def test_what_an_answer_leaves_behind(
    office: Office, answer: Published, state: ContactState | None, claims: int, wake_at: datetime | None, reason: str
) -> None:
    facts = office.add(someone())
    office.gateway.answers = [answer]
    assert office.handle_batch(facts) == []
    standing = office.store.standings[facts.customer_id]
    assert [record.state for record in office.records] == ([state] if state else [])
    assert [(record.message_id, record.code) for record in office.records] == (
        [(answer.message_id, answer.code)] if state else []
    )
    assert len(standing.ledger) == len(standing.progress) == claims
    assert (standing.wake.at if standing.wake else None) == wake_at
    assert standing.reason == reason
    assert standing.is_suspended(facts) is (answer is INVALID)
    assert len(office.gateway.published) == 1


def test_the_text_goes_out_with_every_attribute_the_carrier_needs(office: Office) -> None:
    office.handle_batch(office.add(someone()))
    (sms,) = office.gateway.published
    (record,) = office.records
    assert sms == Outgoing(
        channel=Channel.SMS,
        address="+886900000001",
        body=SmsBody(
            "【示範分期】王*明您好，末碼5678分期款NT$3,250將於12/4到期，請用官方APP繳款，已繳請忽略，客服0800-000-123",
            origination_number="+886900000100",
        ),
        customer_id="C0001",
        send_id=record.send_id,
        claim_id=record.claim_id,
        claimed_at=record.at,
        lapses_at=datetime(2026, 12, 1, 12, 20, tzinfo=UTC),
        max_price="0.20",
        local_hour=10,
    )
    assert record.local_hour == 10, "in Taipei"
    assert (record.text, record.encoding, record.parts) == (sms.body.text, "UCS-2", 1)
    assert record.template == "zh-Hant/before-3@3"
    assert record.price_usd_micros > 0


class WithSegments:
    """The policies of the package, with one payer segment for everybody."""

    price = staticmethod(POLICIES.price)

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules of a customer, and the segment."""
        rules = POLICIES.rules_for(facts, at)
        assert isinstance(rules, Rules)
        return replace(rules, segment_rules=segment_rules_from([{"name": "everybody"}]))


def test_without_a_trial_the_record_says_the_payer_segment_and_the_claim_stays_as_small_as_before() -> None:
    office = Office(policies=WithSegments())
    facts = office.add(someone(), waking(someone(), history=PaymentHistory(on_time=1)))
    office.handle_batch(facts)
    (record,) = office.records
    assert (record.payer_segment, record.draws, record.asked) == ("everybody", "", "")
    (entry,) = office.store.standings[facts.customer_id].ledger
    assert entry.payer_segment == ""


@pytest.mark.parametrize(("stage", "lapses_at"), [(None, 20), (-3, 20), (0, 20), (1, 18), (7, 18)])
def test_an_overdue_text_lapses_with_the_hours_for_what_is_overdue(stage: int | None, lapses_at: int) -> None:
    facts = someone()
    rules = POLICIES.rules_for(facts, NOW)
    assert isinstance(rules, Rules)
    earlier = ContactHours(week=(((9 * 60, 18 * 60 + 30),),) * 7)
    later = ContactHours(week=(((9 * 60, 20 * 60 + 30),),) * 7)
    written = Written("Hello", "GSM-7", 1, "en/test@1", "")
    entry = replace(a_text(NOW), stage=stage)
    sms = message_to(facts, replace(rules, hours=later, overdue_hours=earlier), entry, written)
    assert sms.lapses_at == taipei(f"2026-12-01 {lapses_at}:20")


def test_a_customer_with_facts_and_no_standing_yet_is_not_texted_by_an_older_job(office: Office) -> None:
    facts = office.add(someone())
    del office.store.standings[facts.customer_id]
    assert office.handle_batch(facts) == []
    assert not office.gateway.published
    assert facts.customer_id not in office.store.standings


def test_a_customer_whose_load_has_not_finished_is_not_texted(office: Office) -> None:
    facts = someone()
    assert office.handle_batch(office.add(facts, waking(facts, reason=""))) == []
    assert not office.gateway.published


def test_where_customers_cannot_answer_the_text_shows_the_lenders_own_name(office: Office) -> None:
    facts = someone(phone="+85291234567", phone_country="HK", country="HK", time_zone="Asia/Hong_Kong")
    facts = replace(facts, accounts=(replace(facts.accounts[0], currency="HKD"),))
    office.handle_batch(office.add(facts))
    (sms,) = office.gateway.published
    assert isinstance(sms.body, SmsBody)
    assert (sms.body.sender_id, sms.body.origination_number) == ("DEMOFIN", "")


def test_a_registered_text_carries_its_registration(office: Office) -> None:
    facts = someone(
        phone="+8613800000000", phone_country="CN", country="CN", language="zh-Hans", time_zone="Asia/Shanghai",
        lender="demo-cn", consented_at=NOW - timedelta(days=9),
    )  # fmt: skip
    facts = replace(facts, accounts=(replace(facts.accounts[0], currency="CNY"),))
    office.handle_batch(office.add(facts))
    (sms,) = office.gateway.published
    assert isinstance(sms.body, SmsBody)
    assert (sms.body.entity_id, sms.registered_template) == ("DEMO-CN-ENTITY", "CN-DEMO-0101")
    assert office.records[0].registered_template == "CN-DEMO-0101"


class TestAClaim:
    """Made before anything is sent."""

    def test_is_in_the_store_when_the_carrier_is_asked(self, office: Office) -> None:
        seen: list[int] = []

        class Watching(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                seen.append(len(office.store.standings["C0001"].ledger))
                return super().publish(sms)

        watched = Office(store=office.store, gateway=Watching())
        watched.handle_batch(office.add(someone()))
        assert seen == [1]

    def test_names_its_wake_and_marks_every_stage_of_the_text(self, office: Office) -> None:
        facts = office.add(someone(accounts=2))
        office.handle_batch(facts)
        standing = office.store.standings[facts.customer_id]
        (entry,) = standing.ledger
        assert (entry.claim_id, entry.at, entry.stage, entry.channel, entry.for_wake) == (
            "claim-1",
            NOW,
            -3,
            "sms",
            NOW,
        )
        assert sorted(entry.accounts) == ["A0001-0", "A0001-1"]
        progress = Progress(-3, date(2026, 12, 1), date(2026, 12, 4))
        assert standing.progress == {"A0001-0#1": progress, "A0001-1#1": progress}
        due = {account.account_id: account.instalments[0].open for account in facts.accounts}
        assert {key: reached.asked for key, reached in standing.progress.items()} == {
            f"{account_id}#1": amount for account_id, amount in due.items()
        }

    def test_is_written_under_its_own_id_and_with_the_lender_whatever_was_sent_before(self) -> None:
        class Remembering(ContestedCustomers):
            """Remembers the claims of its writes."""

            claim_ids: tuple[str, ...] = ()

            def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
                self.claim_ids += (claim_id,)
                return super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)

        store = Remembering()
        office = Office(store=store)
        facts = someone()
        older = a_text(NOW - timedelta(days=9), "A0009-0", claim_id="older")
        store.lender_records["C0001"], store.standings["C0001"] = a_lender_record(facts), waking(facts, ledger=(older,))
        assert office.handle_batch(facts) == []
        assert store.claim_ids == ("claim-1",)
        standing = store.standings[facts.customer_id]
        assert [entry.claim_id for entry in standing.ledger] == ["older", "claim-1"]
        assert standing.lender_id == facts.lender

    def test_that_somebody_was_quicker_than_is_judged_afresh(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.meanwhile = [lambda standing: replace(standing, planned_for="newer")]
        assert office.handle_batch(facts) == []
        assert office.store.standings[facts.customer_id].planned_for == "newer"
        assert len(office.gateway.published) == 1

    def test_that_an_opt_out_was_quicker_than_is_not_made(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.meanwhile = [lambda standing: replace(standing, opted_out_at=NOW)]
        assert office.handle_batch(facts) == []
        assert office.gateway.published == []
        assert office.store.standings[facts.customer_id].wake is None

    def test_that_a_payment_was_quicker_than_is_not_made(self, office: Office) -> None:
        facts = office.add(someone())

        def pay(standing: Standing) -> Standing:
            office.store.lender_records[facts.customer_id] = a_lender_record(paid_up(facts))
            return standing

        office.store.meanwhile = [pay]
        assert office.handle_batch(facts) == []
        assert office.gateway.published == []

    def test_that_others_keep_preventing_comes_back(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.meanwhile = [lambda standing: standing] * 9
        assert office.handle_batch(facts) == ["C0001"]
        assert office.gateway.published == []
        assert [event["error"] for event in office.events("job_failed")] == ["ContestedError"]


class TestAReleasedClaim:
    """As if it had never been made."""

    def _refused(self, office: Office, before: Standing, facts: Facts) -> Standing:
        office.add(facts, before)
        office.gateway.answers = [BUSY]
        assert office.handle_batch(facts) == []
        return office.store.standings[facts.customer_id]

    def test_restores_ladder_and_caps_exactly(self, office: Office) -> None:
        facts = someone(due_in=-3, accounts=2)
        before = waking(
            facts,
            urgency=4,
            ledger=(texted(facts, NOW - timedelta(days=6)),),
            progress={
                progress_key("A0001-0", 1): Progress(-3, date(2026, 11, 25), date(2026, 11, 28)),
                progress_key("A0009-0", 1): Progress(0, date(2026, 11, 1), date(2026, 11, 1)),
            },
        )
        after = self._refused(office, before, facts)
        assert after == replace(before, version=3, wake=Wake(NOW + timedelta(minutes=1), 4), reason="carrier_busy")
        assert after.recent == (RecentDecision(NOW, "carrier_busy", NOW + timedelta(minutes=1)),)

    def test_brings_back_a_ladder_the_claim_had_pushed_out(self, office: Office) -> None:
        facts = someone()
        progress = {
            progress_key(f"B{number}", 1): Progress(0, date(2026, 1, 1 + number), date(2026, 1, 1))
            for number in range(PROGRESS_LIMIT)
        }
        assert self._refused(office, waking(facts, progress=progress), facts).progress == progress

    def test_lets_the_text_go_out_when_the_carrier_takes_it_again(self, office: Office) -> None:
        facts = someone()
        self._refused(office, waking(facts), facts)
        office.clock.sleep(60)
        office.handle_batch(facts, wake_at=NOW + timedelta(minutes=1))
        assert [record.state for record in office.records] == [ContactState.SENT]
        assert len(office.store.standings[facts.customer_id].ledger) == 1

    def test_keeps_what_somebody_wrote_while_the_carrier_was_asked(self, office: Office) -> None:
        facts = office.add(someone())

        class Then(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                del sms
                stored = office.store.standings["C0001"]
                office.store.standings["C0001"] = replace(stored, version=stored.version + 1, opted_out_at=NOW)
                return BUSY

        Office(store=office.store, gateway=Then()).handle_batch(facts)
        standing = office.store.standings["C0001"]
        assert standing.opted_out_at == NOW
        assert standing.ledger == ()
        assert standing.progress == {}
        assert standing.wake == Wake(NOW + timedelta(minutes=1), 0)

    def test_keeps_the_stops_that_were_announced_before_and_meanwhile(self, office: Office) -> None:
        lacking = an_account(an_instalment("2026-10-20", stage_reached=15), account_id="A1")
        facts = replace(someone(), accounts=(lacking, an_account(an_instalment("2026-11-20"), account_id="A2")))
        office.handle_batch(office.add(facts))
        before = office.store.standings["C0001"].announced
        assert len(before) == 1
        office.clock.move_to(NOW + timedelta(days=4))

        class Then(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                del sms
                stored = office.store.standings["C0001"]
                assert stored.announced == before
                announced = (*stored.announced, "shared_phone", "number_refused")
                office.store.standings["C0001"] = replace(stored, version=stored.version + 1, announced=announced)
                return self.answers.pop()

        gateway = Then()
        gateway.answers = [INVALID]
        again = Office(store=office.store, gateway=gateway, clock=office.clock)
        assert again.handle_batch(facts, wake_at=NOW + timedelta(days=4)) == []
        assert again.events("job_failed") == []
        assert gateway.answers == []
        expected = tuple(sorted([*before, "shared_phone", "number_refused"]))
        assert office.store.standings["C0001"].announced == expected

    def test_leaves_of_stops_and_reviews_what_was_there_before_and_what_somebody_has_changed_meanwhile(
        self, office: Office
    ) -> None:
        """The claim has ended two stops, and kept a third and a reply. Somebody ends the third, and opens others."""
        lacking = an_account(an_instalment("2026-10-20", stage_reached=15), account_id="A1")
        facts = replace(someone(), accounts=(lacking, an_account(an_instalment("2026-11-20"), account_id="A2")))
        kept, ended, ended_again = "no_written_notice:A1#1", "no_channel", "number_refused"
        oldest = OpenReview("no_channel", NOW - timedelta(days=9))
        of_reply = OpenReview("dispute", NOW - timedelta(days=5), "reply-1")
        refused = OpenReview("number_refused", NOW - timedelta(days=4))
        lacks = OpenReview("no_written_notice", NOW - timedelta(days=3))
        newest = OpenReview("complaint", NOW, "reply-2")
        office.add(
            facts,
            waking(facts, announced=(ended, kept, ended_again), attention=(oldest, of_reply, refused, lacks)),
        )
        claims: list[Standing] = []

        class Then(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                del sms
                stored = office.store.standings["C0001"]
                claims.append(stored)
                office.store.standings["C0001"] = replace(
                    stored,
                    version=stored.version + 1,
                    announced=(ended_again, "unknown_lender"),
                    attention=(of_reply, refused, newest),
                )
                return BUSY

        assert Office(store=office.store, gateway=Then()).handle_batch(facts) == []
        (claimed,) = claims
        assert (claimed.announced, claimed.attention) == ((kept,), (of_reply, lacks))
        standing = office.store.standings["C0001"]
        assert standing.announced == (ended, ended_again, "unknown_lender")
        assert standing.attention == (oldest, of_reply, refused, newest)

    def test_of_a_customer_without_a_wake_is_tried_again_like_any_other(self, office: Office) -> None:
        facts = someone()
        assert self._refused(office, waking(facts, None), facts).wake == Wake(NOW + timedelta(minutes=1), 0)

    def test_does_not_silence_a_number_that_was_put_right_while_the_carrier_was_asked(self, office: Office) -> None:
        facts = office.add(someone())
        right = replace(facts, phone="+886912345678", as_of=NOW)

        class Then(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                if sms.address == right.phone:
                    return super().publish(sms)
                office.store.lender_records["C0001"] = a_lender_record(right)
                stored = office.store.standings["C0001"]
                office.store.standings["C0001"] = replace(stored, version=stored.version + 1, planned_for="right")
                return INVALID

        then = Then()
        again = Office(store=office.store, gateway=then)
        again.handle_batch(facts)
        standing = office.store.standings["C0001"]
        assert standing.is_suspended(facts)
        assert standing.wake == Wake(NOW, 0)
        again.handle_batch(facts, wake_at=NOW)
        assert [sms.address for sms in then.published] == [right.phone]

    def test_is_not_released_twice_when_the_answer_to_the_release_is_lost(self, office: Office) -> None:
        class Losing(ContestedCustomers):
            """Writes the second time it is asked, and says that it did not."""

            asked = 0

            def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
                self.asked += 1
                written = super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)
                return written and self.asked != 2

        losing = Losing()
        lossy = Office(store=losing)
        facts = someone()
        losing.lender_records["C0001"], losing.standings["C0001"] = a_lender_record(facts), waking(facts)
        lossy.gateway.answers = [BUSY]
        lossy.handle_batch(facts)
        assert losing.asked == 2
        assert losing.standings["C0001"] == waking(facts, NOW + timedelta(minutes=1), version=3, reason="carrier_busy")
        assert lossy.events("claim_not_released") == []
        assert office.telemetry.events == []

    @pytest.mark.parametrize("damage", ["cannot be read", "is gone"])
    def test_stays_and_is_logged_if_the_record_that_somebody_wrote_meanwhile(self, office: Office, damage: str) -> None:
        facts = office.add(someone())

        class Then(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                del sms
                stored = office.store.standings.pop("C0001")
                if damage == "cannot be read":
                    office.store.standings["C0001"] = replace(stored, version=stored.version + 1)
                    office.store.unreadable.add("C0001")
                return BUSY

        releasing = Office(store=office.store, gateway=Then())
        assert releasing.handle_batch(facts) == []
        assert releasing.events("claim_not_released") == [{"customer_id": "C0001"}]
        assert releasing.events("job_failed") == []

    def test_that_cannot_be_released_stays_and_is_logged(self) -> None:
        class Contested(ContestedCustomers):
            """Lets a claim pass, and nothing after it."""

            def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
                return bool(claim_id) and super().save_standing(
                    standing, expected_version=expected_version, claim_id=claim_id
                )

        store = Contested()
        contested = Office(store=store)
        facts = someone()
        store.lender_records["C0001"], store.standings["C0001"] = a_lender_record(facts), waking(facts)
        contested.gateway.answers = [BUSY]
        assert contested.handle_batch(facts) == []
        assert contested.events("claim_not_released") == [{"customer_id": "C0001"}]
        assert len(store.standings["C0001"].ledger) == 1

    def test_says_nothing_of_a_ladder_that_is_finished(self, office: Office) -> None:
        due = an_instalment((NOW + timedelta(days=-30)).date().isoformat(), notice=NOW.date().isoformat())
        facts = replace(someone(), accounts=(an_account(due, account_id="A0001-0"),))
        key = progress_key("A0001-0", 1)
        before = waking(facts, progress={key: Progress(15, date(2026, 11, 16), date(2026, 11, 1))})
        for answers, reasons in (([BUSY], [Reason.DUE]), ([], [Reason.DUE, Reason.LADDER_FINISHED])):
            office.add(facts, before)
            office.gateway.answers = list(answers)
            office.telemetry.decisions.clear()
            office.handle_batch(facts)
            assert [decision.reason for _, decision, _ in office.telemetry.decisions] == reasons


class TestARedeliveredJob:
    """The sender that had it before may have died anywhere."""

    def _claimed(self, office: Office, facts: Facts) -> None:
        entry = texted(facts, NOW, claim_id="of the dead", for_wake=NOW)
        progress = {progress_key("A0001-0", 1): Progress(-3, NOW.date(), date(2026, 12, 4))}
        office.add(facts, waking(facts, NOW + timedelta(days=3), version=2, ledger=(entry,), progress=progress))

    def test_is_settled_as_unknown_if_it_was_claimed_and_not_recorded(self, office: Office) -> None:
        facts = someone()
        self._claimed(office, facts)
        assert office.handle_batch(facts, receives=2) == []
        (record,) = office.records
        assert (record.state, record.claim_id, record.code) == (ContactState.UNKNOWN, "of the dead", "sender_crashed")
        assert record.expires_at == NOW + timedelta(days=1827)
        assert record.lender == facts.lender
        assert office.gateway.published == []
        assert office.telemetry.counts["SmsUnknown"] == 1

    def test_is_settled_if_any_of_its_deliveries_is_a_second_one(self, office: Office) -> None:
        facts = someone()
        self._claimed(office, facts)
        body = job_body(Job(facts.customer_id, NOW))
        assert office.service.handle_batch([QueueMessage("1", body, 1), QueueMessage("2", body, 2)], lambda: 60) == []
        assert [record.state for record in office.records] == [ContactState.UNKNOWN]

    def test_is_left_alone_at_a_first_delivery_as_its_sender_may_be_about_to_record_it(self, office: Office) -> None:
        facts = someone()
        self._claimed(office, facts)
        assert office.handle_batch(facts, receives=1) == []
        assert office.records == []

    def test_is_settled_once_and_rings_the_alarm_each_time(self, office: Office) -> None:
        facts = someone()
        self._claimed(office, facts)
        for receives in (2, 3, 4):
            assert office.handle_batch(facts, receives=receives) == []
        assert len(office.records) == 1
        assert office.telemetry.counts["SmsUnknown"] == 3, "the sender before may have died with its metrics"

    def test_rings_the_alarm_for_a_text_that_was_recorded_as_unknown_by_a_sender_that_died(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        office.gateway.answers = [Published(PublishOutcome.UNKNOWN, code="ReadTimeoutError")]
        office.handle_batch(facts)
        office.telemetry.counts.clear()  # what the sender that died had counted
        assert office.handle_batch(facts, receives=2) == []
        assert office.telemetry.counts["SmsUnknown"] == 1
        (record,) = office.records
        assert record.text, "and leaves its record"

    def test_settles_a_claim_that_the_sender_before_makes_meanwhile(self, office: Office) -> None:
        facts = office.add(someone())
        entry = texted(facts, NOW, claim_id="of the dead", for_wake=NOW)
        progress = {progress_key("A0001-0", 1): Progress(-3, NOW.date(), date(2026, 12, 4))}
        office.store.meanwhile = [lambda stored: replace(stored, ledger=(entry,), progress=progress)]
        assert office.handle_batch(facts, receives=2) == []
        assert [(record.state, record.claim_id) for record in office.records] == [(ContactState.UNKNOWN, "of the dead")]
        assert office.gateway.published == []

    def test_is_settled_beside_a_job_for_a_later_wake_in_one_batch(self, office: Office) -> None:
        facts = someone()
        self._claimed(office, facts)
        again = QueueMessage("again", job_body(Job("C0001", NOW)), 2)
        later = QueueMessage("later", job_body(Job("C0001", NOW + timedelta(days=3))), 1)
        assert office.service.handle_batch([again, later], lambda: 60) == []
        assert [record.claim_id for record in office.records] == ["of the dead"]
        assert office.telemetry.counts["SmsUnknown"] == 1

    def test_leaves_the_record_of_a_text_that_is_known_to_be_sent(self, office: Office) -> None:
        facts = office.add(someone())
        office.handle_batch(facts)
        assert office.handle_batch(facts, receives=2) == []
        assert [record.state for record in office.records] == [ContactState.SENT]
        assert len(office.gateway.published) == 1

    def test_whose_claim_answers_another_wake_is_judged_like_any_other(self, office: Office) -> None:
        facts = someone(due_in=-15)
        earlier = NOW - timedelta(days=8)
        key = progress_key("A0001-0", 1)
        office.add(
            facts,
            waking(
                facts,
                ledger=(texted(facts, earlier, for_wake=earlier),),
                progress={key: Progress(7, earlier.date(), date(2026, 11, 16))},
            ),
        )
        assert office.handle_batch(facts, receives=2) == []
        assert [record.stage for record in office.records] == [15]

    def test_of_somebody_without_facts_is_settled_and_kept_longest(self, office: Office) -> None:
        facts = someone()
        self._claimed(office, facts)
        del office.store.lender_records[facts.customer_id]
        office.handle_batch(facts, receives=2)
        (record,) = office.records
        assert record.expires_at == NOW + timedelta(days=6 * 365 + 2)  # six years, of which two may be leap years
        assert record.lender == ""


class TestABatch:
    """Many customers, each for itself."""

    def test_judges_a_customer_once_however_many_jobs_there_are(self, office: Office) -> None:
        facts = office.add(someone())
        body = job_body(Job("C0001", NOW))
        later = job_body(Job("C0001", NOW + timedelta(seconds=1)))
        deliveries = [QueueMessage("1", body, 1), QueueMessage("2", body, 1), QueueMessage("3", later, 1)]
        assert office.service.handle_batch(deliveries, lambda: 60) == []
        assert len(office.gateway.published) == 1
        assert [customer_id for customer_id, _, _ in office.telemetry.decisions] == [facts.customer_id]

    def test_that_is_empty_does_nothing_and_reads_nothing(self) -> None:
        office = Office(store=None)
        assert office.service.handle_batch([], lambda: 60) == []
        assert office.telemetry.events == []

    def test_parks_what_is_no_job_and_goes_on_with_the_others(self, office: Office) -> None:
        body = job_body(Job(office.add(someone()).customer_id, NOW))
        deliveries = [QueueMessage("1", "no job", 1), QueueMessage("2", body, 1)]
        assert office.service.handle_batch(deliveries, lambda: 60) == []
        assert office.queue.parked == ["no job"]
        assert [event["message_id"] for event in office.events("job_parked")] == ["1"]
        assert office.telemetry.counts["JobsParked"] == 1
        assert len(office.gateway.published) == 1

    def test_hands_back_what_is_no_job_and_could_not_be_parked(self, office: Office) -> None:
        class Full(FakeQueue):
            def park(self, body: str, why: str) -> None:
                raise ServiceCallError("SendMessage", f"{len(body)} {len(why)}")

        full = Office(queue=Full())
        facts = full.add(someone())
        deliveries = [QueueMessage("1", "no job", 1), QueueMessage("2", job_body(Job(facts.customer_id, NOW)), 1)]
        assert full.service.handle_batch(deliveries, lambda: 60) == ["1"]
        assert full.service.handle_batch(deliveries[:1], lambda: 60) == ["1"]
        assert [event["message_id"] for event in full.events("job_not_parked")] == ["1", "1"]
        assert len(full.gateway.published) == 1
        assert office.gateway.published == []

    def test_whose_records_are_not_taken_comes_back_and_sends_nothing_again(self) -> None:
        class Full(FakeContacts):
            full = True

            def write(self, contacts: Sequence[Contact]) -> None:
                if self.full:
                    raise ServiceCallError("BatchWriteItem", "UnprocessedItems")
                super().write(contacts)

        contacts = Full()
        office = Office(contacts=contacts)
        people = [office.add(someone(number)) for number in (1, 2)]
        assert sorted(office.handle_batch(*people)) == ["C0001", "C0002"]
        traces = {str(event["customer_id"]): str(event["trace"]) for event in office.events("record_not_written")}
        assert sorted(traces) == ["C0001", "C0002"]
        assert office.telemetry.counts["RecordsNotWritten"] == 2
        assert all("accounts with something open: 1 | " in trace for trace in traces.values())
        contacts.full = False
        assert office.handle_batch(*people, receives=2) == []
        assert len(office.gateway.published) == 2
        assert [record.state for record in contacts.records.values()] == [ContactState.UNKNOWN] * 2

    def test_with_a_record_that_cannot_be_read_goes_on_with_the_others(self, office: Office) -> None:
        people = [office.add(someone(number)) for number in (1, 2, 3)]
        office.store.unreadable.add("C0002")
        assert office.handle_batch(*people) == []
        assert len(office.records) == 2
        (event,) = office.events("job_failed")
        assert (event["customer_id"], event["error"]) == ("C0002", "UnreadableRecordError")

    def test_sets_a_record_aside_at_once_that_cannot_be_read(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.unreadable.add("C0001")
        assert office.handle_batch(facts) == []
        assert office.store.standings["C0001"].wake == Wake(NOW + timedelta(days=1), 9)
        why = (("failed %s times: %s", (1, "UnreadableRecordError")),)
        stop = Stop(Reason.UNREADABLE_RECORD, why, NOW + timedelta(days=1))
        assert office.telemetry.decisions == [("C0001", stop, NOW)]

    def test_sets_a_record_aside_that_cannot_be_read_at_a_second_delivery_too(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.unreadable.add("C0001")
        assert office.handle_batch(facts, receives=2) == []
        assert [event["error"] for event in office.events("job_failed")] == ["UnreadableRecordError"]

    def test_leaves_a_customer_without_facts_alone_whatever_was_promised(self, office: Office) -> None:
        facts = someone()
        office.add(facts, replace(waking(facts), **promised(NOW, date(2026, 12, 2), "A0001-0#1")))
        del office.store.lender_records["C0001"]
        assert office.handle_batch(facts) == []
        assert office.events("job_failed") == []
        assert office.store.standings["C0001"].promises["A0001-0#1"].kept is None
        stop = Stop(Reason.NOTHING_OPEN, (("facts: none on record", ()),))
        assert office.telemetry.decisions == [("C0001", stop, NOW)]

    def test_sets_aside_who_fails_otherwise_at_the_last_receive_and_not_before(self) -> None:
        class Broken:
            def rules_for(self, facts: Facts, at: datetime) -> None:
                raise RuntimeError(facts.customer_id, at)

        office = Office(policies=Broken())
        facts = office.add(someone())
        for receives in (1, 2, 3, 4):
            assert office.handle_batch(facts, receives=receives) == ["C0001"]
            assert office.store.standings["C0001"] == waking(facts)
        assert office.handle_batch(facts, receives=5) == []
        assert office.store.standings["C0001"].wake == Wake(NOW + timedelta(days=1), 9)
        assert office.telemetry.counts["JobsFailed"] == 5
        assert office.telemetry.counts["CustomersQuarantined"] == 1

    def test_sets_aside_who_fails_when_any_of_the_jobs_is_at_its_last_receive(self, office: Office) -> None:
        class Broken(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                raise RuntimeError(len(sms.body.text))

        broken = Office(store=office.store, gateway=Broken())
        body = job_body(Job(office.add(someone()).customer_id, NOW))
        assert broken.service.handle_batch([QueueMessage("1", body, 5), QueueMessage("2", body, 1)], lambda: 60) == []
        assert office.store.standings["C0001"].reason == "unreadable_record"

    def test_hands_back_who_cannot_be_set_aside(self) -> None:
        class Failing(ContestedCustomers):
            def quarantine(self, customer_id: str, until: datetime) -> None:
                raise ServiceCallError("UpdateItem", f"{customer_id} {until}")

        store = Failing()
        office = Office(store=store)
        facts = office.add(someone())
        store.unreadable.add("C0001")
        assert office.handle_batch(facts, receives=5) == ["C0001"]
        assert [event["error"] for event in office.events("not_quarantined")] == ["ServiceCallError"]
        assert "CustomersQuarantined" not in office.telemetry.counts

    def test_never_repeats_the_words_of_an_error(self) -> None:
        class Talking(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                raise RuntimeError(f"{sms.address} {sms.body.text}")

        office = Office(gateway=Talking())
        facts = office.add(someone())
        assert office.handle_batch(facts) == ["C0001"]
        printed = json.dumps(office.telemetry.events, ensure_ascii=False)
        assert facts.phone not in printed
        assert "示範分期" not in printed
        assert "RuntimeError" in printed

    def test_out_of_time_claims_nothing(self, office: Office) -> None:
        facts = office.add(someone())
        assert office.handle_batch(facts, seconds=14.9) == ["C0001"]
        assert office.store.standings["C0001"] == waking(facts)
        assert office.telemetry.counts == {"JobsOutOfTime": 1}
        assert office.handle_batch(facts, seconds=14.9, receives=5) == ["C0001"]  # never set aside for that
        assert office.store.standings["C0001"] == waking(facts)
        assert office.handle_batch(facts, seconds=15) == []


class TestASwitchedOffSender:
    """Decides nothing and changes nothing."""

    def test_leaves_the_wake_as_it_is(self, office: Office) -> None:
        facts = office.add(someone())
        office.switch.on = False
        assert office.handle_batch(facts) == []
        assert office.store.standings["C0001"] == waking(facts)
        assert [decision.reason for _, decision, _ in office.telemetry.decisions] == [Reason.SENDING_OFF]

    def test_stops_in_the_middle_of_a_batch(self) -> None:
        switch = FakeSwitch()

        class Turning(FakeGateway):
            def publish(self, sms: Outgoing) -> Published:
                switch.on = False
                return super().publish(sms)

        gateway = Turning()
        office = Office(switch=switch, gateway=gateway, per_second=1)
        people = [office.add(someone(number)) for number in range(25)]
        assert office.handle_batch(*people) == []
        assert len(gateway.published) <= workers_for(1)


class TestWhoeverIsNotDue:
    """Moves to the next wake, once."""

    def test_is_written_only_if_something_changes(self, office: Office) -> None:
        facts = office.add(someone(due_in=5))
        office.handle_batch(facts)
        after = office.store.standings["C0001"]
        assert (after.wake, after.reason, after.version) == (Wake(NOW + timedelta(days=2), 1), "next_stage", 2)
        assert after.recent == (RecentDecision(NOW, "next_stage", NOW + timedelta(days=2)),)
        assert after.lender_id == facts.lender
        office.handle_batch(facts)
        assert office.store.standings["C0001"] == after

    def test_is_judged_again_if_somebody_wrote_meanwhile(self, office: Office) -> None:
        facts = office.add(someone(due_in=5))
        office.store.meanwhile = [lambda standing: replace(standing, opted_out_at=NOW)]
        office.handle_batch(facts)
        after = office.store.standings["C0001"]
        assert (after.wake, after.reason, after.version) == (None, "opted_out", 3)

    def test_has_another_reason_written_even_if_the_wake_stays(self, office: Office) -> None:
        facts = paid_up(someone())
        office.handle_batch(office.add(facts, waking(facts, None)))
        after = office.store.standings["C0001"]
        assert (after.wake, after.reason, after.version) == (None, "nothing_open", 2)

    def test_has_another_wake_written_even_if_the_reason_stays(self, office: Office) -> None:
        facts = someone(due_in=5)
        office.handle_batch(office.add(facts, waking(facts, reason="next_stage")))
        assert office.store.standings["C0001"].wake == Wake(NOW + timedelta(days=2), 1)

    def test_has_a_broken_promise_written_even_if_wake_and_reason_stay(self, office: Office) -> None:
        facts = someone()
        office.add(facts, waking(facts, ledger=(texted(facts, NOW - timedelta(hours=1)),)))
        office.handle_batch(facts)
        waits = office.store.standings["C0001"]
        promises = {"A0001-0#1": PromiseToPay(NOW - timedelta(days=3), date(2026, 11, 30))}
        office.store.standings["C0001"] = replace(waits, promises=promises)
        office.handle_batch(facts)
        after = office.store.standings["C0001"]
        assert (after.wake, after.reason) == (waits.wake, waits.reason)
        assert after.promises["A0001-0#1"].kept is False

    def test_takes_no_turn_of_those_who_are(self) -> None:
        office = Office(per_second=1)
        people = [office.add(someone(number, due_in=5)) for number in (1, 2, 3)]
        assert office.handle_batch(*people) == []
        assert office.clock.now() == NOW

    def test_leaves_no_trace_if_nobody_knows_them(self, office: Office) -> None:
        assert office.handle_batch(someone()) == []
        assert office.store.standings == {}


def test_a_text_is_judged_again_when_its_turn_comes_and_the_hours_may_have_ended() -> None:
    office = Office(per_second=1 / 60)
    evening = datetime(2026, 12, 1, 12, 29, 30, tzinfo=UTC)  # 20:29:30 in Taipei
    office.clock.move_to(evening)
    people = [office.add(someone(number), waking(someone(number), evening)) for number in (1, 2)]
    assert office.handle_batch(people[0], wake_at=evening) == []
    assert office.handle_batch(people[1], wake_at=evening) == []
    assert len(office.gateway.published) == 1
    assert office.store.standings["C0002"].reason == "quiet_hours"
    assert office.store.standings["C0002"].ledger == ()


def test_nobody_waits_for_a_turn_while_the_switch_is_off() -> None:
    office = Office(per_second=1)
    office.switch.on = False
    assert office.handle_batch(*[office.add(someone(number)) for number in (1, 2, 3)]) == []
    assert office.clock.now() == NOW


def test_a_text_is_judged_again_when_its_turn_comes_and_the_switch_may_be_off() -> None:
    switch = FakeSwitch()

    class Turning(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            switch.on = False

    office = Office(per_second=1, switch=switch, clock=Turning(NOW))
    for number in (1, 2):
        assert office.handle_batch(office.add(someone(number))) == []
    assert len(office.gateway.published) == 1
    assert office.store.standings["C0002"] == waking(someone(2))


def test_an_unreadable_record_met_while_reading_again_is_a_failure(office: Office) -> None:
    facts = office.add(someone())

    def spoil(standing: Standing) -> Standing:
        office.store.unreadable.add("C0001")
        return standing

    office.store.meanwhile = [spoil]
    assert office.handle_batch(facts) == []
    assert office.events("job_failed")[0]["error"] == UnreadableRecordError.__name__
    assert office.gateway.published == []


class TestOthersAreTold:
    """By events with ids and codes."""

    def test_of_a_text_the_carrier_took(self, office: Office) -> None:
        office.handle_batch(office.add(someone()))
        (record,) = office.records
        assert office.publisher.published == [
            ReminderSent(
                customer_id="C0001", at=NOW, send_id=record.send_id, stage=-3, account_ids=("A0001-0",), channel="sms"
            )
        ]

    @pytest.mark.parametrize("answer", [LOST, BUSY], ids=["nobody knows", "refused for now"])
    def test_of_no_text_that_may_not_have_been_taken(self, office: Office, answer: Published) -> None:
        office.gateway.answers = [answer]
        office.handle_batch(office.add(someone()))
        assert office.publisher.published == []

    def test_of_a_number_the_carrier_refuses(self, office: Office) -> None:
        office.gateway.answers = [INVALID]
        office.handle_batch(office.add(someone()))
        assert office.publisher.published == [
            NumberUnreachable("C0001", NOW, "refused"),
            CustomerNeedsPerson("C0001", NOW, ReviewReason.NUMBER_REFUSED),
        ]
        standing = office.store.standings["C0001"]
        assert standing.announced == ("number_refused",)
        assert standing.attention == (OpenReview("number_refused", NOW),)

    def test_of_a_customer_who_is_reminded_no_more_and_once_only(self, office: Office) -> None:
        facts = office.add(paid_up(someone()))
        office.handle_batch(facts)
        office.handle_batch(facts)
        assert office.publisher.published == [ReminderStopped("C0001", NOW, "nothing_open")]

    @pytest.mark.parametrize("somebody_else_has_written_since", [False, True])
    def test_of_what_was_written_though_the_answer_was_lost_and_once_only(
        self, office: Office, *, somebody_else_has_written_since: bool
    ) -> None:
        promises = {"A0001-0#1": PromiseToPay(NOW - timedelta(days=3), date(2026, 11, 30))}
        facts = replace(someone(), lender="nobody")
        office.add(facts, replace(waking(facts), promises=promises))
        office.store.loses_answers = 1
        if somebody_else_has_written_since:
            office.store.meanwhile = [lambda stored: replace(stored, planned_for="newer")]
        office.handle_batch(facts)
        broken, *stops = office.publisher.published
        assert isinstance(broken, PromiseBroken)
        assert stops == [
            ReminderStopped("C0001", NOW, "unknown_lender"),
            CustomerNeedsPerson("C0001", NOW, ReviewReason.UNKNOWN_LENDER),
        ]

    def test_of_no_stop_that_was_not_written(self, office: Office) -> None:
        facts = office.add(paid_up(someone()))
        office.store.meanwhile = [lambda stored: replace(stored, reason="opted_out", opted_out_at=NOW)]
        office.handle_batch(facts)
        assert office.publisher.published == [ReminderStopped("C0001", NOW, "nothing_open")]

    def test_of_a_refused_number_once_until_it_has_ended(self, office: Office) -> None:
        facts = someone()
        office.add(facts, waking(facts, announced=("number_refused",)))
        office.gateway.answers = [INVALID]
        office.handle_batch(facts)
        assert office.publisher.published == [NumberUnreachable("C0001", NOW, "refused")]

    def test_of_no_finished_ladder_if_the_last_text_was_refused_for_good(self, office: Office) -> None:
        late = an_instalment("2026-11-01", stage_reached=15, notice="2026-11-20")
        office.gateway.answers = [INVALID]
        office.handle_batch(office.add(replace(someone(), accounts=(an_account(late),))))
        assert office.publisher.published == [
            NumberUnreachable("C0001", NOW, "refused"),
            CustomerNeedsPerson("C0001", NOW, ReviewReason.NUMBER_REFUSED),
        ]

    def test_of_a_stop_that_only_a_person_can_end_and_once_only(self, office: Office) -> None:
        facts = office.add(someone(lender="nobody"))
        office.handle_batch(facts)
        office.handle_batch(facts)
        assert office.publisher.published == [
            ReminderStopped("C0001", NOW, "unknown_lender"),
            CustomerNeedsPerson("C0001", NOW, ReviewReason.UNKNOWN_LENDER),
        ]
        assert office.store.standings["C0001"].announced == ("unknown_lender",)

    def test_of_a_customer_who_is_over_to_a_person_after_the_last_stage(self, office: Office) -> None:
        late = an_instalment("2026-11-01", stage_reached=15, notice="2026-11-20")
        facts = office.add(replace(someone(), accounts=(an_account(late),)))
        office.handle_batch(facts)
        sent, *after = office.publisher.published
        assert isinstance(sent, ReminderSent)
        assert sent.stage == 30
        assert after == [
            ReminderStopped("C0001", NOW, "ladder_finished"),
            CustomerNeedsPerson("C0001", NOW, ReviewReason.LADDER_FINISHED),
        ]

    def test_of_a_missing_notice_once_although_other_texts_follow(self, office: Office) -> None:
        lacking = an_account(an_instalment("2026-10-20", stage_reached=15), account_id="A1")
        late = an_account(an_instalment("2026-11-20"), account_id="A2")
        facts = office.add(replace(someone(), accounts=(lacking, late)))
        office.handle_batch(facts)
        sent, review = office.publisher.published[:1], office.publisher.published[-1]
        assert isinstance(sent[0], ReminderSent)
        assert review == CustomerNeedsPerson("C0001", NOW, ReviewReason.NO_WRITTEN_NOTICE)
        assert office.store.standings["C0001"].ledger[-1].also_named == ("A1",)
        office.clock.move_to(NOW + timedelta(days=4))
        office.handle_batch(facts, wake_at=NOW + timedelta(days=4))
        reviews = [event for event in office.publisher.published if isinstance(event, CustomerNeedsPerson)]
        assert reviews == [review]

    def test_of_no_stop_that_a_refused_text_would_have_led_to(self, office: Office) -> None:
        late = an_instalment("2026-11-01", stage_reached=15, notice="2026-11-20")
        facts = office.add(replace(someone(), accounts=(an_account(late),)))
        office.gateway.answers = [BUSY]
        office.handle_batch(facts)
        assert office.publisher.published == []
        assert office.store.standings["C0001"].announced == ()
        assert office.store.standings["C0001"].attention == ()
        office.clock.move_to(NOW + timedelta(minutes=5))
        office.handle_batch(facts, wake_at=NOW + timedelta(minutes=5))
        reviews = [event for event in office.publisher.published if isinstance(event, CustomerNeedsPerson)]
        assert [event.why for event in reviews] == [ReviewReason.LADDER_FINISHED]

    def test_of_a_promise_that_was_broken_and_once_only(self, office: Office) -> None:
        facts = someone()
        promises = {"A0001-0#1": PromiseToPay(NOW - timedelta(days=3), date(2026, 11, 30))}
        office.add(facts, replace(waking(facts), promises=promises))
        office.handle_batch(facts)
        broken = PromiseBroken(
            customer_id="C0001", at=NOW, account_id="A0001-0", number=1, promised_on=date(2026, 11, 30)
        )
        assert office.publisher.published[0] == broken
        assert office.store.standings["C0001"].promises["A0001-0#1"].kept is False
        office.handle_batch(facts)
        assert office.publisher.published.count(broken) == 1

    def test_of_a_broken_promise_also_where_no_text_follows(self, office: Office) -> None:
        """It is night, or a cap is full: the promise ended all the same."""
        facts = someone()
        promises = {"A0001-0#1": PromiseToPay(NOW - timedelta(days=3), date(2026, 11, 30))}
        office.add(facts, replace(waking(facts), promises=promises, ledger=(texted(facts, NOW - timedelta(hours=1)),)))
        office.handle_batch(facts)
        assert office.publisher.published == [
            PromiseBroken(customer_id="C0001", at=NOW, account_id="A0001-0", number=1, promised_on=date(2026, 11, 30))
        ]
        assert office.gateway.published == []


def test_the_end_of_a_promise_is_a_wake_of_its_own(office: Office) -> None:
    facts = someone()
    office.add(facts, replace(waking(facts), **promised(NOW, date(2026, 12, 2), "A0001-0#1")))
    office.handle_batch(facts)
    standing = office.store.standings["C0001"]
    assert office.gateway.published == []
    assert standing.wake is not None
    assert standing.wake.at <= taipei("2026-12-03 09:00")
