"""What holds for a lender in a place is told with its origin: the law, our defaults, the lender."""

import re
from datetime import date
from importlib.resources import files

import pytest

from dunning.domain.decision.rules import Rules
from dunning.domain.limits import Effective, Part
from dunning.policy import PolicyBook
from dunning.policy.effective import UNLESS_OTHERWISE, effective_rules, hours_in_words, week_in_words
from dunning.policy.fields import parse_hours
from ops.english import in_english
from tests.support.builders import policies_with_lender, the_policies
from tests.support.people import NOW

TODAY = date(2026, 11, 24)


def book_with(*lines: str) -> PolicyBook:
    """Return the package's policies with demo-tw changed: lines in front of its first table."""
    name = "lenders/demo-tw.toml"
    text = (
        (files("dunning.policy") / "data" / name)
        .read_text("utf-8")
        .replace("[sender_name]", "\n".join((*lines, "[sender_name]")))
    )
    return policies_with_lender("demo-tw", text)


def found(book: PolicyBook, place: str, today: date = TODAY) -> Effective:
    (effective,) = [rules for rules in effective_rules(book, "demo-tw", today) if rules.place == place]
    return effective


def warnings(effective: Effective) -> list[str]:
    return [in_english(warning) for warning in effective.warnings]


def parts(effective: Effective, topic: str) -> list[Part]:
    return [part for limit in effective.limits if limit.topic == topic for part in limit.parts]


def test_each_place_a_policy_reaches_is_explained_once_regions_too() -> None:
    places = [rules.place for rules in effective_rules(the_policies(), "demo-tw", TODAY)]
    assert places == ["TW", "HK", "US", "US-DC", "US-MA", "US-NY"]


def test_the_hours_of_taiwan_are_ours_inside_the_laws() -> None:
    hours = parts(found(the_policies(), "TW"), "hours")
    assert [(part.origin, in_english(part.says), part.mark) for part in hours] == [
        ("law", "07:00-22:00 every day", "V"),
        ("ours", "09:00-20:30 every day", "D"),
        ("ours", "none on public holidays, overdue texts", "D"),
    ]
    assert "art. 14" in hours[0].source


def test_every_part_names_the_line_it_is_written_in() -> None:
    for lender in the_policies().lenders:
        for effective in effective_rules(the_policies(), lender, TODAY):
            for limit in effective.limits:
                for part in limit.parts:
                    if part.at == UNLESS_OTHERWISE:
                        assert (part.origin, part.mark) == ("ours", "D")
                        continue
                    name, _, line = part.at.rpartition(":")
                    written = (files("dunning.policy") / "data" / name).read_text("utf-8").splitlines()[int(line) - 1]
                    assert re.match(r"\[|\w", written), (part, written)
                    assert (part.origin == "lender") is name.startswith("lenders/")
                    assert (part.mark is None) is (part.origin == "lender")


def test_the_explained_rules_are_the_rules_that_decide() -> None:
    for lender in the_policies().lenders:
        for effective in effective_rules(the_policies(), lender, TODAY):
            region = effective.place.partition("-")[2]
            rules = the_policies().rules(lender, effective.country, region, at=NOW)
            assert isinstance(rules, Rules)
            shown = {limit.topic: in_english(limit.effective) for limit in effective.limits}
            assert in_english(week_in_words(rules.hours.week)) in shown["hours"]
            assert in_english(week_in_words(rules.overdue_hours.week)) in shown["hours"]
            of_channels = {(use.channel, cap) for order in rules.channels.values() for use in order for cap in use.caps}
            assert shown["caps"].count(";") + 1 <= len({*rules.person_caps, *rules.account_caps, *of_channels})
            assert ("has to be on record" in shown["consent"]) is rules.consent_required
            assert ("every text says how" in shown["opt-out"]) is bool(rules.opt_out_line)
            assert f"{rules.retention_days:,} days" in shown["record"]
            assert ("one text confirms it" in shown["opt-out"]) is bool(rules.confirmations)
            assert ("ends contact" in shown["refusal to pay"]) is rules.refusal_ends_contact
            assert f"{rules.question_days} after a question, {rules.doubt_days} in doubt" in shown["replies"]
            assert shown["replies"].startswith(f"{rules.grace_days} days of silence")
            assert f"a promise reaches {rules.promise_days} days" in shown["replies"]


