"""Receipts come late, twice, in any order and in any bundles: what records and standings come to is the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from dunning.contracts.delivery_log import Reported
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, progress_key
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import DeliveryReceipt, DeliveryStatus, delivery_status
from dunning.domain.outbound_events import NumberUnreachable
from dunning.ports.queues import QueueMessage
from dunning.services.delivery_receipts import DeliveryReceiptService
from tests.support.builders import a_lender_record, the_policies
from tests.support.fakes import (
    FakeClock,
    FakeContacts,
    FakeCustomers,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeTelemetry,
)
from tests.support.people import NOW, someone

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PEOPLE = [someone(number, due_in=-3) for number in range(3)]
TEXTS = 2
NOT_HEARD = {DeliveryStatus.TEMPORARY_FAILURE, DeliveryStatus.UNCLASSIFIED, DeliveryStatus.PERMANENT_FAILURE}
"""After these nobody has heard the stage: it is said once more."""
"""Each has been sent two texts, the second today at three days."""
WORDS = (
    "",
    "Phone number is opted out",
    "Phone has blocked SMS",
    "Phone is currently unreachable/unavailable",
    "Blocked as spam by phone carrier",
    "Whatever",
)


@dataclass(frozen=True)
class Report:
    """One receipt: whose, of which text, what it says, how long after the text SNS claims to have taken it."""

    person: int
    text: int
    words: str
    seconds: int

    @property
    def receipt(self) -> DeliveryReceipt:
        facts = PEOPLE[self.person]
        at = NOW - 7 * DAY * (TEXTS - 1 - self.text) + timedelta(seconds=self.seconds)
        message_id = f"m-{facts.customer_id}-{self.text}"
        return DeliveryReceipt(
            message_id=message_id,
            at=at,
            phone=facts.phone,
            delivered=not self.words,
            response=self.words,
            billed_parts=1,
            billed_price_usd_micros=41_700,
        )


class World:
    """Three customers, their texts, and those who read receipts."""

    def __init__(self, unrecorded: frozenset[tuple[int, int]] = frozenset()) -> None:
        self.store, self.contacts, self.later = FakeCustomers(), FakeContacts(), FakeDelayQueue()
        self.publisher, self.clock = FakeEventPublisher(), FakeClock(NOW + HOUR)
        self.missing: list[Contact] = []
        for person, facts in enumerate(PEOPLE):
            account = facts.accounts[0]
            ledger = []
            for text in range(TEXTS):
                at = NOW - 7 * DAY * (TEXTS - 1 - text)
                entry = LedgerEntry(
                    send_id=f"s{text}",
                    claim_id=f"c{person}{text}",
                    at=at,
                    stage=3 * text,
                    accounts=(account.account_id,),
                    channel="sms",
                    for_wake=None,
                )
                ledger.append(entry)
                record = Contact(
                    customer_id=facts.customer_id,
                    send_id=entry.send_id,
                    claim_id=entry.claim_id,
                    at=at,
                    state=ContactState.SENT,
                    stage=entry.stage,
                    account_ids=entry.accounts,
                    channel="sms",
                    expires_at=NOW + 1827 * DAY,
                    phone=facts.phone,
                    parts=1,
                    message_id=f"m-{facts.customer_id}-{text}",
                )
                if (person, text) in unrecorded:
                    self.missing.append(record)
                else:
                    self.contacts.write([record])
            progress = {progress_key(account.account_id, 1): Progress(3, NOW.date(), account.instalments[0].due_on)}
            standing = Standing(customer_id=facts.customer_id, version=1, ledger=tuple(ledger), progress=progress)
            self.store.lender_records[facts.customer_id] = a_lender_record(facts)
            self.store.standings[facts.customer_id] = standing
            self.store.add_address(facts.phone, facts.customer_id)
        self.service = DeliveryReceiptService(
            store=self.store,
            phones=self.store,
            contacts=self.contacts,
            delay_queue=self.later,
            publisher=self.publisher,
            policies=the_policies(),
            clock=self.clock,
            telemetry=FakeTelemetry(),
        )

    def receive(self, bundles: Sequence[Sequence[Report]]) -> None:
        for bundle in bundles:
            self.service.handle_batch(Reported(tuple(report.receipt for report in bundle), 0))

    def receive_waiting(self) -> None:
        messages, self.later.messages = self.later.messages, []
        ids = count()
        deliveries = [QueueMessage(str(next(ids)), body, 1) for body, _ in messages]
        assert self.service.handle_waiting(deliveries) == []

    def result(self) -> tuple[dict[str, Contact], dict[str, Standing]]:
        """Return records and standings, without how often they were written."""
        records = {f"{key.customer_id} {key.send_id}": record for key, record in self.contacts.records.items()}
        return records, {
            customer_id: replace(standing, version=0) for customer_id, standing in self.store.standings.items()
        }


reports = st.builds(
    Report,
    st.integers(0, len(PEOPLE) - 1),
    st.integers(0, TEXTS - 1),
    st.sampled_from(WORDS),
    st.integers(0, 2),
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Report], list[list[Report]]]:
    """Draw receipts, and how they come: all of them, some twice, shuffled, in bundles."""
    drawn = draw(st.lists(reports, max_size=8))
    again = draw(st.lists(st.sampled_from(drawn), max_size=4)) if drawn else []
    shuffled = draw(st.permutations([*drawn, *again]))
    bundles: list[list[Report]] = [[]]
    for report in shuffled:
        if draw(st.booleans()):
            bundles.append([])
        bundles[-1].append(report)
    return drawn, bundles


@given(deliveries())
def test_neither_order_nor_repetition_nor_bundling_makes_a_difference(
    drawn: tuple[list[Report], list[list[Report]]],
) -> None:
    received, bundles = drawn
    at_once, bit_by_bit = World(), World()
    at_once.receive([received])
    bit_by_bit.receive(bundles)
    assert at_once.result() == bit_by_bit.result()


@given(deliveries(), st.frozensets(st.tuples(st.integers(0, len(PEOPLE) - 1), st.integers(0, TEXTS - 1))))
def test_a_record_that_is_written_after_its_receipts_makes_no_difference(
    drawn: tuple[list[Report], list[list[Report]]], unrecorded: frozenset[tuple[int, int]]
) -> None:
    received, bundles = drawn
    at_once, waiting = World(), World(unrecorded)
    at_once.receive([received])
    waiting.clock.move_to(NOW - 7 * DAY)
    waiting.receive(bundles)
    waiting.receive_waiting()
    waiting.contacts.write(waiting.missing)
    waiting.clock.move_to(NOW + HOUR)
    waiting.receive_waiting()
    # The wake of one who was judged a week earlier is another; what is known of them is the same.
    (records, standings), (their_records, their_standings) = at_once.result(), waiting.result()
    assert records == their_records
    assert {customer_id: _known(standing) for customer_id, standing in standings.items()} == {
        customer_id: _known(standing) for customer_id, standing in their_standings.items()
    }


def _known(standing: Standing) -> Standing:
    return replace(standing, wake=None, reason="", planned_for="")


@given(deliveries())
def test_standings_hold_what_the_receipts_reported(drawn: tuple[list[Report], list[list[Report]]]) -> None:
    received, bundles = drawn
    world = World()
    world.receive(bundles)
    for person, facts in enumerate(PEOPLE):
        standing = world.store.standings[facts.customer_id]
        own = [report for report in received if report.person == person]
        statuses = {delivery_status(report.receipt) for report in own}
        assert standing.is_opted_out is (DeliveryStatus.OPTED_OUT in statuses)
        assert standing.is_suspended(facts) is (DeliveryStatus.PERMANENT_FAILURE in statuses)
        for text, entry in enumerate(standing.ledger):
            of_text = {delivery_status(report.receipt) for report in own if report.text == text}
            unheard = NOT_HEARD & of_text
            assert entry.failed is (bool(unheard) and DeliveryStatus.DELIVERED not in of_text)


@given(deliveries())
def test_nobody_is_texted_after_an_opt_out_or_on_a_dead_number_and_that_is_published_once(
    drawn: tuple[list[Report], list[list[Report]]],
) -> None:
    received, bundles = drawn
    world = World()
    world.receive(bundles)
    unreachable = [event.customer_id for event in world.publisher.published if isinstance(event, NumberUnreachable)]
    silent = {
        PEOPLE[report.person].customer_id
        for report in received
        if delivery_status(report.receipt) in {DeliveryStatus.OPTED_OUT, DeliveryStatus.PERMANENT_FAILURE}
    }
    assert len(unreachable) == len(set(unreachable))
    for facts in PEOPLE:
        standing = world.store.standings[facts.customer_id]
        for days in range(60):
            decision = decide(facts, standing, the_policies(), NOW + days * DAY)
            assert not (facts.customer_id in silent and isinstance(decision, Send))
        assert facts.customer_id not in silent or standing.wake is None


@given(deliveries())
def test_a_failure_brings_no_text_on_before_caps_and_distance_allow(
    drawn: tuple[list[Report], list[list[Report]]],
) -> None:
    _, bundles = drawn
    world = World()
    world.receive(bundles)
    for facts in PEOPLE:
        standing = world.store.standings[facts.customer_id]
        for hours in range(24 * 3 - 10):
            assert not isinstance(decide(facts, standing, the_policies(), NOW + hours * HOUR), Send)
        assert standing.wake is None or standing.wake.at >= NOW + 2 * DAY
