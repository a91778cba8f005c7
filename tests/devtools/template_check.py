"""
What checkov and cdk-nag find in the translated template, beside what we have decided to leave as it is, and why.

    python -m tests.devtools.template_check checkov PATH     with the checkov at PATH; `make check` does
    python -m tests.devtools.template_check nag FOLDER       with node and the packages of FOLDER; `make nag` does

Both look at what CloudFormation would be asked to create: on the source their rules would skip what SAM makes. A
finding that is not listed here fails, and so does one that is listed and no longer found.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.local import ROOT
from tests.local.template import translate

type Found = Mapping[str, frozenset[str]]
"""Resources by the rule they break."""

_FED_BY_QUEUES = frozenset(
    {"SenderFunction", "LenderEventsFunction", "RepliesFunction", "DeliveryReceiptsFunction", "ReplanFunction"}
)
_FUNCTIONS = _FED_BY_QUEUES | {
    "ScannerFunction", "IntakeFunction", "DeliveryReceiptsFunction", "HousekeepingFunction", "TallyFunction",
    "EffectFunction", "ConsoleFunction", "WebhooksFunction",
}  # fmt: skip
_FED = frozenset({"Reminders", "LenderEvents", "Replies", "DeliveryReceipts", "Replan", "FileParts", "ChannelEvents"})
_DEAD_LETTERS = frozenset(
    {"TickDeadLetters", "IntakeDeadLetters", "DeliveryReceiptsDeadLetters", "TallyDeadLetters"}
) | {f"{queue}DeadLetters" for queue in _FED}
_WITH_OUR_KEY = frozenset(
    {"Replies", "RepliesDeadLetters", "DeliveryReceiptsDeadLetters", "ChannelEvents", "ChannelEventsDeadLetters"}
)
_NO_FAILED_TICK_IS_KEPT = "a failed tick is repeated by the next one, a minute later; ScannerSilentAlarm notices"


class Accepted(NamedTuple):
    """A rule, the resources that may break it, and why that is right."""

    rule: str
    resources: frozenset[str]
    reason: str


CHECKOV = (
    Accepted(
        "CKV_AWS_18",
        frozenset({"UploadsBucket", "BooksBucket"}),
        "server access logs come late and with gaps, in a second bucket to guard; operations.md has the engineer turn "
        "on CloudTrail's data events, which are complete",
    ),
    Accepted(
        "CKV_AWS_21",
        frozenset({"BooksBucket"}),
        "a version would keep whoever was erased; a part of a book that is lost is made anew from fifty days of rungs",
    ),
    Accepted(
        "CKV_AWS_27",
        (_FED | _DEAD_LETTERS | {"NewsFailures"}) - _WITH_OUR_KEY,
        "encrypted, by SQS itself, which this rule does not know; ids, file names and carriers' words without numbers "
        "inside; a refused event lies whole in LenderEventsDeadLetters, as it did on the bus, and erasures look for it",
    ),
    Accepted(
        "CKV_AWS_111",
        frozenset({"SenderRole", "RepliesRole"}),
        "a phone number has no ARN: publishing is allowed, and denied to every topic and endpoint",
    ),
    Accepted(
        "CKV_AWS_115",
        (_FED_BY_QUEUES | {"TallyFunction", "ConsoleFunction", "WebhooksFunction"})
        - {"RepliesFunction", "LenderEventsFunction"},
        "if others take the account's capacity, they are late, and nobody is harmed: stops and payments have a share "
        "of their own; MaximumConcurrency limits them, but for delivery logs, which come now and then in a crowd; the "
        "tally has an instance a shard, and console and webhooks are throttled at their APIs",
    ),
    Accepted(
        "CKV_AWS_116",
        _FUNCTIONS,
        f"{_NO_FAILED_TICK_IS_KEPT}; the sender's dead letters are its queue's, the intake's and the tally's go to "
        "their destinations; who asks the console sees that it failed",
    ),
    Accepted(
        "CKV_AWS_117",
        _FUNCTIONS,
        "they call AWS and nothing else, the console the identity provider as well: a network of our own would only "
        "add a way out",
    ),
    Accepted("CKV_AWS_173", _FUNCTIONS, "names of tables, queues and a parameter, no secrets; encrypted by Lambda"),
)

NAG = (
    Accepted("AwsSolutions-L1", _FUNCTIONS, "Python 3.13 is what is tested and what the layer's bytecode is for"),
    Accepted("Serverless-LambdaLatestVersion", _FUNCTIONS, "as AwsSolutions-L1"),
    Accepted("AwsSolutions-S1", frozenset({"UploadsBucket", "BooksBucket"}), "as CKV_AWS_18"),
    Accepted(
        "AwsSolutions-SQS3",
        frozenset({"TickDeadLetters", "IntakeDeadLetters", "TallyDeadLetters", "NewsFailures"}),
        "dead letters of schedules and of functions, which the rule does not know for such; nobody reads NewsFailures",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::*]",
        frozenset({"SenderRole", "RepliesRole", "HousekeepingRole"}),
        "as CKV_AWS_111; nor has the carrier's list of those who want no texts an ARN",
    ),
    Accepted(
        "Serverless-LambdaStarPermissions",
        frozenset({"SenderRole", "RepliesRole", "HousekeepingRole"}),
        "as CKV_AWS_111",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::<BooksBucket.Arn>/books/*]",
        frozenset({"EffectRole"}),
        "parts are named by lender and trial",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::<UploadsBucket.Arn>/accounts/*]",
        frozenset({"IntakeUploads", "LenderEventsRole"}),
        "files are named by who uploads them",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::<UploadsBucket.Arn>/complete/*]",
        frozenset({"IntakeUploads", "LenderEventsRole"}),
        "files are named by who uploads them",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:sns/*]",
        frozenset({"SmsDeliveryRole"}),
        "SNS names its groups, by region and account",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:bedrock:*::foundation-model/*]",
        frozenset({"LargerReaderAccess"}),
        "a profile chooses Region and model; a condition allows the models of one profile only",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::<UploadsBucket.Arn>/rejects/*]",
        frozenset({"IntakeUploads", "ConsoleRole"}),
        "files are named by who uploads them",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::<UploadsBucket.Arn>/parts/*]",
        frozenset({"IntakeUploads", "LenderEventsRole"}),
        "parts are named by their file",
    ),
    Accepted(
        "AwsSolutions-IAM5[Resource::<UploadsBucket.Arn>/outcomes/*]",
        frozenset({"IntakeUploads"}),
        "parts are named by their file",
    ),
    *(
        Accepted(
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:sms-voice:<AWS::Region>:<AWS::AccountId>:{kind}/*]",
            frozenset({"EumAccess", "EumConfirmations"}),
            "which numbers send, the lenders' policies say",
        )
        for kind in ("phone-number", "pool", "sender-id")
    ),
    *(
        Accepted(
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:"
            f"parameter/<AWS::StackName>/secrets/line/*/{name}]",
            frozenset({role}),
            "a secret for each lender, all of this stack",
        )
        for name, role in (("channel-secret", "WebhooksRole"), ("access-token", "SecretsAccess"))
    ),
    Accepted(
        "AwsSolutions-APIG4",
        frozenset({"PeopleRoute", "LineRoute", "UnsubscribeRoute", "UnsubscribePageRoute"}),
        "an authorizer of an HTTP API takes no cookie and sees no body: the functions ask for a session, a signature "
        "or a token; programs have an authorizer",
    ),
    Accepted(
        "Serverless-SQSRedrivePolicy",
        _DEAD_LETTERS | {"NewsFailures"},
        "dead-letter queues: what is in them has already failed; nobody reads NewsFailures",
    ),
    Accepted("Serverless-LambdaDLQ", _FUNCTIONS, "as CKV_AWS_116"),
    Accepted(
        "Serverless-LambdaAsyncFailureDestination",
        frozenset(
            {
                "ScannerFunctionEventInvokeConfig",
                "HousekeepingFunctionEventInvokeConfig",
                "EffectFunctionEventInvokeConfig",
            }
        ),
        f"{_NO_FAILED_TICK_IS_KEPT}; the housekeeping's, an hour or a day later; HousekeepingErrorsAlarm notices that",
    ),
    Accepted(
        "Serverless-LambdaEventSourceMappingDestination",
        frozenset(
            {
                "SenderFunctionReminders",
                "LenderEventsFunctionLenderEvents",
                "RepliesFunctionReplies",
                "DeliveryReceiptsFunctionLater",
                "ReplanFunctionParts",
                "IntakeFunctionParts",
                "ChannelEventsMapping",
            }
        ),
        "for streams: what fails of a queue goes to the queue's dead letters",
    ),
    Accepted(
        "Serverless-SNSRedrivePolicy",
        frozenset({"AlarmSubscription", "ComplianceSubscription"}),
        "an e-mail: that it arrives is seen when the address is confirmed, and the alarm stays red",
    ),
    Accepted("Serverless-LambdaTracing", _FUNCTIONS, "86 ms of every cold start, for a path one queue long"),
    Accepted("W3011", frozenset({"DunningLayer"}), "written by SAM, which gives a layer a new name for each version"),
)


def with_checkov(template: Path, out: Path, tool: Path) -> Found:
    """Run checkov, without network and credentials."""
    del out
    options = ("--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "-o", "json")
    run = _run(tool, "-f", template, *options)
    try:
        report = json.loads(run.stdout)
        failed, summary = report["results"]["failed_checks"], report["summary"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise SystemExit(f"checkov did not work:\n{run.stdout}{run.stderr}") from None
    if summary["parsing_errors"] or not summary["passed"]:
        raise SystemExit(f"checkov could not read the template: {summary}")
    return _grouped((failure["check_id"], failure["resource"].rpartition(".")[2]) for failure in failed)


def with_nag(template: Path, out: Path, tool: Path) -> Found:
    """Run cdk-nag's packs AwsSolutions and Serverless."""
    run = _run(Path("node"), tool / "nag.mjs", template, out)
    report = out / "validation-report.json"
    if run.returncode or not report.exists():
        raise SystemExit(f"cdk-nag did not work:\n{run.stdout}{run.stderr}")
    reports = json.loads(report.read_text("utf-8"))["pluginReports"]
    ran = {plugin["pluginName"] for plugin in reports}
    if not {"AwsSolutions", "Serverless"} <= ran:
        raise SystemExit(f"cdk-nag ran {sorted(ran)} only")
    return _grouped(
        (violation["ruleName"], _logical_id(construct["constructPath"]))
        for plugin in reports
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    )


