"""
SMS by AWS End User Messaging.

Beside SNS it keeps to a time to live, so that a text that waits at a carrier never arrives at night, and hands the
claim back with each event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning.adapters.eum_answers import eum_price, eum_refusal, seconds_to_live
from dunning.adapters.one_request import AFTER_REPAIR, not_taken, publish_once
from dunning.contracts.claim_marks import claim_marks
from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Published
from dunning.ports.outgoing import Outgoing, SmsBody

if TYPE_CHECKING:
    from dunning.adapters.eum_answers import EumClient
    from dunning.ports.clock import Clock

_CHINA, _INDIA = "+86", "+91"


class EumSmsGateway:
    """
    Implements `Gateway`. The client must be made with `PUBLISH_ONCE`.

    `configuration_set` leads the events to their topic. `pool` is the sender of texts that name none.
    """

    channel = Channel.SMS
    name = "eum"
    repeatable = False

    def __init__(self, client: EumClient, clock: Clock, configuration_set: str, pool: str = "") -> None:
        self._client = client
        self._clock = clock
        self._configuration_set = configuration_set
        self._pool = pool

    def publish(self, outgoing: Outgoing) -> Published:
        """Publish once and class the answer."""
        body = outgoing.body
        if not isinstance(body, SmsBody):
            return not_taken("NotAnSms", AFTER_REPAIR)
        if outgoing.address.startswith(_CHINA):
            # The service has no parameter for China's registered templates: SNS has.
            return not_taken("ChinaNeedsSns", AFTER_REPAIR)

        def send() -> str:
            answer = self._client.send_text_message(**self._request(outgoing, body))
            message_id: str = answer.get("MessageId", "")
            return message_id

        return publish_once(send, eum_refusal)

    def _request(self, outgoing: Outgoing, body: SmsBody) -> dict[str, Any]:
        request: dict[str, Any] = {
            "DestinationPhoneNumber": outgoing.address,
            "MessageBody": body.text,
            "MessageType": "TRANSACTIONAL",
            "ConfigurationSetName": self._configuration_set,
            "TimeToLive": seconds_to_live(outgoing.lapses_at, self._clock.now()),
            "Context": claim_marks(outgoing),
        }
        if sender := body.origination_number or body.sender_id or self._pool:
            request["OriginationIdentity"] = sender
        if outgoing.max_price:
            request["MaxPrice"] = eum_price(outgoing.max_price)
        if outgoing.address.startswith(_INDIA):
            registered = {"IN_ENTITY_ID": body.entity_id, "IN_TEMPLATE_ID": outgoing.registered_template}
            request["DestinationCountryParameters"] = {name: value for name, value in registered.items() if value}
        return request
