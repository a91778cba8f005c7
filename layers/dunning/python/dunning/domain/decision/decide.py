"""
Decide: the gates a customer passes before a text is sent. Pure: facts, standing, rules, now.

The gates and their order are the list `gates.GATES`:

    1 something is open · 2 sending is on · 3 no objection, no permanent stop · 4 consent · 5 no hold is running
    6 lender, place and time zone are known · 7 a stage is due · 8 contact hours · 9 caps · 10 a channel · 11 the text
    12 chance

The same gates are asked when a wake is planned and when a job is judged. A wait is exact: from the first gate that is
shut, time is moved to the earliest instant at which that gate can open, and the gates are asked again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import (
    FINAL_HOLDS,
    Account,
    Facts,
    Hold,
    HoldReason,
    Instalment,
    open_instalments,
    with_small_rests_settled,
)
from dunning.domain.customer.standing import Progress, Standing, holds_now, progress_key
from dunning.domain.decision.caps import cap_in_the_way
from dunning.domain.decision.chance import DrawnFor, draw_hour, draw_silence, draw_text, minute_of_hour_arm
from dunning.domain.decision.channel_choice import (
    Reach,
    by_preference,
    channels_out,
    reach_of,
    shut_for_now,
    why_nothing_reaches,
)
from dunning.domain.decision.decisions import (
    Decision,
    ReachedStage,
    Reason,
    Reminder,
    Send,
    ShutGate,
    Stop,
    TraceStep,
    Wait,
)
from dunning.domain.decision.fatigue import reminders_heard, silent_run_of
from dunning.domain.decision.hours import is_closed_day, local_day, open_window, start_of_day, zone_named
from dunning.domain.decision.ladder import next_step, stage_heard
from dunning.domain.decision.rules import SNS, ChannelRules, ContactHours, FatigueLimits, Policies, Rules
from dunning.domain.decision.spread import seconds_of_turns, turn_in, turn_of
from dunning.domain.delivery.channels import NO_CONTACT, Channel
from dunning.domain.delivery.undelivered import delivered_stage, retry_send_id
from dunning.domain.effect.draws import SILENCE, USUAL_TEXT, Draw
from dunning.domain.effect.payer_segments import UNKNOWN_PAYER, PayerFeatures, amount_band_of, payer_segment_of
from dunning.domain.effect.settling import Asked
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError, NoTextError
from dunning.domain.texts.compose import AmountDue, ComposedText, Draft, body_of, compose, draft

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

_NEVER = date.max.toordinal()

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
    """
    An account with something to pay: its open instalments, earliest first, and the stage reached and next.

    `first_day` is the local day on which the next stage is due, as an ordinal. `lacks_notice` says that the stage needs
    a written notice which is not on record.
    """

    __slots__ = ("account", "earliest", "first_day", "instalments", "lacks_notice", "reached", "stage")

    def __init__(self, account: Account, instalments: list[Instalment]) -> None:
        self.account = account
        self.instalments = instalments
        self.earliest = instalments[0]
        self.reached: Progress | None = None
        self.stage = 0
        self.first_day = 0
        self.lacks_notice = False


@dataclass(slots=True)
class _Selection:
    """
    What one text is about: the accounts it names, those whose stage it marks, and the stage whose words it uses.

    Both are in the order of their earliest due dates.
    """

    named: list[_OpenAccount]
    marked: list[_OpenAccount]
    stage: int

    @property
    def due_step(self) -> TraceStep:
        """The trace of the stage that is sent: since when it is due, or whose words the others use."""
        for candidate in self.marked:
            if candidate.stage == self.stage:
                return "stage: %+d, due since %s", (self.stage, date.fromordinal(candidate.first_day))
        return "stage: %+d, the mildest of the %s accounts that are overdue", (self.stage, len(self.named))


_NO_OBJECTION: TraceStep = ("no opt-out, no permanent stop", ())
_NO_HOLD: TraceStep = ("hold: none is running", ())
_OPEN_HOURS: TraceStep = ("hours: open", ())


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
    rules = policies.rules_for(facts, now)
    smallest_amounts: Mapping[str, int] = rules.smallest_amounts if isinstance(rules, Rules) else {}
    open_accounts = [
        _OpenAccount(account, rest)
        for account in facts.accounts
        if (rest := open_instalments(account, smallest_amounts.get(account.currency, 1)))
    ]
    if not open_accounts:
        return Stop(Reason.NOTHING_OPEN, (("accounts with something open: none", ()),))
    steps: list[TraceStep] = [("accounts with something open: %s", (len(open_accounts),))]
    if not sending:
        return Wait(None, Reason.SENDING_OFF, (*steps, ("switch: sending is off", ())))

    counted = with_small_rests_settled(facts, smallest_amounts) if standing.payment_statements else facts
    holds = holds_now(counted, standing)
    reach = None if not isinstance(rules, Rules) or rules.is_sms_only else reach_of(facts, standing, rules)
    objection = _objection(facts, standing, holds, reach)
    if objection is not None:
        return Stop(objection[0], (*steps, objection[1]))
    if standing.opted_out_accounts:
        open_accounts = [
            candidate for candidate in open_accounts if not standing.is_opted_out_of(candidate.account.account_id)
        ]
        if not open_accounts:
            return Stop(Reason.OPTED_OUT, (*steps, ("opted out of each account", ())))
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
    case = _Evaluation(facts, standing, rules, zones, open_accounts, holds, reach)
    return case.decide(now, steps)


class ComingStage(NamedTuple):
    """
    The stage that an account comes to next, and the first local day on which it may be sent.

    `lacks_notice` says that it needs a written notice, and none is on record.
    """

    stage: int
    on: date
    lacks_notice: bool = False


def coming_stages(
    facts: Facts, standing: Standing, rules: Rules, zones: tuple[ZoneInfo, ...], today: date
) -> Mapping[str, ComingStage]:
    """
    Return the next stage of each account with something open, by account id; an account after its last has none.

    It is what gate 7 asks: a stage that is late, or whose text did not arrive, counts as the decision counts it.
    """
    opened = [
        _OpenAccount(account, rest)
        for account in facts.accounts
        if (rest := open_instalments(account, rules.smallest_amounts.get(account.currency, 1)))
    ]
    reach = None if rules.is_sms_only else reach_of(facts, standing, rules)
    case = _Evaluation(facts, standing, rules, zones, opened, (), reach)
    case.ask_ladders(today.toordinal())
    return {
        each.account.account_id: ComingStage(each.stage, date.fromordinal(each.first_day), each.lacks_notice)
        for each in case.climbing
    }


def _objection(
    facts: Facts, standing: Standing, holds: Sequence[Hold], reach: Reach | None
) -> tuple[Reason, TraceStep] | None:
    """Gate 3: the customer objects or is no longer listed, contact has ended, or nothing would reach the customer."""
    if facts.opted_out or standing.is_opted_out:
        return Reason.OPTED_OUT, ("opted out", ())
    if facts.not_in_list_since is not None:
        return Reason.NOT_IN_LIST, ("not in the lender's whole list of %s", (facts.not_in_list_since,))
    if reach is not None and not reach.channels:
        return why_nothing_reaches(reach.closed)
    if reach is None and standing.is_suspended(facts):
        return Reason.NUMBER_REFUSED, ("number: refused by the carrier until it is corrected", ())
    if reach is None and standing.shares_address(facts):
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
    held = ShutGate(Reason.ON_HOLD, ends, (("hold: running until %s", (ends,)),))
    return Wait(ends, Reason.ON_HOLD, (*steps, *held.steps), gates=(held,)) if now < ends else None


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
        "climbing",
        "day_of_next_turn",
        "earliest_day",
        "facts",
        "fatigue_step",
        "finished",
        "held_until",
        "hour_drawn",
        "hours_of_next_turn",
        "ladder",
        "last_texts",
        "next_turn",
        "open_channels",
        "opened",
        "passed_over",
        "payer_segments",
        "person_cap",
        "preferred_minute",
        "reach",
        "ready",
        "rules",
        "searching",
        "some_failed",
        "standing",
        "steps_hold_until",
        "stuck",
        "texted_at",
        "today",
        "unanswered",
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
        reach: Reach | None,
    ) -> None:
        self.reach = reach
        self.ladder = rules.ladder
        if reach is not None:
            # A stage at which nothing reaches the customer is left out: the next one does.
            self.ladder = tuple([stage for stage in rules.ladder if stage in reach.channels])
        self.open_channels: list[ChannelRules] = []
        self.passed_over: list[TraceStep] = []
        self.facts = facts
        self.standing = standing
        self.rules = rules
        self.zones = zones
        self.opened = opened
        self.searching = False
        self.today = self.steps_hold_until = 0
        self.next_turn: datetime | None = None
        self.day_of_next_turn = 0
        self.hours_of_next_turn: ContactHours | None = None
        self.preferred_minute = rules.preferred_minute_of_day
        self.hour_drawn: Draw | None = None
        self.payer_segments: dict[tuple[int, str], str] = {}
        self.ready: _Selection | None = None
        self.without_notice: list[_OpenAccount] = []
        self.finished: list[_OpenAccount] = []
        self.stuck: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self.texted_at: list[datetime] = []
        self.last_texts: dict[str, datetime] = {}
        self.some_failed = False
        self.undelivered: dict[str, int] = {}
        for entry in standing.ledger:
            if entry.is_held_out:
                continue  # held out: nobody was contacted
            self.some_failed = self.some_failed or entry.failed
            self.texted_at.append(entry.at)
            for account_id in entry.accounts:
                # A text that only names an account does not push its next stage back: others' texts would starve it.
                if account_id not in entry.also_named:
                    self.last_texts[account_id] = entry.at
        self.person_cap = cap_in_the_way(rules.person_caps, self.texted_at) if self.texted_at else None
        self.unanswered = 0
        self.earliest_day = 0
        self.fatigue_step: TraceStep | None = None
        if rules.fatigue is not None and self.texted_at:
            self._rest(rules.fatigue)
        self.held_until: datetime | None = None
        if holds:
            days = [hold.until for hold in holds if hold.until]
            self.held_until = start_of_day(zones, max(days).toordinal() + 1)

    def _rest(self, limits: FatigueLimits) -> None:
        """Take down from which day on a customer who does not answer may be reminded, or that a person takes over."""
        run = silent_run_of(self.standing, with_small_rests_settled(self.facts, self.rules.smallest_amounts))
        if run < limits.after:
            return
        if limits.stop_after is not None and run >= limits.stop_after:
            self.unanswered = run
        last = reminders_heard(self.standing)[-1].at
        self.earliest_day = local_day(self.zones[0], last) + 2 * self.rules.min_days_between_stages
        self.fatigue_step = (
            "fatigue: %s reminders without an answer, none before %s",
            (run, date.fromordinal(self.earliest_day)),
        )

    def decide(self, now: datetime, steps: list[TraceStep]) -> Decision:
        """Ask gates 5 to 10 at `now`. If a gate is shut, find the moment when all are open."""
        try:
            shut = self._shut_gate(now)
            if self.without_notice or self.finished:
                self.stuck = _ladders_of(self.without_notice), _ladders_of(self.finished)
            if shut is None:
                return self._send(now, steps)
            until = _opens_at(shut)
            if until is not None:
                return self._wait(shut, until, now, steps)
        except NoLawfulMomentError:
            return _stop_and_recheck(Reason.NO_LAWFUL_MOMENT, now, steps, "hours: never open in all time zones at once")
        taken = (*steps, *shut.steps)
        return Stop(shut.reason, taken, shut.until, shut.stage, self.zones[0], "stop", *self.stuck)

    def _shut_gate(self, moment: datetime) -> ShutGate | None:
        """Gates 5 to 9 at one moment. Leaves what may be written about in `ready`."""
        if self.held_until is not None and moment < self.held_until:
            return ShutGate(Reason.ON_HOLD, self.held_until, (("hold: running until %s", (self.held_until,)),))
        live, next_start = self._due_accounts(moment)
        if self.unanswered and self.climbing:
            silent: TraceStep = ("fatigue: %s reminders without an answer; over to a person", (self.unanswered,))
            return ShutGate(Reason.UNANSWERED, None, (_NO_HOLD, silent))
        if not live:
            if self.without_notice:
                missing = _no_notice(self.without_notice)
                return ShutGate(Reason.NO_WRITTEN_NOTICE, next_start, (_NO_HOLD, missing), self.without_notice[0].stage)
            if next_start is None:
                finished: TraceStep = ("stage: the last one has been heard; over to a person", ())
                return ShutGate(Reason.LADDER_FINISHED, None, (_NO_HOLD, finished))
            next_one: TraceStep = ("stage: the next one is due %s", (next_start,))
            rest = () if self.fatigue_step is None else (self.fatigue_step,)
            return ShutGate(Reason.NEXT_STAGE, next_start, (_NO_HOLD, *rest, next_one))
        blocked = self._shut_for_all(live, moment, next_start)
        if blocked is not None:
            return blocked
        found = self.person_cap
        if found is not None and found.frees_at > moment:
            cap: TraceStep = ("cap: %s for the person, free at %s", found)
            due = self.ready.due_step if self.ready else _NO_HOLD
            return ShutGate(Reason.PERSON_CAP, found.frees_at, (_NO_HOLD, due, _OPEN_HOURS, cap), cap=found.cap)
        return None if self.reach is None else self._no_open_channel(self.reach, moment)

    def _no_open_channel(self, reach: Reach, moment: datetime) -> ShutGate | None:
        """
        Gate 10: shut if every channel that reaches the customer is shut for now, until the first one opens.

        The first open channel is taken. A channel comes last after a message that did not arrive, and while its gateway
        has been out for long.
        """
        assert self.ready is not None  # noqa: S101 - the gates before are open
        stage = self.ready.stage
        self.open_channels, self.passed_over = [], []
        until: datetime | None = None
        last = self._failed_channels(self.ready.marked) | channels_out(self.standing, self.rules, moment)
        for each in by_preference(reach.channels[stage], last):
            shut = shut_for_now(
                each, each.hours_for(self.rules, stage), self.zones, self.facts, self.standing.ledger, moment
            )
            if shut is None:
                self.open_channels.append(each)
                continue
            if not self.open_channels:
                self.passed_over.append(shut.why)
            until = shut.until if until is None else min(until, shut.until)
        if self.open_channels:
            return None
        steps = (_NO_HOLD, self.ready.due_step, _OPEN_HOURS, *self.passed_over)
        return ShutGate(Reason.CHANNEL_SHUT, until, steps)

    def _failed_channels(self, marked: list[_OpenAccount]) -> set[str]:
        """
        Return the channels on which the text of a stage that is now repeated did not arrive.

        It is the last text that marked a stage of the account: what failed of an earlier stage says nothing here.
        """
        failed: set[str] = set()
        for each in marked:
            account_id = each.account.account_id
            if self.undelivered.get(account_id) == each.stage:
                of_account = (entry for entry in reversed(self.standing.ledger) if entry.marks(account_id))
                failed |= {entry.channel for entry in islice(of_account, 1)}
        return failed

    def _due_accounts(self, moment: datetime) -> tuple[list[_OpenAccount], datetime | None]:
        """
        Gate 7: the accounts whose stage is due, and the time at which the next account comes due.

        A stage that needs a written notice is due on the day of the notice at the earliest. An account without a notice
        stays at that stage, in `without_notice`, until new facts bring a notice. A later stage is no way round it. An
        account that has heard the last stage is in `finished`.
        """
        zones = self.zones
        known = moment is self.next_turn
        today = self.today = self.day_of_next_turn if known else local_day(zones[0], moment)
        if today > self.steps_hold_until:
            self.ask_ladders(today)
        live: list[_OpenAccount] = []
        self.without_notice = []
        next_start: datetime | None = None
        next_day = _NEVER
        for candidate in self.climbing:
            first_day = candidate.first_day
            if first_day < today or (
                first_day == today and start_of_day(zones, today, self.preferred_minute) <= moment
            ):
                (self.without_notice if candidate.lacks_notice else live).append(candidate)
            elif first_day <= next_day:  # turns of a later day are later
                next_day = first_day
                next_start = self._turn_on(candidate, next_start)
        return live, next_start

    def ask_ladders(self, today: int) -> None:
        """
        Ask the ladder of each account for its next stage.

        The answer holds as long as no stage up to a due date is late: such a stage is left out sooner or later.
        """
        rules, progress = self.rules, self.standing.progress
        ladder, min_days, notice_stages = self.ladder, rules.min_days_between_stages, rules.notice_stages
        self.climbing, self.finished = [], []
        self.steps_hold_until = _NEVER
        for candidate in self.opened:
            earliest = candidate.earliest
            account_id = candidate.account.account_id
            reached = progress.get(progress_key(account_id, earliest.number)) if progress else None
            repeats = False
            if reached is not None and self.some_failed:
                marked = reached.stage
                reached = delivered_stage(reached, account_id, self.standing.ledger, ladder, self.zones[0])
                repeats = reached is None or reached.stage != marked
                if repeats:
                    self.undelivered[account_id] = marked
            candidate.reached = reached
            texted_at = self.last_texts.get(account_id)
            last_text = local_day(self.zones[0], texted_at) if texted_at is not None else 0
            step = next_step(ladder, min_days, earliest, reached, today, last_text, rules.catch_up_days, repeats)
            if step is None:
                self.finished.append(candidate)
                continue
            stage, first_day = candidate.stage, candidate.first_day = step
            if stage <= 0 and first_day < self.steps_hold_until:
                self.steps_hold_until = first_day
            if first_day < self.earliest_day:
                candidate.first_day = self.earliest_day
            needs_notice = stage in notice_stages
            notice = _notice_day(earliest) if needs_notice else None
            candidate.lacks_notice = needs_notice and notice is None
            if notice is not None and notice > candidate.first_day:
                candidate.first_day = notice
            self.climbing.append(candidate)
        if rules.trials_of_hours:
            self._draw_hour()

    def _draw_hour(self) -> None:
        """
        Draw the preferred hour of the coming stage, where a trial of hours runs.

        Only for customers with one account: several accounts share a text, and two hours would make two texts of it.
        """
        self.hour_drawn, self.preferred_minute = None, self.rules.preferred_minute_of_day
        if len(self.opened) != 1 or not self.climbing:
            return
        candidate = self.climbing[0]
        hours = self._hours_of(candidate)

        def is_open_at(minute: int) -> bool:
            return _turns_on(self.rules, hours, self.zones, candidate.first_day, minute)[3]

        self.hour_drawn = draw_hour(self.rules, self._drawn_for(candidate, candidate.stage), is_open_at)
        minute = minute_of_hour_arm(self.hour_drawn.arm) if self.hour_drawn else None
        if minute is not None:
            self.preferred_minute = minute

    def _hours_of(self, candidate: _OpenAccount) -> ContactHours:
        return self.rules.overdue_hours if candidate.stage > 0 else self.rules.hours

    def _drawn_for(self, candidate: _OpenAccount, stage: int) -> DrawnFor:
        instalment = progress_key(candidate.account.account_id, candidate.earliest.number)
        day = date.fromordinal(candidate.first_day)
        currency = candidate.account.currency
        return DrawnFor(self.facts.customer_id, instalment, stage, day, currency, self._payer_segment)

    def _payer_segment(self, stage: int, currency: str) -> str:
        """
        Return the customer's payer segment for a text of a stage in a currency.

        The channel is the first that reaches the customer: when a wake is planned, nobody knows which are open later.
        """
        if not self.rules.segment_rules:
            return UNKNOWN_PAYER
        known = self.payer_segments.get((stage, currency))
        if known is None:
            known = self.payer_segments[stage, currency] = self._segment_by_rules(stage, currency)
        return known

    def _segment_by_rules(self, stage: int, currency: str) -> str:
        of_currency = (each.instalments for each in self.opened if each.account.currency == currency)
        still_open = sum([each.open for instalments in of_currency for each in instalments])
        channel = Channel.SMS if self.reach is None else self.reach.channels[stage][0].channel
        return payer_segment_in(self.rules, self.facts, self.standing, currency, still_open, channel)

    def _shut_for_all(self, live: list[_OpenAccount], moment: datetime, next_start: datetime | None) -> ShutGate | None:
        """Gates 8 and 9: shut only if they are shut for every account, until they open for the first account."""
        ready: list[_OpenAccount] = []
        first: ShutGate | None = None
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
            self.ready = self._select(ready)
            return None
        passed = () if self.searching else (_NO_HOLD, self._select(live).due_step)
        return ShutGate(first.reason, until, (*passed, *first.steps), None, first.opens_at or first.until, first.cap)

    def _shut_for(self, candidate: _OpenAccount, moment: datetime) -> ShutGate | None:
        """Gates 7 to 9 for one account: true words for its text, the hours of its stage, its turn, and the caps."""
        rules = self.rules
        overdue = candidate.stage > 0
        may_lack_words = rules.first_overdue_needs_notice or self.reach is not None
        if overdue and may_lack_words and self._has_no_words_for(candidate.account.currency):
            missing: TraceStep = ("stage: every one needs a written notice, none is on record for an account", ())
            return ShutGate(Reason.NO_WRITTEN_NOTICE, None, (missing,))
        hours = self._hours_of(candidate)
        if moment is not self.next_turn or hours is not self.hours_of_next_turn:
            try:
                window = open_window(hours, self.zones, moment)
            except CalendarNotCoveredError as gap:
                until = gap.since if gap.since > moment else moment + CALENDAR_RECHECK_AFTER
                return ShutGate(Reason.CALENDAR_NOT_COVERED, until, (("calendar: no data for %s", (gap.day,)),))
            day = self.today if window[0] <= moment else local_day(self.zones[0], window[0])
            turn = self._turn_in(window, day, moment)
            if turn > moment:
                self.next_turn, self.day_of_next_turn, self.hours_of_next_turn = turn, day, hours
                return self._before_turn(hours, window[0], turn, moment)
        if rules.account_caps and self.texted_at:
            # An overdue text waits until it can name every account that is overdue.
            named = self._overdue_in(candidate.account.currency) if overdue else [candidate]
            for account_id in [each.account.account_id for each in named]:
                about = [
                    entry.at for entry in self.standing.ledger if account_id in entry.accounts and not entry.is_held_out
                ]
                found = cap_in_the_way(rules.account_caps, about)
                if found is not None and found.frees_at > moment:
                    shut: TraceStep = ("cap: %s for the account, free at %s", found)
                    return ShutGate(Reason.ACCOUNT_CAP, found.frees_at, (_OPEN_HOURS, shut), cap=found.cap)
        return None

    def _turn_in(self, window: tuple[datetime, datetime], day: int, moment: datetime) -> datetime:
        """Return the customer's turn in a window of a local day, or the start of the window if it is surely past."""
        rules, start = self.rules, window[0]
        preferred = start_of_day(self.zones, day, self.preferred_minute)
        if moment >= max(start, preferred) + rules.spread:
            return start
        return turn_in(window, preferred, rules.spread, self.facts.customer_id, day)

    def _turn_on(self, candidate: _OpenAccount, before: datetime | None) -> datetime | None:
        """
        Return the customer's turn on the day of a stage, or `before` if that is earlier.

        It is the preferred hour if that finds the hours shut for the rest of the day.
        """
        rules, day = self.rules, candidate.first_day
        hours = self._hours_of(candidate)
        begins, seconds, turn_day, is_open = _turns_on(rules, hours, self.zones, day, self.preferred_minute)
        turn = turn_of(begins, seconds, self.facts.customer_id, day) if seconds else begins
        if before is not None and before <= turn:
            return before
        # Gate 8 need not ask again about a moment that has just been found in its hours.
        self.next_turn, self.day_of_next_turn, self.hours_of_next_turn = turn, turn_day, hours if is_open else None
        return turn

    def _before_turn(self, hours: ContactHours, opens: datetime, turn: datetime, moment: datetime) -> ShutGate:
        """Gate 8 before the customer's turn: the hours are not open yet, or they are and the turn has not come."""
        if opens <= moment:
            step: TraceStep = ("turn: the customer's comes at %s", (turn,))
            return ShutGate(Reason.NEXT_STAGE, turn, (_OPEN_HOURS, step), None, opens)
        closed = is_closed_day(hours, self.zones, moment)
        shut: TraceStep = ("hours: a closed day, open at %s" if closed else "hours: quiet, open at %s", (opens,))
        return ShutGate(Reason.CLOSED_DAY if closed else Reason.QUIET_HOURS, turn, (shut,), None, opens)

    def _overdue_in(self, currency: str) -> list[_OpenAccount]:
        """
        Return the accounts with something overdue in a currency, whatever their stage.

        What is due today is not overdue, nor is what the law still gives days of grace.
        """
        until = date.fromordinal(self.today - self.rules.first_overdue_day)
        return [each for each in self.opened if each.earliest.due_on <= until and each.account.currency == currency]

    def _select(self, ready: list[_OpenAccount]) -> _Selection:
        """
        Return what one text is about, of the accounts whose stage may be sent.

        Overdue amounts and amounts not yet due are never added up: a text that says "not received" would ask for more
        than the customer owes (Taiwan, outsourcing rules art. 14-II-3). The more urgent kind goes first. By default
        that is what falls due today or soon, because its text would be false tomorrow. An overdue stage can wait. Nor
        are amounts in two currencies added up.

        An overdue text names everything overdue in its currency: who reads less than before concludes that the rest has
        arrived. It marks stages only where they are due.
        """
        if len(self.opened) == 1:
            return _Selection(ready, ready, ready[0].stage)
        urgency = self.rules.urgency
        first = ready[0] if len(ready) == 1 else min(ready, key=lambda each: urgency.index(each.stage))
        overdue = first.stage > 0
        group = sorted([each for each in ready if (each.stage > 0) is overdue], key=_earliest_due)
        currency = group[0].account.currency
        marked = [each for each in group if each.account.currency == currency]
        if not overdue:
            return _Selection(marked, marked, marked[0].stage)
        named = sorted(self._overdue_in(currency), key=_earliest_due)
        stage = self._mildest(named, marked) or marked[0].stage
        if self.rules.fatigue is not None:
            # With a ladder for each account, a delay would pull texts apart that go as one without it.
            marked = [each for each in named if self._has_further_stage(each)]
        return _Selection(named, marked, stage)

    def _has_further_stage(self, candidate: _OpenAccount) -> bool:
        """Tell whether an overdue account comes to another stage, with the notice that it needs on record."""
        if candidate not in self.climbing:
            return False
        notice = _notice_day(candidate.earliest)
        needs_notice = candidate.stage in self.rules.notice_stages
        return not needs_notice or (notice is not None and notice <= self.today)

    def _mildest(self, named: list[_OpenAccount], marked: list[_OpenAccount]) -> int | None:
        """
        Return the stage whose words an overdue text uses: the mildest. `None` if no words would be true.

        So no account gets harsher words than its own ladder has reached. An account whose stage is not due counts with
        the stage it has heard, or with the first overdue stage. A stage that refers to a written notice is used only if
        each account has one.
        """
        if len(named) == 1 and marked:
            return named[0].stage
        ladder, notice_stages = self.ladder, self.rules.notice_stages
        lowest = next(stage for stage in ladder if stage > 0)
        stage = min(
            [
                each.stage if each in marked else stage_heard(ladder, each.earliest, each.reached) or lowest
                for each in named
            ]
        )
        if stage not in notice_stages:
            return stage
        notices = [_notice_day(each.earliest) for each in named]
        if all(notice is not None and notice <= self.today for notice in notices):
            return stage
        return max([each for each in ladder if 0 < each < min(notice_stages)], default=None)

    def _has_no_words_for(self, currency: str) -> bool:
        """Tell whether no overdue text would be true: its stages all need a notice, and an account has none."""
        return self._mildest(self._overdue_in(currency), []) is None

    def _wait(self, first: ShutGate, until: datetime, now: datetime, steps: list[TraceStep]) -> Decision:
        """
        Wait from the first shut gate on until all are open: at each moment at which a gate opens, all are asked again.

        The wait names the stage, and its urgency among customers who wake then.
        """
        self.searching = True
        later: dict[Reason, ShutGate] = {}
        for _ in range(_MAX_ITERATIONS):
            shut = self._shut_gate(until)
            if shut is None:
                break
            opens_at = _opens_at(shut)
            if opens_at is None:
                # The wait ends at this gate, although it will still be shut: by then there may be a new calendar.
                self.ready = None
                break
            later[shut.reason] = shut
            until = opens_at
        else:
            return _stop_and_recheck(Reason.NO_LAWFUL_MOMENT, now, steps, "no lawful moment found")
        steps += first.steps
        gates: tuple[ShutGate, ...] = (first,)
        if later:
            # The other gates in the way before that moment, each once.
            gates = (first, *later.values())
            steps += [(f"then {message}", values) for message, values in [gate.steps[-1] for gate in later.values()]]
        stage = self.ready.stage if self.ready else None
        urgency = 0 if stage is None else self.rules.urgency.index(stage)
        return Wait(until, first.reason, tuple(steps), urgency, stage, self.zones[0], "wait", *self.stuck, gates)

    def _send(self, now: datetime, steps: list[TraceStep]) -> Decision:
        """Gates 11 and 12: compose the reminder for the first open channel that has words for it; then ask chance."""
        facts, rules = self.facts, self.rules
        assert self.ready is not None  # noqa: S101 - all gates are open
        named, marked, stage = self.ready.named, self.ready.marked, self.ready.stage
        today = date.fromordinal(self.today)
        steps += (
            _NO_HOLD,
            self.ready.due_step,
            ("hours: open in %s", (rules.jurisdiction,)),
            ("caps: %s texts on record, none in the way", (len(self.texted_at),)),
        )
        if self.without_notice:
            steps.append(_no_notice(self.without_notice))
        overdue_until = today - timedelta(days=rules.first_overdue_day) if stage > 0 else None
        channel, gateway = Channel.SMS, SNS
        claimed = _claimed_by(named, overdue_until)
        due = _what_is_due(named, claimed)
        try:
            if self.reach is None:
                chosen: Draft | ComposedText = draft(facts, rules, stage, due, today)
            else:
                steps += self._passed_over_for_good(self.reach, stage)
                chosen, channel, gateway = self._compose_for_first(stage, due, today, steps)
        except NoTextError as error:
            stop = _stop_and_recheck(error.reason, now, steps, error.message, *error.values)
            return Stop(stop.reason, stop.steps, stop.until, stage, None, "stop", *self.stuck)
        draws: tuple[Draw, ...] = ()
        payer_segment = self._payer_segment(stage, due.currency) if rules.segment_rules else ""
        asked: tuple[Asked, ...] = ()
        if rules.trials:
            draws, chosen = self._draw(stage, due, today, chosen, channel)
            if draws:
                payer_segment = self._payer_segment(stage, due.currency)
                asked = tuple(
                    [Asked(account.account_id, each.number, each.amount - each.paid) for account, each in claimed]
                )
                steps += [
                    ("chance: trial %s drew %s, probability %g", (draw.trial, draw.arm, draw.propensity))
                    for draw in draws
                ]
                if SILENCE in [draw.arm for draw in draws]:
                    return self._hold_out(channel, today, draws, payer_segment, asked, steps)
        body = body_of(chosen, rules) if isinstance(chosen, Draft) else chosen.body
        segments, template = chosen.segments, chosen.template
        reached_stages = tuple([_reached_stage(candidate) for candidate in marked])
        send_id = send_id_of(facts.customer_id, reached_stages, stage, channel)
        if self.undelivered and any(
            self.undelivered.get(candidate.account.account_id) == candidate.stage for candidate in marked
        ):
            send_id = retry_send_id(send_id)
        reminder = Reminder(
            send_id,
            channel.value,
            stage,
            today,
            reached_stages,
            body,
            segments.encoding,
            segments.parts,
            template,
            chosen.registered,
            tuple([each.account.account_id for each in named if each not in marked]),
            gateway,
            chosen.extras,
            draws,
            payer_segment=payer_segment,
            asked=asked,
        )
        steps.append(("text: %s, %s x %s", (template, segments.parts, segments.encoding)))
        return Send(reminder, tuple(steps), "send", Reason.DUE, None, *self.stuck)

    def _draw(
        self, stage: int, due: AmountDue, today: date, usual: Draft | ComposedText, channel: Channel
    ) -> tuple[tuple[Draw, ...], Draft | ComposedText]:
        """
        Gate 12: draw the holdout, else the wording or silence, and return what was drawn with the text of its arm.

        Each arm is drafted first: what may not be sent is not drawn. A stage whose text did not arrive is repeated,
        whatever chance says. Other channels have their own words, which no trial compares.
        """
        assert self.ready is not None  # noqa: S101 - all gates are open
        marked = self.ready.marked
        stages = (stage,) if len(self.ready.named) == 1 else {stage, *[each.stage for each in marked]}
        repeats = bool(self.undelivered) and any(
            self.undelivered.get(each.account.account_id) == each.stage for each in marked
        )
        draws = []
        if self.rules.holdouts:
            day = date.fromordinal(marked[0].first_day)
            silence = draw_silence(self.rules, self.facts.customer_id, day, stages, repeats=repeats)
            if silence is not None:
                draws.append(silence)
                if silence.arm == SILENCE:
                    return (silence,), usual
        chosen = usual
        if self.rules.trials_of_texts:
            drafts = {USUAL_TEXT: usual}
            like = usual if isinstance(usual, Draft) else None

            def may_be_sent(arm: str) -> bool:
                if arm not in drafts:
                    try:
                        drafts[arm] = draft(self.facts, self.rules, stage, due, today, arm, like)
                    except NoTextError:
                        return False
                return True

            drawn_for = self._drawn_for(marked[0], stage)
            has_variants = channel is Channel.SMS
            wording = draw_text(self.rules, drawn_for, stages, may_be_sent, repeats=repeats, has_variants=has_variants)
            if wording is not None:
                draws.append(wording)
                chosen = drafts.get(wording.arm, usual)
        if self.hour_drawn is not None:
            draws.append(self.hour_drawn)
        return tuple(draws), chosen

    def _hold_out(
        self,
        channel: Channel,
        today: date,
        draws: tuple[Draw, ...],
        payer_segment: str,
        asked: tuple[Asked, ...],
        steps: list[TraceStep],
    ) -> Decision:
        """Claim what all gates but chance would have sent: without a text, on no channel."""
        assert self.ready is not None  # noqa: S101 - all gates are open
        named, marked, stage = self.ready.named, self.ready.marked, self.ready.stage
        reached_stages = tuple([_reached_stage(candidate) for candidate in marked])
        reminder = Reminder(
            send_id=send_id_of(self.facts.customer_id, reached_stages, stage, NO_CONTACT),
            channel=NO_CONTACT,
            stage=stage,
            on=today,
            reached_stages=reached_stages,
            text="",
            encoding="",
            parts=0,
            template="",
            registered_template="",
            also_named=tuple([each.account.account_id for each in named if each not in marked]),
            gateway=NO_CONTACT,
            draws=draws,
            would_go_by=channel.value,
            payer_segment=payer_segment,
            asked=asked,
        )
        return Send(reminder, tuple(steps), "send", Reason.HELD_OUT, None, *self.stuck)

    def _passed_over_for_good(self, reach: Reach, stage: int) -> list[TraceStep]:
        """Say why channels of a stage do not reach the customer, and which are shut for now."""
        closed: list[TraceStep] = [
            ("channel: %s passed over, %s", (each.channel.value, reach.closed[each.channel].value))
            for each in self.rules.channels[stage]
            if each.channel in reach.closed
        ]
        return [*closed, *self.passed_over]

    def _compose_for_first(
        self, stage: int, due: AmountDue, today: date, steps: list[TraceStep]
    ) -> tuple[ComposedText, Channel, str]:
        """
        Compose the text for the first open channel that has words for it, and add to the trace which one.

        Raises:
            NoTextError: no open channel has words: the error of the first one.
        """
        first: NoTextError | None = None
        for each in self.open_channels:
            try:
                message = compose(self.facts, self.rules, stage, due, today, each.channel)
            except NoTextError as error:
                first = first or error
                steps.append((f"channel: %s passed over, {error.message}", (each.channel.value, *error.values)))
                continue
            steps.append(("channel: %s by %s", (each.channel.value, each.gateway)))
            return message, each.channel, each.gateway
        assert first is not None  # noqa: S101 - gate 10 is open
        raise first


