"""
How the tables are read: to the last page, and strongly consistent where a decision hangs on it.

DynamoDB ends a page where it likes, even before an item that fits the filter
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.keys import OWNER
from dunning.domain.customer.standing import OpenReview, ReplyLabel, Wake
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.attention import WaitingCustomer
from dunning.ports.contacts import ContactKey
from dunning.ports.customers import Customer, DueCustomer, ListedCustomer
from tests.contract.conftest import SHARDS, contacts_in, customers_in
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, at_most
from tests.support.builders import store_customer
from tests.support.people import NOW, someone, waking

MINUTE = timedelta(minutes=1)
PEOPLE = [replace(someone(number), lender=lender) for number, lender in enumerate(["demo-tw"] * 4 + ["demo-hk"])]
IDS = [facts.customer_id for facts in PEOPLE]
REVIEW = OpenReview("question", NOW, "r1")
LABEL = ReplyLabel(at=NOW, intents=("paid",))


@dataclass
class Tables:
    """Both tables on the embedded AWS."""

    customers: DynamoCustomers
    contacts: DynamoContacts


def _contact(minutes: int, state: ContactState) -> Contact:
    return Contact(
        customer_id="C0000",
        send_id=f"send-{minutes}",
        claim_id="claim",
        at=NOW + minutes * MINUTE,
        state=state,
        stage=-3,
        account_ids=("A1",),
        channel="sms",
        expires_at=NOW + timedelta(days=90),
        phone="+886900000001",
    )


def _reply(minutes: int) -> Reply:
    inbound = InboundSms(inbound_id=f"reply-{minutes}", phone="+886900000001", text="STOP", at=NOW + minutes * MINUTE)
    return Reply(
        customer_id="C0000", inbound=inbound, intents=(), promised_on=None, expires_at=NOW + timedelta(days=90)
    )


TEXTS = [_contact(minutes, ContactState.UNKNOWN if minutes % 2 else ContactState.SENT) for minutes in range(6)]
REPLIES = [_reply(minutes) for minutes in range(4)]


@pytest.fixture
def tables(cloud: LocalCloud) -> Tables:
    """Hand out tables with a few customers, their numbers, and the texts and replies of the first."""
    customers, contacts = customers_in(cloud), contacts_in(cloud)
    for facts in PEOPLE:
        standing = waking(facts, lender_id=facts.lender, attention=(REVIEW,))
        assert store_customer(customers, facts, standing)
        customers.add_address(facts.phone, facts.customer_id)
    contacts.write(TEXTS)
    for reply in REPLIES:
        assert contacts.keep(reply)
    assert contacts.label("C0000", "reply-3", LABEL)
    return Tables(customers, contacts)


def _whole(tables: Tables, segments: int) -> set[str]:
    found = [each for segment in range(segments) for each in tables.customers.whole_customers(segment, segments)]
    assert len(found) == len(PEOPLE)
    assert all(isinstance(each, Customer) and each.facts and each.standing for each in found)
    return {each.facts.customer_id for each in found if isinstance(each, Customer) and each.facts}


def _key(text: Contact) -> ContactKey:
    return ContactKey(text.customer_id, text.at, text.send_id)


OF_THE_LENDER = [ListedCustomer(each, has_open=True, missing_since=None) for each in IDS[:4]]
READS: dict[str, tuple[Callable[[Tables], object], object]] = {
    "who is due": (
        lambda tables: sorted(tables.customers.due(NOW, 9)),
        [DueCustomer(each, Wake(NOW, 0)) for each in IDS],
    ),
    "who waits": (
        lambda tables: tables.customers.waiting_customers("demo-tw", 4),
        [WaitingCustomer(each, NOW) for each in IDS[:4]],
    ),
    "ids": (lambda tables: sorted(tables.customers.customer_ids(0, 1, "")), IDS),
    "whole customers": (lambda tables: _whole(tables, 1), set(IDS)),
    "whole customers in segments": (lambda tables: _whole(tables, 3), set(IDS)),
    "a lender's customers": (lambda tables: sorted(tables.customers.customers_of("demo-tw")), OF_THE_LENDER),
    "a lender's customers in segments": (
        lambda tables: sorted(tables.customers.customers_of("demo-tw", 3)),
        OF_THE_LENDER,
    ),
    "stored items": (lambda tables: tables.customers.stored_items("C0000"), 2),
    "recent texts": (lambda tables: tables.contacts.recent("C0000", NOW), TEXTS),
    "texts with an unknown end": (
        lambda tables: list(tables.contacts.unknown_before(NOW + 9 * MINUTE)),
        [_key(text) for text in TEXTS[1::2]],
    ),
    "identifying texts": (lambda tables: tables.contacts.identifying_records("C0000"), 6),
    "replies": (lambda tables: tables.contacts.stored_replies("C0000"), 4),
    "labelled replies": (lambda tables: tables.contacts.labelled_replies("C0000"), 1),
    "a reply to label": (lambda tables: tables.contacts.label("C0000", "reply-3", LABEL), REPLIES[3].with_label(LABEL)),
}


@pytest.mark.parametrize("page", [1, 3])
@pytest.mark.parametrize("name", READS)
def test_what_does_not_fit_on_a_page_is_read_from_the_next(
    tables: Tables, requests: Requests, name: str, page: int
) -> None:
    read, expected = READS[name]
    for operation in ("Query", "Scan"):
        requests.answer(f"dynamodb.{operation}", at_most(page))
    assert read(tables) == expected


DECIDED_ON: dict[str, Callable[[Tables], object]] = {
    "an account's customers": lambda tables: tables.customers.customers_of_account("A1"),
    "stored items": lambda tables: tables.customers.stored_items("C0000"),
    "items to erase": lambda tables: tables.customers.erase_items("C0000"),
    "recent texts": lambda tables: tables.contacts.recent("C0000", NOW),
    "identifying texts": lambda tables: tables.contacts.identifying_records("C0000"),
    "texts to redact": lambda tables: tables.contacts.redact("C0000", NOW),
    "replies": lambda tables: tables.contacts.stored_replies("C0000"),
    "replies to erase": lambda tables: tables.contacts.erase_replies("C0000", ["+886900000001"]),
    "labelled replies": lambda tables: tables.contacts.labelled_replies("C0000"),
    "a reply to label": lambda tables: tables.contacts.label("C0000", "reply-3", LABEL),
}


@pytest.mark.parametrize("name", DECIDED_ON)
def test_what_is_decided_on_is_read_strongly_consistent(tables: Tables, requests: Requests, name: str) -> None:
    requests.clear()
    DECIDED_ON[name](tables)
    asked = requests.of("dynamodb.Query")
    assert asked
    assert all(query["ConsistentRead"] is True for query in asked)


@pytest.mark.parametrize(("limit", "page"), [(1, 25), (80, 25), (81, 26), (1000, 313)])
def test_of_each_shard_a_quarter_more_than_its_share_is_read_at_once_and_never_a_few(
    dynamo: DynamoCustomers, requests: Requests, limit: int, page: int
) -> None:
    """A query that finds less than it might costs a second one."""
    list(dynamo.due(NOW, limit))
    assert [query["Limit"] for query in requests.of("dynamodb.Query")] == [page] * SHARDS


def test_of_those_who_wait_no_more_are_asked_for_than_are_wanted(tables: Tables, requests: Requests) -> None:
    requests.answer("dynamodb.Query", at_most(2))
    assert len(tables.customers.waiting_customers("demo-tw", 3)) == 3
    assert [query["Limit"] for query in requests.of("dynamodb.Query")] == [3, 1]


def test_of_all_customers_the_ids_alone_are_read_five_hundred_items_a_page(tables: Tables, requests: Requests) -> None:
    """
    A part is left and taken up again: then the rest of a page has been read in vain.

    No scan starts behind an empty id, which DynamoDB refuses as a key, and the embedded AWS takes.
    """
    list(tables.customers.customer_ids(0, 1, ""))
    (scan,) = requests.of("dynamodb.Scan")
    assert (scan["Limit"], scan["ProjectionExpression"]) == (500, "customer_id")
    assert "ExclusiveStartKey" not in scan


class SharedAccount:
    """An account that very many customers have: a mistake of a lender's systems."""

    @staticmethod
    def query(*, Limit: int, **_: object) -> dict[str, object]:  # noqa: N803 - as boto3
        return {"Items": [{"item": {"S": f"{OWNER}C{number:04d}"}} for number in range(Limit)]}


