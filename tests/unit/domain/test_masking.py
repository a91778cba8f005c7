"""Masking: enough to be recognised by the owner, too little for anyone else."""

import pytest

from dunning.domain.texts.masking import COMPOUND_SURNAMES, account_tail, greeting_name, gsm_name, mask_name


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
    ("masked", "greeted"),
    [
        pytest.param("J***", "J***", id="a plain letter stays"),
        pytest.param("É***", "É***", id="an accent the alphabet has stays"),
        pytest.param("Á***", "A***", id="one it has not is dropped"),
        pytest.param("Š***", "S***", id="so is a caron"),
        pytest.param("王*明", "there", id="another script is left out: Hi there"),
        pytest.param("И***", "there", id="Cyrillic too"),
        pytest.param("Ł***", "there", id="and a letter that is not an accented one"),
    ],
)
def test_no_name_turns_an_english_text_into_ucs_2(masked: str, greeted: str) -> None:
    assert gsm_name(masked) == greeted


@pytest.mark.parametrize(
    ("name", "language", "greeted"),
    [
        pytest.param("王小明", "zh-Hant", "王*明", id="Chinese in Chinese"),
        pytest.param("John Smith", "zh-Hant", "J***", id="Latin in Chinese"),
        pytest.param("John Smith", "en", "J***", id="Latin in English"),
        pytest.param("王小明", "en", "there", id="Chinese in English: Hi there"),
        pytest.param("王大明 David", "en", "D***", id="of two names English takes the Latin one"),
        pytest.param("David Wang 王大明", "zh-Hans", "王*明", id="and Chinese the Chinese one"),
        pytest.param("陳大文 Élodie", "en", "É***", id="with what GSM has"),
        pytest.param("!!!", "zh-Hant", "客戶", id="nothing to show in traditional Chinese: 客戶您好"),
        pytest.param("!!!", "zh-Hans", "客户", id="in simplified Chinese"),
        pytest.param("!!!", "en", "there", id="in English"),
    ],
)
def test_everybody_is_greeted_in_the_language_of_the_text(name: str, language: str, greeted: str) -> None:
    assert greeting_name(name, language) == greeted


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
