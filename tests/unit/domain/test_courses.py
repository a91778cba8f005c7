"""Courses: how texts are summed up, and what differs between two policies."""

from datetime import timedelta

from dunning.domain.effect.courses import (
    EXAMPLES,
    Course,
    CourseSums,
    CourseText,
    DifferingCustomer,
    MostTexted,
    NextText,
    PolicyComparison,
    next_text_moves,
)
from tests.support.builders import a_customer, a_standing, taipei

NOON = taipei("2026-12-01 12:00")
TEXT = CourseText(NOON, NOON, 3, "sms", "zh-Hant/overdue-3@3", "UCS-2", 2, 83_000, "TW", "words")
DAY = timedelta(days=1)


def course(*texts: CourseText, name: str = "C1", **more: object) -> Course:
    return Course(customer_id=name, texts=list(texts), ended="next_stage", **more)  # type: ignore[arg-type]


def after(days: int) -> CourseText:
    return TEXT._replace(at=NOON + days * DAY)


def test_sums_count_texts_segments_money_and_people() -> None:
    sums = CourseSums()
    mail = TEXT._replace(channel="email", parts=1, price=100, stage=0)
    sums.add(course(TEXT, mail, handed_over=["ladder_finished", "no_consent"]))
    sums.add(course())
    assert (sums.customers, sums.texted, sums.texts, sums.segments, sums.price) == (2, 1, 2, 2, 83_100)
    assert (sums.by_stage, sums.by_channel) == ({3: 1, 0: 1}, {"sms": 1, "email": 1})
    assert (sums.to_people, sums.handed_over) == (1, {"ladder_finished": 1, "no_consent": 1})
    assert sums.ended == {"next_stage": 2}


def test_the_hour_is_the_customers() -> None:
    sums = CourseSums()
    sums.add(course(TEXT._replace(local_at=NOON.replace(hour=9))))
    assert sums.by_hour == {9: 1}


def test_the_most_texted_are_one_in_a_hundred_and_at_least_somebody() -> None:
    sums = CourseSums()
    for number in range(150):
        sums.add(course(*[TEXT] * (9 if number == 0 else 4 if number < 4 else 1)))
    assert sums.most_texted() == MostTexted(customers=2, texts=13, least=4, most=9)
    assert CourseSums().most_texted() == MostTexted(0, 0, 0, 0)


def test_the_next_text_is_compared_by_its_time_and_then_by_its_words() -> None:
    other = TEXT._replace(template="zh-Hant/overdue-7@3", stage=7)
    cases = {
        (): {(): NextText.SAME, (TEXT,): NextText.NEW},
        (TEXT,): {
            (): NextText.NONE,
            (TEXT, after(5)): NextText.SAME,
            (after(1),): NextText.LATER,
            (after(-1),): NextText.EARLIER,
            (other,): NextText.OTHER_WORDS,
        },
    }
    for before, found in cases.items():
        for now, moves in found.items():
            assert next_text_moves(course(*before), course(*now)) is moves


def customer() -> DifferingCustomer:
    return DifferingCustomer(a_customer(), a_standing(), ())


def test_moved_are_those_whose_next_text_comes_at_another_time_or_comes_or_goes() -> None:
    comparison = PolicyComparison()
    for before, after_change in (
        (course(TEXT), course(TEXT)),
        (course(TEXT), course(after(1))),
        (course(), course(TEXT)),
        (course(TEXT), course(TEXT._replace(stage=7))),
        (course(TEXT), course(TEXT, after(4))),
    ):
        comparison.add(before, after_change, customer)
    assert (comparison.differing, comparison.moved) == (4, 2)
    assert comparison.next_texts == {NextText.SAME: 2, NextText.LATER: 1, NextText.NEW: 1, NextText.OTHER_WORDS: 1}


def test_who_is_only_handed_over_differs_too() -> None:
    comparison = PolicyComparison()
    comparison.add(course(TEXT), course(TEXT, handed_over=["unanswered"]), customer)
    assert (comparison.differing, comparison.moved) == (1, 0)
    assert [kind for kind, _ in comparison.examples()] == ["as many texts, next text: same, over to a person"]


def test_examples_show_every_kind_of_difference_before_they_show_one_kind_twice() -> None:
    comparison = PolicyComparison()
    for number in range(60):
        name = f"C{number}"
        later = course(after(1), name=name) if number < 58 else course(name=name)
        comparison.add(course(TEXT, name=name), later, customer)
    kinds = [kind for kind, _ in comparison.examples()]
    assert len(kinds) == EXAMPLES
    assert kinds[:4] == ["as many texts, next text: later", "fewer texts, next text: none"] * 2
    assert set(kinds[4:]) == {"as many texts, next text: later"}


def test_an_example_is_asked_for_only_where_it_may_be_shown() -> None:
    comparison = PolicyComparison()
    asked = []

    def ask() -> DifferingCustomer:
        asked.append(1)
        return customer()

    comparison.add(course(TEXT), course(TEXT), ask)
    for _ in range(EXAMPLES + 5):
        comparison.add(course(TEXT), course(after(1)), ask)
    assert len(asked) == EXAMPLES
