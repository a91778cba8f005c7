"""What customers answer is understood as they mean it, and ordinary chat as nothing."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from time import process_time

import pytest

from dunning.domain.delivery.channels import Channel
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.texts.channel_words import ApprovedWords
from dunning.domain.texts.lint import ArrivingText
from dunning.domain.texts.wording import render
from dunning.policy.reader_files import load_trained_reader
from dunning.policy.reply_files import load_reply_reader
from tests.support.builders import the_policies
from tests.support.reminders import staged_reminders
from tests.support.vectors import read_vectors

READER = load_reply_reader()
TUESDAY = date(2026, 12, 1)
REPLIES = read_vectors("replies")
CHAT = read_vectors("chat")

FINAL_INTENTS = {ReplyIntent.OPT_OUT, ReplyIntent.WRONG_PERSON, ReplyIntent.DECEASED, ReplyIntent.REPRESENTED}
OUR_READING = {
    # Twilio takes STOP PLEASE for no stop; 47 CFR 64.1200(a)(10) asks what a reasonable person would understand.
    "STOP PLEASE": [ReplyIntent.OPT_OUT],
    # Says more than a stop: nobody may be written to at that number about this account.
    "wrong number": [ReplyIntent.WRONG_PERSON],
    # Says how, and not whether: a person looks.
    "Don't call me": [ReplyIntent.QUESTION, ReplyIntent.COMPLAINT],
}


def parse(text: str, *, country: str = "TW", said_on: date = TUESDAY, our_texts: Sequence[str] = ()) -> ParsedReply:
    return READER.parse(text, said_on=said_on, phone_country=country, our_texts=our_texts)


def intents(text: str, country: str = "TW", our_texts: Sequence[str] = ()) -> list[str]:
    """Return the best guess at a reply."""
    return [str(intent) for intent in parse(text, country=country, our_texts=our_texts).guess]


@pytest.mark.parametrize("vector", [pytest.param(vector, id=f"{vector['text']!r}") for vector in REPLIES])
def test_stops_of_public_test_suites_end_the_texts_or_silence_them(vector: dict[str, str]) -> None:
    text = vector["text"]
    parsed = parse(text, country="CN" if text == "T" else "US")
    if vector["expected"] == "opt_out":
        assert {ReplyIntent.OPT_OUT, *OUR_READING.get(text, ())} & {*parsed.sure, *parsed.likely}
        assert not parsed.is_surely_quiet
    elif text not in OUR_READING:
        assert ReplyIntent.OPT_OUT not in parsed.sure


def test_ordinary_chat_ends_contact_at_most_once_in_a_hundred_messages() -> None:
    ended = [message["text"] for message in CHAT if not FINAL_INTENTS.isdisjoint(parse(message["text"]).sure)]
    assert len(ended) <= len(CHAT) // 100, ended


def test_the_ordinary_chat_is_of_every_language_and_of_two_hundred_messages_or_more() -> None:
    assert len(CHAT) >= 200
    assert {message["language"] for message in CHAT} == {"en", "zh-Hant", "zh-Hans", "es", "pt", "fr", "id"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I already paid. STOP texting me", ["opt_out", "paid"]),
        ("already paid and please stop texting me", ["opt_out", "paid"]),
        ("我已經繳了，不要再傳簡訊給我了", ["opt_out", "paid"]),
        ("週五會繳，不要再傳了", ["opt_out", "promise"]),
        ("ya pagué, no me escriban", ["opt_out", "paid"]),
        ("wrong number, stop", ["opt_out", "wrong_person"]),
    ],
)
def test_intents_of_a_reply_come_in_the_order_of_the_enumeration(text: str, expected: list[str]) -> None:
    assert intents(text) == expected


@pytest.mark.parametrize("text", ["Subscribe me. No, stop texting me", "please start texting me again, no, STOP"])
def test_a_stop_beats_a_start(text: str) -> None:
    parsed = parse(text)
    assert ReplyIntent.OPT_IN not in parsed.sure
    assert not parsed.is_surely_quiet


@pytest.mark.parametrize("text", ["T", "t", "TD", "R", "N", "n!", "ＴＤ"])
def test_a_single_letter_stops_us_from_a_mainland_number_alone(text: str) -> None:
    assert intents(text, "CN") == ["opt_out"]
    for country in ("TW", "US", "HK"):
        assert ReplyIntent.OPT_OUT not in parse(text, country=country).sure


@pytest.mark.parametrize(
    "text",
    ["I will have paid by Friday", "will be paid on Friday", "not paid yet", "I haven't paid", "還沒繳", "尚未付款",
     "no he pagado", "ainda não paguei", "pas encore payé", "belum bayar", "等我繳了再說"],
)  # fmt: skip
def test_what_is_not_paid_yet_is_not_paid(text: str) -> None:
    parsed = parse(text)
    assert "paid" not in intents(text)
    assert not parsed.is_surely_quiet


@pytest.mark.parametrize(
    "text", ["won't pay", "I will not pay", "不會繳", "no voy a pagar", "não vou pagar", "tidak akan bayar"]
)
def test_a_refusal_to_pay_is_no_promise(text: str) -> None:
    assert "promise" not in intents(text)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Paying on Friday. Card or bank transfer, which is quicker?", ReplyIntent.QUESTION),
        ("I can do 40 on the 25th but not the whole 110, it's just not there", ReplyIntent.HARDSHIP),
    ],
)
def test_a_promise_that_may_be_a_payment_leaves_what_is_sure_beside_it_sure(text: str, intent: ReplyIntent) -> None:
    parsed = parse(text, country="US")
    assert (parsed.sure, parsed.likely) == ((intent,), (ReplyIntent.PAID, ReplyIntent.PROMISE))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("週五會繳", "2026-12-04"),
        ("will pay on 12/5", "2026-12-05"),
        ("下個月5號", "2027-01-05"),
        ("明天繳", "2026-12-02"),
        ("will pay on Friday", "2026-12-04"),
        ("pago el viernes", "2026-12-04"),
        ("vou pagar dia 10", "2026-12-10"),
        ("je paie vendredi", "2026-12-04"),
        ("bayar tanggal 5", "2026-12-05"),
        ("I'll pay Friday the 4th", "2026-12-04"),
        ("I'll pay Friday. No, Saturday", "2026-12-05"),
        ("I'll pay. On Friday", "2026-12-04"),
        ("我會繳，但是要下個月5號", "2027-01-05"),
        ("will pay on 2026-12-05", "2026-12-05"),
        ("will pay on 2026/12/5", "2026-12-05"),
        ("I can pay 50 dollars on Friday", "2026-12-04"),
        ("12/5", "2026-12-05"),
        ("Friday", "2026-12-04"),
    ],
)
def test_a_promise_names_its_day_as_seen_from_the_day_it_is_written(text: str, day: str) -> None:
    understood = parse(text)
    assert ReplyIntent.PROMISE in {*understood.guess, *understood.likely}
    assert understood.promised_on == date.fromisoformat(day)


@pytest.mark.parametrize(
    "text",
    [
        "I will pay on 13/13",
        "I will pay on February 30",
        "I will pay on Nov 20",
        "I paid nothing yet but will pay on 2025-12-05",
        "I'll pay next Friday",
        "I will pay on the 5th or 6th",
        "I will pay after Friday",
        "I will pay soon",
        "I will pay",
        "2月30日會繳",
        "5號或6號會繳",
        "I'll pay 1/2 now",
    ],
)
def test_a_promise_with_a_contradictory_impossible_or_past_day_names_none(text: str) -> None:
    assert parse(text).promised_on is None


@pytest.mark.parametrize(
    ("text", "country", "day"),
    [
        ("will pay on 12/5", "US", date(2026, 12, 5)),
        ("will pay on 5/12", "GB", date(2026, 12, 5)),
        ("will pay on 5/12", "US", date(2027, 5, 12)),
        ("will pay on 5/12", "CA", None),
        ("will pay on 25/12", "CA", date(2026, 12, 25)),
        ("12/5會繳", "TW", date(2026, 12, 5)),
        ("12/5會繳", "HK", None),
        ("pago el 5/12", "MX", date(2026, 12, 5)),
        ("pago el 5/12", "US", None),
        ("bayar 5/12", "ID", date(2026, 12, 5)),
    ],
)
def test_figures_are_read_as_the_language_and_the_country_write_them(text: str, country: str, day: date | None) -> None:
    assert parse(text, country=country).promised_on == day


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("I paid account 5678", "5678"),
        ("account ending in 0078 is not mine", "0078"),
        ("STOP 5678", "5678"),
        ("last 4 5678 is paid", "5678"),
        ("末四碼5678已經繳了", "5678"),
        ("尾号5678已还", "5678"),
        ("cuenta 5678 ya pagué", "5678"),
        ("rekening 5678 sudah bayar", "5678"),
        ("account 1234 and account 5678 are paid", ""),
        ("will pay on 12/5", ""),
        ("will pay on 12-05-2026", ""),
        ("I paid 5000", ""),
        ("account 5000 dollars paid", ""),
        ("plan 500元", ""),
        ("call me at 0912-345-678", ""),
        ("call me at 0912 345 678", ""),
        ("account 0912 345 678", ""),
        ("plan $5678", ""),
        ("I will pay in 2027", ""),
    ],
)
def test_the_digits_of_an_account_are_read_and_no_date_amount_or_telephone_number(text: str, digits: str) -> None:
    assert parse(text).digits == digits


def our_texts() -> Iterator[object]:
    """Yield every text of ours as it arrives."""
    policies = the_policies()
    for (language, stage, several), text in [*policies.texts.items(), *policies.texts_with_fee.items()]:
        chinese = language != "en"
        values = {"tail": "5678", "days": "7", "count": "2", "hotline": "0800-123-456", "fee": "NT$100"}
        values |= (
            {"name": "王*明", "amount": "NT$3,250", "date": "12月5日", "pay": "超商"}
            if chinese
            else {"name": "J***", "amount": "USD 325.00", "date": "Dec 5", "pay": "the app"}
        )
        filled = render(text, {name: values[name] for name in text.placeholders})
        several_or_fee = f"{' several' * several}{' with fee' * ('fee' in text.placeholders)}"
        yield pytest.param(filled + policies.opt_out_lines[language], id=f"{language} {stage:+}{several_or_fee}")


def says_anything(text: str, country: str = "TW", our_texts: Sequence[str] = ()) -> bool:
    """Tell whether anything is acted on, beyond being silent until a person has looked."""
    return bool(parse(text, country=country, our_texts=our_texts).sure)


@pytest.mark.parametrize("ours", list(our_texts()))
def test_our_own_text_quoted_back_means_nothing_and_what_is_beside_it_counts(ours: str) -> None:
    assert not says_anything(ours)
    assert not says_anything(ours, our_texts=[ours])
    for line in ("STOP", "退訂", "Stop please"):
        assert intents(f"{line}\n{ours}") == ["opt_out"]
        assert intents(f"{ours}\n\n{line}", our_texts=[ours]) == ["opt_out"]
        marked = re.sub("^", "> ", ours, flags=re.MULTILINE)
        assert intents(f"{line}\n{marked}", our_texts=[ours]) == ["opt_out"]


@pytest.mark.parametrize(
    "text",
    [
        "Reply STOP to opt out.",
        "Text STOP to unsubscribe",
        "回STOP退訂",
        "回复TD退订",
        "responda BAJA para cancelar",
        "Envoyez STOP pour ne plus recevoir",
        "responda SAIR para cancelar",
        "balas STOP untuk berhenti",
    ],
)
def test_how_to_opt_out_is_no_wish_to(text: str) -> None:
    assert not says_anything(text, "CN")
    assert intents(f"{text}\nSTOP", "CN") == ["opt_out"]
    assert intents(f"STOP\n> {text}", "CN") == ["opt_out"]


@pytest.mark.parametrize("message", [pytest.param(each, id=name) for name, each in staged_reminders().items()])
def test_a_text_a_person_got_is_known_however_it_is_worded(message: ArrivingText) -> None:
    assert not says_anything(message.text, our_texts=[message.text])
    assert intents(f"STOP\n{message.text}", our_texts=["another text", message.text]) == ["opt_out"]


def test_a_text_to_one_customer_is_no_quotation_from_another() -> None:
    wrote = "Hello Ann, the flat is ready and I already paid for the keys today"
    assert parse(wrote).guess != (ReplyIntent.CHAT,)
    assert not says_anything(wrote, our_texts=[wrote])


def test_an_intent_of_the_trained_reader_is_likely_before_it_is_sure_or_guessed() -> None:
    for intent, thresholds in load_trained_reader().weights.thresholds.items():
        assert thresholds.likely <= min(thresholds.sure, thresholds.guess), intent


@pytest.mark.parametrize("text", ["", "   ", "\n", "\u200b", ">", "> >", "'", "\ud800", "ๆๆ ฟฟ"])
def test_next_to_nothing_is_in_doubt(text: str) -> None:
    parsed = parse(text)
    assert parsed.is_in_doubt
    assert not parsed.is_surely_quiet


@pytest.mark.parametrize(
    "text", ["stop" * 500, "stop " * 400, "no " * 660, "一" * 2000, "do not " * 280, "12/5 " * 400]
)
def test_a_reply_that_goes_on_for_ever_is_read_to_its_end(text: str) -> None:
    assert isinstance(parse(text), ParsedReply)


REMINDER = "[DemoFin] Hi J***, your instalment of USD 325.00 is due on Dec 5. Pay in our app. Reply STOP to opt out."


@pytest.mark.parametrize("words", ["I want to die", "my wife died yesterday", "wrong number", "please stop texting me"])
@pytest.mark.parametrize("cut", [30, 50, 70])
def test_words_put_into_a_quotation_are_read_and_an_ok_behind_it_is_not_quiet(words: str, cut: int) -> None:
    reply = f"> {REMINDER[:cut]}\n{words}\n> {REMINDER[cut:]}\nok"
    parsed = parse(reply, country="US", our_texts=[REMINDER])
    assert not parsed.is_surely_quiet
    assert parsed.is_in_doubt or parsed.sure


def test_distress_between_a_stop_and_a_quotation_that_is_not_known_is_heard() -> None:
    parsed = parse(f"STOP\nI want to die\n> {REMINDER}", country="US")
    assert ReplyIntent.OPT_OUT in parsed.sure
    assert ReplyIntent.DISTRESS in {*parsed.sure, *parsed.likely}


@pytest.mark.parametrize("sign", ["?", " 🔪", " 😭"])
def test_signs_behind_a_quotation_leave_a_doubt(sign: str) -> None:
    assert not parse(f"{REMINDER}\nok{sign}", country="US", our_texts=[REMINDER]).is_surely_quiet


@pytest.mark.parametrize("text", ["ok thanks", "START"])
@pytest.mark.parametrize("padding", ["\n" * 1500, " ." * 800, "x " * 900, " " * 25_000])
def test_what_stands_behind_a_long_text_is_read_or_leaves_a_doubt(text: str, padding: str) -> None:
    parsed = parse(f"{text}{padding}never text me again, I want to die", country="US")
    assert not parsed.is_surely_quiet
    assert ReplyIntent.OPT_IN not in parsed.sure
    assert ReplyIntent.DISTRESS in {*parsed.sure, *parsed.likely}


@pytest.mark.parametrize("text", ["STOP Wife Died", "STOP Killing Myself", "STOP Suicide"])
def test_what_looks_like_a_name_behind_a_stop_is_read_too(text: str) -> None:
    parsed = parse(text, country="US")
    assert ReplyIntent.OPT_OUT in parsed.sure
    assert not parsed.by_fixed_word
    assert {ReplyIntent.DISTRESS, ReplyIntent.DECEASED} & {*parsed.sure, *parsed.likely}


@pytest.mark.parametrize("word", ["十", "一", "二十五", "下", "twenty ", "12/5 ", "不", "明天"])
def test_a_word_repeated_up_to_the_limit_of_a_reply_is_read_in_a_moment(word: str) -> None:
    began = process_time()
    parse((word * 5000)[:5000])
    assert process_time() - began < 2  # a batch of ten has a minute on a third of a core


@pytest.mark.parametrize("day", ["十二月二十五日", "12月三十一號"])
def test_a_numeral_of_a_few_characters_is_still_a_number(day: str) -> None:
    assert parse(f"我{day}繳").promised_on is not None


@pytest.mark.parametrize(
    ("language", "word", "country"), [("zh-Hant", "退訂", "TW"), ("zh-Hans", "退订", "MY"), ("en", "STOP", "GB")]
)
def test_the_word_that_a_whatsapp_template_tells_people_to_reply_is_surely_an_opt_out(
    language: str, word: str, country: str
) -> None:
    for staged in the_policies().wordings[language].channels.words[Channel.WHATSAPP]:
        for words in (staged.single, staged.several):
            assert isinstance(words, ApprovedWords)
            assert word in words.text.pattern
    assert ReplyIntent.OPT_OUT in parse(word, country=country).sure
