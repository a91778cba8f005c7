"""Characters and links that may not be in a text."""

import pytest

from dunning.domain.texts.lint import ArrivingText, Severity, character_rules
from dunning.domain.texts.lint.folding import Folding
from tests.support.reminders import a_message, rules_broken, staged_reminders, the_linter, with_words

OWN = frozenset({"lender.example.com", "lender.tw"})


@pytest.mark.parametrize(
    ("rule", "words", "language"),
    [
        pytest.param("invisible-character", "繳\u200b款", "zh-Hant", id="a zero-width space"),
        pytest.param("invisible-character", "繳\u00ad款", "zh-Hant", id="a soft hyphen"),
        pytest.param("invisible-character", "\u202e繳款", "zh-Hant", id="a change of direction"),
        pytest.param("invisible-character", "繳款\ufe0f", "zh-Hant", id="a variation selector"),
        pytest.param("invisible-character", "繳\t款", "zh-Hant", id="a tab"),
        pytest.param("invisible-character", "pay\x00now", "en", id="a null"),
        pytest.param("invisible-character", "\ud800", "zh-Hant", id="half of a surrogate pair"),
        pytest.param("refused-character", "共¥3,250", "zh-Hans", id="a yen sign"),
        pytest.param("refused-character", "共￥3,250", "zh-Hans", id="a yen sign in full width"),
        pytest.param("refused-character", "★重要", "zh-Hant", id="a star"),
        pytest.param("refused-character", "謝謝😀", "zh-Hant", id="an emoji"),
        pytest.param("refused-character", "£ or ¥", "en", id="a yen sign in English, though it is in the GSM alphabet"),
        pytest.param("signature-marks", "【重要】請繳款", "zh-Hant", id="a second pair of signature marks"),
        pytest.param("signature-marks", "請繳款】", "zh-Hant", id="half a pair"),
        pytest.param("gsm-alphabet", "It’s due", "en", id="a curly apostrophe"),
        pytest.param("gsm-alphabet", "due – soon", "en", id="a dash"),
        pytest.param("gsm-alphabet", "`due`", "en", id="a backtick"),
        pytest.param("gsm-alphabet", "繳款", "en", id="Chinese in English"),
        pytest.param("mixed-alphabets", "請用АPP", "zh-Hant", id="a Cyrillic letter in a Latin word"),
        pytest.param("mixed-alphabets", "請用Αpp", "zh-Hant", id="a Greek letter in a Latin word"),
    ],
)
def test_a_character_that_hides_costs_or_gets_a_text_refused_is_found(rule: str, words: str, language: str) -> None:
    assert rule in rules_broken(with_words(words, language))
    assert rule in {finding.rule for finding in the_linter().wording(words, language)}


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("請繳款\n謝謝", "zh-Hant"),
        ("「官方」《條款》（第1條）、“引號”", "zh-Hant"),
        ("Thanks!\nBye @ 9 [app] {x} ~ ^ \\ | #1 & 100% 'ok' \"fine\" <b> =", "en"),
        ("Gebühr £3 €5 à la carte Ñ", "en"),
        ("𠮷田先生", "zh-Hant"),
        ("ДОМ и мир", "zh-Hant"),
    ],
)
def test_ordinary_characters_pass(words: str, language: str) -> None:
    assert rules_broken(with_words(words, language)) == set()


def test_a_finding_names_the_character() -> None:
    (fault,) = the_linter().faults(with_words("due – soon", "en"))
    assert "EN DASH" in fault.message


@pytest.mark.parametrize("text", ["", "Pay by Dec 5", "【示範】王*明您好", "Ω mu", "Привет, John", "σίγμα"])
def test_a_rule_that_has_nothing_to_say_says_nothing(text: str) -> None:
    assert character_rules.hidden(text) == ""
    assert character_rules.refused(text) == ""
    assert character_rules.misplaced_signature(text, signed=True) == ""
    assert character_rules.not_gsm(text, "zh-Hant") == ""
    assert character_rules.mixed_alphabets(text) == ""


@pytest.mark.parametrize("text", ["王", "【", "】", "é", "a", "【【", "【【王】", "【】】", "王【", "【王】"])
@pytest.mark.parametrize("language", ["zh-Hant", "en"])
def test_the_quick_look_takes_the_shortest_texts(text: str, language: str) -> None:
    message = a_message(language, text)
    blocking = [finding for finding in the_linter().findings(message) if finding.severity is Severity.BLOCK]
    assert list(the_linter().faults(message)) == blocking


GLANCED_AT = {
    "signed, in Chinese": a_message("zh-Hant"),
    "with a colon, in Chinese": a_message("zh-Hant", a_message("zh-Hant").text.replace("【示範分期】", "示範分期：")),
    "with a colon, in English": a_message("en"),
    "signed, in English": a_message("en", a_message("en").text.replace("Demo Finance: ", "【Demo Finance】")),
    **{stage: message for stage, message in staged_reminders().items() if stage not in {"en -1", "en +0"}},
}


@pytest.mark.parametrize("message", GLANCED_AT.values(), ids=GLANCED_AT)
def test_a_faultless_text_costs_a_glance_and_is_never_read_in_full(
    message: ArrivingText, monkeypatch: pytest.MonkeyPatch
) -> None:
    linter = the_linter()
    monkeypatch.setattr(Folding, "fold", None)  # the first step of reading
    assert list(linter.faults(message)) == []


