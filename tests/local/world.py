"""
The world around the embedded AWS: a lender whose customers pay, a carrier that delivers, people who write back.

What is to happen is kept by time; between two happenings the schedule ticks as long as somebody is due.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from dunning.adapters.dynamodb import items
from dunning.adapters.dynamodb.keys import FACTS
from dunning.domain.customer.facts import Facts
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import DunningError
from dunning.policy import PolicyBook
from tests.local.carrier import Carrier, DeliveryLog
from tests.local.channel_life import NO_MORE_MAIL, ChannelLife, Part
from tests.local.cloud import CHANNEL_EVENTS, LenderEvent, LocalCloud
from tests.local.payments import Payment
from tests.local.people import Answer, Writer, WrittenReply, answer_to
from tests.local.policies import has_trials
from tests.local.report import mask_phone
from tests.local.scripted_events import ScriptedEvent
from tests.local.sent import SentMessage

ORIGINATION_NUMBER = "AWS.MM.SMS.OriginationNumber"
"""The attribute of a text that comes from an own number."""

_KEEP_HOUSE_EVERY = timedelta(days=1)
_TRIALS_AT = time(20, 40)
_SOON_DUE = timedelta(days=4)
"""Who pays now pays what is due by then."""


class NoTextError(DunningError):
    """A receipt came before any text to its number; the message names its line."""


_SAYS_ENOUGH = frozenset(Part) - {Part.NOTHING_SPECIAL}

_LISTENERS = ("lender_events", "replies", "delivery_receipts", "replan", CHANNEL_EVENTS)


class World:
    """
    Everything that happens during a run. `written` has what the sample's people wrote, by the carrier's id.

    If the tables have streams, it is counted as it happens, and a census is taken each night. If a lender has trials,
    too, they are worked out each night.

    Args:
        cloud: the embedded AWS.
        book: the policies, for the prices a carrier bills and the time where people live.
        lively: whether people answer and numbers fail by themselves, as in the sample.
        parts: what customers of the sample play on channels beside SMS, by their ids.
    """

    def __init__(
        self, cloud: LocalCloud, book: PolicyBook, *, lively: bool, parts: Mapping[str, Part] | None = None
    ) -> None:
        self._cloud = cloud
        self._book = book
        self._lively = lively
        self._carrier = Carrier(unhappy=lively, wants_none=cloud.wants_no_texts, prices=partial(_price, book))
        self._coming: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._seen = 0
        self.paid: list[Payment] = []
        self._texts: Counter[str] = Counter()
        self._last: dict[str, SentMessage] = {}
        self._receipts_to_come: Counter[str] = Counter()
        self._held_back: dict[str, DeliveryLog] = {}
        self._facts: Mapping[str, Facts] = {}
        self._parts = dict(parts or {})
        self._payments: list[Payment] = []
        self._replies = itertools.count(1)
        self.written: dict[str, WrittenReply] = {}
        self.life = ChannelLife(
            cloud=cloud,
            book=book,
            facts_of=self._facts_at,
            at=self._at,
            parts=self._parts,
            wrote=self.written.__setitem__,
        )
        cloud.is_busy = self._carrier.turns_away

    def expect(self, payments: Iterable[Payment], scripted: Iterable[ScriptedEvent], end: datetime) -> None:
        """Take down what is known to come, and that the house is kept once a day."""
        for customer_id in self._parts:
            if (facts := self._facts_by_id(customer_id)) is not None:
                self.life.meet(facts)
        for payment in payments:
            self._payments.append(payment)
            self._at(payment.at, partial(self._cloud.lender_says, payment.event()))
        for event in scripted:
            self._at(event.at, partial(self._happens, event))
            if event.kind == "receipt":
                self._receipts_to_come[event.detail["to"]] += 1
        morning = self._cloud.clock.now() + _KEEP_HOUSE_EVERY
        while morning < end:
            counting = ("take_census",) if self._cloud.has_streams else ()
            for task in ("close_unknown", "sync_opt_outs", *counting):
                self._at(morning, partial(self._cloud.keep_house, task))
            morning += _KEEP_HOUSE_EVERY
        if self._cloud.has_streams and has_trials(self._book):
            self._expect_nights(end)

    def _expect_nights(self, end: datetime) -> None:
        """Take down that trials are worked out each night, at the first of the hours at which the schedule does it."""
        night = datetime.combine(self._cloud.clock.now().date(), _TRIALS_AT, UTC)
        while night < end:
            if night > self._cloud.clock.now():
                self._at(night, self._cloud.work_out_trials)
            night += timedelta(days=1)

    def run_until(self, end: datetime, on_step: Callable[[], None]) -> None:
        """Let time pass: the clock jumps to what comes next, a happening, a message, or a tick with something to do."""
        cloud = self._cloud
        while True:
            if cloud.has_streams:
                cloud.count_changes()
            tick = cloud.next_tick()
            comes = self._coming[0][0] if self._coming else None
            listeners = [name for name in _LISTENERS if name in cloud.stack.sources]
            queued = [(at, name) for name in listeners if (at := cloud.next_visible(name)) is not None]
            moments = [tick, comes, *(at for at, _ in queued)]
            moment = min((at for at in moments if at is not None), default=None)
            if moment is None or moment >= end:
                break
            cloud.clock.move_to(max(moment, cloud.clock.now()))
            if moment == comes:
                heapq.heappop(self._coming)[2]()
            elif waiting := [name for at, name in queued if at == moment]:
                cloud.drain(waiting[0])
            else:
                cloud.tick()
                cloud.drain()
            self._hear()
            on_step()
        cloud.clock.move_to(max(end, cloud.clock.now()))

    def _at(self, moment: datetime, happening: Callable[[], object]) -> None:
        heapq.heappush(self._coming, (moment, next(self._order), happening))

    def _hear(self) -> None:
        """
        Let the carrier and the people have the texts that have gone out since.

        What becomes of a text that a receipt of the user's may be about is left to that receipt. If another text to
        the number comes first, the receipt is about that one, and the carrier tells what became of the one before.
        """
        sent = self._cloud.outbox[self._seen :]
        self._seen += len(sent)
        for sms in sent:
            self._last[sms.to] = sms
            if sms.gateway != "sns":
                self.life.hear(sms)
                if self._lively and self._can_be_answered(sms):
                    self._answer(sms)
                continue
            delivered = self._carrier.deliver(sms.to, sms.text, sms.message_id, sms.at)
            if before := self._held_back.pop(sms.to, None):
                self._log(before)
            if self._receipts_to_come[sms.to]:
                self._held_back[sms.to] = delivered
                continue
            self._log(delivered)
            if self._lively and delivered.log["status"] == "SUCCESS" and self._can_be_answered(sms):
                self._answer(sms)

    def _log(self, delivered: DeliveryLog) -> None:
        moment = max(delivered.at, self._cloud.clock.now())
        self._at(moment, partial(self._cloud.deliveries_logged, [delivered.log]))

    def _answer(self, sms: SentMessage) -> None:
        writer = self._writer(sms)
        self._texts[writer.phone] += 1
        answer = answer_to(writer, self._texts[writer.phone], sms.at)
        if answer is not None:
            self._take_down(answer, sms)
            if answer.pays_at is not None:
                self._at(answer.pays_at, partial(self._pay, writer.phone))

    def _take_down(self, answer: Answer, sms: SentMessage) -> None:
        if sms.channel == Channel.LINE:
            self.life.answer(answer, self._facts_of(sms))
        else:
            self._at(answer.at, partial(self._reply, sms.to, answer.written.text, sms, answer.written))

    def _pay(self, phone: str) -> None:
        """Let whoever has a number pay all that is due."""
        now = self._cloud.clock.now()
        for item in self._cloud.items(self._cloud.stack.customers_table):
            facts = items.read_facts(item) if is_facts(item) else None
            if facts is None or facts.phone != phone:
                continue
            for account in facts.accounts:
                for instalment in account.instalments:
                    if instalment.open > 0 and instalment.due_on <= now.date() + _SOON_DUE:
                        payment = Payment(
                            now,
                            facts.customer_id,
                            account.account_id,
                            instalment.number,
                            instalment.amount,
                            account.currency,
                        )
                        self._cloud.lender_says(payment.event())
                        self.paid.append(payment)

    def _can_be_answered(self, sms: SentMessage) -> bool:
        """
        Tell whether a reply to a message would arrive: never if it shows a sender id, by the lender's policy.

        Answers to mails go to the lender's own mailbox. Who plays a part on a channel writes nothing by chance.
        """
        facts = self._facts_of(sms)
        if sms.channel == Channel.EMAIL or self._parts.get(facts.customer_id, Part.NOTHING_SPECIAL) in _SAYS_ENOUGH:
            return False
        rules = self._book.rules_for(facts, sms.at)
        return sms.channel == Channel.LINE or (isinstance(rules, Rules) and rules.two_way)

    def _facts_of(self, sms: SentMessage) -> Facts:
        facts = self._facts_at(sms.to)
        assert facts is not None, "a message has gone to nobody"
        return facts

    def _facts_at(self, address: str) -> Facts | None:
        """Return the customer who had an address when the first message went out."""
        if not self._facts:
            stored = (items.read_facts(i) for i in self._cloud.items(self._cloud.stack.customers_table) if is_facts(i))
            self._facts = {
                each: facts
                for facts in stored
                if facts is not None
                for each in (facts.phone, facts.email, facts.line_user_id)
                if each
            }
        return self._facts.get(address)

    def _facts_by_id(self, customer_id: str) -> Facts | None:
        for item in self._cloud.items(self._cloud.stack.customers_table):
            if is_facts(item) and item["customer_id"]["S"] == customer_id:
                return items.read_facts(item)
        return None

    def _writer(self, sms: SentMessage) -> Writer:
        facts = self._facts_of(sms)
        coming = (pay.at for pay in self._payments if pay.customer_id == facts.customer_id and pay.at > sms.at)
        return Writer(
            facts.phone, facts.language, facts.phone_country, local_zone(self._book, facts), min(coming, default=None)
        )

    def _reply(self, phone: str, text: str, answers: SentMessage | None, written: WrittenReply | None = None) -> None:
        if text.upper() == "STOP":
            self._cloud.want_no_texts(phone)  # the carrier hears it too
        inbound_id = f"inbound-{next(self._replies):06d}"
        if written is not None:
            self.written[inbound_id] = written
        shown = answers.attributes if answers else {}
        number = shown.get(ORIGINATION_NUMBER) or shown.get("origination")
        self._cloud.reply(
            {
                "originationNumber": phone,
                "destinationNumber": number or "+10000000000",
                "messageKeyword": "KEYWORD_LOCAL",
                "messageBody": text,
                "inboundMessageId": inbound_id,
                "previousPublishedMessageId": answers.message_id if answers else "",
            }
        )

    def last_to(self, facts: Facts) -> SentMessage | None:
        """Return the last message to a customer, on whatever channel."""
        addresses = filter(None, (facts.phone, facts.email, facts.line_user_id))
        found = (self._last.get(address) for address in addresses)
        return max((sent for sent in found if sent is not None), key=lambda sent: sent.at, default=None)

    def write_as(self, facts: Facts, text: str) -> None:
        """Let a customer write now: on LINE if the last message came there, else by SMS."""
        last = self.last_to(facts)
        if last is not None and last.channel == Channel.LINE:
            self.life.write_on_line(facts, text)
        else:
            self._reply(facts.phone, text, self._last.get(facts.phone))

    def press_as(self, facts: Facts, code: str) -> bool:
        """Let a customer press a button of the last message now; return whether it has such a button."""
        last = self.last_to(facts)
        if last is not None and last.channel == Channel.EMAIL and code == NO_MORE_MAIL:
            self.life.press_no_more_mail(last, facts)
            return True
        has_it = last is not None and code in {button for _, button in last.buttons}
        if has_it:
            self.life.press_on_line(facts, code)
        return has_it

    def _happens(self, event: ScriptedEvent) -> None:
        detail: Mapping[str, Any] = event.detail
        if event.kind == "reply":
            self._reply(detail["from"], detail["text"], self._last.get(detail["from"]))
        elif event.kind == "receipt":
            last = self._last.get(detail["to"])
            if last is None:
                raise NoTextError(
                    f"{event.where}: receipt: no text has gone to {mask_phone(detail['to'])} before "
                    f"{event.at.isoformat(' ', 'minutes')}. Give a later at, or take the line out."
                )
            self._receipts_to_come[last.to] -= 1
            self._held_back.pop(last.to, None)
            log = self._carrier.receipt(last.to, last.text, last.message_id, last.at, detail.get("response", ""))
            self._cloud.deliveries_logged([log])
        else:
            self._cloud.lender_says(LenderEvent(event.kind, detail))


def is_facts(item: Mapping[str, Any]) -> bool:
    """Tell whether an item of the table holds what is known of a customer, and not their number or a tombstone."""
    return item["item"]["S"] == FACTS and "name" in item


def local_zone(book: PolicyBook, facts: Facts) -> ZoneInfo:
    """Return the time zone in which a customer lives, the first if it may be one of several."""
    if facts.time_zone:
        return ZoneInfo(facts.time_zone)
    rules = book.rules_for(facts, datetime.now(UTC))  # no law moves a zone: any moment will do
    return rules.zones[0] if isinstance(rules, Rules) and rules.zones else ZoneInfo("UTC")


def _price(book: PolicyBook, phone: str, parts: int) -> int:
    return book.price(phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or "", parts)
