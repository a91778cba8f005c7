"""
Rules: the limits for one customer, which are the law of the place tightened by the lender's policy.

Loaders in `dunning.policy` build the rules from data files. The domain only obeys them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import Layer
from dunning.domain.effect.payer_segments import SegmentRule
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.effect.trials import Trial
from dunning.domain.texts.channel_words import ChannelWording
from dunning.domain.texts.lint import Linter
from dunning.domain.texts.wording import Text, TextVariant

type Windows = tuple[tuple[int, int], ...]
"""The open times of a day as minutes from midnight, each `[start, end)`, in order."""

type Week = tuple[Windows, ...]
"""The windows of Monday to Sunday."""


class Scope(StrEnum):
    """The contacts that a cap counts: all contacts of the person, or the contacts about one account."""

    PERSON = "person"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` contacts in any `window`, which slides: the last 24 hours, not 'today'."""

    count: int
    window: timedelta
    scope: Scope = Scope.PERSON

    def __str__(self) -> str:
        """Say the cap as a trace does: `3 texts in 7 days`."""
        hours = self.window // timedelta(hours=1)
        span = f"{hours // 24} days" if hours > 24 and hours % 24 == 0 else f"{hours} hours"  # noqa: PLR2004 - a day
        return f"{self.count} text{'s' if self.count > 1 else ''} in {span}"


class FatigueLimits(NamedTuple):
    """How many reminders in a row may be left without any answer before there are fewer, and before there are none."""

    after: int
    """From so many on, `min_days_between_stages` is doubled, and holds between all reminders of the person."""
    stop_after: int | None
    """After so many no reminder follows; `None` if they go on."""


@dataclass(frozen=True, slots=True, eq=False)
class ContactHours:
    """
    When a customer may be contacted, in local time.

    `special` holds the days with other windows than their weekday: public holidays, and working days moved to a
    weekend. A closed day has no windows. `covered_until` is the last day the calendar knows, or `None` if no calendar
    is needed. Hours are compared by identity, so that they are a cheap cache key.
    """

    week: Week
    special: Mapping[date, Windows] = field(default_factory=dict)
    covered_until: date | None = None


SNS = "sns"
"""The gateway of SMS where a policy names none."""

