"""
Trials of a lender: which arms chance may draw, for whom and until when. Off unless they name who approved them.

A trial that leaves a text out is refused where law or contract owes that text, or where nothing is known of it. One
that runs is left as it was written down.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from dunning.domain.decision.chance import minute_of_hour_arm
from dunning.domain.effect.draws import SILENCE, USUAL_TEXT, Arm, Layer
from dunning.domain.effect.payer_segments import UNKNOWN_PAYER
from dunning.domain.effect.trials import Trial, check_kept, check_trials
from dunning.policy.fields import Strict
from dunning.policy.files import DataFile, PolicyError
from dunning.policy.jurisdiction import Place, Places
from dunning.policy.text_files import Wording

_DOLLARS = re.compile(r"\d{1,5}\.\d{2,6}", re.ASCII)


def _check_dollars(written: str) -> str:
    if not _DOLLARS.fullmatch(written):
        raise ValueError(f'{written!r} is no amount of US dollars; write it as "2.50"')
    return written


Dollars = Annotated[str, AfterValidator(_check_dollars)]
"""US dollars as text, to a millionth, such as "2.50": as prices of segments are written."""

_MICROS = 1_000_000
_REFUSAL = re.compile(r"trials\.(?P<id>[^.]*)\.(?P<field>\w+): (?P<reason>.*)", re.DOTALL)


class TrialFile(Strict):
    """
    A trial: `arms` with their shares, in `places` and at `stages` of the ladder, from `starts_on` to `ends_on`.

    A holdout has the arms `text` and `silence`. The arms of a trial of texts are `usual` and variants in text files, or
    `usual` and `silence`; those of hours are hours such as `10` or `1830`. `goal_days` are the days within which a
    customer has to have paid. `learned` lets a learner move the shares; how far it may leave texts out follows from
    what a cure is worth (`value_of_cure`) and what a text costs beside its price (`annoyance`), both in US dollars as
    prices are. `segments` are the payer segments that take part; left out, all do.
    """

    id: str
    layer: Layer
    arms: dict[str, Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]] = Field(min_length=1)
    stages: tuple[Annotated[int, Field(strict=True)], ...]
    places: tuple[str, ...]
    goal_days: int = Field(strict=True)
    starts_on: date
    ends_on: date
    salt: str
    approved_by: str = ""
    approved_on: date | None = None
    planned_customers: int = Field(default=5_000, strict=True)
    learned: StrictBool = False
    segments: tuple[str, ...] = ()
    value_of_cure: Dollars = "0.00"
    annoyance: Dollars = "0.00"

    def trial(self) -> Trial:
        """Return the trial."""
        return Trial(
            trial_id=self.id,
            layer=self.layer,
            arms=tuple(Arm(name, share) for name, share in self.arms.items()),
            stages=frozenset(self.stages),
            places=frozenset(self.places),
            goal_days=self.goal_days,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            salt=self.salt,
            approved_by=self.approved_by.strip(),
            approved_on=self.approved_on,
            planned_customers=self.planned_customers,
            is_learned=self.learned,
            segments=frozenset(self.segments),
            value_of_cure_usd_micros=int(Decimal(self.value_of_cure) * _MICROS),
            annoyance_usd_micros=int(Decimal(self.annoyance) * _MICROS),
        )

    @property
    def may_be_silent(self) -> bool:
        """Whether the trial leaves texts out."""
        return SILENCE in self.arms


def check_trial_files(
    files: Sequence[TrialFile],
    file: DataFile,
    ladder: Sequence[int],
    contract_owes: Sequence[int],
    wordings: Iterable[Wording],
    segments: Collection[str],
    reached: Iterable[Place],
    places: Places,
) -> None:
    """
    Check the trials of a policy.

    Args:
        files: the trials.
        file: the policy.
        ladder: its stages.
        contract_owes: the stages whose text the lender's contracts owe.
        wordings: the texts of the policy's languages.
        segments: the names of its payer segments.
        reached: the places whose people the policy texts.
        places: all places.

    Raises:
        PolicyError: a trial is not as it should be, or leaves out a text that is owed.
    """
    known = {place.law.id for place in reached}
    in_languages = list(wordings)
    for position, each in enumerate(files):
        # One after another: what follows looks up the places that the first has checked.
        for field, fault in chain(
            _outside(each, ladder, known, places),
            _owed(each, contract_owes, places),
            _unknown_arms(each, in_languages, places),
            _unknown_segments(each, segments),
        ):
            raise file.refusal(("trials", position, field), fault)
    owed = {
        name: stages | set(contract_owes) for name in known if (stages := owed_stages(places.by_id[name])) is not None
    }
    try:
        check_trials([each.trial() for each in files], owed)
    except ValueError as error:
        raise _as_refusal(str(error), files, file) from error


def owed_stages(place: Place) -> set[int] | None:
    """Return the stages whose text a place owes its people, now or later; `None` if its file does not say."""
    sections = [version.trials for _, version in place.law.versions()]
    if None in sections:
        return None
    return {stage for section in sections if section is not None for stage in section.owed_stages}


def trials_at(files: Iterable[TrialFile], ids: Iterable[str]) -> tuple[Trial, ...]:
    """Return the approved trials for people to whom the law of all these places applies, in the order of layers."""
    there = set(ids)
    trials = [each.trial() for each in files]
    order = list(Layer)
    return tuple(
        sorted(
            (trial for trial in trials if trial.approved_by and trial.approved_on and there <= trial.places),
            key=lambda trial: order.index(trial.layer),
        )
    )


type _TrialFault = tuple[str, str]
"""A field of a trial, and what is wrong with it."""


def _outside(each: TrialFile, ladder: Sequence[int], known: set[str], places: Places) -> Iterator[_TrialFault]:
    for stage in each.stages:
        if stage not in ladder:
            yield "stages", f"{stage:+d} is not one of the ladder's: {', '.join(map(str, ladder))}; take it out"
    for place in each.places:
        if place not in places.by_id:
            yield "places", f"there is no place {place!r}; name a file of jurisdictions, such as TW"
        elif place not in known:
            yield "places", f"the policy texts nobody in {place}; take it out, or add it to countries"


def _owed(each: TrialFile, contract_owes: Sequence[int], places: Places) -> Iterator[_TrialFault]:
    """Yield the texts that a silent trial would leave out although they are owed, with where that is written."""
    if not each.may_be_silent:
        return
    fix = "leave out the stage or the place"
    for stage in each.stages:
        if stage in contract_owes:
            yield "stages", f"the lender's contracts owe the text of stage {stage:+d}, contract_owes; leave it out"
    for place_id in each.places:
        place = places.by_id[place_id]
        owed = owed_stages(place)
        if owed is None:
            fault = f"{place.file.name} does not say which texts are owed in {place_id}"
            yield "places", f"{fault}; add [trials] there with a source, or leave the place out"
            continue
        for stage in sorted(owed.intersection(each.stages)):
            where = place.file.at("trials", "owed_stages")
            yield "stages", f"the text of stage {stage:+d} is owed to customers in {place_id}, {where}; {fix}"


def _unknown_arms(each: TrialFile, wordings: Sequence[Wording], places: Places) -> Iterator[_TrialFault]:
    for arm in each.arms:
        if each.layer is Layer.TEXT and arm not in {USUAL_TEXT, SILENCE}:
            for wording in wordings:
                variant = wording.variants.get(arm)
                for stage in each.stages:
                    if variant is None or not any(key[1] == stage for key in variant.texts):
                        language = next(iter(wording.texts))[0]
                        fault = f"no text of stage {stage:+d} in {language} has variant = {arm!r}"
                        yield "arms", f"{fault}; write one, or call the arm {USUAL_TEXT}"
        if each.layer is Layer.HOUR:
            minute = minute_of_hour_arm(arm)
            if minute is None:
                yield "arms", f"{arm!r} is no hour; write it as 10 or 1830"
                continue
            for place_id in each.places:
                hours = places.by_id[place_id].law.hours.ours.week
                if not any(start <= minute < end for day in hours.week for start, end in day):
                    yield "arms", f"{arm!r} is outside the hours of {place_id} on all days; choose one inside of them"


def _unknown_segments(each: TrialFile, segments: Collection[str]) -> Iterator[_TrialFault]:
    for name in each.segments:
        if name not in segments and name != UNKNOWN_PAYER:
            known = ", ".join([*segments, UNKNOWN_PAYER])
            yield "segments", f"no [[segments]] is called {name!r}; write one, or use one of {known}"


def check_trials_kept(before: Sequence[TrialFile], after: Sequence[TrialFile], file: DataFile, today: date) -> None:
    """
    Check that a changed policy leaves the trials that run under the policy in force as they were written down.

    Args:
        before: the trials of the policy in force.
        after: those of the changed policy.
        file: the changed policy.
        today: the local day of the change.

    Raises:
        PolicyError: a running trial was changed, other than to end it early or turn it off.
    """
    try:
        check_kept([each.trial() for each in before], [each.trial() for each in after], today)
    except ValueError as error:
        raise _as_refusal(str(error), after, file) from error


def _as_refusal(message: str, files: Sequence[TrialFile], file: DataFile) -> PolicyError:
    match = _REFUSAL.fullmatch(message)
    if match is None:
        return file.refusal(("trials",), message)
    # Of two trials with one id the second is refused.
    at = max((position for position, each in enumerate(files) if each.id == match["id"]), default=0)
    return file.refusal(("trials", at, match["field"]), match["reason"])
