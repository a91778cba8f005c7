"""Masking: enough to be recognised by the owner, too little for anyone else."""

# ruff: noqa: E501 - texts and lists of examples are written in one line

import pytest

from dunning.domain.texts.masking import COMPOUND_SURNAMES, account_tail, greeting_name, mask_name


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        pytest.param("王小明", "王*明", id="the middle of three characters is hidden"),
        pytest.param("王明", "王*", id="the given name of two is hidden"),
        pytest.param("王", "王*", id="a surname alone"),
        pytest.param("王大小明", "王**明", id="two characters in the middle"),
        pytest.param("歐陽小明", "歐陽*明", id="a compound surname stays whole"),
        pytest.param("欧阳明", "欧阳*", id="a compound surname and one character"),
        pytest.param("歐陽", "歐*", id="two characters are a surname and a name, whatever they spell"),
        pytest.param("張簡大文", "張簡*文", id="a surname of two families"),
        pytest.param("陳王美麗雲", "陳***", id="a long name shows its first character only"),
        pytest.param(" 王 小 明 ", "王*明", id="spaces within a Chinese name do not count"),
        pytest.param("王\u3000小明", "王*明", id="nor do wide ones"),
        pytest.param("买买提·吐尔逊", "买***", id="a name with a middle dot"),
        pytest.param("买买提 ‧ 吐尔逊", "买***", id="whatever dot it is"),
        pytest.param("王小明 Jason", "王*明", id="a Chinese name with a Latin one behind"),
        pytest.param("David Wang 王大明", "王*明", id="or in front"),
        pytest.param("王小明David", "王*明", id="or without a space"),
        pytest.param("王小明（王太太代）", "王*明", id="what stands in brackets is not the name"),
        pytest.param("王小明先生", "王*明", id="a title is no part of a name"),
        pytest.param("林小姐", "林*", id="nor is it where the given name is missing"),
        pytest.param("歐陽大小明", "歐陽*", id="three characters behind a compound surname are all hidden"),
        pytest.param("東方明", "東方*", id="a compound surname and one character"),
        pytest.param("南宮大文", "南宮*文", id="another"),
        pytest.param("百里奚", "百里*", id="a rare one"),
        pytest.param("司空小明", "司空*明", id="司空 is one"),
        pytest.param("司小明", "司*明", id="司 alone is a surname of one character"),
        pytest.param("何可人", "何*人", id="何可 is none"),
        pytest.param("梁丘明", "梁*明", id="梁 is far more common than 梁丘"),
        pytest.param("山田 太郎", "山**郎", id="a Japanese name in Chinese characters"),
        pytest.param("さくら", "さ***", id="kana"),
        pytest.param("김철수", "김***", id="hangul"),
        pytest.param("Mr. John Smith", "J***", id="an English title is none either"),
        pytest.param("Drew Barry", "D***", id="Dr is a title, Drew is a name"),
        pytest.param("Prof. Dr. Müller", "M***", id="two titles are no part of a name either"),
        pytest.param("Jo", "J***", id="two letters are a name"),
        pytest.param("王小明.David", "王*明", id="a dot between two scripts stands within no name"),
        pytest.param("David.王小明", "王*明", id="whichever comes first"),
        pytest.param("王小明.D李", "王*明", id="whatever comes later"),
        pytest.param("王大D.李明", "王*", id="or stands before"),
        pytest.param("ßmith", "S***", id="a letter whose capital is two"),
        pytest.param("O", "***", id="a single letter would be the whole name"),
        pytest.param("王小明😀", "王*明", id="an emoji is no part of a name"),
        pytest.param("😀", "***", id="nor a name"),
        pytest.param("!?・。", "***", id="nor is punctuation"),
        pytest.param("John Smith", "J***", id="a Latin name shows its initial"),
        pytest.param("ｊｏｈｎ", "J***", id="full-width letters are letters"),
        pytest.param("o'Neill", "O***", id="the initial is upper case"),
        pytest.param("Élodie", "É***", id="an accent stays, for now"),
        pytest.param("Иван", "И***", id="another script"),
        pytest.param("王𠮷明", "王*明", id="a character outside the basic plane is one character"),
        pytest.param("", "***", id="no name at all"),
        pytest.param("123", "***", id="digits are no name"),
    ],
)
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize("surname", sorted(COMPOUND_SURNAMES))
def test_no_masked_name_is_longer_than_four_characters(surname: str) -> None:
    for given in ("", "明", "小明", "大小明", "大大小明"):
        assert len(mask_name(surname + given)) <= 4
        assert len(mask_name(surname[0] + given)) <= 4


