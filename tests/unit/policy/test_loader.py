"""The loader refuses what is wrong with a data file, naming file, field and reason."""

import re
import shutil
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from dunning.policy import PolicyError, load_policies
from dunning.policy.fields import parse_hours, parse_span, parse_windows
from tests.builders import a_customer

LENDER = "lenders/demo-tw.toml"
PLACE = "jurisdictions/TW.toml"
ENGLISH = "texts/en.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the package's policies that may be spoilt."""
    with as_file(files("dunning.policy")) as source:
        shutil.copytree(source, tmp_path / "policy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "policy"


def edit(folder: Path, name: str, old: str, new: str) -> None:
    """Replace the first place where `old` stands; it has to stand somewhere."""
    text = (folder / name).read_text("utf-8")
    assert old in text, f"{name} has changed: {old!r} is not there"
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")


def test_a_copy_of_the_packages_policies_loads(folder: Path) -> None:
    assert load_policies(folder).lenders.keys() == load_policies().lenders.keys()


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        pytest.param(LENDER, "max_segments = 2", "max_segmets = 2", "max_seg.*", id="a misspelt key"),
        pytest.param(LENDER, "max_segments = 2", "max_segments = 2\ncolour = 1", "colour", id="an unknown key"),
        pytest.param(LENDER, 'hotline = "0800-000-123"\n', "", "hotline", id="a missing key"),
        pytest.param(LENDER, "max_segments = 2", "max_segments = 5", "max_segments", id="five segments"),
        pytest.param(LENDER, "max_segments = 2", "max_segments = = 2", "not TOML", id="a file that is no TOML"),
        pytest.param(LENDER, 'id = "demo-tw"', 'id = "demo-xx"', "id.*demo-xx", id="an id that is not the file's name"),
        pytest.param(LENDER, '"zh-Hant", "en"', '"zh-Hant", "fr"', "languages", id="a language without texts"),
        pytest.param(
            LENDER, "[-3, 0, 3, 7, 15, 30]", "[-3, 0, 7, 3, 15, 30]", "ladder.*ascending", id="a ladder not ascending"
        ),
        pytest.param(LENDER, "[-3, 0, 3, 7, 15, 30]", "[-3, 0, 3, 3, 7]", "ladder.*twice", id="a stage twice"),
        pytest.param(LENDER, "[-3, 0, 3, 7, 15, 30]", "[]", "ladder", id="no stages"),
        pytest.param(
            LENDER, "[-3, 0, 3, 7, 15, 30]", "[-3, 0, 5]", r"ladder.*no text.*\+5", id="a stage without a text"
        ),
        pytest.param(
            LENDER,
            "min_days_between_stages = 3",
            "min_days_between_stages = 4",
            "min_days_between_stages.*4.*3",
            id="stages closer together than they may be",
        ),
        pytest.param(
            LENDER,
            "min_days_between_stages = 3",
            "min_days_between_stages = 0",
            "min_days_between_stages",
            id="stages on one day",
        ),
        pytest.param(
            LENDER,
            "max_segments = 2",
            "max_segments = 2\nurgency = [0, -3, 3]",
            "urgency",
            id="an urgency without all stages",
        ),
        pytest.param(LENDER, '"10:00"', '"25:00"', "preferred_hour.*25:00", id="an hour no clock shows"),
        pytest.param(LENDER, '"10:00"', '"10:60"', "preferred_hour.*10:60", id="a minute no clock shows"),
        pytest.param(LENDER, '"10:00"', '"ten"', "preferred_hour.*ten", id="an hour in words"),
        pytest.param(LENDER, 'within = "24h"', 'within = "1 day"', "caps.0.within", id="a span in words"),
        pytest.param(LENDER, 'within = "24h"', 'within = "0h"', "caps.0.within", id="a cap over no time"),
        pytest.param(LENDER, "at_most = 1", "at_most = 0", "caps.0.at_most", id="a cap of nothing"),
        pytest.param(LENDER, 'scope = "person"', 'scope = "persona"', "caps.0.scope", id="a cap of nobody"),
        pytest.param(LENDER, '"DEMOFIN"', '"A SENDER NAME"', "sns.TW.sender_id", id="a sender id with spaces"),
        pytest.param(LENDER, '"DEMOFIN"', '"123"', "sns.TW.sender_id", id="a sender id without a letter"),
        pytest.param(LENDER, '"0.20"', '"free"', "sns.TW.max_price", id="a price in words"),
        pytest.param(LENDER, '"+18005550100"', '"0800 TAXI"', "sns.US.origination_number", id="a number in letters"),
        pytest.param(LENDER, 'en = "Demo Finance"\n', "", "sender_name.*en", id="no name in one language"),
        pytest.param(LENDER, 'en = "our app"\n', "", "pay.*en", id="no way to pay in one language"),
        pytest.param(LENDER, 'hotline = "0800-000-123"', 'hotline = "ask us"', "hotline", id="a hotline in words"),
        pytest.param(
            "lenders/demo-cn.toml",
            '"zh-Hans/before-3@1"',
            '"zh-Hans/before-3@2"',
            "sns.CN.registered.*before-3@2",
            id="a registered id for a version that is not there",
        ),
        pytest.param(
            "lenders/demo-cn.toml",
            '"en/today@1"',
            '"en/tomorrow@1"',
            "sns.CN.registered.*en/tomorrow@1",
            id="a registered id for an unknown text",
        ),
        pytest.param(
            PLACE,
            'source = "own default: ends',
            '# "own default: ends',
            "hours.ours.source",
            id="hours without a source",
        ),
        pytest.param(PLACE, 'mark = "V"', 'mark = "sure"', "hours.law.mark", id="an unknown mark"),
        pytest.param(PLACE, 'mark = "V"\n', "", "hours.law.mark", id="hours without a mark"),
        pytest.param(
            PLACE,
            '"07:00-22:00"',
            '"22:00-07:00"',
            "hours.law.week.*ends before",
            id="hours that end before they start",
        ),
        pytest.param(PLACE, '"07:00-22:00"', '"07:00-24:01"', "hours.law.week.*24:01", id="hours beyond the day"),
        pytest.param(PLACE, '"07:00-22:00"', '"7-22"', "hours.law.week", id="hours without minutes"),
        pytest.param(
            PLACE, '"09:00-20:30"', '"09:00-12:00, 11:00-20:30"', "hours.ours.week.*overlaps", id="windows that overlap"
        ),
        pytest.param(PLACE, "daily =", "mon-fri =", "hours.law.week.*sat, sun", id="a week without a weekend"),
        pytest.param(PLACE, "daily =", "fri-mon =", "hours.law.week.*fri-mon", id="a range that runs backwards"),
        pytest.param(
            PLACE,
            '{ daily = "07:00-22:00" }',
            '{ daily = "07:00-22:00", sun = "" }',
            "sun is named twice",
            id="a day twice",
        ),
        pytest.param(PLACE, '"Asia/Taipei"', '"Asia/Taibei"', "time_zones.*Asia/Taibei", id="a time zone that is none"),
        pytest.param(PLACE, '"Asia/Taipei"', '"Asia"', "time_zones.*Asia", id="a folder of time zones"),
        pytest.param(PLACE, 'id = "TW"', 'id = "tw"', "id.*tw", id="a place whose id is not the file's name"),
        pytest.param(PLACE, "days = 1827", "days = 30", "retention.days", id="an audit record kept for a month"),
        pytest.param(
            PLACE, "registered_template = false\n", "", "carrier.registered_template", id="carriers half described"
        ),
        pytest.param(
            "jurisdictions/HK.toml",
            'day = "sunday"',
            'day = "someday"',
            "closed_days.0.day",
            id="a closed day nobody knows",
        ),
        pytest.param(
            ENGLISH, "{name}, {amount}", "{nmae}, {amount}", r"en/before-3@1.*\{nmae\}", id="an unknown placeholder"
        ),
        pytest.param(ENGLISH, "{hotline}", "{hotline", r"en/before-3@1", id="a brace that is not closed"),
        pytest.param(
            ENGLISH, "Help: {hotline}", "Help", r"before-3.*lacks.*\{hotline\}", id="a text without the hotline"
        ),
        pytest.param(
            ENGLISH, "{amount} (plan", "it (plan", r"before-3.*lacks.*\{amount\}", id="a text without the amount"
        ),
        pytest.param(ENGLISH, "due on {date}", "due", r"before-3.*lacks.*\{date\}", id="a text without the date"),
        pytest.param(ENGLISH, "Pay in {pay}", "Pay", r"before-3.*lacks.*\{pay\}", id="a text without a way to pay"),
        pytest.param(
            ENGLISH, "(plan ending {tail})", "", r"before-3.*lacks.*\{tail\}", id="a text without the account"
        ),
        pytest.param(
            ENGLISH,
            "{count} instalments",
            "some",
            r"before-3-several.*lacks.*\{count\}",
            id="several without their number",
        ),
        pytest.param(ENGLISH, "stage = 0", "stage = -3", r"today.stage.*twice", id="two texts for one stage"),
        pytest.param(
            ENGLISH, 'language = "en"', 'language = "de"', "language.*en", id="a language that is not the file's name"
        ),
        pytest.param(ENGLISH, "version = 1", "version = 0", "before-3.version", id="a version below the first"),
        pytest.param(
            ENGLISH, "version = 1", 'version = 1\ntone = "mild"', "before-3.tone", id="an unknown key of a text"
        ),
        pytest.param(
            ENGLISH, 'opt_out_line = " Reply STOP to opt out."\n', "", "opt_out_line.*missing", id="no opt-out line"
        ),
        pytest.param(ENGLISH, "and_others", "others", "and_others.*missing", id="no phrase for further accounts"),
        pytest.param("prices.toml", "default =", "XX =", "per_segment.default", id="no price for other countries"),
    ],
)
def test_what_is_wrong_with_a_file_is_refused_by_file_field_and_reason(
    folder: Path, name: str, old: str, new: str, says: str
) -> None:
    edit(folder, name, old, new)
    with pytest.raises(PolicyError) as refused:
        load_policies(folder)
    message = str(refused.value)
    assert message.startswith(f"{name}: ")
    assert re.search(says, message), message


