"""
Under every schedule of a sender and a writer, a text is claimed only if what is stored at that moment asks for it.

The sender runs beside each kind of writer, on the real adapter, interleaved at every call of the table, with two
changes between the two and two faults. What a writer was told comes again until it is done, and so does the job.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from dunning.adapters.dynamodb.items import lender_record_item, read_facts, standing_item, standing_of
from dunning.contracts.job import job_body
from dunning.contracts.replan_part import ReplanPart
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.lender_record import (
    CustomerHold,
    EventTime,
    LenderRecord,
    RecordedEvent,
    erase_record,
    project_facts,
    record_event,
)
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send
from dunning.domain.effect.draws import SILENCE, Layer
from dunning.domain.errors import DunningError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.queues import Job, QueueMessage
from dunning.services.erasure.erase import EraseService
from dunning.services.erasure.purge import PurgeService
from dunning.services.intake.settle import Candidate, LoadOutcome, Settler
from dunning.services.lender_events import LenderEventService
from dunning.services.planning import fingerprint
from dunning.services.replan import ReplanService
from dunning.services.send.claims import PricedPolicies
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.sender import SendService
from tests.support.arms import ARMS
from tests.support.builders import a_lender_record, the_policies
from tests.support.fakes import (
    FakeBacklog,
    FakeClock,
    FakeContacts,
    FakeDeadLetters,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeGateway,
    FakeNews,
    FakeQueue,
    FakeSwitch,
    FakeTelemetry,
    FakeUploadErasure,
)
from tests.support.people import NOW, paid_up, someone, waking
from tests.support.priced_arms import PricedArm
from tests.support.schedules import (
    InlinePool,
    ProcessDiedError,
    SteppedClient,
    SteppedTable,
    TableItem,
    Turns,
    all_schedules,
    stepped_store,
)

SAID_AT = NOW - timedelta(minutes=1)
ANOTHER_NUMBER = "+886977777777"
ROUNDS = 6
"""How often a message is delivered again; without faults it is done the first time."""


@dataclass
class World:
    """A table, and the programs that work on it. `wrong` lists the claims for which nothing stored asks."""

    table: SteppedTable = field(default_factory=SteppedTable)
    contacts: FakeContacts = field(default_factory=FakeContacts)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    wrong: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    policies: PricedPolicies = field(default_factory=the_policies)
    ids: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.table.before_put = self._judge_put

    def store(self, lender_record: LenderRecord, standing: Standing | None, *, by_an_older_release: bool) -> None:
        """Put a customer there, as an earlier load has left them. An older release named no facts in a standing."""
        customer_id = lender_record.customer_id
        self.table.items[customer_id, "facts"] = lender_record_item(lender_record)
        if standing is not None:
            facts = project_facts(lender_record)
            planned_for = fingerprint(facts) if facts and standing.reason else ""
            named = replace(
                standing,
                planned_for=planned_for,
                facts_revision=0 if by_an_older_release else lender_record.revision,
            )
            self.table.items[customer_id, "standing"] = standing_item(named, 4)

    def facts(self, customer_id: str = "C0001") -> Facts | None:
        """Return the facts as they are stored."""
        item = self.table.of(customer_id, "facts")
        return read_facts(item) if item else None

    def standing(self, customer_id: str = "C0001") -> Standing | None:
        """Return the standing as it is stored."""
        item = self.table.of(customer_id, "standing")
        return standing_of(item) if item else None

    def _judge_put(self, item: TableItem) -> None:
        """Hold a claim against what is stored just before it."""
        if item["item"]["S"] != "standing":
            return
        after = standing_of(item)
        before, facts = self.standing(after.customer_id), self.facts(after.customer_id)
        known = {entry.claim_id for entry in before.ledger} if before else set()
        new = [entry for entry in after.ledger if entry.claim_id not in known]
        for entry in new:
            self.numbers.append(facts.phone if facts else "")
            decision = decide(facts, before, self.policies, self.clock.now()) if facts and before else None
            if not isinstance(decision, Send) or decision.reminder.send_id != entry.send_id:
                self.wrong.append(f"{entry.send_id}: {decision.reason if decision else 'nobody'}")

    def sender(self, client: SteppedClient) -> SendService:
        """Build a sender whose table is a client's."""
        service = SendService(
            store=stepped_store(client),
            contacts=self.contacts,
            queue=FakeQueue(),
            gateways=GatewaysByName(self.gateway),
            switch=FakeSwitch(),
            publisher=FakeEventPublisher(),
            policies=self.policies,
            clock=self.clock,
            telemetry=FakeTelemetry(),
            new_id=lambda: f"claim-{next(self.ids)}",
            per_second=1_000_000,
            max_receive_count=99,
        )
        service._pool = InlinePool()  # type: ignore[assignment]  # noqa: SLF001 - programs take turns, not threads
        return service

    def lender_events(self, client: SteppedClient) -> LenderEventService:
        """Build the service for events whose table is a client's."""
        store = stepped_store(client)
        telemetry = FakeTelemetry()
        erasing = EraseService(
            customers=store, contacts=self.contacts, uploads=FakeUploadErasure(), clock=self.clock, telemetry=telemetry
        )
        service = LenderEventService(
            store=store,
            phones=store,
            replies=self.contacts,
            erasing=erasing,
            purging=PurgeService(
                customers=store,
                erasing=erasing,
                replies=FakeBacklog(),
                dead_letters=[FakeDeadLetters("replies")],
                clock=self.clock,
                telemetry=telemetry,
            ),
            dead_letters=FakeQueue(),
            delay_queue=FakeDelayQueue(),
            failures=FakeNews(),
            publisher=FakeEventPublisher(),
            policies=self.policies,
            clock=self.clock,
            telemetry=telemetry,
        )
        service._pool = InlinePool()  # type: ignore[assignment]  # noqa: SLF001 - programs take turns, not threads
        return service


