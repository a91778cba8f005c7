"""What customers wrote: what the port promises, of the fake and of DynamoDB alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.items import reply_item, reply_of
from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.errors import ServiceCallError
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.contacts import ContactArchive, ReplyLog
from tests.contract.conftest import BACKENDS, contacts_in, engine_of
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, Work, error
from tests.support.fakes import FakeContacts
from tests.support.people import NOW
from tests.support.stand_in import Aws

REPLY = Reply(
    customer_id="C0001",
    inbound=InboundSms(
        inbound_id="cae173d2-66b9-564c-8309-21f858e9fb84",
        phone="+886900000001",
        text="退訂",
        at=NOW,
        in_reply_to="message-1",
    ),
    intents=(ReplyIntent.OPT_OUT, ReplyIntent.PROMISE),
    promised_on=date(2026, 12, 4),
    expires_at=NOW + timedelta(days=1827),
)


LABEL = ReplyLabel(at=NOW + timedelta(hours=2), sequence=1, intents=("paid", "promise"), promised_on=date(2026, 12, 11))


@dataclass
class Letters:
    """The log seen through the port, the archive beside it, and the replies that are stored."""

    log: ReplyLog
    archive: ContactArchive
    replies: Callable[[], list[Reply]]

    def stored(self) -> int:
        return len(self.replies())


@pytest.fixture(params=BACKENDS)
def letters(request: pytest.FixtureRequest) -> Letters:
    if request.param == "fake":
        fake = FakeContacts()
        return Letters(fake, fake, lambda: list(fake.replies.values()))
    aws = engine_of(request)
    table = contacts_in(aws)
    return Letters(table, table, lambda: [reply_of(item) for item in aws.items(aws.stack.contacts_table)])


def test_a_reply_is_kept_once_however_often_it_arrives(letters: Letters) -> None:
    assert letters.log.keep(REPLY)
    assert not letters.log.keep(REPLY)
    assert letters.stored() == 1


def test_a_reply_is_kept_for_each_customer_or_for_the_number_if_nobody_has_it(letters: Letters) -> None:
    for customer_id in ("C0001", "C0002", ""):
        assert letters.log.keep(replace(REPLY, customer_id=customer_id))
    assert letters.stored() == 3


def test_a_label_is_kept_with_its_reply_and_leaves_all_else_and_all_others(letters: Letters) -> None:
    other = replace(REPLY, inbound=replace(REPLY.inbound, inbound_id="another"))
    for reply in (REPLY, other, replace(REPLY, customer_id="C0002")):
        letters.log.keep(reply)
    labelled = letters.log.label("C0001", REPLY.inbound.inbound_id, LABEL)
    assert labelled == replace(
        REPLY,
        labels=("paid", "promise"),
        labelled_at=LABEL.at,
        label_sequence=1,
        label_promised_on=date(2026, 12, 11),
    )
    assert labelled.label == LABEL
    assert len([reply for reply in letters.replies() if reply.label is None]) == 2
    assert labelled in letters.replies()


def test_of_several_labels_the_newest_is_kept_whichever_comes_first(letters: Letters) -> None:
    letters.log.keep(REPLY)
    reply_id = REPLY.inbound.inbound_id
    newer = ReplyLabel(at=LABEL.at, sequence=2)
    newest = ReplyLabel(at=LABEL.at + timedelta(seconds=1), intents=("chat",))
    for label, kept in ((LABEL, LABEL), (newer, newer), (LABEL, newer), (newest, newest), (newer, newest)):
        labelled = letters.log.label("C0001", reply_id, label)
        assert labelled is not None
        assert labelled.label == kept
        assert [reply.label for reply in letters.replies()] == [kept]


def test_a_reply_that_is_not_there_gets_no_label(letters: Letters) -> None:
    letters.log.keep(REPLY)
    letters.log.keep(replace(REPLY, customer_id=""))
    assert letters.log.label("C0001", "another", LABEL) is None
    assert letters.log.label("C0002", REPLY.inbound.inbound_id, LABEL) is None
    assert [reply.label for reply in letters.replies()] == [None, None]


def test_a_label_that_others_keep_overtaking_fails_and_comes_back(
    contacts_table: DynamoContacts, requests: Requests
) -> None:
    contacts_table.keep(REPLY)
    requests.answer("dynamodb.UpdateItem", error("ConditionalCheckFailedException"))
    with pytest.raises(ServiceCallError, match=r"^UpdateItem: ConditionalCheckFailedException$"):
        contacts_table.label("C0001", REPLY.inbound.inbound_id, LABEL)
    assert requests.sent["dynamodb.UpdateItem"] == 8


def test_a_label_that_is_older_than_the_stored_one_is_not_written(
    contacts_table: DynamoContacts, requests: Requests
) -> None:
    contacts_table.keep(REPLY)
    contacts_table.label("C0001", REPLY.inbound.inbound_id, LABEL)
    requests.clear()
    contacts_table.label("C0001", REPLY.inbound.inbound_id, replace(LABEL, at=NOW))
    assert requests.sent == {"dynamodb.Query": 1}


def test_a_label_brings_nothing_back_of_what_was_read(
    cloud: LocalCloud, contacts_table: DynamoContacts, requests: Requests
) -> None:
    """Between reading and labelling a reply, somebody else may have changed it."""
    contacts_table.keep(REPLY)

    def changed_before(request: object, work: Work) -> AWSResponse | None:
        del request
        requests.let_all_through()
        changed = reply_item(replace(REPLY, intents=(), promised_on=None))
        boto3.client("dynamodb").put_item(TableName=cloud.stack.contacts_table, Item=changed)
        return work()

    requests.answer("dynamodb.UpdateItem", changed_before)
    assert contacts_table.label("C0001", REPLY.inbound.inbound_id, LABEL)
    (stored,) = [reply_of(item) for item in cloud.items(cloud.stack.contacts_table)]
    assert stored == replace(REPLY, intents=(), promised_on=None).with_label(LABEL)


def test_several_of_one_customer_are_several_replies(letters: Letters) -> None:
    inbound = REPLY.inbound
    assert letters.log.keep(REPLY)
    assert letters.log.keep(replace(REPLY, inbound=replace(inbound, inbound_id="another")))
    assert letters.log.keep(replace(REPLY, inbound=replace(inbound, at=inbound.at + timedelta(milliseconds=1))))
    assert letters.stored() == 3


def test_an_empty_reply_is_kept_too(letters: Letters) -> None:
    assert letters.log.keep(replace(REPLY, inbound=replace(REPLY.inbound, text=""), intents=(), promised_on=None))
    assert letters.stored() == 1


def test_a_reply_is_no_text_of_ours(letters: Letters) -> None:
    letters.log.keep(REPLY)
    assert letters.archive.recent("C0001", NOW - timedelta(days=31)) == []


class TestOnDynamoDb:
    """What only a table can do."""

    def test_it_is_deleted_when_the_places_retention_ends(self, aws: Aws) -> None:
        contacts_in(aws).keep(REPLY)
        item: dict[str, Any]
        (item,) = aws.items(aws.stack.contacts_table)
        assert item["expires_at"] == {"N": str(int(REPLY.expires_at.timestamp()))}
        assert item["intents"] == {"S": '["opt_out","promise"]'}

    def test_an_error_tells_its_code_and_no_word(self, contacts_table: DynamoContacts, requests: Requests) -> None:
        requests.answer("dynamodb.PutItem", error("AccessDeniedException", message="退訂 +886900000001"))
        with pytest.raises(ServiceCallError, match=r"^PutItem: AccessDeniedException$"):
            contacts_table.keep(REPLY)
        requests.let_all_through()
        contacts_table.keep(REPLY)
        for operation in ("UpdateItem", "Query"):
            requests.answer(f"dynamodb.{operation}", error("AccessDeniedException", message="退訂 +886900000001"))
            with pytest.raises(ServiceCallError, match=rf"^{operation}: AccessDeniedException$"):
                contacts_table.label("C0001", REPLY.inbound.inbound_id, LABEL)
