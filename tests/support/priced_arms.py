"""Priced arms: policies in which everybody draws one arm, for services that send."""

from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import Layer
from dunning.services.send.claims import PricedPolicies
from tests.support.arms import ForcedArm


class PricedArm(ForcedArm):
    """Policies in which everybody draws one arm, and which know prices."""

    def __init__(self, policies: PricedPolicies, layer: Layer, arm: str) -> None:
        super().__init__(policies, layer, arm)
        self._priced = policies

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        """Return the price of the policies, in millionths of a US dollar."""
        return self._priced.price(country, parts, channel)
