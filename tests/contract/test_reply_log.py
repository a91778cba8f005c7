"""What customers wrote: what the port promises, of the fake and of DynamoDB alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.domain.errors import ServiceCallError
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.contacts import ContactArchive, ReplyLog
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error
from tests.support.fakes import FakeContacts
from tests.support.people import NOW

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


@dataclass
class Letters:
    """The log seen through the port, the archive beside it, and how many replies are stored."""

    log: ReplyLog
    archive: ContactArchive
    stored: Callable[[], int]


@pytest.fixture(params=["fake", "moto"])
def letters(request: pytest.FixtureRequest) -> Letters:
    if request.param == "fake":
        fake = FakeContacts()
        return Letters(fake, fake, lambda: len(fake.replies))
    cloud: LocalCloud = request.getfixturevalue("cloud")
    table: DynamoContacts = request.getfixturevalue("contacts_table")
    return Letters(table, table, lambda: len(list(cloud.items(cloud.stack.contacts_table))))


def test_a_reply_is_kept_once_however_often_it_arrives(letters: Letters) -> None:
    assert letters.log.keep(REPLY)
    assert not letters.log.keep(REPLY)
    assert letters.stored() == 1


def test_a_reply_is_kept_for_each_customer_or_for_the_number_if_nobody_has_it(letters: Letters) -> None:
    for customer_id in ("C0001", "C0002", ""):
        assert letters.log.keep(replace(REPLY, customer_id=customer_id))
    assert letters.stored() == 3


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

    def test_it_is_deleted_when_the_places_retention_ends(
        self, contacts_table: DynamoContacts, cloud: LocalCloud
    ) -> None:
        contacts_table.keep(REPLY)
        item: dict[str, Any]
        (item,) = cloud.items(cloud.stack.contacts_table)
        assert item["expires_at"] == {"N": str(int(REPLY.expires_at.timestamp()))}
        assert item["intents"] == {"S": '["opt_out","promise"]'}

    def test_an_error_tells_its_code_and_no_word(self, contacts_table: DynamoContacts, requests: Requests) -> None:
        requests.answer("dynamodb.PutItem", error("AccessDeniedException", message="退訂 +886900000001"))
        with pytest.raises(ServiceCallError, match=r"^PutItem: AccessDeniedException$"):
            contacts_table.keep(REPLY)
