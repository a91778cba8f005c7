"""
What comes in counts: payments and erasures from the lender's bus, replies by the topic, deliveries by the logs.

At four in the afternoon, UTC, it is ten in the morning in Texas, where an opt-out is confirmed by a text.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dunning.adapters.dynamodb.items import lender_record_of
from dunning.adapters.dynamodb.keys import contact_key
from dunning.contracts.delivery_log import parse_reported
from dunning.contracts.erasure_round import erasure_round_body
from dunning.contracts.job import job_body
from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.ports.queues import Job
from dunning.services.erasure.erase import UNDER_WAY
from tests.e2e.deployed.standin import ACCOUNT, REGION
from tests.e2e.deployed.test_5_switch import TRUSTED_FOR
from tests.e2e.deployed.world import World, phone_of
from tests.local.events import logs_subscription
from tests.support.lender_files import csv_of, row

pytestmark = pytest.mark.deployed

type Person = dict[str, str]

ONE_IN_TEXAS = 19
LARGE, REFUSED = 120, (7, 80)
"""The rows of a file that is loaded in parts, and those of them that are refused."""


@dataclass(frozen=True, slots=True)
class Texted:
    """Customers who were texted a moment ago, by what they are to do; and a queue that gets what we publish."""

    stopper: Person
    returner: Person
    chatter: Person
    reached: Person
    unreachable: Person
    unrecorded: Person
    listed: Person
    events_queue: str

    @property
    def everybody(self) -> Sequence[Person]:
        """All of them."""
        return [value for name in self.__slots__ if isinstance(value := getattr(self, name), dict)]


@pytest.fixture(scope="module")
def paid(world: World) -> Mapping[str, Person]:
    """Let one of two customers who are due pay before a sender gets to them."""
    payer, other = world.people(2)
    world.turn("off")
    world.advance(timedelta(seconds=TRUSTED_FOR))
    world.load("payers.csv", [payer, other])
    world.say("a payment comes")
    world.tell(
        "InstalmentPaid",
        customer_id=payer["customer_id"],
        sequence=1,
        account_id=payer["account_id"],
        instalment_no=1,
        paid=325_000,
        currency="TWD",
    )
    world.until(
        "the payment is taken", lambda: world.standings()[payer["customer_id"]].reason == Reason.NOTHING_OPEN.value
    )
    world.turn("on")
    world.advance(timedelta(seconds=TRUSTED_FOR))
    # Both jobs were on their way already.
    for person in (payer, other):
        world.as_engineer("sqs").send_message(
            QueueUrl=world.ids["Reminders"], MessageBody=job_body(Job(person["customer_id"], world.now()))
        )
    world.settle()
    return {"payer": payer, "other": other}


@pytest.fixture(scope="module")
def texted(world: World, paid: Mapping[str, Person]) -> Texted:
    """Have seven Americans reminded, with a queue that gets what we publish."""
    del paid  # in Taiwan's day
    events_queue = _subscribe_to_our_events(world)
    world.advance_to(ONE_IN_TEXAS)
    people = world.people(7, american=True)
    world.load("americans.csv", people)
    world.tick()
    world.until("the texts go out", lambda: all(world.sms_to(phone_of(person)) for person in people))
    world.settle()
    stopper, returner, chatter, reached, unreachable, unrecorded, listed = people
    return Texted(stopper, returner, chatter, reached, unreachable, unrecorded, listed, events_queue)


def _subscribe_to_our_events(world: World) -> str:
    """Listen on the bus as another system of the lender's would."""
    sqs, events = world.as_engineer("sqs"), world.as_engineer("events")
    bus, name = world.outputs["LenderBus"], "collections-desk"
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["dunning"]}))["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.create_queue(QueueName=name, Attributes={"Policy": policy})
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "desk", "Arn": queue}])
    return queue


def _published(world: World, texted: Texted, what: str) -> list[Any]:
    bodies = [json.loads(message["Body"]) for message in world.messages_at(texted.events_queue)]
    return [body["detail"] for body in bodies if body["detail-type"] == what]


def _of(world: World, person: Person) -> list[Contact]:
    return world.contacts().get(person["customer_id"], [])


