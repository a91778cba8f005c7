"""The events of channels that come with the project are what the functions read, and the page of events names them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dunning.contracts.channel_message import parse_channel_message
from dunning.contracts.eum_event import parse_eum_event
from dunning.contracts.http_call import HttpCall, parse_http_call
from dunning.contracts.line_event import is_signed_by_line, parse_line_events
from dunning.contracts.ses_event import parse_ses_event
from dunning.contracts.unsubscribe import parse_unsubscribe
from dunning.contracts.whatsapp_event import parse_whatsapp_event
from dunning.domain.delivery.channel_events import ChannelEvents, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import DeliveryStatus
from tests.local import ROOT
from tests.support.outgoing import CLAIM_ID
from tests.support.people import NOW

EVENTS = ROOT / "events"
CHANNEL_SECRET, UNSUBSCRIBE_SECRET = "line-channel-secret", "unsubscribe-secret"


def bodies(name: str) -> list[str]:
    batch = json.loads((EVENTS / name).read_text("utf-8"))
    return [record["body"] for record in batch["Records"]]


def call(name: str) -> HttpCall:
    return parse_http_call(json.loads((EVENTS / "webhooks" / name).read_text("utf-8")))


def contents_of(events: ChannelEvents) -> list[Any]:
    """Return what is in events: classes of receipts, wishes, words, and how many are only under way."""
    assert not events.unreadable
    return [
        *(receipt.status for receipt in events.receipts),
        *(wish.wish for wish in events.wishes),
        *(message.text or message.button for message in events.messages),
        *("under way" for _ in events.under_way),
    ]


def parse_line(body: str, _: object) -> ChannelEvents:
    return parse_line_events(body.encode(), NOW)


@pytest.mark.parametrize(
    ("name", "parse", "expected"),
    [
        (
            "eum_events.json",
            parse_eum_event,
            ["under way", DeliveryStatus.DELIVERED, DeliveryStatus.TEMPORARY_FAILURE],
        ),
        (
            "ses_events.json",
            parse_ses_event,
            [
                "under way",
                DeliveryStatus.DELIVERED,
                "under way",
                DeliveryStatus.PERMANENT_FAILURE,
                DeliveryStatus.TEMPORARY_FAILURE,
                Wish.COMPLAINED,
            ],
        ),
        ("line_events.json", parse_line, [Wish.BLOCKED, Wish.FOLLOWED, DeliveryStatus.DELIVERED]),
        ("whatsapp_events.json", parse_whatsapp_event, ["under way", DeliveryStatus.DELIVERED, "不要再傳了"]),
    ],
)
def test_a_file_of_reports_says_what_the_page_says(
    name: str, parse: Callable[[str, Any], ChannelEvents], expected: list[Any]
) -> None:
    read = [parse(body, NOW) for body in bodies(f"delivery_receipts/{name}")]
    assert [each for events in read for each in contents_of(events)] == expected
    for receipt in (receipt for events in read for receipt in events.receipts):
        assert receipt.claim
        assert receipt.claim.claim_id == CLAIM_ID


def test_the_messages_for_the_replies_are_words_and_buttons() -> None:
    read = [parse_channel_message(body) for body in bodies("replies/channel_messages.json")]
    assert [(each.channel, each.text, each.button) for each in read] == [
        (Channel.LINE, "下週五會繳", ""),
        (Channel.LINE, "", "opt_out"),
        (Channel.EMAIL, "", Wish.UNSUBSCRIBED),
        (Channel.EMAIL, "", Wish.COMPLAINED),
    ]


def test_the_call_of_line_is_signed_and_the_token_of_the_button_is_ours() -> None:
    line = call("line.json")
    assert is_signed_by_line(line.body, line.headers["x-line-signature"], CHANNEL_SECRET)
    assert contents_of(parse_line_events(line.body, NOW)) == [Wish.BLOCKED, "下週五會繳", "opt_out"]
    looked, pressed = call("unsubscribe_page.json"), call("unsubscribe.json")
    assert (looked.route, pressed.route) == ("GET /unsubscribe/{token}", "POST /unsubscribe/{token}")
    wish = parse_unsubscribe(pressed.parameters["token"], pressed.body, UNSUBSCRIBE_SECRET, NOW)
    assert wish.claim
    assert wish.claim.customer_id == "C0001"


def test_the_page_of_events_names_every_file() -> None:
    page = (EVENTS / "README.md").read_text("utf-8")
    for path in EVENTS.rglob("*.json"):
        name = path.relative_to(EVENTS).as_posix()
        assert f"({name})" in page or name.startswith(("console/", "schemas/")), name
