"""The loader refuses what is wrong with a data file, naming file, line, field and reason."""

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from dunning.policy import PolicyError, load_policies
from dunning.policy.fields import Hours, parse_hours, parse_span, parse_windows
from dunning.policy.files import toml_files
from dunning.policy.jurisdiction import load_jurisdictions
from tests.support.builders import a_customer
from tests.support.people import NOW

LENDER = "lenders/demo-tw.toml"
PLACE = "jurisdictions/TW.toml"
ENGLISH = "texts/en.toml"


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
        pytest.param(
            LENDER, "ladder = [", "ladders = [", "ladders: is no key here; did you mean ladder", id="one that is near"
        ),
        pytest.param(
            LENDER, "max_segments = 2", 'max_segments = "2"', "max_segments.*integer", id="a number in quotes"
        ),
        pytest.param(
            LENDER, "[-3, 0, 3, 7, 15, 30]", "[-3, false, 3]", "ladder.1.*integer", id="a stage that is a word"
        ),
        pytest.param(LENDER, '"0.20"', "0.20", 'max_price: 0.2 is not US dollars in quotes.*"0.20"', id="no quotes"),
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
        pytest.param(LENDER, '"DEMOFIN"', '"A SENDER NAME"', "countries.HK.sender_id", id="a sender id with spaces"),
        pytest.param(LENDER, '"DEMOFIN"', '"123"', "countries.HK.sender_id", id="a sender id without a letter"),
        pytest.param(LENDER, '"0.20"', '"free"', "countries.TW.max_price", id="a price in words"),
        pytest.param(
            LENDER, '"+18005550100"', '"0800 TAXI"', "countries.US.origination_number", id="a number in letters"
        ),
        pytest.param(LENDER, 'en = "Demo Finance"\n', "", "sender_name.*en", id="no name in one language"),
        pytest.param(LENDER, 'en = "in our app"\n', "", "pay.*en", id="no way to pay in one language"),
        pytest.param(LENDER, 'hotline = "0800-000-123"', 'hotline = "ask us"', "hotline", id="a hotline in words"),
        pytest.param(
            LENDER, '"0800-000-123"', '"(02) 2345-6789"', "hotline: '.*' is not a number such as", id="brackets"
        ),
        pytest.param(
            "lenders/demo-cn.toml", '"CN-DEMO-0101"', '""', "registered.zh-Hans/before-3@3", id="an empty registered id"
        ),
        pytest.param(
            "lenders/demo-cn.toml",
            '"zh-Hans/before-3@3"',
            '"zh-Hans/before-3@4"',
            "countries.CN.registered.*before-3@4",
            id="a registered id for a version that is not there",
        ),
        pytest.param(
            "lenders/demo-cn.toml",
            '"en/today@3"',
            '"en/tomorrow@3"',
            "countries.CN.registered.*en/tomorrow@3",
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
            PLACE, "checked_on = 2026-11-30\n", "", "hours.law.checked_on", id="hours that nobody says they checked"
        ),
        pytest.param(
            PLACE, "checked_on = 2026-11-30", 'checked_on = "today"', "hours.law.checked_on", id="a day in words"
        ),
        pytest.param(PLACE, 'mark = "V"', 'mark = "D"', "hours: law: a default of our own", id="a default as law"),
        pytest.param(PLACE, 'mark = "D"', 'mark = "V"', "hours: ours: has to be marked D", id="hours of ours as law"),
        pytest.param(PLACE, 'name = "Taiwan"', 'name = "Taiwan"\ncolour = 1', "colour", id="an unknown key of a place"),
        pytest.param(PLACE, "[hours.ours]", "[hours.hers]", "hours.hers|hours.ours", id="hours of somebody else"),
        pytest.param(PLACE, "at_most = 1", "at_most = 1\nper = 2", "caps.0.per", id="an unknown key of a cap"),
        pytest.param(
            PLACE, "at_most = 3", 'at_most = 3\nscope_of = ""', "caps.1.scope_of", id="an unknown key of a second cap"
        ),
        pytest.param(PLACE, '"sender"]', '"sendr"]', "required.0.says.0", id="content nobody knows"),
        pytest.param(
            PLACE,
            "line_required = false",
            "line_required = true",
            "opt_out.line_required.*required",
            id="an opt-out line that is and is not required",
        ),
        pytest.param(
            PLACE,
            "allowed = false",
            "allowed = true",
            "links.allowed.*link-not-allowed",
            id="links allowed and forbidden",
        ),
        pytest.param(
            PLACE,
            'rules = ["abuse"]',
            'rules = ["abuse", "credit-bureau"]',
            "forbidden.1.rules.*credit-bureau",
            id="forbidden by the file and only warned of by the linter",
        ),
        pytest.param(PLACE, "allowed = false", 'allowed = "no"', "links.allowed", id="yes and no in words"),
        pytest.param(PLACE, 'basis = "contract"', 'basis = "hope"', "consent.basis", id="a basis that is none"),
        pytest.param(
            "jurisdictions/AU.toml", "time_zones = [", "# ", "not TOML", id="a list that has lost its beginning"
        ),
        pytest.param(
            "jurisdictions/MY.toml",
            "time_zones = [",
            "# [",
            "time_zones: missing: Malaysia has 2",
            id="a country of several zones that names none",
        ),
        pytest.param(
            "jurisdictions/EU.toml",
            '"AT", "BE"',
            '"AT", "XX"',
            "countries: 'XX' is not a country",
            id="a member that is no country",
        ),
        pytest.param(
            "jurisdictions/EU.toml", '"AT", "BE"', '"AT", "AT"', "countries: AT is there twice", id="a member twice"
        ),
        pytest.param(
            "jurisdictions/EU.toml",
            '"AT", "BE"',
            '"AT", "GB"',
            r"countries: GB is there twice.*GB\.toml",
            id="a member with a file of its own",
        ),
        pytest.param(
            LENDER, "[countries.HK]", "[countries.XX]", "countries.XX: is no country", id="texting people nowhere"
        ),
        pytest.param(
            LENDER, "[countries.HK]", "[countries.HKG]", "countries.HKG: is no country", id="three letters of a country"
        ),
        pytest.param(
            LENDER,
            'sender_id = "DEMOFIN"',
            'sender = "DEMOFIN"',
            "countries.HK.sender",
            id="an unknown key of a country",
        ),
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
            ENGLISH, "{amount} (plan", "{amuont} (plan", r"en/before-3@3.*\{amuont\}", id="an unknown placeholder"
        ),
        pytest.param(ENGLISH, "{hotline}", "{hotline", r"en/before-3@3", id="a brace that is not closed"),
        pytest.param(
            ENGLISH, "Help: {hotline}", "Help", r"before-3.*lacks.*\{hotline\}", id="a text without the hotline"
        ),
        pytest.param(
            ENGLISH, "{amount} (plan", "it (plan", r"before-3.*lacks.*\{amount\}", id="a text without the amount"
        ),
        pytest.param(ENGLISH, "due on {date}", "due", r"before-3.*lacks.*\{date\}", id="a text without the date"),
        pytest.param(
            ENGLISH, "Please pay {pay}", "Please pay us", r"before-3.*lacks.*\{pay\}", id="a text without a way to pay"
        ),
        pytest.param(
            ENGLISH, "(plan ending {tail})", "", r"before-3.*lacks.*\{tail\}", id="a text without the account"
        ),
        pytest.param(
            ENGLISH,
            "{count} payments",
            "some",
            r"before-3\.several.*lacks.*\{count\}",
            id="several without their number",
        ),
        pytest.param(ENGLISH, "stage = 0", "stage = -3", r"today.stage.*twice", id="two texts for one stage"),
        pytest.param(
            ENGLISH, 'language = "en"', 'language = "de"', "language.*en", id="a language that is not the file's name"
        ),
        pytest.param(ENGLISH, "version = 3", "version = 0", "before-3.version", id="a version below the first"),
        pytest.param(
            ENGLISH, "version = 3", 'version = 3\ntone = "mild"', "before-3.tone", id="an unknown key of a text"
        ),
        pytest.param(
            ENGLISH, 'opt_out_line = " Reply STOP to opt out."\n', "", "opt_out_line.*missing", id="no opt-out line"
        ),
        pytest.param(
            ENGLISH,
            "opt_out_line_without_replies = ",
            "no_replies = ",
            "no_replies: is no key here|opt_out_line_without_replies: missing",
            id="no opt-out line for those who cannot reply",
        ),
        pytest.param(
            ENGLISH,
            '"{amount} (plan',
            '"Hi {name}, {amount} (plan',
            r"before-3.*has \{name\}.*no decent mask",
            id="Hi D***",
        ),
        pytest.param(
            "texts/zh-Hant.toml",
            "{name}您好，",
            "",
            r"before-3.*lacks.*\{name\}",
            id="a Chinese text that names nobody",
        ),
        pytest.param(ENGLISH, "Please pay {pay}. ", "Please pay. {pay} ", "before-3.*unfinished-en", id="a bare verb"),
        pytest.param(
            "texts/zh-Hant.toml",
            "{pay}繳款，",
            "{pay}繳，",
            "before-3.*unfinished-zh-hant",
            id="a bare verb in Chinese",
        ),
        pytest.param("texts/zh-Hant.toml", "末碼", "末四碼", "before-3.*unfinished-zh-hant", id="four digits promised"),
        pytest.param(ENGLISH, "is due today", "is due", "today.single.*says-due", id="a due date that is not today"),
        pytest.param(ENGLISH, " is overdue", " is open", "overdue-7.*says-overdue", id="overdue without a word of it"),
        pytest.param(
            ENGLISH, "If paid, please ignore this. ", "", "before-3.*ignore-if-paid", id="no word for who has paid"
        ),
        pytest.param(
            ENGLISH,
            "Help: {hotline}.",
            "Help: {hotline}. Reply STOP.",
            "before-3.*reply-in-vain",
            id="a reply in the text",
        ),
        pytest.param(ENGLISH, "and_others", "others", "and_others.*missing", id="no phrase for further accounts"),
        pytest.param(
            ENGLISH,
            "we have your request, and",
            "call {hotline} with questions. We",
            "opt-out-confirmation.text.*no question, number or more",
            id="a confirmation that names a number",
        ),
        pytest.param(
            ENGLISH,
            'no more texts."',
            'no more texts. Was that right?"',
            "opt-out-confirmation.text.*no question, number or more",
            id="a confirmation that asks",
        ),
        pytest.param(
            ENGLISH,
            "You have opted out",
            "{name} has opted out",
            "opt-out-confirmation.text.*no question, number or more",
            id="a confirmation that says who",
        ),
        pytest.param(
            ENGLISH,
            "You have opted out",
            "{who} has opted out",
            r"opt-out-confirmation@2.*\{who\}",
            id="a confirmation with an unknown placeholder",
        ),
        pytest.param(
            ENGLISH,
            "You have opted out: we",
            "You have opted out, as you wished, of all our reminders and of every other text that we might send: we",
            "opt-out-confirmation.text.*one segment",
            id="a confirmation of two segments",
        ),
        pytest.param(
            ENGLISH,
            "You have opted out",
            "You have opted out – ok",
            "opt-out-confirmation.text.*GSM",
            id="a confirmation outside the alphabet",
        ),
        pytest.param(
            ENGLISH,
            "number\nversion = 2\n",
            "number\n",
            "opt-out-confirmation.version",
            id="a confirmation of no version",
        ),
        pytest.param(
            PLACE,
            "confirmation = false\n",
            "",
            "opt_out.confirmation",
            id="a place that does not say whether to confirm",
        ),
        pytest.param(PLACE, "confirmation = false", "confirmation = 0", "opt_out.confirmation", id="a word as a yes"),
        pytest.param(LENDER, "grace_days = 3", "grace_days = 15", "replies.grace_days.*14", id="too long a grace"),
        pytest.param(LENDER, "grace_days = 3", "grace_days = 0", "replies.grace_days.*1", id="no grace"),
        pytest.param(LENDER, "promise_days = 14", "promise_days = 32", "replies.promise_days.*31", id="a far promise"),
        pytest.param(LENDER, "promise_days = 14", "promise_days = 0", "replies.promise_days.*1", id="no promises"),
        pytest.param(LENDER, "promise_days = 14", 'promise_days = "14"', "replies.promise_days", id="days in quotes"),
        pytest.param(
            LENDER, "question_days = 2", "question_days = 0", "replies.question_days.*1", id="no days for a question"
        ),
        pytest.param(LENDER, "doubt_days = 3", "doubt_days = 11", "replies.doubt_days.*10", id="endless doubt"),
        pytest.param(LENDER, "promise_days = 14", "promised_days = 14", "replies.promised_days", id="an unknown limit"),
        pytest.param("prices.toml", "default =", "XX =", "per_segment.default", id="no price for other countries"),
        pytest.param("prices.toml", 'TW = "', 'TW = "-', "per_segment.TW", id="a price below zero"),
        pytest.param("prices.toml", "TW =", "tw =", "per_segment.tw", id="a country in small letters"),
        pytest.param(ENGLISH, "version = 3", 'version = "3"', "before-3.version.*integer", id="a version in quotes"),
    ],
)
def test_what_is_wrong_with_a_file_is_refused_by_file_field_and_reason(
    folder: Path, name: str, old: str, new: str, says: str
) -> None:
    edit(folder, name, old, new)
    with pytest.raises(PolicyError) as refused:
        load_policies(folder)
    message = str(refused.value)
    line = "" if says == "not TOML" else r"[1-9]\d*:"  # TOML's own errors say the line themselves
    assert re.match(rf"{re.escape(name)}:{line} .*({says})", message), message


