"""
Decide: the gates a customer passes before a text is sent, in their order. Pure: facts, standing, rules, now.

    1 nothing open · 2 sending switched off · 3 opted out, no lawful basis, permanent stop · 4 hold running
    5 which stage is due · 6 jurisdiction, calendar and time zone known · 7 quiet hours, closed days
    8 caps, per person and per account · 9 the text · 10 send

The same gates run when a wake is planned and when a job is judged. A wait is exact: from the first gate that
is shut, time is moved to the earliest instant at which that gate can open, and the gates are asked again.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dunning.domain.caps import cap_frees_at
from dunning.domain.decision import Decision, HeardRung, Reason, Reminder, Send, Stop, TraceStep, Wait
from dunning.domain.errors import (
    CalendarNotCoveredError,
    NoLawfulMomentError,
    TextError,
    UnknownCurrencyError,
)
from dunning.domain.facts import FINAL_HOLDS, Account, Facts, Hold, HoldReason, Instalment, open_instalments
from dunning.domain.hours import is_closed_day, next_open, start_of_day
from dunning.domain.ladder import Step, next_step
from dunning.domain.masking import gsm_name, mask_name
from dunning.domain.money import format_date, format_money
from dunning.domain.rules import Policies, Rules, Scope
from dunning.domain.segments import count_segments, fits_sns
from dunning.domain.standing import SMS, Standing, progress_key
from dunning.domain.text import Text, render

LOOK_AGAIN = timedelta(days=1)
"""A customer who cannot be decided is set aside for this long, counted and listed."""

_PASSES = 500

_FINAL_REASON = {
    HoldReason.BANKRUPT: Reason.BANKRUPT,
    HoldReason.DECEASED: Reason.DECEASED,
    HoldReason.REPRESENTED: Reason.REPRESENTED,
    HoldReason.WRONG_PERSON: Reason.WRONG_PERSON,
}


class _Open(NamedTuple):
    """An account with something to pay: its open instalments, earliest first, and its ladder's position."""

    account: Account
    instalments: list[Instalment]


class _Ready(NamedTuple):
    """An account whose rung may be heard at the moment in question."""

    open: _Open
    step: Step


class _Blocked(NamedTuple):
    """The first shut gate, and the earliest instant at which it can open (`None`: never by itself)."""

    reason: Reason
    until: datetime | None
    step: TraceStep


def decide(
    facts: Facts, standing: Standing, policies: Policies, now: datetime, *, sending: bool = True
) -> Decision:
    """
    Decide whether a customer gets a text now, later or not at all.

    Args:
        facts: what the lender says; money in minor units, dates local.
        standing: what has been sent and said so far.
        policies: where the rules for this customer are found.
        now: an aware UTC instant.
        sending: whether the switch for all sending is on.

    Returns:
        `Send` with the rendered reminder, `Wait` with the earliest lawful moment, or `Stop`.
    """
    open_accounts = [
        _Open(account, rest) for account in facts.accounts if (rest := open_instalments(account))
    ]
    if not open_accounts:
        return Stop(Reason.NOTHING_OPEN, (("open: nothing", ()),))
    steps: list[TraceStep] = [("open: %s accounts", (len(open_accounts),))]
    if not sending:
        return Wait(None, Reason.SENDING_OFF, (*steps, ("switch: sending is off", ())))

    rules = policies.rules_for(facts)
    refused = _permanent_stop(facts, standing, rules, now)
    if refused is not None:
        reason, step = refused
        return Stop(reason, (*steps, step))
    if isinstance(rules, Reason):
        return Stop(rules, (*steps, ("rules: %s", (rules.value,))), now + LOOK_AGAIN)
    zones = _zones_of(facts.time_zone, rules.zones)
    if not zones:
        return Stop(
            Reason.UNKNOWN_TIME_ZONE, (*steps, ("time zone: not known", ())), now + LOOK_AGAIN
        )
    case = _Case(facts, standing, rules, zones, open_accounts)
    return case.decide(now, steps)