_BY_NUMBER = frozenset({"line_notification"})
"""Gateways that want a number, although their channel has addresses of its own."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChannelRules:
    """One channel as a customer may be contacted on it: inside all limits of the customer, and with its own."""

    channel: Channel
    gateway: str
    """The name of the gateway: `sns`."""
    hours: ContactHours | None = None
    """Contact hours for messages up to the due date, never wider than the customer's; `None` for just these."""
    overdue_hours: ContactHours | None = None
    """Contact hours for messages after the due date, likewise."""
    caps: tuple[Cap, ...] = ()
    """Frequency caps over the contacts of the person on this channel. Those of the person count all channels."""
    consent_required: bool = False
    """Whether a consent to this channel has to be on record."""
    sender: str = ""
    """Who sends: the address of mails, the number that calls, the id of WhatsApp's number or of LINE's account."""
    reply_to: str = ""
    """Where answers to mails go, or empty."""
    voice: str = ""
    """The voice of calls, or empty."""
    registered: Mapping[str, str] | None = None
    """The template that WhatsApp has approved for each wording, by its `id@version`; `None` on other channels."""

    def address_in(self, facts: Facts) -> str:
        """Return the customer's address on this channel, as the gateway wants it; empty if there is none."""
        return facts.phone if self.gateway in _BY_NUMBER else facts.address_of(self.channel)

    def hours_for(self, rules: "Rules", stage: int | None) -> ContactHours:
        """Return the contact hours of a stage on this channel; those up to the due date if it is no reminder."""
        if stage is not None and stage > 0:
            return self.overdue_hours or rules.overdue_hours
        return self.hours or rules.hours


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rules:
    """All limits and words that apply to one customer: the law of the place, tightened by the lender's policy."""

    lender: str
    """The id of the policy, as in the file of accounts."""
    jurisdiction: str
    """The place whose law applies: the id of a file in `policy/data/jurisdictions`."""
    zones: tuple[ZoneInfo, ...]
    """All time zones the customer may be in, a foreign number's included."""
    home_zones: tuple[ZoneInfo, ...]
    """The time zones of the customer's own place, without a foreign number's."""
    ladder: tuple[int, ...]
    """The stages, in days from the due date, ascending."""
    urgency: tuple[int, ...]
    """The same stages, most urgent first."""
    first_overdue_day: int
    """The first day after the due date on which a text may name a debt as overdue: 1, or later after days of grace."""
    min_days_between_stages: int
    """Days between two overdue stages of an account, at least."""
    catch_up_days: int | None
    """Days between two overdue stages that are late, at most their own distance; `None` for their own distance."""
    preferred_minute_of_day: int
    """The time of day from which texts are sent, in minutes from midnight."""
    spread: timedelta
    """The time after the preferred hour over which the customers' texts of a day are spread; zero for none."""
    smallest_amounts: Mapping[str, int]
    """The smallest open amount of an instalment that counts, by currency, in minor units. Less counts as paid."""
    hours: ContactHours
    """Contact hours for texts up to the due date."""
    overdue_hours: ContactHours
    """Contact hours for texts after the due date."""
    person_caps: tuple[Cap, ...]
    """Frequency caps over all contacts of the person."""
    account_caps: tuple[Cap, ...]
    """Frequency caps over the contacts about one account."""
    longest_window: timedelta
    """The longest window of any cap: the time for which the ledger has to keep entries."""
    consent_required: bool
    """Whether the place requires a consent on record."""
    languages: tuple[str, ...]
    """The languages there are texts in, in order of preference."""
    texts: Mapping[tuple[str, int, bool], Text]
    """The wordings by language, stage, and whether several instalments are due."""
    texts_with_fee: Mapping[tuple[str, int, bool], Text]
    """The wordings that name a late fee, by the same keys."""
    notice_stages: frozenset[int]
    """Stages that need a written notice on record."""
    first_overdue_needs_notice: bool = field(init=False)
    """Whether the first overdue stage needs a written notice: without one there may be no true words."""
    sender_name: Mapping[str, str]
    """The sender's name, by language."""
    pay: Mapping[str, str]
    """The ways to pay, by language."""
    pay_to_account: Mapping[str, str]
    """
    The ways to pay to the customer's own account, by language, with `{pay_account}` for it.

    Empty if the lender has none. It is for customers whose accounts have one.
    """
    hotline: Mapping[str, str]
    """Whom a customer may ask, by language: one number, or words where no number may stand in a text."""
    two_way: bool
    """Whether a reply to a text can arrive."""
    opt_out_line: Mapping[str, str]
    """
    How to opt out, by language; empty where no place demands the line.

    Where no reply can arrive it says how else.
    """
    and_others: Mapping[str, str]
    """The words after the account's last digits in a text about several accounts, by language."""
    linter: Linter
    """Judges every rendered text."""
    links_allowed: bool
    """Whether a text may hold a link at all."""
    numbers_to_call_allowed: bool
    """Whether a text may hold a number to call; where not, carriers block such a text."""
    link_domains: frozenset[str]
    """The domains a link may lead to."""
    signature_by_carrier: bool
    """Whether the carrier puts the sender's name in front of the text."""
    max_parts: int
    """Segments a text may take, at most."""
    registered: Mapping[str, str] | None
    """The carrier's registration of each wording, by its `id@version`; `None` if no registration is needed."""
    sender_id: str
    """The alphanumeric sender, or empty."""
    origination_number: str
    """The number texts are sent from, or empty."""
    entity_id: str
    """The sender's registration with the carrier's regulator, or empty."""
    max_price: str
    """The highest price of one segment, in US dollars, as SNS takes it; or empty."""
    retention_days: int
    """How long an audit record is kept."""
    confirmations: Mapping[str, Text]
    """The texts that confirm an opt-out, by language; empty if the place does not allow a confirmation."""
    confirmation_within: timedelta | None
    """The time after the reply within which a confirmation may follow; `None` if the place does not allow it."""
    grace_days: int
    """Days of silence after "I have paid", and after a promise without a certain day."""
    promise_days: int
    """How far ahead the day of a promise to pay may be."""
    question_days: int
    """Working days of silence after a question, at most."""
    doubt_days: int
    """Working days of silence after a reply whose reading is in doubt."""
    refusal_ends_contact: bool
    """Whether the law ends all contact once a customer refuses to pay."""
    holidays: frozenset[date]
    """The public holidays of the customer's place: no working days, whatever the contact hours."""
    channels: Mapping[int, tuple[ChannelRules, ...]]
    """The channels of each stage of the ladder, in order of preference."""
    channel_words: Mapping[str, ChannelWording] = field(default_factory=dict)
    """The wordings of channels other than SMS, by language."""
    failover_after: timedelta | None = None
    """How long a gateway may take nothing before its customers get another channel; `None` for ever."""
    fatigue: FatigueLimits | None = None
    """When reminders are left unanswered; `None` if the policy says nothing of it."""
    trials: tuple[Trial, ...] = ()
    """The approved trials in which such customers take part."""
    variants: Mapping[str, TextVariant] = field(default_factory=dict)
    """The wordings of SMS that trials compare with the usual ones, by arm."""
    segment_rules: tuple[SegmentRule, ...] = ()
    """The rules of payer segments: the first that fits counts."""
    amount_bands: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The bounds of the bands of what is open, by currency, ascending, in minor units. Others' band is not known."""
    lists_closed_accounts: bool = False
    """Whether the facts name every loan that a customer ever had. Only then is a single one known to be the first."""
    trial_control: TrialControl | None = field(default_factory=lambda: TrialControl(lender=""))
    """What holds for the trials now; `None` if that cannot be read: then nothing is left to chance."""
    holdouts: tuple[Trial, ...] = field(init=False)
    """Those of the trials that leave stages out."""
    trials_of_texts: tuple[Trial, ...] = field(init=False)
    """Those of the trials that compare wordings."""
    trials_of_hours: tuple[Trial, ...] = field(init=False)
    """Those of the trials that move the preferred hour."""
    arms_left: Mapping[str, tuple[str, ...]] = field(init=False)
    """The arms that the control lets be drawn, by trial; of a stopped trial none. Empty if it cannot be read."""
    is_sms_only: bool = field(init=False)
    """Whether all there is are SMS by SNS, without limits of their own. Then no channel has to be chosen."""

    def __post_init__(self) -> None:
        first_overdue = min((stage for stage in self.ladder if stage > 0), default=None)
        needed = first_overdue is not None and min(self.notice_stages, default=first_overdue + 1) <= first_overdue
        object.__setattr__(self, "first_overdue_needs_notice", needed)
        for name, layer in (
            ("holdouts", Layer.HOLDOUT),
            ("trials_of_texts", Layer.TEXT),
            ("trials_of_hours", Layer.HOUR),
        ):
            object.__setattr__(self, name, tuple([trial for trial in self.trials if trial.layer is layer]))
        control = self.trial_control
        left = {} if control is None else {each.trial_id: tuple(control.arms_left(each)) for each in self.trials}
        object.__setattr__(self, "arms_left", left)
        object.__setattr__(self, "is_sms_only", all(map(_is_plain_sms, self.channels.values())))


def _is_plain_sms(channels: tuple[ChannelRules, ...]) -> bool:
    return [
        (each.channel, each.gateway, each.hours, each.overdue_hours, each.caps, each.consent_required)
        for each in channels
    ] == [(Channel.SMS, SNS, None, None, (), False)]


class Policies(Protocol):
    """The source of the rules for each customer."""

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules of a moment, or the reason why there are no rules: the decision then is to stop."""
        ...
