"""Trials in a lender's policy: off until approved, refused where a text is owed, and seen by whoever checks policies."""

# ruff: noqa: E501 - texts are written in one line

import pickle
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send
from dunning.domain.decision.rules import Rules
from dunning.domain.effect.draws import SILENCE, TEXTED, Arm, Layer
from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.effective import effective_rules
from dunning.policy.lender import check_running_trials
from dunning.policy.text_preview import preview
from ops.english import in_english
from tests.support.builders import IN_HONG_KONG, IN_THE_UNITED_STATES, OnlyRules, a_customer, a_standing, day, taipei
from tests.unit.policy.test_own_words import edit, own_texts, refusal

DUE_DAY = taipei("2026-12-01 10:00")
HOLDOUT = """
[[trials]]
id = "quiet"
layer = "holdout"
arms = { text = 0.95, silence = 0.05 }
stages = [-3, 0, 3, 7]
places = ["TW", "HK"]
goal_days = 14
starts_on = 2026-12-01
ends_on = 2027-05-31
salt = "4f1c9a7e"
approved_by = "Mei Chen, compliance"
approved_on = 2026-11-28
"""
TONE = """
[[trials]]
id = "tone"
layer = "text"
arms = { usual = 0.5, kind = 0.5 }
stages = [0]
places = ["TW"]
goal_days = 7
starts_on = 2026-12-01
ends_on = 2027-05-31
salt = "a61d03be"
approved_by = "Mei Chen, compliance"
approved_on = 2026-11-28
"""
HOUR = (
    TONE.replace('"tone"', '"hour"')
    .replace('"text"', '"hour"')
    .replace("usual = 0.5, kind = 0.5", "10 = 0.5, 1830 = 0.5")
    .replace("a61d03be", "99d1c2b7")
)
KIND = """
[today-kind]
stage = 0
version = 1
variant = "kind"
single = "{name}您好，末碼{tail}分期款{amount}今天（{date}）到期，方便時請用{pay}繳款，已繳請忽略，客服{hotline}"
several = "{name}您好，{count}期分期款（末碼{tail}）共{amount}，首期今天（{date}）到期，方便時請用{pay}繳款，已繳請忽略，客服{hotline}"
"""
KIND_ENGLISH = """
[today-kind]
stage = 0
version = 1
variant = "kind"
single = "A note that {amount} (plan ending {tail}) is due today, {date}. Please pay {pay}. If paid, ignore this. Help: {hotline}."
several = "A note that {amount} for {count} payments (plan ending {tail}) falls due, the first today, {date}. Please pay {pay}. Ignore if paid. Help: {hotline}."
"""


REST = """
[[trials]]
id = "rest"
layer = "text"
arms = { usual = 0.5, silence = 0.5 }
stages = [-3]
places = ["TW"]
goal_days = 7
starts_on = 2026-12-01
ends_on = 2027-05-31
salt = "77c0ffee"
segments = ["reliable"]
learned = true
value_of_cure = "2.50"
annoyance = "0.010001"
approved_by = "Mei Chen, compliance"
approved_on = 2026-11-28
"""


def with_trials(folder: Path, *trials: str) -> None:
    policy = folder / "lenders" / "demo-tw.toml"
    policy.write_text(policy.read_text("utf-8") + "".join(trials), "utf-8")


def with_kind_texts(folder: Path) -> None:
    own_texts(folder, KIND)
    own_texts(folder, KIND_ENGLISH, "en")


def rules_in(book: PolicyBook, **where: object) -> Rules:
    found = book.rules_for(a_customer(**where), DUE_DAY)
    assert isinstance(found, Rules)
    return found


def test_an_approved_trial_is_part_of_the_rules_of_its_places_alone(folder: Path) -> None:
    with_trials(folder, HOLDOUT)
    book = load_policies(folder)
    (trial,) = rules_in(book).trials
    assert (trial.trial_id, trial.layer, trial.arms) == (
        "quiet",
        Layer.HOLDOUT,
        (Arm(TEXTED, 0.95), Arm(SILENCE, 0.05)),
    )
    assert (trial.approved_by, trial.approved_on) == ("Mei Chen, compliance", day("2026-11-28"))
    assert rules_in(book, **IN_HONG_KONG).trials == (trial,)
    assert rules_in(book, **IN_THE_UNITED_STATES).trials == ()
    american = {"phone_country": "US", "phone": "+12025550100"}
    assert rules_in(book, **american).trials == (), "the law of the number holds, too"