@lru_cache(maxsize=16384)  # a year of days, in some twenty places with several policies
def _turns_on(
    rules: Rules, hours: ContactHours, zones: tuple[ZoneInfo, ...], day: int, preferred_minute: int
) -> tuple[datetime, int, int, bool]:
    """
    Return the first turn from the preferred minute of a day on, and the seconds over which the turns are spread.

    The third value is the local day of the turns. The last one says whether the hours open on the day at all, from the
    preferred hour on.
    """
    preferred = start_of_day(zones, day, preferred_minute)
    preferred_day = local_day(zones[0], preferred)
    try:
        window = open_window(hours, zones, preferred)
    except (CalendarNotCoveredError, NoLawfulMomentError):
        return preferred, 0, preferred_day, False
    if local_day(zones[0], window[0]) != day:
        return preferred, 0, preferred_day, False
    begins = max(window[0], preferred)
    return begins, seconds_of_turns(begins, window[1], rules.spread), day, True


def _opens_at(shut: ShutGate) -> datetime | None:
    """Return when a gate opens by itself. Where a calendar has ended, somebody has to bring a new one."""
    return None if shut.reason is Reason.CALENDAR_NOT_COVERED else shut.until


def _stop_and_recheck(reason: Reason, now: datetime, steps: list[TraceStep], message: str, *values: object) -> Stop:
    """Stop (fail closed), and look again in a day: the missing data may be there by then."""
    return Stop(reason, (*steps, (message, values)), now + RECHECK_AFTER)


