"""Payer segments: told apart by how people pay, never by who they are."""

from datetime import date
from typing import Any

import pytest

from dunning.domain.effect.payer_segments import (
    ALLOWED_FEATURES,
    FORBIDDEN_FEATURES,
    PayerFeatures,
    PaymentHistory,
    amount_band_of,
    payer_segment_of,
    proxy_check,
    segment_rules_from,
    with_instalment_settled,
    with_silence_broken,
    with_text_sent,
)
from tests.support.vectors import read_vectors

DUE = date(2026, 12, 1)

RULES = segment_rules_from(
    [
        {"name": "always_on_time", "streak": {"at_least": 12}, "late": {"at_most": 0}},
        {"name": "often_late", "late": {"at_least": 4}},
        {"name": "sometimes_late", "late": {"at_least": 1}},
        {"name": "new", "first_loan": True, "on_time": {"at_most": 2}},
    ]
)


def features(
    *history: int, band: int | None = 0, first_loan: bool | None = False, channel: str = "sms"
) -> PayerFeatures:
    return PayerFeatures(PaymentHistory(*history), band, first_loan, channel)


def test_an_instalment_paid_by_its_due_date_was_on_time() -> None:
    before = PaymentHistory(on_time=3, late=1, last_late_days=9, streak=2, silent_run=3)
    assert with_instalment_settled(before, DUE, DUE) == PaymentHistory(4, 1, 9, 3, 0)
    assert with_instalment_settled(before, DUE, date(2026, 11, 3)) == PaymentHistory(4, 1, 9, 3, 0)


def test_a_late_instalment_ends_the_streak_and_says_how_late_it_was() -> None:
    before = PaymentHistory(on_time=3, late=1, last_late_days=9, streak=2, silent_run=3)
    assert with_instalment_settled(before, DUE, date(2026, 12, 5)) == PaymentHistory(3, 2, 4, 0, 0)


def test_texts_without_an_answer_are_counted_until_the_customer_pays_or_replies() -> None:
    silent = with_text_sent(with_text_sent(PaymentHistory(streak=1)))
    assert silent == PaymentHistory(streak=1, silent_run=2)
    assert with_silence_broken(silent) == PaymentHistory(streak=1)


def test_counts_stop_where_more_makes_no_difference() -> None:
    most = PaymentHistory(999, 999, 999, 999, 999)
    assert with_instalment_settled(most, DUE, DUE) == most._replace(silent_run=0)
    assert with_instalment_settled(most, DUE, date(2036, 1, 1)).last_late_days == 999
    assert with_text_sent(most) == most


def test_a_history_is_kept_as_a_short_list() -> None:
    history = PaymentHistory(12, 1, 9, 3, 2)
    assert PaymentHistory.from_list(list(history)) == history
    assert PaymentHistory.from_list([]) == PaymentHistory() == (0, 0, 0, 0, 0)
    assert PaymentHistory.from_list([999]).on_time == 999
    assert PaymentHistory.from_list([4, 1]) == PaymentHistory(on_time=4, late=1)


@pytest.mark.parametrize("values", [[-1], [1.5], [True], ["1"], [1000], [0, 0, 0, 0, 0, 0]])
def test_a_list_that_is_no_history_is_refused(values: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"^history: "):
        PaymentHistory.from_list(values)


@pytest.mark.parametrize(
    ("customer", "segment"),
    [
        (features(12, 0, 0, 12), "always_on_time"),
        (features(11, 0, 0, 11), "unknown"),
        (features(30, 1, 5, 12), "sometimes_late"),
        (features(0, 4, 5), "often_late"),
        (features(0, 3, 5), "sometimes_late"),
        (features(1, first_loan=True), "new"),
        (features(1), "unknown"),
    ],
)
def test_the_first_rule_that_fits_counts(customer: PayerFeatures, segment: str) -> None:
    assert payer_segment_of(customer, RULES) == segment


def test_a_customer_without_a_history_is_unknown_and_not_taken_for_punctual() -> None:
    never_late = segment_rules_from([{"name": "never_late", "late": {"at_most": 0}}])
    assert payer_segment_of(features(), never_late) == "unknown"
    assert payer_segment_of(features(1, 0, 0, 1), never_late) == "never_late"


def test_the_amount_the_first_loan_the_channel_and_silence_may_matter() -> None:
    rules = segment_rules_from(
        [
            {"name": "deaf", "silent_run": {"at_least": 4}},
            {"name": "large", "amount_band": {"at_least": 2}},
            {"name": "line", "channel": ["line"]},
            {"name": "known", "first_loan": False},
        ]
    )
    assert payer_segment_of(features(0, 0, 0, 0, 4), rules) == "deaf"
    assert payer_segment_of(features(band=2), rules) == "large"
    assert payer_segment_of(features(channel="line"), rules) == "line"
    assert payer_segment_of(features(), rules) == "known"
    assert payer_segment_of(features(first_loan=True), rules) == "unknown"