type Program = Callable[[], bool]
"""Handle a message, and return whether it is done."""


def once(work: Callable[[], bool]) -> Program:
    """Return a program that handles its message unless it is handled already."""
    done = False

    def run() -> bool:
        nonlocal done
        if not done:
            try:
                done = work()
            except (DunningError, ProcessDiedError):
                return False
        return done

    return run


@dataclass(frozen=True)
class Kind:
    """A kind of writer: what is stored before it, what it does, and whether that is done."""

    before: tuple[LenderRecord, Standing | None]
    writer: Callable[[World, SteppedClient], Program]
    is_stored: Callable[[World], bool]
    reply: Reply | None = None
    by_an_older_release: bool = False


def _event(kind: str, **detail: object) -> str:
    inside = {"schema_version": 1, "customer_id": "C0001", "at": SAID_AT.isoformat(), **detail}
    return json.dumps({"detail-type": kind, "detail": inside})


def of_event(kind: str, **detail: object) -> Callable[[World, SteppedClient], Program]:
    """Return the writer that handles an event of the lender."""

    def writer(world: World, client: SteppedClient) -> Program:
        service = world.lender_events(client)
        message = QueueMessage("event", _event(kind, **detail), 1)
        return once(lambda: service.handle_batch([message], lambda: 60.0) == [])

    return writer


def loading(facts: Facts) -> Callable[[World, SteppedClient], Program]:
    """Return the writer that loads a file with one customer."""

    def writer(world: World, client: SteppedClient) -> Program:
        store = stepped_store(client)
        settler = Settler(store, store, world.policies)

        def load() -> bool:
            (loaded,) = settler.settle_batch([Candidate(facts, 2)], world.clock.now())
            assert loaded.outcome in {LoadOutcome.LOADED, LoadOutcome.UNCHANGED, LoadOutcome.FAILED}
            return loaded.outcome is not LoadOutcome.FAILED

        return once(load)

    return writer


