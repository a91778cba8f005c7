"""What others may see or hear says nothing of a debt: in words that other people wrote, and in those of the rule."""

import tomllib
from importlib.resources import files

import pytest

from dunning.policy.linter_files import LinterFile, WordsFile
from tests.support.builders import the_policies
from tests.support.reminders import BAD, a_message, staged_reminders, the_linter

FILE = LinterFile.model_validate(tomllib.loads((files("dunning.policy") / "data" / "linter.toml").read_text("utf-8")))
VALUES = {"sender": "示範分期", "hotline": "0800-000-123", "name": "王*明"}


def rules_disclosed(text: str, language: str = "zh-Hant", name: str = "王小明", **values: str) -> set[str]:
    return {finding.rule for finding in the_linter().disclosures(text, language, VALUES | values, name)}


@pytest.mark.parametrize("text", [text for rule in FILE.disclosure for text in rule.fires])
def test_a_word_of_a_debt_is_found(text: str) -> None:
    assert "disclosure" in rules_disclosed(text)


@pytest.mark.parametrize("text", [text for rule in FILE.disclosure for text in rule.silent])
def test_what_says_nothing_of_a_debt_is_let_through(text: str) -> None:
    assert rules_disclosed(text) == set()


@pytest.mark.parametrize("rule", FILE.disclosure, ids=lambda rule: rule.id)
def test_every_word_of_the_list_is_found_alone_and_every_context_is_innocent(rule: WordsFile) -> None:
    for word in (*rule.zh, *rule.en):
        assert rule.id in rules_disclosed(word), word
    for context in rule.innocent:
        assert rule.id not in rules_disclosed(context), context


@pytest.mark.parametrize("sender", [text for rule in FILE.disclosing_sender for text in rule.fires])
def test_a_sender_that_says_it_collects_is_found(sender: str) -> None:
    assert rules_disclosed("A note for you", sender=sender) == {"disclosing-sender"}


@pytest.mark.parametrize("sender", [text for rule in FILE.disclosing_sender for text in rule.silent])
def test_a_sender_may_say_what_it_sells(sender: str) -> None:
    assert rules_disclosed(f"A note from {sender}", sender=sender) == set()


# By the words of others: texts for SMS, the phrases that content rules ask for, examples of other rules.


@pytest.mark.parametrize("key", sorted({*the_policies().texts, *the_policies().texts_with_fee}), ids=str)
def test_no_text_for_sms_could_be_a_subject_even_without_its_values(key: tuple[str, int, bool]) -> None:
    texts = (the_policies().texts.get(key), the_policies().texts_with_fee.get(key))
    for text in filter(None, texts):
        bare = text.pattern % (("",) * len(text.placeholders))
        assert "disclosure" in rules_disclosed(bare, key[0])


@pytest.mark.parametrize(
    ("language", "phrase"),
    [
        (language, phrase.replace("{days}", "15"))
        for language, of in FILE.languages.items()
        for phrase in (*of.due, *of.overdue, *of.late)
    ],
)
def test_how_a_language_says_that_a_payment_is_due_or_late_is_found(language: str, phrase: str) -> None:
    assert rules_disclosed(phrase, language) & {"disclosure", "disclosed-number"}


@pytest.mark.parametrize(
    ("rule", "text"), [pytest.param(rule.id, text, id=text) for rule in FILE.words for text in rule.fires]
)
def test_what_a_text_may_not_say_or_only_with_a_fact_behind_it_no_subject_may_say(rule: str, text: str) -> None:
    assert rules_disclosed(text) & {rule, "disclosure", "disclosed-number"}


@pytest.mark.parametrize("text", BAD)
def test_no_wording_that_others_sent_and_should_not_have_could_be_a_subject(text: str) -> None:
    assert rules_disclosed(text)


@pytest.mark.parametrize("name", staged_reminders())
def test_no_reminder_of_others_could_be_a_subject(name: str) -> None:
    message = staged_reminders()[name]
    assert rules_disclosed(message.text, message.language, **message.values) & {"disclosure", "disclosed-number"}


@pytest.mark.parametrize(
    "text",
    [
        "催收非訟事件", "债务人", "贷后催收", "ATTEMPTING TO COLLECT A DEBT", "in arrears",
        "this is from a debt collector", "debt advice", "逾期帳款", "消費者貸款", "信用卡債務", "past-due account",
        "還款協商", "forbearance", "repayment plan",
    ],
)  # fmt: skip
def test_the_words_of_the_laws_about_debts_are_found(text: str) -> None:
    assert "disclosure" in rules_disclosed(text)


