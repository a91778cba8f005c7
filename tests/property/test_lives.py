"""
Whole lives: whatever the order and timing of wakes, payments and objections, no rule is ever broken.

The rules are written down here a second time, in the plainest way, and not taken from the code they check.
"""

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import event, given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, ReachedStage, Reason, Reminder, Send
from dunning.domain.decision.rules import Policies
from dunning.domain.effect.draws import SILENCE, Layer
from dunning.domain.texts.money import format_money
from dunning.domain.texts.segments import count_segments
from dunning.services.planning import plan, wake_after
from tests.support.arms import ARMS, OTHER_TEXT, ForcedArm
from tests.support.builders import a_standing, after, the_spread_policies
from tests.support.strategies import LADDER, START, Life, Silence, lives, many

DAY = timedelta(days=1)
END = START + timedelta(days=100)
MIN_DAYS = 3

PERSON_CAPS = {
    "TW": [(1, DAY), (3, 7 * DAY), (8, 30 * DAY)],
    "HK": [(1, DAY), (3, 7 * DAY), (8, 30 * DAY)],
    "CN": [(1, DAY), (3, 7 * DAY), (8, 30 * DAY)],
    "US": [(1, DAY), (2, 7 * DAY), (3, 7 * DAY), (8, 30 * DAY)],
    "JP": [(1, DAY), (2, 7 * DAY), (3, 7 * DAY), (6, 30 * DAY)],
}
ACCOUNT_CAPS = {"US-MA": [(2, 7 * DAY)]}
OPEN = {
    "TW": (time(9), time(20, 30)),
    "HK": (time(9), time(20, 30)),
    "CN": (time(9), time(20, 30)),
    "US": (time(9), time(20)),
    "JP": (time(9), time(19)),
}
SUNDAYS_CLOSED = {"HK": "overdue", "US": "all", "JP": "all"}
HOLIDAYS_CLOSED = {"TW": "overdue", "HK": "overdue", "CN": "overdue", "US": "overdue", "JP": "overdue"}
SMALLEST = {"TWD": 1000, "JPY": 10}
"""What counts as paid is less than this, in minor units: ten units, and elsewhere one."""
ZONES = {
    "TW": ["Asia/Taipei"],
    "HK": ["Asia/Hong_Kong"],
    "CN": ["Asia/Shanghai"],
    "US": [
        "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
        "America/Anchorage", "America/Adak", "Pacific/Honolulu",
    ],
    "US-TX": ["America/Chicago", "America/Denver"],
    "US-MA": ["America/New_York"],
    "US-known": ["Pacific/Honolulu"],
    "JP": ["Asia/Tokyo"],
}  # fmt: skip

NEEDS_NEW_FACTS = {
    Reason.NOTHING_OPEN, Reason.OPTED_OUT, Reason.ON_HOLD, Reason.LADDER_FINISHED, Reason.NO_WRITTEN_NOTICE,
}  # fmt: skip
"""The reasons that, of those a life here may meet, end a wake for good."""


@dataclass(frozen=True)
class Sent:
    """A text that was claimed, and the facts at that moment."""

    at: datetime
    facts: Facts
    reminder: Reminder


@dataclass(frozen=True)
class Decided:
    """Facts and standing at a moment, and the decision not to send that followed from them."""

    at: datetime
    facts: Facts
    decision: Decision


def live(life: Life, policies: Policies | None = None) -> tuple[list[Sent], list[Decided]]:
    """Play a life: the wake is all that is kept between decisions, as in the table."""
    facts, standing = life.facts, a_standing()
    policies = policies or the_spread_policies()
    events = list(life.events)
    sent: list[Sent] = []
    decided: list[Decided] = []
    wake = plan(facts, standing, policies, START).wake
    for turn in range(1000):
        woken_at = wake.at + timedelta(minutes=life.late[turn % len(life.late)]) if wake else END
        if events and events[0].at <= woken_at:
            change = events.pop(0)
            facts = change.change(facts)
            wake = plan(facts, standing, policies, change.at).wake
            continue
        if wake is None or woken_at >= END:
            return sent, decided
        for _ in range(2 if life.repeats[turn % len(life.repeats)] else 1):
            standing, decision = work(facts, standing, woken_at, sent, policies)
            if isinstance(decision, Send):
                wake = Wake(woken_at, 0)
                continue
            decided.append(Decided(woken_at, facts, decision))
            wake = wake_after(decision)
    raise AssertionError("a customer was woken a thousand times")


