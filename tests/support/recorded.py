"""
What has been recorded of a customer, and whether a text may be sent to them by it.

Written down a second time, in the plainest way: nothing here asks the code that decides.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts, HoldReason
from dunning.domain.replies.intents import ReplyIntent
from tests.support.office import Text

TAIPEI = ZoneInfo("Asia/Taipei")
DAY = timedelta(days=1)
GRACE_DAYS = 3
PROMISE_DAYS = 14
FILES_KNOW_UP_TO = DAY
CAPS = ((1, DAY), (3, 7 * DAY))
QUESTION_DAYS, DOUBT_DAYS = 2, 3
QUIET = {ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY}
HOLD_OF_INTENT = {
    ReplyIntent.HARDSHIP: HoldReason.HARDSHIP,
    ReplyIntent.DISPUTE: HoldReason.DISPUTE,
    ReplyIntent.COMPLAINT: HoldReason.COMPLAINT,
    ReplyIntent.WRONG_PERSON: HoldReason.WRONG_PERSON,
    ReplyIntent.DECEASED: HoldReason.DECEASED,
    ReplyIntent.REPRESENTED: HoldReason.REPRESENTED,
    ReplyIntent.REFUSAL: HoldReason.REFUSAL,
    ReplyIntent.DISTRESS: HoldReason.DISTRESS,
    ReplyIntent.SUSPICION: HoldReason.SUSPICION,
}
TO_CONFIRM = {ReplyIntent.OPT_OUT, ReplyIntent.WRONG_PERSON, ReplyIntent.DECEASED, ReplyIntent.REPRESENTED}
"""What a person has to confirm if it is only likely."""
HOLIDAYS = frozenset(
    date.fromisoformat(str(day))
    for day in tomllib.loads((files("dunning.policy") / "data" / "calendars" / "TW.toml").read_text("utf-8"))[
        "holidays"
    ]
)

type Key = tuple[str, int]
type When = tuple[datetime, int]


def working_days_later(day: date, count: int) -> date:
    """Count the days on which people work, in the plainest way."""
    while count:
        day += DAY
        count -= day.isoweekday() not in {6, 7} and day not in HOLIDAYS
    return day


def local_day(moment: datetime) -> date:
    return moment.astimezone(TAIPEI).date()


@dataclass
class Reply:
    """
    A reply that was worked off while the customer had its number, and the accounts they had then.

    `paid` and `promised` are what it was last taken for: a newer file may not tell any more. `label` is
    what a person says that it means, and when.
    """

    at: datetime
    sure: tuple[ReplyIntent, ...]
    likely: tuple[ReplyIntent, ...]
    digits: str
    promised_on: date | None
    accounts: tuple[str, ...]
    label: tuple[When, tuple[ReplyIntent, ...]] | None = None
    paid: frozenset[Key] = frozenset()
    promised: frozenset[Key] = frozenset()

    @property
    def intents(self) -> set[ReplyIntent]:
        return {*self.sure, *self.likely}

    @property
    def in_doubt(self) -> bool:
        """Whether a person has to read it: all but what surely asks for nothing, or is surely all understood."""
        if self.label is not None or (self.sure and self.intents <= QUIET):
            return False
        if self.sure == (ReplyIntent.OPT_IN,):
            return bool(self.likely)
        understood = set(self.sure) - QUIET - {ReplyIntent.OPT_IN}
        return bool(self.likely) or not understood or ReplyIntent.CHAT in understood

    @property
    def is_promise(self) -> bool:
        """Whether it promises money by a certain day, and it is certain that it does not say it is paid."""
        both = {ReplyIntent.PAID, ReplyIntent.PROMISE} <= self.intents
        unsure = both and not {ReplyIntent.PAID, ReplyIntent.PROMISE} <= set(self.sure)
        return ReplyIntent.PROMISE in self.intents and self.promised_on is not None and not unsure


@dataclass
class Recorded:
    """Everything that was worked off about one customer."""

    file: Facts | None = None
    uploaded_at: datetime | None = None
    paid: dict[Key, list[tuple[When, int]]] = field(default_factory=dict)
    closed: dict[str, list[datetime]] = field(default_factory=dict)
    held: dict[HoldReason, list[tuple[When, date | None]]] = field(default_factory=dict)
    released: list[tuple[datetime, HoldReason | None]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    carrier_opt_outs: list[datetime] = field(default_factory=list)
    refused: list[tuple[str, datetime]] = field(default_factory=list)
    erased_at: datetime | None = None

    # ------------------------------------------------------------ what is recorded

    def load(self, facts: Facts, uploaded_at: datetime) -> None:
        if self.erased_at is not None:
            assert facts.consented_at is not None, "restored without a consent"
            assert min(facts.consented_at, uploaded_at) > self.erased_at, "restored by what was said before"
        self._take_replies_for_what_they_are()
        self.file, self.uploaded_at = facts, uploaded_at
        self._take_replies_for_what_they_are()

    def takes(self, at: datetime) -> bool:
        """Tell whether what is said as of a moment counts: not of somebody erased, unless they came back since."""
        return self.erased_at is None or (self.file is not None and at > self.erased_at)

    def erase(self, at: datetime) -> None:
        self.erased_at = max(at, self.erased_at or at)
        came_back = (
            self.file is not None
            and self.file.consented_at is not None
            and self.uploaded_at is not None
            and min(self.file.consented_at, self.uploaded_at) > self.erased_at
        )
        if not came_back:
            vars(self).update(vars(Recorded(erased_at=self.erased_at)))
            return
        last = self.erased_at
        self.paid = {
            key: [payment for payment in payments if payment[0][0] > last] for key, payments in self.paid.items()
        }
        self.closed = {key: [moment for moment in moments if moment > last] for key, moments in self.closed.items()}
        held = {reason: [hold for hold in holds if hold[0][0] > last] for reason, holds in self.held.items()}
        self.held = {reason: holds for reason, holds in held.items() if holds}
        self.released = [release for release in self.released if release[0] > last]

    def receive(
        self,
        at: datetime,
        sure: tuple[ReplyIntent, ...],
        likely: tuple[ReplyIntent, ...],
        digits: str,
        ahead: int | None,
    ) -> None:
        """Record a reply. A promise of money has to name a day within reach."""
        assert self.file is not None
        certain = ahead is not None and ahead <= PROMISE_DAYS
        promised_on = local_day(at) + ahead * DAY if ahead is not None and certain else None
        named = tuple(account.account_id for account in self.file.accounts if digits and account.tail == digits)
        accounts = named or tuple(account.account_id for account in self.file.accounts)
        known = {(reply.at, reply.sure, reply.likely, reply.digits) for reply in self.replies}
        if (at, sure, likely, digits) not in known:
            self.replies.append(Reply(at, sure, likely, digits, promised_on, accounts))
        self._take_replies_for_what_they_are()

    def read_reply(self, at: datetime, stamp: When, intents: tuple[ReplyIntent, ...], ahead: int | None) -> None:
        """Record what a person says of all replies of one moment: the newest counts, and opt-outs stay."""
        for reply in self.replies:
            label = (stamp, intents)
            if reply.at != at or (reply.label is not None and reply.label >= label):
                continue
            opted_out = {ReplyIntent.OPT_OUT} & set(reply.sure)
            reply.sure = tuple(
                intent for intent in ReplyIntent if intent in {*intents, *opted_out} - {ReplyIntent.CHAT}
            )
            reply.likely, reply.label = (), label
            certain = ahead is not None and ahead <= PROMISE_DAYS
            reply.promised_on = local_day(at) + ahead * DAY if ahead is not None and certain else None
        self._take_replies_for_what_they_are()

    def _take_replies_for_what_they_are(self) -> None:
        if self.file is not None:
            for reply in self.replies:
                said_on = local_day(reply.at)
                reply.paid = self.spoken_of(reply, said_on, reply.paid)
                reply.promised = self.spoken_of(reply, reply.promised_on or said_on, reply.promised)

    # ------------------------------------------------------------ what follows from it

    def paid_of(self, key: Key, stated: int, owed: int) -> tuple[int, datetime | None]:
        """
        Return what is paid: the last word, and in doubt what asks for less; and since when, if events say so.

        That is when it was first said, of so much or all, and not taken back since.
        """
        assert self.uploaded_at is not None
        payments = sorted(
            payment for payment in self.paid.get(key, []) if payment[0][0] > self.uploaded_at - FILES_KNOW_UP_TO
        )
        if not payments:
            return stated, None
        (at, _), amount = payments[-1]
        if at <= self.uploaded_at and amount <= stated:
            return stated, None
        enough = min(amount, owed)
        less = [place for place, (_, paid) in enumerate(payments) if paid < enough]
        if not less and stated >= owed:
            return amount, None
        return amount, payments[less[-1] + 1 if less else 0][0][0]

    def closed_since(self, account_id: str) -> datetime | None:
        assert self.uploaded_at is not None
        return min((at for at in self.closed.get(account_id, []) if at > self.uploaded_at), default=None)

    def open_keys(self, said_at: datetime | None = None, about: frozenset[Key] = frozenset()) -> dict[Key, date]:
        """
        Return what is open with its due dates; or what was when something was said, as far as can be known.

        `about` is what that was taken for so far.
        """
        assert self.file is not None
        assert self.uploaded_at is not None
        found = {}
        for account in self.file.accounts:
            for instalment in account.instalments:
                key = account.account_id, instalment.number
                paid, since = self.paid_of(key, instalment.paid, instalment.amount)
                closed_since = self.closed_since(account.account_id)
                if closed_since and instalment.amount > paid:
                    paid, since = instalment.amount, closed_since
                was_open = instalment.amount > paid
                if said_at and not was_open:
                    # Since when it is paid a file does not tell: what it says is of its own time at the latest.
                    was_open = since > said_at if since else key in about and self.uploaded_at > said_at
                if was_open:
                    found[key] = instalment.due_on
        return found

    def spoken_of(self, reply: Reply, by: date, about: frozenset[Key]) -> frozenset[Key]:
        """Return what a reply about money is about: what was due, or by the day of a promise will be, or comes next."""
        assert self.file is not None
        then = self.open_keys(reply.at, about)
        stated = {
            (account.account_id, instalment.number)
            for account in self.file.accounts
            for instalment in account.instalments
        }
        keys = {key for key in about if key not in stated}
        mine = {key: on for key, on in then.items() if key[0] in reply.accounts}
        due = {key for key, on in mine.items() if on <= by}
        if not due and not keys and mine:
            due = {key for key, on in mine.items() if on == min(mine.values())}
        return frozenset(keys | due)

    def is_released(self, reason: HoldReason, since: datetime) -> bool:
        return any(what in {None, reason} and at >= since for at, what in self.released)

    # ------------------------------------------------------------ what must not be

    def check(self, text: Text, others: Iterable["Recorded"]) -> None:
        """Raise if a text goes out that must not, by what is recorded."""
        assert self.file is not None, "a text to somebody of whom nothing is on record, or who is erased"
        assert text.sms.address == self.file.phone, "a text to another number"
        still_open = self.open_keys()
        for account_id in text.entry.accounts:
            assert any(key[0] == account_id for key in still_open), "a text about what is paid"
        self._check_opt_outs(text.entry.accounts)
        self._check_holds(text.at)
        for phone, at in self.refused[-1:]:
            if phone == self.file.phone:
                assert self.is_released(HoldReason.NUMBER_REFUSED, at), "a text to a number that is refused"
        if any(other.file is not None and other.file.phone == self.file.phone for other in others):
            lifted = {reason for _, reason in self.released}
            assert lifted & {None, HoldReason.SHARED_PHONE}, "a text to a number of two"

    def _check_opt_outs(self, accounts: Sequence[str]) -> None:
        assert self.file is not None
        back = max((reply.at for reply in self.replies if ReplyIntent.OPT_IN in reply.sure), default=None)
        for at in self.carrier_opt_outs:
            assert back is not None and back > at, "a text to somebody on the carrier's list"  # noqa: PT018
        for reply in self.replies:
            if ReplyIntent.OPT_OUT not in reply.sure or (back is not None and back > reply.at):
                continue
            named = [
                account.account_id for account in self.file.accounts if reply.digits and account.tail == reply.digits
            ]
            assert named, "a text after an opt-out"
            assert named[0] not in accounts, "a text about an account that was opted out of"

    def _check_holds(self, now: datetime) -> None:
        today = local_day(now)
        for reason, holds in self.held.items():
            (at, _), until = max(holds, key=lambda hold: hold[0])
            if until is None or until >= today:
                assert self.is_released(reason, at), f"a text during the lender's hold: {reason}"
        for reply in self.replies:
            self._check_reply(reply, today)
        self._check_money(today)

    def _check_reply(self, reply: Reply, today: date) -> None:
        said_on = local_day(reply.at)
        for intent in HOLD_OF_INTENT.keys() & set(reply.sure):
            assert self.is_released(HOLD_OF_INTENT[intent], reply.at), f"a text in spite of {intent}"
        for intent in reply.likely:
            reason = HoldReason.UNCONFIRMED if intent in TO_CONFIRM else HOLD_OF_INTENT.get(intent)
            assert reason is None or self.is_released(reason, reply.at), f"a text although {intent} is likely"
        asks = ReplyIntent.QUESTION in reply.intents
        if asks and working_days_later(said_on, QUESTION_DAYS) >= today:
            assert self.is_released(HoldReason.QUESTION, reply.at), "a text while help is on its way"
        if ReplyIntent.PROMISE in reply.intents and not reply.is_promise:
            until = max(said_on + GRACE_DAYS * DAY, working_days_later(said_on, QUESTION_DAYS))
            assert until < today or self.is_released(HoldReason.QUESTION, reply.at), "a text while a person asks"
        if reply.in_doubt and working_days_later(said_on, DOUBT_DAYS) >= today:
            assert self.is_released(HoldReason.DOUBT, reply.at), "a text before a person could have read a reply"

    def _check_money(self, today: date) -> None:
        self._take_replies_for_what_they_are()
        still_open = self.open_keys().keys()
        promises: dict[Key, Reply] = {}
        for reply in sorted(self.replies, key=lambda each: each.at):
            if reply.is_promise and reply.promised_on is not None:
                silent_until = min(reply.promised_on, working_days_later(local_day(reply.at), QUESTION_DAYS))
                if silent_until >= today and reply.promised & still_open:
                    assert self.is_released(HoldReason.PROMISE, reply.at), "a text before a promise could be read"
                promises = dict.fromkeys(reply.promised, reply) | promises
            believed = local_day(reply.at) + GRACE_DAYS * DAY >= today and reply.paid & still_open
            if ReplyIntent.PAID in reply.intents and believed:
                assert self.is_released(HoldReason.SAYS_PAID, reply.at), "a text to somebody who says it is paid"
        for key, first in promises.items():
            if key in still_open and first.promised_on is not None and first.promised_on >= today:
                assert self.is_released(HoldReason.PROMISE, first.at), "a text before the day of a promise is over"


def check_caps(texts: Sequence[Text]) -> None:
    """Raise if one customer has had more texts in a window than may be."""
    for count, window in CAPS:
        for last in texts:
            within = [
                text for text in texts if text.customer_id == last.customer_id and last.at - window < text.at <= last.at
            ]
            assert len(within) <= count, f"more than {count} texts in {window}"
