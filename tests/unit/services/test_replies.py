"""The rules for replies, on fakes: what is kept, changed and published, and the single text that may answer."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, count, repeat
from typing import Any

import pytest

from dunning.contracts.channel_message import channel_message_body, wish_body
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import AddressSince, OpenReview, PromiseToPay, Standing, holds_now
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Stop
from dunning.domain.decision.open_reviews import with_attended
from dunning.domain.delivery.channel_events import ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.outbound_events import (
    CustomerNeedsPerson,
    PromiseBroken,
    ReminderStopped,
    ReplyNotUnderstood,
    ReviewReason,
)
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.opt_out_confirmation import confirmation_id
from dunning.domain.replies.reply import Reply
from dunning.ports.customers import Customer
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import SmsBody
from dunning.ports.queues import InboundMessage
from dunning.services.replies import ReplyService
from dunning.services.send.confirmations import OptOutConfirmations
from dunning.services.send.gateways_by_name import GatewaysByName
from tests.support.builders import a_lender_record, day, promised, the_policies
from tests.support.fakes import (
    ContestedCustomers,
    FakeClock,
    FakeContacts,
    FakeEventPublisher,
    FakeGateway,
    FakeNews,
    FakeOptOutList,
    FakeQueue,
    FakeSwitch,
    FakeTelemetry,
)
from tests.support.people import NOW, someone, texted, waking

NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
"""Noon in New York, a Tuesday."""

MEANINGS = {
    "STOP": ParsedReply((ReplyIntent.OPT_OUT,)),
    "STOP 5678": ParsedReply((ReplyIntent.OPT_OUT,), digits="5678"),
    "STOP 1111": ParsedReply((ReplyIntent.OPT_OUT,), digits="1111"),
    "START": ParsedReply((ReplyIntent.OPT_IN,)),
    "paid": ParsedReply((ReplyIntent.PAID,)),
    "Friday": ParsedReply((ReplyIntent.PROMISE,), day("2026-12-04")),
    "soon": ParsedReply((ReplyIntent.PROMISE,)),
    "call me": ParsedReply((ReplyIntent.QUESTION,)),
    "I never bought that": ParsedReply((ReplyIntent.DISPUTE,)),
    "he is dead, stop": ParsedReply((ReplyIntent.OPT_OUT, ReplyIntent.DECEASED)),
    "ok": ParsedReply((ReplyIntent.ACKNOWLEDGED,)),
    "ok, I am away": ParsedReply((ReplyIntent.ACKNOWLEDGED,), likely=(ReplyIntent.AUTO_REPLY,)),
    "I want to die, stop": ParsedReply((ReplyIntent.OPT_OUT,), likely=(ReplyIntent.DISTRESS,)),
    "my house is flooded": ParsedReply((ReplyIntent.DISTRESS,)),
    "STOP John Smith": ParsedReply(
        (ReplyIntent.OPT_OUT,), guess=(ReplyIntent.OPT_OUT, ReplyIntent.COMPLAINT), by_fixed_word=True
    ),
    "no more please, who are you": ParsedReply(
        (ReplyIntent.OPT_OUT,), guess=(ReplyIntent.OPT_OUT, ReplyIntent.SUSPICION)
    ),
    "stop or I sue": ParsedReply((ReplyIntent.OPT_OUT,), likely=(ReplyIntent.COMPLAINT,)),
    "I will not pay": ParsedReply((ReplyIntent.REFUSAL,)),
    "perhaps Friday": ParsedReply(
        (),
        day("2026-12-04"),
        likely=(ReplyIntent.PROMISE, ReplyIntent.HARDSHIP),
        guess=(ReplyIntent.PROMISE,),
        why=("day", "w:perhaps"),
    ),
}


class Reader:
    """Understands a few texts, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, date, str, tuple[str, ...]]] = []
        self.names: list[str] = []
        self.fails_at = ""

    def parse(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = (), customer_name: str = ""
    ) -> ParsedReply:
        self.names.append(customer_name)
        self.asked.append((text, said_on, phone_country, tuple(our_texts)))
        if text and text == self.fails_at:
            raise ValueError(text)
        return MEANINGS.get(text, ParsedReply())


class Customers(ContestedCustomers):
    """Customers whose reads are counted, who may change after a read, and whose next writes may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = 0
        self.fails_for = ""
        self.loads: list[list[str]] = []
        self.looked_up: list[set[str]] = []
        self.after_load: list[Callable[[], object]] = []
        self.claim_ids: list[str] = []

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        self.loads.append(list(customer_ids))
        found = super().load(customer_ids)
        if self.after_load:
            self.after_load.pop(0)()
        return found

    def customers_with(self, addresses: Collection[str]) -> Mapping[str, frozenset[str]]:
        self.looked_up.append(set(addresses))
        return super().customers_with(addresses)

    def erase(self, customer_id: str) -> None:
        """Leave what is left of an erased customer: the standing alone."""
        del self.lender_records[customer_id]

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        if standing.customer_id == self.fails_for:
            self.fails_for = ""
            raise ServiceCallError("PutItem", "InternalServerError")
        if self.fails:
            self.fails -= 1
            raise ServiceCallError("PutItem", "InternalServerError")
        self.claim_ids.append(claim_id)
        return super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)


class Contacts(FakeContacts):
    """An audit table whose next write may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False
        self.reads = 0
        self.kept_in_order: list[str] = []

    def keep(self, reply: Reply) -> bool:
        self.kept_in_order.append(reply.customer_id)
        return super().keep(reply)

    def write(self, contacts: Sequence[Contact]) -> None:
        if self.fails:
            self.fails = False
            raise ServiceCallError("BatchWriteItem", "InternalServerError")
        super().write(contacts)

    def recent(self, customer_id: str, since: datetime) -> Sequence[Contact]:
        self.reads += 1
        return super().recent(customer_id, since)


class Queue(FakeQueue):
    """A dead-letter queue that may be shut."""

    shut = False

    def park(self, body: str, why: str) -> None:
        if self.shut:
            raise ServiceCallError("SendMessage", "AccessDenied")
        super().park(body, why)


class Carrier(FakeOptOutList):
    """A list that may be out of reach, and that remembers what it was asked to take up."""

    def __init__(self) -> None:
        super().__init__()
        self.unreachable = False
        self.put: list[str] = []

    def opt_out(self, phone: str) -> None:
        self.put.append(phone)
        super().opt_out(phone)

    def opt_in(self, phone: str) -> bool:
        if self.unreachable:
            raise ServiceCallError("OptInPhoneNumber", "InternalError")
        return super().opt_in(phone)