def _logical_id(path: str) -> str:
    """Return a construct's logical id, without the hash SAM gives a layer."""
    name = path.rpartition("/")[2]
    return "DunningLayer" if name.startswith("DunningLayer") else name


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)  # noqa: S603 - ours


def _grouped(pairs: Iterable[tuple[str, str]]) -> Found:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for rule, resource in pairs:
        found[rule].add(resource)
    return {rule: frozenset(resources) for rule, resources in found.items()}


def judge(found: Found, accepted: Iterable[Accepted]) -> list[str]:
    """Return what is found and not accepted, and what is accepted and not found."""
    expected = {finding.rule: finding.resources for finding in accepted}
    wrong = []
    for rule in sorted(found.keys() | expected.keys()):
        is_found, is_expected = found.get(rule, frozenset()), expected.get(rule, frozenset())
        wrong += [f"{rule}: {name} breaks it" for name in sorted(is_found - is_expected)]
        wrong += [
            f"{rule}: {name} no longer breaks it, take it off the list" for name in sorted(is_expected - is_found)
        ]
    return wrong


_TOOLS: Mapping[str, tuple[Callable[[Path, Path, Path], Found], tuple[Accepted, ...]]] = {
    "checkov": (with_checkov, CHECKOV),
    "nag": (with_nag, NAG),
}


def main() -> int:
    """Check, say what was left as it is and why, and return 1 if there is anything else."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=_TOOLS)
    parser.add_argument("where", type=Path)
    arguments = parser.parse_args()
    check, accepted = _TOOLS[arguments.tool]
    os.environ.setdefault("AWS_DEFAULT_REGION", "ap-northeast-1")
    with TemporaryDirectory() as folder:
        template = Path(folder) / "template.json"
        template.write_text(json.dumps(translate(ROOT / "template.yaml")), encoding="utf-8")
        wrong = judge(check(template, Path(folder) / "out", arguments.where.absolute()), accepted)
    if wrong:
        sys.stderr.write("".join(f"{line}\n" for line in wrong))
        return 1
    for finding in accepted:
        sys.stdout.write(f"{finding.rule} left as it is: {finding.reason}.\n")
    sys.stdout.write(f"{arguments.tool} finds nothing else.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
