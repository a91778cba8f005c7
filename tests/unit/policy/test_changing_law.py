"""A law of next year is in its file today and holds from its day, on the clocks of its place."""

import pickle
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, Wait
from dunning.domain.decision.rules import Cap, Rules
from dunning.policy import PolicyBook, PolicyError, load_policies
from tests.support.builders import a_customer, a_standing, after, an_account, an_instalment, instant

TAIPEI, NEW_YORK = "Asia/Taipei", "America/New_York"
DAY = timedelta(days=1)

EVENINGS_END_EARLIER = """
[[amendments]]
in_force_from = 2027-01-01

[amendments.hours]
week = { daily = "07:00-18:00" }
source = "an act of next year, art. 1"
mark = "V"
checked_on = 2026-11-30
"""

ONE_IN_FORTY_DAYS = """
[[caps]]
at_most = 1
within = "40d"
scope = "person"
source = "own default, from next year on"
mark = "D"
checked_on = 2026-11-30
in_force_from = 2027-01-01
"""

CONSENT_IS_NEEDED = """
[[amendments]]
in_force_from = 2027-01-01

[amendments.consent]
basis = "consent"
required = true
source = "an act of next year, art. 3"
mark = "V"
checked_on = 2026-11-30
"""


def book_with(folder: Path, text: str, place: str = "TW", change: Callable[[str], str] = str) -> PolicyBook:
    """Load the policies with something more in the file of a place."""
    file = folder / "jurisdictions" / f"{place}.toml"
    file.write_text(change(file.read_text("utf-8")) + text, "utf-8")
    return load_policies(folder)


def ends_at_six(text: str) -> str:
    """Let our own hours end before those of the law of 2027, as the loader demands."""
    return text.replace('week = { daily = "09:00-20:30" }', 'week = { daily = "09:00-18:00" }')


def rules_at(book: PolicyBook, moment: datetime, **facts: str) -> Rules:
    found = book.rules_for(a_customer(**facts), moment)
    assert isinstance(found, Rules)
    return found


def test_rules_are_combined_once_and_each_moment_has_those_of_its_own_law(folder: Path) -> None:
    book = book_with(folder, EVENINGS_END_EARLIER, change=ends_at_six)
    before, behind = instant("2026-12-20 10:00", TAIPEI), instant("2027-01-02 10:00", TAIPEI)
    for moment in (before, behind):
        assert book.rules("demo-tw", "TW", at=moment) is book.rules("demo-tw", "TW", at=moment)
    assert book.rules("demo-tw", "TW", at=before) != book.rules("demo-tw", "TW", at=behind)


def test_consent_is_asked_for_from_the_first_minute_of_the_new_year_and_not_before(folder: Path) -> None:
    book = book_with(folder, CONSENT_IS_NEEDED)
    due = a_customer(an_account(an_instalment("2026-12-31")))
    last_day = decide(due, a_standing(), book, instant("2026-12-31 20:00", TAIPEI))
    assert isinstance(last_day, Send)
    due = a_customer(an_account(an_instalment("2027-01-01")))
    assert decide(due, a_standing(), book, instant("2026-12-31 23:59", TAIPEI)).reason is not Reason.NO_CONSENT
    assert decide(due, a_standing(), book, instant("2027-01-01 00:00", TAIPEI)).reason is Reason.NO_CONSENT


def test_a_text_planned_under_the_old_law_is_judged_by_the_new_one_when_its_time_comes(folder: Path) -> None:
    book = book_with(folder, CONSENT_IS_NEEDED)
    due = a_customer(an_account(an_instalment("2027-01-02")))
    planned = decide(due, a_standing(), book, instant("2026-12-31 09:00", TAIPEI))
    assert isinstance(planned, Wait)
    assert planned.until is not None
    assert planned.until.astimezone(ZoneInfo(TAIPEI)).date() == date(2027, 1, 2)
    assert decide(due, a_standing(), book, planned.until).reason is Reason.NO_CONSENT


def test_hours_of_an_amendment_hold_from_its_day(folder: Path) -> None:
    book = book_with(folder, EVENINGS_END_EARLIER, change=ends_at_six)
    (place,) = [place for name, place in book.places.by_id.items() if name == "TW"]
    before, since = (
        place.law.on(date(year, month, day)).hours.law for year, month, day in ((2026, 12, 31), (2027, 1, 1))
    )
    assert before is not None
    assert since is not None
    assert (before.week.week[0], since.week.week[0]) == (((420, 1320),), ((420, 1080),))


