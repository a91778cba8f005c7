"""
Channels of a lender: which a policy uses, in what order, who sends on them, and why one is refused.

A policy may use a channel where the law of the place opens it, and where it has accepted the condition beside it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dunning.domain.delivery.channels import Channel
from dunning.policy.fields import Strict
from dunning.policy.jurisdiction import ChannelLaw, JurisdictionFile

ONLY_WHERE_NAMED = (Channel.VOICE, Channel.WHATSAPP)
"""Channels of the stages that name them, and of no others; a lender accepts a condition before they are used."""

NOTICE_COUNTRIES = frozenset({"JP", "TH", "TW"})
"""Where LINE's notification messages go (developers.line.biz, LINE notification messages overview)."""

WITHOUT_EUM = frozenset({"CN"})
"""Where only SNS can send: a registered text has no field in End User Messaging."""

_LEAST_LABELS = 3


def valid_channels(written: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """
    Check an order of channels.

    Raises:
        ValueError: a channel is there twice.
    """
    if twice := [channel for channel in written if written.count(channel) > 1]:
        raise ValueError(f"{twice[0]} is there twice")
    return written


def valid_mail_address(written: str) -> str:
    """
    Check a mail address as a service takes it: ASCII, one @, no display name.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+", written):
        raise ValueError("is no mail address such as reminders@notice.example.com")
    return written


def of_a_subdomain(written: str) -> str:
    """
    Check that an address is of a sub-domain: complaints about reminders must not stop the lender's other mail.

    Raises:
        ValueError: its domain has fewer than three labels.
    """
    if len(written.partition("@")[2].split(".")) < _LEAST_LABELS:
        raise ValueError("is of no sub-domain of its own, such as notice.example.com: complaints would stop all mail")
    return written


def stage_number(written: object) -> object:
    """
    Read a stage as a key of a table: `"-3"`, `"0"`, `"7"`.

    Raises:
        ValueError: it is no whole number of days.
    """
    if not isinstance(written, str) or not re.fullmatch(r"0|-?[1-9]\d{0,2}", written):
        raise ValueError(f'{written!r} is no stage such as "-3", "0" or "7"')
    return int(written)


Order = Annotated[tuple[Channel, ...], Field(min_length=1), AfterValidator(valid_channels)]
StageKey = Annotated[int, BeforeValidator(stage_number)]
MailAddress = Annotated[str, AfterValidator(valid_mail_address)]


class StageFile(Strict):
    """What a lender says of one stage: its channels, in place of the general ones."""

    channels: Order


class EmailFile(Strict):
    """Who sends a lender's mails, and where answers go."""

    sender_address: Annotated[MailAddress, AfterValidator(of_a_subdomain)]
    reply_to: MailAddress | Literal[""] = ""


class LineFile(Strict):
    """A lender's account on LINE, and how it reaches people: as friends, or by their numbers."""

    account: str = Field(pattern=r"^@[a-z0-9._-]{2,30}$")
    gateway: Literal["line", "line_notification"] = "line"


class Accepted(Strict):
    """Who has accepted the condition that places put beside a channel, for the lender, and on which day."""

    accepted_by: str = Field(default="", max_length=80)
    accepted_on: date | None = None

    @model_validator(mode="after")
    def _says_who_and_when(self) -> Self:
        if bool(self.accepted_by.strip()) is not (self.accepted_on is not None):
            raise ValueError("accepted_by and accepted_on come together: who has accepted, and when")
        return self


class VoiceFile(Accepted):
    """The number a lender's calls come from, and the voice."""

    origination_number: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    voice: str = Field(pattern=r"^[A-Z]{3,20}$")


class WhatsAppFile(Accepted):
    """The id of a lender's number on WhatsApp, and the template that Meta has approved for each text."""

    sender: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{3,99}$")
    registered: dict[str, Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]] = Field(default_factory=dict)


class ChannelSenders(Strict):
    """Who sends on each channel. A channel without its section cannot be used."""

    email: EmailFile | None = None
    line: LineFile | None = None
    voice: VoiceFile | None = None
    whatsapp: WhatsAppFile | None = None

    def accepted(self, channel: Channel) -> Accepted | None:
        """Return the section in which a lender accepts a channel's condition; `None` if there is none."""
        section = getattr(self, channel.value, None)
        return section if isinstance(section, Accepted) else None


def order_at(
    stage: int,
    general: Sequence[Channel],
    stages: Mapping[int, StageFile],
    of_country: Sequence[Channel] | None,
) -> tuple[Channel, ...]:
    """
    Return the channels that a policy wants at a stage in a country, in order of preference.

    A stage's own order takes the place of the general one, and a country's own keeps what it names. A country's order
    is also the general one there. Voice and WhatsApp are only in the orders of stages.
    """
    if stage in stages:
        return tuple(channel for channel in stages[stage].channels if of_country is None or channel in of_country)
    return tuple(channel for channel in of_country or general if channel not in ONLY_WHERE_NAMED)


def is_accepted(law: ChannelLaw, accepted: Accepted | None) -> bool:
    """Tell whether a lender has accepted a channel's condition as it reads today."""
    return bool(
        law.condition
        and law.condition_since
        and accepted
        and accepted.accepted_on
        and accepted.accepted_on >= law.condition_since
    )


def is_open(channel: Channel, law: JurisdictionFile, senders: ChannelSenders) -> bool:
    """Tell whether a place lets a lender use a channel. Where nothing is known of one, it is closed; SMS never is."""
    if channel is Channel.SMS:
        return True
    found = law.channels.of(channel)
    return found is not None and (found.allowed or is_accepted(found, senders.accepted(channel)))


def why_closed(channel: Channel, law: JurisdictionFile, senders: ChannelSenders) -> Iterator[tuple[str, bool]]:
    """Yield why a place does not let a lender use a channel, and whether accepting a condition would open it."""
    if is_open(channel, law, senders):
        return
    found, accepted = law.channels.of(channel), senders.accepted(channel)
    if found is None:
        yield f"nothing is known of {channel} in {law.name}, so it is closed there", False
    elif not found.condition:
        yield f"{channel} is closed in {law.name} for everybody", False
    elif accepted and accepted.accepted_on:
        reads = f"the condition in {law.name} reads as it does since {found.condition_since}"
        yield f"{channel} was accepted on {accepted.accepted_on}, but {reads}", True
    else:
        yield f"{channel} is closed in {law.name} until the lender accepts the condition beside it", True
