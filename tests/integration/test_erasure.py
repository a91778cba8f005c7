"""
An erasure, on the embedded AWS: afterwards nothing tells who the customer was, and nobody else is touched.

moto deletes nothing by itself: that the bucket's lifecycle, the tables' time to live and the logs' retention are set is
tested where the template is (`tests/infrastructure`), not that AWS keeps to them. SNS's own delivery logs, which hold
numbers for as long as their log group says, and the carrier's list of opt-outs are not ours to search.
"""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dunning.adapters.dynamodb import keys
from dunning.domain.customer.standing import Standing
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.customers import Customer
from dunning.services.erasure.erase import MAY_BE_LOADING, SECOND_ROUND
from tests.integration.conftest import House
from tests.local.carrier import Carrier
from tests.local.cloud import LenderEvent
from tests.local.events import logs_subscription
from tests.support.aws_requests import error
from tests.support.lender_files import CHEN, WANG, csv_of, row
from tests.support.people import NOW
from tests.support.personal_data import found_in, logged_and_published, patterns, stored, tail

pytestmark = pytest.mark.slow(reason="each erases from a whole stack on moto and searches all that is left")

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PHONE = "+886912345678"
SAID = "我是王小明，手機0912-345-678，帳號9001-1234-5678，這筆有爭議"
MAIL, USER, NEW_MAIL = "xm.wang@example.com", "U" + "0123456789abcdef" * 2, "wang.new@example.com"
XIAOMING = row(WANG, email=MAIL, line_user_id=USER, line_consented_at="2026-11-01")
WHO = [*patterns(["王小明", "這筆有爭議", MAIL, USER, NEW_MAIL], [PHONE, "9001-1234-5678"], []), tail("5678")]
LIN = CHEN | {"customer_id": "C-1003", "name": "林志豪", "phone": "0912345678", "account_id": "A-3"}


