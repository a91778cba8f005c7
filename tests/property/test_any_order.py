"""
What has happened comes late, twice and in any order: where a customer stands in the end is the same.

All that was said is delivered at one moment, in two drawn orders, some of it more than once, and nobody is texted in
between: a text depends on when it is sent. Compared are the facts, the standing with its wake and reason, the audit
records and the replies. Left out is the standing's version, which counts writes, and what the bus was told, which is
told again at every repeat.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Facts, HoldReason
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, progress_key
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.effect.payer_segments import NO_HISTORY
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import Reply
from dunning.ports.contacts import ContactKey
from tests.support.builders import a_customer, an_account, an_instalment
from tests.support.office import Office, event_body
from tests.support.strategies import many

NOW = datetime(2026, 12, 4, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FACTS = a_customer(
    an_account(an_instalment("2026-11-30"), an_instalment("2026-12-30", number=2), account_id="A1", tail="1111"),
    an_account(an_instalment("2026-12-05"), an_instalment("2027-01-05", number=2), account_id="A2", tail="2222"),
    phone="+886911111111",
)
OWED = 325_000
TEXTS = {"m1": NOW - 60 * HOUR, "m2": NOW - 30 * HOUR}

type Delivery = Callable[[Office], object]


@dataclass(frozen=True)
class EventDelivery:
    """A lender's event."""

    kind: str
    hours_ago: int
    sequence: int
    detail: tuple[tuple[str, object], ...]

    def __call__(self, office: Office) -> None:
        at = NOW - self.hours_ago * HOUR
        assert office.pay(event_body(self.kind, FACTS.customer_id, at, self.sequence, **dict(self.detail)))


@dataclass(frozen=True)
class ReplyDelivery:
    """A reply. Which one it is says when and what: no two come with one id."""

    minutes_ago: int
    text: str

    @property
    def reply_id(self) -> str:
        return f"in-{self.minutes_ago}-{re.sub('[|,?]', '.', self.text)}"

    def __call__(self, office: Office) -> None:
        at = NOW - timedelta(minutes=self.minutes_ago)
        assert office.receive_reply(self.reply_id, FACTS.phone, self.text, at)


@dataclass(frozen=True)
class LabelDelivery:
    """What a person says of a reply, which has come before."""

    reply: ReplyDelivery
    label: EventDelivery

    def __call__(self, office: Office) -> None:
        self.reply(office)
        self.label(office)


@dataclass(frozen=True)
class ReceiptDelivery:
    """A receipt for one of the texts."""

    message_id: str
    response: str

    def __call__(self, office: Office) -> None:
        at = TEXTS[self.message_id]
        assert office.report(
            DeliveryReceipt(
                message_id=self.message_id,
                at=at,
                phone=FACTS.phone,
                delivered=not self.response,
                response=self.response,
                billed_parts=1,
                billed_price_usd_micros=7,
            )
        )


