"""
Calls by AWS End User Messaging: a machine speaks a text to whoever answers.

The service does not know who has answered, and hears nothing. So what is said must be nothing but whom to call, and
every jurisdiction keeps the channel off until a lender accepts that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning.adapters.eum_answers import eum_price, eum_refusal, seconds_to_live
from dunning.adapters.one_request import AFTER_REPAIR, not_taken, publish_once
from dunning.contracts.claim_marks import claim_marks
from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Published
from dunning.ports.outgoing import Outgoing, SpokenBody

if TYPE_CHECKING:
    from dunning.adapters.eum_answers import EumClient
    from dunning.ports.clock import Clock

_CHINA = "+86"
_LONGEST_SPEECH = 3000


class EumVoiceGateway:
    """Implements `Gateway`. The client must be made with `PUBLISH_ONCE`. `configuration_set` leads the events."""

    channel = Channel.VOICE
    name = "eum_voice"
    repeatable = False

    def __init__(self, client: EumClient, clock: Clock, configuration_set: str) -> None:
        self._client = client
        self._clock = clock
        self._configuration_set = configuration_set

    def publish(self, outgoing: Outgoing) -> Published:
        """Publish once and class the answer."""
        body = outgoing.body
        if not isinstance(body, SpokenBody):
            return not_taken("NotACall", AFTER_REPAIR)
        if outgoing.address.startswith(_CHINA):
            return not_taken("ChinaWithoutCalls", AFTER_REPAIR)
        if not body.origination_number or not body.voice:
            return not_taken("NoNumberOrVoice", AFTER_REPAIR)
        if not body.text.strip() or len(body.text) > _LONGEST_SPEECH:
            return not_taken("SpeechEmptyOrTooLong", AFTER_REPAIR)

        def send() -> str:
            answer = self._client.send_voice_message(**self._request(outgoing, body))
            message_id: str = answer.get("MessageId", "")
            return message_id

        return publish_once(send, eum_refusal)

    def _request(self, outgoing: Outgoing, body: SpokenBody) -> dict[str, Any]:
        request: dict[str, Any] = {
            "DestinationPhoneNumber": outgoing.address,
            "OriginationIdentity": body.origination_number,
            "MessageBody": body.text,
            "MessageBodyTextType": "TEXT",
            "VoiceId": body.voice,
            "ConfigurationSetName": self._configuration_set,
            "TimeToLive": seconds_to_live(outgoing.lapses_at, self._clock.now()),
            "Context": claim_marks(outgoing),
        }
        if outgoing.max_price:
            request["MaxPricePerMinute"] = eum_price(outgoing.max_price)
        return request
