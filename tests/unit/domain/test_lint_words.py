"""Listed words are found however they are written, and only where they are words."""

import pickle
from collections.abc import Sequence

import pytest

from dunning.domain.texts.lint import Characters, LinkData, Linter, RuleInfo, Severity, WordRule
from dunning.domain.texts.lint.content import CHECKS, PHRASE_CHECKS
from dunning.domain.texts.lint.english import joined, pieces_of, tokens_of
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


def words_in(text: str, *listed: str) -> list[str]:
    written = [word.replace("i", "l") for word in listed]
    return [token.word for token in joined(tokens_of(text), text, pieces_of(written))]


@pytest.mark.parametrize(
    ("text", "listed", "words"),
    [
        ("a law-suit now", ["lawsuit"], ["a", "lawsult", "now"]),
        ("law suit", ["lawsuit"], ["lawsult"]),
        ("law  suit", ["lawsuit"], ["law", "sult"]),
        ("law-s-u-i-t", ["lawsuit"], ["lawsult"]),
        ("law,suit", ["lawsuit"], ["law", "sult"]),
        ("law/suit", ["lawsuit"], ["law", "sult"]),
        ("law;suit", ["lawsuit"], ["law", "sult"]),
        ("law:suit", ["lawsuit"], ["law", "sult"]),
        ("law!suit", ["lawsuit"], ["law", "sult"]),
        ("c   ourt", ["court"], ["c", "ourt"]),
        ("law?suit", ["lawsuit"], ["law", "sult"]),
        ("law-suit-s", ["lawsuit", "lawsuits"], ["lawsults"]),
        ("law-suit-s", ["lawsuit"], ["lawsult", "s"]),
        ("law-sun", ["lawsuit"], ["law", "sun"]),
        ("law", ["lawsuit"], ["law"]),
        ("law law-suit", ["lawsuit"], ["law", "lawsult"]),
        ("cou-rt", ["court"], ["court"]),
        ("ja-il", ["jail"], ["ja", "ll"]),
        ("j a i l", ["jail"], ["jall"]),
        ("j-a-i-l x", ["jail"], ["jall", "x"]),
        ("j   a   i   l", ["jail"], ["jall"]),
        ("j    a    i    l", ["jail"], ["j", "a", "l", "l"]),
        ("j,a,i,l", ["jail"], ["jall"]),
        ("m i l d", ["mild"], ["m", "l", "l", "d"]),
        ("per-son", ["person"], ["per", "son"]),
        ("c-o-u rt", ["court"], ["court"]),
        ("10% off", ["off"], ["#", "%", "off"]),
    ],
)
def test_a_word_in_pieces_is_one_word(text: str, listed: list[str], words: list[str]) -> None:
    assert words_in(text, *listed) == words


def test_a_word_in_pieces_reaches_from_its_first_piece_to_its_last() -> None:
    text = "a law-suit now"
    assert joined(tokens_of(text), text, pieces_of(["lawsult"])) == [
        ("a", 0, 1),
        ("lawsult", 2, 10),
        ("now", 11, 14),
    ]


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


def test_a_word_is_read_as_it_stands_too_where_its_digits_may_be_letters() -> None:
    linter = a_linter(a_rule("suits", "sue"))
    assert [finding.rule for finding in linter.wording("sue5", "en")] == ["suits"]
    assert [finding.rule for finding in linter.wording("5ue", "en")] == ["suits"]
    assert list(linter.wording("5ue5", "en")) == []


def test_each_word_of_each_rule_is_a_finding_in_the_order_of_the_text() -> None:
    linter = a_linter(a_rule("threats", "court"), a_rule("suits"))
    assert [(finding.rule, finding.message.split("'")[1]) for finding in linter.wording("court, 起訴", "zh-Hant")] == [
        ("threats", "court"),
        ("threats", "起訴"),
        ("suits", "起訴"),
    ]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("last call", True),
        ("last - call", True),
        ("last.call", True),
        ("last -- call", False),
        ("last, call", False),
        ("last,call", False),
        ("last. call", False),
        ("last\ncall", False),
        ("last very call", False),
        ("call last", False),
        ("a last", False),
    ],
)
def test_a_phrase_stands_in_one_clause_with_little_between_its_words(text: str, is_found: bool) -> None:  # noqa: FBT001
    found = a_linter(a_rule("calls", "last call")).wording(text, "en")
    assert [finding.rule for finding in found] == ["calls"] * is_found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("tennis court", False),
        ("court and tennis", True),
        ("tennis court, court", True),
        ("a court", True),
        ("線上門市", False),
        ("門市", True),
        ("線上門市的門市", True),
        ("線上門市的門", False),
    ],
)
def test_a_word_is_innocent_within_a_context_of_its_rule_and_nowhere_else(text: str, is_found: bool) -> None:  # noqa: FBT001
    rule = a_rule("courts", "court")._replace(zh=("門市",), innocent=("tennis court", "線上門市", "線上門市的門"))
    assert [finding.rule for finding in a_linter(rule).wording(text, "zh-Hant")] == ["courts"] * is_found


def test_of_words_that_overlap_the_one_that_begins_first_and_of_these_the_shorter_comes_first() -> None:
    linter = a_linter(a_rule()._replace(zh=("訴", "起訴您", "起訴")))
    found = [finding.message.split("'")[1] for finding in linter.wording("起訴您", "zh-Hant")]
    assert found == ["起訴", "起訴您", "訴"]


def test_a_listed_phrase_may_hold_a_mark_that_is_no_letter() -> None:
    linter = a_linter(a_rule("suits", "pay – now"))
    assert [finding.rule for finding in linter.wording("pay now", "en")] == ["suits"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("我司绝不会起訴", []),
        ("我司绝不会起訴、court", []),
        ("我司绝不会起訴。court", ["court"]),
        ("court。我司绝不会起訴", ["court"]),
        ("我司绝不会起訴，将court", ["court"]),
    ],
)
def test_a_denial_reaches_over_a_list_of_words_and_no_further(text: str, found: list[str]) -> None:
    assert [
        finding.message.split("'")[1] for finding in a_linter(a_rule("suits", "court")).wording(text, "zh-Hant")
    ] == found


def test_some_words_have_no_excuse_even_where_they_are_denied() -> None:
    rule = a_rule()._replace(negation="no-excuse")
    assert [finding.rule for finding in a_linter(rule).wording("我司绝不会起訴", "zh-Hant")] == ["suits"]


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
