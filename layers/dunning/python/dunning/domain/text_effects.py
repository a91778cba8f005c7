"""
Text effects: what a customer does after a text other than pay, and which text it follows. Pure.

An opt-out, a complaint, a wrong person and hardship are put down to the last reminder before them, as in trials, and
each counts once a customer after a reminder: whoever complains three times about a text complains once. They are read
from a change of the standing, because it holds the times of both: texts in the ledger, and what the customer said. What
a person does not find in the reply is taken back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.standing import LedgerEntry, Standing, label_key

NOT_KNOWN = "?"
"""Stands for what is not known of a text. No payer segment, wording or stage has this name."""

NO_REMINDER = "~"
"""Stands for the text of what follows no reminder. No payer segment, wording or stage has this name."""

FOLLOWS_WITHIN = timedelta(days=31)
"""So long after a text something may follow from it: a ledger remembers no less."""


type _TextKey = tuple[datetime, str]


class TextEffect(StrEnum):
    """What a customer does after a text other than pay."""

    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"
    WRONG_PERSON = "wrong_person"
    HARDSHIP = "hardship"


class TextPart(StrEnum):
    """What texts are told apart by."""

    STAGE = "stage"
    HOUR = "hour"
    WORDING = "text"
    PAYER = "payer"


_HOLDS: Mapping[TextEffect, HoldReason] = {
    TextEffect.COMPLAINT: HoldReason.COMPLAINT,
    TextEffect.WRONG_PERSON: HoldReason.WRONG_PERSON,
    TextEffect.HARDSHIP: HoldReason.HARDSHIP,
}


class TextDetails(NamedTuple):
    """What the record of a text says of it; empty or `None` where it is not known."""

    template: str = ""
    payer_segment: str = ""
    local_hour: int | None = None


class EffectChange(NamedTuple):
    """
    An effect that a change adds (`number` is 1), or takes back (-1).

    `text` is the last reminder before it; `None` if there was none within `FOLLOWS_WITHIN`, or none is remembered.
    """

    effect: TextEffect
    text: LedgerEntry | None
    number: int = 1


def name_of_effect(effect: TextEffect, part: TextPart) -> str:
    """Return the name of the counters of an effect by a part of texts, such as `opt_out_by_stage`."""
    return f"{effect}_by_{part}"


def effects_of_change(old: Standing | None, new: Standing) -> list[EffectChange]:
    """
    Return what a change of a standing adds and takes back.

    Of opt-outs a standing knows the last one alone. One that arrives after a later one is left out.
    """
    old = old or Standing(customer_id=new.customer_id)
    if _is_unchanged(old, new):
        return []  # nearly always: claims and wakes say nothing of it
    found: list[EffectChange] = []
    for effect in TextEffect:
        before, after = _times_of(old, effect), _times_of(new, effect)
        texts_before, texts_after = _texts_at(before, new), _texts_at(after, new)
        added = _texts_at(after - before, new)
        found += [EffectChange(effect, text) for key, text in added.items() if key not in texts_before]
        taken_back = _texts_at((at for at in before - after if _is_relabelled(at, old, new)), new)
        found += [EffectChange(effect, text, -1) for key, text in taken_back.items() if key not in texts_after]
    return found


def _is_unchanged(old: Standing, new: Standing) -> bool:
    return (
        old.holds == new.holds
        and old.opted_out_at == new.opted_out_at
        and old.opted_out_accounts == new.opted_out_accounts
    )


def _times_of(standing: Standing, effect: TextEffect) -> frozenset[datetime]:
    """Return the times at which the customer said it."""
    if effect is TextEffect.OPT_OUT:
        of_all = () if standing.opted_out_at is None else (standing.opted_out_at,)
        return frozenset([*of_all, *standing.opted_out_accounts.values()])
    reason = _HOLDS[effect]
    return frozenset([hold.since for hold in standing.holds if hold.reason is reason and hold.since is not None])


def _texts_at(times: Iterable[datetime], standing: Standing) -> dict[_TextKey | None, LedgerEntry | None]:
    """Return the last reminders before the times, each once; `None` stands for none."""
    found = [_text_before(at, standing) for at in sorted(times)]
    return {None if text is None else (text.at, text.send_id): text for text in found}


def _text_before(at: datetime, standing: Standing) -> LedgerEntry | None:
    texts = (each for each in standing.ledger if each.stage is not None and not each.is_held_out)
    within = [each for each in texts if each.at <= at < each.at + FOLLOWS_WITHIN]
    return max(within, key=lambda each: each.at, default=None)


def _is_relabelled(at: datetime, old: Standing, new: Standing) -> bool:
    """Tell whether a person has just said what the reply of a moment means."""
    label = new.reply_labels.get(label_key(at))
    return label is not None and label != old.reply_labels.get(label_key(at))


def counters_of_effect(change: EffectChange, details: TextDetails | None) -> Mapping[str, int]:
    """Return what an effect counts for, by everything that its text is told apart by."""
    known = details or TextDetails()
    values: Mapping[TextPart, object] = dict.fromkeys(TextPart, NO_REMINDER)
    if change.text is not None:
        values = {
            TextPart.STAGE: change.text.stage,
            TextPart.HOUR: NOT_KNOWN if known.local_hour is None else known.local_hour,
            TextPart.WORDING: known.template or NOT_KNOWN,
            TextPart.PAYER: known.payer_segment or NOT_KNOWN,
        }
    return {f"{name_of_effect(change.effect, part)}:{value}": change.number for part, value in values.items()}
