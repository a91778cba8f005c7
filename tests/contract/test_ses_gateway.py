"""SES: every error has a class, a mail carries its claim and its way out, and nothing is tracked."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.session import get_session

from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.ses import ADDRESS_ERRORS, BUSY_ERRORS, OUR_ERRORS, SesGateway
from dunning.contracts.claim_marks import claim_of_labels
from dunning.contracts.ses_event import parse_ses_event
from dunning.domain.customer.addresses import is_mail_address
from dunning.domain.delivery.receipt import ClaimKey
from dunning.ports.gateways import Published, PublishOutcome
from tests.local import ROOT
from tests.local.channels.ses import BAD_ADDRESS, SesAtTheWire
from tests.local.channels.wire import Refusal
from tests.support.fakes import FakeClock
from tests.support.outgoing import CLAIM_ID, CLAIMED_AT, MAIL, SEND_ID, outgoing_mail, outgoing_sms
from tests.support.stand_in import Engine

MODEL: Any = get_session().get_service_model("sesv2")
SOON, AFTER_REPAIR = timedelta(minutes=1), timedelta(hours=1)


class Bench:
    """The gateway, and the service behind it."""

    def __init__(self, tenant: str = "") -> None:
        client: Any = boto3.client("sesv2", config=PUBLISH_ONCE)
        self.wire = SesAtTheWire(client, FakeClock().now())
        self.gateway = SesGateway(client, "reminders", tenant)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_every_error_of_the_service_has_a_class_and_no_other_has() -> None:
    """An error that a new version of the SDK brings has to be read, and put into a class."""
    ours = [*BUSY_ERRORS, *ADDRESS_ERRORS, *OUR_ERRORS]
    assert sorted(ours) == sorted(shape.name for shape in MODEL.operation_model("SendEmail").error_shapes)


@pytest.mark.parametrize("code", sorted([*BUSY_ERRORS, *ADDRESS_ERRORS, *OUR_ERRORS, "AccessDeniedException"]))
def test_no_error_blames_an_address_by_its_code_alone(bench: Bench, code: str) -> None:
    bench.wire.will(Refusal(code, 429 if code in BUSY_ERRORS else 400))
    wait = SOON if code in BUSY_ERRORS else AFTER_REPAIR
    assert bench.gateway.publish(outgoing_mail()) == Published(PublishOutcome.REFUSED_FOR_NOW, "", code, wait)
    assert bench.wire.requests == 1


@pytest.mark.parametrize(
    "words", ["Missing final '@domain'", "Local address contains control or whitespace", "Domain starts with dot"]
)
def test_an_address_is_blamed_if_the_words_are_about_an_address(bench: Bench, words: str) -> None:
    bench.wire.will(Refusal("BadRequestException", 400, {"message": words}))
    assert bench.gateway.publish(outgoing_mail()) == Published(
        PublishOutcome.REFUSED_FOR_GOOD, code="BadRequestException"
    )


def test_the_words_about_an_address_blame_none_under_another_code(bench: Bench) -> None:
    bench.wire.will(Refusal("MessageRejected", 400, BAD_ADDRESS.members))
    assert bench.gateway.publish(outgoing_mail()).outcome is PublishOutcome.REFUSED_FOR_NOW


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failed_server_may_have_sent_the_mail(bench: Bench, status: int) -> None:
    bench.wire.will(Refusal("InternalFailure", status))
    assert bench.gateway.publish(outgoing_mail()).outcome is PublishOutcome.UNKNOWN
    assert bench.wire.requests == 1


def test_a_mail_says_all_that_the_service_should_know_and_is_not_tracked() -> None:
    bench = Bench(tenant="reminders-tw")
    bench.gateway.publish(outgoing_mail(reply_to="office@lender.example"))
    (request,) = bench.wire.taken
    tags = {tag["Name"]: tag["Value"] for tag in request.pop("EmailTags")}
    assert claim_of_labels(tags) == ClaimKey("C0001", CLAIM_ID, SEND_ID, CLAIMED_AT)
    assert request == {
        "FromEmailAddress": "=?utf-8?b?56S656+E5YiG5pyf?= <notice@mail.lender.example>",
        "Destination": {"ToAddresses": ["wang@example.com"]},
        "ReplyToAddresses": ["office@lender.example"],
        "Content": {
            "Simple": {
                "Subject": {"Data": MAIL.subject, "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": MAIL.text, "Charset": "UTF-8"},
                    "Html": {"Data": MAIL.html, "Charset": "UTF-8"},
                },
                "Headers": [
                    {"Name": "List-Unsubscribe", "Value": f"<{MAIL.unsubscribe_url}>"},
                    {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                    {"Name": "Auto-Submitted", "Value": "auto-generated"},
                ],
            }
        },
        "ConfigurationSetName": "reminders",
        "ConfigurationOverrides": {"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}},
        "TenantName": "reminders-tw",
    }


@pytest.mark.parametrize(
    "address",
    [
        "wang", "wang@", "@example.com", "wang@example", "wang@example..com", "wang@.example.com", ".wang@example.com",
        "wang.@example.com", "wa..ng@example.com", "wang @example.com", "wang@example.com, chen@example.com",
        "王@example.com", "wang@例子.台灣", "wang@example.com\n", "<wang@example.com>", f"{'w' * 65}@example.com",
        f"wang@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 10}.com", "",
    ],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused_for_good_without_a_request(bench: Bench, address: str) -> None:
    assert bench.gateway.publish(outgoing_mail(address)) == Published(
        PublishOutcome.REFUSED_FOR_GOOD, code="NotAnAddress"
    )
    assert bench.wire.requests == 0


@pytest.mark.parametrize("address", ["wang@example.com", "Wang.Xiao-Ming+loan@mail.example.com.tw", "o'neil@x.io"])
def test_what_can_be_an_address_is_asked_for(address: str) -> None:
    assert is_mail_address(address)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sender_address": "notice"}, "SenderNotAnAddress"),
        ({"reply_to": "office"}, "SenderNotAnAddress"),
        ({"unsubscribe_url": "http://lender.example/u"}, "NoUnsubscribeUrl"),
        ({"unsubscribe_url": "https://lender.example/u>, <mailto:x@y.zz"}, "NoUnsubscribeUrl"),
        ({"subject": "帳單\r\nBcc: x@example.com"}, "SubjectOrSenderNotALine"),
        ({"subject": ""}, "SubjectOrSenderNotALine"),
        ({"sender_name": "示範\n分期"}, "SubjectOrSenderNotALine"),
    ],
)
def test_a_mail_with_a_fault_of_ours_is_not_sent_and_blames_nobody(
    bench: Bench, changes: dict[str, str], code: str
) -> None:
    answer = bench.gateway.publish(outgoing_mail(**changes))
    assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=AFTER_REPAIR)
    assert bench.wire.requests == 0


def test_a_text_is_no_mail(bench: Bench) -> None:
    assert bench.gateway.publish(outgoing_sms("+886900000001", "您好")).code == "NotAMail"


@pytest.mark.stand_in
def test_a_mail_is_taken_by_the_stand_in_and_a_report_comes_over_topic_and_queue(stand_in: Engine) -> None:
    ses: Any = boto3.client("sesv2", config=PUBLISH_ONCE)
    sns, name = boto3.client("sns"), f"mails-{uuid4().hex}"
    queue = stand_in.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = stand_in.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    ses.create_email_identity(EmailIdentity="mail.lender.example")
    ses.create_configuration_set(ConfigurationSetName=name)
    published = SesGateway(ses, name).publish(outgoing_mail())
    assert published.outcome is PublishOutcome.ACCEPTED
    assert published.message_id
    # The stand-in never reports: what SES would publish is published here.
    batch = json.loads((ROOT / "events/delivery_receipts/ses_events.json").read_text("utf-8"))
    for record in batch["Records"]:
        sns.publish(TopicArn=topic, Message=json.loads(record["body"])["Message"])
    arrived = [parse_ses_event(body, CLAIMED_AT) for body in stand_in.messages(queue)]
    assert [events.receipts for events in arrived] == [
        parse_ses_event(record["body"], CLAIMED_AT).receipts for record in batch["Records"]
    ]
