"""The items of file reports: they lie beside the list of file loads, by time of upload, until their time to live."""

from collections.abc import Mapping
from typing import Any

from dunning.adapters.dynamodb.items import SCHEMA, read_or_refuse
from dunning.adapters.dynamodb.keys import FILES, report_key
from dunning.adapters.dynamodb.layouts import INSTANT, NUMBER, SECONDS, TEXT, Field, ItemLayout
from dunning.ports.file_loads import FileReport

FILE_REPORT = ItemLayout(
    Field("file_id", TEXT),
    Field("uploaded_at", INSTANT),
    Field("ended_at", INSTANT),
    Field("expires_at", SECONDS),
    Field("name", TEXT, ""),
    Field("list_of", TEXT, ""),
    Field("refused", TEXT, ""),
    Field("line", NUMBER, 0),
    Field("field", TEXT, ""),
    Field("hint", TEXT, ""),
    Field("rejects_key", TEXT, ""),
    Field("rows", NUMBER, 0),
    Field("rows_refused", NUMBER, 0),
    Field("rows_noted", NUMBER, 0),
    Field("customers_loaded", NUMBER, 0),
    Field("customers_unchanged", NUMBER, 0),
    Field("customers_refused", NUMBER, 0),
    Field("older", NUMBER, 0),
    Field("erased", NUMBER, 0),
    Field("not_in_list", NUMBER, 0),
    Field("phones_shared", NUMBER, 0),
    Field("holds_not_understood", NUMBER, 0),
    Field("columns_ignored", NUMBER, 0),
    Field("parts", NUMBER, 1),
    Field("seconds", NUMBER, 0),
)


def report_item(report: FileReport) -> dict[str, Any]:
    """Write a report as an item."""
    return {
        "customer_id": {"S": FILES},
        "item": {"S": report_key(report.report_id)},
        "schema": {"N": str(SCHEMA)},
        **FILE_REPORT.write(report),
    }


def report_of(item: Mapping[str, Any]) -> FileReport:
    """
    Read a report.

    Raises:
        UnreadableRecordError: the item is not what `report_item` writes.
    """
    return read_or_refuse(lambda stored: FileReport(**FILE_REPORT.read(stored)), "file report", item)