def work(
    facts: Facts, standing: Standing, now: datetime, sent: list[Sent], policies: Policies
) -> tuple[Standing, Decision]:
    """Do what a sender does: decide, claim, and plan what follows."""
    decision = decide(facts, standing, policies, now)
    if isinstance(decision, Send):
        sent.append(Sent(now, facts, decision.reminder))
        standing = after(standing, facts, decision.reminder, now)
        was_held_out, decision = decision.reminder.is_held_out, decide(facts, standing, policies, now)
        # After a stage that was left out another account's may be due at once: nobody was texted.
        assert was_held_out or not isinstance(decision, Send), "two texts at once"
    return standing, decision


def country(place: str) -> str:
    return place.partition("-")[0]


@cache
def holidays(of: str) -> tuple[frozenset[date], date]:
    raw = tomllib.loads((files("dunning.policy") / "data" / "calendars" / f"{of}.toml").read_text("utf-8"))
    return frozenset(date.fromisoformat(str(day)) for day in raw["holidays"]), raw["valid_until"]


def check_caps(life: Life, sent: list[Sent]) -> None:
    def within(contacts: list[datetime], count: int, window: timedelta) -> None:
        for last in contacts:
            assert sum(last - window < moment <= last for moment in contacts) <= count

    for count, window in PERSON_CAPS[country(life.place)]:
        within([text.at for text in sent], count, window)
    for count, window in ACCOUNT_CAPS.get(life.place, []):
        for account in life.facts.accounts:
            about = [text.at for text in sent if account.account_id in text.reminder.account_ids]
            within(about, count, window)


def check_hours(life: Life, sent: list[Sent]) -> None:
    there = country(life.place)
    opens, closes = OPEN[there]
    for text in sent:
        for name in ZONES[life.place]:
            local = text.at.astimezone(ZoneInfo(name))
            assert opens <= local.time() < closes
            assert text.reminder.on == local.date()
            closed_for = {"all", "overdue"} if text.reminder.stage > 0 else {"all"}
            if SUNDAYS_CLOSED.get(there) in closed_for:
                assert local.isoweekday() != 7
            if HOLIDAYS_CLOSED.get(there) in closed_for:
                closed, covered_until = holidays(there)
                assert local.date() not in closed
                assert local.date() <= covered_until


def check_ladders(sent: list[Sent]) -> None:
    by_ladder: defaultdict[tuple[str, int, date], list[tuple[int, date]]] = defaultdict(list)
    reached: dict[tuple[str, int, date], int | None] = {}
    for text in sent:
        for mark in text.reminder.reached_stages:
            ladder = (mark.account_id, mark.number, mark.due_on)
            by_ladder[ladder].append((mark.stage, text.reminder.on))
            reached[ladder] = instalment_of(text.facts, mark).stage_reached
    for ladder, reached_stages in by_ladder.items():
        due_on = ladder[2]
        for stage, on in reached_stages:
            assert on >= due_on + timedelta(days=stage), "before its day"
            if stage <= 0:
                assert on <= due_on, "a text that is no longer so"
        stages = [stage for stage, _ in reached_stages]
        assert stages == sorted(set(stages)), "repeated or out of order"
        overdue = [stage for stage in stages if stage > 0]
        first = next((stage for stage in LADDER if stage > max(0, reached[ladder] or 0)), None)
        if overdue:
            assert overdue[0] == first, "the first overdue text is not the mildest"
            position = LADDER.index(overdue[0])
            assert overdue == list(LADDER[position : position + len(overdue)]), "a stage was skipped"
        for (earlier, before), (stage, on) in pairwise(reached_stages):
            if stage > 0:
                assert (on - before).days >= MIN_DAYS, "a burst"
            if earlier > 0:
                assert (on - before).days >= stage - earlier, "a ladder that hurries to catch up"