def test_of_an_account_that_very_many_have_a_hundred_customers_are_read() -> None:
    account: Any = SharedAccount
    found = DynamoCustomers(account, "customers", SHARDS).customers_of_account("A1")
    assert found == {f"C{number:04d}" for number in range(100)}


class ManyCustomers:
    """A table whose scan has pages of customers without end in sight, and which keeps what it is asked."""

    def __init__(self, customers: int, page: int = 400) -> None:
        self._customers = customers
        self._page = page
        self.asked: list[tuple[int | None, int | None]] = []

    def scan(
        self,
        *,
        Segment: int | None = None,  # noqa: N803 - as boto3
        TotalSegments: int | None = None,  # noqa: N803
        ExclusiveStartKey: int = 0,  # noqa: N803
        **_: object,
    ) -> dict[str, object]:
        self.asked.append((Segment, TotalSegments))
        end = min(ExclusiveStartKey + self._page, self._customers)
        items = [
            {"customer_id": {"S": f"C{Segment or 0}-{number:04d}"}, "item": {"S": "facts"}}
            for number in range(ExclusiveStartKey, end)
        ]
        return {"Items": items} | ({"LastEvaluatedKey": end} if end < self._customers else {})


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_a_lender_with_very_many_customers_is_read_in_as_many_segments_as_are_wanted(segments: int) -> None:
    table: Any = ManyCustomers(1234)
    found = [each.customer_id for each in DynamoCustomers(table, "customers", SHARDS).customers_of("demo-tw", segments)]
    assert sorted(found) == [f"C{segment}-{number:04d}" for segment in range(segments) for number in range(1234)]
    wanted = [(None, None)] if segments == 1 else [(segment, segments) for segment in range(segments)]
    assert sorted(set(table.asked)) == wanted


