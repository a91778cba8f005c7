"""Parking: a message that cannot be read goes among the dead letters at once, and waits there for a person."""

from dunning.domain.errors import DunningError
from dunning.ports.queues import DeadLetters, QueueMessage
from dunning.ports.telemetry import LogEvent, Metric, Telemetry


def park(
    dead_letters: DeadLetters,
    telemetry: Telemetry,
    message: QueueMessage,
    why: str,
    *,
    parked: LogEvent,
    not_parked: LogEvent,
    counted: Metric,
) -> bool:
    """
    Park a message, log and count it, and return whether the queue took it.

    Args:
        dead_letters: where it waits.
        telemetry: where it is logged and counted.
        message: the message; its body may hold personal data and is not logged.
        why: what is wrong with it, in words of ours.
        parked: the event to log if the queue took it.
        not_parked: the event to log if the queue did not: the message has to be delivered again.
        counted: the metric to count it by if the queue took it.
    """
    try:
        dead_letters.park(message.body, why)
    except DunningError as error:
        telemetry.log_event(not_parked, message_id=message.message_id, error=type(error).__name__)
        return False
    telemetry.log_event(parked, message_id=message.message_id, why=why)
    telemetry.count(counted)
    return True
