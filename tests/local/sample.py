"""
A sample portfolio: some 290 fictional customers in four places and three languages, the same for the same seed.

Those of the lender `demo-channels` are reached by LINE, by mail and by text. Each plays a part there, so that events of
every kind happen.

Names and numbers are made up: US numbers are from the block kept for fiction (555-01xx); the others look like
mobile numbers and belong to nobody we know of. Nothing is ever sent: the local run has no way out.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from dunning.services.intake.rows import COLUMNS
from tests.local.channel_life import Part

_SURNAMES_HANT = "陳林黃張李王吳劉蔡楊許鄭謝郭洪邱曾廖賴徐周葉蘇莊呂江何蕭羅高"
_SURNAMES_HANS = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹"
_COMPOUND_HANT = ("歐陽", "司馬", "諸葛", "上官", "張簡")
_COMPOUND_HANS = ("欧阳", "司马", "诸葛", "上官", "慕容")
_GIVEN_HANT = "明華志偉淑芬雅婷怡君家豪俊傑美玲宗翰冠宇佳穎子涵品妍承恩宥廷"
_GIVEN_HANS = "伟芳娜敏静丽强磊军洋勇艳杰娟涛超霞平刚桂英梓涵浩然欣怡宇轩"
_FIRST_NAMES = (
    *("Amelia", "Andre", "Beatriz", "Caleb", "Dana", "Elena", "Farah", "Gideon", "Hannah", "Imani", "Jonas"),
    *("Keisha", "Liam", "Maya", "Noor", "Oscar", "Priya", "Quentin", "Rosa", "Samir", "Tessa", "Uma", "Victor"),
    *("Wendy", "Xavier", "Yara", "Zoe", "Chloé", "José", "Søren"),
)
_LAST_NAMES = (
    *("Abbott", "Baker", "Castillo", "Dawson", "Ellison", "Foster", "Grant", "Hughes", "Ibarra", "Jensen"),
    *("Kowalski", "Larkin", "Moreno", "Nguyen", "Okafor", "Palmer", "Quigley", "Ramirez", "Sutter", "Thorne"),
    *("Underwood", "Vasquez", "Whitaker", "Young", "Zimmerman", "O'Neill"),
)
_PRODUCTS_HANT = ("手機", "機車", "家電", "筆電", "課程", "")
_PRODUCTS_HANS = ("手机", "家电", "电脑", "教育", "")
_PRODUCTS_EN = ("phone", "laptop", "sofa", "dental", "")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a group of customers lives: what their rows have in common, and how their numbers look."""

    country: str
    currency: str
    lender: str
    count: int
    phone: Callable[[Random], str]
    name: Callable[[Random, str], str]
    languages: tuple[str, ...]
    amounts: tuple[int, int]
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: one instalment of one account, with its customer."""

    customer_id: str
    name: str
    phone: str
    country: str
    language: str
    lender: str
    account_id: str
    account_number: str
    currency: str
    instalment_no: str
    due_on: str
    amount: str
    region: str = ""
    time_zone: str = ""
    consented_at: str = ""
    hold: str = ""
    hold_until: str = ""
    product: str = ""
    paid_amount: str = ""
    paid_on: str = ""
    stage_reached: str = ""
    written_notice_on: str = ""
    late_fee: str = ""
    pay_account: str = ""
    email: str = ""
    line_user_id: str = ""
    email_consented_at: str = ""
    line_consented_at: str = ""
    voice_consented_at: str = ""
    whatsapp_consented_at: str = ""

    def values(self) -> list[str]:
        """Return the row in the order of the columns."""
        return [getattr(self, column) for column in COLUMNS]


def _digits(random: Random, count: int) -> str:
    return "".join(str(random.randrange(10)) for _ in range(count))


def _phone_tw(random: Random) -> str:
    number = random.choice(("0911", "0922", "0933", "0955", "0972", "0988")) + _digits(random, 6)
    plain, spaced = number, f"{number[:4]}-{number[4:7]}-{number[7:]}"
    international = f"+886 {number[1:4]} {number[4:7]} {number[7:]}"
    return random.choice((plain, spaced, international, f"886{number[1:]}"))


def _phone_cn(random: Random) -> str:
    number = random.choice(("138", "139", "136", "158", "186", "177")) + _digits(random, 8)
    return random.choice((number, f"+86{number}", f"+86 {number[:3]} {number[3:7]} {number[7:]}"))


def _phone_hk(random: Random) -> str:
    number = random.choice(("512", "536", "590", "612", "634", "645", "942", "961")) + _digits(random, 5)
    return random.choice((number, f"{number[:4]} {number[4:]}", f"+852 {number[:4]} {number[4:]}"))


_AREA_CODES = {"MA": "617", "CA": "213", "NY": "212", "TX": "512", "": "201"}
_TIME_ZONES = {
    "MA": "America/New_York",
    "CA": "America/Los_Angeles",
    "NY": "America/New_York",
    "TX": "America/Chicago",
}


def _phone_us(random: Random, region: str) -> str:
    area, line = _AREA_CODES[region], f"01{_digits(random, 2)}"
    return random.choice((f"({area}) 555-{line}", f"+1 {area}-555-{line}", f"{area}555{line}"))


def _name_hant(random: Random, language: str) -> str:
    if language == "en":
        return f"{random.choice(_FIRST_NAMES)} {random.choice(('Chan', 'Wong', 'Lam', 'Lee', 'Cheung', 'Ho'))}"
    return _chinese_name(random, _SURNAMES_HANT, _COMPOUND_HANT, _GIVEN_HANT)


def _name_hans(random: Random, language: str) -> str:
    del language
    return _chinese_name(random, _SURNAMES_HANS, _COMPOUND_HANS, _GIVEN_HANS)


def _chinese_name(random: Random, surnames: str, compound: tuple[str, ...], given: str) -> str:
    surname = random.choice(compound) if random.random() < 0.05 else random.choice(surnames)
    return surname + "".join(random.sample(given, random.choice((1, 2, 2, 2))))


def _name_latin(random: Random, language: str) -> str:
    del language
    return f"{random.choice(_FIRST_NAMES)} {random.choice(_LAST_NAMES)}"


_PLACES = (
    _Place(
        "TW", "TWD", "demo-tw", 110, _phone_tw, _name_hant, ("zh-Hant",) * 9 + ("en",), (1200, 18000),
        _PRODUCTS_HANT,
    ),
    _Place("CN", "CNY", "demo-cn", 60, _phone_cn, _name_hans, ("zh-Hans",), (150, 4200), _PRODUCTS_HANS),
    _Place(
        "HK", "HKD", "demo-tw", 40, _phone_hk, _name_hant, ("zh-Hant",) * 3 + ("en",), (400, 6000),
        _PRODUCTS_HANT,
    ),
    _Place(
        "US", "USD", "demo-tw", 50, lambda random: _phone_us(random, ""), _name_latin, ("en",), (40, 900),
        _PRODUCTS_EN,
    ),
    _Place(
        "TW", "TWD", "demo-channels", 30, _phone_tw, _name_hant, ("zh-Hant",) * 9 + ("en",), (1200, 18000),
        _PRODUCTS_HANT,
    ),
)  # fmt: skip

_BY_MAIL = frozenset({Part.MAILBOX_GONE, Part.MAILBOX_FULL, Part.MARKS_AS_UNWANTED, Part.UNSUBSCRIBES})
"""Parts of people whom mail reaches first."""

_BY_TEXT = frozenset({Part.PHONE_OFF})
_OVERDUE = frozenset({Part.MAILBOX_GONE, Part.MAILBOX_FULL, Part.PHONE_OFF})
"""Parts of people who are overdue, so that a stage which does not arrive is repeated."""

_BEFORE = sum(place.count for place in _PLACES[:-1])
PARTS: Mapping[str, Part] = {f"C{_BEFORE + number:04d}": part for number, part in enumerate(Part, 1)}
"""The parts of customers of the sample, by their ids."""


def sample_rows(start: date, *, seed: int = 7) -> Iterator[Row]:
    """Yield the rows of the sample, good ones only, for a run that starts on a day."""
    random = Random(seed)
    serial = 0
    for place in _PLACES:
        for _ in range(place.count):
            serial += 1
            person = _person(random, place, f"C{serial:04d}", start)
            for number in range(random.choice((1, 1, 1, 2, 2, 3))):
                account_id = f"{person.customer_id}-{number + 1}"
                if number == 0 and person.customer_id in PARTS:
                    yield from _account_unpaid(place, person, account_id, start)
                else:
                    yield from _account(random, place, person, account_id, start)


def bad_rows(start: date) -> Iterator[Row]:
    """Yield rows that have to be refused, each for another reason."""
    due_on = (start + timedelta(days=5)).isoformat()
    good = Row(
        "X9001", "林不全", "0912-000-001", "TW", "zh-Hant", "demo-tw", "X9001-1", "TW-2026-77001", "TWD", "1", due_on,
        "3000",
    )  # fmt: skip
    yield replace(good, phone="02-2345-67")
    yield replace(good, customer_id="X9002", account_id="X9002-1", due_on="2026-02-30")
    yield replace(good, customer_id="X9003", account_id="X9003-1", amount="three thousand")
    yield replace(good, customer_id="X9004", account_id="X9004-1", currency="XYZ")
    yield replace(good, customer_id="", account_id="X9005-1")
    yield replace(good, customer_id="X9006", account_id="X9006-1", country="Atlantis")


def sample_file(start: date, *, seed: int = 7) -> bytes:
    """Return the whole sample as a CSV file, with some bad rows in the middle, as files have them."""
    rows = list(sample_rows(start, seed=seed))
    middle = len(rows) // 2
    # A customer's rows stay together: go on to the next one.
    while rows[middle].customer_id == rows[middle - 1].customer_id:
        middle += 1
    text = io.StringIO(newline="")
    text.write("\ufeff")  # so that Excel takes it for UTF-8
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(row.values() for row in (*rows[:middle], *bad_rows(start), *rows[middle:]))
    return text.getvalue().encode()


def _person(random: Random, place: _Place, customer_id: str, start: date) -> Row:
    language = random.choice(place.languages)
    person = Row(
        customer_id=customer_id,
        name=place.name(random, language),
        phone=place.phone(random),
        country=place.country,
        language=language,
        lender=place.lender,
        account_id="",
        account_number="",
        currency=place.currency,
        instalment_no="",
        due_on="",
        amount="",
    )
    if place.country == "US":
        region = random.choice(("MA", "CA", "NY", "TX", ""))
        person = replace(
            person,
            phone=_phone_us(random, region),
            region=region,
            time_zone=_TIME_ZONES.get(region, "") if random.random() < 0.5 else "",
            consented_at=""
            if random.random() < 0.1
            else f"{start - timedelta(days=random.randrange(60, 600))}T15:30:00Z",
        )
    return _with_a_reason_for_silence(random, _with_ways(person, start), start)


def _with_ways(person: Row, start: date) -> Row:
    """Give half of the people an e-mail address, a third in Taiwan a LINE account, and most of them consents."""
    # A generator of its own: what is drawn here changes nothing else of the sample.
    random = Random(f"ways of {person.customer_id}")
    agreed_on = (start - timedelta(days=random.randrange(30, 400))).isoformat()
    if person.lender == "demo-channels":
        return _with_ways_of_part(person, agreed_on)
    ways = {}
    if random.random() < 0.5:
        ways["email"] = f"{person.customer_id.lower()}@example.com"
        ways["email_consented_at"] = agreed_on if random.random() < 0.8 else ""
    if person.country == "TW" and random.random() < 0.35:
        ways["line_user_id"] = "U" + hashlib.md5(person.customer_id.encode(), usedforsecurity=False).hexdigest()
        ways["line_consented_at"] = agreed_on if random.random() < 0.9 else ""
    if person.country == "HK" and random.random() < 0.2:
        ways["whatsapp_consented_at"] = agreed_on
    return replace(person, **ways)


def _with_ways_of_part(person: Row, agreed_on: str) -> Row:
    """Give who plays a part the addresses that it takes, and everybody else all of them."""
    part = PARTS.get(person.customer_id, Part.NOTHING_SPECIAL)
    ways: dict[str, str] = {}
    if part not in _BY_TEXT:
        ways |= {"email": f"{person.customer_id.lower()}@example.com", "email_consented_at": agreed_on}
    if part not in _BY_TEXT | _BY_MAIL:
        user_id = "U" + hashlib.md5(person.customer_id.encode(), usedforsecurity=False).hexdigest()
        ways |= {"line_user_id": user_id, "line_consented_at": agreed_on}
    return replace(person, **ways)


def _with_a_reason_for_silence(random: Random, person: Row, start: date) -> Row:
    """Give about one customer in eight a hold or an opt-out, but nobody who plays a part."""
    soon = (start + timedelta(days=random.randrange(4, 25))).isoformat()
    silences: tuple[tuple[float, dict[str, str]], ...] = (
        (0.03, {"hold": "opted_out"}),
        (0.02, {"hold": "dispute"}),
        (0.03, {"hold": "promise", "hold_until": soon}),
        (0.02, {"hold": "hardship", "hold_until": soon}),
        (0.01, {"hold": "deceased"}),
        (0.01, {"hold": "bankrupt"}),
    )
    drawn = random.random()
    if person.customer_id in PARTS:
        return person
    for share, fields in silences:
        if drawn < share:
            return replace(person, **fields)
        drawn -= share
    return person


def _account_unpaid(place: _Place, person: Row, account_id: str, start: date) -> Iterator[Row]:
    """Yield an account whose instalments nobody pays, a month apart: who plays a part is reminded soon."""
    random = Random(f"account of {person.customer_id}")
    first = start + timedelta(days=random.randrange(4, 9))
    if PARTS[person.customer_id] in _OVERDUE:
        first = start - timedelta(days=2)
    amount = random.randrange(*place.amounts)
    of_account = replace(
        person,
        account_id=account_id,
        product=random.choice(place.products),
        account_number=f"{place.country}{random.randrange(10**9, 10**10)}",
        amount=str(amount),
    )
    for number in range(2):
        yield replace(
            of_account,
            instalment_no=str(number + 1),
            due_on=(first + timedelta(days=30 * number)).isoformat(),
        )


def _account(random: Random, place: _Place, person: Row, account_id: str, start: date) -> Iterator[Row]:
    """Yield an account's instalments, a month apart, under one of the ways in which people pay."""
    count = random.choice((1, 3, 6, 12, 12))
    amount = random.randrange(*place.amounts)
    # How many are behind us, and the day of the month they fall on.
    past = random.randrange(min(count, 6) + 1)
    first = start - timedelta(days=30 * past) + timedelta(days=random.randrange(1, 31))
    habit = random.choices(
        ("on_time", "late", "forgetful", "never", "partly", "in_trouble", "overpays"), (18, 18, 30, 14, 8, 8, 4)
    )[0]
    product = random.choice(place.products)
    number_on_contract = f"{place.country}{random.randrange(10**9, 10**10)}"
    for number in range(count):
        due_on = first + timedelta(days=30 * number)
        row = replace(
            person,
            account_id=account_id,
            product=product,
            account_number=number_on_contract,
            instalment_no=str(number + 1),
            due_on=due_on.isoformat(),
            amount=_money(amount, place, random),
        )
        yield _late(_paid(random, row, habit, due_on, start, amount), due_on, start, amount)


