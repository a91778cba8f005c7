"""Text effects: in whatever order replies arrive, and however often changes come again, each counts once a reminder."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.contracts.change_stream import ChangeRecord, Image, ShardChanges
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply_effects import with_hold
from dunning.domain.text_effects import TextEffect, TextPart, name_of_effect
from dunning.services.tally import TallyService
from tests.support.fakes import FakeContacts, FakeTally, FakeTelemetry
from tests.support.trial_fakes import FakeDrawnRungs

BEGIN = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LENDER = "demo-tw"
HOLDS = {
    HoldReason.COMPLAINT: TextEffect.COMPLAINT,
    HoldReason.WRONG_PERSON: TextEffect.WRONG_PERSON,
    HoldReason.HARDSHIP: TextEffect.HARDSHIP,
}
LIMIT = 240
"""The hours of a world: ten days, of which every ledger knows all texts."""

type Statement = tuple[HoldReason | None, int, int]
"""What is said (`None` is an opt-out), at which hour, and at which hour it arrives."""


class Images:
    """Reads what the test has written: the place of a standing among all."""

    def __init__(self) -> None:
        self.standings: list[Standing] = []

    def read(self, image: Image) -> Standing:
        return self.standings[int(image["place"]["N"])]

    def keep(self, standing: Standing) -> Image:
        self.standings.append(standing)
        return {"place": {"N": str(len(self.standings) - 1)}}


def a_text(number: int, hour: int) -> LedgerEntry:
    at = BEGIN + hour * HOUR
    return LedgerEntry(
        send_id=f"s{number}", claim_id=f"c{number}", at=at, stage=number, accounts=("A1",), channel="sms", for_wake=None
    )


def record_of_text(entry: LedgerEntry) -> Contact:
    return Contact(
        customer_id="C1", send_id=entry.send_id, claim_id=entry.claim_id, at=entry.at, state=ContactState.SENT,
        stage=entry.stage, account_ids=("A1",), channel="sms", expires_at=entry.at, lender=LENDER,
        template=f"t{entry.stage}@1", payer_segment="punctual", local_hour=entry.at.hour,
    )  # fmt: skip


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    """Draw what a customer says, with the hour at which it is known: at once, or after what was spoken later."""
    said_at = draw(st.lists(st.integers(0, LIMIT), max_size=8))
    return [
        (draw(st.sampled_from([None, *HOLDS])), at, at + draw(st.sampled_from([0, 0, 1, 30, 100]))) for at in said_at
    ]


def standing_after(standing: Standing, statement: Statement) -> Standing:
    reason, hour, _ = statement
    at = BEGIN + hour * HOUR
    if reason is not None:
        return with_hold(standing, Hold(reason, None, at))
    return replace(standing, opted_out_at=max(at, standing.opted_out_at or at))


def changes_of(texts: list[LedgerEntry], spoken: list[Statement], images: Images) -> list[ChangeRecord]:
    """Play texts and statements in the order of their arrival."""
    arrivals: list[tuple[datetime, int, LedgerEntry | Statement]] = [(entry.at, 0, entry) for entry in texts]
    arrivals += [(BEGIN + each[2] * HOUR, 1, each) for each in spoken]
    standing = Standing(customer_id="C1", lender_id=LENDER)
    records = []
    for number, (at, _, arrived) in enumerate(sorted(arrivals, key=lambda each: each[:2]), 1):
        before = standing
        if isinstance(arrived, LedgerEntry):
            standing = replace(standing, ledger=(*standing.ledger, arrived))
        else:
            standing = standing_after(standing, arrived)
        records.append(ChangeRecord(number, at, images.keep(before), images.keep(standing)))
    return records


@pytest.mark.slow(reason="some hundred lives, each counted from its changes")
@given(st.lists(st.integers(0, LIMIT), max_size=6, unique=True), statements(), st.data())
def test_each_effect_counts_once_a_reminder_by_everything_the_reminder_is_told_apart_by(
    hours: list[int], spoken: list[Statement], data: st.DataObject
) -> None:
    texts = [a_text(number, hour) for number, hour in enumerate(sorted(hours), 1)]
    images, tally, contacts = Images(), FakeTally(), FakeContacts()
    contacts.write([record_of_text(entry) for entry in texts])
    service = TallyService(
        images=images,
        tally=tally,
        zone_of=lambda _: ZoneInfo("Asia/Taipei"),
        telemetry=FakeTelemetry(),
        rungs=FakeDrawnRungs(),
        has_trials=lambda _: False,
        texts=contacts,
    )
    records = changes_of(texts, spoken, images)
    done = 0
    while done < len(records):
        first = data.draw(st.integers(0, done))
        done = data.draw(st.integers(done, len(records)))
        service.count(ShardChanges("shard-1", tuple(records[first:done])))
    total: Counter[str] = Counter()
    for day in tally.days(LENDER, BEGIN.date(), (BEGIN + 2 * LIMIT * HOUR).date()):
        total.update(day.counters)

    def text_before(hour: int) -> int | None:
        return max((number for number, at in enumerate(sorted(hours), 1) if at <= hour), default=None)

    def value_of(part: TextPart, number: int | None) -> str:
        if number is None:
            return "~"
        of_text = {TextPart.STAGE: number, TextPart.HOUR: texts[number - 1].at.hour, TextPart.WORDING: f"t{number}@1"}
        return str(of_text.get(part, "punctual"))

    for reason, effect in HOLDS.items():
        followed = {text_before(hour) for what, hour, _ in spoken if what is reason}
        for part in TextPart:
            name = name_of_effect(effect, part)
            expected = Counter(f"{name}:{value_of(part, number)}" for number in followed)
            assert Counter({key: n for key, n in total.items() if key.startswith(f"{name}:")}) == expected
    opted_out = {text_before(hour) for what, hour, _ in spoken if what is None}
    by_stage = {key: number for key, number in total.items() if key.startswith("opt_out_by_stage:")}
    assert by_stage.keys() <= {f"opt_out_by_stage:{number or '~'}" for number in opted_out}
    assert set(by_stage.values()) <= {1}
    assert bool(by_stage) is bool(opted_out)
    for part in TextPart:
        name = name_of_effect(TextEffect.OPT_OUT, part)
        assert sum(n for key, n in total.items() if key.startswith(f"{name}:")) == sum(by_stage.values())
