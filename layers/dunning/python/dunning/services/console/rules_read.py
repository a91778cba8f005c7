"""Texts and rules: what holds for a lender in a place and from whom, and its texts as they arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from dunning.domain.limits import Effective, Limit, OpenDay
from dunning.domain.sayings import Saying
from dunning.domain.texts.previewed import Filling, Message, filling_of
from dunning.ports.clock import Clock
from dunning.ports.rule_book import RuleBook
from dunning.services.console.shown import CodeShown, StageShown

_CASES: Mapping[tuple[bool, bool], str] = {
    (False, False): "single",
    (False, True): "single_fee",
    (True, False): "several",
    (True, True): "several_fee",
}
_LATER = ("to do", "noted")
"""What is no limit of a text stands at the end of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What somebody has chosen, and what there is to choose from. Places are ids and names."""

    lender: str
    lenders: tuple[str, ...]
    place_id: str
    places: tuple[tuple[str, str], ...]
    language: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DaysShown:
    """Days of the week that are alike, one after another."""

    names: tuple[Saying, ...]
    hours: OpenDay


@dataclass(frozen=True, slots=True)
class TopicShown:
    """What holds of one topic. `anchor` is its place in the page."""

    anchor: str
    name: Saying
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesView:
    """The rules of a lender in a place on a day; `effective` is `None` if nobody there is texted."""

    chosen: Chosen
    today: date
    effective: Effective | None
    week: tuple[DaysShown, ...]
    topics: tuple[TopicShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShown:
    """
    A text as it arrives. `case` says for whom.

    `stops` are the reasons for which it would not be sent, with the words of the trace; `doubts` what a person should
    look at; `price` is in millionths of a US dollar.
    """

    case: CodeShown
    is_long: bool
    text: str
    segments: int
    encoding: str
    filling: Filling | None
    price: int
    template: str
    stops: tuple[tuple[CodeShown, str], ...]
    remarks: tuple[CodeShown, ...]
    doubts: tuple[tuple[Saying, str], ...]


@dataclass(frozen=True, slots=True)
class StageTexts:
    """The texts of a stage. `anchor` is its place in the page."""

    anchor: str
    stage: StageShown
    texts: tuple[TextShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextsView:
    """All texts of a lender in a language, as people in a place get them."""

    chosen: Chosen
    stages: tuple[StageTexts, ...]
    texts: int
    stopped: int
    dearest: int


class RulesService:
    """Reads the rule book for people."""

    def __init__(self, book: RuleBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    def rules(self, lender: str, place_id: str) -> RulesView:
        """Return what holds; what is not known or not chosen is the first there is."""
        chosen = self._chosen(lender, place_id, "")
        today = self._clock.now().date()
        effective = self._book.effective(chosen.lender, chosen.place_id, today) if chosen.place_id else None
        return RulesView(
            chosen=chosen,
            today=today,
            effective=effective,
            week=_week(effective.days if effective else ()),
            topics=_topics(effective.limits if effective else ()),
        )

    def texts(self, lender: str, place_id: str, language: str) -> TextsView:
        """Return the texts; what is not known or not chosen is the first there is."""
        chosen = self._chosen(lender, place_id, language)
        today = self._clock.now().date()
        # Where nobody is texted there are no texts to show either.
        is_texted = bool(chosen.place_id) and self._book.effective(chosen.lender, chosen.place_id, today) is not None
        messages = self._book.texts(chosen.lender, chosen.place_id, chosen.language) if is_texted else ()
        stages = [
            StageTexts(f"stage-{number}", StageShown(stage), tuple(map(_text_shown, texts)))
            for number, (stage, texts) in enumerate(groupby(messages, key=lambda message: message.case.stage))
        ]
        return TextsView(
            chosen=chosen,
            stages=tuple(stages),
            texts=len(messages),
            stopped=sum(bool(message.refusals) for message in messages),
            dearest=max((message.price for message in messages), default=0),
        )

    def _chosen(self, lender: str, place_id: str, language: str) -> Chosen:
        languages = self._book.languages()
        lender = lender if lender in languages else next(iter(languages), "")
        places = self._book.named_places(lender) if lender else ()
        spoken = languages.get(lender, ())
        return Chosen(
            lender=lender,
            lenders=tuple(languages),
            place_id=place_id if place_id in dict(places) else next((found for found, _ in places), ""),
            places=tuple(places),
            language=language if language in spoken else next(iter(spoken), ""),
            languages=tuple(spoken),
        )


def _week(days: Sequence[OpenDay]) -> tuple[DaysShown, ...]:
    alike = groupby(days, key=lambda day: (day.before, day.overdue, day.limited_by))
    groups = [list(group) for _, group in alike]
    return tuple(DaysShown(tuple(Saying(day.day) for day in group), group[0]) for group in groups)


def _topics(limits: Sequence[Limit]) -> tuple[TopicShown, ...]:
    by_topic: dict[str, list[Limit]] = {}
    for limit in sorted(limits, key=lambda limit: limit.topic in _LATER):
        by_topic.setdefault(limit.topic.replace(" ", "_").replace("-", "_"), []).append(limit)
    return tuple(
        TopicShown(f"topic-{code.replace('_', '-')}", Saying(f"topic_{code}"), tuple(found))
        for code, found in by_topic.items()
    )


def _text_shown(message: Message) -> TextShown:
    reminder, case = message.reminder, message.case
    remarks = []
    if message.is_longer_than_typical:
        remarks.append(CodeShown("remark", "longer"))
    if message.spares_fee:
        remarks.append(CodeShown("remark", "without_fee"))
    return TextShown(
        case=CodeShown("text_case", _CASES[case.several, case.fee]),
        is_long=case.worst,
        text=message.arriving,
        segments=reminder.parts if reminder else 0,
        encoding=reminder.encoding if reminder else "",
        filling=filling_of(message.arriving) if reminder else None,
        price=message.price,
        template=reminder.template if reminder else "",
        stops=tuple((CodeShown("reason", reason.value), words) for reason, words in message.refusals),
        remarks=tuple(remarks),
        doubts=tuple((Saying(f"rule_{doubt.rule.replace('-', '_')}"), doubt.message) for doubt in message.to_check),
    )
