"""The tally: however the changes of a shard come again, each of them is counted once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dunning.contracts.change_stream import ChangeRecord, Image, ShardChanges
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.services.tally import TallyService
from tests.support.fakes import FakeContacts, FakeTally, FakeTelemetry
from tests.support.trial_fakes import FakeDrawnRungs

MIDNIGHT = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)  # in Taipei
LENDERS = ("demo-tw", "demo-hk")


class Images:
    """Reads what the test has written: the place of a contact among all."""

    def __init__(self, contacts: list[Contact]) -> None:
        self._contacts = contacts

    def read(self, image: Image) -> Contact:
        return self._contacts[int(image["place"]["N"])]


def a_contact(place: int, lender: str) -> Contact:
    return Contact(
        customer_id=f"C{place}", send_id=f"s{place}", claim_id="c", at=MIDNIGHT, state=ContactState.SENT, stage=0,
        account_ids=(), channel="sms", expires_at=MIDNIGHT, lender=lender, parts=2, price_usd_micros=7,
    )  # fmt: skip


@st.composite
def shards(draw: st.DrawFn) -> tuple[list[Contact], list[ShardChanges]]:
    """Draw the contacts that were written, and the changes of each shard."""
    contacts: list[Contact] = []
    found: list[ShardChanges] = []
    for shard in range(draw(st.integers(1, 3))):
        records = []
        sequence = draw(st.integers(1, 10**30))
        for _ in range(draw(st.integers(1, 8))):
            at = MIDNIGHT + timedelta(seconds=draw(st.integers(-3, 3)))
            image = {"place": {"N": str(len(contacts))}}
            contacts.append(a_contact(len(contacts), draw(st.sampled_from(LENDERS))))
            records.append(ChangeRecord(sequence, at, None, image))
            sequence += draw(st.integers(1, 1000))
        found.append(ShardChanges(f"shard-{shard}", tuple(records)))
    return contacts, found


@given(shards(), st.data())
def test_what_comes_split_and_again_in_any_order_is_counted_once(
    drawn: tuple[list[Contact], list[ShardChanges]], data: st.DataObject
) -> None:
    contacts, changes = drawn
    tally = FakeTally()
    rungs = FakeDrawnRungs()
    service = TallyService(
        images=Images(contacts),
        tally=tally,
        zone_of=lambda _: ZoneInfo("Asia/Taipei"),
        telemetry=FakeTelemetry(),
        rungs=rungs,
        has_trials=lambda lender: lender == LENDERS[0],
        texts=FakeContacts(),
    )
    # The first time a shard's changes come in order, in batches; in between come earlier batches, cut otherwise.
    left = {each.shard: list(each.records) for each in changes}
    done: dict[str, list[ChangeRecord]] = {each.shard: [] for each in changes}
    while any(left.values()):
        shard = data.draw(st.sampled_from(sorted(shard for shard, records in left.items() if records)))
        comes_again = data.draw(st.booleans())
        if done[shard] and comes_again:
            first, end = sorted(data.draw(st.tuples(*[st.integers(0, len(done[shard]))] * 2)))
            ahead = data.draw(st.integers(0, len(left[shard]))) if end == len(done[shard]) else 0
            again = [*done[shard][first:end], *left[shard][:ahead]]
            service.count(ShardChanges(shard, tuple(again)))
            done[shard] += left[shard][:ahead]
            del left[shard][:ahead]
        else:
            size = data.draw(st.integers(1, len(left[shard])))
            service.count(ShardChanges(shard, tuple(left[shard][:size])))
            done[shard] += left[shard][:size]
            del left[shard][:size]
    days = [MIDNIGHT.date(), MIDNIGHT.date() + timedelta(days=1)]
    for lender in LENDERS:
        counted = tally.days(lender, *days)
        sent = [contact for contact in contacts if contact.lender == lender]
        total: Counter[str] = Counter()
        for found in counted:
            total.update(found.counters)
        assert total["sent:0"] == len(sent)
        assert total["segments"] == 2 * len(sent)
        assert total["price_micros"] == 7 * len(sent)
        kept = [rung.send_id for day in days for rung in rungs.rungs_of(lender, day).rungs]
        assert sorted(kept) == sorted(contact.send_id for contact in sent if lender == LENDERS[0])
        behind = [
            customer_id for day in days for customer_id in tally.customers_behind(lender, day, "sent:0").customer_ids
        ]
        assert sorted(behind) == sorted(contact.customer_id for contact in sent)
        for day in days:
            assert tally.customers_behind(lender, day, "segments").customer_ids == ()
