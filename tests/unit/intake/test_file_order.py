"""An older file does not win over a newer one, also where the newer one said nothing new."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import pytest

from dunning.domain.errors import ServiceCallError
from dunning.ports.file_loads import FileLoad, KnownLoads
from dunning.services.intake import IntakeService
from dunning.services.intake.file_order import MOST_REMEMBERED, REMEMBERED, FileOrder, Overtaken
from dunning.services.intake.whole_list import WholeLists
from dunning.services.optimistic import ContestedError
from tests.support.fakes import FakeClock, FakeCustomers, FakeEventPublisher, FakeTelemetry, FakeUploads
from tests.support.lender_files import CHEN, LENDERS, NOW, POLICIES, UPLOADED_AT, WANG, Office, csv_of, row
from tests.support.schedules import ProcessDiedError, SteppedClient, SteppedTable, Turns, all_schedules, stepped_store

SECOND = timedelta(seconds=1)
AT_8, AT_10 = UPLOADED_AT + 8 * SECOND, UPLOADED_AT + 10 * SECOND
CHEAPER = row(amount="1000")


def amount(office: Office, customer_id: str = "C-1001") -> int:
    """Return what is asked for, in New Taiwan dollars."""
    return office.store.facts[customer_id].accounts[0].instalments[0].amount // 100


def test_a_file_overtaken_by_a_newer_one_that_left_a_customer_unchanged_changes_nothing(office: Office) -> None:
    office.load_rows(WANG)
    assert office.load(csv_of([WANG]), AT_10, "newer.csv").customers_unchanged == 1
    summary = office.load(csv_of([CHEAPER]), AT_8, "older.csv")
    assert (summary.older, summary.customers_loaded, amount(office)) == (1, 0, 3250)


def test_an_overtaken_file_is_believed_about_whom_the_newer_one_does_not_name(office: Office) -> None:
    office.load_rows(WANG, CHEN)
    office.load(csv_of([WANG]), AT_10, "newer.csv")
    office.load(csv_of([CHEAPER, row(CHEN, amount="1000")]), AT_8, "older.csv")
    assert (amount(office), amount(office, "C-1002")) == (3250, 1000)


def test_an_overtaken_file_is_believed_about_whom_the_newer_one_was_refused(office: Office) -> None:
    office.load_rows(WANG)
    office.load(csv_of([row(phone="?")]), AT_10, "newer.csv")
    office.load(csv_of([CHEAPER]), AT_8, "older.csv")
    assert amount(office) == 1000


def test_a_newer_file_that_was_refused_whole_says_nothing(office: Office) -> None:
    office.load_rows(WANG)
    office.load(b"PK\x03\x04", AT_10, "newer.csv")
    office.load(csv_of([CHEAPER]), AT_8, "older.csv")
    assert amount(office) == 1000


def test_an_overtaken_file_is_refused_when_the_newer_one_is_gone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.load_rows(WANG)
    office.load(csv_of([WANG]), AT_10, "newer.csv")
    read = office.uploads.open

    @contextmanager
    def open_if_there(bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        if key == "accounts/newer.csv":
            raise ServiceCallError("GetObject", code)
        with read(bucket, key) as chunks:
            yield chunks

    monkeypatch.setattr(office.uploads, "open", open_if_there)
    code = "NoSuchKey"
    assert office.load(csv_of([CHEAPER]), AT_8, "older.csv").refused == "overtaken"
    code = "SlowDown"
    with pytest.raises(ServiceCallError, match="SlowDown"):
        office.load(csv_of([CHEAPER]), AT_8, "older.csv")
    assert amount(office) == 3250


def test_a_file_overtaken_by_very_many_is_refused(office: Office) -> None:
    loads = tuple(FileLoad(f"f{n}", AT_10 + n * SECOND, is_finished=True) for n in range(MOST_REMEMBERED))
    office.store.file_loads = KnownLoads(1, loads)
    assert office.load(csv_of([CHEAPER]), AT_8, "older.csv").refused == "overtaken"


def test_unchanged_customers_are_not_written_unless_an_older_file_is_being_loaded(office: Office) -> None:
    office.load_rows(WANG)
    before = office.store.writes
    office.load(csv_of([WANG]), AT_10, "newer.csv")
    assert office.store.writes == before
    FileOrder(office.store).begin("accounts/older.csv", AT_8, NOW)
    assert office.load(csv_of([WANG]), AT_10 + SECOND, "newest.csv").customers_unchanged == 1
    assert office.store.facts["C-1001"].as_of == AT_10 + SECOND
    assert office.load(csv_of([CHEAPER]), AT_8, "older.csv").older == 1


def test_loads_are_remembered_as_long_as_their_files_and_the_newest_longest() -> None:
    store = FakeCustomers()
    order = FileOrder(store)
    order.begin("old", NOW - REMEMBERED - SECOND, NOW)
    for number in range(MOST_REMEMBERED + 5):
        order.begin(f"f{number}", UPLOADED_AT + number * SECOND, NOW)
        order.finish(f"f{number}", UPLOADED_AT + number * SECOND)
    assert [load.key for load in store.file_loads.loads] == [f"f{n}" for n in range(5, MOST_REMEMBERED + 5)]
    assert order.begin("f50", UPLOADED_AT + 50 * SECOND, NOW) == Overtaken(
        tuple(FileLoad(f"f{n}", UPLOADED_AT + n * SECOND, is_finished=True) for n in range(51, MOST_REMEMBERED + 5)),
        older_under_way=False,
    )


@pytest.mark.slow(reason="every schedule of two loads with two changes and a fault")
def test_under_every_schedule_the_newer_of_two_files_counts_though_it_leaves_the_customer_unchanged() -> None:
    uploads = FakeUploads()
    uploads.files = {"accounts/older.csv": csv_of([CHEAPER]).encode(), "accounts/newer.csv": csv_of([WANG]).encode()}
    schedules = 0
    for choices in all_schedules():
        table = SteppedTable(shared=frozenset({"facts", "standing", "loads"}))
        clients = [SteppedClient(table, number) for number in range(2)]
        stores = [stepped_store(client) for client in clients]
        services = [
            IntakeService(
                store=store,
                phones=store,
                loads=store,
                uploads=uploads,
                publisher=FakeEventPublisher(),
                policies=POLICIES,
                lenders=LENDERS,
                clock=FakeClock(NOW),
                telemetry=FakeTelemetry(),
                whole_lists=WholeLists(store, store, POLICIES),
                writers=1,
            )
            for store in stores
        ]
        services[0].load("bucket", "accounts/newer.csv", UPLOADED_AT)
        left = {0: ("accounts/older.csv", AT_8), 1: ("accounts/newer.csv", AT_10)}

        def load(
            number: int,
            services: Sequence[IntakeService] = services,
            left: dict[int, tuple[str, datetime]] = left,
        ) -> None:
            if number in left:
                try:
                    services[number].load("bucket", *left[number])
                except (ServiceCallError, ContestedError, ProcessDiedError):
                    return
                del left[number]

        turns = Turns(choices, faults=1)
        for client in clients:
            client.turns = turns
        turns.run(partial(load, 0), partial(load, 1))
        for client in clients:
            client.revive()
        for number in (1, 0):
            load(number)
        assert not left
        found = stores[0].load_stored(["C-1001"])["C-1001"]
        assert not isinstance(found, Exception)
        assert found.lender_record.snapshot is not None
        assert found.lender_record.snapshot.accounts[0].instalments[0].amount == 325_000
        schedules += 1
    assert schedules > 100