class Town:
    """A stack on which two customers have lived for some days."""

    def __init__(self, house: House) -> None:
        self.house, self.cloud = house, house.cloud
        self._carrier = Carrier(unhappy=False, wants_none=lambda _: False, prices=lambda *_: 1)
        self._replies = 0

    def live(self) -> None:
        """Let files come, texts go out and arrive, customers answer, and the lender speak."""
        self.upload("monday", csv_of([XIAOMING, CHEN]))
        self.upload("refused", csv_of([row(XIAOMING, due_on="王小明")]))
        self.cloud.run_until(NOW + 26 * HOUR)
        self.receipts()
        assert {sms.to for sms in self.cloud.outbox} == {PHONE, "+886987654321"}
        self.reply(PHONE, "我會在12/4繳")
        self.reply(PHONE, SAID)
        self.reply("+886987654321", "已繳")
        self.reply("+886955123987", "誰啊")
        self.says("ReplyLabelled", reply_id="in-2", intents=["hardship"])
        self.says("AddressChanged", channel="email", address=NEW_MAIL)
        self.says("ConsentChanged", channel="email", consented_at=NOW.isoformat())
        self.says("InstalmentPaid", account_id="A-1", instalment_no=1, paid=100_000, currency="TWD")
        self.says("CustomerHold", reason="hardship", until="2026-12-09")
        self.says("AccountClosed", account_id="A-9")

    def upload(self, name: str, body: str) -> None:
        self.cloud.upload(f"accounts/{name}.csv", body.encode())

    def reply(self, phone: str, text: str) -> None:
        self._replies += 1
        message = {"originationNumber": phone, "messageBody": text, "inboundMessageId": f"in-{self._replies}"}
        assert self.cloud.reply(message) == 1

    def receipts(self) -> None:
        for sms in self.cloud.outbox:
            log = self._carrier.receipt(sms.to, sms.text, sms.message_id, sms.at, "")
            self.cloud.deliveries_logged([log])

    def says(self, kind: str, at: datetime | None = None, **detail: object) -> None:
        body = {"schema_version": 1, "customer_id": "C-1001", "at": (at or self.cloud.clock.now()).isoformat()}
        assert self.cloud.lender_says(LenderEvent(kind, {**body, **detail})) >= 1

    def erase(self) -> datetime:
        """Have a customer erased, and let the second round pass, and all further looks at the files."""
        erased_at = self.cloud.clock.now()
        self.says("CustomerErased")
        self.wait(SECOND_ROUND + timedelta(seconds=1))
        for _ in range(5):
            self.wait(15 * MINUTE + timedelta(seconds=1))
        return erased_at

    def reply_that_fails(self, phone: str, text: str, *, times: int) -> None:
        """
        Let a reply come in while no reply can be kept, and be handed over again until it has come so many times.

        The fifth time is the last here, so that a day of tries does not take a minute of the test.
        """
        queue = self.cloud.queue_urls["replies"]
        attributes = self.cloud.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]
        redrive = json.dumps(json.loads(attributes["RedrivePolicy"]) | {"maxReceiveCount": 5})
        self.cloud.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": redrive})
        self.house.requests.answer("dynamodb.PutItem", error("InternalServerError", 500))
        self.reply(phone, text)
        for _ in range(times - 1):
            self.hand_over_again()
        self.house.requests.let_all_through()

    def hand_over_again(self) -> None:
        """Let replies that failed become visible again, and be handed over or become dead letters."""
        self.cloud.clock.move_to(self.cloud.clock.now() + timedelta(seconds=361))
        self.cloud.drain("replies")

    def send_poison(self, body: str) -> None:
        """Let something come in that is no reply."""
        self.cloud.sns.publish(TopicArn=self.cloud.stack.inbound_topic, Message=body)
        assert self.cloud.drain("replies") == 1

    def lose_receipts(self) -> None:
        """Put delivery logs of everybody where Lambda puts what it could not hand over."""
        logs = [self._carrier.receipt(sms.to, sms.text, sms.message_id, sms.at, "") for sms in self.cloud.outbox]
        event = logs_subscription(
            logs, at=self.cloud.clock.now(), region=self.cloud.stack.region, account=self.cloud.stack.account
        )
        failure = {"version": "1.0", "requestPayload": event, "responsePayload": {"errorMessage": "ServiceCallError"}}
        self.cloud.sqs.send_message(QueueUrl=self._dead_letters("delivery_receipts"), MessageBody=json.dumps(failure))

    def _dead_letters(self, function: str) -> str:
        return self.cloud.stack.functions["lender_events"].environment[f"{function.upper()}_DEAD_LETTER_URL"]

    def dead(self, function: str) -> list[str]:
        """Return what lies among the dead letters, hidden or not."""
        name = self._dead_letters(function).rpartition("/")[2]
        return [text for place, text in stored(self.cloud).items() if place.endswith(f" of {name}")]

    def hold_dead_letters(self, span: timedelta) -> None:
        """Let somebody else have the dead letters of replies in hand for a while."""
        held = self.cloud.sqs.receive_message(
            QueueUrl=self._dead_letters("replies"), VisibilityTimeout=int(span.total_seconds())
        )
        assert held["Messages"]

    def wait(self, span: timedelta) -> None:
        self.cloud.clock.move_to(self.cloud.clock.now() + span)
        self.cloud.drain("lender_events")

    def who(self) -> set[tuple[str, str]]:
        """Return where what tells of the customer is found."""
        told_here = [sms.text for sms in self.cloud.outbox if sms.to == PHONE]
        wanted = [*WHO, *patterns([], [], told_here)]
        return found_in(
            stored(self.cloud) | logged_and_published(self.cloud, self.house.log, self.house.telemetry), wanted
        )

    def others(self) -> list[str]:
        """Return all that the tables hold of others, and what is kept of nobody but the files."""
        tables = (self.cloud.stack.customers_table, self.cloud.stack.contacts_table)
        items = [json.dumps(item, sort_keys=True) for table in tables for item in self.cloud.items(table)]
        return sorted(
            item for item in items if "C-1001" not in item and PHONE not in item and f'"{keys.FILES}"' not in item
        )

    def labelled_replies(self) -> int:
        """Count the replies of the customer that hold a person's label."""
        items = self.cloud.items(self.cloud.stack.contacts_table)
        return sum(item["customer_id"]["S"] == "C-1001" and "labelled_at" in item for item in items)

    def customer(self, customer_id: str = "C-1001") -> Customer:
        found = self.house.store.load([customer_id])[customer_id]
        assert not isinstance(found, UnreadableRecordError)
        return found

    def standing(self, customer_id: str = "C-1001") -> Standing:
        standing = self.customer(customer_id).standing
        assert standing is not None
        return standing


@pytest.fixture
def town(house: House, monkeypatch: pytest.MonkeyPatch) -> Town:
    # S3 tells when a file was uploaded; moto takes the machine's clock for that.
    monkeypatch.setattr("moto.s3.models.utcnow", lambda: house.cloud.clock.now().replace(tzinfo=None))
    return Town(house)


