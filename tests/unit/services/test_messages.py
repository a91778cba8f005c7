"""A claimed message on each channel: whose limits hold, what its gateway needs, and what its record says."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from dunning.domain.customer.standing import LedgerEntry
from dunning.domain.decision.rules import SNS, ChannelRules, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact
from dunning.domain.errors import DunningError
from dunning.domain.texts.extras import Button, Extras
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import LineBody, LineButton, MailBody, SmsBody, SpokenBody, WhatsAppBody
from dunning.services.send.messages import channel_limits, held_out_record, message_to, record_of
from tests.support.builders import a_text, rules_of
from tests.support.people import NOW, someone

SOMEBODY = someone(email="ming@example.com", line_user_id="U" + "0" * 32)
RULES = rules_of(SOMEBODY)
EARLY, LATE = -3, 7
OWN, PUSHED = ChannelRules(channel=Channel.SMS, gateway="eum"), ChannelRules(channel=Channel.LINE, gateway="line")
MAIL = ChannelRules(
    channel=Channel.EMAIL, gateway="ses", sender="notice@lender.example", reply_to="answers@lender.example"
)
NOTIFIED = ChannelRules(channel=Channel.LINE, gateway="line_notification")
CALLED = ChannelRules(channel=Channel.VOICE, gateway="connect", voice="ZHIYU", sender="+18005550100")
META = ChannelRules(channel=Channel.WHATSAPP, gateway="whatsapp", sender="number-7")
TAKEN = Published(PublishOutcome.ACCEPTED, message_id="m-1")


class Words(NamedTuple):
    """A text with all that any channel knows."""

    text: str = "Hello"
    encoding: str = "GSM-7"
    parts: int = 1
    template: str = "en/test@1"
    registered_template: str = "T-1"
    extras: Extras = Extras("About it", "", "<p>Hello</p>", (Button("Paid", "paid"),), "en_US", ("Ming", "5678"))


def of_stages(**channels: tuple[ChannelRules, ...]) -> Rules:
    return replace(RULES, channels={EARLY: channels.get("early", ()), LATE: channels.get("late", ())})


def claimed_on(limits: ChannelRules, stage: int | None = EARLY) -> LedgerEntry:
    return replace(a_text(NOW), stage=stage, channel=limits.channel)


class TestTheLimitsOfAMessage:
    """Are those of its channel."""

    def test_are_of_its_own_stage_whatever_another_stage_says_of_the_channel(self) -> None:
        other = replace(MAIL, sender="other@lender.example")
        rules = of_stages(early=(PUSHED, MAIL), late=(OWN, other))
        assert channel_limits(rules, claimed_on(MAIL, EARLY)) is MAIL
        assert channel_limits(rules, claimed_on(MAIL, LATE)) is other

    @pytest.mark.parametrize("stage", [None, EARLY, 30], ids=["no reminder", "a stage without", "a stage that is gone"])
    def test_are_of_any_stage_that_has_the_channel_where_its_own_has_not(self, stage: int | None) -> None:
        assert channel_limits(of_stages(early=(PUSHED,), late=(OWN, MAIL)), claimed_on(MAIL, stage)) is MAIL

    def test_are_not_guessed_where_no_stage_has_the_channel(self) -> None:
        with pytest.raises(DunningError, match="channel: none of the rules"):
            channel_limits(of_stages(early=(PUSHED,)), claimed_on(MAIL))

    def test_are_no_stages_if_it_goes_by_the_service_that_needs_none(self) -> None:
        """A confirmation of an opt-out is a text, also where every stage goes by another channel."""
        outgoing = message_to(SOMEBODY, of_stages(early=(PUSHED,)), claimed_on(OWN, None), Words(), SNS)
        assert (outgoing.address, type(outgoing.body)) == (SOMEBODY.phone, SmsBody)


@pytest.mark.parametrize(
    ("limits", "body"),
    [
        (PUSHED, LineBody("Hello", (LineButton("Paid", "paid"),), "demo-tw")),
        (NOTIFIED, LineBody("Hello", (), "demo-tw")),
        (CALLED, SpokenBody("Hello", "ZHIYU", "+18005550100")),
        (META, WhatsAppBody("Hello", "en_US", ("Ming", "5678"), "number-7")),
        (
            MAIL,
            MailBody(
                subject="About it",
                text="Hello",
                html="<p>Hello</p>",
                sender_name=RULES.sender_name[SOMEBODY.language],
                sender_address="notice@lender.example",
                unsubscribe_url="",
                reply_to="answers@lender.example",
            ),
        ),
    ],
    ids=["line", "a notification to a number, which has no buttons", "a call", "whatsapp", "a mail without a button"],
)
def test_a_message_has_all_that_its_channel_takes_and_no_more(limits: ChannelRules, body: object) -> None:
    outgoing = message_to(SOMEBODY, of_stages(early=(limits,)), claimed_on(limits), Words(), limits.gateway)
    assert outgoing.body == body
    assert outgoing.channel is limits.channel


def recorded(limits: ChannelRules) -> Contact:
    rules, entry = of_stages(early=(limits,)), claimed_on(limits)
    outgoing = message_to(SOMEBODY, rules, entry, Words(), limits.gateway)
    return record_of(rules, outgoing, entry, Words(), TAKEN, 7, ("due",), limits.gateway)


def test_a_record_names_its_gateway_and_when_it_lapses_and_of_a_plain_text_neither() -> None:
    """Plain texts are most of all records, and none of them can be taken back."""
    plain, mailed = recorded(ChannelRules(channel=Channel.SMS, gateway=SNS)), recorded(MAIL)
    assert (plain.gateway, plain.lapses_at) == ("", None)
    assert mailed.gateway == "ses"
    assert mailed.lapses_at is not None
    assert mailed.lapses_at > NOW + timedelta(hours=1)


def test_a_record_of_what_is_held_out_says_whose_law_it_was_held_out_under() -> None:
    record = held_out_record(SOMEBODY, RULES, claimed_on(OWN), ("chance",))
    assert (record.lender, record.jurisdiction, record.reasons) == ("demo-tw", "TW", ("chance",))
