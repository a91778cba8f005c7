"""Names: one person's name and nothing else, because a text greets it."""

import pytest

from dunning.services.intake.names import ReadName, read_name
from dunning.services.intake.refusals import CellError, Refusal


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("王小明(已故)", "王小明"),
        ("王小明（歿）", "王小明"),
        ("王小明 已故", "王小明"),
        ("故王小明", "王小明"),
        ("王小明之繼承人", "王小明"),
        ("Estate of John Smith", "John Smith"),
        ("John Smith (deceased)", "John Smith"),
        ("The late Mary Brown", "Mary Brown"),
    ],
)
def test_a_name_that_says_the_person_has_died_is_known_for_that(text: str, name: str) -> None:
    assert read_name(text) == ReadName(name, says_deceased=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("王小明(勿打)", Refusal.NAME_SAYS_MORE, id="a remark in brackets"),
        pytest.param("王小明-勿催", Refusal.NAME_SAYS_MORE, id="a remark behind a hyphen"),
        pytest.param("王小明/李大華", Refusal.NAME_SAYS_MORE, id="two people"),
        pytest.param("John & Mary Smith", Refusal.NAME_SAYS_MORE, id="a couple"),
        pytest.param("王小明0912345678", Refusal.NAME_SAYS_MORE, id="a phone number"),
        pytest.param("王小明\n請找太太", Refusal.NAME_SAYS_MORE, id="two lines"),
        pytest.param("王小明破產", Refusal.NAME_SAYS_MORE, id="a state of affairs"),
        pytest.param("John Smith, bankrupt", Refusal.NAME_SAYS_MORE, id="a state of affairs behind a comma"),
        pytest.param("王小明之母", Refusal.NAME_SAYS_MORE, id="a relative"),
        pytest.param("王小明 法定代理人", Refusal.NAME_SAYS_MORE, id="a representative"),
        pytest.param("do not call", Refusal.NAME_SAYS_MORE, id="a wish"),
        pytest.param('=HYPERLINK("http://x","a")', Refusal.NAME_IS_A_FORMULA, id="a formula"),
        pytest.param("+cmd|x", Refusal.NAME_IS_A_FORMULA, id="another formula"),
        pytest.param("çŽ‹å°æ˜Ž", Refusal.NAME_DAMAGED, id="UTF-8 read as Latin"),
        pytest.param("JosÃ©", Refusal.NAME_DAMAGED, id="an accent read as Latin"),
        pytest.param("鐜嬪皬鏄", Refusal.NAME_DAMAGED, id="UTF-8 read as GBK"),
        pytest.param("锟斤拷", Refusal.NAME_DAMAGED, id="lost twice"),
        pytest.param("游錫?", Refusal.NAME_DAMAGED, id="a character lost"),
        pytest.param("王\ue000明", Refusal.NAME_DAMAGED, id="a character of one machine"),
        pytest.param("王*明", Refusal.NAME_DAMAGED, id="a masked name"),
        pytest.param("O\u02bcBrien", Refusal.NAME_DAMAGED, id="an apostrophe that is a letter"),
        pytest.param("王\ufffd明", Refusal.NAME_DAMAGED, id="a replaced character"),
        pytest.param("unknown", Refusal.NOT_A_NAME, id="nobody"),
    ],
)
def test_a_name_that_is_damaged_or_says_more_is_refused_with_its_reason(text: str, reason: Refusal) -> None:
    with pytest.raises(CellError) as refused:
        read_name(text)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "name",
    ["王小明", "歐陽娜娜", "O'Brien", "O\u2019Brien", "José Peña", "Tomáš Dvořák", "Lukáš Žižka", "Jean-Luc", "Doe, Jo",
     "John Smith 3rd", "Dr. Ruth", "阿卜杜拉·买买提", "王 小明", "堃", "Null Zhang", "Estée Lauder", "Anna Müller",
     "Søren Ægir", "Late Bloom", "妤婕", "胡适之", "王之女兒", "Ana Banks"],
)  # fmt: skip
def test_an_unusual_name_is_a_name(name: str) -> None:
    assert read_name(name) == ReadName(name)


def test_a_formula_that_only_keeps_a_text_is_that_text() -> None:
    assert read_name('="王小明"').name == "王小明"


@pytest.mark.parametrize("text", ["a" + "\u0301" * 1000 + "\u0327" * 1000, "(" * 1000, "=" * 1000, "故" * 1000])
def test_no_name_takes_long_to_refuse(text: str) -> None:
    with pytest.raises(CellError):
        read_name(text)