def replanning(world: World, client: SteppedClient) -> Program:
    """Return the writer that replans the customer."""
    store = stepped_store(client)
    service = ReplanService(
        store=store,
        scan=store,
        queue=FakeDelayQueue(),
        publisher=FakeEventPublisher(),
        policies=world.policies,
        clock=world.clock,
        telemetry=FakeTelemetry(),
    )
    return once(lambda: service.replan_part(ReplanPart(0, 1, ""), lambda: 60.0).contested == 0)


FACTS = someone()
KNOWN = a_lender_record(FACTS)
PLANNED = waking(FACTS)
HELD = record_event(KNOWN, RecordedEvent(EventTime(SAID_AT - timedelta(hours=1)), CustomerHold(HoldReason.DISPUTE)))
UPLOADED = replace(FACTS, as_of=NOW, paid_as_of=NOW - timedelta(days=1))
REPLY = Reply(
    customer_id="C0001",
    inbound=InboundSms(inbound_id="in-1", phone=FACTS.phone, text="hm", at=SAID_AT - timedelta(minutes=1)),
    intents=("acknowledged",),
    promised_on=None,
    expires_at=datetime(2031, 12, 1, tzinfo=UTC),
)


def _facts_are(is_so: Callable[[Facts], bool]) -> Callable[[World], bool]:
    def look(world: World) -> bool:
        facts = world.facts()
        return facts is not None and is_so(facts)

    return look


def _nothing_open(facts: Facts) -> bool:
    return not any(instalment.open > 0 for account in facts.accounts for instalment in account.instalments)


def _labelled(world: World) -> bool:
    standing = world.standing()
    return standing is not None and any(hold.reason is HoldReason.DISPUTE for hold in standing.holds)


def _replanned(world: World) -> bool:
    standing = world.standing()
    return standing is not None and standing.wake != Wake(NOW + timedelta(days=60), 0)


PAID = {"account_id": "A0001-0", "instalment_no": 1, "paid": 325_000, "currency": "TWD"}
CHANGED = {"account_id": "A0001-0", "instalment_no": 1, "due_on": "2027-02-04", "amount": 325_000, "currency": "TWD"}
KINDS = {
    "payment": Kind((KNOWN, PLANNED), of_event("InstalmentPaid", **PAID), _facts_are(_nothing_open)),
    "payment, stored by an older release": Kind(
        (KNOWN, PLANNED), of_event("InstalmentPaid", **PAID), _facts_are(_nothing_open), by_an_older_release=True
    ),
    "change": Kind(
        (KNOWN, PLANNED),
        of_event("InstalmentChanged", **CHANGED),
        _facts_are(lambda facts: facts.accounts[0].instalments[0].due_on.year == 2027),
    ),
    "hold": Kind(
        (KNOWN, PLANNED), of_event("CustomerHold", reason="dispute"), _facts_are(lambda facts: bool(facts.holds))
    ),
    "release": Kind(
        (HELD, waking(FACTS, None, reason="on_hold")),
        of_event("CustomerReleased", reason="dispute"),
        _facts_are(lambda facts: not facts.holds),
    ),
    "close": Kind((KNOWN, PLANNED), of_event("AccountClosed", account_id="A0001-0"), _facts_are(_nothing_open)),
    "erasure": Kind(
        (KNOWN, PLANNED),
        of_event("CustomerErased"),
        lambda world: world.facts() is None and world.standing() is None,
    ),
    "label": Kind(
        (KNOWN, PLANNED), of_event("ReplyLabelled", reply_id="in-1", intents=["dispute"]), _labelled, reply=REPLY
    ),
    "load, paid": Kind((KNOWN, PLANNED), loading(replace(paid_up(FACTS), as_of=NOW)), _facts_are(_nothing_open)),
    "load, held": Kind(
        (KNOWN, PLANNED),
        loading(replace(UPLOADED, holds=(Hold(HoldReason.DISPUTE),))),
        _facts_are(lambda facts: bool(facts.holds)),
    ),
    "load, another number": Kind(
        (KNOWN, PLANNED),
        loading(replace(UPLOADED, phone=ANOTHER_NUMBER)),
        _facts_are(lambda facts: facts.phone == ANOTHER_NUMBER),
    ),
    "first load": Kind(
        (LenderRecord(customer_id="C0001"), None), loading(UPLOADED), _facts_are(lambda facts: facts.as_of == NOW)
    ),
    "replan": Kind((KNOWN, waking(FACTS, NOW + timedelta(days=60))), replanning, _replanned),
}