def test_without_a_default_place_nothing_loads(folder: Path) -> None:
    (folder / "jurisdictions" / "default.toml").unlink()
    with pytest.raises(PolicyError, match=r"default\.toml"):
        load_policies(folder)


def test_a_calendar_that_is_wrong_is_refused_by_name(folder: Path) -> None:
    edit(folder, "calendars/HK.toml", "valid_until = 2027-12-31", "valid_until = 2027-13-31")
    with pytest.raises(PolicyError, match=r"calendars/HK\.toml"):
        load_policies(folder).rules_for(a_customer(country="HK", phone_country="HK"))


@pytest.mark.parametrize(
    ("parse", "written", "why"),
    [
        pytest.param(parse_windows, "09:00", "not a time", id="a window without an end"),
        pytest.param(parse_windows, "09:00-09:00", "ends before", id="a window of no length"),
        pytest.param(parse_hours, "09:00-18:00", "table of days", id="hours without days"),
        pytest.param(parse_hours, {"funday": ""}, "funday", id="an unknown day"),
        pytest.param(parse_span, "24", "not a span", id="a span without a unit"),
    ],
)
def test_what_cannot_be_read_is_refused(parse: Callable[[object], object], written: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(written)


def test_windows_and_weeks_are_read_as_minutes() -> None:
    assert parse_windows("09:00-12:00, 13:30-24:00") == ((540, 720), (810, 1440))
    assert parse_windows("") == ()
    assert parse_windows("09:00-12:00, 12:00-18:00") == ((540, 720), (720, 1080))
    week = parse_hours({"mon-fri": "09:00-18:00", "sat": "10:00-12:00", "sun": ""})
    assert week == (((540, 1080),),) * 5 + (((600, 720),), ())