def _permanent_stop(
    facts: Facts, standing: Standing, rules: Rules | Reason, now: datetime
) -> tuple[Reason, TraceStep] | None:
    """Gate 3: the customer said no, there is no lawful basis, or contact has ended for good."""
    if facts.opted_out or standing.opted_out_at is not None:
        return Reason.OPTED_OUT, ("opted out", ())
    if standing.suspended_phone and standing.suspended_phone == facts.phone:
        return Reason.NUMBER_REFUSED, ("number: refused by the carrier until it is corrected", ())
    for hold in (*facts.holds, *standing.holds):
        if hold.reason in FINAL_HOLDS:
            return _FINAL_REASON[hold.reason], ("hold: %s, for good", (hold.reason.value,))
        if hold.until is None:
            return Reason.ON_HOLD, ("hold: %s, until it is lifted", (hold.reason.value,))
    if isinstance(rules, Rules) and rules.consent_required:
        if facts.consented_at is None:
            return Reason.NO_CONSENT, ("consent: %s requires it, none is on record", (rules.jurisdiction,))
        if facts.consented_at > now:
            return Reason.NO_CONSENT, ("consent: given for a later time only", ())
    return None


@lru_cache(maxsize=1024)
def _zone(name: str) -> tuple[ZoneInfo, ...]:
    try:
        return (ZoneInfo(name),)
    except (ZoneInfoNotFoundError, ValueError):
        return ()


def _zones_of(time_zone: str, of_the_place: tuple[ZoneInfo, ...]) -> tuple[ZoneInfo, ...]:
    """Return the customer's own time zone if the lender knows it, else every one the place may have."""
    return _zone(time_zone) if time_zone else of_the_place