class OnePage:
    """A table that has a single page of items, whatever is asked."""

    def __init__(self, *items: dict[str, object]) -> None:
        self._items = items

    def scan(self, **_: object) -> dict[str, object]:
        return {"Items": list(self._items)}

    query = scan


def test_what_a_page_holds_is_passed_on_even_where_it_cannot_be_read() -> None:
    def item(customer_id: str) -> dict[str, object]:
        wake = "2026-12-01T02:00:00.000000Z#1"
        return {"customer_id": {"S": customer_id}, "item": {"S": "facts"}, "wake_key": {"S": wake}}

    client: Any = OnePage(item("C0001"), item("phone#+886900000001"), item("C0002"))
    store = DynamoCustomers(client, "customers", 1)
    assert list(store.customer_ids(0, 1, "")) == ["C0001", "C0002"]
    assert [type(each) for each in store.whole_customers()] == [UnreadableRecordError] * 2
    assert [due.wake.urgency for due in store.due(NOW, 9)] == [1, 1, 1]


def test_a_scan_without_segments_is_one_part_that_is_the_whole() -> None:
    table: Any = ManyCustomers(3)
    store = DynamoCustomers(table, "customers", SHARDS)
    assert len(list(store.whole_customers())) == 3
    assert len(list(store.customers_of("demo-tw"))) == 3
    assert table.asked == [(0, 1), (None, None)]


@pytest.mark.parametrize("name", ["identifying texts", "replies", "labelled replies"])
def test_of_texts_and_replies_that_are_counted_the_keys_alone_are_read(
    tables: Tables, requests: Requests, name: str
) -> None:
    requests.clear()
    DECIDED_ON[name](tables)
    assert [query["ProjectionExpression"] for query in requests.of("dynamodb.Query")] == ["contact"]


def test_segments_are_read_a_page_ahead_of_the_reader_and_no_further() -> None:
    table: Any = ManyCustomers(5000, page=500)
    reader = DynamoCustomers(table, "customers", SHARDS).customers_of("demo-tw", 2)
    next(reader)
    del reader
    assert len(table.asked) < 2 * 3, "each of both segments has ten pages"
