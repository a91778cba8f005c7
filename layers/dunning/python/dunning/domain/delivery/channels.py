"""Channels: the ways to reach a person. Pure."""

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a person. The values stand in ledgers and in audit records."""

    SMS = "sms"
    EMAIL = "email"
    LINE = "line"
    VOICE = "voice"
    WHATSAPP = "whatsapp"


NUMBER_CHANNELS = frozenset({Channel.SMS, Channel.VOICE, Channel.WHATSAPP})
"""The channels whose address is the customer's number."""