class Office:
    """The service for replies with everything it touches."""

    def __init__(self, now: datetime = NOW) -> None:
        self.store = Customers()
        self.contacts = Contacts()
        self.reader = Reader()
        self.gateway = FakeGateway()
        self.switch = FakeSwitch()
        self.carrier = Carrier()
        self.publisher = FakeEventPublisher()
        self.clock = FakeClock(now)
        self.telemetry = FakeTelemetry()
        self.news = FakeNews()
        self.queue = Queue()
        ids = count(1)
        self.service = ReplyService(
            store=self.store,
            phones=self.store,
            replies=self.contacts,
            contacts=self.contacts,
            reader=self.reader,
            confirmations=OptOutConfirmations(
                store=self.store,
                contacts=self.contacts,
                gateways=GatewaysByName(self.gateway),
                switch=self.switch,
                policies=the_policies(),
                clock=self.clock,
                telemetry=self.telemetry,
                new_id=lambda: f"claim-{next(ids)}",
            ),
            opt_out_list=self.carrier,
            publisher=self.publisher,
            policies=the_policies(),
            clock=self.clock,
            telemetry=self.telemetry,
            queue=self.queue,
            failures=self.news,
            receives_before_person=5,
        )

    def add(self, facts: Facts, standing: Standing | None = None) -> Facts:
        self.store.lender_records[facts.customer_id] = a_lender_record(facts)
        self.store.standings[facts.customer_id] = standing or waking(facts)
        self.store.add_address(facts.phone, facts.customer_id)
        return facts

    def reply(
        self, text: str, phone: str = "+886900000001", *, reply_id: str = "reply-1", ago: float = 2, receives: int = 1
    ) -> InboundMessage:
        """Describe a reply so many seconds ago, as the queue delivers it."""
        message = {"originationNumber": phone, "messageBody": text, "inboundMessageId": reply_id}
        sent_at = self.clock.now() - timedelta(seconds=ago)
        return InboundMessage(f"message-{reply_id}", json.dumps(message), receives, sent_at)

    def channel_message(
        self,
        channel: Channel,
        address: str,
        *,
        reply_id: str = "reply-1",
        receives: int = 1,
        **content: Any,  # noqa: ANN401 - text or button
    ) -> InboundMessage:
        """Describe what somebody wrote or pressed two seconds ago on another channel."""
        said_at = self.clock.now() - timedelta(seconds=2)
        body = channel_message_body(ChannelMessage(channel, address, reply_id, said_at, **content))
        return InboundMessage(f"message-{reply_id}", body, receives, said_at)

    def handle_batch(self, *messages: InboundMessage, seconds: float = 60) -> list[str]:
        return self.service.handle_batch(messages, lambda: seconds)

    def receive(self, text: str, phone: str = "+886900000001", **how: Any) -> list[str]:  # noqa: ANN401 - as `reply`
        return self.handle_batch(self.reply(text, phone, **how))

    def standing(self, facts: Facts) -> Standing:
        return self.store.standings[facts.customer_id]

    @property
    def kept(self) -> list[Reply]:
        return list(self.contacts.replies.values())

    @property
    def records(self) -> list[Contact]:
        return list(self.contacts.records.values())

    def events(self, name: str) -> list[dict[str, Any]]:
        return [fields for event, fields in self.telemetry.events if event == name]


@pytest.fixture
def office() -> Office:
    return Office()


def american(number: int = 1, **changes: object) -> Facts:
    """Describe somebody in New York State with a number of the United States."""
    facts = someone(number, country="US", region="NY", phone_country="US", phone=f"+1202555{number:04d}",
                    language="en", name="John Smith", consented_at=NOW - timedelta(days=99))  # fmt: skip
    owed = tuple(replace(account, currency="USD") for account in facts.accounts)
    return replace(facts, accounts=owed, **changes)  # type: ignore[arg-type]


