"""Facts and standing: what the port promises, of the fake and of DynamoDB alike."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import standing_item
from dunning.adapters.dynamodb.keys import FACTS, OWNER, PHONE, STANDING, account_key
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.lender_record import ACCOUNTS_A_WRITE, LenderRecord
from dunning.domain.customer.standing import AddressSince, Progress, Standing, Wake, progress_key
from dunning.domain.errors import RecordTooLargeError, ServiceCallError, UnreadableRecordError
from dunning.ports.customers import Customer, StoredCustomer
from dunning.ports.file_loads import FileLoad, KnownLoads
from tests.contract.conftest import SHARDS, Office, customers_in, deviates
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Answer, Requests, error, first, no_answer, success
from tests.support.builders import a_lender_record, promised, store_facts
from tests.support.damage import write_attribute
from tests.support.people import NOW, someone, texted, waking
from tests.support.schedules import SteppedClient, SteppedTable, stepped_store
from tests.support.stand_in import Aws


def _full_standing(customer_id: str) -> Standing:
    facts = someone()
    return Standing(
        customer_id=customer_id,
        version=1,
        wake=Wake(NOW + timedelta(microseconds=1), 4),
        ledger=(texted(facts, NOW - timedelta(days=3), for_wake=NOW), texted(facts, NOW)),
        progress={progress_key("A0001-0", 1): Progress(-3, date(2026, 12, 1), date(2026, 12, 4))},
        opted_out_at=NOW,
        suspended={"sms": AddressSince("+886900000001", NOW)},
        holds=(Hold(HoldReason.DISPUTE), Hold(HoldReason.QUESTION, date(2026, 12, 9), NOW)),
        **promised(NOW, date(2026, 12, 9), "A0001-0#1", kept=True),
        planned_for="f00d",
        reason="due",
    )


def _write_number(aws: Aws, customers: Mapping[str, object] | None) -> None:
    """Write the item of a number as no program of ours writes it."""
    item: Any = {"customer_id": {"S": "phone#+886900000001"}, "item": {"S": PHONE}}
    if customers is not None:
        item["customers"] = customers
    boto3.client("dynamodb").put_item(TableName=aws.stack.customers_table, Item=item)


def _numbers(aws: Aws) -> set[str]:
    """Return the keys of the items of numbers."""
    items = boto3.client("dynamodb").scan(TableName=aws.stack.customers_table)["Items"]
    return {item["customer_id"]["S"] for item in items if item["item"]["S"] == PHONE}


def test_a_customer_is_read_as_written(office: Office) -> None:
    facts = someone(holds=(Hold(HoldReason.PROMISE, date(2026, 12, 9)),), consented_at=NOW, accounts=2)
    standing = _full_standing(facts.customer_id)
    assert store_facts(office.customers, facts)
    assert office.customers.save_standing(standing, expected_version=0)
    assert office.customers.load([facts.customer_id]) == {facts.customer_id: Customer(facts, standing)}


def test_every_customer_asked_for_is_in_the_answer(office: Office) -> None:
    facts, standing = someone(1), waking(someone(2))
    store_facts(office.customers, facts)
    office.customers.save_standing(standing, expected_version=0)
    assert office.customers.load(["C0001", "C0002", "C0003"]) == {
        "C0001": Customer(facts, None),
        "C0002": Customer(None, standing),
        "C0003": Customer(None, None),
    }
    assert office.customers.load([]) == {}


def test_more_customers_than_one_read_can_carry_are_read(office: Office) -> None:
    people = [someone(number) for number in range(120)]
    for facts in people:
        store_facts(office.customers, facts)
        office.customers.save_standing(waking(facts), expected_version=0)
    loaded = office.customers.load([facts.customer_id for facts in people])
    assert loaded == {facts.customer_id: Customer(facts, waking(facts)) for facts in people}


def _is_saved(office: Office, number: int, revision: int, version: int) -> bool:
    """Write the facts and the standing of `number` in one, as what follows a revision and a version."""
    facts = someone(name=f"王{number}明")
    return office.customers.save_customer(
        replace(a_lender_record(facts), revision=revision + 1),
        waking(facts, version=version + 1, planned_for=f"facts {number}"),
        expected_revision=revision,
        expected_version=version,
    )


def _stored(office: Office) -> tuple[str, str]:
    found = office.customers.load(["C0001"])["C0001"]
    assert isinstance(found, Customer)
    return (found.facts.name if found.facts else "", found.standing.planned_for if found.standing else "")


def test_facts_and_standing_are_written_both_or_neither(office: Office) -> None:
    assert _is_saved(office, 1, 0, 0)
    assert not _is_saved(office, 2, 0, 0)
    assert not _is_saved(office, 2, 0, 1)
    assert not _is_saved(office, 2, 1, 0)
    assert not _is_saved(office, 2, 1, 7)
    assert _stored(office) == ("王1明", "facts 1")
    assert _is_saved(office, 2, 1, 1)
    assert _stored(office) == ("王2明", "facts 2")


def test_facts_and_standing_that_are_written_twice_are_recognised_as_ones_own(office: Office) -> None:
    assert _is_saved(office, 1, 0, 0)
    assert _is_saved(office, 1, 0, 0)
    assert _is_saved(office, 2, 1, 1)
    assert _is_saved(office, 2, 1, 1)
    assert not _is_saved(office, 3, 1, 1)
    assert _stored(office) == ("王2明", "facts 2")


def test_each_new_account_is_indexed_in_the_write_that_brings_it() -> None:
    client, facts = SteppedClient(SteppedTable(), 0), someone(accounts=2)
    assert stepped_store(client).save_customer(
        a_lender_record(facts), waking(facts), expected_revision=0, expected_version=0
    )
    indexed = {(account_key(each.account_id), f"{OWNER}C0001") for each in facts.accounts}
    assert client.table.items.keys() == {("C0001", FACTS), ("C0001", STANDING), *indexed}
    assert len(client.table.tokens) == 1


def test_a_standing_that_is_written_with_an_unchanged_record_is_recognised_as_ones_own(office: Office) -> None:
    """A load plans a customer anew of whom it says nothing new: the revision stays, and its condition still holds."""
    assert _is_saved(office, 1, 0, 0)
    record = replace(a_lender_record(someone(name="王1明")), revision=1)
    for planned_for, is_saved in (("mine", True), ("mine", True), ("another's", False)):
        replanned = waking(someone(), version=2, planned_for=planned_for)
        found = office.customers.save_customer(record, replanned, expected_revision=1, expected_version=1)
        assert found is is_saved


def test_a_write_of_both_that_comes_again_after_another_writer_is_told_that_it_was_written(
    office: Office, request: pytest.FixtureRequest
) -> None:
    """
    The SDK repeats a request whose answer was lost, perhaps after somebody else's write.

    For ten minutes DynamoDB knows the request by its token, and answers as the first time without writing
    (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html, ClientRequestToken).
    """
    deviates(request, "moto", "it ignores the token of a transaction")
    assert _is_saved(office, 1, 0, 0)
    assert _is_saved(office, 2, 1, 1)
    assert _is_saved(office, 1, 0, 0)
    assert _stored(office) == ("王2明", "facts 2")


def test_a_lender_record_is_read_as_written_and_one_of_nobody_is_empty(office: Office) -> None:
    record, standing = a_lender_record(someone()), waking(someone())
    assert office.customers.save_customer(record, standing, expected_revision=0, expected_version=0)
    assert office.customers.save_standing(waking(someone(2)), expected_version=0)
    office.customers.save_standing(waking(someone(3)), expected_version=0)
    office.spoil("C0003")
    stored = office.customers.load_stored(["C0001", "C0002", "C0003", "C0004"])
    assert stored["C0001"] == StoredCustomer(record, standing)
    assert stored["C0002"] == StoredCustomer(LenderRecord(customer_id="C0002"), waking(someone(2)))
    assert isinstance(stored["C0003"], UnreadableRecordError)
    assert stored["C0004"] == StoredCustomer(LenderRecord(customer_id="C0004"), None)


def test_a_customer_may_be_asked_for_twice(office: Office) -> None:
    """A batch that names a key twice is refused, by the engines as by DynamoDB: `ValidationException`."""
    office.customers.save_standing(waking(someone()), expected_version=0)
    assert office.customers.load(["C0001", "C0001"]) == {"C0001": Customer(None, waking(someone()))}
    assert list(office.customers.load_stored(["C0001", "C0001"])) == ["C0001"]


def test_a_lender_record_gives_way_only_to_what_follows_the_revision_that_was_read(office: Office) -> None:
    first, second = a_lender_record(someone()), replace(a_lender_record(someone(name="王大明")), revision=2)
    assert not office.customers.save_lender_record(second, expected_revision=1)
    assert office.customers.save_lender_record(first, expected_revision=0)
    assert not office.customers.save_lender_record(replace(second, revision=1), expected_revision=0)
    assert office.customers.save_lender_record(second, expected_revision=1)
    assert not office.customers.save_lender_record(first, expected_revision=1)
    assert office.customers.load_stored(["C0001"]) == {"C0001": StoredCustomer(second, None)}


def test_a_claim_decided_before_facts_and_standing_were_written_does_not_pass(office: Office) -> None:
    assert _is_saved(office, 1, 0, 0)
    assert _is_saved(office, 2, 1, 1)
    claimed = waking(someone(), version=2, ledger=(texted(someone(), NOW, claim_id="mine"),))
    assert not office.customers.save_standing(claimed, expected_version=1, claim_id="mine")


def test_facts_give_way_to_newer_ones_only(office: Office) -> None:
    early, late = someone(name="王大明"), someone(name="王小明", as_of=NOW)
    assert store_facts(office.customers, late)
    assert not store_facts(office.customers, early)
    assert office.customers.load(["C0001"]) == {"C0001": Customer(late, None)}


def test_facts_of_the_same_moment_may_be_written_again(office: Office) -> None:
    assert store_facts(office.customers, someone())
    assert store_facts(office.customers, someone(name="王大明"))
    assert office.customers.load(["C0001"]) == {"C0001": Customer(someone(name="王大明"), None)}


def test_a_standing_is_new_only_once(office: Office) -> None:
    mine, theirs = waking(someone(), planned_for="mine"), waking(someone(), planned_for="theirs")
    assert office.customers.save_standing(theirs, expected_version=0)
    assert not office.customers.save_standing(mine, expected_version=0)
    assert office.customers.load(["C0001"]) == {"C0001": Customer(None, theirs)}


def test_a_standing_that_somebody_else_has_written_since_is_left_alone(office: Office) -> None:
    read = waking(someone())
    theirs = replace(read, version=2, opted_out_at=NOW)
    office.customers.save_standing(read, expected_version=0)
    assert office.customers.save_standing(theirs, expected_version=1)
    mine = replace(read, version=2, ledger=(texted(someone(), NOW, claim_id="mine"),))
    assert not office.customers.save_standing(mine, expected_version=1, claim_id="mine")
    assert office.customers.load(["C0001"]) == {"C0001": Customer(None, theirs)}


def test_a_standing_that_is_not_there_cannot_have_a_version(office: Office) -> None:
    assert not office.customers.save_standing(replace(waking(someone()), version=8), expected_version=7)
    assert office.customers.load(["C0001"]) == {"C0001": Customer(None, None)}


@pytest.mark.parametrize("before", [0, 1])
def test_a_claim_that_is_written_twice_is_recognised_as_ones_own(office: Office, before: int) -> None:
    if before:
        office.customers.save_standing(waking(someone()), expected_version=0)
    claimed = replace(waking(someone()), version=before + 1, ledger=(texted(someone(), NOW, claim_id="mine"),))
    assert office.customers.save_standing(claimed, expected_version=before, claim_id="mine")
    assert office.customers.save_standing(claimed, expected_version=before, claim_id="mine")
    assert not office.customers.save_standing(claimed, expected_version=before, claim_id="another")


@pytest.mark.parametrize("before", [0, 1])
def test_a_standing_that_is_written_twice_is_recognised_as_ones_own_and_no_other_is(
    office: Office, before: int
) -> None:
    if before:
        office.customers.save_standing(waking(someone()), expected_version=0)
    mine = replace(waking(someone()), version=before + 1, ledger=(texted(someone(), NOW),), opted_out_at=NOW)
    assert office.customers.save_standing(mine, expected_version=before)
    assert office.customers.save_standing(mine, expected_version=before)
    assert not office.customers.save_standing(replace(mine, opted_out_at=None), expected_version=before)
    assert not office.customers.save_standing(replace(mine, version=before + 2), expected_version=before)
    assert office.customers.save_standing(replace(mine, version=before + 2), expected_version=before + 1)
    assert not office.customers.save_standing(mine, expected_version=before)


def test_a_lender_record_that_is_written_twice_is_recognised_as_ones_own_and_no_other_is(office: Office) -> None:
    mine = replace(a_lender_record(someone()), revision=1)
    assert office.customers.save_lender_record(mine, expected_revision=0)
    assert office.customers.save_lender_record(mine, expected_revision=0)
    assert not office.customers.save_lender_record(replace(mine, snapshot=someone(due_in=9)), expected_revision=0)
    assert not office.customers.save_lender_record(replace(mine, revision=2), expected_revision=0)


def test_of_many_claims_of_one_version_one_wins(office: Office) -> None:
    office.customers.save_standing(waking(someone()), expected_version=0)

    def claim(number: int) -> bool:
        claim_id = f"claim-{number}"
        entry = texted(someone(), NOW, claim_id=claim_id)
        mine = replace(waking(someone()), version=2, ledger=(entry,))
        return office.customers.save_standing(mine, expected_version=1, claim_id=claim_id)

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(claim, range(48)))
    assert sum(won) == 1
    stored = office.customers.load(["C0001"])["C0001"]
    assert isinstance(stored, Customer)
    assert stored.standing is not None
    assert [entry.claim_id for entry in stored.standing.ledger] == [f"claim-{won.index(True)}"]


def test_setting_aside_touches_only_the_wake(office: Office) -> None:
    before = _full_standing("C0001")
    office.customers.save_standing(before, expected_version=0)
    office.customers.quarantine("C0001", NOW + timedelta(days=1))
    after = replace(before, wake=Wake(NOW + timedelta(days=1), 9), reason="unreadable_record")
    assert office.customers.load(["C0001"]) == {"C0001": Customer(None, after)}


def test_a_customer_without_a_standing_can_be_quarantined(office: Office) -> None:
    office.customers.quarantine("C0001", NOW + timedelta(days=1))
    after = Standing(customer_id="C0001", version=1, wake=Wake(NOW + timedelta(days=1), 9), reason="unreadable_record")
    assert office.customers.load(["C0001"]) == {"C0001": Customer(None, after)}


def test_a_record_that_cannot_be_read_harms_nobody_else(office: Office) -> None:
    for number in (1, 2, 3):
        office.customers.save_standing(waking(someone(number)), expected_version=0)
    office.spoil("C0002")
    loaded = office.customers.load(["C0001", "C0002", "C0003"])
    assert isinstance(loaded["C0002"], UnreadableRecordError)
    assert loaded["C0001"] == Customer(None, waking(someone(1)))
    assert loaded["C0003"] == Customer(None, waking(someone(3)))


def test_a_record_that_cannot_be_read_can_be_quarantined(office: Office) -> None:
    office.customers.save_standing(waking(someone()), expected_version=0)
    office.spoil("C0001")
    office.customers.quarantine("C0001", NOW + timedelta(days=1))
    assert list(office.customers.due(NOW, 10)) == []
    (due,) = office.customers.due(NOW + timedelta(days=1), 10)
    assert due == ("C0001", Wake(NOW + timedelta(days=1), 9))
    assert isinstance(office.customers.load(["C0001"])["C0001"], UnreadableRecordError)


def test_the_list_of_file_loads_is_written_under_the_version_it_was_read_with(office: Office) -> None:
    first, second = FileLoad("accounts/a.csv", NOW), FileLoad("accounts/b.csv", NOW, is_finished=True)
    assert office.customers.read_loads() == KnownLoads(0, ())
    assert office.customers.save_loads([first], expected_version=0)
    assert not office.customers.save_loads([second], expected_version=0)
    assert office.customers.save_loads([first], expected_version=0), "written already, and the answer was lost"
    assert office.customers.save_loads([first, second], expected_version=1)
    assert not office.customers.save_loads([first], expected_version=0)
    assert office.customers.read_loads() == KnownLoads(2, (first, second))
    assert list(office.customers.customer_ids(0, 1, "")) == [], "it is no customer"


def _cancelled(*codes: str, message: str = "") -> Answer:
    """Answer as DynamoDB does when it cancels a transaction, with a reason for each item."""

    def answer(request: AWSPreparedRequest, work: Callable[[], AWSResponse | None]) -> AWSResponse:
        del work
        reasons = [{"Code": code} if code == "None" else {"Code": code, "Message": message} for code in codes]
        body = json.dumps({"__type": "TransactionCanceledException", "CancellationReasons": reasons})
        return AWSResponse(request.url, 400, HTTPHeaders(), MockRawResponse(body))

    return answer


RECORD = a_lender_record(someone())
CALLS: list[tuple[str, Callable[[DynamoCustomers], object]]] = [
    ("BatchGetItem", lambda store: store.load(["C0001"])),
    ("PutItem", lambda store: store.save_lender_record(RECORD, expected_revision=0)),
    ("PutItem", lambda store: store.save_standing(waking(someone()), expected_version=0)),
    ("PutItem", lambda store: store.save_standing(waking(someone()), expected_version=0, claim_id="x")),
    ("PutItem", lambda store: store.save_loads([], expected_version=0)),
    (
        "TransactWriteItems",
        lambda store: store.save_customer(RECORD, waking(someone()), expected_revision=0, expected_version=0),
    ),
    ("TransactWriteItems", lambda store: store.save_erased(RECORD, expected_revision=0)),
    ("UpdateItem", lambda store: store.quarantine("C0001", NOW)),
    ("UpdateItem", lambda store: store.add_address("+886900000001", "C0001")),
    ("UpdateItem", lambda store: store.remove_address("+886900000001", "C0001")),
    ("DeleteItem", lambda store: store.remove_address("+886900000001", "C0001")),
    ("DeleteItem", lambda store: store.erase_items("C0001")),
    (
        "DeleteItem",
        lambda store: store.save_erased(
            RECORD, expected_revision=0, former_accounts=[f"A{number}" for number in range(ACCOUNTS_A_WRITE + 1)]
        ),
    ),
    ("Query", lambda store: list(store.due(NOW, 1))),
    ("Query", lambda store: store.waiting_customers("demo-tw", 1)),
    ("Query", lambda store: store.customers_of_account("A1")),
    ("Query", lambda store: store.stored_items("C0001")),
    ("Scan", lambda store: list(store.customer_ids(0, 1, ""))),
    ("Scan", lambda store: list(store.customers_of("demo-tw"))),
    ("Scan", lambda store: list(store.whole_customers())),
]
"""Calls of a table, each with the operation that may fail."""


class TestOnDynamoDb:
    """What only a table can do: be damaged in many ways, be busy, lose an answer."""

    @pytest.mark.parametrize(
        ("item", "attribute", "value"),
        [
            (STANDING, "ledger", {"S": '[["王小明"]]'}),
            (STANDING, "ledger", {"L": []}),
            (STANDING, "progress", {"S": '{"A#1": [3]}'}),
            (STANDING, "version", {"S": "three"}),
            (STANDING, "wake_key", {"S": "2026-12-01T02:00Z#1"}),
            (STANDING, "holds", {"S": '[["no such reason", null]]'}),
            (FACTS, "accounts", {"S": '[{"account_id": "A1"}]'}),
            (FACTS, "opted_out", {"S": "no"}),
            (FACTS, "as_of", {"S": "yesterday"}),
        ],
    )
    def test_damage_of_any_kind_is_reported_without_quoting_it_and_can_be_quarantined(
        self, aws: Aws, item: str, attribute: str, value: dict[str, object]
    ) -> None:
        dynamo = customers_in(aws)
        store_facts(dynamo, someone())
        dynamo.save_standing(waking(someone()), expected_version=0)
        write_attribute(aws, "C0001", item, **{attribute: value})
        found = dynamo.load(["C0001"])["C0001"]
        assert isinstance(found, UnreadableRecordError)
        assert str(found) in {f"{item}: {error}" for error in ("KeyError", "ValueError", "TypeError")}
        assert found.__cause__ is None
        dynamo.quarantine("C0001", NOW + timedelta(days=1))
        assert [due.wake for due in dynamo.due(NOW + timedelta(days=1), 9)] == [Wake(NOW + timedelta(days=1), 9)]

    def test_a_claim_whose_answer_was_lost_counts_as_written(self, dynamo: DynamoCustomers, requests: Requests) -> None:
        dynamo.save_standing(waking(someone()), expected_version=0)
        requests.clear()
        requests.answer("dynamodb.PutItem", first(no_answer(ReadTimeoutError(endpoint_url="dynamodb"), worked_on=True)))
        claimed = replace(waking(someone()), version=2, ledger=(texted(someone(), NOW, claim_id="mine"),))
        assert dynamo.save_standing(claimed, expected_version=1, claim_id="mine")
        assert requests.sent["dynamodb.PutItem"] == 2
        assert dynamo.load(["C0001"]) == {"C0001": Customer(None, claimed)}

    def test_a_write_whose_answer_was_lost_counts_as_written_and_is_repeated_with_its_token(
        self, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        lost = no_answer(ReadTimeoutError(endpoint_url="dynamodb"), worked_on=True)
        requests.answer("dynamodb.TransactWriteItems", first(lost))
        office = Office(dynamo, lambda _: None)
        assert _is_saved(office, 1, 0, 0)
        assert requests.sent["dynamodb.TransactWriteItems"] == 2
        assert _is_saved(office, 2, 1, 1)
        tokens = [call["ClientRequestToken"] for call in requests.of("dynamodb.TransactWriteItems")]
        assert len(set(tokens)) == 2
        assert all(len(token) == 36 for token in tokens)

    @pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
    def test_a_transaction_that_meets_another_writer_or_a_busy_table_is_made_again(
        self, cloud: LocalCloud, requests: Requests, code: str
    ) -> None:
        pauses: list[float] = []
        client = boto3.client("dynamodb", config=LEAN)
        store = DynamoCustomers(client, cloud.stack.customers_table, SHARDS, pauses.append)
        office = Office(store, lambda _: None)
        requests.answer("dynamodb.TransactWriteItems", first(_cancelled("None", code), _cancelled(code, "None")))
        assert _is_saved(office, 1, 0, 0)
        assert pauses == [0.02, 0.04]
        requests.answer("dynamodb.TransactWriteItems", _cancelled(code, "None"))
        with pytest.raises(ServiceCallError, match="TransactWriteItems: TransactionCanceledException"):
            _is_saved(office, 2, 1, 1)
        assert _stored(office) == ("王1明", "facts 1")

    def test_a_transaction_whose_condition_fails_is_not_made_again_even_if_it_met_another_writer_too(
        self, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        requests.answer("dynamodb.TransactWriteItems", _cancelled("TransactionConflict", "ConditionalCheckFailed"))
        assert not _is_saved(Office(dynamo, lambda _: None), 1, 0, 0)
        assert requests.sent["dynamodb.TransactWriteItems"] == 1

    def test_a_transaction_that_is_refused_for_another_reason_is_an_error(
        self, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        requests.answer("dynamodb.TransactWriteItems", _cancelled("None", "ValidationError"))
        with pytest.raises(ServiceCallError, match="TransactWriteItems: TransactionCanceledException"):
            _is_saved(Office(dynamo, lambda _: None), 1, 0, 0)
        assert requests.sent["dynamodb.TransactWriteItems"] == 1

    def test_a_claim_that_meets_a_transaction_is_made_again_and_knows_itself(
        self, cloud: LocalCloud, requests: Requests
    ) -> None:
        pauses: list[float] = []
        client = boto3.client("dynamodb", config=LEAN)
        store = DynamoCustomers(client, cloud.stack.customers_table, SHARDS, pauses.append)
        assert _is_saved(Office(store, lambda _: None), 1, 0, 0)
        claimed = waking(someone(), version=2, ledger=(texted(someone(), NOW, claim_id="mine"),))
        lost = no_answer(ReadTimeoutError(endpoint_url="dynamodb"), worked_on=True)
        requests.answer("dynamodb.PutItem", first(lost, error("TransactionConflictException")))
        assert store.save_standing(claimed, expected_version=1, claim_id="mine")
        assert pauses == [0.02]
        requests.answer("dynamodb.PutItem", error("TransactionConflictException"))
        with pytest.raises(ServiceCallError, match="PutItem: TransactionConflictException"):
            store.save_standing(replace(claimed, version=3), expected_version=2, claim_id="mine")

    def test_a_customer_who_does_not_fit_is_refused_as_too_large(self, aws: Aws) -> None:
        dynamo = customers_in(aws)
        facts = someone(name="王" * 140_000)
        record, standing = a_lender_record(facts), waking(facts)
        with pytest.raises(RecordTooLargeError):
            dynamo.save_lender_record(record, expected_revision=0)
        with pytest.raises(RecordTooLargeError):
            dynamo.save_customer(record, standing, expected_revision=0, expected_version=0)
        assert dynamo.load(["C0001"]) == {"C0001": Customer(None, None)}

    def test_a_transaction_cancelled_for_the_size_of_an_item_is_told_apart(
        self, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        too_large = "Item size has exceeded the maximum allowed size"
        requests.answer("dynamodb.TransactWriteItems", _cancelled("ValidationError", "None", message=too_large))
        with pytest.raises(RecordTooLargeError):
            _is_saved(Office(dynamo, lambda _: None), 1, 0, 0)

    @pytest.mark.parametrize("late", [FACTS, STANDING])
    def test_facts_and_standing_of_two_moments_are_read_again(
        self, dynamo: DynamoCustomers, requests: Requests, cloud: LocalCloud, late: str
    ) -> None:
        office, table = Office(dynamo, lambda _: None), cloud.stack.customers_table
        assert _is_saved(office, 1, 0, 0)
        old = {item["item"]["S"]: item for item in cloud.items(table)}
        assert _is_saved(office, 2, 1, 1)
        new = {item["item"]["S"]: item for item in cloud.items(table)}
        torn = [{**old, late: new[late]}[item] for item in (FACTS, STANDING)]
        requests.clear()
        requests.answer("dynamodb.BatchGetItem", first(success({"Responses": {table: torn}, "UnprocessedKeys": {}})))
        assert _stored(office) == ("王2明", "facts 2")
        assert requests.sent["dynamodb.BatchGetItem"] == 2

    def test_a_customer_who_is_first_stored_while_being_read_is_read_again(
        self, dynamo: DynamoCustomers, requests: Requests, cloud: LocalCloud
    ) -> None:
        office, table = Office(dynamo, lambda _: None), cloud.stack.customers_table
        assert _is_saved(office, 1, 0, 0)
        facts = [item for item in cloud.items(table) if item["item"]["S"] == FACTS]
        requests.answer("dynamodb.BatchGetItem", first(success({"Responses": {table: facts}, "UnprocessedKeys": {}})))
        assert _stored(office) == ("王1明", "facts 1")

    def test_a_standing_that_names_no_facts_is_believed_when_it_is_read_twice_alike(
        self, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        """An older release wrote it, or a reply of a customer whom no file has named."""
        store_facts(dynamo, someone())
        dynamo.save_standing(waking(someone(), facts_revision=0), expected_version=0)
        requests.clear()
        found = dynamo.load(["C0001"])["C0001"]
        assert requests.sent["dynamodb.BatchGetItem"] == 2
        assert isinstance(found, Customer)
        assert found.standing is not None
        assert dynamo.save_standing(replace(found.standing, version=2), expected_version=1)
        requests.clear()
        dynamo.load(["C0001"])
        assert requests.sent["dynamodb.BatchGetItem"] == 1, "each write names the facts it was decided on"

    @pytest.mark.parametrize("revision", [0, 1])
    def test_a_standing_names_the_facts_that_it_was_read_with(self, dynamo: DynamoCustomers, revision: int) -> None:
        if revision:
            store_facts(dynamo, someone())
        dynamo.save_standing(waking(someone(), facts_revision=7), expected_version=0)
        found = dynamo.load(["C0001"])["C0001"]
        assert isinstance(found, Customer)
        assert found.standing is not None
        assert found.standing.facts_revision == revision

    def test_who_has_neither_facts_nor_a_standing_is_read_once(
        self, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        """Nobody plans a tombstone, or what has overtaken the file: no standing was stored with it."""
        assert dynamo.save_lender_record(LenderRecord(customer_id="C0001", revision=1), expected_revision=0)
        requests.clear()
        assert dynamo.load(["C0001", "C0002"]) == dict.fromkeys(["C0001", "C0002"], Customer(None, None))
        assert requests.sent["dynamodb.BatchGetItem"] == 1

    def test_a_customer_who_changes_at_each_read_fails_the_read(
        self, dynamo: DynamoCustomers, requests: Requests, cloud: LocalCloud
    ) -> None:
        versions = iter(range(1, 99))
        read = requests.answer

        def changing(request: AWSPreparedRequest, work: Callable[[], AWSResponse | None]) -> AWSResponse | None:
            item = standing_item(waking(someone(), version=next(versions)), SHARDS)
            responses = {cloud.stack.customers_table: [item]}
            return success({"Responses": responses, "UnprocessedKeys": {}})(request, work)

        read("dynamodb.BatchGetItem", changing)
        with pytest.raises(ServiceCallError, match="BatchGetItem: KeepsChanging"):
            dynamo.load(["C0001"])
        assert requests.sent["dynamodb.BatchGetItem"] == 1 + 8

    def test_standing_and_facts_are_read_strongly_consistent_in_one_call(
        self, dynamo: DynamoCustomers, requests: Requests, cloud: LocalCloud
    ) -> None:
        watched_store = DynamoCustomers(boto3.client("dynamodb", config=LEAN), cloud.stack.customers_table, SHARDS)
        watched_store.load([f"C{number:04d}" for number in range(50)])
        (call,) = requests.of("dynamodb.BatchGetItem")
        asked = call["RequestItems"][cloud.stack.customers_table]
        assert asked["ConsistentRead"] is True
        assert len(asked["Keys"]) == 100
        assert dynamo.load(["C0000"]) == {"C0000": Customer(None, None)}

    def test_keys_a_busy_table_has_left_are_asked_for_again(
        self, dynamo: DynamoCustomers, requests: Requests, cloud: LocalCloud
    ) -> None:
        dynamo.save_standing(waking(someone()), expected_version=0)
        table = cloud.stack.customers_table
        keys = [{"customer_id": {"S": "C0001"}, "item": {"S": item}} for item in (FACTS, STANDING)]
        busy = success({"Responses": {}, "UnprocessedKeys": {table: {"Keys": keys, "ConsistentRead": True}}})
        requests.answer("dynamodb.BatchGetItem", first(busy, busy))
        assert dynamo.load(["C0001"]) == {"C0001": Customer(None, waking(someone()))}
        requests.answer("dynamodb.BatchGetItem", busy)
        with pytest.raises(ServiceCallError, match="UnprocessedKeys"):
            dynamo.load(["C0001"])

    @pytest.mark.parametrize(("operation", "call"), CALLS)
    def test_an_error_of_the_table_tells_its_operation_and_code_and_no_request(
        self, dynamo: DynamoCustomers, requests: Requests, operation: str, call: Callable[[DynamoCustomers], object]
    ) -> None:
        dynamo.save_standing(waking(someone()), expected_version=0)
        for customer_id in ("C0001", "C0002"):
            dynamo.add_address("+886900000001", customer_id)
        requests.answer(f"dynamodb.{operation}", error("AccessDeniedException", message="C0001 王小明"))
        with pytest.raises(ServiceCallError) as caught:
            call(dynamo)
        assert caught.value.code == "AccessDeniedException"
        assert str(caught.value) == f"{operation}: AccessDeniedException"
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        "customers",
        [None, {"S": "C0001"}, {"L": [{"S": "C0001"}]}, {"NS": ["1"]}, {"NULL": True}],
        ids=["missing", "a string", "a list", "numbers", "null"],
    )
    def test_a_number_without_a_readable_set_stands_for_nobody_and_no_other_number_suffers(
        self, aws: Aws, customers: Mapping[str, object] | None
    ) -> None:
        dynamo = customers_in(aws)
        dynamo.add_address("+886900000002", "C0002")
        _write_number(aws, customers)
        found = dynamo.customers_with(["+886900000001", "+886900000002"])
        assert found == {"+886900000001": frozenset(), "+886900000002": frozenset({"C0002"})}
        dynamo.remove_address("+886900000001", "C0001")
        assert _numbers(aws) == {"phone#+886900000002"}
        _write_number(aws, customers)
        assert dynamo.add_address("+886900000001", "C0001") == {"C0001"}
        assert dynamo.customers_with(["+886900000001"]) == {"+886900000001": frozenset({"C0001"})}

    def test_a_number_is_deleted_in_one_write_so_that_no_crash_leaves_half_of_it(
        self, dynamo: DynamoCustomers, cloud: LocalCloud, requests: Requests
    ) -> None:
        dynamo.add_address("+886900000001", "C0001")
        dynamo.add_address("+886900000001", "C0002")
        dynamo.remove_address("+886900000001", "C0001")
        assert dynamo.customers_with(["+886900000001"]) == {"+886900000001": frozenset({"C0002"})}
        requests.clear()
        dynamo.remove_address("+886900000001", "C0002")
        assert requests.sent == {"dynamodb.DeleteItem": 1}
        assert _numbers(cloud) == set()
        dynamo.remove_address("+886900000001", "C0002")
        assert _numbers(cloud) == set()

    @pytest.mark.parametrize(
        ("failure", "raised"),
        [
            (error("ValidationException", message="Item size to update has exceeded the maximum"), RecordTooLargeError),
            (error("AccessDeniedException"), ServiceCallError),
        ],
    )
    def test_a_number_that_cannot_be_written_keeps_its_customers(
        self, dynamo: DynamoCustomers, requests: Requests, failure: Answer, raised: type[Exception]
    ) -> None:
        """Only what is no set is replaced."""
        dynamo.add_address("+886900000001", "C0002")
        requests.clear()
        requests.answer("dynamodb.UpdateItem", failure)
        with pytest.raises(raised):
            dynamo.add_address("+886900000001", "C0001")
        assert requests.sent["dynamodb.UpdateItem"] == 1

    def test_a_set_that_somebody_has_mended_meanwhile_is_not_replaced(
        self, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        dynamo.add_address("+886900000001", "C0002")
        requests.answer("dynamodb.UpdateItem", first(error("ValidationException")))
        with pytest.raises(ServiceCallError, match="ConditionalCheckFailedException"):
            dynamo.add_address("+886900000001", "C0001")
        assert dynamo.customers_with(["+886900000001"]) == {"+886900000001": frozenset({"C0002"})}

    def test_a_number_that_is_deleted_while_a_customer_is_taken_from_it_does_not_come_back(
        self, dynamo: DynamoCustomers, cloud: LocalCloud, requests: Requests
    ) -> None:
        for customer_id in ("C0001", "C0002"):
            dynamo.add_address("+886900000001", customer_id)

        def deleted(request: AWSPreparedRequest, work: Callable[[], AWSResponse | None]) -> AWSResponse | None:
            del request
            its_key: Any = {"customer_id": {"S": "phone#+886900000001"}, "item": {"S": PHONE}}
            boto3.client("dynamodb").delete_item(TableName=cloud.stack.customers_table, Key=its_key)
            return work()

        requests.answer("dynamodb.UpdateItem", deleted)
        dynamo.remove_address("+886900000001", "C0001")
        assert _numbers(cloud) == set()

    def test_facts_nobody_dated_cannot_be_ordered_and_are_refused(self, dynamo: DynamoCustomers) -> None:
        with pytest.raises(ValueError, match="as_of"):
            store_facts(dynamo, someone(as_of=None))


def test_all_customers_of_a_lender_are_found_whether_open_or_missing(office: Office) -> None:
    waits, paid, missing = someone(1), someone(2), replace(someone(3), not_in_list_since=NOW)
    for facts in (waits, paid, missing, replace(someone(4), lender="another")):
        store_facts(office.customers, facts)
    for facts, reason in ((waits, "next_stage"), (paid, "nothing_open"), (missing, "not_in_list")):
        standing = Standing(customer_id=facts.customer_id, version=1, reason=reason)
        assert office.customers.save_standing(standing, expected_version=0)
    office.customers.add_address(waits.phone, waits.customer_id)
    found = {
        entry.customer_id: (entry.has_open, entry.missing_since)
        for entry in office.customers.customers_of(waits.lender)
    }
    assert found == {
        waits.customer_id: (True, None),
        paid.customer_id: (False, None),
        missing.customer_id: (True, NOW),
    }


def test_a_customer_of_a_lender_needs_facts_and_no_standing(office: Office) -> None:
    """Facts without a standing are a customer whom no load has planned: something may be open."""
    for number in range(1, 8):
        facts = someone(number)
        if number % 3 != 2:
            store_facts(office.customers, facts)
        if number % 3 != 1:
            standing = Standing(customer_id=facts.customer_id, version=1, reason="nothing_open")
            assert office.customers.save_standing(standing, expected_version=0)
    found = sorted(office.customers.customers_of("demo-tw"))
    assert [(each.customer_id, each.has_open) for each in found] == [
        ("C0001", True),
        ("C0003", False),
        ("C0004", True),
        ("C0006", False),
        ("C0007", True),
    ]


def test_a_damaged_item_stops_no_whole_list(aws: Aws) -> None:
    dynamo = customers_in(aws)
    facts = replace(someone(), not_in_list_since=NOW)
    store_facts(dynamo, facts)
    for damaged in ({"S": "soon"}, {"N": "1"}):
        write_attribute(aws, facts.customer_id, FACTS, not_in_list_since=damaged)
        assert [entry.missing_since for entry in dynamo.customers_of(facts.lender)] == [None]
