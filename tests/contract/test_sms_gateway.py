"""The way to the carrier: one request a text, and what is known about it afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.sns import SnsGateway
from dunning.ports.gateways import Gateway, Published, PublishOutcome
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Answer, Requests, error, no_answer
from tests.support.fakes import FakeGateway
from tests.support.outgoing import outgoing_sms
from tests.support.stand_in import Engine

SMS = outgoing_sms("+886900000001", "【示範分期】王*明您好", sender_id="DEMOFIN", max_price="0.20")
SOON, AFTER_REPAIR = timedelta(minutes=1), timedelta(hours=1)
_ABOUT_THE_NUMBER = "Invalid parameter: PhoneNumber Reason: +886900000001 is not valid to publish to"

ANSWERS: dict[PublishOutcome, Answer] = {
    PublishOutcome.REFUSED_FOR_GOOD: error("InvalidParameter", 400, _ABOUT_THE_NUMBER),
    PublishOutcome.REFUSED_FOR_NOW: error("Throttling", 400),
    PublishOutcome.UNKNOWN: error("InternalError", 500),
}


@dataclass
class Carrier:
    """A gateway whose next answer can be chosen; `requests` counts how often the carrier was asked."""

    gateway: Gateway
    will_answer: Callable[[PublishOutcome], None]
    requests: Callable[[], int]


@pytest.fixture(params=["fake", "moto"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    if request.param == "fake":
        fake = FakeGateway()
        return Carrier(
            fake,
            lambda outcome: fake.answers.append(Published(outcome, code="some code")),
            lambda: len(fake.published),
        )
    requests: Requests = request.getfixturevalue("requests")
    return Carrier(
        SnsGateway(boto3.client("sns", config=PUBLISH_ONCE)),
        lambda outcome: requests.answer("sns.Publish", ANSWERS[outcome]),
        lambda: requests.sent["sns.Publish"],
    )


@pytest.mark.stand_in
def test_a_text_arrives_at_the_stand_in_as_it_was_published_and_once(stand_in: Engine) -> None:
    before = len(stand_in.texts())
    answer = SnsGateway(boto3.client("sns", config=PUBLISH_ONCE)).publish(SMS)
    (text,) = stand_in.texts()[before:]
    assert answer == Published(PublishOutcome.ACCEPTED, message_id=text["MessageId"])
    assert (text["PhoneNumber"], text["Message"]) == (SMS.address, SMS.body.text)


@pytest.fixture
def gateway(requests: Requests) -> SnsGateway:
    del requests
    return SnsGateway(boto3.client("sns", config=PUBLISH_ONCE))


def test_an_accepted_text_has_a_message_id_of_its_own(carrier: Carrier) -> None:
    first, second = carrier.gateway.publish(SMS), carrier.gateway.publish(SMS)
    assert first.outcome is second.outcome is PublishOutcome.ACCEPTED
    assert first.message_id
    assert second.message_id not in {"", first.message_id}
    assert carrier.requests() == 2


@pytest.mark.parametrize("outcome", list(ANSWERS))
def test_whatever_sns_answers_it_is_asked_once_and_its_code_is_returned(
    carrier: Carrier, outcome: PublishOutcome
) -> None:
    carrier.will_answer(outcome)
    answer = carrier.gateway.publish(SMS)
    assert answer.outcome is outcome
    assert answer.code
    assert not answer.message_id
    assert carrier.requests() == 1


class TestOnSns:
    """How SNS's answers are understood."""

    def test_everything_a_text_needs_is_said_explicitly(self, gateway: SnsGateway, cloud: LocalCloud) -> None:
        gateway.publish(SMS)
        chinese = outgoing_sms("+8613800000000", "x", origination_number="+18005550100", entity_id="E1", template="T1")
        gateway.publish(chinese)
        named, registered = cloud.outbox
        assert (named.to, named.text) == (SMS.address, SMS.body.text)
        assert named.attributes == {
            "AWS.SNS.SMS.SMSType": "Transactional",
            "AWS.SNS.SMS.SenderID": "DEMOFIN",
            "AWS.SNS.SMS.MaxPrice": "0.20",
        }
        assert registered.attributes == {
            "AWS.SNS.SMS.SMSType": "Transactional",
            "AWS.MM.SMS.OriginationNumber": "+18005550100",
            "AWS.MM.SMS.EntityId": "E1",
            "AWS.MM.SMS.TemplateId": "T1",
        }

    @pytest.mark.parametrize(
        ("code", "status", "message", "outcome", "retry_after"),
        [
            ("InvalidParameter", 400, _ABOUT_THE_NUMBER, PublishOutcome.REFUSED_FOR_GOOD, None),
            ("ParameterValueInvalid", 400, "PhoneNumber", PublishOutcome.REFUSED_FOR_GOOD, None),
            ("OptedOut", 400, "", PublishOutcome.REFUSED_FOR_GOOD, None),
            ("Throttling", 400, "Rate exceeded", PublishOutcome.REFUSED_FOR_NOW, SOON),
            ("ThrottledException", 429, "", PublishOutcome.REFUSED_FOR_NOW, SOON),
            ("KMSThrottling", 400, "", PublishOutcome.REFUSED_FOR_NOW, SOON),
            ("TooManyRequests", 429, "", PublishOutcome.REFUSED_FOR_NOW, SOON),
            ("ServiceUnavailable", 503, "", PublishOutcome.REFUSED_FOR_NOW, SOON),
            ("Whatever", 503, "", PublishOutcome.REFUSED_FOR_NOW, SOON),
            (
                "InvalidParameter",
                400,
                "Invalid parameter: Message too long",
                PublishOutcome.REFUSED_FOR_NOW,
                AFTER_REPAIR,
            ),
            ("AuthorizationError", 403, "", PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            ("ExpiredToken", 403, "", PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            ("KMSDisabled", 400, "", PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR),
            ("InternalError", 500, "", PublishOutcome.UNKNOWN, None),
            ("Whatever", 502, "", PublishOutcome.UNKNOWN, None),
            ("GatewayTimeout", 504, "", PublishOutcome.UNKNOWN, None),
        ],
    )
    def test_an_error_answer_is_classed_by_whether_the_text_was_taken(
        self,
        gateway: SnsGateway,
        requests: Requests,
        code: str,
        status: int,
        message: str,
        outcome: PublishOutcome,
        retry_after: timedelta | None,
    ) -> None:
        requests.answer("sns.Publish", error(code, status, message))
        answer = gateway.publish(SMS)
        assert (answer.outcome, answer.code) == (outcome, code)
        if retry_after is not None:
            assert answer.retry_after == retry_after
        assert requests.sent == {"sns.Publish": 1}

    @pytest.mark.parametrize(
        ("failure", "outcome"),
        [
            (ReadTimeoutError(endpoint_url="sns"), PublishOutcome.UNKNOWN),
            (ConnectionClosedError(endpoint_url="sns"), PublishOutcome.UNKNOWN),
            (HTTPClientError(error="reset by peer"), PublishOutcome.UNKNOWN),
            (SSLError(endpoint_url="sns", error=OSError("broken")), PublishOutcome.UNKNOWN),
            # No connection, so no request.
            (ConnectTimeoutError(endpoint_url="sns"), PublishOutcome.REFUSED_FOR_NOW),
            (EndpointConnectionError(endpoint_url="sns"), PublishOutcome.REFUSED_FOR_NOW),
        ],
    )
    def test_without_an_answer_the_outcome_is_unknown_unless_nothing_was_sent(
        self, gateway: SnsGateway, requests: Requests, failure: Exception, outcome: PublishOutcome
    ) -> None:
        requests.answer("sns.Publish", no_answer(failure))
        answer = gateway.publish(SMS)
        assert (answer.outcome, answer.code) == (outcome, type(failure).__name__)
        assert requests.sent == {"sns.Publish": 1}

    def test_a_text_whose_answer_is_lost_is_sent_once(
        self, gateway: SnsGateway, requests: Requests, cloud: LocalCloud
    ) -> None:
        requests.answer("sns.Publish", no_answer(ReadTimeoutError(endpoint_url="sns"), worked_on=True))
        assert gateway.publish(SMS).outcome is PublishOutcome.UNKNOWN
        assert requests.sent == {"sns.Publish": 1}
        assert not cloud.outbox

    def test_an_answer_that_makes_no_sense_leaves_the_outcome_unknown(
        self, gateway: SnsGateway, requests: Requests
    ) -> None:
        requests.answer("sns.Publish", error("<", 500, "<"))
        assert gateway.publish(SMS).outcome is PublishOutcome.UNKNOWN

    def test_no_code_quotes_the_number_or_the_text(self, gateway: SnsGateway, requests: Requests) -> None:
        requests.answer("sns.Publish", error("InvalidParameter", 400, f"{_ABOUT_THE_NUMBER} {SMS.body.text}"))
        answer = gateway.publish(SMS)
        assert SMS.address not in repr(answer)
        assert SMS.body.text not in repr(answer)
