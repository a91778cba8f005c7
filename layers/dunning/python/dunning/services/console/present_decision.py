"""The present decision of a customer in codes and values: what, why, until when, and when the system looks again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing, holds_now
from dunning.domain.decision.decisions import Decision, Reason, ShutGate, Wait, trace_of
from dunning.domain.decision.gates import GATES
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.services.console.shown import CodeShown, SentenceShown, StageShown

_SOON = timedelta(minutes=15)
"""A wake that has been past for longer was not worked on: something stands still, or holds it up."""

_AT_ONCE = timedelta(minutes=1)
"""A wake and a decision that are less apart mean the same moment."""


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate by its number: `open`, `shut` or `not_asked`."""

    number: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """
    What is decided at this moment: `send`, `wait`, `stop`, or `unreadable`; why, and the gates.

    `then` is the text that comes then, if a wait knows it. `until` are the gates in the way one after another, each
    with the moment at which it opens; empty if there is one only. `wake` says when the system looks again. The trace
    is for experts.
    """

    kind: str
    reason: CodeShown
    headline: SentenceShown
    why: SentenceShown
    then: SentenceShown | None = None
    until: tuple[SentenceShown, ...] = ()
    wake: SentenceShown
    gates: tuple[GateView, ...] = ()
    trace: tuple[str, ...] = ()


def present_decision(
    decision: Decision, facts: Facts, standing: Standing, now: datetime, today: date, *, sending: bool
) -> DecisionView:
    """Return a decision in codes and values; `today` is the customer's local day."""
    stage = StageShown(decision.stage) if decision.stage is not None else None
    if decision.until is not None:
        headline = SentenceShown(f"headline.{decision.kind}_until", {"until": decision.until})
    elif stage is not None and decision.reason is Reason.HELD_OUT:
        headline = SentenceShown("headline.held_out", {"stage": stage})
    elif stage is not None and decision.kind == "send":
        headline = SentenceShown("headline.send_stage", {"stage": stage})
    else:
        headline = SentenceShown(f"headline.{decision.kind}", {})
    return DecisionView(
        kind=decision.kind,
        reason=CodeShown("reason", decision.reason.value),
        headline=headline,
        why=_why(decision, facts, standing, today),
        then=SentenceShown("headline.then", {"stage": stage}) if stage and decision.kind == "wait" else None,
        until=tuple(_until_what(decision)) if isinstance(decision, Wait) else (),
        wake=wake_in_words(standing, now, decision, sending=sending),
        gates=tuple(_gates(decision.reason)),
        trace=tuple(trace_of(decision)),
    )


def unreadable_decision(standing: Standing | None, now: datetime, *, sending: bool) -> DecisionView:
    """Return what holds of a customer who cannot be read: no text. `standing` is `None` if it is what is damaged."""
    return DecisionView(
        kind="unreadable",
        reason=CodeShown("reason", Reason.UNREADABLE_RECORD.value),
        headline=SentenceShown("headline.stop", {}),
        why=SentenceShown(f"why.{Reason.UNREADABLE_RECORD.value}", {}),
        wake=wake_in_words(standing, now, None, sending=sending) if standing else SentenceShown("wake.not_readable"),
    )


# ------------------------------------------------------------------ why


def _why(decision: Decision, facts: Facts, standing: Standing, today: date) -> SentenceShown:  # noqa: PLR0911
    """Return the sentence of a reason, with what is known of this customer in it."""
    reason, gate = decision.reason, decision.gates[0] if isinstance(decision, Wait) and decision.gates else None
    match reason:
        case Reason.ON_HOLD:
            return SentenceShown("present.on_hold", {"holds": tuple(silent_holds(facts, standing, today))})
        case Reason.NEXT_STAGE if gate is not None and gate.opens_at is not None:
            return SentenceShown("present.turn", {"turn": gate.until})
        case Reason.NEXT_STAGE if gate is not None:
            return SentenceShown("present.next_stage", {"due": gate.until})
        case Reason.QUIET_HOURS | Reason.CLOSED_DAY if gate is not None:
            return SentenceShown(f"present.{reason.value}", {"opens": _opening(gate)})
        case Reason.PERSON_CAP | Reason.ACCOUNT_CAP if gate is not None and gate.cap is not None:
            values = {"window": gate.cap.window, "free": _opening(gate)}
            if gate.cap.count == 1:
                return SentenceShown(f"present.{reason.value}_one", values)
            return SentenceShown(f"why.{reason.value}", {**values, "count": gate.cap.count})
        case Reason.PERSON_CAP | Reason.ACCOUNT_CAP:
            return SentenceShown("present.cap", {})
        case Reason.NOT_IN_LIST if facts.not_in_list_since is not None:
            return SentenceShown("present.not_in_list", {"since": facts.not_in_list_since})
        case Reason.NO_CONSENT if decision.until is not None:
            return SentenceShown("present.no_consent", {"begins": decision.until})
        case Reason.NO_WRITTEN_NOTICE if decision.lacking_notice:
            ladders = tuple(_named_instalment(key) for key in decision.lacking_notice)
            return SentenceShown("present.no_written_notice", {"instalments": ladders})
        case _:
            return SentenceShown(f"why.{reason.value}", {})


