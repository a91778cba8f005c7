"""Outgoing messages: one message for one person, with all that a gateway needs to send it."""

from datetime import datetime
from typing import NamedTuple

from dunning.domain.delivery.channels import Channel


class SmsBody(NamedTuple):
    """An SMS, and who sends it: a name, or a number, and a registration with the carriers' regulator."""

    text: str
    sender_id: str = ""
    origination_number: str = ""
    entity_id: str = ""


class MailBody(NamedTuple):
    """
    A mail, as text and as HTML of the same words, and who sends it.

    `unsubscribe_url` is the address that a mail program calls when somebody presses its button for no more mail. It
    leads to us, over HTTPS, and names the customer by a token.
    """

    subject: str
    text: str
    html: str
    sender_name: str
    sender_address: str
    unsubscribe_url: str
    reply_to: str = ""


class LineButton(NamedTuple):
    """A button below a message: what is on it, and the code that comes back when it is pressed."""

    label: str
    code: str


class LineBody(NamedTuple):
    """A message on LINE: one bubble of text, and buttons below it that go away with the next message."""

    text: str
    buttons: tuple[LineButton, ...] = ()
    account: str = ""
    """Whose account on LINE sends it: the id of the lender."""


class SpokenBody(NamedTuple):
    """What a machine says on the telephone, in whose voice, and the number it calls from."""

    text: str
    voice: str
    origination_number: str


class WhatsAppBody(NamedTuple):
    """
    A template that Meta has approved, filled in. Its name is the registered template of the message.

    `text` is the filled template, for the audit record. `language` is as Meta writes it (`zh_TW`). `sender` is the id
    of our number.
    """

    text: str
    language: str
    parameters: tuple[str, ...]
    sender: str


type Body = SmsBody | MailBody | LineBody | SpokenBody | WhatsAppBody
"""What a message says, as its channel takes it. Each has a `text`: the words for the audit record."""


class Outgoing(NamedTuple):
    """
    One claimed message for one person.

    `address` is personal data, and so is the body: neither ever stands in an error or a log. The ids are none. They
    name the claim, so that what comes back from a gateway finds its record by key.
    """

    channel: Channel
    address: str
    """A number (E.164), an e-mail address or a LINE user id, as the gateway wants it."""
    body: Body
    customer_id: str
    send_id: str
    claim_id: str
    claimed_at: datetime
    lapses_at: datetime
    """The moment after which the message must not arrive. A gateway that can keep to it does."""
    max_price: str = ""
    """The highest price of a segment or of a minute, in US dollars with a point; empty for none."""
    registered_template: str = ""
    """The id under which the wording is registered, or empty."""
    local_hour: int | None = None
    """The hour of the claim where the person lives, for the record; `None` if their zones do not agree."""
