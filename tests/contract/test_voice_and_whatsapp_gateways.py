"""Voice and WhatsApp: what is asked of the services, and that no error of theirs is without a class."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.session import get_session

from dunning.adapters.eum_voice import EumVoiceGateway
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.whatsapp import META_API_VERSION, SOCIAL_BUSY, SOCIAL_OURS, SOCIAL_UNKNOWN, WhatsAppGateway
from dunning.contracts.claim_marks import claim_of_marks
from dunning.domain.delivery.receipt import ClaimKey
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing
from tests.local.channels import eum
from tests.local.channels.eum import EumAtTheWire
from tests.local.channels.whatsapp import WhatsAppAtTheWire, meta_message
from tests.local.channels.wire import Refusal
from tests.support.fakes import FakeClock
from tests.support.outgoing import (
    CLAIM_ID,
    CLAIMED_AT,
    LAPSES_AT,
    SEND_ID,
    SPEECH,
    WHATSAPP,
    outgoing_call,
    outgoing_sms,
    outgoing_whatsapp,
)

CLAIM = ClaimKey("C0001", CLAIM_ID, SEND_ID, CLAIMED_AT)
SOON, AFTER_REPAIR = timedelta(minutes=1), timedelta(hours=1)


class CallBench:
    """The gateway for calls, and the service behind it."""

    def __init__(self) -> None:
        client: Any = boto3.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
        self.wire = EumAtTheWire(client, FakeClock().now(), "SendVoiceMessage")
        self.gateway = EumVoiceGateway(client, FakeClock(), "reminders")


class WhatsAppBench:
    """The gateway for WhatsApp, and the service behind it."""

    def __init__(self) -> None:
        client: Any = boto3.client("socialmessaging", config=PUBLISH_ONCE)
        self.wire = WhatsAppAtTheWire(client, FakeClock().now(), "before_3")
        self.gateway = WhatsAppGateway(client)


class TestVoice:
    """Calls."""

    @pytest.fixture
    def bench(self) -> CallBench:
        return CallBench()

    def test_a_call_says_all_that_the_service_should_know(self, bench: CallBench) -> None:
        bench.gateway.publish(outgoing_call()._replace(max_price="0.1"))
        (request,) = bench.wire.taken
        assert claim_of_marks(request.pop("Context")) == CLAIM
        assert request == {
            "DestinationPhoneNumber": "+886900000001",
            "OriginationIdentity": SPEECH.origination_number,
            "MessageBody": SPEECH.text,
            "MessageBodyTextType": "TEXT",
            "VoiceId": "ZHIYU",
            "ConfigurationSetName": "reminders",
            "TimeToLive": (LAPSES_AT - CLAIMED_AT) // timedelta(seconds=1),
            "MaxPricePerMinute": "0.1",
        }

    def test_a_number_that_was_called_enough_today_is_called_tomorrow(self, bench: CallBench) -> None:
        bench.wire.will(eum.quota("DAILY_DESTINATION_CALL_LIMIT"))
        answer = bench.gateway.publish(outgoing_call())
        assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, timedelta(days=1))

    def test_a_voice_that_the_service_does_not_have_is_ours_to_repair(self, bench: CallBench) -> None:
        answer = bench.gateway.publish(outgoing_call(body=SPEECH._replace(voice="NOBODY")))
        assert answer.code == "ValidationException.FIELD_VALIDATION_FAILED"
        assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR)

    @pytest.mark.parametrize(
        ("outgoing", "code"),
        [
            (outgoing_sms("+886900000001", "您好"), "NotACall"),
            (outgoing_call("+8613800000000"), "ChinaWithoutCalls"),
            (outgoing_call(body=SPEECH._replace(voice="")), "NoNumberOrVoice"),
            (outgoing_call(body=SPEECH._replace(origination_number="")), "NoNumberOrVoice"),
            (outgoing_call(body=SPEECH._replace(text=" ")), "SpeechEmptyOrTooLong"),
            (outgoing_call(body=SPEECH._replace(text="好" * 3001)), "SpeechEmptyOrTooLong"),
        ],
    )
    def test_what_cannot_be_spoken_is_refused_without_a_request(
        self, bench: CallBench, outgoing: Outgoing, code: str
    ) -> None:
        answer = bench.gateway.publish(outgoing)
        assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=AFTER_REPAIR)
        assert bench.wire.requests == 0


class TestWhatsApp:
    """Templates."""

    @pytest.fixture
    def bench(self) -> WhatsAppBench:
        return WhatsAppBench()

    def test_every_error_of_the_service_has_a_class_and_no_other_has(self) -> None:
        """An error that a new version of the SDK brings has to be read, and put into a class."""
        model: Any = get_session().get_service_model("socialmessaging").operation_model("SendWhatsAppMessage")
        ours = [*SOCIAL_BUSY, *SOCIAL_OURS, *SOCIAL_UNKNOWN]
        assert sorted(ours) == sorted(shape.name for shape in model.error_shapes)

    @pytest.mark.parametrize("code", sorted([*SOCIAL_BUSY, *SOCIAL_OURS, *SOCIAL_UNKNOWN, "ExpiredTokenException"]))
    def test_each_error_is_answered_by_its_class_after_one_request(self, bench: WhatsAppBench, code: str) -> None:
        bench.wire.will(Refusal(code, 502 if code in SOCIAL_UNKNOWN else 400))
        answer = bench.gateway.publish(outgoing_whatsapp())
        if code in SOCIAL_UNKNOWN:
            assert answer == Published(PublishOutcome.UNKNOWN, code=code)
        else:
            wait = SOON if code in SOCIAL_BUSY else AFTER_REPAIR
            assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, "", code, wait)
        assert bench.wire.requests == 1

    def test_a_message_is_a_template_filled_in_with_its_claim(self, bench: WhatsAppBench) -> None:
        bench.gateway.publish(outgoing_whatsapp())
        (request,) = bench.wire.taken
        message = meta_message(request)
        opaque = message.pop("biz_opaque_callback_data")
        assert claim_of_marks(json.loads(opaque)) == CLAIM
        assert len(opaque) <= 512
        assert (request["originationPhoneNumberId"], request["metaApiVersion"]) == (WHATSAPP.sender, META_API_VERSION)
        assert message == {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+886900000001",
            "type": "template",
            "template": {
                "name": "before_3",
                "language": {"code": "zh_TW"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": text} for text in WHATSAPP.parameters]}
                ],
            },
        }

    def test_the_longest_ids_still_fit_into_what_meta_hands_back(self, bench: WhatsAppBench) -> None:
        bench.gateway.publish(outgoing_whatsapp()._replace(customer_id=":" * 64, send_id=f"{SEND_ID}-again"))
        assert len(meta_message(bench.wire.taken[0])["biz_opaque_callback_data"]) <= 512

    def test_half_a_character_in_a_name_breaks_nothing(self, bench: WhatsAppBench) -> None:
        halved = outgoing_whatsapp(body=WHATSAPP._replace(parameters=("王\ud83d",)))
        assert bench.gateway.publish(halved).outcome is PublishOutcome.ACCEPTED

    def test_a_template_without_parameters_has_no_components(self, bench: WhatsAppBench) -> None:
        bench.gateway.publish(outgoing_whatsapp(body=WHATSAPP._replace(parameters=())))
        assert "components" not in meta_message(bench.wire.taken[0])["template"]

    def test_a_template_that_meta_has_not_approved_is_ours_to_repair(self, bench: WhatsAppBench) -> None:
        answer = bench.gateway.publish(outgoing_whatsapp()._replace(registered_template="after_30"))
        assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, "", "InvalidParametersException", AFTER_REPAIR)

    @pytest.mark.parametrize(
        ("outgoing", "code"),
        [
            (outgoing_sms("+886900000001", "您好"), "NotForWhatsApp"),
            (outgoing_whatsapp()._replace(registered_template="Before 3"), "NoApprovedTemplate"),
            (outgoing_whatsapp(body=WHATSAPP._replace(language="zh-Hant")), "NoApprovedTemplate"),
            (outgoing_whatsapp(body=WHATSAPP._replace(sender="")), "NoSenderOrEmptyParameter"),
            (outgoing_whatsapp(body=WHATSAPP._replace(parameters=("王*明", ""))), "NoSenderOrEmptyParameter"),
        ],
    )
    def test_what_is_no_approved_message_is_refused_without_a_request(
        self, bench: WhatsAppBench, outgoing: Outgoing, code: str
    ) -> None:
        answer = bench.gateway.publish(outgoing)
        assert answer == Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=AFTER_REPAIR)
        assert bench.wire.requests == 0
