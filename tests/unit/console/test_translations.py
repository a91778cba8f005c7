"""The words of the console: every language says the same things, and none says what nobody asks for."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

import dunning
from dunning.console.translations import LANGUAGES, WORDS, Translation, language_for, words_in
from dunning.console.views.act_pages import DONE
from dunning.domain.counters import NAMES
from dunning.domain.customer.facts import HoldReason
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.gates import GATES
from dunning.domain.delivery.channels import NO_CONTACT, Channel
from dunning.domain.delivery.contact import ContactState
from dunning.domain.delivery.receipt import DeliveryStatus
from dunning.domain.effect.courses import NextText
from dunning.domain.effect.draws import SILENCE, TEXTED, USUAL_TEXT, Layer
from dunning.domain.effect.learning import PublishReason
from dunning.domain.effect.trial_results import TrialSign
from dunning.domain.effect_rates import Differs
from dunning.domain.outbound_events import ReviewReason
from dunning.domain.replies.intents import Band, ReplyIntent
from dunning.domain.sayings import Saying
from dunning.domain.text_effects import TextEffect, TextPart
from dunning.domain.texts.lint import Severity
from dunning.policy.effective import channel_saying, effective_rules, rule_saying, topic_saying
from dunning.policy.fields import DAYS
from dunning.policy.jurisdiction import ClosedDays, Consent, ContentItem, JurisdictionFile
from dunning.ports.sessions import Role
from dunning.services.console.audited import PURPOSES, DeedAct, LookAct
from dunning.services.console.file_history import COUNTS
from dunning.services.console.life_entries import KINDS
from dunning.services.console.outcomes import ERASURE_REASONS, Outcome
from dunning.services.console.shown import AmountShown, CodeShown, SentenceShown, StageShown, rounded_age
from dunning.services.console.today import RATES
from dunning.services.console.trials_read import BESIDE, PRICE_PER_INSTALMENT
from dunning.services.console.waiting_list import SUGGESTIONS
from dunning.services.intake.refusals import OF_WHOLE_FILES, Refusal
from ops.counsel import MARKS
from tests.support.builders import the_policies

TODAY = date(2026, 11, 24)
PACKAGE = Path(dunning.__file__).parent
TAIPEI = ZoneInfo("Asia/Taipei")

GROUPS: dict[str, set[str]] = {
    "reason": set(Reason),
    "why": set(Reason),
    "hold": set(HoldReason),
    "state": set(ContactState),
    "failure": set(DeliveryStatus),
    "channel_state": set(ContactState),
    "channel_failure": set(DeliveryStatus),
    "intent": {*ReplyIntent, "nothing"},
    "band": set(Band),
    "review": {*ReviewReason, "not_understood"},
    "role": set(Role),
    "act": {*LookAct, *DeedAct, "other"},
    "deed": {deed.value for deed in DeedAct} - {"failed"},
    "done": set(DONE),
    "erasure_reason": set(ERASURE_REASONS),
    "follows": set(Outcome),
    "outcome": set(Outcome),
    "suggest": {*SUGGESTIONS.values(), "call_engineer"},
    "field": {"name", "phone", "email", "line_user_id", "reply"},
    "channel": {*Channel, NO_CONTACT},
    "purpose": set(PURPOSES),
    "gate": {str(number + 1) for number in range(len(GATES))},
    "gate_state": {"open", "shut", "not_asked"},
    "file_outcome": {"loaded", "partly", "refused"},
    "load": set(COUNTS),
    "refusal": {str(reason) for reason in OF_WHOLE_FILES},
    "reject": {str(reason) for reason in set(Refusal) - OF_WHOLE_FILES},
    "origin": {"law", "ours", "lender"},
    "mark": set(MARKS),
    "text_case": {"single", "single_fee", "several", "several_fee"},
    "remark": {"longer", "without_fee"},
    "ladder": {"done", "elsewhere", "held_out", "skipped", "next", "no_notice", "later", "not_yet", "from"},
    "kind": set(KINDS),
    "life_kind": set(KINDS),
    "group": {"sent", "wait", "stop", "failed", "reply", "needs_person", "more", "text", "stood"},
    "rates_effect": set(TextEffect),
    "rates_by": set(TextPart),
    "rates_differs": {Differs.HIGHER, Differs.LOWER},
    "trial_waits": {"coming", "waiting", "off"},
    "trial_layer": set(Layer),
    "trial_state": {"running", "paused", "stopped", "ended", "coming", "waiting", "off"},
    "trial_arm": {TEXTED, SILENCE, USUAL_TEXT},
    "trial_segment": {"unknown", "every"},
    "trial_by": {"stage", "segment", "place"},
    "trial_beside": {*(name for name, _, _ in BESIDE), "wrong_persons", PRICE_PER_INSTALMENT},
    "trial_sign": set(TrialSign),
    "trial_to_do": set(TrialSign),
    "trial_reason": {*PublishReason, "too_large"},
    "what_if_by": {"stage", "hour", "place", "channel", "caps", "waits", "people"},
    "what_if_total": {"texted", "texts", "segments", "price", "to_people", "top_texts"},
    "what_if_next": {move.value for move in NextText if move is not NextText.SAME},
    "what_if_differs": {"more_texts", "fewer_texts", "as_many_texts", "to_a_person"},
    "what_if_policy": {"today", "changed"},
    "what_if_payments": {"nobody", "file", "records", "table"},
    "column": {
        "sent",
        "delivered",
        "failed",
        "replies",
        "needs_person",
        "opt_outs_per_thousand",
        "complaints_per_thousand",
        "price_micros",
    },
    "number": {*NAMES, *RATES, "other"},
}
"""The groups whose keys are codes: those of the program, no more and no fewer."""


def written_out() -> set[str]:
    """Return the words between quotes in the programs that say what holds."""
    places = [PACKAGE / "policy" / "effective.py", PACKAGE.parents[1] / "ops" / "policy_check.py"]
    return {word for path in places for word in re.findall(r'"([a-z_]+)"', path.read_text("utf-8"))}


def made_of_codes() -> set[str]:
    """Return the sayings whose codes are made of other codes."""
    law = JurisdictionFile.model_fields
    topics = re.findall(r'Limit\(\s*"([a-z -]+)"', (PACKAGE / "policy" / "effective.py").read_text("utf-8"))
    return {
        *(channel_saying(channel).code for channel in Channel),
        *(f"item_{item}" for item in get_args(ContentItem.__value__)),
        *(
            rule_saying(rule).code
            for place in the_policies().places.by_id.values()
            for forbidden in place.law.forbidden
            for rule in forbidden.rules
        ),
        *(
            rule_saying(name).code
            for name, rule in the_policies().linter.rules().items()
            if rule.severity is Severity.WARN
        ),
        *(f"basis_{basis}" for basis in get_args(Consent.model_fields["basis"].annotation)),
        *(
            f"closed_{day}_{stages}"
            for day in get_args(ClosedDays.model_fields["day"].annotation)
            for stages in get_args(ClosedDays.model_fields["stages"].annotation)
        ),
        *(
            f"section_{name}"
            for name in law
            if name not in {"id", "name", "countries", "time_zones", "regions", "amendments"}
        ),
        *(topic_saying(topic).code for topic in topics),
        *DAYS,
    }


def keys_asked_for() -> Iterator[str]:
    """Yield each key that stands in a page or in the program."""
    places = [*(PACKAGE / "console").rglob("*.html"), *(PACKAGE / "console").rglob("*.py")]
    for path in [*places, *(PACKAGE / "services" / "console").glob("*.py")]:
        source = path.read_text("utf-8")
        yield from re.findall(rf'"((?:{"|".join(groups())})\.\w+)"', source)
        yield from (f"login.{code}" for code in re.findall(r'problem="(\w+)"', source))
        yield from (f"problem.{code}" for code in re.findall(r'\.problem\(visit, \d+, "(\w+)"\)', source))
        yield from (f"detail.{code}" for code in re.findall(r'\("(\w+)", ', source))
    yield from (f"headline.{kind}{ending}" for kind in ("wait", "stop") for ending in ("", "_until"))
    yield from ("login.not_begun_here", "login.no_role", "login.several_roles", "login.token", "headline.send")
    yield from (f"problem.rejects_{code}" for code in ("role", "purpose", "no_rejects", "replaced"))
    yield from (f"problem.export_{code}" for code in ("role", "too_many"))
    yield from (f"present.{reason}" for reason in ("quiet_hours", "closed_day", "person_cap_one", "account_cap_one"))
    yield from (f"problem.{code}" for code in ("not_found", "no_purpose", "too_many_documents"))


def groups() -> set[str]:
    return {key.partition(".")[0] for key in words_in("en")}


def placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"{(\w*)}", sentence))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things_with_the_same_values(language: str) -> None:
    english, words = words_in("en"), words_in(language)
    assert words.keys() == english.keys()
    for key, sentence in words.items():
        assert placeholders(sentence) == placeholders(english[key]), key
        assert sentence == sentence.strip() != "", key


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    assert {path.stem for path in WORDS.glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("group", GROUPS)
def test_every_code_of_the_program_has_words(group: str) -> None:
    codes = {str(code.value if isinstance(code, StrEnum) else code) for code in GROUPS[group]}
    assert {key.partition(".")[2] for key in words_in("en") if key.partition(".")[0] == group} == codes


def test_no_words_stand_there_that_nobody_asks_for_and_none_are_missing() -> None:
    asked, there = set(keys_asked_for()), set(words_in("en"))
    plain = {key for key in there if key.partition(".")[0] not in {*GROUPS, "saying"}}
    assert plain - asked == set()
    in_pages = {key for key in asked if key.partition(".")[0] in groups() - {"detail", "login", "problem", "saying"}}
    assert in_pages - there == set()


def test_what_is_said_of_limits_has_words_and_no_words_are_left_over() -> None:
    there = {key.partition(".")[2] for key in words_in("en") if key.startswith("saying.")}
    assert made_of_codes() - there == set()
    assert there - made_of_codes() - written_out() == set()


def every_value(says: object) -> Iterator[object]:
    """Yield what is said, with all that it is made of."""
    yield says
    for value in says.values.values() if isinstance(says, Saying) else says if isinstance(says, tuple) else ():
        yield from every_value(value)


def test_all_that_is_said_of_any_lender_in_any_place_is_in_words() -> None:
    english = words_in("en")
    for lender in the_policies().lenders:
        for found in effective_rules(the_policies(), lender, TODAY):
            parts = [part.says for limit in found.limits for part in limit.parts]
            for says in every_value((*(limit.effective for limit in found.limits), *parts, *found.warnings)):
                if isinstance(says, Saying):
                    assert placeholders(english[f"saying.{says.code}"]) == set(says.values)


def test_chinese_words_hold_no_latin_punctuation_and_no_character_of_the_other_script() -> None:
    for language, foreign in (("zh-Hant", "个们这说还钱户码电话简发时间"), ("zh-Hans", "個們這說還錢戶碼電話簡發時間")):
        for key, sentence in words_in(language).items():
            assert not set(foreign) & set(sentence), key
            assert not re.search(r"[\u4e00-\u9fff][,;:?!]", sentence), key


def test_values_are_written_as_people_of_the_language_write_them() -> None:
    at = datetime(2026, 12, 4, 2, 0, tzinfo=UTC)
    english, hant, hans = (Translation(language, TAIPEI) for language in ("en", "zh-Hant", "zh-Hans"))
    assert english.write(at) == "Fri 4 Dec 2026, 10:00"
    assert hant.write(at) == "2026/12/4（五）10:00"
    assert hans.write(at) == "2026/12/4（周五）10:00"
    assert english.in_zone(ZoneInfo("UTC")).write(at) == "Fri 4 Dec 2026, 02:00"
    assert hant.write(date(2026, 12, 4)) == "2026/12/4（五）"
    assert english.short_date(date(2026, 12, 4)) == "4 Dec"
    assert hant.short_date(date(2026, 12, 4)) == "12/4"
    assert hant.write(AmountShown(325_000, "TWD")) == "NT$3,250"
    assert english.write(AmountShown(5, "XYZ")) == "5 XYZ"
    assert [english.write(StageShown(days)) for days in (-3, 0, 7, None)] == [
        "3 days before the due date",
        "on the due date",
        "7 days after the due date",
        "that confirms an opt-out",
    ]
    assert [english.write(timedelta(hours=hours)) for hours in (24, 168, 30)] == ["24 hours", "7 days", "30 hours"]
    ages = [timedelta(minutes=7, seconds=50), timedelta(minutes=119), timedelta(hours=47), timedelta(hours=49)]
    assert [english.write(rounded_age(age)) for age in ages] == ["7 minutes", "119 minutes", "47 hours", "2 days"]
    assert english.write((CodeShown("intent", "paid"), CodeShown("intent", "new"))) == "has paid, new"
    assert english.write(SentenceShown("headline.wait_until", {"until": at})) == "Waits until Fri 4 Dec 2026, 10:00."
    assert [english.number(1_000_000 * usd, "usd_micros") for usd in (999.99, 48_461.54)] == ["US$999.99", "US$48,462"]
    assert [english.number(1234.5, unit) for unit in ("count", "per_thousand", "usd_micros")] == [
        "1,234",
        "1,234.5",
        "US$0.00",
    ]
    assert english.time_of_day(at) == "10:00"
    assert english.local_date(at) == date(2026, 12, 4)


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant"),
        ("", "zh-HK", "zh-Hant"),
        ("", "zh-CN,zh;q=0.9", "zh-Hans"),
        ("", "zh-Hans-HK", "zh-Hans"),
        ("", "de,fr;q=0.5,zh-SG", "zh-Hans"),
        ("", "de", "en"),
        ("zh-Hans", "en", "zh-Hans"),
        ("xx", "en-US", "en"),
    ],
)
def test_a_person_reads_the_language_they_chose_or_the_one_the_browser_asks_for(
    chosen: str, accepted: str, language: str
) -> None:
    assert language_for(chosen, accepted) == language