def check_notices(sent: list[Sent]) -> None:
    """Nobody is sent the last stage before a written notice about that very delay was issued."""
    for text in sent:
        for reached in text.reminder.reached_stages:
            if reached.stage == LADDER[-1]:
                notice = instalment_of(text.facts, reached).written_notice_on
                assert notice is not None, "no written notice"
                assert reached.due_on <= notice <= text.reminder.on


def check_distance(sent: list[Sent]) -> None:
    """No overdue text follows another text about its account too soon, whichever instalment that was for."""
    last: dict[str, date] = {}
    for text in sent:
        for reached in text.reminder.reached_stages:
            before = last.get(reached.account_id)
            if reached.stage > 0 and before is not None:
                assert (text.reminder.on - before).days >= MIN_DAYS, "a payment brought a text on"
            last[reached.account_id] = text.reminder.on


def instalment_of(facts: Facts, reached: ReachedStage) -> Instalment:
    (account,) = [account for account in facts.accounts if account.account_id == reached.account_id]
    (instalment,) = [instalment for instalment in account.instalments if instalment.number == reached.number]
    return instalment


def rests(account: Account) -> list[tuple[date, int]]:
    """Return what is open of each period with its due date, less the account's credits, and without small rests."""
    smallest = SMALLEST.get(account.currency, 100)
    periods = [(each.due_on, each.amount - each.paid) for each in account.instalments]
    credit = -sum(rest for _, rest in periods if rest < 0)
    found = []
    for due_on, rest in periods:
        if rest < smallest:
            continue
        used = min(credit, rest)
        credit -= used
        if rest - used >= smallest:
            found.append((due_on, rest - used))
    return found


def owed(account: Account) -> int:
    return sum(rest for _, rest in rests(account))


def overdue_on(facts: Facts, currency: str, on: date) -> dict[str, list[int]]:
    """Return what fell due before a day in a currency, by account."""
    late = {
        account.account_id: [rest for due_on, rest in rests(account) if due_on < on]
        for account in facts.accounts
        if account.currency == currency
    }
    return {account_id: amounts for account_id, amounts in late.items() if amounts}


def currency_of(text: Sent) -> str:
    (currency,) = {
        account.currency for account in text.facts.accounts if account.account_id in text.reminder.account_ids
    }
    return currency


def check_amounts(sent: list[Sent]) -> None:
    """
    What a text asks for is true: all that is overdue in its currency, or what falls due on the day that it names.

    What falls due on the very day of an overdue text is not overdue, and nothing that is overdue is left out.
    """
    for text in sent:
        reminder, facts = text.reminder, text.facts
        assert len(set(reminder.account_ids)) == len(reminder.account_ids)
        assert reminder.reached_stages
        currency = currency_of(text)
        assert len({reached.stage > 0 for reached in reminder.reached_stages}) == 1, "overdue and not yet due added up"
        if reminder.stage > 0:
            late = overdue_on(facts, currency, reminder.on)
            assert set(reminder.account_ids) == set(late), "an account that is overdue is left out"
            amounts = [rest for rests_of_account in late.values() for rest in rests_of_account]
        else:
            assert not reminder.also_named
            amounts = [
                rest
                for account in facts.accounts
                for reached in reminder.reached_stages
                for due_on, rest in rests(account)
                if reached.account_id == account.account_id and due_on == reached.due_on
            ]
        language = facts.language if facts.lender == "demo-cn" or facts.language == "en" else "zh-Hant"
        assert format_money(sum(amounts), currency, language) in reminder.text
        assert len(amounts) == 1 or str(len(amounts)) in reminder.text
        assert count_segments(reminder.text).parts <= reminder.parts <= 2