def test_a_language_without_a_confirmation_of_opt_outs_does_not_load(folder: Path) -> None:
    path = folder / ENGLISH
    path.write_text(path.read_text("utf-8").partition("[opt-out-confirmation]")[0], "utf-8")
    with pytest.raises(PolicyError, match=r"texts/en\.toml:1: opt-out-confirmation: missing"):
        load_policies(folder)


def test_without_a_default_place_nothing_loads(folder: Path) -> None:
    (folder / "jurisdictions" / "default.toml").unlink()
    with pytest.raises(PolicyError, match=r"default\.toml"):
        load_policies(folder)


def line_of(folder: Path, name: str, text: str, *, nth: int = 1) -> str:
    """Return the place of the nth line that begins with a text, as refusals write it."""
    lines = [
        number
        for number, line in enumerate((folder / name).read_text("utf-8").splitlines(), 1)
        if line.startswith(text)
    ]
    return f"{name}:{lines[nth - 1]}"


def refusal_of(folder: Path) -> str:
    with pytest.raises(PolicyError) as refused:
        load_policies(folder)
    return str(refused.value)


def test_hours_of_ours_that_are_wider_than_the_law_are_refused_with_both_lines(folder: Path) -> None:
    edit(folder, PLACE, '"09:00-20:30"', '"06:30-20:30"')
    law, ours = line_of(folder, PLACE, "week"), line_of(folder, PLACE, "week", nth=2)
    assert refusal_of(folder) == f"{ours}: hours.ours.week: mon 06:30-20:30 is outside the law's hours, {law}"