ago = st.integers(1, 72)
sequences = st.integers(0, 1)
reasons = st.sampled_from(
    [
        HoldReason.DISPUTE,
        HoldReason.HARDSHIP,
        HoldReason.SAYS_PAID,
        HoldReason.PROMISE,
        HoldReason.QUESTION,
        HoldReason.NUMBER_REFUSED,
        HoldReason.DECEASED,
        HoldReason.DOUBT,
        HoldReason.UNCONFIRMED,
    ]
)
payments = st.builds(
    lambda hours, sequence, account, number, paid: EventDelivery(
        "InstalmentPaid",
        hours,
        sequence,
        (("account_id", account), ("instalment_no", number), ("paid", paid), ("currency", "TWD")),
    ),
    ago,
    sequences,
    st.sampled_from(["A1", "A2"]),
    st.sampled_from([1, 1, 2, 3]),
    st.sampled_from([0, OWED // 2, OWED, OWED]),
)  # fmt: skip
changes = st.builds(
    lambda hours, sequence, number, due_on, amount: EventDelivery(
        "InstalmentChanged",
        hours,
        sequence,
        (
            ("account_id", "A1"), ("instalment_no", number), ("due_on", due_on), ("amount", amount), ("currency", "TWD")
        ),
    ),
    ago,
    sequences,
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["2026-11-20", "2026-12-03", "2026-12-30"]),
    st.sampled_from([0, OWED // 2, OWED, 2 * OWED]),
)  # fmt: skip
closures = st.builds(lambda hours: EventDelivery("AccountClosed", hours, 0, (("account_id", "A2"),)), ago)
holds = st.builds(
    lambda hours, sequence, reason, until: EventDelivery(
        "CustomerHold", hours, sequence, (("reason", reason.value), ("until", until))
    ),
    ago, sequences, reasons, st.sampled_from([None, "2026-12-10"]),
)  # fmt: skip
releases = st.builds(
    lambda hours, sequence, reason: EventDelivery(
        "CustomerReleased", hours, sequence, (("reason", reason.value if reason else None),)
    ),
    ago, sequences, st.none() | reasons,
)  # fmt: skip


@st.composite
def replies(draw: st.DrawFn) -> ReplyDelivery:
    """Draw a reply."""
    drawn = draw(st.lists(st.sampled_from(ReplyIntent), unique=True, max_size=2))
    surely = draw(st.sampled_from([0, 1, 2, 2, 2]))
    sure, likely = (",".join(sorted(part, key=[*ReplyIntent].index)) for part in (drawn[:surely], drawn[surely:]))
    digits = draw(st.sampled_from(["", "", "1111", "2222", "9999"]))
    ahead = draw(st.sampled_from(["", "0", "3", "14", "15"]))
    minutes_ago = draw(st.integers(10, 72 * 60))
    return ReplyDelivery(minutes_ago, f"{sure}?{likely}|{digits}|{ahead}")


@st.composite
def reply_labels(draw: st.DrawFn) -> LabelDelivery:
    """Draw a label of a reply; few replies, so that several are for one."""
    text = draw(st.sampled_from(["paid?|2222|", "?promise,dispute||3", "opt_in?||", "?opt_out||", "distress?||"]))
    reply = ReplyDelivery(draw(st.sampled_from([30, 600])), text)
    intents = sorted(draw(st.lists(st.sampled_from(ReplyIntent), unique=True, max_size=2)), key=[*ReplyIntent].index)
    promised_on = draw(st.sampled_from([None, "2026-12-06"])) if ReplyIntent.PROMISE in intents else None
    detail = (("reply_id", reply.reply_id), ("intents", intents), ("promised_on", promised_on))
    return LabelDelivery(reply, EventDelivery("ReplyLabelled", draw(ago), draw(sequences), detail))


receipts = st.builds(
    ReceiptDelivery,
    st.sampled_from(sorted(TEXTS)),
    st.sampled_from([
        "", "", "Phone number is opted out", "Invalid phone number", "Phone is currently unreachable/unavailable",
        "Blocked as spam by phone carrier", "Unknown error attempting to reach phone",
    ]),
)  # fmt: skip
deliveries = st.one_of(
    payments, payments, changes, replies(), replies(), replies(), reply_labels(), receipts, holds, releases, closures
)


def opened() -> Office:
    """Open an office with a customer who has been texted twice."""
    office = Office()
    office.clock.move_to(NOW)
    assert office.load(FACTS, NOW - 80 * HOUR)
    entries = [
        LedgerEntry(
            send_id=f"send-{message_id}",
            claim_id=f"claim-{message_id}",
            at=at,
            stage=0,
            accounts=(account,),
            channel="sms",
            for_wake=None,
        )
        for (message_id, at), account in zip(TEXTS.items(), ("A1", "A2"), strict=True)
    ]
    progress = {
        progress_key("A1", 1): Progress(0, TEXTS["m1"].date(), FACTS.accounts[0].instalments[0].due_on),
        progress_key("A2", 1): Progress(-3, TEXTS["m2"].date(), FACTS.accounts[1].instalments[0].due_on),
    }
    standing = office.store.standings[FACTS.customer_id]
    office.store.standings[FACTS.customer_id] = replace(standing, ledger=tuple(entries), progress=progress)
    office.contacts.write([_record(entry, "m1" if entry.accounts == ("A1",) else "") for entry in entries])
    return office


def _record(entry: LedgerEntry, message_id: str) -> Contact:
    return Contact(
        customer_id=FACTS.customer_id,
        send_id=entry.send_id,
        claim_id=entry.claim_id,
        at=entry.at,
        state=ContactState.SENT if message_id else ContactState.UNKNOWN,
        stage=entry.stage,
        account_ids=entry.accounts,
        channel=entry.channel,
        expires_at=NOW + 9999 * HOUR,
        phone=FACTS.phone,
        text="text",
        parts=1,
        message_id=message_id,
    )


@dataclass(frozen=True)
class Ending:
    """What is compared."""

    facts: Facts
    standing: Standing
    records: dict[ContactKey, Contact]
    replies: dict[tuple[str, datetime, str], Reply]


def after(*delivered: Delivery) -> Ending:
    office = opened()
    for delivery in delivered:
        delivery(office)
    assert not office.dead_letters.parked
    # What has been announced is history, and decides nothing but what is announced next. A stop waits for a person
    # from its announcement on: after an opt-out no number is announced. What waits about a reply is compared.
    standing = office.store.standings[FACTS.customer_id]
    about_replies = tuple(review for review in standing.attention if review.reply_id)
    # A history counts an instalment when it is settled, by what was known then.
    standing = replace(standing, version=0, announced=(), attention=about_replies, history=NO_HISTORY)
    return Ending(office.store.facts[FACTS.customer_id], standing, office.contacts.records, office.contacts.replies)


@many
@given(happened=st.lists(deliveries, min_size=2, max_size=7), data=st.data())
def test_the_order_of_events_makes_no_difference(happened: list[Delivery], data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(happened), max_size=3), label="repeated")
    other = data.draw(st.permutations([*happened, *repeated]), label="other order")
    ending = after(*happened)
    event(f"reason in the end: {ending.standing.reason}")
    assert after(*other) == ending
