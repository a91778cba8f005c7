"""
Reads `template.yaml` the way AWS does: SAM's own translator, then CloudFormation, here moto's.

Nothing about a resource is written down twice: what a table, a queue or a function's environment is like comes
from the template, and from nowhere else.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_CREATED_LOCALLY = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SSM::Parameter",
    }
)
"""What the handlers call. Roles, logs, alarms and schedules mean nothing to moto, or it lacks them."""

_CODE_PLACES = {"CodeUri": "s3://local/", "ContentUri": "s3://local/"}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_RATE_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class TemplateError(Exception):
    """The template lacks something a local run needs."""


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function as declared; `handler` is the dotted name of the callable in this repository."""

    name: str
    physical_name: str
    handler: str
    timeout: timedelta
    memory_mb: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stack:
    """The created resources, and what drives the functions: schedule, event source mapping, bucket events."""

    region: str
    account: str
    scanner: Function
    sender: Function
    intake: Function
    customers_table: str
    contacts_table: str
    uploads_bucket: str
    upload_prefix: str
    schedule_name: str
    schedule_input: str
    tick: timedelta
    queue_arn: str
    batch_size: int

    @property
    def queue_name(self) -> str:
        """The name of the queue of jobs."""
        return self.queue_arn.rpartition(":")[2]


def translate(path: Path) -> dict[str, Any]:
    """
    Translate a SAM template to CloudFormation, offline. The region must be set in the environment.

    Raises:
        TemplateError: SAM does not take it.
    """
    source: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))  # type: ignore[no-untyped-call]
    for resource in source["Resources"].values():
        properties = resource.get("Properties", {})
        for place, prefix in _CODE_PLACES.items():
            # The translator wants code that is already in S3. What follows the prefix is the folder.
            if isinstance(properties.get(place), str):
                properties[place] = prefix + properties[place]
    try:
        translated: dict[str, Any] = Translator({}, Parser()).translate(source, {})
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"{path.name}: {causes}") from error
    return translated


class _Questions:
    """
    Values for CloudFormation to work out: each becomes an output of the stack, so that moto resolves it.

    Ref, GetAtt and Sub are then moto's business, and a value here is what the function would see in AWS.
    """

    def __init__(self) -> None:
        self._asked: list[Any] = []

    def ask(self, value: Any) -> str:  # noqa: ANN401 - any CloudFormation expression
        # As CloudFormation does with numbers; moto does not.
        self._asked.append(value if isinstance(value, dict) else str(value))
        return f"Answer{len(self._asked) - 1}"

    def outputs(self) -> dict[str, Any]:
        return {f"Answer{index}": {"Value": value} for index, value in enumerate(self._asked)}


def create_stack(
    client: "CloudFormationClient", path: Path, *, name: str = "dunning", parameters: Mapping[str, str] | None = None
) -> Stack:
    """
    Create what the template declares and tell where everything is.

    Raises:
        TemplateError: a function, table, queue, bucket or event source a run needs is not declared.
    """
    translated = translate(path)
    resources = translated["Resources"]
    driven = _driven_functions(resources)
    asked = _Questions()
    environment = {
        role: {
            variable: asked.ask(value)
            for variable, value in _properties(resources[logical_id])
            .get("Environment", {})
            .get("Variables", {})
            .items()
        }
        for role, logical_id in driven.functions.items()
    }
    memory = {
        role: asked.ask(_properties(resources[logical_id]).get("MemorySize", 128))
        for role, logical_id in driven.functions.items()
    }
    schedule = _properties(resources[driven.schedule])
    mapping = _properties(resources[driven.mapping])
    expressions = {
        "input": schedule["Target"].get("Input", "{}"),
        "rate": schedule["ScheduleExpression"],
        "batch_size": mapping.get("BatchSize", 10),
        "queue_arn": mapping["EventSourceArn"],
        "bucket": {"Ref": driven.bucket},
        "prefix": driven.prefix,
        "region": {"Ref": "AWS::Region"},
        "account": {"Ref": "AWS::AccountId"},
    }
    names = {what: asked.ask(value) for what, value in expressions.items()}

    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(
            {
                "AWSTemplateFormatVersion": translated["AWSTemplateFormatVersion"],
                "Parameters": {name: _as_text(declared) for name, declared in translated.get("Parameters", {}).items()},
                "Mappings": translated.get("Mappings", {}),
                "Conditions": translated.get("Conditions", {}),
                "Resources": _local_resources(resources),
                "Outputs": asked.outputs(),
            }
        ),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()],
    )
    described = client.describe_stacks(StackName=name)["Stacks"][0]
    answers = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def function(role: str) -> Function:
        properties = _properties(resources[driven.functions[role]])
        folder = properties["Code"]["S3Key"].strip("/").replace("/", ".")
        return Function(
            role,
            f"{name}-{driven.functions[role]}",
            f"{folder}.{properties['Handler']}",
            timedelta(seconds=properties.get("Timeout", 3)),
            int(answers[memory[role]]),
            {variable: answers[answer] for variable, answer in environment[role].items()},
        )

    scanner, sender, intake = function("scanner"), function("sender"), function("intake")
    try:
        customers_table = sender.environment["CUSTOMERS_TABLE"]
        contacts_table = sender.environment["CONTACTS_TABLE"]
    except KeyError as missing:
        raise TemplateError(f"{path.name}: the sender's environment lacks {missing}") from None
    return Stack(
        region=answers[names["region"]],
        account=answers[names["account"]],
        scanner=scanner,
        sender=sender,
        intake=intake,
        customers_table=customers_table,
        contacts_table=contacts_table,
        uploads_bucket=answers[names["bucket"]],
        upload_prefix=answers[names["prefix"]],
        schedule_name=f"{name}-{driven.schedule}",
        schedule_input=answers[names["input"]],
        tick=parse_rate(answers[names["rate"]]),
        queue_arn=answers[names["queue_arn"]],
        batch_size=int(answers[names["batch_size"]]),
    )