def delivery_log(
    person: Person, contact: Contact, message_id: str, answer: str, *, delivered: bool
) -> dict[str, object]:
    """Write a delivery log as SNS does."""
    return {
        "notification": {"messageId": message_id, "timestamp": f"{contact.at:%Y-%m-%d %H:%M:%S}.001"},
        "delivery": {
            "phoneCarrier": "Example Wireless",
            "numberOfMessageParts": 1,
            "destination": phone_of(person),
            "priceInUSD": 0.00645,
            "smsType": "Transactional",
            "providerResponse": answer,
        },
        "status": "SUCCESS" if delivered else "FAILURE",
    }


# ------------------------------------------------------------------ the lender's bus


def test_a_customer_who_has_just_paid_gets_no_text_though_the_job_was_queued_already(
    world: World, paid: Mapping[str, Person]
) -> None:
    assert [len(world.sms_to(phone_of(paid[who]))) for who in ("payer", "other")] == [0, 1]
    decisions = [line for line in world.logged("sender") if line.get("customer_id") == paid["payer"]["customer_id"]]
    assert {line["reason"] for line in decisions} == {Reason.NOTHING_OPEN.value}


def test_an_event_that_cannot_be_read_is_parked_with_the_reason_and_without_what_it_says(world: World) -> None:
    world.tell("InstalmentPaid", customer_id="C-0100", paid="all of it")
    world.until("the event is parked", lambda: bool(world.messages("LenderEventsDeadLetters")))
    (parked,) = world.messages("LenderEventsDeadLetters")
    assert json.loads(parked["Body"])["detail"]["paid"] == "all of it"
    why = json.dumps(parked["MessageAttributes"])
    assert "paid" in why
    assert "all of it" not in why


def test_a_lenders_system_may_put_events_and_nothing_else(world: World) -> None:
    with pytest.raises(ClientError, match="not authorized"):
        world.as_lender("sqs").send_message(QueueUrl=world.ids["LenderEvents"], MessageBody="{}")
    with pytest.raises(ClientError, match="not authorized"):
        world.as_lender("events").put_events(
            Entries=[{"EventBusName": "default", "Source": "lender.core", "DetailType": "Other", "Detail": "{}"}]
        )


def test_reminders_and_their_end_are_published_on_the_bus(
    world: World, paid: Mapping[str, Person], texted: Texted
) -> None:
    # Neither the lender's events come out again as ours, nor are ours handed to lender_events.
    reminded = {
        reminder["customer_id"]
        for batch in _published(world, texted, "ReminderSent")
        for reminder in batch["reminders"]
    }
    assert reminded >= {person["customer_id"] for person in texted.everybody}
    other = paid["other"]
    world.upload("paid.csv", [other | {"paid_on": "2026-02-01", "paid_amount": other["amount"]}])
    stop = {"customer_id": other["customer_id"], "reason": Reason.NOTHING_OPEN.value}
    world.until(
        "the file's payment is told",
        lambda: any(stop.items() <= detail.items() for detail in _published(world, texted, "ReminderStopped")),
    )


# --------------------------------------------------------------------------- replies


def test_a_stop_opts_out_at_once_is_confirmed_once_and_holds_against_a_job_that_is_queued(
    world: World, texted: Texted
) -> None:
    stopper = texted.stopper["customer_id"]
    world.reply(texted.stopper, "STOP")
    world.until("the stop counts", lambda: world.standings()[stopper].is_opted_out)
    world.as_engineer("sqs").send_message(
        QueueUrl=world.ids["Reminders"], MessageBody=job_body(Job(stopper, world.now()))
    )
    world.settle()
    world.until("the confirmation is recorded", lambda: len(_of(world, texted.stopper)) == 2)
    reminder, confirmation = _of(world, texted.stopper)
    assert (reminder.stage, confirmation.stage) == (0, None)
    assert [sms["Message"] for sms in world.sms_to(phone_of(texted.stopper))] == [reminder.text, confirmation.text]
    decided = [line["reason"] for line in world.logged("sender") if line.get("customer_id") == stopper]
    assert decided[-1] == Reason.OPTED_OUT.value
    assert stopper in {detail["customer_id"] for detail in _published(world, texted, "ReminderStopped")}


