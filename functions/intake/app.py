"""Intake: loads uploaded files of accounts."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from dunning import wiring
from dunning.entrypoint import entrypoint


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """
    Load the uploaded files and return the counts of each.

    If some cannot be loaded, the others are. Then the first error is raised, so that Lambda hands the event over again.
    """
    del context
    summaries = []
    errors: list[Exception] = []
    for record in event.get("Records", ()):  # the event S3 tests a new notification with has none
        try:
            key = unquote_plus(record["s3"]["object"]["key"])
            if key.endswith("/"):
                continue  # a folder made in the console
            uploaded_at = datetime.fromisoformat(record["eventTime"])
            summary = wiring.intake_service().load(record["s3"]["bucket"]["name"], key, uploaded_at)
            summaries.append(asdict(summary))
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    for first in errors:
        raise first
    return {"files": summaries}