def check_words(sent: list[Sent]) -> None:
    """An overdue text speaks in the words of the mildest stage, and of a letter only to who has had one about each."""
    reached_before: dict[tuple[str, int, date], int] = {}
    for text in sent:
        marked = {reached.account_id: reached.stage for reached in text.reminder.reached_stages}
        if text.reminder.stage > 0:
            stages, noticed = [], True
            for account in text.facts.accounts:
                if account.account_id in text.reminder.account_ids:
                    earliest = min(still_due(account), key=lambda each: each.due_on)
                    imported = max((each for each in LADDER if 0 < each <= (earliest.stage_reached or 0)), default=0)
                    ours = reached_before.get((account.account_id, earliest.number, earliest.due_on), 0)
                    stages.append(marked.get(account.account_id) or max(ours, imported) or 3)
                    letter = earliest.written_notice_on
                    noticed = noticed and letter is not None and earliest.due_on <= letter <= text.reminder.on
            mildest = min(stages)
            assert text.reminder.stage == (mildest if noticed else min(mildest, 15))
        else:
            assert (
                text.reminder.stage
                == min((reached.due_on, reached.account_id, reached.stage) for reached in text.reminder.reached_stages)[
                    2
                ]
            )
        for reached in text.reminder.reached_stages:
            reached_before[reached.account_id, reached.number, reached.due_on] = reached.stage


def check_nothing_disappears(sent: list[Sent]) -> None:
    """Of two overdue texts in one currency with no change between them the later never names less."""
    last: dict[str, Sent] = {}
    for text in sent:
        if text.reminder.stage <= 0:
            continue
        currency = currency_of(text)
        before = last.get(currency)
        if before is not None and before.facts == text.facts:
            assert set(before.reminder.account_ids) <= set(text.reminder.account_ids), "the later text names less"
            earlier, later = (overdue_on(each.facts, currency, each.reminder.on) for each in (before, text))
            assert all(sum(later[account_id]) >= sum(amounts) for account_id, amounts in earlier.items())
        last[currency] = text


def check_silences(life: Life, sent: list[Sent]) -> None:
    for silence in life.events:
        if not isinstance(silence, Silence):
            continue
        for text in sent:
            if text.at < silence.at:
                continue
            assert not silence.opt_out, "a text after an opt-out"
            assert silence.until is not None, "a text during a hold without an end"
            for name in ZONES[life.place]:
                assert text.at.astimezone(ZoneInfo(name)).date() > silence.until, "a text during a hold"


def check_nobody_is_left_out(sent: list[Sent], decided: list[Decided]) -> None:
    for judged in decided:
        decision = judged.decision
        if decision.until is not None:
            assert decision.until > judged.at, "a wake that is no wake"
            continue
        assert decision.reason in NEEDS_NEW_FACTS, decision.reason
        still_open = [account for account in judged.facts.accounts if owed(account) > 0]
        if decision.reason is Reason.NOTHING_OPEN:
            assert not still_open
        elif decision.reason is Reason.OPTED_OUT:
            assert judged.facts.opted_out
        elif decision.reason is Reason.ON_HOLD:
            assert any(hold.until is None for hold in judged.facts.holds)
        else:
            lacking = [account for account in still_open if not last_stage_sent(account, sent, judged.at)]
            assert bool(lacking) is (decision.reason is Reason.NO_WRITTEN_NOTICE)
            for account in lacking:
                earliest = min(still_due(account), key=lambda each: each.due_on)
                assert earliest.due_on + timedelta(days=LADDER[-1]) <= judged.at.date() + DAY, "handed over too early"
                assert earliest.written_notice_on is None, "handed over in spite of a notice"


def still_due(account: Account) -> list[Instalment]:
    """What is open after the account's credits, which lessen the earliest instalments; small rests are not."""
    due_on = {day for day, _ in rests(account)}
    return [instalment for instalment in account.instalments if instalment.due_on in due_on]


def last_stage_sent(account: Account, sent: list[Sent], by: datetime) -> bool:
    """Tell whether the ladder has ended for some open instalment: nothing follows the last stage but a person."""
    texted = {
        reached.number
        for text in sent
        if text.at <= by
        for reached in text.reminder.reached_stages
        if reached.account_id == account.account_id and reached.stage == LADDER[-1]
    }
    imported = {instalment.number for instalment in account.instalments if instalment.stage_reached == LADDER[-1]}
    return bool((texted | imported) & {instalment.number for instalment in account.instalments if instalment.open > 0})


