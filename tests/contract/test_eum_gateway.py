"""End User Messaging: every reason of the service has a class, and a text carries its claim and its last moment."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.session import get_session

from dunning.adapters.eum_answers import REASONS, ReasonClass, eum_price, seconds_to_live
from dunning.adapters.eum_sms import EumSmsGateway
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.contracts.claim_marks import claim_of_marks
from dunning.domain.delivery.receipt import ClaimKey
from dunning.ports.gateways import Published, PublishOutcome
from tests.local.channels import eum
from tests.local.channels.eum import EumAtTheWire
from tests.local.channels.wire import Refusal
from tests.support.fakes import FakeClock
from tests.support.outgoing import CLAIM_ID, CLAIMED_AT, LAPSES_AT, SEND_ID, outgoing_mail, outgoing_sms

MODEL: Any = get_session().get_service_model("pinpoint-sms-voice-v2")
REASONS_OF_THE_SERVICE = [
    (error.name, reason)
    for error in MODEL.operation_model("SendTextMessage").error_shapes
    if "Reason" in error.members
    for reason in error.members["Reason"].enum
]
SMS = outgoing_sms("+886900000001", "您好", max_price="1")
AFTER_REPAIR = timedelta(hours=1)


class Bench:
    """The gateway, its clock, and the service behind it."""

    def __init__(self, pool: str = "pool-1") -> None:
        client: Any = boto3.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
        self.clock = FakeClock()
        self.wire = EumAtTheWire(client, self.clock.now())
        self.gateway = EumSmsGateway(client, self.clock, "reminders", pool)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_every_reason_of_the_service_has_a_class_and_no_other_has() -> None:
    """A reason that a new version of the SDK brings has to be read, and put into a class."""
    ours = [(exception, reason) for exception, reasons in REASONS.items() for reason in reasons]
    assert sorted(ours) == sorted(REASONS_OF_THE_SERVICE)
    both = [MODEL.operation_model(operation).error_shapes for operation in ("SendTextMessage", "SendVoiceMessage")]
    assert [shape.name for shape in both[0]] == [shape.name for shape in both[1]]


def test_every_error_of_the_service_is_one_that_is_classed() -> None:
    names = {shape.name for shape in MODEL.operation_model("SendTextMessage").error_shapes}
    without_reason = {"InternalServerException", "ResourceNotFoundException", "ThrottlingException"}
    assert names == set(REASONS) | without_reason


@pytest.mark.parametrize(("exception", "reason"), REASONS_OF_THE_SERVICE)
def test_each_reason_is_answered_by_its_class_after_one_request(bench: Bench, exception: str, reason: str) -> None:
    named = [{"Name": "DestinationPhoneNumber", "Message": "bad"}] if exception == "ValidationException" else []
    bench.wire.will(Refusal(exception, 400, {"Reason": reason, "Fields": named}))
    answer = bench.gateway.publish(SMS)
    code = f"{exception}.{reason}"
    assert (
        answer
        == {
            ReasonClass.OPTED_OUT: Published(PublishOutcome.REFUSED_FOR_GOOD, code=code, opted_out=True),
            ReasonClass.NUMBER: Published(PublishOutcome.REFUSED_FOR_GOOD, code=code),
            ReasonClass.TOMORROW: Published(PublishOutcome.REFUSED_FOR_NOW, "", code, timedelta(hours=24)),
            ReasonClass.OURS: Published(PublishOutcome.REFUSED_FOR_NOW, "", code, AFTER_REPAIR),
        }[REASONS[exception][reason]]
    )
    assert (bench.wire.requests, bench.wire.messages_taken) == (1, 0)


def test_few_reasons_are_about_the_person_and_all_others_are_ours_to_repair() -> None:
    by_class = {
        kind: sorted(reason for reasons in REASONS.values() for reason, found in reasons.items() if found is kind)
        for kind in ReasonClass
        if kind is not ReasonClass.OURS
    }
    assert by_class == {
        ReasonClass.OPTED_OUT: ["DESTINATION_PHONE_NUMBER_OPTED_OUT"],
        ReasonClass.NUMBER: ["CANNOT_PARSE", "FIELD_VALIDATION_FAILED", "INVALID_PARAMETER"],
        ReasonClass.TOMORROW: ["DAILY_DESTINATION_CALL_LIMIT"],
    }


@pytest.mark.parametrize("fields", [(), ("MessageBody",), ("OriginationIdentity", "MaxPrice")])
def test_a_number_is_blamed_only_if_the_answer_names_its_field(bench: Bench, fields: tuple[str, ...]) -> None:
    bench.wire.will(eum.invalid("FIELD_VALIDATION_FAILED", *fields))
    answer = bench.gateway.publish(SMS)
    assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR)


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("ResourceNotFoundException", 400, {"ResourceType": "pool", "ResourceId": "pool-1"}),
        Refusal("AccessDeniedException", 403),
        Refusal("UnrecognizedClientException", 403),
        Refusal("ConflictException", 400, {"Reason": "A_REASON_OF_TOMORROW"}),
    ],
)
def test_what_no_table_knows_is_ours_to_look_at_and_was_not_taken(bench: Bench, refusal: Refusal) -> None:
    bench.wire.will(refusal)
    assert bench.gateway.publish(SMS) == Published(
        PublishOutcome.REFUSED_FOR_NOW, code=refusal.code, retry_after=AFTER_REPAIR
    )


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failed_server_may_have_sent_the_text_and_is_not_asked_again(bench: Bench, status: int) -> None:
    bench.wire.will(Refusal("InternalServerException", status))
    assert bench.gateway.publish(SMS).outcome is PublishOutcome.UNKNOWN
    assert bench.wire.requests == 1


def test_a_number_on_the_services_own_list_is_an_opt_out(bench: Bench) -> None:
    bench.wire.opted_out.add(SMS.address)
    answer = bench.gateway.publish(SMS)
    assert (answer.outcome, answer.opted_out) == (PublishOutcome.REFUSED_FOR_GOOD, True)


def test_a_text_says_all_that_the_service_should_know(bench: Bench) -> None:
    bench.gateway.publish(SMS)
    (request,) = bench.wire.taken
    assert claim_of_marks(request.pop("Context")) == ClaimKey("C0001", CLAIM_ID, SEND_ID, CLAIMED_AT)
    assert request == {
        "DestinationPhoneNumber": "+886900000001",
        "MessageBody": "您好",
        "MessageType": "TRANSACTIONAL",
        "ConfigurationSetName": "reminders",
        "TimeToLive": (LAPSES_AT - CLAIMED_AT) // timedelta(seconds=1),
        "OriginationIdentity": "pool-1",
        "MaxPrice": "1.0",
    }


@pytest.mark.parametrize(
    ("sender", "identity"),
    [
        ({"sender_id": "DEMOFIN"}, "DEMOFIN"),
        ({"origination_number": "+18005550100"}, "+18005550100"),
        ({"sender_id": "DEMOFIN", "origination_number": "+18005550100"}, "+18005550100"),
    ],
)
def test_a_number_that_can_be_answered_goes_before_a_name_and_both_before_the_pool(
    bench: Bench, sender: dict[str, str], identity: str
) -> None:
    bench.gateway.publish(outgoing_sms("+886900000001", "您好", **sender))
    assert bench.wire.taken[0]["OriginationIdentity"] == identity


def test_without_any_sender_the_service_is_left_to_find_its_own() -> None:
    bench = Bench(pool="")
    answer = bench.gateway.publish(SMS)
    assert answer.code == "ConflictException.NO_ORIGINATION_IDENTITIES_FOUND"
    assert "OriginationIdentity" not in bench.wire.asked[0]


def test_in_india_the_registrations_go_along(bench: Bench) -> None:
    bench.gateway.publish(outgoing_sms("+919876543210", "Hello", entity_id="1101", template="1107"))
    bench.gateway.publish(outgoing_sms("+886900000001", "您好", entity_id="1101", template="1107"))
    indian, other = bench.wire.taken
    assert indian["DestinationCountryParameters"] == {"IN_ENTITY_ID": "1101", "IN_TEMPLATE_ID": "1107"}
    assert "DestinationCountryParameters" not in other


def test_a_mail_is_no_text(bench: Bench) -> None:
    assert bench.gateway.publish(outgoing_mail()).code == "NotAnSms"
    assert bench.wire.requests == 0


def test_mainland_china_stays_with_sns(bench: Bench) -> None:
    answer = bench.gateway.publish(outgoing_sms("+8613800000000", "您好", template="CN-1"))
    assert (answer.outcome, answer.code) == (PublishOutcome.REFUSED_FOR_NOW, "ChinaNeedsSns")
    assert bench.wire.requests == 0


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (timedelta(hours=10), 36_000),
        (timedelta(seconds=5), 5),
        (timedelta(seconds=4.9), 5),
        (timedelta(hours=-1), 5),
        (timedelta(hours=72), 259_200),
        (timedelta(days=4), 259_200),
        (timedelta(seconds=59.9), 59),
    ],
)
def test_a_text_lives_until_it_lapses_within_what_the_service_takes(left: timedelta, seconds: int) -> None:
    assert seconds_to_live(LAPSES_AT + left, LAPSES_AT) == seconds


def test_the_clock_that_counts_is_that_of_the_publish_and_not_that_of_the_claim(bench: Bench) -> None:
    bench.clock.move_to(LAPSES_AT - timedelta(minutes=1))
    bench.gateway.publish(SMS)
    assert bench.wire.taken[0]["TimeToLive"] == 60


@pytest.mark.parametrize(("ours", "theirs"), [("0.20", "0.20"), ("1", "1.0"), (".5", ".5")])
def test_a_price_has_a_point_as_the_service_wants_it(ours: str, theirs: str) -> None:
    assert eum_price(ours) == theirs
