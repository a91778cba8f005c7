"""A previewed text: what it is called, and what is worth a warning."""

from dataclasses import replace

import pytest

from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send
from dunning.domain.delivery.channels import Channel
from dunning.domain.texts.previewed import Message, PreviewedCase, filling_of
from tests.support.builders import a_customer, a_standing, taipei, the_policies

ONE = PreviewedCase(stage=0, several=False, fee=False, worst=False)


def a_preview(case: PreviewedCase = ONE, *, parts: int = 1, typical: int = 1, template: str = "en/x@1") -> Message:
    """Describe a previewed text of so many segments, where so many are typical."""
    decision = decide(a_customer(), a_standing(), the_policies(), taipei("2026-12-01 10:00"))
    assert isinstance(decision, Send)
    reminder = decision.reminder._replace(parts=parts, template=template)
    return Message(
        case=case, reminder=reminder, arriving=reminder.text, refusals=(), typical_parts=typical, price=0
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "name"),
    [
        (ONE, "one, typical"),
        (replace(ONE, several=True), "several, typical"),
        (replace(ONE, fee=True), "one + fee, typical"),
        (replace(ONE, several=True, fee=True, worst=True), "several + fee, worst"),
    ],
)
def test_a_case_is_called_by_its_instalments_its_fee_and_its_values(case: PreviewedCase, name: str) -> None:
    assert str(case) == name
    assert case.channel is Channel.SMS


@pytest.mark.parametrize(
    ("case", "template", "spares"),
    [
        pytest.param(replace(ONE, fee=True), "en/overdue-7@3", True, id="a fee, and words without"),
        pytest.param(replace(ONE, fee=True), "en/overdue-7-fee@3", False, id="a fee, and words with it"),
        pytest.param(ONE, "en/overdue-7@3", False, id="no fee"),
        pytest.param(
            replace(ONE, fee=True, channel=Channel.EMAIL), "mail/en/overdue@1", False, id="a mail, which has no other"
        ),
    ],
)
def test_a_text_spares_the_fee_if_there_is_one_and_its_words_name_none(
    case: PreviewedCase, template: str, *, spares: bool
) -> None:
    assert a_preview(case, template=template).spares_fee is spares


@pytest.mark.parametrize(
    ("parts", "typical", "is_longer"), [(2, 1, True), (3, 2, True), (1, 1, False), (1, 2, False), (2, 0, False)]
)
def test_a_text_is_longer_than_typical_if_typical_values_take_fewer_segments(
    parts: int, typical: int, *, is_longer: bool
) -> None:
    """No segments at all are typical where the text with typical values cannot be written."""
    assert a_preview(parts=parts, typical=typical).is_longer_than_typical is is_longer


def test_where_there_is_no_text_nothing_is_said_of_it() -> None:
    without = replace(a_preview(replace(ONE, fee=True), parts=2), reminder=None)
    assert not without.spares_fee
    assert not without.is_longer_than_typical


@pytest.mark.parametrize(
    ("text", "filling"),
    [
        pytest.param("a" * 160, (160, 160), id="one segment of letters"),
        pytest.param("a" * 161, (161, 306), id="two of them have less room each"),
        pytest.param("a" * 307, (307, 459), id="three"),
        pytest.param("a€[", (5, 160), id="signs that take two places"),
        pytest.param("字" * 70, (70, 70), id="one segment of Chinese"),
        pytest.param("字" * 71, (71, 134), id="two"),
        pytest.param("字€", (2, 70), id="a sign that takes two places among letters takes one there"),
        pytest.param("字\uffff", (2, 70), id="the last character of one unit"),
        pytest.param("字\U00010000", (3, 70), id="the first of two"),
    ],
)
def test_segments_are_as_full_as_they_are_billed(text: str, filling: tuple[int, int]) -> None:
    assert filling_of(text) == filling
