"""
Draws: what chance decides for a customer, and with which probability.

A draw follows from a trial's salt, the customer and the rung alone. So a repeated job, a new plan and a second sender
come to the same arm, and nothing is stored to draw again.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

EPOCH_WEEKS = 26
"""The weeks for which a customer stays held out, or not. Then everybody is drawn anew."""

TEXTED, SILENCE = "text", "silence"
"""The two arms of a holdout."""

USUAL_TEXT = "usual"
"""The text arm with the wording that is used where no trial runs."""

UNIFORM_SHARE = 0.1
"""The share of the draws that a learner leaves even: a clean trial beside it."""

LEAST_TEXTED, LEAST_SILENT = 0.10, 0.05
"""The smallest shares of a payer segment that are texted, and that are not, where a text may be left out."""

SHARE_DIGITS = 6
"""The decimals of a probability in a record. A draw's probability has no more, so that a record is exact."""

_BITS = 53
"""The bits of a float's fraction: with more a draw could be rounded up to 1."""
_DROPPED, _UNIT = 64 - _BITS, 2.0**-_BITS

_NAME = re.compile(r"[a-z0-9_-]{1,16}")
_ENTRY = re.compile(r"([hto])(?:([a-z0-9_-]{1,16})\.)?([a-z0-9_-]{0,16}):([01](?:\.[0-9]{1,6})?)(u?)")
_LONGEST_RECORD = 200


class Layer(StrEnum):
    """What chance decides, in this order. The layers are drawn independently of one another."""

    HOLDOUT = "holdout"
    TEXT = "text"
    HOUR = "hour"


_HOLDOUT = Layer.HOLDOUT.value  # plain text is quicker to hash than a member
_LETTERS = {Layer.HOLDOUT: "h", Layer.TEXT: "t", Layer.HOUR: "o"}
_LAYERS = {letter: layer for layer, letter in _LETTERS.items()}


class Arm(NamedTuple):
    """One outcome of a draw, and the share of the draws it gets: above 0, at most 1."""

    name: str
    share: float


class Draw(NamedTuple):
    """
    The arm that chance chose in a layer, and the probability that it had at that moment.

    A probability of 1 means that nothing was left to chance: such a draw is not analysed.
    """

    layer: Layer
    trial: str
    arm: str
    propensity: float
    is_uniform: bool = False
    """Whether the draw belongs to the slice in which a learner leaves all arms even."""


def unit_draw(
    salt: str, layer: str, epoch: int, customer_id: str, instalment: str = "", stage: int | None = None
) -> float:
    """
    Return a number from 0 on and below 1 that is the same for the same arguments, on every machine.

    Neither a salt nor a customer id contains `#`, so that no two sets of arguments are hashed alike. Without instalment
    and stage the draw is the person's, for the whole epoch.
    """
    key = f"{salt}#{layer}#{epoch}#{customer_id}#{'' if stage is None else stage}#{instalment}"
    return (int.from_bytes(sha256(key.encode()).digest()[:8]) >> _DROPPED) * _UNIT


def epoch_of(day: date, since: date, weeks: int = EPOCH_WEEKS) -> int:
    """
    Return the number of the epoch of a local day, counted from 0 at the first day of a trial.

    Raises:
        ValueError: the day is before the trial.
    """
    if day < since:
        raise ValueError(f"day {day} is before {since}, the first day of the trial: it has no epoch")
    return (day - since).days // (7 * weeks)


def epoch_begins(epoch: int, since: date, weeks: int = EPOCH_WEEKS) -> date:
    """Return the first day of an epoch of a trial that began on the day `since`."""
    return since + timedelta(weeks=epoch * weeks)


def holdout_threshold(share: float, epoch: int) -> float:
    """
    Return the probability of being held out in an epoch, for those who were not held out in the epoch before.

    Those who were are exempt, so that silence is nobody's lot for long. The others' probability is a little higher, so
    that in each epoch the configured share of all customers is held out. Above a half that cannot be: who may be is.
    """
    if epoch == 0:
        return share
    return share / (1 - share) if share < 0.5 else 1.0  # noqa: PLR2004 - half


def is_held_out(salt: str, share: float, customer_id: str, epoch: int) -> bool:
    """Tell whether a customer is held out in an epoch."""
    return unit_draw(salt, _HOLDOUT, epoch, customer_id) < holdout_threshold(share, epoch) and not (
        epoch and is_held_out(salt, share, customer_id, epoch - 1)
    )


def draw_holdout(trial: str, salt: str, share: float, customer_id: str, epoch: int) -> Draw:
    """
    Return a customer's draw in a holdout for an epoch.

    Who was held out in the epoch before is texted with the probability 1, and is not analysed.
    """
    if epoch and is_held_out(salt, share, customer_id, epoch - 1):
        return Draw(Layer.HOLDOUT, trial, TEXTED, 1.0)
    threshold, silent, texted = _holdout_draws(trial, share, epoch)
    return silent if unit_draw(salt, _HOLDOUT, epoch, customer_id) < threshold else texted


@lru_cache(maxsize=64)  # trials and epochs, not customers
def _holdout_draws(trial: str, share: float, epoch: int) -> tuple[float, Draw, Draw]:
    threshold = holdout_threshold(share, epoch)
    silent = round(threshold, SHARE_DIGITS)
    texted = round(1 - silent, SHARE_DIGITS)
    return threshold, Draw(Layer.HOLDOUT, trial, SILENCE, silent), Draw(Layer.HOLDOUT, trial, TEXTED, texted)