@many
@given(lives())
def test_no_rule_is_ever_broken(life: Life) -> None:
    sent, decided = live(life)
    event(f"{country(life.place)}: {'no text' if not sent else 'texts'}")
    event(f"{min(len(sent), 9)} texts")
    check_caps(life, sent)
    check_hours(life, sent)
    check_ladders(sent)
    check_notices(sent)
    check_distance(sent)
    check_amounts(sent)
    check_words(sent)
    check_nothing_disappears(sent)
    check_silences(life, sent)
    check_nobody_is_left_out(sent, decided)
    ids = [text.reminder.send_id for text in sent]
    assert len(ids) == len(set(ids)), "one id twice"


@many
@given(lives(), st.sampled_from(ARMS))
def test_no_rule_is_ever_broken_whatever_chance_decides(life: Life, arm: tuple[Layer, str]) -> None:
    claimed, decided = live(life, _FORCED[arm])
    texts = [each for each in claimed if not each.reminder.is_held_out]
    event(f"{arm[1]}: {min(len(claimed) - len(texts), 9)} left out, {min(len(texts), 9)} texts")
    check_caps(life, texts)
    check_hours(life, claimed)
    check_ladders(claimed)
    check_notices(claimed)
    check_distance(texts)
    check_amounts(texts)
    check_words(claimed)
    check_nothing_disappears(texts)
    check_silences(life, claimed)
    check_nobody_is_left_out(claimed, decided)
    for each in claimed:
        check_draws(each.reminder, *arm)
    ids = [each.reminder.send_id for each in claimed]
    assert len(ids) == len(set(ids)), "one id twice"


_FORCED = {arm: ForcedArm(the_spread_policies(), *arm) for arm in ARMS}


def check_draws(reminder: Reminder, layer: Layer, arm: str) -> None:
    """Every arm is recorded as it was forced; silence sends nothing, and only where all stages may be left out."""
    drawn = {draw.layer: draw for draw in reminder.draws}
    latest = 7 if layer is Layer.HOLDOUT else 0
    stages = (reminder.stage, *[mark.stage for mark in reminder.reached_stages])
    may_be_silent = all(stage <= latest for stage in stages)
    assert reminder.is_held_out is (arm == SILENCE and may_be_silent)
    assert bool(reminder.text) is not reminder.is_held_out
    assert drawn.keys() <= {layer}
    assert bool(drawn) is bool(reminder.asked)
    assert bool(reminder.payer_segment) or not drawn
    if layer is Layer.HOLDOUT and may_be_silent:
        assert (drawn[layer].arm, drawn[layer].propensity) == (arm, 1.0)
    elif arm == SILENCE and layer is Layer.TEXT:
        assert (layer in drawn) is may_be_silent
    elif layer is Layer.TEXT:
        # What is not registered where it has to be is not drawn.
        assert layer in drawn or arm == OTHER_TEXT
        assert reminder.template.startswith("other-") is (layer in drawn and arm == OTHER_TEXT)


@many
@given(lives())
def test_a_customer_who_never_pays_is_sent_the_whole_ladder_or_handed_over(life: Life) -> None:
    """Without events and outages, a life of 100 days ends with the whole ladder sent, or with a reason."""
    undisturbed = Life(life.place, life.facts, (), (0,), (False,))
    sent, decided = live(undisturbed)
    owing = [account for account in life.facts.accounts if owed(account) > 0]
    if not owing:
        assert not sent
        return
    last = decided[-1] if decided else None
    if last is not None and last.decision.until is None:
        assert last.decision.reason in {Reason.LADDER_FINISHED, Reason.NO_WRITTEN_NOTICE}
    elif last is not None and last.decision.reason is Reason.CALENDAR_NOT_COVERED:
        assert country(life.place) == "CN"
    else:
        assert last is None or (last.decision.until is not None and last.decision.until >= END)
