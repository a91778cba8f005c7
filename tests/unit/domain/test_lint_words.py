"""Listed words are found however they are written, and only where they are words."""

import pickle
from collections.abc import Sequence

import pytest

from dunning.domain.texts.lint import Characters, LinkData, Linter, RuleInfo, Severity, WordRule
from dunning.domain.texts.lint.content import CHECKS, PHRASE_CHECKS
from dunning.domain.texts.lint.linter import Phrasing
from tests.support.reminders import rules_broken, rules_met_by, the_linter, with_words


@pytest.mark.parametrize(
    "written",
    [
        "起訴",
        "起诉",
        "起 訴",
        "起\u3000訴",
        "起\n訴",
        "起-诉",
        "起*诉",
        "起.诉",
        "起_诉",
        "起·诉",
        "起、诉",
        "起 - 诉",
        "起（诉）",
        "起\u200b訴",
        "起\u00ad訴",
        "起\ufe0f訴",
        "起\u202e訴",
        "起❤诉",
        "⽴即訴訟",
        "逾期未繳將起訴您",
    ],
)
def test_a_chinese_word_is_found_in_either_script_and_through_every_disguise(written: str) -> None:
    assert "threat-of-suit" in rules_met_by(written)
    assert "threat-of-suit" in rules_broken(with_words(written, "zh-Hant"))


def test_a_chinese_word_does_not_reach_over_the_customers_masked_name() -> None:
    name = with_words("", "zh-Hant").values["name"]
    assert list(the_linter().findings(with_words(f"已起{name}訴", "zh-Hant"))) == []


@pytest.mark.parametrize("mark", "。，；：！？,;:!?")
def test_a_chinese_word_does_not_reach_into_the_next_clause(mark: str) -> None:
    assert rules_met_by(f"一起{mark}訴說") == set()
    assert rules_met_by(f"請至線上{mark}門市繳款") == set()


@pytest.mark.parametrize(
    "written",
    [
        "lawsuit",
        "LAWSUIT",
        "ｌａｗｓｕｉｔ",
        "𝐥𝐚𝐰𝐬𝐮𝐢𝐭",
        "𝓵𝓪𝔀𝓼𝓾𝓲𝓽",
        "ⓛⓐⓦⓢⓤⓘⓣ",
        "🅛🅐🅦🅢🅤🅘🅣",
        "🇱🇦🇼🇸🇺🇮🇹",
        "l a w s u i t",
        "L  A  W  S  U  I  T",
        "l.a.w.s.u.i.t",
        "l-a-w-s-u-i-t",
        "l_a_w_s_u_i_t",
        "l*a*w*s*u*i*t",
        "law-suit",
        "law suit",
        "lаwsuit",
        "lawѕuіt",
        "ʟᴀᴡsᴜɪᴛ",
        "láwsüit",
        "l\u0336awsuit",
        "law\u200bsuit",
        "l4w5u1t",
        "l@w$uit",
        "lawsu!t",
        "Iawsuit",
        "|awsuit",
        "lawsuιτ",
        "(lawsuit)",
        "a lawsuit.",
        "您將面對lawsuit喔",
    ],
)
def test_an_english_word_is_found_through_every_disguise(written: str) -> None:
    assert "threat-of-suit" in rules_met_by(written)
    assert "threat-of-suit" in rules_broken(with_words(written, "zh-Hant"))


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("j.a.i.l", "threat-of-arrest"),
        ("a-r-r-e-s-t", "threat-of-arrest"),
        ("s u e", "threat-of-suit"),
        ("j4il", "threat-of-arrest"),
        ("p0lice", "false-authority"),
        ("poIice", "false-authority"),
        ("arr-est", "threat-of-arrest"),
        ("10% off", "marketing"),
        ("10％ ＯＦＦ", "marketing"),
        ("final  warning", "last-notice"),
        ("f i n a l warning", "last-notice"),
        ("Ｆｉｎａｌ-Ｎｏｔｉｃｅ", "last-notice"),
        ("你的 P.I.N.", "asks-for-secrets"),
    ],
)
def test_other_words_are_found_too(written: str, rule: str) -> None:
    assert rule in rules_met_by(written)
    assert rule in rules_broken(with_words(written, "zh-Hant"))


@pytest.mark.parametrize(
    "innocent",
    [
        "Any issue? It ensues on Tuesday. Pursue it, Susan.",
        "A courtesy call about your warranty.",
        "Courteous staff, of course. The courtyard is open.",
        "Opinions, spinning, pinned, shipping.",
        "The final instalment. A warning light is on.",
        "Refinement, prism, suede.",
        "USD325.00 and NT$3,250 and 5pm and 2nd and A4 and 24h",
        "Plan B on Unit 5, I am at a loss.",
        "We'd, you're, can't, it's, Jo's, I'm.",
        "law. Suit yourself",
    ],
)
def test_a_word_within_a_longer_word_is_another_word(innocent: str) -> None:
    assert rules_met_by(innocent) == set()


def a_linter(*rules: WordRule, phrasings: Sequence[Phrasing] = ()) -> Linter:
    links = LinkData(("bit.ly",), frozenset({"com"}))
    return Linter(rules, Characters({"訴": "诉"}, {}), links, {}, phrasings)


