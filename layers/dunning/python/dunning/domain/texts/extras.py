"""Extras: what a message has beyond its text, on the channels that know more than text. Pure."""

from typing import NamedTuple


class Button(NamedTuple):
    """A button below a message: what is on it, and the code that comes back when it is pressed."""

    label: str
    code: str


class Extras(NamedTuple):
    """
    What a message has beyond its text.

    `subject`, `preview` (the line that a list of mails shows beside the subject) and `html` are a mail's, `buttons`
    LINE's. `language`, as Meta writes it, and `parameters` fill a template of WhatsApp.
    """

    subject: str = ""
    preview: str = ""
    html: str = ""
    buttons: tuple[Button, ...] = ()
    language: str = ""
    parameters: tuple[str, ...] = ()


NO_EXTRAS = Extras()
