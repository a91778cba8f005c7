"""A mail's HTML: the words of its text, escaped, with nothing that is loaded and nothing that is clicked."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.texts.extras import Extras
from dunning.domain.texts.mail import FilledMail, mail_as_html, mail_as_text, mail_extras

MAIL = FilledMail(
    language="zh-Hant",
    sender="示範分期",
    subject="您的帳單通知",
    preview="這封信寫給帳戶本人。",
    greeting="王*明您好：",
    opening="您的分期款將於12/5到期。",
    rows=(("應繳金額", "NT$3,250"), ("到期日", "12/5")),
    closing=("若已繳款，請忽略。", "請洽0800-000-123。"),
    opt_out="不想再收到，請告訴我們。",
    whole=("0800-000-123", "12/5"),
)


class Seen(HTMLParser):
    """What a reader of a page has: its tags, its attributes, and its words outside the head."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.hidden = ""
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self._open.append("hidden" if ("aria-hidden", "true") in attrs else tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() in {tag, "hidden"}

    def handle_data(self, data: str) -> None:
        if "hidden" in self._open:
            self.hidden += data
        elif "body" in self._open:
            self.words.append(data)


def words_of(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_html_and_text_say_the_same_in_the_same_order() -> None:
    shown = words_of("".join(Seen(mail_as_html(MAIL)).words))
    written = words_of(mail_as_text(MAIL).replace(MAIL.preview, "")).replace("金額：", "金額").replace("期日：", "期日")
    assert shown == written


def test_the_text_has_a_paragraph_for_each_part_and_a_line_for_each_row() -> None:
    assert mail_as_text(MAIL).split("\n\n") == [
        MAIL.sender,
        MAIL.preview,
        MAIL.greeting,
        MAIL.opening,
        "應繳金額：NT$3,250\n到期日：12/5",
        *MAIL.closing,
        MAIL.opt_out,
    ]
    assert "\n\n應繳金額: NT$3,250\n到期日: 12/5\n\n" in mail_as_text(MAIL._replace(language="en"))


def test_the_first_row_which_is_the_amount_is_larger_than_the_others() -> None:
    sizes = re.findall(r"font-size:([0-9]+)px[^>]*>([^<]*)</td>", mail_as_html(MAIL))
    assert sizes == [("20", "NT$3,250"), ("16", "12/5")]


def test_a_mail_goes_out_with_its_subject_its_preview_and_its_page() -> None:
    assert mail_extras(MAIL) == Extras(subject=MAIL.subject, preview=MAIL.preview, html=mail_as_html(MAIL))


lines = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)


mails = st.builds(
    FilledMail,
    language=st.sampled_from(["zh-Hant", "en"]),
    sender=lines,
    subject=lines,
    preview=lines,
    greeting=lines,
    opening=lines,
    rows=st.lists(st.tuples(lines, lines), max_size=3).map(tuple),
    closing=st.lists(lines, max_size=3).map(tuple),
    opt_out=lines,
    whole=st.lists(lines, max_size=2).map(tuple),
)


@given(mails)
def test_whatever_is_filled_in_stays_words(mail: FilledMail) -> None:
    seen = Seen(mail_as_html(mail))
    assert seen.tags.count("p") == 3 + len(mail.closing)
    assert set(seen.tags) <= set(Seen(mail_as_html(MAIL)).tags)
    rows = "".join(f"{label}{value}" for label, value in mail.rows)
    expected = mail.sender + mail.greeting + mail.opening + rows + "".join(mail.closing) + mail.opt_out
    assert "".join(seen.words) == expected


def test_nothing_is_loaded_clicked_or_run() -> None:
    page = mail_as_html(MAIL)
    seen = Seen(page)
    assert not {"img", "a", "link", "script", "iframe", "object", "form", "video", "base"} & set(seen.tags)
    assert not {"src", "href", "background", "action", "srcset"} & {name for name, _ in seen.attributes}
    assert not re.search(r"url\(|@import|https?:|//", page)
    assert not any(name.startswith("on") for name, _ in seen.attributes)


def test_a_list_of_mails_shows_the_preview_and_none_of_the_words_behind_it() -> None:
    hidden = Seen(mail_as_html(MAIL)).hidden
    assert hidden.startswith(MAIL.preview)
    assert len(hidden) >= 300  # no list shows so many characters
    assert not re.search("[0-9]", hidden)


def test_a_page_says_its_language_and_follows_light_and_dark() -> None:
    page = mail_as_html(MAIL)
    assert page.startswith('<!doctype html><html lang="zh-Hant">')
    assert "prefers-color-scheme:dark" in page
    assert "<title>您的帳單通知</title>" in page


def test_a_number_and_a_date_stay_on_one_line_and_long_values_do_not() -> None:
    page = mail_as_html(MAIL._replace(whole=("0800-000-123", "若已繳款，請忽略。" * 4), closing=("0800-000-123",)))
    assert page.count("white-space:nowrap") == 1


@pytest.mark.parametrize(
    ("value", "is_kept"), [("0800-000-123", True), ("1" * 24, True), ("1" * 25, False), ("", False)]
)
def test_a_value_is_kept_on_one_line_if_it_fits_on_one_of_a_telephone(value: str, *, is_kept: bool) -> None:
    page = mail_as_html(MAIL._replace(closing=(f"請洽{value}。",), whole=(value,)))
    assert page.count("white-space:nowrap") == is_kept


def test_a_mail_without_table_and_without_opt_out_line_has_neither() -> None:
    page = mail_as_html(MAIL._replace(rows=(), opt_out=""))
    assert "<table" not in page
    assert "14px" not in page
    assert "".join(Seen(page).words) == "".join([MAIL.sender, MAIL.greeting, MAIL.opening, *MAIL.closing])
    assert mail_as_text(MAIL._replace(rows=(), opt_out="")).count("\n\n\n") == 0