def test_start_opts_a_customer_in_and_takes_the_number_off_the_carriers_list(world: World, texted: Texted) -> None:
    returner = texted.returner["customer_id"]
    world.reply(texted.returner, "STOP")
    world.until("the stop counts", lambda: world.standings()[returner].is_opted_out)
    # Of two replies of the same second the stop would count.
    world.advance(timedelta(seconds=10))
    world.reply(texted.returner, "START")
    world.until("the start counts", lambda: not world.standings()[returner].is_opted_out)
    world.until(
        "the carrier is asked",
        lambda: any(call["operation"] == "OptInPhoneNumber" for call in world.calls()),
        within=10,
    )


def test_a_reply_that_is_not_understood_silences_the_reminders_and_is_published_on_the_bus(
    world: World, texted: Texted
) -> None:
    world.reply(texted.chatter, "Is it true that the parcel arrives on Thursday?")
    world.until("it is told", lambda: bool(_published(world, texted, "ReplyNotUnderstood")))
    (event,) = _published(world, texted, "ReplyNotUnderstood")
    assert event["customer_id"] == texted.chatter["customer_id"]
    assert "parcel" not in json.dumps(event)
    holds = world.standings()[texted.chatter["customer_id"]].holds
    assert any(hold.reason is HoldReason.DOUBT and hold.until is not None for hold in holds)


def test_what_a_person_says_of_the_reply_takes_its_place(world: World, texted: Texted) -> None:
    (event,) = _published(world, texted, "ReplyNotUnderstood")
    chatter = texted.chatter["customer_id"]
    world.tell("ReplyLabelled", customer_id=chatter, reply_id=event["reply_id"], intents=["chat"])
    world.until("the silence ends", lambda: not world.standings()[chatter].holds)


def test_what_is_no_reply_is_parked(world: World) -> None:
    world.as_engineer("sns").publish(TopicArn=world.outputs["InboundTopic"], Message='{"event": "something else"}')
    world.until("it is parked", lambda: bool(world.messages("RepliesDeadLetters")))
    (parked,) = world.messages("RepliesDeadLetters")
    assert "something else" in parked["Body"]


# ------------------------------------------------------------------------ deliveries


def test_a_delivery_log_brings_its_record_to_delivered(world: World, texted: Texted) -> None:
    (contact,) = _of(world, texted.reached)
    assert contact.state is ContactState.SENT
    log = delivery_log(
        texted.reached, contact, contact.message_id, "Message has been accepted by phone carrier", delivered=True
    )
    world.report(log)
    world.until("it is delivered", lambda: _of(world, texted.reached)[0].state is ContactState.DELIVERED)
    (delivered,) = _of(world, texted.reached)
    assert (delivered.billed_parts, delivered.billed_price_usd_micros) == (1, 6450)


def test_a_number_that_does_not_exist_is_not_texted_again_and_is_published(world: World, texted: Texted) -> None:
    (contact,) = _of(world, texted.unreachable)
    world.report(
        delivery_log(texted.unreachable, contact, contact.message_id, "Invalid phone number", delivered=False),
        failed=True,
    )
    world.until("it is told", lambda: bool(_published(world, texted, "NumberUnreachable")))
    (event,) = _published(world, texted, "NumberUnreachable")
    assert event["customer_id"] == texted.unreachable["customer_id"]
    standing = world.standings()[texted.unreachable["customer_id"]]
    assert (standing.suspended["sms"].address, standing.wake) == (phone_of(texted.unreachable), None)


def test_a_log_that_comes_before_its_record_waits_without_the_number(world: World, texted: Texted) -> None:
    (contact,) = _of(world, texted.unrecorded)
    key = {"customer_id": {"S": contact.customer_id}, "contact": {"S": contact_key(contact.at, contact.send_id)}}
    # As if the sender had died between the publish and its record.
    world.as_engineer("dynamodb").delete_item(TableName=world.ids["ContactsTable"], Key=key)
    world.report(delivery_log(texted.unrecorded, contact, contact.message_id, "Delivered", delivered=True))
    world.until("it waits", lambda: bool(world.messages("DeliveryReceipts")))
    (waiting,) = world.messages("DeliveryReceipts")
    assert contact.message_id in waiting["Body"]
    assert phone_of(texted.unrecorded) not in waiting["Body"]
    # A quarter of an hour later no sender will write it any more. The minute it waits for is not waited for here.
    world.advance(timedelta(minutes=15))
    world.as_engineer("sqs").send_message(QueueUrl=world.ids["DeliveryReceipts"], MessageBody=waiting["Body"])
    world.until(
        "it is recorded",
        lambda: [contact.state for contact in _of(world, texted.unrecorded)] == [ContactState.DELIVERED],
    )


