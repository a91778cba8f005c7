"""
Intake: loads uploaded files of accounts.

S3 tells of uploads. A file that is too large for one invocation is split, and SQS delivers its parts. The answer to SQS
names the messages to deliver again.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from dunning import wiring
from dunning.entrypoint import batch_item_failures, entrypoint, sqs_messages


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """
    Load uploaded files and return the counts of each, or load parts of files.

    If some files cannot be loaded, the others are. Then the first error is raised, so that Lambda hands the event over
    again.
    """
    del context
    records = event.get("Records", ())  # the event S3 tests a new notification with has none
    if any("messageId" in record for record in records):
        return {**batch_item_failures(wiring.split_load_service().handle_batch(sqs_messages(event)))}
    summaries = []
    errors: list[Exception] = []
    for record in records:
        try:
            bucket, uploaded = record["s3"]["bucket"]["name"], record["s3"]["object"]
            key = unquote_plus(uploaded["key"])
            if key.endswith("/"):
                continue  # a folder made in the console
            uploaded_at = datetime.fromisoformat(record["eventTime"])
            size = int(uploaded.get("size", 0))
            if wiring.splits_file(size):
                summary = wiring.split_load_service().split(bucket, key, uploaded_at, size)
            else:
                summary = wiring.intake_service().load(bucket, key, uploaded_at)
            summaries.append(asdict(summary))
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    for first in errors:
        raise first
    return {"files": summaries}