def arm_at(position: float, arms: Sequence[Arm]) -> Arm:
    """Return the arm at a position from 0 on and below 1, where the arms lie side by side with their shares."""
    for arm in arms[:-1]:
        if position < arm.share:
            return arm
        position -= arm.share
    return arms[-1]


def draw_arm(layer: Layer, trial: str, position: float, arms: Sequence[Arm]) -> Draw:
    """Return the draw of fixed arms at a position (`unit_draw`)."""
    arm = arm_at(position, arms)
    return Draw(layer, trial, arm.name, round(arm.share, SHARE_DIGITS))


def draw_learned_arm(layer: Layer, trial: str, position: float, weighted: Sequence[Arm]) -> Draw:
    """
    Return the draw of arms that a learner weighs: the first tenth of all positions stays even.

    The probability is that of the arm over both parts.
    """
    count = len(weighted)
    is_uniform = position < UNIFORM_SHARE
    if is_uniform:
        arm = weighted[min(int(position / UNIFORM_SHARE * count), count - 1)]
    else:
        arm = arm_at((position - UNIFORM_SHARE) / (1 - UNIFORM_SHARE), weighted)
    return Draw(layer, trial, arm.name, round(learned_share(arm.share, count), SHARE_DIGITS), is_uniform)


def learned_share(weight: float, arms: int) -> float:
    """Return the probability of one of `arms` arms that a learner gives a weight, the even slice included."""
    return UNIFORM_SHARE / arms + (1 - UNIFORM_SHARE) * weight


def weight_for_share(share: float, arms: int) -> float:
    """Return the weight with which an arm gets a share of all draws, the even slice included."""
    return (share - UNIFORM_SHARE / arms) / (1 - UNIFORM_SHARE)


def restricted_to(arms: Iterable[Arm], allowed: Collection[str]) -> tuple[Arm, ...]:
    """
    Return the arms that are lawful and not paused, with shares that sum to 1; none if there are none.

    Arms that a learner has given no weight share alike if no others are left.
    """
    left = [arm for arm in arms if arm.name in allowed]
    total = sum(arm.share for arm in left)
    return tuple(Arm(arm.name, arm.share / total if total else 1 / len(left)) for arm in left)


def draws_to_text(draws: Iterable[Draw]) -> str:
    """
    Return the compact form of draws for a record, such as `h:0.95;t3.b:0.31;o18:0.25`.

    An entry is the layer's letter (h, t, o), the trial and a dot, the arm, a colon, the probability, and `u` for a draw
    of the even slice. An entry without a dot is of a trial without a name; without an arm it is a holdout's `text`.
    """
    return ";".join(_entry(draw) for draw in draws)


def _entry(draw: Draw) -> str:
    if draw.trial:
        label = f"{draw.trial}.{draw.arm}"
    else:
        label = "" if draw.layer is Layer.HOLDOUT and draw.arm == TEXTED else draw.arm
    propensity = f"{draw.propensity:.{SHARE_DIGITS}f}".rstrip("0").rstrip(".")
    return f"{_LETTERS[draw.layer]}{label}:{propensity}{'u' if draw.is_uniform else ''}"


@lru_cache(maxsize=4096)  # arms and probabilities, not customers: a night reads the same texts over and over
def draws_from_text(text: str) -> tuple[Draw, ...]:
    """
    Return the draws of a record, exactly as `draws_to_text` wrote them.

    Raises:
        ValueError: the text is none that `draws_to_text` writes. The message names the entry by its number.
    """
    if len(text) > _LONGEST_RECORD:
        raise ValueError(f"draws: {len(text)} characters; a record has at most {_LONGEST_RECORD}")
    draws = tuple(_draw_of(entry, number) for number, entry in enumerate(text.split(";"), 1)) if text else ()
    order = list(Layer)
    places = [order.index(draw.layer) for draw in draws]
    if places != sorted(set(places)):
        raise ValueError("draws: a layer stands twice or out of order; write holdout, text, hour, each at most once")
    return draws


def _draw_of(entry: str, number: int) -> Draw:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise ValueError(
            f"draws: entry {number} is not of the form <h, t or o>[<trial>.]<arm>:<probability>, such as t3.b:0.31"
        )
    letter, trial, arm, propensity, uniform = match.groups()
    layer = _LAYERS[letter]
    if not arm and not trial and layer is Layer.HOLDOUT:
        arm = TEXTED
    draw = Draw(layer, trial or "", arm, float(propensity), bool(uniform))
    if not arm:
        raise ValueError(f"draws: entry {number} names no arm; write <trial>.<arm> before the colon")
    if not 0 < draw.propensity <= 1:
        raise ValueError(f"draws: entry {number} has a probability that is not above 0 and at most 1")
    if _entry(draw) != entry:
        raise ValueError(f"draws: entry {number} is not in its shortest form; write {_entry(draw)}")
    return draw


def is_name(text: str) -> bool:
    """Tell whether a trial or an arm may have this name: it stands in the compact form of records."""
    return _NAME.fullmatch(text) is not None