@pytest.mark.parametrize("gone", ['approved_by = "Mei Chen, compliance"\napproved_on = 2026-11-28\n'])
def test_a_trial_that_nobody_approved_is_off(folder: Path, gone: str) -> None:
    with_trials(folder, HOLDOUT.replace(gone, ""))
    assert rules_in(load_policies(folder)).trials == ()


def test_without_trials_nothing_is_drawn(folder: Path) -> None:
    found = rules_in(load_policies(folder))
    assert (found.trials, found.variants, found.trials_of_hours) == ((), {}, ())


def test_layers_come_in_the_order_in_which_they_are_drawn(folder: Path) -> None:
    with_kind_texts(folder)
    with_trials(folder, HOUR, TONE, HOLDOUT)
    found = rules_in(load_policies(folder))
    assert [trial.layer for trial in found.trials] == [Layer.HOLDOUT, Layer.TEXT, Layer.HOUR]
    assert [trial.trial_id for trial in found.trials_of_hours] == ["hour"]


def test_an_arm_of_words_is_sent_in_the_words_of_its_variant(folder: Path) -> None:
    with_kind_texts(folder)
    with_trials(folder, TONE)
    book = load_policies(folder)
    templates = set()
    for number in range(20):
        decision = decide(a_customer(customer_id=f"C{number}"), a_standing(), book, DUE_DAY.replace(hour=6))
        assert isinstance(decision, Send)
        (draw,) = decision.reminder.draws
        assert ("方便時" in decision.reminder.text) is (draw.arm == "kind")
        templates.add((draw.arm, decision.reminder.template))
    assert templates == {("kind", "demo-tw/zh-Hant/today-kind@1"), ("usual", "zh-Hant/today@3")}


def test_a_variant_is_used_by_no_lender_without_a_trial_and_takes_no_texts_place(folder: Path) -> None:
    with_kind_texts(folder)
    found = rules_in(load_policies(folder))
    assert found.texts["zh-Hant", 0, False].template == "zh-Hant/today@3"
    assert found.variants.keys() == {"kind"}


def test_a_variant_is_previewed_like_every_text_and_a_holdout_hides_none(folder: Path) -> None:
    with_kind_texts(folder)
    with_trials(folder, HOLDOUT.replace("text = 0.95, silence = 0.05", "text = 0.5, silence = 0.5"), TONE)
    book = load_policies(folder)
    messages = list(preview(book, book.lenders["demo-tw"], "zh-Hant", "TW"))
    assert all(message.reminder and message.reminder.text for message in messages)
    shown = [message.reminder.template for message in messages if message.reminder]
    assert shown.count("demo-tw/zh-Hant/today-kind@1") == 2


