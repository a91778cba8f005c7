"""
Drawn rungs: what an audit record says of a rung of the ladder that chance had a part in, and what it asked for.

A rung on record becomes a spell for each trial that drew for it. A text without a draw is kept beside them: it may have
broken a silence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dunning.domain.delivery.channels import NO_CONTACT
from dunning.domain.delivery.contact import Contact
from dunning.domain.effect.draws import draws_from_text
from dunning.domain.effect.payer_segments import UNKNOWN_PAYER
from dunning.domain.effect.settling import Asked, Spell
from dunning.domain.effect.trials import Trial

_ASKED = re.compile(r"(\d{1,3})\.(-?\d{1,9}):(\d{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRung:
    """A rung of which a record says that its stage was reached: by a text, or by silence."""

    customer_id: str
    send_id: str
    at: datetime
    """The moment of the claim."""
    stage: int
    place: str
    """The jurisdiction whose law it was judged by; empty if the sender died before the record was written."""
    channel: str
    draws: str = ""
    """What was drawn, in the form of a record; empty for a text outside of all trials."""
    payer_segment: str = UNKNOWN_PAYER
    asked: tuple[Asked, ...] = ()
    """What the rung asked for; known if it was drawn."""
    parts: int = 0
    price_usd_micros: int = 0

    @property
    def was_silent(self) -> bool:
        """Whether nothing was sent."""
        return self.channel == NO_CONTACT


def asked_to_text(asked: Sequence[Asked], account_ids: Sequence[str]) -> str:
    """
    Return the compact form for a record, such as `0.3:50000,1.7:1200`: account by position, instalment, open amount.

    Raises:
        ValueError: an account is not among `account_ids`.
    """
    return ",".join([f"{account_ids.index(each.account_id)}.{each.number}:{each.open}" for each in asked])


def asked_from_text(text: str, account_ids: Sequence[str]) -> tuple[Asked, ...]:
    """
    Return what a record asked for.

    Raises:
        ValueError: the text is none that `asked_to_text` writes for these accounts.
    """
    asked = []
    for number, entry in enumerate(text.split(","), 1) if text else ():
        match = _ASKED.fullmatch(entry)
        if match is None or int(match[1]) >= len(account_ids):
            raise ValueError(f"asked: entry {number} is not of the form <account>.<instalment>:<amount>")
        asked.append(Asked(account_ids[int(match[1])], int(match[2]), int(match[3])))
    return tuple(asked)


def rung_of(contact: Contact) -> DrawnRung | None:
    """
    Return the rung that a record is of; `None` if it is no reminder.

    Raises:
        ValueError: what was asked for cannot be read.
    """
    if contact.stage is None:
        return None
    return DrawnRung(
        customer_id=contact.customer_id,
        send_id=contact.send_id,
        at=contact.at,
        stage=contact.stage,
        place=contact.jurisdiction,
        channel=contact.channel,
        draws=contact.draws,
        payer_segment=contact.payer_segment or UNKNOWN_PAYER,
        asked=asked_from_text(contact.asked, contact.account_ids),
        parts=contact.parts,
        price_usd_micros=contact.price_usd_micros,
    )


def spell_for(rung: DrawnRung, trial: Trial, drawn_on: date) -> Spell | None:
    """
    Return the spell of a trial that began with a rung; `None` if the trial left nothing to chance there.

    Raises:
        ValueError: the draws cannot be read, or nothing is known of what the rung asked for.
    """
    draws = tuple([each for each in draws_from_text(rung.draws) if each.trial == trial.trial_id])
    if not draws or draws[0].propensity == 1:
        return None
    return Spell(
        customer_id=rung.customer_id,
        send_id=rung.send_id,
        draws=draws,
        drawn_at=rung.at,
        drawn_on=drawn_on,
        stage=rung.stage,
        goal_days=trial.goal_days,
        asked=rung.asked,
        payer_segment=rung.payer_segment,
        place=rung.place,
        channel=rung.channel,
        parts=rung.parts,
        price_usd_micros=rung.price_usd_micros,
    )