INDONESIA, AUSTRALIA, WORLD = "jurisdictions/ID.toml", "jurisdictions/AU.toml", "lenders/demo-world.toml"


@pytest.mark.parametrize(
    ("place", "ours", "wider", "says"),
    [
        pytest.param(INDONESIA, 'sun = "" }\nsource = "own', 'sun = "09:00-12:00" }\nsource = "own', "sun 09:00-12:00",
                     id="a day that is closed by law"),
        pytest.param(AUSTRALIA, 'daily = "09:00-20:00"', 'daily = "08:00-20:00"', "sat 08:00-20:00",
                     id="a weekend that begins later by law"),
        pytest.param(INDONESIA, 'sun = "" }\nsource = "own', 'sun = "", holiday = "09:00-12:00" }\nsource = "own',
                     "holiday 09:00-12:00", id="a holiday that is closed by law"),
        pytest.param(INDONESIA, 'sun = "" }\nsource = "own', 'sun = "", working_day = "07:00-12:00" }\nsource = "own',
                     "working_day 07:00-12:00", id="a working day that begins later by law"),
    ],
)  # fmt: skip
def test_no_kind_of_day_may_be_wider_than_the_law(folder: Path, place: str, ours: str, wider: str, says: str) -> None:
    edit(folder, place, ours, wider)
    assert f"hours.ours.week: {says} is outside the law's hours" in refusal_of(folder)