def test_a_variant_may_be_in_the_packages_texts(folder: Path) -> None:
    for language, words in (("zh-Hant", KIND), ("en", KIND_ENGLISH)):
        path = folder / "texts" / f"{language}.toml"
        path.write_text(path.read_text("utf-8") + words, "utf-8")
    with_trials(folder, TONE)
    assert rules_in(load_policies(folder)).variants["kind"].texts["en", 0, True].template == "en/today-kind-several@1"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("arms = { usual", "arms = { warm"), "trials.0.arms: no text of stage +0 in zh-Hant has variant = 'warm'; write one, or call the arm usual"),
        (("stages = [0]", "stages = [3]"), "no text of stage +3 in zh-Hant has variant = 'kind'"),
        (("stages = [0]", "stages = [4]"), "trials.0.stages: +4 is not one of the ladder's"),
        (('places = ["TW"]', 'places = ["XX"]'), "trials.0.places: there is no place 'XX'; name a file of jurisdictions, such as TW"),
        (('places = ["TW"]', 'places = ["GB"]'), "trials.0.places: the policy texts nobody in GB"),
        (("goal_days = 7", "goal_days = 90"), "trials.0.goal_days: 90 days; choose 1 to 60"),
        (("usual = 0.5", "usual = 0.4"), "trials.0.arms: the shares sum to 0.9; make them sum to 1"),
        (('approved_by = "Mei Chen, compliance"', ""), "trials.0.approved_by: an approval needs a person and a day; give approved_by and approved_on, or neither"),
        (('salt = "a61d03be"', 'salt = "a#61d03be"'), "trials.0.salt: it is too short or contains #"),
        (("ends_on = 2027-05-31", "ends_on = 2026-05-31"), "trials.0.ends_on: it is before starts_on"),
        (('layer = "text"', 'layer = "colour"'), "trials.0.layer: "),
        (("goal_days = 7", "goal_days = 7\nlearned = true"), "trials.0.learned: "),
    ],
)  # fmt: skip
def test_a_bad_trial_is_refused_with_file_field_and_fix(folder: Path, change: tuple[str, str], fault: str) -> None:
    with_kind_texts(folder)
    with_trials(folder, TONE)
    edit(folder, "lenders/demo-tw.toml", change)
    assert fault in refusal(folder)
    assert refusal(folder).startswith("lenders/demo-tw.toml:")


@pytest.mark.parametrize("trial", [HOLDOUT.replace('"TW", "HK"', '"TW"'), HOUR], ids=["holdout", "hour"])
@pytest.mark.parametrize(
    ("place", "fault"),
    [("XX", "there is no place 'XX'; name a file"), ("GB", "the policy texts nobody in GB; take it out")],
)
def test_a_place_that_is_not_there_is_named_whatever_a_trial_would_do_there(
    folder: Path, trial: str, place: str, fault: str
) -> None:
    with_trials(folder, trial.replace('places = ["TW"]', f'places = ["{place}"]'))
    assert f"trials.0.places: {fault}" in refusal(folder)


def test_an_hour_that_no_day_of_a_place_has_open_is_refused(folder: Path) -> None:
    with_trials(folder, HOUR.replace("1830 = 0.5", "2300 = 0.5"))
    assert "trials.0.arms: '2300' is outside the hours of TW on all days; choose one inside of them" in refusal(folder)


def test_what_is_no_hour_is_refused(folder: Path) -> None:
    with_trials(folder, HOUR.replace("1830 = 0.5", "noon = 0.5"))
    assert "trials.0.arms: 'noon' is no hour; write it as 10 or 1830" in refusal(folder)