class TestKeeping:
    """No reply is lost, and each is kept where it belongs."""

    def test_it_is_kept_below_the_customer_with_what_it_means_for_as_long_as_the_place_asks(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        assert office.receive("Friday") == []
        (reply,) = office.kept
        assert (reply.customer_id, reply.inbound.text, reply.inbound.phone) == ("C0001", "Friday", facts.phone)
        assert (reply.intents, reply.promised_on) == (("promise",), day("2026-12-04"))
        assert reply.expires_at == reply.inbound.at + timedelta(days=1827)
        assert (reply.lender, reply.digits) == (facts.lender, "")

    def test_it_is_kept_with_the_digits_it_names_and_with_all_that_it_may_mean(self, office: Office) -> None:
        office.add(someone())
        office.receive("STOP 5678")
        office.receive("I want to die, stop", reply_id="reply-2")
        assert [(reply.digits, reply.intents) for reply in office.kept] == [
            ("5678", ("opt_out",)),
            ("", ("opt_out", "distress")),
        ]

    def test_it_is_kept_before_anything_is_done(self, office: Office) -> None:
        office.add(someone())
        office.store.fails = 1
        assert office.receive("STOP") == ["message-reply-1"]
        assert len(office.kept) == 1

    def test_of_a_number_nobody_has_it_is_kept_below_the_number(self, office: Office) -> None:
        assert office.receive("STOP", "+886999999999") == []
        (reply,) = office.kept
        assert (reply.customer_id, reply.inbound.phone, reply.intents) == ("", "+886999999999", ("opt_out",))
        assert reply.lender == ""
        assert office.reader.asked == [("STOP", reply.inbound.at.date(), "", ())]
        assert office.telemetry.counts == {
            "Replies": 1, "RepliesFromNobody": 1, "RepliesSure": 1, "ReplyOptOut": 1,
        }  # fmt: skip
        assert office.publisher.published == []

    def test_a_number_that_a_customer_only_had_is_nobodys(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.add_address("+886977777777", facts.customer_id)
        office.receive("STOP", "+886977777777")
        assert office.standing(facts) == waking(facts)
        assert [reply.customer_id for reply in office.kept] == [""]

    def test_of_two_with_one_number_it_is_kept_and_counts_for_both_and_is_one_reply(self, office: Office) -> None:
        first, other = office.add(someone()), office.add(someone(2, phone="+886900000001"))
        office.receive("STOP")
        assert office.standing(first).is_opted_out
        assert office.standing(other).is_opted_out
        assert sorted(reply.customer_id for reply in office.kept) == ["C0001", "C0002"]
        assert office.telemetry.counts["Replies"] == 1
        assert office.telemetry.counts["OptOuts"] == 2

    def test_customers_with_one_number_are_read_and_served_in_the_order_of_their_ids(self, office: Office) -> None:
        people = [office.add(someone(number, phone="+886900000001")) for number in range(20, 0, -1)]
        office.receive("STOP")
        in_order = sorted(person.customer_id for person in people)
        assert office.store.loads == [in_order]
        assert office.contacts.kept_in_order == in_order

    @pytest.mark.parametrize(("address", "kept_below"), [("U" + "ab" * 16, "C0001"), ("U" + "AB" * 16, "")])
    def test_an_address_other_than_of_mail_is_that_of_whoever_has_it_letter_by_letter(
        self, office: Office, address: str, kept_below: str
    ) -> None:
        facts = office.add(someone(line_user_id="U" + "ab" * 16))
        office.store.add_address(address, facts.customer_id)
        assert office.handle_batch(office.channel_message(Channel.LINE, address, text="STOP")) == []
        assert [reply.customer_id for reply in office.kept] == [kept_below]

    def test_a_button_of_a_mail_without_an_address_asks_for_nobodys_address(self, office: Office) -> None:
        facts = office.add(someone())
        wish = ChannelWish(Channel.EMAIL, Wish.UNSUBSCRIBED, "unsubscribe:1", NOW, claim=ClaimKey("C0001", "c" * 32))
        assert office.handle_batch(InboundMessage("message-0", wish_body(wish), 1, NOW)) == []
        assert office.standing(facts).is_opted_out
        assert office.store.looked_up == [set()]

    def test_somebody_whose_record_cannot_be_read_may_have_the_number(self, office: Office) -> None:
        readable = office.add(someone())
        office.add(someone(2, phone="+886900000001"))
        office.store.unreadable.add("C0002")
        assert office.receive("STOP") == ["message-reply-1"]
        assert office.standing(readable).is_opted_out
        assert sorted(reply.customer_id for reply in office.kept) == ["", "C0001"]

    def test_what_is_no_reply_is_parked_at_once_and_holds_up_nobody(self, office: Office) -> None:
        facts = office.add(someone())
        rubbish = InboundMessage("message-0", '{"name": "王小明"}', 1, NOW)
        assert office.handle_batch(rubbish, office.reply("STOP")) == []
        assert office.queue.parked == ['{"name": "王小明"}']
        assert office.telemetry.counts["RepliesUnreadable"] == 1
        assert office.events("reply_parked") == [
            {"message_id": "message-0", "why": "not a reply: originationNumber, messageBody"}
        ]
        assert office.standing(facts).is_opted_out

    def test_what_cannot_be_parked_comes_back(self, office: Office) -> None:
        office.queue.shut = True
        assert office.handle_batch(InboundMessage("message-0", "?", 1, NOW)) == ["message-0"]
        assert office.events("reply_not_parked") == [{"message_id": "message-0", "error": "ServiceCallError"}]


class TestUnderstanding:
    """A reply is understood once, by the day and the words it was said in."""

    def test_the_day_is_that_of_the_place_when_it_was_said(self, office: Office) -> None:
        office.add(someone())
        office.clock.move_to(datetime(2026, 12, 1, 15, 59, 59, tzinfo=UTC))
        office.receive("call me", ago=0)
        office.clock.move_to(datetime(2026, 12, 1, 16, 0, tzinfo=UTC))
        office.receive("call me", ago=0, reply_id="reply-2")
        assert [(said_on, country) for _, said_on, country, _ in office.reader.asked] == [
            (day("2026-12-01"), "TW"),
            (day("2026-12-02"), "TW"),
        ]

    def test_where_several_days_are_possible_the_latest_counts(self) -> None:
        office = Office(datetime(2026, 12, 1, 5, 30, tzinfo=UTC))
        office.add(american(region=""))
        office.receive("call me", "+12025550001", ago=0)
        assert office.reader.asked[0][1] == day("2026-12-01")
        (hold,) = office.store.standings["C0001"].holds
        assert hold.until == day("2026-12-03")

    def test_where_customers_with_one_number_have_several_days_the_latest_counts(self) -> None:
        office = Office(datetime(2026, 12, 1, 17, 0, tzinfo=UTC))
        office.add(american())
        office.add(someone(2, phone="+12025550001"))
        office.receive("call me", "+12025550001", ago=0)
        assert [said_on for _, said_on, _, _ in office.reader.asked] == [day("2026-12-02")]

    def test_the_names_of_all_who_have_the_number_are_known_each_for_itself(self, office: Office) -> None:
        office.add(someone(name="王小明"))
        office.add(someone(2, phone="+886900000001", name="李大華"))
        office.receive("paid")
        assert office.reader.names == ["王小明\n李大華"]

    @pytest.mark.parametrize(("characters", "reads"), [(24, 0), (25, 1)])
    def test_a_text_of_ours_takes_more_than_twenty_four_characters_to_quote(
        self, office: Office, characters: int, reads: int
    ) -> None:
        office.add(someone())
        office.receive("x" * characters)
        assert office.contacts.reads == reads

    def test_a_message_without_words_needs_no_reader(self, office: Office) -> None:
        office.add(someone())
        office.receive(" \n")
        assert office.reader.asked == []
        assert [reply.why for reply in office.kept] == [("no words",)]

    def test_our_texts_are_looked_up_only_for_a_reply_that_could_quote_one(self, office: Office) -> None:
        facts = office.add(someone())
        entry = texted(facts, NOW - timedelta(days=1))
        record = Contact(
            customer_id=facts.customer_id,
            send_id=entry.send_id,
            claim_id="c",
            at=entry.at,
            state=ContactState.SENT,
            stage=-3,
            account_ids=(),
            channel="sms",
            expires_at=NOW,
            text="our words",
        )
        a_month_ago = NOW - timedelta(seconds=2, days=31)
        office.contacts.write(
            [
                record,
                replace(record, send_id="silent", text=""),
                replace(record, send_id="oldest", at=a_month_ago, text="our oldest words"),
                replace(record, send_id="older", at=a_month_ago - timedelta(microseconds=1), text="too old"),
            ]
        )
        office.receive("STOP")
        assert office.contacts.reads == 0
        office.receive("I will pay. > our words, as you wrote them", reply_id="reply-2")
        assert [texts for _, _, _, texts in office.reader.asked] == [(), ("our oldest words", "our words")]

    def test_it_is_understood_once_for_all_who_have_the_number(self, office: Office) -> None:
        office.add(someone())
        office.add(someone(2, phone="+886900000001"))
        office.receive("paid")
        assert len(office.reader.asked) == 1

    def test_what_surely_asks_for_nothing_is_sure_whatever_kind_of_nothing_it_is(self, office: Office) -> None:
        office.add(someone())
        office.receive("ok, I am away")
        assert office.telemetry.counts == {
            "Replies": 1, "RepliesSure": 1, "ReplyAcknowledged": 1, "ReplyAutoReply": 1,
        }  # fmt: skip

    @pytest.mark.parametrize("text", ["???", ""])
    def test_a_reply_that_is_not_understood_is_silent_for_three_working_days_and_is_published(
        self, office: Office, text: str
    ) -> None:
        facts = office.add(someone())
        office.receive(text)
        standing = office.standing(facts)
        assert standing.holds == (Hold(HoldReason.DOUBT, day("2026-12-04"), NOW - timedelta(seconds=2)),)
        assert standing.wake is not None
        assert standing.wake.at >= datetime(2026, 12, 4, 16, 0, tzinfo=UTC)
        assert office.publisher.published == [ReplyNotUnderstood("C0001", NOW, "reply-1")]
        assert office.telemetry.counts == {"Replies": 1, "RepliesInDoubt": 1, "RepliesNotUnderstood": 1}

    def test_a_reply_that_asks_for_nothing_changes_nothing_and_counts_as_understood(self, office: Office) -> None:
        facts = office.add(someone())
        office.receive("ok")
        assert office.standing(facts) == waking(facts)
        assert office.publisher.published == []
        assert office.telemetry.counts == {"Replies": 1, "RepliesSure": 1, "ReplyAcknowledged": 1}

    def test_what_is_only_likely_is_kept_with_its_bands_and_counted_as_such(self, office: Office) -> None:
        facts = office.add(someone())
        office.receive("perhaps Friday")
        (reply,) = office.kept
        assert (reply.intents, reply.sure, reply.likely, reply.why) == (
            ("promise",), (), ("promise", "hardship"), ("day", "w:perhaps"),
        )  # fmt: skip
        assert {hold.reason for hold in holds_now(facts, office.standing(facts))} == {
            HoldReason.DOUBT, HoldReason.HARDSHIP, HoldReason.PROMISE,
        }  # fmt: skip
        assert office.publisher.published[-2:] == [
            CustomerNeedsPerson("C0001", NOW, ReviewReason.HARDSHIP, "reply-1"),
            ReplyNotUnderstood("C0001", NOW, "reply-1"),
        ]
        assert office.telemetry.counts == {
            "Replies": 1, "RepliesLikely": 1, "RepliesNotUnderstood": 1, "ReplyPromise": 1, "ReplyHardship": 1,
        }  # fmt: skip

    def test_a_place_without_rules_has_the_usual_days(self, office: Office) -> None:
        facts = office.add(someone(lender="nobody"))
        office.receive("paid")
        (hold,) = holds_now(facts, office.standing(facts))
        assert hold.until == day("2026-12-04")


class TestActing:
    """The standing changes under its version, with the wake that follows."""

    def test_an_opt_out_ends_reminders_before_the_next_one_whatever_is_queued(self, office: Office) -> None:
        facts = office.add(someone())
        office.receive("STOP")
        standing = office.standing(facts)
        assert (standing.version, standing.wake, standing.reason) == (2, None, "opted_out")
        assert standing.opted_out_at == NOW - timedelta(seconds=2)
        # A claim that was decided before is made under version 1.
        assert not office.store.save_standing(waking(facts), expected_version=1)
        assert office.publisher.published == [ReminderStopped("C0001", NOW, "opted_out")]
        assert office.telemetry.counts == {"Replies": 1, "RepliesSure": 1, "ReplyOptOut": 1, "OptOuts": 1}

    def test_a_hold_moves_the_wake_to_its_end(self, office: Office) -> None:
        facts = office.add(someone())
        office.receive("paid")
        standing = office.standing(facts)
        said_at = NOW - timedelta(seconds=2)
        assert holds_now(facts, standing) == [Hold(HoldReason.SAYS_PAID, day("2026-12-04"), said_at)]
        assert standing.wake is not None
        assert standing.wake.at >= datetime(2026, 12, 4, 16, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("text", "why", "reason"),
        [
            ("call me", ReviewReason.QUESTION, None),
            ("soon", ReviewReason.PROMISE_UNCLEAR, None),
            ("I never bought that", ReviewReason.DISPUTE, "on_hold"),
        ],
    )
    def test_a_person_is_called_where_one_is_needed(
        self, office: Office, text: str, why: ReviewReason, reason: str | None
    ) -> None:
        office.add(someone())
        office.receive(text)
        stopped = [ReminderStopped("C0001", NOW, reason)] if reason else []
        assert office.publisher.published == [*stopped, CustomerNeedsPerson("C0001", NOW, why, "reply-1")]

    @pytest.mark.parametrize("text", ["my house is flooded", "I want to die, stop"])
    def test_for_somebody_in_distress_a_person_is_called_urgently_and_counted(self, office: Office, text: str) -> None:
        facts = office.add(someone())
        office.receive(text)
        called = [event for event in office.publisher.published if isinstance(event, CustomerNeedsPerson)]
        assert [(event.why, event.urgent) for event in called] == [(ReviewReason.DISTRESS, True)]
        assert HoldReason.DISTRESS in {hold.reason for hold in office.standing(facts).holds}
        assert office.telemetry.counts["ReplyDistress"] == 1

    def test_nobody_else_is_called_urgently(self, office: Office) -> None:
        office.add(someone())
        office.receive("I never bought that")
        assert not [event for event in office.publisher.published if getattr(event, "urgent", False)]

    @pytest.mark.parametrize(("place", "reason"), [("TW", "on_hold"), ("US", "ceased")])
    def test_a_refusal_ends_contact_for_good_where_the_law_says_so(
        self, office: Office, place: str, reason: str
    ) -> None:
        facts = office.add(american() if place == "US" else someone())
        office.receive("I will not pay", facts.phone)
        assert (office.standing(facts).reason, office.standing(facts).wake) == (reason, None)
        assert CustomerNeedsPerson("C0001", NOW, ReviewReason.REFUSAL, "reply-1") in office.publisher.published

    def test_what_a_customer_says_whose_load_has_not_come_to_its_end_counts_and_the_load_plans(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        del office.store.standings[facts.customer_id]
        office.receive("paid")
        standing = office.standing(facts)
        assert standing.payment_statements
        assert (standing.wake, standing.is_planned, standing.planned_for) == (None, False, "")

    def test_a_promise_is_kept_in_mind_and_looked_at_when_its_day_is_over(self, office: Office) -> None:
        facts = office.add(someone())
        office.receive("Friday")
        standing = office.standing(facts)
        assert standing.promises == {"A0001-0#1": PromiseToPay(NOW - timedelta(seconds=2), day("2026-12-04"))}
        assert standing.wake is not None
        assert standing.wake.at == datetime(2026, 12, 4, 16, 0, tzinfo=UTC)

    def test_a_broken_promise_is_published_with_whatever_comes_next(self, office: Office) -> None:
        said_at = NOW - timedelta(days=9)
        office.add(someone(), waking(someone(), **promised(said_at, day("2026-11-25"), "A0001-0#1")))
        office.receive("call me")
        assert (
            PromiseBroken(customer_id="C0001", at=NOW, account_id="A0001-0", number=1, promised_on=day("2026-11-25"))
            in office.publisher.published
        )

    def test_an_opt_out_of_one_account_leaves_the_others(self, office: Office) -> None:
        two = someone(accounts=2)
        facts = office.add(replace(two, accounts=(two.accounts[0], replace(two.accounts[1], tail="1111"))))
        office.receive("STOP 5678")
        standing = office.standing(facts)
        assert standing.is_opted_out_of("A0001-0")
        assert not standing.is_opted_out
        assert standing.wake is not None
        assert office.telemetry.counts["OptOuts"] == 1

    @pytest.mark.parametrize("seconds_ago", [(0, 1, 2), (2, 1, 0)])
    def test_an_opt_out_counts_once_a_customer(self, office: Office, seconds_ago: tuple[int, ...]) -> None:
        office.add(someone())
        for ago in seconds_ago:
            office.receive("STOP", reply_id=f"reply-{ago}", ago=ago)
        assert office.telemetry.counts["OptOuts"] == 1
        assert office.telemetry.counts["ReplyOptOut"] == 3

    @pytest.mark.parametrize(
        ("texts", "opt_outs"),
        [
            (["STOP 5678", "STOP 5678"], 1),
            (["STOP 5678", "paid"], 1),
            (["STOP 5678", "START", "paid"], 1),
            (["STOP 5678", "START", "STOP 5678"], 2),
            (["STOP 5678", "STOP 1111"], 2),
            (["STOP 5678", "STOP"], 2),
            (["STOP", "STOP 5678"], 1),
        ],
    )
    def test_an_opt_out_of_an_account_counts_whenever_it_silences_what_was_not_silent(
        self, office: Office, texts: list[str], opt_outs: int
    ) -> None:
        two = someone(accounts=2)
        office.add(replace(two, accounts=(two.accounts[0], replace(two.accounts[1], tail="1111"))))
        for number, text in enumerate(texts):
            office.receive(text, reply_id=f"reply-{number}", ago=9 - number)
        assert office.telemetry.counts["OptOuts"] == opt_outs

    def test_when_somebody_else_was_first_it_is_judged_on_what_they_wrote(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.meanwhile = [lambda stored: replace(stored, ledger=(texted(facts, NOW),))]
        assert office.receive("STOP") == []
        standing = office.standing(facts)
        assert standing.is_opted_out
        assert (standing.version, len(standing.ledger)) == (3, 1)

    def test_when_others_keep_writing_it_comes_back(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.meanwhile = [lambda stored: stored] * 9
        assert office.receive("STOP") == ["message-reply-1"]
        assert not office.standing(facts).is_opted_out
        assert [event["error"] for event in office.events("reply_failed")] == ["ContestedError"]

    def test_a_customer_who_was_never_planned_gets_a_standing(self, office: Office) -> None:
        facts = office.add(someone())
        del office.store.standings[facts.customer_id]
        office.receive("STOP")
        assert (office.standing(facts).version, office.standing(facts).is_opted_out) == (1, True)

    def test_several_replies_of_one_batch_build_on_each_other_in_the_order_they_were_said(self, office: Office) -> None:
        facts = office.add(someone())
        messages = [
            office.reply("START", ago=1, reply_id="reply-1"),
            office.reply("paid", ago=5, reply_id="reply-2"),
            office.reply("STOP", ago=3, reply_id="reply-3"),
        ]
        assert office.handle_batch(*messages) == []
        standing = office.standing(facts)
        assert not standing.is_opted_out
        assert (standing.version, len(holds_now(facts, standing))) == (4, 1)
        assert office.store.loads == [["C0001"]]
        assert [reply.inbound.inbound_id for reply in office.kept] == ["reply-2", "reply-3", "reply-1"]

    @pytest.mark.parametrize("in_turn", [(1, 2), (2, 1)])
    def test_replies_of_one_moment_are_taken_in_the_order_of_their_ids_however_they_are_delivered(
        self, office: Office, in_turn: tuple[int, ...]
    ) -> None:
        office.add(someone())
        office.handle_batch(*(office.reply("paid", reply_id=f"reply-{number}") for number in in_turn))
        assert [reply.inbound.inbound_id for reply in office.kept] == ["reply-1", "reply-2"]

    def test_a_write_whose_answer_was_lost_and_that_was_repeated_counts_and_is_told_of(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.loses_answers = 1
        assert office.receive("I never bought that") == []
        assert office.publisher.published == [
            ReminderStopped("C0001", NOW, "on_hold"),
            CustomerNeedsPerson("C0001", NOW, ReviewReason.DISPUTE, "reply-1"),
        ]
        assert office.standing(facts).version == 2

    def test_an_opt_out_and_an_opt_in_whose_answers_were_lost_count_once_and_the_carrier_hears_of_them(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        office.store.loses_answers = 1
        office.receive("STOP")
        assert (office.telemetry.counts["OptOuts"], office.carrier.numbers) == (1, [facts.phone])
        office.store.loses_answers = 1
        office.receive("START", reply_id="reply-2", ago=1)
        assert (office.telemetry.counts["CarrierOptIns"], office.carrier.numbers) == (1, [])

    def test_a_stop_whose_answer_was_lost_is_told_of_even_if_somebody_else_has_written_since(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        office.store.loses_answers = 1
        office.store.meanwhile = [lambda stored: replace(stored, ledger=(texted(facts, NOW),))]
        assert office.receive("STOP") == []
        assert ReminderStopped("C0001", NOW, "opted_out") in office.publisher.published

    def test_a_reply_that_changes_nothing_tells_of_no_stop(self, office: Office) -> None:
        facts = someone()
        office.add(facts, waking(facts, None, opted_out_at=NOW - timedelta(days=9)))
        office.receive("ok")
        assert office.publisher.published == []

    @pytest.mark.parametrize("receives", [1, 2])
    def test_of_a_customer_who_was_erased_a_moment_ago_nothing_is_written_or_told(
        self, office: Office, receives: int
    ) -> None:
        facts = someone()
        before = waking(facts, None, opted_out_at=NOW - timedelta(days=9))
        office.add(facts, before)

        def erase(stored: Standing) -> Standing:
            office.store.erase(facts.customer_id)
            return stored

        for number in range(receives):
            office.store.fails = receives - 1 - number
            office.store.meanwhile = [] if office.store.fails else [erase]
            failed = office.receive("STOP", receives=number + 1)
        assert failed == []
        assert office.standing(facts) == replace(before, version=2)
        assert (office.publisher.published, office.carrier.put) == ([], [])

    def test_what_the_log_tells_is_ids_and_meanings(self, office: Office) -> None:
        office.add(someone())
        office.receive("he is dead, stop")
        assert office.events("reply") == [
            {
                "customer_id": "C0001",
                "reply_id": "reply-1",
                "channel": "sms",
                "intents": "opt_out,deceased",
                "sure": "opt_out,deceased",
                "likely": "",
                "promised_on": "",
                "why": "",
            }
        ]
        office.receive("perhaps Friday", reply_id="reply-2")
        assert office.events("reply")[1:] == [
            {
                "customer_id": "C0001",
                "reply_id": "reply-2",
                "channel": "sms",
                "intents": "promise",
                "sure": "",
                "likely": "promise,hardship",
                "promised_on": "2026-12-04",
                "why": "day; w:perhaps",
            }
        ]
        printed = repr(office.telemetry.events) + repr(office.publisher.published)
        assert "dead, stop" not in printed
        assert "900000001" not in printed

    def test_the_decision_that_follows_is_logged_unless_it_is_to_send(self, office: Office) -> None:
        office.add(someone(), replace(waking(someone()), opted_out_at=NOW - timedelta(days=1)))
        office.receive("START")
        assert office.telemetry.decisions == []
        office.receive("STOP", ago=0, reply_id="reply-2")
        ((customer_id, decision, _),) = office.telemetry.decisions
        assert (customer_id, decision.reason) == ("C0001", Reason.OPTED_OUT)


class TestComingAgain:
    """A reply that is delivered again changes nothing, and what may not have been told is told again."""

    def test_it_changes_and_counts_nothing(self, office: Office) -> None:
        facts = office.add(someone())
        once = office.reply("I never bought that")
        office.handle_batch(once)
        standing, counts = office.standing(facts), dict(office.telemetry.counts)
        office.handle_batch(replace(once, receive_count=2))
        assert office.standing(facts) is standing
        assert office.telemetry.counts == counts
        assert len(office.kept) == 1

    def test_its_events_are_published_again(self, office: Office) -> None:
        office.add(someone())
        once = office.reply("I never bought that")
        office.handle_batch(once)
        first = list(office.publisher.published)
        office.handle_batch(replace(once, receive_count=2))
        assert sorted(map(repr, office.publisher.published)) == sorted(map(repr, [*first, *first]))

    def test_a_stop_that_only_this_delivery_writes_is_told_of_once(self, office: Office) -> None:
        office.add(someone())
        office.store.fails = 1
        office.receive("STOP")
        office.receive("STOP", receives=2)
        assert office.publisher.published == [ReminderStopped("C0001", NOW, "opted_out")]

    def test_it_tells_of_no_stop_where_reminders_go_on(self, office: Office) -> None:
        office.add(someone())
        office.receive("paid")
        office.receive("paid", receives=2)
        assert office.publisher.published == []

    def test_it_tells_nothing_of_a_customer_whose_load_has_not_come_to_its_end(self, office: Office) -> None:
        facts = office.add(someone(opted_out=True))
        del office.store.standings[facts.customer_id]
        office.receive("ok")
        assert office.receive("ok", receives=2) == []
        assert office.publisher.published == []

    def test_it_calls_somebody_again_while_nobody_has_attended(self, office: Office) -> None:
        facts = office.add(someone())
        office.receive("I never bought that")
        # A release that did not know the list has written since.
        office.store.standings["C0001"] = replace(office.standing(facts), attention=())
        office.receive("I never bought that", receives=2)
        assert [review.reply_id for review in office.standing(facts).attention] == ["reply-1"]

    def test_it_calls_somebody_if_what_it_asks_for_was_not_done_whoever_has_attended_since(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        office.store.fails = 1
        office.receive("I never bought that")
        office.store.standings["C0001"] = with_attended(office.standing(facts), office.clock.now())
        office.receive("I never bought that", receives=2)
        assert [review.reply_id for review in office.standing(facts).attention] == ["reply-1"]

    def test_a_new_reply_calls_somebody_though_another_of_the_same_moment_has_been_attended(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        office.receive("I never bought that")
        office.store.standings["C0001"] = with_attended(office.standing(facts), office.clock.now())
        office.receive("I never bought that", reply_id="reply-2")
        assert [review.reply_id for review in office.standing(facts).attention] == ["reply-2"]

    def test_it_calls_nobody_again_who_has_attended_since(self, office: Office) -> None:
        facts = office.add(someone())
        once = office.reply("I never bought that")
        office.handle_batch(once)
        assert [review.reply_id for review in office.standing(facts).attention] == ["reply-1"]
        office.store.standings["C0001"] = with_attended(office.standing(facts), office.clock.now())
        office.handle_batch(replace(once, receive_count=2))
        assert office.standing(facts).attention == ()

    def test_what_was_kept_and_not_acted_upon_is_acted_upon(self, office: Office) -> None:
        facts = office.add(someone())
        once = office.reply("STOP")
        office.store.fails = 1
        assert office.handle_batch(once) == ["message-reply-1"]
        assert office.handle_batch(replace(once, receive_count=2)) == []
        assert office.standing(facts).is_opted_out
        assert office.telemetry.counts == {
            "Replies": 1, "RepliesSure": 1, "ReplyOptOut": 1, "RepliesFailed": 1, "OptOuts": 1,
        }  # fmt: skip

    def test_a_failure_is_noted_so_that_nothing_is_sent_before_the_reply_has_come_back(self, office: Office) -> None:
        office.add(someone())
        office.store.fails = 1
        assert office.receive("STOP") == ["message-reply-1"]
        assert office.news.failures == 1
        assert office.receive("STOP", receives=2) == []
        assert office.news.failures == 1

    def test_a_failure_before_anybody_is_known_is_noted_too(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: object) -> None:
            raise ServiceCallError("BatchGetItem", "Throttling")

        monkeypatch.setattr(office.store, "customers_with", fails)
        with pytest.raises(ServiceCallError):
            office.receive("STOP")
        assert office.news.failures == 1

    def test_a_reply_of_very_many_customers_is_ended_in_time_and_gone_on_with_at_its_next_delivery(
        self, office: Office
    ) -> None:
        people = [office.add(someone(number, phone="+886900000001")) for number in range(1, 21)]
        left = chain([60.0] * 30, repeat(5.0))
        message = office.reply("STOP")
        assert office.service.handle_batch([message], lambda: next(left)) == ["message-reply-1"]
        done = sum(office.standing(person).is_opted_out for person in people)
        assert 0 < done < len(people)
        assert office.telemetry.counts["RepliesOutOfTime"] == 1
        assert office.handle_batch(replace(message, receive_count=2)) == []
        assert all(office.standing(person).is_opted_out for person in people)

    def test_a_record_that_cannot_be_read_holds_up_nobody_else(self, office: Office) -> None:
        office.add(someone())
        office.store.unreadable.add("C0001")
        assert office.receive("STOP") == ["message-reply-1"]
        assert office.receive("?", "+886900000002", reply_id="reply-2") == []
        assert office.news.failures == 0

    def test_a_person_is_called_when_a_failure_has_lasted_and_once_more(self, office: Office) -> None:
        office.add(someone())
        office.store.fails = 22  # each reply's write, and the two that put the customer into the list
        calls = []
        for receives in range(1, 21):
            office.receive("STOP", receives=receives)
            calls.append(len(office.publisher.published))
        assert calls == [0] * 4 + [1] * 5 + [2] * 11

    def test_after_half_an_hour_a_person_is_called(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.fails = 1
        assert office.receive("STOP", receives=4) == ["message-reply-1"]
        assert office.publisher.published == []
        office.store.fails = 1
        assert office.receive("STOP", receives=5) == ["message-reply-1"]
        assert office.publisher.published == [CustomerNeedsPerson("C0001", NOW, ReviewReason.QUESTION, "reply-1")]
        assert office.standing(facts).attention == (OpenReview("question", NOW, "reply-1"),)
        assert (office.standing(facts).lender_id, office.standing(facts).version) == (facts.lender, 2)

    def test_a_call_that_is_still_open_is_not_written_again(self, office: Office) -> None:
        facts = office.add(someone())
        for receives in (5, 10):
            office.store.fails = 1
            office.receive("STOP", receives=receives)
        assert len(office.publisher.published) == 2
        assert office.standing(facts).version == 2

    def test_of_a_call_for_whoever_is_erased_or_not_yet_loaded_nothing_is_written(self, office: Office) -> None:
        erased, new = office.add(someone()), office.add(someone(2, phone="+886900000001"))
        del office.store.standings[new.customer_id]
        office.reader.fails_at = "poison"
        office.store.after_load = [lambda: office.store.erase(erased.customer_id)]
        assert office.receive("poison", receives=5) == ["message-reply-1"]
        assert office.publisher.published == [
            CustomerNeedsPerson(customer_id, NOW, ReviewReason.QUESTION, "reply-1")
            for customer_id in ("C0001", "C0002")
        ]
        assert office.store.standings == {"C0001": waking(erased)}

    @pytest.mark.parametrize("text", ["my house is flooded", "I want to die, stop"])
    def test_after_half_an_hour_a_person_is_called_at_once_about_distress(self, office: Office, text: str) -> None:
        office.add(someone())
        office.store.fails = 1
        assert office.receive(text, receives=5) == ["message-reply-1"]
        (event,) = office.publisher.published
        assert isinstance(event, CustomerNeedsPerson)
        assert event.urgent
        assert [country for _, _, country, _ in office.reader.asked] == ["TW", ""]

    def test_after_half_an_hour_a_person_is_called_at_once_about_a_button_that_tells_of_distress(
        self, office: Office
    ) -> None:
        facts = office.add(someone())
        office.store.fails = 1
        pressed = office.channel_message(Channel.WHATSAPP, facts.phone, button="distress", receives=5)
        assert office.handle_batch(pressed) == ["message-reply-1"]
        assert office.publisher.published == [CustomerNeedsPerson("C0001", NOW, ReviewReason.DISTRESS, "reply-1")]

    def test_after_half_an_hour_of_a_reply_that_the_reader_cannot_read_a_person_is_called(self, office: Office) -> None:
        office.add(someone())
        office.reader.fails_at = "poison"
        assert office.receive("poison", receives=5) == ["message-reply-1"]
        assert office.publisher.published == [CustomerNeedsPerson("C0001", NOW, ReviewReason.QUESTION, "reply-1")]

    @pytest.mark.parametrize("text", ["my house is flooded", "I want to die, stop"])
    def test_distress_is_counted_at_every_delivery(self, office: Office, text: str) -> None:
        office.add(someone())
        office.receive(text)
        office.receive(text, receives=2)
        assert office.telemetry.counts["ReplyDistress"] == 2

    def test_a_person_is_called_for_somebody_whose_record_cannot_be_read(self, office: Office) -> None:
        office.add(someone())
        office.store.unreadable.add("C0001")
        assert office.receive("STOP", receives=5) == ["message-reply-1"]
        assert office.publisher.published == [CustomerNeedsPerson("C0001", NOW, ReviewReason.QUESTION, "reply-1")]

    def test_one_replys_failure_touches_no_other(self, office: Office) -> None:
        same = office.add(someone())
        other = office.add(someone(2))
        office.reader.fails_at = "poison"
        messages = [
            office.reply("paid", ago=9, reply_id="reply-1"),
            office.reply("poison", ago=5, reply_id="reply-2"),
            office.reply("STOP", ago=1, reply_id="reply-3"),
            office.reply("STOP", other.phone, reply_id="reply-4"),
        ]
        assert office.handle_batch(*messages) == ["message-reply-2"]
        assert office.standing(same).is_opted_out
        assert office.standing(other).is_opted_out
        (event,) = office.events("reply_failed")
        assert event["error"] == "ValueError"
        assert "poison" not in repr(office.telemetry.events)

    def test_without_time_to_finish_it_is_not_begun(self, office: Office) -> None:
        office.add(someone())
        assert office.handle_batch(office.reply("STOP"), seconds=14.9) == ["message-reply-1"]
        assert office.kept == []
        assert office.reader.asked == []
        assert office.telemetry.counts == {"RepliesOutOfTime": 1}

    def test_with_just_the_time_to_finish_it_is_begun(self, office: Office) -> None:
        facts = office.add(someone())
        assert office.handle_batch(office.reply("STOP"), seconds=15) == []
        assert office.standing(facts).is_opted_out


class TestOptingIn:
    """An opt-in lifts opt-outs, with the carrier too."""

    def opted_out(self, office: Office, **changes: Any) -> Facts:  # noqa: ANN401 - fields
        facts = someone()
        return office.add(facts, waking(facts, None, opted_out_at=NOW - timedelta(days=9), **changes))

    def test_reminders_go_on_and_the_carrier_lets_them_through(self, office: Office) -> None:
        facts = self.opted_out(office)
        office.carrier.numbers = [facts.phone]
        office.receive("START")
        assert not office.standing(facts).is_opted_out
        assert office.standing(facts).wake is not None
        assert office.carrier.numbers == []
        assert office.telemetry.counts["CarrierOptIns"] == 1

    def test_the_carrier_is_asked_once_however_often_the_reply_comes(self, office: Office) -> None:
        self.opted_out(office)
        office.receive("START")
        office.receive("START", receives=2)
        assert office.telemetry.counts["CarrierOptIns"] == 1
        assert "CarrierOptInsRefused" not in office.telemetry.counts

    def test_it_lifts_no_hold(self, office: Office) -> None:
        hold = Hold(HoldReason.DISPUTE, None, NOW - timedelta(days=9))
        facts = self.opted_out(office, holds=(hold,))
        office.receive("START")
        assert office.standing(facts).holds == (hold,)
        assert isinstance(decide(facts, office.standing(facts), the_policies(), NOW), Stop)

    def test_one_that_was_overtaken_by_an_opt_out_asks_nothing_of_the_carrier(self, office: Office) -> None:
        facts = office.add(someone(), waking(someone(), None, opted_out_at=NOW))
        office.receive("START", ago=60)
        assert office.standing(facts).is_opted_out
        assert office.carrier.taken_off == []

    def test_a_carrier_that_refuses_or_is_out_of_reach_holds_nothing_up(self, office: Office) -> None:
        facts = self.opted_out(office)
        office.carrier.taken_off = [facts.phone]
        assert office.receive("START") == []
        assert office.telemetry.counts["CarrierOptInsRefused"] == 1
        office.carrier.unreachable = True
        assert office.receive("START", ago=1, reply_id="reply-2") == []
        assert office.telemetry.counts["CarrierOptInsFailed"] == 1
        assert office.events("opt_in_failed") == [{"reply_id": "reply-2", "error": "ServiceCallError"}]


class TestTheCarriersList:
    """The numbers that customers have now are put on it, and no others."""

    def test_gets_every_number_once_of_those_who_share_another_address(self, office: Office) -> None:
        line_user = "U" + "ab" * 16
        phones = [f"+8869{number:08d}" for number in (7, 3, 9, 1, 5, 7)]
        for number, phone in enumerate([*phones, ""], start=1):
            facts = office.add(someone(number, phone=phone, line_user_id=line_user))
            office.store.add_address(line_user, facts.customer_id)
        assert office.handle_batch(office.channel_message(Channel.LINE, line_user, text="STOP")) == []
        assert office.carrier.put == sorted(set(phones))

    def test_hears_only_of_a_reply_that_opts_out(self, office: Office) -> None:
        facts = someone()
        office.add(facts, waking(facts, None, opted_out_at=NOW - timedelta(days=9)))
        office.receive("paid")
        assert office.carrier.put == []

    @pytest.mark.parametrize("text", ["STOP", "START"])
    def test_hears_nothing_of_a_number_that_has_just_become_somebody_elses(self, office: Office, text: str) -> None:
        facts = someone()
        opted_out_at = NOW - timedelta(days=9) if text == "START" else None
        office.add(facts, waking(facts, opted_out_at=opted_out_at))

        def moves(stored: Standing) -> Standing:
            office.store.lender_records["C0001"] = a_lender_record(replace(facts, phone="+886900000099"))
            return stored

        office.store.meanwhile = [moves]
        assert office.receive(text) == []
        assert office.standing(facts).is_opted_out is (text == "STOP")
        assert (office.carrier.put, office.carrier.taken_off) == ([], [])

    def test_hears_nothing_of_such_a_number_from_a_stop_that_a_later_one_has_overtaken(self, office: Office) -> None:
        facts = office.add(someone())

        def moves_and_opts_out(stored: Standing) -> Standing:
            office.store.lender_records["C0001"] = a_lender_record(replace(facts, phone="+886900000099"))
            return replace(stored, opted_out_at=NOW)

        office.store.meanwhile = [moves_and_opts_out]
        assert office.receive("STOP") == []
        assert office.standing(facts).opted_out_at == NOW
        assert office.carrier.put == []


class TestConfirming:
    """At most one text an opt-out, where the law allows it, and soon."""

    @pytest.fixture
    def office(self) -> Office:
        return Office(NOON)

    def test_in_the_united_states_an_opt_out_is_confirmed_once(self, office: Office) -> None:
        facts = office.add(american())
        assert office.receive("STOP", facts.phone) == []
        body = "Demo Finance: You have opted out: we have your request, and will send you no more texts."
        (sms,) = office.gateway.published
        assert (sms.address, sms.body) == (facts.phone, SmsBody(body, origination_number="+18005550100"))
        assert (sms.max_price, sms.registered_template) == ("0.05", "")
        standing = office.standing(facts)
        (entry,) = standing.ledger
        send_id = confirmation_id("C0001", "reply-1")
        assert (entry.send_id, entry.claim_id, entry.at, entry.stage) == (send_id, "claim-1", NOON, None)
        assert (entry.accounts, entry.for_wake) == ((), None)
        assert (standing.version, standing.wake, standing.is_opted_out) == (2, None, True)

    def test_its_record_is_kept_like_any_other(self, office: Office) -> None:
        facts = office.add(american())
        office.receive("STOP", facts.phone)
        (record,) = office.records
        assert (record.state, record.message_id, record.stage) == (ContactState.SENT, "message-1", None)
        assert (record.account_ids, record.template) == ((), "en/opt-out-confirmation@2")
        assert (record.encoding, record.parts, record.phone) == ("GSM-7", 1, facts.phone)
        assert (record.lender, record.jurisdiction) == ("demo-tw", "US-NY")
        assert record.text == office.gateway.published[0].body.text
        assert record.price_usd_micros > 0
        assert record.expires_at == NOON + timedelta(days=2192)
        assert office.telemetry.counts["SmsAccepted"] == 1
        assert [event["outcome"] for event in office.events("opt_out_confirmed")] == ["accepted"]

    def test_it_is_written_in_the_customers_language(self, office: Office) -> None:
        facts = office.add(american(language="zh-Hant"))
        office.receive("STOP", facts.phone)
        assert office.gateway.published[0].body.text == "【示範分期】已收到您停止簡訊的要求，我們不會再傳送簡訊給您"

    def test_it_does_not_come_again_with_the_reply_nor_with_a_second_opt_out(self, office: Office) -> None:
        facts = office.add(american())
        once = office.reply("STOP", facts.phone)
        office.handle_batch(once)
        office.handle_batch(replace(once, receive_count=2))
        office.receive("STOP", facts.phone, ago=0, reply_id="reply-2")
        office.receive("STOP", facts.phone, ago=60, reply_id="reply-3")
        assert len(office.gateway.published) == 1

    def test_a_new_opt_out_after_an_opt_in_is_confirmed_again(self, office: Office) -> None:
        facts = office.add(american())
        for ago, text in ((30, "STOP"), (20, "START"), (10, "STOP")):
            office.receive(text, facts.phone, ago=ago, reply_id=f"reply-{ago}")
        assert len(office.gateway.published) == 2

    def test_two_customers_with_one_number_get_one_confirmation(self, office: Office) -> None:
        first, other = office.add(american()), office.add(american(2, phone="+12025550001"))
        once = office.reply("STOP", first.phone)
        office.handle_batch(once)
        office.handle_batch(replace(once, receive_count=2))
        assert len(office.gateway.published) == 1
        assert [len(office.standing(facts).ledger) for facts in (first, other)] == [1, 0]

    def test_a_repeated_reply_confirms_nothing_to_the_other_customer_either(self, office: Office) -> None:
        first, other = office.add(american()), office.add(american(2, phone="+12025550001"))
        office.store.fails_for = other.customer_id
        once = office.reply("STOP", first.phone)
        assert office.handle_batch(once) == ["message-reply-1"]
        assert office.handle_batch(replace(once, receive_count=2)) == []
        assert len(office.gateway.published) == 1
        assert office.standing(other).is_opted_out

    @pytest.mark.parametrize(("ago", "texts"), [(300, 1), (300.001, 0)])
    def test_five_minutes_later_it_is_too_late(self, office: Office, ago: float, texts: int) -> None:
        facts = office.add(american())
        office.receive("STOP", facts.phone, ago=ago)
        assert office.standing(facts).is_opted_out
        assert len(office.gateway.published) == texts

    def test_none_goes_out_while_sending_is_off(self, office: Office) -> None:
        facts = office.add(american())
        office.switch.on = False
        office.receive("STOP", facts.phone)
        assert office.standing(facts).is_opted_out
        assert office.gateway.published == []
        assert office.standing(facts).ledger == ()

    @pytest.mark.parametrize(
        ("now", "texts"),
        [
            pytest.param(datetime(2026, 12, 1, 13, 59, tzinfo=UTC), 0, id="before nine in the morning"),
            pytest.param(datetime(2026, 12, 1, 14, 0, tzinfo=UTC), 1, id="at nine"),
            pytest.param(datetime(2026, 12, 2, 1, 0, tzinfo=UTC), 0, id="at eight in the evening"),
            pytest.param(datetime(2026, 12, 6, 17, 0, tzinfo=UTC), 0, id="on a Sunday"),
        ],
    )
    def test_none_goes_out_when_people_are_not_texted(self, now: datetime, texts: int) -> None:
        office = Office(now)
        facts = office.add(american())
        office.receive("STOP", facts.phone)
        assert office.standing(facts).is_opted_out
        assert len(office.gateway.published) == texts

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"region": "MA"}, id="in Massachusetts"),
            pytest.param({"country": "TW", "region": "", "time_zone": "America/New_York"}, id="in Taiwan"),
            pytest.param({"lender": "nobody"}, id="with a lender we do not know"),
        ],
    )
    def test_none_goes_out_where_it_is_not_allowed(self, office: Office, changes: dict[str, Any]) -> None:
        facts = office.add(american(**changes))
        office.receive("STOP", facts.phone)
        assert office.standing(facts).is_opted_out
        assert office.gateway.published == []

    def test_none_goes_to_the_dead_or_to_a_number_the_carrier_refused(self, office: Office) -> None:
        deceased = office.add(american())
        other = american(2)
        office.add(other, waking(other, suspended={"sms": AddressSince(other.phone)}))
        office.receive("he is dead, stop", deceased.phone)
        office.receive("STOP", other.phone, reply_id="reply-2")
        assert office.gateway.published == []

    @pytest.mark.parametrize(
        ("text", "texts"),
        [("STOP John Smith", 1), ("no more please, who are you", 0), ("stop or I sue", 0), ("I want to die, stop", 0)],
    )
    def test_only_an_opt_out_that_says_nothing_else_is_confirmed(self, office: Office, text: str, texts: int) -> None:
        facts = office.add(american())
        office.receive(text, facts.phone)
        assert office.standing(facts).is_opted_out
        assert len(office.gateway.published) == texts

    def test_who_is_in_distress_gets_none_even_after_another_reply(self, office: Office) -> None:
        facts = office.add(american())
        office.receive("my house is flooded", facts.phone)
        office.receive("STOP", facts.phone, reply_id="reply-2")
        assert office.standing(facts).is_opted_out
        assert office.gateway.published == []

    def test_another_customer_in_distress_with_the_same_number_gets_none_either(self, office: Office) -> None:
        first = office.add(american())
        office.receive("my house is flooded", first.phone)
        office.add(american(2, phone=first.phone))
        office.receive("STOP", first.phone, reply_id="reply-2")
        assert office.gateway.published == []

    def test_a_stop_before_another_reply_of_the_same_batch_is_not_confirmed(self, office: Office) -> None:
        facts = office.add(american())
        stop = office.reply("STOP", facts.phone, ago=2)
        later = office.reply("my house is flooded", facts.phone, ago=1, reply_id="reply-2")
        assert office.handle_batch(stop, later) == []
        assert office.standing(facts).is_opted_out
        assert office.gateway.published == []

    def test_a_stop_after_a_reply_that_has_failed_is_not_confirmed(self, office: Office) -> None:
        facts = office.add(american())
        office.reader.fails_at = "poison"
        failing = office.reply("poison", facts.phone, ago=2)
        stop = office.reply("STOP", facts.phone, ago=1, reply_id="reply-2")
        assert office.handle_batch(failing, stop) == ["message-reply-1"]
        assert office.standing(facts).is_opted_out
        assert office.gateway.published == []

    def test_a_stop_on_another_channel_is_not_confirmed(self, office: Office) -> None:
        facts = office.add(american())
        assert office.handle_batch(office.channel_message(Channel.WHATSAPP, facts.phone, text="STOP")) == []
        assert office.standing(facts).is_opted_out
        assert office.gateway.published == []

    def test_a_claim_whose_answer_was_lost_is_found_again_and_the_text_goes_out(self, office: Office) -> None:
        facts = office.add(american())
        office.store.loses_answers = 1
        assert office.receive("STOP", facts.phone) == []
        assert (len(office.gateway.published), len(office.standing(facts).ledger)) == (1, 1)

    def test_a_write_without_a_confirmation_names_no_claim(self, office: Office) -> None:
        facts = office.add(american())
        office.receive("paid", facts.phone)
        assert office.store.claim_ids == [""]

    def test_an_opt_out_of_one_account_is_not_confirmed(self, office: Office) -> None:
        facts = office.add(american())
        office.receive("STOP 5678", facts.phone)
        assert office.standing(facts).is_opted_out_of("A0001-0")
        assert office.gateway.published == []

    def test_one_that_is_refused_for_now_is_given_back_and_never_tried_again(self, office: Office) -> None:
        facts = office.add(american())
        office.gateway.answers = [Published(PublishOutcome.REFUSED_FOR_NOW, code="Throttling")]
        once = office.reply("STOP", facts.phone)
        assert office.handle_batch(once) == []
        standing = office.standing(facts)
        assert (standing.ledger, standing.wake, standing.is_opted_out, standing.version) == ((), None, True, 3)
        assert not standing.suspended
        assert office.records == []
        office.handle_batch(replace(once, receive_count=2))
        assert len(office.gateway.published) == 1
        assert office.telemetry.counts["SmsRefusedForNow"] == 1

    def test_one_that_is_refused_for_good_suspends_the_number(self, office: Office) -> None:
        facts = office.add(american())
        office.gateway.answers = [Published(PublishOutcome.REFUSED_FOR_GOOD, code="InvalidParameter")]
        office.receive("STOP", facts.phone)
        standing = office.standing(facts)
        now = office.clock.now()
        assert (standing.ledger, standing.suspended) == ((), {"sms": AddressSince(facts.phone, now)})
        corrected = replace(facts, released={HoldReason.NUMBER_REFUSED: now})
        assert standing.is_suspended(facts)
        assert not standing.is_suspended(corrected)
        assert [(record.state, record.code) for record in office.records] == [
            (ContactState.REFUSED, "InvalidParameter")
        ]

    def test_one_whose_answer_is_lost_stays_claimed_and_unknown(self, office: Office) -> None:
        facts = office.add(american())
        office.gateway.answers = [Published(PublishOutcome.UNKNOWN, code="ReadTimeoutError")]
        assert office.receive("STOP", facts.phone) == []
        assert len(office.standing(facts).ledger) == 1
        assert [record.state for record in office.records] == [ContactState.UNKNOWN]

    def test_a_confirmation_whose_function_died_is_recorded_as_unknown_and_not_sent_again(self, office: Office) -> None:
        facts = office.add(american())
        once = office.reply("STOP", facts.phone)
        office.contacts.fails = True
        assert office.handle_batch(once) == ["message-reply-1"]
        assert office.records == []
        assert office.handle_batch(replace(once, receive_count=2)) == []
        (record,) = office.records
        assert (record.state, record.code, record.stage) == (ContactState.UNKNOWN, "sender_crashed", None)
        assert len(office.gateway.published) == 1
        assert office.events("sms_unknown") == [
            {"customer_id": "C0001", "send_id": record.send_id, "code": "replies_crashed"}
        ]

    def test_while_others_write_it_is_claimed_once(self, office: Office) -> None:
        facts = office.add(american())
        office.store.meanwhile = [lambda stored: replace(stored, reason="other")]
        office.receive("STOP", facts.phone)
        assert len(office.standing(facts).ledger) == len(office.gateway.published) == 1

    def test_who_was_opted_out_meanwhile_gets_none(self, office: Office) -> None:
        facts = office.add(american())
        office.store.meanwhile = [lambda stored: replace(stored, opted_out_at=NOON - timedelta(seconds=9))]
        office.receive("STOP", facts.phone)
        assert office.gateway.published == []
