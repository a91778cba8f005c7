"""
Whatever comes, whenever and in whatever order: no text goes out against anything that was recorded before.

All services run on fakes, as one stack. Payments, holds, replies, receipts and files come up to 72 hours late,
twice and in between two steps of a sender; writes fail and are repeated; carriers refuse or say nothing. Every text is
looked at when it is handed to the carrier, by rules that are written down a second time.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dunning.contracts.inbound_sms import parse_inbound
from dunning.domain.customer.facts import Account, Facts, HoldReason
from dunning.domain.customer.standing import ATTENTION_LIMIT
from dunning.domain.decision.reviews import reviews_of
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.outbound_events import CustomerNeedsPerson, ReplyNotUnderstood
from dunning.domain.replies.intents import ReplyIntent
from dunning.ports.gateways import Published, PublishOutcome
from dunning.services.erasure.erase import SECOND_ROUND, UNDER_WAY
from dunning.services.erasure.purge import QUEUES_KEEP
from tests.support.builders import a_customer, an_account, an_instalment
from tests.support.office import Office, Text, event_body, message
from tests.support.recorded import Recorded, check_caps, local_day

START = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OWED = 325_000
PHONES = {"C1": "+886911111111", "C2": "+886922222222", "C3": "+886933333333"}


def _account(account_id: str, tail: str, first: str, second: str) -> Account:
    return an_account(an_instalment(first), an_instalment(second, number=2), account_id=account_id, tail=tail)


ACCOUNTS = {
    "C1": (_account("A1", "1111", "2026-11-30", "2026-12-10"), _account("A2", "2222", "2026-12-03", "2027-01-03")),
    "C2": (_account("A3", "3333", "2026-11-29", "2026-12-29"),),
    "C3": (_account("A4", "4444", "2026-11-25", "2026-12-05"),),
}
OWNER = {account.account_id: customer_id for customer_id, accounts in ACCOUNTS.items() for account in accounts}
DEAD, OPTED_OUT = "Invalid phone number", "Phone number is opted out"
RESPONSES = (
    "", "", "", DEAD, OPTED_OUT, "Phone is currently unreachable/unavailable",
    "Phone is currently unreachable/unavailable", "Blocked as spam by phone carrier",
    "Unknown error attempting to reach phone",
)  # fmt: skip
_ODD = st.sampled_from([
    Published(PublishOutcome.UNKNOWN, code="timeout"),
    Published(PublishOutcome.REFUSED_FOR_NOW, code="Throttling"),
    Published(PublishOutcome.REFUSED_FOR_GOOD, code="InvalidParameter"),
])  # fmt: skip
REASONS = (
    HoldReason.DISPUTE, HoldReason.HARDSHIP, HoldReason.DECEASED, HoldReason.SAYS_PAID, HoldReason.QUESTION,
    HoldReason.NUMBER_REFUSED, HoldReason.SHARED_PHONE, HoldReason.DOUBT, HoldReason.UNCONFIRMED,
)  # fmt: skip
ANSWERS: st.SearchStrategy[list[Published]] = st.one_of(
    st.just([]), st.just([]), st.just([]), st.lists(_ODD, max_size=2)
)
"""What the carrier says to the next texts, before it takes what comes."""
MEANINGS = st.one_of(
    st.sampled_from(
        [ReplyIntent.PAID, ReplyIntent.PROMISE, ReplyIntent.QUESTION, ReplyIntent.OPT_IN, ReplyIntent.OPT_OUT]
    ),
    st.sampled_from(ReplyIntent),
)
EXPECTED = {"ServiceCallError"}
ENDED_BY_RELEASE = {
    **{reason: {reason.value} for reason in REASONS},
    HoldReason.UNCONFIRMED: {"opt_out", "wrong_person", "deceased", "represented"},
    HoldReason.DOUBT: {"not_understood"},
    HoldReason.QUESTION: {"question", "promise_unclear"},
}
"""What a release with a reason attends to, written down a second time."""

customers = st.sampled_from(["C1", "C1", "C2", "C3"])
late = st.sampled_from([0, 0, 0, 1, 5, 24, 71]).map(lambda hours: hours * HOUR)
placed = st.integers(0, 99)


def _in_order(intents: list[ReplyIntent]) -> tuple[ReplyIntent, ...]:
    return tuple(sorted(intents, key=list(ReplyIntent).index))


class Histories(RuleBasedStateMachine):
    """A stack, its three customers, and what was recorded of each."""

    def __init__(self) -> None:
        super().__init__()
        self.office = Office()
        self.office.clock.move_to(START)
        self.office.carrier.look = self._look
        self.known = {customer_id: Recorded() for customer_id in ACCOUNTS}
        self.phones = dict(PHONES)
        self.booked: list[tuple[tuple[datetime, int], tuple[str, int], int]] = []
        self.closed: dict[str, datetime] = {}
        self.happened: list[Callable[[], bool]] = []
        self.waiting: list[Callable[[], bool]] = []
        self.between: list[Callable[[], bool]] = []
        self.delivered_replies: dict[tuple[str, datetime, str], str] = {}
        self.ever_erased: set[str] = set()
        self.send_ids: dict[str, set[str]] = {customer_id: set() for customer_id in ACCOUNTS}
        self.had = set(PHONES.items())
        self.written: dict[str, datetime] = {}
        self.ended: set[str] = set()
        self.erased_on: dict[tuple[str, str], datetime] = {}
        self.count = 0
        self.acts: list[tuple[str, datetime, Callable[[str, str], bool]]] = []

    @property
    def now(self) -> datetime:
        return self.office.clock.now()

    def _look(self, text: Text) -> None:
        others = [known for customer_id, known in self.known.items() if customer_id != text.customer_id]
        self.known[text.customer_id].check(text, others)
        check_caps([*self.office.carrier.texts, text])
        assert text.entry.send_id not in self.send_ids[text.customer_id], "two texts with one id"
        self.send_ids[text.customer_id].add(text.entry.send_id)

    def _happens(self, deliver: Callable[[], bool], *, between: bool) -> None:
        """Deliver something now, or in between two steps of whoever writes next; keep it to be delivered again."""
        self.happened.append(deliver)
        if between:
            self.between.append(deliver)
        else:
            self._deliver(deliver)

    def _deliver(self, deliver: Callable[[], bool]) -> None:
        if not deliver():
            self.waiting.append(deliver)

    def _say(self, kind: str, customer_id: str, at: datetime, record: Callable[[Recorded, int], object],
             **detail: object) -> Callable[[], bool]:  # fmt: skip
        """Return what delivers an event of the lender and, once it is worked off, records it."""
        self.count += 1
        sequence = self.count
        body = event_body(kind, customer_id, at, sequence, **detail)

        def deliver() -> bool:
            if not self.office.pay(body):
                return False
            known = self.known[customer_id]
            if kind == "CustomerErased" or known.takes(at):
                record(known, sequence)
            return True

        return deliver

    @initialize(shared=st.booleans())
    def begin(self, shared: bool) -> None:  # noqa: FBT001 - drawn
        if shared:
            self.phones["C3"] = self.phones["C2"]
            self.had.add(("C3", self.phones["C3"]))
        for customer_id in ACCOUNTS:
            self._load(customer_id, self.now, self.now, None)

    def _load(self, customer_id: str, written_at: datetime, uploaded_at: datetime, consent: datetime | None) -> None:
        accounts = tuple(
            replace(
                account,
                instalments=tuple(
                    replace(instalment, paid=self._booked((account.account_id, instalment.number), written_at))
                    for instalment in account.instalments
                ),
            )
            for account in ACCOUNTS[customer_id]
            if account.account_id not in self.closed or self.closed[account.account_id] > written_at
        )
        if not accounts:
            return
        facts: Facts = a_customer(
            *accounts, customer_id=customer_id, phone=self.phones[customer_id], consented_at=consent
        )

        def deliver() -> bool:
            loaded = self.office.load(facts, uploaded_at)
            if loaded:
                stated = self.office.store.lender_records[customer_id].snapshot
                assert stated is not None
                assert stated.as_of is not None
                self.known[customer_id].load(facts, stated.as_of)
            return loaded is not None

        self.happened.append(deliver)
        self._deliver(deliver)

    def _booked(self, key: tuple[str, int], by: datetime) -> int:
        known = [(stamp, paid) for stamp, about, paid in self.booked if about == key and stamp[0] <= by]
        return max(known)[1] if known else 0

    # ------------------------------------------------------------ what the lender says

    @rule(
        account=st.sampled_from(sorted(OWNER)), number=st.sampled_from([1, 1, 2]),
        paid=st.sampled_from([0, OWED // 2, OWED, OWED]), ago=late, between=st.booleans(),
    )  # fmt: skip
    def pay(self, account: str, number: int, paid: int, ago: timedelta, between: bool) -> None:  # noqa: FBT001
        at, key = self.now - ago, (account, number)

        def record(known: Recorded, sequence: int) -> None:
            known.paid.setdefault(key, []).append(((at, sequence), paid))

        self._happens(
            self._say("InstalmentPaid", OWNER[account], at, record, account_id=account, instalment_no=number,
                      paid=paid, currency="TWD"),
            between=between,
        )  # fmt: skip
        self.booked.append(((at, self.count), key, paid))

    @rule(account=st.sampled_from(sorted(OWNER)), ago=late, between=st.booleans())
    def close(self, account: str, ago: timedelta, between: bool) -> None:  # noqa: FBT001
        at = self.now - ago

        def record(known: Recorded, sequence: int) -> None:
            del sequence
            known.closed.setdefault(account, []).append(at)

        self._happens(self._say("AccountClosed", OWNER[account], at, record, account_id=account), between=between)
        self.closed[account] = min(at, self.closed.get(account, at))

    @rule(customer_id=customers, reason=st.sampled_from(REASONS[:3]), days=st.sampled_from([None, 0, 3]), ago=late,
          between=st.booleans())  # fmt: skip
    def hold(self, customer_id: str, reason: HoldReason, days: int | None, ago: timedelta, between: bool) -> None:  # noqa: FBT001
        at = self.now - ago
        until = None if days is None else local_day(at) + timedelta(days=days)

        def record(known: Recorded, sequence: int) -> None:
            known.held.setdefault(reason, []).append(((at, sequence), until))

        written = until.isoformat() if until else None
        self._happens(
            self._say("CustomerHold", customer_id, at, record, reason=reason.value, until=written), between=between
        )

    @rule(
        customer_id=customers, reason=st.none() | st.none() | st.sampled_from(REASONS), ago=late, between=st.booleans()
    )
    def release(self, customer_id: str, reason: HoldReason | None, ago: timedelta, between: bool) -> None:  # noqa: FBT001
        at = self.now - ago
        what = reason.value if reason else None

        def record(known: Recorded, sequence: int) -> None:
            del sequence
            known.released.append((at, reason))
            self.acts.append((customer_id, at, lambda why, _: reason is None or why in ENDED_BY_RELEASE[reason]))

        deliver = self._say("CustomerReleased", customer_id, at, record, reason=what)
        self._happens(deliver, between=between)

    @rule(customer_id=customers, ago=late, between=st.booleans())
    def attend(self, customer_id: str, ago: timedelta, between: bool) -> None:  # noqa: FBT001
        at = self.now - ago

        def record(known: Recorded, sequence: int) -> None:
            del known, sequence
            self.acts.append((customer_id, at, lambda *_: True))

        self._happens(
            self._say("CustomerAttended", customer_id, at, record, outcome="called_back", by="u-1"), between=between
        )

    @rule(customer_id=customers, ago=late, between=st.booleans())
    def erase(self, customer_id: str, ago: timedelta, between: bool) -> None:  # noqa: FBT001
        at = self.now - ago

        def record(known: Recorded, sequence: int) -> None:
            del sequence
            lender_record = self.office.store.lender_records[customer_id]
            if lender_record.phones_until is not None:
                for phone in lender_record.phones:
                    self.erased_on[customer_id, phone] = lender_record.phones_until - UNDER_WAY
            known.erase(at)
            self.ever_erased.add(customer_id)
            self.acts.append((customer_id, self.now, lambda *_: True))
            if known.file is None:
                self.send_ids[customer_id].clear()

        self._happens(self._say("CustomerErased", customer_id, at, record), between=between)

    @rule(
        customer_id=customers,
        ago=late,
        written_before=st.sampled_from([0, 10, 20]),
        anew=st.booleans(),
        moves=st.sampled_from([False, False, True]),
        dies=st.sampled_from([False, False, True]),
    )
    def load(
        self,
        customer_id: str,
        ago: timedelta,
        written_before: int,
        anew: bool,  # noqa: FBT001
        moves: bool,  # noqa: FBT001
        dies: bool,  # noqa: FBT001
    ) -> None:
        """Load a file, with another number perhaps, and perhaps die before the facts."""
        uploaded_at = self.now - ago
        if moves:
            self.count += 1
            self.phones[customer_id] = f"+8869{self.count:08d}"
            self.had.add((customer_id, self.phones[customer_id]))
        self.office.store.dies_before_facts = dies
        consent = uploaded_at - timedelta(minutes=1) if anew else self._consent_of(customer_id)
        self._load(customer_id, uploaded_at - written_before * HOUR, uploaded_at, consent)
        self.office.store.dies_before_facts = False

    @rule(customer_id=customers, minutes=st.sampled_from([1, 2, 60]), second_round=st.booleans())
    def erase_and_consent_anew(self, customer_id: str, minutes: int, second_round: bool) -> None:  # noqa: FBT001
        """Erase a customer, who consents anew a little later."""
        self.erase(customer_id, timedelta(), False)  # noqa: FBT003 - as the rule has it
        self.office.clock.move_to(self.now + timedelta(minutes=minutes))
        if second_round:
            self.office.reply_backlog.waiting = len(self.waiting)
            self.office.erase_again()
        self._load(customer_id, self.now, self.now, self.now - timedelta(seconds=30))

    def _consent_of(self, customer_id: str) -> datetime | None:
        file = self.known[customer_id].file
        return file.consented_at if file else None

    # ------------------------------------------------------------ what customers and carriers say

    @rule(
        customer_id=customers,
        intents=st.lists(MEANINGS, unique=True, max_size=2),
        surely=st.sampled_from([0, 1, 2, 2, 2]),
        digits=st.sampled_from(["", "", "", "1111", "2222", "3333", "9999"]),
        ahead=st.sampled_from([None, 0, 1, 4, 14, 15]),
        ago=late,
        between=st.booleans(),
    )
    def reply(
        self,
        customer_id: str,
        intents: list[ReplyIntent],
        surely: int,
        digits: str,
        ahead: int | None,
        ago: timedelta,
        between: bool,  # noqa: FBT001
    ) -> None:
        self.count += 1
        inbound_id, phone, at = f"in-{self.count}", self.phones[customer_id], self.now - ago
        sure, likely = _in_order(intents[:surely]), _in_order(intents[surely:])
        text = f"{','.join(sure)}?{','.join(likely)}|{digits}|{'' if ahead is None else ahead}"

        def deliver() -> bool:
            came = self.written.setdefault(inbound_id, self.now)
            if self.now > came + UNDER_WAY - HOUR / 4:  # its queue has given it up, done with it, or deleted it
                if inbound_id not in self.ended and self.now < came + QUEUES_KEEP:
                    self.office.reply_dead_letters.bodies.append(message(inbound_id, phone, text, at).body)
                self.ended.add(inbound_id)
                return True
            if not self.office.receive_reply(inbound_id, phone, text, at):
                return False
            self.ended.add(inbound_id)
            owners = [
                customer_id for customer_id, known in self.known.items() if known.file and known.file.phone == phone
            ]
            for owner in owners:
                self.known[owner].receive(at, sure, likely, digits, ahead)
            for owner in owners or [phone]:
                self.delivered_replies[owner, at, inbound_id] = phone
            return True

        self._happens(deliver, between=between)

    @precondition(lambda self: self.delivered_replies)
    @rule(
        place=placed,
        intents=st.lists(MEANINGS, unique=True, max_size=2),
        ahead=st.sampled_from([None, 0, 1, 4, 14, 15]),
        ago=late,
        between=st.booleans(),
    )
    def label(
        self,
        place: int,
        intents: list[ReplyIntent],
        ahead: int | None,
        ago: timedelta,
        between: bool,  # noqa: FBT001
    ) -> None:
        """Let a person say what a reply means."""
        customer_id, at, inbound_id = list(self.delivered_replies)[-1 - place % min(4, len(self.delivered_replies))]
        if customer_id not in self.known:
            return  # from a number that nobody has
        meant = _in_order(intents)
        on = None
        if ReplyIntent.PROMISE in meant and ahead is not None:
            on = local_day(at) + timedelta(days=ahead)
        labelled_at = max(self.now - ago, at)  # nobody labels a reply before it is written

        def record(known: Recorded, sequence: int) -> None:
            if (customer_id, at, inbound_id) in self.office.contacts.replies:
                known.read_reply(at, (labelled_at, sequence), meant, ahead if on else None)
                self.acts.append((customer_id, self.now, lambda _, reply_id: reply_id == inbound_id))

        deliver = self._say(
            "ReplyLabelled", customer_id, labelled_at, record, reply_id=inbound_id, intents=list(meant),
            promised_on=on.isoformat() if on else None,
        )  # fmt: skip
        self._happens(deliver, between=between)

    @precondition(lambda self: self.office.carrier.texts)
    @rule(place=placed, response=st.sampled_from(RESPONSES), between=st.booleans())
    def report(self, place: int, response: str, between: bool) -> None:  # noqa: FBT001
        text = self.office.carrier.texts[-1 - place % min(4, len(self.office.carrier.texts))]
        message_id = text.message_id or f"message-of-{text.entry.claim_id}"
        receipt = DeliveryReceipt(
            message_id=message_id,
            at=text.at,
            phone=text.sms.address,
            delivered=not response,
            response=response,
            billed_parts=1,
            billed_price_usd_micros=7,
        )

        def deliver() -> bool:
            if not self.office.report(receipt):
                return False
            standing, known = self.office.store.standings.get(text.customer_id), self.known[text.customer_id]
            recorded = any(record.message_id == message_id for record in self.office.contacts.records.values())
            claimed = standing is not None and any(entry.claim_id == text.entry.claim_id for entry in standing.ledger)
            if recorded and claimed and known.file is not None:
                if response == OPTED_OUT:
                    known.carrier_opt_outs.append(text.at)
                if response == DEAD and known.file.phone == receipt.phone:
                    known.refused.append((receipt.phone, text.at))
            return True

        self._happens(deliver, between=between)

    @precondition(lambda self: self.happened)
    @rule(place=placed)
    def deliver_again(self, place: int) -> None:
        self._deliver(self.happened[-1 - place % len(self.happened)])

    # ------------------------------------------------------------ what we do

    @rule(answers=ANSWERS, keep=st.booleans(), send=st.sampled_from([True, True, True, False]))
    def wake(self, answers: list[Published], keep: bool, send: bool) -> None:  # noqa: FBT001
        """Let time pass until somebody is due; then tick, and send."""
        self._wake(answers, keep=keep, send=send)

    @rule()
    def let_time_pass_undisturbed(self) -> None:
        """Let an undisturbed while pass."""
        for _ in range(3):
            self._wake([], keep=False, send=True)

    def _wake(self, answers: list[Published], *, keep: bool, send: bool) -> None:
        wakes = [standing.wake.at for standing in self.office.store.standings.values() if standing.wake]
        self.office.clock.move_to(max([self.now, min(wakes, default=self.now)]))
        self.office.scanner.tick()
        if send:
            for _ in range(len(self.office.jobs.jobs)):
                self._send(0, answers, keep=keep)

    @precondition(lambda self: self.office.jobs.jobs)
    @rule(place=placed, answers=ANSWERS, keep=st.booleans())
    def send(self, place: int, answers: list[Published], keep: bool) -> None:  # noqa: FBT001
        self._send(place, answers, keep=keep)

    def _send(self, place: int, answers: list[Published], *, keep: bool) -> None:
        self.office.carrier.answers = list(answers)
        if self.between:
            deliver = self.between.pop(0)
            self.office.store.meanwhile = [lambda: self._deliver(deliver)]
        self.office.send(place, keep=keep)
        self._nothing_in_between()
        self.office.carrier.answers = []
        for customer_id, standing in self.office.store.standings.items():
            known = self.known[customer_id]
            refused = standing.suspended.get(Channel.SMS)
            if refused is not None and refused.at and known.file:
                known.refused.append((refused.address, refused.at))

    def _nothing_in_between(self) -> None:
        for deliver in self.office.store.meanwhile:
            deliver()
        self.office.store.meanwhile = []

    @rule(hours=st.sampled_from([0, 1, 7, 24, 72]))
    def pass_time(self, hours: int) -> None:
        self.office.clock.move_to(self.now + timedelta(hours=hours, seconds=91))

    @rule(record=st.booleans())
    def fail(self, record: bool) -> None:  # noqa: FBT001
        """The next write fails: of a record, or of a customer."""
        if record:
            self.office.contacts.fails = True
        else:
            self.office.store.fails = 1

    @rule()
    def work_off(self) -> None:
        """Deliver all that queues hold, and keep house."""
        self.office.contacts.fails, self.office.store.fails = False, 0
        for waiting in (self.between, self.waiting):
            delivering = list(waiting)
            waiting.clear()
            for deliver in delivering:
                self._deliver(deliver)
        self.office.report_again()
        self.office.reply_backlog.waiting = len(self.waiting)
        self.office.erase_again()
        self.office.closing.close()
        self.office.replan()

    # ------------------------------------------------------------ what holds

    @invariant()
    def no_text_went_out_against_what_was_recorded(self) -> None:
        assert self.office.carrier.violations == []

    @invariant()
    def whoever_was_announced_and_has_not_been_attended_waits_for_a_person(self) -> None:
        announced: dict[tuple[str, str, str], datetime] = {}
        for event in self.office.publisher.published:
            match event:
                case CustomerNeedsPerson(reply_id=""):
                    announced[event.customer_id, event.why.value, ""] = event.at
                case CustomerNeedsPerson():
                    # A reply that comes again is announced again, but calls nobody again.
                    announced.setdefault((event.customer_id, event.why.value, event.reply_id), event.at)
                case ReplyNotUnderstood():
                    announced.setdefault((event.customer_id, "not_understood", event.reply_id), event.at)
                case _:
                    pass
        waiting = {found.customer_id for found in self.office.store.waiting_customers("demo-tw", 99)}
        for (customer_id, why, reply_id), at in announced.items():
            standing = self.office.store.standings.get(customer_id)
            if standing is None or any(
                who == customer_id and acted_at >= at and ends(why, reply_id) for who, acted_at, ends in self.acts
            ):
                continue
            stop_has_ended = not reply_id and why not in reviews_of(standing.announced)
            if stop_has_ended or (not reply_id and standing.reason == "nothing_open"):
                continue
            is_open = any((review.why, review.reply_id) == (why, reply_id) for review in standing.attention)
            assert is_open or len(standing.attention) == ATTENTION_LIMIT, (why, reply_id)
            assert customer_id in waiting

    @invariant()
    def nothing_fails_that_was_not_made_to_fail(self) -> None:
        failures = [
            fields for _, fields in self.office.telemetry.events if fields.get("error") not in {None, *EXPECTED}
        ]
        assert failures == []
        assert self.office.dead_letters.parked == []

    def teardown(self) -> None:
        if not self.known["C1"].uploaded_at and "C1" not in self.ever_erased:
            return  # it has not begun
        self.work_off()
        for later in (SECOND_ROUND, UNDER_WAY):
            self.office.clock.move_to(self.now + later)
            self.work_off()
        assert self.office.later.messages == []
        assert self.waiting == []
        self._every_reply_is_kept()
        for customer_id in self.ever_erased:
            self._nothing_is_left(customer_id)

    def _every_reply_is_kept(self) -> None:
        erased = {*self.ever_erased, *(phone for customer_id, phone in self.had if customer_id in self.ever_erased)}
        for key in self.delivered_replies:
            assert key[0] in erased or key in self.office.contacts.replies, "a reply is lost"

    def _nothing_is_left(self, customer_id: str) -> None:
        if self.known[customer_id].file is not None:
            return  # they came back
        assert self.office.store.stored_items(customer_id) == 0
        assert self.office.contacts.identifying_records(customer_id) == 0
        assert self.office.contacts.stored_replies(customer_id) == 0
        assert all(customer_id not in ids for ids in self.office.store.phones.values())
        for (erased, phone), erased_on in self.erased_on.items():
            if erased == customer_id and {owner for owner, having in self.had if having == phone} == {customer_id}:
                self._nothing_from_this_number_is_left(phone, erased_on)

    def _nothing_from_this_number_is_left(self, phone: str, erased_on: datetime) -> None:
        kept = [inbound_id for whose, _, inbound_id in self.office.contacts.replies if whose == phone]
        assert not [inbound_id for inbound_id in kept if self.written[inbound_id] <= erased_on]
        dead_letters = [parse_inbound(body, START) for body in self.office.reply_dead_letters.bodies]
        theirs = [reply for reply in dead_letters if reply.phone == phone]
        assert not [reply for reply in theirs if self.written[reply.inbound_id] <= erased_on]


TestHistories = pytest.mark.slow(reason="300 histories of 50 steps each, on all services")(Histories.TestCase)
TestHistories.settings = settings(max_examples=3 * settings().max_examples, stateful_step_count=50)
