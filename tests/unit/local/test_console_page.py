"""The pages of the played world: what they say after each act, in every language, and where their links lead."""

import re
import tomllib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dunning.console.translations import LANGUAGES, Translation
from tests.local import ROOT
from tests.local.console_page import Act, local_page, playing_page, words_of
from tests.local.happenings import HandedOver, Happened, ReplyRead, TextSent, WakeMoved
from tests.local.sent import SentMessage

NOW = datetime(2026, 12, 1, 2, tzinfo=UTC)
LATER = datetime(2026, 12, 4, 2, tzinfo=UTC)
TAIPEI = ZoneInfo("Asia/Taipei")
HERE = ROOT / "tests/local"

TEXT, REPLY = TextSent("C1", 3), ReplyRead("C2", ("promise", "question"))
WAKE, PERSON = WakeMoved("C3", LATER), HandedOver("C4", "hardship")


def a_page(act: Act | None = None, language: str = "en", **more: object) -> str:
    return local_page(Translation(language, TAIPEI), now=NOW, wake=LATER, act=act, **more)  # type: ignore[arg-type]


def words_about(happened: Happened, language: str = "en") -> str:
    """Return what the page says of what happened, without markup."""
    page = a_page(Act("done_clock", NOW, happened), language)
    note = page.partition('class="note"')[2].partition("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", note.partition(">")[2])).strip()


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (Happened(), "Nothing happened."),
        (Happened(texts=[TEXT]), "1 text sent. Texts to C1 (3 days after the due date)"),
        (
            Happened(texts=[TEXT] * 3, receipts=2, replies=[REPLY], wakes=[WAKE, WAKE]),
            "2 receipts from the carrier, 1 reply, understood as: promises to pay, asks something, 2 next decisions",
        ),
        (Happened(replies=[ReplyRead("C2", ())]), "1 reply, understood as: nothing that is known."),
        (Happened(replies=[REPLY, REPLY]), "2 replies."),
        (Happened(handed_over=[PERSON, HandedOver("C4", "question")]), "1 customer handed to a person."),
        (Happened(handed_over=[PERSON]), "For a person: C4 (cannot pay)"),
        (Happened(wakes=[WAKE]), "Next decision about C3 (Fri 4 Dec 2026, 10:00)"),
        (Happened(wakes=[WakeMoved("C3", None)]), "Next decision about C3 (when something is new)"),
        (Happened(texts=[TextSent("C1", None)]), "Texts to C1 (that confirms an opt-out)"),
    ],
)
def test_after_an_act_the_page_says_what_happened(happened: Happened, sentence: str) -> None:
    assert sentence in words_about(happened)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_so_in_every_language_and_leads_to_each_customer(language: str) -> None:
    happened = Happened(texts=[TEXT], replies=[REPLY], wakes=[WAKE], handed_over=[PERSON], receipts=1)
    page = a_page(Act("done_reply", NOW, happened), language)
    assert re.findall(r'href="/customers/(\w+)"', page) == ["C1", "C2", "C4", "C3"]
    if language != "en":
        assert not re.search(r"[a-z]{4,}", re.sub(r"C\d", "", words_about(happened, language)))


def test_of_many_customers_twelve_are_named() -> None:
    happened = Happened(texts=[TextSent(f"C{number}", 0) for number in range(30)])
    assert "C11 (on the due date) and 18 more" in words_about(happened)
    assert "C12" not in words_about(happened)


def test_the_customer_who_was_played_is_named_first() -> None:
    happened = Happened(wakes=[WakeMoved(customer, LATER) for customer in ("C1", "C2", "C3")])
    page = a_page(Act("done_reply", NOW, happened, "C2"))
    assert re.findall(r'href="/customers/(\w+)"', page) == ["C2", "C1", "C3"]


@pytest.mark.parametrize(
    ("done", "words"),
    [("no_customer", "no such customer"), ("nothing_open", "Nothing is open"), ("no_text", "Nothing was written")],
)
def test_what_cannot_be_done_is_said_as_a_problem(done: str, words: str) -> None:
    page = a_page(Act(done, NOW))
    assert words in page.partition('class="problem"')[2].partition("</section>")[0]


def test_a_customer_is_played_at_an_address_of_their_own() -> None:
    page = a_page(customer="C:1")
    assert set(re.findall(r'action="([^"]+)"', page)) == {"/local/C%3A1"}
    assert page.count('<input type="hidden" name="customer" value="C:1">') == 2
    assert 'href="/customers/C%3A1"' in page


def test_the_buttons_of_the_last_message_can_be_pressed_and_words_go_where_it_came() -> None:
    bubble = SentMessage(
        at=NOW, to="U1", text="x", message_id="m", channel="line", buttons=(("已繳款", "paid"), ("不要再傳", "opt_out"))
    )
    page = a_page(customer="C1", last=bubble)
    assert re.findall(r'name="code" value="(\w+)">([^<]+)<', page) == [("paid", "已繳款"), ("opt_out", "不要再傳")]
    assert "this goes there, too" in page
    mail = SentMessage(at=NOW, to="x@example.com", text="x", message_id="m", channel="email")
    page = a_page(customer="C1", last=mail)
    assert re.findall(r'name="code" value="(\w+)">([^<]+)<', page) == [("no_more_mail", "No more mail")]
    assert "this goes there, too" not in page
    assert 'name="code"' not in a_page(customer="C1")


def test_customers_to_play_are_suggested_where_none_is_played() -> None:
    page = a_page(suggested=["C7", "C8"])
    assert 'href="/local/C7"' in page
    assert '<option value="C8">' in page
    assert "<datalist" not in a_page(suggested=["C7"], customer="C1")


def test_what_somebody_typed_is_never_markup() -> None:
    page = a_page(Act("failed", NOW, detail="<script>"), customer="<script>")
    assert "<script" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_world_that_is_being_played_says_how_far_it_is_and_asks_again(language: str) -> None:
    page = playing_page(Translation(language, TAIPEI), now=NOW, day=3, days=20)
    assert '<meta http-equiv="refresh" content="1">' in page
    assert re.search(r"\b3\b.*\b20\b", page)


def test_every_language_has_the_same_words_with_the_same_values_and_uses_each() -> None:
    english = words_of("en")
    used = "".join(path.read_text("utf-8") for path in [*HERE.glob("console*.py"), *(HERE / "pages").glob("*.html")])
    for language in LANGUAGES:
        words = tomllib.loads((HERE / "console_words" / f"{language}.toml").read_text("utf-8"))["local"]
        assert words.keys() == english.keys()
        for key, sentence in words.items():
            assert set(re.findall(r"{(\w+)}", sentence)) <= set(re.findall(r"{(\w+)}", english[key])) | {"count"}, key
    made = {f"{what}_1" for what in ("texts", "receipts", "replies", "handed_over", "wakes")}
    made |= {f"done_{act}" for act in ("reply", "payment", "clock")}
    for key in english.keys() - made:
        assert re.search(rf'["\.]{key}\b', used), key
