"""The words of mail, LINE, calls and WhatsApp that come with the package, and what a file of them is refused for."""

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import ChannelRules, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import NoTextError
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.texts.channel_words import ApprovedWords, BubbleWords, ChannelWords, MailWords
from dunning.domain.texts.compose import AmountDue, ComposedText, compose
from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.files import DataFile
from dunning.policy.text_files import load_own_texts, load_texts
from dunning.policy.text_preview import preview
from tests.support.builders import IN_MAINLAND_CHINA, IN_THE_UNITED_STATES, a_customer, day, rules_of, the_policies
from tests.support.people import NOW

STAGES = (-3, 0, 3, 7, 15, 30)
LANGUAGES = ("zh-Hant", "zh-Hans", "en")
TEXT_CHANNELS = (Channel.EMAIL, Channel.LINE, Channel.VOICE)
DUE = AmountDue(
    total=325_000, instalments=1, late_fee=0, currency="TWD", due_on=day("2026-12-05"), tail="5678", others=False
)
SEVERAL = DUE._replace(instalments=3, others=True)
CASES = list(product(LANGUAGES, STAGES, (DUE, SEVERAL, SEVERAL._replace(late_fee=10_000))))

UP_TO_DUE = (-3, 0)
PLACES: Mapping[str, Mapping[str, Any]] = {
    "zh-Hant": {}, "zh-Hans": IN_MAINLAND_CHINA, "en": IN_THE_UNITED_STATES
}  # fmt: skip
FULL_NAME = "王小明"


def somebody(language: str) -> Facts:
    return a_customer(**PLACES[language])


def with_whatsapp(rules: Rules) -> Rules:
    """Return the rules of a lender for whom Meta has approved every template."""
    approved = {
        words.template: "approved_" + re.sub(r"\W", "_", words.template).casefold()
        for wording in rules.channel_words.values()
        for staged in wording.words[Channel.WHATSAPP]
        for words in (staged.single, staged.several)
    }
    of_channel = ChannelRules(
        channel=Channel.WHATSAPP, gateway="whatsapp", hours=rules.hours, overdue_hours=rules.overdue_hours,
        registered=approved,
    )  # fmt: skip
    return replace(rules, channels=dict.fromkeys(rules.ladder, (of_channel,)))


def composed(
    channel: Channel, language: str = "zh-Hant", stage: int = 3, due: AmountDue = DUE, facts: Facts | None = None
) -> ComposedText:
    facts = facts or somebody(language)
    rules = with_whatsapp(rules_of(facts))
    return compose(facts, rules, stage, due, day("2026-12-08"), channel)


def wordings() -> list[ChannelWords]:
    return [
        words
        for language in LANGUAGES
        for of_channel in the_policies().wordings[language].channels.words.values()
        for staged in of_channel
        for words in (staged.single, staged.several)
    ]


@pytest.mark.parametrize("channel", TEXT_CHANNELS)
@pytest.mark.parametrize(("language", "stage", "due"), CASES, ids=str)
def test_every_stage_has_words_that_the_linter_lets_through(
    channel: Channel, language: str, stage: int, due: AmountDue
) -> None:
    message = composed(channel, language, stage, due)
    assert (message.segments.encoding, message.segments.parts) == ("text", 1)
    assert message.template.startswith({"email": "mail"}.get(channel.value, channel.value))
    assert message.body == message.arriving


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("due", [DUE, SEVERAL])
def test_whatsapp_has_templates_up_to_the_due_date_and_none_after_it(language: str, due: AmountDue) -> None:
    for stage in UP_TO_DUE:
        assert composed(Channel.WHATSAPP, language, stage, due).registered.startswith("approved_whatsapp_")
    for stage in set(STAGES) - set(UP_TO_DUE):
        with pytest.raises(NoTextError) as error:
            composed(Channel.WHATSAPP, language, stage, due)
        assert error.value.reason is Reason.NO_TEXT


def test_a_template_that_meta_has_not_approved_is_not_sent() -> None:
    facts = somebody("zh-Hant")
    with pytest.raises(NoTextError) as error:
        compose(facts, rules_of(facts), -3, DUE, day("2026-12-02"), Channel.WHATSAPP)
    assert error.value.reason is Reason.TEMPLATE_NOT_REGISTERED


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_filled_in_with_its_values_in_order_is_the_text_of_the_record(language: str) -> None:
    message = composed(Channel.WHATSAPP, language, 0, SEVERAL)
    words = the_policies().wordings[language].channels.at(Channel.WHATSAPP, 0, several=True)
    assert isinstance(words, ApprovedWords)
    assert words.text.pattern % message.extras.parameters == message.body
    assert message.extras.language == {"zh-Hant": "zh_TW", "zh-Hans": "zh_CN", "en": "en"}[language]
    assert all(message.extras.parameters)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_buttons_of_a_bubble_mean_paid_hardship_and_no_more(language: str) -> None:
    message = composed(Channel.LINE, language)
    intents = [ReplyIntent(button.code) for button in message.extras.buttons]
    assert intents == [ReplyIntent.PAID, ReplyIntent.HARDSHIP, ReplyIntent.OPT_OUT]
    assert len(message.body) <= 500


