"""
Write the JSON Schemas of all events in and out from their contracts: `python -m tests.devtools.schemas`, then review.

With `--check` nothing is written: the files that would differ are named, and the exit status is 1.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from dunning.contracts.lender_event import EVENTS
from dunning.contracts.outbound_event import DETAILS
from dunning.contracts.rates_document import RatesDocument
from dunning.contracts.trials_document import TrialsDocument
from dunning.contracts.what_if_result import WhatIfResult
from tests.devtools.customer_schema import customer_schema
from tests.devtools.generated import write_or_check

FOLDER = Path(__file__).parents[2] / "events" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


type Mode = Literal["validation", "serialization"]


def written(model: type[BaseModel], mode: Mode) -> str:
    """Return the file of a contract: what stands in `detail`. In events we put out every field is always there."""
    schema = {"$schema": DIALECT, **model.model_json_schema(mode=mode)}
    first = ("$schema", "title", "description", "type")
    ordered = {name: schema[name] for name in first} | schema
    return json.dumps(ordered, ensure_ascii=False, indent=2) + "\n"


def wanted() -> Mapping[str, str]:
    """
    Return all files by their path below the folder.

    `in/` is what lenders put on the bus, `out/` what we do. `customer_document.json` is what is kept of a customer,
    `what_if.json` what a what-if comes to, `rates.json` what follows reminders, `trials.json` what is known of trials.
    """
    return {
        **{f"in/{kind}.json": written(model, "validation") for kind, model in EVENTS.items()},
        **{f"out/{kind}.json": written(model, "serialization") for kind, model in DETAILS.items()},
        "rates.json": written(RatesDocument, "serialization"),
        "trials.json": written(TrialsDocument, "serialization"),
        "what_if.json": written(WhatIfResult, "serialization"),
        "customer_document.json": json.dumps(customer_schema(DIALECT), ensure_ascii=False, indent=2) + "\n",
    }


def _stored(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in folder.rglob("*.json")}


def differing(folder: Path = FOLDER) -> list[str]:
    """Return the names of files that are not what the contracts say, that are missing, or that no contract has."""
    there, files = _stored(folder), wanted()
    return sorted(name for name in there.keys() | files.keys() if there.get(name) != files.get(name))


def write_all(folder: Path = FOLDER) -> None:
    """Write the files, and remove those that no contract has."""
    files = wanted()
    for name in _stored(folder).keys() - files.keys():
        (folder / name).unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write the schemas, or tell which would differ."""
    return write_or_check("Write the schemas of the events from their contracts.", write_all, differing, arguments)


if __name__ == "__main__":
    sys.exit(main())