def _claimed_by(included: list[_OpenAccount], overdue_until: date | None) -> list[tuple[Account, Instalment]]:
    """
    Return the instalments that a text asks for.

    An overdue text asks for all that fell due up to `overdue_until`, and never for what falls due today or has days of
    grace. A text up to the due date (`None`) asks for each account's earliest instalment, with what falls due on the
    same day.
    """
    claimed = []
    for candidate in included:
        until = overdue_until or candidate.earliest.due_on
        for instalment in candidate.instalments:
            if instalment.due_on > until:
                break
            claimed.append((candidate.account, instalment))
    return claimed


def _what_is_due(included: list[_OpenAccount], claimed: list[tuple[Account, Instalment]]) -> AmountDue:
    """
    Return the amount that a text asks for.

    Once an instalment is paid in part, the open part of its late fee is not certain. The text then names no late fee.
    """
    total = late_fee = 0
    certain = True
    for _, instalment in claimed:
        total += instalment.amount - instalment.paid
        if instalment.late_fee:
            late_fee += instalment.late_fee
            certain = certain and not instalment.paid
    lead = included[0]
    return AmountDue(
        total,
        len(claimed),
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


def payer_segment_in(
    rules: Rules, facts: Facts, standing: Standing, currency: str, still_open: int, channel: Channel
) -> str:
    """Return the payer segment of a customer of whom so much is open in a currency, for a text on a channel."""
    bounds = rules.amount_bands.get(currency)
    band = None if bounds is None else amount_band_of(still_open, bounds)
    has_several = len(facts.accounts) > 1
    is_first_loan = not has_several if has_several or rules.lists_closed_accounts else None
    features = PayerFeatures(standing.history, band, is_first_loan, channel.value)
    return payer_segment_of(features, rules.segment_rules)


def _ladders_of(accounts: list[_OpenAccount]) -> tuple[str, ...]:
    """Name the ladders of accounts, for whoever has to look at them."""
    return tuple([progress_key(each.account.account_id, each.earliest.number) for each in accounts])


def _notice_day(instalment: Instalment) -> int | None:
    """Return the day of the written notice, as an ordinal. A notice from before the due date is not about the delay."""
    notice = instalment.written_notice_on
    return notice.toordinal() if notice is not None and notice >= instalment.due_on else None


def _reached_stage(candidate: _OpenAccount) -> ReachedStage:
    return ReachedStage(
        candidate.account.account_id, candidate.earliest.number, candidate.earliest.due_on, candidate.stage
    )


def _earliest_due(candidate: _OpenAccount) -> tuple[date, str]:
    return candidate.earliest.due_on, candidate.account.account_id


def send_id_of(customer_id: str, reached_stages: Sequence[ReachedStage], stage: int, channel: str) -> str:
    """
    Return the id of one reminder: the same for the same customer, earliest unpaid instalments, stage, channel.

    Two deliveries of one job compute the same id, so that only one of them can pass.
    """
    parts = [customer_id, channel, str(stage)]
    parts += [f"{r.account_id}#{r.number}#{r.due_on.isoformat()}#{r.stage}" for r in sorted(reached_stages)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
