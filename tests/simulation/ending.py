"""The end of a schedule: all is delivered until it is done, without faults, and time moves on to the next wakes."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from tests.simulation.customer_rows import customer_at, customers_in
from tests.simulation.promises import LEFT_BEHIND, LOST_NEWS, has_returned, judge_end, judge_move
from tests.simulation.scenarios import CUSTOMER, Scenario, places_that_name_the_customer
from tests.simulation.simulator import MOST_RECEIVES, Move, Simulator, Situation
from tests.simulation.world import Mail

FAR = timedelta(days=40)
"""No wake of a scenario is further away."""

type Witness = Callable[[Situation, Move], None]
"""Sees every move of an end."""


def unseen(_: Situation, __: Move) -> None:
    """Look away."""


def live_on(
    simulator: Simulator, here: Situation, wakes: int, broken: list[str], witness: Witness = unseen
) -> Situation:
    """Deliver everything until it is done, then live through some wakes. Broken promises are added to `broken`."""
    far = here.now + FAR
    while True:
        waiting = [
            (mail.ready_at, number)
            for number, mail in enumerate(here.world.mail)
            if not mail.is_done and mail.receives < MOST_RECEIVES and not mail.kind.startswith("parked")
        ]
        if waiting:
            here = _deliver(simulator, here, min(waiting)[1], broken, witness)
            continue
        wake = next_wake(here)
        if wake is None or not wakes or wake > far:
            return here
        wakes -= 1
        now = max(here.now, wake)
        tick = Mail(f"tick {len(here.world.mail)}", "tick", "", now)
        here = here._replace(now=now, world=here.world._replace(mail=(*here.world.mail, tick)))


def next_wake(here: Situation) -> datetime | None:
    """Return the next wake of anybody."""
    wakes = [
        standing.wake.at
        for customer_id in customers_in(here.world.rows)
        if (standing := customer_at(here.world.rows, customer_id).standing) is not None and standing.wake is not None
    ]
    return min(wakes, default=None)


def _deliver(simulator: Simulator, here: Situation, number: int, broken: list[str], witness: Witness) -> Situation:
    mail = here.world.mail[number]
    move = simulator.begin(here, number, mail)
    while True:
        broken += judge_move(here, move)
        witness(here, move)
        here = move.to
        if here.turn < 0:
            return here
        move = next(simulator.plain(here))


def ending_of(scenario: Scenario, simulator: Simulator) -> Callable[[Situation], Sequence[str]]:
    """Return what ends a schedule of a scenario, and says which promises are broken then."""

    def end(here: Situation) -> Sequence[str]:
        broken: list[str] = []
        last = live_on(simulator, here, scenario.wakes, broken)
        return judge_scenario(scenario, last, broken)

    return end


def judge_scenario(scenario: Scenario, last: Situation, broken: Sequence[str]) -> Sequence[str]:
    """Return all promises that are broken at the end of a scenario."""
    found = {*broken, *judge_end(last.world, last.now)}
    customer = customer_at(last.world.rows, CUSTOMER)
    if not scenario.kept(customer, last.world):
        found.add(LOST_NEWS)
    # Who has returned since has a name and a number again.
    if customer.record is not None and customer.record.erased_at is not None and not has_returned(customer):
        found |= {f"{LEFT_BEHIND}: {place}" for place in places_that_name_the_customer(last.world)}
    return sorted(found)