class _Case:
    """One customer's facts, standing and rules, asked about several moments in turn."""

    __slots__ = ("facts", "held_until", "holds", "opened", "ready", "rules", "standing", "texted_at", "zones")

    def __init__(
        self,
        facts: Facts,
        standing: Standing,
        rules: Rules,
        zones: tuple[ZoneInfo, ...],
        opened: list[_Open],
    ) -> None:
        self.facts = facts
        self.standing = standing
        self.rules = rules
        self.zones = zones
        self.opened = opened
        self.ready: list[_Ready] = []
        self.texted_at = [entry.at for entry in standing.ledger]
        self.holds: tuple[Hold, ...] = (*facts.holds, *standing.holds)
        self.held_until = (
            max(start_of_day(zones, hold.until + timedelta(days=1)) for hold in self.holds if hold.until)
            if self.holds
            else None
        )

    def decide(self, now: datetime, steps: list[TraceStep]) -> Decision:
        """Run gates 4 to 10 at `now`, and if one is shut find the moment when all are open."""
        first: _Blocked | None = None
        moment = now
        for _ in range(_PASSES):
            try:
                blocked = self._shut_gate(moment)
            except CalendarNotCoveredError as gap:
                step = ("calendar: no data for %s", (gap.day,))
                if first is None and gap.since <= now:
                    return Stop(Reason.CALENDAR_NOT_COVERED, (*steps, step), now + LOOK_AGAIN)
                blocked_by = first or _Blocked(Reason.CALENDAR_NOT_COVERED, gap.since, step)
                return Wait(
                    max(gap.since, moment), blocked_by.reason, (*steps, blocked_by.step, step), self._urgency()
                )
            except NoLawfulMomentError:
                step = ("hours: never open in all possible time zones", ())
                return Stop(Reason.NO_LAWFUL_MOMENT, (*steps, step), now + LOOK_AGAIN)
            if blocked is None:
                if first is None:
                    return self._send(now, steps)
                return Wait(moment, first.reason, (*steps, first.step), self._urgency())
            first = first or blocked
            if blocked.until is None:
                return Stop(first.reason if blocked is first else blocked.reason, (*steps, blocked.step))
            moment = blocked.until
        return Stop(Reason.NO_LAWFUL_MOMENT, (*steps, ("no lawful moment found", ())), now + LOOK_AGAIN)

    def _shut_gate(self, moment: datetime) -> _Blocked | None:
        """Gates 4 to 8 at one moment. Leaves the accounts that may be written about in `ready`."""
        if self.held_until is not None and moment < self.held_until:
            reasons = ", ".join(hold.reason.value for hold in self.holds)
            return _Blocked(Reason.ON_HOLD, self.held_until, ("hold: %s", (reasons,)))

        live, next_start = self._due_steps(moment)
        if not live:
            if next_start is None:
                step = ("stage: the last one has been heard; over to a person", ())
                return _Blocked(Reason.LADDER_FINISHED, None, step)
            return _Blocked(Reason.NEXT_STAGE, next_start, ("stage: none is due", ()))

        blocked = self._open_accounts_at(moment, live, next_start)
        if blocked is not None:
            return blocked
        frees_at = cap_frees_at(
            [cap for cap in self.rules.caps if cap.scope is Scope.PERSON], self.texted_at
        )
        if frees_at is not None and frees_at > moment:
            return _Blocked(
                Reason.PERSON_CAP, frees_at, ("cap: %s texts on record, free at %s", (len(self.texted_at), frees_at))
            )
        return None

    def _due_steps(self, moment: datetime) -> tuple[list[_Ready], datetime | None]:
        """Gate 5: the accounts whose rung is due, and when the next of the others comes due."""
        rules, zones = self.rules, self.zones
        today = moment.astimezone(zones[0]).date()
        progress = self.standing.progress
        live: list[_Ready] = []
        next_start: datetime | None = None
        for opened in self.opened:
            earliest = opened.instalments[0]
            heard = progress.get(progress_key(opened.account.account_id, earliest.number)) if progress else None
            day = today
            step = next_step(rules.ladder, rules.min_days_between_stages, earliest, heard, day)
            if step is None:
                continue
            start = start_of_day(zones, step.from_day, rules.preferred_minute)
            if step.from_day < today or start <= moment:
                live.append(_Ready(opened, step))
            elif next_start is None or start < next_start:
                next_start = start
        return live, next_start

    def _open_accounts_at(
        self, moment: datetime, live: list[_Ready], next_start: datetime | None
    ) -> _Blocked | None:
        """Gates 6 to 8 per account: the calendar, the hours, and the caps of the account."""
        account_caps = [cap for cap in self.rules.caps if cap.scope is Scope.ACCOUNT]
        ready: list[_Ready] = []
        blocked: _Blocked | None = None
        for one in live:
            shut = self._shut_for(one, moment, account_caps)
            if shut is None:
                ready.append(one)
            elif blocked is None or (shut.until and blocked.until and shut.until < blocked.until):
                blocked = shut if blocked is None else _Blocked(blocked.reason, shut.until, blocked.step)
        if ready:
            self.ready = ready
            return None
        if blocked is not None and next_start is not None and blocked.until and next_start < blocked.until:
            return _Blocked(blocked.reason, next_start, blocked.step)
        return blocked

    def _shut_for(self, one: _Ready, moment: datetime, account_caps: Sequence[object]) -> _Blocked | None:
        rules = self.rules
        hours = rules.overdue_hours if one.step.stage > 0 else rules.hours
        opens = next_open(hours, self.zones, moment)
        if opens > moment:
            if is_closed_day(hours, self.zones, moment):
                return _Blocked(Reason.CLOSED_DAY, opens, ("hours: a closed day, open at %s", (opens,)))
            return _Blocked(Reason.QUIET_HOURS, opens, ("hours: quiet, open at %s", (opens,)))
        if account_caps:
            account_id = one.open.account.account_id
            about = [entry.at for entry in self.standing.ledger if account_id in entry.accounts]
            frees_at = cap_frees_at(account_caps, about)  # type: ignore[arg-type]
            if frees_at is not None and frees_at > moment:
                step = ("cap of the account: %s texts on record, free at %s", (len(about), frees_at))
                return _Blocked(Reason.ACCOUNT_CAP, frees_at, step)
        return None

    def _lead(self) -> _Ready:
        """Return the account with the earliest due date: a text for several speaks of that one's stage."""
        return min(self.ready, key=_earliest_due) if len(self.ready) > 1 else self.ready[0]

    def _urgency(self) -> int:
        """Return the place of the stage in the policy's order of urgency: who goes first of many."""
        return self.rules.urgency.index(self._lead().step.stage) if self.ready else 0

    def _send(self, now: datetime, steps: list[TraceStep]) -> Decision:
        """Gates 9 and 10: compose the reminder."""
        facts, rules = self.facts, self.rules
        lead = self._lead()
        today = now.astimezone(self.zones[0]).date()
        currency = lead.open.account.currency
        included = [one for one in self.ready if one.open.account.currency == currency]
        included.sort(key=_earliest_due)
        total = count = 0
        for one in included:
            for position, instalment in enumerate(one.open.instalments):
                if position and instalment.due_on > today:
                    break
                total += instalment.open
                count += 1
        steps = [
            *steps,
            ("stage: %+d due since %s", (lead.step.stage, lead.step.from_day)),
            ("hours: open in %s", (rules.jurisdiction,)),
            ("caps: %s texts on record, none in the way", (len(self.texted_at),)),
        ]
        language = facts.language if facts.language in rules.languages else rules.languages[0]
        text = rules.texts.get((language, lead.step.stage, count > 1))
        if text is None:
            step = ("text: none for stage %+d in %s", (lead.step.stage, language))
            return Stop(Reason.NO_TEXT, (*steps, step), now + LOOK_AGAIN)
        registered = ""
        if rules.registered is not None:
            registered = rules.registered.get(text.template, "")
            if not registered:
                step = ("text: %s is not registered for this country", (text.template,))
                return Stop(Reason.TEMPLATE_NOT_REGISTERED, (*steps, step), now + LOOK_AGAIN)
        try:
            amount = format_money(total, currency, language)
            body, whole = _compose(facts, rules, language, text, lead, amount, count, today)
        except UnknownCurrencyError:
            step = ("text: currency %s is not known", (currency,))
            return Stop(Reason.UNKNOWN_CURRENCY, (*steps, step), now + LOOK_AGAIN)
        except TextError as error:
            return Stop(Reason.TEXT_REFUSED, (*steps, ("text: %s", (error,))), now + LOOK_AGAIN)
        segments = count_segments(whole)
        if segments.parts > rules.max_parts or not fits_sns(whole):
            step = ("text: %s takes %s segments, %s allowed", (text.template, segments.parts, rules.max_parts))
            return Stop(Reason.TEXT_TOO_LONG, (*steps, step), now + LOOK_AGAIN)
        rungs = tuple(
            HeardRung(
                one.open.account.account_id,
                one.open.instalments[0].number,
                one.open.instalments[0].due_on,
                one.step.stage,
            )
            for one in included
        )
        reminder = Reminder(
            send_id_of(facts.customer_id, rungs, lead.step.stage, SMS),
            SMS,
            lead.step.stage,
            today,
            rungs,
            body,
            segments.encoding,
            segments.parts,
            text.template,
            registered,
        )
        steps.append(("text: %s, %s x %s", (text.template, segments.parts, segments.encoding)))
        return Send(reminder, tuple(steps))