def _named_instalment(key: str) -> SentenceShown:
    account_id, _, number = key.rpartition("#")
    return SentenceShown("present.instalment", {"account": account_id, "number": number})


def silent_holds(facts: Facts, standing: Standing, today: date) -> Iterator[SentenceShown]:
    """Yield what a person or the lender wants silence for, each reason and day once."""
    for hold in dict.fromkeys(replace(hold, since=None) for hold in holds_now(facts, standing)):
        reason = CodeShown("hold", hold.reason.value)
        if hold.until is None:
            yield SentenceShown("hold_line.lifted", {"reason": reason})
        elif hold.until >= today:
            yield SentenceShown("hold_line.until", {"reason": reason, "until": hold.until})


def _opening(gate: ShutGate) -> datetime | None:
    return gate.opens_at or gate.until


# ------------------------------------------------------------------ until when


def _until_what(decision: Wait) -> Iterator[SentenceShown]:
    """
    Yield the gates in the way by the moments at which they open; nothing if there is one, which the headline names.

    Where the hours open before the customer's turn of the day, the turn is the last.
    """
    shut = [(moment, gate) for gate in decision.gates if (moment := _passed_at(gate)) is not None]
    in_order = sorted(shut, key=lambda each: each[0])
    is_turn_last = bool(in_order) and decision.until is not None and decision.until > in_order[-1][0]
    if len(in_order) + is_turn_last < 2:  # noqa: PLR2004 - the headline says all of one
        return
    for moment, gate in in_order:
        values = {"until": moment, "reason": CodeShown("reason", gate.reason.value)}
        if gate.cap is not None:
            yield SentenceShown("headline.until_cap", {**values, "count": gate.cap.count, "window": gate.cap.window})
        elif gate.reason is Reason.NEXT_STAGE and gate.opens_at is not None:
            yield SentenceShown("headline.turn", {"until": moment})
        elif gate.reason in {Reason.NO_WRITTEN_NOTICE, Reason.LADDER_FINISHED}:
            yield SentenceShown("headline.until_other", values)
        else:
            yield SentenceShown("headline.until", values)
    if is_turn_last:
        yield SentenceShown("headline.turn", {"until": decision.until})


def _passed_at(gate: ShutGate) -> datetime | None:
    """Return when a gate is no longer in the way: a turn comes later than the hours open."""
    return gate.until if gate.reason is Reason.NEXT_STAGE else _opening(gate)


def _gates(reason: Reason) -> Iterator[GateView]:
    shut = next((number for number, gate in enumerate(GATES) if reason in gate.reasons), len(GATES))
    for number in range(len(GATES)):
        yield GateView(number + 1, "open" if number < shut else "shut" if number == shut else "not_asked")


# ------------------------------------------------------------------ when the system looks again


def wake_in_words(standing: Standing, now: datetime, decision: Decision | None, *, sending: bool) -> SentenceShown:  # noqa: PLR0911 - one a case
    """Say when the system looks at a customer again, and what is odd about it."""
    wake = standing.wake
    if wake is None:
        if not standing.is_planned:
            return SentenceShown("wake.not_planned")
        is_stop = decision is None or decision.kind == "stop"
        return SentenceShown("wake.none" if is_stop else "wake.none_yet")
    values: Mapping[str, object] = {"at": wake.at}
    if standing.reason == Reason.UNREADABLE_RECORD.value:
        return SentenceShown("wake.put_aside", values)
    if wake.at <= now:
        if not sending:
            return SentenceShown("wake.switched_off", values)
        return SentenceShown("wake.now" if now - wake.at <= _SOON else "wake.late", values)
    if standing.reason == Reason.CARRIER_BUSY.value:
        return SentenceShown("wake.carrier_busy", values)
    expected = now if decision is not None and decision.kind == "send" else decision.until if decision else None
    if sending and expected is not None and wake.at > expected + _AT_ONCE:
        return SentenceShown("wake.later", {**values, "expected": expected})
    return SentenceShown("wake.at", values)


def silences_of(facts: Facts, standing: Standing, today: date) -> Sequence[SentenceShown]:
    """Return all that silences a customer, whether or not it is what the decision names."""
    found: list[SentenceShown] = []
    if facts.opted_out or standing.is_opted_out:
        found.append(SentenceShown("silence.opted_out"))
    if facts.not_in_list_since is not None:
        found.append(SentenceShown("silence.not_in_list", {"since": facts.not_in_list_since}))
    found += [
        SentenceShown("silence.opted_out_account", {"account": account_id, "at": at})
        for account_id, at in standing.opted_out_accounts.items()
        if standing.is_opted_out_of(account_id)
    ]
    if standing.is_suspended(facts):
        found.append(SentenceShown("silence.number_refused"))
    if standing.shares_address(facts):
        found.append(SentenceShown("silence.shared_phone"))
    for channel in (each for each in Channel if each is not Channel.SMS):
        of_channel = {"channel": CodeShown("channel", channel.value)}
        if standing.is_suspended(facts, channel):
            found.append(SentenceShown("channel_silence.refused", of_channel))
        if AddressKind.of(channel) is not AddressKind.NUMBER and standing.shares_address(facts, channel):
            found.append(SentenceShown("channel_silence.shared", of_channel))
    return [*found, *silent_holds(facts, standing, today)]
