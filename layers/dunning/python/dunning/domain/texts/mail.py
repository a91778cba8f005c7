"""
A mail as plain text and as HTML, both of the same words. Pure.

The HTML loads nothing: no image, no font, no link. Whoever opens it tells nobody. Colours follow the reader's choice of
light or dark, and a telephone's width is enough.
"""

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from dunning.domain.texts.extras import Extras


class FilledMail(NamedTuple):
    """
    A mail, filled in. `rows` are labels with their values.

    `subject` and `preview` are what a list of mails shows, perhaps to others. `whole` are the values that no end of a
    line parts: the number to call, and the date.
    """

    language: str
    sender: str
    subject: str
    preview: str
    greeting: str
    opening: str
    rows: tuple[tuple[str, str], ...] = ()
    closing: tuple[str, ...] = ()
    opt_out: str = ""
    whole: tuple[str, ...] = ()


_FONTS = (
    "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,'PingFang TC','PingFang SC',"
    "'Microsoft JhengHei','Microsoft YaHei','Noto Sans CJK TC','Noto Sans TC','Noto Sans SC',sans-serif"
)

_DARK = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "@media (prefers-color-scheme:dark){"
    ".page{background:#16181c!important}"
    ".card{background:#22252b!important;border-color:#3a3f48!important}"
    ".ink{color:#eceef1!important}"
    ".soft{color:#b4bac4!important}"
    ".line{border-color:#3a3f48!important}"
    "}"
)
"""The one part that cannot stand inline. A program that leaves it out shows the light colours."""

_FILL = "&#847;&zwnj;&nbsp;" * 150
"""Stands behind the preview, unseen: else a list of mails goes on with the first words of the mail, and its amount."""

_HIDDEN = (
    "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all;font-size:1px;line-height:1px;"
    "color:transparent"
)


_LONGEST_WHOLE = 24
"""Characters of a value that still fit on the line of a telephone."""


def mail_as_text(mail: FilledMail) -> str:
    """
    Return a mail as plain text: the sender, paragraphs, and a line for each row.

    The preview comes first, because a list of mails may show the first words.
    """
    colon = "：" if mail.language[:2] == "zh" else ": "
    table = "\n".join([f"{label}{colon}{value}" for label, value in mail.rows])
    blocks = (mail.sender, mail.preview, mail.greeting, mail.opening, table, *mail.closing, mail.opt_out)
    return "\n\n".join(filter(None, blocks))


def mail_as_html(mail: FilledMail) -> str:
    """Return a mail as HTML. Every word of it is escaped."""
    table = ""
    if mail.rows:
        lines = "".join(_table_line(label, value, first=not at) for at, (label, value) in enumerate(mail.rows))
        table = (
            '<table class="line" style="width:100%;border-collapse:collapse;margin:4px 0 20px;'
            f'border-bottom:1px solid #dfe3e8">{lines}</table>'
        )
    footer = ""
    if mail.opt_out:
        footer = (
            '<p class="soft line" style="margin:24px 0 0;padding:16px 0 0;border-top:1px solid #dfe3e8;'
            f'font-size:14px;line-height:1.6;color:#565e6b">{_escaped(mail.opt_out, mail.whole)}</p>'
        )
    return (
        f'<!doctype html><html lang="{escape(mail.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        '<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">'
        f"<title>{escape(mail.subject)}</title><style>{_DARK}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#f3f5f7;-webkit-text-size-adjust:100%">'
        f'<div style="{_HIDDEN}" aria-hidden="true">{escape(mail.preview)}{_FILL}</div>'
        '<div class="page" style="padding:24px 12px;background:#f3f5f7">'
        f'<div class="card ink" role="main" style="max-width:560px;margin:0 auto;padding:24px;box-sizing:border-box;'
        f"background:#ffffff;border:1px solid #dfe3e8;border-radius:8px;font-family:{_FONTS};font-size:16px;"
        'line-height:1.7;color:#1d2129;overflow-wrap:anywhere">'
        '<h1 class="ink" style="margin:0 0 20px;font-size:18px;line-height:1.4;color:#1d2129">'
        f"{escape(mail.sender)}</h1>"
        f"{_paragraphs(mail, mail.greeting, mail.opening)}{table}{_paragraphs(mail, *mail.closing)}{footer}"
        "</div></div></body></html>"
    )


def mail_extras(mail: FilledMail) -> Extras:
    """Return what a mail has beyond its text."""
    return Extras(subject=mail.subject, preview=mail.preview, html=mail_as_html(mail))


def _paragraphs(mail: FilledMail, *paragraphs: str) -> str:
    return "".join(
        f'<p class="ink" style="margin:0 0 16px;color:#1d2129">{_escaped(words, mail.whole)}</p>'
        for words in paragraphs
    )


def _escaped(words: str, whole: Iterable[str]) -> str:
    """Escape words, and keep short values on one line."""
    escaped = escape(words)
    for value in whole:
        if value and len(value) <= _LONGEST_WHOLE:
            kept = escape(value)
            escaped = escaped.replace(kept, f'<span style="white-space:nowrap">{kept}</span>')
    return escaped


def _table_line(label: str, value: str, *, first: bool) -> str:
    """Return a line of the table. The first one, the amount, is larger: it is what people look for."""
    size = "20px;font-weight:700" if first else "16px"
    return (
        '<tr><th class="soft line" scope="row" style="width:36%;padding:10px 12px 10px 0;border-top:1px solid #dfe3e8;'
        'text-align:left;vertical-align:baseline;font-size:14px;font-weight:400;color:#565e6b">'
        f'{escape(label)}</th><td class="ink line" style="padding:10px 0;border-top:1px solid #dfe3e8;'
        f'vertical-align:baseline;font-size:{size};color:#1d2129">{escape(value)}</td></tr>'
    )