class TestAHoldout:
    """A trial that leaves texts out."""

    def test_is_refused_where_the_law_owes_the_text_and_says_where_that_stands(self, folder: Path) -> None:
        edit(folder, "jurisdictions/HK.toml", ("owed_stages = []", "owed_stages = [7]"))
        with_trials(folder, HOLDOUT)
        message = refusal(folder)
        assert "trials.0.stages: the text of stage +7 is owed to customers in HK, jurisdictions/HK.toml:" in message
        assert message.endswith("leave out the stage or the place")

    def test_is_refused_where_an_amendment_will_owe_the_text(self, folder: Path) -> None:
        amended = '\n[[amendments]]\nin_force_from = 2027-01-01\n[amendments.trials]\nowed_stages = [0]\nsource = "a law to come"\nmark = "V"\nchecked_on = 2026-11-30\n'
        path = folder / "jurisdictions" / "TW.toml"
        path.write_text(path.read_text("utf-8") + amended, "utf-8")
        with_trials(folder, HOLDOUT)
        assert "the text of stage +0 is owed to customers in TW" in refusal(folder)

    def test_is_refused_where_the_place_does_not_say_which_texts_are_owed(self, folder: Path) -> None:
        with_trials(folder, HOLDOUT.replace('"TW", "HK"', '"TW", "US"'))
        assert (
            "trials.0.places: jurisdictions/US.toml does not say which texts are owed in US; add [trials] there with a source, or leave the place out"
            in refusal(folder)
        )

    def test_is_refused_where_a_contract_owes_the_text(self, folder: Path) -> None:
        edit(folder, "lenders/demo-tw.toml", ("max_segments = 2\n", "max_segments = 2\ncontract_owes = [0]\n"))
        with_trials(folder, HOLDOUT)
        assert (
            "trials.0.stages: the lender's contracts owe the text of stage +0, contract_owes; leave it out"
            in refusal(folder)
        )

    def test_is_refused_at_stages_that_come_before_a_fee_or_a_notice(self, folder: Path) -> None:
        with_trials(folder, HOLDOUT.replace("3, 7]", "3, 7, 15]"))
        assert "trials.0.stages: stage 15 comes too late to be silent" in refusal(folder)

    def test_is_refused_for_more_than_half(self, folder: Path) -> None:
        with_trials(folder, HOLDOUT.replace("text = 0.95, silence = 0.05", "text = 0.4, silence = 0.6"))
        assert "trials.0.arms: silence has a share above 0.5" in refusal(folder)

    def test_may_compare_words_where_a_text_is_owed_because_none_is_left_out(self, folder: Path) -> None:
        edit(folder, "jurisdictions/TW.toml", ("owed_stages = []", "owed_stages = [0]"))
        with_kind_texts(folder)
        with_trials(folder, TONE)
        assert rules_in(load_policies(folder)).trials

    def test_two_of_one_layer_at_one_rung_are_refused(self, folder: Path) -> None:
        with_trials(folder, HOLDOUT, HOLDOUT.replace('"quiet"', '"again"').replace("4f1c9a7e", "5a5a5a5a"))
        assert "trials.1.stages: trial quiet of the same layer acts there as well" in refusal(folder)


def test_a_contract_owes_texts_of_the_ladder_alone(folder: Path) -> None:
    edit(folder, "lenders/demo-tw.toml", ("max_segments = 2\n", "max_segments = 2\ncontract_owes = [5]\n"))
    assert "contract_owes: +5 is not one of the ladder's; take it out" in refusal(folder)


class TestAVariant:
    """A text of an arm, which is judged as every other text is."""

    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            ("方便時請用{pay}繳款", "逾期將查封財產，請用{pay}繳款", "today-kind.single: "),
            ("末碼{tail}", "", "today-kind.single: lacks {tail}"),
            ('variant = "kind"', 'variant = "usual"', "usual is the text without a variant"),
            ('variant = "kind"', 'variant = "so kind"', "today-kind.variant: "),
            ("stage = 0", "stage = -9", "today-kind.stage: no usual text of stage -9; write it first"),
            ("[today-kind]", "[today]", "today.variant: is the id of a usual text; choose another id"),
        ],
    )
    def test_that_is_unlawful_or_contradicts_itself_is_refused(
        self, folder: Path, old: str, new: str, fault: str
    ) -> None:
        own_texts(folder, KIND.replace(old, new, 1))
        assert fault in refusal(folder)

    def test_needs_a_written_notice_if_the_usual_text_does(self, folder: Path) -> None:
        path = folder / "texts" / "en.toml"
        written = path.read_text("utf-8")
        table, usual = next((name, each) for name, each in tomllib.loads(written).items() if each_is_last(each))
        words = "\n".join(f'{field} = "{usual[field]}"' for field in ("single", "several"))
        path.write_text(f'{written}\n[last-kind]\nstage = 30\nversion = 1\nvariant = "kind"\n{words}\n', "utf-8")
        at = r"last-kind(\.requires_written_notice: says otherwise than " + table + r"|: needs a written notice too)"
        with pytest.raises(PolicyError, match=at):
            load_policies(folder)


def each_is_last(table: object) -> bool:
    return isinstance(table, dict) and table.get("stage") == 30


