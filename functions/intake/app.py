"""The intake function: a file of accounts was uploaded."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from dunning import wiring


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Load the uploaded files of an S3 event and return what became of each, in counts."""
    del context
    service = wiring.intake()
    summaries = []
    for record in event.get("Records", ()):  # S3's test event has none
        key = unquote_plus(record["s3"]["object"]["key"])
        if key.endswith("/"):
            continue  # a folder made in the console
        uploaded_at = datetime.fromisoformat(record["eventTime"])
        summaries.append(asdict(service.load(record["s3"]["bucket"]["name"], key, uploaded_at)))
    return {"files": summaries}
