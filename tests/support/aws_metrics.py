"""The metrics of AWS that we watch or show; ours are the members of `Metric`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AwsMetric:
    """A metric of AWS: its dimensions, the statistics that mean something, and the page that says so."""

    dimensions: frozenset[str]
    statistics: frozenset[str]
    documented: str


_SQS = "Amazon SQS Developer Guide, Available CloudWatch metrics for Amazon SQS"
_LAMBDA = "AWS Lambda Developer Guide, Types of metrics for Lambda functions"
_HTTP_API = "Amazon API Gateway Developer Guide, Monitor CloudWatch metrics for HTTP APIs"
_ANY = frozenset({"Average", "Maximum", "Minimum", "Sum", "SampleCount"})

AWS_METRICS: Mapping[tuple[str, str], AwsMetric] = {
    # Messages that were redriven count as visible; in NumberOfMessagesSent they do not.
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): AwsMetric(frozenset({"QueueName"}), _ANY, _SQS),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): AwsMetric(frozenset({"QueueName"}), _ANY, _SQS),
    ("AWS/Lambda", "IteratorAge"): AwsMetric(frozenset({"FunctionName"}), frozenset({"Maximum"}), _LAMBDA),
    ("AWS/Lambda", "Errors"): AwsMetric(frozenset({"FunctionName"}), frozenset({"Sum"}), _LAMBDA),
    ("AWS/Lambda", "Duration"): AwsMetric(
        frozenset({"FunctionName"}), frozenset({"Average", "Maximum", "p99"}), _LAMBDA
    ),
    ("AWS/Lambda", "Throttles"): AwsMetric(frozenset({"FunctionName"}), frozenset({"Sum"}), _LAMBDA),
    ("AWS/ApiGateway", "Count"): AwsMetric(frozenset({"ApiId"}), frozenset({"SampleCount"}), _HTTP_API),
    ("AWS/ApiGateway", "4xx"): AwsMetric(frozenset({"ApiId"}), frozenset({"Sum"}), _HTTP_API),
    ("AWS/ApiGateway", "5xx"): AwsMetric(frozenset({"ApiId"}), frozenset({"Sum"}), _HTTP_API),
    ("AWS/ApiGateway", "Latency"): AwsMetric(frozenset({"ApiId"}), frozenset({"p50", "p95"}), _HTTP_API),
    ("AWS/ApiGateway", "IntegrationLatency"): AwsMetric(frozenset({"ApiId"}), frozenset({"p95"}), _HTTP_API),
    # For the account and Region as a whole: it has no dimensions.
    ("AWS/SNS", "SMSMonthToDateSpentUSD"): AwsMetric(
        frozenset(), frozenset({"Maximum"}), "Amazon SNS Developer Guide, Amazon SNS metrics"
    ),
}
