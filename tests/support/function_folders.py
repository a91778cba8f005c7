"""Functions by the name of their folder in `functions/`, which also names their log groups."""

import re


def folder_of(logical_id: str) -> str:
    """Return the folder of a function by its id in the template: `lender_events` for `LenderEventsFunction`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id.removesuffix("Function")).lower()