@pytest.mark.parametrize(
    ("wording", "language"),
    [
        ("您好，請用官方APP繳款。", "zh-Hant"),
        ("回覆STOP退訂", "zh-Hant"),
        ("已還款請忽略，回T退訂", "zh-Hant"),
        ("尾號1234的帳單5/12到期，共USD120.00", "zh-Hant"),
        ("您的还款计划已成立，案件编号A123，额度3,250.50元。谢谢您", "zh-Hans"),
        ("因系統維護，今晚10點至12點暫停服務（詳見官方APP）", "zh-Hant"),
        ("Pay in our app.", "en"),
        ("Your payment of USD 120.00 is scheduled for tomorrow. No action needed.", "en"),
        ("Thanks for your payment. Your next instalment is due on 5 Jan.", "en"),
        ("If you've already paid, please ignore this message.", "en"),
        ("Can't pay in full? Don't worry, we can help.", "en"),
        ("Lost your job? We can pause your plan; ref A123.", "en"),
        ("You have the right to dispute this amount within 30 days.", "en"),
        ("Plan A, or plan B? Hours are 9-5.", "en"),
    ],
)
def test_a_faultless_wording_costs_a_glance_too(wording: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    linter = the_linter()
    monkeypatch.setattr(Folding, "fold", None)
    assert list(linter.wording_faults(wording, language)) == []


def test_an_english_text_behind_a_signature_is_outside_the_gsm_alphabet_already() -> None:
    text = a_message("en").text.replace("Demo Finance: ", "【Demo Finance】") + " It’s fine."
    assert rules_broken(a_message("en", text)) == set()


@pytest.mark.parametrize("instead", ["示範分期：【重要】", "示範分期：【", "示範分期：】"])
def test_a_signature_stands_in_front_or_nowhere(instead: str) -> None:
    text = a_message("zh-Hant").text.replace("【示範分期】", instead)
    assert "signature-marks" in rules_broken(a_message("zh-Hant", text))


@pytest.mark.parametrize("signature", ["【Demo】", "【", "】"])
def test_a_wording_brings_no_signature_of_its_own(signature: str) -> None:
    assert {finding.rule for finding in the_linter().wording(f"{signature}您好", "zh-Hant")} == {"signature-marks"}


@pytest.mark.parametrize(
    "link",
    [
        "https://lender.tw/pay",
        "http://x.example",
        "www.lender.tw",
        "pay.lender.tw/x",
        "lender.tw",
        "LENDER.TW",
        "ｌｅｎｄｅｒ．ｔｗ",
        "lender。tw/pay",
        "pay.it/x",
        "10.0.0.1/pay",
        "a@lender.tw/pay",
        "xn--fiqs8s.xn--fiqz9s",
        "示例.中国/pay",
        "bit.ly/abc",
    ],
)
def test_where_no_link_may_be_every_link_is_found(link: str) -> None:
    message = with_words(f"請點 {link} ", "zh-Hant")._replace(link_domains=OWN)
    assert "link-not-allowed" in rules_broken(message)
    assert "link-not-allowed" in {finding.rule for finding in the_linter().wording_faults(link, "zh-Hant")}


@pytest.mark.parametrize(
    ("link", "rules"),
    [
        ("https://lender.example.com/pay?x=1", set()),
        ("pay.lender.tw", set()),
        ("lender.tw/x.", set()),
        ("(lender.tw)", set()),
        ("notlender.tw", {"foreign-link"}),
        ("lender.tw.evil.com", {"foreign-link"}),
        ("https://lender.tw@evil.com/pay", {"foreign-link"}),
        ("lender.tw@evil.com/pay", {"foreign-link"}),
        ("https://evil.example", {"foreign-link"}),
        ("lеnder.tw", {"foreign-link", "mixed-alphabets"}),
        ("bit.ly/x", {"foreign-link", "short-link"}),
    ],
)
def test_where_links_may_be_they_lead_to_the_lender(link: str, rules: set[str]) -> None:
    message = with_words(f"請點 {link} ", "zh-Hant")._replace(links_allowed=True, link_domains=OWN)
    assert rules_broken(message) == rules


@pytest.mark.parametrize(
    "link",
    ["bit.ly/x", "https://tinyurl.com/x", "t.co/x", "goo.gl/x", "reurl.cc/x", "lihi1.cc/x", "pse.is/x", "dwz.cn/x",
     "t.cn/x", "url.cn/x", "suo.im/x", "bit . ly/x", "bit[.]ly/x", "bit。ly/x", "ｂｉｔ．ｌｙ/x", "BIT.LY/x",
     "b\u200bit.ly/x", "bіt.ly/x"],
)  # fmt: skip
def test_a_short_link_is_found_wherever_links_may_be_and_however_it_is_written(link: str) -> None:
    own = frozenset({"bit.ly"})
    message = with_words(f"請點 {link} ", "zh-Hant")._replace(links_allowed=True, link_domains=own)
    assert "short-link" in rules_broken(message)


@pytest.mark.parametrize(
    "words",
    ["Paid.It is fine.", "Use our app.Call us.", "v1.2 of the plan, 3.50 each", "e.g. by card, i.e. now",
     "a.m. or p.m.", "Ask help@lender.tw", "A bit. Lying is bad.", "No. 5, St. James"],
)  # fmt: skip
def test_a_full_stop_without_a_blank_is_no_link(words: str) -> None:
    assert rules_broken(with_words(words, "en")) == set()
