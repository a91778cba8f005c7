"""
`make replies-export`: write the replies that people have labelled as lines of the corpus, for a person to read.

    python -m ops.replies_export --stack dunning-prod --out .local
    python -m ops.replies_export --out .local

It reads a deployed stack or, without STACK, what a local run has left in OUT, and changes nothing there. The lines go
to OUT/labelled.tsv. Digits, names, links, mail addresses, handles and street addresses are masked before they are
written, by the rules of `domain/replies/masked_reply.py`. Names of other people are not known, and stay: each line has
to be read by a person before it joins the corpus.

Exits with 0, or 2 if asked for what cannot be.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import batched
from pathlib import Path
from typing import NamedTuple, NoReturn

import boto3

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import reply_of
from dunning.domain.errors import DunningError, ServiceCallError, UnreadableRecordError
from dunning.domain.replies.intents import QUIET_INTENTS, ReplyIntent
from dunning.domain.replies.masked_reply import mask_for_larger_reader, says_something
from dunning.domain.replies.reply import Reply
from dunning.domain.texts.formulas import begins_a_formula
from dunning.policy import load_policies
from dunning.ports.customers import Customer
from dunning.services.reply_place import reply_place
from ops.stack import StackError, deployed

FILE = "labelled.tsv"
REPLIES_OF_A_RUN = "replies.jsonl"

HEAD = ("lang", "country", "said_on", "intents", "promised_on", "text")
"""The head line of a file of the corpus: `training/corpus.py` reads it."""

_CUSTOMERS_A_READ = 50
_ONLY_OWNER = 0o600
_ALONE = QUIET_INTENTS | {ReplyIntent.CHAT}
_READ_EACH = """\
Read each line before it joins layers/dunning/training/corpus/train. Take out names of other people, places, and all
that tells who wrote it; put invented values in the place of <number>, <name> and the like; and check the label.
"""


class ExportError(DunningError):
    """The replies cannot be read, or the file cannot be written; the message says why, and what to do."""


class LabelledText(NamedTuple):
    """A masked reply with the label of a person."""

    language: str
    country: str
    said_on: date
    intents: tuple[str, ...]
    promised_on: date | None
    masked: str


class _Parser(argparse.ArgumentParser):
    """Reports an error in one line; `--help` prints the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file, and return the exit code."""
    parser = _Parser(
        prog="make replies-export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", default="", help="the stack's name; without it a local run is read")
    parser.add_argument("--region", help="of the stack; by default that of the credentials")
    parser.add_argument("--out", type=Path, default=Path(".local"), help="a folder (%(default)s)")
    arguments = parser.parse_args(argv)
    left_out: Counter[str] = Counter()
    file = arguments.out / FILE
    try:
        _check_free(file)
        found = (
            labelled_in_stack(arguments.stack, arguments.region, left_out)
            if arguments.stack
            else labelled_in_run(arguments.out, left_out)
        )
        lines = list(corpus_lines(found, left_out))
        if lines:
            _write(file, lines)
    except (ExportError, StackError, ServiceCallError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"OUT={arguments.out}: {error.strerror}\n")
        return 2
    sys.stdout.write(f"{len(lines)} labelled replies{f' written to {file}' if lines else ''}\n")
    for why, count in sorted(left_out.items()):
        sys.stdout.write(f"{count} left out: {why}\n")
    if lines:
        sys.stdout.write(_READ_EACH)
    return 0


def labelled_in_stack(stack_name: str, region: str | None, left_out: Counter[str]) -> Iterator[LabelledText]:
    """
    Yield the labelled replies of a deployed stack. The table of contacts is read to its end.

    Raises:
        StackError, ServiceCallError: the stack cannot be read.
    """
    session = boto3.Session(region_name=region)
    stack = deployed(session.client("cloudformation"), stack_name)
    dynamodb = session.client("dynamodb")
    customers = DynamoCustomers(dynamodb, stack.output("CustomersTable"), int(stack.parameter("DueShards")))
    replies: list[Reply] = []
    with aws_call("Scan"):
        pages = dynamodb.get_paginator("scan").paginate(
            TableName=stack.output("ContactsTable"), FilterExpression="attribute_exists(labelled_at)"
        )
        for page in pages:
            for item in page["Items"]:
                try:
                    replies.append(reply_of(item))
                except UnreadableRecordError:
                    left_out["the reply cannot be read"] += 1
    policies = load_policies()
    for batch in batched(replies, _CUSTOMERS_A_READ, strict=False):
        known = customers.load(sorted({reply.customer_id for reply in batch}))
        for reply in batch:
            customer = known[reply.customer_id]
            facts = customer.facts if isinstance(customer, Customer) else None
            if facts is None:
                left_out["the customer's name is not known, and cannot be masked"] += 1
                continue
            yield LabelledText(
                facts.language,
                facts.phone_country,
                reply_place(facts, policies, reply.inbound.at).day,
                reply.labels,
                reply.label_promised_on,
                mask_for_larger_reader(reply.inbound.text, facts.name),
            )


def labelled_in_run(out: Path, left_out: Counter[str]) -> Iterator[LabelledText]:
    """
    Yield the labelled replies that a local run has left, which it has masked itself.

    Raises:
        ExportError: there are none of a run, or they cannot be read.
    """
    try:
        written = (out / REPLIES_OF_A_RUN).read_text("utf-8")
    except FileNotFoundError:
        raise ExportError(f"OUT={out}: no run has left its replies there: make run, or name a stack") from None
    for text in written.splitlines():
        try:
            line = json.loads(text)
            label = line["label"]
            if label is None:
                continue
            if not line["masked_text"]:
                left_out["the customer's name is not known, and cannot be masked"] += 1
                continue
            yield LabelledText(
                line["language"],
                line["country"],
                date.fromisoformat(line["local_at"][: len("2026-12-01")]),
                tuple(label["intents"]),
                date.fromisoformat(label["promised_on"]) if label["promised_on"] else None,
                line["masked_text"],
            )
        except (ValueError, KeyError, TypeError):
            raise ExportError(f"OUT={out}: {REPLIES_OF_A_RUN} cannot be read: make run plays it again") from None


def corpus_lines(found: Iterable[LabelledText], left_out: Counter[str]) -> Iterator[str]:
    """Yield the lines of the corpus, each text once, and count what is left out by the reason."""
    written: set[str] = set()
    for labelled in found:
        intents = labelled.intents or (ReplyIntent.CHAT,)
        if len(intents) > 1 and not _ALONE.isdisjoint(intents):
            left_out["acknowledged, auto_reply and chat stand alone in the corpus"] += 1
        elif not says_something(labelled.masked):
            left_out["nothing is left of the text once it is masked"] += 1
        elif begins_a_formula(labelled.masked):
            left_out["the text begins as a formula of a spreadsheet does"] += 1
        elif labelled.masked in written:
            left_out["the same text is there already"] += 1
        else:
            written.add(labelled.masked)
            promised_on = labelled.promised_on if ReplyIntent.PROMISE in intents else None
            yield "\t".join(
                (
                    labelled.language,
                    labelled.country,
                    labelled.said_on.isoformat(),
                    ",".join(intents),
                    promised_on.isoformat() if promised_on else "",
                    labelled.masked,
                )
            )


def _check_free(file: Path) -> None:
    if file.exists():
        raise ExportError(f"{file} is there already, and somebody may be at work on it: move it away first")


def _write(file: Path, lines: Sequence[str]) -> None:
    """Write the file for its owner alone: what is masked are still a customer's words."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
    with open(descriptor, "w", encoding="utf-8") as opened:  # noqa: PTH123 - of a descriptor
        opened.writelines(f"{line}\n" for line in ("\t".join(HEAD), *lines))


if __name__ == "__main__":
    sys.exit(main())
