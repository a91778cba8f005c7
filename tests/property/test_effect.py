"""Effect: what holds of every draw, sum, weight and interval."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Facts, open_instalments
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send, Wait
from dunning.domain.decision.rules import Rules
from dunning.domain.effect.drawn_rungs import asked_from_text, asked_to_text
from dunning.domain.effect.draws import (
    SHARE_DIGITS,
    SILENCE,
    TEXTED,
    Arm,
    Draw,
    Layer,
    draw_arm,
    draw_holdout,
    draw_learned_arm,
    draws_from_text,
    draws_to_text,
    is_held_out,
    learned_share,
    restricted_to,
    unit_draw,
)
from dunning.domain.effect.intervals import customers_needed, newcombe, sequence_factor
from dunning.domain.effect.learning import CAP, LARGEST_MOVE, bounded_weights
from dunning.domain.effect.payer_segments import PaymentHistory, with_instalment_settled, with_text_sent
from dunning.domain.effect.sample_ratio import fit_of_rates, fit_to_shares
from dunning.domain.effect.settling import Asked, OutcomeState, Spell, SpellOutcome, settle_spell
from dunning.domain.effect.strategies import (
    EVERY_SEGMENT,
    FLOOR,
    Strategy,
    TrialWeights,
    strategy_from_json,
    strategy_to_json,
)
from dunning.domain.effect.sums import ArmSums, SettledSpell, SumKey, estimate_lift, merged, sums_of
from dunning.domain.texts.compose import language_of
from dunning.domain.texts.money import format_money
from tests.support.arms import ARMS, ForcedArm
from tests.support.builders import a_customer, an_account, an_instalment, taipei, the_spread_policies
from tests.support.strategies import customers, many, standings

HASHES = 3_000
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=16)


@st.composite
def shares(draw: st.DrawFn, least: int = 2) -> tuple[Arm, ...]:
    """Draw arms whose shares sum to 1, each a whole number of hundredths."""
    parts = draw(st.lists(st.integers(1, 60), min_size=least, max_size=5))
    total = sum(parts)
    return tuple(Arm(f"arm{index}", part / total) for index, part in enumerate(parts))


def within_chance(count: int, draws: int, share: float) -> bool:
    """Tell whether a count is within five standard deviations of its expectation."""
    return abs(count - draws * share) <= 5 * math.sqrt(draws * share * (1 - share)) + 1


@pytest.mark.slow(reason="6,000 draws an example: frequencies need many")
@given(arms=shares(), salt=st.text("abcdef0123456789", min_size=8, max_size=12))
def test_the_frequencies_of_hashes_are_the_probabilities_in_the_records(arms: tuple[Arm, ...], salt: str) -> None:
    positions = [unit_draw(salt, "text", 0, f"C{n}", "A1#1", 3) for n in range(HASHES)]
    for way in (draw_arm, draw_learned_arm):
        drawn = Counter(way(Layer.TEXT, "t", position, arms) for position in positions)
        propensity = {each.arm: each.propensity for each in drawn}
        assert set(propensity) == {arm.name for arm in arms}
        for name, expected in propensity.items():
            count = sum(count for each, count in drawn.items() if each.arm == name)
            assert within_chance(count, HASHES, expected)


@given(arms=shares(), position=st.floats(0, 1, exclude_max=True))
def test_the_probabilities_of_all_arms_sum_to_1(arms: tuple[Arm, ...], position: float) -> None:
    learned = math.fsum(learned_share(arm.share, len(arms)) for arm in arms)
    assert learned == pytest.approx(1, abs=1e-9)
    drawn = draw_learned_arm(Layer.HOUR, "o", position, arms)
    weight = next(arm.share for arm in arms if arm.name == drawn.arm)
    assert drawn.propensity == round(learned_share(weight, len(arms)), SHARE_DIGITS)
    fixed = draw_arm(Layer.TEXT, "t", position, arms)
    assert fixed.propensity == pytest.approx(next(arm.share for arm in arms if arm.name == fixed.arm), abs=1e-6)


@given(arms=shares(), allowed=st.sets(st.integers(0, 4)))
def test_the_arms_that_are_left_share_everything_in_their_proportions(arms: tuple[Arm, ...], allowed: set[int]) -> None:
    left = restricted_to(arms, {f"arm{index}" for index in allowed})
    assert {arm.name for arm in left} == {arm.name for arm in arms} & {f"arm{index}" for index in allowed}
    if left:
        assert math.fsum(arm.share for arm in left) == pytest.approx(1, abs=1e-9)
        before = {arm.name: arm.share for arm in arms}
        ratios = [arm.share / before[arm.name] for arm in left]
        assert max(ratios) == pytest.approx(min(ratios))


@pytest.mark.slow(reason="6,000 draws an example: independence needs many")
@given(st.lists(st.text("abcdef0123456789", min_size=8, max_size=8), min_size=2, max_size=2, unique=True))
def test_draws_of_two_salts_are_independent(salts: list[str]) -> None:
    first, second = ([unit_draw(salt, "text", 0, f"C{n}") for n in range(HASHES)] for salt in salts)
    both = sum(one_draw < 0.3 and other < 0.3 for one_draw, other in zip(first, second, strict=True))
    assert within_chance(both, HASHES, 0.09)
    means = sum(first) / HASHES, sum(second) / HASHES
    covariance = sum((x - means[0]) * (y - means[1]) for x, y in zip(first, second, strict=True)) / HASHES
    assert abs(covariance * 12) < 5 / math.sqrt(HASHES)


@given(
    customer=st.text(st.characters(exclude_characters="#", exclude_categories=["Cs"]), max_size=20),
    share=st.floats(0.01, 0.5),
    epoch=st.integers(0, 12),
)
def test_the_same_arguments_have_the_same_arm_and_silence_never_lasts_two_epochs(
    customer: str, share: float, epoch: int
) -> None:
    drawn = draw_holdout("h", "salt-12345", share, customer, epoch)
    assert drawn == draw_holdout("h", "salt-12345", share, customer, epoch)
    assert (drawn.arm == SILENCE) == is_held_out("salt-12345", share, customer, epoch)
    if drawn.arm == SILENCE:
        following = draw_holdout("h", "salt-12345", share, customer, epoch + 1)
        assert (following.arm, following.propensity) == (TEXTED, 1.0)


@st.composite
def records(draw: st.DrawFn) -> tuple[Draw, ...]:
    layers = [layer for layer in Layer if draw(st.booleans())]
    return tuple(
        Draw(layer, draw(st.just("") | NAMES), draw(NAMES), draw(st.integers(1, 10**6)) / 10**6, draw(st.booleans()))
        for layer in layers
    )


@given(records())
def test_a_record_is_read_as_it_was_written(drawn: tuple[Draw, ...]) -> None:
    assert draws_from_text(draws_to_text(drawn)) == drawn


@pytest.mark.slow(reason="long texts of all kinds are slow to draw")
@given(st.text("hto.:;u0123456789abc-_ \n", max_size=30) | st.text(max_size=30))
def test_of_any_text_a_record_is_read_that_we_would_write_or_the_fault_is_named(text: str) -> None:
    try:
        written = draws_to_text(draws_from_text(text))
    except ValueError as error:
        written = str(error)
    assert written == text or written.startswith("draws: ")


COUNTS = st.integers(0, 10**9)
SUMS = st.builds(ArmSums, **dict.fromkeys(ArmSums.__slots__, COUNTS))


@given(SUMS, SUMS, SUMS)
def test_sums_may_be_added_in_any_order(first: ArmSums, second: ArmSums, third: ArmSums) -> None:
    assert first + second == second + first
    assert (first + second) + third == first + (second + third)
    assert first + ArmSums() == first


OUTCOMES = st.sampled_from(
    [
        SpellOutcome(state=OutcomeState.SETTLED, cured=True),
        SpellOutcome(state=OutcomeState.SETTLED, paid_in_part=True, next_late=True),
        SpellOutcome(state=OutcomeState.LOST),
        SpellOutcome(state=OutcomeState.ERASED),
        SpellOutcome(state=OutcomeState.RUNNING),
    ]
)
DRAWN_AT = taipei("2026-12-04 10:00")


def a_spell(customer: int, stage: int, arm: str) -> Spell:
    return Spell(
        customer_id=f"C{customer}",
        send_id="s",
        draws=(Draw(Layer.TEXT, "t", arm, 0.5),),
        drawn_at=DRAWN_AT,
        drawn_on=date(2026, 12, 4),
        stage=stage,
        goal_days=14,
        asked=(Asked("A1", 1, 325_000),),
        payer_segment="new",
        place="TW",
        channel="sms",
        parts=2,
    )


SPELLS = st.lists(
    st.builds(
        SettledSpell,
        st.builds(a_spell, st.integers(0, 8), st.sampled_from([0, 3]), st.sampled_from(["a", "b"])),
        OUTCOMES,
    ),
    max_size=30,
)


@given(spells=SPELLS, parts=st.integers(1, 4), order=st.randoms(use_true_random=False))
def test_shards_of_customers_in_any_order_make_the_same_sums(
    spells: list[SettledSpell], parts: int, order: "object"
) -> None:
    shuffled = list(spells)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    shards = [[each for each in shuffled if hash(each.spell.customer_id) % parts == part] for part in range(parts)]
    assert merged(*map(sums_of, shards)) == sums_of(spells)


@given(SPELLS)
def test_the_sums_of_an_arm_are_those_of_its_customers_counted_by_hand(spells: list[SettledSpell]) -> None:
    by_customer: dict[str, list[bool]] = {}
    for spell, outcome in spells:
        if spell.draws[0].arm == "a" and outcome.state is OutcomeState.SETTLED:
            by_customer.setdefault(spell.customer_id, []).append(outcome.cured)
    sums = sums_of(spells).get(SumKey("t", "a"), ArmSums())
    pairs = [(sum(cured), len(cured)) for cured in by_customer.values()]
    assert sums.clusters == (
        len(pairs),
        sum(y for y, _ in pairs),
        sum(k for _, k in pairs),
        sum(y * y for y, _ in pairs),
        sum(y * k for y, k in pairs),
        sum(k * k for _, k in pairs),
    )


GROUPS = st.integers(1, 5_000).flatmap(lambda draws: st.tuples(st.integers(0, draws), st.just(draws)))


@given(GROUPS, GROUPS)
def test_the_interval_of_a_difference_holds_it_and_turns_with_it(
    ours: tuple[int, int], theirs: tuple[int, int]
) -> None:
    interval = newcombe(*ours, *theirs)
    turned = newcombe(*theirs, *ours)
    difference = ours[0] / ours[1] - theirs[0] / theirs[1]
    assert -1 - 1e-12 <= interval.low <= difference + 1e-12
    assert difference - 1e-12 <= interval.high <= 1 + 1e-12
    assert (interval.low, interval.high) == pytest.approx((-turned.high, -turned.low), abs=1e-12)


@given(GROUPS, GROUPS, st.integers(100, 100_000))
def test_a_daily_interval_holds_the_lift_and_that_of_a_single_look(
    ours: tuple[int, int], theirs: tuple[int, int], planned: int
) -> None:
    arm, other = (
        ArmSums(customers=draws, y=cured, k=draws, yy=cured, yk=cured, kk=draws) for cured, draws in (ours, theirs)
    )
    estimate = estimate_lift(arm, other, planned_customers=planned, share_of_other=0.3, customers_a_week=10)
    assert estimate.lift == pytest.approx(ours[0] / ours[1] - theirs[0] / theirs[1])
    assert (estimate.interval is None) == (min(ours[1], theirs[1]) < 100)
    if estimate.interval is not None and estimate.lift is not None:
        assert estimate.interval.contains(estimate.lift)
        assert estimate.needs_customers is not None


@given(st.integers(10, 10**6), st.integers(10, 10**6))
def test_no_look_is_narrower_than_a_single_look(customers: int, planned: int) -> None:
    assert sequence_factor(customers, planned) > 2.4


@given(st.floats(0.05, 0.9), st.floats(0.005, 0.05), st.floats(0.05, 0.5))
def test_half_the_lift_needs_about_four_times_the_customers(base: float, lift: float, share: float) -> None:
    assert 3 < customers_needed(base, lift / 2, share) / customers_needed(base, lift, share) < 5


@given(shares(), st.integers(100, 20_000))
def test_counts_as_expected_are_no_alarm_and_p_values_are_probabilities(arms: tuple[Arm, ...], draws: int) -> None:
    counts = [int(arm.share * draws) for arm in arms]
    fit = fit_to_shares(counts, [arm.share for arm in arms])
    assert 0 <= fit.p_value <= 1
    assert not fit.is_alarming()


@given(st.lists(GROUPS, min_size=1, max_size=4))
def test_rates_are_compared_alike_in_any_order_and_by_failures(groups: list[tuple[int, int]]) -> None:
    successes, totals = [y for y, _ in groups], [n for _, n in groups]
    p_value = fit_of_rates(successes, totals).p_value
    assert 0 <= p_value <= 1
    if len(groups) != 2:  # of two groups with few successes one is tested against the other
        assert fit_of_rates(successes[::-1], totals[::-1]).p_value == pytest.approx(p_value, abs=1e-9)


@st.composite
def moves(draw: st.DrawFn) -> tuple[list[float], tuple[float, ...]]:
    """Draw weights that are wanted, and weights within the bounds that there were before."""
    count = draw(st.integers(3, 6))
    wanted = [draw(st.integers(0, 1000)) for _ in range(count)]
    start = [draw(st.integers(0, 1000)) for _ in range(count)]
    total, began = sum(wanted) or 1, sum(start) or 1
    before = bounded_weights([each / began for each in start], [1 / count] * count)
    return [each / total for each in wanted], before


@given(moves())
def test_weights_sum_to_1_within_floor_cap_and_the_move_of_a_week(move: tuple[list[float], tuple[float, ...]]) -> None:
    wanted, before = move
    after = bounded_weights(wanted, before)
    assert math.fsum(after) == pytest.approx(1, abs=1e-9)
    for new, old in zip(after, before, strict=True):
        assert FLOOR / len(after) - 2e-6 <= new <= CAP + 2e-6
        assert abs(new - old) <= LARGEST_MOVE + 2e-6
    written = strategy_to_json(Strategy(lender="l", week="2026-W50", trials={"t": _trial_weights(after)}))
    assert strategy_from_json(written).trials["t"] == _trial_weights(after)


def _trial_weights(weights: tuple[float, ...]) -> TrialWeights:
    return TrialWeights(tuple(f"arm{index}" for index in range(len(weights))), {EVERY_SEGMENT: weights})


@given(moves(), st.integers(0, 2))
def test_a_paused_arm_gets_nothing_and_the_rest_sums_to_1(
    move: tuple[list[float], tuple[float, ...]], paused: int
) -> None:
    wanted, before = move
    after = bounded_weights(wanted, before, {paused})
    assert after[paused] == 0
    assert math.fsum(after) == pytest.approx(1, abs=1e-9)
    assert all(weight > 0 for index, weight in enumerate(after) if index != paused)


ENDS_AT = taipei("2026-12-19 00:00")
MINUTES = st.integers(-30 * 1440, 3 * 1440)


@given(paid_after=MINUTES, earlier=st.integers(0, 30 * 1440), paid=st.integers(0, 400_000), night=st.integers(0, 3))
def test_an_earlier_or_larger_payment_never_takes_a_cure_away(
    paid_after: int, earlier: int, paid: int, night: int
) -> None:
    def cured(amount: int, minutes: int) -> bool:
        paid_at = ENDS_AT + timedelta(minutes=minutes)
        facts = a_customer(an_account(replace(an_instalment(paid=amount), paid_at=paid_at)))
        return settle_spell(
            a_spell(1, 3, "a"), facts, None, ends_at=ENDS_AT, night=ENDS_AT + timedelta(days=night, hours=2)
        ).cured

    later_and_less = cured(paid, paid_after)
    assert later_and_less == (paid >= 325_000 and paid_after < 0)
    if later_and_less:
        assert cured(paid, paid_after - earlier)
        assert cured(paid + 1_000, paid_after)


STEPS: st.SearchStrategy[Callable[[PaymentHistory], PaymentHistory]] = st.one_of(
    st.just(with_text_sent),
    st.integers(-40, 400).map(
        lambda days: (
            lambda history: with_instalment_settled(
                history, date(2026, 12, 1), date(2026, 12, 1) + timedelta(days=days)
            )
        )
    ),
)


@given(st.lists(STEPS, max_size=40))
def test_a_history_is_kept_exactly_and_its_streak_is_never_longer_than_what_was_on_time(
    steps: list[Callable[[PaymentHistory], PaymentHistory]],
) -> None:
    history = PaymentHistory()
    for step in steps:
        history = step(history)
    assert PaymentHistory.from_list(list(history)) == history
    assert history.streak <= history.on_time
    assert (history.last_late_days > 0) == (history.late > 0)
    assert history.silent_run <= len(steps)


@st.composite
def moments(draw: st.DrawFn) -> tuple[Facts, Standing, datetime]:
    """Draw a customer, what they have been sent, and a moment."""
    _, facts = draw(customers())
    standing, now = draw(standings(facts))
    return facts, standing, now


@many
@given(moments(), st.sampled_from([arm for arm in ARMS if arm[0] is not Layer.HOUR]))
def test_what_a_draw_asked_for_is_the_amount_that_its_text_names_or_would_have_named(
    moment: tuple[Facts, Standing, datetime], arm: tuple[Layer, str]
) -> None:
    """Summed up by the night, it is what the customer read: the usual text of the same moment is asked."""
    facts, standing, now = moment
    policies = the_spread_policies()
    usual = decide(facts, standing, policies, now)
    if isinstance(usual, Wait) and usual.until is not None:
        now = usual.until
        usual = decide(facts, standing, policies, now)
    drawn = decide(facts, standing, ForcedArm(policies, *arm), now)
    if not isinstance(drawn, Send) or not drawn.reminder.draws:
        event("nothing is drawn")
        return
    assert isinstance(usual, Send)
    assert drawn.reminder.account_ids == usual.reminder.account_ids
    rules = policies.rules_for(facts, now)
    assert isinstance(rules, Rules)
    asked = drawn.reminder.asked
    event(f"{min(len(asked), 4)} instalments, {'silence' if drawn.reminder.is_held_out else 'text'}")
    accounts = {account.account_id: account for account in facts.accounts}
    currency = accounts[asked[0].account_id].currency
    amount = format_money(sum(each.open for each in asked), currency, language_of(facts, rules))
    assert amount in usual.reminder.text
    for each in asked:
        smallest = rules.smallest_amounts.get(currency, 1)
        rests = {rest.number: rest.open for rest in open_instalments(accounts[each.account_id], smallest)}
        assert rests[each.number] == each.open
    assert asked_from_text(asked_to_text(asked, drawn.reminder.account_ids), drawn.reminder.account_ids) == asked
