"""The page that moves the clock of the played world. It belongs to the world and not to the console."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from pathlib import Path

from dunning.console.render import static_files
from dunning.console.translations import Translation

_WORDS = Path(__file__).parent / "console_words"


def local_page(
    words: Translation, languages: Mapping[str, str], now: datetime, wake: datetime | None, done: str
) -> str:
    """Return the page; `done` is the key of what to say of the last act."""
    tables = tomllib.loads((_WORDS / f"{words.language}.toml").read_text("utf-8"))
    return "\n".join(_lines(words, tables["local"], languages, now, wake, done)) + "\n"


def _lines(
    words: Translation,
    say: Mapping[str, str],
    languages: Mapping[str, str],
    now: datetime,
    wake: datetime | None,
    done: str,
) -> Iterator[str]:
    del languages
    css = static_files().names["console.css"]
    yield f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<title>{escape(say["heading"])}</title><link rel="stylesheet" href="/static/{css}"></head><body><main>'
    yield f'<p class="small"><a href="/">← {escape(words.say("page.title"))}</a></p>'
    yield f"<h1>{escape(say['heading'])}</h1>"
    yield f'<p class="soft">{escape(say["lead"])}</p>'
    if done:
        yield f'<p class="note" role="status">{escape(say[done].format(at=words.write(now)))}</p>'
    yield f"<p><strong>{escape(words.say('page.virtual_time', at=now))}</strong></p>"
    yield '<form class="row" method="post" action="/local">'
    for act in ("hour", "day", "wake"):
        label = say[act] + (f" ({words.write(wake)})" if act == "wake" and wake else "")
        yield f'<button name="act" value="{act}">{escape(label)}</button>'
    yield "</form>"
    yield f"<h2>{escape(say['reply_heading'])}</h2>"
    yield '<form method="post" action="/local"><input type="hidden" name="act" value="reply">'
    yield f'<p><label for="writer">{escape(say["customer"])}</label><input id="writer" name="customer" required></p>'
    yield f'<p><label for="text">{escape(say["text"])}</label><textarea id="text" name="text" required></textarea></p>'
    yield f"<p><button>{escape(say['send'])}</button></p></form>"
    yield f"<h2>{escape(say['payment_heading'])}</h2>"
    yield '<form class="row" method="post" action="/local"><input type="hidden" name="act" value="payment">'
    yield f'<p><label for="payer">{escape(say["customer"])}</label><input id="payer" name="customer" required></p>'
    yield f"<p><button>{escape(say['pay'])}</button></p></form>"
    yield "</main></body></html>"
