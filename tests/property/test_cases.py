"""Cases and acts under all histories: one holder at most, and no act that is not written down before."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import OpenReview
from dunning.domain.errors import DunningError, ServiceCallError
from dunning.ports.audit_trail import AuditEntry
from dunning.ports.case_book import Case
from dunning.ports.sessions import Role, Viewer
from dunning.services.console.audited import DeedAct
from dunning.services.console.outcomes import ActRefusedError, Outcome, OutcomeForm
from tests.support.console import Office, a_reply
from tests.support.people import NOW, someone, waking

PEOPLE = [Viewer("jun.li", Role.AGENT), Viewer("li.wang", Role.AGENT), Viewer("mei.chen", Role.MANAGER)]
MANAGER, COMPLIANCE = Viewer("mei.chen", Role.MANAGER), Viewer("ana.costa", Role.COMPLIANCE)
UNTIL = NOW.date() + timedelta(days=5)


def an_office() -> Office:
    """Return a console in which C0001 waits and is held."""
    office, facts = Office(), someone(holds=(Hold(HoldReason.DISPUTE),))
    attention = (OpenReview("not_understood", NOW, "reply-1"),)
    office.keep(facts, waking(facts, lender_id=facts.lender, attention=attention), replies=[a_reply(facts, "?")])
    return office


# ------------------------------------------------------------------ one holder at most

ACTS: dict[str, Callable[[Office, Viewer], None]] = {
    "take": lambda office, viewer: office.acts.cases.take(viewer, "C0001"),
    "give_back": lambda office, viewer: office.acts.cases.give_back(viewer, "C0001"),
    "note": lambda office, viewer: office.acts.cases.note(viewer, "C0001", "a note"),
    "close": lambda office, viewer: office.acts.cases.close(viewer, "C0001", OutcomeForm(outcome="attended")),
}
STEP = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(sorted(ACTS)), st.integers(0, 3))


@given(st.lists(STEP, max_size=12))
def test_at_most_one_person_has_a_case_whatever_colleagues_do_between_reading_and_writing(
    steps: Sequence[tuple[Viewer, str, int]],
) -> None:
    """The number of a step says before which write of it a colleague takes the case."""
    office = an_office()
    holders: list[tuple[int, Viewer | None]] = []
    save = office.cases.save_case

    def watched(case: Case, *, expected_version: int) -> bool:
        is_saved = save(case, expected_version=expected_version)
        if is_saved:
            holders.append((case.version, case.holder))
        return is_saved

    for viewer, act, rival in steps:
        writes = 0

        def contested(case: Case, *, expected_version: int, viewer: Viewer = viewer, rival: int = rival) -> bool:
            nonlocal writes
            writes += 1
            if writes == rival:
                known = office.cases.stored.get("C0001", Case(customer_id="C0001"))
                other = next(person for person in PEOPLE if person != viewer)
                if known.holder is None:
                    taken = replace(known, version=known.version + 1, holder=other, taken_at=NOW, touched_at=NOW)
                    assert watched(taken, expected_version=known.version)
            return watched(case, expected_version=expected_version)

        office.cases.save_case = contested  # type: ignore[method-assign]
        before = office.cases.stored.get("C0001")
        with suppress(ActRefusedError):
            ACTS[act](office, viewer)
        after = office.cases.stored.get("C0001")
        if act == "take" and after and after.holder == viewer and before:
            assert before.holder in {None, viewer}
    versions = [version for version, _ in holders]
    assert versions == list(range(1, len(versions) + 1))
    for (_, held_by), (_, held_next) in pairwise(holders):  # in between the case was given back
        assert held_by is None or held_next is None or held_by == held_next


# ------------------------------------------------------------------ no act without an entry

DEEDS: dict[str, tuple[DeedAct, Callable[[Office], None]]] = {
    "take": (DeedAct.TOOK, lambda office: office.acts.cases.take(PEOPLE[1], "C0002")),
    "give_back": (DeedAct.GAVE_BACK, lambda office: office.acts.cases.give_back(PEOPLE[0], "C0001")),
    "note": (DeedAct.NOTED, lambda office: office.acts.cases.note(PEOPLE[0], "C0001", "a note")),
    "label": (
        DeedAct.LABELLED, lambda office: office.acts.cases.label(PEOPLE[0], "C0001", "reply-1", ["paid"], None),
    ),
    "hold": (DeedAct.HELD, lambda office: office.acts.cases.hold(PEOPLE[0], "C0001", "dispute", UNTIL)),
    "release": (DeedAct.RELEASED, lambda office: office.acts.cases.release(PEOPLE[0], "C0001", "dispute")),
    "pause": (DeedAct.PAUSED, lambda office: office.acts.sending.pause(MANAGER, "wrong amounts")),
    "resume": (DeedAct.RESUMED, lambda office: office.acts.sending.resume(MANAGER, "amounts mended", "RESUME")),
    "ask": (DeedAct.ASKED_ERASURE, lambda office: office.acts.erasures.ask(MANAGER, "C0001", "own_request")),
    "confirm": (
        DeedAct.CONFIRMED_ERASURE,
        lambda office: office.acts.erasures.confirm(COMPLIANCE, "C0003", NOW.isoformat(), is_sure=True),
    ),
    "withdraw": (
        DeedAct.WITHDREW_ERASURE,
        lambda office: office.acts.erasures.withdraw(MANAGER, "C0003", NOW.isoformat()),
    ),
    **{
        f"close_{outcome}": (
            DeedAct.CLOSED,
            lambda office, outcome=outcome: office.acts.cases.close(  # type: ignore[misc]
                PEOPLE[0], "C0001", OutcomeForm(outcome=outcome.value, until=UNTIL, reply_id="reply-1")
            ),
        )
        for outcome in Outcome
    },
}  # fmt: skip
CALLS = [
    ("table", "write"),
    ("cases", "cases"),
    ("cases", "save_case"),
    ("cases", "add_note"),
    ("cases", "ask"),
    ("cases", "find_asked"),
    ("cases", "take_away"),
    ("cases", "keep_turn"),
    ("bus", "put"),
    ("switch", "turn"),
    ("customers", "load_stored"),
]
CHANGES = {"save_case", "add_note", "ask", "take_away", "keep_turn", "put", "turn"}


class Watch:
    """Watches all calls of a console to the outside; some fail, named by their number, from 0."""

    def __init__(self, office: Office, failing: set[tuple[tuple[str, str], int]]) -> None:
        self.done: list[str] = []
        self.written: list[AuditEntry] = []
        self._failing = failing
        self._counts: Counter[tuple[str, str]] = Counter()
        for part, call in CALLS:
            stands_in = getattr(office, part)
            setattr(stands_in, call, partial(self._call, (part, call), getattr(stands_in, call)))

    def _call(self, name: tuple[str, str], inner: Callable[..., Any], *values: Any, **named: Any) -> Any:  # noqa: ANN401
        number, call = self._counts[name], name[1]
        self._counts[name] += 1
        if (name, number) in self._failing:
            raise ServiceCallError(call, "Broken")
        if call in CHANGES:
            assert self.written, f"{call} before anything is written down"
            self.done.append(call)
        if call == "write":
            self.written.append(values[0])
        return inner(*values, **named)


@given(st.sampled_from(sorted(DEEDS)), st.sets(st.tuples(st.sampled_from(CALLS), st.integers(0, 2)), max_size=3))
def test_nothing_changes_before_it_is_written_down_whichever_calls_fail(
    deed: str, failing: set[tuple[tuple[str, str], int]]
) -> None:
    office = an_office()
    for number in (2, 3):
        office.keep(someone(number))
    office.acts.cases.take(PEOPLE[0], "C0001")
    office.acts.erasures.ask(MANAGER, "C0003", "own_request")
    office.switch.on = deed != "resume"
    office.table.entries.clear()
    watch = Watch(office, failing)
    act, do = DEEDS[deed]
    try:
        do(office)
    except DunningError:
        has_failed = True
    else:
        has_failed = False
    entries = [entry.act for entry in watch.written]
    assert entries[:1] in ([], [act.value])
    if not failing:
        assert (entries, has_failed) == ([act.value], False)
    if not has_failed:
        assert entries == [act.value]
    if not entries:
        assert (has_failed, watch.done, office.bus.events, office.switch.on) == (True, [], [], deed != "resume")
    if entries[1:]:
        assert (entries[1:], has_failed) == (["failed"], True)
