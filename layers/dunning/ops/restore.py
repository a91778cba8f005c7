"""
`make restore`: a table of a deployed stack as it was, in a new table beside it; and customers from there back.

    python -m ops.restore --stack dunning-prod --table customers --at 2026-12-01T02:00:00Z [--apply]
    python -m ops.restore --stack dunning-prod --from dunning-prod-...-restored-... [--apply] [C0001 ...]

Without --apply it says what would happen. The table in use is never replaced, and never deleted.
Exits with 0 if it worked, 1 if somebody could not be brought back, 2 if asked for nonsense or AWS refuses.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.system_clock import SystemClock
from dunning.domain.errors import ServiceCallError
from dunning.ports.clock import Clock
from dunning.services.intake.cells import is_id
from dunning.services.restore import RestoreOutcome, RestoreService
from ops.stack import Deployed, StackError, deployed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TABLES = {"customers": "CustomersTable", "contacts": "ContactsTable"}
_EVERY_SECONDS = 20
_LONGEST_HOURS = 12


class RestoreError(Exception):
    """The table or the customers cannot be restored as asked; the message gives the reason."""


def window(dynamodb: DynamoDBClient, table: str) -> tuple[datetime, datetime]:
    """
    Return the earliest and the latest moment a table can be restored to.

    Raises:
        RestoreError: point-in-time recovery is off.
    """
    described = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = described.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise RestoreError(f"{table}: point-in-time recovery is off")
    return recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"]


def restore(dynamodb: DynamoDBClient, table: str, target: str, at: datetime | None, clock: Clock) -> None:
    """
    Restore a table into a new table, and set what AWS leaves out: recovery, deletion protection, expiry.

    Args:
        dynamodb: the client.
        table: the table in use.
        target: the new table's name.
        at: an aware instant within `window`; `None` is the latest.
        clock: to wait with.

    Raises:
        RestoreError: the new table did not become active, or is not like the table in use.
    """
    in_use = dynamodb.describe_table(TableName=table)["Table"]
    dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=target, **overrides(in_use, at))
    for _ in range(_LONGEST_HOURS * 3600 // _EVERY_SECONDS):
        if dynamodb.describe_table(TableName=target)["Table"].get("TableStatus") == "ACTIVE":
            break
        clock.sleep(_EVERY_SECONDS)
    else:
        raise RestoreError(f"{target} is not active after {_LONGEST_HOURS} hours; look at it in the console")
    source, restored = (dynamodb.describe_table(TableName=name)["Table"] for name in (table, target))
    if differing := [name for name in _shape(source) if _shape(source)[name] != _shape(restored)[name]]:
        raise RestoreError(f"{target} differs from {table} in {', '.join(differing)}")
    dynamodb.update_continuous_backups(
        TableName=target, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    expiry = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if expiry.get("TimeToLiveStatus") == "ENABLED":
        dynamodb.update_time_to_live(
            TableName=target,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": expiry["AttributeName"]},
        )
    dynamodb.update_table(TableName=target, DeletionProtectionEnabled=True)


def overrides(table: Mapping[str, Any], at: datetime | None) -> dict[str, Any]:
    """Return the parameters of a restore that AWS must not choose: the moment, the key, the billing mode."""
    asked: dict[str, Any] = {"RestoreDateTime": at} if at else {"UseLatestRestorableTime": True}
    if mode := table.get("BillingModeSummary", {}).get("BillingMode"):
        asked["BillingModeOverride"] = mode
    if key := table.get("SSEDescription", {}).get("KMSMasterKeyArn"):
        asked["SSESpecificationOverride"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    return asked


def _shape(table: Mapping[str, Any]) -> dict[str, object]:
    """The properties that a restored table must share with the table in use."""
    return {
        "keys": table["KeySchema"],
        "indexes": sorted(
            (index["IndexName"], str(index["KeySchema"]), str(index["Projection"]))
            for index in table.get("GlobalSecondaryIndexes", ())
        ),
    }


def customers_in(dynamodb: DynamoDBClient, table: str) -> Iterator[str]:
    """Yield the ids of all customers of a restored table. It reads the whole table: half a unit for each 4 KB."""
    for page in dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="#item = :facts",
        ExpressionAttributeNames={"#item": "item"},
        ExpressionAttributeValues={":facts": {"S": "facts"}},
        ProjectionExpression="customer_id",
    ):
        for item in page["Items"]:
            yield str(item["customer_id"]["S"])


def _moment(written: str) -> datetime:
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("needs a time zone, as in 2026-12-01T02:00:00Z")
    return moment.astimezone(UTC)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make restore", description="Restore a table of a deployed stack.")
    parser.add_argument("customers", nargs="*", metavar="CUSTOMER", help="with --from: only these; by default all")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", help="of the stack; by default that of the credentials")
    parser.add_argument("--table", choices=sorted(_TABLES), default="customers")
    parser.add_argument("--at", type=_moment, help="an instant with its zone; by default the latest there is")
    parser.add_argument("--from", dest="restored", metavar="TABLE", help="bring customers back from a restored table")
    parser.add_argument("--apply", action="store_true", help="do it; without it nothing is changed")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Restore a table or customers, and return the exit code."""
    arguments = _arguments(argv)
    clock = clock or SystemClock()
    if not all(map(is_id, arguments.customers)):
        sys.stderr.write("One of the arguments is no customer id\n")
        return 2
    session = boto3.Session(region_name=arguments.region)
    try:
        stack = deployed(session.client("cloudformation"), arguments.stack)
        dynamodb = session.client("dynamodb")
        if arguments.restored:
            return _restore_customers(dynamodb, stack, arguments, clock)
        return _restore(dynamodb, stack.output(_TABLES[arguments.table]), arguments, clock)
    except ClientError as error:
        sys.stderr.write(f"{error.operation_name}: {error.response['Error']['Message']}\n")
    except (StackError, RestoreError, ServiceCallError, BotoCoreError) as error:
        sys.stderr.write(f"{error}\n")
    return 2