@dataclass
class Count:
    """How many schedules there were, how many claimed a text, and in how many nothing stored asked for it."""

    schedules: int = 0
    claimed: int = 0
    wrong: int = 0
    published: int = 0


def _deliver_until_done(*programs: Program) -> None:
    for _ in range(ROUNDS):
        done = [program() for program in programs]  # each, whatever the other says
        if all(done):
            return
    raise AssertionError("a message is never done")


def _take_turns(turns: Turns, clients: Sequence[SteppedClient], programs: Sequence[Program]) -> None:
    """Run two programs as a schedule has it, and then what of them is not done until it is."""
    for client in clients:
        client.turns = turns
    turns.run(*programs)
    for client in clients:
        client.revive()
    _deliver_until_done(*programs)


def _job(world: World, client: SteppedClient, at: datetime = NOW) -> Program:
    service = world.sender(client)
    receives = count(1)
    body = job_body(Job("C0001", at))
    return once(lambda: service.handle_batch([QueueMessage("job", body, next(receives))], lambda: 60.0) == [])


def explore(kind: Kind, *, forgets_tokens: bool = False, policies: PricedPolicies | None = None) -> Count:
    """Run every schedule of a sender and a writer of this kind."""
    counted = Count()
    for choices in all_schedules():
        world = World(SteppedTable(forgets_tokens=forgets_tokens), policies=policies or the_policies())
        lender_record, standing = kind.before
        if lender_record.revision:
            world.store(lender_record, standing, by_an_older_release=kind.by_an_older_release)
        if kind.reply:
            world.contacts.keep(kind.reply)
        clients = SteppedClient(world.table, 0), SteppedClient(world.table, 1)
        job, writer = _job(world, clients[0]), kind.writer(world, clients[1])
        _take_turns(Turns(choices), clients, (job, writer))
        assert kind.is_stored(world)
        _deliver_until_done(_job(world, SteppedClient(world.table, 0)))
        counted.schedules += 1
        counted.claimed += bool(world.numbers)
        counted.published += len(world.gateway.published)
        counted.wrong += bool(world.wrong) or not {sms.address for sms in world.gateway.published} <= set(world.numbers)
        assert len(world.gateway.published) <= 1, "never twice"
    return counted


@pytest.mark.slow(reason="every schedule with two changes and two faults")
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_claimed_only_if_what_is_stored_at_that_moment_asks_for_it(kind: str) -> None:
    counted = explore(KINDS[kind])
    assert counted.wrong == 0
    assert counted.schedules > 100
    assert counted.claimed, "a schedule in which the job is first"


@pytest.mark.slow(reason="every schedule with two changes and two faults")
@pytest.mark.parametrize("kind", ["payment", "hold", "erasure", "load, held", "replan"])
def test_a_stage_is_left_out_only_if_what_is_stored_at_that_moment_asks_for_its_text(kind: str) -> None:
    counted = explore(KINDS[kind], policies=PricedArm(the_policies(), Layer.HOLDOUT, SILENCE))
    assert counted.wrong == 0
    assert counted.schedules > 100
    assert counted.claimed, "a schedule in which the job is first"
    assert counted.published == 0, "nobody hears of it"