def test_an_amount_is_in_the_band_whose_bound_it_reaches() -> None:
    bounds = (100_000, 500_000)
    assert [amount_band_of(amount, bounds) for amount in (0, 99_999, 100_000, 499_999, 500_000)] == [0, 0, 1, 1, 2]
    assert amount_band_of(7, ()) == 0


@pytest.mark.parametrize("feature", ["name_of_person", *sorted(FORBIDDEN_FEATURES - {"name"})])
def test_a_rule_that_sees_who_somebody_is_is_refused(feature: str) -> None:
    with pytest.raises(ValueError, match=rf"^segments\[1\].{feature}: (nobody is told apart by it|unknown feature)"):
        segment_rules_from([{"name": "a", feature: {"at_least": 1}}])


def test_a_rule_may_see_nothing_that_a_person_is() -> None:
    assert not ALLOWED_FEATURES & FORBIDDEN_FEATURES
    for feature in ("sex", "age", "nationality", "region", "language"):
        assert feature in FORBIDDEN_FEATURES
    assert set(PayerFeatures._fields) == {"history", "amount_band", "is_first_loan", "channel"}


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({}, r"segments\[1\].name: use 1 to 16"),
        ({"name": "Late"}, r"segments\[1\].name: use 1 to 16"),
        ({"name": "unknown"}, r"segments\[1\].name: .*not unknown"),
        ({"name": "a", "late": 3}, r"segments\[1\].late: use a table with at_least, at_most or both"),
        ({"name": "a", "late": {}}, r"segments\[1\].late: use a table"),
        ({"name": "a", "late": {"above": 3}}, r"segments\[1\].late: use a table"),
        ({"name": "a", "late": {"at_least": -1}}, r"segments\[1\].late: use a table"),
        ({"name": "a", "late": {"at_least": True}}, r"segments\[1\].late: use a table"),
        ({"name": "a", "late": {"at_least": 3, "at_most": 2}}, r"segments\[1\].late: at_most is below at_least"),
        ({"name": "a", "first_loan": 1}, r"segments\[1\].first_loan: use true or false"),
        ({"name": "a", "channel": []}, r"segments\[1\].channel: use a list of channels"),
        ({"name": "a", "channel": ["sms", 3]}, r"segments\[1\].channel: use a list of channels"),
        ({"name": "a", "channel": "sms"}, r"segments\[1\].channel: use a list of channels"),
    ],
)
def test_a_rule_of_another_form_is_refused_by_its_field(table: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{fault}"):
        segment_rules_from([table])


def test_there_are_a_dozen_rules_at_most_and_each_has_its_name() -> None:
    tables = [{"name": f"s{number}"} for number in range(13)]
    assert len(segment_rules_from(tables[:12])) == 12
    with pytest.raises(ValueError, match=r"^segments: 13 rules; give 12 at most"):
        segment_rules_from(tables)
    with pytest.raises(ValueError, match=r"^segments\[2\].name: s1 stands twice"):
        segment_rules_from([{"name": "s1"}, {"name": "s1"}])


def test_segments_that_stand_for_a_language_are_found_and_chance_is_not() -> None:
    alike = proxy_check({("zh", "late"): 300, ("zh", "new"): 700, ("en", "late"): 31, ("en", "new"): 69})
    assert alike.association < 0.02
    assert not alike.is_proxy
    apart = proxy_check({("zh", "late"): 100, ("zh", "new"): 900, ("en", "late"): 80, ("en", "new"): 20})
    assert apart.association > 0.45
    assert apart.is_proxy
    assert apart.shares == {"zh": {"late": 0.1, "new": 0.9}, "en": {"late": 0.8, "new": 0.2}}
    same = proxy_check({("zh", "late"): 500, ("en", "new"): 500})
    assert same.association == pytest.approx(1, abs=0.01)


def test_the_association_is_that_of_scipys_chi_square_with_the_correction_for_chance() -> None:
    for rows, answer in read_vectors("statistics")["association"]:
        counts = {(f"t{t}", f"s{s}"): count for t, row in enumerate(rows) for s, count in enumerate(row)}
        check = proxy_check(counts)
        assert check.association == pytest.approx(answer, abs=1e-9)
        assert check.customers == sum(map(sum, rows))


def test_one_language_or_nobody_is_no_proxy() -> None:
    assert proxy_check({("zh", "late"): 3, ("zh", "new"): 5}).association == 0
    assert proxy_check({}).customers == 0


@pytest.mark.parametrize("value", [True, False])
def test_a_rule_about_the_first_loan_fits_nobody_of_whom_that_is_not_known(value: bool) -> None:  # noqa: FBT001
    rules = segment_rules_from([{"name": "loan", "first_loan": value}])
    assert payer_segment_of(features(first_loan=None), rules) == "unknown"
    assert payer_segment_of(features(first_loan=value), rules) == "loan"


def test_a_rule_about_the_amount_fits_nobody_whose_band_is_not_known() -> None:
    rules = segment_rules_from([{"name": "small", "amount_band": {"at_most": 3}}])
    assert payer_segment_of(features(band=None), rules) == "unknown"
    assert payer_segment_of(features(band=3), rules) == "small"