def test_the_check_of_policies_says_which_trials_run_who_approved_them_and_what_is_owed(folder: Path) -> None:
    with_kind_texts(folder)
    with_trials(folder, HOLDOUT, TONE.replace('approved_by = "Mei Chen, compliance"\napproved_on = 2026-11-28\n', ""))
    found = next(
        each for each in effective_rules(load_policies(folder), "demo-tw", day("2026-12-02")) if each.place == "TW"
    )
    (limit,) = [limit for limit in found.limits if limit.topic == "trials"]
    assert in_english(limit.effective) == (
        "quiet: 95% text, 5% silence, at stages -3 0 +3 +7, 2026-12-01 to 2027-05-31; approved by Mei Chen, compliance on 2026-11-28"
    )
    says = [(part.origin, in_english(part.says), part.binds) for part in limit.parts]
    assert says[0] == ("law", "the law owes no reminder: a trial may leave one out", True)
    assert says[2][0] == "lender"
    assert says[2][1].endswith("off, not approved")
    assert says[2][2] is False


def test_the_rules_of_a_trial_can_be_prepared_for_a_layer(folder: Path) -> None:
    with_kind_texts(folder)
    with_trials(folder, HOLDOUT, TONE)
    found = rules_in(load_policies(folder))
    trials, variants = pickle.loads(pickle.dumps((found.trials, found.variants)))
    assert trials == found.trials
    assert (
        variants["kind"].texts["zh-Hant", 0, False].pattern == found.variants["kind"].texts["zh-Hant", 0, False].pattern
    )


def test_a_trial_of_the_policy_holds_customers_out(folder: Path) -> None:
    with_trials(folder, HOLDOUT.replace("text = 0.95, silence = 0.05", "text = 0.5, silence = 0.5"))
    found = rules_in(load_policies(folder))
    policies = OnlyRules(replace(found, spread=found.spread * 0))
    reasons = {decide(a_customer(customer_id=f"C{n}"), a_standing(), policies, DUE_DAY).reason for n in range(20)}
    assert reasons == {Reason.HELD_OUT, Reason.DUE}


SEGMENTS = """
[[segments]]
name = "reliable"
streak = { at_least = 6 }

[[segments]]
name = "first-loan"
first_loan = true
"""


def test_payer_segments_are_rules_of_the_policy_in_their_order(folder: Path) -> None:
    edit(folder, "lenders/demo-tw.toml", ("max_segments = 2\n", "max_segments = 2\nlists_closed_accounts = true\n"))
    with_trials(folder, SEGMENTS)
    assert [rule.name for rule in rules_in(load_policies(folder)).segment_rules] == ["reliable", "first-loan"]


@pytest.mark.parametrize("trait", ["surname", "sex", "age", "nationality", "region", "language"])
def test_a_payer_segment_never_tells_customers_apart_by_who_they_are(folder: Path, trait: str) -> None:
    with_trials(folder, SEGMENTS.replace("first_loan = true", f'{trait} = "x"'))
    message = refusal(folder)
    assert message.startswith("lenders/demo-tw.toml:")
    assert f"segments[2].{trait}: nobody is told apart by it; use how customers pay instead" in message


RELIABLE = SEGMENTS.partition("\n\n")[0] + "\n"