@pytest.mark.parametrize(("language", "stage", "due"), CASES, ids=str)
def test_a_call_says_who_calls_and_whom_to_call_whatever_is_due(language: str, stage: int, due: AmountDue) -> None:
    facts = somebody(language)
    message = composed(Channel.VOICE, language, stage, due)
    rules = rules_of(facts)
    rest = message.body.replace(rules.hotline[language], "").replace(rules.sender_name[language], "")
    assert rest == composed(Channel.VOICE, language, -3).body.replace(rules.hotline[language], "").replace(
        rules.sender_name[language], ""
    )
    assert message.body.count(rules.hotline[language]) == 2  # who listens may not have a pen ready
    assert not re.search("[0-9]", rest)


@pytest.mark.parametrize(("language", "stage", "due"), CASES, ids=str)
def test_a_mail_names_the_fee_only_where_there_is_one(language: str, stage: int, due: AmountDue) -> None:
    message = composed(Channel.EMAIL, language, stage, due)
    label = {"zh-Hant": "其中違約金", "zh-Hans": "其中违约金", "en": "Late fee"}[language]
    assert (label in message.body) is (due.late_fee > 0)
    assert (label in message.extras.html) is (due.late_fee > 0)


def test_a_language_of_which_there_are_no_words_has_no_message() -> None:
    facts = somebody("zh-Hant")
    with pytest.raises(NoTextError) as error:
        compose(facts, replace(rules_of(facts), channel_words={}), 3, DUE, day("2026-12-08"), Channel.LINE)
    assert error.value.reason is Reason.NO_TEXT


def test_ids_are_unique_and_say_channel_language_stage_and_version() -> None:
    ids = [words.template for words in wordings()]
    spoken = [name for name in ids if name.startswith("voice/")]
    assert sorted({*ids}) == sorted([name for name in ids if name not in spoken] + sorted({*spoken}))
    for name in ids:
        assert re.fullmatch(r"(mail|line|voice|whatsapp)/(zh-Hant|zh-Hans|en)/[a-z-]+@[1-9]", name)


def test_traditional_and_simplified_have_no_character_of_the_other() -> None:
    for language, others in (("zh-Hant", "还邮谢您您们"), ("zh-Hans", "還郵謝們繳")):
        for channel, stage in product((Channel.EMAIL, Channel.LINE), STAGES):
            assert not set(others.replace("您", "")) & set(composed(channel, language, stage).body)


# What others may see.


@pytest.mark.parametrize(("language", "stage", "due"), CASES, ids=str)
def test_subject_and_preview_are_short_and_alike_for_everybody(language: str, stage: int, due: AmountDue) -> None:
    extras = composed(Channel.EMAIL, language, stage, due).extras
    other = composed(Channel.EMAIL, language, stage, due._replace(total=99, tail="0001")).extras
    assert (extras.subject, extras.preview) == (other.subject, other.preview)
    assert len(extras.subject) <= 30


def test_a_sender_whose_name_says_that_it_collects_sends_no_mail_and_calls_nobody() -> None:
    facts = somebody("zh-Hant")
    rules = replace(rules_of(facts), sender_name={"zh-Hant": "示範催收", "en": "Demo Collections"})
    for channel in (Channel.EMAIL, Channel.VOICE):
        with pytest.raises(NoTextError, match="disclosing-sender") as error:
            compose(facts, rules, 3, DUE, day("2026-12-08"), channel)
        assert error.value.reason is Reason.TEXT_REFUSED
    assert compose(facts, rules, 3, DUE, day("2026-12-08")).body.startswith("【示範催收】")


def test_a_lenders_words_that_no_text_may_hold_stop_every_channel() -> None:
    facts = somebody("zh-Hant")
    rules = with_whatsapp(rules_of(facts))
    for channel, stage in ((Channel.EMAIL, 3), (Channel.LINE, 3), (Channel.WHATSAPP, -3)):
        with pytest.raises(NoTextError, match="threat-of-suit"):
            compose(facts, replace(rules, pay={"zh-Hant": "否則起訴"}), stage, DUE, day("2026-12-02"), channel)


