"""Channels: the ways to reach a person. Pure."""

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a person. The values stand in ledgers and in audit records."""

    SMS = "sms"
    EMAIL = "email"
    LINE = "line"
    VOICE = "voice"
    WHATSAPP = "whatsapp"


NO_CONTACT = "none"
"""
The channel of a claim by which nobody is contacted: of a stage that chance has left out. It is no `Channel`.

No cap counts such a claim, and no gateway has this name.
"""


class AddressKind(StrEnum):
    """What an address is. All channels of a telephone have one number."""

    NUMBER = "number"
    EMAIL = "email"
    LINE = "line"

    @classmethod
    def of(cls, channel: Channel) -> "AddressKind":
        """Return the kind of address by which a channel reaches a person."""
        return _KINDS.get(channel, cls.NUMBER)

    @classmethod
    def of_address(cls, address: str) -> "AddressKind":
        """Return the kind of an address, which its form tells: numbers are E.164."""
        if "@" in address:
            return cls.EMAIL
        return cls.LINE if address.startswith("U") else cls.NUMBER

    @property
    def channel(self) -> Channel:
        """The first channel that such an address is for."""
        return _CHANNELS[self]


_KINDS = {Channel.EMAIL: AddressKind.EMAIL, Channel.LINE: AddressKind.LINE}
_CHANNELS = {AddressKind.NUMBER: Channel.SMS, AddressKind.EMAIL: Channel.EMAIL, AddressKind.LINE: Channel.LINE}
