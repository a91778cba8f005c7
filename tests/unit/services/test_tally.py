"""Tally: what the streams tell of draws is kept for lenders with trials, and what follows texts is put down to them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

import pytest

from dunning.contracts.change_stream import ChangeRecord, Image, ShardChanges
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.settling import Asked
from dunning.domain.errors import ServiceCallError
from dunning.ports.telemetry import LogEvent, Metric
from dunning.services.tally import COUNTERS_A_RUN, CountedItem, TallyService, rungs_of_change
from tests.support.fakes import FakeContacts, FakeTally, FakeTelemetry
from tests.support.trial_fakes import FakeDrawnRungs

AT = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)  # a minute to midnight in Taipei
DAY = date(2026, 12, 1)
LENDER = "demo-tw"

ENTRY = LedgerEntry(
    send_id="send-1", claim_id="claim-1", at=AT, stage=0, accounts=("A1",), channel="sms", for_wake=None,
    draws="hquiet.text:0.8", payer_segment="new", asked="0.1:500",
)  # fmt: skip
STANDING = Standing(customer_id="C1", lender_id=LENDER, version=1)
CLAIMED = replace(STANDING, ledger=(ENTRY,))
RECORD = Contact(
    customer_id="C1", send_id="send-1", claim_id="claim-1", at=AT, state=ContactState.SENT, stage=0,
    account_ids=("A1",), channel="sms", expires_at=AT, lender=LENDER, jurisdiction="TW", parts=2,
    price_usd_micros=7, draws="hquiet.text:0.8", payer_segment="new", asked="0.1:500",
)  # fmt: skip
HELD_OUT = replace(RECORD, state=ContactState.HELD_OUT, channel="none", parts=0, price_usd_micros=0)


class Images:
    """Reads what the test has written, by its place."""

    def __init__(self, items: list[CountedItem]) -> None:
        self._items = items

    def read(self, image: Image) -> CountedItem:
        return self._items[int(image["place"]["N"])]


class Streams:
    """The tally, and changes that it is handed."""

    def __init__(self, *, has_trials: bool = True) -> None:
        self.items: list[CountedItem] = []
        self.records: list[ChangeRecord] = []
        self.tally, self.rungs, self.telemetry = FakeTally(), FakeDrawnRungs(), FakeTelemetry()
        self.contacts = FakeContacts()
        self.service = TallyService(
            images=Images(self.items),
            tally=self.tally,
            zone_of=lambda _: ZoneInfo("Asia/Taipei"),
            telemetry=self.telemetry,
            rungs=self.rungs,
            has_trials=lambda _: has_trials,
            texts=self.contacts,
        )

    def change(self, old: CountedItem | None, new: CountedItem | None, at: datetime = AT) -> None:
        images = [self._image(item) for item in (old, new)]
        self.records.append(ChangeRecord(len(self.records) + 1, at, images[0], images[1]))

    def _image(self, item: CountedItem | None) -> Image | None:
        if item is None:
            return None
        self.items.append(item)
        return {"place": {"N": str(len(self.items) - 1)}}

    def count(self) -> None:
        self.service.count(ShardChanges("shard-1", tuple(self.records)))


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.mark.parametrize("record", [RECORD, HELD_OUT], ids=["texted", "held out"])
def test_a_new_record_of_a_reminder_is_a_rung_of_the_day_of_its_claim(streams: Streams, record: Contact) -> None:
    streams.change(None, record, AT + timedelta(hours=2))
    streams.count()
    (rung,) = streams.rungs.rungs_of(LENDER, DAY).rungs
    assert (rung.customer_id, rung.send_id, rung.channel, rung.draws) == ("C1", "send-1", record.channel, record.draws)
    assert (rung.asked, rung.payer_segment, rung.place) == ((Asked("A1", 1, 500),), "new", "TW")
    counted = {name for day in streams.tally.days(LENDER, DAY, DAY + timedelta(days=1)) for name in day.counters}
    assert counted, "a record still counts as what it is"


@pytest.mark.parametrize(
    ("old", "new"),
    [(None, replace(RECORD, stage=None)), (RECORD, replace(RECORD, state=ContactState.DELIVERED)), (CLAIMED, CLAIMED)],
    ids=["no reminder", "a record that changes", "a claim that stays"],
)
def test_what_tells_of_no_new_rung_is_not_kept(streams: Streams, old: CountedItem, new: CountedItem) -> None:
    streams.change(old, new)
    streams.count()
    assert streams.rungs.runs == {}


def test_a_claim_with_a_draw_is_kept_and_one_without_is_not(streams: Streams) -> None:
    streams.change(STANDING, CLAIMED)
    streams.change(None, replace(STANDING, ledger=(replace(ENTRY, claim_id="other", send_id="other", draws=""),)))
    streams.count()
    assert streams.rungs.rungs_of(LENDER, DAY).claimed == {"send-1"}


def test_a_claim_that_is_released_is_taken_back_and_a_draw_that_the_ledger_drops_is_not(streams: Streams) -> None:
    streams.change(STANDING, CLAIMED)
    streams.change(CLAIMED, replace(CLAIMED, ledger=(replace(ENTRY, draws=""),)))
    streams.count()
    assert streams.rungs.rungs_of(LENDER, DAY).claimed == {"send-1"}
    streams.change(CLAIMED, STANDING, AT + timedelta(days=2))
    streams.count()
    assert streams.rungs.rungs_of(LENDER, DAY).claimed == frozenset()


def test_of_a_lender_without_trials_nothing_is_kept() -> None:
    streams = Streams(has_trials=False)
    streams.change(None, RECORD)
    streams.change(None, replace(RECORD, send_id="s2", asked="?"))
    streams.count()
    assert streams.rungs.runs == {}
    assert Metric.CHANGES_NOT_COUNTED not in streams.telemetry.counts


def test_a_record_that_does_not_say_what_it_asked_for_is_told_and_does_not_hold_up_the_others(
    streams: Streams,
) -> None:
    streams.change(None, replace(RECORD, asked="1.1:5"))
    streams.change(None, replace(RECORD, send_id="send-2"))
    streams.count()
    assert streams.telemetry.counts[Metric.CHANGES_NOT_COUNTED] == 1
    ((event, fields),) = streams.telemetry.events
    assert event is LogEvent.CHANGE_NOT_COUNTED
    assert "C1" not in str(fields)
    assert [rung.send_id for rung in streams.rungs.rungs_of(LENDER, DAY).rungs] == ["send-2"]


def test_changes_that_come_again_leave_the_same_rungs(streams: Streams) -> None:
    streams.change(STANDING, CLAIMED)
    streams.change(None, RECORD)
    streams.count()
    before = streams.rungs.rungs_of(LENDER, DAY)
    streams.count()
    streams.records.pop()
    streams.count()
    assert streams.rungs.rungs_of(LENDER, DAY) == before


def saying(reason: HoldReason, at: datetime) -> Standing:
    return replace(CLAIMED, holds=(Hold(reason, None, at),))


def counted_of(streams: Streams) -> dict[str, int]:
    found = streams.tally.days(LENDER, DAY, DAY + timedelta(days=9))
    return {name: number for day in found for name, number in day.counters.items() if "_by_" in name}


def test_a_complaint_counts_by_what_the_record_of_the_text_before_it_says(streams: Streams) -> None:
    streams.contacts.write([replace(RECORD, template="zh-Hant/due@2", local_hour=23)])
    streams.change(CLAIMED, saying(HoldReason.COMPLAINT, AT + timedelta(hours=1)))
    streams.count()
    assert counted_of(streams) == {
        "complaint_by_stage:0": 1,
        "complaint_by_hour:23": 1,
        "complaint_by_text:zh-Hant/due@2": 1,
        "complaint_by_payer:new": 1,
    }


def test_what_is_not_known_of_the_text_before_counts_as_not_known(streams: Streams) -> None:
    streams.change(CLAIMED, saying(HoldReason.HARDSHIP, AT + timedelta(hours=1)))
    streams.change(STANDING, replace(STANDING, opted_out_at=AT))
    streams.count()
    assert counted_of(streams) == {
        "hardship_by_stage:0": 1, "hardship_by_hour:?": 1, "hardship_by_text:?": 1, "hardship_by_payer:?": 1,
        "opt_out_by_stage:~": 1, "opt_out_by_hour:~": 1, "opt_out_by_text:~": 1, "opt_out_by_payer:~": 1,
    }  # fmt: skip


def test_no_record_is_read_of_a_change_that_says_nothing_of_that_kind(streams: Streams) -> None:
    def refuse(keys: object) -> NoReturn:
        raise AssertionError(keys)

    streams.contacts.details_of = refuse  # type: ignore[method-assign]
    streams.change(STANDING, CLAIMED)
    streams.change(None, RECORD)
    streams.change(STANDING, replace(STANDING, opted_out_at=AT))
    streams.count()
    assert counted_of(streams)["opt_out_by_stage:~"] == 1


def test_records_that_cannot_be_read_now_count_nothing_and_all_comes_again(streams: Streams) -> None:
    streams.change(None, RECORD)
    streams.change(CLAIMED, saying(HoldReason.COMPLAINT, AT))
    read, streams.contacts.details_of = streams.contacts.details_of, unanswered  # type: ignore[method-assign]
    with pytest.raises(ServiceCallError):
        streams.count()
    assert streams.tally.changes == []
    streams.contacts.details_of = read  # type: ignore[method-assign]
    streams.count()
    assert counted_of(streams)["complaint_by_stage:0"] == 1


def unanswered(keys: object) -> NoReturn:
    del keys
    raise ServiceCallError("BatchGetItem", "Throttling")


def test_a_run_with_many_counters_is_added_in_parts_that_fit_and_counted_once(streams: Streams) -> None:
    for number in range(300):
        streams.change(None, replace(RECORD, customer_id=f"C{number}", template=f"own-{number}@1"))
    streams.count()
    streams.count()
    runs = streams.tally.changes
    assert len(runs) > 1
    assert max(len(run.counters) for run in runs) <= COUNTERS_A_RUN
    total: Counter[str] = Counter()
    for run in runs:
        total.update(run.counters)
    assert total["sent:0"] == total["hour:?"] == 300
    assert sum(number for name, number in total.items() if name.startswith("text:")) == 300


def test_an_item_that_goes_tells_of_nothing() -> None:
    assert rungs_of_change(RECORD, None) == []
    assert rungs_of_change(CLAIMED, None) == []
