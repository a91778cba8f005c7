"""A larger reader behind the real handler of replies: off it costs nothing, on it gets masked texts only."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.integration.conftest import House, batch
from tests.local import ROOT
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Work, error, watched
from tests.support.bedrock_answers import CONVERSE, USAGE, labelled
from tests.support.fakes import FakeTelemetry
from tests.support.people import NOW, someone

pytestmark = pytest.mark.slow(reason="drives the real handler on moto, with a stack made for each test")

PHONE = someone(1).phone
IN_DOUBT = "嗯 那個 就那樣 0955123987"


def reply(text: str) -> str:
    return json.dumps({"originationNumber": PHONE, "messageBody": text, "inboundMessageId": "in-1"})


def stack(**parameters: str) -> Iterator[House]:
    telemetry, log = FakeTelemetry(), io.StringIO()
    with LocalCloud(NOW, listener=telemetry, log=log, parameters=parameters) as cloud, watched() as requests:
        house = House(cloud, requests, telemetry, log)
        house.add(someone(1))
        house.store.add_address(PHONE, someone(1).customer_id)
        yield house


@pytest.fixture
def off() -> Iterator[House]:
    yield from stack()


@pytest.fixture
def on() -> Iterator[House]:
    yield from stack(LargerReaderModel="amazon.nova-lite-v1:0", LargerReaderRegion="us-west-2")


def answers(house: House, text: str) -> None:
    answer = house.cloud.invoke(house.cloud.stack.functions["replies"], batch(reply(text)))
    assert answer == {"batchItemFailures": []}


def test_without_a_model_nothing_leaves(off: House) -> None:
    answers(off, IN_DOUBT)
    assert off.requests.sent[CONVERSE] == 0
    assert off.metric("Replies") == 1


def test_with_a_model_a_reply_in_doubt_is_asked_about_in_the_region_that_was_set(on: House) -> None:
    urls: list[str] = []

    def keep(request: AWSPreparedRequest, work: Work) -> AWSResponse | None:
        urls.append(request.url)
        return labelled("paid")(request, work)

    on.requests.answer(CONVERSE, keep)
    answers(on, IN_DOUBT)
    assert urls == ["https://bedrock-runtime.us-west-2.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse"]
    (asked,) = on.requests.of(CONVERSE)
    (message,) = asked["messages"]
    assert message["content"] == [{"text": "Country of the number: TW\n<reply>\n嗯 那個 就那樣 <number>\n</reply>"}]
    assert on.metric("LargerReaderAsked") == 1
    assert on.metric("LargerReaderInputTokens") == USAGE["inputTokens"]
    assert on.metric("LargerReaderOutputTokens") == USAGE["outputTokens"]
    assert "就那樣" not in on.log.getvalue()


def test_with_a_model_a_stop_stays_here(on: House) -> None:
    answers(on, "STOP")
    assert on.requests.sent[CONVERSE] == 0
    assert on.standing(someone(1)).is_opted_out


def test_a_busy_model_fails_no_reply(on: House) -> None:
    on.requests.answer(CONVERSE, error("ThrottlingException", 429))
    answers(on, IN_DOUBT)
    assert on.metric("LargerReaderNoAnswer") == on.metric("Replies") == 1
    assert [line["code"] for line in on.lines() if line.get("message") == "larger_reader_no_answer"] == [
        "ThrottlingException"
    ]


BUILDS_THE_SERVICE = """
import sys
from dunning import wiring
wiring.reply_service()
print(*(name for name in sys.modules if name in {"dunning.adapters.bedrock", "dunning.domain.replies.masked_reply"}))
"""


@pytest.mark.parametrize(("model", "imported"), [("", 0), ("amazon.nova-lite-v1:0", 2)])
def test_a_cold_start_without_a_model_imports_nothing_of_a_larger_reader(model: str, imported: int) -> None:
    environment = dict.fromkeys(("CUSTOMERS_TABLE", "CONTACTS_TABLE", "BUS_NAME", "QUEUE_URL"), "some-name")
    environment |= {"DEAD_LETTER_URL": "some-name", "SENDING_PARAMETER": "some-name", "LARGER_READER_MODEL": model}
    environment |= {"NEWS_FAILURES_QUEUE_URL": "some-name"}
    environment |= {"AWS_DEFAULT_REGION": "ap-northeast-1", "PATH": os.environ["PATH"]}
    environment |= {"POWERTOOLS_SERVICE_NAME": "x", "POWERTOOLS_METRICS_NAMESPACE": "Dunning"}
    environment |= {"PYTHONPATH": str(ROOT / "layers" / "dunning" / "python")}
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", BUILDS_THE_SERVICE], env=environment, capture_output=True, text=True, check=True
    )
    assert len(ran.stdout.split()) == imported
