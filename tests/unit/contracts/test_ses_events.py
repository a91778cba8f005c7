"""Events of SES: what each says of a mail, found by the tags, without the words of receiving servers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.session import get_session

from dunning.contracts.claim_marks import claim_labels
from dunning.contracts.ses_event import MAIL_EVENTS, NOT_TRACKED, parse_ses_event
from dunning.domain.delivery.channel_events import ChannelEvents, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay
from dunning.domain.errors import UnreadableRecordError
from tests.local.channels.wire import notification_of
from tests.support.outgoing import CLAIM_ID, CLAIMED_AT, SEND_ID, outgoing_mail

SENT_AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
REPORTED_AT = datetime(2017, 8, 5, 0, 41, 2, 669_000, tzinfo=UTC)
CLAIM = ClaimKey("C0001", CLAIM_ID, SEND_ID, CLAIMED_AT)
MESSAGE_ID = "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000"
ADDRESS = "recipient@example.com"
TIMESTAMP = {"timestamp": "2017-08-05T00:41:02.669Z"}

MAIL: dict[str, Any] = {
    "timestamp": "2017-08-05T00:40:02.012Z",
    "source": "Sender Name <sender@example.com>",
    "sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/sender@example.com",
    "sendingAccountId": "123456789012",
    "messageId": MESSAGE_ID,
    "destination": [ADDRESS],
    "headersTruncated": False,
    "headers": [{"name": "To", "value": ADDRESS}],
    "commonHeaders": {"to": [ADDRESS], "subject": "Message sent from Amazon SES"},
    "tags": {
        "ses:configuration-set": ["ConfigSet"],
        "ses:source-ip": ["192.0.2.0"],
        **{name: [value] for name, value in claim_labels(outgoing_mail()).items()},
    },
}
"""As in the guide's page "Examples of event data that Amazon SES publishes to Amazon SNS", with tags of ours."""

DETAILS: dict[str, dict[str, Any]] = {
    "Bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [
            {
                "emailAddress": ADDRESS,
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": f"smtp; 550 5.1.1 {ADDRESS} user unknown",
            }
        ],
        **TIMESTAMP,
        "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
        "reportingMTA": "dsn; mta.example.com",
    },
    "Complaint": {
        "complainedRecipients": [{"emailAddress": ADDRESS}],
        **TIMESTAMP,
        "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
        "userAgent": "Mozilla/5.0",
        "complaintFeedbackType": "abuse",
        "arrivalDate": "2017-08-05T00:41:02.669Z",
    },
    "Delivery": {
        **TIMESTAMP,
        "processingTimeMillis": 11893,
        "recipients": [ADDRESS],
        "smtpResponse": f"250 2.6.0 Message received for {ADDRESS}",
        "reportingMTA": "mta.example.com",
    },
    "Send": {},
    "Reject": {"reason": "Bad content"},
    "Rendering Failure": {"errorMessage": "Attribute 'name' is not present", "templateName": "MyTemplate"},
    "DeliveryDelay": {
        "delayType": "TransientCommunicationFailure",
        "delayedRecipients": [{"emailAddress": ADDRESS, "status": "4.4.1", "diagnosticCode": "smtp; 421 timeout"}],
        "expirationTime": "2017-08-05T12:41:02.669Z",
        **TIMESTAMP,
    },
    "Subscription": {
        "contactList": "ContactListName",
        **TIMESTAMP,
        "source": "UnsubscribeHeader",
        "newTopicPreferences": {
            "unsubscribeAll": True,
            "topicSubscriptionStatus": [{"topicName": "Topic", "subscriptionStatus": "OptOut"}],
        },
        "oldTopicPreferences": {
            "unsubscribeAll": False,
            "topicSubscriptionStatus": [{"topicName": "Topic", "subscriptionStatus": "OptIn"}],
        },
    },
}


def parsed(kind: str, changes: dict[str, Any] | None = None, **mail: object) -> ChannelEvents:
    member = MAIL_EVENTS[kind]
    event = {"eventType": kind, "mail": MAIL | mail, member: DETAILS[kind] | (changes or {})}
    return parse_ses_event(notification_of(event, SENT_AT), SENT_AT)