def a_phrasing(rule_id: str) -> Phrasing:
    return Phrasing(RuleInfo(rule_id, Severity.BLOCK, "whole sentences", "a source", "D"), "en", (r"\bplease$",))


def a_rule(rule_id: str = "suits", *en: str) -> WordRule:
    return WordRule(RuleInfo(rule_id, Severity.BLOCK, "no suits", "a source", "D"), ("起訴",), en)


def test_a_finding_names_the_rule_and_the_word_as_the_list_writes_it() -> None:
    (finding,) = a_linter(a_rule()).wording("將起 诉", "zh-Hant")
    assert finding == ("suits", Severity.BLOCK, "says '起訴': no suits")


def test_a_word_said_twice_is_one_finding() -> None:
    assert len(a_linter(a_rule()).wording("起訴。起诉。起 訴", "zh-Hant")) == 1


def test_a_linter_without_words_judges_the_rest() -> None:
    assert [finding.rule for finding in a_linter().wording("起訴 bit.ly", "zh-Hant")] == [
        "short-link",
        "link-not-allowed",
    ]


CHARACTER_RULES = ["invisible-character", "refused-character", "signature-marks", "gsm-alphabet", "mixed-alphabets"]


@pytest.mark.parametrize("rule_id", ["long-number", "short-link", *CHARACTER_RULES])
def test_a_rule_about_words_may_not_be_called_like_another(rule_id: str) -> None:
    with pytest.raises(ValueError, match=rule_id):
        a_linter(a_rule(rule_id))
    with pytest.raises(ValueError, match="suits"):
        a_linter(a_rule(), a_rule("suits", "court"))
    with pytest.raises(ValueError, match=rule_id):
        a_linter(phrasings=[a_phrasing(rule_id)])


def test_a_refusal_of_rules_names_each_id_that_stands_twice_in_their_order_and_no_other() -> None:
    ids = ["suits", "arrests", "police", "jail", "courts", "bailiffs"]
    twice = [a_rule(rule_id) for rule_id in ids]
    with pytest.raises(ValueError, match=r"called arrests, bailiffs, courts, jail, police, suits$"):
        a_linter(a_rule("home visits"), *twice, *twice)


def test_a_linter_is_handed_on_without_what_is_built_on_demand_and_judges_the_same() -> None:
    linter = a_linter(a_rule(), a_rule("haste")._replace(info=RuleInfo("haste", Severity.WARN, "no haste", "", "D")))
    handed_on = pickle.loads(pickle.dumps(linter))
    parts = set(vars(handed_on))
    text = "起訴 bit.ly"
    judged = linter.wording(text, "zh-Hant")
    assert {finding.rule for finding in judged} == {"suits", "haste", "short-link", "link-not-allowed"}
    assert list(handed_on.wording(text, "zh-Hant")) == list(judged)
    assert set(vars(linter)) > parts == set(vars(pickle.loads(pickle.dumps(linter))))


def test_a_rule_falls_silent_where_the_value_is_there_that_it_asks_for() -> None:
    charged = with_words("含違約金100元", "zh-Hant")
    assert {finding.rule for finding in the_linter().findings(charged)} == {"fee"}
    assert list(the_linter().findings(charged._replace(values={**charged.values, "fee": "100"}))) == []


def test_a_warning_stops_nothing() -> None:
    message = with_words("請立即繳款", "zh-Hant")
    assert [finding.severity for finding in the_linter().findings(message)] == [Severity.WARN]
    assert list(the_linter().faults(message)) == []


def test_every_rule_is_listed_with_what_is_behind_it() -> None:
    rules = the_linter().rules()
    assert len(rules) > 30
    structural = {info.id for info, _ in (*CHECKS, *PHRASE_CHECKS)}
    assert set(a_linter(a_rule(), phrasings=[a_phrasing("telegram")]).rules()) >= {"suits", "telegram", *structural}
    for rule_id, info in rules.items():
        assert info.id == rule_id
        assert info.source
        assert info.rule
        assert info.mark in {"V", "V2", "M", "D"}


def test_a_wording_is_judged_with_its_doubts_by_the_links_that_are_allowed() -> None:
    def rules(text: str, *, allowed: bool) -> list[str]:
        judged = a_linter().wording(text, "zh-Hant", links_allowed=allowed, link_domains={"lender.com"})
        return [finding.rule for finding in judged]

    assert rules("請點 lender.com", allowed=True) == []
    assert rules("請點 evil.com", allowed=True) == ["foreign-link"]
    assert rules("請點 lender.com", allowed=False) == ["link-not-allowed"]


def test_an_unfinished_sentence_is_a_fault_of_its_language_only() -> None:
    linter = a_linter(phrasings=[a_phrasing("telegram")])
    (fault,) = linter.phrasing_faults("Pay, please", "en")
    assert fault == ("telegram", Severity.BLOCK, "leaves 'please' unfinished: whole sentences")
    assert linter.phrasing_faults("Pay, please", "zh-Hant") == linter.phrasing_faults("Please pay", "en") == []