def _restore(dynamodb: DynamoDBClient, table: str, arguments: argparse.Namespace, clock: Clock) -> int:
    earliest, latest = window(dynamodb, table)
    at: datetime | None = arguments.at
    sys.stdout.write(f"{table}\n  can be restored to any second from {earliest:%F %T} to {latest:%F %T} UTC\n")
    if at and not earliest <= at <= latest:
        raise RestoreError(f"{at:%F %T} UTC is outside of that")
    target = f"{table[:200]}-restored-{clock.now():%Y%m%d%H%M%S}"
    sys.stdout.write(f"  into the new table {target}\n")
    if not arguments.apply:
        sys.stdout.write("Nothing was changed. With APPLY=1 it is restored.\n")
        return 0
    restore(dynamodb, table, target, at, clock)
    sys.stdout.write("Restored, and protected like the table in use. The stack still uses the table it used.\n")
    if arguments.table == "customers":
        sys.stdout.write(f"Next: make restore STACK={arguments.stack} FROM={target}\n")
    return 0


def _restore_customers(dynamodb: DynamoDBClient, stack: Deployed, arguments: argparse.Namespace, clock: Clock) -> int:
    if arguments.table != "customers":
        raise RestoreError("only customers are brought back; audit records are read where they were restored")
    # A wake in a shard that the stack does not scan would never come.
    shards = int(stack.parameter("DueShards"))
    service = RestoreService(
        live=DynamoCustomers(dynamodb, stack.output("CustomersTable"), shards),
        backup=DynamoCustomers(dynamodb, arguments.restored, shards),
        clock=clock,
    )
    customer_ids = arguments.customers or customers_in(dynamodb, arguments.restored)
    counted = service.restore(customer_ids, change=arguments.apply)
    for outcome in RestoreOutcome:
        if counted[outcome]:
            sys.stdout.write(f"  {counted[outcome]:9,} {outcome.value}\n")
    if not arguments.apply:
        sys.stdout.write("Nothing was changed. With APPLY=1 they are brought back.\n")
    return 1 if counted[RestoreOutcome.CONTESTED] or counted[RestoreOutcome.UNREADABLE] else 0


if __name__ == "__main__":
    sys.exit(main())