def test_a_value_that_is_too_long_stops_a_bubble_and_says_by_how_much() -> None:
    facts = somebody("zh-Hant")
    rules = replace(rules_of(facts), pay={"zh-Hant": "官方APP" * 100})
    with pytest.raises(NoTextError, match=r"its bubble takes \d+, 500 allowed") as error:
        compose(facts, rules, 3, DUE, day("2026-12-08"), Channel.LINE)
    assert error.value.reason is Reason.TEXT_TOO_LONG


def test_a_value_with_a_line_feed_fills_no_template() -> None:
    facts = somebody("zh-Hant")
    rules = replace(with_whatsapp(rules_of(facts)), pay={"zh-Hant": "官方\nAPP"})
    with pytest.raises(NoTextError, match="line feeds"):
        compose(facts, rules, -3, DUE, day("2026-12-02"), Channel.WHATSAPP)


def test_nobody_is_called_who_could_not_call_back() -> None:
    facts = somebody("zh-Hant")
    rules = replace(rules_of(facts), hotline={"zh-Hant": "官方APP客服"})
    with pytest.raises(NoTextError, match="no number to call back"):
        compose(facts, rules, 3, DUE, day("2026-12-08"), Channel.VOICE)
    assert "官方APP客服" in compose(facts, rules, 3, DUE, day("2026-12-08"), Channel.EMAIL).body


def test_an_unknown_currency_is_no_mail() -> None:
    with pytest.raises(NoTextError) as error:
        composed(Channel.EMAIL, due=DUE._replace(currency="XXX"))
    assert error.value.reason is Reason.UNKNOWN_CURRENCY


# Files.

REFUSED = [
    ('subject = "您的帳單通知"', 'subject = "您的分期款將到期"', "mail.before.subject", "disclosure"),
    ('subject = "您的帳單通知"', 'subject = "您的{amount}通知"', "mail.before.subject", "is not one of"),
    ('subject = "您的帳單通知"', 'subject = "您的帳單通知12"', "mail.before.subject", "disclosed-number"),
    ('subject = "您的帳單通知"', f'subject = "{"您的通知" * 9}"', "mail.before.subject", "72 columns, 60 allowed"),
    ('subject = "您的帳單通知"', 'subject = "您的\\n帳單通知"', "mail.before.subject", "more than one line"),
    ('preview = "這封信', 'preview = "催收通知，這封信', "mail.before.preview", "disclosure"),
    ('greeting = "{name}您好："', 'greeting = "您好："', "mail.frame.greeting", "lacks {name}"),
    ('["應繳金額", "{amount}"], ', "", "mail.before.single", "what-amount"),
    ('["分期末碼", "{tail}"], ["繳款', '["繳款', "mail.before.single", "what-account"),
    ("stages = [1, 14]", "stages = [1, 20]", "mail.long-overdue.stages", "overdue is for stages +1 to +20"),
    ("stages = [1, 14]", "stages = [-1, 14]", "mail.overdue.stages", "words of their own"),
    ("stages = [1, 14]", "stages = [14, 1]", "mail.overdue.stages", "first and the last"),
    ("您有{count}期分期款，我們目前還未收到", "我們目前還未收到您的分期款", "mail.overdue.several", "lacks {count}"),
    ('我們一起想辦法。",\n]', '否則將起訴。",\n]', "mail.overdue.single", "threat-of-suit"),
    ('，或對金額有疑問，請洽{hotline}，我們一起想辦法。",\n]', '，就沒辦法了。",\n]', "mail.overdue.single", "way-out"),
    ('opt_out = "不要再傳"', "", "line.buttons", "lacks opt_out"),
    ('opt_out = "不要再傳"', 'opt_out = "不要再傳"\nstop = "停"', "line.buttons.stop.[key]", "'opt_out'"),
    ('hardship = "想協商"', 'hardship = "不還就起訴"', "line.buttons.hardship", "threat-of-suit"),
    ("語音通知。麻煩", "語音通知。您有欠款，麻煩", "voice.any.text", "disclosure"),
    ("語音通知。麻煩", "語音通知。{amount}，麻煩", "voice.any.text", "is not one of"),
    ("這裡是{sender}的", "這裡是", "voice.any.text", "lacks {sender}"),
    ('language = "zh_TW"', 'language = "zh-Hant"', "whatsapp.language", "zh_TW"),
    ('"您好，這是{sender}的提醒：{name}', '"{name}您好，這是{sender}的提醒：', "whatsapp.before.single",
     "begins or ends with a value"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "field", "reason"), REFUSED)
