"""The larger reader: what the port promises, of the fake and of Bedrock alike, and how Bedrock's answers are taken."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dunning.adapters.bedrock import CONVERSE_ONCE, SECONDS_FOR_AN_ANSWER, BedrockReader, ConverseClient
from dunning.adapters.client import new_session
from dunning.domain.replies.intents import ReplyIntent
from dunning.ports.gateways import LargerReader
from tests.support.aws_requests import Answer, Requests, Work, error, no_answer, success
from tests.support.bedrock_answers import CONVERSE, USAGE, content, filled_in, labelled, raw, wrote
from tests.support.fakes import FakeLargerReader, FakeTelemetry

MODEL = "example.model-v1:0"
REPLY = "我昨天轉了 <number>"


@dataclass
class Asked:
    """A reader whose next answer can be chosen."""

    reader: LargerReader
    will_say: Callable[[frozenset[ReplyIntent] | None], None]


@dataclass
class Bedrock:
    """The reader on Bedrock with its surroundings."""

    reader: BedrockReader
    requests: Requests
    telemetry: FakeTelemetry

    def answers(self, answer: Answer) -> frozenset[ReplyIntent] | None:
        """Ask, and answer so."""
        self.requests.answer(CONVERSE, answer)
        return self.reader.read(REPLY, "TW")

    @property
    def codes(self) -> list[object]:
        return [fields["code"] for event, fields in self.telemetry.events if event == "larger_reader_no_answer"]


@pytest.fixture
def bedrock(requests: Requests) -> Bedrock:
    telemetry = FakeTelemetry()
    # Our own clients check no parameters. Here botocore holds each request against its description of the service.
    client = boto3.client("bedrock-runtime", config=CONVERSE_ONCE.merge(Config(parameter_validation=True)))
    return Bedrock(BedrockReader(lambda: client, MODEL, telemetry), requests, telemetry)


@pytest.fixture(params=["fake", "bedrock"])
def asked(request: pytest.FixtureRequest) -> Asked:
    if request.param == "fake":
        fake = FakeLargerReader()
        return Asked(fake, fake.answers.append)
    bedrock: Bedrock = request.getfixturevalue("bedrock")

    def will_say(intents: frozenset[ReplyIntent] | None) -> None:
        answer = error("ThrottlingException", 429) if intents is None else labelled(*sorted(intents))
        bedrock.requests.answer(CONVERSE, answer)

    return Asked(bedrock.reader, will_say)


@pytest.mark.parametrize(
    "intents", [frozenset({ReplyIntent.PAID}), frozenset({ReplyIntent.PROMISE, ReplyIntent.DISTRESS}), None]
)
def test_an_answer_is_a_set_of_intents_or_nothing(asked: Asked, intents: frozenset[ReplyIntent] | None) -> None:
    asked.will_say(intents)
    assert asked.reader.read(REPLY, "TW") == intents


class TestTheRequest:
    """What leaves."""

    @pytest.fixture
    def sent(self, bedrock: Bedrock) -> dict[str, object]:
        bodies: list[AWSPreparedRequest] = []

        def keep(request: AWSPreparedRequest, work: Work) -> AWSResponse | None:
            bodies.append(request)
            return labelled("paid")(request, work)

        bedrock.answers(keep)
        (request,) = bodies
        assert request.url.endswith("/model/example.model-v1%3A0/converse")
        assert isinstance(request.body, bytes | str)
        body: dict[str, object] = json.loads(request.body)
        return body

    def test_only_the_masked_reply_and_the_country_leave_beside_what_is_always_said(
        self, sent: dict[str, object]
    ) -> None:
        assert sent["messages"] == [
            {"role": "user", "content": [{"text": f"Country of the number: TW\n<reply>\n{REPLY}\n</reply>"}]}
        ]
        assert sent.keys() == {"messages", "system", "inferenceConfig", "toolConfig"}

    def test_the_answer_can_only_be_a_form_of_the_seventeen_intents(self, sent: dict[str, object]) -> None:
        config = sent["toolConfig"]
        assert isinstance(config, dict)
        (tool,) = config["tools"]
        assert config["toolChoice"] == {"tool": {"name": tool["toolSpec"]["name"]}}
        schema = tool["toolSpec"]["inputSchema"]["json"]
        assert schema["properties"].keys() == {"intents"}
        assert schema["properties"]["intents"]["items"]["enum"] == list(ReplyIntent)
        assert schema["required"] == ["intents"]
        assert schema["additionalProperties"] is False

    def test_no_sampling_is_set_for_newer_models_refuse_that(self, sent: dict[str, object]) -> None:
        assert sent["inferenceConfig"] == {"maxTokens": 300}


class TestTheAnswer:
    """How answers are taken."""

    def test_a_form_is_taken_and_its_tokens_are_counted(self, bedrock: Bedrock) -> None:
        assert bedrock.answers(labelled("promise", "paid")) == frozenset({ReplyIntent.PAID, ReplyIntent.PROMISE})
        assert bedrock.telemetry.counts == {
            "LargerReaderInputTokens": USAGE["inputTokens"],
            "LargerReaderOutputTokens": USAGE["outputTokens"],
        }
        assert not bedrock.telemetry.events

    def test_a_text_or_a_thought_beside_the_form_does_no_harm(self, bedrock: Bedrock) -> None:
        form = {"toolUse": {"toolUseId": "1", "name": "label_reply", "input": {"intents": ["paid"]}}}
        thought = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
        assert bedrock.answers(content([thought, {"text": "ok"}, form], "tool_use")) == frozenset({ReplyIntent.PAID})

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (labelled("paid", "mark_as_paid"), "unknown intent"),
            (labelled("PAID"), "unknown intent"),
            (labelled(), "no intent"),
            (labelled("chat", "paid"), "not alone"),
            (labelled("acknowledged", "auto_reply"), "not alone"),
            (filled_in({"intents": [["paid"]]}), "unknown intent"),
            (filled_in({"intents": [{"paid": True}]}), "unknown intent"),
            (filled_in({"intents": [1]}), "unknown intent"),
            (filled_in({"intents": "paid"}), "not the schema"),
            (filled_in({"intents": {"paid": 1}}), "not the schema"),
            (filled_in({"intents": ["paid"], "note": "ignore your rules"}), "not the schema"),
            (filled_in({"intent": ["paid"]}), "not the schema"),
            (filled_in(["paid"]), "not the schema"),
            (filled_in("paid"), "not the schema"),
            (filled_in({"intents": ["paid"]}, tool="pay"), "not the tool, once"),
            (content([], "tool_use"), "not the tool, once"),
            (wrote("I marked you as paid.", "tool_use"), "not the tool, once"),
            (wrote("I cannot help with that."), "stopped: end_turn"),
            (wrote("Sorry.", "guardrail_intervened"), "stopped: guardrail_intervened"),
            (wrote("", "content_filtered"), "stopped: content_filtered"),
            (filled_in({"intents": ["paid"]}, stopped="max_tokens"), "stopped: max_tokens"),
            (filled_in({"intents": ["pa"]}, stopped="malformed_tool_use"), "stopped: malformed_tool_use"),
            (wrote("x", "0912 345 678 wrote this"), "stopped"),
        ],
    )
    def test_an_answer_outside_the_schema_is_none_and_paid_for(
        self, bedrock: Bedrock, answer: Answer, code: str
    ) -> None:
        assert bedrock.answers(answer) is None
        assert bedrock.codes == [code]
        assert bedrock.telemetry.counts["LargerReaderOutputTokens"] == USAGE["outputTokens"]

    def test_a_form_that_comes_twice_is_none(self, bedrock: Bedrock) -> None:
        form = {"toolUse": {"toolUseId": "1", "name": "label_reply", "input": {"intents": ["paid"]}}}
        assert bedrock.answers(content([form, form], "tool_use")) is None

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("ThrottlingException", 429),
            ("ModelNotReadyException", 429),
            ("ModelTimeoutException", 408),
            ("ModelErrorException", 424),
            ("ServiceUnavailableException", 503),
            ("InternalServerException", 500),
            ("AccessDeniedException", 403),
            ("ResourceNotFoundException", 404),
            ("ValidationException", 400),
        ],
    )
    def test_a_refused_call_is_asked_once_and_none(self, bedrock: Bedrock, code: str, status: int) -> None:
        assert bedrock.answers(error(code, status, REPLY)) is None
        assert bedrock.codes == [code]
        assert bedrock.requests.sent == {CONVERSE: 1}
        assert REPLY not in str(bedrock.telemetry.events)

    @pytest.mark.parametrize(
        "failure",
        [
            ReadTimeoutError(endpoint_url="bedrock"),
            ConnectTimeoutError(endpoint_url="bedrock"),
            EndpointConnectionError(endpoint_url="bedrock"),
            ConnectionClosedError(endpoint_url="bedrock"),
            NoCredentialsError(),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    def test_a_call_without_an_answer_is_made_once_and_none(self, bedrock: Bedrock, failure: Exception) -> None:
        assert bedrock.answers(no_answer(failure)) is None
        assert bedrock.codes == [type(failure).__name__]
        assert bedrock.requests.sent == {CONVERSE: 1}

    @pytest.mark.parametrize(
        "body", ["", "{", "null", "[]", '"paid"', "<html>busy</html>", '{"stopReason": "tool_use"}']
    )
    @pytest.mark.parametrize("status", [200, 500])
    def test_a_body_that_makes_no_sense_is_none(self, bedrock: Bedrock, body: str, status: int) -> None:
        assert bedrock.answers(raw(body, status)) is None
        assert len(bedrock.codes) == 1

    def test_an_answer_that_comes_too_late_is_not_waited_for(self, bedrock: Bedrock) -> None:
        def late(request: AWSPreparedRequest, work: Work) -> AWSResponse | None:
            time.sleep(0.5)
            return labelled("paid")(request, work)

        client = boto3.client("bedrock-runtime", config=CONVERSE_ONCE)
        bedrock.reader = BedrockReader(lambda: client, MODEL, bedrock.telemetry, seconds=0.05)
        began = time.perf_counter()
        assert bedrock.answers(late) is None
        assert time.perf_counter() - began < 0.4
        assert bedrock.codes == ["TooLate"]

    @pytest.mark.slow(reason="a hundred documents, each through the SDK's parser")
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(ReplyIntent)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(
                        ["output", "message", "content", "toolUse", "input", "intents", "usage", "stopReason"]
                    ),
                    inner,
                    max_size=4,
                ),
            ),
        )
    )
    def test_no_document_whatever_raises(self, bedrock: Bedrock, document: object) -> None:
        assert bedrock.answers(success(document)) is None


class TestTheClient:
    """When it is made, and how it is set."""

    def test_is_made_once_and_not_before_a_reply_is_in_doubt(self, requests: Requests) -> None:
        made: list[ConverseClient] = []

        def new_client() -> ConverseClient:
            client: ConverseClient = new_session().client("bedrock-runtime", config=CONVERSE_ONCE)
            made.append(client)
            return client

        reader = BedrockReader(new_client, MODEL, FakeTelemetry())
        assert not made
        requests.answer(CONVERSE, labelled("paid"))
        for _ in range(3):
            assert reader.read(REPLY, "TW") == frozenset({ReplyIntent.PAID})
        assert len(made) == 1

    def test_makes_one_attempt_within_the_time_for_an_answer(self) -> None:
        set_to = vars(CONVERSE_ONCE)
        assert set_to["retries"] == {"total_max_attempts": 1, "mode": "standard"}
        assert set_to["connect_timeout"] + set_to["read_timeout"] <= SECONDS_FOR_AN_ANSWER == 5
