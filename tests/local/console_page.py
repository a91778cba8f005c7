"""The pages of the played world, which are none of the console: how far it is, and moving its clock."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from dunning.console.render import static_files
from dunning.console.translations import Translation
from dunning.domain.delivery.channels import Channel
from dunning.services.console.shown import CodeShown, StageShown
from tests.local.channel_life import NO_MORE_MAIL
from tests.local.happenings import Happened
from tests.local.sent import SentMessage
from tests.local.templates import page_template

_WORDS = Path(__file__).parent / "console_words"
_MOST = 12
"""So many customers are named of each thing that happened."""


class Act(NamedTuple):
    """
    What a form of the page has led to: the key of what to say of it, when it was over, and what happened.

    `customer` is named first, `detail` is what went wrong.
    """

    done: str
    at: datetime
    happened: Happened | None = None
    customer: str = ""
    detail: str = ""


class _ActShown(NamedTuple):
    title: str
    is_refused: bool
    happened: bool
    summary: str
    texts: Sequence[tuple[str, str]]
    replies: Sequence[tuple[str, str]]
    handed_over: Sequence[tuple[str, str]]
    wakes: Sequence[tuple[str, str]]


def local_page(
    words: Translation,
    *,
    now: datetime,
    wake: datetime | None,
    act: Act | None = None,
    customer: str = "",
    last: SentMessage | None = None,
    suggested: Sequence[str] = (),
) -> str:
    """
    Return the page that moves the clock; with a customer it plays that one.

    `last` is the last message to the customer: what is written goes where it came, and its buttons can be pressed.
    """
    say = words_of(words.language)
    return page_template("local").render(
        words=words,
        say=say,
        css=static_files().names["console.css"],
        now=now,
        wake=wake,
        act=_shown(act, words, say) if act else None,
        customer=customer,
        path=f"/local/{quote(customer, safe='')}" if customer else "/local",
        is_on_line=last is not None and last.channel == Channel.LINE,
        buttons=_buttons_of(last, say),
        suggested=suggested,
        most=_MOST,
    )


def playing_page(words: Translation, *, now: datetime, day: int, days: int) -> str:
    """Return the page that says how far the world is, and asks again by itself."""
    return page_template("playing").render(
        words=words,
        say=words_of(words.language),
        css=static_files().names["console.css"],
        now=now,
        day=day,
        days=days,
    )


def _buttons_of(last: SentMessage | None, say: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Return the buttons of a message, with what is on each: those of LINE, and that of a mail program."""
    if last is None:
        return ()
    return [(say["no_more_mail"], NO_MORE_MAIL)] if last.channel == Channel.EMAIL else last.buttons


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Return the words of the pages by their keys."""
    words: Mapping[str, Any] = tomllib.loads((_WORDS / f"{language}.toml").read_text("utf-8"))["local"]
    return words


def _shown(act: Act, words: Translation, say: Mapping[str, str]) -> _ActShown:
    happened = act.happened or Happened()

    def named(entries: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return customers with what is to say of each, the one who was played first."""
        return sorted(entries, key=lambda entry: entry[0] != act.customer)

    return _ActShown(
        title=say[act.done].format(at=words.write(act.at), detail=act.detail),
        is_refused=act.happened is None,
        happened=act.happened is not None,
        summary=_sentence(happened, words, say),
        texts=named((text.customer_id, words.write(StageShown(text.stage))) for text in happened.texts),
        replies=named((reply.customer_id, _understood(reply.intents, words)) for reply in happened.replies),
        handed_over=named(
            (each.customer_id, words.write(CodeShown("review", each.why))) for each in happened.handed_over
        ),
        wakes=named((wake.customer_id, words.write(wake.at) if wake.at else say["no_wake"]) for wake in happened.wakes),
    )


def _sentence(happened: Happened, words: Translation, say: Mapping[str, str]) -> str:
    """Say how much happened, in a sentence."""
    parts = [part for part in _parts(happened, words, say) if part]
    return say["sentence"].format(parts=say["comma"].join(parts)) if parts else say["nothing"]


def _parts(happened: Happened, words: Translation, say: Mapping[str, str]) -> Iterator[str]:
    yield _counted("texts", len(happened.texts), say)
    yield _counted("receipts", happened.receipts, say)
    if len(happened.replies) == 1:
        yield say["reply_read"].format(meaning=_understood(happened.replies[0].intents, words))
    else:
        yield _counted("replies", len(happened.replies), say)
    yield _counted("handed_over", len({each.customer_id for each in happened.handed_over}), say)
    yield _counted("wakes", len(happened.wakes), say)


def _counted(what: str, count: int, say: Mapping[str, str]) -> str:
    return say[f"{what}_1" if count == 1 else what].format(count=f"{count:,}") if count else ""


def _understood(intents: Sequence[str], words: Translation) -> str:
    return words.write(tuple(CodeShown("intent", intent) for intent in intents or ("nothing",)))