def test_the_lenders_rules_for_replies_are_shown_with_their_line_and_our_defaults_without() -> None:
    text = (files("dunning.policy") / "data" / "lenders/demo-tw.toml").read_text("utf-8")
    own = policies_with_lender("demo-tw", text.replace("grace_days = 3", "grace_days = 1"))
    (limit,) = [limit for limit in found(own, "TW").limits if limit.topic == "replies"]
    assert in_english(limit.effective).startswith("1 day of silence")
    assert [part.at.partition("/")[0] for part in limit.parts] == ["lenders", "jurisdictions"]
    silent = text.replace("grace_days = 3\n", "").replace("promise_days = 14\n", "").replace("[replies]", "#")
    silent = silent.replace("question_days = 2\n", "").replace("doubt_days = 3\n", "")
    (limit,) = [
        limit for limit in found(policies_with_lender("demo-tw", silent), "TW").limits if limit.topic == "replies"
    ]
    assert in_english(limit.effective).startswith("3 days of silence")
    assert [part.at.partition("/")[0] for part in limit.parts] == ["jurisdictions"]


def test_a_lenders_cap_that_something_stricter_makes_idle_is_warned_of() -> None:
    american = found(the_policies(), "US")
    assert any("3 in 7 days" in warning and "no effect" in warning for warning in warnings(american))
    taiwan = found(the_policies(), "TW")
    assert not any("no effect" in warning for warning in warnings(taiwan))


def test_a_lenders_hours_that_are_narrowed_are_warned_of_and_narrower_ones_are_not() -> None:
    wide = found(book_with('hours = { daily = "08:00-20:00" }'), "TW")
    assert "hours: the lender's are narrowed to 09:00-20:00 every day" in warnings(wide)
    narrow = found(book_with('hours = { daily = "10:00-18:00" }'), "TW")
    assert not any(warning.startswith("hours") for warning in warnings(narrow))
    assert [(part.origin, in_english(part.says)) for part in parts(narrow, "hours")][-1] == (
        "lender",
        "10:00-18:00 every day",
    )


@pytest.mark.parametrize(
    ("place", "says"),
    [
        pytest.param(
            "GB", "Mon-Fri 08:00-20:00, Sat 09:00-17:00, Sun closed, none on holidays", id="closed on holidays"
        ),
        pytest.param(
            "TH", "09:00-18:00 every day; overdue: none on holidays", id="overdue texts rest by our own default"
        ),
        pytest.param(
            "HK",
            "09:00-20:30 every day; overdue: Mon-Sat 09:00-20:30, Sun closed, none on holidays",
            id="overdue texts",
        ),
        pytest.param(
            "CN", "09:00-20:30 every day; overdue: none on holidays", id="moved working days are days like others"
        ),
    ],
)
def test_the_effect_of_holidays_is_explained(place: str, says: str) -> None:
    lender = "demo-cn" if place == "CN" else "demo-world"
    (effective,) = [rules for rules in effective_rules(the_policies(), lender, TODAY) if rules.place == place]
    assert next(in_english(limit.effective) for limit in effective.limits if limit.topic == "hours") == says


def test_a_preferred_hour_after_which_a_day_is_over_is_warned_of() -> None:
    # What is due that day would wait for the next, when it is late, and is skipped.
    warned = {place: warnings(found(preferring("21:00"), place)) for place in ("TW", "HK")}
    assert all(any("preferred_hour is too late" in warning for warning in lines) for lines in warned.values())
    # 16:00 in Hawaii is 21:00 in New York: somebody whose state is not known may be in either.
    assert any("preferred_hour" in warning for warning in warnings(found(preferring("16:00"), "US")))
    assert not any("preferred_hour" in warning for warning in warnings(found(preferring("16:00"), "US-MA")))
    assert not any("preferred_hour" in warning for warning in warnings(found(preferring("06:00"), "TW")))


def preferring(hour: str) -> PolicyBook:
    text = (files("dunning.policy") / "data" / "lenders/demo-tw.toml").read_text("utf-8")
    return policies_with_lender("demo-tw", text.replace('"10:00"', f'"{hour}"'))


def test_a_highest_price_below_what_the_longest_text_costs_is_warned_of() -> None:
    text = (files("dunning.policy") / "data" / "lenders/demo-tw.toml").read_text("utf-8")
    cheap = policies_with_lender("demo-tw", text.replace('max_price = "0.20"', 'max_price = "0.08"', 1))
    assert any(
        "max_price 0.08 is less than 2 segments cost, about 0.0834" in warning
        for warning in warnings(found(cheap, "TW"))
    )
    assert not any(
        "max_price" in warning for place in ("TW", "HK", "US") for warning in warnings(found(the_policies(), place))
    )


