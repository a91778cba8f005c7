"""
People: what the customers of the sample write back, and when. The same for the same text, so that runs read alike.

Words of the kind people really send; nobody's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

_ANSWERS = 0.12
"""So many texts are answered at all."""

_HONEST = 0.7
_PAID, _PROMISE = 0, 1
"""Places of the groups below."""

_WORDS: Mapping[str, Sequence[tuple[float, Sequence[str]]]] = {
    "zh-Hant": (
        (18, ("已經繳了", "我昨天繳過了", "已繳，謝謝")),
        (16, ("週五會繳", "下個月5號發薪會繳", "明天繳")),
        (9, ("退訂", "不要再傳簡訊給我了", "STOP")),
        (7, ("我失業了，可以分期嗎", "最近沒錢，可以延期嗎")),
        (4, ("金額不對", "我沒有借這筆錢")),
        (3, ("打錯了，我不是本人",)),
        (2, ("我要投訴，一直騷擾",)),
        (3, ("請打給我",)),
        (18, ("收到，謝謝", "好的", "知道了", "👌")),
        (4, ("請問營業時間到幾點", "改天再說")),
    ),
    "zh-Hans": (
        (18, ("已经还了", "昨天还过了", "已还，谢谢")),
        (16, ("周五还", "明天还", "下个月5号还")),
        (9, ("退订", "T", "不要再发短信了")),
        (7, ("我失业了，能延期吗", "最近没钱还")),
        (4, ("金额不对",)),
        (3, ("打错了，我不是本人",)),
        (2, ("我要投诉你们骚扰",)),
        (3, ("请给我打电话",)),
        (18, ("收到", "好的", "知道了谢谢")),
        (4, ("请问几点下班",)),
    ),
    "en": (
        (18, ("Already paid", "I paid yesterday", "paid this morning, thanks")),
        (16, ("will pay on Friday", "I'll pay tomorrow", "Will pay next Monday")),
        (9, ("STOP", "please stop texting me", "Stop")),
        (7, ("I lost my job, can I get a plan?", "I can't afford it this month")),
        (4, ("The amount is wrong", "This is not my debt")),
        (3, ("wrong number",)),
        (2, ("I will file a complaint, this is harassment",)),
        (3, ("HELP", "please call me")),
        (18, ("ok", "thanks", "got it")),
        (4, ("What time do you close?",)),
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody writes and when, and how long after it they pay, if they do."""

    at: datetime
    text: str
    pays_after: timedelta | None = None


def answer_to(phone: str, language: str, nth: int, at: datetime) -> Answer | None:
    """Return what somebody writes back to a text, their `nth`; mostly nothing."""
    random = Random(f"{phone} answers {nth}")
    if random.random() >= _ANSWERS:
        return None
    groups = _WORDS[language]
    (_, words), *_ = random.choices(groups, [weight for weight, _ in groups])
    answer = Answer(at + timedelta(minutes=random.choice((2, 3, 8, 25, 90, 400))), random.choice(words))
    # Who says it is paid is mostly right, and who promises mostly keeps it.
    if words is groups[_PAID][1] and random.random() < _HONEST:
        return replace(answer, pays_after=timedelta(hours=20))
    if words is groups[_PROMISE][1] and random.random() < _HONEST:
        return replace(answer, pays_after=timedelta(hours=12))
    return answer
