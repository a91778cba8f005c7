"""What people write on channels, on its way to the replies, and what an erasure takes of it."""

import json
from datetime import timedelta

import pytest

from dunning.contracts.channel_message import (
    channel_message_body,
    is_channel_message,
    parse_channel_message,
    wish_body,
)
from dunning.contracts.dead_letter import without_people
from dunning.contracts.inbound_sms import parse_inbound
from dunning.domain.delivery.channel_events import ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms
from tests.support.people import NOW

LINE_USER = "U" + "a1" * 16
WRITTEN = ChannelMessage(Channel.LINE, LINE_USER, "01H1", NOW, text="我的電話 +886900000002")
BODY = channel_message_body(WRITTEN)
COMPLAINT = wish_body(
    ChannelWish(Channel.EMAIL, Wish.COMPLAINED, "f-1", NOW, address="Wang@example.com", claim=ClaimKey("C0001", "c"))
)


def test_a_message_is_read_as_it_was_written() -> None:
    assert parse_channel_message(BODY) == InboundSms(
        inbound_id="01H1", phone="", text=WRITTEN.text, at=NOW, channel=Channel.LINE, address=LINE_USER
    )


def test_a_number_is_a_number_on_every_channel_that_has_one() -> None:
    inbound = parse_channel_message(channel_message_body(WRITTEN._replace(channel=Channel.WHATSAPP, address="+886912")))
    assert (inbound.phone, inbound.address, inbound.sender) == ("+886912", "", "+886912")


def test_a_wish_is_the_button_that_was_pressed() -> None:
    inbound = parse_channel_message(COMPLAINT)
    assert (inbound.customer_id, inbound.button, inbound.sender) == ("C0001", "complained", "Wang@example.com")


def test_an_sms_that_quotes_a_channel_message_is_none() -> None:
    sms = json.dumps({"originationNumber": "+886900000001", "messageBody": BODY, "inboundMessageId": "i"})
    assert not is_channel_message(sms)
    assert parse_inbound(sms, NOW).text == BODY
    wrapped = json.dumps({"Type": "Notification", "Message": sms, "Timestamp": NOW.isoformat()})
    assert not is_channel_message(wrapped)


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": "fax"},
        {"at": "yesterday"},
        {"inbound_id": ""},
        {"address": "", "customer_id": ""},
        {"button": "Pay!"},
        {"customer_id": "a#b"},
        {"more": 1},
        {"text": "x" * 5001},
    ],
)
def test_what_is_none_is_refused_without_its_contents(changes: dict[str, object]) -> None:
    with pytest.raises(UnreadableRecordError, match=r"^no channel message: [a-z_ ]+$"):
        parse_channel_message(json.dumps(json.loads(BODY) | changes))


def test_a_long_text_is_cut_and_not_lost() -> None:
    assert len(parse_channel_message(channel_message_body(WRITTEN._replace(text="字" * 6000))).text) == 5000


class TestAnErasure:
    """Takes what a person wrote, and nothing of others, whatever numbers they mention."""

    @pytest.mark.parametrize(
        ("body", "phones", "ids", "addresses", "is_gone"),
        [
            (BODY, [], [], [LINE_USER], True),
            (BODY, ["+886900000002"], [], [], False),
            (BODY, [], [], ["U" + "b2" * 16], False),
            (COMPLAINT, [], ["C0001"], [], True),
            (COMPLAINT, [], [], ["wang@EXAMPLE.com"], True),
            (COMPLAINT, [], ["C0002"], ["ang@example.com"], False),
        ],
    )
    def test_of_a_dead_letter(
        self,
        body: str,
        phones: list[str],
        ids: list[str],
        addresses: list[str],
        is_gone: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        assert without_people(body, phones, ids, addresses) == ("" if is_gone else body)

    def test_of_a_number_on_whatsapp(self) -> None:
        body = channel_message_body(WRITTEN._replace(channel=Channel.WHATSAPP, address="+886900000001"))
        assert without_people(body, ["+886900000001"]) == ""
        assert without_people(body, ["+886900000002"]) == body

    def test_of_one_that_cannot_be_read_looks_at_the_whole(self) -> None:
        damaged = BODY[:-1] + ',"more":1}'
        assert without_people(damaged, [], [], [LINE_USER]) == ""
        assert without_people(damaged, [], [], ["U" + "b2" * 16]) == damaged


def test_the_time_is_kept_to_the_microsecond() -> None:
    at = NOW + timedelta(microseconds=123_456)
    assert parse_channel_message(channel_message_body(WRITTEN._replace(at=at))).at == at
