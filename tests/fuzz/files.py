"""Files and texts that people hand in: accounts, their own events, policies; numbers, replies, and what is stored."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache, partial
from importlib.resources import files
from random import Random
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import quote_plus
from zlib import crc32

import phonenumbers
from phonenumbers import PhoneNumberType

from dunning.adapters.dynamodb.items import (
    contact_item,
    contact_of,
    file_loads_item,
    file_loads_of,
    lender_record_item,
    lender_record_of,
    read_facts,
    reply_item,
    reply_of,
    standing_item,
    standing_of,
)
from dunning.domain.decision.decide import decide
from dunning.domain.decision.rules import Rules
from dunning.domain.errors import CalendarNotCoveredError, DunningError, UnreadableRecordError
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.masked_reply import mask_for_larger_reader
from dunning.policy import PolicyError, load_policies
from dunning.policy.book import PolicyBook
from dunning.policy.calendar import Calendars
from dunning.policy.column_files import load_headings
from dunning.policy.files import DataFile
from dunning.policy.jurisdiction import load_jurisdictions
from dunning.policy.lender import load_lenders
from dunning.policy.linter_files import load_linter
from dunning.policy.reply_files import load_reply_reader
from dunning.policy.text_files import load_own_texts, load_texts
from dunning.services.intake.heading_line import UnknownColumnError, with_own_names
from dunning.services.intake.intake import rejects_key
from dunning.services.intake.phones import PhoneError, normalise_phone
from dunning.services.intake.refusals import EXPLANATIONS, NOTES, REJECT_COLUMNS, Refusal
from tests.fuzz.desk import Desk, the_desk
from tests.fuzz.mutation import HOSTILE_TEXTS, mutate_json, mutate_lines, mutate_table, mutate_text
from tests.fuzz.parser import TAKEN, Parser
from tests.fuzz.planted import NAME, PHONE, WORDS, assert_named, found, found_besides_ids
from tests.local import ROOT
from tests.local.scripted_events import ScriptedEventsError, read_scripted_events
from tests.support.builders import a_customer, a_standing, the_policies
from tests.support.lender_files import CHEN, WANG, csv_of, row
from tests.support.people import NOW

LONGEST_KEY = 1024
"""Of an object in S3, in bytes of UTF-8."""

FORMULA = re.compile(r"\s*['\"]?\s*[=+@\t\r＝＋＠-]")
"""How a cell begins that a spreadsheet may take for a formula."""

_QUOTE_HEADINGS = frozenset(
    {Refusal.UNKNOWN_HEADING, Refusal.MISSING_COLUMNS, Refusal.MISSPELT_HEADING, Refusal.DUPLICATE_COLUMN,
     Refusal.NO_HEADING}
)  # fmt: skip
_ENCODINGS = ("", "", "big5", "gb18030", "shift_jis")
_DATA = files("dunning.policy") / "data"


# ------------------------------------------------------------------ files of accounts


def _check_upload(data: bytes) -> str:
    desk = the_desk()
    desk.reset()
    before = desk.stored()
    encoding = _ENCODINGS[crc32(data) % len(_ENCODINGS)]
    judged: dict[str, bool] = {}
    with _watched_judge(judged):
        summary = desk.load_file(data, encoding=encoding)
    rejects = desk.uploads.rejects.get("rejects/file.csv", [])
    assert_rejects(rejects)
    desk.assert_storable()
    quoted = [cells for cells in rejects[1:] if cells[3] not in _QUOTE_HEADINGS]
    assert found(quoted) == [], "personal data among the rejects"
    assert found_besides_ids(desk.spoken(), ids=desk.store.facts) == []
    if summary.refused:
        assert desk.stored()[:3] == before[:3], "a file that was refused has changed something"
        assert [cells[3] for cells in rejects[1:]] == [summary.refused]
        return str(summary.refused)
    reasons = {Refusal(cells[3]) for cells in rejects[1:]}
    assert (summary.rows_refused > 0) == bool(reasons - NOTES)
    refused_later = {cells[1] for cells in rejects[1:] if Refusal(cells[3]) not in NOTES}
    for customer_id, is_fit in judged.items():
        new = desk.store.lender_records.get(customer_id) != before[0].get(customer_id)
        assert is_fit or not new, "a customer with a row that was refused was changed"
        known = customer_id in desk.store.facts
        assert not is_fit or known or customer_id in refused_later, "a customer is lost without a word"
    for customer_id, facts in desk.store.facts.items():
        assert customer_id in desk.store.phones.get(facts.phone, ()), "a reply from the number would find nobody"
    after = desk.stored()
    again = desk.load_file(data, encoding=encoding)
    assert again.customers_loaded == 0, "the same file loads somebody twice"
    assert desk.uploads.rejects.get("rejects/file.csv", []) == rejects
    assert desk.stored()[:3] == after[:3], "the same file again has changed something"
    return TAKEN if summary.customers_loaded else "no customer"


def assert_rejects(rejects: list[list[str]]) -> None:
    """Each line of a reject file names its place, its reason and the fix, and no cell of it is a formula."""
    if not rejects:
        return
    assert tuple(rejects[0]) == REJECT_COLUMNS
    for line, customer_id, field, reason, explanation in rejects[1:]:
        assert line.isdigit() or (not line and reason == Refusal.NOT_IN_LIST)
        assert explanation.startswith(EXPLANATIONS[Refusal(reason)])
        assert_named(explanation)
        for cell in (customer_id, field, reason, explanation):
            assert not FORMULA.match(cell.removeprefix("'")) or cell.startswith("'-"), cell
            assert not any(map(FORMULA.match, re.split(r"[;|\t]", cell)[1:])), cell


def _watched_judge(judged: dict[str, bool]) -> Any:  # noqa: ANN401 - a context
    """Note of which customers a file has rows, and whether all their rows are fit."""
    from dunning.services.intake import intake as module  # noqa: PLC0415 - its private function is watched

    judge: Callable[..., Any] = module._judge  # noqa: SLF001 - as above

    def noted(spooled: Any, reader: Any) -> Any:  # noqa: ANN401 - as the function's
        rows, refused = judge(spooled, reader)
        if not refused and rows:
            judged[rows[0].customer_id] = True
        elif spooled[0].raw.customer_id:
            judged[spooled[0].raw.customer_id] = False
        return rows, refused

    return patch("dunning.services.intake.intake._judge", noted)


def _uploads() -> Iterator[bytes]:
    person = row(WANG, name=NAME, phone="0900000001")
    yield csv_of([person, row(CHEN)]).encode()
    yield csv_of([row(person, due_on="2026/12/5", amount="NT$3,250", hold="N"), row(person, instalment_no="2")]).encode(
        "cp950"
    )
    yield ("\ufeff" + csv_of([person]).replace(",", "\t")).encode("utf-16")
    yield csv_of([row(person, customer_id="C0001"), row(CHEN, phone="", hold="不明")]).replace(",", ";").encode()
    whole = csv_of([person, row(CHEN, paid_on="2026-11-30", stage_reached="0")])
    yield f"分期清單,,\r\n{whole}合計,,,3250\r\n".encode()
    folder = ROOT / "tests" / "support" / "files_as_people_have_them"
    for number in range(1, 100, 7):
        for path in folder.glob(f"{number:03d}-*/file.*"):
            yield path.read_bytes()[:4000]


def _check_upload_name(data: bytes) -> str:
    """Read an input as the key of an upload: it is loaded or refused under a name that S3 takes."""
    key = data.decode("utf-8", "replace")[:LONGEST_KEY]
    while len(key.encode()) > LONGEST_KEY:
        key = key[:-1]
    if not key or key.endswith("/"):
        return "no file"
    desk = the_desk()
    desk.reset()
    content = csv_of([row(WANG, name=NAME, phone="0900000001"), row(CHEN, due_on="soon")]).encode()
    desk.uploads.files[key] = content
    event = {
        "Records": [{"eventTime": NOW.isoformat(), "s3": {"bucket": {"name": "b"}, "object": {"key": quote_plus(key)}}}]
    }
    answer = _load_through_handler(desk, event)
    ((written, rejects),) = desk.uploads.rejects.items()
    assert written == rejects_key(key)
    assert written.startswith("rejects/")
    assert len(written.encode()) <= LONGEST_KEY, "a name that S3 refuses, after all is loaded"
    assert_rejects(rejects)
    assert found(desk.spoken(), answer) == []
    if answer["files"][0]["refused"]:
        return str(answer["files"][0]["refused"])
    is_list = key.startswith("complete/")
    silenced = any(facts.not_in_list_since for facts in desk.store.facts.values())
    assert is_list or not silenced, "a file that is no whole list has silenced somebody"
    return TAKEN


def _load_through_handler(desk: Desk, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the handler's answer
    class Service:
        def load(self, bucket: str, key: str, uploaded_at: datetime) -> object:
            del bucket, uploaded_at
            return desk.load_file(desk.uploads.files[key], key)

    desk.services = {**desk.services, "intake": Service()}
    return desk.invoke("intake", event)


def _upload_names() -> Iterator[bytes]:
    for name in (
        "accounts/2026-12-01.csv", "accounts/分期 清單+1.csv", "complete/demo-tw/2026-12-01.csv",
        "complete/nobody/x.csv",
        "accounts/../complete/demo-tw/x.csv", "accounts/complete/demo-tw/x.csv", "Complete/demo-tw/x.csv",
        "complete//demo-tw/x.csv", "complete/demo-tw", "complete\\demo-tw\\x.csv", "/etc/passwd", "accounts/\x00.csv",
        "accounts/\u202evsc.csv", "accounts/a\nb.csv", "accounts/" + "長" * 338, "complete/demo-tw/" + "a" * 1000,
        "accounts/%2e%2e%2f.csv", "rejects/x.csv", "accounts/e\u0301.csv", "accounts/\u00e9.csv",
    ):  # fmt: skip
        yield name.encode()


# ------------------------------------------------------------------ a user's own events


def _check_events_file(data: bytes) -> str:
    try:
        scripted = read_scripted_events(data, "mine.jsonl")
    except ScriptedEventsError as error:
        for line in str(error).split("\n"):
            assert re.match(r"mine\.jsonl(?::[0-9]+)?: .{8}", line), line
            assert_named(line)
        assert found(error) == []
        return "refused"
    assert [event.at for event in scripted] == sorted(event.at for event in scripted)
    for event in scripted:
        json.dumps(event.detail, ensure_ascii=False).encode()
    return TAKEN if scripted else "empty"


def _events_files() -> Iterator[bytes]:
    at = "2026-12-03T10:00:00+08:00"
    paid = {"customer_id": "C1", "account_id": "A1", "instalment_no": 1, "paid": 325000, "currency": "TWD"}
    lines = (
        {"at": at, "event": "InstalmentPaid", "detail": paid},
        {"at": at, "event": "AccountClosed", "detail": {"customer_id": "C1", "account_id": "A1", "at": at}},
        {"at": at, "reply": {"from": PHONE, "text": WORDS}},
        {"at": at, "receipt": {"to": PHONE, "response": "Phone has blocked SMS"}},
    )
    yield from (json.dumps(line, ensure_ascii=False).encode() for line in lines)
    yield "\n".join(json.dumps(line) for line in lines).encode()


def _mutate_events(data: bytes, chance: Random) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    if chance.randrange(6):
        lines[at] = mutate_json(lines[at], chance)
        return b"\n".join(lines)
    return mutate_lines(data, chance)


# ------------------------------------------------------------------ policies


def _refused_with_its_place(name: str, read: Callable[[], object]) -> str | None:
    """Return why a data file was refused: with its name, its line, and in words; nothing if it was taken."""
    try:
        read()
    except PolicyError as error:
        assert_named(str(error).split("\n")[0], name)
        assert re.match(rf"{re.escape(name)}(?::[0-9]+)?: .{{4}}", str(error)), str(error)
        return str(error).split(":")[-1][:60]
    return None


def _as_file(name: str, data: bytes) -> DataFile:
    """Return an input as a data file; one that is not in UTF-8 is refused before."""
    return DataFile(name, data.decode("utf-8", "replace"))


@cache
def _law() -> Any:  # noqa: ANN401 - the linter and the places
    linter = load_linter(_DATA)
    found_files = {
        name: DataFile(f"jurisdictions/{name}.toml", (_DATA / "jurisdictions" / f"{name}.toml").read_text("utf-8"))
        for name in ("default", "TW", "US", "US-MA")
    }
    return linter, load_policies(), found_files


def _check_policy(data: bytes) -> str:
    linter, book, _ = _law()
    written = re.search(rb'^id = "([a-z-]{1,20})"', data, re.MULTILINE)
    lender = written[1].decode() if written else "demo-tw"
    name = f"lenders/{lender}.toml"
    taken: list[PolicyBook] = []

    def read() -> None:
        file = _as_file(name, data)
        taken.append(book.with_lenders(load_lenders({lender: file}, book.wordings, book.places, linter)))

    refused = _refused_with_its_place(name, read)
    if refused is not None:
        return refused
    (mine,) = taken
    for customer in (a_customer(), a_customer(country="US", phone_country="US", phone="+12025550100", language="en")):
        rules = mine.rules_for(customer, NOW)
        limits = the_policies().rules_for(customer, NOW)
        if isinstance(rules, Rules) and isinstance(limits, Rules):
            try:
                decide(customer, a_standing(), mine, NOW)
            except CalendarNotCoveredError:
                continue
    return TAKEN


def _policies() -> Iterator[bytes]:
    for name in ("demo-tw", "demo-cn", "demo-world"):
        yield (_DATA / "lenders" / f"{name}.toml").read_bytes()


def _check_texts(data: bytes) -> str:
    linter, book, _ = _law()
    language = next((tag for tag in ("zh-Hant", "zh-Hans", "en") if f'"{tag}"'.encode() in data[:2000]), "en")
    name = f"texts/{language}.toml"
    whole = _refused_with_its_place(name, lambda: load_texts(language, _as_file(name, data), linter))
    own = _refused_with_its_place(
        name, lambda: load_own_texts("demo-tw", language, _as_file(name, data), linter, book.wordings[language])
    )
    return TAKEN if None in {whole, own} else str(whole)


def _texts() -> Iterator[bytes]:
    for language in ("zh-Hant", "zh-Hans", "en"):
        text = (_DATA / "texts" / f"{language}.toml").read_text("utf-8")
        yield text.encode()
        _, first, *_ = re.split(r"(?m)^(?=\[)", text)
        yield f"language = {json.dumps(language)}\n{first}".encode()


def _check_jurisdiction(data: bytes) -> str:
    linter, _, law = _law()
    written = re.search(rb'^id = "([A-Z]{2})"', data, re.MULTILINE)
    code = written[1].decode() if written else "TW"
    name = f"jurisdictions/{code}.toml"
    stopping = list(linter.rules())
    refused = _refused_with_its_place(name, lambda: load_jurisdictions({**law, code: _as_file(name, data)}, stopping))
    return TAKEN if refused is None else refused


def _jurisdictions() -> Iterator[bytes]:
    yield from ((_DATA / "jurisdictions" / f"{name}.toml").read_bytes() for name in ("TW", "US", "JP"))


def _check_calendar(data: bytes) -> str:
    written = re.search(rb'^country = "([A-Z]{2})"', data, re.MULTILINE)
    country = written[1].decode() if written else "TW"
    name = f"calendars/{country}.toml"
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, data)
    calendars = Calendars(zipfile.Path(kept))
    refused = _refused_with_its_place(name, lambda: calendars(country))
    if refused is None:
        calendar = calendars(country)
        assert calendar is not None
        assert all(type(day) is date and day <= calendar.valid_until for day in calendar.holidays)
    return TAKEN if refused is None else refused


def _calendars() -> Iterator[bytes]:
    yield from ((_DATA / "calendars" / f"{name}.toml").read_bytes() for name in ("TW", "CN", "SG"))


def _check_columns(data: bytes) -> str:
    headings: dict[str, str] = {}
    name = "columns/mine.toml"
    refused = _refused_with_its_place(name, lambda: headings.update(load_headings({"mine": _as_file(name, data)})))
    if refused is not None:
        return refused
    try:
        known = with_own_names(headings)
    except UnknownColumnError as error:
        assert_named(str(error), "columns/*.toml: headings.")
        return "unknown column"
    assert known["customerid"] == "customer_id"
    return TAKEN


def _columns() -> Iterator[bytes]:
    yield from ((_DATA / "columns" / f"{name}.toml").read_bytes() for name in ("en", "zh-Hant"))


# ------------------------------------------------------------------ replies, numbers, stored items


_MOST_SECONDS = 2.0
LONGEST_REPLY = 10_000


def _check_reply_text(data: bytes) -> str:
    text = data.decode("utf-8", "replace")[:LONGEST_REPLY]
    reader = load_reply_reader_once()
    read = partial(
        reader.parse, text, said_on=date(2026, 12, 1), phone_country="TW", our_texts=(_OURS,), customer_name=NAME
    )
    began = time.process_time()
    parsed = read()
    assert time.process_time() - began < _MOST_SECONDS, "read for too long"
    assert read() == parsed
    assert not set(parsed.sure) & set(parsed.likely)
    assert all(intent in ReplyIntent for intent in (*parsed.sure, *parsed.likely, *parsed.guess))
    assert parsed.promised_on is None or date(2026, 11, 1) < parsed.promised_on < date(2028, 1, 1)
    assert parsed.digits.isdigit() or not parsed.digits
    json.dumps(parsed.why, ensure_ascii=False).encode()
    masked = mask_for_larger_reader(text, NAME)
    assert found(masked) == [] or WORDS in masked, "a name or a number is not masked"
    return "+".join(parsed.sure) or "not sure"


_OURS = "【示範分期】吳*密您好，您的分期款NT$3,250將於12/5到期，請以官方APP繳款。"


@cache
def load_reply_reader_once() -> Any:  # noqa: ANN401 - the reader
    """Return the reader of replies that the functions use."""
    return load_reply_reader()


def _reply_texts() -> Iterator[bytes]:
    for text in (
        "STOP", "退訂", "已繳，昨天轉帳了", "下週五會繳 3,250", "I will pay on 12/5", "who is this?", "我失業了 沒辦法",
        f"我是{NAME}", f"打給我 {PHONE}", "STOP 5678", f"> {_OURS}\n退訂", "ok 👍", "I'll pay next friday, promise",
        "pagaré el viernes", "vou pagar amanhã", "je paierai lundi", "saya akan bayar besok", "本人已過世", "別再傳了",
    ):  # fmt: skip
        yield text.encode()


def _check_phone(data: bytes) -> str:
    """Read an input as a country, a blank and a number as people write it."""
    country, _, raw = data.decode("utf-8", "replace").partition(" ")
    country = country if country in phonenumbers.SUPPORTED_REGIONS else "TW"
    try:
        phone = normalise_phone(raw, country)
    except PhoneError as error:
        assert str(error) == error.reason.value
        return str(error)
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", phone.e164)
    assert normalise_phone(phone.e164, phone.country) == phone, "a number is read as another"
    number = phonenumbers.parse(phone.e164)
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.number_type(number) in {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    assert phone.country.isalpha(), "a number of no country"
    digits = "".join(str(int(c)) for c in raw if c.isdecimal())
    assert phone.national.lstrip("0") in digits, "digits that nobody wrote"
    return TAKEN


def _phones() -> Iterator[bytes]:
    for text in (
        "TW 0900-000-001", "TW +886 900 000 001", "US (202) 555-0100", "GB 07400 123456", "CN 13800000000",
        'TW ="0900000001"', "TW 900000001.0", "TW '0900000001", "US +1-900-555-0100", "TW +881612345678",
        "GB 0845 464 0000", "TW tel:+886-900-000-001;ext=1", "HK 5123 4567 / 6123 4567", "TW ０９０００００００１",
        "TW 9E+08", "US +1 876 555 0100", "KR 010-1234-5678", "TW 110",
    ):  # fmt: skip
        yield text.encode()


_ITEMS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "lender_record": (lender_record_of, lender_record_item),
    "facts": (read_facts, lambda _: None),
    "standing": (standing_of, lambda standing: standing_item(standing, 10)),
    "contact": (contact_of, contact_item),
    "reply": (reply_of, reply_item),
    "file_loads": (file_loads_of, file_loads_item),
}


def _check_stored_item(data: bytes) -> str:
    """Read an input as JSON of an item, and the item as each kind there is."""
    try:
        item = json.loads(data)
        json.dumps(item, ensure_ascii=False).encode()  # half a character is escaped in JSON, and never in DynamoDB
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(item, dict):
        return "no item"
    readable = []
    for kind, (read, write) in _ITEMS.items():
        try:
            value = read(item)
        except UnreadableRecordError as error:
            assert_named(str(error), kind.replace("_", " ").replace("lender record", "facts"))
            assert found(error) == [], "a record that cannot be read is quoted"
            assert error.__cause__ is None
            continue
        written = write(value)
        if written is not None:
            assert write(read(written)) == written, "what is read is not what is written"
        readable.append(kind)
    return TAKEN if readable else "unreadable"


def _stored_items() -> Iterator[bytes]:
    for folder in sorted((ROOT / "tests" / "contract" / "golden").iterdir()):
        for path in sorted(folder.glob("*.json")):
            yield json.dumps(cast("dict[str, Any]", json.loads(path.read_text("utf-8")))).encode()


def _mutate_name(data: bytes, chance: Random) -> bytes:
    if chance.randrange(3):
        return mutate_text(data, chance)
    parts = data.split(b"/")
    parts[chance.randrange(len(parts))] = chance.choice(HOSTILE_TEXTS).encode("utf-8", "replace")
    return b"/".join(parts)


def _assert_no_error_of_another_kind(check: Callable[[bytes], str], data: bytes) -> str:
    """Turn an error of ours that a check did not expect into one of the check: it is a finding, too."""
    try:
        return check(data)
    except DunningError as error:
        raise AssertionError(f"{type(error).__name__} left the parser: {error}") from error


def file_parsers() -> Iterable[Parser]:
    """Return the parsers of files and texts."""
    return (
        Parser("upload", partial(_assert_no_error_of_another_kind, _check_upload), _uploads, mutate_table),
        Parser("upload_name", _check_upload_name, _upload_names, _mutate_name),
        Parser("events_file", _check_events_file, _events_files, _mutate_events),
        Parser("policy", partial(_assert_no_error_of_another_kind, _check_policy), _policies, mutate_lines),
        Parser("texts", _check_texts, _texts, mutate_lines),
        Parser("jurisdiction", _check_jurisdiction, _jurisdictions, mutate_lines),
        Parser("calendar", _check_calendar, _calendars, mutate_lines),
        Parser("columns", _check_columns, _columns, mutate_lines),
        Parser("reply_text", _check_reply_text, _reply_texts, mutate_text),
        Parser("phone", _check_phone, _phones, mutate_text),
        Parser("stored_item", _check_stored_item, _stored_items, mutate_json),
    )
