"""Puts the built stack into the stand-in: `sam deploy`, as a user that IAM knows."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.e2e.deployed.standin import REGION, StandInError
from tests.local import ROOT

STACK = "dunning"

_SAM = ROOT / ".venv-tools" / "bin" / "sam"
_BUILD = ROOT / ".aws-sam" / "host"
_DEPLOY_WITHIN = 120


@dataclass(frozen=True, slots=True)
class Key:
    """A user's credentials."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A change of the built template, and where the stand-in differs from AWS."""

    why: str
    apply: Callable[[dict[str, Any]], None]


def _batches_are_sends(template: dict[str, Any]) -> None:
    for role in _of_type(template, "AWS::IAM::Role"):
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                if "sqs:SendMessage" in actions:
                    statement["Action"] = [*actions, "sqs:SendMessageBatch"]


def _numbers_are_numbers(template: dict[str, Any]) -> None:
    for row in template["Mappings"]["Senders"].values():
        row |= {"AtWorkAsNumber": int(row["AtWork"]), "MemoryMbAsNumber": int(row["MemoryMb"])}
    for at_work, row in template["Mappings"]["Loaders"].items():
        row |= {"AtWorkAsNumber": int(at_work), "ReservedAsNumber": int(row["Reserved"])}
    sender, intake = (template["Resources"][f"{name}Function"]["Properties"] for name in ("Sender", "Intake"))
    scaling = sender["Events"]["Reminders"]["Properties"]["ScalingConfig"]
    of_parts = intake["Events"]["Parts"]["Properties"]["ScalingConfig"]
    of_parts["MaximumConcurrency"] = {"Fn::FindInMap": ["Loaders", of_parts["MaximumConcurrency"], "AtWork"]}
    for place, name in (
        (scaling, "MaximumConcurrency"),
        (sender, "MemorySize"),
        (of_parts, "MaximumConcurrency"),
        (intake, "ReservedConcurrentExecutions"),
    ):
        table, key, column = place[name]["Fn::FindInMap"]
        place[name] = {"Fn::FindInMap": [table, key, f"{column}AsNumber"]}


def _one_metric_an_alarm(template: dict[str, Any]) -> None:
    for alarm in _of_type(template, "AWS::CloudWatch::Alarm"):
        queries = alarm["Properties"].pop("Metrics", None)
        if queries:
            first = queries[0]["MetricStat"]
            alarm["Properties"] |= {**first["Metric"], "Statistic": first["Stat"], "Period": first["Period"]}


def _attributes_may_be_missing(template: dict[str, Any]) -> None:
    for role in _of_type(template, "AWS::IAM::Role"):
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                statement.get("Condition", {}).get("Null", {}).pop("dynamodb:Attributes", None)
                if statement.get("Condition", {}).get("Null") == {}:
                    del statement["Condition"]["Null"]


PATCHES = (
    Patch(
        "AWS has no action sqs:SendMessageBatch: a batch is allowed by sqs:SendMessage. The stand-in asks for it.",
        _batches_are_sends,
    ),
    Patch(
        "AWS knows which attributes a request names (dynamodb:Attributes). The stand-in does not, and refuses what must"
        " name them. tests/integration/test_calls.py compares what is named.",
        _attributes_may_be_missing,
    ),
    Patch(
        "CloudFormation turns what a mapping or parameter says into a number where one is wanted. The stand-in leaves"
        " it a string and then cannot compare it, so that the queue is never polled.",
        _numbers_are_numbers,
    ),
    Patch(
        "The stand-in refuses alarms that compute with metrics. Each watches the first of its metrics instead, so that"
        " the dashboard still finds it: nothing here makes an alarm ring, since the stand-in has no metrics of AWS's.",
        _one_metric_an_alarm,
    ),
)


def _of_type(template: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource for resource in template["Resources"].values() if resource["Type"] == kind]


@dataclass(frozen=True, slots=True)
class Deployer:
    """
    Deploys the build to a stand-in, as often as it is asked.

    `change_layer` is applied to a copy of the built layer before the first deployment, as a commit would be.
    """

    url: str
    certificate: Path
    key: Key
    folder: Path
    log: Path
    change_layer: Callable[[Path], None] | None = None

    def deploy(self, parameters: Mapping[str, str], *, change: Callable[[dict[str, Any]], None] | None = None) -> str:
        """
        Deploy, and return what was printed.

        `change` is applied to the template as a commit would be, beside the patches.

        Raises:
            StandInError: it failed; the message names the log.
        """
        template = self._template(change)
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "SAM_CLI_TELEMETRY": "0",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        command = [
            *(_SAM, "deploy", "--template-file", template, "--stack-name", STACK, "--region", REGION),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"),
            *("--no-fail-on-empty-changeset", "--parameter-overrides", *overrides),
        ]
        done = subprocess.run(  # noqa: S603 - what `make` has installed
            list(map(str, command)),
            cwd=self.folder,  # where no samconfig.toml is
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_DEPLOY_WITHIN,
        )
        with self.log.open("a", encoding="utf-8") as log:
            log.write(done.stdout)
        if done.returncode:
            raise StandInError(f"sam deploy failed; see {self.log}")
        return done.stdout

    def _template(self, change: Callable[[dict[str, Any]], None] | None) -> Path:
        """Copy the build once, and patch the copy's template: what `make build` made stays as it is."""
        copy = self.folder / "build"
        if not copy.exists():
            shutil.copytree(_BUILD, copy)
            if self.change_layer:
                self.change_layer(copy / "DunningLayer")
        template = yaml_parse((copy / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
        for patch in PATCHES:
            patch.apply(template)
        if change:
            change(template)
        path = copy / "template.json"
        path.write_text(json.dumps(template, indent=2), "utf-8")
        return path
