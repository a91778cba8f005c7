"""Previewed texts: texts of a lender as made-up customers would get them, with their costs and faults."""

from dataclasses import dataclass
from typing import NamedTuple

from dunning.domain.decision.decisions import Reason, Reminder
from dunning.domain.delivery.channels import Channel
from dunning.domain.texts.segments import GSM_EXTENDED, count_segments

_CAPACITY = {"UCS-2": (70, 67), "GSM-7": (160, 153)}
_LAST_OF_ONE_UNIT = 0xFFFF
"""A character above it takes two of UCS-2's units."""


@dataclass(frozen=True, slots=True)
class PreviewedCase:
    """The text to show: its stage, one or several instalments, with a late fee or not, typical or long values."""

    stage: int
    several: bool
    fee: bool
    worst: bool
    channel: Channel = Channel.SMS

    def __str__(self) -> str:
        number = "several" if self.several else "one"
        return f"{number}{' + fee' if self.fee else ''}, {'worst' if self.worst else 'typical'}"


class Doubt(NamedTuple):
    """A doubt of the linter for a person to settle: the rule, and what it says."""

    rule: str
    message: str


class Filling(NamedTuple):
    """How full the segments of a text are, in the units that are counted."""

    units: int
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    One text of the preview.

    `arriving` is the text that the customer sees. `refusals` are the reasons that would stop it, in the words of the
    trace. `typical_parts` are the segments of the same text with typical values. `to_check` lists the linter's doubts
    for a person. Without a text `reminder` is `None`.
    """

    case: PreviewedCase
    reminder: Reminder | None
    arriving: str
    refusals: tuple[tuple[Reason, str], ...]
    typical_parts: int
    price: int
    to_check: tuple[Doubt, ...] = ()

    @property
    def spares_fee(self) -> bool:
        """Whether the text with a late fee is not used for a customer who has one."""
        if self.reminder is None or self.case.channel is not Channel.SMS:
            return False  # only an SMS has a text of its own for that
        return self.case.fee and "-fee@" not in self.reminder.template

    @property
    def is_longer_than_typical(self) -> bool:
        """Whether it takes more segments than with typical values."""
        return self.reminder is not None and 0 < self.typical_parts < self.reminder.parts


def filling_of(text: str) -> Filling:
    """Return how full the segments of a text are."""
    encoding, parts = count_segments(text)
    single, part = _CAPACITY[encoding]
    gsm = encoding == "GSM-7"
    units = len(text) + sum(c in GSM_EXTENDED if gsm else ord(c) > _LAST_OF_ONE_UNIT for c in text)
    return Filling(units, single if parts == 1 else part * parts)