def test_a_file_is_refused_by_field_and_reason(before: str, after: str, field: str, reason: str) -> None:
    assert before in WRITTEN
    file = DataFile("texts/zh-Hant.toml", WRITTEN.replace(before, after, 1))
    with pytest.raises(PolicyError) as error:
        load_texts("zh-Hant", file, the_policies().linter)
    message = str(error.value)
    assert message.startswith("texts/zh-Hant.toml:")
    assert f" {field}:" in message
    assert reason in message


WRITTEN = (files("dunning.policy") / "data" / "texts" / "zh-Hant.toml").read_text("utf-8")

OWN = """
language = "zh-Hant"

[mail.overdue]
stages = [1, 14]
version = 4
subject = "給您的一封信"
preview = "這封信只給您本人看。"
single = "您於{date}到期的分期款還未收到。"
several = "您有{count}期分期款還未收到，最早一期於{date}到期。"
closing = ["若已繳款，請忽略這封信。", "有困難請洽{hotline}。"]
"""


def own_words(folder: Path, words: str = OWN) -> PolicyBook:
    (folder / "lenders" / "demo-tw" / "texts").mkdir(parents=True)
    (folder / "lenders" / "demo-tw" / "texts" / "zh-Hant.toml").write_text(words, "utf-8")
    return load_policies(folder)


def test_a_lenders_own_mail_takes_the_place_of_the_packages_and_has_its_greeting_and_table(
    folder: Path,
) -> None:
    book = own_words(folder)
    facts = somebody("zh-Hant")
    rules = book.rules("demo-tw", "TW", at=NOW)
    assert isinstance(rules, Rules)
    message = compose(facts, rules, 3, DUE, day("2026-12-08"), Channel.EMAIL)
    assert message.template == "demo-tw/mail/zh-Hant/overdue@4"
    assert message.extras.subject == "給您的一封信"
    assert "王*明您好：" in message.body
    assert "應繳金額：NT$3,250" in message.body
    later = compose(facts, rules, 15, DUE, day("2026-12-20"), Channel.EMAIL)
    assert later.template == "mail/zh-Hant/long-overdue@1"
    assert book.lenders["demo-cn"].wordings["zh-Hant"] is book.wordings["zh-Hant"]


def test_a_lenders_own_mail_for_stages_that_have_one_by_another_id_is_refused(
    folder: Path,
) -> None:
    with pytest.raises(PolicyError, match=r"mail\.mine\.stages: overdue is for stages \+1 to \+14: use that id"):
        own_words(folder, OWN.replace("[mail.overdue]", "[mail.mine]"))


def test_a_lenders_own_buttons_or_greeting_without_a_wording_of_its_own_are_refused() -> None:
    common, linter = the_policies().wordings["zh-Hant"], the_policies().linter
    for table in ('[line.buttons]\nopt_out = "停"', '[whatsapp]\nlanguage = "zh_HK"'):
        file = DataFile("lenders/demo-tw/texts/zh-Hant.toml", f'language = "zh-Hant"\n{table}\n')
        with pytest.raises(PolicyError, match="is for wordings of this file"):
            load_own_texts("demo-tw", "zh-Hant", file, linter, common)


# The preview.


@pytest.mark.parametrize(("lender", "language", "country"), [("demo-tw", "zh-Hant", "TW"), ("demo-cn", "zh-Hans", "CN"),
                                                             ("demo-tw", "en", "US")])  # fmt: skip
@pytest.mark.parametrize("channel", TEXT_CHANNELS)
def test_the_preview_shows_every_channel_and_all_of_it_can_be_sent(
    lender: str, language: str, country: str, channel: Channel
) -> None:
    book = the_policies()
    shown = list(preview(book, book.lenders[lender], language, country, channel=channel))
    assert {message.case.stage for message in shown} == set(STAGES)
    for message in shown:
        assert not message.refusals
        assert message.reminder is not None
        assert message.reminder.channel == channel.value
        assert message.to_check == ()


def test_the_preview_shows_a_template_that_is_not_approved_and_says_so() -> None:
    book = the_policies()
    shown = list(preview(book, book.lenders["demo-tw"], "zh-Hant", "TW", channel=Channel.WHATSAPP))
    assert {message.case.stage for message in shown} == set(UP_TO_DUE)
    assert all(message.refusals[0][0] is Reason.TEMPLATE_NOT_REGISTERED and message.reminder for message in shown)


def test_mails_and_bubbles_are_of_their_kinds() -> None:
    words = wordings()
    assert sum(isinstance(each, MailWords) for each in words) == sum(isinstance(each, BubbleWords) for each in words)
