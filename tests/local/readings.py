"""Readings: how the replies of a run were understood, whether that was right, and what followed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from dunning.contracts.instants import instant
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import Standing
from dunning.domain.replies.intents import QUIET_INTENTS, Band, ReplyIntent
from dunning.domain.replies.masked_reply import mask_for_larger_reader
from dunning.domain.replies.reply import Reply
from dunning.evidence.words import hold_in_words
from tests.local.people import WrittenReply

NOTHING_CHANGES = "nothing changes"


def reply_line(
    reply: Reply,
    *,
    zone: ZoneInfo,
    facts: Facts | None = None,
    standing: Standing | None = None,
    needs: Sequence[str] = (),
    written: WrittenReply | None = None,
) -> dict[str, Any]:
    """
    Return the line of a reply in replies.jsonl.

    `zone` is where the customer lives. `needs` are the reasons for which a person was called. `written` is what the
    corpus says of a reply that the run's own people wrote; of a user's own replies nobody knows what is right.
    """
    label = reply.label
    return {
        "at": instant(reply.inbound.at),
        "local_at": reply.inbound.at.astimezone(zone).isoformat(timespec="seconds"),
        "reply_id": reply.inbound.inbound_id,
        "customer_id": reply.customer_id,
        "channel": reply.inbound.channel.value,
        "language": facts.language if facts else "",
        "country": facts.phone_country if facts else "",
        "text": reply.inbound.text,
        "masked_text": mask_for_larger_reader(reply.inbound.text, facts.name) if facts else "",
        "band": band_of_reply(reply.sure, reply.likely).value,
        "guess": list(reply.intents),
        "sure": list(reply.sure),
        "likely": list(reply.likely),
        "promised_on": reply.promised_on.isoformat() if reply.promised_on else None,
        "why": list(reply.why),
        "followed": list(what_followed(reply, facts, standing, needs)) or [NOTHING_CHANGES],
        "label": {
            "at": instant(label.at),
            "intents": list(label.intents),
            "promised_on": label.promised_on.isoformat() if label.promised_on else None,
        }
        if label
        else None,
        "meant": {
            "intents": [intent.value for intent in written.intents],
            "promised_on": written.promised_on.isoformat() if written.promised_on else None,
        }
        if written
        else None,
        "right": set(reply.intents) == set(written.intents) if written else None,
    }


def band_of_reply(sure: Sequence[str], likely: Sequence[str]) -> Band:
    """Return the band of a whole reply: it is sure if all that is heard in it is."""
    if likely:
        return Band.LIKELY
    return Band.SURE if sure else Band.DOUBT


def what_followed(reply: Reply, facts: Facts | None, standing: Standing | None, needs: Sequence[str]) -> Iterator[str]:
    """Yield what followed from a reply, in plain words, as it stands at the end."""
    meant = reply.label.intents if reply.label else ()
    if ReplyIntent.OPT_OUT in {*reply.sure, *meant}:
        yield f"no text about the account {reply.digits} any more" if reply.digits else "no text any more"
    if ReplyIntent.OPT_IN in (meant if reply.label else reply.sure):
        yield "texts again"
    if standing is not None:
        yield from _silences(reply, facts, standing)
    if needs:
        yield f"a person is called ({', '.join(needs)})"


def _silences(reply: Reply, facts: Facts | None, standing: Standing) -> Iterator[str]:
    said_at = reply.inbound.at
    holds = [hold for hold in standing.holds if hold.since == said_at]
    for hold in sorted(holds, key=_length, reverse=True):
        if hold.reason not in _OF_STATEMENTS:
            yield hold_in_words(hold, is_released=facts is not None and facts.is_released(hold.reason, said_at))
    for statement in standing.payment_statements:
        if statement.said_at == said_at:
            words = f"silent through {statement.until}, or until it is paid ({statement.reason}"
            if statement.reason is HoldReason.SAYS_PAID:
                yield f"{words})"
                continue
            kept = {promise.kept for promise in standing.promises.values() if promise.said_at == said_at}
            outcome = "broken" if False in kept else "kept" if True in kept else "open"
            yield f"{words}: {outcome})" if kept else f"{words}: an earlier one counts)"


_OF_STATEMENTS = frozenset({HoldReason.SAYS_PAID, HoldReason.PROMISE})
"""What was said of payments is kept apart."""


def _length(hold: Hold) -> tuple[bool, date]:
    return hold.until is None, hold.until or date.max


def reading_figures(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """
    Count how replies were read, for the summary: by band, and by intent whether that was right.

    A reply of a number that several customers have counts once. What is right is known of `judged` replies only. A
    button and a sticker have no words that could be read.
    """
    replies = list({line["reply_id"]: line for line in lines if line["text"]}.values())
    judged = [line for line in replies if line["meant"]]
    bands = Counter(line["band"] for line in replies)
    return {
        "judged": len(judged),
        "by_band": {
            band.value: {
                "replies": bands[band],
                "judged": sum(line["band"] == band for line in judged),
                "right": sum(line["band"] == band and line["right"] for line in judged),
            }
            for band in Band
        },
        "read": {
            intent.value: figures for intent in ReplyIntent if any((figures := _of_intent(intent, replies)).values())
        },
        "needing_silence": sum(_needs_silence(line) for line in judged),
        "needing_silence_without": sum(_needs_silence(line) and _is_followed_by_nothing(line) for line in judged),
    }


def _of_intent(intent: ReplyIntent, replies: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    meant = [line for line in replies if line["meant"] and intent in line["meant"]["intents"]]
    sure = [line for line in replies if intent in line["sure"]]
    likely = [line for line in replies if intent in line["likely"]]
    return {
        "meant": len(meant),
        "sure": len(sure),
        "sure_right": sum(line in meant for line in sure),
        "likely": len(likely),
        "likely_right": sum(line in meant for line in likely),
        "in_doubt": sum(line not in sure and line not in likely for line in meant),
    }


def _needs_silence(line: Mapping[str, Any]) -> bool:
    return not {*QUIET_INTENTS, ReplyIntent.OPT_IN}.issuperset(line["meant"]["intents"])


def _is_followed_by_nothing(line: Mapping[str, Any]) -> bool:
    return set(line["followed"]) <= {NOTHING_CHANGES, "texts again"}


def choose_replies(lines: Iterable[Mapping[str, Any]], count: int = 10) -> list[Mapping[str, Any]]:
    """
    Choose replies of the corpus that show as many intents, bands and errors as possible, the same ones every time.

    Each kind of reading has its turn, the wrong ones too; within a kind an intent not yet shown goes first.
    """
    kinds: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for line in sorted(lines, key=lambda line: (line["at"], line["reply_id"], line["customer_id"])):
        if line["meant"]:
            kinds.setdefault((line["band"], line["right"]), []).append(line)
    chosen: list[Mapping[str, Any]] = []
    shown: set[str] = set()
    texts: set[str] = set()
    while len(chosen) < count and any(kinds.values()):
        for _, waiting in sorted(kinds.items(), reverse=True):
            waiting[:] = [line for line in waiting if line["text"] not in texts]
            if waiting and len(chosen) < count:
                line = next((line for line in waiting if shown.isdisjoint(line["meant"]["intents"])), waiting[0])
                chosen.append(line)
                texts.add(line["text"])
                shown.update(line["meant"]["intents"])
    return sorted(chosen, key=lambda line: (line["at"], line["reply_id"]))
