"""The switch for all sending, a parameter of SSM."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from dunning.adapters.aws_call import aws_call
from dunning.domain.errors import ServiceCallError
from dunning.ports.clock import Clock
from dunning.ports.telemetry import LogEvent, Metric, Telemetry

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_TRUSTED_FOR = timedelta(seconds=30)
"""Half the minute within which the switch has to hold."""


class SsmSwitch:
    """Implements `SendingSwitch` and `SendingControl`. Every value but a readable `on` is off."""

    def __init__(self, client: SSMClient, parameter: str, clock: Clock, telemetry: Telemetry) -> None:
        self._client = client
        self._parameter = parameter
        self._clock = clock
        self._telemetry = telemetry
        self._read_at: datetime | None = None
        self._on = False
        self._lock = Lock()

    def is_on(self) -> bool:
        """Read the parameter, at most every thirty seconds."""
        with self._lock:
            now = self._clock.now()
            if self._read_at is None or not self._read_at <= now < self._read_at + _TRUSTED_FOR:
                self._on = self._read()
                self._read_at = now
            return self._on

    def turn(self, *, on: bool) -> None:
        """Put the parameter, and read it anew when it is asked for next."""
        with self._lock, aws_call("PutParameter"):
            self._read_at = None
            self._client.put_parameter(Name=self._parameter, Value="on" if on else "off", Type="String", Overwrite=True)

    def _read(self) -> bool:
        try:
            with aws_call("GetParameter"):
                answer = self._client.get_parameter(Name=self._parameter)
        except ServiceCallError as error:
            self._telemetry.log_event(LogEvent.SWITCH_UNREADABLE, code=error.code)
            self._telemetry.count(Metric.SWITCH_UNREADABLE)
            return False
        return answer["Parameter"].get("Value", "").strip().lower() == "on"
