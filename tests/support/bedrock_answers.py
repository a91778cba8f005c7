"""
Answers of Amazon Bedrock to a Converse request, as they come over the wire.

moto knows no Converse. The shapes are those of botocore's own description of the service; how a model fills them in is
from AWS's documentation.
"""

from collections.abc import Sequence

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse

from tests.support.aws_requests import Answer, Work, success

CONVERSE = "bedrock-runtime.Converse"
USAGE = {"inputTokens": 1100, "outputTokens": 25, "totalTokens": 1125}


def labelled(*intents: str) -> Answer:
    """Answer with the tool's form, filled in with intents."""
    return filled_in({"intents": list(intents)})


def filled_in(form: object, *, tool: str = "label_reply", stopped: str = "tool_use") -> Answer:
    """Answer with a form of a tool, whatever it holds."""
    return content([{"toolUse": {"toolUseId": "tooluse_1", "name": tool, "input": form}}], stopped)


def wrote(text: str, stopped: str = "end_turn") -> Answer:
    """Answer with a text instead of the form, as a model that refuses, a guardrail or a filter does."""
    return content([{"text": text}], stopped)


def content(blocks: Sequence[object], stopped: str) -> Answer:
    """Answer with such blocks."""
    return success(
        {
            "output": {"message": {"role": "assistant", "content": list(blocks)}},
            "stopReason": stopped,
            "usage": USAGE,
            "metrics": {"latencyMs": 700},
        }
    )


def raw(body: str, status: int = 200) -> Answer:
    """Answer with a body that may be no JSON at all."""

    def answer(request: AWSPreparedRequest, work: Work) -> AWSResponse:
        del work
        return AWSResponse(request.url, status, HTTPHeaders(), MockRawResponse(body))

    return answer
