"""
What a role allows beside what its function does.

What a function calls itself is recorded. What AWS does in the role's name is not: Lambda polls the queue, writes
the log and puts failed events into a dead-letter queue; DynamoDB, S3 and SQS use the key. Each of these follows from
what is deployed or was called, and is derived here with the reason. Of the conditions of a statement the service that
must use the key is compared here; which attributes may be written is compared in tests/integration/test_calls.py, with
every write.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.e2e.deployed.standin import ACCOUNT, REGION
from tests.e2e.deployed.world import World

A_PHONE = "a phone number"
"""What stands for the resource of a text: a phone number has no ARN."""

_OF_THE_CARRIERS_LIST = {"ListPhoneNumbersOptedOut", "OptInPhoneNumber"}

_ALSO_CALLED = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
}
"""Operations whose permission has another name."""

_OF_A_VERSION = {"s3:GetObject": "s3:GetObjectVersion", "s3:DeleteObject": "s3:DeleteObjectVersion"}
"""Operations that need another permission where they name a version."""

_OF_A_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_OF_A_STREAM = tuple(f"dynamodb:{what}" for what in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"))
"""What Lambda calls to poll."""

_REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


@dataclass(frozen=True, order=True, slots=True)
class Use:
    """An action on a resource; with a key, the service that does it for the function."""

    action: str
    resource: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a role's policy."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    via: str = ""

    def covers(self, use: Use) -> bool:
        """Tell whether it is about such a use."""
        return (
            any(fnmatchcase(use.action, action) for action in self.actions)
            and any(resource == "*" or fnmatchcase(use.resource, resource) for resource in self.resources)
            and self.via in {"", use.via}
        )

    def grants(self) -> Iterator["Statement"]:
        """Yield a statement for each pair of action and resource it names."""
        return (
            Statement(self.effect, (action,), (resource,), self.via)
            for action in self.actions
            for resource in self.resources
        )


def missing(world: World, function: str) -> list[Use]:
    """Return what a function does and its role does not allow."""
    statements = _statements(world, function)
    return [
        use
        for use in sorted(_uses(world, function))
        if not any(statement.effect == "Allow" and statement.covers(use) for statement in statements)
        or any(statement.effect == "Deny" and statement.covers(use) for statement in statements)
    ]


def refused(world: World, function: str) -> list[Mapping[str, Any]]:
    """Return the calls that were refused for lack of permission."""
    return [call for call in _calls(world, function) if call["error"] in _REFUSALS]


def unused(world: World, function: str) -> list[Statement]:
    """Return what a role allows and its function never does."""
    uses = _uses(world, function)
    return [
        grant
        for statement in _statements(world, function)
        if statement.effect == "Allow"
        for grant in statement.grants()
        if grant not in _not_shown(world, function) and not any(grant.covers(use) for use in uses)
    ]


def _not_shown(world: World, function: str) -> list[Statement]:
    """
    Return what may be granted although no use of it can be shown.

    AWS names generating a key among the least that a user of a table with a key of one's own needs. It is known to be
    called for what S3 stores; for items of DynamoDB nothing here shows that it is not.

    Failed news is noted only after a fault of AWS. An erasure looks into parts of a large file only while these are
    being loaded. Changes are given up uncounted after a day of tries.
    """
    parts = f"arn:aws:s3:::{world.outputs['UploadsBucket']}/parts/*"
    return [
        Statement("Allow", ("kms:GenerateDataKey",), (_key_arn(world),), _service("dynamodb")),
        Statement("Allow", ("sqs:SendMessage",), (world.queue_arn("NewsFailures"),)),
        Statement("Allow", ("sqs:SendMessage",), (world.queue_arn("TallyDeadLetters"),)),
        Statement("Allow", ("s3:GetObjectVersion",), (parts,)),
        *([] if function == "IntakeFunction" else [Statement("Allow", ("s3:DeleteObjectVersion",), (parts,))]),
    ]


def _key_arn(world: World) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{world.ids['DataKey']}"


def _service(name: str) -> str:
    """Return a service as a key's condition names it."""
    return f"{name}.{REGION}.amazonaws.com"


def _uses(world: World, function: str) -> set[Use]:
    called = {use for call in _calls(world, function) for use in _uses_of(call)}
    done = called | set(_of_lambda(world, function))
    return done | set(_of_the_key(world, done))


