"""People with planted effects: what is planted is known, what trials find of it holds, and all of it is counted."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from dunning.domain.delivery.contact import ContactState
from dunning.domain.effect.sums import FirstLine
from dunning.domain.effect.trial_results import ArmComparison, TrialResult, TrialSign
from tests.local.effect import FILES, as_json, main
from tests.local.effect_page import effect_page
from tests.local.effect_people import (
    BEGIN,
    CURT,
    LENDER,
    Fate,
    Habit,
    HeardText,
    HoldoutTerms,
    PlantedEffects,
    answer_to_text,
    effects_for,
    fate_of,
    is_moved,
    people,
    planted_in_trial,
    share_to_move,
    without_effect,
)
from tests.local.effect_report import effect_report
from tests.local.effect_run import POLICIES, EffectRun, checks_of, holdout_terms, play_effect
from tests.local.effect_world import EffectWorld
from tests.local.policies import load

TERMS = HoldoutTerms((-3, 0, 3, 7), (-3, 0, 3, 7, 15), 14)
EFFECTS = PlantedEffects(moved=0.5, moved_at_best_hour=0.75)


# ------------------------------------------------------------------ what is planted


def test_who_always_pays_on_time_does_so_with_texts_or_without() -> None:
    for person in people(300, seed=1):
        for instalment in range(6):
            fate = fate_of(person, instalment, seed=1)
            if person.habit is Habit.PUNCTUAL:
                assert fate.offset <= 0
                assert not is_moved(person, fate, 1.0)


def test_a_text_moves_late_payments_alone_and_as_many_as_are_planted() -> None:
    late = [
        (person, fate)
        for person in people(4_000, seed=2)
        for fate in [fate_of(person, 0, seed=2)]
        if fate.offset > 0 and person.habit is not Habit.PUNCTUAL
    ]
    moved = [person for person, fate in late if is_moved(person, fate, 0.3)]
    assert len(moved) / len(late) == pytest.approx(0.3, abs=0.03)
    on_time = Fate(offset=0, position=0.0, minute=1200)
    assert not any(is_moved(person, on_time, 1.0) for person, _ in late)


@pytest.mark.slow(reason="the fates of seven thousand people")
@pytest.mark.parametrize("lift", [0.0, 0.02, 0.04])
def test_the_lift_that_is_asked_for_is_the_one_that_is_planted(lift: float) -> None:
    moved = share_to_move(lift, TERMS, 6)
    assert planted_in_trial(people(4_000, 0), moved, TERMS, 6, 0).lift == pytest.approx(lift, abs=0.0005)
    assert planted_in_trial(people(3_000, 7), moved, TERMS, 6, 7).lift == pytest.approx(lift, abs=0.01)


def test_both_lives_are_counted_by_hand() -> None:
    (person,) = [each for each in people(50, 3) if each.habit is Habit.LATE][:1]
    fate = fate_of(person, 0, 3)
    assert (fate.offset, fate.position < 1) == (23, True)
    lives = planted_in_trial([person], 1.0, TERMS, 1, 3)
    # Texted three days before, paid two days before. Silent until the text of the 15th day, paid on the 16th: that is
    # later than 14 days after the first stage, from which an instalment counts.
    assert (lives.rungs, lives.cures) == ({"text": 1, "silence": 1}, {"text": 1, "silence": 0})
    lives = planted_in_trial([person], 0.0, TERMS, 1, 3)
    assert (lives.rungs, lives.cures) == ({"text": 1, "silence": 1}, {"text": 0, "silence": 0})
    assert lives.lift == 0


def test_a_lift_that_no_text_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="a lift of 50 points cannot be planted; plant 0 to 22"):
        effects_for(0.5, TERMS, 1)


def test_curt_words_make_more_people_opt_out_and_the_same_person_does_so_again() -> None:
    (person,) = list(people(1, 1))
    at = datetime(2026, 6, 2, 2, tzinfo=UTC)
    counts = {
        template: sum(
            answer_to_text(person, HeardText(at, template, number), EFFECTS, 1) is not None for number in range(4_000)
        )
        for template in ("today@1", f"demo-trials/zh-Hant/today{CURT}@1")
    }
    assert 5 <= counts["today@1"] <= 32
    assert 110 <= counts[f"demo-trials/zh-Hant/today{CURT}@1"] <= 210
    calm = without_effect(EFFECTS)
    assert (
        sum(
            answer_to_text(person, HeardText(at, f"today{CURT}@1", number), calm, 1) is not None
            for number in range(4_000)
        )
        == counts["today@1"]
    )


def test_the_lender_of_the_play_has_the_trials_that_people_are_planted_for() -> None:
    policies = load(POLICIES)
    assert holdout_terms(policies) == TERMS
    trials = [each.trial() for each in policies.book.lenders[LENDER].policy.trials]
    assert [(trial.trial_id, trial.starts_on, (trial.ends_on - BEGIN).days) for trial in trials] == [
        (name, BEGIN, 181) for name in ("quiet", "tone", "spare", "hour")
    ]


# ------------------------------------------------------------------ what trials find of it


class Kept:
    """A run, with the world as it was after the last night."""

    def __init__(self, **asked: object) -> None:
        self.world: EffectWorld | None = None
        self.run: EffectRun = play_effect(on_night=self._keep, **asked)  # type: ignore[arg-type]

    def _keep(self, day: date, world: EffectWorld) -> None:
        del day
        self.world = world


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept(customers=600, days=98, seed=1)


@pytest.fixture(scope="module")
def in_hong_kong() -> Kept:
    """Where words and silence are tried: curt words drive away more people than in the demo, so that it is sooner."""
    planted = replace(effects_for(0.05, TERMS, 4), opt_outs_if_curt=0.08)
    return Kept(customers=700, days=126, seed=1, effects=planted, countries=["HK"])


@pytest.fixture(scope="module")
def in_taiwan() -> Kept:
    """Where some are held out: all people live there, so that each arm soon has the hundred that an interval takes."""
    return Kept(customers=450, days=98, seed=1, countries=["TW"])


def result_of(run: EffectRun, trial: str) -> TrialResult:
    (result,) = [each for each in run.results if each.trial == trial]
    return result


def whole(result: TrialResult) -> Iterator[ArmComparison]:
    for each in result.comparisons:
        if each.stage is None and each.payer_segment is None and each.place is None:
            yield each


SLOW = "three or four months of hundreds of people through the services"


@pytest.mark.slow(reason=SLOW)
def test_no_silence_is_broken_every_draw_has_its_record_and_nights_count_as_people_do(kept: Kept) -> None:
    assert kept.run.is_right, [check for check in kept.run.checks if check.is_right is False]
    assert [check.is_right for check in kept.run.checks].count(True) == 4
    assert kept.run.happened.held_out > 300
    for result in kept.run.results:
        assert not {sign.sign for sign in result.signs} - {TrialSign.HARM}, result.trial
        assert not result.is_stopped


@pytest.mark.slow(reason=SLOW)
def test_a_text_at_a_stage_that_was_to_be_silent_and_a_lost_record_are_seen_beside_the_nights(kept: Kept) -> None:
    assert kept.world is not None
    trials = {each.id: each.trial() for each in load(POLICIES).book.lenders[LENDER].policy.trials}
    records = kept.world.records.records
    silent = next(key for key, each in records.items() if each.state is ContactState.HELD_OUT and "quiet" in each.draws)
    untouched = dict(records)
    try:
        again = next(
            key
            for key, each in records.items()
            if key != silent and each.customer_id == silent.customer_id and each.state is ContactState.HELD_OUT
        )
        records[again] = replace(records[again], state=ContactState.SENT, channel="sms")
        wrong = [check for check in checks_of(kept.world, trials, kept.run.results) if check.is_right is False]
        assert [(check.name.strip(), check.number) for check in wrong] == [
            ("texts at the stages of the trial: leaks", 1),
        ]
        del records[again]
        wrong = [check for check in checks_of(kept.world, trials, kept.run.results) if check.is_right is False]
        assert ("without a record", 1) in [(check.name.strip(), check.number) for check in wrong]
    finally:
        records.clear()
        records.update(untouched)


@pytest.mark.slow(reason=SLOW)
def test_words_that_drive_people_away_are_paused_and_nobody_hears_them_any_more(in_hong_kong: Kept) -> None:
    assert in_hong_kong.world is not None
    assert result_of(in_hong_kong.run, "tone").paused == ("curt",)
    seen_on = in_hong_kong.run.first_seen["tone", TrialSign.HARM, "curt"]
    curt = [each.at.date() for each in in_hong_kong.world.records.records.values() if CURT in each.template]
    assert min(curt) < seen_on
    assert max(curt) <= seen_on
    assert seen_on < BEGIN + timedelta(days=in_hong_kong.run.days)


@pytest.mark.slow(reason=SLOW)
def test_who_always_pays_on_time_is_texted_less_and_pays_as_before(in_hong_kong: Kept) -> None:
    spare = result_of(in_hong_kong.run, "spare")
    (comparison,) = whole(spare)
    assert comparison.estimate.lift == pytest.approx(0, abs=0.005)
    weeks = [each for each in in_hong_kong.run.learned["spare"] if each.payer_segment == "always"]
    assert weeks, "nothing was learned"
    shares = [each.shares["silence"] for each in weeks]
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] <= 0.9
    assert all(later - earlier <= 0.15 + 1e-6 for earlier, later in pairwise(shares))


@pytest.mark.slow(reason=SLOW)
def test_a_planted_lift_is_within_the_interval_at_each_look(in_taiwan: Kept) -> None:
    """In one run. How often it holds in many, `tests/bench/effect.py` says."""
    points = [point for point in in_taiwan.run.lines["quiet"] if point.low is not None and point.high is not None]
    assert len(points) > 3
    planted = in_taiwan.run.planted_lifts["quiet"]
    assert planted == pytest.approx(0.05, abs=0.02)
    assert all(point.low <= planted <= point.high for point in points)  # type: ignore[operator]


@pytest.mark.slow(reason=SLOW)
def test_the_report_says_who_is_paused_and_since_when(in_hong_kong: Kept) -> None:
    text = "\n".join(effect_report(in_hong_kong.run))
    assert "PAUSED: nobody draws curt any more." in text
    seen_on = in_hong_kong.run.first_seen["tone", TrialSign.HARM, "curt"]
    assert f"first seen on {seen_on}" in " ".join(text.split())


@pytest.mark.slow(reason=SLOW)
def test_the_report_says_what_was_planted_and_what_was_found_and_names_nobody(kept: Kept) -> None:
    lines = list(effect_report(kept.run))
    text = "\n".join(lines)
    assert max(map(len, lines)) <= 100
    for trial in ("QUIET: holdout in TW", "TONE: text in HK", "SPARE: text in HK", "HOUR: hour in SG"):
        assert trial in text
    assert text.count("Planted: ") == 4
    assert "Signs that the trial is broken, or does harm: none." in text
    page, written = effect_page(kept.run), as_json(kept.run)
    for each in (text, page, written):
        assert "C0000" not in each
        assert "王" not in each
        assert "+886" not in each
    assert page.count("Planted:</strong>") == 4
    assert page.count("<h3") == 4
    assert "stages left out" in page
    found = json.loads(written)
    assert found["results"][0]["trial"] == "quiet"
    assert found["planted_lifts"] == {"quiet": kept.run.planted_lifts["quiet"]}


@pytest.mark.slow(reason="a month and a half through the services, twice")
def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    once, again, other = (as_json(play_effect(customers=120, days=42, seed=seed, nights_apart=3)) for seed in (1, 1, 2))
    assert once == again != other


@pytest.mark.slow(reason="three months of five hundred people through the services")
def test_where_nothing_is_planted_nothing_is_found_and_nobody_is_paused() -> None:
    calm = without_effect(EFFECTS)
    run = play_effect(customers=500, days=84, seed=3, effects=calm)
    assert run.is_right
    assert run.planted_lifts == {"quiet": 0.0}
    for result in run.results:
        assert {each.estimate.first_line for each in whole(result)} <= {
            FirstLine.TOO_FEW, FirstLine.NO_DIFFERENCE_FOUND,
        }, result.trial  # fmt: skip
        assert (result.paused, result.signs) == ((), ())


# ------------------------------------------------------------------ what is asked, and what is said


@pytest.mark.slow(reason="two weeks through the services")
def test_the_command_writes_the_report_the_page_and_the_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--customers", "60", "--days", "14", "--lift", "2", "--out", str(tmp_path / "out")]
    assert main(given) == 0
    written = {name: (tmp_path / "out" / file).read_text("utf-8") for name, file in FILES.items()}
    assert capsys.readouterr().out.startswith(written["text"])
    assert "Effect: 60 people, 14 days from 2026-06-01, seed 1" in written["text"]
    assert "<title>Effect: 60 people" in written["page"]
    assert json.loads(written["result"])["customers"] == 60


def test_a_report_that_is_of_no_play_is_not_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILES["page"]).write_text("of make run", "utf-8")
    assert main(["--customers", "60", "--days", "14", "--out", str(tmp_path)]) == 2
    assert f"OUT={tmp_path}: report.html there is not of a play, and would be lost" in capsys.readouterr().err
    assert (tmp_path / FILES["page"]).read_text("utf-8") == "of make run"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--customers", "0"], "CUSTOMERS=0 is not a whole number from 1 to 100000"),
        (["--customers", "many"], "CUSTOMERS=many is not a whole number"),
        (["--days", "183"], "DAYS=183 is not a whole number from 1 to 182"),
        (["--nights", "0"], "NIGHTS=0 is not a whole number"),
        (["--lift", "much"], "LIFT=much is no number of points, such as 4"),
        pytest.param(
            ["--days", "30", "--lift", "90"],
            "LIFT=90: a lift of 90 points cannot be planted",
            marks=pytest.mark.slow(reason="the fates of four thousand people"),
        ),
        (["--days", "30", "--lift", "-1"], "LIFT=-1: a lift of -1 points cannot be planted"),
    ],
)
def test_what_cannot_be_played_is_refused_with_the_variable(
    tmp_path: Path, more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*more, "--out", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
