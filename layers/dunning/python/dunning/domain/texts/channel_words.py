"""Channel words: the wordings of channels other than SMS, compiled. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dunning.domain.delivery.channels import Channel
from dunning.domain.texts.extras import Button
from dunning.domain.texts.wording import Text

SENDER = "sender"
"""A placeholder that wordings of other channels may have: an SMS has the sender's name put in front."""


class MailRow(NamedTuple):
    """A line of a mail's table: a label and a value. The line of a late fee stands only where there is a fee."""

    label: str
    value: Text


class MailFrame(NamedTuple):
    """What all mails of a language have: the greeting, the table for one instalment or several, and how to opt out."""

    greeting: Text
    rows: tuple[MailRow, ...]
    rows_for_several: tuple[MailRow, ...]
    opt_out: Text


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MailWords:
    """
    The wording of a mail: what its text and its HTML are both made from.

    `subject` and `preview` are seen by others. `rows` is the table between the `opening` and the `closing` paragraphs.
    `opt_out` stands below all, unless the mail itself confirms an opt-out.
    """

    template: str
    subject: Text
    preview: Text
    greeting: Text
    opening: Text
    rows: tuple[MailRow, ...] = ()
    closing: tuple[Text, ...] = ()
    opt_out: Text | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BubbleWords:
    """The wording of one bubble on LINE, and the buttons below it."""

    template: str
    text: Text
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SpokenWords:
    """What a machine says on the telephone: who calls, and which number to call back."""

    template: str
    text: Text


@dataclass(frozen=True, slots=True, eq=False)
class ApprovedWords:
    """A template for WhatsApp as Meta has to approve it: its placeholders are Meta's {{1}}, {{2}} and so on."""

    template: str
    text: Text
    language: str


type ChannelWords = MailWords | BubbleWords | SpokenWords | ApprovedWords


class StagedWords(NamedTuple):
    """Words for the stages from `first` to `last`, for one instalment and for several."""

    id: str
    first: int
    last: int
    single: ChannelWords
    several: ChannelWords


class ChannelWording(NamedTuple):
    """
    The words of a language for channels other than SMS.

    `frame`, `buttons` and `meta_language` are what a lender's own wordings have, too, unless it says otherwise.
    """

    words: Mapping[Channel, tuple[StagedWords, ...]]
    frame: MailFrame | None = None
    buttons: tuple[Button, ...] = ()
    meta_language: str = ""

    def at(self, channel: Channel, stage: int, *, several: bool) -> ChannelWords | None:
        """Return the words of a channel for a stage; `None` if it has none."""
        for staged in self.words.get(channel, ()):
            if staged.first <= stage <= staged.last:
                return staged.several if several else staged.single
        return None


NO_CHANNEL_WORDS = ChannelWording({})
