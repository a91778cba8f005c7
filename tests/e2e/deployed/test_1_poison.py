"""What cannot be worked on is put where a person finds it, and blocks nobody."""

import json

import pytest

from dunning.contracts.job import job_body
from dunning.domain.decision.decisions import Reason
from dunning.ports.queues import Job
from tests.e2e.deployed.world import World, phone_of

pytestmark = pytest.mark.deployed

POISON = '{"schema_version":1,"customer":"nobody"}'


def test_a_message_that_is_no_job_is_parked_with_the_reason_and_the_others_go_on(world: World) -> None:
    people = world.people(3)
    world.load("beside_poison.csv", people)
    now = world.now()
    bodies = [*(job_body(Job(person["customer_id"], now)) for person in people), POISON]
    world.as_engineer("sqs").send_message_batch(
        QueueUrl=world.ids["Reminders"],
        Entries=[{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)],
    )
    world.until("the poison is parked", lambda: bool(world.messages("RemindersDeadLetters")))
    world.settle()
    (parked,) = world.messages("RemindersDeadLetters")
    assert parked["Body"] == POISON
    assert "not a job" in json.dumps(parked["MessageAttributes"])
    assert [len(world.sms_to(phone_of(person))) for person in people] == [1, 1, 1]


def test_a_customer_whose_record_cannot_be_read_is_quarantined_for_a_day_and_logged(world: World) -> None:
    (broken,) = world.people(1)
    world.load("broken.csv", [broken])
    world.as_engineer("dynamodb").update_item(
        TableName=world.ids["CustomersTable"],
        Key={"customer_id": {"S": broken["customer_id"]}, "item": {"S": "standing"}},
        UpdateExpression="SET holds = :broken",
        ExpressionAttributeValues={":broken": {"S": "not what is written there"}},
    )
    try:
        before = world.now()
        world.tick()
        world.settle()
        item = world.as_engineer("dynamodb").get_item(
            TableName=world.ids["CustomersTable"],
            Key={"customer_id": {"S": broken["customer_id"]}, "item": {"S": "standing"}},
        )["Item"]
        assert item["reason"]["S"] == Reason.UNREADABLE_RECORD.value
        assert item["wake_key"]["S"][:10] > before.isoformat()[:10]
        assert not world.sms_to(phone_of(broken))
        lines = [line for line in world.logged("sender") if line.get("customer_id") == broken["customer_id"]]
        assert {"job_failed", "decision"} <= {line["message"] for line in lines}
    finally:
        world.as_engineer("dynamodb").delete_item(
            TableName=world.ids["CustomersTable"],
            Key={"customer_id": {"S": broken["customer_id"]}, "item": {"S": "standing"}},
        )


def test_an_upload_that_cannot_be_worked_on_is_kept_for_a_person(world: World) -> None:
    event = {
        "Records": [
            {
                "eventTime": "2026-01-01T03:00:00.000Z",
                "s3": {"bucket": {"name": world.ids["UploadsBucket"]}, "object": {"key": "accounts/vanished.csv"}},
            }
        ]
    }
    world.as_engineer("lambda").invoke(
        FunctionName=world.ids["IntakeFunction"], InvocationType="Event", Payload=json.dumps(event).encode()
    )
    world.until("the upload is a dead letter", lambda: bool(world.messages("IntakeDeadLetters")))
    (kept,) = world.messages("IntakeDeadLetters")
    assert "vanished.csv" in kept["Body"]