def parse_rate(expression: str) -> timedelta:
    """
    Read `rate(1 minute)`.

    Raises:
        TemplateError: it is another kind of schedule.
    """
    match = _RATE.fullmatch(expression)
    if match is None:
        raise TemplateError(f"the schedule {expression!r} is not a rate in minutes, hours or days")
    return int(match[1]) * _RATE_UNITS[match[2]]


@dataclass(frozen=True, slots=True)
class _Driven:
    """Logical ids: each function by what AWS starts it with."""

    functions: Mapping[str, str]
    schedule: str
    mapping: str
    bucket: str
    prefix: str


def _driven_functions(resources: Mapping[str, Any]) -> _Driven:
    schedule = _only(resources, "AWS::Scheduler::Schedule")
    mapping = _only(resources, "AWS::Lambda::EventSourceMapping")
    bucket, notification = next(
        (
            (logical_id, configuration)
            for logical_id, resource in _of_type(resources, "AWS::S3::Bucket")
            for configuration in _properties(resource)
            .get("NotificationConfiguration", {})
            .get("LambdaConfigurations", [])
        ),
        (None, None),
    )
    if bucket is None or notification is None:
        raise TemplateError("no bucket starts a function when a file arrives")
    rules = notification.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    return _Driven(
        functions={
            "scanner": _logical_id(_properties(resources[schedule])["Target"]["Arn"]),
            "sender": _logical_id(_properties(resources[mapping])["FunctionName"]),
            "intake": _logical_id(notification["Function"]),
        },
        schedule=schedule,
        mapping=mapping,
        bucket=bucket,
        prefix=next((rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"), ""),
    )


def _as_text(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter whose value is text, as in CloudFormation; moto would look for a number in mappings."""
    kind = {"Number": "String"}.get(parameter["Type"], parameter["Type"])
    default = {"Default": str(parameter["Default"])} if "Default" in parameter else {}
    return {**parameter, "Type": kind, **default}


def _local_resources(resources: Mapping[str, Any]) -> dict[str, Any]:
    kept = {}
    for logical_id, resource in resources.items():
        if resource["Type"] not in _CREATED_LOCALLY:
            continue
        properties = dict(_properties(resource))
        # The local run starts the handlers itself, and moto would look for the functions.
        properties.pop("NotificationConfiguration", None)
        kept[logical_id] = {"Type": resource["Type"], "Properties": properties}
    return kept


def _properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = resource.get("Properties", {})
    return properties


def _of_type(resources: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Any]]:
    return ((logical_id, resource) for logical_id, resource in resources.items() if resource["Type"] == kind)


def _only(resources: Mapping[str, Any], kind: str) -> str:
    found = [logical_id for logical_id, _ in _of_type(resources, kind)]
    if len(found) != 1:
        raise TemplateError(f"the template declares {len(found)} resources of type {kind}, a local run needs one")
    return found[0]


def _logical_id(reference: Mapping[str, Any]) -> str:
    if "Ref" in reference:
        return str(reference["Ref"])
    target = reference["Fn::GetAtt"]
    return str(target[0] if isinstance(target, list) else target.split(".")[0])