@pytest.mark.parametrize(
    "text",
    ["分 期 款", "分.期", "逾\u200b期", "Ｏｖｅｒｄｕｅ", "d e b t", "ov3rdue", "l0an", "DЕBT", "貸\u200d款", "欠＊款"],
)
def test_a_word_in_disguise_is_found(text: str) -> None:
    assert rules_disclosed(text) & {"disclosure", "invisible-character", "mixed-alphabets"}


# Numbers and names.


@pytest.mark.parametrize(
    "text", ["通知5678", "A note 12/5", "通知①", "通知５", "Note ²", "通知NT$3,250", "通知0800-000-124", "二〇二六"]
)
def test_no_number_is_shown_but_the_one_to_call(text: str) -> None:
    assert "disclosed-number" in rules_disclosed(text)


def test_the_number_to_call_is_let_through() -> None:
    assert rules_disclosed("您好，請撥0800-000-123，謝謝") == set()


def test_what_stands_before_the_lenders_words_is_no_name_with_what_stands_behind_them() -> None:
    assert rules_disclosed("王示範分期小明") == set()
    assert rules_disclosed("王0800-000-123小明") == set()


@pytest.mark.parametrize("text", ["王小明您好", "王 小 明 您好", "王*明您好", "示範分期給王小明的通知"])
def test_no_name_is_shown_however_it_is_spaced_or_masked(text: str) -> None:
    assert "disclosed-name" in rules_disclosed(text)


@pytest.mark.parametrize("character", ["一", "百", "萬", "\u3400", "\u9fff"])
def test_a_chinese_word_for_a_number_is_a_word(character: str) -> None:
    assert rules_disclosed(f"您好，這是{character}則通知") == set()


@pytest.mark.parametrize("number", ["〇", "㈢", "٣", "Ⅳ"])
def test_a_figure_of_any_script_is_a_number(number: str) -> None:
    assert "disclosed-number" in rules_disclosed(f"您好，這是{number}則通知")


def test_words_on_both_sides_of_the_senders_name_are_not_read_as_one_name() -> None:
    assert rules_disclosed("A note from wang示範分期ming", "en", "Wang Ming") == set()


def test_a_name_in_any_case_is_found() -> None:
    assert "disclosed-name" in rules_disclosed("A note for JOHN smith", "en", "John Smith")


def test_what_cannot_be_seen_and_a_signature_have_no_place_there() -> None:
    assert rules_disclosed("您\u200b好") == {"invisible-character"}
    assert rules_disclosed("【示範分期】您好") == {"signature-marks"}
    assert rules_disclosed("A note \u2013 for you", "en") == set()


def test_where_no_name_is_filled_in_none_is_found() -> None:
    values = {"sender": "Demo Finance", "hotline": "0800-000-123"}
    assert list(the_linter().disclosures("Any questions?", "en", values)) == []


def test_a_link_is_no_part_of_a_subject() -> None:
    assert "link-not-allowed" in rules_disclosed("您的通知 demo.tw/x")


def test_a_finding_never_quotes_the_customer() -> None:
    for finding in the_linter().disclosures("王小明5678", "zh-Hant", VALUES, "王小明"):
        assert "王" not in finding.message
        assert "5678" not in finding.message


# The body, judged as a message of another channel.


def test_a_body_may_name_its_sender_anywhere_and_must_name_it() -> None:
    message = a_message()
    inside = message._replace(text=message.text.replace("【示範分期】", "") + "。示範分期")
    assert list(the_linter().channel_faults(inside)) == []
    assert {fault.rule for fault in the_linter().faults(inside)} == {"who-sends"}
    without = message._replace(text=message.text.replace("【示範分期】", ""))
    assert {fault.rule for fault in the_linter().channel_faults(without)} == {"who-sends"}
    nobody = message._replace(values={**message.values, "sender": ""})
    assert {fault.rule for fault in the_linter().channel_faults(nobody)} == {"who-sends"}


def test_an_english_body_may_leave_the_gsm_alphabet_and_hides_nothing_all_the_same() -> None:
    message = a_message("en")
    assert list(the_linter().channel_faults(message._replace(text=f"{message.text} \u2013 thank you"))) == []
    hidden = message._replace(text=f"{message.text} th\u200bank")
    assert {fault.rule for fault in the_linter().channel_faults(hidden)} == {"invisible-character"}


def test_a_body_keeps_all_other_rules_of_a_text() -> None:
    message = a_message()
    for value, rule in (("NT$3,250", "what-amount"), ("12/5", "when-due"), ("5678", "what-account")):
        spoilt = message._replace(text=message.text.replace(value, ""))
        assert rule in {fault.rule for fault in the_linter().channel_faults(spoilt)}


def test_rules_of_the_words_that_others_may_see_are_among_all_rules() -> None:
    assert {"disclosure", "disclosing-sender", "disclosed-number", "disclosed-name"} <= set(the_linter().rules())
