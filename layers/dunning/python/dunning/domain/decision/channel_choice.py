"""
Channel choice: the channels on which something reaches a customer, and their order. Pure.

A channel is passed over for good if it has no address of the customer, if its address was refused or is another
customer's, too, or if it lacks the consent it needs. It is passed over for now outside its own hours, or while a cap
of its own is reached. All limits of the customer count in any case: those of a channel only come on top.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.decision.caps import cap_in_the_way
from dunning.domain.decision.decisions import Reason, TraceStep
from dunning.domain.decision.hours import open_window
from dunning.domain.decision.rules import SNS, ChannelRules, ContactHours, Rules
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.lapse import BEFORE_HOURS_END
from dunning.domain.errors import CalendarNotCoveredError


class Unreachable(StrEnum):
    """Why nothing reaches a customer on a channel, whatever the hour."""

    NO_ADDRESS = "no address"
    REFUSED = "address refused"
    SHARED = "address of another customer, too"
    NO_CONSENT = "no consent to it"


class Reach(NamedTuple):
    """The channels of each stage on which something reaches a customer, and why the others do not."""

    channels: Mapping[int, tuple[ChannelRules, ...]]
    """By stage, in order of preference. A stage without any channel is left out."""
    closed: Mapping[Channel, Unreachable]


def reach_of(facts: Facts, standing: Standing, rules: Rules) -> Reach:
    """Return the channels on which something reaches a customer, now or later."""
    listed = {each.channel: each for channels in rules.channels.values() for each in channels}
    closed = {
        channel: why for channel, each in listed.items() if (why := _why_unreachable(facts, standing, each)) is not None
    }
    reaching = {
        stage: tuple([each for each in channels if each.channel not in closed])
        for stage, channels in rules.channels.items()
    }
    return Reach({stage: channels for stage, channels in reaching.items() if channels}, closed)


def _why_unreachable(facts: Facts, standing: Standing, each: ChannelRules) -> Unreachable | None:
    channel, address = each.channel, each.address_in(facts)
    if not address:
        return Unreachable.NO_ADDRESS
    if standing.is_suspended(facts, channel, address):
        return Unreachable.REFUSED
    if standing.shares_address(facts, Channel.SMS if address == facts.phone else channel):
        return Unreachable.SHARED
    if each.consent_required and facts.consent_to(channel) is None:
        return Unreachable.NO_CONSENT
    return None


def why_nothing_reaches(closed: Mapping[Channel, Unreachable]) -> tuple[Reason, TraceStep]:
    """Return the reason of a stop if no channel reaches the customer: what is wrong with the number goes first."""
    causes = {why for channel, why in closed.items() if AddressKind.of(channel) is AddressKind.NUMBER}
    reason = Reason.NO_CHANNEL
    if Unreachable.REFUSED in causes:
        reason = Reason.NUMBER_REFUSED
    elif Unreachable.SHARED in causes:
        reason = Reason.SHARED_PHONE
    words = ", ".join([f"{channel}: {why}" for channel, why in closed.items()])
    return reason, ("channel: none reaches the customer, %s", (words or "none is allowed",))


OUTAGE_REMEMBERED = timedelta(hours=36)
"""A refusal for now that is older belongs to an outage that is over: a gateway is asked again within a day."""


def channels_out(standing: Standing, rules: Rules, at: datetime) -> set[str]:
    """
    Return the channels whose gateway has taken nothing for the customer for as long as the policy waits for it.

    Nobody is moved to another channel before: a fault of a provider must not change what people read.
    """
    after = rules.failover_after
    if after is None:
        return set()
    return {
        channel
        for channel, outage in standing.outages.items()
        if at - outage.last <= OUTAGE_REMEMBERED and at - outage.since >= after
    }


def by_preference(channels: Sequence[ChannelRules], last: Collection[str]) -> list[ChannelRules]:
    """Return channels in order of preference: those of `last`, which have failed, come after the others."""
    return sorted(channels, key=lambda each: each.channel in last)


class NotYet(NamedTuple):
    """Why a channel is shut for now, and the earliest instant at which it can open."""

    until: datetime
    why: TraceStep


def shut_for_now(
    each: ChannelRules,
    hours: ContactHours,
    zones: tuple[ZoneInfo, ...],
    facts: Facts,
    ledger: Iterable[LedgerEntry],
    moment: datetime,
) -> NotYet | None:
    """
    Tell whether a channel is shut at a moment, by its consent, its hours or its caps.

    `hours` are those of the channel for the stage. A message lapses ten minutes before they end, so none is begun in
    these ten minutes, except by SNS, which can keep to no such time.

    Raises:
        NoLawfulMomentError: the hours never open.
    """
    channel = each.channel
    if each.consent_required and not facts.has_consented_to(channel, moment):
        given = (facts.channel_consents or {})[channel]
        return NotYet(given, ("channel: %s passed over, the consent begins at %s", (channel.value, given)))
    opens = _hours_open(hours, zones, moment, lapses=each.gateway != SNS)
    if opens > moment:
        return NotYet(opens, ("channel: %s passed over, its hours open at %s", (channel.value, opens)))
    if each.caps:
        found = cap_in_the_way(each.caps, [entry.at for entry in ledger if entry.channel == channel])
        if found is not None and found.frees_at > moment:
            cap: TraceStep = ("channel: %s passed over, %s on it, free at %s", (channel.value, *found))
            return NotYet(found.frees_at, cap)
    return None


def _hours_open(hours: ContactHours, zones: tuple[ZoneInfo, ...], moment: datetime, *, lapses: bool) -> datetime:
    """Return the moment if the hours are open then, else the moment at which they open next."""
    opens, closes = open_window(hours, zones, moment)
    if lapses and closes - BEFORE_HOURS_END <= max(opens, moment):
        try:
            opens = open_window(hours, zones, closes)[0]
        except CalendarNotCoveredError as gap:
            opens = gap.since  # the hours of the customer say what is missing
    return max(opens, moment)