def test_a_lenders_hours_that_are_looser_than_the_law_are_refused_with_both_lines(folder: Path) -> None:
    edit(folder, LENDER, "max_segments = 2", 'max_segments = 2\nhours = { daily = "06:00-21:00" }')
    lender, law = line_of(folder, LENDER, "hours"), line_of(folder, PLACE, "week")
    assert refusal_of(folder) == (
        f"{lender}: hours: mon 06:00-21:00 is looser than the law of Taiwan, {law}; "
        "narrow it, or give countries.TW hours of its own"
    )
    edit(folder, LENDER, "[countries.TW]", '[countries.TW]\nhours = { daily = "07:00-21:00" }')
    law = line_of(folder, "jurisdictions/US.toml", "week")
    assert f"{lender}: hours: mon 06:00-21:00 is looser than the law of United States, {law}" in refusal_of(folder)


def test_a_lenders_hours_for_a_country_are_held_against_its_law(folder: Path) -> None:
    edit(folder, LENDER, "[countries.TW]", '[countries.TW]\nhours = { daily = "07:00-22:01" }')
    lender, law = line_of(folder, LENDER, "hours"), line_of(folder, PLACE, "week")
    assert refusal_of(folder).startswith(
        f"{lender}: countries.TW.hours: mon 07:00-22:01 is looser than the law of Taiwan, {law}"
    )
    edit(folder, LENDER, "07:00-22:01", "07:00-22:00")
    assert load_policies(folder)