def test_our_hours_may_not_outlast_those_of_a_law_to_come(folder: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        book_with(folder, EVENINGS_END_EARLIER)
    assert "mon 09:00-20:30 is outside the law's hours, jurisdictions/TW.toml:" in str(refused.value)
    assert str(refused.value).endswith("from 2027-01-01")


def test_a_policy_that_a_law_to_come_forbids_is_refused_today_with_the_day(folder: Path) -> None:
    lender = folder / "lenders/demo-tw.toml"
    own = 'max_segments = 2\nhours = { daily = "09:00-19:00" }'
    lender.write_text(lender.read_text("utf-8").replace("max_segments = 2", own), "utf-8")
    with pytest.raises(PolicyError, match=r"hours: mon 09:00-19:00 is looser.*TW\.toml:\d+ \(from 2027-01-01\)"):
        book_with(folder, EVENINGS_END_EARLIER, change=ends_at_six)


def test_a_cap_to_come_counts_the_texts_of_the_time_before_it(folder: Path) -> None:
    book = book_with(folder, ONE_IN_FORTY_DAYS)
    before, since = (rules_at(book, instant(f"{day} 12:00", TAIPEI)) for day in ("2026-12-31", "2027-01-01"))
    assert Cap(1, 40 * DAY) not in before.person_caps
    assert Cap(1, 40 * DAY) in since.person_caps
    assert before.longest_window == 40 * DAY, "the ledger keeps what will be counted"
    facts = a_customer(an_account(an_instalment("2026-12-20")))
    now = instant("2026-12-27 13:00", TAIPEI)
    sent = decide(facts, a_standing(), book, now)
    assert isinstance(sent, Send)
    standing = after(a_standing(), facts, sent.reminder, now)
    next_year = decide(facts, standing, book, instant("2027-01-04 13:30", TAIPEI))
    assert next_year.reason is Reason.PERSON_CAP


def test_a_limit_that_ends_holds_to_the_end_of_its_last_day(folder: Path) -> None:
    ending = ONE_IN_FORTY_DAYS.replace("in_force_from = 2027-01-01", "in_force_until = 2026-12-31")
    book = book_with(folder, ending)
    assert Cap(1, 40 * DAY) in rules_at(book, instant("2026-12-31 23:59", TAIPEI)).person_caps
    assert Cap(1, 40 * DAY) not in rules_at(book, instant("2027-01-01 00:00", TAIPEI)).person_caps


def test_while_the_day_has_begun_in_some_zones_of_a_place_only_old_and_new_law_hold(folder: Path) -> None:
    ending = ONE_IN_FORTY_DAYS.replace("in_force_from = 2027-01-01", "in_force_until = 2026-12-31")
    beginning = ONE_IN_FORTY_DAYS.replace('"40d"', '"50d"')
    book = book_with(folder, ending + beginning, place="US")
    for moment, old, new in (
        ("2026-12-31 23:59", True, False),
        ("2027-01-01 00:00", True, True),  # in New York; in Adak it is still the year before
        ("2027-01-01 04:59", True, True),
        ("2027-01-01 05:00", False, True),
    ):
        caps = rules_at(book, instant(moment, NEW_YORK), country="US", phone_country="US").person_caps
        assert (Cap(1, 40 * DAY) in caps, Cap(1, 50 * DAY) in caps) == (old, new), moment


def test_the_law_of_the_number_changes_on_its_own_clock(folder: Path) -> None:
    book = book_with(folder, ONE_IN_FORTY_DAYS, place="HK")
    at_home = {"country": "US", "phone_country": "HK"}
    assert Cap(1, 40 * DAY) not in rules_at(book, instant("2026-12-31 23:59", "Asia/Hong_Kong"), **at_home).person_caps
    assert Cap(1, 40 * DAY) in rules_at(book, instant("2027-01-01 00:00", "Asia/Hong_Kong"), **at_home).person_caps


def test_rules_are_combined_once_for_each_period(folder: Path) -> None:
    book = book_with(folder, ONE_IN_FORTY_DAYS)
    morning, evening, next_year = (
        rules_at(book, instant(moment, TAIPEI))
        for moment in ("2026-12-31 09:00", "2026-12-31 20:00", "2027-01-05 09:00")
    )
    assert morning is evening
    assert morning is not next_year


def test_compiled_policies_change_on_the_day_as_well(folder: Path) -> None:
    book: PolicyBook = pickle.loads(pickle.dumps(book_with(folder, CONSENT_IS_NEEDED)))
    assert not rules_at(book, instant("2026-12-31 23:59", TAIPEI)).consent_required
    assert rules_at(book, instant("2027-01-01 00:00", TAIPEI)).consent_required


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            EVENINGS_END_EARLIER + EVENINGS_END_EARLIER,
            "amendments: not in the order of in_force_from",
            id="a day twice",
        ),
        pytest.param(
            "\n[[amendments]]\nin_force_from = 2027-01-01\n", "amendments.0: replaces nothing", id="one that is empty"
        ),
        pytest.param(
            EVENINGS_END_EARLIER.replace('mark = "V"', 'mark = "D"'), "hours: a default of our own", id="ours as law"
        ),
        pytest.param(
            EVENINGS_END_EARLIER + "in_force_from = 2027-02-01\n", "no in_force_from of its own", id="a second day"
        ),
        pytest.param(
            ONE_IN_FORTY_DAYS + "in_force_until = 2026-12-31\n", "caps.4: in_force_until is before", id="the end first"
        ),
        pytest.param(
            ONE_IN_FORTY_DAYS.replace("[[caps]]", "[[limits]]"), "limits: is no key here", id="a list that is none"
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_by_file_and_line(folder: Path, text: str, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        book_with(folder, text, change=ends_at_six)
    assert str(refused.value).startswith("jurisdictions/TW.toml:")
    assert says in str(refused.value)


def test_what_a_file_says_once_has_no_day_of_its_own(folder: Path) -> None:
    with pytest.raises(PolicyError, match=r"TW\.toml:\d+: opt_out: .*\[\[amendments\]\]"):
        book_with(
            folder,
            "",
            change=lambda text: text.replace(
                "line_required = false\n", "line_required = false\nin_force_from = 2027-01-01\n"
            ),
        )


def test_a_file_that_would_lose_its_last_cap_is_refused(folder: Path) -> None:
    def ending(text: str) -> str:
        return text.replace('scope = "person"\n', 'scope = "person"\nin_force_until = 2026-12-31\n')

    with pytest.raises(PolicyError, match=r"no cap.* is left, from 2027-01-01"):
        book_with(folder, "", change=ending)
