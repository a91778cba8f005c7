"""
What those who draw are told, in the tally table: one item a lender.

control, <lender>: `control` is the canonical JSON of all that holds, `version` the number it has. An item that is not
exactly what is written here is not read at all: nobody would know which arms are paused.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.writing import Pause, if_read, write_conditionally
from dunning.domain.effect.strategies import Strategy, strategy_from_json, strategy_to_json
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.clock import Clock
from dunning.ports.telemetry import LogEvent, Metric, Telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

CONTROL = "control"
"""The key below which all lenders are: whoever draws may read it and no other."""

_TRUSTED_FOR = timedelta(minutes=5)
_UNREADABLE_FOR = timedelta(seconds=30)
"""How long nothing is left to chance before it is tried again."""


def control_to_json(control: TrialControl) -> str:
    """Return the canonical JSON of a control: sorted keys, no spaces, each strategy with the hash of its own JSON."""
    written = {
        "lender": control.lender,
        "version": control.version,
        "strategies": [
            {"strategy": json.loads(strategy_to_json(strategy)), "version": strategy.version}
            for strategy in control.strategies
        ],
        "paused": {trial: sorted(arms) for trial, arms in control.paused.items()},
        "stopped": sorted(control.stopped),
        "reasons": dict(control.reasons),
    }
    return _plain_json(written)


def control_from_json(text: str) -> TrialControl:
    """
    Return the control of a canonical JSON.

    Raises:
        UnreadableRecordError: it is something else than `control_to_json` writes. The message names the fault.
    """
    try:
        written = json.loads(text)
        control = TrialControl(
            lender=written["lender"],
            version=int(written["version"]),
            strategies=tuple(_strategy_of(each) for each in written["strategies"]),
            paused={trial: frozenset(arms) for trial, arms in written["paused"].items()},
            stopped=frozenset(written["stopped"]),
            reasons=written["reasons"],
        )
        is_exact = control_to_json(control) == text
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise UnreadableRecordError(f"control of trials: {error or type(error).__name__}") from None
    if not is_exact:
        raise UnreadableRecordError("control of trials: it is not canonical, or a strategy is not that of its version")
    return control


def _strategy_of(written: Mapping[str, Any]) -> Strategy:
    return strategy_from_json(_plain_json(written["strategy"]))


def _plain_json(written: object) -> str:
    return json.dumps(written, sort_keys=True, separators=(",", ":"))


def _control_of(item: Mapping[str, Any] | None, lender: str) -> TrialControl:
    """Read an item; a lender without one has an empty control."""
    if not item:
        return TrialControl(lender=lender)
    try:
        control, version = control_from_json(item["control"]["S"]), int(item["version"]["N"])
    except (LookupError, ValueError) as error:
        raise UnreadableRecordError(f"control of trials: {type(error).__name__}") from None
    if (control.lender, control.version) != (lender, version) or version < 1:
        raise UnreadableRecordError("control of trials: lender and version are not those of the item")
    return control


def _control_key(lender: str) -> dict[str, Any]:
    return {"tally": {"S": CONTROL}, "part": {"S": lender}}


class DynamoTrialControls:
    """Implements `TrialControlWriter`."""

    def __init__(self, client: DynamoDBClient, table: str, pause: Pause = time.sleep) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def stored_control(self, lender: str) -> TrialControl:
        """Get the item, strongly consistent."""
        with aws_call("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=_control_key(lender), ConsistentRead=True)
        return _control_of(answer.get("Item"), lender)

    def publish(self, control: TrialControl, *, expected_version: int) -> bool:
        """Put the item on condition that its version is the one that was read."""
        item: dict[str, Any] = {
            **_control_key(control.lender),
            "version": {"N": str(control.version)},
            "control": {"S": control_to_json(control)},
        }
        condition = if_read("#version", expected_version, "tally")
        named: Any = {"ExpressionAttributeNames": {"#version": "version"}} if expected_version else {}
        stored = write_conditionally(
            "PutItem",
            lambda: self._client.put_item(TableName=self._table, Item=item, **condition, **named),
            self._pause,
        )
        return stored is None


class _Known(NamedTuple):
    """What was read of a lender, and until when it counts."""

    control: TrialControl | None
    read_at: datetime
    until: datetime


class DynamoTrialControlReader:
    """Implements `TrialControlReader`: reads each lender's item at most every five minutes."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock, telemetry: Telemetry) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._telemetry = telemetry
        self._known: dict[str, _Known] = {}
        self._lock = Lock()

    def control_of(self, lender: str) -> TrialControl | None:
        """Get the item, unless that was done within five minutes; after a failure, within thirty seconds."""
        now = self._clock.now()
        known = self._known.get(lender)
        if known is not None and known.read_at <= now < known.until:
            return known.control  # without the lock: each decision asks
        with self._lock:
            known = self._known.get(lender)
            if known is None or not known.read_at <= now < known.until:
                control = self._read(lender)
                if known is not None and control == known.control:
                    control = known.control  # the same object: whoever made rules of it need not make them again
                trusted_for = _UNREADABLE_FOR if control is None else _TRUSTED_FOR
                known = self._known[lender] = _Known(control, now, now + trusted_for)
            return known.control

    def _read(self, lender: str) -> TrialControl | None:
        try:
            with aws_call("GetItem"):
                answer = self._client.get_item(TableName=self._table, Key=_control_key(lender))
            return _control_of(answer.get("Item"), lender)
        except (ServiceCallError, UnreadableRecordError) as error:
            code = error.code if isinstance(error, ServiceCallError) else type(error).__name__
            self._telemetry.log_event(LogEvent.TRIAL_CONTROL_UNREADABLE, lender=lender, code=code)
            self._telemetry.count(Metric.TRIAL_CONTROL_UNREADABLE)
            return None
