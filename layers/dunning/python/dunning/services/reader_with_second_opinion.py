"""Reading with a second opinion: the local reader reads every reply, the larger reader those that are in doubt."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from threading import Lock

from dunning.domain.replies.intents import ParsedReply
from dunning.domain.replies.masked_reply import mask_for_larger_reader, says_something
from dunning.domain.replies.second_opinion import wants_second_opinion, with_second_opinion
from dunning.ports.clock import Clock
from dunning.ports.gateways import LargerReader, ReplyReader
from dunning.ports.telemetry import Metric, Telemetry

_UNANSWERED_IN_A_ROW = 3
_PAUSE = timedelta(minutes=1)
"""
A larger reader that does not answer is left alone for a while. Otherwise each reply of a batch would wait for it, and
stops among them, too.
"""


class ReaderWithSecondOpinion:
    """Implements `ReplyReader`."""

    def __init__(self, local: ReplyReader, larger: LargerReader, clock: Clock, telemetry: Telemetry) -> None:
        self._local = local
        self._larger = larger
        self._clock = clock
        self._telemetry = telemetry
        self._unanswered = 0
        self._unanswered_at: datetime | None = None
        self._lock = Lock()

    def parse(
        self,
        text: str,
        *,
        said_on: date,
        phone_country: str,
        our_texts: Sequence[str] = (),
        customer_name: str = "",
    ) -> ParsedReply:
        """Read a reply here. If that leaves a doubt, mask the reply and ask the larger reader once."""
        parsed = self._local.parse(text, said_on=said_on, phone_country=phone_country, our_texts=our_texts)
        if not wants_second_opinion(parsed) or self._is_paused():
            return parsed
        masked = mask_for_larger_reader(_without_quotes(text, our_texts), customer_name)
        if not says_something(masked):
            return parsed
        self._telemetry.count(Metric.LARGER_READER_ASKED)
        intents = self._larger.read(masked, phone_country)
        if intents is None:
            self._telemetry.count(Metric.LARGER_READER_NO_ANSWER)
        self._note(answered=intents is not None)
        return with_second_opinion(parsed, intents)

    def _is_paused(self) -> bool:
        with self._lock:
            if self._unanswered < _UNANSWERED_IN_A_ROW or self._unanswered_at is None:
                return False
            return self._unanswered_at <= self._clock.now() < self._unanswered_at + _PAUSE

    def _note(self, *, answered: bool) -> None:
        with self._lock:
            self._unanswered = 0 if answered else self._unanswered + 1
            self._unanswered_at = None if answered else self._clock.now()


def _without_quotes(text: str, our_texts: Sequence[str]) -> str:
    """Return a reply without texts of ours that it repeats word for word."""
    for ours in our_texts:
        text = text.replace(ours, " ") if ours else text
    return text
