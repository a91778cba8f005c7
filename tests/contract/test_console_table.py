"""Sessions and the audit trail: what the ports promise, of the fake and of DynamoDB alike."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Protocol
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.console_table import DynamoConsole
from dunning.domain.errors import ServiceCallError
from dunning.ports.audit_trail import AuditEntry, AuditPage, AuditTrail
from dunning.ports.sessions import Role, Session, Sessions, Viewer
from tests.contract.conftest import BACKENDS, a_console_table_on, engine_of
from tests.local.console import create_console_table
from tests.support.console import FakeConsoleTable
from tests.support.people import NOW

MANAGER, AGENT = Viewer("mei.chen", Role.MANAGER), Viewer("jun.li", Role.AGENT)
SESSION = Session(key="a" * 64, viewer=MANAGER, began_at=NOW, seen_at=NOW, ends_at=NOW + timedelta(hours=8))
ENTRY = AuditEntry(
    at=NOW, entry_id="e1", viewer=MANAGER, act="revealed", customer_id="C1", subject_matter="phone", purpose="call"
)


class ConsoleTable(Sessions, AuditTrail, Protocol):
    """Two ports that are one table."""


@pytest.fixture(params=BACKENDS)
def table(request: pytest.FixtureRequest) -> Iterator[ConsoleTable]:
    if request.param == "fake":
        yield FakeConsoleTable()
        return
    if request.param == "stand_in":
        yield DynamoConsole(*a_console_table_on(engine_of(request)))
        return
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_console_table(client, "console")
        yield DynamoConsole(client, "console")


def test_a_session_is_found_as_it_was_kept_and_no_other_is(table: ConsoleTable) -> None:
    table.add(SESSION)
    assert table.find(SESSION.key) == SESSION
    assert table.find("b" * 64) is None


def test_a_session_never_takes_the_place_of_another(table: ConsoleTable) -> None:
    table.add(SESSION)
    with pytest.raises(ServiceCallError):
        table.add(replace(SESSION, viewer=AGENT))
    assert table.find(SESSION.key) == SESSION


def test_a_session_that_is_used_says_when_and_one_that_has_ended_does_not_come_back(table: ConsoleTable) -> None:
    table.add(SESSION)
    table.seen(SESSION.key, NOW + timedelta(minutes=3))
    assert table.find(SESSION.key) == replace(SESSION, seen_at=NOW + timedelta(minutes=3))
    table.remove(SESSION.key)
    table.seen(SESSION.key, NOW + timedelta(minutes=4))
    assert table.find(SESSION.key) is None
    table.remove(SESSION.key)


def test_entries_come_newest_first_of_a_day_and_of_a_customer(table: ConsoleTable) -> None:
    entries = [
        replace(ENTRY, at=NOW + timedelta(seconds=number), entry_id=f"e{number}", customer_id=f"C{number % 2}")
        for number in range(4)
    ]
    for entry in entries:
        table.write(entry)
    tomorrow = replace(ENTRY, at=NOW + timedelta(days=1), customer_id="", subject_matter="", purpose="")
    table.write(tomorrow)
    assert list(table.of_day(NOW.date(), 10).entries) == entries[::-1]
    assert list(table.of_day(NOW.date(), 2).entries) == entries[:1:-1]
    assert list(table.of_day(tomorrow.at.date(), 10).entries) == [tomorrow]
    assert list(table.of_customer("C1", 10)) == [entries[3], entries[1]]
    assert list(table.of_customer("C1", 1)) == [entries[3]]
    assert list(table.of_customer("C1", 10, before=entries[3].at)) == [entries[1]]
    assert list(table.of_customer("C9", 10)) == []


def test_all_entries_of_a_customer_are_read_however_many_there_are(table: ConsoleTable) -> None:
    entries = [replace(ENTRY, at=NOW + timedelta(seconds=number), entry_id=f"e{number}") for number in range(5)]
    for entry in entries:
        table.write(entry)
    with patch("dunning.adapters.dynamodb.console_table._ENTRIES_A_QUERY", 2):
        assert list(table.of_customer(ENTRY.customer_id)) == entries[::-1]


def test_an_entry_is_never_replaced(table: ConsoleTable) -> None:
    table.write(ENTRY)
    with pytest.raises(ServiceCallError):
        table.write(replace(ENTRY, purpose="audit"))
    assert list(table.of_day(NOW.date(), 10).entries) == [ENTRY]
    assert list(table.of_customer("C1", 10)) == [ENTRY]


def test_the_acts_of_a_person_are_counted_within_a_time_over_midnight_too(table: ConsoleTable) -> None:
    midnight = NOW.replace(hour=0)
    for number, (at, viewer, act) in enumerate(
        [
            (midnight - timedelta(minutes=31), MANAGER, "revealed"),
            (midnight - timedelta(minutes=30), MANAGER, "revealed"),
            (midnight - timedelta(minutes=1), AGENT, "revealed"),
            (midnight, MANAGER, "looked"),
            (midnight + timedelta(minutes=30), MANAGER, "revealed"),
        ]
    ):
        table.write(replace(ENTRY, at=at, viewer=viewer, act=act, entry_id=f"e{number}"))
    now = midnight + timedelta(minutes=30)
    assert table.count("mei.chen", "revealed", now - timedelta(hours=1), now) == 2
    with pytest.raises(ValueError, match="two days"):
        table.count("mei.chen", "revealed", now - timedelta(days=3), now)


def every_page(read: Callable[[str], AuditPage]) -> list[AuditEntry]:
    found, page = read(""), ""
    entries = list(found.entries)
    while page := found.next_page:
        found = read(page)
        entries += found.entries
    return entries


def test_entries_come_page_by_page_each_once_of_a_day_of_a_person_and_of_a_customer(table: ConsoleTable) -> None:
    people = (MANAGER, AGENT)
    entries = [
        replace(ENTRY, at=NOW + timedelta(seconds=number // 2), entry_id=f"e{number}", viewer=people[number % 2])
        for number in range(7)
    ]
    for entry in (*entries, replace(ENTRY, at=NOW - timedelta(days=1), viewer=AGENT, customer_id="C2")):
        table.write(entry)
    newest = sorted(entries, key=lambda entry: (entry.at, entry.entry_id), reverse=True)
    assert every_page(lambda page: table.of_day(NOW.date(), 3, page)) == newest
    assert every_page(lambda page: table.page_of_customer("C1", 2, page)) == newest
    assert every_page(lambda page: table.of_day(NOW.date(), 2, page, "jun.li")) == [
        entry for entry in newest if entry.viewer == AGENT
    ]
    assert table.of_day(NOW.date(), 7).next_page == ""


def test_all_entries_of_a_time_are_yielded_oldest_first_its_end_left_out(table: ConsoleTable) -> None:
    entries = [replace(ENTRY, at=NOW + timedelta(minutes=30 * number), entry_id=f"e{number}") for number in range(4)]
    for entry in entries:
        table.write(entry)
    assert list(table.between(NOW, NOW + timedelta(hours=1))) == entries[:2]


def test_a_page_that_is_none_of_a_day_holds_nothing() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_console_table(client, "console")
        table = DynamoConsole(client, "console")
        table.write(ENTRY)
        assert table.of_day(NOW.date(), 3, "2020-01-01") == AuditPage((), "")
        assert table.of_day(NOW.date(), 3, "zzz") == AuditPage((ENTRY,), "")


@pytest.mark.parametrize("damage", [{"role": {"S": "king"}}, {"seen_at": {"S": "yesterday"}}, {"subject": None}])
def test_a_session_that_cannot_be_read_is_none(damage: dict[str, dict[str, str] | None]) -> None:
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_console_table(client, "console")
        table = DynamoConsole(client, "console")
        table.add(SESSION)
        (item,) = client.scan(TableName="console")["Items"]
        damaged = {name: value for name, value in {**item, **damage}.items() if value is not None}
        client.put_item(TableName="console", Item=damaged)
        assert table.find(SESSION.key) is None
