"""A carrier for plays in memory, where texts are counted and not looked at."""

from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing


class AcceptingCarrier:
    """Accepts everything, and keeps nothing."""

    channel = Channel.SMS
    name = "sns"
    repeatable = False

    def __init__(self) -> None:
        self.texts = 0

    def publish(self, sms: Outgoing) -> Published:
        """Take a text."""
        del sms
        self.texts += 1
        return Published(PublishOutcome.ACCEPTED, message_id=f"message-{self.texts}")
