"""Whatever is answered, reported and said on several channels, in any order: one person, one set of promises."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dunning.contracts.channel_message import channel_message_body, wish_body
from dunning.contracts.delivery_log import Reported
from dunning.contracts.job import job_body
from dunning.domain.delivery.channel_events import ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay
from dunning.domain.effect.draws import SILENCE, Layer
from dunning.domain.effect.trials import LATEST_HELD_OUT_STAGE
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import InboundMessage, Job, QueueMessage
from dunning.services.delivery_receipts import ClaimedReport
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.sender import SendService
from tests.support.arms import ARMS
from tests.support.builders import a_lender_record, the_policies
from tests.support.channel_office import LINE_USER, MAIL, ChannelOffice
from tests.support.fakes import FakeGateway, FakeQueue
from tests.support.office import Reader, message
from tests.support.people import NOW, someone, waking
from tests.support.priced_arms import PricedArm

DAY = timedelta(days=1)
CAPS = ((1, DAY), (3, 7 * DAY))
CAP_OF_LINE = (2, 7 * DAY)

ANSWERS = ("accepted", "accepted", "silent, taken", "accepted", "busy", "silent, not taken", "refused")
REPORTS = ("failed for now", "under way", "failed for now", "arrived", "failed for good")
STOPS = ("button on LINE", "unsubscribed", "text")


@dataclass(slots=True)
class Taken:
    """A message that a gateway took: what it was about, and whether its gateway has reported since that it failed."""

    at: datetime
    outgoing: Outgoing
    stage: int | None
    message_id: str
    has_failed: bool = False

    @property
    def channel(self) -> Channel:
        return self.outgoing.channel


class OnChannel(FakeGateway):
    """A gateway of a channel. LINE takes a claim once, and says so when it is asked again."""

    def __init__(self, person: "Person", channel: Channel, name: str) -> None:
        super().__init__()
        self.channel, self.name, self.repeatable = channel, name, channel is Channel.LINE
        self._person = person

    def publish(self, sms: Outgoing) -> Published:
        return self._person.publish(sms)


class Person:
    """A customer with three addresses, all that is told and asked about them, and what is promised."""

    def __init__(self, due_in: int, *, on_line: bool, arm: tuple[Layer, str] | None = None) -> None:
        line_user_id = LINE_USER if on_line else None
        self.facts = someone(lender="demo-channels", email=MAIL, line_user_id=line_user_id, due_in=due_in)
        self.office = ChannelOffice(reader=Reader())
        self.office.clock.move_to(NOW)
        self.answers, self.taken, self.broken = list[str](), list[Taken](), list[str]()
        self.closed: set[Channel] = set() if on_line else {Channel.LINE}
        self.has_said_stop = False
        self._numbers = count(1)
        self.office.store.lender_records[self.facts.customer_id] = a_lender_record(self.facts)
        self.office.store.standings[self.facts.customer_id] = waking(self.facts)
        for address in self.facts.addresses:
            self.office.store.phones[address] = frozenset({self.facts.customer_id})
        gateways = [
            OnChannel(self, channel, name)
            for channel, name in ((Channel.LINE, "line"), (Channel.EMAIL, "ses"), (Channel.SMS, "sns"))
        ]
        policies = PricedArm(the_policies(), *arm) if arm else the_policies()
        self.sender = SendService(
            store=self.office.store, contacts=self.office.contacts, queue=FakeQueue(),
            gateways=GatewaysByName(*gateways), switch=self.office.switch, publisher=self.office.publisher,
            policies=policies, clock=self.office.clock, telemetry=self.office.telemetry,
            new_id=lambda: f"claim-{next(self._numbers)}", per_second=1_000_000, max_receive_count=5,
            unsubscribe_url=lambda customer, claim: f"https://dunning.example/{customer}/{claim}",
        )  # fmt: skip

    @property
    def now(self) -> datetime:
        return self.office.clock.now()

    # What is promised, in the plainest way.

    def publish(self, outgoing: Outgoing) -> Published:
        known = [each for each in self.taken if each.outgoing.claim_id == outgoing.claim_id]
        answer = self.answers.pop() if self.answers else "accepted"
        if answer == "busy":
            return Published(PublishOutcome.REFUSED_FOR_NOW, code="busy")
        if answer == "refused" and not known:
            # LINE refuses a person, not a request: what it has taken it does not refuse.
            self.closed.add(outgoing.channel)
            return Published(PublishOutcome.REFUSED_FOR_GOOD, code="nobody")
        if answer == "silent, not taken":
            return Published(PublishOutcome.UNKNOWN, code="timeout")
        if not known:
            known = [self._take(outgoing)]
        if answer == "silent, taken":
            return Published(PublishOutcome.UNKNOWN, code="timeout")
        return Published(PublishOutcome.ACCEPTED, message_id=known[0].message_id)

    def _take(self, outgoing: Outgoing) -> Taken:
        (entry,) = [each for each in self.office.standing().ledger if each.claim_id == outgoing.claim_id]
        new = Taken(self.now, outgoing, entry.stage, f"m-{outgoing.claim_id}")
        of_stage = [each for each in self.taken if each.stage == new.stage]
        at_least = {
            "a third message of a stage": len(of_stage) > 1,
            "said again although the first may have arrived": not all(each.has_failed for each in of_stage),
            "after a stop": self.has_said_stop,
            "on a channel that is closed": new.channel in self.closed,
            "a cap": any(self._within(window) >= most for most, window in CAPS),
            "the cap of LINE": new.channel is Channel.LINE and self._is_line_full(),
            "out of order": new.channel is not self._first_open(entry.stage or 0, of_stage),
        }
        self.broken += [promise for promise, is_broken in at_least.items() if is_broken]
        self.taken.append(new)
        return new

    def _within(self, window: timedelta, channel: Channel | None = None) -> int:
        return sum(each.at > self.now - window and channel in {None, each.channel} for each in self.taken)

    def _is_line_full(self) -> bool:
        most, window = CAP_OF_LINE
        return self._within(window, Channel.LINE) >= most

    def _first_open(self, stage: int, of_stage: list[Taken]) -> Channel | None:
        order = [Channel.LINE, Channel.EMAIL, Channel.SMS]
        if stage >= 15:
            order = [Channel.EMAIL, Channel.LINE, Channel.SMS]
        has_failed = [each.channel for each in of_stage]
        order.sort(key=lambda channel: channel in has_failed)
        is_full = self._is_line_full()
        shut = self.closed | ({Channel.LINE} if is_full else set())
        return next((channel for channel in order if channel not in shut), None)

    # What happens.

    def wait(self, hours: int) -> None:
        self.office.clock.move_to(self.now + timedelta(hours=hours))

    def wake(self) -> None:
        """Send what is due now or next: time moves on to the next wake."""
        wake = self.office.standing().wake
        if wake is None:
            return
        self.office.clock.move_to(max(self.now, wake.at))
        body = job_body(Job(self.facts.customer_id, wake.at))
        assert self.sender.handle_batch([QueueMessage("job", body, 1)], lambda: 60.0) == []

    def report(self, report: str) -> None:
        """Report what came of the last message, if its gateway reports anything."""
        if not self.taken or self.taken[-1].channel is Channel.LINE:
            return
        last = self.taken[-1]
        claim = ClaimKey(self.facts.customer_id, last.outgoing.claim_id, last.outgoing.send_id, last.at)
        if report == "under way":
            news: Any = UnderWay(claim, last.message_id, self.now)
            assert not self.office.receipts.handle_claimed([ClaimedReport(news)])
            return
        status = {
            "arrived": DeliveryStatus.DELIVERED,
            "failed for now": DeliveryStatus.TEMPORARY_FAILURE,
            "failed for good": DeliveryStatus.PERMANENT_FAILURE,
        }[report]
        is_by_number = last.channel is Channel.SMS
        receipt = DeliveryReceipt(
            message_id=last.message_id, at=last.at, phone=self.facts.phone if is_by_number else "",
            delivered=report == "arrived", response="", claim=None if is_by_number else claim, status=status,
        )  # fmt: skip
        # Of two reports the better counts: what has arrived has not failed.
        has_arrived = any(each.claim_id == claim.claim_id and each.state == "delivered" for each in self.office.records)
        last.has_failed = report != "arrived" and not has_arrived
        if report == "failed for good":
            self.closed.add(last.channel)
        if is_by_number:
            self.office.receipts.handle_batch(Reported((receipt,), 0))
        else:
            assert not self.office.receipts.handle_claimed([ClaimedReport(receipt)])

    def block(self, wish: Wish) -> None:
        """Block our account on LINE, or come back. It happens now: of the two the later counts."""
        if self.facts.line_user_id is None:
            return
        self.wait(1)
        event = ChannelWish(Channel.LINE, wish, f"w-{next(self._numbers)}", self.now, LINE_USER)
        assert not self.office.wishes.apply([event])
        (self.closed.add if wish is Wish.BLOCKED else self.closed.discard)(Channel.LINE)

    def stop(self, way: str) -> None:
        """Say stop on a channel."""
        inbound_id = f"in-{next(self._numbers)}"
        match way:
            case "button on LINE" if self.facts.line_user_id:
                pressed = ChannelMessage(Channel.LINE, LINE_USER, inbound_id, self.now, button="opt_out")
                taken = InboundMessage(inbound_id, channel_message_body(pressed), 1, self.now)
            case "unsubscribed":
                claim = ClaimKey(self.facts.customer_id, "claim")
                wish = ChannelWish(Channel.EMAIL, Wish.UNSUBSCRIBED, inbound_id, self.now, claim=claim)
                taken = InboundMessage(inbound_id, wish_body(wish), 1, self.now)
            case _:
                taken = message(inbound_id, self.facts.phone, "opt_out||", self.now)
        assert self.office.replies.handle_batch([taken], lambda: 60.0) == []
        self.has_said_stop = True


Step = Callable[[Person], None]


def contact(answers: list[str], reports: list[str]) -> Step:
    """Return what sends what is due next: the answers of its gateways, and what is reported of it then."""

    def step(person: Person) -> None:
        person.answers = list(answers)
        person.wake()
        for report in reports:
            person.report(report)

    return step


CONTACT = st.builds(
    contact,
    st.lists(st.sampled_from(ANSWERS), min_size=2, max_size=2),
    st.lists(st.sampled_from(REPORTS), min_size=1, max_size=2),
)
STEPS: st.SearchStrategy[Step] = st.one_of(
    CONTACT,
    CONTACT,
    CONTACT,
    CONTACT,
    st.sampled_from(REPORTS).map(lambda report: lambda person: person.report(report)),
    st.sampled_from((1, 7, 30)).map(lambda hours: lambda person: person.wait(hours)),
    st.sampled_from((Wish.BLOCKED, Wish.FOLLOWED)).map(lambda wish: lambda person: person.block(wish)),
)
STOP: st.SearchStrategy[list[Step]] = st.lists(
    st.sampled_from(STOPS).map(lambda way: lambda person: person.stop(way)), max_size=1
)


@settings(max_examples=60)
@given(
    st.integers(-4, 3),
    st.sampled_from((False, True)),
    st.lists(STEPS, min_size=8, max_size=12),
    STOP,
    st.lists(CONTACT, max_size=3),
)
def test_no_interleaving_of_answers_reports_blocks_and_stops_breaks_a_promise(
    due_in: int, on_line: object, steps: list[Step], stop: list[Step], after: list[Step]
) -> None:
    person = Person(due_in, on_line=bool(on_line))
    for step in (*steps, *stop, *after):
        step(person)
    assert person.broken == []
    claims = {entry.claim_id for entry in person.office.standing().ledger}
    assert {each.outgoing.claim_id for each in person.taken if each.at > person.now - 31 * DAY} <= claims


@settings(max_examples=60)
@given(
    st.sampled_from(ARMS), st.integers(-4, 3), st.lists(STEPS, min_size=8, max_size=12), STOP,
    st.lists(CONTACT, max_size=3),
)  # fmt: skip
def test_whatever_chance_decides_breaks_none_and_silence_is_silence_on_every_channel(
    arm: tuple[Layer, str], due_in: int, steps: list[Step], stop: list[Step], after: list[Step]
) -> None:
    person = Person(due_in, on_line=True, arm=arm)
    for step in (*steps, *stop, *after):
        step(person)
    assert person.broken == []
    records = {record.claim_id: record for record in person.office.records}
    ledger = person.office.standing().ledger
    assert {entry.claim_id for entry in ledger} <= records.keys()
    left_out = {record.send_id for record in records.values() if record.state is ContactState.HELD_OUT}
    event(f"{arm[1]}: {min(len(left_out), 4)} left out, {min(len(person.taken), 4)} messages")
    assert bool(left_out) <= (arm[1] == SILENCE)
    if arm[1] == SILENCE:
        latest = LATEST_HELD_OUT_STAGE if arm[0] is Layer.HOLDOUT else 0
        assert all((each.stage or 0) > latest for each in person.taken if each.stage is not None)
