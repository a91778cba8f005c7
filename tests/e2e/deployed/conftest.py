"""
One stack for all chapters: built by `make build`, deployed to the stand-in, watched, and taken down afterwards.

The chapters are numbered so that the minute between two ticks of the schedule passes while something else is tested.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.deployed import trial_lender
from tests.e2e.deployed.deployment import Deployer
from tests.e2e.deployed.identity import AUDIENCE, CLIENT, GROUPS, Provider
from tests.e2e.deployed.standin import Folders, StandIn
from tests.e2e.deployed.world import ENGINEER_MAY, FUNCTIONS, LENDER_MAY, MANAGER_MAY, World, make_user
from tests.local import ROOT
from tests.support.function_folders import folder_of

SPLIT_ABOVE = "10000"
"""A file of more than some 80 rows is loaded in parts."""

DRAWN = 24
"""Customers of the lender with trials: enough that no arm stays empty."""

FOLDER = ROOT / ".local" / "e2e"


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Deploy the stack, with its schedule on."""
    folders = Folders(FOLDER)
    folders.make()
    with ExitStack() as stack:
        stand_in = stack.enter_context(StandIn(folders))
        engineer = make_user(stand_in, "engineer", ENGINEER_MAY)
        manager = make_user(stand_in, "manager", MANAGER_MAY)
        lender = make_user(stand_in, "lender", LENDER_MAY)
        log = folders.logs / "deploy.log"
        deployer = Deployer(stand_in.url, stand_in.certificate, engineer, folders.base, log, trial_lender.put_into)
        world = World(stand_in, manager, engineer, lender, deployer)
        world.begin()
        world.provider = stack.enter_context(Provider(stand_in.certificate, stand_in.key, world.now))
        world.say(f"deploying; logs are in {folders.logs}")
        world.deploy(
            ScheduleState="ENABLED",
            SmsPerSecond="50",
            SplitAbove=SPLIT_ABOVE,
            ConsoleIssuer=world.provider.issuer,
            ConsoleClientId=CLIENT,
            ConsoleGroups=",".join(f"{group}={role}" for group, role in GROUPS.items()),
            ConsoleApiAudience=AUDIENCE,
        )
        world.say("deployed")
        try:
            yield world
        finally:
            for function in map(folder_of, FUNCTIONS):
                lines = "\n".join(map(str, world.logged(function)))
                (folders.logs / f"{function}.log").write_text(lines, "utf-8")


@pytest.fixture(scope="session")
def drawn(world: World) -> list[dict[str, str]]:
    """
    Let a lender with trials load customers who are due, and chance decide for each.

    That is done early in the run: the changes that it makes are counted while other things are tested.
    """
    people = world.people(DRAWN, lender=trial_lender.LENDER)
    world.load("drawn.csv", people)
    world.tick()
    world.settle()
    return people
