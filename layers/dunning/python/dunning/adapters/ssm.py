"""The switch for all sending, and for single channels: a parameter of SSM."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from dunning.adapters.aws_call import aws_call
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import ServiceCallError
from dunning.ports.clock import Clock
from dunning.ports.telemetry import LogEvent, Metric, Telemetry

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_TRUSTED_FOR = timedelta(seconds=30)
"""Half the minute within which the switch has to hold."""


_ALL = "all"
"""Stands for all channels after `off:`: a pause of all sending keeps which channels are stopped beside it."""

_ALL_STOPPED = frozenset({_ALL, *Channel})


def parse_switch(written: str) -> frozenset[str]:
    """
    Return the channels that a value of the switch stops, and `all` if it stops all sending.

    `on` stops nothing, `off` everything, and `off: line, voice` these two channels. Whatever else it says stops all.
    """
    value = written.strip().lower()
    if value == "on":
        return frozenset()
    before, colon, names = value.partition(":")
    stopped = frozenset(name.strip() for name in names.split(","))
    return stopped if colon and before.strip() == "off" and stopped <= _ALL_STOPPED else _ALL_STOPPED


def switch_value(stopped: frozenset[str]) -> str:
    """Write the value of the switch that stops these channels, and with `all` among them all sending."""
    if not stopped:
        return "on"
    return "off" if stopped in ({_ALL}, _ALL_STOPPED) else f"off: {', '.join(sorted(stopped))}"


class SsmSwitch:
    """Implements `SendingSwitch` and `SendingControl`. Every value but a readable `on` or `off: <channels>` is off."""

    def __init__(self, client: SSMClient, parameter: str, clock: Clock, telemetry: Telemetry) -> None:
        self._client = client
        self._parameter = parameter
        self._clock = clock
        self._telemetry = telemetry
        self._read_at: datetime | None = None
        self._stopped = _ALL_STOPPED
        self._lock = Lock()

    def is_on(self) -> bool:
        """Read the parameter, at most every thirty seconds."""
        return _ALL not in self._known()

    def stopped_channels(self) -> frozenset[Channel]:
        """Read the parameter, at most every thirty seconds."""
        stopped = self._known()
        return frozenset(channel for channel in Channel if _ALL in stopped or channel in stopped)

    def turn(self, *, on: bool) -> None:
        """Put the parameter, and read it anew when it is asked for next. What is stopped by channel stays so."""
        with self._lock:
            self._read_at = None
            stopped = self._read() - {_ALL}
            if stopped == _ALL_STOPPED - {_ALL}:
                stopped = frozenset()  # `off` stops no channel by its name
            value = switch_value(stopped if on else stopped | {_ALL})
            with aws_call("PutParameter"):
                self._client.put_parameter(Name=self._parameter, Value=value, Type="String", Overwrite=True)

    def _known(self) -> frozenset[str]:
        with self._lock:
            now = self._clock.now()
            if self._read_at is None or not self._read_at <= now < self._read_at + _TRUSTED_FOR:
                self._stopped = self._read()
                self._read_at = now
            return self._stopped

    def _read(self) -> frozenset[str]:
        try:
            with aws_call("GetParameter"):
                answer = self._client.get_parameter(Name=self._parameter)
        except ServiceCallError as error:
            self._telemetry.log_event(LogEvent.SWITCH_UNREADABLE, code=error.code)
            self._telemetry.count(Metric.SWITCH_UNREADABLE)
            return _ALL_STOPPED
        return parse_switch(answer["Parameter"].get("Value", ""))
