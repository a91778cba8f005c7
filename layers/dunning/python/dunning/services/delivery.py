"""What a queue delivers, whoever reads it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as the queue delivered it."""

    message_id: str
    body: str
    receive_count: int
