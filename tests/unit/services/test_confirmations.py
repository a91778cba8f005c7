"""The text that confirms an opt-out: what stops it, and what is known of it after its function has died."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.rules import ContactHours, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.reply import InboundSms
from dunning.ports.customers import Customer
from dunning.services.send.claims import PricedPolicies
from dunning.services.send.confirmations import ClaimedConfirmation, OptOutConfirmations
from dunning.services.send.gateways_by_name import GatewaysByName
from tests.support.builders import rules_of, the_policies
from tests.support.fakes import FakeClock, FakeContacts, FakeCustomers, FakeGateway, FakeSwitch, FakeTelemetry
from tests.support.people import texted, waking
from tests.unit.services.test_replies import NOON, american

JUST_NOW = NOON - timedelta(seconds=2)
STOP = InboundSms(inbound_id="reply-1", phone=american().phone, text="STOP", at=JUST_NOW)
HOURS = rules_of(american()).hours


class NewsHeldUp(FakeSwitch):
    """The switch while news is held up: all sending is off, and no channel is stopped by its name."""

    def is_on(self) -> bool:
        return False


class Office:
    """What confirms opt-outs, and everything it touches."""

    def __init__(self, switch: FakeSwitch | None = None) -> None:
        self.store, self.contacts, self.gateway = FakeCustomers(), FakeContacts(), FakeGateway()
        self.telemetry = FakeTelemetry()
        policies: PricedPolicies = the_policies()
        self.confirmations = OptOutConfirmations(
            store=self.store,
            contacts=self.contacts,
            gateways=GatewaysByName(self.gateway),
            switch=switch or FakeSwitch(),
            policies=policies,
            clock=FakeClock(NOON),
            telemetry=self.telemetry,
            new_id=lambda: "claim-1",
        )

    def claim(self, facts: Facts, rules: Rules | None = None, before: Standing | None = None) -> Standing | None:
        claimed = self.claimed(facts, rules, before)
        return claimed.claimed if claimed else None

    def claimed(
        self, facts: Facts, rules: Rules | None = None, before: Standing | None = None
    ) -> ClaimedConfirmation | None:
        before = before or waking(facts)
        rules = rules or rules_of(facts)
        after = replace(before, opted_out_at=JUST_NOW)
        opt_out = ParsedReply((ReplyIntent.OPT_OUT,))
        return self.confirmations.claim(facts, before, after, opt_out, STOP, rules, rules.zones, NOON)


def test_none_is_claimed_while_sending_is_off_for_whatever_reason_or_texts_are_stopped() -> None:
    stopped = FakeSwitch()
    stopped.stopped = frozenset({Channel.SMS})
    other_channel_stopped = FakeSwitch()
    other_channel_stopped.stopped = frozenset({Channel.LINE})
    for switch, is_claimed in (
        (FakeSwitch(), True), (other_channel_stopped, True),
        (FakeSwitch(on=False), False), (NewsHeldUp(), False), (stopped, False),
    ):  # fmt: skip
        assert (Office(switch).claim(american()) is not None) == is_claimed


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"hours": replace(HOURS, covered_until=date(2026, 11, 30))}, "CalendarNotCoveredError"),
        ({"hours": ContactHours(week=((),) * 7)}, "NoLawfulMomentError"),
        ({"registered": {}}, "NoTextError"),
    ],
    ids=["the calendar ends before today", "the hours never open", "its words are not registered"],
)
def test_one_that_the_rules_cannot_make_is_logged_and_not_sent_and_fails_nothing(
    changes: dict[str, object], error: str
) -> None:
    office = Office()
    rules = replace(rules_of(american()), **changes)  # type: ignore[arg-type]
    assert office.claim(american(), rules) is None
    assert office.telemetry.events == [("opt_out_not_confirmed", {"customer_id": "C0001", "error": error})]


def test_one_is_published_under_its_own_claim_and_not_under_that_of_an_earlier_text() -> None:
    office, facts = Office(), american()
    before = waking(facts, ledger=(texted(facts, NOON - timedelta(days=3)),))
    confirmation = office.claimed(facts, before=before)
    assert confirmation is not None
    office.confirmations.publish(facts, before, confirmation.claimed, confirmation)
    assert [outgoing.claim_id for outgoing in office.gateway.published] == ["claim-1"]
    assert [(record.claim_id, record.reasons) for record in office.contacts.records.values()] == [
        ("claim-1", ("opt-out: confirmed once",))
    ]


def test_one_that_was_claimed_is_known_from_then_on_and_rings_the_alarm_until_its_outcome_is() -> None:
    office, facts = Office(), american()
    owners = {facts.customer_id: Customer(facts, waking(facts))}
    assert office.confirmations.settle(owners, STOP) is False
    claimed = office.claim(facts)
    assert claimed is not None
    owners = {facts.customer_id: Customer(facts, claimed), "C0002": Customer(american(2), None)}
    for _ in range(2):
        assert office.confirmations.settle(owners, STOP) is True
    assert [record.code for record in office.contacts.records.values()] == ["sender_crashed"]
    assert office.telemetry.counts["SmsUnknown"] >= 1
    assert office.confirmations.settle(owners, replace(STOP, inbound_id="reply-2")) is False