def test_a_lenders_caps_that_are_looser_than_the_law_are_refused_with_both_lines(folder: Path) -> None:
    edit(folder, WORLD, "at_most = 3", 'at_most = 3\nwithin = "7d"\nscope = "account"\n\n[[caps]]\nat_most = 3')
    edit(folder, WORLD, "at_most = 3", "at_most = 4")
    lender = line_of(folder, WORLD, "at_most", nth=2).rsplit(":", 1)[0]
    position = int(line_of(folder, WORLD, "[[caps]]", nth=2).rsplit(":", 1)[1])
    law = line_of(folder, "jurisdictions/US-MA.toml", "[[caps]]", nth=3)
    assert refusal_of(folder) == (
        f"{lender}:{position}: caps.1: at most 4 is looser than the law of Massachusetts, at most 2, {law}"
    )


def test_a_lenders_caps_for_a_country_are_held_against_its_law(folder: Path) -> None:
    own = 'max_price = "0.10"\ncaps = [{ at_most = 2, within = "24h", scope = "person" }]'
    edit(folder, WORLD, 'max_price = "0.10"', own)
    lender, law = line_of(folder, WORLD, "caps"), line_of(folder, "jurisdictions/TH.toml", "[[caps]]")
    assert refusal_of(folder) == (
        f"{lender}: countries.TH.caps.0: at most 2 is looser than the law of Thailand, at most 1, {law}"
    )
    edit(folder, WORLD, "at_most = 2, within", "at_most = 1, within")
    assert load_policies(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "field", "demanded", "place"),
    [
        pytest.param(WORLD, 'sender_id = "DEMOFIN" # registered with SSIR\n', "", "countries.SG.sender_id",
                     "Singapore demand a registered sender id", "SG", id="no registered sender id"),
        pytest.param(WORLD, 'origination_number = "+18005550100"\n', "", "countries.US.origination_number",
                     "United States demand an own number", "US", id="no number of one's own"),
        pytest.param(WORLD, "[countries.MY]", '[countries.MY]\nsender_id = "DEMOFIN"', "countries.MY.sender_id",
                     "Malaysia take no sender id", "MY", id="a sender id where there are none"),
        pytest.param(WORLD, "[countries.MY]",
                     '[countries.IN]\nsender_id = "DEMOFN"\nmax_price = "0.01"\n[countries.MY]',
                     "countries.IN.entity_id", "India demand a registered entity", "IN", id="no registered entity"),
        pytest.param(WORLD, "[countries.MY]",
                     '[countries.IN]\nsender_id = "DEMOFN"\nentity_id = "1"\nmax_price = "0.01"\n[countries.MY]',
                     "countries.IN.registered", "India demand registered texts", "IN", id="no registered texts"),
    ],
)  # fmt: skip
def test_what_carriers_demand_and_a_lender_does_not_have_is_refused_with_both_lines(
    folder: Path, name: str, old: str, new: str, field: str, demanded: str, place: str
) -> None:
    edit(folder, name, old, new)
    lender = line_of(folder, name, f"[{field.rpartition('.')[0]}]")
    message = refusal_of(folder)
    law = line_of(folder, f"jurisdictions/{place}.toml", "[carrier]")
    assert message.endswith(f": {field}: carriers of {demanded}, {law}")
    assert message.startswith(lender.rpartition(":")[0])


