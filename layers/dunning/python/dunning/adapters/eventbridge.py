"""The lender's bus, in EventBridge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from dunning.adapters.aws_call import outside
from dunning.contracts.outbound_event import SOURCE, Event, events_of
from dunning.domain.errors import OutsideError
from dunning.domain.outbound_events import Announcement
from dunning.ports.telemetry import Telemetry

_ENTRIES_A_CALL = 10
_BYTES_A_CALL = 256 * 1024
"""EventBridge's limits of a PutEvents, all entries together."""


class PutsEvents(Protocol):
    """What we need of boto3's client."""

    def put_events(self, *, Entries: Sequence[Any]) -> Any:  # noqa: ANN401, N803 - as boto3 has it
        """Put events on buses, and answer for each."""
        ...


class EventBridgeAnnouncer:
    """Implements `Announcer`. What EventBridge does not take at the second try is in the log, and can be put again."""

    def __init__(self, client: PutsEvents, bus_name: str, telemetry: Telemetry) -> None:
        self._client = client
        self._bus_name = bus_name
        self._telemetry = telemetry

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Put them on the bus in as few calls as hold them."""
        for batch in _batches(events_of(announcements, _BYTES_A_CALL)):
            refused = self._put(batch)
            if refused:
                refused = self._put([event for event, _ in refused])
            for event, code in refused:
                self._telemetry.log_event(
                    "announcement_lost", detail_type=event.detail_type, detail=event.detail, code=code
                )
                self._telemetry.count("AnnouncementsLost", event.announcements)

    def _put(self, events: Sequence[Event]) -> list[tuple[Event, str]]:
        """Put events, and return those that were not taken, each with the code that says why."""
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
            with outside("PutEvents"):
                answer = self._client.put_events(Entries=entries)
        except OutsideError as error:
            return [(event, error.code) for event in events]
        return [
            (event, str(result["ErrorCode"]))
            for event, result in zip(events, answer["Entries"], strict=True)
            if "ErrorCode" in result
        ]


def _batches(events: Iterator[Event]) -> Iterator[list[Event]]:
    """Put events together as far as one call holds them."""
    batch: list[Event] = []
    size = 0
    for event in events:
        if batch and (len(batch) == _ENTRIES_A_CALL or size + event.size > _BYTES_A_CALL):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += event.size
    if batch:
        yield batch