def _earliest_due(one: _Ready) -> tuple[date, str]:
    return one.open.instalments[0].due_on, one.open.account.account_id


def _compose(  # noqa: PLR0913 - a text is made of just these
    facts: Facts, rules: Rules, language: str, text: Text, lead: _Ready, amount: str, count: int, today: date
) -> tuple[str, str]:
    """Return the text to publish, and the text as it arrives, which a carrier's signature may lengthen."""
    earliest = lead.open.instalments[0].due_on
    name = mask_name(facts.name)
    chinese = language[:2] == "zh"
    values = {
        "name": name if chinese else gsm_name(name),
        "tail": lead.open.account.tail,
        "amount": amount,
        "date": format_date(earliest, today, language, facts.country),
        "days": str((today - earliest).days),
        "count": str(count),
        "pay": rules.pay[language],
        "hotline": rules.hotline,
    }
    body = render(text, {name: values[name] for name in text.placeholders})
    sender = rules.sender_name[language]
    opt_out = rules.opt_out_line.get(language)
    if opt_out:
        body = f"{body}{opt_out}"
    if chinese:
        signed = f"【{sender}】{body}"
        return (body if rules.signature_by_carrier else signed), signed
    signed = f"{sender}: {body}"
    return signed, signed


def send_id_of(customer_id: str, rungs: Sequence[HeardRung], stage: int, channel: str) -> str:
    """
    Return the id of one reminder: the same for the same customer, earliest unpaid instalments, stage, channel.

    Two deliveries of one job compute the same id, so that they can never both pass.
    """
    parts = [customer_id, channel, str(stage)]
    parts += [f"{r.account_id}#{r.number}#{r.due_on.isoformat()}#{r.stage}" for r in sorted(rungs, key=_by_account)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _by_account(rung: HeardRung) -> str:
    return rung.account_id