def test_what_is_no_delivery_log_is_kept_for_a_person(world: World) -> None:
    world.as_engineer("lambda").invoke(
        FunctionName=world.ids["DeliveryReceiptsFunction"],
        InvocationType="Event",
        Payload=json.dumps({"awslogs": {"data": "bm8gZ3ppcA=="}}).encode(),
    )
    world.until("it is a dead letter", lambda: bool(world.messages("DeliveryReceiptsDeadLetters")))


# -------------------------------------------------------------- erasing, and planning anew


def _lender_record(world: World, person: Person) -> LenderRecord:
    item = world.as_engineer("dynamodb").get_item(
        TableName=world.ids["CustomersTable"],
        Key={"customer_id": {"S": person["customer_id"]}, "item": {"S": "facts"}},
    )["Item"]
    return lender_record_of(item)


DEAD_LETTERS = ("RepliesDeadLetters", "DeliveryReceiptsDeadLetters", "LenderEventsDeadLetters")


def _give_up(world: World, texted: Texted) -> None:
    """Put among the dead letters what is of a customer, of another, and of both."""
    logs = [
        delivery_log(person, contact, contact.message_id, "Delivered", delivered=True)
        for person in (texted.chatter, texted.reached)
        for contact in _of(world, person)
    ]
    event = logs_subscription(logs, at=world.now(), region=REGION, account=ACCOUNT)
    failure = json.dumps({"requestPayload": event, "responsePayload": {"errorMessage": "of two people"}})
    sqs = world.as_engineer("sqs")
    for queue in DEAD_LETTERS:
        for body in (f"{phone_of(texted.chatter)} wrote of a parcel", f"{phone_of(texted.reached)} is of another"):
            sqs.send_message(QueueUrl=world.ids[queue], MessageBody=body)
    sqs.send_message(QueueUrl=world.ids["DeliveryReceiptsDeadLetters"], MessageBody=failure)


def test_an_erasure_leaves_a_tombstone_and_a_skeleton_of_the_contact(world: World, texted: Texted) -> None:
    erased = texted.chatter["customer_id"]
    listed = "complete/demo-cn/names_them.csv"
    world.upload("names_them.csv", [texted.chatter], folder="complete/demo-cn")
    world.until("the list is read", lambda: f"rejects/{listed}" in world.uploads())
    _give_up(world, texted)
    world.tell("CustomerErased", customer_id=erased)
    world.until("the standing is gone", lambda: erased not in world.standings())
    world.until(
        "the text is gone", lambda: not any(contact.text or contact.phone for contact in _of(world, texted.chatter))
    )
    # The next round comes 90 seconds later, the last one when nothing is under way any more. Here it comes at once, and
    # the delayed ones find nothing.
    world.advance(UNDER_WAY)
    world.as_engineer("sqs").send_message(QueueUrl=world.ids["LenderEvents"], MessageBody=erasure_round_body(erased))
    world.until("the number is gone", lambda: not _lender_record(world, texted.chatter).phones)
    world.until("the files are gone", lambda: not {"accounts/americans.csv", listed} & set(world.uploads()))
    lender_record = _lender_record(world, texted.chatter)
    assert (lender_record.snapshot, lender_record.events) == (None, {})
    assert lender_record.erased_at
    (skeleton,) = _of(world, texted.chatter)
    assert (skeleton.state, skeleton.stage) == (ContactState.SENT, 0)
    everything = world.everything()
    dead = [message["Body"] for queue in DEAD_LETTERS for message in world.messages(queue)]
    assert sum("is of another" in body for body in dead) == len(DEAD_LETTERS)
    (packed,) = [json.loads(body)["requestPayload"] for body in dead if "of two people" in body]
    (log,) = parse_reported(packed, datetime.now(UTC)).receipts
    assert log.phone == phone_of(texted.reached)
    left = json.dumps([everything["customers"], everything["contacts"], dead])
    assert phone_of(texted.chatter) not in left
    assert "parcel" not in left