class TestSilenceAmongTexts:
    """A trial of texts that leaves some of them out, for a payer segment, by a share that is learned."""

    def test_is_read_with_its_segments_and_what_it_weighs(self, folder: Path) -> None:
        with_trials(folder, RELIABLE, REST)
        (trial,) = rules_in(load_policies(folder)).trials
        assert (trial.arms, trial.segments) == ((Arm("usual", 0.5), Arm(SILENCE, 0.5)), frozenset({"reliable"}))
        assert trial.is_learned
        assert (trial.value_of_cure_usd_micros, trial.annoyance_usd_micros) == (2_500_000, 10_001)

    def test_is_told_by_the_check_of_policies_in_full(self, folder: Path) -> None:
        with_trials(folder, RELIABLE, REST)
        found = next(
            each for each in effective_rules(load_policies(folder), "demo-tw", day("2026-12-02")) if each.place == "TW"
        )
        (limit,) = [limit for limit in found.limits if limit.topic == "trials"]
        assert in_english(limit.effective) == (
            "rest: 50% usual, 50% silence, at stages -3, 2026-12-01 to 2027-05-31; of the payer segments reliable; "
            "shares are learned; a cure is worth 2.50 USD, a text costs 0.010001 USD in good will; "
            "approved by Mei Chen, compliance on 2026-11-28"
        )

    def test_is_refused_where_the_law_or_a_contract_owes_the_text(self, folder: Path) -> None:
        with_trials(folder, RELIABLE, REST)
        edit(folder, "jurisdictions/TW.toml", ("owed_stages = []", "owed_stages = [-3]"))
        assert "trials.0.stages: the text of stage -3 is owed to customers in TW, jurisdictions/TW.toml:" in refusal(
            folder
        )
        edit(folder, "jurisdictions/TW.toml", ("owed_stages = [-3]", "owed_stages = []"))
        edit(folder, "lenders/demo-tw.toml", ("max_segments = 2\n", "max_segments = 2\ncontract_owes = [-3]\n"))
        assert (
            "trials.0.stages: the lender's contracts owe the text of stage -3, contract_owes; leave it out"
            in refusal(folder)
        )

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            (("stages = [-3]\nplaces", "stages = [3]\nplaces"), "trials.0.stages: at stage 3 silence is drawn for the person only; name stages up to 0"),
            (("usual = 0.5, silence = 0.5", "usual = 0.05, silence = 0.95"), "trials.0.arms: silence has a share of 0.95; choose one from 0.05 to 0.9"),
            (("usual = 0.5", "kind = 0.5"), "trials.0.arms: silence is compared with the usual text alone; name the arms usual and silence"),
            (('"reliable"]', '"reliabel"]'), "trials.0.segments: no [[segments]] is called 'reliabel'; write one, or use one of reliable, unknown"),
            (('value_of_cure = "2.50"\n', ""), "trials.0.value_of_cure: nobody knows when a text is worth its price; say what one is worth"),
            (('value_of_cure = "2.50"', "value_of_cure = 2.5"), "trials.0.value_of_cure: "),
            (('value_of_cure = "2.50"', 'value_of_cure = "2"'), "trials.0.value_of_cure: '2' is no amount of US dollars; write it as \"2.50\""),
            (("learned = true", "learned = false"), "trials.0.value_of_cure: this trial weighs nothing; take it out, or learn the share of silence"),
            (('layer = "text"', 'layer = "holdout"'), "trials.0.arms: a holdout compares a text with silence; name them text and silence"),
        ],
    )  # fmt: skip
    def test_that_breaks_a_rule_is_refused_with_file_field_and_fix(
        self, folder: Path, change: tuple[str, str], fault: str
    ) -> None:
        with_kind_texts(folder)
        own_texts(folder, KIND.replace("stage = 0", "stage = -3"))
        own_texts(folder, KIND_ENGLISH.replace("stage = 0", "stage = -3"), "en")
        with_trials(folder, RELIABLE, REST)
        edit(folder, "lenders/demo-tw.toml", change)
        message = refusal(folder)
        assert fault in message
        assert message.startswith("lenders/demo-tw.toml:")

    def test_is_no_name_of_a_text(self, folder: Path) -> None:
        own_texts(folder, KIND.replace('variant = "kind"', 'variant = "silence"'))
        assert "variant: silence is the arm without a text; choose another name" in refusal(folder)


