"""
Webhooks: takes what LINE and mail programs call in, and puts it on the queues.

    LINE ──> signature over the raw bytes ──┬──> what people write or press: the queue of the replies
                                            └──> blocks, follows, arrivals: the queue of channel events
    the button of a mail ──> token ────────────> the queue of the replies

Nothing is decided here, because LINE waits two seconds. What cannot be put on a queue is answered as a failure, so that
the caller calls again. Neither bodies nor tokens are logged.
"""

import json
from collections.abc import Collection
from datetime import timedelta

from dunning.contracts.channel_message import channel_message_body, wish_body
from dunning.contracts.http_call import HttpAnswer, HttpCall
from dunning.contracts.line_event import is_signed_by_line, parse_line_events
from dunning.contracts.unsubscribe import parse_unsubscribe
from dunning.domain.errors import DunningError, ServiceCallError, UnreadableRecordError
from dunning.ports.clock import Clock
from dunning.ports.queues import DelayQueue
from dunning.ports.secret_store import UNSUBSCRIBE_KEY, SecretStore, line_secret
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.unsubscribe_page import ASK, NOT_NOW, NOT_OURS, TAKEN_DOWN

MOST_BODY_BYTES = 128 * 1024
"""A webhook of LINE has a few kilobytes. Larger ones are refused: a message on a queue holds 256."""

_AT_ONCE = timedelta()
_NOT_IN_A_QUEUE = {0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
"""Signs that JSON may hold, and no message of a queue."""


class WebhookService:
    """Answers calls from outside."""

    def __init__(
        self,
        *,
        secrets: SecretStore,
        replies: DelayQueue,
        channel_events: DelayQueue,
        line_lenders: Collection[str],
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._secrets = secrets
        self._replies = replies
        self._channel_events = channel_events
        self._line_lenders = frozenset(line_lenders)
        self._clock = clock
        self._telemetry = telemetry

    def answer(self, call: HttpCall) -> HttpAnswer:
        """Answer a call by the route that it came in by."""
        match call.route:
            case "POST /line/{lender}":
                return self._line(call.parameters.get("lender", ""), call)
            case "GET /unsubscribe/{token}":
                return ASK
            case "POST /unsubscribe/{token}":
                return self._unsubscribe(call.parameters.get("token", ""), call)
            case _:
                return self._refused(404, "route")

    def _line(self, lender: str, call: HttpCall) -> HttpAnswer:
        """Take a webhook of LINE, if it is signed with the secret of the lender's channel."""
        if lender not in self._line_lenders:
            return self._refused(403, "lender")
        if len(call.body) > MOST_BODY_BYTES:
            return self._refused(413, "size")
        try:
            secret = self._secrets.secret(line_secret(lender))
        except ServiceCallError as error:
            return self._failed(error, HttpAnswer(503))
        if not is_signed_by_line(call.body, call.headers.get("x-line-signature", ""), secret):
            return self._refused(403, "signature")
        try:
            self._hand_on(call.body)
        except DunningError as error:
            return self._failed(error, HttpAnswer(503))
        return HttpAnswer(200)

    def _hand_on(self, body: bytes) -> None:
        """Put a webhook on the queues that want it; what cannot be read on that of channel events, which parks it."""
        try:
            events = parse_line_events(body, self._clock.now())
        except UnreadableRecordError:
            self._channel_events.send_with_delay([json.dumps(body.decode("utf-8", "backslashreplace"))], _AT_ONCE)
            return
        if events.messages:
            self._replies.send_with_delay([channel_message_body(each) for each in events.messages], _AT_ONCE)
        if events.receipts or events.wishes or events.unreadable:
            self._channel_events.send_with_delay([body.decode().translate(_NOT_IN_A_QUEUE)], _AT_ONCE)

    def _unsubscribe(self, token: str, call: HttpCall) -> HttpAnswer:
        """Take down that somebody has pressed the button for no more mail, if the token in its address is ours."""
        try:
            secret = self._secrets.secret(UNSUBSCRIBE_KEY)
            wish = parse_unsubscribe(token, call.body, secret, self._clock.now())
            self._replies.send_with_delay([wish_body(wish)], _AT_ONCE)
        except UnreadableRecordError:
            self._refused(404, "token or body")
            return NOT_OURS
        except DunningError as error:
            return self._failed(error, NOT_NOW)
        return TAKEN_DOWN

    def _refused(self, status: int, why: str) -> HttpAnswer:
        self._telemetry.log_event(LogEvent.WEBHOOK_REFUSED, why=why, status=status)
        self._telemetry.count(Metric.WEBHOOKS_REFUSED)
        return HttpAnswer(status)

    def _failed(self, error: DunningError, answer: HttpAnswer) -> HttpAnswer:
        code = error.code if isinstance(error, ServiceCallError) else ""
        self._telemetry.log_event(LogEvent.WEBHOOK_FAILED, error=type(error).__name__, code=code)
        self._telemetry.count(Metric.WEBHOOKS_FAILED)
        return answer