def test_replanning_puts_every_wake_where_the_policy_has_it(world: World, texted: Texted) -> None:
    reached, stopper = texted.reached["customer_id"], texted.stopper["customer_id"]
    wake = world.standings()[reached].wake
    # As if it had been planned by a policy of before.
    world.set_in_standing(reached, "wake_key", "2027-06-01T02:00:00.000000Z#1")
    world.set_in_standing(stopper, "reason", Reason.NEXT_STAGE.value)
    assert world.standings()[reached].wake != wake
    assert world.invoke("ReplanFunction", {"parts": 2}) == {"parts": 2}
    world.until(
        "all is planned anew",
        lambda: (world.standings()[reached].wake, world.standings()[stopper].reason) == (wake, Reason.OPTED_OUT.value),
    )
    world.until("both parts are done", lambda: not world.messages("Replan"))


def test_the_nightly_look_at_the_carriers_list_opts_out_who_is_on_it_and_lets_in_who_has_just_come_back(
    world: World, texted: Texted
) -> None:
    listed, returner = texted.listed["customer_id"], texted.returner["customer_id"]
    world.folders.opted_out.write_text(json.dumps([phone_of(texted.listed), phone_of(texted.returner)]), "utf-8")
    world.invoke("HousekeepingFunction", {"task": "sync_opt_outs"})
    assert world.standings()[listed].is_opted_out
    assert not world.standings()[returner].is_opted_out
    done = {(line["message"], line["customer_id"]) for line in world.logged("housekeeping") if "customer_id" in line}
    assert {("carrier_opt_out", listed), ("carrier_opt_in", returner)} <= done
    # What the list says is put in by the harness; who may ask is judged by the stand-in.
    with pytest.raises(ClientError, match="not authorized"):
        world.as_manager("sns").list_phone_numbers_opted_out()


def test_who_is_missing_in_a_lenders_whole_list_is_silent(world: World, texted: Texted) -> None:
    del texted
    people = world.people(11, lender="demo-cn")
    world.load("mainland.csv", people)
    missing = people[0]["customer_id"]
    world.upload("list.csv", people[1:], folder="complete/demo-cn")
    world.until("the list is loaded", lambda: world.standings()[missing].reason == Reason.NOT_IN_LIST.value)


def test_a_large_file_is_loaded_in_parts_and_told_of_once_with_all_its_rejects(world: World, texted: Texted) -> None:
    due_on = (world.now() + timedelta(days=60)).date().isoformat()
    rows = [
        row(
            customer_id=f"L-{number:03d}",
            account_id=f"LA-{number:03d}",
            phone=f"09{32_000_000 + number}",
            due_on="soon" if number in REFUSED else due_on,
        )
        for number in range(LARGE)
    ]
    assert len(csv_of(rows).encode()) > int(world.parameters["SplitAbove"])
    world.upload("large.csv", rows)
    found: list[Any] = []

    def told_of() -> bool:
        found.extend(detail for detail in _published(world, texted, "FileLoaded") if detail["rows"] == LARGE)
        return bool(found)

    world.until("the large file is loaded", told_of, within=120)
    (detail,) = found
    assert detail["parts"] > 4
    assert (detail["customers_loaded"], detail["rows_refused"]) == (LARGE - len(REFUSED), len(REFUSED))
    lines = [int(line.partition(",")[0]) for line in world.rejects("large.csv").splitlines()[1:]]
    assert lines == [number + 2 for number in REFUSED]
    assert {f"L-{number:03d}" for number in range(LARGE) if number not in REFUSED} <= world.standings().keys()
    # The last part tells of the file first, and logs its line then.
    world.until(
        "each part has logged that it is loaded",
        lambda: (
            {line["part"] for line in world.logged("intake") if line.get("message") == "file_part_loaded"}
            == set(range(detail["parts"]))
        ),
        within=30,
    )
    world.until("the parts are put away", lambda: not [key for key in world.uploads() if key.startswith("parts/")])


@pytest.mark.usefixtures("texted")
def test_logs_about_incoming_messages_hold_no_personal_data(world: World) -> None:
    private = re.compile(r"王|小明|示範|Ann Example|9001-0000|(0|886)910000\d{4}|214555|parcel|all of it")
    for function in ("lender_events", "delivery_receipts", "replies", "housekeeping", "replan"):
        lines = world.logged(function)
        assert lines
        assert not [line for line in lines if private.search(str(line))]
