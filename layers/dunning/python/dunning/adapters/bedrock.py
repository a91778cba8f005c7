"""The larger reader: a model on Amazon Bedrock, asked with one request of the Converse API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

from botocore.config import Config

from dunning.adapters.aws_call import aws_call
from dunning.adapters.client import LEAN
from dunning.domain.errors import ServiceCallError
from dunning.domain.replies.intents import STANDING_ALONE, ReplyIntent
from dunning.domain.replies.larger_prompt import larger_reader_instructions, larger_reader_message
from dunning.ports.telemetry import LogEvent, Metric, Telemetry

CONVERSE_ONCE = LEAN.merge(
    Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=1, read_timeout=4)
)
"""One attempt: whoever has waited for an answer once does not wait again, and a repeat is paid again."""

SECONDS_FOR_AN_ANSWER = 5.0
"""
The whole call, with the first client. The timeouts of a socket bound no call: the SDK tries each address of a name, and
waits anew for each piece of an answer.
"""

TOOL = "label_reply"
_CALLS_AT_A_TIME = 4
"""As many as replies are handled at the same time."""
_LONGEST_ANSWER = 300
"""In tokens: all seventeen intents take fewer."""

_STOP_REASONS = frozenset(
    {
        "end_turn", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered", "malformed_model_output",
        "malformed_tool_use", "model_context_window_exceeded",
    }
)  # fmt: skip
"""Those that are known, and so may be logged."""

_SCHEMA = {
    "type": "object",
    "properties": {
        "intents": {
            "type": "array",
            "items": {"type": "string", "enum": [intent.value for intent in ReplyIntent]},
            "minItems": 1,
        }
    },
    "required": ["intents"],
    "additionalProperties": False,
}


class ConverseClient(Protocol):
    """The part of the SDK's client for Bedrock that is called."""

    def converse(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the SDK declares it
        """Ask a model."""
        ...


class _NoLabelsError(Exception):
    """An answer that is no set of labels. Its message says why, in words of ours."""


class BedrockReader:
    """
    Implements `LargerReader`. The client is made when the first reply is in doubt, with `CONVERSE_ONCE`.

    The model can only fill in a form with intents, and only a form that is filled in right is taken. Neither a reply
    nor an answer is ever logged.
    """

    def __init__(
        self,
        new_client: Callable[[], ConverseClient],
        model: str,
        telemetry: Telemetry,
        seconds: float = SECONDS_FOR_AN_ANSWER,
    ) -> None:
        self._new_client = new_client
        self._model = model
        self._telemetry = telemetry
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(_CALLS_AT_A_TIME, thread_name_prefix="larger-reader")
        self._lock = Lock()

    def read(self, masked_text: str, country: str) -> frozenset[ReplyIntent] | None:
        """Ask once, and take an answer that is valid and in time."""
        asked = self._pool.submit(self._ask, masked_text, country)
        try:
            answer = asked.result(self._seconds)
            self._count_tokens(answer)
            return _labels(answer)
        except TimeoutError:
            asked.cancel()
            code = "TooLate"
        except ServiceCallError as error:
            code = error.code
        except _NoLabelsError as error:
            code = str(error)
        except Exception as error:  # noqa: BLE001 - the SDK's parser raises anything where an answer makes no sense
            code = type(error).__name__
        self._telemetry.log_event(LogEvent.LARGER_READER_NO_ANSWER, code=code)
        return None

    def _ask(self, masked_text: str, country: str) -> Mapping[str, Any]:
        with aws_call("Converse"):
            return self._client().converse(**converse_request(self._model, masked_text, country))

    def _client(self) -> ConverseClient:
        with self._lock:
            return self._made_client

    @cached_property
    def _made_client(self) -> ConverseClient:
        return self._new_client()

    def _count_tokens(self, answer: Mapping[str, Any]) -> None:
        """Count what is paid for, also if the answer is then refused."""
        usage = answer.get("usage") or {}
        for key, metric in (
            ("inputTokens", Metric.LARGER_READER_INPUT_TOKENS),
            ("outputTokens", Metric.LARGER_READER_OUTPUT_TOKENS),
        ):
            tokens = usage.get(key)
            if isinstance(tokens, int) and tokens > 0:
                self._telemetry.count(metric, tokens)


def converse_request(model: str, masked_text: str, country: str) -> dict[str, Any]:
    """
    Return the request that asks a model for the intents of a masked reply.

    It sets no temperature: newer models refuse a request that does.
    """
    return {
        "modelId": model,
        "system": [{"text": larger_reader_instructions()}],
        "messages": [{"role": "user", "content": [{"text": larger_reader_message(masked_text, country)}]}],
        "inferenceConfig": {"maxTokens": _LONGEST_ANSWER},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": TOOL,
                        "description": "Takes the intents of the customer's message.",
                        "inputSchema": {"json": _SCHEMA},
                    }
                }
            ],
            "toolChoice": {"tool": {"name": TOOL}},
        },
    }


def _labels(answer: Mapping[str, Any]) -> frozenset[ReplyIntent]:
    """
    Return the intents of an answer.

    Raises:
        _NoLabelsError: the model stopped for another reason, or its form is not filled in as the schema wants.
    """
    stopped = answer.get("stopReason")
    if stopped != "tool_use":
        raise _NoLabelsError(f"stopped: {stopped}" if stopped in _STOP_REASONS else "stopped")
    content = ((answer.get("output") or {}).get("message") or {}).get("content") or []
    forms = [block["toolUse"] for block in content if "toolUse" in block]
    if len(forms) != 1 or forms[0].get("name") != TOOL:
        raise _NoLabelsError("not the tool, once")
    form = forms[0].get("input")
    if not isinstance(form, dict) or form.keys() != {"intents"} or not isinstance(form["intents"], list):
        raise _NoLabelsError("not the schema")
    try:
        intents = frozenset(map(ReplyIntent, form["intents"]))
    except (TypeError, ValueError):
        raise _NoLabelsError("unknown intent") from None
    if not intents:
        raise _NoLabelsError("no intent")
    if len(intents) > 1 and intents & STANDING_ALONE:
        raise _NoLabelsError("not alone")
    return intents
