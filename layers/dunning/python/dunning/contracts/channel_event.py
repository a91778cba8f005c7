"""
Channel events: messages of the queue on which the topics of the services and the webhook of LINE put their events.

Whose event it is, it says itself: each service has members that no other has.
"""

from pydantic import ValidationError

from dunning.contracts.eum_event import parse_eum_event
from dunning.contracts.line_event import parse_line_events
from dunning.contracts.notification import unwrapped
from dunning.contracts.ses_event import parse_ses_event
from dunning.contracts.whatsapp_event import parse_whatsapp_event
from dunning.domain.delivery.channel_events import ChannelEvents
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.queues import InboundMessage


def parse_channel_events(message: InboundMessage) -> ChannelEvents:
    """
    Read an event of a service, in whatever SNS and SQS have wrapped it, or a webhook of LINE as it came.

    What people write to LINE is left out: the webhook has put it on the queue of the replies already.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    body, sent_at = message.body, message.sent_at
    try:
        payload, _ = unwrapped(body, sent_at)
    except (ValidationError, ValueError, RecursionError):
        raise UnreadableRecordError("no event of a channel: body") from None
    match payload:
        case {"whatsAppWebhookEntry": _}:
            return parse_whatsapp_event(body, sent_at)
        case {"destination": _, "events": _}:
            return parse_line_events(body.encode(), sent_at)._replace(messages=())
        case {"mail": _}:
            return parse_ses_event(body, sent_at)
        case {"eventType": _, "messageId": _}:
            return parse_eum_event(body, sent_at)
        case _:
            raise UnreadableRecordError("no event of a channel: of no service we know")
