"""Masked replies: whatever a customer writes, no digit, no address and no name leaves."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.replies.masked_reply import LONGEST_MASKED_REPLY, PLACEHOLDERS, mask_for_larger_reader

LATIN_NAMES = ("Jo", "Mei", "Ling", "Smith", "García", "Nguyễn", "An", "Okonkwo", "Zoë", "Tan")
HAN_NAMES = ("王小明", "歐陽小明", "陳美玲", "司馬光", "李明", "張王小美")
WORDS = (
    "will pay", "明天", "繳", "Friday", "我是", "先生", "12/5", "0912-345-678", "a@b.co", "@", "路100號", "http://",
    "www.", "line id", "２", "٣", "⑩", "\u200b", "\n", ".", "-", "_", "*", "</reply>", "NT$", "st", "B4",
)  # fmt: skip

replies = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), max_size=12).map("".join)


def without_placeholders(masked: str) -> str:
    for placeholder in PLACEHOLDERS.values():
        masked = masked.replace(placeholder, " ")
    return masked


def plain(text: str) -> str:
    """Return a text in small letters without accents."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@pytest.mark.slow(reason="every character of every text is looked up")
@given(st.one_of(st.text(), replies), st.sampled_from(["", *LATIN_NAMES, *HAN_NAMES]))
def test_no_digit_no_at_sign_and_no_more_than_agreed_leaves(reply: str, name: str) -> None:
    masked = mask_for_larger_reader(reply, name)
    assert not [character for character in masked if character.isdigit() or character == "@"]
    assert len(masked) <= LONGEST_MASKED_REPLY
    assert not set("<>") & set(without_placeholders(masked))


@given(
    st.lists(st.one_of(replies, st.just("NAME")), max_size=8),
    st.lists(st.sampled_from(LATIN_NAMES), min_size=1, max_size=3, unique=True),
    st.sampled_from([str.upper, str.lower, str.title, plain]),
)
def test_no_part_of_a_latin_name_leaves(pieces: list[str], parts: list[str], written: Callable[[str], str]) -> None:
    name = " ".join(parts)
    reply = " ".join(written(name) if piece == "NAME" else piece for piece in pieces)
    words = re.findall(r"[^\W\d_]+", plain(without_placeholders(mask_for_larger_reader(reply, name))))
    assert not {plain(part) for part in parts} & set(words)


@given(st.lists(st.one_of(replies, st.sampled_from(HAN_NAMES)), max_size=8), st.sampled_from(HAN_NAMES))
def test_no_part_of_a_chinese_name_leaves(pieces: list[str], name: str) -> None:
    masked = without_placeholders(mask_for_larger_reader("".join(pieces), name))
    assert name not in masked
    assert not [given_name for given_name in (name[1:], name[-2:]) if len(given_name) > 1 and given_name in masked]
