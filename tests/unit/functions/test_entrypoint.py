"""What leaves a function when something goes wrong: words of ours, or the kind of the error and nothing else."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dunning import wiring
from dunning.domain.errors import DunningError, ServiceCallError, UnexpectedError
from dunning.entrypoint import entrypoint
from tests.local import ROOT
from tests.support.fakes import FakeTelemetry

PHONE = "+886912345678"
EVENTS: dict[str, tuple[str, Any]] = {
    "scanner": ("scan_service", {}),
    "sender": ("send_service", {"Records": []}),
    "intake": (
        "intake_service",
        {
            "Records": [
                {
                    "eventTime": "2026-12-01T02:00:00Z",
                    "s3": {"bucket": {"name": "b"}, "object": {"key": "accounts/a.csv"}},
                }
            ]
        },
    ),
    "lender_events": ("lender_event_service", {"Records": []}),
    "replies": ("reply_service", {"Records": []}),
    "delivery_receipts": ("delivery_receipt_service", {"Records": []}),
    "housekeeping": ("close_unknown_service", {"task": "close_unknown"}),
    "effect": ("trial_night_service", {}),
    "webhooks": ("webhook_service", {"requestContext": {"http": {"method": "GET", "path": "/"}}}),
    "replan": ("replan_service", {"Records": []}),
    "tally": ("tally_service", {"Records": [], "shardId": "shard-1"}),
    "console": ("console", json.loads((ROOT / "events" / "console" / "page.json").read_text("utf-8"))),
}
"""What each function is handed, and the service it asks its wiring for."""


class FlushedTelemetry(FakeTelemetry):
    """A telemetry that counts how often metrics went out."""

    flushed = 0

    def flush(self) -> None:
        self.flushed += 1


def _fails() -> None:
    raise ValueError(f"cannot judge {PHONE}")


def invoke(telemetry: FlushedTelemetry, do: Callable[[], object]) -> object:
    return entrypoint(SimpleNamespace(telemetry=lambda: telemetry))(do)()


def test_an_unforeseen_error_leaves_by_its_kind_and_its_place_is_logged() -> None:
    telemetry = FlushedTelemetry()
    with pytest.raises(UnexpectedError, match=r"^ValueError$") as caught:
        invoke(telemetry, _fails)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    ((name, fields),) = telemetry.events
    assert (name, fields["error"]) == ("unexpected", "ValueError")
    assert str(fields["where"]).startswith("_fails:")
    assert PHONE not in repr(telemetry.events)
    assert telemetry.flushed == 1


def test_an_error_of_ours_leaves_as_it_is() -> None:
    def ours() -> None:
        raise ServiceCallError("Query", "Throttling")

    telemetry = FlushedTelemetry()
    with pytest.raises(ServiceCallError, match=r"^Query: Throttling$"):
        invoke(telemetry, ours)
    assert (telemetry.events, telemetry.flushed) == ([], 1)


def test_without_an_error_only_what_was_counted_goes_out() -> None:
    telemetry = FlushedTelemetry()
    assert invoke(telemetry, lambda: "answer") == "answer"
    assert (telemetry.events, telemetry.flushed) == ([], 1)


def test_the_end_of_the_process_is_none_of_its_business() -> None:
    def ends() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        invoke(FlushedTelemetry(), ends)


def test_every_function_is_here() -> None:
    assert EVENTS.keys() == {path.parent.name for path in Path(ROOT / "functions").glob("*/app.py")}


@pytest.mark.parametrize("function", EVENTS)
def test_no_function_lets_words_of_others_out(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = FlushedTelemetry()
    service, event = EVENTS[function]
    monkeypatch.setattr(wiring, "telemetry", lambda: telemetry)
    monkeypatch.setattr(wiring, service, _fails)
    handler = importlib.import_module(f"functions.{function}.app").lambda_handler
    with pytest.raises(DunningError) as caught:
        handler(event, None)
    assert PHONE not in json.dumps([str(caught.value), repr(caught.value), repr(telemetry.events)])
    assert [name for name, _ in telemetry.events] == ["unexpected"]
    assert telemetry.flushed == 1