EVENING = NOW + timedelta(hours=8, minutes=30)
"""Half past six in Taipei: the last of the hours that an arm moves a text to."""


@pytest.mark.slow(reason="every schedule with two changes and two faults")
@pytest.mark.parametrize(("layer", "arm"), ARMS)
def test_two_senders_of_a_job_come_to_one_arm_one_claim_and_one_record_of_it(layer: Layer, arm: str) -> None:
    schedules = 0
    drawn = set[str]()
    for choices in all_schedules():
        world = World(clock=FakeClock(EVENING), policies=PricedArm(the_policies(), layer, arm))
        world.store(KNOWN, waking(FACTS, EVENING), by_an_older_release=False)
        clients = SteppedClient(world.table, 0), SteppedClient(world.table, 1)
        _take_turns(Turns(choices), clients, [_job(world, client, EVENING) for client in clients])
        standing = world.standing()
        assert standing is not None
        (entry,) = standing.ledger
        drawn.add(entry.draws)
        assert entry.is_held_out is (arm == SILENCE)
        assert len(world.gateway.published) <= (arm != SILENCE)
        records = [record for record in world.contacts.records.values() if record.stage is not None]
        assert [(record.send_id, record.draws) for record in records] == [(entry.send_id, entry.draws)]
        assert not world.wrong
        schedules += 1
    assert schedules > 100
    assert len(drawn) == 1


@pytest.mark.slow(reason="every schedule with two changes and two faults")
def test_a_lost_answer_is_recognised_without_a_token_too() -> None:
    counted = explore(KINDS["hold"], forgets_tokens=True)
    assert (counted.wrong, counted.claimed > 0) == (0, True)


@pytest.mark.slow(reason="every schedule with two changes and a fault")
@pytest.mark.parametrize("known", [False, True], ids=["both new", "one with another number so far"])
def test_of_two_loads_that_give_two_customers_one_number_both_customers_are_held(*, known: bool) -> None:
    schedules = 0
    mine, theirs = replace(UPLOADED, phone=ANOTHER_NUMBER), replace(someone(2), phone=ANOTHER_NUMBER, as_of=NOW)
    for choices in all_schedules():
        world = World(SteppedTable(shared=frozenset({"facts", "standing", "phone"})))
        if known:
            world.store(KNOWN, PLANNED, by_an_older_release=False)
        clients = SteppedClient(world.table, 0), SteppedClient(world.table, 1)
        programs = [loading(facts)(world, client) for facts, client in zip((mine, theirs), clients, strict=True)]
        _take_turns(Turns(choices, faults=1), clients, programs)
        for facts in (mine, theirs):
            standing = world.standing(facts.customer_id)
            assert standing is not None
            assert standing.reason == "shared_phone"
        schedules += 1
    assert schedules > 100


@pytest.mark.slow(reason="every schedule with two changes and a fault")
def test_who_returns_while_a_round_of_their_erasure_runs_is_found_by_their_number() -> None:
    schedules = 0
    erased = erase_record(KNOWN, SAID_AT - timedelta(hours=2), NOW)
    back = replace(UPLOADED, consented_at=SAID_AT - timedelta(hours=1))
    for choices in all_schedules():
        world = World(SteppedTable(shared=frozenset({"facts", "standing", "phone"})))
        world.store(erased, None, by_an_older_release=False)
        clients = SteppedClient(world.table, 0), SteppedClient(world.table, 1)
        erasing = world.lender_events(clients[0])._erasing  # noqa: SLF001 - the service's own

        def erase_again(erasing: EraseService = erasing) -> bool:
            erasing.erase_again("C0001")
            return True

        _take_turns(Turns(choices, faults=1), clients, (once(erase_again), loading(back)(world, clients[1])))
        index = world.table.of(f"phone#{back.phone}", "phone")
        assert index is not None
        assert index["customers"] == {"SS": ["C0001"]}
        schedules += 1
    assert schedules > 100
