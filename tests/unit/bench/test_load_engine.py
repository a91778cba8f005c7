"""The engine of the load answers as AWS does: the same requests, to it and to the embedded AWS."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from ctypes import c_double
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from dunning.adapters.client import LEAN
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.sns import SnsGateway
from dunning.ports.gateways import Published, PublishOutcome
from tests.bench.load.engine import _MOST_RECEIVES, _VISIBILITY_SECONDS, CarrierHabits, Engine
from tests.bench.load.functions import BATCH_SIZE, BATCHING_WINDOW_SECONDS, SENDER_TIMEOUT_SECONDS
from tests.bench.load.queues import Queue, QueueDepth
from tests.bench.load.tables import RequestRefusedError, Table, holds, updated
from tests.local import ROOT
from tests.local.cloud import LocalCloud
from tests.local.template import translate
from tests.support.outgoing import outgoing_sms
from tests.support.people import NOW

QUIET = CarrierHabits(latency_seconds=0, throttled=0, duplicated=0, seed=1)


def plugged(engine: Engine, service: Any, config: Any = LEAN) -> Any:  # noqa: ANN401 - a client of any service
    """Make a client whose requests an engine of this process answers."""
    client: Any = boto3.Session().client(service, config=config)

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        answers: list[tuple[int, str]] = []
        target = request.headers.get("X-Amz-Target", b"")
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()

        async def answered() -> None:
            arrived = asyncio.Event()

            def respond(status: int, written: str) -> None:
                answers.append((status, written))
                arrived.set()

            engine.answer(target.decode() if isinstance(target, bytes) else target, body, respond)
            await arrived.wait()

        asyncio.run(answered())
        ((status, written),) = answers
        raw: Any = BytesIO(written.encode())
        raw.stream = lambda *_, **__: iter([written.encode()])
        return AWSResponse(request.url, status, {"x-amzn-requestid": "r"}, raw)  # type: ignore[arg-type]

    client.meta.events.register_first("before-send", send)
    return client


@pytest.fixture
def engine() -> Engine:
    return Engine(QUIET, c_double(0.0))


# ------------------------------------------------------------------ DynamoDB

IDS = ("C1", "C2", "C3")
WAKES = [f"2026-12-01T02:00:0{second}.000000Z#0" for second in range(3)]
CONDITIONS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("", {}),
    ("attribute_not_exists(customer_id)", {}),
    ("version = :read", {":read": {"N": "1"}}),
    ("version = :read", {":read": {"N": "2"}}),
    ("version = :read", {":read": {"S": "1"}}),
)
QUARANTINE = "SET wake_key = :wake, #shard = :shard, reason = :reason, version = if_not_exists(version, :one)"

puts = st.builds(
    lambda customer, version, place, condition, all_old: (
        "put_item",
        {
            "Item": {
                "customer_id": {"S": customer},
                "item": {"S": "standing"},
                **({"version": {"N": str(version)}} if version else {}),
                **({"shard": {"S": place[0]}, "wake_key": {"S": place[1]}} if place else {}),
            },
            **({"ConditionExpression": condition[0]} if condition[0] else {}),
            **({"ExpressionAttributeValues": condition[1]} if condition[1] else {}),
            **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if all_old and condition[0] else {}),
        },
    ),
    st.sampled_from(IDS),
    st.integers(0, 3),
    st.none() | st.tuples(st.sampled_from(("00", "01")), st.sampled_from(WAKES)),
    st.sampled_from(CONDITIONS),
    st.booleans(),
)
updates = st.builds(
    lambda customer, wake: (
        "update_item",
        {
            "Key": {"customer_id": {"S": customer}, "item": {"S": "standing"}},
            "UpdateExpression": QUARANTINE,
            "ExpressionAttributeNames": {"#shard": "shard"},
            "ExpressionAttributeValues": {
                ":wake": {"S": wake},
                ":shard": {"S": "00"},
                ":reason": {"S": "unreadable_record"},
                ":one": {"N": "1"},
            },
        },
    ),
    st.sampled_from(IDS),
    st.sampled_from(WAKES),
)
queries = st.builds(
    lambda shard, wake, limit: ("query", {"shard": shard, "until": f"{wake[:-1]}9", "limit": limit}),
    st.sampled_from(("00", "01", "02")),
    st.sampled_from(WAKES),
    st.integers(1, 3),
)
reads: st.SearchStrategy[tuple[str, Any]] = st.just(("batch_get_item", {}))


def asked(client: Any, table: str, kind: str, request: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any answer
    """Make a request, and return what can be compared of its answer."""
    if kind == "batch_get_item":
        keys = [{"customer_id": {"S": customer}, "item": {"S": "standing"}} for customer in IDS]
        answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        return sorted(answer["Responses"][table], key=lambda item: item["customer_id"]["S"]), answer["UnprocessedKeys"]
    if kind == "query":
        return every_page(client, table, **request)
    try:
        getattr(client, kind)(TableName=table, **request)
    except ClientError as error:
        response: Mapping[str, Any] = error.response
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response.get("Item")
    return None


def every_page(client: Any, table: str, *, shard: str, until: str, limit: int) -> list[Any]:  # noqa: ANN401
    """Return the keys that the due index has, as the scanner asks for them."""
    start: dict[str, Any] = {}
    found: list[Any] = []
    while True:
        answer = client.query(
            TableName=table,
            IndexName="due",
            KeyConditionExpression="#shard = :shard AND wake_key <= :until",
            ExpressionAttributeNames={"#shard": "shard"},
            ExpressionAttributeValues={":shard": {"S": shard}, ":until": {"S": until}},
            Limit=limit,
            **start,
        )
        assert len(answer["Items"]) <= limit
        found += [(item["wake_key"]["S"], item["customer_id"]["S"]) for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            return sorted(found)
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(NOW) as cloud:
        yield cloud


@pytest.mark.slow(reason="hundreds of requests to two simulators of DynamoDB: a condition misread hides a text twice")
@settings(max_examples=25)
@given(requests=st.lists(puts | puts | updates | queries | reads, min_size=2, max_size=14))
def test_tables_answer_as_the_embedded_aws_does(cloud: LocalCloud, requests: list[tuple[str, Any]]) -> None:
    engine = Engine(QUIET, c_double(0.0))
    table = cloud.stack.customers_table
    theirs, ours = boto3.client("dynamodb", config=LEAN), plugged(engine, "dynamodb")
    for customer in IDS:
        theirs.delete_item(TableName=table, Key={"customer_id": {"S": customer}, "item": {"S": "standing"}})
    for kind, request in [*requests, ("batch_get_item", {})]:
        assert asked(ours, "customers", kind, request) == asked(theirs, table, kind, request), (kind, request)


def test_a_write_whose_condition_fails_changes_nothing_and_shows_what_is_stored(engine: Engine) -> None:
    client = plugged(engine, "dynamodb")
    item = {"customer_id": {"S": "C1"}, "item": {"S": "standing"}, "version": {"N": "2"}}
    client.put_item(TableName="customers", Item=item)
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        client.put_item(
            TableName="customers",
            Item={**item, "version": {"N": "9"}},
            ConditionExpression="version = :read",
            ExpressionAttributeValues={":read": {"N": "1"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Item"] == item
    assert engine.tables["customers"].items[("C1", "standing")] == item


def test_what_scanner_and_sender_do_not_ask_for_is_refused(engine: Engine) -> None:
    dynamodb, sqs = plugged(engine, "dynamodb"), plugged(engine, "sqs")
    with pytest.raises(ClientError, match="do not ask"):
        dynamodb.scan(TableName="customers")
    with pytest.raises(ClientError, match="do not ask"):
        sqs.purge_queue(QueueUrl="http://sqs/1/reminders")
    values: Any = {":b": {"N": "1"}}
    with pytest.raises(ClientError, match="no condition"):
        dynamodb.update_item(
            TableName="customers",
            Key={},
            UpdateExpression="",
            ConditionExpression="a = :b",
            ExpressionAttributeValues=values,
        )
    with pytest.raises(ClientError, match="no index"):
        dynamodb.query(
            TableName="customers",
            IndexName="unknown",
            KeyConditionExpression="a = :b",
            ExpressionAttributeValues=values,
        )


@pytest.mark.parametrize(
    "expression",
    ["version = ", "version <> :read", "NOT version = :read", "version = :read OR version = :read", "#v = :read"],
)
def test_a_condition_that_is_not_understood_is_refused_and_not_guessed_at(expression: str) -> None:
    with pytest.raises(RequestRefusedError):
        holds({}, expression, {":read": {"N": "1"}})


@pytest.mark.parametrize("expression", ["ADD customers :c", "SET a = b + :c", "SET a = :b REMOVE c", "REMOVE a"])
def test_an_update_that_is_not_understood_is_refused_and_not_guessed_at(expression: str) -> None:
    with pytest.raises(RequestRefusedError):
        updated({}, expression, {}, {":b": {"S": "b"}, ":c": {"S": "c"}})


def test_a_batch_has_at_most_as_many_keys_and_writes_as_dynamodb_allows() -> None:
    table = Table(("customer_id", "item"))
    item = {"customer_id": {"S": "C1"}, "item": {"S": "facts"}}
    with pytest.raises(RequestRefusedError):
        list(table.read([item] * 101))
    with pytest.raises(RequestRefusedError):
        table.put_all([item] * 26)
    table.put_all([item] * 25)
    assert [json.loads(written) for written in table.read([item] * 100)] == [item] * 100


def test_an_item_leaves_the_index_with_its_wake(engine: Engine) -> None:
    table = engine.tables["customers"]
    key = {"customer_id": {"S": "C1"}, "item": {"S": "standing"}}
    table.put({**key, "shard": {"S": "00"}, "wake_key": {"S": WAKES[0]}})
    assert (table.due(WAKES[0]), table.earliest()) == (1, WAKES[0])
    table.put({**key, "shard": {"S": "00"}, "wake_key": {"S": WAKES[2]}})
    assert (table.due(WAKES[1]), table.earliest()) == (0, WAKES[2])
    table.put(key)
    assert (table.due("~"), table.earliest()) == (0, "")


# ------------------------------------------------------------------ SQS


def test_a_message_that_is_not_deleted_comes_again_when_its_time_is_up() -> None:
    queue = Queue(visibility_seconds=361)
    queue.send("job", 0)
    ((message, handle),) = queue.receive(10, 1)
    assert (message.body, message.receives) == ("job", 1)
    assert queue.receive(10, 361) == []
    assert queue.depth(361) == QueueDepth(0, 1)
    ((message, second),) = queue.receive(10, 362)
    assert message.receives == 2
    queue.delete(handle)
    assert queue.depth(363) == QueueDepth(0, 1), "an old handle deletes nothing"
    queue.delete(second)
    assert queue.depth(9999) == QueueDepth(0, 0)


def test_a_message_received_too_often_is_a_dead_letter() -> None:
    dead = Queue()
    queue = Queue(visibility_seconds=10, dead_letters=dead, most_receives=5)
    queue.send("job", 0)
    receives = [len(queue.receive(10, 10 * turn)) for turn in range(7)]
    assert receives == [1, 1, 1, 1, 1, 0, 0]
    assert (queue.depth(100), dead.depth(100)) == (QueueDepth(0, 0), QueueDepth(1, 0))


def test_a_message_may_come_twice_and_each_delivery_is_deleted_for_itself() -> None:
    queue = Queue(comes_twice=iter([True, False]).__next__)
    queue.send("job", 0)
    first, second = queue.receive(1, 0) + queue.receive(1, 0)
    assert first.message.message_id == second.message.message_id
    assert [first.message.receives, second.message.receives] == [1, 2]
    queue.delete(first.handle)
    assert queue.depth(1) == QueueDepth(0, 1)


def test_no_receive_hands_out_more_than_asked_for() -> None:
    queue = Queue()
    for number in range(25):
        queue.send(str(number), 0)
    assert [len(queue.receive(10, 0)) for _ in range(4)] == [10, 10, 5, 0]


def test_an_empty_queue_answers_a_long_poll_as_soon_as_there_is_a_message(engine: Engine) -> None:
    answers: list[tuple[int, str]] = []
    url = "http://sqs/1/reminders"

    def ask(operation: str, **body: object) -> None:
        written = json.dumps({"QueueUrl": url, **body}).encode()
        engine.answer(f"AmazonSQS.{operation}", written, lambda *answer: answers.append(answer))

    async def polled() -> None:
        ask("ReceiveMessage", MaxNumberOfMessages=10, WaitTimeSeconds=20)
        assert answers == []
        ask("SendMessageBatch", Entries=[{"Id": "0", "MessageBody": '{"customer_id":"C1"}'}])
        assert [status for status, _ in answers] == [200, 200]
        ask("ReceiveMessage", MaxNumberOfMessages=10, WaitTimeSeconds=0.01)
        await asyncio.sleep(0.05)

    asyncio.run(polled())
    received, sent, nothing = (json.loads(body) for _, body in answers)
    assert [entry["Id"] for entry in sent["Successful"]] == ["0"]
    assert [message["Body"] for message in received["Messages"]] == ['{"customer_id":"C1"}']
    assert nothing == {}, "the second waits in vain until its time is up"


# ------------------------------------------------------------------ SNS, and the template


def published(engine: Engine, times: int) -> list[Published]:
    gateway = SnsGateway(plugged(engine, "sns", PUBLISH_ONCE))
    return [gateway.publish(outgoing_sms("+886900000007", "您好", max_price="0.20")) for _ in range(times)]


def test_a_busy_carrier_refuses_its_share_of_requests_as_sns_words_it() -> None:
    busy = Engine(CarrierHabits(latency_seconds=0, throttled=0.2, duplicated=0, seed=7), c_double(0.0))
    answers = published(busy, 200)
    refused = [answer for answer in answers if answer.outcome is not PublishOutcome.ACCEPTED]
    assert {(answer.outcome, answer.code) for answer in refused} == {(PublishOutcome.REFUSED_FOR_NOW, "Throttling")}
    assert 20 <= len(refused) <= 60
    assert len({answer.message_id for answer in answers if answer.message_id}) == 200 - len(refused)
    assert [attempt.accepted for attempt in busy.journal.attempts] == [bool(answer.message_id) for answer in answers]


def test_the_same_seed_refuses_the_same_requests() -> None:
    habits = CarrierHabits(latency_seconds=0, throttled=0.5, duplicated=0, seed=3)
    first, second = (published(Engine(habits, c_double(0.0)), 20) for _ in range(2))
    assert [answer.outcome for answer in first] == [answer.outcome for answer in second]


def test_batches_windows_and_timeouts_are_those_of_the_template() -> None:
    resources = translate(ROOT / "template.yaml")["Resources"]
    queue = resources["Reminders"]["Properties"]
    (source,) = (
        resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
        and resource["Properties"]["FunctionName"] == {"Ref": "SenderFunction"}
    )
    assert (source["BatchSize"], source["MaximumBatchingWindowInSeconds"]) == (BATCH_SIZE, BATCHING_WINDOW_SECONDS)
    assert resources["SenderFunction"]["Properties"]["Timeout"] == SENDER_TIMEOUT_SECONDS
    assert queue["VisibilityTimeout"] == _VISIBILITY_SECONDS
    assert queue["RedrivePolicy"]["maxReceiveCount"] == _MOST_RECEIVES
