"""Gateways by name: each is built when a message first needs it, because a gateway that nobody uses costs a start."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Lock
from types import MappingProxyType

from dunning.ports.gateways import Gateway, Published, PublishOutcome
from dunning.ports.outgoing import Outgoing

_AFTER_REPAIR = timedelta(hours=1)

NOT_CONFIGURED = "GatewayNotConfigured"
"""The code of a message that a policy gives to a gateway which the stack does not have."""


class GatewaysByName:
    """
    The gateways of a stack: those that are built already, and what builds the others.

    A gateway that the stack does not have takes no message, and blames nobody.
    """

    def __init__(self, *built: Gateway, makers: Mapping[str, Callable[[], Gateway]] = MappingProxyType({})) -> None:
        self._makers = makers
        self._built = {gateway.name: gateway for gateway in built}
        self._lock = Lock()

    def publish_once(self, name: str, outgoing: Outgoing) -> Published:
        """
        Publish a message by the gateway of a name, and class the answer.

        Only a gateway that takes a claim once is asked again, if it has not answered (`Gateway.repeatable`): the repeat
        brings the message if the first request did not, and says so if it did. A repeat that is refused says nothing of
        the first request: the outcome stays unknown.
        """
        gateway = self._gateway(name)
        if gateway is None or gateway.channel is not outgoing.channel:
            return Published(PublishOutcome.REFUSED_FOR_NOW, code=NOT_CONFIGURED, retry_after=_AFTER_REPAIR)
        answer = gateway.publish(outgoing)
        if answer.outcome is PublishOutcome.UNKNOWN and gateway.repeatable:
            again = gateway.publish(outgoing)
            return again if again.outcome is PublishOutcome.ACCEPTED else answer
        return answer

    def _gateway(self, name: str) -> Gateway | None:
        with self._lock:
            if name not in self._built:
                make = self._makers.get(name)
                if make is None:
                    return None
                self._built[name] = make()
            return self._built[name]
