"""
Trial book lines: a settled spell as a line of JSON, and back, exactly.

The first line of a part is its version. A line is an array by position; what is appended has to have a default.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from dunning.domain.effect.draws import draws_from_text, draws_to_text
from dunning.domain.effect.settling import Asked, OutcomeState, SideEffects, Spell, SpellOutcome
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.errors import UnreadableRecordError

_VERSION = 1
_HEADING = f'{{"v":{_VERSION}}}\n'
_FIELDS = 19

_draws_of = lru_cache(maxsize=4096)(draws_from_text)  # arms and probabilities, not customers
_draws_text = lru_cache(maxsize=4096)(draws_to_text)
_day_of = lru_cache(maxsize=4096)(date.fromisoformat)


@lru_cache(maxsize=64)
def _effects_of(written: int) -> SideEffects:
    return SideEffects(*(bool(written >> place & 1) for place in range(len(SideEffects._fields))))


def book_lines(spells: Iterable[SettledSpell]) -> Iterator[str]:
    """Yield the lines of a part, the version first."""
    yield _HEADING
    for spell, outcome in spells:
        row = [
            spell.customer_id,
            spell.send_id,
            _draws_text(spell.draws),
            spell.drawn_at.astimezone(UTC).isoformat(),
            spell.drawn_on.isoformat(),
            spell.stage,
            spell.goal_days,
            spell.asked,
            spell.payer_segment,
            spell.place,
            spell.channel,
            spell.parts,
            spell.price_usd_micros,
            outcome.state.value,
            int(outcome.cured),
            outcome.days,
            int(outcome.paid_in_part),
            sum(flag << place for place, flag in enumerate(outcome.side_effects)),
            outcome.next_late,
        ]
        yield f"{json.dumps(row, ensure_ascii=False, separators=(',', ':'))}\n"


def spells_of_lines(lines: Iterable[str], name: str) -> Iterator[SettledSpell]:
    """
    Yield the spells of a part.

    Raises:
        UnreadableRecordError: a line is not what `book_lines` writes. The message has `name` and the line's number.
    """
    for number, line in enumerate(lines):
        try:
            if number:
                yield _spell_of(json.loads(line))
            elif json.loads(line) != {"v": _VERSION}:
                raise UnreadableRecordError(f"{name}: line 1 names another version than {_VERSION}")
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise UnreadableRecordError(f"{name}: line {number + 1}: {type(error).__name__}") from None


def _spell_of(row: Any) -> SettledSpell:  # noqa: ANN401 - JSON
    if not isinstance(row, list) or len(row) < _FIELDS:
        raise ValueError("too few fields")
    (customer_id, send_id, draws, drawn_at, drawn_on, stage, goal_days, asked, payer_segment, place, channel,
     parts, price, state, cured, days, in_part, effects, next_late) = row[:_FIELDS]  # fmt: skip
    spell = Spell(
        customer_id=_book_text(customer_id),
        send_id=_book_text(send_id),
        draws=_draws_of(draws),
        drawn_at=datetime.fromisoformat(drawn_at),
        drawn_on=_day_of(drawn_on),
        stage=_book_number(stage),
        goal_days=_book_number(goal_days),
        asked=tuple(
            [
                Asked(_book_text(account), _book_number(of), _book_number(still_open))
                for account, of, still_open in asked
            ]
        ),
        payer_segment=sys.intern(payer_segment),
        place=sys.intern(place),
        channel=sys.intern(channel),
        parts=_book_number(parts),
        price_usd_micros=_book_number(price),
    )
    outcome = SpellOutcome(
        state=OutcomeState(state),
        cured=bool(_book_number(cured)),
        days=None if days is None else _book_number(days),
        paid_in_part=bool(_book_number(in_part)),
        side_effects=_effects_of(_book_number(effects)),
        next_late=next_late if next_late is None else _book_flag(next_late),
    )
    return SettledSpell(spell, outcome)


def _book_text(value: object) -> str:
    if type(value) is not str:
        raise TypeError("not a text")
    return value


def _book_number(value: object) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value


def _book_flag(value: object) -> bool:
    if type(value) is not bool:
        raise TypeError("not a flag")
    return value