def dead_letter_logs(message: str) -> list[dict[str, Any]]:
    """Unpack the delivery logs of a dead letter."""
    failure, _ = json.JSONDecoder().raw_decode(message)
    packed = json.loads(gzip.decompress(base64.b64decode(failure["requestPayload"]["awslogs"]["data"])))
    return [json.loads(event["message"]) for event in packed["logEvents"]]


def places(found: set[tuple[str, str]]) -> set[str]:
    """Name the kinds of places."""
    return {place.split()[0] if place.startswith(("item", "message")) else "file" for place, _ in found}


def test_before_an_erasure_the_customer_is_found_where_they_belong_and_nowhere_else(town: Town) -> None:
    town.live()
    found = town.who()
    assert {pattern for _, pattern in found} >= {pattern.pattern for pattern in WHO}
    assert places(found) == {"item", "file"}
    assert town.standing().reply_labels
    assert town.labelled_replies() == 1


def test_after_an_erasure_the_customer_is_found_nowhere_and_nobody_else_is_touched(town: Town) -> None:
    town.live()
    others = town.others()
    assert others
    town.erase()
    assert town.who() == set()
    assert town.house.store.customers_with([MAIL, USER, NEW_MAIL]) == dict.fromkeys((MAIL, USER, NEW_MAIL), frozenset())
    assert town.others() == others
    assert town.customer().standing is None
    assert town.labelled_replies() == 0
    assert town.customer().facts is None
    assert town.customer("C-1002").facts is not None
    assert not town.cloud.dead_letters()


def test_a_file_that_may_still_be_loading_goes_an_hour_after_its_upload(town: Town) -> None:
    town.upload("monday", csv_of([XIAOMING, CHEN]))
    town.says("CustomerErased")
    town.wait(SECOND_ROUND + timedelta(seconds=1))
    assert "file" in places(town.who())
    while town.cloud.clock.now() < NOW + MAY_BE_LOADING:
        assert "file" in places(town.who())
        town.wait(15 * MINUTE + timedelta(seconds=1))
    assert town.who() == set()


def test_a_reply_of_before_that_comes_again_after_the_second_round_is_neither_kept_nor_acted_upon(town: Town) -> None:
    town.live()
    town.reply_that_fails(PHONE, "這筆有爭議", times=1)
    town.reply_that_fails("+886987654321", "退訂", times=1)
    town.says("CustomerErased")
    town.wait(SECOND_ROUND + timedelta(seconds=1))
    town.hand_over_again()
    # Both are kept: the one below its customer, the other below a number that nobody is known to have, for now.
    assert "這筆有爭議" in "".join(stored(town.cloud).values())
    assert town.standing("C-1002").is_opted_out
    for _ in range(5):
        town.wait(15 * MINUTE + timedelta(seconds=1))
    assert town.who() == set()
    assert town.customer() == Customer(None, None)
    assert town.standing("C-1002").is_opted_out


def test_dead_letters_of_the_erased_customer_go_and_those_of_others_stay(town: Town) -> None:
    town.live()
    town.send_poison('{"originationNumber": "886912345678", "messageBody": "王小明"}')
    town.send_poison('{"originationNumber": "886987654321", "messageBody": "陳美玲"}')
    town.reply_that_fails(PHONE, "這筆有爭議", times=6)
    town.reply_that_fails("+886987654321", "退訂", times=6)
    town.lose_receipts()
    assert [len(town.dead(name)) for name in ("replies", "delivery_receipts")] == [4, 1]
    assert "message" in places(town.who())
    others = town.others()
    town.erase()
    assert town.who() == set()
    assert town.others() == others
    reply_letters, receipts = town.dead("replies"), town.dead("delivery_receipts")
    assert len(reply_letters) == 2
    assert all("886987654321" in body for body in reply_letters)
    (logs,) = map(dead_letter_logs, receipts)
    assert [log["delivery"]["destination"] for log in logs] == ["+886987654321"]


def test_dead_letters_that_others_have_in_hand_go_in_a_later_round_and_the_number_is_kept_until_then(
    town: Town,
) -> None:
    town.live()
    town.reply_that_fails(PHONE, "這筆有爭議", times=6)
    town.hold_dead_letters(timedelta(hours=2))
    town.says("CustomerErased")
    town.wait(SECOND_ROUND + timedelta(seconds=1))
    for _ in range(4):
        town.wait(15 * MINUTE + timedelta(seconds=1))
    assert places(town.who()) == {"item", "message"}
    assert "dead_letters_not_erased" in {name for name, _ in town.house.telemetry.events}
    for _ in range(5):
        town.wait(15 * MINUTE + timedelta(seconds=1))
    assert town.who() == set()