@pytest.mark.parametrize("name", ["王小明", "歐陽小明", "司馬大小明", "王大小明", "John Smith", "买买提·吐尔逊"])
def test_part_of_every_name_stays_hidden(name: str) -> None:
    masked = mask_name(name)
    assert "*" in masked
    assert len(set(masked) - {"*"}) < len(set(name))


@pytest.mark.parametrize(
    ("name", "language", "greeted"),
    [
        pytest.param("王小明", "zh-Hant", "王*明", id="a Chinese name"),
        pytest.param(" 王 小 明 ", "zh-Hant", "王*明", id="with blanks"),
        pytest.param("王小明先生", "zh-Hant", "王*明", id="with a title"),
        pytest.param("David Wang 王大明", "zh-Hans", "王*明", id="beside a Latin form of it"),
        pytest.param("陳大文, Chan Tai-man", "zh-Hant", "陳*文", id="behind a comma"),
        pytest.param("买买提·吐尔逊", "zh-Hans", "买***", id="with a middle dot"),
        pytest.param("古丽巴哈尔·阿卜杜热合曼", "zh-Hans", "古***", id="as long as such names are"),
        pytest.param("歐陽司馬小明先生", "zh-Hant", "歐陽*", id="two compound surnames and a title"),
        pytest.param("歐陽司馬大小明先生", "zh-Hant", "客戶", id="a character more is no name"),
        pytest.param("John Smith", "zh-Hant", "客戶", id="a Latin name: J***您好 reads like phishing"),
        pytest.param("김철수", "zh-Hant", "客戶", id="another script"),
        pytest.param("!!!", "zh-Hant", "客戶", id="nothing to show in Traditional Chinese"),
        pytest.param("!!!", "zh-Hans", "客户", id="in Simplified Chinese"),
        pytest.param("", "zh-Hant", "客戶", id="no name at all"),
    ],
)
def test_a_chinese_name_is_greeted_masked_and_any_other_as_a_customer(name: str, language: str, greeted: str) -> None:
    assert greeting_name(name, language) == greeted


@pytest.mark.parametrize(
    "name",
    [
        "王小明(已故)", "王小明（歿）", "故王小明", "王小明之遺產", "王小明的继承人", "王小明遺產管理人 李大華", "Estate of 王小明",
        "王小明 deceased", "#N/A", "王小明 #N/A", "çŽ‹å°æ˜Ž", "王小明0912345678", "王小明2", "大明企業有限公司", "王小明公司",
        "測試", "测试用户", "王小明/李大華", "王小明、李大華", "王小明;李大華", "王小明😀", "王小明 <王太太代>", "無名氏", "不詳",
        "王小明 遺 產", "Late王小明David", "王小明 Co.Ltd", "王小明 David 陳", "王小明, 李大華",
        "王小明\ufffd", "請勿打擾此人因為已經離開了", "李大華 王小明太太代 David 陳",
    ],
)  # fmt: skip
def test_what_says_more_than_a_name_is_never_greeted(name: str) -> None:
    assert greeting_name(name, "zh-Hant") == "客戶"


def test_both_scripts_of_a_compound_surname_are_known() -> None:
    for both in (
        "歐陽 欧阳",
        "諸葛 诸葛",
        "尉遲 尉迟",
        "鮮于 鲜于",
        "聞人 闻人",
        "東方 东方",
        "南宮 南宫",
        "萬俟 万俟",
    ):
        assert set(both.split()) <= COMPOUND_SURNAMES


@pytest.mark.parametrize(
    ("number", "tail"),
    [
        pytest.param("1234567890125678", "5678", id="the last four"),
        pytest.param("A-2026-001-5678", "5678", id="separators do not count"),
        pytest.param("12345678", "5678", id="eight digits show four"),
        pytest.param("1234567", "567", id="seven show three, so that half stays hidden"),
        pytest.param("12", "2", id="two show one"),
        pytest.param("1", "", id="one shows none"),
        pytest.param("", "", id="none show none"),
        pytest.param("１２３４５６７８", "5678", id="full-width digits are digits"),
        pytest.param("١٢٣٤٥٦٧٨", "5678", id="so are those of other scripts, and are written as ours"),
    ],
)
def test_an_account_shows_its_last_four_digits_and_at_most_half(number: str, tail: str) -> None:
    assert account_tail(number) == tail
