"""The sender over several channels: which one is taken, what a refusal leads to, and what never leads to another."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import AddressSince, Standing, Wake
from dunning.domain.decision.decisions import Reason, trace_of
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from dunning.domain.outbound_events import CustomerNeedsPerson, NumberUnreachable, ReminderStopped, ReviewReason
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import LineBody, MailBody, Outgoing
from dunning.services.send.gateways_by_name import GatewaysByName
from tests.support.builders import OnlyRules, rules_of, taipei
from tests.support.fakes import FakeGateway
from tests.support.people import NOW, someone
from tests.unit.services.test_send import BUSY, INVALID, LOST, Office

LINE_ID = "U" + "0" * 32
SOMEBODY = someone(lender="demo-channels", email="ming@example.com", line_user_id=LINE_ID)
OPTED_OUT = Published(PublishOutcome.REFUSED_FOR_GOOD, code="OptedOut", opted_out=True)


class LineFake(FakeGateway):
    """LINE, which knows the claim of a message and takes it once."""

    channel = Channel.LINE
    name = "line"
    repeatable = True


class MailFake(FakeGateway):
    """SES, which knows no claim."""

    channel = Channel.EMAIL
    name = "ses"


class TextFake(FakeGateway):
    """End User Messaging, by which the sample lender's texts go out."""

    name = "eum"


class Channels:
    """A sender with three gateways."""

    def __init__(self, line: LineFake | None = None, **changes: Any) -> None:  # noqa: ANN401 - ports
        self.line, self.mail, self.sms = line or LineFake(), MailFake(), TextFake()
        self.office = Office(
            gateways=GatewaysByName(self.line, self.mail, self.sms), unsubscribe_url=_unsubscribe_url, **changes
        )

    def send(self, facts: Facts = SOMEBODY, standing: Standing | None = None, wake_at: datetime = NOW) -> Standing:
        if facts.customer_id not in self.office.store.standings or standing is not None:
            self.office.add(facts, standing)
        assert self.office.handle_batch(facts, wake_at=wake_at) == []
        assert self.office.events("job_failed") == []
        return self.office.store.standings[facts.customer_id]

    @property
    def sent(self) -> list[int]:
        return [len(gateway.published) for gateway in (self.line, self.mail, self.sms)]


def _unsubscribe_url(customer_id: str, claim_id: str) -> str:
    return f"https://stop.example/{customer_id}/{claim_id}"


@pytest.fixture
def channels() -> Channels:
    return Channels()


class TestTheFirstChannelThatReaches:
    """One message, on the first channel of the policy's order, with all that its gateway needs."""

    def test_is_taken_and_recorded_with_its_address_and_gateway(self, channels: Channels) -> None:
        standing = channels.send()
        assert channels.sent == [1, 0, 0]
        (outgoing,) = channels.line.published
        assert isinstance(outgoing.body, LineBody)
        assert [button.code for button in outgoing.body.buttons] == ["paid", "hardship", "opt_out"]
        assert outgoing.body.account == "demo-channels"
        (record,) = channels.office.records
        assert (record.channel, record.gateway, record.address, record.phone) == ("line", "line", LINE_ID, "")
        assert record.lapses_at == outgoing.lapses_at
        assert [entry.channel for entry in standing.ledger] == ["line"]

    def test_is_the_mail_for_whom_line_does_not_know(self, channels: Channels) -> None:
        channels.send(replace(SOMEBODY, line_user_id=None))
        assert channels.sent == [0, 1, 0]
        (outgoing,) = channels.mail.published
        assert isinstance(outgoing.body, MailBody)
        assert outgoing.body.sender_address == "reminders@notice.demo-finance.example"
        assert outgoing.body.unsubscribe_url == "https://stop.example/C0001/claim-1"
        assert outgoing.body.html

    def test_is_the_text_for_whom_nothing_else_reaches(self, channels: Channels) -> None:
        channels.send(replace(SOMEBODY, line_user_id=None, email=None))
        (record,) = channels.office.records
        assert (channels.sent, record.phone, record.address, record.gateway) == ([0, 0, 1], SOMEBODY.phone, "", "eum")

    def test_says_in_the_trace_why_the_others_were_passed_over(self, channels: Channels) -> None:
        blocked = replace(
            Standing(customer_id="C0001", version=1, wake=Wake(NOW, 0), planned_for="x", reason="due"),
            suspended={"line": AddressSince(LINE_ID, NOW)},
        )
        channels.send(standing=blocked)
        (record,) = channels.office.records
        assert "channel: line passed over, address refused" in record.reasons
        assert "channel: email by ses" in record.reasons


