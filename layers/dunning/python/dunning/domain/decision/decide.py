"""
Decide: the gates a customer passes before a text is sent. Pure: facts, standing, rules, now.

The gates and their order are the list `gates.GATES`:

    1 something is open · 2 sending is on · 3 no objection, no permanent stop · 4 consent · 5 no hold is running
    6 lender, place and time zone are known · 7 a stage is due · 8 contact hours · 9 caps · 10 the text

The same gates are asked when a wake is planned and when a job is judged. A wait is exact: from the first gate that is
shut, time is moved to the earliest instant at which that gate can open, and the gates are asked again.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import FINAL_HOLDS, Account, Facts, Hold, HoldReason, Instalment, open_instalments
from dunning.domain.customer.standing import SMS, Standing, holds_now, progress_key
from dunning.domain.decision.caps import cap_frees_at
from dunning.domain.decision.decisions import Decision, ReachedStage, Reason, Reminder, Send, Stop, TraceStep, Wait
from dunning.domain.decision.hours import is_closed_day, next_open, start_of_day, zone_named
from dunning.domain.decision.ladder import next_step
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.delivery.undelivered import delivered_stage, retry_send_id
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError, NoTextError
from dunning.domain.texts.compose import AmountDue, compose

RECHECK_AFTER = timedelta(days=1)
"""The wait of a customer who cannot be decided. The customer is counted and listed meanwhile."""

CALENDAR_RECHECK_AFTER = timedelta(days=7)
"""The wait where a calendar has ended: it affects all customers of a place, and a new calendar comes once a year."""

_MAX_ITERATIONS = 500
"""
The most gates that a search for a lawful moment may wait for.

