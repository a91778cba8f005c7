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

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_CREATED_LOCALLY = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SSM::Parameter",
    }
)
"""
What the handlers call, and what brings events to them. Roles, logs, alarms and schedules mean nothing to moto, or it
lacks them; a subscription of a queue to a topic is made by hand, for its CloudFormation knows none.
"""

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
class Source:
    """A queue that feeds a function, so many messages at a time."""

    function: str
    queue_arn: str
    batch_size: int

    @property
    def queue_name(self) -> str:
        """The name of the queue."""
        return self.queue_arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class ChangeSource:
    """A table whose changes feed a function, those that fit one of these patterns, so many at a time."""

    function: str
    table: str
    patterns: tuple[Mapping[str, Any], ...]
    batch_size: int

    def takes(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a change fits a pattern."""
        return any(_fits(record, pattern) for pattern in self.patterns)


def _fits(value: Any, pattern: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(pattern, list):
        return value in pattern
    return isinstance(value, dict) and all(_fits(value.get(name), inner) for name, inner in pattern.items())


@dataclass(frozen=True, slots=True)
class Schedule:
    """What starts a function every so often, with this input."""

    function: str
    name: str
    expression: str
    input: str


@dataclass(frozen=True, slots=True)
class Stack:
    """
    The created resources, and what drives the functions.

    `functions` are by the name of their folder, `sources` by the function they feed. A queue that is there by a
    parameter only is among the sources by its own name, as `channel_events`. `event_topics` are where services report,
    by their names in the template.
    """

    region: str
    account: str
    functions: Mapping[str, Function]
    sources: Mapping[str, Source]
    change_sources: tuple[ChangeSource, ...]
    schedules: tuple[Schedule, ...]
    customers_table: str
    contacts_table: str
    tally_table: str
    books_bucket: str
    uploads_bucket: str
    upload_prefixes: tuple[str, ...]
    bus_name: str
    inbound_topic: str
    event_topics: Mapping[str, str]

    @property
    def scanner(self) -> Function:
        """What a tick starts."""
        return self.functions["scanner"]

    @property
    def sender(self) -> Function:
        """What jobs start."""
        return self.functions["sender"]

    @property
    def intake(self) -> Function:
        """What an upload starts."""
        return self.functions["intake"]

    @property
    def ticking(self) -> Schedule:
        """The schedule of the scanner."""
        return next(schedule for schedule in self.schedules if schedule.function == "scanner")

    @property
    def schedule_name(self) -> str:
        """The name of the scanner's schedule."""
        return self.ticking.name

    @property
    def schedule_input(self) -> str:
        """What the scanner is started with."""
        return self.ticking.input

    @property
    def tick(self) -> timedelta:
        """How often the scanner is started."""
        return parse_rate(self.ticking.expression)

    @property
    def queue_arn(self) -> str:
        """The queue of jobs."""
        return self.sources["sender"].queue_arn

    @property
    def queue_name(self) -> str:
        """The name of the queue of jobs."""
        return self.sources["sender"].queue_name

    @property
    def batch_size(self) -> int:
        """How many jobs the sender is handed at most."""
        return self.sources["sender"].batch_size


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
    client: "CloudFormationClient",
    path: Path,
    *,
    name: str = "dunning",
    parameters: Mapping[str, str] | None = None,
    streams: bool = False,
) -> Stack:
    """
    Create what the template declares and tell where everything is.

    Without `streams` the tables have none: moto keeps each image of each item, and nobody reads them.

    Raises:
        TemplateError: a function, table, queue, bucket or event source a run needs is not declared.
    """
    translated = translate(path)
    resources = translated["Resources"]
    functions = {_folder(resource): logical_id for logical_id, resource in _of_type(resources, "AWS::Lambda::Function")}
    bucket, prefixes = _uploads(resources)
    asked = _Questions()
    environment = {
        folder: {
            variable: asked.ask(_with_the_name_of_a_bus(value, resources))
            for variable, value in _properties(resources[logical_id])
            .get("Environment", {})
            .get("Variables", {})
            .items()
            if not _needs_what_is_not_here(value, resources)
        }
        for folder, logical_id in functions.items()
    }
    folders = {logical_id: folder for folder, logical_id in functions.items()}
    queues = [
        mapping
        for _, mapping in _of_type(resources, "AWS::Lambda::EventSourceMapping")
        if "StartingPosition" not in _properties(mapping)  # that is how a stream is read
    ]
    mappings: dict[str, dict[str, str]] = {
        _source_name(mapping, folders): {
            "function": folders[_logical_id(_properties(mapping)["FunctionName"])],
            "queue_arn": asked.ask(_if_there(mapping, _properties(mapping)["EventSourceArn"])),
            "batch_size": asked.ask(_properties(mapping).get("BatchSize", 10)),
        }
        for mapping in queues
    }
    change_sources = [
        (
            folders[_logical_id(_properties(mapping)["FunctionName"])],
            asked.ask({"Ref": _logical_id(_properties(mapping)["EventSourceArn"])}),
            tuple([json.loads(each["Pattern"]) for each in _properties(mapping)["FilterCriteria"]["Filters"]]),
            asked.ask(_properties(mapping)["BatchSize"]),
        )
        for _, mapping in _of_type(resources, "AWS::Lambda::EventSourceMapping")
        if "StartingPosition" in _properties(mapping)
    ]
    schedules = [
        Schedule(
            folders[_logical_id(_properties(schedule)["Target"]["Arn"])],
            f"{name}-{logical_id}",
            _properties(schedule)["ScheduleExpression"],
            _properties(schedule)["Target"].get("Input", "{}"),
        )
        for logical_id, schedule in _of_type(resources, "AWS::Scheduler::Schedule")
    ]
    subscriptions: list[dict[str, Any]] = [
        {
            "name": _logical_id(_properties(subscription)["TopicArn"]),
            "is_conditional": "Condition" in subscription,
            "topic": asked.ask(_if_there(subscription, _properties(subscription)["TopicArn"])),
            "queue": asked.ask(_if_there(subscription, _properties(subscription)["Endpoint"])),
        }
        for _, subscription in _of_type(resources, "AWS::SNS::Subscription")
        if _properties(subscription)["Protocol"] == "sqs"
    ]
    memory = {
        folder: asked.ask(_properties(resources[logical_id]).get("MemorySize", 128))
        for folder, logical_id in functions.items()
    }
    expressions = {
        "bucket": {"Ref": bucket},
        "bus": _with_the_name_of_a_bus({"Ref": _only(resources, "AWS::Events::EventBus")}, resources),
        "region": {"Ref": "AWS::Region"},
        "account": {"Ref": "AWS::AccountId"},
    }
    names = {what: asked.ask(value) for what, value in expressions.items()}
    _see_that_it_can_run(path, functions, mappings, schedules, subscriptions)

    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(
            {
                "AWSTemplateFormatVersion": translated["AWSTemplateFormatVersion"],
                "Parameters": {name: _as_text(declared) for name, declared in translated.get("Parameters", {}).items()},
                "Mappings": translated.get("Mappings", {}),
                "Conditions": translated.get("Conditions", {}),
                "Resources": _local_resources(resources, streams=streams),
                "Outputs": asked.outputs(),
            }
        ),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()],
    )
    described = client.describe_stacks(StackName=name)["Stacks"][0]
    answers = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    # A session of its own: the default one keeps the hooks there were when it was made.
    sns = boto3.Session().client("sns")
    topics = {}
    for subscription in subscriptions:
        if topic := answers.get(subscription["topic"]):
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=answers[subscription["queue"]])
            topics[subscription["name"], subscription["is_conditional"]] = topic

    def function(folder: str) -> Function:
        properties = _properties(resources[functions[folder]])
        return Function(
            folder,
            f"{name}-{functions[folder]}",
            f"functions.{folder}.{properties['Handler']}",
            timedelta(seconds=properties.get("Timeout", 3)),
            int(answers[memory[folder]]),
            {variable: answers[answer] for variable, answer in environment[folder].items()},
        )

    built = {folder: function(folder) for folder in functions}
    try:
        customers_table = built["sender"].environment["CUSTOMERS_TABLE"]
        contacts_table = built["sender"].environment["CONTACTS_TABLE"]
        tally_table = built["tally"].environment["TALLY_TABLE"]
        books_bucket = built["effect"].environment["BOOKS_BUCKET"]
    except KeyError as missing:
        raise TemplateError(f"{path.name}: the environment of sender, tally or effect lacks {missing}") from None
    return Stack(
        region=answers[names["region"]],
        account=answers[names["account"]],
        functions=built,
        sources={
            source: Source(mapping["function"], answers[mapping["queue_arn"]], int(answers[mapping["batch_size"]]))
            for source, mapping in mappings.items()
            if answers.get(mapping["queue_arn"])
        },
        change_sources=tuple(
            ChangeSource(folder, answers[table], patterns, int(answers[batch_size]))
            for folder, table, patterns, batch_size in change_sources
        ),
        schedules=tuple(schedules),
        customers_table=customers_table,
        contacts_table=contacts_table,
        tally_table=tally_table,
        books_bucket=books_bucket,
        uploads_bucket=answers[names["bucket"]],
        upload_prefixes=prefixes,
        bus_name=answers[names["bus"]],
        inbound_topic=next(topic for (_, is_conditional), topic in topics.items() if not is_conditional),
        event_topics={topic: arn for (topic, is_conditional), arn in topics.items() if is_conditional},
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


def _source_name(mapping: Mapping[str, Any], folders: Mapping[str, str]) -> str:
    """Return the name of a queue among the sources: the function it feeds, or its own if it need not be there."""
    if "Condition" not in mapping:
        return folders[_logical_id(_properties(mapping)["FunctionName"])]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", _logical_id(_properties(mapping)["EventSourceArn"])).lower()


def _if_there(resource: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - any expression
    """Return what a resource says, or nothing if its condition leaves it out."""
    return {"Fn::If": [resource["Condition"], value, ""]} if "Condition" in resource else value


def _with_the_name_of_a_bus(value: Any, resources: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any expression
    """Return a reference to a bus as the bus's name, which is what it is; moto takes it for the bus itself."""
    if isinstance(value, dict) and "Ref" in value:
        resource = resources.get(value["Ref"], {})
        if resource.get("Type") == "AWS::Events::EventBus":
            return _properties(resource)["Name"]
    return value


def _needs_what_is_not_here(value: Any, resources: Mapping[str, Any]) -> bool:  # noqa: ANN401 - any expression
    """Tell whether moto could not work a value out: the address of an API, which is not created."""
    if isinstance(value, dict) and "Fn::GetAtt" in value:
        return resources[_logical_id(value)]["Type"] not in _CREATED_LOCALLY
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_needs_what_is_not_here(part, resources) for part in parts)


def _uploads(resources: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the bucket that starts a function when a file arrives, and the prefixes of such files."""
    for logical_id, resource in _of_type(resources, "AWS::S3::Bucket"):
        notifications = _properties(resource).get("NotificationConfiguration", {}).get("LambdaConfigurations", [])
        rules = [notification.get("Filter", {}).get("S3Key", {}).get("Rules", []) for notification in notifications]
        if notifications:
            return logical_id, tuple(
                next((rule["Value"] for rule in own if rule["Name"].lower() == "prefix"), "") for own in rules
            )
    raise TemplateError("no bucket starts a function when a file arrives")


def _folder(function: Mapping[str, Any]) -> str:
    """Return the folder of a function's code below `functions`."""
    place: str = _properties(function)["Code"]["S3Key"]
    return place.strip("/").rpartition("/")[2]


_FED_BY_A_QUEUE = frozenset({"sender", "intake", "lender_events", "replies", "delivery_receipts", "replan"})


def _see_that_it_can_run(
    path: Path,
    functions: Mapping[str, str],
    mappings: Mapping[str, object],
    schedules: list[Schedule],
    subscriptions: list[dict[str, Any]],
) -> None:
    lacking = _FED_BY_A_QUEUE | {"scanner", "housekeeping"}
    if lacking := lacking - functions.keys():
        raise TemplateError(f"{path.name}: no function has its code in functions/{min(lacking)}")
    if lacking := _FED_BY_A_QUEUE - mappings.keys():
        raise TemplateError(f"{path.name}: no queue feeds the {min(lacking)}")
    if sum(schedule.function == "scanner" for schedule in schedules) != 1:
        raise TemplateError(f"{path.name}: the scanner has to have one schedule")
    if sum(not subscription["is_conditional"] for subscription in subscriptions) != 1:
        raise TemplateError(f"{path.name}: one queue has to be subscribed to the topic of replies")


def _as_text(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter whose value is text, as in CloudFormation; moto would look for a number in mappings."""
    kind = {"Number": "String"}.get(parameter["Type"], parameter["Type"])
    default = {"Default": str(parameter["Default"])} if "Default" in parameter else {}
    return {**parameter, "Type": kind, **default}


def _local_resources(resources: Mapping[str, Any], *, streams: bool) -> dict[str, Any]:
    kept = {}
    for logical_id, resource in resources.items():
        if resource["Type"] not in _CREATED_LOCALLY:
            continue
        properties = dict(_properties(resource))
        # The local run starts the handlers itself, and moto would look for the functions.
        properties.pop("NotificationConfiguration", None)
        if not streams:
            properties.pop("StreamSpecification", None)
        kept[logical_id] = {"Type": resource["Type"], "Properties": properties}
        if resource["Type"] == "AWS::Events::Rule":
            kept[logical_id]["DependsOn"] = _logical_id(properties["EventBusName"])
            properties["EventBusName"] = _with_the_name_of_a_bus(properties["EventBusName"], resources)
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
