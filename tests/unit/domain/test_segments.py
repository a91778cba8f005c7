"""Segments: how a text is billed."""

from typing import Any

import pytest

from dunning.domain.texts.segments import GSM_BASIC, GSM_EXTENDED, count_segments, fits_sns, is_gsm
from tests.support.vectors import read_vectors

VECTORS: list[dict[str, Any]] = read_vectors("sms_segments")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_segments_agree_with_what_other_calculators_say(vector: dict[str, Any]) -> None:
    segments = count_segments(vector["text"])
    assert segments.encoding == vector["expected"]["encoding"]
    assert segments.parts == vector["expected"]["segments"]


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        pytest.param("", "GSM-7", 1, id="an empty text is one part"),
        pytest.param("a" * 160, "GSM-7", 1, id="160 septets fit into one part"),
        pytest.param("a" * 161, "GSM-7", 2, id="the 161st septet needs a second"),
        pytest.param("a" * 306, "GSM-7", 2, id="two parts hold 153 each"),
        pytest.param("a" * 307, "GSM-7", 3, id="the 307th septet needs a third"),
        pytest.param("a" * 158 + "€", "GSM-7", 1, id="a euro sign takes two septets, the last two"),
        pytest.param("a" * 159 + "€", "GSM-7", 2, id="a euro sign does not fit into the last septet"),
        pytest.param("a" * 152 + "€" + "a" * 152, "GSM-7", 3, id="an escape is not parted from its code"),
        pytest.param("字" * 70, "UCS-2", 1, id="70 Chinese characters fit into one part"),
        pytest.param("字" * 71, "UCS-2", 2, id="the 71st needs a second"),
        pytest.param("字" * 134, "UCS-2", 2, id="two parts hold 67 each"),
        pytest.param("字" * 135, "UCS-2", 3, id="the 135th needs a third"),
        pytest.param("字" * 66 + "😀" + "字" * 66, "UCS-2", 3, id="a surrogate pair is not split"),
        pytest.param("😀" * 35, "UCS-2", 1, id="35 emoji are 70 code units"),
        pytest.param("😀" * 36, "UCS-2", 2, id="36 emoji are 72, 33 to a part"),
        pytest.param("😀" * 67, "UCS-2", 3, id="67 emoji do not fit into two parts of 33"),
        pytest.param("a" * 69 + "’", "UCS-2", 1, id="one curly quote makes all of it UCS-2"),
        pytest.param("a" * 70 + "’", "UCS-2", 2, id="and 71 characters two parts"),
    ],
)
def test_a_text_is_packed_as_carriers_pack_it(text: str, encoding: str, parts: int) -> None:
    assert count_segments(text) == (encoding, parts)


def packed(widths: list[int], single: int, part: int) -> int:
    """Pack one character after the other."""
    if sum(widths) <= single:
        return 1
    parts = [0]
    for width in widths:
        if parts[-1] + width > part:
            parts.append(0)
        parts[-1] += width
    return len(parts)


@pytest.mark.parametrize("pattern", ["€", "a€", "€a", "aa€"])
def test_at_every_length_septets_are_packed_one_by_one(pattern: str) -> None:
    for length in range(1, 480):
        text = (pattern * length)[:length]
        assert count_segments(text) == ("GSM-7", packed([1 + (c == "€") for c in text], 160, 153)), length


@pytest.mark.parametrize("pattern", ["😀", "字😀", "😀字", "字字😀"])
def test_at_every_length_code_units_are_packed_one_by_one(pattern: str) -> None:
    for length in range(1, 220):
        text = (pattern * length)[:length]
        assert count_segments(text) == ("UCS-2", packed([1 + (c == "😀") for c in text], 70, 67)), length


def test_the_alphabet_has_the_127_characters_and_10_extensions_of_the_standard() -> None:
    assert len(set(GSM_BASIC)) == 127
    assert len(set(GSM_EXTENDED)) == 10
    assert not set(GSM_BASIC) & set(GSM_EXTENDED)
    assert is_gsm(GSM_BASIC + GSM_EXTENDED)


@pytest.mark.parametrize("character", ["`", "ç", "á", "\t", "\u00a0", "“", "–", "…", "¢", "￥", "字", "\u200b"])
def test_what_looks_harmless_but_is_not_in_the_alphabet_is_noticed(character: str) -> None:
    assert not is_gsm(f"Hi {character}")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        pytest.param("", False, id="SNS takes no empty text"),
        pytest.param("a", True, id="a single character is taken"),
        pytest.param("a" * 1600, True, id="1,600 characters are taken"),
        pytest.param("a" * 1601, False, id="1,601 are not"),
        pytest.param("字" * 533, True, id="533 Chinese characters are 1,599 bytes"),
        pytest.param("字" * 533 + "a", True, id="and a letter, 1,600"),
        pytest.param("字" * 533 + "é", False, id="a letter of two bytes is one too many"),
        pytest.param("字" * 534, False, id="534 are 1,602 bytes, far below 1,600 characters"),
    ],
)
def test_a_text_must_fit_sns_in_characters_and_in_bytes(text: str, *, fits: bool) -> None:
    assert fits_sns(text) is fits
