"""The counters of a day are summed up once no change of the day can come any more."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.ports.tallies import CountedChanges
from dunning.services.seal_days import SealService
from tests.support.fakes import FakeClock, FakeTally

DAY = date(2026, 12, 1)
END = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)  # of the day in Taipei


def a_tally(day: date = DAY) -> FakeTally:
    tally = FakeTally()
    tally.add(
        CountedChanges(
            lender="demo-tw", day=day, shard="s", first=1, last=1, as_of=END, counters={"delivered": 1}, customers={}
        )
    )
    return tally


@pytest.mark.parametrize(
    ("after_the_end", "sealed"),
    [(timedelta(0), 0), (timedelta(hours=24), 0), (timedelta(hours=25), 1), (timedelta(days=30), 1)],
)
def test_a_day_is_sealed_when_its_stream_holds_no_change_any_more(after_the_end: timedelta, sealed: int) -> None:
    service = SealService(a_tally(), lambda _: ZoneInfo("Asia/Taipei"), FakeClock(END + after_the_end))
    assert service.seal() == sealed
    assert service.seal() == 0


def test_a_day_ends_in_the_zone_of_its_lender() -> None:
    now = END + timedelta(hours=25)
    assert SealService(a_tally(), lambda _: ZoneInfo("America/New_York"), FakeClock(now)).seal() == 0