class TestWhatARuleOfSegmentsNeeds:
    """A rule that asks for what is known of nobody would fit nobody, without a word."""

    def test_the_bounds_of_amount_bands_are_units_of_the_currency(self, folder: Path) -> None:
        bands = "max_segments = 2\namount_bands = { TWD = [3000, 10000.5], JPY = [8000] }\n"
        edit(folder, "lenders/demo-tw.toml", ("max_segments = 2\n", bands))
        with_trials(folder, SEGMENTS.replace("first_loan = true", "amount_band = { at_least = 1 }"))
        assert rules_in(load_policies(folder)).amount_bands == {"TWD": (300_000, 1_000_050), "JPY": (8_000,)}

    @pytest.mark.parametrize(
        ("bands", "fault"),
        [
            ("XXX = [1]", "amount_bands: 'XXX' is no currency we know"),
            ("JPY = [0.5]", "amount_bands: JPY: give one bound or more, with no more decimals than JPY has"),
            ("TWD = []", "amount_bands: TWD: give one bound or more"),
            ("TWD = [5, 3]", "amount_bands: TWD: the bounds do not rise; write each once, the lowest first"),
            ("TWD = [3, 3]", "amount_bands: TWD: the bounds do not rise"),
        ],
    )
    def test_bounds_that_are_none_are_refused(self, folder: Path, bands: str, fault: str) -> None:
        edit(
            folder, "lenders/demo-tw.toml", ("max_segments = 2\n", f"max_segments = 2\namount_bands = {{ {bands} }}\n")
        )
        assert fault in refusal(folder)

    @pytest.mark.parametrize(
        ("rule", "fault"),
        [
            ("amount_band = { at_least = 1 }", "segments.1.amount_band: it is known of nobody; say the bounds of bands in amount_bands"),
            ("first_loan = true", "segments.1.first_loan: it is known of nobody; if your data name loans that are paid off, too, write lists_closed_accounts = true"),
        ],
    )  # fmt: skip
    def test_a_rule_without_them_is_refused(self, folder: Path, rule: str, fault: str) -> None:
        with_trials(folder, SEGMENTS.replace("first_loan = true", rule))
        assert fault in refusal(folder)
        assert refusal(folder).startswith("lenders/demo-tw.toml:")

    def test_who_has_several_loans_is_known_without_them(self, folder: Path) -> None:
        with_trials(folder, SEGMENTS.replace("first_loan = true", "first_loan = false"))
        assert rules_in(load_policies(folder)).segment_rules


class TestARunningTrial:
    """A trial that runs under the policy in force stays as it was written down."""

    RUNNING = day("2026-12-15")

    def changed(self, folder: Path, *changes: tuple[str, str]) -> None:
        """Check the change of a policy with a trial of a payer segment."""
        with_trials(folder, RELIABLE, REST)
        before = load_policies(folder).lenders
        edit(folder, "lenders/demo-tw.toml", *changes)
        check_running_trials(before, load_policies(folder).lenders, self.RUNNING)

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            (("usual = 0.5, silence = 0.5", "usual = 0.6, silence = 0.4"), "trials.0.arms: the trial is running; end it, and begin another with a new id and salt"),
            (('segments = ["reliable"]', 'segments = ["reliable", "unknown"]'), "trials.0.segments: the trial is running"),
            (('value_of_cure = "2.50"', 'value_of_cure = "2.51"'), "trials.0.value_of_cure: the trial is running"),
            (("ends_on = 2027-05-31", "ends_on = 2027-06-30"), "trials.0.ends_on: a planned end was put off; begin another trial instead"),
            (("at_least = 6", "at_least = 5"), "segments: trial rest is running, and tells customers apart by payer segments; leave them and their bands as they are until it ends"),
        ],
    )  # fmt: skip
    def test_that_is_changed_is_refused_with_file_field_and_fix(
        self, folder: Path, change: tuple[str, str], fault: str
    ) -> None:
        with pytest.raises(PolicyError) as refused:
            self.changed(folder, change)
        assert fault in str(refused.value)
        assert str(refused.value).startswith("lenders/demo-tw.toml:")

    @pytest.mark.parametrize(
        "change",
        [
            ("ends_on = 2027-05-31", "ends_on = 2027-01-31"),
            ('approved_by = "Mei Chen, compliance"\napproved_on = 2026-11-28\n', ""),
            (REST, ""),
            ("max_segments = 2", "max_segments = 3"),
        ],
    )
    def test_may_end_early_or_be_turned_off_and_all_else_may_change(
        self, folder: Path, change: tuple[str, str]
    ) -> None:
        self.changed(folder, change)

    def test_of_a_lender_that_is_gone_or_new_says_nothing(self, folder: Path) -> None:
        with_trials(folder, RELIABLE, REST)
        lenders = load_policies(folder).lenders
        check_running_trials(lenders, {}, self.RUNNING)
        check_running_trials({}, lenders, self.RUNNING)
