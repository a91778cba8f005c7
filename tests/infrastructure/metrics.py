"""
The metrics there are: those the code emits, found in its source, and those of AWS that we use.

An alarm on a name that nobody writes is green for ever. So the names are not written down a second time here.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dunning.domain.decision.decisions import Reason
from dunning.domain.replies.intents import ReplyIntent
from dunning.ports.gateways import PublishOutcome
from tests.local import ROOT

PACKAGE = ROOT / "layers" / "dunning" / "python" / "dunning"

_JOURNALS = {"self._journal", "telemetry", "self"}
"""What the telemetry is called where it is told something; `self` is in the telemetry itself."""

_WAITS = frozenset(
    {
        Reason.SENDING_OFF,
        Reason.ON_HOLD,
        Reason.NEXT_STAGE,
        Reason.QUIET_HOURS,
        Reason.CLOSED_DAY,
        Reason.PERSON_CAP,
        Reason.ACCOUNT_CAP,
    }
)
"""Reasons to wait. All others are reasons to stop, but for the one to send and one that is no decision."""

_STOPS = frozenset(Reason) - _WAITS - {Reason.DUE, Reason.CARRIER_BUSY} | {Reason.ON_HOLD}
"""A hold without an end stops, one with an end makes the customer wait."""

_COMPUTED: Mapping[str, frozenset[str]] = {
    'f\'Sms{answer.outcome.value.title().replace("_", "")}\'': frozenset(
        f"Sms{outcome.value.title().replace('_', '')}" for outcome in PublishOutcome
    ),
    'f\'Reply{intent.value.title().replace("_", "")}\'': frozenset(
        f"Reply{intent.value.title().replace('_', '')}" for intent in ReplyIntent
    ),
    "f'{decision.kind}_{decision.reason.value}'.title().replace('_', '')": frozenset(
        f"{kind}_{reason.value}".title().replace("_", "")
        for kind, reasons in (("send", {Reason.DUE}), ("wait", _WAITS), ("stop", _STOPS))
        for reason in reasons
    ),
}
"""Names that are put together when the program runs, by the source that does it."""


class UnknownMetricError(Exception):
    """The code emits a metric under a name that cannot be told from its source."""


def emitted() -> frozenset[str]:
    """
    Return the names of all metrics the code emits.

    Raises:
        UnknownMetricError: a name is put together in a way that is not listed here.
    """
    names: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for call in _calls(path, {"count", "gauge"}):
            names |= _names(call.args[0], path)
    return frozenset(names)


def events() -> frozenset[str]:
    """Return the names of all events the code logs, and of decisions."""
    names = {
        argument.value
        for path in sorted(PACKAGE.rglob("*.py"))
        for call in _calls(path, {"event", "info"})
        if isinstance(argument := call.args[0], ast.Constant) and isinstance(argument.value, str)
    }
    return frozenset(names)


def _calls(path: Path, methods: set[str]) -> Iterator[ast.Call]:
    """Yield the calls of a module that tell a telemetry something, in so many arguments."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        if node.func.attr in methods and ast.unparse(node.func.value) in _JOURNALS | {"self._logger"}:
            yield node


def _names(argument: ast.expr, path: Path) -> frozenset[str]:
    if isinstance(argument, ast.Constant):
        return frozenset({str(argument.value)})
    if isinstance(argument, ast.IfExp):
        return _names(argument.body, path) | _names(argument.orelse, path)
    for source, names in _COMPUTED.items():
        if ast.dump(ast.parse(source, mode="eval").body) == ast.dump(argument):
            return names
    raise UnknownMetricError(f"{path.name}:{argument.lineno}: {ast.unparse(argument)}")


@dataclass(frozen=True, slots=True)
class AwsMetric:
    """A metric of AWS: its dimensions, the statistics that mean something, and the page that says so."""

    dimensions: frozenset[str]
    statistics: frozenset[str]
    documented: str


_SQS = "Amazon SQS Developer Guide, Available CloudWatch metrics for Amazon SQS"
_LAMBDA = "AWS Lambda Developer Guide, Types of metrics for Lambda functions"
_ANY = frozenset({"Average", "Maximum", "Minimum", "Sum", "SampleCount"})

AWS_METRICS: Mapping[tuple[str, str], AwsMetric] = {
    # Messages that were redriven count as visible; in NumberOfMessagesSent they do not.
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): AwsMetric(frozenset({"QueueName"}), _ANY, _SQS),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): AwsMetric(frozenset({"QueueName"}), _ANY, _SQS),
    ("AWS/Lambda", "Errors"): AwsMetric(frozenset({"FunctionName"}), frozenset({"Sum"}), _LAMBDA),
    ("AWS/Lambda", "Duration"): AwsMetric(
        frozenset({"FunctionName"}), frozenset({"Average", "Maximum", "p99"}), _LAMBDA
    ),
    # For the account and Region as a whole: it has no dimensions.
    ("AWS/SNS", "SMSMonthToDateSpentUSD"): AwsMetric(
        frozenset(), frozenset({"Maximum"}), "Amazon SNS Developer Guide, Amazon SNS metrics"
    ),
}