def test_whether_replies_can_arrive_is_told_with_its_source_and_the_opt_out_line_asks_for_none_in_vain() -> None:
    def shown(lender: str, place: str) -> dict[str, str]:
        (effective,) = [rules for rules in effective_rules(the_policies(), lender, TODAY) if rules.place == place]
        (replies,) = [limit for limit in effective.limits if limit.topic == "replies"]
        assert any("two_way" not in in_english(part.says) and "jurisdictions/" in part.at for part in replies.parts)
        return {limit.topic: in_english(limit.effective) for limit in effective.limits}

    assert shown("demo-tw", "US")["replies"].endswith("they can arrive")
    assert "asks for no reply" not in shown("demo-tw", "US")["opt-out"]
    assert shown("demo-world", "default")["replies"].endswith("none can arrive")
    assert "every text says how, and asks for no reply" in shown("demo-world", "default")["opt-out"]


def test_where_no_number_may_be_in_a_text_the_words_that_take_its_place_are_shown() -> None:
    malaysia = next(rules for rules in effective_rules(the_policies(), "demo-world", TODAY) if rules.place == "MY")
    assert [in_english(limit.effective) for limit in malaysia.limits if limit.topic == "numbers"] == [
        "none: ask in our app (en)"
    ]


def test_a_place_without_a_calendar_is_warned_of_the_texts_that_stop() -> None:
    book = PolicyBook(
        the_policies().places, the_policies().lenders, the_policies().wordings, the_policies().linter,
        the_policies()._estimates, lambda _: None,  # noqa: SLF001
    )  # fmt: skip
    assert "calendar: none for HK: no overdue text is sent there" in warnings(found(book, "HK"))
    (default,) = [rules for rules in effective_rules(book, "demo-world", TODAY) if rules.place == "default"]
    assert f"calendar: none for {default.country}: no text is sent there" in warnings(default)


def test_a_calendar_that_ends_within_sixty_days_is_warned_of() -> None:
    ends = the_policies().calendar_of("HK")
    assert ends is not None
    in_time = date.fromordinal(ends.valid_until.toordinal() - 60)
    assert not [warning for warning in warnings(found(the_policies(), "HK", in_time)) if "calendar" in warning]
    late = date.fromordinal(in_time.toordinal() + 1)
    (warning,) = [warning for warning in warnings(found(the_policies(), "HK", late)) if "calendar" in warning]
    assert "in 59 days" in warning


def test_limits_from_memory_and_those_nobody_has_looked_at_for_a_year_are_warned_of() -> None:
    memory = [warning for warning in warnings(found(the_policies(), "HK")) if "from memory" in warning]
    assert memory == ["from memory, not verified: trials, to do, noted; have counsel check"]
    fresh = found(the_policies(), "TW", date(2027, 11, 20))
    assert not any("not looked at" in warning for warning in warnings(fresh))
    stale = found(the_policies(), "TW", date(2028, 1, 1))
    assert any("not looked at for a year: closed days" in w or "caps" in w for w in warnings(stale) if "looked" in w)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        pytest.param({"daily": "09:00-20:30"}, "09:00-20:30 every day", id="all days alike"),
        pytest.param({"mon-fri": "08:00-20:00", "sat": "08:00-14:00", "sun": ""},
                     "Mon-Fri 08:00-20:00, Sat 08:00-14:00, Sun closed", id="runs of days"),
        pytest.param({"daily": "09:00-12:00, 13:00-18:00", "holiday": "", "working_day": "10:00-12:00"},
                     "09:00-12:00, 13:00-18:00 every day, holidays closed, moved working days 10:00-12:00",
                     id="a break, holidays, moved days"),
    ],
)  # fmt: skip
def test_hours_read_as_people_write_them(table: dict[str, str], words: str) -> None:
    assert in_english(hours_in_words(parse_hours(table))) == words


def test_our_own_defaults_are_shown_until_a_policy_says_otherwise() -> None:
    ours = found(the_policies(), "TW")
    assert ("ours", "8 in 30 days, a person") in [(part.origin, in_english(part.says)) for part in parts(ours, "caps")]
    assert "less than ten in JPY and TWD" in effective_of(ours, "smallest amount")
    assert "late ones at their own pace" in effective_of(ours, "stages")
    other = found(
        book_with('rest_on_holidays = false\ncatch_up = 5\nspread = "90m"\nsmallest_amounts = { TWD = 50 }'), "TW"
    )
    assert "none on holidays" not in effective_of(other, "hours")
    assert effective_of(other, "time of day") == "from 10:00, spread over 90 minutes"
    assert effective_of(other, "stages").endswith("late ones 5 days apart")
    assert effective_of(other, "smallest amount").endswith("instead: TWD 50")


def effective_of(effective: Effective, topic: str) -> str:
    return next(in_english(limit.effective) for limit in effective.limits if limit.topic == topic)
