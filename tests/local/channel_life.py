"""
What becomes of mails, messages on LINE and texts of End User Messaging, and what people do about them.

The services report on their topics, LINE and mail programs call the webhooks: all of it comes in as it does in AWS. Of
the sample's people some play a part, so that events of every kind happen in each run. Of everybody else's customers
nothing is made up: mails and texts arrive, and LINE says nothing of a message that it has taken.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from dunning.domain.customer.facts import Facts
from dunning.domain.delivery.channels import Channel
from dunning.domain.replies.intents import ReplyIntent
from dunning.policy import PolicyBook
from tests.local.cloud import LocalCloud
from tests.local.people import Answer, WrittenReply, moved_to, replies_for
from tests.local.sent import SentMessage


class Part(StrEnum):
    """What somebody of the sample does, or what happens to their messages."""

    MAILBOX_GONE = "mailbox_gone"
    MAILBOX_FULL = "mailbox_full"
    MARKS_AS_UNWANTED = "marks_as_unwanted"
    UNSUBSCRIBES = "unsubscribes"
    STOPS_IN_WORDS = "stops_in_words"
    PRESSES_STOP = "presses_stop"
    PRESSES_PAID = "presses_paid"
    PRESSES_HARDSHIP = "presses_hardship"
    SENDS_STICKER = "sends_sticker"
    BLOCKS = "blocks"
    BLOCKS_AND_RETURNS = "blocks_and_returns"
    NO_FRIEND = "no_friend"
    ANSWER_LOST = "answer_lost"
    PHONE_OFF = "phone_off"
    NOTHING_SPECIAL = "nothing_special"


BUTTONS: Mapping[Part, ReplyIntent] = {
    Part.PRESSES_STOP: ReplyIntent.OPT_OUT,
    Part.PRESSES_PAID: ReplyIntent.PAID,
    Part.PRESSES_HARDSHIP: ReplyIntent.HARDSHIP,
}
"""The buttons that are pressed, by what they mean."""

NO_MORE_MAIL = "no_more_mail"
"""What stands for the button of a mail program, which has no code."""

_UNTIL_DELIVERED = timedelta(seconds=4)
_UNTIL_BOUNCED = timedelta(seconds=40)
_UNTIL_GIVEN_UP = timedelta(hours=14)
_UNTIL_UNWANTED = timedelta(hours=3)
_UNTIL_BUTTON = timedelta(minutes=25)
_UNTIL_BACK = timedelta(days=4)
_REDELIVERED_AFTER = timedelta(minutes=1)


class CameBack(NamedTuple):
    """Something that came in about a message, or from a person, and on which channel."""

    at: datetime
    channel: str
    kind: str
    customer_id: str


class ChannelLife:
    """
    What services report and what people do. `came_back` has all of it, in the order in which it came in.

    Args:
        cloud: the embedded AWS.
        book: the policies.
        facts_of: finds the customer of an address; `None` if there is none any more.
        at: takes down what is to happen later.
        parts: what customers of the sample play, by their ids.
        wrote: told of words of the corpus, by their ids, with what they mean.
    """

    def __init__(
        self,
        *,
        cloud: LocalCloud,
        book: PolicyBook,
        facts_of: Callable[[str], Facts | None],
        at: Callable[[datetime, Callable[[], object]], None],
        parts: Mapping[str, Part],
        wrote: Callable[[str, WrittenReply], None],
    ) -> None:
        self._cloud = cloud
        self._book = book
        self._facts_of = facts_of
        self._at = at
        self._parts = parts
        self._wrote = wrote
        self._nth: Counter[tuple[str, str]] = Counter()
        self.came_back: list[CameBack] = []

    def meet(self, facts: Facts) -> None:
        """Let LINE know of a customer what it knows before the first message."""
        if not self._cloud.providers.needed.line_lenders:
            return
        match self._parts.get(facts.customer_id):
            case Part.NO_FRIEND:
                self._cloud.providers.line.strangers.add(facts.line_user_id or "")
            case Part.ANSWER_LOST:
                self._cloud.providers.line.loses_first_answer.add(facts.line_user_id or "")

    def hear(self, message: SentMessage) -> None:
        """Take down what follows from a message that a service has taken."""
        facts = self._facts_of(message.to)
        if facts is None:
            return
        part = self._parts.get(facts.customer_id, Part.NOTHING_SPECIAL)
        self._nth[facts.customer_id, message.channel] += 1
        is_first = self._nth[facts.customer_id, message.channel] == 1
        match message.gateway:
            case "eum":
                self._text(message, facts, part if is_first else Part.NOTHING_SPECIAL)
            case "ses":
                self._mail(message, facts, part if is_first else Part.NOTHING_SPECIAL)
            case "line" if is_first:
                self._bubble(message, facts, part)
            case "line_notification":
                self._notice(message, facts)

    # ------------------------------------------------------------ texts

    def _text(self, message: SentMessage, facts: Facts, part: Part) -> None:
        self._report_text(message, facts, "PENDING", timedelta(seconds=1), final=False)
        if part is Part.PHONE_OFF:
            self._report_text(message, facts, "TTL_EXPIRED", timedelta(seconds=int(message.attributes["seconds"])))
        else:
            self._report_text(message, facts, "DELIVERED", _UNTIL_DELIVERED)

    def _report_text(
        self, message: SentMessage, facts: Facts, kind: str, after: timedelta, *, final: bool = True
    ) -> None:
        texts = self._cloud.providers.texts
        number = self._cloud.providers.numbers[message.message_id]

        def report() -> None:
            texts.now = message.at
            self._service_reports("EumTopic", texts.reported(number, kind, after=after, final=final))

        self._later(message.at + after, Channel.SMS, kind.lower(), facts, report)

    # ------------------------------------------------------------ mails

    def _mail(self, message: SentMessage, facts: Facts, part: Part) -> None:
        self._report_mail(message, facts, "Send", timedelta(seconds=1))
        match part:
            case Part.MAILBOX_GONE | Part.BLOCKS:
                self._bounce(message, facts, "Permanent", "General", _UNTIL_BOUNCED)
            case Part.MAILBOX_FULL:
                delay = {"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": message.to}]}
                self._report_mail(message, facts, "DeliveryDelay", timedelta(hours=1), delay)
                self._bounce(message, facts, "Transient", "MailboxFull", _UNTIL_GIVEN_UP)
            case _:
                arrived = {"smtpResponse": "250 2.0.0 OK", "recipients": [message.to]}
                self._report_mail(message, facts, "Delivery", _UNTIL_DELIVERED, arrived)
        match part:
            case Part.MARKS_AS_UNWANTED:
                feedback_id, recipients = f"feedback-{message.message_id}", [{"emailAddress": message.to}]
                unwanted = {"feedbackId": feedback_id, "complainedRecipients": recipients}
                self._report_mail(message, facts, "Complaint", _UNTIL_UNWANTED, unwanted)
            case Part.UNSUBSCRIBES:
                self._unsubscribe(message, facts)

    def _bounce(self, message: SentMessage, facts: Facts, kind: str, subtype: str, after: timedelta) -> None:
        bounce = {
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": [{"emailAddress": message.to, "action": "failed"}],
        }
        self._report_mail(message, facts, "Bounce", after, bounce)

    def _report_mail(
        self, message: SentMessage, facts: Facts, kind: str, after: timedelta, details: Mapping[str, Any] | None = None
    ) -> None:
        mails = self._cloud.providers.mails
        number = self._cloud.providers.numbers[message.message_id]

        def report() -> None:
            mails.now = message.at
            self._service_reports("SesTopic", mails.reported(number, kind, details, after))

        words = {"Send": "sent", "Delivery": "delivered", "DeliveryDelay": "delayed", "Complaint": "complaint"}
        what = words.get(kind) or ("bounce" if details and details["bounceType"] == "Permanent" else "mailbox_full")
        self._later(message.at + after, Channel.EMAIL, what, facts, report)

    def _unsubscribe(self, message: SentMessage, facts: Facts) -> None:
        """Let a program that looks through mails open the address of the button, and later the person press it."""
        opened = partial(self._call, "GET /unsubscribe/{token}", _token_of(message))
        self._later(message.at + _UNTIL_BOUNCED, Channel.EMAIL, "button_opened", facts, opened)
        self._at(message.at + _UNTIL_BUTTON, partial(self.press_no_more_mail, message, facts))

    def press_no_more_mail(self, message: SentMessage, facts: Facts) -> None:
        """Let a customer press the button that a mail program shows beside a mail."""
        self._note(self._cloud.clock.now(), Channel.EMAIL, "unsubscribed", facts)
        form = {"content-type": "application/x-www-form-urlencoded"}
        self._call("POST /unsubscribe/{token}", _token_of(message), b"List-Unsubscribe=One-Click", form)

    # ------------------------------------------------------------ LINE

    def _bubble(self, message: SentMessage, facts: Facts, part: Part) -> None:
        moment = message.at + _UNTIL_BUTTON
        match part:
            case Part.STOPS_IN_WORDS:
                written = self._words_of(facts, ReplyIntent.OPT_OUT, moment)
                self._at(moment, partial(self.write_on_line, facts, written.text, written))
            case Part.PRESSES_STOP | Part.PRESSES_PAID | Part.PRESSES_HARDSHIP:
                self._at(moment, partial(self.press_on_line, facts, BUTTONS[part].value, redelivered=True))
            case Part.SENDS_STICKER:
                sticker = {"id": "1", "type": "sticker", "packageId": "446", "stickerId": "1988"}
                self._at(moment, partial(self._line_event, facts, "sticker", "message", message=sticker))
            case Part.BLOCKS | Part.BLOCKS_AND_RETURNS:
                self._at(moment, partial(self._line_event, facts, "block", "unfollow"))
                if part is Part.BLOCKS_AND_RETURNS:
                    follow = {"isUnblocked": True}
                    self._at(moment + _UNTIL_BACK, partial(self._line_event, facts, "follow", "follow", follow=follow))

    def _notice(self, message: SentMessage, facts: Facts) -> None:
        arrived = {"data": message.attributes["tag"]}
        self._at(
            message.at + _UNTIL_DELIVERED, partial(self._line_event, facts, "delivered", "delivery", delivery=arrived)
        )

    def answer(self, answer: Answer, facts: Facts) -> None:
        """Let somebody answer on LINE."""
        self._at(answer.at, partial(self.write_on_line, facts, answer.written.text, answer.written))

    def write_on_line(self, facts: Facts, text: str, written: WrittenReply | None = None) -> None:
        """Let a customer write to the lender's account on LINE now."""
        message = {"id": "1", "type": "text", "text": text, "quoteToken": "q"}
        event_id = self._line_event(facts, "words", "message", message=message)
        if written is not None:
            self._wrote(event_id, written)

    def press_on_line(self, facts: Facts, code: str, *, redelivered: bool = False) -> None:
        """Let a customer press a button now. LINE may tell of it twice."""
        self._line_event(facts, "button", "postback", again=redelivered, postback={"data": code})

    def _line_event(self, facts: Facts, what: str, kind: str, *, again: bool = False, **details: Any) -> str:  # noqa: ANN401 - of an event
        """Let LINE tell of something that happens now; return its id."""
        line, now = self._cloud.providers.line, self._cloud.clock.now()
        user_id = "" if kind == "delivery" else facts.line_user_id or ""
        event = line.event(kind, user_id, now, **details)
        self._note(now, Channel.LINE, what, facts)
        self._line_calls(facts, event)
        if again:
            repeated = {**event, "deliveryContext": {"isRedelivery": True}}
            self._at(now + _REDELIVERED_AFTER, partial(self._line_calls, facts, repeated))
        return str(event["webhookEventId"])

    def _line_calls(self, facts: Facts, event: Mapping[str, object]) -> None:
        body, signature = self._cloud.providers.line.webhook(event)
        self._call("POST /line/{lender}", {"lender": facts.lender}, body, {"x-line-signature": signature})

    # ------------------------------------------------------------ all

    def _words_of(self, facts: Facts, intent: ReplyIntent, moment: datetime) -> WrittenReply:
        """Return the shortest words of the corpus that mean this and nothing else."""
        day = moment.date()
        found = replies_for(intent, facts.language, facts.phone_country, day)
        plain = [reply for reply in found if reply.intents == (intent,)] or found
        return moved_to(min(plain, key=lambda reply: (len(reply.text), reply.text)), day)

    def _later(
        self, moment: datetime, channel: Channel, what: str, facts: Facts, happening: Callable[[], object]
    ) -> None:
        def happens() -> None:
            self._note(moment, channel, what, facts)
            happening()

        self._at(moment, happens)

    def _note(self, moment: datetime, channel: Channel, what: str, facts: Facts) -> None:
        self.came_back.append(CameBack(moment, channel.value, what, facts.customer_id))

    def _service_reports(self, topic: str, event: str) -> None:
        self._cloud.service_reports(topic, event)

    def _call(
        self, route: str, parameters: Mapping[str, str], body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self._cloud.call_webhook(route, parameters, body, headers)


def _token_of(mail: SentMessage) -> Mapping[str, str]:
    """Return what the address of a mail's button has in its places."""
    return {"token": mail.attributes["List-Unsubscribe"].strip("<>").rpartition("/")[2]}