Each iteration moves time to the moment at which a shut gate can open, and a wait passes a handful of gates. The limit
only ends a search in which gates keep shutting each other out. The customer is then looked at again in a day.
"""

_LAST_ZONE = ZoneInfo("Etc/GMT+12")
"""The time zone in which a day ends last."""

_FINAL_REASON = {
    HoldReason.BANKRUPT: Reason.BANKRUPT,
    HoldReason.CEASED: Reason.CEASED,
    HoldReason.DECEASED: Reason.DECEASED,
    HoldReason.REPRESENTED: Reason.REPRESENTED,
    HoldReason.WRONG_PERSON: Reason.WRONG_PERSON,
}


class _OpenAccount:
    """An account with something to pay: its open instalments, earliest first, and the stage that is next."""

    __slots__ = ("account", "earliest", "first_day", "instalments", "stage")

    def __init__(self, account: Account, instalments: list[Instalment]) -> None:
        self.account = account
        self.instalments = instalments
        self.earliest = instalments[0]
        self.stage = 0
        self.first_day = 0


class _Blocked(NamedTuple):
    """The first shut gate, the earliest instant at which the gate can open (`None`: never by itself), and the trace."""

    reason: Reason
    until: datetime | None
    steps: tuple[TraceStep, ...]
    stage: int | None = None


_NO_OBJECTION: TraceStep = ("no opt-out, no permanent stop", ())
_NO_HOLD: TraceStep = ("hold: none is running", ())
_OPEN_HOURS: TraceStep = ("hours: open", ())


def _due(candidate: _OpenAccount) -> TraceStep:
    return "stage: %+d, due since %s", (candidate.stage, date.fromordinal(candidate.first_day))


def _no_notice(lacking: list[_OpenAccount]) -> TraceStep:
    return "stage: %+d needs a written notice, none is on record for %s of the accounts", (
        lacking[0].stage,
        len(lacking),
    )


def decide(facts: Facts, standing: Standing, policies: Policies, now: datetime, *, sending: bool = True) -> Decision:
    """
    Decide whether a customer gets a text now, later or not at all.

    Args:
        facts: the lender's facts; money in minor units, dates local.
        standing: the contacts and replies so far.
        policies: the source of the rules for this customer.
        now: an aware UTC instant.
        sending: whether the switch for all sending is on.

    Returns:
        `Send` with the rendered reminder, `Wait` with the earliest lawful moment, or `Stop`.
    """
    open_accounts = [_OpenAccount(account, rest) for account in facts.accounts if (rest := open_instalments(account))]
    if not open_accounts:
        return Stop(Reason.NOTHING_OPEN, (("accounts with something open: none", ()),))
    steps: list[TraceStep] = [("accounts with something open: %s", (len(open_accounts),))]
    if not sending:
        return Wait(None, Reason.SENDING_OFF, (*steps, ("switch: sending is off", ())))

    holds = holds_now(facts, standing)
    objection = _objection(facts, standing, holds)
    if objection is not None:
        return Stop(objection[0], (*steps, objection[1]))
    if standing.opted_out_accounts:
        open_accounts = [
            candidate for candidate in open_accounts if not standing.is_opted_out_of(candidate.account.account_id)
        ]
        if not open_accounts:
            return Stop(Reason.OPTED_OUT, (*steps, ("opted out of each account", ())))
    rules = policies.rules_for(facts)
    if isinstance(rules, Rules) and rules.consent_required and not _has_consented(facts, now):
        return _no_consent(facts.consented_at, rules, steps)
    steps.append(_NO_OBJECTION)
    held = _hold_until_lifted(holds) if holds else None
    if held is not None:
        return Stop(Reason.ON_HOLD, (*steps, ("hold: %s, until it is lifted", (held.reason.value,))))
    if isinstance(rules, Reason):
        return _held_anywhere(holds, now, steps) or _stop_and_recheck(rules, now, steps, "rules: %s", rules.value)
    zones = zones_of(facts.time_zone, rules, now)
    if not zones:
        return _held_anywhere(holds, now, steps) or _stop_and_recheck(
            Reason.UNKNOWN_TIME_ZONE, now, steps, "time zone: not known"
        )
    case = _Evaluation(facts, standing, rules, zones, open_accounts, holds)
    return case.decide(now, steps)


def _objection(facts: Facts, standing: Standing, holds: Sequence[Hold]) -> tuple[Reason, TraceStep] | None:
    """Gate 3: the customer objects, contact has ended for good, or the text would reach another person."""
    if facts.opted_out or standing.is_opted_out:
        return Reason.OPTED_OUT, ("opted out", ())
    if standing.is_suspended(facts):
        return Reason.NUMBER_REFUSED, ("number: refused by the carrier until it is corrected", ())
    if standing.shares_phone(facts):
        return Reason.SHARED_PHONE, ("number: another customer's too, until a person has looked at it", ())
    for hold in holds:
        if hold.reason in FINAL_HOLDS:
            return _FINAL_REASON[hold.reason], ("hold: %s, for good", (hold.reason.value,))
    return None


def _hold_until_lifted(holds: Sequence[Hold]) -> Hold | None:
    """Gate 5: the first hold without an end date."""
    return next((hold for hold in holds if hold.until is None), None)


def _held_anywhere(holds: Sequence[Hold], now: datetime, steps: Sequence[TraceStep]) -> Wait | None:
    """Gate 5 without a known time zone: a hold runs until its day is over everywhere on Earth."""
    days = [hold.until for hold in holds if hold.until]
    if not days:
        return None
    ends = start_of_day((_LAST_ZONE,), max(days).toordinal() + 1)
    return Wait(ends, Reason.ON_HOLD, (*steps, ("hold: running until %s", (ends,)))) if now < ends else None


def _has_consented(facts: Facts, now: datetime) -> bool:
    return facts.consented_at is not None and facts.consented_at <= now


def _no_consent(consented_at: datetime | None, rules: Rules, steps: list[TraceStep]) -> Stop:
    """Gate 4: the place requires a consent. A consent that starts later is looked at again when it starts."""
    step = ("consent: %s requires it, none is on record yet", (rules.jurisdiction,))
    return Stop(Reason.NO_CONSENT, (*steps, step), consented_at)


def zones_of(time_zone: str, rules: Rules, now: datetime) -> tuple[ZoneInfo, ...]:
    """
    Return the customer's own time zone if the lender knows it, else every time zone of the place.

    An own zone whose clocks agree with no zone of the place contradicts the country. A text then has to be lawful in
    all of these zones. So in mainland China, where the law knows one time, Asia/Urumqi does not move the night by two
    hours.
    """
    if not time_zone:
        return rules.zones
    own = zone_named(time_zone)
    if own is None:
        return ()
    if own in rules.home_zones:
        return (own,)
    offset = now.astimezone(own).utcoffset()
    if any(now.astimezone(zone).utcoffset() == offset for zone in rules.home_zones):
        return (own,)
    return (own, *rules.zones)


class _Evaluation:
    """The gates for one customer's facts, standing and rules, asked at several moments in turn."""

    __slots__ = (
        "facts",
        "held_until",
        "last_texts",
        "opened",
        "ready",
        "rules",
        "some_failed",
        "standing",
        "texted_at",
        "undelivered",
        "without_notice",
        "zones",
    )

    def __init__(
        self,
        facts: Facts,
        standing: Standing,
        rules: Rules,
        zones: tuple[ZoneInfo, ...],
        opened: list[_OpenAccount],
        holds: Sequence[Hold],
    ) -> None:
        self.facts = facts
        self.standing = standing
        self.rules = rules
        self.zones = zones
        self.opened = opened
        self.ready: list[_OpenAccount] = []
        self.without_notice: list[_OpenAccount] = []
        self.texted_at: list[datetime] = []
        self.last_texts: dict[str, int] = {}
        self.some_failed = False
        self.undelivered: dict[str, int] = {}
        for entry in standing.ledger:
            self.some_failed = self.some_failed or entry.failed
            self.texted_at.append(entry.at)
            day = entry.at.astimezone(zones[0]).toordinal()
            for account_id in entry.accounts:
                self.last_texts[account_id] = day
        self.held_until: datetime | None = None
        if holds:
            days = [hold.until for hold in holds if hold.until]
            self.held_until = start_of_day(zones, max(days).toordinal() + 1)

    def decide(self, now: datetime, steps: list[TraceStep]) -> Decision:
        """Ask gates 5 to 10 at `now`. If a gate is shut, find the moment when all are open."""
        path: list[_Blocked] = []
        moment = now
        for _ in range(_MAX_ITERATIONS):
            try:
                blocked = self._shut_gate(moment)
            except NoLawfulMomentError:
                return _stop_and_recheck(
                    Reason.NO_LAWFUL_MOMENT, now, steps, "hours: never open in all time zones at once"
                )
            if blocked is None:
                return self._wait(moment, path, steps) if path else self._send(now, steps)
            if blocked.until is None or blocked.reason is Reason.CALENDAR_NOT_COVERED:
                if not path:
                    taken = (*steps, *blocked.steps)
                    return Stop(blocked.reason, taken, blocked.until, blocked.stage, self.zones[0])
                # The wait ends at the last gate, although it will still be shut: by then there may be a new calendar.
                self.ready = []
                return self._wait(moment, path, steps)
            path.append(blocked)
            moment = blocked.until
        return _stop_and_recheck(Reason.NO_LAWFUL_MOMENT, now, steps, "no lawful moment found")

    def _shut_gate(self, moment: datetime) -> _Blocked | None:
        """Gates 5 to 9 at one moment. Leaves the accounts that may be written about in `ready`."""
        if self.held_until is not None and moment < self.held_until:
            return _Blocked(Reason.ON_HOLD, self.held_until, (("hold: running until %s", (self.held_until,)),))
        live, next_start = self._due_steps(moment)
        if not live:
            if self.without_notice:
                missing = _no_notice(self.without_notice)
                return _Blocked(Reason.NO_WRITTEN_NOTICE, next_start, (_NO_HOLD, missing), self.without_notice[0].stage)
            if next_start is None:
                finished: TraceStep = ("stage: the last one has been heard; over to a person", ())
                return _Blocked(Reason.LADDER_FINISHED, None, (_NO_HOLD, finished))
            next_one: TraceStep = ("stage: the next one is due %s", (next_start,))
            return _Blocked(Reason.NEXT_STAGE, next_start, (_NO_HOLD, next_one))
        blocked = self._shut_for_all(live, moment, next_start)
        if blocked is not None:
            return blocked
        if self.texted_at:
            frees_at = cap_frees_at(self.rules.person_caps, self.texted_at)
            if frees_at is not None and frees_at > moment:
                cap: TraceStep = ("cap: %s texts on record, free at %s", (len(self.texted_at), frees_at))
                return _Blocked(Reason.PERSON_CAP, frees_at, (_NO_HOLD, _due(self._group()[0]), _OPEN_HOURS, cap))
        return None

    def _due_steps(self, moment: datetime) -> tuple[list[_OpenAccount], datetime | None]:
        """
        Gate 7: the accounts whose stage is due, and the time at which the next account comes due.

        A stage that needs a written notice is due on the day of the notice at the earliest. An account without a notice
        stays at that stage, in `without_notice`, until new facts bring a notice. A later stage is no way round it.
        """
        rules, zones, progress, last_texts = self.rules, self.zones, self.standing.progress, self.last_texts
        ladder, min_days, notice_stages = rules.ladder, rules.min_days_between_stages, rules.notice_stages
        today = moment.astimezone(zones[0]).toordinal()
        without_notice: list[_OpenAccount] = []
        live: list[_OpenAccount] = []
        next_start: datetime | None = None
        for candidate in self.opened:
            earliest = candidate.earliest
            account_id = candidate.account.account_id
            reached = progress.get(progress_key(account_id, earliest.number)) if progress else None
            if reached is not None and self.some_failed:
                marked = reached.stage
                reached = delivered_stage(reached, account_id, self.standing.ledger, ladder, zones[0])
                if reached is None or reached.stage != marked:
                    self.undelivered[account_id] = marked
            step = next_step(ladder, min_days, earliest, reached, today, last_texts.get(account_id, 0))
            if step is None:
                continue
            candidate.stage, candidate.first_day = step
            may_be_due = live
            if candidate.stage in notice_stages:
                notice = _notice_day(earliest)
                if notice is None:
                    may_be_due = without_notice
                elif notice > candidate.first_day:
                    candidate.first_day = notice
            if candidate.first_day < today:
                may_be_due.append(candidate)
                continue
            start = start_of_day(zones, candidate.first_day, rules.preferred_minute_of_day)
            if start <= moment:
                may_be_due.append(candidate)
            elif next_start is None or start < next_start:
                next_start = start
        self.without_notice = without_notice
        return live, next_start

    def _shut_for_all(self, live: list[_OpenAccount], moment: datetime, next_start: datetime | None) -> _Blocked | None:
        """Gates 8 and 9: shut only if they are shut for every account, until they open for the first account."""
        ready: list[_OpenAccount] = []
        first: _Blocked | None = None
        until = next_start
        for candidate in live:
            shut = self._shut_for(candidate, moment)
            if shut is None:
                ready.append(candidate)
                continue
            first = first or shut
            if until is None or (shut.until is not None and shut.until < until):
                until = shut.until
        if ready or first is None:
            self.ready = ready
            return None
        return _Blocked(first.reason, until, first.steps)

    def _shut_for(self, candidate: _OpenAccount, moment: datetime) -> _Blocked | None:
        """Gates 8 and 9 for one account: the calendar, the hours of its stage, and its caps."""
        rules = self.rules
        hours = rules.overdue_hours if candidate.stage > 0 else rules.hours
        shut: TraceStep
        try:
            opens = next_open(hours, self.zones, moment)
        except CalendarNotCoveredError as gap:
            shut = ("calendar: no data for %s", (gap.day,))
            until = gap.since if gap.since > moment else moment + CALENDAR_RECHECK_AFTER
            return _Blocked(Reason.CALENDAR_NOT_COVERED, until, (_NO_HOLD, _due(candidate), shut))
        if opens > moment:
            closed = is_closed_day(hours, self.zones, moment)
            shut = ("hours: a closed day, open at %s" if closed else "hours: quiet, open at %s", (opens,))
            reason = Reason.CLOSED_DAY if closed else Reason.QUIET_HOURS
            return _Blocked(reason, opens, (_NO_HOLD, _due(candidate), shut))
        if rules.account_caps and self.texted_at:
            account_id = candidate.account.account_id
            about = [entry.at for entry in self.standing.ledger if account_id in entry.accounts]
            frees_at = cap_frees_at(rules.account_caps, about)
            if frees_at is not None and frees_at > moment:
                shut = ("cap of the account: %s texts on record, free at %s", (len(about), frees_at))
                return _Blocked(Reason.ACCOUNT_CAP, frees_at, (_NO_HOLD, _due(candidate), _OPEN_HOURS, shut))
        return None

    def _group(self) -> list[_OpenAccount]:
        """
        Return the accounts that one text speaks of, earliest due date first.

        Overdue amounts and amounts not yet due are never added up: a text that says "not received" would ask for more
        than the customer owes (Taiwan, outsourcing rules art. 14-II-3). The more urgent group goes first. By default
        that is the group due today or soon, because its text would be late tomorrow. An overdue stage can wait. Nor are
        amounts in two currencies added up.
        """
        if len(self.ready) == 1:
            return self.ready
        urgency = self.rules.urgency
        overdue = min(self.ready, key=lambda candidate: urgency.index(candidate.stage)).stage > 0
        group = sorted([candidate for candidate in self.ready if (candidate.stage > 0) is overdue], key=_earliest_due)
        currency = group[0].account.currency
        return [candidate for candidate in group if candidate.account.currency == currency]

    def _wait(self, until: datetime, path: list[_Blocked], steps: list[TraceStep]) -> Wait:
        """Wait until all gates are open. The wait names the stage, and its urgency among customers who wake then."""
        first = path[0]
        steps += first.steps
        if len(path) > 1:
            # The other gates in the way before that moment, each once.
            later = {blocked.reason: blocked.steps[-1] for blocked in path[1:]}
            steps += [(f"then {message}", values) for message, values in later.values()]
        taken = tuple(steps)
        if not self.ready:
            return Wait(until, first.reason, taken, zone=self.zones[0])
        stage = _stage_of(self._group())
        return Wait(until, first.reason, taken, self.rules.urgency.index(stage), stage, self.zones[0])

    def _send(self, now: datetime, steps: list[TraceStep]) -> Decision:
        """Gate 10: compose the reminder."""
        facts, rules = self.facts, self.rules
        included = self._group()
        stage = _stage_of(included)
        today = now.astimezone(self.zones[0]).date()
        steps += (
            _NO_HOLD,
            _due(included[0]),
            ("hours: open in %s", (rules.jurisdiction,)),
            ("caps: %s texts on record, none in the way", (len(self.texted_at),)),
        )
        if self.without_notice:
            steps.append(_no_notice(self.without_notice))
        try:
            message = compose(facts, rules, stage, _what_is_due(included, today), today)
        except NoTextError as error:
            return _stop_and_recheck(error.reason, now, steps, error.message, *error.values, stage=stage)
        segments = message.segments
        reached_stages = tuple([_reached_stage(candidate) for candidate in included])
        send_id = send_id_of(facts.customer_id, reached_stages, stage, SMS)
        if self.undelivered and any(
            self.undelivered.get(candidate.account.account_id) == candidate.stage for candidate in included
        ):
            send_id = retry_send_id(send_id)
        reminder = Reminder(
            send_id,
            SMS,
            stage,
            today,
            reached_stages,
            message.body,
            segments.encoding,
            segments.parts,
            message.template,
            message.registered,
        )
        steps.append(("text: %s, %s x %s", (message.template, segments.parts, segments.encoding)))
        return Send(reminder, tuple(steps))


