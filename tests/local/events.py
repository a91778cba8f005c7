"""The events AWS sends, in full: ticks, SQS batches, S3 notifications, log subscriptions, and the Lambda context."""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus
from uuid import uuid4

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""The word EventBridge Scheduler replaces in a schedule's input."""

type Event = dict[str, Any]


def scheduler_tick(schedule_input: str, scheduled_at: datetime) -> Event:
    """Build what Scheduler hands to its target: the schedule's input with the scheduled time filled in."""
    moment = scheduled_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event: Event = json.loads(schedule_input.replace(SCHEDULED_TIME, moment))
    return event


def sqs_batch(messages: Sequence["MessageTypeDef"], *, queue_arn: str, region: str) -> Event:
    """Build the batch an event source mapping hands to a function, from messages as received."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message.get("Attributes", {})),
                "messageAttributes": {},
                "md5OfBody": message.get("MD5OfBody") or _md5(message["Body"].encode()),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": region,
            }
            for message in messages
        ]
    }


def s3_object_created(
    *, bucket: str, key: str, body: bytes, at: datetime, region: str, version_id: str = "", sequence: int = 1
) -> Event:
    """Build the notification of a new object; the key is URL-encoded, as S3 does."""
    record: dict[str, Any] = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": base64.b64encode(hashlib.sha256(key.encode()).digest()).decode(),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "upload",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": len(body),
                "eTag": _md5(body),
                "sequencer": f"{int(at.timestamp() * 1000):012X}{sequence:06X}",
            },
        },
    }
    if version_id:
        record["s3"]["object"]["versionId"] = version_id
    return {"Records": [record]}


def logs_subscription(logs: Sequence[Mapping[str, Any]], *, at: datetime, region: str, account: str) -> Event:
    """Build what CloudWatch Logs hands to a subscribed function: gzip in base64, a message each log."""
    millis = int(at.timestamp() * 1000)
    group = f"sns/{region}/{account}/DirectPublishToPhoneNumber"
    payload = {
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": group,
        "logStream": str(uuid4()),
        "subscriptionFilters": ["receipts"],
        "logEvents": [
            {"id": f"{millis:056d}", "timestamp": millis, "message": json.dumps(log, ensure_ascii=False)}
            for log in logs
        ],
    }
    packed = gzip.compress(json.dumps(payload).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


def webhook_call(
    route: str, parameters: Mapping[str, str], body: bytes, headers: Mapping[str, str], *, at: datetime
) -> Event:
    """Build what API Gateway hands to the webhooks for a call by a route (payload format 2.0)."""
    method, _, path = route.partition(" ")
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", value)
    event: Event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "webhooks.invalid",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
            "requestId": uuid4().hex,
            "routeKey": route,
            "stage": "$default",
            "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(at.timestamp() * 1000),
        },
        "pathParameters": dict(parameters),
        "isBase64Encoded": bool(body),
    }
    if body:
        event["body"] = base64.b64encode(body).decode()
    return event


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class LambdaContext:
    """
    The context object of an invocation. Its time runs on the clock given, so that a slow machine changes nothing.

    Attribute names are those of AWS.
    """

    def __init__(
        self,
        function_name: str,
        *,
        memory_mb: int = 512,
        timeout: timedelta = timedelta(seconds=60),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        region: str = "ap-northeast-1",
        account: str = "123456789012",
    ) -> None:
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = str(memory_mb)
        self.invoked_function_arn = f"arn:aws:lambda:{region}:{account}:function:{function_name}"
        self.aws_request_id = str(uuid4())
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "local"
        self.identity = None
        self.client_context: Mapping[str, Any] | None = None
        self._now = now
        self._ends_at = now() + timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still run."""
        return max(0, int((self._ends_at - self._now()).total_seconds() * 1000))


def stream_window(changes: Sequence[Mapping[str, Any]], *, shard: str, at: datetime) -> Event:
    """Return changes of a table as Lambda hands them over from a tumbling window, which alone names the shard."""
    records = [
        {**change, "dynamodb": {**change["dynamodb"], "ApproximateCreationDateTime": at.timestamp()}}
        for change in changes
    ]
    start = at.replace(second=0, microsecond=0)
    return {
        "Records": records,
        "shardId": shard,
        "window": {"start": start.isoformat(), "end": (start + timedelta(minutes=1)).isoformat()},
        "state": {},
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }
