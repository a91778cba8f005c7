"""The lender's bus, in EventBridge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from dunning.adapters.aws_call import aws_call
from dunning.contracts.outbound_event import SOURCE, BusEntry, bus_entries
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import OutboundEvent
from dunning.ports.lender_bus import WrittenEvent
from dunning.ports.telemetry import LogEvent, Metric, Telemetry

_ENTRIES_A_CALL = 10
_BYTES_A_CALL = 256 * 1024
"""EventBridge's limits of a PutEvents, all entries together."""


class PutsEvents(Protocol):
    """The part of boto3's client that the publisher needs."""

    def put_events(self, *, Entries: Sequence[Any]) -> Any:  # noqa: ANN401, N803 - as boto3 has it
        """Put events on buses. The answer has an entry for each event."""
        ...


class EventBridgePublisher:
    """Implements `EventPublisher`. An event that EventBridge refuses twice is logged, and can be put again."""

    def __init__(self, client: PutsEvents, bus_name: str, telemetry: Telemetry) -> None:
        self._client = client
        self._bus_name = bus_name
        self._telemetry = telemetry

    def publish(self, events: Sequence[OutboundEvent]) -> None:
        """Put events on the bus in as few calls as possible."""
        for batch in _batches(bus_entries(events, _BYTES_A_CALL)):
            refused = self._put(batch)
            if refused:
                refused = self._put([event for event, _ in refused])
            for event, code in refused:
                self._telemetry.log_event(
                    LogEvent.OUTBOUND_EVENT_LOST, detail_type=event.detail_type, detail=event.detail, code=code
                )
                self._telemetry.count(Metric.OUTBOUND_EVENTS_LOST, event.events)

    def _put(self, events: Sequence[BusEntry]) -> list[tuple[BusEntry, str]]:
        """Put events, and return the refused events, each with its error code."""
        entries = [
            {
                "EventBusName": self._bus_name,
                "Source": SOURCE,
                "DetailType": event.detail_type,
                "Detail": event.detail,
            }
            for event in events
        ]
        try:
            with aws_call("PutEvents"):
                answer = self._client.put_events(Entries=entries)
        except ServiceCallError as error:
            return [(event, error.code) for event in events]
        return [
            (event, str(result["ErrorCode"]))
            for event, result in zip(events, answer["Entries"], strict=True)
            if "ErrorCode" in result
        ]


class EventBridgeLenderBus:
    """Implements `LenderBus`: an event is a call of its own, so that none goes out behind an event that did not."""

    def __init__(self, client: PutsEvents, bus_name: str, source: str) -> None:
        self._client = client
        self._bus_name = bus_name
        self._source = source

    def put(self, events: Sequence[WrittenEvent]) -> None:
        """Put the events in their order."""
        for event in events:
            entry = {
                "EventBusName": self._bus_name,
                "Source": self._source,
                "DetailType": event.kind,
                "Detail": event.detail,
            }
            with aws_call("PutEvents"):
                answer = self._client.put_events(Entries=[entry])
            (result,) = answer["Entries"]
            if "ErrorCode" in result:
                raise ServiceCallError("PutEvents", str(result["ErrorCode"]))


def _batches(events: Iterator[BusEntry]) -> Iterator[list[BusEntry]]:
    """Group events into as few calls as possible."""
    batch: list[BusEntry] = []
    size = 0
    for event in events:
        if batch and (len(batch) == _ENTRIES_A_CALL or size + event.size > _BYTES_A_CALL):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += event.size
    if batch:
        yield batch