def _late(row: Row, due_on: date, start: date, amount: int) -> Row:
    """Give some of those who are long overdue a written notice, and a few a late fee."""
    days_late = (start - due_on).days
    # A generator of its own: what is drawn here changes nothing else of the sample.
    random = Random(f"{row.account_id} {row.instalment_no}")
    issued = due_on + timedelta(days=random.randrange(18, 28))
    if issued < start and random.random() < 0.6:
        row = replace(row, written_notice_on=issued.isoformat())
    if days_late > 5 and not row.paid_on and random.random() < 0.2:
        fee = max(1, amount // 50)
        row = replace(row, amount=str(Decimal(row.amount.replace(",", "")) + fee), late_fee=str(fee))
    return row


def _paid(random: Random, row: Row, habit: str, due_on: date, start: date, amount: int) -> Row:
    """Fill in what has been paid, or will have been by the end of the run."""
    before_due = due_on - timedelta(days=random.randrange(1, 6))
    after_due = due_on + timedelta(days=random.randrange(1, 21))
    forgets = random.random() < 0.4
    days_late = (start - due_on).days
    match habit:
        case "on_time":
            row = _payment(row, before_due, row.amount, start)
        case "late":
            row = _payment(row, after_due, row.amount, start)
        case "forgetful":
            row = _payment(row, after_due if forgets else before_due, row.amount, start)
        case "partly" if days_late > 0:
            row = replace(row, paid_amount=str(amount // 3))
        case "in_trouble" if days_late > 45:
            # Of some of the long overdue the lender says which stage its former system had reached.
            row = replace(row, stage_reached=random.choice(("", "7", "15", "30")))
        case "overpays" if days_late > 30:
            row = _payment(row, before_due, str(amount + amount // 4), start)
        case "never" if days_late > 60:
            # Pays no more; what lies further back than two months was still paid.
            row = _payment(row, before_due, row.amount, start)
        case _:
            pass
    return row


def _payment(row: Row, day: date, amount: str, start: date) -> Row:
    """Record a payment, unless it lies beyond what a run of some months will see."""
    if day > start + timedelta(days=400):
        return row
    return replace(row, paid_on=day.isoformat(), paid_amount=amount)


def _money(amount: int, place: _Place, random: Random) -> str:
    """Write an amount of main units the way files do: plain, with thousands, or with decimals."""
    if place.currency != "TWD":
        return random.choice((f"{amount}.00", f"{amount}.50", str(amount)))
    return random.choice((str(amount), f"{amount:,}"))