def _calls(world: World, function: str) -> list[Mapping[str, Any]]:
    return [call for call in world.calls() if call["function"] == world.ids[function]]


def _uses_of(call: Mapping[str, Any]) -> Iterator[Use]:
    action = f"{call['service']}:{call['operation']}"
    action = _ALSO_CALLED.get(action, action)
    named = call["named"]
    match call["service"]:
        case "dynamodb" if "Writes" in named:
            # IAM has no permission for a transaction, only for each write in it.
            for kind, table in named["Writes"]:
                yield Use(f"dynamodb:{kind}Item", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}")
        case "dynamodb":
            tables = named["TableName"] if isinstance(named["TableName"], list) else [named["TableName"]]
            index = f"/index/{named['IndexName']}" if "IndexName" in named else ""
            for table in tables:
                yield Use(action, f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}{index}")
        case "sqs":
            yield Use(action, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{named['QueueUrl'].rpartition('/')[2]}")
        case "s3":
            action = _OF_A_VERSION[action] if "VersionId" in named else action
            yield Use(action, f"arn:aws:s3:::{named['Bucket']}" + (f"/{named['Key']}" if "Key" in named else ""))
        case "ssm":
            yield Use(action, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{named['Name']}")
        case "sns" if call["operation"] in _OF_THE_CARRIERS_LIST:
            yield Use(action, A_PHONE)
        case "sns":
            yield Use(action, A_PHONE if call["to_phone"] else named.get("TopicArn") or named["TargetArn"])
        case "events":
            for bus in named["EventBusName"]:
                yield Use(action, f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}")
        case other:
            raise ValueError(f"a call of {other}, whose resources are not known here")


def _of_lambda(world: World, function: str) -> Iterator[Use]:
    """Yield what Lambda does in the role's name, where this run shows that it was done."""
    functions = world.as_engineer("lambda")
    configuration = functions.get_function_configuration(FunctionName=world.ids[function])
    # It writes what the function prints.
    group = configuration["LoggingConfig"]["LogGroup"]
    if world.logged(group.rpartition("/")[2]):
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            yield Use(action, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:one")
    # It receives messages, deletes those that are done, and asks how many there are; or it reads a stream.
    mappings = functions.list_event_source_mappings(FunctionName=world.ids[function])["EventSourceMappings"]
    for mapping in mappings:
        for action in _OF_A_STREAM if "/stream/" in mapping["EventSourceArn"] else _OF_A_QUEUE:
            yield Use(action, mapping["EventSourceArn"])
    # It puts away what has failed for good.
    handling = functions.list_function_event_invoke_configs(FunctionName=world.ids[function])
    for config in handling["FunctionEventInvokeConfigs"]:
        target = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if target and world.messages_at(target):
            yield Use("sqs:SendMessage", target)


def _of_the_key(world: World, done: set[Use]) -> Iterator[Use]:
    """
    Yield what DynamoDB, S3 and SQS do with the key by the caller's permission; of queues, only some are encrypted.

    A write decrypts too: the key of the table, or of the object's bucket, is itself stored encrypted; and who sends to
    a queue has to be able to use a key again that another sender has made.
    """
    key = _key_arn(world)
    for service in ("dynamodb", "s3"):
        if any(use.action.startswith(f"{service}:") for use in done):
            yield Use("kms:Decrypt", key, _service(service))
    if any(use.action == "s3:PutObject" for use in done):
        yield Use("kms:GenerateDataKey", key, _service("s3"))
    for action, needs in (("sqs:ReceiveMessage", ["Decrypt"]), ("sqs:SendMessage", ["Decrypt", "GenerateDataKey"])):
        if any(use.action == action and world.has_key(use.resource) for use in done):
            yield from (Use(f"kms:{action}", key, _service("sqs")) for action in needs)


def _statements(world: World, function: str) -> list[Statement]:
    iam = world.as_engineer("iam")
    role = world.ids[function.replace("Function", "Role")]
    documents = (
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    )
    found = [
        Statement(
            statement["Effect"],
            # Patched in for the stand-in: AWS has no such action.
            tuple(action for action in _several(statement["Action"]) if action not in _ALSO_CALLED),
            _several(statement["Resource"]),
            statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", ""),
        )
        for document in documents
        for statement in (json.loads(document) if isinstance(document, str) else document)["Statement"]
    ]
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return found


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