def receipt(status: DeliveryStatus, words: str, at: datetime = REPORTED_AT) -> ChannelEvents:
    found = DeliveryReceipt(
        message_id=MESSAGE_ID,
        at=at,
        phone="",
        delivered=status is DeliveryStatus.DELIVERED,
        response=words,
        claim=CLAIM,
        status=status,
    )
    return ChannelEvents(receipts=(found,))


def wish(kind: Wish, event_id: str) -> ChannelWish:
    return ChannelWish(Channel.EMAIL, kind, event_id, REPORTED_AT, ADDRESS, CLAIM)


def under_way(at: datetime = REPORTED_AT) -> ChannelEvents:
    return ChannelEvents(under_way=(UnderWay(CLAIM, MESSAGE_ID, at),))


FEEDBACK_ID = DETAILS["Complaint"]["feedbackId"]

EXPECTED = {
    "Bounce": receipt(DeliveryStatus.PERMANENT_FAILURE, "Permanent General"),
    "Complaint": ChannelEvents(wishes=(wish(Wish.COMPLAINED, FEEDBACK_ID),)),
    "Delivery": receipt(DeliveryStatus.DELIVERED, ""),
    "Send": under_way(datetime(2017, 8, 5, 0, 40, 2, 12_000, tzinfo=UTC)),
    "Reject": receipt(DeliveryStatus.TECHNICAL_FAILURE, "Reject", SENT_AT),
    "Rendering Failure": receipt(DeliveryStatus.TECHNICAL_FAILURE, "Rendering Failure", SENT_AT),
    "DeliveryDelay": under_way(),
    "Subscription": ChannelEvents(wishes=(wish(Wish.UNSUBSCRIBED, f"{MESSAGE_ID}:unsubscribed"),)),
}


@pytest.mark.parametrize("kind", DETAILS)
def test_each_documented_event_says_what_is_certain_and_no_more(kind: str) -> None:
    assert parsed(kind) == EXPECTED[kind]


@pytest.mark.parametrize("kind", DETAILS)
def test_no_event_keeps_what_a_server_said_and_only_a_wish_has_the_address(kind: str) -> None:
    written = repr(parsed(kind)._replace(wishes=()))
    assert ADDRESS not in written
    assert "user unknown" not in written
    assert "Message received" not in written


def test_every_kind_of_event_of_the_service_is_read_or_is_not_tracked() -> None:
    shape: Any = get_session().get_service_model("sesv2").shape_for("EventType")
    ours = {kind.upper().replace(" ", "_").replace("DELIVERYDELAY", "DELIVERY_DELAY") for kind in MAIL_EVENTS}
    assert ours | {kind.upper() for kind in NOT_TRACKED} == set(shape.enum)


@pytest.mark.parametrize(
    ("kind", "subtype", "status"),
    [
        ("Permanent", "General", DeliveryStatus.PERMANENT_FAILURE),
        ("Permanent", "NoEmail", DeliveryStatus.PERMANENT_FAILURE),
        ("Permanent", "Suppressed", DeliveryStatus.PERMANENT_FAILURE),
        ("Permanent", "OnAccountSuppressionList", DeliveryStatus.PERMANENT_FAILURE),
        ("Permanent", "OfTomorrow", DeliveryStatus.PERMANENT_FAILURE),
        ("Permanent", "UnsubscribedRecipient", DeliveryStatus.OPTED_OUT),
        ("Transient", "General", DeliveryStatus.TEMPORARY_FAILURE),
        ("Transient", "MailboxFull", DeliveryStatus.TEMPORARY_FAILURE),
        ("Transient", "CustomTimeoutExceeded", DeliveryStatus.TEMPORARY_FAILURE),
        ("Transient", "MessageTooLarge", DeliveryStatus.TECHNICAL_FAILURE),
        ("Transient", "ContentRejected", DeliveryStatus.TECHNICAL_FAILURE),
        ("Transient", "AttachmentRejected", DeliveryStatus.TECHNICAL_FAILURE),
        ("Transient", "OfTomorrow", None),
        ("Undetermined", "Undetermined", None),
        ("", "General", None),
    ],
)
def test_a_bounce_fails_a_mail_only_where_it_is_certain_that_nothing_arrived(
    kind: str, subtype: str, status: DeliveryStatus | None
) -> None:
    events = parsed("Bounce", {"bounceType": kind, "bounceSubType": subtype})
    assert [found.status for found in events.receipts] == ([status] if status else [])
    assert len(events.under_way) == (0 if status else 1)
    assert "OfTomorrow" not in repr(events)


