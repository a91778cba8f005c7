"""What the seeds say of people who do not exist, and where it must not be found: in errors, logs and reasons."""

import json
import re
import traceback
from collections.abc import Iterable

NAME = "吳秘密"
PHONE = "+886900000001"
WORDS = "我妹妹住院了"
"""A name, a number and words that all seeds hold."""

_WHO = (
    re.compile(f"{NAME}|{json.dumps(NAME)[1:-1]}".replace("\\", r"\\")),
    re.compile(r"[^0-9A-Za-z]{0,2}".join(PHONE.removeprefix("+886"))),
    re.compile(f"{WORDS}|{json.dumps(WORDS)[1:-1]}".replace("\\", r"\\")),
)
"""However it is written: the number as people write it at home, texts as JSON has them, too."""


def found(*places: object) -> list[str]:
    """Return which of what was planted stands in these places."""
    return [pattern.pattern for place in places for pattern in _WHO if pattern.search(_as_text(place))]


def found_besides_ids(*places: object, ids: Iterable[str]) -> list[str]:
    """Return the same; but an id may be anything that has the form of an id, and is logged as it is."""
    texts = [_as_text(place) for place in places]
    for known in sorted(filter(None, ids), key=len, reverse=True):
        texts = [text.replace(known, "<id>") for text in texts]
    return found(*texts)


def _as_text(place: object) -> str:
    if isinstance(place, BaseException):
        written = "".join(traceback.format_exception_only(place))
        chained = [cause for cause in (place.__cause__, place.__context__) if cause and not place.__suppress_context__]
        return f"{place} {place!r} {written} {' '.join(map(_as_text, chained))}"
    return place if isinstance(place, str) else repr(place)


def assert_named(reason: str, *beginnings: str) -> None:
    """A refusal has a reason, on few lines, in words of ours."""
    assert reason.strip(), "refused without a reason"
    assert not beginnings or reason.startswith(beginnings), reason
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]", reason), "a reason that no log or terminal takes"
