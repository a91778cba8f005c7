"""
The second opinion: how the reading of a reply changes when a larger reader has read the reply, too. Pure.

The local reader stays the one that decides. The larger reader answers with intents and nothing else, and is never
trusted alone: what only the larger reader says is likely at most, so that a person looks. It can bring silence, and
it can confirm; it can take nothing away that the local reader holds for likely.
"""

from dataclasses import replace

from dunning.domain.replies.intents import QUIET_INTENTS, STANDING_ALONE, ParsedReply, ReplyIntent, in_order

_WEIGHTY = frozenset(
    {
        ReplyIntent.OPT_OUT,
        ReplyIntent.OPT_IN,
        ReplyIntent.WRONG_PERSON,
        ReplyIntent.DECEASED,
        ReplyIntent.REPRESENTED,
        ReplyIntent.REFUSAL,
    }
)
"""Intents that end contact or bring texts back. A guess of the local reader is not enough to make them sure."""


def wants_second_opinion(parsed: ParsedReply) -> bool:
    """Tell whether the larger reader is asked: the local reading is in doubt, and no fixed word has decided."""
    return parsed.is_in_doubt and not parsed.by_fixed_word


def with_second_opinion(parsed: ParsedReply, larger: frozenset[ReplyIntent] | None) -> ParsedReply:
    """
    Return the reading of a reply, given the intents that the larger reader found; `None` is no answer.

    Without an answer, and where no second opinion is wanted, nothing changes. Otherwise:

    - What the local reader holds for sure or likely stays at least that. A wish to be texted again falls to a wish to
      be left alone, whoever heard that.
    - What both found is sure. Intents that end contact or bring texts back are sure only if the local reader held them
      for likely; if they were its guess, they are likely.
    - What the larger reader alone found is likely. Distress is at least likely, whoever found it.
    - A reply is quiet, or chat, only if both readers found that and the local reader nothing beside it.

    The day of a promise and the digits of an account are the local reader's.
    """
    if larger is None or not wants_second_opinion(parsed):
        return parsed
    local = frozenset((*parsed.sure, *parsed.likely, *parsed.guess))
    sure = {*parsed.sure, *(intent for intent in larger if _is_confirmed(intent, parsed, local))}
    likely = {*parsed.likely, *(larger - STANDING_ALONE)}
    if ReplyIntent.DISTRESS in local:
        likely.add(ReplyIntent.DISTRESS)
    if not (sure | likely) - QUIET_INTENTS:
        likely |= larger  # so that chat, which may be anything, leaves a doubt
    guess = sure | larger
    guess = (guess - STANDING_ALONE) or guess
    if ReplyIntent.OPT_OUT in sure | likely:
        for intents in (sure, likely, guess):
            intents.discard(ReplyIntent.OPT_IN)
    return replace(
        parsed,
        sure=in_order(sure),
        likely=in_order(likely - sure),
        guess=in_order(guess),
        why=(*parsed.why, f"larger reader: {', '.join(in_order(larger))}"),
    )


def _is_confirmed(intent: ReplyIntent, parsed: ParsedReply, local: frozenset[ReplyIntent]) -> bool:
    """Tell whether an intent of the larger reader makes the local reading sure."""
    if intent in STANDING_ALONE:
        return local == {intent}
    if intent in _WEIGHTY:
        return intent in parsed.likely
    return intent in local