def test_a_mail_to_somebody_who_had_complained_before_was_not_sent() -> None:
    events = parsed("Complaint", {"complaintSubType": "OnAccountSuppressionList"})
    (found,) = events.receipts
    assert found.status is DeliveryStatus.PERMANENT_FAILURE
    assert [wished.wish for wished in events.wishes] == [Wish.COMPLAINED]


@pytest.mark.parametrize(
    ("preferences", "wished"),
    [
        ({"unsubscribeAll": True, "topicSubscriptionStatus": []}, True),
        ({"unsubscribeAll": False, "topicSubscriptionStatus": [{"subscriptionStatus": "OptOut"}]}, True),
        ({"unsubscribeAll": False, "topicSubscriptionStatus": [{"subscriptionStatus": "OptIn"}]}, False),
        (
            {"topicSubscriptionStatus": [{"subscriptionStatus": "OptOut"}, {"subscriptionStatus": "OptIn"}]},
            False,
        ),
        ({"unsubscribeAll": "true"}, False),
        ({"topicSubscriptionStatus": ["OptOut"]}, False),
        ({"topicSubscriptionStatus": 1}, False),
        ({"unsubscribeAll": True, "topicSubscriptionStatus": 1}, True),
        ("OptOut", False),
        (None, False),
    ],
)
def test_a_change_of_preferences_is_a_wish_only_if_no_mail_is_wanted(preferences: object, wished: bool) -> None:  # noqa: FBT001
    events = parsed("Subscription", {"newTopicPreferences": preferences})
    assert bool(events.wishes) is wished


def test_an_event_without_a_readable_time_has_that_of_its_notification() -> None:
    for written in (None, 7, "soon", "2017-08-05T00:41:02", "9999-12-31T23:59:59-12:00"):
        (found,) = parsed("Delivery", {"timestamp": written}).receipts
        assert found.at == SENT_AT
    bare = {"eventType": "Delivery", "mail": MAIL, "delivery": None}
    (found,) = parse_ses_event(json.dumps(bare), SENT_AT + timedelta(hours=1)).receipts
    assert found.at == SENT_AT + timedelta(hours=1)


@pytest.mark.parametrize("tags", [None, [], {"customer_id": "C0001"}, {"customer_id": []}, {"customer_id": ["C0001"]}])
def test_a_mail_of_another_sender_has_no_claim(tags: object) -> None:
    assert parsed("Delivery", tags=tags).receipts[0].claim is None


@pytest.mark.parametrize("destination", [None, [], [ADDRESS, ADDRESS], [7], [f"{'a' * 400}@b.cc"], ["\ud83d@b.cc"]])
def test_a_mail_to_not_just_one_address_names_none(destination: object) -> None:
    assert parsed("Complaint", destination=destination).wishes[0].address == ""


@pytest.mark.parametrize("feedback_id", [None, 7, "", "王", "a\nb"])
def test_a_complaint_without_a_usable_id_has_that_of_the_mail(feedback_id: object) -> None:
    assert parsed("Complaint", {"feedbackId": feedback_id}).wishes[0].event_id == f"{MESSAGE_ID}:complained"


@pytest.mark.parametrize("kind", ["Open", "Click", "OfTomorrow"])
def test_what_is_not_tracked_or_not_known_is_counted_and_changes_nothing(kind: str) -> None:
    assert parse_ses_event(json.dumps({"eventType": kind, "mail": MAIL}), SENT_AT) == ChannelEvents(unreadable=1)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "body"),
        ("[" * 100_000, "body"),
        (json.dumps([MAIL]), "body"),
        (json.dumps({"mail": MAIL}), "eventType"),
        (json.dumps({"eventType": "Delivery"}), "mail"),
        (json.dumps({"eventType": "Delivery", "mail": MAIL | {"messageId": ADDRESS + " "}}), "mail.messageId"),
    ],
)
def test_what_is_no_event_is_refused_by_field_without_its_contents(body: str, why: str) -> None:
    with pytest.raises(UnreadableRecordError) as refused:
        parse_ses_event(body, SENT_AT)
    assert str(refused.value) == f"no event of a mail: {why}"
