"""The words of a channel other than SMS: what they are filled in with, how long they may be, and what stops them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import ChannelRules
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import NoTextError
from dunning.domain.texts.channel_words import (
    ApprovedWords,
    BubbleWords,
    ChannelWording,
    ChannelWords,
    MailWords,
    SpokenWords,
    StagedWords,
)
from dunning.domain.texts.compose import AmountDue, ComposedText
from dunning.domain.texts.compose_channel import compose_for_channel, display_columns, filled_mail, length_fault
from dunning.domain.texts.extras import Extras
from dunning.domain.texts.wording import Text, compile_text
from tests.support.builders import a_customer, day, rules_of, the_policies

TODAY = day("2026-12-08")
DUE = AmountDue(
    total=325_000, instalments=1, late_fee=0, currency="TWD", due_on=day("2026-12-05"), tail="5678", others=False
)
FACTS = a_customer(email="ming@example.com", line_user_id="U1")
RULES = rules_of(FACTS)
PACKAGED = the_policies().wordings["zh-Hant"].channels


def a_text_of(wording: str) -> Text:
    return compile_text("test@1", wording, {"sender", "hotline", "amount", "date", "tail", "name", "pay"})


ANY_TEXT = a_text_of("x")
MAIL = MailWords(template="mail@1", subject=ANY_TEXT, preview=ANY_TEXT, greeting=ANY_TEXT, opening=ANY_TEXT)


def packaged_mail(stage: int = 3) -> MailWords:
    words = PACKAGED.at(Channel.EMAIL, stage, several=False)
    assert isinstance(words, MailWords)
    return words


def composed(words: ChannelWords, channel: Channel, stage: int = 3, **changes: Any) -> ComposedText:  # noqa: ANN401 - fields
    """Compose a message in these words."""
    staged = StagedWords("test", stage, stage, words, words)
    due = changes.pop("due", DUE)
    rules = replace(RULES, channel_words={"zh-Hant": ChannelWording({channel: (staged,)})}, **changes)
    return compose_for_channel(FACTS, rules, stage, due, TODAY, channel)


def refusal(words: ChannelWords, channel: Channel, stage: int = 3, **changes: Any) -> NoTextError:  # noqa: ANN401 - fields
    with pytest.raises(NoTextError) as error:
        composed(words, channel, stage, **changes)
    return error.value


# Which words.


def test_a_stage_has_the_words_of_its_range_for_one_instalment_or_several() -> None:
    single, several = SpokenWords("one@1", a_text_of("x")), SpokenWords("several@1", a_text_of("y"))
    wording = ChannelWording({Channel.VOICE: (StagedWords("any", 1, 7, single, several),)})
    for stage, is_known in ((0, False), (1, True), (7, True), (8, False)):
        assert wording.at(Channel.VOICE, stage, several=False) is (single if is_known else None)
        assert wording.at(Channel.VOICE, stage, several=True) is (several if is_known else None)
    assert wording.at(Channel.LINE, 3, several=False) is None


# What is filled in.

VALUES: Mapping[str, str] = {
    "sender": "示範分期", "name": "王*明", "tail": "5678", "amount": "NT$3,250", "date": "12/5", "pay": "官方APP",
    "hotline": "0800-000-123", "count": "1", "days": "3", "fee": "NT$100",
}  # fmt: skip


def test_a_mail_keeps_its_number_to_call_and_its_date_on_one_line_where_it_has_them() -> None:
    assert filled_mail(packaged_mail(), VALUES, "zh-Hant", with_fee=False).whole == ("0800-000-123", "12/5")
    without_date = {"sender": "示範分期", "hotline": "0800-000-123"}
    assert filled_mail(MAIL, without_date, "zh-Hant", with_fee=False).whole == ("0800-000-123",)


def test_a_mail_without_a_line_on_opting_out_ends_with_its_words() -> None:
    words = replace(packaged_mail(), opt_out=None)
    assert filled_mail(words, VALUES, "zh-Hant", with_fee=False).opt_out == ""
    message = composed(words, Channel.EMAIL)
    assert message.body.endswith(filled_mail(words, message.values, "zh-Hant", with_fee=False).closing[-1])


def test_a_fee_of_a_single_cent_is_named() -> None:
    assert "違約金" in composed(packaged_mail(), Channel.EMAIL, due=DUE._replace(late_fee=1)).body
    assert "違約金" not in composed(packaged_mail(), Channel.EMAIL).body


def test_only_a_template_of_whatsapp_is_registered() -> None:
    for channel in (Channel.EMAIL, Channel.LINE, Channel.VOICE):
        words = PACKAGED.at(channel, 3, several=False)
        assert words is not None
        assert composed(words, channel).registered == ""


# How long it is.


def test_a_chinese_character_takes_two_columns_and_any_other_one() -> None:
    assert [display_columns(text) for text in ("", "ab", "字", "a字ｂ")] == [0, 2, 2, 5]


BUBBLE, SPOKEN = BubbleWords("line@1", ANY_TEXT), SpokenWords("voice@1", ANY_TEXT)
APPROVED = ApprovedWords("whatsapp@1", ANY_TEXT, "zh_TW")


@pytest.mark.parametrize(
    ("words", "part", "most"),
    [
        (MAIL, "subject", 60),
        (MAIL, "preview", 120),
        (MAIL, "body", 5000),
        (BUBBLE, "bubble", 500),
        (SPOKEN, "spoken text", 3000),
        (APPROVED, "template", 1024),
    ],
)
def test_a_part_may_be_as_long_as_its_channel_takes_and_no_longer(words: ChannelWords, part: str, most: int) -> None:
    def fault(length: int) -> str:
        text = "x" * length
        extras = {"subject": Extras(subject=text), "preview": Extras(preview=text)}.get(part)
        return length_fault(words, text, Extras()) if extras is None else length_fault(words, "", extras)

    assert fault(most) == ""
    assert fault(most + 1) == f"{part} takes {most + 1}, {most} allowed"


def test_a_bubble_is_measured_in_the_units_of_line_whatever_is_in_it() -> None:
    assert length_fault(BUBBLE, "😀" * 250, Extras()) == ""
    assert length_fault(BUBBLE, "😀" * 251, Extras()) == "bubble takes 502, 500 allowed"
    assert length_fault(BUBBLE, "\ud800" * 501, Extras()) == "bubble takes 501, 500 allowed"


# What Meta has approved.


@pytest.mark.parametrize(
    ("channel", "registered", "is_approved"),
    [
        pytest.param(Channel.WHATSAPP, {"whatsapp/zh-Hant/before@1": "due_soon"}, True, id="the template"),
        pytest.param(Channel.WHATSAPP, {"whatsapp/zh-Hant/before-several@1": "x"}, False, id="another template"),
        pytest.param(Channel.WHATSAPP, None, False, id="none"),
        pytest.param(Channel.EMAIL, {"whatsapp/zh-Hant/before@1": "due_soon"}, False, id="on another channel"),
    ],
)
def test_a_template_goes_out_under_the_name_that_meta_has_approved_for_it(
    channel: Channel, registered: Mapping[str, str] | None, *, is_approved: bool
) -> None:
    words = PACKAGED.at(Channel.WHATSAPP, -3, several=False)
    assert words is not None
    rules = ChannelRules(channel=channel, gateway="any", registered=registered)
    channels = {-3: (rules,)}
    due = DUE._replace(due_on=day("2026-12-11"))
    if is_approved:
        assert composed(words, Channel.WHATSAPP, -3, due=due, channels=channels).registered == "due_soon"
    else:
        error = refusal(words, Channel.WHATSAPP, -3, due=due, channels=channels)
        assert error.reason is Reason.TEMPLATE_NOT_REGISTERED


# What stops it.


@pytest.mark.parametrize("part", ["subject", "preview"])
def test_no_mail_shows_others_an_amount_beside_its_subject(part: str) -> None:
    usual, shown = packaged_mail(), a_text_of("您的{amount}通知")
    words = replace(usual, subject=shown) if part == "subject" else replace(usual, preview=shown)
    error = refusal(words, Channel.EMAIL)
    assert error.reason is Reason.TEXT_REFUSED
    assert "disclosed-number" in str(error)


def test_a_bubble_shows_others_nothing_so_its_sender_may_say_what_a_mail_may_not() -> None:
    words = PACKAGED.at(Channel.LINE, 3, several=False)
    assert words is not None
    assert "示範催收" in composed(words, Channel.LINE, sender_name={"zh-Hant": "示範催收"}).body


def test_a_mail_asks_for_no_reply_because_none_arrives_and_a_bubble_may() -> None:
    asked = replace(packaged_mail(), closing=(*packaged_mail().closing, a_text_of("請直接回覆。")))
    assert "reply-in-vain" in str(refusal(asked, Channel.EMAIL))
    bubble = PACKAGED.at(Channel.LINE, 3, several=False)
    assert isinstance(bubble, BubbleWords)
    wording = a_text_of(
        "{name}您好，分期{tail}的{amount}於{date}到期未入帳，請用{pay}繳款，已繳請忽略，有困難請電{hotline}或回覆本訊息"
    )
    assert "回覆" in composed(BubbleWords("line@1", wording, bubble.buttons), Channel.LINE).body


@pytest.mark.parametrize(
    ("stage", "words_of", "rule"),
    [
        pytest.param(1, 3, "", id="the day after, in words that say that it is late"),
        pytest.param(1, -3, "overdue", id="the day after, in words that do not"),
        pytest.param(0, 0, "", id="the day itself, in words that say today"),
        pytest.param(0, -3, "today", id="the day itself, in words that do not"),
        pytest.param(-1, -3, "", id="the day before, in words that do not"),
    ],
)
def test_a_mail_is_judged_as_one_before_on_or_after_the_due_date(stage: int, words_of: int, rule: str) -> None:
    words = packaged_mail(words_of)
    if rule:
        assert rule in str(refusal(words, Channel.EMAIL, stage))
    else:
        assert composed(words, Channel.EMAIL, stage).stage == stage


def test_each_rule_that_a_message_breaks_is_named() -> None:
    error = refusal(packaged_mail(-3), Channel.EMAIL, 3, pay={"zh-Hant": "否則起訴"})
    assert str(error).count("; ") >= 1