def _stop_and_recheck(
    reason: Reason, now: datetime, steps: list[TraceStep], message: str, *values: object, stage: int | None = None
) -> Stop:
    """Stop (fail closed), and look again in a day: the missing data may be there by then."""
    return Stop(reason, (*steps, (message, values)), now + RECHECK_AFTER, stage)


def _what_is_due(included: list[_OpenAccount], today: date) -> AmountDue:
    """
    Return the amount that a text asks for: all instalments due by today, and at least each account's earliest.

    Once an instalment is paid in part, the open part of its late fee is not certain. The text then names no late fee.
    """
    total = count = late_fee = 0
    certain = True
    for candidate in included:
        until = max(today, candidate.earliest.due_on)
        for instalment in candidate.instalments:
            if instalment.due_on > until:
                break
            total += instalment.amount - instalment.paid
            count += 1
            if instalment.late_fee:
                late_fee += instalment.late_fee
                certain = certain and not instalment.paid
    lead = included[0]
    return AmountDue(
        total,
        count,
        late_fee if certain else 0,
        lead.account.currency,
        lead.earliest.due_on,
        lead.account.tail,
        len(included) > 1,
        _pay_account_of(included),
    )


def _pay_account_of(included: list[_OpenAccount]) -> str:
    """Return the account to pay to, if it is the same for all of them: else the sum would go to the wrong contract."""
    own = {candidate.account.pay_account for candidate in included}
    return own.pop() if len(own) == 1 else ""


