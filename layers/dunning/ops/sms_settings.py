"""
`make sms-settings`: the account's SMS settings beside what the policies need; APPLY=1 sets what can be set.

    python -m ops.sms_settings --spend-limit 500 --stack dunning-prod [--apply]

These settings belong to account and region, not to a stack: no template can hold them. What is set is read again.
Exits with 0 if nothing is to do, 1 if something is, 2 if AWS cannot be reached or the arguments are nonsense.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.lender import valid_sender_id
from ops.stack import StackError, deployed

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

ROLE_OUTPUT = "SmsDeliveryRoleArn"
"""The stack's output that names the role under which SNS writes delivery logs."""

_MILLION = 1_000_000

type Status = Literal["ok", "to do", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    The wanted settings. Empty or `None` leaves a setting as it is.

    `spend_limit` is in whole US dollars a month, `role` an ARN, `sender_id` the account's default.
    """

    spend_limit: int | None = None
    role: str = ""
    sender_id: str = ""

    def attributes(self) -> dict[str, str]:
        """Return the settings by SNS's names. All texts are transactional, and each delivery is logged."""
        wanted = {"DefaultSMSType": "Transactional"}
        if self.spend_limit is not None:
            wanted["MonthlySpendLimit"] = str(self.spend_limit)
        if self.role:
            wanted |= {"DeliveryStatusIAMRole": self.role, "DeliveryStatusSuccessSamplingRate": "100"}
        if self.sender_id:
            wanted["DefaultSenderID"] = self.sender_id
        return wanted


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist: the subject `what`, the state found, and the step to do."""

    status: Status
    what: str
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The sender and numbers of a lender's policy for a country, and whether its carriers demand a registration."""

    lender: str
    country: str
    sender_id: str
    origination_number: str
    entity_id: str
    templates: int
    registered_sender: bool


def needs_of(book: PolicyBook) -> Iterator[Need]:
    """Yield the needs of each lender's policy for each country."""
    for name, lender in sorted(book.lenders.items()):
        for code, country in lender.policy.countries.items():
            yield Need(
                lender=name,
                country=code,
                sender_id=country.sender_id,
                origination_number=country.origination_number,
                entity_id=country.entity_id,
                templates=len(country.registered),
                registered_sender=any(place.law.carrier.registered_sender for place in book.places.reached_by(code)),
            )


def changes(found: Mapping[str, str], wanted: Wanted) -> dict[str, str]:
    """Return the attributes that differ from the wanted settings."""
    return {name: value for name, value in wanted.attributes().items() if not _same(found.get(name, ""), value)}


def _same(found: str, wanted: str) -> bool:
    return found == wanted or (found.isdecimal() and wanted.isdecimal() and int(found) == int(wanted))


def settings(found: Mapping[str, str], wanted: Wanted, fee: Decimal) -> Iterator[Check]:
    """
    Yield the checks of the settings that `SetSMSAttributes` can set.

    Args:
        found: the account's attributes, without those that were never set.
        wanted: the wanted settings.
        fee: the dearest fee of a segment among the policies' countries, in US dollars.
    """
    kind = found.get("DefaultSMSType", "not set")
    yield _check(kind == "Transactional", "type of texts", kind, "DefaultSMSType = Transactional")
    limit = found.get("MonthlySpendLimit", "1")
    pays = f"${limit} a month, {int(Decimal(limit) / fee):,} segments at ${fee}"
    if wanted.spend_limit is None:
        yield Check("cannot tell", "spend limit", pays, "say what it is to be: SPEND=dollars a month")
    else:
        yield _check(
            _same(limit, str(wanted.spend_limit)), "spend limit", pays, f"MonthlySpendLimit = {wanted.spend_limit}"
        )
    role = found.get("DeliveryStatusIAMRole", "")
    rate = found.get("DeliveryStatusSuccessSamplingRate", "0")
    if wanted.role:
        yield _check(role == wanted.role, "role for delivery logs", role or "not set", f"set it to {wanted.role}")
    elif role:
        yield Check("ok", "role for delivery logs", role)
    else:
        yield Check("to do", "role for delivery logs", "not set", f"name one: STACK= with {ROLE_OUTPUT}, or ROLE=arn")
    yield _check(rate == "100", "deliveries logged", f"{rate} %", "DeliveryStatusSuccessSamplingRate = 100")
    if wanted.sender_id:
        default = found.get("DefaultSenderID", "not set")
        yield _check(default == wanted.sender_id, "default sender", default, f"DefaultSenderID = {wanted.sender_id}")


def sandbox(client: SNSClient) -> Check:
    """Check that the account may text numbers that are not verified."""
    answer = _asked(lambda: client.get_sms_sandbox_account_status()["IsInSandbox"])
    if isinstance(answer, Check):
        return _unknown(answer, "SMS sandbox")
    if answer:
        return Check(
            "to do", "SMS sandbox", "in the sandbox: only verified numbers get texts", "ask AWS Support to move it out"
        )
    return Check("ok", "SMS sandbox", "left")


def identities(client: SNSClient, needs: Iterable[Need]) -> Iterator[Check]:
    """Check the numbers and senders of the policies against those of the account."""
    answer = _asked(
        lambda: {
            _digits(str(number["PhoneNumber"])): str(number.get("Status", ""))
            for page in client.get_paginator("list_origination_numbers").paginate()
            for number in page["PhoneNumbers"]
            if "PhoneNumber" in number
        }
    )
    for need in needs:
        where = f"{need.lender} in {need.country}"
        if need.origination_number:
            subject = f"{where}: number"
            if isinstance(answer, Check):
                yield _unknown(answer, subject)
            else:
                status = answer.get(_digits(need.origination_number), "not this account's")
                yield _check(
                    status.lower() == "active", subject, f"{need.origination_number}: {status}", "get or fix it"
                )
        if need.sender_id:
            requirement = "registered with the country's registry" if need.registered_sender else "allowed there"
            yield Check(
                "cannot tell", f"{where}: sender", need.sender_id, f"SNS does not say whether it is {requirement}"
            )
        elif need.registered_sender:
            yield Check("to do", f"{where}: sender", "none", "register one, and name it in the policy")
        if need.entity_id or need.templates:
            named = f"entity {need.entity_id or 'none'}, {need.templates} templates"
            yield Check("cannot tell", f"{where}: registration", named, "compare with the carrier's registry")


def opted_out(client: SNSClient) -> Check:
    """Count the numbers that SNS itself refuses to text. Their texts fail after they were accepted."""
    answer = _asked(
        lambda: sum(
            len(page.get("phoneNumbers", ()))
            for page in client.get_paginator("list_phone_numbers_opted_out").paginate()
        )
    )
    if isinstance(answer, Check):
        return _unknown(answer, "opted out at SNS")
    return Check("ok", "opted out at SNS", f"{answer:,} numbers")


def _check(good: bool, subject: str, found: str, todo: str) -> Check:  # noqa: FBT001 - what it is about
    return Check("ok", subject, found) if good else Check("to do", subject, found, todo)


def _unknown(why: Check, subject: str) -> Check:
    return Check("cannot tell", subject, why.found, why.todo)


def _asked[T](ask: Callable[[], T]) -> T | Check:
    """Ask AWS, and turn a refusal to answer into a check that cannot tell."""
    try:
        return ask()
    except ClientError as error:
        return Check("cannot tell", "", error.response["Error"]["Code"], "may these credentials ask that?")
    except (BotoCoreError, ResponseParserError, NotImplementedError) as error:  # emulations have no readable answer
        return Check("cannot tell", "", type(error).__name__, "ask again, or look in the console")


def _digits(number: str) -> str:
    return "".join(filter(str.isdecimal, number))


def _dearest_fee(book: PolicyBook, needs: Iterable[Need]) -> Decimal:
    countries = {need.country.partition("-")[0] for need in needs}
    return max(Decimal(book.price(country, 1)) / _MILLION for country in countries)


def checklist(client: SNSClient, book: PolicyBook, wanted: Wanted) -> list[Check]:
    """
    Check everything.

    Raises:
        botocore.exceptions.ClientError: the settings themselves cannot be read.
    """
    needs = list(needs_of(book))
    found = client.get_sms_attributes()["attributes"]
    return [
        *settings(found, wanted, _dearest_fee(book, needs)),
        sandbox(client),
        *identities(client, needs),
        opted_out(client),
    ]


def apply(client: SNSClient, wanted: Wanted) -> dict[str, str]:
    """
    Set the attributes that differ, in a call each, so that a refused attribute does not hold up the others.

    Returns the refusals by attribute: SNS's own words.
    """
    refused = {}
    for name, value in changes(client.get_sms_attributes()["attributes"], wanted).items():
        try:
            client.set_sms_attributes(attributes={name: value})
        except ClientError as error:
            refused[name] = str(error.response["Error"].get("Message", error.response["Error"]["Code"]))
    return refused


_WIDTHS = {"ok": "ok", "to do": "TO DO", "cannot tell": "?"}


def lines(checks: Iterable[Check]) -> Iterator[str]:
    """Yield the checklist as text."""
    for check in checks:
        yield f"  {_WIDTHS[check.status]:6} {check.what:28} {check.found}"
        if check.todo:
            yield f"  {'':6} {'':28} -> {check.todo}"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make sms-settings", description="Check and set the SMS settings of an account and region."
    )
    parser.add_argument("--region", help="by default that of the credentials")
    parser.add_argument("--stack", help=f"take the role for delivery logs from its output {ROLE_OUTPUT}")
    parser.add_argument("--role", default="", help="the role for delivery logs, an ARN")
    parser.add_argument("--spend-limit", type=int, metavar="DOLLARS", help="a month, carrier fees included")
    parser.add_argument("--sender-id", default="", type=valid_sender_id, help="where a policy names none")
    parser.add_argument("--apply", action="store_true", help="set what differs; without it nothing is changed")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Check, perhaps set, and return the exit code."""
    arguments = _arguments(argv)
    session = boto3.Session(region_name=arguments.region)
    try:
        role = arguments.role
        if arguments.stack and not role:
            role = deployed(session.client("cloudformation"), arguments.stack).output(ROLE_OUTPUT)
        client = session.client("sns")
        book = load_policies()
        wanted = Wanted(arguments.spend_limit, role, arguments.sender_id)
        refused = apply(client, wanted) if arguments.apply else {}
        checks = checklist(client, book, wanted)
    except (StackError, PolicyError, ClientError, BotoCoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"SMS settings of this account in {session.region_name}\n")
    sys.stdout.writelines(f"{line}\n" for line in lines(checks))
    for name, why in refused.items():
        sys.stdout.write(f"  SNS refused {name}: {why}\n")
    if "MonthlySpendLimit" in refused:
        sys.stdout.write(
            "  Above the account's quota only AWS Support can raise it: open a case, then run this again.\n"
        )
    todo = [check for check in checks if check.status == "to do"]
    sys.stdout.write(
        f"{len(todo)} to do, {sum(check.status == 'cannot tell' for check in checks)} nobody but you can tell. "
        + (
            "What could be set is set.\n"
            if arguments.apply
            else "Nothing was changed; APPLY=1 sets what SNS can set.\n"
        )
    )
    return 1 if todo else 0


if __name__ == "__main__":
    sys.exit(main())
