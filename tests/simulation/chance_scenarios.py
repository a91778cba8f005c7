"""
The scenarios of customers in trials: left out at a stage, or with a wording and an hour that were drawn.

Whatever else happens meanwhile, the lot stays: nobody who is left out is contacted, on no channel, and each draw is on
record once. In some scenarios an arm is paused, or a trial stopped, between two deliveries of a job.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dunning.contracts.replan_part import ReplanPart, replan_body
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import project_facts
from dunning.domain.customer.standing import AddressSince, LedgerEntry, Progress, progress_key
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from tests.simulation.cast import LOADED, event_body, reply_body
from tests.simulation.channel_scenarios import BY_MAIL, LINE_USER, REACHABLE, failed_before
from tests.simulation.customer_rows import CustomerRow, contacts_in
from tests.simulation.policies import (
    CONTROLLED,
    DRAWN,
    DRAWN_CHANNELS,
    RESTED,
    RESTED_CHANNELS,
    SILENT,
    SILENT_CHANNELS,
)
from tests.simulation.scenarios import (
    CHANGE_THE_RECORD_ALONE,
    CUSTOMER,
    DAY,
    EMPTY,
    EVENING,
    EVENTS,
    FACTS,
    HELD,
    LETTER,
    LOADS,
    REPLIES,
    REPLY,
    REPORTS,
    SAID_AT,
    UPLOAD,
    UPLOADED,
    Kept,
    News,
    Scenario,
    is_planned_anew,
    job,
    nothing_to_keep,
    starting,
    with_rows,
)
from tests.simulation.simulator import Situation
from tests.simulation.world import Mail, Text, World
from tests.support.builders import a_lender_record, an_account, an_instalment
from tests.support.people import NOW, someone, waking

LEFT_OUT, IN_TEXT, STEERED, AT_REST = (replace(FACTS, lender=lender) for lender in (SILENT, DRAWN, CONTROLLED, RESTED))
"""
Customers whom the lot leaves out; gives a wording and an hour; leaves out unless a control says otherwise; and leaves
out at one stage and not at the next.
"""


def _starting(*mail: Mail, facts: Facts = LEFT_OUT, **start: Any) -> Callable[[], Situation]:  # noqa: ANN401 - of a start
    now = start.get("now", NOW)
    start = {"record": a_lender_record(facts), "standing": waking(facts, now), **start}
    return starting(*mail, **start)


def _scenario(
    name: str,
    group: str,
    start: Callable[[], Situation],
    kept: Kept = nothing_to_keep,
    *,
    wakes: int = 2,
    is_deep: bool = False,
) -> Scenario:
    return Scenario(
        name=f"chance x {name}", group=f"chance x {group}", start=start, kept=kept, wakes=wakes, is_deep=is_deep
    )


def nobody_is_contacted(_: CustomerRow, world: World) -> bool:
    """Tell whether no message has gone to anybody since the beginning, and the stage was left out."""
    is_left_out = any(contact.state is ContactState.HELD_OUT for contact in contacts_in(world.rows))
    return is_left_out and not any(text.by not in world.unseen for text in world.texts)


# ------------------------------------------------------------------ the sender, alone and beside itself


def _sends() -> Iterator[Scenario]:
    yield Scenario(name="chance", group="chance", start=_starting(job()), kept=nobody_is_contacted)
    yield _scenario("duplicate", "duplicate", _starting(job("job a"), job("job b")), nobody_is_contacted)
    yield _scenario("redelivery", "duplicate", _starting(job(copies=1)), nobody_is_contacted)
    yield _scenario("drawn", "drawn", _starting(job(), facts=IN_TEXT))
    yield _scenario("drawn x duplicate", "drawn", _starting(job("job a"), job("job b"), facts=IN_TEXT), is_deep=True)
    yield _scenario("drawn x redelivery", "drawn", _starting(job(copies=1), facts=IN_TEXT))
    for name in ("receipt delivered", "receipt of a failure for now"):
        start = _starting(job(), facts=IN_TEXT, before=EMPTY._replace(reports=REPORTS[name]))
        yield _scenario(f"drawn x {name}", "drawn", start)
    due_today = replace(IN_TEXT, accounts=someone(due_in=0).accounts)
    yield _scenario("drawn x before its hour", "drawn", _starting(job(), facts=due_today))
    yield _scenario("drawn x replan", "drawn", _replanned(IN_TEXT), is_planned_anew)


def _replanned(facts: Facts) -> Callable[[], Situation]:
    part = Mail("replan", "part", replan_body(ReplanPart(0, 1, "")), NOW)
    return _starting(job(), part, facts=facts, standing=waking(facts, NOW + timedelta(days=60)))


# ------------------------------------------------------------------ beside news


def _beside(news: News, group: str, facts: Facts = LEFT_OUT, *, is_deep: bool = False) -> Scenario:
    record = a_lender_record(facts)
    if news.record is HELD:
        record = replace(HELD, snapshot=record.snapshot)
        known = project_facts(record)
        assert known is not None
    start = _starting(
        job(),
        news.mail,
        facts=facts,
        record=record,
        standing=news.standing or waking(facts),
        replies=(news.reply,) if news.reply else (),
    )
    what = news.name if facts is LEFT_OUT else f"drawn x {news.name}"
    return _scenario(what, group, start, news.kept, is_deep=is_deep)


def _load_for(news: News, facts: Facts) -> News:
    """Return a load of the same content for a customer in a trial."""
    name = f"{news.name} of {facts.lender}"
    LOADED[name] = replace(LOADED[news.mail.body], lender=facts.lender)
    return replace(news, mail=Mail(news.name, "load", name, NOW))


def _of_news() -> Iterator[Scenario]:
    by_name = {reply.name: reply for reply in REPLIES}
    for news in EVENTS:
        if news.name != "erasure":
            yield _beside(news, "event", is_deep=news.name in CHANGE_THE_RECORD_ALONE)
    for name in ("reply opt_out", "reply hardship"):
        yield _beside(by_name[name], "reply")
    for news in LOADS:
        yield _beside(_load_for(news, LEFT_OUT), "load", is_deep=news.name == "load held")
    first = _load_for(News(name="load of somebody new", mail=Mail("", "load", LOADS[0].mail.body, NOW),
                           kept=lambda customer, _: customer.facts is not None and customer.standing is not None),
                      LEFT_OUT)  # fmt: skip
    LOADED[first.mail.body] = replace(UPLOADED, lender=SILENT)
    yield _scenario("load of somebody new", "load", _starting(job(), first.mail, is_new=True), first.kept)
    yield _scenario("replan", "replan", _replanned(LEFT_OUT), is_planned_anew)
    for facts in (LEFT_OUT, IN_TEXT):
        start = _starting(
            job(),
            EVENTS[-1].mail,
            facts=facts,
            replies=(REPLY,),
            before=EMPTY._replace(uploads=(UPLOAD,), letters=(LETTER,)),
        )
        name = "erasure" if facts is LEFT_OUT else "drawn x erasure"
        yield _scenario(name, "erasure", start, EVENTS[-1].kept, is_deep=facts is IN_TEXT)
    yield _beside(EVENTS[0], "drawn", IN_TEXT)
    yield _beside(by_name["reply opt_out"], "drawn", IN_TEXT)


# ------------------------------------------------------------------ at the limits


def _left_out_before(account_id: str, *stages: tuple[int, timedelta], due_in: int = 0) -> dict[str, Any]:
    """Return what stages of an account have left that were left out before: nobody has heard anything."""
    ledger = tuple(
        LedgerEntry(
            send_id=f"{account_id}-{stage}", claim_id="", at=NOW - ago, stage=stage, accounts=(account_id,),
            channel="none", for_wake=None,
        )
        for stage, ago in stages
    )  # fmt: skip
    stage, ago = stages[-1]
    reached = Progress(stage, (NOW - ago).date(), (NOW + due_in * DAY).date())
    return {"ledger": ledger, "progress": {progress_key(account_id, 1): reached}}


def _texted_before(*ago: timedelta) -> tuple[tuple[LedgerEntry, ...], World]:
    ledger = tuple(
        LedgerEntry(
            send_id="earlier", claim_id="", at=NOW - span, stage=None, accounts=("A9",), channel="sms", for_wake=None
        )
        for span in ago
    )
    texts = tuple(
        Text(FACTS.phone, f"earlier {number}", NOW - span, "earlier", f"earlier!{number}")
        for number, span in enumerate(ago)
    )
    return ledger, EMPTY._replace(texts=texts, unseen=frozenset({"earlier"}))


def _two_accounts(*due_in: int) -> Facts:
    """Return a customer who is left out, with an account for each due date."""
    accounts = tuple(
        an_account(an_instalment((NOW + days * DAY).date().isoformat()), account_id=f"A0001-{number}")
        for number, days in enumerate(due_in)
    )
    return replace(LEFT_OUT, accounts=accounts)


def _is_said_at_last(_: CustomerRow, world: World) -> bool:
    """Tell whether the stages up to the seventh day were left out, each once, and the one after them was said."""
    records = sorted(contacts_in(world.rows), key=lambda contact: contact.at)
    left_out = [contact.stage for contact in records if contact.state is ContactState.HELD_OUT]
    texted = [contact.stage for contact in records if contact.state is ContactState.SENT]
    return left_out == [0, 3, 7] and texted[:1] == [15]


def _at_the_limits() -> Iterator[Scenario]:
    group = "limits"
    for name, ago in {
        "cap of a day": (timedelta(hours=23, minutes=59),),
        "cap of a week": (timedelta(days=6, hours=23), timedelta(days=4), timedelta(days=2)),
    }.items():
        ledger, before = _texted_before(*ago)
        yield _scenario(name, group, _starting(job(), standing=waking(LEFT_OUT, ledger=ledger), before=before))
    yield _scenario("night", group, _starting(job(at=EVENING), now=EVENING))
    off = EMPTY._replace(off_since=NOW - timedelta(hours=1))
    yield _scenario("switch off", group, _starting(job(), before=off))
    yield _scenario("failed news", group, _starting(job(), before=EMPTY._replace(noted_at=NOW)), is_deep=True)
    silence = _left_out_before("A9", (-3, 4 * DAY), (0, 2 * DAY), (3, timedelta(hours=23, minutes=59)))
    start = _starting(job(), facts=IN_TEXT, standing=waking(IN_TEXT, **silence))
    yield _scenario("caps after silence", group, start)
    due_today = replace(LEFT_OUT, accounts=someone(due_in=0).accounts)
    yield _scenario("whole ladder", group, _starting(job(), facts=due_today), _is_said_at_last, wakes=5)
    overdue = replace(LEFT_OUT, accounts=someone(due_in=-20).accounts)
    yield _scenario("long overdue", group, _starting(job(), facts=overdue), wakes=4)
    seven, fifteen = (
        _left_out_before(f"A0001-{number}", (stage, ago), due_in=due_in)
        for number, stage, ago, due_in in ((0, 3, 4 * DAY, -7), (1, 7, 8 * DAY, -15))
    )
    standing = waking(
        LEFT_OUT,
        ledger=(*fifteen["ledger"], *seven["ledger"]),
        progress={**seven["progress"], **fifteen["progress"]},
    )
    start = _starting(job(), facts=_two_accounts(-7, -15), standing=standing)
    yield _scenario("a stage that is owed", group, start)
    start = _starting(job("job a"), job("job b"), facts=_two_accounts(3, -3))
    yield _scenario("two stages at once", group, start, wakes=1)
    start = _starting(job(), facts=_two_accounts(3, 3))
    yield _scenario("two accounts", group, start, nobody_is_contacted, is_deep=True)


# ------------------------------------------------------------------ over channels


def _over_channels() -> Iterator[Scenario]:
    group = "channels"
    silent = replace(REACHABLE, lender=SILENT_CHANNELS)
    by_mail = replace(BY_MAIL, lender=SILENT_CHANNELS)
    yield _scenario("channels", group, _starting(job(), facts=silent), nobody_is_contacted)
    yield _scenario("channels x duplicate", group, _starting(job("job a"), job("job b"), facts=silent),
                    nobody_is_contacted)  # fmt: skip
    yield _scenario("channels x redelivery", group, _starting(job(copies=1), facts=silent), nobody_is_contacted)
    refused = waking(silent, suspended={"line": AddressSince(LINE_USER, NOW - 20 * DAY)})
    yield _scenario("channels x LINE refused", group, _starting(job(), facts=silent, standing=refused),
                    nobody_is_contacted)  # fmt: skip
    stopped = EMPTY._replace(stopped=frozenset({Channel.LINE}))
    yield _scenario("channels x LINE stopped", group, _starting(job(), facts=silent, before=stopped))
    out = EMPTY._replace(out=frozenset({"line"}))
    yield _scenario("channels x outage", group, _starting(job(), facts=silent, before=out), nobody_is_contacted)
    stop = Mail("stop", "reply", reply_body("in-3", FACTS.phone, "opt_out", SAID_AT), NOW)
    yield _scenario("channels x stop by text", group, _starting(job(), stop, facts=by_mail), _is_opted_out)
    another = {"schema_version": 2, "channel": "email", "address": "wang.m@example.org"}
    moved = Mail("moved", "event", event_body("AddressChanged", CUSTOMER, SAID_AT, **another), NOW)
    yield _scenario("channels x another mailbox", group, _starting(job(), moved, facts=by_mail), is_deep=True)
    late = replace(by_mail, accounts=someone(due_in=-6).accounts)
    standing, world, rows = failed_before(late, (3, "email", 3))
    start = _starting(job(), facts=late, standing=standing, before=EMPTY._replace(**world))
    yield _scenario("channels x repeat", group, with_rows(start, rows))
    drawn = replace(REACHABLE, lender=DRAWN_CHANNELS)
    yield _scenario("channels x drawn", group, _starting(job(), facts=drawn))
    reports = EMPTY._replace(reports_of=(("email", "full"), ("sms", "delivered")))
    late = replace(BY_MAIL, lender=DRAWN_CHANNELS, accounts=someone(due_in=-3).accounts)
    yield _scenario("channels x drawn x mailbox full", group, _starting(job(), facts=late, before=reports))


def _is_opted_out(customer: CustomerRow, _: World) -> bool:
    return customer.standing is not None and customer.standing.is_opted_out


# ------------------------------------------------------------------ while the control changes


def _while_controlled() -> Iterator[Scenario]:
    """Yield changes of the control between two deliveries of a job, or in the middle of one."""
    group = "control"
    for before, after, copies in (
        ("all drawn", "silence paused", 1),
        ("all drawn", "stopped", 0),
        ("silence paused", "all drawn", 0),
        ("silence paused", "words paused", 0),
    ):
        change = Mail("control", "control", after, NOW)
        world = EMPTY._replace(controls=(before,))
        start = _starting(job(copies=copies), change, facts=STEERED, before=world)
        yield _scenario(f"control: {before}, then {after}", group, start, is_deep=after == "words paused")
    unreadable = EMPTY._replace(controls=("unreadable",))
    yield _scenario("control unreadable", group, _starting(job(), facts=STEERED, before=unreadable), is_deep=True)
    change = Mail("control", "control", "silence paused", NOW)
    start = _starting(job("job a"), job("job b"), change, facts=STEERED)
    yield _scenario("control x duplicate", group, start, is_deep=True)


# ------------------------------------------------------------------ silence among texts


def _at_rest() -> Iterator[Scenario]:
    """Yield customers who are left out at one stage by a trial of texts, and texted at the next."""
    group = "rest"
    by_name = {reply.name: reply for reply in REPLIES}
    yield _scenario("rest", group, _starting(job(), facts=AT_REST), _is_said_at_the_due_date)
    yield _scenario("rest x duplicate", group, _starting(job("job a"), job("job b"), facts=AT_REST),
                    _is_said_at_the_due_date)  # fmt: skip
    stop = by_name["reply opt_out"]
    yield _scenario("rest x reply opt_out", group, _starting(job(), stop.mail, facts=AT_REST), stop.kept)
    channels = replace(REACHABLE, lender=RESTED_CHANNELS)
    yield _scenario("rest x channels", group, _starting(job(), facts=channels), _is_said_at_the_due_date)


def _is_said_at_the_due_date(_: CustomerRow, world: World) -> bool:
    """Tell whether the first stage was left out, and a message of the next was handed over."""
    left_out = [contact.stage for contact in contacts_in(world.rows) if contact.state is ContactState.HELD_OUT]
    texted = [contact.stage for contact in contacts_in(world.rows) if contact.state is ContactState.SENT]
    return left_out == [-3] and 0 in texted


CHANCE_SCENARIOS = (*_sends(), *_of_news(), *_at_the_limits(), *_over_channels(), *_while_controlled(), *_at_rest())