def test_a_place_that_is_no_country_is_refused(folder: Path) -> None:
    text = (folder / PLACE).read_text("utf-8").replace('id = "TW"', 'id = "XX"')
    (folder / "jurisdictions/XX.toml").write_text(text, "utf-8")
    line = line_of(folder, "jurisdictions/XX.toml", "id")
    assert refusal_of(folder) == f"{line}: id: 'XX' is not a country (ISO 3166)"


def test_a_country_under_two_places_is_refused(folder: Path) -> None:
    text = (folder / "jurisdictions/EU.toml").read_text("utf-8").replace('id = "EU"', 'id = "EFTA"')
    (folder / "jurisdictions/EFTA.toml").write_text(text, "utf-8")
    line = line_of(folder, "jurisdictions/EU.toml", "countries")
    assert refusal_of(folder) == f"{line}: countries: AT is there twice, also under jurisdictions/EFTA.toml"


def test_a_rule_the_linter_does_not_have_is_refused() -> None:
    found = toml_files(files("dunning.policy") / "data", "jurisdictions")
    rules = {rule for file in found.values() for entry in file.raw["forbidden"] for rule in entry["rules"]}
    assert load_jurisdictions(found, rules)
    with pytest.raises(
        PolicyError, match=r"jurisdictions/\w+\.toml:\d+: forbidden.\d+.rules: .*no text by a rule called shame"
    ):
        load_jurisdictions(found, rules - {"shame"})


@pytest.mark.parametrize(
    ("country", "old", "new", "says"),
    [
        pytest.param("HK", "valid_until = 2027-12-31", "valid_until = 2027-13-31", "not TOML", id="a day that is none"),
        pytest.param("HK", "valid_until = 2027-12-31", "valid_until = 2027-12-26",
                     "holidays.2027-12-27: is after valid_until, 2027-12-26", id="a day after the last that is known"),
        pytest.param("HK", 'country = "HK"', 'country = "TW"', "country: 'TW' is not the file's name",
                     id="another country's"),
        pytest.param("HK", "[holidays]", 'colour = "red"\n[holidays]', "colour: is no key here", id="an unknown key"),
        pytest.param("CN", '2026-10-10 = "National Day"', '2026-10-01 = "National Day"',
                     "working_days.2026-10-01: is a holiday too", id="a day off on which people work"),
    ],
)  # fmt: skip
def test_a_calendar_that_is_wrong_is_refused_by_file_line_field_and_reason(
    folder: Path, country: str, old: str, new: str, says: str
) -> None:
    name = f"calendars/{country}.toml"
    edit(folder, name, old, new)
    lender = "demo-cn" if country == "CN" else "demo-tw"
    with pytest.raises(PolicyError) as refused:
        load_policies(folder).rules_for(a_customer(country=country, phone_country=country, lender=lender), NOW)
    message = str(refused.value)
    assert message.startswith(f"{name}: " if says == "not TOML" else f"{name}:")
    assert says in message
    if found := re.match(r"(?:holidays|working_days)\.([\d-]+)", says):
        assert message.startswith(line_of(folder, name, found[1], nth=2 if country == "CN" else 1))


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
    assert week == Hours((((540, 1080),),) * 5 + (((600, 720),), ()))
    special = parse_hours({"daily": "09:00-18:00", "holiday": "", "working_day": "10:00-19:00"})
    assert special == Hours((((540, 1080),),) * 7, (), ((600, 1140),))