def _notice_day(instalment: Instalment) -> int | None:
    """Return the day of the written notice, as an ordinal. A notice from before the due date is not about the delay."""
    notice = instalment.written_notice_on
    return notice.toordinal() if notice is not None and notice >= instalment.due_on else None


def _reached_stage(candidate: _OpenAccount) -> ReachedStage:
    return ReachedStage(
        candidate.account.account_id, candidate.earliest.number, candidate.earliest.due_on, candidate.stage
    )


def _stage_of(group: list[_OpenAccount]) -> int:
    """
    Return the stage whose words a text for several accounts uses.

    Of overdue stages it is the mildest, so that no account gets harsher words than its own ladder has reached. Else it
    is the stage of the earliest due date, because that is the date the customer has to know.
    """
    earliest = group[0].stage
    return min([candidate.stage for candidate in group]) if earliest > 0 else earliest


def _earliest_due(candidate: _OpenAccount) -> tuple[date, str]:
    return candidate.earliest.due_on, candidate.account.account_id


def send_id_of(customer_id: str, reached_stages: Sequence[ReachedStage], stage: int, channel: str) -> str:
    """
    Return the id of one reminder: the same for the same customer, earliest unpaid instalments, stage, channel.

    Two deliveries of one job compute the same id, so that only one of them can pass.
    """
    parts = [customer_id, channel, str(stage)]
    ordered = sorted(reached_stages, key=_by_account) if len(reached_stages) > 1 else reached_stages
    parts += [f"{r.account_id}#{r.number}#{r.due_on.isoformat()}#{r.stage}" for r in ordered]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _by_account(reached: ReachedStage) -> str:
    return reached.account_id