type Again = Callable[[Town, datetime], None]

EVENTS: list[Again] = [
    lambda town, at: town.says("CustomerErased", at),
    lambda town, at: town.says(
        "InstalmentPaid", at - HOUR, account_id="A-1", instalment_no=1, paid=1, currency="TWD"
    ),
    lambda town, at: town.says("CustomerHold", at + HOUR, reason="dispute"),
    lambda town, _: town.receipts(),
]  # fmt: skip
FILES: list[Again] = [
    lambda town, _: town.upload("monday", csv_of([XIAOMING])),
    lambda town, at: town.upload("tuesday", csv_of([row(XIAOMING, consented_at=(at - MINUTE).isoformat())])),
]


@pytest.mark.parametrize("again", [EVENTS, FILES], ids=["events and receipts", "files of before"])
def test_nothing_that_arrives_again_restores_an_erased_customer(town: Town, again: list[Again]) -> None:
    town.live()
    others = town.others()
    erased_at = town.erase()
    town.wait(3 * HOUR)
    for come_again in again:
        come_again(town, erased_at)
        town.wait(SECOND_ROUND)
        # A file that was uploaded after the erasure stays until the bucket's lifecycle deletes it.
        assert places(town.who()) <= ({"file"} if again is FILES else set())
        assert town.customer() == Customer(None, None)
        assert town.others() == others
    sent = len(town.cloud.outbox)
    town.cloud.run_until(town.cloud.clock.now() + timedelta(days=2))
    assert PHONE not in {sms.to for sms in town.cloud.outbox[sent:]}


def test_a_new_file_with_a_later_consent_does_and_caps_hold_all_the_same(town: Town) -> None:
    town.live()
    erased_at = town.erase()
    town.wait(3 * HOUR)
    consent = (erased_at + 2 * HOUR).isoformat()
    town.upload("wednesday", csv_of([row(XIAOMING, consented_at=consent, due_on="2026-12-04")]))
    facts = town.customer().facts
    assert facts is not None
    assert facts.name == "王小明"
    assert town.standing().opted_out_at is None
    back_at, sent = town.cloud.clock.now(), len(town.cloud.outbox)
    town.cloud.run_until(back_at + timedelta(days=33))
    again = [sms.at for sms in town.cloud.outbox[sent:] if sms.to == PHONE]
    assert again
    assert min(again) >= erased_at + timedelta(days=30), (
        "nobody knows any more how many texts there were: every cap is full"
    )


def test_a_customer_who_returns_at_once_is_found_by_the_number_of_an_opt_out(town: Town) -> None:
    town.live()
    town.says("CustomerErased")
    town.cloud.clock.move_to(town.cloud.clock.now() + timedelta(seconds=30))
    consent = (town.cloud.clock.now() - timedelta(seconds=10)).isoformat()
    town.upload("anew", csv_of([row(XIAOMING, consented_at=consent)]))
    town.reply(PHONE, "退訂")
    assert town.standing().reason == "opted_out"
    town.wait(SECOND_ROUND)
    assert town.house.store.customers_with([PHONE]) == {PHONE: frozenset({"C-1001"})}


def test_a_customer_who_shares_the_mailbox_keeps_it(town: Town) -> None:
    town.live()
    town.upload("neighbours", csv_of([row(LIN, phone="0912345679", email=NEW_MAIL)]))
    assert town.standing("C-1003").shared["email"].address == NEW_MAIL
    town.erase()
    assert town.house.store.customers_with([NEW_MAIL, MAIL]) == {NEW_MAIL: frozenset({"C-1003"}), MAIL: frozenset()}
    facts = town.customer("C-1003").facts
    assert facts is not None
    assert facts.email == NEW_MAIL


def test_a_customer_who_shares_the_number_keeps_it_and_their_replies(town: Town) -> None:
    town.live()
    town.upload("neighbours", csv_of([LIN]))
    town.reply(PHONE, "林志豪，已繳")
    assert town.standing("C-1003").shared["number"].address == PHONE
    town.erase()
    left = town.who()
    of_whom = {place for place, _ in left}
    held = stored(town.cloud)
    assert all("C-1003" in held[place] and "C-1001" not in held[place] for place in of_whom)
    assert not [place for place in of_whom if "王小明" in held[place]]
    assert town.house.store.customers_with([PHONE]) == {PHONE: frozenset({"C-1003"})}
    assert any("林志豪，已繳" in held[place] for place in of_whom)