class TestAnAnswer:
    """Only a definite refusal of the address leads to another channel, and at once: nothing was handed over."""

    def test_that_refuses_the_address_hands_the_stage_to_the_next_channel_at_once(self, channels: Channels) -> None:
        channels.line.answers = [INVALID]
        standing = channels.send()
        assert (channels.sent, standing.wake) == ([1, 0, 0], Wake(NOW, 0))
        assert standing.is_suspended(SOMEBODY, Channel.LINE)
        assert (standing.ledger, standing.progress) == ((), {})
        standing = channels.send()
        assert channels.sent == [1, 1, 0]
        assert [entry.channel for entry in standing.ledger] == ["email"]
        assert channels.office.publisher.published[:1] == [NumberUnreachable("C0001", NOW, "refused", "line")]

    def test_that_refuses_every_address_stops_and_calls_a_person(self, channels: Channels) -> None:
        for gateway in (channels.line, channels.mail, channels.sms):
            gateway.answers = [INVALID]
        for _ in range(3):
            standing = channels.send()
        assert channels.sent == [1, 1, 1]
        assert (standing.wake, standing.reason) == (None, Reason.NUMBER_REFUSED)
        called = [event for event in channels.office.publisher.published if isinstance(event, CustomerNeedsPerson)]
        assert [event.why for event in called] == [ReviewReason.NUMBER_REFUSED]

    def test_that_says_the_person_opted_out_ends_all_channels(self, channels: Channels) -> None:
        channels.line.answers = [OPTED_OUT]
        standing = channels.send()
        assert (standing.is_opted_out, standing.wake, standing.reason) == (True, None, Reason.OPTED_OUT)
        assert not standing.suspended
        channels.send()
        assert channels.sent == [1, 0, 0]

    def test_that_says_the_person_opted_out_is_told_as_an_opt_out_and_as_no_fault_of_the_address(
        self, channels: Channels
    ) -> None:
        channels.line.answers = [OPTED_OUT]
        channels.send()
        assert channels.office.publisher.published == [ReminderStopped("C0001", NOW, "opted_out")]
        assert channels.office.telemetry.counts == {"MessagesRefusedForGood": 1, "OptOuts": 1}

    def test_that_refuses_the_address_leaves_the_wake_to_what_somebody_has_said_meanwhile(self) -> None:
        """Who is held now is not woken at once: the wake is the one that follows from the hold."""

        class Then(LineFake):
            def publish(self, sms: Outgoing) -> Published:
                super().publish(sms)
                stored = sender.office.store.standings["C0001"]
                hold = Hold(HoldReason.QUESTION, date(2026, 12, 2), NOW)
                held = replace(stored, version=stored.version + 1, holds=(hold,))
                sender.office.store.standings["C0001"] = held
                return INVALID

        sender = Channels(line=Then())
        standing = sender.send()
        assert standing.is_suspended(SOMEBODY, Channel.LINE)
        assert standing.reason == Reason.ON_HOLD
        assert standing.wake is not None
        assert standing.wake.at >= taipei("2026-12-03 00:00")

    @pytest.mark.parametrize("answer", [Published(PublishOutcome.ACCEPTED, "m"), LOST], ids=["accepted", "silence"])
    def test_that_is_no_refusal_never_leads_to_a_second_channel(self, channels: Channels, answer: Published) -> None:
        channels.line.answers = [answer, answer]
        channels.send()
        for days in range(1, 3):
            channels.office.clock.move_to(NOW + timedelta(days=days, hours=3))
            channels.send(wake_at=NOW + timedelta(days=days, hours=3))
        assert channels.sent[1:] == [0, 0]

    def test_of_silence_is_asked_for_once_more_where_the_claim_is_known_and_nowhere_else(
        self, channels: Channels
    ) -> None:
        channels.line.answers = [LOST, Published(PublishOutcome.ACCEPTED, "m")]
        channels.send()
        first, second = channels.line.published
        assert first == second
        assert channels.office.records[0].state is ContactState.SENT
        other = Channels()
        other.mail.answers = [LOST]
        other.send(replace(SOMEBODY, line_user_id=None))
        assert other.sent == [0, 1, 0]
        assert other.office.records[0].state is ContactState.UNKNOWN


class TestAnOutage:
    """A gateway that takes nothing keeps its customers, until the hours of the policy are over."""

    def test_is_waited_for_on_the_same_channel(self, channels: Channels) -> None:
        channels.line.answers = [BUSY] * 3
        for minutes in range(3):
            channels.office.clock.move_to(NOW + timedelta(minutes=minutes))
            standing = channels.send(wake_at=NOW + timedelta(minutes=minutes))
        assert channels.sent == [3, 0, 0]
        assert standing.outages == {}

    def test_moves_a_customer_after_the_hours_that_the_policy_names(self) -> None:
        rules = replace(rules_of(SOMEBODY), failover_after=timedelta(hours=6))
        assert isinstance(rules, Rules)
        channels = Channels(policies=WithPrices(rules))
        channels.line.answers = [BUSY] * 9
        for hours in (0, 3, 6):
            channels.office.clock.move_to(NOW + timedelta(hours=hours))
            standing = channels.send(wake_at=NOW + timedelta(hours=hours))
        assert channels.sent == [2, 1, 0]
        assert [entry.channel for entry in standing.ledger] == ["email"]

    def test_of_a_gateway_that_the_stack_does_not_have_blames_nobody(self) -> None:
        office = Office(gateways=GatewaysByName(FakeGateway()))
        office.handle_batch(office.add(SOMEBODY))
        standing = office.store.standings["C0001"]
        assert (standing.suspended, standing.wake) == ({}, Wake(NOW + timedelta(hours=1), 0))
        assert office.telemetry.counts == {"MessagesRefusedForNow": 1}


class TestAStoppedChannel:
    """The switch stops the messages of a channel, and moves nobody to another."""

    def test_waits_a_while_and_says_so(self, channels: Channels) -> None:
        channels.office.switch.stopped = frozenset({Channel.LINE})
        standing = channels.send()
        assert channels.sent == [0, 0, 0]
        assert (standing.wake, standing.reason) == (Wake(NOW + timedelta(minutes=15), 0), Reason.SENDING_OFF)
        ((_, decision, _),) = channels.office.telemetry.decisions
        *steps, last = trace_of(decision)
        assert last == "switch: line is off"
        assert "channel: line by line" in steps, "what was decided before is in the trace, too"

    def test_stops_no_other(self, channels: Channels) -> None:
        channels.office.switch.stopped = frozenset({Channel.LINE})
        channels.send(replace(SOMEBODY, line_user_id=None))
        assert channels.sent == [0, 1, 0]


class WithPrices(OnlyRules):
    """One customer's rules, and no prices."""

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        del country, parts, channel
        return 0
